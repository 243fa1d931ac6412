//! Which rows conditions on a table have left, told by those who have evaluated them to those who plan the next query.
//!
//! Conditions that have to do with each other, and those of which nothing is known, are guessed wrong time and again; the
//! second time they need not be guessed.

use std::sync::Arc;

use datafusion::common::ScalarValue;
use datafusion::logical_expr::Operator;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::SortMergeJoinExec;
use storage::scan::fragment::ScanFragment;

use crate::computed_limit::ComputedLimitExec;

use super::condition::{Condition, Operand};
use super::physical::{column_of, condition_of};

/// Of tables with fewer rows nothing has to be learned.
const ROWS_MIN: usize = 1000;
/// Longer conditions are not worth keeping.
const LENGTH_MAX: usize = 2000;

/// What columns are called.
type Names<'a, C> = &'a dyn Fn(&C) -> Option<String>;

/// The text by which conditions on a table's columns are known again, however and in whichever order they are written.
/// None if there is none, or one of them is not understood.
pub(super) fn key<C>(conditions: &[Condition<C>], name: Names<'_, C>) -> Option<String> {
    let mut texts = Vec::new();
    conditions.iter().try_for_each(|condition| push(&mut texts, condition, name))?;
    joined(texts)
}

fn joined(mut texts: Vec<String>) -> Option<String> {
    texts.sort();
    texts.dedup();
    let text = texts.join(" AND ");
    (!text.is_empty() && text.len() <= LENGTH_MAX).then_some(text)
}

fn push<C>(texts: &mut Vec<String>, condition: &Condition<C>, name: Names<'_, C>) -> Option<()> {
    let text = match condition {
        Condition::And(all) => return all.iter().try_for_each(|one| push(texts, one, name)),
        Condition::Or(any) => {
            let of_one = |one: &Condition<C>| {
                let mut texts = Vec::new();
                push(&mut texts, one, name)?;
                joined(texts)
            };
            let mut parts = any.iter().map(of_one).collect::<Option<Vec<_>>>()?;
            parts.sort();
            format!("({})", parts.join(" OR "))
        }
        Condition::Not(inner) => {
            let mut inside = Vec::new();
            push(&mut inside, inner, name)?;
            format!("NOT ({})", joined(inside)?)
        }
        Condition::Compare { left, operator, right } => match (left, operator.swap()) {
            (Operand::Value(_), Some(swapped)) => compared(right, swapped, left, name)?,
            _ => compared(left, *operator, right, name)?,
        },
        Condition::Between { operand, low, high } => {
            texts.push(compared(operand, Operator::GtEq, low, name)?);
            compared(operand, Operator::LtEq, high, name)?
        }
        Condition::In { operand, values } => {
            let mut values = values.iter().map(|value| text_of(value, name)).collect::<Option<Vec<_>>>()?;
            values.sort();
            format!("{} IN ({})", text_of(operand, name)?, values.join(", "))
        }
        Condition::Like { operand, pattern, ignores_case } => {
            let verb = if *ignores_case { "ILIKE" } else { "LIKE" };
            format!("{} {verb} {}", text_of(operand, name)?, text_of(pattern, name)?)
        }
        Condition::IsNull(operand) => format!("{} IS NULL", text_of(operand, name)?),
        Condition::Holds(column) => name(column)?,
        Condition::Constant(true) => return Some(()),
        Condition::Constant(false) | Condition::Unknown => return None,
    };
    texts.push(text);
    Some(())
}

fn compared<C>(left: &Operand<C>, operator: Operator, right: &Operand<C>, name: Names<'_, C>) -> Option<String> {
    Some(format!("{} {operator} {}", text_of(left, name)?, text_of(right, name)?))
}

fn text_of<C>(operand: &Operand<C>, name: Names<'_, C>) -> Option<String> {
    match operand {
        Operand::Column(column) => name(column),
        Operand::Value(value) => Some(literal(value)),
        Operand::Other => None,
    }
}

/// A constant, with its type: `'1'` is not `1`.
fn literal(value: &ScalarValue) -> String {
    match value.try_as_str() {
        Some(text) => format!("{text:?}"),
        None => format!("{value:?}"),
    }
}

/// Learns from a plan that has run to its end.
pub(crate) fn learn(plan: &Arc<dyn ExecutionPlan>) {
    look_at(plan, Vec::new(), None, false);
}

/// Looks at a node. Above it `filters` are evaluated, which have left so many rows; `is_cut` if not all of its rows may have been
/// asked for.
fn look_at(plan: &Arc<dyn ExecutionPlan>, filters: Vec<Condition<usize>>, left: Option<usize>, is_cut: bool) {
    if let Some(fragment) = ScanFragment::of(plan.as_ref()) {
        let left = left.or_else(|| rows_of(plan));
        // What a footer tells stands for all rows of a row group.
        if !is_cut && fragment.bounds.is_none() {
            note(&fragment, &filters, left);
        }
        return;
    }
    let ends_early = plan.fetch().is_some() || plan.is::<ComputedLimitExec>() || plan.is::<SortMergeJoinExec>();
    let is_cut = is_cut || ends_early;
    if let Some(filter) = plan.downcast_ref::<FilterExec>() {
        return look_at(filter.input(), vec![condition_of(filter.predicate())], rows_of(plan), is_cut);
    }
    // What lies between hands its input's rows on, or is no matter of one table any more.
    let hands_on = plan.children().len() == 1 && plan.schema() == plan.children()[0].schema() && plan.fetch().is_none();
    for input in plan.children() {
        match hands_on {
            true => look_at(input, filters.clone(), left, is_cut),
            false => look_at(input, Vec::new(), None, is_cut),
        }
    }
}

fn rows_of(plan: &Arc<dyn ExecutionPlan>) -> Option<usize> {
    plan.metrics()?.output_rows()
}

/// Notes what a scan's conditions, and those above it, have left.
fn note(fragment: &ScanFragment, above: &[Condition<usize>], left: Option<usize>) {
    let (Some(known), Some(left)) = (&fragment.known, left) else { return };
    let all = fragment.statistics.num_rows.get_value().copied().unwrap_or_default();
    // A scan that has given nothing may never have been asked.
    if !fragment.hints.is_empty() || fragment.fetch.is_some() || all < ROWS_MIN || left == 0 {
        return;
    }
    if let Some(key) = key_of(fragment, above) {
        known.note_part_left(key, (left as f64 / all as f64).min(1.0));
    }
}

/// The key of a scan's conditions, and of others on what comes out of it.
pub(super) fn key_of(fragment: &ScanFragment, above: &[Condition<usize>]) -> Option<String> {
    let name = |place: usize| fragment.columns.fields().get(place).map(|field| field.name().clone());
    let mut texts = Vec::new();
    let within: Vec<_> = fragment.conditions.iter().map(condition_of).collect();
    within.iter().try_for_each(|condition| push(&mut texts, condition, &|place| name(*place)))?;
    let of_output = |place: &usize| name(column_of(fragment.output.get(*place)?)?);
    above.iter().try_for_each(|condition| push(&mut texts, condition, &of_output))?;
    joined(texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &'static str) -> Operand<&'static str> {
        Operand::Column(name)
    }

    fn number(value: i32) -> Operand<&'static str> {
        Operand::Value(ScalarValue::Int32(Some(value)))
    }

    fn compare(
        left: Operand<&'static str>,
        operator: Operator,
        right: Operand<&'static str>,
    ) -> Condition<&'static str> {
        Condition::Compare { left, operator, right }
    }

    fn of(conditions: &[Condition<&'static str>]) -> Option<String> {
        key(conditions, &|name| Some((*name).to_owned()))
    }

    #[test]
    fn the_same_conditions_have_one_key() {
        let one = [
            Condition::Between { operand: column("a"), low: number(1), high: number(9) },
            compare(number(3), Operator::Lt, column("b")),
        ];
        let other = [Condition::And(vec![
            compare(column("b"), Operator::Gt, number(3)),
            compare(column("a"), Operator::LtEq, number(9)),
            compare(column("a"), Operator::GtEq, number(1)),
            compare(column("a"), Operator::GtEq, number(1)),
        ])];
        assert!(of(&one).is_some());
        assert_eq!(of(&one), of(&other));
    }

    #[test]
    fn others_have_others_or_none() {
        let text = Operand::Value(ScalarValue::from("1"));
        let all = [
            compare(column("a"), Operator::Eq, number(1)),
            compare(column("a"), Operator::Eq, number(2)),
            compare(column("b"), Operator::Eq, number(1)),
            compare(column("a"), Operator::Eq, text),
            Condition::Not(Box::new(compare(column("a"), Operator::Eq, number(1)))),
            Condition::Or(vec![
                compare(column("a"), Operator::Eq, number(1)),
                compare(column("b"), Operator::Eq, number(1)),
            ]),
            Condition::And(vec![
                compare(column("a"), Operator::Eq, number(1)),
                compare(column("b"), Operator::Eq, number(1)),
            ]),
        ];
        let keys: std::collections::HashSet<_> = all.iter().map(|one| of(std::slice::from_ref(one)).unwrap()).collect();
        assert_eq!(keys.len(), all.len());
        assert_eq!(of(&[all[0].clone(), Condition::Unknown]), None);
        assert_eq!(of(&[compare(column("a"), Operator::Eq, Operand::Other)]), None);
        assert_eq!(of(&[]), None);
    }
}
