//! What is known of the files of external tables, on the local disk: of each file its end, which holds what the file says of
//! itself. REFRESH EXTERNAL TABLE puts it there; a scan that finds it needs no request to know where in a file the wanted
//! columns are, or that there are none.
//!
//! A table has an index, which is replaced as a whole, and a file of ends, to which more is appended. The index names what is
//! durable of the latter. Each end is stored with a checksum over it and the exact version of the file that it is the end of:
//! what is damaged or belongs to another version is not there. Losing a manifest loses time only.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use catalog::vfs::{OpenMode, Vfs, VfsFile};
use serde::{Deserialize, Serialize};
use tracing::{info, warn};
use twox_hash::XxHash64;

/// Bytes of ends that nothing refers to, beyond as many as are in use, up to which the file is not written anew.
const UNUSED_BYTES_MAX: u64 = 4 << 20;
/// The endings of file names, behind the number of the table.
const INDEX: &str = "index";
const ENDS: &str = "ends";

/// The manifests of all tables.
#[derive(Debug)]
pub struct Manifests {
    vfs: Arc<dyn Vfs>,
    directory: PathBuf,
    /// Those that have been asked for.
    opened: Mutex<BTreeMap<u32, Arc<Manifest>>>,
    /// Held by who makes one anew: two would write to the same places.
    making: tokio::sync::Mutex<()>,
}

/// What is known of the files of one table.
#[derive(Debug, Default)]
pub struct Manifest {
    /// When it was made, in microseconds since 1970.
    pub refreshed_us: i64,
    entries: HashMap<String, Entry>,
    ends: Option<Ends>,
}

#[derive(Debug, Clone)]
struct Ends {
    name: String,
    file: Arc<dyn VfsFile>,
    /// Bytes of it that are durable.
    length: u64,
}

/// Where the end of a file is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Entry {
    version: String,
    offset: u64,
    length: u32,
    /// Where in its file it begins.
    start: u64,
    checksum: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Index {
    ends: String,
    length: u64,
    refreshed_us: i64,
    entries: Vec<Entry>,
}

/// A manifest that is being made. What it replaces is there until it is finished.
pub struct NewManifest<'a> {
    manifests: &'a Manifests,
    table: u32,
    known: Arc<Manifest>,
    entries: HashMap<String, Entry>,
    ends: Ends,
    _making: tokio::sync::MutexGuard<'a, ()>,
}

impl Manifests {
    /// The manifests in a directory, which is made if it is not there. Those of tables that there are not are removed.
    ///
    /// # Errors
    /// The directory cannot be used.
    pub fn open(vfs: Arc<dyn Vfs>, directory: PathBuf, exists: impl Fn(u32) -> bool) -> io::Result<Self> {
        if !vfs.exists(&directory)? {
            vfs.create_dir(&directory)?;
        }
        for name in vfs.list(&directory)? {
            let table = name.split(['.', '-']).next().and_then(|table| table.parse().ok());
            if !table.is_some_and(&exists) {
                vfs.remove_file(&directory.join(&name))?;
                info!(%name, "the manifest of a table that there is not was removed");
            }
        }
        Ok(Manifests { vfs, directory, opened: Mutex::default(), making: tokio::sync::Mutex::default() })
    }

    /// What is known of the files of a table.
    pub fn manifest(&self, table: u32) -> Arc<Manifest> {
        if let Some(manifest) = self.opened().get(&table) {
            return manifest.clone();
        }
        let manifest = Arc::new(self.load(table).unwrap_or_else(|error| {
            warn!(table, %error, "the manifest of an external table cannot be read");
            Manifest::default()
        }));
        self.opened().entry(table).or_insert(manifest).clone()
    }

    fn opened(&self) -> MutexGuard<'_, BTreeMap<u32, Arc<Manifest>>> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn load(&self, table: u32) -> io::Result<Manifest> {
        let path = self.directory.join(format!("{table}.{INDEX}"));
        if !self.vfs.exists(&path)? {
            return Ok(Manifest::default());
        }
        let file = self.vfs.open(&path, OpenMode::Existing)?;
        let mut bytes = vec![0; usize::try_from(file.len()?).unwrap_or(0)];
        file.read_at(0, &mut bytes)?;
        let index: Index = serde_json::from_slice(&bytes)?;
        let file = self.vfs.open(&self.directory.join(&index.ends), OpenMode::Existing)?;
        let entries = index.entries.into_iter().map(|entry| (entry.version.clone(), entry)).collect();
        let ends = Ends { name: index.ends, file, length: index.length };
        Ok(Manifest { refreshed_us: index.refreshed_us, entries, ends: Some(ends) })
    }

    /// Begins to make a table's manifest anew, when nobody else makes one.
    ///
    /// # Errors
    /// The directory cannot be written.
    pub async fn begin(&self, table: u32) -> io::Result<NewManifest<'_>> {
        let making = self.making.lock().await;
        let known = self.manifest(table);
        let ends = match &known.ends {
            Some(ends) => ends.clone(),
            None => self.new_ends(table, 0)?,
        };
        Ok(NewManifest { manifests: self, table, known, entries: HashMap::new(), ends, _making: making })
    }

    fn new_ends(&self, table: u32, number: u64) -> io::Result<Ends> {
        let name = format!("{table}-{number}.{ENDS}");
        let file = self.vfs.open(&self.directory.join(&name), OpenMode::Create)?;
        file.set_len(0)?;
        Ok(Ends { name, file, length: 0 })
    }
}

impl Manifest {
    /// How many files it knows.
    pub fn files(&self) -> usize {
        self.entries.len()
    }

    /// Bytes that are kept of them.
    pub fn bytes(&self) -> u64 {
        self.entries.values().map(|entry| u64::from(entry.length)).sum()
    }

    /// The end of a version of a file, with the place where it begins in the file.
    pub fn end(&self, version: &str) -> Option<(u64, Bytes)> {
        let (entry, ends) = (self.entries.get(version)?, self.ends.as_ref()?);
        let mut bytes = vec![0; entry.length as usize];
        ends.file.read_at(entry.offset, &mut bytes).ok()?;
        if checksum(version, entry.start, &bytes) != entry.checksum {
            warn!(version, "what is kept of a file is damaged");
            return None;
        }
        Some((entry.start, bytes.into()))
    }
}

impl NewManifest<'_> {
    /// Takes over what is known of a version of a file; whether there is something.
    pub fn keep(&mut self, version: &str) -> bool {
        let Some(entry) = self.known.entries.get(version) else { return false };
        self.entries.insert(version.to_owned(), entry.clone());
        true
    }

    /// Adds the end of a version of a file, which begins at `start`.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn add(&mut self, version: &str, start: u64, end: &[u8]) -> io::Result<()> {
        let Ok(length) = u32::try_from(end.len()) else { return Ok(()) };
        let (offset, checksum) = (self.ends.length, checksum(version, start, end));
        self.ends.file.write_at(offset, end)?;
        self.ends.length += u64::from(length);
        let entry = Entry { version: version.to_owned(), offset, length, start, checksum };
        self.entries.insert(version.to_owned(), entry);
        Ok(())
    }

    /// Puts it into the place of the one before.
    ///
    /// # Errors
    /// It cannot be written; then the one before stays.
    pub fn finish(mut self, now_us: i64) -> io::Result<Arc<Manifest>> {
        let used: u64 = self.entries.values().map(|entry| u64::from(entry.length)).sum();
        let before = self.known.ends.as_ref().map(|ends| ends.name.clone());
        if self.ends.length > 2 * used + UNUSED_BYTES_MAX {
            self.rewrite()?;
        }
        self.ends.file.sync_data()?;
        let entries: Vec<Entry> = self.entries.values().cloned().collect();
        let index = Index { ends: self.ends.name.clone(), length: self.ends.length, refreshed_us: now_us, entries };
        self.write_index(&index)?;
        if let Some(before) = before.filter(|before| *before != self.ends.name) {
            self.manifests.vfs.remove_file(&self.manifests.directory.join(before))?;
        }
        let manifest = Arc::new(Manifest { refreshed_us: now_us, entries: self.entries, ends: Some(self.ends) });
        self.manifests.opened().insert(self.table, manifest.clone());
        Ok(manifest)
    }

    /// Copies what is in use into another file.
    fn rewrite(&mut self) -> io::Result<()> {
        let number = self.ends.name.split(['-', '.']).nth(1).and_then(|number| number.parse().ok()).unwrap_or(0u64);
        let mut ends = self.manifests.new_ends(self.table, number + 1)?;
        for entry in self.entries.values_mut() {
            let mut bytes = vec![0; entry.length as usize];
            self.ends.file.read_at(entry.offset, &mut bytes)?;
            ends.file.write_at(ends.length, &bytes)?;
            entry.offset = ends.length;
            ends.length += u64::from(entry.length);
        }
        self.ends = ends;
        Ok(())
    }

    fn write_index(&self, index: &Index) -> io::Result<()> {
        let (vfs, directory) = (&self.manifests.vfs, &self.manifests.directory);
        let draft = directory.join(format!("{}.{INDEX}.new", self.table));
        let file = vfs.open(&draft, OpenMode::Create)?;
        let bytes = serde_json::to_vec(index)?;
        file.set_len(bytes.len() as u64)?;
        file.write_at(0, &bytes)?;
        file.sync_data()?;
        vfs.rename(&draft, &directory.join(format!("{}.{INDEX}", self.table)))?;
        vfs.sync_dir(directory)
    }
}

/// Over all that an entry says of an end.
fn checksum(version: &str, start: u64, end: &[u8]) -> u64 {
    XxHash64::oneshot(XxHash64::oneshot(start, version.as_bytes()), end)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use catalog::vfs::OsVfs;
    use tempfile::TempDir;

    use super::*;

    fn open(folder: &TempDir) -> Manifests {
        Manifests::open(Arc::new(OsVfs), folder.path().join("manifests"), |table| table == 7).unwrap()
    }

    async fn refresh(manifests: &Manifests, files: &[(&str, usize)]) {
        let mut new = manifests.begin(7).await.unwrap();
        for (version, length) in files {
            if !new.keep(version) {
                new.add(version, 100, &vec![version.len() as u8; *length]).unwrap();
            }
        }
        new.finish(1).unwrap();
    }

    fn end(manifests: &Manifests, version: &str) -> Option<(u64, usize)> {
        manifests.manifest(7).end(version).map(|(start, bytes)| (start, bytes.len()))
    }

    #[tokio::test]
    async fn what_is_known_is_there_after_a_restart_and_what_is_gone_is_not() {
        let folder = TempDir::new().unwrap();
        let manifests = open(&folder);
        refresh(&manifests, &[("a", 10), ("bb", 20)]).await;
        refresh(&manifests, &[("bb", 0), ("ccc", 30)]).await;
        for manifests in [manifests, open(&folder)] {
            assert_eq!(end(&manifests, "a"), None);
            assert_eq!((end(&manifests, "bb"), end(&manifests, "ccc")), (Some((100, 20)), Some((100, 30))));
            assert_eq!((manifests.manifest(7).files(), manifests.manifest(7).bytes()), (2, 50));
        }
        Manifests::open(Arc::new(OsVfs), folder.path().join("manifests"), |_| false).unwrap();
        assert_eq!(open(&folder).manifest(7).files(), 0);
    }

    #[tokio::test]
    async fn what_nothing_refers_to_does_not_stay_for_ever() {
        let folder = TempDir::new().unwrap();
        let manifests = open(&folder);
        for round in 0..20 {
            let version = format!("{round}");
            refresh(&manifests, &[("kept", 100), (&version, 1 << 20)]).await;
            assert_eq!((end(&manifests, "kept"), end(&manifests, &version)), (Some((100, 100)), Some((100, 1 << 20))));
        }
        let names = OsVfs.list(&folder.path().join("manifests")).unwrap();
        assert_eq!(names.len(), 2, "{names:?}");
        let bytes: u64 = names.iter().map(|name| length(&folder, name)).sum();
        assert!(bytes < 10 << 20, "{bytes}");
        assert_eq!(end(&open(&folder), "kept"), Some((100, 100)));
    }

    fn length(folder: &TempDir, name: &str) -> u64 {
        OsVfs.open(&folder.path().join("manifests").join(name), OpenMode::Existing).unwrap().len().unwrap()
    }

    #[tokio::test]
    async fn a_flipped_bit_is_found_or_harmless() {
        let folder = TempDir::new().unwrap();
        refresh(&open(&folder), &[("a", 10), ("bb", 20)]).await;
        let directory = folder.path().join("manifests");
        for name in OsVfs.list(&directory).unwrap() {
            let file = OsVfs.open(&directory.join(&name), OpenMode::Existing).unwrap();
            for place in 0..file.len().unwrap() {
                let mut byte = [0];
                file.read_at(place, &mut byte).unwrap();
                file.write_at(place, &[byte[0] ^ 1]).unwrap();
                let found = open(&folder).manifest(7).end("bb");
                assert!(found.is_none_or(|found| found == (100, vec![2; 20].into())), "{name} {place}");
                file.write_at(place, &byte).unwrap();
            }
        }
        assert_eq!(end(&open(&folder), "bb"), Some((100, 20)));
    }
}
