//! The settings: what they are, and how they are set.

use arrow::array::ArrayRef;

use crate::error::{PgError, Result};
use crate::expression_type::Type;
use crate::function::{
    Call, Function, ResultBuilder, ResultValue, SetCall, SetColumns, SetFunction, SetRows, function,
};
use crate::session::SettingRow;
use crate::sqlstate::SqlState;
use crate::types::*;

/// The functions.
pub static FUNCTIONS: &[Function] = &[
    function("current_setting", &[TEXT], TEXT, current_setting).stable(),
    function("current_setting", &[TEXT, BOOL], TEXT, current_setting_or_null).stable(),
    function("set_config", &[TEXT, TEXT, BOOL], TEXT, set_config).volatile(),
];

/// The functions that return sets.
pub static SETS: &[SetFunction] = &[SetFunction {
    name: "pg_show_all_settings",
    arguments: &[],
    variadic: false,
    columns: |_| Ok(all_columns()),
    rows: all_rows,
}];

fn current_setting(call: &Call) -> Result<ArrayRef> {
    call.map1(|name: &str| setting(call, name)?.ok_or_else(|| unrecognized(name)))
}

fn current_setting_or_null(call: &Call) -> Result<ArrayRef> {
    call.map2(|name: &str, missing_ok: bool| match setting(call, name)? {
        None if !missing_ok => Err(unrecognized(name)),
        found => Ok(found),
    })
}

fn setting(call: &Call, name: &str) -> Result<Option<String>> {
    call.session().settings.as_ref().map_or(Ok(None), |settings| settings.value(name))
}

/// No value is the default; no word on how long is for the session.
fn set_config(call: &Call) -> Result<ArrayRef> {
    let (names, values, locals) = (call.column::<&str>(0)?, call.column::<&str>(1)?, call.column::<bool>(2)?);
    let mut rows = 0..call.rows();
    call.map0(|| {
        let row = rows.next().unwrap_or_default();
        let Some(name) = names.get(row) else {
            return Err(PgError::new(SqlState::NULL_VALUE_NOT_ALLOWED, "SET requires parameter name"));
        };
        let Some(settings) = &call.session().settings else { return Err(unrecognized(name)) };
        settings.set(name, values.get(row), locals.get(row).unwrap_or(false))
    })
}

fn unrecognized(name: &str) -> PgError {
    PgError::new(SqlState::UNDEFINED_OBJECT, format!("unrecognized configuration parameter \"{name}\""))
}

/// The columns of `pg_settings`.
fn all_columns() -> SetColumns {
    [
        ("name", TEXT),
        ("setting", TEXT),
        ("unit", TEXT),
        ("category", TEXT),
        ("short_desc", TEXT),
        ("extra_desc", TEXT),
        ("context", TEXT),
        ("vartype", TEXT),
        ("source", TEXT),
        ("min_val", TEXT),
        ("max_val", TEXT),
        ("enumvals", TEXT_ARRAY),
        ("boot_val", TEXT),
        ("reset_val", TEXT),
        ("sourcefile", TEXT),
        ("sourceline", INT4),
        ("pending_restart", BOOL),
    ]
    .map(|(name, oid)| (name.to_owned(), Type::of(oid)))
    .to_vec()
}

fn all_rows(call: SetCall) -> Result<SetRows> {
    let rows = call.session.settings.as_ref().map(|settings| settings.all()).unwrap_or_default();
    let text =
        |value: fn(&SettingRow) -> Option<&str>| column(TEXT, rows.iter().map(|row| value(row).map(str::to_owned)));
    let values = |row: &SettingRow| {
        let values = row.values.iter().map(|value| Some((*value).to_owned())).collect::<Vec<_>>();
        (!values.is_empty()).then_some(values)
    };
    let columns = vec![
        text(|row| Some(row.name))?,
        text(|row| Some(&row.setting))?,
        text(|row| row.unit)?,
        text(|row| Some(row.category))?,
        text(|row| Some(row.description))?,
        text(|_| None)?,
        text(|row| Some(row.context))?,
        text(|row| Some(row.vartype))?,
        text(|row| Some(row.source))?,
        text(|row| row.range.as_ref().map(|(min, _)| min.as_str()))?,
        text(|row| row.range.as_ref().map(|(_, max)| max.as_str()))?,
        column(TEXT_ARRAY, rows.iter().map(values))?,
        text(|row| Some(row.default))?,
        text(|row| Some(&row.reset))?,
        text(|_| None)?,
        column(INT4, rows.iter().map(|_| None::<i32>))?,
        column(BOOL, rows.iter().map(|_| false))?,
    ];
    Ok(Box::new(std::iter::once(Ok(columns))))
}

/// A column of these values.
pub(super) fn column<R: ResultValue>(oid: u32, values: impl ExactSizeIterator<Item = R>) -> Result<ArrayRef> {
    let mut builder = R::Builder::new(&Type::of(oid), values.len())?;
    for value in values {
        value.append(&mut builder)?;
    }
    builder.finish()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::call;

    #[test]
    fn a_setting_that_is_not_there_can_be_asked_for() {
        let missing = call("current_setting", &[(TEXT, Some("foo.bar"))]).unwrap_err();
        assert_eq!(missing.sqlstate, SqlState::UNDEFINED_OBJECT);
        assert_eq!(missing.message, "unrecognized configuration parameter \"foo.bar\"");
        assert_eq!(call("current_setting", &[(TEXT, Some("foo.bar")), (BOOL, Some("t"))]).unwrap(), None);
    }
}
