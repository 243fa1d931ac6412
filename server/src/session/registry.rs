//! Who is connected, and how a cancel request finds its session.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use subtle::ConstantTimeEq;
use tokio_util::sync::CancellationToken;

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

/// A session among the others.
#[derive(Debug)]
pub struct SessionEntry {
    /// What `pg_backend_pid()` says. There is no process behind it.
    pub process_id: i32,
    /// What a cancel request has to know.
    pub secret_key: Bytes,
    /// Is cancelled when the client has gone.
    pub(super) gone: CancellationToken,
    statement: Mutex<CancellationToken>,
}

impl SessionRegistry {
    /// Adds a session.
    pub fn register(&self, long_key: bool) -> Arc<SessionEntry> {
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
        let entry = Arc::new(SessionEntry { process_id, secret_key: secret_key.into(), gone, statement });
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

    /// Cancels every statement.
    pub fn cancel_all(&self) {
        for entry in lock(&self.sessions).values() {
            lock(&entry.statement).cancel();
        }
    }
}

impl SessionEntry {
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
