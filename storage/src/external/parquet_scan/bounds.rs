//! The least and the greatest values of a row group's columns, as the footer tells them: all that MIN and MAX want to know.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, new_null_array};
use arrow::compute::concat;
use arrow::datatypes::{DataType, Schema};
use arrow::record_batch::RecordBatch;
use datafusion::common::Result;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{CastExpr, Column};
use datafusion::scalar::ScalarValue;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::basic::Type;

use super::super::coerced_column::CoercedColumn;
use super::super::coercion::Coercion;
use super::open_file::{FileValues, InFile, OpenFile};
use super::row_group::{RowGroup, Values};
use crate::column_cache::{BATCH_ROWS, CachedColumn};
use crate::scan::bounds::BoundsWith;

/// Rows that stand for all where bounds alone are wanted.
const ROWS: usize = 2;

impl RowGroup {
    /// Takes what the footer tells of columns for their values, where that is all that is wanted.
    ///
    /// # Errors
    /// A value is none of the declared type.
    pub fn take_bounds(&mut self) -> Result<()> {
        let Some(with) = self.scanned.bounds.filter(|_| self.rows > 0) else { return Ok(()) };
        let (mut known, mut are_all_known) = (Vec::new(), true);
        for place in self.scanned.needed() {
            let InFile::Values(values) = self.open.column(place)? else { continue };
            match Bounds::of(values, &self.open, self.group)? {
                Some(bounds) => known.push((place, bounds)),
                None => are_all_known = false,
            }
        }
        match with {
            BoundsWith::Nothing if are_all_known => {
                (self.selection, self.rows) = (None, ROWS);
                self.columns.extend(known.into_iter().map(|(place, bounds)| (place, Values::All(bounds.alone()))));
            }
            BoundsWith::Counts if self.selection.is_none() => {
                for (place, bounds) in known {
                    self.columns.insert(place, Values::Batches(Arc::new(bounds.of_rows(self.rows)?)));
                }
            }
            BoundsWith::Nothing | BoundsWith::Counts => {}
        }
        Ok(())
    }
}

/// What a footer says of a column in a row group, as values of the scan's column.
pub(super) struct Bounds {
    /// The least value and the greatest, or NULL twice if there are no others.
    extremes: ArrayRef,
    nulls: usize,
}

impl Bounds {
    /// Of a row group that has rows; `None` if the footer does not tell, or may not be right to the last digit.
    ///
    /// # Errors
    /// The values are none of the declared type.
    pub fn of(values: &FileValues, open: &OpenFile, group: usize) -> Result<Option<Self>> {
        let [leaf] = values.leaves[..] else { return Ok(None) };
        let field = open.schema().field(values.root());
        if !is_ordered(field.data_type()) || !keeps_order(values.expr()) {
            return Ok(None);
        }
        let Some(written) = open.row_group(group).column(leaf).statistics() else { return Ok(None) };
        let Some(nulls) = written.null_count_opt().and_then(|nulls| usize::try_from(nulls).ok()) else {
            return Ok(None);
        };
        let has_only_nulls = nulls == open.rows(group);
        let Some(extremes) = extremes(open, values, leaf, group)? else { return Ok(None) };
        // Of texts they may have been cut off, and the oldest writers compared bytes as numbers with a sign.
        let is_exact = match written.physical_type() {
            Type::BYTE_ARRAY | Type::FIXED_LEN_BYTE_ARRAY => written.min_is_exact() && written.max_is_exact(),
            Type::INT32 | Type::INT64 => !written.is_min_max_deprecated(),
            _ => false,
        };
        let is_known = if has_only_nulls { extremes.null_count() == 2 } else { is_exact && extremes.null_count() == 0 };
        if !is_known {
            return Ok(None);
        }
        let schema = Arc::new(Schema::new(vec![field.clone().with_nullable(true)]));
        let extremes = values.evaluate(open, &RecordBatch::try_new(schema, vec![extremes])?)?;
        Ok(Some(Bounds { extremes, nulls }))
    }

    /// Two rows, one with the least value and one with the greatest.
    pub fn alone(self) -> ArrayRef {
        self.extremes
    }

    /// As many values as there are rows, as many of them NULL, with the same least and the same greatest one.
    ///
    /// # Errors
    /// None but bugs.
    pub fn of_rows(&self, rows: usize) -> Result<CachedColumn> {
        let greatest = ScalarValue::try_from_array(&self.extremes, 1)?.to_array_of_size(rows.min(BATCH_ROWS))?;
        let batch = |start: usize| {
            let length = BATCH_ROWS.min(rows - start);
            let nulls = self.nulls.saturating_sub(start).min(length);
            let least = usize::from((start..start + length).contains(&self.nulls));
            let greatest = greatest.slice(0, length - nulls - least);
            if nulls + least == 0 {
                return Ok(greatest);
            }
            let nulls = new_null_array(self.extremes.data_type(), nulls);
            Ok(concat(&[nulls.as_ref(), &self.extremes.slice(0, least), &greatest])?)
        };
        Ok(CachedColumn::for_once((0..rows).step_by(BATCH_ROWS).map(batch).collect::<Result<_>>()?))
    }
}

/// The least and the greatest value of a column of a file, as it is there.
fn extremes(open: &OpenFile, values: &FileValues, leaf: usize, group: usize) -> Result<Option<ArrayRef>> {
    let name = open.schema().field(values.root()).name();
    let column = StatisticsConverter::try_new(name, open.schema(), open.metadata.parquet_schema())?;
    if column.parquet_column_index() != Some(leaf) {
        return Ok(None);
    }
    let group = [open.row_group(group)];
    let (least, greatest) = (column.row_group_mins(group)?, column.row_group_maxes(group)?);
    Ok(Some(concat(&[least.as_ref(), &greatest])?))
}

/// Whether the values of a type have one order, in files and here. Floating-point numbers do not: NaN is left out of bounds, and
/// zero has a sign.
fn is_ordered(data_type: &DataType) -> bool {
    let is_number = data_type.is_integer() || data_type.is_decimal();
    let is_time = matches!(data_type, DataType::Date32 | DataType::Timestamp(..) | DataType::Time64(_));
    is_number || is_time || matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

/// Whether what becomes of a column's values has the order that they have, and is an error for none between two for which it is
/// not.
fn keeps_order(expr: &Arc<dyn PhysicalExpr>) -> bool {
    let is_column = |expr: &Arc<dyn PhysicalExpr>| expr.downcast_ref::<Column>().is_some();
    if let Some(coerced) = expr.downcast_ref::<CoercedColumn>() {
        return is_column(&coerced.column)
            && matches!(coerced.target.coercion, Coercion::CheckedCast | Coercion::Time(_));
    }
    // An adapter casts in this way where two values compare as before.
    is_column(expr) || expr.downcast_ref::<CastExpr>().is_some_and(|cast| is_column(cast.expr()))
}
