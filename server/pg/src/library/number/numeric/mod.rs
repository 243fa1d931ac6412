//! `numeric`.
//!
//! PostgreSQL gives each value a scale of its own, a column here has one scale for all. So the type of a result follows
//! from the types of the arguments, and from the arguments themselves where they are constants:
//!
//! | | digits after the point | |
//! |---|---|---|
//! | `a + b`, `a - b`, `a % b` | the larger scale | exact |
//! | `a * b` | the sum of the scales | exact; with more than 76 digits rounded to 38 after the point |
//! | `a / b` | the larger scale, at least 20 | PostgreSQL's scale if both are constants |
//! | `a ^ b` with an integer as exponent | the scale of `a`, at least 16 | as PostgreSQL |
//! | other powers, roots, exponentials, logarithms | the larger scale, at least 20 | PostgreSQL's if all are constants |
//!
//! A result that has more than 76 digits is an error (22003).

pub mod arithmetic;
pub mod bucket;
pub mod division;
pub mod power;
mod real;
pub mod rounding;
mod rows;
mod scale;
mod shape;
pub mod whole;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod testing {
    use crate::testing::{Value, call, operator, result_type};
    use crate::types::NUMERIC;

    /// Checks what a function or an operator answers to numbers: the value, and the digits after the point of its type.
    pub fn check(name: &str, arguments: &[&str], expected: &str) {
        let values: Vec<Value<'_>> = arguments.iter().map(|text| (NUMERIC, Some(*text))).collect();
        check_values(name, &values, expected);
    }

    /// As [`check`], with arguments of any type.
    pub fn check_values(name: &str, arguments: &[Value<'_>], expected: &str) {
        let answer = match name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            true => call(name, arguments),
            false => operator(name, arguments),
        };
        let answer = match answer {
            Ok(value) => value.unwrap(),
            Err(error) => {
                let error = format!("{} {}", error.sqlstate.code(), error.message);
                return assert_eq!(error, expected, "{name} {arguments:?}");
            }
        };
        // Trailing zeros are not written.
        let (value, digits) = match expected.split_once('.') {
            Some((_, digits)) => (expected.trim_end_matches('0').trim_end_matches('.'), digits.len()),
            None => (expected, 0),
        };
        assert_eq!(answer, value, "{name} {arguments:?}");
        let scale = result_type(name, arguments).unwrap().digits().unwrap().1;
        assert_eq!(usize::try_from(scale), Ok(digits), "{name} {arguments:?}");
    }
}
