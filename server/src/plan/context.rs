//! What the planner asks while it plans: tables, functions, options.
//!
//! This is the only place where an engine session is made, and the only way from a name in a query to its data.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use catalog::{CatalogSnapshot, NamedFiles, ObjectName, Oid, Relation, SeenRelation, View};
use datafusion::catalog::default_table_source::provider_as_source;
use datafusion::common::Column;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::{LogicalPlan, TableSource};
use datafusion::physical_plan::ExecutionPlan;
use pg::names::{Names, PG_CATALOG};
use pg::sqlstate::SqlState;
use pg::styles::DateOrder;
use pg::{PgError, SessionValues, recorded};
use storage::external::{ExternalTableProvider, FILE_COLUMNS, FileReading, FilesRequest, ScanBudget};
use storage::hot::{HotTableProvider, Segments};
use storage::object_stores::ObjectStores;
use storage::scan::knowledge::Selectivities;
use storage::scan::report::ScanReports;

use crate::analyze::{Analyzed, Analyzer};
use crate::error::{Error, Result};
use crate::lazy::physical_may_fail;
use crate::locks::Locks;
use crate::optimize::JoinMethods;
use crate::parse::{Statement, parse};
use crate::plan::engine::set_workers;
use crate::plan::file_values::FileValues;
use crate::plan::files::StatementFiles;
use crate::plan::in_memory::system_relation;
use crate::plan::relations::NameScope;
use crate::plan::seen::{Named, of_view, seen_relations};
use crate::plan::sequence_rows::SequenceRows;
use crate::plan::statement_plans::StatementPlans;
use crate::plan::statistics_relation::pg_stats;
use crate::plan::system_relations::SCHEMA;
use crate::plan::{role_relations, session_relations, setting_relations, system_relations};
use crate::query_log::{self, QueryLog};
use crate::session::{Action, Identity, Object, PreparedStatements, Session, SessionRegistry, ShownPortals, authorize};
use crate::system_catalog::{self, ActivityRows, LockRows, SystemRows};

/// Views in views that are followed. Each is planned inside the other.
const VIEW_DEPTH_MAX: usize = 64;

/// What the planner asks while it plans one statement.
#[derive(Debug)]
pub struct PlanContext {
    identity: Arc<Identity>,
    snapshot: Arc<CatalogSnapshot>,
    scope: NameScope,
    names: Arc<Names>,
    values: SessionValues,
    state: SessionState,
    stores: Arc<ObjectStores>,
    segments: Arc<Segments>,
    reading: Arc<FileReading>,
    selectivities: Arc<Selectivities>,
    system_rows: Arc<SystemRows>,
    sessions: Arc<SessionRegistry>,
    query_log: Arc<QueryLog>,
    locks: Arc<Locks>,
    reports: Arc<ScanReports>,
    /// Where plans are noted, for those who want to see them.
    noted: Vec<Arc<StatementPlans>>,
    files: Arc<StatementFiles>,
    /// What the session has, for the relations that show it.
    statements: Arc<PreparedStatements>,
    portals: Arc<ShownPortals>,
    /// Kinds of relations that are not to be read (`restrict_nonsystem_relation_kind`).
    restricted: String,
    /// The relations that the statement names itself, not those its views read.
    relations: Mutex<BTreeSet<Oid>>,
    /// What its plan calls their columns.
    named: Mutex<Vec<Named>>,
    /// The files that it names itself.
    named_files: Mutex<Vec<Arc<NamedFiles>>>,
    view_depth: usize,
    /// Whether the statement's text is kept, as a view's is.
    keeps: bool,
    /// The view whose text is planned.
    view: Option<Arc<View>>,
}

impl PlanContext {
    /// For a statement that sees `snapshot`.
    pub fn new(session: &Session, snapshot: Arc<CatalogSnapshot>) -> Self {
        let scope = NameScope::of(session);
        let is_there = |schema: &&String| snapshot.schema(schema).is_some();
        let mut values = session.values(scope.search_path.iter().filter(is_there).cloned().collect());
        values.temporary_schema =
            Some(&scope.temporary_schema).filter(|schema| scope.searches_temporary && is_there(schema)).cloned();
        let names = Arc::new(scope.names(&snapshot));
        values.names = Some(names.clone());
        let reports = Arc::new(ScanReports::default());
        session.watch(&reports);
        let server = &session.server;
        let stores = server.stores_of(&snapshot);
        let mut state = server.engine.state(reports.clone(), snapshot.file_writes().clone(), values.clone());
        state.config_mut().set_extension(Arc::new(session.settings.tolerance()));
        state.config_mut().set_extension(Arc::new(session.settings.listing_age()));
        state.config_mut().set_extension(Arc::new(session.settings.scan_budget()));
        state.config_mut().set_extension(Arc::new(session.settings.join_ordering()));
        state.config_mut().set_extension(Arc::new(session.settings.grouping()));
        if !session.settings.hash_joins() {
            state.config_mut().options_mut().extensions.insert(JoinMethods { hash: false });
        }
        if !session.settings.dynamic_filters() {
            let options = &mut state.config_mut().options_mut().optimizer;
            options.enable_join_dynamic_filter_pushdown = false;
            options.enable_topk_dynamic_filter_pushdown = false;
            options.enable_aggregate_dynamic_filter_pushdown = false;
        }
        if let Some(workers) = session.settings.workers_per_query() {
            set_workers(state.config_mut().options_mut(), workers);
        }
        PlanContext {
            identity: session.identity.clone(),
            scope,
            names,
            snapshot,
            state,
            values,
            stores,
            segments: server.segments.clone(),
            reading: server.engine.reading().clone(),
            selectivities: server.selectivities.clone(),
            system_rows: server.system_rows.clone(),
            sessions: server.sessions.clone(),
            query_log: server.query_log.clone(),
            locks: server.locks.clone(),
            reports,
            noted: session.plans().cloned().collect(),
            files: Arc::default(),
            statements: session.statements.clone(),
            portals: session.portals.shown.clone(),
            restricted: session.settings.value("restrict_nonsystem_relation_kind").cloned().unwrap_or_default(),
            relations: Mutex::default(),
            named: Mutex::default(),
            named_files: Mutex::default(),
            view_depth: 0,
            keeps: false,
            view: None,
        }
    }

    /// The same for a statement that may read so much.
    #[must_use]
    pub fn with_scan_budget(mut self, budget: ScanBudget) -> Self {
        self.state.config_mut().set_extension(Arc::new(budget));
        self
    }

    /// For the query of a view that this statement reads: the view's own search path, and one level deeper.
    fn inside_view(&self, view: &Arc<View>) -> Self {
        let inside = self.under(&view.search_path);
        // The names in a late-binding view mean what they mean where it is read.
        let view = Some(view.clone()).filter(|view| !view.late_binding);
        PlanContext { view_depth: self.view_depth + 1, view, ..inside }
    }

    /// For an expression that was written under another search path.
    pub fn under(&self, search_path: &[String]) -> Self {
        let scope = self.scope.under(search_path);
        let names = Arc::new(scope.names(&self.snapshot));
        let mut values = self.values.clone();
        // Whoever reads it, its dates are those of whoever wrote it.
        values.styles.dates.order = DateOrder::Mdy;
        PlanContext {
            identity: self.identity.clone(),
            snapshot: self.snapshot.clone(),
            scope,
            names,
            values,
            state: self.state.clone(),
            stores: self.stores.clone(),
            segments: self.segments.clone(),
            reading: self.reading.clone(),
            selectivities: self.selectivities.clone(),
            system_rows: self.system_rows.clone(),
            sessions: self.sessions.clone(),
            query_log: self.query_log.clone(),
            locks: self.locks.clone(),
            reports: self.reports.clone(),
            noted: self.noted.clone(),
            files: self.files.clone(),
            statements: self.statements.clone(),
            portals: self.portals.clone(),
            restricted: self.restricted.clone(),
            relations: Mutex::default(),
            named: Mutex::default(),
            named_files: Mutex::default(),
            view_depth: self.view_depth,
            keeps: false,
            view: None,
        }
    }

    /// For a statement whose text is kept.
    #[must_use]
    pub fn keeping(self) -> Self {
        PlanContext { keeps: true, ..self }
    }

    /// Whether the statement's text is kept.
    pub fn keeps(&self) -> bool {
        self.keeps
    }

    /// For a statement whose rows are computed one after the other, in the order in which its query gives them.
    #[must_use]
    pub fn in_order(mut self) -> Self {
        self.state.config_mut().options_mut().execution.target_partitions = 1;
        self
    }

    /// What the statement sees.
    pub fn snapshot(&self) -> &Arc<CatalogSnapshot> {
        &self.snapshot
    }

    /// Where its names are looked up.
    pub fn search_path(&self) -> &[String] {
        &self.scope.search_path
    }

    /// The search path that the text of an object is kept with.
    pub fn kept_path(&self, temporary: bool) -> Vec<String> {
        self.scope.kept_path(temporary)
    }

    /// What its names of types and relations mean.
    pub fn names(&self) -> &Arc<Names> {
        &self.names
    }

    /// The files of hot tables.
    pub fn segments(&self) -> &Arc<Segments> {
        &self.segments
    }

    /// The engine's session of the statement.
    pub fn state(&self) -> &SessionState {
        &self.state
    }

    /// The same for a plan that nobody wants to see.
    #[must_use]
    pub fn unnoted(self) -> Self {
        PlanContext { noted: Vec::new(), ..self }
    }

    /// Notes a plan for those who want to see it.
    pub fn note(&self, plan: &Arc<dyn ExecutionPlan>) {
        self.noted.iter().for_each(|noted| noted.note(plan));
    }

    /// What the scans of the statement are going to read, once it has been planned.
    pub fn reports(&self) -> &ScanReports {
        &self.reports
    }

    /// The same, for whoever reads them later.
    pub fn shared_reports(&self) -> Arc<ScanReports> {
        self.reports.clone()
    }

    /// The relations and types that the statement names.
    pub fn named_objects(&self) -> Vec<Oid> {
        let mut objects = self.relations.lock().unwrap_or_else(PoisonError::into_inner).clone();
        objects.extend(self.names.types_used());
        objects.into_iter().collect()
    }

    /// A relation has got these columns in the plan of the statement.
    pub fn note_columns(&self, oid: Oid, columns: Vec<Column>) {
        self.named.lock().unwrap_or_else(PoisonError::into_inner).push(Named { oid, columns });
    }

    /// The relations that the statement names, and which of their columns its plan reads.
    ///
    /// # Errors
    /// None of its own.
    pub fn seen_relations(&self, plan: &LogicalPlan) -> Result<Vec<SeenRelation>> {
        let named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        seen_relations(&self.snapshot, &named, plan)
    }

    /// What functions may know of the session.
    pub fn session_values(&self) -> &SessionValues {
        &self.values
    }

    /// Where the statement's names are looked for.
    pub fn scope(&self) -> &NameScope {
        &self.scope
    }

    /// The database that names may begin with.
    pub fn database(&self) -> &str {
        &self.scope.database
    }

    /// The relation that a name means.
    ///
    /// # Errors
    /// 42P01 when there is none, 42501 when it may not be read; of a view, whatever is wrong with its query.
    pub fn find_relation(&self, parts: &[String]) -> Result<FoundRelation> {
        let seen = match &self.view {
            Some(view) => self.scope.seen_relation(view, parts)?,
            None => None,
        };
        if seen.is_none()
            && let Some(found) = self.implied_relation(parts)?
        {
            return Ok(found);
        }
        let relation = match (&self.view, seen) {
            (Some(_), seen) => seen.and_then(|seen| self.snapshot.relation_by_oid(seen.oid)),
            (None, _) => self.scope.relation(&self.snapshot, parts)?,
        };
        let Some(relation) = relation else {
            let found = self.catalog_relation(parts)?;
            return found.ok_or_else(|| Error::UndefinedTable { name: parts.join("."), position: None });
        };
        authorize(&self.identity, Action::Select, Object::Relation(relation))?;
        self.check_unrestricted(relation)?;
        let oid = relation.oid();
        self.relations.lock().unwrap_or_else(PoisonError::into_inner).insert(oid);
        let name = seen.map_or_else(|| relation.name(), |seen| &seen.name).clone();
        Ok(match relation {
            Relation::Hot(table) => {
                let table = seen.map_or_else(|| table.clone(), |seen| Arc::new(seen.of_table(table)));
                let rows = self.snapshot.rows(table.oid);
                let provider = HotTableProvider::new(table, rows, self.segments.clone(), physical_may_fail);
                let source =
                    provider_as_source(Arc::new(provider.learning(self.selectivities.clone()).seen_in(&self.snapshot)));
                FoundRelation::Table { oid, name, source, system_columns: 0 }
            }
            Relation::External(table) => {
                let partitions = self.snapshot.partitions(table.oid);
                let values = Arc::new(FileValues::new(&table.bad_data));
                let provider = ExternalTableProvider::new(table.clone(), partitions, self.stores.clone(), values);
                let source =
                    provider_as_source(Arc::new(provider.learning(self.selectivities.clone()).seen_in(&self.snapshot)));
                FoundRelation::Table { oid, name, source, system_columns: FILE_COLUMNS.len() }
            }
            Relation::View(view) => {
                let analyzed = self.analyzed_view(view)?;
                let analyzed = match seen {
                    Some(seen) => of_view(analyzed, seen)?,
                    None => analyzed,
                };
                FoundRelation::View { oid, name, analyzed: Box::new(analyzed) }
            }
            Relation::Sequence(sequence) => {
                let sequences = self.values.sequences.clone();
                let sequences = sequences.ok_or_else(|| PgError::internal("a statement without a session"))?;
                let rows = SequenceRows::table(sequence.clone(), sequences);
                FoundRelation::Table { oid, name, source: provider_as_source(Arc::new(rows)), system_columns: 0 }
            }
        })
    }

    /// What is known of the files that the statement names, views in it included.
    pub fn files(&self) -> &StatementFiles {
        &self.files
    }

    /// The files that the statement names itself, not its views.
    pub fn all_named_files(&self) -> Vec<NamedFiles> {
        let named = self.named_files.lock().unwrap_or_else(PoisonError::into_inner);
        named.iter().map(|files| files.as_ref().clone()).collect()
    }

    /// Files that the statement names. Those in the text of a view are what they were when it was made.
    ///
    /// # Errors
    /// 42501 when they may not be read; they have not been looked at, see [`crate::plan::files`].
    pub fn named_files(&self, request: FilesRequest) -> Result<Arc<dyn TableSource>> {
        for pattern in &request.patterns {
            authorize(&self.identity, Action::UseLocation, Object::Location(pattern))?;
        }
        self.check_kind("foreign-table", "foreign table", &request.name)?;
        let of_view = self.view.iter().flat_map(|view| &view.files).find(|files| files.call == request.call);
        let files = match of_view {
            Some(files) => Arc::new(files.clone()),
            None => self.files.known(request)?,
        };
        let mut named = self.named_files.lock().unwrap_or_else(PoisonError::into_inner);
        if !named.iter().any(|known| known.call == files.call) {
            named.push(files.clone());
        }
        let provider = ExternalTableProvider::of_named_files(
            &files,
            self.stores.clone(),
            Arc::new(FileValues::new(&files.table.bad_data)),
        );
        Ok(provider_as_source(Arc::new(provider)))
    }

    /// That a relation is of no kind that the session does not want to read.
    fn check_unrestricted(&self, relation: &Relation) -> Result<()> {
        let (setting, kind) = match relation {
            Relation::View(_) => ("view", "view"),
            Relation::External(_) => ("foreign-table", "foreign table"),
            Relation::Hot(_) | Relation::Sequence(_) => return Ok(()),
        };
        self.check_kind(setting, kind, &relation.name().name)
    }

    fn check_kind(&self, setting: &str, kind: &str, name: &str) -> Result<()> {
        if !self.restricted.split(", ").any(|restricted| restricted == setting) {
            return Ok(());
        }
        let message = format!("access to non-system {kind} \"{name}\" is restricted");
        Err(PgError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message).into())
    }

    /// The relation of `pg_catalog` that a name without a schema means before all others.
    fn implied_relation(&self, parts: &[String]) -> Result<Option<FoundRelation>> {
        match parts {
            [name] if !self.scope.search_path.iter().any(|schema| schema == PG_CATALOG) => {
                self.system_relation(PG_CATALOG, name)
            }
            _ => Ok(None),
        }
    }

    /// The relation of the system catalogs that a name means.
    fn catalog_relation(&self, parts: &[String]) -> Result<Option<FoundRelation>> {
        match self.scope.split(parts)? {
            (Some(schema), name) => self.system_relation(schema, name),
            (None, name) => {
                let mut schemas = self.scope.schemas();
                schemas.find_map(|schema| self.system_relation(schema, name).transpose()).transpose()
            }
        }
    }

    /// The rows of system tables, as they were made last.
    pub fn system_rows(&self) -> &Arc<SystemRows> {
        &self.system_rows
    }

    /// What all sessions are doing, as far as this one may see it.
    pub fn activity(&self, relation: &'static recorded::Relation) -> ActivityRows {
        ActivityRows::new(relation, self.sessions.clone(), self.identity.clone(), self.is_superuser())
    }

    /// What is locked.
    pub fn locks(&self, relation: &'static recorded::Relation) -> LockRows {
        LockRows::new(relation, self.locks.clone())
    }

    fn is_superuser(&self) -> bool {
        self.snapshot.role_by_oid(self.identity.role).is_some_and(|role| role.superuser)
    }

    /// A relation that is the system's: what the session has and how the server does, or what the catalog says.
    fn system_relation(&self, schema: &str, name: &str) -> Result<Option<FoundRelation>> {
        let full = ObjectName::new(schema, name);
        // It is not in the catalog, so it has no number.
        let oid = Oid(0);
        if let Some(analyzed) = setting_relations::find(&full, self)? {
            return Ok(Some(FoundRelation::View { oid, name: full, analyzed: Box::new(analyzed) }));
        }
        let source = match schema {
            PG_CATALOG => self.session_relation(name)?,
            SCHEMA => match query_log::relation(name, &self.query_log, self.identity.role, self.is_superuser()) {
                None => system_relations::find(name, &self.snapshot, &self.reading, &self.stores)?,
                found => found,
            },
            _ => None,
        };
        match source {
            Some(source) => Ok(Some(FoundRelation::Table { oid, name: full, source, system_columns: 0 })),
            None => system_catalog::find(schema, name, self),
        }
    }

    fn session_relation(&self, name: &str) -> Result<Option<Arc<dyn TableSource>>> {
        let columns = match role_relations::find(name, &self.snapshot, &self.identity)? {
            None if name == "pg_stats" => Some(pg_stats(&self.snapshot, &self.values)?),
            found => found,
        };
        match columns {
            Some(columns) => Ok(Some(system_relation(columns)?)),
            None => Ok(session_relations::find(name, &self.statements, &self.portals)),
        }
    }

    /// A view's query, its columns named as the view names them.
    fn analyzed_view(&self, view: &Arc<View>) -> Result<Analyzed> {
        if self.view_depth >= VIEW_DEPTH_MAX {
            return Err(Error::TooComplex);
        }
        let statement = parse(&view.query)?.into_iter().next().map(|parsed| parsed.statement);
        let Some(Statement::Query(query)) = statement else {
            return Err(Error::InvalidDefinition { message: format!("view \"{}\" holds no query", view.name.name) });
        };
        let inside = self.inside_view(view);
        let analyzed = Analyzer::new(&inside, &view.query, Vec::new()).settled_query(&query);
        let mut analyzed = analyzed.map_err(Error::without_position)?;
        let names_all = analyzed.columns.len() == view.columns.len();
        let names_first = view.late_binding && analyzed.columns.len() >= view.columns.len();
        if !names_all && !names_first {
            return Err(Error::InvalidDefinition {
                message: format!(
                    "view \"{}\" has {} columns, its query {}",
                    view.name.name,
                    view.columns.len(),
                    analyzed.columns.len()
                ),
            });
        }
        for (column, name) in analyzed.columns.iter_mut().zip(&view.columns) {
            column.name.clone_from(name);
        }
        Ok(analyzed)
    }
}

/// What a name in FROM means.
pub enum FoundRelation {
    /// A table.
    Table {
        /// Its number.
        oid: Oid,
        /// Its full name.
        name: ObjectName,
        /// Its rows.
        source: Arc<dyn TableSource>,
        /// How many of its last columns are found by their names only.
        system_columns: usize,
    },
    /// A view.
    View {
        /// Its number.
        oid: Oid,
        /// Its full name.
        name: ObjectName,
        /// Its query.
        analyzed: Box<Analyzed>,
    },
}
