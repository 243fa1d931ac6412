//! Dates, times, timestamps and intervals.

use super::Section;

/// What this module has.
pub static SECTION: Section = Section::EMPTY;
