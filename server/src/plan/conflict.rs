//! INSERT … ON CONFLICT: which keys count, and the plan of what becomes of the rows that have them.

use std::sync::Arc;

use catalog::{CatalogSnapshot, Constraint, ConstraintKind, HotTable, Oid};
use datafusion::datasource::provider_as_source;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::LogicalPlan;
use pg::PgError;
use pg::sqlstate::SqlState;
use sqlparser::ast;
use storage::hot::keys::TableKey;

use crate::analyze::Analyzer;
use crate::analyze::on_conflict::pair_schema;
use crate::error::{Error, Result};
use crate::parse::position;
use crate::parse::statement::{ConflictAction, ConflictTarget, Insert, OnConflict};
use crate::plan::given_rows::GivenRows;
use crate::plan::rebind::with_rows_of;
use crate::plan::relations::identifier;
use crate::plan::{PlanContext, Planned};

/// What becomes of the rows that stand in the way of an INSERT.
#[derive(Debug, Clone)]
pub struct ConflictPlan {
    /// The table.
    pub table: Arc<HotTable>,
    /// The keys that count.
    pub arbiters: Arc<[Arbiter]>,
    /// The rows that they become, over pairs of rows that are given when it is executed; `None` when they stay.
    pub update: Option<LogicalPlan>,
}

/// A key that rows are not to share with those that are there.
#[derive(Debug)]
pub struct Arbiter {
    /// The number of the constraint.
    pub constraint: Oid,
    /// Its key.
    pub key: TableKey,
}

impl ConflictPlan {
    /// The same over the rows of another snapshot with the same definitions.
    ///
    /// # Errors
    /// None of its own.
    pub fn over(&self, snapshot: &Arc<CatalogSnapshot>) -> Result<Self> {
        let update = self.update.clone().map(|update| with_rows_of(update, snapshot)).transpose()?;
        Ok(ConflictPlan { update, ..self.clone() })
    }
}

/// Adds to the plan of an INSERT what becomes of the rows that stand in its way.
///
/// # Errors
/// Whatever is wrong with the clause, with a position where it is known.
pub fn plan_on_conflict(
    context: &PlanContext,
    insert: &Insert,
    on_conflict: &OnConflict,
    text: &str,
    planned: Planned,
    table: &Arc<HotTable>,
) -> Result<Planned> {
    let arbiters = arbiters(table, on_conflict.target.as_ref(), text)?.into();
    let mut conflicts = ConflictPlan { table: table.clone(), arbiters, update: None };
    let mut parameters = planned.parameters.clone();
    if matches!(on_conflict.action, ConflictAction::Update { .. }) {
        let mut analyzer = Analyzer::new(context, text, parameters);
        let pairs = provider_as_source(Arc::new(GivenRows::table(pair_schema(table))));
        conflicts.update = Some(analyzer.on_conflict_update(insert, &on_conflict.action, table, pairs)?.plan);
        parameters = analyzer.into_parameters();
    }
    Ok(Planned { on_conflict: Some(conflicts), parameters, ..planned })
}

/// The keys that ON CONFLICT names; all of the table when it names none.
fn arbiters(table: &Arc<HotTable>, target: Option<&ConflictTarget>, text: &str) -> Result<Vec<Arbiter>> {
    let all: Vec<&Constraint> = table.keys().map(|(constraint, _)| constraint).collect();
    let named = match target {
        None => all,
        Some(ConflictTarget::Constraint(name)) => {
            let name = identifier(name);
            let named = table.declared_constraint(&name).ok_or_else(|| {
                let message = format!("constraint \"{name}\" for table \"{}\" does not exist", table.name.name);
                PgError::new(SqlState::UNDEFINED_OBJECT, message)
            })?;
            vec![named]
        }
        Some(ConflictTarget::Columns(names)) => {
            let numbers = numbers(table, names, text)?;
            let is_over = |constraint: &&Constraint| match &constraint.kind {
                ConstraintKind::Key(key) => sorted(key.columns.clone()) == numbers,
                _ => false,
            };
            all.into_iter().filter(is_over).collect()
        }
    };
    let mut arbiters = Vec::with_capacity(named.len());
    for constraint in named {
        if let ConstraintKind::Key(key) = &constraint.kind {
            let key = TableKey::new(table.clone(), key).map_err(DataFusionError::from)?;
            arbiters.push(Arbiter { constraint: constraint.oid, key });
        }
    }
    if arbiters.is_empty() && target.is_some() {
        let message = "there is no unique or exclusion constraint matching the ON CONFLICT specification";
        return Err(PgError::new(SqlState::INVALID_COLUMN_REFERENCE, message).into());
    }
    Ok(arbiters)
}

/// The numbers of columns, in order.
fn numbers(table: &HotTable, names: &[ast::Ident], text: &str) -> Result<Vec<i16>> {
    let number = |ident: &ast::Ident| {
        let name = identifier(ident);
        let column = table.columns.iter().find(|column| column.name == name);
        column.map(|column| column.attribute_number).ok_or_else(|| Error::Sql {
            error: Box::new(PgError::new(SqlState::UNDEFINED_COLUMN, format!("column \"{name}\" does not exist"))),
            position: position::character(text, ident.span.start),
        })
    };
    Ok(sorted(names.iter().map(number).collect::<Result<_>>()?))
}

fn sorted(mut numbers: Vec<i16>) -> Vec<i16> {
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}
