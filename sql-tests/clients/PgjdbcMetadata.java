import java.lang.reflect.Method;
import java.sql.*;
import java.util.*;

/** What pgjdbc tells of the catalog by every method of DatabaseMetaData, and of queries' columns and parameters. */
public class PgjdbcMetadata {
    /** About the connection or the program's version: other ones each time. */
    static final Set<String> PASSING = Set.of(
        "getURL", "getUserName", "getConnection", "getDriverVersion", "getDriverMajorVersion", "getDriverMinorVersion",
        "getDatabaseProductVersion", "getDatabaseMinorVersion", "getClass", "hashCode", "toString", "notify", "notifyAll", "wait");
    /** Of all objects, among them the system's, of which there are others here; asked below for some of them. */
    static final Set<String> OF_ALL = Set.of("getTypeInfo", "getSchemas");
    static final String[] KINDS = {
        "TABLE", "PARTITIONED TABLE", "VIEW", "MATERIALIZED VIEW", "FOREIGN TABLE", "INDEX", "PARTITIONED INDEX", "SEQUENCE", "TYPE",
        "SYSTEM TABLE", "SYSTEM VIEW", "SYSTEM INDEX", "TEMPORARY TABLE", "TEMPORARY VIEW", "TEMPORARY INDEX", "TEMPORARY SEQUENCE",
    };

    /** The types of which tables here can have columns. */
    static final Set<String> KNOWN_TYPES = Set.of(
        "TYPE_NAME", "bool", "char", "name", "int2", "int4", "int8", "oid", "float4", "float8", "numeric", "text", "varchar", "bpchar", "bytea",
        "date", "time", "timetz", "timestamp", "timestamptz", "interval", "uuid", "json", "jsonb", "serial", "bigserial", "smallserial",
        "_bool", "_int4", "_text", "_varchar", "_numeric", "_timestamptz", "_uuid", "_jsonb");

    /** How large an index is, which is each server's own affair. */
    static final Set<String> SIZES = Set.of("CARDINALITY", "PAGES");

    interface Question {
        Object of(DatabaseMetaData data) throws Exception;
    }

    static DatabaseMetaData data;

    public static void main(String[] arguments) throws Exception {
        try (Connection connection = connect()) {
            data = connection.getMetaData();
            constants();
            relations();
            columns();
            keys();
            indexes();
            functions();
            types();
            privileges();
            queries(connection);
            parameters(connection);
        }
    }

    /** What is asked without arguments: what the server can do, its limits and the names of its functions. */
    static void constants() {
        Method[] methods = DatabaseMetaData.class.getMethods();
        Arrays.sort(methods, Comparator.comparing(Method::getName));
        for (Method method : methods) {
            boolean asked = method.getParameterCount() == 0 && !PASSING.contains(method.getName()) && !OF_ALL.contains(method.getName());
            if (asked) ask(method.getName(), it -> method.invoke(it));
        }
    }

    static void relations() {
        ask("getTables", it -> it.getTables(null, "store", "%", null));
        for (String kind : KINDS) ask("getTables " + kind, it -> it.getTables(null, "store", "%", new String[] {kind}));
        ask("getTables of two kinds", it -> it.getTables(null, "store", "%", new String[] {"TABLE", "VIEW"}));
        ask("getTables by pattern", it -> it.getTables(null, "st_re", "%er_", null));
        ask("getTables with an escape", it -> it.getTables(null, "store", "Odd\\_name", null));
        ask("getTables of no schema", it -> it.getTables(null, "", "%", new String[] {"TABLE"}));
        ask("getTables of another catalog", it -> it.getTables("elsewhere", "store", "%", null));
        ask("getTables of the system", it -> it.getTables(null, "pg_catalog", "pg_class", null));
        ask("getTables of the standard", it -> it.getTables(null, "information_schema", "tables", null));
        ask("getSchemas by pattern", it -> it.getSchemas(null, "st%"));
        ask("getSchemas of the system", it -> it.getSchemas(null, "pg\\_c%"));
        ask("getSuperTables", it -> it.getSuperTables(null, "store", "%"));
        ask("getSuperTypes", it -> it.getSuperTypes(null, "store", "%"));
    }

    static void columns() {
        ask("getColumns", it -> it.getColumns(null, "store", "%", "%"));
        ask("getColumns of one", it -> it.getColumns(null, "store", "Odd name", "100\\%\\_\\\\"));
        ask("getColumns by pattern", it -> it.getColumns(null, "store", "orders", "%t%"));
        ask("getColumns of the system", it -> it.getColumns(null, "pg_catalog", "pg_namespace", "%"));
        ask("getColumns of the standard", it -> it.getColumns(null, "information_schema", "schemata", "%"));
        ask("getPseudoColumns", it -> it.getPseudoColumns(null, "store", "customers", "%"));
        ask("getVersionColumns", it -> it.getVersionColumns(null, "store", "customers"));
        for (String table : new String[] {"customers", "parts", "Odd name"}) {
            ask("getBestRowIdentifier " + table, it -> it.getBestRowIdentifier(null, "store", table, DatabaseMetaData.bestRowSession, true));
        }
        ask("getAttributes", it -> it.getAttributes(null, "store", "place", "%"));
    }

    static void keys() {
        for (String table : new String[] {"customers", "orders", "parts", "pairs", "names"}) {
            ask("getPrimaryKeys " + table, it -> it.getPrimaryKeys(null, "store", table));
            ask("getImportedKeys " + table, it -> it.getImportedKeys(null, "store", table));
            ask("getExportedKeys " + table, it -> it.getExportedKeys(null, "store", table));
        }
        ask("getCrossReference", it -> it.getCrossReference(null, "store", "parts", null, "store", "pairs"));
        ask("getCrossReference of none", it -> it.getCrossReference(null, "store", "customers", null, "store", "pairs"));
        ask("getPrimaryKeys by catalog", it -> it.getPrimaryKeys(it.getConnection().getCatalog(), null, "parts"));
    }

    static void indexes() {
        for (String table : new String[] {"customers", "orders", "parts", "Odd name"}) {
            ask("getIndexInfo " + table, it -> it.getIndexInfo(null, "store", table, false, true));
            ask("getIndexInfo unique " + table, it -> it.getIndexInfo(null, "store", table, true, false));
        }
    }

    static void functions() {
        for (String name : new String[] {"initcap", "md5", "date\\_trunc", "generate\\_series", "json\\_each", "pg\\_get\\_keywords"}) {
            ask("getFunctions " + name, it -> it.getFunctions(null, "pg_catalog", name));
            ask("getFunctionColumns " + name, it -> it.getFunctionColumns(null, "pg_catalog", name, "%"));
            ask("getProcedureColumns " + name, it -> it.getProcedureColumns(null, "pg_catalog", name, "%"));
        }
        ask("getFunctions of store", it -> it.getFunctions(null, "store", "%"));
        ask("getProcedures", it -> it.getProcedures(null, "store", "%"));
        ask("getProcedures of the system", it -> it.getProcedures(null, "pg_catalog", "%"));
    }

    static void types() {
        ask("getTypeInfo", it -> only(rows(it.getTypeInfo()), KNOWN_TYPES));
        ask("getUDTs", it -> it.getUDTs(null, "store", "%", null));
        ask("getUDTs STRUCT", it -> it.getUDTs(null, "store", "%", new int[] {Types.STRUCT}));
        ask("getUDTs DISTINCT", it -> it.getUDTs(null, "store", "m%", new int[] {Types.DISTINCT}));
        ask("getUDTs by name", it -> it.getUDTs(null, null, "store.place", null));
        ask("supportsConvert", it -> it.supportsConvert(Types.INTEGER, Types.VARCHAR));
        ask("supportsResultSetType", it -> it.supportsResultSetType(ResultSet.TYPE_SCROLL_INSENSITIVE));
        ask("supportsTransactionIsolationLevel", it -> it.supportsTransactionIsolationLevel(Connection.TRANSACTION_SERIALIZABLE));
    }

    static void privileges() {
        ask("getTablePrivileges", it -> it.getTablePrivileges(null, "store", "customers"));
        ask("getTablePrivileges of a view", it -> it.getTablePrivileges(null, "store", "names"));
        ask("getColumnPrivileges", it -> it.getColumnPrivileges(null, "store", "orders", "%"));
    }

    static void queries(Connection connection) {
        String[] queries = {
            "SELECT * FROM store.kinds", "SELECT * FROM store.customers", "SELECT c.id AS number, c.name, o.price FROM store.customers c JOIN store.orders o ON o.customer = c.id",
            "SELECT * FROM store.names", "SELECT 1 AS one, 'x' AS x, NULL AS nothing, 1.5::numeric(5,2) AS n, count(*) FROM store.orders",
            "SELECT \" a\", \"select\" FROM store.\"Odd name\"", "SELECT doubled, at, price + 1 AS more FROM store.orders",
        };
        for (String query : queries) {
            ask("ResultSetMetaData " + query, it -> {
                try (Statement statement = connection.createStatement()) {
                    return described(statement.executeQuery(query).getMetaData());
                }
            });
            ask("of the prepared " + query, it -> {
                try (PreparedStatement statement = connection.prepareStatement(query)) {
                    return described(statement.getMetaData());
                }
            });
        }
    }

    static String described(ResultSetMetaData columns) throws SQLException {
        var lines = new StringJoiner("\n");
        for (int n = 1; n <= columns.getColumnCount(); n++) {
            lines.add(columns.getColumnLabel(n) + "|" + columns.getColumnName(n) + "|" + columns.getCatalogName(n) + "|" + columns.getSchemaName(n)
                + "|" + columns.getTableName(n) + "|" + columns.getColumnType(n) + "|" + columns.getColumnTypeName(n) + "|"
                + columns.getColumnClassName(n) + "|" + columns.getPrecision(n) + "|" + columns.getScale(n) + "|" + columns.getColumnDisplaySize(n)
                + "|" + columns.isNullable(n) + "|" + columns.isAutoIncrement(n) + "|" + columns.isCaseSensitive(n) + "|" + columns.isCurrency(n)
                + "|" + columns.isSearchable(n) + "|" + columns.isSigned(n) + "|" + columns.isWritable(n) + "|" + columns.isReadOnly(n));
        }
        return lines.toString();
    }

    static void parameters(Connection connection) {
        String[] statements = {
            "SELECT * FROM store.customers WHERE id = ? AND name LIKE ? AND created_at > ? AND tags @> ?",
            "INSERT INTO store.orders (customer, quantity, at, price) VALUES (?, ?, ?, ?)",
            "UPDATE store.customers SET state = ?, facts = ?, mail = ? WHERE id = ANY (?)", "DELETE FROM store.parts WHERE line BETWEEN ? AND ?",
            "SELECT ?::uuid, ?::bytea, ?::int[] LIMIT ?",
        };
        for (String text : statements) {
            ask("ParameterMetaData " + text, it -> {
                try (PreparedStatement statement = connection.prepareStatement(text)) {
                    ParameterMetaData parameters = statement.getParameterMetaData();
                    var lines = new StringJoiner("\n");
                    for (int n = 1; n <= parameters.getParameterCount(); n++) {
                        lines.add(parameters.getParameterType(n) + "|" + parameters.getParameterTypeName(n) + "|" + parameters.getParameterClassName(n)
                            + "|" + parameters.getParameterMode(n) + "|" + parameters.isNullable(n) + "|" + parameters.isSigned(n));
                    }
                    return lines;
                }
            });
        }
    }

    static void ask(String name, Question question) {
        System.out.println("== " + name);
        try {
            Object answer = question.of(data);
            System.out.println(answer instanceof ResultSet rows ? rows(rows) : answer);
        } catch (Exception error) {
            Throwable cause = error.getCause() == null ? error : error.getCause();
            System.out.println(cause instanceof SQLException refused ? refused.getSQLState() + " " + cause.getMessage() : cause.toString());
        }
    }

    /** Those of the lines whose first field is one of the names. */
    static String only(String lines, Set<String> names) {
        var kept = new StringJoiner("\n");
        for (String line : lines.split("\n")) if (names.contains(line.split("\\|")[0])) kept.add(line);
        return kept.toString();
    }

    /** The names of the columns, then the rows. */
    static String rows(ResultSet rows) throws SQLException {
        var names = new ArrayList<String>();
        for (int n = 1; n <= rows.getMetaData().getColumnCount(); n++) names.add(rows.getMetaData().getColumnLabel(n));
        names.removeAll(SIZES);
        var lines = new StringJoiner("\n");
        lines.add(String.join("|", names));
        while (rows.next()) {
            var values = new StringJoiner("|");
            for (String name : names) values.add(String.valueOf(rows.getString(name)).replace("\n", " "));
            lines.add(values.toString());
        }
        rows.close();
        return lines.toString();
    }

    static Connection connect() throws SQLException {
        var environment = System.getenv();
        var properties = new Properties();
        properties.setProperty("user", environment.get("PGUSER"));
        properties.setProperty("password", environment.get("PGPASSWORD"));
        properties.setProperty("sslmode", "verify-full");
        properties.setProperty("sslrootcert", environment.get("PGSSLROOTCERT"));
        String address = environment.get("PGHOST") + ":" + environment.get("PGPORT") + "/" + environment.get("PGDATABASE");
        return DriverManager.getConnection("jdbc:postgresql://" + address, properties);
    }
}
