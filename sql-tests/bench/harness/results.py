"""What a suite has found: samples, the ratios made of them, the figures that have an aim, and what was wrong."""

import math
import statistics
from dataclasses import asdict, dataclass

# Below this, a time is mostly the clock's and the wire's.
SECONDS_MIN = 1e-4


@dataclass
class Figure:
    """A number for which there is an aim."""

    name: str
    value: float
    aim: float
    at_least: bool

    def reached(self):
        return self.value >= self.aim if self.at_least else self.value <= self.aim

    def as_json(self):
        value = None if math.isnan(self.value) else self.value
        return {**asdict(self), "value": value, "reached": self.reached()}

    def __str__(self):
        sign = "at least" if self.at_least else "at most"
        return f"{self.name}: {self.value:.3g}, aim {sign} {self.aim:g}: {'reached' if self.reached() else 'MISSED'}"


class Results:
    """Filled by one suite. The first peer of a row is compared with the others, which are its base."""

    def __init__(self, suite):
        self.suite = suite
        self.peers, self.notes, self.figures, self.wrong_answers, self.failures = {}, [], [], [], []
        self.time_rows, self.rate_rows, self.count_rows = {}, {}, {}

    def peer(self, peer):
        """Notes who takes part, and with which settings."""
        self.peers[peer.name] = peer.describe()

    def note(self, text):
        self.notes.append(text)

    def wrong(self, text):
        """An answer differs."""
        self.wrong_answers.append(text)

    def fail(self, text):
        """Something could not be measured."""
        self.failures.append(text)

    def at_least(self, name, value, aim):
        self.figures.append(Figure(name, value, aim, True))

    def at_most(self, name, value, aim):
        self.figures.append(Figure(name, value, aim, False))

    def times(self, name, samples):
        """Seconds by peer: `Samples`."""
        self.time_rows[name] = {
            peer: {
                "wall": median(it.wall), "cpu": median(it.cpu),
                "peak_mb": None if math.isnan(it.peak_mb) else round(it.peak_mb),
                "over_limit": it.over_limit,
                "rounds": {"wall": it.wall, "cpu": it.cpu},
            }
            for peer, it in samples.items()
        }
        print(f"  {name}", flush=True)

    def rates(self, name, unit, rates, cpu):
        """Rates and processor seconds per unit, by peer, each round's."""
        self.rate_rows[name] = {
            peer: {"rate": median(rates[peer]), "cpu": median(cpu[peer]), "unit": unit, "rounds": rates[peer]}
            for peer in rates
        }
        print(f"  {name}", flush=True)

    def counts(self, name, counts):
        """What has been counted while something was done, by kind."""
        self.count_rows[name] = counts

    def median(self, name, peer, what):
        """A number of a row, or NaN when it could not be measured."""
        row = {**self.time_rows, **self.rate_rows}.get(name, {})
        return row.get(peer, {}).get(what, math.nan)

    def ratio(self, name, what, one, other):
        """A row's ratio between two peers."""
        return quotient(self.median(name, one, what), self.median(name, other, what))

    def geometric_mean(self, what, one, other):
        """The geometric mean over the rows of seconds that both have."""
        ratios = [self.ratio(name, what, one, other) for name in self.time_rows]
        ratios = [ratio for ratio in ratios if not math.isnan(ratio)]
        return math.exp(statistics.fmean(map(math.log, ratios))) if ratios else math.nan

    def as_json(self):
        return {
            "peers": self.peers, "times": self.time_rows, "rates": self.rate_rows, "counts": self.count_rows,
            "notes": self.notes,
            "figures": [figure.as_json() for figure in self.figures],
            "wrong_answers": self.wrong_answers, "failures": self.failures,
        }

    def show(self):
        print(f"\n== {self.suite}")
        for name, description in self.peers.items():
            print(f"   {name}: {description}")
        if self.rate_rows:
            show_table(self.rate_table())
        if self.time_rows:
            show_table(self.time_table())
        if self.count_rows:
            show_table(self.count_table())
        for title, lines in [
            ("", self.notes), ("", self.figures), ("WRONG ANSWER: ", self.wrong_answers), ("FAILED: ", self.failures),
        ]:
            for line in lines:
                print(f"   {title}{line}")

    def taking_part(self, rows):
        """The peers in these rows, in the order in which they came."""
        return [name for name in self.peers if any(name in row for row in rows.values())]

    def rate_table(self):
        names = self.taking_part(self.rate_rows)
        yield ["", *[f"{name} {what}" for name in names for what in ("rate", "cpu µs")], *[f"rate / {name}" for name in names[1:]]]
        for label, row in self.rate_rows.items():
            unit = next(iter(row.values()))["unit"]
            numbers = [
                f"{row[name][what] * factor:,.0f}" if name in row else "-"
                for name in names for what, factor in (("rate", 1), ("cpu", 1e6))
            ]
            yield [f"{label} ({unit})", *numbers, *[f"{self.ratio(label, 'rate', names[0], name):.2f}" for name in names[1:]]]

    def time_table(self):
        names = self.taking_part(self.time_rows)
        columns = [f"{name} {what}" for name in names for what in ("wall", "cpu", "MB")]
        ratios = [(name, what) for name in names[1:] for what in ("wall", "cpu")]
        yield ["seconds", *columns, *[f"{what} / {name}" for name, what in ratios]]
        for label, row in self.time_rows.items():
            numbers = []
            for name in names:
                it = row.get(name)
                wall = it and ">" * it["over_limit"] + f"{it['wall']:.3f}"
                numbers += [wall, f"{it['cpu']:.3f}", f"{it['peak_mb'] or '-'}"] if it else ["-"] * 3
            yield [label, *numbers, *[shown(self.ratio(label, what, names[0], name)) for name, what in ratios]]
        if not ratios:
            return
        means = [f"{self.geometric_mean(what, names[0], name):.2f}" for name, what in ratios]
        yield ["geometric mean", *[""] * len(columns), *means]

    def count_table(self):
        kinds = list(dict.fromkeys(kind for row in self.count_rows.values() for kind in row))
        yield ["counted", *kinds]
        for label, row in self.count_rows.items():
            yield [label, *[f"{row[kind]:,}" if kind in row else "-" for kind in kinds]]


def shown(ratio):
    return "-" if math.isnan(ratio) else f"{ratio:.2f}"


def median(values):
    return statistics.median(values) if values else math.nan


def quotient(one, other):
    if math.isnan(one) or math.isnan(other):
        return math.nan
    return max(one, SECONDS_MIN) / max(other, SECONDS_MIN)


def show_table(lines):
    lines = list(lines)
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    for line in lines:
        first, *others = [cell.ljust(width) if i == 0 else cell.rjust(width) for i, (cell, width) in enumerate(zip(line, widths))]
        print("   " + "  ".join([first, *others]))
