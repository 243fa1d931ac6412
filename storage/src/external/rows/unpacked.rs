//! Compressed files as the bytes that were compressed.

use std::io::{self, BufReader, Cursor, Read};

use bzip2::read::MultiBzDecoder;
use catalog::Compression;
use flate2::read::MultiGzDecoder;
use snap::raw;
use snap::read::FrameDecoder;

/// Bytes of compressed data that are held for a decoder.
const BUFFER_BYTES: usize = 64 * 1024;
/// How data in Snappy's frames begins.
const SNAPPY_FRAMES: [u8; 10] = *b"\xff\x06\x00\x00sNaPpY";
/// Longest block that is unpacked as a whole: Hadoop's writers make blocks of 256 KiB.
const BLOCK_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The bytes that a file holds.
///
/// # Errors
/// It cannot be read.
pub(super) fn unpacked(
    compression: Compression,
    packed: impl Read + Send + 'static,
) -> io::Result<Box<dyn Read + Send>> {
    let mut packed = BufReader::with_capacity(BUFFER_BYTES, packed);
    Ok(match compression {
        Compression::None => Box::new(packed),
        Compression::Gzip => Box::new(MultiGzDecoder::new(packed)),
        Compression::Bzip2 => Box::new(MultiBzDecoder::new(packed)),
        Compression::Zstd => Box::new(zstd::Decoder::with_buffer(packed)?),
        Compression::Snappy => {
            let mut beginning = Vec::with_capacity(SNAPPY_FRAMES.len());
            packed.by_ref().take(SNAPPY_FRAMES.len() as u64).read_to_end(&mut beginning)?;
            let has_frames = beginning == SNAPPY_FRAMES;
            let packed = Cursor::new(beginning).chain(packed);
            if has_frames { Box::new(FrameDecoder::new(packed)) } else { Box::new(SnappyBlocks::new(packed)) }
        }
    })
}

/// Hadoop's blocks: the length of what a block holds, then pieces, each behind its length, until that length is reached;
/// lengths in four bytes, the highest first (`BlockDecompressorStream` in Hadoop).
struct SnappyBlocks<R> {
    packed: R,
    /// Bytes of the block that have not been unpacked.
    left: usize,
    piece: Vec<u8>,
    unpacked: Cursor<Vec<u8>>,
    decoder: raw::Decoder,
}

impl<R: Read> SnappyBlocks<R> {
    fn new(packed: R) -> Self {
        SnappyBlocks { packed, left: 0, piece: Vec::new(), unpacked: Cursor::default(), decoder: raw::Decoder::new() }
    }

    /// The next length; none at the end.
    fn length(&mut self) -> io::Result<Option<usize>> {
        let mut bytes = Vec::with_capacity(4);
        self.packed.by_ref().take(4).read_to_end(&mut bytes)?;
        match <[u8; 4]>::try_from(bytes.as_slice()) {
            Ok(bytes) => match u32::from_be_bytes(bytes) as usize {
                length if length > BLOCK_BYTES_MAX => Err(damaged("a block of it is too long")),
                length => Ok(Some(length)),
            },
            Err(_) if bytes.is_empty() => Ok(None),
            Err(_) => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// Unpacks the next piece; false at the end.
    fn next_piece(&mut self) -> io::Result<bool> {
        while self.left == 0 {
            match self.length()? {
                Some(length) => self.left = length,
                None => return Ok(false),
            }
        }
        let length = self.length()?.ok_or(io::ErrorKind::UnexpectedEof)?;
        self.piece.clear();
        if self.packed.by_ref().take(length as u64).read_to_end(&mut self.piece)? < length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if raw::decompress_len(&self.piece)? > self.left {
            return Err(damaged("a piece of it is longer than its block"));
        }
        let unpacked = self.decoder.decompress_vec(&self.piece)?;
        self.left -= unpacked.len();
        self.unpacked = Cursor::new(unpacked);
        Ok(true)
    }
}

impl<R: Read> Read for SnappyBlocks<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let length = self.unpacked.read(buffer)?;
            if length > 0 || buffer.is_empty() || !self.next_piece()? {
                return Ok(length);
            }
        }
    }
}

fn damaged(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Write;

    use super::*;

    const TEXT: &[u8] = b"one\ntwo\nthree\n";

    fn read(compression: Compression, packed: Vec<u8>) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        unpacked(compression, Cursor::new(packed))?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn hadoop_block(pieces: &[&[u8]]) -> Vec<u8> {
        let length: usize = pieces.iter().map(|piece| piece.len()).sum();
        let mut block = (length as u32).to_be_bytes().to_vec();
        for piece in pieces {
            let packed = raw::Encoder::new().compress_vec(piece).unwrap();
            block.extend((packed.len() as u32).to_be_bytes());
            block.extend(packed);
        }
        block
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn bzip2(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn frames(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = snap::write::FrameEncoder::new(Vec::new());
        encoder.write_all(bytes).unwrap();
        encoder.into_inner().unwrap()
    }

    #[test]
    fn every_kind_is_read_and_so_are_several_in_a_row() {
        let zstd = |bytes| zstd::encode_all(bytes, 1).unwrap();
        let (first, second) = TEXT.split_at(6);
        for (compression, packed) in [
            (Compression::None, TEXT.to_vec()),
            (Compression::Gzip, [gzip(first), gzip(second)].concat()),
            (Compression::Zstd, [zstd(first), zstd(second)].concat()),
            (Compression::Bzip2, [bzip2(first), bzip2(second)].concat()),
            (Compression::Snappy, frames(TEXT)),
            (Compression::Snappy, [hadoop_block(&[&TEXT[..3], &TEXT[3..6]]), hadoop_block(&[second])].concat()),
        ] {
            assert_eq!(read(compression, packed.clone()).unwrap(), TEXT, "{compression:?}");
            if compression != Compression::None {
                assert!(read(compression, packed[..packed.len() - 2].to_vec()).is_err(), "{compression:?} cut off");
            }
        }
    }

    #[test]
    fn nothing_is_nothing() {
        assert!(read(Compression::Snappy, Vec::new()).unwrap().is_empty());
        assert!(read(Compression::None, Vec::new()).unwrap().is_empty());
    }

    #[test]
    fn a_block_that_promises_too_much_is_damaged() {
        assert!(read(Compression::Snappy, vec![0xff; 40]).is_err());
    }
}
