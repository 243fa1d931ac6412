//! Bringing expressions to types (PostgreSQL's `parse_coerce.c`).

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, cast as engine_cast};
use pg::error::{PgError, Result};
use pg::expression_type::list_of;
use pg::function::{CastContext, Method};
use pg::sqlstate::SqlState;
use pg::styles::DateOrder;
use pg::types::*;
use pg::user_types::{base_number, is_composite, is_domain, is_enum};
use pg::{SessionValues, Type, input, library};

use crate::analyze::Analyzer;
use crate::analyze::call::bound_call;
use crate::analyze::category::{Category, category, is_polymorphic, is_preferred};
use crate::analyze::domain::{has_constraints_within, without_domain};
use crate::analyze::expression::text_of_too_wide;
use crate::analyze::typed::{Typed, unknown_type};

/// How one type becomes another.
enum Path {
    /// The values are carried alike and mean the same.
    Relabel,
    /// By an entry of the library.
    Cast(&'static pg::function::Cast),
    /// Element by element.
    Array,
    /// By the text of the value.
    ToText,
    /// By reading text.
    FromText,
}

/// Whether values of the type are texts.
pub fn is_text_like(oid: u32) -> bool {
    category(oid) == Category::String
}

/// How values of one type become values of another in this context, if they may.
fn path(from: u32, to: u32, context: CastContext) -> Option<Path> {
    if from == to {
        return Some(Path::Relabel);
    }
    // A domain is cast as what it narrows; whether it is fulfilled is another question.
    let (from, to) = (base_number(from), base_number(to));
    if from == to || to == RECORD && is_composite(from) {
        return Some(Path::Relabel);
    }
    if let Some(cast) = library::cast(from, to) {
        return (cast.context <= context).then_some(Path::Cast(cast));
    }
    if let (Some(from), Some(to)) = (element_type(from), element_type(to)) {
        return path(from, to, context).map(|_| Path::Array);
    }
    if is_text_like(to) && context >= CastContext::Assignment {
        return Some(Path::ToText);
    }
    if is_text_like(from) && context >= CastContext::Explicit {
        return Some(Path::FromText);
    }
    None
}

/// Whether values of one type may become values of another in this context.
pub fn can_coerce(from: u32, to: u32, context: CastContext) -> bool {
    match to {
        _ if from == UNKNOWN || from == to => true,
        ANY | ANYELEMENT | ANYCOMPATIBLE => true,
        ANYNONARRAY | ANYCOMPATIBLENONARRAY => element_type(from).is_none(),
        ANYARRAY | ANYCOMPATIBLEARRAY => element_type(base_number(from)).is_some(),
        ANYENUM => is_enum(from),
        _ if is_polymorphic(to) => false,
        _ => path(from, to, context).is_some(),
    }
}

/// The type that values of these types are brought to in a UNION, a CASE, a list (`select_common_type`); constants without
/// a type have no say.
pub fn common_type(types: &[u32]) -> Option<u32> {
    let mut known = types.iter().copied().filter(|oid| *oid != UNKNOWN);
    let Some(mut chosen) = known.next() else { return Some(TEXT) };
    for mut oid in known.clone() {
        if oid == chosen {
            continue;
        }
        // Types that are not all the same domain meet as what domains narrow.
        (oid, chosen) = (base_number(oid), base_number(chosen));
        if oid == chosen {
            continue;
        }
        if category(oid) != category(chosen) {
            return None;
        }
        let forward = can_coerce(chosen, oid, CastContext::Implicit);
        let back = can_coerce(oid, chosen, CastContext::Implicit);
        if !is_preferred(chosen) && forward && !back {
            chosen = oid;
        }
    }
    let all = types.iter().all(|oid| can_coerce(*oid, chosen, CastContext::Implicit));
    all.then_some(chosen)
}

/// The type with digits enough for all of these numbers; of other types, the first.
pub fn widest(types: &[&Type]) -> Option<Type> {
    let first = *types.first()?;
    if element_type(first.oid) == Some(NUMERIC) {
        let elements: Vec<_> = types.iter().filter_map(|ty| ty.element()).collect();
        let widest = widest(&elements.iter().collect::<Vec<_>>())?;
        return Some(Type { arrow: list_of(widest.arrow), ..first.clone() });
    }
    let same_typmod = types.iter().all(|ty| ty.typmod == first.typmod && ty.oid == first.oid);
    let typmod = if same_typmod { first.typmod } else { -1 };
    if first.oid != NUMERIC {
        return Some(Type { typmod, ..first.clone() });
    }
    let digits: Vec<_> = types.iter().filter_map(|ty| ty.digits()).collect();
    let scale = digits.iter().map(|(_, scale)| *scale).max()?;
    let integer = digits.iter().map(|(precision, scale)| i16::from(*precision) - i16::from(*scale)).max()?;
    let precision = (integer + i16::from(scale)).clamp(1, 76) as u8;
    Some(Type { typmod, ..Type::numeric(precision, scale) })
}

/// A type name as `cannot cast type … to …` prints it.
fn named(ty: &Type) -> String {
    ty.name()
}

impl Analyzer<'_> {
    /// The expression as the wanted type.
    ///
    /// # Errors
    /// There is no such cast in this context, or a constant is not a value of the type.
    pub fn coerce(&mut self, value: Typed, wanted: &Type, context: CastContext) -> Result<Typed> {
        // A function that takes anything is told that a constant has no type.
        if wanted.oid == ANY && value.is_unknown() && value.value().is_some() {
            let null = value.value().is_some_and(ScalarValue::is_null);
            return Ok(if null { Typed::constant(null_of(&DataType::Utf8View)?, unknown_type()) } else { value });
        }
        if is_polymorphic(wanted.oid) || wanted.oid == ANY {
            return if value.is_unknown() { self.coerce(value, &Type::of(TEXT), context) } else { Ok(value) };
        }
        if value.ty.oid == wanted.oid && !value.is_unknown() {
            return self.coerce_modifier(value, wanted, context);
        }
        if is_domain(wanted.oid) {
            return self.as_domain(value, wanted, context);
        }
        if value.is_unknown() {
            let value = self.coerce_unknown(value, wanted, context)?;
            return if has_constraints_within(wanted.oid) { self.checked(value, wanted.clone()) } else { Ok(value) };
        }
        let value = without_domain(value);
        if value.ty.oid == wanted.oid {
            return self.coerce_modifier(value, wanted, context);
        }
        if let (FLOAT4 | FLOAT8, Some(text)) = (wanted.oid, text_of_too_wide(&value)) {
            let (ty, scalar) = input::value(wanted, text, &self.session)?;
            return Ok(Typed::constant(scalar, ty));
        }
        // A record that has no name of its own keeps its fields.
        if wanted.oid == RECORD && is_composite(value.ty.oid) {
            let ty = Type { oid: RECORD, typmod: -1, arrow: value.ty.arrow };
            return Ok(Typed { expr: value.expr, ty });
        }
        let found = path(value.ty.oid, wanted.oid, context).ok_or_else(|| cannot_cast(&value.ty, wanted))?;
        let plain = Type { typmod: -1, ..self.cast_result(&value, wanted) };
        let cast = match found {
            Path::Relabel => Typed { ty: plain, ..value },
            Path::Cast(cast) => match cast.function.method {
                Method::Cast => native(without_blanks(value)?, plain),
                _ if wanted.oid == NUMERIC && wanted.typmod >= 0 => {
                    return bound_call(&cast.function, vec![value], wanted.clone(), context, &self.session);
                }
                _ => bound_call(&cast.function, vec![value], plain, context, &self.session)?,
            },
            Path::Array => {
                let plain = library::cast::array_cast_type(&value.ty, wanted);
                let plain = plain.ok_or_else(|| cannot_cast(&value.ty, wanted))?;
                let array = bound_call(&library::cast::ARRAY_CAST, vec![value], plain.clone(), context, &self.session)?;
                return if has_constraints_within(plain.oid) { self.checked(array, plain) } else { Ok(array) };
            }
            Path::ToText => bound_call(&library::cast::TO_TEXT, vec![value], plain, context, &self.session)?,
            Path::FromText => {
                let read = bound_call(&library::cast::FROM_TEXT, vec![value], wanted.clone(), context, &self.session)?;
                return if has_constraints_within(wanted.oid) { self.checked(read, wanted.clone()) } else { Ok(read) };
            }
        };
        self.coerce_modifier(cast, wanted, context)
    }

    /// The type of a cast's result, which for a numeric has as many digits as the source needs.
    fn cast_result(&self, value: &Typed, wanted: &Type) -> Type {
        if wanted.oid != NUMERIC || wanted.typmod >= 0 {
            return Type::of(wanted.oid);
        }
        match (value.value().and_then(integer_value), value.ty.digits()) {
            (Some(integer), _) => {
                let digits = integer.unsigned_abs().checked_ilog10().map_or(1, |log| log + 1);
                Type::numeric(digits as u8, 0)
            }
            (None, Some((precision, scale))) => Type::numeric(precision, scale),
            (None, None) => Type::of(NUMERIC),
        }
    }

    /// A constant, NULL or parameter without a type as the wanted type.
    fn coerce_unknown(&mut self, value: Typed, wanted: &Type, context: CastContext) -> Result<Typed> {
        if wanted.oid == UNKNOWN {
            return Ok(value);
        }
        if let Expr::Placeholder(placeholder) = &value.expr {
            let plain = Type::of(wanted.oid);
            let typed = self.typed_parameter(&placeholder.id.clone(), plain)?;
            return self.coerce(typed, wanted, context);
        }
        let scalar = match value.value() {
            Some(scalar) if scalar.is_null() => {
                return Ok(Typed::constant(null_of(&wanted.arrow)?, wanted.clone()));
            }
            Some(ScalarValue::Utf8View(Some(text)) | ScalarValue::Utf8(Some(text))) => text.clone(),
            _ => return bound_call(&library::cast::FROM_TEXT, vec![value], wanted.clone(), context, &self.session),
        };
        if wanted.typmod >= 0 && wanted.oid != NUMERIC && wanted.oid != INTERVAL {
            // Casts of strings to a length cut them when they are written, and are errors when they are not.
            let (ty, scalar) = self.read_constant(&Type { typmod: -1, ..wanted.clone() }, &scalar)?;
            return self.coerce_modifier(Typed::constant(scalar, ty), wanted, context);
        }
        let (ty, scalar) = self.read_constant(wanted, &scalar)?;
        Ok(Typed::constant(scalar, ty))
    }

    /// The value of a constant. What a definition keeps is its text, which others read with the day behind the month.
    fn read_constant(&self, wanted: &Type, text: &str) -> Result<(Type, ScalarValue)> {
        let (ty, value) = input::value(wanted, text, &self.session)?;
        let mut others = self.session.styles;
        others.dates.order = DateOrder::Mdy;
        if self.keeps && others != self.session.styles {
            let session = SessionValues { styles: others, ..self.session.clone() };
            if input::value(wanted, text, &session).map(|(_, value)| value).as_ref() != Ok(&value) {
                let error = PgError::not_supported("a constant that depends on DateStyle in a definition");
                return Err(error.with_hint("Write dates as YYYY-MM-DD."));
            }
        }
        Ok((ty, value))
    }

    /// An array in the number of dimensions of a table's column.
    ///
    /// # Errors
    /// When the statement runs: an array has another number of dimensions.
    pub fn in_dimensions(&mut self, value: Typed, wanted: &Type) -> Result<Typed> {
        let is_array = element_type(wanted.oid).is_some() && element_type(value.ty.oid).is_some();
        let same = || library::cast::dimensions(&value.ty.arrow) == library::cast::dimensions(&wanted.arrow);
        if !is_array || same() {
            return Ok(value);
        }
        bound_call(&library::cast::DIMENSIONS_CAST, vec![value], wanted.clone(), CastContext::Assignment, &self.session)
    }

    /// Applies a length, precision or scale.
    fn coerce_modifier(&mut self, value: Typed, wanted: &Type, context: CastContext) -> Result<Typed> {
        if wanted.typmod < 0 || wanted.typmod == value.ty.typmod && wanted.arrow == value.ty.arrow {
            return Ok(value);
        }
        if element_type(wanted.oid).is_some() {
            let result = library::cast::array_cast_type(&value.ty, wanted);
            let result = result.ok_or_else(|| cannot_cast(&value.ty, wanted))?;
            return bound_call(&library::cast::ARRAY_CAST, vec![value], result, context, &self.session);
        }
        match library::cast(wanted.oid, wanted.oid) {
            Some(cast) => bound_call(&cast.function, vec![value], wanted.clone(), context, &self.session),
            None => Ok(value),
        }
    }

    /// The expressions as one type: that of a UNION's column, a CASE, a list.
    ///
    /// # Errors
    /// 42804 when they have none in common.
    pub fn unify(&mut self, values: Vec<Typed>, what: &str) -> Result<Vec<Typed>> {
        self.unify_each(values, what).map_err(|disagreement| disagreement.error)
    }

    /// The same, with the value that does not fit.
    pub fn unify_each(&mut self, values: Vec<Typed>, what: &str) -> std::result::Result<Vec<Typed>, Disagreement> {
        let oids: Vec<_> = values.iter().map(|value| value.ty.oid).collect();
        let Some(common) = common_type(&oids) else {
            let error = cannot_match(&values.iter().map(|value| &value.ty).collect::<Vec<_>>(), what);
            let value = (1..=oids.len()).find(|count| common_type(&oids[..*count]).is_none());
            return Err(Disagreement { error, value: value.map(|count| count - 1) });
        };
        // Of records and maps only the values know what they are made of.
        let is_made_of_others = matches!(common, RECORD | RECORD_ARRAY | MAP | MAP_ARRAY);
        let made = values.iter().find(|value| is_made_of_others && value.ty.oid == common);
        let wanted = made.map_or_else(|| Type::of(common), |value| Type { typmod: -1, ..value.ty.clone() });
        let mut coerced = Vec::with_capacity(values.len());
        for (place, value) in values.into_iter().enumerate() {
            let value = self.coerce(value, &wanted, CastContext::Implicit);
            coerced.push(value.map_err(|error| Disagreement { error, value: Some(place) })?);
        }
        self.same_arrow(coerced).map_err(|error| Disagreement { error, value: None })
    }

    /// Numbers of one type but several scales, at one scale.
    pub fn same_arrow(&mut self, values: Vec<Typed>) -> Result<Vec<Typed>> {
        let Some(widest) = widest(&values.iter().map(|value| &value.ty).collect::<Vec<_>>()) else {
            return Ok(values);
        };
        // Arrow's cast would make an array of one element of an array that has a dimension less.
        let in_one = values.into_iter().map(|value| Ok(native(self.in_dimensions(value, &widest)?, widest.clone())));
        in_one.collect()
    }
}

/// Why values have no common type.
#[derive(Debug)]
pub struct Disagreement {
    /// What is wrong.
    pub error: PgError,
    /// With which of the values, if it is one of them.
    pub value: Option<usize>,
}

/// The error of types that cannot be brought to one.
pub fn cannot_match(types: &[&Type], what: &str) -> PgError {
    let mut known = types.iter().filter(|ty| ty.oid != UNKNOWN);
    let first = known.next();
    let other = first.and_then(|first| known.find(|ty| category(ty.oid) != category(first.oid) || ty.oid != first.oid));
    let names = match (first, other) {
        (Some(first), Some(other)) => format!("{} and {}", named(first), named(other)),
        _ => "these".to_owned(),
    };
    if let (Some(first), Some(other)) = (first, other)
        && category(first.oid) == category(other.oid)
    {
        let message = format!("{what} could not convert type {} to {}", named(other), named(first));
        return PgError::new(SqlState::CANNOT_COERCE, message);
    }
    PgError::new(SqlState::DATATYPE_MISMATCH, format!("{what} types {names} cannot be matched"))
}

/// The error of a value that cannot be assigned to a column.
pub fn cannot_assign(column: &str, from: &Type, to: &Type) -> PgError {
    // Only a row that is written out becomes a value of a composite type.
    if from.oid == RECORD && is_composite(to.oid) {
        return cannot_cast(from, to);
    }
    let message = format!("column \"{column}\" is of type {} but expression is of type {}", named(to), named(from));
    PgError::new(SqlState::DATATYPE_MISMATCH, message).with_hint("You will need to rewrite or cast the expression.")
}

fn cannot_cast(from: &Type, to: &Type) -> PgError {
    PgError::new(SqlState::CANNOT_COERCE, format!("cannot cast type {} to {}", named(from), named(to)))
}

fn integer_value(value: &ScalarValue) -> Option<i128> {
    match value {
        ScalarValue::Int16(Some(value)) => Some(i128::from(*value)),
        ScalarValue::Int32(Some(value)) => Some(i128::from(*value)),
        ScalarValue::Int64(Some(value)) => Some(i128::from(*value)),
        _ => None,
    }
}

/// NULL of an Arrow type.
pub fn null_of(arrow: &DataType) -> Result<ScalarValue> {
    Ok(ScalarValue::try_from(arrow)?)
}

/// A `character` without the blanks that it carries: as it is compared, and as it becomes a text.
pub fn without_blanks(value: Typed) -> Result<Typed> {
    if !value.ty.carries_blanks() {
        return Ok(value);
    }
    let session = SessionValues::default();
    bound_call(&library::text::blanks::ORDER, vec![value], Type::of(TEXT), CastContext::Implicit, &session)
}

/// A `character(n)`, or an array of them, of a type without a length: its values carry their blanks.
pub fn with_blanks(value: Typed) -> Typed {
    let function = match value.ty.oid {
        _ if value.ty.typmod < 0 => return value,
        BPCHAR => &library::text::blanks::PADDED,
        oid if element_type(oid) == Some(BPCHAR) => &library::text::blanks::PADDED_ELEMENTS,
        _ => return value,
    };
    let ty = Type { typmod: -1, ..value.ty.clone() };
    let session = SessionValues::default();
    bound_call(function, vec![value.clone()], ty, CastContext::Implicit, &session).unwrap_or(value)
}

/// The engine's cast, of a constant at once. It is used where it is exact.
pub fn native(value: Typed, ty: Type) -> Typed {
    let keeps_length = ty.oid != value.ty.oid || ty.typmod >= 0;
    let value = if keeps_length { value } else { with_blanks(value) };
    if value.ty.arrow == ty.arrow {
        return Typed { expr: value.expr, ty };
    }
    let folded = value.value().and_then(|scalar| scalar.cast_to(&ty.arrow).ok());
    match folded {
        Some(scalar) => Typed::constant(scalar, ty),
        None => Typed { expr: engine_cast(value.expr, ty.arrow.clone()), ty },
    }
}
