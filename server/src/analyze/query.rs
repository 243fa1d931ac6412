//! Queries as a whole: WITH, the body, ORDER BY and LIMIT around it.

use datafusion::common::Column;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder};
use pg::Type;
use pg::function::CastContext;
use pg::types::TEXT;
use pg::user_types::type_of_column;
use sqlparser::ast::{self, SetExpr};

use crate::analyze::scope::Level;
use crate::analyze::set_operation::written_column;
use crate::analyze::typed::{Typed, unknown_type};
use crate::analyze::{Analyzed, Analyzer, OutputColumn};
use crate::error::{Error, Result};
use crate::plan::types::type_of_result;

impl Analyzer<'_> {
    /// A query, whose constants without a type are still without one.
    ///
    /// # Errors
    /// Whatever is wrong with it.
    pub fn query(&mut self, query: &ast::Query) -> Result<Analyzed> {
        self.enter()?;
        let keeps_order = self.kept_order.take().is_some();
        let visible = self.common_tables.len();
        let analyzed = match &query.with {
            Some(with) => self.with(with).and_then(|()| self.body(query, keeps_order)),
            None => self.body(query, keeps_order),
        };
        self.common_tables.truncate(visible);
        self.leave();
        analyzed
    }

    /// A query whose columns have types: constants that nothing has given one are text.
    ///
    /// # Errors
    /// As for [`Analyzer::query`].
    pub fn settled_query(&mut self, query: &ast::Query) -> Result<Analyzed> {
        let analyzed = self.query(query)?;
        self.settled(analyzed)
    }

    /// The query of CREATE TABLE AS, its columns as values of columns of a table.
    ///
    /// # Errors
    /// As for [`Analyzer::query`]; 42P16 or 0A000 for a type that no column can have.
    pub fn table_source(&mut self, query: &ast::Query) -> Result<Analyzed> {
        let analyzed = self.settled_query(query)?;
        let target = |column: &OutputColumn| {
            let sql_type = type_of_result(&column.name, &column.ty)?;
            Ok((column.name.clone(), type_of_column(&sql_type)))
        };
        let targets = analyzed.columns.iter().map(target).collect::<Result<Vec<_>>>()?;
        self.as_assigned(analyzed, &targets)
    }

    /// The query of an INSERT, its columns as they are assigned to these. Each value of VALUES is assigned by itself, so a
    /// constant is read as what it is assigned to.
    ///
    /// # Errors
    /// As for [`Analyzer::query`]; 42804 for what cannot be assigned.
    pub fn insert_source(&mut self, query: &ast::Query, targets: &[&catalog::Column]) -> Result<Analyzed> {
        if let Some(values) = plain_values(query) {
            return self.assigned_values(values, targets);
        }
        let analyzed = self.query(query)?;
        let width = analyzed.columns.len().min(targets.len());
        if analyzed.columns.len() > targets.len() {
            let extra = written_column(&query.body, targets.len());
            return Err(Error::InsertArity { more_expressions: true, position: self.position(extra) });
        }
        let types = targets[..width].iter().map(|it| (it.name.clone(), type_of_column(&it.sql_type)));
        self.as_assigned(analyzed, &types.collect::<Vec<_>>())
    }

    fn body(&mut self, query: &ast::Query, keeps_order: bool) -> Result<Analyzed> {
        match query.body.as_ref() {
            SetExpr::Select(select) => self.select(select, Some(query), keeps_order),
            SetExpr::Query(inner)
                if query.order_by.is_none() && query.limit_clause.is_none() && query.fetch.is_none() =>
            {
                self.kept_order = keeps_order.then(Vec::new);
                self.query(inner)
            }
            body => {
                let analyzed = self.operand(body)?;
                self.ordered(analyzed, query, keeps_order)
            }
        }
    }

    /// What a set operation is made of.
    pub(super) fn operand(&mut self, body: &SetExpr) -> Result<Analyzed> {
        match body {
            SetExpr::Select(select) => self.select(select, None, false),
            SetExpr::Query(query) => self.query(query),
            SetExpr::SetOperation { op, set_quantifier, left, right } => {
                self.set_operation(*op, *set_quantifier, left, right)
            }
            SetExpr::Values(values) => self.values(values),
            _ => Err(Error::not_supported("a data-modifying statement in WITH")),
        }
    }

    /// ORDER BY and LIMIT around a set operation or VALUES.
    fn ordered(&mut self, analyzed: Analyzed, query: &ast::Query, keeps_order: bool) -> Result<Analyzed> {
        // The rows of the operands are not visible in LIMIT.
        self.levels.push(Level::default());
        let limit = self.limit(query);
        self.levels.pop();
        let limit = limit?;
        if query.order_by.is_none() {
            let plan = self.limited(analyzed.plan, &limit)?;
            return Ok(Analyzed { plan, ..analyzed });
        }
        let analyzed = self.settled(analyzed)?;
        let items: Vec<_> = analyzed.columns.iter().map(|column| (column.name.clone(), column.typed())).collect();
        let sorts = self.order_by_output(query.order_by.as_ref(), &items)?;
        let width = analyzed.columns.len();
        self.kept_order = keeps_order.then(|| sorts.clone());
        let mut plan = self.sorted(analyzed.plan, sorts, &limit)?;
        if plan.schema().fields().len() > width {
            let kept: Vec<_> = analyzed.columns.iter().map(|column| Expr::Column(column.column.clone())).collect();
            plan = LogicalPlanBuilder::from(plan).project(kept)?.build()?;
        }
        Ok(Analyzed { plan, columns: analyzed.columns })
    }

    /// The same with text for what has no type yet.
    pub(super) fn settled(&mut self, analyzed: Analyzed) -> Result<Analyzed> {
        if !analyzed.columns.iter().any(|column| column.ty.oid == pg::types::UNKNOWN) {
            return Ok(analyzed);
        }
        let types: Vec<_> = analyzed
            .columns
            .iter()
            .map(|column| if column.ty.oid == pg::types::UNKNOWN { Type::of(TEXT) } else { column.ty.clone() })
            .collect();
        self.as_types(analyzed, &types, CastContext::Implicit)
    }

    /// The same with columns of these types.
    ///
    /// # Errors
    /// A column cannot be cast to its type in this context.
    pub(super) fn as_types(&mut self, analyzed: Analyzed, types: &[Type], context: CastContext) -> Result<Analyzed> {
        let mut columns = Vec::with_capacity(types.len());
        let mut projection = Vec::with_capacity(types.len());
        let mut changed = false;
        for (column, ty) in analyzed.columns.iter().zip(types) {
            let value = match &column.constant {
                Some(constant) => Typed::new(constant.clone(), unknown_type()),
                None => column.typed(),
            };
            let value = self.coerce(value, ty, context)?;
            let value = self.in_dimensions(value, ty)?;
            let value = super::coerce::native(value, Type { arrow: ty.arrow.clone(), ..ty.clone() });
            changed |= value.expr != Expr::Column(column.column.clone());
            projection.push(value.expr.alias(&column.column.name));
            let unqualified = Column::new_unqualified(&column.column.name);
            columns.push(OutputColumn {
                name: column.name.clone(),
                ty: value.ty,
                column: unqualified,
                constant: None,
                origin: None,
            });
        }
        if !changed {
            let columns = columns.into_iter().zip(analyzed.columns);
            let columns =
                columns.map(|(new, old)| OutputColumn { column: old.column, origin: old.origin, ..new }).collect();
            return Ok(Analyzed { plan: analyzed.plan, columns });
        }
        let plan = LogicalPlanBuilder::from(analyzed.plan).project(projection)?.build()?;
        Ok(Analyzed { plan, columns })
    }

    /// The same with columns as they are assigned to a table's: by assignment casts, whose errors name the column.
    ///
    /// # Errors
    /// 42804 when a column's type cannot be assigned.
    pub fn as_assigned(&mut self, analyzed: Analyzed, targets: &[(String, Type)]) -> Result<Analyzed> {
        for (column, (name, target)) in analyzed.columns.iter().zip(targets) {
            if !super::coerce::can_coerce(column.ty.oid, target.oid, CastContext::Assignment) {
                return Err(super::coerce::cannot_assign(name, &column.ty, target).into());
            }
        }
        let types: Vec<_> = targets.iter().map(|(_, ty)| ty.clone()).collect();
        self.as_types(analyzed, &types, CastContext::Assignment)
    }
}

/// VALUES that nothing else stands around.
pub(super) fn plain_values(query: &ast::Query) -> Option<&ast::Values> {
    let plain =
        query.with.is_none() && query.order_by.is_none() && query.limit_clause.is_none() && query.fetch.is_none();
    match query.body.as_ref() {
        SetExpr::Values(values) if plain => Some(values),
        _ => None,
    }
}
