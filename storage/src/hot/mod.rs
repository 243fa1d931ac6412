//! Hot tables: rows that arrive in commits and are kept in memory, ready to be scanned.

pub mod chunk;
pub mod provider;
mod representation;
pub mod table_writer;

pub use provider::HotTableProvider;
pub use table_writer::TableWriter;
