//! What becomes of data that cannot be read: the table's rules, what the session says beyond them, and what was met so far.
//!
//! Rows that came before a fault have been handed on and stay: nothing is read twice to know beforehand. So a file that is
//! left out is left out from the fault on, and what is told of it says so.

use std::sync::Arc;

use catalog::{BadDataRules, OnBadData, ValueRule};

use crate::error::{Error, Result};
use crate::scan::faults::{Fault, FaultKind, Faults, Treatment};

/// What a session says about data that cannot be read. The server puts it into the session configuration of a statement
/// (`SessionConfig::with_extension`).
#[derive(Debug, Clone, Copy, Default)]
pub struct SessionTolerance {
    /// What is left out, whatever the tables say.
    pub on_bad_data: Option<OnBadData>,
    /// Rows that a scan leaves out, or takes the values from, before it fails.
    pub faults_max: Option<u64>,
}

/// What becomes of data that cannot be read in one scan.
#[derive(Debug)]
pub(super) struct Tolerance {
    rules: BadDataRules,
    faults_max: Option<u64>,
    faults: Arc<Faults>,
}

/// A row that cannot be read.
pub(super) struct BadRow {
    /// What a statement that fails is told.
    pub error: Error,
    pub kind: FaultKind,
    pub path: String,
    /// Its line, or its number in a file of columns, from 1.
    pub line: Option<u64>,
    pub column: Option<String>,
    pub raw_line: String,
    pub raw_value: Option<String>,
}

/// What becomes of such a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fate {
    /// Its values are NULL.
    SetToNull,
    /// It is left out.
    Skip,
    /// It is left out with what follows it in the file.
    SkipFile,
}

impl Tolerance {
    /// Of a scan, whose faults are added to `faults`.
    pub(super) fn new(mut rules: BadDataRules, session: SessionTolerance, faults: Arc<Faults>) -> Self {
        if let Some(on_bad_data) = session.on_bad_data {
            rules.on_bad_data = on_bad_data;
        }
        Tolerance { rules, faults_max: session.faults_max, faults }
    }

    /// The rules.
    pub(super) fn rules(&self) -> &BadDataRules {
        &self.rules
    }

    /// What becomes of a row.
    ///
    /// # Errors
    /// That of the row: it is not tolerated, or too many were.
    pub(super) fn row(&self, bad: BadRow) -> Result<Fate> {
        let rule = match bad.kind {
            FaultKind::OutOfRange => &self.rules.numeric_overflow,
            FaultKind::TooLong => &self.rules.surplus_char,
            FaultKind::NotText => &self.rules.invalid_char,
            _ => &ValueRule::Disabled,
        };
        let treatment = match (rule, self.rules.on_bad_data) {
            (ValueRule::DropRow, _) => Treatment::RowSetToNull,
            (ValueRule::Fail, _) | (_, OnBadData::Fail) => Treatment::Failed,
            (_, OnBadData::SkipRow) => Treatment::RowSkipped,
            (_, OnBadData::SkipFile) => Treatment::FileSkipped,
        };
        self.treat(bad, treatment)
    }

    /// A row that a rule of its own leaves out.
    ///
    /// # Errors
    /// That of the row: too many were.
    pub(super) fn dropped(&self, bad: BadRow) -> Result<Fate> {
        self.treat(bad, Treatment::RowSkipped)
    }

    fn treat(&self, bad: BadRow, mut treatment: Treatment) -> Result<Fate> {
        if !treatment.keeps_row() && self.faults_max.is_some_and(|max| self.faults.left_out() >= max) {
            treatment = Treatment::Failed;
        }
        let fate = match treatment {
            Treatment::FileSkipped => Ok(Fate::SkipFile),
            Treatment::RowSetToNull => Ok(Fate::SetToNull),
            Treatment::Failed => Err(()),
            _ => Ok(Fate::Skip),
        };
        let BadRow { error, kind, path, line, column, raw_line, raw_value } = bad;
        let reason = reason(&error);
        self.faults.push(Fault { path, line, column, kind, reason, raw_line, raw_value, treatment });
        fate.map_err(|()| error)
    }

    /// A value that a rule has changed, in a row that is kept.
    ///
    /// # Errors
    /// None.
    pub(super) fn changed(&self, bad: BadRow, by: Option<String>) -> Result<()> {
        self.treat(bad, by.map_or(Treatment::SetToNull, Treatment::ChangedTo)).map(drop)
    }

    /// What becomes of the rest of a row group that cannot be read on: so many rows.
    ///
    /// # Errors
    /// That of the row group: it is not tolerated, or too many were.
    pub(super) fn row_group(&self, path: &str, group: usize, rows: u64, error: Error) -> Result<Fate> {
        let treatment = match (self.rules.on_bad_data, &error) {
            (OnBadData::SkipRow, Error::FileDeleted { .. }) | (OnBadData::Fail, _) => return Err(error),
            (OnBadData::SkipRow, _) => Treatment::RowGroupSkipped(rows),
            (OnBadData::SkipFile, _) => Treatment::FileSkipped,
        };
        let raw_line = format!("row group {group}, without its last {rows} rows");
        let (path, kind) = (path.to_owned(), FaultKind::File);
        self.treat(BadRow { error, kind, path, line: None, column: None, raw_line, raw_value: None }, treatment)
    }

    /// A file that cannot be read on is left out from there, if the rules say so.
    ///
    /// # Errors
    /// That of the file: it is not tolerated, it says nothing of the data, or too many were.
    pub(super) fn file(&self, path: &str, error: Error) -> Result<()> {
        if self.rules.on_bad_data != OnBadData::SkipFile || !is_of_data(&error) {
            return Err(error);
        }
        let (path, line) = (path.to_owned(), line(&error));
        let kind = if line.is_some() { FaultKind::Line } else { FaultKind::File };
        let bad = BadRow { error, kind, path, line, column: None, raw_line: String::new(), raw_value: None };
        self.treat(bad, Treatment::FileSkipped).map(drop)
    }
}

/// What is wrong, without where.
fn reason(error: &Error) -> String {
    match error {
        Error::ValueInvalid { source, .. } => source.to_string(),
        Error::LineInvalid { reason, .. } | Error::Corrupted { reason, .. } => reason.clone(),
        Error::FieldCount { found, expected, .. } => format!("it has {found} fields, and the table {expected} columns"),
        Error::NullNotAllowed { .. } => "null value violates not-null constraint".to_owned(),
        other => other.to_string(),
    }
}

fn line(error: &Error) -> Option<u64> {
    match error {
        Error::LineInvalid { line, .. }
        | Error::FieldCount { line, .. }
        | Error::NullNotAllowed { line, .. }
        | Error::ValueInvalid { line, .. } => Some(*line),
        _ => None,
    }
}

/// Whether an error is about what is in a file, or that it is there no more: not about the way to it, and not about one
/// that was replaced, half of which would be read.
fn is_of_data(error: &Error) -> bool {
    matches!(
        error,
        Error::NotParquet { .. }
            | Error::Corrupted { .. }
            | Error::LineInvalid { .. }
            | Error::FieldCount { .. }
            | Error::NullNotAllowed { .. }
            | Error::ValueInvalid { .. }
            | Error::ColumnTypeMismatch { .. }
            | Error::ColumnAmbiguous { .. }
            | Error::ValueOutOfRange { .. }
            | Error::ValueTooLong { .. }
            | Error::ArrayNotRectangular { .. }
            | Error::FileDeleted { .. }
    )
}
