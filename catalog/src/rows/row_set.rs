//! Positions of rows in a unit.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use roaring::RoaringBitmap;

/// Rows of a block: a bitmap is stored, copied and written by block, so that deleting one row of a large unit rewrites
/// little.
pub const BLOCK_ROWS: u32 = 1 << BLOCK_BITS;
const BLOCK_BITS: u32 = 16;

/// A set of positions in a unit. A copy shares the blocks that do not change.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RowSet {
    /// Of each block that has members: the members, counted from the first row of the block.
    blocks: BTreeMap<u16, Arc<RoaringBitmap>>,
}

impl RowSet {
    /// Adds a row; whether it was not there.
    pub fn insert(&mut self, row: u32) -> bool {
        let (block, rest) = split(row);
        Arc::make_mut(self.blocks.entry(block).or_default()).insert(rest)
    }

    /// Adds the rows of another set.
    pub fn insert_all(&mut self, other: &RowSet) {
        for (block, rows) in &other.blocks {
            match self.blocks.get_mut(block) {
                Some(known) => *Arc::make_mut(known) |= rows.as_ref(),
                None => drop(self.blocks.insert(*block, rows.clone())),
            }
        }
    }

    /// Puts a block in, as [`block`](Self::block) gave it.
    pub fn set_block(&mut self, block: u16, rows: RoaringBitmap) {
        self.blocks.insert(block, Arc::new(rows));
    }

    /// The members of a block, counted from its first row.
    pub fn block(&self, block: u16) -> Option<&RoaringBitmap> {
        self.blocks.get(&block).map(Arc::as_ref)
    }

    /// The numbers of the blocks that have members.
    pub fn blocks(&self) -> impl Iterator<Item = u16> {
        self.blocks.keys().copied()
    }

    /// Whether the row is in it.
    pub fn contains(&self, row: u32) -> bool {
        let (block, rest) = split(row);
        self.blocks.get(&block).is_some_and(|rows| rows.contains(rest))
    }

    /// Whether a row is in both.
    pub fn intersects(&self, other: &RowSet) -> bool {
        let both = |(block, rows): (&u16, &Arc<RoaringBitmap>)| {
            other.blocks.get(block).is_some_and(|others| !rows.is_disjoint(others))
        };
        self.blocks.iter().any(both)
    }

    /// The rows that are in this set and not in the other.
    pub fn without(&self, other: &RowSet) -> RowSet {
        let left = self.blocks.iter().map(|(block, rows)| match other.blocks.get(block) {
            Some(others) if Arc::ptr_eq(rows, others) => (*block, Arc::default()),
            Some(others) => (*block, Arc::new(rows.as_ref() - others.as_ref())),
            None => (*block, rows.clone()),
        });
        RowSet { blocks: left.filter(|(_, rows): &(u16, Arc<RoaringBitmap>)| !rows.is_empty()).collect() }
    }

    /// The rows, in order.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        self.blocks.iter().flat_map(|(block, rows)| rows.iter().map(|rest| join(*block, rest)))
    }

    /// How many of the rows from `first` on, of `count`, are in it.
    pub fn count_in(&self, first: u32, count: u32) -> u64 {
        self.blocks_in(first, count).map(|(_, rows, range)| rows.range_cardinality(range)).sum()
    }

    /// Those of the rows from `first` on, of `count`, that are in it, in order.
    pub fn iter_in(&self, first: u32, count: u32) -> impl Iterator<Item = u32> {
        let blocks = self.blocks_in(first, count);
        blocks.flat_map(|(block, rows, range)| rows.range(range).map(move |rest| join(block, rest)))
    }

    /// The blocks that have some of those rows, and which of the block's rows they are.
    fn blocks_in(&self, first: u32, count: u32) -> impl Iterator<Item = (u16, &RoaringBitmap, Range<u32>)> {
        let (start, end) = (u64::from(first), u64::from(first) + u64::from(count));
        let blocks = split(first).0..=((end.saturating_sub(1).max(start) >> BLOCK_BITS) as u16);
        self.blocks.range(blocks).filter_map(move |(block, rows)| {
            let block_start = u64::from(*block) << BLOCK_BITS;
            let from = start.max(block_start) - block_start;
            let to = end.min(block_start + u64::from(BLOCK_ROWS)).saturating_sub(block_start);
            (from < to).then(|| (*block, rows.as_ref(), from as u32..to as u32))
        })
    }

    /// How many rows there are.
    pub fn len(&self) -> u64 {
        self.blocks.values().map(|rows| rows.len()).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.blocks.values().all(|rows| rows.is_empty())
    }
}

impl FromIterator<u32> for RowSet {
    fn from_iter<I: IntoIterator<Item = u32>>(rows: I) -> Self {
        let mut set = RowSet::default();
        for row in rows {
            set.insert(row);
        }
        set
    }
}

fn split(row: u32) -> (u16, u32) {
    ((row >> BLOCK_BITS) as u16, row & (BLOCK_ROWS - 1))
}

fn join(block: u16, rest: u32) -> u32 {
    (u32::from(block) << BLOCK_BITS) | rest
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: [u32; 5] = [0, 65_535, 65_536, 200_000, u32::MAX];

    #[test]
    fn rows_are_kept_by_block() {
        let set: RowSet = ROWS.into_iter().collect();
        assert_eq!(set.iter().collect::<Vec<_>>(), ROWS);
        assert_eq!(set.blocks().collect::<Vec<_>>(), [0, 1, 3, u16::MAX]);
        assert_eq!(set.len(), 5);
        assert!(set.contains(200_000) && !set.contains(1));
        assert_eq!(set.count_in(0, 65_536), 2);
        assert_eq!(set.count_in(65_535, 2), 2);
        assert_eq!(set.count_in(1, 65_534), 0);
        assert_eq!(set.count_in(u32::MAX, 1), 1);
        assert_eq!((set.count_in(0, 0), set.count_in(65_536, 0)), (0, 0));
        for (first, count) in [(0, 65_536), (65_535, 2), (1, 65_534), (1, 300_000), (u32::MAX, 1), (65_536, 0)] {
            let inside = |row: &u32| (u64::from(first)..u64::from(first) + u64::from(count)).contains(&u64::from(*row));
            assert!(set.iter_in(first, count).eq(set.iter().filter(inside)), "{first} {count}");
        }
    }

    #[test]
    fn a_copy_does_not_change_with_its_original() {
        let before: RowSet = ROWS.into_iter().collect();
        let mut after = before.clone();
        after.insert(7);
        assert!(!before.contains(7) && after.contains(7));
        assert_eq!(after.without(&before).iter().collect::<Vec<_>>(), [7]);
        assert!(before.without(&after).is_empty());
        assert!(after.intersects(&before) && !after.without(&before).intersects(&before));
    }
}
