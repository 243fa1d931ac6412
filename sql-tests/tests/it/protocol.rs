//! What a driver sees: parameters and results in binary, prepared statements, several statements at once, COPY in the
//! middle of a session, cancelling.
//!
//! tokio-postgres stands for every driver of the extended protocol. The values are raw bytes ([`Raw`]), so what is
//! tested is the protocol's format and not a driver's idea of it.

use std::error::Error;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use futures::SinkExt;
use futures::future::join_all;
use tokio::time::timeout;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, SimpleQueryMessage};

use crate::client::{NULL, SqlError, copy_in, error, row, rows, value};
use crate::support::server::TestServer;

/// Longer than any answer takes on the slowest machine.
const DEADLINE: Duration = Duration::from_secs(60);

/// A value of each type: the type, its text, and its binary format.
const VALUES: [(&str, &str, &[u8]); 22] = [
    ("boolean", "t", &[1]),
    ("smallint", "-2", &[0xff, 0xfe]),
    ("integer", "258", &[0, 0, 1, 2]),
    ("bigint", "-1", &[0xff; 8]),
    ("real", "1.5", &[0x3f, 0xc0, 0, 0]),
    ("real", "NaN", &[0x7f, 0xc0, 0, 0]),
    ("double precision", "-0.5", &[0xbf, 0xe0, 0, 0, 0, 0, 0, 0]),
    ("double precision", "Infinity", &[0x7f, 0xf0, 0, 0, 0, 0, 0, 0]),
    // Digits in base 10000: how many, weight of the first, sign, digits after the point in decimal, the digits.
    ("numeric(10,2)", "-123.45", &[0, 2, 0, 0, 0x40, 0, 0, 2, 0, 123, 0x11, 0x94]),
    ("numeric(10,2)", "0.00", &[0, 0, 0, 0, 0, 0, 0, 2]),
    ("numeric(10,4)", "10000.0001", &[0, 3, 0, 1, 0, 0, 0, 4, 0, 1, 0, 0, 0, 1]),
    ("text", "blå", "blå".as_bytes()),
    ("text", "", b""),
    ("varchar(3)", "abc", b"abc"),
    ("bytea", "\\x00ff", &[0, 0xff]),
    // Days since 2000-01-01.
    ("date", "2000-01-02", &[0, 0, 0, 1]),
    ("date", "1999-12-31", &[0xff; 4]),
    // Microseconds since midnight.
    ("time", "00:00:00.000258", &[0, 0, 0, 0, 0, 0, 1, 2]),
    // Microseconds since 2000-01-01.
    ("timestamp", "2000-01-01 00:00:00.000001", &[0, 0, 0, 0, 0, 0, 0, 1]),
    ("timestamp", "1999-12-31 23:59:59.999999", &[0xff; 8]),
    ("timestamptz", "2000-01-01 00:00:00.000001+00", &[0, 0, 0, 0, 0, 0, 0, 1]),
    ("timestamptz", "1999-12-31 23:59:59.999999+00", &[0xff; 8]),
];

/// A value in the binary format of whatever type it has.
#[derive(Debug, PartialEq)]
struct Raw(Vec<u8>);

impl<'a> FromSql<'a> for Raw {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Raw, Box<dyn Error + Sync + Send>> {
        Ok(Raw(raw.to_vec()))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

impl ToSql for Raw {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.put_slice(&self.0);
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// A server and a session of it, in UTC so that times with a zone have one text.
async fn session() -> (TestServer, Client) {
    let server = TestServer::builder().start().await;
    let client = server.connect().await;
    client.batch_execute("SET timezone TO 'UTC'").await.unwrap();
    (server, client)
}

/// The end of every test: the session still answers, and nothing in the server has panicked.
async fn assert_alive(server: &TestServer, client: &Client) {
    assert_eq!(value(client, "SELECT 1").await, "1");
    assert!(!server.log().contains("panicked"), "the server panicked:\n{}", server.log());
}

#[tokio::test]
async fn every_type_leaves_in_binary() {
    let (server, client) = session().await;
    for (sql_type, text, binary) in VALUES {
        let table = format!("CREATE TABLE t (v {sql_type}); INSERT INTO t VALUES ('{text}')");
        client.batch_execute(&table).await.unwrap();
        let row = client.query_one("SELECT v FROM t", &[]).await.unwrap();
        client.batch_execute("DROP TABLE t").await.unwrap();
        assert_eq!(row.get::<_, Raw>(0), Raw(binary.to_vec()), "{text} as {sql_type}");
    }
    assert_alive(&server, &client).await;
}

#[tokio::test]
async fn every_type_comes_in_as_a_parameter() {
    let (server, client) = session().await;
    // Casts to these are refused.
    let castable = |sql_type: &str| sql_type != "bytea" && !sql_type.starts_with("varchar");
    for (sql_type, text, binary) in VALUES.into_iter().filter(|(sql_type, ..)| castable(sql_type)) {
        let select = format!("SELECT CAST($1 AS {sql_type})");
        let row = client.query_one(&select, &[&Raw(binary.to_vec())]).await.unwrap();
        assert_eq!(row.get::<_, Raw>(0), Raw(binary.to_vec()), "{text} as {sql_type}");

        let row = client.query_one(&select, &[&None::<Raw>]).await.unwrap();
        assert_eq!(row.get::<_, Option<Raw>>(0), None, "NULL as {sql_type}");
    }
    assert_alive(&server, &client).await;
}

#[tokio::test]
async fn every_type_is_stored_from_a_parameter_and_read_back() {
    let (server, client) = session().await;
    for (number, (sql_type, text, binary)) in VALUES.iter().enumerate() {
        client.batch_execute(&format!("CREATE TABLE t{number} (v {sql_type})")).await.unwrap();
        let insert = client.prepare(&format!("INSERT INTO t{number} VALUES ($1)")).await.unwrap();
        assert_eq!(client.execute(&insert, &[&Raw(binary.to_vec())]).await.unwrap(), 1, "{text} as {sql_type}");
        assert_eq!(client.execute(&insert, &[&None::<Raw>]).await.unwrap(), 1, "NULL as {sql_type}");

        let query = format!("SELECT v FROM t{number} WHERE v IS NOT NULL");
        assert_eq!(value(&client, &query).await, *text, "{sql_type}");
        assert_eq!(client.query_one(&query, &[]).await.unwrap().get::<_, Raw>(0), Raw(binary.to_vec()), "{sql_type}");
        let nulls = format!("SELECT count(*) FROM t{number} WHERE v IS NULL");
        assert_eq!(value(&client, &nulls).await, "1", "{sql_type}");
    }
    assert_alive(&server, &client).await;
}

#[tokio::test]
async fn results_are_described_with_their_types() {
    let (server, client) = session().await;
    client
        .batch_execute(
            "CREATE TABLE t (a boolean, b smallint, c integer, d bigint, e real, f double precision, g numeric(10,2), \
             h text, i varchar(3), j char(2), k bytea, l date, m time, n timestamp, o timestamptz)",
        )
        .await
        .unwrap();
    let statement = client.prepare("SELECT * FROM t").await.unwrap();
    let types: Vec<_> = statement.columns().iter().map(|column| column.type_().clone()).collect();
    let expected = [
        Type::BOOL,
        Type::INT2,
        Type::INT4,
        Type::INT8,
        Type::FLOAT4,
        Type::FLOAT8,
        Type::NUMERIC,
        Type::TEXT,
        Type::VARCHAR,
        Type::BPCHAR,
        Type::BYTEA,
        Type::DATE,
        Type::TIME,
        Type::TIMESTAMP,
        Type::TIMESTAMPTZ,
    ];
    assert_eq!(types, expected);
    assert_alive(&server, &client).await;
}

#[tokio::test]
async fn a_parameter_has_the_type_of_what_it_is_compared_with() {
    let (server, client) = session().await;
    client.batch_execute("CREATE TABLE t (i integer, s text)").await.unwrap();
    let statement = client.prepare("SELECT i FROM t WHERE i = $1 AND s = $2").await.unwrap();
    assert_eq!(statement.params(), [Type::INT4, Type::TEXT]);
    assert_alive(&server, &client).await;
}

#[tokio::test]
async fn a_prepared_statement_sees_what_was_written_between_its_uses() {
    let (server, client) = session().await;
    client.batch_execute("CREATE TABLE t (i integer)").await.unwrap();
    let insert = client.prepare("INSERT INTO t VALUES ($1)").await.unwrap();
    let count = client.prepare("SELECT count(*) FROM t WHERE i > $1").await.unwrap();

    for expected in 1..=3_i64 {
        client.execute(&insert, &[&(expected as i32)]).await.unwrap();
        let row = client.query_one(&count, &[&0_i32]).await.unwrap();
        assert_eq!(row.get::<_, i64>(0), expected);
    }
    assert_alive(&server, &client).await;
}

#[tokio::test]
async fn a_portal_goes_on_where_it_stopped() {
    let (server, mut client) = session().await;
    client.batch_execute("CREATE TABLE t (i integer); INSERT INTO t VALUES (1), (2), (3)").await.unwrap();
    let transaction = client.transaction().await.unwrap();
    let portal = transaction.bind("SELECT i FROM t ORDER BY i", &[]).await.unwrap();
    let mut batches = Vec::new();
    for _ in 0..2 {
        let rows = transaction.query_portal(&portal, 2).await.unwrap();
        batches.push(rows.iter().map(|row| row.get(0)).collect::<Vec<i32>>());
    }
    assert_eq!(batches, [vec![1, 2], vec![3]]);
    transaction.commit().await.unwrap();
    assert_alive(&server, &client).await;
}

#[tokio::test]
async fn requests_may_be_sent_before_the_answers_to_earlier_ones() {
    let (server, client) = session().await;
    let [one, two, three] =
        ["SELECT 1::integer", "SELECT 1 FROM nowhere", "SELECT 3::integer"].map(|sql| client.query_one(sql, &[]));
    let (one, two, three) = futures::join!(one, two, three);
    assert_eq!(one.unwrap().get::<_, i32>(0), 1);
    assert!(SqlError::from(two.unwrap_err()).is("42P01"));
    assert_eq!(three.unwrap().get::<_, i32>(0), 3);
    assert_alive(&server, &client).await;
}

#[tokio::test]
async fn several_statements_in_one_query_answer_one_after_another() {
    let (server, client) = session().await;
    let messages = client
        .simple_query("CREATE TABLE t (i integer); INSERT INTO t VALUES (1), (2); SELECT i FROM t ORDER BY i; SELECT 3")
        .await
        .unwrap();
    let completed: Vec<_> = messages
        .iter()
        .filter_map(|message| match message {
            SimpleQueryMessage::CommandComplete(rows) => Some(*rows),
            _ => None,
        })
        .collect();
    assert_eq!(completed, [0, 2, 2, 1]);
    let rows: Vec<_> = messages.iter().filter_map(row).collect();
    assert_eq!(rows, [["1"], ["2"], ["3"]]);
    assert_alive(&server, &client).await;
}

#[tokio::test]
async fn an_error_undoes_the_statements_before_it_and_skips_those_after_it() {
    let (server, client) = session().await;
    client.batch_execute("CREATE TABLE t (i integer)").await.unwrap();
    let error = error(&client, "INSERT INTO t VALUES (1); SELECT * FROM nowhere; INSERT INTO t VALUES (2)").await;
    assert!(error.is("42P01"), "{error}");
    assert_eq!(value(&client, "SELECT count(*) FROM t").await, "0");
    assert_alive(&server, &client).await;
}

#[tokio::test]
async fn an_empty_query_is_no_error() {
    let (server, client) = session().await;
    for sql in ["", ";", " ; ; ", "-- nothing but a comment"] {
        assert_eq!(rows(&client, sql).await.unwrap(), [[NULL; 0]; 0], "{sql}");
    }
    assert_eq!(client.execute("", &[]).await.unwrap(), 0);
    assert_alive(&server, &client).await;
}

#[tokio::test]
async fn copy_takes_rows_between_other_statements() {
    let (server, client) = session().await;
    client.batch_execute("CREATE TABLE t (i integer, s text)").await.unwrap();
    assert_eq!(copy_in(&client, "COPY t FROM STDIN", "1\tone\n2\t\\N\n").await.unwrap(), 2);
    assert_eq!(copy_in(&client, "COPY t FROM STDIN (FORMAT csv)", "3,\"th,ree\"\n").await.unwrap(), 1);
    let rows = rows(&client, "SELECT i, s FROM t ORDER BY i").await.unwrap();
    assert_eq!(rows, [["1", "one"], ["2", NULL], ["3", "th,ree"]]);
    assert_alive(&server, &client).await;
}

#[tokio::test]
async fn copy_takes_rows_in_whatever_pieces_they_arrive() {
    let (server, client) = session().await;
    client.batch_execute("CREATE TABLE t (i integer, s text)").await.unwrap();
    {
        let sink = client.copy_in::<_, Bytes>("COPY t FROM STDIN").await.unwrap();
        let mut sink = std::pin::pin!(sink);
        for byte in "12\tblå\n34\tx\\ny\n".as_bytes() {
            // Fed and flushed one by one, so that each byte is a message of its own.
            sink.send(Bytes::copy_from_slice(&[*byte])).await.unwrap();
            sink.flush().await.unwrap();
        }
        assert_eq!(sink.finish().await.unwrap(), 2);
    }
    let rows = rows(&client, "SELECT i, s FROM t ORDER BY i").await.unwrap();
    assert_eq!(rows, [["12", "blå"], ["34", "x\ny"]]);
    assert_alive(&server, &client).await;
}

#[tokio::test]
async fn an_abandoned_copy_leaves_nothing() {
    let (server, client) = session().await;
    client.batch_execute("CREATE TABLE t (i integer)").await.unwrap();
    {
        let sink = client.copy_in::<_, Bytes>("COPY t FROM STDIN").await.unwrap();
        let mut sink = std::pin::pin!(sink);
        sink.send(Bytes::from_static(b"1\n2\n")).await.unwrap();
        // Dropped without `finish`: the driver sends CopyFail.
    }
    assert_eq!(value(&client, "SELECT count(*) FROM t").await, "0");

    let error = copy_in(&client, "COPY t FROM STDIN", "1\nx\n").await.unwrap_err();
    assert!(error.is("22P02"), "{error}");
    assert_eq!(value(&client, "SELECT count(*) FROM t").await, "0");
    assert_alive(&server, &client).await;
}

#[tokio::test]
async fn a_cancelled_query_ends_and_its_session_goes_on() {
    let (server, client) = session().await;
    client.batch_execute("CREATE TABLE t (i integer)").await.unwrap();
    let numbers: String = (0..1000).map(|i| format!("{i}\n")).collect();
    copy_in(&client, "COPY t FROM STDIN", numbers).await.unwrap();

    let endless = "SELECT count(*) FROM t a, t b, t c, t d WHERE a.i + b.i + c.i + d.i = -1";
    let error = SqlError::from(server.cancelled(&client, client.query(endless, &[])).await);
    assert!(error.is("57014"), "{error}");
    assert_alive(&server, &client).await;
}

#[tokio::test]
async fn those_who_sleep_keep_nobody_from_working_and_can_be_woken() {
    let (server, client) = session().await;
    let sleepers = join_all((0..20).map(|_| server.connect())).await;
    let sleeping = join_all(sleepers.iter().map(|sleeper| {
        server.cancelled(sleeper, async {
            let asleep = sleeper.query("SELECT pg_sleep(100000)", &[]);
            let working =
                async { assert_eq!(value(&client, "SELECT sum(i) FROM generate_series(1, 4) i").await, "10") };
            futures::join!(asleep, working).0
        })
    }));
    for error in sleeping.await {
        assert!(error.code() == Some(&SqlState::QUERY_CANCELED), "{error}");
    }
    assert_alive(&server, &client).await;
}

#[tokio::test]
async fn a_parameter_that_is_not_of_its_type_is_refused() {
    let (server, client) = session().await;
    let answer = client.query("SELECT CAST($1 AS integer)", &[&Raw(vec![0; 5])]).await;
    let error = SqlError::from(answer.unwrap_err());
    assert!(error.is("22P03"), "{error}");
    assert_alive(&server, &client).await;
}

#[tokio::test]
async fn no_statement_takes_the_server_down() {
    let (server, client) = session().await;
    let statements = [
        "SELECT".to_owned(),
        "SELECT FROM".to_owned(),
        "SELECT 'unfinished".to_owned(),
        "SELECT \"unfinished".to_owned(),
        "SELECT /* unfinished".to_owned(),
        "SELECT $1".to_owned(),
        "SELECT $99999999999999999999".to_owned(),
        "SELECT * FROM".to_owned(),
        "SELECT CAST('2024-13-45' AS date)".to_owned(),
        "SELECT CAST('999999-01-01' AS timestamp)".to_owned(),
        format!("SELECT {}", "9".repeat(500)),
        format!("SELECT {}1{}", "(".repeat(20_000), ")".repeat(20_000)),
        format!("SELECT 1{}", " + 1".repeat(20_000)),
        format!("SELECT {}1", "- ".repeat(20_000)),
        format!("SELECT {}true", "NOT ".repeat(20_000)),
        format!("SELECT 1 WHERE 1 = 0{}", " OR 1 = 0".repeat(20_000)),
        format!("SELECT 1 WHERE 1 IN (0{})", ", 0".repeat(20_000)),
        format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(5_000)),
        format!("{}SELECT 1{}", "SELECT * FROM (".repeat(5_000), ") t".repeat(5_000)),
    ];
    for statement in statements {
        let start: String = statement.chars().take(60).collect();
        // An answer or an error, whatever it is; what may not happen is that the session or the server ends.
        let answer = timeout(DEADLINE, client.simple_query(&statement)).await;
        let answer = answer.unwrap_or_else(|_| panic!("no answer to {start}"));
        if let Err(error) = answer.map_err(SqlError::from) {
            let sqlstate = error.sqlstate.as_deref().unwrap_or_else(|| panic!("{start}: {error}"));
            assert_ne!(sqlstate, "XX000", "{start}: {error}");
        }
    }
    assert_alive(&server, &client).await;
}

#[tokio::test]
async fn planning_ends_when_its_time_is_over() {
    let (server, client) = session().await;
    client.batch_execute("CREATE TABLE t (i integer)").await.unwrap();
    let conditions: Vec<_> = (0..50_000).map(|i| format!("i + {i} <> 0")).collect();
    let long = format!("SELECT count(*) FROM t WHERE {}", conditions.join(" AND "));
    // The setting goes back with the statement that fails.
    let error = error(&client, &format!("SET statement_timeout = '20ms'; {long}")).await;
    assert!(error.is("57014"), "{error}");
    assert_alive(&server, &client).await;
}

#[tokio::test]
async fn a_numeric_parameter_has_the_digits_of_its_value() {
    let (server, client) = session().await;
    // Eight digits in base 10000, the first of weight seven: 1234 eight times.
    let mut bytes = vec![0, 8, 0, 7, 0, 0, 0, 0];
    bytes.extend([0x04, 0xd2].repeat(8));
    let answer = client.query_one("SELECT (CAST($1 AS numeric) + 1)::text", &[&Raw(bytes)]).await.unwrap();
    assert_eq!(answer.get::<_, String>(0), "12341234123412341234123412341235");
    // The statement's plan for other values stays.
    let statement = client.prepare("SELECT (CAST($1 AS numeric) * 2)::text").await.unwrap();
    let tiny = vec![0, 1, 0xff, 0xf9, 0, 0, 0, 28, 0, 7];
    let answer = client.query_one(&statement, &[&Raw(tiny)]).await.unwrap();
    assert_eq!(answer.get::<_, String>(0), "0.0000000000000000000000000014");
    let answer = client.query_one(&statement, &[&Raw(vec![0, 1, 0, 0, 0, 0, 0, 0, 0, 21])]).await.unwrap();
    assert_eq!(answer.get::<_, String>(0), "42");
    assert_alive(&server, &client).await;
}

#[tokio::test]
async fn a_parameter_is_compared_with_all_its_digits() {
    let (server, client) = session().await;
    client.batch_execute("CREATE TABLE t (price numeric(15,2)); INSERT INTO t VALUES (1.01), (2.50)").await.unwrap();
    // 1.005 and 2.5 in base 10000.
    let cases: [(&[u8], i64); 2] =
        [(&[0, 2, 0, 0, 0, 0, 0, 3, 0, 1, 0, 50], 0), (&[0, 2, 0, 0, 0, 0, 0, 1, 0, 2, 0x13, 0x88], 1)];
    for (binary, count) in cases {
        let row = client.query_one("SELECT count(*) FROM t WHERE price = $1", &[&Raw(binary.to_vec())]).await.unwrap();
        assert_eq!(row.get::<_, i64>(0), count, "{binary:?}");
    }
    assert_alive(&server, &client).await;
}

#[tokio::test]
async fn a_prepared_statement_never_sends_another_type_than_it_described() {
    let (server, client) = session().await;
    client.batch_execute("CREATE TABLE t (a bigint); INSERT INTO t VALUES (1)").await.unwrap();
    let prepared = client.prepare("SELECT a FROM t").await.unwrap();
    client.batch_execute("DROP TABLE t; CREATE TABLE t (a double precision); INSERT INTO t VALUES (1)").await.unwrap();
    assert!(SqlError::from(client.query(&prepared, &[]).await.unwrap_err()).is("0A000"));
    assert_alive(&server, &client).await;
}

#[tokio::test]
async fn a_prepared_statement_follows_the_search_path() {
    let (server, client) = session().await;
    let two_schemas = "CREATE SCHEMA a; CREATE SCHEMA b; CREATE TABLE a.t (i bigint); CREATE TABLE b.t (i bigint);
        INSERT INTO a.t VALUES (1); INSERT INTO b.t VALUES (2); SET search_path TO a";
    client.batch_execute(two_schemas).await.unwrap();
    let prepared = client.prepare("SELECT i FROM t").await.unwrap();
    client.batch_execute("SET search_path TO b").await.unwrap();
    assert_eq!(client.query_one(&prepared, &[]).await.unwrap().get::<_, i64>(0), 2);
    assert_alive(&server, &client).await;
}

#[tokio::test]
async fn an_isolation_level_that_comes_too_late_is_refused() {
    let (server, client) = session().await;
    let late = error(&client, "SELECT 1; BEGIN ISOLATION LEVEL REPEATABLE READ").await;
    assert!(late.is("25001"), "{late}");
    assert_alive(&server, &client).await;
}

#[tokio::test]
async fn a_column_of_a_table_says_which_it_is() {
    let server = TestServer::builder().start().await;
    let client = server.connect().await;
    let setup = "CREATE TABLE origins (gone int, a int, b text); ALTER TABLE origins DROP COLUMN gone; \
                 CREATE VIEW of_origins AS SELECT b, a + 1 AS more FROM origins";
    client.batch_execute(setup).await.unwrap();
    let number = async |relation: &str| -> u32 {
        client.query_one("SELECT $1::text::regclass::oid", &[&relation]).await.unwrap().get(0)
    };
    let (table, view) = (number("origins").await, number("of_origins").await);
    let none = (None, None);
    let column = |relation: u32, number: i16| (Some(relation), Some(number));
    for (query, expected) in [
        (
            "SELECT b, a, a + 1, count(*) OVER (), 1 FROM origins",
            vec![column(table, 3), column(table, 2), none, none, none],
        ),
        ("SELECT x.a AS y FROM origins x GROUP BY x.a", vec![column(table, 2)]),
        ("SELECT q.c FROM (SELECT b AS c FROM origins) q", vec![column(table, 3)]),
        ("SELECT more, b FROM of_origins", vec![column(view, 2), column(view, 1)]),
        ("SELECT a FROM origins UNION SELECT a FROM origins", vec![none]),
        ("SELECT o.a, v.b FROM origins o LEFT JOIN of_origins v USING (b)", vec![column(table, 2), column(view, 1)]),
    ] {
        let statement = client.prepare(query).await.unwrap();
        let origins: Vec<_> = statement.columns().iter().map(|it| (it.table_oid(), it.column_id())).collect();
        assert_eq!(origins, expected, "{query}");
    }
}
