//! Dates and timestamps in the styles of setting `DateStyle` that are not ISO.

use bytes::{BufMut, BytesMut};

use super::zone::Zone;
use super::{
    DATE_INFINITY, DATE_MINUS_INFINITY, DAY_US, SECOND_US, TIMESTAMP_INFINITY, TIMESTAMP_MINUS_INFINITY, ZoneSuffix,
    civil_of_day, write_date, write_era, write_padded, write_time, write_timestamp, write_timestamp_in,
};
use crate::styles::{DateFormat, DateOrder, DateStyle};

/// Characters of an abbreviation of a zone that are printed (PostgreSQL's `MAXTZLEN`).
const ABBREVIATION_CHARACTERS_MAX: usize = 10;
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Appends a date.
pub fn date(day: i32, style: DateStyle, out: &mut BytesMut) {
    if style.format == DateFormat::Iso || matches!(day, DATE_INFINITY | DATE_MINUS_INFINITY) {
        return write_date(day, out);
    }
    let (year, month, date) = civil_of_day(i64::from(day));
    write_numbers(year, month, date, style, out);
    write_era(year, out);
}

/// Appends a timestamp without time zone.
pub fn timestamp(timestamp_us: i64, style: DateStyle, out: &mut BytesMut) {
    match style.format {
        DateFormat::Iso => write_timestamp(timestamp_us, ZoneSuffix::None, out),
        _ => write(timestamp_us, style, None, out),
    }
}

/// Appends a timestamp with time zone as a session in this zone sees it, with the zone's abbreviation.
pub fn timestamp_in(timestamp_us: i64, zone: &Zone, style: DateStyle, out: &mut BytesMut) {
    if style.format == DateFormat::Iso || matches!(timestamp_us, TIMESTAMP_INFINITY | TIMESTAMP_MINUS_INFINITY) {
        return write_timestamp_in(timestamp_us, zone, out);
    }
    match timestamp_us.checked_add(i64::from(zone.offset_at(timestamp_us)) * SECOND_US) {
        Some(local_us) => write(local_us, style, Some(&zone.abbreviation_at(timestamp_us)), out),
        // Within a day of the last moment there is no local time in 64 bits.
        None => write(timestamp_us, style, Some("UTC"), out),
    }
}

fn write(local_us: i64, style: DateStyle, zone: Option<&str>, out: &mut BytesMut) {
    if matches!(local_us, TIMESTAMP_INFINITY | TIMESTAMP_MINUS_INFINITY) {
        return write_timestamp(local_us, ZoneSuffix::None, out);
    }
    let (day, time_us) = (local_us.div_euclid(DAY_US), local_us.rem_euclid(DAY_US));
    let (year, month, date) = civil_of_day(day);
    match style.format {
        DateFormat::Postgres => write_words(day, time_us, style.order, out),
        _ => {
            write_numbers(year, month, date, style, out);
            out.put_u8(b' ');
            write_time(time_us, out);
        }
    }
    if let Some(zone) = zone {
        out.put_u8(b' ');
        out.extend(zone.bytes().take(ABBREVIATION_CHARACTERS_MAX));
    }
    write_era(year, out);
}

/// `17/12/1997`, `12-17-1997`, `17.12.1997`
fn write_numbers(year: i64, month: u32, day: u32, style: DateStyle, out: &mut BytesMut) {
    let separator = match style.format {
        DateFormat::German => b'.',
        DateFormat::Sql => b'/',
        DateFormat::Iso | DateFormat::Postgres => b'-',
    };
    let day_first = style.format == DateFormat::German || style.order == DateOrder::Dmy;
    let (first, second) = if day_first { (day, month) } else { (month, day) };
    write_padded(i64::from(first), 2, out);
    out.put_u8(separator);
    write_padded(i64::from(second), 2, out);
    out.put_u8(separator);
    write_year(year, out);
}

/// `Wed Dec 17 07:37:16 1997`
fn write_words(day: i64, time_us: i64, order: DateOrder, out: &mut BytesMut) {
    let (year, month, date) = civil_of_day(day);
    let month = MONTHS[month as usize - 1].as_bytes();
    out.put_slice(WEEKDAYS[day.rem_euclid(7) as usize].as_bytes());
    out.put_u8(b' ');
    if order == DateOrder::Dmy {
        write_padded(i64::from(date), 2, out);
        out.put_u8(b' ');
        out.put_slice(month);
    } else {
        out.put_slice(month);
        out.put_u8(b' ');
        write_padded(i64::from(date), 2, out);
    }
    out.put_u8(b' ');
    write_time(time_us, out);
    out.put_u8(b' ');
    write_year(year, out);
}

fn write_year(year: i64, out: &mut BytesMut) {
    write_padded(if year > 0 { year } else { 1 - year }, 4, out);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_style_has_its_order_and_separators() {
        let at_us = 882_373_036_500_000;
        for (format, order, expected) in [
            (DateFormat::Sql, DateOrder::Mdy, "12/17/1997 | 12/17/1997 15:37:16.5 | 12/17/1997 07:37:16.5 PST"),
            (DateFormat::Sql, DateOrder::Dmy, "17/12/1997 | 17/12/1997 15:37:16.5 | 17/12/1997 07:37:16.5 PST"),
            (DateFormat::German, DateOrder::Mdy, "17.12.1997 | 17.12.1997 15:37:16.5 | 17.12.1997 07:37:16.5 PST"),
            (
                DateFormat::Postgres,
                DateOrder::Ymd,
                "12-17-1997 | Wed Dec 17 15:37:16.5 1997 | Wed Dec 17 07:37:16.5 1997 PST",
            ),
            (
                DateFormat::Postgres,
                DateOrder::Dmy,
                "17-12-1997 | Wed 17 Dec 15:37:16.5 1997 | Wed 17 Dec 07:37:16.5 1997 PST",
            ),
        ] {
            let (style, mut out) = (DateStyle { format, order }, BytesMut::new());
            date(i32::try_from(at_us / DAY_US).unwrap(), style, &mut out);
            out.put_slice(b" | ");
            timestamp(at_us, style, &mut out);
            out.put_slice(b" | ");
            timestamp_in(at_us, &Zone::named("America/Los_Angeles").unwrap(), style, &mut out);
            assert_eq!(std::str::from_utf8(&out).unwrap(), expected);
        }
    }
}
