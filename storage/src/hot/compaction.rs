//! Compaction: inline rows, small segments and segments with many deleted rows become segments of the usual size.
//!
//! It is a commit like any other, except that it never stands in anybody's way: rows that are deleted while it reads are
//! deleted from what it writes, and who knows a row by its old address still finds it. When a unit is rewritten or
//! dropped by somebody else in between, the commit is refused and what was written is removed.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow::compute::filter_record_batch;
use arrow::datatypes::SchemaRef;
use catalog::rows::{NewPlaces, ReplacedUnit, RowSet, Segment, SegmentFile};
use catalog::{Catalog, CatalogChange, CatalogSnapshot, HotTable, Oid, Relation, TableRows, UnitId};
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use tracing::{debug, info};

use super::representation;
use super::rows::{missing_at_rest, stored_schema};
use super::segments::{NewSegment, Segments};
use super::sort_key::{in_order, order, sort_key};
use crate::column_cache::BATCH_ROWS;

/// Inline rows of a table from which on they are worth a segment.
const INLINE_ROWS_MIN: u64 = 2 * catalog::rows::BLOCK_ROWS as u64;
/// Segments with fewer rows than this are small.
const SMALL_SEGMENT_ROWS: u32 = 8 * catalog::rows::BLOCK_ROWS;
/// Small segments of a table that are made into one.
const SMALL_SEGMENTS_MIN: usize = 8;
/// Of so many rows of a segment one must be deleted for it to be rewritten.
const DELETED_ONE_IN: u64 = 5;
/// Bytes after which a segment is ended and another begun.
const SEGMENT_BYTES_MAX: u64 = 256 << 20;
/// Rows of the units that are rewritten at once; it bounds what is remembered of their addresses.
const ROWS_AT_ONCE_MAX: u64 = 64 << 20;
/// Bytes of rows of a table with a sort key that are sorted at once; each time they are a segment.
const SORTED_BYTES_MAX: usize = 128 << 20;

/// Which units are rewritten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thoroughness {
    /// Those for which it pays.
    Worthwhile,
    /// All that are not a segment without deleted rows.
    Complete,
}

/// Compacts a table. Whether anything was rewritten.
///
/// # Errors
/// A segment cannot be read or written, or the commit cannot be made.
pub async fn compact(
    catalog: &Catalog,
    segments: &Arc<Segments>,
    table: Oid,
    thoroughness: Thoroughness,
) -> Result<bool> {
    let chosen = chosen(&catalog.snapshot().rows(table), thoroughness);
    if chosen.is_empty() {
        return Ok(false);
    }
    // What is rewritten must not grow.
    let seal = catalog.commit(vec![CatalogChange::SealRows { table }]).await;
    let Some(snapshot) = unless_overtaken(table, seal)? else { return Ok(false) };
    let Some(Relation::Hot(definition)) = snapshot.relation_by_oid(table).cloned() else { return Ok(false) };
    let change = rewrite(definition, &snapshot.rows(table), chosen, segments).await?;
    let committed = unless_overtaken(table, catalog.commit(vec![change]).await)?;
    if committed.is_some() {
        info!(table = table.0, "table compacted");
    }
    Ok(committed.is_some())
}

/// What a commit of compaction has come to: nothing, when the table or what is rewritten of it is not there any more.
fn unless_overtaken(
    table: Oid,
    committed: catalog::Result<Arc<CatalogSnapshot>>,
) -> Result<Option<Arc<CatalogSnapshot>>> {
    match committed {
        Ok(snapshot) => Ok(Some(snapshot)),
        Err(error @ (catalog::Error::RowChangedConcurrently { .. } | catalog::Error::ChangedConcurrently { .. })) => {
            debug!(table = table.0, %error, "compaction was overtaken");
            Ok(None)
        }
        Err(error) => Err(DataFusionError::External(Box::new(error))),
    }
}

/// What compacts a table that nobody changes meanwhile, once it is committed; nothing when there is nothing to do.
///
/// # Errors
/// A segment cannot be read or written.
pub async fn rewritten(
    table: Arc<HotTable>,
    rows: &TableRows,
    segments: &Arc<Segments>,
    thoroughness: Thoroughness,
) -> Result<Option<CatalogChange>> {
    match chosen(rows, thoroughness) {
        chosen if chosen.is_empty() => Ok(None),
        chosen => rewrite(table, rows, chosen, segments).await.map(Some),
    }
}

/// Writes what units have become, and says so.
async fn rewrite(
    table: Arc<HotTable>,
    rows: &TableRows,
    units: Vec<UnitId>,
    segments: &Arc<Segments>,
) -> Result<CatalogChange> {
    let oid = table.oid;
    let mut rewriting = Rewriting::new(table, segments.clone());
    for unit in units {
        rewriting.add(rows, unit).await?;
    }
    let (replaced, segments) = rewriting.finish()?;
    debug!(table = oid.0, units = replaced.len(), files = segments.len(), "rows rewritten");
    Ok(CatalogChange::RewriteRows { table: oid, replaced, segments })
}

/// The units to be rewritten, oldest first.
fn chosen(rows: &TableRows, thoroughness: Thoroughness) -> Vec<UnitId> {
    let complete = thoroughness == Thoroughness::Complete;
    let deleted = |unit| rows.deleted(unit).map_or(0, RowSet::len);
    let small = rows.segments().filter(|(_, segment)| segment.file.rows < SMALL_SEGMENT_ROWS).count();
    let many_small = small >= SMALL_SEGMENTS_MIN || complete && small > 1;
    let segments = rows.segments().filter(|(unit, segment)| {
        let gone = deleted(*unit);
        let holes = gone * DELETED_ONE_IN >= u64::from(segment.file.rows) || complete && gone > 0;
        holes || many_small && segment.file.rows < SMALL_SEGMENT_ROWS
    });
    let mut units: Vec<_> = segments.map(|(unit, segment)| (unit, segment.file.rows)).collect();
    let inline: u64 = rows.inline_units().map(|unit| u64::from(unit.rows())).sum();
    if inline >= INLINE_ROWS_MIN || complete && inline > 0 {
        units.extend(rows.inline_units().map(|unit| (unit.unit, unit.rows())));
    }
    let mut total = 0;
    let fits = |(_, rows): &(UnitId, u32)| {
        total += u64::from(*rows);
        total <= ROWS_AT_ONCE_MAX
    };
    units.into_iter().take_while(fits).map(|(unit, _)| unit).collect()
}

/// New segments with the rows of old units.
struct Rewriting {
    table: Arc<HotTable>,
    segments: Arc<Segments>,
    schema: SchemaRef,
    sort_key: Vec<usize>,
    units: Vec<Rewritten>,
    /// Rows that are going to be sorted.
    run: Vec<RecordBatch>,
    /// Of each batch of the run, where its rows were.
    origins: Vec<Origin>,
    run_bytes: usize,
    current: Option<NewSegment>,
    finished: Vec<Arc<Segment>>,
}

/// A unit, and where its rows are now.
struct Rewritten {
    unit: UnitId,
    deleted: RowSet,
    places: NewPlaces,
}

/// Where rows were: in which of the units, and at which positions.
struct Origin {
    unit: usize,
    rows: Vec<u32>,
}

impl Rewriting {
    fn new(table: Arc<HotTable>, segments: Arc<Segments>) -> Self {
        let (schema, sort_key) = (stored_schema(&table), sort_key(&table));
        Rewriting {
            table,
            segments,
            schema,
            sort_key,
            units: Vec::new(),
            run: Vec::new(),
            origins: Vec::new(),
            run_bytes: 0,
            current: None,
            finished: Vec::new(),
        }
    }

    async fn add(&mut self, rows: &TableRows, unit: UnitId) -> Result<()> {
        let deleted = rows.deleted(unit).cloned().unwrap_or_default();
        if let Some(inline) = rows.inline_unit(unit) {
            self.units.push(Rewritten { unit, deleted, places: NewPlaces::none(inline.rows()) });
            for (first_row, batch) in inline.batches() {
                let columns = self.schema.fields().iter().map(|field| batch.column_by_name(field.name()).cloned());
                let stored = self.stored(columns.collect(), batch.num_rows())?;
                self.write(&stored, first_row)?;
                // Others get their turn.
                tokio::task::yield_now().await;
            }
        } else if let Some(segment) = rows.segment(unit) {
            self.units.push(Rewritten { unit, deleted, places: NewPlaces::none(segment.file.rows) });
            let groups = self.segments.details(&segment.file).map_err(external)?.first_rows();
            for (group, first_row) in groups.into_iter().enumerate() {
                let read = row_group(self.segments.clone(), segment.file.clone(), self.schema.clone(), group);
                let (columns, rows) = read.await?;
                for (batch, first) in (0..rows).step_by(BATCH_ROWS).enumerate() {
                    let columns = columns.iter().map(|column| column.as_ref().map(|batches| batches[batch].clone()));
                    let stored = self.stored(columns.collect(), BATCH_ROWS.min(rows - first))?;
                    self.write(&stored, first_row + first as u32)?;
                }
                // Others get their turn.
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }

    /// Rows with the columns that the table has now.
    fn stored(&self, columns: Vec<Option<ArrayRef>>, rows: usize) -> Result<RecordBatch> {
        let fields = self.schema.fields().iter().zip(&self.table.columns);
        let columns = fields.zip(columns).map(|((field, definition), column)| match column {
            Some(column) => representation::convert(&column, field.data_type()),
            None => missing_at_rest(definition, rows),
        });
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(self.schema.clone(), columns.collect::<Result<_, _>>()?, &options)?)
    }

    /// Takes rows that begin at `first_row` of the last unit, without the deleted ones.
    fn write(&mut self, stored: &RecordBatch, first_row: u32) -> Result<()> {
        let unit = self.units.len() - 1;
        let deleted = &self.units[unit].deleted;
        let all = first_row..first_row + stored.num_rows() as u32;
        let kept: BooleanArray = all.clone().map(|row| Some(!deleted.contains(row))).collect();
        let rows = filter_record_batch(stored, &kept)?;
        if rows.num_rows() == 0 {
            return Ok(());
        }
        let origin = Origin { unit, rows: all.filter(|row| !deleted.contains(*row)).collect() };
        if self.sort_key.is_empty() {
            return self.append(&rows, origin.rows.iter().map(|row| (unit, *row)));
        }
        self.run_bytes += rows.get_array_memory_size();
        self.run.push(rows);
        self.origins.push(origin);
        if self.run_bytes > SORTED_BYTES_MAX {
            self.end_run()?;
        }
        Ok(())
    }

    /// Sorts the rows that wait and makes a segment of them.
    fn end_run(&mut self) -> Result<()> {
        let (run, origins) = (std::mem::take(&mut self.run), std::mem::take(&mut self.origins));
        self.run_bytes = 0;
        let order = order(&run, &self.sort_key)?;
        for places in order.chunks(BATCH_ROWS) {
            let rows = in_order(&run, places)?;
            self.append(&rows, places.iter().map(|(batch, row)| (origins[*batch].unit, origins[*batch].rows[*row])))?;
        }
        self.end_segment()
    }

    /// Writes rows, and notes where they are of those that were there.
    fn append(&mut self, rows: &RecordBatch, origins: impl Iterator<Item = (usize, u32)>) -> Result<()> {
        if self.current.as_ref().is_some_and(|segment| segment.bytes() >= SEGMENT_BYTES_MAX) {
            self.end_segment()?;
        }
        let segment = match &mut self.current {
            Some(segment) => segment,
            None => self.current.insert(self.segments.create_for(&self.table, self.schema.clone())?),
        };
        let number = self.finished.len() as u32;
        for (new_row, (unit, row)) in (segment.rows() as u32..).zip(origins) {
            self.units[unit].places.set(row, number, new_row);
        }
        segment.write(rows)
    }

    fn end_segment(&mut self) -> Result<()> {
        if let Some(segment) = self.current.take() {
            self.finished.push(self.segments.finish(segment)?);
        }
        Ok(())
    }

    fn finish(mut self) -> Result<(Vec<ReplacedUnit>, Vec<Arc<Segment>>)> {
        if !self.run.is_empty() {
            self.end_run()?;
        }
        self.end_segment()?;
        let replaced = self.units.into_iter().map(|Rewritten { unit, deleted, places }| ReplacedUnit {
            unit,
            deleted,
            places: Arc::new(places),
        });
        Ok((replaced.collect(), self.finished))
    }
}

/// The columns of a row group in batches, and how many rows it has. They are not kept in memory: they are read for the last time.
async fn row_group(
    segments: Arc<Segments>,
    file: SegmentFile,
    schema: SchemaRef,
    group: usize,
) -> Result<(Vec<Option<Vec<ArrayRef>>>, usize)> {
    let read = move || {
        let reader = segments.reader(&file).map_err(external)?;
        let column = |name: &String| reader.column(group, name).map_err(external);
        let columns = schema.fields().iter().map(|field| column(field.name())).collect::<Result<_>>()?;
        Ok((columns, reader.details().rows.value(group) as usize))
    };
    let read = tokio::task::spawn_blocking(read).await;
    read.map_err(|error| DataFusionError::External(Box::new(error)))?
}

fn external(error: crate::Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
