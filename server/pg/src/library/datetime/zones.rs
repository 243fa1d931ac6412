//! `value AT TIME ZONE zone`, which the planner calls `timezone(zone, value)`, and Redshift's `convert_timezone`.

use arrow::array::ArrayRef;
use bytes::BytesMut;

use crate::datetime::arithmetic::{self, is_infinite, time_plus};
use crate::datetime::zone::Zone;
use crate::datetime::{Interval, SECOND_US, write_interval};
use crate::error::{PgError, Result};
use crate::function::{Call, Function, TimeTz, Timestamp, function};
use crate::types::*;

/// The functions.
pub static FUNCTIONS: &[Function] = &[
    function("timezone", &[TEXT, TIMESTAMP], TIMESTAMPTZ, |call| in_zone(call, to_utc)),
    function("timezone", &[TEXT, TIMESTAMPTZ], TIMESTAMP, |call| in_zone(call, to_local)),
    function("timezone", &[TEXT, TIMETZ], TIMETZ, timetz_in_zone).stable(),
    function("timezone", &[INTERVAL, TIMESTAMP], TIMESTAMPTZ, |call| intervals(call, to_utc)),
    function("timezone", &[INTERVAL, TIMESTAMPTZ], TIMESTAMP, |call| intervals(call, to_local)),
    function("timezone", &[INTERVAL, TIMETZ], TIMETZ, timetz_interval),
    // Redshift
    function("convert_timezone", &[TEXT, TIMESTAMP], TIMESTAMP, |call| in_zone(call, to_local)),
    function("convert_timezone", &[TEXT, TEXT, TIMESTAMP], TIMESTAMP, convert),
];

/// The zone that a text names.
pub(super) fn named_zone(text: &str) -> Result<Zone> {
    Zone::find(text).ok_or_else(|| PgError::invalid_parameter(format!("time zone \"{text}\" not recognized")))
}

fn interval_zone(interval: Interval) -> Result<Zone> {
    if interval.months != 0 || interval.days != 0 {
        let mut text = BytesMut::new();
        write_interval(interval.months, interval.days, interval.time_us, &mut text);
        let text = String::from_utf8_lossy(&text);
        let message = format!("interval time zone \"{text}\" must not include months or days");
        return Err(PgError::invalid_parameter(message));
    }
    let offset_s = i32::try_from(interval.time_us / SECOND_US).map_err(|_| arithmetic::timestamp_out_of_range())?;
    Ok(Zone::Fixed(offset_s))
}

fn to_utc(at: Timestamp, zone: &Zone) -> Result<Timestamp> {
    arithmetic::utc(at.0, zone).map(Timestamp)
}

fn to_local(at: Timestamp, zone: &Zone) -> Result<Timestamp> {
    arithmetic::local(at.0, zone).map(Timestamp)
}

/// The zone of the last row, since most calls have the same in all of them.
#[derive(Default)]
struct Zones {
    last: Option<(String, Zone)>,
}

impl Zones {
    fn find(&mut self, text: &str) -> Result<&Zone> {
        let known = self.last.take().filter(|(name, _)| name == text);
        let entry = match known {
            Some(entry) => entry,
            None => (text.to_owned(), named_zone(text)?),
        };
        Ok(&self.last.insert(entry).1)
    }
}

fn in_zone(call: &Call, convert: fn(Timestamp, &Zone) -> Result<Timestamp>) -> Result<ArrayRef> {
    let mut zones = Zones::default();
    call.map2(|name: &str, value: Timestamp| match is_infinite(value.0) {
        true => Ok(value),
        false => convert(value, zones.find(name)?),
    })
}

fn intervals(call: &Call, convert: fn(Timestamp, &Zone) -> Result<Timestamp>) -> Result<ArrayRef> {
    call.map2(|zone: Interval, at: Timestamp| match is_infinite(at.0) {
        true => Ok(at),
        false => convert(at, &interval_zone(zone)?),
    })
}

/// The same moment of the day in another zone, with the offset that the zone has as the transaction begins.
fn timetz_in_zone(call: &Call) -> Result<ArrayRef> {
    let now_us = call.session().transaction_start_us;
    let mut zones = Zones::default();
    call.map2(|name: &str, time: TimeTz| -> Result<TimeTz> { Ok(moved(time, zones.find(name)?.offset_at(now_us))) })
}

fn timetz_interval(call: &Call) -> Result<ArrayRef> {
    call.map2(|zone: Interval, time: TimeTz| -> Result<TimeTz> { Ok(moved(time, interval_zone(zone)?.offset_at(0))) })
}

fn moved(time: TimeTz, offset_s: i32) -> TimeTz {
    let east_us = (i64::from(offset_s) - i64::from(time.offset_s)) * SECOND_US;
    TimeTz { time_us: time_plus(time.time_us, east_us), offset_s }
}

/// A local time of one zone as that of another.
fn convert(call: &Call) -> Result<ArrayRef> {
    let (mut sources, mut targets) = (Zones::default(), Zones::default());
    call.map3(|source: &str, target: &str, at: Timestamp| -> Result<Timestamp> {
        let utc = to_utc(at, sources.find(source)?)?;
        to_local(utc, targets.find(target)?)
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::call;

    #[test]
    fn timestamps_are_seen_in_other_zones() {
        let summer = (TIMESTAMP, "2020-07-01 00:00");
        for (zone, value, expected) in [
            ((TEXT, "America/Denver"), (TIMESTAMP, "2001-02-16 20:38:40"), "2001-02-17 03:38:40+00"),
            ((TEXT, "america/denver"), (TIMESTAMPTZ, "2001-02-16 20:38:40-05"), "2001-02-16 18:38:40"),
            ((TEXT, "+03:00"), summer, "2020-07-01 03:00:00+00"),
            ((TEXT, "<+03>-3"), summer, "2020-06-30 21:00:00+00"),
            ((TEXT, "EST"), summer, "2020-07-01 05:00:00+00"),
            ((TEXT, "EST5EDT"), summer, "2020-07-01 04:00:00+00"),
            ((TEXT, "foo"), summer, "time zone \"foo\" not recognized"),
            ((INTERVAL, "-03:30"), summer, "2020-07-01 03:30:00+00"),
            ((INTERVAL, "1 day"), summer, "interval time zone \"1 day\" must not include months or days"),
            ((TEXT, "Asia/Tokyo"), (TIMETZ, "20:00+00"), "05:00:00+09"),
            ((TEXT, "Europe/Berlin"), (TIMESTAMP, "infinity"), "infinity"),
            ((INTERVAL, "1 month"), (TIMESTAMPTZ, "-infinity"), "-infinity"),
        ] {
            let answer = call("timezone", &[(zone.0, Some(zone.1)), (value.0, Some(value.1))]);
            assert_eq!(answer.map_or_else(|error| error.to_string(), Option::unwrap), expected, "{zone:?}");
        }
        let arguments = [(TEXT, Some("EST")), (TEXT, Some("PST")), (TIMESTAMP, Some("2008-08-21 07:23:54"))];
        assert_eq!(call("convert_timezone", &arguments).unwrap().unwrap(), "2008-08-21 04:23:54");
    }
}
