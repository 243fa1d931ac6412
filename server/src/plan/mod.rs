//! Statement → executable plan. Planning has no effects: it reads a snapshot and asks the stores that tables live in.

pub mod column_names;
pub mod context;
pub mod engine;
pub mod literals;
pub mod logical;
pub mod parameters;
pub mod relations;
pub mod session_functions;
pub mod types;

pub use context::PlanContext;
pub use engine::Engine;
pub use logical::{Planned, plan_query};
