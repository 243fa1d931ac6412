#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, Decimal128Array, Float32Array, Float64Array, Int32Array, Int64Array, NullArray, StringArray,
    TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray,
};
use catalog::SqlType;
use catalog::types::NumericSize;

use crate::external::test_tables::Lake;

fn integers(values: &[i32]) -> ArrayRef {
    Arc::new(Int32Array::from(values.to_vec()))
}

fn bigints(values: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

fn texts(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

/// Checks a query with filters left to the engine and with filters evaluated by the scan.
async fn check(lake: &Lake, sql: &str, expected: &[&str]) {
    for late_filters in [false, true] {
        lake.set_late_filters(late_filters);
        assert_eq!(lake.query(sql).await, expected, "{sql}");
    }
}

async fn check_pruned(lake: &Lake, sql: &str, expected: &[&str], row_groups_pruned: usize) {
    check(lake, sql, expected).await;
    lake.set_late_filters(false);
    assert_eq!(lake.scan(sql).await.unwrap().row_groups_pruned, row_groups_pruned, "{sql}");
}

#[tokio::test]
async fn columns_are_found_in_another_case_and_order() {
    let lake = Lake::new();
    lake.write("t/a", vec![("Name", texts(&["x", "y"])), ("ID", integers(&[1, 2]))]);
    lake.write("t/b", vec![("id", integers(&[3, 4])), ("extra", integers(&[0, 0])), ("name", texts(&["z", "w"]))]);
    lake.table("t", &[("id", SqlType::Integer), ("name", SqlType::Text)]);
    check(&lake, "SELECT name, id FROM t ORDER BY id", &["x|1", "y|2", "z|3", "w|4"]).await;
    check_pruned(&lake, "SELECT name FROM t WHERE id = 2", &["y"], 1).await;
    check_pruned(&lake, "SELECT id FROM t WHERE name = 'z'", &["3"], 1).await;
    check(&lake, "SELECT count(*) FROM t", &["4"]).await;
}

#[tokio::test]
async fn an_exact_name_wins_and_two_others_are_ambiguous() {
    let lake = Lake::new();
    lake.write("t/a", vec![("ID", integers(&[1])), ("id", integers(&[2]))]);
    lake.write("u/a", vec![("ID", integers(&[1])), ("Id", integers(&[2])), ("x", integers(&[3]))]);
    lake.table("t", &[("id", SqlType::Integer)]);
    lake.table("u", &[("id", SqlType::Integer), ("x", SqlType::Integer)]);
    check(&lake, "SELECT id FROM t WHERE id > 1", &["2"]).await;
    check(&lake, "SELECT x FROM u", &["3"]).await;
    let refusal = lake.refusal("SELECT id FROM u").await;
    assert!(refusal.starts_with("column \"id\" is ambiguous in file \"file:///"), "{refusal}");
    assert!(refusal.ends_with("/u/a\": it could be \"ID\" or \"Id\""), "{refusal}");
}

#[tokio::test]
async fn a_column_that_a_file_lacks_is_null() {
    let lake = Lake::new();
    lake.write("t/a", vec![("id", integers(&[1]))]);
    lake.write("t/b", vec![("id", integers(&[2])), ("x", texts(&["b"]))]);
    lake.write("t/c", vec![("id", integers(&[3])), ("x", Arc::new(NullArray::new(1)))]);
    lake.table("t", &[("id", SqlType::Integer), ("x", SqlType::Varchar(Some(10)))]);
    check(&lake, "SELECT id, x FROM t ORDER BY id", &["1|NULL", "2|b", "3|NULL"]).await;
    check(&lake, "SELECT id FROM t WHERE x IS NULL ORDER BY id", &["1", "3"]).await;
    check(&lake, "SELECT id FROM t WHERE x IS NOT NULL", &["2"]).await;
    check(&lake, "SELECT id FROM t WHERE x = 'b'", &["2"]).await;
    check(&lake, "SELECT id FROM t WHERE coalesce(x, 'n') = 'n' ORDER BY id", &["1", "3"]).await;
}

#[tokio::test]
async fn widened_columns_are_read_and_pruned() {
    let lake = Lake::new();
    lake.write("t/a", vec![("v", integers(&[1, 2, 3, 4]))]);
    lake.write("t/b", vec![("v", bigints(&[5, 6, 1 << 40, 1 << 41]))]);
    lake.table("t", &[("v", SqlType::BigInt)]);
    check(&lake, "SELECT sum(v) FROM t", &["3298534883349"]).await;
    check_pruned(&lake, "SELECT v FROM t WHERE v <= 2 ORDER BY v", &["1", "2"], 3).await;
    check_pruned(&lake, "SELECT v FROM t WHERE v = 1099511627776", &["1099511627776"], 3).await;
    check_pruned(&lake, "SELECT v FROM t WHERE v IN (3, 99) ORDER BY v", &["3"], 3).await;
}

#[tokio::test]
async fn a_value_that_does_not_fit_is_refused() {
    let lake = Lake::new();
    lake.write("t/a", vec![("V", bigints(&[1, 2])), ("id", integers(&[1, 2]))]);
    lake.write("t/b", vec![("V", bigints(&[3, 3_000_000_000])), ("id", integers(&[3, 4]))]);
    lake.table("t", &[("v", SqlType::Integer), ("id", SqlType::Integer)]);
    check_pruned(&lake, "SELECT v FROM t WHERE v = 1", &["1"], 1).await;
    check(&lake, "SELECT id FROM t WHERE id = 4", &["4"]).await;
    for sql in ["SELECT v FROM t", "SELECT v + 1 FROM t WHERE id > 1"] {
        let refusal = lake.refusal(sql).await;
        assert!(refusal.starts_with("a value in column \"v\" of file \"file:///"), "{refusal}");
        assert!(refusal.ends_with("/t/b\" is out of range for type integer"), "{refusal}");
    }
}

#[tokio::test]
async fn a_mismatch_names_column_file_and_types() {
    let lake = Lake::new();
    lake.write("t/a", vec![("id", integers(&[1])), ("V", texts(&["x"]))]);
    lake.table("t", &[("id", SqlType::Integer), ("v", SqlType::Date)]);
    check(&lake, "SELECT id FROM t", &["1"]).await;
    for sql in ["SELECT v FROM t", "SELECT id FROM t WHERE v > '2024-01-01'"] {
        let refusal = lake.refusal(sql).await;
        assert!(refusal.starts_with("column \"v\" is declared date but is text in file \"file:///"), "{refusal}");
    }
}

/// The order of numbers is not that of their texts: statistics must not be compared.
#[tokio::test]
async fn an_integer_is_not_a_text() {
    let lake = Lake::new();
    lake.write("t/a", vec![("v", integers(&[9, 10]))]);
    lake.table("t", &[("v", SqlType::Varchar(None))]);
    let refusal = lake.refusal("SELECT v FROM t WHERE v = '10'").await;
    assert!(refusal.contains("declared character varying but is integer"), "{refusal}");
}

#[tokio::test]
async fn padding_is_ignored_in_comparisons() {
    let lake = Lake::new();
    lake.write("t/a", vec![("c", texts(&["ab   ", "cd"])), ("d", texts(&["ab   ", "cd"]))]);
    lake.table("t", &[("c", SqlType::Char(5)), ("d", SqlType::Text)]);
    check(&lake, "SELECT c || '.' FROM t WHERE c = 'ab'", &["ab."]).await;
    check(&lake, "SELECT d || '.' FROM t WHERE d = 'ab   '", &["ab   ."]).await;
    check(&lake, "SELECT c FROM t WHERE c IN ('ab', 'x')", &["ab"]).await;
}

#[tokio::test]
async fn nan_is_greater_than_every_number() {
    let lake = Lake::new();
    let doubles = Arc::new(Float64Array::from(vec![1.0, f64::NAN, 2.0, 3.0, 7.0, 8.0]));
    let reals = Arc::new(Float32Array::from(vec![1.0, f32::NAN, 2.0, 3.0, 7.0, 8.0]));
    lake.write("t/a", vec![("d", doubles), ("r", reals)]);
    lake.table("t", &[("d", SqlType::Double), ("r", SqlType::Double)]);
    for column in ["d", "r"] {
        let sql = |filter: &str| format!("SELECT {column} FROM t WHERE {}", filter.replace('#', column));
        check_pruned(&lake, &sql("# > 5 ORDER BY 1"), &["7.0", "8.0", "NaN"], 0).await;
        check_pruned(&lake, &sql("5 < # ORDER BY 1"), &["7.0", "8.0", "NaN"], 0).await;
        check_pruned(&lake, &sql("# < 2 ORDER BY 1"), &["1.0"], 2).await;
        check_pruned(&lake, &sql("# = 3"), &["3.0"], 2).await;
        check_pruned(&lake, &sql("# IN (3, 8) ORDER BY 1"), &["3.0", "8.0"], 1).await;
        check(&lake, &format!("SELECT {column} FROM t ORDER BY {column} DESC LIMIT 2"), &["NaN", "8.0"]).await;
    }
}

#[tokio::test]
async fn decimals_are_pruned_only_when_no_digit_is_lost() {
    let lake = Lake::new();
    let decimals = Decimal128Array::from(vec![10_040, 10_049, 20_000, 20_001]);
    let decimals: ArrayRef = Arc::new(decimals.with_precision_and_scale(10, 4).unwrap());
    lake.write("t/a", vec![("n", decimals.clone()), ("m", decimals)]);
    let numeric = |scale| SqlType::Numeric(Some(NumericSize { precision: 12, scale }));
    lake.table("t", &[("n", numeric(2)), ("m", numeric(6))]);
    check_pruned(&lake, "SELECT n FROM t WHERE n = 1.00", &["1.00", "1.00"], 0).await;
    check_pruned(&lake, "SELECT m FROM t WHERE m = 2.0001", &["2.000100"], 1).await;
    check_pruned(&lake, "SELECT m FROM t WHERE m > 1.00495 ORDER BY m", &["2.000000", "2.000100"], 1).await;
}

#[tokio::test]
async fn timestamps_of_every_unit_are_read_and_pruned() {
    let lake = Lake::new();
    let seconds = [0, 1, 100, 101];
    let scaled = |unit: i64| seconds.map(|second: i64| second * unit).to_vec();
    let nanoseconds = TimestampNanosecondArray::from(vec![999, 1_000_000_001, 100_000_000_000, 101_000_000_000]);
    lake.write(
        "t/a",
        vec![
            ("Ms", Arc::new(TimestampMillisecondArray::from(scaled(1_000)))),
            ("us", Arc::new(TimestampMicrosecondArray::from(scaled(1_000_000)).with_timezone("America/New_York"))),
            ("ns", Arc::new(nanoseconds)),
            ("d", Arc::new(Date32Array::from(vec![0, 1, 100, 101]))),
        ],
    );
    let columns = ["ms", "us", "ns", "d"].map(|name| (name, SqlType::Timestamp));
    lake.table("t", &columns);
    for column in ["ms", "us", "ns"] {
        let sql = |filter: &str| format!("SELECT count(*) FROM t WHERE {}", filter.replace('#', column));
        check_pruned(&lake, &sql("# >= '1970-01-01 00:01:40'"), &["2"], 1).await;
        check_pruned(&lake, &sql("# < '1970-01-01 00:00:00.000001'"), &["1"], 1).await;
        check_pruned(&lake, &sql("# = '1970-01-01 00:00:01'"), &["1"], 1).await;
        check_pruned(&lake, &sql("# > '1970-01-01 00:01:40.5'"), &["1"], 1).await;
    }
    check_pruned(&lake, "SELECT d FROM t WHERE d > '1970-04-11'", &["1970-04-12T00:00:00"], 1).await;
    check(&lake, "SELECT us FROM t WHERE us < '1970-01-01 00:00:01'", &["1970-01-01T00:00:00"]).await;
}

#[tokio::test]
async fn pages_are_pruned_in_another_case() {
    let lake = Lake::new();
    lake.write("t/a", vec![("V", integers(&[1, 9, 2, 8])), ("x", bigints(&[1, 2, 3, 4]))]);
    lake.table("t", &[("v", SqlType::BigInt), ("x", SqlType::BigInt)]);
    let scanned = lake.scan("SELECT x FROM t WHERE v = 2").await.unwrap();
    assert_eq!(scanned.rows, ["3"]);
    assert!(scanned.pages_pruned > 0);
}

#[tokio::test]
async fn columns_of_a_join_are_pruned_rightly() {
    let lake = Lake::new();
    lake.write("t/a", vec![("K", bigints(&[1, 2, 3, 4])), ("t", texts(&["a", "b", "c", "d"]))]);
    lake.write("s/a", vec![("k", integers(&[3]))]);
    lake.table("t", &[("k", SqlType::Integer), ("t", SqlType::Text)]);
    lake.table("s", &[("k", SqlType::Integer)]);
    check(&lake, "SELECT t.t FROM s JOIN t ON s.k = t.k", &["c"]).await;
    check(&lake, "SELECT k FROM t ORDER BY k DESC LIMIT 1", &["4"]).await;
}
