"""Who answers queries: a server over the wire, or a library in a process of its own. All are asked in the same way."""

import math
import multiprocessing
import time
from dataclasses import dataclass, field

import psycopg

from . import answers, processes

# The statement by which our server empties its caches, other than that of the system.
DROP_CACHES = "CLEAR CACHE"


class OverLimit(Exception):
    """A statement took longer than it may. `give_up` ends it."""


@dataclass
class Samples:
    """What one peer needed for one piece of work, round by round."""

    wall: list = field(default_factory=list)
    cpu: list = field(default_factory=list)
    peak_mb: float = math.nan
    # Some round was given up: it would have needed more.
    over_limit: bool = False


class Peer:
    """Something with a process that answers SQL."""

    name, pid = "", 0
    # What several processes share cannot be told from what each of them has.
    memory_is_known = True
    # By how much its numbers may differ from another's.
    absolute = answers.ABSOLUTE

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
        given_up = False
        try:
            self.execute(sql)
        except OverLimit:
            given_up = into.over_limit = True
        into.wall.append(time.perf_counter() - wall)
        into.cpu.append(processes.cpu_seconds(self.pid) - cpu)
        if self.memory_is_known:
            into.peak_mb = max(processes.peak_memory_mb(self.pid), into.peak_mb)
        if given_up:
            self.give_up()

    def give_up(self):
        """Sees to it that a statement that was over its limit does not go on."""


class Wire(Peer):
    """A server, with one connection."""

    def __init__(self, server):
        self.server, self.name, self.pid = server, server.name, server.pid
        self.memory_is_known = server.has_one_process
        self.connection = server.connect()
        self.last = None

    def limit(self, seconds):
        """Lets each statement take so long at most; the server ends it."""
        self.execute(f"SET statement_timeout = '{seconds}s'")

    def execute(self, sql):
        try:
            cursor = self.connection.execute(sql)
        except psycopg.errors.QueryCanceled as error:
            raise OverLimit(str(error)) from error
        self.last = cursor.fetchall() if cursor.description else []

    def rows(self):
        return self.last

    def describe(self):
        return self.server.describe()

    def forget(self):
        """Lets the server forget what it has read; a server that has no statement for that is started anew."""
        try:
            self.execute(DROP_CACHES)
        except (psycopg.errors.UndefinedFunction, psycopg.errors.InvalidSchemaName):
            self.close()
            self.server.close()
            self.server.start()
            self.pid, self.connection = self.server.pid, self.server.connect()
            # What the first statement of all takes is no matter of the one that is measured.
            self.execute("SELECT count(*) FROM pg_class")

    def close(self):
        self.connection.close()


class Embedded(Peer):
    """A library that answers SQL, in a process of its own."""

    def __init__(self, name, opened, *arguments):
        self.name, self.opened, self.arguments = name, opened, arguments
        self.seconds_max, self.declare = None, lambda: None
        self.start()

    def start(self):
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, self.opened, self.arguments), daemon=True)
        self.process.start()
        self.pid = self.process.pid

    def execute(self, sql):
        self.ask("execute", sql)

    def rows(self):
        return self.ask("rows", None)

    def describe(self):
        return self.ask("version", None)

    def limit(self, seconds, declare):
        """Lets each statement take so long at most. It ends with the process; `declare` makes the tables in a new one."""
        self.seconds_max, self.declare = seconds, declare

    def give_up(self):
        self.forget()
        self.declare()

    def ask(self, what, sql):
        self.pipe.send((what, sql))
        if not self.pipe.poll(self.seconds_max):
            raise OverLimit(f"{self.name}: {self.seconds_max} s")
        try:
            answer, error = self.pipe.recv()
        except EOFError as ended:
            self.give_up()
            raise RuntimeError(f"{self.name}: its process has ended") from ended
        if error:
            raise RuntimeError(f"{self.name}: {error}")
        return answer

    def forget(self):
        """Begins anew: what it has read is forgotten, and so is what was declared in memory."""
        self.close()
        self.start()

    def close(self):
        self.process.terminate()
        self.process.join()


def duckdb(path):
    """DuckDB with a database file, and its default settings: all processors, four fifths of the memory."""
    return Embedded("duckdb", open_duckdb, str(path))


def datafusion(bucket=None, endpoint=None):
    """DataFusion as it comes, with the files of this machine or of a bucket."""
    return Embedded("datafusion", open_datafusion, bucket, endpoint)


def datafusion_planner():
    """DataFusion as it comes, with the files of this machine. It makes the plans of queries, and does not run them."""
    return Embedded("datafusion", open_datafusion_planner)


def open_duckdb(path):
    import duckdb

    connection = duckdb.connect(path)
    connection.execute("SET enable_progress_bar = false")
    return f"DuckDB {duckdb.__version__}", lambda sql: connection.execute(sql).fetchall()


def open_datafusion(bucket, endpoint):
    import datafusion
    from datafusion.object_store import AmazonS3

    context = datafusion.SessionContext()
    if bucket:
        # It wants keys, and the server does not look at them.
        keys = {"access_key_id": "any", "secret_access_key": "any"}
        store = AmazonS3(bucket, region="us-east-1", endpoint=endpoint, allow_http=True, **keys)
        context.register_object_store("s3://", store, bucket)
    return f"DataFusion {datafusion.__version__}", lambda sql: rows_of(context.sql(sql).collect())


def open_datafusion_planner():
    import datafusion

    context = datafusion.SessionContext()

    def plan(sql):
        context.sql(sql).execution_plan()
        return []

    return f"DataFusion {datafusion.__version__}, which only plans", plan


def rows_of(batches):
    return [row for batch in batches for row in zip(*[column.to_pylist() for column in batch.columns])]


def serve(pipe, opened, arguments):
    """The other end of the pipe. Fetching the rows counts, as encoding them for the wire does for a server."""
    version, run = opened(*arguments)
    last = []
    while True:
        try:
            what, sql = pipe.recv()
        except EOFError:
            return
        try:
            if what == "execute":
                last = run(sql)
            answer = {"execute": None, "rows": last, "version": version}[what]
            pipe.send((answer, None))
        except Exception as error:
            pipe.send((None, str(error)))
