//! Batches that are read again: in memory while the pool has some, on disk from there on.

use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use datafusion::execution::SpillFile;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, SpillMetrics};
use datafusion::physical_plan::spill::{SpillManager, get_record_batch_memory_size};
use futures::TryStreamExt;

/// Batches by their place.
pub struct Batches {
    kept: Mutex<Vec<Kept>>,
    spill: SpillManager,
    reservation: MemoryReservation,
}

#[derive(Clone)]
enum Kept {
    Memory(RecordBatch),
    Disk(Arc<dyn SpillFile>),
}

impl Batches {
    /// None yet, of this schema. The pool knows them by the name of their consumer.
    pub fn new(consumer: &str, schema: SchemaRef, runtime: &Arc<RuntimeEnv>) -> Self {
        let metrics = SpillMetrics::new(&ExecutionPlanMetricsSet::new(), 0);
        Batches {
            kept: Mutex::default(),
            spill: SpillManager::new(runtime.clone(), metrics, schema),
            reservation: MemoryConsumer::new(consumer).with_can_spill(true).register(&runtime.memory_pool),
        }
    }

    /// Their schema.
    pub fn schema(&self) -> &SchemaRef {
        self.spill.schema()
    }

    /// Adds a batch.
    ///
    /// # Errors
    /// It cannot be written to disk.
    pub fn keep(&self, batch: RecordBatch) -> Result<()> {
        let kept = match self.reservation.try_grow(get_record_batch_memory_size(&batch)) {
            Ok(()) => Kept::Memory(batch),
            Err(_) => match self.spill.spill_record_batch_and_finish(std::slice::from_ref(&batch), "Spool")? {
                Some(file) => Kept::Disk(file),
                None => Kept::Memory(batch),
            },
        };
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).push(kept);
        Ok(())
    }

    /// The batch at a place; none behind the last.
    ///
    /// # Errors
    /// It cannot be read from disk.
    pub async fn get(&self, place: usize) -> Result<Option<RecordBatch>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(place).cloned();
        match kept {
            Some(Kept::Memory(batch)) => Ok(Some(batch)),
            Some(Kept::Disk(file)) => {
                let parts: Vec<_> = self.spill.read_spill_as_stream_unbuffered(file, None)?.try_collect().await?;
                Ok(Some(concat_batches(self.spill.schema(), &parts)?))
            }
            None => Ok(None),
        }
    }
}

impl std::fmt::Debug for Batches {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batches").field("reservation", &self.reservation).finish_non_exhaustive()
    }
}
