//! The difference of two timestamps in years, months and days, as `age` counts it.

use super::arithmetic::{is_infinite, timestamp_out_of_range};
use super::numbers::month_length;
use super::parse_interval::Interval;
use super::{DAY_US, civil_of_day};
use crate::error::Result;

/// The time from the second local time to the first. Where the day of the month is not reached, the month before counts
/// with the days it has: that of the earlier value.
pub fn age(left_us: i64, right_us: i64) -> Result<Interval> {
    if is_infinite(left_us) || is_infinite(right_us) {
        return Err(timestamp_out_of_range());
    }
    let negative = left_us < right_us;
    let (later_us, earlier_us) = if negative { (right_us, left_us) } else { (left_us, right_us) };
    let (later, earlier) = (civil_of_day(later_us.div_euclid(DAY_US)), civil_of_day(earlier_us.div_euclid(DAY_US)));
    let mut time_us = later_us.rem_euclid(DAY_US) - earlier_us.rem_euclid(DAY_US);
    let mut days = i64::from(later.2) - i64::from(earlier.2);
    let mut months = (later.0 - earlier.0) * 12 + i64::from(later.1) - i64::from(earlier.1);
    if time_us < 0 {
        time_us += DAY_US;
        days -= 1;
    }
    while days < 0 {
        days += month_length(earlier.0, i64::from(earlier.1));
        months -= 1;
    }
    let sign = if negative { -1 } else { 1 };
    // Both timestamps are within 300,000 years of 1970.
    Ok(Interval { months: (sign * months) as i32, days: (sign * days) as i32, time_us: sign * time_us })
}
