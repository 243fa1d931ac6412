//! Whatever the condition, a scan answers the rows that it answers without reading less.

use std::path::Path;
use std::sync::mpsc;

use arrow::array::{ArrayRef, AsArray, Date32Array, Decimal128Array, Float64Array, Int32Array, StringViewArray};
use arrow::compute::filter_record_batch;
use arrow::datatypes::Int32Type;
use catalog::rows::{RowSet, Segment, SegmentFile};
use catalog::types::NumericSize;
use catalog::vfs::{SimulatedVfs, Vfs};
use catalog::{Catalog, CatalogChange, Column as TableColumn, ObjectName, Oid, RowAddresses, RowChanges, SqlType};
use datafusion::common::ScalarValue;
use datafusion::common::cast::as_boolean_array;
use datafusion::common::stats::Precision;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{
    BinaryExpr, DynamicFilterPhysicalExpr, col, in_list, is_not_null, is_null, lit,
};
use futures::TryStreamExt;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;
use crate::column_cache::ColumnCache;
use crate::hot::rows::{at_rest, stored_schema};

const SEGMENTS: i32 = 8;
const SEGMENT_ROWS: i32 = 600;

fn numeric() -> SqlType {
    SqlType::Numeric(Some(NumericSize { precision: 10, scale: 2 }))
}

fn definition(oid: Oid) -> HotTable {
    let types = [
        ("id", SqlType::Integer),
        ("n", numeric()),
        ("f", SqlType::Double),
        ("t", SqlType::Text),
        ("d", SqlType::Date),
        ("nothing", SqlType::Integer),
    ];
    let columns = (1..).zip(types).map(|(number, (name, sql_type))| TableColumn::new(number, name, sql_type));
    HotTable::new(oid, ObjectName::new("public", "t"), columns.collect())
}

/// Rows of a part of the table. Values of neighbours are near one another, with some that are not, and NULLs.
fn rows(table: &HotTable, part: i32, random: &mut StdRng) -> RecordBatch {
    let ids: Vec<i32> = (part * SEGMENT_ROWS..(part + 1) * SEGMENT_ROWS).collect();
    let mut near = |id: i32| (random.random_range(0..10) > 0).then(|| id / 10 + random.random_range(0..20));
    let numbers: Vec<Option<i32>> = ids.iter().map(|id| near(*id)).collect();
    let floats = numbers.iter().enumerate().map(|(at, number)| match (part, at) {
        (2, 7) => Some(f64::NAN),
        (3, 9) => Some(f64::NEG_INFINITY),
        (4, _) => None,
        (5, 3) => Some(-0.0),
        _ => number.map(|number| f64::from(number) - 100.0),
    });
    let texts = numbers.iter().map(|number| {
        number.map(|number| match number % 50 {
            0 => String::new(),
            1 => " ".repeat(3),
            2 => "ä".repeat(60),
            _ => format!("{number:05}"),
        })
    });
    let prices = Decimal128Array::from_iter(numbers.iter().map(|number| number.map(|number| i128::from(number) * 50)));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int32Array::from(ids)),
        Arc::new(prices.with_data_type(numeric().in_flight())),
        Arc::new(Float64Array::from_iter(floats)),
        Arc::new(StringViewArray::from_iter(texts)),
        Arc::new(Date32Array::from_iter(numbers.iter().map(|number| number.map(|number| number - 50)))),
        Arc::new(Int32Array::from_iter(numbers.iter().map(|_| None::<i32>))),
    ];
    RecordBatch::try_new(table.arrow_schema(), columns).unwrap()
}

/// A table of segments and inline rows, some of them deleted; `falsify` changes what is known of segments.
async fn table(falsify: impl Fn(i32, SegmentFile) -> SegmentFile) -> HotScanExec {
    let vfs: Arc<dyn Vfs> = Arc::new(SimulatedVfs::new());
    let catalog = Catalog::open_on(vfs.clone(), Path::new("/data"), 1 << 16, Box::new(|_| {})).unwrap();
    let definition = definition(catalog.allocate_oid());
    let (oid, schema) = (definition.oid, stored_schema(&definition));
    let (garbage, _) = mpsc::channel();
    let segments =
        Segments::new(vfs, Path::new("/segments").into(), garbage, Arc::new(ColumnCache::new(1 << 26)), |error| {
            panic!("{error}")
        });
    let mut random = StdRng::seed_from_u64(7);
    let mut written = Vec::new();
    for part in 0..SEGMENTS {
        let mut segment = segments.create(oid, schema.clone()).unwrap();
        segment.write(&at_rest(&definition, &rows(&definition, part, &mut random)).unwrap()).unwrap();
        let segment = segments.finish(segment).unwrap();
        let file = falsify(part, segment.file.clone());
        written.push((Arc::new(Segment::new(file, None)), RowSet::default()));
    }
    let inline = at_rest(&definition, &rows(&definition, SEGMENTS, &mut random)).unwrap();
    let changes = RowChanges { segments: written, ..RowChanges::append(vec![inline]) };
    let create = CatalogChange::CreateHotTable(definition.clone());
    let added = catalog.commit(vec![create, CatalogChange::ChangeRows { table: oid, changes }]).await.unwrap();
    let units: Vec<UnitId> = added.rows(oid).segments().map(|(unit, _)| unit).collect();
    let mut delete = RowAddresses::default();
    // Every third row of one, and all of another.
    delete.insert_all(units[1], &(0..SEGMENT_ROWS as u32).step_by(3).collect());
    delete.insert_all(units[6], &(0..SEGMENT_ROWS as u32).collect());
    let changes = RowChanges { delete, ..RowChanges::default() };
    let snapshot = catalog.commit(vec![CatalogChange::ChangeRows { table: oid, changes }]).await.unwrap();
    let projection: Vec<usize> = (0..definition.columns.len()).collect();
    let rows = snapshot.rows(oid);
    HotScanExec::new(Arc::new(definition), rows, Arc::new(segments), &projection, None, 2, |_| false).unwrap()
}

async fn batches(scan: &HotScanExec) -> Vec<RecordBatch> {
    let context = Arc::new(TaskContext::default());
    let mut batches = Vec::new();
    for partition in 0..scan.properties().partitioning.partition_count() {
        batches.extend(scan.execute(partition, context.clone()).unwrap().try_collect::<Vec<_>>().await.unwrap());
    }
    batches
}

fn ids(batches: &[RecordBatch]) -> Vec<i32> {
    let ids = batches.iter().flat_map(|batch| batch.column(0).as_primitive::<Int32Type>().values().to_vec());
    let mut ids: Vec<i32> = ids.collect();
    ids.sort_unstable();
    ids
}

/// What a filter above a scan of everything leaves.
async fn filtered(scan: &HotScanExec, condition: &Arc<dyn PhysicalExpr>) -> Vec<i32> {
    let mut left = Vec::new();
    for batch in batches(scan).await {
        let held = condition.evaluate(&batch).unwrap().into_array(batch.num_rows()).unwrap();
        left.push(filter_record_batch(&batch, as_boolean_array(&held).unwrap()).unwrap());
    }
    ids(&left)
}

fn with(scan: &HotScanExec, condition: &Arc<dyn PhysicalExpr>, is_hint: bool) -> HotScanExec {
    scan.with_conditions(vec![scan.condition(condition, is_hint).unwrap()])
}

fn metric(scan: &HotScanExec, name: &str) -> usize {
    scan.metrics().unwrap().sum_by_name(name).map_or(0, |value| value.as_usize())
}

fn literal(column: &str, random: &mut StdRng) -> ScalarValue {
    let number = random.random_range(-20..550);
    match column {
        "id" => ScalarValue::Int32(Some(number * 10)),
        "nothing" => ScalarValue::Int32(Some(number)),
        "n" => ScalarValue::Decimal128(Some(i128::from(number) * 50), 10, 2),
        "d" => ScalarValue::Date32(Some(number - 50)),
        "f" => ScalarValue::Float64(Some(match number % 40 {
            0 => f64::NAN,
            1 => 0.0,
            2 => -0.0,
            3 => f64::INFINITY,
            4 => f64::NEG_INFINITY,
            _ => f64::from(number) - 100.0,
        })),
        _ => ScalarValue::Utf8View(Some(match number % 30 {
            0 => String::new(),
            1 => " ".to_owned(),
            2 => "ä".repeat(60),
            3 => "z".to_owned(),
            _ => format!("{number:05}"),
        })),
    }
}

/// A condition of up to `depth` connectives.
fn condition(schema: &Schema, depth: usize, random: &mut StdRng) -> Arc<dyn PhysicalExpr> {
    use Operator::*;
    if depth > 0 && random.random_range(0..3) > 0 {
        let connective = if random.random() { And } else { Or };
        let (left, right) = (condition(schema, depth - 1, random), condition(schema, depth - 1, random));
        let both = Arc::new(BinaryExpr::new(left, connective, right)) as Arc<dyn PhysicalExpr>;
        let negated = || datafusion::physical_expr::expressions::not(both.clone()).unwrap();
        return if random.random_range(0..5) == 0 { negated() } else { both };
    }
    let name = ["id", "n", "f", "t", "d", "nothing"][random.random_range(0..6)];
    let column = col(name, schema).unwrap();
    match random.random_range(0..10) {
        0 => is_null(column).unwrap(),
        1 => is_not_null(column).unwrap(),
        2 => {
            let values = (0..3).map(|_| lit(literal(name, random))).collect();
            in_list(column, values, &random.random(), schema).unwrap()
        }
        _ => {
            let operators = [Eq, NotEq, Lt, LtEq, Gt, GtEq, IsDistinctFrom, IsNotDistinctFrom];
            let operator = operators[random.random_range(0..operators.len())];
            Arc::new(BinaryExpr::new(column, operator, lit(literal(name, random))))
        }
    }
}

fn less(scan: &HotScanExec, column: &str, value: ScalarValue) -> Arc<dyn PhysicalExpr> {
    let column = col(column, &scan.schema()).unwrap();
    Arc::new(BinaryExpr::new(column, Operator::Lt, lit(value)))
}

#[tokio::test]
async fn conditions_leave_the_rows_that_a_filter_leaves() {
    let scan = table(|_, file| file).await;
    assert_eq!(scan.estimate().unwrap().num_rows.get_value(), Some(&ids(&batches(&scan).await).len()));
    let mut random = StdRng::seed_from_u64(42);
    let mut pruned = 0;
    for _ in 0..600 {
        let condition = condition(&scan.schema(), 3, &mut random);
        let expected = filtered(&scan, &condition).await;
        for is_hint in [false, true] {
            let scan = with(&scan, &condition, is_hint);
            let mut found = ids(&batches(&scan).await);
            if is_hint {
                // What it says of single columns may be enough, since somebody else evaluates it too.
                found.retain(|id| expected.contains(id));
            }
            assert_eq!(found, expected, "{condition}");
            pruned += metric(&scan, "row_groups_pruned") + metric(&scan, "row_groups_pruned_late");
        }
    }
    assert!(pruned > 1000, "only {pruned} row groups were pruned");
}

#[tokio::test]
async fn a_false_bound_would_be_noticed() {
    let narrower = |part: i32, file: SegmentFile| {
        let mut details = crate::hot::segments::details::SegmentDetails::decode(file.details.clone()).unwrap();
        if part == 3 {
            let column = details.columns.get_mut("c1").unwrap();
            let (least, _) = column.bounds.take().unwrap();
            column.bounds = Some((least.clone(), least));
        }
        SegmentFile { details: details.encode().unwrap(), ..file }
    };
    let scan = table(narrower).await;
    let mut random = StdRng::seed_from_u64(42);
    let mut differences = 0;
    for _ in 0..600 {
        let condition = condition(&scan.schema(), 3, &mut random);
        let found = ids(&batches(&with(&scan, &condition, false)).await);
        differences += usize::from(found != filtered(&scan, &condition).await);
    }
    assert!(differences > 0);
}

#[tokio::test]
async fn a_hint_that_comes_late_prunes_what_is_not_yet_read() {
    let scan = table(|_, file| file).await;
    let id = col("id", &scan.schema()).unwrap();
    let hint = Arc::new(DynamicFilterPhysicalExpr::new(vec![id], lit(true)));
    let hinted = with(&scan, &(hint.clone() as Arc<dyn PhysicalExpr>), true);
    assert_eq!(ids(&batches(&hinted).await), ids(&batches(&scan).await));
    assert_eq!(metric(&hinted, "row_groups_pruned_late"), 0);
    let narrow = less(&scan, "id", ScalarValue::Int32(Some(100)));
    hint.update(narrow.clone()).unwrap();
    assert_eq!(ids(&batches(&hinted).await), filtered(&scan, &narrow).await);
    assert_eq!(metric(&hinted, "row_groups_pruned_late"), SEGMENTS as usize - 2);
}

#[tokio::test]
async fn columns_are_read_for_row_groups_that_are_left() {
    let scan = table(|_, file| file).await;
    // No zone map excludes it, and no row is so.
    let condition = in_list(
        col("t", &scan.schema()).unwrap(),
        vec![lit(ScalarValue::Utf8View(Some("00060 ".into())))],
        &false,
        &scan.schema(),
    );
    let scan = with(&scan, &condition.unwrap(), false);
    assert!(batches(&scan).await.is_empty());
    let read = metric(&scan, "row_groups_read");
    assert!(read > 0);
    assert_eq!(scan.scanned.segments.column_cache().usage().entries as usize, read, "the condition's column alone");
}

#[tokio::test]
async fn a_limit_is_kept_and_projections_choose_columns() {
    let scan = table(|_, file| file).await;
    let limited = scan.with_fetch(Some(10)).unwrap();
    let rows = limited.execute(0, Arc::new(TaskContext::default())).unwrap().try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(rows.iter().map(RecordBatch::num_rows).sum::<usize>(), 10);
    let expr = |name: &str| datafusion::physical_plan::projection::ProjectionExpr {
        expr: col(name, &scan.schema()).unwrap(),
        alias: name.to_owned(),
    };
    let filtered = Arc::new(with(&scan, &less(&scan, "id", ScalarValue::Int32(Some(5))), false));
    let projection = ProjectionExec::try_new(vec![expr("d"), expr("id")], filtered.clone()).unwrap();
    let narrow = filtered.try_swapping_with_projection(&projection).unwrap().unwrap();
    let rows = narrow.execute(0, Arc::new(TaskContext::default())).unwrap().try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(rows[0].num_rows(), 5);
    assert_eq!(rows[0].column(1).as_primitive::<Int32Type>().values(), &[0, 1, 2, 3, 4]);
}

#[tokio::test]
async fn what_analyze_has_found_out_is_an_estimate_and_takes_nothing_back_that_is_exact() {
    let scan = table(|_, file| file).await;
    let before = scan.estimate().unwrap();
    let wrong = catalog::ColumnStatistics { null_fraction: 0.5, distinct: 7.0, ..Default::default() };
    let columns = (1..=3).map(|number| (number, Arc::new(wrong.clone()))).collect();
    let mut known = catalog::TableStatistics::default();
    known.columns = columns;
    let known = Knowledge::new(scan.scanned.table.oid, Some(Arc::new(known)), 1..=3, Arc::default());
    let after = scan.with_knowledge(Some(known)).estimate().unwrap();
    assert_eq!(after.num_rows, before.num_rows);
    for (before, after) in before.column_statistics.iter().zip(&after.column_statistics) {
        assert_eq!((&after.min_value, &after.max_value), (&before.min_value, &before.max_value));
        assert!(after.distinct_count.is_exact() != Some(true));
        assert!(before.null_count == Precision::Absent || after.null_count == before.null_count);
    }
    assert_eq!(after.column_statistics[0].distinct_count, Precision::Inexact(7));
}
