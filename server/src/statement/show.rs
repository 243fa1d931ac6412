//! SHOW.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use datafusion::error::DataFusionError;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::stream;

use crate::error::{Error, Result};
use crate::session::settings::{Setting, isolation_name};
use crate::session::{Session, SessionSettings};
use crate::statement::prepare::text_column;
use crate::statement::{Outcome, RowStream};

/// # Errors
/// No such setting.
pub fn execute(session: &mut Session, name: &str) -> Result<Outcome> {
    if name.eq_ignore_ascii_case("all") {
        return Err(Error::not_supported("SHOW ALL"));
    }
    let setting = SessionSettings::find(name)?;
    let value = value(session, setting);
    let schema = text_column(&column_name(name));
    let column: ArrayRef = Arc::new(StringArray::from(vec![value]));
    let batch = RecordBatch::try_new(schema.clone(), vec![column]).map_err(DataFusionError::from)?;
    let stream = RecordBatchStreamAdapter::new(schema.clone(), stream::iter([Ok(batch)]));
    Ok(Outcome::Rows(RowStream::new(schema, "SHOW", Box::pin(stream), session.guard())))
}

/// The name of the result's column: the setting's, as it is spelled in the documentation.
pub fn column_name(name: &str) -> String {
    SessionSettings::find(name).map_or_else(|_| name.to_owned(), |setting| setting.name.to_owned())
}

fn value(session: &Session, setting: &Setting) -> String {
    match setting.name {
        "transaction_isolation" => isolation_name(session.isolation()).to_owned(),
        "transaction_read_only" if session.is_read_only() => "on".to_owned(),
        "transaction_read_only" => "off".to_owned(),
        "session_authorization" => session.identity.user.clone(),
        _ => session.settings.get(setting),
    }
}
