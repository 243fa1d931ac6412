//! Faults that are planted between two starts, as a server might make them. Each must be found, or the checks are worth
//! nothing.

use std::io;

use crate::answer::Answer;
use crate::crash::cycle::Field;
use crate::crash::model::{SHARED, pad_expression};
use crate::session::Session;

/// The files that the commits are in.
const STORE: [&str; 2] = ["catalog.redb", "catalog.log"];

/// Changes after which a fault is planted, so that there is something to lose.
const CYCLES_BEFORE: usize = 2;

/// Plants each fault; the names of those that were not found.
pub fn missed(field: &mut Field) -> io::Result<Vec<&'static str>> {
    // The row itself is sound: it is the value that is not the one that was acknowledged.
    let pad = pad_expression("id", "v - 1");
    let older_value = format!("UPDATE {SHARED} SET v = v - 1, pad = {pad} WHERE id = (SELECT min(id) FROM {SHARED})");
    let statements = [
        ("an acknowledged row is lost", format!("DELETE FROM {SHARED} WHERE id = (SELECT max(id) FROM {SHARED})")),
        ("a row that was refused is there", format!("INSERT INTO {SHARED} VALUES (0, -1, 0, '-1:0 ')")),
        ("a row has an older value", older_value),
        ("half a transfer", "UPDATE accounts SET balance = balance + 1 WHERE id = 3".to_owned()),
    ];
    let mut missed = Vec::new();
    for (name, sql) in statements {
        prepare(field)?;
        run(field, &sql)?;
        if field.check_only()?.is_empty() {
            missed.push(name);
        }
        if name == "half a transfer" {
            run(field, "UPDATE accounts SET balance = balance - 1 WHERE id = 3")?;
        }
    }
    prepare(field)?;
    let name = "the commits since an earlier start are lost";
    let data = field.data().to_owned();
    let copy = |file| data.join(format!("{file}.copy"));
    for file in STORE {
        std::fs::copy(data.join(file), copy(file))?;
    }
    run(field, &format!("INSERT INTO {SHARED} VALUES (0, -2, 0, '-2:0 ')"))?;
    field.expect_row(0, SHARED, -2, 0);
    for file in STORE {
        std::fs::rename(copy(file), data.join(file))?;
    }
    if field.check_only()?.is_empty() {
        missed.push(name);
    }
    Ok(missed)
}

/// There are rows, and nothing is wrong with them.
fn prepare(field: &mut Field) -> io::Result<()> {
    for _ in 0..CYCLES_BEFORE {
        field.cycle()?;
    }
    match field.check_only()?.as_slice() {
        [] => Ok(()),
        violations => Err(io::Error::other(format!("before a fault was planted: {violations:?}"))),
    }
}

fn run(field: &Field, sql: &str) -> io::Result<()> {
    let server = field.start()?;
    match Session::connect(server.address())?.run(sql)? {
        Answer::Error(error) => Err(io::Error::other(format!("{sql}: {error}"))),
        Answer::Command(tag) if tag.ends_with(" 0") => Err(io::Error::other(format!("{sql} found nothing"))),
        _ => Ok(()),
    }
}
