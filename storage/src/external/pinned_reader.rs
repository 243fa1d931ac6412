//! Reads Parquet files as they were when they were listed.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::common::Result;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{ParquetFileMetrics, ParquetFileReaderFactory};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::future::BoxFuture;
use object_store::{ObjectStore, coalesce_ranges};
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::basic::{SortOrder, Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::{
    ColumnChunkMetaData, FileMetaData, KeyValue, ParquetMetaData, ParquetMetaDataBuilder, ParquetMetaDataReader,
    RowGroupMetaData,
};
use parquet::file::statistics::Statistics;

use super::by_name::FILE_URL;
use super::pinned_file::PinnedFile;
use crate::error::{self, Error};
use crate::scan::report::ReadCounter;

/// Bytes at a file's end that are read in the hope that they hold the footer. Most footers are smaller, and a request to
/// an object store costs as much time as half a megabyte.
const FOOTER_BYTES_HINT: usize = 64 * 1024;
/// Ranges nearer to each other than this are read in one request, for the same reason.
const GAP_BYTES_MAX: u64 = 1024 * 1024;
/// Makes readers of the files of one store.
#[derive(Debug)]
pub(super) struct PinnedReaderFactory {
    store: Arc<dyn ObjectStore>,
    store_url: ObjectStoreUrl,
    read: Arc<ReadCounter>,
}

/// Reads one file.
pub(super) struct PinnedReader {
    file: Arc<PinnedFile>,
    /// Where the engine counts, too.
    metrics: Option<ParquetFileMetrics>,
}

impl PinnedReader {
    /// For who reads without the engine.
    pub(super) fn new(file: Arc<PinnedFile>) -> Self {
        PinnedReader { file, metrics: None }
    }

    fn count(&self, bytes: u64) {
        if let Some(metrics) = &self.metrics {
            metrics.bytes_scanned.add(bytes as usize);
        }
    }
}

impl PinnedReaderFactory {
    /// For the files of this store. What is read of them is counted.
    pub(super) fn new(store: Arc<dyn ObjectStore>, store_url: ObjectStoreUrl, read: Arc<ReadCounter>) -> Self {
        PinnedReaderFactory { store, store_url, read }
    }
}

impl ParquetFileReaderFactory for PinnedReaderFactory {
    fn create_reader(
        &self,
        partition_index: usize,
        file: PartitionedFile,
        _metadata_size_hint: Option<usize>,
        metrics: &ExecutionPlanMetricsSet,
    ) -> Result<Box<dyn AsyncFileReader + Send>> {
        let file = file.object_meta;
        let metrics = Some(ParquetFileMetrics::new(partition_index, file.location.as_ref(), metrics));
        let file = Arc::new(PinnedFile::new(self.store.clone(), &self.store_url, file, self.read.clone()));
        Ok(Box::new(PinnedReader { file, metrics }))
    }
}

impl AsyncFileReader for PinnedReader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, parquet::errors::Result<Bytes>> {
        self.count(range.end.saturating_sub(range.start));
        let file = &self.file;
        Box::pin(async move { file.read(range).await.map_err(external) })
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, parquet::errors::Result<Vec<Bytes>>> {
        let bytes: u64 = ranges.iter().map(|range| range.end.saturating_sub(range.start)).sum();
        self.count(bytes);
        let file = &self.file;
        Box::pin(async move {
            file.check(&ranges).map_err(external)?;
            coalesce_ranges(&ranges, |range| file.read(range), GAP_BYTES_MAX).await.map_err(external)
        })
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, parquet::errors::Result<Arc<ParquetMetaData>>> {
        Box::pin(async move {
            let (size, url) = (self.file.size(), self.file.url().to_owned());
            let mut reader = ParquetMetaDataReader::new().with_prefetch_hint(Some(FOOTER_BYTES_HINT));
            if let Some(options) = options {
                reader = reader
                    .with_metadata_options(Some(options.metadata_options().clone()))
                    .with_column_index_policy(options.column_index_policy())
                    .with_offset_index_policy(options.offset_index_policy());
            }
            let metadata = reader.load_and_finish(self, size).await;
            let metadata = metadata.and_then(|metadata| prepared(metadata, &url));
            metadata.map(Arc::new).map_err(|error| not_parquet(url, error))
        })
    }
}

fn external(error: Error) -> ParquetError {
    ParquetError::External(Box::new(error))
}

fn not_parquet(path: String, error: ParquetError) -> ParquetError {
    if error::find(&error).is_some() {
        return error;
    }
    let reason = match error {
        ParquetError::General(reason) | ParquetError::EOF(reason) | ParquetError::NYI(reason) => reason,
        other => other.to_string(),
    };
    external(Error::NotParquet { path, reason })
}

/// A footer that tells which file it is from and whose statistics can be trusted.
fn prepared(metadata: ParquetMetaData, url: &str) -> parquet::errors::Result<ParquetMetaData> {
    let file = metadata.file_metadata();
    let mut properties = file.key_value_metadata().cloned().unwrap_or_default();
    properties.retain(|property| property.key != FILE_URL);
    properties.push(KeyValue::new(FILE_URL.to_owned(), url.to_owned()));
    let file = FileMetaData::new(
        file.version(),
        file.num_rows(),
        file.created_by().map(str::to_owned),
        Some(properties),
        file.schema_descr_ptr(),
        file.column_orders().cloned(),
    );
    let mut parts = metadata.into_builder();
    let row_groups = parts.take_row_groups().into_iter().map(with_trusted_statistics);
    Ok(ParquetMetaDataBuilder::new(file)
        .set_row_groups(row_groups.collect::<parquet::errors::Result<_>>()?)
        .set_column_index(parts.take_column_index())
        .set_offset_index(parts.take_offset_index())
        .build())
}

fn with_trusted_statistics(mut row_group: RowGroupMetaData) -> parquet::errors::Result<RowGroupMetaData> {
    for column in row_group.columns_mut() {
        if !has_trusted_statistics(column) {
            *column = column.clone().into_builder().clear_statistics().build()?;
        }
    }
    Ok(row_group)
}

/// Old writers ordered texts, decimals and unsigned numbers as signed bytes or numbers, and counted NaN among the
/// numbers. The engine does not look at that and would leave out rows that a filter lets through.
fn has_trusted_statistics(column: &ColumnChunkMetaData) -> bool {
    match column.statistics() {
        None => true,
        Some(Statistics::Float(it)) => ![it.min_opt(), it.max_opt()].into_iter().flatten().any(|it| it.is_nan()),
        Some(Statistics::Double(it)) => ![it.min_opt(), it.max_opt()].into_iter().flatten().any(|it| it.is_nan()),
        Some(it) if it.is_min_max_deprecated() => {
            let is_bytes = matches!(column.column_type(), Type::BYTE_ARRAY | Type::FIXED_LEN_BYTE_ARRAY);
            !is_bytes && column.column_descr().sort_order() == SortOrder::SIGNED
        }
        Some(_) => true,
    }
}
