//! CREATE EXTERNAL TABLE.

use catalog::{CatalogChange, Column, ExternalTable, FileFormat, ObjectName, SchemaKind, SqlType};

use pg::PgError;
use pg::sqlstate::SqlState;
use storage::external::FILE_COLUMNS;

use crate::error::{Error, Result};
use crate::parse::statement::CreateExternalTable;
use crate::plan::relations::NameScope;
use crate::session::{Action, Object, Session, authorize};
use crate::statement::Outcome;
use crate::statement::create_table::{check_type_name, columns, exists_already, is_taken};

/// # Errors
/// The relation is there already, a column is wrong, or the location cannot be read.
pub async fn execute(session: &mut Session, create: &CreateExternalTable) -> Result<Outcome> {
    let snapshot = session.snapshot()?;
    let (name, schema) = NameScope::of(session).new_permanent(&snapshot, &create.name, "external table")?;
    authorize(&session.identity, Action::Create, Object::Schema(&name.schema))?;
    authorize(&session.identity, Action::UseLocation, Object::Location(&create.location))?;
    if schema == SchemaKind::Local {
        return Err(not_external(&name));
    }
    if is_taken(&snapshot, &name) {
        return exists_already(session, name, create.if_not_exists, "CREATE EXTERNAL TABLE");
    }
    check_type_name(&snapshot, &name)?;
    let names = session.names()?;
    let all = {
        let _entered = names.enter();
        columns(&[create.columns.as_slice(), &create.partition_columns].concat(), 1)?
    };
    let (file_columns, partition_columns) = all.split_at(create.columns.len());
    check_columns(file_columns, partition_columns, &create.format.format)?;

    // Look before we promise: a location nobody can read would only be noticed by the first query, hours later.
    let guard = session.guard();
    guard.run(session.server.stores.check_readable(&create.location)).await??;

    let table = ExternalTable {
        oid: session.server.catalog.allocate_oid(),
        name,
        columns: file_columns.to_vec(),
        partition_columns: partition_columns.to_vec(),
        format: create.format.format.clone(),
        compression: create.format.compression,
        encoding: create.format.encoding,
        layout: create.layout.clone(),
        bad_data: create.bad_data.clone(),
        location: create.location.clone(),
        properties: create.properties.clone(),
    };
    session.commit(vec![CatalogChange::CreateExternalTable(table)]).await?;
    Ok(Outcome::command("CREATE EXTERNAL TABLE"))
}

/// Only external schemas have external tables.
pub fn not_external(name: &ObjectName) -> Error {
    let message = format!("external tables can only be made in an external schema, \"{}\" is none", name.schema);
    Error::InvalidDefinition { message }
}

/// That files of the format can have the columns.
///
/// # Errors
/// 0A000 for a type that they cannot have, 42701 for a name that is taken.
pub fn check_columns(file_columns: &[Column], partition_columns: &[Column], format: &FileFormat) -> Result<()> {
    let all = || file_columns.iter().chain(partition_columns);
    if let Some(modified) = all().find_map(|column| rounded(&column.sql_type)) {
        return Err(Error::not_supported(format!("a column of type {modified} in an external table")));
    }
    // Files have no values of such types, only some that could become ones.
    if let Some(column) = all().find(|column| matches!(column.sql_type, SqlType::User(_))) {
        let what = format!("column \"{}\" of a user-defined type in an external table", column.name);
        return Err(Error::not_supported(what));
    }
    if let Some(column) = all().find(|column| FILE_COLUMNS.contains(&column.name.as_str())) {
        let message = format!("column name \"{}\" conflicts with a system column name", column.name);
        return Err(PgError::new(SqlState::DUPLICATE_COLUMN, message).into());
    }
    if matches!(format, FileFormat::Delimited(_))
        && let Some(column) = file_columns.iter().find(|column| is_nested(&column.sql_type))
    {
        let what = format!("column \"{}\" of type {} in delimited text", column.name, column.sql_type);
        return Err(Error::not_supported(what));
    }
    if let Some(column) = partition_columns.iter().find(|column| !can_partition(&column.sql_type)) {
        let what = format!("partition column \"{}\" of type {}", column.name, column.sql_type.base_name());
        return Err(Error::not_supported(what));
    }
    Ok(())
}

/// Whether a type's values have no text of their own.
fn is_nested(sql_type: &SqlType) -> bool {
    matches!(sql_type, SqlType::List(_) | SqlType::Struct(_) | SqlType::Map(_))
}

/// A type in this one that rounds its values, as nothing does with values in files.
fn rounded(sql_type: &SqlType) -> Option<String> {
    match sql_type {
        SqlType::Modified(modified) => Some(modified.to_string()),
        SqlType::Array(element) => rounded(&element.sql_type()),
        SqlType::List(element) => rounded(element),
        SqlType::Struct(fields) => fields.iter().find_map(|field| rounded(&field.sql_type)),
        SqlType::Map(entry) => rounded(&entry.key).or_else(|| rounded(&entry.value)),
        _ => None,
    }
}

/// Whether the values of a type have one text that every tool writes.
fn can_partition(sql_type: &SqlType) -> bool {
    sql_type.is_string()
        || sql_type.is_number()
        || matches!(
            sql_type,
            SqlType::Boolean | SqlType::Date | SqlType::Time | SqlType::Timestamp | SqlType::TimestampTz
        )
}
