//! `smallint`, `integer` and `bigint`.
//!
//! Of two widths the wider one is the result's. What does not fit into it is an error; a quotient is cut off towards zero.

use arrow::array::{ArrayRef, ArrowPrimitiveType};
use arrow::datatypes::{ArrowNativeTypeOp, DataType, Int16Type, Int32Type, Int64Type};

use super::columns::{binary, unary};
use crate::error::{PgError, Result};
use crate::function::{Call, Function, function};
use crate::types::*;

fn out_of_range<T: ArrowPrimitiveType>() -> PgError {
    PgError::out_of_range(match T::DATA_TYPE {
        DataType::Int16 => "smallint",
        DataType::Int32 => "integer",
        _ => "bigint",
    })
}

/// Both operands are widened to the type of the result, which is too narrow where there is no answer.
fn checked<L, R, O>(call: &Call, compute: impl Fn(O::Native, O::Native) -> Option<O::Native>) -> Result<ArrayRef>
where
    L: ArrowPrimitiveType,
    R: ArrowPrimitiveType,
    O: ArrowPrimitiveType,
    O::Native: From<L::Native> + From<R::Native>,
{
    binary::<L, R, O>(call, |left, right| compute(left.into(), right.into()), |_, _| out_of_range::<O>())
}

/// As [`checked`], but where the divisor is zero the error is another.
fn divided<L, R, O>(call: &Call, compute: impl Fn(O::Native, O::Native) -> Option<O::Native>) -> Result<ArrayRef>
where
    L: ArrowPrimitiveType,
    R: ArrowPrimitiveType,
    O: ArrowPrimitiveType,
    O::Native: From<L::Native> + From<R::Native>,
{
    let error = |_, right: R::Native| match right.is_zero() {
        true => PgError::division_by_zero(),
        false => out_of_range::<O>(),
    };
    binary::<L, R, O>(call, |left, right| compute(left.into(), right.into()), error)
}

/// A function that always has an answer.
fn total<L: ArrowPrimitiveType, R: ArrowPrimitiveType, O: ArrowPrimitiveType>(
    call: &Call,
    compute: impl Fn(L::Native, R::Native) -> O::Native,
) -> Result<ArrayRef> {
    binary::<L, R, O>(call, |left, right| Some(compute(left, right)), |_, _| out_of_range::<O>())
}

fn checked_unary<T: ArrowPrimitiveType>(
    call: &Call,
    compute: impl Fn(T::Native) -> Option<T::Native>,
) -> Result<ArrayRef> {
    unary::<T, T>(call, compute, |_| out_of_range::<T>())
}

/// An operator for all pairs of widths.
macro_rules! of_all_widths {
    ($($list:ident: $symbol:literal $by:ident $method:ident;)*) => {
        $(
            /// The operator for all pairs of widths.
            pub static $list: &[Function] = &[
                function($symbol, &[INT2, INT2], INT2, |call| $by::<Int16Type, Int16Type, Int16Type>(call, i16::$method)),
                function($symbol, &[INT2, INT4], INT4, |call| $by::<Int16Type, Int32Type, Int32Type>(call, i32::$method)),
                function($symbol, &[INT2, INT8], INT8, |call| $by::<Int16Type, Int64Type, Int64Type>(call, i64::$method)),
                function($symbol, &[INT4, INT2], INT4, |call| $by::<Int32Type, Int16Type, Int32Type>(call, i32::$method)),
                function($symbol, &[INT4, INT4], INT4, |call| $by::<Int32Type, Int32Type, Int32Type>(call, i32::$method)),
                function($symbol, &[INT4, INT8], INT8, |call| $by::<Int32Type, Int64Type, Int64Type>(call, i64::$method)),
                function($symbol, &[INT8, INT2], INT8, |call| $by::<Int64Type, Int16Type, Int64Type>(call, i64::$method)),
                function($symbol, &[INT8, INT4], INT8, |call| $by::<Int64Type, Int32Type, Int64Type>(call, i64::$method)),
                function($symbol, &[INT8, INT8], INT8, |call| $by::<Int64Type, Int64Type, Int64Type>(call, i64::$method)),
            ];
        )*
    };
}

of_all_widths! {
    ADD: "+" checked checked_add;
    SUBTRACT: "-" checked checked_sub;
    MULTIPLY: "*" checked checked_mul;
    DIVIDE: "/" divided checked_div;
}

/// What is computed alike for each width.
macro_rules! of_each_width {
    ($($operators:ident $functions:ident: $oid:ident $arrow:ident $native:ident;)*) => {
        $(
            /// Operators of one width.
            pub static $operators: &[Function] = &[
                function("%", &[$oid, $oid], $oid, |call| {
                    divided::<$arrow, $arrow, $arrow>(call, |a, b| (b != 0).then(|| a.wrapping_rem(b)))
                }),
                function("&", &[$oid, $oid], $oid, |call| total::<$arrow, $arrow, $arrow>(call, |a, b| a & b)),
                function("|", &[$oid, $oid], $oid, |call| total::<$arrow, $arrow, $arrow>(call, |a, b| a | b)),
                function("#", &[$oid, $oid], $oid, |call| total::<$arrow, $arrow, $arrow>(call, |a, b| a ^ b)),
                function("~", &[$oid], $oid, |call| checked_unary::<$arrow>(call, |a| Some(!a))),
                function("+", &[$oid], $oid, |call| checked_unary::<$arrow>(call, Some)),
                function("-", &[$oid], $oid, |call| checked_unary::<$arrow>(call, $native::checked_neg)),
                function("@", &[$oid], $oid, |call| checked_unary::<$arrow>(call, $native::checked_abs)),
            ];

            /// Functions of one width.
            pub static $functions: &[Function] = &[
                function("abs", &[$oid], $oid, |call| checked_unary::<$arrow>(call, $native::checked_abs)),
                function("mod", &[$oid, $oid], $oid, |call| {
                    divided::<$arrow, $arrow, $arrow>(call, |a, b| (b != 0).then(|| a.wrapping_rem(b)))
                }),
            ];
        )*
    };
}

of_each_width! {
    INT2_OPERATORS INT2_FUNCTIONS: INT2 Int16Type i16;
    INT4_OPERATORS INT4_FUNCTIONS: INT4 Int32Type i32;
    INT8_OPERATORS INT8_FUNCTIONS: INT8 Int64Type i64;
}

/// Shifts. The processor takes the distance modulo the width, and PostgreSQL leaves it to the processor; a `smallint` is
/// shifted as an `integer` and cut off.
pub static SHIFTS: &[Function] = &[
    function("<<", &[INT2, INT4], INT2, |call| {
        total::<Int16Type, Int32Type, Int16Type>(call, |a, b| i32::from(a).wrapping_shl(b as u32) as i16)
    }),
    function("<<", &[INT4, INT4], INT4, |call| {
        total::<Int32Type, Int32Type, Int32Type>(call, |a, b| a.wrapping_shl(b as u32))
    }),
    function("<<", &[INT8, INT4], INT8, |call| {
        total::<Int64Type, Int32Type, Int64Type>(call, |a, b| a.wrapping_shl(b as u32))
    }),
    function(">>", &[INT2, INT4], INT2, |call| {
        total::<Int16Type, Int32Type, Int16Type>(call, |a, b| i32::from(a).wrapping_shr(b as u32) as i16)
    }),
    function(">>", &[INT4, INT4], INT4, |call| {
        total::<Int32Type, Int32Type, Int32Type>(call, |a, b| a.wrapping_shr(b as u32))
    }),
    function(">>", &[INT8, INT4], INT8, |call| {
        total::<Int64Type, Int32Type, Int64Type>(call, |a, b| a.wrapping_shr(b as u32))
    }),
];

/// Greatest common divisor and least common multiple.
pub static DIVISORS: &[Function] = &[
    function("gcd", &[INT4, INT4], INT4, |call| {
        checked::<Int32Type, Int32Type, Int32Type>(call, |a, b| gcd(a.into(), b.into()).and_then(narrow))
    }),
    function("gcd", &[INT8, INT8], INT8, |call| checked::<Int64Type, Int64Type, Int64Type>(call, gcd)),
    function("lcm", &[INT4, INT4], INT4, |call| {
        checked::<Int32Type, Int32Type, Int32Type>(call, |a, b| lcm(a.into(), b.into()).and_then(narrow))
    }),
    function("lcm", &[INT8, INT8], INT8, |call| checked::<Int64Type, Int64Type, Int64Type>(call, lcm)),
];

fn narrow(value: i64) -> Option<i32> {
    i32::try_from(value).ok()
}

fn gcd(a: i64, b: i64) -> Option<i64> {
    let (mut a, mut b) = (a.unsigned_abs(), b.unsigned_abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    i64::try_from(a).ok()
}

fn lcm(a: i64, b: i64) -> Option<i64> {
    if a == 0 || b == 0 {
        return Some(0);
    }
    a.checked_div(gcd(a, b)?)?.checked_mul(b)?.checked_abs()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use crate::testing::{Value, call, operator};
    use crate::types::*;

    fn check(symbol: &str, left: Value<'_>, right: Value<'_>, expected: &str) {
        assert_eq!(operator(symbol, &[left, right]).unwrap().as_deref(), Some(expected), "{left:?} {symbol} {right:?}");
    }

    fn check_error(symbol: &str, operands: &[Value<'_>], sqlstate: &str, message: &str) {
        let error = operator(symbol, operands).unwrap_err();
        assert_eq!((error.sqlstate.code(), error.message.as_str()), (sqlstate, message), "{symbol} {operands:?}");
    }

    const INT2_MIN: Value<'_> = (INT2, Some("-32768"));
    const INT4_MIN: Value<'_> = (INT4, Some("-2147483648"));
    const INT8_MIN: Value<'_> = (INT8, Some("-9223372036854775808"));
    const MINUS_ONE: Value<'_> = (INT4, Some("-1"));

    #[test]
    fn the_wider_type_is_the_results() {
        check("+", (INT2, Some("32767")), (INT4, Some("1")), "32768");
        check("-", (INT2, Some("1")), (INT8, Some("-2147483648")), "2147483649");
        check("*", (INT8, Some("3000000000")), (INT2, Some("3")), "9000000000");
        check("/", (INT4, Some("-7")), (INT4, Some("2")), "-3");
        check("%", (INT4, Some("-7")), (INT4, Some("3")), "-1");
        check("%", INT4_MIN, MINUS_ONE, "0");
        check("+", (INT4, Some("-5")), (INT8, Some("5")), "0");
        assert_eq!(operator("+", &[(INT4, None), (INT4, Some("2147483647"))]), Ok(None));
        assert_eq!(operator("/", &[(INT4, None), (INT4, Some("0"))]), Ok(None));
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        check_error("+", &[(INT2, Some("32767")), (INT2, Some("1"))], "22003", "smallint out of range");
        check_error("*", &[(INT4, Some("65536")), (INT4, Some("65536"))], "22003", "integer out of range");
        check_error("-", &[INT8_MIN, (INT2, Some("1"))], "22003", "bigint out of range");
        check_error("/", &[INT4_MIN, MINUS_ONE], "22003", "integer out of range");
        check_error("/", &[(INT4, Some("5")), (INT4, Some("0"))], "22012", "division by zero");
        check_error("%", &[(INT2, Some("5")), (INT2, Some("0"))], "22012", "division by zero");
        check_error("-", &[INT2_MIN], "22003", "smallint out of range");
        check_error("@", &[INT8_MIN], "22003", "bigint out of range");
    }

    #[test]
    fn bits_are_shifted_modulo_the_width() {
        check("<<", (INT4, Some("1")), (INT4, Some("33")), "2");
        check("<<", (INT4, Some("1")), MINUS_ONE, "-2147483648");
        check("<<", (INT2, Some("1")), (INT4, Some("15")), "-32768");
        check("<<", (INT2, Some("1")), (INT4, Some("20")), "0");
        check(">>", (INT2, Some("-8")), (INT4, Some("33")), "-4");
        check("<<", (INT8, Some("1")), (INT4, Some("65")), "2");
        check("#", (INT4, Some("5")), (INT4, Some("3")), "6");
        check("&", (INT8, Some("5")), (INT8, Some("3")), "1");
        check("|", (INT2, Some("5")), (INT2, Some("3")), "7");
        assert_eq!(operator("~", &[(INT2, Some("5"))]), Ok(Some("-6".to_owned())));
    }

    fn check_call(name: &str, arguments: &[Value<'_>], expected: Result<&str, &str>) {
        let answer = call(name, arguments).map(Option::unwrap).map_err(|error| error.message);
        assert_eq!(answer.as_deref().map_err(String::as_str), expected, "{name} {arguments:?}");
    }

    #[test]
    fn divisors_and_multiples_are_positive() {
        let zero = (INT4, Some("0"));
        check_call("gcd", &[zero, zero], Ok("0"));
        check_call("gcd", &[(INT4, Some("-12")), (INT4, Some("18"))], Ok("6"));
        check_call("gcd", &[INT4_MIN, (INT4, Some("6"))], Ok("2"));
        check_call("gcd", &[INT4_MIN, zero], Err("integer out of range"));
        check_call("gcd", &[INT8_MIN, INT8_MIN], Err("bigint out of range"));
        check_call("lcm", &[(INT4, Some("-4")), (INT4, Some("6"))], Ok("12"));
        check_call("lcm", &[INT4_MIN, zero], Ok("0"));
        check_call("lcm", &[(INT4, Some("2147483647")), (INT4, Some("2"))], Err("integer out of range"));
        check_call("mod", &[(INT8, Some("5")), (INT8, Some("0"))], Err("division by zero"));
        check_call("abs", &[INT4_MIN], Err("integer out of range"));
    }
}
