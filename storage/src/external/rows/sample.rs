//! The beginnings of files of lines, looked at to find out what is in them.

use std::io::{self, Read};
use std::sync::Arc;

use catalog::Compression;
use datafusion::common::runtime::SpawnedTask;

use super::bytes::FileBytes;
use super::lines::BYTE_ORDER_MARK;
use super::not_read;
use super::unpacked::unpacked;
use crate::error::{Error, Result};
use crate::external::pinned_file::PinnedFile;

/// Rows that are looked at, of all files together. DuckDB looks at as many.
pub(super) const SAMPLE_ROWS_MAX: usize = 20_480;
/// Bytes of text that are looked at, of all files together: rows are long where this ends first.
const SAMPLE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Files that are looked at. Each is a request or two, one behind the other.
const SAMPLE_FILES_MAX: usize = 16;
/// Bytes fetched in one request: most samples need no more.
const CHUNK_BYTES: u64 = 1024 * 1024;

/// The beginning of a file.
pub(super) struct Sample {
    /// The file, as messages show it.
    pub(super) path: String,
    /// Its text.
    pub(super) text: Vec<u8>,
    /// Whether that is all of it. Otherwise the last line may be cut off.
    pub(super) is_whole: bool,
}

/// The beginnings of the first files.
///
/// # Errors
/// One cannot be read or unpacked.
pub(super) async fn samples(files: Vec<PinnedFile>, compression: Option<Compression>) -> Result<Vec<Sample>> {
    let (mut rows, mut bytes) = (0, 0);
    let mut samples = Vec::new();
    for file in files.into_iter().take(SAMPLE_FILES_MAX) {
        let path = file.url().to_owned();
        let compression = compression.unwrap_or_else(|| Compression::of_name(&path));
        let fetched = FileBytes::fetch_by(Arc::new(file), CHUNK_BYTES);
        let (rows_left, bytes_left) = (SAMPLE_ROWS_MAX - rows, SAMPLE_BYTES_MAX - bytes);
        let task =
            SpawnedTask::spawn_blocking(move || beginning(unpacked(compression, fetched)?, rows_left, bytes_left));
        let read = task.await.map_err(|error| io::Error::other(error.to_string())).flatten();
        let (mut text, is_whole) = read.map_err(|error| not_read(path.clone(), error))?;
        if text.starts_with(BYTE_ORDER_MARK) {
            text.drain(..BYTE_ORDER_MARK.len());
        }
        rows += line_ends(&text);
        bytes += text.len();
        samples.push(Sample { path, text, is_whole });
        if rows >= SAMPLE_ROWS_MAX || bytes >= SAMPLE_BYTES_MAX {
            break;
        }
    }
    Ok(samples)
}

/// The first lines of a text, or bytes, and whether that is all of it.
fn beginning(mut input: impl Read, rows_max: usize, bytes_max: usize) -> io::Result<(Vec<u8>, bool)> {
    const STEP_BYTES: usize = 64 * 1024;
    let (mut text, mut rows) = (Vec::new(), 0);
    while rows <= rows_max && text.len() < bytes_max {
        let begin = text.len();
        let step = STEP_BYTES.min(bytes_max - begin);
        if input.by_ref().take(step as u64).read_to_end(&mut text)? < step {
            return Ok((text, true));
        }
        rows += line_ends(&text[begin..]);
    }
    Ok((text, false))
}

fn line_ends(text: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', text).count()
}

/// Why no line is in samples: the first of a file goes on behind them.
pub(super) fn first_line_too_long(samples: &[Sample]) -> Option<Error> {
    let cut_off = samples.iter().find(|sample| !sample.is_whole)?;
    let reason = format!("its first line is longer than {} bytes", cut_off.text.len());
    Some(Error::ColumnsUnknown { path: cut_off.path.clone(), reason })
}

/// That there is a file to look at.
pub(super) fn first(samples: &[Sample]) -> Result<&Sample> {
    samples.first().ok_or_else(|| Error::NoFiles { pattern: String::new() })
}
