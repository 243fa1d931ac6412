//! The catalog: the current snapshot, and the only way to the next one.
//!
//! One thread commits. It takes all requests that wait, applies each to what the ones before it left, writes them in one
//! transaction of the store, and answers when that is durable: many writers share one flush. A snapshot becomes visible
//! after it is durable and before its writer is answered.

use std::fs::{self, File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot};
use tracing::{error, info};

use crate::change::CatalogChange;
use crate::error::{Error, Result};
use crate::name::Oid;
use crate::snapshot::CatalogSnapshot;
use crate::store::{CommitStore, RecordKey, RedbStore, record};

/// Requests that may wait for the commit thread; a writer beyond them waits to be let in.
const COMMIT_QUEUE_MAX: usize = 1024;
/// Requests that share one flush: it bounds what is lost to every one of them when the store fails.
const COMMIT_GROUP_MAX: usize = 256;
/// The process ends with this code when a commit could not be made durable (`EX_IOERR`).
const EXIT_CODE_STORE_FAILED: i32 = 74;

const STORE_FILE: &str = "catalog.redb";
const LOCK_FILE: &str = "LOCK";

/// The current snapshot, and the only way to the next one.
#[derive(Debug)]
pub struct Catalog {
    current: Arc<RwLock<Arc<CatalogSnapshot>>>,
    next_oid: AtomicU32,
    requests: Mutex<Option<mpsc::Sender<CommitRequest>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// Held, never read: the lock on the data directory ends with the file.
    _lock: Option<File>,
}

#[derive(Debug)]
struct CommitRequest {
    changes: Vec<CatalogChange>,
    reply: oneshot::Sender<Result<Arc<CatalogSnapshot>>>,
}

impl Catalog {
    /// Opens the catalog in a data directory, which is made if it is not there.
    ///
    /// # Errors
    /// The directory cannot be made, is in use by another server, or holds something this version cannot read.
    pub fn open(directory: &Path) -> Result<Self> {
        let made = missing_ancestors(directory);
        create_directory(directory)?;
        // A directory's name is in the one above it.
        for made in made {
            sync_directory(made.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new(".")))?;
        }
        // Before anything is read: what another server is about to write would be read half.
        let lock = lock_directory(directory)?;
        let store = RedbStore::open(&directory.join(STORE_FILE))?;
        // The store flushes its file, but a new file's name is in the directory.
        sync_directory(directory)?;
        let mut catalog = Self::with_store(Box::new(store))?;
        catalog._lock = Some(lock);
        Ok(catalog)
    }

    /// A catalog over any commit store.
    ///
    /// # Errors
    /// The store cannot be read, or a new one not be written.
    pub fn with_store(mut store: Box<dyn CommitStore>) -> Result<Self> {
        let snapshot = match record::read_snapshot(store.as_ref())? {
            Some(snapshot) => snapshot,
            None => initialise(store.as_mut())?,
        };
        info!(version = snapshot.version(), "catalog opened");
        let next_oid = AtomicU32::new(snapshot.next_oid.0);
        let current = Arc::new(RwLock::new(Arc::new(snapshot)));
        let (requests, queue) = mpsc::channel(COMMIT_QUEUE_MAX);
        let thread = std::thread::Builder::new().name("commit".into()).spawn({
            let current = current.clone();
            move || run_commits(queue, store, &current)
        });
        let thread =
            thread.map_err(|source| file_error("start the commit thread of", Path::new(STORE_FILE), source))?;
        Ok(Catalog {
            current,
            next_oid,
            requests: Mutex::new(Some(requests)),
            thread: Mutex::new(Some(thread)),
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

    /// Applies the changes, all or none, and returns the snapshot that has them once they are durable.
    ///
    /// # Errors
    /// A change that does not fit what others have committed. When the store itself fails, the process ends: whether the
    /// commit will be there after a restart is unknown, and any answer could be wrong.
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
    let schemas: Vec<_> = snapshot.schemas().map(|schema| RecordKey::Schema(schema.oid)).collect();
    store.commit(&record::writes(&snapshot, &schemas))?;
    Ok(snapshot)
}

fn run_commits(
    mut queue: mpsc::Receiver<CommitRequest>,
    mut store: Box<dyn CommitStore>,
    current: &RwLock<Arc<CatalogSnapshot>>,
) {
    while let Some(first) = queue.blocking_recv() {
        let mut group = vec![first];
        while group.len() < COMMIT_GROUP_MAX
            && let Ok(request) = queue.try_recv()
        {
            group.push(request);
        }
        commit_group(group, store.as_mut(), current);
    }
}

fn commit_group(group: Vec<CommitRequest>, store: &mut dyn CommitStore, current: &RwLock<Arc<CatalogSnapshot>>) {
    let mut draft = current.read().unwrap_or_else(PoisonError::into_inner).clone();
    let mut touched = Vec::new();
    let mut accepted = Vec::new();
    for request in group {
        match draft.after_touching(&request.changes, &mut touched) {
            Ok(next) => {
                draft = Arc::new(next);
                accepted.push((request.reply, draft.clone()));
            }
            // Records it touched before it failed are written as the draft has them: unchanged.
            Err(error) => answer(request.reply, Err(error)),
        }
    }
    if accepted.is_empty() {
        return;
    }
    if let Err(error) = store.commit(&record::writes(&draft, &touched)) {
        error!(error = %error, "a commit could not be made durable, the server ends");
        std::process::exit(EXIT_CODE_STORE_FAILED);
    }
    *current.write().unwrap_or_else(PoisonError::into_inner) = draft;
    for (reply, snapshot) in accepted {
        answer(reply, Ok(snapshot));
    }
}

/// A writer that does not wait any more has lost its connection; its commit stands.
fn answer(reply: oneshot::Sender<Result<Arc<CatalogSnapshot>>>, result: Result<Arc<CatalogSnapshot>>) {
    drop(reply.send(result));
}

fn file_error(action: &'static str, path: &Path, source: std::io::Error) -> Error {
    Error::File { action, path: path.display().to_string(), source }
}

#[cfg(unix)]
fn create_directory(directory: &Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    // Tables are nobody else's business: as PostgreSQL, the owner alone may enter.
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(directory);
    made.map_err(|source| file_error("create directory", directory, source))
}

#[cfg(not(unix))]
fn create_directory(directory: &Path) -> Result<()> {
    fs::create_dir_all(directory).map_err(|source| file_error("create directory", directory, source))
}

/// The directory and those above it that are not there yet.
fn missing_ancestors(directory: &Path) -> Vec<PathBuf> {
    let missing = directory.ancestors().take_while(|it| !it.as_os_str().is_empty() && !it.exists());
    missing.map(Path::to_path_buf).collect()
}

fn sync_directory(directory: &Path) -> Result<()> {
    let synced = File::open(directory).and_then(|file| file.sync_all());
    synced.map_err(|source| file_error("flush directory", directory, source))
}

/// Takes the lock that keeps a second server off the directory, and leaves our process number in it for the message
/// that the second one prints.
fn lock_directory(directory: &Path) -> Result<File> {
    let path = directory.join(LOCK_FILE);
    let opened = File::options().read(true).write(true).create(true).truncate(false).open(&path);
    let mut file = opened.map_err(|source| file_error("open", &path, source))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut owner = String::new();
            let pid = file.read_to_string(&mut owner).ok().and_then(|_| owner.trim().parse().ok());
            return Err(Error::DirectoryInUse { directory: directory.display().to_string(), pid });
        }
        Err(TryLockError::Error(source)) => return Err(file_error("lock", &path, source)),
    }
    let written = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| writeln!(file, "{}", std::process::id()));
    written.map_err(|source| file_error("write", &path, source))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hot_table::{Column, HotTable};
    use crate::name::ObjectName;
    use crate::types::SqlType;
    use bytes::Bytes;

    fn create(catalog: &Catalog, name: &str) -> CatalogChange {
        let column = Column { attribute_number: 1, name: "id".into(), sql_type: SqlType::Integer, not_null: false };
        CatalogChange::CreateHotTable(HotTable {
            oid: catalog.allocate_oid(),
            name: ObjectName::new("public", name),
            columns: vec![column],
            options: vec![],
        })
    }

    #[tokio::test]
    async fn what_was_committed_is_there_after_reopening() {
        let directory = tempfile::tempdir().unwrap();
        let name = ObjectName::new("public", "t");
        let catalog = Catalog::open(directory.path()).unwrap();
        let created = catalog.commit(vec![create(&catalog, "t")]).await.unwrap();
        let oid = created.relation(&name).unwrap().oid();
        let rows = CatalogChange::AppendRows { table: oid, rows: 2, bytes: Bytes::from_static(b"rows") };
        catalog.commit(vec![rows]).await.unwrap();
        drop(catalog);

        let catalog = Catalog::open(directory.path()).unwrap();
        let snapshot = catalog.snapshot();
        assert_eq!(snapshot.version(), 2);
        assert_eq!(snapshot.relation(&name).unwrap().oid(), oid);
        let chunks = snapshot.chunks(oid);
        assert_eq!(chunks.iter().map(|chunk| chunk.bytes().as_ref()).collect::<Vec<_>>(), [b"rows"]);
        assert!(catalog.allocate_oid() > oid);

        catalog.commit(vec![CatalogChange::DropRelation { oid }]).await.unwrap();
        drop(catalog);
        let snapshot = Catalog::open(directory.path()).unwrap().snapshot();
        assert!(snapshot.relation(&name).is_none());
        assert_eq!(snapshot.chunks(oid).rows(), 0);
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

    #[test]
    fn a_second_server_is_kept_off_the_directory() {
        let directory = tempfile::tempdir().unwrap();
        let _first = Catalog::open(directory.path()).unwrap();
        let refused = Catalog::open(directory.path()).unwrap_err();
        assert!(matches!(refused, Error::DirectoryInUse { pid: Some(_), .. }), "{refused}");
    }

    #[test]
    fn a_flipped_byte_in_a_record_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        drop(Catalog::open(directory.path()).unwrap());
        let path = directory.path().join(STORE_FILE);
        let mut bytes = fs::read(&path).unwrap();
        let needle = b"format_version";
        let mut flipped = 0;
        for at in 0..bytes.len() - needle.len() {
            if &bytes[at..at + needle.len()] == needle {
                bytes[at] ^= 1;
                flipped += 1;
            }
        }
        assert!(flipped > 0);
        fs::write(&path, bytes).unwrap();
        assert!(matches!(Catalog::open(directory.path()), Err(Error::Corrupted { .. })));
    }
}
