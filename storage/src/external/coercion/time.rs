//! Points in time, counted in another unit.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use arrow::datatypes::{
    DataType, Date32Type, Date64Type, Int64Type, Time32MillisecondType, Time32SecondType, Time64MicrosecondType,
    Time64NanosecondType, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType,
};
use datafusion::logical_expr::Operator;
use datafusion::scalar::ScalarValue;

const DAY: i64 = 86_400_000_000_000;
const SECOND: i64 = 1_000_000_000;
const MILLISECOND: i64 = 1_000_000;
const MICROSECOND: i64 = 1_000;
const NANOSECOND: i64 = 1;

/// How many of the declared type's units make one of the file's, or the other way round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::external) enum TimeScale {
    /// The file's unit is as long or longer.
    Multiply(i64),
    /// The file's unit is shorter: what is smaller than a declared unit is cut off, towards the past.
    Divide(i64),
}

/// What a time or date is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::external) struct Bound {
    /// One of `=`, `<`, `<=`, `>`, `>=`.
    pub operator: Operator,
    /// In units of the file.
    pub ticks: i64,
}

impl TimeScale {
    /// How a file's type is counted in units of the declared one, if both mean the same.
    pub(super) fn between(file: &DataType, declared: &DataType) -> Option<Self> {
        use DataType::*;
        match (file, declared) {
            (Date32 | Date64 | Timestamp(..), Timestamp(..)) => {}
            (Date32 | Date64, Date32) => {}
            (Time32(_) | Time64(_), Time64(_)) => {}
            _ => return None,
        }
        let (file, declared) = (unit_ns(file)?, unit_ns(declared)?);
        if file >= declared {
            Some(TimeScale::Multiply(file / declared))
        } else {
            Some(TimeScale::Divide(declared / file))
        }
    }

    /// Counts in the declared unit, or tells that a value has no place there.
    pub(super) fn apply(self, array: &ArrayRef, declared: &DataType) -> Option<ArrayRef> {
        let ticks = ticks(array)?;
        let scaled: Int64Array = match self {
            TimeScale::Multiply(1) => ticks,
            TimeScale::Multiply(factor) => ticks.try_unary(|tick| tick.checked_mul(factor).ok_or(())).ok()?,
            TimeScale::Divide(divisor) => ticks.unary(|tick| tick.div_euclid(divisor)),
        };
        match declared {
            DataType::Date32 => {
                let days = scaled.try_unary::<_, Date32Type, _>(i32::try_from).ok()?;
                Some(Arc::new(days))
            }
            DataType::Time64(_) => {
                // The end of a day is a time, as 24:00:00.
                let is_in_day = |ticks: i64| (0..=DAY / MICROSECOND).contains(&ticks).then_some(ticks).ok_or(());
                let times = scaled.try_unary::<_, Time64MicrosecondType, _>(is_in_day).ok()?;
                Some(Arc::new(times))
            }
            DataType::Timestamp(_, zone) => {
                let timestamps = scaled.reinterpret_cast::<TimestampMicrosecondType>();
                Some(Arc::new(timestamps.with_timezone_opt(zone.clone())))
            }
            _ => None,
        }
    }

    /// The bounds that a file's value keeps exactly if the declared value keeps `operator` `literal`; empty if there are
    /// none to be had. This is how a filter can be compared with a file's statistics, which are in the file's unit.
    pub(in crate::external) fn bounds(self, operator: Operator, literal: i64) -> Option<Vec<Bound>> {
        match self {
            TimeScale::Multiply(factor) => multiplied_bound(operator, literal, factor).map(|bound| vec![bound]),
            TimeScale::Divide(divisor) => divided_bounds(operator, literal, divisor),
        }
    }
}

/// `file × factor  operator  literal`
fn multiplied_bound(operator: Operator, literal: i64, factor: i64) -> Option<Bound> {
    let floor = literal.div_euclid(factor);
    let is_whole = literal.rem_euclid(factor) == 0;
    let ticks = match operator {
        Operator::Gt | Operator::LtEq => floor,
        Operator::GtEq | Operator::Lt if is_whole => floor,
        Operator::GtEq | Operator::Lt => floor.checked_add(1)?,
        Operator::Eq if is_whole => floor,
        _ => return None,
    };
    Some(Bound { operator, ticks })
}

/// `⌊file ÷ divisor⌋  operator  literal`
fn divided_bounds(operator: Operator, literal: i64, divisor: i64) -> Option<Vec<Bound>> {
    let first = || literal.checked_mul(divisor);
    let next = || literal.checked_add(1)?.checked_mul(divisor);
    let at_least = |ticks| Bound { operator: Operator::GtEq, ticks };
    let before = |ticks| Bound { operator: Operator::Lt, ticks };
    Some(match operator {
        Operator::GtEq => vec![at_least(first()?)],
        Operator::Gt => vec![at_least(next()?)],
        Operator::Lt => vec![before(first()?)],
        Operator::LtEq => vec![before(next()?)],
        Operator::Eq => vec![at_least(first()?), before(next()?)],
        _ => return None,
    })
}

fn unit_ns(data_type: &DataType) -> Option<i64> {
    Some(match data_type {
        DataType::Date32 => DAY,
        DataType::Date64 => MILLISECOND,
        DataType::Time32(unit) | DataType::Time64(unit) | DataType::Timestamp(unit, _) => match unit {
            TimeUnit::Second => SECOND,
            TimeUnit::Millisecond => MILLISECOND,
            TimeUnit::Microsecond => MICROSECOND,
            TimeUnit::Nanosecond => NANOSECOND,
        },
        _ => return None,
    })
}

fn ticks(array: &ArrayRef) -> Option<Int64Array> {
    use TimeUnit::*;
    Some(match array.data_type() {
        DataType::Date32 => array.as_primitive::<Date32Type>().unary(i64::from),
        DataType::Date64 => array.as_primitive::<Date64Type>().reinterpret_cast::<Int64Type>(),
        DataType::Time32(Second) => array.as_primitive::<Time32SecondType>().unary(i64::from),
        DataType::Time32(Millisecond) => array.as_primitive::<Time32MillisecondType>().unary(i64::from),
        DataType::Time64(Microsecond) => array.as_primitive::<Time64MicrosecondType>().reinterpret_cast(),
        DataType::Time64(Nanosecond) => array.as_primitive::<Time64NanosecondType>().reinterpret_cast(),
        DataType::Timestamp(Second, _) => array.as_primitive::<TimestampSecondType>().reinterpret_cast(),
        DataType::Timestamp(Millisecond, _) => array.as_primitive::<TimestampMillisecondType>().reinterpret_cast(),
        DataType::Timestamp(Microsecond, _) => array.as_primitive::<TimestampMicrosecondType>().reinterpret_cast(),
        DataType::Timestamp(Nanosecond, _) => array.as_primitive::<TimestampNanosecondType>().reinterpret_cast(),
        _ => return None,
    })
}

/// A literal of a declared type, in that type's unit.
pub(in crate::external) fn literal_ticks(literal: &ScalarValue) -> Option<i64> {
    match literal {
        ScalarValue::Date32(days) => days.map(i64::from),
        ScalarValue::Time64Microsecond(ticks) | ScalarValue::TimestampMicrosecond(ticks, _) => *ticks,
        _ => None,
    }
}

/// A literal of a file's type.
pub(in crate::external) fn literal_of(ticks: i64, file: &DataType) -> Option<ScalarValue> {
    use TimeUnit::*;
    Some(match file {
        DataType::Date32 => ScalarValue::Date32(Some(i32::try_from(ticks).ok()?)),
        DataType::Date64 => ScalarValue::Date64(Some(ticks)),
        DataType::Time32(Second) => ScalarValue::Time32Second(Some(i32::try_from(ticks).ok()?)),
        DataType::Time32(Millisecond) => ScalarValue::Time32Millisecond(Some(i32::try_from(ticks).ok()?)),
        DataType::Time64(Microsecond) => ScalarValue::Time64Microsecond(Some(ticks)),
        DataType::Time64(Nanosecond) => ScalarValue::Time64Nanosecond(Some(ticks)),
        DataType::Timestamp(Second, zone) => ScalarValue::TimestampSecond(Some(ticks), zone.clone()),
        DataType::Timestamp(Millisecond, zone) => ScalarValue::TimestampMillisecond(Some(ticks), zone.clone()),
        DataType::Timestamp(Microsecond, zone) => ScalarValue::TimestampMicrosecond(Some(ticks), zone.clone()),
        DataType::Timestamp(Nanosecond, zone) => ScalarValue::TimestampNanosecond(Some(ticks), zone.clone()),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const OPERATORS: [Operator; 5] = [Operator::Eq, Operator::Lt, Operator::LtEq, Operator::Gt, Operator::GtEq];

    fn holds(value: i64, operator: Operator, literal: i64) -> bool {
        match operator {
            Operator::Eq => value == literal,
            Operator::Lt => value < literal,
            Operator::LtEq => value <= literal,
            Operator::Gt => value > literal,
            Operator::GtEq => value >= literal,
            _ => unreachable!(),
        }
    }

    fn check(scale: TimeScale, declared: impl Fn(i64) -> i64) {
        for operator in OPERATORS {
            for literal in -25..25 {
                let Some(bounds) = scale.bounds(operator, literal) else { continue };
                for file in -250..250 {
                    let expected = holds(declared(file), operator, literal);
                    let bounded = bounds.iter().all(|bound| holds(file, bound.operator, bound.ticks));
                    assert_eq!(bounded, expected, "{scale:?}: {file} {operator} {literal}");
                }
            }
        }
    }

    #[test]
    fn a_bound_in_the_files_unit_means_the_same() {
        check(TimeScale::Multiply(1), |file| file);
        check(TimeScale::Multiply(7), |file| file * 7);
        check(TimeScale::Divide(7), |file| file.div_euclid(7));
    }

    #[test]
    fn a_bound_that_cannot_be_counted_is_none() {
        for operator in OPERATORS {
            assert_eq!(TimeScale::Divide(1000).bounds(operator, i64::MAX), None);
        }
        assert_eq!(TimeScale::Multiply(1000).bounds(Operator::NotEq, 1), None);
    }
}
