//! Functions, operators, aggregates and casts, those of PostgreSQL's that are here: `pg_proc`, `pg_operator`,
//! `pg_aggregate`, `pg_cast`.

use std::collections::HashSet;
use std::sync::LazyLock;

use arrow::array::RecordBatch;
use pg::library;
use pg::names::PG_CATALOG;
use pg::recorded;

use super::rows::recorded_rows;
use super::types::input_output_functions;
use crate::error::Result;

/// The numbers of functions that are here, as they are recorded.
static KNOWN: LazyLock<HashSet<&'static str>> = LazyLock::new(|| known_functions().unwrap_or_default());

fn known_functions() -> Option<HashSet<&'static str>> {
    let rows = recorded::rows("pg_proc")?;
    let (name, arguments) = (rows.column("proname")?, rows.column("proargtypes")?);
    let for_types = input_output_functions();
    let is_known = |row: &&Vec<Option<&'static str>>| {
        let number = row[0].unwrap_or_default();
        let types: Vec<u32> = row[arguments].unwrap_or_default().split(' ').filter_map(|it| it.parse().ok()).collect();
        for_types.contains(number) || library::has_function(row[name].unwrap_or_default(), &types)
    };
    Some(rows.rows.iter().filter(is_known).filter_map(|row| row[0]).collect())
}

/// The numbers of operators that are here, as they are recorded.
static KNOWN_OPERATORS: LazyLock<HashSet<&'static str>> = LazyLock::new(|| known_operators().unwrap_or_default());

fn known_operators() -> Option<HashSet<&'static str>> {
    let rows = recorded::rows("pg_operator")?;
    let (symbol, left, right) = (rows.column("oprname")?, rows.column("oprleft")?, rows.column("oprright")?);
    let is_known = |row: &&Vec<Option<&'static str>>| {
        let number = |place: usize| row[place].and_then(|it| it.parse::<u32>().ok()).filter(|it| *it > 0);
        let types: Vec<u32> = [number(left), number(right)].into_iter().flatten().collect();
        library::has_operator(row[symbol].unwrap_or_default(), &types)
    };
    Some(rows.rows.iter().filter(is_known).filter_map(|row| row[0]).collect())
}

/// `pg_proc`
///
/// # Errors
/// None but bugs.
pub fn pg_proc() -> Result<RecordBatch> {
    recorded_rows("pg_proc", |row| row[0].is_some_and(|number| KNOWN.contains(number)))
}

/// `pg_aggregate`
///
/// # Errors
/// None but bugs.
pub fn pg_aggregate() -> Result<RecordBatch> {
    recorded_rows("pg_aggregate", |row| row[0].is_some_and(|number| KNOWN.contains(number)))
}

/// `pg_operator`
///
/// # Errors
/// None but bugs.
pub fn pg_operator() -> Result<RecordBatch> {
    recorded_rows("pg_operator", |row| row[0].is_some_and(|number| KNOWN_OPERATORS.contains(number)))
}

/// What `pg_description` says from the start, of what is here.
///
/// # Errors
/// None but bugs.
pub fn descriptions() -> Result<RecordBatch> {
    let class = |name: &str| recorded::relation(PG_CATALOG, name).map(|it| it.oid.to_string()).unwrap_or_default();
    let (functions, operators) = (class("pg_proc"), class("pg_operator"));
    let (object, its_class) = match recorded::rows("pg_description") {
        Some(rows) => (rows.column("objoid").unwrap_or(0), rows.column("classoid").unwrap_or(1)),
        None => (0, 1),
    };
    recorded_rows("pg_description", |row| match (row[its_class], row[object]) {
        (Some(class), Some(number)) if class == functions => KNOWN.contains(number),
        (Some(class), Some(number)) if class == operators => KNOWN_OPERATORS.contains(number),
        _ => true,
    })
}

/// `pg_cast`
///
/// # Errors
/// None but bugs.
pub fn pg_cast() -> Result<RecordBatch> {
    let places =
        recorded::rows("pg_cast").and_then(|rows| Some([rows.column("castsource")?, rows.column("casttarget")?]));
    recorded_rows("pg_cast", |row| {
        let Some(places) = places else { return false };
        match places.map(|place| row[place].and_then(|it| it.parse::<u32>().ok())) {
            [Some(source), Some(target)] => source == target || library::cast(source, target).is_some(),
            _ => false,
        }
    })
}
