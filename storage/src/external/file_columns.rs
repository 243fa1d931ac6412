//! What a row of an external table can be asked of its file: columns that `SELECT *` does not show.

use arrow::datatypes::Field;
use catalog::SqlType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::scalar::ScalarValue;

use crate::object_stores::object_url;

/// Their names: the file's URL, its bytes, and when it was written. The first two are Redshift's.
pub const FILE_COLUMNS: [&str; 3] = ["$path", "$size", "$mtime"];

/// Their fields, in the order of their names.
pub(super) fn fields() -> [Field; 3] {
    let types = [SqlType::Text, SqlType::BigInt, SqlType::TimestampTz];
    std::array::from_fn(|place| types[place].field(FILE_COLUMNS[place], true))
}

/// Their values for a file.
pub(super) fn values(store: &ObjectStoreUrl, file: &PartitionedFile) -> [ScalarValue; 3] {
    let object = &file.object_meta;
    let size = i64::try_from(object.size).ok();
    let written_us = object.last_modified.timestamp_micros();
    [
        ScalarValue::Utf8View(Some(object_url(store, &object.location))),
        ScalarValue::Int64(size),
        ScalarValue::TimestampMicrosecond(Some(written_us), Some("UTC".into())),
    ]
}
