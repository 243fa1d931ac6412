//! A client of bare messages, for what no driver does.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::server::TestServer;

/// Longer than any answer takes on the slowest machine.
const DEADLINE: Duration = Duration::from_secs(60);

/// A message of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its type.
    pub kind: u8,
    /// What it says.
    pub body: Vec<u8>,
}

impl Answer {
    /// A field of an error.
    pub fn field(&self, code: u8) -> Option<String> {
        let mut fields = self.body.split(|byte| *byte == 0);
        fields.find(|field| field.first() == Some(&code)).map(|field| String::from_utf8_lossy(&field[1..]).into_owned())
    }

    /// What an error says: severity, code and message.
    pub fn error(&self) -> String {
        let field = |code| self.field(code).unwrap_or_default();
        format!("{} {} {}", field(b'S'), field(b'C'), field(b'M'))
    }
}

/// The start-up message of a client of this minor version of protocol 3.
pub fn startup(minor: u16, parameters: &[(&str, &str)]) -> Vec<u8> {
    let mut body = vec![0, 3];
    body.extend(minor.to_be_bytes());
    for (name, value) in parameters {
        body.extend([name.as_bytes(), b"\0", value.as_bytes(), b"\0"].concat());
    }
    body.push(0);
    with_length(&body)
}

/// The start-up message of a user, for the database that there is.
pub fn startup_of(user: &str) -> Vec<u8> {
    startup(0, &[("user", user), ("database", "thermocline")])
}

/// A message.
pub fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut message = vec![kind];
    message.extend(with_length(body));
    message
}

/// A request that comes before the start-up message, and has a code.
pub fn request(code: u32) -> Vec<u8> {
    with_length(&code.to_be_bytes())
}

/// What asks for encryption.
pub const SSL_REQUEST: u32 = 80_877_103;
/// What asks for encryption by GSSAPI.
pub const GSSENC_REQUEST: u32 = 80_877_104;

fn with_length(body: &[u8]) -> Vec<u8> {
    let mut message = (body.len() as u32 + 4).to_be_bytes().to_vec();
    message.extend(body);
    message
}

/// A connection to the server.
pub async fn connect(server: &TestServer) -> TcpStream {
    TcpStream::connect(("127.0.0.1", server.port())).await.unwrap()
}

/// A connection to the server that has sent these bytes.
pub async fn sent(server: &TestServer, bytes: &[u8]) -> TcpStream {
    let mut socket = connect(server).await;
    socket.write_all(bytes).await.unwrap();
    socket
}

/// Sends bytes.
pub async fn send(socket: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) {
    socket.write_all(bytes).await.unwrap();
    socket.flush().await.unwrap();
}

/// A byte.
pub async fn read_byte(socket: &mut (impl AsyncRead + Unpin)) -> u8 {
    timeout(DEADLINE, socket.read_u8()).await.expect("the server answers").unwrap()
}

/// The next message of the server; nothing at the end of the connection.
pub async fn read(socket: &mut (impl AsyncRead + Unpin)) -> Option<Answer> {
    let read = async {
        let kind = socket.read_u8().await.ok()?;
        let length = socket.read_u32().await.ok()?;
        let mut body = vec![0; length as usize - 4];
        socket.read_exact(&mut body).await.ok()?;
        Some(Answer { kind, body })
    };
    timeout(DEADLINE, read).await.expect("the server answers or hangs up")
}

/// The messages of the server up to one of this type, or to the end of the connection.
pub async fn read_to(socket: &mut (impl AsyncRead + Unpin), kind: u8) -> Vec<Answer> {
    let mut answers = Vec::new();
    while let Some(answer) = read(socket).await {
        let last = answer.kind == kind;
        answers.push(answer);
        if last {
            break;
        }
    }
    answers
}

/// The messages of the server up to the end of the connection.
pub async fn read_to_end(socket: &mut (impl AsyncRead + Unpin)) -> Vec<Answer> {
    read_to(socket, 0).await
}
