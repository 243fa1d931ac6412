//! PRIMARY KEY and UNIQUE.

use catalog::constraint::{ConstraintKind, Key};
use catalog::user_type::Carried;
use catalog::{IndexMethod, SqlType};
use pg::PgError;
use pg::sqlstate::SqlState;

use super::{Definition, WrittenKey};
use crate::error::{Error, Result};
use crate::plan::relations::identifier;

impl Definition<'_> {
    /// What is wrong with keys is found before anything else; a primary key's columns are not NULL.
    pub(super) fn check_keys(&mut self) -> Result<()> {
        let mut primary = self.table.keys().any(|(_, key)| key.primary);
        for key in &self.keys {
            if key.kind.primary && std::mem::replace(&mut primary, true) {
                let message = format!("multiple primary keys for table \"{}\" are not allowed", self.table.name.name);
                return Err(self.at(PgError::new(SqlState::INVALID_TABLE_DEFINITION, message), key.place));
            }
            self.key_columns(key)?;
        }
        let primary: Vec<_> = self.keys.iter().filter(|key| key.kind.primary).flat_map(|key| &key.columns).collect();
        let primary: Vec<_> = primary.into_iter().map(identifier).collect();
        for column in self.table.columns.iter_mut().filter(|column| primary.contains(&column.name)) {
            column.not_null = true;
        }
        Ok(())
    }

    /// The numbers of the columns of a key.
    fn key_columns(&self, key: &WrittenKey) -> Result<Vec<i16>> {
        let mut numbers = Vec::with_capacity(key.columns.len());
        for name in &key.columns {
            let Some(column) = self.column_named(name) else {
                let message = format!("column \"{}\" named in key does not exist", identifier(name));
                return Err(self.at(PgError::new(SqlState::UNDEFINED_COLUMN, message), key.place));
            };
            if numbers.contains(&column.attribute_number) {
                let kind = if key.kind.primary { "primary key" } else { "unique" };
                let message = format!("column \"{}\" appears twice in {kind} constraint", column.name);
                return Err(self.at(PgError::new(SqlState::DUPLICATE_COLUMN, message), key.place));
            }
            check_key_type(&column.sql_type)?;
            numbers.push(column.attribute_number);
        }
        Ok(numbers)
    }

    /// Adds the keys, the primary one first. One that asks for what another does is the same.
    pub(super) fn make_keys(&mut self) -> Result<()> {
        let mut keys = std::mem::take(&mut self.keys);
        keys.sort_by_key(|key| !key.kind.primary);
        let mut kept: Vec<(WrittenKey, Vec<i16>)> = Vec::new();
        for key in keys {
            let columns = self.key_columns(&key)?;
            let same = kept.iter_mut().find(|(other, known)| {
                *known == columns && other.kind.nulls_not_distinct == key.kind.nulls_not_distinct
            });
            match same {
                Some((other, _)) if other.name.is_none() => other.name = key.name,
                Some(_) => {}
                None => kept.push((key, columns)),
            }
        }
        for (key, columns) in kept {
            let name = self.key_name(&key)?;
            let index = self.server.catalog.allocate_oid();
            let nulls_not_distinct = key.kind.nulls_not_distinct;
            let (primary, order) = (key.kind.primary, Vec::new());
            let key = Key { primary, index, columns, nulls_not_distinct, index_only: false, order };
            self.push_constraint(name, ConstraintKind::Key(key));
        }
        Ok(())
    }

    fn key_name(&self, key: &WrittenKey) -> Result<String> {
        let Some(name) = &key.name else {
            let columns: Vec<_> = key.columns.iter().map(identifier).collect();
            return Ok(match key.kind.primary {
                true => self.relation_name(None, "pkey"),
                false => self.relation_name(Some(&columns.join("_")), "key"),
            });
        };
        let name = identifier(name);
        if self.is_relation(&name) {
            let name = catalog::ObjectName::new(self.table.name.schema.as_str(), name);
            return Err(catalog::Error::RelationExists(name).into());
        }
        self.check_constraint_name(&name)?;
        Ok(name)
    }

    /// Constraints of a table have names of their own.
    pub(super) fn check_constraint_name(&self, name: &str) -> Result<()> {
        if self.table.constraint(name).is_none() {
            return Ok(());
        }
        let message = format!("constraint \"{name}\" for relation \"{}\" already exists", self.table.name.name);
        Err(PgError::new(SqlState::DUPLICATE_OBJECT, message).into())
    }
}

/// Values of an index that keeps no key need an order, or a hash.
///
/// # Errors
/// 42704 for a type that has none.
pub fn check_index_type(sql_type: &SqlType, method: IndexMethod) -> Result<()> {
    match sql_type {
        SqlType::Json | SqlType::HllSketch => Err(no_operator_class(sql_type, method)),
        SqlType::User(user) => match user.carried() {
            Carried::As(base) => check_index_type(base, method),
            Carried::Number | Carried::Array(_) | Carried::Record(_) => Ok(()),
        },
        _ => Ok(()),
    }
}

fn no_operator_class(sql_type: &SqlType, method: IndexMethod) -> Error {
    let method = method.name();
    let message = format!("data type {sql_type} has no default operator class for access method \"{method}\"");
    let error = PgError::new(SqlState::UNDEFINED_OBJECT, message);
    let hint = "You must specify an operator class for the index or define a default operator class for the data type.";
    error.with_hint(hint).into()
}

/// Values of a key are equal when what is stored of them is.
///
/// # Errors
/// 42704 for a type that has no operator class, 0A000 for one whose equal values may be stored in several ways.
pub fn check_key_type(sql_type: &SqlType) -> Result<()> {
    let compared_otherwise = match sql_type {
        SqlType::Json | SqlType::HllSketch => return Err(no_operator_class(sql_type, IndexMethod::Btree)),
        SqlType::Interval | SqlType::TimeTz | SqlType::Jsonb | SqlType::Array(_) | SqlType::List(_) => true,
        SqlType::User(user) => match user.carried() {
            Carried::Number => false,
            Carried::As(base) => return check_key_type(base),
            Carried::Array(_) | Carried::Record(_) => true,
        },
        other => other.is_nested(),
    };
    match compared_otherwise {
        true => Err(Error::not_supported(format!("a key over a column of type {sql_type}"))),
        false => Ok(()),
    }
}
