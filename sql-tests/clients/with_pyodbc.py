"""A session of psqlODBC by pyodbc; its argument are further options of the driver."""

import datetime
import decimal
import sys
import threading

import pyodbc

from check import AUTHORITY, DATABASE, ENDLESS, PASSWORD, PORT, Checks, types, values

checks = Checks()
OPTIONS = sys.argv[1] if len(sys.argv) > 1 else ""


def connect(options=""):
    parameters = f"Driver={{PostgreSQL Unicode}};Server=localhost;Port={PORT};Database={DATABASE};Uid=clients;Pwd={PASSWORD};"
    parameters += f"SSLmode=verify-full;pqopt={{sslrootcert={AUTHORITY}}};MaxLongVarcharSize=100000;{OPTIONS};{options}"
    return pyodbc.connect(parameters, autocommit=True)


def failure(function):
    try:
        function()
    except pyodbc.Error as error:
        return error.args[0]
    return None


def reading_and_sending(connection):
    for value in values():
        cast = f"SELECT format('%s', CAST(? AS {value.type}))"
        checks.value(value, "text", lambda: connection.execute(f"SELECT format('%s', {value.sql})").fetchval())
        checks.value(value, "sent as text", lambda: connection.execute(cast, value.text).fetchval())
    for name in types():
        checks.equal(f"NULL of {name}", connection.execute(f"SELECT CAST(? AS {name})", None).fetchval(), None)
    natives = {
        "SELECT 1::int2, 2, 3::int8": (1, 2, 3),
        "SELECT 1.5::float4, 0.1::float8, '-Infinity'::float8": (1.5, 0.1, float("-inf")),
        "SELECT 12345678901234567890.12::numeric(28,2)": (decimal.Decimal("12345678901234567890.12"),),
        "SELECT 'ü', '{1,2}'::int[], ''": ("ü", "{1,2}", ""),
        "SELECT '2024-02-29'::date, '12:34:56'::time": (datetime.date(2024, 2, 29), datetime.time(12, 34, 56)),
        "SELECT '2001-02-03 04:05:06.789'::timestamp": (datetime.datetime(2001, 2, 3, 4, 5, 6, 789000),),
        "SELECT '\\x00ff'::bytea": (b"\x00\xff",),
    }
    for query, expected in natives.items():
        got = tuple(connection.execute(query).fetchone())
        checks.equal(query, got, expected)
    for value in 7, 0.1, decimal.Decimal("123.45"), "ü", b"\x00\xff", datetime.date(2024, 2, 29), datetime.datetime(2001, 2, 3, 4, 5, 6):
        cast = {int: "int", float: "float8", decimal.Decimal: "numeric", str: "text", bytes: "bytea"}.get(type(value), "timestamp")
        got = connection.execute(f"SELECT CAST(? AS {cast}) = CAST(? AS {cast})", value, value).fetchval()
        checks.equal(f"{value!r} sent", got in (True, "1"), True)


def prepared(connection):
    cursor = connection.cursor()
    for number in range(15):
        cursor.execute("SELECT CAST(? AS int) * 2, upper(?)", number, "ü")
        checks.equal("prepared", tuple(cursor.fetchone()), (number * 2, "Ü"))
    checks.equal("columns", [column[1] for column in cursor.description], [int, str])


def failing(connection):
    checks.equal("table", failure(lambda: connection.execute("SELECT * FROM nowhere")), "42P01")
    checks.equal("division", failure(lambda: connection.execute("SELECT 1 / 0").fetchall()), "22012")
    checks.equal("syntax", failure(lambda: connection.execute("SELEC 1")), "42601")
    checks.equal("lives on", connection.execute("SELECT 1").fetchval(), 1)


def transactions(connection):
    cursor = connection.cursor()
    cursor.execute("CREATE TEMP TABLE rows (id int PRIMARY KEY, t varchar(10))")
    connection.autocommit = False
    cursor.execute("INSERT INTO rows VALUES (?, ?)", 1, "ü")
    checks.equal("duplicate", failure(lambda: cursor.execute("INSERT INTO rows VALUES (1, NULL)")), "23505")
    connection.rollback()
    cursor.executemany("INSERT INTO rows VALUES (?, ?)", [(number, str(number)) for number in range(100)])
    connection.commit()
    cursor.execute("DELETE FROM rows WHERE id >= ?", 50)
    checks.equal("deleted", cursor.rowcount, 50)
    connection.rollback()
    checks.equal("rows", cursor.execute("SELECT count(*) FROM rows").fetchval(), 100)
    connection.commit()
    connection.autocommit = True


def results(connection):
    cursor = connection.cursor()
    cursor.execute("SELECT i, i::text FROM generate_series(1, 1000) AS s(i)")
    checks.equal("fetchmany", [tuple(row) for row in cursor.fetchmany(2)], [(1, "1"), (2, "2")])
    checks.equal("the rest", sum(row[0] for row in cursor), 500497)
    cursor.execute("SELECT generate_series(1, 1000)")
    cursor.fetchone()
    cursor.execute("SELECT 1; SELECT 2")
    got = [cursor.fetchval()]
    while cursor.nextset():
        got.append(cursor.fetchval())
    checks.equal("several", got, [1, 2])
    checks.equal("big", len(cursor.execute("SELECT repeat('x', 90000)").fetchval()), 90000)


def cancelling(connection):
    cursor = connection.cursor()
    timer = threading.Timer(0.5, cursor.cancel)
    timer.start()
    checks.equal("cancelled", failure(lambda: cursor.execute(ENDLESS)), "57014")
    timer.join()
    cursor.execute("SET statement_timeout = 100")
    checks.equal("timeout", failure(lambda: cursor.execute(ENDLESS)), "57014")
    cursor.execute("RESET statement_timeout")
    checks.equal("goes on", cursor.execute("SELECT 1").fetchval(), 1)


connection = connect()
checks.equal("driver", connection.getinfo(pyodbc.SQL_DBMS_NAME), "PostgreSQL")
checks.equal("wrong password", failure(lambda: connect("Pwd=wrong")), "08001")
for part in reading_and_sending, prepared, failing, transactions, results, cancelling:
    checks.part(part, connection)
connection.close()
checks.done()
