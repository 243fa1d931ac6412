//! `thermocline restore`: a data directory is made of a backup.

use std::sync::Arc;

use catalog::vfs::OsVfs;
use storage::backup::{self, BackupPlace};
use storage::object_stores::ObjectStores;

use crate::config::Config;
use crate::error::Result;

/// Makes the data directory of a backup, and says so.
///
/// # Errors
/// There is no finished backup, it is damaged, or the data directory is not empty or cannot be written.
pub async fn run(config: Config, from: &str) -> Result<()> {
    let stores = ObjectStores::new(config.stores)?;
    let place = BackupPlace::of_operator(&stores, from)?;
    let restored = backup::restore(&place, Arc::new(OsVfs), &config.data_dir).await?;
    println!("Restored {} bytes into {}.", restored.bytes, config.data_dir.display());
    println!("Start the server with:  thermocline --data-dir {}", config.data_dir.display());
    Ok(())
}
