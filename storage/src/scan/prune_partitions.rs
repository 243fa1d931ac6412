//! Partitions that filters exclude, found before anything is listed.
//!
//! A filter over partition columns alone is evaluated on the partitions' values, as on any other rows. So everything that
//! an expression can say works: casts, functions, `IN`, `OR`, `IS NULL`.

use std::sync::Arc;

use arrow::array::{Array, RecordBatch, RecordBatchOptions};
use arrow::compute::filter_record_batch;
use arrow::datatypes::SchemaRef;
use datafusion::catalog::Session;
use datafusion::common::cast::as_boolean_array;
use datafusion::common::{Result, ToDFSchema};
use datafusion::logical_expr::Expr;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::scalar::ScalarValue;

/// Whether a filter's outcome is the same for all rows of a partition, and known from the partition's values.
pub fn is_partition_filter(filter: &Expr, partition_columns: &SchemaRef) -> bool {
    let columns = filter.column_refs();
    !columns.is_empty()
        && columns.iter().all(|column| partition_columns.column_with_name(&column.name).is_some())
        && is_plain(filter)
}

/// Whether a filter can be evaluated apart from its query, as often as one likes.
pub fn is_plain(filter: &Expr) -> bool {
    !filter.is_volatile() && !filter.contains_outer() && !contains_subquery(filter)
}

fn contains_subquery(filter: &Expr) -> bool {
    use datafusion::common::tree_node::TreeNode;
    let is_subquery = |expr: &Expr| {
        Ok(matches!(expr, Expr::ScalarSubquery(_) | Expr::InSubquery(_) | Expr::Exists(_) | Expr::SetComparison(_)))
    };
    filter.exists(is_subquery).unwrap_or(true)
}

/// Filters over partition columns, ready to be asked about partitions.
pub struct PartitionFilters(Vec<Arc<dyn PhysicalExpr>>);

impl PartitionFilters {
    /// Filters over these columns.
    ///
    /// # Errors
    /// A filter that cannot be evaluated.
    pub fn new(session: &dyn Session, partition_columns: &SchemaRef, filters: &[Expr]) -> Result<Self> {
        let schema = partition_columns.clone().to_dfschema()?;
        let filters = filters.iter().map(|filter| session.create_physical_expr(filter.clone(), &schema));
        Ok(PartitionFilters(filters.collect::<Result<_>>()?))
    }

    /// The partitions that all filters let through, by their position; each is a row of its values. NULL does not let a
    /// partition through, as it does not let a row through.
    ///
    /// # Errors
    /// A filter that cannot be evaluated.
    pub fn kept(&self, partitions: &RecordBatch) -> Result<Vec<usize>> {
        let mut kept: Vec<usize> = (0..partitions.num_rows()).collect();
        let mut left = partitions.clone();
        // One by one: a filter that fails for a partition is not asked about one that an earlier filter excludes.
        for filter in &self.0 {
            if left.num_rows() == 0 {
                break;
            }
            let outcome = filter.evaluate(&left)?.into_array(left.num_rows())?;
            let outcome = as_boolean_array(&outcome)?;
            let lets_through = |row: usize| outcome.is_valid(row) && outcome.value(row);
            kept = kept.into_iter().enumerate().filter(|(row, _)| lets_through(*row)).map(|(_, index)| index).collect();
            left = filter_record_batch(&left, outcome)?;
        }
        Ok(kept)
    }
}

/// The partitions that all filters let through, by their position.
///
/// # Errors
/// A filter that cannot be evaluated.
pub fn prune_partitions(
    session: &dyn Session,
    partition_columns: &SchemaRef,
    partitions: &[Vec<ScalarValue>],
    filters: &[Expr],
) -> Result<Vec<usize>> {
    if partitions.is_empty() {
        return Ok(Vec::new());
    }
    let filters = PartitionFilters::new(session, partition_columns, filters)?;
    filters.kept(&rows(partition_columns, partitions)?)
}

/// The values of partitions, a row for each.
///
/// # Errors
/// A value is none of its column's type: a bug.
pub fn rows(partition_columns: &SchemaRef, partitions: &[Vec<ScalarValue>]) -> Result<RecordBatch> {
    let column = |index: usize| ScalarValue::iter_to_array(partitions.iter().map(|values| values[index].clone()));
    let columns = (0..partition_columns.fields().len()).map(column).collect::<Result<_>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(partitions.len()));
    Ok(RecordBatch::try_new_with_options(partition_columns.clone(), columns, &options)?)
}
