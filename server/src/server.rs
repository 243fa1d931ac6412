//! The server: what all sessions share.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use catalog::role::{FIRST_ROLE, PasswordVerifier};
use catalog::vfs::OsVfs;
use catalog::{Catalog, CatalogChange, CatalogSnapshot, DataDirectory, Oid, Role};
use pg::PgError;
use storage::column_cache::ColumnCache;
use storage::external::{FileReading, Footers, Manifests};
use storage::hot::segments::SEGMENTS_DIRECTORY;
use storage::hot::{FileList, KeyIndex, Segments};
use storage::object_stores::ObjectStores;
use storage::page_cache::{PageCache, PageCacheConfig};
use storage::scan::knowledge::Selectivities;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use crate::access::Access;
use crate::access::verifier::Verifier;
use crate::auto_analyze::{self, Tables};
use crate::compaction;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::file_writes;
use crate::lazy::physical_may_fail;
use crate::locks::Locks;
use crate::notifications::Notifications;
use crate::plan::Engine;
use crate::query_log::QueryLog;
use crate::sequences::Sequences;
use crate::session::transaction_number::TransactionNumbers;
use crate::session::{SessionRegistry, now_us};
use crate::system_catalog::SystemRows;
use crate::unix_socket::UnixSocket;
use crate::wire;
use crate::wire::stream::{ClientStream, Peer};

/// The database that is there from the start.
pub const DATABASE: &str = "thermocline";
/// The role that may do everything.
pub const SUPERUSER: &str = FIRST_ROLE;
/// The version of PostgreSQL whose behaviour and catalogs we follow. Bare: drivers parse it as a number.
pub const SERVER_VERSION: &str = "15.4";

/// How long sessions may take to notice that the server stops. Their statements are cancelled, so this is only reached
/// by one that does not yield.
const STOP_PATIENCE: Duration = Duration::from_secs(10);
/// Pause after a failed accept: it fails again at once when file descriptors have run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What all sessions share.
#[derive(Debug)]
pub struct Server {
    /// The settings.
    pub config: Config,
    /// Who may come in.
    pub access: Access,
    /// What exists.
    pub catalog: Arc<Catalog>,
    /// Where external tables are, for who needs no secret; see [`Server::stores_of`].
    pub stores: Arc<ObjectStores>,
    /// The files of hot tables.
    pub segments: Arc<Segments>,
    /// Which rows conditions have left.
    pub selectivities: Arc<Selectivities>,
    /// The rows of system tables, as they were made last.
    pub system_rows: Arc<SystemRows>,
    /// Which rows have which keys.
    pub keys: Arc<KeyIndex>,
    /// What transactions have locked.
    pub locks: Arc<Locks>,
    /// What is sent to sessions that listen.
    pub notifications: Arc<Notifications>,
    /// What runs queries.
    pub engine: Engine,
    /// The numbers of transactions.
    pub transaction_numbers: Arc<TransactionNumbers>,
    /// What has been asked.
    pub query_log: Arc<QueryLog>,
    /// When it started, in microseconds since 1970.
    pub start_us: i64,
    /// The values of sequences.
    pub sequences: Sequences,
    /// Who is connected.
    pub sessions: Arc<SessionRegistry>,
    draining: CancellationToken,
    stopping: CancellationToken,
}

impl Server {
    /// Opens the data directory.
    ///
    /// # Errors
    /// The data directory cannot be used, an external root is not there, or a file that says who may come in is wrong.
    pub fn open(config: Config) -> Result<Arc<Self>> {
        let directory = DataDirectory::take(Arc::new(OsVfs), &config.data_dir)?;
        // While the catalog is read, too.
        let segments = config.data_dir.join(SEGMENTS_DIRECTORY);
        let files = std::thread::spawn(move || FileList::read(&OsVfs, &segments));
        let catalog = Arc::new(Catalog::open_in(directory)?);
        let files = files.join().map_err(|_| PgError::internal("files could not be listed"))?;
        let access = Access::open(config.access.clone(), &config.data_dir)?;
        let segments = open_segments(&catalog, &config, files)?;
        let stores = Arc::new(ObjectStores::new(config.stores.clone())?);
        let spill = config.data_dir.join("tmp");
        clear_directory(&spill)?;
        let footers = Arc::new(Footers::new(config.footer_cache_bytes as u64));
        let memory_bytes = config.memory_limit_bytes - config.cache_bytes();
        let columns = segments.column_cache().clone();
        let manifests = open_manifests(&catalog, &config)?;
        let pages = page_cache(&config);
        let (manifests, may_fail) = (Some(manifests), physical_may_fail);
        let reading = FileReading { columns, samples: Arc::default(), footers, pages, manifests, may_fail, now_us };
        let engine = Engine::new(memory_bytes, &spill, reading)?;
        info!(
            data_dir = %config.data_dir.display(),
            memory_limit_bytes = config.memory_limit_bytes,
            "data directory opened"
        );
        let sessions = Arc::<SessionRegistry>::default();
        let (draining, stopping) = (CancellationToken::new(), CancellationToken::new());
        let keys = Arc::new(KeyIndex::new(segments.clone()));
        let notifications = Arc::new(Notifications::new(engine.reserve("notifications")));
        let (locks, sequences) = (Arc::default(), Sequences::default());
        Ok(Arc::new(Server {
            config,
            access,
            catalog,
            stores,
            segments,
            selectivities: Arc::default(),
            system_rows: Arc::default(),
            keys,
            locks,
            notifications,
            engine,
            transaction_numbers: TransactionNumbers::new(),
            start_us: now_us(),
            query_log: Arc::default(),
            sequences,
            sessions,
            draining,
            stopping,
        }))
    }

    /// The stores for a statement that sees this snapshot: its secrets open them.
    pub fn stores_of(&self, snapshot: &CatalogSnapshot) -> Arc<ObjectStores> {
        match snapshot.secrets() {
            secrets if secrets.is_empty() => self.stores.clone(),
            secrets => Arc::new(self.stores.with_secrets(secrets.clone())),
        }
    }

    /// Gives the first role its password, if it has none and the settings have one.
    ///
    /// # Errors
    /// It cannot be committed.
    pub async fn set_first_password(&self) -> Result<()> {
        let snapshot = self.catalog.snapshot();
        let (Some(password), Some(old)) = (&self.config.first_password, snapshot.role(FIRST_ROLE)) else {
            return Ok(());
        };
        if old.password.is_some() || password.reveal().is_empty() {
            return Ok(());
        }
        let verifier = PasswordVerifier(Verifier::scram(password.reveal()).to_string());
        let new = Arc::new(Role { password: Some(verifier), ..old.as_ref().clone() });
        self.catalog.commit(vec![CatalogChange::ReplaceRole { old: old.clone(), new }]).await?;
        info!(role = FIRST_ROLE, "the first role has a password");
        Ok(())
    }

    /// Serves clients until [`stop`](Self::stop) is called, then lets the sessions end.
    pub async fn serve(self: &Arc<Self>, listener: TcpListener, unix: Option<UnixSocket>) {
        let compacting = tokio::spawn(compaction::run(Arc::downgrade(self), self.stopping.clone()));
        let interrupted = file_writes::interrupted(&self.catalog);
        tokio::spawn(file_writes::give_up_interrupted(
            self.catalog.clone(),
            self.stores_of(&self.catalog.snapshot()),
            interrupted,
        ));
        let analyze = |tables| tokio::spawn(auto_analyze::run(tables, Arc::downgrade(self), self.stopping.clone()));
        let (analyzing, looking) = (analyze(Tables::Hot), analyze(Tables::External));
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                () = self.draining.cancelled() => break,
                accepted = accept(&listener, unix.as_ref()) => match accepted {
                    Ok((stream, peer)) => {
                        connections.spawn(connection(self.clone(), stream, peer));
                    }
                    Err(error) => {
                        warn!(error = %error, "could not accept a connection");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
                // Finished connections are taken out as they end.
                Some(_) = connections.join_next() => {}
            }
        }
        drop((listener, unix));
        self.end_sessions(connections).await;
        for (work, ended) in
            [("compaction", compacting.await), ("analyzing", analyzing.await), ("looking", looking.await)]
        {
            if let Err(error) = ended {
                warn!(work, %error, "work in the background did not end well");
            }
        }
        if let Some(pages) = &self.engine.reading().pages {
            pages.close().await;
        }
        self.catalog.close();
    }

    /// Sessions end when their transactions do, but are not waited for for ever.
    async fn end_sessions(&self, mut connections: JoinSet<()>) {
        let ended = async { while connections.join_next().await.is_some() {} };
        tokio::select! {
            () = ended => {}
            () = self.stopping.cancelled() => {}
            () = tokio::time::sleep(self.config.shutdown_timeout) => info!("statements that still run are cancelled"),
        }
        self.stopping.cancel();
        self.sessions.cancel_all();
        let ended = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(STOP_PATIENCE, ended).await.is_err() {
            warn!("sessions did not end in time");
        }
    }

    /// Makes [`serve`](Self::serve) end, once what is running has ended. When it is called again, that is cancelled.
    pub fn stop(&self) {
        if self.draining.is_cancelled() {
            self.stopping.cancel();
            self.sessions.cancel_all();
        }
        self.draining.cancel();
    }

    /// Is cancelled when nobody is let in any more.
    pub fn draining(&self) -> &CancellationToken {
        &self.draining
    }

    /// Is cancelled when what still runs is to end.
    pub fn stopping(&self) -> &CancellationToken {
        &self.stopping
    }
}

async fn accept(listener: &TcpListener, unix: Option<&UnixSocket>) -> std::io::Result<(ClientStream, Peer)> {
    let accept_unix = async {
        match unix {
            Some(unix) => unix.listener.accept().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        accepted = listener.accept() => accepted.map(|(socket, address)| (ClientStream::Tcp(socket), Peer::Tcp(address))),
        accepted = accept_unix => accepted.map(|(socket, _)| (ClientStream::Unix(socket), Peer::Unix)),
    }
}

async fn connection(server: Arc<Server>, stream: ClientStream, peer: Peer) {
    match wire::serve(server, stream, peer).await {
        Ok(()) => debug!(%peer, "connection ended"),
        Err(error) => debug!(%peer, error = %error, "connection lost"),
    }
}

/// Rows that were written may not be durable, and asking again would not tell: the process ends before anybody is answered.
fn end_process(error: &std::io::Error) {
    error!(%error, "a segment could not be made durable, the server ends");
    std::process::exit(catalog::EXIT_CODE_STORE_FAILED);
}

/// The folder of the data directory for what is known of the files of external tables.
const MANIFESTS_DIRECTORY: &str = "manifests";
/// The folder of the page cache.
const PAGES_DIRECTORY: &str = "pages";
/// The part of the free disk that the page cache may take when the settings do not say.
const PAGE_DISK_ONE_IN: u64 = 10;
/// The most of it.
const PAGE_DISK_BYTES_MAX: u64 = 16 << 30;

/// Opens what is known of the files of external tables.
fn open_manifests(catalog: &Catalog, config: &Config) -> Result<Arc<Manifests>> {
    let directory = config.data_dir.join(MANIFESTS_DIRECTORY);
    let snapshot = catalog.snapshot();
    let exists = |table: u32| snapshot.relation_by_oid(Oid(table)).is_some();
    let manifests = Manifests::open(Arc::new(OsVfs), directory.clone(), exists).map_err(|source| {
        let path = directory.display().to_string();
        Error::Catalog(catalog::Error::File { action: "open directory", path, source })
    })?;
    Ok(Arc::new(manifests))
}

/// Where bytes of files in object stores are kept; none when the settings want none. It takes a part of the disk that leaves
/// room for the hot tables, which are on it, too.
fn page_cache(config: &Config) -> Option<Arc<PageCache>> {
    let disk_bytes = config.page_disk_bytes.map_or_else(
        || free_bytes(&config.data_dir).map_or(0, |free| PAGE_DISK_BYTES_MAX.min(free / PAGE_DISK_ONE_IN)),
        |given| given as u64,
    );
    let directory = config.data_dir.join(PAGES_DIRECTORY);
    let memory_bytes = config.page_memory_bytes as u64;
    (memory_bytes > 0).then(|| Arc::new(PageCache::new(PageCacheConfig { directory, memory_bytes, disk_bytes })))
}

/// Bytes that a file system has free for everybody.
fn free_bytes(directory: &Path) -> Option<u64> {
    let statistics = rustix::fs::statvfs(directory).ok()?;
    Some(statistics.f_bavail * statistics.f_frsize)
}

/// Opens the files of hot tables, and removes those that nothing refers to: at the start what a crash has left, later
/// what is not needed any more.
fn open_segments(catalog: &Catalog, config: &Config, files: std::io::Result<FileList>) -> Result<Arc<Segments>> {
    let directory = config.data_dir.join(SEGMENTS_DIRECTORY);
    let columns = Arc::new(ColumnCache::new(config.column_cache_bytes as u64));
    let segments = Segments::new(Arc::new(OsVfs), directory.clone(), catalog.garbage(), columns, end_process);
    let segments = Arc::new(segments);
    let file_error = |source| {
        let path = directory.display().to_string();
        Error::Catalog(catalog::Error::File { action: "clear directory", path, source })
    };
    let snapshot = catalog.snapshot();
    let removed = files.and_then(|it| segments.remove_orphans(it, &snapshot.segment_files(), &snapshot.key_indexes()));
    removed.map_err(file_error)?;
    if let Some(garbage) = catalog.take_garbage() {
        let segments = Arc::downgrade(&segments);
        let remove = move || {
            while let (Ok(file), Some(segments)) = (garbage.recv(), segments.upgrade()) {
                segments.remove(&file);
            }
        };
        std::thread::Builder::new().name("garbage".into()).spawn(remove).map_err(file_error)?;
    }
    Ok(segments)
}

/// Makes an empty directory: what an earlier process spilled is of no use.
fn clear_directory(directory: &Path) -> Result<()> {
    let removed = match std::fs::remove_dir_all(directory) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other,
    };
    removed.and_then(|()| std::fs::create_dir_all(directory)).map_err(|source| {
        let path = directory.display().to_string();
        Error::Catalog(catalog::Error::File { action: "clear directory", path, source })
    })
}
