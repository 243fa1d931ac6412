//! A hot table, as the query engine sees it.

use std::sync::{Arc, OnceLock};

use arrow::datatypes::{FieldRef, Schema, SchemaRef};
use async_trait::async_trait;
use catalog::{CatalogSnapshot, HotTable, Oid, TableRows};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Result, Statistics};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;

use super::scan::{HotScanExec, MayFail, address_fields};
use super::segments::Segments;
use crate::scan::knowledge::{Knowledge, Selectivities};

/// The rows of a hot table in one snapshot.
#[derive(Debug, Clone)]
pub struct HotTableProvider {
    table: Arc<HotTable>,
    /// What a query calls it, where that is something else.
    alias: Option<Arc<str>>,
    rows: Arc<TableRows>,
    segments: Arc<Segments>,
    schema: SchemaRef,
    may_fail: MayFail,
    /// What is known of it.
    known: Option<Knowledge>,
    selectivities: Arc<Selectivities>,
    /// What is known of all rows, once somebody has asked.
    statistics: OnceLock<Option<Statistics>>,
}

impl HotTableProvider {
    /// The table with these rows. Its scans take those filters that cannot fail; they get to know them when the plan has been
    /// made.
    pub fn new(table: Arc<HotTable>, rows: Arc<TableRows>, segments: Arc<Segments>, may_fail: MayFail) -> Self {
        let schema = table.arrow_schema();
        HotTableProvider {
            table,
            alias: None,
            rows,
            segments,
            schema,
            may_fail,
            known: None,
            selectivities: Arc::default(),
            statistics: OnceLock::new(),
        }
    }

    /// The same table as it is in another snapshot with the same definitions: its rows, and what is known of them.
    #[must_use]
    pub fn seen_in(&self, snapshot: &CatalogSnapshot) -> Self {
        let (table, analyzed) = (self.table.oid, snapshot.statistics(self.table.oid).cloned());
        let numbers = self.table.columns.iter().map(|column| column.attribute_number);
        let known = Some(Knowledge::new(table, analyzed, numbers, self.selectivities.clone()));
        HotTableProvider { rows: snapshot.rows(table), known, statistics: OnceLock::new(), ..self.clone() }
    }

    /// The same table as a query calls it.
    #[must_use]
    pub fn called(&self, alias: &str) -> Self {
        HotTableProvider { alias: Some(alias.into()), ..self.clone() }
    }

    /// The same table, of which it is noted which rows conditions leave.
    #[must_use]
    pub fn learning(self, selectivities: Arc<Selectivities>) -> Self {
        HotTableProvider { selectivities, ..self }
    }

    /// What is known of it.
    pub fn knowledge(&self) -> Option<&Knowledge> {
        self.known.as_ref()
    }

    /// The number of the table.
    pub fn oid(&self) -> Oid {
        self.table.oid
    }

    /// The definition of the table.
    pub fn table(&self) -> &Arc<HotTable> {
        &self.table
    }

    /// The table with these rows, and the address of each in two more columns.
    pub fn with_addresses(
        table: Arc<HotTable>,
        rows: Arc<TableRows>,
        segments: Arc<Segments>,
        may_fail: MayFail,
    ) -> Self {
        let mut fields: Vec<FieldRef> = table.arrow_schema().fields().iter().cloned().collect();
        fields.extend(address_fields().map(Arc::new));
        HotTableProvider {
            table,
            alias: None,
            rows,
            segments,
            schema: Arc::new(Schema::new(fields)),
            may_fail,
            known: None,
            selectivities: Arc::default(),
            statistics: OnceLock::new(),
        }
    }
}

#[async_trait]
impl TableProvider for HotTableProvider {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    /// What is known of all of its rows.
    fn statistics(&self) -> Option<Statistics> {
        let estimated = || {
            let all: Vec<usize> = (0..self.schema.fields().len()).collect();
            let (table, rows, segments) = (self.table.clone(), self.rows.clone(), self.segments.clone());
            let scan = HotScanExec::new(table, rows, segments, &all, None, 1, self.may_fail).ok()?;
            let statistics = scan.with_knowledge(self.known.clone()).estimate().ok()?;
            Some(statistics.as_ref().clone())
        };
        self.statistics.get_or_init(estimated).clone()
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let all: Vec<usize>;
        let projection = match projection {
            Some(projection) => projection,
            None => {
                all = (0..self.schema.fields().len()).collect();
                &all
            }
        };
        let partitions_max = state.config_options().execution.target_partitions;
        let (table, rows, segments) = (self.table.clone(), self.rows.clone(), self.segments.clone());
        let scan = HotScanExec::new(table, rows, segments, projection, limit, partitions_max, self.may_fail)?;
        Ok(Arc::new(scan.with_knowledge(self.known.clone()).with_alias(self.alias.clone())))
    }
}
