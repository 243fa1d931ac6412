//! Which blocks of a simulated file have space on the disk.

/// Space is taken in blocks of this size.
const BLOCK_BYTES: u64 = 4096;
const BITS: u64 = u64::BITS as u64;

/// The blocks of a file that have space on the disk, a bit each.
#[derive(Debug, Clone, Default)]
pub(super) struct Blocks {
    words: Vec<u64>,
}

impl Blocks {
    /// The space they take in bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.words.iter().map(|word| u64::from(word.count_ones())).sum::<u64>() * BLOCK_BYTES
    }

    /// The space that the rest of a range would take in bytes.
    pub(super) fn missing_bytes(&self, from: u64, to: u64) -> u64 {
        let missing = |(index, mask): (usize, u64)| (mask & !self.words.get(index).copied().unwrap_or(0)).count_ones();
        masks(from, to).map(missing).map(u64::from).sum::<u64>() * BLOCK_BYTES
    }

    /// Takes the space of a range.
    pub(super) fn take(&mut self, from: u64, to: u64) {
        for (index, mask) in masks(from, to) {
            if self.words.len() <= index {
                self.words.resize(index + 1, 0);
            }
            self.words[index] |= mask;
        }
    }

    /// Gives back what lies behind `len`.
    pub(super) fn give_back_behind(&mut self, len: u64) {
        let end = self.words.len() as u64 * BITS * BLOCK_BYTES;
        let first = len.div_ceil(BLOCK_BYTES) * BLOCK_BYTES;
        for (index, mask) in masks(first, end) {
            self.words[index] &= !mask;
        }
    }
}

/// The words of the blocks that a range touches, with their bits.
fn masks(from: u64, to: u64) -> impl Iterator<Item = (usize, u64)> {
    let (mut block, end) = (from / BLOCK_BYTES, to.div_ceil(BLOCK_BYTES));
    std::iter::from_fn(move || {
        if block >= end {
            return None;
        }
        let word = block / BITS;
        let bits = (end - block).min(BITS - block % BITS);
        let mask = (u64::MAX >> (BITS - bits)) << (block % BITS);
        block += bits;
        Some((usize::try_from(word).expect("a simulated file fits into memory"), mask))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn space_is_taken_once_and_given_back() {
        let mut blocks = Blocks::default();
        assert_eq!(blocks.missing_bytes(1, 4096 * 70), 4096 * 70);
        blocks.take(5000, 4096 * 70);
        assert_eq!(blocks.bytes(), 4096 * 69);
        assert_eq!(blocks.missing_bytes(0, 4096 * 80), 4096 * 11);
        blocks.give_back_behind(4096 * 65 + 1);
        assert_eq!(blocks.bytes(), 4096 * 65);
        blocks.give_back_behind(0);
        assert_eq!(blocks.bytes(), 0);
    }
}
