//! Where the files of a partition go.

use std::collections::BTreeMap;
use std::sync::Arc;

use catalog::partition::{PartitionValues, Partitions};
use catalog::{ExternalTable, Partition};
use datafusion::scalar::ScalarValue;
use object_store::path::Path;

use super::super::discovery::folder_names;
use super::super::partition_values::canonical_text;
use crate::error::{Error, Result};
use crate::object_stores::{Location, ObjectStores, invalid, object_url};

/// A folder that files are written into.
#[derive(Debug, Clone)]
pub struct WriteFolder {
    /// Where it is.
    pub location: Location,
    /// The partition to be registered, when it is a new one.
    pub new_partition: Option<Partition>,
}

/// Finds the folders of a table's partitions.
#[derive(Debug)]
pub struct PartitionFolders {
    table: Arc<ExternalTable>,
    registered: Arc<Partitions>,
    stores: Arc<ObjectStores>,
    /// Folders known to be none but folders.
    known: BTreeMap<PartitionValues, WriteFolder>,
}

impl PartitionFolders {
    /// The folders of a table with these partitions.
    pub fn new(table: Arc<ExternalTable>, registered: Arc<Partitions>, stores: Arc<ObjectStores>) -> Self {
        PartitionFolders { table, registered, stores, known: BTreeMap::new() }
    }

    /// Where rows with these values in the partition columns go: where the partition is that is registered, or into the
    /// folder of the table that is called as the table says, or as Hive does.
    ///
    /// # Errors
    /// A value that no folder can be called by; a location that is a file.
    pub async fn folder(&mut self, values: &[ScalarValue]) -> Result<WriteFolder> {
        let columns = self.table.partition_columns.iter().zip(values);
        let texts: PartitionValues =
            columns.map(|(column, value)| canonical_text(value, column)).collect::<Result<_>>()?;
        if let Some(known) = self.known.get(&texts) {
            return Ok(known.clone());
        }
        self.stores.check_writable(&self.table.location)?;
        let folder = match self.registered.get(&texts) {
            Some(partition) => WriteFolder { location: self.stores.resolve(&partition.location)?, new_partition: None },
            None if values.is_empty() => {
                WriteFolder { location: self.stores.resolve(&self.table.location)?, new_partition: None }
            }
            None => self.new_folder(&texts)?,
        };
        if folder.location.object().await?.is_some() {
            return Err(Error::LocationIsFile { location: folder.location.url });
        }
        self.known.insert(texts, folder.clone());
        Ok(folder)
    }

    fn new_folder(&self, values: &PartitionValues) -> Result<WriteFolder> {
        let root = self.stores.resolve(&self.table.location)?;
        let names = folder_names(self.table.layout.as_ref(), &self.table.partition_columns, values)?;
        let location = below(&root, &names)?;
        // What is found by its folder's name needs no entry.
        let new_partition = match self.table.layout {
            Some(_) => None,
            None => Some(Partition { values: values.clone(), location: location.url.clone() }),
        };
        Ok(WriteFolder { location, new_partition })
    }
}

/// A folder in a folder. Its names are taken as they are.
fn below(folder: &Location, names: &[String]) -> Result<Location> {
    let key = [&[folder.path.to_string()], names].concat().join("/");
    let path = Path::parse(&key).map_err(|error| invalid(&key, &error.to_string()))?;
    let url = match folder.url.starts_with("file:") {
        // Such a URL is percent-encoded.
        true => names.iter().fold(folder.url.trim_end_matches('/').to_owned(), |url, name| {
            format!("{url}/{}", name.replace('%', "%25").replace('#', "%23").replace('?', "%3F"))
        }),
        false => object_url(&folder.store_url, &path),
    };
    Ok(Location { url: format!("{url}/"), path, ..folder.clone() })
}
