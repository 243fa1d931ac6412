//! What one connection sends.

use std::fmt;

use super::messages::{before_session, framed, message, startup};
use crate::generate::random::Random;

/// Messages of a connection.
const MESSAGES_MAX: usize = 8;
/// Lengths that are none, or of more than comes.
const LENGTHS: [u32; 8] = [0, 3, 4, 5, 9_999, 0x3fff_ffff, 0x7fff_ffff, u32::MAX];

/// What one connection sends.
#[derive(Debug, Clone)]
pub struct Case {
    /// The bytes, in the pieces in which they are sent.
    pub pieces: Vec<Vec<u8>>,
    /// Whether the client goes away without reading what is answered.
    pub leaves: bool,
}

impl Case {
    /// The case of this number.
    pub fn new(seed: u64, number: u64) -> Self {
        let random = &mut Random::of_batch(seed, number);
        let mut messages = match random.percent(20) {
            true => Vec::new(),
            false => vec![startup()],
        };
        let in_session = !messages.is_empty();
        for _ in 0..=random.below(MESSAGES_MAX) {
            let mut message = if in_session { message(random) } else { before_session(random) };
            if random.percent(30) {
                mutate(random, &mut message, in_session);
            }
            messages.push(message);
        }
        if random.percent(10) {
            let count = messages.len();
            messages.swap(random.below(count), random.below(count));
        }
        let bytes = messages.concat();
        // The end may be missing.
        let end = if random.percent(10) { random.below(bytes.len()) } else { bytes.len() };
        Case { pieces: pieces(random, &bytes[..end]), leaves: random.percent(5) }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in &self.pieces {
            writeln!(f, "  {}", piece.escape_ascii())?;
        }
        Ok(())
    }
}

fn pieces(random: &mut Random, bytes: &[u8]) -> Vec<Vec<u8>> {
    if random.percent(70) || bytes.len() < 2 {
        return vec![bytes.to_vec()];
    }
    let size = 1 + random.below(bytes.len());
    bytes.chunks(size).map(<[u8]>::to_vec).collect()
}

fn mutate(random: &mut Random, message: &mut Vec<u8>, has_kind: bool) {
    let length_at = usize::from(has_kind);
    match random.below(7) {
        0 => {
            for _ in 0..=random.below(4) {
                let at = random.below(message.len());
                message[at] = random.below(256) as u8;
            }
        }
        1 => {
            let length = *random.pick(&LENGTHS);
            message[length_at..length_at + 4].copy_from_slice(&length.to_be_bytes());
        }
        // Another end, with the length that fits it.
        2 => {
            let end = (length_at + 4).max(random.below(message.len()));
            *message = match has_kind {
                true => framed(message[0], &message[5..end.max(5)]),
                false => framed(0, &message[4..end])[1..].to_vec(),
            };
        }
        3 => message.extend((0..random.below(20)).map(|_| random.below(256) as u8)),
        4 if has_kind => message[0] = random.below(256) as u8,
        5 => message.extend_from_within(..),
        _ => {
            let end = random.below(message.len());
            message.truncate(end);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_the_same_in_every_run() {
        for number in 0..2000 {
            assert_eq!(Case::new(1, number).pieces, Case::new(1, number).pieces);
        }
        assert_ne!(Case::new(1, 5).pieces, Case::new(2, 5).pieces);
    }
}
