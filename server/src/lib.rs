//! Thermocline: a SQL warehouse server that speaks PostgreSQL's protocol.
//!
//! A statement passes through the modules in this order: [`wire`] reads it from the socket, [`session`] knows who asks and
//! in which transaction, [`parse`] makes a [`parse::Statement`] of the text, [`statement`] has a file for each verb, and
//! [`plan`] turns queries into executable plans. [`pg`] is what PostgreSQL's face needs everywhere: codes, types, formats.

pub mod access;
pub mod aggregation;
mod analyze;
pub mod apply;
pub mod auto_analyze;
pub mod compaction;
pub mod computed_limit;
pub mod config;
mod cost;
pub mod cursor;
pub mod demo;
pub mod engine_error;
pub mod error;
mod explain;
pub mod file_writes;
pub mod join_order;
pub mod keyless;
pub mod lazy;
pub mod locks;
pub mod notifications;
pub mod optimize;
pub mod parse;
pub mod plan;
pub mod query_log;
pub mod restore;
pub mod run;
pub mod sequences;
pub mod server;
pub mod session;
pub mod set_returning;
pub mod spool;
pub mod statement;
pub mod system_catalog;
pub mod telemetry;
pub mod unix_socket;
pub mod wire;

pub use error::{Error, Result};
pub use run::run;
