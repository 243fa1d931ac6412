//! The words of dates, times and intervals, and the names of the units that `extract` and its kin take.

/// Bytes by which words are told from one another (`TOKMAXLEN`).
const WORD_BYTES: usize = 10;

/// What a word means within a date or time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DateWord {
    /// A word that says nothing: `at`.
    Ignored,
    /// A month by its name.
    Month(i64),
    /// A day of the week.
    Weekday,
    /// `am`
    Am,
    /// `pm`
    Pm,
    /// `bc`
    BeforeChrist,
    /// `ad`
    AnnoDomini,
    /// `dst`, after a zone
    DaylightSaving,
    /// `now`
    Now,
    /// `today`, `tomorrow`, `yesterday`: days from the current one
    Day(i64),
    /// `allballs`: midnight in UTC
    Allballs,
    /// `epoch`
    Epoch,
    /// `infinity`
    Infinity,
    /// `-infinity`
    MinusInfinity,
    /// `t`: a time follows
    IsoTime,
    /// `j`, `jd`, `julian`: a Julian day follows
    Julian,
    /// Another unit, which no date has before a number.
    OtherUnit,
}

/// What a word in lower case means within a date or time.
pub(super) fn date_word(word: &str) -> Option<DateWord> {
    Some(match word {
        "at" | "on" => DateWord::Ignored,
        "jan" | "january" => DateWord::Month(1),
        "feb" | "february" => DateWord::Month(2),
        "mar" | "march" => DateWord::Month(3),
        "apr" | "april" => DateWord::Month(4),
        "may" => DateWord::Month(5),
        "jun" | "june" => DateWord::Month(6),
        "jul" | "july" => DateWord::Month(7),
        "aug" | "august" => DateWord::Month(8),
        "sep" | "sept" | "september" => DateWord::Month(9),
        "oct" | "october" => DateWord::Month(10),
        "nov" | "november" => DateWord::Month(11),
        "dec" | "december" => DateWord::Month(12),
        "mon" | "monday" | "tue" | "tues" | "tuesday" | "wed" | "wednesday" | "weds" | "thu" | "thur" | "thurs"
        | "thursday" | "fri" | "friday" | "sat" | "saturday" | "sun" | "sunday" => DateWord::Weekday,
        "am" => DateWord::Am,
        "pm" => DateWord::Pm,
        "bc" => DateWord::BeforeChrist,
        "ad" => DateWord::AnnoDomini,
        "dst" => DateWord::DaylightSaving,
        "now" => DateWord::Now,
        "today" => DateWord::Day(0),
        "tomorrow" => DateWord::Day(1),
        "yesterday" => DateWord::Day(-1),
        "allballs" => DateWord::Allballs,
        "epoch" => DateWord::Epoch,
        "infinity" => DateWord::Infinity,
        "-infinity" => DateWord::MinusInfinity,
        "t" => DateWord::IsoTime,
        "j" | "jd" | "julian" => DateWord::Julian,
        "d" | "dow" | "doy" | "h" | "isodow" | "isoyear" | "m" | "mm" | "s" | "y" => DateWord::OtherUnit,
        _ => return None,
    })
}

/// A unit of time, or a field of a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    /// `microseconds`
    Microsecond,
    /// `milliseconds`
    Millisecond,
    /// `second`
    Second,
    /// `minute`
    Minute,
    /// `hour`
    Hour,
    /// `day`
    Day,
    /// `week`
    Week,
    /// `month`
    Month,
    /// `quarter`
    Quarter,
    /// `year`
    Year,
    /// `decade`
    Decade,
    /// `century`
    Century,
    /// `millennium`
    Millennium,
    /// `timezone`: seconds east of UTC
    Timezone,
    /// `timezone_hour`
    TimezoneHour,
    /// `timezone_minute`
    TimezoneMinute,
    /// `dow`: day of the week, from 0 for Sunday
    DayOfWeek,
    /// `isodow`: day of the week, from 1 for Monday to 7
    IsoDayOfWeek,
    /// `doy`: day of the year
    DayOfYear,
    /// `isoyear`: the year that the week belongs to
    IsoYear,
    /// `julian`: the Julian day
    Julian,
    /// `epoch`: seconds since 1970
    Epoch,
}

/// A unit as intervals and `date_trunc` take it, in lower case.
pub fn interval_unit(word: &str) -> Option<Unit> {
    Some(match cut(word) {
        "us" | "usec" | "usecs" | "usecond" | "useconds" | "microsecon" => Unit::Microsecond,
        "ms" | "msec" | "msecs" | "msecond" | "mseconds" | "millisecon" => Unit::Millisecond,
        "s" | "sec" | "secs" | "second" | "seconds" => Unit::Second,
        "m" | "min" | "mins" | "minute" | "minutes" => Unit::Minute,
        "h" | "hr" | "hrs" | "hour" | "hours" => Unit::Hour,
        "d" | "day" | "days" => Unit::Day,
        "w" | "week" | "weeks" => Unit::Week,
        "mon" | "mons" | "month" | "months" => Unit::Month,
        "qtr" | "quarter" => Unit::Quarter,
        "y" | "yr" | "yrs" | "year" | "years" => Unit::Year,
        "dec" | "decs" | "decade" | "decades" => Unit::Decade,
        "c" | "cent" | "century" | "centuries" => Unit::Century,
        "mil" | "mils" | "millennia" | "millennium" => Unit::Millennium,
        "timezone" => Unit::Timezone,
        "timezone_h" => Unit::TimezoneHour,
        "timezone_m" => Unit::TimezoneMinute,
        _ => return None,
    })
}

/// A unit as `extract` and `date_part` take it, in lower case: PostgreSQL's, and Redshift's where PostgreSQL has none.
pub fn part(word: &str) -> Option<Unit> {
    let unit = match cut(word) {
        "dow" => Unit::DayOfWeek,
        "isodow" => Unit::IsoDayOfWeek,
        "doy" => Unit::DayOfYear,
        "isoyear" => Unit::IsoYear,
        "julian" | "j" | "jd" => Unit::Julian,
        "epoch" => Unit::Epoch,
        "mm" => Unit::Minute,
        other => return interval_unit(other).or_else(|| redshift_part(word)),
    };
    Some(unit)
}

/// Names that only Redshift has.
pub fn redshift_part(word: &str) -> Option<Unit> {
    Some(match word {
        "dayofweek" | "dw" | "weekday" => Unit::DayOfWeek,
        "dayofyear" | "dy" | "yearday" => Unit::DayOfYear,
        "qtrs" | "quarters" => Unit::Quarter,
        "cents" => Unit::Century,
        "millisec" | "millisecs" => Unit::Millisecond,
        "microsec" | "microsecs" => Unit::Microsecond,
        _ => return None,
    })
}

fn cut(word: &str) -> &str {
    word.get(..WORD_BYTES).unwrap_or(word)
}

/// Whether a word in lower case is the name of some unit or field, whatever values have it.
pub fn is_unit(word: &str) -> bool {
    let named = matches!(date_word(word), Some(DateWord::OtherUnit | DateWord::Julian));
    let moment = matches!(
        date_word(word),
        Some(
            DateWord::Now
                | DateWord::Day(_)
                | DateWord::Allballs
                | DateWord::Epoch
                | DateWord::Infinity
                | DateWord::MinusInfinity
        )
    );
    named || moment || part(word).is_some()
}
