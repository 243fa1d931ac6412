"""Who answers queries: a server over the wire, or DuckDB in a process of its own. Both are asked in the same way."""

import math
import multiprocessing
import time
from dataclasses import dataclass, field

from . import processes


@dataclass
class Samples:
    """What one peer needed for one piece of work, round by round."""

    wall: list = field(default_factory=list)
    cpu: list = field(default_factory=list)
    peak_mb: float = math.nan


class Peer:
    """Something with a process that answers SQL."""

    name, pid = "", 0
    # What several processes share cannot be told from what each of them has.
    memory_is_known = True

    def execute(self, sql):
        """Runs a statement whose rows are of no interest, or are asked for by `rows`."""
        raise NotImplementedError

    def rows(self):
        """The rows of the last statement."""
        raise NotImplementedError

    def sample(self, sql, into):
        """Runs a statement and notes what it took."""
        processes.reset_peak_memory(self.pid)
        cpu, wall = processes.cpu_seconds(self.pid), time.perf_counter()
        self.execute(sql)
        into.wall.append(time.perf_counter() - wall)
        into.cpu.append(processes.cpu_seconds(self.pid) - cpu)
        if self.memory_is_known:
            into.peak_mb = max(processes.peak_memory_mb(self.pid), into.peak_mb)


class Wire(Peer):
    """A server, with one connection."""

    def __init__(self, server):
        self.server, self.name, self.pid = server, server.name, server.pid
        self.memory_is_known = server.has_one_process
        self.connection = server.connect()
        self.last = None

    def execute(self, sql):
        cursor = self.connection.execute(sql)
        self.last = cursor.fetchall() if cursor.description else []

    def rows(self):
        return self.last

    def describe(self):
        return self.server.describe()

    def close(self):
        self.connection.close()


class DuckDB(Peer):
    """DuckDB with a database file, and its default settings: all processors, four fifths of the memory."""

    name = "duckdb"

    def __init__(self, path):
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=serve_duckdb, args=(theirs, str(path)), daemon=True)
        self.process.start()
        self.pid = self.process.pid

    def execute(self, sql):
        self.ask("execute", sql)

    def rows(self):
        return self.ask("rows", None)

    def describe(self):
        return "DuckDB " + self.ask("version", None)

    def ask(self, what, sql):
        self.pipe.send((what, sql))
        answer, error = self.pipe.recv()
        if error:
            raise RuntimeError(f"DuckDB: {error}")
        return answer

    def close(self):
        self.process.terminate()
        self.process.join()


def serve_duckdb(pipe, path):
    """The other end of the pipe. Fetching the rows counts, as encoding them for the wire does for a server."""
    import duckdb

    connection, last = duckdb.connect(path), None
    connection.execute("SET enable_progress_bar = false")
    while True:
        try:
            what, sql = pipe.recv()
        except EOFError:
            return
        try:
            answer = None
            if what == "execute":
                last = connection.execute(sql).fetchall()
            elif what == "rows":
                answer = last
            else:
                answer = duckdb.__version__
            pipe.send((answer, None))
        except duckdb.Error as error:
            pipe.send((None, str(error)))
