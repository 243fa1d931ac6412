//! PostgreSQL's face: its error codes, its type numbers, and its formats of values.
//!
//! A client that was written for PostgreSQL reads and writes values in PostgreSQL's formats and decides by its numbers,
//! so what is here has PostgreSQL 15 as its only specification. Nothing here knows a session, a plan or a socket.

pub mod column_readers;
pub mod copy_format;
pub mod datetime;
pub mod encoding;
pub mod error;
pub mod expression_type;
pub mod function;
pub mod input;
pub mod library;
pub mod names;
pub mod numeric;
pub mod output;
pub mod recorded;
pub mod session;
pub mod sqlstate;
pub mod styles;
#[cfg(test)]
mod testing;
pub mod types;
pub mod user_types;

pub use error::PgError;
pub use expression_type::Type;
pub use session::{Interrupt, SessionValues};
pub use styles::Styles;
