//! JSON.

use super::document::Document;

/// A document with two blanks for each level.
pub(super) fn write(document: &Document) -> String {
    let mut out = String::new();
    push(&mut out, document, 0);
    out
}

fn push(out: &mut String, document: &Document, depth: usize) {
    match document {
        Document::Object(all) => {
            let members = all.iter().map(|(name, value)| (Some(name.as_ref()), value));
            push_members(out, ['{', '}'], members, depth);
        }
        Document::List("Item", all) => {
            let items: Vec<String> = all.iter().map(write).collect();
            out.push_str(&format!("[{}]", items.join(", ")));
        }
        Document::List(_, all) => push_members(out, ['[', ']'], all.iter().map(|value| (None, value)), depth),
        Document::Text(text) => out.push_str(&quoted(text)),
        Document::Plain(value) => out.push_str(value),
    }
}

fn push_members<'a>(
    out: &mut String,
    brackets: [char; 2],
    members: impl Iterator<Item = (Option<&'a str>, &'a Document)>,
    depth: usize,
) {
    out.push(brackets[0]);
    for (place, (name, value)) in members.enumerate() {
        out.push_str(if place > 0 { ",\n" } else { "\n" });
        out.push_str(&"  ".repeat(depth + 1));
        if let Some(name) = name {
            out.push_str(&format!("{}: ", quoted(name)));
        }
        push(out, value, depth + 1);
    }
    out.push('\n');
    out.push_str(&"  ".repeat(depth));
    out.push(brackets[1]);
}

/// A text in quotes, as JSON and YAML have it.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
