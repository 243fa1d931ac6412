//! What a scan of files has met that cannot be read as the table says, and what became of it.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Faults of a scan that are kept to be looked at, beside that for which it failed; all are counted. With what they quote they
/// are a few megabytes.
const FAULTS_KEPT_MAX: usize = 1000;
/// Bytes of a line or a value that a fault quotes, as many as Redshift's `stl_load_errors` shows.
const QUOTED_BYTES_MAX: usize = 1024;

/// Something that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The file.
    pub path: String,
    /// The line of a text file, or the row of a file of columns, from 1.
    pub line: Option<u64>,
    /// The column, where it is one value.
    pub column: Option<String>,
    /// What is wrong.
    pub kind: FaultKind,
    /// The same in words.
    pub reason: String,
    /// The line as it stands in the file, or its beginning; of files of columns, which rows it is about when not one.
    pub raw_line: String,
    /// The value as it stands there, or its beginning.
    pub raw_value: Option<String>,
    /// What became of it.
    pub treatment: Treatment,
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// A line has more fields than there are columns.
    MoreFields,
    /// A line has fewer.
    FewerFields,
    /// A value, which its column's type cannot be so great.
    OutOfRange,
    /// A string, which is longer than its column.
    TooLong,
    /// A value, which is none of its column's type.
    Invalid,
    /// A value is missing where one has to be.
    Null,
    /// A text is not UTF-8.
    NotText,
    /// A line is none of its format.
    Line,
    /// A file, or a part of it, is damaged.
    File,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Treatment {
    /// The statement failed.
    Failed,
    /// The row was left out.
    RowSkipped,
    /// This many rows of a row group were left out.
    RowGroupSkipped(u64),
    /// The file was left out from there on.
    FileSkipped,
    /// The value became NULL.
    SetToNull,
    /// The value became this.
    ChangedTo(String),
    /// All values of the row became NULL.
    RowSetToNull,
}

/// What a scan has met so far.
#[derive(Debug, Default)]
pub struct Faults(Mutex<Met>);

#[derive(Debug, Default)]
struct Met {
    left_out: u64,
    skipped: Skipped,
    announced: Skipped,
    kept: Vec<Fault>,
}

/// How much was left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Skipped {
    /// Rows, those of row groups included.
    pub rows: u64,
    /// Files of which the rest was left out, or all.
    pub files: u64,
}

impl Faults {
    fn met(&self) -> MutexGuard<'_, Met> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a fault.
    pub fn push(&self, mut fault: Fault) {
        let mut met = self.met();
        met.left_out += u64::from(!fault.treatment.keeps_row());
        match fault.treatment {
            Treatment::RowSkipped => met.skipped.rows += 1,
            Treatment::RowGroupSkipped(rows) => met.skipped.rows += rows,
            Treatment::FileSkipped => met.skipped.files += 1,
            Treatment::Failed | Treatment::SetToNull | Treatment::ChangedTo(_) | Treatment::RowSetToNull => {}
        }
        if met.kept.len() < FAULTS_KEPT_MAX || fault.treatment == Treatment::Failed {
            shorten(&mut fault.raw_line);
            shorten(&mut fault.reason);
            fault.raw_value.iter_mut().for_each(shorten);
            if let Treatment::ChangedTo(value) = &mut fault.treatment {
                shorten(value);
            }
            met.kept.push(fault);
        }
    }

    /// How many there were for which rows were left out, or lost their values.
    pub fn left_out(&self) -> u64 {
        self.met().left_out
    }

    /// How much was left out.
    pub fn skipped(&self) -> Skipped {
        self.met().skipped
    }

    /// How much was left out that has not been told yet, with an example; it is told now.
    pub fn announce(&self) -> (Skipped, Option<Fault>) {
        let mut met = self.met();
        let (all, told) = (met.skipped, met.announced);
        met.announced = all;
        let is_skipped = |fault: &&Fault| {
            matches!(fault.treatment, Treatment::RowSkipped | Treatment::RowGroupSkipped(_) | Treatment::FileSkipped)
        };
        let new = Skipped { rows: all.rows - told.rows, files: all.files - told.files };
        (new, met.kept.iter().find(is_skipped).cloned())
    }

    /// The first of them, and those for which the scan failed: one for each file that was being read then.
    pub fn kept(&self) -> Vec<Fault> {
        self.met().kept.clone()
    }

    /// Bytes that those take, about.
    pub fn bytes(&self) -> usize {
        self.met().kept.iter().map(Fault::bytes).sum()
    }
}

impl Treatment {
    /// Whether the row is there all the same, but for one value.
    pub(crate) fn keeps_row(&self) -> bool {
        matches!(self, Treatment::SetToNull | Treatment::ChangedTo(_))
    }
}

impl Fault {
    fn bytes(&self) -> usize {
        let quoted = self.raw_line.len() + self.raw_value.as_ref().map_or(0, String::len);
        size_of::<Fault>() + self.path.len() + self.reason.len() + quoted
    }
}

fn shorten(text: &mut String) {
    text.truncate(text.floor_char_boundary(QUOTED_BYTES_MAX));
    text.shrink_to_fit();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(treatment: Treatment) -> Fault {
        let (kind, line) = (FaultKind::Line, "é".repeat(QUOTED_BYTES_MAX));
        Fault {
            path: "a".to_owned(),
            line: Some(1),
            column: None,
            kind,
            reason: String::new(),
            raw_line: line,
            raw_value: None,
            treatment,
        }
    }

    #[test]
    fn what_was_left_out_is_told_once_and_all_of_it_is_counted() {
        let faults = Faults::default();
        faults.push(fault(Treatment::SetToNull));
        assert_eq!(faults.announce(), (Skipped::default(), None));
        for _ in 0..FAULTS_KEPT_MAX {
            faults.push(fault(Treatment::RowSkipped));
        }
        faults.push(fault(Treatment::RowGroupSkipped(5)));
        faults.push(fault(Treatment::FileSkipped));
        let (told, example) = faults.announce();
        assert_eq!(told, Skipped { rows: FAULTS_KEPT_MAX as u64 + 5, files: 1 });
        assert_eq!(
            example.map(|it| (it.treatment, it.raw_line.len())),
            Some((Treatment::RowSkipped, QUOTED_BYTES_MAX))
        );
        assert_eq!(faults.announce().0, Skipped::default());
        assert_eq!((faults.left_out(), faults.kept().len()), (FAULTS_KEPT_MAX as u64 + 2, FAULTS_KEPT_MAX));
        faults.push(fault(Treatment::Failed));
        assert_eq!(faults.kept().last().map(|it| it.treatment.clone()), Some(Treatment::Failed));
    }
}
