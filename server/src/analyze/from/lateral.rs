//! What stands in FROM and reads the rows on its left.

use datafusion::common::JoinType;
use sqlparser::ast::{self, JoinConstraint, TableFactor};

use super::{Attach, OWN_FROM, Part};
use crate::analyze::Analyzer;
use crate::analyze::scope::Level;
use crate::analyze::typed::Typed;
use crate::apply::{Apply, ApplyKind, outer_columns};
use crate::error::Result;
use crate::lazy::conjuncts;

impl Analyzer<'_> {
    /// A subquery that may read the rows on its left.
    pub(super) fn lateral(&mut self, before: Option<Part>, part: Part, attach: Attach) -> Result<(Option<Part>, Part)> {
        let outer = outer_columns(&part.plan)?;
        let reads_left = |before: &Part| outer.iter().any(|column| before.plan.schema().has_column(column));
        match before {
            Some(before) if reads_left(&before) => {
                let kind = ApplyKind::Lateral { outer: attach == Attach::Left };
                let plan = Apply::plan(before.plan, part.plan, kind, None)?;
                Ok((None, Part { plan, namespace: before.namespace.with(part.namespace) }))
            }
            before => Ok((before, part)),
        }
    }

    /// `LEFT JOIN LATERAL (…) ON condition`, or a function in place of the subquery: the condition is one of the rows on the
    /// right.
    pub(super) fn lateral_join(
        &mut self,
        left: Part,
        join: &ast::Join,
        kind: JoinType,
        constraint: &JoinConstraint,
    ) -> Result<Part> {
        let right = self.with_namespace(Some(&left), |analyzer| {
            analyzer.level()?.place = Some(OWN_FROM);
            match &join.relation {
                TableFactor::Derived { subquery, alias, .. } => {
                    let analyzed = analyzer.query(subquery)?;
                    analyzer.named(analyzed, alias.as_ref())
                }
                function => {
                    analyzer.levels.push(Level::default());
                    let found = analyzer.relation(None, function, Attach::Cross);
                    analyzer.levels.pop();
                    Ok(found?.1)
                }
            }
        })?;
        let outer = outer_columns(&right.plan)?;
        if !outer.iter().any(|column| left.plan.schema().has_column(column)) {
            return self.join_parts(left, right, kind, constraint);
        }
        let (condition, namespace) = self.join_condition(&left.namespace, &right.namespace, kind, constraint)?;
        let condition = conjuncts(condition.unwrap_or_else(|| Typed::boolean(true).expr));
        let plan = self.joined_by_rows(left.plan, right.plan, condition, kind == JoinType::Left)?;
        Ok(Part { plan, namespace })
    }
}
