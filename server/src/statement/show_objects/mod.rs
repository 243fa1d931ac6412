//! Redshift's SHOW DATABASES, SCHEMAS, TABLES, COLUMNS, TABLE, VIEW and EXTERNAL TABLE: queries over the system catalogs, in
//! the files of this folder.

use catalog::name::quote_literal;
use catalog::{ObjectName, Relation};
use pg::PgError;
use pg::names::{INFORMATION_SCHEMA, PG_CATALOG};
use pg::sqlstate::SqlState;
use sqlparser::ast;

use crate::error::Result;
use crate::parse::statement::{ObjectList, ShowObjects, ShownDefinition};
use crate::plan::relations::{NameScope, identifier, parts};
use crate::plan::{FoundRelation, PlanContext};
use crate::session::Session;
use crate::statement::stated_query::StatedQuery;

const DATABASES: &str = include_str!("databases.sql");
const SCHEMAS: &str = include_str!("schemas.sql");
const TABLES: &str = include_str!("tables.sql");
const COLUMNS: &str = include_str!("columns.sql");
const TABLE: &str = include_str!("table.sql");
const VIEW: &str = include_str!("view.sql");
const EXTERNAL_TABLE: &str = include_str!("external_table.sql");

/// The query that shows them.
///
/// # Errors
/// 3D000, 3F000 or 42P01 for a name that is none, 42809 for one of something else.
pub fn query(session: &Session, context: &PlanContext, show: &ShowObjects) -> Result<StatedQuery> {
    match show {
        ShowObjects::List { list, pattern, limit } => {
            let mut text = listing(session, context, list)?;
            if let Some(pattern) = pattern {
                text += &format!("\nWHERE {} LIKE {}", list.column(), quote_literal(pattern));
            }
            text += &format!(
                "\nORDER BY {}",
                if matches!(list, ObjectList::Columns { .. }) { "ordinal_position" } else { list.column() }
            );
            if let Some(limit) = limit {
                text += &format!("\nLIMIT {limit}");
            }
            StatedQuery::ours(text)
        }
        ShowObjects::Definition { what, name, with_partitions } => {
            let relation = NameScope::of(session).must_relation(context.snapshot(), name)?;
            let text = match (what, relation) {
                (ShownDefinition::Table, Relation::Hot(_)) => TABLE,
                (ShownDefinition::View, Relation::View(_)) => VIEW,
                (ShownDefinition::ExternalTable, Relation::External(_)) => EXTERNAL_TABLE,
                _ => {
                    let message = format!("\"{}\" is not {}", relation.name().name, what.described());
                    return Err(PgError::new(SqlState::WRONG_OBJECT_TYPE, message).into());
                }
            };
            let text = text.replace(":relation", &relation.oid().0.to_string());
            StatedQuery::ours(text.replace(":with_partitions", &with_partitions.to_string()))
        }
    }
}

/// The query of a list, without its conditions.
fn listing(session: &Session, context: &PlanContext, list: &ObjectList) -> Result<String> {
    let scope = NameScope::of(session);
    Ok(match list {
        ObjectList::Databases => DATABASES.to_owned(),
        ObjectList::Schemas { database } => {
            let database = identifier(database);
            if database != context.database() {
                let message = format!("database \"{database}\" does not exist");
                return Err(PgError::new(SqlState::INVALID_CATALOG_NAME, message).into());
            }
            SCHEMAS.to_owned()
        }
        ObjectList::Tables { schema } => {
            let schema = scope.schema_name(schema)?;
            if !matches!(schema.as_str(), PG_CATALOG | INFORMATION_SCHEMA) {
                context.snapshot().must_schema(&schema)?;
            }
            TABLES.replace(":schema", &quote_literal(&schema))
        }
        ObjectList::Columns { table } => {
            let name = relation_name(context, table)?;
            // Put in at once: a name may contain what stands for another.
            let names = format!("{}, {}", quote_literal(&name.schema), quote_literal(&name.name));
            COLUMNS.replace(":schema_and_table", &names)
        }
    })
}

/// The full name of a relation, which may be one of the system's.
fn relation_name(context: &PlanContext, written: &ast::ObjectName) -> Result<ObjectName> {
    match context.find_relation(&parts(written)?)? {
        FoundRelation::Table { name, .. } | FoundRelation::View { name, .. } => Ok(name),
    }
}

impl ObjectList {
    /// The column that LIKE is about.
    fn column(&self) -> &'static str {
        match self {
            ObjectList::Databases => "database_name",
            ObjectList::Schemas { .. } => "schema_name",
            ObjectList::Tables { .. } => "table_name",
            ObjectList::Columns { .. } => "column_name",
        }
    }
}

impl ShownDefinition {
    fn described(self) -> &'static str {
        match self {
            ShownDefinition::Table => "a table",
            ShownDefinition::View => "a view",
            ShownDefinition::ExternalTable => "an external table",
        }
    }
}
