//! Numbers: operators and functions of integers, numerics and floating point.

mod columns;
mod float;
mod integer;
mod numeric;
mod random;
mod trigonometry;
mod width_bucket;

pub use random::RandomState;

use super::Section;

/// What this module has.
pub static SECTION: Section = Section {
    operators: &[
        integer::ADD,
        integer::SUBTRACT,
        integer::MULTIPLY,
        integer::DIVIDE,
        integer::INT2_OPERATORS,
        integer::INT4_OPERATORS,
        integer::INT8_OPERATORS,
        integer::SHIFTS,
        float::ADD,
        float::SUBTRACT,
        float::MULTIPLY,
        float::DIVIDE,
        float::OPERATORS,
        numeric::arithmetic::OPERATORS,
        numeric::division::OPERATORS,
        numeric::power::OPERATORS,
    ],
    functions: &[
        integer::INT2_FUNCTIONS,
        integer::INT4_FUNCTIONS,
        integer::INT8_FUNCTIONS,
        integer::DIVISORS,
        float::FUNCTIONS,
        trigonometry::FUNCTIONS,
        random::FUNCTIONS,
        numeric::arithmetic::FUNCTIONS,
        numeric::division::FUNCTIONS,
        numeric::power::FUNCTIONS,
        numeric::rounding::FUNCTIONS,
        numeric::whole::FUNCTIONS,
        width_bucket::FUNCTIONS,
    ],
    ..Section::EMPTY
};
