//! The scan of a hot table: its rows in one snapshot, less the deleted ones.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions, UInt32Array, UInt64Array, new_null_array};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use catalog::rows::Segment;
use catalog::{HotTable, RowSet, TableRows, UnitId};
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, Statistics};
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::coop::make_cooperative;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, SchedulingType};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties, SendableRecordBatchStream,
};
use futures::stream;

use super::rows;
use super::segments::Segments;
use super::segments::details::SegmentDetails;

/// The name of the column with a row's unit, for those who change rows: no column of a table can be called so.
pub const UNIT_COLUMN: &str = "\0unit";
/// The name of the column with a row's position in its unit.
pub const ROW_COLUMN: &str = "\0row";

/// The columns that make up the address of a row.
pub fn address_fields() -> [Field; 2] {
    [Field::new(UNIT_COLUMN, DataType::UInt64, false), Field::new(ROW_COLUMN, DataType::UInt32, false)]
}

/// A column of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ScanColumn {
    /// One of the table's, by position.
    Table(usize),
    Unit,
    Row,
}

/// Rows that are together.
#[derive(Debug, Clone)]
struct Piece {
    unit: UnitId,
    first_row: u32,
    rows: usize,
    place: Place,
}

/// Where the rows of a piece are.
#[derive(Debug, Clone)]
enum Place {
    /// In memory, at rest.
    Inline(RecordBatch),
    /// In a row group of a file.
    RowGroup(Arc<Segment>, usize),
}

/// Scans a hot table.
#[derive(Debug)]
pub struct HotScanExec {
    table: Arc<HotTable>,
    rows: Arc<TableRows>,
    segments: Arc<Segments>,
    columns: Arc<[ScanColumn]>,
    schema: SchemaRef,
    /// Of each partition, what it reads; in the order of the rows.
    partitions: Vec<Arc<[Piece]>>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl HotScanExec {
    /// A scan of the columns in `projection`, by position: the table's, then the two of the address.
    ///
    /// # Errors
    /// What is known of a segment cannot be read.
    pub fn new(
        table: Arc<HotTable>,
        rows: Arc<TableRows>,
        segments: Arc<Segments>,
        projection: &[usize],
        partitions_max: usize,
    ) -> Result<Self> {
        let count = table.columns.len();
        let column = |place: &usize| match place.checked_sub(count) {
            None => ScanColumn::Table(*place),
            Some(0) => ScanColumn::Unit,
            Some(_) => ScanColumn::Row,
        };
        let columns: Arc<[ScanColumn]> = projection.iter().map(column).collect();
        let schema = scan_schema(&table, &columns);
        let partitions = partitions(pieces(&rows)?, partitions_max);
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema.clone()),
            Partitioning::UnknownPartitioning(partitions.len()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        let properties = Arc::new(properties.with_scheduling_type(SchedulingType::Cooperative));
        let metrics = ExecutionPlanMetricsSet::new();
        Ok(HotScanExec { table, rows, segments, columns, schema, partitions, properties, metrics })
    }
}

fn scan_schema(table: &HotTable, columns: &[ScanColumn]) -> SchemaRef {
    let full = table.arrow_schema();
    let [unit, row] = address_fields().map(Arc::new);
    let field = |column: &ScanColumn| match column {
        ScanColumn::Table(place) => full.fields()[*place].clone(),
        ScanColumn::Unit => unit.clone(),
        ScanColumn::Row => row.clone(),
    };
    Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()))
}

/// All rows, segments first: they are older.
fn pieces(rows: &TableRows) -> Result<Vec<Piece>> {
    let mut pieces = Vec::new();
    for (unit, segment) in rows.segments() {
        let details = SegmentDetails::decode(segment.file.details.clone())?;
        let groups = details.first_rows().into_iter().zip(details.rows.values()).enumerate();
        pieces.extend(groups.map(|(group, (first_row, rows))| Piece {
            unit,
            first_row,
            rows: *rows as usize,
            place: Place::RowGroup(segment.clone(), group),
        }));
    }
    for unit in rows.inline_units() {
        pieces.extend(unit.batches().map(|(first_row, rows)| Piece {
            unit: unit.unit,
            first_row,
            rows: rows.num_rows(),
            place: Place::Inline(rows.clone()),
        }));
    }
    Ok(pieces)
}

/// The rows in parts of about the same size, each of neighbours, so that rows in one part keep their order.
fn partitions(pieces: Vec<Piece>, partitions_max: usize) -> Vec<Arc<[Piece]>> {
    let total: usize = pieces.iter().map(|piece| piece.rows).sum();
    let share = total.div_ceil(partitions_max.max(1)).max(1);
    let mut partitions = Vec::new();
    let (mut current, mut current_rows) = (Vec::new(), 0);
    for piece in pieces {
        current_rows += piece.rows;
        current.push(piece);
        if current_rows >= share {
            partitions.push(std::mem::take(&mut current).into());
            current_rows = 0;
        }
    }
    if !current.is_empty() || partitions.is_empty() {
        partitions.push(current.into());
    }
    partitions
}

impl DisplayAs for HotScanExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns: Vec<_> = self.schema.fields().iter().map(|field| field.name().as_str()).collect();
        write!(f, "HotScanExec: table={}, columns=[{}]", self.table.name, columns.join(", "))
    }
}

impl ExecutionPlan for HotScanExec {
    fn name(&self) -> &'static str {
        "HotScanExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![]
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, _children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let scan = PartitionScan {
            table: self.table.clone(),
            rows: self.rows.clone(),
            segments: self.segments.clone(),
            columns: self.columns.clone(),
            schema: self.schema.clone(),
            pieces: self.partitions.get(partition).cloned().unwrap_or_default(),
            next_piece: 0,
            current: None,
            batch_rows: context.session_config().batch_size(),
            metrics: BaselineMetrics::new(&self.metrics, partition),
        };
        let batches = stream::try_unfold(scan, |mut scan| async move {
            let batch = scan.next_batch().await?;
            Ok::<_, DataFusionError>(batch.map(|batch| (batch, scan)))
        });
        Ok(make_cooperative(Box::pin(RecordBatchStreamAdapter::new(self.schema.clone(), batches))))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn partition_statistics(&self, partition: Option<usize>) -> Result<Arc<Statistics>> {
        let mut statistics = Statistics::new_unknown(&self.schema);
        if partition.is_none() {
            statistics.num_rows = Precision::Exact(self.rows.rows() as usize);
        }
        Ok(Arc::new(statistics))
    }
}

/// The batches of one partition, one after the other.
struct PartitionScan {
    table: Arc<HotTable>,
    rows: Arc<TableRows>,
    segments: Arc<Segments>,
    columns: Arc<[ScanColumn]>,
    schema: SchemaRef,
    pieces: Arc<[Piece]>,
    next_piece: usize,
    current: Option<OpenPiece>,
    batch_rows: usize,
    metrics: BaselineMetrics,
}

/// A piece whose columns are in hand.
struct OpenPiece {
    piece: Piece,
    /// Of each column of the scan that is one of the table's: its values for all rows of the piece, at rest if the piece
    /// is inline.
    columns: Vec<Option<ArrayRef>>,
    next_row: usize,
}

impl PartitionScan {
    async fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(batch) = self.rest_of_piece()? {
                self.metrics.record_output(batch.num_rows());
                return Ok(Some(batch));
            }
            let Some(piece) = self.pieces.get(self.next_piece).cloned() else { return Ok(None) };
            self.next_piece += 1;
            if self.count_deleted(&piece) < piece.rows as u64 {
                self.current = Some(self.open(piece).await?);
            }
        }
    }

    fn count_deleted(&self, piece: &Piece) -> u64 {
        let deleted = self.rows.deleted(piece.unit);
        deleted.map_or(0, |deleted| deleted.count_in(piece.first_row, piece.rows as u32))
    }

    async fn open(&self, piece: Piece) -> Result<OpenPiece> {
        let mut columns = Vec::with_capacity(self.columns.len());
        for column in self.columns.iter() {
            columns.push(match (column, &piece.place) {
                (ScanColumn::Table(place), Place::Inline(rows)) => {
                    rows.column_by_name(&self.table.columns[*place].stored_name()).cloned()
                }
                (ScanColumn::Table(place), Place::RowGroup(segment, group)) => {
                    let column = self.segments.column(&segment.file, *group, &self.table.columns[*place]).await;
                    Some(column.map_err(|error| DataFusionError::External(Box::new(error)))?)
                }
                (ScanColumn::Unit | ScanColumn::Row, _) => None,
            });
        }
        Ok(OpenPiece { piece, columns, next_row: 0 })
    }

    /// More rows of the piece that is open; `None` when there are no more.
    fn rest_of_piece(&mut self) -> Result<Option<RecordBatch>> {
        let timer = self.metrics.elapsed_compute().clone();
        let _timing = timer.timer();
        while let Some(mut open) = self.current.take() {
            let count = self.batch_rows.min(open.piece.rows - open.next_row);
            if count == 0 {
                break;
            }
            let batch = self.batch(&open, count)?;
            open.next_row += count;
            self.current = Some(open);
            if batch.num_rows() > 0 {
                return Ok(Some(batch));
            }
        }
        Ok(None)
    }

    /// The next `count` rows of a piece, without the deleted ones.
    fn batch(&self, open: &OpenPiece, count: usize) -> Result<RecordBatch> {
        let first_row = open.piece.first_row + open.next_row as u32;
        let columns = self.columns.iter().zip(&open.columns).map(|(column, values)| -> Result<ArrayRef> {
            Ok(match column {
                ScanColumn::Table(place) => {
                    let target = self.table.columns[*place].sql_type.in_flight();
                    match values {
                        Some(values) => rows::in_flight(&values.slice(open.next_row, count), &target)?,
                        None => new_null_array(&target, count),
                    }
                }
                ScanColumn::Unit => Arc::new(UInt64Array::from_value(open.piece.unit.0, count)),
                ScanColumn::Row => Arc::new(UInt32Array::from_iter_values(first_row..first_row + count as u32)),
            })
        });
        let options = RecordBatchOptions::new().with_row_count(Some(count));
        let columns = columns.collect::<Result<_>>()?;
        let batch = RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)?;
        match kept(self.rows.deleted(open.piece.unit), first_row, count as u32) {
            Some(kept) => Ok(filter_record_batch(&batch, &kept)?),
            None => Ok(batch),
        }
    }
}

/// Which of `count` rows from `first_row` on are not deleted; `None` when all are there.
fn kept(deleted: Option<&RowSet>, first_row: u32, count: u32) -> Option<BooleanArray> {
    let deleted = deleted.filter(|deleted| deleted.count_in(first_row, count) > 0)?;
    Some((first_row..first_row + count).map(|row| Some(!deleted.contains(row))).collect())
}

/// The addresses in the two last columns of a batch of a scan.
///
/// # Errors
/// The columns are not those of an address: a bug.
pub fn addresses(batch: &RecordBatch) -> Result<Vec<(UnitId, u32)>> {
    let wrong = || DataFusionError::Internal("rows to be changed have no addresses".to_owned());
    let [.., units, rows] = batch.columns() else { return Err(wrong()) };
    let units = units.as_any().downcast_ref::<UInt64Array>().ok_or_else(wrong)?;
    let rows = rows.as_any().downcast_ref::<UInt32Array>().ok_or_else(wrong)?;
    Ok(units.values().iter().zip(rows.values()).map(|(unit, row)| (UnitId(*unit), *row)).collect())
}
