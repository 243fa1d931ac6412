"""A session of SQLAlchemy's core over psycopg: typed tables, transactions, streams, and a pool of connections."""

import datetime
import decimal
import uuid

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from check import Checks

checks = Checks()
engine = sa.create_engine("postgresql+psycopg://", pool_size=2)
metadata = sa.MetaData()
things = sa.Table(
    "things_of_sqlalchemy",
    metadata,
    sa.Column("id", sa.Integer, sa.Identity(), primary_key=True),
    sa.Column("name", sa.String(20), nullable=False, unique=True),
    sa.Column("price", sa.Numeric(38, 10)),
    sa.Column("weight", sa.Double),
    sa.Column("made", sa.DateTime(timezone=True)),
    sa.Column("day", sa.Date),
    sa.Column("mark", sa.Uuid),
    sa.Column("raw", sa.LargeBinary),
    sa.Column("facts", postgresql.JSONB),
    sa.Column("tags", postgresql.ARRAY(sa.Text)),
    sa.Column("wait", sa.Interval),
    sa.Column("kept", sa.Boolean, server_default=sa.true()),
)
ROW = {
    "name": "ü",
    "price": decimal.Decimal("1234567890123456789012345678.0123456789"),
    "weight": 0.1,
    "made": datetime.datetime(2024, 7, 1, 12, tzinfo=datetime.timezone.utc),
    "day": datetime.date(2024, 2, 29),
    "mark": uuid.UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    "raw": b"\x00\xff",
    "facts": {"a": [1, None]},
    "tags": ["x", None, "y,z"],
    "wait": datetime.timedelta(days=1, seconds=2),
}


def sqlstate(function):
    try:
        function()
    except sa.exc.DBAPIError as error:
        return error.orig.sqlstate
    return None


def tables():
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE IF EXISTS things_of_sqlalchemy"))
        metadata.create_all(connection, checkfirst=False)
        checks.equal("returned", connection.execute(things.insert().returning(things.c.id), ROW).scalar(), 1)
        got = connection.execute(sa.select(things)).mappings().one()
        for name, value in ROW.items():
            checks.equal(name, got[name], value)
        checks.equal("default", got["kept"], True)
        connection.execute(things.insert(), [{"name": f"n{number}", "weight": number} for number in range(500)])
        ids = connection.execute(
            things.insert().returning(things.c.id, sort_by_parameter_order=True),
            [{"name": f"m{number}"} for number in range(300)],
        ).scalars()
        checks.equal("many returned", list(ids), list(range(502, 802)))


def queries():
    with engine.connect() as connection:
        several = things.c.name.in_(["n1", "n2", "nowhere"])
        checks.equal("in", connection.scalar(sa.select(sa.func.count()).where(several)), 2)
        total = sa.select(sa.func.sum(things.c.weight)).where(things.c.weight.between(10, 20))
        for _ in range(12):
            checks.equal("sum", connection.scalar(total), 165.0)
        element = things.c.facts["a"][0].as_integer()
        checks.equal("json", connection.scalar(sa.select(element).where(things.c.id == 1)), 1)
        checks.equal("array", connection.scalar(sa.select(things.c.name).where(things.c.tags.contains(["x"]))), "ü")
        stream = connection.execution_options(stream_results=True, max_row_buffer=50).execute(sa.select(things.c.id))
        checks.equal("streamed", len(list(stream)), 801)
        page = sa.select(things.c.name).order_by(things.c.id.desc()).limit(2).offset(1)
        checks.equal("page", connection.scalars(page).all(), ["m298", "m297"])


def changes():
    with engine.connect() as connection:
        upsert = postgresql.insert(things).values(name="n1", weight=-1)
        upsert = upsert.on_conflict_do_update(index_elements=["name"], set_={"weight": upsert.excluded.weight})
        connection.execute(upsert)
        changed = connection.execute(things.update().where(things.c.weight < 0).values(kept=False))
        checks.equal("changed", changed.rowcount, 1)
        savepoint = connection.begin_nested()
        checks.equal("duplicate", sqlstate(lambda: connection.execute(things.insert(), {"name": "n2"})), "23505")
        savepoint.rollback()
        checks.equal("deleted", connection.execute(things.delete().where(things.c.id > 1)).rowcount, 800)
        connection.rollback()
        checks.equal("rolled back", connection.scalar(sa.select(sa.func.count(things.c.id))), 801)


def pool():
    with engine.connect() as connection:
        connection.execute(sa.text("SET TimeZone = 'Asia/Tokyo'"))
        process = connection.scalar(sa.text("SELECT pg_backend_pid()"))
    with engine.connect() as connection:
        checks.equal("same connection", connection.scalar(sa.text("SELECT pg_backend_pid()")), process)
        checks.equal("rolled back", connection.scalar(sa.text("SHOW TimeZone")), "UTC")
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        checks.equal("isolation", connection.scalar(sa.text("SHOW transaction_isolation")), "repeatable read")
    with engine.begin() as connection:
        metadata.drop_all(connection, checkfirst=False)
    with engine.connect() as connection:
        checks.equal("dropped", sqlstate(lambda: connection.execute(sa.select(things))), "42P01")


for part in tables, queries, changes, pool:
    checks.part(part)
checks.done()
