//! Rows in the order of a table's sort key, so that zone maps tell much about few row groups.

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::interleave_record_batch;
use arrow::error::ArrowError;
use arrow::row::{RowConverter, Rows, SortField};
use catalog::HotTable;

/// The columns that a table's rows are sorted by, by position. Those whose values have no order at rest say nothing about
/// where rows are, so they are left out.
pub(super) fn sort_key(table: &HotTable) -> Vec<usize> {
    let place = |number: &i16| table.columns.iter().position(|column| column.attribute_number == *number);
    let mut key: Vec<usize> = table.sort_key.iter().filter_map(place).collect();
    key.retain(|column| {
        let field = SortField::new(table.columns[*column].sql_type.at_rest());
        RowConverter::supports_fields(&[field])
    });
    key
}

/// Rows of several batches, by batch and position in it, in the order of their columns at `key`; rows that are equal stay
/// in their order.
///
/// # Errors
/// The batches have other columns: a bug.
pub(super) fn order(batches: &[RecordBatch], key: &[usize]) -> Result<Vec<(usize, usize)>, ArrowError> {
    let Some(first) = batches.first() else { return Ok(Vec::new()) };
    let schema = first.schema();
    let fields = key.iter().map(|column| SortField::new(schema.field(*column).data_type().clone()));
    let converter = RowConverter::new(fields.collect())?;
    let values = |batch: &RecordBatch| -> Result<Rows, ArrowError> {
        let columns: Vec<ArrayRef> = key.iter().map(|column| batch.column(*column).clone()).collect();
        converter.convert_columns(&columns)
    };
    let values = batches.iter().map(values).collect::<Result<Vec<_>, _>>()?;
    let rows = batches.iter().enumerate().flat_map(|(at, batch)| (0..batch.num_rows()).map(move |row| (at, row)));
    let mut order: Vec<(usize, usize)> = rows.collect();
    order.sort_unstable_by(|left, right| {
        values[left.0].row(left.1).cmp(&values[right.0].row(right.1)).then_with(|| left.cmp(right))
    });
    Ok(order)
}

/// Rows of several batches in an order.
///
/// # Errors
/// The batches have other columns than one another: a bug.
pub(super) fn in_order(batches: &[RecordBatch], order: &[(usize, usize)]) -> Result<RecordBatch, ArrowError> {
    let batches: Vec<&RecordBatch> = batches.iter().collect();
    interleave_record_batch(&batches, order)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{AsArray, Int32Array, StringArray};
    use arrow::datatypes::Int32Type;
    use std::sync::Arc;

    fn batch(numbers: Vec<i32>, texts: Vec<&str>) -> RecordBatch {
        let numbers: ArrayRef = Arc::new(Int32Array::from(numbers));
        let texts: ArrayRef = Arc::new(StringArray::from(texts));
        RecordBatch::try_from_iter([("n", numbers), ("t", texts)]).unwrap()
    }

    #[test]
    fn rows_of_several_batches_are_put_in_order() {
        let batches = [batch(vec![1, 2, 3], vec!["b", "a", "b"]), batch(vec![4, 5], vec!["a", "a"])];
        let order = order(&batches, &[1]).unwrap();
        assert_eq!(order, [(0, 1), (1, 0), (1, 1), (0, 0), (0, 2)]);
        let sorted = in_order(&batches, &order).unwrap();
        assert_eq!(sorted.column(0).as_primitive::<Int32Type>().values(), &[2, 4, 5, 1, 3]);
    }
}
