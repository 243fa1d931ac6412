//! Avro's object container files.
//!
//! [`AvroBlocks`] reads a file's header and blocks, unpacks each within bounds and looks whether it holds the records that it
//! says ([`AvroShape`]). Some blocks at a time go to the library as a file of their own, without the packing. The library
//! makes batches of that; it would unpack a block to its end, however long that is, make a batch of any number of blocks, and
//! never come to its end in a block that says it has fewer records than it has.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow_avro::reader::{Reader, ReaderBuilder};
use bzip2::read::MultiBzDecoder;
use flate2::read::DeflateDecoder;

use super::BATCH_BYTES;
use super::arrow_ipc::not_supported;
use super::avro_shape::{AvroShape, long};
use super::columnar::{Batches, damaged};

/// How a file begins.
const MAGIC: &[u8; 4] = b"Obj\x01";
/// Bytes of the marker behind the header and each block.
const MARKER_BYTES: usize = 16;
/// Longest header: it holds the schema.
const HEADER_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Longest block, packed or unpacked. Writers make blocks of some kilobytes, at most of some megabytes.
const BLOCK_BYTES_MAX: usize = 256 * 1024 * 1024;
/// The key of the schema in the header.
const SCHEMA_KEY: &[u8] = b"avro.schema";
/// The key of what the blocks are packed with.
const CODEC_KEY: &[u8] = b"avro.codec";

/// Reads batches.
pub(super) struct AvroBatches {
    blocks: AvroBlocks,
    /// Reads some of the blocks, which take so many bytes.
    reader: Reader<Cursor<Vec<u8>>>,
    reader_bytes: usize,
}

/// The blocks of a file.
struct AvroBlocks {
    input: BufReader<Box<dyn Read + Send>>,
    codec: Codec,
    shape: AvroShape,
    marker: [u8; MARKER_BYTES],
    /// The header of a file with the same schema that is not packed.
    plain_header: Vec<u8>,
}

/// What blocks are packed with.
#[derive(Debug, Clone, Copy)]
enum Codec {
    Null,
    Deflate,
    Snappy,
    Zstandard,
    Bzip2,
}

impl AvroBatches {
    /// Begins to read.
    ///
    /// # Errors
    /// It is no file of Avro's, or packed with something that is not read.
    pub(super) fn new(input: Box<dyn Read + Send>) -> io::Result<Self> {
        let blocks = AvroBlocks::new(input)?;
        let reader = reader(blocks.plain_header.clone(), blocks.shape.batch_rows())?;
        Ok(AvroBatches { blocks, reader, reader_bytes: 0 })
    }
}

impl Batches for AvroBatches {
    fn schema(&self) -> SchemaRef {
        self.reader.schema()
    }

    fn next(&mut self) -> io::Result<Option<RecordBatch>> {
        loop {
            if let Some(batch) = self.reader.next() {
                return batch.map(Some).map_err(of_library);
            }
            let Some(plain) = self.blocks.plain_file()? else { return Ok(None) };
            self.reader_bytes = plain.len();
            self.reader = reader(plain, self.blocks.shape.batch_rows())?;
        }
    }

    fn held_bytes(&self) -> usize {
        // The blocks, and the library's copy of one.
        2 * self.reader_bytes
    }
}

fn reader(plain: Vec<u8>, batch_rows: usize) -> io::Result<Reader<Cursor<Vec<u8>>>> {
    ReaderBuilder::new().with_batch_size(batch_rows).build(Cursor::new(plain)).map_err(of_library)
}

impl AvroBlocks {
    fn new(input: Box<dyn Read + Send>) -> io::Result<Self> {
        let mut input = BufReader::new(input);
        if bytes(&mut input, MAGIC.len())? != MAGIC {
            return Err(damaged("it is no file of Avro's"));
        }
        let entries = header(&mut input)?;
        let value = |key: &[u8]| entries.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_slice());
        let schema = value(SCHEMA_KEY).ok_or_else(|| damaged("it has no schema"))?;
        let codec = match value(CODEC_KEY).unwrap_or(b"null") {
            b"null" => Codec::Null,
            b"deflate" => Codec::Deflate,
            b"snappy" => Codec::Snappy,
            b"zstandard" => Codec::Zstandard,
            b"bzip2" => Codec::Bzip2,
            other => return Err(not_supported(&format!("Avro's codec \"{}\"", String::from_utf8_lossy(other)))),
        };
        let marker = marker(&mut input)?;
        let mut plain = MAGIC.to_vec();
        put_long(&mut plain, 1);
        put_bytes(&mut plain, SCHEMA_KEY);
        put_bytes(&mut plain, schema);
        put_long(&mut plain, 0);
        plain.extend(marker);
        Ok(AvroBlocks { input, codec, shape: AvroShape::new(schema)?, marker, plain_header: plain })
    }

    /// The next blocks as a file that is not packed; none at the end.
    fn plain_file(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut plain = self.plain_header.clone();
        self.shape.begin_batch();
        while plain.len() < self.plain_header.len() + BATCH_BYTES && self.next_block(&mut plain)? {}
        Ok(Some(plain).filter(|plain| plain.len() > self.plain_header.len()))
    }

    /// Adds the next block; false at the end.
    fn next_block(&mut self, plain: &mut Vec<u8>) -> io::Result<bool> {
        if self.input.fill_buf()?.is_empty() {
            return Ok(false);
        }
        let count = long(&mut self.input)?;
        let length = usize::try_from(long(&mut self.input)?).map_err(|_| damaged("a block of it has no length"))?;
        if length > BLOCK_BYTES_MAX {
            return Err(damaged("a block of it is too long"));
        }
        let packed = bytes(&mut self.input, length)?;
        if marker(&mut self.input)? != self.marker {
            return Err(damaged("a block of it does not end where it should"));
        }
        let block = self.codec.unpacked(packed)?;
        self.shape.check(&block, count)?;
        if count > 0 {
            put_long(plain, count);
            put_bytes(plain, &block);
            plain.extend(self.marker);
        }
        Ok(true)
    }
}

impl Codec {
    fn unpacked(self, packed: Vec<u8>) -> io::Result<Vec<u8>> {
        match self {
            Codec::Null => Ok(packed),
            Codec::Deflate => bounded(DeflateDecoder::new(packed.as_slice())),
            Codec::Zstandard => bounded(zstd::Decoder::new(packed.as_slice())?),
            Codec::Bzip2 => bounded(MultiBzDecoder::new(packed.as_slice())),
            Codec::Snappy => {
                let (packed, checksum) =
                    packed.split_last_chunk::<4>().ok_or_else(|| damaged("a block of it has no checksum"))?;
                if snap::raw::decompress_len(packed)? > BLOCK_BYTES_MAX {
                    return Err(damaged("a block of it is too long"));
                }
                let block = snap::raw::Decoder::new().decompress_vec(packed)?;
                match crc32fast::hash(&block) == u32::from_be_bytes(*checksum) {
                    true => Ok(block),
                    false => Err(damaged("a block of it does not have its checksum")),
                }
            }
        }
    }
}

/// What is unpacked, unless it is too long.
fn bounded(unpacked: impl Read) -> io::Result<Vec<u8>> {
    let mut block = Vec::new();
    unpacked.take(BLOCK_BYTES_MAX as u64 + 1).read_to_end(&mut block)?;
    if block.len() > BLOCK_BYTES_MAX { Err(damaged("a block of it is too long")) } else { Ok(block) }
}

/// The entries of the header: a map, in blocks.
fn header(input: &mut impl Read) -> io::Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let (mut entries, mut left) = (Vec::new(), HEADER_BYTES_MAX);
    loop {
        let mut count = long(input)?;
        if count == 0 {
            return Ok(entries);
        }
        if count < 0 {
            // What follows is how many bytes they have, for those who do not read them.
            long(input)?;
            count = count.saturating_neg();
        }
        for _ in 0..count {
            let mut part = || {
                let length = usize::try_from(long(input)?).ok().filter(|length| *length < left);
                let length = length.ok_or_else(|| damaged("its header is too long"))?;
                left -= length + 1;
                bytes(input, length)
            };
            entries.push((part()?, part()?));
        }
    }
}

/// So many bytes.
fn bytes(input: &mut impl Read, count: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.by_ref().take(count as u64).read_to_end(&mut bytes)?;
    if bytes.len() < count { Err(damaged("it ends early")) } else { Ok(bytes) }
}

fn marker(input: &mut impl Read) -> io::Result<[u8; MARKER_BYTES]> {
    bytes(input, MARKER_BYTES)?.try_into().map_err(|_| damaged("it ends early"))
}

fn put_long(bytes: &mut Vec<u8>, value: i64) {
    let mut left = ((value << 1) ^ (value >> 63)) as u64;
    while left >= 0x80 {
        bytes.push(left as u8 | 0x80);
        left >>= 7;
    }
    bytes.push(left as u8);
}

fn put_bytes(bytes: &mut Vec<u8>, value: &[u8]) {
    put_long(bytes, value.len() as i64);
    bytes.extend(value);
}

/// An error of the library, or the one of ours that it was given.
fn of_library(error: ArrowError) -> io::Error {
    match error {
        ArrowError::IoError(_, error) => error,
        ArrowError::ExternalError(inner) => match inner.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(other) => damaged(other.to_string()),
        },
        other => damaged(other.to_string()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::external::rows::columnar::guarded;

    const SCHEMA: &str = r#"{"type": "record", "name": "t", "fields": [
        {"name": "id", "type": "long"}, {"name": "tags", "type": {"type": "array", "items": ["null", "string"]}}]}"#;

    /// A file of one block with these bytes, which says that they are so many records.
    fn file(codec: &str, block: &[u8], count: i64) -> Vec<u8> {
        let mut file = MAGIC.to_vec();
        put_long(&mut file, -2);
        put_long(&mut file, 1000);
        put_bytes(&mut file, CODEC_KEY);
        put_bytes(&mut file, codec.as_bytes());
        put_bytes(&mut file, SCHEMA_KEY);
        put_bytes(&mut file, SCHEMA.as_bytes());
        put_long(&mut file, 0);
        file.extend([7; MARKER_BYTES]);
        put_long(&mut file, count);
        put_bytes(&mut file, block);
        file.extend([7; MARKER_BYTES]);
        file
    }

    /// Two records.
    fn records() -> Vec<u8> {
        let mut block = Vec::new();
        for id in [1, -2] {
            put_long(&mut block, id);
            put_long(&mut block, 2);
            put_long(&mut block, 1);
            put_bytes(&mut block, b"x");
            put_long(&mut block, 0);
            put_long(&mut block, 0);
        }
        block
    }

    fn read(file: Vec<u8>) -> io::Result<usize> {
        let mut batches = AvroBatches::new(Box::new(Cursor::new(file)))?;
        let mut rows = 0;
        while let Some(batch) = batches.next()? {
            rows += batch.num_rows();
        }
        Ok(rows)
    }

    fn deflate(bytes: &[u8]) -> Vec<u8> {
        let mut packed = Vec::new();
        flate2::read::DeflateEncoder::new(bytes, flate2::Compression::fast()).read_to_end(&mut packed).unwrap();
        packed
    }

    fn snappy(bytes: &[u8], checksum: u32) -> Vec<u8> {
        [snap::raw::Encoder::new().compress_vec(bytes).unwrap(), checksum.to_be_bytes().to_vec()].concat()
    }

    #[test]
    fn each_codec_is_read() {
        let block = records();
        assert_eq!(read(file("null", &block, 2)).unwrap(), 2);
        assert_eq!(read(file("deflate", &deflate(&block), 2)).unwrap(), 2);
        assert_eq!(read(file("zstandard", &zstd::encode_all(block.as_slice(), 1).unwrap(), 2)).unwrap(), 2);
        assert_eq!(read(file("snappy", &snappy(&block, crc32fast::hash(&block)), 2)).unwrap(), 2);
        assert!(read(file("snappy", &snappy(&block, 1), 2)).is_err());
        assert!(read(file("xz", &block, 2)).is_err());
    }

    #[test]
    fn a_flipped_bit_is_an_error_or_another_value() {
        let block = records().repeat(20);
        for whole in [file("null", &block, 40), file("deflate", &deflate(&block), 40)] {
            for place in 0..whole.len() {
                for bit in 0..8 {
                    let mut flipped = whole.clone();
                    flipped[place] ^= 1 << bit;
                    drop(guarded(|| read(flipped)));
                }
            }
        }
    }

    #[test]
    fn a_file_that_is_cut_off_or_lies_is_damaged() {
        let whole = file("deflate", &deflate(&records()), 2);
        let header = whole.len() - deflate(&records()).len() - 2 - MARKER_BYTES;
        for end in (0..whole.len()).filter(|end| *end != header) {
            assert!(read(whole[..end].to_vec()).is_err(), "cut off at {end}");
        }
        for count in [0, 1, 3, -1, i64::MAX] {
            assert!(read(file("null", &records(), count)).is_err(), "{count} records");
        }
        let bomb = zstd::encode_all(vec![0; BLOCK_BYTES_MAX + 1].as_slice(), 1).unwrap();
        assert!(read(file("zstandard", &bomb, 1)).unwrap_err().to_string().contains("too long"));
    }
}
