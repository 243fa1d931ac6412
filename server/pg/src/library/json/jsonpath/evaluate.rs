//! Evaluates a `jsonpath`, by the rules of PostgreSQL's `jsonpath_exec.c`.
//!
//! In lax mode an array is unwrapped where a member is asked for, everything else counts as an array of one element, and
//! what is not there is simply not found. Most errors count as "unknown" inside a condition; [`Failure`] tells which.

use std::borrow::Cow;

use super::condition::Truth;
use super::decimal;
use super::item::{Failure, Item, quiet};
use super::tree::*;
use crate::datetime::zone::Zone;
use crate::error::PgError;
use crate::library::json::value::Json;
use crate::sqlstate::SqlState;

/// Whether something was found.
pub(super) type Found = Result<bool, Failure>;
/// Where what was found is collected; without it the first find is enough.
pub(super) type Sink<'s, 'a> = Option<&'s mut Vec<Item<'a>>>;

/// Evaluates one path for one document.
pub struct Evaluation<'a> {
    pub(super) root: &'a Json<'a>,
    pub(super) variables: &'a Json<'a>,
    pub(super) strict: bool,
    /// Whether what is not there is an error.
    pub(super) structural_errors: bool,
    /// What `@` is.
    pub(super) current: Item<'a>,
    /// The length of the array that is subscripted: one more than `last`.
    pub(super) array_length: i64,
    /// The session's time zone, where times with a zone may be compared with times without.
    pub(super) zone: Option<Zone>,
}

/// Whether a sink is there, without giving it away.
pub(super) fn has(sink: &Sink<'_, '_>) -> bool {
    sink.is_some()
}

impl<'a> Evaluation<'a> {
    /// For a document and the values of the variables.
    pub fn new(strict: bool, root: &'a Json<'a>, variables: &'a Json<'a>, zone: Option<Zone>) -> Result<Self, PgError> {
        if !matches!(variables, Json::Object(_)) {
            return Err(PgError::invalid_parameter("\"vars\" argument is not an object")
                .with_detail("Jsonpath parameters should be encoded as key-value pairs of \"vars\" object."));
        }
        let current = Item::Part(root);
        Ok(Evaluation { root, variables, strict, structural_errors: strict, current, array_length: 0, zone })
    }

    /// Collects what the path leads to. What was found before an error stays.
    pub fn query(&mut self, node: &'a Node, found: &mut Vec<Item<'a>>) -> Result<(), Failure> {
        let root = Item::Part(self.root);
        self.node(node, root, Some(found)).map(drop)
    }

    /// Whether the path leads anywhere.
    pub fn exists(&mut self, node: &'a Node) -> Found {
        if self.strict {
            // All must be looked at, for there may be an error behind the first find.
            let mut found = Vec::new();
            self.query(node, &mut found)?;
            return Ok(!found.is_empty());
        }
        let root = Item::Part(self.root);
        self.node(node, root, None)
    }

    pub(super) fn node(&mut self, node: &'a Node, input: Item<'a>, sink: Sink<'_, 'a>) -> Found {
        let last = node.steps.is_empty();
        let start = match &node.start {
            Start::Root => Item::Part(self.root),
            Start::Current => self.current.clone(),
            Start::Last => Item::Value(Json::Number((self.array_length - 1).to_string().into())),
            Start::Variable(name) => self.variable(name)?,
            Start::Null => Item::Value(Json::Null),
            Start::Bool(value) => Item::Value(Json::Bool(*value)),
            Start::Number(digits) => Item::Value(Json::Number(Cow::Borrowed(digits))),
            Start::String(text) => Item::Value(Json::String(Cow::Borrowed(text))),
            Start::Sign(sign, operand) => return self.sign(*sign, operand, input, &node.steps, sink),
            Start::Arithmetic(operator, left, right) => self.arithmetic(*operator, left, right, input)?,
            Start::Predicate(_) if last && !has(&sink) => return Ok(true),
            Start::Predicate(predicate) => Item::Value(match self.predicate(predicate, input)? {
                Truth::True => Json::Bool(true),
                Truth::False => Json::Bool(false),
                Truth::Unknown => Json::Null,
            }),
        };
        self.next(&node.steps, start, sink)
    }

    fn variable(&self, name: &str) -> Result<Item<'a>, Failure> {
        self.variables.member(name).map(Item::Part).ok_or_else(|| {
            let message = format!("could not find jsonpath variable \"{name}\"");
            Failure::Loud(PgError::new(SqlState::UNDEFINED_OBJECT, message))
        })
    }

    /// Goes on with the steps that are left, if there are any.
    pub(super) fn next(&mut self, steps: &'a [Step], item: Item<'a>, sink: Sink<'_, 'a>) -> Found {
        if steps.is_empty() {
            if let Some(sink) = sink {
                sink.push(item);
            }
            return Ok(true);
        }
        self.steps(steps, item, sink, !self.strict)
    }

    /// The first of the steps from an item. An array may be unwrapped before it, in lax mode.
    fn steps(&mut self, steps: &'a [Step], item: Item<'a>, sink: Sink<'_, 'a>, unwrap: bool) -> Found {
        let Some((step, rest)) = steps.split_first() else { return self.next(steps, item, sink) };
        let unwraps = match step {
            Step::Member(_) | Step::AnyMember => !item.is_object(),
            Step::Filter(_) | Step::Datetime(_) => true,
            Step::Method(method) => !matches!(method, Method::Type | Method::Size),
            Step::AnyElement | Step::Elements(_) | Step::Descend { .. } => false,
        };
        if unwrap
            && unwraps
            && let Some(elements) = item.elements()
        {
            return self.each(elements, sink, |it, element, sink| it.steps(steps, element, sink, false));
        }
        match step {
            Step::Member(key) => self.member(key, rest, item, sink),
            Step::AnyMember => {
                if !item.is_object() {
                    let message = "jsonpath wildcard member accessor can only be applied to an object";
                    return self.structural(SqlState::SQL_JSON_OBJECT_NOT_FOUND, message);
                }
                self.each(item.children(), sink, |it, child, sink| it.next(rest, child, sink))
            }
            Step::AnyElement => match item.elements() {
                Some(elements) => self.each(elements, sink, |it, element, sink| it.next(rest, element, sink)),
                None if !self.strict => self.next(rest, item, sink),
                None => {
                    let message = "jsonpath wildcard array accessor can only be applied to an array";
                    self.structural(SqlState::SQL_JSON_ARRAY_NOT_FOUND, message)
                }
            },
            Step::Elements(ranges) => self.elements(ranges, rest, item, sink),
            Step::Descend { first, last } => self.descend((*first, *last), rest, item, sink),
            Step::Method(method) => self.method(*method, rest, item, sink),
            Step::Datetime(template) => self.datetime(template.as_deref(), rest, item, sink),
            Step::Filter(condition) => match self.condition(condition, item.clone())? {
                Truth::True => self.next(rest, item, sink),
                _ => Ok(false),
            },
        }
    }

    /// The same for each of the items, until enough is found.
    pub(super) fn each(
        &mut self,
        items: Vec<Item<'a>>,
        mut sink: Sink<'_, 'a>,
        mut f: impl FnMut(&mut Self, Item<'a>, Sink<'_, 'a>) -> Found,
    ) -> Found {
        let mut any = false;
        for item in items {
            any |= f(self, item, sink.as_deref_mut())?;
            if any && !has(&sink) {
                break;
            }
        }
        Ok(any)
    }

    /// Nothing is found where the structure is not as the path says; in strict mode that is an error.
    pub(super) fn structural(&self, state: SqlState, message: impl Into<String>) -> Found {
        if self.structural_errors { Err(quiet(state, message)) } else { Ok(false) }
    }

    fn member(&mut self, key: &str, rest: &'a [Step], item: Item<'a>, sink: Sink<'_, 'a>) -> Found {
        if !item.is_object() {
            let message = "jsonpath member accessor can only be applied to an object";
            return self.structural(SqlState::SQL_JSON_MEMBER_NOT_FOUND, message);
        }
        match item.member(key) {
            Some(value) => self.next(rest, value, sink),
            None => {
                let message = format!("JSON object does not contain key \"{key}\"");
                self.structural(SqlState::SQL_JSON_MEMBER_NOT_FOUND, message)
            }
        }
    }

    fn elements(
        &mut self,
        ranges: &'a [(Node, Option<Node>)],
        rest: &'a [Step],
        item: Item<'a>,
        mut sink: Sink<'_, 'a>,
    ) -> Found {
        let elements = match item.elements() {
            Some(elements) => elements,
            None if !self.strict => vec![item.clone()],
            None => {
                let message = "jsonpath array accessor can only be applied to an array";
                return self.structural(SqlState::SQL_JSON_ARRAY_NOT_FOUND, message);
            }
        };
        let size = elements.len() as i64;
        let outer = std::mem::replace(&mut self.array_length, size);
        let mut any = false;
        for (from, to) in ranges {
            let from = self.position(from, &item)?;
            let to = match to {
                Some(to) => self.position(to, &item)?,
                None => from,
            };
            if self.structural_errors && (from < 0 || from > to || to >= size) {
                return Err(quiet(SqlState::INVALID_SQL_JSON_SUBSCRIPT, "jsonpath array subscript is out of bounds"));
            }
            for position in from.max(0)..=to.min(size - 1) {
                let element = usize::try_from(position).ok().and_then(|position| elements.get(position));
                let Some(element) = element else { continue };
                any |= self.next(rest, element.clone(), sink.as_deref_mut())?;
                if any && !has(&sink) {
                    self.array_length = outer;
                    return Ok(true);
                }
            }
        }
        self.array_length = outer;
        Ok(any)
    }

    /// The value of a subscript, without its fraction.
    fn position(&mut self, subscript: &'a Node, item: &Item<'a>) -> Result<i64, Failure> {
        let mut found = Vec::new();
        self.node(subscript, item.clone(), Some(&mut found))?;
        let digits = match found.as_slice() {
            [single] => single.number(),
            _ => None,
        };
        let Some(digits) = digits else {
            let message = "jsonpath array subscript is not a single numeric value";
            return Err(quiet(SqlState::INVALID_SQL_JSON_SUBSCRIPT, message));
        };
        let whole = decimal::read(digits).and_then(decimal::truncated).ok().and_then(|whole| whole.unscaled.to_i128());
        whole.and_then(|whole| i32::try_from(whole).ok()).map(i64::from).ok_or_else(|| {
            quiet(SqlState::INVALID_SQL_JSON_SUBSCRIPT, "jsonpath array subscript is out of integer range")
        })
    }

    fn descend(&mut self, levels: (u32, u32), rest: &'a [Step], item: Item<'a>, mut sink: Sink<'_, 'a>) -> Found {
        let mut any = false;
        let outer = std::mem::replace(&mut self.structural_errors, false);
        if levels.0 == 0 {
            any = self.next(rest, item.clone(), sink.as_deref_mut())?;
        }
        if !any || has(&sink) {
            any |= self.below(1, levels, rest, &item, sink)?;
        }
        self.structural_errors = outer;
        Ok(any)
    }

    /// What is this deep below an item, and deeper.
    fn below(
        &mut self,
        level: u32,
        levels: (u32, u32),
        rest: &'a [Step],
        item: &Item<'a>,
        mut sink: Sink<'_, 'a>,
    ) -> Found {
        let (first, last) = levels;
        let mut any = false;
        for child in item.children() {
            let leaf = first == LAST_LEVEL && last == LAST_LEVEL && !child.is_container();
            if level >= first || leaf {
                any |= self.next(rest, child.clone(), sink.as_deref_mut())?;
            }
            if (!any || has(&sink)) && level < last && child.is_container() {
                any |= self.below(level + 1, levels, rest, &child, sink.as_deref_mut())?;
            }
            if any && !has(&sink) {
                break;
            }
        }
        Ok(any)
    }

    /// The items of an operand; in lax mode arrays are replaced by their elements.
    pub(super) fn operand(&mut self, operand: &'a Node, input: Item<'a>) -> Result<Vec<Item<'a>>, Failure> {
        let mut found = Vec::new();
        self.node(operand, input, Some(&mut found))?;
        if self.strict || !found.iter().any(|item| item.elements().is_some()) {
            return Ok(found);
        }
        Ok(found
            .into_iter()
            .flat_map(|item| match item.elements() {
                Some(elements) => elements,
                None => vec![item],
            })
            .collect())
    }
}
