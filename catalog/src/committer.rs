//! The thread that commits: it makes each snapshot of the one before it, and makes it durable before anybody sees it.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::{Arc, PoisonError, RwLock, Weak};

use tokio::sync::{mpsc, oneshot};

use crate::change::CatalogChange;
use crate::error::{Error, Result};
use crate::snapshot::CatalogSnapshot;
use crate::store::{CommitFailure, CommitStore, Touched, record};

/// Requests that share one flush: it bounds what is lost to every one of them when the store fails.
const COMMIT_GROUP_MAX: usize = 256;

/// Changes that somebody waits for.
#[derive(Debug)]
pub(crate) struct CommitRequest {
    /// The changes, all or none.
    pub(crate) changes: Vec<CatalogChange>,
    /// Where the answer goes.
    pub(crate) reply: oneshot::Sender<Result<Arc<CatalogSnapshot>>>,
}

/// Nobody knows whether a commit is durable.
pub(crate) struct InDoubt {
    /// What went wrong.
    pub(crate) error: Error,
    /// Held, never answered: dropping a request tells its writer that nothing was committed.
    _waiting: Vec<CommitRequest>,
}

/// The one that commits.
pub(crate) struct Committer {
    store: Box<dyn CommitStore>,
    current: Arc<RwLock<Arc<CatalogSnapshot>>>,
    /// The snapshots that were current, oldest first, as long as somebody has them.
    known: VecDeque<(u64, Weak<CatalogSnapshot>)>,
}

impl Committer {
    /// Commits into `store`, whose state is the `current` snapshot.
    pub(crate) fn new(store: Box<dyn CommitStore>, current: Arc<RwLock<Arc<CatalogSnapshot>>>) -> Self {
        let mut committer = Committer { store, current, known: VecDeque::new() };
        committer.remember(&committer.snapshot());
        committer
    }

    /// Commits what is asked for until nobody is left to ask, or a commit is in doubt.
    pub(crate) fn run(mut self, mut queue: mpsc::Receiver<CommitRequest>) -> ControlFlow<InDoubt> {
        while let Some(first) = queue.blocking_recv() {
            let mut group = vec![first];
            while group.len() < COMMIT_GROUP_MAX
                && let Ok(request) = queue.try_recv()
            {
                group.push(request);
            }
            self.commit_group(group)?;
        }
        ControlFlow::Continue(())
    }

    fn snapshot(&self) -> Arc<CatalogSnapshot> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn commit_group(&mut self, group: Vec<CommitRequest>) -> ControlFlow<InDoubt> {
        let mut draft = self.snapshot();
        self.forget_moved(&mut draft);
        let mut touched = Touched::default();
        let mut accepted = Vec::new();
        for request in group {
            let mark = touched.mark();
            match draft.after_touching(&request.changes, &mut touched) {
                Ok(next) => {
                    draft = Arc::new(next);
                    accepted.push(request);
                }
                Err(error) => {
                    touched.reset(mark);
                    answer(request.reply, Err(error));
                }
            }
        }
        if accepted.is_empty() {
            return ControlFlow::Continue(());
        }
        let written = record::writes(&draft, &touched).map_err(CommitFailure::Refused);
        match written.and_then(|writes| self.store.commit(&writes)) {
            Ok(()) => {
                touched.committed();
                self.remember(&draft);
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = draft.clone();
                for request in accepted {
                    answer(request.reply, Ok(draft.clone()));
                }
                ControlFlow::Continue(())
            }
            Err(CommitFailure::Refused(error)) => self.refuse_group(accepted, error),
            Err(CommitFailure::InDoubt(error)) => ControlFlow::Break(InDoubt { error, _waiting: accepted }),
        }
    }

    /// A group was refused. Each of several tries again alone: one large commit must not take the small ones with it.
    fn refuse_group(&mut self, mut refused: Vec<CommitRequest>, error: Error) -> ControlFlow<InDoubt> {
        if refused.len() == 1
            && let Some(request) = refused.pop()
        {
            answer(request.reply, Err(error));
        }
        for request in refused {
            self.commit_group(vec![request])?;
        }
        ControlFlow::Continue(())
    }

    fn remember(&mut self, snapshot: &Arc<CatalogSnapshot>) {
        self.known.push_back((snapshot.version(), Arc::downgrade(snapshot)));
    }

    /// Old addresses of moved rows are good as long as there is a snapshot from before the move.
    fn forget_moved(&mut self, draft: &mut Arc<CatalogSnapshot>) {
        while self.known.front().is_some_and(|(_, snapshot)| snapshot.strong_count() == 0) {
            self.known.pop_front();
        }
        if let (Some((oldest, _)), false) = (self.known.front(), draft.moved.is_empty()) {
            Arc::make_mut(draft).forget_moved(*oldest);
        }
    }
}

/// A writer that does not wait any more has lost its connection; its commit stands.
fn answer(reply: oneshot::Sender<Result<Arc<CatalogSnapshot>>>, result: Result<Arc<CatalogSnapshot>>) {
    drop(reply.send(result));
}
