//! Sets of relations of a region.

use std::ops::{BitAnd, BitOr, Sub};

/// The most relations that a region has; more are joined in the order that is written.
pub(super) const RELATIONS_MAX: usize = 64;

/// Some of the relations of a region, by their places.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct RelationSet(pub u64);

impl RelationSet {
    pub fn one(place: usize) -> Self {
        RelationSet(1 << place)
    }

    pub fn first(count: usize) -> Self {
        (0..count).map(RelationSet::one).collect()
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn len(self) -> u32 {
        self.0.count_ones()
    }

    pub fn contains(self, other: RelationSet) -> bool {
        other.0 & !self.0 == 0
    }

    pub fn meets(self, other: RelationSet) -> bool {
        self.0 & other.0 != 0
    }

    /// The place of its only relation.
    pub fn single(self) -> Option<usize> {
        (self.len() == 1).then(|| self.0.trailing_zeros() as usize)
    }

    pub fn places(self) -> impl Iterator<Item = usize> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            let place = (left != 0).then(|| left.trailing_zeros() as usize)?;
            left &= left - 1;
            Some(place)
        })
    }

    /// Its ways into two, neither of which is empty. Each is told once.
    pub fn halves(self) -> impl Iterator<Item = (RelationSet, RelationSet)> {
        let lowest = self.0 & self.0.wrapping_neg();
        let others = self.0 & !lowest;
        let mut part = others;
        std::iter::from_fn(move || {
            if part == 0 {
                return None;
            }
            let half = part;
            part = (part - 1) & others;
            Some((RelationSet(self.0 & !half), RelationSet(half)))
        })
    }
}

impl FromIterator<RelationSet> for RelationSet {
    fn from_iter<I: IntoIterator<Item = RelationSet>>(sets: I) -> Self {
        sets.into_iter().fold(RelationSet::default(), BitOr::bitor)
    }
}

impl BitOr for RelationSet {
    type Output = RelationSet;

    fn bitor(self, other: RelationSet) -> RelationSet {
        RelationSet(self.0 | other.0)
    }
}

impl BitAnd for RelationSet {
    type Output = RelationSet;

    fn bitand(self, other: RelationSet) -> RelationSet {
        RelationSet(self.0 & other.0)
    }
}

impl Sub for RelationSet {
    type Output = RelationSet;

    fn sub(self, other: RelationSet) -> RelationSet {
        RelationSet(self.0 & !other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_told_once() {
        let halves: Vec<_> = RelationSet(0b1011).halves().map(|(one, other)| (one.0, other.0)).collect();
        assert_eq!(halves, [(0b0001, 0b1010), (0b0011, 0b1000), (0b1001, 0b0010)]);
        assert_eq!(RelationSet(0b100).halves().count(), 0);
    }

    #[test]
    fn places_are_those_of_the_relations() {
        assert_eq!(RelationSet(0b1010).places().collect::<Vec<_>>(), [1, 3]);
        assert_eq!(RelationSet::first(3), RelationSet(0b111));
        assert_eq!((RelationSet(0b1000).single(), RelationSet(0b1001).single()), (Some(3), None));
    }
}
