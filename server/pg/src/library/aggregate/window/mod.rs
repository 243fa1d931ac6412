//! The window functions, as in PostgreSQL's `windowfuncs.c`.
//!
//! `IGNORE NULLS` is Redshift's; the engine hands it to the evaluators.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::datatypes::FieldRef;
use datafusion_common::Result as EngineResult;
use datafusion_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion_expr::{
    PartitionEvaluator, Signature, TypeSignature, Volatility, WindowFunctionDefinition, WindowUDF, WindowUDFImpl,
};

use crate::error::Result;
use crate::expression_type::Type;
use crate::function::{ArgumentShape, WindowFunction};
use crate::types::*;

mod frame_value;
mod framed;
mod lag_lead;
mod ntile;
mod rank;

pub use framed::{
    Bound, Exclusion, Frame, FrameUnits, Framed, OFFSET_INTERVAL, OFFSET_ROWS, RANGE_BOUND_FLOAT, RANGE_BOUND_NUMERIC,
    TIME_OF_INTERVAL, TIMETZ_OF_INTERVAL,
};

/// The window functions.
pub(super) static ENTRIES: &[WindowFunction] = &[
    function("row_number", &[], INT8, |types, result| build("row_number", Kind::RowNumber, types, result)),
    function("rank", &[], INT8, |types, result| build("rank", Kind::Rank, types, result)),
    function("dense_rank", &[], INT8, |types, result| build("dense_rank", Kind::DenseRank, types, result)),
    function("percent_rank", &[], FLOAT8, |types, result| build("percent_rank", Kind::PercentRank, types, result)),
    function("cume_dist", &[], FLOAT8, |types, result| build("cume_dist", Kind::CumeDist, types, result)),
    function("ntile", &[INT4], INT4, |types, result| build("ntile", Kind::Ntile, types, result)),
    function("lag", &[ANYELEMENT], ANYELEMENT, |types, result| build("lag", Kind::Lag, types, result)).shaped(),
    function("lag", &[ANYELEMENT, INT4], ANYELEMENT, |types, result| build("lag", Kind::Lag, types, result)).shaped(),
    function("lag", DEFAULTED, ANYCOMPATIBLE, |types, result| build("lag", Kind::Lag, types, result)).shaped(),
    function("lead", &[ANYELEMENT], ANYELEMENT, |types, result| build("lead", Kind::Lead, types, result)).shaped(),
    function("lead", &[ANYELEMENT, INT4], ANYELEMENT, |types, result| build("lead", Kind::Lead, types, result))
        .shaped(),
    function("lead", DEFAULTED, ANYCOMPATIBLE, |types, result| build("lead", Kind::Lead, types, result)).shaped(),
    function("first_value", &[ANYELEMENT], ANYELEMENT, |types, result| {
        build("first_value", Kind::FirstValue, types, result)
    })
    .shaped(),
    function("last_value", &[ANYELEMENT], ANYELEMENT, |types, result| {
        build("last_value", Kind::LastValue, types, result)
    })
    .shaped(),
    function("nth_value", &[ANYELEMENT, INT4], ANYELEMENT, |types, result| {
        build("nth_value", Kind::NthValue, types, result)
    })
    .shaped(),
];

/// A value, an offset, and what stands for a value that is not there.
const DEFAULTED: &[u32] = &[ANYCOMPATIBLE, INT4, ANYCOMPATIBLE];

const fn function(
    name: &'static str,
    arguments: &'static [u32],
    result: u32,
    build: fn(&[Type], &Type) -> Result<WindowFunctionDefinition>,
) -> WindowFunction {
    WindowFunction { name, arguments, result, shape: None, build }
}

impl WindowFunction {
    /// The result has the first argument's type.
    const fn shaped(self) -> Self {
        WindowFunction { shape: Some(value_type), ..self }
    }
}

fn value_type(arguments: &[ArgumentShape<'_>]) -> Result<Type> {
    let first = arguments.first().ok_or_else(|| crate::PgError::internal("a window function lacks its argument"))?;
    // Values of other digits come in with the default.
    let digits = arguments.iter().filter_map(|argument| match argument.ty.oid {
        NUMERIC => argument.ty.digits(),
        _ => None,
    });
    let widest = digits.reduce(|(precision, scale), (more, other)| {
        let before = (i16::from(precision) - i16::from(scale)).max(i16::from(more) - i16::from(other));
        let scale = scale.max(other);
        (u8::try_from(before + i16::from(scale)).unwrap_or(u8::MAX), scale)
    });
    Ok(match widest {
        Some((precision, scale)) => Type::numeric(precision.min(76), scale),
        None => first.ty.of_result(),
    })
}

/// Which function it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    RowNumber,
    Rank,
    DenseRank,
    PercentRank,
    CumeDist,
    Ntile,
    Lag,
    Lead,
    FirstValue,
    LastValue,
    NthValue,
}

/// A window function with the types it was resolved for, as the engine calls it.
#[derive(Debug)]
pub struct BoundWindow {
    name: &'static str,
    kind: Kind,
    result: Type,
    signature: Signature,
}

fn build(name: &'static str, kind: Kind, types: &[Type], result: &Type) -> Result<WindowFunctionDefinition> {
    let arity = if types.is_empty() { TypeSignature::Nullary } else { TypeSignature::Any(types.len()) };
    let signature = Signature::new(arity, Volatility::Immutable);
    let function = BoundWindow { name, kind, result: result.clone(), signature };
    Ok(WindowFunctionDefinition::WindowUDF(Arc::new(WindowUDF::new_from_impl(function))))
}

impl PartialEq for BoundWindow {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind && self.result == other.result && self.signature == other.signature
    }
}

impl Eq for BoundWindow {}

impl Hash for BoundWindow {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.kind.hash(state);
        self.result.hash(state);
    }
}

impl WindowUDFImpl for BoundWindow {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn partition_evaluator(&self, arguments: PartitionEvaluatorArgs) -> EngineResult<Box<dyn PartitionEvaluator>> {
        let ignore_nulls = arguments.ignore_nulls();
        let result = self.result.arrow.clone();
        Ok(match self.kind {
            Kind::RowNumber | Kind::Rank | Kind::DenseRank | Kind::PercentRank | Kind::CumeDist => {
                rank::evaluator(self.kind, arguments)?
            }
            Kind::Ntile => Box::new(ntile::Ntile),
            Kind::Lag => Box::new(lag_lead::LagLead { direction: -1, ignore_nulls, result }),
            Kind::Lead => Box::new(lag_lead::LagLead { direction: 1, ignore_nulls, result }),
            Kind::FirstValue => Box::new(frame_value::FrameValue { which: frame_value::Which::First, ignore_nulls }),
            Kind::LastValue => Box::new(frame_value::FrameValue { which: frame_value::Which::Last, ignore_nulls }),
            Kind::NthValue => Box::new(frame_value::FrameValue { which: frame_value::Which::Nth, ignore_nulls }),
        })
    }

    fn field(&self, arguments: WindowUDFFieldArgs) -> EngineResult<FieldRef> {
        Ok(Arc::new(self.result.field(arguments.name())))
    }
}
