//! The columns of files that say which they have: Parquet's at their ends, Avro's and Arrow's at their beginnings.

use std::sync::Arc;

use arrow::datatypes::Fields;
use catalog::{Column, FileFormat};
use futures::stream::{self, StreamExt, TryStreamExt};
use parquet::arrow::parquet_to_arrow_schema;
use parquet::errors::ParquetError;
use parquet::file::metadata::PageIndexPolicy;

use super::ListedFile;
use super::columns::Columns;
use crate::error::{Error, Result};
use crate::external::footers;
use crate::external::rows::columns_of;

/// Files that are looked at for one description. Of more files, so many are looked at, evenly spread over their names, the first
/// and the last among them: each is a request of its own, and what is left is found by name all the same.
const FILES_MAX: usize = 256;
/// Files looked at at the same time.
const FILES_PARALLEL: usize = 16;

/// The columns of all files, or of the first.
///
/// # Errors
/// A file cannot be read, or the files' types do not fit together.
pub(super) async fn columns(files: &[ListedFile], format: &FileFormat, union_by_name: bool) -> Result<Vec<Column>> {
    let count = if union_by_name { files.len().min(FILES_MAX) } else { 1 };
    let place = |number: usize| number * (files.len() - 1) / count.saturating_sub(1).max(1);
    let looked = stream::iter((0..count).map(place)).map(|place| async move {
        match format {
            FileFormat::Parquet => fields(&files[place]).await,
            other => columns_of(files[place].pinned(), other.clone()).await,
        }
    });
    let mut looked = std::pin::pin!(looked.buffered(FILES_PARALLEL));
    let mut columns = Columns::default();
    while let Some((url, fields)) = looked.try_next().await? {
        columns.add_fields(&fields, &url)?;
    }
    Ok(columns.finish())
}

/// The URL and columns of a Parquet file.
async fn fields(file: &ListedFile) -> Result<(String, Fields)> {
    let pinned = Arc::new(file.pinned());
    let metadata = footers::read(&pinned, PageIndexPolicy::Skip).await?;
    let footer = metadata.file_metadata();
    let schema = parquet_to_arrow_schema(footer.schema_descr(), footer.key_value_metadata());
    let not_read = |error: ParquetError| Error::NotParquet { path: pinned.url().to_owned(), reason: error.to_string() };
    Ok((pinned.url().to_owned(), schema.map_err(not_read)?.fields))
}
