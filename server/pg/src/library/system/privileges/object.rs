//! The objects that privileges are asked about, by name or number.

use catalog::{Relation, UserTypeKind};

use super::privilege::Kind;
use crate::error::{PgError, Result};
use crate::input::{object_name, type_name};
use crate::names::{self, DATABASE_OID, Names};
use crate::recorded;
use crate::sqlstate::SqlState;

/// An object that there is.
#[derive(Debug, Clone, Copy)]
pub struct Object {
    /// What it is.
    pub kind: Kind,
    /// Its number; 0 of a setting, which has none.
    pub oid: u32,
}

impl Object {
    /// A setting; there is no need for it to be there.
    pub fn parameter() -> Self {
        Object { kind: Kind::Parameter, oid: 0 }
    }

    /// The object of this name.
    ///
    /// # Errors
    /// It is not there; it is no name.
    pub fn named(names: &Names, kind: Kind, name: &str) -> Result<Self> {
        let (found, sqlstate, what) = match kind {
            Kind::Table | Kind::AnyColumn | Kind::Column | Kind::Sequence => {
                let oid = object_name::must_named_relation(name)?;
                if kind == Kind::Sequence && !is_sequence(names, oid) {
                    return Err(no_sequence(name));
                }
                (Some(oid), SqlState::UNDEFINED_TABLE, "relation")
            }
            Kind::Database => (database_named(names, name), SqlState::INVALID_CATALOG_NAME, "database"),
            Kind::Schema => (schema_named(names, name), SqlState::INVALID_SCHEMA_NAME, "schema"),
            Kind::Function => (
                Some(object_name::procedure_number(name)?).filter(|oid| *oid != 0),
                SqlState::UNDEFINED_FUNCTION,
                "function",
            ),
            Kind::Type => {
                (Some(type_name::type_number(name)?).filter(|oid| *oid != 0), SqlState::UNDEFINED_OBJECT, "type")
            }
            Kind::Language => (recorded_named("pg_language", "lanname", name), SqlState::UNDEFINED_OBJECT, "language"),
            Kind::Tablespace => {
                (recorded_named("pg_tablespace", "spcname", name), SqlState::UNDEFINED_OBJECT, "tablespace")
            }
            Kind::Server => {
                let schemas = &mut names.external_schemas();
                let found = schemas.find(|schema| schema.name == name).map(|schema| schema.oid.0);
                (found, SqlState::UNDEFINED_OBJECT, "server")
            }
            Kind::Wrapper => {
                let found = (name == names::WRAPPER && has_wrapper(names)).then_some(names::WRAPPER_OID);
                (found, SqlState::UNDEFINED_OBJECT, "foreign-data wrapper")
            }
            Kind::Parameter => return Ok(Object::parameter()),
        };
        let missing = || PgError::new(sqlstate, format!("{what} \"{name}\" does not exist"));
        found.map(|oid| Object { kind, oid }).ok_or_else(missing)
    }

    /// The object with this number; `None` when there is none.
    ///
    /// # Errors
    /// It is no sequence, where only these are asked about.
    pub fn numbered(names: &Names, kind: Kind, oid: u32) -> Result<Option<Self>> {
        let exists = match kind {
            Kind::Table | Kind::AnyColumn | Kind::Column => is_relation(names, oid),
            Kind::Sequence => match relation_name(names, oid) {
                Some(name) if !is_sequence(names, oid) => return Err(no_sequence(&name)),
                found => found.is_some(),
            },
            Kind::Database => oid == DATABASE_OID,
            Kind::Schema => {
                recorded::has_number("pg_namespace", oid)
                    || names.snapshot().schemas().any(|schema| schema.oid.0 == oid)
            }
            Kind::Function => recorded::has_number("pg_proc", oid),
            Kind::Type => crate::types::type_name(oid) != "???",
            Kind::Language => recorded::has_number("pg_language", oid),
            Kind::Tablespace => recorded::has_number("pg_tablespace", oid),
            Kind::Server => names.external_schemas().any(|schema| schema.oid.0 == oid),
            Kind::Wrapper => oid == names::WRAPPER_OID && has_wrapper(names),
            Kind::Parameter => false,
        };
        Ok(exists.then_some(Object { kind, oid }))
    }

    /// # Errors
    /// 42703 when the relation has no column of this name.
    pub fn must_have_column(self, names: &Names, name: &str) -> Result<()> {
        match columns(names, self.oid).iter().any(|(_, known)| known == name) {
            true => Ok(()),
            false => {
                let relation = relation_name(names, self.oid).unwrap_or_default();
                let message = format!("column \"{name}\" of relation \"{relation}\" does not exist");
                Err(PgError::new(SqlState::UNDEFINED_COLUMN, message))
            }
        }
    }

    /// Whether the relation has a column with this number.
    pub fn has_attribute(self, names: &Names, number: i16) -> bool {
        columns(names, self.oid).iter().any(|(known, _)| *known == number)
    }
}

fn no_sequence(name: &str) -> PgError {
    PgError::new(SqlState::WRONG_OBJECT_TYPE, format!("\"{name}\" is not a sequence"))
}

fn is_sequence(names: &Names, oid: u32) -> bool {
    matches!(names.snapshot().relation_by_oid(catalog::Oid(oid)), Some(Relation::Sequence(_)))
}

fn is_relation(names: &Names, oid: u32) -> bool {
    relation_name(names, oid).is_some()
}

/// The name of what has a row in `pg_class`, without its schema.
fn relation_name(names: &Names, oid: u32) -> Option<String> {
    if let Some(system) = recorded::relation_by_oid(oid) {
        return Some(system.name.to_owned());
    }
    let oid = catalog::Oid(oid);
    if let Some(relation) = names.snapshot().relation_by_oid(oid) {
        return Some(relation.name().name.clone());
    }
    let index = names.index(oid.0).map(|(_, it)| it.name.to_owned());
    index.or_else(|| composite(names, oid).map(|ty| ty.name.name.clone()))
}

fn composite(names: &Names, oid: catalog::Oid) -> Option<&catalog::UserType> {
    let ty = names.snapshot().user_type_by_oid(oid)?;
    (ty.oid == oid && matches!(ty.kind, UserTypeKind::Composite(_))).then_some(ty.as_ref())
}

/// The numbers and names of the columns of what has a row in `pg_class`.
fn columns(names: &Names, oid: u32) -> Vec<(i16, String)> {
    fn numbered<'n>(names: impl Iterator<Item = &'n str>) -> Vec<(i16, String)> {
        (1..).zip(names.map(str::to_owned)).collect()
    }
    if let Some(system) = recorded::relation_by_oid(oid) {
        return numbered(system.columns.iter().map(|column| column.name));
    }
    let oid = catalog::Oid(oid);
    match names.snapshot().relation_by_oid(oid) {
        Some(Relation::Hot(table)) => {
            table.columns.iter().map(|column| (column.attribute_number, column.name.clone())).collect()
        }
        Some(Relation::Sequence(_)) => numbered(["last_value", "log_cnt", "is_called"].into_iter()),
        Some(Relation::View(view)) => numbered(view.columns.iter().map(String::as_str)),
        Some(other) => numbered(other.columns().map(|(name, _)| name)),
        None => match composite(names, oid).map(|ty| &ty.kind) {
            Some(UserTypeKind::Composite(attributes)) => numbered(attributes.iter().map(|it| it.name.as_str())),
            _ => Vec::new(),
        },
    }
}

fn database_named(names: &Names, name: &str) -> Option<u32> {
    names.is_database(name).then_some(DATABASE_OID)
}

fn schema_named(names: &Names, name: &str) -> Option<u32> {
    names.schema_number(name).or_else(|| recorded_named("pg_namespace", "nspname", name))
}

fn has_wrapper(names: &Names) -> bool {
    names.external_schemas().next().is_some()
}

/// The number of what PostgreSQL has from the start.
fn recorded_named(relation: &str, column: &str, name: &str) -> Option<u32> {
    let rows = recorded::rows(relation)?;
    let place = rows.column(column)?;
    rows.rows.iter().find(|row| row[place] == Some(name)).and_then(|row| row[0]?.parse().ok())
}
