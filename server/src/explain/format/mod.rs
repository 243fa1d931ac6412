//! A plan in the formats of EXPLAIN, as PostgreSQL writes them (`src/backend/commands/explain.c`).
//!
//! [`text`] is for people; [`json`], [`xml`] and [`yaml`] write the same [`Document`].

mod document;
mod json;
mod text;
mod xml;
mod yaml;

use super::node::{Explained, PlanNode};
use document::Document;

/// A format.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// Lines for people.
    #[default]
    Text,
    /// JSON.
    Json,
    /// XML.
    Xml,
    /// YAML.
    Yaml,
}

/// What is written of a plan.
#[derive(Debug, Clone, Copy)]
pub struct Shown {
    /// What is expected.
    pub costs: bool,
    /// How long it took.
    pub timing: bool,
}

/// The plan as texts of one row each.
pub fn rows(explained: &Explained, format: Format, shown: Shown) -> Vec<String> {
    match format {
        Format::Text => text::lines(explained, shown),
        Format::Json => vec![json::write(&Document::of(explained, shown))],
        Format::Xml => vec![xml::write(&Document::of(explained, shown))],
        Format::Yaml => vec![yaml::write(&Document::of(explained, shown))],
    }
}

/// What there is to say of a node beside its kind, costs and rows, as texts.
pub fn details(node: &PlanNode) -> Vec<String> {
    node.properties.iter().map(text::line).collect()
}

/// A value as all formats print it, but for quotes.
fn number(value: f64, digits: usize) -> String {
    format!("{value:.digits$}")
}
