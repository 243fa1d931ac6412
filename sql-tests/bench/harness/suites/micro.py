"""The price of single things: of a statement that does nothing, and of functions and aggregates over ten million rows.

With `--baseline`, another binary of the server takes part, to see what a change has cost.
"""

from .. import pgbench, tpch_data
from ..turns import measure, rotated

ROWS = 10_000_000
COLUMNS = "k integer, i bigint, n numeric(12,2), f double precision, ts timestamp, s varchar(40)"
# Made by DuckDB, without chance: the same everywhere.
SOURCE = """
    SELECT (i * 7919 % 1000)::integer AS k, i * 2654435761 % 1000000007 AS i, (i * 7877 % 10000000 / 100)::numeric(12,2) AS n,
           (i * 7877 % 1000003)::double / 7 AS f, TIMESTAMP '2020-01-01' + to_seconds(i * 31 % 100000000) AS ts,
           'user-' || (i * 7919 % 100003) || '/' || hex(i * 2654435761 % 1000000007) AS s
    FROM range({rows}) r(i)
"""
STATEMENTS = {
    "count(*)": "SELECT count(*) FROM m",
    "sum(int8)": "SELECT sum(i) FROM m",
    "avg(int8)": "SELECT avg(i) FROM m",
    "sum(int4)": "SELECT sum(k) FROM m",
    "sum(numeric)": "SELECT sum(n) FROM m",
    "avg(numeric)": "SELECT avg(n) FROM m",
    "sum(float8)": "SELECT sum(f) FROM m",
    "avg(float8)": "SELECT avg(f) FROM m",
    "min, max(text)": "SELECT min(s), max(s) FROM m",
    "sum(int8) by group": "SELECT k, sum(i) FROM m GROUP BY k",
    "avg(numeric) by group": "SELECT k, avg(n) FROM m GROUP BY k",
    "count(DISTINCT int4)": "SELECT count(DISTINCT k) FROM m",
    "int8 arithmetic": "SELECT sum(i % 1000 + k * 2 - 1) FROM m",
    "numeric arithmetic": "SELECT sum(n * (1 - 0.05) + 1.5) FROM m",
    "float8 arithmetic": "SELECT sum(f * 0.95 + 1.5) FROM m",
    "CASE, COALESCE": "SELECT sum(CASE WHEN k < 500 THEN coalesce(i, 0) ELSE 1 END) FROM m",
    "date_trunc": "SELECT date_trunc('month', ts), count(*) FROM m GROUP BY 1",
    "extract": "SELECT extract(year FROM ts), extract(month FROM ts), count(*) FROM m GROUP BY 1, 2",
    "timestamp filter": "SELECT count(*) FROM m WHERE ts >= TIMESTAMP '2021-01-01' AND ts < TIMESTAMP '2021-06-01'",
    "LIKE '%…%'": "SELECT count(*) FROM m WHERE s LIKE '%77/1%'",
    "LIKE '…%'": "SELECT count(*) FROM m WHERE s LIKE 'user-77%'",
    "length(upper)": "SELECT sum(length(upper(s))) FROM m",
    "substring": "SELECT count(*) FROM m WHERE substring(s, 6, 2) = '77'",
    "position": {"ours": "SELECT sum(position('/' IN s)) FROM m", "duckdb": "SELECT sum(strpos(s, '/')) FROM m"},
    "||, replace": "SELECT sum(length(replace(s || '!', 'user', 'u'))) FROM m",
    "split_part": "SELECT count(DISTINCT split_part(s, '/', 1)) FROM m",
    "to_char(timestamp)": {"ours": "SELECT to_char(ts, 'YYYY-MM'), count(*) FROM m GROUP BY 1",
                           "duckdb": "SELECT strftime(ts, '%Y-%m'), count(*) FROM m GROUP BY 1"},
    "int8 to text": "SELECT sum(length(CAST(i AS text))) FROM m",
}
TRIVIAL = {
    "SELECT 1": "SELECT 1;\n",
    "SELECT … FROM one row": "SELECT a, b FROM one WHERE a = 1;\n",
}


def run(bench):
    folder = data(bench.scale)
    binaries = {"thermocline": bench.binary, **({"baseline": bench.options.baseline} if bench.options.baseline else {})}
    settings = ["--column-cache", bench.options.column_cache, "--external-root", folder]
    ours = [bench.thermocline(*settings, name=name, binary=binary) for name, binary in binaries.items()]
    servers = [*ours, bench.postgresql()]
    for server in servers:
        with server.connect() as connection:
            connection.execute("CREATE TABLE one (a integer, b text)")
            connection.execute("INSERT INTO one VALUES (1, 'x')")
    trivial(bench, servers)
    duckdb = bench.duckdb()
    for server in ours:
        load(server, folder)
    duckdb.execute(f"CREATE TABLE m AS FROM read_parquet('{folder}/*.parquet')")
    peers = [*[bench.wire(server) for server in ours], duckdb]
    for name, statement in STATEMENTS.items():
        if isinstance(statement, dict):
            statement = {peer.name: statement.get(peer.name, statement["ours"]) for peer in peers}
        measure(bench.results, peers, name, statement, bench.rounds)
    for other in [peer.name for peer in peers[1:]]:
        mean = bench.results.geometric_mean("cpu", "thermocline", other)
        bench.results.note(f"geometric mean of cpu / {other}'s: {mean:.2f}")


def trivial(bench, servers):
    for statement, script in TRIVIAL.items():
        for protocol in ("simple", "prepared"):
            rates = {server.name: [] for server in servers}
            cpu = {server.name: [] for server in servers}
            for round_ in range(bench.rounds):
                for server in rotated(servers, round_):
                    load = pgbench.run(server, script, 1, protocol, seconds=bench.seconds)
                    rates[server.name].append(load.rate)
                    cpu[server.name].append(load.cpu_per_transaction)
            bench.results.rates(f"{statement}, {protocol}", "statements/s", rates, cpu)


def data(scale):
    """The folder with the rows as Parquet."""
    rows = max(int(ROWS * scale), 1000)
    folder = tpch_data.CACHE / "data" / f"micro-{rows}"
    path = folder / "rows.parquet"
    if not path.exists():
        tpch_data.write(SOURCE.format(rows=rows), path, "FORMAT parquet")
    return folder


def load(server, folder):
    with server.connect() as connection:
        connection.execute("CREATE EXTERNAL SCHEMA files")
        connection.execute(f"CREATE EXTERNAL TABLE files.m ({COLUMNS}) STORED AS PARQUET LOCATION 'file://{folder}/'")
        connection.execute(f"CREATE TABLE m ({COLUMNS})")
        connection.execute("INSERT INTO m SELECT * FROM files.m")
        connection.execute("VACUUM m")
