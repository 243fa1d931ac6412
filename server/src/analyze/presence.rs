//! Whether a relation has a row where an outer join may have found none: as a whole, the row it does not have is NULL, not a
//! row of NULLs.

use datafusion::common::{Column, ScalarValue};
use datafusion::logical_expr::{Case, Expr, LogicalPlanBuilder, lit};

use crate::analyze::Analyzer;
use crate::analyze::coerce::null_of;
use crate::analyze::from::Part;
use crate::analyze::scope::ScopeRelation;
use crate::analyze::typed::Typed;
use crate::error::Result;

impl Analyzer<'_> {
    /// A side of an outer join that may be extended with NULLs, with a column that then is NULL. The engine drops it when
    /// nothing reads it.
    pub(super) fn with_presence(&mut self, part: Part) -> Result<Part> {
        let relations = part.namespace.relations.iter().filter(|relation| !relation.is_scalar);
        let aliases = relations.filter_map(|relation| plan_column(relation)?.relation);
        let new: Vec<_> = aliases.filter(|alias| !self.presence.contains_key(alias)).collect();
        if new.is_empty() {
            return Ok(part);
        }
        let name = self.made_name("present");
        let columns = part.plan.schema().columns().into_iter().map(Expr::Column);
        let columns: Vec<_> = columns.chain(std::iter::once(lit(true).alias(&name))).collect();
        let plan = LogicalPlanBuilder::from(part.plan).project(columns)?.build()?;
        for alias in new {
            self.presence.insert(alias, Column::new_unqualified(&name));
        }
        Ok(Part { plan, ..part })
    }

    /// The row of a relation, NULL where it has none.
    pub(super) fn where_present(&self, relation: &ScopeRelation, row: Typed) -> Result<Typed> {
        let alias = plan_column(relation).and_then(|column| column.relation);
        let Some(present) = alias.and_then(|alias| self.presence.get(&alias)) else { return Ok(row) };
        let present = Expr::Column(present.clone()).is_not_null();
        let null: ScalarValue = null_of(&row.ty.arrow)?;
        let none = Expr::Literal(null, None);
        let case = Case::new(None, vec![(Box::new(present), Box::new(row.expr))], Some(Box::new(none)));
        Ok(Typed::new(Expr::Case(case), row.ty))
    }
}

/// A column of the relation in the plan.
fn plan_column(relation: &ScopeRelation) -> Option<Column> {
    relation.columns.iter().find_map(|column| match &column.expr {
        Expr::Column(column) => Some(column.clone()),
        _ => None,
    })
}
