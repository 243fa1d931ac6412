//! The styles in which intervals are printed (setting `IntervalStyle`).

use bytes::{BufMut, BytesMut};

use super::{SECOND_US, write_fraction, write_interval, write_padded};
use crate::output::write_integer;
use crate::styles::IntervalStyle;

/// The fields that are printed. All of a time have one sign.
struct Fields {
    years: i64,
    months: i64,
    days: i64,
    hours: i64,
    minutes: i64,
    /// Seconds and microseconds in one.
    seconds_us: i64,
}

/// Appends an interval in a style.
pub fn write(months: i32, days: i32, time_us: i64, style: IntervalStyle, out: &mut BytesMut) {
    let fields = Fields {
        years: i64::from(months / 12),
        months: i64::from(months % 12),
        days: i64::from(days),
        hours: time_us / (3600 * SECOND_US),
        minutes: time_us / (60 * SECOND_US) % 60,
        seconds_us: time_us % (60 * SECOND_US),
    };
    match style {
        IntervalStyle::Postgres => write_interval(months, days, time_us, out),
        IntervalStyle::PostgresVerbose => fields.write_verbose(out),
        IntervalStyle::SqlStandard => fields.write_sql(out),
        IntervalStyle::Iso8601 => fields.write_iso(out),
    }
}

impl Fields {
    fn all(&self) -> [i64; 6] {
        [self.years, self.months, self.days, self.hours, self.minutes, self.seconds_us]
    }

    fn write_verbose(&self, out: &mut BytesMut) {
        out.put_u8(b'@');
        let before = self.all().iter().find(|field| **field != 0).is_some_and(|first| *first < 0);
        let units = ["year", "mon", "day", "hour", "min"];
        for (field, unit) in self.all().into_iter().zip(units).filter(|(field, _)| *field != 0) {
            let shown = if before { -field } else { field };
            out.put_u8(b' ');
            write_integer(shown, out);
            out.put_u8(b' ');
            out.put_slice(unit.as_bytes());
            if shown != 1 {
                out.put_u8(b's');
            }
        }
        if self.seconds_us != 0 {
            out.put_u8(b' ');
            if (self.seconds_us < 0) != before {
                out.put_u8(b'-');
            }
            write_seconds(self.seconds_us, 1, out);
            let one = self.seconds_us.abs() == SECOND_US;
            out.put_slice(if one { b" sec" } else { b" secs" });
        }
        if self.all().iter().all(|field| *field == 0) {
            out.put_slice(b" 0");
        }
        if before {
            out.put_slice(b" ago");
        }
    }

    fn write_iso(&self, out: &mut BytesMut) {
        if self.all().iter().all(|field| *field == 0) {
            return out.put_slice(b"PT0S");
        }
        out.put_u8(b'P');
        write_designated(self.years, b'Y', out);
        write_designated(self.months, b'M', out);
        write_designated(self.days, b'D', out);
        if self.hours == 0 && self.minutes == 0 && self.seconds_us == 0 {
            return;
        }
        out.put_u8(b'T');
        write_designated(self.hours, b'H', out);
        write_designated(self.minutes, b'M', out);
        if self.seconds_us != 0 {
            if self.seconds_us < 0 {
                out.put_u8(b'-');
            }
            write_seconds(self.seconds_us, 1, out);
            out.put_u8(b'S');
        }
    }

    /// SQL has intervals of years and months, and of days and time, each with one sign; others are printed with all fields
    /// and all signs.
    fn write_sql(&self, out: &mut BytesMut) {
        let all = self.all();
        let (negative, positive) = (all.iter().any(|field| *field < 0), all.iter().any(|field| *field > 0));
        let has_months = self.years != 0 || self.months != 0;
        let has_time = all[2..].iter().any(|field| *field != 0);
        if !negative && !positive {
            return out.put_u8(b'0');
        }
        let sign = |negative: bool| if negative { b'-' } else { b'+' };
        if negative && positive || has_months && has_time {
            out.put_u8(sign(self.years < 0 || self.months < 0));
            self.write_months(out);
            out.put_u8(b' ');
            out.put_u8(sign(self.days < 0));
            write_integer(self.days.abs(), out);
            out.put_u8(b' ');
            out.put_u8(sign(self.hours < 0 || self.minutes < 0 || self.seconds_us < 0));
            return self.write_clock(out);
        }
        if negative {
            out.put_u8(b'-');
        }
        if has_months {
            return self.write_months(out);
        }
        if self.days != 0 {
            write_integer(self.days.abs(), out);
            out.put_u8(b' ');
        }
        self.write_clock(out);
    }

    fn write_months(&self, out: &mut BytesMut) {
        write_integer(self.years.abs(), out);
        out.put_u8(b'-');
        write_integer(self.months.abs(), out);
    }

    fn write_clock(&self, out: &mut BytesMut) {
        write_integer(self.hours.abs(), out);
        out.put_u8(b':');
        write_padded(self.minutes.abs(), 2, out);
        out.put_u8(b':');
        write_seconds(self.seconds_us, 2, out);
    }
}

fn write_designated(value: i64, designator: u8, out: &mut BytesMut) {
    if value != 0 {
        write_integer(value, out);
        out.put_u8(designator);
    }
}

/// Seconds with at least so many digits before the point, without the sign.
fn write_seconds(seconds_us: i64, width: usize, out: &mut BytesMut) {
    let seconds_us = seconds_us.abs();
    write_padded(seconds_us / SECOND_US, width, out);
    write_fraction(seconds_us % SECOND_US, out);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_printed_in_every_style() {
        let time_us = (4 * 3600 + 5 * 60) * SECOND_US + 6_789_000;
        for (style, interval, expected) in [
            (IntervalStyle::PostgresVerbose, (14, 3, time_us), "@ 1 year 2 mons 3 days 4 hours 5 mins 6.789 secs"),
            (IntervalStyle::PostgresVerbose, (-14, 3, -1), "@ 1 year 2 mons -3 days 0.000001 secs ago"),
            (IntervalStyle::PostgresVerbose, (0, 0, 0), "@ 0"),
            (IntervalStyle::PostgresVerbose, (0, 1, -SECOND_US), "@ 1 day -1 sec"),
            (IntervalStyle::SqlStandard, (14, 3, time_us), "+1-2 +3 +4:05:06.789"),
            (IntervalStyle::SqlStandard, (-14, 0, 0), "-1-2"),
            (IntervalStyle::SqlStandard, (0, -3, -time_us), "-3 4:05:06.789"),
            (IntervalStyle::SqlStandard, (0, 3, -time_us), "+0-0 +3 -4:05:06.789"),
            (IntervalStyle::SqlStandard, (0, 0, 0), "0"),
            (IntervalStyle::Iso8601, (14, 3, time_us), "P1Y2M3DT4H5M6.789S"),
            (IntervalStyle::Iso8601, (-14, 3, -500_000), "P-1Y-2M3DT-0.5S"),
            (IntervalStyle::Iso8601, (0, 0, 0), "PT0S"),
        ] {
            let mut out = BytesMut::new();
            write(interval.0, interval.1, interval.2, style, &mut out);
            assert_eq!(std::str::from_utf8(&out).unwrap(), expected);
        }
    }
}
