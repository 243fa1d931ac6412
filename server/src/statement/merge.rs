//! MERGE: which of the rows that it finds go, and which are written.

use std::collections::HashSet;

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use arrow::datatypes::{Int32Type, UInt64Type};
use catalog::{HotTable, Relation, RowAddresses};
use pg::PgError;
use pg::sqlstate::SqlState;
use std::sync::Arc;
use storage::hot::scan::addresses;

use crate::error::{Error, Result};
use crate::parse::merge::{Merge, MergeAction};
use crate::session::Action;

/// What becomes of the rows of a MERGE.
pub enum Fates {
    /// Of those to which a clause applies, by the clause's number.
    Clauses(Vec<Fate>),
    /// `REMOVE DUPLICATES`: a row of the source is written once. By their numbers, those that have been.
    WholeRows(HashSet<u64>),
}

/// What becomes of a row.
#[derive(Debug, Clone, Copy)]
pub struct Fate {
    /// The row of the target goes.
    deletes: bool,
    /// A row is written.
    writes: bool,
}

/// What is done with the rows of a batch.
pub struct Taken {
    /// Which of them are written.
    pub writes: BooleanArray,
    /// How many of them change the table.
    pub count: u64,
    /// Whether they end with a row of the target that has been changed before.
    pub ends_with_repeated: bool,
}

impl Fates {
    /// Of the rows that the plan of a MERGE gives.
    pub fn of(merge: &Merge) -> Self {
        let fate = |action: &MergeAction| Fate {
            deletes: matches!(action, MergeAction::Update(_) | MergeAction::Delete),
            writes: matches!(action, MergeAction::Update(_) | MergeAction::Insert(_)),
        };
        match merge {
            Merge::Clauses(_) => Fates::Clauses(merge.actions().map(fate).collect()),
            Merge::RemoveDuplicates => Fates::WholeRows(HashSet::new()),
        }
    }

    /// Whether rows are written at all.
    pub fn any_writes(&self) -> bool {
        match self {
            Fates::Clauses(fates) => fates.iter().any(|fate| fate.writes),
            Fates::WholeRows(_) => true,
        }
    }

    /// Adds the rows that go to `deleted`, up to the first that is among them already.
    ///
    /// # Errors
    /// The batch is not what the plan of a MERGE gives: a bug.
    pub fn take(&mut self, batch: &RecordBatch, deleted: &mut RowAddresses) -> Result<Taken> {
        let wrong = || PgError::internal("rows of MERGE without what becomes of them");
        let [.., described, units, _] = batch.columns() else { return Err(wrong().into()) };
        let places = addresses(batch)?;
        let mut writes = vec![false; batch.num_rows()];
        let mut count = 0;
        for (row, (unit, position)) in places.into_iter().enumerate() {
            let fate = self.fate(described, row, units.is_valid(row)).ok_or_else(wrong)?;
            if fate.deletes && !deleted.insert(unit, position) {
                return Ok(Taken { writes: writes.into(), count, ends_with_repeated: true });
            }
            writes[row] = fate.writes;
            count += 1;
        }
        Ok(Taken { writes: writes.into(), count, ends_with_repeated: false })
    }

    fn fate(&mut self, described: &dyn Array, row: usize, matched: bool) -> Option<Fate> {
        match self {
            Fates::Clauses(fates) => {
                let number = described.as_primitive_opt::<Int32Type>()?.value(row);
                fates.get(usize::try_from(number).ok()?.checked_sub(1)?).copied()
            }
            Fates::WholeRows(written) => {
                let number = described.as_primitive_opt::<UInt64Type>()?.value(row);
                Some(Fate { deletes: matched, writes: !matched || written.insert(number) })
            }
        }
    }
}

/// What a MERGE does to the rows of its target.
pub fn actions(merge: &Merge) -> Vec<Action> {
    let action = |action: &MergeAction| match action {
        MergeAction::Nothing => None,
        MergeAction::Delete => Some(Action::Delete),
        MergeAction::Update(_) => Some(Action::Update),
        MergeAction::Insert(_) => Some(Action::Insert),
    };
    match merge {
        Merge::Clauses(_) => merge.actions().filter_map(action).collect(),
        Merge::RemoveDuplicates => vec![Action::Delete, Action::Update, Action::Insert],
    }
}

/// The table that a MERGE changes.
///
/// # Errors
/// 0A000 when the relation is of another kind.
pub fn target(relation: &Relation) -> Result<Arc<HotTable>> {
    let kind = match relation {
        Relation::Hot(table) => return Ok(table.clone()),
        Relation::External(_) => "external tables",
        Relation::View(_) => "views",
        Relation::Sequence(_) => "sequences",
    };
    let message = format!("cannot execute MERGE on relation \"{}\"", relation.name().name);
    let error = PgError::new(SqlState::FEATURE_NOT_SUPPORTED, message);
    Err(error.with_detail(format!("This operation is not supported for {kind}.")).into())
}

/// 21000: a row of the target matches several rows of the source.
pub fn affected_twice() -> Error {
    let message = "MERGE command cannot affect row a second time";
    let error = PgError::new(SqlState::CARDINALITY_VIOLATION, message);
    error.with_hint("Ensure that not more than one source row matches any one target row.").into()
}
