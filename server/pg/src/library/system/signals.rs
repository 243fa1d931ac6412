//! What one session asks of another (PostgreSQL's `signalfuncs.c`).

use arrow::array::ArrayRef;

use crate::error::Result;
use crate::function::{Call, Function, function};
use crate::session::Signal;
use crate::types::*;

/// The functions.
pub static FUNCTIONS: &[Function] = &[
    function("pg_cancel_backend", &[INT4], BOOL, |call| signal(call, Signal::Cancel)).volatile(),
    function("pg_terminate_backend", &[INT4], BOOL, |call| signal(call, Signal::Terminate)).volatile(),
    // How long is waited for its end makes no difference: it has been asked, and nobody is waited for.
    function("pg_terminate_backend", &[INT4, INT8], BOOL, |call| signal(call, Signal::Terminate)).volatile(),
];

fn signal(call: &Call, signal: Signal) -> Result<ArrayRef> {
    let others = call.session().others.as_ref();
    call.map1(|process_id: i32| others.map_or(Ok(false), |others| others.signal(process_id, signal)))
}
