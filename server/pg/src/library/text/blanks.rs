//! The blanks at the end of a `character`.
//!
//! Values of `character(n)` are carried without them: the length says how many there are, and two values are equal where
//! their bytes are. Where values of several lengths meet, or one without a length comes in, the type has no length any more,
//! and its values carry their blanks. The planner calls [`PADDED`] where a type loses its length, and [`ORDER`] where values
//! without a length are compared, which the blanks at the end do not count in.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, StringViewArray};

use super::measure::padded_length;
use crate::error::Result;
use crate::function::{Call, Function, function};
use crate::types::*;

/// `character(n)` with the blanks that were not carried.
pub static PADDED: Function = function("bpchar_padded", &[BPCHAR], BPCHAR, padded);
/// The same of the elements of arrays.
pub static PADDED_ELEMENTS: Function = function("bpchar_array_padded", &[ANYARRAY], ANYARRAY, padded_elements);
/// `character` without its blanks, as it is compared.
pub static ORDER: Function = function("bpchar_order", &[BPCHAR], TEXT, |call| call.map1(trimmed));

/// The text without the blanks at its end.
pub fn trimmed(text: &str) -> &str {
    text.trim_end_matches(' ')
}

/// The text with blanks up to a length in characters. What is formatted has a width of 65,535 characters at most.
pub fn padded_to(text: &str, length: usize) -> String {
    let missing = length.saturating_sub(text.chars().count());
    let mut padded = String::with_capacity(text.len() + missing);
    padded.push_str(text);
    padded.extend(std::iter::repeat_n(' ', missing));
    padded
}

/// A column of texts without the blanks at their ends.
pub fn trimmed_column(texts: &ArrayRef) -> ArrayRef {
    match texts.as_string_view_opt() {
        Some(texts) => Arc::new(texts.iter().map(|text| text.map(trimmed)).collect::<StringViewArray>()),
        None => texts.clone(),
    }
}

fn padded(call: &Call) -> Result<ArrayRef> {
    let length = padded_length(call, 0);
    call.map1(|text: &str| padded_to(text, length))
}

fn padded_elements(call: &Call) -> Result<ArrayRef> {
    padded_lists(&call.array(0)?, padded_length(call, 0))
}

fn padded_lists(array: &ArrayRef, length: usize) -> Result<ArrayRef> {
    if let Some(lists) = array.as_list_opt::<i32>() {
        let values = padded_lists(lists.values(), length)?;
        let field = crate::expression_type::list_item(values.data_type().clone());
        let lists = ListArray::try_new(field, lists.offsets().clone(), values, lists.nulls().cloned())?;
        return Ok(Arc::new(lists));
    }
    let Some(texts) = array.as_string_view_opt() else { return Ok(array.clone()) };
    let padded = texts.iter().map(|text| text.map(|text| padded_to(text, length)));
    Ok(Arc::new(padded.collect::<StringViewArray>()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use datafusion_common::ScalarValue;
    use datafusion_expr::ColumnarValue;

    use super::*;
    use crate::expression_type::Type;

    #[test]
    fn blanks_count_as_characters() {
        let ty = Type::with_typmod(BPCHAR, 7);
        let argument = ColumnarValue::Scalar(ScalarValue::Utf8View(Some("ä".to_owned())));
        let call = Call::new(vec![ty], Type::of(BPCHAR), &[argument], 1, None).unwrap();
        assert_eq!(padded(&call).unwrap().as_string_view().value(0), "ä  ");
        let array: ArrayRef = Arc::new(StringViewArray::from(vec![Some("a  "), None, Some("  ")]));
        let trimmed = trimmed_column(&array);
        assert_eq!(trimmed.as_string_view(), &StringViewArray::from(vec![Some("a"), None, Some("")]));
    }
}
