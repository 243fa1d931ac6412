//! Makes a statement ready to be executed: queries are planned, so that mistakes and result columns are known.

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use sqlparser::ast;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::parse::{Parsed, Statement};
use crate::plan::relations::NameScope;
use crate::plan::{PlanContext, Planned, plan_query};
use crate::session::{Prepared, Session};
use crate::statement::{insert, show};
use pg::Type;
use pg::types::{UNKNOWN, describe};

/// Makes a statement ready. `declared` are the OIDs of the parameters' types as the client gave them, 0 where it did not.
///
/// # Errors
/// The statement cannot be planned, or the transaction has failed before.
pub fn prepare(session: &mut Session, parsed: Option<Parsed>, declared: &[u32]) -> Result<Prepared> {
    let Some(parsed) = parsed else {
        return Ok(Prepared { parsed: None, planned: None, parameter_types: declared.to_vec() });
    };
    session.check_not_failed(&parsed.statement)?;
    let planned = plan(session, &parsed, declared)?;
    let parameter_types = match &planned {
        Some(planned) => planned.parameter_oids(declared),
        None => declared.to_vec(),
    };
    Ok(Prepared { parsed: Some(parsed), planned, parameter_types })
}

/// Plans the query that a statement holds, if it holds one.
///
/// # Errors
/// The query is wrong.
pub fn plan(session: &mut Session, parsed: &Parsed, declared: &[u32]) -> Result<Option<Planned>> {
    let snapshot = match &parsed.statement {
        Statement::Query(_) | Statement::Explain(_) | Statement::Insert(_) => session.snapshot()?,
        _ => return Ok(None),
    };
    let context = PlanContext::new(session, snapshot);
    let parameters = declared.iter().map(|oid| declared_type(*oid)).collect();
    let query: &ast::Query = match &parsed.statement {
        Statement::Query(query) => query,
        Statement::Explain(explain) => &explain.query,
        Statement::Insert(insert) => return insert::plan(&context, session, parsed, insert, parameters),
        _ => return Ok(None),
    };
    plan_query(&context, query, &parsed.text, parameters).map(Some)
}

/// The type that a client declared a parameter with; none when it left that to us.
fn declared_type(oid: u32) -> Option<Type> {
    (oid != 0 && oid != UNKNOWN).then(|| Type::of(oid))
}

impl Prepared {
    /// The columns of the result; `None` when there are none.
    pub fn result_schema(&self) -> Option<SchemaRef> {
        match &self.parsed.as_ref()?.statement {
            Statement::Query(_) => self.planned.as_ref().map(|planned| planned.schema.clone()),
            Statement::Explain(_) => Some(text_column("QUERY PLAN")),
            Statement::Show { name } => Some(text_column(&show::column_name(name))),
            _ => None,
        }
    }

    /// The plan for what the session sees by now: the one that was made, or a new one when something was committed.
    ///
    /// # Errors
    /// The query does not fit any more.
    pub(super) fn current_plan(&self, session: &mut Session) -> Result<Planned> {
        let (Some(parsed), Some(planned)) = (&self.parsed, &self.planned) else {
            return Err(Error::InvalidStatementHere { message: "the statement has no plan".into() });
        };
        let search_path = NameScope::of(session).search_path;
        if Arc::ptr_eq(&session.snapshot()?, &planned.snapshot) && search_path == planned.search_path {
            return Ok(planned.clone());
        }
        let replanned = plan(session, parsed, &self.parameter_types)?;
        let replanned =
            replanned.ok_or_else(|| Error::InvalidStatementHere { message: "the statement has no plan".into() })?;
        // The client reads rows as they were described to it.
        let types = |planned: &Planned| planned.schema.fields().iter().map(|it| describe(it).oid).collect::<Vec<_>>();
        if types(&replanned) != types(planned) {
            return Err(Error::not_supported("a prepared statement whose result type has changed"));
        }
        Ok(replanned)
    }
}

impl Session {
    /// In a failed transaction only its end is allowed.
    ///
    /// # Errors
    /// 25P02
    pub fn check_not_failed(&self, statement: &Statement) -> Result<()> {
        match self.transaction {
            crate::session::TransactionState::Failed if !statement.ends_transaction() => {
                Err(Error::InFailedTransaction)
            }
            _ => Ok(()),
        }
    }
}

/// A result of one column of text.
pub fn text_column(name: &str) -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new(name, DataType::Utf8, true)]))
}
