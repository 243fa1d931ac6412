//! Tables over files that a test writes.
// A test of a scan starts from SQL, which this crate cannot plan in the server's way.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::util::display::array_value_to_string;
use catalog::partition::Partitions;
use catalog::{Column, ExternalTable, FileFormat, ObjectName, Oid, OnBadData, Partition, SqlType};
use datafusion::common::Result;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::physical_plan::metrics::MetricValue;
use datafusion::physical_plan::{ExecutionPlan, collect};
use datafusion::prelude::{SessionConfig, SessionContext};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use tempfile::TempDir;

use super::footers::Footers;
use super::parquet_scan::FileReading;
use super::provider::ExternalTableProvider;
use super::rows::{ValueBuilder, ValueBuilders};
use super::tolerance::SessionTolerance;
use crate::column_cache::ColumnCache;
use crate::error::{self, Error};
use crate::object_stores::{NothingRegistered, ObjectStores, ObjectStoresConfig, S3Config};
use crate::scan::conditions::MayFail;
use crate::scan::report::{ScanReport, ScanReports};

/// Rows in a row group of a file that a test writes, so that a few rows make several.
pub const ROW_GROUP_ROWS: usize = 2;

/// A folder of files and a session that can read it.
pub struct Lake {
    folder: TempDir,
    stores: Arc<ObjectStores>,
    session: SessionContext,
    reports: Arc<ScanReports>,
}

/// What is known of one scan after it.
pub struct Scanned {
    pub rows: Vec<String>,
    pub row_groups_pruned: usize,
    pub pages_pruned: usize,
    pub bytes_scanned: usize,
}

impl Lake {
    pub fn new() -> Self {
        Lake::with_s3(None)
    }

    /// Also with buckets at this endpoint.
    pub fn with_s3(endpoint: Option<String>) -> Self {
        let folder = TempDir::new().unwrap();
        let external_roots = vec![folder.path().to_owned()];
        let s3 = S3Config { endpoint, ..S3Config::default() };
        let stores = ObjectStores::new(ObjectStoresConfig { external_roots, s3, ..Default::default() }).unwrap();
        let stores = Arc::new(stores);
        let runtime =
            RuntimeEnvBuilder::new().with_object_store_registry(Arc::new(NothingRegistered)).build_arc().unwrap();
        let reports = Arc::new(ScanReports::default());
        let config = SessionConfig::new().with_target_partitions(2).with_extension(reports.clone());
        let session = SessionContext::new_with_config_rt(config, runtime);
        Lake { folder, stores, session, reports }
    }

    pub fn path(&self, path: &str) -> PathBuf {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    /// The URL of a file or folder; a URL is one already.
    pub fn url(&self, path: &str) -> String {
        if path.contains("://") {
            return path.to_owned();
        }
        format!("file://{}", self.path(path).display())
    }

    /// Writes a Parquet file with these columns.
    pub fn write(&self, path: &str, columns: Vec<(&str, ArrayRef)>) {
        let batch =
            RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
                .unwrap();
        let properties = WriterProperties::builder()
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
            .set_data_page_row_count_limit(1)
            .set_write_batch_size(1)
            .build();
        let file = fs::File::create(self.path(path)).unwrap();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
    }

    /// Makes a table over the folder of its name, as it is now.
    pub fn table(&self, name: &str, columns: &[(&str, SqlType)]) {
        self.partitioned_table(name, columns, &[], &[]);
    }

    /// Makes a partitioned table; each partition is its values and its folder.
    pub fn partitioned_table(
        &self,
        name: &str,
        columns: &[(&str, SqlType)],
        partition_columns: &[(&str, SqlType)],
        partitions: &[(&[Option<&str>], &str)],
    ) {
        let table = ExternalTable {
            oid: Oid(20_000),
            name: ObjectName::new("lake", name),
            columns: columns.iter().map(column).collect(),
            partition_columns: partition_columns.iter().map(column).collect(),
            format: FileFormat::Parquet,
            compression: None,
            encoding: Default::default(),
            layout: None,
            bad_data: Default::default(),
            location: self.url(&format!("{name}/")),
            properties: vec![],
        };
        let partitions = partitions.iter().map(|(values, path)| {
            let values: Vec<_> = values.iter().map(|value| value.map(str::to_owned)).collect();
            Partition { values, location: self.url(path) }
        });
        let mut registered = Partitions::default();
        partitions.for_each(|partition| assert!(registered.insert(partition)));
        let provider =
            ExternalTableProvider::new(Arc::new(table), Arc::new(registered), self.stores.clone(), Arc::new(NoTexts));
        self.session.deregister_table(name).unwrap();
        self.session.register_table(name, Arc::new(provider)).unwrap();
    }

    /// What is left out from now on when something cannot be read.
    pub fn tolerate(&self, on_bad_data: OnBadData) {
        let tolerance = SessionTolerance { on_bad_data: Some(on_bad_data), faults_max: None };
        self.session.state_ref().write().config_mut().set_extension(Arc::new(tolerance));
    }

    pub async fn plan(&self, sql: &str) -> Result<Arc<dyn ExecutionPlan>> {
        self.session.sql(sql).await?.create_physical_plan().await
    }

    pub async fn run(&self, plan: Arc<dyn ExecutionPlan>) -> Result<Scanned> {
        let batches = collect(plan.clone(), self.session.task_ctx()).await?;
        Ok(Scanned {
            rows: batches.iter().flat_map(rows).collect(),
            row_groups_pruned: pruned(plan.as_ref(), "row_groups_pruned_statistics"),
            pages_pruned: pruned(plan.as_ref(), "page_index_pages_pruned"),
            bytes_scanned: self.reports.all().last().map_or(0, |report| report.read.bytes()) as usize,
        })
    }

    pub async fn scan(&self, sql: &str) -> Result<Scanned> {
        self.run(self.plan(sql).await?).await
    }

    /// The rows of a query, each with its values separated by a bar.
    pub async fn query(&self, sql: &str) -> Vec<String> {
        self.scan(sql).await.unwrap().rows
    }

    /// The error of this crate with which a query fails.
    pub async fn refusal(&self, sql: &str) -> String {
        refusal(self.scan(sql).await)
    }

    pub fn reports(&self) -> Vec<ScanReport> {
        self.reports.all()
    }

    /// Whether filters are evaluated by the scan.
    pub fn set_late_filters(&self, is_on: bool) {
        let may_fail: MayFail = if is_on { |_| false } else { |_| true };
        let (columns, footers) = (Arc::new(ColumnCache::new(1 << 20)), Arc::new(Footers::new(1 << 20)));
        let reading = FileReading {
            columns,
            samples: Arc::default(),
            footers,
            pages: None,
            manifests: None,
            may_fail,
            now_us: || 0,
        };
        self.session.state_ref().write().config_mut().set_extension(Arc::new(reading));
    }
}

pub fn refusal(result: Result<Scanned>) -> String {
    let error = result.err().expect("an error");
    let found: Option<&Error> = error::find(&error);
    found.unwrap_or_else(|| panic!("another error: {error:?}")).to_string()
}

fn column((name, sql_type): &(&str, SqlType)) -> Column {
    Column::new(1, *name, sql_type.clone())
}

fn rows(batch: &RecordBatch) -> Vec<String> {
    let value = |column: &ArrayRef, row| match column.is_null(row) {
        true => "NULL".to_owned(),
        false => array_value_to_string(column, row).unwrap(),
    };
    let row = |row| batch.columns().iter().map(|column| value(column, row)).collect::<Vec<_>>().join("|");
    (0..batch.num_rows()).map(row).collect()
}

fn pruned(plan: &dyn ExecutionPlan, name: &str) -> usize {
    let metrics = plan.metrics().unwrap_or_default();
    let here = metrics.iter().map(|metric| match metric.value() {
        MetricValue::PruningMetrics { name: it, pruning_metrics } if it == name => pruning_metrics.pruned(),
        _ => 0,
    });
    here.sum::<usize>() + plan.children().iter().map(|child| pruned(child.as_ref(), name)).sum::<usize>()
}

/// Parquet files hold no texts to ask about.
#[derive(Debug)]
struct NoTexts;

impl ValueBuilders for NoTexts {
    fn builder(&self, column: &Column, _capacity: usize) -> Box<dyn ValueBuilder> {
        panic!("column {} is no text", column.name)
    }
}
