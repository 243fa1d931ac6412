//! The bucket of equal width that a number falls into.

use std::cmp::Ordering;

use num_bigint::BigInt;

use super::rows::{big, big_power_of_ten};
use crate::function::Numeric;

/// Where a number is with regard to the bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Before the first bucket.
    Below,
    /// In the bucket with this number.
    Inside(i32),
    /// After the last bucket.
    Above,
}

/// A number and two bounds, as multiples of the same unit.
#[derive(Debug)]
pub struct Operands {
    number: BigInt,
    low: BigInt,
    high: BigInt,
}

/// A number and two bounds.
pub fn of(number: Numeric, low: Numeric, high: Numeric) -> Operands {
    let scale = i32::from(number.scale.max(low.scale).max(high.scale));
    let multiple = |it: Numeric| big(it.unscaled) * big_power_of_ten(scale - i32::from(it.scale));
    Operands { number: multiple(number), low: multiple(low), high: multiple(high) }
}

impl Operands {
    /// How the bounds compare.
    pub fn bounds(&self) -> Ordering {
        self.low.cmp(&self.high)
    }

    /// Which of so many buckets it is. The bounds differ; they may fall.
    pub fn inside(&self, count: i32) -> Place {
        let falling = self.low > self.high;
        let sign = if falling { -1 } else { 1 };
        let distance = (&self.number - &self.low) * sign;
        let width = (&self.high - &self.low) * sign;
        if distance < BigInt::ZERO {
            Place::Below
        } else if distance >= width {
            Place::Above
        } else {
            Place::Inside(i32::try_from(distance * count / width).map_or(count, |bucket| bucket.saturating_add(1)))
        }
    }
}
