//! Sessions that do nothing, whose client has gone, whose server stops, and what they are cancelled with.

use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_postgres::Client;

use crate::client::{error, rows, value};
use crate::support::raw::{self, Answer};
use crate::support::server::{Signal, TestServer};

const DEADLINE: Duration = Duration::from_secs(60);
const CANCEL_REQUEST: u32 = 80_877_102;

/// A session of bare messages, and what it was greeted with.
async fn session(server: &TestServer, minor: u16) -> (TcpStream, Vec<Answer>) {
    let startup = raw::startup(minor, &[("user", "thermocline"), ("database", "thermocline")]);
    let mut socket = raw::sent(server, &startup).await;
    let greeting = raw::read_to(&mut socket, b'Z').await;
    (socket, greeting)
}

async fn query(socket: &mut TcpStream, sql: &str) -> Vec<Answer> {
    raw::send(socket, &raw::message(b'Q', format!("{sql}\0").as_bytes())).await;
    raw::read_to(socket, b'Z').await
}

/// The number and the secret of the session.
fn key(greeting: &[Answer]) -> (String, Vec<u8>) {
    let key = greeting.iter().find(|answer| answer.kind == b'K').unwrap();
    (i32::from_be_bytes(key.body[..4].try_into().unwrap()).to_string(), key.body[4..].to_vec())
}

#[tokio::test]
async fn a_session_that_does_nothing_ends() {
    let server = TestServer::builder().start().await;
    for (begin, expected) in [
        ("SET idle_session_timeout = 20", "FATAL 57P05 terminating connection due to idle-session timeout"),
        (
            "SET idle_in_transaction_session_timeout = 20; BEGIN",
            "FATAL 25P03 terminating connection due to idle-in-transaction timeout",
        ),
        (
            "SET idle_in_transaction_session_timeout = '20ms'; BEGIN; SELECT 1/0",
            "FATAL 25P03 terminating connection due to idle-in-transaction timeout",
        ),
    ] {
        let (mut socket, _) = session(&server, 0).await;
        for statement in begin.split("; ") {
            query(&mut socket, statement).await;
        }
        let answers = raw::read_to_end(&mut socket).await;
        assert_eq!(answers.last().unwrap().error(), expected);
    }
}

#[tokio::test]
async fn a_session_that_works_is_not_idle() {
    let server = TestServer::builder().start().await;
    let (mut socket, _) = session(&server, 0).await;
    query(&mut socket, "SET idle_in_transaction_session_timeout = 1").await;
    let answers = query(&mut socket, "SELECT count(*) FROM generate_series(1, 3000000)").await;
    assert!(answers.iter().any(|answer| answer.kind == b'C'), "{answers:?}");
}

/// Waits until the session with this number waits for others, or does not.
async fn until_blocked(client: &Client, process_id: &str, blocked: bool) {
    let question = format!("SELECT cardinality(pg_blocking_pids({process_id})) > 0");
    let asking = async { while value(client, &question).await != if blocked { "t" } else { "f" } {} };
    timeout(DEADLINE, asking).await.expect("it comes to that");
}

fn simple_update() -> Vec<u8> {
    raw::message(b'Q', b"UPDATE t SET i = 3\0")
}

/// A row that a transaction has locked, and a session that waits for it.
async fn waiting(server: &TestServer, client: &Client, update: &[u8]) -> (TcpStream, String) {
    client.batch_execute("CREATE TABLE IF NOT EXISTS t (i int); TRUNCATE t; INSERT INTO t VALUES (1)").await.unwrap();
    client.batch_execute("BEGIN; UPDATE t SET i = 2").await.unwrap();
    let (mut socket, greeting) = session(server, 0).await;
    let (process_id, _) = key(&greeting);
    raw::send(&mut socket, update).await;
    until_blocked(client, &process_id, true).await;
    (socket, process_id)
}

#[tokio::test]
async fn a_client_that_has_gone_waits_for_nothing() {
    let server = TestServer::builder().start().await;
    let client = server.connect().await;
    let extended = [
        raw::message(b'P', b"\0UPDATE t SET i = 3\0\0\0"),
        raw::message(b'B', b"\0\0\0\0\0\0\0\0"),
        raw::message(b'E', b"\0\0\0\0\0"),
        raw::message(b'S', b""),
    ];
    for update in [simple_update(), extended.concat()] {
        let (socket, process_id) = waiting(&server, &client, &update).await;
        drop(socket);
        until_blocked(&client, &process_id, false).await;
        client.batch_execute("COMMIT").await.unwrap();
        assert_eq!(value(&client, "SELECT i FROM t").await, "2");
    }
}

#[tokio::test]
async fn what_a_client_has_sent_before_it_left_is_done() {
    let server = TestServer::builder().start().await;
    let client = server.connect().await;
    let (mut socket, process_id) = waiting(&server, &client, &simple_update()).await;
    raw::send(&mut socket, &raw::message(b'Q', b"INSERT INTO t VALUES (4)\0")).await;
    raw::send(&mut socket, &raw::message(b'X', b"")).await;
    drop(socket);
    client.batch_execute("COMMIT").await.unwrap();
    until_blocked(&client, &process_id, false).await;
    let both = async { while value(&client, "SELECT count(*) FROM t WHERE i > 2").await != "2" {} };
    timeout(DEADLINE, both).await.expect("both statements are done");
}

#[tokio::test]
async fn messages_that_come_early_are_answered_in_order() {
    let server = TestServer::builder().start().await;
    let (mut socket, _) = session(&server, 0).await;
    // More than is read ahead.
    let text = "x".repeat(10_000);
    let statements: Vec<u8> = (0..500)
        .flat_map(|number| raw::message(b'Q', format!("SELECT {number}, length('{text}')\0").as_bytes()))
        .collect();
    let (mut reader, mut writer) = socket.split();
    let sending = raw::send(&mut writer, &statements);
    let receiving = async {
        for number in 0..500 {
            let answers = raw::read_to(&mut reader, b'Z').await;
            let row = answers.iter().find(|answer| answer.kind == b'D').unwrap();
            assert!(String::from_utf8_lossy(&row.body).contains(&number.to_string()));
        }
    };
    tokio::join!(sending, receiving);
}

#[tokio::test]
async fn newer_clients_have_longer_keys() {
    let server = TestServer::builder().start().await;
    for (minor, bytes, negotiated) in [(0, 4, None), (2, 32, None), (9, 32, Some(b"\0\x03\0\x02\0\0\0\0"))] {
        let (mut socket, greeting) = session(&server, minor).await;
        let version = greeting.iter().find(|answer| answer.kind == b'v').map(|answer| answer.body.as_slice());
        assert_eq!(version, negotiated.map(|it| &it[..]));
        let (process_id, secret) = key(&greeting);
        assert_eq!(secret.len(), bytes);
        raw::send(&mut socket, &raw::message(b'Q', b"SELECT count(*) FROM generate_series(1, 1000000000000)\0")).await;
        let mut body = CANCEL_REQUEST.to_be_bytes().to_vec();
        body.extend(process_id.parse::<i32>().unwrap().to_be_bytes());
        let wrong = [&body[..], &vec![0; bytes]].concat();
        body.extend(secret);
        cancel(&server, &wrong).await;
        // A request that comes before its statement has no effect.
        let answer = {
            let mut answer = Box::pin(raw::read_to(&mut socket, b'E'));
            let cancelling = async {
                loop {
                    tokio::select! {
                        answers = &mut answer => break answers,
                        () = cancel(&server, &body) => {}
                    }
                }
            };
            timeout(DEADLINE, cancelling).await.unwrap().pop().unwrap()
        };
        assert_eq!(answer.error(), "ERROR 57014 canceling statement due to user request");
    }
}

/// Sends a cancel request, and waits until it has been taken.
async fn cancel(server: &TestServer, body: &[u8]) {
    let mut request = (body.len() as u32 + 4).to_be_bytes().to_vec();
    request.extend(body);
    let mut socket = raw::sent(server, &request).await;
    socket.read_to_end(&mut Vec::new()).await.unwrap();
}

#[tokio::test]
async fn open_transactions_may_end_before_the_server_does() {
    let mut server = TestServer::builder().arg("--shutdown-timeout").arg("1h").start().await;
    let (mut idle, _) = session(&server, 0).await;
    let client = server.connect().await;
    client.batch_execute("CREATE TABLE t (i int); BEGIN; INSERT INTO t VALUES (1)").await.unwrap();
    server.signal(Signal::Terminate);
    let answers = raw::read_to_end(&mut idle).await;
    assert_eq!(answers.last().unwrap().error(), "FATAL 57P01 terminating connection due to administrator command");
    client.batch_execute("INSERT INTO t VALUES (2)").await.unwrap();
    assert_eq!(rows(&client, "COMMIT").await.unwrap().len(), 0);
    let status = timeout(DEADLINE, server.ended()).await.unwrap();
    assert!(status.success(), "{}", server.log());
}

#[tokio::test]
async fn a_second_request_to_stop_does_not_wait() {
    let mut server = TestServer::builder().arg("--shutdown-timeout").arg("1h").start().await;
    let (mut idle, _) = session(&server, 0).await;
    let client = server.connect().await;
    client.batch_execute("CREATE TABLE t (i int); BEGIN; INSERT INTO t VALUES (1)").await.unwrap();
    server.signal(Signal::Terminate);
    raw::read_to_end(&mut idle).await;
    server.signal(Signal::Interrupt);
    let status = timeout(DEADLINE, server.ended()).await.unwrap();
    assert!(status.success(), "{}", server.log());
    assert!(error(&client, "COMMIT").await.sqlstate.is_none_or(|code| code == "57P01"));
}
