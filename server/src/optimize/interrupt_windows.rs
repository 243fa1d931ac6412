//! Ends window functions whose statement has been ended.
//!
//! A window function computes a partition, or a batch of it, without giving way: with frames of thousands of rows that takes
//! seconds. What it is computed by does not know the statement, so the thread says it for as long as it computes.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::error::DataFusionError;
use datafusion::execution::{RecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::windows::{BoundedWindowAggExec, WindowAggExec};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, SendableRecordBatchStream,
};
use futures::{Stream, StreamExt};
use pg::{Interrupt, PgError, SessionValues};

/// Lets window functions look whether their statement has been ended.
#[derive(Debug, Default)]
pub struct InterruptWindows;

impl PhysicalOptimizerRule for InterruptWindows {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let Some(values) = config.extensions.get::<SessionValues>() else { return Ok(plan) };
        plan.transform_up(|node| {
            let is_window = node.is::<WindowAggExec>() || node.is::<BoundedWindowAggExec>();
            Ok(match is_window {
                true => {
                    Transformed::yes(Arc::new(InterruptibleExec { input: node, interrupt: values.interrupt.clone() }))
                }
                false => Transformed::no(node),
            })
        })
        .data()
    }

    fn name(&self) -> &str {
        "InterruptWindows"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Its input, computed by threads that know whose statement it is.
#[derive(Debug)]
struct InterruptibleExec {
    input: Arc<dyn ExecutionPlan>,
    interrupt: Interrupt,
}

impl DisplayAs for InterruptibleExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InterruptibleExec")
    }
}

impl ExecutionPlan for InterruptibleExec {
    fn name(&self) -> &'static str {
        "InterruptibleExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        let input = children.into_iter().next();
        let input = input.ok_or_else(|| DataFusionError::from(PgError::internal("a node has lost its input")))?;
        Ok(Arc::new(InterruptibleExec { input, interrupt: self.interrupt.clone() }))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let (input, interrupt) = (self.input.execute(partition, context)?, self.interrupt.clone());
        Ok(Box::pin(Interruptible { input, interrupt }))
    }
}

struct Interruptible {
    input: SendableRecordBatchStream,
    interrupt: Interrupt,
}

impl Stream for Interruptible {
    type Item = Result<RecordBatch>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Interruptible { input, interrupt } = self.get_mut();
        interrupt.during(|| input.poll_next_unpin(cx))
    }
}

impl RecordBatchStream for Interruptible {
    fn schema(&self) -> SchemaRef {
        self.input.schema()
    }
}
