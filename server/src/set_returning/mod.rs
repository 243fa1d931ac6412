//! Functions that return sets, in FROM and in a select list.
//!
//! The planner puts a [`ProjectSet`] over the rows that the functions' arguments come from: a row of nothing for a call that
//! stands alone in FROM, the rows to the left for `LATERAL`, the rows of the query for a call in its select list. Several
//! functions of one node run in step; one that ends before the others is NULL from there on, as in PostgreSQL.

mod execution;
mod logical;
mod physical_planner;
mod rows;
mod whole_columns;

pub use logical::{ProjectSet, QualifiedField, SetReturning};
pub use physical_planner::SetPlanner;

#[cfg(test)]
mod tests;
