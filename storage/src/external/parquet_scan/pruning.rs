//! Which row groups of a file, and which rows of them, may be wanted: by the bounds of their columns, by bloom filters, and
//! by the bounds of pages.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::datasource::physical_plan::ParquetFileMetrics;
use datafusion::datasource::physical_plan::parquet::{
    BloomFilterStatistics, PagePruningAccessPlanFilter, ParquetAccessPlan, RowGroupAccess, RowGroupAccessPlanFilter,
};
use datafusion::physical_expr::simplifier::PhysicalExprSimplifier;
use datafusion::physical_expr::{PhysicalExpr, conjunction};
use datafusion::physical_optimizer::pruning::{PruningPredicate, PruningPredicateBuilder};
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, RowSelection};

use super::open_file::{Constants, OpenFile, in_file, is_false};
use super::scanned::Scanned;
use crate::scan::report::Step;

/// A row group that may have rows that are wanted, and which of its rows; `None` is all.
pub(super) type Kept = (usize, Option<RowSelection>);

/// Conditions as they can be compared with what a file says of itself.
pub(super) struct FileConditions {
    expr: Arc<dyn PhysicalExpr>,
    predicate: Option<Arc<PruningPredicate>>,
}

impl FileConditions {
    /// Conditions on columns of the table, for one file; `None` if no row of the file can be wanted.
    ///
    /// # Errors
    /// A column cannot be read as what it was declared.
    pub fn new(
        conditions: Vec<Arc<dyn PhysicalExpr>>,
        scanned: &Scanned,
        open: &OpenFile,
        constants: &Constants,
    ) -> Result<Option<Self>> {
        let (adapter, simplifier) = (open.adapter(scanned)?, PhysicalExprSimplifier::new(open.schema()));
        let in_file = |condition| {
            let condition = in_file(condition, constants, &scanned.table_schema)?;
            simplifier.simplify(adapter.rewrite(condition)?)
        };
        let conditions = conditions.into_iter().map(in_file).collect::<Result<Vec<_>>>()?;
        if conditions.iter().any(is_false) {
            return Ok(None);
        }
        let expr = conjunction(conditions);
        let predicate = PruningPredicateBuilder::new().with_file_schema(open.schema().clone()).build(expr.clone());
        Ok(Some(FileConditions { expr, predicate: predicate.filter(|predicate| !predicate.always_true()) }))
    }

    /// The row groups that may have rows that are wanted.
    ///
    /// # Errors
    /// The page index cannot be read.
    pub async fn kept(
        &self,
        scanned: &Scanned,
        open: &mut OpenFile,
        metrics: &ParquetFileMetrics,
    ) -> Result<Vec<Kept>> {
        let total = open.metadata.metadata().num_row_groups();
        let mut groups = RowGroupAccessPlanFilter::new(ParquetAccessPlan::new_all(total));
        let steps = &scanned.steps;
        if let Some(predicate) = &self.predicate {
            let parquet = open.metadata.parquet_schema();
            let all = open.metadata.metadata().row_groups();
            groups.prune_by_statistics(open.schema(), parquet, all, predicate, metrics);
            let left = groups.remaining_row_group_count();
            steps.add(Step::RowGroupsExcludedByStatistics, total - left);
            if left > 0 {
                let blooms = blooms(scanned, open, &groups, predicate).await;
                groups.prune_by_bloom_filters(predicate, metrics, &blooms);
                steps.add(Step::RowGroupsExcludedByBloomFilters, left - groups.remaining_row_group_count());
            }
        }
        let plan = groups.build();
        let before = plan.row_group_indexes().len();
        let plan = self.pages(plan, scanned, open, metrics).await?;
        let kept: Vec<Kept> = plan
            .into_inner()
            .into_iter()
            .enumerate()
            .filter_map(|(group, access)| match access {
                RowGroupAccess::Skip => None,
                RowGroupAccess::Scan => Some((group, None)),
                RowGroupAccess::Selection(selection) if !selection.selects_any() => None,
                RowGroupAccess::Selection(selection) => Some((group, Some(selection))),
            })
            .collect();
        steps.add(Step::RowGroupsExcludedByPages, before - kept.len());
        Ok(kept)
    }

    /// Whether a row group may have rows that are wanted, by the bounds of its columns.
    pub fn may_hold(&self, open: &OpenFile, group: usize, metrics: &ParquetFileMetrics) -> bool {
        let Some(predicate) = &self.predicate else { return true };
        let mut plan = ParquetAccessPlan::new_none(open.metadata.metadata().num_row_groups());
        plan.scan(group);
        let mut groups = RowGroupAccessPlanFilter::new(plan);
        let all = open.metadata.metadata().row_groups();
        groups.prune_by_statistics(open.schema(), open.metadata.parquet_schema(), all, predicate, metrics);
        !groups.is_empty()
    }

    /// Compares with the bounds of pages, where the file has them.
    async fn pages(
        &self,
        plan: ParquetAccessPlan,
        scanned: &Scanned,
        open: &mut OpenFile,
        metrics: &ParquetFileMetrics,
    ) -> Result<ParquetAccessPlan> {
        let pages = PagePruningAccessPlanFilter::new(&self.expr, open.schema().clone());
        let has_index =
            |group: &usize| open.row_group(*group).columns().iter().any(|it| it.column_index_offset().is_some());
        if pages.filter_number() == 0 || !plan.row_group_indexes().iter().any(has_index) {
            return Ok(plan);
        }
        let footer = scanned.reading.footers.with_page_index(&open.file, open.metadata.metadata()).await?;
        let options = ArrowReaderOptions::new().with_schema(open.schema().clone());
        open.metadata = ArrowReaderMetadata::try_new(footer, options)?;
        let metadata = open.metadata.metadata();
        Ok(pages.prune_plan_with_page_index(plan, open.schema(), open.metadata.parquet_schema(), metadata, metrics))
    }
}

/// The bloom filters of the columns that are compared for equality, of the row groups that are left.
async fn blooms(
    scanned: &Scanned,
    open: &OpenFile,
    groups: &RowGroupAccessPlanFilter,
    predicate: &PruningPredicate,
) -> Vec<BloomFilterStatistics> {
    let mut blooms = vec![BloomFilterStatistics::new(); open.metadata.metadata().num_row_groups()];
    let parquet = open.metadata.parquet_schema();
    for name in predicate.literal_columns() {
        let column = StatisticsConverter::try_new(&name, open.schema(), parquet).ok();
        let Some(leaf) = column.and_then(|column| column.parquet_column_index()) else { continue };
        let (data_type, length) = (parquet.column(leaf).physical_type(), parquet.column(leaf).type_length());
        for group in groups.row_group_indexes() {
            let bloom = scanned.reading.footers.bloom(&open.file, &open.metadata, group, leaf).await;
            if let Some(bloom) = bloom {
                blooms[group].insert(&name, bloom.as_ref().clone(), data_type, length);
            }
        }
    }
    blooms
}
