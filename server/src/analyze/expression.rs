//! Expressions, form by form.

use std::collections::VecDeque;

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Case, Expr, not};
use pg::Type;
use pg::error::PgError;
use pg::function::CastContext;
use pg::sqlstate::SqlState;
use pg::types::*;
use pg::user_types::{is_composite, is_record};
use sqlparser::ast::{
    self, AccessExpr, CastKind, CeilFloorKind, DateTimeField, Subscript, TrimWhereField, UnaryOperator, Value,
};

use crate::analyze::domain::without_domain;
use crate::analyze::location::Located;
use crate::analyze::type_name::{interval_modifier, type_of};
use crate::analyze::typed::Typed;
use crate::analyze::{Analyzer, folded};
use crate::error::{Error, Result};
use crate::lazy::{bound_once, in_order};
use crate::parse::forms::clauses::ALL_FIELDS;
use crate::parse::position;

/// Stack that is kept free while an expression is read; below it, the next one is allocated.
const STACK_RED_ZONE_BYTES: usize = 128 << 10;
/// Stack that is allocated when it runs out.
const STACK_SEGMENT_BYTES: usize = 4 << 20;

impl Analyzer<'_> {
    /// An expression.
    ///
    /// # Errors
    /// Whatever is wrong with it, where it is.
    pub(super) fn expression(&mut self, expr: &ast::Expr) -> Result<Typed> {
        stacker::maybe_grow(STACK_RED_ZONE_BYTES, STACK_SEGMENT_BYTES, || self.form(expr))
    }

    fn form(&mut self, expr: &ast::Expr) -> Result<Typed> {
        use ast::Expr::*;
        match expr {
            Identifier(name) => self.column(name),
            CompoundIdentifier(parts) => self.qualified_column(parts),
            CompoundFieldAccess { root, access_chain } => self.access(root, access_chain),
            Nested(inner) => self.expression(inner),
            Value(value) => self.constant(&value.value).map_err(|error| self.placed(error, expr)),
            TypedString(typed) => {
                let ty = type_of(&typed.data_type).map_err(|error| self.at_type(error, &typed.data_type, expr))?;
                let text = Typed::unknown(string_of(&typed.value.value).unwrap_or_default());
                self.coerce(text, &ty, CastContext::Explicit).map_err(|error| self.at(error, &typed.value))
            }
            Interval(interval) => self.interval(interval),
            Cast { kind, expr: inner, data_type, array: false, format: None } => {
                if !matches!(kind, CastKind::Cast | CastKind::DoubleColon) {
                    return Err(Error::not_supported("TRY_CAST"));
                }
                let ty = type_of(data_type).map_err(|error| self.at_type(error, data_type, expr))?;
                self.cast(inner, &ty).map_err(|error| self.at_cast(error, kind, inner))
            }
            UnaryOp { op, expr: operand } => self.unary(op, operand),
            BinaryOp { left, op, right } => self.binary(expr, left, op, right),
            IsNull(operand) => self.null_test(operand, true),
            IsNotNull(operand) => self.null_test(operand, false),
            IsTrue(operand) => self.boolean_test(operand, "IS TRUE", |e| Expr::IsTrue(Box::new(e))),
            IsNotTrue(operand) => self.boolean_test(operand, "IS NOT TRUE", |e| Expr::IsNotTrue(Box::new(e))),
            IsFalse(operand) => self.boolean_test(operand, "IS FALSE", |e| Expr::IsFalse(Box::new(e))),
            IsNotFalse(operand) => self.boolean_test(operand, "IS NOT FALSE", |e| Expr::IsNotFalse(Box::new(e))),
            IsUnknown(operand) => self.boolean_test(operand, "IS UNKNOWN", |e| Expr::IsNull(Box::new(e))),
            IsNotUnknown(operand) => self.boolean_test(operand, "IS NOT UNKNOWN", |e| Expr::IsNotNull(Box::new(e))),
            IsDistinctFrom(left, right) => self.distinct(left, right, true),
            IsNotDistinctFrom(left, right) => self.distinct(left, right, false),
            InList { expr: operand, list, negated } => self.in_list(expr, operand, list, *negated),
            Between { expr: operand, negated, low, high } => self.between(expr, operand, low, high, *negated),
            Like { negated, any, expr: operand, pattern, escape_char } => {
                let symbol = if *negated { "!~~" } else { "~~" };
                if let Some((array, all)) = quantified_pattern(pattern, *any) {
                    return self.quantified_like(expr, operand, symbol, array, all);
                }
                self.like(expr, operand, pattern, escape_char.as_ref(), if *negated { "!~~" } else { "~~" })
            }
            ILike { negated, any, expr: operand, pattern, escape_char } => {
                let symbol = if *negated { "!~~*" } else { "~~*" };
                if let Some((array, all)) = quantified_pattern(pattern, *any) {
                    return self.quantified_like(expr, operand, symbol, array, all);
                }
                self.like(expr, operand, pattern, escape_char.as_ref(), symbol)
            }
            SimilarTo { negated, expr: operand, pattern, escape_char } => {
                self.similar(expr, operand, pattern, escape_char.as_ref(), *negated)
            }
            IsNormalized { expr: operand, form, negated } => {
                let mut arguments = vec![self.expression(operand)?];
                arguments.push(Typed::unknown(form.map_or("NFC".to_owned(), |form| form.to_string())));
                let found = self.named_call("is_normalized", arguments, expr)?;
                Ok(if *negated { Typed { expr: not(found.expr), ty: found.ty } } else { found })
            }
            AtTimeZone { timestamp, time_zone } => {
                let arguments = vec![self.expression(time_zone)?, self.expression(timestamp)?];
                self.named_call("timezone", arguments, expr)
            }
            Extract { field, expr: operand, .. } => {
                let arguments = vec![Typed::unknown(field_name(field)), self.expression(operand)?];
                self.named_call("extract", arguments, expr)
            }
            Ceil { expr: operand, field } => self.rounding("ceil", operand, field, expr),
            Floor { expr: operand, field } => self.rounding("floor", operand, field, expr),
            Position { expr: needle, r#in } => {
                let arguments = vec![self.expression(r#in)?, self.expression(needle)?];
                self.named_call("position", arguments, expr)
            }
            Substring { expr: operand, substring_from, substring_for, shorthand, .. } => {
                let mut arguments = vec![self.expression(operand)?];
                match (substring_from, substring_for) {
                    (None, Some(_)) => arguments.push(integer(1)),
                    (Some(from), _) => arguments.push(self.expression(from)?),
                    (None, None) => {}
                }
                if let Some(length) = substring_for {
                    arguments.push(self.expression(length)?);
                }
                self.named_call(if *shorthand { "substr" } else { "substring" }, arguments, expr)
            }
            Trim { trim_where, trim_what, expr: operand, trim_characters } => {
                let name = match trim_where {
                    Some(TrimWhereField::Leading) => "ltrim",
                    Some(TrimWhereField::Trailing) => "rtrim",
                    _ => "btrim",
                };
                let mut arguments = vec![self.expression(operand)?];
                if let Some(what) = trim_what {
                    arguments.push(self.expression(what)?);
                }
                for what in trim_characters.iter().flatten() {
                    arguments.push(self.expression(what)?);
                }
                self.named_call(name, arguments, expr)
            }
            Overlay { expr: operand, overlay_what, overlay_from, overlay_for } => {
                let mut arguments =
                    vec![self.expression(operand)?, self.expression(overlay_what)?, self.expression(overlay_from)?];
                if let Some(length) = overlay_for {
                    arguments.push(self.expression(length)?);
                }
                self.named_call("overlay", arguments, expr)
            }
            Collate { expr: operand, collation } => self.collate(operand, collation),
            Case { operand, conditions, else_result, .. } => self.in_conditional("CASE", |analyzer| {
                analyzer.case(expr, operand.as_deref(), conditions, else_result.as_deref())
            }),
            Array(array) => self.array(&array.elem, expr),
            Tuple(values) => self.row(&values.iter().collect::<Vec<_>>()),
            Function(function) => self.function(function, expr),
            Exists { subquery, negated } => self.exists(subquery, *negated),
            Subquery(query) => self.scalar_subquery(query),
            InSubquery { expr: operand, subquery, negated } => self.in_subquery(expr, operand, subquery, *negated),
            AnyOp { left, compare_op, right, .. } => self.quantified(expr, left, compare_op, right, false),
            AllOp { left, compare_op, right } => self.quantified(expr, left, compare_op, right, true),
            GroupingSets(_) | Cube(_) | Rollup(_) => {
                Err(self.at(PgError::new(SqlState::SYNTAX_ERROR, "grouping sets are allowed in GROUP BY only"), expr))
            }
            Wildcard(_) | QualifiedWildcard(..) => {
                Err(self.at(PgError::new(SqlState::SYNTAX_ERROR, "syntax error at or near \"*\""), expr))
            }
            other => Err(self.at(PgError::not_supported(format!("the expression {}", shortened(other))), expr)),
        }
    }

    /// The error with the place of this part, unless it has one.
    pub(super) fn placed(&self, error: Error, place: &impl Located) -> Error {
        match error {
            Error::Sql { error, position: None } => self.at(*error, place),
            other => other,
        }
    }

    /// The error at the name of a type; at the expression where the name has no place.
    fn at_type(&self, error: PgError, ty: &ast::DataType, expr: &ast::Expr) -> Error {
        let mut ty = ty;
        while let ast::DataType::Array(ast::ArrayElemTypeDef::SquareBracket(element, _)) = ty {
            ty = element;
        }
        let first = match ty {
            ast::DataType::Custom(name, _) => name.0.first().and_then(|part| part.as_ident()),
            _ => None,
        };
        match first {
            Some(name) => self.at_location(error, name.span.start),
            None => self.at(error, expr),
        }
    }

    fn constant(&mut self, value: &Value) -> Result<Typed> {
        Ok(match value {
            Value::Number(text, _) => number(text, &self.session)?,
            Value::Boolean(value) => Typed::boolean(*value),
            Value::Null => Typed::null(),
            Value::Placeholder(id) => self.parameter(id)?,
            // As `char(n)` without a length: its blanks stay.
            Value::NationalStringLiteral(text) => {
                self.coerce(Typed::unknown(text), &Type::of(BPCHAR), CastContext::Implicit)?
            }
            other => match string_of(other) {
                Some(text) => Typed::unknown(text),
                None => return Err(PgError::not_supported(format!("the constant {other}")).into()),
            },
        })
    }

    /// `INTERVAL '1' DAY`
    fn interval(&mut self, interval: &ast::Interval) -> Result<Typed> {
        let fields = interval.leading_field.as_ref().map(|leading| match &interval.last_field {
            Some(last) => format!("{leading} TO {last}"),
            None => leading.to_string(),
        });
        let precision = interval.fractional_seconds_precision.or(interval.leading_precision);
        let modifier = interval_modifier(fields.as_deref(), precision);
        let modifier = modifier.map_err(|error| self.at(error, interval.value.as_ref()))?;
        self.cast(&interval.value, &Type::with_typmod(INTERVAL, modifier))
    }

    /// `CAST(x AS type)`
    pub(super) fn cast(&mut self, operand: &ast::Expr, ty: &Type) -> Result<Typed> {
        // An array constructor takes the type of the cast for its elements.
        if let (ast::Expr::Array(array), Some(element)) = (operand, ty.element()) {
            return self.array_of(&array.elem, &element, ty, operand);
        }
        // A number that was written is read as what it is cast to: a float has more range than a numeric.
        if let (Some(text), FLOAT4 | FLOAT8) = (written_number(operand), ty.oid) {
            let value = self.coerce(Typed::unknown(text), ty, CastContext::Explicit);
            return value.map_err(|error| self.at(error, operand));
        }
        // So does a row: its constants are read as the fields of the composite type.
        if let (Some(values), true) = (row_values(operand), is_composite(ty.oid)) {
            let row = self.row_as_composite(&values, ty, CastContext::Explicit);
            return row.map_err(|error| self.placed(error, operand));
        }
        let value = self.expression(operand)?;
        self.coerce(value, ty, CastContext::Explicit).map_err(|error| self.at(error, operand))
    }

    /// What cannot be cast is wrong at the `::`, where PostgreSQL sees the cast.
    fn at_cast(&self, error: Error, kind: &CastKind, operand: &ast::Expr) -> Error {
        let Error::Sql { error, position } = error else { return error };
        if error.sqlstate != SqlState::CANNOT_COERCE || *kind != CastKind::DoubleColon {
            return Error::Sql { error, position };
        }
        // The place of a cast is that of its operand, so those within are passed over.
        let (mut inner, mut casts) = (operand, 0);
        while let ast::Expr::Cast { kind: CastKind::DoubleColon, expr, .. } = inner {
            (inner, casts) = (expr, casts + 1);
        }
        let begin = position::byte_offset(self.text, inner.place().end);
        let symbol = begin.and_then(|begin| {
            let mut symbols = self.text.get(begin..)?.match_indices("::");
            symbols.nth(casts).map(|(offset, _)| begin + offset)
        });
        let symbol = symbol.and_then(|offset| Some(self.text.get(..offset)?.chars().count() + 1));
        Error::Sql { error, position: symbol.or(position) }
    }

    fn unary(&mut self, op: &UnaryOperator, operand: &ast::Expr) -> Result<Typed> {
        let symbol = match op {
            UnaryOperator::Not => {
                let value = self.condition(operand, "NOT")?;
                return Ok(Typed { expr: not(value.expr), ty: value.ty });
            }
            UnaryOperator::Plus => "+",
            UnaryOperator::Minus => "-",
            UnaryOperator::BitwiseNot => "~",
            UnaryOperator::PGAbs => "@",
            UnaryOperator::PGSquareRoot => "|/",
            UnaryOperator::PGCubeRoot => "||/",
            other => {
                let message = format!("operator does not exist: {other}");
                return Err(self.at(PgError::new(SqlState::UNDEFINED_FUNCTION, message), operand));
            }
        };
        // The sign belongs to a number that is written with it: -2147483648 is an integer.
        if let ("-", Some(text)) = (symbol, written_number(operand)) {
            let negated = text.strip_prefix('-').map_or_else(|| format!("-{text}"), str::to_owned);
            return number(&negated, &self.session).map_err(|error| self.at(error, operand));
        }
        // A sign binds tighter than a power, which the parser does not know: -2 ^ 2 is 4.
        if let Some(turned) = sign_first(op, operand) {
            return self.expression(&turned);
        }
        let value = self.expression(operand)?;
        self.operator(symbol, vec![value]).map_err(|error| self.at_operator(error, operand, symbol, true))
    }

    /// An expression that must be true or false; messages name the place it stands at.
    pub(super) fn condition(&mut self, expr: &ast::Expr, place: &str) -> Result<Typed> {
        if let (Some(holds), "WHERE" | "AND") = (whole_number(expr), place) {
            return Ok(Typed::boolean(holds));
        }
        let value = self.expression(expr)?;
        self.as_condition(value, place).map_err(|error| self.at(error, expr))
    }

    pub(super) fn as_condition(&mut self, value: Typed, place: &str) -> pg::error::Result<Typed> {
        let value = without_domain(value);
        if !value.is_unknown() && value.ty.oid != BOOL {
            let message = format!("argument of {place} must be type boolean, not type {}", value.ty.name());
            return Err(PgError::new(SqlState::DATATYPE_MISMATCH, message));
        }
        self.coerce(value, &Type::of(BOOL), CastContext::Implicit)
    }

    fn null_test(&mut self, operand: &ast::Expr, is_null: bool) -> Result<Typed> {
        // Of a row, all fields must be NULL, or none.
        if let Some(values) = row_values(operand) {
            let mut tests = Vec::with_capacity(values.len());
            for value in values {
                let value = self.expression(value)?;
                tests.push(if is_null { value.expr.is_null() } else { value.expr.is_not_null() });
            }
            let all = tests.into_iter().reduce(Expr::and).unwrap_or_else(|| Typed::boolean(true).expr);
            return Ok(Typed::new(all, Type::of(BOOL)));
        }
        let value = self.expression(operand)?;
        let value = if value.is_unknown() {
            self.coerce(value, &Type::of(TEXT), CastContext::Implicit).map_err(|error| self.at(error, operand))?
        } else {
            value
        };
        if is_record(value.ty.oid) {
            let fields = self.record_fields(&value, operand)?.into_iter().map(|(_, field)| field.expr);
            let tests = fields.map(|field| if is_null { field.is_null() } else { field.is_not_null() });
            let all = tests.reduce(Expr::and).unwrap_or_else(|| Typed::boolean(true).expr);
            return Ok(Typed::new(all, Type::of(BOOL)));
        }
        let test = if is_null { value.expr.is_null() } else { value.expr.is_not_null() };
        Ok(Typed::new(test, Type::of(BOOL)))
    }

    fn boolean_test(&mut self, operand: &ast::Expr, name: &str, test: fn(Expr) -> Expr) -> Result<Typed> {
        let value = self.condition(operand, name)?;
        Ok(Typed::new(test(value.expr), Type::of(BOOL)))
    }

    fn rounding(&mut self, name: &str, operand: &ast::Expr, field: &CeilFloorKind, whole: &ast::Expr) -> Result<Typed> {
        match field {
            CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) => {
                let arguments = vec![self.expression(operand)?];
                self.named_call(name, arguments, whole)
            }
            _ => Err(self.at(PgError::not_supported(format!("{name} with a second argument")), whole)),
        }
    }

    /// Strings compare byte by byte; collations that do the same are accepted.
    fn collate(&mut self, operand: &ast::Expr, collation: &ast::ObjectName) -> Result<Typed> {
        let name = collation.0.last().and_then(|part| part.as_ident()).map(|part| part.value.clone());
        let name = name.unwrap_or_default();
        let value = self.expression(operand)?;
        if !["C", "POSIX", "default", "ucs_basic", "C.utf8", "c", "posix"].contains(&name.as_str()) {
            let message = format!("collation \"{name}\" for encoding \"UTF8\" does not exist");
            let error = PgError::new(SqlState::UNDEFINED_OBJECT, message)
                .with_hint("Strings are compared byte by byte, as collation \"C\" says.");
            return Err(self.at(error, operand));
        }
        let collatable = value.is_unknown() || matches!(value.ty.oid, TEXT | VARCHAR | BPCHAR | NAME);
        if !collatable {
            let message = format!("collations are not supported by type {}", value.ty.name());
            return Err(self.at(PgError::new(SqlState::DATATYPE_MISMATCH, message), operand));
        }
        if value.is_unknown() {
            return self.coerce(value, &Type::of(TEXT), CastContext::Implicit).map_err(|error| self.at(error, operand));
        }
        Ok(value)
    }

    fn case(
        &mut self,
        whole: &ast::Expr,
        operand: Option<&ast::Expr>,
        branches: &[ast::CaseWhen],
        otherwise: Option<&ast::Expr>,
    ) -> Result<Typed> {
        let operand = operand.map(|operand| self.expression(operand)).transpose()?;
        let operand = match operand {
            Some(operand) if operand.is_unknown() => Some(
                self.coerce(operand, &Type::of(TEXT), CastContext::Implicit).map_err(|error| self.at(error, whole))?,
            ),
            other => other,
        };
        match operand {
            Some(operand) => bound_once(operand, "#operand", |operand| {
                self.case_branches(whole, Some(&operand), branches, otherwise)
            }),
            None => self.case_branches(whole, None, branches, otherwise),
        }
    }

    fn case_branches(
        &mut self,
        whole: &ast::Expr,
        operand: Option<&Typed>,
        branches: &[ast::CaseWhen],
        otherwise: Option<&ast::Expr>,
    ) -> Result<Typed> {
        let mut conditions = Vec::with_capacity(branches.len());
        let mut results = VecDeque::with_capacity(branches.len() + 1);
        for branch in branches {
            let condition = match operand {
                None => self.condition(&branch.condition, "CASE/WHEN")?,
                Some(operand) => {
                    let value = self.expression(&branch.condition)?;
                    let compared = self.operator("=", vec![operand.clone(), value]);
                    compared.map_err(|error| self.at(error, &branch.condition))?
                }
            };
            conditions.push(condition.expr);
            results.push_back(self.expression(&branch.result)?);
        }
        // The default counts first where the type is chosen.
        results.push_front(match otherwise {
            Some(otherwise) => self.expression(otherwise)?,
            None => Typed::null(),
        });
        let mut results = self
            .unify_each(results.into(), "CASE")
            .map_err(|wrong| {
                let default = otherwise.unwrap_or(whole);
                let written = std::iter::once(default).chain(branches.iter().map(|branch| &branch.result));
                self.at_value(wrong, &written.collect::<Vec<_>>(), whole)
            })?
            .into_iter();
        let otherwise = results.next().unwrap_or_else(Typed::null);
        let (ty, otherwise) = (otherwise.ty, Some(Box::new(otherwise.expr)));
        let pairs = conditions.into_iter().zip(results).map(|(when, then)| (Box::new(when), Box::new(then.expr)));
        Ok(Typed::new(Expr::Case(in_order(Case::new(None, pairs.collect(), otherwise), &ty)), ty))
    }

    /// `ARRAY[…]`
    fn array(&mut self, elements: &[ast::Expr], whole: &ast::Expr) -> Result<Typed> {
        if elements.is_empty() {
            let error = PgError::new(SqlState::INDETERMINATE_DATATYPE, "cannot determine type of empty array")
                .with_hint("Explicitly cast to the desired type, for example ARRAY[]::integer[].");
            return Err(self.at(error, whole));
        }
        let mut values = Vec::with_capacity(elements.len());
        for element in elements {
            values.push(self.expression(element)?);
        }
        let values = self.unify_each(values, "ARRAY");
        let values = values.map_err(|wrong| self.at_value(wrong, &elements.iter().collect::<Vec<_>>(), whole))?;
        self.named_call("array_constructor", values, whole)
    }

    /// `ARRAY[…]::type[]`
    fn array_of(&mut self, elements: &[ast::Expr], element: &Type, ty: &Type, whole: &ast::Expr) -> Result<Typed> {
        if elements.is_empty() {
            return self.coerce(Typed::unknown("{}"), ty, CastContext::Explicit).map_err(|error| self.at(error, whole));
        }
        let mut values = Vec::with_capacity(elements.len());
        for written in elements {
            let value = match written {
                ast::Expr::Array(inner) => self.array_of(&inner.elem, element, ty, written)?,
                row if row_values(row).is_some() && is_composite(element.oid) => self.cast(row, element)?,
                other => {
                    let value = self.expression(other)?;
                    let wanted = if element_type(value.ty.oid).is_some() { ty } else { element };
                    self.coerce(value, wanted, CastContext::Explicit).map_err(|error| self.at(error, other))?
                }
            };
            values.push(value);
        }
        let values = self.same_arrow(values).map_err(|error| self.at(error, whole))?;
        self.named_call("array_constructor", values, whole)
    }

    /// `ROW(…)` or `(a, b)`
    pub(super) fn row(&mut self, values: &[&ast::Expr]) -> Result<Typed> {
        let mut fields = Vec::with_capacity(values.len());
        for value in values {
            if let ast::Expr::QualifiedWildcard(relation, _) = value {
                fields.extend(self.all_columns(relation)?);
                continue;
            }
            fields.push(self.expression(value)?);
        }
        self.row_of(fields)
    }

    /// The row of these fields.
    pub(super) fn row_of(&mut self, fields: Vec<Typed>) -> Result<Typed> {
        let mut typed = Vec::with_capacity(fields.len());
        for value in fields {
            typed.push(match value.is_unknown() {
                true => self.coerce(value, &Type::of(TEXT), CastContext::Implicit)?,
                false => value,
            });
        }
        let names = (1..=typed.len()).map(|number| format!("f{number}")).collect();
        self.record(names, typed)
    }

    /// The columns of a relation, as `t.*` stands for them.
    pub(super) fn all_columns(&mut self, relation: &ast::ObjectName) -> Result<Vec<Typed>> {
        let parts = crate::plan::relations::parts(relation)?;
        Ok(self.qualified_wildcard(&parts, relation)?.into_iter().map(|(_, value)| value).collect())
    }

    /// `x[1]`, `x[1:2]`, `(x).field`
    fn access(&mut self, root: &ast::Expr, chain: &[AccessExpr]) -> Result<Typed> {
        // `t.a[1]` comes as `t` with a chain: as many names as there are belong together.
        let mut names: Vec<ast::Ident> = Vec::new();
        let mut rest = chain;
        if let ast::Expr::Identifier(first) = root {
            names.push(first.clone());
            while let [AccessExpr::Dot(ast::Expr::Identifier(name)), more @ ..] = rest {
                names.push(name.clone());
                rest = more;
            }
        }
        let mut value = match names.as_slice() {
            [] => self.expression(root)?,
            [one] => self.column(one)?,
            several => self.qualified_column(several)?,
        };
        while !rest.is_empty() {
            let count = rest.iter().take_while(|access| matches!(access, AccessExpr::Subscript(_))).count();
            if count > 0 {
                value = self.subscripts(value, &rest[..count], root)?;
                rest = &rest[count..];
                continue;
            }
            match &rest[0] {
                AccessExpr::Dot(ast::Expr::Identifier(name)) if name.value == ALL_FIELDS => {
                    let message = "row expansion via \"*\" is not supported here";
                    return Err(self.at(PgError::new(SqlState::FEATURE_NOT_SUPPORTED, message), root));
                }
                AccessExpr::Dot(ast::Expr::Identifier(name)) => value = self.field(value, name)?,
                other => return Err(self.at(PgError::not_supported(format!("the access .{other}")), root)),
            }
            rest = &rest[1..];
        }
        Ok(value)
    }

    /// `name[n]`: a name is 64 bytes, counted from 0; those behind its end are zeros, which `"char"` shows as nothing.
    fn byte_of_name(&mut self, value: Typed, chain: &[AccessExpr], place: &ast::Expr) -> Result<Typed> {
        let [AccessExpr::Subscript(Subscript::Index { index })] = chain else {
            return Err(self.at(PgError::not_supported("a slice of a name"), place));
        };
        let (text, index) = (self.coerce(value, &Type::of(TEXT), CastContext::Implicit)?, self.expression(index)?);
        let one = Typed::constant(ScalarValue::Int32(Some(1)), Type::of(INT4));
        let number = self.operator("+", vec![index, one.clone()])?;
        let byte = self.named_call("substr", vec![text, number, one], place)?;
        Ok(self.coerce(byte, &Type::of(CHAR), CastContext::Explicit)?)
    }

    fn subscripts(&mut self, value: Typed, chain: &[AccessExpr], place: &ast::Expr) -> Result<Typed> {
        if value.ty.oid == JSONB {
            return self.json_subscripts(value, chain, place);
        }
        if matches!(value.ty.arrow, arrow::datatypes::DataType::Map(..)) {
            let mut value = value;
            for access in chain {
                let AccessExpr::Subscript(Subscript::Index { index }) = access else {
                    return Err(self.at(PgError::not_supported("a slice of a map"), place));
                };
                let key = self.expression(index)?;
                value = self.named_call("map_get", vec![value, key], place)?;
            }
            return Ok(value);
        }
        let value = without_domain(value);
        if value.ty.oid == NAME {
            return self.byte_of_name(value, chain, place);
        }
        if element_type(value.ty.oid).is_none() {
            let message = format!("cannot subscript type {} because it does not support subscripting", value.ty.name());
            return Err(self.at(PgError::new(SqlState::DATATYPE_MISMATCH, message), place));
        }
        let is_slice = chain.iter().any(|access| matches!(access, AccessExpr::Subscript(Subscript::Slice { .. })));
        let mut arguments = vec![value];
        for access in chain {
            let bounds: Vec<Option<&ast::Expr>> = match access {
                AccessExpr::Subscript(Subscript::Index { index }) if is_slice => vec![None, Some(index)],
                AccessExpr::Subscript(Subscript::Index { index }) => vec![Some(index)],
                AccessExpr::Subscript(Subscript::Slice { lower_bound, upper_bound, stride: None }) => {
                    vec![lower_bound.as_ref(), upper_bound.as_ref()]
                }
                _ => return Err(self.at(PgError::new(SqlState::SYNTAX_ERROR, "invalid subscript"), place)),
            };
            let single = bounds.len() == 2 && matches!(access, AccessExpr::Subscript(Subscript::Index { .. }));
            for (position, bound) in bounds.into_iter().enumerate() {
                let bound = match bound {
                    Some(bound) => {
                        let value = self.expression(bound)?;
                        let wanted = Type::of(INT4);
                        let value = self.coerce(value, &wanted, CastContext::Assignment);
                        let value = value.map_err(|error| self.at(error, bound))?;
                        // A bound that is NULL makes the slice NULL; one that was left out does not.
                        if is_slice && value.value().is_some_and(ScalarValue::is_null) {
                            let ty = arguments[0].ty.clone();
                            return Ok(Typed::constant(crate::analyze::coerce::null_of(&ty.arrow)?, ty));
                        }
                        value
                    }
                    // In a slice, a lone subscript is an upper bound.
                    None if single => integer(1),
                    None => integer(if position == 0 { i32::MIN } else { i32::MAX }),
                };
                arguments.push(bound);
            }
        }
        self.named_call(if is_slice { "array_slice" } else { "array_subscript" }, arguments, place)
    }

    /// `json['a'][1]` is what the path `{a,1}` leads to.
    fn json_subscripts(&mut self, value: Typed, chain: &[AccessExpr], place: &ast::Expr) -> Result<Typed> {
        let mut path = Vec::with_capacity(chain.len());
        for access in chain {
            let AccessExpr::Subscript(Subscript::Index { index }) = access else {
                let message = "jsonb subscript does not support slices";
                return Err(self.at(PgError::new(SqlState::DATATYPE_MISMATCH, message), place));
            };
            let key = self.expression(index)?;
            let (name, context) = (
                key.ty.name(),
                match key.ty.oid {
                    INT2 | INT4 => CastContext::Explicit,
                    _ => CastContext::Implicit,
                },
            );
            let key = self.coerce(key, &Type::of(TEXT), context).map_err(|_| {
                let error =
                    PgError::new(SqlState::DATATYPE_MISMATCH, format!("subscript type {name} is not supported"));
                self.at(error.with_hint("jsonb subscript must be coercible to either integer or text."), index)
            })?;
            path.push(key);
        }
        let path = self.named_call("array_constructor", path, place)?;
        self.operator("#>", vec![value, path]).map_err(|error| self.at(error, place))
    }
}

/// The fields of a row constructor: `(a, b)` or `ROW(a, b)`.
pub(super) fn row_values(expr: &ast::Expr) -> Option<Vec<&ast::Expr>> {
    match expr {
        ast::Expr::Tuple(values) => Some(values.iter().collect()),
        ast::Expr::Nested(inner) => row_values(inner),
        ast::Expr::Function(function) => {
            let [part] = function.name.0.as_slice() else { return None };
            if part.as_ident().is_none_or(|name| folded(name) != "row" || name.quote_style.is_some()) {
                return None;
            }
            let ast::FunctionArguments::List(list) = &function.args else { return None };
            list.args.iter().map(plain_argument).collect()
        }
        _ => None,
    }
}

/// `LIKE ANY (array)` and `LIKE ALL (array)`: the array, and whether all are meant.
fn quantified_pattern(pattern: &ast::Expr, any: bool) -> Option<(&ast::Expr, bool)> {
    if any {
        return Some((pattern, false));
    }
    let ast::Expr::Function(function) = pattern else { return None };
    let name = function.name.0.last().and_then(|part| part.as_ident()).map(folded)?;
    let all = match name.as_str() {
        "any" | "some" => false,
        "all" => true,
        _ => return None,
    };
    match &function.args {
        ast::FunctionArguments::List(list) => match list.args.as_slice() {
            [argument] => plain_argument(argument).map(|array| (array, all)),
            _ => None,
        },
        _ => None,
    }
}

/// `-(a ^ b)`, as it was parsed, as `(-a) ^ b`, as it was written.
fn sign_first(op: &UnaryOperator, operand: &ast::Expr) -> Option<ast::Expr> {
    if !matches!(op, UnaryOperator::Minus | UnaryOperator::Plus) {
        return None;
    }
    let ast::Expr::BinaryOp { left, op: power @ ast::BinaryOperator::PGExp, right } = operand else { return None };
    let signed = sign_first(op, left).unwrap_or_else(|| ast::Expr::UnaryOp { op: *op, expr: left.clone() });
    Some(ast::Expr::BinaryOp { left: Box::new(signed), op: power.clone(), right: right.clone() })
}

/// The text of a number, with its sign.
fn written_number(expr: &ast::Expr) -> Option<String> {
    match expr {
        ast::Expr::Value(value) => match &value.value {
            Value::Number(text, _) => Some(text.clone()),
            _ => None,
        },
        ast::Expr::Nested(inner) => written_number(inner),
        ast::Expr::UnaryOp { op: UnaryOperator::Minus, expr } => {
            written_number(expr).filter(|text| !text.starts_with('-')).map(|text| format!("-{text}"))
        }
        _ => None,
    }
}

/// Whether a whole number that stands for a condition holds: clients of Redshift begin with `WHERE 1` what they add conditions
/// to. PostgreSQL refuses it.
fn whole_number(expr: &ast::Expr) -> Option<bool> {
    let text = written_number(expr)?;
    text.parse::<i32>().ok().map(|number| number != 0)
}

fn plain_argument(argument: &ast::FunctionArg) -> Option<&ast::Expr> {
    match argument {
        ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(expr)) => Some(expr),
        _ => None,
    }
}

/// An `integer`.
pub(super) fn integer(value: i32) -> Typed {
    Typed::constant(ScalarValue::Int32(Some(value)), Type::of(INT4))
}

/// A number as it was written: the first of integer, bigint and numeric that holds it.
fn number(text: &str, session: &pg::SessionValues) -> pg::error::Result<Typed> {
    if text.strip_prefix('-').unwrap_or(text).bytes().all(|byte| byte.is_ascii_digit()) {
        if let Ok(value) = text.parse() {
            return Ok(integer(value));
        }
        if let Ok(value) = text.parse() {
            return Ok(Typed::constant(ScalarValue::Int64(Some(value)), Type::of(INT8)));
        }
    }
    match pg::input::value(&Type::of(NUMERIC), text, session) {
        Ok((ty, value)) => Ok(Typed::constant(value, ty)),
        Err(_) => too_wide(text, session),
    }
}

/// A number with more digits than a numeric can have here. It may still become a float, which [`Analyzer::coerce`] reads
/// from the text; as a numeric it is an error when it is evaluated.
fn too_wide(text: &str, session: &pg::SessionValues) -> pg::error::Result<Typed> {
    let text = Typed::constant(ScalarValue::Utf8View(Some(text.to_owned())), Type::of(TEXT));
    let read = &pg::library::cast::FROM_TEXT;
    crate::analyze::call::bound_call(read, vec![text], Type::of(NUMERIC), CastContext::Implicit, session)
}

/// The text of a number with more digits than a numeric can have here.
pub(super) fn text_of_too_wide(value: &Typed) -> Option<&str> {
    let Expr::ScalarFunction(call) = &value.expr else { return None };
    let [Expr::Literal(ScalarValue::Utf8View(Some(text)), _)] = call.args.as_slice() else { return None };
    let function: &dyn std::any::Any = call.func.inner().as_ref();
    let function = function.downcast_ref::<pg::function::BoundFunction>()?;
    let read = value.ty.oid == NUMERIC && std::ptr::eq(function.function(), &pg::library::cast::FROM_TEXT);
    read.then_some(text)
}

/// The text of a string constant, whatever its quotes.
pub(super) fn string_of(value: &Value) -> Option<String> {
    match value {
        Value::SingleQuotedString(text)
        | Value::EscapedStringLiteral(text)
        | Value::UnicodeStringLiteral(text)
        | Value::NationalStringLiteral(text) => Some(text.clone()),
        Value::DollarQuotedString(text) => Some(text.value.clone()),
        _ => None,
    }
}

fn field_name(field: &DateTimeField) -> String {
    match field {
        DateTimeField::Custom(name) => folded(name),
        other => other.to_string().to_ascii_lowercase(),
    }
}

/// The beginning of an expression, for a message.
fn shortened(expr: &ast::Expr) -> String {
    const CHARACTERS_MAX: usize = 60;
    let text = expr.to_string();
    match text.char_indices().nth(CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
