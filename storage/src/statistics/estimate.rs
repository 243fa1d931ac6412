//! What a sample of rows says of all of them. The rules are PostgreSQL's, except that distinct values were counted.

use std::collections::HashSet;

use super::TARGET;

/// A sketch that errs by less than this part is taken for right: its standard deviation is a quarter of it.
const SKETCH_ERROR: f64 = 0.03;
/// More distinct values than this part of the rows are taken to become more with the rows.
const GROWING: f64 = 0.1;

/// What was counted.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    /// Rows of the table.
    pub rows: usize,
    /// Those whose value is NULL.
    pub nulls: usize,
    /// The distinct values of the others, as far as that is known.
    pub distinct: usize,
    /// Rows in the sample.
    pub sampled: usize,
    /// Distinct values in the sample that are too wide to be looked at.
    pub wide: usize,
}

/// The values of a sample in their order: those that are equal make a group, in which each is the place of its row.
#[derive(Debug, Default)]
pub(super) struct Sample {
    order: Vec<u32>,
    /// Where each group begins in `order`, and where the last one ends.
    begins: Vec<usize>,
}

impl Sample {
    pub fn of(groups: &[Vec<u32>]) -> Self {
        let mut sample = Sample { order: Vec::new(), begins: vec![0] };
        for group in groups {
            sample.order.extend(group);
            sample.begins.push(sample.order.len());
        }
        sample
    }

    fn groups(&self) -> usize {
        self.begins.len().saturating_sub(1)
    }

    /// How many values are equal.
    fn count(&self, group: usize) -> usize {
        self.begins[group + 1] - self.begins[group]
    }

    /// Whether no value has been met once only.
    fn has_no_single(&self) -> bool {
        self.begins.windows(2).all(|ends| ends[1] - ends[0] > 1)
    }

    /// The place of the first row of a group.
    pub fn first(&self, group: usize) -> u32 {
        self.order[self.begins[group]]
    }

    /// How the order of the values goes with that of the rows: the coefficient of correlation of both ranks.
    pub fn correlation(&self) -> Option<f32> {
        let n = self.order.len() as f64;
        if self.order.len() < 2 {
            return None;
        }
        let products: f64 = self.order.iter().enumerate().map(|(rank, row)| rank as f64 * f64::from(*row)).sum();
        // The ranks are 0, 1, …, n - 1, of rows and of values.
        let sum = (n - 1.0) * n / 2.0;
        let squares = (n - 1.0) * n * (2.0 * n - 1.0) / 6.0;
        Some(((n * products - sum * sum) / (n * squares - sum * sum)) as f32)
    }

    /// The places of values that divide those which are in none of the `common` groups into parts of about one size.
    pub fn bounds(&self, common: &[usize]) -> Vec<u32> {
        let common: HashSet<usize> = common.iter().copied().collect();
        let others = (0..self.groups()).filter(|group| !common.contains(group));
        let values: Vec<u32> =
            others.flat_map(|group| &self.order[self.begins[group]..self.begins[group + 1]]).copied().collect();
        let bounds = (self.groups() - common.len()).min(TARGET + 1);
        match bounds {
            0 | 1 => Vec::new(),
            _ => (0..bounds).map(|bound| values[bound * (values.len() - 1) / (bounds - 1)]).collect(),
        }
    }
}

impl Facts {
    fn is_complete(&self) -> bool {
        self.sampled == self.rows
    }

    /// Whether the sketch may have meant this number.
    fn is_about(&self, distinct: f64) -> bool {
        (self.distinct as f64 - distinct).abs() <= distinct * SKETCH_ERROR
    }

    /// How many distinct values there are, as [`ColumnStatistics`](catalog::ColumnStatistics) has it.
    pub fn distinct_values(&self, sample: &Sample) -> f32 {
        let (rows, not_null) = (self.rows as f64, (self.rows - self.nulls) as f64);
        if sample.order.is_empty() && self.wide == 0 && self.distinct == 0 {
            return 0.0;
        }
        let has_duplicates = sample.groups() < sample.order.len();
        let seen = sample.groups() + self.wide;
        let distinct = match seen as f64 {
            seen if self.is_complete() => seen,
            // Where a sample has met each value twice, there are hardly any that it has not met.
            seen if sample.has_no_single() && self.is_about(seen) => seen,
            _ if !has_duplicates && self.is_about(not_null) => not_null,
            seen => (self.distinct as f64).max(seen).min(not_null),
        };
        let grows = distinct > rows * GROWING || distinct >= not_null && !has_duplicates;
        (if grows { -(distinct / rows) } else { distinct }) as f32
    }

    /// Which part of the rows has the value of a group.
    pub fn frequency(&self, sample: &Sample, group: usize) -> f32 {
        (sample.count(group) as f64 / self.sampled as f64) as f32
    }

    /// The groups of the values that are worth being known, the largest one first.
    pub fn most_common(&self, sample: &Sample, distinct: f32) -> Vec<usize> {
        let mut common: Vec<usize> = (0..sample.groups()).filter(|group| sample.count(*group) > 1).collect();
        common.sort_by_key(|group| std::cmp::Reverse(sample.count(*group)));
        common.truncate(TARGET);
        let are_all = common.len() == sample.groups() && self.wide == 0 && distinct > 0.0;
        if !are_all && !self.is_complete() {
            let counts: Vec<usize> = common.iter().map(|group| sample.count(*group)).collect();
            common.truncate(self.significant(&counts, distinct));
        }
        common
    }

    /// How many of the largest groups are surely more common than the average of the values that would be left out: by more
    /// than two standard deviations of what a sample without replacement would have of them.
    fn significant(&self, counts: &[usize], distinct: f32) -> usize {
        let (n, all) = (self.sampled as f64, self.rows as f64);
        let nulls = self.nulls as f64 / all;
        let distinct = if distinct < 0.0 { -f64::from(distinct) * all } else { f64::from(distinct) };
        let mut kept = counts.len();
        let mut known: usize = counts.iter().sum();
        while let Some(least) = kept.checked_sub(1).map(|last| counts[last]) {
            known -= least;
            let left = (1.0 - known as f64 / n - nulls).clamp(0.0, 1.0);
            let average = n * left / (distinct - (kept - 1) as f64).max(1.0);
            let in_table = all * least as f64 / n;
            let variance = n * in_table * (all - in_table) * (all - n) / (all * all * (all - 1.0));
            if least as f64 > average + 2.0 * variance.max(0.0).sqrt() + 0.5 {
                break;
            }
            kept -= 1;
        }
        kept
    }
}
