//! What the values of a table's columns are like, for ANALYZE: of hot tables ([`hot::analyze`](crate::hot::analyze)) and
//! of external ones.
//!
//! NULLs, widths and distinct values are counted over all rows that are looked at, the latter by a sketch: reading a column is
//! cheap, and a sample says little of how many values there are that it has not met. What else there is to know (common values, a
//! histogram, how far rows are in order) is told from a sample of rows, as PostgreSQL does it.

mod distinct;
mod estimate;
mod growth;
mod picked;
mod survey;
#[cfg(test)]
mod tests;

use arrow::array::ArrayRef;
use arrow::datatypes::Field;
use datafusion::common::Result;

pub(crate) use self::survey::Survey;

/// How many most common values, and how many parts of a histogram, are kept of a column (PostgreSQL's
/// `default_statistics_target`).
const TARGET: usize = 100;
/// Rows of a sample at least, if the table has so many. PostgreSQL takes 300 for each part of a histogram: then the parts differ by less than a half from one
/// another with 99 % certainty, in tables of any size.
const SAMPLE_ROWS: usize = 300 * TARGET;

/// Values of a column by which Arrow orders and compares it as its type is; `None` when the type has no order.
pub type OrderKey = dyn Fn(&Field, &ArrayRef) -> Result<Option<ArrayRef>> + Send + Sync;
