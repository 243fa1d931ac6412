//! A sequence as a relation of one row.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int64Array, RecordBatch};
use arrow::datatypes::{Schema, SchemaRef};
use async_trait::async_trait;
use catalog::Sequence;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use pg::Type;
use pg::session::Sequences;
use pg::types::{BOOL, INT8};

/// A sequence as a relation of one row, which says how far it is when the query runs.
#[derive(Debug)]
pub struct SequenceRows {
    sequence: Arc<Sequence>,
    sequences: Arc<dyn Sequences>,
    schema: SchemaRef,
}

impl SequenceRows {
    /// The row of a sequence.
    pub fn new(sequence: Arc<Sequence>, sequences: Arc<dyn Sequences>) -> Self {
        let number = |name: &str| Type::of(INT8).field(name);
        let fields = vec![number("last_value"), number("log_cnt"), Type::of(BOOL).field("is_called")];
        SequenceRows { sequence, sequences, schema: Arc::new(Schema::new(fields)) }
    }
}

#[async_trait]
impl TableProvider for SequenceRows {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let state = self.sequences.state(&self.sequence)?;
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(vec![state.last_value])),
            // Values taken ahead are not counted by the log.
            Arc::new(Int64Array::from(vec![0])),
            Arc::new(BooleanArray::from(vec![state.is_called])),
        ];
        let row = RecordBatch::try_new(self.schema.clone(), columns)?;
        Ok(MemorySourceConfig::try_new_exec(&[vec![row]], self.schema.clone(), projection.cloned())?)
    }
}
