//! What a statement answers.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::physical_plan::SendableRecordBatchStream;
use futures::StreamExt;
use pg::Interrupt;
use pg::names::Names;
use std::sync::Arc;

use crate::error::Result;
use crate::session::StatementGuard;
use crate::statement::{CopyIn, CopyOut};

/// What a statement answers.
#[derive(Debug)]
pub enum Outcome {
    /// Rows, as they come.
    Rows(RowStream),
    /// A command tag.
    Command(String),
    /// The statement wants data from the client.
    CopyIn(Box<CopyIn>),
    /// The client gets the rows as COPY's data.
    CopyOut(CopyOut),
}

impl Outcome {
    /// A command that is done.
    pub fn command(tag: impl Into<String>) -> Self {
        Outcome::Command(tag.into())
    }
}

/// Rows on their way to the client. One batch is in hand; the next is asked for when it has been sent.
pub struct RowStream {
    /// The columns, as the client sees them.
    pub schema: SchemaRef,
    verb: &'static str,
    /// What the numbers of types and objects in the rows stand for.
    pub names: Option<Arc<Names>>,
    /// Rows that have been handed out.
    pub sent: u64,
    /// Whether they are sent in binary although nobody has asked for it: those of a binary cursor.
    pub binary: bool,
    stream: SendableRecordBatchStream,
    guard: StatementGuard,
    /// Of the statement that has started them.
    interrupt: Interrupt,
    rest: Option<RecordBatch>,
}

impl RowStream {
    /// The rows of `stream` under the names and types of `schema`.
    pub fn new(
        schema: SchemaRef,
        verb: &'static str,
        stream: SendableRecordBatchStream,
        guard: StatementGuard,
    ) -> Self {
        let interrupt = guard.interrupt().clone();
        RowStream { schema, verb, names: None, sent: 0, binary: false, stream, guard, interrupt, rest: None }
    }

    /// The same with rows that know of the catalog.
    #[must_use]
    pub fn with_names(self, names: Arc<Names>) -> Self {
        RowStream { names: Some(names), ..self }
    }

    /// The verb.
    pub fn verb(&self) -> &'static str {
        self.verb
    }

    /// Its columns, what their numbers stand for, the rows to come, and those that are here.
    pub fn into_parts(self) -> (SchemaRef, Option<Arc<Names>>, SendableRecordBatchStream, Option<RecordBatch>) {
        (self.schema, self.names, self.stream, self.rest)
    }

    /// What ends the statement that its next rows are for.
    pub fn set_guard(&mut self, guard: StatementGuard) {
        self.guard = guard;
    }

    /// The command tag after so many rows: only those of queries and changes count them.
    pub fn command_tag(&self, rows: u64) -> String {
        match self.verb {
            verb @ ("SELECT" | "UPDATE" | "DELETE" | "FETCH") => format!("{verb} {rows}"),
            "INSERT" => format!("INSERT 0 {rows}"),
            verb => verb.to_owned(),
        }
    }

    /// The next rows, `rows_max` at most; `None` at the end.
    ///
    /// # Errors
    /// The query fails or is cancelled.
    pub async fn next(&mut self, rows_max: usize) -> Result<Option<RecordBatch>> {
        let batch = loop {
            let batch = match self.rest.take() {
                Some(batch) => batch,
                None => match self.guard.run(self.stream.next()).await.inspect_err(|_| self.interrupt.set())? {
                    Some(batch) => batch?,
                    None => return Ok(None),
                },
            };
            if batch.num_rows() > 0 {
                break batch;
            }
        };
        let taken = batch.num_rows().min(rows_max);
        if taken < batch.num_rows() {
            self.rest = Some(batch.slice(taken, batch.num_rows() - taken));
        }
        self.sent += taken as u64;
        Ok(Some(batch.slice(0, taken)))
    }
}

impl std::fmt::Debug for RowStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RowStream").field("schema", &self.schema).field("sent", &self.sent).finish_non_exhaustive()
    }
}
