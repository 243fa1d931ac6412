//! Compares what a server holds with what a writer knows.

use std::io;

use crate::answer::Answer;
use crate::crash::change::own_tables;
use crate::crash::model::{Rows, SHARED, State, pad_expression};
use crate::crash::writer::Writer;
use crate::session::Session;

/// What a look at a server showed.
#[derive(Debug, Default)]
pub struct Checked {
    /// What is wrong.
    pub violations: Vec<String>,
    /// Whether a change was in doubt.
    pub in_doubt: bool,
    /// Whether it is there.
    pub made: bool,
}

/// What the server holds of the writer is what it must be; what was in doubt is decided by that. Otherwise what is wrong
/// is returned, and the writer goes on from what was found.
pub fn check(session: &mut Session, writer: &mut Writer) -> io::Result<Checked> {
    let mut checked = Checked::default();
    let found = read(session, writer.owner, &mut checked.violations)?;
    let in_doubt = writer.in_doubt.take();
    checked.in_doubt = in_doubt.is_some();
    checked.made = in_doubt.as_ref() == Some(&found) && writer.state != found;
    if !checked.made
        && let Some(difference) = writer.state.difference(&found)
    {
        let doubt = in_doubt.and_then(|it| it.difference(&found)).map(|it| format!("; from what was in doubt: {it}"));
        checked.violations.push(format!("writer {}: {difference}{}", writer.owner, doubt.unwrap_or_default()));
    }
    writer.state = found;
    Ok(checked)
}

/// What the server holds of a writer; it is asked in several ways, which must agree.
fn read(session: &mut Session, owner: usize, violations: &mut Vec<String>) -> io::Result<State> {
    let mut state = State::default();
    for table in own_tables(owner).chain([SHARED.to_owned()]) {
        // Nobody else writes into the writer's own tables, and the filter takes another path through the server.
        let filter = if table == SHARED { format!("WHERE owner = {owner}") } else { String::new() };
        let rows = match session.run(&format!("SELECT owner, id, v FROM {table} {filter}"))? {
            Answer::Rows { rows, .. } => rows,
            Answer::Error(error) if error.sqlstate == "42P01" && table != SHARED => continue,
            other => {
                violations.push(format!("{table} cannot be read: {}", brief(&other)));
                continue;
            }
        };
        let mut held = Rows::new();
        for row in &rows {
            match (number(row, 0), number(row, 1), number(row, 2)) {
                (Some(by), Some(id), Some(v)) if by == owner as i64 => {
                    if held.insert(id, v).is_some() {
                        violations.push(format!("{table}: row {id} of writer {owner} is there twice"));
                    }
                }
                _ => violations.push(format!("{table}: a row that nobody wrote: {row:?}")),
            }
        }
        read_otherwise(session, &table, &filter, &held, violations)?;
        state.tables.insert(table, held);
    }
    Ok(state)
}

/// Counts, sums and a range must be those of the rows, and the columns of a row must belong together.
fn read_otherwise(
    session: &mut Session,
    table: &str,
    filter: &str,
    rows: &Rows,
    violations: &mut Vec<String>,
) -> io::Result<()> {
    let middle = rows.keys().nth(rows.len() / 2).copied().unwrap_or_default();
    let torn = format!("pad IS DISTINCT FROM {}", pad_expression("id", "v"));
    let sql = format!(
        "SELECT count(*), coalesce(sum(id), 0), coalesce(sum(v), 0), count(*) FILTER (WHERE {torn}), \
         (SELECT count(*) FROM {table} WHERE id >= {middle} {}) FROM {table} {filter}",
        filter.replacen("WHERE", "AND", 1)
    );
    let (ids, values): (i64, i64) = (rows.keys().sum(), rows.values().sum());
    let expected = [rows.len() as i64, ids, values, 0, rows.range(middle..).count() as i64];
    match session.run(&sql)? {
        Answer::Rows { rows, .. } if rows.len() == 1 => {
            let found: Vec<_> = (0..expected.len()).map(|column| number(&rows[0], column).unwrap_or(-1)).collect();
            if found != expected {
                let what = "count, sums, torn rows and range";
                violations.push(format!("{table} {filter}: {what} are {found:?} instead of {expected:?}"));
            }
        }
        other => violations.push(format!("{table} cannot be counted: {}", brief(&other))),
    }
    Ok(())
}

fn number(row: &[Option<String>], column: usize) -> Option<i64> {
    row.get(column)?.as_ref()?.parse().ok()
}

fn brief(answer: &Answer) -> String {
    match answer {
        Answer::Error(error) => error.to_string(),
        Answer::Command(tag) => tag.clone(),
        Answer::Rows { rows, .. } => format!("{} rows", rows.len()),
    }
}
