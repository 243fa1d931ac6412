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

/// Of so many rows one is taken to be left by conditions of which nothing is known, as the engine's filters do.
const LEFT_ONE_IN: usize = 5;
/// Bytes that a value without a fixed width is taken to have.
const WIDE_BYTES: usize = 32;

/// What is known of the columns at `columns`, whose types are those of `schema`.
pub(super) fn estimate(
    table: &HotTable,
    pieces: &[Piece],
    columns: &[usize],
    schema: &Schema,
    has_conditions: bool,
) -> Result<Statistics> {
    let all_rows: usize = pieces.iter().map(|piece| piece.rows).sum();
    let deleted: u64 = pieces.iter().map(|piece| piece.deleted).sum();
    let rows = all_rows - deleted as usize;
    let is_exact = deleted == 0 && !has_conditions;
    let maps = ZoneMaps { table, pieces };
    let mut statistics = Statistics::new_unknown(schema);
    for (place, column) in columns.iter().enumerate() {
        if *column < table.columns.len() {
            let known = column_statistics(&maps, *column, all_rows)?;
            statistics.column_statistics[place] = if is_exact { known } else { known.to_inexact() };
        }
    }
    let width = schema.fields().iter().map(|field| field.data_type().primitive_width().unwrap_or(WIDE_BYTES));
    let bytes = width.sum::<usize>().saturating_mul(rows);
    (statistics.num_rows, statistics.total_byte_size) = match has_conditions {
        true => (Precision::Inexact(rows.div_ceil(LEFT_ONE_IN)), Precision::Inexact(bytes.div_ceil(LEFT_ONE_IN))),
        false => (Precision::Exact(rows), Precision::Inexact(bytes)),
    };
    Ok(statistics)
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
