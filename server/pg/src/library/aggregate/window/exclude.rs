//! `EXCLUDE` in a frame, which the engine does not have: a window function around another, that takes rows out of the
//! frame before it computes. Each frame is computed anew, as in PostgreSQL.

use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::compute::concat;
use arrow::datatypes::{FieldRef, Schema};
use datafusion_common::{Result, ScalarValue};
use datafusion_expr::function::{AccumulatorArgs, PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion_expr::{
    Accumulator, AggregateUDF, PartitionEvaluator, Signature, TypeSignature, Volatility, WindowFunctionDefinition,
    WindowUDF, WindowUDFImpl,
};

use crate::library::aggregate::order::keys_of;

/// Which rows are taken out of the frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Exclusion {
    /// The row itself.
    CurrentRow,
    /// The row and its peers.
    Group,
    /// The row's peers, without itself.
    Ties,
}

/// The same function with rows taken out of its frame. It has the same arguments; `FILTER` must have been made a part of
/// them. Functions that do not look at the frame are given back as they are.
pub fn excluding(
    function: WindowFunctionDefinition,
    arguments: usize,
    exclusion: Exclusion,
) -> WindowFunctionDefinition {
    const FRAMED: &[&str] = &["first_value", "last_value", "nth_value"];
    if let WindowFunctionDefinition::WindowUDF(window) = &function
        && !FRAMED.contains(&window.name())
    {
        return function;
    }
    let arity = if arguments == 0 { TypeSignature::Nullary } else { TypeSignature::Any(arguments) };
    let name = format!("{} exclude {exclusion:?}", function.name());
    let signature = Signature::new(arity, Volatility::Immutable);
    let excluding = Excluding { name, function, exclusion, signature };
    WindowFunctionDefinition::WindowUDF(Arc::new(WindowUDF::new_from_impl(excluding)))
}

/// A function whose frames have rows taken out.
#[derive(Debug)]
struct Excluding {
    name: String,
    function: WindowFunctionDefinition,
    exclusion: Exclusion,
    signature: Signature,
}

impl PartialEq for Excluding {
    fn eq(&self, other: &Self) -> bool {
        self.function == other.function && self.exclusion == other.exclusion
    }
}

impl Eq for Excluding {}

impl Hash for Excluding {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.hash(state);
        self.exclusion.hash(state);
    }
}

impl WindowUDFImpl for Excluding {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn partition_evaluator(&self, arguments: PartitionEvaluatorArgs) -> Result<Box<dyn PartitionEvaluator>> {
        let fields = arguments.input_fields().to_vec();
        let width = fields.len();
        let ignore_nulls = arguments.ignore_nulls();
        let inner = match &self.function {
            WindowFunctionDefinition::AggregateUDF(function) => {
                Inner::Aggregate { function: function.clone(), fields, ignore_nulls }
            }
            WindowFunctionDefinition::WindowUDF(function) => {
                Inner::Window(function.partition_evaluator_factory(arguments)?)
            }
        };
        Ok(Box::new(Evaluator { inner, width, exclusion: self.exclusion, row: 0, peers: None }))
    }

    fn field(&self, arguments: WindowUDFFieldArgs) -> Result<FieldRef> {
        match &self.function {
            WindowFunctionDefinition::AggregateUDF(function) => {
                let field = function.return_field(arguments.input_fields())?;
                Ok(Arc::new(field.as_ref().clone().with_name(arguments.name())))
            }
            WindowFunctionDefinition::WindowUDF(function) => function.field(arguments),
        }
    }
}

/// What computes a frame.
#[derive(Debug)]
enum Inner {
    Aggregate { function: Arc<AggregateUDF>, fields: Vec<FieldRef>, ignore_nulls: bool },
    Window(Box<dyn PartitionEvaluator>),
}

/// The rows of one partition, asked for one after the other.
#[derive(Debug)]
struct Evaluator {
    inner: Inner,
    /// Number of arguments. The columns after them are those that the partition is ordered by.
    width: usize,
    exclusion: Exclusion,
    /// The row that is asked for next.
    row: usize,
    /// For each row, where its peers begin and end.
    peers: Option<Vec<Range<usize>>>,
}

impl PartitionEvaluator for Evaluator {
    fn evaluate(&mut self, values: &[ArrayRef], range: &Range<usize>) -> Result<ScalarValue> {
        let row = self.row;
        self.row += 1;
        let (arguments, order) = values.split_at(self.width.min(values.len()));
        let peers = self.peers_of(row, values, order)?;
        let rest = remaining(range, row, &peers, self.exclusion);
        match &mut self.inner {
            Inner::Aggregate { function, fields, ignore_nulls } => {
                let mut accumulator = accumulator(function, fields, *ignore_nulls)?;
                for part in rest {
                    accumulator.update_batch(&slices(arguments, &part))?;
                }
                accumulator.evaluate()
            }
            Inner::Window(evaluator) => {
                let parts: Vec<Vec<ArrayRef>> = rest.iter().map(|part| slices(arguments, part)).collect();
                let mut columns = Vec::with_capacity(arguments.len());
                for (position, column) in arguments.iter().enumerate() {
                    let pieces: Vec<&dyn Array> = parts.iter().map(|part| part[position].as_ref()).collect();
                    columns.push(if pieces.is_empty() { column.slice(0, 0) } else { concat(&pieces)? });
                }
                let rows = columns.first().map_or(0, |column| column.len());
                evaluator.evaluate(&columns, &(0..rows))
            }
        }
    }

    /// The rows before and after must all be there.
    fn supports_bounded_execution(&self) -> bool {
        false
    }

    fn uses_window_frame(&self) -> bool {
        true
    }
}

impl Evaluator {
    fn peers_of(&mut self, row: usize, values: &[ArrayRef], order: &[ArrayRef]) -> Result<Range<usize>> {
        let rows = values.first().map_or(row + 1, |column| column.len());
        if order.is_empty() {
            return Ok(0..rows);
        }
        if self.peers.is_none() {
            self.peers = Some(peer_groups(order)?);
        }
        let known = self.peers.as_ref().and_then(|peers| peers.get(row));
        Ok(known.cloned().unwrap_or(row..row + 1))
    }
}

fn peer_groups(order: &[ArrayRef]) -> Result<Vec<Range<usize>>> {
    let keys = keys_of(order)?;
    let rows = keys.num_rows();
    let mut groups: Vec<Range<usize>> = Vec::with_capacity(rows);
    let mut start = 0;
    for row in 1..=rows {
        if row == rows || keys.row(row) != keys.row(start) {
            groups.extend(std::iter::repeat_n(start..row, row - start));
            start = row;
        }
    }
    Ok(groups)
}

/// The parts of the frame that are left.
fn remaining(range: &Range<usize>, row: usize, peers: &Range<usize>, exclusion: Exclusion) -> Vec<Range<usize>> {
    let within = |from: usize, to: usize| from.max(range.start)..to.min(range.end);
    let parts = match exclusion {
        Exclusion::CurrentRow => vec![within(0, row), within(row + 1, usize::MAX)],
        Exclusion::Group => vec![within(0, peers.start), within(peers.end, usize::MAX)],
        Exclusion::Ties => vec![within(0, peers.start), within(row, row + 1), within(peers.end, usize::MAX)],
    };
    parts.into_iter().filter(|part| part.start < part.end).collect()
}

fn slices(columns: &[ArrayRef], rows: &Range<usize>) -> Vec<ArrayRef> {
    columns.iter().map(|column| column.slice(rows.start, rows.len())).collect()
}

fn accumulator(function: &AggregateUDF, fields: &[FieldRef], ignore_nulls: bool) -> Result<Box<dyn Accumulator>> {
    let schema = Schema::empty();
    function.accumulator(AccumulatorArgs {
        return_field: function.return_field(fields)?,
        schema: &schema,
        ignore_nulls,
        order_bys: &[],
        is_reversed: false,
        name: function.name(),
        is_distinct: false,
        exprs: &[],
        expr_fields: fields,
    })
}
