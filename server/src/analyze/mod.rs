//! Parse analysis: what a query means (PostgreSQL's `parse_analyze`).
//!
//! From sqlparser's tree to a plan of the engine's, in which every name is a column, every operator and function is an entry
//! of the library that [`pg`] chose by PostgreSQL's rules, and every cast is written out. The engine's own planner is not
//! asked: it would give operators, casts and names another meaning. What it is good at, to transform and run plans, comes
//! after.
//!
//! A query is read clause by clause in the order in which SQL evaluates them, with a stack of [`scope::Level`]s for the
//! names that are visible. Relations get aliases that are unique in the whole statement, so a column of the plan means one
//! thing wherever it stands.

mod aggregates;
mod call;
mod category;
pub mod coerce;
mod composite;
mod correlation;
pub mod domain;
mod execute;
mod expression;
mod from;
mod function_call;
mod grouping;
pub mod insert;
pub mod kept;
pub mod location;
mod merge;
pub mod modify;
mod names;
mod needed;
pub mod on_conflict;
mod operators;
mod order;
mod outer_aggregates;
mod presence;
mod query;
mod resolve;
pub mod rewrite;
pub mod scope;
mod select;
pub mod set_operation;
mod sets;
mod subquery;
mod truth;
pub(crate) mod type_name;
mod typed;
mod values;
mod variadic;
mod windows;
pub(crate) mod with;

use std::collections::{HashMap, HashSet};

use catalog::Oid;
use datafusion::common::{Column, TableReference};
use datafusion::logical_expr::expr::Sort;
use datafusion::logical_expr::{Expr, LogicalPlan};
use pg::error::PgError;
use pg::names::Entered;
use pg::sqlstate::SqlState;
use pg::{SessionValues, Type};
use sqlparser::ast;
use sqlparser::tokenizer::Location;

use crate::analyze::coerce::Disagreement;
use crate::error::{Error, Result};
use crate::parse::position;
use crate::plan::PlanContext;
use location::Located;
use scope::Level;
pub use typed::Typed;
use with::CommonTable;

pub use type_name::by_name as builtin_type;

/// Parameters that one statement can have: the protocol counts them in 16 bits.
const PARAMETERS_MAX: usize = u16::MAX as usize;
/// Queries inside each other, views included.
const QUERY_DEPTH_MAX: usize = 200;

/// The name, or one like it, that was not taken before.
fn unique(taken: &mut HashSet<String>, name: &str) -> String {
    let mut own = name.to_owned();
    let mut number = 1;
    while !taken.insert(own.clone()) {
        own = format!("{name}_{number}");
        number += 1;
    }
    own
}

/// A column of a query's result.
#[derive(Debug, Clone)]
pub struct OutputColumn {
    /// Its name, which need not be unique.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// The column of the plan.
    pub column: Column,
    /// Of a column that is a constant without a type: the constant, which becomes what the column is used as.
    pub constant: Option<Expr>,
    /// The column of a table or view that it is, unchanged.
    pub origin: Option<Origin>,
}

/// A column of a table or view, as `RowDescription` tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The table or view.
    pub relation: Oid,
    /// The number of the column.
    pub number: i16,
}

impl OutputColumn {
    /// Its value.
    fn typed(&self) -> Typed {
        Typed::new(Expr::Column(self.column.clone()), self.ty.clone())
    }
}

/// A query's plan and its columns.
#[derive(Debug, Clone)]
pub struct Analyzed {
    /// The plan.
    pub plan: LogicalPlan,
    /// The columns of its result, in order, which are the plan's.
    pub columns: Vec<OutputColumn>,
}

/// Reads one statement.
pub struct Analyzer<'a> {
    context: &'a PlanContext,
    text: &'a str,
    session: SessionValues,
    parameters: Vec<Option<Type>>,
    levels: Vec<Level>,
    common_tables: Vec<CommonTable>,
    aliases: HashSet<String>,
    /// What columns of relations are called.
    columns: HashSet<String>,
    /// Asks the next query that is read for its order, which it leaves here as an order of its plan's columns.
    kept_order: Option<Vec<Sort>>,
    /// What the column of the scalar subquery that was read last is called.
    subquery_name: Option<String>,
    /// Where columns were first read outside of an aggregate.
    places: HashMap<Column, Location>,
    /// Of relations that an outer join extends with NULLs, by their aliases in the plan: the column that is not NULL where
    /// the relation has a row.
    presence: HashMap<TableReference, Column>,
    /// Columns that the plan has for itself, counted.
    made: usize,
    depth: usize,
    /// Whether the text is that of a definition, which is kept.
    keeps: bool,
    /// What the names of types mean while the statement is read.
    _entered: Entered,
}

impl<'a> Analyzer<'a> {
    /// For a statement with this text, whose parameters have these types where they are known.
    pub fn new(context: &'a PlanContext, text: &'a str, parameters: Vec<Option<Type>>) -> Self {
        Analyzer {
            context,
            text,
            session: context.session_values().clone(),
            parameters,
            levels: Vec::new(),
            common_tables: Vec::new(),
            aliases: HashSet::new(),
            columns: HashSet::new(),
            kept_order: None,
            subquery_name: None,
            places: HashMap::new(),
            presence: HashMap::new(),
            made: 0,
            depth: 0,
            keeps: context.keeps(),
            _entered: context.names().enter(),
        }
    }

    /// What the parameters are, once the statement has been read.
    pub fn into_parameters(self) -> Vec<Option<Type>> {
        self.parameters
    }

    /// The error at the place of a part of the statement.
    fn at(&self, error: PgError, place: &impl Located) -> Error {
        self.at_location(error, place.start())
    }

    /// The error at the value that does not fit to the others, or at the whole.
    fn at_value(&self, disagreement: Disagreement, values: &[&ast::Expr], whole: &impl Located) -> Error {
        match disagreement.value.and_then(|value| values.get(value)) {
            Some(value) => self.at(disagreement.error, *value),
            None => self.at(disagreement.error, whole),
        }
    }

    /// Where a part of the statement begins, counted in characters from 1.
    fn position(&self, place: Option<&impl Located>) -> Option<usize> {
        position::character(self.text, place?.start())
    }

    fn at_location(&self, error: PgError, location: Location) -> Error {
        Error::Sql { error: Box::new(error), position: position::character(self.text, location) }
    }

    /// Remembers where a column was read.
    fn note_place(&mut self, value: &Typed, place: &impl Located) {
        let in_aggregate = self.levels.last().is_some_and(|level| level.in_aggregate);
        if let (Expr::Column(column), false) = (&value.expr, in_aggregate) {
            self.places.entry(column.clone()).or_insert_with(|| place.start());
        }
    }

    /// An alias for a relation that no other relation of the statement has.
    fn unique_alias(&mut self, name: &str) -> String {
        unique(&mut self.aliases, name)
    }

    /// A name for a column that the plan has for itself.
    fn made_name(&mut self, what: &str) -> String {
        self.made += 1;
        format!("{what}#{}", self.made)
    }

    fn level(&mut self) -> Result<&mut Level> {
        self.levels.last_mut().ok_or_else(|| PgError::internal("an expression stands outside of a query").into())
    }

    /// A parameter, of this type from now on.
    fn typed_parameter(&mut self, id: &str, ty: Type) -> pg::error::Result<Typed> {
        let number = id.strip_prefix('$').and_then(|digits| digits.parse::<usize>().ok());
        let number = number
            .filter(|number| (1..=PARAMETERS_MAX).contains(number))
            .ok_or_else(|| PgError::new(SqlState::UNDEFINED_PARAMETER, format!("there is no parameter {id}")))?;
        if self.parameters.len() < number {
            self.parameters.resize(number, None);
        }
        let known = self.parameters[number - 1].get_or_insert(ty).clone();
        Ok(placeholder(id, known))
    }

    /// A parameter, of its type if it has one.
    fn parameter(&mut self, id: &str) -> pg::error::Result<Typed> {
        let number = id.strip_prefix('$').and_then(|digits| digits.parse::<usize>().ok());
        let number = number
            .filter(|number| (1..=PARAMETERS_MAX).contains(number))
            .ok_or_else(|| PgError::new(SqlState::UNDEFINED_PARAMETER, format!("there is no parameter {id}")))?;
        if self.parameters.len() < number {
            self.parameters.resize(number, None);
        }
        Ok(match &self.parameters[number - 1] {
            Some(ty) => placeholder(id, ty.clone()),
            None => Typed::new(
                Expr::Placeholder(datafusion::logical_expr::expr::Placeholder::new_with_field(id.to_owned(), None)),
                typed::unknown_type(),
            ),
        })
    }

    /// Goes one query deeper.
    fn enter(&mut self) -> Result<()> {
        self.depth += 1;
        if self.depth > QUERY_DEPTH_MAX { Err(Error::TooComplex) } else { Ok(()) }
    }

    fn leave(&mut self) {
        self.depth -= 1;
    }
}

fn placeholder(id: &str, ty: Type) -> Typed {
    let field = Some(std::sync::Arc::new(ty.field("")));
    let placeholder = datafusion::logical_expr::expr::Placeholder::new_with_field(id.to_owned(), field);
    Typed::new(Expr::Placeholder(placeholder), ty)
}

/// An identifier as it is looked up.
fn folded(identifier: &ast::Ident) -> String {
    crate::plan::relations::identifier(identifier)
}

impl From<PgError> for Error {
    fn from(error: PgError) -> Self {
        Error::Sql { error: Box::new(error), position: None }
    }
}
