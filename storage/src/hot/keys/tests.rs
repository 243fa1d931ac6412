use std::path::Path;
use std::sync::{Arc, mpsc};

use arrow::array::{ArrayRef, Int32Array, RecordBatch, StringViewArray};
use catalog::constraint::{Constraint, ConstraintKind, Key};
use catalog::rows::{RowSet, Segment};
use catalog::vfs::{OpenMode, SimulatedVfs, Vfs};
use catalog::{
    CatalogChange, CatalogSnapshot, Column, HotTable, ObjectName, Oid, RowAddresses, RowChanges, SqlType, TableRows,
    UnitId,
};

use super::{FoundRow, KeyHash, KeyIndex, NewKeys, TableKey};
use crate::column_cache::ColumnCache;
use crate::hot::rows::{at_rest, stored_schema};
use crate::hot::{FileList, Segments};

const TABLE: Oid = Oid(20_000);
const INDEX: Oid = Oid(20_001);
/// Rows of the segment: two row groups.
const SEGMENT_ROWS: i32 = 140_000;

fn table() -> Arc<HotTable> {
    let columns = vec![Column::new(1, "id", SqlType::Integer), Column::new(2, "name", SqlType::Text)];
    let key = Key {
        primary: true,
        index: INDEX,
        columns: vec![2, 1],
        nulls_not_distinct: false,
        index_only: false,
        order: Vec::new(),
    };
    let constraint =
        Constraint { oid: Oid(20_002), name: "t_pkey".into(), kind: ConstraintKind::Key(key), is_valid: true };
    let mut table = HotTable::new(TABLE, ObjectName::new("public", "t"), columns);
    table.constraints.push(constraint);
    Arc::new(table)
}

fn key() -> TableKey {
    let table = table();
    let (_, key) = table.keys().next().unwrap();
    TableKey::new(table.clone(), key).unwrap()
}

fn rows(ids: impl Iterator<Item = i32>) -> RecordBatch {
    let ids: Vec<i32> = ids.collect();
    let names: ArrayRef = Arc::new(StringViewArray::from_iter_values(ids.iter().map(|id| format!("the name of {id}"))));
    RecordBatch::try_new(table().arrow_schema(), vec![Arc::new(Int32Array::from(ids)), names]).unwrap()
}

fn stored(ids: impl Iterator<Item = i32>) -> RecordBatch {
    at_rest(&table(), &rows(ids)).unwrap()
}

fn hashes(ids: impl Iterator<Item = i32>) -> Vec<KeyHash> {
    let rows = rows(ids);
    let columns = key().places().iter().map(|place| rows.column(*place).clone()).collect::<Vec<_>>();
    key().hasher().hashes(&columns).unwrap().into_iter().flatten().collect()
}

struct Fixture {
    vfs: Arc<SimulatedVfs>,
    segments: Arc<Segments>,
    index: KeyIndex,
    segment: Arc<Segment>,
    snapshot: CatalogSnapshot,
}

/// A segment with the even numbers below 280,000, and an inline unit with odd ones.
fn fixture() -> Fixture {
    let vfs = Arc::new(SimulatedVfs::new());
    let (garbage, _) = mpsc::channel();
    let cache = Arc::new(ColumnCache::new(1 << 26));
    let segments =
        Arc::new(Segments::new(vfs.clone(), Path::new("/segments").into(), garbage, cache, |error| panic!("{error}")));
    let mut segment = segments.create(TABLE, stored_schema(&table())).unwrap();
    segment.write(&stored((0..SEGMENT_ROWS).map(|row| row * 2))).unwrap();
    let segment = segments.finish(segment).unwrap();
    let of_segment = RowChanges { segments: vec![(segment.clone(), RowSet::default())], ..RowChanges::default() };
    let inline = RowChanges::append(vec![stored([1, 3, 5].into_iter())]);
    let snapshot = CatalogSnapshot::initial()
        .after(&[
            CatalogChange::CreateHotTable(table().as_ref().clone()),
            CatalogChange::ChangeRows { table: TABLE, changes: of_segment },
            CatalogChange::ChangeRows { table: TABLE, changes: inline },
        ])
        .unwrap();
    Fixture { vfs, index: KeyIndex::new(segments.clone()), segments, segment, snapshot }
}

async fn find(fixture: &Fixture, rows: &TableRows, ids: impl Iterator<Item = i32>) -> Vec<(usize, u64, u32)> {
    let found = fixture.index.find(&key(), rows, &hashes(ids)).await.unwrap();
    found.into_iter().map(|FoundRow { key, unit, row }| (key, unit.0, row)).collect()
}

#[tokio::test]
async fn rows_are_found_wherever_they_are() {
    let fixture = fixture();
    let rows = fixture.snapshot.rows(TABLE);
    let found = find(&fixture, &rows, [5, 279_998, 7, 0, 270_000].into_iter()).await;
    assert_eq!(found, [(0, 2, 2), (1, 1, 139_999), (3, 1, 0), (4, 1, 135_000)]);
    assert_eq!(find(&fixture, &rows, (0..4000).map(|at| at * 140)).await.len(), 2000);
}

#[tokio::test]
async fn deleted_rows_are_not_there_and_later_ones_are_seen_by_who_has_them() {
    let fixture = fixture();
    let before = fixture.snapshot.rows(TABLE);
    assert_eq!(find(&fixture, &before, [3, 7].into_iter()).await, [(0, 2, 1)]);
    let delete = |unit, row| {
        let delete = RowAddresses::from_unit(UnitId(unit), [row].into_iter().collect());
        CatalogChange::ChangeRows { table: TABLE, changes: RowChanges { delete, ..RowChanges::default() } }
    };
    let append = RowChanges::append(vec![stored([7, 3].into_iter())]);
    let append = CatalogChange::ChangeRows { table: TABLE, changes: append };
    let after = fixture.snapshot.after(&[delete(2, 1), delete(1, 0), append]).unwrap().rows(TABLE);
    assert_eq!(find(&fixture, &after, [3, 7, 0].into_iter()).await, [(0, 2, 4), (1, 2, 3)]);
    assert_eq!(find(&fixture, &before, [3, 7, 0].into_iter()).await, [(0, 2, 1), (2, 1, 0)]);
}

#[tokio::test]
async fn a_damaged_file_of_keys_is_made_again() {
    let fixture = fixture();
    let rows = fixture.snapshot.rows(TABLE);
    assert_eq!(find(&fixture, &rows, [10].into_iter()).await, [(0, 1, 5)]);
    let path = fixture.segments.derived_path(&fixture.segment.file, "20001.key");
    let file = fixture.vfs.open(&path, OpenMode::Existing).unwrap();
    for place in (0..file.len().unwrap()).step_by(4096) {
        file.write_at(place, &[0xff]).unwrap();
    }
    assert_eq!(find(&fixture, &rows, [10].into_iter()).await, [(0, 1, 5)]);
    let again = KeyIndex::new(fixture.segments.clone());
    assert_eq!(again.find(&key(), &rows, &hashes([12].into_iter())).await.unwrap()[0].row, 6);
}

#[tokio::test]
async fn the_file_of_keys_goes_with_its_segment() {
    let fixture = fixture();
    let rows = fixture.snapshot.rows(TABLE);
    find(&fixture, &rows, [10].into_iter()).await;
    let directory = Path::new("/segments").join(TABLE.0.to_string());
    assert_eq!(fixture.vfs.list(&directory).unwrap().len(), 2);
    let (garbage, _) = mpsc::channel();
    let cache = Arc::new(ColumnCache::new(1 << 20));
    let restarted =
        Segments::new(fixture.vfs.clone(), Path::new("/segments").into(), garbage, cache, |error| panic!("{error}"));
    let needed = [(TABLE, fixture.segment.file.name.clone())].into();
    let files = FileList::read(fixture.vfs.as_ref(), Path::new("/segments")).unwrap();
    restarted.remove_orphans(files, &needed, &[Oid(20_001)].into()).unwrap();
    assert_eq!(fixture.vfs.list(&directory).unwrap().len(), 2);
    restarted.remove(&fixture.segment.file);
    assert!(fixture.vfs.list(&directory).unwrap().is_empty());
}

#[tokio::test]
async fn the_file_of_a_key_that_nobody_knows_is_removed() {
    let fixture = fixture();
    find(&fixture, &fixture.snapshot.rows(TABLE), [10].into_iter()).await;
    let directory = Path::new("/segments").join(TABLE.0.to_string());
    let needed = [(TABLE, fixture.segment.file.name.clone())].into();
    let files = FileList::read(fixture.vfs.as_ref(), Path::new("/segments")).unwrap();
    fixture.segments.remove_orphans(files, &needed, &[Oid(20_002)].into()).unwrap();
    assert_eq!(fixture.vfs.list(&directory).unwrap(), std::slice::from_ref(&fixture.segment.file.name));
}

#[tokio::test]
async fn a_statement_cannot_add_a_key_twice() {
    let table = table();
    let mut keys = NewKeys::new(&table, &table.constraints[0]).unwrap().unwrap();
    assert!(keys.add(&rows(0..1000)).unwrap().is_none());
    let duplicate = keys.add(&rows([1000, 17, 1001].into_iter())).unwrap().unwrap();
    assert_eq!(duplicate.values, rows([17].into_iter()).project(&[1, 0]).unwrap());
    assert_eq!(duplicate.constraint, "t_pkey");
}
