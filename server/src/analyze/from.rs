//! FROM: relations, subqueries, functions, joins.

mod column_definitions;
mod file_options;
mod files;
mod join_condition;
mod lateral;
mod nested_collection;
mod pivot;
mod rows_from;
mod sample;
mod using;

pub(super) use column_definitions::returns_records;
use std::collections::HashMap;
use std::sync::Arc;

use catalog::{ObjectName, Oid, Relation};
use datafusion::common::{Column, JoinType, TableReference};
use datafusion::datasource::{provider_as_source, source_as_provider};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, TableSource};
use pg::error::PgError;
use pg::sqlstate::SqlState;
use pg::types::*;
use pg::user_types::is_composite;
use pg::{Type, library};
use sqlparser::ast::{
    self, FunctionArg, FunctionArgExpr, JoinConstraint, JoinOperator, TableAlias, TableFactor, TableWithJoins,
};

use storage::external::ExternalTableProvider;
use storage::hot::HotTableProvider;

use crate::analyze::call::shapes;
use crate::analyze::function_call::Entry;
use crate::analyze::names::plan_column;
use crate::analyze::scope::{Namespace, Place, ScopeColumn, ScopeRelation};
use crate::analyze::select::fields_of;
use crate::analyze::sets::{project_set, set_field};
use crate::analyze::typed::Typed;
use crate::analyze::{Analyzed, Analyzer, Origin, folded, unique};
use crate::error::{Error, Result};
use crate::keyless::Keyless;
use crate::parse::forms::ROWS_FROM;
use crate::parse::forms::clauses::DEFINED_COLUMNS;
use crate::plan::FoundRelation;
use crate::plan::relations::parts;
use crate::set_returning::SetReturning;
use files::FilesFunction;

/// Where a LATERAL subquery stands, for an aggregate in it of the query whose FROM that is.
const OWN_FROM: Place = Place::Plain("FROM clause of their own query level");

/// A part of FROM.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub plan: LogicalPlan,
    pub namespace: Namespace,
}

/// How a relation is joined to what stands before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attach {
    /// Every row with every row.
    Cross,
    /// Rows without partner are kept, when the function has none.
    Left,
}

impl Analyzer<'_> {
    /// FROM as a whole. What it makes visible is left in the current level.
    pub(super) fn from(&mut self, from: &[TableWithJoins]) -> Result<LogicalPlan> {
        let mut before: Option<Part> = None;
        for item in from {
            let lateral = self.any_lateral(before.as_ref(), &item.joins)?;
            let part = if before.is_some() && lateral && item.joins.iter().all(|join| keeps_left(&join.join_operator)) {
                // Functions further right may read what stands before the comma.
                self.joined(before.take(), item)?
            } else {
                let first = self.relation(before.take(), &item.relation, Attach::Cross)?;
                let (earlier, first) = first;
                let part = self.joins(first, &item.joins)?;
                match earlier {
                    Some(earlier) => self.cross(earlier, part)?,
                    None => part,
                }
            };
            self.level()?.namespace = part.namespace.clone();
            before = Some(part);
        }
        match before {
            Some(part) => {
                self.check_names(&part.namespace, from)?;
                Ok(part.plan)
            }
            None => Ok(LogicalPlanBuilder::empty(true).build()?),
        }
    }

    /// Whether a join further right may read what stands before the comma.
    fn any_lateral(&mut self, before: Option<&Part>, joins: &[ast::Join]) -> Result<bool> {
        let mut found = joins.iter().any(|join| is_lateral(&join.relation));
        if let Some(before) = before {
            for join in joins {
                found = found || self.is_collection(before, &join.relation)?;
            }
        }
        Ok(found)
    }

    /// A table with its joins, all of them joined to what stands before.
    fn joined(&mut self, before: Option<Part>, item: &TableWithJoins) -> Result<Part> {
        let (earlier, first) = self.relation(before, &item.relation, Attach::Cross)?;
        let part = match earlier {
            Some(earlier) => self.cross(earlier, first)?,
            None => first,
        };
        self.joins(part, &item.joins)
    }

    fn joins(&mut self, mut part: Part, joins: &[ast::Join]) -> Result<Part> {
        for join in joins {
            part = self.join(part, join)?;
        }
        Ok(part)
    }

    fn cross(&mut self, left: Part, right: Part) -> Result<Part> {
        let plan = LogicalPlanBuilder::from(left.plan).cross_join(right.plan)?.build()?;
        Ok(Part { plan, namespace: left.namespace.with(right.namespace) })
    }

    /// Two relations of one name cannot be told apart.
    pub(super) fn check_names(&self, namespace: &Namespace, from: &[TableWithJoins]) -> Result<()> {
        for (position, relation) in namespace.relations.iter().enumerate() {
            let Some(name) = &relation.name else { continue };
            let same = |other: &&ScopeRelation| {
                other.name.as_ref() == Some(name)
                    && (other.schema.is_none() || other.schema == relation.schema || relation.schema.is_none())
            };
            if namespace.relations[..position].iter().find(same).is_some() {
                let message = format!("table name \"{name}\" specified more than once");
                let error = PgError::new(SqlState::DUPLICATE_ALIAS, message);
                return Err(match from.first() {
                    Some(first) => self.at(error, &first.relation),
                    None => error.into(),
                });
            }
        }
        Ok(())
    }

    /// A relation. One that reads what stands before it takes that into itself, and gives it back joined.
    fn relation(&mut self, before: Option<Part>, factor: &TableFactor, attach: Attach) -> Result<(Option<Part>, Part)> {
        match factor {
            TableFactor::Table { name, alias, args: None, with_ordinality: false, sample: Some(sample), .. } => {
                let part = self.table(name, alias.as_ref())?;
                Ok((before, self.sampled(part, name, sample)?))
            }
            TableFactor::Table { name, alias, args: None, with_ordinality: false, .. } => {
                if let Some(location) = files::location(name) {
                    let part = self.files_at(location, alias.as_ref())?;
                    return Ok((before, part));
                }
                if let Some(array) = self.nested_collection(before.as_ref(), name)? {
                    let ordinality = false;
                    let part = self.unnest(before, vec![array], ordinality, alias.as_ref(), attach)?;
                    return Ok((None, part));
                }
                let part = self.table(name, alias.as_ref())?;
                Ok((before, part))
            }
            TableFactor::Table { name, alias, args: Some(arguments), with_ordinality: false, sample: None, .. }
                if FilesFunction::named(name).is_some() =>
            {
                let function = FilesFunction::named(name).ok_or_else(|| PgError::internal("a function has no name"))?;
                let part = self.files_function(function, name, &arguments.args, alias.as_ref())?;
                Ok((before, part))
            }
            TableFactor::Table { name, alias, args: Some(arguments), with_ordinality, sample: None, .. } => {
                self.table_function(before, name, &arguments.args, *with_ordinality, alias.as_ref(), attach)
            }
            TableFactor::Function { name, args, with_ordinality, alias, .. } => {
                self.table_function(before, name, args, *with_ordinality, alias.as_ref(), attach)
            }
            TableFactor::UNNEST { array_exprs, alias, with_ordinality, with_offset: false, .. } => {
                let part = self.with_namespace(before.as_ref(), |analyzer| {
                    array_exprs.iter().map(|expr| analyzer.expression(expr)).collect::<Result<Vec<_>>>()
                })?;
                let part = self.unnest(before, part, *with_ordinality, alias.as_ref(), attach)?;
                Ok((None, part))
            }
            TableFactor::Derived { lateral: false, subquery, alias, sample: None } => {
                let part = self.derived(subquery, alias.as_ref())?;
                Ok((before, part))
            }
            TableFactor::Derived { lateral: true, subquery, alias, sample: None } => {
                let part = self.with_namespace(before.as_ref(), |analyzer| {
                    analyzer.level()?.place = Some(OWN_FROM);
                    let analyzed = analyzer.query(subquery)?;
                    analyzer.named(analyzed, alias.as_ref())
                })?;
                self.lateral(before, part, attach)
            }
            TableFactor::NestedJoin { table_with_joins, alias } => {
                let part = self.joined(None, table_with_joins)?;
                let part = match alias {
                    Some(alias) => self.join_alias(part, alias)?,
                    None => part,
                };
                Ok((before, part))
            }
            TableFactor::Pivot {
                table,
                aggregate_functions: aggregates,
                value_column: columns,
                value_source: values,
                default_on_null: None,
                alias,
            } => {
                let pivot = pivot::Pivot { table, aggregates, columns, values, alias: alias.as_ref() };
                Ok((before, self.pivot(&pivot)?))
            }
            TableFactor::Unpivot { table, value, name, columns, null_inclusion, alias } => {
                let (nulls, alias) = (null_inclusion.as_ref(), alias.as_ref());
                let part = self.unpivot(&pivot::Unpivot { table, value, name, columns, nulls, alias })?;
                Ok((before, part))
            }
            TableFactor::Table { .. } | TableFactor::Derived { .. } | TableFactor::UNNEST { .. } => {
                Err(Error::not_supported("this form in FROM"))
            }
            _ => Err(Error::not_supported("this form in FROM")),
        }
    }

    /// Reads something that sees what stands before it in FROM.
    fn with_namespace<T>(&mut self, before: Option<&Part>, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let level = self.level()?;
        level.place = Some(Place::Plain("functions in FROM"));
        let saved = std::mem::take(&mut level.namespace);
        level.namespace = match before {
            Some(part) => part.namespace.clone(),
            None => saved.clone(),
        };
        let result = read(self);
        self.level()?.namespace = saved;
        result
    }

    /// A table, view or common table.
    fn table(&mut self, name: &ast::ObjectName, alias: Option<&TableAlias>) -> Result<Part> {
        let parts = parts(name)?;
        if let [single] = parts.as_slice()
            && let Some((found, is_work_table)) = self.common_table(single)
        {
            if is_work_table && let Some(level) = self.levels.last_mut() {
                level.reads_itself = true;
            }
            return self.named_as(found, alias, single);
        }
        let found = self.context.find_relation(&parts).map_err(|error| match error {
            Error::UndefinedTable { name: wanted, position: None } => {
                let error = PgError::new(SqlState::UNDEFINED_TABLE, format!("relation \"{wanted}\" does not exist"));
                self.at(error, name)
            }
            other => other,
        })?;
        match found {
            FoundRelation::Table { oid, name: full, source, system_columns } => {
                self.scanned(oid, &full, source, system_columns, alias)
            }
            FoundRelation::View { oid, name: full, analyzed } => {
                let mut part = self.named_as(*analyzed, alias, &full.name)?;
                self.set_origins(oid, &mut part.namespace.relations[0].columns);
                self.context.note_columns(oid, plan_columns(&part.namespace.relations[0].columns));
                if alias.is_none() {
                    part.namespace.relations[0].schema = Some(full.schema);
                }
                Ok(part)
            }
        }
    }

    /// The rows of a table, the last so many columns of which are found by their names only.
    fn scanned(
        &mut self,
        oid: Oid,
        full: &ObjectName,
        source: Arc<dyn TableSource>,
        system_columns: usize,
        alias: Option<&TableAlias>,
    ) -> Result<Part> {
        let visible = alias.map_or_else(|| full.name.clone(), |alias| folded(&alias.name));
        let table = self.unique_alias(&visible);
        let schema = source.schema();
        let column = |field: &arrow::datatypes::FieldRef| {
            ScopeColumn::new(field.name(), plan_column(&table, field.name()), Type::of_field(field))
        };
        let mut columns: Vec<_> = schema.fields().iter().map(column).collect();
        let scanned = TableReference::bare(full.name.as_str());
        let source = if visible == full.name { source } else { called(&source, &visible)? };
        let mut builder = LogicalPlanBuilder::scan(scanned, source, None)?;
        if table != full.name {
            builder = builder.alias(TableReference::bare(table))?;
        }
        let plan = self.with_own_columns(builder.build()?, &mut columns)?;
        let system_columns = columns.split_off(columns.len() - system_columns);
        self.set_origins(oid, &mut columns);
        self.context.note_columns(oid, plan_columns(&columns));
        let schema = alias.is_none().then(|| full.schema.clone());
        let relation = ScopeRelation { name: Some(visible), schema, columns, system_columns, is_scalar: false };
        let relation = self.renamed(relation, alias)?;
        Ok(Part { plan, namespace: Namespace::of(relation) })
    }

    /// The columns of a relation know which they are. Those of the system's relations are nobody's.
    fn set_origins(&self, relation: Oid, columns: &mut [ScopeColumn]) {
        let hot = match self.context.snapshot().relation_by_oid(relation) {
            Some(Relation::Hot(table)) => Some(table),
            Some(_) => None,
            None => return columns.iter_mut().for_each(|column| column.origin = None),
        };
        for (place, column) in (0_i16..).zip(columns) {
            let number = match hot {
                Some(table) => table.columns.get(place as usize).map(|column| column.attribute_number),
                None => Some(place + 1),
            };
            column.origin = number.map(|number| Origin { relation, number });
        }
    }

    /// A subquery in FROM: what stands beside it is not visible in it.
    fn derived(&mut self, subquery: &ast::Query, alias: Option<&TableAlias>) -> Result<Part> {
        let saved = std::mem::take(&mut self.level()?.namespace);
        let analyzed = self.query(subquery);
        self.level()?.namespace = saved;
        self.named(analyzed?, alias)
    }

    /// A subquery as a relation; without an alias its columns are visible without one.
    fn named(&mut self, analyzed: Analyzed, alias: Option<&TableAlias>) -> Result<Part> {
        match alias {
            Some(alias) => self.named_as(analyzed, Some(alias), ""),
            None => {
                let mut part = self.named_as(analyzed, None, "unnamed_subquery")?;
                part.namespace.relations[0].name = None;
                Ok(part)
            }
        }
    }

    /// A relation whose columns have names that no others of the statement have. The engine tells columns of different
    /// relations apart by their relations while it plans, but where it hands conditions down to scans, by their names alone.
    fn with_own_columns(&mut self, plan: LogicalPlan, columns: &mut [ScopeColumn]) -> Result<LogicalPlan> {
        let mut own = HashMap::new();
        for column in plan.schema().columns() {
            let name = unique(&mut self.columns, &column.name);
            if name != column.name {
                own.insert(column, name);
            }
        }
        if own.is_empty() {
            return Ok(plan);
        }
        for column in columns {
            if let Expr::Column(column) = &mut column.expr
                && let Some(name) = own.get(column)
            {
                column.name = name.clone();
            }
        }
        let exprs = plan.schema().columns().into_iter().map(|column| match own.get(&column) {
            Some(name) => Expr::Column(column.clone()).alias_qualified(column.relation, name),
            None => Expr::Column(column),
        });
        let exprs: Vec<_> = exprs.collect();
        Ok(LogicalPlanBuilder::from(plan).project(exprs)?.build()?)
    }

    fn named_as(&mut self, analyzed: Analyzed, alias: Option<&TableAlias>, name: &str) -> Result<Part> {
        let analyzed = self.settled(analyzed)?;
        let visible = alias.map_or_else(|| name.to_owned(), |alias| folded(&alias.name));
        let table = self.unique_alias(&visible);
        let mut columns: Vec<_> = analyzed
            .columns
            .iter()
            .map(|column| {
                let of_plan = plan_column(&table, &column.column.name);
                let new = ScopeColumn::new(&column.name, of_plan, column.ty.clone());
                ScopeColumn { origin: column.origin, ..new }
            })
            .collect();
        let plan = LogicalPlanBuilder::from(analyzed.plan).alias(TableReference::bare(table))?.build()?;
        let plan = Keyless::plan(plan)?;
        let plan = self.with_own_columns(plan, &mut columns)?;
        let system_columns = Vec::new();
        let relation = ScopeRelation { name: Some(visible), schema: None, columns, system_columns, is_scalar: false };
        let relation = self.renamed(relation, alias)?;
        Ok(Part { plan, namespace: Namespace::of(relation) })
    }

    /// The relation with the column names of its alias.
    fn renamed(&self, mut relation: ScopeRelation, alias: Option<&TableAlias>) -> Result<ScopeRelation> {
        let Some(alias) = alias else { return Ok(relation) };
        if alias.columns.len() > relation.columns.len() {
            let message = format!(
                "table \"{}\" has {} columns available but {} columns specified",
                folded(&alias.name),
                relation.columns.len(),
                alias.columns.len()
            );
            return Err(self.at(PgError::new(SqlState::INVALID_COLUMN_REFERENCE, message), &alias.name));
        }
        for (column, name) in relation.columns.iter_mut().zip(&alias.columns) {
            if name.data_type.is_some() {
                let message = "a column definition list is only allowed for functions returning \"record\"";
                return Err(self.at(PgError::new(SqlState::SYNTAX_ERROR, message), &name.name));
            }
            column.name = folded(&name.name);
        }
        Ok(relation)
    }

    /// `(a JOIN b …) AS alias`
    fn join_alias(&mut self, part: Part, alias: &TableAlias) -> Result<Part> {
        let relation = ScopeRelation {
            name: Some(folded(&alias.name)),
            schema: None,
            columns: part.namespace.columns,
            system_columns: Vec::new(),
            is_scalar: false,
        };
        let relation = self.renamed(relation, Some(alias))?;
        Ok(Part { plan: part.plan, namespace: Namespace::of(relation) })
    }

    fn join(&mut self, left: Part, join: &ast::Join) -> Result<Part> {
        let (kind, constraint) = join_kind(&join.join_operator)?;
        if *constraint == JoinConstraint::None && !matches!(join.join_operator, JoinOperator::CrossJoin(_)) {
            let error = PgError::new(SqlState::SYNTAX_ERROR, "syntax error: a JOIN needs ON or USING");
            return Err(self.at(error, &join.relation));
        }
        if is_function(&join.relation) || self.is_collection(&left, &join.relation)? {
            return self.join_function(left, join, kind, constraint);
        }
        if let (TableFactor::Derived { lateral: true, .. }, JoinType::Inner | JoinType::Left) = (&join.relation, kind) {
            return self.lateral_join(left, join, kind, constraint);
        }
        let visible = self.level()?.namespace.clone();
        let (left, right) = self.relation(Some(left), &join.relation, Attach::Cross)?;
        self.level()?.namespace = visible;
        let Some(left) = left else {
            let message = "invalid reference to FROM-clause entry on the left of a RIGHT or FULL JOIN";
            let error = PgError::new(SqlState::INVALID_COLUMN_REFERENCE, message)
                .with_detail("The combining JOIN type must be INNER or LEFT for a LATERAL reference.");
            return Err(self.at(error, &join.relation));
        };
        self.join_parts(left, right, kind, constraint)
    }

    /// A function or nested collection on the right of a join.
    fn join_function(
        &mut self,
        left: Part,
        join: &ast::Join,
        kind: JoinType,
        constraint: &JoinConstraint,
    ) -> Result<Part> {
        let always = match constraint {
            JoinConstraint::On(ast::Expr::Value(value)) => value.value == ast::Value::Boolean(true),
            JoinConstraint::None => true,
            _ => false,
        };
        match (kind, always) {
            (JoinType::Inner, true) => {
                let (_, part) = self.relation_over(left, &join.relation, Attach::Cross)?;
                Ok(part)
            }
            (JoinType::Left, true) => {
                let (_, part) = self.relation_over(left, &join.relation, Attach::Left)?;
                Ok(part)
            }
            (JoinType::Inner | JoinType::Left, false) if is_function(&join.relation) => {
                self.lateral_join(left, join, kind, constraint)
            }
            _ => {
                // Without the rows on its left: a function of constants.
                let (_, right) = self.relation(None, &join.relation, Attach::Cross)?;
                self.join_parts(left, right, kind, constraint)
            }
        }
    }

    /// As [`Analyzer::relation`], with both sides joined in any case.
    fn relation_over(&mut self, left: Part, factor: &TableFactor, attach: Attach) -> Result<(Option<Part>, Part)> {
        let (before, part) = self.relation(Some(left), factor, attach)?;
        match before {
            None => Ok((None, part)),
            Some(before) if attach == Attach::Cross => Ok((None, self.cross(before, part)?)),
            Some(before) => {
                let namespace = before.namespace.with(part.namespace);
                let on = vec![Typed::boolean(true).expr];
                let plan = LogicalPlanBuilder::from(before.plan).join_on(part.plan, JoinType::Left, on)?.build()?;
                Ok((None, Part { plan, namespace }))
            }
        }
    }

    /// Both, joined as an operator says.
    pub(super) fn join_parts_by(&mut self, left: Part, right: Part, operator: &JoinOperator) -> Result<Part> {
        let (kind, constraint) = join_kind(operator)?;
        self.join_parts(left, right, kind, constraint)
    }

    fn join_parts(&mut self, left: Part, right: Part, kind: JoinType, constraint: &JoinConstraint) -> Result<Part> {
        let left = if matches!(kind, JoinType::Right | JoinType::Full) { self.with_presence(left)? } else { left };
        let right = if matches!(kind, JoinType::Left | JoinType::Full) { self.with_presence(right)? } else { right };
        let (condition, namespace) = self.join_condition(&left.namespace, &right.namespace, kind, constraint)?;
        let plan = match condition {
            Some(condition) => self.joined_on(left.plan, right.plan, kind, condition)?,
            None if kind == JoinType::Inner => LogicalPlanBuilder::from(left.plan).cross_join(right.plan)?.build()?,
            None => self.joined_on(left.plan, right.plan, kind, Typed::boolean(true).expr)?,
        };
        Ok(Part { plan, namespace })
    }

    /// A function in FROM.
    fn table_function(
        &mut self,
        before: Option<Part>,
        name: &ast::ObjectName,
        arguments: &[FunctionArg],
        ordinality: bool,
        alias: Option<&TableAlias>,
        attach: Attach,
    ) -> Result<(Option<Part>, Part)> {
        let parts = parts(name)?;
        let function_name = parts.last().cloned().unwrap_or_default();
        if function_name == ROWS_FROM {
            return Ok((None, self.rows_from(before, arguments, ordinality, alias, attach)?));
        }
        let mut exprs = Vec::with_capacity(arguments.len());
        for argument in arguments {
            match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => exprs.push(expr),
                _ => return Err(self.at(PgError::not_supported("this form of an argument in FROM"), name)),
            }
        }
        let values = self.with_namespace(before.as_ref(), |analyzer| {
            exprs.iter().map(|expr| analyzer.expression(expr)).collect::<Result<Vec<_>>>()
        })?;
        if function_name == "unnest" {
            return Ok((None, self.unnest(before, values, ordinality, alias, attach)?));
        }
        if returns_records(&function_name) {
            let columns = self.column_definitions(alias, name)?;
            if ordinality {
                let message = "WITH ORDINALITY cannot be used with a column definition list";
                let error = PgError::new(SqlState::SYNTAX_ERROR, message);
                return Err(self.at(error.with_hint("Put the column definition list inside ROWS FROM()."), name));
            }
            let call = self.record_call(&function_name, values, columns, name)?;
            let alias = alias.filter(|alias| alias.name.value != DEFINED_COLUMNS);
            let alias = alias.map(|alias| TableAlias { columns: Vec::new(), ..alias.clone() });
            return Ok((None, self.attach(before, vec![call], ordinality, alias.as_ref(), &function_name, attach)?));
        }
        let found = self.resolve(&function_name, &values, false).map_err(|error| self.at(error, name))?;
        let Some(found) = found else {
            let types: Vec<_> = values.iter().map(|value| &value.ty).collect();
            let described = crate::analyze::call::signature(&function_name, &types);
            let error = PgError::new(SqlState::UNDEFINED_FUNCTION, format!("function {described} does not exist"));
            let hint =
                "No function matches the given name and argument types. You might need to add explicit type casts.";
            return Err(self.at(error.with_hint(hint), name));
        };
        match found.entry {
            Entry::Set(function) => {
                let (arguments, _) =
                    self.cast_arguments(&found.arguments, values).map_err(|error| self.at(error, name))?;
                let columns = (function.columns)(&shapes(&arguments)).map_err(|error| self.at(error, name))?;
                let call = Called { function, arguments, columns };
                Ok((None, self.attach(before, vec![call], ordinality, alias, &function_name, attach)?))
            }
            Entry::Function(function) => {
                let value = self.call(function, found.arguments, values).map_err(|error| self.at(error, name))?;
                match before {
                    Some(before) if !value.expr.column_refs().is_empty() => {
                        Ok((None, self.single_value(Some(before), value, alias, &function_name)?))
                    }
                    before => Ok((before, self.single_value(None, value, alias, &function_name)?)),
                }
            }
            _ => {
                let message = format!("aggregate functions are not allowed in functions in FROM: {function_name}");
                Err(self.at(PgError::new(SqlState::GROUPING_ERROR, message), name))
            }
        }
    }

    /// A function in FROM that returns one value, for each row of what it reads: its columns are the fields of a composite
    /// value.
    fn single_value(
        &mut self,
        before: Option<Part>,
        value: Typed,
        alias: Option<&TableAlias>,
        name: &str,
    ) -> Result<Part> {
        let visible = alias.map_or_else(|| name.to_owned(), |alias| folded(&alias.name));
        let is_scalar = !is_composite(value.ty.oid);
        let (table, column) = (self.unique_alias(&visible), unique(&mut self.columns, &visible));
        let (plan, namespace) = match before {
            Some(part) => (part.plan, part.namespace),
            None => (LogicalPlanBuilder::empty(true).build()?, Namespace::default()),
        };
        let kept: Vec<_> = plan.schema().columns().into_iter().map(Expr::Column).collect();
        let qualified =
            |value: Expr, name: &str| value.alias_qualified(Some(TableReference::bare(table.as_str())), name);
        let mut exprs = kept.clone();
        exprs.push(qualified(value.expr, &column));
        let mut plan = LogicalPlanBuilder::from(plan).project(exprs)?;
        let value = Typed::new(Expr::Column(plan_column(&table, &column)), value.ty);
        let columns = match fields_of(&value).filter(|_| !is_scalar) {
            None => vec![ScopeColumn::new(&visible, plan_column(&table, &column), value.ty)],
            Some(fields) => {
                let mut exprs = kept;
                let mut columns = Vec::with_capacity(fields.len());
                for (field, value) in fields {
                    let made = unique(&mut self.columns, &field);
                    exprs.push(qualified(value.expr, &made));
                    columns.push(ScopeColumn::new(&field, plan_column(&table, &made), value.ty));
                }
                plan = plan.project(exprs)?;
                columns
            }
        };
        let relation =
            ScopeRelation { name: Some(visible), schema: None, columns, system_columns: Vec::new(), is_scalar };
        let relation = self.renamed(relation, alias)?;
        Ok(Part { plan: plan.build()?, namespace: namespace.with(Namespace::of(relation)) })
    }

    /// The elements of one or several arrays, side by side.
    fn unnest(
        &mut self,
        before: Option<Part>,
        arrays: Vec<Typed>,
        ordinality: bool,
        alias: Option<&TableAlias>,
        attach: Attach,
    ) -> Result<Part> {
        let calls = self.unnest_calls(arrays)?;
        self.attach(before, calls, ordinality, alias, "unnest", attach)
    }

    fn unnest_calls(&mut self, arrays: Vec<Typed>) -> Result<Vec<Called>> {
        let mut calls = Vec::with_capacity(arrays.len());
        for array in arrays {
            if array.is_unknown() {
                // PostgreSQL has another unnest, of text search vectors.
                let hint = "Could not choose a best candidate function. You might need to add explicit type casts.";
                let error = PgError::new(SqlState::AMBIGUOUS_FUNCTION, "function unnest(unknown) is not unique");
                return Err(error.with_hint(hint).into());
            }
            let name = if array.ty.oid == MAP { "unnest_map" } else { "unnest" };
            let function = library::set_functions(name)
                .iter()
                .find(|entry| crate::analyze::resolve::accepts(entry.arguments, &[array.ty.oid]));
            let Some(function) = function.copied() else {
                let message = format!("function unnest({}) does not exist", array.ty.name());
                return Err(PgError::new(SqlState::UNDEFINED_FUNCTION, message).into());
            };
            let (arguments, _) = self.cast_arguments(function.arguments, vec![array])?;
            let columns = (function.columns)(&shapes(&arguments))?;
            calls.push(Called { function, arguments, columns });
        }
        Ok(calls)
    }

    /// The rows of set-returning functions, for each row of what stands before.
    fn attach(
        &mut self,
        before: Option<Part>,
        calls: Vec<Called>,
        ordinality: bool,
        alias: Option<&TableAlias>,
        name: &str,
        attach: Attach,
    ) -> Result<Part> {
        let (input, namespace) = match before {
            Some(part) => (part.plan, part.namespace),
            None => (LogicalPlanBuilder::empty(true).build()?, Namespace::default()),
        };
        let visible = alias.map_or_else(|| name.to_owned(), |alias| folded(&alias.name));
        let is_scalar = calls.len() == 1 && calls[0].columns.len() == 1 && !ordinality;
        let mut columns = Vec::new();
        let mut sets = Vec::with_capacity(calls.len());
        for call in calls {
            let single = call.columns.len() == 1;
            let mut named = Vec::with_capacity(call.columns.len());
            for (column, ty) in call.columns {
                // The column of a function that returns single values is called as the function's alias is.
                let shown = if single && is_scalar && column == name { visible.clone() } else { column };
                let made = self.made_name(&shown);
                columns.push(ScopeColumn::new(shown, Column::new_unqualified(&made), ty.clone()));
                named.push(set_field(&made, &ty));
            }
            sets.push(SetReturning {
                function: call.function,
                types: call.arguments.iter().map(|argument| argument.ty.clone()).collect(),
                arguments: call.arguments.into_iter().map(|argument| argument.expr).collect(),
                columns: named,
            });
        }
        let number = ordinality.then(|| self.made_name("ordinality"));
        if let Some(number) = &number {
            columns.push(ScopeColumn::new("ordinality", Column::new_unqualified(number), Type::of(INT8)));
        }
        let plan = project_set(input, sets, number, attach == Attach::Left)?;
        let relation =
            ScopeRelation { name: Some(visible), schema: None, columns, system_columns: Vec::new(), is_scalar };
        let relation = self.renamed(relation, alias)?;
        Ok(Part { plan, namespace: namespace.with(Namespace::of(relation)) })
    }
}

/// A set-returning function with its arguments.
struct Called {
    function: &'static pg::function::SetFunction,
    arguments: Vec<Typed>,
    columns: Vec<(String, Type)>,
}

fn join_kind(operator: &JoinOperator) -> Result<(JoinType, &JoinConstraint)> {
    Ok(match operator {
        JoinOperator::Join(constraint) | JoinOperator::Inner(constraint) | JoinOperator::CrossJoin(constraint) => {
            (JoinType::Inner, constraint)
        }
        JoinOperator::Left(constraint) | JoinOperator::LeftOuter(constraint) => (JoinType::Left, constraint),
        JoinOperator::Right(constraint) | JoinOperator::RightOuter(constraint) => (JoinType::Right, constraint),
        JoinOperator::FullOuter(constraint) => (JoinType::Full, constraint),
        _ => return Err(Error::not_supported("this kind of JOIN")),
    })
}

/// Whether the left side of a join keeps its rows as they are, so that more can be joined to it before.
fn keeps_left(operator: &JoinOperator) -> bool {
    matches!(join_kind(operator), Ok((JoinType::Inner | JoinType::Left, constraint))
        if !matches!(constraint, JoinConstraint::Using(_) | JoinConstraint::Natural))
}

/// Whether a part of FROM is a function that may read what stands before it. One that reads files is a table.
fn is_function(factor: &TableFactor) -> bool {
    match factor {
        TableFactor::Function { .. } | TableFactor::UNNEST { .. } => true,
        TableFactor::Table { name, args: Some(_), .. } => FilesFunction::named(name).is_none(),
        _ => false,
    }
}

fn is_lateral(factor: &TableFactor) -> bool {
    is_function(factor) || matches!(factor, TableFactor::Derived { lateral: true, .. })
}

/// What the plan calls the columns of a relation.
fn plan_columns(columns: &[ScopeColumn]) -> Vec<Column> {
    let column = |column: &ScopeColumn| match &column.expr {
        Expr::Column(column) => column.clone(),
        _ => Column::new_unqualified(&column.name),
    };
    columns.iter().map(column).collect()
}

/// A table that the query calls otherwise, so that its plan can.
fn called(source: &Arc<dyn TableSource>, alias: &str) -> Result<Arc<dyn TableSource>> {
    let provider = source_as_provider(source)?;
    Ok(if let Some(table) = provider.downcast_ref::<HotTableProvider>() {
        provider_as_source(Arc::new(table.called(alias)))
    } else if let Some(table) = provider.downcast_ref::<ExternalTableProvider>() {
        provider_as_source(Arc::new(table.called(alias)))
    } else {
        source.clone()
    })
}
