//! The rows of a cursor, and where it stands among them.
//!
//! [`CursorRows`] is what FETCH and MOVE move in, as PostgreSQL's `DoPortalRunFetch` does. A cursor that only goes forward
//! takes rows from its query as they are fetched and keeps none. One that scrolls keeps what has been fetched: in memory
//! while the engine's pool has some, on disk from there on. The query of either is at most a batch ahead of what was
//! asked for, until the cursor is to outlive its transaction: then all that is left of its rows is kept.

mod kept;
mod rows;
pub mod scrollable;

pub use rows::{CursorRows, Reading, fetched};
