//! FOREIGN KEY: looked at as PostgreSQL does, recorded, and not enforced.

use std::sync::Arc;

use catalog::constraint::{ConstraintKind, ForeignKey};
use catalog::{Column, HotTable, OnCommit, Relation};
use pg::PgError;
use pg::Type;
use pg::function::CastContext;
use pg::sqlstate::SqlState;
use pg::types::*;
use pg::user_types::{base_number, type_of_column};

use super::{Definition, WrittenForeignKey};
use crate::analyze::coerce::can_coerce;
use crate::error::{Error, Result};
use crate::plan::relations::{identifier, parts};

/// Types whose values are compared with each other's as they are.
const COMPARED: &[&[u32]] = &[&[INT2, INT4, INT8], &[FLOAT4, FLOAT8], &[DATE, TIMESTAMP, TIMESTAMPTZ]];

impl Definition<'_> {
    pub(super) fn make_foreign_keys(&mut self) -> Result<()> {
        for written in std::mem::take(&mut self.foreign_keys) {
            let (name, key) = self.foreign_key(&written)?;
            self.push_constraint(name, ConstraintKind::ForeignKey(key));
        }
        Ok(())
    }

    fn foreign_key(&self, written: &WrittenForeignKey) -> Result<(String, ForeignKey)> {
        let own = Arc::new(self.table.clone());
        let referenced = self.referenced_table(written, &own)?;
        check_lifetimes(&own, &referenced)?;
        let columns = named_columns(&own, &written.columns)?;
        let referenced_columns = match written.reference.columns.as_slice() {
            [] => primary_key(&referenced)?,
            named => named_columns(&referenced, named)?,
        };
        if !written.reference.columns.is_empty() {
            check_referenced_key(&referenced, &referenced_columns)?;
        }
        if columns.len() != referenced_columns.len() {
            let message = "number of referencing and referenced columns for foreign key disagree";
            return Err(PgError::new(SqlState::INVALID_FOREIGN_KEY, message).into());
        }
        let joined: Vec<_> = columns.iter().map(|column| column.name.as_str()).collect();
        let name = match &written.name {
            Some(name) => identifier(name),
            None => self.constraint_name(Some(&joined.join("_")), "fkey"),
        };
        self.check_constraint_name(&name)?;
        for (column, key) in columns.iter().zip(&referenced_columns) {
            check_types(&name, column, key)?;
        }
        let numbers = |columns: &[Column]| columns.iter().map(|column| column.attribute_number).collect();
        let reference = &written.reference;
        let key = ForeignKey {
            columns: numbers(&columns),
            referenced: referenced.oid,
            referenced_columns: numbers(&referenced_columns),
            on_delete: reference.on_delete,
            on_update: reference.on_update,
            match_full: reference.match_full,
        };
        Ok((name, key))
    }

    fn referenced_table(&self, written: &WrittenForeignKey, own: &Arc<HotTable>) -> Result<Arc<HotTable>> {
        let parts = parts(&written.reference.table)?;
        let found = self.context.names().relation_named(&parts);
        match found {
            Some(Relation::Hot(table)) => Ok(if table.oid == own.oid { own.clone() } else { table.clone() }),
            Some(other) => {
                let message = format!("referenced relation \"{}\" is not a table", other.name().name);
                Err(PgError::new(SqlState::WRONG_OBJECT_TYPE, message).into())
            }
            // A table may refer to itself while it is made.
            None if parts.last() == Some(&own.name.name)
                && (parts.len() == 1 || parts.get(parts.len() - 2) == Some(&own.name.schema)) =>
            {
                Ok(own.clone())
            }
            None => match self.context.names().missing_schema(&parts) {
                Some(schema) => Err(Error::UndefinedSchema { name: schema.to_owned() }),
                None => Err(Error::UndefinedTable { name: parts.join("."), position: None }),
            },
        }
    }
}

/// A table and the one that it refers to must live alike.
fn check_lifetimes(own: &HotTable, referenced: &HotTable) -> Result<()> {
    let (temporary, refers_to_temporary) = (own.name.is_temporary(), referenced.name.is_temporary());
    if temporary != refers_to_temporary {
        let kind = if temporary { "temporary" } else { "permanent" };
        let message = format!("constraints on {kind} tables may reference only {kind} tables");
        return Err(PgError::new(SqlState::INVALID_TABLE_DEFINITION, message).into());
    }
    if referenced.on_commit == OnCommit::DeleteRows && own.on_commit != OnCommit::DeleteRows {
        let message = "unsupported ON COMMIT and foreign key combination";
        let detail = format!(
            "Table \"{}\" references \"{}\", but they do not have the same ON COMMIT setting.",
            own.name.name, referenced.name.name
        );
        return Err(PgError::new(SqlState::FEATURE_NOT_SUPPORTED, message).with_detail(detail).into());
    }
    Ok(())
}

fn named_columns(table: &HotTable, names: &[sqlparser::ast::Ident]) -> Result<Vec<Column>> {
    let column = |name: &sqlparser::ast::Ident| {
        let name = identifier(name);
        table.columns.iter().find(|column| column.name == name).cloned().ok_or_else(|| {
            let message = format!("column \"{name}\" referenced in foreign key constraint does not exist");
            Error::from(PgError::new(SqlState::UNDEFINED_COLUMN, message))
        })
    };
    names.iter().map(column).collect()
}

fn primary_key(table: &HotTable) -> Result<Vec<Column>> {
    let key = table.keys().find(|(_, key)| key.primary).map(|(_, key)| key);
    let key = key.ok_or_else(|| {
        let message = format!("there is no primary key for referenced table \"{}\"", table.name.name);
        PgError::new(SqlState::UNDEFINED_OBJECT, message)
    })?;
    Ok(key.columns.iter().filter_map(|number| table.column(*number)).cloned().collect())
}

/// The columns that are referred to must be those of a key, in any order.
fn check_referenced_key(table: &HotTable, columns: &[Column]) -> Result<()> {
    let mut numbers: Vec<_> = columns.iter().map(|column| column.attribute_number).collect();
    numbers.sort_unstable();
    if numbers.windows(2).any(|pair| pair[0] == pair[1]) {
        let message = "foreign key referenced-columns list must not contain duplicates";
        return Err(PgError::new(SqlState::INVALID_FOREIGN_KEY, message).into());
    }
    let is_key = table.keys().any(|(_, key)| {
        let mut of_key = key.columns.clone();
        of_key.sort_unstable();
        of_key == numbers
    });
    if is_key {
        return Ok(());
    }
    let message =
        format!("there is no unique constraint matching given keys for referenced table \"{}\"", table.name.name);
    Err(PgError::new(SqlState::INVALID_FOREIGN_KEY, message).into())
}

/// Whether values of the columns can be compared.
fn check_types(name: &str, column: &Column, key: &Column) -> Result<()> {
    let (from, to) = (type_of_column(&column.sql_type), type_of_column(&key.sql_type));
    let (from_base, to_base) = (base_number(from.oid), base_number(to.oid));
    let comparable = from_base == to_base
        || can_coerce(from_base, to_base, CastContext::Implicit)
        || COMPARED.iter().any(|types| types.contains(&from_base) && types.contains(&to_base));
    if comparable {
        return Ok(());
    }
    let error =
        PgError::new(SqlState::DATATYPE_MISMATCH, format!("foreign key constraint \"{name}\" cannot be implemented"));
    let detail = format!(
        "Key columns \"{}\" and \"{}\" are of incompatible types: {} and {}.",
        column.name,
        key.name,
        Type::of(from.oid).name(),
        Type::of(to.oid).name()
    );
    Err(error.with_detail(detail).into())
}
