//! Calls by name: functions, aggregates, window functions, set-returning functions, types used as functions, and the forms
//! that only look like functions.

use datafusion::logical_expr::{Case, Expr};
use pg::error::PgError;
use pg::function::{Aggregate, AggregateKind, CastContext, Function, SetFunction, WindowFunction};
use pg::sqlstate::SqlState;
use pg::types::*;
use pg::user_types::operand_number;
use pg::{Type, library};
use sqlparser::ast::{
    self, DuplicateTreatment, FunctionArg, FunctionArgExpr, FunctionArgumentClause, FunctionArguments,
};

use crate::analyze::call::{result_type, shapes, signature};
use crate::analyze::category::is_polymorphic;
use crate::analyze::coerce::is_text_like;
use crate::analyze::from::returns_records;
use crate::analyze::resolve::{Candidate, Choice, choose, expand};
use crate::analyze::scope::{Place, SetColumn};
use crate::analyze::type_name::by_name;
use crate::analyze::typed::Typed;
use crate::analyze::{Analyzer, folded};
use crate::error::{Error, Result};
use crate::lazy::{bound_once, extreme, in_order};
use crate::parse::forms::clauses::VARIADIC;

/// The function behind a keyword that is called without parentheses.
fn keyword_function(name: &str) -> &str {
    match name {
        "current_role" | "user" => "current_user",
        "current_catalog" => "current_database",
        other => other,
    }
}

/// Redshift's functions whose first argument is the bare name of a part of a date.
const WITH_DATE_PART: &[&str] =
    &["dateadd", "date_add", "datediff", "date_diff", "datepart", "date_part", "date_trunc"];

/// Redshift's functions that are known and not there: a checksum whose rule is not documented.
const NOT_THERE: &[&str] = &["checksum"];
/// Those of them that are PostgreSQL's too, where the part is a value as any other.
const PART_IS_A_VALUE: &[&str] = &["date_part", "date_trunc"];

/// The type of this name that a user has made.
fn user_type_named(name: &str) -> Option<u32> {
    pg::names::current()?.type_named(&[name.to_owned()])
}

/// What a name can be called as.
#[derive(Debug, Clone, Copy)]
pub(super) enum Entry {
    Function(&'static Function),
    Aggregate(&'static Aggregate),
    Set(&'static SetFunction),
    Window(&'static WindowFunction),
}

/// What stands in and around the parentheses of a call.
struct Written<'a> {
    arguments: Vec<&'a ast::Expr>,
    names: Vec<Option<String>>,
    star: bool,
    distinct: bool,
    order_by: Vec<&'a ast::OrderByExpr>,
    within_group: bool,
    null_treatment: Option<ast::NullTreatment>,
}

impl Analyzer<'_> {
    /// A call as it was written.
    pub(super) fn function(&mut self, call: &ast::Function, whole: &ast::Expr) -> Result<Typed> {
        let name = self.function_name(call)?;
        if let FunctionArguments::Subquery(query) = &call.args {
            return match name.as_str() {
                "array" => self.array_subquery(query),
                _ => Err(self.at(PgError::new(SqlState::SYNTAX_ERROR, "a call needs arguments, not a query"), whole)),
            };
        }
        if let ("row", FunctionArguments::List(list)) = (name.as_str(), &call.args)
            && let Some(fields) = self.fields_with_stars(list)?
        {
            return self.row_of(fields);
        }
        let written = self.written(call, whole)?;
        let is_variadic = written.names.last().is_some_and(|name| name.as_deref() == Some(VARIADIC));
        if call.over.is_none()
            && !is_variadic
            && call.filter.is_none()
            && !written.distinct
            && let Some(form) = self.special_form(&name, &written, whole)?
        {
            return Ok(form);
        }
        let entered = self.enter_arguments(&name, call.over.is_some());
        let arguments = written
            .arguments
            .iter()
            .enumerate()
            .map(|(place, argument)| match argument {
                ast::Expr::Identifier(part)
                    if place == 0 && WITH_DATE_PART.contains(&name.as_str()) || place == 1 && name == "normalize" =>
                {
                    // In PostgreSQL's functions the name is that of a column, if there is one with texts.
                    match self.expression(argument) {
                        Ok(column) if PART_IS_A_VALUE.contains(&name.as_str()) && is_text_like(column.ty.oid) => {
                            Ok(column)
                        }
                        _ => Ok(Typed::unknown(folded(part))),
                    }
                }
                argument => self.expression(argument),
            })
            .collect::<Result<Vec<_>>>();
        self.leave_arguments(entered);
        let mut arguments = arguments?;
        if is_variadic {
            self.refuse_modifiers(&name, call, &written, whole)?;
            return self.variadic_call(&name, arguments, whole);
        }
        if written.names.iter().any(Option::is_some) {
            arguments = self.positional(&name, arguments, &written.names, whole)?;
        }
        self.dispatch(&name, call, &written, arguments, whole)
    }

    fn function_name(&self, call: &ast::Function) -> Result<String> {
        let parts = crate::plan::relations::parts(&call.name)?;
        match parts.as_slice() {
            [name] => Ok(keyword_function(name).to_owned()),
            [schema, name] if schema == "pg_catalog" || schema == "information_schema" => Ok(name.clone()),
            [schema, name] => {
                let message = format!("function {schema}.{name} does not exist");
                Err(self.at(PgError::new(SqlState::UNDEFINED_FUNCTION, message), &call.name))
            }
            _ => Err(Error::InvalidName {
                message: format!("improper qualified name (too many dotted names): {}", parts.join(".")),
            }),
        }
    }

    fn written<'e>(&self, call: &'e ast::Function, whole: &ast::Expr) -> Result<Written<'e>> {
        let mut written = Written {
            arguments: Vec::new(),
            names: Vec::new(),
            star: false,
            distinct: false,
            order_by: call.within_group.iter().collect(),
            within_group: !call.within_group.is_empty(),
            null_treatment: call.null_treatment,
        };
        let FunctionArguments::List(list) = &call.args else { return Ok(written) };
        written.distinct = list.duplicate_treatment == Some(DuplicateTreatment::Distinct);
        for argument in &list.args {
            let (name, argument) = match argument {
                FunctionArg::Unnamed(argument) => (None, argument),
                FunctionArg::Named { name, arg, .. } => (Some(folded(name)), arg),
                FunctionArg::ExprNamed { name: ast::Expr::Identifier(name), arg, .. } => (Some(folded(name)), arg),
                FunctionArg::ExprNamed { .. } => {
                    return Err(self.at(PgError::not_supported("a computed argument name"), whole));
                }
            };
            match argument {
                FunctionArgExpr::Expr(expr) => {
                    written.arguments.push(expr);
                    written.names.push(name);
                }
                FunctionArgExpr::Wildcard if list.args.len() == 1 => written.star = true,
                _ => {
                    return Err(self.at(PgError::not_supported("* among the arguments of a function"), whole));
                }
            }
        }
        for clause in &list.clauses {
            match clause {
                FunctionArgumentClause::OrderBy(order_by) => written.order_by.extend(order_by),
                FunctionArgumentClause::IgnoreOrRespectNulls(treatment) => written.null_treatment = Some(*treatment),
                other => {
                    return Err(self.at(PgError::not_supported(format!("{other} in a call")), whole));
                }
            }
        }
        Ok(written)
    }

    /// What the arguments of an aggregate or window function may not have in them.
    fn enter_arguments(&mut self, name: &str, over: bool) -> Option<(bool, bool)> {
        let is_aggregate = !library::aggregates(name).is_empty();
        let is_window = over || !library::window_functions(name).is_empty();
        let level = self.levels.last_mut()?;
        let before = (level.in_aggregate, level.in_window);
        level.in_aggregate |= is_aggregate && !over;
        level.in_window |= is_window;
        Some(before)
    }

    fn leave_arguments(&mut self, before: Option<(bool, bool)>) {
        if let (Some((in_aggregate, in_window)), Some(level)) = (before, self.levels.last_mut()) {
            level.in_aggregate = in_aggregate;
            level.in_window = in_window;
        }
    }

    fn dispatch(
        &mut self,
        name: &str,
        call: &ast::Function,
        written: &Written<'_>,
        arguments: Vec<Typed>,
        whole: &ast::Expr,
    ) -> Result<Typed> {
        let ordered = self.ordered_arguments(name, written)?;
        let mut all = arguments;
        let direct = all.len();
        all.extend(ordered.iter().map(|(value, _)| value.clone()));
        let resolved = self.resolve(name, &all, written.star).map_err(|error| self.at(error, whole))?;
        let Some(found) = resolved else {
            // A type's name with one argument is a cast.
            if let ([argument], Some(oid)) = (all.as_slice(), by_name(name).or_else(|| user_type_named(name))) {
                let ty = Type::of(oid);
                return self
                    .coerce(argument.clone(), &ty, CastContext::Explicit)
                    .map_err(|error| self.at(error, whole));
            }
            if returns_records(name) {
                let message = format!("could not determine row type for result of {name}");
                return Err(self.at(
                    PgError::new(SqlState::FEATURE_NOT_SUPPORTED, message).with_hint(
                        "Provide a non-null record argument, or call the function in the FROM clause using a column definition list.",
                    ),
                    whole,
                ));
            }
            let types: Vec<_> = all.iter().map(|argument| &argument.ty).collect();
            if NOT_THERE.contains(&name) {
                return Err(self.at(PgError::not_supported(format!("function {name}")), whole));
            }
            let described = if written.star { format!("{name}()") } else { signature(name, &types) };
            let error = PgError::new(SqlState::UNDEFINED_FUNCTION, format!("function {described} does not exist"));
            return Err(self.at(
                error.with_hint(
                    "No function matches the given name and argument types. You might need to add explicit type casts.",
                ),
                whole,
            ));
        };
        match found.entry {
            Entry::Function(function) => {
                self.refuse_modifiers(name, call, written, whole)?;
                let constants = constants_of(&all, &found.arguments);
                let called = self.call(function, found.arguments, all);
                called.map_err(|error| self.at_constant(error, constants, written, whole))
            }
            Entry::Set(function) => {
                self.refuse_modifiers(name, call, written, whole)?;
                self.set_in_select_list(function, found.arguments, all, whole)
            }
            Entry::Aggregate(aggregate) => {
                if all.is_empty() && !written.star {
                    let message = format!("{name}(*) must be used to call a parameterless aggregate function");
                    return Err(self.at(PgError::new(SqlState::WRONG_OBJECT_TYPE, message), whole));
                }
                self.aggregate(
                    aggregate,
                    found.arguments,
                    all,
                    direct,
                    ordered,
                    call,
                    written.distinct,
                    written.within_group,
                    whole,
                )
            }
            Entry::Window(window) => {
                let Some(over) = &call.over else {
                    let message = format!("window function {name} requires an OVER clause");
                    return Err(self.at(PgError::new(SqlState::WRONG_OBJECT_TYPE, message), whole));
                };
                if call.filter.is_some() {
                    let message = "FILTER is not implemented for non-aggregate window functions";
                    return Err(self.at(PgError::new(SqlState::FEATURE_NOT_SUPPORTED, message), whole));
                }
                self.window_call(window, found.arguments, all, over, written.null_treatment, whole)
            }
        }
    }

    /// The error of a call at the constant that is none of the type that is wanted of it, or at the call.
    fn at_constant(
        &mut self,
        error: PgError,
        constants: Vec<(usize, Typed, u32)>,
        written: &Written<'_>,
        whole: &ast::Expr,
    ) -> Error {
        for (place, constant, wanted) in constants {
            let is_wrong = self.coerce(constant, &Type::of(wanted), CastContext::Implicit).is_err();
            if let (true, Some(argument)) = (is_wrong, written.arguments.get(place)) {
                return self.at(error, *argument);
            }
        }
        self.at(error, whole)
    }

    /// What an ordered-set aggregate is ordered by counts among its arguments.
    fn ordered_arguments(&mut self, name: &str, written: &Written<'_>) -> Result<Vec<(Typed, ast::OrderByOptions)>> {
        let is_ordered_set = library::aggregates(name).iter().any(|aggregate| aggregate.kind != AggregateKind::Normal);
        if !written.within_group || !is_ordered_set {
            return Ok(Vec::new());
        }
        let entered = self.enter_arguments(name, false);
        let values: Result<Vec<_>> =
            written.order_by.iter().map(|order| Ok((self.expression(&order.expr)?, order.options))).collect();
        self.leave_arguments(entered);
        values
    }

    /// A scalar function knows none of the clauses of an aggregate.
    fn refuse_modifiers(
        &self,
        name: &str,
        call: &ast::Function,
        written: &Written<'_>,
        whole: &ast::Expr,
    ) -> Result<()> {
        let message = if written.distinct {
            format!("DISTINCT specified, but {name} is not an aggregate function")
        } else if written.within_group {
            format!("WITHIN GROUP specified, but {name} is not an aggregate function")
        } else if !written.order_by.is_empty() {
            format!("ORDER BY specified, but {name} is not an aggregate function")
        } else if call.filter.is_some() {
            format!("FILTER specified, but {name} is not an aggregate function")
        } else if call.over.is_some() {
            format!("OVER specified, but {name} is not a window function nor an aggregate function")
        } else {
            return Ok(());
        };
        Err(self.at(PgError::new(SqlState::WRONG_OBJECT_TYPE, message), whole))
    }

    /// A call by name with arguments that have been read: what the special syntax of a function stands for.
    pub(super) fn named_call(&mut self, name: &str, arguments: Vec<Typed>, whole: &ast::Expr) -> Result<Typed> {
        let found = self.resolve(name, &arguments, false).map_err(|error| self.at(error, whole))?;
        match found.map(|found| (found.entry, found.arguments)) {
            Some((Entry::Function(function), expected)) => {
                self.call(function, expected, arguments).map_err(|error| self.at(error, whole))
            }
            _ => {
                let types: Vec<_> = arguments.iter().map(|argument| &argument.ty).collect();
                let message = format!("function pg_catalog.{} does not exist", signature(name, &types));
                let error = PgError::new(SqlState::UNDEFINED_FUNCTION, message).with_hint(
                    "No function matches the given name and argument types. You might need to add explicit type casts.",
                );
                Err(self.at(error, whole))
            }
        }
    }

    /// The entry that a call means; `None` when there is none.
    pub(super) fn resolve(
        &self,
        name: &str,
        arguments: &[Typed],
        star: bool,
    ) -> pg::error::Result<Option<Candidate<Entry>>> {
        let actual: Vec<_> = arguments.iter().map(|argument| operand_number(argument.ty.oid)).collect();
        let mut candidates = Vec::new();
        let mut add = |entry: Entry, declared: &[u32], variadic: bool| {
            if let Some((arguments, variadic)) = expand(declared, variadic, actual.len()) {
                candidates.push(Candidate { entry, arguments, variadic });
            }
        };
        for function in library::functions(name) {
            add(Entry::Function(function), function.arguments, function.variadic);
        }
        // PostgreSQL has no maps: their `unnest` is none that a constant without a type could mean.
        let set_name = if name == "unnest" && actual == [MAP] { "unnest_map" } else { name };
        for function in library::set_functions(set_name) {
            add(Entry::Set(function), function.arguments, function.variadic);
        }
        for function in library::window_functions(name) {
            add(Entry::Window(function), function.arguments, false);
        }
        for aggregate in library::aggregates(name) {
            let declared: Vec<_> = aggregate.direct.iter().chain(aggregate.arguments).copied().collect();
            // count(*) has no arguments, and is not what count() means.
            if star && !declared.is_empty() {
                continue;
            }
            if aggregate.kind == AggregateKind::HypotheticalSet {
                // As many direct arguments as there are to order by, of the same types.
                if actual.len().is_multiple_of(2) && !actual.is_empty() {
                    add(Entry::Aggregate(aggregate), &vec![ANY; actual.len()], false);
                }
                continue;
            }
            add(Entry::Aggregate(aggregate), &declared, aggregate.variadic);
        }
        match choose(candidates, &actual) {
            Choice::One(found) => Ok(Some(found)),
            Choice::None => Ok(None),
            Choice::Ambiguous => {
                let types: Vec<_> = arguments.iter().map(|argument| &argument.ty).collect();
                let message = format!("function {} is not unique", signature(name, &types));
                Err(PgError::new(SqlState::AMBIGUOUS_FUNCTION, message).with_hint(
                    "Could not choose a best candidate function. You might need to add explicit type casts.",
                ))
            }
        }
    }

    /// A set-returning function in a select list: its rows multiply the query's.
    fn set_in_select_list(
        &mut self,
        function: &'static SetFunction,
        expected: Vec<u32>,
        arguments: Vec<Typed>,
        whole: &ast::Expr,
    ) -> Result<Typed> {
        let (arguments, _) = self.cast_arguments(&expected, arguments).map_err(|error| self.at(error, whole))?;
        let columns = (function.columns)(&shapes(&arguments)).map_err(|error| self.at(error, whole))?;
        let place = self.levels.last().and_then(|level| level.place);
        let in_aggregate = self.levels.last().is_some_and(|level| level.in_aggregate);
        let conditional = self.levels.last().and_then(|level| level.conditional);
        let refused = match place {
            _ if conditional.is_some() => {
                conditional.map(|form| format!("set-returning functions are not allowed in {form}"))
            }
            Some(Place::SelectList | Place::OrderBy) if in_aggregate => {
                Some("aggregate function calls cannot contain set-returning function calls".to_owned())
            }
            Some(Place::SelectList | Place::OrderBy) => None,
            Some(Place::Having) => Some("set-returning functions are not allowed in HAVING".to_owned()),
            Some(Place::Qualify) => Some("set-returning functions are not allowed in QUALIFY".to_owned()),
            Some(Place::Plain(place)) => Some(format!("set-returning functions are not allowed in {place}")),
            None => Some("set-returning functions are not allowed here".to_owned()),
        };
        if let Some(message) = refused {
            return Err(self.at(PgError::new(SqlState::FEATURE_NOT_SUPPORTED, message), whole));
        }
        let names: Vec<_> = columns.iter().map(|(name, _)| self.made_name(name)).collect();
        let values: Vec<_> = names
            .iter()
            .zip(&columns)
            .map(|(name, (_, ty))| {
                Typed::new(Expr::Column(datafusion::common::Column::new_unqualified(name)), ty.clone())
            })
            .collect();
        let column = SetColumn { function, arguments, columns: columns.clone(), names };
        self.level()?.sets.push(column);
        match <[Typed; 1]>::try_from(values) {
            Ok([single]) => Ok(single),
            Err(values) => {
                let names = columns.into_iter().map(|(name, _)| name).collect();
                self.record(names, values)
            }
        }
    }

    /// The forms that only look like functions.
    fn special_form(&mut self, name: &str, written: &Written<'_>, whole: &ast::Expr) -> Result<Option<Typed>> {
        let arguments = &written.arguments;
        let found = match (name, arguments.len()) {
            ("coalesce" | "nvl", 1..) => self.coalesce(arguments, whole)?,
            ("greatest" | "least", 1..) => self.extreme(name, arguments, whole)?,
            ("nullif", 2) => self.null_if(arguments[0], arguments[1], whole)?,
            ("nvl2", 3) => {
                let test = self.expression(arguments[0])?;
                let results = vec![self.expression(arguments[1])?, self.expression(arguments[2])?];
                let results = self.unify_each(results, "NVL2");
                let results = results.map_err(|wrong| self.at_value(wrong, &arguments[1..], whole))?;
                let ty = results[0].ty.clone();
                let mut results = results.into_iter().map(|result| Box::new(result.expr));
                let (then, otherwise) = (results.next(), results.next());
                let then = then.ok_or_else(|| PgError::internal("NVL2 has three arguments"))?;
                let case = Case::new(None, vec![(Box::new(test.expr.is_not_null()), then)], otherwise);
                Typed::new(Expr::Case(in_order(case, &ty)), ty)
            }
            ("decode", 3..) => self.decode(arguments, whole)?,
            ("row", _) => self.row(arguments)?,
            ("current_time" | "current_timestamp" | "localtime" | "localtimestamp", 1) => {
                self.rounded_clock(name, arguments[0], whole)?
            }
            ("grouping", 1..) => self.grouping_call(arguments, whole)?,
            _ => return Ok(None),
        };
        Ok(Some(found))
    }

    /// The fields of `ROW(t.*, …)`; nothing if there is no star among them.
    fn fields_with_stars(&mut self, list: &ast::FunctionArgumentList) -> Result<Option<Vec<Typed>>> {
        let is_star =
            |argument: &FunctionArg| matches!(argument, FunctionArg::Unnamed(FunctionArgExpr::QualifiedWildcard(_)));
        if !list.args.iter().any(is_star) {
            return Ok(None);
        }
        let mut fields = Vec::new();
        for argument in &list.args {
            match argument {
                FunctionArg::Unnamed(FunctionArgExpr::QualifiedWildcard(relation)) => {
                    fields.extend(self.all_columns(relation)?);
                }
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => fields.push(self.expression(expr)?),
                _ => return Ok(None),
            }
        }
        Ok(Some(fields))
    }

    /// `current_timestamp(2)`
    fn rounded_clock(&mut self, name: &str, digits: &ast::Expr, whole: &ast::Expr) -> Result<Typed> {
        /// Digits of a second that are kept.
        const DIGITS_MAX: i32 = 6;
        let written = match digits {
            ast::Expr::Value(value) => match &value.value {
                ast::Value::Number(digits, _) => digits.parse::<i32>().ok(),
                _ => None,
            },
            _ => None,
        };
        let Some(written) = written else {
            return Err(self.at(PgError::new(SqlState::SYNTAX_ERROR, "syntax error"), digits));
        };
        let value = self.named_call(name, Vec::new(), whole)?;
        let ty = Type::with_typmod(value.ty.oid, written.min(DIGITS_MAX));
        Ok(self.coerce(value, &ty, CastContext::Explicit)?)
    }

    fn coalesce(&mut self, arguments: &[&ast::Expr], whole: &ast::Expr) -> Result<Typed> {
        let values = self.in_conditional("COALESCE", |analyzer| {
            arguments.iter().map(|argument| analyzer.expression(argument)).collect::<Result<Vec<_>>>()
        })?;
        let values = self.unify_each(values, "COALESCE");
        let mut values = values.map_err(|wrong| self.at_value(wrong, arguments, whole))?;
        if values.len() == 1 {
            return Ok(values.remove(0));
        }
        let ty = values[0].ty.clone();
        // The engine would evaluate twice what is no column, and arguments that are conditions always.
        if values.iter().all(|value| matches!(value.expr, Expr::Column(_) | Expr::Literal(..))) {
            let arguments = values.into_iter().map(|value| value.expr).collect();
            return Ok(Typed::new(datafusion::functions::core::coalesce().call(arguments), ty));
        }
        let Some(mut result) = values.pop() else { return Ok(Typed::null()) };
        for value in values.into_iter().rev() {
            result = bound_once(value, "#value", |value| {
                let test = Box::new(value.expr.clone().is_not_null());
                let case = Case::new(None, vec![(test, Box::new(value.expr))], Some(Box::new(result.expr)));
                Ok::<_, Error>(Typed::new(Expr::Case(in_order(case, &ty)), ty.clone()))
            })?;
        }
        Ok(result)
    }

    /// Reads parts of a form that evaluates them only when they are needed.
    pub(super) fn in_conditional<T>(
        &mut self,
        form: &'static str,
        read: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        let before = self.level()?.conditional.replace(form);
        let result = read(self);
        self.level()?.conditional = before;
        result
    }

    /// GREATEST and LEAST, which leave NULLs out.
    fn extreme(&mut self, name: &str, arguments: &[&ast::Expr], whole: &ast::Expr) -> Result<Typed> {
        let values = arguments.iter().map(|argument| self.expression(argument)).collect::<Result<Vec<_>>>()?;
        let what = name.to_ascii_uppercase();
        let values = self.unify_each(values, &what).map_err(|wrong| self.at_value(wrong, arguments, whole))?;
        let (name, symbol) = if name == "greatest" { ("greatest", ">") } else { ("least", "<") };
        let best = extreme(name, values, |candidate, best| self.operator(symbol, vec![candidate, best]));
        best.map_err(|error| self.at(error, whole))
    }

    fn null_if(&mut self, left: &ast::Expr, right: &ast::Expr, whole: &ast::Expr) -> Result<Typed> {
        let value = self.expression(left)?;
        let other = self.expression(right)?;
        // The result is the left side as the operator takes it: nullif(integer, numeric) is a numeric.
        let found = self.find_operator("=", &[&value.ty, &other.ty]).map_err(|error| self.at(error, whole))?;
        let value = match found.arguments.first() {
            Some(oid) if !is_polymorphic(*oid) => self.coerce(value, &Type::of(*oid), CastContext::Implicit),
            _ => Ok(value),
        };
        let value = value.map_err(|error| self.at(error, whole))?;
        let null = Expr::Literal(crate::analyze::coerce::null_of(&value.ty.arrow)?, None);
        let result = bound_once(value, "#value", |value| {
            let equal = self.operator("=", vec![value.clone(), other])?;
            let case = Case::new(None, vec![(Box::new(equal.expr), Box::new(null))], Some(Box::new(value.expr)));
            Ok(Typed::new(Expr::Case(in_order(case, &value.ty)), value.ty))
        });
        result.map_err(|error: PgError| self.at(error, whole))
    }

    /// Redshift's DECODE: a CASE whose comparisons take NULLs for equal.
    fn decode(&mut self, arguments: &[&ast::Expr], whole: &ast::Expr) -> Result<Typed> {
        let operand = self.expression(arguments[0])?;
        bound_once(operand, "#operand", |operand| self.decoded(&operand, &arguments[1..], whole))
    }

    fn decoded(&mut self, operand: &Typed, pairs: &[&ast::Expr], whole: &ast::Expr) -> Result<Typed> {
        let mut tests = Vec::new();
        let mut results = Vec::new();
        for pair in pairs.chunks(2) {
            match pair {
                [search, result] => {
                    let search = self.expression(search)?;
                    let test = self.distinct_values(vec![operand.clone(), search], false);
                    tests.push(test.map_err(|error| self.at(error, whole))?.expr);
                    results.push(self.expression(result)?);
                }
                [otherwise] => results.push(self.expression(otherwise)?),
                _ => {}
            }
        }
        let has_default = results.len() > tests.len();
        let results = self.unify(results, "DECODE").map_err(|error| self.at(error, whole))?;
        let ty = results.first().map_or_else(|| Type::of(TEXT), |first| first.ty.clone());
        let mut results: Vec<_> = results.into_iter().map(|result| Box::new(result.expr)).collect();
        let otherwise = if has_default { results.pop() } else { None };
        let pairs = tests.into_iter().map(Box::new).zip(results).collect();
        Ok(Typed::new(Expr::Case(in_order(Case::new(None, pairs, otherwise), &ty)), ty))
    }

    /// Arguments in the order in which the function declares them.
    fn positional(
        &self,
        name: &str,
        arguments: Vec<Typed>,
        names: &[Option<String>],
        whole: &ast::Expr,
    ) -> Result<Vec<Typed>> {
        const NAMED: &[(&str, &[&str])] = &[
            ("make_interval", &["years", "months", "weeks", "days", "hours", "mins", "secs"]),
            ("make_date", &["year", "month", "day"]),
            ("make_time", &["hour", "min", "sec"]),
            ("make_timestamp", &["year", "month", "mday", "hour", "min", "sec"]),
            ("make_timestamptz", &["year", "month", "mday", "hour", "min", "sec", "timezone"]),
            ("jsonb_set", &["jsonb_in", "path", "replacement", "create_if_missing"]),
            ("jsonb_insert", &["jsonb_in", "path", "replacement", "insert_after"]),
            ("jsonb_path_query", &["target", "path", "vars", "silent"]),
            ("jsonb_path_exists", &["target", "path", "vars", "silent"]),
            ("jsonb_path_match", &["target", "path", "vars", "silent"]),
            ("jsonb_path_query_array", &["target", "path", "vars", "silent"]),
            ("jsonb_path_query_first", &["target", "path", "vars", "silent"]),
        ];
        let unknown = || {
            let error = PgError::new(
                SqlState::UNDEFINED_FUNCTION,
                format!("function {name} does not have arguments of these names"),
            );
            self.at(error, whole)
        };
        let declared = NAMED.iter().find(|(known, _)| *known == name).map(|(_, names)| *names).ok_or_else(unknown)?;
        let mut placed: Vec<Option<Typed>> = vec![None; declared.len()];
        for (position, (argument, given)) in arguments.into_iter().zip(names).enumerate() {
            let place = match given {
                Some(given) => declared.iter().position(|declared| declared == given).ok_or_else(unknown)?,
                None => position,
            };
            let slot = placed.get_mut(place).ok_or_else(unknown)?;
            if slot.replace(argument).is_some() {
                return Err(unknown());
            }
        }
        let count = placed.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        // What is left out between has the default 0, in all of these functions that have defaults there.
        let zero = || crate::analyze::expression::integer(0);
        Ok(placed.into_iter().take(count).map(|argument| argument.unwrap_or_else(zero)).collect())
    }

    /// The type of an aggregate's or window function's result.
    pub(super) fn result_of(
        &self,
        oid: u32,
        shape: Option<pg::function::ResultShape>,
        arguments: &[Typed],
        polymorphic: &Option<Type>,
    ) -> pg::error::Result<Type> {
        match shape {
            Some(shape) => shape(&shapes(arguments)),
            None => result_type(oid, polymorphic),
        }
    }
}

/// The arguments that are constants without a type, by their places, with the types that are wanted of them.
fn constants_of(arguments: &[Typed], expected: &[u32]) -> Vec<(usize, Typed, u32)> {
    let wanted = arguments.iter().zip(expected).enumerate();
    let unknown = wanted.filter(|(_, (argument, wanted))| argument.is_unknown() && !is_polymorphic(**wanted));
    unknown.map(|(place, (argument, wanted))| (place, argument.clone(), *wanted)).collect()
}
