//! Which pieces cannot have rows for a condition, from what the commit store keeps of row groups: the least and the
//! greatest value of each column, and how many are NULL.
//!
//! Conditions are compared by the operators that rows are compared by, Arrow's; the bounds have been found by the same
//! order, and neither depends on how values are carried. A type whose SQL order is another has operators of its own, which
//! say nothing here. Deleted rows are within the bounds too, so bounds may be wider than the rows, never narrower.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, UInt64Array, new_null_array};
use arrow::compute::interleave;
use arrow::datatypes::SchemaRef;
use catalog::HotTable;
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::{Column, ScalarValue};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;
use tracing::debug;

use super::pieces::{Piece, Place};
use crate::hot::representation;
use crate::hot::segments::details::ColumnDetails;

/// What is known of some pieces.
pub(super) struct ZoneMaps<'a> {
    pub table: &'a HotTable,
    pub pieces: &'a [Piece],
}

/// Which of the two bounds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Bound {
    Least,
    Greatest,
}

impl ZoneMaps<'_> {
    /// Of each piece, whether it may have rows for which the condition, on columns of `schema`, holds.
    pub fn may_hold(&self, condition: &Arc<dyn PhysicalExpr>, schema: &SchemaRef) -> Vec<bool> {
        let all = || vec![true; self.pieces.len()];
        let predicate = PruningPredicateBuilder::new().with_file_schema(schema.clone()).build(condition.clone());
        let Some(predicate) = predicate else { return all() };
        // A cast of a bound can fail although that of no row does; then nothing is known.
        predicate.prune(self).unwrap_or_else(|error| {
            debug!(%error, "a condition cannot be compared with zone maps");
            all()
        })
    }

    /// A bound of a column in each piece, in flight; NULL where it is not known.
    pub fn bounds(&self, column: usize, which: Bound) -> Option<ArrayRef> {
        let column = self.table.columns.get(column)?;
        let (stored, at_rest) = (column.stored_name(), column.sql_type.at_rest());
        let unknown = new_null_array(&at_rest, 1);
        let mut arrays = vec![unknown.as_ref()];
        let mut picks = Vec::with_capacity(self.pieces.len());
        let mut current: Option<*const ColumnDetails> = None;
        for piece in self.pieces {
            let details = details(piece, &stored);
            // One that has been written with another type is not compared.
            let bounds = details.and_then(|(details, group)| match (&details.bounds, which) {
                (Some((least, _)), Bound::Least) if *least.data_type() == at_rest => Some((details, least, group)),
                (Some((_, greatest)), Bound::Greatest) if *greatest.data_type() == at_rest => {
                    Some((details, greatest, group))
                }
                _ => None,
            });
            let Some((details, bounds, group)) = bounds else {
                picks.push((0, 0));
                continue;
            };
            if current != Some(std::ptr::from_ref(details)) {
                current = Some(std::ptr::from_ref(details));
                arrays.push(bounds.as_ref());
            }
            picks.push((arrays.len() - 1, group));
        }
        if arrays.len() == 1 {
            return None;
        }
        let bounds = interleave(&arrays, &picks).ok()?;
        representation::convert(&bounds, &column.sql_type.in_flight()).ok()
    }

    /// How many values of a column are NULL in each piece, deleted rows included; NULL where it is not known.
    pub fn nulls(&self, column: usize) -> Option<UInt64Array> {
        let stored = self.table.columns.get(column)?.stored_name();
        let nulls = self.pieces.iter().map(|piece| match &piece.place {
            Place::RowGroup { .. } => details(piece, &stored).map(|(details, group)| details.nulls.value(group)),
            Place::Inline(rows) => rows.column_by_name(&stored).map(|values| values.null_count() as u64),
        });
        Some(nulls.collect())
    }

    fn place(&self, column: &Column) -> Option<usize> {
        self.table.columns.iter().position(|it| it.name == column.name)
    }
}

fn details<'p>(piece: &'p Piece, stored: &str) -> Option<(&'p ColumnDetails, usize)> {
    match &piece.place {
        Place::RowGroup { details, group, .. } => details.columns.get(stored).map(|column| (column, *group)),
        Place::Inline(_) => None,
    }
}

impl PruningStatistics for ZoneMaps<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bounds(self.place(column)?, Bound::Least)
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bounds(self.place(column)?, Bound::Greatest)
    }

    fn num_containers(&self) -> usize {
        self.pieces.len()
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        Some(Arc::new(self.nulls(self.place(column)?)?))
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        Some(Arc::new(self.pieces.iter().map(|piece| Some(piece.rows as u64)).collect::<UInt64Array>()))
    }

    fn contained(&self, _column: &Column, _values: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}
