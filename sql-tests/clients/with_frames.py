"""Data frames read and written: connectorx in each of its protocols, polars over it and over ADBC, pandas over SQLAlchemy."""

import datetime
import decimal
import urllib.parse

import connectorx
import pandas
import polars
import sqlalchemy as sa

from check import AUTHORITY, DATABASE, PASSWORD, PORT, Checks, values

checks = Checks()
ADDRESS = f"postgresql://clients:{urllib.parse.quote(PASSWORD)}@localhost:{PORT}/{DATABASE}"
# connectorx knows less of TLS, and nothing of the environment.
TLS_ADDRESS = f"{ADDRESS}?sslmode=require&sslrootcert={urllib.parse.quote(AUTHORITY)}"
TABLE = """
DROP TABLE IF EXISTS of_frames;
CREATE TABLE of_frames AS SELECT i, i::smallint AS s, i * 10000000000 AS b, i / 4.0::float8 AS f, 'ü' || i AS t,
    (i * 1.25)::numeric(10,2) AS n, date '2024-01-01' + i AS d, timestamp '2024-01-01 00:00:00' + i * interval '1 hour' AS at,
    timestamptz '2024-01-01 00:00:00+00' + i * interval '1 minute' AS z, time '12:30:00' AS o, i % 2 = 0 AS k, '\\x00ff'::bytea AS raw,
    ARRAY[i, 2] AS a, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid AS u, '{"a": 1}'::jsonb AS j
    FROM generate_series(0, 9999) AS g(i);
INSERT INTO of_frames (i) VALUES (-1);
"""
FIFTH = {
    "i": 5,
    "s": 5,
    "b": 50000000000,
    "f": 1.25,
    "t": "ü5",
    "n": decimal.Decimal("6.25"),
    "d": datetime.date(2024, 1, 6),
    "at": datetime.datetime(2024, 1, 1, 5),
    "z": datetime.datetime(2024, 1, 1, 0, 5, tzinfo=datetime.timezone.utc),
    "o": datetime.time(12, 30),
    "k": False,
    "raw": b"\x00\xff",
    "a": [5, 2],
}


def read_connectorx():
    for protocol in "binary", "csv", "cursor", "simple":
        # It reads no arrays in the simple protocol, and shows a uuid and a jsonb otherwise in each.
        columns = [name for name in FIFTH if protocol != "simple" or name != "a"]
        query = f"SELECT {', '.join(columns)} FROM of_frames ORDER BY i"
        table = connectorx.read_sql(TLS_ADDRESS, query, return_type="arrow", protocol=protocol)
        rows = table.to_pylist()
        checks.equal(f"{protocol}, rows", len(rows), 10001)
        checks.equal(f"{protocol}, nulls", [value for name, value in rows[0].items() if name != "i"], [None] * (len(columns) - 1))
        expected = {name: FIFTH[name] for name in columns}
        for name, value in rows[6].items():
            checks.equal(f"{protocol}, {name}", plain(value), expected[name])
        for value in values():
            # Each is a connection, so some are enough.
            if value.name in ("int4_max", "text_quotes", "numeric_both"):
                checks.value(value, protocol, lambda: read_text(value, protocol))
    query = "SELECT i, t FROM of_frames WHERE i >= 0"
    parts = connectorx.read_sql(TLS_ADDRESS, query, partition_on="i", partition_num=3, return_type="arrow")
    checks.equal("partitions", (parts.num_rows, sum(parts["i"].to_pylist())), (10000, 49995000))


def read_text(value, protocol):
    query = f"SELECT format('%s', {value.sql}) AS v"
    return connectorx.read_sql(TLS_ADDRESS, query, return_type="arrow", protocol=protocol)["v"][0].as_py()


def plain(value):
    """A decimal without the zeros that a client adds, a time with the zone that Python has itself."""
    if isinstance(value, decimal.Decimal):
        return value.quantize(decimal.Decimal("0.01"))
    if isinstance(value, datetime.datetime) and value.tzinfo:
        return value.astimezone(datetime.timezone.utc)
    return value


def read_polars():
    query = f"SELECT {', '.join(FIFTH)} FROM of_frames ORDER BY i"
    for engine, address in ("connectorx", TLS_ADDRESS), ("adbc", ADDRESS):
        frame = polars.read_database_uri(query, address, engine=engine)
        checks.equal(f"polars by {engine}", frame.shape, (10001, len(FIFTH)))
        got = frame.row(6, named=True)
        for name, value in got.items():
            # ADBC has a numeric as its text.
            expected = str(FIFTH[name]) if engine == "adbc" and name == "n" else FIFTH[name]
            checks.equal(f"polars by {engine}, {name}", plain(value), expected)
    for value in values():
        query = f"SELECT format('%s', {value.sql}) AS v"
        checks.value(value, "polars", lambda: polars.read_database_uri(query, ADDRESS, engine="adbc").item())


def write_polars():
    frame = polars.DataFrame({"a": [1, 2], "b": ["x", None], "d": [datetime.date(2024, 1, 1), None], "f": [0.5, None]})
    for mode, expected in ("replace", 2), ("append", 4), ("replace", 2):
        frame.write_database("of_polars", ADDRESS, engine="adbc", if_table_exists=mode)
        got = polars.read_database_uri("SELECT * FROM of_polars", ADDRESS, engine="adbc")
        checks.equal(f"polars, {mode}", got.height, expected)
    checks.equal("polars, rows", got.rows(), frame.rows())
    engine = sa.create_engine("postgresql+psycopg2://")
    got = polars.read_database("SELECT a, b FROM of_polars ORDER BY a", engine)
    checks.equal("polars by SQLAlchemy", got.rows(), [(1, "x"), (2, None)])
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE of_polars"))
    engine.dispose()


def of_pandas():
    engine = sa.create_engine("postgresql+psycopg2://")
    frame = pandas.read_sql("SELECT i, f, t, at, z, k FROM of_frames WHERE i >= 0 ORDER BY i", engine)
    kinds = ["int64", "float64", "str", "datetime64[us]", "datetime64[us, UTC]", "bool"]
    checks.equal("pandas, types", [str(it) for it in frame.dtypes], kinds)
    checks.equal("pandas, sum", int(frame["i"].sum()), 49995000)
    chunks = pandas.read_sql("SELECT i FROM of_frames", engine, chunksize=3000)
    checks.equal("pandas, chunks", [len(it) for it in chunks], [3000, 3000, 3000, 1001])
    for method in None, "multi":
        frame.head(500).to_sql("of_pandas", engine, if_exists="replace", index=False, method=method)
        frame.tail(3).to_sql("of_pandas", engine, if_exists="append", index=False, method=method)
        got = pandas.read_sql_table("of_pandas", engine)
        checks.equal("pandas, table", (got.shape, list(got.columns)), ((503, 6), ["i", "f", "t", "at", "z", "k"]))
        checks.equal("pandas, row", got.iloc[5].to_dict(), frame.iloc[5].to_dict())
    indexed = pandas.DataFrame({"v": [1.5, None]}, index=pandas.Index(["a", "b"], name="key"))
    with engine.begin() as connection:
        # It makes an index in the database of the frame's own, unless it is told not to.
        indexed.to_sql("of_pandas", connection, if_exists="replace", dtype={"key": sa.String(10)})
        checks.equal("pandas, again", connection.scalar(sa.text("SELECT count(v) FROM of_pandas")), 1)
        connection.execute(sa.text("DROP TABLE of_pandas"))
    engine.dispose()


def make_table():
    engine = sa.create_engine("postgresql+psycopg2://")
    with engine.begin() as connection:
        connection.connection.cursor().execute(TABLE)
    engine.dispose()


make_table()
for part in read_connectorx, read_polars, write_polars, of_pandas:
    checks.part(part)
checks.done()
