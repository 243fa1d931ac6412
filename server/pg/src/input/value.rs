//! A value of any type from its text: what PostgreSQL's input functions do with a constant.

use arrow::datatypes::*;
use datafusion_common::ScalarValue;

use super::column::column;
use super::{InputError, array, scalars};
use crate::error::{PgError, Result};
use crate::expression_type::{Type, list_of};
use crate::numeric::WrittenNumber;
use crate::session::SessionValues;
use crate::sqlstate::SqlState;
use crate::types::{self, *};

/// Reads a value. Its type is the wanted one; of a numeric without modifier, with as many digits as were written, and of
/// an array, with as many dimensions.
///
/// A string that is longer than its type's modifier allows is refused unless only spaces are lost, as an input function
/// does: where a cast was written, PostgreSQL reads the constant without the modifier and then cuts it.
///
/// # Errors
/// The text is not a value of the type, or not one that the modifier allows.
pub fn value(wanted: &Type, text: &str, session: &SessionValues) -> Result<(Type, ScalarValue)> {
    let scalar = match wanted.oid {
        BOOL => ScalarValue::Boolean(Some(scalars::boolean(text)?)),
        INT2 => ScalarValue::Int16(Some(scalars::integer(text, "smallint")?)),
        INT4 => ScalarValue::Int32(Some(scalars::integer(text, "integer")?)),
        INT8 => ScalarValue::Int64(Some(scalars::integer(text, "bigint")?)),
        FLOAT8 => ScalarValue::Float64(Some(crate::function::value::canonical_f64(scalars::double(text)?))),
        NUMERIC if wanted.typmod < 0 => return numeric(text),
        TEXT | UNKNOWN if !text.contains('\0') => ScalarValue::Utf8View(Some(text.to_owned())),
        oid if types::element_type(oid).is_some() => return array(wanted, text, session),
        _ => single(wanted, text, session)?,
    };
    Ok((wanted.clone(), scalar))
}

fn single(ty: &Type, text: &str, session: &SessionValues) -> Result<ScalarValue> {
    Ok(ScalarValue::try_from_array(&column(ty, &[Some(text)], session)?, 0)?)
}

/// A number with its own scale.
fn numeric(text: &str) -> Result<(Type, ScalarValue)> {
    let number = scalars::written_number(text)?;
    let ty = numeric_type([&number])?;
    let (precision, scale) = ty.digits().unwrap_or((1, 0));
    let (unscaled, _) = number.wide_at_scale(i64::from(scale)).ok_or_else(too_wide)?;
    let value = match ty.arrow {
        DataType::Decimal128(..) => {
            ScalarValue::Decimal128(Some(unscaled.to_i128().ok_or_else(too_wide)?), precision, scale)
        }
        _ => ScalarValue::Decimal256(Some(unscaled), precision, scale),
    };
    Ok((ty, value))
}

/// The narrowest type that holds all of these numbers as they were written.
fn numeric_type<'a>(numbers: impl IntoIterator<Item = &'a WrittenNumber<'a>>) -> Result<Type> {
    let (mut integer_digits, mut scale_max) = (0, 0);
    for number in numbers {
        let scale = i8::try_from(number.scale()).map_err(|_| too_wide())?;
        let (unscaled, _) = number.wide_at_scale(i64::from(scale)).ok_or_else(too_wide)?;
        let digits = unscaled.to_string().trim_start_matches(['-', '0']).len();
        integer_digits = integer_digits.max(digits.saturating_sub(usize::from(scale.unsigned_abs())));
        scale_max = scale_max.max(scale);
    }
    let precision = integer_digits + usize::from(scale_max.unsigned_abs());
    let precision = u8::try_from(precision).ok().filter(|precision| *precision <= DECIMAL256_MAX_PRECISION);
    Ok(Type::numeric(precision.ok_or_else(too_wide)?.max(1), scale_max))
}

fn too_wide() -> PgError {
    PgError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "value overflows numeric format")
        .with_detail(format!("A number has at most {DECIMAL256_MAX_PRECISION} digits."))
}

/// An array with its own number of dimensions.
fn array(wanted: &Type, text: &str, session: &SessionValues) -> Result<(Type, ScalarValue)> {
    let parsed = array::parse_of(wanted.oid, text)?;
    let mut element = wanted.element().ok_or_else(|| PgError::internal("an array without elements"))?;
    if element.oid == NUMERIC && element.typmod < 0 {
        let texts = parsed.elements.iter().flatten();
        let numbers: Vec<_> = texts.map(|text| scalars::written_number(text)).collect::<Result<_, InputError>>()?;
        // Numbers with different scales are carried as those of a column, which does not print zeros at the end.
        let unconstrained = Type::of(NUMERIC);
        let kept = unconstrained.digits().map_or(0, |(_, scale)| i64::from(scale));
        let scale = numbers.first().map(WrittenNumber::scale);
        let is_uniform = numbers.iter().all(|number| Some(number.scale()) == scale);
        let is_finer = numbers.iter().any(|number| number.scale() > kept);
        element = if scale.is_some() && (is_uniform || is_finer) { numeric_type(&numbers)? } else { unconstrained };
    }
    let texts: Vec<_> = parsed.elements.iter().map(Option::as_deref).collect();
    let elements = column(&element, &texts, session)?;
    let dimensions = if parsed.dimensions.is_empty() { &[0][..] } else { &parsed.dimensions };
    let lists = array::nested(elements, dimensions)?;
    let arrow = dimensions.iter().fold(element.arrow, |arrow, _| list_of(arrow));
    let ty = Type { oid: wanted.oid, typmod: wanted.typmod, arrow };
    Ok((ty, ScalarValue::try_from_array(&lists, 0)?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing;

    fn printed(oid: u32, typmod: i32, text: &str) -> Result<String> {
        let (ty, scalar) = value(&Type::with_typmod(oid, typmod), text, &SessionValues::default())?;
        assert_eq!(scalar.data_type(), ty.arrow);
        Ok(testing::text(&scalar.to_array().unwrap(), &ty, 0)?.unwrap())
    }

    fn check(oid: u32, text: &str, expected: &str) {
        assert_eq!(printed(oid, -1, text).as_deref(), Ok(expected), "{text}");
    }

    fn check_error(oid: u32, text: &str, sqlstate: SqlState, message: &str) {
        let error = printed(oid, -1, text).unwrap_err();
        assert_eq!((error.sqlstate, error.message.as_str()), (sqlstate, message), "{text}");
    }

    #[test]
    fn values_of_all_types_are_read() {
        check(BOOL, " TRUE ", "t");
        check(OID, "-1", "4294967295");
        check(UUID, "{A0EE-BC99-9c0b4ef8bb6d6bb9bd380a11}", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
        check(TIMETZ, "10:00:00.5+05:30", "10:00:00.5+05:30");
        check(JSON, " {\"b\":1, \"a\":2}", " {\"b\":1, \"a\":2}");
        check(JSONB, " {\"b\":1, \"a\":2}", "{\"a\": 2, \"b\": 1}");
        check(CHAR, "\\101", "A");
        check(CHAR, "é", "\\303");
        check(NAME, &"é".repeat(40), &"é".repeat(31));
        check(REGTYPE, "varchar(3)", "character varying");
        check(FLOAT4, "1e-40", "1e-40");
        check(BYTEA, "a\\\\b\\001", "\\x615c6201");
    }

    #[test]
    fn the_numbers_of_an_array_have_their_own_digits() {
        let one_digit = Type { arrow: list_of(DataType::Decimal128(1, 1)), ..Type::of(NUMERIC_ARRAY) };
        let read = |text| {
            let (ty, scalar) = value(&one_digit, text, &SessionValues::default()).unwrap();
            testing::text(&scalar.to_array().unwrap(), &ty, 0).unwrap().unwrap()
        };
        assert_eq!(read("{12.25}"), "{12.25}");
        assert_eq!(read("{12.25,3000}"), "{12.25,3000}");
        assert_eq!(read("{0.1234567890123456789012}"), "{0.1234567890123456789012}");
        assert_eq!(read("{1,0.12345678901234567890}"), "{1.00000000000000000000,0.12345678901234567890}");
    }

    #[test]
    fn numbers_have_as_many_digits_as_were_written() {
        let digits = |text| value(&Type::of(NUMERIC), text, &SessionValues::default()).unwrap().0.digits();
        assert_eq!(digits("1.50"), Some((3, 2)));
        assert_eq!(digits("-0.005"), Some((3, 3)));
        assert_eq!(digits("1e5"), Some((6, 0)));
        assert_eq!(digits("0"), Some((1, 0)));
        assert_eq!(digits(&"9".repeat(60)), Some((60, 0)));
        check(NUMERIC, &"9".repeat(76), &"9".repeat(76));
        check_error(NUMERIC, &"9".repeat(77), SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "value overflows numeric format");
        check_error(
            NUMERIC,
            "1e",
            SqlState::INVALID_TEXT_REPRESENTATION,
            "invalid input syntax for type numeric: \"1e\"",
        );
        assert_eq!(printed(NUMERIC, (5 << 16 | 2) + 4, "2.555").as_deref(), Ok("2.56"));
        assert_eq!(printed(NUMERIC, (3 << 16 | 0x7fe) + 4, "12345").as_deref(), Ok("12300"));
        assert_eq!(printed(NUMERIC, (3 << 16 | 5) + 4, "0.00999").as_deref(), Ok("0.00999"));
    }

    #[test]
    fn arrays_have_as_many_dimensions_as_were_written() {
        check(INT4_ARRAY, "{}", "{}");
        check(INT4_ARRAY, "{1,NULL, 3 }", "{1,NULL,3}");
        check(INT4_ARRAY, "{{1,2},{NULL,4}}", "{{1,2},{NULL,4}}");
        check(INT4_ARRAY, "[1:2]={1,2}", "{1,2}");
        check(TEXT_ARRAY, "{\"a b\",\"NULL\",c}", "{\"a b\",\"NULL\",c}");
        check(NUMERIC_ARRAY, "{1.5,2.25,-3}", "{1.5,2.25,-3}");
        check_error(
            INT4_ARRAY,
            "{a}",
            SqlState::INVALID_TEXT_REPRESENTATION,
            "invalid input syntax for type integer: \"a\"",
        );
        check_error(INT4_ARRAY, "{1", SqlState::INVALID_TEXT_REPRESENTATION, "malformed array literal: \"{1\"");
    }

    #[test]
    fn what_is_no_value_is_refused() {
        let syntax = SqlState::INVALID_TEXT_REPRESENTATION;
        let range = SqlState::NUMERIC_VALUE_OUT_OF_RANGE;
        check_error(INT4, "", syntax, "invalid input syntax for type integer: \"\"");
        check_error(INT4, "0x10", syntax, "invalid input syntax for type integer: \"0x10\"");
        check_error(INT4, "9999999999abc", range, "value \"9999999999abc\" is out of range for type integer");
        check_error(OID, "4294967296", range, "value \"4294967296\" is out of range for type oid");
        check_error(UUID, "", syntax, "invalid input syntax for type uuid: \"\"");
        check_error(
            UUID,
            "a0e-ebc999c0b4ef8bb6d6bb9bd380a11",
            syntax,
            "invalid input syntax for type uuid: \"a0e-ebc999c0b4ef8bb6d6bb9bd380a11\"",
        );
        check_error(
            TEXT,
            "a\0b",
            SqlState::CHARACTER_NOT_IN_REPERTOIRE,
            "invalid byte sequence for encoding \"UTF8\": 0x00",
        );
        let message = "input of anonymous composite types is not implemented";
        check_error(RECORD, "(1)", SqlState::FEATURE_NOT_SUPPORTED, message);
        let error = printed(VARCHAR, 6, "abc").unwrap_err();
        assert_eq!(error.message, "value too long for type character varying(2)");
    }
}
