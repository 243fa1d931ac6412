//! Rules of ours for the engine's optimiser, one per file.

mod yield_in_joins;

pub use yield_in_joins::YieldInJoins;
