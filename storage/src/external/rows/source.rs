//! What the engine sees of files of rows.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::Schema;
use catalog::{Compression, ExternalTable, FileFormat};
use datafusion::common::Result;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileOpenFuture, FileOpener, FileScanConfig, FileSource};
use datafusion::datasource::projection::{ProjectionOpener, SplitProjection};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_plan::DisplayFormatType;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
use futures::StreamExt;
use object_store::ObjectStore;
use tokio::sync::mpsc::Sender;

use super::bytes::FileBytes;
use super::encoded::decoded;
use super::unpacked::unpacked;
use super::values::ValueBuilders;
use super::{JsonPath, Wanted, not_read, parquet, reader};
use crate::external::pinned_file::PinnedFile;
use crate::external::tolerance::Tolerance;
use crate::object_stores::Location;
use crate::page_cache::PageCache;
use crate::scan::fragment::ScanFragment;
use crate::scan::knowledge::Knowledge;
use crate::scan::report::{LoadedFiles, ReadCounter};

/// Batches of a file that wait to be taken, beside the one that is being made.
const BATCHES_AHEAD: usize = 1;

/// The files of a table that are in one store.
#[derive(Clone)]
pub(in crate::external) struct RowSource {
    files: Arc<Files>,
    table_schema: TableSchema,
    projection: SplitProjection,
    metrics: ExecutionPlanMetricsSet,
}

pub(super) struct Files {
    pub(super) table: Arc<ExternalTable>,
    store: Arc<dyn ObjectStore>,
    store_url: ObjectStoreUrl,
    builders: Arc<dyn ValueBuilders>,
    memory: Arc<dyn MemoryPool>,
    pub(super) watched: Watched,
}

/// What is told of the reading, and what it is told to tolerate.
#[derive(Clone)]
pub(in crate::external) struct Watched {
    /// What the query calls the table, where that is something else.
    pub alias: Option<Arc<str>>,
    /// What is known of the table.
    pub known: Option<Knowledge>,
    /// What becomes of bad data.
    pub tolerance: Arc<Tolerance>,
    /// Counts what is read.
    pub read: Arc<ReadCounter>,
    /// Where what is read may be kept.
    pub pages: Option<Arc<PageCache>>,
    /// The files of a load.
    pub loaded: Option<Arc<LoadedFiles>>,
    /// Where its values are in JSON.
    pub json_paths: Option<Arc<[JsonPath]>>,
}

/// Opens files for some of their columns.
struct RowOpener {
    files: Arc<Files>,
    columns: Vec<usize>,
}

impl RowSource {
    /// The files of a table in a store. What is read of them is counted.
    pub(in crate::external) fn new(
        table: Arc<ExternalTable>,
        table_schema: TableSchema,
        location: &Location,
        builders: Arc<dyn ValueBuilders>,
        watched: Watched,
        memory: Arc<dyn MemoryPool>,
    ) -> Self {
        let (store, store_url) = (location.store.clone(), location.store_url.clone());
        RowSource {
            files: Arc::new(Files { table, store, store_url, builders, watched, memory }),
            projection: SplitProjection::unprojected(&table_schema),
            table_schema,
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }
}

/// What a scan of files of rows does of a plan; `None` if it is another scan.
pub(crate) fn fragment(scan: &DataSourceExec) -> Option<ScanFragment> {
    let config = scan.data_source().downcast_ref::<FileScanConfig>()?;
    let source = config.file_source().downcast_ref::<RowSource>()?;
    let table = &source.files.table;
    Some(ScanFragment {
        table: table.name.clone(),
        alias: source.files.watched.alias.clone(),
        format: Some(table.format.name()),
        columns: source.table_schema.table_schema().clone(),
        output: source.projection.source.iter().map(|projected| projected.expr.clone()).collect(),
        conditions: Vec::new(),
        hints: Vec::new(),
        statistics: config.statistics(),
        known: source.files.watched.known.clone(),
        fetch: config.limit,
        bounds: None,
        takes_conditions: false,
        row_groups: None,
        read: Some(source.files.watched.read.clone()),
    })
}

impl FileSource for RowSource {
    fn create_file_opener(
        &self,
        _object_store: Arc<dyn ObjectStore>,
        _base_config: &FileScanConfig,
        _partition: usize,
    ) -> Result<Arc<dyn FileOpener>> {
        let opener = RowOpener { files: self.files.clone(), columns: self.projection.file_indices.clone() };
        ProjectionOpener::try_new(self.projection.clone(), Arc::new(opener), self.table_schema.file_schema())
    }

    fn table_schema(&self) -> &TableSchema {
        &self.table_schema
    }

    fn with_batch_size(&self, _batch_size: usize) -> Arc<dyn FileSource> {
        Arc::new(self.clone())
    }

    fn projection(&self) -> Option<&ProjectionExprs> {
        Some(&self.projection.source)
    }

    fn try_pushdown_projection(&self, projection: &ProjectionExprs) -> Result<Option<Arc<dyn FileSource>>> {
        let projection = self.projection.source.try_merge(projection)?;
        let projection = SplitProjection::new(self.table_schema.file_schema(), &projection);
        Ok(Some(Arc::new(RowSource { projection, ..self.clone() })))
    }

    fn metrics(&self) -> &ExecutionPlanMetricsSet {
        &self.metrics
    }

    fn file_type(&self) -> &str {
        self.files.table.format.name()
    }

    fn fmt_extra(&self, _t: DisplayFormatType, _f: &mut fmt::Formatter) -> fmt::Result {
        Ok(())
    }

    /// Where a line begins is only known to who has read those before it.
    fn supports_repartitioning(&self) -> bool {
        false
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        for projected in self.projection.source.iter() {
            if f(&projected.expr)? == TreeNodeRecursion::Stop {
                return Ok(TreeNodeRecursion::Stop);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    }
}

impl FileOpener for RowOpener {
    fn open(&self, file: PartitionedFile) -> Result<FileOpenFuture> {
        let files = self.files.clone();
        let columns = self.columns.clone();
        let schema = Arc::new(files.table.file_schema().project(&columns)?);
        Ok(Box::pin(async move {
            let counter = files.watched.read.clone();
            let file = PinnedFile::new(files.store.clone(), &files.store_url, file.object_meta, counter);
            let file = file.kept_in(files.watched.pages.clone());
            let mut batches = RecordBatchReceiverStreamBuilder::new(schema.clone(), BATCHES_AHEAD);
            let sender = batches.tx();
            if files.table.format == FileFormat::Parquet {
                batches.spawn(async move { parquet::read(&files, &columns, schema, file, &sender).await });
                return Ok(batches.build().boxed());
            }
            let path = file.url().to_owned();
            let bytes = FileBytes::fetch(Arc::new(file));
            batches.spawn_blocking(move || read(&files, &columns, &schema, path, bytes, &sender));
            Ok(batches.build().boxed())
        }))
    }
}

/// Sends the rows of a file, as long as somebody takes them.
fn read(
    files: &Files,
    columns: &[usize],
    schema: &Arc<Schema>,
    path: String,
    bytes: FileBytes,
    batches: &Sender<Result<arrow::array::RecordBatch>>,
) -> Result<()> {
    let compression = files.table.compression.unwrap_or_else(|| Compression::of_name(&path));
    let input = match unpacked(compression, bytes) {
        Ok(input) => input,
        Err(error) => return Ok(files.watched.tolerance.file(&path, not_read(path.clone(), error))?),
    };
    let json_paths = files.watched.json_paths.as_deref();
    let (table, builders, tolerance) = (&files.table, files.builders.as_ref(), files.watched.tolerance.clone());
    // Which rows there are must not depend on what is asked of them.
    let reads_all = tolerance.rules().bear_on_rows();
    let all: Vec<usize> = (0..table.columns.len()).collect();
    let (read, read_schema) = if reads_all { (all.as_slice(), table.file_schema()) } else { (columns, schema.clone()) };
    let wanted =
        Wanted { table, columns: read, schema: read_schema, builders, tolerance, json_paths, path: path.clone() };
    let mut rows = match reader(wanted, decoded(table.encoding, input)) {
        Ok(rows) => rows,
        Err(error) => return Ok(files.watched.tolerance.file(&path, error)?),
    };
    let reservation = MemoryConsumer::new("file").register(&files.memory);
    while let Some(batch) = rows.next_batch()? {
        reservation.try_resize(rows.held_bytes())?;
        let batch = if reads_all { batch.project(columns)? } else { batch };
        if batches.blocking_send(Ok(batch)).is_err() {
            break;
        }
    }
    if let Some(loaded) = &files.watched.loaded {
        loaded.read(&path, rows.lines());
    }
    Ok(())
}
