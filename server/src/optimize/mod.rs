//! Rules of ours for the engine's optimiser, one per file.

mod aggregates_from_statistics;
mod eliminate_cross_join;
mod extract_equijoin_predicate;
mod guard_filters;
mod guard_joins;
mod guard_offsets;
mod hide_values;
mod in_sequence;
mod interrupt_joins;
mod interrupt_windows;
mod optimize_unions;
mod plain_conditions;
mod projection_pushdown;
mod propagate_empty_relation;
mod push_down_filter;
mod split_filter_projections;
mod topk_aggregation;
mod yield_in_joins;

pub use aggregates_from_statistics::AggregatesFromStatistics;
pub use eliminate_cross_join::SafeEliminateCrossJoin;
pub use extract_equijoin_predicate::SafeExtractEquijoinPredicate;
pub use guard_filters::GuardFilters;
pub use guard_joins::guard_joins;
pub use guard_offsets::GuardOffsets;
pub use hide_values::HideValues;
pub use in_sequence::InSequence;
pub use interrupt_joins::InterruptJoins;
pub use interrupt_windows::InterruptWindows;
pub use optimize_unions::SafeOptimizeUnions;
pub use projection_pushdown::SafeProjectionPushdown;
pub use propagate_empty_relation::SafePropagateEmptyRelation;
pub use push_down_filter::SafePushDownFilter;
pub use split_filter_projections::SplitFilterProjections;
pub use topk_aggregation::SafeTopKAggregation;
pub use yield_in_joins::YieldInJoins;
