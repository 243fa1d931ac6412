//! What depends on what, and what is said of things: `pg_depend`, `pg_rewrite`, `pg_description`, `pg_shdescription`.

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use catalog::comment::ObjectClass;
use catalog::{CatalogSnapshot, ColumnDefault, ConstraintKind, HotTable, Oid, Relation};
use pg::PgError;

use super::functions;
use super::numbers::{CLASSES, CONSTRAINTS, DEFAULTS, RULES, SCHEMAS, TYPES, default_oid, rule_oid, schema_oid};
use super::rows::{Rows, Value};
use crate::error::Result;

/// An object: the number of its catalog, its own, and that of a column or 0.
type Address = (u32, u32, i16);

/// It goes with the other without being asked.
const AUTO: &str = "a";
/// It is a part of the other.
const INTERNAL: &str = "i";
/// It keeps the other from being dropped.
const NORMAL: &str = "n";

/// `pg_depend`
///
/// # Errors
/// None but bugs.
pub fn pg_depend(snapshot: &CatalogSnapshot) -> Result<RecordBatch> {
    let columns = ["classid", "objid", "objsubid", "refclassid", "refobjid", "refobjsubid", "deptype"];
    let mut rows = Rows::new("pg_depend", &columns)?;
    let mut push = |(object, referenced, kind): (Address, Address, &'static str)| {
        rows.push([
            object.0.into(),
            object.1.into(),
            Value::Int4(object.2.into()),
            referenced.0.into(),
            referenced.1.into(),
            Value::Int4(referenced.2.into()),
            kind.into(),
        ])
    };
    for relation in snapshot.relations() {
        let itself = (CLASSES, relation.oid().0, 0);
        push((itself, (SCHEMAS, schema_oid(snapshot, &relation.name().schema), 0), NORMAL))?;
        match relation {
            Relation::Hot(table) => of_table(table).into_iter().try_for_each(&mut push)?,
            Relation::Sequence(sequence) => {
                let kind = if sequence.identity { INTERNAL } else { AUTO };
                if let Some((table, column)) = sequence.owner {
                    push((itself, (CLASSES, table.0, column), kind))?;
                }
            }
            Relation::View(view) => {
                let rule = (RULES, rule_oid(view.oid), 0);
                push((rule, itself, INTERNAL))?;
                push((rule, itself, NORMAL))?;
                for seen in &view.relations {
                    let read = seen.columns.iter().filter(|column| column.is_read);
                    let read = read.map(|column| (rule, (CLASSES, seen.oid.0, column.number), NORMAL));
                    let whole = (rule, (CLASSES, seen.oid.0, 0), NORMAL);
                    std::iter::once(whole).chain(read).try_for_each(&mut push)?;
                }
                let types = view.depends_on.iter().filter(|oid| snapshot.user_type_by_oid(**oid).is_some());
                types.map(|oid| (rule, (TYPES, oid.0, 0), NORMAL)).try_for_each(&mut push)?;
            }
            Relation::External(_) => {}
        }
    }
    rows.finish()
}

fn of_table(table: &HotTable) -> Vec<(Address, Address, &'static str)> {
    let column = |number: i16| (CLASSES, table.oid.0, number);
    let mut found = Vec::new();
    for it in &table.columns {
        let number = it.attribute_number;
        let default = (DEFAULTS, default_oid(table.oid, number), 0);
        if let Some(ColumnDefault::Expression(written) | ColumnDefault::Generated(written)) = &it.default {
            found.push((default, column(number), AUTO));
            found.extend(written.refers_to.iter().map(|oid| (default, (CLASSES, oid.0, 0), NORMAL)));
        }
        if let Some(user) = Some(it.sql_type.oid()).filter(|oid| pg::names::is_user_number(oid.0)) {
            found.push((column(number), (TYPES, user.0, 0), NORMAL));
        }
    }
    for index in table.indexes().filter(|index| index.key.is_none_or(|key| key.index_only)) {
        found.extend(index.columns.iter().map(|number| ((CLASSES, index.oid.0, 0), column(*number), AUTO)));
    }
    for constraint in table.constraints.iter().filter(|constraint| !constraint.is_index_only()) {
        let itself = (CONSTRAINTS, constraint.oid.0, 0);
        let columns = match &constraint.kind {
            ConstraintKind::Check(check) => &check.columns,
            ConstraintKind::Key(key) => {
                found.push(((CLASSES, key.index.0, 0), itself, INTERNAL));
                &key.columns
            }
            ConstraintKind::ForeignKey(foreign) => {
                let referenced = |number: &i16| (itself, (CLASSES, foreign.referenced.0, *number), NORMAL);
                found.extend(foreign.referenced_columns.iter().map(referenced));
                &foreign.columns
            }
        };
        found.extend(columns.iter().map(|number| (itself, column(*number), AUTO)));
    }
    found
}

/// `pg_rewrite`: the rule that makes a view what it is.
///
/// # Errors
/// None but bugs.
pub fn pg_rewrite(snapshot: &CatalogSnapshot) -> Result<RecordBatch> {
    let columns = ["oid", "rulename", "ev_class", "ev_type", "ev_enabled", "is_instead"];
    let mut rows = Rows::new("pg_rewrite", &columns)?;
    for relation in snapshot.relations() {
        let Relation::View(view) = relation else { continue };
        rows.push([rule_oid(view.oid).into(), "_RETURN".into(), view.oid.into(), "1".into(), "O".into(), true.into()])?;
    }
    rows.finish()
}

/// `pg_description`
///
/// # Errors
/// None but bugs.
pub fn pg_description(snapshot: &CatalogSnapshot) -> Result<RecordBatch> {
    let mut rows = Rows::new("pg_description", &["objoid", "classoid", "objsubid", "description"])?;
    for (commented, text) in snapshot.comments().filter(|(it, _)| it.class != ObjectClass::Database) {
        let Oid(object) = commented.oid;
        rows.push([object.into(), commented.class.oid().into(), Value::Int4(commented.column.into()), text.into()])?;
    }
    let (written, recorded) = (rows.finish()?, functions::descriptions()?);
    concat_batches(&written.schema(), [&recorded, &written])
        .map_err(|error| PgError::internal(error.to_string()).into())
}

/// `pg_shdescription`: what is said of the database.
///
/// # Errors
/// None but bugs.
pub fn pg_shdescription(snapshot: &CatalogSnapshot) -> Result<RecordBatch> {
    let mut rows = Rows::new("pg_shdescription", &["objoid", "classoid", "description"])?;
    for (commented, text) in snapshot.comments().filter(|(it, _)| it.class == ObjectClass::Database) {
        rows.push([commented.oid.into(), commented.class.oid().into(), text.into()])?;
    }
    rows.finish()
}
