//! What a statement can ask about the session, the server and its own values.

mod encodings;
mod format_type;
mod nulls;
mod session;
mod sizes;

use super::Section;

/// What this module has.
pub static SECTION: Section = Section {
    functions: &[encodings::FUNCTIONS, format_type::FUNCTIONS, nulls::FUNCTIONS, session::FUNCTIONS, sizes::FUNCTIONS],
    ..Section::EMPTY
};
