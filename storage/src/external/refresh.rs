//! REFRESH EXTERNAL TABLE: looks at the files of a table and writes down what they say of themselves.

use std::sync::Arc;

use bytes::Bytes;
use catalog::FileFormat;
use datafusion::catalog::Session;
use datafusion::common::Result;
use datafusion::datasource::listing::PartitionedFile;
use futures::stream::{self, StreamExt};
use parquet::file::metadata::{ColumnChunkMetaData, PageIndexPolicy, ParquetMetaData, RowGroupMetaData};

use super::footers::{self, TAIL_BYTES_MAX, TAIL_BYTES_MIN, Tails};
use super::manifests::Manifests;
use super::pinned_file::PinnedFile;
use super::provider::ExternalTableProvider;
use crate::error::Error;
use crate::object_stores::Location;
use crate::scan::report::ReadCounter;

/// Files that are read at the same time.
const FILES_PARALLEL: usize = 32;

/// What REFRESH has found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Refreshed {
    /// Files that the table has.
    pub files: usize,
    /// Those of which something had to be read.
    pub read: usize,
}

/// The end of a file, and where it begins.
struct FileEnd {
    file: Arc<PinnedFile>,
    start: u64,
    bytes: Bytes,
}

impl ExternalTableProvider {
    /// Makes the table's manifest as its files are now. Those that are known already are not read again; of formats that say
    /// nothing of themselves nothing is read.
    ///
    /// # Errors
    /// The files cannot be listed or read, or the manifest cannot be written.
    pub async fn refresh(&self, session: &dyn Session, manifests: &Manifests, now_us: i64) -> Result<Refreshed> {
        let stores = self.all_files(session).await?;
        let mut refreshed = Refreshed { files: stores.iter().map(|(_, files)| files.len()).sum(), read: 0 };
        if self.table().format != FileFormat::Parquet {
            return Ok(refreshed);
        }
        let not_written = |source| Error::ManifestNotWritten { source };
        let mut manifest = manifests.begin(self.table().oid.0).await.map_err(not_written)?;
        let read = Arc::<ReadCounter>::default();
        let mut unknown = Vec::new();
        for (location, files) in stores {
            for file in files {
                let pinned = pinned(&location, &file, &read, now_us);
                // What may be written again without anybody noticing is not worth knowing.
                if pinned.is_settled() && !manifest.keep(pinned.version()) {
                    unknown.push(Arc::new(pinned));
                }
            }
        }
        refreshed.read = unknown.len();
        let tails = Tails::default();
        let ends = stream::iter(unknown).map(|file| read_end(file, &tails)).buffer_unordered(FILES_PARALLEL);
        let mut ends = std::pin::pin!(ends);
        while let Some(end) = ends.next().await {
            let Some(FileEnd { file, start, bytes }) = end? else { continue };
            manifest.add(file.version(), start, &bytes).map_err(not_written)?;
        }
        manifest.finish(now_us).map_err(not_written)?;
        Ok(refreshed)
    }
}

fn pinned(location: &Location, file: &PartitionedFile, read: &Arc<ReadCounter>, now_us: i64) -> PinnedFile {
    PinnedFile::new(location.store.clone(), &location.store_url, file.object_meta.clone(), read.clone()).at(now_us)
}

/// The part of a file's end that says something of it; none of a file that has none that is worth keeping.
async fn read_end(file: Arc<PinnedFile>, tails: &Tails) -> Result<Option<FileEnd>, Error> {
    file.read_tail(tails.expected(&file)).await?;
    let footer = match footers::read(&file, PageIndexPolicy::Skip).await {
        Ok(footer) => footer,
        // A scan will say so, if somebody asks for the file.
        Err(Error::NotParquet { .. } | Error::FileDeleted { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let described_by = file.size().saturating_sub(description_start(&footer, file.size()));
    let kept = described_by.clamp(TAIL_BYTES_MIN.min(file.size()), TAIL_BYTES_MAX.min(file.size()));
    tails.note(&file, kept);
    let start = file.size() - kept;
    let bytes = file.read(start..file.size()).await?;
    Ok(Some(FileEnd { file, start, bytes }))
}

/// Where the indexes and filters of a file begin, as far as they are near enough to its end.
fn description_start(footer: &ParquetMetaData, size: u64) -> u64 {
    let columns = footer.row_groups().iter().flat_map(RowGroupMetaData::columns);
    let places = |column: &ColumnChunkMetaData| {
        [column.column_index_offset(), column.offset_index_offset(), column.bloom_filter_offset()]
    };
    let near = size.saturating_sub(TAIL_BYTES_MAX);
    let places = columns.flat_map(places).flatten().filter_map(|place| u64::try_from(place).ok());
    places.filter(|place| *place >= near).min().unwrap_or(size)
}
