//! LIMIT and OFFSET by numbers that only running the query tells: `LIMIT (SELECT count(*) / 10 FROM t)`.
//!
//! A [`ComputedLimit`] has two inputs: the rows, and a query of one row that answers how many rows are left out and how many
//! are wanted. Numbers that are known when the query is planned are left to the engine.

mod execution;
mod logical;

pub use execution::{ComputedLimitExec, LimitPlanner};
pub use logical::{ComputedLimit, FETCH, SKIP};
