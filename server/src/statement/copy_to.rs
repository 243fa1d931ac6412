//! COPY … TO STDOUT: a query whose rows the client gets as text, CSV or binary data.

use std::sync::Arc;

use arrow::datatypes::Schema;
use catalog::{ColumnDefault, HotTable, Relation};
use sqlparser::ast;

use crate::error::{Error, Result};
use crate::parse::statement::{CopySource, CopyTo, ForcedQuotes};
use crate::parse::{Parsed, Statement};
use crate::plan::PlanContext;
use crate::plan::relations::{NameScope, identifier, parts};
use crate::session::{Prepared, Session};
use crate::statement::assignment::target_columns;
use crate::statement::stated_query::StatedQuery;
use crate::statement::{Outcome, RowStream, insert, modify, query};
use pg::PgError;
use pg::copy_format::CopyOptions;
use pg::sqlstate::SqlState;

/// A COPY that gives data.
#[derive(Debug)]
pub struct CopyOut {
    /// The rows.
    pub rows: RowStream,
    /// How they are written.
    pub options: CopyOptions,
    /// Of each column, whether its values are quoted in any case.
    pub quoted: Vec<bool>,
}

/// Starts it; the rows come as they are asked for.
///
/// # Errors
/// A column of FORCE_QUOTE is not there, or the query cannot be planned or started.
pub async fn execute(session: &mut Session, prepared: &Prepared, copy: &CopyTo) -> Result<Outcome> {
    let outcome = match &copy.source {
        CopySource::Table { .. } | CopySource::Query(_) => query::execute(session, prepared, &[]).await?,
        CopySource::Change(change) => execute_change(session, prepared, change).await?,
    };
    let Outcome::Rows(rows) = outcome else {
        return Err(PgError::internal("a COPY without rows").into());
    };
    let quoted = quoted_columns(session, copy, &rows.schema)?;
    Ok(Outcome::CopyOut(CopyOut { rows, options: copy.options.clone(), quoted }))
}

/// Changes rows, and answers what RETURNING says of them.
async fn execute_change(session: &mut Session, prepared: &Prepared, change: &Statement) -> Result<Outcome> {
    let text = prepared.text().into();
    let prepared =
        Prepared::new(Some(Parsed { statement: change.clone(), text }), prepared.planned.clone(), Vec::new());
    match change {
        Statement::Insert(insert) => insert::execute(session, &prepared, insert, &[]).await,
        Statement::Modify(modify) => modify::execute(session, &prepared, modify, &[]).await,
        _ => Err(PgError::internal("a COPY of no change").into()),
    }
}

/// The query whose rows are copied: the one that was written in `text`, or that of a table's columns.
///
/// # Errors
/// 42P01, 42809 or 42703 for a relation or column that cannot be copied.
pub fn query(session: &Session, context: &PlanContext, copy: &CopyTo, text: &Arc<str>) -> Result<StatedQuery> {
    let (table, columns) = match &copy.source {
        CopySource::Query(query) => return Ok(StatedQuery::written(query.clone(), text.clone())),
        CopySource::Change(_) => return Err(PgError::internal("a change is no query").into()),
        CopySource::Table { table, columns } => (table, columns),
    };
    let selected: Vec<String> = match NameScope::of(session).must_relation(context.snapshot(), table) {
        Ok(Relation::Hot(hot)) => {
            let places = copied_columns(hot, columns)?;
            places.into_iter().map(|place| quoted(&hot.columns[place].name)).collect()
        }
        Ok(Relation::View(view)) => {
            let message = format!("cannot copy from view \"{}\"", view.name.name);
            let error = PgError::new(SqlState::WRONG_OBJECT_TYPE, message);
            return Err(error.with_hint("Try the COPY (SELECT ...) TO variant.").into());
        }
        Ok(Relation::Sequence(sequence)) => {
            let message = format!("cannot copy from sequence \"{}\"", sequence.name.name);
            return Err(PgError::new(SqlState::WRONG_OBJECT_TYPE, message).into());
        }
        // Neither external tables nor system relations have generated columns.
        Ok(Relation::External(_)) => named_columns(columns)?,
        Err(error) => match context.find_relation(&parts(table)?) {
            Ok(_) => named_columns(columns)?,
            Err(Error::UndefinedTable { .. }) => return Err(error),
            Err(other) => return Err(other),
        },
    };
    StatedQuery::ours(format!("SELECT {} FROM {table}", selected.join(", ")))
}

/// The columns of a table that COPY copies: those that are named, or all that are not computed of others.
///
/// # Errors
/// 42703, 42701, and 42P10 for a generated column.
pub fn copied_columns(table: &HotTable, named: &[ast::Ident]) -> Result<Vec<usize>> {
    let targets = target_columns(table, named)?;
    let is_generated = |target: &usize| matches!(table.columns[*target].default, Some(ColumnDefault::Generated(_)));
    if let (Some(target), false) = (targets.iter().find(|target| is_generated(target)), named.is_empty()) {
        let message = format!("column \"{}\" is a generated column", table.columns[*target].name);
        let error = PgError::new(SqlState::INVALID_COLUMN_REFERENCE, message);
        return Err(error.with_detail("Generated columns cannot be used in COPY.").into());
    }
    Ok(targets.into_iter().filter(|target| !is_generated(target)).collect())
}

/// All columns, or those that are named.
fn named_columns(columns: &[ast::Ident]) -> Result<Vec<String>> {
    let names: Vec<String> = columns.iter().map(identifier).collect();
    if let Some((_, name)) = names.iter().enumerate().find(|(place, name)| names[..*place].contains(name)) {
        return Err(Error::DuplicateColumn { column: name.clone() });
    }
    if names.is_empty() {
        return Ok(vec!["*".to_owned()]);
    }
    Ok(names.iter().map(|name| quoted(name)).collect())
}

fn quoted(name: &str) -> String {
    ast::Ident::with_quote('"', name).to_string()
}

fn quoted_columns(session: &mut Session, copy: &CopyTo, schema: &Schema) -> Result<Vec<bool>> {
    let named = match &copy.force_quote {
        ForcedQuotes::All => return Ok(vec![true; schema.fields().len()]),
        ForcedQuotes::Columns(named) => named,
    };
    let mut forced = vec![false; schema.fields().len()];
    if named.is_empty() {
        return Ok(forced);
    }
    let mut relation = None;
    if let CopySource::Table { table, .. } = &copy.source {
        relation = Some(identifier_of(table));
        let snapshot = session.snapshot()?;
        if let Ok(Relation::Hot(hot)) = NameScope::of(session).must_relation(&snapshot, table) {
            copied_columns(hot, named)?;
            relation = None;
            let missing = |name: &&ast::Ident| schema.index_of(&identifier(name)).is_err();
            if let Some(name) = named.iter().find(missing) {
                return Err(not_copied("FORCE_QUOTE", &identifier(name)));
            }
        }
    }
    for name in named.iter().map(identifier) {
        let place = schema.index_of(&name).map_err(|_| match &relation {
            Some(relation) => Error::UndefinedColumn { column: name.clone(), relation: relation.clone() },
            None => PgError::new(SqlState::UNDEFINED_COLUMN, format!("column \"{name}\" does not exist")).into(),
        })?;
        if std::mem::replace(&mut forced[place], true) {
            return Err(Error::DuplicateColumn { column: name });
        }
    }
    Ok(forced)
}

/// A column that an option names and the data does not have.
pub fn not_copied(option: &str, column: &str) -> Error {
    let message = format!("{option} column \"{column}\" not referenced by COPY");
    PgError::new(SqlState::INVALID_COLUMN_REFERENCE, message).into()
}

fn identifier_of(table: &ast::ObjectName) -> String {
    table.0.last().and_then(|part| part.as_ident()).map(identifier).unwrap_or_default()
}
