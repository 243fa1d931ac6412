//! The settings of a session (`SET`, `SHOW`), with PostgreSQL's names, defaults and messages.
//!
//! [`table`] has them all, [`setting`] says which values they take, and [`asked`] is how functions see and change them. What
//! a value says is done, or it makes no difference to any answer, or it is refused: [`setting::Effect`].

pub mod asked;
pub mod names;
pub mod number;
pub mod setting;
pub mod table;
mod text;

pub use setting::Setting;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use catalog::{Isolation, OnBadData, Role};
use pg::datetime::zone::Zone;
use pg::encoding::Encoding;
use pg::error::Result;
use pg::sqlstate::SqlState;
use pg::styles::ByteaOutput;
use pg::{PgError, Styles};
use storage::external::{ScanBudget, SessionTolerance};
use storage::object_stores::listings::ListingAge;

use crate::aggregation::Grouping;
use crate::cost::ScanPrice;
use crate::join_order::JoinOrdering;

use crate::parse::statement::TransactionModes;
use setting::on_or_off;

/// The settings that plans depend on.
const OF_PLANS: [&str; 10] = [
    "enable_hashjoin",
    "join_collapse_limit",
    "max_scan_bytes",
    "spectrum_query_maxerror",
    "thermocline.dynamic_filters",
    "thermocline.eager_aggregation",
    "thermocline.join_order_rows_min",
    "thermocline.listing_ttl",
    "thermocline.on_bad_data",
    "thermocline.workers_per_query",
];

/// A setting, by the name that values are kept under.
#[derive(Debug, Clone)]
pub enum Known {
    /// One of the server's.
    Own(&'static Setting),
    /// One that somebody has made up, `module.name`, in lower case. It means nothing to the server, and is kept.
    Custom(String),
}

impl Known {
    fn key(&self) -> Cow<'static, str> {
        match self {
            Known::Own(setting) => setting.name.into(),
            Known::Custom(name) => name.clone().into(),
        }
    }

    /// The name, as messages have it.
    pub fn name(&self) -> &str {
        match self {
            Known::Own(setting) => setting.name,
            Known::Custom(name) => name,
        }
    }
}

/// Values by the names of settings.
pub type Values = BTreeMap<Cow<'static, str>, String>;

/// The values that a session has set.
#[derive(Debug, Clone, Default)]
pub struct SessionSettings {
    values: Values,
    /// Those that end with the transaction.
    local: Values,
    /// Those that the session began with, which RESET comes back to, and who has set them.
    initial: BTreeMap<Cow<'static, str>, (String, Source)>,
    /// Made when it is first asked for after a change.
    known: OnceLock<KnownSettings>,
}

/// Who has set the value that a session began with (`pg_settings.source`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The server's own.
    Override,
    /// The server's configuration.
    Configuration,
    /// ALTER ROLE.
    User,
    /// The client, as it connected.
    Client,
    /// The session.
    Session,
}

impl Source {
    fn name(self) -> &'static str {
        match self {
            Source::Override => "override",
            Source::Configuration => "configuration file",
            Source::User => "user",
            Source::Client => "client",
            Source::Session => "session",
        }
    }
}

/// What every statement asks of the settings. They change seldom.
#[derive(Debug, Clone)]
pub struct KnownSettings {
    /// Setting `TimeZone`.
    pub time_zone: Zone,
    /// How values are written.
    pub styles: Styles,
    /// Setting `client_encoding`.
    pub client_encoding: Encoding,
    /// The values that are not the defaults. Settings that have not been changed since share it.
    pub values: Arc<Values>,
    /// All of them, for those who ask for one by its name.
    pub settings: Arc<SessionSettings>,
}

/// The name of an isolation level.
pub fn isolation_name(isolation: Isolation) -> &'static str {
    match isolation {
        Isolation::ReadCommitted => "read committed",
        Isolation::RepeatableRead => "repeatable read",
    }
}

/// What the name of an isolation level asks for.
pub fn isolation_named(name: &str) -> Isolation {
    match name {
        "repeatable read" => Isolation::RepeatableRead,
        // READ UNCOMMITTED is READ COMMITTED: it promises no less.
        _ => Isolation::ReadCommitted,
    }
}

impl SessionSettings {
    /// Those of a session of this role, as far as they say who it is.
    pub fn of(role: &Role) -> Self {
        let mut settings = SessionSettings::default();
        settings.preset("session_authorization", role.name.clone(), Source::Override);
        settings.preset("is_superuser", on_or_off(role.superuser).to_owned(), Source::Override);
        settings
    }

    /// Gives a setting the value that the server has found for it.
    pub fn preset(&mut self, name: &'static str, value: String, source: Source) {
        self.initial.insert(name.into(), (value, source));
        self.known.take();
    }

    /// The setting of this name, in any case: one of the server's, or a custom one that has been set.
    ///
    /// # Errors
    /// 42704 when there is none.
    pub fn find(&self, name: &str) -> Result<Known> {
        let found = table::find(name).map(Known::Own).or_else(|| {
            let lower = name.to_ascii_lowercase();
            self.has_custom(&lower).then_some(Known::Custom(lower))
        });
        found.ok_or_else(|| undefined(name))
    }

    /// The setting of this name, which may be a custom one that nobody has set.
    ///
    /// # Errors
    /// 42704 when there is none, 42602 for a name that a custom one cannot have.
    pub fn find_or_new(&self, name: &str) -> Result<Known> {
        if name.contains('.') && !names::is_custom(name) {
            let message = format!("invalid configuration parameter name \"{name}\"");
            let detail = "Custom parameter names must be two or more simple identifiers separated by dots.";
            return Err(PgError::new(SqlState::INVALID_NAME, message).with_detail(detail));
        }
        match self.find(name) {
            Err(_) if name.contains('.') => Ok(Known::Custom(name.to_ascii_lowercase())),
            found => found,
        }
    }

    fn has_custom(&self, name: &str) -> bool {
        self.values.contains_key(name) || self.local.contains_key(name) || self.initial.contains_key(name)
    }

    /// The value of a setting, in its own unit.
    pub fn get(&self, setting: &Setting) -> String {
        self.value(setting.name).map_or(setting.default, String::as_str).to_owned()
    }

    /// The value of a setting as SHOW prints it.
    pub fn shown(&self, known: &Known) -> String {
        match known {
            Known::Own(setting) => setting.shown(&self.get(setting)),
            Known::Custom(name) => self.value(name).cloned().unwrap_or_default(),
        }
    }

    /// The value that RESET comes back to.
    pub fn reset_value(&self, setting: &Setting) -> String {
        self.initial.get(setting.name).map_or(setting.default, |(value, _)| value.as_str()).to_owned()
    }

    /// The value of a setting that is not its default, in its own unit.
    pub fn value(&self, name: &str) -> Option<&String> {
        let initial = || self.initial.get(name).map(|(value, _)| value);
        self.local.get(name).or_else(|| self.values.get(name)).or_else(initial)
    }

    /// The isolation level of transactions that say nothing about it.
    pub fn default_isolation(&self) -> Isolation {
        isolation_named(self.value("default_transaction_isolation").map_or("", String::as_str))
    }

    /// Whether transactions that say nothing about it may change nothing.
    pub fn default_read_only(&self) -> bool {
        self.value("default_transaction_read_only").is_some_and(|value| value == "on")
    }

    /// The name of the session's role.
    fn own_role(&self) -> &str {
        self.initial.get("session_authorization").map_or("", |(role, _)| role)
    }

    /// Whether the session's role is a superuser.
    pub fn superuser(&self) -> bool {
        self.value("is_superuser").is_some_and(|value| value == "on")
    }

    /// `SET SESSION CHARACTERISTICS AS TRANSACTION`
    pub fn set_transaction_defaults(&mut self, modes: TransactionModes) {
        let mut insert = |name: &'static str, value: &str| {
            self.local.remove(name);
            self.values.insert(name.into(), value.to_owned());
        };
        if let Some(isolation) = modes.isolation {
            insert("default_transaction_isolation", isolation_name(isolation));
        }
        if let Some(read_only) = modes.read_only {
            insert("default_transaction_read_only", on_or_off(read_only));
        }
        self.known.take();
    }

    /// A value in its canonical spelling, if the setting may have it by now.
    ///
    /// # Errors
    /// 22023 when the setting cannot have it, 0A000 when we cannot honour it, 55P02 when it cannot be changed, 42501 when
    /// this role may not.
    pub fn check(&self, known: &Known, value: Option<&str>) -> Result<Option<String>> {
        let Known::Own(setting) = known else { return Ok(value.map(str::to_owned)) };
        setting.check_may_change(self.superuser())?;
        value.map(|value| setting.canonical(value, self)).transpose()
    }

    /// Sets a value, or the default again; up to the end of the transaction if it is `local`.
    ///
    /// # Errors
    /// As for [`check`](Self::check).
    pub fn set(&mut self, known: &Known, value: Option<&str>, local: bool) -> Result<()> {
        let key = known.key();
        let canonical = match (self.check(known, value)?, known) {
            (Some(canonical), _) => canonical,
            (None, Known::Own(setting)) if local => self.reset_value(setting),
            (None, Known::Own(_)) => {
                self.local.remove(&key);
                self.values.remove(&key);
                self.known.take();
                return Ok(());
            }
            // One that has been set stays there, without a value.
            (None, Known::Custom(_)) => self.initial.get(&key).map(|(value, _)| value.clone()).unwrap_or_default(),
        };
        if local {
            self.local.insert(key, canonical);
        } else {
            self.local.remove(&key);
            self.values.insert(key, canonical);
        }
        self.known.take();
        Ok(())
    }

    /// Sets what the session begins with.
    ///
    /// # Errors
    /// As for [`check`](Self::check).
    pub fn begin_with(&mut self, name: &str, value: &str, source: Source) -> Result<()> {
        let known = self.find_or_new(name)?;
        if let Some(canonical) = self.check(&known, Some(value))? {
            self.initial.insert(known.key(), (canonical, source));
        }
        self.known.take();
        Ok(())
    }

    /// Sets all defaults again.
    pub fn reset_all(&mut self) {
        self.local.clear();
        // Custom settings stay there, without a value.
        self.values.retain(|name, _| name.contains('.'));
        self.values.values_mut().for_each(String::clear);
        self.known.take();
    }

    /// The transaction has ended, and with it what was set for it.
    pub fn end_local(&mut self) {
        if !self.local.is_empty() {
            let local = std::mem::take(&mut self.local);
            self.keep_custom(local.into_keys());
            self.known.take();
        }
    }

    /// Back to what was set at some time before. Custom settings that have been made since are there all the same, without a
    /// value.
    pub fn roll_back_to(&mut self, before: SessionSettings) {
        let after = std::mem::replace(self, before);
        self.keep_custom(after.values.into_keys().chain(after.local.into_keys()));
    }

    fn keep_custom(&mut self, names: impl Iterator<Item = Cow<'static, str>>) {
        for name in names.filter(|name| name.contains('.')) {
            if !self.has_custom(&name) {
                self.values.insert(name, String::new());
                self.known.take();
            }
        }
    }

    /// The settings as statements ask for them.
    pub fn known(&self) -> &KnownSettings {
        self.known.get_or_init(|| {
            let mut values: Values =
                self.initial.iter().map(|(name, (value, _))| (name.clone(), value.clone())).collect();
            values.extend(self.values.clone());
            values.extend(self.local.clone());
            // The settings take no other values than those that are understood here.
            let zone = values.get("TimeZone").and_then(|name| Zone::named(name)).unwrap_or(Zone::UTC);
            let settings = Arc::new(SessionSettings { known: OnceLock::new(), ..self.clone() });
            let client_encoding = values.get("client_encoding").and_then(|name| Encoding::named(name));
            KnownSettings {
                time_zone: zone,
                styles: styles(&values),
                client_encoding: client_encoding.unwrap_or(Encoding::UTF8),
                values: Arc::new(values),
                settings,
            }
        })
    }

    /// The same in a transaction of this kind.
    fn within(&self, isolation: Isolation, read_only: bool) -> Self {
        let mut settings = SessionSettings { known: OnceLock::new(), ..self.clone() };
        settings.local.insert("transaction_isolation".into(), isolation_name(isolation).to_owned());
        settings.local.insert("transaction_read_only".into(), on_or_off(read_only).to_owned());
        settings
    }

    /// Who has set the value that holds.
    fn source(&self, name: &str) -> &'static str {
        match self.initial.get(name) {
            _ if self.local.contains_key(name) || self.values.contains_key(name) => Source::Session.name(),
            Some((_, source)) => source.name(),
            None => "default",
        }
    }

    /// The settings that the client is told.
    pub fn reported(&self) -> impl Iterator<Item = (&'static str, String)> + '_ {
        table::all().filter(|setting| setting.reported).map(|setting| (setting.name, self.get(setting)))
    }

    /// How long a statement may run.
    pub fn statement_timeout(&self) -> Option<Duration> {
        self.duration("statement_timeout")
    }

    /// How long a statement may wait for a lock.
    pub fn lock_timeout(&self) -> Option<Duration> {
        self.duration("lock_timeout")
    }

    /// How long a session may do nothing.
    pub fn idle_session_timeout(&self) -> Option<Duration> {
        self.duration("idle_session_timeout")
    }

    /// How long a session may do nothing while a transaction is open.
    pub fn idle_in_transaction_session_timeout(&self) -> Option<Duration> {
        self.duration("idle_in_transaction_session_timeout")
    }

    /// The algorithm for passwords that are set.
    pub fn encrypts_passwords_by_md5(&self) -> bool {
        self.value("password_encryption").is_some_and(|value| value == "md5")
    }

    /// Whether the client wants to hear of something that is no error.
    pub fn sends(&self, severity: &str) -> bool {
        match self.value("client_min_messages").map(String::as_str) {
            Some("error") => false,
            Some("warning") => severity == "WARNING",
            _ => true,
        }
    }

    /// What becomes of data in files that cannot be read.
    pub fn tolerance(&self) -> SessionTolerance {
        let faults_max = self.value("spectrum_query_maxerror").and_then(|value| value.parse().ok());
        let on_bad_data = self.value("thermocline.on_bad_data").and_then(|value| OnBadData::named(value));
        SessionTolerance { on_bad_data, faults_max }
    }

    /// How old listings of files may be.
    pub fn listing_age(&self) -> ListingAge {
        let age_max = self.duration("thermocline.listing_ttl").unwrap_or_default();
        ListingAge { age_max_us: i64::try_from(age_max.as_micros()).unwrap_or(i64::MAX), now_us: super::now_us }
    }

    /// How much the scans of external tables of a statement may read.
    pub fn scan_budget(&self) -> ScanBudget {
        let bytes_max = self.value("max_scan_bytes").and_then(|value| value.parse::<f64>().ok());
        ScanBudget { bytes_max: bytes_max.filter(|bytes| *bytes > 0.0).map(|bytes| bytes as u64), estimates: false }
    }

    /// Among how many workers the rows of a query are dealt out, if somebody has said it.
    pub fn workers_per_query(&self) -> Option<usize> {
        self.value("thermocline.workers_per_query")?.parse().ok().filter(|workers| *workers > 0)
    }

    /// How many microseconds a statement has to take for its plan to be kept; nothing if no plan is.
    pub fn plan_kept_from_us(&self) -> Option<i64> {
        let milliseconds: i64 = self.value("thermocline.plan_min_duration")?.parse().ok()?;
        (milliseconds >= 0).then_some(milliseconds * 1000)
    }

    /// Whether joins may keep one side in a hash table.
    pub fn hash_joins(&self) -> bool {
        self.value("enable_hashjoin").is_none_or(|value| value == "on")
    }

    /// Whether joins and sorts tell scans below them which rows they can leave out.
    pub fn dynamic_filters(&self) -> bool {
        self.value("thermocline.dynamic_filters").is_none_or(|value| value == "on")
    }

    /// What reading external tables costs; nothing where nobody has said it.
    pub fn scan_price(&self) -> Option<ScanPrice> {
        let number = |name| self.value(name).and_then(|value| value.parse::<f64>().ok()).unwrap_or_default();
        let price = ScanPrice {
            per_terabyte: number("thermocline.price_per_terabyte"),
            per_1000_requests: number("thermocline.price_per_1000_requests"),
        };
        (price != ScanPrice::default()).then_some(price)
    }

    /// The settings that plans depend on and that are not what they are by default.
    pub fn changed_for_plans(&self) -> Vec<(String, String)> {
        let shown = |name: &&str| {
            let (setting, value) = (table::find(name)?, self.value(name)?);
            (*value != setting.default).then(|| ((*name).to_owned(), setting.shown(value)))
        };
        OF_PLANS.iter().filter_map(shown).collect()
    }

    /// When groups are made in another way than the query is written.
    pub fn grouping(&self) -> Grouping {
        match self.value("thermocline.eager_aggregation").map(String::as_str) {
            Some("always") => Grouping::Always,
            Some("off") => Grouping::AsWritten,
            _ => Grouping::ByCost,
        }
    }

    /// Which joins are put into an order.
    pub fn join_ordering(&self) -> JoinOrdering {
        let number = |name| self.value(name).and_then(|value| value.parse().ok());
        match (number("join_collapse_limit"), number("thermocline.join_order_rows_min")) {
            (Some(1), _) => JoinOrdering { rows_min: None },
            (_, rows_min @ Some(_)) => JoinOrdering { rows_min },
            _ => JoinOrdering::default(),
        }
    }

    fn duration(&self, name: &str) -> Option<Duration> {
        let milliseconds: u64 = self.value(name)?.parse().ok()?;
        (milliseconds > 0).then(|| Duration::from_millis(milliseconds))
    }

    /// The schemas in which an unqualified name is looked for, in order.
    pub fn search_path(&self, user: &str) -> Vec<String> {
        let path = self.value("search_path").map_or("\"$user\", public", String::as_str);
        let names = names::split(path).unwrap_or_default();
        names.into_iter().map(|name| if name == "$user" { user.to_owned() } else { name }).collect()
    }
}

fn styles(values: &Values) -> Styles {
    let value = |name: &str| values.get(name).map(String::as_str);
    Styles {
        dates: value("DateStyle").map_or(Styles::DEFAULT.dates, text::date_style_of),
        intervals: value("IntervalStyle").map_or(Styles::DEFAULT.intervals, text::interval_style_of),
        bytes: match value("bytea_output") {
            Some("escape") => ByteaOutput::Escape,
            _ => ByteaOutput::Hex,
        },
        float_digits: value("extra_float_digits").and_then(|digits| digits.parse().ok()).unwrap_or(1),
    }
}

/// `unrecognized configuration parameter …` (42704)
pub fn undefined(name: &str) -> PgError {
    PgError::new(SqlState::UNDEFINED_OBJECT, format!("unrecognized configuration parameter \"{name}\""))
}

#[cfg(test)]
mod tests;
