//! Prepared statements and portals of the protocol, and those of SQL: they are the same.

use tokio::net::TcpStream;

use crate::support::raw::{self, Answer};
use crate::support::server::TestServer;

async fn session(server: &TestServer) -> TcpStream {
    let mut socket = raw::sent(server, &raw::startup_of("thermocline")).await;
    raw::read_to(&mut socket, b'Z').await;
    socket
}

/// What the server answers to a query string.
async fn query(socket: &mut TcpStream, sql: &str) -> String {
    raw::send(socket, &raw::message(b'Q', format!("{sql}\0").as_bytes())).await;
    told(&raw::read_to(socket, b'Z').await)
}

/// What it answers to messages of the extended protocol and a Sync behind them.
async fn extended(socket: &mut TcpStream, messages: &[Vec<u8>]) -> String {
    raw::send(socket, &[messages.concat(), raw::message(b'S', b"")].concat()).await;
    told(&raw::read_to(socket, b'Z').await)
}

fn parse(name: &str, sql: &str) -> Vec<u8> {
    raw::message(b'P', format!("{name}\0{sql}\0\0\0").as_bytes())
}

/// Binds a statement to values that are sent as text.
fn bind(portal: &str, statement: &str, values: &[&str]) -> Vec<u8> {
    let mut body = format!("{portal}\0{statement}\0\0\0").into_bytes();
    body.extend((values.len() as u16).to_be_bytes());
    for value in values {
        body.extend((value.len() as u32).to_be_bytes());
        body.extend(value.bytes());
    }
    body.extend([0, 0]);
    raw::message(b'B', &body)
}

fn describe(kind: char, name: &str) -> Vec<u8> {
    raw::message(b'D', format!("{kind}{name}\0").as_bytes())
}

fn execute(portal: &str, rows_max: u32) -> Vec<u8> {
    let mut body = format!("{portal}\0").into_bytes();
    body.extend(rows_max.to_be_bytes());
    raw::message(b'E', &body)
}

fn close(kind: char, name: &str) -> Vec<u8> {
    raw::message(b'C', format!("{kind}{name}\0").as_bytes())
}

/// Answers in short: what tells the tests apart.
fn told(answers: &[Answer]) -> String {
    let told = answers.iter().filter_map(|answer| match answer.kind {
        b'T' => Some(format!("[{}]", columns(&answer.body))),
        b'D' => Some(row(&answer.body)),
        b'C' => Some(text(&answer.body)),
        b'E' => Some(answer.field(b'C').unwrap_or_default()),
        b's' => Some("suspended".to_owned()),
        b'n' => Some("no data".to_owned()),
        b't' => Some(format!("{} parameters", u16::from_be_bytes([answer.body[0], answer.body[1]]))),
        _ => None,
    });
    told.collect::<Vec<_>>().join(", ")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end_matches('\0').to_owned()
}

/// Names of columns; with a mark for those that are sent in binary.
fn columns(body: &[u8]) -> String {
    let mut rest = &body[2..];
    let mut names = Vec::new();
    while let Some(end) = rest.iter().position(|byte| *byte == 0) {
        let format = rest[end + 18];
        names.push(format!("{}{}", text(&rest[..end]), if format == 1 { " in binary" } else { "" }));
        rest = &rest[end + 19..];
    }
    names.join(" ")
}

/// The values of a row.
fn row(body: &[u8]) -> String {
    let mut rest = &body[2..];
    let mut values = Vec::new();
    while let Some((length, behind)) = rest.split_first_chunk::<4>() {
        let (value, behind) = behind.split_at(u32::from_be_bytes(*length) as usize);
        values.push(if value.is_ascii() && !value.contains(&0) { text(value) } else { format!("{value:?}") });
        rest = behind;
    }
    values.join("|")
}

#[tokio::test]
async fn a_cursor_is_a_portal() {
    let server = TestServer::builder().start().await;
    let mut socket = session(&server).await;
    query(&mut socket, "BEGIN; DECLARE c CURSOR FOR SELECT n FROM generate_series(1, 5) n ORDER BY n").await;
    assert_eq!(extended(&mut socket, &[describe('P', "c"), execute("c", 2)]).await, "[n], 1, 2, suspended");
    assert_eq!(query(&mut socket, "FETCH c").await, "[n], 3, FETCH 1");
    assert_eq!(extended(&mut socket, &[execute("c", 0)]).await, "4, 5, SELECT 2");
    assert_eq!(extended(&mut socket, &[execute("c", 0)]).await, "SELECT 0");
    assert_eq!(query(&mut socket, "FETCH PRIOR c; MOVE BACKWARD ALL c").await, "[n], 5, FETCH 1, MOVE 4");
    assert_eq!(extended(&mut socket, &[close('P', "c")]).await, "");
    assert_eq!(query(&mut socket, "FETCH c").await, "34000");
}

#[tokio::test]
async fn a_portal_is_a_cursor() {
    let server = TestServer::builder().start().await;
    let mut socket = session(&server).await;
    query(&mut socket, "BEGIN").await;
    let sql = "SELECT n FROM generate_series(1, $1::int) n ORDER BY n";
    extended(&mut socket, &[parse("", sql), bind("p", "", &["7"])]).await;
    assert_eq!(
        query(&mut socket, "SELECT name, is_scrollable FROM pg_cursors").await,
        "[name is_scrollable], p|f, SELECT 1"
    );
    assert_eq!(query(&mut socket, "FETCH 2 FROM p").await, "[n], 1, 2, FETCH 2");
    assert_eq!(extended(&mut socket, &[execute("p", 2)]).await, "3, 4, suspended");
    assert_eq!(query(&mut socket, "MOVE p; FETCH p").await, "MOVE 1, [n], 6, FETCH 1");
    assert_eq!(extended(&mut socket, &[execute("p", 0)]).await, "7, SELECT 1");
    query(&mut socket, "SAVEPOINT s").await;
    assert_eq!(extended(&mut socket, &[parse("", "SELECT 1"), bind("p", "", &[])]).await, "42P03");
    query(&mut socket, "ROLLBACK TO s").await;
    // One that the protocol has begun to send goes on, too.
    extended(&mut socket, &[parse("", sql), bind("q", "", &["5"]), execute("q", 2)]).await;
    assert_eq!(query(&mut socket, "FETCH q; FETCH PRIOR q").await, "[n], 3, FETCH 1, 55000");
}

#[tokio::test]
async fn fetch_has_moved_a_cursor_whether_or_not_its_rows_are_taken() {
    let server = TestServer::builder().start().await;
    let mut socket = session(&server).await;
    query(&mut socket, "BEGIN; DECLARE c CURSOR FOR SELECT n FROM generate_series(1, 9) n ORDER BY n").await;
    let fetch = [parse("", "FETCH 3 FROM c"), bind("f", "", &[]), describe('P', "f"), execute("f", 1)];
    assert_eq!(extended(&mut socket, &fetch).await, "[n], 1, suspended");
    assert_eq!(query(&mut socket, "FETCH c").await, "[n], 4, FETCH 1");
    assert_eq!(extended(&mut socket, &[execute("f", 0)]).await, "2, 3, FETCH 2");
}

#[tokio::test]
async fn a_binary_cursor_is_sent_in_binary() {
    let server = TestServer::builder().start().await;
    let mut socket = session(&server).await;
    let begin = "BEGIN; DECLARE c BINARY CURSOR FOR SELECT 258 AS i, true AS b; FETCH c";
    let expected = "BEGIN, DECLARE CURSOR, [i in binary b in binary], [0, 0, 1, 2]|\u{1}, FETCH 1";
    assert_eq!(query(&mut socket, begin).await, expected);
}

#[tokio::test]
async fn a_cursor_that_is_held_outlives_what_the_protocol_asks_for() {
    let server = TestServer::builder().start().await;
    let mut socket = session(&server).await;
    let declare = "DECLARE h CURSOR WITH HOLD FOR SELECT n FROM generate_series(1, 4) n ORDER BY n";
    let declared = extended(&mut socket, &[parse("", declare), bind("", "", &[]), execute("", 0)]).await;
    assert_eq!(declared, "DECLARE CURSOR");
    assert_eq!(extended(&mut socket, &[execute("h", 1)]).await, "1, suspended");
    assert_eq!(extended(&mut socket, &[execute("h", 1), execute("h", 0)]).await, "2, suspended, 3, 4, SELECT 2");
    // One that is not held is of no use behind the next Sync.
    let declare = "DECLARE c CURSOR FOR SELECT 1";
    assert_eq!(extended(&mut socket, &[parse("", declare), bind("", "", &[]), execute("", 0)]).await, "25P01");
    assert_eq!(
        query(&mut socket, "DECLARE c CURSOR FOR SELECT 1; FETCH c").await,
        "DECLARE CURSOR, [?column?], 1, FETCH 1"
    );
    assert_eq!(query(&mut socket, "FETCH c").await, "34000");
    assert_eq!(query(&mut socket, "FETCH BACKWARD 2 h").await, "[n], 4, 3, FETCH 2");
}

#[tokio::test]
async fn what_a_cursor_keeps_goes_to_disk_when_there_is_no_memory() {
    let server = TestServer::builder().arg("--memory-limit").arg("20MB").arg("--column-cache").arg("1MB").start().await;
    let mut socket = session(&server).await;
    let rows = "SELECT n, repeat(n::text, 20) FROM generate_series(100001, 400000) n";
    query(&mut socket, &format!("BEGIN; DECLARE c SCROLL CURSOR FOR {rows}")).await;
    assert_eq!(query(&mut socket, "MOVE ALL c").await, "MOVE 300000");
    // What was fetched last is read first, and every row is there once.
    let fetched = query(&mut socket, "FETCH BACKWARD ALL c").await;
    let mut numbers: Vec<u32> = Vec::new();
    for row in fetched.split(", ").filter(|row| row.contains('|')) {
        let (number, text) = row.split_once('|').unwrap();
        assert_eq!(text, number.repeat(20));
        numbers.push(number.parse().unwrap());
    }
    numbers.sort_unstable();
    assert!(numbers.into_iter().eq(100_001..=400_000));
    query(&mut socket, "COMMIT").await;
    query(&mut socket, &format!("DECLARE h NO SCROLL CURSOR WITH HOLD FOR {rows}")).await;
    assert_eq!(query(&mut socket, "MOVE 299999 h; MOVE ALL h").await, "MOVE 299999, MOVE 1");
}

#[tokio::test]
async fn prepared_statements_are_those_of_the_protocol() {
    let server = TestServer::builder().start().await;
    let mut socket = session(&server).await;
    extended(&mut socket, &[parse("s1", "SELECT $1::int + 1 AS n")]).await;
    assert_eq!(query(&mut socket, "EXECUTE s1(41)").await, "[n], 42, SELECT 1");
    query(&mut socket, "PREPARE s2(int) AS SELECT $1 AS m").await;
    assert_eq!(extended(&mut socket, &[describe('S', "s2")]).await, "1 parameters, [m]");
    assert_eq!(extended(&mut socket, &[bind("", "s2", &["7"]), execute("", 0)]).await, "7, SELECT 1");
    assert_eq!(extended(&mut socket, &[parse("s2", "SELECT 1")]).await, "42P05");
    let execute_s2 =
        [parse("", "EXECUTE s2(8)"), describe('S', ""), bind("", "", &[]), describe('P', ""), execute("", 0)];
    assert_eq!(extended(&mut socket, &execute_s2).await, "0 parameters, [m], [m], 8, SELECT 1");
    let shown = "SELECT name, from_sql FROM pg_prepared_statements ORDER BY name";
    assert_eq!(query(&mut socket, shown).await, "[name from_sql], s1|f, s2|t, SELECT 2");
    assert_eq!(extended(&mut socket, &[close('S', "s2")]).await, "");
    assert_eq!(query(&mut socket, "EXECUTE s2(1)").await, "26000");
    assert_eq!(query(&mut socket, "DEALLOCATE s1").await, "DEALLOCATE");
    assert_eq!(extended(&mut socket, &[bind("", "s1", &["1"])]).await, "26000");
    assert_eq!(extended(&mut socket, &[parse("", "SELECT $2::int")]).await, "42P18");
}
