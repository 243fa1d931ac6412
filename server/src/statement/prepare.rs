//! Makes a statement ready to be executed: queries are planned, so that mistakes and result columns are known.

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::LogicalPlan;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::parse::statement::{CopySource, CopyTo, CreateTableAs, RowsOf};
use crate::parse::{Parsed, Statement};
use crate::plan::relations::{NameScope, identifier, parts};
use crate::plan::{PlanContext, Planned, files, plan_query, plan_table_source};
use crate::session::{Prepared, Session};
use crate::statement::stated_query::StatedQuery;
use crate::statement::{copy_to, explain, insert, modify, show, show_objects};
use pg::error::Subject;
use pg::sqlstate::SqlState;
use pg::types::{UNKNOWN, describe};
use pg::{PgError, Type};

/// Makes a statement ready. `declared` are the OIDs of the parameters' types as the client gave them, 0 where it did not.
///
/// # Errors
/// The statement cannot be planned, or the transaction has failed before.
pub async fn prepare(session: &mut Session, parsed: Option<Parsed>, declared: &[u32]) -> Result<Prepared> {
    let Some(parsed) = parsed else {
        return Ok(Prepared::new(None, None, declared.to_vec()));
    };
    session.check_not_failed(&parsed.statement)?;
    let planned = plan(session, &parsed, declared.iter().map(|oid| declared_type(*oid)).collect()).await?;
    let parameter_types = match &planned {
        Some(planned) => planned.parameter_oids(declared)?,
        None => declared.to_vec(),
    };
    let named = match &parsed.statement {
        // When there is no such statement or cursor, that is found out when it is executed.
        Statement::Execute(execute) => {
            let named = session.statements.get(&identifier(&execute.name)).ok();
            named.and_then(|named| named.result_schema())
        }
        Statement::Fetch(fetch) if !fetch.moves => {
            let named = session.portals.get(&identifier(&fetch.cursor));
            named.and_then(|named| named.prepared.result_schema())
        }
        _ => None,
    };
    let mut prepared = Prepared::new(Some(parsed), planned, parameter_types);
    prepared.named = named;
    Ok(prepared)
}

/// Plans the query that a statement holds, if it holds one. That can take long, so it can be ended as execution can.
async fn plan(session: &mut Session, parsed: &Parsed, parameters: Vec<Option<Type>>) -> Result<Option<Planned>> {
    if let Statement::CopyTo(CopyTo { source: CopySource::Change(change), .. }) = &parsed.statement {
        let change = Parsed { statement: change.as_ref().clone(), text: parsed.text.clone() };
        let planned = Box::pin(plan(session, &change, parameters)).await?;
        return match &planned {
            Some(planned) if !planned.parameters.is_empty() => Err(Error::UndefinedParameter { number: 1 }),
            _ => Ok(planned),
        };
    }
    if let Statement::Explain(explain) = &parsed.statement {
        let explained = Parsed { statement: explain.statement.as_ref().clone(), text: parsed.text.clone() };
        return Box::pin(plan(session, &explained, parameters)).await;
    }
    if parsed.statement.executed().is_some() {
        return Ok(None);
    }
    let snapshot = match &parsed.statement {
        Statement::Query(_)
        | Statement::Declare(_)
        | Statement::Insert(_)
        | Statement::Modify(_)
        | Statement::CreateTableAs(_)
        | Statement::CreateExternalTableAs(_)
        | Statement::Unload(_)
        | Statement::CopyTo(_)
        | Statement::ShowObjects(_) => session.snapshot()?,
        _ => return Ok(None),
    };
    let (target, modified) = match &parsed.statement {
        Statement::Insert(insert) => match insert::targets(session, &snapshot, parsed, insert)? {
            Some(target) => (Some(target), None),
            None => return Ok(None),
        },
        Statement::Modify(modify) => (None, Some(modify::target(session, &snapshot, modify, &parsed.text)?)),
        _ => (None, None),
    };
    let context = Arc::new(PlanContext::new(session, snapshot));
    let stated = match &parsed.statement {
        Statement::CopyTo(copy) => Some(copy_to::query(session, &context, copy, &parsed.text)?),
        Statement::Unload(unload) => Some(StatedQuery::written(unload.query.clone(), unload.text.clone())),
        Statement::ShowObjects(show) => Some(show_objects::query(session, &context, show)?),
        _ => None,
    };
    let parsed = parsed.clone();
    let plan = move |context: &PlanContext| {
        let parameters = parameters.clone();
        if let Some(stated) = &stated {
            return stated.plan(context, parameters).map(Some);
        }
        let planned = match (&parsed.statement, &target, &modified) {
            (Statement::Query(query), ..) => plan_query(context, query, &parsed.text, parameters),
            (Statement::Declare(declare), ..) => plan_query(context, &declare.query, &parsed.text, parameters),
            (Statement::CreateTableAs(CreateTableAs { query: RowsOf::Query(query), .. }), ..) => {
                plan_table_source(context, query, &parsed.text, parameters)
            }
            (Statement::Insert(insert), Some(target), _) => insert::plan(context, &parsed, insert, target, parameters),
            (Statement::Modify(modify), _, Some(table)) => {
                modify::plan(context, &parsed, modify, table.clone(), parameters)
            }
            (Statement::CreateExternalTableAs(create), ..) => {
                plan_table_source(context, &create.query, &parsed.text, parameters)
            }
            _ => return Ok(None),
        };
        planned.map(Some)
    };
    files::planned(session, &context, plan).await
}

/// The type that a client declared a parameter with; none when it left that to us.
fn declared_type(oid: u32) -> Option<Type> {
    (oid != 0 && oid != UNKNOWN).then(|| Type::of(oid))
}

impl Prepared {
    /// The columns of the result; `None` when there are none.
    pub fn result_schema(&self) -> Option<SchemaRef> {
        match &self.parsed.as_ref()?.statement {
            Statement::Query(_) | Statement::ShowObjects(_) => {
                self.planned.as_ref().map(|planned| planned.schema.clone())
            }
            Statement::Modify(modify) if !modify.returning.is_empty() => {
                self.planned.as_ref().map(|planned| planned.schema.clone())
            }
            Statement::Insert(insert) if !insert.returning.is_empty() => {
                self.planned.as_ref().map(|planned| planned.schema.clone())
            }
            Statement::Execute(_) | Statement::Fetch(_) => self.named.clone(),
            Statement::Explain(explain) => Some(explain::schema(explain.format)),
            Statement::ShowAll => Some(show::all_columns()),
            Statement::Show { name } => Some(text_column(&show::column_name(name))),
            _ => None,
        }
    }

    /// The plan for what the session sees by now: the one that was made, over the rows that there are now, or a new one when
    /// a definition has changed.
    ///
    /// # Errors
    /// The query does not fit any more.
    pub(super) async fn current_plan(&self, session: &mut Session) -> Result<Planned> {
        let Some(planned) = &self.planned else { return Err(no_plan()) };
        let search_path = NameScope::of(session).search_path;
        let snapshot = session.snapshot()?;
        if search_path == planned.search_path && snapshot.has_definitions_of(&planned.snapshot) {
            return match Arc::ptr_eq(&snapshot, &planned.snapshot) {
                true => Ok(planned.clone()),
                false => planned.over(snapshot),
            };
        }
        self.replanned(session, self.parameter_types.iter().map(|oid| declared_type(*oid)).collect()).await
    }

    /// The current plan, with values in place of the parameters.
    ///
    /// # Errors
    /// As for [`Prepared::current_plan`], or a value does not fit where its parameter stands.
    pub(super) async fn bound_plan(
        &self,
        session: &mut Session,
        parameters: &[ScalarValue],
    ) -> Result<(Planned, LogicalPlan)> {
        let mut planned = self.current_plan(session).await?;
        // A number with more digits than parameters have usually, and an array of several dimensions, have a plan of
        // their own, as they would have as constants.
        if let Some(types) = planned.types_of(parameters) {
            planned = self.replanned(session, types).await?;
        }
        let plan = planned.bind(parameters)?;
        Ok((planned, plan))
    }

    async fn replanned(&self, session: &mut Session, parameters: Vec<Option<Type>>) -> Result<Planned> {
        let (Some(parsed), Some(planned)) = (&self.parsed, &self.planned) else { return Err(no_plan()) };
        let replanned = plan(session, parsed, parameters).await?;
        let replanned = replanned.ok_or_else(no_plan)?;
        // The client reads rows as they were described to it.
        let types = |planned: &Planned| planned.schema.fields().iter().map(|it| describe(it).oid).collect::<Vec<_>>();
        if types(&replanned) != types(planned) {
            let error = PgError::new(SqlState::FEATURE_NOT_SUPPORTED, "cached plan must not change result type");
            // By this drivers know that they have to prepare the statement again.
            let subject = Subject { routine: Some("RevalidateCachedQuery"), ..Subject::default() };
            return Err(error.about(subject).into());
        }
        Ok(replanned)
    }
}

fn no_plan() -> Error {
    Error::InvalidStatementHere { message: "the statement has no plan".into() }
}

impl Session {
    /// In a failed transaction only its end is allowed.
    ///
    /// # Errors
    /// 25P02
    pub fn check_not_failed(&self, statement: &Statement) -> Result<()> {
        match self.transaction {
            crate::session::TransactionState::Failed(_) if !statement.ends_transaction() => {
                Err(Error::InFailedTransaction)
            }
            _ => Ok(()),
        }
    }
}

impl Session {
    /// A read-only transaction changes nothing but the rows of temporary tables.
    ///
    /// # Errors
    /// 25006
    pub fn check_may_write(&mut self, statement: &Statement) -> Result<()> {
        let read_only = self.is_read_only();
        self.sequences.set_read_only(read_only);
        match statement.writing_command() {
            Some(command) if read_only && !self.changes_temporary_rows(statement)? => {
                let message = format!("cannot execute {command} in a read-only transaction");
                Err(PgError::new(SqlState::READ_ONLY_SQL_TRANSACTION, message).into())
            }
            _ => Ok(()),
        }
    }

    fn changes_temporary_rows(&mut self, statement: &Statement) -> Result<bool> {
        let table = match statement.changing() {
            Statement::Insert(insert) => &insert.table,
            Statement::Modify(modify) => &modify.target.name,
            Statement::CopyFrom(copy) => &copy.table,
            _ => return Ok(false),
        };
        let snapshot = self.snapshot()?;
        let relation = NameScope::of(self).relation(&snapshot, &parts(table)?)?;
        Ok(relation.is_some_and(|relation| relation.name().is_temporary()))
    }
}

/// A result of one column of text.
pub fn text_column(name: &str) -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new(name, DataType::Utf8, true)]))
}
