//! How a session writes values as text, and reads those that could be meant in two ways.

/// Settings `DateStyle`, `IntervalStyle`, `bytea_output` and `extra_float_digits`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Styles {
    /// `DateStyle`
    pub dates: DateStyle,
    /// `IntervalStyle`
    pub intervals: IntervalStyle,
    /// `bytea_output`
    pub bytes: ByteaOutput,
    /// `extra_float_digits`: more than 0 is as many digits as it takes to read back the same number.
    pub float_digits: i32,
}

impl Styles {
    /// Those of a session that has set nothing.
    pub const DEFAULT: Styles = Styles {
        dates: DateStyle { format: DateFormat::Iso, order: DateOrder::Mdy },
        intervals: IntervalStyle::Postgres,
        bytes: ByteaOutput::Hex,
        float_digits: 1,
    };
}

impl Default for Styles {
    fn default() -> Self {
        Styles::DEFAULT
    }
}

/// How dates are written, and which number of one is the month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateStyle {
    /// How dates and timestamps are written.
    pub format: DateFormat,
    /// The order of day, month and year, where the format leaves it open.
    pub order: DateOrder,
}

/// How dates and timestamps are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateFormat {
    /// `1997-12-17 07:37:16-08`
    Iso,
    /// `12/17/1997 07:37:16.00 PST`
    Sql,
    /// `Wed Dec 17 07:37:16 1997 PST`
    Postgres,
    /// `17.12.1997 07:37:16.00 PST`
    German,
}

/// The order of day, month and year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DateOrder {
    /// Month, day, year.
    #[default]
    Mdy,
    /// Day, month, year.
    Dmy,
    /// Year, month, day: for reading only.
    Ymd,
}

/// How intervals are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntervalStyle {
    /// `1 year 2 mons 04:05:06`
    Postgres,
    /// `@ 1 year 2 mons 4 hours 5 mins 6 secs`
    PostgresVerbose,
    /// `+1-2 +0 +4:05:06`
    SqlStandard,
    /// `P1Y2MT4H5M6S`
    Iso8601,
}

/// How bytes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteaOutput {
    /// `\x00ff`
    Hex,
    /// `\000\377`
    Escape,
}
