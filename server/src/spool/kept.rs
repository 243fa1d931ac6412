//! The rows that have been made so far.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::{Column, Result, ScalarValue};
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{ExecutionPlan, SendableRecordBatchStream, execute_stream};
use futures::StreamExt;
use tokio::sync::watch;

use super::batches::Batches;

/// What a table's rows are kept under: its name, and the values of outer queries that it was given.
type Key = (String, Vec<(Column, ScalarValue)>);

/// The common tables of one execution of a statement.
#[derive(Debug, Default)]
pub struct Spools {
    /// Those that read nothing of an outer query: read again and again while that goes on.
    lasting: Mutex<HashMap<Key, Arc<Spooled>>>,
    /// The others, while somebody reads them.
    passing: Mutex<HashMap<Key, Weak<Spooled>>>,
}

impl Spools {
    /// The rows of this key, which nobody has begun to make if it is new.
    pub(super) fn of(&self, key: Key) -> Arc<Spooled> {
        if key.1.is_empty() {
            return self.lasting.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default().clone();
        }
        let mut passing = self.passing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = passing.get(&key).and_then(Weak::upgrade) {
            return known;
        }
        passing.retain(|_, spooled| spooled.strong_count() > 0);
        let new = Arc::new(Spooled::default());
        passing.insert(key, Arc::downgrade(&new));
        new
    }
}

/// The rows of one table.
#[derive(Default)]
pub(super) struct Spooled {
    started: Mutex<Option<Started>>,
}

impl std::fmt::Debug for Spooled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Spooled")
    }
}

struct Started {
    rows: Arc<Rows>,
    /// Ends when nobody can read the rows any more.
    _task: SpawnedTask<()>,
}

impl Spooled {
    /// All rows, from the first. The first who asks has the plan executed.
    pub fn read(
        self: &Arc<Self>,
        plan: &Arc<dyn ExecutionPlan>,
        context: &Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let mut started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        let rows = match started.as_ref() {
            Some(started) => started.rows.clone(),
            None => {
                let rows = Arc::new(Rows::new(plan.schema(), context));
                let stream = execute_stream(plan.clone(), context.clone())?;
                let task = SpawnedTask::spawn(fill(rows.clone(), stream));
                started.insert(Started { rows, _task: task }).rows.clone()
            }
        };
        let schema = rows.batches.schema().clone();
        // The stream holds the table, and with it the task.
        let state = (self.clone(), rows, 0);
        let batches = futures::stream::try_unfold(state, |(table, rows, place)| async move {
            Ok(rows.batch(place).await?.map(|batch| (batch, (table, rows, place + 1))))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, batches.boxed())))
    }
}

/// Batches by their place, and how far they have come.
struct Rows {
    batches: Batches,
    /// How many batches somebody has asked for.
    wanted: watch::Sender<usize>,
    progress: watch::Sender<Progress>,
}

#[derive(Debug, Clone, Default)]
struct Progress {
    ready: usize,
    ended: bool,
    error: Option<Arc<DataFusionError>>,
}

impl Rows {
    fn new(schema: SchemaRef, context: &TaskContext) -> Self {
        Rows {
            batches: Batches::new("Spool", schema, &context.runtime_env()),
            wanted: watch::Sender::new(0),
            progress: watch::Sender::new(Progress::default()),
        }
    }

    /// The batch at a place, once it has been made; none behind the last.
    async fn batch(&self, place: usize) -> Result<Option<RecordBatch>> {
        self.wanted.send_if_modified(|wanted| {
            let more = *wanted <= place;
            *wanted = (*wanted).max(place + 1);
            more
        });
        let mut progress = self.progress.subscribe();
        let reached = progress.wait_for(|progress| progress.ready > place || progress.ended).await;
        let reached = reached.map_err(|error| DataFusionError::External(Box::new(error)))?.clone();
        if reached.ready <= place {
            return reached.error.map_or(Ok(None), |error| Err(DataFusionError::Shared(error)));
        }
        self.batches.get(place).await
    }

    fn keep(&self, batch: RecordBatch) -> Result<()> {
        self.batches.keep(batch)?;
        self.progress.send_modify(|progress| progress.ready += 1);
        Ok(())
    }

    fn end(&self, error: Option<DataFusionError>) {
        self.progress.send_modify(|progress| {
            progress.ended = true;
            progress.error = error.map(Arc::new);
        });
    }
}

/// Makes rows as long as somebody asks for them.
async fn fill(rows: Arc<Rows>, mut stream: SendableRecordBatchStream) {
    let mut wanted = rows.wanted.subscribe();
    let mut made = 0;
    while wanted.wait_for(|wanted| *wanted > made).await.is_ok() {
        let kept = match stream.next().await {
            Some(Ok(batch)) => rows.keep(batch),
            Some(Err(error)) => Err(error),
            None => return rows.end(None),
        };
        if let Err(error) = kept {
            return rows.end(Some(error));
        }
        made += 1;
    }
}
