//! CREATE TABLE: a hot table.

use catalog::{CatalogSnapshot, Column, HotTable, ObjectName, OnCommit, SchemaKind};
use pg::PgError;
use pg::sqlstate::SqlState;
use sqlparser::ast;

use crate::error::{Error, Result};
use crate::parse::definition::{ColumnDefinition, CreateTable, Lifetime};
use crate::plan::PlanContext;
use crate::plan::relations::{NameScope, identifier};
use crate::plan::types::column_type;
use crate::session::{Action, Object, Session, authorize};
use crate::statement::Outcome;
use crate::statement::table_definition::Definition;

/// Columns of a table, as in PostgreSQL (`MaxHeapAttributeNumber`).
pub const COLUMNS_MAX: usize = 1600;

/// # Errors
/// The relation is there already, or a column or a constraint is wrong.
pub async fn execute(session: &mut Session, create: &CreateTable, text: &str) -> Result<Outcome> {
    let snapshot = session.snapshot()?;
    let Some((name, on_commit)) = new_table(session, &snapshot, &create.name, &create.lifetime, create.if_not_exists)?
    else {
        return Ok(Outcome::command("CREATE TABLE"));
    };
    let changes = {
        let context = PlanContext::new(session, snapshot);
        let _entered = context.names().enter();
        let table = HotTable::new(session.server.catalog.allocate_oid(), name, Vec::new());
        let table = HotTable { on_commit, ..table };
        let mut definition = Definition::new(&context, &session.server, text, table);
        definition.create(create)?;
        definition.into_changes()
    };
    session.commit(changes).await?;
    Ok(Outcome::command("CREATE TABLE"))
}

/// What becomes of a table at the end of a transaction.
///
/// # Errors
/// 42P16 when ON COMMIT is written of a table that is not temporary.
fn on_commit(session: &mut Session, lifetime: &Lifetime, name: &ObjectName) -> Result<OnCommit> {
    if lifetime.global {
        session.warn(SqlState::WARNING, "GLOBAL is deprecated in temporary table creation");
    }
    match lifetime.on_commit {
        Some(_) if !name.is_temporary() => {
            let message = "ON COMMIT can only be used on temporary tables".to_owned();
            Err(Error::InvalidDefinition { message })
        }
        on_commit => Ok(on_commit.unwrap_or_default()),
    }
}

/// The name of a hot table that is to be made, and what becomes of it at the end of a transaction; nothing when it is there
/// already, and may be.
///
/// # Errors
/// 42P07 when it is there already, 42P16 when the schema is of another kind or ON COMMIT does not fit, 42710 when a type has the name.
pub fn new_table(
    session: &mut Session,
    snapshot: &CatalogSnapshot,
    name: &ast::ObjectName,
    lifetime: &Lifetime,
    if_not_exists: bool,
) -> Result<Option<(ObjectName, OnCommit)>> {
    let (name, schema) = NameScope::of(session).new_relation(snapshot, name, lifetime.temporary)?;
    authorize(&session.identity, Action::Create, Object::Schema(&name.schema))?;
    if schema != SchemaKind::Local {
        let message = format!("hot tables cannot be made in external schema \"{}\"", name.schema);
        return Err(Error::InvalidDefinition { message });
    }
    if is_taken(snapshot, &name) {
        exists_already(session, name, if_not_exists, "CREATE TABLE")?;
        return Ok(None);
    }
    check_type_name(snapshot, &name)?;
    let on_commit = on_commit(session, lifetime, &name)?;
    Ok(Some((name, on_commit)))
}

/// Whether a relation or an index has the name.
pub fn is_taken(snapshot: &CatalogSnapshot, name: &ObjectName) -> bool {
    snapshot.relation(name).is_some() || snapshot.table_of_index(name).is_some()
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

/// Columns that have nothing but names and types.
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
        columns.push(Column::new(attribute_number, name, column_type(&definition.data_type)?));
    }
    Ok(columns)
}
