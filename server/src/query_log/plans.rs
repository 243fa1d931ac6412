//! The plans of statements that have ended, node by node, as EXPLAIN ANALYZE would have shown them.

use std::sync::Arc;

use storage::scan::report::ScanReport;

use crate::explain::{Actual, Expected, PlanBuilder, PlanNode, Relationship, Told, format};
use crate::plan::statement_plans::NotedPlan;

/// A node of a plan that is kept.
#[derive(Debug, Clone)]
pub(super) struct ShownNode {
    /// Its number; the node at the top has 1.
    pub number: i64,
    /// That of the node above it.
    pub parent: Option<i64>,
    /// What it is, with the name of the subquery that it is the plan of.
    pub title: String,
    /// What there is to say of it.
    pub details: Vec<String>,
    pub expected: Expected,
    pub actual: Option<Actual>,
}

impl ShownNode {
    /// Bytes that it takes, about.
    pub fn bytes(&self) -> usize {
        let details = self.details.iter().map(|line| line.len() + size_of::<String>());
        size_of::<ShownNode>() + self.title.len() + details.sum::<usize>()
    }
}

/// Nodes of a plan that are kept, …
const NODES_MAX: usize = 1_000;
/// … and bytes of what there is to say of one.
const DETAILS_BYTES_MAX: usize = 4 << 10;

/// The nodes of a plan, each before those below it.
pub(super) fn nodes(plan: NotedPlan, scans: &[ScanReport]) -> Arc<[ShownNode]> {
    let top = match plan {
        NotedPlan::Whole(plan) => {
            let told = Told { analyze: true, timing: true, buffers: true, ..Told::before(scans.to_vec()) };
            PlanBuilder::new(&told).plan(&plan)
        }
        NotedPlan::Drawn(top) => *top,
    };
    let mut nodes = Vec::new();
    push(&mut nodes, top, None);
    nodes.into()
}

fn push(nodes: &mut Vec<ShownNode>, node: PlanNode, parent: Option<i64>) {
    if nodes.len() == NODES_MAX {
        return;
    }
    let number = nodes.len() as i64 + 1;
    let details = shortened(format::details(&node));
    let title = match node.relationship {
        Some(Relationship::InitPlan(name) | Relationship::SubPlan(name)) => format!("{name}: {}", node.title),
        _ => node.title,
    };
    nodes.push(ShownNode { number, parent, title, details, expected: node.expected, actual: node.actual });
    for below in node.plans {
        push(nodes, below, Some(number));
    }
}

/// The lines, as far as they are worth keeping.
fn shortened(lines: Vec<String>) -> Vec<String> {
    let mut left = DETAILS_BYTES_MAX;
    let mut kept = Vec::with_capacity(lines.len());
    for mut line in lines {
        if line.len() > left {
            line.truncate(line.floor_char_boundary(left));
            line.push('…');
        }
        left = left.saturating_sub(line.len());
        kept.push(line);
        if left == 0 {
            break;
        }
    }
    kept
}
