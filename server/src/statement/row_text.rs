//! The values of a row in a message.

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::datatypes::FieldRef;
use bytes::BytesMut;
use pg::SessionValues;
use pg::output::text_writer_in;
use pg::types::describe;

/// The values of a row as the session would read them; `None` when one cannot be printed.
pub fn row_text(values: &SessionValues, rows: &RecordBatch, row: usize) -> Option<Vec<String>> {
    let text = |(field, array): (&FieldRef, &ArrayRef)| {
        if array.is_null(row) {
            return Some("null".to_owned());
        }
        let described = describe(field);
        let writer = text_writer_in(array, described.oid, described.typmod, values).ok()?;
        let mut text = BytesMut::new();
        writer(row, &mut text).ok()?;
        Some(String::from_utf8_lossy(&text).into_owned())
    };
    rows.schema().fields().iter().zip(rows.columns()).map(text).collect()
}
