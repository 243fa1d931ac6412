//! `jsonb` values changed: parts set, added and taken away.

use std::borrow::Cow;

use arrow::array::{Array, ArrayRef};

use super::access::{position, texts};
use super::value::{Json, normalize_object};
use crate::error::{PgError, Result};
use crate::function::{Call, Elements, Function, function};
use crate::sqlstate::SqlState;
use crate::types::*;

pub(super) static OPERATORS: &[Function] = &[
    function("||", &[JSONB, JSONB], JSONB, concatenate),
    function("-", &[JSONB, TEXT], JSONB, delete_key),
    function("-", &[JSONB, TEXT_ARRAY], JSONB, delete_keys),
    function("-", &[JSONB, INT4], JSONB, delete_position),
    function("#-", &[JSONB, TEXT_ARRAY], JSONB, delete_path),
];

pub(super) static FUNCTIONS: &[Function] = &[
    function("jsonb_concat", &[JSONB, JSONB], JSONB, concatenate),
    function("jsonb_delete", &[JSONB, TEXT], JSONB, delete_key),
    function("jsonb_delete", &[JSONB, TEXT_ARRAY], JSONB, delete_keys),
    function("jsonb_delete", &[JSONB, INT4], JSONB, delete_position),
    function("jsonb_delete_path", &[JSONB, TEXT_ARRAY], JSONB, delete_path),
    function("jsonb_set", &[JSONB, TEXT_ARRAY, JSONB], JSONB, set),
    function("jsonb_set", &[JSONB, TEXT_ARRAY, JSONB, BOOL], JSONB, set_or_create),
    function("jsonb_set_lax", &[JSONB, TEXT_ARRAY, JSONB], JSONB, set_lax),
    function("jsonb_set_lax", &[JSONB, TEXT_ARRAY, JSONB, BOOL], JSONB, set_lax),
    function("jsonb_set_lax", &[JSONB, TEXT_ARRAY, JSONB, BOOL, TEXT], JSONB, set_lax),
    function("jsonb_insert", &[JSONB, TEXT_ARRAY, JSONB], JSONB, insert),
    function("jsonb_insert", &[JSONB, TEXT_ARRAY, JSONB, BOOL], JSONB, insert_after),
];

/// What is done where a path leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Delete,
    /// What is there gets another value.
    Replace,
    /// What is there gets another value; what is missing is added.
    Create,
    InsertBefore,
    InsertAfter,
}

impl Action {
    fn adds(self) -> bool {
        matches!(self, Action::Create | Action::InsertBefore | Action::InsertAfter)
    }

    fn inserts(self) -> bool {
        matches!(self, Action::InsertBefore | Action::InsertAfter)
    }
}

/// A path with what is done at its end.
struct Change<'p, 'j> {
    steps: Vec<Option<&'p str>>,
    value: Option<Json<'j>>,
    action: Action,
}

impl<'j> Change<'_, 'j> {
    fn value(&self) -> Json<'j> {
        self.value.clone().unwrap_or(Json::Null)
    }

    fn apply(&self, json: Json<'j>, level: usize) -> Result<Json<'j>> {
        let Some(step) = self.steps.get(level) else { return Ok(json) };
        let Some(step) = step else {
            let message = format!("path element at position {} is null", level + 1);
            return Err(PgError::new(SqlState::NULL_VALUE_NOT_ALLOWED, message));
        };
        match json {
            Json::Array(elements) => self.apply_to_array(elements, step, level),
            Json::Object(pairs) => self.apply_to_object(pairs, step, level),
            scalar => Ok(scalar),
        }
    }

    fn apply_to_object(&self, mut pairs: Vec<(Cow<'j, str>, Json<'j>)>, step: &str, level: usize) -> Result<Json<'j>> {
        let last = level + 1 == self.steps.len();
        match pairs.iter().position(|(key, _)| key == step) {
            Some(_) if last && self.action.inserts() => {
                return Err(PgError::invalid_parameter("cannot replace existing key")
                    .with_hint("Try using the function jsonb_set to replace key value."));
            }
            Some(found) if last && self.action == Action::Delete => {
                pairs.remove(found);
            }
            Some(found) => {
                let old = std::mem::replace(&mut pairs[found].1, Json::Null);
                pairs[found].1 = if last { self.value() } else { self.apply(old, level + 1)? };
            }
            None if last && self.action.adds() => pairs.push((Cow::Owned(step.to_owned()), self.value())),
            None => {}
        }
        Ok(normalize_object(pairs))
    }

    fn apply_to_array(&self, mut elements: Vec<Json<'j>>, step: &str, level: usize) -> Result<Json<'j>> {
        let last = level + 1 == self.steps.len();
        let Some(wanted) = position(step) else {
            let message = format!("path element at position {} is not an integer: \"{step}\"", level + 1);
            return Err(PgError::new(SqlState::INVALID_TEXT_REPRESENTATION, message));
        };
        let count = elements.len() as i64;
        let wanted = if wanted < 0 { i64::from(wanted) + count } else { i64::from(wanted) };
        let found = usize::try_from(wanted).ok().filter(|found| *found < elements.len());
        match (found, last) {
            (Some(found), false) => {
                let old = std::mem::replace(&mut elements[found], Json::Null);
                elements[found] = self.apply(old, level + 1)?;
            }
            (Some(found), true) => match self.action {
                Action::Delete => {
                    elements.remove(found);
                }
                Action::Replace | Action::Create => elements[found] = self.value(),
                Action::InsertBefore => elements.insert(found, self.value()),
                Action::InsertAfter => elements.insert(found + 1, self.value()),
            },
            // Before the beginning is the beginning, beyond the end is the end.
            (None, true) if self.action.adds() => {
                let at = if wanted < 0 { 0 } else { elements.len() };
                elements.insert(at, self.value());
            }
            _ => {}
        }
        Ok(Json::Array(elements))
    }
}

fn change(text: &str, path: &Elements, value: Option<&str>, action: Action) -> Result<String> {
    let steps = texts(path)?;
    let json = Json::parse(text)?;
    if json.is_scalar() {
        let verb = if action == Action::Delete { "delete" } else { "set" };
        return Err(PgError::invalid_parameter(format!("cannot {verb} path in scalar")));
    }
    let empty = matches!(&json, Json::Array(it) if it.is_empty()) || matches!(&json, Json::Object(it) if it.is_empty());
    if steps.is_empty() || empty && !action.adds() {
        return Ok(text.to_owned());
    }
    let value = value.map(Json::parse).transpose()?;
    Change { steps: steps.iter().collect(), value, action }.apply(json, 0)?.result()
}

fn set(call: &Call) -> Result<ArrayRef> {
    call.map3(|json: &str, path: Elements, value: &str| change(json, &path, Some(value), Action::Create))
}

fn set_or_create(call: &Call) -> Result<ArrayRef> {
    call.map4(|json: &str, path: Elements, value: &str, create: bool| {
        change(json, &path, Some(value), if create { Action::Create } else { Action::Replace })
    })
}

fn insert(call: &Call) -> Result<ArrayRef> {
    call.map3(|json: &str, path: Elements, value: &str| change(json, &path, Some(value), Action::InsertBefore))
}

fn insert_after(call: &Call) -> Result<ArrayRef> {
    call.map4(|json: &str, path: Elements, value: &str, after: bool| {
        change(json, &path, Some(value), if after { Action::InsertAfter } else { Action::InsertBefore })
    })
}

fn set_lax(call: &Call) -> Result<ArrayRef> {
    let create = if call.width() > 3 { Some(call.column::<bool>(3)?) } else { None };
    let treatment = if call.width() > 4 { Some(call.column::<&str>(4)?) } else { None };
    let mut next = 0;
    call.map3(|json: Option<&str>, path: Option<Elements>, value: Option<&str>| -> Result<Option<String>> {
        let row = next;
        next += 1;
        let create = create.as_ref().map_or(Some(true), |create| create.get(row));
        let (Some(json), Some(path), Some(create)) = (json, path, create) else { return Ok(None) };
        let treatment = treatment.as_ref().map_or(Some("use_json_null"), |treatment| treatment.get(row));
        let treatment = treatment.ok_or_else(unknown_treatment)?;
        let action = if create { Action::Create } else { Action::Replace };
        match (value, treatment) {
            (Some(value), _) => change(json, &path, Some(value), action).map(Some),
            (None, "use_json_null") => change(json, &path, Some("null"), action).map(Some),
            (None, "delete_key") => change(json, &path, None, Action::Delete).map(Some),
            (None, "return_target") => Ok(Some(json.to_owned())),
            (None, "raise_exception") => Err(null_refused()),
            (None, _) => Err(unknown_treatment()),
        }
    })
}

fn unknown_treatment() -> PgError {
    PgError::invalid_parameter(
        "null_value_treatment must be \"delete_key\", \"return_target\", \"use_json_null\", or \"raise_exception\"",
    )
}

fn null_refused() -> PgError {
    PgError::new(SqlState::NULL_VALUE_NOT_ALLOWED, "JSON value must not be null")
        .with_detail("Exception was raised because null_value_treatment is \"raise_exception\".")
        .with_hint(
            "To avoid, either change the null_value_treatment argument or ensure that an SQL NULL is not passed.",
        )
}

fn delete_path(call: &Call) -> Result<ArrayRef> {
    call.map2(|json: &str, path: Elements| change(json, &path, None, Action::Delete))
}

fn delete_key(call: &Call) -> Result<ArrayRef> {
    call.map2(|json: &str, key: &str| without(json, &|it| it == key))
}

fn delete_keys(call: &Call) -> Result<ArrayRef> {
    call.map2(|json: &str, keys: Elements| -> Result<String> {
        let keys = texts(&keys)?;
        let keys: std::collections::HashSet<&str> = keys.iter().flatten().collect();
        without(json, &|it| keys.contains(it))
    })
}

/// Without these keys, or these strings in an array.
fn without(text: &str, unwanted: &dyn Fn(&str) -> bool) -> Result<String> {
    match Json::parse(text)? {
        Json::Object(mut pairs) => {
            pairs.retain(|(key, _)| !unwanted(key));
            Json::Object(pairs).result()
        }
        Json::Array(mut elements) => {
            elements.retain(|element| !matches!(element, Json::String(text) if unwanted(text)));
            Json::Array(elements).result()
        }
        _ => Err(PgError::invalid_parameter("cannot delete from scalar")),
    }
}

fn delete_position(call: &Call) -> Result<ArrayRef> {
    call.map2(|json: &str, position: i32| match Json::parse(json)? {
        Json::Array(mut elements) => {
            let position = i64::from(position) + if position < 0 { elements.len() as i64 } else { 0 };
            if let Some(found) = usize::try_from(position).ok().filter(|found| *found < elements.len()) {
                elements.remove(found);
            }
            Json::Array(elements).result()
        }
        Json::Object(_) => Err(PgError::invalid_parameter("cannot delete from object using integer index")),
        _ => Err(PgError::invalid_parameter("cannot delete from scalar")),
    })
}

fn concatenate(call: &Call) -> Result<ArrayRef> {
    call.map2(|left: &str, right: &str| match (Json::parse(left)?, Json::parse(right)?) {
        (Json::Object(mut left), Json::Object(right)) => {
            left.extend(right);
            normalize_object(left).result()
        }
        (left, right) => {
            let mut elements = elements_of(left);
            elements.extend(elements_of(right));
            Json::Array(elements).result()
        }
    })
}

/// Everything but an array counts as an array of one element.
fn elements_of(json: Json<'_>) -> Vec<Json<'_>> {
    match json {
        Json::Array(elements) => elements,
        other => vec![other],
    }
}
