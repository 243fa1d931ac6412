//! Types by name and number.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringViewArray};
use arrow::datatypes::UInt32Type;

use crate::error::{PgError, Result};
use crate::function::{Call, Function, Oid, function};
use crate::input::{self, object_name};
use crate::sqlstate::SqlState;
use crate::types::{self, *};

/// What PostgreSQL adds to a length or precision in a type modifier (`VARHDRSZ`).
const TYPMOD_HEADER: i32 = 4;
/// Bits of a numeric's modifier that hold the scale.
const SCALE_BITS: u32 = 11;
/// The precision in an interval's modifier that stands for none.
const INTERVAL_FULL_PRECISION: i32 = 0xffff;
/// Sets of fields in an interval's modifier, as bits of PostgreSQL's field numbers, and how they are written.
const INTERVAL_FIELDS: [(i32, &str); 14] = [
    (1 << 2, " year"),
    (1 << 1, " month"),
    (1 << 3, " day"),
    (1 << 10, " hour"),
    (1 << 11, " minute"),
    (1 << 12, " second"),
    (1 << 2 | 1 << 1, " year to month"),
    (1 << 3 | 1 << 10, " day to hour"),
    (1 << 3 | 1 << 10 | 1 << 11, " day to minute"),
    (1 << 3 | 1 << 10 | 1 << 11 | 1 << 12, " day to second"),
    (1 << 10 | 1 << 11, " hour to minute"),
    (1 << 10 | 1 << 11 | 1 << 12, " hour to second"),
    (1 << 11 | 1 << 12, " minute to second"),
    (0x7fff, ""),
];

/// The functions.
pub static FUNCTIONS: &[Function] = &[
    function("format_type", &[OID, INT4], TEXT, format_type_of_rows).stable(),
    function("oidvectortypes", &[OIDVECTOR], TEXT, oidvectortypes).stable(),
    function("to_regtype", &[TEXT], REGTYPE, to_regtype).stable(),
    function("to_regclass", &[TEXT], REGCLASS, |call| {
        call.map1(|name: &str| Ok(object_name::named_relation(name)?.map(Oid)))
    })
    .stable(),
    function("to_regnamespace", &[TEXT], REGNAMESPACE, |call| {
        call.map1(|name: &str| Ok(object_name::named_schema(name)?.map(Oid)))
    })
    .stable(),
    function("to_regrole", &[TEXT], REGROLE, |call| {
        call.map1(|name: &str| Ok(object_name::named_role(name)?.map(Oid)))
    })
    .stable(),
    function("pg_typeof", &[ANY], REGTYPE, pg_typeof).stable(),
];

/// The type that the argument was resolved to, which no row changes.
fn pg_typeof(call: &Call) -> Result<ArrayRef> {
    let number = call.types.first().map(|ty| Oid(ty.oid));
    call.map0(|| number)
}

fn to_regtype(call: &Call) -> Result<ArrayRef> {
    call.map1(|name: &str| {
        let is_number = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
        match input::type_name::type_number(name) {
            // Only the cast reads numbers.
            Ok(_) if is_number || name == "-" => {
                Err(PgError::new(SqlState::SYNTAX_ERROR, format!("syntax error at or near \"{name}\"")))
            }
            Ok(number) => Ok(Some(Oid(number))),
            Err(error) if error.sqlstate == SqlState::SYNTAX_ERROR => Err(error),
            Err(_) => Ok(None),
        }
    })
}

fn format_type_of_rows(call: &Call) -> Result<ArrayRef> {
    call.map2(|number: Option<Oid>, typmod: Option<i32>| {
        number.map(|Oid(number)| format_type(number, typmod)).transpose()
    })
}

/// The names of the types whose numbers are in a vector.
fn oidvectortypes(call: &Call) -> Result<ArrayRef> {
    let vectors = call.array(0)?;
    let vectors = vectors.as_list_opt::<i32>().ok_or_else(|| PgError::internal("an oidvector is no list"))?;
    let names = |vector: ArrayRef| {
        let numbers =
            vector.as_primitive_opt::<UInt32Type>().ok_or_else(|| PgError::internal("no numbers of types"))?;
        let names = numbers.iter().flatten().map(|number| format_type(number, None)).collect::<Result<Vec<_>>>()?;
        Ok(Some(names.join(", ")))
    };
    let texts = vectors.iter().map(|vector| vector.map_or(Ok(None), names)).collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(StringViewArray::from_iter(texts)))
}

/// The name of a type with its modifier; -1 is the modifier of a column without one.
pub fn format_type(number: u32, typmod: Option<i32>) -> Result<String> {
    if number == 0 {
        return Ok("-".to_owned());
    }
    if let Some(element) = types::element_type(number).filter(|_| !matches!(number, INT2VECTOR | OIDVECTOR)) {
        return Ok(format!("{}[]", format_type(element, typmod)?));
    }
    let Some(typmod_given) = typmod.filter(|typmod| *typmod >= 0) else {
        // A column of type `character` has a length; without one it is a type of its own.
        let is_column = typmod.is_some();
        return Ok(if is_column && number == BPCHAR { "bpchar".to_owned() } else { types::type_name(number) });
    };
    let name = types::type_name(number);
    Ok(match number {
        BOOL | INT2 | INT4 | INT8 | FLOAT4 | FLOAT8 => name,
        TIME | TIMESTAMP | TIMETZ | TIMESTAMPTZ => match name.split_once(' ') {
            Some((name, rest)) => format!("{name}({typmod_given}) {rest}"),
            None => name,
        },
        INTERVAL => interval_name(typmod_given)?,
        NUMERIC if typmod_given >= TYPMOD_HEADER => {
            let packed = typmod_given - TYPMOD_HEADER;
            let shift = 32 - SCALE_BITS;
            // The scale is signed.
            let scale = packed << shift >> shift;
            format!("numeric({},{scale})", packed >> 16 & 0xffff)
        }
        BPCHAR | VARCHAR if typmod_given > TYPMOD_HEADER => format!("{name}({})", typmod_given - TYPMOD_HEADER),
        BPCHAR | VARCHAR | NUMERIC => name,
        _ if name == "???" => name,
        _ => format!("{name}({typmod_given})"),
    })
}

fn interval_name(typmod: i32) -> Result<String> {
    let (fields, precision) = (typmod >> 16 & 0x7fff, typmod & 0xffff);
    let invalid = || PgError::new(SqlState::INTERNAL_ERROR, format!("invalid INTERVAL typmod: 0x{typmod:x}"));
    let (_, fields) = INTERVAL_FIELDS.iter().find(|(bits, _)| *bits == fields).ok_or_else(invalid)?;
    Ok(match precision {
        INTERVAL_FULL_PRECISION => format!("interval{fields}"),
        _ => format!("interval{fields}({precision})"),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::call;

    #[test]
    fn a_type_is_found_by_its_name() {
        for (name, expected) in [
            ("int", Some("integer")),
            ("character varying", Some("character varying")),
            ("text[]", Some("text[]")),
            ("pg_catalog.int8", Some("bigint")),
            ("no_such_type", None),
        ] {
            assert_eq!(call("to_regtype", &[(TEXT, Some(name))]).unwrap().as_deref(), expected, "{name}");
        }
        assert_eq!(call("pg_typeof", &[(NUMERIC, Some("1"))]).unwrap().unwrap(), "numeric");
    }

    #[test]
    fn types_are_named_with_their_modifiers() {
        for (number, typmod, expected) in [
            (VARCHAR, Some(104), "character varying(100)"),
            (VARCHAR, None, "character varying"),
            (VARCHAR, Some(-1), "character varying"),
            (BPCHAR, Some(5), "character(1)"),
            (BPCHAR, Some(-1), "bpchar"),
            (BPCHAR, None, "character"),
            (NUMERIC, Some(655_366), "numeric(10,2)"),
            (NUMERIC, Some((5 << 16 | 2046) + 4), "numeric(5,-2)"),
            (TIME, Some(3), "time(3) without time zone"),
            (TIMESTAMPTZ, Some(6), "timestamp(6) with time zone"),
            (INTERVAL, Some(0x7fff_0003), "interval(3)"),
            (INTERVAL, Some(4 << 16 | 0xffff), "interval year"),
            (1015, Some(104), "character varying(100)[]"),
            (0, None, "-"),
            (12_345_678, None, "???"),
            (INT4, Some(5), "integer"),
            (NAME, Some(5), "name(5)"),
        ] {
            assert_eq!(format_type(number, typmod).unwrap(), expected);
        }
    }
}
