//! Rows with the columns of a column definition list: `json_to_record(…) AS x(a integer, b text)`.
//!
//! Analysis calls these functions with the names of the columns as a second argument and gives them the columns' types.

use datafusion_common::ScalarValue;

use super::lexer::kind;
use super::populate::{columns_of, elements, members, value};
use super::sets::text_argument;
use crate::error::{PgError, Result};
use crate::function::{ArgumentShape, SetCall, SetColumns, SetFunction, SetRows};
use crate::sqlstate::SqlState;
use crate::types::*;

/// Rows that are made at a time.
const CHUNK_ROWS: usize = 1024;

macro_rules! records {
    ($($name:literal($argument:ident): $rows:ident;)*) => {
        &[$(SetFunction {
            name: $name,
            arguments: &[$argument, TEXT_ARRAY],
            variadic: false,
            columns: no_definitions,
            rows: |call| $rows(call, $name),
        }),*]
    };
}

pub(super) static RECORDS: &[SetFunction] = records! {
    "json_to_record"(JSON): record;
    "jsonb_to_record"(JSONB): record;
    "json_to_recordset"(JSON): records;
    "jsonb_to_recordset"(JSONB): records;
};

fn no_definitions(_arguments: &[ArgumentShape<'_>]) -> Result<SetColumns> {
    let message = "a column definition list is required for functions returning \"record\"";
    Err(PgError::new(SqlState::SYNTAX_ERROR, message))
}

fn record(call: SetCall, _name: &'static str) -> Result<SetRows> {
    let _names = call.session.enter();
    let reader = Reader::new(&call)?;
    let row = match text_argument(&call, 0) {
        None => reader.row(None)?,
        Some(json) => match kind(&json)? {
            "object" => reader.row(Some(&json))?,
            other => {
                let what = if other == "array" { "an array" } else { "a scalar" };
                return Err(PgError::invalid_parameter(format!("cannot call populate_composite on {what}")));
            }
        },
    };
    Ok(Box::new(std::iter::once(columns_of(&[row]))))
}

fn records(call: SetCall, name: &'static str) -> Result<SetRows> {
    let _names = call.session.enter();
    let reader = Reader::new(&call)?;
    let Some(json) = text_argument(&call, 0) else { return Ok(Box::new(std::iter::empty())) };
    let rows = elements(&json, name)?.into_iter().map(|element| reader.row(Some(element)));
    let rows = rows.collect::<Result<Vec<_>>>()?;
    let chunks: Vec<_> = rows.chunks(CHUNK_ROWS).map(columns_of).collect();
    Ok(Box::new(chunks.into_iter()))
}

/// Reads objects as rows.
struct Reader<'a> {
    call: &'a SetCall,
    names: Vec<String>,
}

impl<'a> Reader<'a> {
    fn new(call: &'a SetCall) -> Result<Self> {
        let Some(ScalarValue::List(list)) = call.arguments.get(1) else {
            return Err(PgError::internal("a record has names for its columns"));
        };
        let names = list.value(0);
        let mut texts = Vec::with_capacity(names.len());
        for place in 0..names.len() {
            let name = ScalarValue::try_from_array(&names, place)?;
            texts.push(name.try_as_str().flatten().unwrap_or_default().to_owned());
        }
        Ok(Reader { call, names: texts })
    }

    /// The values of an object's members.
    fn row(&self, object: Option<&str>) -> Result<Vec<ScalarValue>> {
        let names: Vec<_> = self.names.iter().map(String::as_str).collect();
        let members = match object {
            Some(object) => members(object, &names)?,
            None => vec![None; names.len()],
        };
        let columns = members.into_iter().zip(names).zip(&self.call.columns);
        columns.map(|((member, name), ty)| value(member, name, ty, &self.call.session)).collect()
    }
}
