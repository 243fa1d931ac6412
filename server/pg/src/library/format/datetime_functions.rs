//! `to_char` of timestamps and intervals, `to_date` and `to_timestamp`.

use arrow::array::ArrayRef;

use super::complete_date;
use super::date_template::{self, DateTemplate};
use super::template::LastTemplate;
use super::write_date::{self, DateFields};

use crate::datetime::{Interval, SECOND_US, TIMESTAMP_INFINITY, TIMESTAMP_MINUS_INFINITY};
use crate::error::Result;
use crate::function::{Call, Date, Function, Timestamp, function};
use crate::types::*;

/// The functions.
pub static FUNCTIONS: &[Function] = &[
    function("to_char", &[TIMESTAMP, TEXT], TEXT, timestamp_to_char).stable(),
    function("to_char", &[TIMESTAMPTZ, TEXT], TEXT, timestamptz_to_char).stable(),
    function("to_char", &[INTERVAL, TEXT], TEXT, interval_to_char).stable(),
    function("to_date", &[TEXT, TEXT], DATE, to_date).stable(),
    function("to_timestamp", &[TEXT, TEXT], TIMESTAMPTZ, to_timestamp).stable(),
];

type Template = LastTemplate<DateTemplate>;

fn timestamp_to_char(call: &Call) -> Result<ArrayRef> {
    let mut template = Template::new();
    call.map2(|value: Timestamp, format: &str| {
        if format.is_empty() || !is_finite(value) {
            return Ok(None);
        }
        let fields = DateFields::of_timestamp(value.0);
        write_date::write(template.get(format, date_template::read)?, &fields).map(Some)
    })
}

fn timestamptz_to_char(call: &Call) -> Result<ArrayRef> {
    let session_zone = &call.session().time_zone;
    let mut template = Template::new();
    call.map2(|value: Timestamp, format: &str| {
        if format.is_empty() || !is_finite(value) {
            return Ok(None);
        }
        let offset_s = session_zone.offset_at(value.0);
        let mut fields = DateFields::of_timestamp(value.0.saturating_add(i64::from(offset_s) * SECOND_US));
        fields.offset_s = i64::from(offset_s);
        fields.zone = Some(session_zone.abbreviation_at(value.0));
        write_date::write(template.get(format, date_template::read)?, &fields).map(Some)
    })
}

fn interval_to_char(call: &Call) -> Result<ArrayRef> {
    let mut template = Template::new();
    call.map2(|value: Interval, format: &str| {
        if format.is_empty() {
            return Ok(None);
        }
        write_date::write(template.get(format, date_template::read)?, &DateFields::of_interval(value)).map(Some)
    })
}

fn to_date(call: &Call) -> Result<ArrayRef> {
    let mut template = Template::new();
    call.map2(|text: &str, format: &str| {
        let template = template.get(format, date_template::read)?;
        complete_date::complete(template, text)?.date(text).map(Date)
    })
}

fn to_timestamp(call: &Call) -> Result<ArrayRef> {
    let session_zone = &call.session().time_zone;
    let mut template = Template::new();
    call.map2(|text: &str, format: &str| {
        let template = template.get(format, date_template::read)?;
        complete_date::complete(template, text)?.timestamp(session_zone).map(Timestamp)
    })
}

fn is_finite(value: Timestamp) -> bool {
    !matches!(value.0, TIMESTAMP_INFINITY | TIMESTAMP_MINUS_INFINITY)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use chrono_tz::Tz;
    use datafusion_common::ScalarValue;
    use datafusion_common::config::ConfigOptions;
    use datafusion_expr::ColumnarValue;

    use super::*;
    use crate::expression_type::Type;
    use crate::session::SessionValues;

    /// The answer of a function in a session with a time zone, as text.
    fn in_zone(time_zone: Tz, kernel: fn(&Call) -> Result<ArrayRef>, arguments: [(Type, ScalarValue); 2]) -> String {
        let mut options = ConfigOptions::default();
        options.extensions.insert(SessionValues { time_zone: time_zone.into(), ..SessionValues::default() });
        let result = if arguments[0].0.oid == TEXT { Type::of(TIMESTAMPTZ) } else { Type::of(TEXT) };
        let values: Vec<_> = arguments.iter().map(|(_, value)| ColumnarValue::Scalar(value.clone())).collect();
        let types = arguments.iter().map(|(ty, _)| ty.clone()).collect();
        let call = Call::new(types, result.clone(), &values, 1, Some(Arc::new(options))).unwrap();
        crate::testing::text(&kernel(&call).unwrap(), &result, 0).unwrap().unwrap()
    }

    fn value(number: u32, text: &str) -> (Type, ScalarValue) {
        crate::input::value(&Type::of(number), text, &SessionValues::default()).unwrap()
    }

    #[test]
    fn a_timestamp_with_time_zone_is_shown_in_the_zone_of_the_session() {
        for (zone, moment, expected) in [
            (Tz::Europe__Berlin, "1800-01-01 00:00+00", "LMT lmt +00:53 +00 53"),
            (Tz::Europe__Berlin, "2124-07-01 00:00+00", "CEST cest +02 +02 00"),
            (Tz::America__Sao_Paulo, "2024-01-01 00:00+00", "-03 -03 -03 -03 00"),
            (Tz::America__St_Johns, "2024-01-01 00:00+00", "NST nst -03:30 -03 30"),
            (Tz::UTC, "2024-01-01 00:00+00", "UTC utc +00 +00 00"),
        ] {
            let arguments = [value(TIMESTAMPTZ, moment), value(TEXT, "TZ tz OF TZH TZM")];
            assert_eq!(in_zone(zone, timestamptz_to_char, arguments), expected);
        }
    }

    #[test]
    fn a_text_without_an_offset_is_in_the_zone_of_the_session() {
        for (text, expected) in
            [("2024-03-10 02:30", "2024-03-10 06:00:00+00"), ("2024-11-03 01:30", "2024-11-03 05:00:00+00")]
        {
            let arguments = [value(TEXT, text), value(TEXT, "YYYY-MM-DD HH24:MI")];
            assert_eq!(in_zone(Tz::America__St_Johns, to_timestamp, arguments), expected);
        }
    }
}
