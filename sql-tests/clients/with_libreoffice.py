"""What LibreOffice Base's PostgreSQL driver reads, writes and tells of the catalog; libreoffice.sh starts the office."""

import os
import time

import uno
from com.sun.star.beans import PropertyValue
from com.sun.star.connection import NoConnectException
from com.sun.star.sdbc import SQLException

from check import PASSWORD, Checks, values

START_SECONDS_MAX = 60

checks = Checks()


def office():
    """The office's context, as soon as it has started."""
    context = uno.getComponentContext()
    resolver = context.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", context)
    started = time.monotonic()
    while True:
        try:
            return resolver.resolve(f"uno:pipe,name={os.environ['LIBREOFFICE_PIPE']};urp;StarOffice.ComponentContext")
        except NoConnectException:
            if time.monotonic() > started + START_SECONDS_MAX:
                raise
            time.sleep(0.5)


def connect(manager, password=PASSWORD):
    names = "host=localhost port={PGPORT} dbname={PGDATABASE} sslmode=verify-full sslrootcert={PGSSLROOTCERT}".format_map(os.environ)
    properties = [PropertyValue(Name="user", Value=os.environ["PGUSER"]), PropertyValue(Name="password", Value=password)]
    return manager.getConnectionWithInfo(f"sdbc:postgresql:{names}", tuple(properties))


def failure(function):
    try:
        function()
    except SQLException as error:
        return error.SQLState
    return None


def rows(result):
    count = result.getMetaData().getColumnCount()
    got = []
    while result.next():
        got.append(tuple(result.getString(n + 1) for n in range(count)))
    return got


def column(result, name):
    """One column of a catalog's answer."""
    number = result.findColumn(name)
    got = []
    while result.next():
        got.append(result.getString(number))
    return got


def reading(connection):
    statement = connection.createStatement()
    for value in values():
        checks.value(value, "text", lambda: rows(statement.executeQuery(f"SELECT format('%s', {value.sql})"))[0][0])
    result = statement.executeQuery("SELECT 7::int2, 0.1::float8, true, 'ü', date '2024-02-29', NULL")
    result.next()
    got = result.getShort(1), result.getDouble(2), result.getBoolean(3), result.getString(4), result.getDate(5).Day, result.getString(6)
    checks.equal("natives", got, (7, 0.1, True, "ü", 29, ""))
    checks.equal("null", result.wasNull(), True)
    checks.equal("fails", failure(lambda: statement.executeQuery("SELECT * FROM nowhere")) is not None, True)


def writing(connection):
    statement = connection.createStatement()
    statement.execute("CREATE TABLE of_libreoffice (id serial PRIMARY KEY, t varchar(10), n numeric(10,2), d date)")
    insert = connection.prepareStatement("INSERT INTO of_libreoffice (t, n, d) VALUES (?, ?, ?)")
    for number in range(3):
        insert.setString(1, f"it's {number}")
        insert.setDouble(2, number / 4)
        insert.setDate(3, uno.createUnoStruct("com.sun.star.util.Date", 29, 2, 2024))
        checks.equal("inserted", insert.executeUpdate(), 1)
    find = connection.prepareStatement("SELECT t, n FROM of_libreoffice WHERE id > ? ORDER BY id")
    find.setLong(1, 1)
    checks.equal("found", rows(find.executeQuery()), [("it's 1", "0.25"), ("it's 2", "0.50")])
    checks.equal("updated", statement.executeUpdate("UPDATE of_libreoffice SET n = n + 1"), 3)
    statement.execute("DROP TABLE of_libreoffice")


def catalog(connection):
    data = connection.getMetaData()
    checks.equal("product", data.getDatabaseProductName(), "PostgreSQL")
    checks.equal("schemas", [it for it in column(data.getSchemas(), "TABLE_SCHEM") if not it.startswith("pg_t")],
                 ["public", "information_schema", "store", "pg_catalog"])
    tables = data.getTables(None, "store", "%", ("TABLE", "VIEW"))
    checks.equal("tables", column(tables, "TABLE_NAME"), ["Odd name", "customers", "kinds", "names", "orders", "pairs", "parts"])
    checks.equal("columns", column(data.getColumns(None, "store", "customers", "%"), "COLUMN_NAME"),
                 ["id", "name", "mail", "created_at", "tags", "facts", "state", "home"])
    checks.equal("types", column(data.getColumns(None, "store", "orders", "%"), "TYPE_NAME"),
                 ["int4", "int8", "int4", "int4", "timestamp", "amount"])
    checks.equal("primary key", column(data.getPrimaryKeys(None, "store", "parts"), "COLUMN_NAME"), ["order", "line"])
    checks.equal("imported", column(data.getImportedKeys(None, "store", "pairs"), "FKCOLUMN_NAME"), ["order", "line"])
    checks.equal("exported", column(data.getExportedKeys(None, "store", "customers"), "FKTABLE_NAME"), ["orders"])
    checks.equal("indexes", sorted(set(column(data.getIndexInfo(None, "store", "orders", False, True), "INDEX_NAME"))),
                 ["orders_customer_at", "orders_pkey"])
    checks.equal("knows integer", "int4" in column(data.getTypeInfo(), "TYPE_NAME"), True)
    checks.equal("privileges", "SELECT" in column(data.getTablePrivileges(None, "store", "orders"), "PRIVILEGE"), True)


def definitions(driver, connection):
    """What Base's table designer reads and does."""
    tables = driver.getDataDefinitionByConnection(connection).getTables()
    checks.equal("store", [it for it in tables.getElementNames() if it.startswith("store.p")], ["store.pairs", "store.parts"])
    parts = tables.getByName("store.parts")
    checks.equal("columns", parts.getColumns().getElementNames(), ("order", "line", "note"))
    checks.equal("keys", parts.getKeys().getCount(), 2)
    checks.equal("indexes", parts.getIndexes().getElementNames(), ("parts_pkey",))
    made = tables.createDataDescriptor()
    made.SchemaName, made.Name = "store", "designed"
    one = made.getColumns().createDataDescriptor()
    one.Name, one.TypeName, one.Type, one.IsNullable = "id", "int4", 4, 0
    made.getColumns().appendByDescriptor(one)
    tables.appendByDescriptor(made)
    checks.equal("made", tables.getByName("store.designed").getColumns().getElementNames(), ("id",))
    tables.dropByName("store.designed")
    checks.equal("dropped", tables.hasByName("store.designed"), False)
    checks.equal("users", "clients" in driver.getDataDefinitionByConnection(connection).getUsers().getElementNames(), True)


context = office()
manager = context.ServiceManager.createInstanceWithContext("com.sun.star.sdbc.DriverManager", context)
checks.equal("wrong password", failure(lambda: connect(manager, "wrong")) is not None, True)
connection = connect(manager)
for part in reading, writing, catalog:
    checks.part(part, connection)
checks.part(definitions, manager.getDriverByURL("sdbc:postgresql:"), connection)
connection.close()
checks.done()
