"""What registered partitions cost: planning when few of many qualify, and the memory of a million."""

import math
import time

import pyarrow as pa
import pyarrow.parquet

from .. import events_data, processes
from ..peers import Samples

FEW, MANY, MILLION = 24, 100_000, 1_000_000
PER_STATEMENT = 100
# Whoever has not registered them all by then is asked with those that there are, and reaches no figure.
REGISTERING_SECONDS_MAX = 180
# Planning takes too little for a clock to be asked each time.
REPEATED = 20
MEMORY_MB_MAX = 1024
QUERY = f"SELECT count(*), sum(n) FROM files.{{table}} WHERE dt = DATE '{events_data.DAY}'"
ROWS_PER_FILE = 100
# The hours of the second day.
QUALIFYING = range(24, 24 + FEW)


def run(bench):
    folder = bench.options.work / "partitions"
    write_files(folder)
    many, million = (max(int(count * bench.scale), 2 * FEW) for count in (MANY, MILLION))
    planning(bench, folder, many)
    memory(bench, folder, million)


def write_files(folder):
    """The files of the partitions that qualify, and one for all others."""
    table = pa.table({"n": pa.array(range(ROWS_PER_FILE), pa.int64())})
    for number in range(24 + FEW + 1):
        path = folder / place(number) / "rows.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pa.parquet.write_table(table, path)


def place(number):
    """The folder of a partition, which is an hour after the first one. A folder must be there to be registered."""
    return f"hour={number}" if number in QUALIFYING else "others"


def planning(bench, folder, many):
    """A table with many partitions beside one that has only those which qualify."""
    server = bench.thermocline("--external-root", folder)
    register(bench, server, folder, "few", QUALIFYING)
    registered = register(bench, server, folder, "many", range(many))
    tables = {"few": f"{FEW} partitions", "many": f"{registered:,} partitions"}
    with server.connect() as connection:
        for table, name in tables.items():
            check(bench, connection, name, table)
        for title, verb, repeated in (("planning", "EXPLAIN ", REPEATED), ("planning and reading", "", 1)):
            samples = {table: Samples() for table in tables}
            for _ in range(bench.rounds):
                for table in tables:
                    sample(server, connection, verb + QUERY.format(table=table), samples[table], repeated)
            for table, name in tables.items():
                bench.results.times(f"{title}, {name}", {server.name: samples[table]})
            for kind in ("wall", "cpu"):
                of_few, of_many = (bench.results.median(f"{title}, {name}", server.name, kind) for name in tables.values())
                ratio = of_many / of_few if registered == many else math.nan
                bench.results.at_most(f"{kind} of {title}, {many:,} / {FEW} partitions", ratio, 3.0)
    server.close()


def sample(server, connection, statement, samples, repeated=1):
    cpu, wall = processes.cpu_seconds(server.pid), time.perf_counter()
    for _ in range(repeated):
        connection.execute(statement).fetchall()
    samples.wall.append((time.perf_counter() - wall) / repeated)
    samples.cpu.append((processes.cpu_seconds(server.pid) - cpu) / repeated)


def memory(bench, folder, million):
    """The most that a server has resident while so many are registered, and after a start while they are asked."""
    server = bench.thermocline("--external-root", folder, folder="million")
    registered = register(bench, server, folder, "million", range(million))
    while_registering = processes.peak_memory_mb(server.pid)
    server.close()
    started, samples = server.start(), Samples()
    with server.connect() as connection:
        check(bench, connection, f"{registered:,} partitions", "million")
        for _ in range(bench.rounds):
            sample(server, connection, QUERY.format(table="million"), samples)
    samples.peak_mb = processes.peak_memory_mb(server.pid)
    bench.results.times(f"planning and reading, {registered:,} partitions, after a start", {server.name: samples})
    bench.results.note(f"{registered:,} partitions: up to {while_registering:.0f} MB while they are registered, {samples.peak_mb:.0f} MB "
                       f"after a start, which takes {started:.1f} s")
    peak = max(while_registering, samples.peak_mb) if registered == million else math.nan
    bench.results.at_most(f"MB of memory, {million:,} partitions", peak, MEMORY_MB_MAX)


def register(bench, server, folder, table, numbers):
    """Makes a table with these partitions; returns how many it could register in time."""
    registered, started = 0, time.perf_counter()
    with server.connect() as connection:
        connection.execute("CREATE EXTERNAL SCHEMA IF NOT EXISTS files")
        connection.execute(f"CREATE EXTERNAL TABLE files.{table} (n bigint) PARTITIONED BY (dt date, hour integer) "
                           f"STORED AS PARQUET LOCATION 'file://{folder}/'")
        while registered < len(numbers) and time.perf_counter() - started < REGISTERING_SECONDS_MAX:
            some = numbers[registered:registered + PER_STATEMENT]
            added = [f"PARTITION (dt = '{events_data.date(number // 24)}', hour = {number % 24}) "
                     f"LOCATION 'file://{folder}/{place(number)}/'" for number in some]
            connection.execute(f"ALTER TABLE files.{table} ADD {' '.join(added)}")
            registered += len(some)
    seconds = time.perf_counter() - started
    bench.results.note(f"table {table}: {registered:,} partitions of {len(numbers):,} are registered in {seconds:.2f} s")
    return registered


def check(bench, connection, name, table):
    found = connection.execute(QUERY.format(table=table)).fetchone()
    expected = (24 * ROWS_PER_FILE, 24 * sum(range(ROWS_PER_FILE)))
    if found != expected:
        bench.results.wrong(f"{name}: {found}, not {expected}")
