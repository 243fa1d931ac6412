//! Makes a data directory of a backup.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use catalog::vfs::{OpenMode, Vfs};
use catalog::{Oid, Restore};
use futures::TryStreamExt;
use tracing::info;

use super::back_up::BackupSummary;
use super::manifest::{FileSum, MANIFEST, Manifest, RECORDS, SegmentSum, segment_path};
use super::place::BackupPlace;
use super::records::{Record, RecordReader};
use crate::error::{Error, Result};
use crate::hot::segments::SEGMENTS_DIRECTORY;

/// Bytes of records that are stored together.
const COMMIT_BYTES: usize = 32 << 20;
/// The log says how far a restore has come each time that so many more files are there.
const PROGRESS_FILES: usize = 100;

/// Makes a data directory of a backup, where nothing is or only an empty directory. It can be used when this has
/// returned, and a server refuses it before.
///
/// # Errors
/// There is no finished backup, it is damaged, or the directory holds something or cannot be written.
pub async fn restore(place: &BackupPlace, vfs: Arc<dyn Vfs>, directory: &Path) -> Result<BackupSummary> {
    let manifest = read_manifest(place).await?;
    info!(location = place.url(), version = manifest.version, segments = manifest.segments.len(), "restore begun");
    let mut restore = Restore::begin(vfs.clone(), directory)?;
    let files = Files { vfs, directory: directory.join(SEGMENTS_DIRECTORY) };
    files.make_directories(&manifest)?;
    for (done, segment) in manifest.segments.iter().enumerate() {
        files.restore_segment(place, segment).await?;
        if (done + 1) % PROGRESS_FILES == 0 {
            info!(location = place.url(), segments = done + 1, "restore under way");
        }
    }
    files.flush_names(&manifest)?;
    restore_records(place, &manifest.records, &mut restore).await?;
    let snapshot = restore.snapshot()?;
    let restored: BTreeSet<_> = manifest.segments.iter().map(|it| (it.table, it.name.clone())).collect();
    if snapshot.segment_files() != restored || snapshot.version() != manifest.version {
        return Err(damaged(place, MANIFEST, "it does not belong to the records"));
    }
    restore.finish()?;
    info!(location = place.url(), directory = %directory.display(), bytes = manifest.bytes(), "restore finished");
    Ok(BackupSummary { version: manifest.version, segments: manifest.segments.len(), bytes: manifest.bytes() })
}

async fn read_manifest(place: &BackupPlace) -> Result<Manifest> {
    let bytes = match place.get(MANIFEST).await {
        Err(Error::NotFound { .. }) => return Err(Error::NoBackup { location: place.url().to_owned() }),
        got => got?.bytes().await,
    };
    let bytes = bytes.map_err(|error| Error::from_object_store(&place.url_of(MANIFEST), error))?;
    Manifest::decode(&place.url_of(MANIFEST), &bytes)
}

fn damaged(place: &BackupPlace, name: &str, reason: &str) -> Error {
    Error::DamagedBackup { path: place.url_of(name), reason: reason.to_owned() }
}

/// Gives a file's bytes to `take`, and compares them with what the manifest says.
async fn read(
    place: &BackupPlace,
    name: &str,
    expected: &FileSum,
    mut take: impl FnMut(Bytes) -> Result<()>,
) -> Result<()> {
    let unreadable = |error| Error::from_object_store(&place.url_of(name), error);
    let got = match place.get(name).await {
        Err(Error::NotFound { .. }) => return Err(damaged(place, name, "it is not there")),
        got => got?,
    };
    let mut blocks = got.into_stream();
    let (mut bytes, mut hasher) = (0, crc32fast::Hasher::new());
    while let Some(block) = blocks.try_next().await.map_err(unreadable)? {
        bytes += block.len() as u64;
        if bytes > expected.bytes {
            break;
        }
        hasher.update(&block);
        take(block)?;
    }
    if (FileSum { bytes, checksum: hasher.finalize() }) != *expected {
        return Err(damaged(place, name, "its checksum does not match"));
    }
    Ok(())
}

async fn restore_records(place: &BackupPlace, expected: &FileSum, restore: &mut Restore) -> Result<()> {
    let mut reader = RecordReader::default();
    let (mut waiting, mut waiting_bytes): (Vec<Record>, usize) = (Vec::new(), 0);
    let take = |block: Bytes| {
        for record in reader.read(&block) {
            waiting_bytes += record.1.len();
            waiting.push(record);
        }
        if waiting_bytes >= COMMIT_BYTES {
            waiting_bytes = 0;
            restore.put(std::mem::take(&mut waiting))?;
        }
        Ok(())
    };
    read(place, RECORDS, expected, take).await?;
    if !reader.is_at_end() {
        return Err(damaged(place, RECORDS, "its last record is not complete"));
    }
    Ok(restore.put(waiting)?)
}

/// The files of segments in the new data directory.
struct Files {
    vfs: Arc<dyn Vfs>,
    directory: PathBuf,
}

impl Files {
    fn of_table(&self, table: Oid) -> PathBuf {
        self.directory.join(table.0.to_string())
    }

    fn directories(&self, manifest: &Manifest) -> Vec<PathBuf> {
        let tables: BTreeSet<_> = manifest.segments.iter().map(|segment| segment.table).collect();
        let tables = tables.into_iter().map(|table| self.of_table(table));
        std::iter::once(self.directory.clone()).chain(tables).collect()
    }

    fn make_directories(&self, manifest: &Manifest) -> Result<()> {
        self.directories(manifest).iter().try_for_each(|directory| {
            self.vfs.create_dir(directory).map_err(|source| failed("create directory", directory, source))
        })
    }

    fn flush_names(&self, manifest: &Manifest) -> Result<()> {
        self.directories(manifest).iter().try_for_each(|directory| {
            self.vfs.sync_dir(directory).map_err(|source| failed("flush directory", directory, source))
        })
    }

    async fn restore_segment(&self, place: &BackupPlace, segment: &SegmentSum) -> Result<()> {
        let path = self.of_table(segment.table).join(&segment.name);
        let file = self.vfs.open(&path, OpenMode::Create).map_err(|source| failed("create", &path, source))?;
        let mut offset = 0;
        let take = |block: Bytes| {
            file.write_at(offset, &block).map_err(|source| failed("write", &path, source))?;
            offset += block.len() as u64;
            Ok(())
        };
        read(place, &segment_path(segment.table, &segment.name), &segment.sum, take).await?;
        file.sync_data().map_err(|source| failed("flush", &path, source))
    }
}

fn failed(action: &'static str, path: &Path, source: std::io::Error) -> Error {
    catalog::Error::File { action, path: path.display().to_string(), source }.into()
}
