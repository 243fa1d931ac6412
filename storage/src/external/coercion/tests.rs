#![allow(clippy::unwrap_used)]

use arrow::array::{
    BinaryArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array, StringArray,
    Time64MicrosecondArray, Time64NanosecondArray, TimestampNanosecondArray,
};
use catalog::types::NumericSize;

use super::*;

fn numeric(precision: u8, scale: i8) -> SqlType {
    SqlType::Numeric(Some(NumericSize { precision, scale }))
}

/// What a file's values become, in Arrow's text form; `Err` is why they do not.
fn read(array: impl Array + 'static, declared: SqlType) -> Result<String, Option<Misfit>> {
    let array: ArrayRef = Arc::new(array);
    let rule = coercion(array.data_type(), &declared).ok_or(None)?;
    let read = rule.apply(&array, &declared.in_flight()).map_err(Some)?;
    assert_eq!(*read.data_type(), declared.in_flight());
    let texts = (0..read.len()).map(|row| arrow::util::display::array_value_to_string(&read, row).unwrap());
    Ok(texts.collect::<Vec<_>>().join(" "))
}

fn check(array: impl Array + 'static, declared: SqlType, expected: &str) {
    assert_eq!(read(array, declared).as_deref(), Ok(expected));
}

#[test]
fn integers_are_exact_or_out_of_range() {
    check(Int32Array::from(vec![1, -2]), SqlType::BigInt, "1 -2");
    check(Int64Array::from(vec![1, -2]), SqlType::SmallInt, "1 -2");
    assert_eq!(read(Int64Array::from(vec![1 << 40]), SqlType::Integer), Err(Some(Misfit::OutOfRange)));
    let whole = Decimal128Array::from(vec![7]).with_precision_and_scale(38, 0).unwrap();
    check(whole, SqlType::BigInt, "7");
    let fraction = Decimal128Array::from(vec![7]).with_precision_and_scale(38, 1).unwrap();
    assert_eq!(read(fraction, SqlType::BigInt), Err(None));
    assert_eq!(read(Float64Array::from(vec![1.0]), SqlType::BigInt), Err(None));
}

#[test]
fn decimals_are_rounded_only_when_a_scale_is_declared() {
    let decimals = || Decimal128Array::from(vec![12_345, -12_345]).with_precision_and_scale(10, 3).unwrap();
    check(decimals(), numeric(10, 2), "12.35 -12.35");
    check(decimals(), numeric(10, 5), "12.34500 -12.34500");
    check(decimals(), SqlType::Double, "12.345 -12.345");
    assert_eq!(read(decimals(), numeric(3, 2)), Err(Some(Misfit::OutOfRange)));
    let fine = |value| Decimal128Array::from(vec![value]).with_precision_and_scale(38, 20).unwrap();
    check(fine(100), SqlType::Numeric(None), "0.000000000000000001");
    assert_eq!(read(fine(101), SqlType::Numeric(None)), Err(Some(Misfit::OutOfRange)));
}

#[test]
fn floats_are_rounded() {
    check(Float64Array::from(vec![0.1, 2.5]), SqlType::Numeric(None), "0.100000000000000000 2.500000000000000000");
    check(Float64Array::from(vec![0.1]), SqlType::Real, "0.1");
    assert_eq!(read(Float64Array::from(vec![1e300]), SqlType::Real), Err(Some(Misfit::OutOfRange)));
    assert_eq!(read(Float64Array::from(vec![f64::NAN]), numeric(5, 2)), Err(Some(Misfit::OutOfRange)));
}

#[test]
fn times_are_counted_in_microseconds() {
    let nanoseconds = || TimestampNanosecondArray::from(vec![1_999, -1]).with_timezone("America/New_York");
    check(nanoseconds(), SqlType::Timestamp, "1970-01-01T00:00:00.000001 1969-12-31T23:59:59.999999");
    check(nanoseconds(), SqlType::TimestampTz, "1970-01-01T00:00:00.000001Z 1969-12-31T23:59:59.999999Z");
    check(Date32Array::from(vec![1]), SqlType::Timestamp, "1970-01-02T00:00:00");
    assert_eq!(read(Date32Array::from(vec![i32::MAX]), SqlType::Timestamp), Err(Some(Misfit::OutOfRange)));
    assert_eq!(read(TimestampNanosecondArray::from(vec![1]), SqlType::Date), Err(None));
    assert_eq!(read(Int64Array::from(vec![1]), SqlType::Timestamp), Err(None));
}

#[test]
fn times_are_within_a_day() {
    let day = 86_400_000_000;
    check(Time64MicrosecondArray::from(vec![Some(0), None, Some(1)]), SqlType::Time, "00:00:00  00:00:00.000001");
    assert!(read(Time64NanosecondArray::from(vec![day * 1000]), SqlType::Time).is_ok());
    for outside in [-1, day + 1, i64::MAX] {
        let read = read(Time64MicrosecondArray::from(vec![outside]), SqlType::Time);
        assert_eq!(read, Err(Some(Misfit::OutOfRange)), "{outside}");
    }
}

#[test]
fn texts_are_taken_as_they_are() {
    check(StringArray::from(vec!["a  "]), SqlType::Varchar(Some(1)), "a  ");
    check(StringArray::from(vec!["a  "]), SqlType::Char(3), "a");
    check(BinaryArray::from(vec![b"a".as_slice()]), SqlType::Text, "a");
    assert_eq!(read(BinaryArray::from(vec![b"\xff".as_slice()]), SqlType::Text), Err(Some(Misfit::NotUtf8)));
    assert_eq!(read(StringArray::from(vec!["1"]), SqlType::Integer), Err(None));
    assert_eq!(read(StringArray::from(vec!["1"]), SqlType::Bytea), Err(None));
    assert_eq!(read(Int32Array::from(vec![1]), SqlType::Text), Err(None));
}

#[test]
fn a_dictionary_is_read_as_its_values() {
    let dictionary: arrow::array::DictionaryArray<arrow::datatypes::Int32Type> =
        vec!["a", "b", "a"].into_iter().collect();
    check(dictionary, SqlType::Text, "a b a");
}
