//! WITH: common table expressions, recursive ones too.

mod recursion;

use std::sync::Arc;

use datafusion::catalog::default_table_source::{provider_as_source, source_as_provider};
use datafusion::common::metadata::FieldMetadata;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Column, TableReference};
use datafusion::datasource::cte_worktable::CteWorkTable;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use pg::error::PgError;
use pg::function::CastContext;
use pg::sqlstate::SqlState;
use pg::types::{INTERVAL, JSONB, TIMETZ};
use sqlparser::ast::{self, SetExpr, SetOperator, SetQuantifier};

use crate::analyze::{Analyzed, Analyzer, OutputColumn, folded};
use crate::apply::Apply;
use crate::error::{Error, Result};
use crate::spool::Spool;

/// A common table that queries can name.
#[derive(Debug, Clone)]
pub(super) struct CommonTable {
    name: String,
    analyzed: Analyzed,
    /// Whether it is what a recursive table sees of itself.
    is_work_table: bool,
}

impl Analyzer<'_> {
    /// Makes the common tables of a WITH visible.
    pub(super) fn with(&mut self, with: &ast::With) -> Result<()> {
        let mut names = std::collections::HashSet::new();
        for table in &with.cte_tables {
            let name = folded(&table.alias.name);
            if !names.insert(name.clone()) {
                let message = format!("WITH query name \"{name}\" specified more than once");
                return Err(self.at(PgError::new(SqlState::DUPLICATE_ALIAS, message), &table.alias.name));
            }
        }
        let tables = match with.recursive {
            false => with.cte_tables.iter().collect(),
            true => recursion::in_order(&with.cte_tables)
                .ok_or_else(|| PgError::not_supported("mutual recursion between WITH items"))?,
        };
        for table in tables {
            let name = folded(&table.alias.name);
            let analyzed = match recursive_parts(with, table, &name) {
                Some((anchor, quantifier, step)) => self.recursive(&name, table, anchor, quantifier, step)?,
                None if with.recursive && names_itself(&table.query, &name) => {
                    let message = format!(
                        "recursive query \"{name}\" does not have the form non-recursive-term UNION [ALL] recursive-term"
                    );
                    return Err(self.at(PgError::new(SqlState::INVALID_RECURSION, message), &table.alias.name));
                }
                None => {
                    let analyzed = self.query(&table.query)?;
                    self.settled(analyzed)?
                }
            };
            let mut analyzed = self.with_names(analyzed, table)?;
            if computed_once(&analyzed.plan, table)? {
                analyzed.plan = Spool::plan(self.made_name(&name), analyzed.plan);
            }
            self.common_tables.push(CommonTable { name, analyzed, is_work_table: false });
        }
        Ok(())
    }

    /// Reads something in which the common tables of a WITH are visible.
    pub(super) fn behind_with<T>(
        &mut self,
        with: Option<&ast::With>,
        read: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        let visible = self.common_tables.len();
        if let Some(with) = with {
            self.with(with)?;
        }
        let result = read(self);
        self.common_tables.truncate(visible);
        result
    }

    /// Reads something in which a query is visible under a name that nobody else has.
    pub(super) fn with_made_table<T>(
        &mut self,
        what: &str,
        analyzed: Analyzed,
        read: impl FnOnce(&mut Self, &str) -> Result<T>,
    ) -> Result<T> {
        let name = self.made_name(what);
        let visible = self.common_tables.len();
        self.common_tables.push(CommonTable { name: name.clone(), analyzed, is_work_table: false });
        let result = read(self, &name);
        self.common_tables.truncate(visible);
        result
    }

    /// The common table of this name, and whether it is a recursive one that is seen from within.
    pub(super) fn common_table(&self, name: &str) -> Option<(Analyzed, bool)> {
        let found = self.common_tables.iter().rev().find(|table| table.name == name);
        found.map(|table| (table.analyzed.clone(), table.is_work_table))
    }

    fn with_names(&self, mut analyzed: Analyzed, table: &ast::Cte) -> Result<Analyzed> {
        let given = &table.alias.columns;
        if given.len() > analyzed.columns.len() {
            let message = format!(
                "WITH query \"{}\" has {} columns available but {} columns specified",
                folded(&table.alias.name),
                analyzed.columns.len(),
                given.len()
            );
            return Err(self.at(PgError::new(SqlState::INVALID_COLUMN_REFERENCE, message), &table.alias.name));
        }
        for (column, name) in analyzed.columns.iter_mut().zip(given) {
            column.name = folded(&name.name);
        }
        Ok(analyzed)
    }

    /// A table that is made of itself: what it begins with, and what each round adds.
    fn recursive(
        &mut self,
        name: &str,
        table: &ast::Cte,
        anchor: &SetExpr,
        quantifier: SetQuantifier,
        step: &SetExpr,
    ) -> Result<Analyzed> {
        let around = &table.query;
        if around.order_by.is_some() || around.limit_clause.is_some() || around.fetch.is_some() {
            return Err(Error::not_supported("ORDER BY or LIMIT in a recursive query"));
        }
        if let Some((error, place)) = recursion::fault(name, anchor, step) {
            return Err(self.at(error, &place));
        }
        let visible = self.common_tables.len();
        if let Some(with) = &around.with {
            self.with(with)?;
        }
        let anchor = self.operand(anchor)?;
        let anchor = self.settled(anchor)?;
        let (work, rows) = self.work_table(name, &anchor)?;
        let own = self.with_names(rows, table)?;
        self.common_tables.push(CommonTable { name: name.to_owned(), analyzed: own, is_work_table: true });
        let step = self.operand(step);
        self.common_tables.truncate(visible);
        let step = self.settled(step?)?;
        let types: Vec<_> = anchor.columns.iter().map(|column| column.ty.clone()).collect();
        self.check_step(name, table, &types, &step)?;
        let step = self.as_types(step, &types, CastContext::Implicit)?;
        let step_plan = as_term(step.plan, &step.columns, &anchor.columns)?;
        let distinct = quantifier != SetQuantifier::All;
        // The engine tells rows apart by what they are carried as.
        let looks_different = |ty: &pg::Type| matches!(ty.oid, INTERVAL | TIMETZ | JSONB);
        if let Some(ty) = types.iter().find(|ty| distinct && looks_different(ty)) {
            let what = format!("a column of type {} in a recursive UNION without ALL", ty.name());
            return Err(self.at(PgError::not_supported(what), &table.alias.name));
        }
        let anchor_plan = as_term(anchor.plan, &anchor.columns, &anchor.columns)?;
        let plan = LogicalPlanBuilder::from(anchor_plan).to_recursive_query(work, step_plan, distinct)?.build()?;
        let columns = anchor
            .columns
            .into_iter()
            .zip(plan.schema().columns())
            .map(|(column, of_plan)| OutputColumn { column: of_plan, ..column })
            .collect();
        Ok(Analyzed { plan, columns })
    }

    /// The rows of one round of a table that is made of itself, under a name that nothing else has.
    fn work_table(&mut self, name: &str, anchor: &Analyzed) -> Result<(String, Analyzed)> {
        let work = self.unique_alias(name);
        let fields: Vec<_> = anchor.columns.iter().map(|column| column.ty.field(&column.column.name)).collect();
        let schema = Arc::new(arrow::datatypes::Schema::new(fields));
        let source = provider_as_source(Arc::new(CteWorkTable::new(&work, schema)));
        let scan = LogicalPlanBuilder::scan(TableReference::bare(work.as_str()), source, None)?.build()?;
        let columns = anchor
            .columns
            .iter()
            .map(|column| OutputColumn {
                origin: None,
                column: Column::new(Some(TableReference::bare(work.as_str())), &column.column.name),
                ..column.clone()
            })
            .collect();
        Ok((work, Analyzed { plan: scan, columns }))
    }

    /// That each round has the columns of what the table begins with.
    fn check_step(&self, name: &str, table: &ast::Cte, types: &[pg::Type], step: &Analyzed) -> Result<()> {
        if step.columns.len() != types.len() {
            let message = "each UNION query must have the same number of columns";
            return Err(self.at(PgError::new(SqlState::SYNTAX_ERROR, message), &table.alias.name));
        }
        for (position, (column, ty)) in step.columns.iter().zip(types).enumerate() {
            if column.ty.oid != ty.oid {
                let message = format!(
                    "recursive query \"{name}\" column {} has type {} in non-recursive term but type {} overall",
                    position + 1,
                    ty.name(),
                    column.ty.name()
                );
                let error = PgError::new(SqlState::DATATYPE_MISMATCH, message)
                    .with_hint("Cast the output of the non-recursive term to the correct type.");
                return Err(self.at(error, &table.alias.name));
            }
        }
        Ok(())
    }
}

/// Whether a common table is computed once: if it is volatile it must have the same rows wherever it is read, even if its author
/// wrote NOT MATERIALIZED. What is made of the rows of one round of a recursive query is made in each.
fn computed_once(plan: &LogicalPlan, table: &ast::Cte) -> Result<bool> {
    let wanted = matches!(table.materialized, Some(ast::CteAsMaterialized::Materialized)) || is_volatile(plan)?;
    Ok(wanted && !reads_work_table(plan)?)
}

/// Whether a query may answer something else when it is asked again.
pub(crate) fn is_volatile(plan: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            found |= expr.is_volatile();
            Ok(TreeNodeRecursion::Continue)
        })?;
        if let LogicalPlan::Extension(extension) = node
            && let Some(apply) = extension.node.as_any().downcast_ref::<Apply>()
        {
            found |= is_volatile(apply.subquery()).map_err(|error| DataFusionError::External(Box::new(error)))?;
        }
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}

fn reads_work_table(plan: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            let provider = source_as_provider(&scan.source)?;
            found |= provider.downcast_ref::<CteWorkTable>().is_some();
        }
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}

/// A term of a recursive table: the engine wants both to have columns alike in everything.
fn as_term(plan: LogicalPlan, columns: &[OutputColumn], wanted: &[OutputColumn]) -> Result<LogicalPlan> {
    let named = columns.iter().zip(wanted).map(|(column, wanted)| {
        let field = wanted.ty.field(&wanted.column.name);
        let metadata = Some(FieldMetadata::new_from_field(&field));
        Expr::Column(column.column.clone()).alias_with_metadata(&wanted.column.name, metadata)
    });
    Ok(LogicalPlanBuilder::from(plan).project(named.collect::<Vec<_>>())?.build()?)
}

/// The two terms of a recursive table; `None` when the table does not name itself.
fn recursive_parts<'a>(
    with: &ast::With,
    table: &'a ast::Cte,
    name: &str,
) -> Option<(&'a SetExpr, SetQuantifier, &'a SetExpr)> {
    if !with.recursive || !names_itself(&table.query, name) {
        return None;
    }
    match table.query.body.as_ref() {
        SetExpr::SetOperation { op: SetOperator::Union, set_quantifier, left, right } => {
            Some((left, *set_quantifier, right))
        }
        _ => None,
    }
}

fn names_itself(query: &ast::Query, name: &str) -> bool {
    use std::ops::ControlFlow;
    let flow = ast::visit_relations(query, |relation| match relation.0.as_slice() {
        [part] if part.as_ident().is_some_and(|part| folded(part) == name) => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    flow.is_break()
}
