//! A row group that is being read.
//!
//! Columns of which most rows are needed are decoded as a whole and stay in the column cache. Where few rows are needed, by
//! the bounds of pages or by the conditions, the pages alone that hold them are read; when the same column is needed again,
//! it is better to have it all.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{Array, ArrayRef, BooleanArray, BooleanBufferBuilder, RecordBatch};
use arrow::compute::{concat, filter};
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::MemoryReservation;
use futures::TryStreamExt;
use parquet::arrow::ParquetRecordBatchStreamBuilder;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReaderBuilder, RowSelection};
use parquet::arrow::async_reader::ParquetRecordBatchStream;
use tokio::sync::OwnedSemaphorePermit;

use super::super::pinned_reader::PinnedReader;
use super::super::read_ranges::read_ranges;
use super::addresses::RowNumbers;
use super::open_file::{FileValues, InFile, OpenFile};
use super::scanned::Scanned;
use crate::chunk_bytes::ChunkBytes;
use crate::column_cache::{BATCH_ROWS, CachedColumn, ChunkKey, CodedText};
use crate::error::{self, Error};
use crate::scan::filtered_rows::{Piece, Wanted};
use crate::scan::report::Step;

/// Bytes of values that a row group is decoded to as a whole. Of a larger one, batches are decoded one after the other.
const DECODED_BYTES_MAX: u64 = 256 << 20;
/// Rows are few when there is at most one of so many.
const FEW_ONE_IN: usize = 16;

/// A row group, and those of its columns that have been needed.
pub(super) struct RowGroup {
    pub scanned: Arc<Scanned>,
    pub open: Arc<OpenFile>,
    pub group: usize,
    /// The rows of it that are read, of all when there is no selection.
    pub rows: usize,
    pub selection: Option<RowSelection>,
    pub columns: BTreeMap<usize, Values>,
    pub numbers: RowNumbers,
    /// Bytes that were read ahead.
    fetched: ChunkBytes,
    pub survivors: Arc<Survivors>,
    reservation: MemoryReservation,
    /// What lets others read ahead once these bytes are not needed any more.
    pub permit: Option<OwnedSemaphorePermit>,
}

/// The values of a column.
pub(super) enum Values {
    Constant(datafusion::scalar::ScalarValue),
    /// Of all rows that are read, in batches.
    Batches(Arc<CachedColumn>),
    /// Of all rows that are read.
    All(ArrayRef),
    /// Of the rows that conditions have left, and where those of each batch begin.
    Left {
        values: ArrayRef,
        starts: Vec<usize>,
    },
}

/// How many rows conditions have left so far, to all partitions of a scan.
#[derive(Debug, Default)]
pub(super) struct Survivors {
    looked_at: AtomicU64,
    left: AtomicU64,
}

impl Survivors {
    fn note(&self, looked_at: usize, left: usize) {
        self.looked_at.fetch_add(looked_at as u64, Ordering::Relaxed);
        self.left.fetch_add(left as u64, Ordering::Relaxed);
    }

    /// Whether it pays to read the other columns before it is known which rows are left.
    pub fn are_many(&self) -> bool {
        let (looked_at, left) = (self.looked_at.load(Ordering::Relaxed), self.left.load(Ordering::Relaxed));
        looked_at > 0 && left * FEW_ONE_IN as u64 > looked_at
    }
}

impl RowGroup {
    /// A row group of which those rows are read that are selected, or all.
    pub fn new(
        scanned: Arc<Scanned>,
        open: Arc<OpenFile>,
        group: usize,
        selection: Option<RowSelection>,
        survivors: Arc<Survivors>,
        reservation: MemoryReservation,
    ) -> Self {
        let rows = selection.as_ref().map_or_else(|| open.rows(group), RowSelection::row_count);
        RowGroup {
            scanned,
            open,
            group,
            rows,
            selection,
            columns: BTreeMap::new(),
            numbers: RowNumbers::default(),
            fetched: ChunkBytes::default(),
            survivors,
            reservation,
            permit: None,
        }
    }

    /// Bytes that the values of all needed columns take in memory, about.
    fn decoded_bytes(&self) -> Result<u64> {
        let (group, mut bytes) = (self.open.row_group(self.group), 0);
        for place in self.scanned.needed().into_iter().filter(|place| !self.columns.contains_key(place)) {
            if let InFile::Values(values) = self.open.column(place)? {
                bytes = values.decoded_bytes(group).saturating_add(bytes);
            }
        }
        Ok(bytes)
    }

    /// Rows that are read.
    pub fn row_count(&self) -> usize {
        self.rows
    }

    /// Gives a selection up, where the columns are in the cache as a whole or had better be.
    pub fn widen(&mut self, columns: &[usize]) -> Result<()> {
        if self.selection.is_none() {
            return Ok(());
        }
        let cache = &self.scanned.reading.columns;
        let mut are_known = true;
        for place in columns {
            if let InFile::Values(values) = self.open.column(*place)? {
                let key = self.key(values);
                are_known &= cache.peek(&key).is_some() || cache.was_needed(&key);
            }
        }
        let all = self.open.rows(self.group);
        if are_known || self.rows * 2 > all {
            (self.selection, self.rows) = (None, all);
        }
        Ok(())
    }

    /// The ranges of bytes that are worth reading before it is known which rows are left.
    ///
    /// # Errors
    /// A column is none of the scan's: a bug.
    pub fn ahead(&mut self) -> Result<Vec<Range<u64>>> {
        if self.scanned.fetch.is_some() || self.is_large()? {
            return Ok(Vec::new());
        }
        let scanned = self.scanned.clone();
        if let Some(selection) = &self.selection {
            return self.selected_ranges(selection, scanned.needed().into_iter());
        }
        match scanned.conditions.is_empty() || self.survivors.are_many() {
            true => self.missing(scanned.needed().into_iter()),
            false => self.missing(scanned.first_columns()?.into_iter()),
        }
    }

    /// Whether the values of all needed columns are too much to be in memory at the same time.
    pub fn is_large(&self) -> Result<bool> {
        Ok(self.decoded_bytes()? > DECODED_BYTES_MAX)
    }

    /// Takes columns from the cache that are there, and answers the ranges of bytes of the others.
    pub fn missing(&mut self, columns: impl Iterator<Item = usize>) -> Result<Vec<Range<u64>>> {
        let mut ranges = Vec::new();
        if self.selection.is_some() {
            return Ok(ranges);
        }
        for place in columns {
            if self.columns.contains_key(&place) {
                continue;
            }
            let InFile::Values(values) = self.open.column(place)? else { continue };
            match self.scanned.reading.columns.get(&self.key(values)) {
                Some(cached) => {
                    self.scanned.steps.add(Step::ColumnsCached, 1);
                    self.columns.insert(place, Values::Batches(cached));
                }
                None => ranges.extend(self.ranges(values)),
            }
        }
        ranges.sort_by_key(|range| range.start);
        ranges.dedup();
        Ok(ranges)
    }

    /// Reads ranges of bytes that will be needed.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn fetch(&mut self, mut ranges: Vec<Range<u64>>) -> Result<()> {
        ranges.retain(|range| self.fetched.range(range).is_none());
        self.reserve(&ranges)?;
        let read = read_ranges(&self.open.file, &ranges).await?;
        for (range, bytes) in ranges.into_iter().zip(read) {
            self.fetched.add(range.start, bytes);
        }
        Ok(())
    }

    /// Accounts for ranges that are about to be read. A scan goes on where others have taken all memory, as little of it as it
    /// needs; what is more than a row group has that is decoded as a whole must be there first.
    fn reserve(&self, ranges: &[Range<u64>]) -> Result<()> {
        let bytes = ranges.iter().map(|range| range.end.saturating_sub(range.start)).fold(0, u64::saturating_add);
        let bytes_now = usize::try_from(bytes).unwrap_or(usize::MAX);
        match bytes <= DECODED_BYTES_MAX {
            true => self.reservation.grow(bytes_now),
            false => self.reservation.try_grow(bytes_now)?,
        }
        Ok(())
    }

    /// The bytes of the leaves of a column that are not there yet.
    fn ranges(&self, values: &FileValues) -> impl Iterator<Item = Range<u64>> {
        let group = self.open.row_group(self.group);
        let range = |leaf: &usize| {
            let (start, length) = group.column(*leaf).byte_range();
            start..start + length
        };
        let ranges: Vec<_> = values.leaves.iter().map(range).collect();
        ranges.into_iter().filter(|range| self.fetched.range(range).is_none())
    }

    /// The bytes of the pages that have selected rows, and of dictionaries. What is asked for in other ranges is read again.
    fn selected_ranges(
        &self,
        selection: &RowSelection,
        columns: impl Iterator<Item = usize>,
    ) -> Result<Vec<Range<u64>>> {
        let Some(pages) = self.open.metadata.metadata().offset_index().and_then(|index| index.get(self.group)) else {
            return Ok(Vec::new());
        };
        let (group, mut ranges) = (self.open.row_group(self.group), Vec::new());
        for place in columns {
            let InFile::Values(values) = self.open.column(place)? else { continue };
            for leaf in &values.leaves {
                let Some(pages) = pages.get(*leaf).map(|pages| &pages.page_locations) else { continue };
                let (start, _) = group.column(*leaf).byte_range();
                let first = pages.first().and_then(|page| u64::try_from(page.offset).ok());
                ranges.extend(first.filter(|first| *first > start).map(|first| start..first));
                ranges.extend(selection.scan_ranges(pages));
            }
        }
        ranges.sort_by_key(|range| range.start);
        ranges.dedup();
        Ok(ranges)
    }

    /// The bytes that a stream of columns keeps at the same time.
    fn streamed_ranges(&self, places: &[usize]) -> Result<Vec<Range<u64>>> {
        let mut ranges = match &self.selection {
            Some(selection) => return self.selected_ranges(selection, places.iter().copied()),
            None => Vec::new(),
        };
        for place in places {
            if let InFile::Values(values) = self.open.column(*place)? {
                ranges.extend(self.ranges(values));
            }
        }
        Ok(ranges)
    }

    fn key(&self, values: &FileValues) -> ChunkKey {
        ChunkKey {
            table: self.scanned.table.oid.0,
            file: self.open.file.version().clone(),
            row_group: self.group as u32,
            column: values.name.clone(),
        }
    }

    /// Decodes columns as a whole, and keeps them.
    async fn load_all(&mut self, places: &[usize]) -> Result<()> {
        let ranges = self.missing(places.iter().copied())?;
        self.fetch(ranges).await?;
        let open = self.open.clone();
        for place in places {
            if self.columns.contains_key(place) {
                continue;
            }
            let InFile::Values(values) = open.column(*place)? else { continue };
            let decoded = async { self.decode(values) };
            let column = self.scanned.reading.columns.get_or_read(&self.key(values), decoded).await?;
            self.scanned.steps.add(Step::ColumnsDecoded, 1);
            self.columns.insert(*place, Values::Batches(column));
            tokio::task::coop::consume_budget().await;
        }
        Ok(())
    }

    fn decode(&self, values: &FileValues) -> Result<CachedColumn> {
        let mask = FileValues::mask(&self.open, [values]);
        let decode = || {
            let reader =
                ParquetRecordBatchReaderBuilder::new_with_metadata(self.fetched.clone(), self.open.metadata.clone())
                    .with_row_groups(vec![self.group])
                    .with_projection(mask)
                    .with_batch_size(BATCH_ROWS)
                    .build()?;
            reader.map(|batch| values.evaluate(&self.open, &batch?)).collect::<Result<Vec<_>>>()
        };
        let batches = decode().map_err(|error| self.damaged(error))?;
        let mut missing = self.rows;
        for batch in &batches {
            if batch.len() != missing.min(BATCH_ROWS) {
                return Err(self.other_number_of_rows());
            }
            missing -= batch.len();
        }
        match missing {
            0 if self.scanned.reading.columns.is_on() => Ok(CachedColumn::new(batches)),
            0 => Ok(CachedColumn::for_once(batches)),
            _ => Err(self.other_number_of_rows()),
        }
    }

    /// Reads those rows of columns that are selected.
    async fn read_selected(&self, places: &[usize], selection: &RowSelection) -> Result<Vec<(usize, ArrayRef)>> {
        let stream = self.stream(places, Some(selection.clone()), None)?;
        let rows = selection.row_count();
        let read: Vec<RecordBatch> = stream.try_collect().await.map_err(|error| self.damaged(error.into()))?;
        let mut columns = Vec::with_capacity(places.len());
        for place in places {
            let InFile::Values(values) = self.open.column(*place)? else { continue };
            let batches = read.iter().map(|batch| values.evaluate(&self.open, batch)).collect::<Result<Vec<_>>>()?;
            let batches: Vec<&dyn Array> = batches.iter().map(AsRef::as_ref).collect();
            let column = concat(&batches)?;
            if column.len() != rows {
                return Err(self.other_number_of_rows());
            }
            columns.push((*place, column));
            self.scanned.steps.add(Step::ColumnsDecoded, 1);
        }
        Ok(columns)
    }

    fn stream(
        &self,
        places: &[usize],
        selection: Option<RowSelection>,
        limit: Option<usize>,
    ) -> Result<ParquetRecordBatchStream<PinnedReader>> {
        let mut values = Vec::new();
        for place in places {
            if let InFile::Values(of_place) = self.open.column(*place)? {
                values.push(of_place);
            }
        }
        let reader = PinnedReader::with_fetched(self.open.file.clone(), self.fetched.clone());
        let mut builder = ParquetRecordBatchStreamBuilder::new_with_metadata(reader, self.open.metadata.clone())
            .with_row_groups(vec![self.group])
            .with_projection(FileValues::mask(&self.open, values))
            .with_batch_size(BATCH_ROWS);
        if let Some(selection) = selection {
            builder = builder.with_row_selection(selection);
        }
        if let Some(limit) = limit {
            builder = builder.with_limit(limit);
        }
        builder.build().map_err(|error| self.damaged(error.into()))
    }

    /// The error that says where the file is damaged.
    fn damaged(&self, error: DataFusionError) -> DataFusionError {
        if error::find(&error).is_some() {
            return error;
        }
        let reason = match &error {
            DataFusionError::ParquetError(error) => error.to_string(),
            DataFusionError::ArrowError(error, _) => error.to_string(),
            _ => return error,
        };
        self.corrupted(&reason)
    }

    fn other_number_of_rows(&self) -> DataFusionError {
        self.corrupted("a column has another number of rows than the footer says")
    }

    fn corrupted(&self, reason: &str) -> DataFusionError {
        let (path, group) = (self.open.file.url().to_owned(), self.group + 1);
        Error::Corrupted { path, reason: format!("row group {group}: {reason}") }.into()
    }
}

impl Piece for RowGroup {
    fn rows(&self) -> usize {
        self.rows
    }

    fn present(&self, _range: &Range<usize>) -> Option<BooleanArray> {
        None
    }

    async fn load(&mut self, columns: &[usize], wanted: Option<&Wanted<'_>>) -> Result<()> {
        let mut missing = Vec::new();
        for place in columns {
            if self.columns.contains_key(place) || missing.contains(place) {
                continue;
            }
            match self.open.column(*place)? {
                InFile::Constant(value) => drop(self.columns.insert(*place, Values::Constant(value.clone()))),
                InFile::Values(_) => missing.push(*place),
            }
        }
        if let Some(wanted) = wanted.filter(|_| !self.scanned.conditions.is_empty()) {
            self.survivors.note(self.rows, wanted.count());
        }
        if missing.is_empty() {
            return Ok(());
        }
        if let Some(selection) = self.selection.clone() {
            let read = self.read_selected(&missing, &selection).await?;
            self.columns.extend(read.into_iter().map(|(place, values)| (place, Values::All(values))));
            return Ok(());
        }
        if let Some(wanted) = wanted.filter(|wanted| wanted.count() * FEW_ONE_IN <= self.rows) {
            self.missing(missing.iter().copied())?;
            missing.retain(|place| !self.columns.contains_key(place));
            let few = self.needed_for_the_first_time(&mut missing)?;
            self.load_left(&few, wanted).await?;
        }
        self.load_all(&missing).await
    }

    fn coded(&self, column: usize) -> Option<&CodedText> {
        match self.columns.get(&column) {
            Some(Values::Batches(column)) => column.coded(),
            _ => None,
        }
    }

    fn values(&self, column: usize, range: &Range<usize>, left: Option<&BooleanArray>) -> Result<ArrayRef> {
        if let Some(addresses) = self.addresses(column, range, left) {
            return Ok(addresses);
        }
        let count = left.map_or(range.len(), BooleanArray::true_count);
        let values = match self.columns.get(&column) {
            Some(Values::Constant(value)) => return value.to_array_of_size(count),
            Some(Values::Left { values, starts }) => {
                return Ok(values.slice(starts[range.start / BATCH_ROWS], count));
            }
            Some(Values::Batches(column)) => return column.batch(range.start / BATCH_ROWS, left),
            Some(Values::All(values)) => values.slice(range.start, range.len()),
            None => return Err(DataFusionError::Internal("a column has not been loaded".to_owned())),
        };
        Ok(match left {
            Some(left) => filter(&values, left)?,
            None => values,
        })
    }
}

impl RowGroup {
    /// Takes those columns out of `places` of which it is not known that they are needed more often.
    fn needed_for_the_first_time(&self, places: &mut Vec<usize>) -> Result<Vec<usize>> {
        let mut first = Vec::new();
        for place in places.iter() {
            if let InFile::Values(values) = self.open.column(*place)?
                && (self.scanned.reads_few || !self.scanned.reading.columns.was_needed(&self.key(values)))
            {
                first.push(*place);
            }
        }
        places.retain(|place| !first.contains(place));
        Ok(first)
    }

    /// Reads columns of the rows alone that conditions have left.
    async fn load_left(&mut self, places: &[usize], wanted: &Wanted<'_>) -> Result<()> {
        if places.is_empty() {
            return Ok(());
        }
        let (mut rows, mut starts, mut count) = (BooleanBufferBuilder::new(self.rows), Vec::new(), 0);
        for (range, left) in wanted.batches() {
            starts.push(count);
            match left {
                Some(left) => rows.append_buffer(left.values()),
                None => rows.append_n(range.len(), true),
            }
            count += left.map_or(range.len(), BooleanArray::true_count);
        }
        let selection = RowSelection::from_filters(&[BooleanArray::new(rows.finish(), None)]);
        for (place, values) in self.read_selected(places, &selection).await? {
            self.columns.insert(place, Values::Left { values, starts: starts.clone() });
        }
        Ok(())
    }
}

/// The batches of a row group that is too large to be decoded as a whole, or of which only the beginning is needed.
pub(super) struct StreamedGroup {
    group: RowGroup,
    places: Vec<usize>,
    stream: ParquetRecordBatchStream<PinnedReader>,
    /// Rows that have been given.
    given: usize,
}

impl StreamedGroup {
    /// The first `limit` rows of a row group, or all.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn new(group: RowGroup, limit: Option<usize>) -> Result<Self> {
        let places: Vec<usize> = group.scanned.needed().into_iter().collect();
        group.reserve(&group.streamed_ranges(&places)?)?;
        let stream = group.stream(&places, group.selection.clone(), limit)?;
        Ok(StreamedGroup { group, places, stream, given: 0 })
    }

    /// The next rows.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn next(&mut self) -> Result<Option<RowGroup>> {
        let group = &self.group;
        let read = self.stream.try_next().await.map_err(|error| group.damaged(error.into()))?;
        let Some(read) = read else { return Ok(None) };
        let mut columns = BTreeMap::new();
        for place in &self.places {
            if let InFile::Values(values) = group.open.column(*place)? {
                columns.insert(*place, Values::All(values.evaluate(&group.open, &read)?));
            }
        }
        let numbers = RowNumbers { selected: group.numbers.selected.clone(), before: self.given };
        self.given += read.num_rows();
        let group = &self.group;
        Ok(Some(RowGroup {
            numbers,
            scanned: group.scanned.clone(),
            open: group.open.clone(),
            group: group.group,
            rows: read.num_rows(),
            selection: None,
            columns,
            fetched: ChunkBytes::default(),
            survivors: group.survivors.clone(),
            reservation: group.reservation.new_empty(),
            permit: None,
        }))
    }
}
