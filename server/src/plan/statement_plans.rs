//! The plans of a statement, for whoever wants to see them while it runs or when it has ended.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use datafusion::physical_plan::ExecutionPlan;
use storage::scan::report::ScanReports;

use crate::cost::kept_bytes;
use crate::explain::{PlanBuilder, PlanNode, Told};

/// Bytes of hash tables up to which a plan is kept until its statement ends. Its nodes hold them as long.
const HASHED_BYTES_MAX: f64 = (64 << 20) as f64;

/// The last plan that a statement has run so far, since it may have begun again, and what the scans of all report.
#[derive(Debug, Default)]
pub struct StatementPlans {
    noted: Mutex<Noted>,
    /// Whether a plan is kept whatever its nodes hold.
    keeps_all: bool,
}

#[derive(Debug, Default)]
struct Noted {
    plan: Option<NotedPlan>,
    reports: Vec<Arc<ScanReports>>,
}

/// A plan that a statement has run.
#[derive(Debug, Clone)]
pub enum NotedPlan {
    /// As it ran.
    Whole(Arc<dyn ExecutionPlan>),
    /// As it was when it began, without what came of it: its nodes hold too much to be kept.
    Drawn(Box<PlanNode>),
}

impl StatementPlans {
    /// For somebody who wants to know what came of each node, whatever it takes.
    pub fn keeping_all() -> Self {
        StatementPlans { keeps_all: true, ..StatementPlans::default() }
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a plan that is going to run.
    pub fn note(&self, plan: &Arc<dyn ExecutionPlan>) {
        let noted = match self.keeps_all || kept_bytes(plan) <= HASHED_BYTES_MAX {
            true => NotedPlan::Whole(plan.clone()),
            false => NotedPlan::Drawn(Box::new(PlanBuilder::new(&Told::before(Vec::new())).plan(plan))),
        };
        self.noted().plan = Some(noted);
    }

    /// Scans report here.
    pub fn watch(&self, reports: &Arc<ScanReports>) {
        self.noted().reports.push(reports.clone());
    }

    /// Forgets everything: the statement begins again.
    pub fn clear(&self) {
        self.take();
    }

    /// The plan, if it was kept as it ran.
    pub fn whole(&self) -> Option<Arc<dyn ExecutionPlan>> {
        match &self.noted().plan {
            Some(NotedPlan::Whole(plan)) => Some(plan.clone()),
            _ => None,
        }
    }

    /// What the scans of all plans report.
    pub fn reports(&self) -> Vec<Arc<ScanReports>> {
        self.noted().reports.clone()
    }

    /// The plan, and what the scans of all plans report; then nothing is noted any more.
    pub fn take(&self) -> (Option<NotedPlan>, Vec<Arc<ScanReports>>) {
        let Noted { plan, reports } = std::mem::take(&mut *self.noted());
        (plan, reports)
    }
}
