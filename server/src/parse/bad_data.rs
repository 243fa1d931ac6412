//! The table properties that say what becomes of data that cannot be read: ours, `on_bad_data`, and Redshift's, which are
//! about values of one kind each.

use catalog::{BadDataRules, FileFormat, OnBadData, ValueRule};

use super::external_format::{invalid, wrong_value};
use crate::error::{Error, Result};

/// Redshift's, and what they can say beside `disabled`, `fail`, `set_to_null` and `drop_row`.
const VALUE_RULES: [(&str, &str); 3] =
    [("numeric_overflow_handling", ""), ("surplus_char_handling", "truncate"), ("invalid_char_handling", "replace")];

/// Whether a property is one of these, and not about the format.
pub(super) fn is_about_bad_data(property: &str) -> bool {
    matches!(property, "on_bad_data" | "replacement_char")
        || is_switch(property)
        || VALUE_RULES.iter().any(|(name, _)| *name == property)
}

/// The switch for all of Redshift's properties about data, in both of its spellings.
fn is_switch(property: &str) -> bool {
    matches!(property, "data_cleansing_enabled" | "data_cleansing_handling_enabled")
}

/// Whether Redshift's properties about data hold: they do unless one says otherwise.
///
/// # Errors
/// It says neither.
pub(super) fn cleanses_data(properties: &[(String, String)]) -> Result<bool> {
    for (name, value) in properties {
        if is_switch(&name.to_ascii_lowercase()) {
            return match value.to_ascii_lowercase().as_str() {
                "true" => Ok(true),
                "false" => Ok(false),
                _ => Err(wrong_value(name, value)),
            };
        }
    }
    Ok(true)
}

/// What the properties say.
///
/// # Errors
/// One has a value that it cannot have, or that is not supported for the format.
pub(super) fn bad_data_rules(properties: &[(String, String)], format: &FileFormat) -> Result<BadDataRules> {
    let mut rules = BadDataRules::default();
    let replacement = replacement(properties)?;
    for (name, value) in properties {
        let lower = name.to_ascii_lowercase();
        if lower == "on_bad_data" {
            rules.on_bad_data = OnBadData::named(value).ok_or_else(|| wrong_value(name, value))?;
        }
        let Some((_, own)) = VALUE_RULES.iter().find(|(known, _)| *known == lower) else { continue };
        let rule = match value.to_ascii_lowercase().as_str() {
            "disabled" => ValueRule::Disabled,
            "fail" => ValueRule::Fail,
            "set_to_null" => ValueRule::SetToNull,
            "drop_row" => ValueRule::DropRow,
            "truncate" if *own == "truncate" => ValueRule::Truncate,
            "replace" if *own == "replace" => {
                let character = replacement.ok_or_else(|| invalid("replace needs the property replacement_char"))?;
                ValueRule::Replace(character)
            }
            _ => return Err(wrong_value(name, value)),
        };
        match lower.as_str() {
            "numeric_overflow_handling" => rules.numeric_overflow = rule,
            "surplus_char_handling" => rules.surplus_char = rule,
            _ => rules.invalid_char = rule,
        }
    }
    if !cleanses_data(properties)? {
        rules = BadDataRules { on_bad_data: rules.on_bad_data, ..BadDataRules::default() };
    }
    match (format, &rules.invalid_char) {
        (FileFormat::Avro | FileFormat::Arrow, _) if rules != BadDataRules::default() => {
            Err(Error::not_supported(format!("properties about bad data of {} files", format.name())))
        }
        (FileFormat::Json, ValueRule::SetToNull) => {
            Err(Error::not_supported("invalid_char_handling set_to_null of files of JSON"))
        }
        (FileFormat::Parquet, ValueRule::Replace(_)) => {
            Err(Error::not_supported("invalid_char_handling replace of files of Parquet"))
        }
        _ => Ok(rules),
    }
}

fn replacement(properties: &[(String, String)]) -> Result<Option<char>> {
    let property = properties.iter().find(|(name, _)| name.eq_ignore_ascii_case("replacement_char"));
    let Some((name, value)) = property else { return Ok(None) };
    let mut characters = value.chars();
    match (characters.next(), characters.next()) {
        (Some(character), None) => Ok(Some(character)),
        _ => Err(wrong_value(name, value)),
    }
}
