//! UNION, INTERSECT, EXCEPT.

use datafusion::common::{Column, JoinType, NullEquality, TableReference};
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::{Expr, ExprFunctionExt, LogicalPlan, LogicalPlanBuilder};
use pg::Type;
use pg::error::PgError;
use pg::function::CastContext;
use pg::sqlstate::SqlState;
use pg::types::{BPCHAR, TEXT, UNKNOWN};
use sqlparser::ast::{self, SetExpr, SetOperator, SetQuantifier};

use crate::analyze::coerce::{cannot_match, common_type, widest};
use crate::analyze::names::plan_column;
use crate::analyze::typed::Typed;
use crate::analyze::{Analyzed, Analyzer, OutputColumn};
use crate::error::{Error, Result};

impl Analyzer<'_> {
    pub(super) fn set_operation(
        &mut self,
        op: SetOperator,
        quantifier: SetQuantifier,
        left: &SetExpr,
        right: &SetExpr,
    ) -> Result<Analyzed> {
        // A chain of UNIONs is read in a loop: it may be long.
        let left_analyzed = stacker::maybe_grow(128 << 10, 4 << 20, || self.operand(left))?;
        let right_analyzed = self.operand(right)?;
        let all = match quantifier {
            SetQuantifier::All => true,
            SetQuantifier::None | SetQuantifier::Distinct => false,
            _ => return Err(Error::not_supported("BY NAME")),
        };
        let name = match op {
            SetOperator::Union => "UNION",
            SetOperator::Intersect => "INTERSECT",
            SetOperator::Except | SetOperator::Minus => "EXCEPT",
        };
        let (left_side, right_side) = self.matched((left_analyzed, left), (right_analyzed, right), name)?;
        let columns = left_side.columns.clone();
        let plan = self.combined(op, all, left_side, right_side)?;
        let columns = columns
            .into_iter()
            .zip(plan.schema().columns())
            .map(|(column, of_plan)| OutputColumn { column: of_plan, constant: None, origin: None, ..column })
            .collect();
        Ok(Analyzed { plan, columns })
    }

    /// Both sides with columns of the same types.
    pub(super) fn matched(
        &mut self,
        (left, written_left): (Analyzed, &SetExpr),
        (right, written_right): (Analyzed, &SetExpr),
        name: &str,
    ) -> Result<(Analyzed, Analyzed)> {
        if left.columns.len() != right.columns.len() {
            let message = format!("each {name} query must have the same number of columns");
            return Err(self.at_column(PgError::new(SqlState::SYNTAX_ERROR, message), written_right, 0));
        }
        let (mut types, mut other_types) = (Vec::new(), Vec::new());
        for (number, (left, right)) in left.columns.iter().zip(&right.columns).enumerate() {
            let common = common_type(&[left.ty.oid, right.ty.oid])
                .ok_or_else(|| self.at_column(cannot_match(&[&left.ty, &right.ty], name), written_right, number))?;
            let left_type =
                self.side_type(left, common).map_err(|error| self.at_column(error, written_left, number))?;
            let right_type =
                self.side_type(right, common).map_err(|error| self.at_column(error, written_right, number))?;
            let ty = union_type(common, &left_type, &right_type);
            // What is not brought together keeps its lengths, and with them the blanks of the side that is shown.
            let keeps_lengths = name != "UNION" && common == BPCHAR && left.ty.typmod >= 0 && right.ty.typmod >= 0;
            types.push(if keeps_lengths { left.ty.clone() } else { ty.clone() });
            other_types.push(if keeps_lengths { right.ty.clone() } else { ty });
        }
        let left = self.as_types(left, &types, CastContext::Implicit)?;
        let right = self.as_types(right, &other_types, CastContext::Implicit)?;
        if name == "UNION" || !types.iter().any(Type::carries_blanks) {
            return Ok((left, right));
        }
        Ok((self.bare_characters(left, &types)?, self.bare_characters(right, &other_types)?))
    }

    /// The same without the blanks of `character` of any length, which the engine's equality of rows would see.
    fn bare_characters(&mut self, side: Analyzed, types: &[Type]) -> Result<Analyzed> {
        let texts: Vec<_> =
            types.iter().map(|ty| if ty.carries_blanks() { Type::of(TEXT) } else { ty.clone() }).collect();
        let mut side = self.as_types(side, &texts, CastContext::Implicit)?;
        for (column, ty) in side.columns.iter_mut().zip(types) {
            column.ty = if ty.carries_blanks() { ty.clone() } else { column.ty.clone() };
        }
        Ok(side)
    }

    /// The type of a column of one side. A constant without a type has no length and its own digits, which the other
    /// side's type must not cut off.
    fn side_type(&mut self, column: &OutputColumn, common: u32) -> pg::error::Result<Type> {
        let constant = match &column.constant {
            Some(constant @ Expr::Literal(value, _)) if column.ty.oid == UNKNOWN && !value.is_null() => {
                constant.clone()
            }
            _ => return Ok(column.ty.clone()),
        };
        let value = Typed::new(constant, column.ty.clone());
        Ok(self.coerce(value, &Type::of(common), CastContext::Implicit)?.ty)
    }

    /// The error at a column of one side, or at its beginning when the column is not written out.
    fn at_column(&self, error: PgError, side: &SetExpr, number: usize) -> Error {
        match written_column(side, number) {
            Some(column) => self.at(error, column),
            None => self.at(error, side),
        }
    }

    fn combined(&mut self, op: SetOperator, all: bool, left: Analyzed, right: Analyzed) -> Result<LogicalPlan> {
        let builder = LogicalPlanBuilder::from(left.plan);
        Ok(match (op, all) {
            (SetOperator::Union, true) => builder.union(right.plan)?.build()?,
            (SetOperator::Union, false) => {
                let plan = builder.union(right.plan)?.build()?;
                let columns = left.columns.into_iter().zip(plan.schema().columns());
                let columns: Vec<_> =
                    columns.map(|(column, of_plan)| super::OutputColumn { column: of_plan, ..column }).collect();
                self.distinct_rows(plan, &columns)?
            }
            (SetOperator::Intersect, all) => {
                let left = Analyzed { plan: builder.build()?, ..left };
                self.matching(left, right, JoinType::LeftSemi, all)?
            }
            (_, all) => {
                let left = Analyzed { plan: builder.build()?, ..left };
                self.matching(left, right, JoinType::LeftAnti, all)?
            }
        })
    }

    /// INTERSECT and EXCEPT: the rows of the left side that have a partner on the right, or none. With ALL, equal rows are
    /// numbered, and the n-th on one side is the partner of the n-th on the other.
    fn matching(&mut self, left: Analyzed, right: Analyzed, kind: JoinType, all: bool) -> Result<LogicalPlan> {
        let names: Vec<_> = left.columns.iter().map(|column| column.column.name.clone()).collect();
        let left = match all {
            true => left,
            false => {
                let plan = self.distinct_rows(left.plan, &left.columns)?;
                let columns = left.columns.into_iter().zip(plan.schema().columns());
                let columns = columns.map(|(column, of_plan)| OutputColumn { column: of_plan, ..column }).collect();
                Analyzed { plan, columns }
            }
        };
        let (left, left_keys, left_alias) = self.keyed(left, all, "left")?;
        let (right, right_keys, _) = self.keyed(right, all, "right")?;
        let keys = (left_keys, right_keys);
        let joined =
            LogicalPlanBuilder::from(left).join_detailed(right, kind, keys, None, NullEquality::NullEqualsNull)?;
        let named = names.iter().map(|name| Expr::Column(plan_column(&left_alias, name)).alias(name));
        Ok(joined.project(named.collect::<Vec<_>>())?.build()?)
    }

    /// The rows of one side with the columns by which they are compared, under an alias.
    fn keyed(&mut self, side: Analyzed, numbered: bool, name: &str) -> Result<(LogicalPlan, Vec<Column>, String)> {
        let alias = self.unique_alias(name);
        let reference = TableReference::bare(alias.as_str());
        let mut projection: Vec<Expr> = side.columns.iter().map(|column| Expr::Column(column.column.clone())).collect();
        let mut keys = Vec::with_capacity(side.columns.len() + 1);
        for column in &side.columns {
            let key = self.group_key(column.typed())?.expr;
            let name = match key {
                Expr::Column(_) => column.column.name.clone(),
                key => {
                    let name = self.made_name("key");
                    projection.push(key.alias(&name));
                    name
                }
            };
            keys.push(plan_column(&alias, &name));
        }
        let mut builder = LogicalPlanBuilder::from(side.plan).project(projection)?.alias(reference.clone())?;
        if numbered {
            let by: Vec<_> = keys.iter().cloned().map(Expr::Column).collect();
            let order = by.iter().map(|key| key.clone().sort(true, true)).collect::<Vec<_>>();
            let window = row_number().partition_by(by).order_by(order).build()?;
            let number = self.made_name("row");
            builder = builder.window(vec![window.alias(&number)])?.alias(reference)?;
            keys.push(plan_column(&alias, &number));
        }
        Ok((builder.build()?, keys, alias))
    }
}

/// What is written for a column of a query, if each column is written out up to it.
pub fn written_column(query: &SetExpr, number: usize) -> Option<&ast::Expr> {
    match query {
        SetExpr::Select(select) => {
            let written = select.projection.get(..=number)?.iter().map(|item| match item {
                ast::SelectItem::UnnamedExpr(expr) | ast::SelectItem::ExprWithAlias { expr, .. } => Some(expr),
                _ => None,
            });
            written.collect::<Option<Vec<_>>>()?.pop()
        }
        SetExpr::Values(values) => values.rows.first()?.content.get(number),
        SetExpr::Query(query) => written_column(&query.body, number),
        SetExpr::SetOperation { left, .. } => written_column(left, number),
        _ => None,
    }
}

/// The type of a column of a set operation.
pub(super) fn union_type(common: u32, left: &Type, right: &Type) -> Type {
    if left.oid == UNKNOWN && right.oid == UNKNOWN {
        return Type::of(common);
    }
    let digits = |ty: &Type| match ty.digits() {
        Some((precision, scale)) if common == pg::types::NUMERIC && ty.oid != common => Type::numeric(precision, scale),
        _ => ty.clone(),
    };
    let (left, right) = (digits(left), digits(right));
    let same: Vec<_> = [&left, &right].into_iter().filter(|ty| ty.oid == common).collect();
    match widest(&same) {
        Some(ty) => ty,
        None => Type::of(common),
    }
}
