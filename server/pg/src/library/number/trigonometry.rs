//! Angles, in radians and in degrees, and hyperbolic functions.
//!
//! The functions in degrees are exact at multiples of 30 and 45: they are computed in a part of the first quadrant and
//! divided by what the computation gives at its end. The steps are those of PostgreSQL's `float.c`, so that the last digit
//! is the same.

use std::sync::LazyLock;

use crate::error::{PgError, Result};
use crate::function::{Function, function};
use crate::sqlstate::SqlState;
use crate::types::*;

use super::float::{overflow, underflow};

const RADIANS_PER_DEGREE: f64 = 0.017_453_292_519_943_295;

/// The functions.
pub static FUNCTIONS: &[Function] = &[
    function("pi", &[], FLOAT8, |call| call.map0(|| std::f64::consts::PI)),
    function("degrees", &[FLOAT8], FLOAT8, |call| call.map1(degrees)),
    function("radians", &[FLOAT8], FLOAT8, |call| call.map1(radians)),
    function("sin", &[FLOAT8], FLOAT8, |call| call.map1(|a| of_finite(a, f64::sin))),
    function("cos", &[FLOAT8], FLOAT8, |call| call.map1(|a| of_finite(a, f64::cos))),
    function("tan", &[FLOAT8], FLOAT8, |call| call.map1(|a| of_finite(a, f64::tan))),
    function("cot", &[FLOAT8], FLOAT8, |call| call.map1(|a| of_finite(a, |a| 1.0 / a.tan()))),
    function("asin", &[FLOAT8], FLOAT8, |call| call.map1(|a| of_unit(a, f64::asin))),
    function("acos", &[FLOAT8], FLOAT8, |call| call.map1(|a| of_unit(a, f64::acos))),
    function("atan", &[FLOAT8], FLOAT8, |call| call.map1(f64::atan)),
    function("atan2", &[FLOAT8, FLOAT8], FLOAT8, |call| call.map2(f64::atan2)),
    function("sind", &[FLOAT8], FLOAT8, |call| call.map1(|a| of_finite(a, sind))),
    function("cosd", &[FLOAT8], FLOAT8, |call| call.map1(|a| of_finite(a, cosd))),
    function("tand", &[FLOAT8], FLOAT8, |call| call.map1(|a| of_finite(a, tand))),
    function("cotd", &[FLOAT8], FLOAT8, |call| call.map1(|a| of_finite(a, cotd))),
    function("asind", &[FLOAT8], FLOAT8, |call| call.map1(|a| of_unit(a, asind))),
    function("acosd", &[FLOAT8], FLOAT8, |call| call.map1(|a| of_unit(a, acosd))),
    function("atand", &[FLOAT8], FLOAT8, |call| call.map1(|a: f64| at_45(a.atan()))),
    function("atan2d", &[FLOAT8, FLOAT8], FLOAT8, |call| call.map2(|a: f64, b: f64| at_45(a.atan2(b)))),
    function("sinh", &[FLOAT8], FLOAT8, |call| call.map1(f64::sinh)),
    function("cosh", &[FLOAT8], FLOAT8, |call| call.map1(f64::cosh)),
    function("tanh", &[FLOAT8], FLOAT8, |call| call.map1(f64::tanh)),
    function("asinh", &[FLOAT8], FLOAT8, |call| call.map1(asinh)),
    function("acosh", &[FLOAT8], FLOAT8, |call| call.map1(acosh)),
    function("atanh", &[FLOAT8], FLOAT8, |call| call.map1(atanh)),
];

fn input_out_of_range() -> PgError {
    PgError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "input is out of range")
}

fn of_finite(a: f64, compute: impl Fn(f64) -> f64) -> Result<f64> {
    if a.is_infinite() {
        return Err(input_out_of_range());
    }
    Ok(compute(a))
}

fn of_unit(a: f64, compute: impl Fn(f64) -> f64) -> Result<f64> {
    if !(-1.0..=1.0).contains(&a) && !a.is_nan() {
        return Err(input_out_of_range());
    }
    Ok(compute(a))
}

fn degrees(a: f64) -> Result<f64> {
    let result = a / RADIANS_PER_DEGREE;
    if result.is_infinite() && !a.is_infinite() {
        return Err(overflow());
    }
    Ok(result)
}

fn radians(a: f64) -> Result<f64> {
    let result = a * RADIANS_PER_DEGREE;
    if result == 0.0 && a != 0.0 {
        return Err(underflow());
    }
    Ok(result)
}

/// What the functions in radians give where those in degrees have a round result.
struct Anchors {
    sin_30: f64,
    one_minus_cos_60: f64,
    asin_half: f64,
    acos_half: f64,
    atan_1: f64,
}

static ANCHORS: LazyLock<Anchors> = LazyLock::new(|| Anchors {
    sin_30: (30.0 * RADIANS_PER_DEGREE).sin(),
    one_minus_cos_60: 1.0 - (60.0 * RADIANS_PER_DEGREE).cos(),
    asin_half: 0.5f64.asin(),
    acos_half: 0.5f64.acos(),
    atan_1: 1.0f64.atan(),
});

fn sine_to_30(a: f64) -> f64 {
    ((a * RADIANS_PER_DEGREE).sin() / ANCHORS.sin_30) / 2.0
}

fn cosine_to_60(a: f64) -> f64 {
    1.0 - ((1.0 - (a * RADIANS_PER_DEGREE).cos()) / ANCHORS.one_minus_cos_60) / 2.0
}

fn sine_to_90(a: f64) -> f64 {
    if a <= 30.0 { sine_to_30(a) } else { cosine_to_60(90.0 - a) }
}

fn cosine_to_90(a: f64) -> f64 {
    if a <= 60.0 { cosine_to_60(a) } else { sine_to_30(90.0 - a) }
}

/// An angle in the first quadrant, and the signs that its sine and its cosine get.
fn first_quadrant(a: f64) -> (f64, f64, f64) {
    let (mut a, mut sine, mut cosine) = (a % 360.0, 1.0, 1.0);
    if a < 0.0 {
        (a, sine) = (-a, -sine);
    }
    if a > 180.0 {
        (a, sine) = (360.0 - a, -sine);
    }
    if a > 90.0 {
        (a, cosine) = (180.0 - a, -cosine);
    }
    (a, sine, cosine)
}

fn sind(a: f64) -> f64 {
    let (a, sign, _) = first_quadrant(a);
    sign * sine_to_90(a)
}

fn cosd(a: f64) -> f64 {
    let (a, _, sign) = first_quadrant(a);
    sign * cosine_to_90(a)
}

fn tand(a: f64) -> f64 {
    let (a, sine, cosine) = first_quadrant(a);
    let at_45 = sine_to_90(45.0) / cosine_to_90(45.0);
    sine * cosine * ((sine_to_90(a) / cosine_to_90(a)) / at_45)
}

fn cotd(a: f64) -> f64 {
    let (a, sine, cosine) = first_quadrant(a);
    let at_45 = cosine_to_90(45.0) / sine_to_90(45.0);
    sine * cosine * ((cosine_to_90(a) / sine_to_90(a)) / at_45)
}

fn asind(a: f64) -> f64 {
    if a < 0.0 { -asind_of_positive(-a) } else { asind_of_positive(a) }
}

fn asind_of_positive(a: f64) -> f64 {
    if a <= 0.5 { a.asin() / ANCHORS.asin_half * 30.0 } else { 90.0 - a.acos() / ANCHORS.acos_half * 60.0 }
}

fn acosd(a: f64) -> f64 {
    if a < 0.0 {
        90.0 + asind_of_positive(-a)
    } else if a <= 0.5 {
        90.0 - a.asin() / ANCHORS.asin_half * 30.0
    } else {
        a.acos() / ANCHORS.acos_half * 60.0
    }
}

fn at_45(radians: f64) -> f64 {
    radians / ANCHORS.atan_1 * 45.0
}

/// Beyond this a one more or less makes no difference.
const LARGE: f64 = 268_435_456.0;

// The standard library's area functions differ from the C library's in the last digit; these are the usual formulas.

fn asinh(a: f64) -> f64 {
    let size = a.abs();
    if !a.is_finite() || size < 1.0 / LARGE {
        return a;
    }
    let result = if size > LARGE {
        size.ln() + std::f64::consts::LN_2
    } else if size > 2.0 {
        (2.0 * size + 1.0 / ((size * size + 1.0).sqrt() + size)).ln()
    } else {
        let square = size * size;
        (size + square / (1.0 + (1.0 + square).sqrt())).ln_1p()
    };
    result.copysign(a)
}

fn acosh(a: f64) -> Result<f64> {
    if a < 1.0 {
        return Err(input_out_of_range());
    }
    Ok(if a > LARGE {
        a.ln() + std::f64::consts::LN_2
    } else if a > 2.0 {
        (2.0 * a - 1.0 / (a + (a * a - 1.0).sqrt())).ln()
    } else {
        let above = a - 1.0;
        (above + (2.0 * above + above * above).sqrt()).ln_1p()
    })
}

fn atanh(a: f64) -> Result<f64> {
    let size = a.abs();
    if size > 1.0 {
        return Err(input_out_of_range());
    }
    if size == 1.0 {
        return Ok(f64::INFINITY.copysign(a));
    }
    if size < 1.0 / LARGE {
        return Ok(a);
    }
    let twice = size + size;
    let result = match size < 0.5 {
        true => 0.5 * (twice + twice * size / (1.0 - size)).ln_1p(),
        false => 0.5 * (twice / (1.0 - size)).ln_1p(),
    };
    Ok(result.copysign(a))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use crate::testing::call;
    use crate::types::*;

    fn check(name: &str, argument: &str, expected: &str) {
        let answer = match call(name, &[(FLOAT8, Some(argument))]) {
            Ok(value) => value.unwrap(),
            Err(error) => format!("{} {}", error.sqlstate.code(), error.message),
        };
        assert_eq!(answer, expected, "{name}({argument})");
    }

    const OUT_OF_RANGE: &str = "22003 input is out of range";

    #[test]
    fn degrees_are_exact_where_they_can_be() {
        for (name, argument, expected) in [
            ("tand", "90", "Infinity"),
            ("tand", "270", "-Infinity"),
            ("tand", "-90", "-Infinity"),
            ("cotd", "0", "Infinity"),
            ("cotd", "180", "-Infinity"),
            ("cotd", "360", "Infinity"),
            ("tand", "45", "1"),
            ("tand", "135", "-1"),
            ("cotd", "-45", "-1"),
            ("sind", "30", "0.5"),
            ("sind", "390", "0.5"),
            ("sind", "-30", "-0.5"),
            ("cosd", "60", "0.5"),
            ("cosd", "120", "-0.5"),
            ("asind", "0.5", "30"),
            ("asind", "-0.5", "-30"),
            ("acosd", "0.5", "60"),
            ("acosd", "-0.5", "120"),
            ("atand", "1", "45"),
            ("sind", "10", "0.17364817766693036"),
            ("cosd", "10", "0.984807753012208"),
            ("tand", "10", "0.176326980708465"),
            ("cotd", "10", "5.671281819617709"),
            ("atand", "0.3", "16.69924423399362"),
            ("asind", "0.3", "17.45760312372209"),
            ("acosd", "0.3", "72.5423968762779"),
            ("acosd", "0.7", "45.5729959991943"),
            ("asind", "0.7", "44.4270040008057"),
            ("sind", "inf", OUT_OF_RANGE),
            ("asind", "2", OUT_OF_RANGE),
        ] {
            check(name, argument, expected);
        }
    }

    #[test]
    fn radians_and_hyperbolas() {
        for (name, argument, expected) in [
            ("sin", "inf", OUT_OF_RANGE),
            ("cot", "0", "Infinity"),
            ("cot", "nan", "NaN"),
            ("acos", "2", OUT_OF_RANGE),
            ("asin", "nan", "NaN"),
            ("atan", "inf", "1.5707963267948966"),
            ("degrees", "0.5", "28.64788975654116"),
            ("degrees", "1e308", "22003 value out of range: overflow"),
            ("radians", "5e-324", "22003 value out of range: underflow"),
            ("radians", "90", "1.5707963267948966"),
            ("sinh", "-1000", "-Infinity"),
            ("cosh", "1000", "Infinity"),
            ("asinh", "1e300", "691.4686750787736"),
            ("acosh", "1e300", "691.4686750787736"),
            ("acosh", "0.5", OUT_OF_RANGE),
            ("atanh", "-1", "-Infinity"),
            ("atanh", "2", OUT_OF_RANGE),
        ] {
            check(name, argument, expected);
        }
    }
}
