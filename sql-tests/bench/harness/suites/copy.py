"""COPY FROM STDIN of TPC-H's lineitem as CSV, by psql, beside PostgreSQL. The client's time counts."""

import time

from .. import answers, processes, tpch_data
from ..turns import rotated

CHECK = (
    "SELECT count(*), sum(l_orderkey), sum(l_extendedprice), sum(l_tax), min(l_shipdate), max(l_receiptdate), "
    "sum(length(l_comment)), count(DISTINCT l_shipmode) FROM lineitem"
)


def run(bench):
    servers = [bench.thermocline(), bench.postgresql()]
    path = tpch_data.csv(bench.scale, "lineitem")
    with open(path, "rb") as lines:
        rows = sum(1 for _ in lines)
    rates = {server.name: [] for server in servers}
    cpu = {server.name: [] for server in servers}
    shown = {}
    for round_ in range(bench.rounds):
        for server in rotated(servers, round_):
            wall, used, shown[server.name] = load(server, path)
            rates[server.name].append(rows / wall)
            cpu[server.name].append(used / rows)
    ours, theirs = (shown[server.name] for server in servers)
    if different := answers.difference(ours, theirs):
        bench.results.wrong(f"after COPY: {different}")
    bench.results.rates("COPY lineitem", "rows/s", rates, cpu)
    bench.results.at_least("rows/s / PostgreSQL's", bench.results.ratio("COPY lineitem", "rate", "thermocline", "postgresql"), 2)


def load(server, path):
    with server.connect() as connection:
        connection.execute("DROP TABLE IF EXISTS lineitem")
        connection.execute(f"CREATE TABLE lineitem ({tpch_data.COLUMNS['lineitem']})")
        before, started = processes.cpu_seconds(server.pid), time.perf_counter()
        tpch_data.copy(server, "lineitem", path)
        wall = time.perf_counter() - started
        # PostgreSQL's process for the connection counts once its parent has seen it end.
        time.sleep(0.2)
        cpu = processes.cpu_seconds(server.pid) - before
        return wall, cpu, connection.execute(CHECK).fetchall()
