//! How many rows a plan gives, and what they cost, as far as that can be told before it runs.
//!
//! An [`Estimate`] is what is known of rows; it is made of a logical plan ([`logical`]), where the order of joins is chosen by
//! it. It is the same for whatever names its columns, so that [`selectivity`] is told in one place. Estimates are for comparing plans. They never decide an answer.

mod condition;
mod estimate;
mod logical;
mod selectivity;

pub(crate) use estimate::Estimate;
pub(crate) use logical::condition_of;
pub(crate) use selectivity::{equal_rows, part};
