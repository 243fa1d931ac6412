//! The server: what all sessions share.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use catalog::Catalog;
use catalog::vfs::OsVfs;
use storage::column_cache::ColumnCache;
use storage::hot::segments::SEGMENTS_DIRECTORY;
use storage::hot::{KeyIndex, Segments};
use storage::object_stores::ObjectStores;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use crate::compaction;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::locks::Locks;
use crate::plan::Engine;
use crate::sequences::Sequences;
use crate::session::SessionRegistry;
use crate::wire;

/// The database that is there from the start.
pub const DATABASE: &str = "thermocline";
/// The role that may do everything.
pub const SUPERUSER: &str = "thermocline";
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
    /// What exists.
    pub catalog: Arc<Catalog>,
    /// Where external tables are.
    pub stores: Arc<ObjectStores>,
    /// The files of hot tables.
    pub segments: Arc<Segments>,
    /// Which rows have which keys.
    pub keys: Arc<KeyIndex>,
    /// What transactions have locked.
    pub locks: Arc<Locks>,
    /// What runs queries.
    pub engine: Engine,
    /// The values of sequences.
    pub sequences: Sequences,
    /// Who is connected.
    pub sessions: SessionRegistry,
    stopping: CancellationToken,
}

impl Server {
    /// Opens the data directory.
    ///
    /// # Errors
    /// The data directory cannot be used, or an external root is not there.
    pub fn open(config: Config) -> Result<Arc<Self>> {
        let catalog = Arc::new(Catalog::open(&config.data_dir)?);
        let segments = open_segments(&catalog, &config)?;
        let stores = Arc::new(ObjectStores::new(config.stores.clone())?);
        let spill = config.data_dir.join("tmp");
        clear_directory(&spill)?;
        let engine = Engine::new(config.memory_limit_bytes - config.column_cache_bytes, &spill, stores.clone())?;
        info!(
            data_dir = %config.data_dir.display(),
            memory_limit_bytes = config.memory_limit_bytes,
            "data directory opened"
        );
        let sessions = SessionRegistry::default();
        let stopping = CancellationToken::new();
        let keys = Arc::new(KeyIndex::new(segments.clone()));
        let (locks, sequences) = (Arc::default(), Sequences::default());
        Ok(Arc::new(Server { config, catalog, stores, segments, keys, locks, engine, sequences, sessions, stopping }))
    }

    /// Serves clients until [`stop`](Self::stop) is called, then lets the sessions end.
    pub async fn serve(self: &Arc<Self>, listener: TcpListener) {
        let compacting = tokio::spawn(compaction::run(Arc::downgrade(self), self.stopping.clone()));
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                () = self.stopping.cancelled() => break,
                accepted = listener.accept() => match accepted {
                    Ok((socket, address)) => {
                        connections.spawn(connection(self.clone(), socket, address));
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
        drop(listener);
        let ended = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(STOP_PATIENCE, ended).await.is_err() {
            warn!("sessions did not end in time");
        }
        if let Err(error) = compacting.await {
            warn!(%error, "compaction did not end well");
        }
        self.catalog.close();
    }

    /// Makes [`serve`](Self::serve) end.
    pub fn stop(&self) {
        self.stopping.cancel();
        self.sessions.cancel_all();
    }

    /// Is cancelled when the server stops.
    pub fn stopping(&self) -> &CancellationToken {
        &self.stopping
    }
}

async fn connection(server: Arc<Server>, socket: TcpStream, address: SocketAddr) {
    match wire::serve(server, socket, address).await {
        Ok(()) => debug!(%address, "connection ended"),
        Err(error) => debug!(%address, error = %error, "connection lost"),
    }
}

/// Rows that were written may not be durable, and asking again would not tell: the process ends before anybody is answered.
fn end_process(error: &std::io::Error) {
    error!(%error, "a segment could not be made durable, the server ends");
    std::process::exit(catalog::EXIT_CODE_STORE_FAILED);
}

/// Opens the files of hot tables, and removes those that nothing refers to: at the start what a crash has left, later
/// what is not needed any more.
fn open_segments(catalog: &Catalog, config: &Config) -> Result<Arc<Segments>> {
    let directory = config.data_dir.join(SEGMENTS_DIRECTORY);
    let columns = Arc::new(ColumnCache::new(config.column_cache_bytes as u64));
    let segments = Segments::new(Arc::new(OsVfs), directory.clone(), catalog.garbage(), columns, end_process);
    let segments = Arc::new(segments);
    let file_error = |source| {
        let path = directory.display().to_string();
        Error::Catalog(catalog::Error::File { action: "clear directory", path, source })
    };
    let snapshot = catalog.snapshot();
    segments.remove_orphans(&snapshot.segment_files(), &snapshot.key_indexes()).map_err(file_error)?;
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
