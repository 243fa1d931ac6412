//! Numbers: operators and functions of integers, numerics and floating point.

use super::Section;

/// What this module has.
pub static SECTION: Section = Section::EMPTY;
