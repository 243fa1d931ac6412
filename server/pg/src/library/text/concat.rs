//! Strings put together: `||`, `concat`, `concat_ws`.

use arrow::array::{Array, ArrayRef};
use bytes::BytesMut;

use super::{by_row, check_length};
use crate::error::{PgError, Result};
use crate::expression_type::Type;
use crate::function::{Call, Function, function};
use crate::output;
use crate::types::*;

pub(super) static OPERATORS: &[Function] = &[
    function("||", &[TEXT, TEXT], TEXT, |call| call.map2(joined)),
    function("||", &[ANYNONARRAY, TEXT], TEXT, |call| cast_and_join(call, 0)).stable(),
    function("||", &[TEXT, ANYNONARRAY], TEXT, |call| cast_and_join(call, 1)).stable(),
    function("||", &[BYTEA, BYTEA], BYTEA, |call| call.map2(bytes_joined)),
];

pub(super) static FUNCTIONS: &[Function] = &[
    function("concat", &[ANY], TEXT, concat).variadic().stable(),
    function("concat_ws", &[TEXT, ANY], TEXT, concat_with_separator).variadic().stable(),
];

fn joined(left: &str, right: &str) -> Result<String> {
    check_length(left.len().saturating_add(right.len()))?;
    Ok([left, right].concat())
}

fn bytes_joined(left: &[u8], right: &[u8]) -> Result<Vec<u8>> {
    check_length(left.len().saturating_add(right.len()))?;
    Ok([left, right].concat())
}

/// A column as text, row by row.
pub(super) struct Texts<'a> {
    array: &'a ArrayRef,
    writer: Option<output::TextWriter<'a>>,
    constant: bool,
    booleans_in_full: bool,
    buffer: BytesMut,
}

impl<'a> Texts<'a> {
    /// The values as their type's output function prints them.
    pub(super) fn printed(call: &'a Call, argument: usize) -> Result<Self> {
        let ty = call.types.get(argument).cloned().unwrap_or_else(|| Type::of(TEXT));
        let array = call.compact_array(argument);
        let writer = match array.data_type() {
            arrow::datatypes::DataType::Null => None,
            _ => Some(output::text_writer_in(array, ty.oid, ty.typmod, call.session())?),
        };
        let constant = call.is_constant(argument);
        Ok(Texts { array, writer, constant, booleans_in_full: false, buffer: BytesMut::new() })
    }

    /// The values as a cast to `text` gives them, which differs from what is printed for `boolean` alone.
    pub(super) fn cast(call: &'a Call, argument: usize) -> Result<Self> {
        let boolean = call.types.get(argument).is_some_and(|ty| ty.oid == BOOL);
        Ok(Texts { booleans_in_full: boolean, ..Texts::printed(call, argument)? })
    }

    /// The value in a row, `None` for NULL.
    pub(super) fn get(&mut self, row: usize) -> Result<Option<&str>> {
        let row = if self.constant { 0 } else { row };
        let Some(writer) = &mut self.writer else { return Ok(None) };
        if self.array.is_null(row) {
            return Ok(None);
        }
        self.buffer.clear();
        writer(row, &mut self.buffer)?;
        let text = std::str::from_utf8(&self.buffer).map_err(|_| PgError::internal("a value's text is not UTF-8"))?;
        Ok(Some(match text {
            "t" if self.booleans_in_full => "true",
            "f" if self.booleans_in_full => "false",
            text => text,
        }))
    }
}

/// `||` with one side that is cast to text.
fn cast_and_join(call: &Call, cast: usize) -> Result<ArrayRef> {
    let mut texts = Texts::cast(call, cast)?;
    let other = call.column::<&str>(1 - cast)?;
    by_row(call, |row| match (texts.get(row)?, other.get(row)) {
        (Some(text), Some(other)) if cast == 0 => joined(text, other).map(Some),
        (Some(text), Some(other)) => joined(other, text).map(Some),
        _ => Ok(None),
    })
}

/// All arguments that are not NULL.
fn concat(call: &Call) -> Result<ArrayRef> {
    let columns: Result<Vec<_>> = (0..call.width()).map(|argument| Texts::printed(call, argument)).collect();
    let mut columns = columns?;
    by_row(call, |row| join_present(&mut columns, "", row))
}

/// All arguments that are not NULL, with the separator between them; NULL when that is.
fn concat_with_separator(call: &Call) -> Result<ArrayRef> {
    let separators = call.column::<&str>(0)?;
    let columns: Result<Vec<_>> = (1..call.width()).map(|argument| Texts::printed(call, argument)).collect();
    let mut columns = columns?;
    by_row(call, |row| separators.get(row).map(|separator| join_present(&mut columns, separator, row)).transpose())
}

fn join_present(columns: &mut [Texts<'_>], separator: &str, row: usize) -> Result<String> {
    let mut result = String::new();
    let mut between = "";
    for column in columns {
        if let Some(text) = column.get(row)? {
            check_length(result.len().saturating_add(separator.len()).saturating_add(text.len()))?;
            result.push_str(between);
            result.push_str(text);
            between = separator;
        }
    }
    Ok(result)
}

#[cfg(test)]
mod tests {
    use crate::testing::{Value, call, operator};
    use crate::types::*;

    fn check(name: &str, arguments: &[Value<'_>], expected: Option<&str>) {
        let found = if name == "||" { operator(name, arguments) } else { call(name, arguments) };
        assert_eq!(found, Ok(expected.map(str::to_owned)), "{name} {arguments:?}");
    }

    #[test]
    fn values_become_text_as_a_cast_or_as_printed() {
        check("||", &[(TEXT, Some("a")), (TEXT, Some("b"))], Some("ab"));
        check("||", &[(TEXT, Some("a")), (BOOL, Some("t"))], Some("atrue"));
        check("||", &[(INT4, Some("1")), (TEXT, Some("b"))], Some("1b"));
        check("||", &[(TEXT, Some("a")), (INT4, None)], None);
        check("||", &[(BYTEA, Some("\\x01")), (BYTEA, Some("\\x02"))], Some("\\x0102"));
        check("concat", &[(TEXT, Some("a")), (BOOL, Some("t")), (INT4, None), (INT8, Some("7"))], Some("at7"));
        check("concat", &[(TEXT, None)], Some(""));
        check("concat_ws", &[(TEXT, Some(",")), (TEXT, Some("a")), (INT4, None), (INT4, Some("2"))], Some("a,2"));
        check("concat_ws", &[(TEXT, None), (TEXT, Some("a"))], None);
    }
}
