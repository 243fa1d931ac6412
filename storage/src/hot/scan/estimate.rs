//! What is known of the rows of a scan before it runs: how many there are, and the bounds of their columns.

use arrow::array::{Array, ArrayRef, UInt64Array};
use arrow::datatypes::{DataType, Schema};
use catalog::HotTable;
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, Result, ScalarValue, Statistics};
use datafusion::functions_aggregate::min_max::{MaxAccumulator, MinAccumulator};
use datafusion::logical_expr::Accumulator;

use super::pieces::Piece;
use super::zone_maps::{Bound, ZoneMaps};
use crate::scan::knowledge::Knowledge;

/// Of so many rows one is taken to be left by conditions of which nothing is known, as the engine's filters do.
const LEFT_ONE_IN: usize = 5;
/// Bytes that a value without a fixed width is taken to have.
const WIDE_BYTES: usize = 32;
/// Bytes that Arrow's views, or offsets and the like, add to those of a value without a fixed width.
const VIEW_BYTES: usize = 16;

/// What the rows of a scan are estimated by.
pub(super) struct Estimate<'a> {
    pub table: &'a HotTable,
    pub pieces: &'a [Piece],
    /// What is known of the table.
    pub known: Option<&'a Knowledge>,
}

impl Estimate<'_> {
    /// What is known of the columns at `columns`, whose types are those of `schema`.
    pub fn of(&self, columns: &[usize], schema: &Schema, has_conditions: bool) -> Result<Statistics> {
        let all_rows: usize = self.pieces.iter().map(|piece| piece.rows).sum();
        let deleted: u64 = self.pieces.iter().map(|piece| piece.deleted).sum();
        let rows = all_rows - deleted as usize;
        let left = if has_conditions { rows.div_ceil(LEFT_ONE_IN) } else { rows };
        let is_exact = deleted == 0 && !has_conditions;
        let maps = ZoneMaps { table: self.table, pieces: self.pieces };
        let mut statistics = Statistics::new_unknown(schema);
        let mut width = 0;
        for (place, column) in columns.iter().enumerate() {
            let analyzed = self.analyzed(*column);
            width += width_of(schema.field(place).data_type(), analyzed);
            if *column < self.table.columns.len() {
                let measured = column_statistics(&maps, *column, all_rows)?;
                let measured = if is_exact { measured } else { measured.to_inexact() };
                statistics.column_statistics[place] = with_analyzed(measured, analyzed, rows, left);
            }
        }
        let bytes = Precision::Inexact(width.saturating_mul(left));
        statistics.num_rows = if has_conditions { Precision::Inexact(left) } else { Precision::Exact(rows) };
        statistics.total_byte_size = bytes;
        Ok(statistics)
    }

    fn analyzed(&self, column: usize) -> Option<&catalog::ColumnStatistics> {
        self.known?.column(column).map(AsRef::as_ref)
    }
}

/// Bytes of a value in flight.
fn width_of(data_type: &DataType, analyzed: Option<&catalog::ColumnStatistics>) -> usize {
    let fixed = data_type.primitive_width();
    fixed.or_else(|| Some(VIEW_BYTES + analyzed?.average_width as usize)).unwrap_or(WIDE_BYTES)
}

/// What was measured, and where nothing was, what ANALYZE has found out: it was so once, of the rows that there were then, and
/// is never exact.
fn with_analyzed(
    measured: ColumnStatistics,
    analyzed: Option<&catalog::ColumnStatistics>,
    rows: usize,
    left: usize,
) -> ColumnStatistics {
    let Some(analyzed) = analyzed else { return measured };
    let distinct = analyzed.distinct_of(rows as u64).map(|distinct| (distinct as usize).min(left));
    let nulls = (f64::from(analyzed.null_fraction) * left as f64).round() as usize;
    ColumnStatistics {
        distinct_count: distinct.map_or(Precision::Absent, Precision::Inexact),
        null_count: match measured.null_count {
            Precision::Absent => Precision::Inexact(nulls),
            known => known,
        },
        ..measured
    }
}

/// A column's, as if no row were deleted.
fn column_statistics(maps: &ZoneMaps, column: usize, rows: usize) -> Result<ColumnStatistics> {
    let nulls = maps.nulls(column);
    let all_known = nulls.as_ref().filter(|nulls| rows > 0 && nulls.null_count() == 0);
    let null_count = all_known.map(|nulls| nulls.values().iter().sum::<u64>() as usize);
    let bound = |which: Bound| -> Result<Precision<ScalarValue>> {
        let Some(bounds) = maps.bounds(column, which) else { return Ok(Precision::Absent) };
        let value = extreme(&bounds, which)?;
        if value.is_null() {
            return Ok(Precision::Absent);
        }
        let is_known = |piece: usize| {
            let only_nulls =
                |nulls: &UInt64Array| nulls.is_valid(piece) && nulls.value(piece) == maps.pieces[piece].rows as u64;
            bounds.is_valid(piece) || nulls.as_ref().is_some_and(only_nulls)
        };
        let is_exact = has_one_zero(bounds.data_type()) && (0..bounds.len()).all(is_known);
        Ok(if is_exact { Precision::Exact(value) } else { Precision::Inexact(value) })
    };
    let mut statistics = ColumnStatistics::new_unknown();
    statistics.null_count = null_count.map_or(Precision::Absent, Precision::Exact);
    statistics.min_value = bound(Bound::Least)?;
    statistics.max_value = bound(Bound::Greatest)?;
    Ok(statistics)
}

fn extreme(bounds: &ArrayRef, which: Bound) -> Result<ScalarValue> {
    let values = std::slice::from_ref(bounds);
    match which {
        Bound::Least => {
            let mut least = MinAccumulator::try_new(bounds.data_type())?;
            least.update_batch(values)?;
            least.evaluate()
        }
        Bound::Greatest => {
            let mut greatest = MaxAccumulator::try_new(bounds.data_type())?;
            greatest.update_batch(values)?;
            greatest.evaluate()
        }
    }
}

/// Whether values that are equal are the same. Numbers with a sign at zero are not, so a bound of theirs is not the answer
/// to a question for the least.
fn has_one_zero(data_type: &DataType) -> bool {
    !data_type.is_floating()
}
