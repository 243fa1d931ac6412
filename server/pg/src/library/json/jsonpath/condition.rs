//! Conditions: what is true, false or unknown of items.

use std::cmp::Ordering;

use super::evaluate::Evaluation;
use super::item::{Failure, Item};
use super::tree::*;
use crate::error::PgError;
use crate::library::json::number;
use crate::library::json::value::Json;

/// What a condition can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Truth {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// It cannot be told.
    Unknown,
}

impl From<bool> for Truth {
    fn from(value: bool) -> Self {
        if value { Truth::True } else { Truth::False }
    }
}

impl<'a> Evaluation<'a> {
    /// A filter's condition, in which the item is `@`.
    pub(super) fn condition(&mut self, condition: &'a Node, item: Item<'a>) -> Result<Truth, Failure> {
        let outer = std::mem::replace(&mut self.current, item.clone());
        let truth = self.truth(condition, item);
        self.current = outer;
        truth
    }

    fn truth(&mut self, node: &'a Node, input: Item<'a>) -> Result<Truth, Failure> {
        match &node.start {
            Start::Predicate(predicate) if node.steps.is_empty() => self.predicate(predicate, input),
            _ => Err(Failure::Loud(PgError::internal("a jsonpath condition is not a predicate"))),
        }
    }

    pub(super) fn predicate(&mut self, predicate: &'a Predicate, input: Item<'a>) -> Result<Truth, Failure> {
        match predicate {
            Predicate::And(operands) => self.chain(operands, input, Truth::False, Truth::True),
            Predicate::Or(operands) => self.chain(operands, input, Truth::True, Truth::False),
            Predicate::Not(operand) => Ok(match self.truth(operand, input)? {
                Truth::True => Truth::False,
                Truth::False => Truth::True,
                Truth::Unknown => Truth::Unknown,
            }),
            Predicate::IsUnknown(operand) => Ok(Truth::from(self.truth(operand, input)? == Truth::Unknown)),
            Predicate::Exists(operand) => self.exists_below(operand, input),
            Predicate::Compare(operator, left, right) => {
                let Some(right) = self.guarded(|it| it.operand(right, input.clone()))? else {
                    return Ok(Truth::Unknown);
                };
                self.any_pair(left, input, &right, |it, left, right| it.compare(*operator, left, right))
            }
            Predicate::StartsWith(operand, initial) => {
                let mut initials = Vec::new();
                let found = self.guarded(|it| it.node(initial, input.clone(), Some(&mut initials)))?;
                if found.is_none() {
                    return Ok(Truth::Unknown);
                }
                self.any_pair(operand, input, &initials, |_, text, initial| {
                    Ok(match (text.json(), initial.json()) {
                        (Some(Json::String(text)), Some(Json::String(initial))) => text.starts_with(&**initial).into(),
                        _ => Truth::Unknown,
                    })
                })
            }
            Predicate::LikeRegex(operand, pattern) => {
                let once = [Item::Value(Json::Null)];
                self.any_pair(operand, input, &once, |_, text, _| {
                    Ok(match text.json() {
                        Some(Json::String(text)) => pattern.regex.is_match(text).into(),
                        _ => Truth::Unknown,
                    })
                })
            }
        }
    }

    /// Operands of which one may decide, and which otherwise say nothing when they are neutral.
    fn chain(
        &mut self,
        operands: &'a [Node],
        input: Item<'a>,
        decisive: Truth,
        neutral: Truth,
    ) -> Result<Truth, Failure> {
        let mut truth = neutral;
        for operand in operands {
            match self.truth(operand, input.clone())? {
                found if found == decisive => return Ok(decisive),
                found if found == neutral => {}
                found => truth = found,
            }
        }
        Ok(truth)
    }

    /// Nothing in place of an error that a condition takes for "unknown".
    fn guarded<T>(&mut self, f: impl FnOnce(&mut Self) -> Result<T, Failure>) -> Result<Option<T>, Failure> {
        let (structural_errors, array_length) = (self.structural_errors, self.array_length);
        match f(self) {
            Ok(value) => Ok(Some(value)),
            Err(Failure::Quiet(_)) => {
                (self.structural_errors, self.array_length) = (structural_errors, array_length);
                Ok(None)
            }
            Err(loud) => Err(loud),
        }
    }

    fn exists_below(&mut self, operand: &'a Node, input: Item<'a>) -> Result<Truth, Failure> {
        let found = match self.strict {
            true => {
                let mut items = Vec::new();
                self.guarded(|it| it.node(operand, input, Some(&mut items)))?.map(|_| !items.is_empty())
            }
            false => self.guarded(|it| it.node(operand, input, None))?,
        };
        Ok(found.map_or(Truth::Unknown, Truth::from))
    }

    /// Whether the test is true for some pair of items. In strict mode every pair must have an answer.
    fn any_pair(
        &mut self,
        left: &'a Node,
        input: Item<'a>,
        right: &[Item<'a>],
        test: impl Fn(&mut Self, &Item<'a>, &Item<'a>) -> Result<Truth, Failure>,
    ) -> Result<Truth, Failure> {
        let Some(left) = self.guarded(|it| it.operand(left, input))? else { return Ok(Truth::Unknown) };
        let (mut unknown, mut found) = (false, false);
        for left in &left {
            for right in right {
                match test(self, left, right)? {
                    Truth::True if !self.strict => return Ok(Truth::True),
                    Truth::Unknown if self.strict => return Ok(Truth::Unknown),
                    Truth::True => found = true,
                    Truth::Unknown => unknown = true,
                    Truth::False => {}
                }
            }
        }
        Ok(match (found, unknown) {
            (true, _) => Truth::True,
            (false, true) => Truth::Unknown,
            (false, false) => Truth::False,
        })
    }

    fn compare(&mut self, operator: Comparison, left: &Item<'a>, right: &Item<'a>) -> Result<Truth, Failure> {
        let ordering = match (left, right) {
            (Item::Datetime(left), Item::Datetime(right)) => {
                left.compare(*right, self.zone.as_ref()).map_err(Failure::Loud)?
            }
            _ => match (left.json(), right.json()) {
                (Some(left), Some(right)) if matches!(left, Json::Null) != matches!(right, Json::Null) => {
                    return Ok((operator == Comparison::NotEqual).into());
                }
                (Some(left), Some(right)) => compare_scalars(left, right),
                (Some(Json::Null), None) | (None, Some(Json::Null)) => {
                    return Ok((operator == Comparison::NotEqual).into());
                }
                _ => None,
            },
        };
        Ok(ordering.map_or(Truth::Unknown, |ordering| holds(operator, ordering).into()))
    }
}

fn compare_scalars(left: &Json<'_>, right: &Json<'_>) -> Option<Ordering> {
    match (left, right) {
        (Json::Null, Json::Null) => Some(Ordering::Equal),
        (Json::Bool(left), Json::Bool(right)) => Some(left.cmp(right)),
        (Json::Number(left), Json::Number(right)) => Some(number::compare(left, right)),
        (Json::String(left), Json::String(right)) => Some(left.cmp(right)),
        _ => None,
    }
}

fn holds(operator: Comparison, ordering: Ordering) -> bool {
    match operator {
        Comparison::Equal => ordering.is_eq(),
        Comparison::NotEqual => ordering.is_ne(),
        Comparison::Less => ordering.is_lt(),
        Comparison::LessOrEqual => ordering.is_le(),
        Comparison::Greater => ordering.is_gt(),
        Comparison::GreaterOrEqual => ordering.is_ge(),
    }
}
