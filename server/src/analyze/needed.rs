//! When the value of a part of an expression is needed: of a subquery in `x = 0 OR y > (SELECT 10 / x)`, where `x = 0` is not
//! true. An [`Apply`](crate::apply::Apply) runs its subquery for those rows alone.

use datafusion::common::tree_node::TreeNode;
use datafusion::logical_expr::{Case, Expr, Operator};

use crate::lazy::{connected, operands};

/// When the value of a part is needed.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Needed {
    /// The part does not occur.
    Never,
    /// For the rows where this is true.
    Where(Expr),
    /// For all rows.
    Always,
}

impl Needed {
    /// For which rows, if it is neither for all nor for none.
    pub(super) fn condition(&self) -> Option<&Expr> {
        match self {
            Needed::Where(condition) => Some(condition),
            Needed::Never | Needed::Always => None,
        }
    }

    /// In either of two places.
    pub(super) fn or(self, other: Needed) -> Needed {
        match (self, other) {
            (Needed::Never, needed) | (needed, Needed::Never) => needed,
            (Needed::Where(left), Needed::Where(right)) => Needed::Where(connected(vec![left, right], Operator::Or)),
            _ => Needed::Always,
        }
    }

    /// In a place that is reached where all of these are true.
    fn behind(self, conditions: &[Expr]) -> Needed {
        let mut conditions = conditions.to_vec();
        match self {
            Needed::Never => return Needed::Never,
            Needed::Where(condition) => conditions.push(condition),
            Needed::Always if conditions.is_empty() => return Needed::Always,
            Needed::Always => {}
        }
        Needed::Where(connected(conditions, Operator::And))
    }
}

/// When an expression needs the value of a part.
pub(super) fn needed(expr: &Expr, part: &Expr) -> Needed {
    if expr == part {
        return Needed::Always;
    }
    if let Some((operator, operands)) = operands(expr) {
        return in_sequence(operator, &operands, part);
    }
    if let Expr::Case(case) = expr {
        return in_case(case, part);
    }
    // What reads a value that is named further out cannot be asked there.
    if matches!(expr, Expr::Lambda(_)) {
        let occurs = expr.exists(|node| Ok(node == part)).unwrap_or(true);
        return if occurs { Needed::Always } else { Needed::Never };
    }
    let mut found = Needed::Never;
    let walked = expr.apply_children(|child| {
        found = std::mem::replace(&mut found, Needed::Never).or(needed(child, part));
        Ok(datafusion::common::tree_node::TreeNodeRecursion::Continue)
    });
    if walked.is_ok() { found } else { Needed::Always }
}

/// Among operands of AND or OR: each is needed where those before it do not decide.
fn in_sequence(operator: Operator, operands: &[&Expr], part: &Expr) -> Needed {
    let mut undecided = Vec::new();
    let mut found = Needed::Never;
    for operand in operands {
        found = found.or(needed(operand, part).behind(&undecided));
        let operand = Box::new((*operand).clone());
        undecided.push(if operator == Operator::And { Expr::IsNotFalse(operand) } else { Expr::IsNotTrue(operand) });
    }
    found
}

fn in_case(case: &Case, part: &Expr) -> Needed {
    let is_true = |expr: &Expr| matches!(expr, Expr::Literal(datafusion::common::ScalarValue::Boolean(Some(true)), _));
    if case.expr.as_ref().is_some_and(|operand| !is_true(operand)) {
        let occurs = Expr::Case(case.clone()).exists(|node| Ok(node == part)).unwrap_or(true);
        return if occurs { Needed::Always } else { Needed::Never };
    }
    let mut before = Vec::new();
    let mut found = Needed::Never;
    for (when, then) in &case.when_then_expr {
        found = found.or(needed(when, part).behind(&before));
        let mut reached = before.clone();
        reached.push(Expr::IsTrue(when.clone()));
        found = found.or(needed(then, part).behind(&reached));
        before.push(Expr::IsNotTrue(when.clone()));
    }
    match &case.else_expr {
        Some(otherwise) => found.or(needed(otherwise, part).behind(&before)),
        None => found,
    }
}

#[cfg(test)]
mod tests {
    use datafusion::logical_expr::{col, lit, when};

    use super::*;

    fn check(expr: Expr, expected: &str) {
        let printed = match needed(&expr, &col("part")) {
            Needed::Where(condition) => condition.to_string(),
            other => format!("{other:?}"),
        };
        assert_eq!(printed, expected, "{expr}");
    }

    #[test]
    fn a_part_is_needed_where_nothing_before_it_decides() {
        check(col("part").eq(lit(1)), "Always");
        check(col("a").eq(lit(1)), "Never");
        check(col("a").or(col("part")), "a IS NOT TRUE");
        check(col("part").or(col("a")), "Always");
        check(col("a").and(col("b").or(col("part"))), "a IS NOT FALSE AND b IS NOT TRUE");
        // What is asked may itself read the part: then it cannot be asked before.
        check(col("a").and(col("part")).or(col("part")), "a IS NOT FALSE OR a AND part IS NOT TRUE");
    }

    #[test]
    fn a_branch_is_reached_behind_its_condition() {
        let case = when(col("a"), lit(1)).when(col("b"), col("part")).otherwise(lit(3));
        check(case.unwrap_or_default(), "a IS NOT TRUE AND b IS TRUE");
        let case = when(col("a"), lit(1)).when(col("b"), lit(2)).otherwise(col("part"));
        check(case.unwrap_or_default(), "a IS NOT TRUE AND b IS NOT TRUE");
    }
}
