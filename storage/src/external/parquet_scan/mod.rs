//! The scan of Parquet files of an external table.
//!
//! [`feed`] opens files and reads ahead; [`open_file`] finds the columns of the table in a file, [`pruning`] the row groups that
//! may have rows that are wanted; [`row_group`] reads and decodes them, through the caches, and
//! [`filtered_rows`](crate::scan::filtered_rows) evaluates the conditions.

mod addresses;
mod bounds;
mod columns;
mod feed;
mod late_columns;
mod leaves;
mod open_file;
mod pruning;
mod row_group;
mod scanned;

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use catalog::ExternalTable;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, Statistics};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::ParquetFileMetrics;
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::coop::make_cooperative;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, SchedulingType};
use datafusion::physical_plan::filter_pushdown::{
    ChildPushdownResult, FilterPushdownPhase, FilterPushdownPropagation, PushedDown,
};
use datafusion::physical_plan::metrics::{Count, ExecutionPlanMetricsSet, MetricBuilder, MetricsSet};
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties, SendableRecordBatchStream,
};
use futures::stream;

pub(crate) use self::addresses::is_address;
use self::columns::ScanColumns;
use self::feed::Feed;
pub(crate) use self::late_columns::{LateColumns, LateColumnsExec, split as split_columns};
use self::pruning::FileConditions;
use self::row_group::{RowGroup, StreamedGroup};
use self::scanned::Scanned;
use super::footers::Footers;
use super::manifests::Manifests;
use crate::column_cache::ColumnCache;
use crate::external::Samples;
use crate::object_stores::Location;
use crate::page_cache::PageCache;
use crate::scan::bounds::BoundsWith;
use crate::scan::conditions::{Condition, MayFail, can_evaluate};
use crate::scan::filtered_rows::{FilteredRows, Pieces};
use crate::scan::fragment::ScanFragment;
use crate::scan::hints::Hints;
use crate::scan::knowledge::Knowledge;
use crate::scan::report::{ReadCounter, Step, Waterfall};
use crate::scan::runs::Runs;

/// Bytes of files that are worth a partition of their own.
const PARTITION_BYTES: u64 = 512 << 10;

/// What scans of files share with each other, and with those of hot tables. The server puts it into the session configuration
/// (`SessionConfig::with_extension`).
#[derive(Debug)]
pub struct FileReading {
    /// Decoded columns.
    pub columns: Arc<ColumnCache>,
    /// What is known of tables before they are scanned.
    pub samples: Arc<Samples>,
    /// What files say of themselves.
    pub footers: Arc<Footers>,
    /// Bytes of files in object stores.
    pub pages: Option<Arc<PageCache>>,
    /// What is known of the files of tables.
    pub manifests: Option<Arc<Manifests>>,
    /// Which conditions a scan must leave to others.
    pub may_fail: MayFail,
    /// The time, in microseconds since 1970.
    pub now_us: fn() -> i64,
}

impl FileReading {
    /// The same things, to be shared by others.
    #[must_use]
    pub fn shared(&self) -> Self {
        FileReading {
            columns: self.columns.clone(),
            samples: self.samples.clone(),
            footers: self.footers.clone(),
            pages: self.pages.clone(),
            manifests: self.manifests.clone(),
            ..*self
        }
    }
}

impl Default for FileReading {
    /// Nothing is kept, and no condition is taken.
    fn default() -> Self {
        let (columns, footers) = (Arc::new(ColumnCache::new(0)), Arc::new(Footers::new(0)));
        FileReading {
            columns,
            samples: Arc::default(),
            footers,
            pages: None,
            manifests: None,
            may_fail: |_| true,
            now_us: || 0,
        }
    }
}

/// A table, and what its scan is expected to give.
pub(super) struct OfTable {
    /// The table.
    pub table: Arc<ExternalTable>,
    /// What the query calls the table, where that is something else.
    pub alias: Option<Arc<str>>,
    /// The columns whose values are the same for all rows of a file.
    pub columns_of_files: SchemaRef,
    /// Of all columns, those of the files first.
    pub statistics: Statistics,
    /// What is known of the table.
    pub known: Option<Knowledge>,
}

/// What a scan of files of columns does of a plan; `None` if it is another node.
pub(crate) fn fragment(node: &dyn ExecutionPlan) -> Option<ScanFragment> {
    node.downcast_ref::<ParquetScanExec>().map(ParquetScanExec::fragment)
}

/// The scan of which bounds are wanted; see [`crate::scan::bounds`].
pub(crate) fn for_bounds(node: &dyn ExecutionPlan, kept: &[usize], with: BoundsWith) -> Option<Arc<dyn ExecutionPlan>> {
    let scan = node.downcast_ref::<ParquetScanExec>()?.for_bounds(kept, with)?;
    Some(Arc::new(scan))
}

/// What is told of a scan, and to it.
pub(super) struct Told {
    /// Counts what is read.
    pub read: Arc<ReadCounter>,
    /// Counts what need not be read.
    pub steps: Arc<Waterfall>,
    /// Whether the files are those of a load.
    pub is_load: bool,
}

/// Scans the files of a table that are in one store.
#[derive(Debug)]
pub(super) struct ParquetScanExec {
    scanned: Arc<Scanned>,
    files: Arc<[PartitionedFile]>,
    partitions_max: usize,
    runs: Runs<Feed>,
    properties: Arc<PlanProperties>,
    statistics: Arc<Statistics>,
    metrics: ExecutionPlanMetricsSet,
}

impl ParquetScanExec {
    /// A scan of files, whose values of constant columns are their partitions' values.
    pub fn new(
        of_table: OfTable,
        location: &Location,
        files: Vec<PartitionedFile>,
        reading: Arc<FileReading>,
        told: Told,
        partitions_max: usize,
    ) -> Self {
        let OfTable { table, alias, columns_of_files, statistics, known } = of_table;
        let file_schema = table.file_schema();
        let fields = file_schema.fields().iter().chain(columns_of_files.fields()).cloned();
        let table_schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let manifest = reading.manifests.as_ref().map(|manifests| manifests.manifest(table.oid.0));
        let scanned = Scanned {
            columns: ScanColumns::new(&table_schema),
            output: (0..table_schema.fields().len()).collect(),
            schema: table_schema.clone(),
            store: location.store.clone(),
            store_url: location.store_url.clone(),
            table,
            alias,
            file_schema,
            columns_of_files,
            table_schema,
            conditions: Vec::new(),
            excluding: Vec::new(),
            manifest,
            reading,
            read: told.read,
            steps: told.steps,
            is_load: told.is_load,
            fetch: None,
            known,
            groups_one_in: 1,
            bounds: None,
            reads_few: false,
            address: None,
        };
        Self::of(scanned, files.into(), Arc::new(statistics), partitions_max)
    }

    /// The scan of some columns, by their places in the table; of rows that are at most `fetch` in each partition. What
    /// `excluding` says of the rows excludes row groups, and is evaluated by somebody else.
    ///
    /// # Errors
    /// A column is not there: a bug.
    pub fn asked_for(
        &self,
        projection: Option<&Vec<usize>>,
        excluding: Vec<Arc<dyn PhysicalExpr>>,
        fetch: Option<usize>,
    ) -> Result<Self> {
        let mut scanned = Scanned::clone(&self.scanned);
        if let Some(projection) = projection {
            scanned.schema = Arc::new(scanned.table_schema.project(projection)?);
            scanned.output = projection.clone();
        }
        (scanned.excluding, scanned.fetch) = (excluding, fetch);
        Ok(self.with(scanned))
    }

    /// The same of which only one of so many row groups of each file is read.
    #[must_use]
    pub fn of_one_group_in(self, groups_one_in: usize) -> Self {
        match groups_one_in {
            1 => self,
            _ => self.with(Scanned { groups_one_in, ..Scanned::clone(&self.scanned) }),
        }
    }

    /// The scan of which bounds are wanted, of columns that differ within files.
    fn for_bounds(&self, kept: &[usize], with: BoundsWith) -> Option<Self> {
        let scanned = &self.scanned;
        let in_files = scanned.file_schema.fields().len()..scanned.table_schema.fields().len();
        let is_constant = |place: &usize| in_files.contains(place);
        let mut kept = kept.iter().map(|place| scanned.output.get(*place));
        let mut conditions = scanned.conditions.iter().filter(|condition| !condition.is_hint);
        let has_values = scanned.output.iter().any(|place| !is_constant(place));
        // A hint excludes rows that do not matter to those who ask.
        let can_be = kept.all(|place| place.is_some_and(is_constant))
            && conditions.all(|condition| condition.columns.iter().all(is_constant))
            && scanned.fetch.is_none();
        (has_values && can_be).then(|| self.with(Scanned { bounds: Some(with), ..Scanned::clone(scanned) }))
    }

    /// What it does of a plan.
    fn fragment(&self) -> ScanFragment {
        let scanned = &self.scanned;
        let of_kind = |is_hint: bool| {
            let conditions = scanned.conditions.iter().filter(move |condition| condition.is_hint == is_hint);
            conditions.map(|condition| condition.expr.clone()).collect::<Vec<_>>()
        };
        let columns = scanned.columns.schema();
        let column = |place: &usize| Arc::new(Column::new(columns.field(*place).name(), *place)) as _;
        let mut statistics = Statistics::clone(&self.statistics);
        statistics.column_statistics.resize_with(columns.fields().len(), Default::default);
        ScanFragment {
            table: scanned.table.name.clone(),
            alias: scanned.alias.clone(),
            format: Some(scanned.table.format.name()),
            columns: columns.clone(),
            output: scanned.output.iter().map(column).collect(),
            conditions: of_kind(false),
            hints: of_kind(true),
            statistics,
            known: scanned.known.clone(),
            fetch: scanned.fetch,
            bounds: scanned.bounds,
            takes_conditions: true,
            row_groups: None,
            read: Some(scanned.read.clone()),
        }
    }

    fn of(scanned: Scanned, files: Arc<[PartitionedFile]>, statistics: Arc<Statistics>, partitions_max: usize) -> Self {
        let bytes: u64 = files.iter().map(|file| file.object_meta.size).sum();
        let partitions = partitions_max.min(usize::try_from(bytes / PARTITION_BYTES).unwrap_or(usize::MAX)).max(1);
        let properties = PlanProperties::new(
            EquivalenceProperties::new(scanned.schema.clone()),
            Partitioning::UnknownPartitioning(partitions),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        ParquetScanExec {
            scanned: Arc::new(scanned),
            files,
            partitions_max,
            runs: Runs::new(partitions),
            properties: Arc::new(properties.with_scheduling_type(SchedulingType::Cooperative)),
            statistics,
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }

    /// The same files, of which something else is wanted.
    fn with(&self, scanned: Scanned) -> Self {
        Self::of(scanned, self.files.clone(), self.statistics.clone(), self.partitions_max)
    }
}

impl DisplayAs for ParquetScanExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scanned = &self.scanned;
        let columns: Vec<_> = scanned.schema.fields().iter().map(|field| field.name().as_str()).collect();
        write!(f, "ParquetScanExec: table={}, columns=[{}]", scanned.table.name, columns.join(", "))?;
        write!(f, ", files={}", self.files.len())?;
        if !scanned.conditions.is_empty() {
            let conditions: Vec<_> = scanned.conditions.iter().map(|condition| condition.expr.to_string()).collect();
            write!(f, ", conditions=[{}]", conditions.join(", "))?;
        }
        if let Some(fetch) = scanned.fetch {
            write!(f, ", fetch={fetch}")?;
        }
        Ok(())
    }
}

impl ExecutionPlan for ParquetScanExec {
    fn name(&self) -> &'static str {
        "ParquetScanExec"
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
        Ok(Arc::new(self.with(Scanned::clone(&self.scanned))))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let feed = self.runs.begin(partition, || {
            let metrics = ParquetFileMetrics::new(partition, "", &self.metrics);
            Feed::new(self.files.clone(), context.memory_pool().clone(), metrics)
        });
        let pieces = SharedGroups {
            hints: Hints::new(&self.scanned.conditions),
            heard: Vec::new(),
            streamed: None,
            groups_read: MetricBuilder::new(&self.metrics).counter("row_groups_read", partition),
            scanned: self.scanned.clone(),
            feed,
        };
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
        let scanned = &self.scanned;
        let unknown = || Statistics::new_unknown(&scanned.schema);
        let statistics = match partition {
            None => {
                let mut statistics = Statistics::clone(&self.statistics);
                let known = |place: &usize| self.statistics.column_statistics.get(*place).cloned().unwrap_or_default();
                statistics.column_statistics = scanned.output.iter().map(known).collect();
                statistics
            }
            // Which rows a partition gets shows when it runs.
            Some(_) => unknown(),
        };
        let partitions = self.properties.partitioning.partition_count();
        Ok(Arc::new(match scanned.fetch {
            Some(_) => statistics.with_fetch(scanned.fetch, 0, partitions)?,
            None => statistics,
        }))
    }

    fn fetch(&self) -> Option<usize> {
        self.scanned.fetch
    }

    fn with_fetch(&self, fetch: Option<usize>) -> Option<Arc<dyn ExecutionPlan>> {
        Some(Arc::new(self.with(Scanned { fetch, ..Scanned::clone(&self.scanned) })))
    }

    fn try_swapping_with_projection(&self, projection: &ProjectionExec) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let mut scanned = Scanned::clone(&self.scanned);
        let mut output = Vec::with_capacity(projection.expr().len());
        for column in projection.expr() {
            let Some(place) = scanned.columns.place_of(&column.expr, &self.scanned.output)? else { return Ok(None) };
            output.push(place);
        }
        (scanned.output, scanned.schema) = (output, projection.schema());
        Ok(Some(Arc::new(self.with(scanned))))
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
        let mut scanned = Scanned::clone(&self.scanned);
        let mut answers = Vec::with_capacity(result.parent_filters.len());
        for filter in &result.parent_filters {
            let is_taken = takes && can_evaluate(&filter.filter, scanned.reading.may_fail);
            answers.push(if is_taken { PushedDown::Yes } else { PushedDown::No });
            if is_taken {
                let condition = scanned.columns.condition(&filter.filter, &self.scanned.output)?;
                scanned.conditions.push(Condition::new(condition, is_hint, scanned.columns.schema())?);
            }
        }
        let is_changed = answers.iter().any(|answer| matches!(answer, PushedDown::Yes));
        let propagation = FilterPushdownPropagation::with_parent_pushdown_result(answers);
        Ok(if is_changed { propagation.with_updated_node(Arc::new(self.with(scanned))) } else { propagation })
    }
}

/// The row groups of one partition: each takes the next that nobody has taken.
struct SharedGroups {
    scanned: Arc<Scanned>,
    feed: Arc<Feed>,
    hints: Hints,
    /// The hints that have said something.
    heard: Vec<Arc<dyn PhysicalExpr>>,
    /// One whose batches come one after the other.
    streamed: Option<StreamedGroup>,
    /// Row groups of which something was read.
    groups_read: Count,
}

impl Pieces for SharedGroups {
    type Piece = RowGroup;

    async fn next(&mut self) -> Result<Option<(RowGroup, bool)>> {
        loop {
            if let Some(streamed) = &mut self.streamed {
                match streamed.next().await? {
                    Some(rows) => return Ok(Some((rows, false))),
                    None => self.streamed = None,
                }
            }
            let Some(wanted) = self.feed.next(&self.scanned).await? else { return Ok(None) };
            let changed = self.hints.changed();
            let has_heard = !changed.is_empty();
            // What a hint says is asked when it is needed.
            let is_new = |hint: &Arc<dyn PhysicalExpr>| !self.heard.iter().any(|heard| Arc::ptr_eq(heard, hint));
            let new: Vec<_> = changed.into_iter().filter(is_new).collect();
            self.heard.extend(new);
            if !self.is_still_wanted(&wanted)? {
                self.scanned.steps.add(Step::RowGroupsExcludedLate, 1);
                continue;
            }
            self.groups_read.add(1);
            let group = wanted.group;
            let limit = self.scanned.fetch.filter(|_| self.scanned.conditions.is_empty());
            if limit.is_some() || group.is_large()? {
                self.streamed = Some(StreamedGroup::new(group, limit)?);
                continue;
            }
            return Ok(Some((group, has_heard)));
        }
    }
}

impl SharedGroups {
    /// Compares the bounds of a row group with what hints have said since it was chosen.
    fn is_still_wanted(&self, wanted: &feed::Wanted) -> Result<bool> {
        if self.heard.is_empty() {
            return Ok(true);
        }
        let heard = self.heard.iter().map(|hint| self.scanned.on_table(hint)).collect::<Result<Vec<_>>>()?;
        let open = &wanted.group.open;
        let conditions = FileConditions::new(heard, &self.scanned, open, &wanted.constants)?;
        Ok(conditions.is_some_and(|it| it.may_hold(open, wanted.group.group, self.feed.metrics())))
    }
}
