//! Joins whose condition has subqueries in it.
//!
//! A subquery that reads one side of the join at most is evaluated over that side before. One that reads both sides is
//! evaluated for pairs of rows: of an inner join the condition is a filter over all pairs, of an outer one the right side is
//! read once for each row of the left.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, JoinType};
use datafusion::logical_expr::expr::Exists;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, Subquery};

use crate::analyze::Analyzer;
use crate::analyze::correlation::{Under, as_value, is_subquery};
use crate::analyze::grouping::collect;
use crate::analyze::names::as_outer;
use crate::apply::{Apply, ApplyKind, outer_columns};
use crate::error::Result;
use crate::lazy::conjuncts;

impl Analyzer<'_> {
    /// A join on a condition.
    pub(super) fn joined_on(
        &mut self,
        left: LogicalPlan,
        right: LogicalPlan,
        kind: JoinType,
        condition: Expr,
    ) -> Result<LogicalPlan> {
        if !condition.exists(|node| Ok(is_subquery(node)))? {
            return Ok(LogicalPlanBuilder::from(left).join_on(right, kind, vec![conjuncts(condition)])?.build()?);
        }
        if kind == JoinType::Inner {
            let pairs = LogicalPlanBuilder::from(left).cross_join(right)?.build()?;
            return self.filtered(pairs, condition);
        }
        let (left, right, condition) = self.applied_to_sides(left, right, condition)?;
        if !condition.exists(|node| Ok(is_subquery(node)))? {
            return Ok(LogicalPlanBuilder::from(left).join_on(right, kind, vec![conjuncts(condition)])?.build()?);
        }
        match kind {
            JoinType::Right => self.joined_by_rows(right, left, condition, true),
            JoinType::Full => self.full_join_by_rows(left, right, condition),
            _ => self.joined_by_rows(left, right, condition, true),
        }
    }

    /// The sides with columns for the subqueries of a condition that read no more than one of them.
    fn applied_to_sides(
        &mut self,
        mut left: LogicalPlan,
        mut right: LogicalPlan,
        condition: Expr,
    ) -> Result<(LogicalPlan, LogicalPlan, Expr)> {
        let mut subqueries = Vec::new();
        collect(&condition, &mut subqueries, is_subquery)?;
        let pairs = LogicalPlanBuilder::from(left.clone()).cross_join(right.clone())?.build()?;
        let mut replaced = Vec::with_capacity(subqueries.len());
        for subquery in subqueries {
            let name = self.made_name("subquery");
            let (query, kind) = as_value(&subquery, &pairs, &name)?;
            let outer = outer_columns(&query)?;
            let reads = |side: &LogicalPlan| outer.iter().any(|column| side.schema().has_column(column));
            let (reads_left, reads_right) = (reads(&left), reads(&right));
            if reads_left && reads_right {
                continue;
            }
            let side = if reads_left { &mut left } else { &mut right };
            *side = Apply::plan(side.clone(), query, kind, None)?;
            replaced.push((subquery, Expr::Column(Column::new_unqualified(name))));
        }
        let condition = condition.transform_down(|node| {
            Ok(match replaced.iter().find(|(from, _)| *from == node) {
                Some((_, to)) => Transformed::new(to.clone(), true, TreeNodeRecursion::Jump),
                None => Transformed::no(node),
            })
        })?;
        Ok((left, right, condition.data))
    }

    /// For each row of the left side, the rows of the right side for which a condition holds. The right side may read the
    /// left. A row without partner is kept when `outer`.
    pub(super) fn joined_by_rows(
        &mut self,
        left: LogicalPlan,
        right: LogicalPlan,
        condition: Expr,
        outer: bool,
    ) -> Result<LogicalPlan> {
        let partners = self.partners(&left, right, condition)?;
        Ok(Apply::plan(left, partners, ApplyKind::Lateral { outer }, None)?)
    }

    /// The rows of one side for which a condition holds that reads the other side too.
    fn partners(&mut self, other: &LogicalPlan, side: LogicalPlan, condition: Expr) -> Result<LogicalPlan> {
        let mut condition = as_outer(condition, other)?;
        let columns = side.schema().columns();
        let side = self.applied(side, std::iter::once(&mut condition), Under::Other)?;
        let filtered = LogicalPlanBuilder::from(side).filter(condition)?;
        Ok(filtered.project(columns.into_iter().map(Expr::Column).collect::<Vec<_>>())?.build()?)
    }

    /// A full join: the left rows with their partners, and the right rows that have none.
    fn full_join_by_rows(&mut self, left: LogicalPlan, right: LogicalPlan, condition: Expr) -> Result<LogicalPlan> {
        let partners = self.partners(&right, left.clone(), condition.clone())?;
        let subquery = Subquery {
            outer_ref_columns: partners.all_out_ref_exprs(),
            subquery: Arc::new(partners),
            spans: Default::default(),
        };
        let mut alone = Expr::Exists(Exists { subquery, negated: true });
        let rest = self.applied(right.clone(), std::iter::once(&mut alone), Under::Other)?;
        let rest = LogicalPlanBuilder::from(rest).filter(alone)?;
        let joined = self.joined_by_rows(left.clone(), right.clone(), condition, true)?;
        // A union takes the names of its first input, without relations.
        let names: Vec<_> = joined.schema().columns().iter().map(|_| self.made_name("column")).collect();
        let wanted = joined.schema().columns();
        let mut padded = Vec::with_capacity(names.len());
        for field in left.schema().fields() {
            padded.push(Expr::Literal(crate::analyze::coerce::null_of(field.data_type())?, None));
        }
        padded.extend(right.schema().columns().into_iter().map(Expr::Column));
        let renamed = |exprs: Vec<Expr>| -> Vec<_> {
            exprs.into_iter().zip(&names).map(|(expr, name)| expr.alias(name)).collect()
        };
        let all_columns = wanted.iter().cloned().map(Expr::Column).collect();
        let joined = LogicalPlanBuilder::from(joined).project(renamed(all_columns))?;
        let all = joined.union(rest.project(renamed(padded))?.build()?)?.build()?;
        let named = all
            .schema()
            .columns()
            .into_iter()
            .zip(wanted)
            .map(|(column, wanted)| Expr::Column(column).alias_qualified(wanted.relation.clone(), &wanted.name));
        let named = named.collect::<Vec<_>>();
        Ok(LogicalPlanBuilder::from(all).project(named)?.build()?)
    }
}
