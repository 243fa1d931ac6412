//! The plans of a statement that is explained by running it.

use std::sync::{Arc, Mutex, PoisonError};

use datafusion::physical_plan::ExecutionPlan;
use storage::scan::report::ScanReports;

/// The plans that a statement has run so far, and what their scans report.
#[derive(Debug, Default)]
pub struct ExplainedPlans {
    plans: Mutex<Vec<Arc<dyn ExecutionPlan>>>,
    reports: Mutex<Vec<Arc<ScanReports>>>,
}

impl ExplainedPlans {
    /// Notes a plan.
    pub fn push(&self, plan: Arc<dyn ExecutionPlan>) {
        self.plans.lock().unwrap_or_else(PoisonError::into_inner).push(plan);
    }

    /// Scans report here.
    pub fn watch(&self, reports: &Arc<ScanReports>) {
        self.reports.lock().unwrap_or_else(PoisonError::into_inner).push(reports.clone());
    }

    /// The plan that has found the statement's rows: the last one, as the statement may have begun again.
    pub fn last(&self) -> Option<Arc<dyn ExecutionPlan>> {
        self.plans.lock().unwrap_or_else(PoisonError::into_inner).last().cloned()
    }

    /// What the scans of all plans report.
    pub fn reports(&self) -> Vec<Arc<ScanReports>> {
        self.reports.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
