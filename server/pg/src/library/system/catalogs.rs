//! What there is to know of the server that no table has: zones, words, extensions, options taken apart.

use std::sync::LazyLock;

use arrow::array::{Array, ArrayRef, AsArray};
use datafusion_common::ScalarValue;

use super::settings::column;
use crate::datetime::zone::{self, Abbreviation, Zone};
use crate::datetime::{Interval, SECOND_US};
use crate::error::{PgError, Result};
use crate::expression_type::Type;
use crate::function::{SetCall, SetChunk, SetColumns, SetFunction, SetRows};
use crate::sqlstate::SqlState;
use crate::types::*;

/// The functions that return sets.
pub static SETS: &[SetFunction] = &[
    set("pg_available_extension_versions", &[], |_| Ok(extension_version_columns()), |_| nothing()),
    set("pg_available_extensions", &[], |_| Ok(extension_columns()), |_| nothing()),
    set("pg_get_keywords", &[], |_| Ok(keyword_columns()), |_| keywords()),
    set("pg_options_to_table", &[TEXT_ARRAY], |_| Ok(option_columns()), pg_options_to_table),
    set("pg_partition_ancestors", &[REGCLASS], |_| Ok(typed([("relid", REGCLASS)])), |_| nothing()),
    set("pg_partition_tree", &[REGCLASS], |_| Ok(partition_columns()), |_| nothing()),
    set("pg_timezone_abbrevs", &[], |_| Ok(zone_columns("abbrev").into()), pg_timezone_abbrevs),
    set("pg_timezone_names", &[], |_| Ok(zone_name_columns()), pg_timezone_names),
];

const fn set(
    name: &'static str,
    arguments: &'static [u32],
    columns: fn(&[crate::function::ArgumentShape<'_>]) -> Result<SetColumns>,
    rows: fn(SetCall) -> Result<SetRows>,
) -> SetFunction {
    SetFunction { name, arguments, variadic: false, columns, rows }
}

/// The words of PostgreSQL's grammar, each with its category, and whether it can name a column without AS.
static KEYWORDS: LazyLock<Vec<[&'static str; 3]>> = LazyLock::new(|| {
    let lines = include_str!("../../recorded/keywords.tsv").lines();
    lines.filter_map(|line| line.split('\t').collect::<Vec<_>>().try_into().ok()).collect()
});

fn typed<const N: usize>(columns: [(&str, u32); N]) -> SetColumns {
    columns.map(|(name, ty)| (name.to_owned(), Type::of(ty))).to_vec()
}

fn chunk(columns: SetChunk) -> Result<SetRows> {
    Ok(Box::new(std::iter::once(Ok(columns))))
}

fn nothing() -> Result<SetRows> {
    Ok(Box::new(std::iter::empty()))
}

/// No table has PostgreSQL's partitions: those of external tables are no relations.
fn partition_columns() -> SetColumns {
    typed([("relid", REGCLASS), ("parentrelid", REGCLASS), ("isleaf", BOOL), ("level", INT4)])
}

/// There are no extensions.
fn extension_columns() -> SetColumns {
    typed([("name", NAME), ("default_version", TEXT), ("comment", TEXT)])
}

fn extension_version_columns() -> SetColumns {
    typed([
        ("name", NAME),
        ("version", TEXT),
        ("superuser", BOOL),
        ("trusted", BOOL),
        ("relocatable", BOOL),
        ("schema", NAME),
        ("requires", NAME_ARRAY),
        ("comment", TEXT),
    ])
}

fn keyword_columns() -> SetColumns {
    typed([("word", TEXT), ("catcode", CHAR), ("barelabel", BOOL), ("catdesc", TEXT), ("baredesc", TEXT)])
}

fn keywords() -> Result<SetRows> {
    let category = |code: &str| match code {
        "U" => "unreserved",
        "C" => "unreserved (cannot be function or type name)",
        "T" => "reserved (can be function or type name)",
        _ => "reserved",
    };
    let label = |is_label: bool| if is_label { "can be bare label" } else { "requires AS" };
    let is_label = |[_, _, label]: &[&str; 3]| *label == "t";
    chunk(vec![
        column(TEXT, KEYWORDS.iter().map(|[word, _, _]| *word))?,
        column(CHAR, KEYWORDS.iter().map(|[_, code, _]| *code))?,
        column(BOOL, KEYWORDS.iter().map(is_label))?,
        column(TEXT, KEYWORDS.iter().map(|[_, code, _]| category(code)))?,
        column(TEXT, KEYWORDS.iter().map(|word| label(is_label(word))))?,
    ])
}

fn option_columns() -> SetColumns {
    typed([("option_name", TEXT), ("option_value", TEXT)])
}

/// An option without a value has NULL.
fn pg_options_to_table(call: SetCall) -> Result<SetRows> {
    let list = call.arguments.first().map(ScalarValue::to_array).transpose()?;
    let list = list.as_ref().and_then(|list| list.as_list_opt::<i32>()).filter(|list| list.is_valid(0));
    let Some(list) = list.map(|list| list.value(0)) else { return nothing() };
    let Some(options) = list.as_string_view_opt() else { return nothing() };
    let null = || PgError::new(SqlState::NULL_VALUE_NOT_ALLOWED, "null array element not allowed in this context");
    let options = options.iter().map(|option| option.ok_or_else(null)).collect::<Result<Vec<_>>>()?;
    let parts = options.iter().map(|option| match option.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (*option, None),
    });
    let parts: Vec<_> = parts.collect();
    let names: ArrayRef = column(TEXT, parts.iter().map(|(name, _)| *name))?;
    chunk(vec![names, column(TEXT, parts.iter().map(|(_, value)| *value))?])
}

fn zone_columns(name: &str) -> [(String, Type); 3] {
    [(name, TEXT), ("utc_offset", INTERVAL), ("is_dst", BOOL)].map(|(name, ty)| (name.to_owned(), Type::of(ty)))
}

fn zone_name_columns() -> SetColumns {
    std::iter::once(("name".to_owned(), Type::of(TEXT))).chain(zone_columns("abbrev")).collect()
}

fn offset(seconds: i32) -> Interval {
    Interval { months: 0, days: 0, time_us: i64::from(seconds) * SECOND_US }
}

/// What the abbreviations stand for when the transaction began.
fn pg_timezone_abbrevs(call: SetCall) -> Result<SetRows> {
    let now = call.session.transaction_start_us;
    let found = zone::abbreviations().filter_map(|lower| {
        let (offset_s, is_daylight) = match zone::abbreviation(lower)? {
            Abbreviation::Fixed(offset_s, is_daylight) => (offset_s, is_daylight),
            Abbreviation::Changing(zone) => (zone.offset_at(now), zone.is_daylight_at(now)),
        };
        Some((lower.to_ascii_uppercase(), offset_s, is_daylight))
    });
    let mut rows: Vec<_> = found.collect();
    rows.sort();
    chunk(vec![
        column(TEXT, rows.iter().map(|(name, _, _)| name.as_str()))?,
        column(INTERVAL, rows.iter().map(|(_, offset_s, _)| offset(*offset_s)))?,
        column(BOOL, rows.iter().map(|(_, _, is_daylight)| *is_daylight))?,
    ])
}

/// The zones of the zone data, as they were when the transaction began.
fn pg_timezone_names(call: SetCall) -> Result<SetRows> {
    let now = call.session.transaction_start_us;
    let zones: Vec<(&str, Zone)> = zone::names().collect();
    chunk(vec![
        column(TEXT, zones.iter().map(|(name, _)| *name))?,
        column(TEXT, zones.iter().map(|(_, zone)| zone.abbreviation_at(now)))?,
        column(INTERVAL, zones.iter().map(|(_, zone)| offset(zone.offset_at(now))))?,
        column(BOOL, zones.iter().map(|(_, zone)| zone.is_daylight_at(now)))?,
    ])
}
