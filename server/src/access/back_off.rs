//! Passwords cannot be tried as fast as the server can compare them.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Failures that a person may have had.
const FREE_FAILURES: u32 = 3;
/// What the next attempt waits; each further one waits twice as long …
const FIRST_DELAY: Duration = Duration::from_millis(100);
/// … up to this, which is less than clients wait for a connection.
const DELAY_MAX: Duration = Duration::from_secs(5);
/// How long attempts of one place may wait for one another; whoever would wait longer is refused.
const QUEUE_MAX: Duration = Duration::from_secs(30);
/// Failures are forgotten after this time without another one.
const MEMORY: Duration = Duration::from_secs(300);
/// Places that are remembered. The one that has failed longest ago makes room.
const PLACES_MAX: usize = 10_000;

/// Which places wrong passwords have come from.
#[derive(Debug, Default)]
pub struct BackOff {
    failures: Mutex<HashMap<Option<IpAddr>, Failures>>,
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: Instant,
    /// When the last of those that wait may try.
    taken_until: Instant,
}

impl BackOff {
    /// How long a client at this place waits before it may try, behind those of the same place that wait already; nothing
    /// when they are too many. No address is this machine's Unix socket.
    pub fn turn(&self, address: Option<IpAddr>, now: Instant) -> Option<Duration> {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(failures) = failures.get_mut(&place(address)) else { return Some(Duration::ZERO) };
        let delay = delay_after(failures.count);
        if delay.is_zero() || now.duration_since(failures.last) >= MEMORY {
            return Some(Duration::ZERO);
        }
        let turn = failures.taken_until.max(now) + delay;
        let wait = turn.duration_since(now);
        if wait > QUEUE_MAX {
            return None;
        }
        failures.taken_until = turn;
        Some(wait)
    }

    /// A wrong password has come from there.
    pub fn failed(&self, address: Option<IpAddr>, now: Instant) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let place = place(address);
        if failures.len() >= PLACES_MAX && !failures.contains_key(&place) {
            let oldest = failures.iter().min_by_key(|(_, failures)| failures.last).map(|(place, _)| *place);
            oldest.map(|oldest| failures.remove(&oldest));
        }
        let known = failures.entry(place).or_insert(Failures { count: 0, last: now, taken_until: now });
        if now.duration_since(known.last) >= MEMORY {
            known.count = 0;
        }
        *known = Failures { count: known.count.saturating_add(1), last: now, ..*known };
    }
}

/// Whoever has one address of a network of IPv6 has all of them.
fn place(address: Option<IpAddr>) -> Option<IpAddr> {
    address.map(|address| match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() >> 64 << 64).into()),
        other => other,
    })
}

fn delay_after(failures: u32) -> Duration {
    match failures.checked_sub(FREE_FAILURES) {
        None | Some(0) => Duration::ZERO,
        Some(more) => FIRST_DELAY.saturating_mul(2u32.saturating_pow(more - 1)).min(DELAY_MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_fails_often_waits_longer() {
        let delays = (0..12).map(|failures| delay_after(failures).as_millis()).collect::<Vec<_>>();
        assert_eq!(delays, [0, 0, 0, 0, 100, 200, 400, 800, 1600, 3200, 5000, 5000]);
        assert_eq!(delay_after(u32::MAX), DELAY_MAX);
    }

    #[test]
    fn failures_belong_to_a_place_and_are_forgotten() {
        let (back_off, start) = (BackOff::default(), Instant::now());
        let address = |text: &str| Some(text.parse().unwrap());
        (0..5).for_each(|_| back_off.failed(address("2001:db8::1"), start));
        assert!(back_off.turn(address("2001:db8::ffff"), start) > Some(Duration::ZERO));
        assert_eq!(back_off.turn(address("2001:db8:1::"), start), Some(Duration::ZERO));
        assert_eq!(back_off.turn(None, start), Some(Duration::ZERO));
        assert_eq!(back_off.turn(address("2001:db8::1"), start + MEMORY), Some(Duration::ZERO));
    }

    #[test]
    fn who_tries_at_the_same_time_waits_in_a_queue_with_an_end() {
        let (back_off, start) = (BackOff::default(), Instant::now());
        (0..20).for_each(|_| back_off.failed(None, start));
        let turns: Vec<_> = (0..8).map(|_| back_off.turn(None, start).map(|wait| wait.as_secs())).collect();
        assert_eq!(turns, [Some(5), Some(10), Some(15), Some(20), Some(25), Some(30), None, None]);
        assert_eq!(back_off.turn(None, start + Duration::from_secs(10)), Some(Duration::from_secs(25)));
    }

    #[test]
    fn no_more_places_are_remembered_than_there_is_room_for() {
        let (back_off, start) = (BackOff::default(), Instant::now());
        for number in 0..=PLACES_MAX as u32 {
            back_off.failed(Some(IpAddr::V4(number.into())), start + Duration::from_nanos(u64::from(number)));
        }
        let failures = back_off.failures.lock().unwrap();
        assert_eq!(failures.len(), PLACES_MAX);
        assert!(!failures.contains_key(&Some(IpAddr::V4(0.into()))));
    }
}
