//! Functions that return records of no certain type, whose columns the query defines: `json_to_record(…) AS x(a integer)`.

use arrow::array::{Array, ListArray, StringViewArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field};
use datafusion::common::ScalarValue;
use pg::error::PgError;
use pg::sqlstate::SqlState;
use pg::types::*;
use pg::{Type, library};
use sqlparser::ast::{self, TableAlias};
use std::sync::Arc;

use super::Called;
use crate::analyze::call::signature;
use crate::analyze::resolve::accepts;
use crate::analyze::type_name::type_of;
use crate::analyze::typed::Typed;
use crate::analyze::{Analyzer, folded};
use crate::error::Result;

/// The functions.
const OF_RECORDS: &[&str] =
    &["json_to_record", "jsonb_to_record", "json_to_recordset", "jsonb_to_recordset", "pg_get_late_binding_view_cols"];

/// Whether a function returns records whose columns the query must define.
pub(in crate::analyze) fn returns_records(name: &str) -> bool {
    OF_RECORDS.contains(&name)
}

impl Analyzer<'_> {
    /// The columns that the alias of a function defines.
    pub(super) fn column_definitions(
        &self,
        alias: Option<&TableAlias>,
        place: &ast::ObjectName,
    ) -> Result<Vec<(String, Type)>> {
        let columns = alias.map_or(&[][..], |alias| alias.columns.as_slice());
        let mut defined: Vec<(String, Type)> = Vec::with_capacity(columns.len());
        for column in columns {
            let Some(data_type) = &column.data_type else { continue };
            let name = folded(&column.name);
            if defined.iter().any(|(known, _)| *known == name) {
                let message = format!("column name \"{name}\" specified more than once");
                return Err(self.at(PgError::new(SqlState::DUPLICATE_COLUMN, message), &column.name));
            }
            let ty = type_of(data_type).map_err(|error| self.at(error, &column.name))?;
            defined.push((name, ty));
        }
        if defined.is_empty() || defined.len() < columns.len() {
            let message = "a column definition list is required for functions returning \"record\"";
            return Err(self.at(PgError::new(SqlState::SYNTAX_ERROR, message), place));
        }
        Ok(defined)
    }

    /// A call of such a function.
    pub(super) fn record_call(
        &mut self,
        name: &str,
        values: Vec<Typed>,
        columns: Vec<(String, Type)>,
        place: &ast::ObjectName,
    ) -> Result<Called> {
        let function = library::set_functions(name).first().copied();
        let function = function.ok_or_else(|| PgError::internal(format!("there is no {name}")))?;
        // The last argument is the names of the columns, which we give.
        let expected = function.arguments.split_last().map_or(&[][..], |(_, written)| written);
        let actual: Vec<_> = values.iter().map(|value| value.ty.oid).collect();
        if !accepts(expected, &actual) {
            let types: Vec<_> = values.iter().map(|value| &value.ty).collect();
            let message = format!("function {} does not exist", signature(name, &types));
            let error = PgError::new(SqlState::UNDEFINED_FUNCTION, message).with_hint(
                "No function matches the given name and argument types. You might need to add explicit type casts.",
            );
            return Err(self.at(error, place));
        }
        let (mut arguments, _) = self.cast_arguments(expected, values).map_err(|error| self.at(error, place))?;
        arguments.push(names(&columns)?);
        Ok(Called { function, arguments, columns })
    }
}

/// The names of the columns as an array.
fn names(columns: &[(String, Type)]) -> Result<Typed> {
    let texts: StringViewArray = columns.iter().map(|(name, _)| Some(name.as_str())).collect();
    let ty = Type::of(TEXT_ARRAY);
    let field = match &ty.arrow {
        DataType::List(field) => field.clone(),
        _ => Arc::new(Field::new("item", DataType::Utf8View, true)),
    };
    let offsets = OffsetBuffer::from_lengths([texts.len()]);
    let list = ListArray::try_new(field, offsets, Arc::new(texts), None).map_err(PgError::from)?;
    Ok(Typed::constant(ScalarValue::List(Arc::new(list)), ty))
}
