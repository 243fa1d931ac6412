//! From the names in a statement to the relations they mean.

use catalog::name::{IDENTIFIER_BYTES_MAX, fold_identifier, quote_identifier};
use catalog::{CatalogSnapshot, ObjectName, Relation, Schema, SeenRelation, View};
use sqlparser::ast;

use crate::error::{Error, Result};
use crate::session::Session;

/// An identifier as it is looked up: folded unless it was quoted, and cut as PostgreSQL cuts it.
pub fn identifier(identifier: &ast::Ident) -> String {
    let name = match identifier.quote_style {
        Some(_) => identifier.value.clone(),
        None => fold_identifier(&identifier.value),
    };
    let mut end = name.len().min(IDENTIFIER_BYTES_MAX);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name[..end].to_owned()
}

/// The parts of a name, folded.
///
/// # Errors
/// 0A000 for a name that has other parts than identifiers.
pub fn parts(name: &ast::ObjectName) -> Result<Vec<String>> {
    let part = |part: &ast::ObjectNamePart| part.as_ident().map(identifier);
    name.0
        .iter()
        .map(part)
        .collect::<Option<_>>()
        .ok_or_else(|| Error::InvalidName { message: format!("names such as {name} are not supported") })
}

/// Where names are looked for.
#[derive(Debug, Clone)]
pub struct NameScope {
    /// The database of the session.
    pub database: String,
    /// The schemas for names without one, in order.
    pub search_path: Vec<String>,
}

impl NameScope {
    /// Where the session's names are looked for.
    pub fn of(session: &Session) -> Self {
        NameScope {
            database: session.identity.database.clone(),
            search_path: session.settings.search_path(&session.identity.user),
        }
    }

    /// The relation that a name means, if there is one.
    ///
    /// # Errors
    /// The name has too many parts or names another database.
    pub fn relation<'a>(&self, snapshot: &'a CatalogSnapshot, parts: &[String]) -> Result<Option<&'a Relation>> {
        match self.split(parts)? {
            (Some(schema), name) => Ok(snapshot.relation(&ObjectName::new(schema, name))),
            (None, name) => Ok(self
                .search_path
                .iter()
                .find_map(|schema| snapshot.relation(&ObjectName::new(schema.as_str(), name)))),
        }
    }

    /// What a name in the text of a view meant when the view was made, whatever has been made or renamed since.
    ///
    /// # Errors
    /// The name has too many parts or names another database.
    pub fn seen_relation<'a>(&self, view: &'a View, parts: &[String]) -> Result<Option<&'a SeenRelation>> {
        let (schema, name) = self.split(parts)?;
        let schemas = match schema {
            Some(schema) => vec![schema],
            None => self.search_path.iter().map(String::as_str).collect(),
        };
        let is_seen = |schema: &str, seen: &SeenRelation| seen.name.schema == schema && seen.name.name == name;
        Ok(schemas.into_iter().find_map(|schema| view.relations.iter().find(|seen| is_seen(schema, seen))))
    }

    /// The relation that a name means, or `relation … does not exist`.
    ///
    /// # Errors
    /// 42P01 when there is none.
    pub fn must_relation<'a>(&self, snapshot: &'a CatalogSnapshot, name: &ast::ObjectName) -> Result<&'a Relation> {
        let parts = parts(name)?;
        let relation = self.relation(snapshot, &parts)?;
        relation.ok_or_else(|| Error::UndefinedTable { name: parts.join("."), position: None })
    }

    /// The name of a relation that is to be made: in the schema it names, or in the first of the search path that is
    /// there.
    ///
    /// # Errors
    /// 3F000 when there is no such schema.
    pub fn new_relation(
        &self,
        snapshot: &CatalogSnapshot,
        name: &ast::ObjectName,
    ) -> Result<(ObjectName, std::sync::Arc<Schema>)> {
        let parts = parts(name)?;
        let (schema, name) = self.split(&parts)?;
        let found = match schema {
            Some(schema) => {
                Some(snapshot.schema(schema).ok_or_else(|| Error::UndefinedSchema { name: schema.to_owned() })?)
            }
            None => self.search_path.iter().find_map(|schema| snapshot.schema(schema)),
        };
        match found {
            Some(schema) => Ok((ObjectName::new(schema.name.as_str(), name), schema.clone())),
            None => Err(Error::NoSchemaSelected),
        }
    }

    /// How a message names a relation: `table t`, with its schema when the search path does not lead to it.
    pub fn describe(&self, snapshot: &CatalogSnapshot, relation: &Relation) -> String {
        let name = relation.name();
        let found = self.relation(snapshot, std::slice::from_ref(&name.name)).ok().flatten();
        match found {
            Some(found) if found.oid() == relation.oid() => {
                format!("{} {}", relation.kind(), quote_identifier(&name.name))
            }
            _ => format!("{} {name}", relation.kind()),
        }
    }

    /// The schema name in a statement about schemas.
    ///
    /// # Errors
    /// The name has too many parts or names another database.
    pub fn schema_name(&self, name: &ast::ObjectName) -> Result<String> {
        let parts = parts(name)?;
        match parts.as_slice() {
            [schema] => Ok(schema.clone()),
            [database, schema] => {
                self.check_database(database, &parts)?;
                Ok(schema.clone())
            }
            _ => Err(too_many(&parts)),
        }
    }

    pub(super) fn split<'p>(&self, parts: &'p [String]) -> Result<(Option<&'p str>, &'p str)> {
        match parts {
            [name] => Ok((None, name)),
            [schema, name] => Ok((Some(schema), name)),
            [database, schema, name] => {
                self.check_database(database, parts)?;
                Ok((Some(schema), name))
            }
            _ => Err(too_many(parts)),
        }
    }

    fn check_database(&self, database: &str, parts: &[String]) -> Result<()> {
        if database == self.database {
            return Ok(());
        }
        let message = format!("cross-database references are not implemented: \"{}\"", parts.join("."));
        Err(Error::InvalidName { message })
    }
}

fn too_many(parts: &[String]) -> Error {
    Error::InvalidName { message: format!("improper qualified name (too many dotted names): {}", parts.join(".")) }
}
