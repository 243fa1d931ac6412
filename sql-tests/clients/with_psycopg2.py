"""A session of psycopg2: the simple protocol, in which the client writes its parameters into the statements."""

import io
import threading

import psycopg2
import psycopg2.extras
from psycopg2 import errors

from check import CHANGED_BY_PYTHON, ENDLESS, NOT_IN_PYTHON, SOCKET, Checks, types, values

checks = Checks()
# A negative number is written without parentheses, so that the cast comes before the sign.
SKIPPED = NOT_IN_PYTHON | CHANGED_BY_PYTHON | {"float4", "float4_tiny", "int2_min", "int4_min", "int8_min"}
psycopg2.extras.register_uuid()
psycopg2.extensions.register_adapter(dict, psycopg2.extras.Json)


def connect(**parameters):
    connection = psycopg2.connect("", **parameters)
    connection.autocommit = True
    return connection


def one(connection, query, *arguments):
    with connection.cursor() as cursor:
        cursor.execute(query, arguments or None)
        return cursor.fetchone()[0]


def failure(connection, query, *arguments):
    try:
        one(connection, query, *arguments)
    except psycopg2.Error as error:
        return error.pgcode, error.diag.statement_position
    return None


def connecting():
    checks.equal("Unix socket", one(connect(host=SOCKET, sslmode="disable"), "SELECT current_user"), "clients")
    connection = connect(options="-c geqo=off -c IntervalStyle=iso_8601", application_name="a b")
    checks.equal("options", one(connection, "SELECT '1 day'::interval::text"), "P1D")
    checks.equal("application_name", one(connection, "SHOW application_name"), "a b")
    checks.equal("reported", connection.get_parameter_status("IntervalStyle"), "iso_8601")
    checks.equal("TLS", connection.info.ssl_in_use, True)


def reading_and_sending(connection):
    for value in values():
        cast = f"format('%%s', %s::{value.type})"
        checks.value(value, "text", lambda: one(connection, f"SELECT format('%s', {value.sql})"))
        checks.value(value, "sent as text", lambda: one(connection, "SELECT " + cast, value.text))
        if value.name not in SKIPPED:
            checks.value(value, "sent", lambda: one(connection, "SELECT " + cast, one(connection, "SELECT " + value.sql)))
    for name in types():
        checks.equal(f"NULL of {name}", one(connection, f"SELECT %s::{name}", None), None)
    checks.equal("tuple", one(connection, "SELECT 2 IN %s", (1, 2)), True)
    checks.equal("quotes", one(connection, "SELECT %s", "it's \\ \"so\" %s"), "it's \\ \"so\" %s")


def failing(connection):
    checks.equal("table", failure(connection, "SELECT *  FROM nowhere"), ("42P01", "16"))
    checks.equal("division", failure(connection, "SELECT 1 / %s", 0), ("22012", None))
    checks.equal("behind others", failure(connection, "SELECT 1; SELECT nothing"), ("42703", "18"))
    checks.equal("lives on", one(connection, "SELECT 1"), 1)


def transactions(connection):
    connection.autocommit = False
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE rows (id int)")
        connection.commit()
        cursor.execute("INSERT INTO rows VALUES (1); SAVEPOINT a; INSERT INTO rows VALUES (2); ROLLBACK TO a")
        checks.equal("status", connection.info.transaction_status, psycopg2.extensions.TRANSACTION_STATUS_INTRANS)
        checks.equal("fails", failure(connection, "SELECT 1 / 0")[0], "22012")
        checks.equal("refused", failure(connection, "SELECT 1")[0], "25P02")
        cursor.execute("ROLLBACK TO a")
        connection.commit()
        cursor.execute("SELECT id FROM rows")
        checks.equal("savepoint", cursor.fetchall(), [(1,)])
        cursor.execute("INSERT INTO rows VALUES (3)")
        connection.rollback()
    checks.equal("rolled back", one(connection, "SELECT count(*) FROM rows"), 1)
    connection.commit()
    connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
    checks.equal("isolation", one(connection, "SHOW transaction_isolation"), "repeatable read")
    checks.equal("read only", failure(connection, "CREATE TABLE nothing (a int)")[0], "25006")
    connection.rollback()
    connection.set_session(isolation_level="DEFAULT", readonly="DEFAULT", autocommit=True)


def copying(connection):
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE copied (i int, t text)")
        cursor.copy_from(io.StringIO("1\ta\\tb\n2\t\\N\n"), "copied")
        checks.equal("rows", cursor.rowcount, 2)
        out = io.StringIO()
        cursor.copy_expert("COPY copied TO STDOUT WITH CSV HEADER", out)
        checks.equal("CSV", out.getvalue(), "i,t\n1,a\tb\n2,\n")
        out = io.BytesIO()
        cursor.copy_expert("COPY copied TO STDOUT (FORMAT binary)", out)
        cursor.copy_expert("COPY copied FROM STDIN (FORMAT binary)", io.BytesIO(out.getvalue()))
        try:
            cursor.copy_expert("COPY copied FROM STDIN", io.StringIO("3\tc\nfour\td\n"))
        except errors.InvalidTextRepresentation as error:
            checks.equal("where", error.diag.context, 'COPY copied, line 2, column i: "four"')
    checks.equal("count", one(connection, "SELECT count(*) FROM copied"), 4)
    with connection.cursor() as cursor:
        psycopg2.extras.execute_values(cursor, "INSERT INTO copied VALUES %s", [(n, str(n)) for n in range(1000)])
    checks.equal("execute_values", one(connection, "SELECT count(*) FROM copied"), 1004)


def cursors(connection):
    connection.autocommit = False
    with connection.cursor("named") as cursor:
        cursor.itersize = 70
        cursor.execute("SELECT generate_series(1, %s)", [1000])
        checks.equal("iterated", sum(row[0] for row in cursor), 500500)
    connection.commit()
    connection.autocommit = True
    checks.equal("big", len(one(connection, "SELECT repeat('x', 20000000)")), 20000000)


def cancelling(connection):
    timer = threading.Timer(0.3, connection.cancel)
    timer.start()
    checks.equal("cancelled", failure(connection, ENDLESS)[0], "57014")
    timer.join()
    checks.equal("timeout", failure(connect(options="-c statement_timeout=100"), ENDLESS)[0], "57014")


def notices_and_notifications(connection):
    one(connection, "DROP TABLE IF EXISTS nowhere; SELECT 1")
    checks.equal("notice", connection.notices, ['NOTICE:  table "nowhere" does not exist, skipping\n'])
    one(connection, "LISTEN bell; NOTIFY bell, 'ding'; SELECT 1")
    connection.poll()
    checks.equal("notifications", [(it.channel, it.payload) for it in connection.notifies], [("bell", "ding")])


def settings(connection):
    connection.cursor().execute("SET TimeZone = 'America/New_York'; PREPARE gone AS SELECT 1")
    got = one(connection, "SELECT '2024-07-01 12:00+00'::timestamptz")
    checks.equal("zone", got.isoformat(), "2024-07-01T08:00:00-04:00")
    # What pools do with a connection that is given back.
    connection.reset()
    connection.autocommit = True
    checks.equal("reset", one(connection, "SHOW TimeZone"), "UTC")
    connection.cursor().execute("DISCARD ALL")
    checks.equal("discarded", failure(connection, "EXECUTE gone")[0], "26000")


def encodings(connection):
    for encoding, text in (
        ("LATIN1", "grüßt"), ("WIN1251", "жши"), ("SJIS", "ソース表"), ("EUC_KR", "한글"), ("BIG5", "中文"), ("UTF8", "€ 😀"),
    ):
        connection.set_client_encoding(encoding)
        checks.equal(f"{encoding} reported", connection.get_parameter_status("client_encoding"), encoding)
        checks.equal(f"{encoding} there and back", one(connection, "SELECT %s || '|' || length(%s)", text, text),
                     f"{text}|{len(text)}")
        checks.equal(f"{encoding} name", one(connection, f'SELECT x."{text}" FROM (SELECT 1 AS "{text}") x'), 1)
        with connection.cursor() as cursor:
            cursor.execute("CREATE TEMPORARY TABLE encoded (t text)")
            cursor.copy_expert("COPY encoded FROM STDIN", io.StringIO(text + "\n"))
            copied = io.StringIO()
            cursor.copy_expert("COPY encoded TO STDOUT", copied)
            cursor.execute("DROP TABLE encoded")
        checks.equal(f"{encoding} copied", copied.getvalue(), text + "\n")
        checks.equal(f"{encoding} position", failure(connection, f"SELECT '{text}', nothing")[1], str(len(text) + 12))
    connection.set_client_encoding("LATIN1")
    checks.equal("no equivalent", failure(connection, "SELECT U&'\\20ac'")[0], "22P05")
    connection.set_client_encoding("UTF8")


checks.part(connecting)
connection = connect()
for part in (
    reading_and_sending, failing, transactions, copying, cursors, cancelling, notices_and_notifications, settings,
    encodings,
):
    checks.part(part, connection)
checks.done()
