//! XML.

use super::document::Document;

/// The namespace of PostgreSQL's plans.
const NAMESPACE: &str = "http://www.postgresql.org/2009/explain";

/// A document with two blanks for each level.
pub(super) fn write(document: &Document) -> String {
    let mut out = format!("<explain xmlns=\"{NAMESPACE}\">\n");
    push(&mut out, document, 1);
    out.push_str("</explain>");
    out
}

/// Writes what is in an element.
fn push(out: &mut String, document: &Document, depth: usize) {
    match document {
        Document::Object(all) => all.iter().for_each(|(name, value)| push_element(out, name, value, depth)),
        Document::List(name, all) => all.iter().for_each(|value| push_element(out, name, value, depth)),
        Document::Text(text) => out.push_str(&escaped(text)),
        Document::Plain(value) => out.push_str(value),
    }
}

fn push_element(out: &mut String, name: &str, value: &Document, depth: usize) {
    let (name, indent) = (tag(name), "  ".repeat(depth));
    let is_nested = matches!(value, Document::Object(_) | Document::List(..));
    out.push_str(&format!("{indent}<{name}>"));
    if is_nested {
        out.push('\n');
    }
    push(out, value, depth + 1);
    if is_nested {
        out.push_str(&indent);
    }
    out.push_str(&format!("</{name}>\n"));
}

/// A name without what the names of elements cannot have.
fn tag(name: &str) -> String {
    name.chars().map(|it| if it.is_ascii_alphanumeric() || "-_.".contains(it) { it } else { '-' }).collect()
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for it in text.chars() {
        match it {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\r' => out.push_str("&#x0d;"),
            other => out.push(other),
        }
    }
    out
}
