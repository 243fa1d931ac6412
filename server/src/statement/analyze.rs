//! ANALYZE: what the values of hot tables are like, for the planner.

use std::sync::Arc;

use catalog::{CatalogChange, CatalogSnapshot, HotTable, Oid, Relation, TableStatistics};
use pg::PgError;
use pg::names::Names;
use pg::sqlstate::SqlState;
use sqlparser::ast;
use storage::hot::statistics;

use crate::error::{Error, Result};
use crate::parse::statement::{Analyze, TableColumns};
use crate::plan::relations::{NameScope, identifier};
use crate::server::{DATABASE, Server};
use crate::session::{Action, Object, Session, TransactionStatus, authorize};
use crate::statement::Outcome;
use crate::statement::assignment::writable;

/// A table that VACUUM or ANALYZE names, or one of all.
#[derive(Debug)]
pub struct Maintained {
    /// The table.
    pub oid: Oid,
    /// The columns that are named; all when there are none.
    pub columns: Vec<ast::Ident>,
}

/// Looks at the tables, one after the other.
///
/// # Errors
/// A table or a column is not there, or has no values of its own.
pub async fn execute(session: &mut Session, analyze: &Analyze) -> Result<Outcome> {
    for table in maintained(session, &analyze.tables, "analyze")? {
        analyze_table(session, &table, analyze.verbose).await?;
    }
    Ok(Outcome::command("ANALYZE"))
}

/// The tables that are named, all hot tables when there are none. What is no table is passed over with a warning.
///
/// # Errors
/// One is not there, or is an external table, or the user may not.
pub fn maintained(session: &mut Session, named: &[TableColumns], verb: &'static str) -> Result<Vec<Maintained>> {
    let snapshot = session.snapshot()?;
    if named.is_empty() {
        let mut all = Vec::new();
        for table in snapshot.hot_tables() {
            authorize(&session.identity, Action::Alter, Object::Relation(&Relation::Hot(table.clone())))?;
            all.push(Maintained { oid: table.oid, columns: Vec::new() });
        }
        return Ok(all);
    }
    let scope = NameScope::of(session);
    let mut tables = Vec::with_capacity(named.len());
    for TableColumns { table, columns } in named {
        let relation = scope.must_relation(&snapshot, table)?;
        authorize(&session.identity, Action::Alter, Object::Relation(relation))?;
        match relation {
            Relation::Hot(_) | Relation::External(_) => {
                let oid = writable(relation, verb)?.oid;
                tables.push(Maintained { oid, columns: columns.clone() });
            }
            Relation::View(_) | Relation::Sequence(_) => {
                let name = &relation.name().name;
                let message = format!("skipping \"{name}\" --- cannot {verb} non-tables or special system tables");
                session.warn(SqlState::WARNING, message);
            }
        }
    }
    Ok(tables)
}

/// Looks at the columns of a table, which may have been dropped meanwhile when it was not named.
///
/// # Errors
/// A column is not there or named twice, or the statement was ended.
pub async fn analyze_table(session: &mut Session, table: &Maintained, verbose: bool) -> Result<()> {
    let snapshot = session.snapshot()?;
    let Some(Relation::Hot(definition)) = snapshot.relation_by_oid(table.oid) else { return Ok(()) };
    let places = places(definition, &table.columns)?;
    if verbose {
        session.inform(format!("analyzing \"{}.{}\"", definition.name.schema, definition.name.name));
    }
    let guard = session.guard();
    let found = guard.run(found_out(&session.server, &snapshot, definition, places)).await??;
    if verbose {
        let message = format!("\"{}\": {} rows in table", definition.name.name, found.rows);
        session.inform(message);
    }
    let committed =
        session.commit(vec![CatalogChange::SetStatistics { table: table.oid, statistics: Arc::new(found) }]);
    match committed.await {
        // It was dropped meanwhile: what was found out is of no use.
        Err(Error::Catalog(catalog::Error::ChangedConcurrently { .. }))
            if session.transaction_status() == TransactionStatus::Idle
                && session.snapshot()?.relation_by_oid(table.oid).is_none() =>
        {
            Ok(())
        }
        other => other,
    }
}

/// What the columns of a table at these places are like in a snapshot.
///
/// # Errors
/// A segment cannot be read, or there is not enough memory.
pub async fn found_out(
    server: &Server,
    snapshot: &Arc<CatalogSnapshot>,
    table: &Arc<HotTable>,
    places: Vec<usize>,
) -> Result<TableStatistics> {
    let (table, rows, segments) = (table.clone(), snapshot.rows(table.oid), server.segments.clone());
    // What domains and composite types are made of; no names are looked up.
    let names = Arc::new(Names::new(snapshot.clone(), DATABASE, Vec::new(), ""));
    let order_key: Arc<statistics::OrderKey> = Arc::new(move |field, values| {
        let _entered = names.enter();
        Ok(pg::library::array::column_order(field, values)?)
    });
    server.engine.run(|context| statistics::analyze(table, rows, segments, places, order_key, context)).await
}

/// The places of the columns that are named, all when there are none.
fn places(table: &HotTable, columns: &[ast::Ident]) -> Result<Vec<usize>> {
    if columns.is_empty() {
        return Ok((0..table.columns.len()).collect());
    }
    let mut places = Vec::with_capacity(columns.len());
    for column in columns {
        let name = identifier(column);
        let place = table.columns.iter().position(|column| column.name == name);
        let place =
            place.ok_or_else(|| Error::UndefinedColumn { column: name.clone(), relation: table.name.name.clone() })?;
        if places.contains(&place) {
            let message = format!("column \"{name}\" of relation \"{}\" appears more than once", table.name.name);
            return Err(PgError::new(SqlState::DUPLICATE_COLUMN, message).into());
        }
        places.push(place);
    }
    Ok(places)
}
