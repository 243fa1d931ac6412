//! A file's bytes from its beginning to its end: fetched ahead by a task, read by the thread that makes rows of them.

use std::io::{self, Read};
use std::sync::Arc;

use bytes::{Buf, Bytes};
use datafusion::common::runtime::SpawnedTask;
use tokio::sync::mpsc::{self, Receiver, Sender};

use super::super::pinned_file::PinnedFile;
use crate::error::Error;

/// Bytes fetched in one request: a request to an object store costs as much time as half a megabyte.
const CHUNK_BYTES: u64 = 8 * 1024 * 1024;
/// Chunks that wait to be read, beside the one that is being fetched.
const CHUNKS_AHEAD: usize = 1;

/// What the task hands over.
enum Part {
    Chunk(Bytes),
    Failed(Error),
    End,
}

/// Reads a file from its beginning.
pub(super) struct FileBytes {
    parts: Receiver<Part>,
    chunk: Bytes,
    has_ended: bool,
    /// Ends with the reader.
    _task: SpawnedTask<()>,
}

impl FileBytes {
    /// Begins to fetch.
    pub(super) fn fetch(file: Arc<PinnedFile>) -> Self {
        FileBytes::fetch_by(file, CHUNK_BYTES)
    }

    /// The same with so many bytes in one request.
    pub(super) fn fetch_by(file: Arc<PinnedFile>, chunk_bytes: u64) -> Self {
        let (sender, parts) = mpsc::channel(CHUNKS_AHEAD);
        let task = SpawnedTask::spawn(async move { send(&file, chunk_bytes, sender).await });
        FileBytes { parts, chunk: Bytes::new(), has_ended: false, _task: task }
    }
}

async fn send(file: &PinnedFile, chunk_bytes: u64, parts: Sender<Part>) {
    for start in (0..file.size()).step_by(chunk_bytes as usize) {
        let part = match file.read(start..file.size().min(start + chunk_bytes)).await {
            Ok(chunk) => Part::Chunk(chunk),
            Err(error) => Part::Failed(error),
        };
        let is_last = matches!(part, Part::Failed(_));
        // Nobody reads any more when it cannot be sent.
        if parts.send(part).await.is_err() || is_last {
            return;
        }
    }
    let _ = parts.send(Part::End).await;
}

impl Read for FileBytes {
    /// Blocks the thread until there are bytes.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() && !self.has_ended {
            match self.parts.blocking_recv() {
                Some(Part::Chunk(chunk)) => self.chunk = chunk,
                Some(Part::Failed(error)) => return Err(io::Error::other(error)),
                Some(Part::End) => self.has_ended = true,
                // The task ended early: what was read is not the whole file.
                None => return Err(io::Error::other("reading was given up")),
            }
        }
        let length = buffer.len().min(self.chunk.len());
        self.chunk.copy_to_slice(&mut buffer[..length]);
        Ok(length)
    }
}
