//! CREATE EXTERNAL SCHEMA.

use catalog::SchemaKind;

use crate::error::Result;
use crate::parse::statement::CreateExternalSchema;
use crate::plan::relations::NameScope;
use crate::session::Session;
use crate::statement::{Outcome, create_schema};

/// # Errors
/// The schema is there already, or its name is reserved.
pub async fn execute(session: &mut Session, create: &CreateExternalSchema) -> Result<Outcome> {
    let name = NameScope::of(session).schema_name(&create.name)?;
    let kind = SchemaKind::External(create.source.clone());
    create_schema::make(session, name, create.if_not_exists, kind).await
}
