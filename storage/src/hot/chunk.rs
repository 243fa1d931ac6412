//! The bytes of an inline chunk: one Arrow IPC stream with one batch.
//!
//! Columns are named by attribute number, never by name, and have their types at rest: a table may rename or drop
//! columns without its rows being touched.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::buffer::Buffer;
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamDecoder;
use arrow::ipc::writer::StreamWriter;
use bytes::Bytes;
use catalog::{Column, HotTable, InlineChunk};

use super::representation;
use crate::error::{Error, Result};

/// Encodes rows whose columns are those of the table, in flight.
///
/// # Errors
/// A column cannot be encoded: a bug, since every type at rest is one Arrow can write.
pub fn encode(table: &HotTable, batch: &RecordBatch) -> Result<Bytes, ArrowError> {
    let fields: Vec<_> =
        table.columns.iter().map(|column| Field::new(column.stored_name(), column.sql_type.at_rest(), true)).collect();
    let columns: Result<Vec<_>, _> = table
        .columns
        .iter()
        .zip(batch.columns())
        .map(|(column, array)| representation::convert(array, &column.sql_type.at_rest()))
        .collect();
    let schema = Arc::new(Schema::new(fields));
    let stored = record_batch(&schema, columns?, batch.num_rows())?;
    let mut writer = StreamWriter::try_new(Vec::new(), &schema)?;
    writer.write(&stored)?;
    writer.finish()?;
    Ok(writer.into_inner()?.into())
}

/// The rows of a chunk, with the table's columns in flight; decoded once and then shared.
///
/// # Errors
/// The bytes are not what [`encode`] makes. Their checksum matched, so this means a bug or another version.
pub fn decode(table: &HotTable, schema: &SchemaRef, chunk: &InlineChunk) -> Result<RecordBatch> {
    let corrupted = |error: ArrowError| Error::CorruptedChunk { unit: chunk.unit.0, reason: error.to_string() };
    let stored = chunk.batch(decode_stored).map_err(corrupted)?;
    let columns: Result<Vec<_>, _> = table.columns.iter().map(|column| in_flight(column, &stored)).collect();
    record_batch(schema, columns.map_err(corrupted)?, stored.num_rows()).map_err(corrupted)
}

fn decode_stored(bytes: &Bytes) -> Result<RecordBatch, ArrowError> {
    let mut decoder = StreamDecoder::new();
    let mut buffer = Buffer::from(bytes.clone());
    let batch = decoder.decode(&mut buffer)?;
    batch.ok_or_else(|| ArrowError::IpcError("the chunk holds no batch".into()))
}

/// A column as the engine computes with it; one that was added after the chunk was written is NULL.
fn in_flight(column: &Column, stored: &RecordBatch) -> Result<ArrayRef, ArrowError> {
    match stored.column_by_name(&column.stored_name()) {
        Some(array) => representation::convert(array, &column.sql_type.in_flight()),
        None => Ok(new_null_array(&column.sql_type.in_flight(), stored.num_rows())),
    }
}

/// A batch that keeps its row count also without columns.
fn record_batch(schema: &SchemaRef, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch, ArrowError> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(schema.clone(), columns, &options)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Array, Decimal128Array, Int32Array, IntervalMonthDayNanoArray, ListArray, StringViewArray};
    use arrow::buffer::OffsetBuffer;
    use arrow::datatypes::{DataType, IntervalMonthDayNano};
    use catalog::types::NumericSize;
    use catalog::{ObjectName, Oid, SqlType, UnitId};

    fn column(attribute_number: i16, name: &str, sql_type: SqlType) -> Column {
        Column { attribute_number, name: name.into(), sql_type, not_null: false }
    }

    fn table(columns: Vec<Column>) -> HotTable {
        HotTable { oid: Oid(1), name: ObjectName::new("public", "t"), columns, options: vec![] }
    }

    #[test]
    fn rows_come_back_as_they_were() {
        let price = SqlType::Numeric(Some(NumericSize { precision: 15, scale: 2 }));
        let table = table(vec![
            column(1, "id", SqlType::Integer),
            column(2, "p", price.clone()),
            column(3, "n", SqlType::Text),
        ]);
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int32Array::from(vec![Some(1), None])),
            Arc::new(Decimal128Array::from(vec![Some(-12345), None]).with_data_type(price.in_flight())),
            Arc::new(StringViewArray::from(vec![Some("a string of more than twelve bytes"), None])),
        ];
        let batch = RecordBatch::try_new(table.arrow_schema(), columns).unwrap();
        let chunk = InlineChunk::new(UnitId(1), 2, encode(&table, &batch).unwrap());
        assert_eq!(decode(&table, &table.arrow_schema(), &chunk).unwrap(), batch);
    }

    #[test]
    fn intervals_and_arrays_of_them_come_back_as_they_were() {
        let intervals: ArrayRef = Arc::new(IntervalMonthDayNanoArray::from(vec![
            Some(IntervalMonthDayNano::new(1, -2, 3_000)),
            None,
            Some(IntervalMonthDayNano::new(0, 0, -1_000)),
        ]));
        let array = SqlType::array_of(SqlType::Interval);
        let DataType::List(item) = array.in_flight() else { unreachable!("an array") };
        let offsets = OffsetBuffer::from_lengths([2, 0, 1]);
        let lists = ListArray::new(item, offsets, intervals.clone(), Some(vec![true, false, true].into()));
        let table = table(vec![column(1, "i", SqlType::Interval), column(2, "a", array)]);
        let batch = RecordBatch::try_new(table.arrow_schema(), vec![intervals, Arc::new(lists)]).unwrap();
        let chunk = InlineChunk::new(UnitId(1), 3, encode(&table, &batch).unwrap());
        assert_eq!(decode(&table, &table.arrow_schema(), &chunk).unwrap(), batch);
    }

    #[test]
    fn a_column_added_later_is_null_and_a_dropped_one_stays_away() {
        let before = table(vec![column(1, "a", SqlType::Integer)]);
        let batch = RecordBatch::try_new(before.arrow_schema(), vec![Arc::new(Int32Array::from(vec![7]))]).unwrap();
        let chunk = InlineChunk::new(UnitId(1), 1, encode(&before, &batch).unwrap());
        let after = table(vec![column(2, "a", SqlType::Numeric(None))]);
        let read = decode(&after, &after.arrow_schema(), &chunk).unwrap();
        assert!(read.column(0).is_null(0));
    }

    #[test]
    fn bytes_that_are_no_chunk_are_an_error() {
        let table = table(vec![column(1, "a", SqlType::Integer)]);
        let chunk = InlineChunk::new(UnitId(9), 1, Bytes::from_static(b"not a chunk"));
        assert!(matches!(decode(&table, &table.arrow_schema(), &chunk), Err(Error::CorruptedChunk { unit: 9, .. })));
    }
}
