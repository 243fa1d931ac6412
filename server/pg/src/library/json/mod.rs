//! `json` and `jsonb`: their operators, functions and aggregates, and `jsonpath`.
//!
//! Both types are carried as text. A `json` is the text that was written; a `jsonb` is normalised (see [`value`]), so that
//! what reads one can rely on the order of its keys and the form of its numbers.

pub mod convert;
pub mod jsonpath;
pub mod lexer;
pub mod value;

mod access;
mod aggregate;
mod build;
mod change;
mod compare;
mod number;
mod populate;
mod print;
mod records;
mod redshift;
mod sets;
#[cfg(test)]
mod tests;

use super::Section;
use jsonpath::functions;

/// What this module has.
pub static SECTION: Section = Section {
    functions: &[
        access::FUNCTIONS,
        build::FUNCTIONS,
        change::FUNCTIONS,
        compare::FUNCTIONS,
        populate::FUNCTIONS,
        print::FUNCTIONS,
        redshift::FUNCTIONS,
        functions::OPERATORS_BY_NAME,
        functions::EXISTS,
        functions::MATCH,
        functions::ARRAY,
        functions::FIRST,
        functions::EXISTS_TZ,
        functions::MATCH_TZ,
        functions::ARRAY_TZ,
        functions::FIRST_TZ,
    ],
    operators: &[access::OPERATORS, change::OPERATORS, compare::OPERATORS, functions::OPERATORS],
    casts: &[],
    aggregates: &[aggregate::AGGREGATES],
    sets: &[sets::SETS, populate::SETS, records::RECORDS, functions::SETS],
    ..Section::EMPTY
};
