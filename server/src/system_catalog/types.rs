//! Types: `pg_type`, `pg_enum`.

use std::collections::HashSet;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use catalog::{CatalogSnapshot, Oid, Relation, UserType, UserTypeKind};
use pg::names::member_oid;
use pg::recorded;
use pg::types::{HLLSKETCH, HLLSKETCH_ARRAY, PG_CATALOG_OID, type_name};

use super::numbers::{OWNER, schema_oid};
use super::rows::{Rows, Value, recorded_rows};
use super::type_facts::facts;
use crate::error::Result;

/// The functions that read and write values of a kind of types: `typinput`, `typoutput`, `typreceive`, `typsend`.
type InputOutput = [u32; 4];

const OF_ENUMS: InputOutput = [3506, 3507, 3532, 3533];
const OF_RECORDS: InputOutput = [2290, 2291, 2402, 2403];
const OF_JSON: InputOutput = [321, 322, 323, 324];
const OF_ARRAYS: InputOutput = [750, 751, 2400, 2401];
/// `domain_in`, `domain_recv`
const OF_DOMAINS: [u32; 2] = [2597, 2598];
/// `array_subscript_handler`
const ARRAY_SUBSCRIPTS: u32 = 6179;

/// A type that PostgreSQL does not have from the start.
#[derive(Debug, Clone)]
struct TypeRow<'a> {
    oid: Oid,
    name: String,
    schema: u32,
    kind: &'static str,
    category: &'static str,
    relation: u32,
    element: u32,
    array: u32,
    functions: InputOutput,
    not_null: bool,
    base: u32,
    typmod: i32,
    default: Option<&'a str>,
}

impl<'a> TypeRow<'a> {
    fn new(oid: Oid, name: String, schema: u32, kind: &'static str, functions: InputOutput) -> Self {
        let category = match kind {
            "e" => "E",
            "c" => "C",
            _ => "A",
        };
        let (relation, element, array, base, typmod) = (0, 0, 0, 0, -1);
        let (not_null, default) = (false, None);
        TypeRow {
            oid,
            name,
            schema,
            kind,
            category,
            relation,
            element,
            array,
            functions,
            not_null,
            base,
            typmod,
            default,
        }
    }
}

/// `pg_type`
///
/// # Errors
/// None but bugs.
pub fn pg_type(snapshot: &CatalogSnapshot) -> Result<RecordBatch> {
    let mut rows = Rows::new(
        "pg_type",
        &[
            "oid",
            "typname",
            "typnamespace",
            "typowner",
            "typlen",
            "typbyval",
            "typtype",
            "typcategory",
            "typisdefined",
            "typdelim",
            "typrelid",
            "typsubscript",
            "typelem",
            "typarray",
            "typinput",
            "typoutput",
            "typreceive",
            "typsend",
            "typalign",
            "typstorage",
            "typnotnull",
            "typbasetype",
            "typtypmod",
            "typcollation",
            "typdefault",
        ],
    )?;
    for row in made_types(snapshot) {
        let ty = facts(snapshot, row.oid.0);
        let [input, output, receive, send] = row.functions;
        rows.push([
            row.oid.into(),
            row.name.into(),
            row.schema.into(),
            OWNER.into(),
            ty.length.into(),
            ty.by_value.into(),
            row.kind.into(),
            row.category.into(),
            true.into(),
            ",".into(),
            row.relation.into(),
            if row.element > 0 { ARRAY_SUBSCRIPTS } else { 0 }.into(),
            row.element.into(),
            row.array.into(),
            input.into(),
            output.into(),
            receive.into(),
            send.into(),
            ty.align.into(),
            ty.storage.into(),
            row.not_null.into(),
            row.base.into(),
            row.typmod.into(),
            ty.collation.into(),
            Value::from(row.default),
        ])?;
    }
    let made = rows.finish()?;
    let own = recorded_rows("pg_type", |row| is_known(row))?;
    Ok(concat_batches(&made.schema(), [&own, &made]).map_err(datafusion::error::DataFusionError::from)?)
}

/// Whether a type of PostgreSQL's is one here: it has a name.
fn is_known(row: &[Option<&str>]) -> bool {
    row[0].and_then(|oid| oid.parse().ok()).is_some_and(|oid: u32| type_name(oid) != "???")
}

fn made_types(snapshot: &CatalogSnapshot) -> Vec<TypeRow<'_>> {
    let mut types = of_redshift().to_vec();
    for relation in snapshot.relations() {
        if matches!(relation, Relation::Hot(_) | Relation::External(_) | Relation::View(_)) {
            let (oid, name) = (relation.oid(), relation.name());
            let schema = schema_oid(snapshot, &name.schema);
            let new = TypeRow::new(oid, name.name.clone(), schema, "c", OF_RECORDS);
            types.push(TypeRow { relation: oid.0, ..new });
        }
    }
    for ty in snapshot.user_types() {
        let schema = schema_oid(snapshot, &ty.name.schema);
        types.push(of_user(snapshot, ty, schema));
        let array = TypeRow::new(ty.array_oid, format!("_{}", ty.name.name), schema, "b", OF_ARRAYS);
        types.push(TypeRow { element: ty.oid.0, ..array });
    }
    types
}

/// Redshift's types, which are read and written as JSON is.
fn of_redshift() -> [TypeRow<'static>; 2] {
    let sketch = TypeRow::new(Oid(HLLSKETCH), "hllsketch".to_owned(), PG_CATALOG_OID, "b", OF_JSON);
    let array = TypeRow::new(Oid(HLLSKETCH_ARRAY), "_hllsketch".to_owned(), PG_CATALOG_OID, "b", OF_ARRAYS);
    [TypeRow { category: "U", array: HLLSKETCH_ARRAY, ..sketch }, TypeRow { element: HLLSKETCH, ..array }]
}

fn of_user<'a>(snapshot: &CatalogSnapshot, ty: &'a UserType, schema: u32) -> TypeRow<'a> {
    let new = |kind, functions| TypeRow {
        array: ty.array_oid.0,
        ..TypeRow::new(ty.oid, ty.name.name.clone(), schema, kind, functions)
    };
    match &ty.kind {
        UserTypeKind::Enum(_) => new("e", OF_ENUMS),
        UserTypeKind::Composite(_) => TypeRow { relation: ty.oid.0, ..new("c", OF_RECORDS) },
        UserTypeKind::Domain(domain) => {
            let base = domain.base.oid().0;
            let [input, receive] = OF_DOMAINS;
            let (category, [_, output, _, send]) = of_base(snapshot, base);
            TypeRow {
                category,
                not_null: domain.not_null,
                base,
                typmod: domain.base.typmod(),
                default: domain.default.as_ref().map(|default| default.text.as_str()),
                ..new("d", [input, output, receive, send])
            }
        }
    }
}

/// The category and the functions of the type that a domain narrows.
fn of_base(snapshot: &CatalogSnapshot, oid: u32) -> (&'static str, InputOutput) {
    let recorded = recorded::rows("pg_type").and_then(|rows| {
        let row = rows.rows.iter().find(|row| row[0].is_some_and(|it| it.parse() == Ok(oid)))?;
        let number = |name| row[rows.column(name)?]?.parse::<u32>().ok();
        let functions = [number("typinput")?, number("typoutput")?, number("typreceive")?, number("typsend")?];
        Some((row[rows.column("typcategory")?]?, functions))
    });
    if let Some(recorded) = recorded {
        return recorded;
    }
    match snapshot.user_type_by_oid(Oid(oid)) {
        Some(ty) if ty.array_oid.0 == oid => ("A", OF_ARRAYS),
        Some(ty) => match &ty.kind {
            UserTypeKind::Enum(_) => ("E", OF_ENUMS),
            UserTypeKind::Composite(_) => ("C", OF_RECORDS),
            UserTypeKind::Domain(domain) => of_base(snapshot, domain.base.oid().0),
        },
        None => ("C", OF_RECORDS),
    }
}

/// `pg_enum`
///
/// # Errors
/// None but bugs.
pub fn pg_enum(snapshot: &CatalogSnapshot) -> Result<RecordBatch> {
    let mut rows = Rows::new("pg_enum", &["oid", "enumtypid", "enumsortorder", "enumlabel"])?;
    for ty in snapshot.user_types() {
        let UserTypeKind::Enum(labels) = &ty.kind else { continue };
        for (label, place) in labels.iter().zip(0..) {
            let order = (place + 1) as f32;
            rows.push([member_oid(ty.oid, place).into(), ty.oid.into(), order.into(), Value::from(&label.label)])?;
        }
    }
    rows.finish()
}

/// The functions that types need to be read and written, which `pg_proc` has beside those that can be called.
pub fn input_output_functions() -> HashSet<&'static str> {
    let Some(rows) = recorded::rows("pg_type") else { return HashSet::new() };
    let columns = ["typinput", "typoutput", "typreceive", "typsend", "typmodin", "typmodout", "typsubscript"];
    let places: Vec<_> = columns.iter().filter_map(|name| rows.column(name)).collect();
    rows.rows.iter().filter(|row| is_known(row)).flat_map(|row| places.iter().filter_map(|it| row[*it])).collect()
}
