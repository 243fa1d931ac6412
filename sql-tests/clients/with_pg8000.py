"""A session of pg8000: the extended protocol in text, one Flush after the other."""

import io
import ssl

import pg8000.native
from pg8000.native import DatabaseError

from check import AUTHORITY, CHANGED_BY_PYTHON, DATABASE, ENDLESS, PASSWORD, PORT, SOCKET, Checks, types, values

checks = Checks()
CONTEXT = ssl.create_default_context(cafile=AUTHORITY)
SKIPPED = CHANGED_BY_PYTHON | {"float4", "float4_tiny", "interval_array"}


def connect(**parameters):
    parameters = {"host": "localhost", "port": PORT, "password": PASSWORD, "ssl_context": CONTEXT, **parameters}
    return pg8000.native.Connection("clients", database=DATABASE, **parameters)


def failure(run):
    try:
        run()
    except DatabaseError as error:
        return error.args[0]["C"], error.args[0].get("P")
    return None


def connecting():
    connection = connect(host=None, port=None, unix_sock=f"{SOCKET}/.s.PGSQL.{PORT}", ssl_context=None)
    checks.equal("Unix socket", connection.run("SELECT current_user"), [["clients"]])
    connection.close()
    checks.equal("wrong password", failure(lambda: connect(password="wrong")), ("28P01", None))
    connection = connect(application_name="a b", startup_params={"statement_timeout": "12s"})
    checks.equal("start-up parameters", connection.run("SHOW statement_timeout"), [["12s"]])
    connection.close()


def reading_and_sending(connection):
    for value in values():
        cast = f"SELECT format('%s', CAST(:value AS {value.type}))"
        checks.value(value, "text", lambda: connection.run(f"SELECT format('%s', {value.sql})")[0][0])
        checks.value(value, "sent as text", lambda: connection.run(cast, value=value.text)[0][0])
        if value.name not in SKIPPED:
            got = connection.run("SELECT " + value.sql)[0][0]
            checks.value(value, "sent", lambda: connection.run(cast, value=got)[0][0])
    for name in types():
        checks.equal(f"NULL of {name}", connection.run(f"SELECT CAST(:value AS {name})", value=None), [[None]])


def prepared(connection):
    statement = connection.prepare("SELECT cast(:n AS int) * 2, upper(:t)")
    for number in range(15):
        checks.equal("prepared", statement.run(n=number, t="ü"), [[number * 2, "Ü"]])
    checks.equal("columns", [it["type_oid"] for it in statement.columns], [23, 25])
    statement.close()
    checks.equal("limit", len(connection.run("SELECT generate_series(1, 10) LIMIT :n", n=3)), 3)


def failing(connection):
    checks.equal("table", failure(lambda: connection.run("SELECT * FROM nowhere")), ("42P01", "15"))
    checks.equal("division", failure(lambda: connection.run("SELECT 1 / cast(:n AS int)", n=0)), ("22012", None))
    checks.equal("value", failure(lambda: connection.run("SELECT cast(:n AS int)", n="x")), ("22P02", None))
    checks.equal("lives on", connection.run("SELECT 1"), [[1]])


def transactions(connection):
    connection.run("CREATE TEMP TABLE rows (id int)")
    connection.run("START TRANSACTION")
    connection.run("INSERT INTO rows VALUES (:n)", n=1)
    connection.run("SAVEPOINT a")
    checks.equal("fails", failure(lambda: connection.run("SELECT 1 / 0")), ("22012", None))
    checks.equal("refused", failure(lambda: connection.run("SELECT 1")), ("25P02", None))
    connection.run("ROLLBACK TO a")
    connection.run("COMMIT")
    checks.equal("savepoint", connection.run("SELECT id FROM rows"), [[1]])
    checks.equal("count", connection.row_count, 1)
    checks.equal("several", connection.run("SELECT 1; SELECT 2"), [[1], [2]])


def copying(connection):
    connection.run("CREATE TEMP TABLE copied (i int, t text)")
    connection.run("COPY copied FROM STDIN", stream=io.BytesIO("1\tü\n2\t\\N\n".encode()))
    out = io.BytesIO()
    connection.run("COPY copied TO STDOUT WITH (FORMAT csv)", stream=out)
    checks.equal("CSV", out.getvalue().decode(), "1,ü\n2,\n")
    connection.run("COPY copied FROM STDIN WITH (FORMAT csv)", stream=["3,c\n", "4,d\n"])
    checks.equal("rows", connection.run("SELECT count(*) FROM copied"), [[4]])


def the_rest(connection):
    rows = connection.run("SELECT i, repeat('x', 100) FROM generate_series(1, 100000) AS s(i)")
    checks.equal("many rows", sum(row[0] for row in rows), 5000050000)
    checks.equal("big", len(connection.run("SELECT repeat('x', 5000000)")[0][0]), 5000000)
    connection.run("SET statement_timeout = 100")
    checks.equal("timeout", failure(lambda: connection.run(ENDLESS)), ("57014", None))
    connection.run("RESET statement_timeout")
    connection.run("DROP TABLE IF EXISTS nowhere")
    checks.equal("notice", connection.notices[-1][b"M"], b'table "nowhere" does not exist, skipping')
    connection.run("LISTEN bell")
    connection.run("NOTIFY bell, 'ding'")
    connection.run("SELECT 1")
    checks.equal("notification", [it[1:] for it in connection.notifications], [("bell", "ding")])
    connection.run("SET TimeZone = 'Asia/Tokyo'")
    checks.equal("reported", connection.parameter_statuses["TimeZone"], "Asia/Tokyo")
    connection.run("DISCARD ALL")
    checks.equal("discarded", failure(lambda: connection.run("SELECT * FROM copied")), ("42P01", "15"))


checks.part(connecting)
connection = connect()
for part in reading_and_sending, prepared, failing, transactions, copying, the_rest:
    checks.part(part, connection)
connection.close()
checks.done()
