#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, ListArray, RecordBatch, StringViewArray};
use arrow::datatypes::Int32Type;
use arrow::util::pretty::pretty_format_batches;
use datafusion::common::ScalarValue;
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, LogicalPlanBuilder, col, lit};
use datafusion::physical_plan::collect;
use datafusion::prelude::SessionConfig;
use pg::Type;
use pg::function::ArgumentShape;
use pg::types::{INT4, INT4_ARRAY};

use super::{ProjectSet, SetReturning};
use crate::plan::extensions::ExtendedPlanner;

fn call(name: &str, arguments: Vec<(Expr, Type)>) -> SetReturning {
    let oids: Vec<u32> = arguments.iter().map(|(_, ty)| ty.oid).collect();
    let fits = |declared: &[u32]| declared == oids || declared == [pg::types::ANYARRAY];
    let function = pg::library::set_functions(name).iter().find(|it| fits(it.arguments)).unwrap();
    let shapes: Vec<_> = arguments.iter().map(|(_, ty)| ArgumentShape { ty, constant: None }).collect();
    let columns = (function.columns)(&shapes).unwrap();
    let columns = columns.into_iter().map(|(name, ty)| (None, Arc::new(ty.field(&name)))).collect();
    let (arguments, types) = arguments.into_iter().unzip();
    SetReturning { function, arguments, types, columns }
}

fn rows_of_t() -> LogicalPlan {
    let a: ArrayRef = Arc::new(Int32Array::from(vec![Some(2), Some(0), None, Some(3)]));
    let s: ArrayRef = Arc::new(StringViewArray::from(vec!["two", "none", "null", "three"]));
    let items = ListArray::from_iter_primitive::<Int32Type, _, _>([
        Some(vec![Some(1), None, Some(3)]),
        Some(vec![]),
        None,
        Some(vec![Some(4)]),
    ]);
    let items: ArrayRef = Arc::new(items);
    let batch = RecordBatch::try_from_iter_with_nullable([("a", a, true), ("s", s, true), ("items", items, true)]);
    let batch = batch.unwrap();
    let table = MemTable::try_new(batch.schema(), vec![vec![batch]]).unwrap();
    LogicalPlanBuilder::scan("t", provider_as_source(Arc::new(table)), None).unwrap().build().unwrap()
}

fn series(stop: Expr) -> SetReturning {
    call("generate_series", vec![(lit(1i32), Type::of(INT4)), (stop, Type::of(INT4))])
}

fn node(calls: Vec<SetReturning>, ordinality: bool, outer: bool) -> LogicalPlan {
    let ordinality = ordinality.then(|| ProjectSet::ordinality_field(None, "ordinality"));
    let node = ProjectSet::try_new(rows_of_t(), calls, ordinality, outer).unwrap();
    LogicalPlan::Extension(Extension { node: Arc::new(node) })
}

/// The rows of a plan, and what the optimiser made of it.
async fn run(plan: LogicalPlan, batch_rows: usize) -> (String, String) {
    let state = SessionStateBuilder::new()
        .with_config(SessionConfig::new().with_batch_size(batch_rows).with_target_partitions(1))
        .with_default_features()
        .with_query_planner(Arc::new(ExtendedPlanner))
        .build();
    let optimised = state.optimize(&plan).unwrap();
    let physical = state.create_physical_plan(&plan).await.unwrap();
    let batches = collect(physical, state.task_ctx()).await.unwrap();
    assert!(batches.iter().all(|batch| batch.num_rows() <= batch_rows));
    (pretty_format_batches(&batches).unwrap().to_string(), optimised.display_indent().to_string())
}

async fn check(plan: LogicalPlan, expected: &[&str]) {
    for batch_rows in [1, 2, 3, 8192] {
        let (rows, _) = run(plan.clone(), batch_rows).await;
        let lines: Vec<_> = rows.lines().skip(3).filter(|line| !line.starts_with('+')).collect();
        let lines: Vec<_> = lines.iter().map(|line| line.split_whitespace().collect::<String>()).collect();
        assert_eq!(lines, expected, "batches of {batch_rows}");
    }
}

fn columns(plan: LogicalPlan, names: &[&str]) -> LogicalPlan {
    LogicalPlanBuilder::from(plan).project(names.iter().map(|name| col(*name))).unwrap().build().unwrap()
}

#[tokio::test]
async fn a_row_comes_once_for_each_row_of_the_set() {
    let plan = columns(node(vec![series(col("a"))], false, false), &["s", "generate_series"]);
    check(plan, &["|two|1|", "|two|2|", "|three|1|", "|three|2|", "|three|3|"]).await;
}

#[tokio::test]
async fn an_outer_row_without_a_set_is_kept() {
    let plan = columns(node(vec![series(col("a"))], true, true), &["s", "generate_series", "ordinality"]);
    let expected = ["|two|1|1|", "|two|2|2|", "|none|||", "|null|||", "|three|1|1|", "|three|2|2|", "|three|3|3|"];
    check(plan, &expected).await;
    let items = call("unnest", vec![(col("items"), Type::of(INT4_ARRAY))]);
    let plan = columns(node(vec![items], true, true), &["s", "unnest", "ordinality"]);
    check(plan, &["|two|1|1|", "|two||2|", "|two|3|3|", "|none|||", "|null|||", "|three|4|1|"]).await;
}

#[tokio::test]
async fn functions_run_in_step() {
    let items = || call("unnest", vec![(col("items"), Type::of(INT4_ARRAY))]);
    let plan =
        columns(node(vec![items(), series(col("a"))], true, false), &["s", "unnest", "generate_series", "ordinality"]);
    let expected = ["|two|1|1|1|", "|two||2|2|", "|two|3||3|", "|three|4|1|1|", "|three||2|2|", "|three||3|3|"];
    check(plan, &expected).await;
}

#[tokio::test]
async fn arrays_run_in_step_too() {
    let items = call("unnest", vec![(col("items"), Type::of(INT4_ARRAY))]);
    let pair = ScalarValue::List(ScalarValue::new_list_nullable(
        &[ScalarValue::Int32(Some(8)), ScalarValue::Int32(Some(9))],
        &arrow::datatypes::DataType::Int32,
    ));
    let mut pair = call("unnest", vec![(lit(pair), Type::of(INT4_ARRAY))]);
    pair.columns = vec![(None, Arc::new(Type::of(INT4).field("pair")))];
    let plan = columns(node(vec![items, pair], false, false), &["s", "unnest", "pair"]);
    let expected = [
        "|two|1|8|",
        "|two||9|",
        "|two|3||",
        "|none||8|",
        "|none||9|",
        "|null||8|",
        "|null||9|",
        "|three|4|8|",
        "|three||9|",
    ];
    check(plan, &expected).await;
}

#[tokio::test]
async fn conditions_and_columns_are_pushed_below() {
    let plan = node(vec![series(col("a"))], false, false);
    let plan = LogicalPlanBuilder::from(plan);
    let condition = col("s").not_eq(lit("two")).and(col("generate_series").gt(lit(1)));
    let plan = columns(plan.filter(condition).unwrap().build().unwrap(), &["generate_series"]);
    let (_, optimised) = run(plan.clone(), 8192).await;
    let expected = "    ProjectSet: generate_series(Int32(1), a)\n      Filter: t.s != Utf8View(\"two\")\n        \
                    TableScan: t projection=[a, s]";
    assert!(optimised.ends_with(expected), "{optimised}");
    check(plan, &["|2|", "|3|"]).await;
}

#[tokio::test]
async fn a_volatile_condition_is_asked_for_each_row() {
    let series = series(lit(1000i32));
    let node = ProjectSet::try_new(LogicalPlanBuilder::empty(true).build().unwrap(), vec![series], None, false);
    let plan = LogicalPlan::Extension(Extension { node: Arc::new(node.unwrap()) });
    let plan = LogicalPlanBuilder::from(plan).filter(datafusion::prelude::random().lt(lit(0.5))).unwrap();
    let (rows, optimised) = run(plan.build().unwrap(), 100).await;
    assert!((300..700).contains(&rows.lines().count()), "{optimised}");
}

#[tokio::test]
async fn a_long_series_is_made_as_it_is_asked_for() {
    let series = call(
        "generate_series",
        vec![(lit(1i64), Type::of(pg::types::INT8)), (lit(i64::MAX), Type::of(pg::types::INT8))],
    );
    let node = ProjectSet::try_new(LogicalPlanBuilder::empty(true).build().unwrap(), vec![series], None, false);
    let plan = LogicalPlan::Extension(Extension { node: Arc::new(node.unwrap()) });
    let plan = LogicalPlanBuilder::from(plan).limit(20_000, Some(1)).unwrap().build().unwrap();
    check_rows(plan, "20001").await;
}

async fn check_rows(plan: LogicalPlan, expected: &str) {
    let (rows, _) = run(plan, 8192).await;
    assert!(rows.contains(expected), "{rows}");
}
