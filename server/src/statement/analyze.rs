//! ANALYZE: what the values of tables are like, for the planner. Of a hot table all rows are looked at, of an external one a
//! part of the files.

use std::sync::Arc;

use catalog::{CatalogChange, CatalogSnapshot, Column, ExternalTable, HotTable, Oid, Relation, TableStatistics};
use datafusion::execution::session_state::SessionState;
use pg::PgError;
use pg::names::Names;
use pg::sqlstate::SqlState;
use sqlparser::ast;
use storage::external::{AnalyzeRequest, ExternalTableProvider};
use storage::statistics::OrderKey;

use crate::error::{Error, Result};
use crate::parse::statement::{Analyze, TableColumns};
use crate::plan::file_values::FileValues;
use crate::plan::relations::{NameScope, identifier};
use crate::server::{DATABASE, Server};
use crate::session::{Action, Object, Session, TransactionStatus, authorize};
use crate::statement::Outcome;

/// Bytes of an external table's files that ANALYZE reads, about.
const EXTERNAL_BYTES_MAX: u64 = 512 << 20;

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
    for table in maintained(session, &analyze.tables, Maintenance::Analyze)? {
        analyze_table(session, &table, analyze.verbose).await?;
    }
    Ok(Outcome::command("ANALYZE"))
}

/// What is done to tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Maintenance {
    /// External tables can be looked at.
    Analyze,
    /// They cannot be compacted.
    Vacuum,
}

/// The tables that are named, all hot tables when there are none, as in PostgreSQL. What the verb does not apply to is passed
/// over with a warning.
///
/// # Errors
/// One is not there, or the user may not.
pub fn maintained(session: &mut Session, named: &[TableColumns], what: Maintenance) -> Result<Vec<Maintained>> {
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
        let applies = match relation {
            Relation::Hot(_) => true,
            Relation::External(_) => what == Maintenance::Analyze,
            Relation::View(_) | Relation::Sequence(_) => false,
        };
        if applies {
            tables.push(Maintained { oid: relation.oid(), columns: columns.clone() });
            continue;
        }
        let verb = match what {
            Maintenance::Analyze => "analyze",
            Maintenance::Vacuum => "vacuum",
        };
        let name = &relation.name().name;
        let message = format!("skipping \"{name}\" --- cannot {verb} non-tables or special system tables");
        session.warn(SqlState::WARNING, message);
    }
    Ok(tables)
}

/// Looks at the columns of a table, which may have been dropped meanwhile when it was not named.
///
/// # Errors
/// A column is not there or named twice, or the statement was ended.
pub async fn analyze_table(session: &mut Session, table: &Maintained, verbose: bool) -> Result<()> {
    let snapshot = session.snapshot()?;
    let Some(relation) = snapshot.relation_by_oid(table.oid) else { return Ok(()) };
    let name = relation.name();
    let places = places(&columns_of(relation), &name.name, &table.columns)?;
    if verbose {
        session.inform(format!("analyzing \"{}.{}\"", name.schema, name.name));
    }
    let guard = session.guard();
    let found = match relation {
        Relation::Hot(table) => guard.run(found_out(&session.server, &snapshot, table, places)).await??,
        Relation::External(table) => {
            let bytes_max = session.settings.scan_budget().bytes_max.unwrap_or(EXTERNAL_BYTES_MAX);
            let request = AnalyzeRequest { places, bytes_max: bytes_max.min(EXTERNAL_BYTES_MAX) };
            let mut state = session.server.engine.looking(&snapshot);
            state.config_mut().set_extension(Arc::new(session.settings.tolerance()));
            state.config_mut().set_extension(Arc::new(session.settings.listing_age()));
            guard.run(found_in_files(&session.server, &snapshot, table, request, state)).await??
        }
        Relation::View(_) | Relation::Sequence(_) => return Ok(()),
    };
    if verbose {
        let message = format!("\"{}\": {} rows in table", name.name, found.rows);
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
    let order_key = order_key(snapshot);
    server.engine.run(|context| storage::hot::analyze(table, rows, segments, places, order_key, context)).await
}

/// What some columns of an external table are like, from a part of its files.
///
/// # Errors
/// Files cannot be listed or read, or there is not enough memory.
pub async fn found_in_files(
    server: &Server,
    snapshot: &Arc<CatalogSnapshot>,
    table: &Arc<ExternalTable>,
    request: AnalyzeRequest,
    state: SessionState,
) -> Result<TableStatistics> {
    let values = Arc::new(FileValues::new(&table.bad_data));
    let (partitions, stores) = (snapshot.partitions(table.oid), server.stores_of(snapshot));
    let provider = ExternalTableProvider::new(table.clone(), partitions, stores, values).seen_in(snapshot);
    let order_key = order_key(snapshot);
    let look = |_| async move { provider.analyze(request, order_key, &state, state.task_ctx()).await };
    server.engine.run(look).await
}

/// What values of columns are ordered by.
fn order_key(snapshot: &Arc<CatalogSnapshot>) -> Arc<OrderKey> {
    // What domains and composite types are made of; no names are looked up.
    let names = Arc::new(Names::new(snapshot.clone(), DATABASE, Vec::new(), ""));
    Arc::new(move |field, values| {
        let _entered = names.enter();
        Ok(pg::library::array::column_order(field, values)?)
    })
}

/// The columns of which ANALYZE can find out something.
fn columns_of(relation: &Relation) -> Vec<Column> {
    match relation {
        Relation::Hot(table) => table.columns.clone(),
        Relation::External(table) => table.all_columns(),
        Relation::View(_) | Relation::Sequence(_) => Vec::new(),
    }
}

/// The places of the columns that are named, all when there are none.
fn places(all: &[Column], table: &str, columns: &[ast::Ident]) -> Result<Vec<usize>> {
    if columns.is_empty() {
        return Ok((0..all.len()).collect());
    }
    let mut places = Vec::with_capacity(columns.len());
    for column in columns {
        let name = identifier(column);
        let place = all.iter().position(|column| column.name == name);
        let place = place.ok_or_else(|| Error::UndefinedColumn { column: name.clone(), relation: table.to_owned() })?;
        if places.contains(&place) {
            let message = format!("column \"{name}\" of relation \"{table}\" appears more than once");
            return Err(PgError::new(SqlState::DUPLICATE_COLUMN, message).into());
        }
        places.push(place);
    }
    Ok(places)
}
