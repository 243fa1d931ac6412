//! Conditions, as far as it matters how many rows they leave: the same for logical and physical plans.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::Operator;

use super::shape::Point;

/// A condition on columns that are named by `C`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Condition<C> {
    And(Vec<Condition<C>>),
    Or(Vec<Condition<C>>),
    Not(Box<Condition<C>>),
    /// One of `=`, `<>`, `<`, `<=`, `>`, `>=`, `IS [NOT] DISTINCT FROM`, or what is like none of them.
    Compare {
        left: Operand<C>,
        operator: Operator,
        right: Operand<C>,
    },
    Between {
        operand: Operand<C>,
        low: Operand<C>,
        high: Operand<C>,
    },
    In {
        operand: Operand<C>,
        values: Vec<Operand<C>>,
    },
    Like {
        operand: Operand<C>,
        pattern: Operand<C>,
        ignores_case: bool,
    },
    IsNull(Operand<C>),
    /// True, or false and NULL.
    Constant(bool),
    /// A column that is true or false.
    Holds(C),
    /// One of which nothing is known.
    Unknown,
}

/// What a condition compares.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Operand<C> {
    Column(C),
    Value(ScalarValue),
    /// One whose value is not known before the plan runs.
    Other,
}

impl<C> Operand<C> {
    /// The value as a number, if it is one.
    pub fn number(&self) -> Option<f64> {
        match self {
            Operand::Value(value) => super::estimate::number(value),
            _ => None,
        }
    }

    /// The value as a point among others, if it is one that can be compared.
    pub(super) fn point(&self) -> Option<Point> {
        match self {
            Operand::Value(value) => Point::of(value),
            _ => None,
        }
    }

    /// The column, if it is one.
    pub fn column(&self) -> Option<&C> {
        match self {
            Operand::Column(column) => Some(column),
            _ => None,
        }
    }
}
