//! The rows of an INSERT: what the statement gives, what it leaves to defaults, and what is computed of both.

use std::borrow::Cow;

use catalog::{Column, ColumnDefault, HotTable};
use datafusion::common::TableReference;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use pg::error::PgError;
use pg::sqlstate::SqlState;
use sqlparser::ast;

use crate::analyze::coerce::null_of;
use crate::analyze::modify::{Gives, is_default, scope_relation};
use crate::analyze::names::plan_column;
use crate::analyze::query::plain_values;
use crate::analyze::scope::{Level, Namespace};
use crate::analyze::{Analyzed, Analyzer, folded};
use crate::error::{Error, Result};
use crate::parse::statement::{Insert, Overriding};

impl Analyzer<'_> {
    /// The plan of the rows of an INSERT into these columns of a table, by their places: the values of all columns of the
    /// table, then the columns of RETURNING.
    ///
    /// # Errors
    /// Whatever is wrong with the query or RETURNING; 42804 for what cannot be assigned, 428C9 for a value that may not be
    /// given.
    pub fn insert(&mut self, insert: &Insert, table: &HotTable, places: &[usize]) -> Result<Analyzed> {
        self.behind_with(insert.with.as_ref(), |analyzer| analyzer.inserted_rows(insert, table, places))
    }

    fn inserted_rows(&mut self, insert: &Insert, table: &HotTable, places: &[usize]) -> Result<Analyzed> {
        let source = match &insert.source {
            Some(query) => {
                let targets = places.iter().enumerate().map(|(number, place)| {
                    let column = &table.columns[*place];
                    match takes_value(column, insert.overriding, || gives_default(insert, number)) {
                        // The value is thrown away, so it must not be taken from a sequence.
                        Ok(false) => Cow::Owned(Column { default: None, ..column.clone() }),
                        _ => Cow::Borrowed(column),
                    }
                });
                let targets: Vec<Cow<'_, Column>> = targets.collect();
                let targets: Vec<&Column> = targets.iter().map(AsRef::as_ref).collect();
                self.insert_source(query, &targets)?
            }
            None => Analyzed { plan: LogicalPlanBuilder::empty(true).build()?, columns: Vec::new() },
        };
        let width = source.columns.len();
        if insert.source.is_some() && width < places.len() && !insert.columns.is_empty() {
            let position = self.position(insert.columns.get(width));
            return Err(Error::InsertArity { more_expressions: false, position });
        }
        let mut given = Vec::with_capacity(width);
        for (number, place) in places[..width].iter().enumerate() {
            if takes_value(&table.columns[*place], insert.overriding, || gives_default(insert, number))? {
                given.push((*place, number));
            }
        }
        let visible = insert.alias.as_ref().map_or_else(|| table.name.name.clone(), folded);
        let alias = self.unique_alias(&visible);
        let relation = TableReference::bare(alias.as_str());
        let mut projection = Vec::with_capacity(table.columns.len());
        for (place, column) in table.columns.iter().enumerate() {
            let value = match given.iter().find(|(given, _)| *given == place) {
                Some((_, number)) => Expr::Column(source.columns[*number].column.clone()),
                None if matches!(column.default, Some(ColumnDefault::Generated(_))) => {
                    Expr::Literal(null_of(&column.sql_type.in_flight())?, None)
                }
                None => self.default_of(column)?.expr,
            };
            projection.push(value.alias_qualified(Some(relation.clone()), &column.name));
        }
        let plan = LogicalPlanBuilder::from(source.plan).project(projection)?.build()?;
        let plan = self.with_generated(plan, &alias, table)?;
        let schema = insert.alias.is_none().then(|| table.name.schema.clone());
        let rows = scope_relation(table, &alias, visible, schema);
        self.levels.push(Level { namespace: Namespace::of(rows), ..Level::default() });
        let gives = Gives { table, alias: &alias, new_values: true, addresses: false };
        let analyzed = self.with_returning(plan, &gives, &insert.returning);
        self.levels.pop();
        analyzed
    }

    /// The rows with the generated columns of a table, which the plan calls `alias`, computed of the others.
    pub(super) fn with_generated(&mut self, plan: LogicalPlan, alias: &str, table: &HotTable) -> Result<LogicalPlan> {
        let mut generated = Vec::new();
        for column in &table.columns {
            if let Some(ColumnDefault::Generated(written)) = &column.default {
                let schema = Some(table.name.schema.clone());
                let row = Namespace::of(scope_relation(table, alias, table.name.name.clone(), schema));
                let value = self.generation_expression(written, row)?;
                generated.push((plan_column(alias, &column.name), self.as_column(value, column)?.expr));
            }
        }
        if generated.is_empty() {
            return Ok(plan);
        }
        let projection = plan.schema().columns().into_iter().map(|column| {
            match generated.iter().find(|(known, _)| *known == column) {
                Some((_, value)) => value.clone().alias_qualified(column.relation.clone(), &column.name),
                None => Expr::Column(column),
            }
        });
        let projection: Vec<_> = projection.collect();
        Ok(LogicalPlanBuilder::from(plan).project(projection)?.build()?)
    }
}

/// Why a column takes no value but DEFAULT, if that is so.
pub fn only_default(column: &Column) -> Option<String> {
    let name = &column.name;
    match &column.default {
        Some(ColumnDefault::Generated(_)) => Some(format!("Column \"{name}\" is a generated column.")),
        Some(ColumnDefault::Identity { always: true, .. }) => {
            Some(format!("Column \"{name}\" is an identity column defined as GENERATED ALWAYS."))
        }
        _ => None,
    }
}

/// Whether a column has what a statement gives it, and not its default.
///
/// # Errors
/// 428C9 for a column that takes nothing but DEFAULT.
pub(super) fn takes_value(
    column: &Column,
    overriding: Option<Overriding>,
    gives_default: impl FnOnce() -> bool,
) -> Result<bool> {
    let is_identity = matches!(column.default, Some(ColumnDefault::Identity { .. }));
    match overriding {
        Some(Overriding::System) if is_identity => return Ok(true),
        Some(Overriding::User) if is_identity => return Ok(false),
        _ => {}
    }
    let Some(detail) = only_default(column) else { return Ok(true) };
    if gives_default() {
        return Ok(false);
    }
    let message = format!("cannot insert a non-DEFAULT value into column \"{}\"", column.name);
    let error = PgError::new(SqlState::GENERATED_ALWAYS, message).with_detail(detail);
    Err(match is_identity {
        true => error.with_hint("Use OVERRIDING SYSTEM VALUE to override."),
        false => error,
    }
    .into())
}

/// Whether all rows of an INSERT have DEFAULT as their `number`th value.
fn gives_default(insert: &Insert, number: usize) -> bool {
    let values = insert.source.as_ref().and_then(|query| plain_values(query));
    let is_given = |row: &ast::Parens<Vec<ast::Expr>>| row.content.get(number).is_some_and(is_default);
    values.is_some_and(|values| values.rows.iter().all(is_given))
}
