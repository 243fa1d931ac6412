//! Advisory locks: numbers that sessions lock, which mean what clients agree on (PostgreSQL's `lockfuncs.c`).
//!
//! A session never waits for itself. Who waits is in a queue, so that many who share a lock do not keep one from having it
//! alone for ever: a lock is granted when neither those who hold it nor those who wait longer are in the way.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pg::error::Result;
use pg::session::{AdvisoryKey, AdvisoryLock, AdvisoryLocks, LockExtent, LockMode};
use pg::sqlstate::SqlState;
use pg::{Interrupt, PgError};

use super::{Deadlock, EXCLUSIVE, LockedObject, Locks, ProcessId, SHARE, ShownLock, State, lock_timeout_error};

/// Advisory locks that all sessions together may hold. Each takes some hundred bytes, which nothing else accounts for.
const LOCKED_MAX: usize = 1 << 20;

/// The locks of all sessions.
#[derive(Debug, Default)]
pub(super) struct Advisory {
    locks: HashMap<AdvisoryKey, Lock>,
    last_ticket: Ticket,
}

/// Who comes later has a greater one.
type Ticket = u64;

/// Who holds a lock, and who waits for it.
#[derive(Debug, Default)]
struct Lock {
    holders: HashMap<ProcessId, Held>,
    queue: BTreeMap<Ticket, Waiting>,
}

/// How often a session holds a lock.
#[derive(Debug, Default, Clone, Copy)]
struct Held {
    shared: usize,
    exclusive: usize,
}

#[derive(Debug)]
struct Waiting {
    process: ProcessId,
    mode: LockMode,
    interrupt: Interrupt,
}

impl Held {
    fn count(&mut self, mode: LockMode) -> &mut usize {
        match mode {
            LockMode::Shared => &mut self.shared,
            LockMode::Exclusive => &mut self.exclusive,
        }
    }

    /// Whether somebody else cannot have the lock in this mode.
    fn is_in_the_way_of(self, mode: LockMode) -> bool {
        self.exclusive > 0 || mode == LockMode::Exclusive && self.shared > 0
    }
}

impl Lock {
    /// Whom a session has to wait for: one who holds the lock, or who has waited longer and does not wait for it.
    fn blockers(&self, process: ProcessId, mode: LockMode, ticket: Ticket) -> Vec<ProcessId> {
        let mut own = self.holders.get(&process).copied().unwrap_or_default();
        if *own.count(mode) > 0 {
            return Vec::new();
        }
        let holders = self.holders.iter().filter(|(other, held)| **other != process && held.is_in_the_way_of(mode));
        let before = self.queue.range(..ticket).map(|(_, waiting)| waiting).filter(|waiting| {
            let conflicts = mode == LockMode::Exclusive || waiting.mode == LockMode::Exclusive;
            waiting.process != process && conflicts && !own.is_in_the_way_of(waiting.mode)
        });
        holders.map(|(other, _)| *other).chain(before.map(|waiting| waiting.process)).collect()
    }
}

impl Advisory {
    /// The locks that are held, and those that are waited for.
    pub(super) fn shown(&self) -> impl Iterator<Item = ShownLock> {
        self.locks.iter().flat_map(|(key, lock)| {
            let object = locked_object(*key);
            let shown = move |process_id, mode, granted| {
                let mode = match mode {
                    LockMode::Shared => SHARE,
                    LockMode::Exclusive => EXCLUSIVE,
                };
                ShownLock { object: object.clone(), process_id, mode, granted }
            };
            let holders = lock.holders.iter().flat_map(|(process, held)| {
                let modes = [(LockMode::Shared, held.shared), (LockMode::Exclusive, held.exclusive)];
                modes.into_iter().filter(|(_, count)| *count > 0).map(|(mode, _)| (*process, mode, true))
            });
            let waiting = lock.queue.values().map(|waiting| (waiting.process, waiting.mode, false));
            let all = holders.chain(waiting).collect::<Vec<_>>();
            all.into_iter().map(move |(process, mode, granted)| shown(process, mode, granted))
        })
    }

    /// Whom a process waits for.
    pub(super) fn blockers(&self, process: ProcessId) -> Vec<ProcessId> {
        let mut found = Vec::new();
        for lock in self.locks.values() {
            let own = lock.queue.iter().filter(|(_, waiting)| waiting.process == process);
            found.extend(own.flat_map(|(ticket, waiting)| lock.blockers(process, waiting.mode, *ticket)));
        }
        found
    }

    /// Whom a session has to wait for before it can have a lock.
    fn blockers_of(&self, process: ProcessId, key: AdvisoryKey, mode: LockMode, ticket: Ticket) -> Vec<ProcessId> {
        self.locks.get(&key).map(|lock| lock.blockers(process, mode, ticket)).unwrap_or_default()
    }

    /// Takes back one hold of a lock. Those who wait for it have to look again.
    fn release(&mut self, process: ProcessId, key: AdvisoryKey, mode: LockMode) -> Vec<Interrupt> {
        let Some(lock) = self.locks.get_mut(&key) else { return Vec::new() };
        if let Some(held) = lock.holders.get_mut(&process) {
            let count = held.count(mode);
            *count = count.saturating_sub(1);
            if held.shared == 0 && held.exclusive == 0 {
                lock.holders.remove(&process);
            }
        }
        self.settle(key)
    }

    /// Those who wait for a lock that has changed, which is forgotten when there is nobody.
    fn settle(&mut self, key: AdvisoryKey) -> Vec<Interrupt> {
        let Some(lock) = self.locks.get(&key) else { return Vec::new() };
        let waiting = lock.queue.values().map(|waiting| waiting.interrupt.clone()).collect();
        if lock.holders.is_empty() && lock.queue.is_empty() {
            self.locks.remove(&key);
        }
        waiting
    }
}

/// As PostgreSQL splits up what is locked (`SET_LOCKTAG_INT64`, `SET_LOCKTAG_INT32`).
fn locked_object(key: AdvisoryKey) -> LockedObject {
    match key {
        AdvisoryKey::Number(number) => {
            LockedObject::Advisory { class: (number >> 32) as u32, object: number as u32, sub: 1 }
        }
        AdvisoryKey::Pair(class, object) => {
            LockedObject::Advisory { class: class as u32, object: object as u32, sub: 2 }
        }
    }
}

/// A place in the queue of a lock, which is given up when it is dropped.
struct Queued<'l> {
    locks: &'l Locks,
    key: AdvisoryKey,
    ticket: Ticket,
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        let mut state = self.locks.state();
        if let Some(lock) = state.advisory.locks.get_mut(&self.key) {
            lock.queue.remove(&self.ticket);
        }
        let waiting = state.advisory.settle(self.key);
        drop(state);
        wake(waiting);
    }
}

/// They look again at what they wait for. No lock may be held: who looks takes it.
fn wake(waiting: Vec<Interrupt>) {
    waiting.iter().for_each(Interrupt::wake);
}

impl State {
    /// Takes a lock if nobody is in the way.
    ///
    /// # Errors
    /// Who waits for this process is waited for; 53200 when there are too many locks.
    fn take_advisory(&mut self, process: ProcessId, lock: AdvisoryLock, ticket: Option<Ticket>) -> Result<bool> {
        let blockers = self.advisory.blockers_of(process, lock.key, lock.mode, ticket.unwrap_or(Ticket::MAX));
        if !blockers.is_empty() {
            // Who only tries does not wait.
            let circle = ticket.and_then(|_| self.circle(process, blockers));
            return circle.map_or(Ok(false), |processes| Err(Deadlock { processes }.into()));
        }
        if self.advisory.locks.len() >= LOCKED_MAX && !self.advisory.locks.contains_key(&lock.key) {
            return Err(PgError::new(SqlState::OUT_OF_MEMORY, "out of shared memory"));
        }
        let entry = self.advisory.locks.entry(lock.key).or_default();
        *entry.holders.entry(process).or_default().count(lock.mode) += 1;
        Ok(true)
    }
}

/// The advisory locks of a session.
#[derive(Debug)]
pub struct SessionAdvisoryLocks {
    locks: Arc<Locks>,
    process: ProcessId,
    own: Mutex<Own>,
}

#[derive(Debug, Default)]
struct Own {
    /// Those that are the session's until it unlocks them, and how often.
    session: HashMap<(AdvisoryKey, LockMode), usize>,
    /// Those that go with the transaction, in the order in which they were taken.
    transaction: Vec<(AdvisoryKey, LockMode)>,
    /// What there is to warn of.
    warnings: Vec<String>,
    is_over: bool,
}

/// How many locks the transaction had at a savepoint.
#[derive(Debug, Clone, Copy)]
pub struct Taken(usize);

impl SessionAdvisoryLocks {
    /// Of a session that holds none.
    pub fn new(locks: Arc<Locks>, process: ProcessId) -> Self {
        SessionAdvisoryLocks { locks, process, own: Mutex::default() }
    }

    fn own(&self) -> MutexGuard<'_, Own> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many locks the transaction has.
    pub fn taken(&self) -> Taken {
        Taken(self.own().transaction.len())
    }

    /// What the transaction has locked since then is unlocked.
    pub fn roll_back_to(&self, taken: Taken) {
        let mut own = self.own();
        if own.transaction.len() > taken.0 {
            let since = own.transaction.split_off(taken.0);
            self.release(own, since);
        }
    }

    /// The transaction is over.
    pub fn end_transaction(&self) {
        self.roll_back_to(Taken(0));
    }

    /// The session is over.
    pub fn leave(&self) {
        self.own().is_over = true;
        self.end_transaction();
        self.unlock_all();
    }

    /// What there is to warn of, once.
    pub fn take_warnings(&self) -> Vec<String> {
        std::mem::take(&mut self.own().warnings)
    }

    fn release(&self, own: MutexGuard<'_, Own>, locks: Vec<(AdvisoryKey, LockMode)>) {
        let mut state = self.locks.state();
        let release = |(key, mode)| state.advisory.release(self.process, key, mode);
        let waiting = locks.into_iter().flat_map(release).collect();
        drop(state);
        drop(own);
        wake(waiting);
    }

    /// Takes a lock if nobody is in the way.
    fn take(&self, lock: AdvisoryLock, ticket: Option<Ticket>) -> Result<bool> {
        let mut own = self.own();
        // A thread that has not heard of it yet must not lock what nobody would unlock.
        if own.is_over {
            return Err(PgError::new(SqlState::QUERY_CANCELED, "the session is over"));
        }
        let taken = self.locks.state().take_advisory(self.process, lock, ticket)?;
        if taken {
            match lock.extent {
                LockExtent::Session => *own.session.entry((lock.key, lock.mode)).or_default() += 1,
                LockExtent::Transaction => own.transaction.push((lock.key, lock.mode)),
            }
        }
        Ok(taken)
    }

    fn queue(&self, lock: AdvisoryLock, interrupt: &Interrupt) -> Queued<'_> {
        let mut state = self.locks.state();
        state.advisory.last_ticket += 1;
        let ticket = state.advisory.last_ticket;
        let waiting = Waiting { process: self.process, mode: lock.mode, interrupt: interrupt.clone() };
        state.advisory.locks.entry(lock.key).or_default().queue.insert(ticket, waiting);
        drop(state);
        Queued { locks: &self.locks, key: lock.key, ticket }
    }
}

impl AdvisoryLocks for SessionAdvisoryLocks {
    fn wait(&self, lock: AdvisoryLock, timeout: Option<Duration>, interrupt: &Interrupt) -> Result<()> {
        let queued = self.queue(lock, interrupt);
        let look = || match self.take(lock, Some(queued.ticket)) {
            Ok(false) => None,
            outcome => Some(outcome.map(drop)),
        };
        interrupt.wait_for(timeout, look)?.unwrap_or_else(|| Err(lock_timeout_error()))
    }

    fn try_lock(&self, lock: AdvisoryLock) -> Result<bool> {
        self.take(lock, None)
    }

    fn unlock(&self, key: AdvisoryKey, mode: LockMode) -> bool {
        let mut own = self.own();
        let Some(count) = own.session.get_mut(&(key, mode)) else {
            let kind = match mode {
                LockMode::Shared => "ShareLock",
                LockMode::Exclusive => "ExclusiveLock",
            };
            own.warnings.push(format!("you don't own a lock of type {kind}"));
            return false;
        };
        *count -= 1;
        if *count == 0 {
            own.session.remove(&(key, mode));
        }
        self.release(own, vec![(key, mode)]);
        true
    }

    fn unlock_all(&self) {
        let mut own = self.own();
        let locks = std::mem::take(&mut own.session).into_iter();
        let locks = locks.flat_map(|(lock, count)| std::iter::repeat_n(lock, count)).collect();
        self.release(own, locks);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use LockExtent::{Session, Transaction};
    use LockMode::{Exclusive, Shared};

    const KEY: AdvisoryKey = AdvisoryKey::Number(7);

    fn lock(mode: LockMode, extent: LockExtent) -> AdvisoryLock {
        AdvisoryLock { key: KEY, mode, extent }
    }

    fn sessions<const N: usize>() -> (Arc<Locks>, [SessionAdvisoryLocks; N]) {
        let locks = Arc::new(Locks::default());
        let sessions = std::array::from_fn(|number| SessionAdvisoryLocks::new(locks.clone(), number as ProcessId));
        (locks, sessions)
    }

    #[test]
    fn a_lock_is_held_until_it_is_unlocked_as_often_as_it_was_locked() {
        let (locks, [first, second]) = sessions();
        assert!(first.try_lock(lock(Exclusive, Session)).unwrap() && first.try_lock(lock(Exclusive, Session)).unwrap());
        assert!(first.try_lock(lock(Shared, Transaction)).unwrap());
        assert!(first.unlock(KEY, Exclusive) && !second.try_lock(lock(Shared, Session)).unwrap());
        assert!(first.unlock(KEY, Exclusive) && !first.unlock(KEY, Exclusive) && !first.unlock(KEY, Shared));
        assert!(second.try_lock(lock(Shared, Session)).unwrap() && !second.try_lock(lock(Exclusive, Session)).unwrap());
        first.end_transaction();
        assert!(second.try_lock(lock(Exclusive, Transaction)).unwrap());
        second.leave();
        assert!(locks.state().advisory.locks.is_empty());
        assert!(second.try_lock(lock(Shared, Session)).is_err());
        assert_eq!(first.take_warnings().len(), 2);
    }

    #[test]
    fn locks_of_a_transaction_go_back_to_a_savepoint() {
        let (_locks, [first, second]) = sessions();
        let savepoint = first.taken();
        assert!(first.try_lock(lock(Exclusive, Transaction)).unwrap());
        first.roll_back_to(savepoint);
        assert!(second.try_lock(lock(Exclusive, Transaction)).unwrap());
    }

    #[test]
    fn who_waits_longer_comes_first() {
        let (_locks, [first, second, third]) = sessions();
        assert!(first.try_lock(lock(Shared, Session)).unwrap());
        let queued = second.queue(lock(Exclusive, Session), &Interrupt::default());
        assert!(!third.try_lock(lock(Shared, Session)).unwrap());
        // Who is waited for does not wait for those who do.
        assert!(first.try_lock(lock(Shared, Session)).unwrap() && first.try_lock(lock(Exclusive, Session)).unwrap());
        drop(queued);
        first.unlock_all();
        assert!(third.try_lock(lock(Shared, Session)).unwrap());
    }

    #[test]
    fn a_circle_is_noticed_and_a_wait_ends() {
        let (locks, [first, second]) = sessions();
        let other = AdvisoryLock { key: AdvisoryKey::Pair(0, 7), ..lock(Exclusive, Session) };
        assert!(first.try_lock(lock(Exclusive, Session)).unwrap() && second.try_lock(other).unwrap());
        let queued = first.queue(other, &Interrupt::default());
        let refused = second.wait(lock(Exclusive, Session), None, &Interrupt::default()).unwrap_err();
        assert_eq!(refused.sqlstate, SqlState::DEADLOCK_DETECTED);
        drop(queued);
        let refused = second.wait(lock(Shared, Session), Some(Duration::ZERO), &Interrupt::default()).unwrap_err();
        assert_eq!(refused.sqlstate, SqlState::LOCK_NOT_AVAILABLE);
        let ended = Interrupt::default();
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| second.wait(lock(Shared, Session), None, &ended));
            while locks.state().advisory.blockers(1).is_empty() {
                std::thread::yield_now();
            }
            ended.set();
            assert_eq!(waits.join().unwrap().unwrap_err().sqlstate, SqlState::QUERY_CANCELED);
            let waits = scope.spawn(|| second.wait(lock(Shared, Session), None, &Interrupt::default()));
            while locks.state().advisory.blockers(1).is_empty() {
                std::thread::yield_now();
            }
            first.leave();
            waits.join().unwrap().unwrap();
        });
    }
}
