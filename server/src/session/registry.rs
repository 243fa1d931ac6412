//! Who is connected, and how a cancel request finds its session.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use catalog::Oid;
use pg::PgError;
use pg::session::{OtherSessions, Signal};
use pg::sqlstate::SqlState;
use subtle::ConstantTimeEq;
use tokio_util::sync::CancellationToken;

use super::activity::{Activity, Origin};
use crate::access::random_bytes;

/// Bytes of a cancel key of protocol 3.2, as in PostgreSQL 18.
const LONG_KEY_BYTES: usize = 32;
/// Bytes of one of protocol 3.0.
const KEY_BYTES: usize = 4;

/// The sessions of the server, by process number.
#[derive(Debug, Default)]
pub struct SessionRegistry {
    sessions: Mutex<HashMap<i32, Arc<SessionEntry>>>,
    last_process_id: AtomicI32,
}

/// The sessions, as those of one role may reach them.
#[derive(Debug)]
pub struct ReachableSessions {
    /// All of them.
    pub sessions: Arc<SessionRegistry>,
    /// The role.
    pub role: Oid,
    /// Whether it is a superuser.
    pub is_superuser: bool,
}

impl OtherSessions for ReachableSessions {
    fn signal(&self, process_id: i32, signal: Signal) -> Result<bool, PgError> {
        self.sessions.signal(process_id, signal, self.role, self.is_superuser)
    }
}

/// A session among the others.
#[derive(Debug)]
pub struct SessionEntry {
    /// What `pg_backend_pid()` says. There is no process behind it.
    pub process_id: i32,
    /// What a cancel request has to know.
    pub secret_key: Bytes,
    /// Whose session it is.
    pub origin: Origin,
    activity: Mutex<Activity>,
    /// Is cancelled when the session is to end, or the server.
    pub(crate) ending: CancellationToken,
    /// Is cancelled when the client has gone.
    pub(super) gone: CancellationToken,
    statement: Mutex<CancellationToken>,
}

impl SessionRegistry {
    /// Adds a session, which ends when `ending` says so.
    pub fn register(&self, long_key: bool, origin: Origin, ending: CancellationToken) -> Arc<SessionEntry> {
        let mut sessions = lock(&self.sessions);
        // After two thousand million connections the numbers begin again; those in use are left out.
        let process_id = loop {
            let next = self.last_process_id.fetch_add(1, Ordering::Relaxed).wrapping_add(1) & i32::MAX;
            if next != 0 && !sessions.contains_key(&next) {
                break next;
            }
        };
        let secret_key = match long_key {
            true => random_bytes::<LONG_KEY_BYTES>().to_vec(),
            false => random_bytes::<KEY_BYTES>().to_vec(),
        };
        let (gone, statement) = (CancellationToken::new(), Mutex::default());
        let (secret_key, activity) = (secret_key.into(), Mutex::default());
        let entry = SessionEntry { process_id, secret_key, origin, activity, ending, gone, statement };
        let entry = Arc::new(entry);
        sessions.insert(process_id, entry.clone());
        entry
    }

    /// Takes a session out.
    pub fn unregister(&self, process_id: i32) {
        lock(&self.sessions).remove(&process_id);
    }

    /// Cancels the statement of a session, if the key is right; otherwise nothing happens and nobody is told.
    pub fn cancel(&self, process_id: i32, secret_key: &[u8]) {
        let entry = lock(&self.sessions).get(&process_id).cloned();
        if let Some(entry) = entry
            && bool::from(entry.secret_key.ct_eq(secret_key))
        {
            lock(&entry.statement).cancel();
        }
    }

    /// Cancels the statement of a session, or ends the session, for one who may do that.
    ///
    /// # Errors
    /// 42501 when the asking role is not a superuser and it is another role's session.
    pub fn signal(&self, process_id: i32, signal: Signal, role: Oid, is_superuser: bool) -> Result<bool, PgError> {
        let Some(entry) = lock(&self.sessions).get(&process_id).cloned() else { return Ok(false) };
        if !is_superuser && entry.origin.role != role {
            let what = match signal {
                Signal::Cancel => "query is being canceled",
                Signal::Terminate => "process is being terminated",
            };
            let message = format!("must be a member of the role whose {what} or member of pg_signal_backend");
            return Err(PgError::new(SqlState::INSUFFICIENT_PRIVILEGE, message));
        }
        match signal {
            Signal::Cancel => lock(&entry.statement).cancel(),
            Signal::Terminate => entry.ending.cancel(),
        }
        Ok(true)
    }

    /// All sessions, by process number.
    pub fn all(&self) -> Vec<Arc<SessionEntry>> {
        let mut all: Vec<_> = lock(&self.sessions).values().cloned().collect();
        all.sort_by_key(|entry| entry.process_id);
        all
    }

    /// Cancels every statement.
    pub fn cancel_all(&self) {
        for entry in lock(&self.sessions).values() {
            lock(&entry.statement).cancel();
        }
    }
}

impl SessionEntry {
    /// What it is doing.
    pub fn activity(&self) -> Activity {
        lock(&self.activity).clone()
    }

    /// Says what it is doing.
    pub(crate) fn note(&self, note: impl FnOnce(&mut Activity)) {
        note(&mut lock(&self.activity));
    }

    /// The client has gone: what its session does is of no use to anybody.
    pub fn leave(&self) {
        self.gone.cancel();
    }

    /// A new token for a new statement: an earlier request to cancel does not reach it.
    pub(super) fn begin_statement(&self) -> CancellationToken {
        let token = CancellationToken::new();
        *lock(&self.statement) = token.clone();
        token
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
