//! Clients that do not keep to the protocol: whatever they send, the server answers, refuses or hangs up, goes on, and
//! grows no larger.
//!
//! A [`case`] is what one connection sends. The seed and its number decide it, so that a case that has shown something can
//! be sent again.

pub mod case;
pub mod messages;
pub mod run;

pub use case::Case;
pub use run::{Failure, check_server, send};
