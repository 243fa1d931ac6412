//! Casts between types: those of `pg_cast`, the conversions through text that PostgreSQL falls back on, and the casts of a
//! type to itself that apply a modifier.
//!
//! Every kernel whose target has a modifier applies the one in [`crate::function::Call::result`], so that a cast and its
//! modifier can be one step. A cast that the engine computes, or that computes nothing, leaves the modifier to the cast of
//! the target to itself.

mod arrays;
mod boolean;
mod by_text;
mod datetime;
mod json;
pub mod modifier;
mod number;
mod object;
mod string;

use super::Section;

pub use arrays::{ARRAY_CAST, DIMENSIONS_CAST, array_cast_type, dimensions};
pub use by_text::{FROM_TEXT, TO_TEXT};

/// What this module has.
pub static SECTION: Section = Section {
    casts: &[
        boolean::CASTS,
        datetime::CASTS,
        json::CASTS,
        number::CASTS,
        object::CASTS,
        object::TO_NUMBERS,
        object::FROM_NUMBERS,
        object::BETWEEN,
        string::CASTS,
    ],
    ..Section::EMPTY
};
