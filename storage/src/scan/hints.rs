//! Conditions that change while the query runs: what joins and sorts know by then of the rows that they need.

use std::sync::Arc;

use datafusion::physical_expr::{DynamicFilterTracking, PhysicalExpr};

use super::conditions::Condition;

/// The hints among the conditions of a scan, as one partition of it has seen them.
pub(crate) struct Hints {
    watched: Vec<Watched>,
}

struct Watched {
    expr: Arc<dyn PhysicalExpr>,
    tracking: DynamicFilterTracking,
    has_been_seen: bool,
}

impl Hints {
    pub fn new(conditions: &[Condition]) -> Self {
        let hints = conditions.iter().filter(|condition| condition.is_hint);
        let watched = hints.map(|hint| Watched {
            expr: hint.expr.clone(),
            tracking: DynamicFilterTracking::classify(&hint.expr),
            has_been_seen: false,
        });
        Hints { watched: watched.collect() }
    }

    /// Those that say something else than when this was asked before. A hint only ever becomes narrower, so what it has
    /// excluded stays so.
    pub fn changed(&mut self) -> Vec<Arc<dyn PhysicalExpr>> {
        let has_changed = |watched: &mut Watched| {
            let changed = watched.tracking.watcher().is_some_and(|watcher| watcher.changed());
            let is_new = !std::mem::replace(&mut watched.has_been_seen, true);
            (changed || is_new).then(|| watched.expr.clone())
        };
        self.watched.iter_mut().filter_map(has_changed).collect()
    }
}
