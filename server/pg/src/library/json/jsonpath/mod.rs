//! `jsonpath`: a language for paths into a `jsonb`, with conditions and arithmetic on the way.
//!
//! A path is carried as the text that PostgreSQL prints of it; [`normalize_jsonpath`] makes that of what was written.

pub mod tree;

mod lexer;
mod parser;
mod print;

mod condition;
mod datetime;
mod decimal;
mod evaluate;
mod item;
mod layout;
mod methods;

pub(super) mod functions;
#[cfg(test)]
mod tests;

use crate::error::Result;

/// The text that carries a path written so.
pub fn normalize_jsonpath(text: &str) -> Result<String> {
    Ok(print::print(&parser::parse(text)?))
}
