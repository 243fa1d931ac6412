//! Comparing single values of any type by PostgreSQL's order.

use std::cmp::Ordering;

use arrow::array::{Array, ArrayRef, DynComparator, make_comparator};
use arrow::compute::SortOptions;
use arrow::datatypes::Field;
use datafusion_expr::ColumnarValue;

use super::unify::{brought_to, common};
use crate::error::{PgError, Result};
use crate::expression_type::Type;
use crate::function::{Call, Method};
use crate::library;
use crate::sqlstate::SqlState;
use crate::types::{self, *};
use crate::user_types;

/// What a comparison is for; PostgreSQL's error says it when the type has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Whether two values are equal.
    Equality,
    /// Which comes first.
    Order,
}

/// Compares values of two columns of one type. NULL equals NULL and comes last, as inside arrays and records.
pub struct Comparator(DynComparator);

impl Comparator {
    /// Of columns whose values have this number's type.
    ///
    /// # Errors
    /// 42883: the type has no order.
    pub fn new(oid: u32, left: &ArrayRef, right: &ArrayRef, purpose: Purpose) -> Result<Self> {
        check_comparable(oid, purpose)?;
        let ty = common(left.data_type(), right.data_type())?;
        let (left, right) = (brought_to(left, &ty)?, brought_to(right, &ty)?);
        let (left, right) = (order_key(oid, left)?, order_key(oid, right)?);
        let options = SortOptions { descending: false, nulls_first: false };
        Ok(Comparator(make_comparator(&left, &right, options)?))
    }

    /// How the value in a row of the left column compares to one in the right column.
    #[inline]
    pub fn compare(&self, left: usize, right: usize) -> Ordering {
        (self.0)(left, right)
    }

    /// Whether both are equal, or both are NULL.
    #[inline]
    pub fn equal(&self, left: usize, right: usize) -> bool {
        self.compare(left, right).is_eq()
    }
}

/// The error of a type that has no order.
pub fn check_comparable(oid: u32, purpose: Purpose) -> Result<()> {
    if !matches!(oid, JSON | JSONPATH | HLLSKETCH | MAP) {
        return Ok(());
    }
    let name = type_name(oid);
    let message = match purpose {
        Purpose::Equality => format!("could not identify an equality operator for type {name}"),
        Purpose::Order => format!("could not identify a comparison function for type {name}"),
    };
    Err(PgError::new(SqlState::UNDEFINED_FUNCTION, message))
}

/// What the values of a column are ordered and compared by: values whose Arrow order is that of the type. None when the type
/// has no order.
///
/// # Errors
/// A value cannot be ordered.
pub fn column_order(field: &Field, values: &ArrayRef) -> Result<Option<ArrayRef>> {
    let ty = Type::of_field(field);
    let oid = user_types::base_number(ty.oid);
    if check_comparable(oid, Purpose::Order).is_err() {
        return Ok(None);
    }
    match types::element_type(oid) {
        Some(element) if check_comparable(element, Purpose::Order).is_err() => Ok(None),
        Some(_) => computed("array_order", Type { oid, ..ty }, values.clone()).map(Some),
        None => order_key(oid, values.clone()).map(Some),
    }
}

/// Values whose Arrow order is the order of the type: the values themselves, or what the type's section computes of them.
pub fn order_key(oid: u32, values: ArrayRef) -> Result<ArrayRef> {
    let oid = user_types::base_number(oid);
    let name = match oid {
        RECORD => return super::order_keys::record_keys(&values),
        BPCHAR => return Ok(crate::library::text::blanks::trimmed_column(&values)),
        oid if user_types::is_composite(oid) => return super::order_keys::record_keys(&values),
        INTERVAL => "interval_order",
        TIMETZ => "timetz_order",
        JSONB => "jsonb_order",
        _ => return Ok(values),
    };
    computed(name, Type { oid, typmod: -1, arrow: values.data_type().clone() }, values)
}

/// What the function of this name makes of values.
fn computed(name: &str, source: Type, values: ArrayRef) -> Result<ArrayRef> {
    let Some(function) = library::functions(name).first() else { return Ok(values) };
    let Method::Kernel(kernel) = function.method else { return Ok(values) };
    let result = match function.shape {
        Some(shape) => shape(&[crate::function::ArgumentShape { ty: &source, constant: None }])?,
        None => Type::of(function.result),
    };
    let rows = values.len();
    kernel(&Call::new(vec![source], result, &[ColumnarValue::Array(values)], rows, None)?)
}
