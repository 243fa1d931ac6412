//! The files of one partition, or of a table that has none: one after the other, pieces of them encoded at the same time.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, GenericByteViewArray, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{ByteViewType, DataType};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::MemoryReservation;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;

use super::body::{Encoded, FileBody};
use super::upload::{FileUpload, WrittenFile};
use super::writer::WriteOptions;
use crate::object_stores::Location;

/// Rows of a piece: of a row group, where files have such.
const PIECE_ROWS_MAX: usize = 1 << 20;
/// Of the bytes that a file may have, the part that one piece of it has at most, before it is encoded.
const PIECES_OF_FILE_MIN: u64 = 4;

/// Says how files are called.
pub trait NameFiles: fmt::Debug + Send + Sync {
    /// The name of a file, with its ending; no two files have the same number of partition and file.
    fn name(&self, partition: usize, file: usize) -> String;
}

/// Bytes of small files that stay in memory until they are published, of all partitions together.
#[derive(Debug)]
pub(super) struct MemoryForFiles(Arc<Semaphore>);

impl MemoryForFiles {
    pub(super) fn new(bytes: usize) -> Self {
        MemoryForFiles(Arc::new(Semaphore::new(bytes)))
    }

    fn take(&self, bytes: usize) -> bool {
        let permit = u32::try_from(bytes).ok().and_then(|bytes| self.0.try_acquire_many(bytes).ok());
        permit.map(tokio::sync::SemaphorePermit::forget).is_some()
    }
}

/// Writes the files of one partition.
pub(super) struct PartitionFiles {
    options: Arc<WriteOptions>,
    folder: Location,
    encoders: Arc<Semaphore>,
    memory: Arc<MemoryForFiles>,
    rows: Vec<RecordBatch>,
    rows_count: usize,
    rows_bytes: usize,
    reservation: MemoryReservation,
    file: Option<OpenFile>,
    files: Vec<WrittenFile>,
    /// Which of the partitions it is, in the order in which they come.
    number: usize,
}

struct OpenFile {
    body: FileBody,
    upload: FileUpload,
    rows: u64,
    bytes: u64,
    /// Pieces that are being encoded, with the bytes of their rows.
    pieces: VecDeque<(usize, JoinHandle<Result<Encoded>>)>,
    pieces_bytes: usize,
}

impl PartitionFiles {
    pub(super) fn new(
        options: Arc<WriteOptions>,
        folder: Location,
        encoders: Arc<Semaphore>,
        memory: Arc<MemoryForFiles>,
        number: usize,
    ) -> Self {
        let reservation = options.reservation.new_empty();
        PartitionFiles {
            options,
            folder,
            encoders,
            memory,
            rows: Vec::new(),
            rows_count: 0,
            rows_bytes: 0,
            reservation,
            file: None,
            files: Vec::new(),
            number,
        }
    }

    /// Writes what comes; the files, in their order.
    ///
    /// # Errors
    /// A value or a file cannot be written, or the memory is not there.
    pub(super) async fn write_all(mut self, mut batches: mpsc::Receiver<RecordBatch>) -> Result<Vec<WrittenFile>> {
        while let Some(batch) = batches.recv().await {
            self.add(batch).await?;
        }
        if !self.rows.is_empty() {
            self.encode_rows().await?;
        }
        self.end_file().await?;
        Ok(self.files)
    }

    /// An empty file, for a statement that shall leave one.
    pub(super) async fn write_empty(mut self) -> Result<Vec<WrittenFile>> {
        let file = self.begin_file()?;
        self.file = Some(file);
        self.end_file().await?;
        Ok(self.files)
    }

    async fn add(&mut self, batch: RecordBatch) -> Result<()> {
        let mut rest = batch;
        while rest.num_rows() > 0 {
            let count = rest.num_rows().min(PIECE_ROWS_MAX - self.rows_count);
            let rows = rest.slice(0, count);
            rest = rest.slice(count, rest.num_rows() - count);
            let (rows, bytes) = held(rows)?;
            self.reservation.try_grow(bytes)?;
            self.rows_count += count;
            self.rows_bytes += bytes;
            self.rows.push(rows);
            if self.rows_count == PIECE_ROWS_MAX || self.rows_bytes >= self.piece_bytes_max() {
                self.encode_rows().await?;
            }
        }
        Ok(())
    }

    fn piece_bytes_max(&self) -> usize {
        let of_file = self.options.file_bytes_max / PIECES_OF_FILE_MIN;
        usize::try_from(of_file).unwrap_or(usize::MAX).clamp(1, self.options.encoding.piece_bytes_max())
    }

    /// Makes a piece of the rows at hand.
    async fn encode_rows(&mut self) -> Result<()> {
        let permit = self.permit().await?;
        self.make_room().await?;
        if self.file.is_none() {
            self.file = Some(self.begin_file()?);
        }
        let Some(file) = &mut self.file else { return Ok(()) };
        let piece = file.body.piece(std::mem::take(&mut self.rows))?;
        let bytes = std::mem::take(&mut self.rows_bytes);
        file.rows += std::mem::take(&mut self.rows_count) as u64;
        file.pieces_bytes += bytes;
        let encoding = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            piece.encode()
        });
        file.pieces.push_back((bytes, encoding));
        Ok(())
    }

    /// Waits until another piece may be encoded, and meanwhile for those before it.
    async fn permit(&mut self) -> Result<OwnedSemaphorePermit> {
        loop {
            if let Ok(permit) = self.encoders.clone().try_acquire_owned() {
                return Ok(permit);
            }
            if !self.take_piece().await? {
                let permit = self.encoders.clone().acquire_owned().await;
                return permit.map_err(|error| DataFusionError::External(Box::new(error)));
            }
        }
    }

    /// Ends the file when it may get no more rows. How large it is, is asked when all its pieces are encoded, so that it does
    /// not depend on which was first.
    async fn make_room(&mut self) -> Result<()> {
        let bytes_max = self.options.file_bytes_max;
        let may_be_full = |file: &OpenFile| file.bytes + 2 * file.pieces_bytes as u64 >= bytes_max;
        if !self.file.as_ref().is_some_and(may_be_full) {
            return Ok(());
        }
        while self.take_piece().await? {}
        let is_full = self.file.as_ref().is_some_and(|file| file.bytes >= bytes_max);
        if is_full { self.end_file().await } else { Ok(()) }
    }

    /// Takes the first of the pieces that are being encoded into the file. Whether there was one.
    async fn take_piece(&mut self) -> Result<bool> {
        let Some(file) = &mut self.file else { return Ok(false) };
        let Some((bytes, encoding)) = file.pieces.pop_front() else { return Ok(false) };
        let encoded = encoding.await.map_err(|error| DataFusionError::External(Box::new(error)))??;
        let appended = file.body.append(encoded)?;
        file.pieces_bytes -= bytes;
        file.bytes += appended.len() as u64;
        self.reservation.shrink(bytes);
        file.upload.write(&appended).await?;
        Ok(true)
    }

    fn begin_file(&self) -> Result<OpenFile> {
        let name = self.options.names.name(self.number, self.files.len());
        let body = self.options.encoding.begin()?;
        let upload = FileUpload::new(self.folder.file(&name)?);
        Ok(OpenFile { body, upload, rows: 0, bytes: 0, pieces: VecDeque::new(), pieces_bytes: 0 })
    }

    async fn end_file(&mut self) -> Result<()> {
        while self.take_piece().await? {}
        let Some(file) = self.file.take() else { return Ok(()) };
        let OpenFile { body, mut upload, rows, bytes, .. } = file;
        let end = body.end()?;
        upload.write(&end).await?;
        let stays_in_memory = !upload.has_parts() && self.memory.take(bytes as usize + end.len());
        self.files.push(upload.finish(rows, stays_in_memory).await?);
        Ok(())
    }
}

/// The rows without what their arrays hold of others, and the bytes that they take.
fn held(rows: RecordBatch) -> Result<(RecordBatch, usize)> {
    let columns = rows.columns().iter().map(|column| match column.data_type() {
        DataType::Utf8View => compact(column.as_string_view()),
        DataType::BinaryView => compact(column.as_binary_view()),
        _ => column.clone(),
    });
    let rows = RecordBatch::try_new_with_options(
        rows.schema(),
        columns.collect(),
        &RecordBatchOptions::new().with_row_count(Some(rows.num_rows())),
    )?;
    let of_column = |column: &ArrayRef| match column.data_type() {
        DataType::Utf8View | DataType::BinaryView => column.get_array_memory_size(),
        _ => column.to_data().get_slice_memory_size().unwrap_or_else(|_| column.get_array_memory_size()),
    };
    let bytes = rows.columns().iter().map(of_column).sum();
    Ok((rows, bytes))
}

/// Views hold on to whole buffers, of which others may use most.
fn compact<T: ByteViewType>(views: &GenericByteViewArray<T>) -> ArrayRef {
    let used = size_of_val(&views.views()[..]) + views.total_buffer_bytes_used();
    match views.get_array_memory_size() > 2 * used {
        true => Arc::new(views.gc()),
        false => Arc::new(views.clone()),
    }
}

impl fmt::Debug for PartitionFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PartitionFiles").field("folder", &self.folder.url).finish_non_exhaustive()
    }
}
