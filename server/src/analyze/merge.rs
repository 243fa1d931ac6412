//! MERGE: the rows of the source, each beside the rows of the target that it matches, and what becomes of them.
//!
//! The plan gives, for each pair that something happens to: the new values of the table's columns, if any clause gives
//! some; which clause applies, or with REMOVE DUPLICATES the number of the source's row; the address of the target's row,
//! NULL where there is none.

use std::collections::HashMap;

use catalog::{Column, ColumnDefault, HotTable};
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::{Case, Expr, LogicalPlan, LogicalPlanBuilder, Operator, lit};
use pg::Type;
use pg::error::PgError;
use pg::sqlstate::SqlState;
use pg::types::{INT4, INT8};
use pg::user_types::type_of_column;
use sqlparser::ast::{self, JoinConstraint, JoinOperator};
use storage::hot::scan::UNIT_COLUMN;

use crate::analyze::coerce::null_of;
use crate::analyze::correlation::Under;
use crate::analyze::from::Part;
use crate::analyze::insert::takes_value;
use crate::analyze::modify::{Gives, Target, TargetRows, is_default};
use crate::analyze::names::plan_column;
use crate::analyze::scope::{Namespace, Place, ScopeRelation};
use crate::analyze::typed::Typed;
use crate::analyze::{Analyzed, Analyzer, folded};
use crate::error::Result;
use crate::lazy::{connected, in_order};
use crate::parse::merge::{Merge, MergeAction, MergeClause, MergeInsert};
use crate::parse::statement::Modify;

/// The value of a column that a clause gives it, by the clause's number.
type ClauseValue = (i32, Expr);

/// What the clauses of a MERGE see.
struct Sides {
    /// The target.
    target: ScopeRelation,
    /// What the plan calls it.
    alias: String,
    /// The source.
    source: Namespace,
}

impl Analyzer<'_> {
    /// The plan of a MERGE.
    pub(super) fn merge_at_level(&mut self, modify: &Modify, merge: &Merge, target: &Target) -> Result<Analyzed> {
        let rows = self.target_rows(modify, target)?;
        self.level()?.hidden = Some(rows.relation.clone());
        let plan = self.from(&modify.from)?;
        self.level()?.hidden = None;
        let source = Part { plan, namespace: std::mem::take(&mut self.level()?.namespace) };
        if source.namespace.relations.iter().any(|relation| relation.name == rows.relation.name) {
            let name = rows.relation.name.unwrap_or_default();
            let error = PgError::new(SqlState::DUPLICATE_ALIAS, format!("name \"{name}\" specified more than once"));
            return Err(error.with_detail("The name is used both as MERGE target table and data source.").into());
        }
        let condition = modify.selection.clone().ok_or_else(|| PgError::internal("MERGE without a condition"))?;
        match merge {
            Merge::Clauses(clauses) => self.merge_by_clauses(source, rows, condition, clauses, target),
            Merge::RemoveDuplicates => self.merge_whole_rows(source, rows, condition, target),
        }
    }

    fn merge_by_clauses(
        &mut self,
        source: Part,
        rows: TargetRows,
        condition: ast::Expr,
        clauses: &[MergeClause],
        target: &Target,
    ) -> Result<Analyzed> {
        let sides =
            Sides { target: rows.relation.clone(), alias: rows.alias.clone(), source: source.namespace.clone() };
        // Below an inner join, conditions would be evaluated for rows of the source that match nothing.
        let on = JoinConstraint::On(condition);
        let join = match clauses.iter().all(|clause| clause.matched && clause.condition.is_none()) {
            true => JoinOperator::Inner(on),
            false => JoinOperator::Left(on),
        };
        let plan = self.beside(source, rows, &join)?;
        let mut chosen = self.chosen_clause(clauses, &sides)?;
        let plan = self.applied(plan, std::iter::once(&mut chosen), Under::Projection)?;
        let name = self.made_name("clause");
        let columns = plan.schema().columns().into_iter().map(Expr::Column);
        let columns: Vec<_> = columns.chain(std::iter::once(chosen.alias(&name))).collect();
        let chosen = Expr::Column(datafusion::common::Column::new_unqualified(name));
        let plan = LogicalPlanBuilder::from(plan).project(columns)?.filter(chosen.clone().is_not_null())?.build()?;
        let values = self.values_by_clause(clauses, &sides, target)?;
        let new_values = values.values().any(|values| !values.is_empty());
        let values = target.table.columns.iter().filter_map(|column| {
            let values = values.get(&column.name)?;
            Some((column.name.clone(), of_clause(&sides.alias, column, &chosen, values)))
        });
        let plan = self.with_values(plan, &sides.alias, values.collect())?;
        let plan = if new_values { self.with_generated(plan, &sides.alias, &target.table)? } else { plan };
        let gives = Gives { table: &target.table, alias: &sides.alias, new_values, addresses: true };
        self.given(plan, &gives, vec![("clause".to_owned(), Typed::new(chosen, Type::of(INT4)))])
    }

    /// The rows of the source with those of the target for which the condition of MERGE holds.
    fn beside(&mut self, source: Part, rows: TargetRows, join: &JoinOperator) -> Result<LogicalPlan> {
        let target = Part { plan: rows.plan, namespace: Namespace::of(rows.relation) };
        Ok(self.join_parts_by(source, target, join)?.plan)
    }

    /// The number of the first clause that applies to a row, NULL when nothing happens to it.
    fn chosen_clause(&mut self, clauses: &[MergeClause], sides: &Sides) -> Result<Expr> {
        let unit = Expr::Column(plan_column(&sides.alias, UNIT_COLUMN));
        let mut branches = Vec::with_capacity(clauses.len());
        for (number, clause) in (1_i32..).zip(clauses) {
            self.look_from(clause, sides)?;
            self.level()?.place = Some(Place::Plain("MERGE WHEN conditions"));
            let mut when = vec![if clause.matched { unit.clone().is_not_null() } else { unit.clone().is_null() }];
            if let Some(condition) = &clause.condition {
                when.push(self.condition(condition, "WHEN")?.expr);
            }
            let number = match clause.action {
                MergeAction::Nothing => Expr::Literal(null_of(&Type::of(INT4).arrow)?, None),
                _ => lit(number),
            };
            branches.push((Box::new(connected(when, Operator::And)), Box::new(number)));
        }
        Ok(Expr::Case(Case::new(None, branches, None)))
    }

    /// Makes visible what a clause may read: of rows that match nothing, the source alone.
    fn look_from(&mut self, clause: &MergeClause, sides: &Sides) -> Result<()> {
        let level = self.level()?;
        level.namespace = match clause.matched {
            true => Namespace::of(sides.target.clone()).with(sides.source.clone()),
            false => sides.source.clone(),
        };
        level.hidden = (!clause.matched).then(|| sides.target.clone());
        Ok(())
    }

    /// The values that the clauses give the columns, by the columns' names.
    fn values_by_clause(
        &mut self,
        clauses: &[MergeClause],
        sides: &Sides,
        target: &Target,
    ) -> Result<HashMap<String, Vec<ClauseValue>>> {
        let mut values: HashMap<String, Vec<ClauseValue>> = HashMap::new();
        for (number, clause) in (1..).zip(clauses) {
            self.look_from(clause, sides)?;
            let given = match &clause.action {
                MergeAction::Nothing | MergeAction::Delete => continue,
                MergeAction::Update(assignments) => self.assigned_values_of(target, assignments)?,
                MergeAction::Insert(insert) => self.merge_insert(insert, &target.table)?,
            };
            for (name, value) in given {
                values.entry(name).or_default().push((number, value));
            }
        }
        self.level()?.hidden = None;
        Ok(values)
    }

    /// The values of all columns of a row that is inserted.
    fn merge_insert(&mut self, insert: &MergeInsert, table: &HotTable) -> Result<HashMap<String, Expr>> {
        self.level()?.place = Some(Place::Plain("VALUES"));
        let targets = self.merge_insert_columns(insert, table)?;
        let mut values = HashMap::with_capacity(table.columns.len());
        for (column, value) in targets.into_iter().zip(&insert.values) {
            if takes_value(column, insert.overriding, || is_default(value))? && !is_default(value) {
                values.insert(column.name.clone(), self.assigned_value(column, value)?);
            }
        }
        for column in &table.columns {
            if values.contains_key(&column.name) {
                continue;
            }
            let value = match &column.default {
                Some(ColumnDefault::Generated(_)) => Expr::Literal(null_of(&column.sql_type.in_flight())?, None),
                _ => self.default_of(column)?.expr,
            };
            values.insert(column.name.clone(), value);
        }
        Ok(values)
    }

    /// The columns that INSERT gives values, of which there must be as many.
    fn merge_insert_columns<'t>(&self, insert: &MergeInsert, table: &'t HotTable) -> Result<Vec<&'t Column>> {
        let mut targets: Vec<&Column> = Vec::new();
        for written in &insert.columns {
            let name = folded(written);
            let column = table.columns.iter().find(|column| column.name == name).ok_or_else(|| {
                let message = format!("column \"{name}\" of relation \"{}\" does not exist", table.name.name);
                self.at(PgError::new(SqlState::UNDEFINED_COLUMN, message), written)
            })?;
            if targets.iter().any(|known| known.name == name) {
                let message = format!("column \"{name}\" specified more than once");
                return Err(self.at(PgError::new(SqlState::DUPLICATE_COLUMN, message), written));
            }
            targets.push(column);
        }
        if insert.columns.is_empty() {
            targets.extend(&table.columns);
        }
        if let Some(extra) = insert.values.get(targets.len()) {
            let message = "INSERT has more expressions than target columns";
            return Err(self.at(PgError::new(SqlState::SYNTAX_ERROR, message), extra));
        }
        if let Some(extra) = insert.columns.get(insert.values.len()) {
            let message = "INSERT has more target columns than expressions";
            return Err(self.at(PgError::new(SqlState::SYNTAX_ERROR, message), extra));
        }
        Ok(targets)
    }

    /// REMOVE DUPLICATES: the rows of the source as they are.
    fn merge_whole_rows(
        &mut self,
        source: Part,
        rows: TargetRows,
        condition: ast::Expr,
        target: &Target,
    ) -> Result<Analyzed> {
        let (alias, columns) = (rows.alias.clone(), source.namespace.columns.clone());
        if columns.len() != target.table.columns.len() {
            let message = format!(
                "REMOVE DUPLICATES needs as many columns in the source as in the target, {} instead of {}",
                target.table.columns.len(),
                columns.len()
            );
            return Err(PgError::new(SqlState::SYNTAX_ERROR, message).into());
        }
        let number = self.made_name("row");
        let plan = LogicalPlanBuilder::from(source.plan).window(vec![row_number().alias(&number)])?.build()?;
        let plan = self.beside(Part { plan, ..source }, rows, &JoinOperator::Left(JoinConstraint::On(condition)))?;
        let mut values = HashMap::with_capacity(columns.len());
        for (column, given) in target.table.columns.iter().zip(columns) {
            takes_value(column, None, || false)?;
            values.insert(column.name.clone(), self.assigned(column, given.typed())?);
        }
        let plan = self.with_values(plan, &alias, values)?;
        let plan = self.with_generated(plan, &alias, &target.table)?;
        let number = Expr::Column(datafusion::common::Column::new_unqualified(number));
        let gives = Gives { table: &target.table, alias: &alias, new_values: true, addresses: true };
        self.given(plan, &gives, vec![("row".to_owned(), Typed::new(number, Type::of(INT8)))])
    }
}

/// The value of a column after the clause that was chosen; where that gives it none, the one it has.
fn of_clause(alias: &str, column: &Column, chosen: &Expr, values: &[ClauseValue]) -> Expr {
    let branches = values.iter().map(|(number, value)| {
        let is_chosen = chosen.clone().eq(lit(*number));
        (Box::new(is_chosen), Box::new(value.clone()))
    });
    let present = Expr::Column(plan_column(alias, &column.name));
    let case = Case::new(None, branches.collect(), Some(Box::new(present)));
    Expr::Case(in_order(case, &type_of_column(&column.sql_type)))
}
