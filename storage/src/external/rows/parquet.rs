//! Parquet files of tables that tolerate bad data: read row group by row group, so that one that is damaged does not take
//! the others away, and value by value where a column cannot be read as a whole.
//!
//! Nothing is left out by statistics here: a value that cannot be read may be what a filter asks for.

use std::collections::BTreeSet;
use std::sync::Arc;

use ::parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use ::parquet::arrow::{ParquetRecordBatchStreamBuilder, ProjectionMask};
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringViewBuilder, new_null_array};
use arrow::compute::concat;
use arrow::datatypes::{DataType, SchemaRef, TimeUnit};
use catalog::{SqlType, ValueRule};
use datafusion::common::Result;
use datafusion::datasource::physical_plan::parquet::Int96Coercer;
use datafusion::error::DataFusionError;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr_adapter::PhysicalExprAdapterFactory;
use futures::StreamExt;
use tokio::sync::mpsc::Sender;

use super::super::by_name::ByName;
use super::super::coerced_column::CoercedColumn;
use super::super::pinned_file::PinnedFile;
use super::super::pinned_reader::PinnedReader;
use super::super::tolerance::{BadRow, Fate, Tolerance};
use super::BATCH_ROWS;
use super::row_marks::RowMarks;
use super::source::Files;
use crate::error::{self, Error};
use crate::scan::faults::FaultKind;

/// Makes rows of one file.
struct Rows<'a> {
    files: &'a Files,
    tolerance: &'a Tolerance,
    file: Arc<PinnedFile>,
    /// The places of the columns that are wanted.
    columns: &'a [usize],
    schema: SchemaRef,
}

/// A column that is read, because it is wanted, or because what is in it decides whether a row can be read.
struct Target<'a> {
    column: &'a catalog::Column,
    /// Its place among those that are wanted.
    wanted: Option<usize>,
    expr: Arc<dyn PhysicalExpr>,
}

/// A file with what it says of itself, and what is read of it.
struct Opened<'a> {
    metadata: ArrowReaderMetadata,
    mask: ProjectionMask,
    targets: Vec<Target<'a>>,
}

/// What became of a row group.
enum GroupEnd {
    Read,
    /// Nothing of the file is read any more.
    EndOfFile,
    /// Nobody takes rows any more.
    Abandoned,
}

/// Sends the rows of a file, as long as somebody takes them.
///
/// # Errors
/// What cannot be read, and is not tolerated.
pub(super) async fn read(
    files: &Files,
    columns: &[usize],
    schema: SchemaRef,
    file: PinnedFile,
    batches: &Sender<Result<RecordBatch>>,
) -> Result<()> {
    let tolerance = &files.watched.tolerance;
    let rows = Rows { files, tolerance, file: Arc::new(file), columns, schema };
    let opened = match rows.open().await {
        Ok(opened) => opened,
        Err(error) => return Ok(tolerance.file(rows.file.url(), rows.ours(error)?)?),
    };
    let mut first_row = 0;
    for group in 0..opened.metadata.metadata().num_row_groups() {
        match rows.read_group(&opened, group, first_row, batches).await? {
            GroupEnd::Read => first_row += opened.metadata.metadata().row_group(group).num_rows() as u64,
            GroupEnd::EndOfFile | GroupEnd::Abandoned => break,
        }
    }
    Ok(())
}

impl<'a> Rows<'a> {
    async fn open(&self) -> Result<Opened<'a>> {
        let mut reader = PinnedReader::new(self.file.clone());
        let metadata = ArrowReaderMetadata::load_async(&mut reader, ArrowReaderOptions::new()).await?;
        let metadata = with_microseconds(metadata)?;
        let file_schema = metadata.schema().clone();
        let places = self.places(&self.targets(&file_schema)?);
        // The expressions are about the columns that are read, which are those in the file's order.
        let read_schema = Arc::new(file_schema.project(&places)?);
        let mask = ProjectionMask::roots(metadata.parquet_schema(), places);
        let targets = self.targets(&read_schema)?;
        Ok(Opened { metadata, mask, targets })
    }

    /// The columns, as a file of this schema has them.
    fn targets(&self, file_schema: &SchemaRef) -> Result<Vec<Target<'a>>> {
        let declared = &self.files.table.columns;
        let adapter = ByName::new(declared).create(self.files.table.file_schema(), file_schema.clone())?;
        let mut targets = Vec::new();
        for (place, column) in declared.iter().enumerate() {
            let wanted = self.columns.iter().position(|wanted| *wanted == place);
            let expr = adapter.rewrite(Arc::new(Column::new(&column.name, place)))?;
            let may_be_bad = expr.is::<CoercedColumn>() || self.length_max(column).is_some();
            if wanted.is_some() || may_be_bad && self.tolerance.rules().bear_on_rows() {
                targets.push(Target { column, wanted, expr });
            }
        }
        Ok(targets)
    }

    fn places(&self, targets: &[Target<'_>]) -> Vec<usize> {
        let columns = targets.iter().flat_map(|target| collect_columns(&target.expr));
        columns.map(|column| column.index()).collect::<BTreeSet<_>>().into_iter().collect()
    }

    async fn read_group(
        &self,
        opened: &Opened<'_>,
        group: usize,
        first_row: u64,
        batches: &Sender<Result<RecordBatch>>,
    ) -> Result<GroupEnd> {
        let reader = PinnedReader::new(self.file.clone());
        let stream = ParquetRecordBatchStreamBuilder::new_with_metadata(reader, opened.metadata.clone())
            .with_projection(opened.mask.clone())
            .with_row_groups(vec![group])
            .with_batch_size(BATCH_ROWS)
            .build();
        let mut read = 0;
        let mut stream = match stream {
            Ok(stream) => stream,
            Err(error) => return self.damaged(error.into(), opened, group, read),
        };
        while let Some(batch) = stream.next().await {
            let batch = match batch {
                Ok(batch) => batch,
                Err(error) => return self.damaged(error.into(), opened, group, read),
            };
            let (rows, is_last) = self.rows(&opened.targets, &batch, first_row + read)?;
            read += batch.num_rows() as u64;
            if batches.send(Ok(rows)).await.is_err() {
                return Ok(GroupEnd::Abandoned);
            }
            if is_last {
                return Ok(GroupEnd::EndOfFile);
            }
        }
        Ok(GroupEnd::Read)
    }

    /// A row group cannot be read on, of which `read` rows have been.
    fn damaged(&self, error: DataFusionError, opened: &Opened<'_>, group: usize, read: u64) -> Result<GroupEnd> {
        let error = self.ours(error)?;
        let left = opened.metadata.metadata().row_group(group).num_rows() as u64 - read;
        let fate = self.tolerance.row_group(self.file.url(), group, left, error)?;
        Ok(if fate == Fate::SkipFile { GroupEnd::EndOfFile } else { GroupEnd::Read })
    }

    /// The rows of a batch that can be read, of which the first has this number in the file; and whether they are the last.
    fn rows(&self, targets: &[Target<'_>], batch: &RecordBatch, first_row: u64) -> Result<(RecordBatch, bool)> {
        let mut fates: Vec<Option<Fate>> = vec![None; batch.num_rows()];
        let mut columns: Vec<Option<ArrayRef>> = vec![None; self.columns.len()];
        for target in targets {
            let mut faults = Vec::new();
            let values = evaluated(&target.expr, batch, 0, &mut faults)?;
            let values = self.of_length(values, target.column, first_row, &mut faults)?;
            for (row, error) in faults {
                // A row that is left out is left out once.
                if fates[row] < Some(Fate::Skip) {
                    let fate = self.fate(target.column, first_row + row as u64 + 1, error)?;
                    fates[row] = fates[row].max(fate);
                }
            }
            if let Some(wanted) = target.wanted {
                columns[wanted] = Some(values);
            }
        }
        let mut marks = RowMarks::default();
        let mut is_last = false;
        for fate in fates {
            match fate {
                None if is_last => marks.add_bad(Fate::SkipFile),
                None => marks.add(),
                Some(fate) => {
                    is_last |= fate == Fate::SkipFile;
                    marks.add_bad(if is_last { Fate::SkipFile } else { fate });
                }
            }
        }
        let rows = batch.num_rows();
        let columns = columns.into_iter().zip(self.schema.fields());
        let columns = columns.map(|(values, field)| values.unwrap_or_else(|| new_null_array(field.data_type(), rows)));
        Ok((marks.batch(&self.schema, Ok(columns.collect()), self.file.url())?, is_last))
    }

    /// What becomes of a row with a value that cannot be read; nothing, when only the value is lost.
    fn fate(&self, column: &catalog::Column, row: u64, error: DataFusionError) -> Result<Option<Fate>> {
        let error = match error::find(&error) {
            Some(Error::ValueTooLong { .. }) => self.too_long(column),
            _ => self.ours(error)?,
        };
        let rules = self.tolerance.rules();
        let (kind, rule) = match &error {
            Error::ValueOutOfRange { .. } => (FaultKind::OutOfRange, &rules.numeric_overflow),
            Error::ValueTooLong { .. } => (FaultKind::TooLong, &rules.surplus_char),
            Error::Corrupted { .. } => (FaultKind::NotText, &rules.invalid_char),
            _ => (FaultKind::Invalid, &ValueRule::Disabled),
        };
        let bad = self.bad_value(column, row, kind, error);
        if *rule == ValueRule::SetToNull {
            self.tolerance.changed(bad, None)?;
            return Ok(None);
        }
        Ok(Some(self.tolerance.row(bad)?))
    }

    fn bad_value(&self, column: &catalog::Column, row: u64, kind: FaultKind, error: Error) -> BadRow {
        let (path, raw_line) = (self.file.url().to_owned(), String::new());
        let column = Some(column.name.clone());
        BadRow { error, kind, path, line: Some(row), column, raw_line, raw_value: None }
    }

    fn too_long(&self, column: &catalog::Column) -> Error {
        let declared_type = column.sql_type.to_string();
        Error::ValueTooLong { column: column.name.clone(), path: self.file.url().to_owned(), declared_type }
    }

    /// Characters that the values of a column may have, if there is a rule for those that have more.
    fn length_max(&self, column: &catalog::Column) -> Option<usize> {
        match column.sql_type {
            SqlType::Varchar(Some(length)) | SqlType::Char(length)
                if self.tolerance.rules().surplus_char != ValueRule::Disabled =>
            {
                usize::try_from(length).ok()
            }
            _ => None,
        }
    }

    /// The values without those that are too long, or without what is too much of them.
    fn of_length(
        &self,
        values: ArrayRef,
        column: &catalog::Column,
        first_row: u64,
        faults: &mut Vec<(usize, DataFusionError)>,
    ) -> Result<ArrayRef> {
        let Some(length) = self.length_max(column).filter(|_| *values.data_type() == DataType::Utf8View) else {
            return Ok(values);
        };
        let truncates = self.tolerance.rules().surplus_char == ValueRule::Truncate;
        let mut fitting = StringViewBuilder::with_capacity(values.len());
        for (row, text) in values.as_string_view().iter().enumerate() {
            let end = text.and_then(|text| text.char_indices().nth(length)).map(|(end, _)| end);
            let (Some(text), Some(end)) = (text, end) else {
                fitting.append_option(text);
                continue;
            };
            if truncates {
                let bad = self.bad_value(column, first_row + row as u64 + 1, FaultKind::TooLong, self.too_long(column));
                let bad = BadRow { raw_value: Some(text.to_owned()), ..bad };
                self.tolerance.changed(bad, Some(text[..end].to_owned()))?;
                fitting.append_value(&text[..end]);
            } else {
                fitting.append_null();
                faults.push((row, self.too_long(column).into()));
            }
        }
        Ok(Arc::new(fitting.finish()))
    }

    /// What an error says of the file.
    ///
    /// # Errors
    /// The same, when it says nothing of it: the file was replaced, its store does not answer, memory is not there.
    fn ours(&self, error: DataFusionError) -> Result<Error> {
        match error::find(&error).map(Error::copy_of_file) {
            Some(Some(ours)) => return Ok(ours),
            Some(None) => return Err(error),
            None => {}
        }
        let reason = match &error {
            DataFusionError::ParquetError(error) => error.to_string(),
            DataFusionError::ArrowError(error, _) => error.to_string(),
            _ => return Err(error),
        };
        Ok(Error::Corrupted { path: self.file.url().to_owned(), reason })
    }
}

/// A file's timestamps of 96 bits as microseconds: nanoseconds would end in the year 2262.
fn with_microseconds(metadata: ArrowReaderMetadata) -> Result<ArrowReaderMetadata> {
    let coerced = Int96Coercer::new(metadata.parquet_schema(), metadata.schema(), &TimeUnit::Microsecond).coerce();
    Ok(match coerced {
        Some(schema) => {
            let options = ArrowReaderOptions::new().with_schema(Arc::new(schema));
            ArrowReaderMetadata::try_new(metadata.metadata().clone(), options)?
        }
        None => metadata,
    })
}

/// The values of an expression, NULL for rows for which it fails. Those are found by halves, so that few cost little.
fn evaluated(
    expr: &Arc<dyn PhysicalExpr>,
    batch: &RecordBatch,
    first_row: usize,
    faults: &mut Vec<(usize, DataFusionError)>,
) -> Result<ArrayRef> {
    let rows = batch.num_rows();
    match expr.evaluate(batch).and_then(|values| values.into_array(rows)) {
        Ok(values) => Ok(values),
        Err(error) if rows <= 1 => {
            let nulls = new_null_array(&expr.data_type(batch.schema_ref())?, rows);
            faults.push((first_row, error));
            Ok(nulls)
        }
        Err(_) => {
            let half = rows / 2;
            let first = evaluated(expr, &batch.slice(0, half), first_row, faults)?;
            let second = evaluated(expr, &batch.slice(half, rows - half), first_row + half, faults)?;
            Ok(concat(&[&first, &second])?)
        }
    }
}
