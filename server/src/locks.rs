//! Locks of transactions, on rows that they change and on keys that they add; advisory locks of sessions ([`advisory`]).
//!
//! A transaction that meets a lock waits for the end of the transaction that holds it, as in PostgreSQL
//! (`XactLockTableWait`). Who holds a lock can be sure that nobody else commits a change of the row, or another row with the
//! key, until it is over; so COMMIT never meets a conflict of this kind. Locks are in memory only: after a crash there are no
//! transactions left.

pub mod advisory;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use catalog::{Oid, RowAddresses, TableRows};
use pg::PgError;
use pg::session::Waits;
use pg::sqlstate::SqlState;
use storage::hot::keys::KeyHash;
use tokio_util::sync::CancellationToken;

use advisory::Advisory;

/// Keys of one constraint that a transaction may lock one by one. One that adds more locks them all: the table of locks
/// would take more memory than the rows.
const KEYS_LOCKED_MAX: usize = 1 << 17;

/// PostgreSQL's names of modes.
const EXCLUSIVE: &str = "ExclusiveLock";
const ROW_EXCLUSIVE: &str = "RowExclusiveLock";
const SHARE: &str = "ShareLock";

/// The locks of all transactions.
#[derive(Debug, Default)]
pub struct Locks {
    state: Mutex<State>,
}

/// A transaction, to this module.
type TransactionId = u64;
/// A session, to this module: it has one transaction at a time.
type ProcessId = i32;

#[derive(Debug, Default)]
struct State {
    last_id: TransactionId,
    transactions: HashMap<TransactionId, Holder>,
    /// By table, who has locked which rows.
    rows: HashMap<Oid, HashMap<TransactionId, RowAddresses>>,
    /// By constraint.
    keys: HashMap<Oid, KeyLocks>,
    /// Who waits for whose end.
    waits: HashMap<TransactionId, TransactionId>,
    advisory: Advisory,
}

#[derive(Debug)]
struct Holder {
    process_id: ProcessId,
    ended: CancellationToken,
}

#[derive(Debug, Default)]
struct KeyLocks {
    keys: HashMap<KeyHash, TransactionId>,
    counts: HashMap<TransactionId, usize>,
    /// Who has locked them all.
    all: Option<TransactionId>,
}

/// The locks of one transaction. They are released when it is dropped.
#[derive(Debug)]
pub struct TransactionLocks {
    locks: Arc<Locks>,
    id: TransactionId,
}

/// A lock that another transaction holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    by: TransactionId,
}

/// Two or more sessions wait for each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deadlock {
    /// The processes, each waiting for the next one, the last for the first.
    pub processes: Vec<i32>,
}

impl From<Deadlock> for PgError {
    fn from(deadlock: Deadlock) -> Self {
        let others = deadlock.processes.iter().skip(1).chain(deadlock.processes.first());
        let lines = deadlock.processes.iter().zip(others);
        let lines =
            lines.map(|(waits, holds)| format!("Process {waits} waits for a lock; blocked by process {holds}."));
        let detail = lines.collect::<Vec<_>>().join("\n");
        PgError::new(SqlState::DEADLOCK_DETECTED, "deadlock detected").with_detail(detail)
    }
}

/// 55P03
pub fn lock_timeout_error() -> PgError {
    PgError::new(SqlState::LOCK_NOT_AVAILABLE, "canceling statement due to lock timeout")
}

/// Waits for the end of a transaction. Nobody is known to wait any more once it is dropped.
#[derive(Debug)]
pub struct Wait {
    locks: Arc<Locks>,
    id: TransactionId,
    ended: CancellationToken,
}

/// A lock as `pg_locks` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownLock {
    /// What is locked.
    pub object: LockedObject,
    /// Who holds it, or waits for it.
    pub process_id: i32,
    /// PostgreSQL's name of how.
    pub mode: &'static str,
    /// Whether it is held.
    pub granted: bool,
}

/// What is locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockedObject {
    /// A table, rows of which are locked.
    Relation(Oid),
    /// A transaction, which holds this lock until it ends.
    Transaction(u64),
    /// A number that clients agree on, as PostgreSQL splits it up.
    Advisory {
        /// The upper half.
        class: u32,
        /// The lower half.
        object: u32,
        /// 1 for one number, 2 for two.
        sub: i16,
    },
}

impl Locks {
    /// All locks, in no order.
    pub fn shown(&self) -> Vec<ShownLock> {
        let state = self.state();
        let process = |id: &TransactionId| state.transactions.get(id).map(|holder| holder.process_id);
        let lock = |object, process_id, mode, granted| ShownLock { object, process_id, mode, granted };
        let mut shown = Vec::new();
        for (id, holder) in &state.transactions {
            shown.push(lock(LockedObject::Transaction(*id), holder.process_id, EXCLUSIVE, true));
        }
        for (table, holders) in &state.rows {
            let holders = holders.keys().filter_map(process);
            shown.extend(holders.map(|holder| lock(LockedObject::Relation(*table), holder, ROW_EXCLUSIVE, true)));
        }
        for (waits, holder) in &state.waits {
            let waits = process(waits).into_iter();
            shown.extend(waits.map(|waits| lock(LockedObject::Transaction(*holder), waits, SHARE, false)));
        }
        shown.extend(state.advisory.shown());
        shown
    }

    /// The locks of a new transaction of a process: none.
    pub fn transaction(self: &Arc<Self>, process_id: i32) -> TransactionLocks {
        let mut state = self.state();
        state.last_id += 1;
        let id = state.last_id;
        state.transactions.insert(id, Holder { process_id, ended: CancellationToken::new() });
        TransactionLocks { locks: self.clone(), id }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waits for Locks {
    fn blocking(&self, process_id: i32) -> Vec<i32> {
        let mut blocking = self.state().blockers(process_id);
        blocking.dedup();
        blocking
    }
}

impl TransactionLocks {
    /// Locks committed rows of a table, all or none. `newest` are its rows in the newest snapshot, by which addresses from
    /// before a compaction are brought together.
    ///
    /// # Errors
    /// Another transaction holds one of them.
    pub fn lock_rows(&self, table: Oid, rows: &RowAddresses, newest: &TableRows) -> Result<(), Held> {
        let wanted = newest.current_addresses(rows).0;
        let mut state = self.locks.state();
        if let Some(held) = state.held_row(self.id, table, &wanted, newest) {
            return Err(held);
        }
        let own = state.rows.entry(table).or_default().entry(self.id).or_default();
        for (unit, rows) in wanted.iter() {
            own.insert_all(unit, rows);
        }
        Ok(())
    }

    /// Which other transaction holds one of these rows.
    pub fn held_row(&self, table: Oid, rows: &RowAddresses, newest: &TableRows) -> Option<Held> {
        let wanted = newest.current_addresses(rows).0;
        self.locks.state().held_row(self.id, table, &wanted, newest)
    }

    /// Locks keys of a constraint, all or none.
    ///
    /// # Errors
    /// Another transaction holds one of them.
    pub fn lock_keys(&self, constraint: Oid, keys: &[KeyHash]) -> Result<(), Held> {
        let mut state = self.locks.state();
        let locks = state.keys.entry(constraint).or_default();
        if let Some(by) = locks.all.filter(|by| *by != self.id) {
            return Err(Held { by });
        }
        let others = |by: &TransactionId| *by != self.id;
        let count = locks.counts.get(&self.id).copied().unwrap_or(0) + keys.len();
        if count > KEYS_LOCKED_MAX {
            if let Some(by) = locks.counts.keys().copied().find(others) {
                return Err(Held { by });
            }
            locks.all = Some(self.id);
            locks.keys.clear();
        } else if locks.all.is_none() {
            if let Some(by) = keys.iter().filter_map(|key| locks.keys.get(key)).copied().find(others) {
                return Err(Held { by });
            }
            locks.keys.extend(keys.iter().map(|key| (*key, self.id)));
        }
        locks.counts.insert(self.id, count);
        Ok(())
    }

    /// Waits for the transaction that holds a lock; then the lock may be tried again.
    ///
    /// # Errors
    /// That transaction waits for this one, directly or not.
    pub fn wait(&self, held: Held) -> Result<Wait, Deadlock> {
        let mut state = self.locks.state();
        let process = |id: &TransactionId| state.transactions.get(id).map(|holder| holder.process_id);
        if let (Some(own), Some(holder)) = (process(&self.id), process(&held.by))
            && let Some(processes) = state.circle(own, vec![holder])
        {
            return Err(Deadlock { processes });
        }
        // One that has ended meanwhile is not waited for.
        let ended = match state.transactions.get(&held.by) {
            Some(holder) => holder.ended.clone(),
            None => {
                let ended = CancellationToken::new();
                ended.cancel();
                ended
            }
        };
        state.waits.insert(self.id, held.by);
        Ok(Wait { locks: self.locks.clone(), id: self.id, ended })
    }
}

impl Wait {
    /// Returns when the transaction is over.
    pub async fn ended(&self) {
        self.ended.cancelled().await;
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.locks.state().waits.remove(&self.id);
    }
}

impl Drop for TransactionLocks {
    fn drop(&mut self) {
        let mut state = self.locks.state();
        state.rows.retain(|_, held| {
            held.remove(&self.id);
            !held.is_empty()
        });
        state.keys.retain(|_, locks| {
            if locks.counts.remove(&self.id).is_some() {
                locks.keys.retain(|_, by| *by != self.id);
                locks.all = locks.all.filter(|by| *by != self.id);
            }
            !locks.counts.is_empty()
        });
        if let Some(holder) = state.transactions.remove(&self.id) {
            holder.ended.cancel();
        }
    }
}

impl State {
    /// Which transaction but `id` holds one of the rows, which are at their newest addresses.
    fn held_row(&self, id: TransactionId, table: Oid, wanted: &RowAddresses, newest: &TableRows) -> Option<Held> {
        let mut others = self.rows.get(&table)?.iter().filter(|(other, _)| **other != id);
        let holds = |held: &RowAddresses| newest.current_addresses(held).0.intersects(wanted);
        others.find(|(_, held)| holds(held)).map(|(by, _)| Held { by: *by })
    }

    /// The processes that a process waits for.
    fn blockers(&self, process_id: ProcessId) -> Vec<ProcessId> {
        let process = |id: &TransactionId| self.transactions.get(id).map(|holder| holder.process_id);
        let of_process = self.waits.iter().filter(|(waits, _)| process(waits) == Some(process_id));
        let holders = of_process.filter_map(|(_, holder)| process(holder));
        holders.chain(self.advisory.blockers(process_id)).collect()
    }

    /// The processes of a circle that would be closed if `process` waited for all of `blockers`.
    fn circle(&self, process: ProcessId, blockers: Vec<ProcessId>) -> Option<Vec<ProcessId>> {
        let mut seen = HashSet::from([process]);
        let mut path = vec![process];
        // For each process of the path, whom of those that it waits for nobody has looked at yet.
        let mut left = vec![blockers];
        while let Some(next) = left.last_mut() {
            match next.pop() {
                Some(next) if next == process => return Some(path),
                Some(next) if seen.insert(next) => {
                    path.push(next);
                    left.push(self.blockers(next));
                }
                Some(_) => {}
                None => {
                    path.pop();
                    left.pop();
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use catalog::UnitId;

    const TABLE: Oid = Oid(20_000);
    const CONSTRAINT: Oid = Oid(20_001);

    fn rows(rows: &[u32]) -> RowAddresses {
        RowAddresses::from_unit(UnitId(1), rows.iter().copied().collect())
    }

    /// Rows with a unit 1.
    fn table() -> Arc<TableRows> {
        Arc::default()
    }

    fn keys(numbers: std::ops::Range<i32>) -> Vec<KeyHash> {
        let column: arrow::array::ArrayRef = Arc::new(arrow::array::Int32Array::from_iter_values(numbers));
        let hasher = storage::hot::KeyHasher::new([column.data_type().clone()].into_iter(), false).unwrap();
        hasher.hashes(&[column]).unwrap().into_iter().flatten().collect()
    }

    #[tokio::test]
    async fn a_lock_is_held_until_its_transaction_ends() {
        let locks = Arc::new(Locks::default());
        let (first, second) = (locks.transaction(1), locks.transaction(2));
        first.lock_rows(TABLE, &rows(&[1, 2]), &table()).unwrap();
        first.lock_rows(TABLE, &rows(&[2, 3]), &table()).unwrap();
        second.lock_rows(TABLE, &rows(&[4]), &table()).unwrap();
        let held = second.lock_rows(TABLE, &rows(&[3, 5]), &table()).unwrap_err();
        let wait = second.wait(held).unwrap();
        drop(first);
        wait.ended().await;
        drop(wait);
        second.lock_rows(TABLE, &rows(&[3, 5]), &table()).unwrap();
        second.wait(held).unwrap().ended().await;
        drop(second);
        assert!(locks.state().rows.is_empty() && locks.state().waits.is_empty());
    }

    #[test]
    fn many_keys_are_locked_as_one() {
        let locks = Arc::new(Locks::default());
        let (first, second) = (locks.transaction(1), locks.transaction(2));
        second.lock_keys(CONSTRAINT, &keys(-5..-4)).unwrap();
        let many = keys(0..KEYS_LOCKED_MAX as i32 + 1);
        assert!(first.lock_keys(CONSTRAINT, &many).is_err());
        drop(second);
        first.lock_keys(CONSTRAINT, &many).unwrap();
        first.lock_keys(CONSTRAINT, &keys(-7..-6)).unwrap();
        let third = locks.transaction(3);
        assert!(third.lock_keys(CONSTRAINT, &keys(-5..-4)).is_err());
        third.lock_keys(TABLE, &keys(-5..-4)).unwrap();
        drop(first);
        third.lock_keys(CONSTRAINT, &keys(-7..-4)).unwrap();
        drop(third);
        assert!(locks.state().keys.is_empty());
    }

    #[test]
    fn who_would_close_a_circle_does_not_wait() {
        let locks = Arc::new(Locks::default());
        let transactions = [11, 12, 13].map(|process| locks.transaction(process));
        for (number, transaction) in (0..).zip(&transactions) {
            transaction.lock_keys(CONSTRAINT, &keys(number..number + 1)).unwrap();
        }
        let want = |who: usize, key: i32| transactions[who].lock_keys(CONSTRAINT, &keys(key..key + 1)).unwrap_err();
        let _first = transactions[0].wait(want(0, 1)).unwrap();
        let second = transactions[1].wait(want(1, 2)).unwrap();
        let deadlock = transactions[2].wait(want(2, 0)).unwrap_err();
        assert_eq!(deadlock.processes, [13, 11, 12]);
        drop(second);
        assert!(transactions[2].wait(want(2, 0)).is_ok());
    }
}
