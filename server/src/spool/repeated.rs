//! What a query computes several times, computed once.
//!
//! A common table, or a view, is put wherever the query names it, so that each place prunes and filters it on its own. Where
//! two places end up with the same groups, windows or distinct rows of the same tables all the same, these are made once
//! and read from a [`Spool`]. Mere joins are not: their rows are many, and reading them again is no less work.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Distinct, LogicalPlan, TableSource};

use super::logical::Spool;
use crate::analyze::with::is_volatile;
use crate::apply::outer_columns;

/// The optimised plan of a statement, with what it has several times read from spools.
///
/// # Errors
/// The plan cannot be rebuilt.
pub fn with_repeated_once(plan: LogicalPlan) -> Result<LogicalPlan> {
    let mut found = Repeated::default();
    plan.apply_with_subqueries(|node| {
        if is_worth_keeping(node)? {
            found.note(node);
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    found.parts.retain(|part| part.places > 1);
    if found.parts.is_empty() {
        return Ok(plan);
    }
    let spooled =
        plan.transform_down_with_subqueries(|node| match is_kind(&node).then(|| found.place(&node)).flatten() {
            Some(place) => {
                let spool = Spool::plan(format!("repeated#{place}"), node);
                Ok(Transformed::new(spool, true, TreeNodeRecursion::Jump))
            }
            None => Ok(Transformed::no(node)),
        })?;
    Ok(spooled.data)
}

/// Whether a node makes few rows of many.
fn is_kind(node: &LogicalPlan) -> bool {
    matches!(node, LogicalPlan::Aggregate(_) | LogicalPlan::Window(_) | LogicalPlan::Distinct(Distinct::All(_)))
}

/// Whether rows of a node are fewer than those that they are made of, and the same whenever they are made.
fn is_worth_keeping(node: &LogicalPlan) -> Result<bool> {
    if !is_kind(node) || sources(node).is_empty() {
        return Ok(false);
    }
    let is_volatile = is_volatile(node).map_err(|error| DataFusionError::External(Box::new(error)))?;
    Ok(!is_volatile && outer_columns(node)?.is_empty())
}

/// Parts of a plan, and how often it has them.
#[derive(Default)]
struct Repeated {
    parts: Vec<Part>,
}

struct Part {
    plan: LogicalPlan,
    /// Most plans differ in it.
    hash: u64,
    places: usize,
}

impl Repeated {
    fn note(&mut self, node: &LogicalPlan) {
        match self.place(node) {
            Some(place) => self.parts[place].places += 1,
            None => self.parts.push(Part { plan: node.clone(), hash: hash(node), places: 1 }),
        }
    }

    fn place(&self, node: &LogicalPlan) -> Option<usize> {
        let hash = hash(node);
        self.parts.iter().position(|part| part.hash == hash && is_same(&part.plan, node))
    }
}

/// Whether two plans have the same rows: they are alike, and read the same tables. Tables of the same name need not be.
fn is_same(one: &LogicalPlan, other: &LogicalPlan) -> bool {
    one == other && {
        let (one, other) = (sources(one), sources(other));
        one.len() == other.len() && one.iter().zip(&other).all(|(one, other)| Arc::ptr_eq(one, other))
    }
}

/// The tables that a plan reads, in their order.
fn sources(plan: &LogicalPlan) -> Vec<Arc<dyn TableSource>> {
    let mut found = Vec::new();
    // Nothing in it fails.
    let _ = plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            found.push(scan.source.clone());
        }
        Ok(TreeNodeRecursion::Continue)
    });
    found
}

fn hash(plan: &LogicalPlan) -> u64 {
    let mut hasher = DefaultHasher::new();
    plan.hash(&mut hasher);
    hasher.finish()
}
