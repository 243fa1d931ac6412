//! `row_number`, `rank` and their kin: the engine's, with PostgreSQL's types.

use std::ops::Range;

use arrow::array::ArrayRef;
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion_common::{Result, ScalarValue};
use datafusion_expr::function::PartitionEvaluatorArgs;
use datafusion_expr::window_state::WindowAggState;
use datafusion_expr::{PartitionEvaluator, WindowUDFImpl};
use datafusion_functions_window::cume_dist::CumeDist;
use datafusion_functions_window::rank::Rank;
use datafusion_functions_window::row_number::RowNumber;

use super::Kind;

/// The evaluator of one of them.
pub(super) fn evaluator(kind: Kind, arguments: PartitionEvaluatorArgs) -> Result<Box<dyn PartitionEvaluator>> {
    let (engine, result) = match kind {
        Kind::RowNumber => (RowNumber::new().partition_evaluator(arguments)?, DataType::Int64),
        Kind::Rank => (Rank::basic().partition_evaluator(arguments)?, DataType::Int64),
        Kind::DenseRank => (Rank::dense_rank().partition_evaluator(arguments)?, DataType::Int64),
        Kind::PercentRank => (Rank::percent_rank().partition_evaluator(arguments)?, DataType::Float64),
        _ => (CumeDist::new().partition_evaluator(arguments)?, DataType::Float64),
    };
    Ok(Box::new(Retyped { engine, result }))
}

/// The engine's evaluator, whose results are cast.
#[derive(Debug)]
struct Retyped {
    engine: Box<dyn PartitionEvaluator>,
    result: DataType,
}

impl PartitionEvaluator for Retyped {
    fn memoize(&mut self, state: &mut WindowAggState) -> Result<()> {
        self.engine.memoize(state)
    }

    fn get_range(&self, row: usize, rows: usize) -> Result<Range<usize>> {
        self.engine.get_range(row, rows)
    }

    fn is_causal(&self) -> bool {
        self.engine.is_causal()
    }

    fn evaluate_all(&mut self, values: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        Ok(cast(&self.engine.evaluate_all(values, rows)?, &self.result)?)
    }

    fn evaluate(&mut self, values: &[ArrayRef], range: &Range<usize>) -> Result<ScalarValue> {
        self.engine.evaluate(values, range)?.cast_to(&self.result)
    }

    fn evaluate_all_with_rank(&self, rows: usize, ranks: &[Range<usize>]) -> Result<ArrayRef> {
        Ok(cast(&self.engine.evaluate_all_with_rank(rows, ranks)?, &self.result)?)
    }

    fn supports_bounded_execution(&self) -> bool {
        self.engine.supports_bounded_execution()
    }

    fn uses_window_frame(&self) -> bool {
        self.engine.uses_window_frame()
    }

    fn include_rank(&self) -> bool {
        self.engine.include_rank()
    }
}
