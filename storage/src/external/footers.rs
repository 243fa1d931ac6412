//! What Parquet files say of themselves: their footers, page indexes and bloom filters, read once and kept.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parquet::arrow::ParquetRecordBatchStreamBuilder;
use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use parquet::basic::{SortOrder, Type};
use parquet::bloom_filter::Sbbf;
use parquet::errors::ParquetError;
use parquet::file::metadata::{
    ColumnChunkMetaData, FileMetaData, KeyValue, PageIndexPolicy, ParquetMetaData, ParquetMetaDataBuilder,
    ParquetMetaDataReader, RowGroupMetaData,
};
use parquet::file::statistics::Statistics;
use quick_cache::sync::Cache;
use quick_cache::{DefaultHashBuilder, Weighter};

use super::by_name::FILE_URL;
use super::pinned_file::PinnedFile;
use super::pinned_reader::PinnedReader;
use crate::column_cache::{CacheUse, CountEvictions};
use crate::error::{self, Error, Result};

/// Bytes at a file's end that are read in the hope that they hold the footer. Most footers are smaller, and a request to
/// an object store costs as much time as half a megabyte.
pub(super) const TAIL_BYTES_MIN: u64 = 32 * 1024;
/// The longest end of a file that is read at once, and kept.
pub(super) const TAIL_BYTES_MAX: u64 = 1 << 20;
/// Longest values of columns whose values have one length. Those of decimals have 16 bytes, of checksums 64.
const FIXED_LENGTH_BYTES_MAX: i32 = 64 * 1024;
/// Bytes that a column of a row group may have beside twice those that it has when it is not compressed: those of its pages'
/// headers, and of what compression has made longer.
const COMPRESSED_BYTES_FREE: u64 = 1 << 20;
/// Bytes that an entry takes beside what it holds.
const ENTRY_BYTES: u64 = 200;
/// Bytes that a footer is taken to have, for the first size of the cache's table.
const FOOTER_BYTES_ESTIMATED: u64 = 16 * 1024;
/// Bytes of a block of a bloom filter.
const BLOOM_BLOCK_BYTES: usize = 32;

/// How much of files' ends is worth reading at once, by what those before have needed of theirs: indexes and filters grow with
/// the file.
#[derive(Debug, Default)]
pub(super) struct Tails {
    /// Bytes needed of a mebibyte of a file.
    per_mebibyte: AtomicU64,
    /// Bytes needed of a file.
    needed: AtomicU64,
}

impl Tails {
    /// How much of a file's end to read.
    pub fn expected(&self, file: &PinnedFile) -> u64 {
        let expected = (u128::from(file.size()) * u128::from(self.per_mebibyte.load(Ordering::Relaxed))) >> 20;
        // Some files' descriptions are a little longer.
        let expected = u64::try_from(expected + expected / 8).unwrap_or(u64::MAX);
        // Filters grow by powers of two, so a smaller file may have one of the same size.
        expected.max(self.needed.load(Ordering::Relaxed)).clamp(TAIL_BYTES_MIN, TAIL_BYTES_MAX)
    }

    /// Notes how much of a file's end was needed.
    pub fn note(&self, file: &PinnedFile, needed: u64) {
        if (1..=TAIL_BYTES_MAX).contains(&needed) {
            self.per_mebibyte.fetch_max((needed << 20).div_ceil(file.size().max(1)), Ordering::Relaxed);
            self.needed.fetch_max(needed, Ordering::Relaxed);
        }
    }
}

/// What files say of themselves, as much as fits, each of an exact version of its file.
#[derive(Debug)]
pub struct Footers {
    entries: Cache<PartKey, Part, PartWeighter, DefaultHashBuilder, CountEvictions>,
    hits: AtomicU64,
    misses: AtomicU64,
    evictions: Arc<AtomicU64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct PartKey {
    /// The version of the file.
    file: Arc<str>,
    which: Which,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Which {
    Footer,
    FooterAndPages,
    Bloom { row_group: usize, leaf: usize },
}

#[derive(Debug, Clone)]
enum Part {
    Footer(Arc<ParquetMetaData>),
    Bloom(Option<Arc<Sbbf>>),
}

#[derive(Debug, Clone)]
struct PartWeighter;

impl Weighter<PartKey, Part> for PartWeighter {
    fn weight(&self, key: &PartKey, part: &Part) -> u64 {
        let bytes = match part {
            Part::Footer(footer) => footer.memory_size(),
            Part::Bloom(bloom) => bloom.as_ref().map_or(0, |bloom| bloom.num_blocks() * BLOOM_BLOCK_BYTES),
        };
        bytes as u64 + key.file.len() as u64 + ENTRY_BYTES
    }
}

impl Footers {
    /// An empty cache of `bytes_max` bytes.
    pub fn new(bytes_max: u64) -> Self {
        let estimated = (bytes_max / FOOTER_BYTES_ESTIMATED).max(16) as usize;
        let lifecycle = CountEvictions::default();
        let evictions = lifecycle.0.clone();
        let entries = Cache::with(estimated, bytes_max, PartWeighter, DefaultHashBuilder::default(), lifecycle);
        Footers { entries, hits: AtomicU64::new(0), misses: AtomicU64::new(0), evictions }
    }

    /// The footer of a file. Its page index need not be in it. When it has to be read, `tail_bytes` of the file's end are read
    /// at once.
    ///
    /// # Errors
    /// The file cannot be read, or is not one of Parquet.
    pub(super) async fn footer(&self, file: &Arc<PinnedFile>, tail_bytes: u64) -> Result<Arc<ParquetMetaData>> {
        let key = |which| PartKey { file: file.version().clone(), which };
        if let Some(Part::Footer(footer)) = self.entries.get(&key(Which::FooterAndPages)) {
            self.hits.fetch_add(1, Ordering::Relaxed);
            return Ok(footer);
        }
        let read = async {
            file.take_known_tail().await;
            file.read_tail(tail_bytes).await?;
            Ok(Part::Footer(Arc::new(read(file, PageIndexPolicy::Skip).await?)))
        };
        match self.get_or_read(key(Which::Footer), read).await? {
            Part::Footer(footer) => Ok(footer),
            Part::Bloom(_) => Err(not_kept()),
        }
    }

    /// The footer of a file, with its page index if it has one.
    ///
    /// # Errors
    /// As [`footer`](Self::footer).
    pub(super) async fn with_page_index(
        &self,
        file: &Arc<PinnedFile>,
        footer: &Arc<ParquetMetaData>,
    ) -> Result<Arc<ParquetMetaData>> {
        if footer.offset_index().is_some() && footer.column_index().is_some() {
            return Ok(footer.clone());
        }
        let columns = footer.row_groups().iter().flat_map(RowGroupMetaData::columns);
        let places = columns.flat_map(|column| [column.column_index_offset(), column.offset_index_offset()]);
        if let Some(start) = places.flatten().min() {
            file.is_described_at(u64::try_from(start).unwrap_or(0));
        }
        let key = PartKey { file: file.version().clone(), which: Which::FooterAndPages };
        let read = async {
            file.take_known_tail().await;
            let mut reader = ParquetMetaDataReader::new_with_metadata(footer.as_ref().clone())
                .with_page_index_policy(PageIndexPolicy::Optional);
            let read = async {
                reader.load_page_index(&mut PinnedReader::new(file.clone())).await?;
                reader.finish()
            };
            read.await.map(|footer| Part::Footer(Arc::new(footer))).map_err(|error| not_parquet(file.url(), error))
        };
        match self.get_or_read(key, read).await? {
            Part::Footer(footer) => Ok(footer),
            Part::Bloom(_) => Err(not_kept()),
        }
    }

    /// The bloom filter of a column of a row group, if it has one that can be read: without it, less is left out.
    pub(super) async fn bloom(
        &self,
        file: &Arc<PinnedFile>,
        footer: &ArrowReaderMetadata,
        row_group: usize,
        leaf: usize,
    ) -> Option<Arc<Sbbf>> {
        let start = footer.metadata().row_group(row_group).column(leaf).bloom_filter_offset()?;
        file.is_described_at(u64::try_from(start).unwrap_or(0));
        let key = PartKey { file: file.version().clone(), which: Which::Bloom { row_group, leaf } };
        let read = async {
            file.take_known_tail().await;
            let reader = PinnedReader::new(file.clone());
            let mut reader = ParquetRecordBatchStreamBuilder::new_with_metadata(reader, footer.clone());
            let bloom = reader.get_row_group_column_bloom_filter(row_group, leaf).await;
            Ok(Part::Bloom(bloom.map_err(|error| not_parquet(file.url(), error))?.map(Arc::new)))
        };
        match self.get_or_read(key, read).await {
            Ok(Part::Bloom(bloom)) => bloom,
            Ok(Part::Footer(_)) => None,
            Err(error) => {
                tracing::debug!(%error, "a bloom filter cannot be read");
                None
            }
        }
    }

    async fn get_or_read(&self, key: PartKey, read: impl Future<Output = Result<Part>>) -> Result<Part> {
        let mut is_read = false;
        let read = async {
            is_read = true;
            self.misses.fetch_add(1, Ordering::Relaxed);
            read.await
        };
        let found = self.entries.get_or_insert_async(&key, read).await?;
        if !is_read {
            self.hits.fetch_add(1, Ordering::Relaxed);
        }
        Ok(found)
    }

    /// How the cache does.
    pub fn usage(&self) -> CacheUse {
        CacheUse {
            entries: self.entries.len() as u64,
            bytes: self.entries.weight(),
            bytes_max: self.entries.capacity(),
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            evictions: self.evictions.load(Ordering::Relaxed),
        }
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.entries.clear();
    }
}

fn not_kept() -> Error {
    Error::Corrupted { path: String::new(), reason: "something else is kept under its name".to_owned() }
}

/// Reads the footer of a file.
///
/// # Errors
/// The file cannot be read, or is not one of Parquet.
pub(super) async fn read(file: &Arc<PinnedFile>, pages: PageIndexPolicy) -> Result<ParquetMetaData> {
    file.read_tail(TAIL_BYTES_MIN).await?;
    let mut reader = ParquetMetaDataReader::new()
        .with_prefetch_hint(Some(TAIL_BYTES_MIN as usize))
        .with_column_index_policy(pages)
        .with_offset_index_policy(pages);
    let read = async {
        reader.try_load(&mut PinnedReader::new(file.clone()), file.size()).await?;
        let footer = reader.finish()?;
        check(&footer)?;
        prepared(footer, file.url())
    };
    read.await.map_err(|error| not_parquet(file.url(), error))
}

/// The error of ours in a reader's error, or that the file is none of Parquet.
fn not_parquet(path: &str, error: ParquetError) -> Error {
    let reason = match error {
        ParquetError::External(inner) if error::find(inner.as_ref()).is_some() => match inner.downcast::<Error>() {
            Ok(ours) => return *ours,
            Err(other) => other.to_string(),
        },
        ParquetError::General(reason) | ParquetError::EOF(reason) | ParquetError::NYI(reason) => reason,
        other => other.to_string(),
    };
    Error::NotParquet { path: path.to_owned(), reason }
}

/// That decoding what a footer describes does not take memory that the file itself does not have, and that its numbers are
/// none that the reader takes for granted.
fn check(footer: &ParquetMetaData) -> parquet::errors::Result<()> {
    for leaf in footer.file_metadata().schema_descr().columns() {
        // A NULL takes as much as a value.
        if leaf.physical_type() == Type::FIXED_LEN_BYTE_ARRAY && leaf.type_length() > FIXED_LENGTH_BYTES_MAX {
            let (name, length) = (leaf.path().string(), leaf.type_length());
            return Err(ParquetError::General(format!("values of column {name} have {length} bytes each")));
        }
    }
    let is_sound = |column: &ColumnChunkMetaData| {
        let start = column.dictionary_page_offset().unwrap_or_else(|| column.data_page_offset());
        start >= 0 && column.compressed_size() >= 0 && start.checked_add(column.compressed_size()).is_some()
    };
    // What decides how much is read at once is the length of what is not compressed.
    let is_compressed = |column: &ColumnChunkMetaData| {
        let (compressed, plain) = (column.compressed_size(), column.uncompressed_size());
        let plain = u64::try_from(plain).unwrap_or(0);
        u64::try_from(compressed).unwrap_or(0) <= plain.saturating_mul(2).saturating_add(COMPRESSED_BYTES_FREE)
    };
    if !footer.row_groups().iter().flat_map(RowGroupMetaData::columns).all(is_compressed) {
        return Err(ParquetError::General("its footer names columns that compression has made far longer".to_owned()));
    }
    let mut groups = footer.row_groups().iter();
    match groups.all(|group| group.num_rows() >= 0 && group.columns().iter().all(is_sound)) {
        true => Ok(()),
        false => Err(ParquetError::General("its footer has negative lengths".to_owned())),
    }
}

/// A footer that tells which file it is from and whose statistics can be trusted.
fn prepared(metadata: ParquetMetaData, url: &str) -> parquet::errors::Result<ParquetMetaData> {
    let file = metadata.file_metadata();
    let mut properties = file.key_value_metadata().cloned().unwrap_or_default();
    properties.retain(|property| property.key != FILE_URL);
    properties.push(KeyValue::new(FILE_URL.to_owned(), url.to_owned()));
    let file = FileMetaData::new(
        file.version(),
        file.num_rows(),
        file.created_by().map(str::to_owned),
        Some(properties),
        file.schema_descr_ptr(),
        file.column_orders().cloned(),
    );
    let mut parts = metadata.into_builder();
    let row_groups = parts.take_row_groups().into_iter().map(with_trusted_statistics);
    Ok(ParquetMetaDataBuilder::new(file)
        .set_row_groups(row_groups.collect::<parquet::errors::Result<_>>()?)
        .set_column_index(parts.take_column_index())
        .set_offset_index(parts.take_offset_index())
        .build())
}

fn with_trusted_statistics(mut row_group: RowGroupMetaData) -> parquet::errors::Result<RowGroupMetaData> {
    for column in row_group.columns_mut() {
        if !has_trusted_statistics(column) {
            let counted = column.statistics().and_then(without_bounds);
            let rest = column.clone().into_builder().clear_statistics();
            let rest = match counted {
                Some(counted) => rest.set_statistics(counted),
                None => rest,
            };
            *column = rest.build()?;
        }
    }
    Ok(row_group)
}

/// What else they say: how many values are NULL.
fn without_bounds(statistics: &Statistics) -> Option<Statistics> {
    let nulls = Some(statistics.null_count_opt()?);
    Some(match statistics {
        Statistics::Boolean(_) => Statistics::boolean(None, None, None, nulls, false),
        Statistics::Int32(_) => Statistics::int32(None, None, None, nulls, false),
        Statistics::Int64(_) => Statistics::int64(None, None, None, nulls, false),
        Statistics::Int96(_) => Statistics::int96(None, None, None, nulls, false),
        Statistics::Float(_) => Statistics::float(None, None, None, nulls, false),
        Statistics::Double(_) => Statistics::double(None, None, None, nulls, false),
        Statistics::ByteArray(_) => Statistics::byte_array(None, None, None, nulls, false),
        Statistics::FixedLenByteArray(_) => Statistics::fixed_len_byte_array(None, None, None, nulls, false),
    })
}

/// Old writers ordered texts, decimals and unsigned numbers as signed bytes or numbers, and counted NaN among the
/// numbers. The engine does not look at that and would leave out rows that a filter lets through.
fn has_trusted_statistics(column: &ColumnChunkMetaData) -> bool {
    match column.statistics() {
        None => true,
        Some(Statistics::Float(it)) => ![it.min_opt(), it.max_opt()].into_iter().flatten().any(|it| it.is_nan()),
        Some(Statistics::Double(it)) => ![it.min_opt(), it.max_opt()].into_iter().flatten().any(|it| it.is_nan()),
        Some(it) if it.is_min_max_deprecated() => {
            let is_bytes = matches!(column.column_type(), Type::BYTE_ARRAY | Type::FIXED_LEN_BYTE_ARRAY);
            !is_bytes && column.column_descr().sort_order() == SortOrder::SIGNED
        }
        Some(_) => true,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use parquet::schema::parser::parse_message_type;
    use parquet::schema::types::SchemaDescriptor;

    use super::*;

    fn footer(compressed: i64, uncompressed: i64) -> ParquetMetaData {
        let schema = parse_message_type("message m { REQUIRED INT64 a; }").unwrap();
        let schema = Arc::new(SchemaDescriptor::new(Arc::new(schema)));
        let column = ColumnChunkMetaData::builder(schema.column(0))
            .set_total_compressed_size(compressed)
            .set_total_uncompressed_size(uncompressed)
            .build();
        let group = RowGroupMetaData::builder(schema.clone()).set_num_rows(1).add_column_metadata(column.unwrap());
        ParquetMetaData::new(FileMetaData::new(1, 1, None, None, schema, None), vec![group.build().unwrap()])
    }

    #[test]
    fn counts_of_nulls_are_kept_where_bounds_are_not_to_be_trusted() {
        let old = Statistics::byte_array(Some("a".into()), Some("b".into()), None, Some(7), true);
        let counted = without_bounds(&old).unwrap();
        assert_eq!((counted.null_count_opt(), counted.min_bytes_opt(), counted.max_bytes_opt()), (Some(7), None, None));
        assert!(without_bounds(&Statistics::int32(Some(1), Some(2), None, None, true)).is_none());
    }

    #[test]
    fn a_column_is_not_far_longer_where_it_is_compressed() {
        for (compressed, uncompressed) in [(10, 100), (200_000, 10), (10 << 20, 9 << 20)] {
            check(&footer(compressed, uncompressed)).unwrap();
        }
        for (compressed, uncompressed) in [(100_000_000_000_000_000, 10), (10 << 20, 1 << 20), (-1, 1)] {
            assert!(check(&footer(compressed, uncompressed)).is_err(), "{compressed} {uncompressed}");
        }
    }
}
