"""A session of DuckDB's extension for PostgreSQL: a database that is attached, read with conditions, and written."""

import datetime
import decimal

import duckdb
import duckdb_extensions

from check import Checks, values

checks = Checks()
HERE = "attached"
COLUMNS = [
    ("i", "INTEGER"),
    ("s", "SMALLINT"),
    ("b", "BIGINT"),
    ("n", "DECIMAL(12,3)"),
    ("f", "DOUBLE"),
    ("t", "VARCHAR"),
    ("k", "BOOLEAN"),
    ("d", "DATE"),
    ("made", "TIMESTAMP"),
    ("z", "TIMESTAMP WITH TIME ZONE"),
    ("u", "UUID"),
    ("raw", "BLOB"),
    ("a", "INTEGER[]"),
    ("j", "VARCHAR"),
    ("e", "ENUM('low', 'high')"),
]
SUMS = [(10001, "499950000000000000", decimal.Decimal("56244375.000"))]
ROW = (
    5,
    5,
    50000000000,
    decimal.Decimal("5.625"),
    1.25,
    "n5",
    False,
    datetime.date(2024, 1, 6),
    datetime.datetime(2024, 1, 1, 5),
    b"\x00\xff",
    [5, None],
    "high",
    1704067500.0,
)
STATEMENTS = """
DROP SCHEMA IF EXISTS of_duckdb CASCADE;
CREATE SCHEMA of_duckdb;
CREATE TYPE of_duckdb.level AS ENUM ('low', 'high');
CREATE TABLE of_duckdb.things (i integer PRIMARY KEY, s smallint NOT NULL, b bigint, n numeric(12,3), f float8, t text, k boolean,
    d date, made timestamp, z timestamptz, u uuid, raw bytea, a integer[], j jsonb, e of_duckdb.level);
INSERT INTO of_duckdb.things SELECT i, i % 100, i * 10000000000, i * 1.125, i / 4.0, 'n' || i, i % 2 = 0, date '2024-01-01' + i,
    timestamp '2024-01-01 00:00:00' + i * interval '1 hour', timestamptz '2024-01-01 00:00:00+00' + i * interval '1 minute',
    'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '\\x00ff', ARRAY[i, NULL], '{"a": 1}', 'high' FROM generate_series(0, 9999) AS g(i);
INSERT INTO of_duckdb.things (i, s) VALUES (-1, 0);
CREATE VIEW of_duckdb.evens AS SELECT i, t FROM of_duckdb.things WHERE k;
ANALYZE of_duckdb.things
"""


def connect():
    duckdb_extensions.import_extension("postgres_scanner")
    connection = duckdb.connect()
    connection.execute("LOAD postgres_scanner")
    # How to connect libpq takes from the environment.
    connection.execute(f"ATTACH '' AS {HERE} (TYPE postgres)")
    for statement in STATEMENTS.split(";\n"):
        connection.execute("CALL postgres_execute(?, ?)", [HERE, statement])
    connection.execute("CALL pg_clear_cache()")
    return connection


def rows(connection, query, *arguments):
    return connection.execute(query, arguments).fetchall()


def failure(connection, query):
    try:
        connection.execute(query)
    except duckdb.Error as error:
        return str(error)
    return "no error"


def listing(connection):
    query = "SELECT table_name, table_type FROM information_schema.tables WHERE table_catalog = ? AND table_schema = 'of_duckdb'"
    # Views are tables to it.
    checks.equal("tables", sorted(rows(connection, query, HERE)), [("evens", "BASE TABLE"), ("things", "BASE TABLE")])
    described = rows(connection, f"DESCRIBE {HERE}.of_duckdb.things")
    checks.equal("columns", [row[:2] for row in described], COLUMNS)
    checks.equal("not null", [row[0] for row in described if row[2] == "NO"], ["i", "s"])
    schemas = "SELECT schema_name FROM information_schema.schemata WHERE catalog_name = ? AND schema_name = 'of_duckdb'"
    checks.equal("schema", rows(connection, schemas, HERE), [("of_duckdb",)])


def scans(connection):
    things = f"{HERE}.of_duckdb.things"
    checks.equal("all", rows(connection, f"SELECT count(*), sum(b)::VARCHAR, sum(n) FROM {things}"), SUMS)
    for condition, expected in {
        "i BETWEEN 100 AND 199": 100,
        "t LIKE 'n1%'": 1111,
        "t = 'n77'": 1,
        "k AND i > 9000": 499,
        "d = DATE '2024-01-03'": 1,
        "made >= TIMESTAMP '2024-01-02 00:00:00' AND made < TIMESTAMP '2024-01-03 00:00:00'": 24,
        "z < TIMESTAMPTZ '2024-01-01 01:00:00+00'": 60,
        "n > 11000.5": 221,
        "f <= 1.5": 7,
        "i IN (1, 2, 20000)": 2,
        "t IS NULL": 1,
        "e = 'high'": 10000,
        "u = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'": 10000,
        "i % 1000 = 0": 10,
    }.items():
        checks.equal(condition, rows(connection, f"SELECT count(*) FROM {things} WHERE {condition}"), [(expected,)])
    checks.equal("row", rows(connection, f"SELECT * EXCLUDE (u, j, z), epoch(z) FROM {things} WHERE i = 5"), [ROW])
    checks.equal("nulls", rows(connection, f"SELECT t, n, a FROM {things} WHERE i = -1"), [(None, None, None)])
    checks.equal("view", rows(connection, f"SELECT count(*), min(t) FROM {HERE}.of_duckdb.evens"), [(5000, "n0")])
    joined = f"SELECT count(*) FROM {things} AS a JOIN {things} AS b ON a.i = b.s WHERE a.i < 3"
    checks.equal("join", rows(connection, joined), [(301,)])
    ordered = rows(connection, f"SELECT i FROM {things} ORDER BY i DESC LIMIT 3")
    checks.equal("ordered", ordered, [(9999,), (9998,), (9997,)])
    # In the manner of tables without numbers of rows, and with pages as tasks.
    for setting in "pg_use_ctid_scan = false", "pg_use_binary_copy = false", "pg_pages_per_task = 1":
        connection.execute(f"SET {setting}")
        checks.equal(setting, rows(connection, f"SELECT count(*), sum(b)::VARCHAR, sum(n) FROM {things}"), SUMS)
        connection.execute(f"RESET {setting.split()[0]}")



def reading(connection):
    for value in values():
        query = f"SELECT format('%s', {value.sql}) AS v"
        checks.value(value, "text", lambda: rows(connection, "FROM postgres_query(?, ?)", HERE, query)[0][0])
    got = rows(connection, "FROM postgres_query(?, 'SELECT 1 AS a, NULL::text AS b, 1.50::numeric(5,2) AS c')", HERE)
    checks.equal("query", got, [(1, None, decimal.Decimal("1.50"))])


def writing(connection):
    made = f"{HERE}.of_duckdb.made"
    connection.execute(f"""CREATE TABLE {made} AS SELECT range::INTEGER AS i, 'n' || range AS t, range / 4 AS f,
        (range * 1.5)::DECIMAL(10, 2) AS n, DATE '2024-01-01' + range::INTEGER AS d, range % 2 = 0 AS k,
        [range, NULL]::BIGINT[] AS a, TIMESTAMP '2024-01-01 00:00:00' + INTERVAL (range) HOUR AS at, '\\xAA'::BLOB AS raw
        FROM range(5000)""")
    sums = f"SELECT count(*), sum(i)::BIGINT, sum(n), max(d), count(*) FILTER (k) FROM {made}"
    expected = [(5000, 12497500, decimal.Decimal("18746250.00"), datetime.date(2037, 9, 8), 2500)]
    checks.equal("made", rows(connection, sums), expected)
    checks.equal("inserted", rows(connection, f"INSERT INTO {made} (i, t) VALUES (-1, NULL), (-2, 'ü')"), [(2,)])
    checks.equal("updated", rows(connection, f"UPDATE {made} SET t = 'x' WHERE i < 0"), [(2,)])
    checks.equal("deleted", rows(connection, f"DELETE FROM {made} WHERE i >= 10"), [(4990,)])
    checks.equal("left", rows(connection, f"SELECT count(*), count(*) FILTER (t = 'x') FROM {made}"), [(12, 2)])
    connection.execute(f"ALTER TABLE {made} ADD COLUMN more VARCHAR")
    connection.execute(f"ALTER TABLE {made} RENAME COLUMN t TO u")
    checks.equal("altered", [row[0] for row in rows(connection, f"DESCRIBE {made}")][1::8], ["u", "more"])
    connection.execute(f"DROP TABLE {made}")
    checks.equal("dropped", "does not exist" in failure(connection, f"SELECT * FROM {made}"), True)


def transactions(connection):
    things = f"{HERE}.of_duckdb.things"
    connection.execute("BEGIN")
    connection.execute(f"CREATE SCHEMA {HERE}.gone_again")
    connection.execute(f"CREATE TABLE {HERE}.gone_again.t (i INTEGER)")
    connection.execute(f"INSERT INTO {HERE}.gone_again.t FROM range(10)")
    checks.equal("inside", rows(connection, f"SELECT count(*) FROM {HERE}.gone_again.t"), [(10,)])
    connection.execute(f"INSERT INTO {things} (i, s) VALUES (-5, 1)")
    connection.execute("ROLLBACK")
    checks.equal("rolled back", rows(connection, f"SELECT count(*) FROM {things} WHERE i = -5"), [(0,)])
    gone = "SELECT count(*) AS n FROM pg_namespace WHERE nspname = 'gone_again'"
    checks.equal("schema gone", rows(connection, "FROM postgres_query(?, ?)", HERE, gone), [(0,)])
    duplicate = failure(connection, f"INSERT INTO {things} (i, s) VALUES (1, 1)")
    checks.equal("duplicate", "duplicate key value violates unique constraint" in duplicate, True)
    checks.equal("lives on", rows(connection, f"SELECT count(*) FROM {things}"), [(10001,)])


def session():
    connection = connect()
    parts = listing, reading, scans, writing, transactions
    for part in parts:
        checks.part(part, connection)


session()
checks.done()
