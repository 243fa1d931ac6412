//! The query engine, set up once for all sessions.

use std::path::Path;
use std::sync::Arc;

use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{FairSpillPool, MemoryConsumer, MemoryPool, MemoryReservation};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::physical_plan::{ExecutionPlan, SendableRecordBatchStream, execute_stream};
use datafusion::prelude::SessionConfig;
use storage::object_stores::ObjectStores;
use storage::scan::report::ScanReports;

use crate::error::Result;
use crate::optimize::YieldInJoins;

/// The query engine, set up once for all sessions.
#[derive(Debug)]
pub struct Engine {
    template: SessionState,
}

impl Engine {
    /// An engine that uses so much memory, spills to `spill`, and reaches only `stores`.
    ///
    /// # Errors
    /// The spill directory cannot be used.
    pub fn new(memory_limit_bytes: usize, spill: &Path, stores: Arc<ObjectStores>) -> Result<Self> {
        let disk = DiskManagerBuilder::default().with_mode(DiskManagerMode::Directories(vec![spill.to_path_buf()]));
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(FairSpillPool::new(memory_limit_bytes)))
            .with_disk_manager_builder(disk)
            .with_object_store_registry(stores)
            .build_arc()?;
        let template = SessionStateBuilder::new()
            .with_config(session_config())
            .with_runtime_env(runtime)
            .with_default_features()
            .with_physical_optimizer_rule(Arc::new(YieldInJoins))
            .build();
        Ok(Engine { template })
    }

    /// A session state for one statement. Its scans report to `reports`.
    pub(super) fn state(&self, reports: Arc<ScanReports>) -> SessionState {
        let mut state = self.template.clone();
        state.config_mut().set_extension(reports);
        state.mark_start_execution();
        state
    }

    /// A reservation in the pool that all queries share, for a buffer of our own.
    pub fn reserve(&self, consumer: &str) -> MemoryReservation {
        let pool: &Arc<dyn MemoryPool> = &self.template.runtime_env().memory_pool;
        MemoryConsumer::new(consumer).register(pool)
    }

    /// Starts a plan. Its rows come as they are asked for.
    ///
    /// # Errors
    /// The plan cannot be started.
    pub fn execute(&self, plan: Arc<dyn ExecutionPlan>, state: &SessionState) -> Result<SendableRecordBatchStream> {
        Ok(execute_stream(plan, state.task_ctx())?)
    }
}

fn session_config() -> SessionConfig {
    let mut config = SessionConfig::new().with_information_schema(false);
    let options = config.options_mut();
    // In PostgreSQL a constant with a point is exact.
    options.sql_parser.parse_float_as_decimal = true;
    options.sql_parser.collect_spans = true;
    // The planner would ignore the length: an error is better than a longer string.
    options.sql_parser.support_varchar_with_length = false;
    options.execution.parquet.pushdown_filters = false;
    config
}
