//! Aggregate calls.

use datafusion::logical_expr::expr::Sort;
use datafusion::logical_expr::{Case, Expr};
use pg::Type;
use pg::error::PgError;
use pg::function::{Aggregate, AggregateCall, AggregateKind, CastContext};
use pg::sqlstate::SqlState;
use pg::types::TEXT;
use sqlparser::ast;

use crate::analyze::Analyzer;
use crate::analyze::coerce::without_blanks;
use crate::analyze::scope::Place;
use crate::analyze::typed::Typed;
use crate::error::Result;
use crate::lazy::may_fail;

impl Analyzer<'_> {
    /// An aggregate with its arguments: the direct ones first, then those that `ordered` orders.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn aggregate(
        &mut self,
        aggregate: &'static Aggregate,
        expected: Vec<u32>,
        arguments: Vec<Typed>,
        direct: usize,
        ordered: Vec<(Typed, ast::OrderByOptions)>,
        call: &ast::Function,
        distinct: bool,
        within_group: bool,
        whole: &ast::Expr,
    ) -> Result<Typed> {
        let filter = self.aggregate_filter(call)?;
        let ordered_by = match aggregate.kind {
            AggregateKind::Normal => self.aggregate_order(call)?,
            _ => Vec::new(),
        };
        let read = arguments.iter().chain(ordered_by.iter().map(|(value, _)| value)).map(|value| &value.expr);
        let owner = match call.over {
            Some(_) => self.levels.len().saturating_sub(1),
            None => self.aggregate_level(read.chain(filter.as_deref()))?,
        };
        self.check_aggregate(aggregate, call, distinct, within_group, owner, whole)?;
        let arguments = self.distinct_arguments(aggregate, distinct, arguments)?;
        let (arguments, polymorphic) =
            self.cast_arguments(&expected, arguments).map_err(|error| self.at(error, whole))?;
        let arguments = match aggregate.kind {
            AggregateKind::HypotheticalSet => self.paired(arguments, direct).map_err(|error| self.at(error, whole))?,
            _ => arguments,
        };
        let arguments = match aggregate.name.contains("json") {
            true => self.as_json(aggregate.name, arguments, whole)?,
            false => arguments,
        };
        let result = self.result_of(aggregate.result, aggregate.shape, &arguments, &polymorphic);
        let result = result.map_err(|error| self.at(error, whole))?;
        let order = match aggregate.kind {
            AggregateKind::Normal => ordered_by,
            _ => {
                let sorted = arguments[direct..].iter().zip(ordered);
                sorted.map(|(value, (_, options))| (value.clone(), options)).collect()
            }
        };
        let is_argument = |(value, _): &(Typed, _)| arguments.iter().any(|argument| argument.expr == value.expr);
        if distinct && aggregate.kind == AggregateKind::Normal && !order.iter().all(is_argument) {
            let message = "in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list";
            return Err(self.at(PgError::new(SqlState::INVALID_COLUMN_REFERENCE, message), whole));
        }
        let sorts = order.into_iter().map(|(value, options)| self.sort(value, &options));
        let mut order_by = sorts.collect::<Result<Vec<Sort>>>()?;
        if aggregate.kind != AggregateKind::Normal && call.over.is_none() && owner + 1 == self.levels.len() {
            let values = arguments.iter().take(direct).map(|argument| argument.expr.clone());
            let values: Vec<_> = values.collect();
            self.level()?.direct_arguments.extend(values);
        }
        let types = arguments.iter().map(|argument| argument.ty.clone()).collect();
        let mut arguments: Vec<_> = arguments.into_iter().map(|argument| argument.expr).collect();
        if let Some(filter) = &filter {
            let ordered = order_by.iter_mut().map(|sort| &mut sort.expr);
            let direct = if aggregate.kind == AggregateKind::Normal { 0 } else { direct };
            arguments.iter_mut().skip(direct).chain(ordered).for_each(|value| only_where(filter, value));
        }
        let built = AggregateCall { arguments, types, result: result.clone(), distinct, filter, order_by };
        let expr = (aggregate.build)(built).map_err(|error| self.at(error, whole))?;
        let value = Typed::new(expr, result);
        match &call.over {
            Some(over) => self.aggregate_over(value, over, whole),
            None => self.at_level(value, owner, whole),
        }
    }

    /// `count(DISTINCT x)` counts what is equal by the type's measure once.
    fn distinct_arguments(
        &mut self,
        aggregate: &Aggregate,
        distinct: bool,
        arguments: Vec<Typed>,
    ) -> Result<Vec<Typed>> {
        if !distinct || aggregate.name != "count" {
            return Ok(arguments);
        }
        arguments.into_iter().map(|argument| self.group_key(argument)).collect()
    }

    fn aggregate_filter(&mut self, call: &ast::Function) -> Result<Option<Box<Expr>>> {
        let Some(filter) = &call.filter else { return Ok(None) };
        let before = self.level()?.place.replace(Place::Plain("FILTER"));
        let condition = self.condition(filter, "FILTER");
        self.level()?.place = before;
        Ok(Some(Box::new(condition?.expr)))
    }

    /// Values of users' types as the JSON that they become: where aggregates are computed, nobody knows their labels.
    fn as_json(&mut self, aggregate: &str, arguments: Vec<Typed>, whole: &ast::Expr) -> Result<Vec<Typed>> {
        let has_key = aggregate.contains("object");
        let mut converted = Vec::with_capacity(arguments.len());
        for (place, argument) in arguments.into_iter().enumerate() {
            converted.push(match pg::names::is_user_number(argument.ty.oid) {
                true if has_key && place == 0 => self
                    .coerce(argument, &Type::of(TEXT), CastContext::Explicit)
                    .map_err(|error| self.at(error, whole))?,
                true => self.named_call("to_json", vec![argument], whole)?,
                false => argument,
            });
        }
        Ok(converted)
    }

    /// The values of a hypothetical row, each of the type that its place in the order has.
    fn paired(&mut self, arguments: Vec<Typed>, direct: usize) -> pg::error::Result<Vec<Typed>> {
        let (values, ordered) = arguments.split_at(direct);
        let (mut left, mut right) = (Vec::with_capacity(direct), Vec::with_capacity(direct));
        for (value, ordered) in values.iter().zip(ordered) {
            let mut pair = self.unify(vec![value.clone(), ordered.clone()], "WITHIN GROUP")?;
            right.extend(pair.pop().map(without_blanks).transpose()?);
            left.extend(pair.pop().map(without_blanks).transpose()?);
        }
        left.extend(right);
        Ok(left)
    }

    fn check_aggregate(
        &mut self,
        aggregate: &Aggregate,
        call: &ast::Function,
        distinct: bool,
        within_group: bool,
        owner: usize,
        whole: &ast::Expr,
    ) -> Result<()> {
        let name = aggregate.name;
        let over = call.over.is_some();
        let level =
            self.levels.get(owner).ok_or_else(|| PgError::internal("an aggregate stands outside of a query"))?;
        let error = if aggregate.kind != AggregateKind::Normal && !within_group {
            Some((SqlState::WRONG_OBJECT_TYPE, format!("WITHIN GROUP is required for ordered-set aggregate {name}")))
        } else if over && distinct {
            Some((SqlState::FEATURE_NOT_SUPPORTED, "DISTINCT is not implemented for window functions".to_owned()))
        } else if over && !ordered_within(call).is_empty() {
            let message = "aggregate ORDER BY is not implemented for window functions";
            Some((SqlState::FEATURE_NOT_SUPPORTED, message.to_owned()))
        } else if over {
            None
        } else if name == "ratio_to_report" {
            Some((SqlState::WINDOWING_ERROR, "window function ratio_to_report requires an OVER clause".to_owned()))
        } else if aggregate.kind != AggregateKind::Normal && distinct {
            Some((SqlState::SYNTAX_ERROR, "cannot use DISTINCT with WITHIN GROUP".to_owned()))
        } else if level.in_aggregate {
            Some((SqlState::GROUPING_ERROR, "aggregate function calls cannot be nested".to_owned()))
        } else if let Some(Place::Plain(place)) = level.place {
            Some((SqlState::GROUPING_ERROR, format!("aggregate functions are not allowed in {place}")))
        } else {
            None
        };
        match error {
            Some((sqlstate, message)) => Err(self.at(PgError::new(sqlstate, message), whole)),
            None => Ok(()),
        }
    }

    /// ORDER BY in a call, or WITHIN GROUP of an aggregate that is none of the ordered-set ones (LISTAGG).
    fn aggregate_order(&mut self, call: &ast::Function) -> Result<Vec<(Typed, ast::OrderByOptions)>> {
        let mut sorts = Vec::new();
        for order in ordered_within(call).into_iter().chain(&call.within_group) {
            let before = std::mem::replace(&mut self.level()?.in_aggregate, true);
            let value = self.expression(&order.expr);
            self.level()?.in_aggregate = before;
            sorts.push((value?, order.options));
        }
        Ok(sorts)
    }
}

/// The engine evaluates arguments before FILTER: one that can fail is evaluated for the rows that are let through.
fn only_where(filter: &Expr, value: &mut Expr) {
    if may_fail(value) {
        let then = Box::new(std::mem::take(value));
        *value = Expr::Case(Case::new(None, vec![(Box::new(filter.clone()), then)], None));
    }
}

/// The ORDER BY among the arguments of a call.
fn ordered_within(call: &ast::Function) -> Vec<&ast::OrderByExpr> {
    let ast::FunctionArguments::List(list) = &call.args else { return Vec::new() };
    let clauses = list.clauses.iter().filter_map(|clause| match clause {
        ast::FunctionArgumentClause::OrderBy(order_by) => Some(order_by),
        _ => None,
    });
    clauses.flatten().collect()
}

/// Whether an expression has an aggregate in it that is not a window's.
pub(super) fn has_aggregate(expr: &Expr) -> bool {
    use datafusion::common::tree_node::TreeNode;
    expr.exists(|node| Ok(matches!(node, Expr::AggregateFunction(_)))).unwrap_or(false)
}
