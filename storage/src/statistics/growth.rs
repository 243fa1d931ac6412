//! How many distinct values a table has of which a part was looked at.
//!
//! Two things may be: rows with the same value lie together, so that as many new values come with each part of the table; or
//! they lie anywhere, so that fewer and fewer do. How many of the values came with the second half of the rows tells which.

/// The distinct values of the first half of the rows that were looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Half {
    /// Rows that are not NULL.
    pub values: usize,
    pub distinct: usize,
}

/// Distinct values among those that were looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grown {
    /// Rows that are not NULL.
    pub values: usize,
    pub distinct: usize,
    pub half: Option<Half>,
}

/// Distinct values that are more than this part of the rows are taken for all of them: the sketch errs.
const UNIQUE_PART: f64 = 0.98;

impl Grown {
    /// How many there are among so many rows that are not NULL.
    pub fn to(self, values: usize) -> usize {
        let (all, seen, distinct) = (values as f64, self.values as f64, self.distinct as f64);
        if self.distinct == 0 || values <= self.values {
            return self.distinct;
        }
        let together = distinct * all / seen;
        if distinct >= seen * UNIQUE_PART {
            return together.min(all) as usize;
        }
        let anywhere = drawn_from(seen, distinct);
        let at_the_end = expected(anywhere, all).max(distinct);
        let Some(half) = self.half.filter(|half| half.values > 0 && half.values < self.values) else {
            return at_the_end.min(all) as usize;
        };
        // What the first half would have had in either case.
        let if_together = distinct * half.values as f64 / seen;
        let if_anywhere = expected(anywhere, half.values as f64);
        let between = (half.distinct as f64 - if_together) / (if_anywhere - if_together).max(1.0);
        let between = between.clamp(0.0, 1.0);
        (together.powf(1.0 - between) * at_the_end.powf(between)).min(all) as usize
    }
}

/// Distinct values that so many rows are expected to have, each with any of `values` values.
fn expected(values: f64, rows: f64) -> f64 {
    values * (1.0 - (-rows / values).exp())
}

/// How many values there are to choose from when so many rows have so many distinct ones.
fn drawn_from(rows: f64, distinct: f64) -> f64 {
    let (mut least, mut most) = (distinct, distinct * distinct.max(2.0) * 4.0);
    for _ in 0..64 {
        let middle = (least * most).sqrt();
        match expected(middle, rows) < distinct {
            true => least = middle,
            false => most = middle,
        }
    }
    least
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};
    use std::collections::HashSet;

    /// What is told of a million rows when the first of them have been looked at.
    fn told(seen: usize, value: impl FnMut(usize) -> u64) -> f64 {
        let values: Vec<u64> = (0..seen).map(value).collect();
        let count = |rows: usize| values[..rows].iter().collect::<HashSet<_>>().len();
        let half = Half { values: seen / 2, distinct: count(seen / 2) };
        Grown { values: seen, distinct: count(seen), half: Some(half) }.to(1_000_000) as f64
    }

    #[test]
    fn values_anywhere_become_fewer() {
        let mut random = StdRng::seed_from_u64(3);
        for values in [3, 1_000, 50_000, 300_000] {
            let told = told(100_000, |_| random.random_range(0..values));
            let there = expected(values as f64, 1_000_000.0);
            assert!((told / there - 1.0).abs() < 0.1, "{told} of {there}");
        }
    }

    #[test]
    fn values_that_lie_together_come_with_the_rows() {
        for rows_each in [1, 2, 10, 1_000] {
            let (told, there) = (told(100_000, |row| (row / rows_each) as u64), 1e6 / rows_each as f64);
            assert!((told / there - 1.0).abs() < 0.05, "{told} of {there}");
        }
        assert_eq!(Grown { values: 10, distinct: 0, half: None }.to(100), 0);
        assert_eq!(Grown { values: 10, distinct: 3, half: None }.to(10), 3);
    }
}
