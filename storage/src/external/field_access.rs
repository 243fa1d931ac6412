//! A field of a struct column, read from a file without the rest of the struct.
//!
//! The engine reads only those leaves of a Parquet file that the expressions about it name. So `get_field` of a declared
//! column becomes `get_field` of the file's, with the file's names, and its outcome is read as the field's type.

use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef};
use catalog::SqlType;
use datafusion::common::Result;
use datafusion::functions::core::getfield::GetFieldFunc;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::ScalarFunctionExpr;
use datafusion::physical_expr::expressions::{Column, Literal, lit};
use datafusion::scalar::ScalarValue;

use super::by_name::FileColumns;
use super::coerced_column::{CoercedColumn, Target};
use super::coercion::Coercion;
use super::nested::{self, Unreadable};

/// A field, in the file and as it was declared.
struct Field<'a> {
    /// The names on the way to it, in the file.
    names: Vec<String>,
    file: DataType,
    declared: &'a SqlType,
}

/// What the path to a field leads to.
enum Found<'a> {
    Field(Field<'a>),
    /// The file has no such field.
    Missing(&'a SqlType),
    /// The field cannot be read apart from its struct.
    Inseparable,
}

impl FileColumns {
    /// What a `get_field` of a declared column is in the file; none if it is something else, or must be evaluated on the
    /// whole struct.
    pub(super) fn field(&self, expr: &Arc<dyn PhysicalExpr>) -> Result<Option<Arc<dyn PhysicalExpr>>> {
        let Some(call) = ScalarFunctionExpr::try_downcast_func::<GetFieldFunc>(expr.as_ref()) else {
            return Ok(None);
        };
        let Some((column, path)) = path_of(call) else { return Ok(None) };
        let declared = self.declared(column)?;
        let Some(index) = self.index(&declared.name)? else { return Ok(None) };
        let in_file = &self.file.fields()[index];
        let unreadable = |error| self.unreadable(&declared.name, error);
        let field = match find(in_file, &declared.sql_type, &path).map_err(unreadable)? {
            Found::Inseparable => return Ok(None),
            Found::Missing(declared) => return Ok(Some(lit(ScalarValue::try_from(&declared.in_flight())?))),
            Found::Field(field) => field,
        };
        let under_path = |error: Unreadable| Unreadable { path: [path.clone(), error.path].concat(), ..error };
        let coercion = nested::reading(&field.file, field.declared).map_err(|error| unreadable(under_path(error)))?;
        let mut arguments: Vec<Arc<dyn PhysicalExpr>> = vec![Arc::new(Column::new(in_file.name(), index))];
        arguments.extend(field.names.into_iter().map(|name| lit(ScalarValue::Utf8(Some(name)))));
        let function = Arc::new(call.fun().clone());
        let options = Arc::new(call.config_options().clone());
        let read = Arc::new(ScalarFunctionExpr::try_new(function, arguments, &self.file, options)?);
        if coercion == Coercion::Same {
            return Ok(Some(read));
        }
        let name = std::iter::once(&declared.name).chain(&path).map(String::as_str).collect::<Vec<_>>().join(".");
        let target = Target {
            coercion,
            field: Arc::new(field.declared.field(&name, true)),
            sql_type: field.declared.clone(),
            path: self.path(),
        };
        Ok(Some(Arc::new(CoercedColumn { column: read, target: Arc::new(target) })))
    }
}

/// Whether an expression is a field of a column.
pub(super) fn is_field(expr: &Arc<dyn PhysicalExpr>) -> bool {
    let call = ScalarFunctionExpr::try_downcast_func::<GetFieldFunc>(expr.as_ref());
    call.is_some_and(|call| path_of(call).is_some())
}

/// The column, and the names on the way to a field of it.
pub(super) fn path_of(call: &ScalarFunctionExpr) -> Option<(&Column, Vec<String>)> {
    let (base, names) = call.args().split_first()?;
    let names =
        names.iter().map(|name| name.downcast_ref::<Literal>()?.value().try_as_str().flatten().map(str::to_owned));
    let names = names.collect::<Option<Vec<_>>>()?;
    if let Some(column) = base.downcast_ref::<Column>() {
        return Some((column, names));
    }
    let (column, mut path) = path_of(ScalarFunctionExpr::try_downcast_func::<GetFieldFunc>(base.as_ref())?)?;
    path.extend(names);
    Some((column, path))
}

fn find<'a>(column: &FieldRef, declared: &'a SqlType, path: &[String]) -> Result<Found<'a>, Unreadable> {
    let (mut in_file, mut declared, mut names) = (column, declared, Vec::new());
    let mut is_missing = false;
    for (depth, name) in path.iter().enumerate() {
        let SqlType::Struct(fields) = declared else { return Ok(Found::Inseparable) };
        let Some(field) = fields.iter().find(|field| field.name == *name) else { return Ok(Found::Inseparable) };
        declared = &field.sql_type;
        if is_missing {
            continue;
        }
        // What is no struct, or is encoded in some way, is left to the rule for the whole column.
        let DataType::Struct(fields) = in_file.data_type() else { return Ok(Found::Inseparable) };
        let under_path = |reason| Unreadable { path: path[..=depth].to_vec(), reason };
        let Some(index) = nested::named(fields, name).map_err(under_path)? else {
            is_missing = true;
            continue;
        };
        // Under a NULL struct, a field that is never NULL has some value. Only the struct tells.
        if in_file.is_nullable() && !fields[index].is_nullable() {
            return Ok(Found::Inseparable);
        }
        in_file = &fields[index];
        names.push(in_file.name().clone());
    }
    if is_missing || in_file.data_type().is_null() {
        return Ok(Found::Missing(declared));
    }
    Ok(Found::Field(Field { names, file: in_file.data_type().clone(), declared }))
}
