//! What ends a statement early: a cancel request, its time limit, the end of its client or of the server.

use std::future::Future;
use std::time::Duration;

use pg::Interrupt;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::error::{Error, Result};
use crate::session::registry::SessionEntry;

/// Watches over one statement. It travels inside the stream of rows, so that a statement can be ended as long as it sends
/// rows, not only until it has the first.
#[derive(Debug, Clone)]
pub struct StatementGuard {
    cancelled: CancellationToken,
    gone: CancellationToken,
    ending: CancellationToken,
    deadline: Option<Instant>,
    interrupt: Interrupt,
}

impl StatementGuard {
    /// A guard that a cancel request for `entry` reaches from now on.
    pub fn new(entry: &SessionEntry, timeout: Option<Duration>) -> Self {
        StatementGuard {
            cancelled: entry.begin_statement(),
            gone: entry.gone.clone(),
            ending: entry.ending.clone(),
            deadline: timeout.map(|timeout| Instant::now() + timeout),
            interrupt: Interrupt::default(),
        }
    }

    /// What is set when the statement is ended, for those whom nobody else can stop.
    pub fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    /// The outcome of `work`, or why it was ended. What is to stand once it has begun, a commit, must not be given here.
    ///
    /// # Errors
    /// 57014 or 57P01 when it was ended.
    pub async fn run<T>(&self, work: impl Future<Output = T>) -> Result<T> {
        let ended = tokio::select! {
            biased;
            () = self.ending.cancelled() => Error::AdminShutdown,
            () = self.cancelled.cancelled() => Error::Cancelled,
            () = self.gone.cancelled() => Error::Cancelled,
            () = reached(self.deadline) => Error::StatementTimeout,
            outcome = work => return Ok(outcome),
        };
        self.interrupt.set();
        Err(ended)
    }
}

/// Waits until then; without a deadline, for ever.
pub async fn reached(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
