//! What functions may know of the session that asks.

use std::any::Any;
use std::cell::RefCell;
use std::net::SocketAddr;

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use catalog::{Oid, Sequence, SequenceState};

use datafusion_common::config::{ConfigEntry, ConfigExtension, ExtensionOptions};
use datafusion_common::{DataFusionError, Result};

use crate::datetime::zone::Zone;
use crate::encoding::Encoding;
use crate::error::PgError;
use crate::library::number::RandomState;
use crate::names::{Entered, Names};
use crate::sqlstate::SqlState;
use crate::styles::Styles;

/// What functions may know of the session that asks. It travels in the engine's options, so that a plan that is kept can
/// run for another moment.
#[derive(Debug, Clone)]
pub struct SessionValues {
    /// Setting `TimeZone`.
    pub time_zone: Zone,
    /// How values are written, and read where they could be meant in two ways.
    pub styles: Styles,
    /// Setting `client_encoding`: what text is sent and received in.
    pub client_encoding: Encoding,
    /// When the transaction began, in microseconds since 1970 UTC: `now()`.
    pub transaction_start_us: i64,
    /// When the statement began: `statement_timestamp()`.
    pub statement_start_us: i64,
    /// `current_user`
    pub user: String,
    /// `current_database()`
    pub database: String,
    /// Schemas in the search path that exist.
    pub schemas: Vec<String>,
    /// The schema of temporary objects, if it exists and is searched although the search path has it not.
    pub temporary_schema: Option<String>,
    /// When the server started: `pg_postmaster_start_time()`.
    pub server_start_us: i64,
    /// `pg_backend_pid()`
    pub process_id: i32,
    /// The ends of the connection; none where there is none, or it leaves the machine nowhere.
    pub addresses: Option<Addresses>,
    /// `version()`
    pub version: String,
    /// The settings; none where there is no session.
    pub settings: Option<Arc<dyn Settings>>,
    /// The generator behind `random()`.
    pub random: RandomState,
    /// The values of sequences; none where there is no session.
    pub sequences: Option<Arc<dyn Sequences>>,
    /// What is sent to those who listen; nothing where there is no session.
    pub notifications: Option<Arc<dyn Notifications>>,
    /// The number of the transaction; none where there is no session.
    pub transaction_number: Option<Arc<dyn TransactionNumber>>,
    /// What it locks by agreement with others; nothing where there is no session.
    pub advisory_locks: Option<Arc<dyn AdvisoryLocks>>,
    /// What COPY has loaded last; nothing where there is no session.
    pub last_load: Option<Arc<LastLoad>>,
    /// Setting `lock_timeout`: how long a lock is waited for.
    pub lock_timeout: Option<Duration>,
    /// Who waits for whom; unknown where there is no session.
    pub waits: Option<Arc<dyn Waits>>,
    /// The other sessions; none where there is no session.
    pub others: Option<Arc<dyn OtherSessions>>,
    /// The catalog as the statement sees it; none where there is no statement.
    pub names: Option<Arc<Names>>,
    /// Whether the statement has been ended.
    pub interrupt: Interrupt,
}

/// The ends of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses {
    /// Where the client is.
    pub client: SocketAddr,
    /// Where it has found the server.
    pub server: SocketAddr,
}

/// Whether a statement has been ended. Who computes for long without giving way looks at it; all clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<Ended>);

#[derive(Debug, Default)]
struct Ended {
    is_set: AtomicBool,
    /// Held while it is set by who wakes those who wait, and by these while they look.
    waiting: Mutex<()>,
    woken: Condvar,
}

/// What the thread worked for, and will again, also after a panic.
struct Before(Option<Interrupt>);

impl Drop for Before {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

thread_local! {
    static CURRENT: RefCell<Option<Interrupt>> = const { RefCell::new(None) };
}

impl Interrupt {
    /// Works; meanwhile whoever computes on this thread may ask [`check_current`](Self::check_current).
    pub fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        let _before = Before(CURRENT.replace(Some(self.clone())));
        work()
    }

    /// For those who do not know the statement that they compute for.
    ///
    /// # Errors
    /// 57014 when the thread has said what it works for, and that has been ended.
    pub fn check_current() -> crate::error::Result<()> {
        CURRENT.with_borrow(|current| current.as_ref().map_or(Ok(()), Interrupt::check))
    }

    /// The statement has been ended.
    pub fn set(&self) {
        let _waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.is_set.store(true, Ordering::Relaxed);
        self.0.woken.notify_all();
    }

    /// # Errors
    /// 57014 when the statement has been ended. Its client knows that already.
    pub fn check(&self) -> crate::error::Result<()> {
        if self.0.is_set.load(Ordering::Relaxed) {
            return Err(PgError::new(SqlState::QUERY_CANCELED, "the statement has been ended"));
        }
        Ok(())
    }

    /// Who waits with [`wait_for`](Self::wait_for) looks again.
    pub fn wake(&self) {
        let _waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.woken.notify_all();
    }

    /// Waits until `look` finds something, which is asked at once and whenever [`wake`](Self::wake) was called. Nothing is
    /// found when the time is over.
    ///
    /// # Errors
    /// 57014 when the statement has been ended.
    pub fn wait_for<T>(
        &self,
        timeout: Option<Duration>,
        mut look: impl FnMut() -> Option<T>,
    ) -> crate::error::Result<Option<T>> {
        let waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found = None;
        let goes_on = |_: &mut ()| {
            if !self.0.is_set.load(Ordering::Relaxed) {
                found = look();
                return found.is_none();
            }
            false
        };
        match timeout {
            Some(timeout) => drop(self.0.woken.wait_timeout_while(waiting, timeout, goes_on)),
            None => drop(self.0.woken.wait_while(waiting, goes_on)),
        }
        match found {
            Some(found) => Ok(Some(found)),
            None => self.check().map(|()| None),
        }
    }

    /// Waits so long, or until the statement has been ended.
    ///
    /// # Errors
    /// 57014 when the statement has been ended.
    pub fn wait(&self, duration: Duration) -> crate::error::Result<()> {
        let waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let goes_on = |_: &mut ()| !self.0.is_set.load(Ordering::Relaxed);
        drop(self.0.woken.wait_timeout_while(waiting, duration, goes_on));
        self.check()
    }
}

impl SessionValues {
    /// From now on the thread works for the statement that these values belong to.
    #[must_use]
    pub fn enter(&self) -> Option<Entered> {
        self.names.as_ref().map(Names::enter)
    }
}

/// The values of sequences, as a session sees them.
pub trait Sequences: std::fmt::Debug + Send + Sync {
    /// The next values.
    ///
    /// # Errors
    /// 2200H at the end of the sequence; they cannot be made durable.
    fn next_values(&self, sequence: &Arc<Sequence>, count: usize) -> crate::error::Result<Vec<i64>>;

    /// Sets how far the sequence is.
    ///
    /// # Errors
    /// It cannot be made durable.
    fn set_value(&self, sequence: &Arc<Sequence>, value: i64, is_called: bool) -> crate::error::Result<()>;

    /// The value that the session was given last.
    fn current_value(&self, sequence: Oid) -> Option<i64>;

    /// The sequence of which the session was given a value last.
    fn last_sequence(&self) -> Option<Oid>;

    /// How far the sequence is.
    ///
    /// # Errors
    /// It is not there any more.
    fn state(&self, sequence: &Arc<Sequence>) -> crate::error::Result<SequenceState>;
}

/// What a session sends to those who listen, and what it listens to.
pub trait Notifications: std::fmt::Debug + Send + Sync {
    /// Sends a notification when the transaction is committed.
    ///
    /// # Errors
    /// 54000 when nobody has taken too many others.
    fn notify(&self, channel: &str, payload: &str) -> crate::error::Result<()>;

    /// The channels that the session listens to.
    fn listening(&self) -> Vec<String>;

    /// How full the queue is of what has not been taken, from 0 to 1.
    fn queue_usage(&self) -> f64;
}

/// What one session may ask of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// To give its statement up.
    Cancel,
    /// To end.
    Terminate,
}

/// The other sessions.
pub trait OtherSessions: std::fmt::Debug + Send + Sync {
    /// Asks a session for something. Whether there is such a session.
    ///
    /// # Errors
    /// 42501 when the role may not ask that.
    fn signal(&self, process_id: i32, signal: Signal) -> crate::error::Result<bool>;
}

/// The number of a session's transaction.
pub trait TransactionNumber: std::fmt::Debug + Send + Sync {
    /// The number, if it has one: it has changed something, or was asked for it.
    fn assigned(&self) -> Option<i64>;

    /// The number, which it has from now on.
    fn assign(&self) -> i64;
}

/// The last COPY from files of a session.
#[derive(Debug)]
pub struct LastLoad {
    query: AtomicI64,
    rows: AtomicI64,
}

impl Default for LastLoad {
    fn default() -> Self {
        LastLoad { query: AtomicI64::new(-1), rows: AtomicI64::new(0) }
    }
}

impl LastLoad {
    /// A statement, by its number in the log, begins to load; if it fails, no row was loaded last.
    pub fn begin(&self, query: i64) {
        self.query.store(query, Ordering::Relaxed);
        self.rows.store(0, Ordering::Relaxed);
    }

    /// So many rows were loaded.
    pub fn end(&self, rows: i64) {
        self.rows.store(rows, Ordering::Relaxed);
    }

    /// The number of the last statement that has begun to load; -1 when there was none.
    pub fn query(&self) -> i64 {
        self.query.load(Ordering::Relaxed)
    }

    /// Rows that were loaded last.
    pub fn rows(&self) -> i64 {
        self.rows.load(Ordering::Relaxed)
    }
}

/// What an advisory lock is about. The two forms are different locks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AdvisoryKey {
    /// A number.
    Number(i64),
    /// Two numbers.
    Pair(i32, i32),
}

/// Who else may have a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LockMode {
    /// Others that share it.
    Shared,
    /// Nobody.
    Exclusive,
}

/// How long a lock is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockExtent {
    /// Until it is unlocked as often as it was locked, or the session ends.
    Session,
    /// Until the transaction ends.
    Transaction,
}

/// A lock that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AdvisoryLock {
    /// What it is about.
    pub key: AdvisoryKey,
    /// Who else may have it.
    pub mode: LockMode,
    /// How long it is held.
    pub extent: LockExtent,
}

/// The advisory locks of a session.
pub trait AdvisoryLocks: std::fmt::Debug + Send + Sync {
    /// Takes a lock, if need be when others have unlocked it. The thread waits.
    ///
    /// # Errors
    /// 40P01 when they wait for this session, 55P03 after this time, 57014 when the statement has been ended, 53200 when
    /// there are too many locks.
    fn wait(&self, lock: AdvisoryLock, timeout: Option<Duration>, interrupt: &Interrupt) -> crate::error::Result<()>;

    /// Takes a lock if that is possible at once.
    ///
    /// # Errors
    /// 53200 when there are too many locks.
    fn try_lock(&self, lock: AdvisoryLock) -> crate::error::Result<bool>;

    /// Gives back a lock of the session's. Whether it had it; otherwise there is a warning.
    fn unlock(&self, key: AdvisoryKey, mode: LockMode) -> bool;

    /// Gives back all locks of the session's.
    fn unlock_all(&self);
}

/// Who waits for whom.
pub trait Waits: std::fmt::Debug + Send + Sync {
    /// The processes whose transactions this one waits for.
    fn blocking(&self, process_id: i32) -> Vec<i32>;
}

/// The settings, as a statement of a session sees them.
pub trait Settings: std::fmt::Debug + Send + Sync {
    /// The value as `SHOW` prints it; none if there is no such setting.
    ///
    /// # Errors
    /// 42501 when it is not for this role.
    fn value(&self, name: &str) -> crate::error::Result<Option<String>>;

    /// Sets a value, or the default again, up to the end of the transaction if it is `local`. What it is now.
    ///
    /// # Errors
    /// The setting cannot have it.
    fn set(&self, name: &str, value: Option<&str>, local: bool) -> crate::error::Result<String>;

    /// All that `pg_settings` has.
    fn all(&self) -> Vec<SettingRow>;
}

/// A row of `pg_settings`.
#[derive(Debug, Clone)]
pub struct SettingRow {
    /// Its name.
    pub name: &'static str,
    /// Its value, of a number in the setting's unit.
    pub setting: String,
    /// Its value, as `SHOW` prints it.
    pub shown: String,
    /// The unit.
    pub unit: Option<&'static str>,
    /// What settings it is one of.
    pub category: &'static str,
    /// One sentence about it.
    pub description: &'static str,
    /// Who may change it, and when.
    pub context: &'static str,
    /// Which kind of value it has.
    pub vartype: &'static str,
    /// Who has set it.
    pub source: &'static str,
    /// The least and the greatest value.
    pub range: Option<(String, String)>,
    /// The values, where they are words.
    pub values: &'static [&'static str],
    /// Its value when nobody sets it.
    pub default: &'static str,
    /// The value that RESET comes back to.
    pub reset: String,
}

impl Default for SessionValues {
    fn default() -> Self {
        SessionValues {
            time_zone: Zone::UTC,
            styles: Styles::DEFAULT,
            client_encoding: Encoding::UTF8,
            transaction_start_us: 0,
            statement_start_us: 0,
            user: String::new(),
            database: String::new(),
            schemas: Vec::new(),
            temporary_schema: None,
            server_start_us: 0,
            process_id: 0,
            addresses: None,
            version: String::new(),
            settings: None,
            random: RandomState::default(),
            sequences: None,
            notifications: None,
            transaction_number: None,
            advisory_locks: None,
            last_load: None,
            lock_timeout: None,
            waits: None,
            others: None,
            names: None,
            interrupt: Interrupt::default(),
        }
    }
}

impl ConfigExtension for SessionValues {
    const PREFIX: &'static str = "thermocline";
}

/// The values are not options: they are not set or listed by name.
impl ExtensionOptions for SessionValues {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn cloned(&self) -> Box<dyn ExtensionOptions> {
        Box::new(self.clone())
    }

    fn set(&mut self, key: &str, _value: &str) -> Result<()> {
        Err(DataFusionError::Configuration(format!("{key} cannot be set")))
    }

    fn entries(&self) -> Vec<ConfigEntry> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_knows_what_it_works_for_as_long_as_it_does() {
        let (ended, other) = (Interrupt::default(), Interrupt::default());
        ended.set();
        assert!(Interrupt::check_current().is_ok());
        ended.during(|| {
            assert!(Interrupt::check_current().is_err());
            assert!(other.during(Interrupt::check_current).is_ok());
            assert!(Interrupt::check_current().is_err());
        });
        assert!(std::panic::catch_unwind(|| ended.during(|| panic!("a panic that the test wants"))).is_err());
        assert!(Interrupt::check_current().is_ok());
    }
}
