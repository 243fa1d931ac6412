//! What a statement can ask about the session, the server and its own values.

mod advisory;
mod catalogs;
mod comments;
mod definitions;
mod encodings;
mod format_type;
pub mod notifications;
mod nulls;
mod objects;
mod privileges;
pub mod redshift;
mod relation_sizes;
mod routines;
mod sequences;
mod session;
mod settings;
mod signals;
mod sizes;
mod transactions;
mod visibility;

use arrow::array::{ArrayRef, BooleanArray};
use std::sync::Arc;

use super::Section;
use crate::error::Result;
use crate::function::{Call, Function, function};
use crate::types::BOOL;

/// A value for each row, so that what depends on it is no constant.
pub static EACH_ROW: Function = function("each_row", &[], BOOL, each_row).volatile();

fn each_row(call: &Call) -> Result<ArrayRef> {
    Ok(Arc::new(BooleanArray::from(vec![true; call.rows()])))
}

/// What this module has.
pub static SECTION: Section = Section {
    functions: &[
        advisory::FUNCTIONS,
        comments::FUNCTIONS,
        definitions::FUNCTIONS,
        encodings::FUNCTIONS,
        format_type::FUNCTIONS,
        notifications::FUNCTIONS,
        nulls::FUNCTIONS,
        objects::FUNCTIONS,
        &privileges::TABLE,
        &privileges::ANY_COLUMN,
        &privileges::SEQUENCE,
        &privileges::DATABASE,
        &privileges::SCHEMA,
        &privileges::ROUTINE,
        &privileges::TYPE,
        &privileges::LANGUAGE,
        &privileges::TABLESPACE,
        &privileges::SERVER,
        &privileges::WRAPPER,
        privileges::FUNCTIONS,
        privileges::ROLE_FUNCTIONS,
        privileges::ACL_FUNCTIONS,
        redshift::FUNCTIONS,
        relation_sizes::FUNCTIONS,
        routines::FUNCTIONS,
        sequences::FUNCTIONS,
        session::FUNCTIONS,
        settings::FUNCTIONS,
        signals::FUNCTIONS,
        sizes::FUNCTIONS,
        transactions::FUNCTIONS,
        visibility::FUNCTIONS,
    ],
    sets: &[catalogs::SETS, notifications::SETS, privileges::SETS, redshift::SETS, sequences::SETS, settings::SETS],
    ..Section::EMPTY
};
