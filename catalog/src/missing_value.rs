//! The value that rows have which were stored before a column was added.

use std::io::Cursor;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::take;
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};

/// The value that rows have which were stored before their column was added (PostgreSQL's `attmissingval`). It is kept as it
/// would be at rest, and as Arrow's IPC, since whoever scans rows knows nothing of how SQL writes values.
#[derive(Debug, Clone)]
pub struct MissingValue(ArrayRef);

impl MissingValue {
    /// The first value of a column at rest; `None` when it is NULL, as which every missing value is read, or is not there.
    pub fn new(values: &ArrayRef) -> Option<Self> {
        (!values.is_empty() && values.is_valid(0)).then(|| MissingValue(values.slice(0, 1)))
    }

    /// So many rows of it, at rest.
    ///
    /// # Errors
    /// They do not fit into one array.
    pub fn repeated(&self, rows: usize) -> Result<ArrayRef, ArrowError> {
        take(&self.0, &UInt32Array::from_value(0, rows), None)
    }

    fn to_bytes(&self) -> Result<Vec<u8>, ArrowError> {
        let batch = RecordBatch::try_from_iter_with_nullable([("value", self.0.clone(), true)])?;
        let mut writer = StreamWriter::try_new(Vec::new(), batch.schema_ref())?;
        writer.write(&batch)?;
        writer.into_inner()
    }

    fn from_bytes(bytes: Vec<u8>) -> Result<Self, ArrowError> {
        let other = || ArrowError::IpcError("not a value".to_owned());
        let batch = StreamReader::try_new(Cursor::new(bytes), None)?.next().ok_or_else(other)??;
        batch.columns().first().and_then(MissingValue::new).ok_or_else(other)
    }
}

impl PartialEq for MissingValue {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.as_ref() == other.0.as_ref()
    }
}

impl Eq for MissingValue {}

impl Serialize for MissingValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_bytes().map_err(ser::Error::custom)?.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for MissingValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        MissingValue::from_bytes(Vec::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Decimal128Array, Float64Array, StringArray};

    fn check(values: ArrayRef) {
        let missing = MissingValue::new(&values).unwrap();
        let stored = serde_json::to_string(&missing).unwrap();
        let read: MissingValue = serde_json::from_str(&stored).unwrap();
        assert_eq!(read, missing);
        let repeated = read.repeated(3).unwrap();
        assert_eq!((repeated.len(), repeated.data_type()), (3, values.data_type()));
        assert_eq!(&repeated.slice(2, 1), &values.slice(0, 1));
    }

    #[test]
    fn a_value_comes_back_as_it_was() {
        check(Arc::new(StringArray::from(vec!["", "other"])));
        check(Arc::new(Float64Array::from(vec![f64::NAN])));
        check(Arc::new(Decimal128Array::from(vec![-12345]).with_precision_and_scale(38, 18).unwrap()));
    }

    #[test]
    fn null_needs_no_value() {
        let values: ArrayRef = Arc::new(StringArray::from(vec![None::<&str>]));
        assert!(MissingValue::new(&values).is_none() && MissingValue::new(&values.slice(0, 0)).is_none());
    }
}
