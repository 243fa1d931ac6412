//! ON CONFLICT DO UPDATE: what becomes of the rows that stand in the way of an INSERT.
//!
//! The plan reads pairs of rows, one that is there and the one that was to be inserted, called `excluded`; it gives what
//! [`Analyzer::modify`] gives for an UPDATE.

use std::sync::Arc;

use arrow::datatypes::{Field, FieldRef, Schema, SchemaRef};
use catalog::HotTable;
use datafusion::common::TableReference;
use datafusion::logical_expr::{LogicalPlanBuilder, TableSource};
use pg::Type;
use sqlparser::ast;
use storage::hot::scan::address_fields;

use crate::analyze::modify::{Gives, Target, scope_relation};
use crate::analyze::names::plan_column;
use crate::analyze::scope::{Level, Namespace, ScopeColumn, ScopeRelation};
use crate::analyze::{Analyzed, Analyzer, folded};
use crate::error::Result;
use crate::parse::statement::{ConflictAction, Insert};

/// What the row is called that was to be inserted.
const EXCLUDED: &str = "excluded";

/// The columns of the pairs of rows: those of the row that is there, those of the row that was to be inserted, the address of
/// the first.
pub fn pair_schema(table: &HotTable) -> SchemaRef {
    let columns = table.arrow_schema();
    let excluded =
        columns.fields().iter().map(|field| Arc::new(field.as_ref().clone().with_name(excluded_name(field))));
    let fields: Vec<FieldRef> = columns.fields().iter().cloned().chain(excluded).collect();
    let fields = fields.into_iter().chain(address_fields().map(Arc::new));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// No column of a table can be called so.
fn excluded_name(field: &Field) -> String {
    format!("\0{EXCLUDED}.{}", field.name())
}

impl Analyzer<'_> {
    /// The plan of the rows that are updated instead of being inserted, over pairs of rows from `source`.
    ///
    /// # Errors
    /// Whatever is wrong with SET, WHERE or RETURNING.
    pub fn on_conflict_update(
        &mut self,
        insert: &Insert,
        action: &ConflictAction,
        table: &Arc<HotTable>,
        source: Arc<dyn TableSource>,
    ) -> Result<Analyzed> {
        self.behind_with(insert.with.as_ref(), |analyzer| {
            analyzer.levels.push(Level::default());
            let analyzed = analyzer.conflict_at_level(insert, action, table, source);
            analyzer.levels.pop();
            analyzed
        })
    }

    fn conflict_at_level(
        &mut self,
        insert: &Insert,
        action: &ConflictAction,
        table: &Arc<HotTable>,
        source: Arc<dyn TableSource>,
    ) -> Result<Analyzed> {
        let visible = insert.alias.as_ref().map_or_else(|| table.name.name.clone(), folded);
        let alias = self.unique_alias(&visible);
        let plan = LogicalPlanBuilder::scan(TableReference::bare(table.name.name.as_str()), source.clone(), None)?
            .alias(TableReference::bare(alias.as_str()))?
            .build()?;
        let schema = insert.alias.is_none().then(|| table.name.schema.clone());
        let present = Namespace::of(scope_relation(table, &alias, visible, schema));
        self.level()?.namespace = present.clone().with(Namespace::of(excluded(table, &alias)));
        let (assignments, selection): (&[_], Option<&ast::Expr>) = match action {
            ConflictAction::Nothing => (&[], None),
            ConflictAction::Update { assignments, selection } => (assignments, selection.as_deref()),
        };
        let plan = self.where_clause(plan, selection)?;
        let target = Target { table: table.clone(), source };
        let plan = self.with_new_values(plan, &alias, &target, assignments)?;
        let plan = self.with_generated(plan, &alias, table)?;
        // RETURNING knows the rows as they have become, and nothing of those that were to be inserted.
        self.level()?.namespace = present;
        let gives = Gives { table, alias: &alias, new_values: true, addresses: true };
        self.with_returning(plan, &gives, &insert.returning)
    }
}

fn excluded(table: &HotTable, alias: &str) -> ScopeRelation {
    let column = |field: &FieldRef| {
        ScopeColumn::new(field.name(), plan_column(alias, &excluded_name(field)), Type::of_field(field))
    };
    let columns = table.arrow_schema().fields().iter().map(column).collect();
    ScopeRelation {
        name: Some(EXCLUDED.to_owned()),
        schema: None,
        columns,
        system_columns: Vec::new(),
        is_scalar: false,
    }
}
