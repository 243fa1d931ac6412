//! Deals rows out to the files of their partitions.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::partition;
use catalog::{NamedFile, Partition};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::scalar::ScalarValue;
use futures::stream::{self, StreamExt, TryStreamExt};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use super::body::FileEncoding;
use super::partition_files::{MemoryForFiles, NameFiles, PartitionFiles};
use super::places::{PartitionFolders, WriteFolder};
use super::upload::WrittenFile;
use crate::error::Result as StorageResult;

/// Batches that wait for a partition's task.
const BATCHES_WAITING_MAX: usize = 2;
/// Files that are published at the same time: each is a request or two, of which a store answers many at once.
const PUBLISHED_PARALLEL: usize = 16;
/// Bytes of small files that stay in memory until they are published. A small file is one request then, not three.
const SMALL_FILES_BYTES_MAX: usize = 32 << 20;

/// How files are written.
#[derive(Debug)]
pub struct WriteOptions {
    /// What they are made of.
    pub encoding: FileEncoding,
    /// Their names.
    pub names: Arc<dyn NameFiles>,
    /// Bytes after which a file is ended and another begun.
    pub file_bytes_max: u64,
    /// Of the columns of each row, how many at their end are those of partitions.
    pub partition_columns: usize,
    /// Whether the values of partition columns are in the files, too.
    pub keeps_partition_columns: bool,
    /// Counts the memory.
    pub reservation: MemoryReservation,
}

/// Deals rows out. Those of a partition come together.
pub struct FilesWriter {
    options: Arc<WriteOptions>,
    encoders: Arc<Semaphore>,
    memory: Arc<MemoryForFiles>,
    parallel_max: usize,
    current: Option<Current>,
    tasks: JoinSet<(usize, Result<Vec<WrittenFile>>)>,
    files: BTreeMap<usize, Vec<WrittenFile>>,
    new_partitions: Vec<Partition>,
    tasks_begun: usize,
}

struct Current {
    values: Vec<ScalarValue>,
    sender: mpsc::Sender<RecordBatch>,
}

/// What was written, and is not there for anybody yet.
#[derive(Debug)]
pub struct WrittenFiles {
    /// The files.
    pub files: Vec<WrittenFile>,
    /// Partitions that are to be registered.
    pub new_partitions: Vec<Partition>,
    /// Of those that are in memory.
    _reservation: MemoryReservation,
}

impl FilesWriter {
    /// A writer that encodes so many pieces at the same time.
    pub fn new(options: WriteOptions, parallel_max: usize) -> Self {
        FilesWriter {
            options: Arc::new(options),
            encoders: Arc::new(Semaphore::new(parallel_max)),
            memory: Arc::new(MemoryForFiles::new(SMALL_FILES_BYTES_MAX)),
            parallel_max,
            current: None,
            tasks: JoinSet::new(),
            files: BTreeMap::new(),
            new_partitions: Vec::new(),
            tasks_begun: 0,
        }
    }

    /// Adds rows; `folders` tells where those of a partition go.
    ///
    /// # Errors
    /// A partition has no place, or a file cannot be written.
    pub async fn write(&mut self, batch: &RecordBatch, folders: &mut PartitionFolders) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let in_files = batch.num_columns() - self.options.partition_columns;
        let partition_columns = &batch.columns()[in_files..];
        let ranges = match partition_columns.is_empty() {
            true => std::iter::once(0..batch.num_rows()).collect(),
            false => partition(partition_columns)?.ranges(),
        };
        let written: Vec<usize> = match self.options.keeps_partition_columns {
            true => (0..batch.num_columns()).collect(),
            false => (0..in_files).collect(),
        };
        let rows = batch.project(&written)?;
        for range in ranges {
            let values = partition_columns.iter().map(|column| ScalarValue::try_from_array(column, range.start));
            let values = values.collect::<Result<Vec<_>>>()?;
            if !self.current.as_ref().is_some_and(|current| current.values == values) {
                let folder = folders.folder(&values).await?;
                self.begin_partition(values, folder).await?;
            }
            self.send(rows.slice(range.start, range.len())).await?;
        }
        Ok(())
    }

    /// Writes a file without rows into a folder.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn write_empty(&mut self, folder: WriteFolder) -> Result<()> {
        let (number, files) = self.partition_files(folder);
        self.files.insert(number, files.write_empty().await?);
        Ok(())
    }

    fn partition_files(&mut self, folder: WriteFolder) -> (usize, PartitionFiles) {
        let number = self.tasks_begun;
        self.tasks_begun += 1;
        let WriteFolder { location, new_partition } = folder;
        self.new_partitions.extend(new_partition);
        let (encoders, memory) = (self.encoders.clone(), self.memory.clone());
        (number, PartitionFiles::new(self.options.clone(), location, encoders, memory, number))
    }

    async fn begin_partition(&mut self, values: Vec<ScalarValue>, folder: WriteFolder) -> Result<()> {
        self.current = None;
        while self.tasks.len() >= self.parallel_max {
            self.one_ended().await?;
        }
        let (number, files) = self.partition_files(folder);
        let (sender, receiver) = mpsc::channel(BATCHES_WAITING_MAX);
        self.tasks.spawn(async move { (number, files.write_all(receiver).await) });
        self.current = Some(Current { values, sender });
        Ok(())
    }

    async fn send(&mut self, rows: RecordBatch) -> Result<()> {
        let Some(current) = &self.current else { return Ok(()) };
        if current.sender.send(rows).await.is_ok() {
            return Ok(());
        }
        // The task has failed: it is among those that have ended.
        self.current = None;
        while !self.tasks.is_empty() {
            self.one_ended().await?;
        }
        Err(DataFusionError::Internal("a writer of files has ended early".to_owned()))
    }

    async fn one_ended(&mut self) -> Result<()> {
        let Some(ended) = self.tasks.join_next().await else { return Ok(()) };
        let (number, files) = ended.map_err(|error| DataFusionError::External(Box::new(error)))?;
        self.files.insert(number, files?);
        Ok(())
    }

    /// Ends the files.
    ///
    /// # Errors
    /// One cannot be written.
    pub async fn finish(mut self) -> Result<WrittenFiles> {
        self.current = None;
        while !self.tasks.is_empty() {
            self.one_ended().await?;
        }
        let files: Vec<_> = std::mem::take(&mut self.files).into_values().flatten().collect();
        let reservation = self.options.reservation.new_empty();
        reservation.try_grow(files.iter().map(WrittenFile::memory_bytes).sum())?;
        let new_partitions = std::mem::take(&mut self.new_partitions);
        Ok(WrittenFiles { files, new_partitions, _reservation: reservation })
    }
}

impl fmt::Debug for FilesWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FilesWriter").field("options", &self.options).finish_non_exhaustive()
    }
}

impl WrittenFiles {
    /// The names of the files.
    pub fn names(&self) -> Vec<NamedFile> {
        self.files.iter().map(WrittenFile::name).collect()
    }

    /// Rows in all files.
    pub fn rows(&self) -> u64 {
        self.files.iter().map(|file| file.rows).sum()
    }

    /// Makes them files that everybody sees.
    ///
    /// # Errors
    /// One cannot be made; others may be there.
    pub async fn publish(&mut self) -> StorageResult<()> {
        let publishing = self.files.iter_mut().map(WrittenFile::publish);
        stream::iter(publishing).buffer_unordered(PUBLISHED_PARALLEL).try_collect().await
    }
}
