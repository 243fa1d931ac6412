//! Access control lists: those that objects begin with, and what lists say. An item of a list is carried as its text,
//! `grantee=privileges/grantor`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, StringViewArray, UInt32Array};
use datafusion_common::ScalarValue;

use super::privilege::Privilege;
use crate::error::{PgError, Result};
use crate::expression_type::Type;
use crate::function::{Call, Function, Oid, SetCall, SetFunction, SetRows, function};
use crate::names;
use crate::sqlstate::SqlState;
use crate::types::*;

/// The letters of privileges, in the order of [`Privilege::ALL`].
const LETTERS: &str = "arwdDxtXUCTcsA";
/// What follows a privilege that may be granted to others.
const GRANTABLE: char = '*';
/// The number that stands for everybody.
const EVERYBODY: u32 = 0;

/// The functions.
pub static FUNCTIONS: &[Function] = &[function("acldefault", &[CHAR, OID], ACLITEM_ARRAY, acldefault).stable()];

/// Those that return sets.
pub static SETS: &[SetFunction] = &[SetFunction {
    name: "aclexplode",
    arguments: &[ACLITEM_ARRAY],
    variadic: false,
    columns: |_| Ok(COLUMNS.iter().map(|(name, ty)| ((*name).to_owned(), Type::of(*ty))).collect()),
    rows: aclexplode,
}];

/// What `aclexplode` answers.
const COLUMNS: &[(&str, u32)] = &[("grantor", OID), ("grantee", OID), ("privilege_type", TEXT), ("is_grantable", BOOL)];

/// What everybody may do to a new object, and what its owner may.
fn defaults(kind: &str) -> Result<(&'static str, &'static str)> {
    Ok(match kind {
        "c" => ("", ""),
        "r" => ("", "arwdDxt"),
        "s" => ("", "rwU"),
        "d" => ("Tc", "CTc"),
        "f" => ("X", "X"),
        "l" | "T" => ("U", "U"),
        "L" => ("", "rw"),
        "n" => ("", "UC"),
        "t" => ("", "C"),
        "F" | "S" => ("", "U"),
        "p" => ("", "sA"),
        _ => return Err(PgError::internal(format!("unrecognized objtype abbreviation: {kind}"))),
    })
}

fn acldefault(call: &Call) -> Result<ArrayRef> {
    call.map2(|kind: &str, owner: Oid| {
        let (everybody, owners) = defaults(kind)?;
        let name = role_name(owner.0);
        let item = |grantee: &str, letters: &str| format!("{grantee}={letters}/{name}");
        let owner_name = if owner.0 == EVERYBODY { "" } else { &name };
        let items = [("", everybody), (owner_name, owners)].into_iter().filter(|(_, letters)| !letters.is_empty());
        Ok::<_, PgError>(items.map(|(grantee, letters)| Some(item(grantee, letters))).collect::<Vec<_>>())
    })
}

/// How a role is called in a list: its number if it has no name.
fn role_name(oid: u32) -> String {
    let names = names::current();
    let role = names.as_ref().and_then(|names| names.snapshot().role_by_oid(catalog::Oid(oid)));
    let Some(role) = role else { return oid.to_string() };
    match role.name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric()) {
        true => role.name.clone(),
        false => format!("\"{}\"", role.name.replace('"', "\"\"")),
    }
}

/// A privilege of an item.
#[derive(Debug, PartialEq, Eq)]
struct Granted {
    privilege: Privilege,
    grantable: bool,
}

/// An item of a list.
#[derive(Debug, PartialEq, Eq)]
struct Item {
    grantor: u32,
    grantee: u32,
    granted: Vec<Granted>,
}

impl Item {
    /// Reads what [`acldefault`] writes.
    fn read(text: &str) -> Result<Item> {
        let bad = |message: &str| PgError::new(SqlState::INVALID_TEXT_REPRESENTATION, message);
        let (grantee, rest) = role(text)?;
        let rest = rest.strip_prefix('=').ok_or_else(|| bad("missing \"=\" sign"))?;
        let (letters, grantor) = rest.split_once('/').ok_or_else(|| bad("a name must follow the \"/\" sign"))?;
        let (grantor, rest) = role(grantor)?;
        if !rest.is_empty() {
            return Err(bad("extra garbage at the end of the ACL specification"));
        }
        let mut granted: Vec<Granted> = Vec::new();
        for letter in letters.chars() {
            match (letter, granted.last_mut()) {
                (GRANTABLE, Some(last)) => last.grantable = true,
                _ => {
                    let place = LETTERS.find(letter);
                    let message = format!("invalid mode character: must be one of \"{LETTERS}\"");
                    let privilege = place.and_then(|place| Privilege::ALL.get(place)).ok_or_else(|| bad(&message))?;
                    granted.push(Granted { privilege: *privilege, grantable: false });
                }
            }
        }
        // As bits of a word they have an order of their own.
        granted.sort_by_key(|granted| granted.privilege as u8);
        Ok(Item { grantor, grantee, granted })
    }
}

/// The number of the role at the beginning of a text, and what follows its name.
fn role(text: &str) -> Result<(u32, &str)> {
    let mut name = String::new();
    let mut quoted = false;
    let mut characters = text.char_indices().peekable();
    let mut end = text.len();
    while let Some((place, c)) = characters.next() {
        match c {
            '"' if quoted && characters.next_if(|(_, next)| *next == '"').is_some() => name.push('"'),
            '"' => quoted = !quoted,
            _ if quoted || c == '_' || c.is_alphanumeric() => name.push(c),
            _ => {
                end = place;
                break;
            }
        }
    }
    let rest = &text[end..];
    if name.is_empty() {
        return Ok((EVERYBODY, rest));
    }
    let known = names::current().and_then(|names| names.role_number(&name));
    let missing = || PgError::new(SqlState::UNDEFINED_OBJECT, format!("role \"{name}\" does not exist"));
    let number = known.or_else(|| name.parse().ok()).ok_or_else(missing)?;
    Ok((number, rest))
}

/// A row for each privilege of each item.
fn aclexplode(call: SetCall) -> Result<SetRows> {
    let _names = call.session.enter();
    let list = call.arguments.first().map(ScalarValue::to_array).transpose()?;
    let list = list.as_ref().and_then(|list| list.as_list_opt::<i32>()).filter(|list| list.is_valid(0));
    let Some(list) = list.map(|list| list.value(0)) else { return Ok(Box::new(std::iter::empty())) };
    let Some(items) = list.as_string_view_opt() else {
        return Err(PgError::new(SqlState::INVALID_PARAMETER_VALUE, "ACL arrays must be one-dimensional"));
    };
    let mut rows = Vec::new();
    for item in items {
        let without_null = "ACL arrays must not contain null values";
        let item = Item::read(item.ok_or_else(|| PgError::new(SqlState::NULL_VALUE_NOT_ALLOWED, without_null))?)?;
        rows.extend(item.granted.into_iter().map(|granted| (item.grantor, item.grantee, granted)));
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(UInt32Array::from_iter_values(rows.iter().map(|(grantor, _, _)| *grantor))),
        Arc::new(UInt32Array::from_iter_values(rows.iter().map(|(_, grantee, _)| *grantee))),
        Arc::new(StringViewArray::from_iter_values(rows.iter().map(|(_, _, granted)| granted.privilege.word()))),
        Arc::new(rows.iter().map(|(_, _, granted)| Some(granted.grantable)).collect::<BooleanArray>()),
    ];
    Ok(Box::new(std::iter::once(Ok(columns))))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use Privilege::*;

    #[test]
    fn an_item_says_who_may_do_what() {
        let granted = |privilege, grantable| Granted { privilege, grantable };
        for (text, expected) in [
            ("=r/10", Some((0, 10, vec![granted(Select, false)]))),
            ("20=wa*/\"10\"", Some((20, 10, vec![granted(Insert, true), granted(Update, false)]))),
            ("20=/10", Some((20, 10, vec![]))),
            ("20=q/10", None),
            ("20=r", None),
            ("20", None),
            ("20=r/10 x", None),
            ("nobody=r/10", None),
            ("20=*r/10", None),
        ] {
            let found = Item::read(text).ok().map(|item| (item.grantee, item.grantor, item.granted));
            assert_eq!(found, expected, "{text}");
        }
    }
}
