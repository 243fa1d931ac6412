//! Functions that read the values of a column, for whoever formats them.
//!
//! Each looks at the column's Arrow type once and gives back a function from a row to a value in PostgreSQL's units, so
//! that reading a row does not ask again. A value that is NULL must not be read; what is read instead is arbitrary.

use std::io::Write;
use std::ops::Range;

use arrow::array::{Array, AsArray};
use arrow::datatypes::*;

use crate::datetime::{DAY_US, SECOND_US, TIMESTAMP_MIN_US};

/// Digits of the widest integer, and its sign.
const INTEGER_BYTES_MAX: usize = 80;

/// The function that reads a row's integer; `None` when it is out of range.
pub fn integer_reader<'a>(array: &'a dyn Array) -> Box<dyn Fn(usize) -> Option<i64> + 'a> {
    macro_rules! reader {
        ($type:ty) => {{
            let values = array.as_primitive::<$type>();
            Box::new(move |row| Some(i64::from(values.value(row))))
        }};
    }
    match array.data_type() {
        DataType::Int8 => reader!(Int8Type),
        DataType::Int16 => reader!(Int16Type),
        DataType::Int32 => reader!(Int32Type),
        DataType::UInt8 => reader!(UInt8Type),
        DataType::UInt16 => reader!(UInt16Type),
        DataType::UInt32 => reader!(UInt32Type),
        DataType::UInt64 => {
            let values = array.as_primitive::<UInt64Type>();
            Box::new(move |row| i64::try_from(values.value(row)).ok())
        }
        _ => reader!(Int64Type),
    }
}

/// The function that reads a row's floating point number.
pub fn float_reader<'a>(array: &'a dyn Array) -> Box<dyn Fn(usize) -> f64 + 'a> {
    match array.data_type() {
        DataType::Float16 => {
            let values = array.as_primitive::<Float16Type>();
            Box::new(move |row| values.value(row).to_f64())
        }
        DataType::Float32 => {
            let values = array.as_primitive::<Float32Type>();
            Box::new(move |row| f64::from(values.value(row)))
        }
        _ => {
            let values = array.as_primitive::<Float64Type>();
            Box::new(move |row| values.value(row))
        }
    }
}

/// Takes what a decimal consists of: whether it is negative, its digits, its scale.
pub type DecimalTaker<'t> = &'t mut dyn FnMut(bool, &[u8], i8);

/// The function that hands on the parts of a row's decimal, or of its integer as a decimal of scale 0.
pub fn decimal_reader<'a>(array: &'a dyn Array) -> Box<dyn Fn(usize, DecimalTaker<'_>) + 'a> {
    macro_rules! reader {
        ($type:ty, $scale:expr) => {{
            let (values, scale) = (array.as_primitive::<$type>(), *$scale);
            Box::new(move |row, take| with_digits(&values.value(row), |negative, digits| take(negative, digits, scale)))
        }};
    }
    match array.data_type() {
        DataType::Decimal32(_, scale) => reader!(Decimal32Type, scale),
        DataType::Decimal64(_, scale) => reader!(Decimal64Type, scale),
        DataType::Decimal128(_, scale) => reader!(Decimal128Type, scale),
        DataType::Decimal256(_, scale) => reader!(Decimal256Type, scale),
        DataType::Int8 => reader!(Int8Type, &0),
        DataType::Int16 => reader!(Int16Type, &0),
        DataType::Int32 => reader!(Int32Type, &0),
        DataType::UInt8 => reader!(UInt8Type, &0),
        DataType::UInt16 => reader!(UInt16Type, &0),
        DataType::UInt32 => reader!(UInt32Type, &0),
        DataType::UInt64 => reader!(UInt64Type, &0),
        _ => reader!(Int64Type, &0),
    }
}

fn with_digits(value: &impl std::fmt::Display, take: impl FnOnce(bool, &[u8])) {
    let mut text = [0u8; INTEGER_BYTES_MAX];
    let mut rest = &mut text[..];
    write!(rest, "{value}").expect("an integer of 256 bits fits");
    let length = INTEGER_BYTES_MAX - rest.len();
    match &text[..length] {
        [b'-', digits @ ..] => take(true, digits),
        digits => take(false, digits),
    }
}

/// The function that reads a row's string.
pub fn string_reader<'a>(array: &'a dyn Array) -> Box<dyn Fn(usize) -> &'a str + 'a> {
    match array.data_type() {
        DataType::Utf8 => {
            let values = array.as_string::<i32>();
            Box::new(move |row| values.value(row))
        }
        DataType::LargeUtf8 => {
            let values = array.as_string::<i64>();
            Box::new(move |row| values.value(row))
        }
        _ => {
            let values = array.as_string_view();
            Box::new(move |row| values.value(row))
        }
    }
}

/// The function that reads a row's bytes.
pub fn bytes_reader<'a>(array: &'a dyn Array) -> Box<dyn Fn(usize) -> &'a [u8] + 'a> {
    match array.data_type() {
        DataType::Binary => {
            let values = array.as_binary::<i32>();
            Box::new(move |row| values.value(row))
        }
        DataType::LargeBinary => {
            let values = array.as_binary::<i64>();
            Box::new(move |row| values.value(row))
        }
        DataType::FixedSizeBinary(_) => {
            let values = array.as_fixed_size_binary();
            Box::new(move |row| values.value(row))
        }
        _ => {
            let values = array.as_binary_view();
            Box::new(move |row| values.value(row))
        }
    }
}

/// The function that reads a row's date in days since 1970; `None` when it is out of range.
pub fn date_reader<'a>(array: &'a dyn Array) -> Box<dyn Fn(usize) -> Option<i32> + 'a> {
    if let Some(days) = array.as_primitive_opt::<Date32Type>() {
        return Box::new(move |row| Some(days.value(row)));
    }
    let milliseconds = array.as_primitive::<Date64Type>();
    Box::new(move |row| i32::try_from(milliseconds.value(row).div_euclid(DAY_US / 1000)).ok())
}

/// The function that reads a row's time of day in microseconds.
pub fn time_reader<'a>(array: &'a dyn Array) -> Box<dyn Fn(usize) -> i64 + 'a> {
    match array.data_type() {
        DataType::Time32(TimeUnit::Second) => {
            let values = array.as_primitive::<Time32SecondType>();
            Box::new(move |row| i64::from(values.value(row)) * SECOND_US)
        }
        DataType::Time32(_) => {
            let values = array.as_primitive::<Time32MillisecondType>();
            Box::new(move |row| i64::from(values.value(row)) * 1000)
        }
        DataType::Time64(TimeUnit::Nanosecond) => {
            let values = array.as_primitive::<Time64NanosecondType>();
            Box::new(move |row| values.value(row).div_euclid(1000))
        }
        _ => {
            let values = array.as_primitive::<Time64MicrosecondType>();
            Box::new(move |row| values.value(row))
        }
    }
}

/// The function that reads a row's timestamp in microseconds since 1970; `None` when it is out of range. The extreme
/// values of every unit are the infinities.
pub fn timestamp_reader<'a>(array: &'a dyn Array) -> Box<dyn Fn(usize) -> Option<i64> + 'a> {
    match array.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => {
            let values = array.as_primitive::<TimestampSecondType>();
            Box::new(move |row| scaled(values.value(row), SECOND_US))
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            let values = array.as_primitive::<TimestampMillisecondType>();
            Box::new(move |row| scaled(values.value(row), 1000))
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            let values = array.as_primitive::<TimestampNanosecondType>();
            Box::new(move |row| match values.value(row) {
                infinity @ (i64::MAX | i64::MIN) => Some(infinity),
                nanoseconds => Some(nanoseconds.div_euclid(1000)),
            })
        }
        _ => {
            let values = array.as_primitive::<TimestampMicrosecondType>();
            Box::new(move |row| scaled(values.value(row), 1))
        }
    }
}

fn scaled(value: i64, unit_us: i64) -> Option<i64> {
    match value {
        i64::MAX | i64::MIN => Some(value),
        _ => value.checked_mul(unit_us).filter(|timestamp_us| *timestamp_us >= TIMESTAMP_MIN_US),
    }
}

/// Months, days and microseconds.
pub type IntervalParts = (i32, i32, i64);

/// The function that reads a row's interval; `None` when it is out of range. A duration becomes whole days and the rest,
/// as PostgreSQL gives a difference of timestamps.
pub fn interval_reader<'a>(array: &'a dyn Array) -> Box<dyn Fn(usize) -> Option<IntervalParts> + 'a> {
    macro_rules! duration {
        ($type:ty, $convert:expr) => {{
            let (values, convert): (_, fn(i64) -> Option<i64>) = (array.as_primitive::<$type>(), $convert);
            Box::new(move |row| {
                let time_us = convert(values.value(row))?;
                Some((0, i32::try_from(time_us / DAY_US).ok()?, time_us % DAY_US))
            })
        }};
    }
    match array.data_type() {
        DataType::Interval(IntervalUnit::YearMonth) => {
            let values = array.as_primitive::<IntervalYearMonthType>();
            Box::new(move |row| Some((values.value(row), 0, 0)))
        }
        DataType::Interval(IntervalUnit::DayTime) => {
            let values = array.as_primitive::<IntervalDayTimeType>();
            Box::new(move |row| {
                let value = values.value(row);
                Some((0, value.days, i64::from(value.milliseconds) * 1000))
            })
        }
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            let values = array.as_primitive::<IntervalMonthDayNanoType>();
            Box::new(move |row| {
                let value = values.value(row);
                Some((value.months, value.days, value.nanoseconds / 1000))
            })
        }
        DataType::Duration(TimeUnit::Second) => {
            duration!(DurationSecondType, |value| value.checked_mul(SECOND_US))
        }
        DataType::Duration(TimeUnit::Millisecond) => {
            duration!(DurationMillisecondType, |value| value.checked_mul(1000))
        }
        DataType::Duration(TimeUnit::Nanosecond) => duration!(DurationNanosecondType, |value| Some(value / 1000)),
        _ => duration!(DurationMicrosecondType, Some),
    }
}

/// For each row the position of its value, and the values of a dictionary column.
pub fn dictionary_parts(array: &dyn Array) -> (Vec<usize>, &dyn Array) {
    let dictionary = array.as_any_dictionary();
    let values = dictionary.values().as_ref();
    // A dictionary without values has nothing but NULLs, whose positions nobody asks for.
    let keys = if values.is_empty() { Vec::new() } else { dictionary.normalized_keys() };
    (keys, values)
}

/// The position of a row's value.
pub type RowPosition<'a> = Box<dyn Fn(usize) -> usize + 'a>;

/// The function that finds the position of a row's value, and the values of a run-end encoded column.
pub fn run_parts<'a>(array: &'a dyn Array) -> (RowPosition<'a>, &'a dyn Array) {
    macro_rules! parts {
        ($type:ty) => {{
            let runs = array.as_run::<$type>();
            (Box::new(move |row| runs.get_physical_index(row)), runs.values().as_ref())
        }};
    }
    match array.data_type() {
        DataType::RunEndEncoded(ends, _) if *ends.data_type() == DataType::Int16 => parts!(Int16Type),
        DataType::RunEndEncoded(ends, _) if *ends.data_type() == DataType::Int64 => parts!(Int64Type),
        _ => parts!(Int32Type),
    }
}

/// What a list column consists of.
pub struct ListParts<'a> {
    /// The elements of all rows.
    pub values: &'a dyn Array,
    /// The type of the elements.
    pub element: &'a Field,
    /// The function that finds a row's elements.
    pub range: Box<dyn Fn(usize) -> Range<usize> + 'a>,
}

/// The parts of a column of one of Arrow's list types.
pub fn list_parts<'a>(array: &'a dyn Array) -> ListParts<'a> {
    macro_rules! parts {
        ($list:expr, $element:expr, |$it:ident, $row:ident| $range:expr) => {{
            let $it = $list;
            ListParts { values: $it.values().as_ref(), element: $element, range: Box::new(move |$row| $range) }
        }};
    }
    match array.data_type() {
        DataType::List(element) => parts!(array.as_list::<i32>(), element, |it, row| {
            it.value_offsets()[row] as usize..it.value_offsets()[row + 1] as usize
        }),
        DataType::LargeList(element) => parts!(array.as_list::<i64>(), element, |it, row| {
            it.value_offsets()[row] as usize..it.value_offsets()[row + 1] as usize
        }),
        DataType::ListView(element) => parts!(array.as_list_view::<i32>(), element, |it, row| {
            it.value_offset(row) as usize..(it.value_offset(row) + it.value_size(row)) as usize
        }),
        DataType::LargeListView(element) => parts!(array.as_list_view::<i64>(), element, |it, row| {
            it.value_offset(row) as usize..(it.value_offset(row) + it.value_size(row)) as usize
        }),
        DataType::FixedSizeList(element, _) => parts!(array.as_fixed_size_list(), element, |it, row| {
            it.value_offset(row) as usize..(it.value_offset(row) + it.value_length()) as usize
        }),
        other => unreachable!("{other} is not a list"),
    }
}
