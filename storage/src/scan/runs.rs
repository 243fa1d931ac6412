//! What the partitions of a scan share while they run.

use std::sync::{Arc, Mutex, PoisonError};

/// What the partitions of one execution share. When a partition is executed again, another execution has begun.
#[derive(Debug)]
pub(crate) struct Runs<S>(Mutex<Run<S>>);

#[derive(Debug)]
struct Run<S> {
    shared: Option<Arc<S>>,
    started: Vec<bool>,
}

impl<S> Runs<S> {
    /// For so many partitions.
    pub fn new(partitions: usize) -> Self {
        Runs(Mutex::new(Run { shared: None, started: vec![false; partitions] }))
    }

    /// What the execution shares that a partition begins with; `make` makes it for the first one.
    pub fn begin(&self, partition: usize, make: impl FnOnce() -> S) -> Arc<S> {
        let mut run = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if run.started.get(partition).copied().unwrap_or(true) {
            run.shared = None;
            run.started.fill(false);
        }
        if let Some(started) = run.started.get_mut(partition) {
            *started = true;
        }
        let shared = run.shared.get_or_insert_with(|| Arc::new(make())).clone();
        // From here on it lives as long as the partitions do: what they leave unread ends with them, and not with the plan.
        if run.started.iter().all(|started| *started) {
            run.shared = None;
        }
        shared
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_share_what_ends_with_them() {
        let runs = Runs::new(2);
        let first = runs.begin(0, || 1);
        let second = runs.begin(1, || 2);
        assert!(Arc::ptr_eq(&first, &second) && *first == 1);
        let left = Arc::downgrade(&first);
        drop((first, second));
        assert!(left.upgrade().is_none());
        assert_eq!((*runs.begin(1, || 3), *runs.begin(0, || 4), *runs.begin(0, || 5)), (3, 3, 5));
    }
}
