//! The catalog: the current snapshot, and the only way to the next one.
//!
//! One thread commits. It takes all requests that wait, applies each to what the ones before it left, writes them in one
//! transaction of the store, and answers when that is durable: many writers share one flush. A snapshot becomes visible
//! after it is durable and before its writer is answered.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc as std_mpsc;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot};
use tracing::{error, info};

use crate::change::CatalogChange;
use crate::committer::{CommitRequest, Committer};
use crate::directory::DataDirectory;
use crate::error::{Error, Result, file_error};
use crate::name::Oid;
use crate::rows::SegmentFile;
use crate::snapshot::CatalogSnapshot;
use crate::store::{CommitStore, LOG_BYTES, LoggedStore, RecordKey, Touched, load, record};
use crate::vfs::{OsVfs, Vfs, VfsFile};

/// Requests that may wait for the commit thread; a writer beyond them waits to be let in.
const COMMIT_QUEUE_MAX: usize = 1024;
/// The process ends with this code when something could not be made durable (`EX_IOERR`).
pub const EXIT_CODE_STORE_FAILED: i32 = 74;

pub(crate) const STORE_FILE: &str = "catalog.redb";
const LOG_FILE: &str = "catalog.log";

/// What is called when nobody knows whether a commit is durable. A server ends itself there. When the call returns, the
/// catalog takes no more commits, and those that wait are told that the server shuts down.
pub type StoreFailureHook = Box<dyn FnOnce(&Error) + Send>;

/// The current snapshot, and the only way to the next one.
#[derive(Debug)]
pub struct Catalog {
    current: Arc<RwLock<Arc<CatalogSnapshot>>>,
    next_oid: AtomicU32,
    requests: Mutex<Option<mpsc::Sender<CommitRequest>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    garbage: std_mpsc::Sender<SegmentFile>,
    /// Taken by whoever removes files.
    garbage_receiver: Mutex<Option<std_mpsc::Receiver<SegmentFile>>>,
    /// Held, never read: the lock on the data directory ends with the file.
    _lock: Option<Arc<dyn VfsFile>>,
}

impl Catalog {
    /// Opens the catalog in a data directory, which is made if it is not there.
    ///
    /// # Errors
    /// The directory cannot be made, is in use by another server, or holds something this version cannot read.
    pub fn open(directory: &Path) -> Result<Self> {
        Self::open_in(DataDirectory::take(Arc::new(OsVfs), directory)?)
    }

    /// The catalog of a data directory that this process holds.
    ///
    /// # Errors
    /// The directory holds something this version cannot read.
    pub fn open_in(directory: DataDirectory) -> Result<Self> {
        Self::open_held(directory, LOG_BYTES, Box::new(end_process))
    }

    /// As [`open`](Self::open), on any file system; a log that is made has so many bytes; `on_store_failed` is called instead
    /// of ending the process.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_on(
        vfs: Arc<dyn Vfs>,
        directory: &Path,
        log_bytes: usize,
        on_store_failed: StoreFailureHook,
    ) -> Result<Self> {
        Self::open_held(DataDirectory::take(vfs, directory)?, log_bytes, on_store_failed)
    }

    fn open_held(directory: DataDirectory, log_bytes: usize, on_store_failed: StoreFailureHook) -> Result<Self> {
        let DataDirectory { vfs, path, lock } = directory;
        let store = LoggedStore::open(vfs, &path.join(STORE_FILE), &path.join(LOG_FILE), log_bytes)?;
        let mut catalog = Self::with_store(Box::new(store), on_store_failed)?;
        catalog._lock = Some(lock);
        Ok(catalog)
    }

    /// A catalog over any commit store.
    ///
    /// # Errors
    /// The store cannot be read, or a new one not be written.
    pub fn with_store(mut store: Box<dyn CommitStore>, on_store_failed: StoreFailureHook) -> Result<Self> {
        let (garbage, garbage_receiver) = std_mpsc::channel();
        let snapshot = match load::read_snapshot(store.as_ref(), Some(&garbage))? {
            Some(snapshot) => snapshot,
            None => initialise(store.as_mut())?,
        };
        info!(version = snapshot.version(), "catalog opened");
        let next_oid = AtomicU32::new(snapshot.next_oid.0);
        let current = Arc::new(RwLock::new(Arc::new(snapshot)));
        let (requests, queue) = mpsc::channel(COMMIT_QUEUE_MAX);
        let thread = std::thread::Builder::new().name("commit".into()).spawn({
            let current = current.clone();
            move || {
                if let ControlFlow::Break(in_doubt) = Committer::new(store, current).run(queue) {
                    on_store_failed(&in_doubt.error);
                }
            }
        });
        let thread =
            thread.map_err(|source| file_error("start the commit thread of", Path::new(STORE_FILE), source))?;
        Ok(Catalog {
            current,
            next_oid,
            requests: Mutex::new(Some(requests)),
            thread: Mutex::new(Some(thread)),
            garbage,
            garbage_receiver: Mutex::new(Some(garbage_receiver)),
            _lock: None,
        })
    }

    /// The newest committed snapshot.
    pub fn snapshot(&self) -> Arc<CatalogSnapshot> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A number for a new object. A number whose object is not committed is never used.
    pub fn allocate_oid(&self) -> Oid {
        Oid(self.next_oid.fetch_add(1, Ordering::Relaxed))
    }

    /// Where the files of segments go that nothing needs any more; for [`Segment::new`](crate::rows::Segment::new).
    pub fn garbage(&self) -> std_mpsc::Sender<SegmentFile> {
        self.garbage.clone()
    }

    /// The files of segments that nothing needs any more; the first one who asks gets them.
    pub fn take_garbage(&self) -> Option<std_mpsc::Receiver<SegmentFile>> {
        self.garbage_receiver.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Applies the changes, all or none, and returns the snapshot that has them once they are durable.
    ///
    /// # Errors
    /// A change that does not fit what others have committed, or a commit that the store refuses: nothing of it is there.
    /// When it is unknown whether the commit will be there after a restart, any answer could be wrong: the process ends.
    pub async fn commit(&self, changes: Vec<CatalogChange>) -> Result<Arc<CatalogSnapshot>> {
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let requests = requests.ok_or(Error::ShuttingDown)?;
        let (reply, answer) = oneshot::channel();
        requests.send(CommitRequest { changes, reply }).await.map_err(|_| Error::ShuttingDown)?;
        answer.await.map_err(|_| Error::ShuttingDown)?
    }

    /// Refuses further commits and waits for those under way.
    pub fn close(&self) {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).take();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            error!("the commit thread panicked");
        }
    }
}

impl Drop for Catalog {
    fn drop(&mut self) {
        self.close();
    }
}

fn initialise(store: &mut dyn CommitStore) -> Result<CatalogSnapshot> {
    let snapshot = CatalogSnapshot::initial();
    let mut touched = Touched::default();
    touched.records.extend(snapshot.schemas().map(|schema| RecordKey::Schema(schema.oid)));
    touched.records.extend(snapshot.roles().map(|role| RecordKey::Role(role.oid)));
    store.commit(&record::writes(&snapshot, &touched)?)?;
    Ok(snapshot)
}

/// The client's connection breaks, which says exactly what is known: nothing.
fn end_process(error: &Error) {
    error!(error = %error, "a commit could not be made durable, the server ends");
    std::process::exit(EXIT_CODE_STORE_FAILED);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hot_table::{Column, HotTable};
    use crate::name::ObjectName;
    use crate::rows::{RowAddresses, RowChanges, UnitId};
    use crate::store::{CommitFailure, RecordVisitor, RecordWrite};
    use crate::types::SqlType;
    use arrow::array::{ArrayRef, AsArray, Int32Array, RecordBatch};
    use arrow::datatypes::Int32Type;

    fn create(catalog: &Catalog, name: &str) -> CatalogChange {
        let column = Column::new(1, "id", SqlType::Integer);
        CatalogChange::CreateHotTable(HotTable::new(
            catalog.allocate_oid(),
            ObjectName::new("public", name),
            vec![column],
        ))
    }

    fn rows(table: Oid, values: &[i32]) -> CatalogChange {
        let values: ArrayRef = Arc::new(Int32Array::from_iter_values(values.iter().copied()));
        let rows = RecordBatch::try_from_iter_with_nullable([("c1", values, true)]).unwrap();
        CatalogChange::ChangeRows { table, changes: RowChanges::append(vec![rows]) }
    }

    fn delete(table: Oid, unit: u64, row: u32) -> CatalogChange {
        let delete = RowAddresses::from_unit(UnitId(unit), [row].into_iter().collect());
        CatalogChange::ChangeRows { table, changes: RowChanges { delete, ..RowChanges::default() } }
    }

    fn values(snapshot: &CatalogSnapshot, table: Oid) -> Vec<i32> {
        let rows = snapshot.rows(table);
        let mut values = Vec::new();
        for unit in rows.inline_units() {
            for (first, batch) in unit.batches() {
                let column = batch.column(0).as_primitive::<Int32Type>().values();
                let deleted = |at: usize| rows.deleted(unit.unit).is_some_and(|rows| rows.contains(first + at as u32));
                values.extend(column.iter().enumerate().filter(|(at, _)| !deleted(*at)).map(|(_, value)| *value));
            }
        }
        values
    }

    #[tokio::test]
    async fn what_was_committed_is_there_after_reopening() {
        let directory = tempfile::tempdir().unwrap();
        let name = ObjectName::new("public", "t");
        let catalog = Catalog::open(directory.path()).unwrap();
        let created = catalog.commit(vec![create(&catalog, "t")]).await.unwrap();
        let oid = created.relation(&name).unwrap().oid();
        catalog.commit(vec![rows(oid, &[1, 2, 3]), delete(oid, 1, 1)]).await.unwrap();
        catalog.commit(vec![rows(oid, &[4])]).await.unwrap();
        drop(catalog);

        let catalog = Catalog::open(directory.path()).unwrap();
        let snapshot = catalog.snapshot();
        assert_eq!(snapshot.version(), 3);
        assert_eq!(snapshot.relation(&name).unwrap().oid(), oid);
        assert_eq!(values(&snapshot, oid), [1, 3, 4]);
        assert!(catalog.allocate_oid() > oid);

        catalog.commit(vec![CatalogChange::DropRelation { oid }]).await.unwrap();
        drop(catalog);
        let snapshot = Catalog::open(directory.path()).unwrap().snapshot();
        assert!(snapshot.relation(&name).is_none());
        assert_eq!(snapshot.rows(oid).rows(), 0);
    }

    #[tokio::test]
    async fn types_and_their_numbers_survive_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let catalog = Catalog::open(directory.path()).unwrap();
        let (oid, array_oid) = (catalog.allocate_oid(), catalog.allocate_oid());
        let name = crate::name::ObjectName::new("public", "mood");
        let labels = crate::user_type::new_labels(["sad".to_owned(), "happy".to_owned()]);
        let kind = crate::user_type::UserTypeKind::Enum(labels);
        let ty = crate::user_type::UserType { oid, array_oid, name: name.clone(), kind };
        catalog.commit(vec![CatalogChange::CreateType(ty.clone())]).await.unwrap();
        drop(catalog);
        let catalog = Catalog::open(directory.path()).unwrap();
        let snapshot = catalog.snapshot();
        assert_eq!(snapshot.user_type(&name).unwrap().as_ref(), &ty);
        assert_eq!(snapshot.user_type_by_oid(array_oid).unwrap().as_ref(), &ty);
        assert!(catalog.allocate_oid() > array_oid);

        catalog.commit(vec![CatalogChange::DropType { oid }]).await.unwrap();
        drop(catalog);
        assert!(Catalog::open(directory.path()).unwrap().snapshot().user_type(&name).is_none());
    }

    #[tokio::test]
    async fn of_two_concurrent_creations_one_wins() {
        let directory = tempfile::tempdir().unwrap();
        let catalog = Catalog::open(directory.path()).unwrap();
        let (first, second) =
            tokio::join!(catalog.commit(vec![create(&catalog, "t")]), catalog.commit(vec![create(&catalog, "t")]));
        assert_eq!([first.is_ok(), second.is_ok()].iter().filter(|ok| **ok).count(), 1);
    }

    /// A store in memory that does as it is told.
    struct Obedient {
        refuse_from_bytes: u64,
        in_doubt: bool,
    }

    impl CommitStore for Obedient {
        fn load(&self, _visit: &mut RecordVisitor<'_>) -> Result<()> {
            Ok(())
        }

        fn commit(&mut self, writes: &[RecordWrite]) -> Result<(), CommitFailure> {
            let failure = || Error::DiskFull { path: "store".into() };
            let bytes: u64 = writes.iter().map(RecordWrite::value_bytes).sum();
            match bytes >= self.refuse_from_bytes {
                true if self.in_doubt => Err(CommitFailure::InDoubt(failure())),
                true => Err(CommitFailure::Refused(failure())),
                false => Ok(()),
            }
        }
    }

    fn large(catalog: &Catalog) -> Vec<CatalogChange> {
        vec![create(catalog, &"x".repeat(5000))]
    }

    #[tokio::test]
    async fn a_large_commit_that_is_refused_does_not_take_the_small_ones_with_it() {
        let store = Obedient { refuse_from_bytes: 5000, in_doubt: false };
        let catalog = Catalog::with_store(Box::new(store), Box::new(end_process)).unwrap();
        for round in 0..20 {
            let [first, second] = [format!("a{round}"), format!("b{round}")];
            let (first, refused, second) = tokio::join!(
                catalog.commit(vec![create(&catalog, &first)]),
                catalog.commit(large(&catalog)),
                catalog.commit(vec![create(&catalog, &second)]),
            );
            assert!(matches!(refused, Err(Error::DiskFull { .. })));
            let newest = first.unwrap().version().max(second.unwrap().version());
            assert_eq!((newest, catalog.snapshot().version()), (2 * (round + 1), 2 * (round + 1)));
        }
    }

    #[tokio::test]
    async fn a_writer_in_doubt_hears_nothing_before_the_process_ends() {
        let store = Obedient { refuse_from_bytes: 5000, in_doubt: true };
        let ended = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let hook = {
            let ended = ended.clone();
            move |_: &Error| {
                std::thread::sleep(std::time::Duration::from_millis(50));
                ended.store(true, Ordering::SeqCst);
            }
        };
        let catalog = Catalog::with_store(Box::new(store), Box::new(hook)).unwrap();
        let answer = catalog.commit(large(&catalog)).await;
        assert!(matches!(answer, Err(Error::ShuttingDown)) && ended.load(Ordering::SeqCst));
        assert_eq!(catalog.snapshot().version(), 0);
    }

    #[test]
    fn a_second_server_is_kept_off_the_directory() {
        let directory = tempfile::tempdir().unwrap();
        let _first = Catalog::open(directory.path()).unwrap();
        let refused = Catalog::open(directory.path()).unwrap_err();
        assert!(matches!(refused, Error::DirectoryInUse { pid: Some(_), .. }), "{refused}");
    }

    #[test]
    #[allow(clippy::disallowed_methods, reason = "damages a file from outside")]
    fn a_flipped_byte_in_a_record_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        drop(Catalog::open(directory.path()).unwrap());
        let path = directory.path().join(STORE_FILE);
        let mut bytes = std::fs::read(&path).unwrap();
        let needle = b"format_version";
        let mut flipped = 0;
        for at in 0..bytes.len() - needle.len() {
            if &bytes[at..at + needle.len()] == needle {
                bytes[at] ^= 1;
                flipped += 1;
            }
        }
        assert!(flipped > 0);
        std::fs::write(&path, bytes).unwrap();
        assert!(matches!(Catalog::open(directory.path()), Err(Error::DamagedStore { .. })));
    }
}
