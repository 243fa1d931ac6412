//! A session: who asks, with which settings, in which transaction.

pub mod activity;
pub mod authorize;
pub mod guard;
pub mod notifications;
pub mod portal;
pub mod prepared;
pub mod registry;
pub mod settings;
pub mod short_queries;
mod skipped_data;
mod temporary;
pub mod transaction;
pub mod transaction_number;

use activity::{ActivityState, Origin};
pub use authorize::{Action, Object, authorize};
pub use guard::StatementGuard;
pub use notifications::SessionNotifications;
pub use portal::{Portal, Portals, ShownPortals};
pub use prepared::{Prepared, PreparedStatements};
use registry::ReachableSessions;
pub use registry::{SessionEntry, SessionRegistry};
pub use settings::SessionSettings;
use settings::Source;
use settings::asked::{AskedSettings, StatementSettings};
use settings::setting::on_or_off;
pub use short_queries::ShortQueries;
use skipped_data::SkippedData;
pub use transaction::{OpenTransaction, TransactionState, TransactionStatus};
use transaction_number::SessionTransactionNumber;

use std::sync::{Arc, Mutex, PoisonError};

use catalog::{CatalogChange, CatalogSnapshot, Oid, Role, SessionCatalog};

use crate::error::{Error, Result};
use crate::locks::TransactionLocks;
use crate::locks::advisory::SessionAdvisoryLocks;
use crate::parse::secrets::AccessKeys;
use crate::plan::relations::NameScope;
use crate::plan::statement_plans::StatementPlans;
use crate::query_log::RunningQuery;
use crate::sequences::SessionSequences;
use crate::server::SERVER_VERSION;
use crate::server::Server;
use pg::SessionValues;
use pg::names::Names;
use pg::session::{Addresses, LastLoad, TransactionNumber};
use pg::sqlstate::SqlState;
use storage::object_stores::ObjectStores;
use storage::scan::report::ScanReports;

/// Objects that are dropped with others and named in a notice (PostgreSQL's `MAX_REPORTED_DEPS`).
const CASCADE_SHOWN_MAX: usize = 100;

/// A session.
#[derive(Debug)]
pub struct Session {
    /// What all sessions share.
    pub server: Arc<Server>,
    /// This session among the others.
    pub entry: Arc<SessionEntry>,
    /// Who is connected.
    pub identity: Arc<Identity>,
    /// The catalog as it sees it.
    pub catalog: SessionCatalog,
    /// Its settings.
    pub settings: SessionSettings,
    /// What functions of the statement have asked of them.
    pub asked: AskedSettings,
    /// Its transaction.
    pub transaction: TransactionState,
    /// Its prepared statements.
    pub statements: Arc<PreparedStatements>,
    /// Its short queries of late, by their texts.
    pub short_queries: ShortQueries,
    /// Its portals, cursors among them.
    pub portals: Portals,
    /// The entry in the log of the statement that is being planned and executed.
    pub running: Option<RunningQuery>,
    /// What ends the statement that is being planned and executed.
    guard: Option<StatementGuard>,
    /// What its transaction has locked, if anything.
    locks: Option<TransactionLocks>,
    notices: Vec<Notice>,
    /// Scans that may leave out what cannot be read, which the client has to hear of.
    scans: Mutex<Vec<Arc<ScanReports>>>,
    /// Where plans are noted, when a statement is explained by running it.
    pub explained: Option<Arc<StatementPlans>>,
    /// When the statement began that is being planned and executed.
    statement_start_us: Option<i64>,
    /// When the open transaction began.
    transaction_start_us: Option<i64>,
    /// What it sends to those who listen, and what it listens to.
    pub notifications: Arc<SessionNotifications>,
    /// The number of its transaction.
    pub transaction_number: Arc<SessionTransactionNumber>,
    /// What it locks by agreement with others.
    pub advisory_locks: Arc<SessionAdvisoryLocks>,
    /// The values of sequences.
    pub sequences: Arc<SessionSequences>,
    /// What COPY has loaded last.
    pub last_load: Arc<LastLoad>,
    /// The generator behind `random()`.
    random: pg::library::number::RandomState,
}

/// Who a session belongs to: all that planning knows of it besides its settings.
#[derive(Debug)]
pub struct Identity {
    /// The role.
    pub user: String,
    /// Its number, which stays when it is renamed.
    pub role: Oid,
    /// The database.
    pub database: String,
    /// What `pg_backend_pid()` says.
    pub process_id: i32,
    /// The ends of its connection, unless that is a Unix socket.
    pub addresses: Option<Addresses>,
}

/// Something the client should hear that is no error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// `INFO`, `NOTICE` or `WARNING`
    pub severity: &'static str,
    /// Its code.
    pub sqlstate: SqlState,
    /// One line.
    pub message: String,
    /// Whole lines.
    pub detail: Option<String>,
}

impl Session {
    /// A new session of a user who has been let in.
    pub fn new(
        server: Arc<Server>,
        role: &Role,
        database: String,
        addresses: Option<Addresses>,
        long_key: bool,
    ) -> Self {
        let peer = addresses.map(|ends| ends.client);
        let origin = Origin { role: role.oid, user: role.name.clone(), database: database.clone(), peer };
        let entry = server.sessions.register(long_key, origin, server.stopping().child_token());
        let (user, process_id) = (role.name.clone(), entry.process_id);
        let mut settings = SessionSettings::of(role);
        let access = &server.access;
        settings.preset("max_connections", access.config.sessions_max.to_string(), Source::Configuration);
        settings.preset("ssl", on_or_off(access.tls.is_some()).to_owned(), Source::Configuration);
        Session {
            sequences: Arc::new(SessionSequences::new(server.clone())),
            notifications: Arc::new(SessionNotifications::new(server.notifications.clone(), process_id)),
            transaction_number: Arc::new(SessionTransactionNumber::new(server.transaction_numbers.clone())),
            advisory_locks: Arc::new(SessionAdvisoryLocks::new(server.locks.clone(), process_id)),
            catalog: SessionCatalog::new(server.catalog.clone(), entry.process_id),
            server,
            identity: Arc::new(Identity { user, role: role.oid, database, process_id, addresses }),
            entry,
            settings,
            asked: AskedSettings::default(),
            transaction: TransactionState::Idle,
            statements: Arc::default(),
            short_queries: ShortQueries::default(),
            portals: Portals::default(),
            running: None,
            guard: None,
            locks: None,
            notices: Vec::new(),
            scans: Mutex::default(),
            explained: None,
            last_load: Arc::default(),
            statement_start_us: None,
            transaction_start_us: None,
            random: pg::library::number::RandomState::default(),
        }
    }

    /// What the statement sees: in a transaction the same from its beginning to its end.
    ///
    /// # Errors
    /// A concurrent commit has taken away what the transaction builds on.
    pub fn snapshot(&mut self) -> Result<Arc<CatalogSnapshot>> {
        match &mut self.transaction {
            TransactionState::Open(open) => Ok(open.transaction.snapshot(&self.catalog)?),
            TransactionState::Idle | TransactionState::Failed(_) => Ok(self.catalog.snapshot()),
        }
    }

    /// The stores that the statement may use, with the secrets that it sees.
    ///
    /// # Errors
    /// As for [`Session::snapshot`].
    pub fn stores(&mut self) -> Result<Arc<ObjectStores>> {
        let snapshot = self.snapshot()?;
        Ok(self.server.stores_of(&snapshot))
    }

    /// The same, opened with the keys that the statement brings with it for a location.
    ///
    /// # Errors
    /// As for [`Session::snapshot`]; the keys cannot be used, or not there.
    pub fn stores_with(&mut self, keys: &AccessKeys, location: &str) -> Result<Arc<ObjectStores>> {
        let stores = self.stores()?;
        if !keys.has_key() {
            return Ok(stores);
        }
        if !location.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("s3://")) {
            return Err(Error::not_supported("access keys for other locations than s3://"));
        }
        Ok(Arc::new(stores.with_keys(keys.0.clone())?))
    }

    /// Shows others what the session begins to do.
    pub fn show(&self, query: &str) {
        self.entry.note(|activity| activity.begin(query, self.transaction_start_us));
    }

    /// A statement begins that the log is to have.
    pub fn log(&mut self, verb: &'static str, text: &str) {
        self.running = Some(RunningQuery::begin(self, verb, text));
    }

    /// Shows others that the session waits for its client.
    pub fn show_waiting(&self) {
        let state = match self.transaction_status() {
            TransactionStatus::Idle => ActivityState::Idle,
            TransactionStatus::Open => ActivityState::IdleInTransaction,
            TransactionStatus::Failed => ActivityState::IdleInFailedTransaction,
        };
        self.entry.note(|activity| activity.wait(state, self.settings.value("application_name")));
    }

    /// A statement begins: planning and execution are at one moment.
    pub fn begin_statement(&mut self) {
        self.statement_start_us = Some(now_us());
        self.guard = Some(self.new_guard());
        self.look_again();
    }

    /// What the statement sees may be newer from now on than what it has seen.
    pub fn look_again(&mut self) {
        if let TransactionState::Open(open) = &mut self.transaction {
            open.transaction.begin_statement();
        }
    }

    /// What functions may know of the session.
    pub fn values(&self, schemas: Vec<String>) -> SessionValues {
        let now = self.statement_start_us.unwrap_or_else(now_us);
        let known = self.settings.known();
        SessionValues {
            time_zone: known.time_zone.clone(),
            styles: known.styles,
            client_encoding: known.client_encoding,
            transaction_start_us: self.transaction_start_us.unwrap_or(now),
            statement_start_us: now,
            user: self.identity.user.clone(),
            database: self.identity.database.clone(),
            schemas,
            temporary_schema: None,
            server_start_us: self.server.start_us,
            process_id: self.identity.process_id,
            addresses: self.identity.addresses,
            version: version(),
            random: self.random.clone(),
            sequences: Some(self.sequences.clone()),
            notifications: Some(self.notifications.clone()),
            transaction_number: Some(self.transaction_number.clone()),
            advisory_locks: Some(self.advisory_locks.clone()),
            last_load: Some(self.last_load.clone()),
            lock_timeout: self.settings.lock_timeout(),
            waits: Some(self.server.locks.clone()),
            others: Some(Arc::new(ReachableSessions {
                sessions: self.server.sessions.clone(),
                role: self.identity.role,
                is_superuser: self.settings.superuser(),
            })),
            names: None,
            interrupt: self.guard().interrupt().clone(),
            settings: Some(Arc::new(self.statement_settings())),
        }
    }

    /// The settings as a statement sees them.
    pub fn statement_settings(&self) -> StatementSettings {
        let known = self.settings.known();
        StatementSettings::new(known.settings.clone(), self.isolation(), self.is_read_only(), self.asked.clone())
    }

    /// What functions may know of the session, with what names mean to the next statement.
    ///
    /// # Errors
    /// As for [`Session::snapshot`].
    pub fn named_values(&mut self) -> Result<SessionValues> {
        Ok(SessionValues { names: Some(self.names()?), ..self.values(Vec::new()) })
    }

    /// What names mean to the next statement.
    ///
    /// # Errors
    /// As for [`Session::snapshot`].
    pub fn names(&mut self) -> Result<Arc<Names>> {
        let snapshot = self.snapshot()?;
        Ok(Arc::new(NameScope::of(self).names(&snapshot)))
    }

    /// Commits the changes, or adds them to the transaction that is open.
    ///
    /// # Errors
    /// The changes do not fit.
    pub async fn commit(&mut self, changes: Vec<CatalogChange>) -> Result<()> {
        match &mut self.transaction {
            TransactionState::Open(open) => {
                open.transaction.add(&self.catalog, changes)?;
                self.transaction_number.assign();
            }
            TransactionState::Idle | TransactionState::Failed(_) => {
                let changes = self.catalog.with_schema(changes, &self.catalog.snapshot());
                self.catalog.commit(changes).await?;
                self.settle_temporary().await;
            }
        }
        Ok(())
    }

    /// Tells the client something that is no error.
    pub fn notice(&mut self, message: impl Into<String>) {
        self.notice_with_detail(message, None);
    }

    fn notice_with_detail(&mut self, message: impl Into<String>, detail: Option<String>) {
        let sqlstate = SqlState::SUCCESSFUL_COMPLETION;
        self.notices.push(Notice { severity: "NOTICE", sqlstate, message: message.into(), detail });
    }

    /// Tells the client what is dropped together with what it has named, each as messages name it.
    pub fn notice_cascade(&mut self, dropped: &[String]) {
        match dropped {
            [] => {}
            [object] => self.notice(format!("drop cascades to {object}")),
            objects => {
                let shown = objects.iter().take(CASCADE_SHOWN_MAX);
                let mut lines: Vec<_> = shown.map(|object| format!("drop cascades to {object}")).collect();
                let hidden = objects.len().saturating_sub(CASCADE_SHOWN_MAX);
                if hidden > 0 {
                    let objects = if hidden == 1 { "object" } else { "objects" };
                    lines.push(format!("and {hidden} other {objects} (see server log for list)"));
                }
                let message = format!("drop cascades to {} other objects", objects.len());
                self.notice_with_detail(message, Some(lines.join("\n")));
            }
        }
    }

    /// Tells the client what it has asked to hear, whatever `client_min_messages` says.
    pub fn inform(&mut self, message: impl Into<String>) {
        let sqlstate = SqlState::SUCCESSFUL_COMPLETION;
        self.notices.push(Notice { severity: "INFO", sqlstate, message: message.into(), detail: None });
    }

    /// Warns the client.
    pub fn warn(&mut self, sqlstate: SqlState, message: impl Into<String>) {
        self.notices.push(Notice { severity: "WARNING", sqlstate, message: message.into(), detail: None });
    }

    /// Where the plans of the statement are noted.
    pub fn plans(&self) -> impl Iterator<Item = &Arc<StatementPlans>> {
        self.running.iter().map(RunningQuery::plans).chain(&self.explained)
    }

    /// Scans of the statement report here.
    pub fn watch(&self, reports: &Arc<ScanReports>) {
        self.plans().for_each(|plans| plans.watch(reports));
        let mut scans = self.scans.lock().unwrap_or_else(PoisonError::into_inner);
        // Those of cursors go on; of others nothing holds them any more.
        scans.retain(|scan| Arc::strong_count(scan) > 1);
        scans.push(reports.clone());
    }

    /// Warns the client of what scans have left out since it was told last.
    pub fn warn_of_skipped(&mut self) {
        let skipped = SkippedData::of(self.scans.get_mut().unwrap_or_else(PoisonError::into_inner));
        if let Some(SkippedData { message, detail }) = skipped {
            let (severity, sqlstate) = ("WARNING", SqlState::WARNING);
            self.notices.push(Notice { severity, sqlstate, message, detail });
        }
    }

    /// What scans have left out by now counts for nothing: the statement has failed, or begins again.
    pub fn forget_skipped(&mut self) {
        SkippedData::of(self.scans.get_mut().unwrap_or_else(PoisonError::into_inner));
        if let Some(running) = &self.running {
            running.forget_scans();
        }
    }

    /// What there is to tell, once.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        for warning in self.advisory_locks.take_warnings() {
            self.warn(SqlState::WARNING, warning);
        }
        std::mem::take(&mut self.notices)
    }

    /// The guard of the statement: it ends when the client cancels, when its time is over, or when the server stops. However
    /// often the statement waits or begins again, its time is the same.
    pub fn guard(&self) -> StatementGuard {
        self.guard.clone().unwrap_or_else(|| self.new_guard())
    }

    fn new_guard(&self) -> StatementGuard {
        StatementGuard::new(&self.entry, self.settings.statement_timeout())
    }
}

/// Microseconds since 1970: what a statement calls now.
#[allow(clippy::disallowed_methods, reason = "this is where a statement is given the time")]
pub fn now_us() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_micros() as i64)
}

/// `version()`
fn version() -> String {
    format!(
        "PostgreSQL {SERVER_VERSION} (Thermocline {}) on {}-{}",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::ARCH,
        std::env::consts::OS
    )
}

impl Drop for Session {
    fn drop(&mut self) {
        self.guard().interrupt().set();
        self.notifications.leave();
        self.advisory_locks.leave();
        self.server.sessions.unregister(self.entry.process_id);
    }
}
