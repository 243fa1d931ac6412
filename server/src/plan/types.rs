//! The types of columns, from how SQL writes them.

use catalog::types::{LENGTH_MAX, MapEntry, NUMERIC_PRECISION_MAX, NumericSize, StructField};
use catalog::user_type::UserSqlType;
use catalog::{Oid, SqlType};
use pg::Type;
use pg::error::PgError;
use pg::library::cast::dimensions;
use pg::names::{self, Definition};
use pg::sqlstate::SqlState;
use sqlparser::ast::{self, ArrayElemTypeDef, CharacterLength, DataType, ExactNumberInfo, ObjectName};

use crate::analyze::type_name::type_of;
use crate::error::{Error, Result};
use crate::plan::relations::{identifier, parts};

/// The type of a column.
///
/// # Errors
/// 0A000 for a type that columns cannot have yet, 22023 for a length or precision out of range, 42704 for an unknown name.
pub fn column_type(written: &DataType) -> Result<SqlType> {
    Ok(match written {
        DataType::Boolean | DataType::Bool => SqlType::Boolean,
        DataType::SmallInt(None) | DataType::Int2(None) => SqlType::SmallInt,
        DataType::Int(None) | DataType::Integer(None) | DataType::Int4(None) => SqlType::Integer,
        DataType::BigInt(None) | DataType::Int8(None) => SqlType::BigInt,
        DataType::Real | DataType::Float4 => SqlType::Real,
        DataType::Double(ExactNumberInfo::None) | DataType::DoublePrecision | DataType::Float8 => SqlType::Double,
        DataType::Float(info) => float(info)?,
        DataType::Numeric(info) | DataType::Decimal(info) | DataType::Dec(info) => {
            SqlType::Numeric(numeric_size(info)?)
        }
        DataType::Text | DataType::String(None) => SqlType::Text,
        DataType::Varchar(length) | DataType::CharacterVarying(length) | DataType::CharVarying(length) => {
            SqlType::Varchar(length.as_ref().map(|length| self::length(length, "varchar")).transpose()?)
        }
        DataType::Char(length) | DataType::Character(length) => match length {
            Some(length) => SqlType::Char(self::length(length, "char")?),
            None => SqlType::Char(1),
        },
        DataType::Bytea => SqlType::Bytea,
        DataType::Date => SqlType::Date,
        DataType::Time(..) | DataType::Timestamp(..) | DataType::Interval { .. } => {
            let ty = type_of(written)?;
            SqlType::from_oid(Oid(ty.oid), ty.typmod).ok_or_else(|| not_supported(&written.to_string()))?
        }
        DataType::Uuid => SqlType::Uuid,
        DataType::JSON => SqlType::Json,
        DataType::JSONB => SqlType::Jsonb,
        DataType::Array(ArrayElemTypeDef::SquareBracket(element, _) | ArrayElemTypeDef::AngleBracket(element)) => {
            match column_type(element)? {
                SqlType::User(element) => array_of_user_type(element)?,
                element => array_of(element)?,
            }
        }
        DataType::Struct(fields, _) => SqlType::Struct(struct_fields(fields)?),
        DataType::Map(key, value) => map_of(column_type(key)?, column_type(value)?)?,
        DataType::Custom(name, modifiers) if modifiers.is_empty() => match named_type(&name.to_string()) {
            Err(Error::UndefinedType { .. }) => user_type(name)?,
            found => found?,
        },
        other => return Err(not_supported(&other.to_string())),
    })
}

/// The type of a column for the results of an expression, called `name`.
///
/// # Errors
/// 42P16 for a type that no column can have, 0A000 for one that columns cannot have yet.
pub fn type_of_result(name: &str, ty: &Type) -> Result<SqlType> {
    let sql_type = match names::definition(ty.oid) {
        Some(Definition::Row(_)) => return Err(Error::not_supported("a column of a table's row type")),
        Some(definition) => Some(definition.sql_type()),
        None => SqlType::from_oid(Oid(ty.oid), ty.typmod),
    };
    let Some(mut sql_type) = sql_type else {
        let shown = ty.name();
        return Err(match PSEUDO_TYPES.contains(&ty.oid) {
            true => {
                let message = format!("column \"{name}\" has pseudo-type {shown}");
                PgError::new(SqlState::INVALID_TABLE_DEFINITION, message).into()
            }
            false => not_supported(&shown),
        });
    };
    // Of a type that a user has made, the catalog knows the arrays; they are not counted.
    while sql_type.dimensions() > 0 && sql_type.dimensions() < dimensions(&ty.arrow) {
        sql_type = SqlType::array_of(sql_type);
    }
    Ok(sql_type)
}

/// `void`, `record` and `record[]`: types of results that no column can have.
const PSEUDO_TYPES: &[u32] = &[2278, 2249, 2287];

/// Dimensions an array can have (`MAXDIM`).
const DIMENSIONS_MAX: usize = 6;

fn array_of(element: SqlType) -> Result<SqlType> {
    let array = SqlType::array_of(element);
    if array.dimensions() > DIMENSIONS_MAX {
        let found = array.dimensions();
        let message = format!("number of array dimensions ({found}) exceeds the maximum allowed ({DIMENSIONS_MAX})");
        return Err(PgError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, message).into());
    }
    Ok(array)
}

fn struct_fields(written: &[ast::StructField]) -> Result<Vec<StructField>> {
    let mut fields: Vec<StructField> = Vec::with_capacity(written.len());
    for field in written {
        let name = field.field_name.as_ref().map(identifier).unwrap_or_default();
        if fields.iter().any(|other| other.name == name) {
            return Err(Error::DuplicateColumn { column: name });
        }
        fields.push(StructField { name, sql_type: column_type(&field.field_type)? });
    }
    Ok(fields)
}

/// Maps have single values as keys, which can be compared.
fn map_of(key: SqlType, value: SqlType) -> Result<SqlType> {
    if key.is_nested() || matches!(key, SqlType::Array(_) | SqlType::List(_) | SqlType::Json | SqlType::HllSketch) {
        return Err(not_supported(&format!("map with keys of type {key}")));
    }
    Ok(SqlType::Map(Box::new(MapEntry { key, value })))
}

/// The type of this name that a user has made.
fn user_type(name: &ObjectName) -> Result<SqlType> {
    let parts = parts(name)?;
    let undefined = || Error::UndefinedType { name: parts.join(".") };
    let names = names::current().ok_or_else(undefined)?;
    let Some(oid) = names.type_named(&parts) else {
        return Err(match names.missing_schema(&parts) {
            Some(schema) => Error::UndefinedSchema { name: schema.to_owned() },
            None => undefined(),
        });
    };
    match names::definition(oid).ok_or_else(undefined)? {
        Definition::Row(_) => Err(Error::not_supported("a column of a table's row type")),
        definition => Ok(definition.sql_type()),
    }
}

fn array_of_user_type(element: UserSqlType) -> Result<SqlType> {
    match names::definition(element.oid().0) {
        Some(Definition::User(ty)) => Ok(ty.array_sql_type()),
        // PostgreSQL does not count dimensions.
        _ => Ok(SqlType::User(element)),
    }
}

/// The type of a name that is no keyword.
///
/// # Errors
/// 0A000 for a type of PostgreSQL's or Redshift's that columns cannot have, 42704 for an unknown name.
pub fn named_type(name: &str) -> Result<SqlType> {
    match name.to_ascii_lowercase().trim_start_matches("pg_catalog.") {
        "timestamptz" => Ok(SqlType::TimestampTz),
        "timetz" => Ok(SqlType::TimeTz),
        "interval" => Ok(SqlType::Interval),
        "uuid" => Ok(SqlType::Uuid),
        "json" => Ok(SqlType::Json),
        "jsonb" => Ok(SqlType::Jsonb),
        "hllsketch" => Ok(SqlType::HllSketch),
        "oid" => Ok(SqlType::Oid),
        "name" => Ok(SqlType::Name),
        "\"char\"" => Ok(SqlType::SingleByte),
        "bpchar" => Err(not_supported("bpchar")),
        known @ ("money" | "inet" | "cidr" | "macaddr" | "point" | "super" | "geometry" | "varbyte" | "xml"
        | "tsvector" | "tsquery" | "serial" | "bigserial" | "bit" | "varbit" | "smallserial" | "citext") => {
            Err(not_supported(known))
        }
        other => Err(Error::UndefinedType { name: other.to_owned() }),
    }
}

fn not_supported(name: &str) -> Error {
    Error::not_supported(format!("a column of type {}", name.to_lowercase()))
}

/// `float(p)`: PostgreSQL's rule by binary digits.
fn float(info: &ExactNumberInfo) -> Result<SqlType> {
    match info {
        ExactNumberInfo::None => Ok(SqlType::Double),
        ExactNumberInfo::Precision(1..=24) => Ok(SqlType::Real),
        ExactNumberInfo::Precision(25..=53) => Ok(SqlType::Double),
        _ => Err(invalid("precision for type float must be between 1 and 53 bits")),
    }
}

fn numeric_size(info: &ExactNumberInfo) -> Result<Option<NumericSize>> {
    let (precision, scale) = match info {
        ExactNumberInfo::None => return Ok(None),
        ExactNumberInfo::Precision(precision) => (*precision, 0),
        ExactNumberInfo::PrecisionAndScale(precision, scale) => (*precision, *scale),
    };
    let limit = u64::from(NUMERIC_PRECISION_MAX);
    if precision == 0 || precision > limit {
        return Err(invalid(&format!("NUMERIC precision {precision} must be between 1 and {limit}")));
    }
    if scale < 0 || scale as u64 > precision {
        return Err(invalid(&format!("NUMERIC scale {scale} must be between 0 and precision {precision}")));
    }
    // Both are at most 38.
    Ok(Some(NumericSize { precision: precision as u8, scale: scale as i8 }))
}

fn length(length: &CharacterLength, type_name: &str) -> Result<u32> {
    match length {
        CharacterLength::IntegerLength { length, unit: None } => match u32::try_from(*length) {
            Ok(0) => Err(invalid(&format!("length for type {type_name} must be at least 1"))),
            Ok(length) if length <= LENGTH_MAX => Ok(length),
            _ => Err(invalid(&format!("length for type {type_name} cannot exceed {LENGTH_MAX}"))),
        },
        CharacterLength::Max => Ok(LENGTH_MAX),
        CharacterLength::IntegerLength { .. } => Err(not_supported(&format!("{type_name} with a length in octets"))),
    }
}

fn invalid(message: &str) -> Error {
    Error::InvalidParameterValue { message: message.to_owned() }
}
