#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use arrow::array::{ArrayRef, ListArray, StringViewArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field};
use datafusion_common::ScalarValue;
use datafusion_expr::ColumnarValue;

use crate::expression_type::Type;
use crate::function::{Call, Function, Method};
use crate::library;
use crate::testing::{Value, call, operator, text};
use crate::types::*;

/// An argument: a value of a type, or an array of texts.
#[derive(Debug, Clone)]
pub(super) enum Argument<'a> {
    Value(u32, Option<&'a str>),
    Texts(Vec<Option<&'a str>>),
}

fn column(argument: &Argument<'_>) -> (Type, ArrayRef) {
    match argument {
        Argument::Value(BOOL, value) => {
            let values = vec![value.map(|value| value == "t")];
            (Type::of(BOOL), Arc::new(arrow::array::BooleanArray::from(values)))
        }
        Argument::Value(oid, value) => (Type::of(*oid), Arc::new(StringViewArray::from(vec![*value]))),
        Argument::Texts(values) => {
            let field = Arc::new(Field::new("item", DataType::Utf8View, true));
            let offsets = OffsetBuffer::from_lengths([values.len()]);
            let values = Arc::new(StringViewArray::from(values.clone()));
            (Type::of(TEXT_ARRAY), Arc::new(ListArray::new(field, offsets, values, None)))
        }
    }
}

/// What a function or operator answers that takes arrays of texts or a jsonpath.
pub(super) fn answer(entries: &[&'static Function], arguments: &[Argument<'_>]) -> String {
    let (types, columns): (Vec<Type>, Vec<ArrayRef>) = arguments.iter().map(column).unzip();
    let oids: Vec<u32> = types.iter().map(|ty| ty.oid).collect();
    let function = entries.iter().find(|function| function.arguments == oids).unwrap();
    let Method::Kernel(kernel) = function.method else { panic!("{} has no kernel", function.name) };
    let result = Type::of(function.result);
    let constants: Vec<_> =
        columns.iter().map(|column| ColumnarValue::Scalar(ScalarValue::try_from_array(column, 0).unwrap())).collect();
    let run = |values: &[ColumnarValue]| kernel(&Call::new(types.clone(), result.clone(), values, 1, None)?);
    let arrays: Vec<_> = columns.into_iter().map(ColumnarValue::Array).collect();
    let both = [&constants, &arrays].map(|values| show(run(values).and_then(|column| text(&column, &result, 0))));
    assert_eq!(both[0], both[1], "{}", function.name);
    both[0].clone()
}

fn check_array_call(name: &str, arguments: &[Argument<'_>], expected: &str) {
    let entries = match library::operators(name) {
        [] => library::functions(name),
        operators => operators,
    };
    assert_eq!(answer(entries, arguments), expected, "{name} {arguments:?}");
}

/// The elements of an array as they are between braces.
fn texts(written: &str) -> Argument<'_> {
    let elements = written.split(',').filter(|element| !element.is_empty());
    Argument::Texts(elements.map(|element| (element != "NULL").then_some(element)).collect())
}

#[test]
fn a_path_of_steps() {
    for (ty, json, symbol, path, expected) in [
        (JSON, r#"{"a":1,"a":2}"#, "#>", "a", "2"),
        (JSON, " [1, 2]", "#>", "", "[1, 2]"),
        (JSON, "\"ab\"", "#>>", "", "ab"),
        (JSONB, "null", "#>>", "", "NULL"),
        (JSONB, "null", "#>", "", "null"),
        (JSON, "[1,[2,3]]", "#>", "1,-1", "3"),
        (JSON, "[1,[2,3]]", "#>", "1,x", "NULL"),
        (JSON, r#"{"1":5}"#, "#>", "1", "5"),
        (JSON, "[1]", "#>", "0,NULL", "NULL"),
        (JSONB, "5", "#>", "0", "NULL"),
        (JSONB, "[1, 2]", "#>", "+1", "2"),
        (JSONB, "[1, 2]", "#>", "1 ", "NULL"),
        (JSONB, "[1, 2]", "#>", "99999999999", "NULL"),
        (JSONB, r#"{"a": {"b": [1, 2, 3]}}"#, "#-", "a,b,-1", r#"{"a": {"b": [1, 2]}}"#),
        (JSONB, r#"{"a": 1}"#, "#-", "b,c", r#"{"a": 1}"#),
        (JSONB, "[1, 2]", "#-", "x", "22P02: path element at position 1 is not an integer: \"x\""),
        (JSONB, r#"{"a": 1}"#, "#-", "a,NULL", "22004: path element at position 2 is null"),
        (JSONB, "1", "#-", "a", "22023: cannot delete path in scalar"),
        (JSONB, r#"{"a": 1, "b": 2}"#, "-", "a,c", r#"{"b": 2}"#),
        (JSONB, r#"{"a": 1}"#, "?|", "b,a", "t"),
        (JSONB, r#"{"a": 1}"#, "?&", "b,a", "f"),
        (JSONB, r#"{"a": 1}"#, "?&", "", "t"),
        (JSONB, r#"{"a": 1}"#, "?|", "NULL", "f"),
    ] {
        check_array_call(symbol, &[Argument::Value(ty, Some(json)), texts(path)], expected);
    }
}

#[test]
fn parts_are_set_and_inserted() {
    let null = "22023: null_value_treatment must be \"delete_key\", \"return_target\", \"use_json_null\", or \"raise_exception\"";
    let existing = "22023: cannot replace existing key";
    for (name, json, path, value, flag, expected) in [
        ("jsonb_set", r#"{"a": [1, 2]}"#, "a,0", "9", None, r#"{"a": [9, 2]}"#),
        ("jsonb_set", r#"{"a": [1, 2]}"#, "a,5", "9", None, r#"{"a": [1, 2, 9]}"#),
        ("jsonb_set", r#"{"a": [1, 2]}"#, "a,-5", "9", None, r#"{"a": [9, 1, 2]}"#),
        ("jsonb_set", r#"{"a": [1, 2]}"#, "a,5", "9", Some("f"), r#"{"a": [1, 2]}"#),
        ("jsonb_set", r#"{"a": 1}"#, "b,c", "9", None, r#"{"a": 1}"#),
        ("jsonb_set", r#"{"a": 1}"#, "b", "9", None, r#"{"a": 1, "b": 9}"#),
        ("jsonb_set", "[]", "-3", "1", None, "[1]"),
        ("jsonb_set", r#"{"a": 5}"#, "a,b", "1", None, r#"{"a": 5}"#),
        ("jsonb_set", "5", "a", "1", None, "22023: cannot set path in scalar"),
        ("jsonb_set", "[[1]]", "0,NULL", "2", None, "22004: path element at position 2 is null"),
        ("jsonb_insert", r#"{"a": [0, 1, 2]}"#, "a,1", "\"n\"", None, r#"{"a": [0, "n", 1, 2]}"#),
        ("jsonb_insert", r#"{"a": [0, 1, 2]}"#, "a,-1", "\"n\"", Some("t"), r#"{"a": [0, 1, 2, "n"]}"#),
        ("jsonb_insert", r#"{"a": [0, 1, 2]}"#, "a,-10", "\"n\"", None, r#"{"a": ["n", 0, 1, 2]}"#),
        ("jsonb_insert", r#"{"a": 1}"#, "a", "2", None, existing),
    ] {
        let mut arguments = vec![Argument::Value(JSONB, Some(json)), texts(path), Argument::Value(JSONB, Some(value))];
        arguments.extend(flag.map(|flag| Argument::Value(BOOL, Some(flag))));
        check_array_call(name, &arguments, expected);
    }
    for (treatment, expected) in [
        (Some("use_json_null"), r#"{"a": null}"#),
        (Some("delete_key"), "{}"),
        (Some("return_target"), r#"{"a": 1}"#),
        (Some("raise_exception"), "22004: JSON value must not be null"),
        (Some("xx"), null),
        (None, null),
    ] {
        let target = Argument::Value(JSONB, Some(r#"{"a": 1}"#));
        let flags = [Argument::Value(JSONB, None), Argument::Value(BOOL, Some("t")), Argument::Value(TEXT, treatment)];
        let [value, create, treatment] = flags;
        check_array_call("jsonb_set_lax", &[target, texts("a"), value, create, treatment], expected);
    }
}

#[test]
fn objects_are_made_of_arrays() {
    check_array_call("json_object", &[texts("a,1,b,x y,c,NULL")], r#"{"a" : "1", "b" : "x y", "c" : null}"#);
    check_array_call("jsonb_object", &[texts("b,1,a,2,b,3")], r#"{"a": "2", "b": "3"}"#);
    check_array_call("json_object", &[texts("")], "{}");
    check_array_call("json_object", &[texts("a")], "2202E: array must have even number of elements");
    check_array_call("json_object", &[texts("NULL,b")], "22004: null value not allowed for object key");
    check_array_call("json_object", &[texts("a,b"), texts("1,NULL")], r#"{"a" : "1", "b" : null}"#);
    check_array_call("json_object", &[texts("a,b"), texts("1")], "2202E: mismatched array dimensions");
    check_array_call("json_object", &[texts("a,b"), texts("")], "2202E: wrong number of array subscripts");
    check_array_call("jsonb_object", &[texts(""), texts("")], "{}");
}

fn show(answer: crate::error::Result<Option<String>>) -> String {
    match answer {
        Ok(Some(text)) => text,
        Ok(None) => "NULL".to_owned(),
        Err(error) => format!("{}: {}", error.sqlstate, error.message),
    }
}

fn check_operators(left_type: u32, right_type: u32, cases: &[(&str, &str, &str, &str)]) {
    for (left, symbol, right, expected) in cases {
        let operands: [Value<'_>; 2] = [(left_type, Some(left)), (right_type, Some(right))];
        assert_eq!(show(operator(symbol, &operands)), *expected, "{left} {symbol} {right}");
    }
}

#[test]
fn a_member_is_found_by_its_key() {
    check_operators(
        JSON,
        TEXT,
        &[
            (r#"{"a":1,"a":2}"#, "->", "a", "2"),
            (r#" { "x" : [1 , {"y": 2 } ] } "#, "->", "x", r#"[1 , {"y": 2 } ]"#),
            (r#"{"a":null}"#, "->>", "a", "NULL"),
            (r#"{"a":null}"#, "->", "a", "null"),
            (r#"{"a":"\u0041\n"}"#, "->>", "a", "A\n"),
            (r#"{"\u0061":1}"#, "->", "a", "1"),
            ("[1]", "->", "0", "NULL"),
            (r#"{"a":"\u0000"}"#, "->>", "a", "22P05: unsupported Unicode escape sequence"),
        ],
    );
    check_operators(
        JSON,
        INT4,
        &[
            ("[1, 2 ]", "->", "-1", "2"),
            ("[1]", "->", "-2", "NULL"),
            (r#""x""#, "->", "0", "NULL"),
            (r#"[1,2,{"b":   3}]"#, "->>", "2", r#"{"b":   3}"#),
        ],
    );
    check_operators(JSONB, INT4, &[(r#""x""#, "->", "0", r#""x""#), (r#"{"a": 1}"#, "->", "0", "NULL")]);
}

#[test]
fn jsonb_operators() {
    check_operators(
        JSONB,
        JSONB,
        &[
            ("1", "||", "2", "[1, 2]"),
            (r#"{"a": 1}"#, "||", "[2]", r#"[{"a": 1}, 2]"#),
            (r#"{"a": 1}"#, "||", r#"{"a": 2, "b": 3}"#, r#"{"a": 2, "b": 3}"#),
            (r#"{"a": 1}"#, "||", "2", r#"[{"a": 1}, 2]"#),
            ("[1]", "||", "[[2]]", "[1, [2]]"),
            (r#"{"a":1,"b":[1,2,{"c":3}]}"#, "@>", r#"{"b":[2]}"#, "t"),
            ("[1,2]", "@>", "1", "t"),
            ("1", "@>", "[1]", "f"),
            ("[1,2]", "@>", "[2,1,1]", "t"),
            ("[[1,2]]", "@>", "[[2]]", "t"),
            ("[1]", "@>", "[1.0]", "t"),
            ("[]", "@>", "{}", "f"),
            (r#"{"a":[1]}"#, "@>", r#"{"a":1}"#, "f"),
            ("[1,[1]]", "@>", "[[1]]", "t"),
            ("[2]", "<@", "[1,2]", "t"),
            ("[1.0]", "=", "[1]", "t"),
            ("[]", "<", "null", "t"),
            ("1", "<", r#""a""#, "f"),
            ("{}", ">", "[1, 2]", "t"),
        ],
    );
    check_operators(
        JSONB,
        TEXT,
        &[
            (r#"["a", "b", 1, "a"]"#, "-", "a", r#"["b", 1]"#),
            ("1", "-", "a", "22023: cannot delete from scalar"),
            (r#"["a", 1]"#, "?", "a", "t"),
            (r#""a""#, "?", "a", "t"),
            ("[1]", "?", "1", "f"),
        ],
    );
    check_operators(
        JSONB,
        INT4,
        &[
            ("[1, 2, 3]", "-", "-1", "[1, 2]"),
            ("[1, 2, 3]", "-", "5", "[1, 2, 3]"),
            (r#"{"a": 1}"#, "-", "1", "22023: cannot delete from object using integer index"),
        ],
    );
}

fn check_call(name: &str, arguments: &[Value<'_>], expected: &str) {
    assert_eq!(show(call(name, arguments)), expected, "{name} {arguments:?}");
}

#[test]
fn values_become_json() {
    for (ty, text, expected) in [
        (TEXT, "a\"\\/\u{8}\u{7f}\u{1}\n", "\"a\\\"\\\\/\\b\u{7f}\\u0001\\n\""),
        (INT4, "-5", "-5"),
        (NUMERIC, "1.25", "1.25"),
        (FLOAT8, "1e20", "1e+20"),
        (FLOAT8, "NaN", "\"NaN\""),
        (BOOL, "t", "true"),
        (DATE, "2020-01-01", "\"2020-01-01\""),
        (TIMESTAMP, "2020-01-01 10:00:00.5", "\"2020-01-01T10:00:00.5\""),
        (TIMESTAMP, "0044-03-15 01:02:03 BC", "\"0044-03-15T01:02:03 BC\""),
        (TIMESTAMPTZ, "2020-01-01 10:00:00.5+02", "\"2020-01-01T08:00:00.5+00:00\""),
        (TIMESTAMPTZ, "infinity", "\"infinity\""),
        (BYTEA, "\\x0102", "\"\\\\x0102\""),
        (INTERVAL, "1 day", "\"1 day\""),
        (JSON, " [1 ]", " [1 ]"),
    ] {
        check_call("to_json", &[(ty, Some(text))], expected);
    }
    check_call("to_jsonb", &[(FLOAT8, Some("1e20"))], "100000000000000000000");
    check_call("to_jsonb", &[(JSON, Some(" {\"b\":1 ,\"a\":2}"))], r#"{"a": 2, "b": 1}"#);
    check_call("json_build_array", &[(INT4, Some("1")), (TEXT, Some("a")), (INT4, None)], r#"[1, "a", null]"#);
    check_call("json_build_object", &[(TEXT, Some("a")), (INT4, Some("1"))], r#"{"a" : 1}"#);
    let pairs: &[Value<'_>] = &[(TEXT, Some("bb")), (INT4, Some("1")), (TEXT, Some("a")), (BOOL, Some("f"))];
    check_call("jsonb_build_object", pairs, r#"{"a": false, "bb": 1}"#);
    check_call("json_build_object", &[(INT4, Some("1"))], "22023: argument list must have even number of elements");
    check_call("json_build_object", &[(TEXT, None), (INT4, None)], "22023: argument 1 cannot be null");
    check_call(
        "json_build_object",
        &[(JSON, Some("{}")), (INT4, None)],
        "22023: key value must be scalar, not array, composite, or json",
    );
}

#[test]
fn json_is_written_anew() {
    let json = r#"{"a" : null, "b":[null, {"c" : null}] , "d":1.0e3, "e": {}}"#;
    check_call("json_strip_nulls", &[(JSON, Some(json))], r#"{"b":[null,{}],"d":1.0e3,"e":{}}"#);
    check_call("jsonb_strip_nulls", &[(JSONB, Some(json))], r#"{"b": [null, {}], "d": 1000, "e": {}}"#);
    check_call(
        "jsonb_pretty",
        &[(JSONB, Some(r#"{"a": {}, "b": [], "c": [1, {"x": 2}]}"#))],
        "{\n    \"a\": {\n    },\n    \"b\": [\n    ],\n    \"c\": [\n        1,\n        {\n            \"x\": 2\n        }\n    ]\n}",
    );
}

#[test]
fn redshift_functions() {
    let text = |text| (TEXT, Some(text));
    let json = r#"{"a":{"b":"x"}, "c":[1,2]}"#;
    check_call("json_extract_path_text", &[text(json), text("a"), text("b")], "x");
    check_call("json_extract_path_text", &[text(json), text("a"), text("z")], "NULL");
    check_call("json_extract_path_text", &[text("{"), text("a"), (BOOL, Some("t"))], "NULL");
    check_call("json_extract_path_text", &[text("{"), text("a")], "22P02: invalid input syntax for type json");
    check_call("json_extract_array_element_text", &[text("[1,\"x\"]"), (INT4, Some("1"))], "x");
    check_call("json_extract_array_element_text", &[text("[1]"), (INT4, Some("-1"))], "NULL");
    check_call("json_array_length", &[text("[1,[2,3]]")], "2");
    check_call("json_array_length", &[text("{"), (BOOL, Some("t"))], "NULL");
    check_call("is_valid_json", &[text(json)], "t");
    check_call("is_valid_json", &[text("[1]")], "f");
    check_call("is_valid_json_array", &[text("[1]")], "t");
    check_call("can_json_parse", &[text("{")], "f");
    check_call("json_serialize", &[(JSON, Some(" {\"a\" : [1, 2]}"))], "{\"a\":[1,2]}");
}
