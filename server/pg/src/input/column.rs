//! A column of any type from texts: what the casts from text do, and what a constant is for the rarer types.

use std::sync::Arc;

use arrow::array::*;
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field};

use super::{InputError, array, json, object_name, record, scalars, type_name};
use crate::datetime::modifier::{apply_interval_typmod, round_time, round_timestamp};
use crate::datetime::parse::Moment;
use crate::error::{PgError, Result};
use crate::expression_type::Type;
use crate::function::{Date, Numeric, Oid, ResultBuilder, ResultValue, Time, TimeTz, Timestamp, Uuid};
use crate::library::cast::modifier;
use crate::library::json::jsonpath::normalize_jsonpath;
use crate::library::sketch::Sketch;
use crate::names;
use crate::session::SessionValues;
use crate::styles::IntervalStyle;
use crate::types::{self, *};
use crate::user_types::{self, EnumLabels};

/// A text or NULL.
pub type Text<'a> = Option<&'a str>;

/// The values of these texts, checked against the type's modifier as an input function checks it: a string that is too
/// long is refused.
///
/// # Errors
/// A text is not a value of the type; a number does not fit exactly where the type has no modifier.
pub fn column(ty: &Type, texts: &[Text<'_>], session: &SessionValues) -> Result<ArrayRef> {
    match ty.oid {
        BOOL => build(ty, texts, |text| Ok(scalars::boolean(text)?)),
        INT2 => build(ty, texts, |text| Ok(scalars::integer::<i16>(text, "smallint")?)),
        INT4 => build(ty, texts, |text| Ok(scalars::integer::<i32>(text, "integer")?)),
        INT8 => build(ty, texts, |text| Ok(scalars::integer::<i64>(text, "bigint")?)),
        FLOAT4 => build(ty, texts, |text| Ok(scalars::real(text)?)),
        FLOAT8 => build(ty, texts, |text| Ok(scalars::double(text)?)),
        NUMERIC => build(ty, texts, |text| numeric(text, ty)),
        BYTEA => build(ty, texts, |text| Ok(scalars::bytea(text)?)),
        DATE | TIME | TIMETZ | TIMESTAMP | TIMESTAMPTZ | INTERVAL => datetimes(ty, texts, session),
        UUID => build(ty, texts, |text| Ok(Uuid(scalars::uuid(text)?))),
        REGPROC => build(ty, texts, |text| object_name::function_number(text).map(Oid)),
        REGTYPE => build(ty, texts, |text| type_name::type_number(text).map(Oid)),
        REGCLASS => build(ty, texts, |text| object_name::relation_number(text).map(Oid)),
        REGNAMESPACE => build(ty, texts, |text| object_name::schema_number(text).map(Oid)),
        REGROLE => build(ty, texts, |text| object_name::role_number(text).map(Oid)),
        RECORD => records(ty, texts, session),
        oid if types::element_type(oid).is_some() => arrays(ty, texts, session),
        oid if names::is_user_number(oid) => of_user_type(ty, texts, session),
        // Names of other objects are the catalog's.
        oid if types::is_object_number(oid) => build(ty, texts, |text| Ok(Oid(scalars::oid(text)?))),
        _ => build(ty, texts, |text| string(text, ty)),
    }
}

/// Labels of an enum, values of what a domain narrows (which its checks have not seen), records of a composite type.
fn of_user_type(ty: &Type, texts: &[Text<'_>], session: &SessionValues) -> Result<ArrayRef> {
    if let Some(labels) = EnumLabels::of(ty.oid) {
        let numbers = labels.numbers();
        return build(ty, texts, |text| numbers.get(text).copied().ok_or_else(|| labels.invalid(text)));
    }
    if user_types::is_composite(ty.oid) {
        return records(ty, texts, session);
    }
    let base = user_types::base_type(ty);
    match base.oid == ty.oid {
        true => Err(PgError::internal(format!("cache lookup failed for type {}", ty.oid))),
        false => column(&base, texts, session),
    }
}

/// Dates, times and intervals, of the session's moment and zone where the text does not say more.
fn datetimes(ty: &Type, texts: &[Text<'_>], session: &SessionValues) -> Result<ArrayRef> {
    let (moment, typmod) = (&Moment::from(session), ty.typmod);
    match ty.oid {
        DATE => build(ty, texts, |text| Ok(Date(scalars::date_at(text, moment)?))),
        TIME => build(ty, texts, |text| Ok(Time(round_time(scalars::time_at(text, moment)?, typmod)))),
        TIMETZ => build(ty, texts, |text| {
            let value = scalars::time_with_zone_at(text, moment)?;
            Ok(TimeTz { time_us: round_time(value.time_us, typmod), ..value })
        }),
        TIMESTAMP => {
            build(ty, texts, |text| round_timestamp(scalars::timestamp_at(text, moment)?, typmod).map(Timestamp))
        }
        TIMESTAMPTZ => build(ty, texts, |text| {
            round_timestamp(scalars::timestamp_with_zone_at(text, moment)?, typmod).map(Timestamp)
        }),
        _ => {
            let sql_standard = session.styles.intervals == IntervalStyle::SqlStandard;
            build(ty, texts, |text| apply_interval_typmod(scalars::interval_with(text, typmod, sql_standard)?, typmod))
        }
    }
}

fn build<R: ResultValue>(ty: &Type, texts: &[Text<'_>], read: impl Fn(&str) -> Result<R>) -> Result<ArrayRef> {
    let mut builder = R::Builder::new(ty, texts.len())?;
    for text in texts {
        match text {
            Some(text) => read(text)?.append(&mut builder)?,
            None => builder.append_null(),
        }
    }
    builder.finish()
}

/// A string of one of the types that are carried as strings.
fn string(text: &str, ty: &Type) -> Result<String> {
    if text.contains('\0') {
        return Err(InputError::NulCharacter.into());
    }
    Ok(match ty.oid {
        JSON => {
            json::check_json(text)?;
            text.to_owned()
        }
        JSONB => json::normalize_jsonb(text)?,
        JSONPATH => normalize_jsonpath(text)?,
        HLLSKETCH => Sketch::parse(text)?.to_string(),
        NAME => scalars::name(text).to_owned(),
        CHAR => scalars::char(text),
        VARCHAR | BPCHAR => modifier::string(text, ty, false)?.to_owned(),
        _ => text.to_owned(),
    })
}

/// A number of exactly this type.
fn numeric(text: &str, ty: &Type) -> Result<Numeric> {
    let number = scalars::written_number(text)?;
    let scale = ty.digits().map_or(0, |(_, scale)| scale);
    if ty.typmod >= 0 {
        return modifier::written_numeric(&number, ty.typmod);
    }
    let fitting = number.wide_at_scale(i64::from(scale)).filter(|(_, exact)| *exact);
    let number = fitting.map(|(unscaled, _)| Numeric::new(unscaled, scale));
    number
        .filter(|number| modifier::fits(*number, ty))
        .ok_or_else(|| InputError::NumericTooWide { value: text.to_owned() }.into())
}

/// Arrays of one depth: that of the type.
fn arrays(ty: &Type, texts: &[Text<'_>], session: &SessionValues) -> Result<ArrayRef> {
    let element = ty.element().ok_or_else(|| PgError::internal("an array without elements"))?;
    let depth = list_depth(&ty.arrow);
    let parse = |text| array::parse_of(ty.oid, text);
    let parsed: Vec<_> = texts.iter().map(|text| text.map(parse).transpose()).collect::<Result<_>>()?;
    for array in parsed.iter().flatten() {
        if !array.dimensions.is_empty() && array.dimensions.len() != depth {
            let found = array.dimensions.len();
            return Err(PgError::not_supported(format!("an array with {found} dimensions where {depth} are expected")));
        }
    }
    let leaves: Vec<Text<'_>> =
        parsed.iter().flatten().flat_map(|array| array.elements.iter().map(Option::as_deref)).collect();
    let mut values = column(&element, &leaves, session)?;
    for level in (0..depth).rev() {
        let lengths = parsed.iter().flat_map(|array| level_lengths(array.as_ref(), level));
        let offsets = OffsetBuffer::from_lengths(lengths);
        let nulls = (level == 0).then(|| parsed.iter().map(Option::is_some).collect::<NullBuffer>());
        let field = Arc::new(Field::new("item", values.data_type().clone(), true));
        values = Arc::new(ListArray::try_new(field, offsets, values, nulls)?);
    }
    Ok(values)
}

/// The lengths of all lists of one row at a level; the outermost, 0, has one list.
fn level_lengths(array: Option<&array::WrittenArray>, level: usize) -> Vec<usize> {
    match array {
        Some(array) if !array.dimensions.is_empty() => {
            let lists = array.dimensions[..level].iter().product();
            vec![array.dimensions[level]; lists]
        }
        // NULL and the empty array have one list at the outermost level and none within.
        _ if level == 0 => vec![0],
        _ => Vec::new(),
    }
}

fn list_depth(data_type: &DataType) -> usize {
    match data_type {
        DataType::List(field) => 1 + list_depth(field.data_type()),
        _ => 0,
    }
}

fn records(ty: &Type, texts: &[Text<'_>], session: &SessionValues) -> Result<ArrayRef> {
    let DataType::Struct(fields) = &ty.arrow else { return Err(anonymous_record()) };
    if fields.is_empty() {
        return Err(anonymous_record());
    }
    let parsed: Vec<_> = texts
        .iter()
        .map(|text| text.map(|text| record::parse(text, fields.len())).transpose())
        .collect::<Result<_>>()?;
    let mut columns = Vec::with_capacity(fields.len());
    for (position, field) in fields.iter().enumerate() {
        let texts: Vec<Text<'_>> = parsed.iter().map(|row| row.as_ref()?.get(position)?.as_deref()).collect();
        columns.push(column(&Type::of_field(field), &texts, session)?);
    }
    let nulls: NullBuffer = parsed.iter().map(Option::is_some).collect();
    Ok(Arc::new(StructArray::try_new(fields.clone(), columns, Some(nulls))?))
}

fn anonymous_record() -> PgError {
    let message = "input of anonymous composite types is not implemented";
    PgError::new(crate::sqlstate::SqlState::FEATURE_NOT_SUPPORTED, message)
}
