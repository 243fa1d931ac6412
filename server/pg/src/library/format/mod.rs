//! Values to text and back by a pattern: `to_char` and its kin.

use super::Section;

/// What this module has.
pub static SECTION: Section = Section::EMPTY;
