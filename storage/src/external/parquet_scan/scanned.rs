//! What all partitions of a scan have in common.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use catalog::ExternalTable;
use datafusion::common::Result;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::physical_expr::PhysicalExpr;
use object_store::ObjectStore;

use super::super::manifests::Manifest;
use super::super::pinned_file::PinnedFile;
use super::FileReading;
use super::addresses::Address;
use super::columns::ScanColumns;
use crate::scan::bounds::BoundsWith;
use crate::scan::conditions::Condition;
use crate::scan::filtered_rows::Asked;
use crate::scan::knowledge::Knowledge;
use crate::scan::report::{ReadCounter, Waterfall};

/// What all partitions of a scan have in common.
#[derive(Debug, Clone)]
pub(super) struct Scanned {
    pub table: Arc<ExternalTable>,
    /// What the query calls the table, where that is something else.
    pub alias: Option<Arc<str>>,
    pub store: Arc<dyn ObjectStore>,
    pub store_url: ObjectStoreUrl,
    /// The columns that files may have.
    pub file_schema: SchemaRef,
    /// Those whose values are the same for all rows of a file.
    pub columns_of_files: SchemaRef,
    /// The former and the latter.
    pub table_schema: SchemaRef,
    pub columns: ScanColumns,
    /// What is asked for, by place among the columns.
    pub output: Vec<usize>,
    pub schema: SchemaRef,
    /// On the columns of the scan.
    pub conditions: Vec<Condition>,
    /// What excludes row groups and is evaluated by somebody else, on the columns of the table.
    pub excluding: Vec<Arc<dyn PhysicalExpr>>,
    pub reading: Arc<FileReading>,
    /// What is known of the files.
    pub manifest: Option<Arc<Manifest>>,
    pub read: Arc<ReadCounter>,
    pub steps: Arc<Waterfall>,
    /// Whether the files are those of a load. Each must have at least one of the columns.
    pub is_load: bool,
    /// Rows that a partition answers at most.
    pub fetch: Option<usize>,
    /// What is known of the table.
    pub known: Option<Knowledge>,
    /// Of so many row groups of a file one is read.
    pub groups_one_in: usize,
    /// Whether bounds are wanted alone, and the columns' values need not be those that there are.
    pub bounds: Option<BoundsWith>,
    /// Whether single rows are read, whose columns are not worth keeping as a whole, however often it happens.
    pub reads_few: bool,
    /// The columns that tell where each row is, if they are wanted.
    pub address: Option<Address>,
}

impl Scanned {
    /// What each partition answers.
    pub fn asked(&self) -> Asked<'_> {
        Asked { columns: &self.output, schema: &self.schema, conditions: &self.conditions, fetch: self.fetch }
    }

    /// The places of the columns that have to be read.
    pub fn needed(&self) -> BTreeSet<usize> {
        self.condition_columns().chain(self.output.iter().copied()).collect()
    }

    /// The places of the columns that conditions are about.
    pub fn condition_columns(&self) -> impl Iterator<Item = usize> {
        self.conditions.iter().flat_map(|condition| condition.columns.iter().copied())
    }

    /// The places of the columns that are wanted of all rows: of conditions, as far as what they say of single columns is not enough.
    ///
    /// # Errors
    /// None but bugs.
    pub fn first_columns(&self) -> Result<BTreeSet<usize>> {
        let mut columns = BTreeSet::new();
        for condition in &self.conditions {
            let of_single = condition.of_single_columns()?;
            match of_single.is_empty() {
                true => columns.extend(&condition.columns),
                false => columns.extend(of_single.iter().flat_map(|condition| &condition.columns)),
            }
        }
        Ok(columns)
    }

    /// What is known of the rows that are wanted, on columns of the table, as it stands.
    ///
    /// # Errors
    /// A condition is about a column that there is not: a bug.
    pub fn all_conditions(&self) -> Result<Vec<Arc<dyn PhysicalExpr>>> {
        let conditions = self.conditions.iter().map(|condition| self.on_table(&condition.expr));
        let mut all = conditions.collect::<Result<Vec<_>>>()?;
        let more = self.excluding.iter().filter(|condition| !all.contains(condition)).cloned().collect::<Vec<_>>();
        all.extend(more);
        Ok(all)
    }

    /// A condition on columns of the scan, as it stands, on columns of the table.
    ///
    /// # Errors
    /// It is about a column that there is not: a bug.
    pub fn on_table(&self, condition: &Arc<dyn PhysicalExpr>) -> Result<Arc<dyn PhysicalExpr>> {
        let condition = datafusion::physical_expr_common::physical_expr::snapshot_physical_expr(condition.clone())?;
        self.columns.on_columns_of_table(condition)
    }

    /// A file of the scan, whose reading is counted.
    pub fn pinned(&self, file: &PartitionedFile) -> Arc<PinnedFile> {
        let (store, read) = (self.store.clone(), self.read.clone());
        let pinned = PinnedFile::new(store, &self.store_url, file.object_meta.clone(), read);
        // What is loaded is not read again.
        let pages = self.reading.pages.clone().filter(|_| !self.is_load);
        let pinned = pinned.at((self.reading.now_us)()).kept_in(pages);
        Arc::new(match &self.manifest {
            Some(manifest) => pinned.known_by(manifest.clone()),
            None => pinned,
        })
    }
}
