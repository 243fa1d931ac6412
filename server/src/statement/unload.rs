//! UNLOAD: the rows of a query, written into files.
//!
//! The files are there when the statement has ended, whatever becomes of the transaction, as in Redshift; those of a statement
//! that fails are removed.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use catalog::{
    BadDataRules, Column, Compression, ExternalTable, FileFormat, ObjectName, Oid, PartitionLayout, SqlType,
    TextEncoding,
};
use futures::TryStreamExt;
use object_store::ObjectStore;
use object_store::path::Path;
use pg::types::{
    BOOL, BPCHAR, BYTEA, DATE, FLOAT4, FLOAT8, INT2, INT4, INT8, NUMERIC, TEXT, TIME, TIMESTAMP, TIMESTAMPTZ, VARCHAR,
    describe,
};
use pg::{PgError, SessionValues};
use serde_json::json;
use storage::external::write::{FileEncoding, NameFiles, ParquetEncoding, PartitionFolders, WrittenFile, WrittenFiles};
use storage::object_stores::{Location, ObjectStores};

use crate::error::{Error, Result};
use crate::file_writes::FileWrite;
use crate::parse::unload::{ExistingFiles, Unload, UnloadFormat, UnloadManifest};
use crate::plan::file_lines::{Booleans, DelimitedLines, JsonLines};
use crate::session::{Action, Object, Prepared, Session, authorize};
use crate::statement::Outcome;
use crate::statement::partition_order::{column_order, with_columns};
use crate::statement::write_files::{FILE_BYTES_MAX, FilesTarget, write_query};

/// Digits that a decimal has in files.
const DECIMAL_DIGITS_MAX: u8 = 38;

/// Where files go: a folder, and what their names begin with.
struct Target {
    folder: Location,
    name_prefix: String,
}

/// The names of files, as Redshift's slices have them.
#[derive(Debug)]
struct UnloadedNames {
    prefix: String,
    ending: String,
    is_serial: bool,
}

impl NameFiles for UnloadedNames {
    fn name(&self, partition: usize, file: usize) -> String {
        match self.is_serial {
            true => format!("{}{file:03}{}", self.prefix, self.ending),
            false => format!("{}{partition:04}_part_{file:02}{}", self.prefix, self.ending),
        }
    }
}

/// Writes the files.
///
/// # Errors
/// The query fails, there are files where these are to be, or they cannot be written.
pub async fn execute(session: &mut Session, prepared: &Prepared, unload: &Unload) -> Result<Outcome> {
    authorize(&session.identity, Action::UseLocation, Object::Location(&unload.location))?;
    let (planned, plan) = prepared.bound_plan(session, &[]).await?;
    let order = columns_of(&planned.schema, unload)?;
    let columns = order.iter().map(|place| planned.schema.field(*place).clone()).collect::<Vec<_>>();
    let plan = with_columns(plan, &order)?;
    let stores = session.stores_with(&unload.keys, &unload.location)?;
    let target = target(&stores, unload)?;
    let existing = existing_files(session, &target).await?;
    if unload.existing == ExistingFiles::Refused && !existing.is_empty() {
        return Err(storage::Error::LocationNotEmpty { location: unload.location.clone() }.into());
    }
    let write = FileWrite::begin(session.server.catalog.clone(), stores.clone()).await?;
    let files_target = files_target(stores, unload, &target, Schema::new(columns.clone()).into())?;
    let mut files = write_query(session, &planned, plan, files_target).await?;
    let rows = files.rows();
    add_manifest(&mut files, unload, &target, &columns)?;
    if unload.existing == ExistingFiles::Removed {
        let folders = files.files.iter().filter_map(WrittenFile::folder).collect();
        let replaced = replaced(&existing, unload, &folders);
        remove(&target, replaced).await?;
    }
    let name = |path: &Path| target.folder.name_of(path);
    let overwritten = match unload.existing {
        ExistingFiles::Overwritten => existing.iter().map(name).collect(),
        ExistingFiles::Refused | ExistingFiles::Removed => BTreeSet::new(),
    };
    write.publish(&mut files, &overwritten).await?;
    write.end_now().await?;
    session.inform(format!("UNLOAD completed, {rows} record(s) unloaded successfully."));
    Ok(Outcome::command("UNLOAD"))
}

/// The places of the query's columns, those of partitions at the end. Where columns are found by their names, no two have the
/// same.
fn columns_of(schema: &Schema, unload: &Unload) -> Result<Vec<usize>> {
    let names: Vec<_> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let needs_names = !matches!(unload.format, UnloadFormat::Delimited { .. }) || !unload.partition_by.is_empty();
    let is_repeated = |place: &usize| names[..*place].contains(&names[*place]);
    if let (true, Some(place)) = (needs_names, (0..names.len()).find(is_repeated)) {
        return Err(Error::DuplicateColumn { column: names[place].to_owned() });
    }
    column_order(&names, &unload.partition_by)
}

/// Files of partitions go into folders of a folder; others have names that begin with what stands behind the last slash.
fn target(stores: &ObjectStores, unload: &Unload) -> Result<Target> {
    stores.check_writable(&unload.location)?;
    if !unload.partition_by.is_empty() {
        return Ok(Target { folder: stores.resolve(&unload.location)?, name_prefix: String::new() });
    }
    let whole = stores.resolve(&unload.location)?;
    let name = whole.path.filename().filter(|_| !unload.location.ends_with('/')).map(str::to_owned);
    match (name, unload.location.rsplit_once('/')) {
        (Some(name_prefix), Some((folder, _))) => {
            Ok(Target { folder: stores.resolve(&format!("{folder}/"))?, name_prefix })
        }
        _ => Ok(Target { folder: whole, name_prefix: String::new() }),
    }
}

/// The files whose URLs begin as those of the new ones do.
async fn existing_files(session: &mut Session, target: &Target) -> Result<Vec<Path>> {
    let listing = target.folder.store.list_with_delimiter(Some(&target.folder.path));
    let listed = match session.guard().run(listing).await? {
        Err(object_store::Error::NotFound { .. }) => return Ok(Vec::new()),
        listed => listed.map_err(|error| storage::Error::from_object_store(&target.folder.url, error))?,
    };
    let begins = |path: &Path| path.filename().is_some_and(|name| name.starts_with(&target.name_prefix));
    let mut found: Vec<Path> = listed.objects.into_iter().map(|it| it.location).filter(begins).collect();
    for folder in listed.common_prefixes.into_iter().filter(begins) {
        let objects = target.folder.store.list(Some(&folder)).map_ok(|object| object.location).try_collect::<Vec<_>>();
        let objects = session.guard().run(objects).await?;
        found.extend(objects.map_err(|error| storage::Error::from_object_store(&target.folder.url, error))?);
    }
    Ok(found)
}

fn files_target(
    stores: Arc<ObjectStores>,
    unload: &Unload,
    target: &Target,
    columns: SchemaRef,
) -> Result<FilesTarget> {
    let partition_columns = unload.partition_by.len();
    let keeps = unload.includes_partition_columns;
    let in_files = if keeps { columns.fields().len() } else { columns.fields().len() - partition_columns };
    let schema = Arc::new(Schema::new(columns.fields()[..in_files].to_vec()));
    let encoding = encoding(unload, schema)?;
    let default_ending = match unload.format {
        UnloadFormat::Parquet => encoding.ending(),
        _ if unload.compression != Compression::None => encoding.ending(),
        _ => "",
    };
    let ending = match &unload.extension {
        Some(extension) => format!(".{}", extension.trim_start_matches('.')),
        None => default_ending.to_owned(),
    };
    let names = UnloadedNames { prefix: target.name_prefix.clone(), ending, is_serial: unload.is_serial };
    let table = folders_table(unload, target, &columns.fields()[columns.fields().len() - partition_columns..])?;
    Ok(FilesTarget {
        types: columns.clone(),
        folders: PartitionFolders::new(Arc::new(table), Arc::default(), stores),
        encoding,
        names: Arc::new(names),
        file_bytes_max: unload.file_bytes_max.unwrap_or(FILE_BYTES_MAX),
        partition_columns,
        keeps_partition_columns: keeps,
        writes_empty: true,
    })
}

/// The folders of the files as those of a table's partitions.
fn folders_table(unload: &Unload, target: &Target, partition_columns: &[Arc<Field>]) -> Result<ExternalTable> {
    let column = |(number, field): (i16, &Arc<Field>)| {
        let sql_type = crate::plan::types::type_of_result(field.name(), &pg::Type::of_field(field))?;
        match sql_type {
            SqlType::Bytea | SqlType::Array(_) | SqlType::List(_) | SqlType::Struct(_) | SqlType::Map(_) => {
                Err(Error::not_supported(format!("UNLOAD with PARTITION BY a column of type {sql_type}")))
            }
            sql_type => Ok(Column::new(number, field.name().clone(), sql_type)),
        }
    };
    Ok(ExternalTable {
        oid: Oid(0),
        name: ObjectName::new("", "unload"),
        columns: Vec::new(),
        partition_columns: (1..).zip(partition_columns).map(column).collect::<Result<_>>()?,
        format: FileFormat::Parquet,
        compression: Some(unload.compression),
        encoding: TextEncoding::default(),
        layout: (!unload.partition_by.is_empty()).then_some(PartitionLayout::Hive),
        bad_data: BadDataRules::default(),
        location: target.folder.url.clone(),
        properties: Vec::new(),
    })
}

fn encoding(unload: &Unload, schema: SchemaRef) -> Result<FileEncoding> {
    Ok(match &unload.format {
        UnloadFormat::Parquet => {
            let fields: Vec<Field> = schema.fields().iter().map(|field| parquet_field(field)).collect();
            let schema = Arc::new(Schema::new(fields));
            FileEncoding::Parquet(ParquetEncoding { schema, compression: unload.compression })
        }
        UnloadFormat::Json => {
            let lines = JsonLines { schema, values: SessionValues::default() };
            FileEncoding::Lines(Arc::new(lines), unload.compression)
        }
        UnloadFormat::Delimited { format, has_header, quotes_all } => {
            let lines = DelimitedLines {
                schema,
                format: format.clone(),
                has_header: *has_header,
                quotes_all: *quotes_all,
                is_strict: false,
                booleans: Booleans::Letters,
            };
            FileEncoding::Lines(Arc::new(lines), unload.compression)
        }
    })
}

/// The column of a file: of a type that Parquet has, otherwise text.
fn parquet_field(field: &Field) -> Field {
    let data_type = match field.data_type() {
        DataType::Decimal32(_, scale) | DataType::Decimal64(_, scale) | DataType::Decimal256(_, scale)
            if (0..=DECIMAL_DIGITS_MAX as i8).contains(scale) =>
        {
            DataType::Decimal128(DECIMAL_DIGITS_MAX, *scale)
        }
        other if is_of_parquet(field) => other.clone(),
        _ => DataType::Utf8View,
    };
    Field::new(field.name(), data_type, true)
}

fn is_of_parquet(field: &Field) -> bool {
    match field.data_type() {
        DataType::List(element) => is_of_parquet(element),
        DataType::Struct(fields) => !fields.is_empty() && fields.iter().all(|field| is_of_parquet(field)),
        DataType::Map(entries, _) => is_of_parquet(entries),
        _ => {
            let types = [
                BOOL,
                INT2,
                INT4,
                INT8,
                FLOAT4,
                FLOAT8,
                NUMERIC,
                TEXT,
                VARCHAR,
                BPCHAR,
                BYTEA,
                DATE,
                TIME,
                TIMESTAMP,
                TIMESTAMPTZ,
            ];
            types.contains(&describe(field).oid)
        }
    }
}

/// The list of the files, in Redshift's form.
fn add_manifest(files: &mut WrittenFiles, unload: &Unload, target: &Target, columns: &[Field]) -> Result<()> {
    if unload.manifest == UnloadManifest::None {
        return Ok(());
    }
    let is_verbose = unload.manifest == UnloadManifest::Verbose;
    let entry = |file: &WrittenFile| match is_verbose {
        true => json!({"url": file.url(), "meta": {"content_length": file.bytes, "record_count": file.rows}}),
        false => json!({"url": file.url(), "meta": {"content_length": file.bytes}}),
    };
    let mut manifest = json!({"entries": files.files.iter().map(entry).collect::<Vec<_>>()});
    if is_verbose {
        let element = |field: &Field| {
            let ty = pg::Type::of_field(field).name();
            json!({"name": field.name(), "type": {"base": ty}})
        };
        manifest["schema"] = json!({"elements": columns.iter().map(element).collect::<Vec<_>>()});
        let bytes: u64 = files.files.iter().map(|file| file.bytes).sum();
        manifest["meta"] = json!({"content_length": bytes, "record_count": files.rows()});
        manifest["author"] = json!({"name": "Thermocline", "version": env!("CARGO_PKG_VERSION")});
    }
    let name = format!("{}manifest", target.name_prefix);
    let location = target.folder.file(&name)?;
    let bytes = serde_json::to_vec_pretty(&manifest).map_err(|error| PgError::internal(error.to_string()))?;
    files.files.push(WrittenFile::of_bytes(location, bytes.into()));
    Ok(())
}

/// Of the files that were there, those that are to be removed: of a folder with partitions, those of partitions that are
/// written.
fn replaced(existing: &[Path], unload: &Unload, folders: &BTreeSet<String>) -> Vec<Path> {
    let is_replaced = |path: &&Path| {
        let folder = path.as_ref().rsplit_once('/').map_or("", |(folder, _)| folder);
        unload.partition_by.is_empty() || folders.contains(folder)
    };
    existing.iter().filter(is_replaced).cloned().collect()
}

async fn remove(target: &Target, paths: Vec<Path>) -> Result<()> {
    let paths = futures::stream::iter(paths.into_iter().map(Ok));
    let removed: Result<Vec<_>, _> = target.folder.store.delete_stream(Box::pin(paths)).try_collect().await;
    removed.map_err(|error| storage::Error::not_written(&target.folder.url, error))?;
    Ok(())
}
