//! Queries → logical plans, and logical plans → what can be executed.

use std::sync::Arc;

use arrow::datatypes::{DataType, Schema, SchemaRef};
use catalog::{CatalogSnapshot, HotTable};
use datafusion::common::{ParamValues, ScalarValue};
use datafusion::logical_expr::LogicalPlan;
use pg::sqlstate::SqlState;
use pg::types::{UNKNOWN, with_origin};
use pg::user_types::base_type;
use pg::{PgError, Type};
use sqlparser::ast;

use crate::analyze::modify::Target;
use crate::analyze::{Analyzed, Analyzer, Origin, OutputColumn};
use crate::apply::with_parameters;
use crate::error::Result;
use crate::parse::statement::{Insert, Modify};
use crate::plan::PlanContext;
use crate::plan::conflict::ConflictPlan;
use crate::plan::rebind::with_rows_of;
use crate::plan::short::{ShortQuery, ShortRows};

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
    /// The short way, if the query has one.
    pub short: Option<Arc<ShortQuery>>,
    /// Of an INSERT … ON CONFLICT.
    pub on_conflict: Option<ConflictPlan>,
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
    let planned = planned(context, analyzed, analyzer.into_parameters());
    let short = planned.as_short_query().map(Arc::new);
    Ok(Planned { short, ..planned })
}

/// Plans the query of CREATE TABLE AS, whose columns become those of a table: domains stay domains.
///
/// # Errors
/// As for [`plan_query`]; 42P16 or 0A000 for a column that no table can have.
pub fn plan_table_source(
    context: &PlanContext,
    query: &ast::Query,
    text: &str,
    parameters: Vec<Option<Type>>,
) -> Result<Planned> {
    let mut analyzer = Analyzer::new(context, text, parameters);
    let analyzed = analyzer.table_source(query)?;
    let fields: Vec<_> = analyzed.columns.iter().map(|column| column.ty.field(&column.name)).collect();
    let schema = Arc::new(Schema::new(fields));
    Ok(Planned { schema, ..planned(context, analyzed, analyzer.into_parameters()) })
}

/// Plans the rows of an INSERT into these columns of a table, see [`Analyzer::insert`].
///
/// # Errors
/// As for [`plan_query`]; 42804 for a column that cannot be assigned.
pub fn plan_insert(
    context: &PlanContext,
    insert: &Insert,
    text: &str,
    parameters: Vec<Option<Type>>,
    table: &HotTable,
    places: &[usize],
) -> Result<Planned> {
    let mut analyzer = Analyzer::new(context, text, parameters);
    let analyzed = analyzer.insert(insert, table, places)?;
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
    let field = |column: &OutputColumn| {
        let field = base_type(&column.ty).field(&column.name);
        match column.origin {
            Some(Origin { relation, number }) => with_origin(field, relation.0, number),
            None => field,
        }
    };
    let fields: Vec<_> = analyzed.columns.iter().map(field).collect();
    Planned {
        plan: analyzed.plan,
        schema: Arc::new(Schema::new(fields)),
        parameters,
        search_path: context.search_path().to_vec(),
        snapshot: context.snapshot().clone(),
        short: None,
        on_conflict: None,
    }
}

impl Planned {
    fn as_short_query(&self) -> Option<ShortQuery> {
        Some(ShortQuery {
            rows: ShortRows::of(&self.plan, &self.schema, &self.parameters)?,
            schema: self.schema.clone(),
            parameter_types: self.parameter_oids(&[]).ok()?,
            search_path: self.search_path.clone(),
            definitions: self.snapshot.seen_definitions(),
        })
    }

    /// The same over the rows of another snapshot with the same definitions.
    ///
    /// # Errors
    /// None of its own.
    pub fn over(&self, snapshot: Arc<CatalogSnapshot>) -> Result<Self> {
        let plan = with_rows_of(self.plan.clone(), &snapshot)?;
        let on_conflict = self.on_conflict.as_ref().map(|conflicts| conflicts.over(&snapshot)).transpose()?;
        Ok(Planned { plan, on_conflict, snapshot, ..self.clone() })
    }

    /// OIDs of the parameters' types: those that the client declared, then those that the query tells.
    ///
    /// # Errors
    /// 42P18 for a parameter that the query does not read.
    pub fn parameter_oids(&self, declared: &[u32]) -> Result<Vec<u32>> {
        let count = self.parameters.len().max(declared.len());
        let oid = |number: usize| match declared.get(number) {
            Some(oid) if *oid != 0 && *oid != UNKNOWN => Ok(*oid),
            _ => self.parameters.get(number).and_then(Option::as_ref).map(|ty| ty.oid).ok_or_else(|| {
                let message = format!("could not determine data type of parameter ${}", number + 1);
                PgError::new(SqlState::INDETERMINATE_DATATYPE, message).into()
            }),
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
        self.bound(&self.plan, values)
    }

    /// Another plan of the same statement with values in place of its parameters.
    ///
    /// # Errors
    /// As for [`Planned::bind`].
    pub fn bound(&self, plan: &LogicalPlan, values: &[ScalarValue]) -> Result<LogicalPlan> {
        if values.is_empty() {
            return Ok(plan.clone());
        }
        let values = values.iter().enumerate().map(|(number, value)| match self.parameters.get(number) {
            Some(Some(ty)) => Ok(carried(value, ty)?),
            _ => Ok(value.clone()),
        });
        let values: Vec<_> = values.collect::<Result<_>>()?;
        Ok(with_parameters(plan.clone(), &ParamValues::from(values))?)
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
