#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Int32Array, ListArray};
use arrow::datatypes::{DataType, Field, Int32Type};
use datafusion_common::ScalarValue;
use datafusion_common::config::ConfigOptions;
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs};

use crate::error::Result;
use crate::expression_type::Type;
use crate::function::{ArgumentShape, SetCall, SetFunction};
use crate::library;
use crate::testing::{Value, call, text};
use crate::types::*;

fn int(text: &str) -> Value<'_> {
    (INT4, Some(text))
}

fn ints(text: &str) -> Value<'_> {
    (INT4_ARRAY, Some(text))
}

fn string(text: &str) -> Value<'_> {
    (TEXT, Some(text))
}

const NULL_INT: Value<'static> = (INT4, None);
const NULL_INTS: Value<'static> = (INT4_ARRAY, None);
const NULL_TEXT: Value<'static> = (TEXT, None);

fn answer(result: Result<Option<String>>) -> String {
    match result {
        Ok(Some(text)) => text,
        Ok(None) => "NULL".to_owned(),
        Err(error) => format!("{} {}", error.sqlstate, error.message),
    }
}

fn check(name: &str, arguments: &[Value<'_>], expected: &str) {
    assert_eq!(answer(call(name, arguments)), expected, "{name}{arguments:?}");
}

fn check_operator(symbol: &str, left: Value<'_>, right: Value<'_>, expected: &str) {
    let result = crate::testing::operator(symbol, &[left, right]);
    assert_eq!(answer(result), expected, "{left:?} {symbol} {right:?}");
}

#[test]
fn arrays_are_measured() {
    for (array, ndims, dims, cardinality) in [
        ("{}", "NULL", "NULL", "0"),
        ("{1,2,NULL}", "1", "[1:3]", "3"),
        ("{{1,2},{3,4},{5,6}}", "2", "[1:3][1:2]", "6"),
    ] {
        check("array_ndims", &[ints(array)], ndims);
        check("array_dims", &[ints(array)], dims);
        check("cardinality", &[ints(array)], cardinality);
    }
    check("array_dims", &[NULL_INTS], "NULL");
    for (dimension, length, lower, upper) in
        [("1", "3", "1", "3"), ("2", "2", "1", "2"), ("3", "NULL", "NULL", "NULL"), ("0", "NULL", "NULL", "NULL")]
    {
        let arguments = [ints("{{1,2},{3,4},{5,6}}"), int(dimension)];
        check("array_length", &arguments, length);
        check("array_lower", &arguments, lower);
        check("array_upper", &arguments, upper);
    }
    check("array_length", &[ints("{}"), int("1")], "NULL");
    check("array_length", &[ints("{1}"), NULL_INT], "NULL");
    check("array_lower", &[(OIDVECTOR, Some("{5,6}")), int("1")], "0");
}

#[test]
fn arrays_are_concatenated() {
    check("array_append", &[ints("{1,2}"), int("3")], "{1,2,3}");
    check("array_append", &[NULL_INTS, int("3")], "{3}");
    check("array_append", &[NULL_INTS, NULL_INT], "{NULL}");
    check("array_append", &[ints("{{1,2}}"), int("3")], "22000 argument must be empty or one-dimensional array");
    check("array_prepend", &[int("0"), ints("{1,2}")], "{0,1,2}");
    check("array_append", &[(NUMERIC_ARRAY, Some("{1.5}")), (NUMERIC, Some("2.25"))], "{1.50,2.25}");
    check("array_cat", &[ints("{1,2}"), ints("{3}")], "{1,2,3}");
    check("array_cat", &[ints("{}"), ints("{3}")], "{3}");
    check("array_cat", &[NULL_INTS, ints("{3}")], "{3}");
    check("array_cat", &[NULL_INTS, NULL_INTS], "NULL");
    check("array_cat", &[ints("{{1,2},{3,4}}"), ints("{5,6}")], "{{1,2},{3,4},{5,6}}");
    check("array_cat", &[ints("{5,6}"), ints("{{1,2},{3,4}}")], "{{5,6},{1,2},{3,4}}");
    check("array_cat", &[ints("{{1,2}}"), ints("{{3,4},{5,6}}")], "{{1,2},{3,4},{5,6}}");
    check("array_cat", &[ints("{{1,2}}"), ints("{5}")], "2202E cannot concatenate incompatible arrays");
    check("array_cat", &[ints("{{5,6}}"), ints("{{1,2,3}}")], "2202E cannot concatenate incompatible arrays");
    check("array_cat", &[ints("{{{5,6}}}"), ints("{1,2}")], "2202E cannot concatenate incompatible arrays");
}

#[test]
fn elements_are_found() {
    check("array_position", &[ints("{1,2,3,2}"), int("2")], "2");
    check("array_position", &[ints("{1,2,3,2}"), int("2"), int("3")], "4");
    check("array_position", &[ints("{1,2,3,2}"), int("2"), int("-3")], "2");
    check("array_position", &[ints("{1,2,3,2}"), int("9")], "NULL");
    check("array_position", &[ints("{1,NULL}"), NULL_INT], "2");
    check("array_position", &[ints("{1}"), NULL_INT, NULL_INT], "NULL");
    check("array_position", &[ints("{1}"), int("1"), NULL_INT], "22004 initial position must not be null");
    let many = "0A000 searching for elements in multidimensional arrays is not supported";
    check("array_position", &[ints("{{1,2}}"), int("1")], many);
    check("array_positions", &[ints("{1,2,3,2}"), int("2")], "{2,4}");
    check("array_positions", &[ints("{1,2,3,2}"), int("9")], "{}");
    check("array_positions", &[NULL_INTS, int("9")], "NULL");
    check("array_remove", &[ints("{1,2,3,2}"), int("2")], "{1,3}");
    check("array_remove", &[ints("{1,NULL}"), NULL_INT], "{1}");
    check("array_remove", &[NULL_INTS, int("1")], "NULL");
    check("array_replace", &[ints("{1,2,NULL}"), int("2"), NULL_INT], "{1,NULL,NULL}");
    check("array_replace", &[ints("{{1,2},{2,4}}"), int("2"), int("7")], "{{1,7},{7,4}}");
    check("array_position", &[(TEXT_ARRAY, Some("{a,b}")), string("b")], "2");
    check("array_position", &[(NUMERIC_ARRAY, Some("{1.0,2.50}")), (NUMERIC, Some("2.5"))], "2");
}

#[test]
fn containment_knows_no_nulls() {
    for (left, right, contains, contained, overlaps) in [
        ("{1,2,3}", "{2}", "t", "f", "t"),
        ("{1,2,3}", "{}", "t", "f", "f"),
        ("{}", "{}", "t", "t", "f"),
        ("{1,NULL}", "{NULL}", "f", "f", "f"),
        ("{1,2}", "{2,2,1}", "t", "t", "t"),
        ("{{1,2},{3,4}}", "{4,1}", "t", "f", "t"),
    ] {
        check_operator("@>", ints(left), ints(right), contains);
        check_operator("<@", ints(left), ints(right), contained);
        check_operator("&&", ints(left), ints(right), overlaps);
    }
    check_operator("&&", ints("{1}"), NULL_INTS, "NULL");
}

#[test]
fn arrays_are_ordered_by_elements_then_size_then_dimensions() {
    for (left, right, less, equal) in [
        ("{1,2}", "{1,2}", "f", "t"),
        ("{1,2}", "{1,3}", "t", "f"),
        ("{2}", "{1,3}", "f", "f"),
        ("{1}", "{1,1}", "t", "f"),
        ("{}", "{NULL}", "t", "f"),
        ("{NULL}", "{NULL}", "f", "t"),
        ("{5}", "{NULL}", "t", "f"),
        ("{1,2,3,4}", "{{1,2},{3,4}}", "t", "f"),
        ("{{1,2},{3,4},{5,6}}", "{{1,2,3},{4,5,6}}", "f", "f"),
    ] {
        let answers =
            |symbol: &str| [symbol].map(|symbol| answer(crate::testing::operator(symbol, &[ints(left), ints(right)])));
        assert_eq!(answers("<"), [less], "{left} < {right}");
        assert_eq!(answers("="), [equal], "{left} = {right}");
    }
    check_operator("=", ints("{1}"), NULL_INTS, "NULL");
    let json = (199, Some("{1}"));
    check_operator("=", json, json, "42883 could not identify an equality operator for type json");
    check_operator("<", json, json, "42883 could not identify a comparison function for type json");
    check_operator("=", (NUMERIC_ARRAY, Some("{1.0}")), (NUMERIC_ARRAY, Some("{1.000}")), "t");
}

#[test]
fn elements_and_slices_are_taken() {
    check("array_subscript", &[ints("{1,2,3}"), int("2")], "2");
    check("array_subscript", &[ints("{1,2,3}"), int("0")], "NULL");
    check("array_subscript", &[ints("{1,2,3}"), NULL_INT], "NULL");
    check("array_subscript", &[ints("{1,2,3}"), int("1"), int("1")], "NULL");
    check("array_subscript", &[ints("{{1,2},{3,4}}"), int("2"), int("1")], "3");
    check("array_subscript", &[ints("{{1,2},{3,4}}"), int("2")], "NULL");
    check("array_subscript", &[(OIDVECTOR, Some("{7,8}")), int("0")], "7");
    check("array_slice", &[ints("{1,2,3}"), int("2"), int("3")], "{2,3}");
    check("array_slice", &[ints("{1,2,3}"), int("-5"), int("2")], "{1,2}");
    check("array_slice", &[ints("{1,2,3}"), int("5"), int("9")], "{}");
    check("array_slice", &[ints("{1,2,3}"), int("-2147483648"), int("2147483647")], "{1,2,3}");
    check("array_slice", &[ints("{1,2,3}"), NULL_INT, int("2")], "NULL");
    check("array_slice", &[ints("{1,2,3}"), int("1"), NULL_INT], "NULL");
    check("array_slice", &[ints("{{1,2},{3,4}}"), int("1"), int("1")], "{{1,2}}");
    check("array_slice", &[ints("{{1,2},{3,4}}"), int("1"), int("2"), int("2"), int("2")], "{{2},{4}}");
    check("array_slice", &[ints("{{1,2},{3,4}}"), int("1"), int("2"), int("2"), int("1")], "{}");
    check("array_slice", &[ints("{1,2}"), int("1"), int("2"), int("1"), int("2")], "{}");
    check("trim_array", &[ints("{1,2,3}"), int("1")], "{1,2}");
    check("trim_array", &[ints("{1,2,3}"), int("3")], "{}");
    check("trim_array", &[ints("{{1,2},{3,4}}"), int("1")], "{{1,2}}");
    let limits = "2202E number of elements to trim must be between 0 and 3";
    check("trim_array", &[ints("{1,2,3}"), int("4")], limits);
    check("trim_array", &[ints("{1,2,3}"), int("-1")], limits);
}

#[test]
fn arrays_are_made() {
    check("array_constructor", &[int("1"), NULL_INT, int("3")], "{1,NULL,3}");
    check("array_constructor", &[ints("{1,2}"), ints("{3,4}")], "{{1,2},{3,4}}");
    check("array_constructor", &[NULL_INTS, ints("{}")], "{}");
    let mismatch = "2202E multidimensional arrays must have array expressions with matching dimensions";
    check("array_constructor", &[NULL_INTS, ints("{1}")], mismatch);
    check("array_constructor", &[ints("{1,2}"), ints("{1}")], mismatch);
    check("array_fill", &[int("7"), ints("{3}")], "{7,7,7}");
    check("array_fill", &[NULL_INT, ints("{2}")], "{NULL,NULL}");
    check("array_fill", &[int("7"), ints("{0}")], "{}");
    check("array_fill", &[int("7"), ints("{}")], "{}");
    check("array_fill", &[int("7"), ints("{2}"), ints("{1}")], "{7,7}");
    check("array_fill", &[int("7"), ints("{2,NULL}")], "22004 dimension values cannot be null");
    check("array_fill", &[int("7"), ints("{-2}")], "54000 array size exceeds the maximum allowed (134217727)");
    check("array_fill", &[int("7"), ints("{1000000000}")], "54000 array size exceeds the maximum allowed (134217727)");
    let seven = "54000 number of array dimensions (7) exceeds the maximum allowed (6)";
    check("array_fill", &[int("7"), ints("{1,1,1,1,1,1,1}")], seven);
    check("array_fill", &[int("7"), ints("{2}"), ints("{1,1}")], "2202E wrong number of array subscripts");
}

#[test]
fn arrays_are_split_and_joined() {
    check("array_to_string", &[ints("{1,NULL,3}"), string(",")], "1,3");
    check("array_to_string", &[ints("{1,NULL,3}"), string(","), string("*")], "1,*,3");
    check("array_to_string", &[ints("{1,NULL,3}"), string(","), NULL_TEXT], "1,3");
    check("array_to_string", &[ints("{{1,2},{3,4}}"), string("-")], "1-2-3-4");
    check("array_to_string", &[ints("{}"), string("-")], "");
    check("array_to_string", &[ints("{1}"), NULL_TEXT], "NULL");
    check("string_to_array", &[string("a,b,,c"), string(",")], "{a,b,\"\",c}");
    check("string_to_array", &[string("abc"), NULL_TEXT], "{a,b,c}");
    check("string_to_array", &[string("abc"), string("")], "{abc}");
    check("string_to_array", &[string(""), string(",")], "{}");
    check("string_to_array", &[string("a,x,b"), string(","), string("x")], "{a,NULL,b}");
    check("split_to_array", &[string("a|b"), string("|")], "{a,b}");
}

#[test]
fn records_are_compared_by_their_fields() {
    let row = |values: &[i32]| {
        let fields = values.iter().enumerate();
        let fields = fields.map(|(i, value)| {
            let field = Arc::new(Field::new(format!("f{i}"), DataType::Int32, true));
            (field, Arc::new(Int32Array::from(vec![*value])) as ArrayRef)
        });
        let array = arrow::array::StructArray::from(fields.collect::<Vec<_>>());
        let ty = Type { oid: RECORD, typmod: -1, arrow: array.data_type().clone() };
        (ty, ColumnarValue::Array(Arc::new(array)))
    };
    let compare = |symbol: &str, left: &[i32], right: &[i32]| {
        let (left, right) = (row(left), row(right));
        let entry = library::operators(symbol).iter().find(|it| it.arguments == [RECORD, RECORD]).unwrap();
        let crate::function::Method::Kernel(kernel) = entry.method else { panic!("no kernel") };
        let types = vec![left.0, right.0];
        let call = crate::function::Call::new(types, Type::of(BOOL), &[left.1, right.1], 1, None).unwrap();
        answer(kernel(&call).and_then(|answers| text(&answers, &Type::of(BOOL), 0)))
    };
    assert_eq!(compare("<", &[1, 2], &[1, 3]), "t");
    assert_eq!(compare("=", &[1, 2], &[1, 2]), "t");
    assert_eq!(compare(">=", &[1, 2, 3], &[2, 2]), "f");
    let widths = "42804 cannot compare record types with different numbers of columns";
    assert_eq!(compare("=", &[1, 2], &[1, 2, 3]), widths);
}

#[test]
fn keys_of_arrays_are_ordered_as_the_arrays_are() {
    let sorted = ["{}", "{1}", "{1,1}", "{1,2,3,4}", "{{1,2},{3,4}}", "{1,3}", "{2}", "{5}", "{NULL}", "{NULL,1}"];
    let keys = sorted.map(|array| answer(call("array_order", &[ints(array)])));
    assert!(keys.is_sorted(), "{keys:?}");
    let sorted = ["{}", "{a}", "{a,b}", "{aa}", "{b}", "{NULL}"];
    let keys = sorted.map(|array| answer(call("array_order", &[(TEXT_ARRAY, Some(array))])));
    assert!(keys.is_sorted() && keys[1] != keys[2], "{keys:?}");
    check("array_order", &[NULL_INTS], "NULL");
}

/// What a function answers for columns, row by row.
fn rows(name: &str, arguments: &[(Type, ColumnarValue)], rows: usize) -> Vec<String> {
    let entry =
        library::functions(name).iter().find(|it| it.arguments.len() == arguments.len() || it.variadic).unwrap();
    let constants: Vec<Option<ScalarValue>> = arguments.iter().map(|(_, value)| constant(value)).collect();
    let shapes = arguments.iter().zip(&constants);
    let shapes: Vec<_> = shapes.map(|((ty, _), it)| ArgumentShape { ty, constant: it.as_ref() }).collect();
    let result = entry.shape.map_or_else(|| Ok(Type::of(entry.result)), |shape| shape(&shapes)).unwrap();
    let (types, values): (Vec<_>, Vec<_>) = arguments.iter().cloned().unzip();
    let call = crate::function::Call::new(types, result.clone(), &values, rows, None).unwrap();
    let crate::function::Method::Kernel(kernel) = entry.method else { panic!("no kernel") };
    let answers = kernel(&call).unwrap();
    assert_eq!(answers.data_type(), &result.arrow);
    (0..rows).map(|row| answer(text(&answers, &result, row))).collect()
}

fn constant(value: &ColumnarValue) -> Option<ScalarValue> {
    match value {
        ColumnarValue::Scalar(value) => Some(value.clone()),
        ColumnarValue::Array(_) => None,
    }
}

fn strings(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(arrow::array::StringViewArray::from(values.to_vec()))
}

fn name_constant(name: &str) -> (Type, ColumnarValue) {
    (Type::of(TEXT), ColumnarValue::Scalar(ScalarValue::Utf8View(Some(name.to_owned()))))
}

#[test]
fn records_are_made_and_taken_apart() {
    let numbers: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), None]));
    let arguments = [
        (Type::of(INT4), ColumnarValue::Array(numbers.clone())),
        (Type::of(TEXT), ColumnarValue::Array(strings(&[None, Some("a b")]))),
    ];
    assert_eq!(rows("row", &arguments, 2), ["(1,)", "(,\"a b\")"]);
    let fields = vec![Type::of(INT4).field("n"), Type::of(TEXT).field("s")];
    let columns = vec![numbers, strings(&[Some("x"), Some("y")])];
    let record = arrow::array::StructArray::try_new(fields.into(), columns, Some(vec![true, false].into())).unwrap();
    let ty = Type { oid: RECORD, typmod: -1, arrow: record.data_type().clone() };
    let record: ArrayRef = Arc::new(record);
    let argument = (ty.clone(), ColumnarValue::Array(record.clone()));
    assert_eq!(rows("field_select", &[argument.clone(), name_constant("s")], 2), ["x", "NULL"]);
    assert_eq!(rows("record_order", &[argument], 2)[1], "NULL");
    // An array of records has a column for each of their fields.
    let lists = arrow::array::ListArray::try_new(
        Arc::new(Field::new("item", ty.arrow.clone(), true)),
        arrow::buffer::OffsetBuffer::from_lengths([2]),
        record,
        None,
    );
    let lists: ArrayRef = Arc::new(lists.unwrap());
    let array = Type { oid: array_type(RECORD).unwrap(), typmod: -1, arrow: lists.data_type().clone() };
    let function = library::set_functions("unnest")[0];
    let columns = (function.columns)(&[ArgumentShape { ty: &array, constant: None }]).unwrap();
    let names: Vec<_> = columns.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["n", "s"]);
    let types: Vec<Type> = columns.into_iter().map(|(_, ty)| ty).collect();
    let (lengths, columns) = super::expand(function, &lists, &types).unwrap();
    assert_eq!((lengths, columns.len(), columns[1].null_count()), (vec![2], 2, 1));
}

#[test]
fn maps_are_looked_into() {
    let mut map =
        arrow::array::MapBuilder::new(None, arrow::array::StringViewBuilder::new(), arrow::array::Int32Builder::new());
    for (key, value) in [("a", 1), ("b", 2)] {
        map.keys().append_value(key);
        map.values().append_value(value);
    }
    map.append(true).unwrap();
    map.append(false).unwrap();
    map.append(true).unwrap();
    let map: ArrayRef = Arc::new(map.finish());
    let ty = Type { oid: TEXT, typmod: -1, arrow: map.data_type().clone() };
    let argument = (ty, ColumnarValue::Array(map.clone()));
    assert_eq!(rows("map_get", &[argument.clone(), name_constant("b")], 3), ["2", "NULL", "NULL"]);
    assert_eq!(rows("map_keys", std::slice::from_ref(&argument), 3), ["{a,b}", "NULL", "{}"]);
    assert_eq!(rows("map_values", &[argument], 3), ["{1,2}", "NULL", "{}"]);
    let function = library::set_functions("unnest_map")[0];
    let (lengths, columns) = super::expand(function, &map, &[]).unwrap();
    assert_eq!((lengths, columns.len(), columns[1].len()), (vec![2, 0, 0], 2, 2));
}

/// The rows of a set, a text for each, its columns separated by bars.
fn set(name: &str, arguments: &[Value<'_>]) -> String {
    match set_rows(name, arguments) {
        Ok(rows) => rows.join(" "),
        Err(error) => format!("{} {}", error.sqlstate, error.message),
    }
}

fn set_rows(name: &str, arguments: &[Value<'_>]) -> Result<Vec<String>> {
    let fits = |entry: &&&SetFunction| {
        let fits = |(declared, (oid, _)): (&u32, &Value<'_>)| declared == oid || type_name(*declared).contains("any");
        entry.arguments.len() == arguments.len() && entry.arguments.iter().zip(arguments).all(fits)
    };
    let entry = library::set_functions(name).iter().find(fits).unwrap();
    let scalar = |(oid, text): &Value<'_>| match text {
        Some(text) if element_type(*oid).is_some() => crate::testing::array(*oid, text),
        Some(text) => crate::input::value(&Type::of(*oid), text, &Default::default()),
        None => Ok((Type::of(*oid), ScalarValue::try_from(&Type::of(*oid).arrow)?)),
    };
    let values: Vec<_> = arguments.iter().map(scalar).collect::<Result<_>>()?;
    let shapes: Vec<_> = values.iter().map(|(ty, value)| ArgumentShape { ty, constant: Some(value) }).collect();
    let columns: Vec<Type> = (entry.columns)(&shapes)?.into_iter().map(|(_, ty)| ty).collect();
    let (types, arguments) = values.into_iter().unzip();
    let rows = (entry.rows)(SetCall { arguments, types, columns: columns.clone(), session: Default::default() })?;
    let mut lines = Vec::new();
    for chunk in rows {
        let chunk = chunk?;
        for row in 0..chunk[0].len() {
            let texts = chunk.iter().zip(&columns).map(|(column, ty)| {
                assert_eq!(column.data_type(), &ty.arrow);
                Ok(text(column, ty, row)?.unwrap_or_else(|| "NULL".to_owned()))
            });
            lines.push(texts.collect::<Result<Vec<_>>>()?.join("|"));
        }
    }
    Ok(lines)
}

#[test]
fn series_end_at_their_last_value() {
    let zero = "22023 step size cannot equal zero";
    for (oid, arguments, expected) in [
        (INT4, &["1", "3"][..], "1 2 3"),
        (INT4, &["3", "1"], ""),
        (INT4, &["3", "1", "-1"], "3 2 1"),
        (INT4, &["1", "10", "4"], "1 5 9"),
        (INT4, &["2147483645", "2147483647", "2"], "2147483645 2147483647"),
        (INT4, &["1", "3", "0"], zero),
        (INT8, &["9223372036854775806", "9223372036854775807"], "9223372036854775806 9223372036854775807"),
        (NUMERIC, &["1.0", "2", "0.5"], "1 1.5 2"),
        (NUMERIC, &["2", "1", "-0.25"], "2 1.75 1.5 1.25 1"),
        (NUMERIC, &["1", "2", "0.0"], zero),
    ] {
        let arguments: Vec<Value<'_>> = arguments.iter().map(|text| (oid, Some(*text))).collect();
        assert_eq!(set("generate_series", &arguments), expected, "{arguments:?}");
    }
    assert_eq!(set("generate_series", &[int("1"), NULL_INT]), "");
    assert_eq!(set_rows("generate_series", &[int("1"), int("20000")]).unwrap().len(), 20_000);
}

#[test]
fn series_of_timestamps_go_by_their_interval() {
    let series = |start, stop, step| {
        let timestamp = |text| (TIMESTAMP, Some(text));
        set("generate_series", &[timestamp(start), timestamp(stop), (INTERVAL, Some(step))])
    };
    let expected = "2024-02-28 00:00:00 2024-02-29 00:00:00 2024-03-01 00:00:00";
    assert_eq!(series("2024-02-28", "2024-03-01 12:00", "1 day"), expected);
    assert_eq!(
        series("2024-01-01", "2023-12-31", "-12 hours"),
        "2024-01-01 00:00:00 2023-12-31 12:00:00 2023-12-31 00:00:00"
    );
    assert_eq!(series("2024-01-01", "2024-01-02", "0"), "22023 step size cannot equal zero");
    assert_eq!(series("2024-01-01", "2023-01-02", "1 day"), "");
}

#[test]
fn arrays_are_unnested() {
    assert_eq!(set("unnest", &[ints("{1,NULL,3}")]), "1 NULL 3");
    assert_eq!(set("unnest", &[ints("{{1,2},{3,4}}")]), "1 2 3 4");
    assert_eq!(set("unnest", &[NULL_INTS]), "");
    assert_eq!(set("generate_subscripts", &[ints("{{1,2,3},{3,4,5}}"), int("2")]), "1 2 3");
    assert_eq!(set("generate_subscripts", &[ints("{7,8}"), int("1"), (BOOL, Some("t"))]), "2 1");
    assert_eq!(set("generate_subscripts", &[ints("{7,8}"), int("2")]), "");
}

/// `x < ANY (array)` or `ALL` for these values and arrays.
fn quantified(all: bool, left: ColumnarValue, array: ColumnarValue, rows: usize) -> Vec<Option<bool>> {
    let operator = library::operators("<").iter().find(|it| it.arguments == [INT4, INT4]).unwrap();
    let function = super::quantified(operator, all, Type::of(INT4), Type::of(INT4_ARRAY)).unwrap();
    let field = |ty: Type| Arc::new(ty.field("x"));
    let answers = function.invoke_with_args(ScalarFunctionArgs {
        args: vec![left, array],
        arg_fields: vec![field(Type::of(INT4)), field(Type::of(INT4_ARRAY))],
        number_rows: rows,
        return_field: field(Type::of(BOOL)),
        config_options: Arc::new(ConfigOptions::default()),
    });
    let answers = answers.unwrap().into_array(rows).unwrap();
    answers.as_any().downcast_ref::<BooleanArray>().unwrap().iter().collect()
}

#[test]
fn any_and_all_have_three_values() {
    let lists: Vec<Option<Vec<Option<i32>>>> =
        vec![Some(vec![Some(1), Some(5)]), Some(vec![Some(1), None]), Some(vec![]), None, Some(vec![Some(9)])];
    let left = Int32Array::from(vec![Some(3), Some(3), None, Some(3), None]);
    let arrays = ListArray::from_iter_primitive::<Int32Type, _, _>(lists.clone());
    let column = |array: &dyn Array| ColumnarValue::Array(arrow::array::make_array(array.to_data()));
    let any = vec![Some(true), None, Some(false), None, None];
    let all = vec![Some(false), Some(false), Some(true), None, None];
    assert_eq!(quantified(false, column(&left), column(&arrays), 5), any);
    assert_eq!(quantified(true, column(&left), column(&arrays), 5), all);
    // Each array as a constant beside a column, and beside a constant.
    for (row, list) in lists.into_iter().enumerate() {
        let array = ListArray::from_iter_primitive::<Int32Type, _, _>([list]);
        let array = ColumnarValue::Scalar(ScalarValue::List(Arc::new(array)));
        let value = left.slice(row, 1);
        for rows in [1, 4] {
            let values = arrow::compute::take(&value, &Int32Array::from(vec![0; rows]), None).unwrap();
            assert_eq!(quantified(false, column(&values), array.clone(), rows), vec![any[row]; rows], "{row}");
            assert_eq!(quantified(true, column(&values), array.clone(), rows), vec![all[row]; rows], "{row}");
        }
        let value = ColumnarValue::Scalar(ScalarValue::try_from_array(&value, 0).unwrap());
        assert_eq!(quantified(false, value, array, 1), vec![any[row]]);
    }
}

#[test]
fn a_constant_array_is_a_list() {
    use datafusion_common::DFSchema;
    use datafusion_expr::simplify::{ExprSimplifyResult, SimplifyContext};
    use datafusion_expr::{Expr, col};

    let simplified = |symbol: &str, left: Type, oid: u32, text: &str, all: bool| {
        let (array, value) = crate::testing::array(oid, text).unwrap();
        let element = element_type(oid).unwrap();
        let operators = library::operators(symbol);
        let operator = operators.iter().find(|it| it.arguments == [left.oid, element]).unwrap();
        let schema = DFSchema::from_unqualified_fields(vec![left.field("x")].into(), Default::default()).unwrap();
        let context = SimplifyContext::builder().with_schema(Arc::new(schema)).build();
        let function = super::quantified(operator, all, left, array).unwrap();
        match function.simplify(vec![col("x"), Expr::Literal(value, None)], &context).unwrap() {
            ExprSimplifyResult::Simplified(expr) => expr.to_string(),
            ExprSimplifyResult::Original(_) => "as it was".to_owned(),
        }
    };
    let int8 = || Type::of(INT8);
    let expected = "x IN ([Int64(1), Int64(2), Int64(NULL)])";
    assert_eq!(simplified("=", int8(), INT4_ARRAY, "{1,2,NULL}", false), expected);
    assert_eq!(simplified("<>", int8(), INT4_ARRAY, "{1,2}", true), "x NOT IN ([Int64(1), Int64(2)])");
    assert_eq!(simplified("=", int8(), INT4_ARRAY, "{}", false), "Boolean(false)");
    assert_eq!(simplified("=", int8(), INT4_ARRAY, "{1}", true), "as it was");
    assert_eq!(simplified("<", int8(), INT4_ARRAY, "{1}", false), "as it was");
    let price = || Type::numeric(10, 2);
    let expected = "x IN ([Decimal128(1.50,10,2)])";
    assert_eq!(simplified("=", price(), NUMERIC_ARRAY, "{1.5}", false), expected);
    let wide = simplified("=", price(), NUMERIC_ARRAY, "{1.555}", false);
    assert!(wide.starts_with("CAST(x AS Decimal"), "{wide}");
    assert_eq!(simplified("=", Type::of(INT4), INT8_ARRAY, "{5}", false), "x IN ([Int32(5)])");
}
