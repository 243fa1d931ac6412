"""TPC-H and TPC-DS, for what is measured over the queries of both."""

from . import tpcds_data, tpch_data

BENCHMARKS = {"tpch": tpch_data, "tpcds": tpcds_data}


def chosen(bench):
    """The queries that are to be run, by benchmark. Their names say of which they are: tpch-q09."""
    queries = [(f"{benchmark}-{name}", query) for benchmark, data in BENCHMARKS.items() for name, query in data.queries()]
    queries = bench.chosen(queries)
    of = lambda benchmark: [(name, query) for name, query in queries if name.startswith(f"{benchmark}-")]
    return {benchmark: of(benchmark) for benchmark in BENCHMARKS}


def declared(bench):
    """A connection to one server for each benchmark, whose tables it finds as external tables."""
    folders = [data.parquet(bench.scale) for data in BENCHMARKS.values()]
    roots = [argument for folder in folders for argument in ("--external-root", folder)]
    server = bench.thermocline("--column-cache", bench.options.column_cache, *roots)
    connections = {}
    for benchmark, data in BENCHMARKS.items():
        data.declare_external(server, bench.scale, benchmark)
        connections[benchmark] = bench.wire(server)
        connections[benchmark].execute(f"SET search_path = {benchmark}")
    return connections
