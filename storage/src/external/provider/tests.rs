#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array};
use catalog::{OnBadData, SqlType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};

use crate::external::test_tables::{Lake, refusal};

fn integers(values: &[i32]) -> ArrayRef {
    Arc::new(Int32Array::from(values.to_vec()))
}

const COLUMNS: [(&str, SqlType); 1] = [("v", SqlType::Integer)];

/// Three partitions with files in unrelated folders, and a fourth whose folder does not exist.
fn sales() -> Lake {
    let lake = Lake::new();
    lake.write("2023/a", vec![("v", integers(&[1, 2]))]);
    lake.write("elsewhere/b", vec![("v", integers(&[3])), ("year", integers(&[0]))]);
    lake.write("none/c", vec![("v", integers(&[4]))]);
    lake.partitioned_table(
        "sales",
        &COLUMNS,
        &[("year", SqlType::Integer), ("region", SqlType::Varchar(Some(2)))],
        &[
            (&[Some("2023"), Some("eu")], "2023/"),
            (&[Some("2024"), Some("us")], "elsewhere/"),
            (&[None, Some("us")], "none/"),
            (&[Some("1999"), Some("us")], "missing/"),
        ],
    );
    lake
}

#[tokio::test]
async fn only_matching_partitions_are_listed() {
    let lake = sales();
    assert_eq!(lake.query("SELECT v, year, region FROM sales WHERE year = 2024").await, ["3|2024|us"]);
    let reports = lake.reports();
    assert_eq!(reports.len(), 1);
    let report = &reports[0];
    assert_eq!((report.partitions_total, report.partitions_read, report.files), (4, 1, 1));
    assert_eq!(report.table.to_string(), "lake.sales");
    assert!(report.bytes > 0 && report.read.bytes() > 0 && report.read.requests() > 0);
}

#[tokio::test]
async fn partition_filters_may_say_anything() {
    let lake = sales();
    let filters = [
        ("year > 2000", "6"),
        ("year IN (2023, 7)", "3"),
        ("year + 1 = 2024", "3"),
        ("upper(region) = 'EU'", "3"),
        ("CAST(year AS varchar) LIKE '%23'", "3"),
        ("year IS NULL", "4"),
        ("year IS NULL OR year = 2023", "7"),
        ("year = 2023 AND region = 'us'", "NULL"),
        ("year > 2000 AND v > 1", "5"),
        ("(year = 2023 OR v = 3) AND year > 2000", "6"),
    ];
    for (filter, expected) in filters {
        assert_eq!(lake.query(&format!("SELECT sum(v) FROM sales WHERE {filter}")).await, [expected], "{filter}");
    }
}

/// The partitions that a join needs are only known while it runs.
#[tokio::test]
async fn a_join_over_a_partition_column_is_right() {
    let lake = sales();
    lake.write("years/a", vec![("year", integers(&[2024]))]);
    lake.table("years", &[("year", SqlType::Integer)]);
    let sql = "SELECT v FROM years JOIN (SELECT * FROM sales WHERE year > 2000) s ON s.year = years.year";
    assert_eq!(lake.query(sql).await, ["3"]);
}

#[tokio::test]
async fn a_partition_whose_folder_is_gone_is_an_error() {
    let lake = sales();
    let refusal = lake.refusal("SELECT v FROM sales").await;
    assert!(refusal.ends_with("/missing\" does not exist"), "{refusal}");
}

#[tokio::test]
async fn a_table_without_partitions_has_no_rows() {
    let lake = Lake::new();
    lake.write("empty/a", vec![("v", integers(&[1]))]);
    lake.partitioned_table("empty", &COLUMNS, &[("p", SqlType::Date)], &[]);
    assert_eq!(lake.query("SELECT count(*), count(p) FROM empty").await, ["0|0"]);
    assert!(lake.query("SELECT p FROM empty WHERE p = '2024-01-01'").await.is_empty());
}

#[tokio::test]
async fn a_limit_is_kept_with_and_without_filters() {
    let lake = sales();
    let few = lake.query("SELECT v FROM sales WHERE year > 2000 LIMIT 2").await;
    assert_eq!(few.len(), 2);
    assert_eq!(lake.query("SELECT v FROM sales WHERE year > 2000 AND v = 3 LIMIT 1").await, ["3"]);
}

#[tokio::test]
async fn hidden_files_are_not_read() {
    let lake = Lake::new();
    lake.write("t/a", vec![("v", integers(&[1]))]);
    lake.write("t/_temporary/b", vec![("v", integers(&[2]))]);
    fs::write(lake.path("t/_SUCCESS"), "").unwrap();
    fs::write(lake.path("t/.a.crc"), "crc").unwrap();
    lake.table("t", &COLUMNS);
    assert_eq!(lake.query("SELECT v FROM t").await, ["1"]);
}

#[tokio::test]
async fn a_file_replaced_after_planning_is_an_error() {
    let lake = Lake::new();
    lake.write("t/a", vec![("v", integers(&[1]))]);
    lake.table("t", &COLUMNS);
    let plan = lake.plan("SELECT v FROM t").await.unwrap();
    lake.write("t/new", vec![("v", integers(&[1, 2]))]);
    fs::rename(lake.path("t/new"), lake.path("t/a")).unwrap();
    let refusal = refusal(lake.run(plan).await);
    assert!(refusal.ends_with("/t/a\" was changed while it was being read"), "{refusal}");
    assert_eq!(lake.query("SELECT v FROM t").await, ["1", "2"]);
}

#[tokio::test]
async fn a_file_deleted_after_planning_is_an_error() {
    let lake = Lake::new();
    lake.write("t/a", vec![("v", integers(&[1]))]);
    lake.table("t", &COLUMNS);
    let plan = lake.plan("SELECT v FROM t").await.unwrap();
    fs::remove_file(lake.path("t/a")).unwrap();
    let refusal = refusal(lake.run(plan).await);
    assert!(refusal.ends_with("/t/a\" was deleted while it was being read"), "{refusal}");
}

#[tokio::test]
async fn only_a_deleted_file_is_left_out_and_only_if_that_is_asked_for() {
    let lake = Lake::new();
    lake.write("t/a", vec![("v", integers(&[1]))]);
    lake.write("t/b", vec![("v", integers(&[2]))]);
    lake.table("t", &COLUMNS);
    lake.tolerate(OnBadData::SkipFile);
    let (first, second) = (lake.plan("SELECT v FROM t").await.unwrap(), lake.plan("SELECT v FROM t").await.unwrap());
    fs::remove_file(lake.path("t/a")).unwrap();
    assert_eq!(lake.run(first).await.unwrap().rows, ["2"]);
    lake.write("t/new", vec![("v", integers(&[1, 2]))]);
    fs::rename(lake.path("t/new"), lake.path("t/b")).unwrap();
    let replaced = refusal(lake.run(second).await);
    assert!(replaced.ends_with("/t/b\" was changed while it was being read"), "{replaced}");
    lake.tolerate(OnBadData::SkipRow);
    let plan = lake.plan("SELECT v FROM t").await.unwrap();
    fs::remove_file(lake.path("t/b")).unwrap();
    let deleted = refusal(lake.run(plan).await);
    assert!(deleted.ends_with("/t/b\" was deleted while it was being read"), "{deleted}");
}

#[tokio::test]
async fn a_file_that_is_not_parquet_is_named() {
    let lake = Lake::new();
    for (name, bytes) in [("t", b"id,name\n1,x\n".as_slice()), ("u", b"x"), ("w", b"PAR1\xff\xff\xff\xffPAR1")] {
        fs::write(lake.path(&format!("{name}/a.csv")), bytes).unwrap();
        lake.table(name, &COLUMNS);
        let refusal = lake.refusal(&format!("SELECT count(*) FROM {name}")).await;
        assert!(refusal.contains("/a.csv\" is not a Parquet file: "), "{refusal}");
    }
}

#[tokio::test]
async fn a_link_that_leads_outside_is_not_read() {
    let (inside, outside) = (Lake::new(), Lake::new());
    inside.write("t/a", vec![("v", integers(&[1]))]);
    outside.write("b", vec![("v", integers(&[2]))]);
    symlink(outside.path("b"), inside.path("t/b")).unwrap();
    inside.table("t", &COLUMNS);
    let refusal = inside.refusal("SELECT v FROM t").await;
    assert!(refusal.ends_with("/t/b\" is not allowed"), "{refusal}");
}

#[tokio::test]
async fn an_estimate_tells_which_side_of_a_join_is_smaller() {
    let lake = Lake::new();
    lake.write("big/a", vec![("v", integers(&(0..1000).collect::<Vec<_>>()))]);
    lake.write("small/a", vec![("v", integers(&[1]))]);
    lake.table("big", &COLUMNS);
    lake.table("small", &COLUMNS);
    let rows = |plan: Arc<dyn ExecutionPlan>| {
        let statistics = StatisticsContext::new().compute(plan.as_ref(), &StatisticsArgs::new()).unwrap();
        assert_eq!(statistics.num_rows.is_exact(), Some(false));
        *statistics.num_rows.get_value().unwrap()
    };
    let big = rows(lake.plan("SELECT * FROM big").await.unwrap());
    let small = rows(lake.plan("SELECT * FROM small").await.unwrap());
    assert!(big > small, "{big} {small}");
    assert_eq!(lake.query("SELECT count(*) FROM big JOIN small ON big.v = small.v").await, ["1"]);
}
