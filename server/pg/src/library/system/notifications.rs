//! `pg_notify` and what one can ask about notifications (PostgreSQL's `async.c`).

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringViewArray};

use crate::error::{PgError, Result};
use crate::expression_type::Type;
use crate::function::{Call, Function, SetCall, SetFunction, SetRows, function};
use crate::session::Notifications;
use crate::sqlstate::SqlState;
use crate::types::*;

/// Longest name of a channel, in bytes: that of an identifier.
const CHANNEL_BYTES_MAX: usize = 63;
/// A payload has fewer bytes than this (PostgreSQL's `NOTIFY_PAYLOAD_MAX_LENGTH`).
const PAYLOAD_BYTES_END: usize = 8000;

/// The functions.
pub static FUNCTIONS: &[Function] = &[
    function("pg_notification_queue_usage", &[], FLOAT8, pg_notification_queue_usage).volatile(),
    function("pg_notify", &[TEXT, TEXT], VOID, pg_notify).volatile(),
];

/// Those that return sets.
pub static SETS: &[SetFunction] = &[SetFunction {
    name: "pg_listening_channels",
    arguments: &[],
    variadic: false,
    columns: |_| Ok(vec![("pg_listening_channels".to_owned(), Type::of(TEXT))]),
    rows: pg_listening_channels,
}];

/// Whether a notification can be sent so.
///
/// # Errors
/// 22023 for a name or payload that is too long, or no name.
pub fn check(channel: &str, payload: &str) -> Result<()> {
    let message = if channel.is_empty() {
        "channel name cannot be empty"
    } else if channel.len() > CHANNEL_BYTES_MAX {
        "channel name too long"
    } else if payload.len() >= PAYLOAD_BYTES_END {
        "payload string too long"
    } else {
        return Ok(());
    };
    Err(PgError::new(SqlState::INVALID_PARAMETER_VALUE, message))
}

fn of_session(notifications: Option<&Arc<dyn Notifications>>) -> Result<&Arc<dyn Notifications>> {
    notifications.ok_or_else(|| PgError::internal("a statement without a session"))
}

/// NULL stands for an empty text.
fn pg_notify(call: &Call) -> Result<ArrayRef> {
    let notifications = of_session(call.session().notifications.as_ref())?;
    let (channels, payloads) = (call.column::<&str>(0)?, call.column::<&str>(1)?);
    for row in 0..call.rows() {
        let (channel, payload) = (channels.get(row).unwrap_or_default(), payloads.get(row).unwrap_or_default());
        check(channel, payload)?;
        notifications.notify(channel, payload)?;
    }
    call.map0(|| "")
}

fn pg_notification_queue_usage(call: &Call) -> Result<ArrayRef> {
    let usage = of_session(call.session().notifications.as_ref())?.queue_usage();
    call.map0(|| usage)
}

fn pg_listening_channels(call: SetCall) -> Result<SetRows> {
    let channels = of_session(call.session.notifications.as_ref())?.listening();
    let column: ArrayRef = Arc::new(StringViewArray::from_iter_values(channels));
    Ok(if column.is_empty() { Box::new(std::iter::empty()) } else { Box::new(std::iter::once(Ok(vec![column]))) })
}
