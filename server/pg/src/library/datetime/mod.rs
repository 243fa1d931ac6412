//! Dates, times, timestamps and intervals: what PostgreSQL has in `date.c` and `timestamp.c`, and Redshift's functions.

mod clock;
mod comparison;
mod construct;
mod convert;
mod delay;
mod extract;
mod extract_value;
mod operators;
mod overlaps;
mod redshift;
mod redshift_parts;
mod truncate;
mod zones;

use super::Section;

/// What this module has.
pub static SECTION: Section = Section {
    functions: &[
        clock::FUNCTIONS,
        comparison::FUNCTIONS,
        construct::FUNCTIONS,
        convert::FUNCTIONS,
        delay::FUNCTIONS,
        extract::FUNCTIONS,
        operators::FUNCTIONS,
        overlaps::FUNCTIONS,
        redshift::FUNCTIONS,
        truncate::FUNCTIONS,
        zones::FUNCTIONS,
    ],
    operators: &[
        comparison::INTERVALS,
        comparison::TIMETZS,
        comparison::TIMESTAMP_TIMESTAMPTZ,
        comparison::TIMESTAMPTZ_TIMESTAMP,
        comparison::DATE_TIMESTAMPTZ,
        comparison::TIMESTAMPTZ_DATE,
        operators::OPERATORS,
    ],
    ..Section::EMPTY
};
