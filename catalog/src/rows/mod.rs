//! The rows of hot tables: which units hold them, and which of them are deleted.
//!
//! A row never changes its content. An update deletes it and adds another; rewriting a unit moves what is left of it.

pub mod address;
pub mod codec;
pub mod inline;
pub mod moved;
pub mod row_set;
pub mod segment;
pub mod table_rows;
#[cfg(test)]
pub(crate) mod testing;
pub mod write;

pub use address::{RowAddresses, UnitId};
pub use inline::InlineUnit;
pub use moved::NewPlaces;
pub use row_set::{BLOCK_ROWS, RowSet};
pub use segment::{Segment, SegmentFile};
pub use table_rows::{ReplacedUnit, RowCounts, TableRows};
pub use write::RowChanges;
