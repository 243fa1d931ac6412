//! Columns of files that hold batches of rows with their types: Avro and Arrow.
//!
//! Columns are found by name and their values become those of the declared types as in a Parquet file. What a library makes of
//! a damaged file is an error or, now and then, a panic; both are an error that names the file. Of what cannot be read only
//! whole batches are known, not rows: a session that leaves out files leaves out the rest of such a file, one that leaves out
//! rows gets the error.

use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{
    DataType, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, Fields, Schema, SchemaRef,
};
use arrow::error::ArrowError;
use catalog::{Compression, FileFormat};
use datafusion::common::runtime::SpawnedTask;
use datafusion::error::DataFusionError;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;

use super::arrow_ipc::IpcBatches;
use super::avro::AvroBatches;
use super::bytes::FileBytes;
use super::unpacked::unpacked;
use super::{BATCH_ROWS, RowReader, Wanted, not_read};
use crate::error::{Error, Result};
use crate::external::by_name::{FILE_URL, FileColumns};
use crate::external::coercion::sql_name;
use crate::external::pinned_file::PinnedFile;
use crate::external::tolerance::Tolerance;

/// Bytes fetched in one request where only the columns are asked for.
const HEAD_BYTES: u64 = 256 * 1024;

/// Reads the batches of a file.
pub(super) trait Batches: Send {
    /// The columns of the file.
    fn schema(&self) -> SchemaRef;

    /// The next batch; none at the end.
    ///
    /// # Errors
    /// The file cannot be read, or is damaged.
    fn next(&mut self) -> io::Result<Option<RecordBatch>>;

    /// Bytes that are kept between two batches, the last one included.
    fn held_bytes(&self) -> usize;
}

/// The rows of a file.
pub(super) struct Rows {
    batches: Box<dyn Batches>,
    /// What the columns that are wanted are made of.
    values: Vec<Arc<dyn PhysicalExpr>>,
    /// Those columns in the file.
    places: Vec<usize>,
    schema: SchemaRef,
    tolerance: Arc<Tolerance>,
    path: String,
    has_ended: bool,
    /// Rows that have been read and not taken.
    read: Option<RecordBatch>,
    /// Rows that have been given.
    rows: u64,
}

impl Rows {
    /// Begins to read a file.
    ///
    /// # Errors
    /// It is none of the format, or has a column that is not read as the declared type.
    pub(super) fn new(wanted: &Wanted<'_>, input: Box<dyn Read + Send>) -> Result<Self> {
        let path = wanted.path.clone();
        let batches = opened(&wanted.table.format, input).map_err(|error| not_read(path.clone(), error))?;
        let metadata = [(FILE_URL.to_owned(), path.clone())].into();
        let file = Schema::new_with_metadata(batches.schema().fields().clone(), metadata);
        let file = FileColumns::new(&wanted.table.columns, Arc::new(file));
        let value = |place: &usize| {
            let name = &wanted.table.columns[*place].name;
            file.whole_value(&Column::new(name, *place)).map_err(|error| ours(&path, error))
        };
        let values = wanted.columns.iter().map(value).collect::<Result<_>>()?;
        let place = |place: &usize| file.index(&wanted.table.columns[*place].name).map_err(|error| ours(&path, error));
        let places = wanted.columns.iter().filter_map(|column| place(column).transpose()).collect::<Result<_>>()?;
        let (schema, tolerance) = (wanted.schema.clone(), wanted.tolerance.clone());
        Ok(Rows { batches, values, places, schema, tolerance, path, has_ended: false, read: None, rows: 0 })
    }

    fn read_batch(&mut self) -> Result<Option<RecordBatch>> {
        let read = match self.read.take() {
            Some(read) => read,
            None => loop {
                let next = guarded(|| self.batches.next()).map_err(|error| not_read(self.path.clone(), error))?;
                match next {
                    Some(read) if read.num_rows() == 0 => {}
                    Some(read) => break read,
                    None => return Ok(None),
                }
            },
        };
        // Values are converted for as many rows as are taken at once: a file may hold all of its rows in one batch.
        let taken = read.slice(0, read.num_rows().min(BATCH_ROWS));
        if taken.num_rows() < read.num_rows() {
            self.read = Some(read.slice(taken.num_rows(), read.num_rows() - taken.num_rows()));
        }
        self.check_digits(&taken)?;
        let column = |value: &Arc<dyn PhysicalExpr>| value.evaluate(&taken)?.into_array(taken.num_rows());
        let columns = self.values.iter().map(column).collect::<Result<Vec<ArrayRef>, DataFusionError>>();
        let columns = columns.map_err(|error| ours(&self.path, error))?;
        let rows = taken.num_rows();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(self.schema.clone(), columns, &options);
        let corrupted = |error: ArrowError| Error::Corrupted { path: self.path.clone(), reason: error.to_string() };
        batch.map(Some).map_err(corrupted)
    }

    /// That decimals have no more digits than their types say: the libraries take them from the file as they are.
    fn check_digits(&self, batch: &RecordBatch) -> Result<()> {
        let misfit = self.places.iter().find(|place| !has_its_digits(batch.column(**place)));
        misfit.map_or(Ok(()), |place| {
            let (field, path) = (batch.schema_ref().field(*place), self.path.clone());
            let (column, declared_type) = (field.name().clone(), sql_name(field.data_type()));
            Err(Error::ValueOutOfRange { column, path, declared_type })
        })
    }
}

fn has_its_digits(array: &ArrayRef) -> bool {
    match *array.data_type() {
        DataType::Decimal32(digits, _) => {
            array.as_primitive::<Decimal32Type>().validate_decimal_precision(digits).is_ok()
        }
        DataType::Decimal64(digits, _) => {
            array.as_primitive::<Decimal64Type>().validate_decimal_precision(digits).is_ok()
        }
        DataType::Decimal128(digits, _) => {
            array.as_primitive::<Decimal128Type>().validate_decimal_precision(digits).is_ok()
        }
        DataType::Decimal256(digits, _) => {
            array.as_primitive::<Decimal256Type>().validate_decimal_precision(digits).is_ok()
        }
        _ => true,
    }
}

impl RowReader for Rows {
    fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        if self.has_ended {
            return Ok(None);
        }
        let batch = match self.read_batch() {
            Ok(batch) => batch,
            Err(error) => {
                self.tolerance.file(&self.path, error)?;
                None
            }
        };
        self.has_ended = batch.is_none();
        self.rows += batch.as_ref().map_or(0, |batch| batch.num_rows() as u64);
        Ok(batch)
    }

    fn lines(&self) -> u64 {
        self.rows
    }

    fn held_bytes(&self) -> usize {
        self.batches.held_bytes()
    }
}

/// The batches of a file of such a format.
///
/// # Errors
/// It is none.
pub(super) fn opened(format: &FileFormat, input: Box<dyn Read + Send>) -> io::Result<Box<dyn Batches>> {
    guarded(|| match format {
        FileFormat::Arrow => Ok(Box::new(IpcBatches::new(input)?) as Box<dyn Batches>),
        FileFormat::Avro => Ok(Box::new(AvroBatches::new(input)?)),
        _ => Err(io::Error::other("it is none of batches")),
    })
}

/// The columns of a file of such a format, and its URL. No more of it is read than that takes.
///
/// # Errors
/// It is none, or cannot be read.
pub(in crate::external) async fn columns_of(file: PinnedFile, format: FileFormat) -> Result<(String, Fields)> {
    let url = file.url().to_owned();
    let compression = Compression::of_name(&url);
    let fetched = FileBytes::fetch_by(Arc::new(file), HEAD_BYTES);
    let task = SpawnedTask::spawn_blocking(move || Ok(opened(&format, unpacked(compression, fetched)?)?.schema()));
    let read = task.await.map_err(|error| io::Error::other(error.to_string())).flatten();
    let schema = read.map_err(|error| not_read(url.clone(), error))?;
    Ok((url, schema.fields().clone()))
}

/// What a library does, or an error in the place of its panic.
pub(super) fn guarded<T>(work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(damaged("its values do not fit its types")))
}

/// The error of a damaged file.
pub(super) fn damaged(reason: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason.into())
}

/// The error of ours inside one of the engine's.
fn ours(path: &str, error: DataFusionError) -> Error {
    let reason = error.to_string();
    let corrupted = || Error::Corrupted { path: path.to_owned(), reason };
    match error {
        DataFusionError::External(inner) => inner.downcast::<Error>().map_or_else(|_| corrupted(), |ours| *ours),
        _ => corrupted(),
    }
}
