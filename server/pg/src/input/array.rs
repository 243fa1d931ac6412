//! Arrays from text: `{1,NULL,"a b"}`, nested, with dimensions before them if need be. The rules are those of `array_in`
//! (`arrayfuncs.c`).

use std::sync::Arc;

use arrow::array::{ArrayRef, ListArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::Field;

use crate::error::{PgError, Result};
use crate::sqlstate::SqlState;
use crate::types::{INT2VECTOR, OIDVECTOR};

/// Dimensions an array can have (`MAXDIM`).
pub const DIMENSIONS_MAX: usize = 6;

/// An array as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenArray {
    /// The length of each dimension, the outermost first; empty for an array without elements.
    pub dimensions: Vec<usize>,
    /// The elements of all dimensions, in order.
    pub elements: Vec<Option<String>>,
}

/// Takes a value of this type of arrays apart. Elements are not looked at.
///
/// # Errors
/// As for [`parse`].
pub fn parse_of(oid: u32, text: &str) -> Result<WrittenArray> {
    match oid {
        INT2VECTOR | OIDVECTOR => Ok(parse_vector(text)),
        _ => parse(text),
    }
}

/// A vector of the system catalogs: `1 2 3`
fn parse_vector(text: &str) -> WrittenArray {
    let elements: Vec<_> = text.split_ascii_whitespace().map(|element| Some(element.to_owned())).collect();
    let dimensions = if elements.is_empty() { Vec::new() } else { vec![elements.len()] };
    WrittenArray { dimensions, elements }
}

/// Takes an array apart. Elements are not looked at.
///
/// # Errors
/// 22P02 with PostgreSQL's detail; 0A000 for a lower bound other than 1.
pub fn parse(text: &str) -> Result<WrittenArray> {
    let malformed = |detail: String| {
        let message = format!("malformed array literal: \"{text}\"");
        PgError::new(SqlState::INVALID_TEXT_REPRESENTATION, message).with_detail(detail)
    };
    let (declared, rest) = declared_dimensions(text, &malformed)?;
    let mut reader = Reader::default();
    reader.read(rest, &malformed)?;
    let dimensions = reader.dimensions();
    if let Some(declared) = declared
        && declared != dimensions
    {
        return Err(malformed("Specified array dimensions do not match array contents.".to_owned()));
    }
    Ok(WrittenArray { dimensions, elements: reader.elements })
}

/// The lists of one row whose elements, in order, are these.
pub fn nested(elements: ArrayRef, dimensions: &[usize]) -> Result<ArrayRef> {
    let mut values = elements;
    for (depth, length) in dimensions.iter().enumerate().rev() {
        let rows: usize = dimensions[..depth].iter().product();
        let field = Arc::new(Field::new("item", values.data_type().clone(), true));
        let offsets = OffsetBuffer::from_lengths(std::iter::repeat_n(*length, rows));
        values = Arc::new(ListArray::try_new(field, offsets, values, None)?);
    }
    Ok(values)
}

type Malformed<'a> = dyn Fn(String) -> PgError + 'a;

/// Dimensions before the array, `[1:2][1:3]=`, and what follows them.
fn declared_dimensions<'a>(text: &'a str, malformed: &Malformed<'_>) -> Result<(Option<Vec<usize>>, &'a str)> {
    let mut rest = skip_space(text);
    let mut lengths = Vec::new();
    while let Some(dimension) = rest.strip_prefix('[') {
        if lengths.len() == DIMENSIONS_MAX {
            return Err(too_many_dimensions(lengths.len() + 1));
        }
        let (first, after) = split_integer(skip_space(dimension));
        let introduces = "\"[\" must introduce explicitly-specified array dimensions.";
        let first = first.ok_or_else(|| malformed(introduces.to_owned()))?;
        let (lower, upper, after) = match after.strip_prefix(':') {
            Some(after) => {
                let (upper, after) = split_integer(after);
                (first, upper.ok_or_else(|| malformed("Missing array dimension value.".to_owned()))?, after)
            }
            None => (1, first, after),
        };
        let missing = || malformed("Missing \"]\" after array dimensions.".to_owned());
        rest = skip_space(after.strip_prefix(']').ok_or_else(missing)?);
        if upper < lower {
            let message = "upper bound cannot be less than lower bound";
            return Err(PgError::new(SqlState::ARRAY_SUBSCRIPT_ERROR, message));
        }
        if lower != 1 {
            return Err(PgError::not_supported("an array whose lower bound is not 1"));
        }
        lengths.push(usize::try_from(upper).map_err(|_| PgError::out_of_range("array size"))?);
    }
    if lengths.is_empty() {
        if rest.starts_with('{') {
            return Ok((None, rest));
        }
        return Err(malformed("Array value must start with \"{\" or dimension information.".to_owned()));
    }
    let missing = || malformed("Missing \"=\" after array dimensions.".to_owned());
    let rest = skip_space(rest.strip_prefix('=').ok_or_else(missing)?);
    if !rest.starts_with('{') {
        return Err(malformed("Array contents must start with \"{\".".to_owned()));
    }
    Ok((Some(lengths), rest))
}

fn split_integer(text: &str) -> (Option<i32>, &str) {
    let signed = usize::from(text.starts_with(['-', '+']));
    let digits = text.bytes().skip(signed).take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at(signed + digits);
    (number.parse().ok(), rest)
}

fn skip_space(text: &str) -> &str {
    text.trim_start_matches(is_space)
}

fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t'..='\r')
}

fn too_many_dimensions(count: usize) -> PgError {
    let message = format!("number of array dimensions ({count}) exceeds the maximum allowed ({DIMENSIONS_MAX})");
    PgError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, message)
}

/// What has been read last, which decides what may follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Nothing,
    LevelStarted,
    Element,
    QuotedElement,
    ElementDelimited,
    LevelCompleted,
    LevelDelimited,
}

/// Reads braces, commas and elements from left to right.
#[derive(Default)]
struct Reader {
    state: State,
    /// Arrays that are open.
    level: usize,
    /// The deepest level there was.
    depth: usize,
    /// Of each level, how many members the open array has so far, and how many the last one had.
    counts: [usize; DIMENSIONS_MAX],
    lengths: [Option<usize>; DIMENSIONS_MAX],
    elements: Vec<Option<String>>,
}

impl Reader {
    fn read(&mut self, text: &str, malformed: &Malformed<'_>) -> Result<()> {
        let mut rest = text;
        loop {
            rest = skip_space(rest);
            let Some(first) = rest.chars().next() else {
                return Err(malformed("Unexpected end of input.".to_owned()));
            };
            let unexpected = || malformed(format!("Unexpected \"{first}\" character."));
            rest = match first {
                '{' => {
                    if !matches!(self.state, State::Nothing | State::LevelStarted | State::LevelDelimited) {
                        return Err(unexpected());
                    }
                    self.open()?;
                    &rest[1..]
                }
                '}' => {
                    let empty = self.level == 1 && self.state == State::LevelStarted;
                    if !(self.member_ended() || empty) {
                        return Err(unexpected());
                    }
                    self.close(empty, malformed)?;
                    rest = &rest[1..];
                    if self.level == 0 {
                        break;
                    }
                    rest
                }
                ',' if !self.member_ended() => return Err(unexpected()),
                ',' => {
                    let level = self.state == State::LevelCompleted;
                    self.state = if level { State::LevelDelimited } else { State::ElementDelimited };
                    &rest[1..]
                }
                '"' => self.read_quoted(rest, malformed)?,
                _ => self.read_bare(rest, malformed)?,
            };
        }
        match skip_space(rest) {
            "" => Ok(()),
            _ => Err(malformed("Junk after closing right brace.".to_owned())),
        }
    }

    fn member_ended(&self) -> bool {
        matches!(self.state, State::Element | State::QuotedElement | State::LevelCompleted)
    }

    fn open(&mut self) -> Result<()> {
        if self.level == DIMENSIONS_MAX {
            return Err(too_many_dimensions(self.level + 1));
        }
        self.counts[self.level] = 0;
        self.level += 1;
        self.depth = self.depth.max(self.level);
        self.state = State::LevelStarted;
        Ok(())
    }

    fn close(&mut self, empty: bool, malformed: &Malformed<'_>) -> Result<()> {
        // An array of elements beside one of arrays has another depth.
        let elements = matches!(self.state, State::Element | State::QuotedElement);
        self.level -= 1;
        let count = self.counts[self.level];
        let known = *self.lengths[self.level].get_or_insert(count);
        if count != known || elements && self.level + 1 != self.depth {
            let detail = "Multidimensional arrays must have sub-arrays with matching dimensions.";
            return Err(malformed(detail.to_owned()));
        }
        if self.level > 0 && !empty {
            self.counts[self.level - 1] += 1;
        }
        self.state = State::LevelCompleted;
        Ok(())
    }

    /// Whether an element may begin here.
    fn begin_element(&mut self, state: State, malformed: &Malformed<'_>) -> Result<()> {
        if !matches!(self.state, State::LevelStarted | State::ElementDelimited) {
            return Err(malformed("Unexpected array element.".to_owned()));
        }
        self.state = state;
        // An element stands in an array, so there is one that is open.
        self.counts[self.level - 1] += 1;
        Ok(())
    }

    fn read_quoted<'a>(&mut self, text: &'a str, malformed: &Malformed<'_>) -> Result<&'a str> {
        self.begin_element(State::QuotedElement, malformed)?;
        let mut element = String::new();
        let mut characters = text[1..].chars();
        loop {
            match characters.next() {
                Some('"') => break,
                Some('\\') => element.extend(characters.next()),
                Some(other) => element.push(other),
                None => return Err(malformed("Unexpected end of input.".to_owned())),
            }
        }
        self.elements.push(Some(element));
        Ok(characters.as_str())
    }

    fn read_bare<'a>(&mut self, text: &'a str, malformed: &Malformed<'_>) -> Result<&'a str> {
        self.begin_element(State::Element, malformed)?;
        let mut element = String::new();
        // Space at the end is not part of the element unless it was escaped.
        let (mut kept, mut escaped) = (0, false);
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let after = &rest[first.len_utf8()..];
            match first {
                ',' | '}' => break,
                '{' => return Err(malformed("Unexpected \"{\" character.".to_owned())),
                '"' => return Err(malformed("Unexpected array element.".to_owned())),
                '\\' => {
                    let Some(next) = after.chars().next() else { break };
                    element.push(next);
                    (kept, escaped) = (element.len(), true);
                    rest = &after[next.len_utf8()..];
                    continue;
                }
                space if is_space(space) => element.push(space),
                other => {
                    element.push(other);
                    kept = element.len();
                }
            }
            rest = after;
        }
        element.truncate(kept);
        let null = !escaped && element.eq_ignore_ascii_case("null");
        self.elements.push((!null).then_some(element));
        // A text that ends here is seen to end by the caller.
        Ok(if rest == "\\" { "" } else { rest })
    }

    fn dimensions(&self) -> Vec<usize> {
        if self.elements.is_empty() {
            return Vec::new();
        }
        self.lengths.iter().take(self.depth).map(|length| length.unwrap_or(0)).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn check(text: &str, dimensions: &[usize], elements: &[Option<&str>]) {
        let array = parse(text).unwrap();
        assert_eq!(array.dimensions, dimensions, "{text}");
        let found: Vec<_> = array.elements.iter().map(Option::as_deref).collect();
        assert_eq!(found, elements, "{text}");
    }

    #[test]
    fn elements_are_trimmed_unquoted_and_unescaped() {
        check("{}", &[], &[]);
        check("  { }  ", &[], &[]);
        check("{1,2,NULL,null, 3 }", &[5], &[Some("1"), Some("2"), None, None, Some("3")]);
        let mixed = r#"{"a b",c d , "g\"h",\i,"","NULL",\null, a\ }"#;
        let words = ["a b", "c d", "g\"h", "i", "", "NULL", "null", "a "].map(Some);
        check(mixed, &[8], &words);
        check("{{1,2},{NULL,4}}", &[2, 2], &[Some("1"), Some("2"), None, Some("4")]);
        check("[1:3]={1,2,3}", &[3], &["1", "2", "3"].map(Some));
        check("[2] = {1,2}", &[2], &["1", "2"].map(Some));
        check("[1:2][1:1]={{1},{3}}", &[2, 1], &["1", "3"].map(Some));
    }

    #[test]
    fn an_error_says_where_it_is() {
        for (text, detail) in [
            ("{a\"b\"c}", "Unexpected array element."),
            ("{\"a\"b}", "Unexpected array element."),
            ("{\"a\"\"b\"}", "Unexpected array element."),
            ("{{1,2},{3}}", "Multidimensional arrays must have sub-arrays with matching dimensions."),
            ("{{1,2},3}", "Unexpected array element."),
            ("{1,{2,3}}", "Unexpected \"{\" character."),
            ("{{},{}}", "Unexpected \"}\" character."),
            ("{{1},{}}", "Unexpected \"}\" character."),
            ("{1,2", "Unexpected end of input."),
            ("{1,2}}", "Junk after closing right brace."),
            ("1,2", "Array value must start with \"{\" or dimension information."),
            ("", "Array value must start with \"{\" or dimension information."),
            ("{1,,2}", "Unexpected \",\" character."),
            ("{,1}", "Unexpected \",\" character."),
            ("{1,}", "Unexpected \"}\" character."),
            ("{\"1}", "Unexpected end of input."),
            ("{1\\", "Unexpected end of input."),
            ("{\"1\\", "Unexpected end of input."),
            ("{{1}{2}}", "Unexpected \"{\" character."),
            ("{{1},{2},}", "Unexpected \"}\" character."),
            ("[1:2]={1,2,3}", "Specified array dimensions do not match array contents."),
            ("[1:2]{1,2}", "Missing \"=\" after array dimensions."),
            ("[1:2]=1,2", "Array contents must start with \"{\"."),
            ("[a:2]={1,2}", "\"[\" must introduce explicitly-specified array dimensions."),
            ("[1:a]={1,2}", "Missing array dimension value."),
            ("[1:2={1,2}", "Missing \"]\" after array dimensions."),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.detail.as_deref(), Some(detail), "{text}");
            assert_eq!(error.message, format!("malformed array literal: \"{text}\""));
        }
        assert_eq!(parse("[2:1]={}").unwrap_err().sqlstate, SqlState::ARRAY_SUBSCRIPT_ERROR);
        assert_eq!(parse("[0:1]={1,2}").unwrap_err().sqlstate, SqlState::FEATURE_NOT_SUPPORTED);
        assert_eq!(parse("{{{{{{{1}}}}}}}").unwrap_err().sqlstate, SqlState::PROGRAM_LIMIT_EXCEEDED);
    }
}
