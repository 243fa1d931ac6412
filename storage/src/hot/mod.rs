//! Hot tables: rows that arrive in commits; few of them are kept inside the commits and in memory, many in segments.

mod analyze;
pub mod compaction;
pub mod keys;
pub mod provider;
mod representation;
pub mod rows;
pub mod scan;
pub mod segments;
mod sort_key;
pub mod table_writer;

pub use analyze::analyze;
pub use keys::{KeyHasher, KeyIndex};
pub use provider::HotTableProvider;
pub use segments::{FileList, Segments};
pub use table_writer::TableWriter;
