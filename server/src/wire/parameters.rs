//! The values that clients bind to parameters, in text and in binary.

mod binary;
pub mod column;

use datafusion::common::ScalarValue;
use pg::encoding::utf8;
use pg::error::Result;
use pg::types::{self, JSONPATH, TIMETZ, UNKNOWN};
use pg::{PgError, SessionValues, Type, input, names};

use crate::wire::rows::Format;

/// The value of a parameter of the type with this OID; no bytes are NULL. Numbers and arrays have as many digits and
/// dimensions as they were sent with.
///
/// # Errors
/// The bytes are no value of the type.
pub fn decode(oid: u32, format: Format, value: Option<&[u8]>, session: &SessionValues) -> Result<ScalarValue> {
    if !is_supported(oid) {
        return Err(PgError::not_supported(format!("a parameter of type {}", types::type_name(oid))));
    }
    let ty = Type::of(oid);
    match (value, format) {
        (None, _) => Ok(ScalarValue::try_from(&ty.arrow)?),
        // The text of a message has been converted.
        (Some(bytes), Format::Text) => from_text(&ty, utf8(bytes)?, session),
        (Some(bytes), Format::Binary) => binary::value(&ty, bytes, session),
    }
}

fn is_supported(oid: u32) -> bool {
    let single = matches!(oid, TIMETZ | JSONPATH | UNKNOWN);
    single
        || names::is_user_number(oid)
        || types::arrow_type_of(oid).is_some()
        || types::is_object_number(oid)
        || types::element_type(oid).is_some_and(is_supported)
}

fn from_text(ty: &Type, text: &str, session: &SessionValues) -> Result<ScalarValue> {
    Ok(input::value(ty, text, session)?.1)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
