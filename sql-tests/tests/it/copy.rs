//! COPY as a driver sees it: the bytes that the server sends, which are PostgreSQL's, and what it says of those it gets.

use bytes::Bytes;
use futures::TryStreamExt;
use tokio_postgres::Client;

use crate::client::{SqlError, copy_in, rows, value};
use crate::support::server::TestServer;

/// What binary data begins with.
const BINARY_HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// A table with what the formats write in a special way.
const TABLE: &str = r#"
CREATE TABLE t (i integer, s text, n numeric(6,2), b boolean, d date, g integer GENERATED ALWAYS AS (i * 2) STORED);
INSERT INTO t VALUES (1, E'a\tb\n"c",\\d', 1.5, true, '2024-02-29'), (NULL, NULL, NULL, NULL, NULL), (3, '', -2, false, 'infinity');
CREATE TABLE one (x text);
INSERT INTO one VALUES ('\.'), (''), (NULL), ('a');
CREATE VIEW v AS SELECT * FROM t;
CREATE SEQUENCE numbers;
"#;

async fn session() -> (TestServer, Client) {
    let server = TestServer::builder().start().await;
    let client = server.connect().await;
    client.batch_execute(TABLE).await.unwrap();
    (server, client)
}

async fn copy_out(client: &Client, statement: &str) -> Result<Vec<u8>, SqlError> {
    let stream = client.copy_out(statement).await?;
    let pieces: Vec<Bytes> = stream.try_collect().await?;
    Ok(pieces.concat())
}

#[tokio::test]
async fn rows_are_written_as_postgresql_writes_them() {
    let (_server, client) = session().await;
    for (copied, expected) in [
        (
            "t TO STDOUT",
            "1\ta\\tb\\n\"c\",\\\\d\t1.50\tt\t2024-02-29\n\\N\t\\N\t\\N\t\\N\t\\N\n3\t\t-2.00\tf\tinfinity\n",
        ),
        ("t (b, s) TO STDOUT CSV HEADER", "b,s\nt,\"a\tb\n\"\"c\"\",\\d\"\n,\nf,\"\"\n"),
        ("t (i, b) TO STDOUT (HEADER, DELIMITER '|', NULL 'nil')", "i|b\n1|t\nnil|nil\n3|f\n"),
        (
            "t (i, s) TO STDOUT (FORMAT csv, FORCE_QUOTE *, DELIMITER ';', QUOTE '''', ESCAPE '\\')",
            "'1';'a\tb\n\"c\",\\\\d'\n;\n'3';''\n",
        ),
        ("t (i, b) TO STDOUT WITH CSV FORCE QUOTE b NULL AS 'N'", "1,\"t\"\nN,N\n3,\"f\"\n"),
        ("t (g) TO STDOUT", "42P10"),
        ("one TO STDOUT", "\\\\.\n\n\\N\na\n"),
        ("one TO STDOUT CSV", "\"\\.\"\n\"\"\n\na\n"),
        ("(VALUES (1, 'x'), (2, NULL)) TO STDOUT", "1\tx\n2\t\\N\n"),
        ("(WITH w AS (SELECT 3 AS z) SELECT * FROM w) TO STDOUT CSV HEADER", "z\n3\n"),
        ("(SELECT i FROM v ORDER BY i DESC NULLS LAST) TO STDOUT", "3\n1\n\\N\n"),
        ("(SELECT 1 WHERE false) TO STDOUT", ""),
        ("(SELECT array[1,2], row(1,'a b')) TO STDOUT", "{1,2}\t(1,\"a b\")\n"),
        ("pg_namespace (nspname) TO STDOUT (FORMAT xml)", "22023"),
    ] {
        let written = match copy_out(&client, &format!("COPY {copied}")).await {
            Ok(data) => String::from_utf8(data).unwrap(),
            Err(error) => error.sqlstate.unwrap_or_else(|| panic!("{copied}")),
        };
        assert_eq!(written, expected, "COPY {copied}");
    }
}

#[tokio::test]
async fn rows_of_returning_are_copied_and_the_change_stands() {
    let (_server, client) = session().await;
    client.batch_execute("CREATE TABLE k (a integer PRIMARY KEY, b text)").await.unwrap();
    for (copied, expected) in [
        ("(INSERT INTO k VALUES (1, 'a'), (2, 'b') RETURNING *) TO STDOUT", "1\ta\n2\tb\n"),
        ("(INSERT INTO k VALUES (1, 'a') RETURNING *) TO STDOUT", "23505"),
        ("(UPDATE k SET b = b || 'x' WHERE a = 1 RETURNING b, a) TO STDOUT CSV HEADER", "b,a\nax,1\n"),
        ("(DELETE FROM k WHERE a = 2 RETURNING a) TO STDOUT", "2\n"),
        (
            "(INSERT INTO k VALUES (1, 'c') ON CONFLICT (a) DO UPDATE SET b = 'z' RETURNING *)
             TO STDOUT (FORMAT csv, FORCE_QUOTE (b))",
            "1,\"z\"\n",
        ),
        ("(WITH q AS (SELECT 5 AS a) INSERT INTO k SELECT a FROM q RETURNING *) TO STDOUT", "5\t\\N\n"),
        ("(INSERT INTO k VALUES (8)) TO STDOUT", "0A000"),
        ("(DELETE FROM k) TO STDOUT", "0A000"),
        ("(UPDATE k SET b = nope RETURNING *) TO STDOUT", "42703"),
        ("(SELECT * FROM k ORDER BY a) TO STDOUT", "1\tz\n5\t\\N\n"),
    ] {
        let written = match copy_out(&client, &format!("COPY {copied}")).await {
            Ok(data) => String::from_utf8(data).unwrap(),
            Err(error) => error.sqlstate.unwrap_or_else(|| panic!("{copied}")),
        };
        assert_eq!(written, expected, "COPY {copied}");
    }
    client.batch_execute("BEGIN READ ONLY").await.unwrap();
    assert_eq!(copy_out(&client, "COPY (SELECT 1) TO STDOUT").await.unwrap(), b"1\n");
    let refused = copy_out(&client, "COPY (DELETE FROM k RETURNING *) TO STDOUT").await.unwrap_err();
    assert_eq!(refused.sqlstate.as_deref(), Some("25006"));
}

#[tokio::test]
async fn binary_rows_are_postgresqls_and_are_read_again() {
    let (_server, client) = session().await;
    let row = "COPY (SELECT 1::int, 'é'::text, 1.50::numeric(6,2), true, '2000-01-03'::date
        UNION ALL SELECT NULL, NULL, NULL, NULL, NULL ORDER BY 1) TO STDOUT (FORMAT binary)";
    let expected = [
        BINARY_HEADER,
        &[0, 5, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 2, 0xc3, 0xa9, 0, 0, 0, 12, 0, 2, 0, 0, 0, 0, 0, 2, 0, 1, 0x13, 0x88],
        &[0, 0, 0, 1, 1, 0, 0, 0, 4, 0, 0, 0, 2, 0, 5],
        &[0xff; 20],
        &[0xff, 0xff],
    ]
    .concat();
    assert_eq!(copy_out(&client, row).await.unwrap(), expected);
    let none = copy_out(&client, "COPY (SELECT 1 WHERE false) TO STDOUT BINARY").await.unwrap();
    assert_eq!(none, [BINARY_HEADER, &[0xff, 0xff]].concat());

    for table in ["kinds", "again"] {
        let columns = "a smallint, b bigint, c real, d double precision, e numeric, f bytea, g time, h timestamp, \
             i timestamptz, j interval, k uuid, l jsonb, m integer[], n text[], o varchar(5), p char(3), q timetz";
        client.batch_execute(&format!("CREATE TABLE {table} ({columns})")).await.unwrap();
    }
    let values = "-1, 9223372036854775807, 'NaN', -0.5, 12.375, '\\x00ff', '12:34:56.789', '-infinity', \
         '2024-02-29 12:00+02', '1 year -3 days 04:05', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{\"a\": 1}', \
         '{1,NULL,3}', '{a,\"b c\"}', 'abc', 'x', '12:00+02'";
    let insert = format!("INSERT INTO kinds VALUES ({values}); INSERT INTO kinds DEFAULT VALUES");
    client.batch_execute(&insert).await.unwrap();
    let data = copy_out(&client, "COPY kinds TO STDOUT (FORMAT binary)").await.unwrap();
    assert_eq!(copy_in(&client, "COPY again FROM STDIN (FORMAT binary)", data).await.unwrap(), 2);
    let written = rows(&client, "SELECT * FROM kinds ORDER BY a").await.unwrap();
    assert_eq!(rows(&client, "SELECT * FROM again ORDER BY a").await.unwrap(), written);
}

/// What is said of this data of a table `(a integer NOT NULL CHECK (a < 100), b text)`.
async fn refused(client: &Client, options: &str, data: impl Into<Bytes>) -> String {
    let statement = format!("COPY refusing FROM STDIN {options}");
    let sink = client.copy_in::<_, Bytes>(&statement).await;
    let answer = match sink {
        Ok(sink) => {
            let mut sink = std::pin::pin!(sink);
            match futures::SinkExt::send(&mut sink, data.into()).await {
                Ok(()) => sink.finish().await,
                Err(error) => Err(error),
            }
        }
        Err(error) => Err(error),
    };
    let error = answer.unwrap_err();
    let error = error.as_db_error().unwrap();
    format!("{} {} [{}]", error.code().code(), error.message(), error.where_().unwrap_or_default())
}

#[tokio::test]
async fn errors_say_where_they_are_as_postgresql_says_it() {
    let (_server, client) = session().await;
    client.batch_execute("CREATE TABLE refusing (a integer NOT NULL CHECK (a < 100), b text)").await.unwrap();
    let long = format!("5\ta\n200\t{}\n", "é".repeat(80));
    let shown = format!(
        "23514 new row for relation \"refusing\" violates check constraint \"refusing_a_check\" \
         [COPY refusing, line 2: \"200\t{}...\"]",
        "é".repeat(48)
    );
    for (options, data, expected) in [
        ("", long.as_str(), shown.as_str()),
        (
            "CSV",
            "1,\"x\ny\"\n2,\"p\nq\"\nx,z\n",
            "22P02 invalid input syntax for type integer: \"x\" [COPY refusing, line 4, column a: \"x\"]",
        ),
        (
            "CSV",
            "1,\"x\ny\",3\n",
            "22P04 extra data after last expected column [COPY refusing, line 1: \"1,\"x\ny\",3\"]",
        ),
        ("CSV", "5,\"a\n", "22P04 unterminated CSV quoted field [COPY refusing, line 1: \"5,\"a\n\"]"),
        ("", "5\n", "22P04 missing data for column \"b\" [COPY refusing, line 1: \"5\"]"),
        ("", "5\ta\r\n6\tb\n", "22P04 literal newline found in data [COPY refusing, line 2]"),
        (
            "",
            "5\ta\n\\N\t1\n",
            "23502 null value in column \"a\" of relation \"refusing\" violates not-null constraint [COPY refusing, line 2: \"\\N\t1\"]",
        ),
        (
            "(HEADER MATCH)",
            "a\tc\n",
            "22P04 column name mismatch in header line field 2: got \"c\", expected \"b\" [COPY refusing, line 1: \"a\tc\"]",
        ),
        (
            "CSV FORCE NOT NULL a",
            ",x\n",
            "22P02 invalid input syntax for type integer: \"\" [COPY refusing, line 1, column a: \"\"]",
        ),
        (
            "CSV FORCE NULL a",
            "\"\",x\n",
            "23502 null value in column \"a\" of relation \"refusing\" violates not-null constraint [COPY refusing, line 1: \"\"\",x\"]",
        ),
        (
            "WHERE a > 1",
            "0\tx\n\\N\tx\n200\tx\n",
            "23514 new row for relation \"refusing\" violates check constraint \"refusing_a_check\" [COPY refusing, line 3: \"200\tx\"]",
        ),
        ("WHERE 10 / a > 1", "3\tx\n0\tx\n", "22012 division by zero [COPY refusing, line 2: \"0\tx\"]"),
        ("BINARY", "PGCOPX", "22P04 COPY file signature not recognized []"),
    ] {
        assert_eq!(refused(&client, options, data.to_owned()).await, expected, "{options} {data:?}");
    }
    for (row, expected) in [
        (&[0, 1][..], "22P04 row field count is 1, expected 2 [COPY refusing, line 1]"),
        (
            &[0, 2, 0, 0, 0, 2, 0, 1, 0xff, 0xff, 0xff, 0xff],
            "08P01 insufficient data left in message [COPY refusing, line 1, column a]",
        ),
        (
            &[0, 2, 0, 0, 0, 5, 0, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff],
            "22P03 incorrect binary data format [COPY refusing, line 1, column a]",
        ),
        (&[0, 2, 0, 0, 0, 4, 0], "22P04 unexpected EOF in COPY data [COPY refusing, line 1, column a]"),
    ] {
        let data = [BINARY_HEADER, row].concat();
        assert_eq!(refused(&client, "(FORMAT binary)", data).await, expected, "{row:?}");
    }
    assert_eq!(value(&client, "SELECT count(*) FROM refusing").await, "0");
}

#[tokio::test]
async fn options_decide_what_is_null_and_which_rows_are_kept() {
    let (_server, client) = session().await;
    client.batch_execute("CREATE TABLE kept (a integer, b text)").await.unwrap();
    for (options, data, count) in [
        ("CSV FORCE NOT NULL b", "1,\n", 1),
        ("CSV FORCE NULL b", "2,\"\"\n", 1),
        ("(FORMAT csv, FORCE_NOT_NULL (b), FORCE_NULL (b), NULL 'N')", "3,N\n4,\"N\"\n5,\n", 3),
        ("(FORMAT csv, HEADER MATCH)", "a,b\n6,x\n", 1),
        ("(FREEZE) WHERE a % 2 = 1 AND b IS NOT NULL", "7\tx\n8\tx\n9\t\\N\n", 1),
    ] {
        let statement = format!("COPY kept FROM STDIN {options}");
        assert_eq!(copy_in(&client, &statement, data).await.unwrap(), count, "{statement}");
    }
    let kept = rows(&client, "SELECT a, coalesce(b, '~') FROM kept ORDER BY a").await.unwrap();
    assert_eq!(kept, [["1", ""], ["2", "~"], ["3", "N"], ["4", "~"], ["5", ""], ["6", "x"], ["7", "x"]]);
}

#[tokio::test]
async fn a_copy_that_is_cancelled_ends_and_its_session_goes_on() {
    let (server, client) = session().await;
    let reading = async {
        let stream = client.copy_out("COPY (SELECT generate_series(1, 1000000000000)) TO STDOUT").await?;
        stream.try_for_each(|_| async { Ok(()) }).await
    };
    let error = SqlError::from(server.cancelled(&client, reading).await);
    assert!(error.is("57014"), "{error}");
    assert_eq!(value(&client, "SELECT 1").await, "1");
}
