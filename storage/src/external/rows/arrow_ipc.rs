//! Arrow's own format: streams of messages, and files, which are streams with something before and behind them (Feather, too).
//!
//! A file is read from its beginning to its end as the stream in it. Lengths in a message are compared with what is there
//! before memory is taken for them, those of what its buffers unpack to included; the rest is the library's.

use std::collections::VecDeque;
use std::io::{self, Chain, Cursor, Read};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::buffer::Buffer;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::convert::fb_to_schema;
use arrow::ipc::reader::StreamDecoder;
use arrow::ipc::{CompressionType, Message, root_as_message};
use lz4_flex::frame::FrameDecoder;

use super::columnar::{Batches, damaged};
use crate::error::Error;

/// How a file begins and ends.
const FILE_MAGIC: &[u8] = b"ARROW1";
/// How a file of the first version of Feather begins, which is another format.
const FEATHER_MAGIC: &[u8] = b"FEA1";
/// Bytes before the stream in a file.
const FILE_HEAD_BYTES: usize = 8;
/// Words of nothing that may stand behind those: some writers fill up to 64 bytes.
const PADDING_WORDS_MAX: usize = 64;
/// What stands before the length of a message, since version 0.15 of the format.
const CONTINUATION: [u8; 4] = [0xff; 4];
/// Longest description of a batch.
const METADATA_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Largest batch, packed and unpacked. Writers make batches of some megabytes.
const BATCH_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// What stands before a packed buffer that is not packed after all, instead of its length.
const NOT_PACKED: i64 = -1;

/// Reads batches.
pub(super) struct IpcBatches {
    input: Chain<Cursor<Vec<u8>>, Box<dyn Read + Send>>,
    decoder: StreamDecoder,
    schema: SchemaRef,
    ready: VecDeque<RecordBatch>,
    is_file: bool,
    has_ended: bool,
    /// Bytes of the dictionaries, which are kept.
    dictionary_bytes: u64,
    batch_bytes: u64,
}

impl IpcBatches {
    /// Begins to read.
    ///
    /// # Errors
    /// It is no stream or file of Arrow's.
    pub(super) fn new(mut input: Box<dyn Read + Send>) -> io::Result<Self> {
        let mut head = Vec::with_capacity(FILE_HEAD_BYTES);
        input.by_ref().take(FILE_HEAD_BYTES as u64).read_to_end(&mut head)?;
        if head.starts_with(FEATHER_MAGIC) {
            return Err(not_supported("the first version of Feather"));
        }
        let is_file = head.starts_with(FILE_MAGIC);
        if is_file {
            head = behind_padding(&mut input)?;
        }
        let mut batches = IpcBatches {
            input: Cursor::new(head).chain(input),
            decoder: StreamDecoder::new(),
            schema: SchemaRef::new(arrow::datatypes::Schema::empty()),
            ready: VecDeque::new(),
            is_file,
            has_ended: false,
            dictionary_bytes: 0,
            batch_bytes: 0,
        };
        let metadata = batches.metadata().map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => damaged("it is no file and no stream of Arrow's"),
            _ => error,
        })?;
        let metadata = metadata.ok_or_else(|| damaged("it is empty"))?;
        let message = message(&metadata)?;
        let schema = message.header_as_schema().ok_or_else(|| damaged("it does not begin with a schema"))?;
        batches.schema = Arc::new(fb_to_schema(schema));
        batches.read_body(&metadata)?;
        Ok(batches)
    }

    /// The description of the next message; none at the end.
    fn metadata(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut length = self.bytes(4)?;
        if length.is_empty() && !self.is_file {
            // A stream may end without saying so.
            return Ok(None);
        }
        if length == CONTINUATION {
            length = self.bytes(4)?;
        }
        let length: [u8; 4] = length.try_into().map_err(|_| damaged("it ends early"))?;
        let length = u32::from_le_bytes(length) as usize;
        if length == 0 {
            self.check_end()?;
            return Ok(None);
        }
        if length > METADATA_BYTES_MAX {
            return Err(damaged("a message of it is too long"));
        }
        let metadata = self.bytes(length as u64)?;
        if metadata.len() < length { Err(damaged("it ends early")) } else { Ok(Some(metadata)) }
    }

    /// So many bytes, or those that are left.
    fn bytes(&mut self, count: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.input.by_ref().take(count).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// That a file goes on to its end behind the stream in it.
    fn check_end(&mut self) -> io::Result<()> {
        if !self.is_file {
            return Ok(());
        }
        let (mut end, mut buffer) = (Vec::new(), [0; 4096]);
        loop {
            let read = self.input.read(&mut buffer)?;
            if read == 0 {
                return if end.ends_with(FILE_MAGIC) { Ok(()) } else { Err(damaged("it ends early")) };
            }
            end.extend_from_slice(&buffer[..read]);
            end.drain(..end.len().saturating_sub(FILE_MAGIC.len()));
        }
    }

    /// Reads what follows the description of a message, and hands both to the library.
    fn read_body(&mut self, metadata: &[u8]) -> io::Result<()> {
        let message = message(metadata)?;
        let length = u64::try_from(message.bodyLength()).map_err(|_| damaged("a message of it has no length"))?;
        if length > BATCH_BYTES_MAX {
            return Err(not_supported("a batch of more than a gigabyte"));
        }
        let body = self.bytes(length)?;
        if (body.len() as u64) < length {
            return Err(damaged("it ends early"));
        }
        let bytes = length + unpacked_bytes(&message, &body)?;
        if message.header_as_dictionary_batch().is_some() {
            self.dictionary_bytes += bytes;
        } else {
            self.batch_bytes = bytes;
        }
        if bytes > BATCH_BYTES_MAX || self.dictionary_bytes > BATCH_BYTES_MAX {
            return Err(not_supported("a batch of more than a gigabyte"));
        }
        let mut head = CONTINUATION.to_vec();
        head.extend((metadata.len() as u32).to_le_bytes());
        head.extend(metadata);
        self.decode(head)?;
        self.decode(body)
    }

    fn decode(&mut self, bytes: Vec<u8>) -> io::Result<()> {
        let mut buffer = Buffer::from_vec(bytes);
        while let Some(batch) = self.decoder.decode(&mut buffer).map_err(of_library)? {
            self.ready.push_back(batch);
        }
        Ok(())
    }
}

impl Batches for IpcBatches {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn next(&mut self) -> io::Result<Option<RecordBatch>> {
        while self.ready.is_empty() && !self.has_ended {
            match self.metadata()? {
                Some(metadata) => self.read_body(&metadata)?,
                None => {
                    self.has_ended = true;
                    // A message without a body is looked at when the next one comes.
                    self.decode([CONTINUATION, [0; 4]].concat())?;
                }
            }
        }
        Ok(self.ready.pop_front())
    }

    fn held_bytes(&self) -> usize {
        usize::try_from(self.batch_bytes + self.dictionary_bytes).unwrap_or(usize::MAX)
    }
}

/// The first bytes of the stream in a file. Its writer has filled up what stands before it to a boundary of its choice.
fn behind_padding(input: &mut impl Read) -> io::Result<Vec<u8>> {
    for _ in 0..PADDING_WORDS_MAX {
        let mut word = Vec::new();
        input.take(4).read_to_end(&mut word)?;
        if word != [0; 4] {
            return Ok(word);
        }
    }
    Err(damaged("it does not begin with a schema"))
}

fn message(metadata: &[u8]) -> io::Result<Message<'_>> {
    root_as_message(metadata).map_err(|_| damaged("a message of it cannot be read"))
}

/// What the buffers of a message take when they are unpacked.
fn unpacked_bytes(message: &Message<'_>, body: &[u8]) -> io::Result<u64> {
    let batch = match message.header_as_dictionary_batch() {
        Some(dictionary) => dictionary.data(),
        None => message.header_as_record_batch(),
    };
    let Some((batch, compression)) = batch.and_then(|batch| Some((batch, batch.compression()?))) else { return Ok(0) };
    let mut sum = 0_u64;
    for buffer in batch.buffers().iter().flatten() {
        let place = usize::try_from(buffer.offset()).ok().zip(usize::try_from(buffer.length()).ok());
        let packed = place.and_then(|(begin, length)| body.get(begin..begin.checked_add(length)?));
        let packed = packed.ok_or_else(|| damaged("a buffer of it is not within its message"))?;
        let Some((length, packed)) = packed.split_first_chunk() else { continue };
        let length = i64::from_le_bytes(*length);
        if length == NOT_PACKED {
            continue;
        }
        let length = u64::try_from(length).map_err(|_| damaged("a buffer of it has no length"))?;
        sum = sum.saturating_add(length);
        if sum > BATCH_BYTES_MAX {
            return Err(not_supported("a batch of more than a gigabyte"));
        }
        // Of the two the library unpacks this one to its end, however long that is.
        if compression.codec() == CompressionType::LZ4_FRAME {
            let unpacked = FrameDecoder::new(packed).take(length + 1);
            if io::copy(&mut { unpacked }, &mut io::sink())? != length {
                return Err(damaged("a buffer of it is not as long as it says"));
            }
        }
    }
    Ok(sum)
}

fn of_library(error: ArrowError) -> io::Error {
    damaged(error.to_string())
}

/// The error of a file that is none of those that are read; the file is named by who knows it.
pub(super) fn not_supported(what: &str) -> io::Error {
    io::Error::other(Error::FileNotSupported { path: String::new(), what: what.to_owned() })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::array::{ArrayRef, DictionaryArray, Int64Array, StringArray};
    use arrow::datatypes::Int32Type;
    use arrow::ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};

    use super::*;
    use crate::external::rows::columnar::guarded;

    fn rows() -> RecordBatch {
        let names: DictionaryArray<Int32Type> = ["a", "b", "a"].into_iter().collect();
        let columns = [
            ("id", Arc::new(Int64Array::from(vec![1, 2, 3])) as ArrayRef),
            ("name", Arc::new(names)),
            ("text", Arc::new(StringArray::from(vec!["x".repeat(500), "y".repeat(500), String::new()]))),
        ];
        RecordBatch::try_from_iter(columns).unwrap()
    }

    fn file(compression: Option<CompressionType>) -> Vec<u8> {
        let options = IpcWriteOptions::default().try_with_compression(compression).unwrap();
        let mut writer = FileWriter::try_new_with_options(Vec::new(), &rows().schema(), options).unwrap();
        writer.write(&rows()).unwrap();
        writer.write(&rows().slice(1, 1)).unwrap();
        writer.finish().unwrap();
        writer.into_inner().unwrap()
    }

    fn stream() -> Vec<u8> {
        let mut writer = StreamWriter::try_new(Vec::new(), &rows().schema()).unwrap();
        writer.write(&rows()).unwrap();
        writer.write(&rows().slice(1, 1)).unwrap();
        writer.into_inner().unwrap()
    }

    fn read(bytes: &[u8]) -> io::Result<usize> {
        let mut batches = IpcBatches::new(Box::new(Cursor::new(bytes.to_vec())))?;
        let mut rows = 0;
        while let Some(batch) = batches.next()? {
            rows += batch.num_rows();
        }
        Ok(rows)
    }

    #[test]
    fn files_and_streams_are_read() {
        for compression in [None, Some(CompressionType::LZ4_FRAME), Some(CompressionType::ZSTD)] {
            assert_eq!(read(&file(compression)).unwrap(), 4, "{compression:?}");
        }
        assert_eq!(read(&stream()).unwrap(), 4);
    }

    #[test]
    fn a_file_that_is_cut_off_is_no_file() {
        let file = file(Some(CompressionType::LZ4_FRAME));
        for end in 0..file.len() {
            assert!(read(&file[..end]).is_err(), "cut off at {end}");
        }
    }

    #[test]
    fn a_flipped_bit_is_an_error_or_another_value() {
        for whole in [file(None), file(Some(CompressionType::LZ4_FRAME)), stream()] {
            for place in 0..whole.len() {
                let mut flipped = whole.clone();
                flipped[place] ^= 1 << (place % 8);
                drop(guarded(|| read(&flipped)));
            }
        }
    }

    #[test]
    fn a_length_that_promises_too_much_is_refused() {
        let refused = |bytes: &[u8]| read(bytes).unwrap_err();
        refused(&[CONTINUATION, [0xff, 0xff, 0xff, 0x7f]].concat());
        refused(b"ARROW1\0\0\xff\xff\xff\xff\x10\0\0\0garbage!garbage!");
        refused(b"FEA1........");
        refused(b"");
        let file = file(Some(CompressionType::LZ4_FRAME));
        // The length that a packed buffer says it has, in front of its LZ4 frame.
        let frame = file.windows(4).position(|bytes| bytes == [0x04, 0x22, 0x4d, 0x18]).unwrap();
        for length in [i64::MAX, 1, 1 << 40, -7] {
            let mut bomb = file.clone();
            bomb[frame - 8..frame].copy_from_slice(&length.to_le_bytes());
            refused(&bomb);
        }
    }
}
