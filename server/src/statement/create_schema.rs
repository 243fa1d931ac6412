//! CREATE SCHEMA.

use catalog::{CatalogChange, Schema, SchemaKind};
use pg::PgError;
use pg::sqlstate::SqlState;

use crate::error::Result;
use crate::parse::statement::CreateSchema;
use crate::plan::relations::NameScope;
use crate::session::{Action, Object, Session, authorize};
use crate::statement::Outcome;

/// Schemas that PostgreSQL keeps for itself.
const RESERVED_PREFIX: &str = "pg_";

/// # Errors
/// The schema is there already, or its name is reserved.
pub async fn execute(session: &mut Session, create: &CreateSchema) -> Result<Outcome> {
    let name = NameScope::of(session).schema_name(&create.name)?;
    make(session, name, create.if_not_exists, SchemaKind::Local).await
}

/// # Errors
/// The name is one of a schema of the system.
pub fn check_name(name: &str) -> Result<()> {
    if name == "information_schema" {
        return Err(catalog::Error::SchemaExists(name.to_owned()).into());
    }
    if name.starts_with(RESERVED_PREFIX) {
        let error = PgError::new(SqlState::RESERVED_NAME, format!("unacceptable schema name \"{name}\""));
        return Err(error.with_detail("The prefix \"pg_\" is reserved for system schemas.").into());
    }
    Ok(())
}

/// Makes a schema of any kind.
///
/// # Errors
/// The schema is there already, or its name is reserved.
pub async fn make(session: &mut Session, name: String, if_not_exists: bool, kind: SchemaKind) -> Result<Outcome> {
    authorize(&session.identity, Action::Create, Object::Database)?;
    check_name(&name)?;
    if session.snapshot()?.schema(&name).is_some() {
        if !if_not_exists {
            return Err(catalog::Error::SchemaExists(name).into());
        }
        session.notice(format!("schema \"{name}\" already exists, skipping"));
        return Ok(Outcome::command("CREATE SCHEMA"));
    }
    let schema = Schema { oid: session.server.catalog.allocate_oid(), name, kind };
    session.commit(vec![CatalogChange::CreateSchema(schema)]).await?;
    Ok(Outcome::command("CREATE SCHEMA"))
}
