//! The simple query protocol: a string of statements, answered in order, as one transaction.

use arrow::datatypes::SchemaRef;
use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::data::{FieldDescription, RowDescription};
use pgwire::messages::response::{CommandComplete, EmptyQueryResponse};

use crate::error::Error;
use crate::parse::parse;
use crate::session::TransactionStatus;
use crate::session::transaction::Extent;
use crate::statement::{self, Outcome, RowStream, query, short_query};
use crate::wire::Failure;
use crate::wire::connection::Connection;
use crate::wire::rows::{Format, RowEncoder};
use pg::names::Names;
use pg::types::{describe_for_client, origin_of};

/// Rows that are encoded before what has been written is looked at: a slice of wide rows must not fill the memory.
pub(super) const ENCODE_ROWS_MAX: usize = 256;

impl Connection {
    /// Runs the statements of a query string.
    pub(super) async fn simple_query(&mut self, text: &str) -> Result<(), Failure> {
        // A simple query takes the place of the unnamed statement and portal.
        self.session.statements.remove("");
        self.session.portals.remove("");
        self.session.show(text);
        if self.short_query(text).await? {
            return Ok(());
        }
        let statements = parse(text)?;
        if statements.is_empty() {
            return self.message(PgWireBackendMessage::EmptyQueryResponse(EmptyQueryResponse::new()));
        }
        let last = statements.len() - 1;
        for (number, parsed) in statements.into_iter().enumerate() {
            // Also behind a COMMIT in the middle of the string.
            if last > 0 {
                self.session.begin_implicit(Extent::QueryString);
            }
            self.session.begin_statement();
            self.session.log(parsed.statement.verb(), text);
            let prepared = statement::prepare(&mut self.session, Some(parsed), &[]).await?;
            if last == 0 {
                short_query::remember(&mut self.session, text, &prepared).await;
            }
            if !prepared.parameter_types.is_empty() {
                return Err(Error::UndefinedParameter { number: 1 }.into());
            }
            let outcome = statement::execute(&mut self.session, &prepared, &[]).await?;
            let tag = match outcome {
                Some(Outcome::Rows(rows)) => self.send_all_rows(rows).await?,
                Some(Outcome::Command(tag)) => tag,
                Some(Outcome::CopyIn(copy)) => self.copy_in(*copy).await?,
                Some(Outcome::CopyOut(copy)) => self.copy_out(copy).await?,
                None => continue,
            };
            // The answer to the last statement says that everything is committed.
            if number == last {
                self.session.commit_implicit().await?;
            }
            self.session.end_autocommit();
            self.complete(tag)?;
        }
        Ok(())
    }

    /// Answers a query that has been seen of late and needs neither parser nor planner. Whether it is one.
    async fn short_query(&mut self, text: &str) -> Result<bool, Failure> {
        if self.session.transaction_status() == TransactionStatus::Failed {
            return Ok(false);
        }
        let Some((query, parameters)) = short_query::find(&mut self.session, text) else { return Ok(false) };
        self.session.begin_statement();
        let rows = query::start_short(&mut self.session, &query, &parameters).await?;
        let Some(rows) = rows else { return Ok(false) };
        self.session.log("SELECT", text);
        let tag = self.send_all_rows(rows).await?;
        self.session.end_statement();
        self.session.commit_implicit().await?;
        self.session.end_autocommit();
        self.complete(tag)?;
        Ok(true)
    }

    async fn send_all_rows(&mut self, mut rows: RowStream) -> Result<String, Failure> {
        let formats: &[Format] = if rows.binary { &[Format::Binary] } else { &[] };
        self.row_description(&rows.schema, formats)?;
        self.send_rows(&mut rows, formats, usize::MAX).await?;
        Ok(rows.command_tag(rows.sent))
    }

    /// Sends `rows_max` rows at most. Whether the stream has come to its end.
    pub(super) async fn send_rows(
        &mut self,
        rows: &mut RowStream,
        formats: &[Format],
        rows_max: usize,
    ) -> Result<bool, Failure> {
        let mut encoder: Option<RowEncoder> = None;
        let mut left = rows_max;
        let mut values = self.session.values(Vec::new());
        values.names.clone_from(&rows.names);
        while left > 0 {
            let Some(batch) = rows.next(left).await? else { return Ok(true) };
            left -= batch.num_rows();
            let encoder = encoder.get_or_insert_with(|| {
                let formats: Vec<_> = (0..rows.schema.fields().len()).map(|it| format_of(formats, it)).collect();
                RowEncoder::new(&rows.schema, &formats).in_session(values.clone())
            });
            for start in (0..batch.num_rows()).step_by(ENCODE_ROWS_MAX) {
                let end = (start + ENCODE_ROWS_MAX).min(batch.num_rows());
                self.output.write(|buffer| encoder.encode(&batch, start..end, buffer))?;
                self.output.flush_if_full().await.map_err(Failure::Disconnected)?;
            }
        }
        Ok(false)
    }

    /// Says what the columns of a result are.
    pub(super) fn row_description(&mut self, schema: &SchemaRef, formats: &[Format]) -> Result<(), Failure> {
        let names = match self.session.transaction_status() {
            TransactionStatus::Failed => None,
            _ => Some(self.session.names()?),
        };
        let _entered = names.as_ref().map(Names::enter);
        for field in schema.fields() {
            self.output.encoding.encode(field.name())?;
        }
        let fields = schema.fields().iter().enumerate().map(|(number, field)| {
            let described = describe_for_client(field);
            let format = match format_of(formats, number) {
                Format::Text => 0,
                Format::Binary => 1,
            };
            let name = field.name().replace('\0', "\u{fffd}");
            let (relation, number) = origin_of(field);
            FieldDescription::new(
                name,
                relation as i32,
                number,
                described.oid,
                described.size,
                described.typmod,
                format,
            )
        });
        let description = RowDescription::new(fields.collect());
        self.message(PgWireBackendMessage::RowDescription(description))
    }

    /// Says that a statement is done, after what else there is to say about it.
    pub(super) fn complete(&mut self, tag: String) -> Result<(), Failure> {
        self.session.warn_of_skipped();
        if let Some(running) = self.session.running.take() {
            running.succeed(&tag);
        }
        self.session.set_what_was_asked()?;
        self.adopt_encoding();
        self.send_notices().map_err(Failure::Disconnected)?;
        self.message(PgWireBackendMessage::CommandComplete(CommandComplete::new(tag)))
    }

    /// Adds a message to what is sent.
    pub(super) fn message(&mut self, message: PgWireBackendMessage) -> Result<(), Failure> {
        self.output.message(message).map_err(Failure::Disconnected)
    }
}

/// The format of a result column: none is text, one is for all.
fn format_of(formats: &[Format], column: usize) -> Format {
    match formats {
        [] => Format::Text,
        [one] => *one,
        many => many.get(column).copied().unwrap_or(Format::Text),
    }
}
