"""Selecting one row of a million by its key, prepared, by 1 and 16 clients, beside PostgreSQL."""

import psycopg

from .. import pgbench
from ..turns import rotated

ROWS = 1_000_000
AIMS = {1: 0.5, 16: 0.5}


def run(bench):
    servers = [bench.thermocline(), bench.postgresql()]
    rows = max(int(ROWS * bench.scale), 1000)
    for server in servers:
        fill(bench, server, rows)
    for key in (1, rows // 2, rows):
        answers = {server.name: value_of(server, key) for server in servers}
        if len(set(answers.values())) > 1:
            bench.results.wrong(f"key {key}: {answers}")
    script = f"\\set id random(1, {rows})\nSELECT v FROM bench_point WHERE id = :id;\n"
    for clients, aim in AIMS.items():
        rates = {server.name: [] for server in servers}
        cpu = {server.name: [] for server in servers}
        for round_ in range(bench.rounds):
            for server in rotated(servers, round_):
                load = pgbench.run(server, script, clients, "prepared", seconds=bench.seconds)
                rates[server.name].append(load.rate)
                cpu[server.name].append(load.cpu_per_transaction)
        name = f"prepared, {clients} clients"
        bench.results.rates(name, "transactions/s", rates, cpu)
        bench.results.at_least(f"rate / PostgreSQL's, {name}", bench.results.ratio(name, "rate", "thermocline", "postgresql"), aim)


def fill(bench, server, rows):
    columns = "v integer, pad varchar(84)"
    with server.connect() as connection:
        try:
            connection.execute(f"CREATE TABLE bench_point (id integer PRIMARY KEY, {columns})")
        except psycopg.errors.FeatureNotSupported:
            bench.results.note(f"{server.name} has no primary keys: its table is without one")
            connection.execute(f"CREATE TABLE bench_point (id integer NOT NULL, {columns})")
        value = "(i::bigint * 7 % 1000003)::integer"
        connection.execute(
            f"INSERT INTO bench_point SELECT i, {value}, repeat('x', 84) FROM generate_series(1, {rows}) i"
        )
        connection.execute("VACUUM")


def value_of(server, key):
    with server.connect() as connection:
        return connection.execute(f"SELECT v FROM bench_point WHERE id = {key}").fetchone()[0]
