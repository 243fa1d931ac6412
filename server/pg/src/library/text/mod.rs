//! Strings, patterns and bytes.
//!
//! A string is UTF-8, and positions and lengths count characters. Upper and lower case, and what a letter is, follow
//! Unicode's simple rules of one character for one, as PostgreSQL does in a database with the locale `C.UTF-8`; digits
//! are the ten of ASCII there.

pub mod blanks;
mod byte_string;
mod case;
mod concat;
mod digest;
mod encode;
mod encoding;
mod format;
mod like;
mod measure;
mod order;
mod parse_ident;
mod quote;
mod regex;
mod regex_functions;
mod regex_replace;
mod regex_sets;
mod replace;
mod similar;
mod substring;
mod trim;
mod unicode;

use arrow::array::ArrayRef;

use super::Section;
use crate::error::{PgError, Result};
use crate::function::{Call, ResultBuilder, ResultValue};
use crate::sqlstate::SqlState;

pub use quote::identifier as quoted_identifier;

/// What this module has.
pub static SECTION: Section = Section {
    functions: &[
        measure::FUNCTIONS,
        case::FUNCTIONS,
        concat::FUNCTIONS,
        substring::FUNCTIONS,
        trim::FUNCTIONS,
        replace::FUNCTIONS,
        quote::FUNCTIONS,
        parse_ident::FUNCTIONS,
        format::FUNCTIONS,
        unicode::FUNCTIONS,
        like::FUNCTIONS,
        similar::FUNCTIONS,
        regex_functions::FUNCTIONS,
        regex_replace::FUNCTIONS,
        byte_string::FUNCTIONS,
        encode::FUNCTIONS,
        encoding::FUNCTIONS,
        digest::FUNCTIONS,
    ],
    operators: &[measure::OPERATORS, concat::OPERATORS, like::OPERATORS, regex_functions::OPERATORS, order::OPERATORS],
    sets: &[regex_sets::SETS],
    ..Section::EMPTY
};

/// Bytes that one value may have. PostgreSQL's limit is 1 GB; here a batch of values is in memory at once.
const VALUE_BYTES_MAX: usize = 64 << 20;

/// Refuses a value that would be longer than values may be, before it is made.
fn check_length(bytes: usize) -> Result<()> {
    if bytes > VALUE_BYTES_MAX {
        return Err(PgError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, "requested length too large"));
    }
    Ok(())
}

/// A length or position as SQL's integer. Values are far shorter than that type reaches.
fn as_integer(length: usize) -> i32 {
    i32::try_from(length).unwrap_or(i32::MAX)
}

/// The byte at which the character with this index begins, or the end of the string.
fn character_offset(s: &str, index: usize) -> usize {
    if s.is_ascii() {
        return index.min(s.len());
    }
    s.char_indices().nth(index).map_or(s.len(), |(offset, _)| offset)
}

/// The results of a function that is given the number of each row.
fn by_row<R: ResultValue>(call: &Call, mut f: impl FnMut(usize) -> Result<R>) -> Result<ArrayRef> {
    let mut builder = R::Builder::new(&call.result, call.rows())?;
    for row in 0..call.rows() {
        f(row)?.append(&mut builder)?;
    }
    builder.finish()
}
