//! A simulated disk: what every reader sees, what is durable, and what lies between the two.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::blocks::Blocks;
use super::content::Content;
use super::random::Random;

/// Power loss tears a write between sectors, never within one: what disks promise, and what redb's header counts on.
const SECTOR_BYTES: usize = 512;

/// The number of a file, whatever its names are.
pub(super) type FileId = u64;

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    Directory,
    File(FileId),
}

/// A change of a file's bytes that is not durable yet.
#[derive(Debug, Clone)]
pub(super) enum Change {
    Write { offset: u64, data: Bytes },
    SetLen(u64),
}

/// A change of names that is not durable yet.
#[derive(Debug, Clone)]
enum NameChange {
    Add { path: PathBuf, entry: Entry },
    Remove { path: PathBuf },
    Rename { from: PathBuf, to: PathBuf, entry: Entry },
}

/// The bytes of one file.
#[derive(Debug, Clone, Default)]
pub(super) struct FileState {
    /// What a reader sees.
    pub(super) current: Content,
    /// What is on the disk for certain.
    durable: Content,
    /// What leads from one to the other and may be on the disk or not.
    unsynced: Vec<Change>,
    /// So many of them a late flush owes.
    owed: usize,
    /// The blocks that have space on the disk.
    pub(super) blocks: Blocks,
}

/// Files and names.
#[derive(Debug, Clone, Default)]
pub(super) struct Disk {
    pub(super) files: BTreeMap<FileId, FileState>,
    pub(super) names: BTreeMap<PathBuf, Entry>,
    durable_names: BTreeMap<PathBuf, Entry>,
    unsynced_names: Vec<NameChange>,
    next_file: FileId,
}

/// How much of what was not flushed a power loss leaves, chosen anew for each image: a disk that wrote nothing and one
/// that wrote everything are cases that a coin for each write would never make.
#[derive(Debug, Clone, Copy)]
enum Survival {
    Nothing,
    Everything,
    /// Each change with this chance in eight, in any order.
    Some(u64),
    /// Those before some point, in order.
    Prefix,
}

impl FileState {
    pub(super) fn change(&mut self, change: Change) {
        change.apply_to(&mut self.current);
        self.unsynced.push(change);
    }

    pub(super) fn sync(&mut self) {
        for change in self.unsynced.drain(..) {
            change.apply_to(&mut self.durable);
        }
        self.owed = 0;
    }

    /// Makes durable what the call before this one should have.
    pub(super) fn sync_late(&mut self) {
        for change in self.unsynced.drain(..self.owed) {
            change.apply_to(&mut self.durable);
        }
        self.owed = self.unsynced.len();
    }

    /// A flush that fails, as Linux does it: some of the data reach the disk, the others count as written although they
    /// are not, and readers go on seeing them.
    pub(super) fn sync_failing(&mut self, random: &mut Random) {
        self.durable = self.after_power_loss(random);
        self.unsynced.clear();
        self.owed = 0;
    }

    pub(super) fn drop_cache(&mut self) {
        let mut content = self.durable.clone();
        for change in &self.unsynced {
            change.apply_to(&mut content);
        }
        self.current = content;
    }

    fn after_power_loss(&self, random: &mut Random) -> Content {
        let mut content = self.durable.clone();
        let mut changes = self.unsynced.clone();
        let survival = Survival::choose(random);
        match survival {
            Survival::Some(_) => random.shuffle(&mut changes),
            Survival::Prefix => changes.truncate(random.below(changes.len() as u64 + 1) as usize),
            Survival::Nothing | Survival::Everything => {}
        }
        let last = changes.len().saturating_sub(1);
        for (index, change) in changes.iter().enumerate() {
            match survival {
                Survival::Nothing => {}
                Survival::Prefix if index == last => change.apply_torn(&mut content, random),
                Survival::Everything | Survival::Prefix => change.apply_to(&mut content),
                Survival::Some(eighths) if !random.chance(eighths, 8) => {}
                Survival::Some(_) if random.chance(1, 4) => change.apply_torn(&mut content, random),
                Survival::Some(_) => change.apply_to(&mut content),
            }
        }
        content
    }
}

impl Change {
    fn apply_to(&self, content: &mut Content) {
        match self {
            Change::Write { offset, data } => content.write_at(*offset, data),
            Change::SetLen(len) => content.set_len(*len),
        }
    }

    /// Some sectors of a write, each on its own.
    fn apply_torn(&self, content: &mut Content, random: &mut Random) {
        let Change::Write { offset, data } = self else {
            return self.apply_to(content);
        };
        let mut at = 0;
        while at < data.len() {
            let sector_ends = SECTOR_BYTES - (*offset as usize + at) % SECTOR_BYTES;
            let end = (at + sector_ends).min(data.len());
            if random.chance(1, 2) {
                content.write_at(offset + at as u64, &data[at..end]);
            }
            at = end;
        }
    }
}

impl Survival {
    fn choose(random: &mut Random) -> Self {
        match random.below(8) {
            0 => Survival::Nothing,
            1 => Survival::Everything,
            2 | 3 => Survival::Prefix,
            4 => Survival::Some(1),
            5 | 6 => Survival::Some(4),
            _ => Survival::Some(7),
        }
    }
}

impl NameChange {
    fn is_in(&self, directory: &Path) -> bool {
        let path = match self {
            NameChange::Add { path, .. } | NameChange::Remove { path } => path,
            NameChange::Rename { to, .. } => to,
        };
        path.parent() == Some(directory)
    }

    fn apply_to(&self, names: &mut BTreeMap<PathBuf, Entry>) {
        match self {
            NameChange::Add { path, entry } => {
                names.insert(path.clone(), *entry);
            }
            NameChange::Remove { path } => {
                names.remove(path);
            }
            NameChange::Rename { from, to, entry } => {
                names.remove(from);
                names.insert(to.clone(), *entry);
            }
        }
    }
}

impl Disk {
    pub(super) fn is_directory(&self, path: &Path) -> bool {
        path.parent().is_none() || self.names.get(path) == Some(&Entry::Directory)
    }

    pub(super) fn add_file(&mut self, path: &Path) -> FileId {
        let id = self.next_file;
        self.next_file += 1;
        self.files.insert(id, FileState::default());
        self.change_names(NameChange::Add { path: path.to_path_buf(), entry: Entry::File(id) });
        id
    }

    pub(super) fn add_directory(&mut self, path: &Path) {
        self.change_names(NameChange::Add { path: path.to_path_buf(), entry: Entry::Directory });
    }

    pub(super) fn remove(&mut self, path: &Path) {
        self.change_names(NameChange::Remove { path: path.to_path_buf() });
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path, entry: Entry) {
        self.change_names(NameChange::Rename { from: from.to_path_buf(), to: to.to_path_buf(), entry });
    }

    fn change_names(&mut self, change: NameChange) {
        change.apply_to(&mut self.names);
        self.unsynced_names.push(change);
    }

    pub(super) fn sync_directory(&mut self, directory: &Path) {
        let (synced, others): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.unsynced_names).into_iter().partition(|change| change.is_in(directory));
        synced.iter().for_each(|change| change.apply_to(&mut self.durable_names));
        self.unsynced_names = others;
    }

    /// A flush of a directory that fails: each change of a name is on the disk or is not, and counts as written.
    pub(super) fn sync_directory_failing(&mut self, directory: &Path, random: &mut Random) {
        self.unsynced_names.retain(|change| !change.is_in(directory) || random.chance(1, 2));
        self.sync_directory(directory);
    }

    /// Space taken by all files that have a name.
    pub(super) fn allocated(&self) -> u64 {
        let files = self.names.values().filter_map(|entry| match entry {
            Entry::File(id) => self.files.get(id),
            Entry::Directory => None,
        });
        files.map(|file| file.blocks.bytes()).sum()
    }

    /// A disk that this one may be after the power went.
    pub(super) fn after_power_loss(&self, random: &mut Random) -> Disk {
        let mut names = self.durable_names.clone();
        let survival = Survival::choose(random);
        for change in &self.unsynced_names {
            let kept = match survival {
                Survival::Nothing => false,
                Survival::Everything => true,
                Survival::Some(eighths) => random.chance(eighths, 8),
                Survival::Prefix => random.chance(1, 2),
            };
            if kept {
                change.apply_to(&mut names);
            }
        }
        let lost: Vec<_> = names.keys().filter(|path| !has_ancestors(&names, path)).cloned().collect();
        lost.iter().for_each(|path| {
            names.remove(path);
        });
        let mut disk = Disk { next_file: self.next_file, ..Disk::default() };
        for (id, file) in &self.files {
            let content = file.after_power_loss(random);
            let blocks = file.blocks.clone();
            let file = FileState { current: content.clone(), durable: content, blocks, ..FileState::default() };
            disk.files.insert(*id, file);
        }
        disk.durable_names = names.clone();
        disk.names = names;
        disk
    }
}

/// Whether every directory above the path is there, too.
fn has_ancestors(names: &BTreeMap<PathBuf, Entry>, path: &Path) -> bool {
    let mut above = path.ancestors().skip(1).filter(|it| it.parent().is_some());
    above.all(|it| names.get(it) == Some(&Entry::Directory))
}
