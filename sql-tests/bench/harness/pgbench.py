"""PostgreSQL's own load generator, which speaks to any server with its protocol."""

import math
import os
import re
import statistics
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from . import processes

# It shares the machine with the server.
THREADS_MAX = 2


@dataclass
class Load:
    """One run: what the clients got, and what it cost the server."""

    rate: float
    transactions: int
    cpu_per_transaction: float
    # The time that all but one in a hundred transactions stay below, in seconds; NaN if it was not asked for.
    p99: float = math.nan


def run(server, script, clients, protocol, seconds=None, transactions=None, flags=(), user=None, environment=None, p99=False):
    """Lets clients repeat a script for some seconds, or a number of times each."""
    path = Path(server.folder) / "script.pgbench"
    path.write_text(script)
    length = ["-T", str(seconds)] if seconds else ["-t", str(transactions)]
    threads = str(min(clients, THREADS_MAX))
    flags = ["-n", "-M", protocol, "-c", str(clients), "-j", threads, "-f", path, *length, *flags]
    if p99:
        clear_log(path)
        flags += ["-l", f"--log-prefix={path}"]
    address = ["-h", "127.0.0.1", "-p", str(server.port), "-U", user or server.user, server.database]
    program = Path(os.environ["POSTGRESQL_BIN"]) / "pgbench"
    before = processes.cpu_seconds(server.pid)
    done = subprocess.run([program, *flags, *address], capture_output=True, text=True, env=environment)
    # PostgreSQL's processes count once their parent has seen them end.
    time.sleep(0.2)
    cpu = processes.cpu_seconds(server.pid) - before
    rate = re.search(r"^tps = ([\d.]+)", done.stdout, re.MULTILINE)
    count = re.search(r"actually processed: (\d+)", done.stdout)
    if done.returncode or not rate or not count:
        raise RuntimeError(f"pgbench against {server.name}: {(done.stderr or done.stdout).strip()[-300:]}")
    slow = slowest_of_hundred(path) if p99 else math.nan
    return Load(float(rate[1]), int(count[1]), cpu / max(int(count[1]), 1), slow)


def logs(path):
    return path.parent.glob(f"{path.name}.*")


def clear_log(path):
    for file in logs(path):
        file.unlink()


def slowest_of_hundred(path):
    """Of pgbench's log: a line per transaction, whose third word is its time in microseconds."""
    times = [int(line.split()[2]) for file in logs(path) for line in file.open()]
    clear_log(path)
    return statistics.quantiles(times, n=100)[-1] / 1e6 if len(times) > 1 else math.nan
