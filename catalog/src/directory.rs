//! The data directory: made durably, and held by one server at a time.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, Result, file_error};
use crate::restore::refuse_unfinished;
use crate::vfs::{OpenMode, Vfs, VfsFile};

pub(crate) const LOCK_FILE: &str = "LOCK";
/// Longer contents of the lock file are none of ours.
const LOCK_BYTES_MAX: u64 = 64;

/// A data directory that this process holds, as long as this is not dropped.
#[derive(Debug)]
pub struct DataDirectory {
    pub(crate) vfs: Arc<dyn Vfs>,
    pub(crate) path: PathBuf,
    /// Held, never read: the lock ends with the file.
    pub(crate) lock: Arc<dyn VfsFile>,
}

impl DataDirectory {
    /// Takes a directory, which is made if it is not there.
    ///
    /// # Errors
    /// The directory cannot be made, is in use by another server, or is what an unfinished restore has left.
    pub fn take(vfs: Arc<dyn Vfs>, path: &Path) -> Result<Self> {
        create_directory(vfs.as_ref(), path)?;
        // Before anything is read: what another server is about to write would be read half.
        let lock = lock_directory(vfs.as_ref(), path)?;
        refuse_unfinished(vfs.as_ref(), path)?;
        Ok(DataDirectory { vfs, path: path.to_path_buf(), lock })
    }
}

/// Makes the directory and those above it that are not there, so that they survive a power loss.
///
/// # Errors
/// A directory cannot be made or flushed.
pub(crate) fn create_directory(vfs: &dyn Vfs, directory: &Path) -> Result<()> {
    for made in missing_ancestors(vfs, directory)? {
        match vfs.create_dir(&made) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            created => created.map_err(|source| file_error("create directory", &made, source))?,
        }
        // A directory's name is in the one above it.
        let above = made.parent().unwrap_or(Path::new(""));
        vfs.sync_dir(above).map_err(|source| file_error("flush directory", above, source))?;
    }
    Ok(())
}

/// The directory and those above it that are not there yet, from the top.
fn missing_ancestors(vfs: &dyn Vfs, directory: &Path) -> Result<Vec<PathBuf>> {
    let mut missing = Vec::new();
    for path in directory.ancestors().take_while(|it| !it.as_os_str().is_empty()) {
        if vfs.exists(path).map_err(|source| file_error("access", path, source))? {
            break;
        }
        missing.push(path.to_path_buf());
    }
    missing.reverse();
    Ok(missing)
}

/// Takes the lock that keeps a second server off the directory, and leaves our process number in it for the message
/// that the second one prints. The lock ends with the file.
///
/// # Errors
/// Another server holds the lock, or the file cannot be made or written.
pub(crate) fn lock_directory(vfs: &dyn Vfs, directory: &Path) -> Result<Arc<dyn VfsFile>> {
    let path = directory.join(LOCK_FILE);
    let file = vfs.open(&path, OpenMode::Create).map_err(|source| file_error("open", &path, source))?;
    if !file.try_lock().map_err(|source| file_error("lock", &path, source))? {
        return Err(Error::DirectoryInUse { directory: directory.display().to_string(), pid: owner(file.as_ref()) });
    }
    let pid = format!("{}\n", std::process::id());
    let written = file.set_len(0).and_then(|()| file.write_at(0, pid.as_bytes()));
    written.map_err(|source| file_error("write", &path, source))?;
    Ok(file)
}

/// The process number in a lock file, if it can be told.
fn owner(file: &dyn VfsFile) -> Option<u32> {
    let length = file.len().ok()?.min(LOCK_BYTES_MAX);
    let mut text = vec![0; usize::try_from(length).ok()?];
    file.read_at(0, &mut text).ok()?;
    String::from_utf8(text).ok()?.trim().parse().ok()
}
