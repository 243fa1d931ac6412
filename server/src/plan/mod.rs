//! Statement → executable plan. Planning has no effects: it reads a snapshot and asks the stores that tables live in.

pub mod column_names;
pub mod conflict;
pub mod context;
pub mod engine;
pub mod extensions;
pub mod file_lines;
pub mod file_values;
pub mod files;
pub mod given_rows;
pub mod in_memory;
pub mod logical;
pub mod measured;
pub mod point;
pub mod rebind;
pub mod relations;
mod role_relations;
pub mod seen;
mod sequence_rows;
mod session_relations;
mod setting_relations;
pub mod short;
pub mod statement_plans;
mod statistics_relation;
mod system_relations;
pub mod type_names;
pub mod types;

pub use context::{FoundRelation, PlanContext};
pub use engine::Engine;
pub use logical::{Planned, carried, plan_insert, plan_query, plan_table_source};
pub use setting_relations::PG_SETTINGS;
