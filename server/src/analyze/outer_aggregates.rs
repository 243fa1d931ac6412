//! Aggregates of an outer query's rows: `SELECT (SELECT sum(o.x)) FROM o`.
//!
//! An aggregate belongs to the innermost query whose columns its arguments read (PostgreSQL's
//! `check_agg_arguments`). If that is not the query it stands in, it is computed where its rows are grouped, and the
//! subquery reads it as it reads other columns of an outer query.

use std::sync::Arc;

use datafusion::common::Column;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr::{Exists, InSubquery};
use pg::error::PgError;
use pg::sqlstate::SqlState;
use sqlparser::ast;

use crate::analyze::Analyzer;
use crate::analyze::typed::Typed;
use crate::apply::outer_columns;
use crate::error::Result;

impl Analyzer<'_> {
    /// The query that an aggregate with these arguments belongs to, as its place among the levels.
    pub(super) fn aggregate_level<'e>(&self, exprs: impl Iterator<Item = &'e Expr>) -> Result<usize> {
        let own = self.levels.len().saturating_sub(1);
        let mut innermost: Option<usize> = None;
        for expr in exprs {
            for column in columns_read(expr)? {
                let level = match column {
                    Read::Own => own,
                    Read::Outer(column) => self.level_of(&column),
                };
                innermost = Some(innermost.map_or(level, |known| known.max(level)));
            }
        }
        Ok(innermost.unwrap_or(own))
    }

    /// Whether an expression reads columns of a level.
    pub(super) fn reads_level(&self, expr: &Expr, level: usize) -> Result<bool> {
        let own = self.levels.len().saturating_sub(1);
        Ok(columns_read(expr)?.iter().any(|column| match column {
            Read::Own => level == own,
            Read::Outer(column) => self.level_of(column) == level,
        }))
    }

    /// The level that a column belongs to.
    pub(super) fn level_of(&self, column: &Column) -> usize {
        self.levels.iter().rposition(|level| level.has(column)).unwrap_or(self.levels.len().saturating_sub(1))
    }

    /// The value of an aggregate that belongs to a level: of an outer one, as a column of it.
    pub(super) fn at_level(&mut self, value: Typed, owner: usize, whole: &ast::Expr) -> Result<Typed> {
        if owner + 1 >= self.levels.len() {
            return Ok(value);
        }
        let mut nested = false;
        let expr = value.expr.transform(|node| {
            Ok(match node {
                Expr::OuterReferenceColumn(_, column) if self.level_of(&column) == owner => {
                    nested |= self.levels[owner].has_aggregate(&column);
                    Transformed::yes(Expr::Column(column))
                }
                other => Transformed::no(other),
            })
        });
        let value = Typed::new(expr.map_err(PgError::from)?.data, value.ty);
        if nested {
            let error = PgError::new(SqlState::GROUPING_ERROR, "aggregate function calls cannot be nested");
            return Err(self.at(error, whole));
        }
        let name = self.outer_aggregate(owner, &value);
        for level in &mut self.levels[owner + 1..] {
            level.correlated = true;
        }
        let field = Arc::new(value.ty.field(&name));
        Ok(Typed::new(Expr::OuterReferenceColumn(field, Column::new_unqualified(name)), value.ty))
    }

    /// The column of a level's aggregate.
    fn outer_aggregate(&mut self, owner: usize, value: &Typed) -> String {
        let known = self.levels[owner].outer_aggregates.iter().find(|(_, known)| known.expr == value.expr);
        if let Some((name, _)) = known {
            return name.clone();
        }
        let name = self.made_name("aggregate");
        self.levels[owner].outer_aggregates.push((name.clone(), value.clone()));
        name
    }
}

/// A column that an expression reads.
enum Read {
    /// Of the query that the expression stands in.
    Own,
    /// Of this one or one further out.
    Outer(Column),
}

fn columns_read(expr: &Expr) -> Result<Vec<Read>> {
    let mut found = Vec::new();
    expr.apply(|node| {
        match node {
            Expr::Column(_) => found.push(Read::Own),
            Expr::OuterReferenceColumn(_, column) => found.push(Read::Outer(column.clone())),
            Expr::ScalarSubquery(subquery)
            | Expr::Exists(Exists { subquery, .. })
            | Expr::InSubquery(InSubquery { subquery, .. }) => {
                found.extend(outer_columns(&subquery.subquery)?.into_iter().map(Read::Outer));
            }
            _ => {}
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(found)
}
