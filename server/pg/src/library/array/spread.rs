//! `f(a, VARIADIC array)`: a variadic function called with the elements of an array, of which each row has another number.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, UInt32Array};
use arrow::compute::{concat, take};
use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result as EngineResult;
use datafusion_common::config::ConfigOptions;
use datafusion_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature};

use crate::error::{PgError, Result};
use crate::expression_type::Type;
use crate::function::{Call, Function, Method};

/// A variadic function as one of its first arguments, which have these types, and an array.
///
/// # Errors
/// The last type is no array's, or the function is one of the engine's.
pub fn spread(function: &'static Function, fixed: Vec<Type>, array: Type, result: Type) -> Result<ScalarUDF> {
    let mut element = array.element().ok_or_else(|| PgError::internal("VARIADIC is of an array"))?;
    while let DataType::List(item) = &element.arrow {
        element.arrow = item.data_type().clone();
    }
    if !matches!(function.method, Method::Kernel(_)) {
        return Err(PgError::internal(format!("{} has no kernel", function.name)));
    }
    let signature = Signature::any(fixed.len() + 1, function.volatility);
    Ok(ScalarUDF::new_from_impl(Spread { function, fixed, array, element, result, signature }))
}

/// A variadic function over arrays.
#[derive(Debug)]
struct Spread {
    function: &'static Function,
    fixed: Vec<Type>,
    array: Type,
    element: Type,
    result: Type,
    signature: Signature,
}

impl PartialEq for Spread {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.function, other.function) && self.fixed == other.fixed && self.array == other.array
    }
}

impl Eq for Spread {}

impl Hash for Spread {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.name.hash(state);
        self.fixed.hash(state);
        self.array.hash(state);
    }
}

/// The elements of each row: where they begin in a column of all elements, and how many there are.
struct Elements {
    ranges: Vec<Option<(usize, usize)>>,
    values: ArrayRef,
}

impl Elements {
    /// Of a column of arrays; those of several dimensions in the order in which they are written.
    fn new(lists: &ArrayRef) -> Result<Self> {
        let list = lists.as_list_opt::<i32>().ok_or_else(|| PgError::internal("an array is carried as a list"))?;
        let offsets = list.value_offsets();
        let mut ranges: Vec<_> = (0..list.len())
            .map(|row| list.is_valid(row).then(|| (offsets[row] as usize, offsets[row + 1] as usize)))
            .collect();
        let mut values = list.values().clone();
        while let Some(inner) = values.clone().as_list_opt::<i32>() {
            let offsets = inner.value_offsets();
            for (start, end) in ranges.iter_mut().flatten() {
                (*start, *end) = (offsets[*start] as usize, offsets[*end] as usize);
            }
            values = inner.values().clone();
        }
        Ok(Elements { ranges, values })
    }
}

impl Spread {
    fn evaluate(&self, arrays: &[ArrayRef], rows: usize, options: &Arc<ConfigOptions>) -> Result<ArrayRef> {
        let (lists, fixed) = arrays.split_last().ok_or_else(|| PgError::internal("VARIADIC is of an array"))?;
        let elements = Elements::new(lists)?;
        // Of NULL, `format` has no arguments; other functions are NULL.
        let null_is_none = self.function.name == "format";
        let mut groups: BTreeMap<usize, Vec<(u32, usize)>> = BTreeMap::new();
        for (row, range) in elements.ranges.iter().enumerate() {
            match range {
                Some((start, end)) => groups.entry(end - start).or_default().push((row as u32, *start)),
                None if null_is_none => groups.entry(0).or_default().push((row as u32, 0)),
                None => {}
            }
        }
        let mut answers: Vec<ArrayRef> = Vec::with_capacity(groups.len());
        let mut places: Vec<Option<u32>> = vec![None; rows];
        let mut next = 0;
        for (count, members) in groups {
            for (row, _) in &members {
                places[*row as usize] = Some(next);
                next += 1;
            }
            answers.push(self.call(fixed, &elements.values, count, &members, options)?);
        }
        if answers.is_empty() {
            return Ok(arrow::array::new_null_array(&self.result.arrow, rows));
        }
        let parts: Vec<&dyn Array> = answers.iter().map(AsRef::as_ref).collect();
        Ok(take(&concat(&parts)?, &UInt32Array::from(places), None)?)
    }

    /// The rows whose arrays have so many elements.
    fn call(
        &self,
        fixed: &[ArrayRef],
        values: &ArrayRef,
        count: usize,
        members: &[(u32, usize)],
        options: &Arc<ConfigOptions>,
    ) -> Result<ArrayRef> {
        let rows: UInt32Array = members.iter().map(|(row, _)| *row).collect();
        let mut types = self.fixed.clone();
        let mut arguments = Vec::with_capacity(fixed.len() + count);
        for array in fixed {
            arguments.push(ColumnarValue::Array(take(array, &rows, None)?));
        }
        for place in 0..count {
            let picks: UInt32Array = members.iter().map(|(_, start)| (start + place) as u32).collect();
            arguments.push(ColumnarValue::Array(take(values, &picks, None)?));
            types.push(self.element.clone());
        }
        let Method::Kernel(kernel) = self.function.method else {
            return Err(PgError::internal(format!("{} has no kernel", self.function.name)));
        };
        kernel(&Call::new(types, self.result.clone(), &arguments, members.len(), Some(options.clone()))?)
    }
}

impl ScalarUDFImpl for Spread {
    fn name(&self) -> &str {
        self.function.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> EngineResult<DataType> {
        Ok(self.result.arrow.clone())
    }

    fn return_field_from_args(&self, _arguments: ReturnFieldArgs<'_>) -> EngineResult<FieldRef> {
        Ok(Arc::new(self.result.field(self.function.name)))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> EngineResult<ColumnarValue> {
        let rows = arguments.number_rows;
        let arrays = ColumnarValue::values_to_arrays(&arguments.args)?;
        let constant = arguments.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let height = arrays.first().map_or(rows, |array| array.len());
        let answers = self.evaluate(&arrays, height, &arguments.config_options)?;
        match constant && height == 1 {
            true => Ok(ColumnarValue::Scalar(datafusion_common::ScalarValue::try_from_array(&answers, 0)?)),
            false => Ok(ColumnarValue::Array(answers)),
        }
    }
}
