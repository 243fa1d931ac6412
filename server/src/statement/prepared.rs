//! PREPARE, EXECUTE, DEALLOCATE. They share their statements with the protocol, as in PostgreSQL.

use std::sync::Arc;

use datafusion::common::ScalarValue;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, LogicalPlan};
use futures::StreamExt;
use pg::sqlstate::SqlState;
use pg::types::UNKNOWN;
use pg::{PgError, Type};
use sqlparser::ast::{DataType, Ident};

use crate::analyze::Analyzer;
use crate::analyze::type_name::type_of;
use crate::error::{Error, Result};
use crate::parse::statement::{CreateTableAs, Execute, Explain, Prepare, RowsOf};
use crate::parse::{Parsed, Statement};
use crate::plan::PlanContext;
use crate::plan::relations::identifier;
use crate::session::{Prepared, Session};
use crate::statement::{Outcome, prepare};

/// # Errors
/// The statement cannot be planned, or its name is taken.
pub async fn prepare_named(session: &mut Session, prepare: &Prepare, parsed: &Parsed) -> Result<Outcome> {
    let name = identifier(&prepare.name);
    let types = {
        let names = session.names()?;
        let _entered = names.enter();
        let types = prepare.types.iter().map(|written| match is_unknown(written) {
            true => Ok(UNKNOWN),
            false => Ok(type_of(written)?.oid),
        });
        types.collect::<Result<Vec<_>>>()?
    };
    let statement = Parsed { statement: prepare.statement.as_ref().clone(), text: parsed.text.clone() };
    let prepared = Box::pin(self::prepare(session, Some(statement), &types)).await?;
    session.statements.check_new(&name)?;
    session.statements.insert(name, prepared, true);
    Ok(Outcome::command("PREPARE"))
}

/// `unknown`: the type is left to where the parameter stands.
fn is_unknown(written: &DataType) -> bool {
    matches!(written, DataType::Custom(name, _) if name.to_string().eq_ignore_ascii_case("unknown"))
}

/// # Errors
/// 26000 when there is no such statement.
pub fn deallocate(session: &mut Session, name: Option<&Ident>) -> Result<Outcome> {
    let Some(name) = name else {
        session.statements.clear();
        return Ok(Outcome::command("DEALLOCATE ALL"));
    };
    let name = identifier(name);
    match session.statements.remove(&name) {
        true => Ok(Outcome::command("DEALLOCATE")),
        false => Err(Error::UndefinedStatement { name }),
    }
}

/// What is executed when this statement is, which executes a prepared one or reads the rows of one; and the values of the
/// parameters.
///
/// # Errors
/// 26000 when there is no such prepared statement, 42601 for another number of parameters than it has; whatever is wrong with
/// their values.
pub async fn executed(
    session: &mut Session,
    parsed: &Parsed,
    execute: &Execute,
) -> Result<(Arc<Prepared>, Vec<ScalarValue>)> {
    let name = identifier(&execute.name);
    let prepared = session.statements.get(&name)?;
    let (expected, given) = (prepared.parameter_types.len(), execute.parameters.len());
    // What is given to a statement without parameters is not looked at, as in PostgreSQL.
    if expected != given && expected > 0 {
        let message = format!("wrong number of parameters for prepared statement \"{name}\"");
        let error = PgError::new(SqlState::SYNTAX_ERROR, message);
        return Err(error.with_detail(format!("Expected {expected} parameters but got {given}.")).into());
    }
    let values = parameters(session, execute, parsed, &prepared.parameter_types).await?;
    let Some(inner) = &prepared.parsed else { return Err(unsuitable("an empty statement")) };
    let statement = match (&parsed.statement, &inner.statement) {
        (Statement::Execute(_), Statement::Query(_) | Statement::Insert(_) | Statement::Modify(_))
        | (Statement::Execute(_), Statement::CreateTableAs(_)) => {
            return Ok((prepared, values));
        }
        (Statement::Execute(_), other) => return Err(unsuitable(other.verb())),
        (
            Statement::Explain(explain),
            statement @ (Statement::Query(_)
            | Statement::Insert(_)
            | Statement::Modify(_)
            | Statement::CreateTableAs(_)),
        ) => {
            let statement = match (explain.statement.as_ref(), statement) {
                (Statement::CreateTableAs(create), Statement::Query(query)) => {
                    let query = RowsOf::Query(query.clone());
                    Statement::CreateTableAs(CreateTableAs { query, ..create.clone() })
                }
                (_, statement) => statement.clone(),
            };
            Statement::Explain(Explain { statement: Box::new(statement), ..explain.clone() })
        }
        (Statement::CreateTableAs(create), Statement::Query(query)) => {
            let mut create = create.clone();
            create.query = RowsOf::Query(query.clone());
            Statement::CreateTableAs(create)
        }
        (Statement::CreateTableAs(_), _) => {
            return Err(PgError::new(SqlState::WRONG_OBJECT_TYPE, "prepared statement is not a SELECT").into());
        }
        (_, other) => return Err(Error::not_supported(format!("EXPLAIN {}", other.verb()))),
    };
    let around = Parsed { statement, text: inner.text.clone() };
    let around = prepare(session, Some(around), &prepared.parameter_types).await?;
    Ok((Arc::new(around), values))
}

fn unsuitable(verb: &str) -> Error {
    Error::not_supported(format!("EXECUTE of a prepared {verb}"))
}

/// The values of the parameters, each assigned to its type.
async fn parameters(
    session: &mut Session,
    execute: &Execute,
    parsed: &Parsed,
    oids: &[u32],
) -> Result<Vec<ScalarValue>> {
    if oids.is_empty() {
        return Ok(Vec::new());
    }
    let snapshot = session.snapshot()?;
    let context = Arc::new(PlanContext::new(session, snapshot));
    let plan = {
        let (context, execute, text, oids) = (context.clone(), execute.clone(), parsed.text.clone(), oids.to_vec());
        let analysis = session.server.engine.analyze(move || {
            let _entered = context.names().enter();
            let types: Vec<_> = oids.iter().map(|oid| Type::of(*oid)).collect();
            Analyzer::new(&context, &text, Vec::new()).execute_parameters(&execute.parameters, &types)
        });
        session.guard().run(analysis).await??
    };
    match constants(&plan) {
        Some(values) => Ok(values),
        None => computed(session, context, plan).await,
    }
}

/// The values of a plan that has nothing to compute.
fn constants(plan: &LogicalPlan) -> Option<Vec<ScalarValue>> {
    let LogicalPlan::Projection(projection) = plan else { return None };
    let constant = |expr: &Expr| match expr.clone().unalias() {
        Expr::Literal(value, _) => Some(value),
        _ => None,
    };
    projection.expr.iter().map(constant).collect()
}

/// The values of the one row of a plan.
async fn computed(session: &mut Session, context: Arc<PlanContext>, plan: LogicalPlan) -> Result<Vec<ScalarValue>> {
    let guard = session.guard();
    let plan = guard.run(session.server.engine.physical_plan(context.clone(), plan)).await??;
    let mut rows = session.server.engine.execute(plan, context.state())?;
    while let Some(batch) = guard.run(rows.next()).await? {
        let batch = batch?;
        if batch.num_rows() > 0 {
            let values = batch.columns().iter().map(|column| ScalarValue::try_from_array(column, 0));
            return Ok(values.collect::<Result<_, DataFusionError>>()?);
        }
    }
    Err(PgError::internal("parameters have no row").into())
}
