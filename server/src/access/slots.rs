//! How many connections there may be: in all, of a role, and of clients of whom nobody knows yet who they are.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use catalog::{Oid, Role};

/// Connections that are kept for superusers, as in PostgreSQL (`superuser_reserved_connections`).
const RESERVED: usize = 3;
/// Clients that may be on their way however few sessions there may be.
const ARRIVING_MIN: usize = 16;

/// The connections that there are and may be.
#[derive(Debug)]
pub struct Slots {
    sessions_max: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    /// Clients that are not let in yet.
    arriving: usize,
    sessions: usize,
    by_role: HashMap<Oid, usize>,
}

/// A client that is not let in yet.
#[derive(Debug)]
pub struct Arriving(Arc<Slots>);

/// A session.
#[derive(Debug)]
pub struct Slot {
    slots: Arc<Slots>,
    role: Oid,
}

/// Why there is no room.
#[derive(Debug, PartialEq, Eq)]
pub enum Full {
    /// There are as many sessions as there may be.
    Server,
    /// What is left is for superusers.
    Reserved,
    /// The role has as many as it may have.
    Role,
}

impl Slots {
    /// Room for so many sessions.
    pub fn new(sessions_max: usize) -> Arc<Self> {
        Arc::new(Slots { sessions_max, taken: Mutex::default() })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A client has come. As many may be on their way as there may be sessions: they cannot take the room of those that
    /// have been let in, and a flood of them has an end.
    pub fn arrive(self: &Arc<Self>) -> Option<Arriving> {
        let mut taken = self.taken();
        (taken.arriving < self.sessions_max.max(ARRIVING_MIN)).then(|| {
            taken.arriving += 1;
            Arriving(self.clone())
        })
    }

    /// A client of this role is let in.
    ///
    /// # Errors
    /// There is no room.
    pub fn admit(self: &Arc<Self>, role: &Role) -> Result<Slot, Full> {
        let mut taken = self.taken();
        let free = self.sessions_max.saturating_sub(taken.sessions);
        if free == 0 {
            return Err(Full::Server);
        }
        let of_role = taken.by_role.get(&role.oid).copied().unwrap_or(0);
        let limit = usize::try_from(role.connection_limit).unwrap_or(usize::MAX);
        if of_role >= limit && !role.superuser {
            return Err(Full::Role);
        }
        // A server with hardly any room keeps none.
        let reserved = if self.sessions_max > RESERVED { RESERVED } else { 0 };
        if free <= reserved && !role.superuser {
            return Err(Full::Reserved);
        }
        taken.by_role.insert(role.oid, of_role + 1);
        taken.sessions += 1;
        Ok(Slot { slots: self.clone(), role: role.oid })
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        self.0.taken().arriving -= 1;
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self.slots.taken();
        taken.sessions -= 1;
        if let Some(of_role) = taken.by_role.get_mut(&self.role) {
            *of_role -= 1;
            if *of_role == 0 {
                taken.by_role.remove(&self.role);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_hold_and_room_comes_back() {
        let slots = Slots::new(5);
        let role = Role { connection_limit: 1, ..Role::new(Oid(1), "eva") };
        let other = Role::new(Oid(2), "adam");
        let first = Role { superuser: true, ..Role::new(Oid(3), "root") };
        let held = slots.admit(&role).unwrap();
        assert_eq!(slots.admit(&role).unwrap_err(), Full::Role);
        drop(held);
        let held = [slots.admit(&role).unwrap(), slots.admit(&other).unwrap()];
        assert_eq!(slots.admit(&other).unwrap_err(), Full::Reserved);
        let kept = [(); 3].map(|()| slots.admit(&first).unwrap());
        assert_eq!(slots.admit(&first).unwrap_err(), Full::Server);
        drop((held, kept));
        assert!(slots.taken().by_role.is_empty());
    }

    #[test]
    fn clients_on_their_way_are_counted_apart() {
        let slots = Slots::new(1);
        let arriving = [(); ARRIVING_MIN].map(|()| slots.arrive().unwrap());
        assert!(slots.arrive().is_none());
        assert!(slots.admit(&Role::new(Oid(1), "eva")).is_ok());
        drop(arriving);
        assert!(slots.arrive().is_some());
    }
}
