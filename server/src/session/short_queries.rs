//! The short queries that a session has sent of late as text, so that the next one like it is neither parsed nor planned.
//!
//! A query of constants is known by its text. A query for the row with a key is known by its shape: its text with a
//! parameter in place of each number and string. Whether what a query was planned for still holds is found out when it is
//! executed; settings that have been changed make all forgotten.

use std::collections::HashMap;
use std::sync::Arc;

use crate::plan::short::ShortQuery;
use crate::session::settings::Values;

/// Longest text that is looked at.
const TEXT_BYTES_MAX: usize = 1024;
/// Queries that are remembered; then all are forgotten.
const QUERIES_MAX: usize = 64;
/// Most constants in a shape.
const CONSTANTS_MAX: usize = 8;

/// Short queries by their texts and shapes.
#[derive(Debug, Default)]
pub struct ShortQueries {
    /// The settings that they were planned under.
    settings: Option<Arc<Values>>,
    by_text: HashMap<String, Arc<ShortQuery>>,
    /// Nothing where a shape is known to be no short query.
    by_shape: HashMap<(String, Vec<ConstantKind>), Option<Arc<ShortQuery>>>,
}

/// What a constant was written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConstantKind {
    /// Digits.
    Number,
    /// Between quotes.
    String,
}

/// A text with parameters in place of its constants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// The text.
    pub text: String,
    /// What the constants were.
    pub kinds: Vec<ConstantKind>,
    /// The constants: digits, or what is between the quotes.
    pub constants: Vec<String>,
}

impl ShortQueries {
    /// The query with this text.
    pub fn with_text(&self, text: &str) -> Option<Arc<ShortQuery>> {
        self.by_text.get(text).cloned()
    }

    /// What is known of a shape; `None` when it is new.
    pub fn with_shape(&self, shape: &Shape) -> Option<Option<Arc<ShortQuery>>> {
        // A tuple of borrowed parts cannot be looked up, and these are short.
        self.by_shape.get(&(shape.text.clone(), shape.kinds.clone())).cloned()
    }

    /// Whether there is anything to look for.
    pub fn has_shapes(&self) -> bool {
        !self.by_shape.is_empty()
    }

    /// Forgets everything if these are not the settings that it was planned under.
    pub fn under(&mut self, settings: &Arc<Values>) {
        if !self.settings.as_ref().is_some_and(|known| Arc::ptr_eq(known, settings)) {
            *self = ShortQueries { settings: Some(settings.clone()), ..ShortQueries::default() };
        }
    }

    /// Adds a query.
    pub fn remember_text(&mut self, text: &str, query: Arc<ShortQuery>) {
        if self.by_text.len() >= QUERIES_MAX {
            self.by_text.clear();
        }
        self.by_text.insert(text.to_owned(), query);
    }

    /// Adds what is known of a shape.
    pub fn remember_shape(&mut self, shape: Shape, query: Option<Arc<ShortQuery>>) {
        if self.by_shape.len() >= QUERIES_MAX {
            self.by_shape.clear();
        }
        self.by_shape.insert((shape.text, shape.kinds), query);
    }
}

/// Whether a text may be a short query.
pub fn may_be_short(text: &str) -> bool {
    text.len() <= TEXT_BYTES_MAX
        && text.as_bytes().first_chunk().is_some_and(|word: &[u8; 6]| word.eq_ignore_ascii_case(b"select"))
}

/// The shape of a text; `None` for one with anything in it that could make a quote or a digit mean something else.
pub fn shape(text: &str) -> Option<Shape> {
    let bytes = text.as_bytes();
    let mut shape = Shape { text: String::with_capacity(text.len() + 8), kinds: Vec::new(), constants: Vec::new() };
    // Up to where the text has been taken over.
    let (mut taken, mut at) = (0, 0);
    while at < bytes.len() {
        let (kind, constant, end) = match bytes[at] {
            b'0'..=b'9' => {
                let end = at + bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
                if continues_word(bytes.get(end)) {
                    return None;
                }
                (ConstantKind::Number, text[at..end].to_owned(), end)
            }
            b'\'' => {
                let (constant, end) = quoted(text, at)?;
                (ConstantKind::String, constant, end)
            }
            b'"' => {
                at += 2 + bytes[at + 1..].iter().position(|byte| *byte == b'"')?;
                continue;
            }
            b'$' | b'\\' => return None,
            b'-' | b'/' if matches!(bytes.get(at + 1), Some(b'-' | b'*')) => return None,
            byte if continues_word(Some(&byte)) => {
                at += bytes[at..].iter().take_while(|byte| continues_word(Some(byte)) || byte.is_ascii_digit()).count();
                // A string behind a word is none of the usual ones, and a number behind a point no whole one.
                if bytes.get(at) == Some(&b'\'') {
                    return None;
                }
                continue;
            }
            _ => {
                at += 1;
                continue;
            }
        };
        if shape.constants.len() == CONSTANTS_MAX {
            return None;
        }
        shape.text.push_str(&text[taken..at]);
        shape.constants.push(constant);
        shape.kinds.push(kind);
        shape.text.push('$');
        shape.text.push((b'0' + shape.constants.len() as u8) as char);
        (taken, at) = (end, end);
    }
    shape.text.push_str(&text[taken..]);
    (!shape.constants.is_empty()).then_some(shape)
}

/// Whether a byte is a part of the word, or of the number, before it.
fn continues_word(byte: Option<&u8>) -> bool {
    byte.is_some_and(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'.' | b'&' | 0x80..))
}

/// The string that begins here, and where it ends.
fn quoted(text: &str, start: usize) -> Option<(String, usize)> {
    let mut constant = String::new();
    let mut at = start + 1;
    loop {
        let length = text[at..].find('\'')?;
        constant.push_str(&text[at..at + length]);
        at += length + 1;
        if text.as_bytes().get(at) != Some(&b'\'') {
            break;
        }
        constant.push('\'');
        at += 1;
    }
    (!constant.contains('\\')).then_some((constant, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<(&str, &[&str])>) {
        let found = shape(text);
        let found = found.as_ref().map(|it| (it.text.as_str(), it.constants.iter().map(String::as_str).collect()));
        assert_eq!(found, expected.map(|(text, constants)| (text, constants.to_vec())), "{text}");
    }

    #[test]
    fn constants_become_parameters() {
        check("SELECT v FROM t WHERE id = 42;", Some(("SELECT v FROM t WHERE id = $1;", &["42"])));
        check(
            "select v1 from t2 where a=1 and b='it''s'",
            Some(("select v1 from t2 where a=$1 and b=$2", &["1", "it's"])),
        );
        check("SELECT \"a 1\" FROM t WHERE \"id\"=-7", Some(("SELECT \"a 1\" FROM t WHERE \"id\"=-$1", &["7"])));
        check("select ä1 from t where é = ''", Some(("select ä1 from t where é = $1", &[""])));
    }

    #[test]
    fn what_may_be_something_else_has_no_shape() {
        for text in [
            "select v from t",
            "select v from t where id = 1.5",
            "select v from t where id = .5",
            "select v from t where id = 1e5",
            "select v from t where id = t.5",
            "select v from t where id = 0x1f",
            "select v from t where id = 1_000",
            "select v from t where id = E'a'",
            "select v from t where id = U&'a'",
            "select v from t where id = 'a\\'",
            "select v from t where id = $1",
            "select v from t where id = 1 -- 'a'",
            "select v from t where id = 1 /* 2 */",
            "select v from t where id = 'a",
            "select \"a from t where id = 1",
        ] {
            check(text, None);
        }
        assert!(shape(&format!("select {}", "1,".repeat(9))).is_none());
    }
}
