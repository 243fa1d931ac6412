"""PostgreSQL's own load generator, which speaks to any server with its protocol."""

import os
import re
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


def run(server, script, clients, protocol, seconds=None, transactions=None):
    """Lets clients repeat a script for some seconds, or a number of times each."""
    path = Path(server.folder) / "script.pgbench"
    path.write_text(script)
    length = ["-T", str(seconds)] if seconds else ["-t", str(transactions)]
    flags = ["-n", "-M", protocol, "-c", str(clients), "-j", str(min(clients, THREADS_MAX)), "-f", path, *length]
    address = ["-h", "127.0.0.1", "-p", str(server.port), "-U", server.user, server.database]
    program = Path(os.environ["POSTGRESQL_BIN"]) / "pgbench"
    before = processes.cpu_seconds(server.pid)
    done = subprocess.run([program, *flags, *address], capture_output=True, text=True)
    # PostgreSQL's processes count once their parent has seen them end.
    time.sleep(0.2)
    cpu = processes.cpu_seconds(server.pid) - before
    rate = re.search(r"^tps = ([\d.]+)", done.stdout, re.MULTILINE)
    count = re.search(r"actually processed: (\d+)", done.stdout)
    if done.returncode or not rate or not count:
        raise RuntimeError(f"pgbench against {server.name}: {(done.stderr or done.stdout).strip()[-300:]}")
    return Load(float(rate[1]), int(count[1]), cpu / max(int(count[1]), 1))
