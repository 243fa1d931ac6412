//! What a path leads to, and why it may lead nowhere.

use std::borrow::Cow;

use super::datetime::Datetime;
use crate::error::PgError;
use crate::library::json::value::Json;
use crate::sqlstate::SqlState;

/// An item that a path leads to.
#[derive(Debug, Clone)]
pub enum Item<'a> {
    /// A part of the document or of the variables.
    Part(&'a Json<'a>),
    /// A value that was computed.
    Value(Json<'a>),
    /// A date or time.
    Datetime(Datetime),
}

impl<'a> Item<'a> {
    /// The item as a value.
    pub fn into_json(self) -> Json<'a> {
        match self {
            Item::Part(part) => part.clone(),
            Item::Value(value) => value,
            Item::Datetime(datetime) => Json::String(Cow::Owned(datetime.text())),
        }
    }

    /// The value, unless it is a date or time.
    pub fn json(&self) -> Option<&Json<'a>> {
        match self {
            Item::Part(part) => Some(part),
            Item::Value(value) => Some(value),
            Item::Datetime(_) => None,
        }
    }

    /// The digits, if it is a number.
    pub fn number(&self) -> Option<&str> {
        match self.json()? {
            Json::Number(digits) => Some(digits),
            _ => None,
        }
    }

    /// The elements, if it is an array.
    pub fn elements(&self) -> Option<Vec<Item<'a>>> {
        match self {
            Item::Part(Json::Array(elements)) => Some(elements.iter().map(Item::Part).collect()),
            Item::Value(Json::Array(elements)) => Some(elements.iter().cloned().map(Item::Value).collect()),
            _ => None,
        }
    }

    /// The values of an object, or the elements of an array.
    pub fn children(&self) -> Vec<Item<'a>> {
        match self {
            Item::Part(Json::Object(pairs)) => pairs.iter().map(|pair| Item::Part(&pair.1)).collect(),
            Item::Value(Json::Object(pairs)) => pairs.iter().map(|pair| Item::Value(pair.1.clone())).collect(),
            other => other.elements().unwrap_or_default(),
        }
    }

    /// Whether it is an object.
    pub fn is_object(&self) -> bool {
        matches!(self.json(), Some(Json::Object(_)))
    }

    /// Whether it is an array or an object.
    pub fn is_container(&self) -> bool {
        self.json().is_some_and(|json| !json.is_scalar())
    }

    /// The value of a key, if it is an object that has it.
    pub fn member(&self, key: &str) -> Option<Item<'a>> {
        match self {
            Item::Part(part) => part.member(key).map(Item::Part),
            Item::Value(value) => value.member(key).cloned().map(Item::Value),
            Item::Datetime(_) => None,
        }
    }
}

/// Why there is no result.
#[derive(Debug)]
pub enum Failure {
    /// A condition takes it for "unknown", and a silent call for no result.
    Quiet(PgError),
    /// Always an error.
    Loud(PgError),
}

impl From<Failure> for PgError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Quiet(error) | Failure::Loud(error) => error,
        }
    }
}

/// An error that a condition takes for "unknown".
pub fn quiet(state: SqlState, message: impl Into<String>) -> Failure {
    Failure::Quiet(PgError::new(state, message))
}
