//! Where Thermocline's bytes are, and how they are read and written.
//!
//! Hot tables ([`hot`]) live in the catalog's commits and in segments; external tables ([`external`]) are files in [`object_stores`]. Both
//! answer the query engine as table providers, and [`scan`] holds what they share, [`statistics`] what is found out about their values; [`backup`] copies the former. This crate knows neither sessions nor
//! SQL text.

pub mod backup;
mod chunk_bytes;
pub mod column_cache;
pub mod error;
pub mod external;
pub mod hot;
pub mod object_stores;
pub mod page_cache;
pub mod scan;
pub mod statistics;

pub use error::{Error, Result};
