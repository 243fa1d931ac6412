//! The file system, as far as the catalog uses it: one seam, so that a test can fail any call, fill the disk, or cut the
//! power.
//!
//! [`OsVfs`] is the operating system's. [`SimulatedVfs`] keeps everything in memory, knows what has been flushed and what
//! has not, and makes the images that a disk may hold after a power loss. Whoever writes files of the data directory goes
//! through this; `std::fs` is not used elsewhere in the crate.
//!
//! What is promised is what POSIX promises and no more: written bytes survive a power loss after [`VfsFile::sync_data`],
//! a name that was made, changed or removed survives after [`Vfs::sync_dir`] of its directory.

mod os;
pub mod simulated;

pub use os::OsVfs;
pub use simulated::SimulatedVfs;

use std::fmt::Debug;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// What [`Vfs::open`] does about a file that is there, or is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenMode {
    /// The file must be there.
    Existing,
    /// A file that is not there is made, empty.
    Create,
}

/// Names and directories.
pub trait Vfs: Debug + Send + Sync {
    /// Opens a file for reading and writing. The owner alone may read a file that is made.
    ///
    /// # Errors
    /// As the operating system says; `NotFound` when the file must be there and is not.
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn VfsFile>>;

    /// Makes a directory that the owner alone may enter. The one above it must be there.
    ///
    /// # Errors
    /// As the operating system says; `AlreadyExists` when the name is taken.
    fn create_dir(&self, path: &Path) -> io::Result<()>;

    /// The names in a directory, sorted.
    ///
    /// # Errors
    /// As the operating system says.
    fn list(&self, directory: &Path) -> io::Result<Vec<String>>;

    /// Gives a file another name, in one step; a file that has this name already is replaced.
    ///
    /// # Errors
    /// As the operating system says.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file's name. The file is gone when nobody has it open any more.
    ///
    /// # Errors
    /// As the operating system says.
    fn remove_file(&self, path: &Path) -> io::Result<()>;

    /// Returns when the names in the directory are durable.
    ///
    /// # Errors
    /// As the operating system says. After an error nobody knows which names are durable.
    fn sync_dir(&self, directory: &Path) -> io::Result<()>;

    /// Whether a file or directory has this name.
    ///
    /// # Errors
    /// It cannot be told.
    fn exists(&self, path: &Path) -> io::Result<bool>;
}

/// An open file. It is closed, and its lock released, when the last reference to it goes.
pub trait VfsFile: Debug + Send + Sync {
    /// The length in bytes.
    ///
    /// # Errors
    /// As the operating system says.
    fn len(&self) -> io::Result<u64>;

    /// Whether there is nothing in it.
    ///
    /// # Errors
    /// As [`len`](Self::len).
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Fills `out` from `offset` on.
    ///
    /// # Errors
    /// As the operating system says; `UnexpectedEof` when the file ends before.
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()>;

    /// Writes all of `data` from `offset` on, making the file longer where necessary.
    ///
    /// # Errors
    /// As the operating system says. After an error any part of `data` may be in the file.
    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()>;

    /// Writes `data` behind what is there. One writer at a time.
    ///
    /// # Errors
    /// As [`write_at`](Self::write_at).
    fn append(&self, data: &[u8]) -> io::Result<()> {
        self.write_at(self.len()?, data)
    }

    /// Cuts the file off, or makes it longer with zeros that take no space yet.
    ///
    /// # Errors
    /// As the operating system says.
    fn set_len(&self, len: u64) -> io::Result<()>;

    /// Reserves space for the first `len` bytes, so that writing them cannot fail for want of it. The length stays.
    ///
    /// # Errors
    /// As the operating system says; `StorageFull` or `QuotaExceeded` when there is no space, `Unsupported` when the file
    /// system cannot reserve any.
    fn allocate(&self, len: u64) -> io::Result<()>;

    /// Returns when everything written so far is durable.
    ///
    /// # Errors
    /// As the operating system says. After an error nobody knows what is durable, and repeating the call does not help:
    /// the system may have given up the data and reports that once.
    fn sync_data(&self) -> io::Result<()>;

    /// Forgets what the system keeps of the file in memory and has no reason to write: what is read next is what the disk
    /// holds. Of use to who opens a file that another process may have failed to flush, and is about to read all of it: the
    /// system begins with that.
    ///
    /// # Errors
    /// As the operating system says.
    fn drop_cache(&self) -> io::Result<()>;

    /// Takes the lock on the file; `false` when another open file holds it.
    ///
    /// # Errors
    /// As the operating system says.
    fn try_lock(&self) -> io::Result<bool>;
}

/// Whether a call failed because the disk, or the owner's share of it, is full.
pub fn is_disk_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What both file systems must do alike.
    fn keeps_its_promises(vfs: &dyn Vfs, root: &Path) {
        let (directory, a, b) = (root.join("d"), root.join("d/a"), root.join("d/b"));
        assert_eq!(vfs.open(&a, OpenMode::Create).unwrap_err().kind(), io::ErrorKind::NotFound);
        vfs.create_dir(&directory).unwrap();
        assert_eq!(vfs.create_dir(&directory).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(vfs.open(&a, OpenMode::Existing).unwrap_err().kind(), io::ErrorKind::NotFound);

        let file = vfs.open(&a, OpenMode::Create).unwrap();
        assert!(file.is_empty().unwrap());
        file.append(b"one ").unwrap();
        file.append(b"two").unwrap();
        file.write_at(5000, b"far").unwrap();
        assert_eq!(file.len().unwrap(), 5003);
        let mut read = [1; 9];
        file.read_at(0, &mut read).unwrap();
        assert_eq!(&read, b"one two\0\0");
        assert_eq!(file.read_at(4999, &mut read).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        file.set_len(3).unwrap();
        file.set_len(6).unwrap();
        file.allocate(10_000).unwrap();
        assert_eq!(file.len().unwrap(), 6);
        let mut read = [1; 6];
        file.read_at(0, &mut read).unwrap();
        assert_eq!(&read, b"one\0\0\0");
        file.sync_data().unwrap();
        file.drop_cache().unwrap();
        file.read_at(0, &mut read).unwrap();
        assert_eq!(&read, b"one\0\0\0");

        assert!(file.try_lock().unwrap());
        let second = vfs.open(&a, OpenMode::Existing).unwrap();
        assert!(!second.try_lock().unwrap());
        drop(file);
        assert!(second.try_lock().unwrap());

        vfs.rename(&a, &b).unwrap();
        assert_eq!(vfs.list(&directory).unwrap(), ["b"]);
        vfs.open(&a, OpenMode::Create).unwrap();
        vfs.rename(&a, &b).unwrap();
        vfs.sync_dir(&directory).unwrap();
        assert!(vfs.open(&b, OpenMode::Existing).unwrap().is_empty().unwrap());
        assert_eq!(second.len().unwrap(), 6);
        assert!(vfs.exists(&directory).unwrap() && vfs.exists(&b).unwrap() && !vfs.exists(&a).unwrap());
        vfs.remove_file(&b).unwrap();
        assert_eq!(vfs.remove_file(&b).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert!(vfs.list(&directory).unwrap().is_empty());
    }

    #[test]
    fn the_operating_system_and_the_simulation_keep_the_same_promises() {
        let directory = tempfile::tempdir().unwrap();
        keeps_its_promises(&OsVfs, directory.path());
        keeps_its_promises(&SimulatedVfs::new(), Path::new("/"));
    }
}
