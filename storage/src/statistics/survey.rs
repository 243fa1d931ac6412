//! What is counted over all rows of a column, and the sample that is taken meanwhile.

use std::collections::HashSet;

use arrow::array::{Array, ArrayRef, AsArray, UInt32Array};
use arrow::compute::{cast, concat, take};
use arrow::datatypes::{DataType, Field};
use arrow::row::{RowConverter, SortField};
use catalog::{Column, ColumnStatistics, SqlType};
use datafusion::common::Result;
use datafusion::execution::memory_pool::MemoryReservation;

use super::distinct::Distinct;
use super::estimate::{Facts, Sample};
use super::growth::{Grown, Half};
use super::picked::Picked;
use super::{OrderKey, SAMPLE_ROWS};
use crate::hot::rows::value_at_rest;

/// Bytes from which on a value is too wide for a sample, as in PostgreSQL: such values are seldom equal to one another, and
/// nobody wants to read them in `pg_stats`.
const WIDE_BYTES: usize = 1024;
/// Bytes of a string with which PostgreSQL stores a header of one byte, and not of four.
const SHORT_STRING_BYTES: usize = 126;

/// Looks at the values of a column, batch by batch.
pub(crate) struct Survey<'a> {
    column: &'a Column,
    field: Field,
    order_key: &'a OrderKey,
    /// The rows of the sample.
    picked: Picked,
    /// Rows and NULLs that have come.
    rows: usize,
    nulls: usize,
    bytes: u64,
    distinct: Distinct,
    /// How many distinct values there were in the first half of the rows, and how many rows that were.
    half: Option<Half>,
    /// The sampled values that are neither NULL nor too wide, at rest, what they are ordered by, and their rows.
    values: Vec<ArrayRef>,
    keys: Vec<ArrayRef>,
    rows_of_values: Vec<u64>,
    /// The hashes of the sampled values that are too wide, and their rows.
    wide: Vec<(u64, u64)>,
    reservation: MemoryReservation,
    /// Bytes that the sample may take.
    sample_bytes_max: usize,
}

impl<'a> Survey<'a> {
    /// A survey whose sample may take so many bytes.
    pub fn new(
        column: &'a Column,
        order_key: &'a OrderKey,
        reservation: MemoryReservation,
        sample_bytes_max: usize,
    ) -> Result<Self> {
        Ok(Survey {
            field: column.sql_type.field(&column.name, true),
            column,
            order_key,
            picked: Picked::new(2 * SAMPLE_ROWS),
            rows: 0,
            nulls: 0,
            bytes: 0,
            distinct: Distinct::new()?,
            half: None,
            values: Vec::new(),
            keys: Vec::new(),
            rows_of_values: Vec::new(),
            wide: Vec::new(),
            reservation,
            sample_bytes_max,
        })
    }

    /// Takes the next values, in flight.
    pub fn add(&mut self, values: &ArrayRef) -> Result<()> {
        let first = self.rows;
        self.rows += values.len();
        self.nulls += values.null_count();
        self.bytes += (0..values.len()).filter(|row| values.is_valid(*row)).map(width(values)).sum::<usize>() as u64;
        let picked = self.picked.pick(first, values.len());
        if let Some(keys) = (self.order_key)(&self.field, values)? {
            self.sample(first, picked, values, &keys)?;
        }
        while self.picked.is_full() || self.reservation.size() > self.sample_bytes_max {
            self.picked.thin();
            self.thin()?;
        }
        Ok(())
    }

    /// Takes the values of rows, by their places behind the first.
    fn sample(&mut self, first: usize, places: Vec<usize>, values: &ArrayRef, keys: &ArrayRef) -> Result<()> {
        let hashes = self.distinct.add(keys)?;
        let width = width(values);
        let mut narrow: Vec<u32> = Vec::new();
        for place in places.into_iter().filter(|place| values.is_valid(*place)) {
            match width(place) <= WIDE_BYTES {
                true => narrow.push(place as u32),
                false => self.wide.push(((first + place) as u64, hashes[place])),
            }
        }
        self.rows_of_values.extend(narrow.iter().map(|place| first as u64 + u64::from(*place)));
        if narrow.is_empty() {
            return Ok(());
        }
        let narrow = UInt32Array::from(narrow);
        // Views would keep the strings of the whole batch in memory.
        let values = value_at_rest(self.column, &take(values, &narrow, None)?)?;
        let keys = without_views(&take(keys, &narrow, None)?)?;
        self.reservation.try_grow(values.get_array_memory_size() + keys.get_array_memory_size())?;
        self.values.push(values);
        self.keys.push(keys);
        Ok(())
    }

    /// Lets go of values whose rows are not in the sample any more.
    fn thin(&mut self) -> Result<()> {
        self.wide.retain(|(row, _)| self.picked.has(*row));
        if self.values.is_empty() {
            return Ok(());
        }
        let rows = std::mem::take(&mut self.rows_of_values);
        let kept: Vec<u32> = (0..rows.len() as u32).filter(|place| self.picked.has(rows[*place as usize])).collect();
        self.rows_of_values = kept.iter().map(|place| rows[*place as usize]).collect();
        let kept = UInt32Array::from(kept);
        self.values = vec![take(&joined(&self.values)?, &kept, None)?];
        self.keys = vec![take(&joined(&self.keys)?, &kept, None)?];
        let bytes = |arrays: &[ArrayRef]| arrays.iter().map(|array| array.get_array_memory_size()).sum::<usize>();
        self.reservation.try_resize(bytes(&self.values) + bytes(&self.keys))?;
        Ok(())
    }

    /// Half of the rows have come that are looked at.
    pub fn is_half(&mut self) -> Result<()> {
        let values = self.rows - self.nulls;
        self.half = Some(Half { values, distinct: self.distinct.count()? as usize });
        Ok(())
    }

    /// What it says of a table of so many rows, of which those were looked at that have come.
    pub fn finish(mut self, rows: usize, is_unique: bool) -> Result<ColumnStatistics> {
        let facts = self.facts(rows.max(self.rows), is_unique)?;
        let not_null = self.rows - self.nulls;
        let mut statistics = ColumnStatistics {
            null_fraction: (self.nulls as f64 / self.rows.max(1) as f64) as f32,
            average_width: match not_null {
                0 => fixed_width(&self.column.sql_type).unwrap_or(0) as i32,
                _ => (self.bytes / not_null as u64) as i32,
            },
            ..ColumnStatistics::default()
        };
        let sample = match self.keys.as_slice() {
            [] => Sample::default(),
            keys => Sample::of(&sorted(keys)?),
        };
        statistics.distinct = facts.distinct_values(&sample);
        statistics.correlation = sample.correlation();
        let common = facts.most_common(&sample, statistics.distinct);
        statistics.frequencies = common.iter().map(|group| facts.frequency(&sample, *group)).collect();
        let shown = common.iter().map(|group| sample.first(*group)).chain(sample.bounds(&common));
        let shown = UInt32Array::from_iter_values(shown);
        if !shown.is_empty() {
            statistics.values = Some(take(&joined(&self.values)?, &shown, None)?);
        }
        Ok(statistics)
    }

    fn facts(&mut self, rows: usize, is_unique: bool) -> Result<Facts> {
        let part = self.rows as f64 / rows.max(1) as f64;
        let nulls = (self.nulls as f64 / part.max(f64::MIN_POSITIVE)).round() as usize;
        let (seen, not_null) = (self.rows - self.nulls, rows - nulls.min(rows));
        let distinct = match (is_unique, self.distinct.count()? as usize) {
            (true, _) => not_null,
            (false, distinct) if rows == self.rows => distinct,
            (false, distinct) => Grown { values: seen, distinct, half: self.half }.to(not_null),
        };
        let wide: HashSet<u64> = self.wide.iter().map(|(_, hash)| *hash).collect();
        Ok(Facts { rows, nulls: nulls.min(rows), distinct, sampled: self.picked.count(), wide: wide.len() })
    }
}

/// The places of values in their order, those that are equal in groups; within a group, in the order of the rows.
fn sorted(keys: &[ArrayRef]) -> Result<Vec<Vec<u32>>> {
    let keys = joined(keys)?;
    let converter = RowConverter::new(vec![SortField::new(keys.data_type().clone())])?;
    let rows = converter.convert_columns(&[keys])?;
    let mut order: Vec<u32> = (0..rows.num_rows() as u32).collect();
    order.sort_unstable_by(|left, right| {
        rows.row(*left as usize).cmp(&rows.row(*right as usize)).then_with(|| left.cmp(right))
    });
    let is_same = |left: &u32, right: &u32| rows.row(*left as usize) == rows.row(*right as usize);
    Ok(order.chunk_by(is_same).map(<[u32]>::to_vec).collect())
}

fn joined(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let arrays: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
    Ok(concat(&arrays)?)
}

fn without_views(values: &ArrayRef) -> Result<ArrayRef> {
    Ok(match values.data_type() {
        DataType::Utf8View => cast(values, &DataType::Utf8)?,
        DataType::BinaryView => cast(values, &DataType::Binary)?,
        _ => values.clone(),
    })
}

/// Bytes of the value in a row, which is not NULL.
fn width(values: &ArrayRef) -> impl Fn(usize) -> usize + '_ {
    let with_header = |bytes: usize| bytes + if bytes <= SHORT_STRING_BYTES { 1 } else { 4 };
    let data_type = values.data_type();
    let fixed = data_type.primitive_width();
    let whole = values.to_data().get_slice_memory_size().unwrap_or_default();
    let average = whole.checked_div(values.len()).unwrap_or_default();
    move |row| match data_type {
        DataType::Utf8View => with_header(values.as_string_view().value(row).len()),
        DataType::BinaryView => with_header(values.as_binary_view().value(row).len()),
        DataType::Boolean => 1,
        DataType::FixedSizeBinary(width) => *width as usize,
        _ => fixed.unwrap_or(average),
    }
}

fn fixed_width(sql_type: &SqlType) -> Option<usize> {
    match sql_type.in_flight() {
        DataType::Boolean => Some(1),
        DataType::FixedSizeBinary(width) => usize::try_from(width).ok(),
        other => other.primitive_width(),
    }
}
