//! An aggregate with the types it was resolved for, as the engine calls it.
//!
//! `DISTINCT` and `ORDER BY` are the aggregate's own business here, as they are in PostgreSQL: the engine is told of
//! neither, except for a plain `DISTINCT` of one argument, which it can plan as a grouping. What an aggregate is ordered
//! by comes as further arguments.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, new_empty_array};
use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion_common::{Result as EngineResult, ScalarValue};
use datafusion_expr::expr::{AggregateFunction, NullTreatment};
use datafusion_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion_expr::utils::AggregateOrderSensitivity;
use datafusion_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Expr, GroupsAccumulator, SetMonotonicity, Signature, StatisticsArgs,
    TypeSignature, Volatility,
};

use super::collect::Collected;
use super::recompute::Recomputed;
use super::state::{Accumulators, State, accumulators};
use crate::error::Result;
use crate::expression_type::{Type, list_of};
use crate::function::{AggregateCall, in_flight};

/// What an aggregate's rows are ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct SortKey {
    /// The argument.
    pub column: usize,
    /// Direction, and where NULLs are.
    pub options: SortOptions,
}

/// What the accumulators of an aggregate are told.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Shape {
    /// The types of the arguments; further arguments are sort keys only.
    pub types: Vec<Type>,
    /// The type of the result.
    pub result: Type,
    /// What the rows are ordered by.
    pub keys: Vec<SortKey>,
    /// Whether equal rows count once.
    pub distinct: bool,
}

/// The result from the columns of all rows, in order.
pub(super) type Finish = fn(&Shape, &[ArrayRef]) -> Result<ScalarValue>;

/// How the results are computed.
#[derive(Debug, Clone)]
pub(super) enum Gather {
    /// From a small state of each group.
    State(Accumulators),
    /// From all rows of the group at once.
    Collect(Finish),
    /// By the engine's aggregate.
    Engine(Arc<AggregateUDF>),
}

/// An aggregate with the types it was resolved for.
#[derive(Debug)]
pub struct BoundAggregate {
    /// The name in plans, which names columns too: it must tell apart whatever computes differently.
    name: String,
    shape: Shape,
    gather: Gather,
    signature: Signature,
}

/// Whether the engine's equality of values of a type is PostgreSQL's.
pub(super) fn has_engine_equality(ty: &Type) -> bool {
    !ty.carries_blanks()
        && !matches!(ty.arrow, DataType::Interval(_) | DataType::Struct(_) | DataType::List(_) | DataType::Null)
}

/// An aggregate that gathers a state. The order of its rows does not matter.
pub(super) fn unordered<S: State>(name: &str, call: AggregateCall) -> Result<Expr> {
    let call = AggregateCall { order_by: Vec::new(), ..call };
    let by_engine = call.distinct && call.arguments.len() == 1 && call.types.first().is_some_and(has_engine_equality);
    if by_engine {
        let call = AggregateCall { distinct: false, ..call };
        return node(name, Gather::State(accumulators::<S>()), call, Request { distinct: true, ..Request::PLAIN });
    }
    node(name, Gather::State(accumulators::<S>()), call, Request::PLAIN)
}

/// An aggregate that gathers a state. The order of its rows matters.
pub(super) fn ordered<S: State>(name: &str, call: AggregateCall) -> Result<Expr> {
    node(name, Gather::State(accumulators::<S>()), call, Request::PLAIN)
}

/// An aggregate that looks at all rows at once.
pub(super) fn collected(name: &str, finish: Finish, call: AggregateCall) -> Result<Expr> {
    node(name, Gather::Collect(finish), call, Request::PLAIN)
}

/// An aggregate of the engine's, which is handed `DISTINCT` too.
pub(super) fn engine(aggregate: Arc<AggregateUDF>, call: AggregateCall) -> Result<Expr> {
    let request = Request { distinct: call.distinct, ..Request::PLAIN };
    let call = AggregateCall { distinct: false, order_by: Vec::new(), ..call };
    let name = aggregate.name().to_owned();
    node(&name, Gather::Engine(aggregate), call, request)
}

/// As [`engine`], but NULLs are not among the rows.
pub(super) fn engine_ignoring_nulls(name: &str, aggregate: Arc<AggregateUDF>, call: AggregateCall) -> Result<Expr> {
    let call = AggregateCall { distinct: false, order_by: Vec::new(), ..call };
    let request = Request { null_treatment: Some(NullTreatment::IgnoreNulls), ..Request::PLAIN };
    node(name, Gather::Engine(aggregate), call, request)
}

/// What the engine is asked for besides the aggregate.
struct Request {
    distinct: bool,
    null_treatment: Option<NullTreatment>,
}

impl Request {
    const PLAIN: Request = Request { distinct: false, null_treatment: None };
}

fn node(name: &str, gather: Gather, call: AggregateCall, request: Request) -> Result<Expr> {
    let AggregateCall { mut arguments, types, result, distinct, filter, order_by } = call;
    let mut keys = Vec::with_capacity(order_by.len());
    for sort in order_by {
        let known = arguments.iter().position(|argument| *argument == sort.expr);
        let column = known.unwrap_or_else(|| {
            arguments.push(sort.expr);
            arguments.len() - 1
        });
        keys.push(SortKey { column, options: SortOptions { descending: !sort.asc, nulls_first: sort.nulls_first } });
    }
    let shape = Shape { types, result, keys, distinct };
    let aggregate = BoundAggregate::new(name, shape, gather, arguments.len());
    let aggregate = Arc::new(AggregateUDF::new_from_impl(aggregate));
    let Request { distinct, null_treatment } = request;
    let function = AggregateFunction::new_udf(aggregate, arguments, distinct, filter, Vec::new(), null_treatment);
    Ok(Expr::AggregateFunction(function))
}

impl BoundAggregate {
    fn new(name: &str, shape: Shape, gather: Gather, width: usize) -> Self {
        let mut name = name.to_owned();
        if shape.distinct {
            name.push_str(" distinct");
        }
        for key in &shape.keys {
            let direction = if key.options.descending { "desc" } else { "asc" };
            let nulls = if key.options.nulls_first { "nulls first" } else { "nulls last" };
            name.push_str(&format!(" by {} {direction} {nulls}", key.column + 1));
        }
        let arity = if width == 0 { TypeSignature::Nullary } else { TypeSignature::Any(width) };
        BoundAggregate { name, shape, gather, signature: Signature::new(arity, Volatility::Immutable) }
    }

    /// The type of its results.
    pub fn result(&self) -> &Type {
        &self.shape.result
    }

    fn engine(&self) -> Option<&Arc<AggregateUDF>> {
        match &self.gather {
            Gather::Engine(aggregate) => Some(aggregate),
            _ => None,
        }
    }

    /// What it is told when the engine asks for distinct rows, too.
    fn shape(&self, distinct: bool) -> Shape {
        let mut shape = self.shape.clone();
        shape.distinct |= distinct;
        shape
    }

    /// Whether a state of each group is all that is kept.
    fn is_streaming(&self, distinct: bool) -> bool {
        matches!(self.gather, Gather::State(_)) && !distinct && !self.shape.distinct && self.shape.keys.is_empty()
    }
}

impl PartialEq for BoundAggregate {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.shape == other.shape
    }
}

impl Eq for BoundAggregate {}

impl Hash for BoundAggregate {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
        self.shape.hash(state);
    }
}

impl AggregateUDFImpl for BoundAggregate {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> EngineResult<DataType> {
        Ok(self.shape.result.arrow.clone())
    }

    fn return_field(&self, _arguments: &[FieldRef]) -> EngineResult<FieldRef> {
        Ok(Arc::new(self.shape.result.field(&self.name).with_nullable(self.is_nullable())))
    }

    fn is_nullable(&self) -> bool {
        self.engine().is_none_or(|engine| engine.is_nullable())
    }

    fn accumulator(&self, arguments: AccumulatorArgs) -> EngineResult<Box<dyn Accumulator>> {
        if let Some(engine) = self.engine() {
            return engine.accumulator(arguments);
        }
        Ok(rows(&self.gather, self.shape(arguments.is_distinct), carried(arguments.expr_fields)?))
    }

    fn state_fields(&self, arguments: StateFieldsArgs) -> EngineResult<Vec<FieldRef>> {
        if let Some(engine) = self.engine() {
            return engine.state_fields(arguments);
        }
        let name = |part: &str| format!("{}[{part}]", arguments.name);
        if self.is_streaming(arguments.is_distinct) {
            return Ok(vec![Arc::new(Field::new(name("state"), DataType::LargeBinary, true))]);
        }
        let columns = carried(arguments.input_fields)?.into_iter().enumerate();
        let field = |(position, ty): (usize, DataType)| Field::new(name(&position.to_string()), list_of(ty), true);
        Ok(columns.map(|column| Arc::new(field(column))).collect())
    }

    fn groups_accumulator_supported(&self, arguments: AccumulatorArgs) -> bool {
        match self.engine() {
            Some(engine) => engine.groups_accumulator_supported(arguments),
            None => self.is_streaming(arguments.is_distinct),
        }
    }

    fn create_groups_accumulator(&self, arguments: AccumulatorArgs) -> EngineResult<Box<dyn GroupsAccumulator>> {
        match &self.gather {
            Gather::Engine(engine) => engine.create_groups_accumulator(arguments),
            Gather::State(state) => Ok((state.groups)(self.shape.clone())),
            Gather::Collect(_) => datafusion_common::internal_err!("{} has no accumulator of groups", self.name),
        }
    }

    fn create_sliding_accumulator(&self, arguments: AccumulatorArgs) -> EngineResult<Box<dyn Accumulator>> {
        if let Some(engine) = self.engine() {
            return engine.create_sliding_accumulator(arguments);
        }
        let removable = matches!(&self.gather, Gather::State(state) if state.removable);
        let (gather, shape) = (self.gather.clone(), self.shape(arguments.is_distinct));
        let columns = carried(arguments.expr_fields)?;
        if removable && self.is_streaming(arguments.is_distinct) {
            return Ok(rows(&gather, shape, columns));
        }
        Ok(Box::new(Recomputed::new(Box::new(move || rows(&gather, shape.clone(), columns.clone())))))
    }

    /// Whatever order is needed is made by the accumulator.
    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn is_descending(&self) -> Option<bool> {
        self.engine().and_then(|engine| engine.is_descending())
    }

    fn value_from_stats(&self, statistics: &StatisticsArgs) -> Option<ScalarValue> {
        self.engine().and_then(|engine| engine.value_from_stats(statistics))
    }

    fn default_value(&self, data_type: &DataType) -> EngineResult<ScalarValue> {
        match self.engine() {
            Some(engine) => engine.default_value(data_type),
            None => {
                let shape = Shape { keys: Vec::new(), distinct: false, ..self.shape.clone() };
                let columns = shape.types.iter().map(|ty| ty.arrow.clone()).collect();
                rows(&self.gather, shape, columns).evaluate()
            }
        }
    }

    fn supports_null_handling_clause(&self) -> bool {
        self.engine().is_some_and(|engine| engine.supports_null_handling_clause())
    }

    fn set_monotonicity(&self, data_type: &DataType) -> SetMonotonicity {
        self.engine().map_or(SetMonotonicity::NotMonotonic, |engine| engine.inner().set_monotonicity(data_type))
    }
}

/// An accumulator of one group, whose columns have these types.
fn rows(gather: &Gather, shape: Shape, columns: Vec<DataType>) -> Box<dyn Accumulator> {
    let plain = !shape.distinct && shape.keys.is_empty();
    match gather {
        Gather::State(state) if plain => (state.rows)(shape),
        gather => Box::new(Collected::new(gather.clone(), shape, columns)),
    }
}

/// The types that columns of these fields have in flight.
fn carried(fields: &[FieldRef]) -> Result<Vec<DataType>> {
    fields.iter().map(|field| Ok(in_flight(new_empty_array(field.data_type()))?.data_type().clone())).collect()
}
