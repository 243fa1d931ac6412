//! How rows become the bytes of a file: in pieces that are encoded at the same time and put together in order.

use std::fmt;
use std::io::Write;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use bytes::{Bytes, BytesMut};
use bzip2::write::BzEncoder;
use catalog::Compression;
use datafusion::error::{DataFusionError, Result};
use flate2::write::GzEncoder;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{
    ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, ArrowWriterOptions, compute_leaves,
};
use parquet::basic::{self, GzipLevel, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;

use crate::error::Source;

/// What zstd's own tool takes.
const ZSTD_LEVEL: i32 = 3;
/// Bytes of rows in memory that are a row group, mostly. What they are encoded to is a good deal less.
const ROW_GROUP_BYTES_MAX: usize = 64 << 20;
/// Bytes of rows in memory that are encoded as lines at once: a number of four bytes is up to eleven characters.
const LINES_BYTES_MAX: usize = 16 << 20;

/// What files are made of.
#[derive(Debug, Clone)]
pub enum FileEncoding {
    /// Parquet.
    Parquet(ParquetEncoding),
    /// Lines of text: what makes them, and what they are packed with.
    Lines(Arc<dyn LineEncoder>, Compression),
}

/// How Parquet files are written.
#[derive(Debug, Clone)]
pub struct ParquetEncoding {
    /// The columns.
    pub schema: SchemaRef,
    /// What pages are packed with.
    pub compression: Compression,
}

/// Makes lines of rows, as another room knows.
pub trait LineEncoder: fmt::Debug + Send + Sync {
    /// What each file begins with.
    fn header(&self) -> Bytes;

    /// Appends the lines of a batch.
    ///
    /// # Errors
    /// A value cannot be written.
    fn encode(&self, batch: &RecordBatch, out: &mut BytesMut) -> Result<(), Source>;
}

/// A file, as far as it has been put together.
pub(super) enum FileBody {
    Parquet {
        writer: Box<SerializedFileWriter<Vec<u8>>>,
        factory: Arc<ArrowRowGroupWriterFactory>,
        schema: SchemaRef,
        row_groups: usize,
    },
    Lines {
        encoder: Arc<dyn LineEncoder>,
        compression: Compression,
        has_begun: bool,
    },
}

/// A piece of a file that is to be encoded.
pub(super) enum Piece {
    RowGroup { columns: Vec<ArrowColumnWriter>, schema: SchemaRef, batches: Vec<RecordBatch> },
    Lines { encoder: Arc<dyn LineEncoder>, compression: Compression, header: Bytes, batches: Vec<RecordBatch> },
}

/// A piece that has been encoded.
pub(super) enum Encoded {
    RowGroup(Vec<ArrowColumnChunk>),
    Lines(Vec<u8>),
}

impl FileEncoding {
    /// The ending of the names of files like this, as readers know it.
    pub fn ending(&self) -> &'static str {
        match self {
            FileEncoding::Parquet(_) => ".parquet",
            FileEncoding::Lines(_, Compression::None) => "",
            FileEncoding::Lines(_, Compression::Gzip) => ".gz",
            FileEncoding::Lines(_, Compression::Zstd) => ".zst",
            FileEncoding::Lines(_, Compression::Bzip2) => ".bz2",
            FileEncoding::Lines(_, Compression::Snappy) => ".snappy",
        }
    }

    /// Bytes of rows in memory that are encoded at once.
    pub(super) fn piece_bytes_max(&self) -> usize {
        match self {
            FileEncoding::Parquet(_) => ROW_GROUP_BYTES_MAX,
            FileEncoding::Lines(..) => LINES_BYTES_MAX,
        }
    }

    /// A new file.
    pub(super) fn begin(&self) -> Result<FileBody> {
        match self {
            FileEncoding::Parquet(encoding) => {
                let properties = WriterProperties::builder().set_compression(encoding.codec()).build();
                // Arrow's schema would tell other readers about types that they do not have.
                let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
                let writer = ArrowWriter::try_new_with_options(Vec::new(), encoding.schema.clone(), options)?;
                let (writer, factory) = writer.into_serialized_writer()?;
                Ok(FileBody::Parquet {
                    writer: Box::new(writer),
                    factory: Arc::new(factory),
                    schema: encoding.schema.clone(),
                    row_groups: 0,
                })
            }
            FileEncoding::Lines(encoder, compression) => {
                Ok(FileBody::Lines { encoder: encoder.clone(), compression: *compression, has_begun: false })
            }
        }
    }
}

impl ParquetEncoding {
    fn codec(&self) -> basic::Compression {
        match self.compression {
            Compression::None => basic::Compression::UNCOMPRESSED,
            Compression::Gzip => basic::Compression::GZIP(GzipLevel::default()),
            Compression::Zstd => basic::Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL).unwrap_or_default()),
            // Parquet has no bzip2; whoever asks for it has been refused.
            Compression::Bzip2 | Compression::Snappy => basic::Compression::SNAPPY,
        }
    }
}

impl FileBody {
    /// What is to be done to add these rows.
    pub(super) fn piece(&mut self, batches: Vec<RecordBatch>) -> Result<Piece> {
        Ok(match self {
            FileBody::Parquet { factory, schema, row_groups, .. } => {
                let columns = factory.create_column_writers(*row_groups)?;
                *row_groups += 1;
                Piece::RowGroup { columns, schema: schema.clone(), batches }
            }
            FileBody::Lines { encoder, compression, has_begun } => {
                let header = if std::mem::replace(has_begun, true) { Bytes::new() } else { encoder.header() };
                Piece::Lines { encoder: encoder.clone(), compression: *compression, header, batches }
            }
        })
    }

    /// Puts the next piece into its place; the bytes that the file goes on with.
    pub(super) fn append(&mut self, encoded: Encoded) -> Result<Vec<u8>> {
        match (self, encoded) {
            (FileBody::Parquet { writer, .. }, Encoded::RowGroup(columns)) => {
                let mut row_group = writer.next_row_group()?;
                for column in columns {
                    column.append_to_row_group(&mut row_group)?;
                }
                row_group.close()?;
                taken(writer)
            }
            (FileBody::Lines { .. }, Encoded::Lines(bytes)) => Ok(bytes),
            _ => Err(DataFusionError::Internal("a piece of another format".to_owned())),
        }
    }

    /// The bytes that the file ends with. A file without rows has what says so: a header, or columns.
    pub(super) fn end(self) -> Result<Vec<u8>> {
        match self {
            FileBody::Parquet { mut writer, .. } => {
                writer.finish()?;
                taken(&mut writer)
            }
            FileBody::Lines { has_begun: true, .. } => Ok(Vec::new()),
            FileBody::Lines { encoder, compression, has_begun: false } => packed(compression, &encoder.header()),
        }
    }
}

/// The bytes that have been written since it was last asked.
fn taken(writer: &mut SerializedFileWriter<Vec<u8>>) -> Result<Vec<u8>> {
    writer.flush()?;
    Ok(std::mem::take(writer.inner_mut()))
}

impl Piece {
    /// Encodes it, which takes a while.
    pub(super) fn encode(self) -> Result<Encoded> {
        match self {
            Piece::RowGroup { mut columns, schema, batches } => {
                for batch in batches {
                    let mut writers = columns.iter_mut();
                    for (field, array) in schema.fields().iter().zip(batch.columns()) {
                        for leaf in compute_leaves(field, array)? {
                            let missing = || ParquetError::General("a column has no writer".to_owned());
                            writers.next().ok_or_else(missing)?.write(&leaf)?;
                        }
                    }
                }
                let chunks = columns.into_iter().map(ArrowColumnWriter::close);
                Ok(Encoded::RowGroup(chunks.collect::<Result<_, _>>()?))
            }
            Piece::Lines { encoder, compression, header, batches } => {
                let mut lines = BytesMut::from(header.as_ref());
                for batch in batches {
                    encoder.encode(&batch, &mut lines).map_err(DataFusionError::External)?;
                }
                packed(compression, &lines).map(Encoded::Lines)
            }
        }
    }
}

/// Each piece is packed for itself: what the formats call members, frames and streams, one behind the other, are one file.
fn packed(compression: Compression, bytes: &[u8]) -> Result<Vec<u8>> {
    Ok(match compression {
        Compression::None => bytes.to_vec(),
        Compression::Gzip => {
            let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(bytes)?;
            encoder.finish()?
        }
        Compression::Bzip2 => {
            let mut encoder = BzEncoder::new(Vec::new(), bzip2::Compression::default());
            encoder.write_all(bytes)?;
            encoder.finish()?
        }
        Compression::Zstd => zstd::encode_all(bytes, ZSTD_LEVEL)?,
        Compression::Snappy => {
            let mut encoder = snap::write::FrameEncoder::new(Vec::new());
            encoder.write_all(bytes)?;
            encoder.into_inner().map_err(|error| DataFusionError::External(Box::new(error)))?
        }
    })
}
