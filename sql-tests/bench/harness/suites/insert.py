"""Durable single-row INSERT … VALUES, each a transaction, by 1, 16 and 64 clients, beside PostgreSQL."""

from .. import pgbench
from ..turns import rotated

SCRIPT = "\\set id random(1, 1000000)\nINSERT INTO bench_insert (id, v, t) VALUES (:id, :id, 'abcdefgh');\n"
# Clients, and the part of PostgreSQL's rate that is aimed at.
AIMS = {1: 0.5, 16: 0.7, 64: 0.7}


def run(bench):
    servers = [bench.thermocline(), bench.postgresql()]
    acknowledged = {server.name: 0 for server in servers}
    for server in servers:
        with server.connect() as connection:
            connection.execute("CREATE TABLE bench_insert (id integer, v integer, t varchar(32))")
    for protocol in ("simple", "prepared"):
        for clients, aim in AIMS.items():
            rates = {server.name: [] for server in servers}
            cpu = {server.name: [] for server in servers}
            for round_ in range(bench.rounds):
                for server in rotated(servers, round_):
                    load = pgbench.run(server, SCRIPT, clients, protocol, seconds=bench.seconds)
                    rates[server.name].append(load.rate)
                    cpu[server.name].append(load.cpu_per_transaction)
                    acknowledged[server.name] += load.transactions
            name = f"{protocol}, {clients} clients"
            bench.results.rates(name, "transactions/s", rates, cpu)
            bench.results.at_least(f"rate / PostgreSQL's, {name}", bench.results.ratio(name, "rate", "thermocline", "postgresql"), aim)
    for server in servers:
        with server.connect() as connection:
            found = connection.execute("SELECT count(*) FROM bench_insert").fetchone()[0]
        # A client that is cut off by the end of a round may have been committed without having counted it.
        if found < acknowledged[server.name]:
            bench.results.wrong(f"{server.name} has {found} rows of {acknowledged[server.name]}")
