//! Sets of characters.

use std::sync::{Arc, LazyLock};

use super::super::case::{lower_of, upper_of};

/// A set of characters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Class {
    /// First and last of each run, in order; no two touch.
    ranges: Vec<(u32, u32)>,
    /// The members below 128, a bit for each.
    ascii: u128,
}

const LAST: u32 = char::MAX as u32;

impl Class {
    /// The characters of these runs, in any order.
    pub(super) fn of(mut ranges: Vec<(u32, u32)>) -> Self {
        ranges.sort_unstable();
        let mut merged: Vec<(u32, u32)> = Vec::with_capacity(ranges.len());
        for (first, last) in ranges {
            match merged.last_mut() {
                Some(previous) if first <= previous.1.saturating_add(1) => previous.1 = previous.1.max(last),
                _ => merged.push((first, last)),
            }
        }
        let mut ascii = 0;
        for (first, last) in &merged {
            for code in *first..=(*last).min(127) {
                ascii |= 1 << code;
            }
        }
        Class { ranges: merged, ascii }
    }

    /// One character.
    pub(super) fn one(c: char) -> Self {
        Class::of(vec![(u32::from(c), u32::from(c))])
    }

    /// All characters.
    pub(super) fn any() -> Self {
        Class::of(vec![(0, LAST)])
    }

    /// All characters with a property.
    fn having(property: impl Fn(char) -> bool) -> Self {
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        for c in ('\0'..=char::MAX).filter(|c| property(*c)) {
            let code = u32::from(c);
            match ranges.last_mut() {
                Some(range) if range.1 + 1 == code => range.1 = code,
                _ => ranges.push((code, code)),
            }
        }
        Class::of(ranges)
    }

    /// Whether the character is in it.
    #[inline]
    pub(super) fn contains(&self, c: char) -> bool {
        let code = u32::from(c);
        if code < 128 {
            return self.ascii >> code & 1 == 1;
        }
        let place = self.ranges.partition_point(|(_, last)| *last < code);
        self.ranges.get(place).is_some_and(|(first, _)| *first <= code)
    }

    /// The runs of characters.
    pub(super) fn ranges(&self) -> &[(u32, u32)] {
        &self.ranges
    }

    /// All characters that are not in it.
    pub(super) fn negated(&self) -> Self {
        let mut ranges = Vec::with_capacity(self.ranges.len() + 1);
        let mut next = 0;
        for (first, last) in &self.ranges {
            if *first > next {
                ranges.push((next, first - 1));
            }
            next = last + 1;
        }
        if next <= LAST {
            ranges.push((next, LAST));
        }
        Class::of(ranges)
    }

    /// The characters of either.
    pub(super) fn with(&self, other: &Class) -> Self {
        Class::of([self.ranges.as_slice(), &other.ranges].concat())
    }

    /// Without this character.
    pub(super) fn without(&self, c: char) -> Self {
        self.negated().with(&Class::one(c)).negated()
    }

    /// With the other case of each character.
    pub(super) fn with_both_cases(&self) -> Self {
        let mut ranges = self.ranges.clone();
        let others = CASES.iter().filter(|(c, _)| self.contains(*c));
        ranges.extend(others.map(|(_, other)| (u32::from(*other), u32::from(*other))));
        Class::of(ranges)
    }
}

/// Characters, each with another case of it.
static CASES: LazyLock<Vec<(char, char)>> = LazyLock::new(|| {
    let mut cases = Vec::new();
    for c in '\0'..=char::MAX {
        for other in [lower_of(c), upper_of(c)] {
            if other != c {
                cases.push((c, other));
            }
        }
    }
    cases
});

macro_rules! named {
    ($($constant:ident: $name:literal, |$c:ident| $property:expr;)*) => {
        $(static $constant: LazyLock<Arc<Class>> = LazyLock::new(|| Arc::new(Class::having(|$c| $property)));)*

        /// The class that is written `[:name:]`.
        pub(super) fn named(name: &str) -> Option<Arc<Class>> {
            match name {
                $($name => Some($constant.clone()),)*
                _ => None,
            }
        }
    };
}

fn is_graphic(c: char) -> bool {
    !c.is_whitespace() && !c.is_control()
}

fn is_alphanumeric(c: char) -> bool {
    c.is_alphabetic() || c.is_ascii_digit()
}

/// Whether it is a character of words: a letter, a digit or an underscore.
pub(super) fn is_word(c: char) -> bool {
    is_alphanumeric(c) || c == '_'
}

named! {
    ALNUM: "alnum", |c| is_alphanumeric(c);
    ALPHA: "alpha", |c| c.is_alphabetic();
    ASCII: "ascii", |c| c.is_ascii();
    BLANK: "blank", |c| c == ' ' || c == '\t';
    CNTRL: "cntrl", |c| c.is_control();
    DIGIT: "digit", |c| c.is_ascii_digit();
    GRAPH: "graph", |c| is_graphic(c);
    LOWER: "lower", |c| c.is_lowercase();
    PRINT: "print", |c| is_graphic(c) || c == ' ';
    PUNCT: "punct", |c| is_graphic(c) && !is_alphanumeric(c);
    SPACE: "space", |c| c.is_whitespace();
    UPPER: "upper", |c| c.is_uppercase();
    WORD: "word", |c| is_word(c);
    XDIGIT: "xdigit", |c| c.is_ascii_hexdigit();
}

/// Names of characters in `[.name.]` (POSIX).
const CHARACTER_NAMES: &[(&str, char)] = &[
    ("NUL", '\0'),
    ("SOH", '\x01'),
    ("STX", '\x02'),
    ("ETX", '\x03'),
    ("EOT", '\x04'),
    ("ENQ", '\x05'),
    ("ACK", '\x06'),
    ("BEL", '\x07'),
    ("alert", '\x07'),
    ("BS", '\x08'),
    ("backspace", '\x08'),
    ("HT", '\t'),
    ("tab", '\t'),
    ("LF", '\n'),
    ("newline", '\n'),
    ("VT", '\x0b'),
    ("vertical-tab", '\x0b'),
    ("FF", '\x0c'),
    ("form-feed", '\x0c'),
    ("CR", '\r'),
    ("carriage-return", '\r'),
    ("SO", '\x0e'),
    ("SI", '\x0f'),
    ("DLE", '\x10'),
    ("DC1", '\x11'),
    ("DC2", '\x12'),
    ("DC3", '\x13'),
    ("DC4", '\x14'),
    ("NAK", '\x15'),
    ("SYN", '\x16'),
    ("ETB", '\x17'),
    ("CAN", '\x18'),
    ("EM", '\x19'),
    ("SUB", '\x1a'),
    ("ESC", '\x1b'),
    ("IS4", '\x1c'),
    ("FS", '\x1c'),
    ("IS3", '\x1d'),
    ("GS", '\x1d'),
    ("IS2", '\x1e'),
    ("RS", '\x1e'),
    ("IS1", '\x1f'),
    ("US", '\x1f'),
    ("space", ' '),
    ("exclamation-mark", '!'),
    ("quotation-mark", '"'),
    ("number-sign", '#'),
    ("dollar-sign", '$'),
    ("percent-sign", '%'),
    ("ampersand", '&'),
    ("apostrophe", '\''),
    ("left-parenthesis", '('),
    ("right-parenthesis", ')'),
    ("asterisk", '*'),
    ("plus-sign", '+'),
    ("comma", ','),
    ("hyphen", '-'),
    ("hyphen-minus", '-'),
    ("period", '.'),
    ("full-stop", '.'),
    ("slash", '/'),
    ("solidus", '/'),
    ("zero", '0'),
    ("one", '1'),
    ("two", '2'),
    ("three", '3'),
    ("four", '4'),
    ("five", '5'),
    ("six", '6'),
    ("seven", '7'),
    ("eight", '8'),
    ("nine", '9'),
    ("colon", ':'),
    ("semicolon", ';'),
    ("less-than-sign", '<'),
    ("equals-sign", '='),
    ("greater-than-sign", '>'),
    ("question-mark", '?'),
    ("commercial-at", '@'),
    ("left-square-bracket", '['),
    ("backslash", '\\'),
    ("reverse-solidus", '\\'),
    ("right-square-bracket", ']'),
    ("circumflex", '^'),
    ("circumflex-accent", '^'),
    ("underscore", '_'),
    ("low-line", '_'),
    ("grave-accent", '`'),
    ("left-brace", '{'),
    ("left-curly-bracket", '{'),
    ("vertical-line", '|'),
    ("right-brace", '}'),
    ("right-curly-bracket", '}'),
    ("tilde", '~'),
    ("DEL", '\x7f'),
];

/// The character that `[.name.]` means: the only one of the name, or the one that is called so.
pub(super) fn collating_element(name: &str) -> Option<char> {
    let mut characters = name.chars();
    match (characters.next(), characters.next()) {
        (Some(c), None) => Some(c),
        _ => CHARACTER_NAMES.iter().find(|(other, _)| *other == name).map(|(_, c)| *c),
    }
}
