//! Statements that wait (PostgreSQL's `pg_sleep` in `misc.c`).

use std::time::Duration;

use arrow::array::ArrayRef;
use tokio::runtime::{Handle, RuntimeFlavor};

use super::clock::clock_us;
use crate::datetime::SECOND_US;
use crate::datetime::arithmetic::timestamptz_plus;
use crate::error::Result;
use crate::function::{Call, Function, Timestamp, function};
use crate::session::Interrupt;
use crate::types::*;

/// The functions.
pub static FUNCTIONS: &[Function] = &[
    function("pg_sleep", &[FLOAT8], VOID, |call| call.map1(|seconds| wait(seconds, &call.session().interrupt)))
        .volatile(),
    function("pg_sleep_for", &[INTERVAL], VOID, sleep_for).volatile(),
    function("pg_sleep_until", &[TIMESTAMPTZ], VOID, |call| {
        call.map1(|Timestamp(end_us)| wait_until(end_us, &call.session().interrupt))
    })
    .volatile(),
];

fn sleep_for(call: &Call) -> Result<ArrayRef> {
    let session = call.session();
    call.map1(|interval| wait_until(timestamptz_plus(clock_us(), interval, &session.time_zone)?, &session.interrupt))
}

fn wait_until(end_us: i64, interrupt: &Interrupt) -> Result<&'static str> {
    wait(end_us.saturating_sub(clock_us()) as f64 / SECOND_US as f64, interrupt)
}

/// Waits so long; NaN and what is over is no time. The thread's other work goes to another thread meanwhile.
fn wait(seconds: f64, interrupt: &Interrupt) -> Result<&'static str> {
    if seconds > 0.0 {
        let duration = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        let has_other_threads = Handle::try_current().is_ok_and(|h| h.runtime_flavor() == RuntimeFlavor::MultiThread);
        match has_other_threads {
            true => tokio::task::block_in_place(|| interrupt.wait(duration))?,
            false => interrupt.wait(duration)?,
        }
    }
    Ok("")
}
