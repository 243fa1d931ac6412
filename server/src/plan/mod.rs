//! Statement → executable plan. Planning has no effects: it reads a snapshot and asks the stores that tables live in.

pub mod column_names;
pub mod context;
pub mod engine;
pub mod extensions;
pub mod logical;
pub mod relations;
mod system_relations;
pub mod type_names;
pub mod types;

pub use context::{FoundRelation, PlanContext};
pub use engine::Engine;
pub use logical::{Planned, carried, plan_query, plan_source};
