//! TRUNCATE.

use std::sync::Arc;

use catalog::constraint::ConstraintKind;
use catalog::{CatalogChange, CatalogSnapshot, HotTable, Relation, Sequence};
use pg::PgError;
use pg::sqlstate::SqlState;

use crate::error::{Error, Result};
use crate::parse::statement::Truncate;
use crate::plan::relations::NameScope;
use crate::session::{Action, Object, Session, TransactionStatus, authorize};
use crate::statement::Outcome;
use crate::statement::assignment::writable;

/// # Errors
/// A table is not there, has no rows of its own, or another one refers to it.
pub async fn execute(session: &mut Session, truncate: &Truncate) -> Result<Outcome> {
    let snapshot = session.snapshot()?;
    let tables = truncated(session, &snapshot, truncate)?;
    let in_block = session.transaction_status() != TransactionStatus::Idle;
    let mut changes = Vec::with_capacity(tables.len());
    for table in &tables {
        // Alone, the statement empties the table at the moment of its commit. In a block, others may have added rows by then.
        let seen = in_block.then(|| snapshot.rows(table.oid).added());
        changes.push(CatalogChange::Truncate { table: table.oid, seen });
    }
    let owned = tables.iter().filter(|_| truncate.restart_identity).flat_map(|it| snapshot.owned_sequences(it.oid));
    let restarted: Vec<Arc<Sequence>> = owned.collect();
    changes.extend(restarted.iter().map(|sequence| CatalogChange::SetSequence {
        sequence: sequence.oid,
        state: sequence.initial_state(),
        expected: None,
    }));
    session.commit(changes).await?;
    restarted.iter().for_each(|sequence| session.restarted(sequence, sequence.initial_state()));
    Ok(Outcome::command("TRUNCATE TABLE"))
}

/// The tables that are named, and with CASCADE those that refer to them.
fn truncated(session: &mut Session, snapshot: &CatalogSnapshot, truncate: &Truncate) -> Result<Vec<Arc<HotTable>>> {
    let scope = NameScope::of(session);
    let mut tables: Vec<Arc<HotTable>> = Vec::with_capacity(truncate.tables.len());
    for name in &truncate.tables {
        let relation = scope.must_relation(snapshot, name)?;
        let table = match relation {
            Relation::View(_) | Relation::Sequence(_) => {
                return Err(Error::WrongObjectType { name: relation.name().name.clone(), expected: "a table" });
            }
            Relation::Hot(_) | Relation::External(_) => writable(relation, "truncate")?,
        };
        add(session, &mut tables, table)?;
    }
    loop {
        let referring = referring(snapshot, &tables);
        match referring.first() {
            None => return Ok(tables),
            Some((referred, table)) if !truncate.cascade => return Err(is_referenced(referred, table)),
            Some(_) => {}
        }
        for (_, table) in referring {
            if !tables.contains(&table) {
                session.notice(format!("truncate cascades to table \"{}\"", table.name.name));
                add(session, &mut tables, table)?;
            }
        }
    }
}

fn add(session: &Session, tables: &mut Vec<Arc<HotTable>>, table: Arc<HotTable>) -> Result<()> {
    authorize(&session.identity, Action::Truncate, Object::Relation(&Relation::Hot(table.clone())))?;
    if !tables.contains(&table) {
        tables.push(table);
    }
    Ok(())
}

/// The tables with foreign keys to one of these that are not among them, the older ones first.
fn referring(snapshot: &CatalogSnapshot, tables: &[Arc<HotTable>]) -> Vec<(Arc<HotTable>, Arc<HotTable>)> {
    let others = snapshot.hot_tables().filter(|other| !tables.contains(other));
    let pairs = others.filter_map(|other| {
        let referred = other.constraints.iter().find_map(|constraint| match &constraint.kind {
            ConstraintKind::ForeignKey(key) => tables.iter().find(|table| table.oid == key.referenced),
            ConstraintKind::Key(_) | ConstraintKind::Check(_) => None,
        });
        referred.map(|referred| (referred.clone(), other.clone()))
    });
    let mut pairs: Vec<_> = pairs.collect();
    pairs.sort_by_key(|(_, table)| table.oid);
    pairs
}

fn is_referenced(referred: &HotTable, table: &HotTable) -> Error {
    let name = &table.name.name;
    let message = "cannot truncate a table referenced in a foreign key constraint";
    let error = PgError::new(SqlState::FEATURE_NOT_SUPPORTED, message)
        .with_detail(format!("Table \"{name}\" references \"{}\".", referred.name.name));
    error.with_hint(format!("Truncate table \"{name}\" at the same time, or use TRUNCATE ... CASCADE.")).into()
}
