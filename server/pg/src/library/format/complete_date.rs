//! A date and time from the fields that a text said, as PostgreSQL completes and checks them.

use super::date_template::{Convention, DateField};
use super::read_date::{self, ReadFields};
use super::template::Node;
use super::write_date::{JULIAN_1970, julian, julian_of_iso_week};
use crate::datetime::zone::Zone;
use crate::datetime::{
    DAY_MAX, DAY_MIN, DAY_US, SECOND_US, TIMESTAMP_INFINITY, TIMESTAMP_MIN_US, civil_of_day, day_of_civil,
};
use crate::error::{PgError, Result};
use crate::sqlstate::SqlState;

/// Hours that an offset from UTC has at most.
const ZONE_HOURS_MAX: i32 = 15;

/// A date and time, checked field by field.
pub struct CompleteDate {
    year: i32,
    month: i32,
    day: i32,
    time_us: i64,
    /// Seconds east of UTC.
    offset_s: Option<i32>,
    /// Digits that the fraction of the second is rounded to.
    fraction_digits: Option<u32>,
}

/// Which parts of the date were said, and so are checked.
#[derive(Default)]
struct Said {
    year: bool,
    month: bool,
    day: bool,
}

impl Said {
    const DATE: Said = Said { year: true, month: true, day: true };
}

/// Reads a text by a template.
pub fn complete(template: &[Node<DateField>], text: &str) -> Result<CompleteDate> {
    let mut fields = read_date::read(template, text)?;
    let hour = hour_of_day(&fields)?;
    let (mut minute, mut second) = (fields.second_of_day / 60 % 60, fields.second_of_day % 60);
    if fields.minute != 0 {
        minute = fields.minute;
    }
    if fields.second != 0 {
        second = fields.second;
    }
    let fraction_us = i64::from(fields.milliseconds) * 1000 + i64::from(fields.microseconds);

    let mut date =
        CompleteDate { year: 0, month: 1, day: 1, time_us: 0, offset_s: None, fraction_digits: fields.fraction_digits };
    let said = date.set_date(&mut fields)?;
    let in_range = date.is_valid(&said)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..60).contains(&second)
        && (0..SECOND_US).contains(&fraction_us);
    if !in_range {
        let message = format!("date/time field value out of range: \"{text}\"");
        return Err(PgError::new(SqlState::DATETIME_FIELD_OVERFLOW, message));
    }
    date.time_us = i64::from(hour * 3600 + minute * 60 + second) * SECOND_US + fraction_us;
    date.offset_s = offset(&fields, text)?;
    Ok(date)
}

fn hour_of_day(fields: &ReadFields) -> Result<i32> {
    let hour = if fields.hour != 0 { fields.hour } else { fields.second_of_day / 3600 };
    if !fields.twelve_hours {
        return Ok(hour);
    }
    match hour {
        12 => Ok(if fields.after_noon == 0 { 0 } else { 12 }),
        1..12 => Ok(if fields.after_noon == 0 { hour } else { hour + 12 }),
        _ => {
            let message = format!("hour \"{hour}\" is invalid for the 12-hour clock");
            let error = PgError::new(SqlState::INVALID_DATETIME_FORMAT, message);
            Err(error.with_hint("Use the 24-hour clock, or give an hour between 1 and 12."))
        }
    }
}

/// Seconds east of UTC that the text said.
fn offset(fields: &ReadFields, text: &str) -> Result<Option<i32>> {
    if fields.zone_sign == 0 {
        return Ok(None);
    }
    let (hours, minutes) = (fields.zone_hours, fields.zone_minutes);
    if !(0..=ZONE_HOURS_MAX).contains(&hours) || !(0..60).contains(&minutes) {
        let message = format!("time zone displacement out of range: \"{text}\"");
        return Err(PgError::new(SqlState::INVALID_TIME_ZONE_DISPLACEMENT_VALUE, message));
    }
    Ok(Some(fields.zone_sign * (hours * 3600 + minutes * 60)))
}

/// The year that the fields tell, 0 is 1 BC. Absurd centuries wrap around as in PostgreSQL.
fn year(fields: &mut ReadFields) -> Option<i32> {
    let before_christ = fields.before_christ != 0;
    if fields.century != 0 && before_christ && (fields.year == 0 || fields.year_digits <= 2) {
        fields.century = fields.century.wrapping_neg();
    }
    let century = fields.century;
    if fields.year == 0 {
        return match century {
            0 => None,
            // The 21st century began in 2001, the sixth before Christ in 600.
            1.. => Some(century.wrapping_sub(1).wrapping_mul(100).wrapping_add(1)),
            _ => Some(century.wrapping_mul(100).wrapping_add(1)),
        };
    }
    if century != 0 && fields.year_digits <= 2 {
        return Some(match (fields.year % 100, century >= 0) {
            (0, true) => century.wrapping_mul(100),
            (0, false) => century.wrapping_mul(100).wrapping_add(1),
            (year, true) => century.wrapping_sub(1).wrapping_mul(100).wrapping_add(year),
            (year, false) => century.wrapping_add(1).wrapping_mul(100).wrapping_sub(year).wrapping_add(1),
        });
    }
    let year = if before_christ { fields.year.wrapping_neg() } else { fields.year };
    Some(if year < 0 { year.wrapping_add(1) } else { year })
}

impl CompleteDate {
    /// Sets the date from the fields, in PostgreSQL's order: later ones replace what earlier ones said.
    fn set_date(&mut self, fields: &mut ReadFields) -> Result<Said> {
        let iso = fields.convention == Some(Convention::IsoWeek);
        let mut said = Said::default();
        if let Some(year) = year(fields) {
            self.year = year;
            said.year = true;
        }
        if fields.julian != 0 {
            self.set_julian(i64::from(fields.julian));
            said = Said::DATE;
        }
        if fields.week != 0 && iso {
            let monday = julian_of_iso_week(i64::from(self.year), i64::from(fields.week));
            let days = match fields.week_day {
                0 => 0,
                // Sunday is 1, and the last day of the ISO week.
                ..=1 => 6,
                day => i64::from(day) - 2,
            };
            self.set_julian(monday + days);
            said = Said::DATE;
        } else if fields.week != 0 {
            fields.year_day = fields.week.wrapping_sub(1).wrapping_mul(7).wrapping_add(1);
        }
        if fields.week_of_month != 0 {
            fields.day = fields.week_of_month.wrapping_sub(1).wrapping_mul(7).wrapping_add(1);
        }
        if fields.day != 0 {
            self.day = fields.day;
            said.day = true;
        }
        if fields.month != 0 {
            self.month = fields.month;
            said.month = true;
        }
        if fields.year_day != 0 && (self.month <= 1 || self.day <= 1) {
            self.set_year_day(fields, iso)?;
            said = Said { year: said.year || iso, month: true, day: true };
        }
        Ok(said)
    }

    fn set_julian(&mut self, julian: i64) {
        let (year, month, day) = civil_of_day(julian - JULIAN_1970);
        // What is beyond 32 bits is out of range, and stays so.
        self.year = i32::try_from(year).unwrap_or(i32::MAX);
        (self.month, self.day) = (month as i32, day as i32);
    }

    /// The day of the year tells what of month and day was not said or is the first.
    fn set_year_day(&mut self, fields: &ReadFields, iso: bool) -> Result<()> {
        if self.year == 0 && fields.before_christ == 0 {
            let message = "cannot calculate day of year without year information";
            return Err(PgError::new(SqlState::INVALID_DATETIME_FORMAT, message));
        }
        let (year, year_day) = (i64::from(self.year), i64::from(fields.year_day));
        if iso {
            self.set_julian(julian_of_iso_week(year, 1) - 1 + year_day);
            return Ok(());
        }
        let days_before = |month: i64| julian(year, month, 1) - julian(year, 1, 1);
        // A day beyond the year is one of a thirteenth month, which the check of the date refuses.
        let month = (1..=12).find(|month| year_day <= days_before(month + 1)).unwrap_or(13);
        if self.month <= 1 {
            self.month = month as i32;
        }
        if self.day <= 1 {
            self.day = (year_day - days_before(month)) as i32;
        }
        Ok(())
    }

    /// Checks the parts of the date that were said; whether the month has the day only when all were.
    fn is_valid(&self, said: &Said) -> bool {
        if said.month && !(1..=12).contains(&self.month) || said.day && !(1..=31).contains(&self.day) {
            return false;
        }
        if !(said.year && said.month && said.day) {
            return true;
        }
        let (year, month) = (i64::from(self.year), i64::from(self.month));
        i64::from(self.day) <= julian(year, month + 1, 1) - julian(year, month, 1)
    }

    fn days(&self) -> i64 {
        julian(i64::from(self.year), i64::from(self.month), i64::from(self.day)) - JULIAN_1970
    }

    /// The day, since 1970.
    pub fn date(&self, text: &str) -> Result<i32> {
        let days = Some(self.days()).filter(|days| (DAY_MIN..=DAY_MAX).contains(days));
        days.and_then(|days| i32::try_from(days).ok())
            .ok_or_else(|| PgError::new(SqlState::DATETIME_FIELD_OVERFLOW, format!("date out of range: \"{text}\"")))
    }

    /// The moment, in microseconds since 1970 UTC; in the session's zone unless the text said an offset.
    pub fn timestamp(&self, session_zone: &Zone) -> Result<i64> {
        let out_of_range = || PgError::new(SqlState::DATETIME_FIELD_OVERFLOW, "timestamp out of range");
        let local = self.days().checked_mul(DAY_US).and_then(|days_us| days_us.checked_add(self.time_us));
        let local = local.filter(|local_us| *local_us > TIMESTAMP_MIN_US - DAY_US).ok_or_else(out_of_range)?;
        let offset_s = self.offset_s.unwrap_or_else(|| session_zone.offset_at_local(local));
        let utc_us = local.checked_sub(i64::from(offset_s) * SECOND_US).map(|utc_us| self.rounded(utc_us));
        utc_us.filter(|utc_us| (TIMESTAMP_MIN_US..TIMESTAMP_INFINITY).contains(utc_us)).ok_or_else(out_of_range)
    }

    /// Rounded half away from 2000, where PostgreSQL counts from.
    fn rounded(&self, utc_us: i64) -> i64 {
        let Some(digits) = self.fraction_digits.filter(|digits| *digits < 6) else { return utc_us };
        let epoch_us = day_of_civil(2000, 1, 1) * DAY_US;
        let unit = 10i64.pow(6 - digits);
        let since_2000 = i128::from(utc_us) - i128::from(epoch_us);
        let half = i128::from(unit / 2) * since_2000.signum();
        let rounded = (since_2000 + half) / i128::from(unit) * i128::from(unit) + i128::from(epoch_us);
        i64::try_from(rounded).unwrap_or(TIMESTAMP_INFINITY)
    }
}
