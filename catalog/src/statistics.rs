//! What ANALYZE has found out about the values of tables, for the planner: estimates, never answers.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use serde::{Deserialize, Serialize};

use crate::rows::{RowCounts, TableRows};

/// What is known of a table since the last ANALYZE.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct TableStatistics {
    /// How many rows there were.
    pub rows: u64,
    /// How many bytes the files of an external table had.
    #[serde(default)]
    pub bytes: Option<u64>,
    /// How many a quick look has made of it, by which it is told whether there are more or fewer now.
    #[serde(default)]
    pub looked_at_bytes: u64,
    /// What commits of this process had done to them.
    #[serde(skip)]
    pub counts: RowCounts,
    /// By how many rows the table had changed when the process found it, as far as that can be told: commits are counted
    /// from then on.
    #[serde(skip)]
    pub(crate) changed_before: u64,
    /// What is known of columns, by their numbers.
    #[serde(skip)]
    pub columns: BTreeMap<i16, Arc<ColumnStatistics>>,
}

/// What is known of the values of a column, in the terms of PostgreSQL's `pg_stats`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ColumnStatistics {
    /// Which part of the values is NULL.
    pub null_fraction: f32,
    /// Bytes of a value that is not NULL, on average, as PostgreSQL would store it.
    pub average_width: i32,
    /// How many distinct values there are; less than zero, the part of the rows that they are; zero when that is not known.
    pub distinct: f32,
    /// Which parts of the values the most common ones are.
    pub frequencies: Vec<f32>,
    /// How much the order of the rows is that of the values: from -1 to 1.
    pub correlation: Option<f32>,
    /// The most common values, then the bounds of the histogram; all at rest.
    #[serde(skip)]
    pub values: Option<ArrayRef>,
}

impl TableStatistics {
    /// Of a table with these rows, about which nothing else is known.
    pub fn of(rows: &TableRows) -> Self {
        TableStatistics { rows: rows.rows(), counts: rows.counts(), ..TableStatistics::default() }
    }

    /// Of an external table with about so many rows in so many bytes, about which nothing else is known.
    pub fn of_files(rows: u64, bytes: u64, looked_at_bytes: u64) -> Self {
        TableStatistics { rows, bytes: Some(bytes), looked_at_bytes, ..TableStatistics::default() }
    }

    /// How many rows a byte of an external table's files has.
    pub fn rows_per_byte(&self) -> Option<f64> {
        self.bytes.filter(|bytes| *bytes > 0).map(|bytes| self.rows as f64 / bytes as f64)
    }

    /// How many rows have come and gone since then.
    pub fn changed_since(&self, rows: &TableRows) -> u64 {
        let counts = rows.counts();
        let added = counts.added.saturating_sub(self.counts.added);
        let removed = counts.removed.saturating_sub(self.counts.removed);
        self.changed_before + added + removed
    }

    /// The statistics as they were stored, of a table that is found with these rows.
    pub(crate) fn found_with(&self, rows: &TableRows) -> Self {
        TableStatistics { counts: rows.counts(), changed_before: rows.rows().abs_diff(self.rows), ..self.clone() }
    }
}

impl ColumnStatistics {
    /// The most common values, the most frequent one first.
    pub fn most_common(&self) -> Option<ArrayRef> {
        let common = self.frequencies.len();
        self.values.as_ref().filter(|values| common > 0 && common <= values.len()).map(|values| values.slice(0, common))
    }

    /// Values that divide the others into parts with about as many each, from the least to the greatest.
    pub fn histogram(&self) -> Option<ArrayRef> {
        let common = self.frequencies.len();
        let bounds = |values: &ArrayRef| values.slice(common, values.len() - common);
        self.values.as_ref().filter(|values| common < values.len()).map(bounds)
    }

    /// How many distinct values so many rows have.
    pub fn distinct_of(&self, rows: u64) -> Option<u64> {
        let distinct = f64::from(self.distinct);
        match distinct {
            0.0 => None,
            _ if distinct < 0.0 => Some((-distinct * rows as f64).round() as u64),
            _ => Some((distinct as u64).min(rows)),
        }
    }

    /// Its values as bytes; none when there are no values.
    pub(crate) fn values_to_bytes(&self) -> Result<Vec<u8>, ArrowError> {
        let Some(values) = &self.values else { return Ok(Vec::new()) };
        let batch = RecordBatch::try_from_iter_with_nullable([("value", values.clone(), true)])?;
        let mut writer = StreamWriter::try_new(Vec::new(), batch.schema_ref())?;
        writer.write(&batch)?;
        writer.into_inner()
    }

    /// The same with the values that became these bytes.
    pub(crate) fn with_bytes(self, bytes: &[u8]) -> Result<Self, ArrowError> {
        if bytes.is_empty() {
            return Ok(self);
        }
        let other = || ArrowError::IpcError("no values".to_owned());
        let batch = StreamReader::try_new(Cursor::new(bytes), None)?.next().ok_or_else(other)??;
        let values = batch.columns().first().cloned().ok_or_else(other)?;
        match values.len() < self.frequencies.len() {
            true => Err(other()),
            false => Ok(ColumnStatistics { values: Some(values), ..self }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::StringArray;

    fn known(common: usize, values: Option<Vec<&str>>) -> ColumnStatistics {
        let values = values.map(|values| Arc::new(StringArray::from(values)) as ArrayRef);
        ColumnStatistics { frequencies: vec![0.5; common], values, ..ColumnStatistics::default() }
    }

    fn texts(values: Option<ArrayRef>) -> Vec<String> {
        let values = values.iter().flat_map(|it| it.as_any().downcast_ref::<StringArray>().unwrap());
        values.map(|text| text.unwrap().to_owned()).collect()
    }

    #[test]
    fn common_values_and_bounds_are_told_apart() {
        let both = known(1, Some(vec!["c", "a", "b"]));
        assert_eq!(
            (texts(both.most_common()), texts(both.histogram())),
            (vec!["c".into()], vec!["a".into(), "b".into()])
        );
        let common = known(2, Some(vec!["c", "a"]));
        assert_eq!((texts(common.most_common()).len(), common.histogram().is_none()), (2, true));
        assert!(known(0, None).most_common().is_none() && known(0, None).histogram().is_none());
    }

    #[test]
    fn values_come_back_as_they_were() {
        for values in [None, Some(vec!["c", "", "b"])] {
            let written = known(1.min(values.iter().len()), values);
            let read = ColumnStatistics { values: None, ..written.clone() };
            let read = read.with_bytes(&written.values_to_bytes().unwrap()).unwrap();
            assert_eq!(texts(read.values), texts(written.values));
        }
        let short = known(2, Some(vec!["a"])).values_to_bytes().unwrap();
        assert!(known(2, None).with_bytes(&short).is_err() && known(2, None).with_bytes(b"no IPC").is_err());
    }

    #[test]
    fn distinct_values_are_counted_or_a_part_of_the_rows() {
        let of = |distinct| ColumnStatistics { distinct, ..ColumnStatistics::default() }.distinct_of(200);
        assert_eq!([of(0.0), of(7.0), of(1e9), of(-0.5), of(-1.0)], [None, Some(7), Some(200), Some(100), Some(200)]);
    }
}
