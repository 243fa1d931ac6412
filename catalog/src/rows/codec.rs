//! How inline rows become bytes: Arrow's IPC messages, the schema once for a unit and then one message for each commit.

use arrow::array::RecordBatch;
use arrow::buffer::Buffer;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamDecoder;
use arrow::ipc::writer::StreamWriter;
use bytes::Bytes;

/// The message of a unit's columns.
///
/// # Errors
/// A type that IPC does not know: a bug.
pub fn encode_schema(schema: &Schema) -> Result<Vec<u8>, ArrowError> {
    // A new writer has written the schema, and nothing else.
    Ok(StreamWriter::try_new(Vec::new(), schema)?.get_ref().clone())
}

/// The message of a batch.
///
/// # Errors
/// As for [`encode_schema`].
pub fn encode_rows(rows: &RecordBatch) -> Result<Vec<u8>, ArrowError> {
    let mut writer = StreamWriter::try_new(Vec::new(), rows.schema_ref())?;
    let schema_bytes = writer.get_ref().len();
    writer.write(rows)?;
    Ok(writer.get_mut().split_off(schema_bytes))
}

/// What every message begins with.
const MESSAGE_START: [u8; 4] = [0xff; 4];

/// Reads the batches of one unit.
#[derive(Debug)]
pub struct RowsDecoder {
    /// It has been given the beginning of the next message always: it takes up a message without a body (that of the
    /// columns is one) only when it sees that something follows.
    decoder: StreamDecoder,
    schema: SchemaRef,
}

impl RowsDecoder {
    /// A decoder for batches with the columns in `schema`, as [`encode_schema`] makes it.
    ///
    /// # Errors
    /// The bytes are something else.
    pub fn new(schema: &Bytes) -> Result<Self, ArrowError> {
        let mut decoder = StreamDecoder::new();
        decoder.decode(&mut Buffer::from(MESSAGE_START))?;
        if decode_message(&mut decoder, schema)?.is_some() {
            return Err(ArrowError::IpcError("rows where the columns should be".to_owned()));
        }
        let schema = decoder.schema().ok_or_else(|| ArrowError::IpcError("the columns are not there".to_owned()))?;
        Ok(RowsDecoder { decoder, schema })
    }

    /// The columns.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The batch that [`encode_rows`] made these bytes of.
    ///
    /// # Errors
    /// The bytes are something else.
    pub fn decode(&mut self, rows: &Bytes) -> Result<RecordBatch, ArrowError> {
        let batch = decode_message(&mut self.decoder, rows)?;
        batch.ok_or_else(|| ArrowError::IpcError("not a batch of rows".to_owned()))
    }
}

fn decode_message(decoder: &mut StreamDecoder, message: &Bytes) -> Result<Option<RecordBatch>, ArrowError> {
    if !message.starts_with(&MESSAGE_START) {
        return Err(ArrowError::IpcError("not a message".to_owned()));
    }
    let mut rest = Buffer::from(message.slice(MESSAGE_START.len()..));
    let batch = decoder.decode(&mut rest)?;
    if !rest.is_empty() {
        return Err(ArrowError::IpcError("more than one message".to_owned()));
    }
    let last = decoder.decode(&mut Buffer::from(MESSAGE_START))?;
    Ok(batch.or(last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ArrayRef, Int32Array, RecordBatchOptions, StringArray};
    use std::sync::Arc;

    fn batch(values: &[(i32, Option<&str>)]) -> RecordBatch {
        let numbers: ArrayRef = Arc::new(Int32Array::from_iter_values(values.iter().map(|(number, _)| *number)));
        let texts: ArrayRef = Arc::new(StringArray::from_iter(values.iter().map(|(_, text)| *text)));
        RecordBatch::try_from_iter_with_nullable([("c1", numbers, true), ("c2", texts, true)]).unwrap()
    }

    #[test]
    fn batches_come_back_as_they_were() {
        let no_columns = RecordBatchOptions::new().with_row_count(Some(3));
        let no_columns = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &no_columns).unwrap();
        let schema = encode_schema(&no_columns.schema()).unwrap();
        let mut decoder = RowsDecoder::new(&schema.into()).unwrap();
        assert_eq!(decoder.decode(&encode_rows(&no_columns).unwrap().into()).unwrap(), no_columns);

        let batches = [batch(&[(1, Some("one")), (2, None)]), batch(&[]), batch(&[(3, Some("a longer text"))])];
        let schema = encode_schema(&batches[0].schema()).unwrap();
        let mut decoder = RowsDecoder::new(&schema.into()).unwrap();
        assert_eq!(*decoder.schema(), batches[0].schema());
        for batch in batches {
            assert_eq!(decoder.decode(&encode_rows(&batch).unwrap().into()).unwrap(), batch);
        }
    }

    #[test]
    fn other_bytes_are_errors() {
        let rows = encode_rows(&batch(&[(1, None)])).unwrap();
        let schema: Bytes = encode_schema(&batch(&[]).schema()).unwrap().into();
        assert!(RowsDecoder::new(&Bytes::from_static(b"")).is_err());
        assert!(RowsDecoder::new(&rows.clone().into()).is_err());
        let mut decoder = RowsDecoder::new(&schema).unwrap();
        assert!(decoder.decode(&Bytes::copy_from_slice(&rows[..rows.len() / 2])).is_err());
        assert!(RowsDecoder::new(&schema).unwrap().decode(&Bytes::from_static(b"no rows")).is_err());
    }
}
