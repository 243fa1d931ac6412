//! Functions whose rows are the parts of a string.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringViewArray};
use datafusion_common::ScalarValue;

use super::regex::compiled;
use super::regex_functions::{Options, group_texts, split};
use crate::error::Result;
use crate::expression_type::Type;
use crate::function::{ResultBuilder, ResultValue, SetCall, SetFunction, SetRows};
use crate::types::*;

macro_rules! set {
    ($name:literal, $arguments:expr, $result:expr, $rows:expr) => {
        SetFunction {
            name: $name,
            arguments: $arguments,
            variadic: false,
            columns: |_| Ok(vec![($name.to_owned(), Type::of($result))]),
            rows: $rows,
        }
    };
}

pub(super) static SETS: &[SetFunction] = &[
    set!("regexp_matches", &[TEXT, TEXT], TEXT_ARRAY, regexp_matches),
    set!("regexp_matches", &[TEXT, TEXT, TEXT], TEXT_ARRAY, regexp_matches),
    set!("regexp_split_to_table", &[TEXT, TEXT], TEXT, regexp_split_to_table),
    set!("regexp_split_to_table", &[TEXT, TEXT, TEXT], TEXT, regexp_split_to_table),
    set!("string_to_table", &[TEXT, TEXT], TEXT, string_to_table),
    set!("string_to_table", &[TEXT, TEXT, TEXT], TEXT, string_to_table),
];

fn text(call: &SetCall, argument: usize) -> Option<&str> {
    call.arguments.get(argument).and_then(ScalarValue::try_as_str).flatten()
}

/// The letters of the third argument; none when there is no such argument, `None` for NULL.
fn letters(call: &SetCall) -> Option<&str> {
    if call.arguments.len() < 3 { Some("") } else { text(call, 2) }
}

fn one_chunk(column: ArrayRef) -> SetRows {
    Box::new(std::iter::once(Ok(vec![column])))
}

fn no_rows() -> SetRows {
    Box::new(std::iter::empty())
}

/// The first match, or with `g` all of them.
fn regexp_matches(call: SetCall) -> Result<SetRows> {
    let (Some(text), Some(pattern), Some(letters)) = (text(&call, 0), text(&call, 1), letters(&call)) else {
        return Ok(no_rows());
    };
    let options = Options::parse(letters)?;
    let pattern = compiled(pattern, options.flags)?;
    let most = if options.global { usize::MAX } else { 1 };
    let mut column = <Vec<Option<String>> as ResultValue>::Builder::new(&Type::of(TEXT_ARRAY), 0)?;
    for span in pattern.matches(text, 0).take(most) {
        let groups = match pattern.groups() {
            0 => vec![Some(span)],
            _ => pattern.captures_at(text, span.0).unwrap_or_default(),
        };
        group_texts(text, &groups).append(&mut column)?;
    }
    Ok(one_chunk(column.finish()?))
}

fn regexp_split_to_table(call: SetCall) -> Result<SetRows> {
    let (Some(text), Some(pattern), Some(letters)) = (text(&call, 0), text(&call, 1), letters(&call)) else {
        return Ok(no_rows());
    };
    let pattern = compiled(pattern, Options::not_global(letters, "regexp_split_to_table")?)?;
    let parts: StringViewArray = split(text, &pattern).into_iter().map(Some).collect();
    Ok(one_chunk(Arc::new(parts)))
}

/// The fields between separators: every character for itself when the separator is NULL, the whole when it is empty. A
/// field that is the third argument becomes NULL.
fn string_to_table(call: SetCall) -> Result<SetRows> {
    let Some(string) = text(&call, 0).filter(|string| !string.is_empty()) else { return Ok(no_rows()) };
    let null = text(&call, 2);
    let parts: Vec<&str> = match text(&call, 1) {
        None => string.split_inclusive(|_| true).collect(),
        Some("") => vec![string],
        Some(separator) => string.split(separator).collect(),
    };
    let parts: StringViewArray = parts.into_iter().map(|part| Some(part).filter(|_| Some(part) != null)).collect();
    Ok(one_chunk(Arc::new(parts)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::library::set_functions;
    use crate::session::SessionValues;
    use crate::testing;

    fn check(name: &str, arguments: &[Option<&str>], expected: &[&str]) {
        let function = set_functions(name).iter().find(|it| it.arguments.len() == arguments.len()).unwrap();
        let columns: Vec<_> = (function.columns)(&[]).unwrap().into_iter().map(|(_, ty)| ty).collect();
        let result = columns[0].clone();
        let arguments: Vec<_> = arguments.iter().map(|it| ScalarValue::Utf8View(it.map(str::to_owned))).collect();
        let types = vec![Type::of(TEXT); arguments.len()];
        let call = SetCall { arguments, types, columns, session: SessionValues::default().into() };
        let mut found = Vec::new();
        for chunk in (function.rows)(call).unwrap() {
            let column = chunk.unwrap().remove(0);
            for row in 0..column.len() {
                found.push(testing::text(&column, &result, row).unwrap().unwrap_or_else(|| "NULL".to_owned()));
            }
        }
        assert_eq!(found, expected, "{name}");
    }

    #[test]
    fn rows_are_the_parts() {
        check("regexp_matches", &[Some("foobarbequebaz"), Some("ba.")], &["{bar}"]);
        check("regexp_matches", &[Some("abc"), Some("(b)|(c)"), Some("g")], &["{b,NULL}", "{NULL,c}"]);
        check("regexp_matches", &[Some("ab"), Some("x*"), Some("g")], &["{\"\"}", "{\"\"}", "{\"\"}"]);
        check("regexp_matches", &[None, Some("x*")], &[]);
        check("regexp_split_to_table", &[Some("a b  c"), Some("\\s")], &["a", "b", "", "c"]);
        check("string_to_table", &[Some("a,b,,c"), Some(",")], &["a", "b", "", "c"]);
        check("string_to_table", &[Some("abc"), None], &["a", "b", "c"]);
        check("string_to_table", &[Some("a,b"), Some(","), Some("a")], &["NULL", "b"]);
        check("string_to_table", &[Some(""), Some(",")], &[]);
    }
}
