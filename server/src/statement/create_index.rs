//! CREATE INDEX: what the catalog says of it, and, of a unique one, the key that it keeps.

use catalog::constraint::Key;
use catalog::{
    CatalogSnapshot, Constraint, ConstraintKind, HotTable, Index, IndexMethod, ObjectName, Relation, SqlType,
};
use pg::sqlstate::SqlState;
use pg::{PgError, recorded};

use crate::error::{Error, Result};
use crate::parse::indexes::{CreateIndex, IndexedColumn};
use crate::plan::PlanContext;
use crate::plan::relations::{NameScope, identifier, parts};
use crate::session::{Action, Object, Session, TransactionStatus, authorize};
use crate::statement::Outcome;
use crate::statement::alter_table::indexes;
use crate::statement::create_table::{check_type_name, is_taken};
use crate::statement::table_definition::{Definition, check_index_type, check_key_type};
use crate::system_catalog::operator_class_name;

/// Columns that an index can have (`INDEX_MAX_KEYS`).
const INDEX_COLUMNS_MAX: usize = 32;

/// # Errors
/// The table or a column is not there, the name is taken, the index is one of a kind that there is not, or rows of the table
/// have the same values in the columns of a unique one.
pub async fn execute(session: &mut Session, create: &CreateIndex, text: &str) -> Result<Outcome> {
    const TAG: &str = "CREATE INDEX";
    check_concurrently(session, create.concurrently, "CREATE INDEX CONCURRENTLY")?;
    let snapshot = session.snapshot()?;
    let relation = NameScope::of(session).must_relation(&snapshot, &create.table)?.clone();
    authorize(&session.identity, Action::Alter, Object::Relation(&relation))?;
    let table = match &relation {
        Relation::Hot(table) => table,
        other => return Err(not_for(other)),
    };
    let method = access_method(create)?;
    if let Some(name) = &create.name {
        let name = ObjectName::new(table.name.schema.as_str(), identifier(name));
        if is_taken(&snapshot, &name) {
            if !create.if_not_exists {
                return Err(catalog::Error::RelationExists(name).into());
            }
            session.notice(format!("relation \"{}\" already exists, skipping", name.name));
            return Ok(Outcome::command(TAG));
        }
        check_type_name(&snapshot, &name)?;
    }
    let mut new = table.as_ref().clone();
    {
        let context = PlanContext::new(session, snapshot.clone());
        let _entered = context.names().enter();
        let definition = Definition::new(&context, &session.server, text, table.as_ref().clone());
        add(&snapshot, &mut new, &definition, create, method)?;
    }
    if !create.unique {
        session.notice("no rows are found by the index: queries use zone maps and keys instead".to_owned());
    }
    indexes::replace(session, table, new, text).await?;
    Ok(Outcome::command(TAG))
}

/// # Errors
/// 25001 for a command that is `CONCURRENTLY`, in a transaction block.
pub fn check_concurrently(session: &Session, concurrently: bool, command: &str) -> Result<()> {
    if !concurrently || session.transaction_status() == TransactionStatus::Idle {
        return Ok(());
    }
    Err(Error::InvalidStatementHere { message: format!("{command} cannot run inside a transaction block") })
}

fn not_for(relation: &Relation) -> Error {
    let kind = match relation {
        Relation::View(_) => "views",
        Relation::External(_) => "foreign tables",
        Relation::Sequence(_) | Relation::Hot(_) => "sequences",
    };
    let message = format!("cannot create index on relation \"{}\"", relation.name().name);
    let error = PgError::new(SqlState::WRONG_OBJECT_TYPE, message);
    error.with_detail(format!("This operation is not supported for {kind}.")).into()
}

/// The access method, as far as it is one for this index.
fn access_method(create: &CreateIndex) -> Result<IndexMethod> {
    let name = create.method.as_ref().map_or_else(|| "btree".to_owned(), identifier);
    match name.as_str() {
        "btree" => return Ok(IndexMethod::Btree),
        "hash" => {}
        _ => {
            let known = recorded::rows("pg_am").is_some_and(|rows| {
                let (names, kinds) = (rows.column("amname"), rows.column("amtype"));
                let is_it = |row: &Vec<Option<&str>>| {
                    names.is_some_and(|it| row[it] == Some(&name)) && kinds.is_some_and(|it| row[it] == Some("i"))
                };
                rows.rows.iter().any(is_it)
            });
            if known {
                return Err(Error::not_supported(format!("access method \"{name}\"")));
            }
            let message = format!("access method \"{name}\" does not exist");
            return Err(PgError::new(SqlState::UNDEFINED_OBJECT, message).into());
        }
    }
    let lacks = match () {
        () if create.unique => "unique indexes",
        () if create.columns.len() > 1 => "multicolumn indexes",
        () if create.columns.iter().any(|column| column.order.is_some_and(|order| order & 1 != 0)) => {
            "ASC/DESC options"
        }
        () if create.columns.iter().any(|column| column.order.is_some()) => "NULLS FIRST/LAST options",
        () => return Ok(IndexMethod::Hash),
    };
    let message = format!("access method \"hash\" does not support {lacks}");
    Err(PgError::new(SqlState::FEATURE_NOT_SUPPORTED, message).into())
}

/// Gives the table the index.
fn add(
    snapshot: &CatalogSnapshot,
    new: &mut HotTable,
    definition: &Definition<'_>,
    create: &CreateIndex,
    method: IndexMethod,
) -> Result<()> {
    if create.columns.len() > INDEX_COLUMNS_MAX {
        let message = format!("cannot use more than {INDEX_COLUMNS_MAX} columns in an index");
        return Err(PgError::new(SqlState::TOO_MANY_COLUMNS, message).into());
    }
    let mut columns = Vec::with_capacity(create.columns.len());
    for written in &create.columns {
        let column = indexed(new, written)?;
        check_type(&column.1, create.unique, method)?;
        check_operator_class(snapshot, &column.1, written, method)?;
        columns.push(column.0);
    }
    let mut order: Vec<i16> = create.columns.iter().map(|column| column.order.unwrap_or_default()).collect();
    let name = match &create.name {
        Some(name) => identifier(name),
        None => {
            definition.index_name(&create.columns.iter().map(|column| identifier(&column.name)).collect::<Vec<_>>())
        }
    };
    let oid = definition.new_oid();
    if !create.unique {
        new.plain_indexes.push(Index { oid, name, columns, order, method });
        return Ok(());
    }
    if order.iter().all(|order| *order == 0) {
        order.clear();
    }
    let (distinct, mut numbers) = (columns.len(), columns.clone());
    numbers.sort_unstable();
    numbers.dedup();
    if numbers.len() < distinct {
        return Err(Error::not_supported("a unique index that has a column twice"));
    }
    if new.constraint(&name).is_some() {
        let message = format!("constraint \"{name}\" for relation \"{}\" already exists", new.name.name);
        return Err(PgError::new(SqlState::DUPLICATE_OBJECT, message).into());
    }
    let nulls_not_distinct = create.nulls_not_distinct;
    let key = Key { primary: false, index: oid, columns, nulls_not_distinct, index_only: true, order };
    let kind = ConstraintKind::Key(key);
    new.constraints.push(Constraint { oid: definition.new_oid(), name, kind, is_valid: true });
    Ok(())
}

/// The number and the type of a column.
fn indexed(table: &HotTable, written: &IndexedColumn) -> Result<(i16, SqlType)> {
    let name = identifier(&written.name);
    let column = table
        .columns
        .iter()
        .find(|column| column.name == name)
        .ok_or_else(|| PgError::new(SqlState::UNDEFINED_COLUMN, format!("column \"{name}\" does not exist")))?;
    Ok((column.attribute_number, column.sql_type.clone()))
}

fn check_type(sql_type: &SqlType, unique: bool, method: IndexMethod) -> Result<()> {
    match unique {
        true => check_key_type(sql_type),
        false => check_index_type(sql_type, method),
    }
}

/// Values are compared by the operator class that their type has from the start, and by no other.
fn check_operator_class(
    snapshot: &CatalogSnapshot,
    sql_type: &SqlType,
    written: &IndexedColumn,
    method: IndexMethod,
) -> Result<()> {
    let Some(class) = &written.operator_class else { return Ok(()) };
    let parts = parts(class)?;
    match operator_class_name(snapshot, method, sql_type) == parts.last().map(String::as_str) {
        true => Ok(()),
        false => Err(Error::not_supported(format!("operator class {}", parts.join(".")))),
    }
}
