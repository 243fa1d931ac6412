//! What is computed from items: methods, arithmetic and signs.

use super::datetime;
use super::decimal;
use super::evaluate::{Evaluation, Found, Sink, has};
use super::item::{Failure, Item, quiet};
use super::layout;
use super::tree::*;
use crate::error::PgError;
use crate::library::json::number;
use crate::library::json::value::Json;
use crate::sqlstate::SqlState;

impl<'a> Evaluation<'a> {
    pub(super) fn method(&mut self, method: Method, rest: &'a [Step], item: Item<'a>, sink: Sink<'_, 'a>) -> Found {
        let result = match method {
            Method::Type => {
                let name = match &item {
                    Item::Datetime(datetime) => datetime.type_name(),
                    other => other.json().map_or("null", Json::kind),
                };
                Json::String(name.into())
            }
            Method::Size => match item.elements() {
                Some(elements) => Json::Number(elements.len().to_string().into()),
                None if !self.strict => Json::Number("1".into()),
                None => {
                    let message = "jsonpath item method .size() can only be applied to an array";
                    return self.structural(SqlState::SQL_JSON_ARRAY_NOT_FOUND, message);
                }
            },
            Method::Double => double(&item)?,
            Method::KeyValue => return self.key_value(rest, &item, sink),
            Method::Abs | Method::Floor | Method::Ceiling => {
                let Some(digits) = item.number() else {
                    let message =
                        format!("jsonpath item method .{}() can only be applied to a numeric value", method.name());
                    return Err(quiet(SqlState::NON_NUMERIC_SQL_JSON_ITEM, message));
                };
                let result = match method {
                    Method::Floor => decimal::floor(digits),
                    Method::Ceiling => decimal::ceiling(digits),
                    _ => Ok(digits.strip_prefix('-').unwrap_or(digits).to_owned()),
                };
                Json::Number(result.map_err(Failure::Quiet)?.into())
            }
        };
        self.next(rest, Item::Value(result), sink)
    }

    /// For each member an object with the key, the value, and a number that tells the object.
    pub(super) fn key_value(&mut self, rest: &'a [Step], item: &Item<'a>, sink: Sink<'_, 'a>) -> Found {
        let Some(Json::Object(pairs)) = item.json() else {
            let message = "jsonpath item method .keyvalue() can only be applied to an object";
            return Err(quiet(SqlState::SQL_JSON_OBJECT_NOT_FOUND, message));
        };
        let id = self.object_id(item);
        let described = pairs.iter().map(|(key, value)| {
            Item::Value(Json::Object(vec![
                ("id".into(), Json::Number(id.to_string().into())),
                ("key".into(), Json::String(key.clone())),
                ("value".into(), value.clone()),
            ]))
        });
        self.each(described.collect(), sink, |it, pair, sink| it.next(rest, pair, sink))
    }

    /// The number of an object: where PostgreSQL has it, in the document or in the variables.
    fn object_id(&self, item: &Item<'a>) -> i64 {
        let Item::Part(part) = item else { return layout::ID_OF_GENERATED };
        layout::offset_of(self.root, part)
            .or_else(|| layout::offset_of(self.variables, part).map(|offset| layout::ID_OF_VARIABLES + offset))
            .unwrap_or(layout::ID_OF_GENERATED)
    }

    pub(super) fn datetime(
        &mut self,
        template: Option<&str>,
        rest: &'a [Step],
        item: Item<'a>,
        sink: Sink<'_, 'a>,
    ) -> Found {
        let Some(Json::String(text)) = item.json() else {
            let message = "jsonpath item method .datetime() can only be applied to a string";
            return Err(quiet(SqlState::INVALID_ARGUMENT_FOR_SQL_JSON_DATETIME_FUNCTION, message));
        };
        if template.is_some() {
            return Err(Failure::Loud(PgError::not_supported("jsonpath item method .datetime() with a template")));
        }
        let datetime = datetime::parse(text).map_err(Failure::Quiet)?;
        self.next(rest, Item::Datetime(datetime), sink)
    }

    pub(super) fn arithmetic(
        &mut self,
        operator: Arithmetic,
        left: &'a Node,
        right: &'a Node,
        input: Item<'a>,
    ) -> Result<Item<'a>, Failure> {
        let left = self.operand(left, input.clone())?;
        let right = self.operand(right, input)?;
        let single = |side: &str, items: &[Item<'a>]| match items {
            [item] if item.number().is_some() => Ok(item.number().unwrap_or_default().to_owned()),
            _ => {
                let symbol = operator.symbol();
                let message = format!("{side} operand of jsonpath operator {symbol} is not a single numeric value");
                Err(quiet(SqlState::SINGLETON_SQL_JSON_ITEM_REQUIRED, message))
            }
        };
        let (left, right) = (single("left", &left)?, single("right", &right)?);
        let result = decimal::compute(operator, &left, &right).map_err(Failure::Quiet)?;
        Ok(Item::Value(Json::Number(result.into())))
    }

    pub(super) fn sign(
        &mut self,
        sign: Sign,
        operand: &'a Node,
        input: Item<'a>,
        rest: &'a [Step],
        sink: Sink<'_, 'a>,
    ) -> Found {
        let items = self.operand(operand, input)?;
        let last = rest.is_empty();
        self.each(items, sink, |it, item, sink| {
            let Some(digits) = item.number() else {
                if last && !has(&sink) {
                    return Ok(false);
                }
                let message = format!("operand of unary jsonpath operator {} is not a numeric value", sign.symbol());
                return Err(quiet(SqlState::SQL_JSON_NUMBER_NOT_FOUND, message));
            };
            let signed = match (sign, digits.strip_prefix('-')) {
                (Sign::Plus, _) => digits.to_owned(),
                (Sign::Minus, Some(positive)) => positive.to_owned(),
                (Sign::Minus, None) => number::normalize(&format!("-{digits}")).map_err(Failure::Quiet)?.into_owned(),
            };
            it.next(rest, Item::Value(Json::Number(signed.into())), sink)
        })
    }
}

/// A number stays as it is if it is within the range of a double; a string becomes the number that a double prints.
fn double<'a>(item: &Item<'a>) -> Result<Json<'a>, Failure> {
    let error = |message: &str| quiet(SqlState::NON_NUMERIC_SQL_JSON_ITEM, message);
    match item.json() {
        Some(Json::Number(digits)) => match crate::input::scalars::double(digits) {
            Ok(_) => Ok(Json::Number(digits.clone())),
            Err(_) => Err(error(
                "numeric argument of jsonpath item method .double() is out of range for type double precision",
            )),
        },
        Some(Json::String(text)) => {
            let value = crate::input::scalars::double(text).ok().filter(|value| value.is_finite());
            let value = value.ok_or_else(|| {
                error("string argument of jsonpath item method .double() is not a valid representation of a double precision number")
            })?;
            let mut out = bytes::BytesMut::new();
            crate::output::write_f64(value, &mut out);
            let digits = String::from_utf8_lossy(&out);
            Ok(Json::Number(number::normalize(&digits).map_err(Failure::Quiet)?.into_owned().into()))
        }
        _ => Err(error("jsonpath item method .double() can only be applied to a string or numeric value")),
    }
}
