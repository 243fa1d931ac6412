//! What is known of a table, for whoever estimates how many rows a condition leaves: what ANALYZE has found out of its columns,
//! and what queries have counted.

use std::sync::Arc;

use catalog::{ColumnStatistics, Oid, TableStatistics};
use datafusion::catalog::TableProvider;
use quick_cache::sync::Cache;

use crate::external::ExternalTableProvider;
use crate::hot::HotTableProvider;

/// Conditions of which it is known which rows they leave.
const CONDITIONS_MAX: usize = 10_000;

/// What is known of a table, its columns by their places in it.
#[derive(Debug, Clone)]
pub struct Knowledge {
    table: Oid,
    analyzed: Option<Arc<TableStatistics>>,
    /// The columns' numbers.
    numbers: Arc<[i16]>,
    counted: Arc<Selectivities>,
}

impl Knowledge {
    /// What is known of a table whose columns have these numbers.
    pub fn new(
        table: Oid,
        analyzed: Option<Arc<TableStatistics>>,
        numbers: impl Iterator<Item = i16>,
        counted: Arc<Selectivities>,
    ) -> Self {
        Knowledge { table, analyzed, numbers: numbers.collect(), counted }
    }

    /// What a table of a plan brings with it, if it is one of ours.
    pub fn of_table(table: &dyn TableProvider) -> Option<&Knowledge> {
        match table.downcast_ref::<HotTableProvider>() {
            Some(table) => table.knowledge(),
            None => table.downcast_ref::<ExternalTableProvider>()?.knowledge(),
        }
    }

    /// What ANALYZE has found out of the table.
    pub fn analyzed(&self) -> Option<&TableStatistics> {
        self.analyzed.as_deref()
    }

    /// What it has found out of the column at a place.
    pub fn column(&self, place: usize) -> Option<&Arc<ColumnStatistics>> {
        self.analyzed.as_ref()?.columns.get(self.numbers.get(place)?)
    }

    /// The part of the rows that some conditions have left when they were evaluated last.
    pub fn part_left(&self, conditions: &str) -> Option<f64> {
        self.counted.0.get(&(self.table, conditions.into()))
    }

    /// Notes which part of the rows some conditions have left.
    pub fn note_part_left(&self, conditions: String, part: f64) {
        self.counted.0.insert((self.table, conditions.into()), part);
    }
}

/// Which part of the rows of tables conditions have left when they were evaluated last. It is gone when the server ends.
#[derive(Debug)]
pub struct Selectivities(Cache<(Oid, Box<str>), f64>);

impl Default for Selectivities {
    fn default() -> Self {
        Selectivities(Cache::new(CONDITIONS_MAX))
    }
}
