//! `extract(field FROM value)`, whose result is numeric, and `date_part(field, value)`, whose result is a double.

use arrow::array::ArrayRef;
use datafusion_common::ScalarValue;

use super::extract_value::{JULIAN_SCALE, Source};
use crate::datetime::arithmetic::{self, is_infinite, timestamp_of_date};
use crate::datetime::words::{self, Unit};
use crate::datetime::zone::Zone;
use crate::datetime::{Interval, day_of_civil};
use crate::error::{PgError, Result};
use crate::expression_type::Type;
use crate::function::{
    Argument, ArgumentShape, Call, Date, Function, Numeric, ResultValue, Time, TimeTz, Timestamp, function,
};
use crate::sqlstate::SqlState;
use crate::types::*;

/// The functions.
pub static FUNCTIONS: &[Function] = &[
    function("extract", &[TEXT, DATE], NUMERIC, |call| numeric(call, date)).shaped(shape).monotonic(year),
    function("extract", &[TEXT, TIMESTAMP], NUMERIC, |call| numeric(call, timestamp)).shaped(shape).monotonic(year),
    function("extract", &[TEXT, TIMESTAMPTZ], NUMERIC, |call| {
        let zone = zone_of(call);
        numeric(call, move |at| timestamptz(at, &zone))
    })
    .shaped(shape)
    .stable(),
    function("extract", &[TEXT, TIME], NUMERIC, |call| numeric(call, time)).shaped(shape),
    function("extract", &[TEXT, TIMETZ], NUMERIC, |call| numeric(call, timetz)).shaped(shape),
    function("extract", &[TEXT, INTERVAL], NUMERIC, |call| numeric(call, interval)).shaped(shape),
    function("date_part", &[TEXT, DATE], FLOAT8, |call| double(call, date_as_timestamp)),
    function("date_part", &[TEXT, TIMESTAMP], FLOAT8, |call| double(call, timestamp)),
    function("date_part", &[TEXT, TIMESTAMPTZ], FLOAT8, |call| {
        let zone = zone_of(call);
        double(call, move |at| timestamptz(at, &zone))
    })
    .stable(),
    function("date_part", &[TEXT, TIME], FLOAT8, |call| double(call, time)),
    function("date_part", &[TEXT, TIMETZ], FLOAT8, |call| double(call, timetz)),
    function("date_part", &[TEXT, INTERVAL], FLOAT8, |call| double(call, interval)),
    // Redshift
    function("date_part_year", &[DATE], INT4, date_part_year),
    function("pgdate_part", &[TEXT, DATE], FLOAT8, |call| double(call, date_as_timestamp)),
    function("pgdate_part", &[TEXT, TIMESTAMP], FLOAT8, |call| double(call, timestamp)),
];

/// What a field is taken from, or an infinity, which has no fields.
enum Value {
    Finite(Source),
    Infinite { negative: bool },
}

fn zone_of(call: &Call) -> Zone {
    call.session().time_zone.clone()
}

fn date(value: Date) -> Result<Value> {
    Ok(match arithmetic::is_infinite_date(value.0) {
        true => Value::Infinite { negative: value.0 < 0 },
        false => Value::Finite(Source::Date(i64::from(value.0))),
    })
}

fn date_as_timestamp(value: Date) -> Result<Value> {
    timestamp(Timestamp(timestamp_of_date(value.0)?))
}

fn timestamp(value: Timestamp) -> Result<Value> {
    Ok(match is_infinite(value.0) {
        true => Value::Infinite { negative: value.0 < 0 },
        false => Value::Finite(Source::Timestamp(value.0, None)),
    })
}

fn timestamptz(value: Timestamp, zone: &Zone) -> Result<Value> {
    if is_infinite(value.0) {
        return timestamp(value);
    }
    let local_us = arithmetic::local(value.0, zone)?;
    Ok(Value::Finite(Source::Timestamp(local_us, Some(zone.offset_at(value.0)))))
}

fn time(value: Time) -> Result<Value> {
    Ok(Value::Finite(Source::Time(value.0, None)))
}

fn timetz(value: TimeTz) -> Result<Value> {
    Ok(Value::Finite(Source::Time(value.time_us, Some(value.offset_s))))
}

fn interval(value: Interval) -> Result<Value> {
    Ok(Value::Finite(Source::Interval(value)))
}

/// The unit of the last row, since most calls have the same in all of them.
#[derive(Default)]
struct Units {
    last: Option<(String, Option<Unit>)>,
}

impl Units {
    fn find(&mut self, text: &str) -> Option<Unit> {
        match &self.last {
            Some((known, unit)) if known == text => *unit,
            _ => {
                let unit = words::part(&text.to_lowercase());
                self.last = Some((text.to_owned(), unit));
                unit
            }
        }
    }
}

fn numeric<'a, A: Argument<'a>>(call: &'a Call, read: impl Fn(A) -> Result<Value>) -> Result<ArrayRef> {
    fields(
        call,
        read,
        |source, unit| source.part(unit).map(|part| Numeric::new(part.unscaled.into(), part.scale)),
        |_| Err(PgError::not_supported("infinity as a value of type numeric")),
    )
}

fn double<'a, A: Argument<'a>>(call: &'a Call, read: impl Fn(A) -> Result<Value>) -> Result<ArrayRef> {
    let infinity = |negative| Ok(if negative { f64::NEG_INFINITY } else { f64::INFINITY });
    fields(call, read, |source, unit| source.part(unit).and_then(|_| source.double(unit)), infinity)
}

fn fields<'a, A: Argument<'a>, R: ResultValue>(
    call: &'a Call,
    read: impl Fn(A) -> Result<Value>,
    part: impl Fn(&Source, Unit) -> Option<R>,
    infinity: impl Fn(bool) -> Result<R>,
) -> Result<ArrayRef> {
    let mut units = Units::default();
    // PostgreSQL takes the field of a date from the timestamp that it is, but for `extract`.
    let of_date = call.types[1].oid == DATE;
    let exact = call.result.oid == NUMERIC;
    let ty = if of_date && !exact { Type::of(TIMESTAMP) } else { call.types[1].clone() };
    call.map2(|text: &str, value: A| -> Result<Option<R>> {
        let unit = units.find(text);
        let refused = || refusal(text, &ty);
        match (read(value)?, unit) {
            (_, None) => Err(refused()),
            (Value::Finite(source), Some(unit)) => part(&source, unit).map(Some).ok_or_else(refused),
            (Value::Infinite { .. }, Some(unit)) if of_date && exact && Source::Date(0).part(unit).is_none() => {
                Err(refused())
            }
            (Value::Infinite { negative }, Some(unit)) => match unit {
                // What grows with time is infinite, what comes again is not known.
                Unit::Year
                | Unit::Decade
                | Unit::Century
                | Unit::Millennium
                | Unit::IsoYear
                | Unit::Julian
                | Unit::Epoch => infinity(negative).map(Some),
                _ => Ok(None),
            },
        }
    })
}

/// The error about a unit that there is not, or that the type does not have.
pub(super) fn refusal(text: &str, ty: &Type) -> PgError {
    let lower = text.to_lowercase();
    let name = ty.name();
    match words::is_unit(&lower) {
        true => {
            let message = format!("unit \"{lower}\" not supported for type {name}");
            PgError::new(SqlState::FEATURE_NOT_SUPPORTED, message)
        }
        false => PgError::invalid_parameter(format!("unit \"{lower}\" not recognized for type {name}")),
    }
}

/// As many digits as the field can have; of a field that is not constant, those that most have.
fn shape(arguments: &[ArgumentShape<'_>]) -> Result<Type> {
    let text = match arguments.first().and_then(|argument| argument.constant) {
        Some(ScalarValue::Utf8View(Some(text)) | ScalarValue::Utf8(Some(text))) => text.to_lowercase(),
        _ => return Ok(Type::numeric(38, 6)),
    };
    let of_date = arguments.get(1).is_some_and(|argument| argument.ty.oid == DATE);
    Ok(match words::part(&text) {
        Some(Unit::Second) => Type::numeric(8, 6),
        Some(Unit::Millisecond) => Type::numeric(8, 3),
        Some(Unit::Epoch) if of_date => Type::numeric(18, 0),
        Some(Unit::Epoch) => Type::numeric(22, 6),
        Some(Unit::Julian) if !of_date => Type::numeric(30, JULIAN_SCALE),
        _ => Type::numeric(10, 0),
    })
}

/// The dates or timestamps of a year, when it is the year that is extracted. There is no year 0, and years before it need
/// no haste.
fn year(arguments: &[ArgumentShape<'_>], constant: &ScalarValue) -> Option<(ScalarValue, ScalarValue)> {
    let [part, of] = arguments else { return None };
    let Some(ScalarValue::Utf8View(Some(part)) | ScalarValue::Utf8(Some(part))) = part.constant else { return None };
    let ScalarValue::Decimal128(Some(year), _, 0) = constant else { return None };
    let year = i64::try_from(*year).ok().filter(|year| (1..=9999).contains(year))?;
    if words::part(&part.to_lowercase()) != Some(Unit::Year) {
        return None;
    }
    let start = |year| {
        let day = i32::try_from(day_of_civil(year, 1, 1)).ok()?;
        Some(match of.ty.oid {
            DATE => ScalarValue::Date32(Some(day)),
            _ => ScalarValue::TimestampMicrosecond(Some(timestamp_of_date(day).ok()?), None),
        })
    };
    start(year).zip(start(year + 1))
}

fn date_part_year(call: &Call) -> Result<ArrayRef> {
    call.map1(|value: Date| -> Result<Option<i32>> {
        match date(value)? {
            Value::Finite(source) => Ok(source.part(Unit::Year).and_then(|part| i32::try_from(part.unscaled).ok())),
            Value::Infinite { .. } => Ok(None),
        }
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::call;

    fn answer(name: &str, unit: &str, ty: u32, value: &str) -> String {
        match call(name, &[(TEXT, Some(unit)), (ty, Some(value))]) {
            Ok(answer) => answer.unwrap_or_else(|| "NULL".to_owned()),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn fields_of_timestamps_are_those_of_postgresql() {
        let at = "2001-02-16 20:38:40.12";
        for (unit, expected) in [
            ("century", "21"),
            ("day", "16"),
            ("decade", "200"),
            ("dow", "5"),
            ("doy", "47"),
            ("epoch", "982355920.12"),
            ("hour", "20"),
            ("isodow", "5"),
            ("isoyear", "2001"),
            ("microseconds", "40120000"),
            ("millennium", "3"),
            ("MILLISECONDS", "40120"),
            ("minute", "38"),
            ("month", "2"),
            ("quarter", "1"),
            ("second", "40.12"),
            ("week", "7"),
            ("year", "2001"),
        ] {
            assert_eq!(answer("extract", unit, TIMESTAMP, at), expected, "{unit}");
            assert_eq!(answer("date_part", unit, TIMESTAMP, at), expected, "{unit}");
        }
    }

    #[test]
    fn a_year_is_from_its_first_day_to_that_of_the_next() {
        let (text, date) = (Type::of(TEXT), Type::of(DATE));
        let years = |part: &str, wanted: i128| {
            let part = ScalarValue::from(part);
            let shapes =
                [ArgumentShape { ty: &text, constant: Some(&part) }, ArgumentShape { ty: &date, constant: None }];
            year(&shapes, &ScalarValue::Decimal128(Some(wanted), 10, 0))
        };
        let days = |first, end| Some((ScalarValue::Date32(Some(first)), ScalarValue::Date32(Some(end))));
        assert_eq!(years("Year", 1970), days(0, 365));
        assert_eq!(years("year", 1969), days(-365, 0));
        assert_eq!(years("month", 1970), None);
        assert_eq!(years("year", 0), None);
    }

    #[test]
    fn fields_that_a_type_does_not_have_are_refused() {
        for (name, unit, ty, value, expected) in [
            ("extract", "foo", TIMESTAMPTZ, "epoch", "unit \"foo\" not recognized for type timestamp with time zone"),
            (
                "extract",
                "Timezone",
                TIMESTAMP,
                "epoch",
                "unit \"timezone\" not supported for type timestamp without time zone",
            ),
            ("extract", "hour", DATE, "2020-01-01", "unit \"hour\" not supported for type date"),
            ("date_part", "hour", DATE, "2020-01-01", "0"),
            ("date_part", "year", DATE, "infinity", "Infinity"),
            ("extract", "hour", TIMESTAMP, "infinity", "NULL"),
            ("extract", "dow", TIME, "10:00", "unit \"dow\" not supported for type time without time zone"),
            ("extract", "epoch", INTERVAL, "1 year", "31557600"),
            ("extract", "julian", TIMESTAMP, "2024-01-01 12:00", "2460311.5"),
            ("extract", "epoch", TIMETZ, "10:00+02", "28800"),
            ("extract", "timezone_hour", TIMETZ, "10:00-03:30", "-3"),
            ("extract", "timezone_minute", TIMETZ, "10:00-03:30", "-30"),
            ("extract", "year", DATE, "0044-03-15 BC", "-44"),
            ("extract", "century", DATE, "0044-03-15 BC", "-1"),
            ("extract", "decade", DATE, "0044-03-15 BC", "-5"),
            ("extract", "week", DATE, "2021-01-03", "53"),
            ("extract", "isoyear", DATE, "2021-01-03", "2020"),
            ("extract", "dayofweek", DATE, "2024-01-07", "0"),
        ] {
            assert_eq!(answer(name, unit, ty, value), expected, "{name} {unit} {value}");
        }
    }
}
