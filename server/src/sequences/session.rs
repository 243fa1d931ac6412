//! Sequences as a session sees them: the values that it was given last, and those of sequences that only it knows.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use catalog::{CatalogSnapshot, Oid, Relation, Sequence, SequenceState};
use pg::PgError;
use pg::error::Result;
use pg::sqlstate::SqlState;

use super::block::Block;
use crate::server::Server;

/// Sequences as a session sees them.
#[derive(Debug)]
pub struct SessionSequences {
    server: Arc<Server>,
    known: Mutex<Known>,
    /// Whether the transaction may change nothing.
    read_only: AtomicBool,
}

#[derive(Debug, Default)]
struct Known {
    /// The value that the session was given last, by sequence.
    values: HashMap<Oid, i64>,
    /// The sequence of which it was given a value last.
    last: Option<Oid>,
    /// Sequences that the open transaction has made or restarted.
    own: HashMap<Oid, Own>,
    /// How often a sequence was restarted.
    restarts: u64,
    /// Temporary sequences. Nobody else takes values of them, and none of them outlives the session.
    temporary: HashMap<Oid, Block>,
}

/// A sequence that the open transaction counts for itself.
#[derive(Debug)]
struct Own {
    block: Block,
    /// Which restart it counts from, if it is one.
    restart: Option<u64>,
}

/// How far the sequences were at a savepoint that a transaction had made or restarted, and which restart they counted from.
#[derive(Debug, Default)]
pub struct OwnSequences(HashMap<Oid, (SequenceState, Option<u64>)>);

impl SessionSequences {
    /// Of a session that has asked for nothing.
    pub fn new(server: Arc<Server>) -> Self {
        SessionSequences { server, known: Mutex::default(), read_only: AtomicBool::default() }
    }

    /// Whether the statement that begins may change nothing.
    pub fn set_read_only(&self, read_only: bool) {
        self.read_only.store(read_only, Ordering::Relaxed);
    }

    fn check_may_write(&self, sequence: &Sequence, function: &str) -> Result<()> {
        if !self.read_only.load(Ordering::Relaxed) || sequence.name.is_temporary() {
            return Ok(());
        }
        let message = format!("cannot execute {function}() in a read-only transaction");
        Err(PgError::new(SqlState::READ_ONLY_SQL_TRANSACTION, message))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_committed(&self, oid: Oid) -> bool {
        self.server.catalog.snapshot().sequence_state(oid).is_some()
    }

    /// Runs something over the session's own count of a sequence, if it has one.
    fn with_own<T>(&self, sequence: &Arc<Sequence>, f: impl FnOnce(&mut Block) -> T) -> Option<T> {
        let mut known = self.known();
        let Known { own, temporary, .. } = &mut *known;
        let block = match (own.get_mut(&sequence.oid), temporary.get_mut(&sequence.oid)) {
            (Some(own), _) => &mut own.block,
            (None, Some(block)) => block,
            (None, None) if self.is_committed(sequence.oid) => return None,
            (None, None) => {
                let new = || Own { block: Block::new(sequence.clone(), sequence.initial_state()), restart: None };
                &mut own.entry(sequence.oid).or_insert_with(new).block
            }
        };
        block.follow(sequence);
        Some(f(block))
    }

    /// The next values, if there is nothing to wait for.
    ///
    /// # Errors
    /// As for [`pg::session::Sequences::next_values`].
    pub fn values_at_hand(&self, sequence: &Arc<Sequence>, count: usize) -> Result<Option<Vec<i64>>> {
        let values = match self.with_own(sequence, |block| block.next_values(count)) {
            Some(values) => Some(values?),
            None => self.server.sequences.at_hand(&self.server.catalog, sequence, count)?,
        };
        if let Some(last) = values.as_ref().and_then(|values| values.last()) {
            self.remember(sequence.oid, *last);
        }
        Ok(values)
    }

    fn remember(&self, sequence: Oid, value: i64) {
        let mut known = self.known();
        known.values.insert(sequence, value);
        known.last = Some(sequence);
    }

    /// How far a sequence is.
    ///
    /// # Errors
    /// It is not there any more.
    pub fn state(&self, sequence: &Arc<Sequence>) -> Result<SequenceState> {
        match self.with_own(sequence, |block| block.state) {
            Some(state) => Ok(state),
            None => self.server.sequences.state(&self.server.catalog, sequence),
        }
    }

    /// The open transaction has made or restarted a sequence, which is so far.
    pub fn begin(&self, sequence: &Arc<Sequence>, state: SequenceState) {
        let mut known = self.known();
        known.restarts += 1;
        let own = Own { block: Block::new(sequence.clone(), state), restart: Some(known.restarts) };
        known.own.insert(sequence.oid, own);
    }

    /// How far the sequences are that the open transaction has made or restarted.
    pub fn savepoint(&self) -> OwnSequences {
        let own = |(oid, own): (&Oid, &Own)| (*oid, (own.block.state, own.restart));
        OwnSequences(self.known().own.iter().map(own).collect())
    }

    /// What the open transaction has made or restarted since a savepoint is gone; `snapshot` is what it sees. Values that were
    /// taken since are not handed out again, unless the sequence was restarted in between.
    pub fn roll_back_to(&self, savepoint: &OwnSequences, snapshot: Option<&CatalogSnapshot>) {
        let committed = self.server.catalog.snapshot();
        let mut known = self.known();
        let Known { own, temporary, .. } = &mut *known;
        let is_made = |oid: &Oid| {
            let is_committed = temporary.contains_key(oid) || committed.sequence_state(*oid).is_some();
            !is_committed && snapshot.is_some_and(|it| it.sequence_state(*oid).is_some())
        };
        own.retain(|oid, own| match savepoint.0.get(oid) {
            Some((state, restart)) => {
                if own.restart != *restart {
                    *own = Own { block: Block::new(own.block.sequence().clone(), *state), restart: *restart };
                }
                true
            }
            None => own.restart.is_none() && is_made(oid),
        });
    }

    /// How far the sequences are that the open transaction has made or restarted, of those that it has not dropped. From now
    /// on they are everybody's.
    pub fn take_own(&self, snapshot: &CatalogSnapshot) -> Vec<(Oid, SequenceState)> {
        let mut known = self.known();
        let (temporary, own) =
            std::mem::take(&mut known.own).into_iter().partition(|(_, own)| own.block.is_temporary());
        known.own = temporary;
        let own: HashMap<Oid, Own> = own;
        let there = own.into_iter().filter(|(oid, _)| snapshot.sequence_state(*oid).is_some());
        there.map(|(oid, own)| (oid, own.block.state)).collect()
    }

    /// A temporary sequence was restarted.
    pub fn begin_temporary(&self, sequence: &Arc<Sequence>, state: SequenceState) {
        self.known().temporary.insert(sequence.oid, Block::new(sequence.clone(), state));
    }

    /// These are the temporary relations from now on: the transaction that has made or restarted sequences among them is
    /// committed.
    pub fn settle_temporary(&self, relations: &[Relation]) {
        let mut known = self.known();
        let Known { own, temporary, .. } = &mut *known;
        let mut before = std::mem::take(temporary);
        for relation in relations {
            let Relation::Sequence(sequence) = relation else { continue };
            let new = || Block::new(sequence.clone(), sequence.initial_state());
            let own = own.remove(&sequence.oid).map(|own| own.block);
            let block = own.or_else(|| before.remove(&sequence.oid)).unwrap_or_else(new);
            temporary.insert(sequence.oid, block);
        }
    }

    /// `DISCARD SEQUENCES`: the values that the session was given are forgotten.
    pub fn discard(&self) {
        let mut known = self.known();
        known.values.clear();
        known.last = None;
    }

    /// What the open transaction has made or restarted is gone.
    pub fn forget_own(&self) {
        self.known().own.clear();
    }
}

impl pg::session::Sequences for SessionSequences {
    fn next_values(&self, sequence: &Arc<Sequence>, count: usize) -> Result<Vec<i64>> {
        self.check_may_write(sequence, "nextval")?;
        let values = match self.with_own(sequence, |block| block.next_values(count)) {
            Some(values) => values?,
            None => self.server.sequences.next_values(&self.server.catalog, sequence, count)?,
        };
        if let Some(last) = values.last() {
            self.remember(sequence.oid, *last);
        }
        Ok(values)
    }

    fn set_value(&self, sequence: &Arc<Sequence>, value: i64, is_called: bool) -> Result<()> {
        self.check_may_write(sequence, "setval")?;
        let state = SequenceState { last_value: value, is_called };
        if self.with_own(sequence, |block| *block = Block::new(sequence.clone(), state)).is_none() {
            self.server.sequences.set(&self.server.catalog, sequence, state)?;
        }
        if is_called {
            self.known().values.insert(sequence.oid, value);
        }
        Ok(())
    }

    fn current_value(&self, sequence: Oid) -> Option<i64> {
        self.known().values.get(&sequence).copied()
    }

    fn last_sequence(&self) -> Option<Oid> {
        self.known().last
    }

    fn state(&self, sequence: &Arc<Sequence>) -> Result<SequenceState> {
        SessionSequences::state(self, sequence)
    }
}
