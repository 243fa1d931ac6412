//! The values of settings that are texts with a form.

use bytes::BytesMut;
use pg::PgError;
use pg::datetime::parse_interval;
use pg::datetime::zone::Zone;
use pg::datetime::{interval_style, write_offset};
use pg::encoding::Encoding;
use pg::error::Result;
use pg::styles::{DateFormat, DateOrder, DateStyle, IntervalStyle};

use super::setting::{Form, Setting};
use super::{SessionSettings, names};

/// Seconds of an hour.
const HOUR_S: f64 = 3600.0;
/// The encoding's name that old drivers insist on.
const UNICODE: &str = "UNICODE";

/// A text in its canonical spelling.
///
/// # Errors
/// 22023 when it does not have the form.
pub fn canonical(setting: &Setting, form: Form, value: &str, settings: &SessionSettings) -> Result<String> {
    match form {
        Form::Any => Ok(value.to_owned()),
        Form::Role => {
            let own = settings.own_role();
            let is_own = value.is_empty() || value == own || setting.name == "role" && value == "none";
            if is_own { Ok(value.to_owned()) } else { Err(PgError::not_supported("acting as another role")) }
        }
        Form::Printable => {
            Ok(value.bytes().map(|byte| if matches!(byte, b' '..=b'~') { char::from(byte) } else { '?' }).collect())
        }
        Form::Names => match names::split(value) {
            Some(_) => Ok(value.to_owned()),
            None => Err(setting.invalid(value).with_detail("List syntax is invalid.")),
        },
        Form::DateStyle => date_style(setting, value, settings),
        Form::TimeZone => time_zone(setting, value),
        Form::Encoding if value == UNICODE => Ok(value.to_owned()),
        Form::Encoding => {
            let encoding = Encoding::named(value).ok_or_else(|| setting.invalid(value))?;
            encoding.check_supported().map(|()| encoding.name().to_owned())
        }
    }
}

/// What the words leave open stays as it is.
fn date_style(setting: &Setting, value: &str, settings: &SessionSettings) -> Result<String> {
    let words = names::split(value);
    let words = words.ok_or_else(|| setting.invalid(value).with_detail("List syntax is invalid."))?;
    let (mut format, mut order) = (None, None);
    let mut conflict = false;
    for word in &words {
        let lower = word.to_ascii_lowercase();
        let (its_format, its_order) = match lower.as_str() {
            "iso" => (Some(DateFormat::Iso), None),
            "sql" => (Some(DateFormat::Sql), None),
            "german" => (Some(DateFormat::German), None),
            "ymd" => (None, Some(DateOrder::Ymd)),
            "mdy" | "us" => (None, Some(DateOrder::Mdy)),
            "dmy" => (None, Some(DateOrder::Dmy)),
            "default" => {
                let default = date_style_of(&settings.reset_value(setting));
                format = format.or(Some(default.format));
                order = order.or(Some(default.order));
                continue;
            }
            word if word.starts_with("postgres") => (Some(DateFormat::Postgres), None),
            word if word.starts_with("euro") => (None, Some(DateOrder::Dmy)),
            word if word.starts_with("noneuro") => (None, Some(DateOrder::Mdy)),
            _ => {
                let detail = format!("Unrecognized key word: \"{word}\".");
                return Err(setting.invalid(value).with_detail(detail));
            }
        };
        conflict |= its_format.is_some() && format.is_some() && format != its_format;
        conflict |= its_order.is_some() && order.is_some() && order != its_order;
        (format, order) = (its_format.or(format), its_order.or(order));
    }
    if conflict {
        return Err(setting.invalid(value).with_detail("Conflicting \"datestyle\" specifications."));
    }
    let current = date_style_of(&settings.get(setting));
    // German dates have the day first unless it is said otherwise.
    let german = (format == Some(DateFormat::German)).then_some(DateOrder::Dmy);
    let format = match format.unwrap_or(current.format) {
        DateFormat::Iso => "ISO",
        DateFormat::Sql => "SQL",
        DateFormat::Postgres => "Postgres",
        DateFormat::German => "German",
    };
    let order = match order.or(german).unwrap_or(current.order) {
        DateOrder::Mdy => "MDY",
        DateOrder::Dmy => "DMY",
        DateOrder::Ymd => "YMD",
    };
    Ok(format!("{format}, {order}"))
}

/// What a canonical value of `DateStyle` says.
pub fn date_style_of(canonical: &str) -> DateStyle {
    let (format, order) = canonical.split_once(", ").unwrap_or((canonical, ""));
    let format = match format {
        "SQL" => DateFormat::Sql,
        "Postgres" => DateFormat::Postgres,
        "German" => DateFormat::German,
        _ => DateFormat::Iso,
    };
    let order = match order {
        "DMY" => DateOrder::Dmy,
        "YMD" => DateOrder::Ymd,
        _ => DateOrder::Mdy,
    };
    DateStyle { format, order }
}

/// What a canonical value of `IntervalStyle` says.
pub fn interval_style_of(canonical: &str) -> IntervalStyle {
    match canonical {
        "postgres_verbose" => IntervalStyle::PostgresVerbose,
        "sql_standard" => IntervalStyle::SqlStandard,
        "iso_8601" => IntervalStyle::Iso8601,
        _ => IntervalStyle::Postgres,
    }
}

/// A name, a rule, a number of hours east of UTC, or an interval.
fn time_zone(setting: &Setting, value: &str) -> Result<String> {
    let offset_s = match interval_text(value) {
        Some(text) => {
            let text = text.ok_or_else(|| setting.invalid(value))?;
            let interval = parse_interval::interval(text).map_err(|_| setting.invalid(value))?;
            let unit = [(interval.months, "months"), (interval.days, "days")];
            if let Some((_, unit)) = unit.iter().find(|(count, _)| *count != 0) {
                let mut shown = BytesMut::new();
                let (months, days, time_us) = (interval.months, interval.days, interval.time_us);
                interval_style::write(months, days, time_us, IntervalStyle::Postgres, &mut shown);
                let value = format!("INTERVAL '{}'", String::from_utf8_lossy(&shown));
                let detail = format!("Cannot specify {unit} in time zone interval.");
                return Err(setting.invalid(&value).with_detail(detail));
            }
            Some(interval.time_us / 1_000_000)
        }
        None => hours(value).map(|hours| (hours * HOUR_S) as i64),
    };
    let named = match offset_s {
        Some(offset_s) => Zone::of_setting(&posix_name(offset_s)).filter(|_| offset_s.abs() < 168 * 3600),
        None => Zone::of_setting(value),
    };
    match named {
        Some((name, _)) => Ok(name),
        None if offset_s.is_some() => Err(setting.invalid(value).with_detail("UTC timezone offset is out of range.")),
        None => Err(setting.invalid(value)),
    }
}

/// `INTERVAL '…'`: the text, or nothing when it has another form.
fn interval_text(value: &str) -> Option<Option<&str>> {
    let keyword = value.get(..8).filter(|word| word.eq_ignore_ascii_case("interval"))?;
    Some(value[keyword.len()..].trim().strip_prefix('\'').and_then(|text| text.strip_suffix('\'')))
}

/// A number, decimal or hexadecimal.
fn hours(value: &str) -> Option<f64> {
    let hexadecimal = value.strip_prefix("0x").and_then(|digits| u32::from_str_radix(digits, 16).ok());
    let is_number = value.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'));
    hexadecimal.map(f64::from).or_else(|| value.parse().ok().filter(|_| is_number))
}

/// The zone of an offset in POSIX's notation, which counts to the west: `<-05>+05`.
fn posix_name(offset_s: i64) -> String {
    let offset = |offset_s: i64| {
        let mut text = BytesMut::new();
        write_offset(i32::try_from(offset_s).unwrap_or(i32::MAX), &mut text);
        String::from_utf8_lossy(&text).into_owned()
    };
    match offset_s {
        0 => "<+00>-00".to_owned(),
        _ => format!("<{}>{}", offset(offset_s), offset(-offset_s)),
    }
}
