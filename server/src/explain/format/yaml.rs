//! YAML.

use super::document::Document;
use super::json::quoted;

/// A document with two blanks for each level.
pub(super) fn write(document: &Document) -> String {
    let mut out = String::new();
    push(&mut out, document, 0);
    out.trim_end().to_owned()
}

/// Writes behind a name or a dash.
fn push(out: &mut String, document: &Document, depth: usize) {
    match document {
        Document::Object(all) => {
            for (place, (name, value)) in all.iter().enumerate() {
                if place > 0 {
                    out.push_str(&"  ".repeat(depth));
                }
                out.push_str(name);
                out.push(':');
                push_value(out, value, depth);
            }
        }
        Document::List(_, all) => {
            for value in all {
                out.push_str(&"  ".repeat(depth));
                out.push_str("- ");
                push(out, value, depth + 1);
            }
        }
        Document::Text(text) => out.push_str(&format!("{}\n", quoted(text))),
        Document::Plain(value) => out.push_str(&format!("{value}\n")),
    }
}

fn push_value(out: &mut String, value: &Document, depth: usize) {
    match value {
        Document::Object(_) => {
            out.push_str(" \n");
            out.push_str(&"  ".repeat(depth + 1));
            push(out, value, depth + 1);
        }
        Document::List(..) => {
            out.push_str(" \n");
            push(out, value, depth + 1);
        }
        Document::Text(_) | Document::Plain(_) => {
            out.push(' ');
            push(out, value, depth);
        }
    }
}
