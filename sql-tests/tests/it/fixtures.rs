//! Parquet files for external tables, the same ones below any store: what the files of `slt/external` read.
//!
//! * `sales/2023/a.parquet`, `sales/2024/a.parquet`, `sales/2024/b.parquet`: sales in folders that are no `key=value`
//! * `evolved/old.parquet`, `evolved/new.parquet`: files of one table before and after its columns changed
//! * `types/all.parquet`: a column of each type, a row of values and a row of NULLs
//! * `nested/…`: customers with structs, lists and maps, see [`nested`]
//! * `layout/year=…/month=…/…`: sales in folders that are `key=value`
//! * `disagreeing/a.parquet`, `disagreeing/b.parquet`: a column that is a number in one file and a text in the other
//! * `broken/text.parquet`: no Parquet at all
//! * `avro/…`, `arrow/…`: see [`batches`]
//! * `faulty/columns/…`, `faulty/other/…`, `faulty/time/…`: values that do not fit, a damaged page, a file that is no Parquet,
//!   and good ones
//! * the others: lines, see [`lines`]

mod batches;
mod lines;
mod nested;

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array, Int16Array,
    Int32Array, Int64Array, RecordBatch, StringArray, Time64MicrosecondArray, TimestampMicrosecondArray,
};
use bytes::Bytes;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::arrow::ArrowWriter;
use parquet::file::metadata::ParquetMetaDataReader;
use parquet::file::properties::WriterProperties;

/// Days from 1970-01-01 to 2023-01-01.
const DAY_2023: i32 = 19358;
/// Days from 1970-01-01 to 2024-01-01.
const DAY_2024: i32 = 19723;
/// Microseconds from 1970-01-01 to 2024-01-02 03:04:05.678.
const MOMENT_US: i64 = 1_704_164_645_678_000;
/// Microseconds from midnight to 03:04:05.678.
const TIME_US: i64 = 11_045_678_000;

/// Puts every file below `prefix`.
pub async fn put_all(store: &dyn ObjectStore, prefix: &str) {
    let files = [
        ("sales/2023/a.parquet", file(&sales(1, &["apple", "pear"], &[1_00, 2_50], DAY_2023))),
        ("sales/2024/a.parquet", file(&sales(3, &["apple", "plum"], &[1_20, 3_00], DAY_2024))),
        ("sales/2024/b.parquet", file(&sales(5, &["quince"], &[9_99], DAY_2024 + 1))),
        ("evolved/old.parquet", file(&before_evolution())),
        ("evolved/new.parquet", file(&after_evolution())),
        ("types/all.parquet", file(&every_type())),
        ("nested/by_one_writer.parquet", file(&nested::by_one_writer())),
        ("nested/by_another.parquet", file(&nested::by_another())),
        ("ragged/a.parquet", file(&nested::ragged())),
        ("layout/year=2023/month=01/a.parquet", file(&sales(1, &["apple"], &[1_00], DAY_2023))),
        ("layout/year=2023/month=12/a.parquet", file(&sales(2, &["pear"], &[2_50], DAY_2023))),
        ("layout/year=2024/month=01/b.parquet", file(&sales(3, &["plum"], &[3_00], DAY_2024))),
        ("disagreeing/a.parquet", file(&batch([("id", Arc::new(Int32Array::from(vec![1])) as ArrayRef)]))),
        ("disagreeing/b.parquet", file(&batch([("id", Arc::new(StringArray::from(vec!["1"])) as ArrayRef)]))),
        ("faulty/columns/a.parquet", damaged(&in_groups(&faulty(), 4))),
        ("faulty/columns/b.parquet", file(&batch([("id", Arc::new(Int64Array::from(vec![20])) as ArrayRef)]))),
        ("faulty/other/a.parquet", Bytes::from_static(b"id,amount\n1,2\n")),
        ("faulty/other/b.parquet", file(&batch([("id", Arc::new(Int64Array::from(vec![21])) as ArrayRef)]))),
        ("faulty/time/a.parquet", file(&batches::late())),
        ("broken/text.parquet", Bytes::from_static(b"year,amount\n2023,1.00\n")),
    ];
    for (name, bytes) in files.into_iter().chain(lines::files()).chain(batches::files()) {
        put(store, &format!("{prefix}{name}"), bytes).await;
    }
}

/// Puts one object.
pub async fn put(store: &dyn ObjectStore, key: &str, bytes: Bytes) {
    store
        .put(&Path::parse(key).unwrap(), bytes.into())
        .await
        .unwrap_or_else(|error| panic!("cannot put {key}: {error}"));
}

/// A Parquet file with these rows.
pub fn file(batch: &RecordBatch) -> Bytes {
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    bytes.into()
}

/// A Parquet file with row groups of so many rows, and a page for each column of them.
fn in_groups(batch: &RecordBatch, rows: usize) -> Bytes {
    let properties =
        WriterProperties::builder().set_max_row_group_row_count(Some(rows)).set_dictionary_enabled(false).build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    bytes.into()
}

/// The same file with a page that cannot be read: that of the second column in the second row group.
fn damaged(file: &Bytes) -> Bytes {
    let metadata = ParquetMetaDataReader::new().parse_and_finish(file).unwrap();
    let page = metadata.row_group(1).column(1).data_page_offset() as usize;
    let mut bytes = file.to_vec();
    bytes[page..page + 8].fill(0xff);
    bytes.into()
}

/// `id bigint, amount bigint, name text`: the second amount is no `integer`, the third name longer than six characters.
fn faulty() -> RecordBatch {
    let amounts = (1..=10).map(|id| if id == 2 { 9_999_999_999 } else { id * 10 });
    let names = (1..=10).map(|id| if id == 3 { "far too long" } else { "name" });
    batch([
        ("id", Arc::new(Int64Array::from_iter_values(1..=10)) as ArrayRef),
        ("amount", Arc::new(Int64Array::from_iter_values(amounts))),
        ("name", Arc::new(StringArray::from_iter_values(names))),
    ])
}

/// A batch whose columns may hold NULLs.
pub fn batch(columns: impl IntoIterator<Item = (&'static str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap()
}

/// `id bigint, item text, amount numeric(10,2), sold_on date`; ids count from `first_id`, days from `first_day`.
fn sales(first_id: i64, items: &[&str], cents: &[i128], first_day: i32) -> RecordBatch {
    let ids = Int64Array::from_iter_values(first_id..first_id + items.len() as i64);
    let amounts = Decimal128Array::from_iter_values(cents.iter().copied()).with_precision_and_scale(10, 2).unwrap();
    let days = Date32Array::from_iter_values(first_day..first_day + items.len() as i32);
    batch([
        ("id", Arc::new(ids) as ArrayRef),
        ("item", Arc::new(StringArray::from_iter_values(items))),
        ("amount", Arc::new(amounts)),
        ("sold_on", Arc::new(days)),
    ])
}

/// `id integer, name text`
fn before_evolution() -> RecordBatch {
    batch([
        ("id", Arc::new(Int32Array::from(vec![1, 2])) as ArrayRef),
        ("name", Arc::new(StringArray::from(vec!["one", "two"]))),
    ])
}

/// `PRICE double precision, id bigint, name text`: a column came first, one became wider, and nobody kept to lower case.
fn after_evolution() -> RecordBatch {
    batch([
        ("PRICE", Arc::new(Float64Array::from(vec![0.5])) as ArrayRef),
        ("ID", Arc::new(Int64Array::from(vec![3_000_000_000]))),
        ("Name", Arc::new(StringArray::from(vec!["three"]))),
    ])
}

fn every_type() -> RecordBatch {
    let numeric = Decimal128Array::from(vec![Some(-12_345), None]).with_precision_and_scale(10, 2).unwrap();
    let moment = TimestampMicrosecondArray::from(vec![Some(MOMENT_US), None]);
    batch([
        ("a_boolean", Arc::new(BooleanArray::from(vec![Some(true), None])) as ArrayRef),
        ("a_smallint", Arc::new(Int16Array::from(vec![Some(-7), None]))),
        ("an_integer", Arc::new(Int32Array::from(vec![Some(70_000), None]))),
        ("a_bigint", Arc::new(Int64Array::from(vec![Some(7_000_000_000), None]))),
        ("a_real", Arc::new(Float32Array::from(vec![Some(1.5), None]))),
        ("a_double", Arc::new(Float64Array::from(vec![Some(0.1), None]))),
        ("a_numeric", Arc::new(numeric)),
        ("a_text", Arc::new(StringArray::from(vec![Some("blå"), None]))),
        ("a_bytea", Arc::new(BinaryArray::from(vec![Some(b"hi".as_slice()), None]))),
        ("a_date", Arc::new(Date32Array::from(vec![Some(DAY_2024), None]))),
        ("a_time", Arc::new(Time64MicrosecondArray::from(vec![Some(TIME_US), None]))),
        ("a_timestamp", Arc::new(moment.clone())),
        ("a_timestamptz", Arc::new(moment.with_timezone("UTC"))),
    ])
}
