//! Between how values are carried in flight and how they are at rest.
//!
//! Arrow's cast does it, but for intervals: at rest they are structs of months, days and microseconds; and for what may
//! have intervals in it.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Int32Array, Int64Array, IntervalMonthDayNanoArray, ListArray, StructArray,
};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Fields, Int32Type, Int64Type, IntervalMonthDayNano, IntervalMonthDayNanoType, IntervalUnit,
};
use arrow::error::ArrowError;

/// Nanoseconds of a microsecond.
const MICROSECOND_NS: i64 = 1000;

/// The column in the other representation.
///
/// # Errors
/// The column is in neither: a bug, or bytes of another version.
pub fn convert(array: &ArrayRef, target: &DataType) -> Result<ArrayRef, ArrowError> {
    match (array.data_type(), target) {
        (same, target) if same == target => Ok(Arc::clone(array)),
        (DataType::Interval(IntervalUnit::MonthDayNano), DataType::Struct(fields)) => to_fields(array, fields),
        (DataType::Struct(_), DataType::Interval(IntervalUnit::MonthDayNano)) => from_fields(array.as_struct()),
        (DataType::List(_), DataType::List(item)) => {
            let lists = array.as_list::<i32>();
            let values = convert(lists.values(), item.data_type())?;
            let lists = ListArray::try_new(item.clone(), lists.offsets().clone(), values, lists.nulls().cloned())?;
            Ok(Arc::new(lists))
        }
        // Fields of a composite type keep their places.
        (DataType::Struct(from), DataType::Struct(to)) if from.len() == to.len() => {
            let record = array.as_struct();
            let columns = record.columns().iter().zip(to).map(|(column, field)| convert(column, field.data_type()));
            let columns = columns.collect::<Result<Vec<_>, _>>()?;
            Ok(Arc::new(StructArray::try_new(to.clone(), columns, record.nulls().cloned())?))
        }
        (_, target) => cast(array, target),
    }
}

fn to_fields(array: &ArrayRef, fields: &Fields) -> Result<ArrayRef, ArrowError> {
    let values = array.as_primitive::<IntervalMonthDayNanoType>().values();
    let months: Int32Array = values.iter().map(|value| value.months).collect();
    let days: Int32Array = values.iter().map(|value| value.days).collect();
    let microseconds: Int64Array = values.iter().map(|value| value.nanoseconds / MICROSECOND_NS).collect();
    let columns: Vec<ArrayRef> = vec![Arc::new(months), Arc::new(days), Arc::new(microseconds)];
    Ok(Arc::new(StructArray::try_new(fields.clone(), columns, array.nulls().cloned())?))
}

fn from_fields(fields: &StructArray) -> Result<ArrayRef, ArrowError> {
    let wrong = || ArrowError::CastError("an interval at rest has three fields".to_owned());
    let [months, days, microseconds] = fields.columns() else { return Err(wrong()) };
    let months = months.as_primitive_opt::<Int32Type>().ok_or_else(wrong)?;
    let days = days.as_primitive_opt::<Int32Type>().ok_or_else(wrong)?;
    let microseconds = microseconds.as_primitive_opt::<Int64Type>().ok_or_else(wrong)?;
    let too_long = || ArrowError::CastError("an interval at rest is too long".to_owned());
    let values: Result<Vec<_>, ArrowError> = (0..fields.len())
        .map(|row| {
            let nanoseconds = microseconds.value(row).checked_mul(MICROSECOND_NS).ok_or_else(too_long)?;
            Ok(IntervalMonthDayNano::new(months.value(row), days.value(row), nanoseconds))
        })
        .collect();
    Ok(Arc::new(IntervalMonthDayNanoArray::new(values?.into(), fields.nulls().cloned())))
}
