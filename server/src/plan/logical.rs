//! Queries → logical plans, and logical plans → what can be executed.

use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use catalog::CatalogSnapshot;
use datafusion::common::{DataFusionError, ParamValues, ScalarValue};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::sql::planner::{PlannerContext, SqlToRel};
use sqlparser::ast::{self, visit_expressions, visit_relations};
use sqlparser::tokenizer::Location;

use crate::engine_error;
use crate::error::{Error, Result};
use crate::parse::position;
use crate::plan::PlanContext;
use crate::plan::column_names::column_names;
use crate::plan::parameters::add_cast_types;
use crate::plan::relations;
use pg::types;

/// OID of `text`: what a parameter is when nothing says otherwise.
const TEXT_OID: u32 = 25;
/// Parameters that one statement can have: the protocol counts them in 16 bits.
const PARAMETERS_MAX: usize = u16::MAX as usize;

/// A planned query.
#[derive(Debug, Clone)]
pub struct Planned {
    /// The plan, with placeholders for its parameters.
    pub plan: LogicalPlan,
    /// The result's columns, as the client sees them.
    pub schema: SchemaRef,
    /// The types of the parameters, where the query tells.
    pub parameters: Vec<Option<DataType>>,
    /// The search path its names were looked up in.
    pub search_path: Vec<String>,
    /// What was seen when it was planned: the plan holds on to these rows.
    pub snapshot: Arc<CatalogSnapshot>,
}

/// Plans a query whose parameters have these types, where they are known.
///
/// # Errors
/// Whatever is wrong with the query, with a position where it is known.
pub fn plan_query(
    context: &PlanContext,
    query: &ast::Query,
    text: &str,
    mut parameters: Vec<Option<DataType>>,
) -> Result<Planned> {
    add_cast_types(query, &mut parameters);
    let plan = query_plan(context, query, text, parameters.clone())?;
    let parameters = parameter_types(&plan, parameters)?;
    let schema = named(plan.schema().inner(), column_names(query));
    let search_path = context.search_path().to_vec();
    Ok(Planned { plan, schema, parameters, search_path, snapshot: context.snapshot().clone() })
}

/// The logical plan of a query.
///
/// # Errors
/// As for [`plan_query`].
pub(super) fn query_plan(
    context: &PlanContext,
    query: &ast::Query,
    text: &str,
    parameters: Vec<Option<DataType>>,
) -> Result<LogicalPlan> {
    let fields = parameters.into_iter().map(|data_type| data_type.map(parameter_field)).collect();
    let mut planner_context = PlannerContext::new().with_prepare_param_data_types(fields);
    let statement = ast::Statement::Query(Box::new(query.clone()));
    SqlToRel::new(context)
        .sql_statement_to_plan_with_context(statement, &mut planner_context)
        .map_err(|error| located(error, query, text))
}

fn parameter_field(data_type: DataType) -> FieldRef {
    Arc::new(Field::new("", data_type, true))
}

/// The types that the plan gives its parameters, over those that were known before.
fn parameter_types(plan: &LogicalPlan, mut known: Vec<Option<DataType>>) -> Result<Vec<Option<DataType>>> {
    for (name, inferred) in plan.get_parameter_types()? {
        let number = name.strip_prefix('$').and_then(|digits| digits.parse::<usize>().ok());
        let number = number.filter(|number| (1..=PARAMETERS_MAX).contains(number));
        let number = number.ok_or_else(|| Error::Syntax {
            message: format!("there is no parameter {name}"),
            detail: None,
            position: None,
        })?;
        if known.len() < number {
            known.resize(number, None);
        }
        let slot = &mut known[number - 1];
        *slot = slot.take().or(inferred);
    }
    Ok(known)
}

impl Planned {
    /// OIDs of the parameters' types: those that the client declared, then those that the query tells, then text.
    pub fn parameter_oids(&self, declared: &[u32]) -> Vec<u32> {
        let count = self.parameters.len().max(declared.len());
        let oid = |number: usize| match declared.get(number) {
            Some(oid) if *oid != 0 => *oid,
            _ => match self.parameters.get(number) {
                Some(Some(data_type)) if *data_type != DataType::Null => {
                    types::describe(&Field::new("", data_type.clone(), true)).oid
                }
                _ => TEXT_OID,
            },
        };
        (0..count).map(oid).collect()
    }

    /// The plan with values in place of its parameters.
    ///
    /// # Errors
    /// A value does not fit where its parameter stands.
    pub fn bind(&self, values: &[ScalarValue]) -> Result<LogicalPlan> {
        if values.is_empty() {
            return Ok(self.plan.clone());
        }
        let values = values.iter().enumerate().map(|(number, value)| match self.parameters.get(number) {
            Some(Some(data_type)) => fitted(value, data_type),
            _ => value.clone(),
        });
        let values: Vec<_> = values.collect();
        Ok(self.plan.clone().with_param_values(ParamValues::from(values))?)
    }
}

/// The value as the type that its parameter is expected to have, if it is the same value then. Otherwise it stays what it
/// is, and is compared as such: `price = $1` with 1.005 must not find 1.01.
fn fitted(value: &ScalarValue, expected: &DataType) -> ScalarValue {
    match value.cast_to(expected) {
        Ok(cast) if cast.cast_to(&value.data_type()).is_ok_and(|back| back == *value) => cast,
        _ => value.clone(),
    }
}

/// The plan that is executed.
///
/// # Errors
/// The optimiser finds something wrong that the planner did not, or a store cannot be reached.
pub async fn physical_plan(context: &PlanContext, plan: &LogicalPlan) -> Result<Arc<dyn ExecutionPlan>> {
    Ok(context.state().create_physical_plan(plan).await?)
}

/// The schema with other names.
fn named(schema: &SchemaRef, names: Option<Vec<String>>) -> SchemaRef {
    match names {
        Some(names) if names.len() == schema.fields().len() => {
            let fields = schema.fields().iter().zip(names);
            let renamed: Vec<_> = fields.map(|(field, name)| field.as_ref().clone().with_name(name)).collect();
            Arc::new(Schema::new(renamed))
        }
        _ => schema.clone(),
    }
}

/// The error with the place in the text that it is about, where that can be told.
fn located(error: DataFusionError, query: &ast::Query, text: &str) -> Error {
    if let DataFusionError::External(inner) = error {
        return match inner.downcast::<Error>() {
            Ok(ours) => match *ours {
                Error::UndefinedTable { name, position: None } => {
                    let position = relation_position(query, text, &name);
                    Error::UndefinedTable { name, position }
                }
                other => other,
            },
            Err(other) => Error::from(DataFusionError::External(other)),
        };
    }
    let start = error.diagnostic().and_then(|diagnostic| diagnostic.span).map(|span| span.start);
    let position =
        start.and_then(|start| position::character(text, Location { line: start.line, column: start.column }));
    Error::Engine { source: Box::new(error), position }
}

/// The error of a query that ran, with the position of the constant it is about when only one in the query can be meant:
/// the engine does not say where a value came from.
pub fn with_constant_position(error: Error, query: &ast::Query, text: &str) -> Error {
    let Error::Engine { source, position: None } = error else { return error };
    let message = engine_error::report(&source).message;
    let value = message.strip_prefix("invalid input syntax for type ").and_then(|rest| {
        let (_, quoted) = rest.split_once(": \"")?;
        quoted.strip_suffix('"')
    });
    let position = value.and_then(|value| constant_position(query, text, value));
    Error::Engine { source, position }
}

fn constant_position(query: &ast::Query, text: &str, wanted: &str) -> Option<usize> {
    let mut places = Vec::new();
    let flow = visit_expressions(query, |expr| {
        if let ast::Expr::Value(value) = expr
            && matches!(&value.value, ast::Value::SingleQuotedString(text) if text == wanted)
        {
            places.push(value.span.start);
        }
        ControlFlow::<()>::Continue(())
    });
    debug_assert!(flow.is_continue());
    match places.as_slice() {
        [place] => position::character(text, *place),
        _ => None,
    }
}

/// Where the query names this relation.
fn relation_position(query: &ast::Query, text: &str, name: &str) -> Option<usize> {
    let mut place = None;
    let flow = visit_relations(query, |relation| {
        let same = relations::parts(relation).is_ok_and(|parts| parts.join(".") == name);
        if same {
            place = relation.0.first().and_then(|part| part.as_ident()).map(|part| part.span.start);
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    });
    debug_assert!(flow.is_break() || place.is_none());
    position::character(text, place?)
}
