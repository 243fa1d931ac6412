"""TPC-H's queries on hot tables, warm, beside DuckDB's own tables."""

from .. import tpch_data
from ..turns import measure


def run(bench):
    cache = bench.options.column_cache
    server = bench.thermocline("--column-cache", cache)
    tpch_data.load(server, bench.scale)
    peers = [bench.wire(server)]
    if bench.options.postgresql:
        postgresql = bench.postgresql()
        tpch_data.load(postgresql, bench.scale, tpch_data.INDEXES, "VACUUM ANALYZE")
        peers.append(bench.wire(postgresql))
    duckdb = bench.duckdb()
    tpch_data.load_duckdb(duckdb, bench.scale, "TABLE")
    duckdb.execute("CHECKPOINT")
    peers.append(duckdb)
    for name, query in bench.chosen(tpch_data.queries()):
        measure(bench.results, peers, name, query, bench.rounds)
    bench.results.note(f"decoded columns are kept up to {cache}")
    for what, aim in (("cpu", 2.0), ("wall", 2.0)):
        mean = bench.results.geometric_mean(what, "thermocline", "duckdb")
        bench.results.at_most(f"geometric mean of {what} / DuckDB's", mean, aim)
