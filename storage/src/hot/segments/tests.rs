//! What is written comes back; what is damaged is an error.

use std::path::Path;
use std::sync::mpsc;

use arrow::array::{AsArray, Int32Array, ListArray, RecordBatch, StringArray};
use arrow::datatypes::{Int32Type, Schema};
use catalog::vfs::SimulatedVfs;
use catalog::{HotTable, ObjectName, SqlType};

use super::*;
use crate::hot::rows::stored_schema;

const ROWS: i32 = 300_000;

fn table() -> HotTable {
    let columns = vec![
        Column::new(1, "id", SqlType::Integer),
        Column::new(2, "name", SqlType::Text),
        Column::new(3, "tags", SqlType::array_of(SqlType::Integer)),
    ];
    HotTable::new(Oid(7), ObjectName::new("public", "t"), columns)
}

fn rows(first: i32, count: i32) -> RecordBatch {
    let ids = Int32Array::from_iter_values(first..first + count);
    let names = StringArray::from_iter((first..first + count).map(|id| (id % 7 != 0).then(|| format!("name {id}"))));
    let tags = ListArray::from_iter_primitive::<Int32Type, _, _>(
        (first..first + count).map(|id| (id % 5 != 0).then(|| vec![Some(id), None])),
    );
    let schema = stored_schema(&table());
    RecordBatch::try_new(schema, vec![Arc::new(ids), Arc::new(names), Arc::new(tags)]).unwrap()
}

fn segments(vfs: &Arc<SimulatedVfs>) -> Arc<Segments> {
    let vfs: Arc<dyn Vfs> = vfs.clone();
    let (garbage, _) = mpsc::channel();
    let columns = Arc::new(ColumnCache::new(1 << 26));
    Arc::new(Segments::new(vfs, Path::new("/segments").into(), garbage, columns, |error| panic!("{error}")))
}

fn written(segments: &Segments) -> Arc<Segment> {
    let schema: Arc<Schema> = stored_schema(&table());
    let mut segment = segments.create(Oid(7), schema).unwrap();
    for first in (0..ROWS).step_by(50_000) {
        segment.write(&rows(first, 50_000)).unwrap();
    }
    segments.finish(segment).unwrap()
}

#[tokio::test]
async fn rows_come_back_by_row_group_and_column() {
    let segments = segments(&Arc::new(SimulatedVfs::new()));
    let segment = written(&segments);
    assert_eq!(segment.file.rows, ROWS as u32);
    let details = segments.reader(&segment.file).unwrap().details().clone();
    assert_eq!(details.rows.values(), &[131_072, 131_072, 37_856]);
    let (min, max) = details.columns["c1"].bounds.clone().unwrap();
    assert_eq!(min.as_primitive::<Int32Type>().values(), &[0, 131_072, 262_144]);
    assert_eq!(max.as_primitive::<Int32Type>().values(), &[131_071, 262_143, ROWS - 1]);
    assert!(details.columns["c3"].bounds.is_none());

    let table = table();
    let ids = segments.column(&segment.file, 1, &table.columns[0], Reading::Again).await.unwrap();
    let ids = ids.unwrap().batch(0, None).unwrap();
    assert_eq!(ids.as_primitive::<Int32Type>().value(5), 131_077);
    let names = segments.column(&segment.file, 2, &table.columns[1], Reading::Again).await.unwrap();
    let names = names.unwrap().batch(0, None).unwrap();
    assert_eq!(names.as_string_view().value(1), "name 262145");
    let tags = segments.column(&segment.file, 2, &table.columns[2], Reading::Again).await.unwrap();
    let tags = tags.unwrap().batch(0, None).unwrap();
    assert_eq!(tags.as_list::<i32>().value(2).as_primitive::<Int32Type>().value(0), 262_146);
    let added = Column { attribute_number: 9, ..table.columns[0].clone() };
    assert!(segments.column(&segment.file, 2, &added, Reading::Again).await.unwrap().is_none());
}

#[tokio::test]
async fn every_flipped_byte_is_found_or_harmless() {
    let vfs = Arc::new(SimulatedVfs::new());
    let segment = written(&segments(&vfs));
    let path = Path::new("/segments/7").join(&segment.file.name);
    let file = vfs.open(&path, OpenMode::Existing).unwrap();
    let table = table();
    for place in (4..segment.file.bytes).step_by(segment.file.bytes as usize / 40) {
        let mut byte = [0];
        file.read_at(place, &mut byte).unwrap();
        file.write_at(place, &[byte[0] ^ 1]).unwrap();
        let segments = segments(&vfs);
        let mut found = false;
        for row_group in 0..3 {
            for column in &table.columns {
                match segments.column(&segment.file, row_group, column, Reading::Again).await {
                    Ok(_) => {}
                    Err(Error::DamagedSegment { .. }) => found = true,
                    Err(error) => panic!("{error}"),
                }
            }
        }
        assert!(found, "byte {place}");
        file.write_at(place, &byte).unwrap();
    }
}

#[test]
fn files_that_nothing_refers_to_are_removed() {
    let vfs = Arc::new(SimulatedVfs::new());
    let segments = segments(&vfs);
    let (kept, orphan) = (written(&segments), written(&segments));
    let files = FileList::read(vfs.as_ref(), Path::new("/segments")).unwrap();
    segments.remove_orphans(files, &[(Oid(7), kept.file.name.clone())].into(), &BTreeSet::new()).unwrap();
    assert_eq!(vfs.list(Path::new("/segments/7")).unwrap(), std::slice::from_ref(&kept.file.name));
    assert!(segments.reader(&kept.file).is_ok());
    assert!(matches!(segments.reader(&orphan.file), Err(Error::SegmentUnreadable { .. })));
}
