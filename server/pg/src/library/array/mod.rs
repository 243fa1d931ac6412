//! Arrays, records and maps, and the functions that return sets of plain values.
//!
//! An array is a list, one of several dimensions a list of lists. PostgreSQL does not count dimensions in the type, Arrow
//! does: a function whose result could have other dimensions than its Arrow type says answers with 0A000.

mod compare;
mod concatenate;
mod construct;
mod dimensions;
mod generate_series;
pub mod leaves;
mod map;
mod order;
mod order_keys;
mod picks;
mod quantified;
mod search;
mod spread;
mod subscript;
mod text;
mod unify;
mod unnest;

use super::Section;

pub use order::column_order;
pub use quantified::quantified;
pub use spread::spread;
pub use unnest::{Expansion, expand, expands_columns};

/// What this module has.
pub static SECTION: Section = Section {
    functions: &[
        concatenate::CONCATENATIONS,
        construct::CONSTRUCTORS,
        dimensions::DIMENSIONS,
        map::MAPS,
        order_keys::ORDER_KEYS,
        search::SEARCHES,
        subscript::SUBSCRIPTS,
        text::TEXTS,
    ],
    operators: &[
        compare::ARRAY_COMPARISONS,
        compare::RECORD_COMPARISONS,
        concatenate::CONCATENATION_OPERATORS,
        search::CONTAINMENTS,
    ],
    sets: &[generate_series::GENERATE_SERIES, unnest::UNNEST],
    ..Section::EMPTY
};

#[cfg(test)]
mod tests;
