//! Window functions over frames that the engine does not have: `EXCLUDE`, offsets that are not constant, and `RANGE` with an
//! offset over types that the engine cannot add to as PostgreSQL does.
//!
//! Such a function is one without a frame for the engine, which gives it whole partitions. It has more arguments than were
//! written: the condition of `FILTER`, what the bounds of the frame say, and what the partition is ordered by.

mod frames;
mod offsets;
mod over_frames;

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::FieldRef;
use datafusion_common::Result;
use datafusion_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion_expr::{
    PartitionEvaluator, Signature, TypeSignature, Volatility, WindowFunctionDefinition, WindowUDF, WindowUDFImpl,
};

use crate::error::PgError;
use frames::Frames;
use over_frames::{Aggregation, FrameValues};

pub use frames::{Bound, Exclusion, Frame, FrameUnits};
pub use offsets::{
    OFFSET_INTERVAL, OFFSET_ROWS, RANGE_BOUND_FLOAT, RANGE_BOUND_NUMERIC, TIME_OF_INTERVAL, TIMETZ_OF_INTERVAL,
};

/// A function that is called over such a frame.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Framed {
    /// The function; an aggregate, or one that looks at the frame.
    pub function: WindowFunctionDefinition,
    /// Number of its arguments.
    pub width: usize,
    /// Whether the condition of FILTER follows them.
    pub filtered: bool,
    /// The frame. The offsets of its bounds follow, the start first; with RANGE, what the bounds reach to. The last
    /// arguments are what the partition is ordered by.
    pub frame: Frame,
}

impl Framed {
    /// Whether the function looks at its frame at all.
    #[must_use]
    pub fn has_frame(function: &WindowFunctionDefinition) -> bool {
        const FRAMED: &[&str] = &["first_value", "last_value", "nth_value"];
        match function {
            WindowFunctionDefinition::AggregateUDF(_) => true,
            WindowFunctionDefinition::WindowUDF(window) => FRAMED.contains(&window.name()),
        }
    }

    /// As the engine calls it.
    #[must_use]
    pub fn definition(self) -> WindowFunctionDefinition {
        let name = format!("{} over {}", self.function.name(), self.frame);
        let signature = Signature::new(TypeSignature::VariadicAny, Volatility::Immutable);
        WindowFunctionDefinition::WindowUDF(Arc::new(WindowUDF::new_from_impl(Function {
            framed: self,
            name,
            signature,
        })))
    }
}

/// As the engine knows it.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Function {
    framed: Framed,
    name: String,
    signature: Signature,
}

impl WindowUDFImpl for Function {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn partition_evaluator(&self, arguments: PartitionEvaluatorArgs) -> Result<Box<dyn PartitionEvaluator>> {
        let fields = arguments.input_fields().get(..self.framed.width).unwrap_or_default().to_vec();
        let ignore_nulls = arguments.ignore_nulls();
        Ok(Box::new(Evaluator { framed: self.framed.clone(), fields, ignore_nulls }))
    }

    fn field(&self, arguments: WindowUDFFieldArgs) -> Result<FieldRef> {
        let fields = arguments.input_fields().get(..self.framed.width).unwrap_or_default();
        match &self.framed.function {
            WindowFunctionDefinition::AggregateUDF(function) => {
                let field = function.return_field(fields)?;
                Ok(Arc::new(field.as_ref().clone().with_name(arguments.name())))
            }
            WindowFunctionDefinition::WindowUDF(function) => {
                function.field(WindowUDFFieldArgs::new(fields, arguments.name()))
            }
        }
    }
}

/// Computes whole partitions.
#[derive(Debug)]
struct Evaluator {
    framed: Framed,
    /// The function's own arguments.
    fields: Vec<FieldRef>,
    ignore_nulls: bool,
}

impl PartitionEvaluator for Evaluator {
    fn evaluate_all(&mut self, values: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        let Framed { function, width, filtered, frame } = &self.framed;
        let missing = || PgError::internal("a window function lacks an argument");
        let (arguments, rest) = values.split_at_checked(*width).ok_or_else(missing)?;
        let mut rest = rest.iter();
        let filter = if *filtered { Some(rest.next().ok_or_else(missing)?) } else { None };
        let mut reach = |bound: Bound| match bound.has_offset() {
            true => rest.next().map(Some).ok_or_else(missing),
            false => Ok(None),
        };
        let (start, end) = (reach(frame.start)?, reach(frame.end)?);
        let frames = Frames::new(frame, rows, start, end, rest.as_slice())?;
        match function {
            WindowFunctionDefinition::AggregateUDF(function) => {
                let aggregation = Aggregation::new(function, &self.fields, self.ignore_nulls);
                aggregation.over(&frames, arguments, filter, rows)
            }
            WindowFunctionDefinition::WindowUDF(function) => {
                FrameValues::of(function.name(), arguments, self.ignore_nulls)?.over(&frames, rows)
            }
        }
    }

    /// The rows before and after must all be there.
    fn supports_bounded_execution(&self) -> bool {
        false
    }

    fn uses_window_frame(&self) -> bool {
        false
    }
}
