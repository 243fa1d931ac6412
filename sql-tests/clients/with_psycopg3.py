"""A session of psycopg 3: text and binary, prepared statements, pipelines, COPY, cursors, notifications."""

import threading

import psycopg
from psycopg import errors, pq
from psycopg.types.json import Jsonb

from check import CHANGED_BY_PYTHON, ENDLESS, NOT_IN_PYTHON, SOCKET, Checks, types, values

checks = Checks()
# Python shows a float4 with the digits of a float8.
SKIPPED = NOT_IN_PYTHON | CHANGED_BY_PYTHON | {"float4", "float4_tiny"}
NATIVE = {"jsonb": Jsonb, "jsonb[]": lambda array: [None if it is None else Jsonb(it) for it in array]}


def connect(**parameters):
    return psycopg.connect(autocommit=True, **parameters)


def sqlstate(function):
    try:
        function()
    except psycopg.Error as error:
        return error.sqlstate
    return "no error"


def connecting():
    with connect() as connection:
        checks.equal("TLS", connection.pgconn.ssl_in_use, True)
        checks.equal("password", connection.pgconn.used_password, True)
    with connect(host=SOCKET, sslmode="disable") as connection:
        checks.equal("Unix socket", connection.execute("SELECT current_user").fetchone(), ("clients",))
    with connect(options="-c search_path=pg_catalog -c statement_timeout=12s") as connection:
        checks.equal("options", connection.execute("SHOW statement_timeout").fetchone(), ("12s",))
    for name, parameters in {
        "wrong password": {"password": "wrong"},
        "no encryption": {"sslmode": "disable"},
        "no such database": {"dbname": "nowhere"},
    }.items():
        try:
            connect(**parameters)
            checks.fail(name, "let in")
        except psycopg.OperationalError as error:
            checks.equal(name, error.sqlstate, None)


def reading(connection):
    for value in values():
        text = connection.execute("SELECT " + value.sql)
        checks.value(value, "text", lambda: text.pgresult.get_value(0, 0).decode())
        if value.name in SKIPPED:
            continue
        binary = connection.execute("SELECT " + value.sql, binary=True)
        checks.value(value, "binary", binary.fetchone, text.fetchone())
    for name in types():
        for binary in False, True:
            got = connection.execute(f"SELECT NULL::{name}", binary=binary).fetchone()
            checks.equal(f"NULL of {name}, binary {binary}", got, (None,))


def sending(connection):
    for value in values():
        for form in "%t", "%b":
            query = f"SELECT format('%%s', {form}::{value.type})"
            checks.value(value, f"sent as text by {form}", lambda: connection.execute(query, [value.text]).fetchone()[0])
            if value.name in SKIPPED:
                continue
            native = NATIVE.get(value.type, lambda it: it)
            got = connection.execute("SELECT " + value.sql).fetchone()[0]
            checks.value(value, f"sent by {form}", lambda: connection.execute(query, [native(got)]).fetchone()[0])
    for name in types():
        got = connection.execute(f"SELECT %s::{name} IS NULL", [None]).fetchone()
        checks.equal(f"NULL of {name} sent", got, (True,))


def parameters(connection):
    def one(query, *arguments):
        return connection.execute(query, arguments).fetchone()[0]

    checks.equal("integer by context", one("SELECT %s + 1", 41), 42)
    checks.equal("text by context", one("SELECT upper(%s)", "a"), "A")
    checks.equal("limit", len(connection.execute("SELECT generate_series(1, 10) LIMIT %s", [3]).fetchall()), 3)
    checks.equal("any", one("SELECT count(*) FROM generate_series(1, 9) AS s(i) WHERE i = ANY (%s)", [2, 4, 60]), 2)
    checks.equal("quotes", one("SELECT %s", "it's \\ \"so\" %s"), "it's \\ \"so\" %s")


def prepared(connection):
    query = "SELECT %s::int * 2, %s::text"
    for number in range(15):
        checks.equal("prepared by itself", connection.execute(query, [number, "ü"]).fetchone(), (number * 2, "ü"))
    statements = connection.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%$1::int * 2%'").fetchone()
    checks.equal("prepared statements", statements, (1,))


def failing(connection):
    def failure(query, *arguments):
        try:
            connection.execute(query, arguments)
        except psycopg.Error as error:
            diagnosis = error.diag
            return diagnosis.sqlstate, diagnosis.severity, diagnosis.statement_position
        return None

    checks.equal("syntax", failure("SELECT 1 +"), ("42601", "ERROR", "11"))
    checks.equal("table", failure("SELECT *  FROM nowhere"), ("42P01", "ERROR", "16"))
    checks.equal("column", failure("SELECT %s, nothing", 1), ("42703", "ERROR", "12"))
    checks.equal("division", failure("SELECT 1 / %s", 0), ("22012", "ERROR", None))
    checks.equal("value", failure("SELECT %s::int", "x"), ("22P02", "ERROR", None))
    checks.equal("lives on", connection.execute("SELECT 1").fetchone(), (1,))
    connection.execute("CREATE TEMP TABLE keys (id int PRIMARY KEY, n int CHECK (n > 0))")
    connection.execute("INSERT INTO keys VALUES (1, 1)")
    try:
        connection.execute("INSERT INTO keys VALUES (1, 2)")
    except errors.UniqueViolation as error:
        checks.equal("constraint", error.diag.constraint_name, "keys_pkey")
        checks.equal("detail", error.diag.message_detail, "Key (id)=(1) already exists.")
    checks.equal("check", failure("INSERT INTO keys VALUES (2, 0)")[0], "23514")


def transactions(connection):
    connection.execute("CREATE TEMP TABLE rows (id int)")
    with connection.transaction():
        connection.execute("INSERT INTO rows VALUES (1)")
        checks.equal("in a transaction", connection.info.transaction_status, pq.TransactionStatus.INTRANS)
        try:
            with connection.transaction("inner"):
                connection.execute("INSERT INTO rows VALUES (2)")
                connection.execute("SELECT 1 / 0")
        except errors.DivisionByZero:
            pass
        connection.execute("INSERT INTO rows VALUES (3)")
    checks.equal("savepoint", connection.execute("SELECT id FROM rows ORDER BY 1").fetchall(), [(1,), (3,)])
    connection.execute("BEGIN")
    checks.equal("fails", sqlstate(lambda: connection.execute("SELECT 1 / 0")), "22012")
    checks.equal("failed", connection.info.transaction_status, pq.TransactionStatus.INERROR)
    checks.equal("refused", sqlstate(lambda: connection.execute("SELECT 1")), "25P02")
    checks.equal("rolled back", connection.execute("COMMIT").statusmessage, "ROLLBACK")


def several_statements(connection):
    cursor = connection.execute("SELECT 1; INSERT INTO rows VALUES (4); SELECT 'x', 2")
    results = [cursor.statusmessage]
    while cursor.nextset():
        results.append(cursor.statusmessage)
    checks.equal("several", results, ["SELECT 1", "INSERT 0 1", "SELECT 1"])
    checks.equal("one fails", sqlstate(lambda: connection.execute("INSERT INTO rows VALUES (5); SELECT 1 / 0")), "22012")
    checks.equal("all fail", connection.execute("SELECT count(*) FROM rows WHERE id = 5").fetchone(), (0,))
    checks.equal("empty", connection.execute("").statusmessage, None)


def pipelines(connection):
    with connection.pipeline():
        cursors = [connection.execute("SELECT %s::int", [number]) for number in range(20)]
    checks.equal("pipeline", [cursor.fetchone()[0] for cursor in cursors], list(range(20)))
    # The error may be noticed before the last statement is sent.
    after = None
    try:
        with connection.pipeline() as pipeline:
            before = connection.execute("INSERT INTO rows VALUES (6)")
            connection.execute("SELECT 1 / 0")
            after = connection.execute("INSERT INTO rows VALUES (7)")
            pipeline.sync()
    except errors.DivisionByZero:
        pass
    checks.equal("aborted", connection.execute("SELECT count(*) FROM rows WHERE id IN (6, 7)").fetchone(), (0,))
    checks.equal("status", before.pgresult.status == pq.ExecStatus.COMMAND_OK, True)
    checks.equal("no status", after and after.pgresult, None)
    cursor = connection.cursor()
    cursor.executemany("INSERT INTO rows VALUES (%s) RETURNING id", [(n,) for n in range(100, 200)], returning=True)
    checks.equal("executemany", cursor.fetchall(), [(100,)])


def copying(connection):
    connection.execute("CREATE TEMP TABLE copied (i int, t text, n numeric(10,2), d date, b bytea, a int[])")
    first = connection.execute(r"SELECT 1, E'tab\tnew\nline\\', 1.50::numeric(10,2), '2024-01-01'::date, '\x00ff'::bytea, '{1,2}'::int[]")
    rows = [first.fetchone(), (None,) * 6]
    for form in "text", "binary":
        connection.execute("TRUNCATE copied")
        with connection.cursor().copy(f"COPY copied FROM STDIN (FORMAT {form})") as copy:
            copy.set_types(["int4", "text", "numeric", "date", "bytea", "int4[]"])
            for row in rows:
                copy.write_row(row)
        checks.equal(f"COPY FROM, {form}", connection.execute("SELECT * FROM copied").fetchall(), rows)
        with connection.cursor().copy(f"COPY copied TO STDOUT (FORMAT {form})") as copy:
            copy.set_types(["int4", "text", "numeric", "date", "bytea", "int4[]"])
            checks.equal(f"COPY TO, {form}", list(copy.rows()), rows)
    with connection.cursor().copy("COPY copied TO STDOUT (FORMAT csv, HEADER)") as copy:
        text = b"".join(copy).decode()
    checks.equal("CSV", text, 'i,t,n,d,b,a\n1,"tab\tnew\nline\\",1.50,2024-01-01,\\x00ff,"{1,2}"\n,,,,,\n')

    def broken():
        with connection.cursor().copy("COPY copied FROM STDIN") as copy:
            copy.write("x\ta\t1\t2024-01-01\t\\N\t\\N\n")

    def given_up():
        with connection.cursor().copy("COPY copied FROM STDIN") as copy:
            copy.write("2\t")
            raise KeyError

    checks.equal("COPY fails", sqlstate(broken), "22P02")
    try:
        given_up()
    except KeyError:
        pass
    checks.equal("after COPY", connection.execute("SELECT count(*) FROM copied").fetchone(), (2,))


def cursors(connection):
    with connection.transaction(), connection.cursor("named", scrollable=True) as cursor:
        cursor.itersize = 100
        cursor.execute("SELECT i, i::text FROM generate_series(1, %s) AS s(i)", [1000])
        checks.equal("columns", [column.type_code for column in cursor.description], [23, 25])
        checks.equal("fetchmany", cursor.fetchmany(2), [(1, "1"), (2, "2")])
        cursor.scroll(10)
        checks.equal("scrolled", cursor.fetchone(), (13, "13"))
        cursor.scroll(0, mode="absolute")
        checks.equal("iterated", sum(row[0] for row in cursor), 500500)
    with connection.cursor("held", withhold=True) as cursor:
        cursor.execute("SELECT generate_series(1, 3)")
        checks.equal("held", cursor.fetchall(), [(1,), (2,), (3,)])
    with connection.transaction(), connection.cursor("in_binary") as cursor:
        cursor.execute("SELECT 1.5::float8", binary=True)
        checks.equal("binary cursor", cursor.fetchone(), (1.5,))


def big_results(connection):
    total = 0
    query = "SELECT i::bigint, repeat('x', 100) FROM generate_series(1, 300000) AS s(i)"
    for number, text in connection.cursor().stream(query, binary=True):
        total += number + len(text)
    checks.equal("streamed", total, 300000 * 300001 // 2 + 300000 * 100)
    for size in 1 << 20, 20 << 20:
        checks.equal("large value", len(connection.execute("SELECT repeat('x', %s)", [size]).fetchone()[0]), size)
        checks.equal("large parameter", connection.execute("SELECT length(%s)", ["ü" * size]).fetchone(), (size,))


def cancelling(connection):
    timer = threading.Timer(0.3, connection.cancel_safe)
    timer.start()
    checks.equal("cancelled", sqlstate(lambda: connection.execute(ENDLESS)), "57014")
    timer.join()
    connection.execute("SET statement_timeout = '100ms'")
    checks.equal("timeout", sqlstate(lambda: connection.execute(ENDLESS)), "57014")
    connection.execute("RESET statement_timeout")
    checks.equal("goes on", connection.execute("SELECT 1").fetchone(), (1,))


def notices_and_notifications(connection):
    notices = []
    connection.add_notice_handler(lambda notice: notices.append((notice.sqlstate, notice.severity)))
    connection.execute("DROP TABLE IF EXISTS nowhere")
    checks.equal("notice", notices, [("00000", "NOTICE")])
    connection.execute("LISTEN bell")
    with connect() as other:
        other.execute("SELECT pg_notify('bell', 'ding')")
        other.execute("NOTIFY bell")
    got = [(it.channel, it.payload) for it in connection.notifies(timeout=10, stop_after=2)]
    checks.equal("notifications", got, [("bell", "ding"), ("bell", "")])


def settings(connection):
    connection.execute("SET TimeZone = 'Europe/Berlin'")
    checks.equal("reported", connection.info.timezone.key, "Europe/Berlin")
    got = connection.execute("SELECT '2024-07-01 12:00+00'::timestamptz").fetchone()[0]
    checks.equal("zone", got.isoformat(), "2024-07-01T14:00:00+02:00")
    for style, text in {"SQL, DMY": "03/02/2001", "German": "03.02.2001", "Postgres, MDY": "02-03-2001"}.items():
        connection.execute(f"SET DateStyle = '{style}'")
        checks.equal(style, connection.execute("SELECT '2001-02-03'::date::text").fetchone(), (text,))
    connection.execute("PREPARE gone AS SELECT 1")
    connection.execute("DISCARD ALL")
    checks.equal("discarded", sqlstate(lambda: connection.execute("EXECUTE gone")), "26000")
    checks.equal("time zone reset", connection.execute("SHOW TimeZone").fetchone(), ("UTC",))
    checks.equal("DateStyle reset", connection.execute("SHOW DateStyle").fetchone(), ("ISO, MDY",))
    checks.equal("temporary tables", sqlstate(lambda: connection.execute("SELECT * FROM rows")), "42P01")


def look_up(connection):
    """What psycopg asks pg_type about types of users, and about records."""
    from psycopg.types.enum import EnumInfo

    connection.execute("CREATE TYPE mood_of_psycopg AS ENUM ('sad', 'glad')")
    try:
        info = EnumInfo.fetch(connection, "mood_of_psycopg")
        checks.equal("enum", list(info.labels), ["sad", "glad"])
        checks.equal("type", psycopg.types.TypeInfo.fetch(connection, "int4").array_oid, 1007)
    finally:
        connection.execute("DROP TYPE mood_of_psycopg")
    checks.equal("record", connection.execute("SELECT row(1, 'a'::text, NULL)", binary=True).fetchone(), ((1, "a", None),))
    checks.equal("void", connection.execute("SELECT pg_notify('nobody', '')").fetchone(), ("",))


checks.part(connecting)
with connect() as connection:
    for part in (
        reading, sending, parameters, prepared, failing, transactions, several_statements, pipelines, copying, cursors,
        big_results, cancelling, notices_and_notifications, look_up, settings,
    ):
        checks.part(part, connection)
checks.done()
