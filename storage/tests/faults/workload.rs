//! A sequence of changes of hot tables that follows from a seed, and what they make of the tables.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use catalog::rows::{RowSet, Segment};
use catalog::vfs::simulated::Random;
use catalog::{CatalogChange, Column, HotTable, ObjectName, Oid, Relation, RowChanges, SqlType};
use storage::hot::compaction::{Thoroughness, compact};
use storage::hot::rows::stored_schema;
use tokio::runtime::Runtime;

use crate::node::{Content, Node, tables};

/// Rows of a segment. They are small, so that there are many.
const SEGMENT_ROWS_MAX: u64 = 200;
const INLINE_ROWS_MAX: u64 = 20;
/// Tables, at most.
const TABLES_MAX: usize = 3;

/// Makes changes.
pub struct Workload {
    pub random: Random,
    next_value: i64,
    names: u64,
}

/// What became of a change.
pub enum Outcome {
    /// The tables hold what is said.
    Acknowledged(Content),
    /// They hold what they held before.
    Refused,
    /// They hold one or the other.
    InDoubt(Content),
}

/// What is to be committed, and what the tables hold after that.
struct Change {
    changes: Vec<CatalogChange>,
    after: Content,
}

impl Workload {
    pub fn new(seed: u64) -> Workload {
        Workload { random: Random::new(seed), next_value: 0, names: 0 }
    }

    /// Makes one change of a server whose tables hold `known`.
    pub fn step(&mut self, node: &Node, runtime: &Runtime, known: &Content) -> Outcome {
        let tables: Vec<Oid> = tables(&node.catalog.snapshot()).collect();
        let table = (!tables.is_empty()).then(|| tables[self.random.below(tables.len() as u64) as usize]);
        let change = match (self.random.below(20), table) {
            (0..2, _) | (_, None) if tables.len() < TABLES_MAX => Ok(self.create_table(node, known)),
            (2, Some(table)) => Ok(drop_table(table, known)),
            (3, Some(table)) => Ok(truncate(table, known)),
            (4..8, Some(table)) => return compact_table(node, runtime, table, known),
            (8..12, Some(table)) => self.delete(node, table, known),
            (12..15, Some(table)) => Ok(self.append(table, known)),
            (_, Some(table)) => self.write_segments(node, table, known),
            (_, None) => Ok(self.create_table(node, known)),
        };
        match change {
            Ok(change) => commit(node, runtime, change),
            Err(_) => Outcome::Refused,
        }
    }

    fn values(&mut self, rows_max: u64) -> Vec<i64> {
        let first = self.next_value;
        self.next_value += 1 + self.random.below(rows_max) as i64;
        (first..self.next_value).collect()
    }

    fn create_table(&mut self, node: &Node, known: &Content) -> Change {
        let (oid, mut after) = (node.catalog.allocate_oid(), known.clone());
        self.names += 1;
        let name = ObjectName::new("public", format!("t{}_{}", oid.0, self.names));
        let column = Column::new(1, "v", SqlType::BigInt);
        let table = HotTable::new(oid, name, vec![column]);
        after.insert(oid, Vec::new());
        Change { changes: vec![CatalogChange::CreateHotTable(table)], after }
    }

    fn append(&mut self, table: Oid, known: &Content) -> Change {
        let values = self.values(INLINE_ROWS_MAX);
        let column: ArrayRef = Arc::new(Int64Array::from(values.clone()));
        let rows = RecordBatch::try_from_iter_with_nullable([("c1", column, true)]).unwrap();
        let changes = vec![CatalogChange::ChangeRows { table, changes: RowChanges::append(vec![rows]) }];
        Change { changes, after: with(known, table, &values) }
    }

    /// One or two segments, or one that is given up. Rows of the first may be hidden, as those of an update of an update.
    fn write_segments(&mut self, node: &Node, table: Oid, known: &Content) -> Result<Change, String> {
        let (mut segments, mut after) = (Vec::new(), known.clone());
        for _ in 0..1 + self.random.below(2) {
            let values = self.values(SEGMENT_ROWS_MAX);
            let segment = write_segment(node, table, &values)?;
            let hidden: RowSet = (0..values.len() as u32).filter(|_| self.random.chance(1, 10)).collect();
            let kept = values.iter().enumerate().filter(|(row, _)| !hidden.contains(*row as u32));
            after = with(&after, table, &kept.map(|(_, value)| *value).collect::<Vec<_>>());
            segments.push((segment, hidden));
        }
        if self.random.chance(1, 8) {
            return Ok(Change { changes: vec![], after: known.clone() });
        }
        let changes = RowChanges { segments, ..RowChanges::default() };
        Ok(Change { changes: vec![CatalogChange::ChangeRows { table, changes }], after })
    }

    fn delete(&mut self, node: &Node, table: Oid, known: &Content) -> Result<Change, String> {
        let (modulus, remainder) = (2 + self.random.below(6) as i64, self.random.below(2) as i64);
        let (delete, values) = node.find(table, |value| value % modulus == remainder)?;
        let mut after = known.clone();
        after.entry(table).or_default().retain(|value| !values.contains(value));
        let changes = RowChanges { delete, ..RowChanges::default() };
        Ok(Change { changes: vec![CatalogChange::ChangeRows { table, changes }], after })
    }
}

fn write_segment(node: &Node, table: Oid, values: &[i64]) -> Result<Arc<Segment>, String> {
    let Some(Relation::Hot(definition)) = node.catalog.snapshot().relation_by_oid(table).cloned() else {
        return Err("the table is not there".to_owned());
    };
    let schema = stored_schema(&definition);
    let mut segment = node.segments.create(table, schema.clone()).map_err(|error| error.to_string())?;
    let rows = RecordBatch::try_new(schema, vec![Arc::new(Int64Array::from(values.to_vec()))]).unwrap();
    segment.write(&rows).map_err(|error| error.to_string())?;
    node.segments.finish(segment).map_err(|error| error.to_string())
}

fn drop_table(table: Oid, known: &Content) -> Change {
    let mut after = known.clone();
    after.remove(&table);
    Change { changes: vec![CatalogChange::DropRelation { oid: table }], after }
}

fn truncate(table: Oid, known: &Content) -> Change {
    let mut after = known.clone();
    after.insert(table, Vec::new());
    Change { changes: vec![CatalogChange::Truncate { table, seen: None }], after }
}

/// Compaction changes nothing that can be seen, whether it succeeds or not.
fn compact_table(node: &Node, runtime: &Runtime, table: Oid, known: &Content) -> Outcome {
    let done = runtime.block_on(compact(&node.catalog, &node.segments, table, Thoroughness::Complete));
    node.remove_garbage();
    match done {
        Ok(_) => Outcome::Acknowledged(known.clone()),
        Err(_) => Outcome::Refused,
    }
}

fn commit(node: &Node, runtime: &Runtime, change: Change) -> Outcome {
    // A server that has ended commits nothing.
    let answer = match node.has_ended() || change.changes.is_empty() {
        true => Ok(()),
        false => runtime.block_on(node.catalog.commit(change.changes)).map(drop),
    };
    node.remove_garbage();
    match answer {
        Ok(()) => Outcome::Acknowledged(change.after),
        Err(catalog::Error::ShuttingDown) => Outcome::InDoubt(change.after),
        Err(_) => Outcome::Refused,
    }
}

fn with(known: &Content, table: Oid, values: &[i64]) -> Content {
    let mut after = known.clone();
    let rows = after.entry(table).or_default();
    rows.extend(values);
    rows.sort_unstable();
    after
}
