//! What came of the nodes of a plan that has run.

use std::sync::Arc;

use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::{MetricValue, MetricsSet};

use super::node::{Actual, Property};

/// Nanoseconds of a millisecond.
const MS_NS: f64 = 1e6;

/// When a plan began to run, in nanoseconds since 1970; `None` if it has not.
pub(super) fn begun_ns(plan: &Arc<dyn ExecutionPlan>) -> Option<i64> {
    let own = plan.metrics().and_then(|metrics| times(&metrics).0);
    let below = plan.children().into_iter().filter_map(begun_ns);
    below.chain(own).min()
}

/// What came of a node, none of whose rows came before `startup_ms`.
pub(super) fn of_node(plan: &dyn ExecutionPlan, begun_ns: Option<i64>, startup_ms: f64) -> Option<Actual> {
    let metrics = plan.metrics()?;
    let Some(rows) = metrics.output_rows() else {
        // Nobody asked for its rows.
        return begun_ns.map(|_| Actual { startup_ms: 0.0, total_ms: 0.0, rows: 0, loops: 0 });
    };
    let (_, ended) = times(&metrics);
    // What nobody asked for a row has not ended.
    let total_ms = ended.zip(begun_ns).map_or(startup_ms, |(ended, begun)| (ended - begun).max(0) as f64 / MS_NS);
    Some(Actual { startup_ms: startup_ms.min(total_ms), total_ms, rows: rows as u64, loops: 1 })
}

/// When the first of a node's streams began, and the last ended.
fn times(metrics: &MetricsSet) -> (Option<i64>, Option<i64>) {
    let (mut first, mut last) = (None, None);
    for metric in metrics.iter() {
        match metric.value() {
            MetricValue::StartTimestamp(time) => {
                let time = time.value().and_then(|time| time.timestamp_nanos_opt());
                first = [first, time].into_iter().flatten().min();
            }
            MetricValue::EndTimestamp(time) => {
                last = last.max(time.value().and_then(|time| time.timestamp_nanos_opt()));
            }
            _ => {}
        }
    }
    (first, last)
}

/// What a node has counted under a name.
pub(super) fn count(plan: &dyn ExecutionPlan, name: &str) -> Option<u64> {
    let found = plan.metrics()?.sum_by_name(name)?;
    Some(found.as_usize() as u64)
}

/// The time that processors spent on a node alone.
pub(super) fn cpu_time(plan: &dyn ExecutionPlan) -> Option<Property> {
    let ns = plan.metrics()?.elapsed_compute()?;
    (ns > 0).then(|| Property::number("CPU Time", ns as f64 / MS_NS))
}

/// What operators say of the memory and the disk that they took.
pub(super) fn resources(plan: &dyn ExecutionPlan) -> Vec<Property> {
    let counted = |name| count(plan, name).filter(|count| *count > 0);
    let mut all = Vec::new();
    all.extend(counted("build_mem_used").map(|bytes| Property::integer("Memory Bytes", bytes)));
    all.extend(counted("peak_mem_used").map(|bytes| Property::integer("Memory Bytes", bytes)));
    all.extend(counted("spilled_bytes").map(|bytes| Property::integer("Spilled Bytes", bytes)));
    all
}
