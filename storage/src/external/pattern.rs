//! The files that a pattern names: `s3://bucket/year=*/**/part-[0-9]*.{parquet,pq}`.
//!
//! `*` and `?` stand for characters of one name, `[…]` for one of some characters, `{a,b}` for either text, and a name `**` for
//! any folders, or none. What stands before the first name with one of these is listed, folders and all, and each file is
//! compared. A location without any is a file or a folder. To name a file that has such a character in its name, write it in
//! brackets: `[*]`.

use catalog::FileWrites;
use glob::{MatchOptions, Pattern};
use object_store::ObjectMeta;

use super::discovery::decoded;
use super::listing::{self, Hidden};
use crate::error::{Error, Result};
use crate::object_stores::{Location, ObjectStores};

/// The characters that make a pattern of a location.
const SPECIAL: [char; 4] = ['*', '?', '[', '{'];
/// Ways through the alternatives in braces: each file is compared with each of them.
const ALTERNATIVES_MAX: usize = 1000;
/// Braces in a pattern: each is a step deeper on every way through the alternatives, which are copies of the pattern.
const BRACES_MAX: usize = 32;
/// Longest pattern; keys of S3 are a quarter of it.
const PATTERN_BYTES_MAX: usize = 4096;
/// What these characters are in a URL, where they mean themselves and are no pattern.
const ENCODED_SPECIAL: [(&str, &str); 8] = [
    ("%2A", "[*]"),
    ("%2a", "[*]"),
    ("%3F", "[?]"),
    ("%3f", "[?]"),
    ("%5B", "[[]"),
    ("%5b", "[[]"),
    ("%7B", "[{]"),
    ("%7b", "[{]"),
];

/// Where the files of a pattern are, and those that it names, in the order of their paths.
///
/// # Errors
/// It names none, or a place that must not or cannot be listed.
pub(super) async fn matching_files(
    stores: &ObjectStores,
    pattern: &str,
    writes: &FileWrites,
) -> Result<(Location, Vec<ObjectMeta>)> {
    let no_files = || Error::NoFiles { pattern: pattern.to_owned() };
    let (location, matchers, hidden) = match divided(pattern) {
        None => (stores.resolve(pattern)?, None, Hidden::LeftOut),
        Some((folder, names)) => {
            let location = stores.resolve(folder)?;
            // The names in a file's URL are encoded, in a key they are as they are.
            let is_encoded = location.url.starts_with("file:");
            let names = if is_encoded { decoded_pattern(names) } else { names.to_owned() };
            let is_of_hidden = names.rsplit('/').next().is_some_and(|name| name.starts_with(['_', '.']));
            let hidden = if is_of_hidden { Hidden::FoldersLeftOut } else { Hidden::LeftOut };
            (location, Some(matchers(pattern, &names)?), hidden)
        }
    };
    let mut files = match listing::data_files_but(&location, hidden, writes).await {
        Err(Error::NotFound { .. }) => return Err(no_files()),
        files => files?,
    };
    if let Some(matchers) = matchers {
        files.retain(|file| is_match(&matchers, &location, file));
    }
    if files.is_empty() { Err(no_files()) } else { Ok((location, files)) }
}

/// The folder that is listed, and the names below it; none for a location that is no pattern, as a web server's never is.
fn divided(pattern: &str) -> Option<(&str, &str)> {
    let (scheme, _) = pattern.split_once("://")?;
    if ["http", "https"].iter().any(|it| scheme.eq_ignore_ascii_case(it)) {
        return None;
    }
    let begin = scheme.len() + "://".len();
    let special = begin + pattern[begin..].find(SPECIAL)?;
    Some(pattern.split_at(pattern[..special].rfind('/').map_or(0, |at| at + 1)))
}

/// A pattern in a URL without its encoding. What stands for a character that makes a pattern stands for that character alone.
fn decoded_pattern(names: &str) -> String {
    let escaped = |names: String, (encoded, escaped): &(&str, &str)| names.replace(encoded, escaped);
    decoded(&ENCODED_SPECIAL.iter().fold(names.to_owned(), escaped))
}

/// The patterns that the names are compared with, one for each way through the alternatives.
fn matchers(pattern: &str, names: &str) -> Result<Vec<Pattern>> {
    let invalid = |reason: String| Error::LocationInvalid { location: pattern.to_owned(), reason };
    if names.len() > PATTERN_BYTES_MAX {
        let (location, reason) = (pattern.chars().take(60).chain("…".chars()).collect(), "it is too long".to_owned());
        return Err(Error::LocationInvalid { location, reason });
    }
    if names.matches('{').count() > BRACES_MAX {
        return Err(invalid(format!("it has more than {BRACES_MAX} braces")));
    }
    let mut ways = Vec::new();
    alternatives(names, &mut ways).map_err(|reason| invalid(reason.to_owned()))?;
    let compiled = ways.iter().map(|way| Pattern::new(way));
    compiled.collect::<Result<_, _>>().map_err(|error| invalid(format!("it is not a pattern: {}", error.msg)))
}

/// The texts without braces that one with braces stands for: `a{b,c}` for `ab` and `ac`.
fn alternatives(text: &str, ways: &mut Vec<String>) -> Result<(), &'static str> {
    let Some(open) = unbracketed(text, '{') else {
        ways.push(text.to_owned());
        return if ways.len() > ALTERNATIVES_MAX { Err("it has too many alternatives") } else { Ok(()) };
    };
    let (mut depth, mut begin, mut parts, mut close) = (0, open + 1, Vec::new(), None);
    for (at, sign) in text.char_indices().skip_while(|(at, _)| *at < open) {
        match sign {
            '{' => depth += 1,
            ',' if depth == 1 => {
                parts.push(&text[begin..at]);
                begin = at + 1;
            }
            '}' if depth == 1 => {
                parts.push(&text[begin..at]);
                close = Some(at);
                break;
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    let close = close.ok_or("a brace of it is not closed")?;
    for part in parts {
        alternatives(&format!("{}{part}{}", &text[..open], &text[close + 1..]), ways)?;
    }
    Ok(())
}

/// Where a character stands that is not in brackets.
fn unbracketed(text: &str, wanted: char) -> Option<usize> {
    let mut at = 0;
    while let Some(found) = text[at..].find([wanted, '[']) {
        at += found;
        if text[at..].starts_with(wanted) {
            return Some(at);
        }
        // The first character in brackets may be a closing one.
        let inside = text[at + 1..].trim_start_matches('!');
        let end = inside.char_indices().skip(1).find(|(_, sign)| *sign == ']').map(|(end, _)| end);
        at = text.len() - inside.len() + end?;
    }
    None
}

fn is_match(matchers: &[Pattern], location: &Location, file: &ObjectMeta) -> bool {
    let options = MatchOptions { require_literal_separator: true, ..MatchOptions::default() };
    let Some(names) = file.location.prefix_match(&location.path) else { return false };
    let names: Vec<_> = names.map(|name| name.as_ref().to_owned()).collect();
    let name = names.join("/");
    matchers.iter().any(|matcher| matcher.matches_with(&name, options))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;
    use crate::object_stores::ObjectStoresConfig;

    async fn names(pattern: &str) -> Result<String> {
        let folder = TempDir::new().unwrap();
        for file in
            ["a.csv", "b.csv", "b.txt", "x/a.csv", "x/y/a.csv", "_h/a.csv", "_b.csv", "a*.csv", "k=1/c d.csv", "q?.csv"]
        {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        let external_roots = vec![folder.path().to_owned()];
        let stores = ObjectStores::new(ObjectStoresConfig { external_roots, ..Default::default() })?;
        let (location, files) =
            matching_files(&stores, &format!("file://{}/{pattern}", folder.path().display()), &FileWrites::default())
                .await?;
        let root = if location.url.contains("/x") { "x/" } else { "" };
        let name = |file: &ObjectMeta| {
            let names = file.location.prefix_match(&location.path).unwrap();
            format!("{root}{}", names.map(|name| name.as_ref().to_owned()).collect::<Vec<_>>().join("/"))
        };
        Ok(files.iter().map(name).collect::<Vec<_>>().join(" "))
    }

    async fn check(pattern: &str, expected: &str) {
        assert_eq!(names(pattern).await.unwrap(), expected, "{pattern}");
    }

    #[tokio::test]
    async fn each_sign_stands_for_what_it_stands_for() {
        check("*.csv", "a*.csv a.csv b.csv q?.csv").await;
        check("?.csv", "a.csv b.csv").await;
        check("[!a]*.{csv,txt}", "b.csv b.txt q?.csv").await;
        check("*/a.csv", "x/a.csv").await;
        check("**/a.csv", "a.csv x/a.csv x/y/a.csv").await;
        check("x/**", "x/a.csv x/y/a.csv").await;
        check("a[*].csv", "a*.csv").await;
        check("k=?/c%20*", "k=1/c d.csv").await;
        check("q%3F.*", "q?.csv").await;
        check("[ab]%2A.*", "a*.csv").await;
        check("_*.csv", "_b.csv").await;
        check("{b,x/{a,b}}.{txt,csv}", "b.csv b.txt x/a.csv").await;
    }

    #[tokio::test]
    async fn a_pattern_of_no_file_is_an_error() {
        for pattern in ["*.orc", "nowhere/*.csv", "nowhere/a.csv"] {
            assert!(matches!(names(pattern).await, Err(Error::NoFiles { .. })), "{pattern}");
        }
        let many = "{a,b}".repeat(12);
        let (deep, long) = ("{a}".repeat(BRACES_MAX + 1), format!("*{}", "a".repeat(PATTERN_BYTES_MAX)));
        for pattern in ["a[.csv", "a{b", "a***", &many, &deep, &long] {
            assert!(matches!(names(pattern).await, Err(Error::LocationInvalid { .. })), "{pattern}");
        }
    }
}
