"""What SQLAlchemy's dialect for Redshift tells of a database, and makes in it, over two drivers.

PostgreSQL does not have what it asks for, so what is expected is written down here.
"""

import os
import warnings

import sqlalchemy as sa

from check import AUTHORITY, DATABASE, PASSWORD, PORT, Checks, values

checks = Checks()
# One of the drivers reads it.
os.environ["SSL_CERT_FILE"] = AUTHORITY

DRIVERS = {
    "psycopg2": ("clients", {"sslrootcert": AUTHORITY}),
    # It cannot do SCRAM.
    "redshift_connector": ("clients_md5", {}),
}
STATEMENTS = (
    "DROP SCHEMA IF EXISTS reflected CASCADE",
    "CREATE SCHEMA reflected",
    """CREATE TABLE reflected.people (
        id integer NOT NULL,
        name varchar(20) NOT NULL DEFAULT 'x'::character varying,
        CONSTRAINT people_pkey PRIMARY KEY (id),
        CONSTRAINT people_name_key UNIQUE (name)
    ) DISTSTYLE ALL""",
    """CREATE TABLE reflected.visits (
        person integer,
        number integer,
        price numeric(12,3) DEFAULT 0.5,
        weight double precision,
        at timestamp,
        at_zone timestamptz,
        day date,
        kept boolean,
        note varchar(256) ENCODE lzo,
        CONSTRAINT visits_pkey PRIMARY KEY (person, number),
        CONSTRAINT visits_person_fkey FOREIGN KEY (person) REFERENCES reflected.people (id)
    ) DISTSTYLE KEY DISTKEY (person) SORTKEY (day, number)""",
    "COMMENT ON TABLE reflected.visits IS 'who came'",
    "COMMENT ON COLUMN reflected.visits.day IS 'when'",
    "CREATE VIEW reflected.names AS SELECT name FROM reflected.people",
)
COLUMNS = [
    ("person", "INTEGER", False, None, None),
    ("number", "INTEGER", False, None, None),
    ("price", "NUMERIC(12, 3)", True, "0.5", None),
    ("weight", "DOUBLE PRECISION", True, None, None),
    ("at", "TIMESTAMP WITHOUT TIME ZONE", True, None, None),
    ("at_zone", "TIMESTAMPTZ", True, None, None),
    ("day", "DATE", True, None, "when"),
    ("kept", "BOOLEAN", True, None, None),
    ("note", "VARCHAR(256)", True, None, None),
]


def make_engine(driver):
    user, arguments = DRIVERS[driver]
    url = sa.URL.create(f"redshift+{driver}", user, PASSWORD, "localhost", PORT, DATABASE)
    return sa.create_engine(url, connect_args={"sslmode": "verify-full", **arguments})


def described(column, dialect):
    # The types' own text, which has no "(53)" behind a double precision.
    name = column["type"].compile(dialect=dialect).replace("(53)", "")
    return column["name"], name, column["nullable"], column["default"], column["comment"]


def names(engine):
    inspector = sa.inspect(engine)
    checks.equal("schema", "reflected" in inspector.get_schema_names(), True)
    checks.equal("default schema", inspector.default_schema_name, "public")
    checks.equal("tables", sorted(inspector.get_table_names("reflected")), ["people", "visits"])
    checks.equal("views", inspector.get_view_names("reflected"), ["names"])
    checks.equal("has", [inspector.has_table(it, "reflected") for it in ("people", "names", "nowhere")], [True, True, False])
    checks.equal("view", "reflected.people" in inspector.get_view_definition("names", "reflected"), True)


def tables(engine):
    inspector = sa.inspect(engine)
    columns = inspector.get_columns("visits", "reflected")
    checks.equal("columns", [described(it, engine.dialect) for it in columns], COLUMNS)
    checks.equal("encoding", columns[-1].get("info"), {"encode": "lzo"})
    checks.equal("columns of a view", [it["name"] for it in inspector.get_columns("names", "reflected")], ["name"])
    key = inspector.get_pk_constraint("visits", "reflected")
    checks.equal("primary key", (key["constrained_columns"], key["name"]), (["person", "number"], "visits_pkey"))
    foreign = inspector.get_foreign_keys("visits", "reflected")
    told = [(it["name"], it["constrained_columns"], it["referred_schema"], it["referred_table"]) for it in foreign]
    checks.equal("foreign keys", told, [("visits_person_fkey", ["person"], "reflected", "people")])
    unique = inspector.get_unique_constraints("people", "reflected")
    checks.equal("unique", [(it["name"], it["column_names"]) for it in unique], [("people_name_key", ["name"])])
    checks.equal("comment", inspector.get_table_comment("visits", "reflected"), {"text": "who came"})
    options = inspector.get_table_options("visits", "reflected")
    checks.equal("distribution", (options["redshift_diststyle"], options["redshift_distkey"]), ("KEY", "person"))
    checks.equal("sort key", options["redshift_sortkey"], ("day", "number"))
    checks.equal("for all", inspector.get_table_options("people", "reflected")["redshift_diststyle"], "ALL")
    several = inspector.get_multi_columns(schema="reflected")
    checks.equal("of several", {name: len(it) for (_, name), it in sorted(several.items())}, {"people": 2, "visits": 9})


def whole(engine):
    metadata = sa.MetaData()
    metadata.reflect(engine, schema="reflected", views=True)
    checks.equal("all", sorted(metadata.tables), ["reflected.names", "reflected.people", "reflected.visits"])
    visits = metadata.tables["reflected.visits"]
    checks.equal("options", dict(visits.dialect_options["redshift"])["distkey"], "person")
    checks.equal("key", [column.name for column in visits.primary_key], ["person", "number"])


def rows(engine):
    metadata = sa.MetaData(schema="reflected")
    made = sa.Table(
        "made",
        metadata,
        sa.Column("id", sa.BigInteger, primary_key=True, redshift_identity=(1, 1)),
        sa.Column("name", sa.String(30), redshift_encode="zstd"),
        sa.Column("price", sa.Numeric(10, 2)),
        redshift_diststyle="KEY",
        redshift_distkey="name",
        redshift_sortkey=("name", "price"),
    )
    metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(made.insert(), [{"name": f"n{number}", "price": number} for number in range(20)])
        total = sa.select(sa.func.count(), sa.func.sum(made.c.price)).where(made.c.name.like("n1%"))
        checks.equal("sum", [str(it) for it in connection.execute(total).one()], ["11", "146.00"])
        connection.execute(made.update().where(made.c.price < 5).values(name="cheap"))
        checks.equal("deleted", connection.execute(made.delete().where(made.c.name == "cheap")).rowcount, 5)
        checks.equal("now", connection.scalar(sa.select(sa.func.now())) is not None, True)
        connection.rollback()
    with engine.connect() as connection:
        checks.equal("rolled back", connection.scalar(sa.select(sa.func.count()).select_from(made)), 0)
    metadata.drop_all(engine)


def text_values(engine):
    with engine.connect() as connection:
        for value in values():
            query = sa.text(f"SELECT format(chr(37) || 's', {value.sql})".replace(":", r"\:"))
            checks.value(value, "text", lambda: connection.scalar(query))


def session(driver):
    engine = make_engine(driver)
    with engine.begin() as connection:
        for statement in STATEMENTS:
            connection.exec_driver_sql(statement)
    for part in names, tables, whole, rows, text_values:
        checks.part(part, engine)
    engine.dispose()


warnings.simplefilter("ignore")
for driver in DRIVERS:
    session(driver)
checks.done()
