//! UPDATE, DELETE, and RETURNING: the rows that change, with their addresses and what they become.
//!
//! The plan gives, for each row: the new values of the table's columns (UPDATE), then the columns of RETURNING, then the
//! row's address. A row that joins several times comes several times; whoever changes the rows takes the first.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::FieldRef;
use datafusion::common::{Column, TableReference};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, TableSource};
use pg::Type;
use pg::error::PgError;
use pg::function::CastContext;
use pg::sqlstate::SqlState;
use pg::types::TEXT;
use pg::user_types::type_of_column;
use sqlparser::ast;
use storage::hot::scan::{ROW_COLUMN, UNIT_COLUMN};

use crate::analyze::coerce::{can_coerce, cannot_assign, native};
use crate::analyze::correlation::Under;
use crate::analyze::insert::only_default;
use crate::analyze::names::plan_column;
use crate::analyze::scope::{Level, Namespace, Place, ScopeColumn, ScopeRelation};
use crate::analyze::typed::Typed;
use crate::analyze::{Analyzed, Analyzer, OutputColumn, folded};
use crate::error::{Error, Result};
use crate::parse::statement::{Assignment, Modify, ModifyKind};
use crate::plan::relations::parts;

/// The table that is changed.
pub struct Target {
    /// Its definition.
    pub table: Arc<catalog::HotTable>,
    /// Its rows, with the two columns of their addresses.
    pub source: Arc<dyn TableSource>,
}

/// The target in the plan.
pub(super) struct TargetRows {
    /// Its rows.
    pub plan: LogicalPlan,
    /// What the plan calls it.
    pub alias: String,
    /// Its columns.
    pub relation: ScopeRelation,
}

impl Analyzer<'_> {
    /// The plan of an UPDATE or DELETE; its columns are those of RETURNING.
    ///
    /// # Errors
    /// Whatever is wrong with its clauses.
    pub fn modify(&mut self, modify: &Modify, target: &Target) -> Result<Analyzed> {
        self.behind_with(modify.with.as_ref(), |analyzer| {
            analyzer.levels.push(Level::default());
            let analyzed = match &modify.kind {
                ModifyKind::Merge(merge) => analyzer.merge_at_level(modify, merge, target),
                ModifyKind::Delete | ModifyKind::Update(_) => analyzer.modify_at_level(modify, target),
            };
            analyzer.levels.pop();
            analyzed
        })
    }

    fn modify_at_level(&mut self, modify: &Modify, target: &Target) -> Result<Analyzed> {
        let rows = self.target_rows(modify, target)?;
        let mut namespace = Namespace::of(rows.relation.clone());
        let mut plan = rows.plan;
        if !modify.from.is_empty() {
            let from = self.from(&modify.from)?;
            namespace = namespace.with(std::mem::take(&mut self.level()?.namespace));
            plan = LogicalPlanBuilder::from(plan).cross_join(from)?.build()?;
            self.check_names(&namespace, &modify.from)?;
        }
        self.level()?.namespace = namespace;
        let mut plan = self.where_clause(plan, modify.selection.as_ref())?;
        if let ModifyKind::Update(assignments) = &modify.kind {
            plan = self.with_new_values(plan, &rows.alias, target, assignments)?;
        }
        let updates = matches!(modify.kind, ModifyKind::Update(_));
        if updates {
            plan = self.with_generated(plan, &rows.alias, &target.table)?;
        }
        let gives = Gives { table: &target.table, alias: &rows.alias, new_values: updates, addresses: true };
        self.with_returning(plan, &gives, &modify.returning)
    }

    pub(super) fn target_rows(&mut self, modify: &Modify, target: &Target) -> Result<TargetRows> {
        let name = &target.table.name;
        let written = modify.target.alias.as_ref();
        let visible = written.map_or_else(|| name.name.clone(), |alias| folded(&alias.name));
        let alias = self.unique_alias(&visible);
        let plan = LogicalPlanBuilder::scan(TableReference::bare(name.name.as_str()), target.source.clone(), None)?
            .alias(TableReference::bare(alias.as_str()))?
            .build()?;
        self.columns.extend(plan.schema().fields().iter().map(|field| field.name().clone()));
        let schema = written.is_none().then(|| name.schema.clone());
        let relation = scope_relation(&target.table, &alias, visible, schema);
        Ok(TargetRows { plan, alias, relation })
    }

    /// The rows with the target's columns as they will be.
    pub(super) fn with_new_values(
        &mut self,
        plan: LogicalPlan,
        alias: &str,
        target: &Target,
        assignments: &[Assignment],
    ) -> Result<LogicalPlan> {
        let values = self.assigned_values_of(target, assignments)?;
        self.with_values(plan, alias, values)
    }

    /// The values that SET gives columns, by the columns' names.
    pub(super) fn assigned_values_of(
        &mut self,
        target: &Target,
        assignments: &[Assignment],
    ) -> Result<HashMap<String, Expr>> {
        self.level()?.place = Some(Place::Plain("UPDATE"));
        let mut values: HashMap<String, Expr> = HashMap::new();
        for assignment in assignments {
            let (name, value) = self.assignment(target, assignment)?;
            if values.insert(name.clone(), value).is_some() {
                let message = format!("multiple assignments to same column \"{name}\"");
                let error = PgError::new(SqlState::SYNTAX_ERROR, message);
                return Err(self.at(error, &assignment.column));
            }
        }
        Ok(values)
    }

    /// The rows with these values in the place of the target's.
    pub(super) fn with_values(
        &mut self,
        plan: LogicalPlan,
        alias: &str,
        mut values: HashMap<String, Expr>,
    ) -> Result<LogicalPlan> {
        let plan = self.applied(plan, values.values_mut(), Under::Projection)?;
        let projection = plan.schema().columns().into_iter().map(|column| {
            let of_target = column.relation.as_ref().is_some_and(|relation| relation.table() == alias);
            match values.get(&column.name).filter(|_| of_target) {
                Some(value) => value.clone().alias_qualified(column.relation.clone(), &column.name),
                None => Expr::Column(column),
            }
        });
        let projection: Vec<_> = projection.collect();
        Ok(LogicalPlanBuilder::from(plan).project(projection)?.build()?)
    }

    fn assignment(&mut self, target: &Target, assignment: &Assignment) -> Result<(String, Expr)> {
        let path = parts(&assignment.column)?;
        let name = path.first().cloned().unwrap_or_default();
        let column = target.table.columns.iter().find(|column| column.name == name).ok_or_else(|| {
            let relation = &target.table.name.name;
            let message = format!("column \"{name}\" of relation \"{relation}\" does not exist");
            self.at(PgError::new(SqlState::UNDEFINED_COLUMN, message), &assignment.column)
        })?;
        if path.len() > 1 {
            return Err(Error::not_supported("assigning to a part of a column"));
        }
        if is_default(&assignment.value) {
            return Ok((name, self.default_of(column)?.expr));
        }
        if let Some(detail) = only_default(column) {
            let message = format!("column \"{name}\" can only be updated to DEFAULT");
            let error = PgError::new(SqlState::GENERATED_ALWAYS, message);
            return Err(error.with_detail(detail).into());
        }
        Ok((name, self.assigned_value(column, &assignment.value)?))
    }

    /// A value that was written for a column, as one of it.
    pub(super) fn assigned_value(&mut self, column: &catalog::Column, written: &ast::Expr) -> Result<Expr> {
        let value = self.expression(written)?;
        self.assigned(column, value).map_err(|error| self.at(error, written))
    }

    /// A value as one of a column.
    pub(super) fn assigned(&mut self, column: &catalog::Column, value: Typed) -> pg::error::Result<Expr> {
        let ty = type_of_column(&column.sql_type);
        if !can_coerce(value.ty.oid, ty.oid, CastContext::Assignment) {
            return Err(cannot_assign(&column.name, &value.ty, &ty));
        }
        let value = self.coerce(value, &ty, CastContext::Assignment)?;
        let value = self.in_dimensions(value, &ty)?;
        Ok(native(value, ty).expr)
    }

    /// What the plan gives in the end.
    pub(super) fn with_returning(
        &mut self,
        plan: LogicalPlan,
        gives: &Gives<'_>,
        returning: &[ast::SelectItem],
    ) -> Result<Analyzed> {
        self.level()?.place = Some(Place::Plain("RETURNING"));
        let mut items = self.select_items(returning, true)?;
        for (_, value) in &mut items {
            if value.is_unknown() {
                *value = self.coerce(value.clone(), &Type::of(TEXT), CastContext::Implicit)?;
            }
        }
        let plan = self.applied(plan, items.iter_mut().map(|(_, value)| &mut value.expr), Under::Projection)?;
        self.given(plan, gives, items)
    }

    /// The plan with what it is to give alone: new values, these columns, addresses.
    pub(super) fn given(
        &mut self,
        plan: LogicalPlan,
        gives: &Gives<'_>,
        items: Vec<(String, Typed)>,
    ) -> Result<Analyzed> {
        let mut projection = Vec::new();
        for column in gives.table.columns.iter().filter(|_| gives.new_values) {
            let name = self.made_name("new");
            projection.push(Expr::Column(plan_column(gives.alias, &column.name)).alias(name));
        }
        let mut columns = Vec::with_capacity(items.len());
        for (name, Typed { expr, ty }) in items {
            let unique = self.made_name(&name);
            projection.push(expr.alias(&unique));
            columns.push(OutputColumn {
                name,
                ty,
                column: Column::new_unqualified(unique),
                constant: None,
                origin: None,
            });
        }
        for address in [UNIT_COLUMN, ROW_COLUMN].into_iter().filter(|_| gives.addresses) {
            let name = self.made_name(address);
            projection.push(Expr::Column(plan_column(gives.alias, address)).alias(name));
        }
        let plan = LogicalPlanBuilder::from(plan).project(projection)?.build()?;
        Ok(Analyzed { plan, columns })
    }
}

/// What the plan of a statement that changes rows gives beside the columns of RETURNING.
pub(super) struct Gives<'a> {
    /// The table.
    pub table: &'a catalog::HotTable,
    /// What the plan calls the table.
    pub alias: &'a str,
    /// The values of its columns.
    pub new_values: bool,
    /// The addresses of its rows.
    pub addresses: bool,
}

/// The columns of a table in the plan that calls it `alias`.
pub(super) fn scope_relation(
    table: &catalog::HotTable,
    alias: &str,
    visible: String,
    schema: Option<String>,
) -> ScopeRelation {
    let fields = table.arrow_schema();
    let column =
        |field: &FieldRef| ScopeColumn::new(field.name(), plan_column(alias, field.name()), Type::of_field(field));
    let columns = fields.fields().iter().map(column).collect();
    ScopeRelation { name: Some(visible), schema, columns, system_columns: Vec::new(), is_scalar: false }
}

/// Whether a value is the word DEFAULT.
pub fn is_default(value: &ast::Expr) -> bool {
    matches!(value, ast::Expr::Identifier(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case("default"))
}
