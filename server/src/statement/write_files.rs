//! The rows of a query, written into files.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, StringViewBuilder};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use bytes::BytesMut;
use catalog::partition::Partitions;
use catalog::{Compression, ExternalTable, FileFormat, FileWrites, TextEncoding, WriteNumber};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::LogicalPlan;
use futures::StreamExt;
use pg::output::text_writer;
use pg::types::describe_for_client;
use pg::{PgError, SessionValues};
use storage::external::write::{
    FileEncoding, FilesWriter, NameFiles, ParquetEncoding, PartitionFolders, WriteOptions, WrittenFiles,
};
use storage::object_stores::ObjectStores;

use crate::error::{Error, Result};
use crate::plan::file_lines::{Booleans, DelimitedLines, JsonLines};
use crate::plan::{PlanContext, Planned};
use crate::session::Session;
use crate::statement::partition_order::by_partition;

/// Bytes of a file after which another is begun, where nothing is said of it: large enough for few requests, small enough
/// for several readers.
pub const FILE_BYTES_MAX: u64 = 256 << 20;

/// What is written, where, and how.
pub struct FilesTarget {
    /// The columns of the query, with their types.
    pub types: SchemaRef,
    /// The folders.
    pub folders: PartitionFolders,
    /// What files are made of.
    pub encoding: FileEncoding,
    /// Their names.
    pub names: Arc<dyn NameFiles>,
    /// Bytes of a file after which another is begun.
    pub file_bytes_max: u64,
    /// Of the columns of the query, how many at its end are those of partitions.
    pub partition_columns: usize,
    /// Whether these are in the files, too.
    pub keeps_partition_columns: bool,
    /// Whether there is a file when there are no rows.
    pub writes_empty: bool,
}

/// The names of files that belong to an external table.
#[derive(Debug)]
struct TableFileNames {
    writes: Arc<FileWrites>,
    number: WriteNumber,
    ending: String,
}

impl NameFiles for TableFileNames {
    fn name(&self, partition: usize, file: usize) -> String {
        format!("{}{}", self.writes.file_name(self.number, partition, file), self.ending)
    }
}

impl FilesTarget {
    /// Files of an external table. The columns of the query are those of the table.
    ///
    /// # Errors
    /// 0A000 for a format that is not written.
    pub fn of_table(
        stores: Arc<ObjectStores>,
        table: &Arc<ExternalTable>,
        registered: Arc<Partitions>,
        writes: Arc<FileWrites>,
        number: WriteNumber,
    ) -> Result<Self> {
        let encoding = encoding(table)?;
        let ending = match table.format {
            FileFormat::Parquet | FileFormat::Avro | FileFormat::Arrow => String::new(),
            FileFormat::Json => ".json".to_owned(),
            FileFormat::Delimited(ref format) if format.quote.is_some() => ".csv".to_owned(),
            FileFormat::Delimited(_) => ".txt".to_owned(),
        };
        let ending = format!("{ending}{}", encoding.ending());
        Ok(FilesTarget {
            types: table.arrow_schema(),
            folders: PartitionFolders::new(table.clone(), registered, stores),
            encoding,
            names: Arc::new(TableFileNames { writes, number, ending }),
            file_bytes_max: file_bytes_max(table)?,
            partition_columns: table.partition_columns.len(),
            keeps_partition_columns: false,
            writes_empty: false,
        })
    }
}

/// How the files of a table are written: so that the table reads them.
fn encoding(table: &ExternalTable) -> Result<FileEncoding> {
    let compression = table.compression.unwrap_or(Compression::None);
    if table.encoding != TextEncoding::default() {
        return Err(Error::not_supported("writing text in another encoding than UTF-8"));
    }
    Ok(match &table.format {
        FileFormat::Parquet => FileEncoding::Parquet(ParquetEncoding {
            schema: table.file_schema(),
            compression: table.compression.unwrap_or(Compression::Snappy),
        }),
        FileFormat::Avro | FileFormat::Arrow => {
            return Err(Error::not_supported(format!("writing {} files", table.format.name())));
        }
        FileFormat::Delimited(format) => {
            check_lines(compression)?;
            let lines = DelimitedLines {
                schema: table.file_schema(),
                has_header: format.header_lines > 0,
                format: format.clone(),
                quotes_all: false,
                is_strict: true,
                booleans: Booleans::Words,
            };
            FileEncoding::Lines(Arc::new(lines), compression)
        }
        FileFormat::Json => {
            check_lines(compression)?;
            let lines = JsonLines { schema: table.file_schema(), values: SessionValues::default() };
            FileEncoding::Lines(Arc::new(lines), compression)
        }
    })
}

/// Snappy has no form for text that all who read such files know.
fn check_lines(compression: Compression) -> Result<()> {
    match compression {
        Compression::Snappy => Err(Error::not_supported("writing text with Snappy")),
        _ => Ok(()),
    }
}

/// Redshift's property of a table.
fn file_bytes_max(table: &ExternalTable) -> Result<u64> {
    let given = table.properties.iter().find(|(name, _)| name.eq_ignore_ascii_case("write.maxfilesize.mb"));
    let Some((name, value)) = given else { return Ok(FILE_BYTES_MAX) };
    let megabytes = value.parse::<u64>().ok().filter(|megabytes| (1..=6200).contains(megabytes));
    let megabytes = megabytes.ok_or_else(|| Error::InvalidDefinition {
        message: format!("invalid value '{value}' for property '{name}', which is between 1 and 6200"),
    })?;
    Ok(megabytes << 20)
}

/// Runs a query and writes its rows. What is written is not there for anybody yet.
///
/// # Errors
/// The query fails, a value cannot be written, or a file cannot.
pub async fn write_query(
    session: &mut Session,
    planned: &Planned,
    plan: LogicalPlan,
    target: FilesTarget,
) -> Result<WrittenFiles> {
    let FilesTarget { types, mut folders, encoding, names, file_bytes_max, partition_columns, .. } = target;
    let plan = by_partition(plan, partition_columns)?;
    let server = &session.server;
    let schema = match &encoding {
        FileEncoding::Parquet(encoding) => Some(encoding.schema.clone()),
        FileEncoding::Lines(..) => None,
    };
    let options = WriteOptions {
        encoding,
        names,
        file_bytes_max,
        partition_columns,
        keeps_partition_columns: target.keeps_partition_columns,
        reservation: server.engine.reserve("files"),
    };
    let parallel_max = std::thread::available_parallelism().map_or(1, usize::from);
    let mut writer = FilesWriter::new(options, parallel_max);
    let guard = session.guard();
    let context = Arc::new(PlanContext::new(session, planned.snapshot.clone()));
    let plan = guard.run(server.engine.physical_plan(context.clone(), plan)).await??;
    let mut rows = server.engine.execute(plan, context.state())?;
    let mut is_empty = true;
    while let Some(batch) = guard.run(rows.next()).await? {
        let batch = of_types(batch?, &types, schema.as_ref())?;
        is_empty &= batch.num_rows() == 0;
        guard.run(writer.write(&batch, &mut folders)).await??;
    }
    if is_empty && target.writes_empty && partition_columns == 0 {
        let folder = guard.run(folders.folder(&[])).await??;
        guard.run(writer.write_empty(folder)).await??;
    }
    Ok(guard.run(writer.finish()).await??)
}

/// The rows with the types that the files' columns have; what follows those is of partitions.
fn of_types(batch: RecordBatch, types: &Schema, schema: Option<&SchemaRef>) -> Result<RecordBatch> {
    let Some(schema) = schema else { return Ok(batch) };
    let mut columns = batch.columns().to_vec();
    let mut fields = batch.schema().fields().to_vec();
    for (place, wanted) in schema.fields().iter().enumerate() {
        columns[place] = of_type(&columns[place], types.field(place), wanted.data_type())?;
        fields[place] = Arc::new(wanted.as_ref().clone().with_nullable(true));
    }
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(DataFusionError::from)?)
}

/// A column as another type, or as the text of its values.
fn of_type(column: &ArrayRef, field: &Field, wanted: &DataType) -> Result<ArrayRef> {
    if column.data_type() == wanted {
        return Ok(column.clone());
    }
    if wanted != &DataType::Utf8View || column.data_type().is_string() {
        let options = CastOptions { safe: false, ..CastOptions::default() };
        return Ok(cast_with_options(column, wanted, &options).map_err(DataFusionError::from)?);
    }
    let described = describe_for_client(field);
    let write = text_writer(column, described.oid, described.typmod).map_err(PgError::from)?;
    let nulls = column.logical_nulls();
    let mut texts = StringViewBuilder::with_capacity(column.len());
    let mut text = BytesMut::new();
    for row in 0..column.len() {
        if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            texts.append_null();
            continue;
        }
        text.clear();
        write(row, &mut text).map_err(PgError::from)?;
        texts.append_value(String::from_utf8_lossy(&text));
    }
    Ok(Arc::new(texts.finish()))
}
