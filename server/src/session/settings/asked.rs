//! The settings as functions see and change them: `current_setting`, `set_config`, `pg_show_all_settings`.
//!
//! A function changes nothing by itself. What it asks for is checked, seen by the functions that are called after it in the
//! same statement, and done when the statement is over; if the statement fails, it is forgotten.

use std::sync::{Arc, Mutex, PoisonError};

use catalog::Isolation;
use pg::error::Result;
use pg::session::{SettingRow, Settings};

use super::setting::{Context, Kind};
use super::{Known, SessionSettings, Setting, table};

/// What a statement has asked for.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The setting.
    pub known: Known,
    /// Its value; none is the default.
    pub value: Option<String>,
    /// Whether it ends with the transaction.
    pub local: bool,
}

/// What the statements of a session have asked for and is not done yet.
#[derive(Debug, Clone, Default)]
pub struct AskedSettings(Arc<Mutex<Vec<Asked>>>);

impl AskedSettings {
    /// What there is to do, once.
    pub fn take(&self) -> Vec<Asked> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The settings as they are when a statement begins, and what it has asked for since.
#[derive(Debug)]
pub struct StatementSettings {
    /// As they were.
    settings: Arc<SessionSettings>,
    /// What the transaction says of itself.
    isolation: Isolation,
    read_only: bool,
    asked: AskedSettings,
}

impl StatementSettings {
    /// For a statement that begins with these settings.
    pub fn new(settings: Arc<SessionSettings>, isolation: Isolation, read_only: bool, asked: AskedSettings) -> Self {
        StatementSettings { settings, isolation, read_only, asked }
    }

    /// The settings, after what has been asked for.
    fn current(&self) -> SessionSettings {
        let mut settings = self.settings.within(self.isolation, self.read_only);
        for Asked { known, value, local } in self.asked.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            // What has been asked for has been checked.
            let _ = settings.set(known, value.as_deref(), *local);
        }
        settings
    }
}

impl Settings for StatementSettings {
    fn value(&self, name: &str) -> Result<Option<String>> {
        let settings = self.current();
        Ok(settings.find(name).ok().map(|known| settings.shown(&known)))
    }

    fn set(&self, name: &str, value: Option<&str>, local: bool) -> Result<String> {
        let mut settings = self.current();
        let known = settings.find_or_new(name)?;
        settings.set(&known, value, local)?;
        let asked = Asked { known: known.clone(), value: value.map(str::to_owned), local };
        self.asked.0.lock().unwrap_or_else(PoisonError::into_inner).push(asked);
        Ok(settings.shown(&known))
    }

    fn all(&self) -> Vec<SettingRow> {
        let settings = self.current();
        table::all().filter(|setting| setting.listed).map(|setting| row(setting, &settings)).collect()
    }
}

/// A row of `pg_settings`.
fn row(setting: &'static Setting, settings: &SessionSettings) -> SettingRow {
    let (vartype, unit, range, values) = match setting.kind {
        Kind::Boolean => ("bool", None, None, &[][..]),
        Kind::Integer { unit, min, max } => ("integer", unit.name(), Some((min.to_string(), max.to_string())), &[][..]),
        Kind::Real { unit, min, max } => {
            let range = (super::number::general(min), super::number::general(max));
            ("real", unit.name(), Some(range), &[][..])
        }
        Kind::Enum(values) => ("enum", None, None, values),
        Kind::Text(_) => ("string", None, None, &[][..]),
    };
    let source = match setting.name {
        "transaction_isolation" | "transaction_read_only" | "transaction_deferrable" => "override",
        _ if setting.context == Context::Internal => "default",
        name => settings.source(name),
    };
    SettingRow {
        name: setting.name,
        setting: settings.get(setting),
        shown: settings.shown(&Known::Own(setting)),
        unit,
        category: table::category(setting),
        description: setting.description,
        context: setting.context.name(),
        vartype,
        source,
        range,
        values,
        default: setting.default,
        reset: settings.reset_value(setting),
    }
}
