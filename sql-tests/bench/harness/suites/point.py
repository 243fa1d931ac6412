"""`SELECT 1`, and one row of a million by its key, by 1, 16 and 64 clients, simple and prepared, beside PostgreSQL."""

import statistics

from .. import pgbench
from ..turns import rotated

ROWS = 1_000_000
# Clients, and the part of PostgreSQL's rate that is aimed at.
AIMS = {1: 0.5, 16: 0.7, 64: 0.7}
# The number of clients whose slowest transactions are looked at, and how much slower than PostgreSQL's they may be.
P99_CLIENTS, P99_MAX = 64, 1.5


def run(bench):
    servers = [bench.thermocline(), bench.postgresql()]
    rows = max(int(ROWS * bench.scale), 1000)
    for server in servers:
        fill(server, rows)
    for key in (1, rows // 2, rows):
        answers = {server.name: value_of(server, key) for server in servers}
        if len(set(answers.values())) > 1:
            bench.results.wrong(f"key {key}: {answers}")
    scripts = {
        "point": f"\\set id random(1, {rows})\nSELECT v FROM bench_point WHERE id = :id;\n",
        "SELECT 1": "SELECT 1;\n",
    }
    for what, script in scripts.items():
        for protocol in ("simple", "prepared"):
            for clients in AIMS:
                measure(bench, servers, f"{what}, {protocol}, {clients} clients", script, protocol, clients)


def measure(bench, servers, name, script, protocol, clients):
    loads = {server.name: [] for server in servers}
    for round_ in range(bench.rounds):
        for server in rotated(servers, round_):
            load = pgbench.run(server, script, clients, protocol, seconds=bench.seconds, p99=clients == P99_CLIENTS)
            loads[server.name].append(load)
    rates = {server: [load.rate for load in them] for server, them in loads.items()}
    cpu = {server: [load.cpu_per_transaction for load in them] for server, them in loads.items()}
    bench.results.rates(name, "transactions/s", rates, cpu)
    ratio = bench.results.ratio(name, "rate", "thermocline", "postgresql")
    bench.results.at_least(f"rate / PostgreSQL's, {name}", ratio, AIMS[clients])
    if clients == P99_CLIENTS:
        ours, theirs = (statistics.median(load.p99 for load in loads[server.name]) for server in servers)
        bench.results.at_most(f"p99 / PostgreSQL's, {name}", ours / theirs, P99_MAX)


def fill(server, rows):
    with server.connect() as connection:
        connection.execute("CREATE TABLE bench_point (id integer PRIMARY KEY, v integer, pad varchar(84))")
        value = "(i::bigint * 7 % 1000003)::integer"
        connection.execute(
            f"INSERT INTO bench_point SELECT i, {value}, repeat('x', 84) FROM generate_series(1, {rows}) i"
        )
        connection.execute("VACUUM")


def value_of(server, key):
    with server.connect() as connection:
        return connection.execute(f"SELECT v FROM bench_point WHERE id = {key}").fetchone()[0]
