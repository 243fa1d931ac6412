//! Types from how SQL writes them.

use pg::Type;
use pg::error::{PgError, Result};
use pg::names::PG_CATALOG;
use pg::sqlstate::SqlState;
use pg::types::*;
use sqlparser::ast::{ArrayElemTypeDef, CharacterLength, DataType, ExactNumberInfo, ObjectName, TimezoneInfo};

/// What PostgreSQL adds to a length or precision in a type modifier (`VARHDRSZ`).
const TYPMOD_HEADER: i32 = 4;
/// Longest declared length of a string type.
const LENGTH_MAX: u64 = 10_485_760;
/// Most digits of a declared numeric.
const PRECISION_MAX: u64 = 38;
/// Most digits of a second.
const TIME_PRECISION_MAX: u64 = 6;

/// The type that was written.
///
/// # Errors
/// 42704 for an unknown name, 22023 for a length or precision out of range, 0A000 for a type that is not there.
pub fn type_of(written: &DataType) -> Result<Type> {
    Ok(match written {
        DataType::Boolean | DataType::Bool => Type::of(BOOL),
        DataType::SmallInt(None) | DataType::Int2(None) => Type::of(INT2),
        DataType::Int(None) | DataType::Integer(None) | DataType::Int4(None) => Type::of(INT4),
        DataType::BigInt(None) | DataType::Int8(None) => Type::of(INT8),
        DataType::Real | DataType::Float4 => Type::of(FLOAT4),
        DataType::Double(ExactNumberInfo::None) | DataType::DoublePrecision | DataType::Float8 => Type::of(FLOAT8),
        DataType::Float(info) => float(info)?,
        DataType::Numeric(info) | DataType::Decimal(info) | DataType::Dec(info) => {
            Type::with_typmod(NUMERIC, numeric_modifier(info)?)
        }
        DataType::Text | DataType::String(None) => Type::of(TEXT),
        DataType::Varchar(length)
        | DataType::CharacterVarying(length)
        | DataType::CharVarying(length)
        | DataType::Nvarchar(length) => {
            Type::with_typmod(VARCHAR, length.as_ref().map_or(Ok(-1), |it| length_modifier(it, "varchar"))?)
        }
        DataType::Char(length) | DataType::Character(length) => {
            let modifier = length.as_ref().map_or(Ok(1 + TYPMOD_HEADER), |it| length_modifier(it, "char"))?;
            Type::with_typmod(BPCHAR, modifier)
        }
        DataType::Bytea => Type::of(BYTEA),
        DataType::Date => Type::of(DATE),
        DataType::Time(precision, zone) => {
            let oid = if with_zone(zone) { TIMETZ } else { TIME };
            Type::with_typmod(oid, time_modifier(*precision, "TIME", zone)?)
        }
        DataType::Timestamp(precision, zone) => {
            let oid = if with_zone(zone) { TIMESTAMPTZ } else { TIMESTAMP };
            Type::with_typmod(oid, time_modifier(*precision, "TIMESTAMP", zone)?)
        }
        DataType::TimestampNtz(None) => Type::of(TIMESTAMP),
        DataType::Interval { fields, precision } => {
            let fields = fields.as_ref().map(ToString::to_string);
            Type::with_typmod(INTERVAL, interval_modifier(fields.as_deref(), *precision)?)
        }
        DataType::Uuid => Type::of(UUID),
        DataType::JSON => Type::of(JSON),
        DataType::JSONB => Type::of(JSONB),
        DataType::Regclass => Type::of(REGCLASS),
        DataType::Array(
            ArrayElemTypeDef::SquareBracket(element, _)
            | ArrayElemTypeDef::AngleBracket(element)
            | ArrayElemTypeDef::Parenthesis(element),
        ) => array(&type_of(element)?)?,
        DataType::Custom(name, modifiers) => named(name, modifiers)?,
        other => return Err(not_supported(&other.to_string())),
    })
}

/// `integer[]`; PostgreSQL does not count dimensions.
fn array(element: &Type) -> Result<Type> {
    if element_type(element.oid).is_some() {
        return Ok(element.clone());
    }
    Type::array_of(element).ok_or_else(|| not_supported(&format!("{}[]", element.name())))
}

/// A type whose name is no keyword: one of PostgreSQL's own, or one that a user has made.
fn named(name: &ObjectName, modifiers: &[String]) -> Result<Type> {
    match custom(name, modifiers) {
        Err(error) if error.sqlstate == SqlState::UNDEFINED_OBJECT => {
            let found = user_type(name)?.ok_or(error)?;
            match modifiers {
                [] => Ok(found),
                _ => Err(PgError::new(
                    SqlState::SYNTAX_ERROR,
                    format!("type modifier is not allowed for type \"{}\"", found.name()),
                )),
            }
        }
        found => found,
    }
}

/// The type of this name that is none of PostgreSQL's own, if there is one.
fn user_type(name: &ObjectName) -> Result<Option<Type>> {
    let Ok(parts) = crate::plan::relations::parts(name) else { return Ok(None) };
    let Some(names) = pg::names::current() else { return Ok(None) };
    if let Some(oid) = names.type_named(&parts) {
        return Ok(Some(Type::of(oid)));
    }
    match names.missing_schema(&parts) {
        Some(schema) => {
            let message = format!("schema \"{schema}\" does not exist");
            Err(PgError::new(SqlState::INVALID_SCHEMA_NAME, message))
        }
        None => Ok(None),
    }
}

/// A type of PostgreSQL's own whose name is no keyword, or was written in quotes or with its schema.
fn custom(name: &ObjectName, modifiers: &[String]) -> Result<Type> {
    let missing = || unknown(&name.to_string());
    let parts = crate::plan::relations::parts(name).map_err(|_| missing())?;
    let is_catalog_name = match parts.as_slice() {
        [_] => name.0[0].as_ident().is_some_and(|ident| ident.quote_style.is_some()),
        [schema, _] if schema == PG_CATALOG => true,
        _ => return Err(missing()),
    };
    let plain = parts.last().map(String::as_str).unwrap_or_default();
    let numbers = modifiers.iter().map(|modifier| modifier.trim().parse::<i64>()).collect::<Result<Vec<_>, _>>();
    let numbers = numbers.map_err(|_| invalid("type modifiers must be simple constants or identifiers"))?;
    let length = |default: i32| match numbers.as_slice() {
        [] => Ok(default),
        [one] => {
            let length = u64::try_from(*one).unwrap_or_default();
            length_modifier(&CharacterLength::IntegerLength { length, unit: None }, plain)
        }
        _ => Err(invalid("invalid type modifier")),
    };
    Ok(match plain {
        "bpchar" => Type::with_typmod(BPCHAR, length(-1)?),
        "varchar" => Type::with_typmod(VARCHAR, length(-1)?),
        "numeric" if is_catalog_name => Type::with_typmod(NUMERIC, numeric_modifier(&written_precision(&numbers)?)?),
        "char" if is_catalog_name => Type::of(CHAR),
        _ => by_name(plain).map(Type::of).ok_or_else(missing)?,
    })
}

fn written_precision(numbers: &[i64]) -> Result<ExactNumberInfo> {
    let precision = |number: i64| u64::try_from(number).unwrap_or_default();
    match *numbers {
        [] => Ok(ExactNumberInfo::None),
        [one] => Ok(ExactNumberInfo::Precision(precision(one))),
        [one, scale] => Ok(ExactNumberInfo::PrecisionAndScale(precision(one), scale)),
        _ => Err(invalid("invalid NUMERIC type modifier")),
    }
}

/// The number of a type that is named as the catalog names it.
pub fn by_name(name: &str) -> Option<u32> {
    if let Some(element) = name.strip_prefix('_') {
        return by_name(element).and_then(array_type);
    }
    Some(match name {
        "bool" | "boolean" => BOOL,
        "int2" | "smallint" => INT2,
        "int4" | "int" | "integer" => INT4,
        "int8" | "bigint" => INT8,
        "float4" | "real" => FLOAT4,
        "float8" => FLOAT8,
        "numeric" | "decimal" => NUMERIC,
        "text" => TEXT,
        "varchar" => VARCHAR,
        "bpchar" => BPCHAR,
        "name" => NAME,
        "bytea" => BYTEA,
        "date" => DATE,
        "time" => TIME,
        "timetz" => TIMETZ,
        "timestamp" => TIMESTAMP,
        "timestamptz" => TIMESTAMPTZ,
        "interval" => INTERVAL,
        "uuid" => UUID,
        "json" => JSON,
        "jsonb" | "super" => JSONB,
        "jsonpath" => JSONPATH,
        "hllsketch" => HLLSKETCH,
        "oid" => OID,
        "xid" => XID,
        "cid" => CID,
        "int2vector" => INT2VECTOR,
        "oidvector" => OIDVECTOR,
        "regtype" => REGTYPE,
        "regclass" => REGCLASS,
        "regproc" => 24,
        "regprocedure" => 2202,
        "regoper" => 2203,
        "regoperator" => 2204,
        "regnamespace" => 4089,
        "regrole" => 4096,
        _ => return None,
    })
}

fn unknown(name: &str) -> PgError {
    let known = [
        "money", "inet", "cidr", "macaddr", "point", "geometry", "varbyte", "xml", "tsvector", "tsquery", "bit",
        "varbit", "citext", "hstore",
    ];
    if known.contains(&name.to_ascii_lowercase().as_str()) {
        return not_supported(name);
    }
    PgError::new(SqlState::UNDEFINED_OBJECT, format!("type \"{}\" does not exist", name.replace('"', "")))
}

fn not_supported(name: &str) -> PgError {
    PgError::not_supported(format!("type {}", name.to_lowercase()))
}

fn invalid(message: impl Into<String>) -> PgError {
    PgError::invalid_parameter(message)
}

/// `float(p)`: PostgreSQL's rule by binary digits.
fn float(info: &ExactNumberInfo) -> Result<Type> {
    match info {
        ExactNumberInfo::None => Ok(Type::of(FLOAT8)),
        ExactNumberInfo::Precision(0) => Err(invalid("precision for type float must be at least 1 bit")),
        ExactNumberInfo::Precision(1..=24) => Ok(Type::of(FLOAT4)),
        ExactNumberInfo::Precision(25..=53) => Ok(Type::of(FLOAT8)),
        _ => Err(invalid("precision for type float must be less than 54 bits")),
    }
}

fn numeric_modifier(info: &ExactNumberInfo) -> Result<i32> {
    let (precision, scale) = match info {
        ExactNumberInfo::None => return Ok(-1),
        ExactNumberInfo::Precision(precision) => (*precision, 0),
        ExactNumberInfo::PrecisionAndScale(precision, scale) => (*precision, *scale),
    };
    if precision == 0 || precision > 1000 {
        return Err(invalid(format!("NUMERIC precision {precision} must be between 1 and 1000")));
    }
    if precision > PRECISION_MAX {
        return Err(PgError::not_supported(format!("a NUMERIC precision above {PRECISION_MAX}")));
    }
    if scale < 0 || scale as u64 > precision {
        return Err(PgError::not_supported(format!("NUMERIC scale {scale} outside of 0 to precision {precision}")));
    }
    Ok(((precision as i32) << 16 | scale as i32) + TYPMOD_HEADER)
}

fn length_modifier(length: &CharacterLength, type_name: &str) -> Result<i32> {
    match length {
        CharacterLength::IntegerLength { length: 0, .. } => {
            Err(invalid(format!("length for type {type_name} must be at least 1")))
        }
        CharacterLength::IntegerLength { length, unit: None } if *length <= LENGTH_MAX => {
            Ok(*length as i32 + TYPMOD_HEADER)
        }
        CharacterLength::IntegerLength { unit: None, .. } => {
            Err(invalid(format!("length for type {type_name} cannot exceed {LENGTH_MAX}")))
        }
        CharacterLength::Max => Ok(LENGTH_MAX as i32 + TYPMOD_HEADER),
        CharacterLength::IntegerLength { .. } => Err(not_supported(&format!("{type_name} with a length in octets"))),
    }
}

fn with_zone(zone: &TimezoneInfo) -> bool {
    matches!(zone, TimezoneInfo::WithTimeZone | TimezoneInfo::Tz)
}

/// A precision above six is six, as in PostgreSQL (which warns).
fn time_modifier(precision: Option<u64>, _name: &str, _zone: &TimezoneInfo) -> Result<i32> {
    Ok(precision.map_or(-1, |precision| precision.min(TIME_PRECISION_MAX) as i32))
}

/// The fields of `interval day to second(3)` as PostgreSQL packs them (`INTERVAL_TYPMOD`).
pub fn interval_modifier(fields: Option<&str>, precision: Option<u64>) -> Result<i32> {
    const YEAR: i32 = 1 << 2;
    const MONTH: i32 = 1 << 1;
    const DAY: i32 = 1 << 3;
    const HOUR: i32 = 1 << 10;
    const MINUTE: i32 = 1 << 11;
    const SECOND: i32 = 1 << 12;
    const FULL_RANGE: i32 = 0x7FFF;
    const FULL_PRECISION: i32 = 0xFFFF;
    let range = match fields.map(str::to_ascii_uppercase).as_deref() {
        None => FULL_RANGE,
        Some("YEAR") => YEAR,
        Some("MONTH") => MONTH,
        Some("DAY") => DAY,
        Some("HOUR") => HOUR,
        Some("MINUTE") => MINUTE,
        Some("SECOND") => SECOND,
        Some("YEAR TO MONTH") => YEAR | MONTH,
        Some("DAY TO HOUR") => DAY | HOUR,
        Some("DAY TO MINUTE") => DAY | HOUR | MINUTE,
        Some("DAY TO SECOND") => DAY | HOUR | MINUTE | SECOND,
        Some("HOUR TO MINUTE") => HOUR | MINUTE,
        Some("HOUR TO SECOND") => HOUR | MINUTE | SECOND,
        Some("MINUTE TO SECOND") => MINUTE | SECOND,
        Some(other) => return Err(not_supported(&format!("interval {other}"))),
    };
    if range == FULL_RANGE && precision.is_none() {
        return Ok(-1);
    }
    let precision = precision.map_or(FULL_PRECISION, |it| it.min(TIME_PRECISION_MAX) as i32);
    Ok(range << 16 | precision)
}
