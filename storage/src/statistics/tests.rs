//! Estimates of columns whose values are known.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use arrow::array::{Array, AsArray, Int32Array, StringViewArray};
use arrow::datatypes::Int32Type;
use catalog::{ColumnStatistics, SqlType};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, UnboundedMemoryPool};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;

const BATCH_ROWS: usize = 8192;

fn as_it_is(_: &Field, values: &ArrayRef) -> Result<Option<ArrayRef>> {
    Ok(Some(values.clone()))
}

fn surveyed(sql_type: SqlType, values: &ArrayRef, is_unique: bool, order_key: &OrderKey) -> ColumnStatistics {
    let column = catalog::Column::new(1, "c", sql_type);
    let pool: Arc<dyn MemoryPool> = Arc::new(UnboundedMemoryPool::default());
    let reservation = MemoryConsumer::new("test").register(&pool);
    let mut survey = Survey::new(&column, order_key, reservation, usize::MAX).unwrap();
    for first in (0..values.len()).step_by(BATCH_ROWS) {
        survey.add(&values.slice(first, BATCH_ROWS.min(values.len() - first))).unwrap();
    }
    survey.finish(values.len(), is_unique).unwrap()
}

fn of_numbers(values: impl IntoIterator<Item = Option<i32>>) -> ColumnStatistics {
    let values: ArrayRef = Arc::new(values.into_iter().collect::<Int32Array>());
    surveyed(SqlType::Integer, &values, false, &as_it_is)
}

fn numbers(values: Option<ArrayRef>) -> Vec<i32> {
    values.iter().flat_map(|it| it.as_primitive::<Int32Type>().values().to_vec()).collect()
}

/// Numbers from 0, of which the first ones are more frequent than the others.
fn skewed(random: &mut StdRng, rows: usize) -> Vec<i32> {
    (0..rows).map(|_| (1.0 / random.random_range(0.0001..1.0_f64)) as i32).collect()
}

#[test]
fn a_small_table_is_described_as_it_is() {
    let known = of_numbers([Some(3), None, Some(1), Some(3), Some(2), Some(3), Some(2), None]);
    assert_eq!((known.null_fraction, known.average_width), (0.25, 4));
    assert_eq!(known.distinct, -3.0 / 8.0);
    assert_eq!((numbers(known.most_common()), known.frequencies), (vec![3, 2], vec![3.0 / 8.0, 0.25]));
}

#[test]
fn values_that_all_differ_have_a_histogram_and_no_common_ones() {
    let known = of_numbers((0..1001).map(Some));
    assert_eq!((known.distinct, known.correlation, known.frequencies.len()), (-1.0, Some(1.0), 0));
    assert_eq!(numbers(known.histogram()), (0..=100).map(|bound| bound * 10).collect::<Vec<_>>());
    let backwards = of_numbers((0..1001).rev().map(Some));
    assert_eq!(
        (backwards.correlation, numbers(backwards.histogram())),
        (Some(-1.0), numbers(of_numbers((0..1001).map(Some)).histogram()))
    );
}

#[test]
fn distinct_values_of_many_rows_are_counted_within_a_few_parts_of_a_hundred() {
    let mut random = StdRng::seed_from_u64(7);
    for distinct in [1, 50, 1_000, 20_000, 150_000] {
        let values: Vec<i32> = (0..200_000).map(|_| random.random_range(0..distinct)).collect();
        let there = values.iter().collect::<HashSet<_>>().len() as f64;
        let known = of_numbers(values.iter().copied().map(Some));
        let told = known.distinct_of(200_000).unwrap() as f64;
        assert!((told / there - 1.0).abs() < 0.03, "{told} of {there}");
        assert_eq!(known.distinct < 0.0, told > 20_000.0);
    }
    assert_eq!(of_numbers((0..200_000).map(|it| (it % 4 > 0).then_some(it))).distinct, -0.75);
}

#[test]
fn frequencies_in_a_sample_are_near_those_in_the_table() {
    let rows = 300_000;
    let values = skewed(&mut StdRng::seed_from_u64(8), rows);
    let mut counts: BTreeMap<i32, usize> = BTreeMap::new();
    values.iter().for_each(|value| *counts.entry(*value).or_default() += 1);
    let known = of_numbers(values.iter().copied().map(Some));
    let common = numbers(known.most_common());
    assert_eq!(common[..3], [1, 2, 3]);
    for (value, told) in common.iter().zip(&known.frequencies) {
        let there = counts[value] as f64 / rows as f64;
        // Five standard deviations of a sample of this size.
        let allowed = 5.0 * (there * (1.0 - there) / SAMPLE_ROWS as f64).sqrt();
        assert!((f64::from(*told) - there).abs() < allowed, "{value}: {told} of {there}");
    }
    assert!(numbers(known.histogram()).is_sorted());
}

#[test]
fn bounds_of_a_histogram_divide_the_table_into_parts_of_about_one_size() {
    let mut random = StdRng::seed_from_u64(10);
    let mut values: Vec<i32> = (0..200_000).map(|_| (random.random::<f64>().powi(3) * 1e9) as i32).collect();
    let bounds = numbers(of_numbers(values.iter().copied().map(Some)).histogram());
    assert_eq!(bounds.len(), TARGET + 1);
    values.sort_unstable();
    for (place, bound) in bounds.iter().enumerate() {
        let below = values.partition_point(|value| value < bound) as f64 / values.len() as f64;
        // Of a sample of this size one in a million is farther off.
        assert!((below - place as f64 / TARGET as f64).abs() < 0.016, "{place}: {bound}, {below}");
    }
}

#[test]
fn of_values_that_are_equally_frequent_few_are_called_common() {
    let mut random = StdRng::seed_from_u64(9);
    let known = of_numbers((0..200_000).map(|_| Some(random.random_range(0..10_000))));
    // Chance makes some values look frequent, by the rule of two standard deviations.
    assert!(known.frequencies.len() < TARGET * 3 / 4, "{:?}", known.frequencies);
}

#[test]
fn wide_values_are_counted_and_not_kept() {
    let texts = (0..100).map(|number| match number % 2 {
        0 => format!("{number}").repeat(2000),
        _ => "short".to_owned(),
    });
    let values: ArrayRef = Arc::new(StringViewArray::from_iter_values(texts));
    let known = surveyed(SqlType::Text, &values, false, &as_it_is);
    assert_eq!((known.distinct, known.frequencies.as_slice()), (-0.51, [0.5].as_slice()));
    assert_eq!(known.values.unwrap().len(), 1);
}

#[test]
fn what_has_no_order_has_a_width_and_nulls_only() {
    let values: ArrayRef = Arc::new(StringViewArray::from(vec![Some("{}"), None]));
    let known = surveyed(SqlType::Json, &values, false, &|_: &Field, _: &ArrayRef| Ok(None));
    assert_eq!((known.null_fraction, known.average_width, known.distinct), (0.5, 3, 0.0));
    assert!(known.values.is_none() && known.correlation.is_none());
    let nothing: ArrayRef = Arc::new(Int32Array::from(vec![None, None]));
    let known = surveyed(SqlType::Integer, &nothing, false, &as_it_is);
    assert_eq!((known.null_fraction, known.average_width, known.distinct), (1.0, 4, 0.0));
}
