//! `real` and `double precision`: arithmetic, rounding, roots, powers and logarithms.
//!
//! A result that is infinite or zero only because the type has no number so large or so small is an error, as in
//! PostgreSQL's `float.c`.

use std::ops::{Add, Div, Mul, Sub};

use arrow::array::{ArrayRef, ArrowPrimitiveType};
use arrow::datatypes::{Float32Type, Float64Type};

use super::columns::{binary, unary};
use crate::error::{PgError, Result};
use crate::function::value::{canonical_f32, canonical_f64};
use crate::function::{Call, Function, function};
use crate::sqlstate::SqlState;
use crate::types::*;

/// What `real` and `double precision` have in common.
trait Floating:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self> + PartialEq
{
    fn infinite(self) -> bool;
    fn nan(self) -> bool;
    fn zero(self) -> bool;
    fn canonical(self) -> Self;
}

macro_rules! floating {
    ($($native:ty: $canonical:path;)*) => {
        $(
            impl Floating for $native {
                fn infinite(self) -> bool {
                    self.is_infinite()
                }

                fn nan(self) -> bool {
                    self.is_nan()
                }

                fn zero(self) -> bool {
                    self == 0.0
                }

                fn canonical(self) -> Self {
                    $canonical(self)
                }
            }
        )*
    };
}

floating! {
    f32: canonical_f32;
    f64: canonical_f64;
}

pub(super) fn overflow() -> PgError {
    PgError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "value out of range: overflow")
}

pub(super) fn underflow() -> PgError {
    PgError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "value out of range: underflow")
}

fn add<T: Floating>(a: T, b: T) -> Option<T> {
    let sum = a + b;
    (!sum.infinite() || a.infinite() || b.infinite()).then_some(sum)
}

fn subtract<T: Floating>(a: T, b: T) -> Option<T> {
    let difference = a - b;
    (!difference.infinite() || a.infinite() || b.infinite()).then_some(difference)
}

fn multiply<T: Floating>(a: T, b: T) -> Option<T> {
    let product = a * b;
    let overflows = product.infinite() && !a.infinite() && !b.infinite();
    let underflows = product.zero() && !a.zero() && !b.zero();
    (!overflows && !underflows).then_some(product)
}

fn multiply_error<T: Floating>(a: T, b: T) -> PgError {
    if (a * b).zero() { underflow() } else { overflow() }
}

fn divide<T: Floating>(a: T, b: T) -> Option<T> {
    let quotient = a / b;
    let by_zero = b.zero() && !a.nan();
    let overflows = quotient.infinite() && !a.infinite();
    let underflows = quotient.zero() && !a.zero() && !b.infinite();
    (!by_zero && !overflows && !underflows).then_some(quotient)
}

fn divide_error<T: Floating>(a: T, b: T) -> PgError {
    if b.zero() {
        PgError::division_by_zero()
    } else if (a / b).zero() {
        underflow()
    } else {
        overflow()
    }
}

/// Both operands are widened to the type of the result.
fn arithmetic<L, R, O>(
    call: &Call,
    compute: impl Fn(O::Native, O::Native) -> Option<O::Native>,
    error: impl Fn(O::Native, O::Native) -> PgError,
) -> Result<ArrayRef>
where
    L: ArrowPrimitiveType,
    R: ArrowPrimitiveType,
    O: ArrowPrimitiveType,
    O::Native: Floating + From<L::Native> + From<R::Native>,
{
    let compute = |a: L::Native, b: R::Native| compute(a.into(), b.into()).map(Floating::canonical);
    binary::<L, R, O>(call, compute, |a, b| error(a.into(), b.into()))
}

macro_rules! of_all_widths {
    ($($list:ident: $symbol:literal $compute:path, $error:expr;)*) => {
        $(
            /// The operator for both widths and for one of each.
            pub static $list: &[Function] = &[
                function($symbol, &[FLOAT4, FLOAT4], FLOAT4, |call| {
                    arithmetic::<Float32Type, Float32Type, Float32Type>(call, $compute, $error)
                }),
                function($symbol, &[FLOAT4, FLOAT8], FLOAT8, |call| {
                    arithmetic::<Float32Type, Float64Type, Float64Type>(call, $compute, $error)
                }),
                function($symbol, &[FLOAT8, FLOAT4], FLOAT8, |call| {
                    arithmetic::<Float64Type, Float32Type, Float64Type>(call, $compute, $error)
                }),
                function($symbol, &[FLOAT8, FLOAT8], FLOAT8, |call| {
                    arithmetic::<Float64Type, Float64Type, Float64Type>(call, $compute, $error)
                }),
            ];
        )*
    };
}

of_all_widths! {
    ADD: "+" add, |_, _| overflow();
    SUBTRACT: "-" subtract, |_, _| overflow();
    MULTIPLY: "*" multiply, multiply_error;
    DIVIDE: "/" divide, divide_error;
}

/// A function of one number that always has an answer.
fn total<T>(call: &Call, compute: impl Fn(T::Native) -> T::Native) -> Result<ArrayRef>
where
    T: ArrowPrimitiveType,
    T::Native: Floating,
{
    unary::<T, T>(call, |a| Some(compute(a).canonical()), |_| overflow())
}

/// Operators with one operand, and `^`.
pub static OPERATORS: &[Function] = &[
    function("+", &[FLOAT4], FLOAT4, |call| total::<Float32Type>(call, |a| a)),
    function("+", &[FLOAT8], FLOAT8, |call| total::<Float64Type>(call, |a| a)),
    function("-", &[FLOAT4], FLOAT4, |call| total::<Float32Type>(call, |a| -a)),
    function("-", &[FLOAT8], FLOAT8, |call| total::<Float64Type>(call, |a| -a)),
    function("@", &[FLOAT4], FLOAT4, |call| total::<Float32Type>(call, f32::abs)),
    function("@", &[FLOAT8], FLOAT8, |call| total::<Float64Type>(call, f64::abs)),
    function("|/", &[FLOAT8], FLOAT8, |call| call.map1(sqrt)),
    function("||/", &[FLOAT8], FLOAT8, |call| call.map1(cbrt)),
    function("^", &[FLOAT8, FLOAT8], FLOAT8, |call| call.map2(power)),
];

/// Rounding, roots, powers and logarithms.
pub static FUNCTIONS: &[Function] = &[
    function("abs", &[FLOAT4], FLOAT4, |call| total::<Float32Type>(call, f32::abs)),
    function("abs", &[FLOAT8], FLOAT8, |call| total::<Float64Type>(call, f64::abs)),
    function("ceil", &[FLOAT8], FLOAT8, |call| total::<Float64Type>(call, f64::ceil)),
    function("ceiling", &[FLOAT8], FLOAT8, |call| total::<Float64Type>(call, f64::ceil)),
    function("floor", &[FLOAT8], FLOAT8, |call| total::<Float64Type>(call, f64::floor)),
    function("round", &[FLOAT8], FLOAT8, |call| total::<Float64Type>(call, f64::round_ties_even)),
    function("trunc", &[FLOAT8], FLOAT8, |call| total::<Float64Type>(call, f64::trunc)),
    function("sign", &[FLOAT8], FLOAT8, |call| total::<Float64Type>(call, sign)),
    function("sqrt", &[FLOAT8], FLOAT8, |call| call.map1(sqrt)),
    function("dsqrt", &[FLOAT8], FLOAT8, |call| call.map1(sqrt)),
    function("cbrt", &[FLOAT8], FLOAT8, |call| call.map1(cbrt)),
    function("dcbrt", &[FLOAT8], FLOAT8, |call| call.map1(cbrt)),
    function("power", &[FLOAT8, FLOAT8], FLOAT8, |call| call.map2(power)),
    function("pow", &[FLOAT8, FLOAT8], FLOAT8, |call| call.map2(power)),
    function("dpow", &[FLOAT8, FLOAT8], FLOAT8, |call| call.map2(power)),
    function("exp", &[FLOAT8], FLOAT8, |call| call.map1(exp)),
    function("dexp", &[FLOAT8], FLOAT8, |call| call.map1(exp)),
    function("ln", &[FLOAT8], FLOAT8, |call| call.map1(ln)),
    function("dlog1", &[FLOAT8], FLOAT8, |call| call.map1(ln)),
    function("log", &[FLOAT8], FLOAT8, |call| call.map1(log10)),
    function("log10", &[FLOAT8], FLOAT8, |call| call.map1(log10)),
    function("dlog10", &[FLOAT8], FLOAT8, |call| call.map1(log10)),
];

/// -1, 0 or 1; 0 for NaN.
fn sign(a: f64) -> f64 {
    if a > 0.0 {
        1.0
    } else if a < 0.0 {
        -1.0
    } else {
        0.0
    }
}

fn sqrt(a: f64) -> Result<f64> {
    if a < 0.0 {
        return Err(root_of_negative());
    }
    Ok(a.sqrt())
}

fn cbrt(a: f64) -> f64 {
    a.cbrt()
}

fn exp(a: f64) -> Result<f64> {
    let result = a.exp();
    if a.is_nan() || a.is_infinite() {
        return Ok(result);
    }
    in_range(result)
}

/// Neither infinite nor zero.
fn in_range(result: f64) -> Result<f64> {
    if result.is_infinite() {
        return Err(overflow());
    }
    if result == 0.0 {
        return Err(underflow());
    }
    Ok(result)
}

fn ln(a: f64) -> Result<f64> {
    has_logarithm(a)?;
    Ok(a.ln())
}

fn log10(a: f64) -> Result<f64> {
    has_logarithm(a)?;
    Ok(a.log10())
}

fn has_logarithm(a: f64) -> Result<()> {
    if a == 0.0 {
        return Err(logarithm_of_zero());
    }
    if a < 0.0 {
        return Err(logarithm_of_negative());
    }
    Ok(())
}

pub(super) fn logarithm_of_zero() -> PgError {
    PgError::new(SqlState::INVALID_ARGUMENT_FOR_LOGARITHM, "cannot take logarithm of zero")
}

pub(super) fn logarithm_of_negative() -> PgError {
    PgError::new(SqlState::INVALID_ARGUMENT_FOR_LOGARITHM, "cannot take logarithm of a negative number")
}

pub(super) fn root_of_negative() -> PgError {
    PgError::new(SqlState::INVALID_ARGUMENT_FOR_POWER_FUNCTION, "cannot take square root of a negative number")
}

pub(super) fn zero_to_negative() -> PgError {
    let message = "zero raised to a negative power is undefined";
    PgError::new(SqlState::INVALID_ARGUMENT_FOR_POWER_FUNCTION, message)
}

pub(super) fn negative_to_fraction() -> PgError {
    let message = "a negative number raised to a non-integer power yields a complex result";
    PgError::new(SqlState::INVALID_ARGUMENT_FOR_POWER_FUNCTION, message)
}

/// The power as POSIX has it, with errors for what has no real result.
fn power(base: f64, exponent: f64) -> Result<f64> {
    if base.is_nan() || exponent.is_nan() {
        let one = exponent == 0.0 || base == 1.0;
        return Ok(if one { 1.0 } else { f64::NAN });
    }
    if base == 0.0 && exponent < 0.0 {
        return Err(zero_to_negative());
    }
    if base < 0.0 && exponent.floor() != exponent {
        return Err(negative_to_fraction());
    }
    if exponent.is_infinite() && base.abs() == 1.0 {
        return Ok(1.0);
    }
    let result = base.powf(exponent);
    if base.is_infinite() || exponent.is_infinite() || base == 0.0 {
        return Ok(result);
    }
    in_range(result)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use crate::testing::{Value, call, operator};
    use crate::types::*;

    const DOUBLE: u32 = FLOAT8;

    fn message(answer: crate::error::Result<Option<String>>) -> String {
        match answer {
            Ok(value) => value.unwrap(),
            Err(error) => format!("{} {}", error.sqlstate.code(), error.message),
        }
    }

    fn check(left: &str, symbol: &str, right: &str, expected: &str) {
        let operands: [Value<'_>; 2] = [(DOUBLE, Some(left)), (DOUBLE, Some(right))];
        assert_eq!(message(operator(symbol, &operands)), expected, "{left} {symbol} {right}");
    }

    fn check_call(name: &str, argument: &str, expected: &str) {
        assert_eq!(message(call(name, &[(DOUBLE, Some(argument))])), expected, "{name}({argument})");
    }

    const OVERFLOW: &str = "22003 value out of range: overflow";
    const UNDERFLOW: &str = "22003 value out of range: underflow";
    const BY_ZERO: &str = "22012 division by zero";

    #[test]
    fn what_the_type_cannot_hold_is_an_error() {
        check("1e308", "+", "1e308", OVERFLOW);
        check("1e308", "*", "10", OVERFLOW);
        check("1e-308", "*", "1e-308", UNDERFLOW);
        check("1e-308", "/", "1e308", UNDERFLOW);
        check("1", "/", "0", BY_ZERO);
        check("inf", "/", "0", BY_ZERO);
        check("nan", "/", "0", "NaN");
        check("inf", "-", "inf", "NaN");
        check("inf", "*", "0", "NaN");
        check("1", "/", "inf", "0");
        check("-1", "*", "0", "0");
        check("0.1", "+", "0.2", "0.30000000000000004");
        let reals: [Value<'_>; 2] = [(FLOAT4, Some("1e38")), (FLOAT4, Some("10"))];
        assert_eq!(message(operator("*", &reals)), OVERFLOW);
        let mixed: [Value<'_>; 2] = [(FLOAT4, Some("0.1")), (FLOAT8, Some("1"))];
        assert_eq!(message(operator("*", &mixed)), "0.10000000149011612");
    }

    #[test]
    fn powers_are_those_of_posix() {
        let undefined = "2201F zero raised to a negative power is undefined";
        let complex = "2201F a negative number raised to a non-integer power yields a complex result";
        for (base, exponent, expected) in [
            ("nan", "0", "1"),
            ("1", "nan", "1"),
            ("nan", "-1", "NaN"),
            ("2", "nan", "NaN"),
            ("-1", "inf", "1"),
            ("0.5", "inf", "0"),
            ("2", "inf", "Infinity"),
            ("2", "-inf", "0"),
            ("0", "inf", "0"),
            ("inf", "2", "Infinity"),
            ("inf", "-2", "0"),
            ("-inf", "3", "-Infinity"),
            ("-inf", "2", "Infinity"),
            ("-inf", "-3", "0"),
            ("inf", "0", "1"),
            ("-2", "inf", "Infinity"),
            ("-0.5", "-inf", "Infinity"),
            ("0", "-1", undefined),
            ("0", "-inf", undefined),
            ("-8", "0.5", complex),
            ("-inf", "0.5", complex),
            ("1e200", "2", OVERFLOW),
            ("1e-200", "2", UNDERFLOW),
            ("-2", "3", "-8"),
        ] {
            check(base, "^", exponent, expected);
        }
    }

    #[test]
    fn functions_round_and_refuse_as_postgresql_does() {
        check_call("round", "2.5", "2");
        check_call("round", "3.5", "4");
        check_call("round", "-0.5", "0");
        check_call("trunc", "-2.7", "-2");
        check_call("floor", "inf", "Infinity");
        check_call("sign", "nan", "0");
        check_call("sqrt", "-1", "2201F cannot take square root of a negative number");
        check_call("ln", "0", "2201E cannot take logarithm of zero");
        check_call("log", "-1", "2201E cannot take logarithm of a negative number");
        check_call("exp", "-inf", "0");
        check_call("exp", "1000", OVERFLOW);
        check_call("exp", "-1000", UNDERFLOW);
        check_call("log10", "1000", "3");
        check_call("cbrt", "-8", "-2");
        check_call("dlog1", "nan", "NaN");
    }
}
