//! Rows of a hot table at rest and in flight.
//!
//! At rest, columns are named by attribute number, never by name, and have their types at rest: a table may rename or drop
//! columns without its rows being touched.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use catalog::{Column, HotTable};

use super::representation;

/// The columns of a table at rest.
pub fn stored_schema(table: &HotTable) -> SchemaRef {
    let field = |column: &Column| Field::new(column.stored_name(), column.sql_type.at_rest(), true);
    Arc::new(Schema::new(table.columns.iter().map(field).collect::<Vec<_>>()))
}

/// Rows at rest, of rows whose columns are those of the table in flight.
///
/// # Errors
/// A column has another type: a bug.
pub fn at_rest(table: &HotTable, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let schema = stored_schema(table);
    let columns = schema.fields().iter().zip(batch.columns());
    let columns = columns.map(|(field, array)| representation::convert(array, field.data_type()));
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(schema.clone(), columns.collect::<Result<_, _>>()?, &options)
}

/// Values of a column in flight, at rest.
///
/// # Errors
/// They are of another type: a bug.
pub fn value_at_rest(column: &Column, values: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    representation::convert(values, &column.sql_type.at_rest())
}

/// A column of rows that were stored before it was added, at rest.
///
/// # Errors
/// They are too many for one array.
pub fn missing_at_rest(column: &Column, rows: usize) -> Result<ArrayRef, ArrowError> {
    let at_rest = column.sql_type.at_rest();
    match &column.missing {
        Some(value) => representation::convert(&value.repeated(rows)?, &at_rest),
        None => Ok(new_null_array(&at_rest, rows)),
    }
}

/// [`missing_at_rest`], in flight.
///
/// # Errors
/// As there.
pub fn missing_in_flight(column: &Column, rows: usize) -> Result<ArrayRef, ArrowError> {
    representation::convert(&missing_at_rest(column, rows)?, &column.sql_type.in_flight())
}

/// Values in flight, of values at rest or in flight.
///
/// # Errors
/// They are of another type: a bug, or bytes of another version.
pub fn in_flight(stored: &ArrayRef, target: &DataType) -> Result<ArrayRef, ArrowError> {
    representation::convert(stored, target)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Decimal128Array, Int32Array, IntervalMonthDayNanoArray, ListArray, StringViewArray};
    use arrow::buffer::OffsetBuffer;
    use arrow::datatypes::IntervalMonthDayNano;
    use catalog::types::NumericSize;
    use catalog::{ObjectName, Oid, SqlType};

    fn column(attribute_number: i16, name: &str, sql_type: SqlType) -> Column {
        Column::new(attribute_number, name, sql_type)
    }

    fn table(columns: Vec<Column>) -> HotTable {
        HotTable::new(Oid(1), ObjectName::new("public", "t"), columns)
    }

    fn there_and_back(table: &HotTable, columns: Vec<ArrayRef>) {
        let batch = RecordBatch::try_new(table.arrow_schema(), columns).unwrap();
        let stored = at_rest(table, &batch).unwrap();
        for (column, array) in table.columns.iter().zip(batch.columns()) {
            let values = stored.column_by_name(&column.stored_name()).unwrap();
            assert_eq!(&in_flight(values, &column.sql_type.in_flight()).unwrap(), array);
        }
    }

    #[test]
    fn rows_come_back_as_they_were() {
        let price = SqlType::Numeric(Some(NumericSize { precision: 15, scale: 2 }));
        let table = table(vec![
            column(1, "id", SqlType::Integer),
            column(2, "p", price.clone()),
            column(3, "n", SqlType::Text),
        ]);
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int32Array::from(vec![Some(1), None])),
            Arc::new(Decimal128Array::from(vec![Some(-12345), None]).with_data_type(price.in_flight())),
            Arc::new(StringViewArray::from(vec![Some("a string of more than twelve bytes"), None])),
        ];
        there_and_back(&table, columns);
    }

    #[test]
    fn intervals_and_arrays_of_them_come_back_as_they_were() {
        let intervals: ArrayRef = Arc::new(IntervalMonthDayNanoArray::from(vec![
            Some(IntervalMonthDayNano::new(1, -2, 3_000)),
            None,
            Some(IntervalMonthDayNano::new(0, 0, -1_000)),
        ]));
        let array = SqlType::array_of(SqlType::Interval);
        let DataType::List(item) = array.in_flight() else { unreachable!("an array") };
        let offsets = OffsetBuffer::from_lengths([2, 0, 1]);
        let lists = ListArray::new(item, offsets, intervals.clone(), Some(vec![true, false, true].into()));
        let table = table(vec![column(1, "i", SqlType::Interval), column(2, "a", array)]);
        there_and_back(&table, vec![intervals, Arc::new(lists)]);
    }
}
