//! Casts of `boolean`. Unlike its output function, they print whole words (`booltext`).

use arrow::array::ArrayRef;

use super::modifier;
use crate::error::Result;
use crate::function::CastContext::{Assignment, Explicit};
use crate::function::{Call, Cast, cast};
use crate::types::*;

/// The casts of this module.
pub static CASTS: &[Cast] = &[
    cast(&[BOOL], INT4, Explicit, |call| call.map1(|value: bool| i32::from(value))),
    cast(&[BOOL], TEXT, Assignment, to_string),
    cast(&[BOOL], VARCHAR, Assignment, to_string),
    cast(&[BOOL], BPCHAR, Assignment, to_string),
    cast(&[INT4], BOOL, Explicit, |call| call.map1(|value: i32| value != 0)),
];

fn to_string(call: &Call) -> Result<ArrayRef> {
    let explicit = modifier::is_explicit(call.context);
    call.map1(|value: bool| modifier::string(if value { "true" } else { "false" }, &call.result, explicit))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn a_boolean_is_printed_as_a_word() {
        assert_eq!(testing::cast((BOOL, Some("t")), TEXT, -1).unwrap().as_deref(), Some("true"));
        assert_eq!(testing::cast((BOOL, Some("f")), BPCHAR, 10).unwrap().as_deref(), Some("false "));
        assert_eq!(testing::cast((BOOL, None), TEXT, -1), Ok(None));
        assert_eq!(testing::cast((INT4, Some("-1")), BOOL, -1).unwrap().as_deref(), Some("t"));
        assert_eq!(testing::cast((BOOL, Some("t")), INT4, -1).unwrap().as_deref(), Some("1"));
    }
}
