//! What a setting is, and which values it takes.

use pg::PgError;
use pg::error::Result;
use pg::sqlstate::SqlState;

use super::number::{self, Unit};
use super::{SessionSettings, text};

/// A setting.
#[derive(Debug)]
pub struct Setting {
    /// Its name, spelled as SHOW ALL prints it.
    pub name: &'static str,
    /// Its value when nobody has set it.
    pub default: &'static str,
    /// Which values it has.
    pub kind: Kind,
    /// Who may change it, and when.
    pub context: Context,
    /// What comes of it.
    pub effect: Effect,
    /// One sentence about it.
    pub description: &'static str,
    /// Whether the client is told its value at the start and at each change.
    pub reported: bool,
    /// Whether SHOW ALL and `pg_settings` have it.
    pub listed: bool,
}

/// Which values a setting has.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// On or off.
    Boolean,
    /// A whole number, or a size or a time in such.
    Integer {
        /// What it counts.
        unit: Unit,
        /// The least value.
        min: i64,
        /// The greatest.
        max: i64,
    },
    /// A number.
    Real {
        /// What it counts.
        unit: Unit,
        /// The least value.
        min: f64,
        /// The greatest.
        max: f64,
    },
    /// One of these.
    Enum(&'static [&'static str]),
    /// A text.
    Text(Form),
}

/// Which texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Any.
    Any,
    /// Any of printable ASCII; what is not becomes a question mark.
    Printable,
    /// Names between commas.
    Names,
    /// A style of dates and an order of day, month and year.
    DateStyle,
    /// A time zone.
    TimeZone,
    /// A character encoding.
    Encoding,
    /// The name of a role.
    Role,
}

/// Who may change a setting, and when (`pg_settings.context`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Context {
    /// Nobody.
    Internal,
    /// The server when it starts.
    Postmaster,
    /// The server.
    Sighup,
    /// A superuser.
    Superuser,
    /// Everybody.
    User,
}

impl Context {
    /// Its name in `pg_settings`.
    pub fn name(self) -> &'static str {
        match self {
            Context::Internal => "internal",
            Context::Postmaster => "postmaster",
            Context::Sighup => "sighup",
            Context::Superuser => "superuser",
            Context::User => "user",
        }
    }
}

/// What comes of a value that is accepted. No value that could change an answer is accepted and then ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// What it says is done.
    Honoured,
    /// It is about how answers are found, about things that there are none of here, or asks for less than is promised anyway:
    /// no answer depends on it.
    Harmless,
    /// What these values say is what is done always; others are refused.
    Only(&'static [&'static str]),
}

/// Words for values of enums that are not listed, and what they stand for.
const SYNONYMS: [(&str, &str); 7] =
    [("debug", "debug2"), ("true", "on"), ("yes", "on"), ("1", "on"), ("false", "off"), ("no", "off"), ("0", "off")];

impl Setting {
    /// A value in its canonical spelling: of numbers, in the setting's unit.
    ///
    /// # Errors
    /// 22023 when the setting cannot have it, 0A000 when we cannot honour it.
    pub fn canonical(&self, value: &str, settings: &SessionSettings) -> Result<String> {
        let canonical = match &self.kind {
            Kind::Boolean => boolean(value).map(|on| on_or_off(on).to_owned()).ok_or_else(|| {
                PgError::invalid_parameter(format!("parameter \"{}\" requires a Boolean value", self.name))
            })?,
            Kind::Integer { unit, min, max } => {
                let number = number::integer(value, *unit).map_err(|hint| self.invalid_with_hint(value, hint))?;
                if !(*min..=*max).contains(&number) {
                    let shown = format!("{number}{}", unit.suffix());
                    return Err(self.outside(&shown, &min.to_string(), &max.to_string()));
                }
                number.to_string()
            }
            Kind::Real { unit, min, max } => {
                let number = number::real(value, *unit).map_err(|hint| self.invalid_with_hint(value, hint))?;
                if !(*min..=*max).contains(&number) {
                    let shown = format!("{}{}", number::general(number), unit.suffix());
                    return Err(self.outside(&shown, &number::general(*min), &number::general(*max)));
                }
                number::exact(number)
            }
            Kind::Enum(values) => self.one_of(values, value)?,
            Kind::Text(form) => text::canonical(self, *form, value, settings)?,
        };
        match self.effect {
            Effect::Only(_) if canonical == "serializable" => Err(no_serializable_transactions()),
            Effect::Only(values) if !values.contains(&canonical.as_str()) => {
                Err(PgError::not_supported(format!("setting \"{}\" to \"{canonical}\"", self.name)))
            }
            _ => Ok(canonical),
        }
    }

    fn one_of(&self, values: &[&str], value: &str) -> Result<String> {
        let listed = |wanted: &str| values.iter().find(|known| known.eq_ignore_ascii_case(wanted));
        let synonym = || SYNONYMS.iter().find(|(word, _)| word.eq_ignore_ascii_case(value));
        if let Some(found) = listed(value).or_else(|| listed(synonym()?.1)) {
            return Ok((*found).to_owned());
        }
        Err(self.invalid(value).with_hint(format!("Available values: {}.", values.join(", "))))
    }

    /// Whether it may be changed now.
    ///
    /// # Errors
    /// 55P02 when it may not, 42501 when not by this role.
    pub fn check_may_change(&self, superuser: bool) -> Result<()> {
        let name = self.name;
        let how = match self.context {
            Context::User => return Ok(()),
            Context::Superuser if superuser => return Ok(()),
            Context::Superuser => {
                let message = format!("permission denied to set parameter \"{name}\"");
                return Err(PgError::new(SqlState::INSUFFICIENT_PRIVILEGE, message));
            }
            Context::Internal => "",
            Context::Postmaster => " without restarting the server",
            Context::Sighup => " now",
        };
        let message = format!("parameter \"{name}\" cannot be changed{how}");
        Err(PgError::new(SqlState::CANT_CHANGE_RUNTIME_PARAM, message))
    }

    /// A canonical value as SHOW prints it: numbers in the largest unit of which they are whole.
    pub fn shown(&self, canonical: &str) -> String {
        match self.kind {
            Kind::Integer { unit, .. } => number::shown_integer(canonical, unit),
            Kind::Real { unit, .. } => number::shown_real(canonical, unit),
            _ => canonical.to_owned(),
        }
    }

    /// Whether SET takes several values, and makes names of them.
    pub fn list(&self) -> Option<ListForm> {
        match self.kind {
            Kind::Text(Form::Names) => Some(ListForm::Names),
            Kind::Text(Form::DateStyle) => Some(ListForm::Words),
            _ => None,
        }
    }

    /// `invalid value for parameter …` (22023)
    pub(super) fn invalid(&self, value: &str) -> PgError {
        // PostgreSQL names an enum as the statement does, and a client writes it in lower case.
        let name = match self.kind {
            Kind::Enum(_) => self.name.to_ascii_lowercase(),
            _ => self.name.to_owned(),
        };
        PgError::invalid_parameter(format!("invalid value for parameter \"{name}\": \"{value}\""))
    }

    fn invalid_with_hint(&self, value: &str, hint: Option<&str>) -> PgError {
        let error = self.invalid(value);
        match hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }

    fn outside(&self, value: &str, min: &str, max: &str) -> PgError {
        let name = self.name;
        PgError::invalid_parameter(format!(
            "{value} is outside the valid range for parameter \"{name}\" ({min} .. {max})"
        ))
    }
}

/// How SET puts several values together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListForm {
    /// As they are.
    Words,
    /// Each is a name, whatever is in it.
    Names,
}

/// The words for on and off, each or as much of its beginning as tells it.
fn boolean(value: &str) -> Option<bool> {
    let lower = value.to_ascii_lowercase();
    let begins = |word: &str, characters_min: usize| lower.len() >= characters_min && word.starts_with(&lower);
    if begins("true", 1) || begins("yes", 1) || lower == "on" || lower == "1" {
        return Some(true);
    }
    (begins("false", 1) || begins("no", 1) || begins("off", 2) || lower == "0").then_some(false)
}

/// Serializable transactions, of which nothing less is made.
pub fn no_serializable_transactions() -> PgError {
    let hint = "Use REPEATABLE READ, which is snapshot isolation: it excludes all anomalies but write skew.";
    PgError::not_supported("ISOLATION LEVEL SERIALIZABLE").with_hint(hint)
}

/// `on` or `off`
pub fn on_or_off(value: bool) -> &'static str {
    if value { "on" } else { "off" }
}
