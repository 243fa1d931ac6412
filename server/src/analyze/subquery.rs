//! Queries inside expressions: scalar subqueries, EXISTS, IN, ANY and ALL, ARRAY.

use std::sync::Arc;

use arrow::array::ListArray;
use arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{JoinType, ScalarValue};
use datafusion::logical_expr::expr::{Exists, InSubquery, Sort};
use datafusion::logical_expr::{Case, Expr, LogicalPlan, LogicalPlanBuilder, Subquery, lit, not};
use pg::error::PgError;
use pg::function::{AggregateCall, CastContext, Method};
use pg::sqlstate::SqlState;
use pg::types::*;
use pg::{Type, library};
use sqlparser::ast::{self, BinaryOperator};

use crate::analyze::call::with_time;
use crate::analyze::correlation::scalar;
use crate::analyze::expression::row_values;
use crate::analyze::typed::{Typed, unknown_type};
use crate::analyze::{Analyzed, Analyzer};
use crate::error::Result;

impl Analyzer<'_> {
    /// `(SELECT …)` as a value.
    pub(super) fn scalar_subquery(&mut self, query: &ast::Query) -> Result<Typed> {
        let analyzed = self.query(query)?;
        let column = match analyzed.columns.as_slice() {
            [column] => column.clone(),
            _ => {
                let error = PgError::new(SqlState::SYNTAX_ERROR, "subquery must return only one column");
                return Err(self.at(error, query));
            }
        };
        let analyzed = self.settled(analyzed)?;
        let ty = analyzed.columns.first().map_or(column.ty.clone(), |column| column.ty.clone());
        self.subquery_name = Some(column.name);
        Ok(Typed::new(scalar(with_null(analyzed.plan)?), ty))
    }

    /// `(a, b) < (SELECT c, d …)`: NULL when the query has no row.
    pub(super) fn row_and_subquery(
        &mut self,
        whole: &ast::Expr,
        symbol: &str,
        row: &[&ast::Expr],
        query: &ast::Query,
    ) -> Result<Typed> {
        let operands = row.iter().map(|value| self.expression(value)).collect::<Result<Vec<_>>>()?;
        let analyzed = self.query(query)?;
        if analyzed.columns.len() != operands.len() {
            let few = if analyzed.columns.len() > operands.len() { "many" } else { "few" };
            let message = format!("subquery has too {few} columns");
            return Err(self.at(PgError::new(SqlState::SYNTAX_ERROR, message), query));
        }
        let pairs = compared_pairs(operands, &analyzed)?;
        let compared = self.compare_pairs(symbol, pairs).map_err(|error| self.at(error, whole))?;
        let plan = LogicalPlanBuilder::from(analyzed.plan).project(vec![compared.expr.alias("value")])?.build()?;
        Ok(Typed::new(scalar(with_null(plan)?), Type::of(BOOL)))
    }

    /// `EXISTS (SELECT …)`
    pub(super) fn exists(&mut self, query: &ast::Query, negated: bool) -> Result<Typed> {
        let mut analyzed = self.query(query)?;
        // Whether there are rows does not depend on what they show.
        if let LogicalPlan::Projection(projection) = &analyzed.plan {
            analyzed.plan = projection.input.as_ref().clone();
        }
        let boolean = Type::of(BOOL);
        Ok(Typed::new(Expr::Exists(Exists { subquery: subquery(analyzed), negated }), boolean))
    }

    /// `x IN (SELECT …)`
    pub(super) fn in_subquery(
        &mut self,
        whole: &ast::Expr,
        operand: &ast::Expr,
        query: &ast::Query,
        negated: bool,
    ) -> Result<Typed> {
        let operands = match row_values(operand) {
            Some(values) => values.iter().map(|value| self.expression(value)).collect::<Result<Vec<_>>>()?,
            None => vec![self.expression(operand)?],
        };
        let analyzed = self.settled_query(query)?;
        if analyzed.columns.len() != operands.len() {
            let message = if analyzed.columns.len() > operands.len() {
                "subquery has too many columns"
            } else {
                "subquery has too few columns"
            };
            return Err(self.at(PgError::new(SqlState::SYNTAX_ERROR, message), query));
        }
        if let [operand] = operands.as_slice()
            && let Some(found) = self.native_in(operand.clone(), &analyzed, negated)?
        {
            return Ok(found);
        }
        let symbol = if negated { "<>" } else { "=" };
        self.quantified_rows(whole, operands, symbol, analyzed, negated)
    }

    /// IN by the engine, which makes a join of it.
    fn native_in(&mut self, operand: Typed, analyzed: &Analyzed, negated: bool) -> Result<Option<Typed>> {
        let column = &analyzed.columns[0];
        let oids = [operand.ty.oid, column.ty.oid];
        let Some(common) = super::coerce::common_type(&oids) else { return Ok(None) };
        let common = Type::of(common);
        let found = self.find_operator("=", &[&common, &common])?;
        let [left, right] = found.arguments[..] else { return Ok(None) };
        if !matches!(found.entry.method, Method::Native(_)) || left != right {
            return Ok(None);
        }
        // Those of varchar are compared as text.
        let wanted = Type::of(left);
        let value = self.coerce(operand, &wanted, CastContext::Implicit)?;
        let element = match &column.constant {
            Some(constant) => Typed::new(constant.clone(), unknown_type()),
            None => column.typed(),
        };
        let element = self.coerce(element, &wanted, CastContext::Implicit)?;
        let (value, element) = crate::analyze::call::comparable(value, element)?;
        // The engine takes the columns that conditions compare with the outer query out of the subquery, under their names: the
        // one that IN looks in must not be called as one of them, or as one below it.
        let element = element.expr.alias(self.made_name("element"));
        let plan = LogicalPlanBuilder::from(analyzed.plan.clone()).project(vec![element])?.build()?;
        let subquery = Subquery {
            outer_ref_columns: plan.all_out_ref_exprs(),
            subquery: Arc::new(plan),
            spans: Default::default(),
        };
        let expr = Expr::InSubquery(InSubquery { expr: Box::new(value.expr), subquery, negated });
        Ok(Some(Typed::new(expr, Type::of(BOOL))))
    }

    /// `x op ANY (…)` and `x op ALL (…)`, of a query or of an array.
    pub(super) fn quantified(
        &mut self,
        whole: &ast::Expr,
        left: &ast::Expr,
        operator: &BinaryOperator,
        right: &ast::Expr,
        all: bool,
    ) -> Result<Typed> {
        let symbol = match operator {
            BinaryOperator::NotEq => "<>".to_owned(),
            BinaryOperator::PGCustomBinaryOperator(parts) => parts.last().cloned().unwrap_or_default(),
            other => other.to_string(),
        };
        let mut inner = right;
        while let ast::Expr::Nested(nested) = inner {
            inner = nested;
        }
        if let ast::Expr::Subquery(query) = inner {
            match (symbol.as_str(), all) {
                ("=", false) => return self.in_subquery(whole, left, query, false),
                ("<>", true) => return self.in_subquery(whole, left, query, true),
                _ => {}
            }
            let operands = match row_values(left) {
                Some(values) => values.iter().map(|value| self.expression(value)).collect::<Result<Vec<_>>>()?,
                None => vec![self.expression(left)?],
            };
            let analyzed = self.settled_query(query)?;
            if analyzed.columns.len() != operands.len() {
                let error = PgError::new(SqlState::SYNTAX_ERROR, "subquery has too many columns");
                return Err(self.at(error, whole));
            }
            return self.quantified_rows(whole, operands, &symbol, analyzed, all);
        }
        let value = self.expression(left)?;
        let array = self.expression(right)?;
        self.quantified_array(value, &symbol, array, all).map_err(|error| self.placed(error, whole))
    }

    /// `x op ANY (array)`
    fn quantified_array(&mut self, value: Typed, symbol: &str, array: Typed, all: bool) -> Result<Typed> {
        let array = if array.is_unknown() {
            let element = if value.is_unknown() { TEXT } else { value.ty.oid };
            let oid = array_type(element).unwrap_or(TEXT_ARRAY);
            self.coerce(array, &Type::of(oid), CastContext::Implicit)?
        } else {
            array
        };
        let Some(element) = array.ty.element() else {
            let message = "op ANY/ALL (array) requires array on right side";
            return Err(PgError::new(SqlState::WRONG_OBJECT_TYPE, message).into());
        };
        // Dates are compared with timestamps as such.
        let value = with_time(value, &element, &self.session)?;
        let (array, element) = match (value.ty.oid, element.oid) {
            (TIMESTAMP, DATE) => {
                let timestamp = Type::of(TIMESTAMP);
                let timestamps = Type::array_of(&timestamp).ok_or_else(|| PgError::internal("there are no arrays"))?;
                (self.coerce(array, &timestamps, CastContext::Implicit)?, timestamp)
            }
            _ => (array, element),
        };
        let found = self.find_operator(symbol, &[&value.ty, &element])?;
        if found.entry.result != BOOL {
            let message = "op ANY/ALL (array) requires operator to yield boolean";
            return Err(PgError::new(SqlState::WRONG_OBJECT_TYPE, message).into());
        }
        let [left_oid, right_oid] = found.arguments.as_slice() else {
            return Err(PgError::internal("a binary operator has two operands").into());
        };
        let wanted = if *left_oid == value.ty.oid || pg::types::type_name(*left_oid).starts_with("any") {
            value
        } else {
            self.coerce(value, &Type::of(*left_oid), CastContext::Implicit)?
        };
        let array = if *right_oid == element.oid || pg::types::type_name(*right_oid).starts_with("any") {
            array
        } else {
            let oid = array_type(*right_oid).unwrap_or(TEXT_ARRAY);
            self.coerce(array, &Type::of(oid), CastContext::Implicit)?
        };
        let wanted = if wanted.is_unknown() { self.coerce(wanted, &element, CastContext::Implicit)? } else { wanted };
        let udf = library::array::quantified(found.entry, all, wanted.ty.clone(), array.ty.clone())?;
        Ok(Typed::new(udf.call(vec![wanted.expr, array.expr]), Type::of(BOOL)))
    }

    /// `x LIKE ANY (array)`
    pub(super) fn quantified_like(
        &mut self,
        whole: &ast::Expr,
        left: &ast::Expr,
        symbol: &str,
        right: &ast::Expr,
        all: bool,
    ) -> Result<Typed> {
        let value = self.expression(left)?;
        let mut inner = right;
        while let ast::Expr::Nested(nested) = inner {
            inner = nested;
        }
        if let ast::Expr::Subquery(query) = inner {
            let analyzed = self.settled_query(query)?;
            if analyzed.columns.len() != 1 {
                let error = PgError::new(SqlState::SYNTAX_ERROR, "subquery has too many columns");
                return Err(self.at(error, whole));
            }
            return self.quantified_rows(whole, vec![value], symbol, analyzed, all);
        }
        let array = self.expression(right)?;
        self.quantified_array(value, symbol, array, all).map_err(|error| self.placed(error, whole))
    }

    /// A comparison with all rows of a query: true for one of them (`ANY`), or for all.
    fn quantified_rows(
        &mut self,
        whole: &ast::Expr,
        operands: Vec<Typed>,
        symbol: &str,
        analyzed: Analyzed,
        all: bool,
    ) -> Result<Typed> {
        let pairs = compared_pairs(operands, &analyzed)?;
        let compared = match <[(Typed, Typed); 1]>::try_from(pairs) {
            Ok([(left, right)]) => self.operator(symbol, vec![left, right]),
            Err(pairs) => self.compare_pairs(symbol, pairs),
        };
        let compared = compared.map_err(|error| self.at(error, whole))?;
        let boolean = Type::of(BOOL);
        // Of no rows, ANY is false and ALL is true; a NULL counts only where nothing else decides.
        let decisive = if all { not(compared.expr.clone()) } else { compared.expr.clone() };
        let decided = self.aggregate_of("bool_or", vec![Typed::new(decisive, boolean.clone())], Vec::new())?;
        let null = Typed::new(compared.expr.is_null(), boolean.clone());
        let unknown = self.aggregate_of("bool_or", vec![null], Vec::new())?;
        let branches = vec![
            (Box::new(decided.expr), Box::new(Typed::boolean(!all).expr)),
            (Box::new(unknown.expr), Box::new(Expr::Literal(datafusion::common::ScalarValue::Boolean(None), None))),
        ];
        let case = Expr::Case(Case::new(None, branches, Some(Box::new(Typed::boolean(all).expr))));
        self.aggregated(analyzed, case, boolean)
    }

    /// `ARRAY(SELECT …)`
    pub(super) fn array_subquery(&mut self, query: &ast::Query) -> Result<Typed> {
        // The order of the query is the order of the elements.
        self.kept_order = Some(Vec::new());
        let analyzed = self.settled_query(query);
        let order = self.kept_order.take().unwrap_or_default();
        let analyzed = analyzed?;
        let [column] = analyzed.columns.as_slice() else {
            let error = PgError::new(SqlState::SYNTAX_ERROR, "subquery must return only one column");
            return Err(self.at(error, query));
        };
        let gathered = self.aggregate_of("array_agg", vec![column.typed()], order)?;
        let ty = gathered.ty.clone();
        let found = self.aggregated(analyzed, gathered.expr, ty.clone())?;
        let expr = datafusion::functions::core::coalesce().call(vec![found.expr, empty_array(&ty)?]);
        Ok(Typed::new(expr, ty))
    }

    /// One value over all rows of a query.
    fn aggregated(&mut self, analyzed: Analyzed, expr: Expr, ty: Type) -> Result<Typed> {
        let grouping = super::grouping::Grouping::default();
        let grouped = super::grouping::Aggregated::new(analyzed.plan, &grouping, std::iter::once(&expr))?;
        let expr = grouped.rewrite(expr)?;
        let plan = LogicalPlanBuilder::from(grouped.plan).project(vec![expr.alias("value")])?.build()?;
        Ok(Typed::new(scalar(plan), ty))
    }

    /// An aggregate of values, by name.
    fn aggregate_of(&mut self, name: &str, arguments: Vec<Typed>, order_by: Vec<Sort>) -> Result<Typed> {
        let found = self.resolve(name, &arguments, arguments.is_empty())?;
        let Some((super::function_call::Entry::Aggregate(aggregate), expected)) =
            found.map(|found| (found.entry, found.arguments))
        else {
            return Err(PgError::internal(format!("there is no aggregate {name}")).into());
        };
        let (arguments, polymorphic) = self.cast_arguments(&expected, arguments)?;
        let result = self.result_of(aggregate.result, aggregate.shape, &arguments, &polymorphic)?;
        let types = arguments.iter().map(|argument| argument.ty.clone()).collect();
        let arguments = arguments.into_iter().map(|argument| argument.expr).collect();
        let call = AggregateCall { arguments, types, result: result.clone(), distinct: false, filter: None, order_by };
        Ok(Typed::new((aggregate.build)(call)?, result))
    }
}

/// The values of the outer query beside the columns that they are compared with.
fn compared_pairs(operands: Vec<Typed>, analyzed: &Analyzed) -> Result<Vec<(Typed, Typed)>> {
    let mut pairs = Vec::with_capacity(operands.len());
    for (operand, column) in operands.into_iter().zip(&analyzed.columns) {
        let element = match &column.constant {
            Some(constant) => Typed::new(constant.clone(), unknown_type()),
            None => column.typed(),
        };
        pairs.push((outer_value(operand)?, element));
    }
    Ok(pairs)
}

/// What ARRAY of no rows is.
fn empty_array(ty: &Type) -> Result<Expr> {
    let DataType::List(field) = &ty.arrow else {
        return Err(PgError::internal("an array is carried as a list").into());
    };
    let none = arrow::array::new_empty_array(field.data_type());
    let offsets = arrow::buffer::OffsetBuffer::from_lengths([0]);
    let list = ListArray::try_new(field.clone(), offsets, none, None).map_err(PgError::from)?;
    Ok(Expr::Literal(ScalarValue::List(Arc::new(list)), None))
}

/// The query with a value that can be NULL, which a subquery's is where it has no row: what the engine takes from the query
/// is whether its column can be. A value that is computed can become a constant on the way.
fn with_null(plan: LogicalPlan) -> Result<LogicalPlan> {
    let can_be_null = plan.schema().fields().first().is_some_and(|field| field.is_nullable());
    if can_be_null && shows_column(&plan) || has_one_row(&plan) {
        return Ok(plan);
    }
    let one_row = LogicalPlanBuilder::empty(true);
    Ok(one_row.join_on(plan, JoinType::Left, [lit(true)])?.build()?)
}

/// The query of which [`with_null`] has made this one.
pub(super) fn without_null(plan: LogicalPlan) -> LogicalPlan {
    match &plan {
        LogicalPlan::Join(join) if join.join_type == JoinType::Left && join.on.is_empty() => match join.left.as_ref() {
            LogicalPlan::EmptyRelation(one_row) if one_row.produce_one_row && join.filter == Some(lit(true)) => {
                join.right.as_ref().clone()
            }
            _ => plan,
        },
        _ => plan,
    }
}

/// Whether what the query shows is a column as it is.
fn shows_column(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Projection(projection) => match projection.expr.as_slice() {
            [Expr::Alias(alias)] => matches!(alias.expr.as_ref(), Expr::Column(_)),
            exprs => matches!(exprs, [Expr::Column(_)]),
        },
        LogicalPlan::Limit(limit) => shows_column(&limit.input),
        LogicalPlan::Sort(sort) => shows_column(&sort.input),
        _ => true,
    }
}

/// Whether the query has a row whatever there is to be read.
fn has_one_row(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Projection(projection) => has_one_row(&projection.input),
        LogicalPlan::Aggregate(aggregate) => aggregate.group_expr.is_empty(),
        LogicalPlan::EmptyRelation(relation) => relation.produce_one_row,
        _ => false,
    }
}

fn subquery(analyzed: Analyzed) -> Subquery {
    let outer_ref_columns = analyzed.plan.all_out_ref_exprs();
    Subquery { subquery: Arc::new(analyzed.plan), outer_ref_columns, spans: Default::default() }
}

/// A value of the outer query as the subquery sees it.
fn outer_value(value: Typed) -> Result<Typed> {
    let expr = value.expr.transform(|node| {
        Ok(match node {
            Expr::Column(column) => {
                let field = Arc::new(value.ty.field(&column.name));
                Transformed::yes(Expr::OuterReferenceColumn(field, column))
            }
            other => Transformed::no(other),
        })
    });
    Ok(Typed { expr: expr.map_err(PgError::from)?.data, ty: value.ty })
}
