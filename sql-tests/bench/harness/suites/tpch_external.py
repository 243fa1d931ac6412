"""TPC-H's queries on external tables (Parquet files on the local disk), warm, beside DuckDB over the same files."""

from .. import tpch_data
from ..turns import measure


def run(bench):
    folder = tpch_data.parquet(bench.scale)
    server = bench.thermocline("--column-cache", bench.options.column_cache, "--external-root", folder)
    tpch_data.declare_external(server, bench.scale)
    ours = bench.wire(server)
    ours.execute("SET search_path = files")
    duckdb = bench.duckdb()
    tpch_data.load_duckdb(duckdb, bench.scale, "VIEW")
    for name, query in tpch_data.queries():
        measure(bench.results, [ours, duckdb], name, query, bench.rounds)
    for what in ("cpu", "wall"):
        mean = bench.results.geometric_mean(what, "thermocline", "duckdb")
        bench.results.at_most(f"geometric mean of {what} / DuckDB's", mean, 1.0)
