//! What sessions send to each other with NOTIFY.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::raw::{self, Answer};
use crate::support::server::TestServer;

const DEADLINE: Duration = Duration::from_secs(60);

async fn session(server: &TestServer) -> TcpStream {
    let mut socket = raw::sent(server, &raw::startup_of("thermocline")).await;
    raw::read_to(&mut socket, b'Z').await;
    socket
}

/// What the server answers to a query string, in short: notifications, rows, tags and errors.
async fn query(socket: &mut TcpStream, sql: &str) -> String {
    raw::send(socket, &raw::message(b'Q', format!("{sql}\0").as_bytes())).await;
    told(&raw::read_to(socket, b'Z').await)
}

/// What a session is told that has asked for nothing.
async fn unasked(socket: &mut TcpStream) -> String {
    told(&[timeout(DEADLINE, raw::read(socket)).await.expect("it is told").unwrap()])
}

fn told(answers: &[Answer]) -> String {
    let told = answers.iter().filter_map(|answer| match answer.kind {
        b'A' => {
            let texts = String::from_utf8_lossy(&answer.body[4..]).trim_end_matches('\0').replace('\0', ":");
            Some(format!("<{texts}>"))
        }
        b'D' => Some(String::from_utf8_lossy(&answer.body[6..]).into_owned()),
        b'C' => Some(String::from_utf8_lossy(&answer.body).trim_end_matches('\0').to_owned()),
        b'E' => answer.field(b'C'),
        b'Z' | b'T' => None,
        other => Some(char::from(other).to_string()),
    });
    told.collect::<Vec<_>>().join(", ")
}

#[tokio::test]
async fn a_session_that_does_nothing_is_told_at_once() {
    let server = TestServer::builder().start().await;
    let (mut listener, mut sender) = (session(&server).await, session(&server).await);
    assert_eq!(query(&mut listener, "LISTEN news").await, "LISTEN");
    assert_eq!(query(&mut sender, "NOTIFY news, 'first'").await, "NOTIFY");
    assert_eq!(unasked(&mut listener).await, "<news:first>");
    query(&mut sender, "NOTIFY other, 'not heard'; SELECT pg_notify('news', 'second')").await;
    assert_eq!(unasked(&mut listener).await, "<news:second>");
    // Who sends and listens is told of what it sends itself.
    assert_eq!(query(&mut listener, "NOTIFY news").await, "NOTIFY, <news>");
    assert_eq!(query(&mut listener, "UNLISTEN news; NOTIFY news").await, "UNLISTEN, NOTIFY");
    query(&mut sender, "NOTIFY news, 'not heard'").await;
    assert_eq!(query(&mut listener, "SELECT 1").await, "1, SELECT 1");
}

#[tokio::test]
async fn what_a_transaction_sends_is_sent_when_it_is_committed() {
    let server = TestServer::builder().start().await;
    let (mut listener, mut sender) = (session(&server).await, session(&server).await);
    query(&mut listener, "LISTEN a").await;
    query(&mut sender, "BEGIN; NOTIFY a, 'rolled back'; ROLLBACK").await;
    query(&mut sender, "BEGIN; NOTIFY a, 'failed'; SELECT 1/0").await;
    query(&mut sender, "COMMIT").await;
    query(&mut sender, "NOTIFY a, 'failed, too'; SELECT 1/0").await;
    query(&mut sender, "BEGIN; NOTIFY a, '1'; SAVEPOINT s; NOTIFY a, 'taken back'; ROLLBACK TO s").await;
    query(&mut sender, "NOTIFY a, '2'; NOTIFY a, '1'; SELECT pg_notify('a', '2')").await;
    // Nothing has come so far.
    assert_eq!(query(&mut listener, "SELECT 1").await, "1, SELECT 1");
    query(&mut sender, "NOTIFY a, '3'; COMMIT").await;
    assert_eq!(unasked(&mut listener).await, "<a:1>");
    assert_eq!(unasked(&mut listener).await, "<a:2>");
    assert_eq!(unasked(&mut listener).await, "<a:3>");
}

#[tokio::test]
async fn a_session_in_a_transaction_is_told_behind_it() {
    let server = TestServer::builder().start().await;
    let (mut listener, mut sender) = (session(&server).await, session(&server).await);
    query(&mut listener, "LISTEN a").await;
    query(&mut listener, "BEGIN").await;
    query(&mut sender, "NOTIFY a, 'while it is open'").await;
    assert_eq!(query(&mut listener, "SELECT 1").await, "1, SELECT 1");
    assert_eq!(query(&mut listener, "COMMIT").await, "COMMIT, <a:while it is open>");

    // Nor is it told in the middle of what it asks for up to Sync.
    let asked = [
        raw::message(b'P', b"\0SELECT 1\0\0\0"),
        raw::message(b'B', b"\0\0\0\0\0\0\0\0"),
        raw::message(b'E', b"\0\0\0\0\0"),
        raw::message(b'H', b""),
    ];
    raw::send(&mut listener, &asked.concat()).await;
    assert_eq!(told(&raw::read_to(&mut listener, b'C').await), "1, 2, 1, SELECT 1");
    query(&mut sender, "NOTIFY a, 'before Sync'").await;
    raw::send(&mut listener, &[asked[0].clone(), raw::message(b'S', b"")].concat()).await;
    assert_eq!(told(&raw::read_to(&mut listener, b'Z').await), "1, <a:before Sync>");
}

#[tokio::test]
async fn listening_begins_and_ends_with_a_commit() {
    let server = TestServer::builder().start().await;
    let (mut listener, mut sender) = (session(&server).await, session(&server).await);
    query(&mut listener, "BEGIN; LISTEN a").await;
    query(&mut sender, "NOTIFY a, 'too early'").await;
    assert_eq!(query(&mut listener, "NOTIFY a, 'own'; COMMIT").await, "NOTIFY, COMMIT, <a:own>");
    query(&mut listener, "BEGIN; UNLISTEN *").await;
    query(&mut sender, "NOTIFY a, 'still heard'").await;
    assert_eq!(query(&mut listener, "ROLLBACK").await, "ROLLBACK, <a:still heard>");
    query(&mut listener, "BEGIN; UNLISTEN a").await;
    query(&mut sender, "NOTIFY a, 'no more'").await;
    assert_eq!(query(&mut listener, "COMMIT").await, "COMMIT");
}

#[tokio::test]
async fn what_nobody_takes_does_not_fill_the_memory() {
    let server = TestServer::builder().start().await;
    let (mut listener, mut sender) = (session(&server).await, session(&server).await);
    query(&mut listener, "LISTEN a").await;
    query(&mut listener, "BEGIN").await;
    let send =
        |count: usize| format!("SELECT pg_notify('a', repeat('x', 7900) || n) FROM generate_series(1, {count}) n");
    let usage = "SELECT pg_notification_queue_usage() > 0.4";
    assert!(query(&mut sender, &send(9_000)).await.ends_with("54000"));
    query(&mut sender, &send(4_000)).await;
    assert_eq!(query(&mut sender, usage).await, "t, SELECT 1");
    assert!(query(&mut sender, &send(5_000)).await.ends_with("54000"));
    assert_eq!(query(&mut listener, "COMMIT").await.matches("<a:").count(), 4_000);
    assert_eq!(query(&mut sender, usage).await, "f, SELECT 1");
    query(&mut sender, "NOTIFY a, 'there is room'").await;
    assert_eq!(unasked(&mut listener).await, "<a:there is room>");
}
