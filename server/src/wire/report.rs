//! Errors and notices, as messages.

use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::response::{ErrorResponse, NoticeResponse};

use crate::error::ErrorReport;
use crate::session::Notice;

/// How bad an error is for the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The statement failed.
    Error,
    /// The connection ends.
    Fatal,
}

/// The ErrorResponse for a report.
pub fn error_response(severity: Severity, report: &ErrorReport) -> PgWireBackendMessage {
    let severity = match severity {
        Severity::Error => "ERROR",
        Severity::Fatal => "FATAL",
    };
    let mut fields = vec![
        (b'S', severity.to_owned()),
        (b'V', severity.to_owned()),
        (b'C', report.sqlstate.code().to_owned()),
        (b'M', report.message.clone()),
    ];
    let optional = [
        (b'D', report.detail.clone()),
        (b'H', report.hint.clone()),
        (b'P', report.position.map(|position| position.to_string())),
        (b'W', report.context.clone()),
    ];
    let subject = report.subject.as_deref().cloned().unwrap_or_default();
    let names = [
        (b's', subject.schema),
        (b't', subject.table),
        (b'c', subject.column),
        (b'n', subject.constraint),
        (b'R', subject.routine.map(str::to_owned)),
    ];
    fields.extend(optional.into_iter().chain(names).filter_map(|(code, value)| value.map(|value| (code, value))));
    PgWireBackendMessage::ErrorResponse(ErrorResponse::new(without_nul(fields)))
}

/// The NoticeResponse for a notice.
pub fn notice_response(notice: &Notice) -> PgWireBackendMessage {
    let mut fields = vec![
        (b'S', notice.severity.to_owned()),
        (b'V', notice.severity.to_owned()),
        (b'C', notice.sqlstate.code().to_owned()),
        (b'M', notice.message.clone()),
    ];
    fields.extend(notice.detail.clone().map(|detail| (b'D', detail)));
    PgWireBackendMessage::NoticeResponse(NoticeResponse::new(without_nul(fields)))
}

/// The protocol ends strings with a NUL: one inside would end the message early.
fn without_nul(fields: Vec<(u8, String)>) -> Vec<(u8, String)> {
    fields.into_iter().map(|(code, value)| (code, value.replace('\0', "\u{fffd}"))).collect()
}
