//! What a scan is expected to give, from the sizes of its files alone.

use arrow::datatypes::{DataType, Schema};
use datafusion::common::Statistics;
use datafusion::common::stats::Precision;

/// How much larger values are in memory than in a Parquet file: encodings and compression make columns of a fact table
/// about this much smaller.
const MEMORY_PER_FILE_BYTE: u64 = 4;
/// Bytes that a text or a byte string is taken to have.
const TEXT_BYTES: usize = 24;

/// An estimate, marked as one: no footer has been read. It is there so that the smaller side of a join is known; it must
/// never answer a query.
pub(super) fn estimate(schema: &Schema, file_bytes: u64) -> Statistics {
    let bytes = file_bytes.saturating_mul(MEMORY_PER_FILE_BYTE);
    let rows = bytes / row_bytes(schema).max(1) as u64;
    Statistics {
        num_rows: Precision::Inexact(rows as usize),
        total_byte_size: Precision::Inexact(bytes as usize),
        column_statistics: Statistics::unknown_column(schema),
    }
}

fn row_bytes(schema: &Schema) -> usize {
    let column_bytes = |data_type: &DataType| data_type.primitive_width().unwrap_or(TEXT_BYTES);
    schema.fields().iter().map(|field| column_bytes(field.data_type())).sum()
}
