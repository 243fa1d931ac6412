//! Files that a statement names in FROM: `read_parquet('s3://bucket/*.parquet')`.
//!
//! Planning must know their columns, which takes requests to a store, but analysis does not wait for anything. So when it comes
//! to files that have not been looked at, it says which they are and ends; [`planned`] looks at them, where that can be
//! cancelled, and plans again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use catalog::{BadDataRules, Column, NamedFiles, SqlType};
use pg::PgError;
use pg::sqlstate::SqlState;
use storage::external::{FILE_COLUMNS, FilesRequest, describe};

use crate::error::{Error, Result};
use crate::plan::PlanContext;
use crate::plan::file_values::FileValues;
use crate::session::Session;

/// What is known of the files that a statement names, views in it included.
#[derive(Debug, Default)]
pub struct StatementFiles {
    known: Mutex<HashMap<String, Arc<NamedFiles>>>,
    wanted: Mutex<Option<FilesRequest>>,
}

impl StatementFiles {
    /// The description of files.
    ///
    /// # Errors
    /// They have not been looked at. Where the statement is planned by [`planned`] nobody sees that.
    pub fn known(&self, request: FilesRequest) -> Result<Arc<NamedFiles>> {
        if let Some(known) = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&request.call) {
            return Ok(known.clone());
        }
        *self.wanted.lock().unwrap_or_else(PoisonError::into_inner) = Some(request);
        Err(Error::not_supported("files in this place"))
    }

    fn take_wanted(&self) -> Option<FilesRequest> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn learn(&self, files: NamedFiles) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(files.call.clone(), Arc::new(files));
    }
}

/// What `plan` makes of a statement, once the files that it names have been looked at.
///
/// # Errors
/// Those of `plan`; the files cannot be described; the statement is ended.
pub async fn planned<T: Send + 'static>(
    session: &mut Session,
    context: &Arc<PlanContext>,
    plan: impl Fn(&PlanContext) -> Result<T> + Send + Sync + 'static,
) -> Result<T> {
    let (plan, guard) = (Arc::new(plan), session.guard());
    loop {
        let (analysed, plan) = (context.clone(), plan.clone());
        let analysis = session.server.engine.analyze(move || {
            let _entered = analysed.names().enter();
            plan(&analysed)
        });
        let planned = guard.run(analysis).await?;
        let Some(request) = context.files().take_wanted() else { return planned };
        context.files().learn(described(session, request).await?);
    }
}

/// Looks at files.
///
/// # Errors
/// They cannot be described, or the statement is ended.
pub async fn described(session: &mut Session, request: FilesRequest) -> Result<NamedFiles> {
    let (stores, request) = (session.stores()?, Arc::new(request));
    let (writes, values) = (session.snapshot()?.file_writes().clone(), FileValues::new(&BadDataRules::default()));
    let described =
        session.server.engine.run(|_| async move { Ok(describe(stores, request, Arc::new(values), &writes).await?) });
    session.guard().run(described).await?
}

/// That files can have these columns; nested values, when their format `nests`.
///
/// # Errors
/// 0A000 for a type that files have no values of, 42701 for a name that each of their rows has already.
pub fn check_file_columns(columns: &[Column], nests: bool) -> Result<()> {
    if let Some(modified) = columns.iter().find_map(|column| rounded(&column.sql_type)) {
        return Err(Error::not_supported(format!("a column of type {modified} in an external table")));
    }
    // Files have no values of such types, only some that could become ones.
    if let Some(column) = columns.iter().find(|column| matches!(column.sql_type, SqlType::User(_))) {
        let what = format!("column \"{}\" of a user-defined type in an external table", column.name);
        return Err(Error::not_supported(what));
    }
    if let Some(column) = columns.iter().find(|column| FILE_COLUMNS.contains(&column.name.as_str())) {
        let message = format!("column name \"{}\" conflicts with a system column name", column.name);
        return Err(PgError::new(SqlState::DUPLICATE_COLUMN, message).into());
    }
    if !nests && let Some(column) = columns.iter().find(|column| is_nested(&column.sql_type)) {
        let what = format!("column \"{}\" of type {} in delimited text", column.name, column.sql_type);
        return Err(Error::not_supported(what));
    }
    Ok(())
}

/// Whether a type's values have no text of their own.
fn is_nested(sql_type: &SqlType) -> bool {
    matches!(sql_type, SqlType::List(_) | SqlType::Struct(_) | SqlType::Map(_))
}

/// A type in this one that rounds its values, as nothing does with values in files.
fn rounded(sql_type: &SqlType) -> Option<String> {
    match sql_type {
        SqlType::Modified(modified) => Some(modified.to_string()),
        SqlType::Array(element) => rounded(&element.sql_type()),
        SqlType::List(element) => rounded(element),
        SqlType::Struct(fields) => fields.iter().find_map(|field| rounded(&field.sql_type)),
        SqlType::Map(entry) => rounded(&entry.key).or_else(|| rounded(&entry.value)),
        _ => None,
    }
}
