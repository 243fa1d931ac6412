//! Values to text and back by a template: `to_char` and its kin. The rules are those of PostgreSQL's `formatting.c`.
//!
//! A template is read once into nodes and then applied to every row. Templates of dates and of numbers have their own
//! patterns ([`date_template`], [`number_template`]); what is no pattern stands for itself.

mod template;

mod date_template;
mod write_date;

mod complete_date;
mod read_date;

mod number_template;
mod number_text;
mod read_number;
mod write_number;

mod datetime_functions;
mod number_functions;
mod uuid;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod recorded;

use super::Section;

/// What this module has.
pub static SECTION: Section = Section {
    functions: &[datetime_functions::FUNCTIONS, number_functions::FUNCTIONS, uuid::FUNCTIONS],
    ..Section::EMPTY
};
