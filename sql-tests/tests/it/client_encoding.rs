//! Clients whose strings are in another encoding than the server's, in bare messages: what drivers for Rust do not do.

use tokio::net::TcpStream;

use crate::support::raw::{self, Answer, message};
use crate::support::server::TestServer;

/// The value of each first column.
fn first_columns(answers: &[Answer]) -> Vec<Vec<u8>> {
    let rows = answers.iter().filter(|answer| answer.kind == b'D');
    rows.map(|row| row.body[6..].to_vec()).collect()
}

async fn session(server: &TestServer, encoding: &str) -> TcpStream {
    let parameters = [("user", "thermocline"), ("database", "thermocline"), ("client_encoding", encoding)];
    let mut socket = raw::sent(server, &raw::startup(0, &parameters)).await;
    let answers = raw::read_to(&mut socket, b'Z').await;
    let status = [b"client_encoding\0", encoding.as_bytes(), b"\0"].concat();
    assert!(answers.iter().any(|answer| answer.kind == b'S' && answer.body == status), "{answers:?}");
    socket
}

async fn ask(socket: &mut TcpStream, query: &[u8]) -> Vec<Answer> {
    raw::send(socket, &message(b'Q', &[query, b"\0"].concat())).await;
    raw::read_to(socket, b'Z').await
}

/// The text of an error's message.
fn error(answers: &[Answer]) -> String {
    answers.iter().find(|answer| answer.kind == b'E').map(Answer::error).unwrap_or_default()
}

#[tokio::test]
async fn statements_and_answers_are_in_it() {
    let server = TestServer::builder().start().await;
    let mut socket = session(&server, "LATIN1").await;
    let answers = ask(&mut socket, b"SELECT 'gr\xfc\xdf', length('gr\xfc\xdf') AS \"l\xe4nge\"").await;
    assert_eq!(first_columns(&answers)[0][..4], *b"gr\xfc\xdf");
    let described = answers.iter().find(|answer| answer.kind == b'T').unwrap();
    assert!(described.body.windows(6).any(|bytes| bytes == b"l\xe4nge\0"), "{described:?}");
    assert!(answers.iter().any(|answer| answer.kind == b'D' && answer.body.ends_with(b"\0\0\0\x014")));

    // What the encoding has not is an error in a value or a name, and a question mark in a message.
    for query in ["SELECT U&'\\20ac'", "SELECT 1 AS U&\"\\20ac\"", "SELECT ARRAY[U&'\\20ac']"] {
        let expected = "ERROR 22P05 character with byte sequence 0xe2 0x82 0xac in encoding \"UTF8\" has no equivalent \
                        in encoding \"LATIN1\"";
        assert_eq!(error(&ask(&mut socket, query.as_bytes()).await), expected, "{query}");
    }
    let answers = ask(&mut socket, b"SELECT U&'a\\20ac\\00fc'::integer").await;
    let said = answers.iter().find(|answer| answer.kind == b'E').unwrap();
    let said = said.body.split(|byte| *byte == 0).find(|field| field.first() == Some(&b'M'));
    assert_eq!(said, Some(&b"Minvalid input syntax for type integer: \"a?\xfc\""[..]));

    // A change is for what comes next, also within a message.
    let answers =
        ask(&mut socket, b"SET client_encoding = UTF8; SELECT '\xfc'; RESET client_encoding; SELECT '\xfc'").await;
    assert_eq!(first_columns(&answers), [&b"\xc3\xbc"[..], b"\xfc"]);
    let answers = ask(&mut socket, b"SHOW client_encoding").await;
    assert_eq!(first_columns(&answers), [b"LATIN1"]);
    let answers = ask(&mut socket, b"SELECT pg_client_encoding()").await;
    assert_eq!(first_columns(&answers), [b"LATIN1"]);
}

#[tokio::test]
async fn it_is_taken_back_with_what_has_failed() {
    let server = TestServer::builder().start().await;
    let mut socket = session(&server, "UTF8").await;
    assert_eq!(
        error(&ask(&mut socket, b"SET client_encoding = 'LATIN1'; SELECT 1 / 0").await),
        "ERROR 22012 division by zero"
    );
    assert_eq!(first_columns(&ask(&mut socket, "SELECT 'ä' || length('ä')".as_bytes()).await), ["ä1".as_bytes()]);
    // The same in a pipeline, from the other side.
    let mut socket = session(&server, "LATIN1").await;
    let statement = |query: &[u8]| {
        let parse = message(b'P', &[b"\0", query, b"\0\0\0"].concat());
        [parse, message(b'B', &[0; 8]), message(b'E', &[0; 5])].concat()
    };
    let pipeline = [statement(b"SET client_encoding = 'UTF8'"), statement(b"SELECT 1 / 0"), message(b'S', b"")];
    raw::send(&mut socket, &pipeline.concat()).await;
    raw::read_to(&mut socket, b'Z').await;
    assert_eq!(first_columns(&ask(&mut socket, b"SELECT '\xe4'").await), [b"\xe4"]);
}

#[tokio::test]
async fn a_session_in_an_unknown_one_is_refused() {
    let server = TestServer::builder().start().await;
    for (encoding, code) in [("bogus", "22023"), ("EUC_TW", "0A000")] {
        let parameters = [("user", "thermocline"), ("database", "thermocline"), ("client_encoding", encoding)];
        let mut socket = raw::sent(&server, &raw::startup(0, &parameters)).await;
        let answers = raw::read_to_end(&mut socket).await;
        let said = error(&answers);
        assert!(said.starts_with(&format!("FATAL {code} ")), "{said}");
    }
}

#[tokio::test]
async fn several_bytes_may_have_ascii_among_them() {
    let server = TestServer::builder().start().await;
    let mut socket = session(&server, "SJIS").await;
    // The second byte of this character is a backslash, that of the other a letter.
    let answers = ask(&mut socket, b"SELECT '\x83\x5c\x83\x61'").await;
    assert_eq!(first_columns(&answers), [b"\x83\x5c\x83\x61"]);
    assert_eq!(
        error(&ask(&mut socket, b"SELECT '\x83").await),
        "ERROR 22021 invalid byte sequence for encoding \"SJIS\": 0x83"
    );
    assert_eq!(first_columns(&ask(&mut socket, b"SELECT 1").await), [b"1"]);
}

#[tokio::test]
async fn parameters_and_binary_values_are_in_it() {
    let server = TestServer::builder().start().await;
    let mut socket = session(&server, "WIN1251").await;
    // A parameter in text and one in binary, and answers in binary: a text, an array and jsonb.
    let query = b"SELECT $1 || $2, ARRAY[$1], to_jsonb($1)\0";
    let types = b"\0\x02\0\0\0\x19\0\0\0\x19";
    let bind = b"\0\0\0\x02\0\0\0\x01\0\x02\0\0\0\x01\xe6\0\0\0\x01\xf8\0\x01\0\x01";
    let messages = [
        message(b'P', &[b"\0", &query[..], types].concat()),
        message(b'B', bind),
        message(b'E', b"\0\0\0\0\0"),
        message(b'S', b""),
    ];
    raw::send(&mut socket, &messages.concat()).await;
    let answers = raw::read_to(&mut socket, b'Z').await;
    let row = answers.iter().find(|answer| answer.kind == b'D').unwrap_or_else(|| panic!("{answers:?}"));
    let array = b"\0\0\0\x01\0\0\0\0\0\0\0\x19\0\0\0\x01\0\0\0\x01\0\0\0\x01\xe6";
    let expected = [&b"\0\x03\0\0\0\x02\xe6\xf8\0\0\0\x19"[..], array, b"\0\0\0\x04\x01\"\xe6\""].concat();
    assert_eq!(row.body, expected);
}

#[tokio::test]
async fn copy_is_in_it_or_in_the_one_it_names() {
    let server = TestServer::builder().start().await;
    let mut socket = session(&server, "LATIN1").await;
    ask(&mut socket, b"CREATE TABLE t (n integer, s text)").await;
    for (copy, data) in [
        (&b"COPY t FROM STDIN"[..], vec![&b"1\t\xe4\n2\t"[..], b"\xf6\n"]),
        (b"COPY t FROM STDIN (FORMAT csv, ENCODING 'SJIS')", vec![b"3,\x83", b"\x5c\n"]),
        (
            b"COPY t FROM STDIN (FORMAT binary)",
            vec![b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0\0\x02\0\0\0\x04\0\0\0\x04\0\0\0\x01\xfc\xff\xff"],
        ),
    ] {
        raw::send(&mut socket, &message(b'Q', &[copy, b"\0"].concat())).await;
        raw::read_to(&mut socket, b'G').await;
        for piece in data {
            raw::send(&mut socket, &message(b'd', piece)).await;
        }
        raw::send(&mut socket, &message(b'c', b"")).await;
        assert_eq!(error(&raw::read_to(&mut socket, b'Z').await), "");
    }
    let data = |answers: Vec<Answer>| -> Vec<u8> {
        answers.into_iter().filter(|answer| answer.kind == b'd').flat_map(|answer| answer.body).collect()
    };
    let answers = ask(&mut socket, b"COPY (SELECT * FROM t WHERE n <> 3 ORDER BY n) TO STDOUT").await;
    assert_eq!(data(answers), b"1\t\xe4\n2\t\xf6\n4\t\xfc\n");
    let answers = ask(&mut socket, b"COPY (SELECT s FROM t WHERE n = 3) TO STDOUT (ENCODING 'EUC_JP')").await;
    assert_eq!(data(answers), b"\xa5\xbd\n");
    let answers = ask(&mut socket, b"COPY (SELECT s FROM t WHERE n = 1) TO STDOUT (FORMAT binary)").await;
    assert!(data(answers).ends_with(b"\0\x01\0\0\0\x01\xe4\xff\xff"));
    let said = error(&ask(&mut socket, b"COPY t TO STDOUT").await);
    assert!(said.starts_with("ERROR 22P05 character with byte sequence 0xe3 0x82 0xbd"), "{said}");

    // The option is for text only.
    let answers = ask(&mut socket, b"COPY (SELECT '\xe4') TO STDOUT (FORMAT binary, ENCODING 'UTF8')").await;
    assert!(data(answers).ends_with(b"\0\x01\0\0\0\x01\xe4\xff\xff"));

    // What stands behind the end of the data is not looked at, and an error before it comes first.
    for (data, expected) in [
        (&b"7\ta\n\\.\n\x83\n"[..], ""),
        (b"x\ta\n6\t\x83\n", "ERROR 22P02 invalid input syntax for type integer: \"x\""),
    ] {
        raw::send(&mut socket, &message(b'Q', b"COPY t FROM STDIN (ENCODING 'SJIS')\0")).await;
        raw::read_to(&mut socket, b'G').await;
        raw::send(&mut socket, &message(b'd', data)).await;
        raw::send(&mut socket, &message(b'c', b"")).await;
        assert_eq!(error(&raw::read_to(&mut socket, b'Z').await), expected);
    }

    // A line that is no text in the encoding is named.
    raw::send(&mut socket, &message(b'Q', b"COPY t FROM STDIN (ENCODING 'SJIS')\0")).await;
    raw::read_to(&mut socket, b'G').await;
    raw::send(&mut socket, &message(b'd', b"5\ta\n6\t\x83\n")).await;
    raw::send(&mut socket, &message(b'c', b"")).await;
    let answers = raw::read_to(&mut socket, b'Z').await;
    let said = answers.iter().find(|answer| answer.kind == b'E').unwrap();
    assert_eq!(said.field(b'C').unwrap(), "22021");
    assert_eq!(said.field(b'W').unwrap(), "COPY t, line 2");
}
