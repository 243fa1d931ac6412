//! What becomes of data in files that cannot be read as their table says.

use serde::{Deserialize, Serialize};

/// What becomes of data in files that cannot be read as their table says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BadDataRules {
    /// What is left out, where no other rule says more.
    pub on_bad_data: OnBadData,
    /// For numbers that the column's type cannot hold: `numeric_overflow_handling`.
    pub numeric_overflow: ValueRule,
    /// For strings that are longer than their column: `surplus_char_handling`.
    pub surplus_char: ValueRule,
    /// For strings that are not UTF-8: `invalid_char_handling`.
    pub invalid_char: ValueRule,
}

/// What is left out when something cannot be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnBadData {
    /// Nothing: the statement fails.
    #[default]
    Fail,
    /// The row; of a Parquet file whose pages are damaged, the rest of the row group. What cannot be counted in rows is an
    /// error.
    SkipRow,
    /// The file, from there on.
    SkipFile,
}

/// What becomes of a value of one kind that cannot be read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ValueRule {
    /// What becomes of any bad data.
    #[default]
    Disabled,
    /// The statement fails, whatever becomes of other bad data.
    Fail,
    /// It is NULL.
    SetToNull,
    /// All values of the row are NULL: what Redshift says of `DROP_ROW`.
    DropRow,
    /// What is too much of it is cut off.
    Truncate,
    /// What is wrong in it becomes this character, once for each sequence of bytes that is none.
    Replace(char),
    /// The same, once for each byte.
    ReplaceBytes(char),
}

impl OnBadData {
    /// The rule of this name, in any case.
    pub fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "fail" => Some(OnBadData::Fail),
            "skip_row" => Some(OnBadData::SkipRow),
            "skip_file" => Some(OnBadData::SkipFile),
            _ => None,
        }
    }
}

impl BadDataRules {
    /// Whether it depends on the values of a row whether the row is left out, or loses them.
    pub fn bear_on_rows(&self) -> bool {
        let rules = [&self.numeric_overflow, &self.surplus_char, &self.invalid_char];
        self.on_bad_data != OnBadData::Fail || rules.contains(&&ValueRule::DropRow)
    }

    /// Whether there is anything that does not make a statement fail.
    pub fn tolerate_anything(&self) -> bool {
        let tolerates = |rule: &ValueRule| !matches!(rule, ValueRule::Disabled | ValueRule::Fail);
        self.on_bad_data != OnBadData::Fail
            || [&self.numeric_overflow, &self.surplus_char, &self.invalid_char].into_iter().any(tolerates)
    }
}
