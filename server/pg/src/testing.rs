//! Calls of the library's entries with values as text, for tests.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use bytes::BytesMut;
use datafusion_common::ScalarValue;
use datafusion_expr::ColumnarValue;

use crate::error::{PgError, Result};
use crate::expression_type::Type;
use crate::function::{ArgumentShape, Call, Function, Method};
use crate::{input, library, output};

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
                expected == *oid || crate::types::type_name(expected).contains("any")
            })
    };
    entries.iter().find(fits).copied().ok_or_else(|| PgError::internal(format!("there is no such {name}")))
}

fn run(function: &'static Function, arguments: &[Value<'_>]) -> Result<Option<String>> {
    let values = scalars(arguments)?;
    let shapes: Vec<_> = values.iter().map(|(ty, value)| ArgumentShape { ty, constant: Some(value) }).collect();
    let result = match function.shape {
        Some(shape) => shape(&shapes)?,
        None => Type::of(function.result),
    };
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
        Some(text) => input::value(&Type::of(oid), text, &session),
        None => {
            let ty = Type::of(oid);
            let null = ScalarValue::try_from(&ty.arrow)?;
            Ok((ty, null))
        }
    }
}

/// A row of a column as text.
pub fn text(array: &ArrayRef, ty: &Type, row: usize) -> Result<Option<String>> {
    if array.logical_nulls().is_some_and(|nulls| nulls.is_null(row)) {
        return Ok(None);
    }
    let array: Arc<dyn Array> = array.clone();
    let mut out = BytesMut::new();
    output::text_writer(&array, ty.oid, ty.typmod)?(row, &mut out)?;
    Ok(Some(String::from_utf8_lossy(&out).into_owned()))
}
