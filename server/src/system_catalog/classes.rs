//! Relations and their columns: `pg_class`, `pg_attribute`, `pg_attrdef`, `pg_sequence`, `pg_foreign_table`,
//! `pg_external_partition`.

use std::collections::{HashMap, HashSet};

use arrow::array::RecordBatch;
use catalog::user_type::Attribute;
use catalog::{
    CatalogSnapshot, Column, ColumnDefault, ConstraintKind, HotTable, Oid, Relation, ShownIndex, SqlType, UserTypeKind,
    View,
};
use pg::library::system::redshift::encoding_number;
use pg::types::TEXT;
use pg::{PgError, recorded};

use super::numbers::{OWNER, default_oid, schema_oid};
use super::row_formats;
use super::rows::{Rows, Value};
use super::type_facts::{TypeFacts, facts};
use crate::error::Result;

/// Numbers of access methods.
const HEAP: u32 = 2;

/// What there is to say of a relation in `pg_class`.
struct Class<'a> {
    oid: Oid,
    name: &'a str,
    schema: u32,
    kind: &'static str,
    row_type: u32,
    access_method: u32,
    columns: usize,
    checks: usize,
    has_index: bool,
    /// Whether it has foreign keys or is referred to: triggers keep them in PostgreSQL, and who looks for foreign keys asks
    /// first whether there are any.
    has_foreign_keys: bool,
    temporary: bool,
    /// Rows as far as they have been counted, -1 when they have not.
    rows: f32,
    /// `reldiststyle`
    distribution: i16,
}

impl<'a> Class<'a> {
    fn new(oid: Oid, name: &'a str, schema: u32, kind: &'static str) -> Self {
        let (row_type, access_method, columns, checks) = (0, 0, 0, 0);
        let (has_index, has_foreign_keys, temporary, rows) = (false, false, false, 0.0);
        Class {
            oid,
            name,
            schema,
            kind,
            row_type,
            access_method,
            columns,
            checks,
            has_index,
            has_foreign_keys,
            temporary,
            rows,
            distribution: if kind == "r" { DISTRIBUTED_BY_SYSTEM } else { 0 },
        }
    }
}

/// `pg_class`
///
/// # Errors
/// None but bugs.
pub fn pg_class(snapshot: &CatalogSnapshot) -> Result<RecordBatch> {
    let mut rows = Rows::new(
        "pg_class",
        &[
            "oid",
            "relname",
            "relnamespace",
            "reltype",
            "relowner",
            "relam",
            "relfilenode",
            "relpages",
            "reltuples",
            "relhasindex",
            "relpersistence",
            "relkind",
            "relnatts",
            "relchecks",
            "relhasrules",
            "relhastriggers",
            "relispopulated",
            "relreplident",
            "reldiststyle",
        ],
    )?;
    let mut push = |class: Class<'_>| {
        // A page for each hundred rows: there are no pages, but who asks wants to know which table is larger.
        let pages = (class.rows.max(0.0) / 100.0).ceil() as i32;
        rows.push([
            class.oid.into(),
            class.name.into(),
            class.schema.into(),
            class.row_type.into(),
            OWNER.into(),
            class.access_method.into(),
            if matches!(class.kind, "v" | "f" | "c") { 0 } else { class.oid.0 }.into(),
            pages.into(),
            class.rows.into(),
            class.has_index.into(),
            if class.temporary { "t" } else { "p" }.into(),
            class.kind.into(),
            (class.columns as i16).into(),
            (class.checks as i16).into(),
            (class.kind == "v").into(),
            class.has_foreign_keys.into(),
            true.into(),
            if class.kind == "r" { "d" } else { "n" }.into(),
            class.distribution.into(),
        ])
    };
    for system in recorded::relations() {
        let kind = if system.is_view { "v" } else { "r" };
        let access_method = if system.is_view { 0 } else { HEAP };
        let schema = schema_oid(snapshot, system.schema);
        let columns = system.columns.len();
        push(Class { access_method, columns, ..Class::new(Oid(system.oid), system.name, schema, kind) })?;
    }
    let in_foreign_keys = tables_in_foreign_keys(snapshot);
    for relation in snapshot.relations() {
        let has_foreign_keys = in_foreign_keys.contains(&relation.oid());
        let classes = of_relation(snapshot, relation).into_iter();
        let is_it = |class: &Class<'_>| class.oid == relation.oid();
        classes.map(|it| Class { has_foreign_keys: has_foreign_keys && is_it(&it), ..it }).try_for_each(&mut push)?;
    }
    for ty in snapshot.user_types() {
        if let UserTypeKind::Composite(attributes) = &ty.kind {
            let schema = schema_oid(snapshot, &ty.name.schema);
            let (row_type, columns) = (ty.oid.0, attributes.len());
            push(Class { row_type, columns, ..Class::new(ty.oid, &ty.name.name, schema, "c") })?;
        }
    }
    rows.finish()
}

/// The tables that have foreign keys, and those that they refer to.
fn tables_in_foreign_keys(snapshot: &CatalogSnapshot) -> HashSet<Oid> {
    let mut tables = HashSet::new();
    for table in snapshot.hot_tables() {
        for constraint in &table.constraints {
            if let ConstraintKind::ForeignKey(key) = &constraint.kind {
                tables.extend([table.oid, key.referenced]);
            }
        }
    }
    tables
}

/// A relation, and its indexes.
fn of_relation<'a>(snapshot: &CatalogSnapshot, relation: &'a Relation) -> Vec<Class<'a>> {
    let name = relation.name();
    let schema = schema_oid(snapshot, &name.schema);
    let new =
        |kind| Class { temporary: name.is_temporary(), ..Class::new(relation.oid(), name.name.as_str(), schema, kind) };
    match relation {
        Relation::Hot(table) => {
            let rows = snapshot.statistics(table.oid).map_or(-1.0, |statistics| statistics.rows as f32);
            let class = Class {
                distribution: distribution(table),
                row_type: table.oid.0,
                access_method: HEAP,
                columns: table.last_attribute_number as usize,
                checks: checks(table),
                has_index: table.indexes().next().is_some(),
                rows,
                ..new("r")
            };
            let index = |index: ShownIndex<'a>| Class {
                access_method: index.method.oid().0,
                columns: index.columns.len(),
                temporary: name.is_temporary(),
                rows,
                ..Class::new(index.oid, index.name, schema, "i")
            };
            std::iter::once(class).chain(table.indexes().map(index)).collect()
        }
        Relation::External(table) => {
            let columns = table.columns.len() + table.partition_columns.len();
            let rows = snapshot.statistics(table.oid).map_or(-1.0, |statistics| statistics.rows as f32);
            vec![Class { row_type: table.oid.0, columns, rows, ..new("f") }]
        }
        Relation::View(view) => vec![Class { row_type: view.oid.0, columns: view.columns.len(), ..new("v") }],
        Relation::Sequence(_) => vec![Class { columns: SEQUENCE_COLUMNS.len(), rows: 1.0, ..new("S") }],
    }
}

fn checks(table: &HotTable) -> usize {
    let is_check = |it: &&catalog::Constraint| matches!(it.kind, catalog::ConstraintKind::Check(_));
    table.constraints.iter().filter(is_check).count()
}

/// What `reldiststyle` says of a table whose rows are where the system puts them.
const DISTRIBUTED_BY_SYSTEM: i16 = 9;

/// What `reldiststyle` says of a table: how its rows were asked to be distributed.
fn distribution(table: &HotTable) -> i16 {
    let option = |wanted: &str| table.options.iter().find(|(keyword, _)| keyword == wanted);
    match option("DISTSTYLE").map(|(_, style)| style.as_str()) {
        Some("EVEN") => 0,
        Some("ALL") => 8,
        Some("KEY") => 1,
        None if option("DISTKEY").is_some() => 1,
        _ => DISTRIBUTED_BY_SYSTEM,
    }
}

/// The columns of every sequence.
const SEQUENCE_COLUMNS: [(&str, SqlType); 3] =
    [("last_value", SqlType::BigInt), ("log_cnt", SqlType::BigInt), ("is_called", SqlType::Boolean)];

/// What there is to say of a column in `pg_attribute`.
struct AttributeRow<'a> {
    relation: Oid,
    name: &'a str,
    number: i16,
    type_oid: u32,
    typmod: i32,
    not_null: bool,
    default: Option<&'a ColumnDefault>,
    /// Its place among the columns that the rows of an external table are partitioned by, from 1.
    partition_key: Option<usize>,
    /// Its place in the sort key, from 1, or 0.
    sort_key: i32,
    /// Whether rows are asked to be distributed by it.
    dist_key: bool,
    /// How it was asked to be compressed.
    encoding: i16,
}

impl<'a> AttributeRow<'a> {
    fn new(relation: Oid, number: i16, name: &'a str, sql_type: &SqlType) -> Self {
        let (type_oid, typmod) = (sql_type.oid().0, sql_type.typmod());
        AttributeRow::of_type(relation, number, name, type_oid, typmod)
    }

    fn of_type(relation: Oid, number: i16, name: &'a str, type_oid: u32, typmod: i32) -> Self {
        let (not_null, default, partition_key, sort_key) = (false, None, None, 0);
        let (dist_key, encoding) = (false, 0);
        AttributeRow {
            relation,
            name,
            number,
            type_oid,
            typmod,
            not_null,
            default,
            partition_key,
            sort_key,
            dist_key,
            encoding,
        }
    }

    fn of_column(relation: Oid, column: &'a Column) -> Self {
        let new = AttributeRow::new(relation, column.attribute_number, &column.name, &column.sql_type);
        AttributeRow { not_null: column.not_null, default: column.default.as_ref(), ..new }
    }
}

/// `pg_attribute`
///
/// # Errors
/// None but bugs.
pub fn pg_attribute(snapshot: &CatalogSnapshot) -> Result<RecordBatch> {
    let mut rows = Rows::new(
        "pg_attribute",
        &[
            "attrelid",
            "attname",
            "atttypid",
            "attstattarget",
            "attlen",
            "attnum",
            "attndims",
            "attcacheoff",
            "atttypmod",
            "attbyval",
            "attalign",
            "attstorage",
            "attcompression",
            "attnotnull",
            "atthasdef",
            "attidentity",
            "attgenerated",
            "attislocal",
            "attcollation",
            "attfdwoptions",
            "attsortkeyord",
            "attisdistkey",
            "attencodingtype",
        ],
    )?;
    // Many columns have few types.
    let mut known: HashMap<u32, TypeFacts> = HashMap::new();
    let mut push = |column: AttributeRow<'_>| {
        let ty = known.entry(column.type_oid).or_insert_with(|| facts(snapshot, column.type_oid));
        let (identity, generated) = match column.default {
            Some(ColumnDefault::Identity { always: true, .. }) => ("a", ""),
            Some(ColumnDefault::Identity { always: false, .. }) => ("d", ""),
            Some(ColumnDefault::Generated(_)) => ("", "s"),
            Some(ColumnDefault::Expression(_)) | None => ("", ""),
        };
        let has_default = matches!(column.default, Some(ColumnDefault::Expression(_) | ColumnDefault::Generated(_)));
        rows.push([
            column.relation.into(),
            column.name.into(),
            column.type_oid.into(),
            Value::Int4(-1),
            ty.length.into(),
            column.number.into(),
            Value::Int4(i32::from(ty.is_array)),
            Value::Int4(-1),
            column.typmod.into(),
            ty.by_value.into(),
            ty.align.into(),
            ty.storage.into(),
            "".into(),
            column.not_null.into(),
            has_default.into(),
            identity.into(),
            generated.into(),
            true.into(),
            ty.collation.into(),
            column.partition_key.map(|place| vec![format!("partition_key={place}")]).into(),
            column.sort_key.into(),
            column.dist_key.into(),
            column.encoding.into(),
        ])
    };
    for system in recorded::relations() {
        for (number, column) in (1..).zip(&system.columns) {
            let (type_oid, typmod) = (column.type_oid, column.typmod);
            let attribute = AttributeRow::of_type(Oid(system.oid), number, column.name, type_oid, typmod);
            push(AttributeRow { not_null: column.not_null, ..attribute })?;
        }
    }
    for relation in snapshot.relations() {
        attributes_of(relation).into_iter().try_for_each(&mut push)?;
    }
    for ty in snapshot.user_types() {
        if let UserTypeKind::Composite(attributes) = &ty.kind {
            let attribute =
                |(number, it): (i16, &'_ Attribute)| push(AttributeRow::new(ty.oid, number, &it.name, &it.sql_type));
            (1..).zip(attributes).try_for_each(attribute)?;
        }
    }
    rows.finish()
}

/// The number of the encoding that was asked for a column, behind whose name it is kept.
fn encoding(table: &HotTable, column: &str) -> i16 {
    let written = table.options.iter().filter(|(keyword, _)| keyword == "ENCODE");
    let mut of_column = written.filter_map(|(_, value)| value.strip_prefix(column)?.strip_prefix(' '));
    of_column.find(|encoding| !encoding.contains(' ')).map_or(0, encoding_number)
}

/// The columns of a relation, and of its indexes.
fn attributes_of(relation: &Relation) -> Vec<AttributeRow<'_>> {
    let oid = relation.oid();
    match relation {
        Relation::Hot(table) => {
            let sort_key = |number: i16| table.sort_key.iter().position(|key| *key == number);
            let dist_key = table.options.iter().find(|(keyword, _)| keyword == "DISTKEY");
            let columns = table.columns.iter().map(|column| AttributeRow {
                sort_key: sort_key(column.attribute_number).map_or(0, |place| place as i32 + 1),
                dist_key: dist_key.is_some_and(|(_, key)| *key == column.name),
                encoding: encoding(table, &column.name),
                ..AttributeRow::of_column(oid, column)
            });
            let indexes = table.indexes().flat_map(|index| {
                let column = move |(number, column): (i16, &i16)| {
                    let column = table.column(*column)?;
                    Some(AttributeRow::new(index.oid, number, &column.name, &column.sql_type))
                };
                (1..).zip(index.columns).filter_map(column)
            });
            columns.chain(indexes).collect()
        }
        Relation::External(table) => {
            let columns = table.columns.iter().map(|column| (column, None));
            let keys = (1..).zip(&table.partition_columns).map(|(place, column)| (column, Some(place)));
            let attributes = (1..).zip(columns.chain(keys)).map(|(number, (column, partition_key))| AttributeRow {
                partition_key,
                ..AttributeRow::new(oid, number, &column.name, &column.sql_type)
            });
            attributes.collect()
        }
        Relation::View(view) => of_view(view),
        Relation::Sequence(_) => {
            let columns = (1..).zip(&SEQUENCE_COLUMNS);
            let column = |(number, (name, sql_type)): (i16, &'static (&str, SqlType))| AttributeRow {
                not_null: true,
                ..AttributeRow::new(oid, number, name, sql_type)
            };
            columns.map(column).collect()
        }
    }
}

fn of_view(view: &View) -> Vec<AttributeRow<'_>> {
    let types = view.column_types.iter().copied().chain(std::iter::repeat((Oid(TEXT), -1)));
    let mut rows = Vec::with_capacity(view.columns.len());
    for (number, (name, (type_oid, typmod))) in (1..).zip(view.columns.iter().zip(types)) {
        rows.push(AttributeRow::of_type(view.oid, number, name, type_oid.0, typmod));
    }
    rows
}

/// `pg_attrdef`
///
/// # Errors
/// None but bugs.
pub fn pg_attrdef(snapshot: &CatalogSnapshot) -> Result<RecordBatch> {
    let mut rows = Rows::new("pg_attrdef", &["oid", "adrelid", "adnum", "adbin", "adsrc"])?;
    for table in snapshot.hot_tables() {
        for column in &table.columns {
            let Some(ColumnDefault::Expression(written) | ColumnDefault::Generated(written)) = &column.default else {
                continue;
            };
            let number = column.attribute_number;
            rows.push([
                default_oid(table.oid, number).into(),
                table.oid.into(),
                number.into(),
                Value::from(&written.text),
                Value::from(&written.text),
            ])?;
        }
    }
    rows.finish()
}

/// `pg_sequence`
///
/// # Errors
/// None but bugs.
pub fn pg_sequence(snapshot: &CatalogSnapshot) -> Result<RecordBatch> {
    let columns = ["seqrelid", "seqtypid", "seqstart", "seqincrement", "seqmax", "seqmin", "seqcache", "seqcycle"];
    let mut rows = Rows::new("pg_sequence", &columns)?;
    for sequence in snapshot.sequences() {
        rows.push([
            sequence.oid.into(),
            sequence.sql_type.oid().into(),
            sequence.start.into(),
            sequence.increment.into(),
            sequence.max.into(),
            sequence.min.into(),
            sequence.cache.into(),
            sequence.cycle.into(),
        ])?;
    }
    rows.finish()
}

/// `pg_foreign_table`: the external tables. The server of a table is its schema.
///
/// # Errors
/// None but bugs.
pub fn pg_foreign_table(snapshot: &CatalogSnapshot) -> Result<RecordBatch> {
    let mut rows = Rows::new("pg_foreign_table", &["ftrelid", "ftserver", "ftoptions"])?;
    for relation in snapshot.relations() {
        let Relation::External(table) = relation else { continue };
        let location = format!("location={}", table.location);
        let mut options = vec![location];
        options.extend(row_formats::options(&table.format).into_iter().map(|(name, value)| format!("{name}={value}")));
        options.extend(table.properties.iter().map(|(name, value)| format!("{name}={value}")));
        let server = schema_oid(snapshot, &table.name.schema);
        rows.push([table.oid.into(), server.into(), options.into()])?;
    }
    rows.finish()
}

/// `pg_external_partition`: the partitions of external tables that are registered, their values as a JSON array.
///
/// # Errors
/// None but bugs.
pub fn pg_external_partition(snapshot: &CatalogSnapshot) -> Result<RecordBatch> {
    let mut rows = Rows::new("pg_external_partition", &["partrelid", "partvalues", "partlocation"])?;
    for relation in snapshot.relations() {
        let Relation::External(table) = relation else { continue };
        for partition in snapshot.partitions(table.oid).iter() {
            let values =
                serde_json::to_string(&partition.values).map_err(|error| PgError::internal(error.to_string()))?;
            rows.push([table.oid.into(), values.as_str().into(), partition.location.as_str().into()])?;
        }
    }
    rows.finish()
}
