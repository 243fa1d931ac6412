//! Privileges: what they are called, and which of them objects of a kind have.

use crate::error::{PgError, Result};

use Privilege::*;

/// What may be done to an object, in the order of PostgreSQL's access control lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Privilege {
    /// `INSERT`
    Insert,
    /// `SELECT`
    Select,
    /// `UPDATE`
    Update,
    /// `DELETE`
    Delete,
    /// `TRUNCATE`
    Truncate,
    /// `REFERENCES`
    References,
    /// `TRIGGER`
    Trigger,
    /// `EXECUTE`
    Execute,
    /// `USAGE`
    Usage,
    /// `CREATE`
    Create,
    /// `TEMPORARY`
    Temporary,
    /// `CONNECT`
    Connect,
    /// `SET`
    Set,
    /// `ALTER SYSTEM`
    AlterSystem,
}

/// What can be asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A relation.
    Table,
    /// A relation, of which one column is enough.
    AnyColumn,
    /// A column of a relation.
    Column,
    /// A sequence.
    Sequence,
    /// The database.
    Database,
    /// A schema.
    Schema,
    /// A function.
    Function,
    /// A type.
    Type,
    /// A language of functions.
    Language,
    /// A tablespace.
    Tablespace,
    /// What stands for an external schema.
    Server,
    /// What stands for object storage.
    Wrapper,
    /// A setting.
    Parameter,
}

/// What a privilege is followed by when it is asked whether it can be granted to others.
const WITH_GRANT_OPTION: &str = " WITH GRANT OPTION";

impl Privilege {
    /// All of them.
    pub const ALL: [Privilege; 14] = [
        Insert,
        Select,
        Update,
        Delete,
        Truncate,
        References,
        Trigger,
        Execute,
        Usage,
        Create,
        Temporary,
        Connect,
        Set,
        AlterSystem,
    ];

    /// How it is written.
    pub fn word(self) -> &'static str {
        match self {
            Insert => "INSERT",
            Select => "SELECT",
            Update => "UPDATE",
            Delete => "DELETE",
            Truncate => "TRUNCATE",
            References => "REFERENCES",
            Trigger => "TRIGGER",
            Execute => "EXECUTE",
            Usage => "USAGE",
            Create => "CREATE",
            Temporary => "TEMPORARY",
            Connect => "CONNECT",
            Set => "SET",
            AlterSystem => "ALTER SYSTEM",
        }
    }

    /// The privilege of a word.
    fn of_word(word: &str) -> Option<Privilege> {
        Privilege::ALL.into_iter().find(|it| it.word().eq_ignore_ascii_case(word))
    }
}

impl Kind {
    /// The privileges that there are on objects of this kind.
    fn privileges(self) -> &'static [Privilege] {
        match self {
            Kind::Table => &[Insert, Select, Update, Delete, Truncate, References, Trigger],
            Kind::AnyColumn | Kind::Column => &[Insert, Select, Update, References],
            Kind::Sequence => &[Select, Update, Usage],
            Kind::Database => &[Create, Temporary, Connect],
            Kind::Schema => &[Usage, Create],
            Kind::Function => &[Execute],
            Kind::Type | Kind::Language | Kind::Server | Kind::Wrapper => &[Usage],
            Kind::Tablespace => &[Create],
            Kind::Parameter => &[Set, AlterSystem],
        }
    }

    /// What a word stands for: a privilege, or with `None` one that nobody has.
    fn privilege(self, word: &str) -> Option<Option<Privilege>> {
        match self {
            // A privilege of PostgreSQL's past.
            Kind::Table if word.eq_ignore_ascii_case("rule") => return Some(None),
            Kind::Database if word.eq_ignore_ascii_case("temp") => return Some(Some(Temporary)),
            _ => {}
        }
        Privilege::of_word(word).filter(|privilege| self.privileges().contains(privilege)).map(Some)
    }
}

/// The privileges of a list (`convert_any_priv_string`), any of which is enough. Whether they can be granted to others is
/// the same question, as long as nothing can be granted.
///
/// # Errors
/// 22023 for one that objects of this kind do not have.
pub fn wanted(kind: Kind, list: &str) -> Result<Vec<Privilege>> {
    let mut found = Vec::new();
    for written in list.split(',') {
        let written = written.trim_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
        let word = without_suffix(written, WITH_GRANT_OPTION).unwrap_or(written);
        let unrecognized = || PgError::invalid_parameter(format!("unrecognized privilege type: \"{written}\""));
        found.extend(kind.privilege(word).ok_or_else(unrecognized)?);
    }
    Ok(found)
}

/// The text before a suffix, whatever the case of its letters.
pub fn without_suffix<'t>(text: &'t str, suffix: &str) -> Option<&'t str> {
    let (before, end) = text.split_at_checked(text.len().checked_sub(suffix.len())?)?;
    end.eq_ignore_ascii_case(suffix).then_some(before)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_privileges_of_its_kind() {
        for (kind, list, expected) in [
            (Kind::Table, "select", Some(vec![Select])),
            (Kind::Table, " SELECT , insert with grant option", Some(vec![Select, Insert])),
            (Kind::Table, "RULE", Some(vec![])),
            (Kind::Database, "temp, TEMPORARY", Some(vec![Temporary, Temporary])),
            (Kind::Parameter, "alter system", Some(vec![AlterSystem])),
            (Kind::Table, "select with  grant option", None),
            (Kind::Table, "select,", None),
            (Kind::Table, "", None),
            (Kind::Column, "delete", None),
            (Kind::Table, "é", None),
        ] {
            assert_eq!(wanted(kind, list).ok(), expected, "{list}");
        }
    }
}
