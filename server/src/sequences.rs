//! The values of sequences.
//!
//! What was handed out is never handed out again, whatever happens to the transaction that asked, or to the server. So values
//! are taken ahead, in blocks, by commits of their own, and handed out of memory; a block that the server did not come to
//! hand out is lost. Values of a sequence that others do not know yet, because it was made or restarted by a transaction
//! that has not been committed, are counted by the session, and become part of the transaction.

mod block;
mod session;

pub use session::{OwnSequences, SessionSequences};

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use catalog::{Catalog, CatalogChange, Oid, Sequence, SequenceState};
use futures::executor::block_on;
use pg::PgError;
use pg::error::Result;
use pg::sqlstate::SqlState;

use block::Block;

/// Times that values are taken again because somebody else has changed the sequence in between.
const ATTEMPTS_MAX: usize = 100;

/// The blocks of all sequences.
#[derive(Debug, Default)]
pub struct Sequences(Mutex<HashMap<Oid, Arc<Mutex<Option<Block>>>>>);

impl Sequences {
    fn entry(&self, oid: Oid) -> Arc<Mutex<Option<Block>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(oid).or_default().clone()
    }

    /// The next values. Waits for a commit when none are left in memory.
    ///
    /// # Errors
    /// 2200H at the end of the sequence; it cannot be committed.
    pub fn next_values(&self, catalog: &Catalog, sequence: &Arc<Sequence>, count: usize) -> Result<Vec<i64>> {
        let entry = self.entry(sequence.oid);
        let mut entry = entry.lock().unwrap_or_else(PoisonError::into_inner);
        let mut values = Vec::with_capacity(count);
        let mut attempts = 0;
        while values.len() < count {
            let block = current(catalog, &mut entry, sequence)?;
            block.hand_out(count, &mut values);
            if values.len() == count {
                break;
            }
            let (wanted, ahead) = block.after(count - values.len())?;
            let change =
                CatalogChange::SetSequence { sequence: sequence.oid, state: wanted, expected: Some(block.stored) };
            match block_on(catalog.commit(vec![change])) {
                Ok(_) => block.taken(wanted, ahead),
                Err(catalog::Error::ChangedConcurrently { .. }) if attempts < ATTEMPTS_MAX => attempts += 1,
                Err(error) => return Err(refused(&error)),
            }
        }
        Ok(values)
    }

    /// The next values, if they are in memory and nobody else takes some.
    ///
    /// # Errors
    /// The sequence is not there.
    pub fn at_hand(&self, catalog: &Catalog, sequence: &Arc<Sequence>, count: usize) -> Result<Option<Vec<i64>>> {
        let entry = self.entry(sequence.oid);
        let Ok(mut entry) = entry.try_lock() else { return Ok(None) };
        Ok(current(catalog, &mut entry, sequence)?.at_hand(count))
    }

    /// Sets how far a sequence is.
    ///
    /// # Errors
    /// It cannot be committed.
    pub fn set(&self, catalog: &Catalog, sequence: &Arc<Sequence>, state: SequenceState) -> Result<()> {
        let entry = self.entry(sequence.oid);
        let mut entry = entry.lock().unwrap_or_else(PoisonError::into_inner);
        let change = CatalogChange::SetSequence { sequence: sequence.oid, state, expected: None };
        block_on(catalog.commit(vec![change])).map_err(|error| refused(&error))?;
        *entry = Some(Block::new(sequence.clone(), state));
        Ok(())
    }

    /// How far a sequence is: what was handed out last, which what is stored may be ahead of.
    ///
    /// # Errors
    /// It is not there.
    pub fn state(&self, catalog: &Catalog, sequence: &Arc<Sequence>) -> Result<SequenceState> {
        let entry = self.entry(sequence.oid);
        let mut entry = entry.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(current(catalog, &mut entry, sequence)?.state)
    }
}

/// The block in memory, unless somebody else has set the sequence since.
fn current<'e>(catalog: &Catalog, entry: &'e mut Option<Block>, sequence: &Arc<Sequence>) -> Result<&'e mut Block> {
    let committed = catalog.snapshot().sequence_state(sequence.oid).ok_or_else(|| {
        let message = format!("relation \"{}\" does not exist", sequence.name.name);
        PgError::new(SqlState::UNDEFINED_TABLE, message)
    })?;
    let block = entry.get_or_insert_with(|| Block::new(sequence.clone(), committed));
    if block.stored != committed {
        *block = Block::new(sequence.clone(), committed);
    }
    block.follow(sequence);
    Ok(block)
}

fn refused(error: &catalog::Error) -> PgError {
    let report = crate::error::catalog_report(error);
    report.into()
}
