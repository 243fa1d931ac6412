//! Changes of sequences.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::name::Oid;
use crate::sequence::{Sequence, SequenceState};
use crate::snapshot::{CatalogSnapshot, Relation};
use crate::store::{RecordKey, Touched};

impl CatalogSnapshot {
    pub(super) fn create_sequence(&mut self, sequence: &Sequence, touched: &mut Touched) -> Result<()> {
        self.create_relation(Relation::Sequence(Arc::new(sequence.clone())), touched)?;
        self.put_sequence_state(sequence.oid, sequence.initial_state(), touched);
        Ok(())
    }

    pub(super) fn replace_sequence(
        &mut self,
        old: &Sequence,
        new: &Arc<Sequence>,
        touched: &mut Touched,
    ) -> Result<()> {
        if self.must_sequence(old.oid)?.as_ref() != old {
            return Err(Error::ChangedConcurrently { oid: old.oid });
        }
        self.rename_relation(&old.name, &new.name)?;
        self.put_relation(new.name.clone(), Relation::Sequence(new.clone()), touched);
        Ok(())
    }

    pub(super) fn set_sequence(
        &mut self,
        oid: Oid,
        state: SequenceState,
        expected: Option<SequenceState>,
        touched: &mut Touched,
    ) -> Result<()> {
        self.must_sequence(oid)?;
        if expected.is_some_and(|expected| self.sequence_state(oid) != Some(expected)) {
            return Err(Error::ChangedConcurrently { oid });
        }
        self.put_sequence_state(oid, state, touched);
        Ok(())
    }

    /// Forgets how far a relation had come that is dropped, if it was a sequence.
    pub(super) fn drop_sequence_state(&mut self, oid: Oid, touched: &mut Touched) {
        if self.sequences.remove(&oid).is_some() {
            touched.records.push(RecordKey::SequenceState(oid));
        }
    }

    fn must_sequence(&self, oid: Oid) -> Result<&Arc<Sequence>> {
        match self.relation_by_oid(oid) {
            Some(Relation::Sequence(sequence)) => Ok(sequence),
            _ => Err(Error::ChangedConcurrently { oid }),
        }
    }

    fn put_sequence_state(&mut self, oid: Oid, state: SequenceState, touched: &mut Touched) {
        self.sequences.insert(oid, state);
        touched.records.push(RecordKey::SequenceState(oid));
    }
}
