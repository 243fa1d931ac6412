//! A segment that is being written. A thread of its own encodes the rows, so that whoever makes them goes on meanwhile.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use catalog::Oid;
use catalog::rows::SegmentFile;
use catalog::vfs::OpenMode;
use datafusion::error::DataFusionError;

use super::writer::SegmentWriter;
use super::{FILE_SUFFIX, OF_TEMPORARY_TABLES, Segments};

/// Batches that wait for the thread.
const QUEUED_BATCHES_MAX: usize = 2;

/// A segment that is being written. Its file is garbage unless it is finished.
pub struct NewSegment {
    /// Durable names are flushed here.
    pub(super) directory: PathBuf,
    file: Abandoned,
    rows: u64,
    /// Until the thread has ended.
    encoding: Option<Encoding>,
    progress: Arc<Progress>,
}

/// The thread, and what it is given.
struct Encoding {
    batches: SyncSender<RecordBatch>,
    thread: JoinHandle<Result<SegmentWriter, DataFusionError>>,
}

/// How far the thread is.
#[derive(Debug, Default)]
struct Progress {
    queued_bytes: AtomicUsize,
    memory_bytes: AtomicUsize,
    file_bytes: AtomicU64,
}

/// A file that is garbage unless somebody takes it.
struct Abandoned {
    table: Oid,
    name: Option<String>,
    garbage: Sender<SegmentFile>,
}

impl Drop for Abandoned {
    fn drop(&mut self) {
        if let Some(name) = self.name.take() {
            let file = SegmentFile { table: self.table, name, rows: 0, bytes: 0, details: Bytes::new() };
            drop(self.garbage.send(file));
        }
    }
}

impl NewSegment {
    /// Begins with an empty file in the table's directory.
    ///
    /// # Errors
    /// The file cannot be made, or there is no thread to be had.
    pub(super) fn new(segments: &Segments, table: Oid, schema: SchemaRef) -> Result<Self, DataFusionError> {
        let directory = segments.table_directory(table);
        let name = format!("{:032x}{FILE_SUFFIX}", rand::random::<u128>());
        let file = segments.vfs.open(&directory.join(&name), OpenMode::Create)?;
        let abandoned = Abandoned { table, name: Some(name), garbage: segments.garbage.clone() };
        let writer = SegmentWriter::new(file, schema)?;
        let (batches, queue) = sync_channel(QUEUED_BATCHES_MAX);
        let progress = Arc::new(Progress::default());
        let reported = progress.clone();
        let encode = move || encode(writer, queue, &reported);
        let thread = thread::Builder::new().name("segment".to_owned()).spawn(encode)?;
        Ok(NewSegment { directory, file: abandoned, rows: 0, encoding: Some(Encoding { batches, thread }), progress })
    }

    /// Adds rows at rest. Waits while the thread has enough to do.
    ///
    /// # Errors
    /// The file cannot be written: with these rows or with those before them.
    pub fn write(&mut self, rows: &RecordBatch) -> Result<(), DataFusionError> {
        self.rows += rows.num_rows() as u64;
        self.progress.queued_bytes.fetch_add(rows.get_array_memory_size(), Ordering::Relaxed);
        let sent = self.encoding.as_ref().map(|encoding| encoding.batches.send(rows.clone()));
        match sent {
            Some(Ok(())) => Ok(()),
            // The thread ends before its queue only with an error.
            _ => self.encoded().and(Err(no_thread())),
        }
    }

    /// Waits until all rows are with the writer.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn encoded(&mut self) -> Result<SegmentWriter, DataFusionError> {
        let Encoding { batches, thread } = self.encoding.take().ok_or_else(no_thread)?;
        drop(batches);
        thread.join().map_err(|_| no_thread())?
    }

    /// What stands for the file, which is no garbage from now on.
    pub(super) fn kept(mut self) -> (Oid, String) {
        (self.file.table, self.file.name.take().unwrap_or_default())
    }

    /// Whether it has to outlive the process.
    pub(super) fn is_durable(&self) -> bool {
        self.file.table != OF_TEMPORARY_TABLES
    }

    /// Rows written so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Bytes that the file will have at least.
    pub fn bytes(&self) -> u64 {
        self.progress.file_bytes.load(Ordering::Relaxed)
    }

    /// Bytes of memory that it takes.
    pub fn memory_bytes(&self) -> usize {
        self.progress.memory_bytes.load(Ordering::Relaxed) + self.progress.queued_bytes.load(Ordering::Relaxed)
    }
}

fn encode(
    mut writer: SegmentWriter,
    queue: Receiver<RecordBatch>,
    progress: &Progress,
) -> Result<SegmentWriter, DataFusionError> {
    for rows in queue {
        writer.write(&rows)?;
        progress.queued_bytes.fetch_sub(rows.get_array_memory_size(), Ordering::Relaxed);
        progress.memory_bytes.store(writer.memory_bytes(), Ordering::Relaxed);
        progress.file_bytes.store(writer.bytes(), Ordering::Relaxed);
    }
    Ok(writer)
}

fn no_thread() -> DataFusionError {
    DataFusionError::Internal("the thread that writes a segment has ended".to_owned())
}
