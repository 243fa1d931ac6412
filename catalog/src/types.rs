//! The SQL types a column can have, and how each is carried: in flight (as the engine computes with it) and at rest (as
//! it is stored). A change of the representation at rest is a rewrite of data, so it is decided here once.

mod modified;
mod nested;

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType, Field, IntervalUnit, TimeUnit};
use serde::{Deserialize, Serialize};

use crate::name::Oid;
use crate::user_type::{Carried, UserSqlType};

pub use modified::ModifiedType;
pub use nested::{MapEntry, StructField};

/// Field metadata key: the PostgreSQL type OID of a column.
pub const METADATA_OID: &str = "pg.oid";
/// Field metadata key: the OID of the table or view that a column of a result is from.
pub const METADATA_RELATION: &str = "pg.relation";
/// Field metadata key: the number of the column there.
pub const METADATA_NUMBER: &str = "pg.attnum";
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
/// OID of maps, which PostgreSQL does not have: a number of those that it leaves to others.
pub const MAP_OID: u32 = 9000;
/// OID of arrays of maps.
pub const MAP_ARRAY_OID: u32 = 9001;
/// OID of `record`.
const RECORD_OID: u32 = 2249;
/// OID of `record[]`.
const RECORD_ARRAY_OID: u32 = 2287;

/// A column's declared type.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
    /// `time with time zone`
    TimeTz,
    /// `interval`
    Interval,
    /// `uuid`
    Uuid,
    /// `json`: as it was written
    Json,
    /// `jsonb`: the normalised text
    Jsonb,
    /// Redshift's `hllsketch`: the normalised text
    HllSketch,
    /// `oid`
    Oid,
    /// `name`
    Name,
    /// `"char"`: one byte
    SingleByte,
    /// A time or an interval with a precision or fields
    Modified(ModifiedType),
    /// An array of one dimension, of single values
    Array(ElementType),
    /// An array of what [`SqlType::Array`] cannot be of: of arrays, structs or maps
    List(Box<SqlType>),
    /// A struct: a value of several named fields
    Struct(Vec<StructField>),
    /// A map
    Map(Box<MapEntry>),
    /// A type that a user has made, or an array of one
    User(UserSqlType),
}

/// The type of an array's elements: any type of single values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ElementType {
    oid: u32,
    typmod: i32,
}

impl ElementType {
    /// The type of the elements.
    pub fn sql_type(self) -> SqlType {
        // Only `SqlType::array_of` makes one, from a type that has this number.
        SqlType::from_oid(Oid(self.oid), self.typmod).unwrap_or(SqlType::Text)
    }
}

/// Of each type that arrays can have as elements: its OID, that of the array, and the name of the array.
const ARRAYS: &[(u32, u32, &str)] = &[
    (16, 1000, "boolean[]"),
    (17, 1001, "bytea[]"),
    (18, 1002, "\"char\"[]"),
    (19, 1003, "name[]"),
    (20, 1016, "bigint[]"),
    (21, 1005, "smallint[]"),
    (23, 1007, "integer[]"),
    (25, 1009, "text[]"),
    (26, 1028, "oid[]"),
    (114, 199, "json[]"),
    (700, 1021, "real[]"),
    (701, 1022, "double precision[]"),
    (1042, 1014, "character[]"),
    (1043, 1015, "character varying[]"),
    (1082, 1182, "date[]"),
    (1083, 1183, "time without time zone[]"),
    (1114, 1115, "timestamp without time zone[]"),
    (1184, 1185, "timestamp with time zone[]"),
    (1186, 1187, "interval[]"),
    (1266, 1270, "time with time zone[]"),
    (1700, 1231, "numeric[]"),
    (2935, 2936, "hllsketch[]"),
    (2950, 2951, "uuid[]"),
    (3802, 3807, "jsonb[]"),
];

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
            SqlType::Text
            | SqlType::Varchar(_)
            | SqlType::Char(_)
            | SqlType::Json
            | SqlType::Jsonb
            | SqlType::HllSketch
            | SqlType::Name
            | SqlType::SingleByte => DataType::Utf8View,
            SqlType::Bytea => DataType::BinaryView,
            SqlType::Date => DataType::Date32,
            SqlType::Time => DataType::Time64(TimeUnit::Microsecond),
            SqlType::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            SqlType::TimestampTz => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            SqlType::TimeTz => DataType::Struct(
                vec![
                    Field::new("time", DataType::Time64(TimeUnit::Microsecond), false),
                    Field::new("offset", DataType::Int32, false),
                ]
                .into(),
            ),
            SqlType::Interval => DataType::Interval(IntervalUnit::MonthDayNano),
            SqlType::Uuid => DataType::FixedSizeBinary(16),
            SqlType::Oid => DataType::UInt32,
            SqlType::Modified(modified) => modified.plain().in_flight(),
            SqlType::Array(element) => list_of(element.sql_type().in_flight()),
            SqlType::List(element) => list_of(element.in_flight()),
            SqlType::Struct(fields) => nested::struct_of(fields),
            SqlType::Map(entry) => entry.in_flight(),
            SqlType::User(user) => match user.carried() {
                Carried::Number => DataType::Int64,
                Carried::As(base) => base.in_flight(),
                Carried::Array(element) => list_of(element.in_flight()),
                Carried::Record(fields) => {
                    DataType::Struct(fields.iter().map(|(name, sql_type)| sql_type.field(name, true)).collect())
                }
            },
        }
    }

    /// The Arrow type in which values are stored.
    pub fn at_rest(&self) -> DataType {
        match self {
            SqlType::Numeric(Some(size)) if size.precision <= NUMERIC_PRECISION_64 => {
                DataType::Decimal64(size.precision, size.scale)
            }
            SqlType::Text
            | SqlType::Varchar(_)
            | SqlType::Char(_)
            | SqlType::Json
            | SqlType::Jsonb
            | SqlType::HllSketch
            | SqlType::Name
            | SqlType::SingleByte => DataType::Utf8,
            SqlType::Bytea => DataType::Binary,
            // Parquet has no interval with fields of these widths.
            SqlType::Interval => DataType::Struct(
                vec![
                    Field::new("months", DataType::Int32, false),
                    Field::new("days", DataType::Int32, false),
                    Field::new("microseconds", DataType::Int64, false),
                ]
                .into(),
            ),
            SqlType::Modified(modified) => modified.plain().at_rest(),
            SqlType::Array(element) => list_of(element.sql_type().at_rest()),
            SqlType::List(element) => list_of(element.at_rest()),
            SqlType::User(user) => match user.carried() {
                Carried::Number => DataType::Int64,
                Carried::As(base) => base.at_rest(),
                Carried::Array(element) => list_of(element.at_rest()),
                // The names of fields can change, their places cannot.
                Carried::Record(fields) => {
                    let fields = (1..).zip(fields);
                    let field = |(place, (_, sql_type)): (usize, &(String, SqlType))| {
                        Field::new(format!("f{place}"), sql_type.at_rest(), true)
                    };
                    DataType::Struct(fields.map(field).collect())
                }
            },
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
            SqlType::SingleByte => 18,
            SqlType::Name => 19,
            SqlType::Oid => 26,
            SqlType::Json => 114,
            SqlType::Interval => 1186,
            SqlType::TimeTz => 1266,
            SqlType::HllSketch => 2935,
            SqlType::Uuid => 2950,
            SqlType::Jsonb => 3802,
            SqlType::Modified(modified) => modified.plain().oid().0,
            SqlType::Array(element) => array_row(*element).1,
            SqlType::List(element) => match element.as_ref() {
                SqlType::Struct(_) => RECORD_ARRAY_OID,
                SqlType::Map(_) => MAP_ARRAY_OID,
                // Arrays of arrays are of the type of these.
                array => array.oid().0,
            },
            SqlType::Struct(_) => RECORD_OID,
            SqlType::Map(_) => MAP_OID,
            SqlType::User(user) => user.oid().0,
        })
    }

    /// The built-in type with this OID and type modifier, if columns can have it and this says all about it.
    pub fn from_oid(oid: Oid, typmod: i32) -> Option<Self> {
        let plain = SqlType::from_plain_oid(oid, typmod)?;
        Some(ModifiedType::new(&plain, typmod).map_or(plain, SqlType::Modified))
    }

    fn from_plain_oid(oid: Oid, typmod: i32) -> Option<Self> {
        let length = typmod.checked_sub(TYPMOD_HEADER).and_then(|length| u32::try_from(length).ok());
        Some(match oid.0 {
            16 => SqlType::Boolean,
            17 => SqlType::Bytea,
            18 => SqlType::SingleByte,
            19 => SqlType::Name,
            20 => SqlType::BigInt,
            21 => SqlType::SmallInt,
            23 => SqlType::Integer,
            25 => SqlType::Text,
            26 => SqlType::Oid,
            114 => SqlType::Json,
            700 => SqlType::Real,
            701 => SqlType::Double,
            1042 => SqlType::Char(length?),
            1043 => SqlType::Varchar(length),
            1082 => SqlType::Date,
            1083 => SqlType::Time,
            1114 => SqlType::Timestamp,
            1184 => SqlType::TimestampTz,
            1186 => SqlType::Interval,
            1266 => SqlType::TimeTz,
            1700 => SqlType::Numeric(
                length.map(|packed| NumericSize { precision: (packed >> 16) as u8, scale: (packed & 0xff) as i8 }),
            ),
            2935 => SqlType::HllSketch,
            2950 => SqlType::Uuid,
            3802 => SqlType::Jsonb,
            array => {
                let (element, ..) = ARRAYS.iter().find(|row| row.1 == array)?;
                SqlType::array_of(SqlType::from_oid(Oid(*element), typmod)?)
            }
        })
    }

    /// Arrays of a built-in type. Each `[]` is a dimension: PostgreSQL does not count them, but Arrow does. Of a type that a
    /// user has made, the catalog knows the arrays.
    #[must_use]
    pub fn array_of(element: SqlType) -> Self {
        match element {
            SqlType::User(_) => element,
            SqlType::Array(_) | SqlType::List(_) | SqlType::Struct(_) | SqlType::Map(_) => {
                SqlType::List(Box::new(element))
            }
            _ => SqlType::Array(ElementType { oid: element.oid().0, typmod: element.typmod() }),
        }
    }

    /// PostgreSQL's type modifier: length or precision and scale, `-1` when there is none.
    pub fn typmod(&self) -> i32 {
        match self {
            SqlType::Varchar(Some(length)) | SqlType::Char(length) => *length as i32 + TYPMOD_HEADER,
            SqlType::Numeric(Some(size)) => ((i32::from(size.precision) << 16) | i32::from(size.scale)) + TYPMOD_HEADER,
            SqlType::Modified(modified) => modified.typmod,
            SqlType::Array(element) => element.typmod,
            SqlType::List(element) => element.typmod(),
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

    /// Whether values are made of named values: structs, maps, and arrays of them.
    pub fn is_nested(&self) -> bool {
        match self {
            SqlType::Struct(_) | SqlType::Map(_) => true,
            SqlType::List(element) => element.is_nested(),
            _ => false,
        }
    }

    /// Dimensions of an array; of everything else, none.
    pub fn dimensions(&self) -> usize {
        match self {
            SqlType::Array(_) => 1,
            SqlType::List(element) => 1 + element.dimensions(),
            _ => 0,
        }
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
            SqlType::TimeTz => "time with time zone",
            SqlType::Interval => "interval",
            SqlType::Uuid => "uuid",
            SqlType::Json => "json",
            SqlType::Jsonb => "jsonb",
            SqlType::HllSketch => "hllsketch",
            SqlType::Oid => "oid",
            SqlType::Name => "name",
            SqlType::SingleByte => "\"char\"",
            SqlType::Modified(modified) => modified.plain().base_name(),
            SqlType::Array(element) => array_row(*element).2,
            SqlType::List(element) => match element.as_ref() {
                SqlType::Struct(_) => "record[]",
                SqlType::Map(_) => "map[]",
                array => array.base_name(),
            },
            SqlType::Struct(_) => "record",
            SqlType::Map(_) => "map",
            SqlType::User(_) => "user-defined type",
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
            SqlType::Modified(modified) => modified.fmt(f),
            SqlType::Array(element) => write!(f, "{}[]", element.sql_type()),
            SqlType::List(element) => write!(f, "{element}[]"),
            SqlType::Struct(fields) => {
                let fields: Vec<_> = fields.iter().map(ToString::to_string).collect();
                write!(f, "struct<{}>", fields.join(","))
            }
            SqlType::Map(entry) => entry.fmt(f),
            _ => f.write_str(self.base_name()),
        }
    }
}

fn list_of(element: DataType) -> DataType {
    DataType::List(Arc::new(Field::new("item", element, true)))
}

fn array_row(element: ElementType) -> (u32, u32, &'static str) {
    let text = (25, 1009, "text[]");
    ARRAYS.iter().find(|row| row.0 == element.oid).copied().unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_found_by_its_number_and_modifier() {
        let size = NumericSize { precision: 5, scale: 2 };
        for element in [
            SqlType::Boolean,
            SqlType::Numeric(Some(size)),
            SqlType::Numeric(None),
            SqlType::Varchar(Some(3)),
            SqlType::Char(3),
            SqlType::TimeTz,
            SqlType::Interval,
            SqlType::Uuid,
            SqlType::Json,
            SqlType::Jsonb,
            SqlType::HllSketch,
            SqlType::Oid,
            SqlType::Name,
            SqlType::SingleByte,
        ] {
            for sql_type in [element.clone(), SqlType::array_of(element)] {
                assert_eq!(SqlType::from_oid(sql_type.oid(), sql_type.typmod()), Some(sql_type));
            }
        }
        let array = SqlType::array_of(SqlType::Numeric(Some(size)));
        assert_eq!((array.to_string().as_str(), array.base_name()), ("numeric(5,2)[]", "numeric[]"));
        let matrix = SqlType::array_of(array.clone());
        assert_eq!((matrix.to_string().as_str(), matrix.oid()), ("numeric(5,2)[][]", array.oid()));
        assert_eq!(matrix.in_flight(), list_of(array.in_flight()));
    }
}
