//! Functions of Redshift's about its system catalogs.

use arrow::array::ArrayRef;

use crate::error::{PgError, Result};
use crate::function::{ArgumentShape, Call, Function, SetColumns, SetFunction, function};
use crate::sqlstate::SqlState;
use crate::types::*;

/// The functions.
pub static FUNCTIONS: &[Function] = &[function("format_encoding", &[INT4], TEXT, format_encoding)];

/// Those that return rows, whose columns the query defines.
pub static SETS: &[SetFunction] = &[SetFunction {
    name: "pg_get_late_binding_view_cols",
    arguments: &[TEXT_ARRAY],
    variadic: false,
    columns: no_definitions,
    // There are no late-binding views.
    rows: |_| Ok(Box::new(std::iter::empty())),
}];

/// How Redshift compresses columns, by the number that `attencodingtype` has. Here none of it is done.
const ENCODINGS: [&str; 13] = [
    "none",
    "bytedict",
    "delta",
    "delta32k",
    "lzo",
    "mostly8",
    "mostly16",
    "mostly32",
    "runlength",
    "text255",
    "text32k",
    "zstd",
    "az64",
];

/// The number of an encoding (`attencodingtype`); 0 for none that has one.
pub fn encoding_number(name: &str) -> i16 {
    let place = ENCODINGS.iter().position(|known| *known == name);
    place.and_then(|place| i16::try_from(place).ok()).unwrap_or_default()
}

/// The encoding that was asked for with ENCODE, by its number.
fn format_encoding(call: &Call) -> Result<ArrayRef> {
    call.map1(|number: i32| {
        usize::try_from(number).ok().and_then(|place| ENCODINGS.get(place)).copied().unwrap_or("none")
    })
}

fn no_definitions(_arguments: &[ArgumentShape<'_>]) -> Result<SetColumns> {
    let message = "a column definition list is required for functions returning \"record\"";
    Err(PgError::new(SqlState::SYNTAX_ERROR, message))
}
