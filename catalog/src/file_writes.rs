//! Files that statements write into object storage, and which of them a snapshot shows.
//!
//! Files of external tables are there for everybody as soon as they are written, before the statement that writes them has
//! committed, and long before a snapshot that is older than that is gone. So each such statement takes a number first, which
//! stands in its files' names, and a snapshot tells by it, as PostgreSQL's snapshots tell by transaction numbers
//! (`GetSnapshotData` in `procarray.c`), whether a file belongs to what it shows: its write must have begun and ended before
//! the snapshot was made. What others write has no number of ours and is shown as it is.
//!
//! The names of files are recorded before the files are there, so that whoever finds a write that nobody carries on can
//! remove them.

use std::collections::BTreeSet;
use std::sync::Arc;

use imbl::{OrdMap, OrdSet};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::snapshot::CatalogSnapshot;
use crate::store::{RecordKey, Touched};

/// What the name of each file begins with that a statement writes for a table.
const NAME_PREFIX: &str = "thermocline-";

/// The number of a write, in the order in which they begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct WriteNumber(pub u64);

/// A file that a write names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NamedFile {
    /// Which service has it, of those whose files have the same URLs: its endpoint. A secret may lead to another one.
    pub service: String,
    /// Its URL.
    pub url: String,
}

/// A write that has begun and not ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileWrite {
    /// By which whoever has begun it finds its number.
    pub token: u64,
    /// Files that are, or are going to be, there.
    pub files: BTreeSet<NamedFile>,
    /// Whether it was given up, and its files removed. A request that a store has taken for lost may still be carried out
    /// later: what it makes is never shown.
    pub is_abandoned: bool,
}

/// The writes of files, as one snapshot sees them.
#[derive(Debug, Clone, Default)]
pub struct FileWrites {
    /// Which data directory this is: another's numbers mean nothing here.
    pub(crate) system: u64,
    /// The number of the next write.
    pub(crate) next: u64,
    /// Those that have not ended.
    pub(crate) unfinished: OrdMap<WriteNumber, Arc<FileWrite>>,
    /// Those of an open transaction that have begun after what it sees of others.
    pub(crate) own: OrdSet<WriteNumber>,
}

impl FileWrites {
    /// Of a new data directory.
    pub(crate) fn initial() -> Self {
        FileWrites { system: rand::random(), ..FileWrites::default() }
    }

    /// Which data directory this is.
    pub fn system(&self) -> u64 {
        self.system
    }

    /// The name of a file, without an ending.
    pub fn file_name(&self, write: WriteNumber, partition: usize, file: usize) -> String {
        format!("{NAME_PREFIX}{:016x}-{}-{partition}-{file:05}", self.system, write.0)
    }

    /// Whether a file of a service belongs to what the snapshot shows.
    pub fn shows(&self, service: &str, url: &str) -> bool {
        let name = url.rsplit('/').next().unwrap_or(url);
        match self.number_in(name) {
            Some(write) => self.own.contains(&write) || (write.0 < self.next && !self.unfinished.contains_key(&write)),
            None if self.unfinished.is_empty() => true,
            None => {
                let file = NamedFile { service: service.to_owned(), url: url.to_owned() };
                !self.unfinished.values().any(|write| write.files.contains(&file))
            }
        }
    }

    /// The writes that have not ended.
    pub fn unfinished(&self) -> impl Iterator<Item = (WriteNumber, &Arc<FileWrite>)> {
        self.unfinished.iter().map(|(number, write)| (*number, write))
    }

    /// A write that has not ended.
    pub fn unfinished_write(&self, number: WriteNumber) -> Option<&Arc<FileWrite>> {
        self.unfinished.get(&number)
    }

    /// The number of a write that has begun, by its token.
    pub fn number_of(&self, token: u64) -> Option<WriteNumber> {
        self.unfinished().find(|(_, write)| write.token == token).map(|(number, _)| number)
    }

    /// The number that a file of this data directory has in its name.
    fn number_in(&self, name: &str) -> Option<WriteNumber> {
        let rest = name.strip_prefix(NAME_PREFIX)?;
        let (system, rest) = rest.split_once('-')?;
        let (number, _) = rest.split_once('-')?;
        (u64::from_str_radix(system, 16) == Ok(self.system)).then(|| number.parse().ok().map(WriteNumber))?
    }
}

impl CatalogSnapshot {
    /// What is written into object storage.
    pub fn file_writes(&self) -> &Arc<FileWrites> {
        &self.file_writes
    }

    pub(crate) fn begin_file_write(&mut self, token: u64, touched: &mut Touched) {
        let writes = Arc::make_mut(&mut self.file_writes);
        let number = WriteNumber(writes.next);
        writes.next += 1;
        self.put_file_write(number, FileWrite { token, files: BTreeSet::new(), is_abandoned: false }, touched);
    }

    /// What an earlier write has left under the same names is this one's: it is neither hidden nor removed as the earlier
    /// one's once this one has ended.
    pub(crate) fn name_written_files(
        &mut self,
        number: WriteNumber,
        files: &[NamedFile],
        overwritten: &[NamedFile],
        touched: &mut Touched,
    ) -> Result<()> {
        let known = self.file_writes.unfinished_write(number).ok_or(Error::FileWriteEnded { number: number.0 })?;
        let mut write = known.as_ref().clone();
        let named: BTreeSet<_> = files.iter().chain(overwritten).cloned().collect();
        let writes = self.file_writes.clone();
        for (other, left) in writes.unfinished().filter(|(other, _)| *other != number) {
            let (taken, rest): (BTreeSet<_>, _) = left.files.iter().cloned().partition(|file| named.contains(file));
            if !taken.is_empty() {
                write.files.extend(taken);
                self.put_file_write(other, FileWrite { files: rest, ..left.as_ref().clone() }, touched);
            }
        }
        write.files.extend(files.iter().cloned());
        self.put_file_write(number, write, touched);
        Ok(())
    }

    pub(crate) fn abandon_file_write(&mut self, number: WriteNumber, touched: &mut Touched) -> Result<()> {
        let known = self.file_writes.unfinished_write(number).ok_or(Error::FileWriteEnded { number: number.0 })?;
        if known.files.is_empty() {
            return self.end_file_write(number, touched);
        }
        let abandoned = FileWrite { files: BTreeSet::new(), is_abandoned: true, ..known.as_ref().clone() };
        self.put_file_write(number, abandoned, touched);
        Ok(())
    }

    /// In a transaction, over a snapshot that knows nothing of it yet, a write ends for the transaction alone.
    pub(crate) fn end_file_write(&mut self, number: WriteNumber, touched: &mut Touched) -> Result<()> {
        let writes = Arc::make_mut(&mut self.file_writes);
        if writes.unfinished.remove(&number).is_some() {
            touched.records.push(RecordKey::FileWrite(number));
        } else if number.0 >= writes.next {
            writes.own.insert(number);
        } else {
            return Err(Error::FileWriteEnded { number: number.0 });
        }
        Ok(())
    }

    fn put_file_write(&mut self, number: WriteNumber, write: FileWrite, touched: &mut Touched) {
        Arc::make_mut(&mut self.file_writes).unfinished.insert(number, Arc::new(write));
        touched.records.push(RecordKey::FileWrite(number));
    }

    /// The snapshot for another data directory with the same records: the writes of the first one are none of its own.
    pub(crate) fn with_own_file_writes(mut self, touched: &mut Touched) -> Self {
        let theirs = std::mem::replace(&mut self.file_writes, Arc::new(FileWrites::initial()));
        touched.records.extend(theirs.unfinished.keys().map(|number| RecordKey::FileWrite(*number)));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::CatalogChange;

    fn after(snapshot: &CatalogSnapshot, change: CatalogChange) -> CatalogSnapshot {
        snapshot.after(&[change]).unwrap()
    }

    fn file(url: &str) -> NamedFile {
        NamedFile { service: String::new(), url: url.to_owned() }
    }

    fn name(number: WriteNumber, urls: &[&str]) -> CatalogChange {
        let files = urls.iter().map(|url| file(url)).collect();
        CatalogChange::NameWrittenFiles { number, files, overwritten: Vec::new() }
    }

    #[test]
    fn a_snapshot_shows_the_files_of_writes_that_ended_before_it() {
        let before = CatalogSnapshot::initial();
        let begun = after(&before, CatalogChange::BeginFileWrite { token: 7 });
        let number = begun.file_writes().number_of(7).unwrap();
        let url = format!("s3://b/t/{}.parquet", begun.file_writes().file_name(number, 0, 0));
        let ended = after(&begun, CatalogChange::EndFileWrite { number });
        let shown = [&before, &begun, &ended].map(|snapshot| snapshot.file_writes().shows("", &url));
        assert_eq!(shown, [false, false, true]);
        // The transaction that has written them sees them, whatever its snapshot shows of others.
        assert!(after(&before, CatalogChange::EndFileWrite { number }).file_writes().shows("", &url));
        assert!(matches!(
            ended.after(&[CatalogChange::EndFileWrite { number }]),
            Err(Error::FileWriteEnded { number: 0 })
        ));
    }

    #[test]
    fn what_was_given_up_is_never_shown() {
        let begun = after(&CatalogSnapshot::initial(), CatalogChange::BeginFileWrite { token: 7 });
        let number = begun.file_writes().number_of(7).unwrap();
        let url = begun.file_writes().file_name(number, 0, 0);
        let named = after(&begun, name(number, &[&url]));
        let abandoned = after(&named, CatalogChange::AbandonFileWrite { number });
        assert!(!abandoned.file_writes().shows("", &url));
        assert!(abandoned.file_writes().unfinished_write(number).unwrap().is_abandoned);
        // Of what was never named there are no files.
        let ended = after(&begun, CatalogChange::AbandonFileWrite { number });
        assert!(ended.file_writes().unfinished_write(number).is_none());
    }

    #[test]
    fn files_under_other_names_are_hidden_while_they_are_named() {
        let begun = after(&CatalogSnapshot::initial(), CatalogChange::BeginFileWrite { token: 7 });
        let number = begun.file_writes().number_of(7).unwrap();
        let named = after(&begun, name(number, &["s3://b/t/part_00"]));
        let ended = after(&named, CatalogChange::EndFileWrite { number });
        for (url, expected) in [("s3://b/t/part_00", [true, false, true]), ("s3://b/u/part_00", [true; 3])] {
            let shown = [&begun, &named, &ended].map(|snapshot| snapshot.file_writes().shows("", url));
            assert_eq!(shown, expected);
        }
        assert!(named.file_writes().shows("http://minio/", "s3://b/t/part_00"), "another service's file");
    }

    #[test]
    fn what_a_write_has_left_is_that_of_the_next_one_under_the_same_names() {
        let begun = after(&CatalogSnapshot::initial(), CatalogChange::BeginFileWrite { token: 7 });
        let first = begun.file_writes().number_of(7).unwrap();
        let cut_off = after(&begun, name(first, &["s3://b/a", "s3://b/b", "s3://b/c"]));
        let begun = after(&cut_off, CatalogChange::BeginFileWrite { token: 8 });
        let second = begun.file_writes().number_of(8).unwrap();
        let files = vec![file("s3://b/a")];
        let overwritten = vec![file("s3://b/b"), file("s3://b/d")];
        let named = after(&begun, CatalogChange::NameWrittenFiles { number: second, files, overwritten });
        let left = |number| named.file_writes().unfinished_write(number).unwrap().files.clone();
        assert_eq!(left(first), BTreeSet::from([file("s3://b/c")]));
        assert_eq!(left(second), BTreeSet::from([file("s3://b/a"), file("s3://b/b")]));
        let ended = after(&named, CatalogChange::EndFileWrite { number: second });
        let shown = ["s3://b/a", "s3://b/b", "s3://b/c"].map(|url| ended.file_writes().shows("", url));
        assert_eq!(shown, [true, true, false]);
    }

    #[test]
    fn another_data_directorys_files_are_shown() {
        let [ours, theirs] = [CatalogSnapshot::initial(), CatalogSnapshot::initial()];
        assert!(ours.file_writes().shows("", &theirs.file_writes().file_name(WriteNumber(5), 0, 0)));
        assert!(!ours.file_writes().shows("", &ours.file_writes().file_name(WriteNumber(5), 0, 0)));
    }
}
