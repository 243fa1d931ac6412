"""What connections cost: memory of idle ones, and how quickly they are made, with SCRAM, with and without TLS."""

import contextlib
import os
import subprocess

from .. import pgbench, processes
from ..raw_client import RawClient
from ..turns import rotated

IDLE = 1000
IDLE_KB_MAX = 64.0
PASSWORD = "a password of some length"
CLIENTS = 4
SCRIPT = "SELECT 1;\n"


def run(bench):
    idle(bench)
    certificate, key = make_certificate(bench.options.work)
    ours = bench.thermocline(
        "--tls-cert", certificate, "--tls-key", key, "--max-connections", "200", name="thermocline-scram"
    )
    servers = [ours, bench.postgresql(tls=(certificate, key), name="postgresql-scram")]
    for server in servers:
        require_password(server)
    for tls in ("disable", "require"):
        set_up(bench, servers, tls)


def idle(bench):
    server = bench.thermocline("--max-connections", str(IDLE + 10))
    count = max(int(IDLE * bench.scale), 10)
    with contextlib.ExitStack() as open_connections:
        # What the first ones bring about for all is not theirs.
        for _ in range(5):
            open_connections.enter_context(RawClient(server)).discard("SELECT 1", binary=False)
        before = processes.resident_memory_mb(server.pid)
        for _ in range(count):
            open_connections.enter_context(RawClient(server)).discard("SELECT 1", binary=False)
        each_kb = (processes.resident_memory_mb(server.pid) - before) * 1024 / count
    bench.results.at_most(f"KiB of memory for each of {count} idle connections", each_kb, IDLE_KB_MAX)


def require_password(server):
    """Lets nobody in without SCRAM from then on."""
    with server.connect() as connection:
        connection.execute(f"CREATE ROLE bench_login LOGIN PASSWORD '{PASSWORD}'")
    server.set_rules(["host all bench_login 127.0.0.1/32 scram-sha-256", "host all all 127.0.0.1/32 trust"])


def set_up(bench, servers, tls):
    environment = {**os.environ, "PGPASSWORD": PASSWORD, "PGSSLMODE": tls, "PGCHANNELBINDING": "prefer"}
    rates = {server.name: [] for server in servers}
    cpu = {server.name: [] for server in servers}
    for round_ in range(bench.rounds):
        for server in rotated(servers, round_):
            load = pgbench.run(
                server, SCRIPT, CLIENTS, "simple", seconds=bench.seconds,
                flags=["-C"], user="bench_login", environment=environment,
            )
            rates[server.name].append(load.rate)
            cpu[server.name].append(load.cpu_per_transaction)
    name = "SCRAM over TLS" if tls == "require" else "SCRAM without TLS"
    bench.results.rates(name, "connections/s", rates, cpu)
    ratio = bench.results.ratio(name, "rate", *[server.name for server in servers])
    bench.results.at_least(f"connections/s / PostgreSQL's, {name}", ratio, 1.0)


def make_certificate(folder):
    """A certificate that nobody has signed, as PostgreSQL's documentation makes one."""
    folder.mkdir(parents=True, exist_ok=True)
    certificate, key = folder / "server.crt", folder / "server.key"
    subprocess.run(
        ["openssl", "req", "-new", "-x509", "-days", "30", "-nodes", "-subj", "/CN=localhost", "-newkey", "rsa:2048",
         "-out", certificate, "-keyout", key],
        check=True, capture_output=True,
    )
    return certificate, key
