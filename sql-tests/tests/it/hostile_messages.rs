//! Clients that do not keep to the protocol: whatever they send, the server answers, refuses or hangs up, and the next
//! client is served.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::client::value;
use crate::support::server::TestServer;

/// Longer than any answer takes on the slowest machine.
const DEADLINE: Duration = Duration::from_secs(60);
/// Connections of random messages.
const CONNECTIONS: u64 = 300;
/// Version 3.0.
const PROTOCOL_VERSION: u32 = 196_608;

/// Bodies that are right for some kind of message.
const BODIES: [&[u8]; 9] = [
    b"select 1\0",
    b"\0select $1::int\0\0\0",
    b"\0\0\0\0\0\x01\0\0\0\x02\0\0",
    b"S\0",
    b"P\0",
    b"\0\0\0\0\0",
    b"copy t from stdin\0",
    b"begin\0",
    b"select 1; select 2\0",
];

/// Random numbers that are the same in every run (xorshift64*).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit
    }
}

fn startup() -> Vec<u8> {
    let mut body = PROTOCOL_VERSION.to_be_bytes().to_vec();
    body.extend(b"user\0thermocline\0database\0thermocline\0\0");
    let mut packet = (body.len() as u32 + 4).to_be_bytes().to_vec();
    packet.extend(body);
    packet
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut message = vec![kind];
    message.extend((body.len() as u32 + 4).to_be_bytes());
    message.extend(body);
    message
}

fn random_message(random: &mut Random) -> Vec<u8> {
    let kind = b"QPBDECSHdcfFXp!\0"[random.below(16)];
    if random.below(10) < 4 {
        return message(kind, BODIES[random.below(BODIES.len())]);
    }
    let body: Vec<u8> = (0..random.below(30)).map(|_| b"\0\0\x01\x02ASP\xff\x7f1"[random.below(10)]).collect();
    message(kind, &body)
}

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
    let mut random = Random(0x7468_6572_6d6f);
    for _ in 0..CONNECTIONS {
        let mut bytes = startup();
        for _ in 0..=random.below(6) {
            bytes.extend(random_message(&mut random));
        }
        bytes.extend(message(b'S', &[]));
        exchange(&server, &bytes).await;
    }
    assert_unharmed(&server).await;
}

#[tokio::test]
async fn what_is_no_start_of_a_session_is_not_answered_with_one() {
    let server = TestServer::builder().start().await;
    let mut cut = startup();
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
    let mut bytes = PROTOCOL_VERSION.to_be_bytes().to_vec();
    bytes.extend(b"user\0mallory\0\0");
    let mut packet = (bytes.len() as u32 + 4).to_be_bytes().to_vec();
    packet.extend(bytes);
    packet.extend(message(b'Q', b"create schema mallory_was_here\0"));
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
