//! Messages as a client sends them.

use crate::generate::random::Random;

/// Statements that are quick, of every kind that has a protocol of its own, and that fail at every stage.
const STATEMENTS: [&str; 20] = [
    "select 1",
    "select $1::int, $2::text",
    "select * from generate_series(1, 300)",
    "select 1/0",
    "selec",
    "",
    ";",
    "select 1; select 2; select 1/0; select 3",
    "begin",
    "commit",
    "rollback",
    "savepoint s",
    "copy fuzzed from stdin",
    "copy fuzzed from stdin with (format binary)",
    "copy (select * from generate_series(1, 50)) to stdout",
    "insert into fuzzed values ($1, 'x') returning *",
    "set statement_timeout = 1000",
    "show all",
    "select repeat('x', 20000)",
    "select 1; copy fuzzed from stdin; select 2",
];
const NAMES: [&str; 4] = ["", "a", "b", "a much longer name than is usual for a portal or a statement"];
const COPIED: [&[u8]; 6] = [b"1\tx\n", b"\\.\n", b"PGCOPY\n\xff\r\n\0", b"\0\x02\0\0\0\x04", b"1\tx", b"\xff\xfe\n"];

/// A message of any kind, as it should be.
pub fn message(random: &mut Random) -> Vec<u8> {
    match random.below(15) {
        0..3 => framed(b'Q', &statement(random)),
        3 | 4 => framed(b'P', &parse(random)),
        5 | 6 => framed(b'B', &bind(random)),
        7 => framed(b'D', &target(random)),
        8 | 9 => framed(b'E', &[name(random), i32::to_be_bytes(random.below(5) as i32 - 1).into()].concat()),
        10 => framed(b'C', &target(random)),
        11 => framed(b'S', b""),
        12 => framed(b'd', random.pick::<&[u8]>(&COPIED)),
        13 => framed(*random.pick(b"cH"), b""),
        _ => match random.below(5) {
            0 => framed(b'f', &text("stopped")),
            1 => framed(b'X', b""),
            2 => framed(b'p', &text("password")),
            3 => framed(b'F', &[0, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
            _ => framed(random.below(256) as u8, b""),
        },
    }
}

/// The start-up message of the user that there is.
pub fn startup() -> Vec<u8> {
    let mut body = vec![0, 3, 0, 0];
    body.extend(b"user\0thermocline\0database\0thermocline\0\0");
    with_length(&body)
}

/// What may come before a session: requests, start-up messages, answers to questions that nobody asked.
pub fn before_session(random: &mut Random) -> Vec<u8> {
    const REQUESTS: [u32; 3] = [80_877_103, 80_877_104, 80_877_102];
    match random.below(6) {
        0 | 1 => with_length(&random.pick(&REQUESTS).to_be_bytes()),
        2 => {
            let mut cancel = REQUESTS[2].to_be_bytes().to_vec();
            cancel.extend((0..random.below(40)).map(|_| random.below(256) as u8));
            with_length(&cancel)
        }
        3 => startup(),
        4 => {
            let mut body = vec![0, *random.pick(&[2, 3, 3, 4]), 0, random.below(12) as u8];
            for name in ["user", "database", "options", "_pq_.x", "replication", "application_name"] {
                if random.percent(50) {
                    body.extend(
                        [name.as_bytes(), b"\0", random.pick(&["thermocline", "x", "", "-c a=b"]).as_bytes()].concat(),
                    );
                    body.push(0);
                }
            }
            body.push(0);
            with_length(&body)
        }
        _ => framed(b'p', b"SCRAM-SHA-256\0\0\0\0\x0en,,n=,r=abcdef"),
    }
}

fn parse(random: &mut Random) -> Vec<u8> {
    let mut body = [name(random), statement(random)].concat();
    let types = random.below(3);
    body.extend((types as i16).to_be_bytes());
    (0..types).for_each(|_| body.extend(random.pick(&[0u32, 23, 25, 16_400, u32::MAX]).to_be_bytes()));
    body
}

fn bind(random: &mut Random) -> Vec<u8> {
    let mut body = [name(random), name(random)].concat();
    formats(random, &mut body);
    let values = random.below(4);
    body.extend((values as i16).to_be_bytes());
    for _ in 0..values {
        let value: &[u8] = random.pick::<&[u8]>(&[b"1", b"", b"\0\0\0\x01", b"\xff", b"text"]);
        match random.percent(20) {
            true => body.extend((-1i32).to_be_bytes()),
            false => {
                body.extend((value.len() as i32).to_be_bytes());
                body.extend(value);
            }
        }
    }
    formats(random, &mut body);
    body
}

fn formats(random: &mut Random, body: &mut Vec<u8>) {
    let count = random.below(3);
    body.extend((count as i16).to_be_bytes());
    (0..count).for_each(|_| body.extend((*random.pick(&[0i16, 1, 1, 2, -1])).to_be_bytes()));
}

fn target(random: &mut Random) -> Vec<u8> {
    [vec![*random.pick(b"SPSPx")], name(random)].concat()
}

fn statement(random: &mut Random) -> Vec<u8> {
    text(STATEMENTS[random.below(STATEMENTS.len())])
}

fn name(random: &mut Random) -> Vec<u8> {
    text(NAMES[random.below(NAMES.len())])
}

fn text(text: &str) -> Vec<u8> {
    [text.as_bytes(), b"\0"].concat()
}

/// A message of this kind.
pub fn framed(kind: u8, body: &[u8]) -> Vec<u8> {
    [vec![kind], with_length(body)].concat()
}

fn with_length(body: &[u8]) -> Vec<u8> {
    [&(body.len() as u32 + 4).to_be_bytes(), body].concat()
}
