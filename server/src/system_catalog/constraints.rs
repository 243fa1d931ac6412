//! Constraints and indexes: `pg_constraint`, `pg_index`.

use std::collections::HashMap;
use std::sync::LazyLock;

use arrow::array::RecordBatch;
use catalog::constraint::{ForeignKey, ReferentialAction};
use catalog::{CatalogSnapshot, Constraint, ConstraintKind, HotTable, IndexMethod, Oid, SqlType, UserTypeKind};
use pg::names::member_oid;
use pg::recorded;
use pg::types::{ANYARRAY, ANYENUM, RECORD, TEXT, VARCHAR, element_type};

use super::numbers::schema_oid;
use super::rows::{Rows, Value};
use super::type_facts::facts;
use crate::error::Result;

/// `pg_constraint`
///
/// # Errors
/// None but bugs.
pub fn pg_constraint(snapshot: &CatalogSnapshot) -> Result<RecordBatch> {
    let mut rows = Rows::new(
        "pg_constraint",
        &[
            "oid",
            "conname",
            "connamespace",
            "contype",
            "convalidated",
            "conrelid",
            "contypid",
            "conindid",
            "confrelid",
            "confupdtype",
            "confdeltype",
            "confmatchtype",
            "conislocal",
            "connoinherit",
            "conkey",
            "confkey",
            "conbin",
        ],
    )?;
    for table in snapshot.hot_tables() {
        let schema = schema_oid(snapshot, &table.name.schema);
        for constraint in table.constraints.iter().filter(|constraint| !constraint.is_index_only()) {
            rows.push(of_table(snapshot, table, schema, constraint))?;
        }
    }
    for ty in snapshot.user_types() {
        let UserTypeKind::Domain(domain) = &ty.kind else { continue };
        let schema = schema_oid(snapshot, &ty.name.schema);
        for (check, place) in domain.checks.iter().zip(0..) {
            rows.push([
                member_oid(ty.oid, place).into(),
                Value::from(&check.name),
                schema.into(),
                "c".into(),
                true.into(),
                Value::Number(0),
                ty.oid.into(),
                Value::Number(0),
                Value::Number(0),
                " ".into(),
                " ".into(),
                " ".into(),
                true.into(),
                false.into(),
                Value::Null,
                Value::Null,
                Value::from(&check.condition.text),
            ])?;
        }
    }
    rows.finish()
}

fn of_table<'a>(
    snapshot: &CatalogSnapshot,
    table: &HotTable,
    schema: u32,
    constraint: &'a Constraint,
) -> [Value<'a>; 17] {
    let foreign = match &constraint.kind {
        ConstraintKind::ForeignKey(foreign) => Some(foreign),
        ConstraintKind::Check(_) | ConstraintKind::Key(_) => None,
    };
    let (kind, columns, condition) = match &constraint.kind {
        ConstraintKind::Check(check) => ("c", &check.columns, Some(&check.condition.text)),
        ConstraintKind::Key(key) => (if key.primary { "p" } else { "u" }, &key.columns, None),
        ConstraintKind::ForeignKey(foreign) => ("f", &foreign.columns, None),
    };
    let index = match &constraint.kind {
        ConstraintKind::Key(key) => key.index,
        ConstraintKind::ForeignKey(foreign) => referenced_index(snapshot, foreign),
        ConstraintKind::Check(_) => Oid(0),
    };
    let action = |action: fn(&ForeignKey) -> ReferentialAction| {
        Value::from(foreign.map_or(" ", |foreign| letter(action(foreign))))
    };
    [
        constraint.oid.into(),
        Value::from(&constraint.name),
        schema.into(),
        kind.into(),
        constraint.is_valid.into(),
        table.oid.into(),
        Value::Number(0),
        index.into(),
        foreign.map_or(Oid(0), |foreign| foreign.referenced).into(),
        action(|foreign| foreign.on_update),
        action(|foreign| foreign.on_delete),
        foreign.map_or(" ", |foreign| if foreign.match_full { "f" } else { "s" }).into(),
        true.into(),
        (kind != "c").into(),
        columns.clone().into(),
        foreign.map(|foreign| foreign.referenced_columns.clone()).into(),
        condition.into(),
    ]
}

/// The index of the key that a foreign key refers to.
fn referenced_index(snapshot: &CatalogSnapshot, foreign: &ForeignKey) -> Oid {
    let found = snapshot.relation_by_oid(foreign.referenced).and_then(|relation| match relation {
        catalog::Relation::Hot(table) => {
            let mut columns = foreign.referenced_columns.clone();
            columns.sort_unstable();
            table.keys().map(|(_, key)| key).find(|key| {
                let mut of_key = key.columns.clone();
                of_key.sort_unstable();
                of_key == columns
            })
        }
        _ => None,
    });
    found.map_or(Oid(0), |key| key.index)
}

fn letter(action: ReferentialAction) -> &'static str {
    match action {
        ReferentialAction::NoAction => "a",
        ReferentialAction::Restrict => "r",
        ReferentialAction::Cascade => "c",
        ReferentialAction::SetNull => "n",
        ReferentialAction::SetDefault => "d",
    }
}

/// `pg_index`
///
/// # Errors
/// None but bugs.
pub fn pg_index(snapshot: &CatalogSnapshot) -> Result<RecordBatch> {
    let mut rows = Rows::new(
        "pg_index",
        &[
            "indexrelid",
            "indrelid",
            "indnatts",
            "indnkeyatts",
            "indisunique",
            "indnullsnotdistinct",
            "indisprimary",
            "indimmediate",
            "indisvalid",
            "indisready",
            "indislive",
            "indkey",
            "indcollation",
            "indclass",
            "indoption",
        ],
    )?;
    for table in snapshot.hot_tables() {
        for index in table.indexes() {
            let columns = index.columns.iter().filter_map(|it| table.column(*it));
            let types: Vec<_> = columns.map(|it| &it.sql_type).collect();
            let width = index.columns.len() as i16;
            rows.push([
                index.oid.into(),
                table.oid.into(),
                width.into(),
                width.into(),
                index.key.is_some().into(),
                index.key.is_some_and(|key| key.nulls_not_distinct).into(),
                index.key.is_some_and(|key| key.primary).into(),
                true.into(),
                true.into(),
                true.into(),
                true.into(),
                index.columns.to_vec().into(),
                types.iter().map(|ty| facts(snapshot, ty.oid().0).collation).collect::<Vec<u32>>().into(),
                types.iter().map(|ty| operator_class(snapshot, index.method, ty)).collect::<Vec<u32>>().into(),
                index.orders().into(),
            ])?;
        }
    }
    rows.finish()
}

/// The operator classes that types have from the start, by access method and type.
static OPERATOR_CLASSES: LazyLock<HashMap<(u32, u32), u32>> = LazyLock::new(|| {
    let classes = recorded::rows("pg_opclass").and_then(|rows| {
        let method = rows.column("opcmethod")?;
        let (input, is_default) = (rows.column("opcintype")?, rows.column("opcdefault")?);
        let class = |row: &Vec<Option<&str>>| {
            let used = (row[method]?.parse().ok()?, row[input]?.parse().ok()?);
            (row[is_default] == Some("t")).then_some((used, row[0]?.parse().ok()?))
        };
        Some(rows.rows.iter().filter_map(class).collect())
    });
    classes.unwrap_or_default()
});

/// The name of the operator class by which an index has the values of a type unless it is told otherwise.
pub fn operator_class_name(
    snapshot: &CatalogSnapshot,
    method: IndexMethod,
    sql_type: &SqlType,
) -> Option<&'static str> {
    let class = operator_class(snapshot, method, sql_type).to_string();
    let rows = recorded::rows("pg_opclass")?;
    let name = rows.column("opcname")?;
    rows.rows.iter().find(|row| row[0] == Some(class.as_str())).and_then(|row| row[name])
}

/// The operator class by which an index has the values of a type.
fn operator_class(snapshot: &CatalogSnapshot, method: IndexMethod, sql_type: &SqlType) -> u32 {
    let oid = sql_type.oid().0;
    let of = |oid: u32| OPERATOR_CLASSES.get(&(method.oid().0, oid)).copied();
    if oid == VARCHAR {
        return of(TEXT).unwrap_or_default();
    }
    if let Some(class) = of(oid) {
        return class;
    }
    if element_type(oid).is_some() {
        return of(ANYARRAY).unwrap_or_default();
    }
    match snapshot.user_type_by_oid(Oid(oid)).map(|ty| &ty.kind) {
        Some(UserTypeKind::Enum(_)) => of(ANYENUM).unwrap_or_default(),
        Some(UserTypeKind::Domain(domain)) => operator_class(snapshot, method, &domain.base),
        Some(UserTypeKind::Composite(_)) | None => of(RECORD).unwrap_or_default(),
    }
}
