//! Upper and lower case, a character for a character.

use crate::error::Result;
use crate::function::{Function, function};
use crate::types::*;

pub(super) static FUNCTIONS: &[Function] = &[
    function("lower", &[TEXT], TEXT, |call| call.map1(lower)),
    function("upper", &[TEXT], TEXT, |call| call.map1(upper)),
    function("initcap", &[TEXT], TEXT, |call| call.map1(|s: &str| -> Result<String> { Ok(capitalised(s)) })),
];

/// The lower case of a character; where Unicode has several characters for it, as of `İ`, the first.
pub(super) fn lower_of(c: char) -> char {
    c.to_lowercase().next().unwrap_or(c)
}

/// The upper case of a character; itself where it would be several, as of `ß`.
pub(super) fn upper_of(c: char) -> char {
    let mut upper = c.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}

/// The string in lower case.
pub(super) fn lower(s: &str) -> String {
    if s.is_ascii() { s.to_ascii_lowercase() } else { s.chars().map(lower_of).collect() }
}

fn upper(s: &str) -> String {
    if s.is_ascii() { s.to_ascii_uppercase() } else { s.chars().map(upper_of).collect() }
}

/// The first letter of each run of letters and digits in upper case, the others in lower case.
fn capitalised(s: &str) -> String {
    let mut inside = false;
    s.chars()
        .map(|c| {
            let changed = if inside { lower_of(c) } else { upper_of(c) };
            inside = c.is_alphabetic() || c.is_ascii_digit();
            changed
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::testing::call;
    use crate::types::*;

    fn check(name: &str, s: &str, expected: &str) {
        assert_eq!(call(name, &[(TEXT, Some(s))]), Ok(Some(expected.to_owned())), "{name} {s}");
    }

    #[test]
    fn case_is_changed_a_character_for_a_character() {
        check("lower", "AbC1", "abc1");
        check("lower", "ÄÖİ", "äöi");
        check("upper", "äß", "Äß");
        check("initcap", "hi THOMAS o'neil 1st x_y", "Hi Thomas O'Neil 1st X_Y");
        check("initcap", "éA-bc", "Éa-Bc");
    }
}
