"""What psqlODBC tells of the catalog by every catalog function that pyodbc and the driver manager offer.

pyodbc has no functions for SQLTablePrivileges and SQLColumnPrivileges, so these are called in the driver manager itself."""

import ctypes
import ctypes.util
import os

import pyodbc

OPTIONS = {
    "Driver": "{PostgreSQL Unicode}",
    "Server": "localhost",
    "Port": os.environ["PGPORT"],
    "Database": os.environ["PGDATABASE"],
    "Uid": os.environ["PGUSER"],
    "Pwd": "{" + os.environ["PGPASSWORD"] + "}",
    "SSLmode": "verify-full",
    "pqopt": "{sslrootcert=" + os.environ["PGSSLROOTCERT"] + "}",
}
ADDRESS = ";".join(f"{name}={value}" for name, value in OPTIONS.items())

# How large an index is, which is each server's own affair, and the numbers of tables.
LEFT_OUT = {"cardinality", "pages", "table oid"}
# From this number on, types are the users' own, and have other numbers elsewhere.
FIRST_OF_USERS = 16384
SCHEMAS = {"store", "public", "pg_catalog", "information_schema"}
FUNCTIONS = ["initcap", "md5", "date_trunc", "json_each"]
SQL_NTS, SQL_HANDLE_ENV, SQL_HANDLE_DBC, SQL_HANDLE_STMT = -3, 1, 2, 3
SQL_ATTR_ODBC_VERSION, SQL_OV_ODBC3, SQL_C_CHAR, SQL_NO_DATA = 200, 3, 1, 100


def catalog(cursor):
    """The questions that pyodbc can ask: name and answer."""
    yield "SQLTables", lambda: cursor.tables(schema="store")
    for kind in "TABLE", "VIEW", "SYSTEM TABLE", "MATVIEW", "FOREIGN TABLE", "TABLE,VIEW":
        yield f"SQLTables {kind}", lambda kind=kind: cursor.tables(schema="store", tableType=kind)
    yield "SQLTables by pattern", lambda: cursor.tables(table="p%r%", schema="st_re")
    yield "SQLTables of the system", lambda: cursor.tables(table="pg_cla%", schema="pg_catalog")
    yield "SQLTables, catalogs", lambda: cursor.tables(catalog="%", schema="", table="")
    yield "SQLTables, schemas", lambda: cursor.tables(catalog="", schema="%", table="")
    yield "SQLTables, kinds", lambda: cursor.tables(catalog="", schema="", table="", tableType="%")
    yield "SQLColumns", lambda: cursor.columns(schema="store")
    yield "SQLColumns of one", lambda: cursor.columns(schema="store", table="orders", column="%t%")
    yield "SQLColumns of an odd name", lambda: cursor.columns(schema="store", table="Odd name")
    yield "SQLColumns of the system", lambda: cursor.columns(schema="pg_catalog", table="pg_namespace")
    for table in "customers", "orders", "parts", "pairs", "Odd name":
        yield f"SQLPrimaryKeys {table}", lambda table=table: cursor.primaryKeys(table, schema="store")
        yield f"SQLForeignKeys of {table}", lambda table=table: cursor.foreignKeys(foreignTable=table, foreignSchema="store")
        yield f"SQLForeignKeys to {table}", lambda table=table: cursor.foreignKeys(table=table, schema="store")
        yield f"SQLStatistics {table}", lambda table=table: cursor.statistics(table, schema="store")
        yield f"SQLStatistics unique {table}", lambda table=table: cursor.statistics(table, schema="store", unique=True)
        yield f"SQLSpecialColumns, row {table}", lambda table=table: cursor.rowIdColumns(table, schema="store")
        yield f"SQLSpecialColumns, version {table}", lambda table=table: cursor.rowVerColumns(table, schema="store")
    yield "SQLForeignKeys between two", lambda: cursor.foreignKeys("parts", schema="store", foreignTable="pairs", foreignSchema="store")
    yield "SQLGetTypeInfo", lambda: cursor.getTypeInfo()
    for kind in pyodbc.SQL_INTEGER, pyodbc.SQL_VARCHAR, pyodbc.SQL_WVARCHAR, pyodbc.SQL_NUMERIC, pyodbc.SQL_TYPE_TIMESTAMP, pyodbc.SQL_GUID:
        yield f"SQLGetTypeInfo {kind}", lambda kind=kind: cursor.getTypeInfo(kind)
    yield "SQLProcedures of store", lambda: cursor.procedures(schema="store")
    for name in FUNCTIONS:
        yield f"SQLProcedures {name}", lambda name=name: cursor.procedures(procedure=name, schema="pg_catalog")
        yield f"SQLProcedureColumns {name}", lambda name=name: cursor.procedureColumns(procedure=name, schema="pg_catalog")


def queries(cursor):
    """What is told of queries' columns."""
    for query in "SELECT * FROM store.kinds", "SELECT * FROM store.customers", "SELECT id AS n, name, 1.5::numeric(5,2) FROM store.names":
        cursor.execute(query)
        yield query, "\n".join("|".join(str(part) for part in column) for column in cursor.description)


class DriverManager:
    """A session through the driver manager's own functions, for those that pyodbc leaves out."""

    def __init__(self):
        self.odbc = ctypes.CDLL(ctypes.util.find_library("odbc"))
        self.environment = self.handle(SQL_HANDLE_ENV, None)
        self.odbc.SQLSetEnvAttr(self.environment, SQL_ATTR_ODBC_VERSION, ctypes.c_void_p(SQL_OV_ODBC3), 0)
        self.connection = self.handle(SQL_HANDLE_DBC, self.environment)
        status = self.odbc.SQLDriverConnect(self.connection, None, ADDRESS.encode(), SQL_NTS, None, 0, None, 0)
        if status not in (0, 1):
            raise ConnectionError(f"SQLDriverConnect answers {status}")

    def handle(self, kind, parent):
        handle = ctypes.c_void_p()
        self.odbc.SQLAllocHandle(kind, parent, ctypes.byref(handle))
        return handle

    def ask(self, function, *names):
        """What a catalog function answers; a name is NULL or a text."""
        statement = self.handle(SQL_HANDLE_STMT, self.connection)
        arguments = [part for name in names for part in (name and name.encode(), ctypes.c_short(SQL_NTS))]
        status = getattr(self.odbc, function)(statement, *arguments)
        lines = [f"status {status}"]
        count = ctypes.c_short()
        self.odbc.SQLNumResultCols(statement, ctypes.byref(count))
        while status in (0, 1) and self.odbc.SQLFetch(statement) != SQL_NO_DATA:
            lines.append("|".join(self.text(statement, n + 1) for n in range(count.value)))
        self.odbc.SQLFreeHandle(SQL_HANDLE_STMT, statement)
        return "\n".join(lines)

    def text(self, statement, number):
        buffer, length = ctypes.create_string_buffer(1000), ctypes.c_long()
        self.odbc.SQLGetData(statement, number, SQL_C_CHAR, buffer, len(buffer), ctypes.byref(length))
        return "None" if length.value < 0 else buffer.value.decode()


def shown(cursor):
    """The names of the columns, then the rows. What the driver asks for without an order is sorted."""
    names = [column[0] for column in cursor.description]
    kept = [n for n, name in enumerate(names) if name not in LEFT_OUT]
    rows = [[value(names[n], row[n]) for n in kept] for row in cursor.fetchall()]
    if all(row[2] == "None" for row in rows):
        rows = sorted(row for row in rows if row[1] in SCHEMAS | {"None"})
    return "\n".join("|".join(line) for line in [[names[n] for n in kept], *rows])


def value(name, it):
    if name == "field_type" and it >= FIRST_OF_USERS:
        return "own"
    return str(it).replace("\n", " ")


def main():
    connection = pyodbc.connect(ADDRESS, autocommit=True)
    cursor = connection.cursor()
    for name, question in catalog(cursor):
        print(f"== {name}")
        try:
            print(shown(question()))
        except pyodbc.Error as error:
            print(*error.args)
    for query, columns in queries(cursor):
        print(f"== {query}\n{columns}")
    manager = DriverManager()
    for table in "customers", "names":
        print(f"== SQLTablePrivileges {table}\n{manager.ask('SQLTablePrivileges', None, 'store', table)}")
    print(f"== SQLColumnPrivileges\n{manager.ask('SQLColumnPrivileges', None, 'store', 'orders', '%')}")


main()
