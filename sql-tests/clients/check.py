"""What the sessions in Python share: the list of values, and checks that are counted."""

import dataclasses
import os
import traceback

# Runs until it is cancelled.
ENDLESS = "SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b"

DATABASE = os.environ["PGDATABASE"]
PASSWORD = os.environ["PGPASSWORD"]
SOCKET = os.environ["CLIENTS_SOCKET"]
AUTHORITY = os.environ["PGSSLROOTCERT"]
PORT = int(os.environ["PGPORT"])

# Values that clients in Python change: of months and of hours beyond a day Python's intervals know nothing, and
# JSON is made anew.
CHANGED_BY_PYTHON = {"interval", "interval_negative", "interval_days", "json"}
# Those that it cannot hold.
NOT_IN_PYTHON = {"date_infinity", "timestamp_infinity", "timestamptz_minus_infinity"}


@dataclasses.dataclass
class Value:
    name: str
    type: str
    sql: str
    text: str


def values():
    with open(os.environ["CLIENTS_VALUES"], encoding="utf-8") as lines:
        return [Value(*line.rstrip("\n").split("\t")) for line in lines if not line.startswith("#")]


def types():
    return dict.fromkeys(value.type for value in values())


class Checks:
    def __init__(self):
        self.count = self.failures = 0

    def equal(self, name, got, expected):
        self.count += 1
        # As they are shown, because a NaN equals nothing, and 1 equals True.
        if repr(got) != repr(expected):
            self.fail(name, f"{got!r} instead of {expected!r}")

    def fail(self, name, message):
        self.failures += 1
        print(f"FAIL {name}: {message}".replace("\n", " "), flush=True)

    def value(self, value, how, function, expected=None):
        """Checks what a function answers about a value; without more, the value's text."""
        try:
            self.equal(f"{value.name}, {how}", function(), value.text if expected is None else expected)
        except Exception as error:
            self.fail(f"{value.name}, {how}", f"{type(error).__name__}: {error}")

    def part(self, function, *arguments):
        """One subject of the session. That it breaks off is a failure, and the next one follows."""
        try:
            function(*arguments)
        except Exception as error:
            self.count += 1
            where = traceback.extract_tb(error.__traceback__)
            line = next(it.lineno for it in reversed(where) if os.path.dirname(it.filename) == os.path.dirname(__file__))
            self.fail(function.__name__, f"{type(error).__name__} at line {line}: {error}")

    def done(self):
        print(f"checks {self.count}, failures {self.failures}")
