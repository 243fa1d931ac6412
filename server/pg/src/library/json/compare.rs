//! `jsonb` values compared, ordered and searched.

use std::cmp::Ordering;

use arrow::array::ArrayRef;

use super::access::texts;
use super::value::Json;
use crate::error::Result;
use crate::function::{Call, Elements, Function, function};
use crate::types::*;

pub(super) static OPERATORS: &[Function] = &[
    function("=", &[JSONB, JSONB], BOOL, equal),
    function("<>", &[JSONB, JSONB], BOOL, not_equal),
    function("<", &[JSONB, JSONB], BOOL, less),
    function("<=", &[JSONB, JSONB], BOOL, less_or_equal),
    function(">", &[JSONB, JSONB], BOOL, greater),
    function(">=", &[JSONB, JSONB], BOOL, greater_or_equal),
    function("@>", &[JSONB, JSONB], BOOL, contains),
    function("<@", &[JSONB, JSONB], BOOL, contained),
    function("?", &[JSONB, TEXT], BOOL, exists),
    function("?|", &[JSONB, TEXT_ARRAY], BOOL, exists_any),
    function("?&", &[JSONB, TEXT_ARRAY], BOOL, exists_all),
];

pub(super) static FUNCTIONS: &[Function] = &[
    function("jsonb_eq", &[JSONB, JSONB], BOOL, equal),
    function("jsonb_ne", &[JSONB, JSONB], BOOL, not_equal),
    function("jsonb_lt", &[JSONB, JSONB], BOOL, less),
    function("jsonb_le", &[JSONB, JSONB], BOOL, less_or_equal),
    function("jsonb_gt", &[JSONB, JSONB], BOOL, greater),
    function("jsonb_ge", &[JSONB, JSONB], BOOL, greater_or_equal),
    function("jsonb_cmp", &[JSONB, JSONB], INT4, comparison),
    function("jsonb_contains", &[JSONB, JSONB], BOOL, contains),
    function("jsonb_contained", &[JSONB, JSONB], BOOL, contained),
    function("jsonb_exists", &[JSONB, TEXT], BOOL, exists),
    function("jsonb_exists_any", &[JSONB, TEXT_ARRAY], BOOL, exists_any),
    function("jsonb_exists_all", &[JSONB, TEXT_ARRAY], BOOL, exists_all),
    // What ORDER BY, GROUP BY and DISTINCT go by: bytes whose order is that of the values.
    function("jsonb_order", &[JSONB], BYTEA, order),
];

/// How two values are ordered.
pub(super) fn compare(left: &str, right: &str) -> Result<Ordering> {
    if left == right {
        return Ok(Ordering::Equal);
    }
    Ok(Json::parse(left)?.order().cmp(&Json::parse(right)?.order()))
}

macro_rules! comparisons {
    ($($name:ident: |$ordering:ident| $test:expr;)*) => {
        $(
            fn $name(call: &Call) -> Result<ArrayRef> {
                call.map2(|left: &str, right: &str| compare(left, right).map(|$ordering| $test))
            }
        )*
    };
}

comparisons! {
    equal: |ordering| ordering.is_eq();
    not_equal: |ordering| ordering.is_ne();
    less: |ordering| ordering.is_lt();
    less_or_equal: |ordering| ordering.is_le();
    greater: |ordering| ordering.is_gt();
    greater_or_equal: |ordering| ordering.is_ge();
    comparison: |ordering| ordering as i32;
}

fn order(call: &Call) -> Result<ArrayRef> {
    call.map1(|json: &str| Json::parse(json).map(|json| json.order()))
}

fn contains(call: &Call) -> Result<ArrayRef> {
    call.map2(|left: &str, right: &str| -> Result<bool> { Ok(Json::parse(left)?.contains(&Json::parse(right)?)) })
}

fn contained(call: &Call) -> Result<ArrayRef> {
    call.map2(|left: &str, right: &str| -> Result<bool> { Ok(Json::parse(right)?.contains(&Json::parse(left)?)) })
}

fn exists(call: &Call) -> Result<ArrayRef> {
    call.map2(|json: &str, key: &str| Json::parse(json).map(|json| json.has(key)))
}

fn exists_any(call: &Call) -> Result<ArrayRef> {
    call.map2(|json: &str, keys: Elements| -> Result<bool> {
        let json = Json::parse(json)?;
        Ok(texts(&keys)?.iter().flatten().any(|key| json.has(key)))
    })
}

fn exists_all(call: &Call) -> Result<ArrayRef> {
    call.map2(|json: &str, keys: Elements| -> Result<bool> {
        let json = Json::parse(json)?;
        Ok(texts(&keys)?.iter().flatten().all(|key| json.has(key)))
    })
}
