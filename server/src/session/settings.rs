//! The settings of a session (`SET`, `SHOW`), with PostgreSQL's names and defaults.
//!
//! A setting that we do not honour accepts only the value that describes what we do; anything else is refused rather than
//! ignored.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use catalog::{Isolation, Role};
use pg::session::{Tz, zone_named};

use crate::error::{Error, Result};
use crate::parse::statement::TransactionModes;
use crate::server::{SERVER_VERSION, SUPERUSER};

/// A setting.
#[derive(Debug)]
pub struct Setting {
    /// Its name, spelled as SHOW ALL prints it.
    pub name: &'static str,
    /// Its value when nobody has set it.
    pub default: &'static str,
    /// Whether the client is told its value at the start and at each change.
    pub reported: bool,
    /// Which values it takes.
    accepts: Accepts,
}

#[derive(Debug)]
enum Accepts {
    /// Any text.
    Text,
    /// One of these, in any case; the first is what is meant by all of them.
    OneOf(&'static [&'static str]),
    /// A time in milliseconds, or with a unit.
    Milliseconds,
    /// A number in a range.
    Integer(i64, i64),
    /// One of these, each meaning itself.
    Names(&'static [&'static str]),
    /// On or off.
    Boolean,
    /// Names of schemas.
    SearchPath,
    /// The name of a time zone.
    TimeZone,
    /// Nothing: it cannot be changed.
    Nothing,
}

macro_rules! setting {
    ($name:literal, $default:expr, $reported:literal, $accepts:expr) => {
        Setting { name: $name, default: $default, reported: $reported, accepts: $accepts }
    };
}

/// All settings, in the order of their names.
pub const SETTINGS: &[Setting] = &[
    setting!("application_name", "", true, Accepts::Text),
    setting!("bytea_output", "hex", false, Accepts::OneOf(&["hex"])),
    setting!("client_encoding", "UTF8", true, Accepts::OneOf(&["UTF8", "utf-8", "unicode"])),
    setting!("client_min_messages", "notice", false, Accepts::OneOf(&["notice"])),
    setting!("DateStyle", "ISO, MDY", true, Accepts::OneOf(&["ISO, MDY", "ISO", "iso,mdy", "MDY"])),
    // It is about SERIALIZABLE transactions alone.
    setting!("default_transaction_deferrable", "off", false, Accepts::Boolean),
    setting!("default_transaction_isolation", "read committed", false, Accepts::Names(ISOLATION_LEVELS)),
    setting!("default_transaction_read_only", "off", true, Accepts::Boolean),
    // One to three digits more than float's precision all mean the shortest text that reads back the same.
    setting!("extra_float_digits", "1", false, Accepts::Integer(1, 3)),
    setting!("idle_in_transaction_session_timeout", "0", false, Accepts::Milliseconds),
    setting!("idle_session_timeout", "0", false, Accepts::Milliseconds),
    setting!("in_hot_standby", "off", true, Accepts::Nothing),
    setting!("integer_datetimes", "on", true, Accepts::Nothing),
    setting!("IntervalStyle", "postgres", true, Accepts::OneOf(&["postgres"])),
    setting!("is_superuser", "on", true, Accepts::Nothing),
    setting!("lock_timeout", "0", false, Accepts::Milliseconds),
    setting!("max_identifier_length", "63", false, Accepts::Nothing),
    setting!("password_encryption", "scram-sha-256", false, Accepts::Names(&["scram-sha-256", "md5"])),
    setting!("search_path", "\"$user\", public", false, Accepts::SearchPath),
    setting!("server_encoding", "UTF8", true, Accepts::Nothing),
    setting!("server_version", SERVER_VERSION, true, Accepts::Nothing),
    setting!("server_version_num", "150004", false, Accepts::Nothing),
    setting!("session_authorization", SUPERUSER, true, Accepts::Nothing),
    setting!("standard_conforming_strings", "on", true, Accepts::OneOf(&["on", "true", "yes", "1"])),
    setting!("statement_timeout", "0", false, Accepts::Milliseconds),
    setting!("TimeZone", "UTC", true, Accepts::TimeZone),
    setting!("transaction_isolation", "read committed", false, Accepts::Names(ISOLATION_LEVELS)),
    setting!("transaction_read_only", "off", false, Accepts::Boolean),
];

/// The isolation levels that there are.
const ISOLATION_LEVELS: &[&str] = &["read committed", "read uncommitted", "repeatable read"];

/// The values that a session has set.
#[derive(Debug, Clone, Default)]
pub struct SessionSettings {
    values: HashMap<&'static str, String>,
    /// Those that end with the transaction.
    local: HashMap<&'static str, String>,
    /// Those that the client began with, which RESET comes back to.
    initial: HashMap<&'static str, String>,
    /// Made when it is first asked for after a change.
    known: OnceLock<KnownSettings>,
}

/// What every statement asks of the settings. They change seldom.
#[derive(Debug, Clone)]
pub struct KnownSettings {
    /// Setting `TimeZone`.
    pub time_zone: Tz,
    /// All settings by their names in lower case. Settings that have not been changed since share it.
    pub values: Arc<[(String, String)]>,
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
        let superuser = if role.superuser { "on" } else { "off" };
        let initial = [("session_authorization", role.name.clone()), ("is_superuser", superuser.to_owned())];
        SessionSettings { initial: initial.into(), ..SessionSettings::default() }
    }

    /// The setting of this name, in any case.
    ///
    /// # Errors
    /// 42704 when there is none.
    pub fn find(name: &str) -> Result<&'static Setting> {
        let name = match name.to_ascii_lowercase().as_str() {
            "transaction isolation level" => "transaction_isolation",
            "time zone" => "TimeZone",
            "session authorization" => "session_authorization",
            _ => name,
        };
        let found = SETTINGS.iter().find(|setting| setting.name.eq_ignore_ascii_case(name));
        found.ok_or_else(|| Error::UndefinedSetting { name: name.to_owned() })
    }

    /// The value of a setting.
    pub fn get(&self, setting: &Setting) -> String {
        self.value(setting.name).cloned().unwrap_or_else(|| setting.default.to_owned())
    }

    fn value(&self, name: &str) -> Option<&String> {
        self.local.get(name).or_else(|| self.values.get(name)).or_else(|| self.initial.get(name))
    }

    /// The isolation level of transactions that say nothing about it.
    pub fn default_isolation(&self) -> Isolation {
        isolation_named(self.value("default_transaction_isolation").map_or("", String::as_str))
    }

    /// Whether transactions that say nothing about it may change nothing.
    pub fn default_read_only(&self) -> bool {
        self.value("default_transaction_read_only").is_some_and(|value| value == "on")
    }

    /// `SET SESSION CHARACTERISTICS AS TRANSACTION`
    ///
    /// # Errors
    /// None.
    pub fn set_transaction_defaults(&mut self, modes: TransactionModes) -> Result<()> {
        if let Some(isolation) = modes.isolation {
            let setting = SessionSettings::find("default_transaction_isolation")?;
            self.set(setting, Some(isolation_name(isolation)), false)?;
        }
        if let Some(read_only) = modes.read_only {
            let value = if read_only { "on" } else { "off" };
            self.set(SessionSettings::find("default_transaction_read_only")?, Some(value), false)?;
        }
        Ok(())
    }

    /// Sets a value, in its canonical spelling, or the default again; up to the end of the transaction if it is `local`.
    ///
    /// # Errors
    /// 22023 when the setting cannot have it, 0A000 when we cannot honour it, 55P02 when it cannot be changed.
    pub fn set(&mut self, setting: &'static Setting, value: Option<&str>, local: bool) -> Result<()> {
        let canonical = match value {
            Some(value) => setting.canonical(value)?,
            None if matches!(setting.accepts, Accepts::Nothing) => {
                return Err(Error::ReadOnlySetting { name: setting.name.to_owned() });
            }
            None if local => self.initial.get(setting.name).map_or(setting.default, String::as_str).to_owned(),
            None => {
                self.local.remove(setting.name);
                self.values.remove(setting.name);
                self.known.take();
                return Ok(());
            }
        };
        if local {
            self.local.insert(setting.name, canonical);
        } else {
            self.local.remove(setting.name);
            self.values.insert(setting.name, canonical);
        }
        self.known.take();
        Ok(())
    }

    /// Sets what the client begins with.
    ///
    /// # Errors
    /// As for [`set`](Self::set).
    pub fn begin_with(&mut self, setting: &'static Setting, value: &str) -> Result<()> {
        self.initial.insert(setting.name, setting.canonical(value)?);
        self.known.take();
        Ok(())
    }

    /// Sets all defaults again.
    pub fn reset_all(&mut self) {
        self.values.clear();
        self.local.clear();
        self.known.take();
    }

    /// The transaction has ended, and with it what was set for it.
    pub fn end_local(&mut self) {
        if !self.local.is_empty() {
            self.local.clear();
            self.known.take();
        }
    }

    /// The settings as statements ask for them.
    pub fn known(&self) -> &KnownSettings {
        self.known.get_or_init(|| KnownSettings {
            // The setting takes no other values than names of zones.
            time_zone: Self::find("TimeZone").ok().and_then(|it| zone_named(&self.get(it))).unwrap_or(Tz::UTC),
            values: SETTINGS.iter().map(|it| (it.name.to_ascii_lowercase(), self.get(it))).collect(),
        })
    }

    /// The settings that the client is told.
    pub fn reported(&self) -> impl Iterator<Item = (&'static str, String)> + '_ {
        SETTINGS.iter().filter(|setting| setting.reported).map(|setting| (setting.name, self.get(setting)))
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

    fn duration(&self, name: &str) -> Option<Duration> {
        let milliseconds = self.value(name).and_then(|value| parse_milliseconds(value))?;
        (milliseconds > 0).then(|| Duration::from_millis(milliseconds))
    }

    /// The schemas in which an unqualified name is looked for, in order.
    pub fn search_path(&self, user: &str) -> Vec<String> {
        let path = self.value("search_path").map_or("\"$user\", public", String::as_str);
        let names = split_names(path).unwrap_or_default();
        names.into_iter().map(|name| if name == "$user" { user.to_owned() } else { name }).collect()
    }
}

impl Setting {
    /// A value in its canonical spelling.
    ///
    /// # Errors
    /// 22023 when the setting cannot have it, 0A000 when we cannot honour it, 55P02 when it cannot be changed.
    pub fn canonical(&self, value: &str) -> Result<String> {
        let invalid = || Error::InvalidParameterValue {
            message: format!("invalid value for parameter \"{}\": \"{value}\"", self.name),
        };
        match &self.accepts {
            Accepts::Text => Ok(value.to_owned()),
            Accepts::Nothing => Err(Error::ReadOnlySetting { name: self.name.to_owned() }),
            Accepts::OneOf(values) => {
                let same = |known: &&&str| known.replace(' ', "").eq_ignore_ascii_case(&value.replace(' ', ""));
                match values.iter().find(same) {
                    Some(_) => Ok(values[0].to_owned()),
                    None => Err(Error::not_supported(format!("{} = \"{value}\"", self.name))),
                }
            }
            Accepts::Names(names) => match names.iter().find(|name| name.eq_ignore_ascii_case(value.trim())) {
                Some(name) => Ok((*name).to_owned()),
                None if value.trim().eq_ignore_ascii_case("serializable") => Err(Error::no_serializable_transactions()),
                None => Err(invalid()),
            },
            Accepts::Boolean => match value.trim().to_ascii_lowercase().as_str() {
                "on" | "true" | "yes" | "1" | "t" | "y" => Ok("on".to_owned()),
                "off" | "false" | "no" | "0" | "f" | "n" => Ok("off".to_owned()),
                _ => Err(Error::InvalidParameterValue {
                    message: format!("parameter \"{}\" requires a Boolean value", self.name),
                }),
            },
            Accepts::Milliseconds => parse_milliseconds(value).map(shown_milliseconds).ok_or_else(invalid),
            Accepts::Integer(min, max) => match value.trim().parse::<i64>() {
                Ok(number) if (*min..=*max).contains(&number) => Ok(number.to_string()),
                Ok(_) => Err(Error::not_supported(format!("{} = {value}", self.name))),
                Err(_) => Err(invalid()),
            },
            Accepts::TimeZone if ["0", "z", "zulu"].contains(&value.to_ascii_lowercase().as_str()) => {
                Ok("UTC".to_owned())
            }
            Accepts::TimeZone => match pg::session::zone_named(value) {
                Some(zone) => Ok(zone.name().to_owned()),
                None => Err(invalid()),
            },
            Accepts::SearchPath => split_names(value).map(|_| value.to_owned()).ok_or_else(invalid),
        }
    }
}

/// A time such as `1500`, `1500ms`, `2s`, `1 min`, in milliseconds.
pub fn parse_milliseconds(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().ok()?;
    let factor = match text[digits..].trim() {
        "" | "ms" => 1,
        "s" => 1_000,
        "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(factor).filter(|ms| *ms <= i32::MAX as u64)
}

/// A time in the largest unit of which it is a number of whole ones.
fn shown_milliseconds(milliseconds: u64) -> String {
    let units = [("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000)];
    match units.iter().find(|(_, factor)| milliseconds > 0 && milliseconds.is_multiple_of(*factor)) {
        Some((unit, factor)) => format!("{}{unit}", milliseconds / factor),
        None if milliseconds == 0 => "0".to_owned(),
        None => format!("{milliseconds}ms"),
    }
}

/// Identifiers between commas; those without quotes are folded.
fn split_names(text: &str) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (name, behind) = match rest.strip_prefix('"') {
            Some(quoted) => {
                // Two quotes inside of quotes are one.
                let mut end = quoted.find('"')?;
                while quoted[end + 1..].starts_with('"') {
                    end += 2 + quoted[end + 2..].find('"')?;
                }
                (quoted[..end].replace("\"\"", "\""), &quoted[end + 1..])
            }
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                let name = catalog::name::fold_identifier(rest[..end].trim());
                if name.is_empty() {
                    return None;
                }
                (name, &rest[end..])
            }
        };
        names.push(name);
        rest = match behind.trim_start().strip_prefix(',') {
            Some(next) if !next.trim().is_empty() => next.trim_start(),
            None if behind.trim().is_empty() => "",
            _ => return None,
        };
    }
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, value: &str, expected: &str) {
        let mut settings = SessionSettings::default();
        let set = SessionSettings::find(name).and_then(|setting| {
            settings.set(setting, Some(value), false)?;
            Ok(settings.get(setting))
        });
        let printed = set.unwrap_or_else(|error| error.report().sqlstate.code().to_owned());
        assert_eq!(printed, expected, "{name} = {value}");
    }

    #[test]
    fn values_are_canonical_or_refused() {
        check("STATEMENT_TIMEOUT", "2000", "2s");
        check("statement_timeout", "1500", "1500ms");
        check("statement_timeout", "soon", "22023");
        check("datestyle", "iso, mdy", "ISO, MDY");
        check("DateStyle", "German", "0A000");
        check("time zone", "utc", "UTC");
        check("TimeZone", "europe/berlin", "Europe/Berlin");
        check("TimeZone", "Nowhere", "22023");
        check("extra_float_digits", "3", "3");
        check("server_version", "9.6", "55P02");
        check("no_such_thing", "1", "42704");
        check("search_path", "a,,b", "22023");
    }

    #[test]
    fn what_statements_know_follows_each_change() {
        let mut settings = SessionSettings::default();
        let zone = SessionSettings::find("TimeZone").unwrap();
        let shown = |settings: &SessionSettings| {
            let known = settings.known();
            let value = known.values.iter().find(|(name, _)| name == "timezone").unwrap().1.clone();
            (known.time_zone.name(), value)
        };
        assert_eq!(shown(&settings), ("UTC", "UTC".to_owned()));
        settings.set(zone, Some("europe/berlin"), false).unwrap();
        assert_eq!(shown(&settings), ("Europe/Berlin", "Europe/Berlin".to_owned()));
        let saved = settings.clone();
        settings.set(zone, Some("Asia/Tokyo"), true).unwrap();
        assert_eq!(shown(&settings), ("Asia/Tokyo", "Asia/Tokyo".to_owned()));
        settings.end_local();
        assert_eq!(shown(&settings), ("Europe/Berlin", "Europe/Berlin".to_owned()));
        settings.set(zone, None, false).unwrap();
        assert_eq!(shown(&settings), ("UTC", "UTC".to_owned()));
        assert_eq!(shown(&saved), ("Europe/Berlin", "Europe/Berlin".to_owned()));
        assert!(settings.set(zone, Some("Nowhere"), false).is_err());
        settings.begin_with(zone, "Asia/Tokyo").unwrap();
        assert_eq!(shown(&settings), ("Asia/Tokyo", "Asia/Tokyo".to_owned()));
        settings.set(zone, Some("utc"), false).unwrap();
        assert_eq!(shown(&settings), ("UTC", "UTC".to_owned()));
        settings.reset_all();
        assert_eq!(shown(&settings), ("Asia/Tokyo", "Asia/Tokyo".to_owned()));
    }

    #[test]
    fn the_search_path_knows_the_user() {
        let mut settings = SessionSettings::default();
        assert_eq!(settings.search_path("eva"), ["eva", "public"]);
        settings.set(SessionSettings::find("search_path").unwrap(), Some("Lake, \"Hot Data\""), false).unwrap();
        assert_eq!(settings.search_path("eva"), ["lake", "Hot Data"]);
        settings.set(SessionSettings::find("search_path").unwrap(), Some("\"a\"\"b\"\"\", c"), false).unwrap();
        assert_eq!(settings.search_path("eva"), ["a\"b\"", "c"]);
    }
}
