//! Tables that get an index, lose one, or call it something else.

use std::sync::Arc;

use catalog::HotTable;

use super::changes::Altering;
use super::constraints;
use super::verify::Demand;
use crate::error::{Error, Result};
use crate::plan::relations::NameScope;
use crate::session::Session;

/// Gives a table another definition that differs in its indexes alone. The rows have to fulfil what new ones ask for.
pub(in crate::statement) async fn replace(
    session: &mut Session,
    table: &Arc<HotTable>,
    new: HotTable,
    text: &str,
) -> Result<()> {
    let mut altering = Altering::new(session, table)?;
    let added = new.constraints.iter().filter(|it| table.constraint(&it.name).is_none() && is_new(table, it.oid));
    let added: Vec<_> = added.map(|constraint| constraint.name.clone()).collect();
    added.into_iter().for_each(|name| altering.demand(Demand::Constraint(name)));
    altering.new = new;
    altering.commit(session, text).await
}

fn is_new(table: &HotTable, oid: catalog::Oid) -> bool {
    table.constraints.iter().all(|constraint| constraint.oid != oid)
}

/// Takes indexes that were made by themselves from their tables, with the foreign keys that need them. All of it is one
/// commit.
pub(in crate::statement) async fn drop(
    session: &mut Session,
    dropped: &[(Arc<HotTable>, Vec<String>)],
    cascade: bool,
) -> Result<()> {
    let scope = NameScope::of(session);
    let mut changes = Vec::new();
    for (table, names) in dropped {
        let mut altering = Altering::new(session, table)?;
        for name in names {
            match table.constraint(name).cloned() {
                Some(key) => constraints::remove(&scope, &mut altering, &key, cascade)?,
                None => altering.new.plain_indexes.retain(|index| index.name != *name),
            }
        }
        if dropped.len() > 1 && !altering.cascaded.is_empty() {
            return Err(Error::not_supported("DROP INDEX … CASCADE of indexes of several tables"));
        }
        session.notice_cascade(&altering.cascaded);
        changes.extend(altering.changes(&Arc::new(altering.new.clone()), None));
    }
    match changes.is_empty() {
        true => Ok(()),
        false => session.commit(changes).await,
    }
}
