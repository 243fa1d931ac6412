//! Reads columns out of the file of a segment. Every byte is compared with its checksum before anything is made of it.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::concat_batches;
use bytes::buf::Reader;
use bytes::{Buf, Bytes};
use catalog::vfs::VfsFile;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaDataReader;
use parquet::file::reader::{ChunkReader, Length};

use super::details::{CheckedRange, SegmentDetails};
use crate::error::{Error, Result};

/// Bytes behind the metadata in the footer: its length and Parquet's mark.
const FOOTER_TAIL_BYTES: usize = 8;

/// An open segment.
#[derive(Debug)]
pub struct SegmentReader {
    name: String,
    file: Arc<dyn VfsFile>,
    details: SegmentDetails,
    metadata: ArrowReaderMetadata,
}

impl SegmentReader {
    /// Reads the footer of the file, which messages call `name`.
    ///
    /// # Errors
    /// The file cannot be read, or is damaged.
    pub fn open(name: &str, file: Arc<dyn VfsFile>, details: SegmentDetails) -> Result<Self> {
        let footer = read_range(name, file.as_ref(), details.footer)?;
        let metadata = footer.len().checked_sub(FOOTER_TAIL_BYTES).map(|length| &footer[..length]);
        let metadata = metadata.ok_or_else(|| damaged(name, "its footer is too short"))?;
        let metadata = ParquetMetaDataReader::decode_metadata(metadata)
            .and_then(|metadata| ArrowReaderMetadata::try_new(Arc::new(metadata), ArrowReaderOptions::new()))
            .map_err(|error| damaged(name, &error.to_string()))?;
        Ok(SegmentReader { name: name.to_owned(), file, details, metadata })
    }

    /// What is known of the segment.
    pub fn details(&self) -> &SegmentDetails {
        &self.details
    }

    /// A column of a row group, at rest; `None` when the segment has no such column.
    ///
    /// # Errors
    /// The file cannot be read, or is damaged.
    pub fn column(&self, row_group: usize, column: &str) -> Result<Option<ArrayRef>> {
        let Some(details) = self.details.columns.get(column) else { return Ok(None) };
        let range = details.chunks.get(row_group).ok_or_else(|| damaged(&self.name, "a row group is not there"))?;
        let bytes = read_range(&self.name, self.file.as_ref(), *range)?;
        let rows = self.decode(row_group, column, ChunkBytes { offset: range.offset, bytes });
        let rows = rows.map_err(|error| damaged(&self.name, &error.to_string()))?;
        if rows.num_rows() != self.details.rows.value(row_group) as usize {
            return Err(damaged(&self.name, "a row group has another number of rows"));
        }
        Ok(Some(rows.column(0).clone()))
    }

    fn decode(&self, row_group: usize, column: &str, bytes: ChunkBytes) -> Result<RecordBatch, ParquetError> {
        let schema = self.metadata.schema();
        let place = schema.index_of(column)?;
        let mask = ProjectionMask::roots(self.metadata.parquet_schema(), [place]);
        let rows = self.details.rows.value(row_group) as usize;
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(bytes, self.metadata.clone())
            .with_row_groups(vec![row_group])
            .with_projection(mask)
            .with_batch_size(rows.max(1))
            .build()?;
        let projected = Arc::new(schema.project(&[place])?);
        let batches = reader.collect::<Result<Vec<_>, _>>()?;
        Ok(concat_batches(&projected, &batches)?)
    }
}

fn read_range(name: &str, file: &dyn VfsFile, range: CheckedRange) -> Result<Bytes> {
    let mut bytes = vec![0; range.length as usize];
    file.read_at(range.offset, &mut bytes)
        .map_err(|source| Error::SegmentUnreadable { name: name.to_owned(), source })?;
    if !range.matches(&bytes) {
        return Err(damaged(name, "its checksum does not match"));
    }
    Ok(bytes.into())
}

fn damaged(name: &str, reason: &str) -> Error {
    Error::DamagedSegment { name: name.to_owned(), reason: reason.to_owned() }
}

/// The bytes of a part of a file, for a reader that asks for them by their place in the file.
struct ChunkBytes {
    offset: u64,
    bytes: Bytes,
}

impl ChunkBytes {
    fn from(&self, start: u64) -> parquet::errors::Result<Bytes> {
        let start = start.checked_sub(self.offset).filter(|start| *start <= self.bytes.len() as u64);
        let start = start.ok_or_else(|| ParquetError::EOF("outside of the column".to_owned()))?;
        Ok(self.bytes.slice(start as usize..))
    }
}

impl Length for ChunkBytes {
    fn len(&self) -> u64 {
        self.offset + self.bytes.len() as u64
    }
}

impl ChunkReader for ChunkBytes {
    type T = Reader<Bytes>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        Ok(self.from(start)?.reader())
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        let bytes = self.from(start)?;
        if bytes.len() < length {
            return Err(ParquetError::EOF("outside of the column".to_owned()));
        }
        Ok(bytes.slice(..length))
    }
}
