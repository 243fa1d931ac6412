//! Calls of the library's functions and operators.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::common::config::ConfigOptions;
use datafusion::logical_expr::{BinaryExpr, ColumnarValue, Expr, Operator, ScalarFunctionArgs, ScalarUDF, Volatility};
use pg::error::{PgError, Result};
use pg::function::{ArgumentShape, CastContext, Function, Method, bind};
use pg::library::system::EACH_ROW;
use pg::sqlstate::SqlState;
use pg::types::*;
use pg::user_types::{base_type, operand_number};
use pg::{SessionValues, Type, library};
use std::sync::Arc;

use crate::analyze::Analyzer;
use crate::analyze::category::{Category, category, is_polymorphic};
use crate::analyze::coerce::{common_type, native, widest, with_blanks, without_blanks};
use crate::analyze::resolve::{Candidate, Choice, choose_operator, expand};
use crate::analyze::typed::Typed;

/// Arguments of a constant call that is computed at once have at most so many bytes.
const FOLDED_BYTES_MAX: usize = 1 << 16;

/// The types of a call's arguments as a shape sees them.
pub fn shapes(arguments: &[Typed]) -> Vec<ArgumentShape<'_>> {
    arguments.iter().map(|argument| ArgumentShape { ty: &argument.ty, constant: argument.value() }).collect()
}

/// A call of a function whose arguments have been cast and whose result has this type.
///
/// # Errors
/// The types of both sides of a comparison cannot be brought together.
pub fn bound_call(
    function: &'static Function,
    arguments: Vec<Typed>,
    result: Type,
    context: CastContext,
    session: &SessionValues,
) -> Result<Typed> {
    match function.method {
        Method::Native(operator) => compare(operator, arguments, result, session),
        Method::Cast => match arguments.into_iter().next() {
            Some(argument) => Ok(native(argument, result)),
            None => Err(PgError::internal("a cast lacks its argument")),
        },
        Method::Kernel(_) => {
            let mut arguments = arguments;
            // The engine takes a call with nothing but constants for a constant.
            if function.volatility == Volatility::Volatile && !arguments.is_empty() {
                let each_row = bind(&EACH_ROW, Vec::new(), Type::of(BOOL), context);
                arguments.push(Typed::new(each_row.call(Vec::new()), Type::of(BOOL)));
            }
            let types = arguments.iter().map(|argument| argument.ty.clone()).collect();
            let udf = bind(function, types, result.clone(), context);
            if function.volatility == Volatility::Immutable
                && let Some(value) = folded(&udf, &arguments, &result)
            {
                return Ok(value);
            }
            let arguments = arguments.into_iter().map(|argument| argument.expr).collect();
            Ok(Typed::new(udf.call(arguments), result))
        }
    }
}

/// The value of a call with constants. An error is left to the time when the value is needed, which may be never.
fn folded(udf: &ScalarUDF, arguments: &[Typed], result: &Type) -> Option<Typed> {
    let mut values = Vec::with_capacity(arguments.len());
    let mut fields = Vec::with_capacity(arguments.len());
    for argument in arguments {
        let value = argument.value()?;
        if value.size() > FOLDED_BYTES_MAX {
            return None;
        }
        fields.push(Arc::new(argument.ty.field("")));
        values.push(ColumnarValue::Scalar(value.clone()));
    }
    let call = ScalarFunctionArgs {
        args: values,
        arg_fields: fields,
        number_rows: 1,
        return_field: Arc::new(result.field("")),
        config_options: Arc::new(ConfigOptions::default()),
    };
    match udf.invoke_with_args(call).ok()? {
        ColumnarValue::Scalar(value) => Some(Typed::constant(value, result.clone())),
        ColumnarValue::Array(_) => None,
    }
}

/// A comparison by the engine, both sides at one Arrow type.
fn compare(operator: Operator, arguments: Vec<Typed>, result: Type, session: &SessionValues) -> Result<Typed> {
    let [left, right]: [Typed; 2] =
        arguments.try_into().map_err(|_| PgError::internal("a comparison has two sides"))?;
    let left = with_time(left, &right.ty, session)?;
    let right = with_time(right, &left.ty, session)?;
    let (left, right) = comparable(left, right)?;
    let expr = Expr::BinaryExpr(BinaryExpr::new(Box::new(left.expr), operator, Box::new(right.expr)));
    Ok(Typed::new(expr, result))
}

/// A date that is compared with a timestamp, as one. Dates end later than timestamps do, and the engine's cast knows no
/// infinity.
pub fn with_time(value: Typed, other: &Type, session: &SessionValues) -> Result<Typed> {
    if value.ty.oid != DATE || other.oid != TIMESTAMP {
        return Ok(value);
    }
    match library::functions("date_order").first() {
        Some(order) => bound_call(order, vec![value], Type::of(TIMESTAMP), CastContext::Implicit, session),
        None => Ok(value),
    }
}

/// Both sides at one Arrow type, exactly. A constant takes the type of the other side where it is the same value there,
/// so that columns are compared as they are stored.
pub fn comparable(left: Typed, right: Typed) -> Result<(Typed, Typed)> {
    let (left, right) = (without_blanks(left)?, without_blanks(right)?);
    if left.ty.arrow == right.ty.arrow {
        return Ok((left, right));
    }
    if let Some(exact) = as_exactly(&right, &left.ty) {
        return Ok((left, exact));
    }
    if let Some(exact) = as_exactly(&left, &right.ty) {
        return Ok((exact, right));
    }
    let wide = match (&left.ty.arrow, &right.ty.arrow) {
        (l, r) if l.is_decimal() && r.is_decimal() => widest(&[&left.ty, &right.ty]),
        (DataType::Date32, DataType::Timestamp(..)) => Some(right.ty.clone()),
        (DataType::Timestamp(..), DataType::Date32) => Some(left.ty.clone()),
        (l, r) if l.is_integer() && r.is_integer() || l.is_floating() && r.is_floating() => {
            Some(if l.primitive_width() >= r.primitive_width() { left.ty.clone() } else { right.ty.clone() })
        }
        (l, r) if l.is_string() && r.is_string() => Some(Type::of(TEXT)),
        _ => None,
    };
    match wide {
        Some(wide) => Ok((native(left, wide.clone()), native(right, wide))),
        None => {
            let message = format!("cannot compare values carried as {} and {}", left.ty.arrow, right.ty.arrow);
            Err(PgError::internal(message))
        }
    }
}

/// The constant as another Arrow type, if it is the same value there.
fn as_exactly(value: &Typed, ty: &Type) -> Option<Typed> {
    let scalar = value.value()?;
    let exact_kinds = scalar.data_type().is_numeric() && ty.arrow.is_numeric() && !ty.arrow.is_floating();
    if !exact_kinds {
        return None;
    }
    let cast = scalar.cast_to(&ty.arrow).ok()?;
    let back = cast.cast_to(&scalar.data_type()).ok()?;
    (back == *scalar && !cast.is_null()).then(|| Typed::constant(cast, ty.clone()))
}

/// `function name(integer, unknown)` as messages name it.
pub fn signature(name: &str, types: &[&Type]) -> String {
    let types: Vec<_> = types.iter().map(|ty| ty.name()).collect();
    format!("{name}({})", types.join(", "))
}

impl Analyzer<'_> {
    /// The operator of this symbol over these operands.
    ///
    /// # Errors
    /// 42883 when there is none for such types, 42725 when several are equally good.
    pub fn operator(&mut self, symbol: &str, operands: Vec<Typed>) -> Result<Typed> {
        let symbol = if symbol == "!=" { "<>" } else { symbol };
        let function = self.find_operator(symbol, &operands.iter().map(|it| &it.ty).collect::<Vec<_>>())?;
        self.call(function.entry, function.arguments, operands)
    }

    /// The operator that a symbol means between such types.
    ///
    /// # Errors
    /// As for [`Analyzer::operator`].
    pub fn find_operator(&self, symbol: &str, types: &[&Type]) -> Result<Candidate<&'static Function>> {
        let actual: Vec<_> = types.iter().map(|ty| operand_number(ty.oid)).collect();
        let candidates = library::operators(symbol)
            .iter()
            .filter_map(|entry| {
                let (arguments, variadic) = expand(entry.arguments, entry.variadic, actual.len())?;
                Some(Candidate { entry: *entry, arguments, variadic })
            })
            .collect();
        let described = || match types {
            [operand] => format!("{symbol} {}", operand.name()),
            [left, right] => format!("{} {symbol} {}", left.name(), right.name()),
            _ => symbol.to_owned(),
        };
        match choose_operator(candidates, &actual) {
            Choice::One(found) => Ok(found),
            Choice::None if symbol.starts_with("@@") && actual.iter().all(|oid| category(*oid) == Category::String) => {
                Err(PgError::not_supported("full text search"))
            }
            Choice::None => {
                let message = format!("operator does not exist: {}", described());
                let hint = if types.len() == 1 {
                    "No operator matches the given name and argument type. You might need to add an explicit type cast."
                } else {
                    "No operator matches the given name and argument types. You might need to add explicit type casts."
                };
                Err(PgError::new(SqlState::UNDEFINED_FUNCTION, message).with_hint(hint))
            }
            Choice::Ambiguous => {
                let message = format!("operator is not unique: {}", described());
                Err(PgError::new(SqlState::AMBIGUOUS_FUNCTION, message).with_hint(
                    "Could not choose a best candidate operator. You might need to add explicit type casts.",
                ))
            }
        }
    }

    /// A call of a function that resolution has chosen, with these types for its arguments.
    ///
    /// # Errors
    /// A constant is not a value of the type that it is used as.
    pub fn call(&mut self, function: &'static Function, expected: Vec<u32>, arguments: Vec<Typed>) -> Result<Typed> {
        let (arguments, polymorphic) = self.cast_arguments(&expected, arguments)?;
        let result = match function.shape {
            Some(shape) => shape(&shapes(&arguments))?,
            None => result_type(function.result, &polymorphic)?,
        };
        bound_call(function, arguments, result, CastContext::Implicit, &self.session)
    }

    /// The arguments as the types that are expected of them, and what the polymorphic ones stand for.
    ///
    /// # Errors
    /// As for [`Analyzer::call`].
    pub fn cast_arguments(&mut self, expected: &[u32], arguments: Vec<Typed>) -> Result<(Vec<Typed>, Option<Type>)> {
        if !expected.iter().any(|oid| is_polymorphic(*oid)) {
            let cast = arguments.into_iter().zip(expected).map(|(argument, oid)| {
                let wanted = Type::of(*oid);
                self.coerce(argument, &wanted, CastContext::Implicit)
            });
            return Ok((cast.collect::<Result<_>>()?, None));
        }
        let mut arguments = arguments;
        let mut element = self.polymorphic_element(expected, &arguments)?;
        if element.oid == NUMERIC && arguments.iter().any(Typed::is_unknown) {
            // Constants have their own digits, which those of the other arguments must not cut off.
            arguments = self.numeric_constants(expected, arguments)?;
            element = self.polymorphic_element(expected, &arguments)?;
        }
        // A constant without a type brings its own blanks.
        let is_bare = |argument: &Typed| argument.is_unknown() && !argument.value().is_some_and(ScalarValue::is_null);
        let polymorphic = arguments.iter().zip(expected).filter(|(_, oid)| is_polymorphic(**oid));
        if element.oid == BPCHAR && polymorphic.into_iter().any(|(argument, _)| is_bare(argument)) {
            element.typmod = -1;
        }
        let wants_array = expected.iter().any(|oid| matches!(*oid, ANYARRAY | ANYCOMPATIBLEARRAY));
        if wants_array && pg::types::element_type(element.oid).is_some() {
            return Err(no_array(&element));
        }
        let array = Type::array_of(&element);
        let mut cast = Vec::with_capacity(arguments.len());
        for (argument, oid) in arguments.into_iter().zip(expected) {
            let wanted = match *oid {
                // As they are: they begin with another subscript than other arrays.
                ANYARRAY | ANYCOMPATIBLEARRAY if matches!(argument.ty.oid, INT2VECTOR | OIDVECTOR) => {
                    cast.push(argument);
                    continue;
                }
                ANYELEMENT | ANYNONARRAY | ANYENUM | ANYCOMPATIBLE | ANYCOMPATIBLENONARRAY => {
                    Type { typmod: -1, ..element.clone() }
                }
                ANYARRAY | ANYCOMPATIBLEARRAY => match &array {
                    Some(array) => Type { typmod: -1, ..array.clone() },
                    None => return Err(no_array(&element)),
                },
                oid => Type::of(oid),
            };
            let is_array = matches!(*oid, ANYARRAY | ANYCOMPATIBLEARRAY);
            let argument = self.coerce(argument, &wanted, CastContext::Implicit)?;
            let loses_length = element.carries_blanks() && wanted.typmod < 0;
            let argument = if loses_length { with_blanks(argument) } else { argument };
            // Elements and arrays of one call have one scale; arrays keep the dimensions they have.
            let argument = match is_array && argument.ty.arrow.is_nested() {
                true if element.oid == NUMERIC => native(argument.clone(), rescaled(&argument.ty, &element)),
                true => argument,
                false if element.oid == NUMERIC && wanted.oid == NUMERIC => native(argument, element.clone()),
                false => argument,
            };
            cast.push(argument);
        }
        Ok((cast, Some(element)))
    }

    /// The arguments with the constants among them that stand for numbers, or for arrays of them, as such.
    fn numeric_constants(&mut self, expected: &[u32], arguments: Vec<Typed>) -> Result<Vec<Typed>> {
        let typed = arguments.into_iter().zip(expected).map(|(argument, oid)| match *oid {
            _ if !argument.is_unknown() => Ok(argument),
            ANYARRAY | ANYCOMPATIBLEARRAY => self.coerce(argument, &Type::of(NUMERIC_ARRAY), CastContext::Implicit),
            oid if is_polymorphic(oid) => self.coerce(argument, &Type::of(NUMERIC), CastContext::Implicit),
            _ => Ok(argument),
        });
        typed.collect()
    }

    /// What the polymorphic arguments of a call stand for.
    fn polymorphic_element(&mut self, expected: &[u32], arguments: &[Typed]) -> Result<Type> {
        let mut elements = Vec::new();
        for (oid, argument) in expected.iter().zip(arguments) {
            if argument.is_unknown() {
                continue;
            }
            match *oid {
                ANYELEMENT | ANYNONARRAY | ANYENUM | ANYCOMPATIBLE | ANYCOMPATIBLENONARRAY => {
                    elements.push(argument.ty.clone());
                }
                ANYARRAY | ANYCOMPATIBLEARRAY => elements.extend(base_type(&argument.ty).element()),
                _ => {}
            }
        }
        let oids: Vec<_> = elements.iter().map(|ty| ty.oid).collect();
        if oids.is_empty() {
            if expected.iter().any(|oid| matches!(*oid, ANYARRAY | ANYELEMENT)) {
                let message = "could not determine polymorphic type because input has type unknown";
                return Err(PgError::new(SqlState::DATATYPE_MISMATCH, message));
            }
            return Ok(Type::of(TEXT));
        }
        let common = common_type(&oids)
            .ok_or_else(|| super::coerce::cannot_match(&elements.iter().collect::<Vec<_>>(), "argument"))?;
        let same: Vec<_> = if common == NUMERIC {
            let as_numeric = |ty: &Type| match ty.digits() {
                Some((precision, scale)) => Type::numeric(precision, scale),
                None => Type::of(NUMERIC),
            };
            elements.iter().map(as_numeric).collect()
        } else {
            let mut same: Vec<_> = elements.iter().filter(|ty| ty.oid == common).cloned().collect();
            if same.is_empty() {
                same.push(Type::of(common));
            }
            same
        };
        widest(&same.iter().collect::<Vec<_>>()).ok_or_else(|| PgError::internal("a polymorphic call has no type"))
    }
}

/// The array type with elements of this scale, and the dimensions it has.
fn rescaled(array: &Type, element: &Type) -> Type {
    fn rebuilt(from: &DataType, inner: &DataType) -> DataType {
        match from {
            DataType::List(field) => pg::expression_type::list_of(rebuilt(field.data_type(), inner)),
            _ => inner.clone(),
        }
    }
    Type { arrow: rebuilt(&array.arrow, &element.arrow), ..array.clone() }
}

fn no_array(element: &Type) -> PgError {
    let message = format!("could not find array type for data type {}", element.name());
    PgError::new(SqlState::UNDEFINED_OBJECT, message)
}

/// The type of a result: its own, or what the polymorphic arguments stand for.
///
/// # Errors
/// 42704 for an array of a type that has none.
pub fn result_type(oid: u32, polymorphic: &Option<Type>) -> Result<Type> {
    match (oid, polymorphic) {
        (ANYELEMENT | ANYNONARRAY | ANYENUM | ANYCOMPATIBLE | ANYCOMPATIBLENONARRAY, Some(element)) => {
            Ok(element.clone())
        }
        (ANYARRAY | ANYCOMPATIBLEARRAY, Some(element)) => Type::array_of(element).ok_or_else(|| no_array(element)),
        _ => Ok(Type::of(oid)),
    }
}
