//! The Unix socket: for clients on this machine, at the place where PostgreSQL's clients look.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

/// Whoever reaches the folder may connect, as in PostgreSQL (`unix_socket_permissions`).
const PERMISSIONS: u32 = 0o777;

/// A Unix socket that is listened at. Its file goes away with it.
#[derive(Debug)]
pub struct UnixSocket {
    /// Accepts clients.
    pub listener: UnixListener,
    path: PathBuf,
}

impl UnixSocket {
    /// Listens in this folder. The file of a server that has ended without taking it away is replaced.
    ///
    /// # Errors
    /// Another server listens there, something else has the name, or the folder cannot be written.
    pub fn bind(directory: &Path, port: u16) -> io::Result<Self> {
        let path = directory.join(format!(".s.PGSQL.{port}"));
        remove_stale(&path)?;
        let listener = UnixListener::bind(&path)?;
        let socket = UnixSocket { listener, path };
        std::fs::set_permissions(&socket.path, Permissions::from_mode(PERMISSIONS))?;
        Ok(socket)
    }
}

impl Drop for UnixSocket {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "could not remove the Unix socket");
        }
    }
}

fn remove_stale(path: &Path) -> io::Result<()> {
    let metadata = match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        metadata => metadata?,
    };
    if !metadata.file_type().is_socket() {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, "the file is no socket"));
    }
    match std::os::unix::net::UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => std::fs::remove_file(path),
        _ => Err(io::Error::new(io::ErrorKind::AddrInUse, "another server listens there")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_a_dead_server_has_left_is_replaced_and_a_living_one_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let first = UnixSocket::bind(directory.path(), 5439).unwrap();
        let path = directory.path().join(".s.PGSQL.5439");
        let refused = UnixSocket::bind(directory.path(), 5439).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AddrInUse);
        drop(first);
        assert!(!path.exists());
        // What a process leaves that is killed.
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        drop(UnixSocket::bind(directory.path(), 5439).unwrap());
        std::fs::write(&path, "not ours").unwrap();
        assert_eq!(UnixSocket::bind(directory.path(), 5439).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    }
}
