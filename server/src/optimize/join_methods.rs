//! Which side of a join is kept while the rows of the other one come, and how rows find each other: by what is known of both
//! sides' rows ([`cost`](crate::cost)). The engine decides by bounds and row counts alone, and always keeps one side in memory.
//!
//! A side that is expected to take too much memory is not kept: both sides are sorted, which can be done on disk.

use std::sync::Arc;

use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::config::{ConfigExtension, ConfigOptions};
use datafusion::common::{Result, extensions_options};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::joins::{HashJoinExec, PartitionMode, SortMergeJoinExec};
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion::physical_plan::{ExecutionPlan, replace_children_if_necessary};
use storage::scan::fragment::ScanFragment;

use crate::cost::Estimate;
use crate::cost::physical::HASHED_ROW_BYTES;

/// By how much the other side has to be smaller for the sides to be swapped: where both are about the same, what the query says
/// is as good.
const SMALLER: f64 = 0.8;

extensions_options! {
    /// Which ways of joining a session allows.
    pub struct JoinMethods {
        /// Whether one side may be kept in a hash table (`enable_hashjoin`). Where there is no other way it is.
        pub hash: bool, default = true
    }
}

impl ConfigExtension for JoinMethods {
    const PREFIX: &'static str = "join_methods";
}

/// Chooses how tables are joined.
#[derive(Debug)]
pub struct ChooseJoinMethods {
    /// Bytes that one side of a join may take in memory.
    kept_bytes_max: usize,
}

/// A plan, and what is known of its rows.
struct Chosen {
    plan: Arc<dyn ExecutionPlan>,
    estimate: Estimate<usize>,
    /// Whether all of its tables have said how many rows they have.
    is_known: bool,
}

/// One side of a join.
struct Side {
    rows: f64,
    bytes: f64,
}

impl ChooseJoinMethods {
    /// For an engine in which a side of a join may take so many bytes.
    pub fn new(kept_bytes_max: usize) -> Self {
        ChooseJoinMethods { kept_bytes_max }
    }

    fn chosen(&self, plan: Arc<dyn ExecutionPlan>, config: &ConfigOptions) -> Result<Chosen> {
        let inputs = plan.children().into_iter().map(|input| self.chosen(input.clone(), config));
        let inputs = inputs.collect::<Result<Vec<_>>>()?;
        let estimates: Vec<_> = inputs.iter().map(|input| &input.estimate).collect();
        let estimate = Estimate::of_node(plan.as_ref(), &estimates);
        let is_known = if inputs.is_empty() { is_known(plan.as_ref()) } else { inputs.iter().all(|it| it.is_known) };
        let sides: Vec<_> = inputs.iter().map(|input| Side::of(&input.plan, &input.estimate)).collect();
        let plan = replace_children_if_necessary(plan, inputs.into_iter().map(|input| input.plan).collect())?;
        let may_hash = config.extensions.get::<JoinMethods>().is_none_or(|methods| methods.hash);
        let chosen = match (plan.downcast_ref::<HashJoinExec>(), sides.as_slice()) {
            (Some(join), _) if !may_hash && can_sort(join) => Some(sorted(join)?),
            (Some(join), [left, right]) if is_known => self.method(join, left, right, config)?,
            _ => None,
        };
        Ok(Chosen { plan: chosen.unwrap_or(plan), estimate, is_known })
    }

    /// A better way to join, if there is one.
    fn method(
        &self,
        join: &HashJoinExec,
        left: &Side,
        right: &Side,
        config: &ConfigOptions,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let can_swap = join.join_type().supports_swap() && !join.null_aware;
        let swaps = can_swap && right.bytes < left.bytes * SMALLER;
        let kept = if swaps { right } else { left };
        if kept.hashed_bytes() > self.kept_bytes_max as f64 && can_sort(join) {
            return sorted(join).map(Some);
        }
        // The engine's rule asks for one partition where it must have one.
        let must_collect = join.null_aware || config.execution.target_partitions == 1;
        let options = &config.optimizer;
        let is_small = kept.rows <= options.hash_join_single_partition_threshold_rows as f64
            && kept.bytes <= options.hash_join_single_partition_threshold as f64;
        let mode = match (must_collect, is_small) {
            (true, _) => *join.partition_mode(),
            (false, true) => PartitionMode::CollectLeft,
            (false, false) => PartitionMode::Partitioned,
        };
        if swaps {
            return join.swap_inputs(mode).map(Some);
        }
        match mode == *join.partition_mode() {
            true => Ok(None),
            false => join.builder().with_partition_mode(mode).build_exec().map(Some),
        }
    }
}

impl PhysicalOptimizerRule for ChooseJoinMethods {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        match config.optimizer.join_reordering {
            true => Ok(self.chosen(plan, config)?.plan),
            false => Ok(plan),
        }
    }

    fn name(&self) -> &str {
        "ChooseJoinMethods"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

impl Side {
    fn of(plan: &Arc<dyn ExecutionPlan>, estimate: &Estimate<usize>) -> Self {
        let width = estimate.width(&plan.schema());
        Side { rows: estimate.rows, bytes: estimate.rows * width }
    }

    fn hashed_bytes(&self) -> f64 {
        self.bytes + self.rows * HASHED_ROW_BYTES
    }
}

/// Whether a table says how many rows it has.
fn is_known(leaf: &dyn ExecutionPlan) -> bool {
    let statistics = || leaf.statistics_from_inputs(&[], &StatisticsArgs::new());
    match ScanFragment::of(leaf) {
        Some(fragment) => fragment.statistics.num_rows.get_value().is_some(),
        None => statistics().is_ok_and(|statistics| statistics.num_rows.get_value().is_some()),
    }
}

/// Whether the sides of a join can be sorted and merged instead.
fn can_sort(join: &HashJoinExec) -> bool {
    let keys = || join.on().iter().flat_map(|(left, right)| [(left, join.left()), (right, join.right())]);
    let is_comparable = |(key, side): (&Arc<dyn PhysicalExpr>, &Arc<dyn ExecutionPlan>)| {
        key.data_type(&side.schema()).is_ok_and(|data_type| is_comparable(&data_type))
    };
    // The engine's merge join evaluates a filter on columns in an order of its own, and for rows without a partner.
    let has_filter = join.filter().is_some();
    !join.null_aware && !has_filter && join.fetch().is_none() && keys().all(is_comparable)
}

/// Whether the engine's merge join compares such values as its hash join does. It would take not-a-number for a bug.
fn is_comparable(data_type: &DataType) -> bool {
    data_type.is_integer()
        || data_type.is_string()
        || matches!(
            data_type,
            DataType::Boolean
                | DataType::Binary
                | DataType::BinaryView
                | DataType::FixedSizeBinary(_)
                | DataType::Date32
                | DataType::Decimal128(..)
                | DataType::Timestamp(TimeUnit::Microsecond, None)
        )
}

/// A join whose sides are sorted, for which others see to.
fn sorted(join: &HashJoinExec) -> Result<Arc<dyn ExecutionPlan>> {
    let orders = vec![SortOptions::default(); join.on().len()];
    let merged = SortMergeJoinExec::try_new(
        join.left().clone(),
        join.right().clone(),
        join.on().to_vec(),
        None,
        *join.join_type(),
        orders,
        join.null_equality(),
    )?;
    let Some(places) = &join.projection else { return Ok(Arc::new(merged)) };
    let schema = merged.schema();
    let column = |place: &usize| ProjectionExpr {
        expr: Arc::new(Column::new(schema.field(*place).name(), *place)),
        alias: schema.field(*place).name().clone(),
    };
    let columns: Vec<_> = places.iter().map(column).collect();
    Ok(Arc::new(ProjectionExec::try_new(columns, Arc::new(merged))?))
}
