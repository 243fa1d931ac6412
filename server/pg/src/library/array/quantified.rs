//! `x op ANY (array)` and `x op ALL (array)`: an operator applied to a value and each element of an array
//! (`ScalarArrayOpExpr`).

use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Scalar, UInt32Array};
use arrow::buffer::NullBuffer;
use arrow::compute::kernels::cmp;
use arrow::compute::{and_kleene, cast, or_kleene, take};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion_common::config::ConfigOptions;
use datafusion_common::{Result as EngineResult, ScalarValue};
use datafusion_expr::expr::Cast;
use datafusion_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion_expr::type_coercion::binary::comparison_coercion;
use datafusion_expr::{
    ColumnarValue, Expr, Operator, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};

use super::leaves::Leaves;
use super::unify::{brought_to, common};
use crate::error::{PgError, Result};
use crate::expression_type::Type;
use crate::function::{Call, Function, Method};
use crate::library::text::blanks::trimmed_column;
use crate::types::*;

/// Elements that are compared at once.
const ELEMENTS_AT_ONCE: usize = 65_536;

/// `x op ANY (array)`, or `ALL`, as a function of the value and the array. The operator is one that takes values of `left`
/// and elements of `array`, and answers with a boolean.
///
/// # Errors
/// The operator is one of the engine's that is no comparison.
pub fn quantified(operator: &'static Function, all: bool, left: Type, array: Type) -> Result<ScalarUDF> {
    let element = array.element().ok_or_else(|| PgError::internal("ANY and ALL are of an array"))?;
    let compared = match operator.method {
        Method::Native(native) => {
            comparison(native)?;
            Some(compared_type(&left, &element)?)
        }
        _ => None,
    };
    let signature = Signature::any(2, operator.volatility);
    Ok(ScalarUDF::new_from_impl(Quantified { operator, all, left, array, element, compared, signature }))
}

/// An operator over the elements of arrays.
#[derive(Debug)]
struct Quantified {
    operator: &'static Function,
    all: bool,
    left: Type,
    array: Type,
    element: Type,
    /// The Arrow type that the engine's operators compare by.
    compared: Option<DataType>,
    signature: Signature,
}

impl PartialEq for Quantified {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.operator, other.operator)
            && self.all == other.all
            && self.left == other.left
            && self.array == other.array
    }
}

impl Eq for Quantified {}

impl Hash for Quantified {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.operator.name.hash(state);
        self.all.hash(state);
        self.left.hash(state);
        self.array.hash(state);
    }
}

/// The Arrow type to compare values of both types by, as the engine's own comparisons choose it.
fn compared_type(left: &Type, right: &Type) -> Result<DataType> {
    let ty = common(&left.arrow, &right.arrow).ok().or_else(|| comparison_coercion(&left.arrow, &right.arrow));
    ty.ok_or_else(|| PgError::not_supported(format!("comparing {} with {}", left.name(), right.name())))
}

type Comparison = fn(&dyn arrow::array::Datum, &dyn arrow::array::Datum) -> arrow::error::Result<BooleanArray>;

fn comparison(operator: Operator) -> Result<Comparison> {
    Ok(match operator {
        Operator::Eq => cmp::eq,
        Operator::NotEq => cmp::neq,
        Operator::Lt => cmp::lt,
        Operator::LtEq => cmp::lt_eq,
        Operator::Gt => cmp::gt,
        Operator::GtEq => cmp::gt_eq,
        other => return Err(PgError::not_supported(format!("operator {other} with ANY or ALL"))),
    })
}

impl Quantified {
    /// The operator for pairs of values; a scalar is paired with each value of the other side.
    fn pairs(
        &self,
        left: &ColumnarValue,
        right: &ColumnarValue,
        rows: usize,
        options: &Arc<ConfigOptions>,
    ) -> Result<BooleanArray> {
        let answers = match self.operator.method {
            Method::Native(operator) => return self.native_pairs(comparison(operator)?, left, right),
            Method::Kernel(kernel) => {
                let types = vec![self.left.clone(), self.element.clone()];
                let arguments = [left.clone(), right.clone()];
                kernel(&Call::new(types, Type::of(BOOL), &arguments, rows, Some(options.clone()))?)?
            }
            Method::Cast => return Err(PgError::internal("a cast is no operator")),
        };
        match answers.as_boolean_opt() {
            Some(answers) => Ok(answers.clone()),
            None => Err(PgError::internal("ANY and ALL need an operator that answers with a boolean")),
        }
    }

    fn native_pairs(&self, compare: Comparison, left: &ColumnarValue, right: &ColumnarValue) -> Result<BooleanArray> {
        let ty = self.compared.as_ref().unwrap_or(&DataType::Null);
        let brought = |value: &ColumnarValue, of: &Type| -> Result<ArrayRef> {
            let array = match value {
                ColumnarValue::Array(array) => brought_to(array, ty)?,
                ColumnarValue::Scalar(scalar) => brought_to(&scalar.to_array()?, ty)?,
            };
            Ok(if of.carries_blanks() { trimmed_column(&array) } else { array })
        };
        let (left_array, right_array) = (brought(left, &self.left)?, brought(right, &self.element)?);
        Ok(match (left, right) {
            (ColumnarValue::Scalar(_), ColumnarValue::Array(_)) => compare(&Scalar::new(left_array), &right_array)?,
            (ColumnarValue::Array(_), ColumnarValue::Scalar(_)) => compare(&left_array, &Scalar::new(right_array))?,
            _ => compare(&left_array, &right_array)?,
        })
    }

    /// For an array that is the same in all rows: one element after the other, each for all rows.
    fn one_array(
        &self,
        left: &ColumnarValue,
        leaves: &Leaves,
        rows: usize,
        options: &Arc<ConfigOptions>,
    ) -> Result<BooleanArray> {
        let mut answers = BooleanArray::from(vec![self.all; rows]);
        for element in leaves.range(0) {
            let element = ColumnarValue::Scalar(ScalarValue::try_from_array(&leaves.values, element)?);
            let of_element = self.pairs(left, &element, rows, options)?;
            answers = match self.all {
                true => and_kleene(&answers, &of_element)?,
                false => or_kleene(&answers, &of_element)?,
            };
        }
        Ok(answers)
    }

    /// For an array that is the same in all rows and has more elements than there are rows: one row after the other, each
    /// with all elements.
    fn long_array(
        &self,
        left: &ColumnarValue,
        leaves: &Leaves,
        rows: usize,
        options: &Arc<ConfigOptions>,
    ) -> Result<BooleanArray> {
        let range = leaves.range(0);
        let elements = ColumnarValue::Array(leaves.values.slice(range.start, range.len()));
        let left = left.to_array(rows)?;
        let mut answers = Vec::with_capacity(rows);
        for row in 0..rows {
            let value = ColumnarValue::Scalar(ScalarValue::try_from_array(&left, row)?);
            let of_elements = self.pairs(&value, &elements, range.len(), options)?;
            answers.push(self.folded(of_elements.iter()));
        }
        Ok(BooleanArray::from(answers))
    }

    /// For an array in each row: the value beside each of the elements, some rows at a time.
    fn many_arrays(&self, left: &ColumnarValue, leaves: &Leaves, options: &Arc<ConfigOptions>) -> Result<BooleanArray> {
        let mut answers = Vec::with_capacity(leaves.rows());
        let mut row = 0;
        while row < leaves.rows() {
            let start = leaves.range(row).start;
            let mut end = row + 1;
            while end < leaves.rows() && leaves.range(end).end - start <= ELEMENTS_AT_ONCE {
                end += 1;
            }
            self.fold(left, leaves, row..end, options, &mut answers)?;
            row = end;
        }
        Ok(BooleanArray::from(answers))
    }

    fn fold(
        &self,
        left: &ColumnarValue,
        leaves: &Leaves,
        rows: Range<usize>,
        options: &Arc<ConfigOptions>,
        answers: &mut Vec<Option<bool>>,
    ) -> Result<()> {
        let start = leaves.range(rows.start).start;
        let elements = leaves.values.slice(start, leaves.range(rows.end - 1).end - start);
        let count = elements.len();
        let left = match left {
            ColumnarValue::Array(array) => {
                let beside = rows.clone().flat_map(|row| std::iter::repeat_n(row as u32, leaves.range(row).len()));
                ColumnarValue::Array(take(array, &UInt32Array::from_iter_values(beside), None)?)
            }
            scalar => scalar.clone(),
        };
        let of_elements = match count {
            0 => BooleanArray::from(Vec::<bool>::new()),
            _ => self.pairs(&left, &ColumnarValue::Array(elements), count, options)?,
        };
        for row in rows {
            let range = leaves.range(row);
            let own = (range.start - start..range.end - start)
                .map(|pair| of_elements.is_valid(pair).then(|| of_elements.value(pair)));
            answers.push(if leaves.is_null(row) { None } else { self.folded(own) });
        }
        Ok(())
    }

    /// Whether one of the answers decides; else NULL if one is NULL.
    fn folded(&self, answers: impl Iterator<Item = Option<bool>>) -> Option<bool> {
        let mut folded = Some(self.all);
        for answer in answers {
            match answer {
                Some(answer) if answer != self.all => return Some(answer),
                Some(_) => {}
                None => folded = None,
            }
        }
        folded
    }

    fn answers(&self, arguments: &ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [left, array] = arguments.args.as_slice() else {
            return Err(PgError::internal("ANY and ALL have a value and an array"));
        };
        let options = &arguments.config_options;
        let rows = arguments.number_rows;
        let answers = match (left, array) {
            (ColumnarValue::Scalar(_), ColumnarValue::Scalar(array)) => {
                let answers = self.many_arrays(left, &Leaves::new(&array.to_array()?)?, options)?;
                return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&answers, 0)?));
            }
            (_, ColumnarValue::Scalar(array)) => {
                let leaves = Leaves::new(&array.to_array()?)?;
                match leaves.is_null(0) {
                    true => BooleanArray::new(vec![false; rows].into(), Some(NullBuffer::new_null(rows))),
                    false if leaves.range(0).len() <= rows => self.one_array(left, &leaves, rows, options)?,
                    false => self.long_array(left, &leaves, rows, options)?,
                }
            }
            (_, ColumnarValue::Array(array)) => self.many_arrays(left, &Leaves::new(array)?, options)?,
        };
        Ok(ColumnarValue::Array(Arc::new(answers)))
    }
}

impl Quantified {
    /// A constant array to find a value in is a list of constants, by which the engine can prune files and look up fast.
    fn in_list(&self, arguments: &[Expr], context: &SimplifyContext) -> EngineResult<Option<Expr>> {
        let negated = match (self.operator.method, self.all) {
            (Method::Native(Operator::Eq), false) => false,
            (Method::Native(Operator::NotEq), true) => true,
            _ => return Ok(None),
        };
        let ([left, Expr::Literal(array, _)], Some(compared)) = (arguments, &self.compared) else { return Ok(None) };
        let leaves = Leaves::new(&array.to_array()?)?;
        if leaves.is_null(0) || self.left.carries_blanks() {
            return Ok(None);
        }
        let range = leaves.range(0);
        let elements = brought_to(&leaves.values.slice(range.start, range.len()), compared);
        // What cannot be brought to one type is an error only once there is a row.
        let Ok(elements) = elements else { return Ok(None) };
        let elements = if self.element.carries_blanks() { trimmed_column(&elements) } else { elements };
        let left_type = context.get_data_type(left)?;
        let elements = without_loss(&elements, &left_type).unwrap_or(elements);
        let left = if left_type == *elements.data_type() {
            left.clone()
        } else {
            Expr::Cast(Cast::new(Box::new(left.clone()), elements.data_type().clone()))
        };
        let element = |position| Ok(Expr::Literal(ScalarValue::try_from_array(&elements, position)?, None));
        let list: Vec<Expr> = (0..elements.len()).map(element).collect::<EngineResult<_>>()?;
        Ok(Some(match list.is_empty() {
            true => Expr::Literal(ScalarValue::Boolean(Some(self.all)), None),
            false => left.in_list(list, negated),
        }))
    }
}

/// The values as values of a type that has all of them: the column beside them needs no cast then.
fn without_loss(values: &ArrayRef, wanted: &DataType) -> Option<ArrayRef> {
    let there = cast(values, wanted).ok()?;
    let back = cast(&there, values.data_type()).ok()?;
    (back.to_data() == values.to_data()).then_some(there)
}

impl ScalarUDFImpl for Quantified {
    fn name(&self) -> &str {
        if self.all { "all" } else { "any" }
    }

    fn display_name(&self, arguments: &[Expr]) -> EngineResult<String> {
        self.schema_name(arguments)
    }

    fn schema_name(&self, arguments: &[Expr]) -> EngineResult<String> {
        let quantifier = if self.all { "ALL" } else { "ANY" };
        Ok(match arguments {
            [left, array] => format!("({left} {} {quantifier} ({array}))", self.operator.name),
            _ => quantifier.to_owned(),
        })
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> EngineResult<DataType> {
        Ok(DataType::Boolean)
    }

    fn return_field_from_args(&self, _arguments: ReturnFieldArgs<'_>) -> EngineResult<FieldRef> {
        let field: Field = Type::of(BOOL).field(self.name());
        Ok(Arc::new(field))
    }

    fn simplify(&self, arguments: Vec<Expr>, context: &SimplifyContext) -> EngineResult<ExprSimplifyResult> {
        Ok(match self.in_list(&arguments, context)? {
            Some(list) => ExprSimplifyResult::Simplified(list),
            None => ExprSimplifyResult::Original(arguments),
        })
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> EngineResult<ColumnarValue> {
        Ok(self.answers(&arguments)?)
    }
}
