//! What an aggregate keeps of its rows, as a value that a plan can carry: made by one aggregate, put together by another.
//!
//! The engine splits an aggregate in two when several cores work on it, and hands the state of each group from one half to the
//! other. Here both halves are aggregates of their own, so that there can be a join between them, or other groups.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, StructArray};
use arrow::datatypes::{DataType, FieldRef, Fields, Schema};
use datafusion::common::{DFSchema, Result, ScalarValue, internal_err};
use datafusion::logical_expr::expr::{AggregateFunction, AggregateFunctionParams};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, Expr, ExprSchemable, GroupsAccumulator, Signature, Volatility,
};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;

/// Aggregates that keep sums, whose widths are not told by their type.
const SUMS: [&str; 9] =
    ["avg", "exact_sum", "stddev", "stddev_pop", "stddev_samp", "sum", "var_pop", "var_samp", "variance"];

/// Whether what an aggregate keeps of a group's rows is of one size, however many they are.
pub fn keeps_little(name: &str, state: &[FieldRef]) -> bool {
    SUMS.contains(&name) || state.iter().all(|field| field.data_type().primitive_width().is_some())
}

/// An aggregate of some arguments, and what it keeps of their rows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Split {
    aggregate: Arc<AggregateUDF>,
    arguments: Vec<FieldRef>,
    result: FieldRef,
    state: Fields,
}

impl Split {
    /// An aggregate of rows of a schema; `None` if it keeps more than a little, or the order of rows or what else the engine is
    /// asked for matters.
    ///
    /// # Errors
    /// An argument has no type: a bug.
    pub fn of(function: &AggregateFunction, schema: &DFSchema) -> Result<Option<Self>> {
        let AggregateFunction { func: aggregate, params } = function;
        if params.distinct || !params.order_by.is_empty() || params.null_treatment.is_some() {
            return Ok(None);
        }
        let field = |argument: &Expr| Ok(argument.to_field(schema)?.1);
        let arguments = params.args.iter().map(field).collect::<Result<Vec<_>>>()?;
        let result = aggregate.return_field(&arguments)?;
        let state = state_fields(aggregate, "state", &arguments, &result)?;
        let is_little = keeps_little(aggregate.name(), &state);
        Ok(is_little.then(|| Split { aggregate: aggregate.clone(), arguments, result, state: state.into() }))
    }

    /// What is kept of rows.
    pub fn keep(&self, arguments: Vec<Expr>, filter: Option<Box<Expr>>) -> Expr {
        let function = StateOf::new(self.clone(), arguments.len());
        call(AggregateUDF::new_from_impl(function), arguments, filter)
    }

    /// The result, of what was kept.
    pub fn finish(&self, states: Expr) -> Expr {
        call(AggregateUDF::new_from_impl(OfStates::new(self.clone())), vec![states], None)
    }

    /// Makes something for the aggregate, which is told of its arguments alone.
    fn with<T>(&self, name: &str, make: impl FnOnce(&AggregateUDF, AccumulatorArgs) -> T) -> T {
        let schema = Schema::new(self.arguments.clone());
        let column = |(place, field): (usize, &FieldRef)| Arc::new(Column::new(field.name(), place)) as _;
        let exprs: Vec<Arc<dyn PhysicalExpr>> = self.arguments.iter().enumerate().map(column).collect();
        let arguments = AccumulatorArgs {
            return_field: self.result.clone(),
            schema: &schema,
            ignore_nulls: false,
            order_bys: &[],
            is_reversed: false,
            name,
            is_distinct: false,
            exprs: &exprs,
            expr_fields: &self.arguments,
        };
        make(&self.aggregate, arguments)
    }

    fn accumulator(&self, name: &str) -> Result<Box<dyn Accumulator>> {
        self.with(name, AggregateUDF::accumulator)
    }

    fn groups_accumulator(&self, name: &str) -> Result<Box<dyn GroupsAccumulator>> {
        self.with(name, AggregateUDF::create_groups_accumulator)
    }

    fn has_groups_accumulator(&self, name: &str) -> bool {
        self.with(name, AggregateUDF::groups_accumulator_supported)
    }

    fn state_fields(&self, name: &str) -> Result<Vec<FieldRef>> {
        state_fields(&self.aggregate, name, &self.arguments, &self.result)
    }

    /// The columns of states, as one.
    fn packed(&self, columns: Vec<ArrayRef>) -> Result<ArrayRef> {
        Ok(Arc::new(StructArray::try_new(self.state.clone(), columns, None)?))
    }
}

fn call(function: AggregateUDF, arguments: Vec<Expr>, filter: Option<Box<Expr>>) -> Expr {
    Expr::AggregateFunction(AggregateFunction {
        func: Arc::new(function),
        params: AggregateFunctionParams {
            args: arguments,
            distinct: false,
            filter,
            order_by: Vec::new(),
            null_treatment: None,
        },
    })
}

fn state_fields(
    aggregate: &AggregateUDF,
    name: &str,
    arguments: &[FieldRef],
    result: &FieldRef,
) -> Result<Vec<FieldRef>> {
    aggregate.state_fields(StateFieldsArgs {
        name,
        input_fields: arguments,
        return_field: result.clone(),
        ordering_fields: &[],
        is_distinct: false,
    })
}

/// The columns of states that have been packed.
fn unpacked(values: &[ArrayRef]) -> Result<&[ArrayRef]> {
    match values.first().and_then(|states| states.as_struct_opt()) {
        Some(states) if states.null_count() == 0 => Ok(states.columns()),
        _ => internal_err!("the states of an aggregate are not there"),
    }
}

/// Whether an expression is one of these halves.
pub fn is_half(expr: &Expr) -> bool {
    match expr {
        Expr::AggregateFunction(function) => {
            let function = function.func.inner();
            function.is::<StateOf>() || function.is::<OfStates>()
        }
        Expr::Alias(alias) => is_half(&alias.expr),
        _ => false,
    }
}

/// Whether an aggregate makes results of what another has kept.
pub fn is_finish(aggregate: &AggregateUDF) -> bool {
    aggregate.inner().is::<OfStates>()
}

/// Answers what another aggregate keeps of its rows.
#[derive(Debug, PartialEq, Eq, Hash)]
struct StateOf {
    split: Split,
    name: String,
    signature: Signature,
}

/// Answers the result of another aggregate, of what it has kept.
#[derive(Debug, PartialEq, Eq, Hash)]
struct OfStates {
    split: Split,
    signature: Signature,
}

impl StateOf {
    fn new(split: Split, width: usize) -> Self {
        let signature = match width {
            0 => Signature::nullary(Volatility::Immutable),
            _ => Signature::any(width, Volatility::Immutable),
        };
        StateOf { name: format!("partial {}", split.aggregate.name()), split, signature }
    }
}

impl OfStates {
    fn new(split: Split) -> Self {
        OfStates { split, signature: Signature::any(1, Volatility::Immutable) }
    }
}

impl AggregateUDFImpl for StateOf {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Struct(self.split.state.clone()))
    }

    fn is_nullable(&self) -> bool {
        false
    }

    fn accumulator(&self, arguments: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(KeptRows { split: self.split.clone(), inner: self.split.accumulator(arguments.name)? }))
    }

    fn state_fields(&self, arguments: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        self.split.state_fields(arguments.name)
    }

    fn groups_accumulator_supported(&self, arguments: AccumulatorArgs) -> bool {
        self.split.has_groups_accumulator(arguments.name)
    }

    fn create_groups_accumulator(&self, arguments: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(KeptGroups { split: self.split.clone(), inner: self.split.groups_accumulator(arguments.name)? }))
    }
}

impl AggregateUDFImpl for OfStates {
    fn name(&self) -> &str {
        self.split.aggregate.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(self.split.result.data_type().clone())
    }

    fn return_field(&self, _arguments: &[FieldRef]) -> Result<FieldRef> {
        Ok(self.split.result.clone())
    }

    fn is_nullable(&self) -> bool {
        self.split.aggregate.is_nullable()
    }

    fn accumulator(&self, arguments: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(FinishedRows(self.split.accumulator(arguments.name)?)))
    }

    fn state_fields(&self, arguments: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        self.split.state_fields(arguments.name)
    }

    fn groups_accumulator_supported(&self, arguments: AccumulatorArgs) -> bool {
        self.split.has_groups_accumulator(arguments.name)
    }

    fn create_groups_accumulator(&self, arguments: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(FinishedGroups(self.split.groups_accumulator(arguments.name)?)))
    }

    fn default_value(&self, data_type: &DataType) -> Result<ScalarValue> {
        self.split.aggregate.default_value(data_type)
    }
}

/// Keeps one group's rows, and answers what it has kept.
#[derive(Debug)]
struct KeptRows {
    split: Split,
    inner: Box<dyn Accumulator>,
}

impl Accumulator for KeptRows {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.inner.update_batch(values)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let state = self.inner.state()?;
        let columns = state.iter().map(ScalarValue::to_array).collect::<Result<_>>()?;
        ScalarValue::try_from_array(&self.split.packed(columns)?, 0)
    }

    fn size(&self) -> usize {
        self.inner.size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.inner.state()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.inner.merge_batch(states)
    }
}

/// The same of all groups.
struct KeptGroups {
    split: Split,
    inner: Box<dyn GroupsAccumulator>,
}

impl GroupsAccumulator for KeptGroups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.inner.update_batch(values, group_indices, opt_filter, total_num_groups)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        self.split.packed(self.inner.state(emit_to)?)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        self.inner.state(emit_to)
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.inner.merge_batch(values, group_indices, total_num_groups)
    }

    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        self.inner.convert_to_state(values, opt_filter)
    }

    fn size(&self) -> usize {
        self.inner.size()
    }
}

/// Puts together what was kept of one group's rows.
#[derive(Debug)]
struct FinishedRows(Box<dyn Accumulator>);

impl Accumulator for FinishedRows {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0.merge_batch(unpacked(values)?)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.0.evaluate()
    }

    fn size(&self) -> usize {
        self.0.size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.0.state()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.0.merge_batch(states)
    }
}

/// The same of all groups.
struct FinishedGroups(Box<dyn GroupsAccumulator>);

impl GroupsAccumulator for FinishedGroups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        match opt_filter {
            None => self.0.merge_batch(unpacked(values)?, group_indices, total_num_groups),
            Some(_) => internal_err!("states of an aggregate are filtered"),
        }
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        self.0.evaluate(emit_to)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        self.0.state(emit_to)
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.0.merge_batch(values, group_indices, total_num_groups)
    }

    fn convert_to_state(&self, values: &[ArrayRef], _filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        Ok(unpacked(values)?.to_vec())
    }

    fn size(&self) -> usize {
        self.0.size()
    }
}
