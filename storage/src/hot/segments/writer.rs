//! Writes the file of a segment.

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, UInt32Array, UInt64Array};
use arrow::datatypes::{DataType, Schema, SchemaRef};
use catalog::vfs::{VfsFile, is_disk_full};
use datafusion::common::ScalarValue;
use datafusion::error::DataFusionError;
use datafusion::functions_aggregate::min_max::{MaxAccumulator, MinAccumulator};
use datafusion::logical_expr::Accumulator;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};

use super::FlushFailureHook;
use super::details::{CheckedRange, ColumnDetails, SegmentDetails};

/// Rows of a row group: what is read, cached and skipped at once.
pub const ROW_GROUP_ROWS: usize = 2 * catalog::rows::BLOCK_ROWS as usize;
/// Bytes of a text that zone maps keep. A longer one says little more and makes the commit store larger.
const BOUND_BYTES_MAX: usize = 64;
/// Bytes that are collected before they are written.
const BUFFER_BYTES: usize = 1 << 20;
/// Bytes behind the footer: its length and Parquet's mark.
const FOOTER_TAIL_BYTES: u64 = 8;

/// What was written.
#[derive(Debug)]
pub struct Written {
    /// Rows in the file.
    pub rows: u32,
    /// Bytes of the file.
    pub bytes: u64,
    /// Where they are.
    pub details: SegmentDetails,
}

/// Writes the file of a segment. The file is not durable until it has been flushed.
pub struct SegmentWriter {
    writer: ArrowWriter<FileWriter>,
    schema: SchemaRef,
    file: Arc<dyn VfsFile>,
    group: GroupBounds,
    group_rows: Vec<u32>,
    bounds: Vec<GroupBounds>,
}

impl SegmentWriter {
    /// Writes into an empty file; the columns are those of `schema`, at rest.
    ///
    /// # Errors
    /// A type that cannot be stored: a bug.
    pub fn new(file: Arc<dyn VfsFile>, schema: SchemaRef) -> Result<Self, DataFusionError> {
        let properties = WriterProperties::builder()
            .set_writer_version(WriterVersion::PARQUET_2_0)
            .set_compression(Compression::LZ4_RAW)
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .build();
        let target = FileWriter { file: file.clone(), offset: 0, buffer: Vec::with_capacity(BUFFER_BYTES) };
        let writer = ArrowWriter::try_new(target, schema.clone(), Some(properties))?;
        let group = GroupBounds::new(&schema)?;
        Ok(SegmentWriter { writer, schema, file, group, group_rows: vec![0], bounds: Vec::new() })
    }

    /// Adds rows.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), DataFusionError> {
        let mut offset = 0;
        while offset < batch.num_rows() {
            if self.group_rows.last().is_some_and(|rows| *rows as usize == ROW_GROUP_ROWS) {
                self.next_group()?;
            }
            let group_rows = self.group_rows.last_mut().ok_or_else(no_group)?;
            let count = (batch.num_rows() - offset).min(ROW_GROUP_ROWS - *group_rows as usize);
            let rows = batch.slice(offset, count);
            self.group.add(&rows)?;
            *group_rows += count as u32;
            self.writer.write(&rows)?;
            offset += count;
        }
        Ok(())
    }

    fn next_group(&mut self) -> Result<(), DataFusionError> {
        let next = GroupBounds::new(&self.schema)?;
        self.bounds.push(std::mem::replace(&mut self.group, next));
        self.group_rows.push(0);
        Ok(())
    }

    /// Bytes that the file will have at least.
    pub fn bytes(&self) -> u64 {
        (self.writer.bytes_written() + self.writer.in_progress_size()) as u64
    }

    /// Bytes of memory that it takes.
    pub fn memory_bytes(&self) -> usize {
        self.writer.memory_size() + BUFFER_BYTES
    }

    /// Ends the file and flushes it.
    ///
    /// # Errors
    /// The file cannot be written; after a failed flush nobody knows what the disk holds.
    pub fn finish(mut self, on_flush_failed: Option<FlushFailureHook>) -> Result<Written, DataFusionError> {
        self.bounds.push(self.group);
        let metadata = self.writer.finish()?;
        self.writer.inner_mut().flush()?;
        if let Some(on_flush_failed) = on_flush_failed {
            // Without space only this file is incomplete, and nothing refers to it.
            let failed = |error: &io::Error| !is_disk_full(error);
            self.file.sync_data().inspect_err(|error| {
                if failed(error) {
                    on_flush_failed(error)
                }
            })?;
        }
        let bytes = self.file.len()?;
        let rows = self.group_rows.iter().sum();
        let details = SegmentDetails {
            footer: footer_range(self.file.as_ref(), bytes)?,
            rows: UInt32Array::from(self.group_rows),
            columns: columns(self.file.as_ref(), &self.schema, &metadata, self.bounds)?,
        };
        Ok(Written { rows, bytes, details })
    }
}

fn no_group() -> DataFusionError {
    DataFusionError::Internal("a segment has a row group".to_owned())
}

/// Reads bytes back and computes their checksum.
fn checked_range(file: &dyn VfsFile, offset: u64, length: u64) -> io::Result<CheckedRange> {
    let mut bytes = vec![0; length as usize];
    file.read_at(offset, &mut bytes)?;
    Ok(CheckedRange { offset, length, checksum: crc32fast::hash(&bytes) })
}

/// The footer: everything from the metadata to the end of the file.
fn footer_range(file: &dyn VfsFile, bytes: u64) -> Result<CheckedRange, DataFusionError> {
    let mut length = [0; size_of::<u32>()];
    let at = bytes.checked_sub(FOOTER_TAIL_BYTES).ok_or_else(no_group)?;
    file.read_at(at, &mut length)?;
    let length = u64::from(u32::from_le_bytes(length)) + FOOTER_TAIL_BYTES;
    let offset = bytes.checked_sub(length).ok_or_else(no_group)?;
    Ok(checked_range(file, offset, length)?)
}

/// Where the columns are. The leaves of a nested one are beside each other.
fn columns(
    file: &dyn VfsFile,
    schema: &Schema,
    metadata: &ParquetMetaData,
    groups: Vec<GroupBounds>,
) -> Result<HashMap<String, ColumnDetails>, DataFusionError> {
    let parquet = metadata.file_metadata().schema_descr();
    let mut columns = HashMap::new();
    for (place, field) in schema.fields().iter().enumerate() {
        let mut chunks = Vec::with_capacity(metadata.num_row_groups());
        for group in metadata.row_groups() {
            let leaves = group.columns().iter().enumerate();
            let ranges = leaves.filter(|(leaf, _)| parquet.get_column_root_idx(*leaf) == place);
            let ranges: Vec<_> = ranges.map(|(_, leaf)| leaf.byte_range()).collect();
            let start = ranges.iter().map(|(start, _)| *start).min().unwrap_or_default();
            let end = ranges.iter().map(|(start, length)| start + length).max().unwrap_or_default();
            chunks.push(checked_range(file, start, end - start)?);
        }
        let nulls = groups.iter().map(|group| group.columns[place].nulls).collect::<Vec<_>>();
        let bounds = bounds(field.data_type(), &groups, place)?;
        columns.insert(field.name().clone(), ColumnDetails { chunks, nulls: UInt64Array::from(nulls), bounds });
    }
    Ok(columns)
}

fn bounds(
    data_type: &DataType,
    groups: &[GroupBounds],
    place: usize,
) -> Result<Option<(ArrayRef, ArrayRef)>, DataFusionError> {
    if !has_bounds(data_type) {
        return Ok(None);
    }
    let of = |bound: fn(&ColumnBounds) -> Option<&ScalarValue>| -> Result<ArrayRef, DataFusionError> {
        let null = ScalarValue::try_from(data_type)?;
        let values = groups.iter().map(|group| match bound(&group.columns[place]) {
            Some(value) if !is_long(value) => value.clone(),
            _ => null.clone(),
        });
        ScalarValue::iter_to_array(values.collect::<Vec<_>>())
    };
    Ok(Some((of(|bounds| bounds.min_value.as_ref())?, of(|bounds| bounds.max_value.as_ref())?)))
}

fn is_long(value: &ScalarValue) -> bool {
    match value {
        ScalarValue::Utf8(Some(text)) => text.len() > BOUND_BYTES_MAX,
        ScalarValue::Binary(Some(bytes)) => bytes.len() > BOUND_BYTES_MAX,
        _ => false,
    }
}

/// Types that Arrow puts into the order that SQL puts them into.
fn has_bounds(data_type: &DataType) -> bool {
    data_type.is_integer()
        || data_type.is_floating()
        || data_type.is_decimal()
        || data_type.is_temporal()
        || matches!(data_type, DataType::Boolean | DataType::Utf8 | DataType::Binary)
}

/// The least and the greatest values of the columns of a row group.
struct GroupBounds {
    columns: Vec<ColumnBounds>,
}

struct ColumnBounds {
    nulls: u64,
    accumulators: Option<(MinAccumulator, MaxAccumulator)>,
    min_value: Option<ScalarValue>,
    max_value: Option<ScalarValue>,
}

impl GroupBounds {
    fn new(schema: &Schema) -> Result<Self, DataFusionError> {
        let column = |data_type: &DataType| {
            let accumulators = match has_bounds(data_type) {
                true => Some((MinAccumulator::try_new(data_type)?, MaxAccumulator::try_new(data_type)?)),
                false => None,
            };
            Ok(ColumnBounds { nulls: 0, accumulators, min_value: None, max_value: None })
        };
        let columns = schema.fields().iter().map(|field| column(field.data_type()));
        Ok(GroupBounds { columns: columns.collect::<Result<_, DataFusionError>>()? })
    }

    fn add(&mut self, rows: &RecordBatch) -> Result<(), DataFusionError> {
        for (column, array) in self.columns.iter_mut().zip(rows.columns()) {
            column.nulls += array.null_count() as u64;
            if let Some((min, max)) = &mut column.accumulators {
                min.update_batch(std::slice::from_ref(array))?;
                max.update_batch(std::slice::from_ref(array))?;
                column.min_value = Some(min.evaluate()?);
                column.max_value = Some(max.evaluate()?);
            }
        }
        Ok(())
    }
}

/// A file of the data directory as something to be written to from its beginning.
struct FileWriter {
    file: Arc<dyn VfsFile>,
    offset: u64,
    buffer: Vec<u8>,
}

impl Write for FileWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= BUFFER_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.buffer.is_empty() {
            self.file.write_at(self.offset, &self.buffer)?;
            self.offset += self.buffer.len() as u64;
            self.buffer.clear();
        }
        Ok(())
    }
}
