//! The node of a logical plan.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::datatypes::{Field, FieldRef};
use datafusion::common::{DFSchema, DFSchemaRef, Result, TableReference};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{Expr, Filter, LogicalPlan, UserDefinedLogicalNodeCore};
use pg::function::SetFunction;
use pg::{PgError, Type};

/// A column with the relation that it is named by.
pub type QualifiedField = (Option<TableReference>, FieldRef);

/// A call of a function that returns a set.
#[derive(Debug, Clone)]
pub struct SetReturning {
    /// The function.
    pub function: &'static SetFunction,
    /// Its arguments over the columns of the input, cast to the types that it asked for.
    pub arguments: Vec<Expr>,
    /// The types of the arguments.
    pub types: Vec<Type>,
    /// The columns of its rows, as [`SetFunction::columns`] says, by the names that they have in the query.
    pub columns: Vec<QualifiedField>,
}

impl PartialEq for SetReturning {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.function, other.function)
            && self.arguments == other.arguments
            && self.types == other.types
            && self.columns == other.columns
    }
}

impl Eq for SetReturning {}

impl Hash for SetReturning {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.name.hash(state);
        self.arguments.hash(state);
        self.types.hash(state);
        self.columns.hash(state);
    }
}

/// Each row of the input as often as the functions return a row for it, with the functions' columns behind its own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ProjectSet {
    input: Arc<LogicalPlan>,
    calls: Vec<SetReturning>,
    /// The column that numbers the rows of each input row from 1: `WITH ORDINALITY`. It comes last.
    ordinality: Option<QualifiedField>,
    /// Whether an input row without rows is kept, with NULLs: `LEFT JOIN LATERAL … ON true`.
    outer: bool,
    /// Conditions on the rows that come out: see [`ProjectSet::take_back_volatile`].
    conditions: Vec<Expr>,
    schema: DFSchemaRef,
}

impl ProjectSet {
    /// Over the rows of `input`, in an order that stays.
    ///
    /// # Errors
    /// Two columns would have the same name.
    pub fn try_new(
        input: LogicalPlan,
        calls: Vec<SetReturning>,
        ordinality: Option<QualifiedField>,
        outer: bool,
    ) -> Result<Self> {
        let mut fields: Vec<QualifiedField> =
            input.schema().iter().map(|(qualifier, field)| (qualifier.cloned(), field.clone())).collect();
        fields.extend(calls.iter().flat_map(|call| call.columns.iter().cloned()));
        fields.extend(ordinality.clone());
        let metadata = input.schema().metadata().clone();
        let schema = Arc::new(DFSchema::new_with_metadata(fields, metadata)?);
        Ok(ProjectSet { input: Arc::new(input), calls, ordinality, outer, conditions: Vec::new(), schema })
    }

    /// The column `ordinality` by this name.
    pub fn ordinality_field(qualifier: Option<TableReference>, name: &str) -> QualifiedField {
        (qualifier, Arc::new(Type::of(pg::types::INT8).field(name)))
    }

    /// The calls.
    pub fn calls(&self) -> &[SetReturning] {
        &self.calls
    }

    /// Whether the rows are numbered.
    pub fn has_ordinality(&self) -> bool {
        self.ordinality.is_some()
    }

    /// Whether an input row without rows is kept.
    pub fn is_outer(&self) -> bool {
        self.outer
    }

    /// What must hold for a row that comes out.
    pub fn conditions(&self) -> &[Expr] {
        &self.conditions
    }

    /// The optimiser has put a filter between this node and its input. A volatile condition in it was meant for each row
    /// that comes out (`FROM generate_series(1, 100) WHERE random() < 0.5`), not for each row that goes in: such conditions
    /// are taken out of the filter and kept here.
    fn take_back_volatile(&self, input: LogicalPlan, conditions: &mut Vec<Expr>) -> Result<LogicalPlan> {
        match input {
            LogicalPlan::Filter(filter) if filter.predicate.is_volatile() && filter.input == self.input => {
                let all = split_conjunction_owned(filter.predicate);
                let (volatile, others): (Vec<_>, Vec<_>) = all.into_iter().partition(Expr::is_volatile);
                conditions.extend(volatile);
                Ok(match conjunction(others) {
                    Some(predicate) => LogicalPlan::Filter(Filter::try_new(predicate, filter.input)?),
                    None => Arc::unwrap_or_clone(filter.input),
                })
            }
            other => Ok(other),
        }
    }

    fn own_fields(&self) -> impl Iterator<Item = &Field> {
        let columns = self.calls.iter().flat_map(|call| call.columns.iter());
        columns.chain(&self.ordinality).map(|(_, field)| field.as_ref())
    }
}

impl PartialOrd for ProjectSet {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self == other).then_some(Ordering::Equal)
    }
}

impl UserDefinedLogicalNodeCore for ProjectSet {
    fn name(&self) -> &str {
        "ProjectSet"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        let arguments = self.calls.iter().flat_map(|call| &call.arguments);
        arguments.chain(&self.conditions).cloned().collect()
    }

    /// A condition on the input's columns alone holds for all rows of an input row or for none.
    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        self.own_fields().map(|field| field.name().clone()).collect()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProjectSet: ")?;
        for (position, call) in self.calls.iter().enumerate() {
            let arguments: Vec<_> = call.arguments.iter().map(ToString::to_string).collect();
            let comma = if position > 0 { ", " } else { "" };
            write!(f, "{comma}{}({})", call.function.name, arguments.join(", "))?;
        }
        if self.has_ordinality() {
            write!(f, " WITH ORDINALITY")?;
        }
        if self.outer {
            write!(f, " outer")?;
        }
        for condition in &self.conditions {
            write!(f, ", condition={condition}")?;
        }
        Ok(())
    }

    fn with_exprs_and_inputs(&self, exprs: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        let mut exprs = exprs.into_iter();
        let calls = self.calls.iter().map(|call| {
            let arguments = exprs.by_ref().take(call.arguments.len()).collect();
            SetReturning { arguments, ..call.clone() }
        });
        let calls = calls.collect();
        let mut conditions = exprs.collect();
        let input = inputs.into_iter().next();
        let input = input.ok_or_else(|| DataFusionError::from(PgError::internal("a ProjectSet has an input")))?;
        let input = self.take_back_volatile(input, &mut conditions)?;
        let node = ProjectSet::try_new(input, calls, self.ordinality.clone(), self.outer)?;
        Ok(ProjectSet { conditions, ..node })
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        let width = self.input.schema().fields().len();
        let mut needed: BTreeSet<usize> = output_columns.iter().copied().filter(|column| *column < width).collect();
        for column in self.expressions().iter().flat_map(Expr::column_refs) {
            needed.extend(self.input.schema().maybe_index_of_column(column));
        }
        Some(vec![needed.into_iter().collect()])
    }
}

/// The types of a call's columns.
pub(super) fn column_types(call: &SetReturning) -> Vec<Type> {
    call.columns.iter().map(|(_, field)| Type::of_field(field)).collect()
}
