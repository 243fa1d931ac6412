//! The rows of a batch that is being made, and which of them cannot be read.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray};
use arrow::compute::{filter, nullif};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};

use super::super::tolerance::Fate;
use crate::error::{Error, Result};

/// The rows of a batch. Builders take no value back, so a bad row stays among them, filled up with NULL, until the batch is
/// made.
#[derive(Debug, Default)]
pub(super) struct RowMarks {
    rows: usize,
    skipped: Vec<usize>,
    set_to_null: Vec<usize>,
}

impl RowMarks {
    /// How many there are, bad ones included.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// A row was added.
    pub(super) fn add(&mut self) {
        self.rows += 1;
    }

    /// A bad row was added.
    pub(super) fn add_bad(&mut self, fate: Fate) {
        match fate {
            Fate::Skip | Fate::SkipFile => self.skipped.push(self.rows),
            Fate::SetToNull => self.set_to_null.push(self.rows),
        }
        self.rows += 1;
    }

    /// A batch of the columns without the rows that are left out; of rows only, when there are no columns.
    ///
    /// # Errors
    /// None but bugs.
    pub(super) fn batch(
        self,
        schema: &SchemaRef,
        columns: Result<Vec<ArrayRef>, ArrowError>,
        path: &str,
    ) -> Result<RecordBatch> {
        let rows = self.rows - self.skipped.len();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        columns
            .and_then(|columns| self.kept(columns))
            .and_then(|columns| RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options))
            .map_err(|error| Error::Corrupted { path: path.to_owned(), reason: error.to_string() })
    }

    fn kept(&self, mut columns: Vec<ArrayRef>) -> Result<Vec<ArrayRef>, ArrowError> {
        if !self.set_to_null.is_empty() {
            let marks = self.marks(&self.set_to_null, true);
            columns = columns.iter().map(|column| nullif(column, &marks)).collect::<Result<_, _>>()?;
        }
        if !self.skipped.is_empty() {
            let marks = self.marks(&self.skipped, false);
            columns = columns.iter().map(|column| filter(column, &marks)).collect::<Result<_, _>>()?;
        }
        Ok(columns)
    }

    /// For each row `value` when it is one of those, which are in order.
    fn marks(&self, rows: &[usize], value: bool) -> BooleanArray {
        let mut marks = vec![!value; self.rows];
        rows.iter().for_each(|row| marks[*row] = value);
        marks.into()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::array::{AsArray, Int32Array};
    use arrow::datatypes::{DataType, Field, Int32Type, Schema};

    use super::*;

    #[test]
    fn bad_rows_are_left_out_or_null() {
        let mut marks = RowMarks::default();
        marks.add();
        marks.add_bad(Fate::Skip);
        marks.add_bad(Fate::SetToNull);
        marks.add_bad(Fate::SkipFile);
        let schema = Arc::new(Schema::new(vec![Field::new("a", DataType::Int32, true)]));
        let column: ArrayRef = Arc::new(Int32Array::from(vec![1, 2, 3, 4]));
        let batch = marks.batch(&schema, Ok(vec![column]), "f").unwrap();
        let values: Vec<_> = batch.column(0).as_primitive::<Int32Type>().iter().collect();
        assert_eq!(values, [Some(1), None]);
        let mut marks = RowMarks::default();
        marks.add_bad(Fate::Skip);
        marks.add();
        assert_eq!(marks.batch(&Arc::new(Schema::empty()), Ok(vec![]), "f").unwrap().num_rows(), 1);
    }
}
