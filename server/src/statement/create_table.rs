//! CREATE TABLE: a hot table.

use catalog::{CatalogChange, CatalogSnapshot, Column, HotTable, ObjectName, SchemaKind};
use pg::PgError;
use pg::sqlstate::SqlState;

use crate::error::{Error, Result};
use crate::parse::statement::{ColumnDefinition, CreateTable};
use crate::plan::relations::{NameScope, identifier};
use crate::plan::types::column_type;
use crate::session::{Action, Object, Session, authorize};
use crate::statement::Outcome;

/// Columns of a table, as in PostgreSQL (`MaxHeapAttributeNumber`).
const COLUMNS_MAX: usize = 1600;

/// # Errors
/// The relation is there already, or a column is wrong.
pub async fn execute(session: &mut Session, create: &CreateTable) -> Result<Outcome> {
    let snapshot = session.snapshot()?;
    let (name, schema) = NameScope::of(session).new_relation(&snapshot, &create.name)?;
    authorize(&session.identity, Action::Create, Object::Schema(&name.schema))?;
    if schema.kind != SchemaKind::Local {
        let message = format!("hot tables cannot be made in external schema \"{}\"", name.schema);
        return Err(Error::InvalidDefinition { message });
    }
    if snapshot.relation(&name).is_some() {
        return exists_already(session, name, create.if_not_exists, "CREATE TABLE");
    }
    check_type_name(&snapshot, &name)?;
    let names = session.names()?;
    let columns = {
        let _entered = names.enter();
        columns(&create.columns, 1)?
    };
    if let Some(column) = columns.iter().find(|column| column.sql_type.is_nested()) {
        return Err(Error::not_supported(format!("a column of type {} in a hot table", column.sql_type)));
    }
    let options = sort_key(create, &name, &columns)?.into_iter().collect();
    let table = HotTable { options, ..HotTable::new(session.server.catalog.allocate_oid(), name, columns) };
    session.commit(vec![CatalogChange::CreateHotTable(table)]).await?;
    Ok(Outcome::command("CREATE TABLE"))
}

/// The option for what SORTKEY says.
fn sort_key(create: &CreateTable, table: &ObjectName, columns: &[Column]) -> Result<Option<(String, String)>> {
    let mut key = Vec::with_capacity(create.sort_key.len());
    for written in &create.sort_key {
        let column = identifier(written);
        match columns.iter().position(|it| it.name == column) {
            None => return Err(Error::UndefinedColumn { column, relation: table.name.clone() }),
            Some(place) if key.contains(&place) => return Err(Error::DuplicateColumn { column }),
            Some(place) => key.push(place),
        }
    }
    Ok((!key.is_empty()).then(|| HotTable::sort_key_option(columns, &key)))
}

/// A relation's rows are of a type of its name.
///
/// # Errors
/// 42710 when a type of the name is there already.
pub fn check_type_name(snapshot: &CatalogSnapshot, name: &ObjectName) -> Result<()> {
    if snapshot.user_type(name).is_none() {
        return Ok(());
    }
    let error = PgError::new(SqlState::DUPLICATE_OBJECT, format!("type \"{}\" already exists", name.name));
    Err(error
        .with_hint(
            "A relation has an associated type of the same name, so you must use a name that doesn't conflict with any \
             existing type.",
        )
        .into())
}

/// What to answer when the name is taken.
///
/// # Errors
/// 42P07 unless IF NOT EXISTS was written.
pub fn exists_already(
    session: &mut Session,
    name: catalog::ObjectName,
    if_not_exists: bool,
    tag: &'static str,
) -> Result<Outcome> {
    if !if_not_exists {
        return Err(catalog::Error::RelationExists(name).into());
    }
    session.notice(format!("relation \"{}\" already exists, skipping", name.name));
    Ok(Outcome::command(tag))
}

/// Column definitions, numbered from `first_number`.
///
/// # Errors
/// Two columns have one name, a type cannot be had, or there are too many.
pub fn columns(definitions: &[ColumnDefinition], first_number: i16) -> Result<Vec<Column>> {
    if definitions.len() > COLUMNS_MAX {
        let message = format!("tables can have at most {COLUMNS_MAX} columns");
        return Err(Error::InvalidDefinition { message });
    }
    let mut columns: Vec<Column> = Vec::with_capacity(definitions.len());
    for (attribute_number, definition) in (first_number..).zip(definitions) {
        let name = identifier(&definition.name);
        if columns.iter().any(|column| column.name == name) {
            return Err(Error::DuplicateColumn { column: name });
        }
        let sql_type = column_type(&definition.data_type)?;
        columns.push(Column { not_null: definition.not_null, ..Column::new(attribute_number, name, sql_type) });
    }
    Ok(columns)
}
