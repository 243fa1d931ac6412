//! SHOW.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::error::DataFusionError;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::stream;

use pg::session::Settings;

use crate::error::Result;
use crate::session::Session;
use crate::session::settings::{table, undefined};
use crate::statement::prepare::text_column;
use crate::statement::{Outcome, RowStream};

/// # Errors
/// No such setting.
pub fn execute(session: &mut Session, name: &str) -> Result<Outcome> {
    let value = session.statement_settings().value(name)?.ok_or_else(|| undefined(name))?;
    rows(session, text_column(&column_name(name)), vec![vec![value]])
}

/// `SHOW ALL`
///
/// # Errors
/// None of its own.
pub fn execute_all(session: &mut Session) -> Result<Outcome> {
    let settings = session.statement_settings().all();
    let names = settings.iter().map(|row| row.name.to_owned()).collect();
    let values = settings.iter().map(|row| row.shown.clone()).collect();
    let descriptions = settings.iter().map(|row| row.description.to_owned()).collect();
    rows(session, all_columns(), vec![names, values, descriptions])
}

/// The columns of `SHOW ALL`.
pub fn all_columns() -> SchemaRef {
    let column = |name: &str| Field::new(name, DataType::Utf8, true);
    Arc::new(Schema::new(["name", "setting", "description"].map(column).to_vec()))
}

/// The name of the result's column: the setting's, as it is spelled in the documentation.
pub fn column_name(name: &str) -> String {
    table::find(name).map_or(name, |setting| setting.name).to_owned()
}

fn rows(session: &Session, schema: SchemaRef, columns: Vec<Vec<String>>) -> Result<Outcome> {
    let columns = columns.into_iter().map(|values| Arc::new(StringArray::from(values)) as ArrayRef);
    let batch = RecordBatch::try_new(schema.clone(), columns.collect()).map_err(DataFusionError::from)?;
    let stream = RecordBatchStreamAdapter::new(schema.clone(), stream::iter([Ok(batch)]));
    Ok(Outcome::Rows(RowStream::new(schema, "SHOW", Box::pin(stream), session.guard())))
}
