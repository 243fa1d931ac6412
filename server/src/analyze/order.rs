//! ORDER BY, LIMIT, OFFSET, FETCH.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::Sort;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use pg::Type;
use pg::error::PgError;
use pg::function::CastContext;
use pg::sqlstate::SqlState;
use pg::types::*;
use sqlparser::ast::{self, LimitClause, OrderByKind, OrderByOptions};

use crate::analyze::coerce::can_coerce;
use crate::analyze::correlation::Under;
use crate::analyze::grouping::ordinal;
use crate::analyze::scope::Place;
use crate::analyze::typed::Typed;
use crate::analyze::{Analyzer, folded};
use crate::computed_limit::{ComputedLimit, FETCH, SKIP};
use crate::error::{Error, Result};

/// What rows are ordered by.
#[derive(Debug, Clone)]
pub(super) struct OrderKey {
    /// The column of the select list, by position, if it is one.
    pub output: Option<usize>,
    /// The value.
    pub value: Typed,
    /// Direction and place of NULLs.
    pub options: OrderByOptions,
}

/// How many rows are wanted.
#[derive(Debug, Clone, Default)]
pub(super) struct Limit {
    skip: Option<Expr>,
    fetch: Option<Expr>,
    /// Whether a number is known only when the query runs.
    computed: bool,
    /// With the rows that are equal to the last one.
    pub with_ties: bool,
}

impl Limit {
    /// Whether all rows are wanted.
    pub fn is_none(&self) -> bool {
        self.skip.is_none() && self.fetch.is_none()
    }

    /// What is left to do when ties have been dealt with.
    pub fn without_fetch(&self) -> Limit {
        Limit { skip: self.skip.clone(), fetch: None, computed: self.computed, with_ties: false }
    }

    /// The number of rows, and how many are left out before.
    pub fn parts(&self) -> (Option<Expr>, Option<Expr>) {
        (self.skip.clone(), self.fetch.clone())
    }
}

impl Analyzer<'_> {
    /// The rows of the plan that are wanted.
    pub(super) fn limited(&mut self, plan: LogicalPlan, limit: &Limit) -> Result<LogicalPlan> {
        if limit.is_none() {
            return Ok(plan);
        }
        if !limit.computed {
            let builder = LogicalPlanBuilder::from(plan).limit_by_expr(limit.skip.clone(), limit.fetch.clone())?;
            return Ok(builder.build()?);
        }
        let number = |count: &Option<Expr>| count.clone().unwrap_or(Expr::Literal(ScalarValue::Int64(None), None));
        let mut counts = vec![number(&limit.skip), number(&limit.fetch)];
        let one_row = LogicalPlanBuilder::empty(true).build()?;
        let one_row = self.applied(one_row, counts.iter_mut(), Under::Projection)?;
        let named = counts.into_iter().zip([SKIP, FETCH]).map(|(count, name)| count.alias(name));
        let counts = LogicalPlanBuilder::from(one_row).project(named.collect::<Vec<_>>())?.build()?;
        Ok(ComputedLimit::plan(plan, counts))
    }

    /// The engine's sort by a value; NULLs are greater than everything unless it was said otherwise.
    pub(super) fn sort(&mut self, value: Typed, options: &OrderByOptions) -> Result<Sort> {
        let ascending = options.asc.unwrap_or(true);
        let nulls_first = options.nulls_first.unwrap_or(!ascending);
        let key = self.order_key(value)?;
        Ok(Sort::new(key.expr, ascending, nulls_first))
    }

    /// The ORDER BY of a SELECT: numbers and names of the select list, or expressions over FROM.
    pub(super) fn order_by(
        &mut self,
        clause: Option<&ast::OrderBy>,
        items: &[(String, Typed)],
    ) -> Result<Vec<OrderKey>> {
        let exprs = match clause.map(|clause| (&clause.kind, &clause.interpolate)) {
            None => return Ok(Vec::new()),
            Some((OrderByKind::Expressions(exprs), None)) => exprs,
            Some(_) => return Err(Error::not_supported("ORDER BY ALL")),
        };
        self.level()?.place = Some(Place::OrderBy);
        exprs.iter().map(|order| self.order_key_of(order, items, true)).collect()
    }

    fn order_key_of(
        &mut self,
        order: &ast::OrderByExpr,
        items: &[(String, Typed)],
        expressions: bool,
    ) -> Result<OrderKey> {
        if order.with_fill.is_some() {
            return Err(Error::not_supported("WITH FILL"));
        }
        let options = order.options;
        let output = |index: usize| OrderKey { output: Some(index), value: items[index].1.clone(), options };
        match ordinal(&order.expr) {
            Some(Ok(number)) if (1..=items.len()).contains(&number) => return Ok(output(number - 1)),
            Some(Ok(number)) => {
                let message = format!("ORDER BY position {number} is not in select list");
                return Err(self.at(PgError::new(SqlState::INVALID_COLUMN_REFERENCE, message), &order.expr));
            }
            Some(Err(())) => {
                let error = PgError::new(SqlState::SYNTAX_ERROR, "non-integer constant in ORDER BY");
                return Err(self.at(error, &order.expr));
            }
            None => {}
        }
        if let ast::Expr::Identifier(name) = &order.expr {
            let wanted = folded(name);
            let mut found = items.iter().enumerate().filter(|(_, (name, _))| *name == wanted);
            if let Some((index, (_, first))) = found.next() {
                if found.any(|(_, (_, other))| other.expr != first.expr) {
                    let message = format!("ORDER BY \"{wanted}\" is ambiguous");
                    return Err(self.at(PgError::new(SqlState::AMBIGUOUS_COLUMN, message), &order.expr));
                }
                return Ok(output(index));
            }
        }
        if !expressions {
            let error = match &order.expr {
                ast::Expr::Identifier(name) => {
                    let message = format!("column \"{}\" does not exist", folded(name));
                    PgError::new(SqlState::UNDEFINED_COLUMN, message)
                }
                _ => PgError::new(SqlState::FEATURE_NOT_SUPPORTED, "invalid UNION/INTERSECT/EXCEPT ORDER BY clause")
                    .with_detail("Only result column names can be used, not expressions or functions.")
                    .with_hint("Add the expression/function to every SELECT, or move the UNION into a FROM clause."),
            };
            return Err(self.at(error, &order.expr));
        }
        let value = self.expression(&order.expr)?;
        let output = items.iter().position(|(_, item)| item.expr == value.expr);
        Ok(OrderKey { output, value, options })
    }

    /// The ORDER BY of a set operation or VALUES: numbers and names of the result only.
    pub(super) fn order_by_output(
        &mut self,
        clause: Option<&ast::OrderBy>,
        items: &[(String, Typed)],
    ) -> Result<Vec<Sort>> {
        let exprs = match clause.map(|clause| &clause.kind) {
            None => return Ok(Vec::new()),
            Some(OrderByKind::Expressions(exprs)) => exprs,
            Some(_) => return Err(Error::not_supported("ORDER BY ALL")),
        };
        let mut sorts = Vec::with_capacity(exprs.len());
        for order in exprs {
            let key = self.order_key_of(order, items, false)?;
            sorts.push(self.sort(key.value, &key.options)?);
        }
        Ok(sorts)
    }

    /// LIMIT, OFFSET and FETCH of a query.
    pub(super) fn limit(&mut self, query: &ast::Query) -> Result<Limit> {
        let (limit, offset) = match &query.limit_clause {
            None => (None, None),
            Some(LimitClause::LimitOffset { limit, offset, limit_by }) => {
                if !limit_by.is_empty() {
                    return Err(Error::not_supported("LIMIT BY"));
                }
                (limit.as_ref(), offset.as_ref().map(|offset| &offset.value))
            }
            Some(LimitClause::OffsetCommaLimit { .. }) => {
                return Err(Error::Syntax {
                    message: "LIMIT #,# syntax is not supported".into(),
                    detail: None,
                    position: None,
                });
            }
        };
        let mut wanted = Limit {
            skip: offset.map(|offset| self.row_count(offset, "OFFSET")).transpose()?.flatten(),
            fetch: limit.map(|limit| self.row_count(limit, "LIMIT")).transpose()?.flatten(),
            ..Limit::default()
        };
        if let Some(fetch) = &query.fetch {
            if fetch.percent {
                return Err(Error::not_supported("FETCH … PERCENT"));
            }
            wanted.fetch = match &fetch.quantity {
                Some(quantity) => self.row_count(quantity, "LIMIT")?,
                None => Some(Expr::Literal(ScalarValue::Int64(Some(1)), None)),
            };
            wanted.with_ties = fetch.with_ties;
            if let (true, None, Some(quantity)) = (fetch.with_ties, &wanted.fetch, &fetch.quantity) {
                let message = "row count cannot be null in FETCH FIRST ... WITH TIES clause";
                let error = PgError::new(SqlState::INVALID_ROW_COUNT_IN_LIMIT_CLAUSE, message);
                return Err(self.at(error, quantity));
            }
        }
        let is_computed = |count: &Option<Expr>| {
            count.as_ref().is_some_and(|count| !matches!(count, Expr::Literal(..) | Expr::Placeholder(_)))
        };
        if wanted.with_ties && is_computed(&wanted.fetch) {
            return Err(Error::not_supported("a computed FETCH … WITH TIES"));
        }
        wanted.computed = is_computed(&wanted.skip) || is_computed(&wanted.fetch);
        Ok(wanted)
    }

    /// TOP n, which is a LIMIT.
    pub(super) fn top(&mut self, top: &ast::Top, limit: &mut Limit) -> Result<()> {
        if top.percent {
            return Err(Error::not_supported("TOP … PERCENT"));
        }
        let count = match &top.quantity {
            Some(ast::TopQuantity::Constant(count)) => {
                Some(Expr::Literal(ScalarValue::Int64(Some(*count as i64)), None))
            }
            Some(ast::TopQuantity::Expr(expr)) => self.row_count(expr, "LIMIT")?,
            None => return Err(Error::not_supported("TOP without a number")),
        };
        limit.fetch = count;
        limit.with_ties = top.with_ties;
        Ok(())
    }

    /// A number of rows; NULL means all.
    fn row_count(&mut self, expr: &ast::Expr, clause: &'static str) -> Result<Option<Expr>> {
        if let ast::Expr::Identifier(name) = expr
            && name.value.eq_ignore_ascii_case("all")
        {
            return Ok(None);
        }
        // The columns of the query are found, and then refused; those of an outer query are constants here.
        let before = self.level()?.place.replace(Place::Plain(clause));
        let value = self.expression(expr);
        self.level()?.place = before;
        let value = value?;
        let own = self.levels.len().saturating_sub(1);
        if self.reads_level(&value.expr, own)? {
            let message = format!("argument of {clause} must not contain variables");
            return Err(self.at(PgError::new(SqlState::INVALID_COLUMN_REFERENCE, message), expr));
        }
        let wanted = Type::of(INT8);
        if !value.is_unknown() && !can_coerce(value.ty.oid, INT8, CastContext::Assignment) {
            let message = format!("argument of {clause} must be type bigint, not type {}", value.ty.name());
            return Err(self.at(PgError::new(SqlState::DATATYPE_MISMATCH, message), expr));
        }
        let value = self.coerce(value, &wanted, CastContext::Assignment);
        let value = value.map_err(|error| self.at(error, expr))?;
        match value.value() {
            Some(ScalarValue::Int64(None)) => Ok(None),
            Some(ScalarValue::Int64(Some(count))) if *count < 0 => {
                let sqlstate = match clause {
                    "LIMIT" => SqlState::INVALID_ROW_COUNT_IN_LIMIT_CLAUSE,
                    _ => SqlState::INVALID_ROW_COUNT_IN_RESULT_OFFSET_CLAUSE,
                };
                Err(PgError::new(sqlstate, format!("{clause} must not be negative")).into())
            }
            _ => Ok(Some(value.expr)),
        }
    }
}
