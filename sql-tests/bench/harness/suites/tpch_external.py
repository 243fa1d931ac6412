"""TPC-H's queries on external tables (Parquet files on the local disk), with decoded columns kept and without, beside DuckDB."""

from .. import tpch_data
from ..turns import measure

WITHOUT_CACHE = "no column cache"
AIMS = [("thermocline", "cpu", 0.75), ("thermocline", "wall", 1.0), (WITHOUT_CACHE, "cpu", 1.1)]


def run(bench):
    folder = tpch_data.parquet(bench.scale)
    peers = [declared(bench, name, cache, folder)
             for name, cache in (("thermocline", bench.options.column_cache), (WITHOUT_CACHE, "0"))]
    duckdb = bench.duckdb()
    tpch_data.load_duckdb(duckdb, bench.scale, "VIEW")
    for name, query in bench.chosen(tpch_data.queries()):
        measure(bench.results, [*peers, duckdb], name, query, bench.rounds)
    for name, what, aim in AIMS:
        mean = bench.results.geometric_mean(what, name, "duckdb")
        bench.results.at_most(f"geometric mean of {what} / DuckDB's, {name}", mean, aim)


def declared(bench, name, cache, folder):
    """A connection to a server that keeps so much of the decoded columns, and has the tables."""
    server = bench.thermocline("--column-cache", cache, "--external-root", folder, name=name)
    tpch_data.declare_external(server, bench.scale)
    peer = bench.wire(server)
    peer.execute("SET search_path = files")
    return peer
