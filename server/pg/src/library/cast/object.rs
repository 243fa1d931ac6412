//! Casts of the numbers of objects: `oid` and the types that print as the name of what they number. They are the same
//! 32 bits as `integer`, without the sign.

use arrow::array::ArrayRef;

use super::by_text;
use crate::error::{PgError, Result};
use crate::function::CastContext::{Assignment, Implicit};
use crate::function::{Call, Cast, Oid, cast, native_cast};
use crate::types::*;

/// `regoper`
const REGOPER: u32 = 2203;
/// `regoperator`
const REGOPERATOR: u32 = 2204;
/// `regconfig`
const REGCONFIG: u32 = 3734;
/// `regdictionary`
const REGDICTIONARY: u32 = 3769;

macro_rules! object_casts {
    ($($object:ident),*) => {
        /// Numbers to the numbers of objects.
        pub static FROM_NUMBERS: &[Cast] = &[
            $(
                cast(&[INT2], $object, Implicit, from_int2),
                cast(&[INT4], $object, Implicit, from_int4),
                cast(&[INT8], $object, Implicit, from_int8),
            )*
        ];
        /// The numbers of objects to numbers.
        pub static TO_NUMBERS: &[Cast] = &[
            $(
                cast(&[$object], INT4, Assignment, to_int4),
                native_cast(&[$object], INT8, Assignment),
            )*
        ];
    };
}

object_casts!(
    OID,
    REGPROC,
    REGPROCEDURE,
    REGOPER,
    REGOPERATOR,
    REGCLASS,
    REGTYPE,
    REGCONFIG,
    REGDICTIONARY,
    REGNAMESPACE,
    REGROLE
);

macro_rules! casts_between {
    ($($object:ident),*) => {
        /// `oid` and the others are the same.
        pub static BETWEEN: &[Cast] = &[
            $(native_cast(&[OID], $object, Implicit), native_cast(&[$object], OID, Implicit),)*
        ];
    };
}

casts_between!(
    REGPROC,
    REGPROCEDURE,
    REGOPER,
    REGOPERATOR,
    REGCLASS,
    REGTYPE,
    REGCONFIG,
    REGDICTIONARY,
    REGNAMESPACE,
    REGROLE
);

/// Types that number the same objects.
pub static CASTS: &[Cast] = &[
    native_cast(&[REGPROC], REGPROCEDURE, Implicit),
    native_cast(&[REGPROCEDURE], REGPROC, Implicit),
    native_cast(&[REGOPER], REGOPERATOR, Implicit),
    native_cast(&[REGOPERATOR], REGOPER, Implicit),
    cast(&[TEXT], REGCLASS, Implicit, by_text::from_text),
    cast(&[VARCHAR], REGCLASS, Implicit, by_text::from_text),
];

fn from_int2(call: &Call) -> Result<ArrayRef> {
    call.map1(|number: i16| Oid(i32::from(number).cast_unsigned()))
}

fn from_int4(call: &Call) -> Result<ArrayRef> {
    call.map1(|number: i32| Oid(number.cast_unsigned()))
}

fn from_int8(call: &Call) -> Result<ArrayRef> {
    call.map1(|number: i64| u32::try_from(number).map(Oid).map_err(|_| PgError::out_of_range("OID")))
}

fn to_int4(call: &Call) -> Result<ArrayRef> {
    call.map1(|number: Oid| number.0.cast_signed())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn numbers_of_objects_are_integers_without_a_sign() {
        for (source, text, target, expected) in [
            (INT4, "-1", OID, "4294967295"),
            (INT2, "-1", OID, "4294967295"),
            (INT8, "4294967295", OID, "4294967295"),
            (OID, "4294967295", INT4, "-1"),
            (INT4, "23", REGTYPE, "integer"),
        ] {
            assert_eq!(testing::cast((source, Some(text)), target, -1).unwrap().as_deref(), Some(expected), "{text}");
        }
        assert_eq!(testing::cast((INT8, Some("-1")), OID, -1), Err(PgError::out_of_range("OID")));
    }
}
