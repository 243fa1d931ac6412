//! Calls of the library's entries with values as text, for tests.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ListArray};
use bytes::BytesMut;
use datafusion_common::ScalarValue;
use datafusion_expr::ColumnarValue;

use crate::error::{PgError, Result};
use crate::expression_type::Type;
use crate::function::{ArgumentShape, Call, Function, Method};
use crate::{input, library, output, types};

/// A value in its type's text format, of the type with this number; `None` is NULL.
pub type Value<'a> = (u32, Option<&'a str>);

/// What a function of exactly these argument types answers, as text.
pub fn call(name: &str, arguments: &[Value<'_>]) -> Result<Option<String>> {
    run(pick(library::functions(name), name, arguments)?, arguments)
}

/// What an operator of exactly these operand types answers, as text.
pub fn operator(symbol: &str, operands: &[Value<'_>]) -> Result<Option<String>> {
    run(pick(library::operators(symbol), symbol, operands)?, operands)
}

/// What the cast to a type with a modifier answers, as text.
pub fn cast(value: Value<'_>, target: u32, typmod: i32) -> Result<Option<String>> {
    let found = library::cast(value.0, target).ok_or_else(|| PgError::internal("there is no such cast"))?;
    run_as(&found.function, &[value], Type::with_typmod(target, typmod))
}

fn pick(entries: &[&'static Function], name: &str, arguments: &[Value<'_>]) -> Result<&'static Function> {
    let fits = |entry: &&&'static Function| {
        let declared = entry.arguments;
        let arity = declared.len() == arguments.len() || entry.variadic && arguments.len() >= declared.len();
        arity
            && arguments.iter().enumerate().all(|(position, (oid, _))| {
                let expected = declared[position.min(declared.len() - 1)];
                let is_array = types::element_type(*oid).is_some() || !types::type_name(expected).ends_with("array");
                let is_single = types::element_type(*oid).is_none() || !types::type_name(expected).contains("nonarray");
                let is_any = types::type_name(expected).contains("any") && (is_array || expected == types::ANYNONARRAY);
                expected == *oid || is_any && is_single
            })
    };
    // As resolution does, an entry of exactly these types comes before one of any.
    let exact = |entry: &&&'static Function| entry.arguments.iter().eq(arguments.iter().map(|(oid, _)| oid));
    let found = entries.iter().find(exact).or_else(|| entries.iter().find(fits));
    found.copied().ok_or_else(|| PgError::internal(format!("there is no such {name}")))
}

/// The type of what a function or operator of exactly these argument types answers.
pub fn result_type(name: &str, arguments: &[Value<'_>]) -> Result<Type> {
    let entries = [library::functions(name), library::operators(name)].concat();
    result(pick(&entries, name, arguments)?, &scalars(arguments)?)
}

fn result(function: &Function, values: &[(Type, ScalarValue)]) -> Result<Type> {
    let shapes: Vec<_> = values.iter().map(|(ty, value)| ArgumentShape { ty, constant: Some(value) }).collect();
    match function.shape {
        Some(shape) => shape(&shapes),
        None => Ok(Type::of(function.result)),
    }
}

fn run(function: &'static Function, arguments: &[Value<'_>]) -> Result<Option<String>> {
    let result = result(function, &scalars(arguments)?)?;
    run_as(function, arguments, result)
}

fn run_as(function: &'static Function, arguments: &[Value<'_>], result: Type) -> Result<Option<String>> {
    let values = scalars(arguments)?;
    let types = values.iter().map(|(ty, _)| ty.clone()).collect();
    // Once as constants, once as columns of three rows: both must give the same.
    let constants: Vec<_> = values.iter().map(|(_, value)| ColumnarValue::Scalar(value.clone())).collect();
    let call = Call::new(types, result.clone(), &constants, 1, None)?;
    let Method::Kernel(kernel) = function.method else { return Err(PgError::internal("there is no kernel")) };
    let answer = kernel(&call)?;
    assert_eq!(answer.data_type(), &result.arrow, "{}", function.name);
    let columns: Result<Vec<_>> =
        values.iter().map(|(_, value)| Ok(ColumnarValue::Array(value.to_array_of_size(3)?))).collect();
    let types = values.iter().map(|(ty, _)| ty.clone()).collect();
    let column = kernel(&Call::new(types, result.clone(), &columns?, 3, None)?)?;
    assert_eq!(column.len(), 3, "{}", function.name);
    let text = text(&answer, &result, 0)?;
    if function.volatility == datafusion_expr::Volatility::Immutable {
        assert_eq!(self::text(&column, &result, 2)?, text, "{}", function.name);
    }
    Ok(text)
}

fn scalars(arguments: &[Value<'_>]) -> Result<Vec<(Type, ScalarValue)>> {
    arguments.iter().map(|(oid, text)| scalar(*oid, *text)).collect()
}

fn scalar(oid: u32, text: Option<&str>) -> Result<(Type, ScalarValue)> {
    let session = crate::SessionValues::default();
    match text {
        Some(text) if types::element_type(oid).is_some() => array(oid, text),
        Some(text) => input::value(&Type::of(oid), text, &session),
        None => {
            let ty = Type::of(oid);
            let null = ScalarValue::try_from(&ty.arrow)?;
            Ok((ty, null))
        }
    }
}

/// An array from its text, in which nothing is quoted. Its type has as many dimensions as the text.
pub fn array(oid: u32, text: &str) -> Result<(Type, ScalarValue)> {
    let element = types::element_type(oid).ok_or_else(|| PgError::internal("there are only arrays here"))?;
    let depth = text.chars().take_while(|c| *c == '{').count();
    let leaves: Vec<&str> = text.split(['{', '}', ',']).filter(|leaf| !leaf.is_empty()).collect();
    let mut ty = Type::of(element);
    for leaf in leaves.iter().filter(|leaf| **leaf != "NULL") {
        let (own, _) = scalar(element, Some(leaf))?;
        if own.digits().map(|it| it.1) > ty.digits().map(|it| it.1) || ty == Type::of(types::NUMERIC) {
            ty = own;
        }
    }
    if let Some((_, scale)) = ty.digits().filter(|_| element == types::NUMERIC) {
        ty = Type::numeric(38, scale);
    }
    let mut parts = vec![arrow::array::new_empty_array(&ty.arrow)];
    for leaf in leaves {
        let (_, value) = scalar(element, Some(leaf).filter(|leaf| *leaf != "NULL"))?;
        parts.push(arrow::compute::cast(&value.to_array()?, &ty.arrow)?);
    }
    let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
    let mut values = arrow::compute::concat(&parts)?;
    for level in (1..=depth).rev() {
        values = Arc::new(nested(&values, text, level)?);
        ty = Type { oid, typmod: -1, arrow: values.data_type().clone() };
    }
    Ok((ty, ScalarValue::try_from_array(&values, 0)?))
}

/// The arrays of one level of nesting, whose elements are these.
fn nested(values: &ArrayRef, text: &str, level: usize) -> Result<ListArray> {
    let (mut depth, mut lengths, mut empty) = (0, Vec::new(), true);
    for c in text.chars() {
        match c {
            '{' => {
                depth += 1;
                if depth == level {
                    lengths.push(0);
                    empty = true;
                }
            }
            '}' => {
                if depth == level && !empty {
                    *lengths.last_mut().ok_or_else(|| PgError::internal("unbalanced"))? += 1;
                }
                depth -= 1;
                empty = false;
            }
            ',' if depth == level => {
                *lengths.last_mut().ok_or_else(|| PgError::internal("unbalanced"))? += 1;
            }
            _ => empty = false,
        }
    }
    let field = Arc::new(arrow::datatypes::Field::new("item", values.data_type().clone(), true));
    let offsets = arrow::buffer::OffsetBuffer::from_lengths(lengths);
    Ok(ListArray::try_new(field, offsets, values.clone(), None)?)
}

/// A row of a column as text.
pub fn text(array: &ArrayRef, ty: &Type, row: usize) -> Result<Option<String>> {
    if array.logical_nulls().is_some_and(|nulls| nulls.is_null(row)) {
        return Ok(None);
    }
    let array: Arc<dyn Array> = array.clone();
    let mut out = BytesMut::new();
    output::text_writer(&array, ty.oid, ty.typmod)?(row, &mut out)?;
    let text = String::from_utf8_lossy(&out).into_owned();
    Ok(Some(if ty.oid == crate::types::NUMERIC && ty.typmod < 0 { without_zeros(text) } else { text }))
}

/// A number without the zeros at its end: how many there are, its type decides.
pub fn without_zeros(text: String) -> String {
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}
