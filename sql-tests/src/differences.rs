//! The list of known differences from PostgreSQL, `corpus/differences.txt`.
//!
//! ```text
//! [numeric-without-nan]
//! cast/numbers: SELECT 'NaN'::numeric
//! not supported: the type xml is not supported
//! ```
//!
//! In brackets is the reason, by the name of its section in `docs/differences.md`. Below it is each statement that differs
//! for this reason, by its file and its text; or, for everything that is refused as not supported, a part of the message.
//! A line that no longer holds is an error, so that the list stays true.

use std::collections::{BTreeMap, HashMap};

use crate::compare::Difference;

/// How a line begins that stands for all that is refused with this message.
const NOT_SUPPORTED: &str = "not supported";

/// The place of differences that the generator finds; their text is what differs.
pub const GENERATED: &str = "generated";

/// The reason of those that nobody has looked at. It is not explained, so the tests fail until somebody does.
const UNEXPLAINED: &str = "unexplained";

/// The known differences, and which of them were met.
#[derive(Debug, Default)]
pub struct Differences {
    /// Reasons by file and statement.
    statements: HashMap<(String, String), Entry>,
    /// Reasons by a part of the message.
    messages: Vec<(String, Entry)>,
    reasons: Vec<String>,
}

#[derive(Debug)]
struct Entry {
    reason: String,
    line: usize,
    met: usize,
}

impl Differences {
    /// Reads the list.
    pub fn read(text: &str) -> Result<Differences, String> {
        let mut differences = Differences::default();
        for (index, line) in text.lines().enumerate() {
            let number = index + 1;
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(reason) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                differences.reasons.push(reason.to_owned());
                continue;
            }
            let reason = differences.reasons.last().ok_or(format!("line {number}: no reason"))?.clone();
            let (place, text) = line.split_once(": ").ok_or(format!("line {number}: malformed"))?;
            let entry = Entry { reason, line: number, met: 0 };
            if place == NOT_SUPPORTED {
                differences.messages.push((text.to_owned(), entry));
            } else if differences.statements.insert((place.to_owned(), text.to_owned()), entry).is_some() {
                return Err(format!("line {number}: listed twice"));
            }
        }
        Ok(differences)
    }

    /// The reasons, in the order of the list.
    pub fn reasons(&self) -> &[String] {
        &self.reasons
    }

    /// The reason why this statement differs, if that is known.
    pub fn reason(&mut self, file: &str, title: &str, difference: &Difference) -> Option<&str> {
        if let Some(entry) = self.statements.get_mut(&(file.to_owned(), title.to_owned())) {
            entry.met += 1;
            return Some(&entry.reason);
        }
        let Difference::NotSupported(message) = difference else { return None };
        let (_, entry) = self.messages.iter_mut().find(|(part, _)| message.contains(part.as_str()))?;
        entry.met += 1;
        Some(&entry.reason)
    }

    /// Whether this statement is listed.
    pub fn lists(&self, file: &str, title: &str) -> bool {
        self.statements.contains_key(&(file.to_owned(), title.to_owned()))
    }

    /// How many statements differ, by reason.
    pub fn met(&self) -> BTreeMap<&str, usize> {
        let mut met = BTreeMap::new();
        for entry in self.entries() {
            *met.entry(entry.reason.as_str()).or_default() += entry.met;
        }
        met
    }

    /// The lines that no statement of the corpus needed.
    pub fn stale(&self) -> Vec<usize> {
        let generated = |place: &str| place == GENERATED;
        let statements = self.statements.iter().filter(|((place, _), _)| !generated(place)).map(|(_, entry)| entry);
        let entries = statements.chain(self.messages.iter().map(|(_, entry)| entry));
        let mut lines: Vec<_> = entries.filter(|entry| entry.met == 0).map(|entry| entry.line).collect();
        lines.sort_unstable();
        lines
    }

    /// The list as it should be: without the lines that no statement needed, and with these statements, as pairs of file
    /// and text, below [`UNEXPLAINED`]. Lines about generated statements stay.
    pub fn updated(&self, unexplained: &[(String, String)]) -> String {
        let mut text = String::new();
        for reason in self.reasons.iter().filter(|reason| *reason != UNEXPLAINED) {
            let mut lines: Vec<(usize, String)> = Vec::new();
            for (part, entry) in &self.messages {
                lines.push((entry.kept_line(reason), format!("{NOT_SUPPORTED}: {part}")));
            }
            for ((place, title), entry) in &self.statements {
                let line = if place == GENERATED { entry.line_of(reason) } else { entry.kept_line(reason) };
                lines.push((line, format!("{place}: {title}")));
            }
            lines.retain(|(line, _)| *line > 0);
            lines.sort();
            text += &section(reason, lines.into_iter().map(|(_, line)| line));
        }
        let still = self.statements.iter().filter(|(_, entry)| entry.kept_line(UNEXPLAINED) > 0);
        let mut lines: Vec<_> = still.map(|(key, _)| key).chain(unexplained).collect();
        lines.sort();
        text + &section(UNEXPLAINED, lines.into_iter().map(|(place, title)| format!("{place}: {title}")))
    }

    fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.statements.values().chain(self.messages.iter().map(|(_, entry)| entry))
    }
}

impl Entry {
    /// Its line if it has this reason, or else 0.
    fn line_of(&self, reason: &str) -> usize {
        if self.reason == reason { self.line } else { 0 }
    }

    /// Its line if it has this reason and was met, or else 0.
    fn kept_line(&self, reason: &str) -> usize {
        if self.met > 0 { self.line_of(reason) } else { 0 }
    }
}

fn section(reason: &str, lines: impl Iterator<Item = String>) -> String {
    let lines: Vec<_> = lines.collect();
    if lines.is_empty() { String::new() } else { format!("[{reason}]\n{}\n\n", lines.join("\n")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "# a comment\n[first]\na/b: SELECT 1\n\n[second]\nnot supported: type xml\na/b: SELECT 2\n";

    #[test]
    fn a_listed_statement_has_a_reason() {
        let mut list = Differences::read(LIST).expect("well formed");
        let value = Difference::Value(String::new());
        assert_eq!(list.reason("a/b", "SELECT 1", &value), Some("first"));
        assert_eq!(list.reason("a/c", "SELECT 1", &value), None);
        let refused = Difference::NotSupported("the type xml".to_owned());
        assert_eq!(list.reason("a/c", "SELECT 3", &refused), Some("second"));
        assert_eq!(list.met(), BTreeMap::from([("first", 1), ("second", 1)]));
    }

    #[test]
    fn a_line_that_no_longer_holds_is_found() {
        let mut list = Differences::read(LIST).expect("well formed");
        assert_eq!(list.stale(), [3, 6, 7]);
        list.reason("a/b", "SELECT 2", &Difference::Value(String::new()));
        assert_eq!(list.stale(), [3, 6]);
    }

    #[test]
    fn an_update_drops_stale_lines_and_adds_new_ones() {
        let mut list = Differences::read(LIST).expect("well formed");
        list.reason("a/b", "SELECT 2", &Difference::Value(String::new()));
        let updated = list.updated(&[("a/c".to_owned(), "SELECT 3".to_owned())]);
        assert_eq!(updated, "[second]\na/b: SELECT 2\n\n[unexplained]\na/c: SELECT 3\n\n");
    }

    #[test]
    fn a_malformed_list_is_refused() {
        assert!(Differences::read("a/b: SELECT 1").is_err());
        assert!(Differences::read("[r]\nnonsense").is_err());
        assert!(Differences::read("[r]\na/b: SELECT 1\na/b: SELECT 1").is_err());
    }
}
