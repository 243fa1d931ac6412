//! Rules of ours for the engine's optimiser, one per file.

mod guard_filters;
mod guard_joins;
mod projection_pushdown;
mod split_filter_projections;
mod union_constants;
mod yield_in_joins;

pub use guard_filters::GuardFilters;
pub use guard_joins::guard_joins;
pub use projection_pushdown::SafeProjectionPushdown;
pub use split_filter_projections::SplitFilterProjections;
pub use union_constants::UnionConstants;
pub use yield_in_joins::YieldInJoins;
