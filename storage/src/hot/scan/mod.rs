//! The scan of a hot table: its rows in one snapshot, less the deleted ones and those that no condition wants.
//!
//! Conditions reach it when the plan is made, from filters, and again while the query runs, from joins and sorts that know
//! by then which rows they need. They are compared with the zone maps of row groups first; then evaluated on the columns
//! they have, so that the others are read for what is left alone.

mod estimate;
mod partition_scan;
mod pieces;
#[cfg(test)]
mod tests;
mod zone_maps;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, OnceLock};

use arrow::array::{RecordBatch, UInt32Array, UInt64Array};
use arrow::datatypes::{DataType, Field, FieldRef, Schema};
use catalog::{HotTable, TableRows, UnitId};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, Statistics};
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::coop::make_cooperative;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, SchedulingType};
use datafusion::physical_plan::filter_pushdown::{
    ChildPushdownResult, FilterPushdownPhase, FilterPushdownPropagation, PushedDown,
};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricBuilder, MetricsSet};
use datafusion::physical_plan::projection::{ProjectionExec, all_alias_free_columns};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties, SendableRecordBatchStream,
};
use futures::stream;

use self::partition_scan::{Scanned, SharedPieces};
use self::pieces::{Piece, Queue, pieces};
use self::zone_maps::ZoneMaps;
use super::segments::{Reading, Segments};
use crate::column_cache::BATCH_ROWS;
pub use crate::scan::conditions::MayFail;
use crate::scan::conditions::{Condition, can_evaluate, with_columns};
use crate::scan::filtered_rows::FilteredRows;
use crate::scan::fragment::ScanFragment;
use crate::scan::knowledge::Knowledge;
use crate::scan::runs::Runs;

/// The name of the column with a row's unit, for those who change rows: no column of a table can be called so.
pub const UNIT_COLUMN: &str = "\0unit";
/// The name of the column with a row's position in its unit.
pub const ROW_COLUMN: &str = "\0row";

/// The columns that make up the address of a row.
pub fn address_fields() -> [Field; 2] {
    [Field::new(UNIT_COLUMN, DataType::UInt64, false), Field::new(ROW_COLUMN, DataType::UInt32, false)]
}

/// Scans a hot table.
#[derive(Debug)]
pub struct HotScanExec {
    scanned: Arc<Scanned>,
    may_fail: MayFail,
    /// What is read.
    pieces: Arc<[Piece]>,
    /// How many row groups the conditions have excluded, and how many rows in them, when the plan was made.
    pruned: Pruned,
    partitions_max: usize,
    /// The partitions share the pieces out among them.
    runs: Runs<Queue>,
    properties: Arc<PlanProperties>,
    statistics: OnceLock<Arc<Statistics>>,
    metrics: ExecutionPlanMetricsSet,
}

#[derive(Debug, Clone, Copy, Default)]
struct Pruned {
    groups: usize,
    rows: usize,
}

impl HotScanExec {
    /// A scan of the columns in `projection`, by position: the table's, then the two of the address. A partition answers
    /// `fetch` rows at most.
    ///
    /// # Errors
    /// What is known of a segment cannot be read.
    pub fn new(
        table: Arc<HotTable>,
        rows: Arc<TableRows>,
        segments: Arc<Segments>,
        projection: &[usize],
        fetch: Option<usize>,
        partitions_max: usize,
        may_fail: MayFail,
    ) -> Result<Self> {
        let mut fields: Vec<FieldRef> = table.arrow_schema().fields().iter().cloned().collect();
        fields.extend(address_fields().map(Arc::new));
        let full_schema = Arc::new(Schema::new(fields));
        let schema = Arc::new(full_schema.project(projection)?);
        let pieces = pieces(&rows, &segments)?.into();
        let columns = projection.to_vec();
        let scanned = Scanned {
            table,
            alias: None,
            rows,
            segments,
            full_schema,
            columns,
            schema,
            conditions: Vec::new(),
            known: None,
            reading: Reading::Again,
            fetch,
        };
        Ok(Self::of(scanned, pieces, Pruned::default(), partitions_max, may_fail))
    }

    fn of(scanned: Scanned, pieces: Arc<[Piece]>, pruned: Pruned, partitions_max: usize, may_fail: MayFail) -> Self {
        // A partition for less than a batch costs more than it is worth.
        let rows: usize = pieces.iter().map(|piece| piece.rows).sum();
        let partitions = partitions_max.min(pieces.len()).min(rows.div_ceil(BATCH_ROWS)).max(1);
        let properties = PlanProperties::new(
            EquivalenceProperties::new(scanned.schema.clone()),
            Partitioning::UnknownPartitioning(partitions),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        HotScanExec {
            scanned: Arc::new(scanned),
            may_fail,
            pruned,
            partitions_max,
            runs: Runs::new(partitions),
            properties: Arc::new(properties.with_scheduling_type(SchedulingType::Cooperative)),
            statistics: OnceLock::new(),
            metrics: ExecutionPlanMetricsSet::new(),
            pieces,
        }
    }

    /// The scan, with what ANALYZE has found out about the table.
    #[must_use]
    pub fn with_knowledge(mut self, known: Option<Knowledge>) -> Self {
        Arc::make_mut(&mut self.scanned).known = known;
        self.statistics = OnceLock::new();
        self
    }

    /// The scan of a table that the query calls otherwise.
    #[must_use]
    pub fn with_alias(mut self, alias: Option<Arc<str>>) -> Self {
        Arc::make_mut(&mut self.scanned).alias = alias;
        self
    }

    /// The scan of rows that are not likely to be wanted again.
    #[must_use]
    pub fn once(mut self) -> Self {
        Arc::make_mut(&mut self.scanned).reading = Reading::Once;
        self
    }

    /// The scan, with something about it changed that its pieces do not depend on.
    fn with(&self, change: impl FnOnce(&mut Scanned) -> Result<()>) -> Result<Self> {
        let mut scanned = Scanned::clone(&self.scanned);
        change(&mut scanned)?;
        Ok(Self::of(scanned, self.pieces.clone(), self.pruned, self.partitions_max, self.may_fail))
    }

    /// The scan with more conditions, on columns of the table and of the address. What they exclude by the zone maps is
    /// not read; hints are asked when the query runs, they know nothing yet.
    fn with_conditions(&self, more: Vec<Condition>) -> Self {
        let table = self.scanned.table.clone();
        let maps = ZoneMaps { table: &table, pieces: &self.pieces };
        let mut kept = vec![true; self.pieces.len()];
        for condition in more.iter().filter(|condition| !condition.is_hint) {
            let held = maps.may_hold(&condition.expr, &self.scanned.full_schema);
            kept.iter_mut().zip(held).for_each(|(kept, held)| *kept &= held);
        }
        let mut pruned = self.pruned;
        let mut pieces = Vec::with_capacity(self.pieces.len());
        for (piece, kept) in self.pieces.iter().zip(kept) {
            if kept {
                pieces.push(piece.clone());
            } else {
                pruned.groups += 1;
                pruned.rows += piece.rows;
            }
        }
        let mut scanned = Scanned::clone(&self.scanned);
        scanned.conditions.extend(more);
        Self::of(scanned, pieces.into(), pruned, self.partitions_max, self.may_fail)
    }

    /// The condition, on the columns of the scan, as one of the scan's; `None` if that cannot be.
    fn condition(&self, filter: &Arc<dyn PhysicalExpr>, is_hint: bool) -> Option<Condition> {
        if !can_evaluate(filter, self.may_fail) {
            return None;
        }
        let scanned = &self.scanned;
        let place = |index: usize| scanned.columns.get(index).copied();
        let filter = with_columns(filter.clone(), place, &scanned.full_schema).ok()?;
        Condition::new(filter, is_hint, &scanned.full_schema).ok()
    }

    /// What it does of a plan.
    pub fn fragment(&self) -> ScanFragment {
        let scanned = &self.scanned;
        let of_kind = |is_hint: bool| {
            let conditions = scanned.conditions.iter().filter(move |condition| condition.is_hint == is_hint);
            conditions.map(|condition| condition.expr.clone()).collect::<Vec<_>>()
        };
        let column = |place: &usize| {
            Arc::new(Column::new(scanned.full_schema.field(*place).name(), *place)) as Arc<dyn PhysicalExpr>
        };
        ScanFragment {
            table: scanned.table.name.clone(),
            alias: scanned.alias.clone(),
            format: None,
            columns: scanned.full_schema.clone(),
            output: scanned.columns.iter().map(column).collect(),
            conditions: of_kind(false),
            hints: of_kind(true),
            statistics: self.statistics_of_columns(),
            known: scanned.known.clone(),
            fetch: scanned.fetch,
            bounds: None,
            takes_conditions: true,
            row_groups: Some((self.pruned.groups, self.pruned.groups + self.pieces.len())),
            read: None,
        }
    }

    /// What is known of the rows before conditions look at them, and of the columns that anybody asks for.
    fn statistics_of_columns(&self) -> Statistics {
        let scanned = &self.scanned;
        let of_conditions = scanned.conditions.iter().flat_map(|condition| condition.columns.iter());
        let asked: BTreeSet<usize> = scanned.columns.iter().chain(of_conditions).copied().collect();
        let columns: Vec<usize> = asked.into_iter().collect();
        let estimate =
            estimate::Estimate { table: &scanned.table, pieces: &self.pieces, known: scanned.known.as_ref() };
        let known = scanned.full_schema.project(&columns);
        let known = known.map_err(DataFusionError::from).and_then(|schema| estimate.of(&columns, &schema, false));
        let mut all = Statistics::new_unknown(&scanned.full_schema);
        if let Ok(known) = known {
            (all.num_rows, all.total_byte_size) = (known.num_rows, known.total_byte_size);
            for (place, column) in columns.into_iter().zip(known.column_statistics) {
                all.column_statistics[place] = column;
            }
        }
        all
    }

    /// What is known of its rows.
    ///
    /// # Errors
    /// The bounds of its columns cannot be told: a bug.
    pub fn estimate(&self) -> Result<Arc<Statistics>> {
        if let Some(known) = self.statistics.get() {
            return Ok(known.clone());
        }
        let scanned = &self.scanned;
        let has_conditions = !scanned.conditions.is_empty();
        let statistics =
            estimate::Estimate { table: &scanned.table, pieces: &self.pieces, known: scanned.known.as_ref() };
        let statistics = statistics.of(&scanned.columns, &scanned.schema, has_conditions)?;
        let statistics = match scanned.fetch {
            Some(_) => statistics.with_fetch(scanned.fetch, 0, self.properties.partitioning.partition_count())?,
            None => statistics,
        };
        Ok(self.statistics.get_or_init(|| Arc::new(statistics)).clone())
    }
}

impl DisplayAs for HotScanExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scanned = &self.scanned;
        let columns: Vec<_> = scanned.schema.fields().iter().map(|field| field.name().as_str()).collect();
        write!(f, "HotScanExec: table={}, columns=[{}]", scanned.table.name, columns.join(", "))?;
        if !scanned.conditions.is_empty() {
            let conditions: Vec<_> = scanned.conditions.iter().map(|condition| condition.expr.to_string()).collect();
            write!(f, ", conditions=[{}]", conditions.join(", "))?;
        }
        if let Some(fetch) = scanned.fetch {
            write!(f, ", fetch={fetch}")?;
        }
        if self.pruned.groups > 0 {
            write!(f, ", pruned={} of {}", self.pruned.groups, self.pruned.groups + self.pieces.len())?;
        }
        Ok(())
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
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        for condition in &self.scanned.conditions {
            if visit(&condition.expr)? == TreeNodeRecursion::Stop {
                return Ok(TreeNodeRecursion::Stop);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, _children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn reset_state(self: Arc<Self>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(self.with(|_| Ok(()))?))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        if partition == 0 {
            let count = |name, count| MetricBuilder::new(&self.metrics).counter(name, partition).add(count);
            count("row_groups_pruned", self.pruned.groups);
            count("rows_pruned", self.pruned.rows);
        }
        let queue = self.runs.begin(partition, || Queue::new(self.pieces.clone()));
        let pieces = SharedPieces::new(self.scanned.clone(), queue, partition, &self.metrics);
        let batch_rows = context.session_config().batch_size();
        let rows = FilteredRows::new(pieces, &self.scanned.asked(), partition, batch_rows, &self.metrics);
        let batches = stream::try_unfold((rows, self.scanned.clone()), |(mut rows, scanned)| async move {
            let batch = rows.next_batch(&scanned.asked()).await?;
            Ok::<_, DataFusionError>(batch.map(|batch| (batch, (rows, scanned))))
        });
        let schema = self.scanned.schema.clone();
        Ok(make_cooperative(Box::pin(RecordBatchStreamAdapter::new(schema, batches))))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn partition_statistics(&self, partition: Option<usize>) -> Result<Arc<Statistics>> {
        match partition {
            None => self.estimate(),
            // Which rows a partition gets shows when it runs.
            Some(_) => Ok(Arc::new(Statistics::new_unknown(&self.scanned.schema))),
        }
    }

    fn fetch(&self) -> Option<usize> {
        self.scanned.fetch
    }

    fn with_fetch(&self, fetch: Option<usize>) -> Option<Arc<dyn ExecutionPlan>> {
        let changed = self.with(|scanned| {
            scanned.fetch = fetch;
            Ok(())
        });
        Some(Arc::new(changed.ok()?))
    }

    fn try_swapping_with_projection(&self, projection: &ProjectionExec) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        if !all_alias_free_columns(projection.expr()) {
            return Ok(None);
        }
        let columns = projection.expr().iter().filter_map(|column| column.expr.downcast_ref::<Column>());
        let columns: Vec<usize> = columns.map(|column| self.scanned.columns[column.index()]).collect();
        let changed = self.with(|scanned| {
            scanned.schema = Arc::new(scanned.full_schema.project(&columns)?);
            scanned.columns = columns;
            Ok(())
        });
        Ok(Some(Arc::new(changed?)))
    }

    fn handle_child_pushdown_result(
        &self,
        phase: FilterPushdownPhase,
        result: ChildPushdownResult,
        _config: &ConfigOptions,
    ) -> Result<FilterPushdownPropagation<Arc<dyn ExecutionPlan>>> {
        // A limit counts the rows that are there before a filter above it looks at them.
        let takes = self.scanned.fetch.is_none();
        let is_hint = phase == FilterPushdownPhase::Post;
        let taken: Vec<Option<Condition>> = result
            .parent_filters
            .iter()
            .map(|filter| if takes { self.condition(&filter.filter, is_hint) } else { None })
            .collect();
        let answer = |taken: &Option<Condition>| if taken.is_some() { PushedDown::Yes } else { PushedDown::No };
        let answers = taken.iter().map(answer).collect();
        let propagation = FilterPushdownPropagation::with_parent_pushdown_result(answers);
        let taken: Vec<Condition> = taken.into_iter().flatten().collect();
        if taken.is_empty() {
            return Ok(propagation);
        }
        Ok(propagation.with_updated_node(Arc::new(self.with_conditions(taken))))
    }
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
