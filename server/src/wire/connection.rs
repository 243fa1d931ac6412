//! The loop of one connection: read a message, answer it.

use std::collections::BTreeMap;
use std::io;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use pg::PgError;
use pg::sqlstate::SqlState;
use pgwire::messages::response::{NotificationResponse, ReadyForQuery, TransactionStatus as WireStatus};
use pgwire::messages::startup::{BackendKeyData, ParameterStatus, SecretKey};
use pgwire::messages::{PgWireBackendMessage, PgWireFrontendMessage};
use tokio::time::Instant;
use tracing::{debug, error};

use crate::access::random_bytes;
use crate::error::Error;
use crate::server::Server;
use crate::session::guard::reached;
use crate::session::settings::{Source, Values};
use crate::session::{Session, TransactionStatus};
use crate::wire::Failure;
use crate::wire::codec::DecodeFailure;
use crate::wire::incoming::{Incoming, Received};
use crate::wire::output::Output;
use crate::wire::report::{Severity, error_response, notice_response};
use crate::wire::startup::Client;
use crate::wire::stream::ClientStream;

/// A client that has been let in.
#[derive(Debug)]
pub struct Connection {
    pub(super) server: Arc<Server>,
    pub(super) session: Session,
    pub(super) incoming: Incoming,
    pub(super) output: Output,
    client: Client,
    /// Whether the client has been told that its next statement may come, and has sent nothing since.
    idle: bool,
    /// After an error in the extended protocol, messages are ignored up to the next Sync.
    skip_to_sync: bool,
    /// The values of settings that the client knows.
    reported: BTreeMap<&'static str, String>,
    /// The settings that it has been told of, as long as none is changed.
    reported_from: Option<Arc<Values>>,
}

/// Why a session ends that does nothing.
const IDLE_SESSION: (SqlState, &str) =
    (SqlState::IDLE_SESSION_TIMEOUT, "terminating connection due to idle-session timeout");
/// Why a session ends that does nothing while others may wait for its locks.
const IDLE_IN_TRANSACTION: (SqlState, &str) =
    (SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT, "terminating connection due to idle-in-transaction timeout");

/// Bytes of the reference to an error in the log.
const REFERENCE_BYTES: usize = 6;

/// Whether the connection goes on.
enum Next {
    Message(PgWireFrontendMessage),
    /// A message that could not be read, and whether its client waits for an answer without sending Sync.
    Failed {
        error: Error,
        simple: bool,
    },
    End,
}

impl Connection {
    /// A connection of this client.
    pub fn new(server: Arc<Server>, stream: ClientStream, client: Client) -> Self {
        let (read, write) = tokio::io::split(stream);
        let role = client.authenticated.role();
        let session = Session::new(server.clone(), role, client.database.clone(), client.addresses, client.long_key);
        Connection {
            server,
            session,
            incoming: Incoming::new(read),
            output: Output::new(write),
            client,
            idle: false,
            skip_to_sync: false,
            reported: BTreeMap::new(),
            reported_from: None,
        }
    }

    /// Answers messages until the client leaves or the server stops.
    ///
    /// # Errors
    /// The connection breaks.
    pub async fn run(mut self) -> io::Result<()> {
        if let Some(error) = self.greet()? {
            self.end(&error).await?;
            return Ok(());
        }
        self.ready().await?;
        loop {
            match self.next().await? {
                Next::End => return Ok(()),
                Next::Failed { error, simple } => self.fail(error, !simple).await?,
                Next::Message(PgWireFrontendMessage::Terminate(_)) => return Ok(()),
                Next::Message(PgWireFrontendMessage::Sync(_)) => self.sync().await?,
                Next::Message(_) if self.skip_to_sync => {}
                Next::Message(message) => self.answer(message).await?,
            }
        }
    }

    /// What the client is told at first, or why it is not let in after all.
    fn greet(&mut self) -> io::Result<Option<Error>> {
        let role = self.client.authenticated.role().clone();
        for (name, value) in &role.settings {
            self.startup_setting(name, value, Source::User);
        }
        let parameters = std::mem::take(&mut self.client.parameters);
        for (name, value) in &parameters {
            self.startup_setting(name, value, Source::Client);
        }
        // One that sends strings in another encoding than it is told is not understood.
        if let Some(encoding) = parameters.get("client_encoding")
            && let Err(error) = self.session.settings.begin_with("client_encoding", encoding, Source::Client)
        {
            return Ok(Some(error.into()));
        }
        self.report_settings()?;
        let entry = &self.session.entry;
        let key = BackendKeyData::new(entry.process_id, SecretKey::Bytes(entry.secret_key.clone()));
        self.output.message(PgWireBackendMessage::BackendKeyData(key))?;
        Ok(None)
    }

    /// A setting in the start-up message. Drivers send some that we cannot honour, or do not know: the client is told
    /// the values that hold, and is let in.
    fn startup_setting(&mut self, name: &str, value: &str, source: Source) {
        if name == "options" {
            for (name, value) in option_settings(value) {
                self.startup_setting(&name, &value, source);
            }
            return;
        }
        if let Err(error) = self.session.settings.begin_with(name, value, source) {
            debug!(setting = name, error = %error, "start-up setting ignored");
        }
    }

    /// The client's next message, as long as the session may wait for it.
    async fn next(&mut self) -> io::Result<Next> {
        let server = self.server.clone();
        let incoming = self.incoming.clone();
        let status = self.session.transaction_status();
        let settings = &self.session.settings;
        let (patience, impatience) = match status {
            TransactionStatus::Idle => (settings.idle_session_timeout(), IDLE_SESSION),
            TransactionStatus::Open | TransactionStatus::Failed => {
                (settings.idle_in_transaction_session_timeout(), IDLE_IN_TRANSACTION)
            }
        };
        let deadline = patience.filter(|_| self.idle).map(|patience| Instant::now() + patience);
        // A transaction that is open may still be ended; it is told of nothing before it is.
        let is_between = self.idle && status == TransactionStatus::Idle;
        let ending = self.session.entry.ending.clone();
        let notifications = self.session.notifications.clone();
        let received = loop {
            tokio::select! {
                biased;
                () = ending.cancelled() => return self.end(&Error::AdminShutdown).await,
                () = server.draining().cancelled(), if is_between => return self.end(&Error::AdminShutdown).await,
                received = incoming.next() => break received,
                () = notifications.arrived(), if is_between => {
                    self.send_notifications()?;
                    self.output.flush().await?;
                }
                () = reached(deadline) => {
                    let (sqlstate, message) = impatience;
                    return self.end(&PgError::new(sqlstate, message).into()).await;
                }
            }
        };
        self.idle = false;
        self.received(received).await
    }

    async fn received(&mut self, received: Result<Option<Received>, DecodeFailure>) -> io::Result<Next> {
        match received {
            Ok(None) => Ok(Next::End),
            Ok(Some(Ok(message))) => Ok(Next::Message(message)),
            Ok(Some(Err((kind, error)))) => Ok(Next::Failed { error, simple: kind == b'Q' }),
            Err(DecodeFailure::Broken(error)) => self.end(&error).await,
            Err(DecodeFailure::Io(error)) => Err(error),
        }
    }

    /// Says why the session ends.
    async fn end(&mut self, error: &Error) -> io::Result<Next> {
        self.output.message(error_response(Severity::Fatal, &error.report()))?;
        self.output.finish().await?;
        Ok(Next::End)
    }

    /// Answers a message. A panic ends the statement, not the session.
    async fn answer(&mut self, message: PgWireFrontendMessage) -> io::Result<()> {
        let extended = message.is_extended_query();
        let answered = self.answer_while_heard(message).await;
        let failure = match answered {
            Ok(Ok(())) => None,
            Ok(Err(Failure::Disconnected(error))) => return Err(error),
            Ok(Err(Failure::Statement(error))) => Some(error),
            Err(_) => Some(Error::Panicked),
        };
        match failure {
            Some(error) => self.fail(error, extended).await,
            None if extended => self.output.flush_if_full().await,
            None => Ok(()),
        }
    }

    /// Answers a message, or gives up when its client has gone. A panic comes as an error.
    async fn answer_while_heard(&mut self, message: PgWireFrontendMessage) -> std::thread::Result<Result<(), Failure>> {
        let (incoming, entry) = (self.incoming.clone(), self.session.entry.clone());
        let answering = AssertUnwindSafe(self.dispatch(message)).catch_unwind();
        tokio::pin!(answering);
        tokio::select! {
            biased;
            answered = &mut answering => answered,
            () = incoming.gone() => {
                entry.leave();
                answering.await
            }
        }
    }

    async fn dispatch(&mut self, message: PgWireFrontendMessage) -> Result<(), Failure> {
        match message {
            PgWireFrontendMessage::Query(query) => {
                self.simple_query(&query.query).await?;
                self.ready().await.map_err(Failure::Disconnected)
            }
            PgWireFrontendMessage::Parse(parse) => self.parse(parse).await,
            PgWireFrontendMessage::Bind(bind) => self.bind(bind),
            PgWireFrontendMessage::Describe(describe) => self.describe(&describe),
            PgWireFrontendMessage::Execute(execute) => self.execute(execute).await,
            PgWireFrontendMessage::Close(close) => self.close(close),
            PgWireFrontendMessage::Flush(_) => self.output.flush().await.map_err(Failure::Disconnected),
            // What was on its way when a COPY failed.
            PgWireFrontendMessage::CopyData(_)
            | PgWireFrontendMessage::CopyDone(_)
            | PgWireFrontendMessage::CopyFail(_) => Ok(()),
            _ => Err(Error::Protocol { message: "invalid frontend message type".into() }.into()),
        }
    }

    /// Tells the client of an error. In the extended protocol it is then silent up to the next Sync.
    async fn fail(&mut self, error: Error, extended: bool) -> io::Result<()> {
        debug!(session_id = self.session.entry.process_id, error = %error, "statement failed");
        if let Some(running) = self.session.running.take() {
            running.fail(&error);
        }
        self.session.forget_skipped();
        self.session.fail();
        self.send_notices()?;
        if matches!(error, Error::AdminShutdown) {
            // The loop ends the connection with this error.
            return Ok(());
        }
        self.say(&error)?;
        if extended {
            self.skip_to_sync = true;
            self.output.flush().await
        } else {
            self.ready().await
        }
    }

    /// Sends an error. One that is our own mistake is logged, under a reference that the client is told.
    fn say(&mut self, error: &Error) -> io::Result<()> {
        let mut report = error.report();
        if report.sqlstate == SqlState::INTERNAL_ERROR {
            let reference = hex(&random_bytes::<REFERENCE_BYTES>());
            error!(session_id = self.session.entry.process_id, reference, %error, "internal error");
            let detail = format!("This is a bug in the server; its log has the details under reference {reference}.");
            report = report.detail(detail);
        }
        self.output.message(error_response(Severity::Error, &report))
    }

    async fn sync(&mut self) -> io::Result<()> {
        self.skip_to_sync = false;
        if let Err(error) = self.session.commit_implicit().await {
            self.session.fail();
            self.say(&error)?;
        }
        if self.session.transaction_status() == TransactionStatus::Idle {
            self.session.portals.roll_back();
        }
        self.ready().await
    }

    async fn ready(&mut self) -> io::Result<()> {
        self.send_notices()?;
        self.report_settings()?;
        let status = match self.session.transaction_status() {
            TransactionStatus::Idle => {
                self.send_notifications()?;
                WireStatus::Idle
            }
            TransactionStatus::Open => WireStatus::Transaction,
            TransactionStatus::Failed => WireStatus::Error,
        };
        self.output.message(PgWireBackendMessage::ReadyForQuery(ReadyForQuery::new(status)))?;
        self.idle = true;
        self.session.show_waiting();
        self.output.flush().await
    }

    pub(super) fn send_notices(&mut self) -> io::Result<()> {
        for notice in self.session.take_notices() {
            if !self.session.settings.sends(notice.severity) {
                continue;
            }
            self.output.message(notice_response(&notice))?;
        }
        Ok(())
    }

    /// Tells the client what others, or it itself, have sent to the channels that it listens to.
    fn send_notifications(&mut self) -> io::Result<()> {
        for notification in self.session.notifications.take() {
            let (channel, payload) = (notification.channel.clone(), notification.payload.clone());
            let response = NotificationResponse::new(notification.process_id, channel, payload);
            self.output.message(PgWireBackendMessage::NotificationResponse(response))?;
        }
        Ok(())
    }

    /// From now on strings are in the encoding that the client has asked for.
    pub(super) fn adopt_encoding(&mut self) {
        let encoding = self.session.settings.known().client_encoding;
        if encoding != self.output.encoding {
            self.output.encoding = encoding;
            self.incoming.set_encoding(encoding);
        }
    }

    /// Tells the client the settings whose values it does not know.
    pub(super) fn report_settings(&mut self) -> io::Result<()> {
        // Also when the values are those that were told: a statement may have set another and been rolled back.
        self.adopt_encoding();
        let current = &self.session.settings.known().values;
        if self.reported_from.as_ref().is_some_and(|known| Arc::ptr_eq(known, current)) {
            return Ok(());
        }
        self.reported_from = Some(current.clone());
        for (name, value) in self.session.settings.reported() {
            if self.reported.get(name) != Some(&value) {
                let status = ParameterStatus::new(name.to_owned(), value.clone());
                self.output.message(PgWireBackendMessage::ParameterStatus(status))?;
                self.reported.insert(name, value);
            }
        }
        Ok(())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The settings in `options='-c name=value --name=value'`.
fn option_settings(options: &str) -> Vec<(String, String)> {
    let mut words = option_words(options).into_iter();
    let mut settings = Vec::new();
    while let Some(word) = words.next() {
        let assignment = match (word.strip_prefix("--"), word.strip_prefix("-c")) {
            (Some(assignment), _) => Some(assignment.to_owned()),
            (None, Some("")) => words.next(),
            (None, assignment) => assignment.map(str::to_owned),
        };
        if let Some((name, value)) = assignment.as_deref().and_then(|it| it.split_once('=')) {
            settings.push((name.replace('-', "_"), value.to_owned()));
        }
    }
    settings
}

/// Words between blanks; a backslash makes what follows a part of the word.
fn option_words(options: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut characters = options.chars();
    while let Some(character) = characters.next() {
        let word = words.last_mut().expect("there is always a word");
        match character {
            '\\' => word.extend(characters.next()),
            blank if blank.is_ascii_whitespace() => words.push(String::new()),
            other => word.push(other),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}
