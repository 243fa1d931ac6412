//! Statements that write files into object storage, from their beginning to what becomes of the files: they are a part of
//! the transaction, or they are removed.
//!
//! See [`catalog::file_writes`] for who sees the files meanwhile.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use catalog::{Catalog, CatalogChange, FileWrites, NamedFile, WriteNumber};
use storage::external::write::{Removed, WrittenFiles, remove_file};
use storage::object_stores::ObjectStores;
use tokio::runtime::Handle;
use tracing::{info, warn};

use crate::error::Result;

/// A write that has begun. When it is dropped and has not ended by then, as a part of what was committed, its files are
/// removed.
pub struct FileWrite {
    catalog: Arc<Catalog>,
    stores: Arc<ObjectStores>,
    number: WriteNumber,
}

impl FileWrite {
    /// Begins a write into these stores, which others are told of at once, whatever becomes of the transaction.
    ///
    /// # Errors
    /// It cannot be committed.
    pub async fn begin(catalog: Arc<Catalog>, stores: Arc<ObjectStores>) -> Result<Self> {
        let token = rand::random();
        let begun = catalog.commit(vec![CatalogChange::BeginFileWrite { token }]).await?;
        let missing = || pg::PgError::internal("a write of files has no number");
        let number = begun.file_writes().number_of(token).ok_or_else(missing)?;
        Ok(FileWrite { catalog, stores, number })
    }

    /// Its number.
    pub fn number(&self) -> WriteNumber {
        self.number
    }

    /// The writes of this server, for names.
    pub fn writes(&self) -> Arc<FileWrites> {
        self.catalog.snapshot().file_writes().clone()
    }

    /// Puts the files where they belong. They are there then, for those who see what this write has done. It must not be
    /// given up half-way. Files that are `overwritten` are not removed, unless an earlier write has left them: what they were
    /// before may still be there.
    ///
    /// # Errors
    /// One cannot be written; all are removed when this is dropped.
    pub async fn publish(&self, files: &mut WrittenFiles, overwritten: &BTreeSet<NamedFile>) -> Result<()> {
        let (overwritten, files_made): (Vec<_>, _) =
            files.names().into_iter().partition(|name| overwritten.contains(name));
        if !files.files.is_empty() {
            let named = CatalogChange::NameWrittenFiles { number: self.number, files: files_made, overwritten };
            self.catalog.commit(vec![named]).await?;
        }
        let published = files.publish().await;
        self.stores.listings().clear();
        Ok(published?)
    }

    /// What makes the files a part of what is committed with it.
    pub fn end(&self) -> CatalogChange {
        CatalogChange::EndFileWrite { number: self.number }
    }

    /// Ends it at once, whatever becomes of the transaction.
    ///
    /// # Errors
    /// It cannot be committed.
    pub async fn end_now(self) -> Result<()> {
        self.catalog.commit(vec![self.end()]).await?;
        Ok(())
    }
}

impl Drop for FileWrite {
    fn drop(&mut self) {
        let is_unfinished = self.catalog.snapshot().file_writes().unfinished_write(self.number).is_some();
        // Where there is no runtime any more, the next start sees to it.
        if let (true, Ok(runtime)) = (is_unfinished, Handle::try_current()) {
            runtime.spawn(give_up(self.catalog.clone(), self.stores.clone(), self.number));
        }
    }
}

impl fmt::Debug for FileWrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileWrite").field("number", &self.number).finish_non_exhaustive()
    }
}

/// Removes the files of a write that nobody carries on. What cannot be removed is tried again at the next start, and hidden
/// until then.
async fn give_up(catalog: Arc<Catalog>, stores: Arc<ObjectStores>, number: WriteNumber) {
    let Some(write) = catalog.snapshot().file_writes().unfinished_write(number).cloned() else { return };
    for file in &write.files {
        // The statement may have been repeated meanwhile: then the file is that of the later write.
        let is_ours = |write: &Arc<catalog::FileWrite>| write.files.contains(file);
        if !catalog.snapshot().file_writes().unfinished_write(number).is_some_and(is_ours) {
            continue;
        }
        match remove_file(&stores, file).await {
            Ok(Removed::Gone) => {}
            Ok(Removed::OutOfReach) => {
                warn!(
                    write = number.0,
                    url = file.url,
                    "a file of a statement that failed is of a service out of reach"
                );
            }
            Err(error) => {
                warn!(write = number.0, error = %error, "files of a statement that failed could not be removed");
                return;
            }
        }
    }
    match catalog.commit(vec![CatalogChange::AbandonFileWrite { number }]).await {
        Ok(_) if write.files.is_empty() => {}
        Ok(_) => info!(write = number.0, files = write.files.len(), "files of a statement that failed were removed"),
        Err(error) => warn!(write = number.0, error = %error, "a write of files could not be ended"),
    }
}

/// Removes what statements have left that the end of the process has cut off.
pub async fn give_up_interrupted(catalog: Arc<Catalog>, stores: Arc<ObjectStores>, interrupted: Vec<WriteNumber>) {
    for number in interrupted {
        give_up(catalog.clone(), stores.clone(), number).await;
    }
}

/// The writes that were under way when the process ended before: those that there are before there are sessions.
pub fn interrupted(catalog: &Catalog) -> Vec<WriteNumber> {
    let snapshot = catalog.snapshot();
    let writes = snapshot.file_writes().unfinished();
    writes.filter(|(_, write)| !write.is_abandoned).map(|(number, _)| number).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::Path;

    use storage::object_stores::ObjectStoresConfig;

    use super::*;

    fn stores(root: &Path) -> Arc<ObjectStores> {
        let external_roots = vec![root.to_owned()];
        Arc::new(ObjectStores::new(ObjectStoresConfig { external_roots, ..Default::default() }).unwrap())
    }

    async fn begin(catalog: &Catalog, token: u64) -> WriteNumber {
        let begun = catalog.commit(vec![CatalogChange::BeginFileWrite { token }]).await.unwrap();
        begun.file_writes().number_of(token).unwrap()
    }

    async fn name_files(catalog: &Catalog, number: WriteNumber, urls: &[String]) {
        let file = |url: &String| NamedFile { service: String::new(), url: url.clone() };
        let files = urls.iter().map(file).collect();
        let named = CatalogChange::NameWrittenFiles { number, files, overwritten: Vec::new() };
        catalog.commit(vec![named]).await.unwrap();
    }

    #[tokio::test]
    async fn files_of_a_write_that_the_end_of_the_process_cut_off_are_removed_at_the_next_start() {
        let (directory, root) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let folder = root.path().join("country=a%3Ab");
        std::fs::create_dir(&folder).unwrap();
        let catalog = Catalog::open(directory.path()).unwrap();
        let number = begin(&catalog, 1).await;
        let unnamed = begin(&catalog, 2).await;
        let name = format!("{}.parquet", catalog.snapshot().file_writes().file_name(number, 0, 0));
        let shown_root = root.path().display();
        // One of two files has been published.
        let files = [format!("file://{shown_root}/country=a%3Ab/{name}"), format!("file://{shown_root}/x/{name}")];
        name_files(&catalog, number, &files).await;
        std::fs::write(folder.join(&name), "rows").unwrap();
        drop(catalog);

        let catalog = Arc::new(Catalog::open(directory.path()).unwrap());
        assert!(!catalog.snapshot().file_writes().shows("", &files[0]));
        let interrupted = interrupted(&catalog);
        assert_eq!(interrupted, [number, unnamed]);
        give_up_interrupted(catalog.clone(), stores(root.path()), interrupted).await;
        assert!(!folder.join(&name).exists());
        // Whatever comes of requests that are still on their way is never shown.
        assert!(!catalog.snapshot().file_writes().shows("", &files[0]));
        assert!(catalog.snapshot().file_writes().unfinished_write(unnamed).is_none());
        drop(catalog);
        let catalog = Catalog::open(directory.path()).unwrap();
        assert!(super::interrupted(&catalog).is_empty());
        assert!(!catalog.snapshot().file_writes().shows("", &files[0]));
    }

    #[tokio::test]
    async fn what_cannot_be_removed_stays_hidden_and_is_tried_again() {
        let (directory, root) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let catalog = Arc::new(Catalog::open(directory.path()).unwrap());
        let number = begin(&catalog, 1).await;
        let files = ["file:///etc/hostname".to_owned()];
        name_files(&catalog, number, &files).await;
        give_up_interrupted(catalog.clone(), stores(root.path()), vec![number]).await;
        assert_eq!(interrupted(&catalog), [number]);
        assert!(!catalog.snapshot().file_writes().shows("", &files[0]));
    }
}
