//! What the texts of a file mean, which another room knows.

use std::error::Error as StdError;
use std::fmt;

use arrow::array::ArrayRef;
use catalog::Column;

/// Why a text is no value of a type.
pub type ValueError = Box<dyn StdError + Send + Sync + 'static>;

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
    /// The text is no value of the column's type. The builder is as it was before.
    fn push_text(&mut self, text: &str) -> Result<(), ValueError>;

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
