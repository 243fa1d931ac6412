//! What names mean at one place of a query.

use std::collections::HashMap;

use datafusion::common::Column;
use datafusion::logical_expr::Expr;
use pg::Type;
use sqlparser::ast::{self, NamedWindowDefinition};

use crate::analyze::Origin;
use crate::analyze::typed::Typed;

/// A column that a name can mean.
#[derive(Debug, Clone)]
pub struct ScopeColumn {
    /// Its name in the query.
    pub name: String,
    /// Its value: a column of the plan, or of a FULL JOIN … USING what is there on either side.
    pub expr: Expr,
    /// Its type.
    pub ty: Type,
    /// The column of a table or view that it is.
    pub origin: Option<Origin>,
}

impl ScopeColumn {
    /// A column of the plan.
    pub fn new(name: impl Into<String>, column: Column, ty: Type) -> Self {
        ScopeColumn { name: name.into(), expr: Expr::Column(column), ty, origin: None }
    }

    /// Its value.
    pub fn typed(&self) -> Typed {
        Typed::new(self.expr.clone(), self.ty.clone())
    }
}

/// A relation in FROM, as qualified names see it.
#[derive(Debug, Clone)]
pub struct ScopeRelation {
    /// Its alias or name; `None` for a subquery without alias, whose columns are visible without one only.
    pub name: Option<String>,
    /// The schema of a table without alias.
    pub schema: Option<String>,
    /// Its columns.
    pub columns: Vec<ScopeColumn>,
    /// Columns that are found by their names only, where no other column has the name, and are not among all of them.
    pub system_columns: Vec<ScopeColumn>,
    /// A function in FROM that returns single values: its name without a column means the value.
    pub is_scalar: bool,
}

impl ScopeRelation {
    /// The columns, and after them those that are found by their names only.
    pub fn all_columns(&self) -> impl Iterator<Item = &ScopeColumn> {
        self.columns.iter().chain(&self.system_columns)
    }
}

/// What FROM, or a part of it, makes visible.
#[derive(Debug, Clone, Default)]
pub struct Namespace {
    /// The relations, for qualified names.
    pub relations: Vec<ScopeRelation>,
    /// The columns, for names without qualifier and for `*`: those that USING merges are there once.
    pub columns: Vec<ScopeColumn>,
}

impl Namespace {
    /// Of one relation.
    pub fn of(relation: ScopeRelation) -> Self {
        Namespace { columns: relation.columns.clone(), relations: vec![relation] }
    }

    /// The columns that are found by their names only.
    pub fn system_columns(&self) -> impl Iterator<Item = &ScopeColumn> {
        self.relations.iter().flat_map(|relation| &relation.system_columns)
    }

    /// Both.
    #[must_use]
    pub fn with(mut self, other: Namespace) -> Self {
        self.relations.extend(other.relations);
        self.columns.extend(other.columns);
        self
    }
}

/// Which expressions may stand at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The select list: aggregates, window functions and set-returning functions.
    SelectList,
    /// ORDER BY: the same, without the output names of the select list in expressions.
    OrderBy,
    /// HAVING: aggregates.
    Having,
    /// QUALIFY: aggregates and window functions.
    Qualify,
    /// Neither; messages name the place: `WHERE`, `JOIN conditions`.
    Plain(&'static str),
}

/// One query on the way from the outermost to the one that is read.
#[derive(Debug, Default)]
pub struct Level {
    /// What its FROM makes visible so far.
    pub namespace: Namespace,
    /// A relation that is there, and must not be read at this place.
    pub hidden: Option<ScopeRelation>,
    /// Output names that later expressions of its select list may use (Redshift's lateral column aliases).
    pub aliases: HashMap<String, Typed>,
    /// What output names stand for, which its WHERE may use where nothing else is called so (Redshift).
    pub written_aliases: HashMap<String, ast::Expr>,
    /// Its WINDOW clause.
    pub windows: Vec<NamedWindowDefinition>,
    /// The set-returning functions of its select list, and the columns they fill.
    pub sets: Vec<SetColumn>,
    /// The direct arguments of its ordered-set aggregates.
    pub direct_arguments: Vec<Expr>,
    /// Inside the arguments of an aggregate.
    pub in_aggregate: bool,
    /// Inside the arguments of a window function.
    pub in_window: bool,
    /// Inside a form that evaluates its parts only when they are needed.
    pub conditional: Option<&'static str>,
    /// What may stand where.
    pub place: Option<Place>,
    /// Whether its expressions have read a column of an outer level.
    pub correlated: bool,
    /// Whether a recursive table is in its FROM that this is a part of.
    pub reads_itself: bool,
    /// Aggregates of its rows that stand in its subqueries, and the columns that those read them by.
    pub outer_aggregates: Vec<(String, Typed)>,
}

impl Level {
    /// Whether a column of the plan is one of its relations', or of its aggregates.
    pub fn has(&self, column: &Column) -> bool {
        self.has_relation_column(column) || self.has_aggregate(column)
    }

    /// Whether a column is one of its aggregates that stand in subqueries.
    pub fn has_aggregate(&self, column: &Column) -> bool {
        column.relation.is_none() && self.outer_aggregates.iter().any(|(name, _)| *name == column.name)
    }

    fn has_relation_column(&self, column: &Column) -> bool {
        let relations = self.namespace.relations.iter().flat_map(ScopeRelation::all_columns);
        relations.chain(&self.namespace.columns).any(|known| match &known.expr {
            Expr::Column(known) => known == column,
            merged => merged.column_refs().contains(column),
        })
    }
}

/// A set-returning function in a select list.
#[derive(Debug, Clone)]
pub struct SetColumn {
    /// The function.
    pub function: &'static pg::function::SetFunction,
    /// Its arguments.
    pub arguments: Vec<Typed>,
    /// The columns of its rows.
    pub columns: Vec<(String, Type)>,
    /// What the columns are called in the plan.
    pub names: Vec<String>,
}
