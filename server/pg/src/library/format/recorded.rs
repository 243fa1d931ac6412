//! Calls with the answers that PostgreSQL 15 gave. Each line of `tests-data/format` is a JSON array: function, type and
//! value of every argument, answer. An answer begins with `=` for a value and `!` for an error, whose detail follows
//! after `|` and its hint after `#`.

use crate::error::PgError;
use crate::testing::{Value, call, without_zeros};
use crate::types::*;

fn type_number(name: &str) -> u32 {
    match name {
        "text" => TEXT,
        "int4" => INT4,
        "int8" => INT8,
        "numeric" => NUMERIC,
        "float4" => FLOAT4,
        "float8" => FLOAT8,
        "timestamp" => TIMESTAMP,
        "timestamptz" => TIMESTAMPTZ,
        "interval" => INTERVAL,
        _ => 0,
    }
}

fn error_text(error: &PgError) -> String {
    let detail = error.detail.iter().map(|detail| format!("|{detail}"));
    let hint = error.hint.iter().map(|hint| format!("#{hint}"));
    format!("!{} {}{}", error.sqlstate, error.message, detail.chain(hint).collect::<String>())
}

fn check(recorded: &str) {
    let mut wrong = Vec::new();
    for line in recorded.lines() {
        let fields: Vec<String> = serde_json::from_str(line).unwrap();
        let [name, arguments @ .., expected] = fields.as_slice() else { panic!("{line}") };
        let arguments: Vec<Value<'_>> =
            arguments.chunks(2).map(|pair| (type_number(&pair[0]), Some(pair[1].as_str()))).collect();
        let answer = match call(name, &arguments) {
            Ok(Some(value)) => format!("={value}"),
            Ok(None) => "NULL".to_owned(),
            Err(error) => error_text(&error),
        };
        // How many zeros a number ends with, its type decides.
        let expected = match expected.strip_prefix('=') {
            Some(number) if name == "to_number" => format!("={}", without_zeros(number.to_owned())),
            _ => expected.clone(),
        };
        if answer != expected {
            wrong.push(format!("{line}\n  is {answer:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} answers differ\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn numbers_are_written_as_recorded() {
    check(include_str!("../../../tests-data/format/number.jsonl"));
}

#[test]
fn timestamps_and_intervals_are_written_as_recorded() {
    check(include_str!("../../../tests-data/format/datetime.jsonl"));
}

#[test]
fn dates_are_read_as_recorded() {
    check(include_str!("../../../tests-data/format/read_date.jsonl"));
}

#[test]
fn numbers_are_read_as_recorded() {
    check(include_str!("../../../tests-data/format/read_number.jsonl"));
}
