//! Aggregates and window functions.

use super::Section;

/// What this module has.
pub static SECTION: Section = Section::EMPTY;
