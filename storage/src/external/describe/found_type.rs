//! What files tell of a column's type, together.
//!
//! The type of a column is one that the values of all files have without a loss: the wider of two numbers' (`bigint` and
//! `numeric` become `numeric`, but `bigint` and `double precision` nothing), `timestamp` of it and `date`; of structs all of
//! their fields. By which rule a file's values are then read is said in [`coercion`](crate::external::coercion).

use arrow::datatypes::DataType;
use catalog::SqlType;
use catalog::types::{MapEntry, NUMERIC_PRECISION_MAX, NumericSize, StructField};

use crate::external::coercion::sql_name;

/// What is known of a type.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum FoundType {
    /// There have been no values but NULL.
    Unknown,
    /// Single values.
    Single(SqlType),
    /// Arrays of such elements.
    List(Box<FoundType>),
    /// Values of named fields.
    Struct(Vec<(String, FoundType)>),
    /// Maps from the one to the other.
    Map(Box<(FoundType, FoundType)>),
}

/// Two types that none can take the place of, and the names of the fields on the way to them.
#[derive(Debug, PartialEq)]
pub(super) struct Disagreement {
    pub(super) path: Vec<String>,
    pub(super) first: String,
    pub(super) other: String,
}

/// A type that no column can have, and the names of the fields on the way to it.
#[derive(Debug)]
pub(super) struct UnknownType {
    pub(super) path: Vec<String>,
    pub(super) file_type: String,
}

impl FoundType {
    /// The type of a file's column.
    ///
    /// # Errors
    /// No column can have it.
    pub(super) fn of_file(file: &DataType) -> Result<FoundType, UnknownType> {
        use DataType::*;
        Ok(match file {
            Null => FoundType::Unknown,
            Dictionary(_, values) => FoundType::of_file(values)?,
            List(item) | LargeList(item) | FixedSizeList(item, _) => {
                let element = FoundType::of_file(item.data_type()).map_err(|error| error.under("element"))?;
                FoundType::List(Box::new(element))
            }
            Struct(fields) => {
                let field = |field: &arrow::datatypes::FieldRef| {
                    let found = FoundType::of_file(field.data_type()).map_err(|error| error.under(field.name()))?;
                    Ok((field.name().clone(), found))
                };
                FoundType::Struct(fields.iter().map(field).collect::<Result<_, _>>()?)
            }
            Map(entries, _) => match entries.data_type() {
                Struct(entry) if entry.len() == 2 => {
                    let key = FoundType::of_file(entry[0].data_type()).map_err(|error| error.under("key"))?;
                    let value = FoundType::of_file(entry[1].data_type()).map_err(|error| error.under("value"))?;
                    FoundType::Map(Box::new((key, value)))
                }
                _ => return Err(UnknownType::new(file)),
            },
            single => FoundType::Single(single_type(single).ok_or_else(|| UnknownType::new(file))?),
        })
    }

    /// The type that takes the place of both.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn merged(self, other: FoundType) -> Result<FoundType, Disagreement> {
        Ok(match (self, other) {
            (FoundType::Unknown, known) | (known, FoundType::Unknown) => known,
            (FoundType::List(element), FoundType::List(other)) => {
                FoundType::List(Box::new(element.merged(*other).map_err(|error| error.under("element"))?))
            }
            (FoundType::Struct(fields), FoundType::Struct(others)) => FoundType::Struct(merged_fields(fields, others)?),
            (FoundType::Map(entry), FoundType::Map(other)) => {
                let ((key, value), (other_key, other_value)) = (*entry, *other);
                let key = key.merged(other_key).map_err(|error| error.under("key"))?;
                let value = value.merged(other_value).map_err(|error| error.under("value"))?;
                FoundType::Map(Box::new((key, value)))
            }
            (FoundType::Single(first), FoundType::Single(other)) => match wider(&first, &other) {
                Some(wider) => FoundType::Single(wider),
                None => return Err(Disagreement::new(FoundType::Single(first), FoundType::Single(other))),
            },
            (first, other) => return Err(Disagreement::new(first, other)),
        })
    }

    /// The type of the column; `text` when nothing is known.
    pub(super) fn sql_type(self) -> SqlType {
        match self {
            FoundType::Unknown => SqlType::Text,
            FoundType::Single(sql_type) => sql_type,
            FoundType::List(element) => SqlType::array_of(element.sql_type()),
            FoundType::Struct(fields) => {
                let field = |(name, found): (String, FoundType)| StructField { name, sql_type: found.sql_type() };
                SqlType::Struct(fields.into_iter().map(field).collect())
            }
            FoundType::Map(entry) => {
                let (key, value) = *entry;
                SqlType::Map(Box::new(MapEntry { key: key.sql_type(), value: value.sql_type() }))
            }
        }
    }
}

impl Disagreement {
    fn new(first: FoundType, other: FoundType) -> Self {
        let name = |found: FoundType| found.sql_type().to_string();
        Disagreement { path: Vec::new(), first: name(first), other: name(other) }
    }

    fn under(mut self, name: &str) -> Self {
        self.path.insert(0, name.to_owned());
        self
    }
}

impl UnknownType {
    fn new(file: &DataType) -> Self {
        UnknownType { path: Vec::new(), file_type: sql_name(file) }
    }

    fn under(mut self, name: &str) -> Self {
        self.path.insert(0, name.to_owned());
        self
    }
}

/// The fields of both, by their names in whatever case.
fn merged_fields(
    mut fields: Vec<(String, FoundType)>,
    others: Vec<(String, FoundType)>,
) -> Result<Vec<(String, FoundType)>, Disagreement> {
    for (name, other) in others {
        match place(fields.iter().map(|(known, _)| known.as_str()), &name) {
            Some(place) => {
                let known = std::mem::replace(&mut fields[place].1, FoundType::Unknown);
                fields[place].1 = known.merged(other).map_err(|error| error.under(&name))?;
            }
            None => fields.push((name, other)),
        }
    }
    Ok(fields)
}

/// Where a name is among others: spelled so, or else in another case.
pub(super) fn place<'a>(mut names: impl Iterator<Item = &'a str> + Clone, name: &str) -> Option<usize> {
    let exact = names.clone().position(|known| known == name);
    exact.or_else(|| names.position(|known| known.to_lowercase() == name.to_lowercase()))
}

/// The type of single values.
fn single_type(file: &DataType) -> Option<SqlType> {
    use DataType::*;
    Some(match file {
        Boolean => SqlType::Boolean,
        Int8 | Int16 | UInt8 => SqlType::SmallInt,
        Int32 | UInt16 => SqlType::Integer,
        Int64 | UInt32 => SqlType::BigInt,
        UInt64 => numeric(20, 0)?,
        Float16 | Float32 => SqlType::Real,
        Float64 => SqlType::Double,
        Decimal32(digits, scale) | Decimal64(digits, scale) | Decimal128(digits, scale) | Decimal256(digits, scale) => {
            let (digits, scale) = (i16::from(*digits), i16::from(*scale));
            numeric(digits.max(scale) - scale.min(0), scale.max(0))?
        }
        Utf8 | LargeUtf8 | Utf8View => SqlType::Text,
        Binary | LargeBinary | BinaryView | FixedSizeBinary(_) => SqlType::Bytea,
        Date32 | Date64 => SqlType::Date,
        Time32(_) | Time64(_) => SqlType::Time,
        Timestamp(_, None) => SqlType::Timestamp,
        Timestamp(_, Some(_)) => SqlType::TimestampTz,
        _ => return None,
    })
}

fn numeric(precision: i16, scale: i16) -> Option<SqlType> {
    let precision = u8::try_from(precision).ok().filter(|precision| *precision <= NUMERIC_PRECISION_MAX)?;
    Some(SqlType::Numeric(Some(NumericSize { precision, scale: i8::try_from(scale).ok()? })))
}

/// The type of single values that has those of both.
fn wider(first: &SqlType, other: &SqlType) -> Option<SqlType> {
    if first == other {
        return Some(first.clone());
    }
    if let (Some((digits, scale)), Some((other_digits, other_scale))) =
        (digits_and_scale(first), digits_and_scale(other))
    {
        if (scale, other_scale) == (0, 0) && digits.max(other_digits) <= BIGINT_DIGITS && first.is_number() {
            let is_wider = digits > other_digits;
            return Some(if is_wider { first.clone() } else { other.clone() });
        }
        let scale_of_both = scale.max(other_scale);
        return numeric((digits - scale).max(other_digits - other_scale) + scale_of_both, scale_of_both);
    }
    wider_in_order(first, other).or_else(|| wider_in_order(other, first))
}

/// Digits of the largest `bigint`.
const BIGINT_DIGITS: i16 = 19;

/// Digits in all and behind the point, of exact numbers.
fn digits_and_scale(sql_type: &SqlType) -> Option<(i16, i16)> {
    match sql_type {
        SqlType::SmallInt => Some((5, 0)),
        SqlType::Integer => Some((10, 0)),
        SqlType::BigInt => Some((BIGINT_DIGITS, 0)),
        SqlType::Numeric(Some(size)) => Some((i16::from(size.precision), i16::from(size.scale))),
        _ => None,
    }
}

fn wider_in_order(narrow: &SqlType, wide: &SqlType) -> Option<SqlType> {
    match (narrow, wide) {
        (SqlType::SmallInt, SqlType::Real) => Some(SqlType::Real),
        (SqlType::Integer, SqlType::Real) | (SqlType::SmallInt | SqlType::Integer | SqlType::Real, SqlType::Double) => {
            Some(SqlType::Double)
        }
        (SqlType::Date, SqlType::Timestamp) => Some(SqlType::Timestamp),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::datatypes::{Field, TimeUnit};

    use super::*;
    use crate::external::nested;

    /// What two files' types become; that values of both are read as that.
    fn merged(first: &DataType, other: &DataType) -> Option<String> {
        let found = |file| FoundType::of_file(file).unwrap();
        let merged = found(first).merged(found(other)).ok()?.sql_type();
        let reverse = found(other).merged(found(first)).unwrap().sql_type();
        assert!(merged.is_nested() || merged == reverse, "{first} {other}");
        for file in [first, other] {
            assert!(file.is_null() || nested::reading(file, &merged).is_ok(), "{file} is not read as {merged}");
        }
        Some(merged.to_string())
    }

    fn check(first: DataType, other: DataType, expected: Option<&str>) {
        assert_eq!(merged(&first, &other).as_deref(), expected, "{first} {other}");
    }

    fn list(item: DataType) -> DataType {
        DataType::List(Field::new("item", item, true).into())
    }

    fn record(fields: &[(&str, DataType)]) -> DataType {
        DataType::Struct(fields.iter().map(|(name, ty)| Field::new(*name, ty.clone(), true)).collect())
    }

    #[test]
    fn the_wider_type_has_the_values_of_both() {
        use DataType::*;
        check(Int32, Int64, Some("bigint"));
        check(Int8, Int16, Some("smallint"));
        check(UInt64, Int64, Some("numeric(20,0)"));
        check(Int64, Decimal128(10, 2), Some("numeric(21,2)"));
        check(Decimal128(38, 0), Decimal128(38, 10), None);
        check(Decimal128(10, 2), Decimal128(8, 4), Some("numeric(12,4)"));
        check(Int32, Float32, Some("double precision"));
        check(Int64, Float64, None);
        check(Decimal128(10, 2), Float64, None);
        check(Float32, Float64, Some("double precision"));
        check(Date32, Timestamp(TimeUnit::Nanosecond, None), Some("timestamp without time zone"));
        check(Timestamp(TimeUnit::Second, None), Timestamp(TimeUnit::Second, Some("UTC".into())), None);
        check(Utf8, LargeUtf8, Some("text"));
        check(Utf8, Int32, None);
        check(Null, Int32, Some("integer"));
        check(Null, Null, Some("text"));
    }

    #[test]
    fn what_values_are_made_of_is_merged() {
        use DataType::*;
        check(list(Int32), list(Int64), Some("bigint[]"));
        check(list(Null), list(Date32), Some("date[]"));
        check(record(&[("a", Int32)]), record(&[("b", Utf8), ("A", Int64)]), Some("struct<a:bigint,b:text>"));
        check(record(&[("a", Int32)]), record(&[("a", Utf8)]), None);
        check(record(&[("a", Int32)]), Int32, None);
    }

    #[test]
    fn some_types_no_column_can_have() {
        let interval = DataType::Interval(arrow::datatypes::IntervalUnit::DayTime);
        let unknown = FoundType::of_file(&record(&[("a", list(interval))])).unwrap_err();
        assert_eq!((unknown.path.join("."), unknown.file_type.as_str()), ("a.element".to_owned(), "interval"));
        assert!(FoundType::of_file(&DataType::Decimal256(60, 2)).is_err());
    }
}
