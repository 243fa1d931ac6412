//! Clients that do not keep to the protocol: whatever they send, the server answers, refuses or hangs up, and the next
//! client is served.

use std::time::Duration;

use sql_tests::fuzz_wire::run::prepare;
use sql_tests::fuzz_wire::{Case, send};
use sql_tests::session::Address;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::client::value;
use crate::support::raw::{message, startup_of};
use crate::support::server::TestServer;

/// Longer than any answer takes on the slowest machine.
const DEADLINE: Duration = Duration::from_secs(60);
/// The seed of the cases, and how many there are: the command `fuzz-wire` sends more.
const SEED: u64 = 0x7468_6572_6d6f;
const CASES: u64 = 1000;

/// Sends the bytes, ends the sending side, and reads until the server has ended its own.
async fn exchange(server: &TestServer, bytes: &[u8]) {
    let mut socket = TcpStream::connect(("127.0.0.1", server.port())).await.unwrap();
    let mut answer = Vec::new();
    // The server may have hung up while there was more to send.
    let sent = socket.write_all(bytes).await;
    let ended = if sent.is_ok() { socket.shutdown().await } else { sent };
    if ended.is_ok() {
        let read = timeout(DEADLINE, socket.read_to_end(&mut answer)).await;
        drop(read.unwrap_or_else(|_| panic!("no end to the answer to {bytes:?}")));
    }
}

async fn assert_unharmed(server: &TestServer) {
    assert_eq!(value(&server.connect().await, "SELECT 1").await, "1");
    assert!(!server.log().contains("panicked"), "the server panicked:\n{}", server.log());
}

#[tokio::test]
async fn messages_in_any_form_and_order_do_no_harm() {
    let server = TestServer::builder().start().await;
    let address = Address::local(server.port(), "thermocline");
    let sending = spawn_blocking(move || {
        prepare(&address).unwrap();
        for number in 0..CASES {
            let case = Case::new(SEED, number);
            send(&address, &case).unwrap_or_else(|failure| panic!("{failure}, at case {number}:\n{case}"));
        }
    });
    sending.await.unwrap();
    assert_unharmed(&server).await;
}

#[tokio::test]
async fn what_is_no_start_of_a_session_is_not_answered_with_one() {
    let server = TestServer::builder().start().await;
    let mut cut = startup_of("thermocline");
    cut.truncate(20);
    let packets: [&[u8]; 9] = [
        b"",
        b"\0\0\0\0",
        b"\0\0\0\x04",
        b"\xff\xff\xff\xff",
        b"\x40\0\0\0aaaa",
        b"GET / HTTP/1.0\r\n\r\n",
        b"\0\0\0\x08\0\x02\0\0",
        b"\0\0\0\x09\0\x04\0\0\0",
        &cut,
    ];
    for packet in packets {
        exchange(&server, packet).await;
    }
    assert_unharmed(&server).await;
}

#[tokio::test]
async fn nothing_that_follows_a_refused_start_is_run() {
    let server = TestServer::builder().start().await;
    let mut socket = TcpStream::connect(("127.0.0.1", server.port())).await.unwrap();
    let packet = [startup_of("mallory"), message(b'Q', b"create schema mallory_was_here\0")].concat();
    socket.write_all(&packet).await.unwrap();
    let mut answer = Vec::new();
    // Unread bytes may turn the end of the connection into a reset.
    let read = timeout(DEADLINE, socket.read_to_end(&mut answer)).await.expect("the connection ends");
    drop(read);
    assert!(!answer.contains(&b'Z'), "{answer:?}");
    let client = server.connect().await;
    client.batch_execute("CREATE SCHEMA mallory_was_here").await.unwrap();
    assert_unharmed(&server).await;
}
