//! ALTER TABLE: the rows of a table as they become.

use std::sync::Arc;

use catalog::{Column, HotTable, SqlType};
use datafusion::common::TableReference;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, TableSource};
use pg::function::CastContext;
use pg::sqlstate::SqlState;
use pg::user_types::type_of_column;
use pg::{PgError, Type};
use sqlparser::ast::{self, Visit};

use crate::analyze::Analyzer;
use crate::analyze::coerce::{can_coerce, native};
use crate::analyze::kept::Queries;
use crate::analyze::modify::scope_relation;
use crate::analyze::names::plan_column;
use crate::analyze::scope::{Level, Namespace, Place};
use crate::analyze::typed::Typed;
use crate::error::{Error, Result};

/// Where the values of a column come from.
#[derive(Debug, Clone)]
pub enum ColumnSource {
    /// The column that the rows have, as it is.
    Kept(Column),
    /// The column that the rows have, or the expression behind USING, as values of another type.
    Converted(Column, Option<Box<ast::Expr>>),
    /// The default of the column, which is added.
    Added,
    /// Nothing yet: the values are computed of the other ones, or counted.
    Filled,
}

impl Analyzer<'_> {
    /// The rows of a table, with values for the columns of its new definition.
    ///
    /// # Errors
    /// Something is wrong with an expression, or its values cannot be assigned.
    pub fn rewritten(
        &mut self,
        table: &HotTable,
        source: Arc<dyn TableSource>,
        columns: &[(Column, ColumnSource)],
    ) -> Result<LogicalPlan> {
        let name = table.name.name.as_str();
        let alias = self.unique_alias(name);
        let plan = LogicalPlanBuilder::scan(TableReference::bare(name), source, None)?
            .alias(TableReference::bare(alias.as_str()))?;
        let relation = scope_relation(table, &alias, name.to_owned(), Some(table.name.schema.clone()));
        let place = Some(Place::Plain("transform expressions"));
        self.levels.push(Level { namespace: Namespace::of(relation), place, ..Level::default() });
        let values = columns.iter().map(|(column, source)| {
            let value = self.new_value(&alias, column, source)?;
            Ok(value.expr.alias(self.made_name(&column.name)))
        });
        let values = values.collect::<Result<Vec<_>>>();
        self.levels.pop();
        Ok(plan.project(values?)?.build()?)
    }

    /// One row with the value of a column that is added, and whether it is another one for each row.
    ///
    /// # Errors
    /// As for [`rewritten`](Self::rewritten).
    pub fn added_value(&mut self, column: &Column) -> Result<(LogicalPlan, bool)> {
        let value = self.default_of(column)?;
        let is_volatile = value.expr.is_volatile();
        let plan = LogicalPlanBuilder::empty(true).project([value.expr.alias(&column.name)])?.build()?;
        Ok((plan, is_volatile))
    }

    fn new_value(&mut self, alias: &str, column: &Column, source: &ColumnSource) -> Result<Typed> {
        let target = type_of_column(&column.sql_type);
        let existing =
            |old: &Column| Typed::new(Expr::Column(plan_column(alias, &old.name)), type_of_column(&old.sql_type));
        match source {
            ColumnSource::Kept(old) => Ok(native(existing(old), target)),
            ColumnSource::Converted(old, None) => {
                let value = existing(old);
                if !can_coerce(value.ty.oid, target.oid, CastContext::Assignment) {
                    return Err(not_automatic(&column.name, &target).into());
                }
                self.assigned_to(value, &target)
            }
            ColumnSource::Converted(_, Some(using)) => {
                let using = using.as_ref();
                if using.visit(&mut Queries).is_break() {
                    let message = "cannot use subquery in transform expression";
                    return Err(self.at(PgError::new(SqlState::FEATURE_NOT_SUPPORTED, message), using));
                }
                let value = self.expression(using)?;
                if !can_coerce(value.ty.oid, target.oid, CastContext::Assignment) {
                    let shown = target.name();
                    let message = format!(
                        "result of USING clause for column \"{}\" cannot be cast automatically to type {shown}",
                        column.name
                    );
                    let error = PgError::new(SqlState::DATATYPE_MISMATCH, message);
                    return Err(error.with_hint("You might need to add an explicit cast.").into());
                }
                self.assigned_to(value, &target).map_err(|error| match error {
                    Error::Sql { error, position: None } => self.at(*error, using),
                    other => other,
                })
            }
            ColumnSource::Added => self.default_of(column),
            ColumnSource::Filled => self.as_column(Typed::null(), column),
        }
    }

    fn assigned_to(&mut self, value: Typed, target: &Type) -> Result<Typed> {
        let value = self.coerce(value, target, CastContext::Assignment)?;
        let value = self.in_dimensions(value, target)?;
        Ok(native(value, target.clone()))
    }
}

/// Whether values of one type become values of another without being asked to, as ALTER COLUMN … TYPE needs it.
///
/// # Errors
/// 42804
pub fn check_automatic(column: &str, from: &SqlType, to: &SqlType) -> Result<()> {
    match can_coerce(from.oid().0, to.oid().0, CastContext::Assignment) {
        true => Ok(()),
        false => Err(not_automatic(column, &type_of_column(to)).into()),
    }
}

fn not_automatic(column: &str, target: &Type) -> PgError {
    let (name, shown) = (catalog::name::quote_identifier(column), target.name());
    let message = format!("column \"{column}\" cannot be cast automatically to type {shown}");
    PgError::new(SqlState::DATATYPE_MISMATCH, message)
        .with_hint(format!("You might need to specify \"USING {name}::{shown}\"."))
}
