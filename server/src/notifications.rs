//! Who listens to which channels, and what has been sent to them that they have not taken (PostgreSQL's `async.c`).
//!
//! A transaction that has sent something holds [`Notifications::in_order`] from before its commit until what it sent is in
//! the mailboxes: they are delivered in the order of the commits.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use datafusion::execution::memory_pool::MemoryReservation;
use pg::PgError;
use pg::error::Result;
use pg::sqlstate::SqlState;
use tokio::sync::{Notify, OwnedMutexGuard};

/// What all mailboxes hold together. A listener that stays in a transaction takes nothing, and must not fill the memory.
const QUEUE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// What a notification takes besides its texts.
const OVERHEAD_BYTES: usize = 128;

/// The channels of the server.
#[derive(Debug)]
pub struct Notifications {
    /// By channel and process number.
    channels: Mutex<HashMap<String, BTreeMap<i32, Arc<Mailbox>>>>,
    order: Arc<tokio::sync::Mutex<()>>,
    queue: Arc<Queue>,
}

/// The memory of what has been sent and not been taken.
#[derive(Debug)]
struct Queue(MemoryReservation);

/// Something that was sent.
#[derive(Debug)]
pub struct Notification {
    /// The process number of the session that sent it.
    pub process_id: i32,
    /// The channel.
    pub channel: String,
    /// What it says.
    pub payload: String,
    queue: Arc<Queue>,
}

impl Drop for Notification {
    fn drop(&mut self) {
        self.queue.0.shrink(bytes(&self.channel, &self.payload));
    }
}

/// What was sent to a session that it has not taken.
#[derive(Debug, Default)]
pub struct Mailbox {
    notifications: Mutex<VecDeque<Arc<Notification>>>,
    arrived: Notify,
}

impl Notifications {
    /// Nobody listens yet. What is sent takes its memory from here.
    pub fn new(reservation: MemoryReservation) -> Self {
        Notifications { channels: Mutex::default(), order: Arc::default(), queue: Arc::new(Queue(reservation)) }
    }

    fn channels(&self) -> MutexGuard<'_, HashMap<String, BTreeMap<i32, Arc<Mailbox>>>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A session listens to a channel from now on.
    pub fn listen(&self, channel: &str, process_id: i32, mailbox: &Arc<Mailbox>) {
        self.channels().entry(channel.to_owned()).or_default().insert(process_id, mailbox.clone());
    }

    /// It does not any more.
    pub fn unlisten(&self, channel: &str, process_id: i32) {
        let mut channels = self.channels();
        if let Some(listeners) = channels.get_mut(channel) {
            listeners.remove(&process_id);
            if listeners.is_empty() {
                channels.remove(channel);
            }
        }
    }

    /// Nobody else's notifications are delivered before those of whoever has this.
    pub async fn in_order(&self) -> OwnedMutexGuard<()> {
        self.order.clone().lock_owned().await
    }

    /// Whether there is room for more.
    ///
    /// # Errors
    /// 54000 when there is not.
    pub fn check_room(&self, bytes: usize) -> Result<()> {
        match self.queue.0.size() + bytes <= QUEUE_BYTES_MAX {
            true => Ok(()),
            false => Err(PgError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, "too many notifications in the NOTIFY queue")),
        }
    }

    /// How full the queue is, from 0 to 1.
    pub fn usage(&self) -> f64 {
        (self.queue.0.size() as f64 / QUEUE_BYTES_MAX as f64).min(1.0)
    }

    /// Puts notifications into the mailboxes of those who listen.
    pub fn deliver(&self, process_id: i32, sent: impl IntoIterator<Item = (String, String)>) {
        let channels = self.channels();
        for (channel, payload) in sent {
            let Some(listeners) = channels.get(&channel) else { continue };
            self.queue.0.grow(bytes(&channel, &payload));
            let queue = self.queue.clone();
            let notification = Arc::new(Notification { process_id, channel, payload, queue });
            for mailbox in listeners.values() {
                mailbox.notifications().push_back(notification.clone());
                mailbox.arrived.notify_one();
            }
        }
    }
}

/// The memory that a notification takes.
pub fn bytes(channel: &str, payload: &str) -> usize {
    OVERHEAD_BYTES + channel.len() + payload.len()
}

impl Mailbox {
    fn notifications(&self) -> MutexGuard<'_, VecDeque<Arc<Notification>>> {
        self.notifications.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what there is.
    pub fn take(&self) -> VecDeque<Arc<Notification>> {
        std::mem::take(&mut *self.notifications())
    }

    /// Waits until there is something, or was.
    pub async fn arrived(&self) {
        self.arrived.notified().await;
    }
}
