//! What transactions did and saw.

/// The list of a key is at its position.
pub type Key = usize;

/// An operation that was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A value was put behind the others. No value is put anywhere twice.
    Append(Key, u64),
    /// A list was read.
    Read(Key, Vec<u64>),
}

/// How a transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// COMMIT was acknowledged.
    Committed,
    /// It was rolled back, or refused.
    Aborted,
}

/// A transaction.
#[derive(Clone, Debug)]
pub struct Transaction {
    /// What it did, in order.
    pub operations: Vec<Operation>,
    /// How it ended.
    pub outcome: Outcome,
    /// When it began and ended: numbers that grow.
    pub span: (u64, u64),
}

impl Transaction {
    /// Whether it was committed.
    pub fn is_committed(&self) -> bool {
        self.outcome == Outcome::Committed
    }

    /// The values that it appended, with their keys.
    pub fn appends(&self) -> impl Iterator<Item = (Key, u64)> {
        self.operations.iter().filter_map(|operation| match operation {
            Operation::Append(key, value) => Some((*key, *value)),
            Operation::Read(..) => None,
        })
    }

    /// The lists that it read, each with how many of the last values are its own.
    pub fn reads(&self) -> Vec<(Key, &[u64], usize)> {
        let mut reads = Vec::new();
        for (at, operation) in self.operations.iter().enumerate() {
            if let Operation::Read(key, list) = operation {
                let before = &self.operations[..at];
                let own = before.iter().filter(|it| matches!(it, Operation::Append(appended, _) if appended == key));
                reads.push((*key, list.as_slice(), own.count()));
            }
        }
        reads
    }
}
