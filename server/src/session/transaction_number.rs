//! The numbers of transactions, which clients tell transactions apart by.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pg::session::TransactionNumber;

use crate::session::now_us;

/// The numbers of all sessions' transactions.
#[derive(Debug)]
pub struct TransactionNumbers {
    last: AtomicI64,
}

impl TransactionNumbers {
    /// They begin with the microseconds since 1970: nothing is written of them, and a server that is started again gives
    /// out greater ones all the same.
    pub fn new() -> Arc<Self> {
        Arc::new(TransactionNumbers { last: AtomicI64::new(now_us()) })
    }
}

/// The number of a session's transaction. It has one as soon as it changes something, or is asked for it.
#[derive(Debug)]
pub struct SessionTransactionNumber {
    numbers: Arc<TransactionNumbers>,
    own: Mutex<Option<i64>>,
}

impl SessionTransactionNumber {
    /// Of a session without a transaction.
    pub fn new(numbers: Arc<TransactionNumbers>) -> Self {
        SessionTransactionNumber { numbers, own: Mutex::default() }
    }

    /// The transaction is over.
    pub fn forget(&self) {
        *self.own() = None;
    }

    fn own(&self) -> MutexGuard<'_, Option<i64>> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TransactionNumber for SessionTransactionNumber {
    fn assigned(&self) -> Option<i64> {
        *self.own()
    }

    fn assign(&self) -> i64 {
        *self.own().get_or_insert_with(|| self.numbers.last.fetch_add(1, Ordering::Relaxed) + 1)
    }
}
