//! The SQL types a column can have, and how each is carried: in flight (as the engine computes with it) and at rest (as
//! it is stored). A change of the representation at rest is a rewrite of data, so it is decided here once.

use std::fmt;

use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType, Field, TimeUnit};
use serde::{Deserialize, Serialize};

use crate::name::Oid;

/// Field metadata key: the PostgreSQL type OID of a column.
pub const METADATA_OID: &str = "pg.oid";
/// Field metadata key: the PostgreSQL type modifier of a column (`atttypmod`), absent when there is none.
pub const METADATA_TYPMOD: &str = "pg.typmod";

/// Digits of the widest `numeric(p, s)`.
pub const NUMERIC_PRECISION_MAX: u8 = DECIMAL128_MAX_PRECISION;
/// Widest `numeric(p, s)` that is stored in 64 bits.
const NUMERIC_PRECISION_64: u8 = 18;
/// Scale of a `numeric` column declared without precision: 20 digits before the point and 18 after it.
pub const NUMERIC_UNCONSTRAINED_SCALE: i8 = 18;
/// Longest declared length of `char(n)` and `varchar(n)`, as in PostgreSQL (`MaxAttrSize`).
pub const LENGTH_MAX: u32 = 10_485_760;
/// What PostgreSQL adds to a length or precision in a type modifier (`VARHDRSZ`).
const TYPMOD_HEADER: i32 = 4;

/// A column's declared type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SqlType {
    /// `boolean`
    Boolean,
    /// `smallint`
    SmallInt,
    /// `integer`
    Integer,
    /// `bigint`
    BigInt,
    /// `real`
    Real,
    /// `double precision`
    Double,
    /// `numeric(precision, scale)`, or `numeric` when `None`
    Numeric(Option<NumericSize>),
    /// `text`
    Text,
    /// `character varying(n)`, or without a limit when `None`; `n` counts characters
    Varchar(Option<u32>),
    /// `character(n)`: stored without its padding
    Char(u32),
    /// `bytea`
    Bytea,
    /// `date`
    Date,
    /// `time without time zone`
    Time,
    /// `timestamp without time zone`
    Timestamp,
    /// `timestamp with time zone`
    TimestampTz,
}

/// Digits in all and digits after the point of a `numeric(p, s)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NumericSize {
    /// Digits in all, 1 to [`NUMERIC_PRECISION_MAX`].
    pub precision: u8,
    /// Digits after the point, 0 to `precision`.
    pub scale: i8,
}

impl SqlType {
    /// The Arrow type the engine computes with.
    pub fn in_flight(&self) -> DataType {
        match self {
            SqlType::Boolean => DataType::Boolean,
            SqlType::SmallInt => DataType::Int16,
            SqlType::Integer => DataType::Int32,
            SqlType::BigInt => DataType::Int64,
            SqlType::Real => DataType::Float32,
            SqlType::Double => DataType::Float64,
            SqlType::Numeric(Some(size)) => DataType::Decimal128(size.precision, size.scale),
            SqlType::Numeric(None) => DataType::Decimal128(NUMERIC_PRECISION_MAX, NUMERIC_UNCONSTRAINED_SCALE),
            SqlType::Text | SqlType::Varchar(_) | SqlType::Char(_) => DataType::Utf8View,
            SqlType::Bytea => DataType::BinaryView,
            SqlType::Date => DataType::Date32,
            SqlType::Time => DataType::Time64(TimeUnit::Microsecond),
            SqlType::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            SqlType::TimestampTz => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        }
    }

    /// The Arrow type in which values are stored.
    pub fn at_rest(&self) -> DataType {
        match self {
            SqlType::Numeric(Some(size)) if size.precision <= NUMERIC_PRECISION_64 => {
                DataType::Decimal64(size.precision, size.scale)
            }
            SqlType::Text | SqlType::Varchar(_) | SqlType::Char(_) => DataType::Utf8,
            SqlType::Bytea => DataType::Binary,
            _ => self.in_flight(),
        }
    }

    /// OID of the type in `pg_type`.
    pub fn oid(&self) -> Oid {
        Oid(match self {
            SqlType::Boolean => 16,
            SqlType::Bytea => 17,
            SqlType::BigInt => 20,
            SqlType::SmallInt => 21,
            SqlType::Integer => 23,
            SqlType::Text => 25,
            SqlType::Real => 700,
            SqlType::Double => 701,
            SqlType::Char(_) => 1042,
            SqlType::Varchar(_) => 1043,
            SqlType::Date => 1082,
            SqlType::Time => 1083,
            SqlType::Timestamp => 1114,
            SqlType::TimestampTz => 1184,
            SqlType::Numeric(_) => 1700,
        })
    }

    /// PostgreSQL's type modifier: length or precision and scale, `-1` when there is none.
    pub fn typmod(&self) -> i32 {
        match self {
            SqlType::Varchar(Some(length)) | SqlType::Char(length) => *length as i32 + TYPMOD_HEADER,
            SqlType::Numeric(Some(size)) => ((i32::from(size.precision) << 16) | i32::from(size.scale)) + TYPMOD_HEADER,
            _ => -1,
        }
    }

    /// The Arrow field of a column of this type, in flight; its metadata carries what Arrow's type does not say.
    pub fn field(&self, name: &str, nullable: bool) -> Field {
        let mut metadata = vec![(METADATA_OID.to_owned(), self.oid().to_string())];
        if self.typmod() >= 0 {
            metadata.push((METADATA_TYPMOD.to_owned(), self.typmod().to_string()));
        }
        Field::new(name, self.in_flight(), nullable).with_metadata(metadata.into_iter().collect())
    }

    /// Whether values are character strings.
    pub fn is_string(&self) -> bool {
        matches!(self, SqlType::Text | SqlType::Varchar(_) | SqlType::Char(_))
    }

    /// Whether values are numbers.
    pub fn is_number(&self) -> bool {
        matches!(
            self,
            SqlType::SmallInt
                | SqlType::Integer
                | SqlType::BigInt
                | SqlType::Real
                | SqlType::Double
                | SqlType::Numeric(_)
        )
    }

    /// The name without length or precision, as PostgreSQL's messages use it.
    pub fn base_name(&self) -> &'static str {
        match self {
            SqlType::Boolean => "boolean",
            SqlType::SmallInt => "smallint",
            SqlType::Integer => "integer",
            SqlType::BigInt => "bigint",
            SqlType::Real => "real",
            SqlType::Double => "double precision",
            SqlType::Numeric(_) => "numeric",
            SqlType::Text => "text",
            SqlType::Varchar(_) => "character varying",
            SqlType::Char(_) => "character",
            SqlType::Bytea => "bytea",
            SqlType::Date => "date",
            SqlType::Time => "time without time zone",
            SqlType::Timestamp => "timestamp without time zone",
            SqlType::TimestampTz => "timestamp with time zone",
        }
    }
}

/// The name as `format_type` prints it.
impl fmt::Display for SqlType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SqlType::Varchar(Some(n)) | SqlType::Char(n) => write!(f, "{}({n})", self.base_name()),
            SqlType::Numeric(Some(size)) => {
                write!(f, "{}({},{})", self.base_name(), size.precision, size.scale)
            }
            _ => f.write_str(self.base_name()),
        }
    }
}
