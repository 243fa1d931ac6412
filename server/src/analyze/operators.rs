//! Operators: binary ones, and the forms that are spelled with words.

use datafusion::common::tree_node::TreeNode;
use datafusion::logical_expr::{BinaryExpr, Expr, Like, Operator, Volatility, not};
use pg::Type;
use pg::error::PgError;
use pg::function::{CastContext, Method};
use pg::sqlstate::SqlState;
use pg::types::*;
use sqlparser::ast::{self, BinaryOperator, ValueWithSpan};

use crate::analyze::Analyzer;
use crate::analyze::expression::{row_values, string_of};
use crate::analyze::location::Located;
use crate::analyze::typed::Typed;
use crate::error::Result;
use crate::lazy::connected;
use crate::parse::forms::marks::escaped;
use crate::parse::position;

impl Analyzer<'_> {
    /// The error at an operator, which stands behind its left operand or before its only one.
    pub(super) fn at_operator(
        &self,
        error: PgError,
        operand: &impl Located,
        symbol: &str,
        before: bool,
    ) -> crate::error::Error {
        let span = operand.place();
        let found = match before {
            true => {
                position::byte_offset(self.text, span.start).and_then(|offset| self.text.get(..offset)?.rfind(symbol))
            }
            false => position::byte_offset(self.text, span.end)
                .and_then(|offset| Some(offset + self.text.get(offset..)?.find(symbol)?)),
        };
        let position = found.and_then(|offset| Some(self.text.get(..offset)?.chars().count() + 1));
        crate::error::Error::Sql { error: Box::new(error), position }
    }

    pub(super) fn binary(
        &mut self,
        whole: &ast::Expr,
        left: &ast::Expr,
        op: &BinaryOperator,
        right: &ast::Expr,
    ) -> Result<Typed> {
        match op {
            BinaryOperator::And | BinaryOperator::Or => return self.connective(whole, op),
            BinaryOperator::Overlaps => return self.overlaps(left, right),
            _ => {}
        }
        let symbol = match op {
            BinaryOperator::PGCustomBinaryOperator(parts) => parts.last().cloned().unwrap_or_default(),
            BinaryOperator::NotEq => "<>".to_owned(),
            other => other.to_string(),
        };
        if let (Some(left_row), Some(right_row)) = (row_values(left), row_values(right)) {
            return self.row_comparison(whole, &symbol, &left_row, &right_row);
        }
        if let (Some(left_row), ast::Expr::Subquery(query)) = (row_values(left), right) {
            return self.row_and_subquery(whole, &symbol, &left_row, query);
        }
        let operands = vec![self.expression(left)?, self.expression(right)?];
        let read_right = operands[1].is_unknown();
        self.operator(&symbol, operands).map_err(|error| match error.sqlstate.code().starts_with("22") {
            // A constant that cannot be read as what the operator takes.
            true if read_right => self.at(error, right),
            true => self.at(error, left),
            false => self.at_operator(error, left, &symbol, false),
        })
    }

    /// A chain of AND or OR. However long it is, it becomes an expression of little depth.
    fn connective(&mut self, whole: &ast::Expr, op: &BinaryOperator) -> Result<Typed> {
        let (operator, name) = match op {
            BinaryOperator::And => (Operator::And, "AND"),
            _ => (Operator::Or, "OR"),
        };
        let mut conditions = Vec::new();
        let mut pending = vec![whole];
        while let Some(next) = pending.pop() {
            match next {
                ast::Expr::BinaryOp { left, op: found, right } if found == op => {
                    pending.extend([right.as_ref(), left.as_ref()]);
                }
                operand => conditions.push(self.condition(operand, name)?.expr),
            }
        }
        Ok(Typed::new(connected(conditions, operator), Type::of(BOOL)))
    }

    fn overlaps(&mut self, left: &ast::Expr, right: &ast::Expr) -> Result<Typed> {
        let (left_row, right_row) = (row_values(left).unwrap_or_default(), row_values(right).unwrap_or_default());
        let ([start, end], [other_start, other_end]) = (left_row.as_slice(), right_row.as_slice()) else {
            let message = "wrong number of parameters on left side of OVERLAPS expression";
            return Err(self.at(PgError::new(SqlState::SYNTAX_ERROR, message), left));
        };
        let mut arguments = Vec::with_capacity(4);
        for argument in [start, end, other_start, other_end] {
            arguments.push(self.expression(argument)?);
        }
        self.named_call("overlaps", arguments, left)
    }

    /// `(a, b) < (c, d)`, field by field.
    fn row_comparison(
        &mut self,
        whole: &ast::Expr,
        symbol: &str,
        left: &[&ast::Expr],
        right: &[&ast::Expr],
    ) -> Result<Typed> {
        if left.len() != right.len() {
            let error = PgError::new(SqlState::SYNTAX_ERROR, "unequal number of entries in row expressions");
            return Err(self.at(error, whole));
        }
        let mut pairs = Vec::with_capacity(left.len());
        for (left, right) in left.iter().zip(right) {
            pairs.push((self.expression(left)?, self.expression(right)?));
        }
        self.compare_pairs(symbol, pairs).map_err(|error| self.at(error, whole))
    }

    /// Compares rows field by field.
    pub(super) fn compare_pairs(&mut self, symbol: &str, pairs: Vec<(Typed, Typed)>) -> pg::error::Result<Typed> {
        let boolean = Type::of(BOOL);
        match symbol {
            "=" | "<>" => {
                let mut tests = Vec::with_capacity(pairs.len());
                for (left, right) in pairs {
                    tests.push(self.operator(symbol, vec![left, right])?.expr);
                }
                let operator = if symbol == "=" { Operator::And } else { Operator::Or };
                Ok(Typed::new(connected(tests, operator), boolean))
            }
            "<" | "<=" | ">" | ">=" => {
                let strict = &symbol[..1];
                let mut pairs = pairs.into_iter().rev();
                let Some((left, right)) = pairs.next() else {
                    return Err(PgError::not_supported("a comparison of rows without fields"));
                };
                let mut test = self.operator(symbol, vec![left, right])?.expr;
                for (left, right) in pairs {
                    let before = self.operator(strict, vec![left.clone(), right.clone()])?.expr;
                    let equal = self.operator("=", vec![left, right])?.expr;
                    test = before.or(equal.and(test));
                }
                Ok(Typed::new(test, boolean))
            }
            other => {
                let message = format!("operator {other} is not supported between rows");
                Err(PgError::new(SqlState::FEATURE_NOT_SUPPORTED, message))
            }
        }
    }

    /// `IS [NOT] DISTINCT FROM`
    pub(super) fn distinct(&mut self, left: &ast::Expr, right: &ast::Expr, negated: bool) -> Result<Typed> {
        if let (Some(lefts), Some(rights)) = (row_values(left), row_values(right))
            && lefts.len() == rights.len()
        {
            let mut tests = Vec::with_capacity(lefts.len());
            for (left, right) in lefts.into_iter().zip(rights) {
                tests.push(self.distinct(left, right, negated)?.expr);
            }
            let operator = if negated { Operator::Or } else { Operator::And };
            return Ok(Typed::new(connected(tests, operator), Type::of(BOOL)));
        }
        let operands = vec![self.expression(left)?, self.expression(right)?];
        self.distinct_values(operands, negated).map_err(|error| self.at(error, left))
    }

    /// `IS [NOT] DISTINCT FROM` of values.
    pub(super) fn distinct_values(&mut self, operands: Vec<Typed>, negated: bool) -> pg::error::Result<Typed> {
        let types: Vec<_> = operands.iter().map(|operand| &operand.ty).collect();
        let found = self.find_operator("=", &types)?;
        let is_native = matches!(found.entry.method, Method::Native(_));
        let equal = self.call(found.entry, found.arguments.clone(), operands.clone())?;
        let expr = match equal.expr {
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) if is_native => {
                let op = if negated { Operator::IsDistinctFrom } else { Operator::IsNotDistinctFrom };
                Expr::BinaryExpr(BinaryExpr { left, op, right })
            }
            equal => {
                let (operands, _) = self.cast_arguments(&found.arguments, operands)?;
                let [left, right] = operands.try_into().map_err(|_| PgError::internal("= has two operands"))?;
                let both_null = left.expr.clone().is_null().and(right.expr.clone().is_null());
                let same = both_null.or(Expr::IsTrue(Box::new(equal)));
                if negated { not(same) } else { same }
            }
        };
        Ok(Typed::new(expr, Type::of(BOOL)))
    }

    pub(super) fn between(
        &mut self,
        whole: &ast::Expr,
        operand: &ast::Expr,
        low: &ast::Expr,
        high: &ast::Expr,
        negated: bool,
    ) -> Result<Typed> {
        let value = self.expression(operand)?;
        let mut low_expr = low.clone();
        let symmetric = take_symmetry(&mut low_expr);
        let low = self.expression(&low_expr)?;
        let high = self.expression(high)?;
        if symmetric {
            let straight = self.between_values(whole, &value, low.clone(), high.clone(), negated)?;
            let turned = self.between_values(whole, &value, high, low, negated)?;
            let expr = if negated { straight.expr.and(turned.expr) } else { straight.expr.or(turned.expr) };
            return Ok(Typed::new(expr, Type::of(BOOL)));
        }
        self.between_values(whole, &value, low, high, negated)
    }

    fn between_values(
        &mut self,
        whole: &ast::Expr,
        value: &Typed,
        low: Typed,
        high: Typed,
        negated: bool,
    ) -> Result<Typed> {
        let test = |analyzer: &mut Self, symbol: &str, bound: Typed| {
            let test = analyzer.operator(symbol, vec![value.clone(), bound]);
            test.map_err(|error| analyzer.at(error, whole))
        };
        let (low, high) = match negated {
            false => (test(self, ">=", low)?, test(self, "<=", high)?),
            true => (test(self, "<", low)?, test(self, ">", high)?),
        };
        let operator = if negated { Operator::Or } else { Operator::And };
        Ok(Typed::new(connected(vec![low.expr, high.expr], operator), Type::of(BOOL)))
    }

    pub(super) fn in_list(
        &mut self,
        whole: &ast::Expr,
        operand: &ast::Expr,
        list: &[ast::Expr],
        negated: bool,
    ) -> Result<Typed> {
        if let Some(row) = row_values(operand) {
            return self.row_in_list(whole, &row, list, negated);
        }
        let value = self.expression(operand)?;
        let mut elements = Vec::with_capacity(list.len());
        for element in list {
            elements.push(self.expression(element)?);
        }
        let symbol = if negated { "<>" } else { "=" };
        // All of one type: one list for the engine, which hashes it and prunes by it.
        let oids: Vec<_> = std::iter::once(value.ty.oid).chain(elements.iter().map(|it| it.ty.oid)).collect();
        let wanted = crate::analyze::coerce::common_type(&oids).map(Type::of);
        if let Some(wanted) = wanted {
            let found = self.find_operator("=", &[&wanted, &wanted]).map_err(|error| self.at(error, whole))?;
            if matches!(found.entry.method, Method::Native(_)) && found.arguments == [wanted.oid, wanted.oid] {
                return self.native_list(whole, value, elements, &wanted, negated);
            }
        }
        let mut tests = Vec::with_capacity(elements.len());
        for (element, written) in elements.into_iter().zip(list) {
            let test = self.operator(symbol, vec![value.clone(), element]);
            tests.push(test.map_err(|error| self.at(error, written))?.expr);
        }
        let operator = if negated { Operator::And } else { Operator::Or };
        Ok(Typed::new(connected(tests, operator), Type::of(BOOL)))
    }

    fn native_list(
        &mut self,
        whole: &ast::Expr,
        value: Typed,
        elements: Vec<Typed>,
        wanted: &Type,
        negated: bool,
    ) -> Result<Typed> {
        let mut all = Vec::with_capacity(elements.len() + 1);
        for value in std::iter::once(value).chain(elements) {
            let cast = self.coerce(value, wanted, CastContext::Implicit);
            let cast = cast.and_then(crate::analyze::coerce::without_blanks);
            all.push(cast.map_err(|error| self.at(error, whole))?);
        }
        let mut all = all.into_iter();
        let Some(first) = all.next() else {
            return Err(self.at(PgError::internal("IN lacks its operand"), whole));
        };
        // A constant of another scale becomes the column's, where it is the same number there.
        let mut list = Vec::new();
        let mut others = Vec::new();
        for element in all {
            let (left, right) = crate::analyze::call::comparable(first.clone(), element.clone())?;
            let is_listed = left.ty.arrow == first.ty.arrow && is_constant(&right.expr);
            if is_listed { list.push(right.expr) } else { others.push(element) }
        }
        let mut tests = Vec::new();
        if !list.is_empty() {
            tests.push(first.expr.clone().in_list(list, negated));
        }
        for element in others {
            let symbol = if negated { "<>" } else { "=" };
            tests.push(self.operator(symbol, vec![first.clone(), element])?.expr);
        }
        let operator = if negated { Operator::And } else { Operator::Or };
        Ok(Typed::new(connected(tests, operator), Type::of(BOOL)))
    }

    fn row_in_list(
        &mut self,
        whole: &ast::Expr,
        row: &[&ast::Expr],
        list: &[ast::Expr],
        negated: bool,
    ) -> Result<Typed> {
        let mut tests = Vec::with_capacity(list.len());
        for element in list {
            let Some(other) = row_values(element) else {
                return Err(self.at(PgError::not_supported("IN with a row and something else"), whole));
            };
            let test = self.row_comparison(whole, if negated { "<>" } else { "=" }, row, &other)?;
            tests.push(test.expr);
        }
        let operator = if negated { Operator::And } else { Operator::Or };
        Ok(Typed::new(connected(tests, operator), Type::of(BOOL)))
    }

    pub(super) fn like(
        &mut self,
        whole: &ast::Expr,
        operand: &ast::Expr,
        pattern: &ast::Expr,
        escape: Option<&ValueWithSpan>,
        symbol: &str,
    ) -> Result<Typed> {
        let value = self.expression(operand)?;
        let (mut pattern_value, escape) = self.pattern(pattern, escape)?;
        if let Some(escape) = escape {
            pattern_value = self.named_call("like_escape", vec![pattern_value, escape], whole)?;
        }
        if let Some(native) = native_like(&value, &pattern_value, symbol) {
            return Ok(native);
        }
        self.operator(symbol, vec![value, pattern_value]).map_err(|error| self.at_operator(error, operand, "", false))
    }

    /// A pattern, and what stands behind ESCAPE.
    fn pattern(&mut self, pattern: &ast::Expr, escape: Option<&ValueWithSpan>) -> Result<(Typed, Option<Typed>)> {
        if let Some((pattern, escape)) = escaped(pattern) {
            return Ok((self.expression(&pattern)?, Some(self.expression(&escape)?)));
        }
        let escape = escape.map(|escape| string_of(&escape.value).map_or_else(Typed::null, Typed::unknown));
        Ok((self.expression(pattern)?, escape))
    }

    pub(super) fn similar(
        &mut self,
        whole: &ast::Expr,
        operand: &ast::Expr,
        pattern: &ast::Expr,
        escape: Option<&ValueWithSpan>,
        negated: bool,
    ) -> Result<Typed> {
        let value = self.expression(operand)?;
        let (pattern, escape) = self.pattern(pattern, escape)?;
        let arguments = std::iter::once(pattern).chain(escape).collect();
        let expression = self.named_call("similar_to_escape", arguments, whole)?;
        let symbol = if negated { "!~" } else { "~" };
        self.operator(symbol, vec![value, expression]).map_err(|error| self.at(error, whole))
    }
}

/// Takes the mark of BETWEEN SYMMETRIC from the beginning of the lower bound.
fn take_symmetry(low: &mut ast::Expr) -> bool {
    match low {
        ast::Expr::UnaryOp { op: ast::UnaryOperator::PGPrefixFactorial, expr } => {
            *low = expr.as_ref().clone();
            true
        }
        ast::Expr::BinaryOp { left, .. } => take_symmetry(left),
        ast::Expr::Cast { expr, .. } | ast::Expr::Collate { expr, .. } => take_symmetry(expr),
        ast::Expr::AtTimeZone { timestamp, .. } => take_symmetry(timestamp),
        ast::Expr::CompoundFieldAccess { root, .. } => take_symmetry(root),
        _ => false,
    }
}

/// LIKE with a constant pattern by the engine, which prunes files by its beginning.
fn native_like(value: &Typed, pattern: &Typed, symbol: &str) -> Option<Typed> {
    if !matches!(value.ty.oid, TEXT | VARCHAR) || !matches!(symbol, "~~" | "!~~") {
        return None;
    }
    let text = pattern.text()?;
    // A pattern that ends within an escape is an error of the function's.
    let trailing = text.bytes().rev().take_while(|byte| *byte == b'\\').count();
    if trailing % 2 == 1 {
        return None;
    }
    let like = Like::new(symbol == "!~~", Box::new(value.expr.clone()), Box::new(pattern.expr.clone()), None, false);
    Some(Typed::new(Expr::Like(like), Type::of(BOOL)))
}

/// Whether the value is the same for all rows, and the engine finds it so: a CASE over no rows looks to it like a constant
/// that is NULL.
fn is_constant(expr: &Expr) -> bool {
    let varies = |node: &Expr| {
        let is_volatile =
            matches!(node, Expr::ScalarFunction(call) if call.func.signature().volatility == Volatility::Volatile);
        let is_outer = matches!(node, Expr::Column(_) | Expr::OuterReferenceColumn(..) | Expr::ScalarSubquery(_));
        Ok(is_volatile || is_outer || matches!(node, Expr::Case(_)))
    };
    !expr.exists(varies).unwrap_or(true)
}
