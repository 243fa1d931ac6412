//! The conditions of joins, and the columns that USING and NATURAL merge.

use datafusion::common::JoinType;
use datafusion::logical_expr::{Case, Expr, Operator};
use pg::error::PgError;
use pg::sqlstate::SqlState;
use sqlparser::ast::JoinConstraint;

use crate::analyze::Analyzer;
use crate::analyze::scope::{Namespace, Place, ScopeColumn};
use crate::analyze::typed::Typed;
use crate::error::Result;
use crate::lazy::connected;
use crate::plan::relations::parts;

impl Analyzer<'_> {
    /// The condition of a join, if it has one, and what can be named after it.
    pub(super) fn join_condition(
        &mut self,
        left: &Namespace,
        right: &Namespace,
        kind: JoinType,
        constraint: &JoinConstraint,
    ) -> Result<(Option<Expr>, Namespace)> {
        match constraint {
            JoinConstraint::None => Ok((None, left.clone().with(right.clone()))),
            JoinConstraint::On(condition) => {
                let namespace = left.clone().with(right.clone());
                let saved = std::mem::replace(&mut self.level()?.namespace, namespace.clone());
                self.level()?.place = Some(Place::Plain("JOIN conditions"));
                let condition = self.condition(condition, "JOIN/ON");
                self.level()?.namespace = saved;
                Ok((Some(condition?.expr), namespace))
            }
            JoinConstraint::Using(names) => {
                let mut columns = Vec::with_capacity(names.len());
                for name in names {
                    columns.extend(parts(name)?.pop());
                }
                self.join_using(left, right, kind, &columns)
            }
            JoinConstraint::Natural => {
                let common = left.columns.iter().map(|column| column.name.clone());
                let common: Vec<_> =
                    common.filter(|name| right.columns.iter().any(|column| column.name == *name)).collect();
                self.join_using(left, right, kind, &common)
            }
        }
    }

    /// JOIN … USING: the columns are there once.
    fn join_using(
        &mut self,
        left: &Namespace,
        right: &Namespace,
        kind: JoinType,
        names: &[String],
    ) -> Result<(Option<Expr>, Namespace)> {
        let mut merged = Vec::with_capacity(names.len());
        let mut conditions = Vec::with_capacity(names.len());
        for name in names {
            let from_left = only_column(left, name, "left")?;
            let from_right = only_column(right, name, "right")?;
            conditions.push(self.operator("=", vec![from_left.typed(), from_right.typed()])?.expr);
            let both = self.unify(vec![from_left.typed(), from_right.typed()], "JOIN/USING")?;
            let [left_value, right_value] =
                both.try_into().map_err(|_| PgError::internal("USING compares two columns"))?;
            let value = match kind {
                JoinType::Right => right_value,
                JoinType::Full => {
                    let ty = left_value.ty.clone();
                    let test = Box::new(left_value.expr.clone().is_not_null());
                    let case =
                        Case::new(None, vec![(test, Box::new(left_value.expr))], Some(Box::new(right_value.expr)));
                    Typed::new(Expr::Case(case), ty)
                }
                _ => left_value,
            };
            merged.push(ScopeColumn { name: name.clone(), expr: value.expr, ty: value.ty, origin: None });
        }
        let condition = (!conditions.is_empty()).then(|| connected(conditions, Operator::And));
        let rest = |namespace: &Namespace| {
            let kept = namespace.columns.iter().filter(|column| !names.contains(&column.name));
            kept.cloned().collect::<Vec<_>>()
        };
        let mut columns = merged;
        columns.extend(rest(left));
        columns.extend(rest(right));
        let relations = left.relations.iter().chain(&right.relations).cloned().collect();
        Ok((condition, Namespace { relations, columns }))
    }
}

fn only_column<'a>(namespace: &'a Namespace, name: &str, side: &str) -> Result<&'a ScopeColumn> {
    let mut found = namespace.columns.iter().filter(|column| column.name == name);
    match (found.next(), found.next()) {
        (Some(column), None) => Ok(column),
        (None, _) => {
            let message = format!("column \"{name}\" specified in USING clause does not exist in {side} table");
            Err(PgError::new(SqlState::UNDEFINED_COLUMN, message).into())
        }
        (Some(_), Some(_)) => {
            let message = format!("common column name \"{name}\" appears more than once in {side} table");
            Err(PgError::new(SqlState::AMBIGUOUS_COLUMN, message).into())
        }
    }
}
