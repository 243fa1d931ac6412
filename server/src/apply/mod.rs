//! Correlated subqueries that the engine cannot make a join of.
//!
//! An [`Apply`] runs a subquery once for each distinct combination of the outer values it reads: a nested loop, which can
//! evaluate everything. Where the outer row says nothing but which rows are wanted, and many ask, it reads all of them once
//! ([`keyed`]). What the engine can decorrelate is left to it, because a join is faster; [`simple`] tells.

mod constants;
mod empty;
mod execution;
mod keyed;
mod logical;
mod physical_planner;
mod simple;

pub use empty::without_empty;
pub use execution::ApplyExec;
pub use logical::{Apply, ApplyKind, outer_columns, with_parameters};
pub use physical_planner::ApplyPlanner;
pub use simple::{decorrelates_filter, decorrelates_scalar};
