//! The node of a logical plan.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::datatypes::FieldRef;
use datafusion::common::metadata::FieldMetadata;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, DFSchemaRef, ParamValues, Result, ScalarValue, TableReference};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::expr::{Exists, InSubquery};
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNodeCore};
use pg::PgError;
use pg::sqlstate::SqlState;

use super::constants::with_plain_constants;
use crate::spool::bound_spools;

/// What becomes of the subquery's rows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ApplyKind {
    /// One value: of no row NULL, of several an error. The column is called so.
    Scalar(FieldRef),
    /// Whether there is one, or is none.
    Exists {
        /// The column.
        field: FieldRef,
        /// `NOT EXISTS`
        negated: bool,
    },
    /// Each outer row with each of its rows; an outer row without rows is kept when `outer`.
    Lateral {
        /// `LEFT JOIN LATERAL`
        outer: bool,
    },
}

impl ApplyKind {
    /// Whether an outer row without rows is kept, and whether it is wrong that it has several.
    pub(super) fn shape(&self) -> (bool, bool) {
        match self {
            ApplyKind::Scalar(_) => (true, true),
            ApplyKind::Exists { .. } => (true, false),
            ApplyKind::Lateral { outer } => (*outer, false),
        }
    }
}

/// The rows of the input, each with what a subquery that reads it answers.
#[derive(Debug, Clone)]
pub struct Apply {
    input: Arc<LogicalPlan>,
    /// The subquery; the columns of the input are outer references in it.
    subquery: Arc<LogicalPlan>,
    /// The outer columns it reads, and their values over the input.
    bindings: Vec<(Column, Expr)>,
    /// Where the subquery's value is needed; elsewhere it is NULL.
    guard: Option<Expr>,
    kind: ApplyKind,
    schema: DFSchemaRef,
}

impl Apply {
    /// For each row of `input`, or each for which the guard holds, the subquery.
    ///
    /// # Errors
    /// Two columns would have the same name.
    pub fn plan(
        input: LogicalPlan,
        subquery: LogicalPlan,
        kind: ApplyKind,
        guard: Option<Expr>,
    ) -> Result<LogicalPlan> {
        let known = |column: &Column| input.schema().has_column(column);
        let bindings: Vec<_> = outer_columns(&subquery)?
            .into_iter()
            .filter(known)
            .map(|column| (column.clone(), Expr::Column(column)))
            .collect();
        let node = Apply::over(Arc::new(input), Arc::new(subquery), bindings, guard, kind)?;
        Ok(LogicalPlan::Extension(Extension { node: Arc::new(node) }))
    }

    fn over(
        input: Arc<LogicalPlan>,
        subquery: Arc<LogicalPlan>,
        bindings: Vec<(Column, Expr)>,
        guard: Option<Expr>,
        kind: ApplyKind,
    ) -> Result<Self> {
        let mut fields: Vec<(Option<TableReference>, FieldRef)> =
            input.schema().iter().map(|(qualifier, field)| (qualifier.cloned(), field.clone())).collect();
        match &kind {
            ApplyKind::Scalar(field) | ApplyKind::Exists { field, .. } => fields.push((None, field.clone())),
            ApplyKind::Lateral { .. } => {
                fields.extend(subquery.schema().iter().map(|(qualifier, field)| {
                    (qualifier.cloned(), Arc::new(field.as_ref().clone().with_nullable(true)))
                }))
            }
        }
        let schema = Arc::new(DFSchema::new_with_metadata(fields, input.schema().metadata().clone())?);
        Ok(Apply { input, subquery, bindings, guard, kind, schema })
    }

    /// The subquery.
    pub fn subquery(&self) -> &Arc<LogicalPlan> {
        &self.subquery
    }

    /// The outer columns that the subquery reads, and their values over the input.
    pub fn bindings(&self) -> &[(Column, Expr)] {
        &self.bindings
    }

    /// Where the subquery's value is needed; everywhere when nothing says otherwise.
    pub fn guard(&self) -> Option<&Expr> {
        self.guard.as_ref()
    }

    /// What becomes of the subquery's rows.
    pub fn kind(&self) -> &ApplyKind {
        &self.kind
    }

    /// The same over another form of its subquery.
    ///
    /// # Errors
    /// Those of `change`.
    pub fn map_subquery(&self, change: impl FnOnce(LogicalPlan) -> Result<LogicalPlan>) -> Result<LogicalPlan> {
        let subquery = Arc::new(change(self.subquery.as_ref().clone())?);
        Ok(LogicalPlan::Extension(Extension { node: Arc::new(Apply { subquery, ..self.clone() }) }))
    }

    /// The same with values for columns of queries further out.
    fn with_outer_values(&self, values: &[(Column, ScalarValue)]) -> Result<Self> {
        let subquery = with_values(self.subquery.as_ref().clone(), values)?;
        Ok(Apply { subquery: Arc::new(subquery), ..self.clone() })
    }
}

impl PartialEq for Apply {
    fn eq(&self, other: &Self) -> bool {
        self.input == other.input
            && self.subquery == other.subquery
            && self.bindings == other.bindings
            && self.guard == other.guard
            && self.kind == other.kind
    }
}

impl Eq for Apply {}

impl Hash for Apply {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.input.hash(state);
        self.subquery.hash(state);
        self.bindings.hash(state);
        self.guard.hash(state);
        self.kind.hash(state);
    }
}

impl PartialOrd for Apply {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self == other).then_some(Ordering::Equal)
    }
}

impl UserDefinedLogicalNodeCore for Apply {
    fn name(&self) -> &str {
        "Apply"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        self.bindings.iter().map(|(_, value)| value).chain(&self.guard).cloned().collect()
    }

    fn prevent_predicate_push_down_columns(&self) -> std::collections::HashSet<String> {
        let own = &self.schema.fields()[self.input.schema().fields().len()..];
        own.iter().map(|field| field.name().clone()).collect()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns: Vec<_> = self.bindings.iter().map(|(column, _)| column.to_string()).collect();
        write!(f, "Apply: for each ({})", columns.join(", "))
    }

    fn with_exprs_and_inputs(&self, exprs: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        let mut exprs = exprs.into_iter();
        let values = self.bindings.iter().zip(exprs.by_ref());
        let bindings = values.map(|((column, _), value)| (column.clone(), value)).collect();
        let guard = if self.guard.is_some() { exprs.next() } else { None };
        let input = inputs.into_iter().next();
        let input = input.ok_or_else(|| DataFusionError::from(PgError::internal("an Apply has an input")))?;
        Apply::over(Arc::new(input), self.subquery.clone(), bindings, guard, self.kind.clone())
    }
}

/// The columns of outer queries that a plan reads, also inside its own subqueries and applies: not those that its subqueries
/// read of the plan itself.
///
/// # Errors
/// None of its own.
pub fn outer_columns(plan: &LogicalPlan) -> Result<Vec<Column>> {
    let mut found = Vec::new();
    let mut add = |column: Column| {
        if !found.contains(&column) {
            found.push(column);
        }
    };
    plan.apply(|node| {
        let inputs = node.inputs();
        let is_own = |column: &Column| inputs.iter().any(|input| input.schema().has_column(column));
        node.apply_expressions(|expr| {
            expr.apply(|expr| {
                match expr {
                    Expr::OuterReferenceColumn(_, column) => add(column.clone()),
                    Expr::ScalarSubquery(subquery)
                    | Expr::Exists(Exists { subquery, .. })
                    | Expr::InSubquery(InSubquery { subquery, .. }) => {
                        outer_columns(&subquery.subquery)?.into_iter().filter(|it| !is_own(it)).for_each(&mut add);
                    }
                    _ => {}
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })?;
        if let LogicalPlan::Extension(extension) = node
            && let Some(apply) = extension.node.as_any().downcast_ref::<Apply>()
        {
            let is_bound = |column: &Column| apply.bindings.iter().any(|(bound, _)| bound == column);
            outer_columns(&apply.subquery)?.into_iter().filter(|it| !is_bound(it)).for_each(&mut add);
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(found)
}

/// The plan with values in place of its parameters, also in the subqueries that it applies.
///
/// # Errors
/// A value does not fit where its parameter stands; 2201W and 2201X for a negative number of rows.
pub fn with_parameters(plan: LogicalPlan, values: &ParamValues) -> Result<LogicalPlan> {
    let rewritten = plan.with_param_values(values.clone())?.transform_up_with_subqueries(|node| {
        if let LogicalPlan::Limit(limit) = &node {
            check_count(limit.skip.as_deref(), SqlState::INVALID_ROW_COUNT_IN_RESULT_OFFSET_CLAUSE, "OFFSET")?;
            check_count(limit.fetch.as_deref(), SqlState::INVALID_ROW_COUNT_IN_LIMIT_CLAUSE, "LIMIT")?;
        }
        let LogicalPlan::Extension(extension) = &node else { return Ok(Transformed::no(node)) };
        let Some(apply) = extension.node.as_any().downcast_ref::<Apply>() else { return Ok(Transformed::no(node)) };
        Ok(Transformed::yes(apply.map_subquery(|subquery| with_parameters(subquery, values))?))
    })?;
    Ok(rewritten.data)
}

fn check_count(count: Option<&Expr>, sqlstate: SqlState, clause: &str) -> Result<(), PgError> {
    match count {
        Some(Expr::Literal(ScalarValue::Int64(Some(count)), _)) if *count < 0 => {
            Err(PgError::new(sqlstate, format!("{clause} must not be negative")))
        }
        _ => Ok(()),
    }
}

/// The plan with constants in place of columns of an outer query.
///
/// # Errors
/// A node does not take the constants.
pub fn with_values(plan: LogicalPlan, values: &[(Column, ScalarValue)]) -> Result<LogicalPlan> {
    let plan = bound_spools(plan, values)?;
    let rewritten = plan.transform_up_with_subqueries(|node| {
        let node = node.map_expressions(|expr| {
            let bound = expr.transform(|expr| {
                let Expr::OuterReferenceColumn(field, column) = &expr else { return Ok(Transformed::no(expr)) };
                match values.iter().find(|(known, _)| known == column) {
                    Some((_, value)) => {
                        let metadata = Some(FieldMetadata::new_from_field(field));
                        Ok(Transformed::yes(Expr::Literal(value.clone(), metadata)))
                    }
                    None => Ok(Transformed::no(expr)),
                }
            })?;
            if bound.transformed { bound.transform_data(with_plain_constants) } else { Ok(bound) }
        })?;
        let node = node.transform_data(|node| {
            let LogicalPlan::Extension(extension) = &node else { return Ok(Transformed::no(node)) };
            match extension.node.as_any().downcast_ref::<Apply>() {
                Some(apply) => {
                    let apply = apply.with_outer_values(values)?;
                    Ok(Transformed::yes(LogicalPlan::Extension(Extension { node: Arc::new(apply) })))
                }
                None => Ok(Transformed::no(node)),
            }
        })?;
        Ok(node)
    })?;
    // Subqueries remember what they read from outside.
    let refreshed = rewritten.data.transform_up_with_subqueries(|node| {
        node.map_expressions(|expr| {
            expr.transform(|expr| {
                Ok(match expr {
                    Expr::ScalarSubquery(mut subquery) => {
                        subquery.outer_ref_columns = subquery.subquery.all_out_ref_exprs();
                        Transformed::yes(Expr::ScalarSubquery(subquery))
                    }
                    Expr::Exists(mut exists) => {
                        exists.subquery.outer_ref_columns = exists.subquery.subquery.all_out_ref_exprs();
                        Transformed::yes(Expr::Exists(exists))
                    }
                    Expr::InSubquery(mut found) => {
                        found.subquery.outer_ref_columns = found.subquery.subquery.all_out_ref_exprs();
                        Transformed::yes(Expr::InSubquery(found))
                    }
                    other => Transformed::no(other),
                })
            })
        })
    })?;
    Ok(refreshed.data)
}
