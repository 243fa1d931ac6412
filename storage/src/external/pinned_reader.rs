//! Reads parts of a Parquet file for the engine's decoder.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use object_store::coalesce_ranges;
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::errors::ParquetError;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData};

use super::footers;
use super::pinned_file::PinnedFile;
use crate::chunk_bytes::ChunkBytes;
use crate::error::Error;

/// Ranges nearer to each other than this are read in one request: a request to an object store costs as much time as half a
/// megabyte.
const GAP_BYTES_MAX: u64 = 1024 * 1024;
/// Of the bytes that are needed, the part that gaps between them may have which are read with them.
const GAPS_ONE_IN: u64 = 8;
/// Bytes of gaps that are read in any case.
const GAPS_BYTES_FREE: u64 = 64 * 1024;

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

/// The bytes of some ranges of a file. Those near to each other come by one request, unless what lies between them is much.
///
/// # Errors
/// They are not in the file, or the store does not give them.
pub(super) async fn read_ranges(file: &PinnedFile, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, Error> {
    file.check(ranges)?;
    coalesce_ranges(ranges, |range| file.read(range), gap_max(ranges)).await
}

/// The widest gap such that all gaps up to it are a small part of what is needed.
fn gap_max(ranges: &[Range<u64>]) -> u64 {
    let mut sorted: Vec<_> = ranges.iter().collect();
    sorted.sort_by_key(|range| range.start);
    let needed: u64 = ranges.iter().map(|range| range.end - range.start).sum();
    let mut gaps: Vec<u64> = sorted.windows(2).map(|pair| pair[1].start.saturating_sub(pair[0].end)).collect();
    gaps.sort_unstable();
    let (mut total, mut widest) = (0, 0);
    for gap in gaps.into_iter().take_while(|gap| *gap <= GAP_BYTES_MAX) {
        total += gap;
        if total > GAPS_BYTES_FREE.max(needed / GAPS_ONE_IN) {
            break;
        }
        widest = gap;
    }
    widest
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_read_where_they_are_few() {
        let many = 100 * GAPS_BYTES_FREE;
        assert_eq!(gap_max(&[0..100, 100..200]), 0);
        assert_eq!(gap_max(&[0..100, 110..200]), 10);
        assert_eq!(gap_max(&[0..100, 300..400, 200_000..200_100]), 200);
        assert_eq!(gap_max(&[0..many, many + 500_000..2 * many]), 500_000);
        assert_eq!(gap_max(&[0..100, 1010..2000, many..many + 100]), 910);
        let far = GAP_BYTES_MAX * 100;
        assert_eq!(gap_max(&[0..far, far + GAP_BYTES_MAX + 1..2 * far]), 0);
    }
}
