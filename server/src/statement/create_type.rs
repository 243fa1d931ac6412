//! CREATE TYPE: an enum or a composite type.

use catalog::name::IDENTIFIER_BYTES_MAX;
use catalog::user_type::{Attribute, new_labels};
use catalog::{CatalogChange, CatalogSnapshot, ObjectName, SchemaKind, UserType, UserTypeKind};
use pg::PgError;
use pg::sqlstate::SqlState;
use sqlparser::ast;

use crate::error::{Error, Result};
use crate::parse::statement::{CreateType, TypeDefinition};
use crate::plan::relations::{NameScope, identifier};
use crate::plan::types::column_type;
use crate::session::{Action, Object, Session, authorize};
use crate::statement::Outcome;

/// # Errors
/// The name is taken, a label is there twice, or a field cannot have its type.
pub async fn execute(session: &mut Session, create: &CreateType) -> Result<Outcome> {
    let snapshot = session.snapshot()?;
    let name = new_type_name(session, &snapshot, &create.name)?;
    let kind = match &create.definition {
        TypeDefinition::Enum(labels) => {
            check_labels(labels)?;
            UserTypeKind::Enum(new_labels(labels.iter().cloned()))
        }
        TypeDefinition::Composite(fields) => {
            let names = session.names()?;
            let _entered = names.enter();
            UserTypeKind::Composite(attributes(fields)?)
        }
    };
    make(session, name, kind).await?;
    Ok(Outcome::command("CREATE TYPE"))
}

/// Commits a new type.
///
/// # Errors
/// The name has been taken in between.
pub async fn make(session: &mut Session, name: ObjectName, kind: UserTypeKind) -> Result<()> {
    let (oid, array_oid) = (session.server.catalog.allocate_oid(), session.server.catalog.allocate_oid());
    session.commit(vec![CatalogChange::CreateType(UserType { oid, array_oid, name, kind })]).await
}

/// The full name of a type that is to be made.
///
/// # Errors
/// 42710 when it is taken, 3F000 when there is no such schema.
pub fn new_type_name(session: &Session, snapshot: &CatalogSnapshot, written: &ast::ObjectName) -> Result<ObjectName> {
    let (name, schema) = NameScope::of(session).new_permanent(snapshot, written, "type")?;
    authorize(&session.identity, Action::Create, Object::Schema(&name.schema))?;
    if schema != SchemaKind::Local {
        let message = format!("types cannot be made in external schema \"{}\"", name.schema);
        return Err(Error::InvalidDefinition { message });
    }
    check_free(snapshot, &name)?;
    Ok(name)
}

/// Types share their names with relations.
///
/// # Errors
/// 42710
pub fn check_free(snapshot: &CatalogSnapshot, name: &ObjectName) -> Result<()> {
    match snapshot.user_type(name).is_some() || snapshot.relation(name).is_some() {
        true => Err(catalog::Error::TypeExists(name.clone()).into()),
        false => Ok(()),
    }
}

fn check_labels(labels: &[String]) -> Result<()> {
    labels.iter().try_for_each(|label| check_label(label))?;
    match labels.iter().enumerate().find(|(number, label)| labels[..*number].contains(label)) {
        Some((_, label)) => {
            let message = "duplicate key value violates unique constraint \"pg_enum_typid_label_index\"";
            let detail = format!("The label \"{label}\" is given more than once.");
            Err(PgError::new(SqlState::UNIQUE_VIOLATION, message).with_detail(detail).into())
        }
        None => Ok(()),
    }
}

/// A label is as long as a name can be.
///
/// # Errors
/// 42602
pub fn check_label(label: &str) -> Result<()> {
    if label.len() <= IDENTIFIER_BYTES_MAX {
        return Ok(());
    }
    let error = PgError::new(SqlState::INVALID_NAME, format!("invalid enum label \"{label}\""));
    Err(error.with_detail(format!("Labels must be {IDENTIFIER_BYTES_MAX} bytes or less.")).into())
}

fn attributes(fields: &[(ast::Ident, ast::DataType)]) -> Result<Vec<Attribute>> {
    let mut attributes: Vec<Attribute> = Vec::with_capacity(fields.len());
    for (name, data_type) in fields {
        let name = identifier(name);
        if attributes.iter().any(|known| known.name == name) {
            return Err(Error::DuplicateColumn { column: name });
        }
        attributes.push(Attribute { name, sql_type: column_type(data_type)? });
    }
    Ok(attributes)
}
