//! The values of partition columns: text in the catalog, values in a scan.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::DataType;
use catalog::{Column, SqlType};
use datafusion::scalar::ScalarValue;

use crate::error::{Error, Result};

/// The text under which the catalog keeps a partition value: different spellings of one value become the same partition.
///
/// # Errors
/// The text is not a value of the column's type.
pub fn canonical_partition_value(text: &str, column: &Column) -> Result<String> {
    let value = parse(Some(text), column)?;
    canonical_text(&value, column)?.ok_or_else(|| invalid(text, column))
}

/// The text of a value, as the catalog keeps it; none for NULL.
///
/// # Errors
/// The value has none.
pub(super) fn canonical_text(value: &ScalarValue, column: &Column) -> Result<Option<String>> {
    if value.is_null() {
        return Ok(None);
    }
    let shown = || invalid(&value.to_string(), column);
    let text = value.cast_to(&DataType::Utf8).map_err(|_| shown())?;
    let text = text.try_as_str().flatten().ok_or_else(shown)?;
    let text = match column.sql_type {
        SqlType::Timestamp => text.replace('T', " "),
        SqlType::TimestampTz => text.replace('T', " ").replace('Z', "+00"),
        SqlType::Char(_) => text.trim_end_matches(' ').to_owned(),
        _ => text.to_owned(),
    };
    // What cannot be read back is not written: infinite dates, bytes.
    match parse(Some(&text), column)? == *value {
        true => Ok(Some(text)),
        false => Err(invalid(&text, column)),
    }
}

/// A partition value of the column's type; NULL for none.
pub(super) fn parse(text: Option<&str>, column: &Column) -> Result<ScalarValue> {
    let in_flight = column.sql_type.in_flight();
    let Some(text) = text else {
        return ScalarValue::try_from(&in_flight).map_err(|_| invalid("NULL", column));
    };
    let trimmed = match column.sql_type {
        // Bytes have no text that every tool writes the same way.
        SqlType::Bytea => return Err(invalid(text, column)),
        SqlType::Text | SqlType::Varchar(_) => text,
        SqlType::Char(_) => text.trim_end_matches(' '),
        _ => text.trim(),
    };
    if let SqlType::Varchar(Some(length)) | SqlType::Char(length) = column.sql_type
        && trimmed.chars().count() > length as usize
    {
        return Err(invalid(text, column));
    }
    let texts: ArrayRef = Arc::new(StringArray::from(vec![trimmed]));
    let options = CastOptions { safe: false, ..CastOptions::default() };
    let values = cast_with_options(&texts, &in_flight, &options).map_err(|_| invalid(text, column))?;
    let value = ScalarValue::try_from_array(&values, 0).map_err(|_| invalid(text, column))?;
    if value.is_null() { Err(invalid(text, column)) } else { Ok(value) }
}

pub(super) fn invalid(text: &str, column: &Column) -> Error {
    Error::PartitionValueInvalid {
        column: column.name.clone(),
        declared_type: column.sql_type.to_string(),
        value: text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use catalog::types::NumericSize;

    use super::*;

    fn canonical(text: &str, sql_type: SqlType) -> Result<String> {
        let column = Column::new(1, "p", sql_type);
        let canonical = canonical_partition_value(text, &column)?;
        assert_eq!(parse(Some(text), &column).unwrap(), parse(Some(&canonical), &column).unwrap());
        assert_eq!(canonical, canonical_partition_value(&canonical, &column).unwrap());
        Ok(canonical)
    }

    fn check(text: &str, sql_type: SqlType, expected: &str) {
        assert_eq!(canonical(text, sql_type).unwrap(), expected);
    }

    #[test]
    fn spellings_of_one_value_become_one_text() {
        check(" 007 ", SqlType::Integer, "7");
        check("-5", SqlType::BigInt, "-5");
        check("TRUE", SqlType::Boolean, "true");
        check("2024-01-31", SqlType::Date, "2024-01-31");
        check("2024-01-31T10:00:00", SqlType::Timestamp, "2024-01-31 10:00:00");
        check("2024-01-31 10:00:00+02", SqlType::TimestampTz, "2024-01-31 08:00:00+00");
        check("1.5", SqlType::Numeric(Some(NumericSize { precision: 5, scale: 2 })), "1.50");
        check("10:30", SqlType::Time, "10:30:00");
        check(" x ", SqlType::Text, " x ");
        check("x  ", SqlType::Char(3), "x");
    }

    #[test]
    fn what_is_no_value_of_the_type_is_refused() {
        let refused = [
            ("x", SqlType::Integer),
            ("", SqlType::Integer),
            ("70000", SqlType::SmallInt),
            ("2024-02-30", SqlType::Date),
            ("maybe", SqlType::Boolean),
            ("abcd", SqlType::Varchar(Some(3))),
            ("x", SqlType::Bytea),
        ];
        for (text, sql_type) in refused {
            let refusal = canonical(text, sql_type);
            assert!(matches!(refusal, Err(Error::PartitionValueInvalid { .. })), "{text}: {refusal:?}");
        }
    }
}
