//! The operators and functions that take a `jsonpath`.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, StringViewArray};
use datafusion_common::ScalarValue;

use super::evaluate::Evaluation;
use super::item::{Failure, Item};
use super::parser::parse;
use super::tree::JsonPath;
use crate::datetime::zone::Zone;
use crate::error::{PgError, Result};
use crate::function::{Call, Function, SetCall, SetFunction, SetRows, function};
use crate::library::json::sets::{chunks, single, text_argument};
use crate::library::json::value::Json;
use crate::sqlstate::SqlState;
use crate::types::*;

/// The entries of a function with its optional arguments: the variables, and whether errors are silent.
macro_rules! with_options {
    ($name:literal, $result:ident, $kernel:expr $(, $volatility:ident)?) => {
        [
            function($name, &[JSONB, JSONPATH], $result, $kernel)$(.$volatility())?,
            function($name, &[JSONB, JSONPATH, JSONB], $result, $kernel)$(.$volatility())?,
            function($name, &[JSONB, JSONPATH, JSONB, BOOL], $result, $kernel)$(.$volatility())?,
        ]
    };
}

pub(in crate::library::json) static OPERATORS: &[Function] = &[
    function("@?", &[JSONB, JSONPATH], BOOL, |call| booleans(call, Mode::OPERATOR, exists)),
    // Text search, which is not here, and which PostgreSQL takes for what two constants ask for.
    function("@@", &[TEXT, TEXT], BOOL, |_| Err(PgError::not_supported("full text search"))),
    function("@@", &[JSONB, JSONPATH], BOOL, |call| booleans(call, Mode::OPERATOR, matches)),
];

pub(in crate::library::json) static OPERATORS_BY_NAME: &[Function] = &[
    function("jsonb_path_exists_opr", &[JSONB, JSONPATH], BOOL, |call| booleans(call, Mode::OPERATOR, exists)),
    function("jsonb_path_match_opr", &[JSONB, JSONPATH], BOOL, |call| booleans(call, Mode::OPERATOR, matches)),
];
pub(in crate::library::json) static EXISTS: &[Function] =
    &with_options!("jsonb_path_exists", BOOL, |call| booleans(call, Mode::PLAIN, exists));
pub(in crate::library::json) static EXISTS_TZ: &[Function] =
    &with_options!("jsonb_path_exists_tz", BOOL, |call| booleans(call, Mode::ZONED, exists), stable);
pub(in crate::library::json) static MATCH: &[Function] =
    &with_options!("jsonb_path_match", BOOL, |call| booleans(call, Mode::PLAIN, matches));
pub(in crate::library::json) static MATCH_TZ: &[Function] =
    &with_options!("jsonb_path_match_tz", BOOL, |call| booleans(call, Mode::ZONED, matches), stable);
pub(in crate::library::json) static ARRAY: &[Function] =
    &with_options!("jsonb_path_query_array", JSONB, |call| texts(call, Mode::PLAIN, array));
pub(in crate::library::json) static ARRAY_TZ: &[Function] =
    &with_options!("jsonb_path_query_array_tz", JSONB, |call| texts(call, Mode::ZONED, array), stable);
pub(in crate::library::json) static FIRST: &[Function] =
    &with_options!("jsonb_path_query_first", JSONB, |call| texts(call, Mode::PLAIN, first));
pub(in crate::library::json) static FIRST_TZ: &[Function] =
    &with_options!("jsonb_path_query_first_tz", JSONB, |call| texts(call, Mode::ZONED, first), stable);

macro_rules! query_sets {
    ($($name:literal, $mode:expr, [$($argument:ident),*];)*) => {
        &[$(SetFunction {
            name: $name,
            arguments: &[$($argument),*],
            variadic: false,
            columns: |_| Ok(single($name, JSONB)),
            rows: |call| query(&call, $mode),
        }),*]
    };
}

pub(in crate::library::json) static SETS: &[SetFunction] = query_sets! {
    "jsonb_path_query", Mode::PLAIN, [JSONB, JSONPATH];
    "jsonb_path_query", Mode::PLAIN, [JSONB, JSONPATH, JSONB];
    "jsonb_path_query", Mode::PLAIN, [JSONB, JSONPATH, JSONB, BOOL];
    "jsonb_path_query_tz", Mode::ZONED, [JSONB, JSONPATH];
    "jsonb_path_query_tz", Mode::ZONED, [JSONB, JSONPATH, JSONB];
    "jsonb_path_query_tz", Mode::ZONED, [JSONB, JSONPATH, JSONB, BOOL];
};

/// How a call differs from others of the same function.
#[derive(Clone, Copy)]
struct Mode {
    /// Whether errors are silent when the call does not say.
    silent: bool,
    /// Whether times with a zone may be compared with times without.
    zoned: bool,
}

impl Mode {
    const PLAIN: Mode = Mode { silent: false, zoned: false };
    const OPERATOR: Mode = Mode { silent: true, zoned: false };
    const ZONED: Mode = Mode { silent: false, zoned: true };
}

/// One row's arguments.
struct Arguments<'a> {
    json: &'a str,
    path: &'a JsonPath,
    variables: &'a str,
    silent: bool,
    zone: Option<&'a Zone>,
}

impl Arguments<'_> {
    /// Evaluates the path; an error of which a silent call says nothing gives nothing.
    fn evaluate<T>(
        &self,
        f: impl for<'e> FnOnce(&mut Evaluation<'e>, &'e JsonPath) -> Result<T, Failure>,
    ) -> Result<Option<T>> {
        let (json, variables) = (Json::parse(self.json)?, Json::parse(self.variables)?);
        let mut evaluation = Evaluation::new(self.path.strict, &json, &variables, self.zone.cloned())?;
        match f(&mut evaluation, self.path) {
            Ok(value) => Ok(Some(value)),
            Err(Failure::Quiet(_)) if self.silent => Ok(None),
            Err(failure) => Err(failure.into()),
        }
    }

    /// The items as values. What was found before an error counts in a silent call.
    fn items<T>(&self, f: impl for<'e> FnOnce(Vec<Item<'e>>) -> T) -> Result<T> {
        let (json, variables) = (Json::parse(self.json)?, Json::parse(self.variables)?);
        let mut evaluation = Evaluation::new(self.path.strict, &json, &variables, self.zone.cloned())?;
        let mut found = Vec::new();
        match evaluation.query(&self.path.root, &mut found) {
            Err(Failure::Quiet(_)) if self.silent => {}
            other => other?,
        }
        Ok(f(found))
    }
}

fn exists(arguments: &Arguments<'_>) -> Result<Option<bool>> {
    arguments.evaluate(|evaluation, path| evaluation.exists(&path.root))
}

fn array(arguments: &Arguments<'_>) -> Result<Option<String>> {
    arguments.items(|items| Json::Array(items.into_iter().map(Item::into_json).collect()).result().map(Some))?
}

fn first(arguments: &Arguments<'_>) -> Result<Option<String>> {
    arguments.items(|items| items.into_iter().next().map(|item| item.into_json().text()))
}

fn matches(arguments: &Arguments<'_>) -> Result<Option<bool>> {
    let single = arguments.items(|items| match items.as_slice() {
        [item] => match item.json() {
            Some(Json::Bool(value)) => Some(Some(*value)),
            Some(Json::Null) => Some(None),
            _ => None,
        },
        _ => None,
    })?;
    match single {
        Some(answer) => Ok(answer),
        None if arguments.silent => Ok(None),
        None => {
            let message = "single boolean result is expected";
            Err(PgError::new(SqlState::SINGLETON_SQL_JSON_ITEM_REQUIRED, message))
        }
    }
}

/// Calls a function for each row. The same path as in the row before is not read again.
fn for_rows<T>(call: &Call, mode: Mode, f: fn(&Arguments<'_>) -> Result<Option<T>>) -> Result<Vec<Option<T>>> {
    let zone = mode.zoned.then_some(&call.session().time_zone);
    let (jsons, paths) = (call.column::<&str>(0)?, call.column::<&str>(1)?);
    let variables = if call.width() > 2 { Some(call.column::<&str>(2)?) } else { None };
    let silent = if call.width() > 3 { Some(call.column::<bool>(3)?) } else { None };
    let mut last: Option<(&str, JsonPath)> = None;
    let mut results = Vec::with_capacity(call.rows());
    for row in 0..call.rows() {
        let variables = variables.as_ref().map_or(Some("{}"), |it| it.get(row));
        let silent = silent.as_ref().map_or(Some(mode.silent), |it| it.get(row));
        let values = (jsons.get(row), paths.get(row), variables, silent);
        let (Some(json), Some(path), Some(variables), Some(silent)) = values else {
            results.push(None);
            continue;
        };
        let read = match last.take() {
            Some((text, read)) if text == path => read,
            _ => parse(path)?,
        };
        results.push(f(&Arguments { json, path: &read, variables, silent, zone })?);
        last = Some((path, read));
    }
    Ok(results)
}

fn booleans(call: &Call, mode: Mode, f: fn(&Arguments<'_>) -> Result<Option<bool>>) -> Result<ArrayRef> {
    Ok(Arc::new(BooleanArray::from(for_rows(call, mode, f)?)))
}

fn texts(call: &Call, mode: Mode, f: fn(&Arguments<'_>) -> Result<Option<String>>) -> Result<ArrayRef> {
    Ok(Arc::new(for_rows(call, mode, f)?.into_iter().collect::<StringViewArray>()))
}

fn query(call: &SetCall, mode: Mode) -> Result<SetRows> {
    let silent = match call.arguments.get(3) {
        Some(ScalarValue::Boolean(silent)) => *silent,
        _ => Some(mode.silent),
    };
    let variables = if call.arguments.len() > 2 { text_argument(call, 2) } else { Some("{}".to_owned()) };
    let values = (text_argument(call, 0), text_argument(call, 1), variables, silent);
    let (Some(json), Some(path), Some(variables), Some(silent)) = values else {
        return Ok(chunks(1, std::iter::empty()));
    };
    let zone = mode.zoned.then_some(&call.session.time_zone);
    let arguments = Arguments { json: &json, path: &parse(&path)?, variables: &variables, silent, zone };
    let rows: Vec<_> =
        arguments.items(|items| items.into_iter().map(|item| Ok(vec![Some(item.into_json().text())])).collect())?;
    Ok(chunks(1, rows.into_iter()))
}
