//! All records of a snapshot, as a store holds them that has committed it and nothing else.

use crate::change::statistics::TABLE_ITSELF;
use crate::error::Result;
use crate::name::Oid;
use crate::rows::{TableRows, codec};
use crate::snapshot::{CatalogSnapshot, Definitions};
use crate::store::record::{content, not_stored, sealed};
use crate::store::{RecordKey, RecordVisitor};

/// Calls `visit` with every record of a snapshot, in no certain order. Nothing is read but the snapshot, so that commits
/// go on meanwhile.
///
/// # Errors
/// Rows of a type that cannot be stored, a bug, or what `visit` answers.
pub fn visit_records(snapshot: &CatalogSnapshot, visit: &mut RecordVisitor<'_>) -> Result<()> {
    // All fields are named, so that a new one cannot be left out without being noticed.
    let CatalogSnapshot {
        definitions,
        rows,
        sequences,
        statistics,
        file_writes,
        loads,
        version: _,
        definition_version: _,
        next_oid: _,
        next_unit: _,
        // Of use as long as there are snapshots from before.
        moved: _,
        // What a session sees that has temporary objects is not stored.
        shared: _,
    } = snapshot;
    let states = sequences.keys().map(|oid| RecordKey::SequenceState(*oid));
    let statistics = statistics.iter().flat_map(|(table, known)| {
        let columns = std::iter::once(TABLE_ITSELF).chain(known.columns.keys().copied());
        columns.map(|column| RecordKey::Statistics(*table, column)).collect::<Vec<_>>()
    });
    let file_writes = file_writes.unfinished().map(|(number, _)| RecordKey::FileWrite(number));
    let loads = loads.iter().flat_map(|(table, ledger)| {
        ledger.files().map(|file| RecordKey::LoadedFile(*table, file.url.clone())).collect::<Vec<_>>()
    });
    let others = states.chain(statistics).chain(file_writes).chain(loads);
    for key in std::iter::once(RecordKey::Meta).chain(keys_of(definitions)).chain(others) {
        visit_record(snapshot, &key, visit)?;
    }
    for (table, rows) in rows {
        for key in units(*table, rows) {
            visit_record(snapshot, &key, visit)?;
        }
        visit_inline_rows(*table, rows, visit)?;
    }
    Ok(())
}

fn visit_record(snapshot: &CatalogSnapshot, key: &RecordKey, visit: &mut RecordVisitor<'_>) -> Result<()> {
    let Some(content) = content(snapshot, key)? else { return Ok(()) };
    let key = key.to_bytes();
    visit(&key, &sealed(&key, &content))
}

fn keys_of(definitions: &Definitions) -> Vec<RecordKey> {
    // Relations and types are found by their names too: each is one record.
    let Definitions { schemas, relations: _, names, partitions, types, type_names: _, roles, secrets, comments } =
        definitions;
    let partitions = partitions.iter().flat_map(|(table, partitions)| {
        partitions.iter().map(|it| RecordKey::Partition(*table, it.values.clone())).collect::<Vec<_>>()
    });
    let mut keys: Vec<_> = schemas.values().map(|schema| RecordKey::Schema(schema.oid)).collect();
    keys.extend(names.keys().map(|oid| RecordKey::Relation(*oid)));
    keys.extend(partitions);
    keys.extend(types.values().map(|ty| RecordKey::Type(ty.oid)));
    keys.extend(roles.values().map(|role| RecordKey::Role(role.oid)));
    keys.extend(secrets.values().map(|secret| RecordKey::Secret(secret.oid)));
    keys.extend(comments.keys().map(|commented| RecordKey::Comment(*commented)));
    keys
}

fn units(table: Oid, rows: &TableRows) -> Vec<RecordKey> {
    let mut keys: Vec<_> = rows.inline_units().map(|inline| RecordKey::InlineUnit(table, inline.unit)).collect();
    keys.extend(rows.segments().map(|(unit, _)| RecordKey::Segment(table, unit)));
    for (unit, deleted) in rows.all_deleted() {
        keys.extend(deleted.blocks().map(|block| RecordKey::Deleted(table, unit, block)));
    }
    keys
}

/// The rows as they lie in memory: a store has those of each group of commits apart, which means the same.
fn visit_inline_rows(table: Oid, rows: &TableRows, visit: &mut RecordVisitor<'_>) -> Result<()> {
    for inline in rows.inline_units() {
        for (first_row, batch) in inline.batches() {
            let key = RecordKey::InlineRows(table, inline.unit, first_row).to_bytes();
            let content = codec::encode_rows(batch).map_err(|error| not_stored(table, &error.to_string()))?;
            visit(&key, &sealed(&key, &content))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int32Array, RecordBatch};
    use bytes::Bytes;

    use super::*;
    use crate::change::CatalogChange;
    use crate::comment::Commented;
    use crate::commit::Catalog;
    use crate::hot_table::{Column, HotTable};
    use crate::load_ledger::{FileVersion, LoadedFile};
    use crate::name::ObjectName;
    use crate::rows::{RowAddresses, RowChanges, RowSet, Segment, SegmentFile};
    use crate::sequence::Sequence;
    use crate::statistics::{ColumnStatistics, TableStatistics};
    use crate::store::{CommitStore, RedbStore};
    use crate::types::SqlType;
    use crate::user_type::{UserType, UserTypeKind, new_labels};
    use crate::vfs::OsVfs;

    type Records = BTreeMap<Vec<u8>, Vec<u8>>;

    fn exported(snapshot: &CatalogSnapshot) -> Records {
        let mut records = Records::new();
        visit_records(snapshot, &mut |key, value| {
            assert!(records.insert(key.to_vec(), value.to_vec()).is_none());
            Ok(())
        })
        .unwrap();
        records
    }

    fn stored(path: &Path) -> Records {
        let mut records = Records::new();
        let store = RedbStore::open(Arc::new(OsVfs), path).unwrap();
        store
            .load(&mut |key, value| {
                records.insert(key.to_vec(), value.to_vec());
                Ok(())
            })
            .unwrap();
        records
    }

    fn sequence(oid: Oid) -> Sequence {
        let name = ObjectName::new("public", "s");
        let (start, increment, min, max, cache) = (1, 1, 1, 100, 1);
        let (sql_type, cycle, owner, identity) = (SqlType::BigInt, false, None, false);
        Sequence { oid, name, sql_type, start, increment, min, max, cache, cycle, owner, identity }
    }

    fn rows(values: [i32; 2]) -> RecordBatch {
        let values: ArrayRef = Arc::new(Int32Array::from_iter_values(values));
        RecordBatch::try_from_iter_with_nullable([("c1", values, true)]).unwrap()
    }

    #[tokio::test]
    async fn the_records_of_a_snapshot_are_those_that_the_store_has() {
        let directory = tempfile::tempdir().unwrap();
        let catalog = Catalog::open(directory.path()).unwrap();
        let [table, ty, array, sequence_oid] = [(); 4].map(|()| catalog.allocate_oid());
        let column = Column::new(1, "id", SqlType::Integer);
        let hot = HotTable::new(table, ObjectName::new("public", "t"), vec![column]);
        let kind = UserTypeKind::Enum(new_labels(["a".to_owned()]));
        let mood = UserType { oid: ty, array_oid: array, name: ObjectName::new("public", "mood"), kind };
        let file =
            SegmentFile { table, name: "a.parquet".into(), rows: 3, bytes: 9, details: Bytes::from_static(b"details") };
        let segment = Arc::new(Segment::new(file, Some(catalog.garbage())));
        let changes = vec![
            CatalogChange::CreateHotTable(hot),
            CatalogChange::CreateType(mood),
            CatalogChange::CreateSequence(sequence(sequence_oid)),
            CatalogChange::SetComment { commented: Commented::column(table, 1), text: Some("a number".into()) },
            CatalogChange::BeginFileWrite { token: 7 },
        ];
        catalog.commit(changes).await.unwrap();
        let append = |changes| vec![CatalogChange::ChangeRows { table, changes }];
        let changes =
            RowChanges { segments: vec![(segment, RowSet::default())], ..RowChanges::append(vec![rows([1, 2])]) };
        catalog.commit(append(changes)).await.unwrap();
        let columns = [(1, Arc::new(ColumnStatistics::default()))].into();
        let statistics = Arc::new(TableStatistics { columns, ..TableStatistics::default() });
        let version = FileVersion { e_tag: None, size: 1, modified_us: 2 };
        let files = vec![LoadedFile { url: "s3://b/a.csv".into(), version, loaded_us: 3 }];
        let loads = CatalogChange::RecordLoads { table, files, is_forced: false };
        let before = catalog.commit(vec![CatalogChange::SetStatistics { table, statistics }, loads]).await.unwrap();
        let inline = before.rows(table).inline_units().next().unwrap().unit;
        let delete = RowAddresses::from_unit(inline, [1].into_iter().collect());
        let snapshot = catalog.commit(append(RowChanges { delete, ..RowChanges::default() })).await.unwrap();
        drop(catalog);
        let store = stored(&directory.path().join("catalog.redb"));
        assert_eq!(exported(&snapshot), store);
        let kinds: String = store.keys().map(|key| char::from(key[0])).collect();
        assert_eq!(kinds, "abccefghijklmmno");
        let reopened = Catalog::open(directory.path()).unwrap().snapshot();
        assert_eq!(reopened.loads(table).files().next(), snapshot.loads(table).files().next());
    }
}
