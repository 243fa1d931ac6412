//! The query engine, set up once for all sessions.

use std::path::Path;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use catalog::{CatalogSnapshot, FileWrites};
use datafusion::catalog::TableProvider;
use datafusion::catalog::default_table_source::source_as_provider;
use datafusion::common::config::ConfigOptions;
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{FairSpillPool, MemoryConsumer, MemoryPool, MemoryReservation};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::LogicalPlan;
use datafusion::optimizer::{Optimizer, OptimizerRule};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::ensure_requirements::EnsureRequirements;
use datafusion::physical_optimizer::filter_pushdown::FilterPushdown;
use datafusion::physical_optimizer::join_selection::JoinSelection;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::physical_plan::stream::RecordBatchReceiverStream;
use datafusion::physical_plan::{ExecutionPlan, SendableRecordBatchStream, execute_stream};
use datafusion::prelude::SessionConfig;
use futures::StreamExt;
use pg::{PgError, SessionValues};
use storage::column_cache::ColumnCache;
use storage::external::{ExternalTableProvider, FileReading};
use storage::hot::HotTableProvider;
use storage::object_stores::NothingRegistered;
use storage::scan::report::ScanReports;
use tokio::runtime::Runtime;

use crate::apply::Apply;
use crate::error::{Error, Result};
use crate::optimize::{
    AggregatesFromStatistics, BoundsFromFooters, ChooseJoinMethods, EliminateContradictions, ExpandGroups,
    GuardFilters, GuardOffsets, HideValues, InSequence, InterruptJoins, InterruptWindows, KeepLeftOrder, ReadLate,
    SafeEliminateCrossJoin, SafeExtractEquijoinPredicate, SafeOptimizeUnions, SafeProjectionPushdown,
    SafePropagateEmptyRelation, SafePushDownFilter, SafeTopKAggregation, SplitFilterProjections, YieldInJoins,
};
use crate::plan::PlanContext;
use crate::plan::extensions::ExtendedPlanner;
use crate::run::THREAD_STACK_BYTES;
use crate::spool::{Batches, Spools, with_repeated_once};
use crate::system_catalog::SystemTable;

/// Threads for queries, for each core. A query computes on as many as there are cores; while it does not give way, the
/// others have threads left, and the operating system shares the cores out.
const THREADS_PER_CORE: usize = 4;
/// Batches that are ready before the session has taken the one before.
const BATCHES_AHEAD_MAX: usize = 1;
/// Rows, over the number of cores, up to which one side of a join is made into one hash table for all cores. One core does
/// it while the others wait; in exchange the other side is not dealt out among the cores, and its scan leaves out rows by
/// one look into the table. With two cores, TPC-H takes a third less of the processor than with 128 Ki rows.
const COLLECTED_ROWS_MAX: usize = 16 << 20;
/// Of the memory, the part that one side of a join may take. A larger one is sorted on disk.
const KEPT_SIDE_ONE_IN: usize = 4;
/// Of the memory, the part that sorts keep for merging what it has put on disk, unless the engine wants less.
const SORT_RESERVED_ONE_IN: usize = 16;
/// As [`COLLECTED_ROWS_MAX`], in bytes, where they are known.
const COLLECTED_BYTES_MAX: usize = 256 << 20;

/// The query engine, set up once for all sessions.
///
/// Queries run on threads of their own: an operator that computes for long without giving way holds up other queries, and
/// must not hold up the sessions, which have cancel requests and timeouts to notice.
#[derive(Debug)]
pub struct Engine {
    template: SessionState,
    /// What scans of files share.
    reading: Arc<FileReading>,
    /// Taken when the engine ends.
    threads: Option<Runtime>,
}

impl Engine {
    /// An engine that uses so much memory, spills to `spill`, and reaches only what plans bring with them. Scans of files
    /// share `reading`.
    ///
    /// # Errors
    /// The spill directory cannot be used.
    pub fn new(memory_limit_bytes: usize, spill: &Path, reading: FileReading) -> Result<Self> {
        let disk = DiskManagerBuilder::default().with_mode(DiskManagerMode::Directories(vec![spill.to_path_buf()]));
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(FairSpillPool::new(memory_limit_bytes)))
            .with_disk_manager_builder(disk)
            .with_object_store_registry(Arc::new(NothingRegistered))
            .build_arc()?;
        let template = SessionStateBuilder::new()
            .with_config(session_config(memory_limit_bytes))
            .with_runtime_env(runtime)
            .with_default_features()
            .with_query_planner(Arc::new(ExtendedPlanner))
            .with_optimizer_rules(optimizer_rules())
            .with_physical_optimizer_rules(physical_optimizer_rules(memory_limit_bytes / KEPT_SIDE_ONE_IN))
            .build();
        let threads = tokio::runtime::Builder::new_multi_thread()
            .thread_name("query")
            .worker_threads(std::thread::available_parallelism().map_or(1, usize::from) * THREADS_PER_CORE)
            .thread_stack_size(THREAD_STACK_BYTES)
            .enable_all()
            .build()
            .map_err(DataFusionError::IoError)?;
        Ok(Engine { template, reading: Arc::new(reading), threads: Some(threads) })
    }

    /// A session state for one statement. Its scans report to `reports` and read the files that `writes` shows, its functions
    /// know `values` of the session.
    pub(super) fn state(
        &self,
        reports: Arc<ScanReports>,
        writes: Arc<FileWrites>,
        values: SessionValues,
    ) -> SessionState {
        let mut state = self.template.clone();
        state.config_mut().set_extension(writes);
        state.config_mut().set_extension(reports);
        state.config_mut().set_extension(self.reading.clone());
        state.config_mut().set_extension(Arc::new(Spools::default()));
        state.config_mut().options_mut().extensions.insert(values);
        state.mark_start_execution();
        state
    }

    /// A session state for looking at what is in tables, one partition after the other. What is read is not kept in memory.
    pub fn looking(&self, snapshot: &CatalogSnapshot) -> SessionState {
        let mut state = self.template.clone();
        let reading = FileReading { columns: Arc::new(ColumnCache::new(0)), ..self.reading.shared() };
        state.config_mut().set_extension(snapshot.file_writes().clone());
        state.config_mut().set_extension(Arc::new(reading));
        state.config_mut().options_mut().execution.target_partitions = 1;
        state
    }

    /// What scans of files share.
    pub fn reading(&self) -> &Arc<FileReading> {
        &self.reading
    }

    /// A reservation in the pool that all queries share, for a buffer of our own.
    pub fn reserve(&self, consumer: &str) -> MemoryReservation {
        let pool: &Arc<dyn MemoryPool> = &self.template.runtime_env().memory_pool;
        MemoryConsumer::new(consumer).register(pool)
    }

    /// A place for rows that are read again, in the memory that all queries share, and on disk when there is none left.
    pub fn batches(&self, consumer: &str, schema: SchemaRef) -> Batches {
        Batches::new(consumer, schema, self.template.runtime_env())
    }

    /// Does what may compute for long on a thread where that keeps no session waiting. What has been given up goes on to
    /// its end.
    ///
    /// # Errors
    /// Those of `work`.
    pub async fn analyze<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        let task = self.threads().spawn_blocking(work);
        task.await.unwrap_or_else(|error| Err(ended(&error)))
    }

    /// Does what reads tables on the engine's threads. It ends when nobody waits for it any more.
    ///
    /// # Errors
    /// Those of `work`.
    pub async fn run<T, W>(&self, work: impl FnOnce(Arc<TaskContext>) -> W) -> Result<T>
    where
        T: Send + 'static,
        W: Future<Output = datafusion::common::Result<T>> + Send + 'static,
    {
        let task = {
            let _entered = self.threads().enter();
            SpawnedTask::spawn(work(self.template.task_ctx()))
        };
        Ok(task.await.map_err(|error| ended(&error))??)
    }

    /// The plan that is executed, made on the engine's threads.
    ///
    /// # Errors
    /// The optimiser finds something wrong that the analysis did not, or a store cannot be reached.
    pub async fn physical_plan(&self, context: Arc<PlanContext>, plan: LogicalPlan) -> Result<Arc<dyn ExecutionPlan>> {
        let plan = self.planned(context.clone(), plan).await?;
        context.note(&plan);
        Ok(plan)
    }

    async fn planned(&self, context: Arc<PlanContext>, plan: LogicalPlan) -> Result<Arc<dyn ExecutionPlan>> {
        let task = {
            let _entered = self.threads().enter();
            SpawnedTask::spawn(async move {
                if reads(&plan, &is_users)? {
                    let state = context.state();
                    let plan = with_repeated_once(state.optimize(&plan)?)?;
                    return state.query_planner().create_physical_plan(&plan, state).await;
                }
                // What is small is not dealt out among the cores, so that its rows come as PostgreSQL's do.
                let mut state = context.state().clone();
                let options = state.config_mut().options_mut();
                options.execution.target_partitions = 1;
                options.optimizer.join_reordering = !reads(&plan, &|provider| provider.is::<SystemTable>())?;
                state.create_physical_plan(&plan).await
            })
        };
        Ok(task.await.map_err(|error| ended(&error))??)
    }

    fn threads(&self) -> &Runtime {
        self.threads.as_ref().expect("the engine's threads end with it")
    }

    /// Starts a plan. Its rows come as they are asked for; when nobody asks any more, it ends.
    ///
    /// # Errors
    /// The plan cannot be started.
    pub fn execute(&self, plan: Arc<dyn ExecutionPlan>, state: &SessionState) -> Result<SendableRecordBatchStream> {
        let threads = self.threads();
        // Operators start tasks of theirs as soon as they are started.
        let _entered = threads.enter();
        let mut rows = execute_stream(plan, state.task_ctx())?;
        let mut builder = RecordBatchReceiverStream::builder(rows.schema(), BATCHES_AHEAD_MAX);
        let sender = builder.tx();
        let hand_over = async move {
            while let Some(batch) = rows.next().await {
                if sender.send(batch).await.is_err() {
                    break;
                }
            }
            Ok(())
        };
        builder.spawn_on(hand_over, threads.handle());
        Ok(builder.build())
    }
}

/// Whether a table is a user's, hot or external.
fn is_users(provider: &dyn TableProvider) -> bool {
    provider.is::<HotTableProvider>() || provider.is::<ExternalTableProvider>()
}

/// Whether a plan reads tables of a kind.
fn reads(plan: &LogicalPlan, of_kind: &dyn Fn(&dyn TableProvider) -> bool) -> datafusion::common::Result<bool> {
    let mut found = false;
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            found |= of_kind(source_as_provider(&scan.source)?.as_ref());
        }
        if let LogicalPlan::Extension(extension) = node
            && let Some(apply) = extension.node.as_any().downcast_ref::<Apply>()
        {
            found |= reads(apply.subquery(), of_kind)?;
        }
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}

/// The error of a task that has not come to its end.
fn ended(error: &tokio::task::JoinError) -> Error {
    PgError::internal(format!("planning ended: {error}")).into()
}

impl Drop for Engine {
    fn drop(&mut self) {
        // Waiting for the threads is not allowed where the server ends, and a query that does not give way would be
        // waited for.
        if let Some(threads) = self.threads.take() {
            threads.shutdown_background();
        }
    }
}

/// The engine's rules, some of them in a form of ours.
fn optimizer_rules() -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    let safe: [Arc<dyn OptimizerRule + Send + Sync>; 5] = [
        Arc::new(SafeEliminateCrossJoin::default()),
        Arc::new(SafeExtractEquijoinPredicate::default()),
        Arc::new(SafeOptimizeUnions::default()),
        Arc::new(SafePropagateEmptyRelation::default()),
        Arc::new(SafePushDownFilter::default()),
    ];
    let mut rules: Vec<Arc<dyn OptimizerRule + Send + Sync>> = Vec::new();
    for rule in Optimizer::new().rules {
        if rule.name() == SafePropagateEmptyRelation::default().name() {
            rules.push(Arc::new(EliminateContradictions));
        }
        rules.push(safe.iter().find(|safe| safe.name() == rule.name()).cloned().unwrap_or(rule));
    }
    rules
}

/// The engine's rules and ours.
fn physical_optimizer_rules(kept_bytes_max: usize) -> Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
    let mut rules: Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> = Vec::new();
    for rule in PhysicalOptimizer::new().rules {
        // Behind what makes constants of aggregates, and before what looks for orders.
        if rule.name() == JoinSelection::new().name() {
            rules.push(Arc::new(HideValues));
        }
        // Before sorts tell scans what they have found.
        if rule.name() == FilterPushdown::new_post_optimization().name() {
            rules.push(Arc::new(ReadLate));
        }
        if rule.name() == EnsureRequirements::new().name() {
            // Before what enforces orders, which groups that are repeated have none of.
            rules.push(Arc::new(ExpandGroups));
            rules.extend([Arc::new(GuardOffsets::Begin) as _, rule, Arc::new(GuardOffsets::End)]);
        } else if rule.name() == SafeProjectionPushdown::default().name() {
            rules.push(Arc::new(SplitFilterProjections));
            rules.push(Arc::new(SafeProjectionPushdown::default()));
        } else if rule.name() == AggregatesFromStatistics::default().name() {
            rules.push(Arc::new(AggregatesFromStatistics::default()));
        } else if rule.name() == SafeTopKAggregation::default().name() {
            rules.push(Arc::new(SafeTopKAggregation::default()));
        } else if rule.name() == JoinSelection::new().name() {
            rules.push(rule);
            rules.push(Arc::new(ChooseJoinMethods::new(kept_bytes_max)));
            rules.push(Arc::new(KeepLeftOrder::Turn));
        } else {
            rules.push(rule);
        }
    }
    rules.push(Arc::new(BoundsFromFooters));
    rules.push(Arc::new(KeepLeftOrder::Mark));
    rules.push(Arc::new(InSequence));
    rules.push(Arc::new(GuardFilters));
    rules.push(Arc::new(InterruptJoins));
    rules.push(Arc::new(InterruptWindows));
    rules.push(Arc::new(YieldInJoins));
    rules
}

fn session_config(memory_limit_bytes: usize) -> SessionConfig {
    let mut config = SessionConfig::new().with_information_schema(false);
    let options = config.options_mut();
    let workers = options.execution.target_partitions.max(1);
    // A cast, a union and CASE say of their columns what may differ before planning and after it: what is known of a type's
    // number, and whether NULL is ruled out. `SELECT 1 UNION SELECT a FROM t` is no error for that.
    options.execution.skip_physical_aggregate_schema_check = true;
    let reserved = &mut options.execution.sort_spill_reservation_bytes;
    // Each worker has one, and a join that sorts both sides two.
    *reserved = (*reserved).min(memory_limit_bytes / SORT_RESERVED_ONE_IN / workers);
    set_workers(options, workers);
    config
}

/// Deals the rows of queries out among so many workers.
pub fn set_workers(options: &mut ConfigOptions, workers: usize) {
    options.execution.target_partitions = workers;
    options.optimizer.hash_join_single_partition_threshold_rows = COLLECTED_ROWS_MAX / workers;
    options.optimizer.hash_join_single_partition_threshold = COLLECTED_BYTES_MAX / workers;
}
