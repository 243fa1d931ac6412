//! Where of a condition nothing counts but whether it is true: there NULL is as good as false.

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::expr::InSubquery;
use datafusion::logical_expr::utils::{split_binary, split_conjunction};
use datafusion::logical_expr::{BinaryExpr, Case, Expr, LogicalPlanBuilder, Operator, lit};

use crate::analyze::correlation::scalar;
use crate::lazy::{balanced, may_fail};

/// Whether a part of the condition of a filter is one of those that it is made of by AND.
pub(super) fn is_conjunct(condition: &Expr, part: &Expr) -> bool {
    match condition {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
            is_conjunct(left, part) || is_conjunct(right, part)
        }
        other => other == part,
    }
}

/// Whether of a part of the condition of a filter nothing counts but whether it is true, wherever it stands in it.
pub(super) fn only_truth_counts(condition: &Expr, part: &Expr) -> bool {
    counts(condition, part, true)
}

/// As [`only_truth_counts`], in a place where it is so, or not.
fn counts(expr: &Expr, part: &Expr, here: bool) -> bool {
    if expr == part {
        return here;
    }
    let counts_here = |expr: &Expr| counts(expr, part, here);
    match expr {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And | Operator::Or, right }) => {
            counts_here(left) && counts_here(right)
        }
        Expr::IsTrue(operand) => counts(operand, part, true),
        Expr::Case(Case { expr: None, when_then_expr, else_expr }) => {
            when_then_expr.iter().all(|(when, then)| counts(when, part, true) && counts_here(then))
                && else_expr.iter().all(|value| counts_here(value))
        }
        other => {
            let mut all = true;
            let walked = other.apply_children(|child| {
                all &= counts(child, part, false);
                Ok(TreeNodeRecursion::Continue)
            });
            walked.is_ok() && all
        }
    }
}

/// The conditions that a condition is made of by AND, when those that all branches of an OR have stand before it: `a AND b OR a AND c`
/// is `a` and `b OR c`, and `a` may be what tables are joined by.
pub(super) fn with_common_conditions(condition: Expr) -> Vec<Expr> {
    let is_or = matches!(condition, Expr::BinaryExpr(BinaryExpr { op: Operator::Or, .. }));
    if !is_or || may_fail(&condition) || condition.is_volatile() {
        return vec![condition];
    }
    let branches = split_binary(&condition, Operator::Or).into_iter().map(split_conjunction);
    let mut branches: Vec<Vec<&Expr>> = branches.collect();
    let mut common = branches[0].clone();
    common.retain(|part| branches.iter().all(|branch| branch.contains(part)));
    if common.is_empty() {
        return vec![condition];
    }
    branches.iter_mut().for_each(|branch| branch.retain(|part| !common.contains(part)));
    let mut conditions: Vec<Expr> = common.into_iter().cloned().collect();
    // A branch that has nothing else is true wherever these are.
    if branches.iter().all(|branch| !branch.is_empty()) {
        let branch = |parts: &Vec<&Expr>| balanced(parts.iter().map(|part| (*part).clone()).collect(), Operator::And);
        conditions.push(balanced(branches.iter().map(branch).collect(), Operator::Or));
    }
    conditions
}

/// `x IN (query)` or `x NOT IN (query)` by an IN of which nothing counts but whether it is true: the engine makes a join of
/// that, which does not tell false from NULL. The query reads nothing from outside.
///
/// # Errors
/// None of its own.
pub(super) fn three_valued(found: InSubquery) -> Result<Expr> {
    let InSubquery { expr, subquery, negated } = found;
    let rows = subquery.subquery.as_ref().clone();
    let element = Expr::Column(rows.schema().columns().swap_remove(0));
    let counted = |what: Expr| {
        let plan =
            LogicalPlanBuilder::from(rows.clone()).aggregate(Vec::<Expr>::new(), vec![count(what).alias("rows")]);
        Ok::<_, datafusion::error::DataFusionError>(scalar(plan?.build()?))
    };
    let (all, known) = (counted(lit(1i64))?, counted(element)?);
    let compared_with_null = known.lt(all.clone());
    let null_compared = expr.clone().is_null().and(all.gt(lit(0i64)));
    let is_in = Expr::InSubquery(InSubquery { expr, subquery, negated: false });
    let branches = vec![
        (Box::new(is_in), Box::new(lit(!negated))),
        (Box::new(null_compared.or(compared_with_null)), Box::new(lit(datafusion::common::ScalarValue::Boolean(None)))),
    ];
    Ok(Expr::Case(Case::new(None, branches, Some(Box::new(lit(negated))))))
}

/// The condition with `NOT x IN (…)` as `x NOT IN (…)`, and the other way round.
pub(super) fn without_not_in(condition: Expr) -> Result<Expr> {
    let rewritten = condition.transform_up(|node| {
        Ok(match node {
            Expr::Not(operand) => match *operand {
                Expr::InSubquery(found) => {
                    Transformed::yes(Expr::InSubquery(InSubquery { negated: !found.negated, ..found }))
                }
                operand => Transformed::no(Expr::Not(Box::new(operand))),
            },
            other => Transformed::no(other),
        })
    });
    Ok(rewritten?.data)
}

/// Whether an expression reads columns of the rows that it stands over.
pub(super) fn reads_columns(expr: &Expr) -> bool {
    expr.exists(|node| Ok(matches!(node, Expr::Column(_)))).unwrap_or(false)
}
