//! Common tables that are computed once, however often the query reads them.
//!
//! PostgreSQL computes a common table once when it is read several times, or when it is volatile: `WITH r AS (SELECT random()
//! x) SELECT a.x = b.x FROM r a, r b` is true. Each place that reads such a table has a [`Spool`] of the same name; the first
//! one that is executed starts the query, and all read the rows that it has made so far. Rows are made as they are asked
//! for, and kept until the statement ends: in memory while the pool has some, on disk from there on.

mod batches;
mod execution;
mod kept;
mod logical;
mod repeated;

pub use batches::Batches;
pub use execution::{SpoolExec, SpoolPlanner};
pub use kept::Spools;
pub use logical::{Spool, bound_spools};
pub use repeated::with_repeated_once;
