"""What SQLAlchemy's inspector tells of a database, and what it makes of it: with each of two drivers, the same as of PostgreSQL.

What it tells is recorded in inspected/sqlalchemy.txt, about the relations of inspected/schema.sql.
"""

import os
import warnings

import sqlalchemy as sa
from sqlalchemy.engine.reflection import ObjectKind, ObjectScope
from sqlalchemy.schema import CreateTable

from answers import Answers
from check import Checks, values

SCHEMAS = "inspected", "inspected_too"
OF_A_TABLE = (
    "columns",
    "pk_constraint",
    "foreign_keys",
    "indexes",
    "unique_constraints",
    "check_constraints",
    "table_comment",
    "table_options",
)
# Their order is not promised.
UNORDERED = {"foreign_keys", "indexes", "unique_constraints", "check_constraints"}

checks = Checks()
answers = Answers(checks, "inspected/sqlalchemy.txt")


def make_schema(engine):
    with open(os.path.join(os.path.dirname(__file__), "inspected", "schema.sql"), encoding="utf-8") as file:
        statements = file.read()
    with engine.connect() as connection:
        # Without parameters, so that the driver sends it as it is.
        connection.connection.cursor().execute(statements)
        connection.connection.commit()


def ordered(what, answer):
    return sorted(answer, key=lambda it: it["name"]) if what in UNORDERED else answer


def names(inspector, driver):
    answers.same("schemas", lambda: [it for it in sorted(inspector.get_schema_names()) if it in (*SCHEMAS, "public")], driver)
    answers.same("default schema", lambda: inspector.default_schema_name, driver)
    for schema in SCHEMAS:
        for what in "table", "view", "materialized_view", "sequence", "foreign_table":
            answers.same(f"{what}s of {schema}", lambda: sorted(getattr(inspector, f"get_{what}_names")(schema)), driver)
        answers.same(f"enums of {schema}", lambda: sorted(inspector.get_enums(schema), key=lambda it: it["name"]), driver)
        answers.same(f"domains of {schema}", lambda: sorted(inspector.get_domains(schema), key=lambda it: it["name"]), driver)
        # By their dependencies.
        answers.same(f"sorted tables of {schema}", lambda: inspector.get_sorted_table_and_fkc_names(schema)[-1], driver)
    all_enums = lambda: sorted((it["schema"], it["name"]) for it in inspector.get_enums("*") if it["schema"] in SCHEMAS)
    answers.same("all enums", all_enums, driver)
    answers.same("view of inspected", lambda: "customers" in inspector.get_view_definition("names", "inspected"), driver)
    answers.same("system's tables", lambda: {"pg_class", "pg_type"} <= set(inspector.get_table_names("pg_catalog")), driver)


def existence(inspector, driver):
    for table in "customers", "names", "numbers", "Customers", 'Odd "name%', "nowhere":
        answers.same(f"has table {table}", lambda: inspector.has_table(table, "inspected"), driver)
    answers.same("has sequence", lambda: [inspector.has_sequence(it, "inspected") for it in ("numbers", "customers", "x")], driver)
    answers.same("has schema", lambda: [inspector.has_schema(it) for it in ("inspected", "Inspected", "pg_catalog")], driver)
    indexes = "customers_pkey", "customers_email_key", "nothing"
    answers.same("has index", lambda: [inspector.has_index("customers", it, "inspected") for it in indexes], driver)
    answers.same("oid", lambda: inspector.get_table_oid("customers", "inspected") > 0, driver)
    for what in OF_A_TABLE:
        answers.same(f"no such table, {what}", lambda: failure(getattr(inspector, f"get_{what}"), "nowhere", "inspected"), driver)


def failure(function, *arguments):
    try:
        return function(*arguments)
    except sa.exc.NoSuchTableError as error:
        return f"NoSuchTableError: {error}"


def tables(inspector, driver):
    for schema in SCHEMAS:
        for table in sorted(inspector.get_table_names(schema) + inspector.get_view_names(schema)):
            for what in OF_A_TABLE:
                get = getattr(inspector, f"get_{what}")
                answers.same(f"{schema}.{table}, {what}", lambda: ordered(what, get(table, schema)), driver)


def many(inspector, driver):
    """All of a schema at once, by statements of its own."""
    for schema in SCHEMAS:
        for what in OF_A_TABLE:
            get = getattr(inspector, f"get_multi_{what}")
            for kind in ObjectKind.TABLE, ObjectKind.ANY_VIEW, ObjectKind.ANY:

                def all_of_them():
                    got = get(schema=schema, kind=kind, scope=ObjectScope.ANY)
                    return {key: ordered(what, value) for key, value in got.items()}

                answers.same(f"{what} of all of {kind}, {schema}", all_of_them, driver)
        some = inspector.get_multi_columns(schema=schema, filter_names=["customers", "parts", "nowhere"])
        answers.same(f"columns of some, {schema}", lambda: sorted(some), driver)


def search_path(engine, driver):
    """Without a schema, what the search path finds: temporary tables, too."""
    with engine.connect() as connection:
        connection.execute(sa.text("SET search_path TO inspected, public"))
        connection.execute(sa.text("CREATE TEMPORARY TABLE passing (id integer PRIMARY KEY, name text DEFAULT 'x'::text)"))
        connection.execute(sa.text("CREATE TEMPORARY VIEW glance AS SELECT 1 AS one"))
        connection.execute(sa.text("COMMENT ON TABLE passing IS 'soon gone'"))
        inspector = sa.inspect(connection)
        answers.same("temporary tables", lambda: inspector.get_temp_table_names(), driver)
        answers.same("temporary views", lambda: inspector.get_temp_view_names(), driver)
        answers.same("is temporary found", lambda: inspector.has_table("passing"), driver)
        answers.same("in the search path", lambda: [inspector.has_table(it) for it in ("orders", "parts", "pg_class")], driver)
        for table in "passing", "orders":
            for what in OF_A_TABLE:
                get = getattr(inspector, f"get_{what}")
                answers.same(f"found {table}, {what}", lambda: ordered(what, get(table)), driver)

        def temporary():
            got = inspector.get_multi_columns(kind=ObjectKind.ANY, scope=ObjectScope.TEMPORARY)
            return {table: [column["name"] for column in columns] for (_, table), columns in got.items()}

        answers.same("columns of temporary ones", temporary, driver)
        connection.rollback()


def whole(engine, driver):
    """All relations as objects, and the statements that would make them again."""
    metadata = sa.MetaData()
    for schema in SCHEMAS:
        metadata.reflect(engine, schema=schema, views=True)
    answers.same("all relations", lambda: sorted(metadata.tables), driver)
    for name, table in sorted(metadata.tables.items()):
        answers.same(f"statement of {name}", lambda: statement(table, engine), driver)
    # Made again from what was told.
    again = sa.MetaData()
    reflected = sa.Table("customers", again, schema="inspected", autoload_with=engine)
    answers.same("found by a foreign key", lambda: sorted(again.tables), driver)
    with engine.connect() as connection:
        connection.execute(sa.insert(reflected).values(name="a", email="a@b", status="paid"))
        got = connection.execute(sa.select(reflected.c.id, reflected.c.name, reflected.c.status)).all()
        answers.same("row", lambda: [tuple(row) for row in got], driver)
        connection.rollback()


def statement(table, engine):
    """Its lines in their order, since that of the constraints is not promised."""
    try:
        lines = str(CreateTable(table).compile(engine)).splitlines()
    except sa.exc.CompileError as error:
        return str(error)
    return sorted(line.strip().rstrip(",") for line in lines if line.strip())


def reflected_again(engine, driver):
    """Tables that were reflected make the same ones in another schema."""
    metadata = sa.MetaData()
    source = sa.Table("orders", metadata, schema="inspected", autoload_with=engine)

    def schema_of_copy(table):
        return "copied" if table is source else table.schema

    def referred_schema(_table, _schema, key, _referred):
        return schema_of_copy(key.referred_table)

    with engine.connect() as connection:
        connection.execute(sa.text("CREATE SCHEMA copied"))
        copy = sa.MetaData()
        for table in metadata.sorted_tables:
            table.to_metadata(copy, schema=schema_of_copy(table), referred_schema_fn=referred_schema)
        copied = copy.tables["copied.orders"]
        # The default names the other table's sequence, and the domain was moved with the table.
        copied.c.id.server_default = None
        copied.c.rate.type = source.c.rate.type
        copied.create(connection)
        inspector = sa.inspect(connection)
        for what in OF_A_TABLE:
            get = getattr(inspector, f"get_{what}")
            answers.same(f"copied, {what}", lambda: ordered(what, get("orders", "copied")), driver)
        connection.rollback()


def text_values(engine, how):
    with engine.connect() as connection:
        for value in values():
            query = sa.text(f"SELECT format('%s', {value.sql})".replace(":", r"\:"))
            checks.value(value, f"text{how}", lambda: connection.scalar(query))


def session(driver):
    engine = sa.create_engine(f"postgresql+{driver}://")
    make_schema(engine)
    how = f", {driver}"
    for part in names, existence, tables, many:
        checks.part(part, sa.inspect(engine), how)
    for part in search_path, whole, reflected_again, text_values:
        checks.part(part, engine, how)
    engine.dispose()


# Of types that it does not know it warns, as it does with PostgreSQL.
warnings.simplefilter("ignore", sa.exc.SAWarning)
for driver in "psycopg", "psycopg2":
    session(driver)
answers.done()
