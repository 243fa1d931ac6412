//! Comparisons that the engine computes: of types whose order is that of the Arrow values that carry them.
//!
//! Numbers of several widths, dates and timestamps compare with one another: the planner brings both sides to one Arrow
//! type. Types whose Arrow values have another order (`interval`, `timetz`, `jsonb`) have their comparisons where the rest
//! of the type is, and so have timestamps with time zone and dates or timestamps without, which the session's zone orders.

use datafusion_expr::Operator;

use super::Section;
use crate::function::{Function, native};
use crate::types::*;

/// What this module has.
pub static SECTION: Section = Section {
    operators: &[
        BOOLEANS,
        INT2S,
        INT2_INT4,
        INT2_INT8,
        INT4_INT2,
        INT4S,
        INT4_INT8,
        INT8_INT2,
        INT8_INT4,
        INT8S,
        FLOAT4S,
        FLOAT4_FLOAT8,
        FLOAT8_FLOAT4,
        FLOAT8S,
        NUMERICS,
        TEXTS,
        NAMES,
        NAME_TEXT,
        TEXT_NAME,
        CHARACTERS,
        CHARS,
        BYTES,
        DATES,
        DATE_TIMESTAMP,
        TIMESTAMP_DATE,
        TIMESTAMPS,
        TIMES,
        TIMESTAMPTZS,
        UUIDS,
        OIDS,
        ENUMS,
    ],
    ..Section::EMPTY
};

macro_rules! comparisons {
    ($($list:ident: $left:ident $right:ident;)*) => {
        $(
            static $list: &[Function] = &[
                native("=", &[$left, $right], BOOL, Operator::Eq),
                native("<>", &[$left, $right], BOOL, Operator::NotEq),
                native("<", &[$left, $right], BOOL, Operator::Lt),
                native("<=", &[$left, $right], BOOL, Operator::LtEq),
                native(">", &[$left, $right], BOOL, Operator::Gt),
                native(">=", &[$left, $right], BOOL, Operator::GtEq),
            ];
        )*
    };
}

comparisons! {
    BOOLEANS: BOOL BOOL;
    INT2S: INT2 INT2;
    INT2_INT4: INT2 INT4;
    INT2_INT8: INT2 INT8;
    INT4_INT2: INT4 INT2;
    INT4S: INT4 INT4;
    INT4_INT8: INT4 INT8;
    INT8_INT2: INT8 INT2;
    INT8_INT4: INT8 INT4;
    INT8S: INT8 INT8;
    FLOAT4S: FLOAT4 FLOAT4;
    FLOAT4_FLOAT8: FLOAT4 FLOAT8;
    FLOAT8_FLOAT4: FLOAT8 FLOAT4;
    FLOAT8S: FLOAT8 FLOAT8;
    NUMERICS: NUMERIC NUMERIC;
    TEXTS: TEXT TEXT;
    NAMES: NAME NAME;
    NAME_TEXT: NAME TEXT;
    TEXT_NAME: TEXT NAME;
    CHARACTERS: BPCHAR BPCHAR;
    CHARS: CHAR CHAR;
    BYTES: BYTEA BYTEA;
    DATES: DATE DATE;
    DATE_TIMESTAMP: DATE TIMESTAMP;
    TIMESTAMP_DATE: TIMESTAMP DATE;
    TIMESTAMPS: TIMESTAMP TIMESTAMP;
    TIMES: TIME TIME;
    TIMESTAMPTZS: TIMESTAMPTZ TIMESTAMPTZ;
    UUIDS: UUID UUID;
    OIDS: OID OID;
    ENUMS: ANYENUM ANYENUM;
}
