//! Keys that the engine orders as PostgreSQL orders the values: of types whose Arrow values have another order.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Decimal128Array, Int32Array, Int64Array, ListArray, StructArray};
use arrow::compute::SortOptions;
use arrow::datatypes::{
    DataType, Field, Fields, Int32Type, IntervalMonthDayNanoType, IntervalUnit, Time64MicrosecondType,
};
use arrow::row::{RowConverter, Rows, SortField};

use crate::datetime::{DAY_US, Interval, SECOND_US};
use crate::error::{PgError, Result};
use crate::expression_type::{Type, list_of};
use crate::library::text::blanks::trimmed_column;

/// Ascending, NULLs last: PostgreSQL's order when none is asked for.
pub(super) const ASCENDING: SortOptions = SortOptions { descending: false, nulls_first: false };

/// An interval's place in the order: a month has thirty days, a day 24 hours.
pub(super) fn interval_key(interval: Interval) -> i128 {
    let days = i128::from(interval.months) * 30 + i128::from(interval.days);
    days * i128::from(DAY_US) + i128::from(interval.time_us)
}

/// A time with time zone's place in the order: by the time in UTC, then by the zone, the most western last.
pub(super) fn timetz_key(time_us: i64, offset_s: i32) -> (i64, i32) {
    (time_us - i64::from(offset_s) * SECOND_US, -offset_s)
}

/// The column as values that the engine orders and compares as PostgreSQL does these.
pub(super) fn comparable(array: &ArrayRef) -> Result<ArrayRef> {
    Ok(match array.data_type() {
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            let intervals = array.as_primitive::<IntervalMonthDayNanoType>().iter();
            let keys = intervals.map(|value| {
                value.map(|it| {
                    interval_key(Interval { months: it.months, days: it.days, time_us: it.nanoseconds / 1000 })
                })
            });
            Arc::new(keys.collect::<Decimal128Array>())
        }
        DataType::Struct(fields) if is_timetz(fields) => comparable_timetz(array.as_struct())?,
        DataType::Struct(fields) => {
            let record = array.as_struct();
            if fields.is_empty() {
                return Ok(array.clone());
            }
            let columns = record.columns().iter().map(comparable).collect::<Result<Vec<_>>>()?;
            struct_of(columns, record)?
        }
        DataType::List(_) => {
            let list = array.as_list::<i32>();
            let elements = comparable(list.values())?;
            let DataType::List(field) = list_of(elements.data_type().clone()) else {
                return Err(PgError::internal("an array's key is an array"));
            };
            Arc::new(ListArray::try_new(field, list.offsets().clone(), elements, list.nulls().cloned())?)
        }
        _ => array.clone(),
    })
}

fn is_timetz(fields: &Fields) -> bool {
    fields.len() == 2 && matches!(fields[0].data_type(), DataType::Time64(_)) && fields[1].name() == "offset"
}

fn comparable_timetz(values: &StructArray) -> Result<ArrayRef> {
    let times = values.column(0).as_primitive::<Time64MicrosecondType>().values().iter();
    let offsets = values.column(1).as_primitive::<Int32Type>().values().iter();
    let (times, offsets): (Vec<i64>, Vec<i32>) =
        times.zip(offsets).map(|(time_us, offset_s)| timetz_key(*time_us, *offset_s)).unzip();
    struct_of(vec![Arc::new(Int64Array::from(times)), Arc::new(Int32Array::from(offsets))], values)
}

fn struct_of(columns: Vec<ArrayRef>, like: &StructArray) -> Result<ArrayRef> {
    let fields = columns.iter().enumerate();
    let fields: Fields =
        fields.map(|(position, it)| Field::new(position.to_string(), it.data_type().clone(), true)).collect();
    Ok(Arc::new(StructArray::try_new(fields, columns, like.nulls().cloned())?))
}

/// Orders rows of columns.
pub(super) struct Order(RowConverter);

impl Order {
    /// By columns of these types.
    pub(super) fn new(columns: impl IntoIterator<Item = (DataType, SortOptions)>) -> Result<Self> {
        let fields = columns.into_iter().map(|(ty, options)| SortField::new_with_options(ty, options)).collect();
        Ok(Order(RowConverter::new(fields)?))
    }

    /// The rows as keys, whose bytes are in order.
    pub(super) fn keys(&self, columns: &[ArrayRef]) -> Result<Rows> {
        Ok(self.0.convert_columns(columns)?)
    }
}

/// As [`comparable`], of a column of this type.
pub(super) fn comparable_as(ty: &Type, array: &ArrayRef) -> Result<ArrayRef> {
    if ty.carries_blanks() { Ok(trimmed_column(array)) } else { comparable(array) }
}

/// Keys of rows of columns of these types, in ascending order.
pub(super) fn typed_keys(columns: &[ArrayRef], types: &[Type]) -> Result<Rows> {
    let columns = columns.iter().zip(types).map(|(column, ty)| comparable_as(ty, column));
    keys_of(&columns.collect::<Result<Vec<_>>>()?)
}

/// Keys of rows of these columns, in ascending order.
pub(super) fn keys_of(columns: &[ArrayRef]) -> Result<Rows> {
    let columns = columns.iter().map(comparable).collect::<Result<Vec<_>>>()?;
    Order::new(columns.iter().map(|column| (column.data_type().clone(), ASCENDING)))?.keys(&columns)
}
