//! From the names in a statement to the relations they mean.

use std::sync::Arc;

use catalog::name::{IDENTIFIER_BYTES_MAX, fold_identifier, quote_identifier};
use catalog::{CatalogSnapshot, HotTable, ObjectName, Relation, SchemaKind, SeenRelation, View};
use pg::PgError;
use pg::names::{PG_CATALOG, PG_TEMP};
use pg::recorded;
use pg::sqlstate::SqlState;
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
    /// The schema of the session's temporary objects, which `pg_temp` stands for.
    pub temporary_schema: String,
    /// Whether it is searched before all others although the search path has it not. It is not where a text was written
    /// elsewhere: what it means must not depend on who reads it.
    pub searches_temporary: bool,
}

impl NameScope {
    /// Where the session's names are looked for.
    pub fn of(session: &Session) -> Self {
        let temporary_schema = session.catalog.temporary_schema().to_owned();
        let search_path = session.settings.search_path(&session.identity.user).into_iter();
        let search_path: Vec<_> =
            search_path.map(|schema| if schema == PG_TEMP { temporary_schema.clone() } else { schema }).collect();
        let searches_temporary = !search_path.contains(&temporary_schema);
        let database = session.identity.database.clone();
        NameScope { database, search_path, temporary_schema, searches_temporary }
    }

    /// The same for a text that was written under another search path.
    pub fn under(&self, search_path: &[String]) -> Self {
        NameScope { search_path: search_path.to_vec(), searches_temporary: false, ..self.clone() }
    }

    /// The schemas that names without one are looked for in, in order.
    pub fn schemas(&self) -> impl Iterator<Item = &str> {
        let temporary = self.searches_temporary.then_some(self.temporary_schema.as_str());
        temporary.into_iter().chain(self.search_path.iter().map(String::as_str))
    }

    /// The search path that the text of an object is kept with. Only what is temporary itself may find temporary objects.
    pub fn kept_path(&self, temporary: bool) -> Vec<String> {
        let schemas = self.schemas().filter(|schema| temporary || *schema != self.temporary_schema);
        schemas.map(str::to_owned).collect()
    }

    /// The relation that a name means, if there is one.
    ///
    /// # Errors
    /// The name has too many parts or names another database.
    pub fn relation<'a>(&self, snapshot: &'a CatalogSnapshot, parts: &[String]) -> Result<Option<&'a Relation>> {
        match self.split(parts)? {
            (Some(schema), name) => Ok(snapshot.relation(&ObjectName::new(schema, name))),
            (None, name) => Ok(self.schemas().find_map(|schema| snapshot.relation(&ObjectName::new(schema, name)))),
        }
    }

    /// The table with the index that a name means, and the name of the index itself.
    ///
    /// # Errors
    /// The name has too many parts or names another database.
    pub fn index<'a, 'p>(
        &'p self,
        snapshot: &'a CatalogSnapshot,
        parts: &'p [String],
    ) -> Result<Option<(&'a Arc<HotTable>, &'p str)>> {
        let (schema, name) = self.split(parts)?;
        let found = |schema: &str| snapshot.table_of_index(&ObjectName::new(schema, name));
        let table = match schema {
            Some(schema) => found(schema),
            None => self.schemas().find_map(found),
        };
        Ok(table.map(|table| (table, name)))
    }

    /// What a name in the text of a view meant when the view was made, whatever has been made or renamed since.
    ///
    /// # Errors
    /// The name has too many parts or names another database.
    pub fn seen_relation<'a>(&self, view: &'a View, parts: &[String]) -> Result<Option<&'a SeenRelation>> {
        let (schema, name) = self.split(parts)?;
        let schemas = match schema {
            Some(schema) => vec![schema],
            None => self.schemas().collect(),
        };
        let is_seen = |schema: &str, seen: &SeenRelation| seen.name.schema == schema && seen.name.name == name;
        Ok(schemas.into_iter().find_map(|schema| view.relations.iter().find(|seen| is_seen(schema, seen))))
    }

    /// The relation that a name means, or `relation … does not exist`.
    ///
    /// # Errors
    /// 42P01 when there is none, 42501 for a relation of the system.
    pub fn must_relation<'a>(&self, snapshot: &'a CatalogSnapshot, name: &ast::ObjectName) -> Result<&'a Relation> {
        let parts = parts(name)?;
        let relation = self.relation(snapshot, &parts)?;
        relation.ok_or_else(|| self.absent(&parts))
    }

    /// Why a statement that is to change a relation finds none of this name: those of the system are not in the catalog.
    pub fn absent(&self, parts: &[String]) -> Error {
        let name = parts.join(".");
        let system = match parts {
            [.., schema, name] => recorded::relation(schema, name),
            [name] => self.schemas().chain([PG_CATALOG]).find_map(|schema| recorded::relation(schema, name)),
            [] => None,
        };
        match system {
            Some(relation) => Error::SystemRelation { name: relation.name.to_owned() },
            None => Error::UndefinedTable { name, position: None },
        }
    }

    /// The name of a relation that is to be made: in the schema it names, or in the first of the search path that is
    /// there; of a temporary one, in the session's own schema.
    ///
    /// # Errors
    /// 3F000 when there is no such schema, 42P16 for a temporary relation in another than the session's own.
    pub fn new_relation(
        &self,
        snapshot: &CatalogSnapshot,
        name: &ast::ObjectName,
        temporary: bool,
    ) -> Result<(ObjectName, SchemaKind)> {
        let parts = parts(name)?;
        let (schema, name) = self.split(&parts)?;
        // The session's own schema is made together with the first thing in it.
        let is_own = |schema: &str| schema == self.temporary_schema;
        let own = || (ObjectName::new(self.temporary_schema.as_str(), name), SchemaKind::Local);
        let found = match schema {
            Some(schema) if is_own(schema) => return Ok(own()),
            Some(schema) => {
                let found =
                    snapshot.schema(schema).ok_or_else(|| Error::UndefinedSchema { name: schema.to_owned() })?;
                if temporary {
                    let message = "cannot create temporary relation in non-temporary schema".to_owned();
                    return Err(Error::InvalidDefinition { message });
                }
                found
            }
            None if temporary => return Ok(own()),
            None => {
                let first = self.search_path.iter().find(|schema| is_own(schema) || snapshot.schema(schema).is_some());
                match first {
                    Some(schema) if is_own(schema) => return Ok(own()),
                    Some(schema) => snapshot.must_schema(schema)?,
                    None => return Err(Error::NoSchemaSelected),
                }
            }
        };
        Ok((ObjectName::new(found.name.as_str(), name), found.kind.clone()))
    }

    /// The name of an object that is to be made and cannot be temporary.
    ///
    /// # Errors
    /// As for [`NameScope::new_relation`]; 0A000 in the schema of temporary objects.
    pub fn new_permanent(
        &self,
        snapshot: &CatalogSnapshot,
        name: &ast::ObjectName,
        what: &str,
    ) -> Result<(ObjectName, SchemaKind)> {
        let found = self.new_relation(snapshot, name, false)?;
        match found.0.is_temporary() {
            true => Err(Error::not_supported(format!("a temporary {what}"))),
            false => Ok(found),
        }
    }

    /// Whether an object may be moved into another schema.
    ///
    /// # Errors
    /// 0A000 when it is a temporary one, or would become one.
    pub fn check_move(&self, name: &ObjectName, schema: &str) -> Result<()> {
        if !name.is_temporary() && schema != PG_TEMP && schema != self.temporary_schema {
            return Ok(());
        }
        let message = "cannot move objects into or out of temporary schemas";
        Err(PgError::new(SqlState::FEATURE_NOT_SUPPORTED, message).into())
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

    /// The schema and the name; `pg_temp` is what it stands for.
    pub(super) fn split<'p>(&'p self, parts: &'p [String]) -> Result<(Option<&'p str>, &'p str)> {
        let schema = |written: &'p str| if written == PG_TEMP { self.temporary_schema.as_str() } else { written };
        match parts {
            [name] => Ok((None, name)),
            [written, name] => Ok((Some(schema(written)), name)),
            [database, written, name] => {
                self.check_database(database, parts)?;
                Ok((Some(schema(written)), name))
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
