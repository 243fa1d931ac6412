//! Arrays, and the functions that return sets.

use super::Section;

/// What this module has.
pub static SECTION: Section = Section::EMPTY;
