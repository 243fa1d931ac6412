use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::*;
use arrow::datatypes::*;
use catalog::types::{METADATA_OID, METADATA_TYPMOD};

use super::*;
use pg::types;

/// The values of the rows of one column, as they are in the messages.
fn values(field: Field, array: ArrayRef, format: Format) -> Result<Vec<Option<Vec<u8>>>, EncodeError> {
    let rows = array.len();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(vec![field.with_nullable(true)])), vec![array]).unwrap();
    let mut out = BytesMut::new();
    RowEncoder::new(&batch.schema(), &[format]).encode(&batch, 0..rows, &mut out)?;
    let mut rest = &out[..];
    let mut values = Vec::new();
    while !rest.is_empty() {
        assert_eq!(rest[0], b'D');
        let length = i32::from_be_bytes(rest[1..5].try_into().unwrap()) as usize;
        assert_eq!(rest[5..7], [0, 1]);
        let value = i32::from_be_bytes(rest[7..11].try_into().unwrap());
        values.push((value >= 0).then(|| rest[11..11 + value as usize].to_vec()));
        assert_eq!(length, 10 + value.max(0) as usize);
        rest = &rest[1 + length..];
    }
    Ok(values)
}

fn described(data_type: &DataType, oid: u32, typmod: i32) -> Field {
    let metadata =
        HashMap::from([(METADATA_OID.to_owned(), oid.to_string()), (METADATA_TYPMOD.to_owned(), typmod.to_string())]);
    Field::new("c", data_type.clone(), true).with_metadata(metadata)
}

fn check_field(field: Field, array: ArrayRef, expected: &[&str]) {
    let found: Vec<_> = values(field, array, Format::Text)
        .unwrap()
        .into_iter()
        .map(|value| value.map_or_else(|| "<null>".to_owned(), |value| String::from_utf8(value).unwrap()))
        .collect();
    assert_eq!(found, expected);
}

fn check_text(array: impl Array + 'static, expected: &[&str]) {
    check_field(Field::new("c", array.data_type().clone(), true), Arc::new(array), expected);
}

/// `expected` is in hexadecimal, as `encode(…_send(value), 'hex')` prints it; spaces do not count.
fn check_binary(field: Field, array: ArrayRef, expected: &[&str]) {
    let hex = |bytes: &Vec<u8>| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let found: Vec<_> = values(field, array, Format::Binary).unwrap();
    let found: Vec<_> = found.iter().map(|it| it.as_ref().map_or_else(|| "<null>".to_owned(), hex)).collect();
    let expected: Vec<_> = expected.iter().map(|it| it.replace([' ', '\n'], "")).collect();
    assert_eq!(found, expected);
}

fn check_binary_plain(array: impl Array + 'static, expected: &[&str]) {
    check_binary(Field::new("c", array.data_type().clone(), true), Arc::new(array), expected);
}

fn decimals(values: Vec<Option<i128>>, precision: u8, scale: i8) -> Decimal128Array {
    Decimal128Array::from(values).with_precision_and_scale(precision, scale).unwrap()
}

#[test]
fn scalars_are_printed() {
    check_text(BooleanArray::from(vec![Some(true), Some(false), None]), &["t", "f", "<null>"]);
    check_text(Int64Array::from(vec![i64::MIN, 0, 42]), &["-9223372036854775808", "0", "42"]);
    check_text(UInt64Array::from(vec![u64::MAX]), &["18446744073709551615"]);
    check_text(decimals(vec![Some(-5), Some(12345), None], 10, 3), &["-0.005", "12.345", "<null>"]);
    let wide = Decimal256Array::from(vec![i256::MAX]).with_precision_and_scale(76, 2);
    assert!(wide.is_ok());
    check_text(StringViewArray::from(vec!["", "ä"]), &["", "ä"]);
    check_text(BinaryArray::from(vec![&b"\x00\xff"[..]]), &["\\x00ff"]);
    check_text(NullArray::new(1), &["<null>"]);
}

#[test]
fn a_decimal_of_256_bits_is_printed() {
    let value = i256::from_string("1234567890123456789012345678901234567890123456789").unwrap();
    let array = Decimal256Array::from(vec![value]).with_precision_and_scale(76, 9).unwrap();
    check_text(array, &["1234567890123456789012345678901234567890.123456789"]);
}

#[test]
fn metadata_changes_what_is_printed() {
    let text = DataType::Utf8View;
    let strings = || Arc::new(StringViewArray::from(vec!["ab", "äöüß"]));
    check_field(described(&text, types::BPCHAR, 8), strings(), &["ab  ", "äöüß"]);
    check_field(described(&text, types::VARCHAR, 8), strings(), &["ab", "äöüß"]);
    let numeric = |scale| {
        Field::new("c", DataType::Decimal128(38, scale), true)
            .with_metadata(HashMap::from([(METADATA_OID.to_owned(), "1700".to_owned())]))
    };
    let unconstrained = Arc::new(decimals(vec![Some(1_500_000_000_000_000_000), Some(0)], 38, 18));
    check_field(numeric(18), unconstrained, &["1.5", "0"]);
    check_field(numeric(3), Arc::new(decimals(vec![Some(1_500), Some(0)], 38, 3)), &["1.500", "0.000"]);
    let uuid = FixedSizeBinaryArray::try_from_iter([[0x12u8; 16]].into_iter()).unwrap();
    check_field(
        described(&DataType::FixedSizeBinary(16), types::UUID, -1),
        Arc::new(uuid),
        &["12121212-1212-1212-1212-121212121212"],
    );
}

#[test]
fn dates_and_times_of_every_unit_are_printed() {
    check_text(Date64Array::from(vec![-1, 86_400_000]), &["1969-12-31", "1970-01-02"]);
    check_text(Time32MillisecondArray::from(vec![1_500]), &["00:00:01.5"]);
    check_text(Time64NanosecondArray::from(vec![1_999]), &["00:00:00.000001"]);
    check_text(TimestampSecondArray::from(vec![0]).with_timezone("Europe/Berlin"), &["1970-01-01 00:00:00+00"]);
    check_text(TimestampMillisecondArray::from(vec![1]), &["1970-01-01 00:00:00.001"]);
    let nanoseconds = vec![-1, i64::MAX, i64::MIN];
    check_text(TimestampNanosecondArray::from(nanoseconds), &["1969-12-31 23:59:59.999999", "infinity", "-infinity"]);
    check_text(DurationMillisecondArray::from(vec![90_061_001, -1]), &["1 day 01:01:01.001", "-00:00:00.001"]);
    check_text(IntervalYearMonthArray::from(vec![14]), &["1 year 2 mons"]);
    check_text(
        IntervalMonthDayNanoArray::from(vec![IntervalMonthDayNano::new(1, 2, 3_000_000_000)]),
        &["1 mon 2 days 00:00:03"],
    );
}

#[test]
fn a_timestamp_out_of_range_is_an_error_and_leaves_no_part_of_a_row() {
    let array: ArrayRef = Arc::new(TimestampSecondArray::from(vec![0, i64::MAX - 1]));
    let schema = Schema::new(vec![Field::new("c", array.data_type().clone(), true)]);
    let batch = RecordBatch::try_new(Arc::new(schema), vec![array]).unwrap();
    let mut out = BytesMut::new();
    let error = RowEncoder::new(&batch.schema(), &[]).encode(&batch, 0..2, &mut out).unwrap_err();
    assert_eq!(error.sqlstate(), SqlState::DATETIME_FIELD_OVERFLOW);
    assert!(out.is_empty());
}

/// Rows whose slices end early because of a column in the middle, with cells of all lengths around the short ones.
#[test]
fn columns_come_together_to_rows() {
    let rows = 1000;
    let text =
        |row: usize| (!row.is_multiple_of(7)).then(|| "ä".repeat(row % 40 + if row % 100 == 50 { 200_000 } else { 0 }));
    let number = |row: usize| (!row.is_multiple_of(5)).then_some(row as i32 - 500);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int32Array::from_iter((0..rows).map(number))),
        Arc::new(StringViewArray::from_iter((0..rows).map(text))),
        Arc::new(Int64Array::from_iter_values((0..rows).map(|row| row as i64))),
    ];
    let field = |(number, array): (usize, &ArrayRef)| Field::new(format!("c{number}"), array.data_type().clone(), true);
    let schema = Schema::new(columns.iter().enumerate().map(field).collect::<Vec<_>>());
    let batch = RecordBatch::try_new(Arc::new(schema), columns).unwrap();
    let mut out = BytesMut::new();
    RowEncoder::new(&batch.schema(), &[]).encode(&batch, 3..rows, &mut out).unwrap();
    let mut expected = Vec::new();
    for row in 3..rows {
        let cells = [number(row).map(|it| it.to_string()), text(row), Some(row.to_string())];
        let length: usize = cells.iter().map(|it| 4 + it.as_ref().map_or(0, String::len)).sum();
        expected.push(b'D');
        expected.extend((length as i32 + 6).to_be_bytes());
        expected.extend(3i16.to_be_bytes());
        for cell in cells {
            expected.extend(cell.as_ref().map_or(-1, |it| it.len() as i32).to_be_bytes());
            expected.extend(cell.unwrap_or_default().bytes());
        }
    }
    assert!(out == expected);
}

#[test]
fn containers_are_quoted_as_their_readers_need() {
    let strings = ["a", "", "a b", "null", "a\"b\\c", "{", "ä"];
    let mut list = ListBuilder::new(StringBuilder::new());
    strings.iter().for_each(|it| list.values().append_value(it));
    list.values().append_null();
    list.append(true);
    list.append(true);
    list.append(false);
    check_text(list.finish(), &[r#"{a,"","a b","null","a\"b\\c","{",ä,NULL}"#, "{}", "<null>"]);

    let nested = ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), None]), Some(vec![Some(3)])]);
    let field = Arc::new(Field::new("item", nested.data_type().clone(), true));
    let offsets = arrow::buffer::OffsetBuffer::from_lengths([2]);
    check_text(ListArray::new(field, offsets, Arc::new(nested), None), &["{{1,NULL},{3}}"]);

    let fields: Fields = vec![Field::new("a", DataType::Utf8, true), Field::new("b", DataType::Int32, true)].into();
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["a b", "", "x\"\\"]));
    let numbers: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), None, Some(3)]));
    check_text(StructArray::new(fields, vec![texts, numbers], None), &[r#"("a b",1)"#, r#"("",)"#, r#"("x""\\",3)"#]);

    let mut map = MapBuilder::new(None, StringBuilder::new(), Float64Builder::new());
    map.keys().append_value("a\"\n");
    map.values().append_value(1.5);
    map.keys().append_value("b");
    map.values().append_value(f64::NAN);
    map.keys().append_value("c");
    map.values().append_null();
    map.append(true).unwrap();
    check_text(map.finish(), &[r#"{"a\"\n": 1.5, "b": "NaN", "c": null}"#]);
}

#[test]
fn encoded_columns_are_printed_by_their_values() {
    let dictionary: DictionaryArray<Int32Type> = [Some("x"), None, Some("y"), Some("x")].into_iter().collect();
    check_text(dictionary.slice(1, 3), &["<null>", "y", "x"]);
    let empty: DictionaryArray<Int32Type> = [None::<&str>].into_iter().collect();
    check_text(empty, &["<null>"]);
    let runs = RunArray::<Int32Type>::try_new(
        &Int32Array::from(vec![2, 3, 5]),
        &Int64Array::from(vec![Some(7), None, Some(9)]),
    )
    .unwrap();
    check_text(runs.slice(1, 3), &["7", "<null>", "9"]);
}

#[test]
fn vectors_of_the_system_catalogs_have_no_braces() {
    let vector = ListArray::from_iter_primitive::<UInt32Type, _, _>([Some(vec![Some(1), Some(23)])]);
    let field = described(vector.data_type(), types::OIDVECTOR, -1);
    check_field(field.clone(), Arc::new(vector.clone()), &["1 23"]);
    check_binary(
        field,
        Arc::new(vector),
        &["00000001 00000000 0000001a 00000002 00000000 00000004 00000001 00000004 00000017"],
    );
}

#[test]
fn binary_integers_have_the_width_of_the_described_type() {
    let wide: ArrayRef = Arc::new(Int64Array::from(vec![-2]));
    check_binary(described(&DataType::Int64, types::INT2, -1), Arc::clone(&wide), &["fffe"]);
    check_binary(described(&DataType::Int64, types::INT4, -1), Arc::clone(&wide), &["fffffffe"]);
    check_binary(described(&DataType::Int64, types::INT8, -1), wide, &["fffffffffffffffe"]);
    check_binary_plain(Int8Array::from(vec![Some(-2), None]), &["fffe", "<null>"]);
    check_binary_plain(UInt32Array::from(vec![u32::MAX]), &["00000000ffffffff"]);
    let oids: ArrayRef = Arc::new(UInt32Array::from(vec![u32::MAX]));
    check_binary(described(&DataType::UInt32, types::OID, -1), oids, &["ffffffff"]);
    let too_wide: ArrayRef = Arc::new(Int64Array::from(vec![1 << 40]));
    let error = values(described(&DataType::Int64, types::INT4, -1), too_wide, Format::Binary).unwrap_err();
    assert_eq!((error.sqlstate().code(), error.to_string().as_str()), ("22003", "integer out of range"));
}

#[test]
fn binary_values_are_what_the_send_functions_write() {
    check_binary_plain(BooleanArray::from(vec![true, false]), &["01", "00"]);
    check_binary_plain(Float32Array::from(vec![1.5]), &["3fc00000"]);
    check_binary_plain(Float64Array::from(vec![-0.0, f64::INFINITY]), &["8000000000000000", "7ff0000000000000"]);
    check_binary_plain(
        decimals(vec![Some(-150), Some(0), Some(1234567890)], 12, 2),
        &["0002 0000 4000 0002 0001 1388", "0000 0000 0000 0002", "0003 0001 0000 0002 04d2 162e 2328"],
    );
    check_binary_plain(UInt64Array::from(vec![10_000]), &["0001 0001 0000 0000 0001"]);
    check_binary_plain(StringArray::from(vec!["ä"]), &["c3a4"]);
    check_binary_plain(BinaryViewArray::from(vec![&b"\x00\xff"[..]]), &["00ff"]);
    check_binary_plain(Date32Array::from(vec![10_958, 0, i32::MAX]), &["00000001", "ffffd533", "7fffffff"]);
    check_binary_plain(Time64MicrosecondArray::from(vec![1]), &["0000000000000001"]);
    check_binary_plain(
        TimestampMicrosecondArray::from(vec![946_684_800_000_001, i64::MIN]),
        &["0000000000000001", "8000000000000000"],
    );
    check_binary_plain(
        IntervalMonthDayNanoArray::from(vec![IntervalMonthDayNano::new(1, 2, 3_000)]),
        &["0000000000000003 00000002 00000001"],
    );
    check_binary_plain(
        ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), None]), Some(vec![])]),
        &["00000001 00000001 00000017 00000002 00000001 00000004 00000001 ffffffff", "00000000 00000000 00000017"],
    );
}

#[test]
fn binary_containers_say_what_is_in_them() {
    let fields: Fields =
        vec![Field::new("f1", DataType::Int32, true), Field::new("f2", DataType::Utf8View, true)].into();
    let columns: Vec<ArrayRef> =
        vec![Arc::new(Int32Array::from(vec![Some(1)])), Arc::new(StringViewArray::from(vec![None::<&str>]))];
    check_binary_plain(
        StructArray::new(fields, columns, None),
        &["00000002 00000017 00000004 00000001 00000019 ffffffff"],
    );
    let inner =
        ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), None]), Some(vec![Some(3), Some(4)])]);
    let field = Arc::new(Field::new("item", inner.data_type().clone(), true));
    let offsets = arrow::buffer::OffsetBuffer::from_lengths([2]);
    check_binary_plain(
        ListArray::new(field, offsets, Arc::new(inner), None),
        &["00000002 00000001 00000017 00000002 00000001 00000002 00000001
           00000004 00000001 ffffffff 00000004 00000003 00000004 00000004"],
    );
}

#[test]
fn binary_times_with_zones_count_west_of_utc() {
    let ty = pg::Type::of(types::TIMETZ);
    let DataType::Struct(fields) = ty.arrow.clone() else { unreachable!("two fields") };
    let columns: Vec<ArrayRef> =
        vec![Arc::new(Time64MicrosecondArray::from(vec![36_000_500_000])), Arc::new(Int32Array::from(vec![19_800]))];
    let array: ArrayRef = Arc::new(StructArray::new(fields, columns, None));
    check_field(ty.field("c"), Arc::clone(&array), &["10:00:00.5+05:30"]);
    check_binary(ty.field("c"), array, &["0000000861cc0920 ffffb2a8"]);
}

#[test]
fn a_type_without_a_binary_format_is_refused() {
    let array: ArrayRef = Arc::new(StringArray::from(vec!["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"]));
    let error = values(described(&DataType::Utf8, types::UUID, -1), array, Format::Binary).unwrap_err();
    assert_eq!(error.sqlstate(), SqlState::FEATURE_NOT_SUPPORTED);
    assert_eq!(error.to_string(), "no binary output function available for type uuid");
}
