//! How many rows a plan gives, and what they cost, as far as that can be told before it runs.
//!
//! An [`Estimate`] is what is known of rows; it is made of a logical plan ([`logical`]), where the order of joins is chosen by
//! it, and of a physical one ([`physical`]), which EXPLAIN shows. It is the same for whatever names its columns, so that
//! [`selectivity`] is told in one place. [`Cost`] says what is made of it. Estimates are for comparing plans. They never decide an answer.

mod condition;
mod estimate;
mod feedback;
mod keys;
mod logical;
pub(crate) mod physical;
mod selectivity;
mod shape;
mod units;

pub(crate) use estimate::Estimate;
pub(crate) use feedback::learn;
pub(crate) use keys::{KeyValues, equal_rows};
pub(crate) use logical::condition_of;
pub(crate) use physical::kept_bytes;
pub(crate) use selectivity::part;
pub(crate) use units::Cost;
pub use units::ScanPrice;
