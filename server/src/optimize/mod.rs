//! Rules of ours for the engine's optimiser, one per file.

mod union_constants;
mod yield_in_joins;

pub use union_constants::UnionConstants;
pub use yield_in_joins::YieldInJoins;
