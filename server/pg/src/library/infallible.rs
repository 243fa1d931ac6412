//! Which functions, operators and casts answer whatever values they are given.
//!
//! A condition that can fail must not be evaluated for rows that an earlier condition has excluded, so it costs a
//! selection of the rows that are left. What is listed here need not wait. An entry that is missing costs time; one too
//! many is an error for rows that nobody asked about.

use arrow::datatypes::DataType;

use super::cast;
use crate::expression_type::NUMERIC_PRECISION_IN_FLIGHT_MAX;
use crate::function::{Function, Method};
use crate::types::*;

/// Operators that answer for all values.
const OPERATORS: &[&str] = &[
    "=", "<>", "<", "<=", ">", ">=", "||", "^@", "@>", "<@", "&&", "?", "?|", "?&", "->", "->>", "~<~", "~<=~", "~>~",
    "~>=~",
];

/// Operators that can fail by their right side only, whose patterns are constants nearly always.
const PATTERN_OPERATORS: &[&str] = &["~~", "!~~", "~~*", "!~~*", "~", "!~", "~*", "!~*"];

/// Functions that answer for all values, with any arguments.
const FUNCTIONS: &[&str] = &[
    "array_length",
    "array_lower",
    "array_ndims",
    "array_subscript",
    "array_upper",
    "ascii",
    "bit_length",
    "btrim",
    "cardinality",
    "ceil",
    "ceiling",
    "char_length",
    "character_length",
    "concat",
    "concat_ws",
    "current_database",
    "current_schema",
    "current_user",
    "date_order",
    "floor",
    "initcap",
    "isfinite",
    "json_typeof",
    "jsonb_typeof",
    "left",
    "length",
    "lower",
    "ltrim",
    "md5",
    "now",
    "octet_length",
    "pg_typeof",
    "position",
    "quote_ident",
    "quote_literal",
    "quote_nullable",
    "replace",
    "reverse",
    "right",
    "rtrim",
    "sign",
    "starts_with",
    "strpos",
    "to_hex",
    "translate",
    "trunc",
    "upper",
];

/// Functions whose first argument names what is wanted. With a constant, they fail for all rows or for none.
const WITH_CONSTANT_FIRST: &[&str] = &["extract", "date_part", "date_trunc"];

/// Parts of a string by number; only a length below zero fails.
const PARTS: &[&str] = &["substr", "substring"];

/// Casts that have a kernel and answer for all values, by source and target.
const CASTS: &[(u32, u32)] = &[
    (BOOL, INT4),
    (INT4, BOOL),
    (NUMERIC, FLOAT8),
    (TIMESTAMP, DATE),
    (TIMESTAMP, TIME),
    (TIMESTAMPTZ, DATE),
    (TIMESTAMPTZ, TIMESTAMP),
    (TIMESTAMPTZ, TIME),
];

/// Whether a call of this function answers whatever its arguments are. `constant` tells which of them are constants.
pub fn never_fails(function: &Function, constant: impl Fn(usize) -> bool) -> bool {
    match function.method {
        Method::Native(_) => return true,
        Method::Cast => return true,
        Method::Kernel(_) => {}
    }
    let name = function.name;
    if std::ptr::eq(function, &cast::TO_TEXT) || std::ptr::eq(function, &crate::library::text::blanks::PADDED) {
        return true;
    }
    if name == "cast" {
        return matches!(function.arguments, [source] if CASTS.contains(&(*source, function.result)));
    }
    if PATTERN_OPERATORS.contains(&name) {
        return constant(1);
    }
    if WITH_CONSTANT_FIRST.contains(&name) {
        return constant(0);
    }
    if PARTS.contains(&name) {
        return matches!(function.arguments, [TEXT, INT4]) || function.arguments == [TEXT, INT4, INT4] && constant(2);
    }
    OPERATORS.contains(&name) || FUNCTIONS.contains(&name)
}

/// Operators on numbers whose results have room for all digits there can be.
const ARITHMETIC: &[&str] = &["+", "-", "*"];

/// Whether the type of a call's result has room for whatever it answers, of `numeric` whose digits are known. `not_zero` tells
/// which arguments are constants other than zero.
pub fn has_room(function: &Function, not_zero: impl Fn(usize) -> bool, result: impl Fn() -> Option<DataType>) -> bool {
    let is_arithmetic = function.arguments.iter().all(|argument| *argument == NUMERIC)
        && (ARITHMETIC.contains(&function.name) || function.name == "/" && not_zero(1));
    let integer_digits = match function.arguments {
        _ if function.name != "cast" => None,
        [INT2] => Some(5),
        [INT4] => Some(10),
        [INT8] => Some(19),
        _ => None,
    };
    if function.result != NUMERIC || !is_arithmetic && integer_digits.is_none() {
        return false;
    }
    // With more digits than there can be the type has fewer than the values.
    let (Some(DataType::Decimal128(digits, scale)) | Some(DataType::Decimal256(digits, scale))) = result() else {
        return false;
    };
    match integer_digits {
        Some(needed) => i32::from(digits) - i32::from(scale) >= needed,
        None => digits < NUMERIC_PRECISION_IN_FLIGHT_MAX,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::library;

    fn check(function: &Function, constants: &[usize], expected: bool) {
        let found = never_fails(function, |argument| constants.contains(&argument));
        assert_eq!(found, expected, "{} {:?}", function.name, function.arguments);
    }

    #[test]
    fn what_can_fail_waits() {
        for symbol in ["+", "-", "*", "/", "%", "^"] {
            for operator in library::operators(symbol) {
                check(operator, &[0, 1], false);
            }
        }
        for operator in library::operators("=") {
            check(operator, &[], true);
        }
        for operator in library::operators("~~") {
            check(operator, &[], false);
            check(operator, &[1], true);
        }
        check(&library::cast(INT8, INT4).unwrap().function, &[], false);
        check(&library::cast(INT4, INT8).unwrap().function, &[], true);
        check(&cast::FROM_TEXT, &[], false);
    }

    #[test]
    fn numbers_with_room_for_all_digits_need_not_wait() {
        let numeric = |symbol| {
            library::operators(symbol).iter().find(|operator| operator.arguments == [NUMERIC, NUMERIC]).unwrap()
        };
        let decimal = |digits| move || Some(DataType::Decimal256(digits, 2));
        assert!(has_room(numeric("*"), |_| false, decimal(60)));
        assert!(!has_room(numeric("*"), |_| false, decimal(76)));
        assert!(!has_room(numeric("/"), |_| false, decimal(30)));
        assert!(has_room(numeric("/"), |argument| argument == 1, decimal(30)));
        assert!(!has_room(numeric("%"), |_| true, decimal(30)));
        let cast = library::cast(INT4, NUMERIC).unwrap();
        assert!(has_room(&cast.function, |_| false, decimal(12)));
        assert!(!has_room(&cast.function, |_| false, decimal(11)));
        let integers = library::operators("+").iter().find(|operator| operator.arguments == [INT4, INT4]).unwrap();
        assert!(!has_room(integers, |_| false, decimal(30)));
    }

    #[test]
    fn every_name_in_the_lists_is_one() {
        for name in FUNCTIONS.iter().chain(WITH_CONSTANT_FIRST).chain(PARTS) {
            assert!(!library::functions(name).is_empty(), "there is no function {name}");
        }
        for symbol in OPERATORS.iter().chain(PATTERN_OPERATORS) {
            assert!(!library::operators(symbol).is_empty(), "there is no operator {symbol}");
        }
        for (source, target) in CASTS {
            assert!(library::cast(*source, *target).is_some(), "there is no cast from {source} to {target}");
        }
    }
}
