//! What a session sends to those who listen, and what it listens to.
//!
//! Both wait for the commit of its transaction: until then NOTIFY, LISTEN and UNLISTEN only note what is to be done.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pg::error::Result;
use tokio::sync::OwnedMutexGuard;

use crate::notifications::{Mailbox, Notification, Notifications, bytes};

/// What a session sends to those who listen, and what it listens to.
#[derive(Debug)]
pub struct SessionNotifications {
    server: Arc<Notifications>,
    process_id: i32,
    mailbox: Arc<Mailbox>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The channels that it listens to.
    channels: BTreeSet<String>,
    /// What is to be done when the transaction is committed.
    changes: Vec<Change>,
    /// What is to be sent then: channel and payload.
    sent: Vec<(String, String)>,
    /// The same, to find what is sent twice.
    known: HashSet<(String, String)>,
    /// The memory that it takes.
    bytes: usize,
}

/// What becomes of the channels.
#[derive(Debug)]
enum Change {
    Listen(String),
    Unlisten(String),
    UnlistenAll,
}

/// How much was to be done at a savepoint.
#[derive(Debug, Clone, Copy)]
pub struct Noted {
    changes: usize,
    sent: usize,
}

impl SessionNotifications {
    /// Of a session that listens to nothing.
    pub fn new(server: Arc<Notifications>, process_id: i32) -> Self {
        SessionNotifications { server, process_id, mailbox: Arc::default(), state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `LISTEN`
    pub fn listen(&self, channel: String) {
        self.state().changes.push(Change::Listen(channel));
    }

    /// `UNLISTEN` a channel, or all of them.
    pub fn unlisten(&self, channel: Option<String>) {
        self.state().changes.push(channel.map_or(Change::UnlistenAll, Change::Unlisten));
    }

    /// How much is to be done by now.
    pub fn noted(&self) -> Noted {
        let state = self.state();
        Noted { changes: state.changes.len(), sent: state.sent.len() }
    }

    /// What was noted since then is not to be done.
    pub fn roll_back_to(&self, noted: Noted) {
        let mut state = self.state();
        state.changes.truncate(noted.changes);
        if state.sent.len() > noted.sent {
            for sent in state.sent.split_off(noted.sent) {
                state.bytes -= bytes(&sent.0, &sent.1);
                state.known.remove(&sent);
            }
        }
    }

    /// Nothing of what was noted is to be done.
    pub fn roll_back(&self) {
        self.roll_back_to(Noted { changes: 0, sent: 0 });
    }

    /// Before the commit of a transaction: what has to be held until [`commit`](Self::commit).
    ///
    /// # Errors
    /// 54000 when there is no room for what it sends.
    pub async fn begin_commit(&self) -> Result<Option<OwnedMutexGuard<()>>> {
        let wanted = self.state().bytes;
        if wanted == 0 {
            return Ok(None);
        }
        let in_order = self.server.in_order().await;
        self.server.check_room(wanted)?;
        Ok(Some(in_order))
    }

    /// The transaction is committed: what was noted is done.
    pub fn commit(&self) {
        let mut state = self.state();
        for change in std::mem::take(&mut state.changes) {
            match change {
                Change::Listen(channel) => {
                    self.server.listen(&channel, self.process_id, &self.mailbox);
                    state.channels.insert(channel);
                }
                Change::Unlisten(channel) => {
                    self.server.unlisten(&channel, self.process_id);
                    state.channels.remove(&channel);
                }
                Change::UnlistenAll => self.unlisten_all(&mut state),
            }
        }
        state.known.clear();
        state.bytes = 0;
        let sent = std::mem::take(&mut state.sent);
        drop(state);
        if !sent.is_empty() {
            self.server.deliver(self.process_id, sent);
        }
    }

    /// The session is over.
    pub fn leave(&self) {
        self.unlisten_all(&mut self.state());
        self.mailbox.take();
    }

    fn unlisten_all(&self, state: &mut State) {
        for channel in std::mem::take(&mut state.channels) {
            self.server.unlisten(&channel, self.process_id);
        }
    }

    /// Waits until something may have arrived.
    pub async fn arrived(&self) {
        self.mailbox.arrived().await;
    }

    /// Takes what has arrived on the channels that it still listens to.
    pub fn take(&self) -> Vec<Arc<Notification>> {
        let arrived = self.mailbox.take();
        if arrived.is_empty() {
            return Vec::new();
        }
        let state = self.state();
        arrived.into_iter().filter(|notification| state.channels.contains(&notification.channel)).collect()
    }
}

impl pg::session::Notifications for SessionNotifications {
    fn notify(&self, channel: &str, payload: &str) -> Result<()> {
        let sent = (channel.to_owned(), payload.to_owned());
        let mut state = self.state();
        if state.known.contains(&sent) {
            return Ok(());
        }
        let bytes = state.bytes + bytes(channel, payload);
        self.server.check_room(bytes)?;
        state.bytes = bytes;
        state.known.insert(sent.clone());
        state.sent.push(sent);
        Ok(())
    }

    fn listening(&self) -> Vec<String> {
        self.state().channels.iter().cloned().collect()
    }

    fn queue_usage(&self) -> f64 {
        self.server.usage()
    }
}
