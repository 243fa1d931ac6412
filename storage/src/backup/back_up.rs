//! Makes a backup.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use catalog::CatalogSnapshot;
use catalog::rows::SegmentFile;
use futures::{StreamExt, TryStreamExt};
use object_store::buffered::BufWriter;
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;
use tracing::info;

use super::manifest::{FileSum, MANIFEST, Manifest, RECORDS, SegmentSum, segment_path};
use super::place::BackupPlace;
use super::records::write_records;
use crate::error::{Error, Result};
use crate::hot::Segments;

/// Files that are copied at the same time, so that an object store's answers are not waited for one by one.
const FILES_AT_ONCE: usize = 2;
/// Bytes of a file that go to an object store in one request, of which S3 wants no fewer, and requests of a file under way.
const PART_BYTES: usize = 5 << 20;
const PARTS_AT_ONCE: usize = 2;
/// Blocks of a file that have been read and not yet been taken.
const BLOCKS_AHEAD: usize = 2;
/// Memory that a backup takes at most.
pub const MEMORY_BYTES: usize = FILES_AT_ONCE * (PARTS_AT_ONCE + 1) * PART_BYTES;
/// The log says how far a backup has come each time that so much more has been copied.
const PROGRESS_BYTES: u64 = 1 << 30;

/// What was backed up.
#[derive(Debug, Clone, Copy)]
pub struct BackupSummary {
    /// The version of the snapshot.
    pub version: u64,
    /// How many files of segments there are.
    pub segments: usize,
    /// Bytes of all files.
    pub bytes: u64,
}

/// Copies a snapshot into a place that was claimed for it. Can be given up at any time; what is there then is no backup.
///
/// # Errors
/// A segment is damaged, or the place cannot be written.
pub async fn back_up(
    snapshot: Arc<CatalogSnapshot>,
    segments: &Arc<Segments>,
    place: &BackupPlace,
) -> Result<BackupSummary> {
    let progress = Progress::default();
    let files = files(&snapshot);
    info!(location = place.url(), version = snapshot.version(), segments = files.len(), "backup begun");
    let records = copy(place, RECORDS, &progress, {
        let snapshot = snapshot.clone();
        move |emit| write_records(&snapshot, emit)
    });
    let records = records.await?;
    let copies = files.into_iter().map(|file| copy_segment(file, segments.clone(), place, &progress));
    let copied: Vec<_> = futures::stream::iter(copies).buffer_unordered(FILES_AT_ONCE).try_collect().await?;
    let manifest = Manifest::new(snapshot.version(), records, copied);
    place.flush_names().await?;
    place.put(MANIFEST, manifest.encode()).await?;
    place.flush_names().await?;
    let summary =
        BackupSummary { version: snapshot.version(), segments: manifest.segments.len(), bytes: manifest.bytes() };
    info!(location = place.url(), version = summary.version, bytes = summary.bytes, "backup finished");
    Ok(summary)
}

fn files(snapshot: &CatalogSnapshot) -> Vec<SegmentFile> {
    let tables = snapshot.tables_with_rows();
    tables.flat_map(|(_, rows)| rows.segments().map(|(_, segment)| segment.file.clone()).collect::<Vec<_>>()).collect()
}

async fn copy_segment(
    file: SegmentFile,
    segments: Arc<Segments>,
    place: &BackupPlace,
    progress: &Progress,
) -> Result<SegmentSum> {
    let (table, name) = (file.table, file.name.clone());
    let sum =
        copy(place, &segment_path(table, &name), progress, move |emit| segments.read_verified(&file, emit)).await?;
    Ok(SegmentSum { table, name, sum })
}

/// Writes what `produce` gives, on a thread where it may block, into a file of the backup.
async fn copy(
    place: &BackupPlace,
    name: &str,
    progress: &Progress,
    produce: impl FnOnce(&mut dyn FnMut(Bytes) -> bool) -> Result<()> + Send + 'static,
) -> Result<FileSum> {
    let (sender, mut blocks) = mpsc::channel(BLOCKS_AHEAD);
    let producing = tokio::task::spawn_blocking(move || produce(&mut |block| sender.blocking_send(block).is_ok()));
    let writer = BufWriter::with_capacity(place.store().clone(), place.path_of(name), PART_BYTES);
    let mut writer = writer.with_max_concurrency(PARTS_AT_ONCE);
    let failed = |error| Error::not_written(&place.url_of(name), error);
    let (mut bytes, mut hasher) = (0, crc32fast::Hasher::new());
    while let Some(block) = blocks.recv().await {
        bytes += block.len() as u64;
        hasher.update(&block);
        progress.add(place, block.len() as u64);
        writer.put(block).await.map_err(failed)?;
    }
    let produced = producing.await.unwrap_or_else(|error| {
        Err(Error::not_written(&place.url_of(name), object_store::Error::JoinError { source: error }))
    });
    if let Err(error) = produced {
        // What cannot be aborted has no name: it is no part of any backup.
        drop(writer.abort().await);
        return Err(error);
    }
    let ended = writer.shutdown().await;
    ended.map_err(|error| failed(object_store::Error::Generic { store: "backup", source: Box::new(error) }))?;
    place.written(name).await?;
    Ok(FileSum { bytes, checksum: hasher.finalize() })
}

/// How far a backup has come.
#[derive(Default)]
struct Progress(AtomicU64);

impl Progress {
    fn add(&self, place: &BackupPlace, bytes: u64) {
        let before = self.0.fetch_add(bytes, Ordering::Relaxed);
        let after = before + bytes;
        if before / PROGRESS_BYTES < after / PROGRESS_BYTES {
            info!(location = place.url(), bytes = after, "backup under way");
        }
    }
}
