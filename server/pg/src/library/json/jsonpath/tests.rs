#![allow(clippy::unwrap_used)]

use super::normalize_jsonpath;
use crate::library;
use crate::library::json::tests::{Argument, answer};
use crate::types::*;

fn show<T: ToString>(answer: crate::error::Result<Option<T>>) -> String {
    match answer {
        Ok(Some(text)) => text.to_string(),
        Ok(None) => "NULL".to_owned(),
        Err(error) => format!("{}: {}", error.sqlstate, error.message),
    }
}

fn check_print(path: &str, expected: &str) {
    assert_eq!(show(normalize_jsonpath(path).map(Some)), expected, "{path}");
}

#[test]
fn a_path_is_printed_as_postgresql_does() {
    for (path, expected) in [
        ("$", "$"),
        ("$.a.b[*]", r#"$."a"."b"[*]"#),
        (
            r#"strict $.a ? (@ > 1 && @.b == "x" || !(@.c < 2))"#,
            r#"strict $."a"?(@ > 1 && @."b" == "x" || !(@."c" < 2))"#,
        ),
        ("lax $[0, 2 to last].x", r#"$[0,2 to last]."x""#),
        ("$.**{2 to 5}.a", r#"$.**{2 to 5}."a""#),
        ("$.**{2 to last}", "$.**{2 to last}"),
        ("$.**", "$.**"),
        ("$.**{last}", "$.**{last}"),
        ("$.a.type().size()", r#"$."a".type().size()"#),
        (r#"$ ? (@.a like_regex "^x" flag "imsq")"#, r#"$?(@."a" like_regex "^x" flag "ismq")"#),
        (r#"$ ? (@ like_regex "a" flag "")"#, r#"$?(@ like_regex "a")"#),
        (r#"$ ? (@.a starts with $x)"#, r#"$?(@."a" starts with $"x")"#),
        ("$ ? (exists (@.x))", r#"$?(exists (@."x"))"#),
        ("$ ? (! exists (@))", "$?(!(exists (@)))"),
        ("$ ? ((@ > 1) is unknown)", "$?((@ > 1) is unknown)"),
        ("$.a + 1 * -2", r#"($."a" + 1 * -2)"#),
        ("($.a + 1) * 2", r#"(($."a" + 1) * 2)"#),
        ("-$.a[0]", r#"(-$."a"[0])"#),
        ("$x.y", r#"$"x"."y""#),
        (r#"$.datetime("yyyy")"#, r#"$.datetime("yyyy")"#),
        ("1.5e2", "150"),
        (".5", "0.5"),
        ("1.", "1"),
        ("$ ? (@.a <> 1)", r#"$?(@."a" != 1)"#),
        ("($.a)[0]", r#"$."a"[0]"#),
        ("(-1).abs()", "(-1).abs()"),
        ("$.a - 2 - 3", r#"(($."a" - 2) - 3)"#),
        ("1 + 2 - 3 * 4 / 5 % 6", "((1 + 2) - ((3 * 4) / 5) % 6)"),
        ("-(1 + 2)", "(-(1 + 2))"),
        ("- - 1", "1"),
        ("1 - -1", "(1 - -1)"),
        ("!($.a == 1)", r#"!($."a" == 1)"#),
        ("1 == 1 || 2 == 2 && 3 == 3", "(1 == 1 || 2 == 2 && 3 == 3)"),
        ("(1 == 1 || 2 == 2) && 3 == 3", "((1 == 1 || 2 == 2) && 3 == 3)"),
        ("1 == 1 && 2 == 2 && 3 == 3 && 4 == 4", "(((1 == 1 && 2 == 2) && 3 == 3) && 4 == 4)"),
        ("1 == 1 && (2 == 2 && 3 == 3)", "(1 == 1 && (2 == 2 && 3 == 3))"),
        ("($ == 1).type()", "($ == 1).type()"),
        ("(true)", "true"),
        (r#"$.a /* c */ .b"#, r#"$."a"."b""#),
        (r#"$."\u0041\x41\q""#, r#"$."AAq""#),
        (r#""\ud83d\ude00""#, "\"😀\""),
        ("$.true.null.to.is", r#"$."true"."null"."to"."is""#),
        ("STRICT $", "strict $"),
        ("$.datetime", r#"$."datetime""#),
        ("1 .type()", "(1).type()"),
    ] {
        check_print(path, expected);
    }
}

#[test]
fn what_is_not_a_path_is_refused_as_postgresql_does() {
    for (path, expected) in [
        ("", "22P02: invalid input syntax for type jsonpath: \"\""),
        ("$.", "42601: syntax error at end of jsonpath input"),
        ("$.$a", "42601: syntax error at or near \"$a\" of jsonpath input"),
        ("@", "42601: @ is not allowed in root expressions"),
        ("last", "42601: LAST is allowed only in array subscripts"),
        (r#"$ ? (@ like_regex "(")"#, "2201B: invalid regular expression: parentheses () not balanced"),
        (r#"$ ? (@ like_regex "a" flag "z")"#, "42601: invalid input syntax for type jsonpath"),
        ("$.foo()", "42601: syntax error at or near \"(\" of jsonpath input"),
        ("1a", "42601: trailing junk after numeric literal at or near \"1a\" of jsonpath input"),
        ("12abc", "42601: syntax error at end of jsonpath input"),
        ("01", "42601: trailing junk after numeric literal at or near \"01\" of jsonpath input"),
        ("$.1a", "42601: trailing junk after numeric literal at or near \".1a\" of jsonpath input"),
        ("1.type()", "42601: trailing junk after numeric literal at or near \"1.t\" of jsonpath input"),
        ("1e", "42601: trailing junk after numeric literal at or near \"1e\" of jsonpath input"),
        ("$ x", "42601: syntax error at end of jsonpath input"),
        ("\"abc", "42601: unexpected end of quoted string at end of jsonpath input"),
        ("$ ? (1)", "42601: syntax error at or near \")\" of jsonpath input"),
        ("$[a]", "42601: syntax error at end of jsonpath input"),
        ("$ == $ == $", "42601: syntax error at or near \"==\" of jsonpath input"),
        ("($.a == 1) == true", "42601: syntax error at or near \"==\" of jsonpath input"),
        ("$.a is unknown", "42601: syntax error at or near \" \" of jsonpath input"),
        ("! $.a", "42601: syntax error at or near \"$\" of jsonpath input"),
        ("$.a /* x", "42601: unexpected end of comment at end of jsonpath input"),
        ("$.a)", "42601: syntax error at or near \")\" of jsonpath input"),
        ("\"\\u0000\"", "22P05: unsupported Unicode escape sequence"),
    ] {
        check_print(path, expected);
    }
    for deep in ["(", "-", "$ ? (exists(", "1 + ", "$["] {
        assert_eq!(normalize_jsonpath(&deep.repeat(100_000)).unwrap_err().sqlstate.code(), "54001", "{deep}");
    }
    let wide = format!("$ ? (@ == 0{})", " || @ == 1".repeat(10_000));
    assert!(normalize_jsonpath(&wide).is_ok());
}

fn check_query(json: &str, path: &str, variables: &str, expected: &str) {
    let arguments = [(JSONB, json), (JSONPATH, path), (JSONB, variables)].map(|(ty, it)| Argument::Value(ty, Some(it)));
    let entries = library::functions("jsonb_path_query_array");
    assert_eq!(answer(entries, &arguments), expected, "{json} {path} {variables}");
}

#[test]
fn a_path_leads_to_items() {
    let nested = r#"{"a":{"b":[1,{"c":2}]}}"#;
    for (json, path, expected) in [
        (r#"{"a":1}"#, "strict $.b", "2203A: JSON object does not contain key \"b\""),
        (r#"{"a":1}"#, "$.b", "[]"),
        (r#"[{"a":1},{"a":2}]"#, "$.a", "[1, 2]"),
        (r#"[{"a":1}]"#, "strict $.a", "2203A: jsonpath member accessor can only be applied to an object"),
        ("[1]", "strict $.*", "2203C: jsonpath wildcard member accessor can only be applied to an object"),
        ("1", "strict $[*]", "22039: jsonpath wildcard array accessor can only be applied to an array"),
        ("1", "$[*]", "[1]"),
        ("1", "$[1]", "[]"),
        ("[1,2,3]", "strict $[5]", "22033: jsonpath array subscript is out of bounds"),
        ("[1,2,3]", "$[-1]", "[]"),
        ("[1,2,3]", "$[0 to 5]", "[1, 2, 3]"),
        ("[1,2,3]", "$[last,0,1.9]", "[3, 1, 2]"),
        ("[1,2,3]", "$[\"a\"]", "22033: jsonpath array subscript is not a single numeric value"),
        ("[1,2,3]", "$[10000000000]", "22033: jsonpath array subscript is out of integer range"),
        (nested, "$.**", r#"[{"a": {"b": [1, {"c": 2}]}}, {"b": [1, {"c": 2}]}, [1, {"c": 2}], 1, {"c": 2}, 2]"#),
        (nested, "$.**{1}", r#"[{"b": [1, {"c": 2}]}]"#),
        (nested, "$.**{2 to last}", r#"[[1, {"c": 2}], 1, {"c": 2}, 2]"#),
        (nested, "$.**{last}", "[1, 2]"),
        (nested, "$.**.c", "[2, 2]"),
        (nested, "strict $.**.c", "[2]"),
        (r#"[1,"a",null,true,{},[]]"#, "$[*].type()", r#"["number", "string", "null", "boolean", "object", "array"]"#),
        ("[1,[2,3]]", "$.size()", "[2]"),
        ("1", "$.size()", "[1]"),
        ("1", "strict $.size()", "22039: jsonpath item method .size() can only be applied to an array"),
        ("[-1.5,2.50]", "$.ceiling()", "[-1, 3]"),
        ("[-1.5,2.5]", "$[*].floor()", "[-2, 2]"),
        ("[\"x\"]", "$.abs()", "22036: jsonpath item method .abs() can only be applied to a numeric value"),
        (r#"["1.50","1e3",2.50]"#, "$.double()", "[1.5, 1000, 2.50]"),
        (
            "true",
            "$.double()",
            "22036: jsonpath item method .double() can only be applied to a string or numeric value",
        ),
        (
            r#"{"b":1,"a":"x"}"#,
            "$.keyvalue()",
            r#"[{"id": 0, "key": "a", "value": "x"}, {"id": 0, "key": "b", "value": 1}]"#,
        ),
        (
            r#"[{"b":1},{"a":[{"c":1}]}]"#,
            "$.keyvalue()",
            r#"[{"id": 12, "key": "b", "value": 1}, {"id": 36, "key": "a", "value": [{"c": 1}]}]"#,
        ),
        ("[1,2,3]", "$[*] + 1", "22038: left operand of jsonpath operator + is not a single numeric value"),
        ("[1]", "$ + 1", "[2]"),
        ("[1]", "1 + \"a\"", "22038: right operand of jsonpath operator + is not a single numeric value"),
        ("[1,2]", "-$", "[-1, -2]"),
        ("[1,\"a\"]", "-$", "2203B: operand of unary jsonpath operator - is not a numeric value"),
        ("7", "$ / 0", "22012: division by zero"),
        ("7", "$ / 3", "[2.3333333333333333]"),
        ("[1,2,3]", "$ > 1", "[true]"),
        ("[1,\"a\"]", "$[*] > 1", "[null]"),
        ("[\"a\",1]", "$[*] == 1", "[true]"),
        (r#"[1,2,3,"a",null]"#, "$ ? (@ > 1)", "[2, 3]"),
        (r#"[1,2,3,"a",null]"#, "strict $ ? (@ > 1)", "[]"),
        (r#"[1,2,3,"a",null]"#, "$[*] ? (@ != 1)", "[2, 3, null]"),
        ("[true,false]", "$[*] ? (@ < true)", "[false]"),
        (r#"[{"a":1},[1]]"#, "$[*] ? (@ == 1)", "[1]"),
        ("[1,\"a\"]", "$[*] ? ((@ > 0) is unknown)", "[\"a\"]"),
        (r#"["abc","Abd",1]"#, "$[*] ? (@ starts with \"ab\")", "[\"abc\"]"),
        (r#"["abc","Abd",1]"#, "$[*] ? (@ like_regex \"^ab\" flag \"i\")", "[\"abc\", \"Abd\"]"),
        (r#"["abc","a.c"]"#, "$[*] ? (@ like_regex \"a.c\" flag \"q\")", "[\"a.c\"]"),
        (r#"[{"a":1},{"b":2}]"#, "strict $[*] ? (@.a == 1 || @.b == 2)", r#"[{"a": 1}, {"b": 2}]"#),
        (r#"{"a":[{"b":1},{"b":2}]}"#, "$.a[*] ? (@.b > 1).b", "[2]"),
        ("[[1,2],[3,4,5]]", "$[*][last]", "[2, 5]"),
        ("[[{\"a\":1}]]", "$.a", "[]"),
        ("1", "($ == 1).type()", "[\"boolean\"]"),
        ("1", "$x", "42704: could not find jsonpath variable \"x\""),
    ] {
        check_query(json, path, "{}", expected);
    }
    check_query("[1,2,3]", "$[*] ? (@ > $min && @ < $max)", r#"{"min":1,"max":3}"#, "[2]");
    check_query("1", "$", "[]", "22023: \"vars\" argument is not an object");
}

#[test]
fn dates_and_times_among_items() {
    let refused = "cannot convert value from date to timestamptz without time zone usage";
    for (json, path, expected) in [
        ("\"12:00:00\"", "$.datetime().type()", "[\"time without time zone\"]".to_owned()),
        ("\"12:00:00+01\"", "$.datetime().type()", "[\"time with time zone\"]".to_owned()),
        ("\"2020-01-01T12:00:00.5-03\"", "$.datetime()", "[\"2020-01-01T12:00:00.5-03:00\"]".to_owned()),
        ("\"2020-1-1\"", "$.datetime()", "[\"2020-01-01\"]".to_owned()),
        ("\"2020-02-30\"", "$.datetime()", "22031: datetime format is not recognized: \"2020-02-30\"".to_owned()),
        (
            "\"2020-01-01 12:00\"",
            "$.datetime()",
            "22031: datetime format is not recognized: \"2020-01-01 12:00\"".to_owned(),
        ),
        (
            "[\"2020-01-01\",\"2020-01-02 12:00:00\"]",
            "$[*].datetime() ? (@ < \"2020-01-02\".datetime())",
            "[\"2020-01-01\"]".to_owned(),
        ),
        (
            "[\"2020-01-01\"]",
            "$[*].datetime() ? (@ < \"2020-01-02T00:00:00+00:00\".datetime())",
            format!("0A000: {refused}"),
        ),
    ] {
        check_query(json, path, "{}", &expected);
    }
}

#[test]
fn operators_are_silent() {
    for (json, symbol, path, expected) in [
        (r#"{"a":1}"#, "@?", "strict $.b", "NULL"),
        (r#"{"a":1}"#, "@?", "$.a", "t"),
        (r#"{"a":1}"#, "@@", "$.a == 1", "t"),
        (r#"{"a":1}"#, "@@", "$.a", "NULL"),
        (r#"{"a":1}"#, "@@", "strict $.b == 1", "NULL"),
        (r#"{"a":"x"}"#, "@?", "$.a > 1", "t"),
    ] {
        let operands = [Argument::Value(JSONB, Some(json)), Argument::Value(JSONPATH, Some(path))];
        assert_eq!(answer(library::operators(symbol), &operands), expected, "{json} {symbol} {path}");
    }
    let arguments = [Argument::Value(JSONB, Some(r#"{"a":1}"#)), Argument::Value(JSONPATH, Some("$.a"))];
    let answer = answer(library::functions("jsonb_path_match"), &arguments);
    assert_eq!(answer, "22038: single boolean result is expected");
    assert_eq!(library::set_functions("jsonb_path_query").len(), 3);
}
