//! Queries → logical plans, and logical plans → what can be executed.

use std::sync::Arc;

use arrow::datatypes::{DataType, Schema, SchemaRef};
use catalog::{CatalogSnapshot, Column, HotTable};
use datafusion::common::{ParamValues, ScalarValue};
use datafusion::logical_expr::LogicalPlan;
use pg::user_types::{base_type, type_of_column};
use pg::{PgError, Type};
use sqlparser::ast;

use crate::analyze::modify::Target;
use crate::analyze::{Analyzed, Analyzer};
use crate::apply::with_parameters;
use crate::error::{Error, Result};
use crate::parse::statement::{Insert, Modify};
use crate::plan::PlanContext;

/// OID of `text`: what a parameter is when nothing says otherwise.
const TEXT_OID: u32 = 25;

/// A planned query.
#[derive(Debug, Clone)]
pub struct Planned {
    /// The plan, with placeholders for its parameters.
    pub plan: LogicalPlan,
    /// The result's columns, as the client sees them.
    pub schema: SchemaRef,
    /// The types of the parameters, where the query tells.
    pub parameters: Vec<Option<Type>>,
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
    parameters: Vec<Option<Type>>,
) -> Result<Planned> {
    let mut analyzer = Analyzer::new(context, text, parameters);
    let analyzed = analyzer.settled_query(query)?;
    Ok(planned(context, analyzed, analyzer.into_parameters()))
}

/// Plans the query of an INSERT, whose columns are assigned to these of a table. Behind them come the columns, for a query of
/// so many, that are given no value and get one from their domain.
///
/// # Errors
/// As for [`plan_query`]; 42804 for a column that cannot be assigned.
pub fn plan_source(
    context: &PlanContext,
    query: &ast::Query,
    text: &str,
    parameters: Vec<Option<Type>>,
    targets: &[&Column],
    domain_columns: impl FnOnce(usize) -> Vec<usize>,
    table: &HotTable,
) -> Result<Planned> {
    let mut analyzer = Analyzer::new(context, text, parameters);
    let types: Vec<_> = targets.iter().map(|it| (it.name.clone(), type_of_column(&it.sql_type))).collect();
    let analyzed = analyzer.insert_source(query, &types)?;
    let left: Vec<_> = domain_columns(analyzed.columns.len()).iter().map(|it| &table.columns[*it]).collect();
    let analyzed = analyzer.with_domain_defaults(analyzed, &left)?;
    Ok(planned(context, analyzed, analyzer.into_parameters()))
}

/// Plans an INSERT with RETURNING, see [`Analyzer::insert_returning`]; `targets` are the columns that get values, and
/// `domain_columns` tells which of the others have one of their domain.
///
/// # Errors
/// As for [`plan_source`].
pub fn plan_insert_returning(
    context: &PlanContext,
    insert: &Insert,
    text: &str,
    parameters: Vec<Option<Type>>,
    table: &HotTable,
    targets: &[usize],
    domain_columns: impl FnOnce(usize) -> Vec<usize>,
) -> Result<Planned> {
    let mut analyzer = Analyzer::new(context, text, parameters);
    let types = targets.iter().map(|place| &table.columns[*place]);
    let types: Vec<_> = types.map(|column| (column.name.clone(), type_of_column(&column.sql_type))).collect();
    let source = analyzer.insert_source(&insert.source, &types)?;
    let width = source.columns.len();
    if width < targets.len() && !insert.columns.is_empty() {
        return Err(Error::InsertArity { more_expressions: false });
    }
    let left = domain_columns(width);
    let left_columns: Vec<_> = left.iter().map(|place| &table.columns[*place]).collect();
    let source = analyzer.with_domain_defaults(source, &left_columns)?;
    let given: Vec<usize> = targets[..width].iter().copied().chain(left).collect();
    let analyzed = analyzer.insert_returning(source, table, &given, insert)?;
    Ok(planned(context, analyzed, analyzer.into_parameters()))
}

/// Plans the query of an UPDATE or DELETE, see [`Analyzer::modify`].
///
/// # Errors
/// As for [`plan_query`].
pub fn plan_modify(
    context: &PlanContext,
    modify: &Modify,
    target: &Target,
    text: &str,
    parameters: Vec<Option<Type>>,
) -> Result<Planned> {
    let mut analyzer = Analyzer::new(context, text, parameters);
    let analyzed = analyzer.modify(modify, target)?;
    Ok(planned(context, analyzed, analyzer.into_parameters()))
}

/// Clients are told of a domain's column what the domain narrows, as in PostgreSQL.
fn planned(context: &PlanContext, analyzed: Analyzed, parameters: Vec<Option<Type>>) -> Planned {
    let fields: Vec<_> = analyzed.columns.iter().map(|column| base_type(&column.ty).field(&column.name)).collect();
    Planned {
        plan: analyzed.plan,
        schema: Arc::new(Schema::new(fields)),
        parameters,
        search_path: context.search_path().to_vec(),
        snapshot: context.snapshot().clone(),
    }
}

impl Planned {
    /// OIDs of the parameters' types: those that the client declared, then those that the query tells, then text.
    pub fn parameter_oids(&self, declared: &[u32]) -> Vec<u32> {
        let count = self.parameters.len().max(declared.len());
        let oid = |number: usize| match declared.get(number) {
            Some(oid) if *oid != 0 => *oid,
            _ => self.parameters.get(number).and_then(Option::as_ref).map_or(TEXT_OID, |ty| ty.oid),
        };
        (0..count).map(oid).collect()
    }

    /// Types for the parameters with which these values fit, when they do not with the types they have: those in which
    /// the values came.
    pub fn types_of(&self, values: &[ScalarValue]) -> Option<Vec<Option<Type>>> {
        let mut types = self.parameters.clone();
        let mut widened = false;
        for (ty, value) in types.iter_mut().zip(values) {
            if let Some(ty) = ty
                && carried(value, ty).is_err()
            {
                ty.arrow = value.data_type();
                widened = true;
            }
        }
        widened.then_some(types)
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
            Some(Some(ty)) => Ok(carried(value, ty)?),
            _ => Ok(value.clone()),
        });
        let values: Vec<_> = values.collect::<Result<_>>()?;
        Ok(with_parameters(self.plan.clone(), &ParamValues::from(values))?)
    }
}

/// The value as values of its parameter's type are carried. A number that does not fit is refused, never rounded:
/// `price = $1` with 1.005 must not find 1.01.
///
/// # Errors
/// 22003; 0A000 for an array of several dimensions.
pub fn carried(value: &ScalarValue, ty: &Type) -> Result<ScalarValue, PgError> {
    let own = value.data_type();
    if own == ty.arrow {
        return Ok(value.clone());
    }
    let is_nested =
        |list: &DataType| matches!(list, DataType::List(item) if matches!(item.data_type(), DataType::List(_)));
    if is_nested(&own) != is_nested(&ty.arrow) {
        return Err(PgError::not_supported("an array of several dimensions as a parameter"));
    }
    let cast = value.cast_to(&ty.arrow).map_err(|_| PgError::out_of_range(&ty.name()))?;
    let holds_digits = own.is_decimal() || matches!(own, DataType::List(_));
    if holds_digits && cast.cast_to(&own).map_or(true, |back| back != *value) {
        return Err(PgError::out_of_range(&ty.name())
            .with_detail("An element of a numeric array holds 20 digits before the decimal point and 18 after it."));
    }
    Ok(cast)
}
