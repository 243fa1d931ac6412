//! What the planner asks while it plans: tables, functions, options.
//!
//! This is the only place where an engine session is made, and the only way from a name in a query to its data.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::datatypes::{DataType, SchemaRef};
use catalog::{CatalogSnapshot, Oid, Relation, View};
use datafusion::catalog::default_table_source::provider_as_source;
use datafusion::catalog::view::ViewTable;
use datafusion::common::config::ConfigOptions;
use datafusion::common::{DataFusionError, TableReference};
use datafusion::datasource::cte_worktable::CteWorkTable;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::planner::{ContextProvider, ExprPlanner, TypePlanner};
use datafusion::logical_expr::{
    AggregateUDF, HigherOrderUDF, LogicalPlan, LogicalPlanBuilder, ScalarUDF, TableSource, WindowUDF, col,
};
use storage::external::ExternalTableProvider;
use storage::hot::HotTableProvider;
use storage::object_stores::ObjectStores;
use storage::scan::report::ScanReports;

use crate::error::{Error, Result};
use crate::parse::{Statement, parse};
use crate::plan::logical;
use crate::plan::relations::NameScope;
use crate::plan::session_functions::SessionFacts;
use crate::session::{Action, Identity, Object, Session, authorize};

/// Views in views that are followed. Each is planned inside the other.
const VIEW_DEPTH_MAX: usize = 64;

/// What the planner asks while it plans one statement.
#[derive(Debug)]
pub struct PlanContext {
    identity: Arc<Identity>,
    snapshot: Arc<CatalogSnapshot>,
    scope: NameScope,
    facts: SessionFacts,
    state: SessionState,
    stores: Arc<ObjectStores>,
    reports: Arc<ScanReports>,
    /// The relations that the statement names itself, not those its views read.
    relations: Mutex<BTreeSet<Oid>>,
    view_depth: usize,
    /// In a view: the relations it was made over.
    bound: Option<Vec<Oid>>,
}

impl PlanContext {
    /// For a statement that sees `snapshot`.
    pub fn new(session: &Session, snapshot: Arc<CatalogSnapshot>) -> Self {
        let scope = NameScope::of(session);
        let first = scope.search_path.iter().find(|schema| snapshot.schema(schema).is_some());
        let facts = SessionFacts::new(session.identity.clone(), first.cloned());
        let reports = Arc::new(ScanReports::default());
        let server = &session.server;
        PlanContext {
            identity: session.identity.clone(),
            snapshot,
            scope,
            facts,
            state: server.engine.state(reports.clone()),
            stores: server.stores.clone(),
            reports,
            relations: Mutex::default(),
            view_depth: 0,
            bound: None,
        }
    }

    /// For the query of a view that this statement reads: the view's own search path, and one level deeper.
    fn inside_view(&self, view: &View) -> Self {
        let scope = NameScope { database: self.scope.database.clone(), search_path: view.search_path.clone() };
        PlanContext {
            identity: self.identity.clone(),
            snapshot: self.snapshot.clone(),
            scope,
            facts: self.facts.clone(),
            state: self.state.clone(),
            stores: self.stores.clone(),
            reports: self.reports.clone(),
            relations: Mutex::default(),
            view_depth: self.view_depth + 1,
            bound: Some(view.depends_on.clone()),
        }
    }

    /// What the statement sees.
    pub fn snapshot(&self) -> &Arc<CatalogSnapshot> {
        &self.snapshot
    }

    /// Where its names are looked up.
    pub fn search_path(&self) -> &[String] {
        &self.scope.search_path
    }

    /// The engine's session of the statement.
    pub fn state(&self) -> &SessionState {
        &self.state
    }

    /// What the scans of the statement are going to read, once it has been planned.
    pub fn reports(&self) -> &ScanReports {
        &self.reports
    }

    /// The relations that the statement names.
    pub fn relations(&self) -> Vec<Oid> {
        self.relations.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }

    fn table_source(&self, reference: &TableReference) -> Result<Arc<dyn TableSource>> {
        let parts: Vec<String> = [reference.catalog(), reference.schema(), Some(reference.table())]
            .into_iter()
            .flatten()
            .map(str::to_owned)
            .collect();
        let relation = match &self.bound {
            Some(bound) => self.scope.bound_relation(&self.snapshot, &parts, bound)?,
            None => self.scope.relation(&self.snapshot, &parts)?,
        };
        let relation = relation.ok_or_else(|| Error::UndefinedTable { name: parts.join("."), position: None })?;
        authorize(&self.identity, Action::Select, Object::Relation(relation))?;
        self.relations.lock().unwrap_or_else(PoisonError::into_inner).insert(relation.oid());
        match relation {
            Relation::Hot(table) => {
                let rows = self.snapshot.chunks(table.oid);
                Ok(provider_as_source(Arc::new(HotTableProvider::new(table.clone(), rows))))
            }
            Relation::External(table) => {
                let partitions = self.snapshot.partitions(table.oid);
                let provider = ExternalTableProvider::new(table.clone(), partitions, self.stores.clone());
                Ok(provider_as_source(Arc::new(provider)))
            }
            Relation::View(view) => {
                let plan = self.view_plan(view)?;
                Ok(provider_as_source(Arc::new(ViewTable::new(plan, Some(view.query.clone())))))
            }
        }
    }

    /// The plan of a view's query, its columns named as the view names them.
    fn view_plan(&self, view: &View) -> Result<LogicalPlan> {
        if self.view_depth >= VIEW_DEPTH_MAX {
            return Err(Error::TooComplex);
        }
        let parsed = parse(&view.query)?;
        let Some(Statement::Query(query)) = parsed.into_iter().next().map(|parsed| parsed.statement) else {
            return Err(Error::InvalidDefinition { message: format!("view \"{}\" has no query", view.name.name) });
        };
        let inside = self.inside_view(view);
        let plan = logical::query_plan(&inside, &query, &view.query, Vec::new())?;
        let names: Vec<_> = plan.schema().columns();
        if names.len() != view.columns.len() {
            return Err(Error::InvalidDefinition {
                message: format!(
                    "view \"{}\" has {} columns, its query {}",
                    view.name.name,
                    view.columns.len(),
                    names.len()
                ),
            });
        }
        let aliased = names.into_iter().zip(&view.columns).map(|(column, name)| col(column).alias(name));
        Ok(LogicalPlanBuilder::from(plan).project(aliased.collect::<Vec<_>>())?.build()?)
    }
}

impl ContextProvider for PlanContext {
    fn get_table_source(&self, name: TableReference) -> Result<Arc<dyn TableSource>, DataFusionError> {
        self.table_source(&name).map_err(|error| DataFusionError::External(Box::new(error)))
    }

    fn create_cte_work_table(&self, name: &str, schema: SchemaRef) -> Result<Arc<dyn TableSource>, DataFusionError> {
        Ok(provider_as_source(Arc::new(CteWorkTable::new(name, schema))))
    }

    fn get_table_function_source(
        &self,
        name: &str,
        _arguments: Vec<datafusion::logical_expr::Expr>,
    ) -> Result<Arc<dyn TableSource>, DataFusionError> {
        let error = Error::not_supported(format!("function {name} in FROM"));
        Err(DataFusionError::External(Box::new(error)))
    }

    fn get_expr_planners(&self) -> &[Arc<dyn ExprPlanner>] {
        self.state.expr_planners()
    }

    fn get_type_planner(&self) -> Option<Arc<dyn TypePlanner>> {
        None
    }

    fn get_function_meta(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        self.facts.function(name).or_else(|| self.state.scalar_functions().get(name).cloned())
    }

    fn get_higher_order_meta(&self, name: &str) -> Option<Arc<HigherOrderUDF>> {
        self.state.higher_order_functions().get(name).cloned()
    }

    fn get_aggregate_meta(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        self.state.aggregate_functions().get(name).cloned()
    }

    fn get_window_meta(&self, name: &str) -> Option<Arc<WindowUDF>> {
        self.state.window_functions().get(name).cloned()
    }

    fn get_variable_type(&self, _names: &[String]) -> Option<DataType> {
        None
    }

    fn options(&self) -> &ConfigOptions {
        self.state.config_options()
    }

    fn udf_names(&self) -> Vec<String> {
        self.state.scalar_functions().keys().cloned().collect()
    }

    fn higher_order_function_names(&self) -> Vec<String> {
        self.state.higher_order_functions().keys().cloned().collect()
    }

    fn udaf_names(&self) -> Vec<String> {
        self.state.aggregate_functions().keys().cloned().collect()
    }

    fn udwf_names(&self) -> Vec<String> {
        self.state.window_functions().keys().cloned().collect()
    }
}
