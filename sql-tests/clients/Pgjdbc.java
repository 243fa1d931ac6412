import java.io.*;
import java.math.BigDecimal;
import java.nio.file.*;
import java.sql.*;
import java.time.*;
import java.util.*;
import java.util.concurrent.atomic.AtomicReference;
import org.postgresql.PGConnection;
import org.postgresql.util.PSQLException;

/** A session of pgjdbc: its simple and extended protocol, text and binary, batches, fetch sizes, COPY, cancel. */
public class Pgjdbc {
    static final String ENDLESS = "SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b";
    static int count, failures;

    interface Part {
        void run() throws Exception;
    }

    interface Get<T> {
        T get() throws Exception;
    }

    public static void main(String[] arguments) throws Exception {
        part("connecting", Pgjdbc::connecting);
        for (String mode : new String[] {"simple", "extended", "extendedForPrepared", "extendedCacheEverything"}) {
            for (String threshold : new String[] {"0", "1", "-1"}) {
                // 0: never by name; 1: by name at once; -1: binary results at once, too.
                try (Connection connection = connect("preferQueryMode", mode, "prepareThreshold", threshold)) {
                    part(mode + " " + threshold, () -> values(connection, mode));
                }
            }
        }
        try (Connection connection = connect()) {
            part("types", () -> types(connection));
            part("prepared", () -> prepared(connection));
            part("failing", () -> failing(connection));
            part("transactions", () -> transactions(connection));
            part("batches", () -> batches(connection));
            part("fetching", () -> fetching(connection));
            part("copying", () -> copying(connection));
            part("cancelling", () -> cancelling(connection));
            part("notices and notifications", () -> noticesAndNotifications(connection));
            part("settings", () -> settings(connection));
        }
        System.out.println("checks " + count + ", failures " + failures);
    }

    static void connecting() throws Exception {
        equal("wrong password", sqlstate(() -> connect("password", "wrong")), "28P01");
        equal("no encryption", sqlstate(() -> connect("sslmode", "disable")), "28000");
        try (Connection connection = connect("options", "-c search_path=pg_catalog -c statement_timeout=12s",
                "ApplicationName", "a b", "currentSchema", "public", "readOnly", "true")) {
            equal("options", one(connection, "SHOW statement_timeout"), "12s");
            equal("application_name", one(connection, "SHOW application_name"), "a b");
            equal("valid", connection.isValid(5), true);
            equal("server", connection.getMetaData().getDatabaseProductName(), "PostgreSQL");
        }
    }

    static void values(Connection connection, String mode) throws Exception {
        for (String[] value : list()) {
            String name = value[0] + ", " + mode, cast = "::" + value[1];
            try (PreparedStatement read = connection.prepareStatement("SELECT " + value[2]);
                    PreparedStatement text = connection.prepareStatement("SELECT format('%s', ?" + cast + ")");
                    PreparedStatement sent = connection.prepareStatement("SELECT format('%s', ?" + cast + ")")) {
                text.setString(1, value[3]);
                for (int run = 0; run < 3; run++) {
                    check(name + ", sent as text", () -> only(text).getString(1), value[3]);
                    Object got = only(read).getObject(1);
                    // What Java shows in another way: its array of numbers; JSON is a text of no type.
                    if (got instanceof java.sql.Array || value[1].equals("float4") || value[1].startsWith("json")) continue;
                    if (SKIPPED.contains(value[0]) || mode.equals("simple") && value[1].equals("bytea")) continue;
                    sent.setObject(1, got);
                    check(name + ", sent", () -> only(sent).getString(1), value[3]);
                }
            }
        }
    }

    // What java.sql's types cannot hold, or show in another way. In the simple protocol, bytes come without parentheses before a cast.
    static final Set<String> SKIPPED = Set.of("time", "timetz", "date_first", "timestamp_early", "char_one");

    static void types(Connection connection) throws Exception {
        for (String type : typeNames()) {
            try (PreparedStatement statement = connection.prepareStatement("SELECT ?::" + type)) {
                statement.setNull(1, Types.NULL);
                equal("NULL of " + type, only(statement).getObject(1), null);
            }
        }
        String query = "SELECT ?::int2, ?::int8, ?::float8, ?::numeric(38,10), ?::bool, ?::timestamptz, ?::date, ?::uuid,"
            + " ?::bytea, ?::int[], ?::timestamp, ?::time";
        Object[] sent = {
            7, Long.MIN_VALUE, 0.1, new BigDecimal("1234567890123456789012345678.0123456789"), true,
            OffsetDateTime.of(2024, 7, 1, 12, 0, 0, 123456000, ZoneOffset.UTC), LocalDate.of(2024, 2, 29),
            UUID.fromString("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), new byte[] {0, -1},
            connection.createArrayOf("int4", new Integer[] {1, null, 3}),
            LocalDateTime.of(2001, 2, 3, 4, 5, 6, 789000000), LocalTime.of(23, 59, 59, 999999000),
        };
        try (PreparedStatement statement = connection.prepareStatement(query)) {
            for (int number = 0; number < sent.length; number++) statement.setObject(number + 1, sent[number]);
            for (int run = 0; run < 8; run++) {
                ResultSet row = only(statement);
                Object[] got = {
                    row.getInt(1), row.getLong(2), row.getDouble(3), row.getBigDecimal(4), row.getBoolean(5),
                    row.getObject(6, OffsetDateTime.class), row.getObject(7, LocalDate.class), row.getObject(8),
                    row.getBytes(9), row.getArray(10), row.getObject(11, LocalDateTime.class),
                    row.getObject(12, LocalTime.class),
                };
                for (int number = 0; number < got.length; number++) {
                    equal("column " + (number + 1), shown(got[number]), shown(sent[number]));
                }
                ResultSetMetaData columns = row.getMetaData();
                equal("type", columns.getColumnTypeName(4) + columns.getPrecision(4) + "," + columns.getScale(4), "numeric38,10");
            }
        }
    }

    static void prepared(Connection connection) throws Exception {
        try (PreparedStatement statement = connection.prepareStatement("SELECT ? + 1, upper(?), ? || 'x'")) {
            for (int run = 0; run < 15; run++) {
                statement.setInt(1, run);
                statement.setString(2, "ü");
                statement.setString(3, null);
                ResultSet row = only(statement);
                equal("prepared", List.of(row.getInt(1), row.getString(2)), List.of(run + 1, "Ü"));
                equal("NULL", row.getString(3), null);
            }
            ParameterMetaData parameters = statement.getParameterMetaData();
            equal("parameters", parameters.getParameterTypeName(1) + " " + parameters.getParameterTypeName(2), "int4 varchar");
        }
        execute(connection, "CREATE TEMP TABLE changing (a int)");
        try (PreparedStatement statement = connection.prepareStatement("SELECT * FROM changing")) {
            for (int run = 0; run < 20; run++) {
                if (run == 10) execute(connection, "ALTER TABLE changing ADD COLUMN b int");
                equal("columns", statement.executeQuery().getMetaData().getColumnCount(), run < 10 ? 1 : 2);
            }
        }
        try (PreparedStatement statement = connection.prepareStatement("SELECT generate_series(1, 10) LIMIT ?")) {
            statement.setInt(1, 3);
            equal("limit", rows(statement.executeQuery()), 3);
        }
    }

    static void failing(Connection connection) throws Exception {
        try {
            one(connection, "SELECT *  FROM nowhere");
        } catch (PSQLException error) {
            equal("table", error.getSQLState() + " " + error.getServerErrorMessage().getPosition(), "42P01 16");
        }
        equal("division", sqlstate(() -> one(connection, "SELECT 1 / 0")), "22012");
        equal("behind others", sqlstate(() -> one(connection, "SELECT 1; SELECT nothing")), "42703");
        equal("lives on", one(connection, "SELECT 1"), "1");
    }

    static void transactions(Connection connection) throws Exception {
        execute(connection, "CREATE TEMP TABLE rows (id int PRIMARY KEY)");
        connection.setAutoCommit(false);
        execute(connection, "INSERT INTO rows VALUES (1)");
        Savepoint savepoint = connection.setSavepoint("a");
        equal("duplicate", sqlstate(() -> execute(connection, "INSERT INTO rows VALUES (1)")), "23505");
        equal("refused", sqlstate(() -> execute(connection, "SELECT 1")), "25P02");
        connection.rollback(savepoint);
        execute(connection, "INSERT INTO rows VALUES (2)");
        connection.commit();
        execute(connection, "INSERT INTO rows VALUES (3)");
        connection.rollback();
        connection.setAutoCommit(true);
        equal("rows", one(connection, "SELECT count(*) FROM rows"), "2");
        connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
        equal("isolation", one(connection, "SHOW transaction_isolation"), "repeatable read");
        connection.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
        try (Statement statement = connection.createStatement()) {
            statement.execute("SELECT 1; INSERT INTO rows VALUES (4), (5); SELECT 'x'");
            equal("first", statement.getResultSet() != null, true);
            equal("second", statement.getMoreResults() ? -1 : statement.getUpdateCount(), 2);
            equal("third", statement.getMoreResults(), true);
        }
        String insert = "INSERT INTO rows VALUES (?)";
        try (PreparedStatement statement = connection.prepareStatement(insert, Statement.RETURN_GENERATED_KEYS)) {
            statement.setInt(1, 6);
            equal("inserted", statement.executeUpdate(), 1);
            statement.getGeneratedKeys().next();
            equal("returned", statement.getGeneratedKeys() != null, true);
        }
    }

    static void batches(Connection connection) throws Exception {
        execute(connection, "CREATE TEMP TABLE batch (id int, t text)");
        try (Connection other = connect("reWriteBatchedInserts", "true")) {
            for (Connection each : new Connection[] {connection, other}) {
                execute(each, "CREATE TEMP TABLE IF NOT EXISTS batch (id int, t text)");
                try (PreparedStatement insert = each.prepareStatement("INSERT INTO batch VALUES (?, ?)")) {
                    for (int row = 0; row < 1000; row++) {
                        insert.setInt(1, row);
                        insert.setString(2, row % 7 == 0 ? null : "t" + row);
                        insert.addBatch();
                    }
                    equal("batch", insert.executeBatch().length, 1000);
                }
                equal("inserted", one(each, "SELECT count(*) || ' ' || count(t) || ' ' || sum(id) FROM batch"), "1000 857 499500");
            }
        }
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO batch VALUES (10 / ?, 'x')")) {
            for (int row : new int[] {1, 0, 2}) {
                insert.setInt(1, row);
                insert.addBatch();
            }
            equal("fails", sqlstate(insert::executeBatch), "22012");
        }
        equal("none of it", one(connection, "SELECT count(*) FROM batch WHERE t = 'x'"), "0");
    }

    static void fetching(Connection connection) throws Exception {
        connection.setAutoCommit(false);
        try (PreparedStatement statement = connection.prepareStatement("SELECT i, repeat('x', 10) FROM generate_series(1, ?) AS s(i)");
                PreparedStatement another = connection.prepareStatement("SELECT ?::int")) {
            statement.setFetchSize(97);
            statement.setInt(1, 5000);
            for (int run = 0; run < 6; run++) {
                long sum = 0;
                ResultSet rows = statement.executeQuery();
                while (rows.next()) {
                    sum += rows.getInt(1);
                    // Another statement between two fetches.
                    if (rows.getInt(1) % 1000 == 0) {
                        another.setInt(1, rows.getInt(1));
                        only(another);
                    }
                }
                equal("fetched", sum, 12502500L);
            }
            statement.setMaxRows(5);
            equal("at most", rows(statement.executeQuery()), 5);
        }
        connection.commit();
        connection.setAutoCommit(true);
        try (Statement statement = connection.createStatement()) {
            ResultSet rows = statement.executeQuery("SELECT i::bigint, repeat('x', 100) FROM generate_series(1, 200000) AS s(i)");
            equal("many rows", rows(rows), 200000);
        }
        equal("big", one(connection, "SELECT repeat('x', 20000000)").length(), 20000000);
    }

    static void copying(Connection connection) throws Exception {
        var copy = connection.unwrap(PGConnection.class).getCopyAPI();
        execute(connection, "CREATE TEMP TABLE copied (i int, t text)");
        equal("rows", copy.copyIn("COPY copied FROM STDIN", new StringReader("1\tü\n2\t\\N\n")), 2L);
        var out = new StringWriter();
        copy.copyOut("COPY copied TO STDOUT (FORMAT csv, HEADER)", out);
        equal("CSV", out.toString(), "i,t\n1,ü\n2,\n");
        var bytes = new ByteArrayOutputStream();
        copy.copyOut("COPY copied TO STDOUT (FORMAT binary)", bytes);
        copy.copyIn("COPY copied FROM STDIN (FORMAT binary)", new ByteArrayInputStream(bytes.toByteArray()));
        equal("fails", sqlstate(() -> copy.copyIn("COPY copied FROM STDIN", new StringReader("x\ty\n"))), "22P02");
        var given = copy.copyIn("COPY copied FROM STDIN");
        given.writeToCopy("3\tc\n".getBytes(), 0, 4);
        given.cancelCopy();
        equal("copied", one(connection, "SELECT count(*) FROM copied"), "4");
    }

    static void cancelling(Connection connection) throws Exception {
        try (Statement statement = connection.createStatement()) {
            statement.setQueryTimeout(1);
            equal("timeout", sqlstate(() -> statement.executeQuery(ENDLESS)), "57014");
            statement.setQueryTimeout(0);
            var state = new AtomicReference<String>();
            Thread runs = new Thread(() -> state.set(sqlstate(() -> statement.executeQuery(ENDLESS))));
            runs.start();
            while (runs.isAlive()) {
                Thread.sleep(300);
                statement.cancel();
            }
            equal("cancelled", state.get(), "57014");
            execute(connection, "SET statement_timeout = 100");
            equal("statement_timeout", sqlstate(() -> statement.executeQuery(ENDLESS)), "57014");
            execute(connection, "RESET statement_timeout");
        }
        equal("goes on", one(connection, "SELECT 1"), "1");
    }

    static void noticesAndNotifications(Connection connection) throws Exception {
        try (Statement statement = connection.createStatement()) {
            statement.execute("DROP TABLE IF EXISTS nowhere");
            equal("notice", statement.getWarnings().getMessage(), "table \"nowhere\" does not exist, skipping");
        }
        execute(connection, "LISTEN bell");
        try (Connection other = connect()) {
            execute(other, "NOTIFY bell, 'ding'");
        }
        var heard = connection.unwrap(PGConnection.class).getNotifications(10000);
        equal("notification", heard[0].getName() + " " + heard[0].getParameter(), "bell ding");
    }

    static void settings(Connection connection) throws Exception {
        execute(connection, "SET TimeZone = 'Asia/Tokyo'");
        try (PreparedStatement statement = connection.prepareStatement("SELECT '2024-07-01 12:00+00'::timestamptz")) {
            for (int run = 0; run < 7; run++) {
                equal("zone", only(statement).getTimestamp(1).toInstant().toString(), "2024-07-01T12:00:00Z");
            }
        }
        // pgjdbc gives up a connection whose DateStyle is not ISO.
        execute(connection, "SET DateStyle = 'ISO, DMY'");
        equal("DateStyle", one(connection, "SELECT '03-02-2001'::date"), "2001-02-03");
        execute(connection, "DISCARD ALL");
        equal("reset", one(connection, "SHOW DateStyle"), "ISO, MDY");
        equal("temporary tables", sqlstate(() -> one(connection, "SELECT * FROM copied")), "42P01");
    }

    static Connection connect(String... options) throws SQLException {
        var environment = System.getenv();
        var properties = new Properties();
        properties.setProperty("user", environment.get("PGUSER"));
        properties.setProperty("password", environment.get("PGPASSWORD"));
        properties.setProperty("sslmode", "verify-full");
        properties.setProperty("sslrootcert", environment.get("PGSSLROOTCERT"));
        for (int number = 0; number < options.length; number += 2) properties.setProperty(options[number], options[number + 1]);
        String address = environment.get("PGHOST") + ":" + environment.get("PGPORT") + "/" + environment.get("PGDATABASE");
        return DriverManager.getConnection("jdbc:postgresql://" + address, properties);
    }

    static List<String[]> list() throws IOException {
        var values = new ArrayList<String[]>();
        for (String line : Files.readAllLines(Path.of(System.getenv("CLIENTS_VALUES")))) {
            if (!line.startsWith("#")) values.add(line.split("\t", -1));
        }
        return values;
    }

    static Set<String> typeNames() throws IOException {
        var types = new LinkedHashSet<String>();
        for (String[] value : list()) types.add(value[1]);
        return types;
    }

    static String one(Connection connection, String query) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            ResultSet rows = statement.executeQuery(query);
            rows.next();
            return rows.getString(1);
        }
    }

    static ResultSet only(PreparedStatement statement) throws SQLException {
        ResultSet rows = statement.executeQuery();
        rows.next();
        return rows;
    }

    static int rows(ResultSet results) throws SQLException {
        int rows = 0;
        while (results.next()) rows++;
        return rows;
    }

    static void execute(Connection connection, String statements) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(statements);
        }
    }

    static String sqlstate(Part part) {
        try {
            part.run();
        } catch (SQLException error) {
            return error.getSQLState();
        } catch (Exception error) {
            return error.toString();
        }
        return "no error";
    }

    static String shown(Object value) {
        if (value instanceof byte[] bytes) return Arrays.toString(bytes);
        return value instanceof java.sql.Array ? value.toString().replace("\"", "") : String.valueOf(value);
    }

    static void equal(String name, Object got, Object expected) {
        count++;
        if (!Objects.equals(got, expected)) fail(name, got + " instead of " + expected);
    }

    static <T> void check(String name, Get<T> get, T expected) {
        try {
            equal(name, get.get(), expected);
        } catch (Exception error) {
            count++;
            fail(name, error.toString());
        }
    }

    static void part(String name, Part part) {
        try {
            part.run();
        } catch (Exception error) {
            count++;
            fail(name, error + " at " + Arrays.stream(error.getStackTrace()).filter(it -> it.getFileName().equals("Pgjdbc.java"))
                .map(it -> "line " + it.getLineNumber()).findFirst().orElse("?"));
        }
    }

    static void fail(String name, String message) {
        failures++;
        System.out.println(("FAIL " + name + ": " + message).replace("\n", " "));
    }
}
