//! Fills a new data directory with records that were kept elsewhere.
//!
//! From its beginning to its end a mark lies in the directory. A server refuses to start as long as it is there: it would
//! take the files of the restored tables for files that nothing refers to.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use crate::commit::STORE_FILE;
use crate::directory::{LOCK_FILE, create_directory, lock_directory};
use crate::error::{Error, Result, file_error};
use crate::snapshot::CatalogSnapshot;
use crate::store::record::corrupted;
use crate::store::{CommitStore, RecordWrite, RedbStore, Touched, load, record};
use crate::vfs::{OpenMode, Vfs, VfsFile};

const MARK_FILE: &str = "RESTORING";

/// A data directory that is being restored. Nothing but a finished one can be used.
#[derive(Debug)]
pub struct Restore {
    vfs: Arc<dyn Vfs>,
    directory: PathBuf,
    store: RedbStore,
    /// Held, never read: the lock on the directory ends with the file.
    _lock: Arc<dyn VfsFile>,
}

impl Restore {
    /// Begins to restore into a directory that is empty, or made.
    ///
    /// # Errors
    /// The directory cannot be made, or holds something.
    pub fn begin(vfs: Arc<dyn Vfs>, directory: &Path) -> Result<Self> {
        create_directory(vfs.as_ref(), directory)?;
        refuse_full(vfs.as_ref(), directory)?;
        let lock = lock_directory(vfs.as_ref(), directory)?;
        // Somebody may have been quicker.
        refuse_full(vfs.as_ref(), directory)?;
        let mark = directory.join(MARK_FILE);
        vfs.open(&mark, OpenMode::Create).map_err(|source| file_error("create", &mark, source))?;
        // Makes the mark's name durable, before anything else is there.
        sync_directory(vfs.as_ref(), directory)?;
        let store = RedbStore::open(vfs.clone(), &directory.join(STORE_FILE))?;
        Ok(Restore { vfs, directory: directory.to_path_buf(), store, _lock: lock })
    }

    /// The directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Stores records, keys and values, as [`visit_records`](crate::store::visit_records) gave them.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn put(&mut self, records: Vec<(Vec<u8>, Bytes)>) -> Result<()> {
        let put = |(key, value)| RecordWrite::Put { key, value };
        let writes: Vec<_> = records.into_iter().map(put).collect();
        Ok(self.store.commit(&writes)?)
    }

    /// What the records are: each is verified.
    ///
    /// # Errors
    /// A record is damaged or missing, or of another format than this version's.
    pub fn snapshot(&self) -> Result<CatalogSnapshot> {
        load::read_snapshot(&self.store, None)?.ok_or_else(|| corrupted(b"a", "it is not there"))
    }

    /// Says that everything is there, what lies beside the records too: from now on, the directory is a data directory.
    ///
    /// # Errors
    /// That cannot be made durable.
    pub fn finish(mut self) -> Result<()> {
        // Files that the other directory's server writes are not to be taken for this one's.
        let mut touched = Touched::default();
        let own = self.snapshot()?.with_own_file_writes(&mut touched);
        self.store.commit(&record::writes(&own, &touched)?)?;
        // The store's file is closed first, and everybody's name is durable before the mark goes.
        drop(self.store);
        sync_directory(self.vfs.as_ref(), &self.directory)?;
        let mark = self.directory.join(MARK_FILE);
        self.vfs.remove_file(&mark).map_err(|source| file_error("remove", &mark, source))?;
        sync_directory(self.vfs.as_ref(), &self.directory)
    }
}

/// Refuses a directory with what a restore has left that did not finish.
///
/// # Errors
/// It is one, or that cannot be told.
pub(crate) fn refuse_unfinished(vfs: &dyn Vfs, directory: &Path) -> Result<()> {
    let mark = directory.join(MARK_FILE);
    match vfs.exists(&mark).map_err(|source| file_error("access", &mark, source))? {
        true => Err(Error::RestoreUnfinished { directory: directory.display().to_string() }),
        false => Ok(()),
    }
}

fn refuse_full(vfs: &dyn Vfs, directory: &Path) -> Result<()> {
    let names = vfs.list(directory).map_err(|source| file_error("list", directory, source))?;
    match names.iter().all(|name| name == LOCK_FILE) {
        true => Ok(()),
        false => Err(Error::DirectoryNotEmpty { directory: directory.display().to_string() }),
    }
}

fn sync_directory(vfs: &dyn Vfs, directory: &Path) -> Result<()> {
    vfs.sync_dir(directory).map_err(|source| file_error("flush directory", directory, source))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commit::Catalog;
    use crate::store::visit_records;
    use crate::vfs::SimulatedVfs;

    const PATH: &str = "/data";

    fn open(vfs: &SimulatedVfs) -> Result<Catalog> {
        Catalog::open_on(Arc::new(vfs.clone()), Path::new(PATH), 1 << 16, Box::new(|_| {}))
    }

    fn records(snapshot: &CatalogSnapshot) -> Vec<(Vec<u8>, Bytes)> {
        let mut records = Vec::new();
        visit_records(snapshot, &mut |key, value| {
            records.push((key.to_vec(), Bytes::copy_from_slice(value)));
            Ok(())
        })
        .unwrap();
        records
    }

    #[test]
    fn a_directory_is_of_use_only_when_its_restore_has_finished() {
        let vfs = SimulatedVfs::new();
        let mut restore = Restore::begin(Arc::new(vfs.clone()), Path::new(PATH)).unwrap();
        assert!(restore.snapshot().is_err());
        restore.put(records(&CatalogSnapshot::initial())).unwrap();
        let begun = vfs.clone();
        assert!(restore.snapshot().unwrap().schema("public").is_some());
        assert!(matches!(open(&begun), Err(Error::DirectoryInUse { .. })));
        restore.finish().unwrap();
        assert!(open(&vfs).unwrap().snapshot().schema("public").is_some());
    }

    #[test]
    fn what_a_restore_has_left_is_refused_and_so_is_a_directory_in_use() {
        let vfs = SimulatedVfs::new();
        drop(Restore::begin(Arc::new(vfs.clone()), Path::new(PATH)).unwrap());
        assert!(matches!(open(&vfs), Err(Error::RestoreUnfinished { .. })));
        let again = Restore::begin(Arc::new(vfs), Path::new(PATH));
        assert!(matches!(again, Err(Error::DirectoryNotEmpty { .. })));

        let vfs = SimulatedVfs::new();
        drop(open(&vfs).unwrap());
        let refused = Restore::begin(Arc::new(vfs), Path::new(PATH));
        assert!(matches!(refused, Err(Error::DirectoryNotEmpty { .. })));
    }
}
