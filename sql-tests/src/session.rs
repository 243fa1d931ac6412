//! One session with a server, by the simple query protocol and without anything that waits in the background.
//!
//! The drivers hide what is compared here: the types of the columns and the bytes of the values. Statements can be sent
//! ahead of the answers, which is what makes a million of them affordable.

use std::fmt;
use std::io::{self, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::answer::{Answer, Column, SqlError};

/// Version 3.0.
const PROTOCOL_VERSION: u32 = 196_608;

/// An answer that takes longer is a hang.
const DEADLINE: Duration = Duration::from_secs(60);

/// Statements that are sent before the first answer is read. Both sides block once the socket's buffers are full of
/// statements on one way and of answers on the other, so it must stay small.
const STATEMENTS_AHEAD: usize = 16;

/// Where a server listens, and as whom to log in there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Name or number of the host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The user, who needs no password.
    pub user: String,
    /// The database.
    pub database: String,
}

impl Address {
    /// A server on this machine.
    pub fn local(port: u16, user: &str) -> Address {
        Address { host: "127.0.0.1".to_owned(), port, user: user.to_owned(), database: user.to_owned() }
    }

    /// Reads `host=127.0.0.1 port=5432 user=postgres dbname=postgres`, of which every part may be absent.
    pub fn parse(text: &str) -> Result<Address, String> {
        let mut address = Address::local(5432, "postgres");
        for part in text.split_whitespace() {
            match part.split_once('=') {
                Some(("host", host)) => address.host = host.to_owned(),
                Some(("user", user)) => address.user = user.to_owned(),
                Some(("dbname", database)) => address.database = database.to_owned(),
                Some(("port", port)) => address.port = port.parse().map_err(|_| format!("not a port: {port}"))?,
                _ => return Err(format!("not a part of an address: {part}")),
            }
        }
        Ok(address)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "host={} port={} user={} dbname={}", self.host, self.port, self.user, self.database)
    }
}

/// A session that is logged in.
pub struct Session {
    output: TcpStream,
    input: BufReader<TcpStream>,
}

impl Session {
    /// Logs in.
    pub fn connect(address: &Address) -> io::Result<Session> {
        let output = TcpStream::connect((address.host.as_str(), address.port))?;
        output.set_read_timeout(Some(DEADLINE))?;
        output.set_write_timeout(Some(DEADLINE))?;
        output.set_nodelay(true)?;
        let input = BufReader::with_capacity(1 << 16, output.try_clone()?);
        let mut session = Session { output, input };

        let mut body = PROTOCOL_VERSION.to_be_bytes().to_vec();
        body.extend(format!("user\0{}\0database\0{}\0\0", address.user, address.database).bytes());
        session.output.write_all(&length_of(&body)?)?;
        session.output.write_all(&body)?;
        match session.answer()? {
            Answer::Error(error) => Err(io::Error::other(error.to_string())),
            _ => Ok(session),
        }
    }

    /// Runs one statement.
    pub fn run(&mut self, sql: &str) -> io::Result<Answer> {
        self.send(&[sql])?;
        self.answer()
    }

    /// Runs a `COPY … FROM STDIN` with its data.
    pub fn copy_in(&mut self, sql: &str, data: &str) -> io::Result<Answer> {
        self.send(&[sql])?;
        let (kind, body) = loop {
            let message = self.message()?;
            if matches!(message.0, b'G' | b'E') {
                break message;
            }
        };
        if kind == b'E' {
            let refused = error(&mut Body(&body))?;
            self.answer()?;
            return Ok(Answer::Error(refused));
        }
        let mut messages = vec![b'd'];
        messages.extend(length_of(data.as_bytes())?);
        messages.extend(data.bytes());
        messages.push(b'c');
        messages.extend(length_of(&[])?);
        self.output.write_all(&messages)?;
        self.answer()
    }

    /// Runs statements in order, each in a transaction of its own. An error of the connection ends it all.
    pub fn run_all<S: AsRef<str>>(&mut self, statements: &[S]) -> io::Result<Vec<Answer>> {
        let mut answers = Vec::with_capacity(statements.len());
        for ahead in statements.chunks(STATEMENTS_AHEAD) {
            self.send(ahead)?;
            for _ in ahead {
                answers.push(self.answer()?);
            }
        }
        Ok(answers)
    }

    fn send<S: AsRef<str>>(&mut self, statements: &[S]) -> io::Result<()> {
        let mut messages = Vec::new();
        for sql in statements {
            let mut body = sql.as_ref().as_bytes().to_vec();
            body.push(0);
            messages.push(b'Q');
            messages.extend(length_of(&body)?);
            messages.extend(body);
        }
        self.output.write_all(&messages)
    }

    /// Reads up to the next ReadyForQuery. Of several results the last one counts, and an error more than all.
    fn answer(&mut self) -> io::Result<Answer> {
        let mut answer = Answer::Command(String::new());
        loop {
            let (kind, body) = self.message()?;
            let mut body = Body(&body);
            match kind {
                b'Z' => return Ok(answer),
                b'T' => answer = Answer::Rows { columns: columns(&mut body)?, rows: vec![] },
                b'D' => match &mut answer {
                    Answer::Rows { rows, .. } => rows.push(row(&mut body)?),
                    _ => return Err(malformed("a row without a description")),
                },
                b'C' if matches!(answer, Answer::Command(_)) => answer = Answer::Command(body.text()?),
                b'E' => answer = Answer::Error(error(&mut body)?),
                b'R' if body.u32()? != 0 => return Err(malformed("the server asks for a password")),
                b'G' | b'H' | b'W' => return Err(malformed("COPY has no place here")),
                _ => {}
            }
        }
    }

    fn message(&mut self) -> io::Result<(u8, Vec<u8>)> {
        let mut head = [0; 5];
        self.input.read_exact(&mut head)?;
        let [kind, length @ ..] = head;
        let length = u32::from_be_bytes(length).checked_sub(4).ok_or_else(|| malformed("a negative length"))?;
        let mut body = vec![0; length as usize];
        self.input.read_exact(&mut body)?;
        Ok((kind, body))
    }
}

fn length_of(body: &[u8]) -> io::Result<[u8; 4]> {
    let length = u32::try_from(body.len() + 4).map_err(|_| malformed("a statement of 4 GB"))?;
    Ok(length.to_be_bytes())
}

fn columns(body: &mut Body<'_>) -> io::Result<Vec<Column>> {
    let count = body.u16()?;
    let mut columns = Vec::with_capacity(count.into());
    for _ in 0..count {
        let name = body.text()?;
        body.take(6)?;
        let type_oid = body.u32()?;
        body.take(8)?;
        columns.push(Column { name, type_oid });
    }
    Ok(columns)
}

fn row(body: &mut Body<'_>) -> io::Result<Vec<Option<String>>> {
    let count = body.u16()?;
    let mut values = Vec::with_capacity(count.into());
    for _ in 0..count {
        // The length of NULL is -1.
        let length = body.u32()?;
        let value = if length == u32::MAX { None } else { Some(utf8(body.take(length as usize)?)?) };
        values.push(value);
    }
    Ok(values)
}

fn error(body: &mut Body<'_>) -> io::Result<SqlError> {
    let mut error = SqlError { sqlstate: String::new(), message: String::new(), position: None };
    loop {
        match body.u8()? {
            0 => return Ok(error),
            b'C' => error.sqlstate = body.text()?,
            b'M' => error.message = body.text()?,
            b'P' => error.position = Some(body.text()?.parse().map_err(|_| malformed("a position that is no number"))?),
            _ => drop(body.text()?),
        }
    }
}

/// What has not been read yet of a message.
struct Body<'a>(&'a [u8]);

impl<'a> Body<'a> {
    fn take(&mut self, length: usize) -> io::Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or_else(|| malformed("a short message"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn u8(&mut self) -> io::Result<u8> {
        Ok(self.take(1)?.iter().sum())
    }

    fn u16(&mut self) -> io::Result<u16> {
        Ok(self.take(2)?.iter().fold(0, |number, byte| number << 8 | u16::from(*byte)))
    }

    fn u32(&mut self) -> io::Result<u32> {
        Ok(self.take(4)?.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
    }

    fn text(&mut self) -> io::Result<String> {
        let end = self.0.iter().position(|byte| *byte == 0).ok_or_else(|| malformed("a text without an end"))?;
        let text = utf8(self.take(end)?)?;
        self.take(1)?;
        Ok(text)
    }
}

fn utf8(bytes: &[u8]) -> io::Result<String> {
    String::from_utf8(bytes.to_vec()).map_err(|_| malformed("a text that is not UTF-8"))
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_leave_out_what_is_usual() {
        let address = Address::parse("port=5499 host=db").expect("well formed");
        assert_eq!(address.to_string(), "host=db port=5499 user=postgres dbname=postgres");
        assert!(Address::parse("port=x").is_err());
        assert!(Address::parse("nonsense").is_err());
    }

    #[test]
    fn a_message_that_ends_early_is_an_error() {
        assert!(columns(&mut Body(b"\0\x01a\0\0\0")).is_err());
        assert!(row(&mut Body(b"\0\x01\0\0\0\x05abc")).is_err());
        assert!(error(&mut Body(b"C22012")).is_err());
    }
}
