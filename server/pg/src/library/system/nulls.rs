//! Counting the arguments that are NULL.

use arrow::array::{Array, ArrayRef};

use crate::error::Result;
use crate::function::{Call, Function, function};
use crate::types::*;

/// The functions.
pub static FUNCTIONS: &[Function] = &[
    function("num_nulls", &[ANY], INT4, num_nulls).variadic(),
    function("num_nonnulls", &[ANY], INT4, num_nonnulls).variadic(),
];

fn num_nulls(call: &Call) -> Result<ArrayRef> {
    count(call, true)
}

fn num_nonnulls(call: &Call) -> Result<ArrayRef> {
    count(call, false)
}

fn count(call: &Call, nulls: bool) -> Result<ArrayRef> {
    let mut counts = vec![0; call.rows()];
    for argument in 0..call.width() {
        let column = call.array(argument)?;
        let validity = column.logical_nulls();
        for (row, count) in counts.iter_mut().enumerate() {
            let is_null = validity.as_ref().is_some_and(|validity| validity.is_null(row));
            *count += i32::from(is_null == nulls);
        }
    }
    let mut counts = counts.into_iter();
    call.map0(|| counts.next())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::call;

    #[test]
    fn arguments_of_any_types_are_counted() {
        let arguments = [(INT4, Some("1")), (TEXT, None), (NUMERIC, None), (BOOL, Some("t"))];
        assert_eq!(call("num_nulls", &arguments).unwrap().unwrap(), "2");
        assert_eq!(call("num_nonnulls", &arguments[..2]).unwrap().unwrap(), "1");
    }
}
