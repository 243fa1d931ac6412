//! Scans of which the least and the greatest values alone are wanted.

use std::sync::Arc;

use datafusion::physical_plan::ExecutionPlan;

use crate::external;

/// What else of the rows is wanted beside the least and the greatest values of their columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BoundsWith {
    /// Nothing: rows that have neither may be missing.
    Nothing,
    /// How many rows there are, and how many values that are not NULL.
    Counts,
}

/// The scan, which may give other rows than those that there are, with the same least and greatest values; `None` where that
/// does not save anything, or the node is no scan that can do so. The values of columns that are `kept`, by their places, are
/// those that there are.
#[must_use]
pub fn for_bounds(node: &dyn ExecutionPlan, kept: &[usize], with: BoundsWith) -> Option<Arc<dyn ExecutionPlan>> {
    external::for_bounds(node, kept, with)
}
