"""What clients ask of the system catalogs when they connect, complete and browse, with 5,000 tables of 50 columns, beside
PostgreSQL. The statements are recordings of real clients (`--statements`; sql-tests/clients/recorded.py tells their form)."""

import importlib.util
import math
import time
from pathlib import Path

from .. import processes
from ..peers import Samples
from ..turns import rotated

CLIENTS = ["psql", "pgjdbc", "pgadmin4"]
TABLES, COLUMNS = 5000, 50
RATIO_MAX = 1.5
TYPES = ["integer", "bigint", "text", "numeric(12,2)", "timestamptz"]
# How many of a client's statements that take the longest are named.
NAMED = 3


def recorded():
    """The module that runs recordings, which is a command of its own."""
    path = Path(__file__).parents[3] / "clients" / "recorded.py"
    spec = importlib.util.spec_from_file_location("recorded", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(bench):
    servers = [bench.thermocline(), bench.postgresql()]
    for server in servers:
        fill(server, max(int(TABLES * bench.scale), 1))
    runner = recorded()
    for client in CLIENTS:
        measure(bench, runner, servers, client)
    total = [sum(row[server.name]["wall"] for row in bench.results.time_rows.values()) for server in servers]
    bench.results.at_most("seconds / PostgreSQL's, all clients", total[0] / total[1], RATIO_MAX)


def fill(server, tables):
    columns = ", ".join(f"c{n} {TYPES[n % len(TYPES)]}" for n in range(1, COLUMNS))
    with server.connect() as connection:
        for n in range(tables):
            connection.execute(f"CREATE TABLE t{n} (id integer PRIMARY KEY, {columns})")
        # Both know by then what they want to know of their catalogs.
        connection.execute("VACUUM" if server.name == "thermocline" else "VACUUM ANALYZE")


def measure(bench, runner, servers, client):
    """Runs a client's statements, all by one server, then all by the other; the statements that either refuses are left out."""
    statements = runner.questions(bench.options.statements / f"{client}.jsonl")
    refused = {n for server in servers for n in replay(runner, server, statements, set(), {})}
    samples, each = {server.name: Samples() for server in servers}, {server.name: {} for server in servers}
    for round_ in range(bench.rounds):
        for server in rotated(servers, round_):
            cpu, wall = processes.cpu_seconds(server.pid), time.perf_counter()
            replay(runner, server, statements, refused, each[server.name])
            samples[server.name].wall.append(time.perf_counter() - wall)
            samples[server.name].cpu.append(processes.cpu_seconds(server.pid) - cpu)
    bench.results.times(client, samples)
    bench.results.note(f"{client}: {len(statements) - len(refused)} statements; {len(refused)} that a server refuses are left out")
    ours, theirs = (each[server.name] for server in servers)
    for n in sorted(ours, key=ours.get, reverse=True)[:NAMED]:
        text = " ".join(statements[n]["sql"].split())[:100]
        bench.results.note(f"  {ours[n]:.3f} s, PostgreSQL {theirs.get(n, math.nan):.3f} s: {text}")


def replay(runner, server, statements, left_out, seconds):
    """Runs the statements in one session; notes the least time of each, and returns those that are refused."""
    connect = lambda: runner.Connection("127.0.0.1", server.port, server.user, server.database)
    connection, refused = connect(), set()
    for n, statement in enumerate(statements):
        if n in left_out:
            continue
        started = time.perf_counter()
        try:
            connection.run(statement)
        except runner.Refused:
            refused.add(n)
            connection = connect()
        seconds[n] = min(time.perf_counter() - started, seconds.get(n, math.inf))
    return refused
