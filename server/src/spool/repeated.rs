//! What a query computes several times, computed once.
//!
//! A common table, or a view, is put wherever the query names it, so that each place prunes and filters it on its own. Where
//! two places end up with the same groups, windows or distinct rows of the same tables all the same, these are made once
//! and read from a [`Spool`]. Mere joins are not: their rows are many, and reading them again is no less work.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

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
        if is_spool(node) {
            // Its rows are made once as it is.
            return Ok(TreeNodeRecursion::Jump);
        }
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
                let spool = Spool::plan(found.parts[place].name.clone(), node);
                Ok(Transformed::new(spool, true, TreeNodeRecursion::Jump))
            }
            None => Ok(Transformed::no(node)),
        })?;
    Ok(spooled.data)
}

fn is_spool(node: &LogicalPlan) -> bool {
    matches!(node, LogicalPlan::Extension(extension) if extension.node.as_any().is::<Spool>())
}

/// Whether a node makes few rows of many, or much work of all.
fn is_kind(node: &LogicalPlan) -> bool {
    matches!(node, LogicalPlan::Aggregate(_) | LogicalPlan::Window(_) | LogicalPlan::Distinct(Distinct::All(_)))
}

/// Whether rows of a node are worth being kept, and the same whenever they are made. What nodes of ours hold beside their inputs
/// is not looked at, so plans with such are left alone.
fn is_worth_keeping(node: &LogicalPlan) -> Result<bool> {
    if !is_kind(node) || sources(node).is_empty() {
        return Ok(false);
    }
    let is_volatile = is_volatile(node).map_err(|error| DataFusionError::External(Box::new(error)))?;
    Ok(!is_volatile && !has_own_nodes(node)? && outer_columns(node)?.is_empty())
}

fn has_own_nodes(plan: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    plan.apply_with_subqueries(|node| {
        found |= matches!(node, LogicalPlan::Extension(_));
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
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
    /// What its rows are kept under.
    name: String,
}

/// A name that nothing else is kept under: a statement may plan several times, and call its common tables anything.
fn new_name() -> String {
    static MADE: AtomicU64 = AtomicU64::new(0);
    format!("\0repeated {}", MADE.fetch_add(1, Ordering::Relaxed))
}

impl Repeated {
    fn note(&mut self, node: &LogicalPlan) {
        match self.place(node) {
            Some(place) => self.parts[place].places += 1,
            None => self.parts.push(Part { plan: node.clone(), hash: hash(node), places: 1, name: new_name() }),
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
