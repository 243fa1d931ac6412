"""Statements that go on for minutes are cancelled: how long until the client hears of it, and until the server has stopped
working for them and has their memory back. Each runs twice: what the second time adds is nobody's, while of what is kept of
the first, some is the allocator's, for the next statement."""

import threading
import time

import psycopg

from .. import processes
from ..raw_client import RawClient

# A processor is taken for idle when it was used for less than this part of a while.
IDLE_PART, WHILE_SECONDS = 0.3, 0.05
RUN_SECONDS = 1.5
PATIENCE_SECONDS = 20
SECONDS_MAX = 1.0
# What the allocator keeps, and caches hold, is not a statement's.
GROWTH_MB_MAX = 256

ROWS = 1_000_000
TABLE = f"CREATE TABLE numbers AS SELECT i AS v, 1 AS k, i % 10 AS g, 'text ' || i AS t FROM generate_series(1, {ROWS}) i"
STATEMENTS = {
    "sort": "SELECT * FROM (SELECT md5(i::text) AS m FROM generate_series(1, 200000000) i) s ORDER BY m LIMIT 1 OFFSET 100000000",
    "aggregate": "SELECT sum(i) FROM generate_series(1, 100000000000) i",
    "groups": "SELECT count(*) FROM (SELECT md5(i::text) AS m FROM generate_series(1, 200000000) i GROUP BY 1) s",
    "distinct": "SELECT count(DISTINCT md5(i::text)) FROM generate_series(1, 200000000) i",
    "hash join": "SELECT count(*) FROM numbers a JOIN numbers b ON a.k = b.k",
    "hash join without matches": "SELECT count(*) FROM numbers a JOIN numbers b ON a.k = b.k AND a.v + b.v < 0",
    "nested loop": "SELECT count(*) FROM numbers a JOIN numbers b ON a.v < b.v",
    "nested loop without matches": "SELECT count(*) FROM numbers a JOIN numbers b ON a.v + b.v < 0",
    "outer nested loop": "SELECT count(*) FROM numbers a LEFT JOIN numbers b ON a.v + b.v < 0",
    "cross join": "SELECT count(*) FROM numbers a, numbers b WHERE a.t || b.t = 'x'",
    "window frames": "SELECT max(m) FROM (SELECT string_agg(t, ',') OVER (ORDER BY v ROWS BETWEEN 1000 PRECEDING AND 1000 FOLLOWING) AS m"
    " FROM numbers) s",
    "recursion": "WITH RECURSIVE r(n) AS (SELECT 1::bigint UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r",
    "correlated subquery": "SELECT sum((SELECT count(*) FROM numbers b WHERE b.v % a.g = a.v % 7)) FROM numbers a WHERE a.g > 0",
    "lateral": "SELECT count(*) FROM numbers a, LATERAL (SELECT b.v FROM numbers b WHERE b.v > a.v ORDER BY b.t LIMIT 3) l",
    "pattern": "SELECT count(*) FROM numbers WHERE repeat(t, 1000) ~ '(x+x+)+y'",
    "function": "SELECT sum(length(repeat(md5(t), 10000))) FROM numbers",
    "string_agg": "SELECT max(length(s)) FROM (SELECT string_agg(i::text, ',') AS s FROM generate_series(1, 1000000000) i GROUP BY i % 1000) g",
    "array_agg": "SELECT cardinality(array_agg(i)) FROM generate_series(1, 10000000000) i",
    "set operation": "SELECT count(*) FROM (SELECT md5(i::text) FROM generate_series(1, 100000000) i"
    " INTERSECT SELECT md5(i::text) FROM generate_series(1, 100000000) i) s",
    "CREATE TABLE AS": "CREATE TABLE other AS SELECT i, md5(i::text) FROM generate_series(1, 1000000000) i",
    "INSERT": "INSERT INTO numbers SELECT i, 1, 1, md5(i::text) FROM generate_series(1, 1000000000) i",
    "UPDATE": "UPDATE numbers SET t = (SELECT max(md5(i::text)) FROM generate_series(1, 100000000) i)",
    "DELETE": "DELETE FROM numbers a USING numbers b WHERE a.v + b.v < 0",
    "sleep": "SELECT pg_sleep(1000)",
}
STREAM = "SELECT i, md5(i::text) FROM generate_series(1, 1000000000) i"


def run(bench):
    server = bench.thermocline("--memory-limit", "2GB")
    with server.connect() as connection:
        connection.execute(TABLE)
    heard, stopped, growth, kept = {}, {}, {}, {}
    for name, statement in STATEMENTS.items():
        before = processes.resident_memory_mb(server.pid)
        cancel(bench, server, name, statement, heard, stopped)
        between = processes.resident_memory_mb(server.pid)
        cancel(bench, server, name, statement, heard, stopped)
        kept[name], growth[name] = between - before, processes.resident_memory_mb(server.pid) - between
    cancel_stream(bench, server, heard, stopped, growth)
    report(bench.results, heard, stopped, growth, kept)


def cancel(bench, server, name, statement, heard, stopped):
    """Runs a statement and cancels it."""
    with server.connect() as connection:
        started = in_background(connection, statement)
        time.sleep(RUN_SECONDS)
        if started.failure:
            bench.results.fail(f"{name}: {started.failure}")
            return
        at = time.perf_counter()
        connection.cancel_safe()
        started.join(PATIENCE_SECONDS)
        seconds = started.ended - at if started.failure else PATIENCE_SECONDS
        heard[name] = max(heard.get(name, 0), seconds)
        if not isinstance(started.failure, psycopg.errors.QueryCanceled):
            bench.results.wrong(f"{name}: {started.failure or 'goes on'}")
        stopped[name] = max(stopped.get(name, 0), seconds_until_idle(server.pid, at))


class Statement(threading.Thread):
    """A statement that runs beside."""

    def __init__(self, connection, statement):
        super().__init__(daemon=True)
        self.connection, self.statement = connection, statement
        self.failure, self.ended = None, 0.0

    def run(self):
        try:
            self.connection.execute(self.statement)
            self.failure = "it has come to its end"
        except psycopg.Error as error:
            self.failure = error
        self.ended = time.perf_counter()


def in_background(connection, statement):
    started = Statement(connection, statement)
    started.start()
    return started


def seconds_until_idle(pid, since):
    """When the server began to be idle."""
    while True:
        at, cpu = time.perf_counter(), processes.cpu_seconds(pid)
        if at - since > PATIENCE_SECONDS:
            return at - since
        time.sleep(WHILE_SECONDS)
        if processes.cpu_seconds(pid) - cpu < IDLE_PART * (time.perf_counter() - at):
            return at - since


def cancel_stream(bench, server, heard, stopped, growth):
    """A client that has rows coming, takes some of them, and then only asks to be spared the rest."""
    name = "rows on their way"
    with RawClient(server) as client:
        before = processes.resident_memory_mb(server.pid)
        client.ask(STREAM, binary=False)
        client.receive(1 << 20)
        time.sleep(RUN_SECONDS)
        at = time.perf_counter()
        client.cancel()
        stopped[name] = seconds_until_idle(server.pid, at)
        growth[name] = processes.resident_memory_mb(server.pid) - before
        error = client.discard_until_error()
        heard[name] = time.perf_counter() - at
        if b"57014" not in error:
            bench.results.wrong(f"{name}: {error!r}")


def report(results, heard, stopped, growth, kept):
    for name in heard:
        results.note(f"{name}: heard after {heard[name]:.2f} s, idle after {stopped[name]:.2f} s, memory "
                     f"{kept.get(name, 0):+.0f} MB, again {growth[name]:+.0f} MB")
    for what, values, aim in (
        ("seconds until the client hears", heard, SECONDS_MAX), ("seconds until the server is idle", stopped, SECONDS_MAX),
        ("MB of memory kept", kept, GROWTH_MB_MAX), ("MB that a second run adds", growth, GROWTH_MB_MAX),
    ):
        worst = max(values, key=values.get)
        results.at_most(f"{what}, at worst ({worst})", values[worst], aim)
