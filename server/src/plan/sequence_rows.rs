//! A sequence as a relation of one row.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int64Array, RecordBatch};
use arrow::datatypes::{Schema, SchemaRef};
use catalog::Sequence;
use datafusion::common::Result;
use pg::Type;
use pg::session::Sequences;
use pg::types::{BOOL, INT8};

use crate::plan::in_memory::{InMemory, RowSource};

/// A sequence as a relation of one row, which says how far it is when the query runs.
#[derive(Debug)]
pub struct SequenceRows {
    sequence: Arc<Sequence>,
    sequences: Arc<dyn Sequences>,
    schema: SchemaRef,
}

impl SequenceRows {
    /// The row of a sequence.
    pub fn table(sequence: Arc<Sequence>, sequences: Arc<dyn Sequences>) -> InMemory<Self> {
        let number = |name: &str| Type::of(INT8).field(name);
        let fields = vec![number("last_value"), number("log_cnt"), Type::of(BOOL).field("is_called")];
        InMemory(SequenceRows { sequence, sequences, schema: Arc::new(Schema::new(fields)) })
    }
}

impl RowSource for SequenceRows {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn rows(&self) -> Result<Vec<RecordBatch>> {
        let state = self.sequences.state(&self.sequence)?;
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(vec![state.last_value])),
            // Values taken ahead are not counted by the log.
            Arc::new(Int64Array::from(vec![0])),
            Arc::new(BooleanArray::from(vec![state.is_called])),
        ];
        Ok(vec![RecordBatch::try_new(self.schema.clone(), columns)?])
    }
}
