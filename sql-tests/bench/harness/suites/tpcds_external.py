"""TPC-DS's queries on external tables (Parquet files on the local disk), beside DuckDB and DataFusion over the same files.

Joins of many tables in an order that has to be found, and subqueries: a bad plan is not slower by half but by orders of
magnitude. So the slowest queries are told by name, and none may take longer than a limit. Tables are analysed before, as they
are by themselves once they have been asked for.
"""

import re

from .. import tpcds_data
from ..turns import measure

# A query that takes longer is given up, and counts as if it had taken that long.
SECONDS_MAX = 60
# Times of DuckDB's, of a single query.
RATIO_MAX = 3.0
# DataFusion cuts quotients of numerics off after six digits behind the point, and a query may multiply them by 100.
ABSOLUTE_OF_DATAFUSION = 1e-4


def run(bench):
    scale, folder = bench.scale, tpcds_data.parquet(bench.scale)
    server = bench.thermocline("--column-cache", bench.options.column_cache, "--external-root", folder)
    tpcds_data.declare_external(server, scale)
    ours, duckdb, datafusion = bench.wire(server), bench.duckdb(), bench.datafusion()
    ours.execute("SET search_path = files")
    tpcds_data.declare_in_duckdb(duckdb, scale)
    tpcds_data.declare_in_datafusion(datafusion, scale)
    datafusion.absolute = ABSOLUTE_OF_DATAFUSION
    ours.limit(SECONDS_MAX)
    duckdb.limit(SECONDS_MAX, lambda: tpcds_data.declare_in_duckdb(duckdb, scale))
    datafusion.limit(SECONDS_MAX, lambda: tpcds_data.declare_in_datafusion(datafusion, scale))
    queries = bench.chosen(tpcds_data.queries())
    for name, query in queries:
        # DuckDB is the reference.
        measure(bench.results, [ours, datafusion, duckdb], name, query, bench.rounds, whole=without_limit(query))
    bench.results.note(f"a query is given up after {SECONDS_MAX} s (>), and counts with the time it has had")
    for peer in (ours, duckdb, datafusion):
        given_up = [name for name, row in bench.results.time_rows.items() if peer.name in row and row[peer.name]["over_limit"]]
        if given_up:
            bench.results.note(f"given up by {peer.name}: {', '.join(given_up)}")
    figures(bench.results, len(queries))


def without_limit(query):
    """The query with all rows that LIMIT may choose from, or None if it has none."""
    whole = re.sub(r"\s+LIMIT\s+\d+$", "", query)
    return whole if whole != query else None


def figures(results, queries):
    for what in ("cpu", "wall"):
        mean = results.geometric_mean(what, "thermocline", "duckdb")
        results.at_most(f"geometric mean of {what} / DuckDB's", mean, 1.0)
    for what in ("cpu", "wall"):
        ratios = {name: results.ratio(name, what, "thermocline", "duckdb") for name in results.time_rows}
        slow = sorted((name for name in ratios if ratios[name] > RATIO_MAX), key=lambda name: -ratios[name])
        results.at_most(f"queries above {RATIO_MAX:g} times DuckDB's {what}", len(slow), 0)
        if slow:
            results.note(f"above {RATIO_MAX:g} times DuckDB's {what}: {', '.join(f'{name} {ratios[name]:.1f}' for name in slow)}")
    results.at_most("wall of all / DataFusion's, where both ran", of_all(results, "wall", "datafusion"), 0.5)
    results.at_least("queries answered", sum(answered(row) for row in results.time_rows.values()), queries)


def of_all(results, what, other):
    """How long all queries together have taken, in times of another's."""
    rows = [row for row in results.time_rows.values() if "thermocline" in row and other in row]
    ours, theirs = (sum(row[name][what] for row in rows) for name in ("thermocline", other))
    return ours / theirs if rows else float("nan")


def answered(row):
    return "thermocline" in row and not row["thermocline"]["over_limit"]
