"""Time to the first answer with more than 1,000 tables and 10,000 segments, and with an empty data directory."""

import shutil
import time

from .. import processes
from ..peers import Samples

TABLES = 1430
# Compaction would make one of eight.
SEGMENTS_PER_TABLE = 7
# A row that is too large to be kept in the commit store, and takes no room when it is compressed.
ROW = "SELECT {n}, repeat('x', 5000000)"


def run(bench):
    tables = max(int(TABLES * bench.scale), 2)
    full, empty = bench.thermocline(), bench.thermocline(folder="empty")
    fill(full, tables)
    segments = len(list((full.folder / "data").rglob("*.parquet")))
    bench.results.note(f"full: {tables} tables, {segments} segments")
    samples = {name: Samples() for name in ("empty", "full", "full, killed")}
    for server in (empty, full):
        server.close()
    for _ in range(max(bench.rounds, 3)):
        for server, name in ((empty, "empty"), (full, "full")):
            start(server, samples[name])
            # The next start is after a kill.
            server.kill()
        start(full, samples["full, killed"])
        check(bench, full, tables)
        full.close()
        start(empty, Samples())
        empty.close()
    for name, it in samples.items():
        bench.results.times(name, {"thermocline": it})
    base = bench.results.median("empty", "thermocline", "wall")
    for name in ("full", "full, killed"):
        bench.results.at_most(f"ready, {name} / empty", bench.results.median(name, "thermocline", "wall") / base, 3.0)
    shutil.rmtree(full.folder / "data", ignore_errors=True)


def fill(server, tables):
    with server.connect() as connection:
        for n in range(tables):
            connection.execute(f"CREATE TABLE t{n} (n integer, t text)")
            for _ in range(SEGMENTS_PER_TABLE):
                connection.execute(f"INSERT INTO t{n} " + ROW.format(n=n))


def start(server, samples):
    started = time.perf_counter()
    server.start()
    samples.wall.append(time.perf_counter() - started)
    samples.cpu.append(processes.cpu_seconds(server.pid))
    samples.peak_mb = max(processes.peak_memory_mb(server.pid), samples.peak_mb)


def check(bench, server, tables):
    with server.connect() as connection:
        for n in (0, tables - 1):
            found = connection.execute(f"SELECT count(*), sum(n), min(length(t)) FROM t{n}").fetchone()
            if found != (SEGMENTS_PER_TABLE, SEGMENTS_PER_TABLE * n, 5000000):
                bench.results.wrong(f"table {n} after a restart: {found}")
