//! Conversions through text: what PostgreSQL does for a cast that `pg_cast` does not have, when one side is a string
//! (`CoerceViaIO`).

use arrow::array::{Array, ArrayRef, StringViewBuilder};
use bytes::BytesMut;

use super::modifier;
use crate::error::{PgError, Result};
use crate::function::{Call, Function, function};
use crate::input::column::{self, Text};
use crate::input::scalars;
use crate::library::text::blanks::padded_to;
use crate::output;
use crate::types::{ANY, BPCHAR, CHAR, NAME, TEXT, VARCHAR, length_of};

/// Bytes of the longest text that one value becomes.
const TEXT_BYTES_MAX: usize = 64 << 20;

/// Any type to a string type, by its output function. An assignment cast.
pub static TO_TEXT: Function = function("cast", &[ANY], TEXT, to_text).stable();

/// A string type to any type, by its input function. An explicit cast.
pub static FROM_TEXT: Function = function("cast", &[TEXT], ANY, from_text).stable();

fn to_text(call: &Call) -> Result<ArrayRef> {
    let source = call.types.first().ok_or_else(|| PgError::internal("a cast without an argument"))?;
    let array = call.array(0)?;
    let write = output::text_writer_in(&array, source.oid, source.typmod, call.session())?;
    let nulls = array.logical_nulls();
    let explicit = modifier::is_explicit(call.context);
    let mut builder = StringViewBuilder::with_capacity(array.len());
    let mut out = BytesMut::new();
    for row in 0..array.len() {
        if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            builder.append_null();
            continue;
        }
        out.clear();
        write(row, &mut out)?;
        if out.len() > TEXT_BYTES_MAX {
            let state = crate::sqlstate::SqlState::PROGRAM_LIMIT_EXCEEDED;
            return Err(PgError::new(state, "requested length too large"));
        }
        let text = std::str::from_utf8(&out).map_err(|error| PgError::internal(error.to_string()))?;
        match call.result.oid {
            VARCHAR | BPCHAR => builder.append_value(modifier::string(text, &call.result, explicit)?),
            NAME => builder.append_value(scalars::name(text)),
            CHAR => builder.append_value(scalars::char(text)),
            _ => builder.append_value(text),
        }
    }
    Ok(std::sync::Arc::new(builder.finish()))
}

pub(super) fn from_text(call: &Call) -> Result<ArrayRef> {
    let texts = call.column::<&str>(0)?;
    // The text of a `char(n)` has the blanks that are not stored.
    let length = call.types.first().filter(|ty| ty.oid == BPCHAR).and_then(|ty| length_of(ty.typmod));
    if let Some(length) = length {
        let padded = |text: &str| padded_to(text, length);
        let texts: Vec<Option<String>> = (0..call.rows()).map(|row| texts.get(row).map(padded)).collect();
        let texts: Vec<Text<'_>> = texts.iter().map(Option::as_deref).collect();
        return column::column(&call.result, &texts, call.session());
    }
    let texts: Vec<Text<'_>> = (0..call.rows()).map(|row| texts.get(row)).collect();
    column::column(&call.result, &texts, call.session())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use datafusion_expr::ColumnarValue;

    use super::*;
    use crate::expression_type::Type;
    use crate::session::SessionValues;
    use crate::types::*;
    use crate::{input, testing};

    fn convert(kernel: fn(&Call) -> Result<ArrayRef>, source: Type, text: &str, target: Type) -> Result<String> {
        let (source, scalar) = input::value(&source, text, &SessionValues::default())?;
        let call = Call::new(vec![source], target.clone(), &[ColumnarValue::Scalar(scalar)], 1, None)?;
        Ok(testing::text(&kernel(&call)?, &target, 0)?.unwrap())
    }

    #[test]
    fn values_become_their_text() {
        for (source, text, expected) in [
            (BOOL, "true", "t"),
            (FLOAT8, "1e100", "1e+100"),
            (NUMERIC, "1.5", "1.5"),
            (INT4_ARRAY, "{1,NULL}", "{1,NULL}"),
            (TIMETZ, "10:00+02", "10:00:00+02"),
            (BYTEA, "ab", "\\x6162"),
            (REGTYPE, "int4", "integer"),
        ] {
            assert_eq!(convert(to_text, Type::of(source), text, Type::of(TEXT)).unwrap(), expected);
        }
        assert_eq!(convert(to_text, Type::of(INT4), "12345", Type::of(CHAR)).unwrap(), "1");
        let error = convert(to_text, Type::of(INT4), "12345", Type::with_typmod(VARCHAR, 6)).unwrap_err();
        assert_eq!(error.message, "value too long for type character varying(2)");
    }

    #[test]
    fn texts_become_values() {
        for (target, text, expected) in [
            (Type::of(INT4), " 12 ", "12"),
            (Type::with_typmod(NUMERIC, (5 << 16 | 2) + 4), "2.555", "2.56"),
            (Type::of(NUMERIC), "2.555", "2.555"),
            (Type::of(INT4_ARRAY), "{1,NULL}", "{1,NULL}"),
            (Type::of(JSONB), "{\"a\":1}", "{\"a\": 1}"),
            (Type::with_typmod(TIMESTAMP, 0), "2020-01-01 00:00:00.6", "2020-01-01 00:00:01"),
        ] {
            assert_eq!(convert(from_text, Type::of(TEXT), text, target).unwrap(), expected);
        }
        let error = convert(from_text, Type::of(TEXT), "x", Type::of(INT4)).unwrap_err();
        assert_eq!(error.message, "invalid input syntax for type integer: \"x\"");
        let padded = Type::with_typmod(BPCHAR, 7);
        assert_eq!(convert(from_text, padded.clone(), "a", Type::of(BYTEA)).unwrap(), "\\x612020");
        assert_eq!(convert(from_text, padded.clone(), "1", Type::of(INT4)).unwrap(), "1");
        let error = convert(from_text, padded, "x", Type::of(INT4)).unwrap_err();
        assert_eq!(error.message, "invalid input syntax for type integer: \"x  \"");
        let error = convert(from_text, Type::of(TEXT), "1e-19", Type::of(NUMERIC)).unwrap_err();
        assert_eq!(error.message, "value \"1e-19\" is out of range for type numeric");
    }
}
