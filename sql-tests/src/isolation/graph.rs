//! Which transactions came before which others, and cycles among them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Why a transaction came before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dependency {
    /// The other appended behind what it had appended.
    WriteWrite,
    /// The other read what it had appended.
    WriteRead,
    /// The other appended behind what it had read.
    ReadWrite,
}

/// Transactions by number, and which came before which.
#[derive(Debug, Default)]
pub struct Graph {
    edges: BTreeMap<usize, BTreeMap<usize, BTreeSet<Dependency>>>,
}

impl Graph {
    /// One came before the other.
    pub fn add(&mut self, before: usize, after: usize, dependency: Dependency) {
        if before != after {
            self.edges.entry(before).or_default().entry(after).or_default().insert(dependency);
        }
    }

    fn successors(&self, of: usize) -> impl Iterator<Item = (usize, &BTreeSet<Dependency>)> {
        self.edges.get(&of).into_iter().flatten().map(|(after, why)| (*after, why))
    }

    /// Whether there is a way from one to the other by such dependencies alone.
    fn reaches(&self, from: usize, to: usize, by: &[Dependency]) -> bool {
        let (mut queue, mut seen) = (VecDeque::from([from]), BTreeSet::from([from]));
        while let Some(at) = queue.pop_front() {
            if at == to {
                return true;
            }
            for (next, why) in self.successors(at) {
                if by.iter().any(|it| why.contains(it)) && seen.insert(next) {
                    queue.push_back(next);
                }
            }
        }
        false
    }

    /// Every edge with this dependency.
    fn edges_by(&self, dependency: Dependency) -> impl Iterator<Item = (usize, usize)> {
        let all = self.edges.iter().flat_map(|(from, edges)| edges.iter().map(|(to, why)| (*from, *to, why)));
        all.filter(move |(_, _, why)| why.contains(&dependency)).map(|(from, to, _)| (from, to))
    }

    /// A cycle that begins with an edge of the first kind and goes on with the others: its first edge.
    pub fn cycle(&self, first: Dependency, others: &[Dependency]) -> Option<(usize, usize)> {
        self.edges_by(first).find(|(from, to)| self.reaches(*to, *from, others))
    }

    /// A cycle in which no two reads that were overtaken follow each other; snapshot isolation has none. Its first edge.
    pub fn cycle_without_adjacent_read_writes(&self) -> Option<(usize, usize)> {
        self.edges_by(Dependency::ReadWrite).find(|(from, to)| {
            let start = (*to, true);
            let (mut queue, mut seen) = (VecDeque::from([start]), BTreeSet::from([start]));
            while let Some((at, by_read_write)) = queue.pop_front() {
                // The last edge meets the first one, which is a read that was overtaken.
                if at == *from && !by_read_write {
                    return true;
                }
                for (next, why) in self.successors(at) {
                    let dependent = why.contains(&Dependency::WriteWrite) || why.contains(&Dependency::WriteRead);
                    if dependent && seen.insert((next, false)) {
                        queue.push_back((next, false));
                    }
                    if why.contains(&Dependency::ReadWrite) && !by_read_write && seen.insert((next, true)) {
                        queue.push_back((next, true));
                    }
                }
            }
            false
        })
    }
}
