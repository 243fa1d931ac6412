//! The extended query protocol: Parse, Bind, Describe, Execute, Close.

use std::sync::Arc;

use bytes::Bytes;
use pg::SessionValues;
use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::data::{NoData, ParameterDescription};
use pgwire::messages::extendedquery::{
    Bind, BindComplete, Close, CloseComplete, Describe, Execute, Parse, ParseComplete, PortalSuspended,
};
use pgwire::messages::response::EmptyQueryResponse;

use crate::error::{Error, Result};
use crate::parse::{Statement, parse};
use crate::query_log::RunningQuery;
use crate::session::portal::PortalRows;
use crate::session::transaction::Extent;
use crate::session::{Portal, Prepared};
use crate::statement::{self, Outcome, RowStream, cursor};
use crate::wire::Failure;
use crate::wire::connection::Connection;
use crate::wire::parameters;
use crate::wire::rows::Format;

/// Describe and Close name a prepared statement …
const TARGET_STATEMENT: u8 = b'S';
/// … or a portal.
const TARGET_PORTAL: u8 = b'P';

impl Connection {
    pub(super) async fn parse(&mut self, message: Parse) -> Result<(), Failure> {
        let name = message.name.unwrap_or_default();
        let mut statements = parse(&message.query)?;
        if statements.len() > 1 {
            return Err(Error::Syntax {
                message: "cannot insert multiple commands into a prepared statement".into(),
                detail: None,
                position: None,
            }
            .into());
        }
        self.session.statements.check_new(&name)?;
        self.session.show(&message.query);
        self.session.begin_statement();
        let prepared = statement::prepare(&mut self.session, statements.pop(), &message.type_oids).await?;
        self.session.statements.insert(name, prepared, false);
        self.message(PgWireBackendMessage::ParseComplete(ParseComplete::new()))
    }

    pub(super) fn bind(&mut self, message: Bind) -> Result<(), Failure> {
        let name = message.statement_name.clone().unwrap_or_default();
        let prepared = self.session.statements.get(&name)?;
        if let Some(parsed) = &prepared.parsed {
            self.session.check_not_failed(&parsed.statement)?;
        }
        let mut values = self.session.values(Vec::new());
        // A failed transaction may bind what ends it, without a look at the catalog.
        if !prepared.parameter_types.is_empty() {
            values.names = Some(self.session.names()?);
        }
        let portal = portal(&name, prepared, &message, &values)?;
        let name = message.portal_name.unwrap_or_default();
        self.session.portals.check_new(&name)?;
        self.session.portals.insert(name, portal);
        self.message(PgWireBackendMessage::BindComplete(BindComplete::new()))
    }

    pub(super) fn describe(&mut self, message: &Describe) -> Result<(), Failure> {
        let name = message.name.clone().unwrap_or_default();
        let (schema, formats) = match message.target_type {
            TARGET_STATEMENT => {
                let prepared = self.session.statements.get(&name)?;
                let types = ParameterDescription::new(prepared.parameter_types.clone());
                self.message(PgWireBackendMessage::ParameterDescription(types))?;
                (prepared.result_schema(), Vec::new())
            }
            TARGET_PORTAL => {
                let portal = self.session.portals.get(&name).ok_or(Error::UndefinedPortal { name })?;
                (portal.prepared.result_schema(), portal.formats.clone())
            }
            _ => return Err(Error::Protocol { message: "invalid DESCRIBE message subtype".into() }.into()),
        };
        match schema {
            Some(schema) => self.row_description(&schema, &formats),
            None => self.message(PgWireBackendMessage::NoData(NoData::new())),
        }
    }

    /// Runs a portal, or goes on where it stopped.
    pub(super) async fn execute(&mut self, message: Execute) -> Result<(), Failure> {
        let name = message.name.clone().unwrap_or_default();
        // It is taken out while it runs, and put back unless it fails or its transaction ends.
        let mut portal =
            self.session.portals.take(&name).ok_or_else(|| Error::UndefinedPortal { name: name.clone() })?;
        let ended = self.execute_portal(&name, &mut portal, &message).await;
        let is_cursor = matches!(portal.rows, Some(PortalRows::Cursor(_)));
        match ended {
            Ok(false) => self.session.portals.put_back(name, portal),
            Err(_) if is_cursor => self.session.portals.put_back(name, portal),
            Ok(true) | Err(_) => {
                self.session.portals.remove(&name);
            }
        }
        ended.map(drop)
    }

    /// Whether nothing is left of the portal.
    async fn execute_portal(&mut self, name: &str, portal: &mut Portal, message: &Execute) -> Result<bool, Failure> {
        let Some(parsed) = &portal.prepared.parsed else {
            self.message(PgWireBackendMessage::EmptyQueryResponse(EmptyQueryResponse::new()))?;
            return Ok(true);
        };
        let ends_transaction = parsed.statement.ends_transaction();
        self.session.check_not_failed(&parsed.statement)?;
        // What is sent up to the next Sync is one transaction.
        if !matches!(parsed.statement, Statement::Begin { .. }) && !ends_transaction {
            self.session.begin_implicit(Extent::Batch);
        }
        let rows_max = usize::try_from(message.max_rows).ok().filter(|rows| *rows > 0).unwrap_or(usize::MAX);
        self.run_portal(name, portal, rows_max).await?;
        Ok(ends_transaction)
    }

    async fn run_portal(&mut self, name: &str, portal: &mut Portal, rows_max: usize) -> Result<(), Failure> {
        if portal.finished {
            return Err(Error::PortalFinished.into());
        }
        self.session.show(portal.prepared.text());
        // Each Execute has its own time, and can be cancelled by itself.
        self.session.begin_statement();
        self.session.running = portal.running.take();
        if portal.rows.is_none() {
            self.session.log(portal.prepared.verb(), portal.prepared.text());
            let prepared = portal.prepared.clone();
            let rows = match statement::execute(&mut self.session, &prepared, &portal.parameters).await? {
                Some(Outcome::Rows(rows)) => rows,
                Some(Outcome::Command(tag)) => {
                    portal.finished = true;
                    return self.complete(tag);
                }
                Some(Outcome::CopyIn(copy)) => {
                    portal.finished = true;
                    let tag = self.copy_in(*copy).await?;
                    return self.complete(tag);
                }
                Some(Outcome::CopyOut(copy)) => {
                    portal.finished = true;
                    let tag = self.copy_out(copy).await?;
                    return self.complete(tag);
                }
                None => return Ok(()),
            };
            let fetches = matches!(prepared.parsed.as_ref().map(|it| &it.statement), Some(Statement::Fetch(_)));
            // The cursor is where FETCH says, whether or not the client takes all of the rows.
            let rows = if fetches && rows_max < usize::MAX { self.session.computed_rows(rows).await? } else { rows };
            portal.rows = Some(PortalRows::Stream(rows));
        }
        match &mut portal.rows {
            Some(PortalRows::Stream(rows)) => {
                rows.set_guard(self.session.guard());
                portal.running = self.send_portal_rows(rows, &portal.formats, rows_max).await?;
                Ok(())
            }
            Some(PortalRows::Cursor(rows)) => {
                let mut rows = cursor::execute(&mut self.session, name, rows.clone(), rows_max).await?;
                portal.running = self.send_portal_rows(&mut rows, &portal.formats, rows_max).await?;
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Sends rows; the statement's entry in the log, unless these were the last.
    async fn send_portal_rows(
        &mut self,
        rows: &mut RowStream,
        formats: &[Format],
        rows_max: usize,
    ) -> Result<Option<RunningQuery>, Failure> {
        let before = rows.sent;
        if self.send_rows(rows, formats, rows_max).await? {
            let tag = rows.command_tag(rows.sent - before);
            self.complete(tag)?;
            return Ok(None);
        }
        self.message(PgWireBackendMessage::PortalSuspended(PortalSuspended::new()))?;
        let mut running = self.session.running.take();
        if let Some(running) = &mut running {
            running.pause(rows.sent - before);
        }
        Ok(running)
    }

    pub(super) fn close(&mut self, message: Close) -> Result<(), Failure> {
        let name = message.name.unwrap_or_default();
        match message.target_type {
            TARGET_STATEMENT => {
                self.session.statements.remove(&name);
            }
            TARGET_PORTAL => {
                self.session.portals.remove(&name);
            }
            _ => return Err(Error::Protocol { message: "invalid CLOSE message subtype".into() }.into()),
        }
        self.message(PgWireBackendMessage::CloseComplete(CloseComplete::new()))
    }
}

fn portal(statement_name: &str, prepared: Arc<Prepared>, message: &Bind, session: &SessionValues) -> Result<Portal> {
    let _entered = session.enter();
    let count = prepared.parameter_types.len();
    if message.parameters.len() != count {
        return Err(Error::Protocol {
            message: format!(
                "bind message supplies {} parameters, but prepared statement \"{statement_name}\" requires {count}",
                message.parameters.len()
            ),
        });
    }
    let parameter_formats = formats(&message.parameter_format_codes, count, "parameter")?;
    let columns = prepared.result_schema().map_or(0, |schema| schema.fields().len());
    let result_formats = formats(&message.result_column_format_codes, columns, "result")?;
    let values = message.parameters.iter().zip(&prepared.parameter_types).zip(parameter_formats);
    let decoded = |(place, ((value, oid), format)): (usize, ((&'_ Option<Bytes>, &'_ u32), Format))| {
        parameters::decode(*oid, format, value.as_deref(), session).map_err(|error| Error::InContext {
            source: Box::new(error.into()),
            context: parameter_context(message, place + 1, format),
        })
    };
    let parameters = values.enumerate().map(decoded).collect::<Result<_>>()?;
    Ok(Portal::new(prepared, parameters, result_formats))
}

/// Which parameter is wrong (PostgreSQL's `bind_param_error_callback`). Its value is shown to nobody.
fn parameter_context(message: &Bind, number: usize, format: Format) -> String {
    let portal = match message.portal_name.as_deref() {
        None | Some("") => "unnamed portal".to_owned(),
        Some(name) => format!("portal \"{name}\""),
    };
    let value = if format == Format::Text { " = '...'" } else { "" };
    format!("{portal} parameter ${number}{value}")
}

/// One format for each of `count` values: none given is text for all, one given is for all.
fn formats(codes: &[i16], count: usize, what: &str) -> Result<Vec<Format>> {
    if codes.len() > 1 && codes.len() != count {
        return Err(Error::Protocol {
            message: format!("bind message has {} {what} formats but {count} {what}s", codes.len()),
        });
    }
    let format = |number: usize| match codes.get(number).or(codes.first().filter(|_| codes.len() == 1)) {
        None | Some(0) => Ok(Format::Text),
        Some(1) => Ok(Format::Binary),
        Some(code) => Err(Error::InvalidParameterValue { message: format!("unsupported format code: {code}") }),
    };
    (0..count).map(format).collect()
}
