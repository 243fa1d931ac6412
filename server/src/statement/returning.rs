//! The rows of RETURNING: collected while a statement changes rows, sent once the change stands.

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::stream;

use crate::error::Result;
use crate::session::Session;
use crate::statement::{Outcome, RowStream};

/// The rows of RETURNING.
#[derive(Debug)]
pub struct Returned {
    schema: SchemaRef,
    rows: Vec<RecordBatch>,
    reservation: MemoryReservation,
}

impl Returned {
    /// None yet; their columns are those of `schema`.
    pub fn new(session: &Session, schema: SchemaRef) -> Self {
        Returned { schema, rows: Vec::new(), reservation: session.server.engine.reserve("returning") }
    }

    /// Adds rows, whose columns begin with the `first` one of the batch.
    ///
    /// # Errors
    /// The memory is not there.
    pub fn add(&mut self, batch: &RecordBatch, first: usize) -> Result<()> {
        let columns = batch.columns()[first..first + self.schema.fields().len()].to_vec();
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let rows = RecordBatch::try_new_with_options(self.schema.clone(), columns, &options);
        let rows = rows.map_err(DataFusionError::from)?;
        self.reservation.try_grow(rows.get_array_memory_size())?;
        self.rows.push(rows);
        Ok(())
    }

    /// The answer of the statement.
    pub fn into_outcome(self, session: &Session, verb: &'static str) -> Outcome {
        let Returned { schema, rows, reservation } = self;
        let rows = rows.into_iter().map(move |batch| {
            // The memory counts until the last batch has gone.
            let _held = &reservation;
            Ok(batch)
        });
        let rows = Box::pin(RecordBatchStreamAdapter::new(schema.clone(), stream::iter(rows)));
        Outcome::Rows(RowStream::new(schema, verb, rows, session.guard()))
    }
}
