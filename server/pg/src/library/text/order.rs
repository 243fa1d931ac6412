//! The order of strings by their bytes, whatever the collation.

use std::cmp::Ordering;

use arrow::array::ArrayRef;

use super::blanks::trimmed;
use crate::error::Result;
use crate::function::{Call, Function, function};
use crate::types::*;

pub(super) static OPERATORS: &[Function] = &[
    function("~<~", &[TEXT, TEXT], BOOL, |call| compare(call, Ordering::is_lt)),
    function("~<=~", &[TEXT, TEXT], BOOL, |call| compare(call, Ordering::is_le)),
    function("~>~", &[TEXT, TEXT], BOOL, |call| compare(call, Ordering::is_gt)),
    function("~>=~", &[TEXT, TEXT], BOOL, |call| compare(call, Ordering::is_ge)),
    function("~<~", &[BPCHAR, BPCHAR], BOOL, |call| compare_without_blanks(call, Ordering::is_lt)),
    function("~<=~", &[BPCHAR, BPCHAR], BOOL, |call| compare_without_blanks(call, Ordering::is_le)),
    function("~>~", &[BPCHAR, BPCHAR], BOOL, |call| compare_without_blanks(call, Ordering::is_gt)),
    function("~>=~", &[BPCHAR, BPCHAR], BOOL, |call| compare_without_blanks(call, Ordering::is_ge)),
];

fn compare(call: &Call, accept: fn(Ordering) -> bool) -> Result<ArrayRef> {
    call.map2(|left: &str, right: &str| accept(left.cmp(right)))
}

fn compare_without_blanks(call: &Call, accept: fn(Ordering) -> bool) -> Result<ArrayRef> {
    call.map2(|left: &str, right: &str| accept(trimmed(left).cmp(trimmed(right))))
}

#[cfg(test)]
mod tests {
    use crate::testing::operator;
    use crate::types::*;

    #[test]
    fn bytes_decide() {
        for (left, symbol, right, expected) in
            [("a", "~<~", "b", "t"), ("B", "~>=~", "a", "f"), ("a", "~<=~", "a", "t"), ("ä", "~>~", "z", "t")]
        {
            let found = operator(symbol, &[(TEXT, Some(left)), (TEXT, Some(right))]);
            assert_eq!(found, Ok(Some(expected.to_owned())), "{left} {symbol} {right}");
        }
    }
}
