//! Groups by several sets of keys, from groups by all keys.
//!
//! The engine makes the groups of GROUPING SETS, ROLLUP and CUBE of each row as often as there are sets. Where one set has all of the keys,
//! its groups are made first, and those of the other sets from them: they are often far fewer than the rows. What an aggregate
//! keeps of its rows is put together in the same way as what several cores have of them.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, new_null_array};
use arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::execution::TaskContext;
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode, PhysicalGroupBy, evaluate_group_by};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning, PlanProperties,
    SendableRecordBatchStream,
};
use futures::{StreamExt, stream};

use crate::aggregation::keeps_little;
use crate::plan::measured::measured;

/// Makes groups by several sets of keys from groups by all keys.
#[derive(Debug, Default)]
pub struct ExpandGroups;

impl PhysicalOptimizerRule for ExpandGroups {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let expanded = |node: Arc<dyn ExecutionPlan>| {
            let Some(aggregate) = node.downcast_ref::<AggregateExec>() else { return Ok(Transformed::no(node)) };
            Ok(match of_all_keys(aggregate)? {
                Some(expanded) => Transformed::yes(expanded),
                None => Transformed::no(node),
            })
        };
        plan.transform_up(expanded).data()
    }

    fn name(&self) -> &str {
        "ExpandGroups"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// The same groups, by way of groups by all keys. None where that is not possible, or not worth it.
fn of_all_keys(aggregate: &AggregateExec) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let sets = aggregate.group_expr();
    let has_all = sets.groups().iter().any(|set| set.iter().all(|is_null| !is_null));
    let aggregates = aggregate.aggr_expr();
    // The order of rows matters to some aggregates, and what others keep of their rows is as much as the rows.
    let keeps_little =
        |it: &Arc<AggregateFunctionExpr>| it.state_fields().is_ok_and(|fields| keeps_little(it.fun().name(), &fields));
    let is_small = |it: &Arc<AggregateFunctionExpr>| !it.is_distinct() && it.order_bys().is_empty() && keeps_little(it);
    if *aggregate.mode() != AggregateMode::Partial
        || sets.groups().len() < 2
        || !has_all
        || aggregate.limit_options().is_some()
        || !aggregates.iter().all(is_small)
    {
        return Ok(None);
    }
    let by_all = PhysicalGroupBy::new_single(sets.expr().to_vec());
    let groups = AggregateExec::try_new(
        AggregateMode::Partial,
        by_all,
        aggregates.to_vec(),
        aggregate.filter_expr().to_vec(),
        aggregate.input().clone(),
        aggregate.input_schema(),
    )?;
    let expand = ExpandExec::try_new(Arc::new(groups), sets, aggregates, aggregate.schema())?;
    // Keys are columns from here on, that of the set among them.
    let schema = expand.schema();
    let keys = schema.fields().iter().take(sets.expr().len() + 1).enumerate();
    let keys = keys.map(|(place, field)| {
        let column: Arc<dyn PhysicalExpr> = Arc::new(Column::new(field.name(), place));
        (column, field.name().clone())
    });
    let by_set = PhysicalGroupBy::new_single(keys.collect());
    let merged = AggregateExec::try_new(
        AggregateMode::PartialReduce,
        by_set,
        aggregates.to_vec(),
        vec![None; aggregates.len()],
        Arc::new(expand),
        aggregate.input_schema(),
    )?;
    // Whoever reads the groups knows their columns by what they were.
    Ok((merged.schema() == aggregate.schema()).then(|| Arc::new(merged) as Arc<dyn ExecutionPlan>))
}

/// Repeats groups, once for each set of keys, without the keys that the set does not have.
#[derive(Debug, Clone)]
pub struct ExpandExec {
    input: Arc<dyn ExecutionPlan>,
    /// The sets, on the columns of the input.
    sets: Arc<PhysicalGroupBy>,
    aggregates: Arc<[Arc<AggregateFunctionExpr>]>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl ExpandExec {
    /// `schema` has the keys, what tells the set, and what is kept of groups.
    fn try_new(
        input: Arc<dyn ExecutionPlan>,
        sets: &PhysicalGroupBy,
        aggregates: &[Arc<AggregateFunctionExpr>],
        schema: SchemaRef,
    ) -> Result<Self> {
        let own = sets.expr().iter().enumerate().map(|(place, (_, name))| {
            let column: Arc<dyn PhysicalExpr> = Arc::new(Column::new(name, place));
            (column, name.clone())
        });
        let sets = PhysicalGroupBy::new(own.collect(), sets.null_expr().to_vec(), sets.groups().to_vec(), true);
        Ok(Self::over(input, Arc::new(sets), aggregates.into(), schema))
    }

    /// Over an input, whose partitions are its own.
    fn over(
        input: Arc<dyn ExecutionPlan>,
        sets: Arc<PhysicalGroupBy>,
        aggregates: Arc<[Arc<AggregateFunctionExpr>]>,
        schema: SchemaRef,
    ) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(input.output_partitioning().partition_count()),
            input.pipeline_behavior(),
            input.boundedness(),
        );
        let metrics = ExecutionPlanMetricsSet::new();
        ExpandExec { input, sets, aggregates, properties: Arc::new(properties), metrics }
    }

    /// The groups that are repeated.
    pub fn input(&self) -> &Arc<dyn ExecutionPlan> {
        &self.input
    }

    /// The sets, on the columns of the input.
    pub fn sets(&self) -> &PhysicalGroupBy {
        &self.sets
    }

    /// The groups of one set each.
    fn expanded(&self, groups: &RecordBatch) -> Result<Vec<RecordBatch>> {
        let kept = &groups.columns()[self.sets.expr().len()..];
        let of_sets = evaluate_group_by(&self.sets, groups)?.into_iter();
        of_sets.map(|keys| self.batch(keys.into_iter().chain(kept.iter().cloned()).collect())).collect()
    }

    /// The group of no row, of the sets without keys: it is there even if no row is.
    fn of_no_rows(&self) -> Result<Vec<RecordBatch>> {
        let fields = self.input.schema();
        let keys = fields.fields().iter().take(self.sets.expr().len());
        // One row, whatever is in it.
        let fields: Vec<_> = keys.map(|field| field.as_ref().clone().with_nullable(true)).collect();
        let nulls = fields.iter().map(|field| new_null_array(field.data_type(), 1)).collect();
        let row = RecordBatch::try_new(Arc::new(Schema::new(fields)), nulls)?;
        let mut kept: Vec<ArrayRef> = Vec::new();
        for aggregate in self.aggregates.iter() {
            for state in aggregate.create_accumulator()?.state()? {
                kept.push(state.to_array()?);
            }
        }
        let of_sets = evaluate_group_by(&self.sets, &row)?.into_iter().zip(self.sets.groups());
        let without_keys = of_sets.filter(|(_, set)| set.iter().all(|is_null| *is_null));
        without_keys.map(|(keys, _)| self.batch(keys.into_iter().chain(kept.iter().cloned()).collect())).collect()
    }

    fn batch(&self, columns: Vec<ArrayRef>) -> Result<RecordBatch> {
        Ok(RecordBatch::try_new(self.schema(), columns)?)
    }
}

impl DisplayAs for ExpandExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExpandExec: sets={}", self.sets.groups().len())
    }
}

impl ExecutionPlan for ExpandExec {
    fn name(&self) -> &'static str {
        "ExpandExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
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
        Ok(Arc::new(Self::over(input, self.sets.clone(), self.aggregates.clone(), self.schema())))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let groups = self.input.execute(partition, context)?;
        let begun = (groups, self.clone(), Vec::<RecordBatch>::new(), Some(true));
        // What is left of a batch comes before the next; at the end, what comes of no rows if there were none.
        let batches = stream::try_unfold(begun, |(mut groups, expand, mut left, mut is_empty)| async move {
            loop {
                if let Some(batch) = left.pop() {
                    return Ok(Some((batch, (groups, expand, left, is_empty))));
                }
                let Some(none_yet) = is_empty else { return Ok(None) };
                match groups.next().await.transpose()? {
                    Some(batch) if batch.num_rows() > 0 => {
                        left = expand.expanded(&batch)?;
                        is_empty = Some(false);
                    }
                    Some(_) => {}
                    None => {
                        left = if none_yet { expand.of_no_rows()? } else { Vec::new() };
                        is_empty = None;
                    }
                }
            }
        });
        let batches = Box::pin(RecordBatchStreamAdapter::new(self.schema(), batches));
        Ok(measured(batches, &self.metrics, partition))
    }
}
