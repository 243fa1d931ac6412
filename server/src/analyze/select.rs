//! SELECT.

use std::collections::HashMap;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, ScalarValue};
use datafusion::functions_window::expr_fn::{rank, row_number};
use datafusion::logical_expr::expr::Sort;
use datafusion::logical_expr::{Expr, ExprFunctionExt, LogicalPlan, LogicalPlanBuilder, lit};
use pg::Type;
use pg::error::PgError;
use pg::function::CastContext;
use pg::sqlstate::SqlState;
use pg::types::*;
use sqlparser::ast::{self, SelectItem, SelectItemQualifiedWildcardKind};

use crate::analyze::aggregates::has_aggregate;
use crate::analyze::correlation::Under;
use crate::analyze::grouping::{Aggregated, Grouping, Ungrouped, collect, must_be_grouped};
use crate::analyze::names::find_relation;
use crate::analyze::order::{Limit, OrderKey};
use crate::analyze::scope::{Level, Place, SetColumn};
use crate::analyze::sets::{project_set, set_field};
use crate::analyze::typed::{Typed, unknown_type};
use crate::analyze::{Analyzed, Analyzer, Origin, OutputColumn, folded};
use crate::error::{Error, Result};
use crate::lazy::conjuncts;
use crate::parse::forms::clauses::ALL_FIELDS;
use crate::parse::forms::marks::is_no_column;
use crate::plan::column_names::{expression_name, is_named_by_subquery};
use crate::set_returning::SetReturning;

/// What a column is called when nothing names it.
const NO_NAME: &str = "?column?";

/// A SELECT whose clauses have been read, over the rows of FROM and WHERE.
struct Clauses {
    items: Vec<(String, Typed)>,
    /// The columns of tables that the items are.
    origins: Vec<Option<Origin>>,
    having: Option<Expr>,
    qualify: Option<Expr>,
    order: Vec<OrderKey>,
    distinct_on: Option<Vec<Typed>>,
    /// Aggregates of this query that stand in its subqueries.
    outer_aggregates: Vec<(String, Typed)>,
}

impl Clauses {
    /// Every expression, to be looked through or rewritten.
    fn rewrite<E>(&mut self, mut f: impl FnMut(Expr) -> Result<Expr, E>) -> Result<(), E> {
        let mut apply = |expr: &mut Expr| {
            *expr = f(std::mem::take(expr))?;
            Ok::<(), E>(())
        };
        for (_, item) in &mut self.items {
            apply(&mut item.expr)?;
        }
        for expr in self.having.iter_mut().chain(self.qualify.iter_mut()) {
            apply(expr)?;
        }
        for key in &mut self.order {
            apply(&mut key.value.expr)?;
        }
        for value in self.distinct_on.iter_mut().flatten() {
            apply(&mut value.expr)?;
        }
        for (_, value) in &mut self.outer_aggregates {
            apply(&mut value.expr)?;
        }
        Ok(())
    }

    fn exprs_mut(&mut self) -> impl Iterator<Item = &mut Expr> {
        let items = self.items.iter_mut().map(|(_, item)| &mut item.expr);
        let order = self.order.iter_mut().map(|key| &mut key.value.expr);
        let on = self.distinct_on.iter_mut().flatten().map(|value| &mut value.expr);
        let outer = self.outer_aggregates.iter_mut().map(|(_, value)| &mut value.expr);
        items.chain(&mut self.having).chain(&mut self.qualify).chain(order).chain(on).chain(outer)
    }

    fn exprs(&self) -> impl Iterator<Item = &Expr> {
        let items = self.items.iter().map(|(_, item)| &item.expr);
        let order = self.order.iter().map(|key| &key.value.expr);
        let on = self.distinct_on.iter().flatten().map(|value| &value.expr);
        let outer = self.outer_aggregates.iter().map(|(_, value)| &value.expr);
        items.chain(&self.having).chain(&self.qualify).chain(order).chain(on).chain(outer)
    }
}

impl Analyzer<'_> {
    /// A SELECT with the ORDER BY and LIMIT of its query.
    pub(super) fn select(
        &mut self,
        select: &ast::Select,
        query: Option<&ast::Query>,
        keeps_order: bool,
    ) -> Result<Analyzed> {
        self.levels.push(Level { windows: select.named_window.clone(), ..Level::default() });
        let analyzed = self.select_at_level(select, query, keeps_order);
        self.levels.pop();
        analyzed
    }

    fn select_at_level(
        &mut self,
        select: &ast::Select,
        query: Option<&ast::Query>,
        keeps_order: bool,
    ) -> Result<Analyzed> {
        let mut plan = self.from(&select.from)?;
        if select.selection.is_some() {
            self.level()?.written_aliases = written_aliases(&select.projection);
        }
        plan = self.where_clause(plan, select.selection.as_ref())?;
        self.level()?.place = Some(Place::SelectList);
        let mut items = self.select_items(&select.projection, !select.from.is_empty())?;
        if let Some(exclude) = &select.exclude {
            let names = exclude_names(exclude)?;
            items.retain(|(name, _)| !names.contains(name));
        }
        let origins = items.iter().map(|(_, value)| self.origin(value)).collect::<Result<_>>()?;
        let mut grouping = self.group_by(&select.group_by, &items)?;
        let having = self.clause(select.having.as_ref(), Place::Having, "HAVING")?;
        let qualify = self.clause(select.qualify.as_ref(), Place::Qualify, "QUALIFY")?;
        let order = self.order_by(query.and_then(|query| query.order_by.as_ref()), &items)?;
        let mut limit = match query {
            Some(query) => self.limit(query)?,
            None => Limit::default(),
        };
        if let Some(top) = &select.top {
            self.top(top, &mut limit)?;
        }
        let distinct_on = self.distinct_on(select, &items)?;
        if let Some(on) = &distinct_on {
            check_distinct_on(on, &order)?;
        }
        let outer_aggregates = std::mem::take(&mut self.level()?.outer_aggregates);
        let mut clauses = Clauses { items, origins, having, qualify, order, distinct_on, outer_aggregates };

        let sets = std::mem::take(&mut self.level()?.sets);
        let set_arguments: Vec<Expr> =
            sets.iter().flat_map(|set| &set.arguments).map(|argument| argument.expr.clone()).collect();
        let aggregated =
            grouping.written || clauses.having.is_some() || clauses.exprs().chain(&set_arguments).any(has_aggregate);
        let mut set_arguments = set_arguments;
        if self.level()?.reads_itself && clauses.exprs().chain(&set_arguments).any(has_aggregate) {
            let message = "aggregate functions are not allowed in a recursive query's recursive term";
            return Err(PgError::new(SqlState::INVALID_RECURSION, message).into());
        }
        if aggregated {
            plan = self.applied_before_grouping(plan, &mut grouping, &mut clauses, &mut set_arguments)?;
            let before = plan.clone();
            let grouped = Aggregated::new(plan, &grouping, clauses.exprs().chain(&set_arguments))?;
            let set_names: Vec<_> = sets.iter().flat_map(|set| &set.names).collect();
            let rewritten = clauses.rewrite(|expr| grouped_except(&grouped, expr, &set_names));
            rewritten.map_err(|ungrouped| self.ungrouped(ungrouped))?;
            for argument in &mut set_arguments {
                let rewritten = grouped.rewrite(std::mem::take(argument));
                *argument = rewritten.map_err(|ungrouped| self.ungrouped(ungrouped))?;
            }
            for argument in std::mem::take(&mut self.level()?.direct_arguments) {
                let checked = grouped.rewrite(argument);
                checked.map_err(|mut ungrouped| {
                    let detail = "Direct arguments of an ordered-set aggregate must use only grouped columns.";
                    *ungrouped.error = ungrouped.error.clone().with_detail(detail);
                    self.ungrouped(ungrouped)
                })?;
            }
            plan = grouped.plan;
            self.check_grouped(clauses.exprs(), &before, &plan)?;
            plan = with_outer_aggregates(plan, std::mem::take(&mut clauses.outer_aggregates))?;
            if let Some(having) = clauses.having.take() {
                plan = self.filtered(plan, having)?;
            }
        }
        plan = self.applied_in_windows(plan, &mut clauses, &mut set_arguments)?;
        plan = self.windows(plan, &mut clauses, &mut set_arguments)?;
        plan = self.applied(plan, clauses.exprs_mut(), Under::Projection)?;
        if let Some(qualify) = clauses.qualify.take() {
            plan = LogicalPlanBuilder::from(plan).filter(conjuncts(qualify))?.build()?;
        }
        plan = with_sets(plan, sets, set_arguments)?;
        let distinct = matches!(select.distinct, Some(ast::Distinct::Distinct));
        self.finish_select(plan, clauses, distinct, &limit, keeps_order)
    }

    /// The error at the column that it is about.
    fn ungrouped(&self, ungrouped: Ungrouped) -> Error {
        let Some(column) = ungrouped.column.as_deref() else { return (*ungrouped.error).into() };
        let error = self.visible_name(column).map_or(*ungrouped.error, |name| must_be_grouped(&name));
        match self.places.get(column) {
            Some(place) => self.at_location(error, *place),
            None => error.into(),
        }
    }

    fn clause(&mut self, expr: Option<&ast::Expr>, place: Place, name: &str) -> Result<Option<Expr>> {
        let Some(expr) = expr else { return Ok(None) };
        self.level()?.place = Some(place);
        Ok(Some(self.condition(expr, name)?.expr))
    }

    /// The rows for which WHERE is true.
    pub(super) fn where_clause(&mut self, plan: LogicalPlan, selection: Option<&ast::Expr>) -> Result<LogicalPlan> {
        let Some(selection) = selection else { return Ok(plan) };
        self.level()?.place = Some(Place::Plain("WHERE"));
        let condition = self.condition(selection, "WHERE")?;
        self.filtered(plan, condition.expr)
    }

    /// The select list, or that of RETURNING, `*` written out.
    pub(super) fn select_items(&mut self, list: &[SelectItem], has_from: bool) -> Result<Vec<(String, Typed)>> {
        let mut items = Vec::with_capacity(list.len());
        for item in list.iter().filter(|item| !is_no_column(item)) {
            match item {
                SelectItem::UnnamedExpr(expr) => {
                    if let Some(fields) = self.expanded_row(expr)? {
                        items.extend(fields);
                        continue;
                    }
                    let value = self.expression(expr)?;
                    let name = match is_named_by_subquery(expr) {
                        true => self.subquery_name.take(),
                        false => expression_name(expr),
                    };
                    items.push((name.unwrap_or_else(|| NO_NAME.to_owned()), value));
                }
                SelectItem::ExprWithAlias { expr, alias } => {
                    let value = self.expression(expr)?;
                    let name = folded(alias);
                    self.level()?.aliases.entry(name.clone()).or_insert_with(|| value.clone());
                    items.push((name, value));
                }
                SelectItem::ExprWithAliases { .. } => {
                    return Err(Error::not_supported("several aliases for one expression"));
                }
                SelectItem::Wildcard(options) => {
                    if !has_from {
                        let message = "SELECT * with no tables specified is not valid";
                        let location = options.wildcard_token.0.span.start;
                        return Err(self.at_location(PgError::new(SqlState::SYNTAX_ERROR, message), location));
                    }
                    let columns = self.level()?.namespace.columns.clone();
                    let excluded = excluded(options)?;
                    let kept = columns.into_iter().filter(|column| !excluded.contains(&column.name));
                    items.extend(kept.map(|column| (column.name.clone(), column.typed())));
                }
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), options) => {
                    let parts = crate::plan::relations::parts(name)?;
                    let excluded = excluded(options)?;
                    for (name, value) in self.qualified_wildcard(&parts, name)? {
                        if !excluded.contains(&name) {
                            items.push((name, value));
                        }
                    }
                }
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::Expr(expr), _) => {
                    let value = self.expression(expr)?;
                    items.extend(self.record_fields(&value, expr)?);
                }
            }
        }
        Ok(items)
    }

    /// `(row).*` comes from the parser as a compound with a field at its end that stands for all.
    fn expanded_row(&mut self, expr: &ast::Expr) -> Result<Option<Vec<(String, Typed)>>> {
        let ast::Expr::CompoundFieldAccess { root, access_chain } = expr else { return Ok(None) };
        let Some((ast::AccessExpr::Dot(ast::Expr::Identifier(last)), before)) = access_chain.split_last() else {
            return Ok(None);
        };
        if last.value != ALL_FIELDS {
            return Ok(None);
        }
        let inner = match before {
            [] => root.as_ref().clone(),
            before => ast::Expr::CompoundFieldAccess { root: root.clone(), access_chain: before.to_vec() },
        };
        let value = self.expression(&inner)?;
        self.record_fields(&value, expr).map(Some)
    }

    pub(super) fn record_fields(&self, value: &Typed, place: &ast::Expr) -> Result<Vec<(String, Typed)>> {
        fields_of(value).ok_or_else(|| {
            let message = format!("type {} is not composite", value.ty.name());
            self.at(PgError::new(SqlState::WRONG_OBJECT_TYPE, message), place)
        })
    }

    pub(super) fn qualified_wildcard(
        &mut self,
        parts: &[String],
        name: &ast::ObjectName,
    ) -> Result<Vec<(String, Typed)>> {
        for depth in 0..self.levels.len() {
            let level = &self.levels[self.levels.len() - 1 - depth];
            let Some(relation) = find_relation(&level.namespace, parts, self.context.database()) else { continue };
            if depth > 0 {
                return Err(Error::not_supported("* of an outer query's relation"));
            }
            return Ok(relation.columns.iter().map(|column| (column.name.clone(), column.typed())).collect());
        }
        let message = format!("missing FROM-clause entry for table \"{}\"", parts.last().map_or("", String::as_str));
        Err(self.at(PgError::new(SqlState::UNDEFINED_TABLE, message), name))
    }

    fn distinct_on(&mut self, select: &ast::Select, items: &[(String, Typed)]) -> Result<Option<Vec<Typed>>> {
        let Some(ast::Distinct::On(exprs)) = &select.distinct else { return Ok(None) };
        let order_by: Vec<_> = exprs
            .iter()
            .map(|expr| ast::OrderByExpr {
                expr: expr.clone(),
                options: ast::OrderByOptions { asc: None, nulls_first: None },
                with_fill: None,
            })
            .collect();
        let clause = ast::OrderBy { kind: ast::OrderByKind::Expressions(order_by), interpolate: None };
        let keys = self.order_by(Some(&clause), items)?;
        Ok(Some(keys.into_iter().map(|key| key.value).collect()))
    }

    /// Subqueries in the arguments of aggregates, and in what is grouped by, are evaluated before.
    fn applied_before_grouping(
        &mut self,
        plan: LogicalPlan,
        grouping: &mut Grouping,
        clauses: &mut Clauses,
        sets: &mut [Expr],
    ) -> Result<LogicalPlan> {
        let mut inner: Vec<Expr> = grouping.keys.clone();
        for expr in clauses.exprs().chain(sets.iter()) {
            collect(expr, &mut inner, |node| matches!(node, Expr::AggregateFunction(_)))?;
        }
        self.applied_inside(plan, inner, grouping.keys.iter_mut().chain(clauses.exprs_mut()).chain(sets))
    }

    /// Subqueries in the arguments of window functions, and of functions that return sets, are evaluated before.
    fn applied_in_windows(
        &mut self,
        plan: LogicalPlan,
        clauses: &mut Clauses,
        sets: &mut [Expr],
    ) -> Result<LogicalPlan> {
        let mut inner: Vec<Expr> = sets.to_vec();
        for expr in clauses.exprs() {
            collect(expr, &mut inner, |node| matches!(node, Expr::WindowFunction(_)))?;
        }
        self.applied_inside(plan, inner, clauses.exprs_mut().chain(sets))
    }

    /// Evaluates the subqueries of `inner` expressions, which are parts of `all`.
    fn applied_inside<'e>(
        &mut self,
        plan: LogicalPlan,
        inner: Vec<Expr>,
        all: impl Iterator<Item = &'e mut Expr>,
    ) -> Result<LogicalPlan> {
        let mut applied = inner.clone();
        let plan = self.applied(plan, applied.iter_mut(), Under::Other)?;
        let changed: Vec<_> = inner.into_iter().zip(applied).filter(|(from, to)| from != to).collect();
        if changed.is_empty() {
            return Ok(plan);
        }
        for expr in all {
            let rewritten = std::mem::take(expr).transform_down(|node| {
                Ok(match changed.iter().find(|(from, _)| *from == node) {
                    Some((_, to)) => Transformed::new(to.clone(), true, TreeNodeRecursion::Jump),
                    None => Transformed::no(node),
                })
            })?;
            *expr = rewritten.data;
        }
        Ok(plan)
    }

    /// Computes the window functions of the clauses.
    fn windows(&mut self, plan: LogicalPlan, clauses: &mut Clauses, sets: &mut [Expr]) -> Result<LogicalPlan> {
        let mut windows = Vec::new();
        for expr in clauses.exprs().chain(sets.iter()) {
            collect(expr, &mut windows, |node| matches!(node, Expr::WindowFunction(_)))?;
        }
        if windows.is_empty() {
            return Ok(plan);
        }
        let plan = self.windowed(plan, &windows)?;
        let replace = |expr: Expr| -> pg::error::Result<Expr> {
            let rewritten = expr.transform_down(|node| {
                if windows.contains(&node) {
                    let column = Column::new_unqualified(node.schema_name().to_string());
                    return Ok(Transformed::new(Expr::Column(column), true, TreeNodeRecursion::Jump));
                }
                Ok(Transformed::no(node))
            });
            Ok(rewritten.map_err(PgError::from)?.data)
        };
        clauses.rewrite(replace)?;
        for expr in sets {
            *expr = replace(std::mem::take(expr))?;
        }
        Ok(plan)
    }

    /// The column of a table that a value is.
    fn origin(&mut self, value: &Typed) -> Result<Option<Origin>> {
        if !matches!(value.expr, Expr::Column(_)) {
            return Ok(None);
        }
        let relations = &self.level()?.namespace.relations;
        let mut columns = relations.iter().flat_map(|relation| &relation.columns);
        Ok(columns.find(|column| column.expr == value.expr).and_then(|column| column.origin))
    }

    /// The projection, and what comes after it: DISTINCT, ORDER BY, LIMIT.
    fn finish_select(
        &mut self,
        plan: LogicalPlan,
        clauses: Clauses,
        distinct: bool,
        limit: &Limit,
        keeps_order: bool,
    ) -> Result<Analyzed> {
        let mut columns = Vec::with_capacity(clauses.items.len());
        let mut projection = Vec::with_capacity(clauses.items.len());
        let mut taken = std::collections::HashSet::new();
        for ((name, value), origin) in clauses.items.into_iter().zip(clauses.origins) {
            let value = self.selected(value)?;
            let unique = if taken.insert(name.clone()) { name.clone() } else { self.made_name(&name) };
            taken.insert(unique.clone());
            let constant = value.is_unknown().then(|| value.expr.clone());
            let expr = match &value.expr {
                Expr::Literal(ScalarValue::Null, _) => Expr::Literal(ScalarValue::Utf8View(None), None),
                expr => expr.clone(),
            };
            let ty = if value.is_unknown() { unknown_type() } else { value.ty };
            // A column that keeps its name keeps its relation too: the engine's rules bring others of that relation up.
            let column = match &expr {
                Expr::Column(column) if column.name == unique => column.clone(),
                _ => Column::new_unqualified(&unique),
            };
            projection.push(if expr == Expr::Column(column.clone()) { expr } else { expr.alias(&unique) });
            columns.push(OutputColumn { name, ty, column, constant, origin });
        }
        let visible = projection.len();
        let mut sorts = Vec::with_capacity(clauses.order.len());
        for key in clauses.order {
            let value = match key.output {
                Some(index) => columns[index].typed(),
                None if distinct => {
                    let message = "for SELECT DISTINCT, ORDER BY expressions must appear in select list";
                    return Err(PgError::new(SqlState::INVALID_COLUMN_REFERENCE, message).into());
                }
                None => {
                    let name = self.made_name("order");
                    projection.push(key.value.expr.alias(&name));
                    Typed::new(Expr::Column(Column::new_unqualified(name)), key.value.ty)
                }
            };
            sorts.push(self.sort(value, &key.options)?);
        }
        let mut plan = plan;
        let mut on = Vec::new();
        for value in clauses.distinct_on.iter().flatten() {
            let name = self.made_name("distinct");
            projection.push(value.expr.clone().alias(&name));
            on.push(Expr::Column(Column::new_unqualified(name)));
        }
        plan = LogicalPlanBuilder::from(plan).project(projection)?.build()?;
        if distinct {
            plan = self.distinct_rows(plan, &columns)?;
        }
        if clauses.distinct_on.is_some() {
            if sorts.is_empty() {
                // The rows come as PostgreSQL's do, which it sorts to find those that are equal.
                sorts = on.iter().map(|key| Sort::new(key.clone(), true, false)).collect();
            }
            plan = self.first_of_each(plan, on, &sorts)?;
        }
        self.kept_order = keeps_order.then(|| sorts.clone());
        plan = self.sorted(plan, sorts, limit)?;
        if plan.schema().fields().len() > visible && !keeps_order {
            let kept = columns.iter().map(|column| Expr::Column(column.column.clone()));
            plan = LogicalPlanBuilder::from(plan).project(kept.collect::<Vec<_>>())?.build()?;
        }
        Ok(Analyzed { plan, columns })
    }

    /// DISTINCT: of rows whose values are equal by their types' measure, one.
    pub(super) fn distinct_rows(&mut self, plan: LogicalPlan, columns: &[OutputColumn]) -> Result<LogicalPlan> {
        let mut grouping = Grouping { written: true, ..Grouping::default() };
        for column in columns {
            let value = column.typed();
            let written = value.expr.clone();
            let key = self.group_key(value)?.expr;
            if key != written {
                grouping.written_values.push((written, grouping.keys.len()));
            }
            grouping.keys.push(key);
        }
        if grouping.written_values.is_empty() {
            return Ok(LogicalPlanBuilder::from(plan).distinct()?.build()?);
        }
        let grouped = Aggregated::new(plan, &grouping, std::iter::empty())?;
        let mut kept = Vec::with_capacity(columns.len());
        for column in columns {
            let value = grouped.rewrite(Expr::Column(column.column.clone()))?;
            kept.push(value.alias_qualified(column.column.relation.clone(), &column.column.name));
        }
        Ok(LogicalPlanBuilder::from(grouped.plan).project(kept)?.build()?)
    }

    /// What can be a column: a parameter without a type is text.
    fn selected(&mut self, value: Typed) -> Result<Typed> {
        match &value.expr {
            Expr::Literal(..) | Expr::Placeholder(_) => Ok(value),
            _ if value.is_unknown() => Ok(self.coerce(value, &Type::of(TEXT), CastContext::Implicit)?),
            _ => Ok(value),
        }
    }

    /// DISTINCT ON: of the rows that are equal in these columns, the first in the order.
    fn first_of_each(&mut self, plan: LogicalPlan, on: Vec<Expr>, sorts: &[Sort]) -> Result<LogicalPlan> {
        let number = self.made_name("row");
        let window = row_number().partition_by(on).order_by(sorts.to_vec()).build()?;
        let numbered = LogicalPlanBuilder::from(plan).window(vec![window.alias(&number)])?;
        let first = Expr::Column(Column::new_unqualified(number)).eq(lit(1u64));
        Ok(numbered.filter(first)?.build()?)
    }

    /// The rows in order, and those of them that are wanted.
    pub(super) fn sorted(&mut self, plan: LogicalPlan, sorts: Vec<Sort>, limit: &Limit) -> Result<LogicalPlan> {
        if !limit.with_ties {
            let plan = match sorts.is_empty() {
                true => plan,
                false => LogicalPlanBuilder::from(plan).sort(sorts)?.build()?,
            };
            return self.limited(plan, limit);
        }
        if sorts.is_empty() {
            let message = "WITH TIES cannot be specified without ORDER BY clause";
            return Err(PgError::new(SqlState::SYNTAX_ERROR, message).into());
        }
        // With the rows equal to the last one: those whose rank is within the number.
        let name = self.made_name("rank");
        let (skip, fetch) = limit.parts();
        let window = rank().order_by(sorts.clone()).build()?;
        let ranked = LogicalPlanBuilder::from(plan).window(vec![window.alias(&name)])?;
        let position =
            datafusion::logical_expr::cast(Expr::Column(Column::new_unqualified(name)), Type::of(INT8).arrow);
        let last = match (skip, fetch) {
            (Some(skip), Some(fetch)) => skip + fetch,
            (_, Some(fetch)) => fetch,
            _ => lit(i64::MAX),
        };
        let plan = ranked.filter(position.lt_eq(last))?.sort(sorts)?.build()?;
        self.limited(plan, &limit.without_fetch())
    }
}

/// The fields of a record, by their names; nothing of another value.
pub(super) fn fields_of(value: &Typed) -> Option<Vec<(String, Typed)>> {
    let arrow::datatypes::DataType::Struct(fields) = &value.ty.arrow else { return None };
    let field = |field: &arrow::datatypes::FieldRef| {
        let name = field.name();
        let expr = datafusion::functions::core::expr_fn::get_field(value.expr.clone(), name.as_str());
        (name.clone(), Typed::new(expr, Type::of_field(field)))
    };
    Some(fields.iter().map(field).collect())
}

/// What the names behind AS in a select list stand for; the first of a name.
fn written_aliases(list: &[SelectItem]) -> HashMap<String, ast::Expr> {
    let mut aliases = HashMap::new();
    for item in list {
        if let SelectItem::ExprWithAlias { expr, alias } = item {
            aliases.entry(folded(alias)).or_insert_with(|| expr.clone());
        }
    }
    aliases
}

/// The groups with the columns by which subqueries read their aggregates.
fn with_outer_aggregates(plan: LogicalPlan, aggregates: Vec<(String, Typed)>) -> Result<LogicalPlan> {
    if aggregates.is_empty() {
        return Ok(plan);
    }
    let mut projection: Vec<_> = plan.schema().columns().into_iter().map(Expr::Column).collect();
    projection.extend(aggregates.into_iter().map(|(name, value)| value.expr.alias(name)));
    Ok(LogicalPlanBuilder::from(plan).project(projection)?.build()?)
}

/// The order of DISTINCT ON begins with what is distinct.
fn check_distinct_on(on: &[Typed], order: &[OrderKey]) -> Result<()> {
    let mut missing: Vec<_> = on.iter().map(|value| &value.expr).collect();
    for key in order {
        if missing.is_empty() {
            break;
        }
        if !on.iter().any(|value| value.expr == key.value.expr) {
            let message = "SELECT DISTINCT ON expressions must match initial ORDER BY expressions";
            return Err(PgError::new(SqlState::INVALID_COLUMN_REFERENCE, message).into());
        }
        missing.retain(|expr| **expr != key.value.expr);
    }
    Ok(())
}

/// The rows of set-returning functions. One whose rows are an argument of another comes before it; the others run in step.
fn with_sets(mut plan: LogicalPlan, sets: Vec<SetColumn>, arguments: Vec<Expr>) -> Result<LogicalPlan> {
    let mut arguments = arguments.into_iter();
    let mut calls: Vec<(Vec<String>, SetReturning)> = Vec::with_capacity(sets.len());
    for set in sets {
        let call = SetReturning {
            function: set.function,
            types: set.arguments.iter().map(|argument| argument.ty.clone()).collect(),
            arguments: arguments.by_ref().take(set.arguments.len()).collect(),
            columns: set.names.iter().zip(&set.columns).map(|(name, (_, ty))| set_field(name, ty)).collect(),
        };
        calls.push((set.names, call));
    }
    while !calls.is_empty() {
        let used = |names: &[String], calls: &[(Vec<String>, SetReturning)]| {
            let arguments = calls.iter().flat_map(|(_, call)| &call.arguments);
            arguments.flat_map(Expr::column_refs).any(|column| names.contains(&column.name))
        };
        let innermost = |call: &SetReturning, calls: &[(Vec<String>, SetReturning)]| {
            let reads = call.arguments.iter().flat_map(Expr::column_refs);
            !reads.into_iter().any(|column| calls.iter().any(|(names, _)| names.contains(&column.name)))
        };
        let nested = calls.iter().any(|(names, _)| used(names, &calls));
        let (now, later): (Vec<_>, Vec<_>) =
            calls.iter().cloned().partition(|(names, call)| !nested || innermost(call, &calls) && used(names, &calls));
        if now.is_empty() {
            return Err(PgError::internal("set-returning functions read each other").into());
        }
        plan = project_set(plan, now.into_iter().map(|(_, call)| call).collect(), None, false)?;
        calls = later;
    }
    Ok(plan)
}

/// Rewrites an expression over groups; the columns that set-returning functions fill come from above.
fn grouped_except(grouped: &Aggregated, expr: Expr, sets: &[&String]) -> Result<Expr, Ungrouped> {
    if sets.is_empty() {
        return grouped.rewrite(expr);
    }
    if let Expr::Column(column) = &expr
        && column.relation.is_none()
        && sets.contains(&&column.name)
    {
        return Ok(expr);
    }
    let mut failed = None;
    let rewritten = expr.map_children(|child| match grouped_except(grouped, child.clone(), sets) {
        Ok(child) => Ok(Transformed::yes(child)),
        Err(error) => {
            failed.get_or_insert(error);
            Ok(Transformed::no(child))
        }
    });
    if let Some(failed) = failed {
        return Err(failed);
    }
    let node = rewritten.map_err(PgError::from)?.data;
    // A node without children of its own is a column or constant.
    match &node {
        Expr::Column(_) | Expr::AggregateFunction(_) => grouped.rewrite(node),
        _ => Ok(node),
    }
}

/// The names that `* EXCLUDE (…)` leaves out; other options are no PostgreSQL nor Redshift.
fn excluded(options: &ast::WildcardAdditionalOptions) -> Result<Vec<String>> {
    let other = options.opt_ilike.is_some()
        || options.opt_except.is_some()
        || options.opt_replace.is_some()
        || options.opt_rename.is_some();
    if other {
        return Err(Error::not_supported("an option behind *"));
    }
    options.opt_exclude.as_ref().map_or_else(|| Ok(Vec::new()), exclude_names)
}

fn exclude_names(exclude: &ast::ExcludeSelectItem) -> Result<Vec<String>> {
    let names = match exclude {
        ast::ExcludeSelectItem::Single(name) => std::slice::from_ref(name),
        ast::ExcludeSelectItem::Multiple(names) => names.as_slice(),
    };
    let mut all = Vec::with_capacity(names.len());
    for name in names {
        all.extend(crate::plan::relations::parts(name)?.pop());
    }
    Ok(all)
}
