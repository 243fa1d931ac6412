//! What is counted over all rows of a column, and the sample that is taken meanwhile.

use std::collections::HashSet;

use arrow::array::{Array, ArrayRef, AsArray, UInt32Array};
use arrow::compute::{cast, concat, take};
use arrow::datatypes::{DataType, Field};
use arrow::row::{RowConverter, SortField};
use catalog::{Column, ColumnStatistics, SqlType};
use datafusion::common::Result;
use datafusion::execution::memory_pool::MemoryReservation;

use super::OrderKey;
use super::distinct::Distinct;
use super::estimate::{Facts, Sample};
use crate::hot::rows::value_at_rest;

/// Bytes from which on a value is too wide for a sample, as in PostgreSQL: such values are seldom equal to one another, and
/// nobody wants to read them in `pg_stats`.
const WIDE_BYTES: usize = 1024;
/// Bytes of a string with which PostgreSQL stores a header of one byte, and not of four.
const SHORT_STRING_BYTES: usize = 126;

/// Looks at the values of a column, batch by batch.
pub(super) struct Survey<'a> {
    column: &'a Column,
    field: Field,
    order_key: &'a OrderKey,
    /// The places of the sampled rows that have not come yet.
    positions: &'a [usize],
    facts: Facts,
    bytes: u64,
    distinct: Distinct,
    /// The sampled values that are neither NULL nor too wide, at rest, and what they are ordered by.
    values: Vec<ArrayRef>,
    keys: Vec<ArrayRef>,
    /// The hashes of the sampled values that are too wide.
    wide: HashSet<u64>,
    reservation: MemoryReservation,
}

impl<'a> Survey<'a> {
    pub fn new(
        column: &'a Column,
        positions: &'a [usize],
        order_key: &'a OrderKey,
        reservation: MemoryReservation,
    ) -> Result<Self> {
        Ok(Survey {
            field: column.sql_type.field(&column.name, true),
            column,
            order_key,
            positions,
            facts: Facts { sampled: positions.len(), ..Facts::default() },
            bytes: 0,
            distinct: Distinct::new()?,
            values: Vec::new(),
            keys: Vec::new(),
            wide: HashSet::new(),
            reservation,
        })
    }

    /// Takes the next values, in flight.
    pub fn add(&mut self, values: &ArrayRef) -> Result<()> {
        let first = self.facts.rows;
        self.facts.rows += values.len();
        self.facts.nulls += values.null_count();
        self.bytes += (0..values.len()).filter(|row| values.is_valid(*row)).map(width(values)).sum::<usize>() as u64;
        let come = self.positions.partition_point(|position| *position < self.facts.rows);
        let (come, rest) = self.positions.split_at(come);
        self.positions = rest;
        match (self.order_key)(&self.field, values)? {
            Some(keys) => self.sample(come.iter().map(|position| position - first), values, &keys),
            None => Ok(()),
        }
    }

    fn sample(&mut self, rows: impl Iterator<Item = usize>, values: &ArrayRef, keys: &ArrayRef) -> Result<()> {
        let hashes = self.distinct.add(keys)?;
        let width = width(values);
        let mut narrow: Vec<u32> = Vec::new();
        for row in rows.filter(|row| values.is_valid(*row)) {
            match width(row) <= WIDE_BYTES {
                true => narrow.push(row as u32),
                false => drop(self.wide.insert(hashes[row])),
            }
        }
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

    /// What has come of it.
    pub fn finish(mut self, is_unique: bool) -> Result<ColumnStatistics> {
        let not_null = self.facts.rows - self.facts.nulls;
        self.facts.wide = self.wide.len();
        self.facts.distinct = if is_unique { not_null } else { self.distinct.count()? as usize };
        let mut statistics = ColumnStatistics {
            null_fraction: (self.facts.nulls as f64 / self.facts.rows as f64) as f32,
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
        statistics.distinct = self.facts.distinct_values(&sample);
        statistics.correlation = sample.correlation();
        let common = self.facts.most_common(&sample, statistics.distinct);
        statistics.frequencies = common.iter().map(|group| self.facts.frequency(&sample, *group)).collect();
        let shown = common.iter().map(|group| sample.first(*group)).chain(sample.bounds(&common));
        let shown = UInt32Array::from_iter_values(shown);
        if !shown.is_empty() {
            let values: Vec<&dyn Array> = self.values.iter().map(AsRef::as_ref).collect();
            statistics.values = Some(take(&concat(&values)?, &shown, None)?);
        }
        Ok(statistics)
    }
}

/// The places of values in their order, those that are equal in groups; within a group, in the order of the rows.
fn sorted(keys: &[ArrayRef]) -> Result<Vec<Vec<u32>>> {
    let keys: Vec<&dyn Array> = keys.iter().map(AsRef::as_ref).collect();
    let keys = concat(&keys)?;
    let converter = RowConverter::new(vec![SortField::new(keys.data_type().clone())])?;
    let rows = converter.convert_columns(&[keys])?;
    let mut order: Vec<u32> = (0..rows.num_rows() as u32).collect();
    order.sort_unstable_by(|left, right| {
        rows.row(*left as usize).cmp(&rows.row(*right as usize)).then_with(|| left.cmp(right))
    });
    let is_same = |left: &u32, right: &u32| rows.row(*left as usize) == rows.row(*right as usize);
    Ok(order.chunk_by(is_same).map(<[u32]>::to_vec).collect())
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
