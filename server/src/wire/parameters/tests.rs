//! Parameters in both formats.

use datafusion::common::ScalarValue;
use pg::SessionValues;
use pg::datetime::DATE_INFINITY;
use pg::types;

use super::decode;
use crate::wire::rows::Format;

fn read(oid: u32, format: Format, bytes: Option<&[u8]>) -> Result<ScalarValue, pg::PgError> {
    decode(oid, format, bytes, &SessionValues::default())
}

fn check(oid: u32, format: Format, bytes: &[u8], expected: &str) {
    let printed = match read(oid, format, Some(bytes)) {
        Ok(value) => format!("{value:?}"),
        Err(error) => error.sqlstate.code().to_owned(),
    };
    assert_eq!(printed, expected, "{bytes:?} as {oid}");
}

#[test]
fn text_and_binary_mean_the_same() {
    check(types::INT4, Format::Text, b" 42 ", "Int32(42)");
    check(types::INT4, Format::Binary, &[0, 0, 0, 42], "Int32(42)");
    check(types::BOOL, Format::Text, b"yes", "Boolean(true)");
    check(types::BOOL, Format::Binary, &[1], "Boolean(true)");
    check(types::DATE, Format::Text, b"2000-01-02", "Date32(\"2000-01-02\")");
    check(types::DATE, Format::Binary, &[0, 0, 0, 1], "Date32(\"2000-01-02\")");
    check(types::TEXT, Format::Binary, "blå".as_bytes(), "Utf8View(\"blå\")");
    check(types::UUID, Format::Binary, &[0xab; 16], &format!("FixedSizeBinary(16, \"{}\")", ["171"; 16].join(",")));
    check(types::JSONB, Format::Binary, b"\x01{}", "Utf8View(\"{}\")");
}

#[test]
fn what_is_no_value_of_the_type_is_refused() {
    check(types::INT4, Format::Text, b"x", "22P02");
    check(types::INT4, Format::Text, b"99999999999", "22003");
    check(types::INT4, Format::Binary, &[0, 0, 0, 0, 42], "22P03");
    check(types::TEXT, Format::Text, b"\xff", "22021");
    check(types::NUMERIC, Format::Binary, &[0, 0, 0, 0, 0xc0, 0, 0, 0], "0A000");
    check(types::JSONB, Format::Binary, b"{}", "22P03");
    check(types::JSONB, Format::Binary, b"\x01a\0", "22021");
    check(600, Format::Text, b"(1,2)", "0A000");
    check(types::INTERVAL, Format::Text, b"soon", "22007");
    check(types::INTERVAL, Format::Binary, &[0; 15], "22P03");
}

#[test]
fn a_date_or_time_out_of_range_does_not_become_infinite() {
    check(types::DATE, Format::Binary, &(i32::MAX - 1).to_be_bytes(), "22008");
    check(types::DATE, Format::Binary, &(i32::MIN + 1).to_be_bytes(), "22008");
    check(types::TIMESTAMP, Format::Binary, &(i64::MAX - 1).to_be_bytes(), "22008");
    check(types::TIMESTAMPTZ, Format::Binary, &(i64::MIN + 1).to_be_bytes(), "22008");
    check(types::TIME, Format::Binary, &(-1i64).to_be_bytes(), "22008");
    let infinity = ScalarValue::Date32(Some(DATE_INFINITY));
    assert_eq!(read(types::DATE, Format::Binary, Some(&i32::MAX.to_be_bytes())).ok(), Some(infinity));
}

#[test]
fn intervals_are_read_in_both_formats() {
    let value = arrow::datatypes::IntervalMonthDayNano::new(14, -3, 3_723_004_000_000);
    let expected = Some(ScalarValue::IntervalMonthDayNano(Some(value)));
    let text = b"1 year 2 mons -3 days 01:02:03.004";
    assert_eq!(read(types::INTERVAL, Format::Text, Some(text)).ok(), expected);
    let mut bytes = 3_723_004_000i64.to_be_bytes().to_vec();
    bytes.extend((-3i32).to_be_bytes());
    bytes.extend(14i32.to_be_bytes());
    assert_eq!(read(types::INTERVAL, Format::Binary, Some(&bytes)).ok(), expected);
}

#[test]
fn no_bytes_are_null() {
    assert_eq!(read(types::INT8, Format::Binary, None).ok(), Some(ScalarValue::Int64(None)));
}

fn printed(oid: u32, format: Format, bytes: &[u8]) -> String {
    match read(oid, format, Some(bytes)) {
        Ok(value) => {
            let array = value.to_array().unwrap();
            let mut out = bytes::BytesMut::new();
            pg::output::text_writer(&array, oid, -1).unwrap()(0, &mut out).unwrap();
            String::from_utf8(out.to_vec()).unwrap()
        }
        Err(error) => format!("{} {}", error.sqlstate.code(), error.message),
    }
}

/// An array as it is sent: one dimension of so many elements of a type, each after its length.
fn array_bytes(element: u32, count: i32, elements: &[Option<&[u8]>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for number in [1, 0, element.cast_signed(), count, 1] {
        bytes.extend(number.to_be_bytes());
    }
    for element in elements {
        bytes.extend(element.map_or(-1, |it| it.len() as i32).to_be_bytes());
        bytes.extend(element.unwrap_or_default());
    }
    bytes
}

#[test]
fn all_types_are_read_in_text() {
    for (oid, text, expected) in [
        (types::UUID, "A0EEBC99-9c0b-4ef8-bb6d-6bb9bd380a11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        (types::JSONB, "{\"b\":1, \"a\":2}", "{\"a\": 2, \"b\": 1}"),
        (types::JSON, "{", "22P02 invalid input syntax for type json"),
        (types::TIMETZ, "10:00+02", "10:00:00+02"),
        (types::OID, "4294967295", "4294967295"),
        (types::INT4_ARRAY, "{1,NULL,{2}", "22P02 malformed array literal: \"{1,NULL,{2}\""),
        (types::INT4_ARRAY, "{1,NULL,2}", "{1,NULL,2}"),
        (types::TEXT_ARRAY, "{}", "{}"),
        (types::NUMERIC_ARRAY, "{1.5,2.25}", "{1.5,2.25}"),
    ] {
        assert_eq!(printed(oid, Format::Text, text.as_bytes()), expected, "{text}");
    }
}

#[test]
fn all_types_are_read_in_binary() {
    let mut noon = 43_200_000_000i64.to_be_bytes().to_vec();
    noon.extend((-7200i32).to_be_bytes());
    assert_eq!(printed(types::TIMETZ, Format::Binary, &noon), "12:00:00+02");
    assert_eq!(printed(types::CHAR, Format::Binary, b"a"), "a");
    assert_eq!(printed(types::OID, Format::Binary, &[0xff; 4]), "4294967295");
    assert_eq!(printed(types::JSONB, Format::Binary, b"\x01{\"a\":  1}"), "{\"a\": 1}");
    let (one, two) = (1i32.to_be_bytes(), 2i32.to_be_bytes());
    let numbers = array_bytes(types::INT4, 3, &[Some(&one), None, Some(&two)]);
    assert_eq!(printed(types::INT4_ARRAY, Format::Binary, &numbers), "{1,NULL,2}");
    let texts = array_bytes(types::TEXT, 2, &[Some(b"a b"), Some(b"")]);
    assert_eq!(printed(types::TEXT_ARRAY, Format::Binary, &texts), "{\"a b\",\"\"}");
    assert_eq!(printed(types::TEXT_ARRAY, Format::Binary, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 25]), "{}");
}

#[test]
fn an_array_that_is_none_is_refused() {
    let one = 1i32.to_be_bytes();
    let invalid = "22P03 incorrect binary data format for type integer[]";
    for (bytes, expected) in [
        (array_bytes(types::INT8, 1, &[Some(&one)]), "42804 wrong element type"),
        (array_bytes(types::INT4, i32::MAX, &[Some(&one)]), invalid),
        (array_bytes(types::INT4, -1, &[]), invalid),
        (array_bytes(types::INT4, 1, &[]), invalid),
        (array_bytes(types::INT4, 1, &[Some(&one), Some(&one)]), invalid),
        (array_bytes(types::INT4, 1, &[Some(&[0, 1])]), "22P03 incorrect binary data format for type integer"),
    ] {
        assert_eq!(printed(types::INT4_ARRAY, Format::Binary, &bytes), expected);
    }
}
