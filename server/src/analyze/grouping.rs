//! GROUP BY: what rows are grouped by, and what expressions see afterwards.

use std::collections::{BTreeSet, HashSet};

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DataFusionError};
use datafusion::logical_expr::expr::{AggregateFunction, GroupingSet};
use datafusion::logical_expr::{Case, Expr, LogicalPlan, LogicalPlanBuilder};
use pg::error::PgError;
use pg::sqlstate::SqlState;
use pg::types::*;
use pg::user_types::is_composite;
use pg::{Type, library};
use sqlparser::ast;

use crate::analyze::domain::without_domain;
use crate::analyze::scope::Place;
use crate::analyze::typed::Typed;
use crate::analyze::{Analyzer, folded};
use crate::error::Result;
use crate::parse::forms::clauses::GROUP_BY_DISTINCT;

/// Grouping sets of one query.
const SETS_MAX: usize = 4096;

/// What rows are grouped by.
#[derive(Debug, Default)]
pub(super) struct Grouping {
    /// The expressions, each once.
    pub keys: Vec<Expr>,
    /// Which of them make the groups, when there is more than one such set.
    pub sets: Option<Vec<Vec<usize>>>,
    /// What was written where a key is not the value itself but one that the engine tells apart as the type does, and
    /// which key that is.
    pub written_values: Vec<(Expr, usize)>,
    /// Whether there was a GROUP BY.
    pub written: bool,
}

impl Analyzer<'_> {
    /// The GROUP BY clause. Names and numbers may mean expressions of the select list.
    pub(super) fn group_by(&mut self, clause: &ast::GroupByExpr, items: &[(String, Typed)]) -> Result<Grouping> {
        let ast::GroupByExpr::Expressions(exprs, modifiers) = clause else {
            return Err(crate::error::Error::not_supported("GROUP BY ALL"));
        };
        if !modifiers.is_empty() {
            return Err(crate::error::Error::not_supported("WITH ROLLUP, CUBE or TOTALS"));
        }
        let (exprs, once) = match exprs.split_first() {
            Some((mark, rest)) if is_distinct_mark(mark) => (rest, true),
            _ => (exprs.as_slice(), false),
        };
        let mut grouping = Grouping { written: !exprs.is_empty(), ..Grouping::default() };
        // Several elements: the product of their sets.
        let mut sets: Vec<Vec<usize>> = vec![Vec::new()];
        let mut several = false;
        for expr in exprs {
            let element = self.grouping_element(expr, items, &mut grouping)?;
            several |= element.len() != 1;
            if sets.len() * element.len() > SETS_MAX {
                let message = format!("too many grouping sets present (maximum {SETS_MAX})");
                return Err(self.at(PgError::new(SqlState::STATEMENT_TOO_COMPLEX, message), expr));
            }
            let product = sets.iter().flat_map(|set| element.iter().map(move |more| joined(set, more)));
            sets = product.collect();
        }
        if once {
            let sorted = |set: &Vec<usize>| set.iter().copied().collect::<BTreeSet<_>>();
            let mut known = HashSet::new();
            sets.retain(|set| known.insert(sorted(set)));
        }
        if several {
            grouping.sets = Some(sets);
        }
        Ok(grouping)
    }

    /// The sets that one element of GROUP BY stands for.
    fn grouping_element(
        &mut self,
        expr: &ast::Expr,
        items: &[(String, Typed)],
        grouping: &mut Grouping,
    ) -> Result<Vec<Vec<usize>>> {
        match expr {
            ast::Expr::Rollup(parts) => {
                let parts = self.grouping_parts(parts, items, grouping)?;
                Ok((0..=parts.len()).rev().map(|count| parts[..count].concat()).collect())
            }
            ast::Expr::Cube(parts) => {
                let parts = self.grouping_parts(parts, items, grouping)?;
                if parts.len() > 12 {
                    return Err(
                        self.at(PgError::new(SqlState::TOO_MANY_COLUMNS, "CUBE is limited to 12 elements"), expr)
                    );
                }
                let subset = |mask: usize| {
                    let chosen = parts.iter().enumerate().filter(|(position, _)| mask & (1 << position) == 0);
                    chosen.flat_map(|(_, part)| part.clone()).collect()
                };
                Ok((0..1usize << parts.len()).map(subset).collect())
            }
            ast::Expr::GroupingSets(sets) => {
                let mut all = Vec::new();
                for set in sets {
                    match set.as_slice() {
                        [single @ (ast::Expr::Rollup(_) | ast::Expr::Cube(_) | ast::Expr::GroupingSets(_))] => {
                            all.extend(self.grouping_element(single, items, grouping)?);
                        }
                        parts => all.push(self.grouping_parts(&[parts.to_vec()], items, grouping)?.concat()),
                    }
                }
                Ok(all)
            }
            ast::Expr::Tuple(parts) => Ok(self.grouping_parts(&[parts.to_vec()], items, grouping)?),
            other => Ok(vec![vec![self.group_expression(other, items, grouping)?]]),
        }
    }

    fn grouping_parts(
        &mut self,
        parts: &[Vec<ast::Expr>],
        items: &[(String, Typed)],
        grouping: &mut Grouping,
    ) -> Result<Vec<Vec<usize>>> {
        let mut all = Vec::with_capacity(parts.len());
        for part in parts {
            let mut one = Vec::with_capacity(part.len());
            for expr in part {
                match expr {
                    ast::Expr::Tuple(inner) => {
                        for expr in inner {
                            one.push(self.group_expression(expr, items, grouping)?);
                        }
                    }
                    expr => one.push(self.group_expression(expr, items, grouping)?),
                }
            }
            all.push(one);
        }
        Ok(all)
    }

    /// One expression: a number or name of the select list, or an expression over FROM.
    fn group_expression(
        &mut self,
        expr: &ast::Expr,
        items: &[(String, Typed)],
        grouping: &mut Grouping,
    ) -> Result<usize> {
        let value = match ordinal(expr) {
            Some(Ok(number)) => {
                let item = number.checked_sub(1).and_then(|index| items.get(index)).cloned();
                item.map(|(_, value)| value).ok_or_else(|| {
                    let message = format!("GROUP BY position {number} is not in select list");
                    self.at(PgError::new(SqlState::INVALID_COLUMN_REFERENCE, message), expr)
                })?
            }
            Some(Err(())) => {
                let error = PgError::new(SqlState::SYNTAX_ERROR, "non-integer constant in GROUP BY");
                return Err(self.at(error, expr));
            }
            None => match self.output_named(expr, items)? {
                Some(value) => value,
                None => {
                    self.level()?.place = Some(Place::Plain("GROUP BY"));
                    self.expression(expr)?
                }
            },
        };
        if super::aggregates::has_aggregate(&value.expr) {
            let error = PgError::new(SqlState::GROUPING_ERROR, "aggregate functions are not allowed in GROUP BY");
            return Err(self.at(error, expr));
        }
        check_groupable(&value.ty).map_err(|error| self.at(error, expr))?;
        let written = value.expr.clone();
        let key = self.group_key(value)?.expr;
        let position = match grouping.keys.iter().position(|known| *known == key) {
            Some(position) => position,
            None => {
                grouping.keys.push(key.clone());
                grouping.keys.len() - 1
            }
        };
        if written != key && !grouping.written_values.iter().any(|(known, _)| *known == written) {
            grouping.written_values.push((written, position));
        }
        Ok(position)
    }

    /// A name that FROM does not know and the select list does.
    fn output_named(&self, expr: &ast::Expr, items: &[(String, Typed)]) -> Result<Option<Typed>> {
        let ast::Expr::Identifier(name) = expr else { return Ok(None) };
        let wanted = folded(name);
        let Some(level) = self.levels.last() else { return Ok(None) };
        if level.namespace.columns.iter().any(|column| column.name == wanted) {
            return Ok(None);
        }
        let mut found = items.iter().filter(|(name, _)| *name == wanted);
        let Some((_, first)) = found.next() else { return Ok(None) };
        if found.any(|(_, other)| other.expr != first.expr) {
            let message = format!("GROUP BY \"{wanted}\" is ambiguous");
            return Err(self.at(PgError::new(SqlState::AMBIGUOUS_COLUMN, message), expr));
        }
        Ok(Some(first.clone()))
    }

    /// `GROUPING(a, b)`
    pub(super) fn grouping_call(&mut self, arguments: &[&ast::Expr], whole: &ast::Expr) -> Result<Typed> {
        let mut values = Vec::with_capacity(arguments.len());
        for argument in arguments {
            values.push(self.expression(argument)?.expr);
        }
        let owner = self.aggregate_level(values.iter())?;
        let udaf = datafusion::functions_aggregate::grouping::grouping_udaf();
        let call = Expr::AggregateFunction(AggregateFunction::new_udf(udaf, values, false, None, Vec::new(), None));
        let ty = Type::of(INT4);
        self.at_level(Typed::new(datafusion::logical_expr::cast(call, ty.arrow.clone()), ty), owner, whole)
    }

    /// A value that is equal by the engine's measure when it is by the type's.
    pub(super) fn group_key(&mut self, value: Typed) -> Result<Typed> {
        self.order_key(value)
    }

    /// A value that the engine orders as the type is ordered.
    pub(super) fn order_key(&mut self, value: Typed) -> Result<Typed> {
        let value = without_domain(value);
        let name = match value.ty.oid {
            INTERVAL => "interval_order",
            TIMETZ => "timetz_order",
            JSONB => "jsonb_order",
            RECORD => "record_order",
            BPCHAR if value.ty.carries_blanks() => return Ok(crate::analyze::coerce::without_blanks(value)?),
            oid if is_composite(oid) => "record_order",
            oid if element_type(oid).is_some() => "array_order",
            UNKNOWN => {
                return Ok(self.coerce(value, &Type::of(TEXT), pg::function::CastContext::Implicit)?);
            }
            _ => {
                check_groupable(&value.ty)?;
                return Ok(value);
            }
        };
        let function = library::functions(name).first().copied();
        let function = function.ok_or_else(|| PgError::internal(format!("there is no {name}")))?;
        Ok(self.call(function, function.arguments.to_vec(), vec![value])?)
    }
}

/// The mark of GROUP BY DISTINCT.
fn is_distinct_mark(expr: &ast::Expr) -> bool {
    let ast::Expr::Function(function) = expr else { return false };
    let name = function.name.0.first().and_then(|part| part.as_ident());
    name.is_some_and(|name| name.quote_style.is_some() && name.value == GROUP_BY_DISTINCT)
}

/// `json` and its like have no equality.
fn check_groupable(ty: &Type) -> pg::error::Result<()> {
    if matches!(ty.oid, JSON | JSONPATH | HLLSKETCH | MAP) {
        let message = format!("could not identify an equality operator for type {}", ty.name());
        return Err(PgError::new(SqlState::UNDEFINED_FUNCTION, message));
    }
    Ok(())
}

fn joined(set: &[usize], more: &[usize]) -> Vec<usize> {
    let mut joined = set.to_vec();
    joined.extend(more.iter().filter(|key| !set.contains(key)));
    joined
}

/// The number that an expression is in GROUP BY or ORDER BY; an error for another constant.
pub(super) fn ordinal(expr: &ast::Expr) -> Option<std::result::Result<usize, ()>> {
    let ast::Expr::Value(value) = expr else { return None };
    match &value.value {
        ast::Value::Number(text, _) => Some(text.parse().map_err(|_| ())),
        ast::Value::Placeholder(_) => None,
        ast::Value::Null | ast::Value::Boolean(_) => Some(Err(())),
        other => super::expression::string_of(other).map(|_| Err(())),
    }
}

/// A plan that computes aggregates, and what stands for them above it.
pub(super) struct Aggregated {
    /// The plan.
    pub plan: LogicalPlan,
    replaced: Vec<(Expr, Expr)>,
}

impl Aggregated {
    /// Groups the rows of a plan and computes the aggregates that these expressions have.
    pub fn new<'e>(
        plan: LogicalPlan,
        grouping: &Grouping,
        exprs: impl Iterator<Item = &'e Expr>,
    ) -> std::result::Result<Self, DataFusionError> {
        let mut aggregates: Vec<Expr> = Vec::new();
        for expr in exprs {
            collect(expr, &mut aggregates, |node| matches!(node, Expr::AggregateFunction(_)))?;
        }
        // Of equal values that differ in how they are written, one stands for the group.
        let one_of = |value: &Expr| datafusion::functions_aggregate::expr_fn::first_value(value.clone(), Vec::new());
        let aggregated = aggregates.len();
        // HAVING alone makes one group, of which nothing need be computed.
        let with_rows = aggregates.is_empty() && grouping.keys.is_empty() && grouping.sets.is_none();
        if with_rows {
            aggregates.push(datafusion::functions_aggregate::expr_fn::count(datafusion::logical_expr::lit(1i64)));
        }
        aggregates.extend(grouping.written_values.iter().map(|(value, _)| one_of(value)));
        let keys = match &grouping.sets {
            None => grouping.keys.iter().map(with_fixed_name).collect(),
            Some(sets) => {
                let in_set = |set: &Vec<usize>| set.iter().map(|key| grouping.keys[*key].clone()).collect();
                vec![Expr::GroupingSet(GroupingSet::GroupingSets(sets.iter().map(in_set).collect()))]
            }
        };
        let named = with_own_names(&aggregates);
        let plan = LogicalPlanBuilder::from(plan).aggregate(keys, named)?.build()?;
        let columns = plan.schema().columns();
        let mut replaced = Vec::new();
        // The keys come first; of grouping sets, in the order in which they appear in the sets.
        let mut ordered: Vec<&Expr> = Vec::new();
        match &grouping.sets {
            None => ordered.extend(&grouping.keys),
            Some(sets) => {
                for key in sets.iter().flatten() {
                    let key = &grouping.keys[*key];
                    if !ordered.contains(&key) {
                        ordered.push(key);
                    }
                }
            }
        }
        for (key, column) in ordered.iter().zip(&columns) {
            replaced.push(((*key).clone(), Expr::Column(column.clone())));
        }
        let start = columns.len() - aggregates.len();
        let mut computed = columns[start..].iter().map(|column| Expr::Column(column.clone()));
        for (aggregate, column) in aggregates.into_iter().take(aggregated).zip(computed.by_ref()) {
            replaced.push((aggregate, column));
        }
        let padding = usize::from(with_rows);
        for ((value, key), column) in grouping.written_values.iter().zip(computed.skip(padding)) {
            // Where a grouping set leaves the key out, the value is not there either.
            let key = replaced.iter().find(|(from, _)| *from == grouping.keys[*key]).map(|(_, to)| to.clone());
            let shown = match key {
                Some(key) => {
                    let present = Box::new(key.is_not_null());
                    Expr::Case(Case::new(None, vec![(present, Box::new(column))], None))
                }
                None => column,
            };
            replaced.push((value.clone(), shown));
        }
        Ok(Aggregated { plan, replaced })
    }

    /// An expression over the input as one over the groups.
    ///
    /// # Errors
    /// 42803 for a column that is not grouped by.
    pub fn rewrite(&self, expr: Expr) -> std::result::Result<Expr, Ungrouped> {
        let mut ungrouped_column = None;
        let rewritten = expr.transform_down(|node| {
            if let Some((_, to)) = self.replaced.iter().find(|(from, _)| *from == node) {
                return Ok(Transformed::new(to.clone(), true, TreeNodeRecursion::Jump));
            }
            if let Expr::Column(column) = &node {
                ungrouped_column.get_or_insert_with(|| column.clone());
            }
            Ok(Transformed::no(node))
        });
        match (rewritten, ungrouped_column) {
            (_, Some(column)) => Err(Ungrouped { error: Box::new(ungrouped(&column)), column: Some(Box::new(column)) }),
            (Ok(rewritten), None) => Ok(rewritten.data),
            (Err(error), None) => Err(PgError::from(error).into()),
        }
    }
}

/// A column stands where only groups are.
#[derive(Debug)]
pub(super) struct Ungrouped {
    /// What is to be said.
    pub error: Box<PgError>,
    /// The column.
    pub column: Option<Box<Column>>,
}

impl From<PgError> for Ungrouped {
    fn from(error: PgError) -> Self {
        Ungrouped { error: Box::new(error), column: None }
    }
}

impl From<Ungrouped> for crate::error::Error {
    fn from(ungrouped: Ungrouped) -> Self {
        (*ungrouped.error).into()
    }
}

fn ungrouped(column: &Column) -> PgError {
    let name = match &column.relation {
        Some(relation) => format!("{}.{}", relation.table(), column.name),
        None => column.name.clone(),
    };
    must_be_grouped(&name)
}

/// A column, under the name that the statement knows it by, is neither grouped by nor in an aggregate.
pub(super) fn must_be_grouped(name: &str) -> PgError {
    let message = format!("column \"{name}\" must appear in the GROUP BY clause or be used in an aggregate function");
    PgError::new(SqlState::GROUPING_ERROR, message)
}

/// The expression under the name that it has now, if that would change: when a value takes the place of an outer column, or
/// when the engine rewrites a lambda's body.
pub(super) fn with_fixed_name(expr: &Expr) -> Expr {
    let changes = |node: &Expr| matches!(node, Expr::OuterReferenceColumn(..) | Expr::HigherOrderFunction(_));
    let changes = expr.exists(|node| Ok(changes(node))).unwrap_or(false);
    if changes { expr.clone().alias(expr.schema_name().to_string()) } else { expr.clone() }
}

/// Each under a fixed name of its own: aggregates of two subqueries have the same one if their columns have.
fn with_own_names(exprs: &[Expr]) -> Vec<Expr> {
    let mut names = HashSet::with_capacity(exprs.len());
    let named = exprs.iter().enumerate().map(|(place, expr)| {
        let named = with_fixed_name(expr);
        let name = named.schema_name().to_string();
        if names.contains(&name) {
            return expr.clone().alias(format!("{name} {place}"));
        }
        names.insert(name);
        named
    });
    named.collect()
}

/// The outermost nodes of a kind, each once.
pub(super) fn collect(
    expr: &Expr,
    found: &mut Vec<Expr>,
    wanted: fn(&Expr) -> bool,
) -> std::result::Result<(), DataFusionError> {
    expr.apply(|node| {
        if wanted(node) {
            if !found.contains(node) {
                found.push(node.clone());
            }
            return Ok(TreeNodeRecursion::Jump);
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(())
}
