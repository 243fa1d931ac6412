//! What several tests do with a session: errors as text, answers as text, COPY.

use std::fmt;

use bytes::Bytes;
use futures::SinkExt;
use tokio_postgres::error::{DbError, ErrorPosition};
use tokio_postgres::{Client, SimpleQueryMessage};

/// Text of NULL in [`rows`], as `.slt` files write it.
pub const NULL: &str = "NULL";

/// An error as a test looks at it: `ERROR (42P01): relation "t" does not exist; position 15`.
#[derive(Debug)]
pub struct SqlError {
    /// The five characters, or `None` when the connection failed and not the statement.
    pub sqlstate: Option<String>,
    /// Where in the statement, counted in characters from 1.
    pub position: Option<u32>,
    text: String,
}

impl SqlError {
    /// Whether it has this SQLSTATE.
    pub fn is(&self, sqlstate: &str) -> bool {
        self.sqlstate.as_deref() == Some(sqlstate)
    }
}

impl std::error::Error for SqlError {}

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<tokio_postgres::Error> for SqlError {
    fn from(error: tokio_postgres::Error) -> SqlError {
        match error.as_db_error() {
            Some(db_error) => SqlError {
                sqlstate: Some(db_error.code().code().to_owned()),
                position: position(db_error),
                text: describe(db_error),
            },
            None => SqlError { sqlstate: None, position: None, text: format!("{error:?}") },
        }
    }
}

/// Runs a statement that must fail.
pub async fn error(client: &Client, sql: &str) -> SqlError {
    match client.simple_query(sql).await {
        Ok(answer) => panic!("should have failed: {sql}\nbut answered {answer:?}"),
        Err(error) => error.into(),
    }
}

/// Runs a query and returns its rows as text.
pub async fn rows(client: &Client, sql: &str) -> Result<Vec<Vec<String>>, SqlError> {
    let messages = client.simple_query(sql).await?;
    Ok(messages.iter().filter_map(row).collect())
}

/// Runs a query and returns the only value of its answer.
pub async fn value(client: &Client, sql: &str) -> String {
    let rows = rows(client, sql).await.unwrap_or_else(|error| panic!("{error}\nin {sql}"));
    match rows.as_slice() {
        [row] if row.len() == 1 => row[0].clone(),
        _ => panic!("should have answered one value: {sql}\nbut answered {rows:?}"),
    }
}

/// The text of a row, or `None` for a message that is no row.
pub fn row(message: &SimpleQueryMessage) -> Option<Vec<String>> {
    let SimpleQueryMessage::Row(row) = message else { return None };
    let text = |index| row.get(index).unwrap_or(NULL).to_owned();
    Some((0..row.len()).map(text).collect())
}

/// Sends `data` through a `COPY … FROM STDIN`, and returns the number of rows.
pub async fn copy_in(client: &Client, statement: &str, data: impl Into<Bytes>) -> Result<u64, SqlError> {
    let sink = client.copy_in::<_, Bytes>(statement).await?;
    let mut sink = std::pin::pin!(sink);
    sink.send(data.into()).await?;
    Ok(sink.finish().await?)
}

fn position(error: &DbError) -> Option<u32> {
    match error.position() {
        Some(ErrorPosition::Original(position)) => Some(*position),
        _ => None,
    }
}

fn describe(error: &DbError) -> String {
    let mut text = format!("{} ({}): {}", error.severity(), error.code().code(), error.message());
    if let Some(position) = position(error) {
        text += &format!("; position {position}");
    }
    if let Some(detail) = error.detail() {
        text += &format!("; detail: {detail}");
    }
    if let Some(hint) = error.hint() {
        text += &format!("; hint: {hint}");
    }
    text
}
