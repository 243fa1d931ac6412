#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, Int32Array, Int64Array, LargeListArray, ListArray, MapArray, NullArray, StringArray, StructArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Fields};
use catalog::SqlType;
use catalog::types::{MapEntry, StructField};

use super::*;
use crate::external::test_tables::Lake;

fn integers(values: &[Option<i32>]) -> ArrayRef {
    Arc::new(Int32Array::from(values.to_vec()))
}

fn texts(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn structs(fields: Vec<(&str, ArrayRef)>, nulls: Option<Vec<bool>>) -> ArrayRef {
    let (fields, columns): (Vec<_>, Vec<_>) =
        fields.into_iter().map(|(name, array)| (Field::new(name, array.data_type().clone(), true), array)).unzip();
    Arc::new(StructArray::new(fields.into(), columns, nulls.map(NullBuffer::from)))
}

fn lists(element_name: &str, lengths: &[usize], values: ArrayRef, nulls: Option<Vec<bool>>) -> ArrayRef {
    let field = Arc::new(Field::new(element_name, values.data_type().clone(), true));
    let offsets = OffsetBuffer::from_lengths(lengths.iter().copied());
    Arc::new(ListArray::new(field, offsets, values, nulls.map(NullBuffer::from)))
}

fn maps(names: [&str; 3], lengths: &[usize], keys: ArrayRef, values: ArrayRef) -> ArrayRef {
    let fields = Fields::from(vec![
        Field::new(names[1], keys.data_type().clone(), false),
        Field::new(names[2], values.data_type().clone(), true),
    ]);
    let entries = StructArray::new(fields.clone(), vec![keys, values], None);
    let field = Arc::new(Field::new(names[0], DataType::Struct(fields), false));
    Arc::new(MapArray::new(field, OffsetBuffer::from_lengths(lengths.iter().copied()), entries, None, false))
}

fn struct_type(fields: &[(&str, SqlType)]) -> SqlType {
    let field = |(name, sql_type): &(&str, SqlType)| StructField { name: (*name).into(), sql_type: sql_type.clone() };
    SqlType::Struct(fields.iter().map(field).collect())
}

fn map_type(key: SqlType, value: SqlType) -> SqlType {
    SqlType::Map(Box::new(MapEntry { key, value }))
}

fn check(array: &ArrayRef, declared: &SqlType, expected: &[&str]) {
    let rule = reading(array.data_type(), declared).unwrap();
    let read = rule.apply(array, &declared.in_flight()).unwrap();
    assert_eq!(*read.data_type(), declared.in_flight());
    let text = |row| match read.is_null(row) {
        true => "NULL".to_owned(),
        false => arrow::util::display::array_value_to_string(&read, row).unwrap(),
    };
    assert_eq!((0..read.len()).map(text).collect::<Vec<_>>(), expected, "{declared}");
}

fn check_unreadable(array: &ArrayRef, declared: &SqlType, path: &[&str]) {
    assert_eq!(reading(array.data_type(), declared).unwrap_err().path, path, "{declared}");
}

#[test]
fn fields_are_found_by_name() {
    let in_file = structs(
        vec![
            ("extra", integers(&[Some(0), Some(0), Some(0)])),
            ("B", texts(&[Some("x"), None, Some("z")])),
            ("a", integers(&[Some(1), Some(2), Some(3)])),
        ],
        Some(vec![true, true, false]),
    );
    let declared =
        struct_type(&[("a", SqlType::BigInt), ("b", SqlType::Varchar(Some(20))), ("later", SqlType::Boolean)]);
    check(&in_file, &declared, &["{a: 1, b: x, later: }", "{a: 2, b: , later: }", "NULL"]);
    check_unreadable(&in_file, &struct_type(&[("b", SqlType::Integer)]), &["b"]);
    check_unreadable(&in_file, &SqlType::Integer, &[]);
    check_unreadable(&integers(&[Some(1)]), &declared, &[]);
    let twice = structs(vec![("A", integers(&[None])), ("a ", integers(&[None])), ("Ä", integers(&[None]))], None);
    check(&twice, &struct_type(&[("a", SqlType::Integer), ("ä", SqlType::Integer)]), &["{a: , ä: }"]);
    let ambiguous = structs(vec![("X", integers(&[None])), ("x", integers(&[None])), ("b", integers(&[None]))], None);
    check(&ambiguous, &struct_type(&[("x", SqlType::Integer)]), &["{x: }"]);
    let ambiguous = structs(vec![("XY", integers(&[None])), ("xY", integers(&[None]))], None);
    check_unreadable(&ambiguous, &struct_type(&[("xy", SqlType::Integer)]), &["xy"]);
}

/// A field that its file says is never NULL has some value under a struct that is.
#[test]
fn a_field_of_a_null_struct_is_null() {
    let field = Field::new("a", DataType::Int32, false);
    let values: ArrayRef = Arc::new(Int32Array::from(vec![1, 0]));
    let in_file: ArrayRef =
        Arc::new(StructArray::new(vec![field].into(), vec![values], Some(vec![true, false].into())));
    let declared = struct_type(&[("a", SqlType::Integer)]);
    let read = reading(in_file.data_type(), &declared).unwrap().apply(&in_file, &declared.in_flight()).unwrap();
    assert!(read.as_struct().column(0).is_null(1));
}

#[test]
fn the_name_of_an_element_does_not_count() {
    for name in ["element", "item", "array", "list", "bag"] {
        let in_file = lists(name, &[2, 0, 1], integers(&[Some(1), None, Some(3)]), Some(vec![true, true, false]));
        check(&in_file, &SqlType::array_of(SqlType::BigInt), &["[1, ]", "[]", "NULL"]);
        check_unreadable(&in_file, &SqlType::array_of(SqlType::Text), &["element"]);
        check_unreadable(&in_file, &SqlType::Integer, &[]);
        check_unreadable(&in_file, &struct_type(&[("a", SqlType::Integer)]), &[]);
    }
    let field = Arc::new(Field::new("item", DataType::Int64, true));
    let values = Arc::new(Int64Array::from(vec![7, 8]));
    let large: ArrayRef = Arc::new(LargeListArray::new(field, OffsetBuffer::from_lengths([1, 1]), values, None));
    check(&large, &SqlType::array_of(SqlType::Integer), &["[7]", "[8]"]);
    let unknown = lists("item", &[1], Arc::new(NullArray::new(1)), None);
    check(&unknown, &SqlType::array_of(SqlType::Integer), &["[]"]);
}

#[test]
fn arrays_of_structs_are_read_as_structs_are() {
    let items = structs(vec![("qty", integers(&[Some(1), Some(2)])), ("sku", texts(&[Some("a"), Some("b")]))], None);
    let in_file = lists("element", &[2, 0], items, None);
    let item = struct_type(&[("sku", SqlType::Text), ("qty", SqlType::BigInt), ("note", SqlType::Text)]);
    check(&in_file, &SqlType::array_of(item), &["[{sku: a, qty: 1, note: }, {sku: b, qty: 2, note: }]", "[]"]);
    check_unreadable(&in_file, &SqlType::array_of(struct_type(&[("sku", SqlType::Date)])), &["element", "sku"]);
}

#[test]
fn fields_that_are_not_declared_are_not_needed() {
    let item = structs(vec![("x", integers(&[None])), ("sku", texts(&[None])), ("Qty", integers(&[None]))], None);
    let list = lists("element", &[1], item, None);
    let check = |declared: &SqlType, expected: &[&str]| {
        let needed = needed(list.data_type(), &reading(list.data_type(), declared).unwrap());
        let DataType::List(item) = needed else { panic!("{needed} is no list") };
        let DataType::Struct(fields) = item.data_type() else { panic!("{item} is no struct") };
        assert_eq!(fields.iter().map(|field| field.name().as_str()).collect::<Vec<_>>(), expected, "{declared}");
    };
    let array_of = |fields: &[(&str, SqlType)]| SqlType::array_of(struct_type(fields));
    check(&array_of(&[("qty", SqlType::Integer), ("sku", SqlType::Text)]), &["sku", "Qty"]);
    check(&array_of(&[("later", SqlType::Integer)]), &["x", "sku", "Qty"]);
}

#[test]
fn the_names_of_entries_do_not_count() {
    for names in [["entries", "keys", "values"], ["key_value", "key", "value"], ["map", "key", "value"]] {
        let in_file = maps(names, &[2, 0], texts(&[Some("a"), Some("b")]), integers(&[Some(1), None]));
        check(&in_file, &map_type(SqlType::Varchar(Some(10)), SqlType::BigInt), &["{a: 1, b: }", "{}"]);
        check_unreadable(&in_file, &map_type(SqlType::Text, SqlType::Text), &["value"]);
        check_unreadable(&in_file, &map_type(SqlType::Integer, SqlType::Integer), &["key"]);
    }
}

#[test]
fn an_array_of_arrays_has_to_be_rectangular() {
    let declared = SqlType::array_of(SqlType::array_of(SqlType::Integer));
    let inner = |lengths: &[usize]| lists("element", lengths, integers(&[Some(1), Some(2), Some(3), Some(4)]), None);
    check(&lists("element", &[2, 0], inner(&[2, 2]), None), &declared, &["[[1, 2], [3, 4]]", "[]"]);
    for ragged in [inner(&[1, 3]), inner(&[4, 0])] {
        let array = lists("element", &[2], ragged, None);
        let rule = reading(array.data_type(), &declared).unwrap();
        assert_eq!(rule.apply(&array, &declared.in_flight()), Err(Misfit::NotRectangular));
    }
}

#[tokio::test]
async fn nested_columns_come_from_files_that_differ() {
    let lake = Lake::new();
    let customer = structs(vec![("NAME", texts(&[Some("ann"), None])), ("id", integers(&[Some(1), Some(2)]))], None);
    lake.write("t/a", vec![("customer", customer), ("id", integers(&[Some(1), Some(2)]))]);
    let customer = structs(vec![("vip", integers(&[Some(1)])), ("name", texts(&[Some("bob")]))], Some(vec![false]));
    let items = lists("array", &[2], structs(vec![("sku", texts(&[Some("x"), Some("y")]))], None), None);
    lake.write("t/b", vec![("id", integers(&[Some(3)])), ("Items", items), ("customer", customer)]);
    let customer = struct_type(&[("id", SqlType::BigInt), ("name", SqlType::Text)]);
    let item = struct_type(&[("sku", SqlType::Text)]);
    let columns = [("id", SqlType::Integer), ("customer", customer), ("items", SqlType::array_of(item))];
    lake.table("t", &columns);
    let rows = lake.query("SELECT id, customer, items FROM t ORDER BY id").await;
    assert_eq!(rows, ["1|{id: 1, name: ann}|NULL", "2|{id: 2, name: }|NULL", "3|NULL|[{sku: x}, {sku: y}]"]);
    for late_filters in [false, true] {
        lake.set_late_filters(late_filters);
        assert_eq!(lake.query("SELECT customer.name FROM t ORDER BY id").await, ["ann", "NULL", "NULL"]);
        assert_eq!(lake.query("SELECT id FROM t WHERE customer.id >= 2").await, ["2"]);
        assert_eq!(lake.query("SELECT id FROM t WHERE customer.name IS NULL ORDER BY id").await, ["2", "3"]);
        assert_eq!(lake.query("SELECT id FROM t WHERE id = 2 AND customer.id = 2").await, ["2"]);
    }
    lake.table("t", &[("customer", struct_type(&[("name", SqlType::Integer)]))]);
    for query in ["SELECT customer FROM t", "SELECT customer.name FROM t"] {
        let refusal = lake.refusal(query).await;
        assert!(refusal.starts_with("column \"customer.name\""), "{refusal}");
    }
}

/// Only the bytes of the field are read, also where its struct has many others.
#[tokio::test]
async fn a_field_is_read_without_the_rest_of_its_struct() {
    let lake = Lake::new();
    let long: Vec<String> = (0..4).map(|number| format!("{number}").repeat(1_000_000)).collect();
    let long: ArrayRef = Arc::new(StringArray::from(long));
    let ids = integers(&(0..4).map(Some).collect::<Vec<_>>());
    lake.write("t/a", vec![("c", structs(vec![("Long", long), ("id", ids)], None))]);
    lake.table("t", &[("c", struct_type(&[("id", SqlType::BigInt), ("long", SqlType::Text)]))]);
    for query in ["SELECT sum(c.id) FROM t", "SELECT max(c.id) FROM t WHERE c.id < 3"] {
        let bytes = lake.scan(query).await.unwrap().bytes_scanned;
        assert!(bytes < 1_000_000, "{query} reads {bytes} bytes");
    }
    assert!(lake.scan("SELECT max(c.long) FROM t").await.unwrap().bytes_scanned > 1_000_000);
    lake.table("t", &[("c", struct_type(&[("later", SqlType::Text), ("id", SqlType::BigInt)]))]);
    let scanned = lake.scan("SELECT c FROM t").await.unwrap();
    assert_eq!(scanned.rows[0], "{later: , id: 0}");
    assert!(scanned.bytes_scanned < 1_000_000, "{} bytes", scanned.bytes_scanned);
}

/// Lists of two levels, as writers made them before the format had three.
#[tokio::test]
async fn lists_without_a_group_of_their_own_are_read() {
    use parquet::data_type::Int32Type;
    let lake = Lake::new();
    let schema = "message t { optional group numbers (LIST) { repeated int32 array; } repeated int32 bare; }";
    let schema = Arc::new(parquet::schema::parser::parse_message_type(schema).unwrap());
    let file = std::fs::File::create(lake.path("t/a")).unwrap();
    let mut writer = parquet::file::writer::SerializedFileWriter::new(file, schema, Arc::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    // Two, none, NULL; and then one, none, two.
    for (values, definitions, repetitions) in
        [(&[1, 2], &[2, 2, 1, 0][..], &[0, 1, 0, 0][..]), (&[3, 4], &[1, 0, 1], &[0, 0, 0])]
    {
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<Int32Type>().write_batch(values, Some(definitions), Some(repetitions)).unwrap();
        column.close().unwrap();
    }
    group.close().unwrap();
    writer.close().unwrap();
    let integers = SqlType::array_of(SqlType::BigInt);
    lake.table("t", &[("numbers", integers.clone()), ("bare", integers)]);
    assert_eq!(lake.query("SELECT numbers, bare FROM t").await, ["[1, 2]|[3]", "[]|[]", "NULL|[4]"]);
}
