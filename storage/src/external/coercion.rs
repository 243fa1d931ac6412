//! How a file's values become values of the declared type.
//!
//! | declared | read from | rule |
//! | --- | --- | --- |
//! | `smallint`, `integer`, `bigint` | any integer, `numeric` without fraction | exact, or out of range |
//! | `real` | 16-bit and smaller integers, `numeric`, `double precision` | nearest, or out of range |
//! | `double precision` | 32-bit and smaller integers, `numeric`, `real` | nearest |
//! | `numeric(p,s)` | integers, `numeric` | rounded half away from zero, or out of range |
//! | `numeric` | integers, `numeric` | exact, or out of range |
//! | `numeric`, `numeric(p,s)` | `real`, `double precision` | 6 or 15 significant digits, as in PostgreSQL |
//! | `text`, `varchar`, `varchar(n)` | strings, UTF-8 bytes | as they are; the length is not checked |
//! | `char(n)` | strings, UTF-8 bytes | without trailing spaces |
//! | `bytea` | bytes of any or fixed length | as they are |
//! | `date`, `time`, `timestamp`, `timestamptz` | the same in any unit, with or without zone | cut to microseconds |
//! | `timestamp`, `timestamptz` | `date` | midnight |
//!
//! A timestamp with a zone is an instant; without one it is taken as UTC's wall clock, and so the other way round.
//! Everything else is an error. A text is never parsed, a date never guessed from a number. Structs, lists and maps are
//! read field by field: see [`nested`](super::nested).

mod decimal;
mod time;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringViewArray};
use arrow::compute::{CastOptions, cast, cast_with_options};
use arrow::datatypes::{DataType, Float32Type, Float64Type, TimeUnit};
use catalog::SqlType;

use super::nested::Nested;

pub(super) use time::{Bound, TimeScale, literal_of, literal_ticks};

/// How the values of a file's column become values of the declared type.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Coercion {
    /// They are.
    Same,
    /// By the engine's cast: every value fits, and two values compare as before.
    Cast,
    /// By the engine's cast, which refuses a value that does not fit; two values that do compare as before.
    CheckedCast,
    /// By counting in another unit of time.
    Time(TimeScale),
    /// By rounding to fewer digits after the point, or by refusing to when `is_exact`.
    Rescale {
        /// Whether digits may not be lost.
        is_exact: bool,
    },
    /// By rounding a binary fraction to this many significant decimal digits.
    FloatToDecimal {
        /// Digits that the file's type is good for.
        digits: u8,
    },
    /// By taking the nearest binary fraction.
    DecimalToFloat,
    /// By taking the nearest value with fewer bits.
    NarrowFloat,
    /// By checking that the bytes are UTF-8.
    BytesToText,
    /// By taking trailing spaces away.
    TrimPadding,
    /// By forgetting that all have the same length.
    FixedBytes,
    /// By reading what they are made of.
    Nested(Arc<Nested>),
}

/// Why a value could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Misfit {
    /// It does not fit the declared type.
    OutOfRange,
    /// It is a string that is not UTF-8.
    NotUtf8,
    /// It is an array of arrays of different lengths.
    NotRectangular,
}

/// How single values of a file's type are read as a declared one, if they are.
pub(super) fn coercion(file: &DataType, declared: &SqlType) -> Option<Coercion> {
    if let DataType::Dictionary(_, values) = file {
        return coercion(values, declared).map(|rule| if rule == Coercion::Same { Coercion::Cast } else { rule });
    }
    // Texts may have to lose their padding, and times have to be within a day.
    if *file == declared.in_flight() && !matches!(declared, SqlType::Char(_) | SqlType::Time) {
        return Some(Coercion::Same);
    }
    match declared {
        SqlType::Boolean => None,
        SqlType::SmallInt | SqlType::Integer | SqlType::BigInt => to_integer(file, &declared.in_flight()),
        SqlType::Real => to_real(file),
        SqlType::Double => to_double(file),
        SqlType::Numeric(size) => to_numeric(file, &declared.in_flight(), size.is_none()),
        SqlType::Text | SqlType::Varchar(_) | SqlType::Json | SqlType::Name => to_text(file),
        SqlType::Char(_) => to_text(file).map(|_| Coercion::TrimPadding),
        SqlType::Bytea => to_bytes(file),
        SqlType::Date | SqlType::Time | SqlType::Timestamp | SqlType::TimestampTz => {
            TimeScale::between(file, &declared.in_flight()).map(Coercion::Time)
        }
        // Files have no such types, or have them in forms that would have to be checked value by value.
        SqlType::TimeTz
        | SqlType::Interval
        | SqlType::Uuid
        | SqlType::Jsonb
        | SqlType::HllSketch
        | SqlType::Oid
        | SqlType::SingleByte
        | SqlType::Modified(_)
        | SqlType::Array(_)
        | SqlType::List(_)
        | SqlType::Struct(_)
        | SqlType::Map(_)
        | SqlType::User(_) => None,
    }
}

fn to_integer(file: &DataType, declared: &DataType) -> Option<Coercion> {
    use DataType::*;
    match (file, declared) {
        (Int8 | UInt8, _) | (Int16 | UInt16, Int32) | (Int16 | UInt16 | Int32 | UInt32, Int64) => Some(Coercion::Cast),
        (file, _) if file.is_integer() => Some(Coercion::CheckedCast),
        (Decimal32(_, 0) | Decimal64(_, 0) | Decimal128(_, 0) | Decimal256(_, 0), _) => Some(Coercion::CheckedCast),
        _ => None,
    }
}

fn to_real(file: &DataType) -> Option<Coercion> {
    use DataType::*;
    match file {
        Int8 | UInt8 | Int16 | UInt16 | Float16 => Some(Coercion::Cast),
        Float64 => Some(Coercion::NarrowFloat),
        file if file.is_decimal() => Some(Coercion::DecimalToFloat),
        _ => None,
    }
}

fn to_double(file: &DataType) -> Option<Coercion> {
    use DataType::*;
    match file {
        Int8 | UInt8 | Int16 | UInt16 | Int32 | UInt32 | Float16 | Float32 => Some(Coercion::Cast),
        file if file.is_decimal() => Some(Coercion::DecimalToFloat),
        _ => None,
    }
}

fn to_numeric(file: &DataType, declared: &DataType, is_exact: bool) -> Option<Coercion> {
    match file {
        DataType::Float16 | DataType::Float32 => return Some(Coercion::FloatToDecimal { digits: 6 }),
        DataType::Float64 => return Some(Coercion::FloatToDecimal { digits: 15 }),
        _ => {}
    }
    let (digits, scale) = decimal::digits_and_scale(file)?;
    let (declared_digits, declared_scale) = decimal::digits_and_scale(declared)?;
    if scale > declared_scale {
        return Some(Coercion::Rescale { is_exact });
    }
    let fits = declared_digits - declared_scale >= digits - scale;
    Some(if fits { Coercion::Cast } else { Coercion::CheckedCast })
}

fn to_text(file: &DataType) -> Option<Coercion> {
    match file {
        file if file.is_string() => Some(Coercion::Cast),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => Some(Coercion::BytesToText),
        _ => None,
    }
}

fn to_bytes(file: &DataType) -> Option<Coercion> {
    match file {
        DataType::Binary | DataType::LargeBinary => Some(Coercion::Cast),
        DataType::FixedSizeBinary(_) => Some(Coercion::FixedBytes),
        _ => None,
    }
}

impl Coercion {
    /// Reads values as the declared type.
    pub(super) fn apply(&self, array: &ArrayRef, declared: &DataType) -> Result<ArrayRef, Misfit> {
        let array = match array.data_type() {
            DataType::Dictionary(_, values) => &cast(array, values).map_err(|_| Misfit::OutOfRange)?,
            _ => array,
        };
        match *self {
            Coercion::Same => Ok(array.clone()),
            Coercion::Cast | Coercion::CheckedCast => strict_cast(array, declared),
            Coercion::Time(scale) => scale.apply(array, declared).ok_or(Misfit::OutOfRange),
            Coercion::Rescale { is_exact } => decimal::rescale(array, declared, is_exact),
            Coercion::FloatToDecimal { digits } => decimal::from_float(array, declared, digits),
            Coercion::DecimalToFloat => decimal::to_float(array, declared),
            Coercion::NarrowFloat => narrow_float(array),
            Coercion::BytesToText => bytes_to_text(array),
            Coercion::TrimPadding => trim_padding(array),
            Coercion::FixedBytes => strict_cast(&strict_cast(array, &DataType::Binary)?, declared),
            Coercion::Nested(ref nested) => nested.apply(array, declared),
        }
    }
}

/// The engine's cast, which makes NULL of what does not fit unless it is told not to.
fn strict_cast(array: &ArrayRef, declared: &DataType) -> Result<ArrayRef, Misfit> {
    let options = CastOptions { safe: false, ..CastOptions::default() };
    cast_with_options(array, declared, &options).map_err(|_| Misfit::OutOfRange)
}

fn narrow_float(array: &ArrayRef) -> Result<ArrayRef, Misfit> {
    let narrow = |value: f64| {
        let narrowed = value as f32;
        if narrowed.is_infinite() && value.is_finite() { Err(Misfit::OutOfRange) } else { Ok(narrowed) }
    };
    Ok(Arc::new(array.as_primitive::<Float64Type>().try_unary::<_, Float32Type, _>(narrow)?))
}

fn bytes_to_text(array: &ArrayRef) -> Result<ArrayRef, Misfit> {
    let bytes = strict_cast(array, &DataType::BinaryView)?;
    let text = |bytes| std::str::from_utf8(bytes).map_err(|_| Misfit::NotUtf8);
    let texts = bytes.as_binary_view().iter().map(|bytes| bytes.map(text).transpose());
    Ok(Arc::new(texts.collect::<Result<StringViewArray, _>>()?))
}

fn trim_padding(array: &ArrayRef) -> Result<ArrayRef, Misfit> {
    let texts =
        if array.data_type().is_string() { strict_cast(array, &DataType::Utf8View)? } else { bytes_to_text(array)? };
    let trimmed = texts.as_string_view().iter().map(|text| text.map(|text| text.trim_end_matches(' ')));
    Ok(Arc::new(trimmed.collect::<StringViewArray>()))
}

/// A file's type in SQL's words.
pub(super) fn sql_name(file: &DataType) -> String {
    use DataType::*;
    let name = match file {
        Null => "null",
        Boolean => "boolean",
        Int8 => "8-bit integer",
        Int16 => "smallint",
        Int32 => "integer",
        Int64 => "bigint",
        UInt8 => "unsigned 8-bit integer",
        UInt16 => "unsigned smallint",
        UInt32 => "unsigned integer",
        UInt64 => "unsigned bigint",
        Float16 => "16-bit real",
        Float32 => "real",
        Float64 => "double precision",
        Decimal32(digits, scale) | Decimal64(digits, scale) | Decimal128(digits, scale) | Decimal256(digits, scale) => {
            return format!("numeric({digits},{scale})");
        }
        Utf8 | LargeUtf8 | Utf8View => "text",
        Binary | LargeBinary | BinaryView => "bytea",
        FixedSizeBinary(bytes) => return format!("bytea of {bytes} bytes"),
        Date32 | Date64 => "date",
        Time32(_) | Time64(_) => "time without time zone",
        Timestamp(TimeUnit::Nanosecond, None) => "timestamp without time zone in nanoseconds",
        Timestamp(TimeUnit::Nanosecond, Some(_)) => "timestamp with time zone in nanoseconds",
        Timestamp(_, None) => "timestamp without time zone",
        Timestamp(_, Some(_)) => "timestamp with time zone",
        Duration(_) | Interval(_) => "interval",
        List(item) | LargeList(item) | ListView(item) | LargeListView(item) | FixedSizeList(item, _) => {
            return format!("array of {}", sql_name(item.data_type()));
        }
        Struct(_) => "struct",
        Map(..) => "map",
        Union(..) => "union",
        Dictionary(_, values) => return sql_name(values),
        RunEndEncoded(_, values) => return sql_name(values.data_type()),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests;
