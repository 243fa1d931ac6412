//! What the texts of a file mean, which another room knows.

use std::fmt;

use arrow::array::ArrayRef;
use catalog::Column;

use crate::error::Source;

/// Why a text is no value of a type.
#[derive(Debug)]
pub struct ValueError {
    /// In which way it is none.
    pub kind: Unfit,
    /// What is wrong with it.
    pub source: Source,
}

/// In which way a text is no value of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// It is a number that the type cannot hold.
    OutOfRange,
    /// It is a string that is longer than the column.
    TooLong,
    /// In any other.
    Invalid,
}

/// What was added for a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Added {
    /// The value that it is.
    Value,
    /// NULL, which it means.
    Null,
    /// Another value, by a rule for texts that are no values of the type.
    Instead {
        /// In which way it is none.
        of: Unfit,
        /// The text of that value; none for NULL.
        value: Option<String>,
    },
}

/// Makes builders of columns.
pub trait ValueBuilders: fmt::Debug + Send + Sync {
    /// An empty builder for a column, with room for `capacity` values.
    fn builder(&self, column: &Column, capacity: usize) -> Box<dyn ValueBuilder>;
}

/// Collects the values of a column from their texts.
pub trait ValueBuilder: Send {
    /// Adds a value.
    ///
    /// # Errors
    /// The text is no value of the column's type, and no rule says what becomes of it. The builder is as it was before.
    fn push_text(&mut self, text: &str) -> Result<Added, ValueError>;

    /// Adds a NULL.
    fn push_null(&mut self);

    /// Values added since the last [`ValueBuilder::finish`].
    fn len(&self) -> usize;

    /// Whether nothing has been added since the last [`ValueBuilder::finish`].
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The values as a column of the in-flight type; the builder is empty again.
    fn finish(&mut self) -> ArrayRef;
}
