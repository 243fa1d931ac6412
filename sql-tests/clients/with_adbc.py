"""A session of ADBC's driver: results as Arrow tables, tables made of them, and what it tells of a database at every depth.

What it tells is recorded in inspected/adbc.txt, about the relations of inspected/schema.sql.
"""

import datetime
import decimal
import os

import adbc_driver_manager
import adbc_driver_postgresql.dbapi as adbc
import pyarrow

from answers import Answers
from check import DATABASE, Checks, values

checks = Checks()
answers = Answers(checks, "inspected/adbc.txt")
ROWS = pyarrow.table(
    {
        "number": pyarrow.array([1, None, -3], pyarrow.int64()),
        "small": pyarrow.array([1, 2, None], pyarrow.int16()),
        "weight": pyarrow.array([0.5, None, 1e300], pyarrow.float64()),
        "name": pyarrow.array(["ü", None, ""], pyarrow.string()),
        "kept": pyarrow.array([True, False, None], pyarrow.bool_()),
        "raw": pyarrow.array([b"\x00\xff", None, b""], pyarrow.binary()),
        "day": pyarrow.array([datetime.date(2024, 2, 29), None, datetime.date(1, 1, 1)], pyarrow.date32()),
        "made": pyarrow.array([datetime.datetime(2001, 2, 3, 4, 5, 6, 789000), None, None], pyarrow.timestamp("us")),
        "many": pyarrow.array([[1, None], [], None], pyarrow.list_(pyarrow.int32())),
    }
)


def connect():
    return adbc.connect("postgresql://")


def make_schema():
    with open(os.path.join(os.path.dirname(__file__), "inspected", "schema.sql"), encoding="utf-8") as file:
        statements = file.read()
    with adbc.connect("postgresql://", autocommit=True) as connection, connection.cursor() as cursor:
        cursor.executescript(statements)


def fetch(cursor, query, parameters=None):
    cursor.execute(query, parameters)
    return cursor.fetch_arrow_table()


def reading(cursor):
    for value in values():
        checks.value(value, "text", lambda: fetch(cursor, f"SELECT format('%s', {value.sql}) AS v")["v"][0].as_py())
        # Each type as it comes, in binary: what PostgreSQL's becomes.
        answers.same(f"value {value.name}", lambda: arrow(fetch(cursor, f"SELECT {value.sql} AS v")))


def arrow(table):
    # A text of another type than text keeps the digits that a server shows, which are the values' own business.
    return str(table.schema.field(0).type), table.num_rows


def parameters(cursor):
    got = fetch(cursor, "SELECT $1::integer + 1 AS a, $2::text AS b, $3::float8 AS c", (41, "ü", None))
    checks.equal("parameters", got.to_pylist(), [{"a": 42, "b": "ü", "c": None}])
    schema = cursor.adbc_execute_schema("SELECT 1 AS a, 'x'::varchar(3) AS b, 2::numeric AS c")
    checks.equal("described", schema.names, ["a", "b", "c"])
    schema = cursor.adbc_prepare("SELECT $1::integer, $2::text")
    checks.equal("prepared", [str(it.type) for it in schema], ["int32", "string"])
    got = fetch(cursor, "SELECT i, i * 1.5 AS n FROM generate_series(1, 20000) AS s(i) ORDER BY i")
    checks.equal("rows", (got.num_rows, got["i"][-1].as_py(), got["n"][1].as_py()), (20000, 20000, "3.0"))
    cursor.execute("SELECT 1 AS a WHERE false")
    checks.equal("no rows", cursor.fetch_arrow_table().num_rows, 0)


def failing(connection, cursor):
    for name, query, code in (
        ("table", "SELECT * FROM nowhere", "42P01"),
        ("division", "SELECT 1 / 0 AS a", "22012"),
        ("syntax", "SELECT 1 +", "42601"),
    ):
        try:
            fetch(cursor, query)
            checks.fail(name, "answered")
        except adbc_driver_manager.Error as error:
            checks.equal(name, error.sqlstate, code)
        connection.rollback()


def tables(connection, cursor):
    checks.equal("made", cursor.adbc_ingest("of_adbc", ROWS, mode="create"), 3)
    checks.equal("appended", cursor.adbc_ingest("of_adbc", ROWS, mode="append"), 3)
    checks.equal("read", fetch(cursor, "SELECT * FROM of_adbc").to_pylist(), ROWS.to_pylist() * 2)
    checks.equal("replaced", cursor.adbc_ingest("of_adbc", ROWS.slice(0, 1), mode="replace"), 1)
    checks.equal("if there", cursor.adbc_ingest("of_adbc", ROWS.slice(1, 1), mode="create_append"), 1)
    cursor.executemany("INSERT INTO of_adbc (number, name) VALUES ($1, $2)", [(7, "a"), (8, None)])
    got = fetch(cursor, "SELECT count(*) AS n, sum(number)::bigint AS s FROM of_adbc")
    checks.equal("counted", got.to_pylist(), [{"n": 4, "s": 16}])
    connection.rollback()
    checks.equal("rolled back", fetch(cursor, "SELECT to_regclass('of_adbc') IS NULL AS gone")["gone"][0].as_py(), True)
    checks.equal("temporary", cursor.adbc_ingest("passing", ROWS, mode="create", temporary=True), 3)
    checks.equal("in a schema", cursor.adbc_ingest("arrived", ROWS, mode="create", db_schema_name="inspected_too"), 3)
    got = fetch(cursor, "SELECT number FROM inspected_too.arrived ORDER BY 1")
    checks.equal("there", got["number"].to_pylist(), [-3, 1, None])
    connection.rollback()
    money = pyarrow.table({"n": pyarrow.array([decimal.Decimal("1.25"), None], pyarrow.decimal128(10, 2))})
    checks.equal("decimals", cursor.adbc_ingest("money", money, mode="create"), 2)
    got = fetch(cursor, "SELECT sum(n)::text AS s FROM money")
    checks.equal("sum of decimals", float(got["s"][0].as_py()), 1.25)
    connection.rollback()


def objects(connection):
    info = connection.adbc_get_info()
    checks.equal("server", (info["vendor_name"], info["vendor_version"][:2]), ("PostgreSQL", "15"))
    answers.same("types of tables", lambda: sorted(connection.adbc_get_table_types()))
    for depth in "catalogs", "db_schemas", "tables", "all":
        for schema in "inspected", "inspected_too":
            answers.same(f"{depth} of {schema}", lambda: told(connection, depth=depth, db_schema_filter=schema))
    for name, filters in {
        "one table": {"table_name_filter": "orders"},
        "some columns": {"column_name_filter": "na%"},
        "views": {"table_types_filter": ["view"]},
        "nothing": {"table_name_filter": "nowhere"},
    }.items():
        answers.same(name, lambda: told(connection, depth="all", db_schema_filter="inspected", **filters))
    for table in "types", "customers", "names", 'Odd "name%':
        answers.same(f"schema of {table}", lambda: fields(connection.adbc_get_table_schema(table, db_schema_filter="inspected")))


def told(connection, **filters):
    """What it tells of this database, in order: the driver takes it in any."""
    catalogs = connection.adbc_get_objects(**filters).read_all().to_pylist()
    here = [it for it in catalogs if it["catalog_name"] == DATABASE]
    schemas = [schema for catalog in here for schema in catalog["catalog_db_schemas"] or []]
    return len(here), {schema["db_schema_name"]: relations(schema["db_schema_tables"]) for schema in schemas}


def relations(tables):
    return tables and {it["table_name"]: (it["table_type"], columns(it), constraints(it)) for it in tables}


def columns(table):
    told = table["table_columns"]
    return told and sorted(
        (it["ordinal_position"], it["column_name"], it["xdbc_type_name"], it["remarks"]) for it in told
    )


def constraints(table):
    told = table["table_constraints"]
    return told and sorted(
        (it["constraint_name"], it["constraint_type"], it["constraint_column_names"], used(it)) for it in told
    )


def used(constraint):
    usage = constraint["constraint_column_usage"]
    return usage and [(it["fk_db_schema"], it["fk_table"], it["fk_column_name"]) for it in usage]


def fields(schema):
    return [(it.name, str(it.type), (it.metadata or {}).get(b"POSTGRESQL:type")) for it in schema]


def session():
    make_schema()
    with connect() as connection, connection.cursor() as cursor:
        checks.part(reading, cursor)
        checks.part(parameters, cursor)
        checks.part(failing, connection, cursor)
        checks.part(tables, connection, cursor)
        connection.rollback()
        checks.part(objects, connection)


session()
answers.done()
