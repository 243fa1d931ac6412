"""A session of asyncpg: binary only, which looks types up in pg_type, and prepares all that it runs."""

import asyncio
import io
import ssl

import asyncpg

from check import AUTHORITY, CHANGED_BY_PYTHON, ENDLESS, PASSWORD, PORT, SOCKET, Checks, types, values

checks = Checks()
# The first day stands for -infinity.
SKIPPED = CHANGED_BY_PYTHON | {"date_first"}


async def connect(**parameters):
    return await asyncpg.connect(**{"ssl": ssl.create_default_context(cafile=AUTHORITY), **parameters})


async def failure(awaitable):
    try:
        await awaitable
    except asyncpg.PostgresError as error:
        return error.sqlstate, error.position
    return None


async def connecting(_connection):
    connection = await connect(server_settings={"search_path": "pg_catalog", "statement_timeout": "12s"})
    checks.equal("settings", await connection.fetchval("SHOW statement_timeout"), "12s")
    checks.equal("server_version", connection.get_server_version().major >= 15, True)
    await connection.close()
    connection = await connect(host=SOCKET, port=PORT, ssl=False)
    checks.equal("Unix socket", await connection.fetchval("SELECT current_user"), "clients")
    await connection.close()
    refused = await failure(connect(password=PASSWORD + "?"))
    checks.equal("wrong password", refused and refused[0], "28P01")
    try:
        await connect(ssl=ssl.create_default_context())
        checks.fail("authority", "trusted")
    except ssl.SSLCertVerificationError:
        checks.count += 1


async def reading_and_sending(connection):
    for value in values():
        try:
            got = await connection.fetchval("SELECT " + value.sql)
            if value.name in SKIPPED:
                continue
            sent = await connection.fetchval(f"SELECT format('%s', $1::{value.type})", got)
            text = await connection.fetchval(f"SELECT format('%s', $1::text::{value.type})", value.text)
        except Exception as error:
            sent = text = f"{type(error).__name__}: {error}"
        checks.equal(f"{value.name}, sent", sent, value.text)
        checks.equal(f"{value.name}, sent as text", text, value.text)
    for name in types():
        checks.equal(f"NULL of {name}", await connection.fetchval(f"SELECT $1::{name}", None), None)


async def parameters(connection):
    checks.equal("limit", len(await connection.fetch("SELECT generate_series(1, 10) LIMIT $1", 3)), 3)
    checks.equal("any", await connection.fetchval("SELECT 2 = ANY ($1::int[])", [1, 2]), True)
    statement = await connection.prepare("SELECT $1 + 1.5::float8, upper($2), $3::date - 1")
    checks.equal("types", [it.name for it in statement.get_parameters()], ["float8", "text", "date"])
    checks.equal("result", [it.type.name for it in statement.get_attributes()], ["float8", "text", "date"])
    checks.equal("record", tuple(await connection.fetchval("SELECT row(1, 'a'::text, NULL::int)")), (1, "a", None))
    for number in range(20):
        checks.equal("cached", await connection.fetchval("SELECT $1::int8 * 2", number), number * 2)


async def failing(connection):
    checks.equal("table", await failure(connection.fetch("SELECT * FROM nowhere")), ("42P01", "15"))
    checks.equal("column", await failure(connection.fetch("SELECT nothing")), ("42703", "8"))
    checks.equal("division", await failure(connection.fetch("SELECT 1 / $1::int", 0)), ("22012", None))
    checks.equal("lives on", await connection.fetchval("SELECT 1"), 1)


async def transactions(connection):
    await connection.execute("CREATE TEMP TABLE rows (id int)")
    async with connection.transaction():
        await connection.execute("INSERT INTO rows VALUES ($1)", 1)
        try:
            async with connection.transaction():
                await connection.execute("INSERT INTO rows VALUES (2)")
                await connection.execute("SELECT 1 / 0")
        except asyncpg.DivisionByZeroError:
            pass
        checks.equal("in a transaction", connection.is_in_transaction(), True)
    checks.equal("savepoint", await connection.fetchval("SELECT array_agg(id) FROM rows"), [1])
    checks.equal("several", await connection.execute("SELECT 1; INSERT INTO rows VALUES (3), (4)"), "INSERT 0 2")
    await connection.executemany("INSERT INTO rows VALUES ($1)", [(number,) for number in range(1000)])
    checks.equal("executemany", await connection.fetchval("SELECT count(*) FROM rows"), 1003)
    checks.equal("fails", (await failure(connection.executemany("INSERT INTO rows VALUES (1 / $1)", [(1,), (0,)])))[0], "22012")
    checks.equal("none of them", await connection.fetchval("SELECT count(*) FROM rows"), 1003)
    # What was prepared is planned anew when a table has changed.
    await connection.fetch("SELECT * FROM rows LIMIT 1")
    await connection.execute("ALTER TABLE rows ADD COLUMN more text")
    checks.equal("changed", [tuple(it) for it in await connection.fetch("SELECT * FROM rows LIMIT 1")], [(1, None)])


async def copying(connection):
    await connection.execute("CREATE TEMP TABLE copied (i int, t text, n numeric(10,2), a int[])")
    records = [(1, "ü\t\n", None, [1, None]), (None, None, None, None)]
    checks.equal("records", await connection.copy_records_to_table("copied", records=records), "COPY 2")
    checks.equal("copied", [tuple(it) for it in await connection.fetch("SELECT * FROM copied")], records)
    out = io.BytesIO()
    await connection.copy_from_table("copied", output=out, format="csv", header=True)
    checks.equal("CSV", out.getvalue().decode(), 'i,t,n,a\n1,"ü\t\n",,"{1,NULL}"\n,,,\n')
    out.seek(0)
    await connection.copy_to_table("copied", source=out, format="csv", header=True)
    out = io.BytesIO()
    await connection.copy_from_query("SELECT i FROM copied WHERE i > $1", 0, output=out, format="binary")
    checks.equal("binary", len(out.getvalue()), 19 + 2 * 10 + 2)


async def cursors(connection):
    async with connection.transaction():
        total = 0
        async for record in connection.cursor("SELECT generate_series(1, $1::int)", 1000, prefetch=70):
            total += record[0]
        checks.equal("iterated", total, 500500)
        cursor = await connection.cursor("SELECT generate_series(1, 100)")
        await cursor.forward(50)
        checks.equal("fetched", [it[0] for it in await cursor.fetch(2)], [51, 52])
    checks.equal("big", len(await connection.fetchval("SELECT repeat('x', 20000000)")), 20000000)
    rows = await connection.fetch("SELECT i, repeat('x', 100) FROM generate_series(1, 200000) AS s(i)")
    checks.equal("many rows", (len(rows), sum(it[0] for it in rows)), (200000, 20000100000))


async def cancelling(connection):
    # Prepared before, because a cancel request that comes between two messages cancels nothing.
    endless = await connection.prepare(ENDLESS)
    try:
        await endless.fetch(timeout=1)
        checks.fail("timeout", "ended")
    except TimeoutError:
        checks.equal("after a timeout", await connection.fetchval("SELECT 1"), 1)
    task = asyncio.create_task(endless.fetch())
    await asyncio.sleep(1)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        checks.equal("after a cancel request", await connection.fetchval("SELECT 1"), 1)
    await connection.execute("SET statement_timeout = 100")
    checks.equal("statement_timeout", await failure(connection.fetch(ENDLESS)), ("57014", None))
    await connection.execute("RESET statement_timeout")


async def notices_and_notifications(connection):
    notices, heard = [], asyncio.Queue()
    connection.add_log_listener(lambda _, message: notices.append((message.severity, message.message)))
    await connection.execute("DROP TABLE IF EXISTS nowhere")
    await asyncio.sleep(0)
    checks.equal("notice", notices, [("NOTICE", 'table "nowhere" does not exist, skipping')])
    await connection.add_listener("bell", lambda _, pid, channel, payload: heard.put_nowait((channel, payload)))
    other = await connect()
    await other.execute("SELECT pg_notify('bell', $1)", "ding")
    await other.close()
    checks.equal("notification", await asyncio.wait_for(heard.get(), 10), ("bell", "ding"))


async def look_up(connection):
    await connection.execute("CREATE TYPE mood_of_asyncpg AS ENUM ('sad', 'glad')")
    await connection.execute("CREATE TYPE pair_of_asyncpg AS (a int, b text)")
    await connection.execute("CREATE DOMAIN many_of_asyncpg AS int CHECK (value > 1)")
    try:
        checks.equal("enum", await connection.fetchval("SELECT $1::mood_of_asyncpg", "glad"), "glad")
        checks.equal("enums", await connection.fetchval("SELECT $1::mood_of_asyncpg[]", ["sad", None]), ["sad", None])
        checks.equal("composite", tuple(await connection.fetchval("SELECT (1, 'a')::pair_of_asyncpg")), (1, "a"))
        checks.equal("domain", await connection.fetchval("SELECT $1::many_of_asyncpg", 3), 3)
        checks.equal("of it", [it.kind for it in (await connection.prepare("SELECT 'sad'::mood_of_asyncpg")).get_attributes() for it in [it.type]], ["scalar"])
    finally:
        await connection.execute("DROP TYPE mood_of_asyncpg; DROP TYPE pair_of_asyncpg; DROP DOMAIN many_of_asyncpg")


async def pool(_connection):
    async with asyncpg.create_pool(min_size=1, max_size=3, ssl=ssl.create_default_context(cafile=AUTHORITY)) as connections:
        async with connections.acquire() as connection:
            await connection.execute("SET TimeZone = 'Asia/Tokyo'; CREATE TEMP TABLE left_over (a int)")
        checks.equal("reset", await connections.fetchval("SHOW TimeZone"), "UTC")
        got = await asyncio.gather(*(connections.fetchval("SELECT $1::int", number) for number in range(50)))
        checks.equal("pool", got, list(range(50)))


async def session():
    connection = await connect()
    for part in (
        connecting, reading_and_sending, parameters, failing, transactions, copying, cursors, cancelling,
        notices_and_notifications, look_up, pool,
    ):
        try:
            await part(connection)
        except Exception as error:
            checks.count += 1
            checks.fail(part.__name__, f"{type(error).__name__}: {error}")
    await connection.close()
    checks.done()


asyncio.run(session())
