//! CREATE EXTERNAL TABLE.

use catalog::{CatalogChange, CatalogSnapshot, Column, ExternalTable, FileFormat, ObjectName, SchemaKind, SqlType};
use sqlparser::ast;
use storage::external::{FilesRequest, FilesRequestFormat, JsonRequest};

use crate::error::{Error, Result};
use crate::parse::definition::ColumnDefinition;
use crate::parse::statement::CreateExternalTable;
use crate::plan::files::{check_file_columns, described};
use crate::plan::relations::NameScope;
use crate::session::{Action, Object, Session, authorize};
use crate::statement::Outcome;
use crate::statement::create_table::{COLUMNS_MAX, check_type_name, columns, exists_already, is_taken};

/// The command tag.
const TAG: &str = "CREATE EXTERNAL TABLE";

/// # Errors
/// The relation is there already, a column is wrong, or the location cannot be read.
pub async fn execute(session: &mut Session, create: &CreateExternalTable) -> Result<Outcome> {
    let snapshot = session.snapshot()?;
    let Some(name) = new_name(session, &snapshot, &create.name, &create.location, create.if_not_exists)? else {
        return Ok(Outcome::command(TAG));
    };
    let partition_columns = defined(session, &create.partition_columns)?;
    let file_columns = match &create.columns {
        Some(columns) => defined(session, columns)?,
        None => found(session, create, &partition_columns).await?,
    };
    let (file_columns, partition_columns) = numbered(file_columns, partition_columns)?;
    check_columns(&file_columns, &partition_columns, &create.format.format)?;

    // Look before we promise: a location nobody can read would only be noticed by the first query, hours later.
    let guard = session.guard();
    guard.run(session.stores()?.check_readable(&create.location)).await??;

    let table = ExternalTable {
        oid: session.server.catalog.allocate_oid(),
        name,
        columns: file_columns,
        partition_columns,
        format: create.format.format.clone(),
        compression: create.format.compression,
        encoding: create.format.encoding,
        layout: create.layout.clone(),
        bad_data: create.bad_data.clone(),
        location: create.location.clone(),
        properties: create.properties.clone(),
    };
    session.commit(vec![CatalogChange::CreateExternalTable(table)]).await?;
    Ok(Outcome::command(TAG))
}

/// The name of a table that is to be made of what is at a location; none when it is there already and may be.
///
/// # Errors
/// The schema is none for external tables, the name is taken, or the location is not for this user.
pub fn new_name(
    session: &mut Session,
    snapshot: &CatalogSnapshot,
    name: &ast::ObjectName,
    location: &str,
    may_exist: bool,
) -> Result<Option<ObjectName>> {
    let (name, schema) = NameScope::of(session).new_permanent(snapshot, name, "external table")?;
    authorize(&session.identity, Action::Create, Object::Schema(&name.schema))?;
    authorize(&session.identity, Action::UseLocation, Object::Location(location))?;
    if schema == SchemaKind::Local {
        let message = format!("external tables can only be made in an external schema, \"{}\" is none", name.schema);
        return Err(Error::InvalidDefinition { message });
    }
    if is_taken(snapshot, &name) {
        return exists_already(session, name, may_exist, TAG).map(|_| None);
    }
    check_type_name(snapshot, &name)?;
    Ok(Some(name))
}

/// That files of the format can have the columns.
///
/// # Errors
/// 0A000 for a type that they cannot have, 42701 for a name that is taken.
pub fn check_columns(file_columns: &[Column], partition_columns: &[Column], format: &FileFormat) -> Result<()> {
    check_file_columns(file_columns, !matches!(format, FileFormat::Delimited(_)))?;
    check_file_columns(partition_columns, true)?;
    if let Some(column) = partition_columns.iter().find(|column| !can_partition(&column.sql_type)) {
        let what = format!("partition column \"{}\" of type {}", column.name, column.sql_type.base_name());
        return Err(Error::not_supported(what));
    }
    Ok(())
}

/// Columns as the statement defines them.
fn defined(session: &mut Session, definitions: &[ColumnDefinition]) -> Result<Vec<Column>> {
    let names = session.names()?;
    let _entered = names.enter();
    columns(definitions, 1)
}

/// The columns of files that say which they have: those that the statement names, or the table's own. What they have of the
/// partition columns is the folders' to say.
async fn found(
    session: &mut Session,
    create: &CreateExternalTable,
    partition_columns: &[Column],
) -> Result<Vec<Column>> {
    let own = (create.format.format.clone(), create.location.clone());
    let (format, location) = create.like.clone().unwrap_or(own);
    authorize(&session.identity, Action::UseLocation, Object::Location(&location))?;
    let format = match format {
        FileFormat::Parquet => FilesRequestFormat::Parquet { union_by_name: true },
        FileFormat::Avro => FilesRequestFormat::Avro { union_by_name: true },
        FileFormat::Arrow => FilesRequestFormat::Arrow { union_by_name: true },
        FileFormat::Json => FilesRequestFormat::Json(JsonRequest { compression: create.format.compression }),
        FileFormat::Delimited(_) => {
            let message = "an external table of delimited text needs a list of columns".to_owned();
            return Err(Error::InvalidDefinition { message });
        }
    };
    let request = FilesRequest {
        call: location.clone(),
        name: create.name.to_string(),
        patterns: vec![location],
        are_locations: true,
        format,
        columns: None,
        hive_partitioning: Some(false),
    };
    let mut columns = described(session, request).await?.table.columns;
    columns.retain(|column| partition_columns.iter().all(|other| other.name != column.name));
    Ok(columns)
}

/// The columns as those of one table.
fn numbered(mut files: Vec<Column>, mut partitions: Vec<Column>) -> Result<(Vec<Column>, Vec<Column>)> {
    if let Some(twice) = partitions.iter().find(|column| files.iter().any(|other| other.name == column.name)) {
        return Err(Error::DuplicateColumn { column: twice.name.clone() });
    }
    if files.len() + partitions.len() > COLUMNS_MAX {
        let message = format!("tables can have at most {COLUMNS_MAX} columns");
        return Err(Error::InvalidDefinition { message });
    }
    for (number, column) in (1..).zip(files.iter_mut().chain(&mut partitions)) {
        column.attribute_number = number;
    }
    Ok((files, partitions))
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
