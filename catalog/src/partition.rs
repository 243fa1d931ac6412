//! Registered partitions of external tables.

use std::sync::{Arc, OnceLock};

use arrow::array::RecordBatch;
use imbl::OrdMap;
use serde::{Deserialize, Serialize};

/// One value for each partition column, in their order, as canonical text of the column's type; `None` is NULL.
pub type PartitionValues = Vec<Option<String>>;

/// Partitions that are together at most. A change copies the pointers to those of one chunk.
const CHUNK_PARTITIONS_MAX: usize = 2048;

/// One registered partition: the values of the partition columns, and where its files are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partition {
    /// The values of the partition columns.
    pub values: PartitionValues,
    /// URL of the folder (or the one file) with the partition's data: anywhere, not only below the table's location.
    pub location: String,
}

/// The registered partitions of a table, in the order of their values. A copy shares what does not change, so that one of a
/// million partitions is added at the cost of one of a thousand.
#[derive(Debug, Clone, Default)]
pub struct Partitions {
    /// By the values of their first partitions.
    chunks: OrdMap<PartitionValues, Arc<PartitionChunk>>,
    count: usize,
}

/// Partitions that are neighbours.
#[derive(Debug, Default)]
pub struct PartitionChunk {
    partitions: Vec<Arc<Partition>>,
    parsed: OnceLock<RecordBatch>,
}

impl Partitions {
    /// How many.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The partition with these values.
    pub fn get(&self, values: &[Option<String>]) -> Option<&Partition> {
        let (_, chunk) = self.chunk_of(values)?;
        chunk.place(values).ok().map(|place| chunk.partitions[place].as_ref())
    }

    /// All, in the order of their values.
    pub fn iter(&self) -> impl Iterator<Item = &Partition> {
        self.chunks().flat_map(|chunk| chunk.partitions().iter().map(AsRef::as_ref))
    }

    /// All, as they are kept together.
    pub fn chunks(&self) -> impl Iterator<Item = &PartitionChunk> {
        self.chunks.values().map(AsRef::as_ref)
    }

    /// Adds a partition; whether there was none with its values.
    pub fn insert(&mut self, partition: Partition) -> bool {
        let found = self.chunk_of(&partition.values).map(|(key, chunk)| (key.clone(), chunk.clone()));
        let (key, chunk) = found.unwrap_or_default();
        let Err(place) = chunk.place(&partition.values) else { return false };
        let mut partitions = chunk.partitions.clone();
        partitions.insert(place, Arc::new(partition));
        self.chunks.remove(&key);
        let rest = match partitions.len() > CHUNK_PARTITIONS_MAX {
            // Partitions are mostly added in their order; then full chunks stay full.
            true => partitions.split_off(if place + 1 == partitions.len() { place } else { partitions.len() / 2 }),
            false => Vec::new(),
        };
        self.put(partitions);
        self.put(rest);
        self.count += 1;
        true
    }

    /// Removes the partition with these values; whether there was one.
    pub fn remove(&mut self, values: &[Option<String>]) -> bool {
        let Some((key, chunk)) = self.chunk_of(values) else { return false };
        let Ok(place) = chunk.place(values) else { return false };
        let (key, mut partitions) = (key.clone(), chunk.partitions.clone());
        partitions.remove(place);
        self.chunks.remove(&key);
        self.put(partitions);
        self.count -= 1;
        true
    }

    fn put(&mut self, partitions: Vec<Arc<Partition>>) {
        let Some(first) = partitions.first() else { return };
        let key = first.values.clone();
        self.chunks.insert(key, Arc::new(PartitionChunk { partitions, parsed: OnceLock::new() }));
    }

    /// The chunk that has or would have these values: the last that begins before them, or the first.
    fn chunk_of(&self, values: &[Option<String>]) -> Option<(&PartitionValues, &Arc<PartitionChunk>)> {
        self.chunks.get_prev(values).or_else(|| self.chunks.get_min().map(|(key, chunk)| (key, chunk)))
    }
}

impl PartitionChunk {
    /// The partitions, in the order of their values.
    pub fn partitions(&self) -> &[Arc<Partition>] {
        &self.partitions
    }

    /// Their values as the types of their columns, a row for each; `parse` makes them the first time.
    ///
    /// # Errors
    /// Those of `parse`.
    pub fn parsed<E>(
        &self,
        parse: impl FnOnce(&[Arc<Partition>]) -> Result<RecordBatch, E>,
    ) -> Result<&RecordBatch, E> {
        match self.parsed.get() {
            Some(parsed) => Ok(parsed),
            None => {
                let parsed = parse(&self.partitions)?;
                Ok(self.parsed.get_or_init(|| parsed))
            }
        }
    }

    fn place(&self, values: &[Option<String>]) -> Result<usize, usize> {
        self.partitions.binary_search_by(|partition| partition.values.as_slice().cmp(values))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};

    use super::*;

    fn partition(number: u32) -> Partition {
        let number = number.to_string();
        Partition { values: vec![(number != "0").then_some(number.clone())], location: number }
    }

    #[test]
    fn partitions_are_found_after_many_changes() {
        let (mut partitions, mut model) = (Partitions::default(), BTreeMap::new());
        let mut random = StdRng::seed_from_u64(1);
        for _ in 0..30_000 {
            let partition = partition(random.random_range(0..8000));
            if random.random_range(0..3) == 0 {
                assert_eq!(partitions.remove(&partition.values), model.remove(&partition.values).is_some());
            } else {
                let is_new = !model.contains_key(&partition.values);
                assert_eq!(partitions.insert(partition.clone()), is_new);
                model.insert(partition.values.clone(), partition);
            }
            assert_eq!(partitions.len(), model.len());
        }
        assert!(partitions.iter().eq(model.values()));
        assert!(partitions.chunks().count() > 2);
        for number in 0..8000 {
            let values = partition(number).values;
            assert_eq!(partitions.get(&values), model.get(&values));
        }
    }

    #[test]
    fn a_copy_does_not_change_with_its_original() {
        let mut partitions = Partitions::default();
        (0..5000).for_each(|number| assert!(partitions.insert(partition(number))));
        let before = partitions.clone();
        assert!(partitions.insert(partition(5000)) && partitions.remove(&partition(7).values));
        assert_eq!((before.len(), before.iter().count()), (5000, 5000));
        assert!(before.get(&partition(7).values).is_some() && before.get(&partition(5000).values).is_none());
    }
}
