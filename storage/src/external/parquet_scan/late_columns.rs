//! Columns that are read of the rows alone that are left in the end.
//!
//! `SELECT * … ORDER BY a LIMIT 10` needs of most rows nothing but `a`. The scan gives it with the address of each row, and when
//! it is known which rows are the first ten, the other columns are read of those.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::compute::{concat, concat_batches, interleave};
use arrow::datatypes::{Schema, SchemaRef, UInt64Type};
use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{EquivalenceProperties, LexOrdering, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, SendableRecordBatchStream,
};
use futures::{StreamExt, TryStreamExt, stream};

use super::super::footers::Tails;
use super::ParquetScanExec;
use super::addresses::Address;
use super::open_file::{OpenFile, constants};
use super::row_group::RowGroup;
use super::scanned::Scanned;
use crate::column_cache::BATCH_ROWS;
use crate::scan::filtered_rows::{Decided, Piece, Wanted};
use crate::scan::late_columns::LateRead;

/// Row groups of which columns are read at the same time.
const ROW_GROUPS_PARALLEL: usize = 16;

/// Reads columns of rows, by their addresses.
#[derive(Debug, Clone)]
pub(crate) struct LateColumns {
    /// What the scan would have given, had it read all columns.
    scanned: Arc<Scanned>,
    files: Arc<[PartitionedFile]>,
    /// The places in what comes out of the columns that have been read already, in their order.
    kept: Vec<usize>,
    /// Those of the others.
    late: Vec<usize>,
}

/// A scan that gives the columns that are `kept`, and addresses, and what reads the others; `None` if the node is no scan that
/// can do so.
///
/// # Errors
/// None but bugs.
pub(crate) fn split(node: &dyn ExecutionPlan, kept: &[usize]) -> Result<Option<(Arc<dyn ExecutionPlan>, LateColumns)>> {
    let Some(scan) = node.downcast_ref::<ParquetScanExec>() else { return Ok(None) };
    let scanned = &scan.scanned;
    if scanned.fetch.is_some() || scanned.address.is_some() || scanned.bounds.is_some() {
        return Ok(None);
    }
    let late: Vec<usize> = (0..scanned.output.len()).filter(|place| !kept.contains(place)).collect();
    let mut early = Scanned::clone(scanned);
    early.output = kept.iter().map(|place| scanned.output[*place]).collect();
    let address = Address::add_to(&mut early.columns);
    early.output.extend([address.group, address.row]);
    early.address = Some(address);
    let address_fields = [address.group, address.row].map(|place| early.columns.schema().field(place).clone().into());
    let fields = kept.iter().map(|place| scanned.schema.fields()[*place].clone()).chain(address_fields);
    early.schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let output = late.iter().map(|place| scanned.output[*place]).collect();
    let of_late =
        Scanned { output, conditions: Vec::new(), excluding: Vec::new(), reads_few: true, ..Scanned::clone(scanned) };
    let columns = LateColumns { scanned: Arc::new(of_late), files: scan.files.clone(), kept: kept.to_vec(), late };
    Ok(Some((Arc::new(scan.with(early)), columns)))
}

impl LateColumns {
    /// All columns of some rows, of which there are those that were read, and addresses.
    async fn read(&self, rows: &RecordBatch, memory: &Arc<dyn MemoryPool>) -> Result<Vec<ArrayRef>> {
        let address = |place: usize| {
            let column = rows.column(self.kept.len() + place).as_primitive_opt::<UInt64Type>();
            column.ok_or_else(|| DataFusionError::Internal("rows have no addresses".to_owned()))
        };
        let (groups, numbers) = (address(0)?, address(1)?);
        let mut wanted: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        for (group, number) in groups.values().iter().zip(numbers.values()) {
            wanted.entry(*group).or_default().push(*number);
        }
        wanted.values_mut().for_each(|numbers| numbers.sort_unstable());
        let mut reads = Vec::with_capacity(wanted.len());
        for (group, numbers) in &wanted {
            reads.push(self.read_group(*group, numbers, memory));
        }
        let read: Vec<Vec<ArrayRef>> = stream::iter(reads).buffered(ROW_GROUPS_PARALLEL).try_collect().await?;
        let places: BTreeMap<u64, (usize, &Vec<u64>)> =
            wanted.iter().enumerate().map(|(place, (group, numbers))| (*group, (place, numbers))).collect();
        let found = |(group, number): (&u64, &u64)| {
            let (place, numbers) = places.get(group)?;
            Some((*place, numbers.binary_search(number).ok()?))
        };
        let found = groups.values().iter().zip(numbers.values()).map(found).collect::<Option<Vec<_>>>();
        let found = found.ok_or_else(|| DataFusionError::Internal("a row has not been read".to_owned()))?;
        (0..self.late.len())
            .map(|column| {
                let of_groups: Vec<&dyn Array> = read.iter().map(|columns| columns[column].as_ref()).collect();
                Ok(interleave(&of_groups, &found)?)
            })
            .collect()
    }

    /// The late columns of rows of a row group, in their order.
    async fn read_group(&self, address: u64, rows: &[u64], memory: &Arc<dyn MemoryPool>) -> Result<Vec<ArrayRef>> {
        let (file, group) = Address::place(address);
        let file = self.files.get(file).ok_or_else(|| DataFusionError::Internal("a row is of no file".to_owned()))?;
        let scanned = &self.scanned;
        let constants = constants(scanned, file);
        let pinned = scanned.pinned(file);
        let footer = scanned.reading.footers.footer(&pinned, Tails::default().expected(&pinned)).await?;
        let has_index = footer.row_group(group).columns().iter().any(|it| it.offset_index_offset().is_some());
        let footer = match has_index {
            true => scanned.reading.footers.with_page_index(&pinned, &footer).await?,
            false => footer,
        };
        let open = Arc::new(OpenFile::new(scanned, pinned, footer, &constants)?);
        let reservation = MemoryConsumer::new("external scan").register(memory);
        let mut piece = RowGroup::new(scanned.clone(), open, group, None, Arc::default(), reservation);
        let decided = chosen(rows, piece.rows());
        piece.load(&scanned.output, Some(&Wanted::new(&decided))).await?;
        let values = |place: &usize| {
            let of_batches = decided.iter().filter(|(_, left)| left.as_ref().is_some_and(|left| left.true_count() > 0));
            let values = of_batches.map(|(range, left)| piece.values(*place, range, left.as_ref()));
            let values = values.collect::<Result<Vec<_>>>()?;
            let values: Vec<&dyn Array> = values.iter().map(AsRef::as_ref).collect();
            Ok(concat(&values)?)
        };
        scanned.output.iter().map(values).collect()
    }

    /// An order of what was read first, as one of what comes out.
    fn moved(&self, ordering: &LexOrdering) -> Option<LexOrdering> {
        let column = |expr: Arc<dyn PhysicalExpr>| {
            let Some(column) = expr.downcast_ref::<Column>() else { return Ok(Transformed::no(expr)) };
            let place = self.kept.get(column.index());
            let place = place.ok_or_else(|| DataFusionError::Internal(format!("{column} is not kept")))?;
            Ok(Transformed::yes(Arc::new(Column::new(column.name(), *place)) as Arc<dyn PhysicalExpr>))
        };
        let key = |key: &PhysicalSortExpr| {
            let expr = key.expr.clone().transform_up(column).data().ok()?;
            Some(PhysicalSortExpr { expr, options: key.options })
        };
        LexOrdering::new(ordering.iter().map_while(key))
    }

    /// The columns of what comes out: those that were there, and those that were read.
    fn put_together(&self, rows: &RecordBatch, late: Vec<ArrayRef>, schema: &SchemaRef) -> Result<RecordBatch> {
        let mut columns: BTreeMap<usize, ArrayRef> = self.late.iter().copied().zip(late).collect();
        columns.extend(self.kept.iter().enumerate().map(|(place, kept)| (*kept, rows.column(place).clone())));
        Ok(RecordBatch::try_new(schema.clone(), columns.into_values().collect())?)
    }
}

/// Rows of a row group by [`BATCH_ROWS`].
fn chosen(rows: &[u64], count: usize) -> VecDeque<Decided> {
    let mut left = vec![false; count];
    for row in rows {
        if let Some(left) = usize::try_from(*row).ok().and_then(|row| left.get_mut(row)) {
            *left = true;
        }
    }
    let batch = |start: usize| -> (Range<usize>, Option<BooleanArray>) {
        let range = start..count.min(start + BATCH_ROWS);
        (range.clone(), Some(BooleanArray::from(left[range].to_vec())))
    };
    (0..count).step_by(BATCH_ROWS).map(batch).collect()
}

/// Reads columns of the rows of its input, all of which it takes before it does so: there are few.
#[derive(Debug)]
pub(crate) struct LateColumnsExec {
    input: Arc<dyn ExecutionPlan>,
    columns: LateColumns,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl LateColumnsExec {
    /// The rows of a plan, over what [`split`] has made, in one partition, with all columns.
    pub fn new(input: Arc<dyn ExecutionPlan>, columns: LateColumns, schema: SchemaRef) -> Self {
        let properties = input.properties();
        let ordering = properties.output_ordering().and_then(|ordering| columns.moved(ordering));
        let properties = PlanProperties::new(
            EquivalenceProperties::new_with_orderings(schema, ordering),
            properties.output_partitioning().clone(),
            properties.emission_type,
            properties.boundedness,
        );
        LateColumnsExec { input, columns, properties: Arc::new(properties), metrics: ExecutionPlanMetricsSet::new() }
    }

    /// What it does.
    pub fn read(&self) -> LateRead {
        let LateColumns { scanned, kept, .. } = &self.columns;
        let place_of = |column: usize| kept.iter().position(|kept| *kept == column);
        LateRead {
            name: scanned.alias.as_deref().unwrap_or(&scanned.table.name.name).to_owned(),
            places: (0..self.schema().fields().len()).map(place_of).collect(),
        }
    }
}

impl DisplayAs for LateColumnsExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schema = self.schema();
        let names: Vec<_> = self.columns.late.iter().map(|place| schema.field(*place).name().as_str()).collect();
        write!(f, "LateColumnsExec: table={}, columns=[{}]", self.columns.scanned.table.name, names.join(", "))
    }
}

impl ExecutionPlan for LateColumnsExec {
    fn name(&self) -> &'static str {
        "LateColumnsExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        let input = children.into_iter().next().unwrap_or_else(|| self.input.clone());
        Ok(Arc::new(LateColumnsExec::new(input, self.columns.clone(), self.schema())))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = self.input.execute(partition, context.clone())?;
        let (columns, schema) = (self.columns.clone(), self.schema());
        let baseline = BaselineMetrics::new(&self.metrics, partition);
        let read = async move {
            let input_schema = input.schema();
            let rows: Vec<RecordBatch> = input.try_collect().await?;
            let rows = concat_batches(&input_schema, &rows)?;
            if rows.num_rows() == 0 {
                return Ok(RecordBatch::new_empty(schema));
            }
            let late = columns.read(&rows, context.memory_pool()).await?;
            let rows = columns.put_together(&rows, late, &schema)?;
            baseline.record_output(rows.num_rows());
            Ok(rows)
        };
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), stream::once(read))))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}
