"""Few rows of a wide table in Parquet files, with all of its columns: what is not shown should not be read, let alone decoded.

A query looks at one or two columns to find its rows, and the other hundred are wanted of ten rows only. With decoded columns
kept and without, beside DuckDB over the same files.
"""

from .. import wide_data
from ..turns import measure

WITHOUT_CACHE = "no column cache"
# Times of DuckDB's, of each query.
RATIO_MAX = 1.2
# No two rows have the same time, so there is one answer only.
STATEMENTS = {
    "rare word": f"SELECT * FROM hits WHERE url LIKE '%{wide_data.RARE_WORD}%' ORDER BY event_time LIMIT 10",
    "common word": f"SELECT * FROM hits WHERE url LIKE '%{wide_data.COMMON_WORD}%' ORDER BY event_time LIMIT 10",
    "last rows": "SELECT * FROM hits ORDER BY event_time DESC LIMIT 10",
    "user": f"SELECT * FROM hits WHERE user_id = {wide_data.SOME_USER} ORDER BY event_time LIMIT 10",
}


def run(bench):
    folder = wide_data.folder(bench.scale)
    peers = [declared(bench, name, cache, folder)
             for name, cache in (("thermocline", bench.options.column_cache), (WITHOUT_CACHE, "0"))]
    duckdb = bench.duckdb()
    wide_data.declare_in_duckdb(duckdb, folder)
    for name, statement in STATEMENTS.items():
        measure(bench.results, [*peers, duckdb], name, statement, bench.rounds)
    figures(bench.results)


def declared(bench, name, cache, folder):
    """A connection to a server that keeps so much of the decoded columns, and has the table."""
    server = bench.thermocline("--column-cache", cache, "--external-root", folder, name=name)
    wide_data.declare(server, folder)
    peer = bench.wire(server)
    peer.execute("SET search_path = files")
    return peer


def figures(results):
    for what in ("cpu", "wall"):
        for name in STATEMENTS:
            results.at_most(f"{what} / DuckDB's, {name}", results.ratio(name, what, "thermocline", "duckdb"), RATIO_MAX)
        without = ", ".join(f"{name} {results.ratio(name, what, WITHOUT_CACHE, 'duckdb'):.2f}" for name in STATEMENTS)
        results.note(f"{what} / DuckDB's, {WITHOUT_CACHE}: {without}")
