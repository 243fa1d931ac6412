//! Subqueries that read the rows they stand over: left to the engine where it makes a join of them, applied row by row
//! where it does not.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchemaRef, ScalarValue};
use datafusion::error::DataFusionError;
use datafusion::functions_aggregate::expr_fn::bool_or;
use datafusion::logical_expr::expr::{Exists, InSubquery};
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::utils::split_conjunction_owned;
use datafusion::logical_expr::{Case, Expr, LogicalPlan, LogicalPlanBuilder, Operator, Subquery, lit, not};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use pg::error::PgError;
use pg::sqlstate::SqlState;

use crate::analyze::Analyzer;
use crate::analyze::grouping::collect;
use crate::analyze::names::as_outer;
use crate::analyze::needed::{Needed, needed};
use crate::analyze::subquery::without_null;
use crate::analyze::truth::{
    is_conjunct, only_truth_counts, reads_columns, three_valued, with_common_conditions, without_not_in,
};
use crate::analyze::with::is_volatile;
use crate::apply::{Apply, ApplyKind, decorrelates_filter, decorrelates_scalar, outer_columns, without_empty};
use crate::error::Result;
use crate::lazy::{balanced, conjuncts, may_fail};

/// Where an expression stands, as far as the engine's rules care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Under {
    /// In a filter over the rows.
    Filter,
    /// In a projection of the rows.
    Projection,
    /// Elsewhere: in an aggregate, a window function, a join.
    Other,
}

impl Analyzer<'_> {
    /// The plan with columns for the subqueries of these expressions that the engine cannot evaluate where they stand; in
    /// the expressions the columns take their places.
    pub(super) fn applied<'e>(
        &mut self,
        mut plan: LogicalPlan,
        exprs: impl Iterator<Item = &'e mut Expr>,
        under: Under,
    ) -> Result<LogicalPlan> {
        let mut exprs: Vec<_> = exprs.collect();
        for expr in &mut exprs {
            **expr = without_empty(std::mem::take(*expr))?;
        }
        if under == Under::Filter {
            for expr in &mut exprs {
                let folded = with_folded_operands(std::mem::take(*expr), plan.schema())?;
                **expr = with_joined_in(folded)?;
            }
        }
        let mut subqueries = Vec::new();
        for expr in &exprs {
            collect(expr, &mut subqueries, is_subquery)?;
        }
        // Aggregates and window functions of subqueries are called alike.
        let alike = under == Under::Other && subqueries.len() > 1;
        let mut placed = Vec::with_capacity(subqueries.len());
        for subquery in subqueries {
            let needed = exprs.iter().fold(Needed::Never, |found, expr| found.or(needed(expr, &subquery)));
            let sound = exprs.iter().all(|expr| joins_soundly(expr, &subquery));
            let is_applied = alike || !(sound && is_left(&subquery, &plan, under, &needed)?);
            placed.push(Placed { subquery, needed, is_applied });
        }
        // The conditions of a filter have no order that anybody may count on; joins are made of them.
        if under != Under::Filter {
            apply_what_guards(&mut placed)?;
        }
        let mut replaced: Vec<(Expr, Expr)> = Vec::new();
        for Placed { subquery, needed, .. } in placed.into_iter().filter(|placed| placed.is_applied) {
            let name = self.made_name("subquery");
            let (query, kind) = as_value(&subquery, &plan, &name)?;
            let guard = guard_of(needed, &replaced)?;
            plan = Apply::plan(plan, query, kind, guard)?;
            replaced.push((subquery, Expr::Column(Column::new_unqualified(name))));
        }
        if replaced.is_empty() {
            return Ok(plan);
        }
        for expr in &mut exprs {
            **expr = with_columns(std::mem::take(*expr), &replaced)?;
        }
        Ok(plan)
    }

    /// The rows for which a condition holds. What of it needs no subquery is asked first.
    pub(super) fn filtered(&mut self, mut plan: LogicalPlan, condition: Expr) -> Result<LogicalPlan> {
        let condition = conjuncts(condition);
        let conditions = split_conjunction_owned(condition).into_iter().flat_map(with_common_conditions);
        let mut plain = Vec::new();
        let mut of_all_rows = Vec::new();
        let mut with_subquery = Vec::new();
        for condition in conditions {
            match condition.exists(|node| Ok(is_subquery(node)))? {
                true if is_of_all_rows(&condition)? => of_all_rows.push(condition),
                true => with_subquery.push(condition),
                false => plain.push(condition),
            }
        }
        if !of_all_rows.is_empty() {
            plan = self.filtered_once(plan, balanced(of_all_rows, Operator::And))?;
        }
        if !plain.is_empty() {
            plan = LogicalPlanBuilder::from(plan).filter(balanced(plain, Operator::And))?.build()?;
        }
        if !with_subquery.is_empty() {
            let mut condition = balanced(with_subquery, Operator::And);
            plan = self.applied(plan, std::iter::once(&mut condition), Under::Filter)?;
            plan = LogicalPlanBuilder::from(plan).filter(condition)?.build()?;
        }
        Ok(plan)
    }

    /// All rows or none: a condition that says the same of all is asked of one row, to which they are joined. The engine would
    /// take a filter that reads no columns below an aggregate, which has a row also where it has none.
    fn filtered_once(&mut self, plan: LogicalPlan, mut condition: Expr) -> Result<LogicalPlan> {
        let one_row = LogicalPlanBuilder::empty(true).build()?;
        let one_row = self.applied(one_row, std::iter::once(&mut condition), Under::Filter)?;
        let one_row = LogicalPlanBuilder::from(one_row).filter(condition)?.build()?;
        Ok(LogicalPlanBuilder::from(plan).cross_join(one_row)?.build()?)
    }

    /// A subquery in the select list of a grouped query may read only what is grouped by.
    pub(super) fn check_grouped<'e>(
        &self,
        exprs: impl Iterator<Item = &'e Expr>,
        before: &LogicalPlan,
        after: &LogicalPlan,
    ) -> Result<()> {
        let mut subqueries = Vec::new();
        for expr in exprs {
            collect(expr, &mut subqueries, is_subquery)?;
        }
        for subquery in subqueries {
            let ungrouped = |column: &Column| before.schema().has_column(column) && !after.schema().has_column(column);
            if let Some(column) = outer_columns(plan_of(&subquery)?)?.into_iter().find(ungrouped) {
                let name = self.visible_name(&column).unwrap_or_else(|| column.flat_name());
                let message = format!("subquery uses ungrouped column \"{name}\" from outer query");
                return Err(PgError::new(SqlState::GROUPING_ERROR, message).into());
            }
        }
        Ok(())
    }
}

/// A subquery, when its value is needed, and whether it is applied row by row or left to the engine.
struct Placed {
    subquery: Expr,
    needed: Needed,
    is_applied: bool,
}

/// What says for which rows a subquery is applied must be there before, as a column.
fn apply_what_guards(placed: &mut [Placed]) -> Result<()> {
    let mut is_settled = false;
    while !is_settled {
        is_settled = true;
        let applied = placed.iter().filter(|placed| placed.is_applied);
        let guards: Vec<Expr> = applied.filter_map(|placed| placed.needed.condition().cloned()).collect();
        for other in placed.iter_mut().filter(|placed| !placed.is_applied) {
            for guard in &guards {
                if guard.exists(|node| Ok(*node == other.subquery))? {
                    other.is_applied = true;
                    is_settled = false;
                }
            }
        }
    }
    Ok(())
}

/// The condition with constants for the operands of IN that are the same for all rows although they name columns, as
/// `coalesce(4, a)` is: once the engine finds it out, it has made the wrong join.
fn with_folded_operands(condition: Expr, schema: &DFSchemaRef) -> Result<Expr> {
    let simplifier = ExprSimplifier::new(SimplifyContext::builder().with_schema(schema.clone()).build());
    let folded = condition.transform_up(|node| {
        let Expr::InSubquery(found) = &node else { return Ok(Transformed::no(node)) };
        // What cannot be computed yet fails, if it does, where it is evaluated.
        match simplifier.simplify(found.expr.as_ref().clone()) {
            Ok(value) if reads_columns(&found.expr) && !reads_columns(&value) => {
                Ok(Transformed::yes(Expr::InSubquery(InSubquery { expr: Box::new(value), ..found.clone() })))
            }
            _ => Ok(Transformed::no(node)),
        }
    })?;
    Ok(folded.data)
}

/// The condition of a filter with the forms of IN that the engine can make joins of.
fn with_joined_in(condition: Expr) -> Result<Expr> {
    let condition = without_not_in(condition)?;
    let mut subqueries = Vec::new();
    collect(&condition, &mut subqueries, is_subquery)?;
    let mut replaced = Vec::new();
    for subquery in subqueries {
        let Expr::InSubquery(found) = &subquery else { continue };
        let plan = &found.subquery.subquery;
        if !joins_soundly(&condition, &subquery)
            && reads_columns(&found.expr)
            && !may_fail(&found.expr)
            && !is_volatile(plan)?
            && !found.expr.is_volatile()
            && !found.expr.exists(|node| Ok(is_subquery(node)))?
            && outer_columns(plan)?.is_empty()
        {
            replaced.push((subquery.clone(), three_valued(found.clone())?));
        }
    }
    with_columns(condition, &replaced)
}

/// Whether a join tells of the subquery what counts in this condition. One for IN does not tell false from NULL, and one for
/// NOT IN does where rows go that it is not true of. Neither is right for an operand that is the same for all rows.
fn joins_soundly(condition: &Expr, subquery: &Expr) -> bool {
    match subquery {
        Expr::InSubquery(found) if !reads_columns(&found.expr) => false,
        Expr::InSubquery(found) if found.negated => is_conjunct(condition, subquery),
        Expr::InSubquery(_) => only_truth_counts(condition, subquery),
        _ => true,
    }
}

/// The value of a query.
pub(super) fn scalar(plan: LogicalPlan) -> Expr {
    let outer_ref_columns = plan.all_out_ref_exprs();
    Expr::ScalarSubquery(Subquery { subquery: Arc::new(plan), outer_ref_columns, spans: Default::default() })
}

/// The expression with others in place of subqueries.
fn with_columns(expr: Expr, replaced: &[(Expr, Expr)]) -> Result<Expr> {
    let rewritten = expr.transform_down(|node| {
        Ok(match replaced.iter().find(|(from, _)| *from == node) {
            Some((_, to)) => Transformed::new(to.clone(), true, TreeNodeRecursion::Jump),
            None => Transformed::no(node),
        })
    })?;
    Ok(rewritten.data)
}

/// For which rows the value of a subquery is needed, if not for all and if that can be asked before it is there.
fn guard_of(needed: Needed, replaced: &[(Expr, Expr)]) -> Result<Option<Expr>> {
    let Needed::Where(guard) = needed else { return Ok(None) };
    let guard = with_columns(guard, replaced)?;
    let is_askable = !guard.is_volatile()
        && !guard.exists(|node| {
            let is_of_rows = !matches!(
                node,
                Expr::AggregateFunction(_)
                    | Expr::WindowFunction(_)
                    | Expr::OuterReferenceColumn(..)
                    | Expr::LambdaVariable(_)
                    | Expr::Placeholder(_)
            );
            Ok(is_subquery(node) || !is_of_rows)
        })?;
    Ok(is_askable.then_some(guard))
}

/// Whether a condition says the same of all rows, and the engine has a filter ask it: it makes joins of EXISTS.
fn is_of_all_rows(condition: &Expr) -> Result<bool> {
    let mut asks = false;
    let mut reads = condition.is_volatile();
    condition.apply(|node| {
        match node {
            Expr::ScalarSubquery(_) => asks = true,
            Expr::Column(_) | Expr::OuterReferenceColumn(..) => reads = true,
            _ => {}
        }
        if is_subquery(node) {
            let plan = plan_of(node).map_err(|error| DataFusionError::External(Box::new(error)))?;
            reads |= !outer_columns(plan)?.is_empty();
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(asks && !reads)
}

/// Whether a node is a subquery.
pub(super) fn is_subquery(expr: &Expr) -> bool {
    matches!(expr, Expr::ScalarSubquery(_) | Expr::Exists(_) | Expr::InSubquery(_))
}

fn plan_of(expr: &Expr) -> Result<&LogicalPlan> {
    match expr {
        Expr::ScalarSubquery(subquery)
        | Expr::Exists(Exists { subquery, .. })
        | Expr::InSubquery(InSubquery { subquery, .. }) => Ok(&subquery.subquery),
        _ => Err(PgError::internal("there is no subquery").into()),
    }
}

/// Whether the engine evaluates the subquery where it stands.
fn is_left(expr: &Expr, outer: &LogicalPlan, under: Under, needed: &Needed) -> Result<bool> {
    let subquery = plan_of(expr)?;
    let correlated = !outer_columns(subquery)?.is_empty();
    Ok(match (expr, under) {
        (Expr::ScalarSubquery(_), _) if !correlated => true,
        (Expr::ScalarSubquery(_), Under::Filter | Under::Projection) => decorrelates_scalar(subquery, outer)?,
        (Expr::Exists(_), Under::Filter) => decorrelates_filter(subquery, outer)?,
        (Expr::InSubquery(found), Under::Filter) => {
            let operand_nested = found.expr.exists(|node| Ok(is_subquery(node)))?;
            // A NULL counts against NOT IN only in the rows that the subquery has for this outer row.
            let counts_nulls = found.negated && correlated;
            // The engine joins by the operand, and so evaluates it for all rows.
            let fails_needlessly = *needed != Needed::Always && may_fail(&found.expr);
            !(operand_nested || counts_nulls || fails_needlessly) && decorrelates_filter(subquery, outer)?
        }
        _ => false,
    })
}

/// The subquery as one that answers one value, in a column of this name, and how.
pub(super) fn as_value(expr: &Expr, outer: &LogicalPlan, name: &str) -> Result<(LogicalPlan, ApplyKind)> {
    let field = |data_type: DataType| Arc::new(Field::new(name, data_type, true));
    Ok(match expr {
        Expr::ScalarSubquery(subquery) => {
            // Where there is no row, an Apply has NULL.
            let plan = without_null(subquery.subquery.as_ref().clone());
            let kind = ApplyKind::Scalar(field(plan.schema().field(0).data_type().clone()));
            (plan, kind)
        }
        Expr::Exists(Exists { subquery, negated }) => {
            let kind = ApplyKind::Exists { field: field(DataType::Boolean), negated: *negated };
            (subquery.subquery.as_ref().clone(), kind)
        }
        Expr::InSubquery(InSubquery { expr, subquery, negated }) => {
            let plan = subquery.subquery.as_ref().clone();
            let column = plan.schema().columns().into_iter().next();
            let column = column.ok_or_else(|| PgError::internal("IN compares with a column"))?;
            let same = as_outer(expr.as_ref().clone(), outer)?.eq(Expr::Column(column));
            let gathered = LogicalPlanBuilder::from(plan).aggregate(
                Vec::<Expr>::new(),
                vec![bool_or(same.clone()).alias("found"), bool_or(same.is_null()).alias("unknown")],
            )?;
            let by_name = |name: &str| Box::new(Expr::Column(Column::new_unqualified(name)));
            let branches = vec![
                (by_name("found"), Box::new(lit(true))),
                (by_name("unknown"), Box::new(Expr::Literal(ScalarValue::Boolean(None), None))),
            ];
            let found = Expr::Case(Case::new(None, branches, Some(Box::new(lit(false)))));
            let found = if *negated { not(found) } else { found };
            let plan = gathered.project(vec![found.alias("found")])?.build()?;
            (plan, ApplyKind::Scalar(field(DataType::Boolean)))
        }
        _ => return Err(PgError::internal("there is no subquery").into()),
    })
}
