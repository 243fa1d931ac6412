//! The files of recorded answers, made to be read in a diff.
//!
//! ```text
//! > SELECT i, 'a' || i AS t FROM generate_series(1, 2) AS i
//! : i int4 | t text
//!   1 | a1
//!   2 | a2
//! > SELECT 1 / 0
//! ! 22012 division by zero
//! > SELECT nothing
//! ! 42703@8 column "nothing" does not exist
//! > CREATE TABLE t (i int)
//! = CREATE TABLE
//! ```
//!
//! NULL is `\N`, an empty text `\e`. Line ends, bars, backslashes and blanks at the end of a value are escaped too.

use std::fmt::Write;

use crate::answer::{Answer, Column, SqlError, type_name, type_oid};
use crate::statements::Statement;

/// How a row without columns is written.
const NO_VALUES: &str = "()";

/// An answer as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The statement, in one line.
    pub title: String,
    /// The answer to it.
    pub answer: Answer,
}

/// Writes the answers to a file's statements.
pub fn write(statements: &[Statement], answers: &[Answer]) -> String {
    let mut text = String::new();
    for (statement, answer) in statements.iter().zip(answers) {
        text.push_str("> ");
        text.push_str(&statement.title());
        text.push('\n');
        write_answer(&mut text, answer);
    }
    text
}

/// Writes one answer, as lines.
pub fn write_answer(text: &mut String, answer: &Answer) {
    // Writing into a String cannot fail.
    let _ = match answer {
        Answer::Error(error) => {
            let position = error.position.map_or_else(String::new, |position| format!("@{position}"));
            writeln!(text, "! {}{position} {}", error.sqlstate, escape(&error.message))
        }
        Answer::Command(tag) => writeln!(text, "= {tag}"),
        Answer::Rows { columns, rows } => {
            let head: Vec<_> = columns.iter().map(|it| escape(&it.name) + " " + &type_name(it.type_oid)).collect();
            let _ = writeln!(text, "{}", format!(": {}", head.join(" | ")).trim_end());
            rows.iter().try_for_each(|row| {
                let values: Vec<_> = row.iter().map(|value| written(value.as_deref())).collect();
                writeln!(text, "  {}", if values.is_empty() { NO_VALUES.to_owned() } else { values.join(" | ") })
            })
        }
    };
}

/// Reads what [`write`] has written.
pub fn read(text: &str) -> Result<Vec<Recorded>, String> {
    let mut lines = text.lines().enumerate().peekable();
    let mut recorded = Vec::new();
    while let Some((number, line)) = lines.next() {
        let malformed = || format!("line {}: malformed", number + 1);
        let title = line.strip_prefix("> ").ok_or_else(malformed)?.to_owned();
        let (_, line) = lines.next().ok_or_else(malformed)?;
        let mut answer = read_first_line(line).ok_or_else(malformed)?;
        if let Answer::Rows { rows, columns } = &mut answer {
            while let Some((_, line)) = lines.next_if(|(_, line)| line.starts_with("  ")) {
                let values = if columns.is_empty() { vec![] } else { split_values(line.get(2..).unwrap_or_default()) };
                rows.push(values.iter().map(|value| read_value(value)).collect());
            }
        }
        recorded.push(Recorded { title, answer });
    }
    Ok(recorded)
}

fn read_first_line(line: &str) -> Option<Answer> {
    let (kind, rest) = line.split_at_checked(1)?;
    let rest = rest.strip_prefix(' ').unwrap_or(rest);
    match kind {
        "!" => {
            let (code, message) = rest.split_once(' ')?;
            let (sqlstate, position) = match code.split_once('@') {
                Some((sqlstate, position)) => (sqlstate, Some(position.parse().ok()?)),
                None => (code, None),
            };
            Some(Answer::Error(SqlError { sqlstate: sqlstate.to_owned(), message: unescape(message), position }))
        }
        "=" => Some(Answer::Command(rest.to_owned())),
        ":" => {
            let columns = if rest.is_empty() { vec![] } else { split_values(rest) };
            let columns = columns.into_iter().map(read_column).collect::<Option<_>>()?;
            Some(Answer::Rows { columns, rows: vec![] })
        }
        _ => None,
    }
}

fn read_column(text: &str) -> Option<Column> {
    let (name, type_name) = text.rsplit_once(' ')?;
    Some(Column { name: unescape(name), type_oid: type_oid(type_name)? })
}

/// A value as it stands in a file.
pub fn written(value: Option<&str>) -> String {
    match value {
        None => "\\N".to_owned(),
        Some("") => "\\e".to_owned(),
        Some(text) => escape(text),
    }
}

fn read_value(text: &str) -> Option<String> {
    match text {
        "\\N" => None,
        "\\e" => Some(String::new()),
        text => Some(unescape(text)),
    }
}

/// Bars only stand for themselves between values, since those within are escaped.
fn split_values(line: &str) -> Vec<&str> {
    line.split(" | ").collect()
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\\' => escaped.push_str("\\\\"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            '|' => escaped.push_str("\\b"),
            ' ' if characters.peek().is_none() => escaped.push_str("\\s"),
            c if c.is_control() || is_invisible(c) => escaped.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Characters that an editor or a diff would show as a blank or a line's end, or not at all.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{a0}' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{feff}')
}

fn unescape(text: &str) -> String {
    let mut unescaped = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        unescaped.push_str(before);
        let mut characters = after.chars();
        let c = match characters.next() {
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('b') => '|',
            Some('s') => ' ',
            Some('u') => {
                let digits = characters.as_str().split_once('}').map_or("", |(digits, _)| digits);
                characters = characters.as_str().get(digits.len() + 1..).unwrap_or_default().chars();
                let code = u32::from_str_radix(digits.trim_start_matches('{'), 16).ok();
                code.and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            Some(c) => c,
            None => '\\',
        };
        unescaped.push(c);
        rest = characters.as_str();
    }
    unescaped + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let values = ["", "a | b", " x ", "\\N", "|", "\r\n\t\\u{1}\u{1}\u{a0}", "\\", "ä"];
        let mut row: Vec<_> = values.iter().map(|value| Some((*value).to_owned())).collect();
        row.push(None);
        let columns = vec![Column { name: "odd | name ".to_owned(), type_oid: 1700 }; row.len()];
        let answers = vec![
            Answer::Rows { columns: columns.clone(), rows: vec![row.clone(), row] },
            Answer::Rows { columns, rows: vec![] },
            Answer::Rows { columns: vec![], rows: vec![vec![]] },
            Answer::Error(SqlError {
                sqlstate: "22012".to_owned(),
                message: "two\nlines".to_owned(),
                position: Some(8),
            }),
            Answer::Command("CREATE TABLE".to_owned()),
        ];
        let statement = Statement { line: 1, sql: "SELECT\n  1".to_owned() };
        let statements = vec![statement; answers.len()];
        let text = write(&statements, &answers);
        assert!(text.lines().all(|line| line == line.trim_end() || line.trim().is_empty()), "{text}");
        let recorded = read(&text).expect("well formed");
        assert!(recorded.iter().all(|recorded| recorded.title == "SELECT 1"));
        assert_eq!(recorded.into_iter().map(|recorded| recorded.answer).collect::<Vec<_>>(), answers);
    }

    #[test]
    fn a_file_that_was_cut_off_is_noticed() {
        assert!(read("> SELECT 1\n").is_err());
        assert!(read("  1\n").is_err());
    }
}
