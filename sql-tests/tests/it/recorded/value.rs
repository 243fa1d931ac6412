//! When two texts of a value are the same value.

/// By how much a floating-point number may differ, relative to the larger of the two: sums depend on the order of rows.
const FLOAT_TOLERANCE: f64 = 1e-9;

/// Digits behind the point that only quotients and roots have, and what is computed from them. PostgreSQL rounds each of
/// them to some 16 significant digits, we to as many behind the point, so that a sum of them differs in its last digits.
const QUOTIENT_SCALE_MIN: usize = 16;

/// By how much such a numeric may differ, relative to the larger of the two.
const QUOTIENT_TOLERANCE: f64 = 1e-14;

/// Whether two values of a column of PostgreSQL's type `type_name` are the same; `None` is NULL.
pub fn is_same(type_name: &str, expected: Option<&str>, actual: Option<&str>) -> bool {
    let (Some(expected), Some(actual)) = (expected, actual) else { return expected == actual };
    match type_name {
        "numeric" => is_same_numeric(expected, actual),
        "float4" | "float8" => expected == actual || is_close(expected, actual, FLOAT_TOLERANCE),
        _ => expected == actual,
    }
}

/// PostgreSQL chooses the scale of a quotient by its value, we by its type. They must agree in the digits that both have.
fn is_same_numeric(expected: &str, actual: &str) -> bool {
    let scale = scale(expected).min(scale(actual));
    rounded(expected, scale) == rounded(actual, scale)
        || (scale >= QUOTIENT_SCALE_MIN && is_close(expected, actual, QUOTIENT_TOLERANCE))
}

fn scale(number: &str) -> usize {
    number.split_once('.').map_or(0, |(_, fraction)| fraction.len())
}

/// The number with `scale` of its digits behind the point, rounded half away from zero as PostgreSQL does.
fn rounded(number: &str, scale: usize) -> String {
    let (sign, digits) = number.strip_prefix('-').map_or(("", number), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
        return number.to_owned();
    }
    let mut kept: Vec<u8> = whole.bytes().chain(fraction.bytes().take(scale)).collect();
    if fraction.as_bytes().get(scale).is_some_and(|next| *next >= b'5') {
        add_one(&mut kept);
    }
    let kept = String::from_utf8(kept).unwrap();
    match kept.trim_start_matches('0') {
        "" => "0".to_owned(),
        significant => format!("{sign}{significant}"),
    }
}

fn add_one(digits: &mut Vec<u8>) {
    for digit in digits.iter_mut().rev() {
        if *digit != b'9' {
            *digit += 1;
            return;
        }
        *digit = b'0';
    }
    digits.insert(0, b'1');
}

fn is_close(expected: &str, actual: &str, tolerance: f64) -> bool {
    match (expected.parse::<f64>(), actual.parse::<f64>()) {
        (Ok(expected), Ok(actual)) => (expected - actual).abs() <= tolerance * expected.abs().max(actual.abs()),
        _ => false,
    }
}

#[test]
fn numerics_agree_in_the_digits_that_both_have() {
    let cases = [
        ("1.50", "1.5", true),
        ("25.5379587116854997", "25.537959", true),
        ("25.5379587116854997", "25.537958", false),
        ("-0.004", "0.00", true),
        ("9.996", "10.00", true),
        ("-9.996", "10.00", false),
        ("100", "99.5", true),
        ("1", "2", false),
        ("0.10", "0.11", false),
        ("1.94821299526379466715", "1.94821299526379467102", true),
        ("1.94821299526379466715", "1.94821299526399467102", false),
        ("123456789012345.67", "123456789012345.68", false),
    ];
    for (expected, actual, same) in cases {
        assert_eq!(is_same("numeric", Some(expected), Some(actual)), same, "{expected} and {actual}");
        assert_eq!(is_same("numeric", Some(actual), Some(expected)), same, "{actual} and {expected}");
    }
}

#[test]
fn floats_may_differ_in_the_last_digits_and_texts_may_not() {
    let (expected, close, far) = (Some("0.3"), Some("0.30000000000000004"), Some("0.3001"));
    assert!(is_same("float8", expected, close));
    assert!(!is_same("float8", expected, far));
    assert!(!is_same("text", expected, close));
    assert!(!is_same("int8", Some("1"), Some("1.0")));
}

#[test]
fn null_is_only_null() {
    assert!(is_same("text", None, None));
    assert!(!is_same("text", None, Some("")));
    assert!(!is_same("numeric", Some("0"), None));
}
