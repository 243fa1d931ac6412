"""All rows of lineitem to a client that discards them, as text and as binary, beside PostgreSQL; and what memory it takes."""

import time

from .. import processes, raw_client, tpch_data
from ..peers import Samples
from ..turns import rotated

QUERY = "SELECT * FROM lineitem"
FASTER = 2.0
GROWTH_MB_MAX = 64.0
# The slow client rests after each piece, for as long as this share of the rounds' time goes on; then it leaves.
SLOW_PIECE_BYTES, SLOW_REST_SECONDS = 1 << 20, 0.05


def run(bench):
    servers = [bench.thermocline(), bench.postgresql()]
    for server in servers:
        with server.connect() as connection:
            connection.execute(f"CREATE TABLE lineitem ({tpch_data.COLUMNS['lineitem']})")
        tpch_data.copy(server, "lineitem", tpch_data.csv(bench.scale, "lineitem"))
        with server.connect() as connection:
            connection.execute("VACUUM lineitem")
            rows = connection.execute("SELECT count(*) FROM lineitem").fetchone()[0]
    for binary in (False, True):
        measure(bench, servers, "binary" if binary else "text", binary, rows)
    slow(bench, servers[0])


def measure(bench, servers, name, binary, rows):
    samples = {server.name: Samples() for server in servers}
    growth = 0.0
    for round_ in range(-1, bench.rounds):
        for server in rotated(servers, max(round_, 0)):
            with raw_client.RawClient(server) as client:
                processes.reset_peak_memory(server.pid)
                before = processes.resident_memory_mb(server.pid)
                cpu, wall = processes.cpu_seconds(server.pid), time.perf_counter()
                received = client.discard(QUERY, binary)
                wall, cpu = time.perf_counter() - wall, processes.cpu_seconds(server.pid) - cpu
                if received != rows:
                    bench.results.wrong(f"{name}: {server.name} sends {received} rows of {rows}")
            # The first time fills caches.
            if round_ >= 0:
                samples[server.name].wall.append(wall)
                samples[server.name].cpu.append(cpu)
                if server.has_one_process:
                    growth = max(growth, processes.peak_memory_mb(server.pid) - before)
    bench.results.times(name, samples)
    faster = 1 / bench.results.ratio(name, "wall", "thermocline", "postgresql")
    bench.results.at_least(f"rows/s / PostgreSQL's, {name}", faster, FASTER)
    bench.results.at_most(f"growth of memory in MB, {name}", growth, GROWTH_MB_MAX)


def slow(bench, server):
    """What the server holds for a client that does not take what it has asked for."""
    with raw_client.RawClient(server) as client:
        processes.reset_peak_memory(server.pid)
        before = processes.resident_memory_mb(server.pid)
        client.ask(QUERY, binary=False)
        deadline = time.perf_counter() + bench.seconds
        while time.perf_counter() < deadline and client.rows_at_end() is None:
            client.receive(SLOW_PIECE_BYTES)
            time.sleep(SLOW_REST_SECONDS)
        growth = processes.peak_memory_mb(server.pid) - before
    bench.results.at_most("growth of memory in MB, a slow client", growth, GROWTH_MB_MAX)
