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

/// The encoding of a column (`attencodingtype`): the system chooses one for each part of it, which here is none.
fn format_encoding(call: &Call) -> Result<ArrayRef> {
    call.map1(|_: i32| "none")
}

fn no_definitions(_arguments: &[ArgumentShape<'_>]) -> Result<SetColumns> {
    let message = "a column definition list is required for functions returning \"record\"";
    Err(PgError::new(SqlState::SYNTAX_ERROR, message))
}
