//! Relations that show how the server does. They are in a schema of their own, which is in nobody's search path, and hold
//! what was so when the statement was planned.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringViewArray, TimestampMicrosecondArray, UInt32Array};
use catalog::hot_table::arrow_schema;
use catalog::{CatalogSnapshot, Column, LoadLedger, LoadedFile, ObjectName, Oid, Relation, SqlType, StoredSecret};
use datafusion::datasource::MemTable;
use datafusion::datasource::provider_as_source;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::TableSource;
use storage::column_cache::{CacheUse, ColumnCache};
use storage::external::{FileReading, Manifest};
use storage::object_stores::ObjectStores;

use crate::error::Result;

/// Their schema.
pub const SCHEMA: &str = "thermocline";

/// The relation of this name, if it is one of them.
///
/// # Errors
/// Its rows do not fit its columns: a bug.
pub fn find(
    name: &str,
    snapshot: &CatalogSnapshot,
    reading: &FileReading,
    stores: &ObjectStores,
) -> Result<Option<Arc<dyn TableSource>>> {
    let (columns, values) = match name {
        "caches" => caches(reading, stores),
        "column_cache_tables" => column_cache_tables(snapshot, &reading.columns),
        "external_manifests" => external_manifests(snapshot, reading),
        "loaded_files" => loaded_files(snapshot),
        "secrets" => secrets(snapshot),
        _ => return Ok(None),
    };
    let schema = arrow_schema(&columns);
    let rows = RecordBatch::try_new(schema.clone(), values).map_err(DataFusionError::from)?;
    Ok(Some(provider_as_source(Arc::new(MemTable::try_new(schema, vec![vec![rows]])?))))
}

fn columns(columns: &[(&str, SqlType)]) -> Vec<Column> {
    let column = |(number, (name, sql_type)): (i16, &(&str, SqlType))| Column::new(number, *name, sql_type.clone());
    (1..).zip(columns).map(column).collect()
}

/// A row for each cache: how it does.
fn caches(reading: &FileReading, stores: &ObjectStores) -> (Vec<Column>, Vec<ArrayRef>) {
    let mut caches = vec![
        ("columns", reading.columns.usage()),
        ("footers", reading.footers.usage()),
        ("listings", stores.listings().usage()),
    ];
    if let Some(pages) = &reading.pages {
        caches.extend([("pages", pages.memory_usage()), ("pages_on_disk", pages.disk_usage())]);
    }
    let names = caches.iter().map(|(name, _)| Some(*name)).collect::<StringViewArray>();
    type Number = fn(&CacheUse) -> u64;
    let numbers: [(&str, Number); 6] = [
        ("bytes", |usage| usage.bytes),
        ("bytes_max", |usage| usage.bytes_max),
        ("entries", |usage| usage.entries),
        ("hits", |usage| usage.hits),
        ("misses", |usage| usage.misses),
        ("evictions", |usage| usage.evictions),
    ];
    let mut definitions = vec![("cache_name", SqlType::Text)];
    let mut values: Vec<ArrayRef> = vec![Arc::new(names)];
    for (name, number) in numbers {
        definitions.push((name, SqlType::BigInt));
        values.push(Arc::new(caches.iter().map(|(_, usage)| Some(number(usage) as i64)).collect::<Int64Array>()));
    }
    (columns(&definitions), values)
}

/// A row for each secret: what may be shown of it.
fn secrets(snapshot: &CatalogSnapshot) -> (Vec<Column>, Vec<ArrayRef>) {
    let secrets = || snapshot.secrets().values();
    let settings = |secret: &StoredSecret| {
        let settings: Vec<_> = secret.settings.iter().map(|(name, value)| format!("{name}={value}")).collect();
        settings.join(";")
    };
    let owner = |secret: &Arc<StoredSecret>| snapshot.role_by_oid(secret.owner).map(|role| role.name.clone());
    let values: Vec<ArrayRef> = vec![
        Arc::new(StringViewArray::from_iter_values(secrets().map(|secret| &secret.name))),
        Arc::new(StringViewArray::from_iter_values(secrets().map(|secret| secret.kind.name()))),
        Arc::new(StringViewArray::from_iter_values(secrets().map(|secret| &secret.scope))),
        Arc::new(StringViewArray::from_iter_values(secrets().map(|secret| settings(secret)))),
        Arc::new(StringViewArray::from_iter(secrets().map(owner))),
    ];
    let names = ["secret_name", "type", "scope", "settings", "owner"].map(|name| (name, SqlType::Text));
    (columns(&names), values)
}

/// A row for each table that has something in the column cache.
fn column_cache_tables(snapshot: &CatalogSnapshot, cache: &ColumnCache) -> (Vec<Column>, Vec<ArrayRef>) {
    let tables = cache.tables();
    let relations: Vec<_> = tables.keys().map(|table| snapshot.relation_by_oid(Oid(*table))).collect();
    let schemas = relations.iter().map(|relation| relation.map(|it| it.name().schema.as_str()));
    let names = relations.iter().map(|relation| relation.map(|it| it.name().name.as_str()));
    let values: Vec<ArrayRef> = vec![
        Arc::new(UInt32Array::from_iter_values(tables.keys().copied())),
        Arc::new(StringViewArray::from_iter(schemas)),
        Arc::new(StringViewArray::from_iter(names)),
        Arc::new(Int64Array::from_iter_values(tables.values().map(|(columns, _)| *columns as i64))),
        Arc::new(Int64Array::from_iter_values(tables.values().map(|(_, bytes)| *bytes as i64))),
    ];
    let names = [
        ("table_oid", SqlType::Oid),
        ("schema_name", SqlType::Text),
        ("table_name", SqlType::Text),
        ("columns", SqlType::BigInt),
        ("bytes", SqlType::BigInt),
    ];
    (columns(&names), values)
}

/// A row for each external table whose files have been looked at by REFRESH.
fn external_manifests(snapshot: &CatalogSnapshot, reading: &FileReading) -> (Vec<Column>, Vec<ArrayRef>) {
    let external = snapshot.relations().filter(|relation| matches!(relation, Relation::External(_)));
    let manifest = |relation: &Relation| {
        let manifest = reading.manifests.as_ref()?.manifest(relation.oid().0);
        (manifest.refreshed_us > 0).then(|| (relation.name().clone(), relation.oid(), manifest))
    };
    let known: Vec<_> = external.filter_map(manifest).collect();
    let number = |of: fn(&Manifest) -> u64| {
        let numbers = known.iter().map(|(_, _, manifest)| Some(of(manifest) as i64));
        Arc::new(numbers.collect::<Int64Array>()) as ArrayRef
    };
    let times = TimestampMicrosecondArray::from_iter_values(known.iter().map(|(_, _, manifest)| manifest.refreshed_us));
    let values: Vec<ArrayRef> = vec![
        Arc::new(UInt32Array::from_iter_values(known.iter().map(|(_, oid, _)| oid.0))),
        Arc::new(StringViewArray::from_iter_values(known.iter().map(|(name, ..)| &name.schema))),
        Arc::new(StringViewArray::from_iter_values(known.iter().map(|(name, ..)| &name.name))),
        number(|manifest| manifest.files() as u64),
        number(Manifest::bytes),
        Arc::new(times.with_timezone("UTC")),
    ];
    let names = [
        ("table_oid", SqlType::Oid),
        ("schema_name", SqlType::Text),
        ("table_name", SqlType::Text),
        ("files", SqlType::BigInt),
        ("bytes", SqlType::BigInt),
        ("refreshed_at", SqlType::TimestampTz),
    ];
    (columns(&names), values)
}

/// A row for each file that a table remembers to have been loaded into it.
fn loaded_files(snapshot: &CatalogSnapshot) -> (Vec<Column>, Vec<ArrayRef>) {
    let of_table = |(table, ledger): (Oid, &Arc<LoadLedger>)| {
        let name = snapshot.relation_by_oid(table).map(|relation| relation.name().clone());
        ledger.files().map(|file| (table, name.clone(), file.clone())).collect::<Vec<_>>()
    };
    let files: Vec<_> = snapshot.all_loads().flat_map(of_table).collect();
    let named = |part: fn(&ObjectName) -> &str| {
        let names = files.iter().map(|(_, name, _)| name.as_ref().map(part));
        Arc::new(names.collect::<StringViewArray>()) as ArrayRef
    };
    let times = |of: fn(&LoadedFile) -> i64| {
        let times = TimestampMicrosecondArray::from_iter_values(files.iter().map(|(_, _, file)| of(file)));
        Arc::new(times.with_timezone("UTC")) as ArrayRef
    };
    let e_tags = files.iter().map(|(_, _, file)| file.version.e_tag.as_deref());
    let values: Vec<ArrayRef> = vec![
        Arc::new(files.iter().map(|(table, ..)| table.0).collect::<UInt32Array>()),
        named(|name| &name.schema),
        named(|name| &name.name),
        Arc::new(files.iter().map(|(_, _, file)| Some(file.url.as_str())).collect::<StringViewArray>()),
        Arc::new(e_tags.collect::<StringViewArray>()),
        Arc::new(files.iter().map(|(_, _, file)| file.version.size as i64).collect::<Int64Array>()),
        times(|file| file.version.modified_us),
        times(|file| file.loaded_us),
    ];
    let names = [
        ("table_oid", SqlType::Oid),
        ("schema_name", SqlType::Text),
        ("table_name", SqlType::Text),
        ("file_name", SqlType::Text),
        ("e_tag", SqlType::Text),
        ("bytes", SqlType::BigInt),
        ("last_modified", SqlType::TimestampTz),
        ("loaded_at", SqlType::TimestampTz),
    ];
    (columns(&names), values)
}
