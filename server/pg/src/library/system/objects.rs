//! What the catalog knows of objects by their numbers.

use arrow::array::ArrayRef;
use catalog::Relation;

use crate::error::{PgError, Result};
use crate::function::{Call, Function, Oid, function};
use crate::input::object_name::named_relation;
use crate::names::{self, Names};
use crate::sqlstate::SqlState;
use crate::types::*;

/// The functions.
pub static FUNCTIONS: &[Function] = &[
    function("pg_get_serial_sequence", &[TEXT, TEXT], TEXT, pg_get_serial_sequence).stable(),
    function("pg_get_userbyid", &[OID], NAME, pg_get_userbyid).stable(),
    function("pg_trigger_depth", &[], INT4, |call| call.map0(|| 0i32)).stable(),
];

fn relation(names: &Names, oid: Oid) -> Option<&Relation> {
    names.snapshot().relation_by_oid(catalog::Oid(oid.0))
}

fn pg_get_userbyid(call: &Call) -> Result<ArrayRef> {
    call.map1(|oid: Oid| {
        let names = names::current();
        let role = names.as_ref().and_then(|names| names.snapshot().role_by_oid(catalog::Oid(oid.0)));
        role.map_or_else(|| format!("unknown (OID={})", oid.0), |role| role.name.clone())
    })
}

/// The sequence that belongs to a column; its name is not folded, that of the table is.
fn pg_get_serial_sequence(call: &Call) -> Result<ArrayRef> {
    call.map2(|table: &str, column: &str| {
        let Some(names) = names::current() else { return Ok(None) };
        let number = named_relation(table)?;
        let found = number.and_then(|number| relation(&names, Oid(number)));
        let Some(found) = found else {
            let message = format!("relation \"{table}\" does not exist");
            return Err(PgError::new(SqlState::UNDEFINED_TABLE, message));
        };
        let attribute = match found {
            Relation::Hot(table) => {
                let found = table.columns.iter().find(|known| known.name == column);
                found.map(|known| known.attribute_number)
            }
            other => other.columns().any(|(name, _)| name == column).then_some(0),
        };
        let Some(attribute) = attribute else {
            let message = format!("column \"{column}\" of relation \"{}\" does not exist", found.name().name);
            return Err(PgError::new(SqlState::UNDEFINED_COLUMN, message));
        };
        let owned = names.snapshot().owned_sequences(found.oid());
        let owned = owned.iter().find(|sequence| sequence.owner.is_some_and(|(_, owner)| owner == attribute));
        Ok(owned.map(|sequence| sequence.name.to_string()))
    })
}
