//! Sequences.

use serde::{Deserialize, Serialize};

use crate::name::{ObjectName, Oid};
use crate::types::SqlType;

/// The definition of a sequence. How far it has come is in the snapshot beside it ([`SequenceState`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sequence {
    /// Its number.
    pub oid: Oid,
    /// Its name.
    pub name: ObjectName,
    /// `AS`: smallint, integer or bigint
    pub sql_type: SqlType,
    /// `START WITH`
    pub start: i64,
    /// `INCREMENT BY`, never 0
    pub increment: i64,
    /// `MINVALUE`
    pub min: i64,
    /// `MAXVALUE`
    pub max: i64,
    /// `CACHE`
    pub cache: i64,
    /// `CYCLE`
    pub cycle: bool,
    /// `OWNED BY`: the number of a table and of a column of it, with which it goes
    pub owner: Option<(Oid, i16)>,
    /// Whether it belongs to an identity column, so that it cannot be dropped alone.
    pub identity: bool,
}

/// How far a sequence has come. It is not part of any transaction: what was taken stays taken. What is stored may be ahead of
/// what was handed out, so that not every value costs a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SequenceState {
    /// The last value that was, or may have been, handed out; the first one to hand out when `is_called` is false.
    pub last_value: i64,
    /// Whether `last_value` has been handed out.
    pub is_called: bool,
}

impl Sequence {
    /// The state of a sequence that nothing was taken from.
    pub fn initial_state(&self) -> SequenceState {
        SequenceState { last_value: self.start, is_called: false }
    }
}
