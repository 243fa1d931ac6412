//! From the names of types in statements about them to the types they mean.

use std::sync::Arc;

use catalog::name::quote_identifier;
use catalog::{CatalogSnapshot, ObjectName, UserType};
use pg::PgError;
use pg::names::Names;
use pg::sqlstate::SqlState;
use sqlparser::ast;

use crate::analyze::builtin_type;
use crate::error::{Error, Result};
use crate::plan::relations::{NameScope, parts};

impl NameScope {
    /// What names mean to statements that see this snapshot.
    pub fn names(&self, snapshot: &Arc<CatalogSnapshot>) -> Names {
        let schemas = self.schemas().map(str::to_owned).collect();
        Names::new(snapshot.clone(), &self.database, schemas, &self.temporary_schema)
    }

    /// The type that a name means, if a user has made one.
    ///
    /// # Errors
    /// The name has too many parts or names another database.
    pub fn user_type<'a>(&self, snapshot: &'a CatalogSnapshot, parts: &[String]) -> Result<Option<&'a Arc<UserType>>> {
        match self.split(parts)? {
            (Some(schema), name) => Ok(snapshot.user_type(&ObjectName::new(schema, name))),
            (None, name) => Ok(self.schemas().find_map(|schema| snapshot.user_type(&ObjectName::new(schema, name)))),
        }
    }

    /// The type that a statement is about, which drops or alters it.
    ///
    /// # Errors
    /// 42704 when there is none, 3F000 when its schema is not there, 42809 or 2BP01 for a type that no statement changes.
    pub fn must_user_type<'a>(
        &self,
        snapshot: &'a CatalogSnapshot,
        name: &ast::ObjectName,
        action: &str,
    ) -> Result<&'a Arc<UserType>> {
        let parts = parts(name)?;
        if let Some(found) = self.user_type(snapshot, &parts)? {
            return Ok(found);
        }
        if let (Some(schema), _) = self.split(&parts)?
            && schema != pg::names::PG_CATALOG
            && schema != self.temporary_schema
            && snapshot.schema(schema).is_none()
        {
            return Err(Error::UndefinedSchema { name: schema.to_owned() });
        }
        Err(self.untouchable(snapshot, &parts, action)?)
    }

    /// The error of a name that is no user's type.
    fn untouchable(&self, snapshot: &CatalogSnapshot, parts: &[String], action: &str) -> Result<Error> {
        if let Some(relation) = self.relation(snapshot, parts)? {
            let shown = self.describe(snapshot, relation);
            let bare = shown.strip_prefix(relation.kind()).unwrap_or(&shown).trim();
            if action == "alter" {
                let error = PgError::new(SqlState::WRONG_OBJECT_TYPE, format!("{bare} is a table's row type"));
                return Ok(error.with_hint("Use ALTER TABLE instead.").into());
            }
            let error = PgError::new(
                SqlState::DEPENDENT_OBJECTS_STILL_EXIST,
                format!("cannot {action} type {bare} because {shown} requires it"),
            );
            return Ok(error.with_hint(format!("You can {action} {shown} instead.")).into());
        }
        if let Some(oid) = parts.last().and_then(|name| builtin_type(name)) {
            let name = pg::types::type_name(oid);
            let message = format!("cannot {action} type {name} because it is required by the database system");
            return Ok(PgError::new(SqlState::DEPENDENT_OBJECTS_STILL_EXIST, message).into());
        }
        Ok(Error::UndefinedType { name: parts.join(".") })
    }

    /// How a message names a type: with its schema when the search path does not lead to it.
    pub fn shown_type(&self, snapshot: &CatalogSnapshot, ty: &UserType) -> String {
        let found = self.user_type(snapshot, std::slice::from_ref(&ty.name.name)).ok().flatten();
        match found {
            Some(found) if found.oid == ty.oid => quote_identifier(&ty.name.name),
            _ => ty.name.to_string(),
        }
    }
}
