//! The numbers of transactions (PostgreSQL's `xid8funcs.c`).

use crate::error::{PgError, Result};
use crate::function::{Call, Function, function};
use crate::session::TransactionNumber;
use crate::types::*;

/// The functions.
pub static FUNCTIONS: &[Function] = &[
    function("pg_current_xact_id", &[], XID8, |call| {
        let number = number(call)?.assign().to_string();
        call.map0(|| number.as_str())
    })
    .stable(),
    function("pg_current_xact_id_if_assigned", &[], XID8, |call| {
        let number = number(call)?.assigned().map(|number| number.to_string());
        call.map0(|| number.as_deref())
    })
    .stable(),
    function("txid_current", &[], INT8, |call| {
        let number = number(call)?.assign();
        call.map0(|| number)
    })
    .stable(),
    function("txid_current_if_assigned", &[], INT8, |call| {
        let number = number(call)?.assigned();
        call.map0(|| number)
    })
    .stable(),
];

fn number(call: &Call) -> Result<&dyn TransactionNumber> {
    let number = call.session().transaction_number.as_deref();
    number.ok_or_else(|| PgError::internal("there are no transactions outside of a session"))
}
