//! What has to be known of a segment before its file is opened: where the columns are, their checksums, their zone maps.
//!
//! It is kept in the segment's record in the commit store, as a batch of Arrow's with a row for each row group, compressed:
//! the names and paddings of such a batch are most of it when there are few row groups, and all records are read at each
//! start.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt32Array, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema, UInt32Type, UInt64Type};
use arrow::error::ArrowError;
use bytes::{Buf, BufMut, Bytes, BytesMut};
use catalog::rows::codec::{RowsDecoder, encode_rows, encode_schema};

/// Bytes in a file, and their checksum (CRC-32).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckedRange {
    /// Where they begin.
    pub offset: u64,
    /// How many.
    pub length: u64,
    /// Their checksum.
    pub checksum: u32,
}

impl CheckedRange {
    /// Whether these are the bytes.
    pub fn matches(&self, bytes: &[u8]) -> bool {
        bytes.len() as u64 == self.length && crc32fast::hash(bytes) == self.checksum
    }
}

/// A column of a segment, by row group.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnDetails {
    /// Where its bytes are.
    pub chunks: Vec<CheckedRange>,
    /// How many values are NULL.
    pub nulls: UInt64Array,
    /// The least and the greatest value, at rest; NULL where there is none. `None` for types without an order of Arrow's.
    pub bounds: Option<(ArrayRef, ArrayRef)>,
}

/// What has to be known of a segment.
#[derive(Debug, Clone, PartialEq)]
pub struct SegmentDetails {
    /// The Parquet footer.
    pub footer: CheckedRange,
    /// Rows of each row group.
    pub rows: UInt32Array,
    /// Its columns by the name at rest.
    pub columns: HashMap<String, ColumnDetails>,
}

const FOOTER_BYTES: usize = 8 + 8 + 4;
/// The fastest of zstd's levels that finds repetitions.
const COMPRESSION_LEVEL: i32 = 1;

impl SegmentDetails {
    /// As bytes.
    ///
    /// # Errors
    /// A type that cannot be stored: a bug.
    pub fn encode(&self) -> Result<Bytes, ArrowError> {
        let mut fields = vec![Field::new("rows", DataType::UInt32, false)];
        let mut arrays: Vec<ArrayRef> = vec![Arc::new(self.rows.clone())];
        let mut add = |name: String, array: ArrayRef| {
            fields.push(Field::new(name, array.data_type().clone(), true));
            arrays.push(array);
        };
        let mut names: Vec<_> = self.columns.keys().collect();
        names.sort();
        for name in names {
            let column = &self.columns[name];
            let numbers = |of: fn(&CheckedRange) -> u64| -> ArrayRef {
                Arc::new(column.chunks.iter().map(|chunk| Some(of(chunk))).collect::<UInt64Array>())
            };
            add(format!("{name}.offset"), numbers(|chunk| chunk.offset));
            add(format!("{name}.length"), numbers(|chunk| chunk.length));
            add(format!("{name}.checksum"), numbers(|chunk| u64::from(chunk.checksum)));
            add(format!("{name}.nulls"), Arc::new(column.nulls.clone()));
            if let Some((min, max)) = &column.bounds {
                add(format!("{name}.min"), min.clone());
                add(format!("{name}.max"), max.clone());
            }
        }
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?;
        let (schema, rows) = (encode_schema(&batch.schema())?, encode_rows(&batch)?);
        let mut bytes = BytesMut::with_capacity(FOOTER_BYTES + size_of::<u32>() + schema.len() + rows.len());
        bytes.put_u64_le(self.footer.offset);
        bytes.put_u64_le(self.footer.length);
        bytes.put_u32_le(self.footer.checksum);
        bytes.put_u32_le(schema.len() as u32);
        bytes.put_slice(&schema);
        bytes.put_slice(&rows);
        compressed(&bytes)
    }

    /// From [`encode`](Self::encode)'s bytes.
    ///
    /// # Errors
    /// They are something else.
    pub fn decode(bytes: Bytes) -> Result<Self, ArrowError> {
        let mut bytes = decompressed(bytes)?;
        if bytes.len() < FOOTER_BYTES + size_of::<u32>() {
            return Err(wrong("footer"));
        }
        let footer =
            CheckedRange { offset: bytes.get_u64_le(), length: bytes.get_u64_le(), checksum: bytes.get_u32_le() };
        let schema_bytes = bytes.get_u32_le() as usize;
        if bytes.len() < schema_bytes {
            return Err(wrong("columns"));
        }
        let batch = RowsDecoder::new(&bytes.split_to(schema_bytes))?.decode(&bytes)?;
        let rows = batch.column_by_name("rows").and_then(|rows| rows.as_primitive_opt::<UInt32Type>());
        let rows = rows.ok_or_else(|| wrong("rows"))?.clone();
        let schema = batch.schema();
        let names = schema.fields().iter().filter_map(|field| field.name().strip_suffix(".offset"));
        let column = |name: &str| -> Result<ColumnDetails, ArrowError> {
            let part = |part: &str| batch.column_by_name(&format!("{name}.{part}"));
            let numbers = |what: &str| {
                part(what).and_then(|array| array.as_primitive_opt::<UInt64Type>()).ok_or_else(|| wrong(what))
            };
            let (offsets, lengths, checksums) = (numbers("offset")?, numbers("length")?, numbers("checksum")?);
            let chunk = |place: usize| CheckedRange {
                offset: offsets.value(place),
                length: lengths.value(place),
                checksum: checksums.value(place) as u32,
            };
            Ok(ColumnDetails {
                chunks: (0..batch.num_rows()).map(chunk).collect(),
                nulls: numbers("nulls")?.clone(),
                bounds: part("min").cloned().zip(part("max").cloned()),
            })
        };
        let columns = names.map(|name| Ok((name.to_owned(), column(name)?)));
        let columns = columns.collect::<Result<_, ArrowError>>()?;
        Ok(SegmentDetails { footer, rows, columns })
    }

    /// The position of the first row of each row group.
    pub fn first_rows(&self) -> Vec<u32> {
        let next = |next: &mut u32, rows: &u32| {
            let first = *next;
            *next += rows;
            Some(first)
        };
        self.rows.values().iter().scan(0, next).collect()
    }
}

fn wrong(what: &str) -> ArrowError {
    ArrowError::ParseError(format!("the details of a segment have no {what}"))
}

/// The number of bytes, and what they are compressed to.
fn compressed(bytes: &[u8]) -> Result<Bytes, ArrowError> {
    let length =
        u32::try_from(bytes.len()).map_err(|_| ArrowError::ComputeError("a segment has too many columns".into()))?;
    let body = zstd::bulk::compress(bytes, COMPRESSION_LEVEL)?;
    let mut compressed = BytesMut::with_capacity(size_of::<u32>() + body.len());
    compressed.put_u32_le(length);
    compressed.put_slice(&body);
    Ok(compressed.freeze())
}

fn decompressed(mut bytes: Bytes) -> Result<Bytes, ArrowError> {
    if bytes.len() < size_of::<u32>() {
        return Err(wrong("length"));
    }
    let length = bytes.get_u32_le() as usize;
    let body = zstd::bulk::decompress(&bytes, length)?;
    if body.len() == length { Ok(body.into()) } else { Err(wrong("bytes")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Int32Array, StringArray};

    fn details() -> SegmentDetails {
        let range = |offset| CheckedRange { offset, length: 10, checksum: 7 };
        let number = ColumnDetails {
            chunks: vec![range(4), range(30)],
            nulls: UInt64Array::from(vec![0, 3]),
            bounds: Some((Arc::new(Int32Array::from(vec![1, 5])), Arc::new(Int32Array::from(vec![Some(4), None])))),
        };
        let text = ColumnDetails {
            chunks: vec![range(14), range(40)],
            nulls: UInt64Array::from(vec![1, 1]),
            bounds: Some((Arc::new(StringArray::from(vec!["a", "b"])), Arc::new(StringArray::from(vec!["x", "y"])))),
        };
        let without = ColumnDetails { bounds: None, ..text.clone() };
        SegmentDetails {
            footer: CheckedRange { offset: 100, length: 50, checksum: u32::MAX },
            rows: UInt32Array::from(vec![100, 20]),
            columns: [("c1", number), ("c2", text), ("c10", without)]
                .map(|(name, column)| (name.to_owned(), column))
                .into(),
        }
    }

    #[test]
    fn details_come_back_as_they_were() {
        let details = details();
        assert_eq!(SegmentDetails::decode(details.encode().unwrap()).unwrap(), details);
        assert_eq!(details.first_rows(), [0, 100]);
    }

    #[test]
    fn other_bytes_are_errors() {
        let bytes = details().encode().unwrap();
        for length in [0, 10, 23, 40, bytes.len() / 2] {
            assert!(SegmentDetails::decode(bytes.slice(..length)).is_err(), "{length}");
        }
    }
}
