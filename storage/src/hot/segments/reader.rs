//! Reads columns out of the file of a segment. Every byte is compared with its checksum before anything is made of it.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::{DataType, Field, FieldRef, Schema};
use bytes::Bytes;
use catalog::vfs::VfsFile;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaDataReader;

use super::details::{CheckedRange, SegmentDetails};
use crate::chunk_bytes::ChunkBytes;
use crate::column_cache::BATCH_ROWS;
use crate::error::{Error, Result};

/// Bytes behind the metadata in the footer: its length and Parquet's mark.
const FOOTER_TAIL_BYTES: usize = 8;

/// An open segment.
#[derive(Debug)]
pub struct SegmentReader {
    name: String,
    file: Arc<dyn VfsFile>,
    details: Arc<SegmentDetails>,
    metadata: ArrowReaderMetadata,
}

impl SegmentReader {
    /// Reads the footer of the file, which messages call `name`.
    ///
    /// # Errors
    /// The file cannot be read, or is damaged.
    pub fn open(name: &str, file: Arc<dyn VfsFile>, details: Arc<SegmentDetails>) -> Result<Self> {
        let footer = read_range(name, file.as_ref(), details.footer)?;
        let metadata = footer.len().checked_sub(FOOTER_TAIL_BYTES).map(|length| &footer[..length]);
        let metadata = metadata.ok_or_else(|| damaged(name, "its footer is too short"))?;
        let metadata = ParquetMetaDataReader::decode_metadata(metadata)
            .and_then(|metadata| ArrowReaderMetadata::try_new(Arc::new(metadata), ArrowReaderOptions::new()))
            .and_then(|metadata| with_views(&metadata))
            .map_err(|error| damaged(name, &error.to_string()))?;
        Ok(SegmentReader { name: name.to_owned(), file, details, metadata })
    }

    /// What is known of the segment.
    pub fn details(&self) -> &SegmentDetails {
        &self.details
    }

    /// A column of a row group in batches of [`BATCH_ROWS`], its texts as views of what was read; `None` when the segment has
    /// no such column.
    ///
    /// # Errors
    /// The file cannot be read, or is damaged.
    pub fn column(&self, row_group: usize, column: &str) -> Result<Option<Vec<ArrayRef>>> {
        let Some(details) = self.details.columns.get(column) else { return Ok(None) };
        let range = details.chunks.get(row_group).ok_or_else(|| damaged(&self.name, "a row group is not there"))?;
        let bytes = read_range(&self.name, self.file.as_ref(), *range)?;
        let batches = self.decode(row_group, column, ChunkBytes::new(range.offset, bytes));
        let batches = batches.map_err(|error| damaged(&self.name, &error.to_string()))?;
        let mut missing = self.details.rows.value(row_group) as usize;
        for batch in &batches {
            if batch.len() != missing.min(BATCH_ROWS) {
                return Err(damaged(&self.name, "a row group has another number of rows"));
            }
            missing -= batch.len();
        }
        if missing > 0 {
            return Err(damaged(&self.name, "a row group has another number of rows"));
        }
        Ok(Some(batches))
    }

    fn decode(&self, row_group: usize, column: &str, bytes: ChunkBytes) -> Result<Vec<ArrayRef>, ParquetError> {
        let place = self.metadata.schema().index_of(column)?;
        let mask = ProjectionMask::roots(self.metadata.parquet_schema(), [place]);
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(bytes, self.metadata.clone())
            .with_row_groups(vec![row_group])
            .with_projection(mask)
            .with_batch_size(BATCH_ROWS)
            .build()?;
        reader.map(|batch| Ok(batch?.column(0).clone())).collect()
    }
}

/// Texts are read as views: they need not be copied.
fn with_views(metadata: &ArrowReaderMetadata) -> Result<ArrowReaderMetadata, ParquetError> {
    let schema = metadata.schema();
    let field = |field: &FieldRef| -> FieldRef {
        let viewed = match field.data_type() {
            DataType::Utf8 => DataType::Utf8View,
            DataType::Binary => DataType::BinaryView,
            _ => return field.clone(),
        };
        Arc::new(Field::new(field.name(), viewed, field.is_nullable()).with_metadata(field.metadata().clone()))
    };
    let fields: Vec<_> = schema.fields().iter().map(field).collect();
    let schema = Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()));
    ArrowReaderMetadata::try_new(metadata.metadata().clone(), ArrowReaderOptions::new().with_schema(schema))
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
