//! What a history shows, and what each isolation level forbids.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::isolation::graph::{Dependency, Graph};
use crate::isolation::history::{Key, Operation, Transaction};

/// What must not be, at one level or another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Anomaly {
    /// A value was read that nobody appended, or twice in a list.
    Garbage,
    /// Two reads of a key do not agree on the order of its values.
    Order,
    /// A value that was acknowledged is missing from a read that began later.
    LostWrite,
    /// G1a: a value of a transaction that was rolled back was read.
    AbortedRead,
    /// G1b: a value was read that its transaction had appended to again.
    IntermediateRead,
    /// G0: writes in a cycle.
    WriteCycle,
    /// G1c: information in a cycle.
    CircularInformation,
    /// A transaction read a key twice and saw others' values come, or did not see its own.
    NonRepeatableRead,
    /// Two transactions read the same version of a key and both appended to it.
    LostUpdate,
    /// G-single: a transaction saw a part of what another did (read skew, fractured reads).
    ReadSkew,
    /// A cycle in which no two reads that were overtaken follow each other.
    LongFork,
    /// G2: a cycle of reads that were overtaken (write skew).
    WriteSkew,
}

/// What is forbidden at READ COMMITTED.
const READ_COMMITTED: [Anomaly; 7] = [
    Anomaly::Garbage,
    Anomaly::Order,
    Anomaly::LostWrite,
    Anomaly::AbortedRead,
    Anomaly::IntermediateRead,
    Anomaly::WriteCycle,
    Anomaly::CircularInformation,
];

/// What is forbidden besides these at REPEATABLE READ, which is snapshot isolation.
const REPEATABLE_READ: [Anomaly; 4] =
    [Anomaly::NonRepeatableRead, Anomaly::LostUpdate, Anomaly::ReadSkew, Anomaly::LongFork];

/// Whether transactions of a level must not show it.
pub fn is_forbidden(anomaly: Anomaly, level: &str) -> bool {
    READ_COMMITTED.contains(&anomaly) || level == "REPEATABLE READ" && REPEATABLE_READ.contains(&anomaly)
}

/// What a history shows, each with an example.
pub fn find(history: &[Transaction]) -> BTreeMap<Anomaly, String> {
    let mut look = Look::new(history);
    look.at_reads();
    look.at_repeated_reads();
    look.at_lost_writes();
    look.at_lost_updates();
    look.at_cycles();
    look.found
}

struct Look<'a> {
    history: &'a [Transaction],
    /// Who appended a value.
    writers: HashMap<(Key, u64), usize>,
    /// The longest list of each key.
    versions: BTreeMap<Key, Vec<u64>>,
    found: BTreeMap<Anomaly, String>,
}

impl<'a> Look<'a> {
    fn new(history: &'a [Transaction]) -> Self {
        let appends = history.iter().enumerate().flat_map(|(number, it)| it.appends().map(move |at| (at, number)));
        let writers = appends.collect();
        Look { history, writers, versions: BTreeMap::new(), found: BTreeMap::new() }
    }

    fn hit(&mut self, anomaly: Anomaly, example: impl FnOnce() -> String) {
        self.found.entry(anomaly).or_insert_with(example);
    }

    fn committed(&self) -> impl Iterator<Item = (usize, &'a Transaction)> + use<'a> {
        self.history.iter().enumerate().filter(|(_, it)| it.is_committed())
    }

    /// Each read on its own, and the order of versions that they agree on.
    fn at_reads(&mut self) {
        for (number, transaction) in self.committed() {
            for (key, list, _) in transaction.reads() {
                let distinct: BTreeSet<_> = list.iter().collect();
                if distinct.len() < list.len() || list.iter().any(|value| !self.writers.contains_key(&(key, *value))) {
                    self.hit(Anomaly::Garbage, || format!("transaction {number}, key {key}: {list:?}"));
                }
                let of = |value: &u64| self.writers.get(&(key, *value)).map(|writer| &self.history[*writer]);
                if let Some(value) = list.iter().find(|value| of(value).is_some_and(|it| !it.is_committed())) {
                    self.hit(Anomaly::AbortedRead, || format!("transaction {number}, key {key}: {value}"));
                }
                self.at_last_value(number, key, list);
                let known = self.versions.entry(key).or_default();
                let common = known.len().min(list.len());
                if known[..common] != list[..common] {
                    let example = format!("key {key}: {:?} and {:?}", &known[..common], &list[..common]);
                    self.hit(Anomaly::Order, || example);
                } else if list.len() > known.len() {
                    *known = list.to_vec();
                }
            }
        }
    }

    /// The last value of a list must be the last that its writer appended there, unless that is the reader.
    fn at_last_value(&mut self, number: usize, key: Key, list: &[u64]) {
        let Some(value) = list.last() else { return };
        let Some(writer) = self.writers.get(&(key, *value)).copied().filter(|writer| *writer != number) else { return };
        let last = self.history[writer].appends().filter(|(appended, _)| *appended == key).last();
        if last.is_some_and(|(_, last)| last != *value) {
            self.hit(Anomaly::IntermediateRead, || format!("transaction {number}, key {key}: {value} of {writer}"));
        }
    }

    /// What a transaction reads again must be what it has read, with what it has appended since.
    fn at_repeated_reads(&mut self) {
        for (number, transaction) in self.committed() {
            let mut expected: HashMap<Key, Vec<u64>> = HashMap::new();
            let mut own: HashMap<Key, Vec<u64>> = HashMap::new();
            for operation in &transaction.operations {
                match operation {
                    Operation::Append(key, value) => {
                        own.entry(*key).or_default().push(*value);
                        expected.entry(*key).and_modify(|list| list.push(*value));
                    }
                    Operation::Read(key, list) => {
                        let own = own.get(key).cloned().unwrap_or_default();
                        if expected.get(key).is_some_and(|it| it != list) || !list.ends_with(&own) {
                            self.hit(Anomaly::NonRepeatableRead, || {
                                format!("transaction {number}, key {key}: {list:?}")
                            });
                        }
                        expected.insert(*key, list.clone());
                    }
                }
            }
        }
    }

    fn at_lost_writes(&mut self) {
        for (number, reader) in self.committed() {
            for (key, list, _) in reader.reads() {
                for (writer, earlier) in self.committed().filter(|(_, it)| it.span.1 < reader.span.0) {
                    let mut missing = earlier.appends().filter(|(at, value)| *at == key && !list.contains(value));
                    if let Some((_, value)) = missing.next() {
                        let example = format!("{value} of transaction {writer}, key {key}, is not seen by {number}");
                        self.hit(Anomaly::LostWrite, || example);
                    }
                }
            }
        }
    }

    fn at_lost_updates(&mut self) {
        let mut updated: HashMap<(Key, Vec<u64>), usize> = HashMap::new();
        for (number, transaction) in self.committed() {
            let mut touched = BTreeSet::new();
            for (at, operation) in transaction.operations.iter().enumerate() {
                let Operation::Read(key, list) = operation else {
                    if let Operation::Append(key, _) = operation {
                        touched.insert(*key);
                    }
                    continue;
                };
                let appends = |it: &Operation| matches!(it, Operation::Append(appended, _) if appended == key);
                if touched.insert(*key)
                    && transaction.operations[at..].iter().any(appends)
                    && let Some(other) = updated.insert((*key, list.clone()), number)
                {
                    self.hit(Anomaly::LostUpdate, || format!("key {key}: transactions {other} and {number}"));
                }
            }
        }
    }

    fn at_cycles(&mut self) {
        use Dependency::{ReadWrite, WriteRead, WriteWrite};
        let graph = self.graph();
        let pair = |(from, to): (usize, usize)| format!("transactions {from} and {to}");
        let cycles = [
            (Anomaly::WriteCycle, graph.cycle(WriteWrite, &[WriteWrite])),
            (Anomaly::CircularInformation, graph.cycle(WriteRead, &[WriteWrite, WriteRead])),
            (Anomaly::ReadSkew, graph.cycle(ReadWrite, &[WriteWrite, WriteRead])),
            (Anomaly::LongFork, graph.cycle_without_adjacent_read_writes()),
            (Anomaly::WriteSkew, graph.cycle(ReadWrite, &[WriteWrite, WriteRead, ReadWrite])),
        ];
        for (anomaly, cycle) in cycles {
            if let Some(cycle) = cycle {
                self.hit(anomaly, || pair(cycle));
            }
        }
    }

    fn graph(&self) -> Graph {
        let mut graph = Graph::default();
        let mut add = |before: Option<&usize>, after: Option<&usize>, dependency| {
            if let (Some(before), Some(after)) = (before, after)
                && self.history[*before].is_committed()
                && self.history[*after].is_committed()
            {
                graph.add(*before, *after, dependency);
            }
        };
        let writer = |key: Key, value: &u64| self.writers.get(&(key, *value));
        for (key, versions) in &self.versions {
            for pair in versions.windows(2) {
                add(writer(*key, &pair[0]), writer(*key, &pair[1]), Dependency::WriteWrite);
            }
        }
        for (number, transaction) in self.committed() {
            for (key, list, own) in transaction.reads() {
                let others = &list[..list.len().saturating_sub(own)];
                if let Some(value) = others.last() {
                    add(writer(key, value), Some(&number), Dependency::WriteRead);
                }
                let versions = self.versions.get(&key).map(Vec::as_slice).unwrap_or_default();
                if versions.starts_with(list)
                    && let Some(next) = versions.get(list.len())
                {
                    add(Some(&number), writer(key, next), Dependency::ReadWrite);
                }
            }
        }
        graph
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isolation::history::Operation::{Append, Read};
    use crate::isolation::history::Outcome;

    /// Transactions that all overlap, the last one reading the keys after all others.
    fn history(transactions: &[&[Operation]], last: &[Operation]) -> Vec<Transaction> {
        let transaction = |operations: &[Operation], span| Transaction {
            operations: operations.to_vec(),
            outcome: Outcome::Committed,
            span,
        };
        let all = transactions.iter().map(|operations| transaction(operations, (0, 10)));
        all.chain([transaction(last, (11, 12))]).collect()
    }

    fn shown(history: &[Transaction]) -> Vec<Anomaly> {
        find(history).into_keys().collect()
    }

    fn read(key: Key, list: &[u64]) -> Operation {
        Read(key, list.to_vec())
    }

    #[test]
    fn a_serial_history_shows_nothing() {
        let first = [Append(0, 1), read(0, &[1])];
        let second = [read(0, &[1]), Append(0, 2), Append(1, 3)];
        assert!(shown(&history(&[&first, &second], &[read(0, &[1, 2]), read(1, &[3])])).is_empty());
    }

    #[test]
    fn what_a_single_read_shows_is_found() {
        assert_eq!(shown(&history(&[&[Append(0, 1)]], &[read(0, &[1, 9])])), [Anomaly::Garbage]);
        assert_eq!(shown(&history(&[&[Append(0, 1)]], &[read(0, &[])])), [Anomaly::LostWrite]);
        let mut aborted = history(&[&[Append(0, 1)]], &[read(0, &[1])]);
        aborted[0].outcome = Outcome::Aborted;
        assert_eq!(shown(&aborted), [Anomaly::AbortedRead]);
        let between = [&[Append(0, 1), Append(0, 2)][..], &[read(0, &[1])]];
        assert!(shown(&history(&between, &[read(0, &[1, 2])])).contains(&Anomaly::IntermediateRead));
        let disordered = [&[Append(0, 1)][..], &[Append(0, 2)], &[read(0, &[2, 1])]];
        assert!(shown(&history(&disordered, &[read(0, &[1, 2])])).contains(&Anomaly::Order));
    }

    #[test]
    fn cycles_are_found_by_name() {
        let writes = [&[Append(0, 1), Append(1, 1)][..], &[Append(0, 2), Append(1, 2)]];
        let cycle = shown(&history(&writes, &[read(0, &[1, 2]), read(1, &[2, 1])]));
        assert!(cycle.contains(&Anomaly::WriteCycle), "{cycle:?}");
        let circular = [&[Append(0, 1), read(1, &[2])][..], &[Append(1, 2), read(0, &[1])]];
        assert_eq!(shown(&history(&circular, &[])), [Anomaly::CircularInformation]);
        let skew = [&[Append(0, 1), Append(1, 2)][..], &[read(0, &[]), read(1, &[2])]];
        let skew = shown(&history(&skew, &[read(0, &[1])]));
        assert!(skew.contains(&Anomaly::ReadSkew) && is_forbidden(Anomaly::ReadSkew, "REPEATABLE READ"), "{skew:?}");
        let write_skew = [&[read(0, &[]), Append(1, 1)][..], &[read(1, &[]), Append(0, 2)]];
        assert_eq!(shown(&history(&write_skew, &[read(0, &[2]), read(1, &[1])])), [Anomaly::WriteSkew]);
        // Two readers see two independent writes in different orders.
        let fork =
            [&[Append(0, 1)][..], &[Append(1, 2)], &[read(0, &[1]), read(1, &[])], &[read(0, &[]), read(1, &[2])]];
        let fork = shown(&history(&fork, &[read(0, &[1]), read(1, &[2])]));
        assert!(fork.contains(&Anomaly::LongFork) && !fork.contains(&Anomaly::ReadSkew), "{fork:?}");
    }

    #[test]
    fn what_a_transaction_sees_twice_and_updates_that_others_overwrite_are_found() {
        let twice = [&[Append(0, 1)][..], &[read(0, &[]), read(0, &[1])]];
        assert!(shown(&history(&twice, &[])).contains(&Anomaly::NonRepeatableRead));
        let own = [&[Append(0, 1), read(0, &[])][..]];
        assert!(shown(&history(&own, &[])).contains(&Anomaly::NonRepeatableRead));
        let lost = [&[read(0, &[]), Append(0, 1)][..], &[read(0, &[]), Append(0, 2)]];
        assert!(shown(&history(&lost, &[read(0, &[1, 2])])).contains(&Anomaly::LostUpdate));
    }
}
