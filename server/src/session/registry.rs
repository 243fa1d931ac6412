//! Who is connected, and how a cancel request finds its session.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

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
    pub secret_key: i32,
    statement: Mutex<CancellationToken>,
}

impl SessionRegistry {
    /// Adds a session.
    pub fn register(&self) -> Arc<SessionEntry> {
        let mut sessions = lock(&self.sessions);
        // After two thousand million connections the numbers begin again; those in use are left out.
        let process_id = loop {
            let next = self.last_process_id.fetch_add(1, Ordering::Relaxed).wrapping_add(1) & i32::MAX;
            if next != 0 && !sessions.contains_key(&next) {
                break next;
            }
        };
        let entry = Arc::new(SessionEntry { process_id, secret_key: secret_key(), statement: Mutex::default() });
        sessions.insert(process_id, entry.clone());
        entry
    }

    /// Takes a session out.
    pub fn unregister(&self, process_id: i32) {
        lock(&self.sessions).remove(&process_id);
    }

    /// Cancels the statement of a session, if the key is right; otherwise nothing happens and nobody is told.
    pub fn cancel(&self, process_id: i32, secret_key: i32) {
        let entry = lock(&self.sessions).get(&process_id).cloned();
        if let Some(entry) = entry
            && entry.secret_key == secret_key
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

/// A key that cannot be guessed, from the random source that TLS uses.
fn secret_key() -> i32 {
    let mut bytes = [0; 4];
    rustls::crypto::ring::default_provider()
        .secure_random
        .fill(&mut bytes)
        .expect("the operating system has random numbers");
    i32::from_be_bytes(bytes)
}
