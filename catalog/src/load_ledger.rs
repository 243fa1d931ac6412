//! Which files have been loaded into a table: a file is loaded once, unless somebody wants it twice.

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

/// Files that are remembered of a table, as many as one statement reads. Each takes some hundred bytes of memory; when
/// there are more, those that were loaded first are forgotten.
const FILES_MAX: usize = 200_000;

/// What tells a file from what was or will be under its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileVersion {
    /// The store's own tag of its content, if it has any.
    pub e_tag: Option<String>,
    /// Its bytes.
    pub size: u64,
    /// When it was written, in microseconds since 1970.
    pub modified_us: i64,
}

/// A file that has been loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadedFile {
    /// Its URL.
    pub url: String,
    /// As it was then.
    pub version: FileVersion,
    /// When, in microseconds since 1970.
    pub loaded_us: i64,
}

/// The files that have been loaded into a table.
#[derive(Debug, Clone, Default)]
pub struct LoadLedger {
    files: OrdMap<String, LoadedFile>,
}

impl FileVersion {
    /// Whether both are the same. Tags, where there are some, tell alone: a copy of a file is not another version.
    pub fn is_same(&self, other: &FileVersion) -> bool {
        match (&self.e_tag, &other.e_tag) {
            (Some(tag), Some(other_tag)) => tag == other_tag && self.size == other.size,
            _ => self == other,
        }
    }
}

impl LoadLedger {
    /// The files, by their URLs.
    pub fn files(&self) -> impl Iterator<Item = &LoadedFile> {
        self.files.values()
    }

    /// The file of this URL as it was loaded last, if it was.
    pub fn file(&self, url: &str) -> Option<&LoadedFile> {
        self.files.get(url)
    }

    /// Whether this version of a file has been loaded.
    pub fn has(&self, url: &str, version: &FileVersion) -> bool {
        self.files.get(url).is_some_and(|known| known.version.is_same(version))
    }

    /// Adds a file, in the place of an earlier version of it.
    pub(crate) fn add(&mut self, file: LoadedFile) {
        self.files.insert(file.url.clone(), file);
    }

    /// Forgets the files that are too many, and tells which.
    pub(crate) fn forget_oldest(&mut self) -> Vec<String> {
        let excess = self.files.len().saturating_sub(FILES_MAX);
        if excess == 0 {
            return Vec::new();
        }
        let mut ages: Vec<_> = self.files.values().map(|file| (file.loaded_us, file.url.clone())).collect();
        ages.sort_unstable();
        let oldest: Vec<_> = ages.into_iter().take(excess).map(|(_, url)| url).collect();
        oldest.iter().for_each(|url| drop(self.files.remove(url)));
        oldest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(url: &str, e_tag: Option<&str>, loaded_us: i64) -> LoadedFile {
        let version = FileVersion { e_tag: e_tag.map(str::to_owned), size: 3, modified_us: loaded_us };
        LoadedFile { url: url.into(), version, loaded_us }
    }

    #[test]
    fn a_version_is_known_by_its_tag_and_else_by_size_and_time() {
        let mut ledger = LoadLedger::default();
        ledger.add(file("a", Some("1"), 10));
        ledger.add(file("b", None, 10));
        assert!(ledger.has("a", &file("a", Some("1"), 20).version));
        assert!(!ledger.has("a", &file("a", Some("2"), 10).version));
        assert!(ledger.has("b", &file("b", None, 10).version) && !ledger.has("b", &file("b", None, 20).version));
        ledger.add(file("a", Some("2"), 30));
        assert!(!ledger.has("a", &file("a", Some("1"), 10).version));
        assert_eq!(ledger.files().count(), 2);
    }

    #[test]
    fn the_oldest_files_are_forgotten_when_there_are_too_many() {
        let mut ledger = LoadLedger::default();
        (0..FILES_MAX as i64 + 2).rev().for_each(|number| ledger.add(file(&number.to_string(), None, number)));
        assert_eq!(ledger.forget_oldest(), ["0", "1"]);
        assert_eq!((ledger.files().count(), ledger.forget_oldest().len()), (FILES_MAX, 0));
    }
}
