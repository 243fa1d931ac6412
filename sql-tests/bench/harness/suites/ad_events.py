"""What is asked of ad events in Parquet files and CSV, joined with hot tables, beside DuckDB over the same files.

The suite `events` says how much is read; this one says what it costs, over the questions that warehouses of such events are
bought for. A mean hides a query that is far slower than it could be, so those are told by name.
"""

from .. import ad_events_data
from ..turns import measure

# Times of DuckDB's, of all queries and of a single one.
MEAN_MAX, RATIO_MAX = 0.8, 1.5
# Of a query for which DuckDB needs less, a good part is what any statement costs. Such a query has no limit of its own.
SECONDS_TOLD_MIN = 0.050


def run(bench):
    folder = ad_events_data.folder(bench.days, bench.scale)
    server = bench.thermocline("--column-cache", bench.options.column_cache, "--external-root", folder)
    ad_events_data.declare(server, folder)
    ours, duckdb = bench.wire(server), bench.duckdb()
    # The dimensions are in both schemas, and it is the hot tables that are meant.
    ours.execute("SET search_path = public, files")
    ad_events_data.declare_in_duckdb(duckdb, folder)
    bench.results.note(f"{bench.days} days (in full {ad_events_data.DAYS_IN_FULL})")
    for name, query in bench.chosen(ad_events_data.queries()):
        measure(bench.results, [ours, duckdb], name, query, bench.rounds)
    figures(bench.results)


def figures(results):
    for what in ("cpu", "wall"):
        mean = results.geometric_mean(what, "thermocline", "duckdb")
        results.at_most(f"geometric mean of {what} / DuckDB's", mean, MEAN_MAX)
    ratios = {name: results.ratio(name, "cpu", "thermocline", "duckdb") for name in results.time_rows}
    slow = sorted((name for name in ratios if ratios[name] > RATIO_MAX), key=lambda name: -ratios[name])
    told = [name for name in slow if results.median(name, "duckdb", "cpu") >= SECONDS_TOLD_MIN]
    results.at_most(f"queries above {RATIO_MAX:g} times DuckDB's cpu", len(told), 0)
    short = [name for name in slow if name not in told]
    for names, where in ((told, ""), (short, f", which is below {SECONDS_TOLD_MIN * 1000:g} ms and not counted")):
        if names:
            listed = ", ".join(f"{name} {ratios[name]:.1f}" for name in names)
            results.note(f"above {RATIO_MAX:g} times DuckDB's cpu{where}: {listed}")
