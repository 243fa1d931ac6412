//! Reads parts of a Parquet file for the engine's decoder.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::errors::ParquetError;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData};

use super::footers;
use super::pinned_file::PinnedFile;
use super::read_ranges::read_ranges;
use crate::chunk_bytes::ChunkBytes;
use crate::error::Error;

/// Reads one file.
pub(super) struct PinnedReader {
    file: Arc<PinnedFile>,
    fetched: ChunkBytes,
}

impl PinnedReader {
    /// For this file.
    pub(super) fn new(file: Arc<PinnedFile>) -> Self {
        PinnedReader { file, fetched: ChunkBytes::default() }
    }

    /// For a file of which some bytes have been read already.
    pub(super) fn with_fetched(file: Arc<PinnedFile>, fetched: ChunkBytes) -> Self {
        PinnedReader { file, fetched }
    }

    async fn read(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, Error> {
        let fetched = ranges.iter().map(|range| self.fetched.range(range));
        if let Some(fetched) = fetched.collect() {
            return Ok(fetched);
        }
        read_ranges(&self.file, ranges).await
    }
}

impl AsyncFileReader for PinnedReader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, parquet::errors::Result<Bytes>> {
        Box::pin(async move { self.file.read(range).await.map_err(external) })
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, parquet::errors::Result<Vec<Bytes>>> {
        Box::pin(async move { self.read(&ranges).await.map_err(external) })
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, parquet::errors::Result<Arc<ParquetMetaData>>> {
        let policy = options.map_or(PageIndexPolicy::Skip, ArrowReaderOptions::offset_index_policy);
        let file = &self.file;
        Box::pin(async move { footers::read(file, policy).await.map(Arc::new).map_err(external) })
    }
}

pub(super) fn external(error: Error) -> ParquetError {
    ParquetError::External(Box::new(error))
}
