//! EXPLAIN: a plan as PostgreSQL's users and tools know it, with what is expected of it and what came of it.
//!
//! [`builder`] makes a [`PlanNode`] of each node of the engine's plan that does something to rows; those that only hand them
//! on are left out, and columns are called what the query calls them, wherever they come from. [`scans`] says what runs in
//! a scan, what does not, and why. [`format`] writes it.

mod actual;
mod aggregates;
mod builder;
mod expression;
pub mod format;
mod joins;
mod limits;
mod node;
mod scans;
mod subplans;

pub use builder::{PlanBuilder, Told};
pub use node::{Actual, Expected, Explained, PlanNode, Property, Relationship, Value};
pub use scans::requests_expected;
