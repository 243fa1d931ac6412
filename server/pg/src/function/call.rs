//! One call of a function over a batch of rows.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::{DataType, TimeUnit};
use datafusion_common::ScalarValue;
use datafusion_common::config::ConfigOptions;
use datafusion_expr::ColumnarValue;

use super::CastContext;
use super::argument::{Argument, Column};
use super::value::{ResultBuilder, ResultValue};
use crate::error::{PgError, Result};
use crate::expression_type::Type;
use crate::session::SessionValues;

/// One call of a function over a batch of rows.
#[derive(Debug)]
pub struct Call {
    /// The types of the arguments.
    pub types: Vec<Type>,
    /// The type of the result.
    pub result: Type,
    /// For a cast, where it was applied.
    pub context: CastContext,
    /// The arguments' columns; a constant has one row.
    arrays: Vec<ArrayRef>,
    constant: Vec<bool>,
    rows: usize,
    options: Option<Arc<ConfigOptions>>,
    fallback: SessionValues,
}

impl Call {
    /// A call of a function with these arguments.
    pub fn new(
        types: Vec<Type>,
        result: Type,
        arguments: &[ColumnarValue],
        rows: usize,
        options: Option<Arc<ConfigOptions>>,
    ) -> Result<Self> {
        let mut arrays = Vec::with_capacity(arguments.len());
        let mut constant = Vec::with_capacity(arguments.len());
        for argument in arguments {
            let (array, is_constant) = match argument {
                ColumnarValue::Array(array) => (array.clone(), false),
                ColumnarValue::Scalar(value) => (value.to_array()?, true),
            };
            arrays.push(in_flight(array)?);
            constant.push(is_constant);
        }
        let context = CastContext::Implicit;
        Ok(Call { types, result, context, arrays, constant, rows, options, fallback: SessionValues::default() })
    }

    /// A call on the way of this one, of the same session and context.
    pub fn nested(&self, types: Vec<Type>, result: Type, arguments: &[ColumnarValue], rows: usize) -> Result<Self> {
        let call = Call::new(types, result, arguments, rows, self.options.clone())?;
        Ok(Call { context: self.context, fallback: self.fallback.clone(), ..call })
    }

    /// Rows of the result.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of arguments.
    pub fn width(&self) -> usize {
        self.arrays.len()
    }

    /// An argument's column, with a row for each row of the result.
    pub fn array(&self, argument: usize) -> Result<ArrayRef> {
        let array = &self.arrays[argument];
        if self.constant[argument] && self.rows != 1 {
            return Ok(ScalarValue::try_from_array(array, 0)?.to_array_of_size(self.rows)?);
        }
        Ok(array.clone())
    }

    /// An argument's column as it came: of a constant, one row.
    pub fn compact_array(&self, argument: usize) -> &ArrayRef {
        &self.arrays[argument]
    }

    /// Whether an argument is one value for all rows.
    pub fn is_constant(&self, argument: usize) -> bool {
        self.constant[argument]
    }

    /// An argument's value, when it is one for all rows.
    pub fn constant(&self, argument: usize) -> Result<Option<ScalarValue>> {
        match self.constant[argument] {
            true => Ok(Some(ScalarValue::try_from_array(&self.arrays[argument], 0)?)),
            false => Ok(None),
        }
    }

    /// What the session says.
    pub fn session(&self) -> &SessionValues {
        let options = self.options.as_ref();
        options.and_then(|options| options.extensions.get::<SessionValues>()).unwrap_or(&self.fallback)
    }

    /// A reader of an argument's values.
    pub fn column<'a, A: Argument<'a>>(&'a self, argument: usize) -> Result<Column<'a, A>> {
        let array = self.arrays.get(argument).ok_or_else(|| PgError::internal("a function lacks an argument"))?;
        Column::new(array, self.constant[argument])
    }

    /// The results of a function without arguments, called for each row.
    pub fn map0<R: ResultValue>(&self, mut f: impl FnMut() -> R) -> Result<ArrayRef> {
        let interrupt = &self.session().interrupt;
        let mut builder = R::Builder::new(&self.result, self.rows)?;
        for _ in 0..self.rows {
            interrupt.check()?;
            f().append(&mut builder)?;
        }
        builder.finish()
    }
}

/// Defines the functions that compute a column from a function over single values. An argument that is NULL gives NULL
/// without a call, unless the function takes it as an `Option`; the function may answer with a plain value, an `Option` or
/// a `Result` of either. A statement that has been ended is noticed before each row: a call may take long.
macro_rules! maps {
    ($($name:ident: $($column:ident $argument:ident $number:literal),+;)*) => {
        impl Call {
            $(
                /// The results of a function that is called for each row.
                pub fn $name<'a, $($argument: Argument<'a>,)+ R: ResultValue>(
                    &'a self,
                    mut f: impl FnMut($($argument),+) -> R,
                ) -> Result<ArrayRef> {
                    $(let $column = self.column::<$argument>($number)?;)+
                    let interrupt = &self.session().interrupt;
                    let mut builder = R::Builder::new(&self.result, self.rows)?;
                    for row in 0..self.rows {
                        interrupt.check()?;
                        $(let Some($column) = $column.get(row) else {
                            builder.append_null();
                            continue;
                        };)+
                        f($($column),+).append(&mut builder)?;
                    }
                    builder.finish()
                }
            )*
        }
    };
}

maps! {
    map1: a A 0;
    map2: a A 0, b B 1;
    map3: a A 0, b B 1, c C 2;
    map4: a A 0, b B 1, c C 2, d D 3;
    map5: a A 0, b B 1, c C 2, d D 3, e E 4;
    map6: a A 0, b B 1, c C 2, d D 3, e E 4, g G 5;
    map7: a A 0, b B 1, c C 2, d D 3, e E 4, g G 5, h H 6;
}

/// The column as values are carried in flight, whatever a file or an optimiser made of it.
pub(crate) fn in_flight(array: ArrayRef) -> Result<ArrayRef> {
    let target = match array.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
        DataType::Binary | DataType::LargeBinary => DataType::BinaryView,
        DataType::Dictionary(_, values) if values.is_string() => DataType::Utf8View,
        DataType::Dictionary(_, values) => values.as_ref().clone(),
        DataType::Decimal32(p, s) | DataType::Decimal64(p, s) => DataType::Decimal128(*p, *s),
        DataType::Timestamp(unit, zone) if *unit != TimeUnit::Microsecond => {
            DataType::Timestamp(TimeUnit::Microsecond, zone.clone())
        }
        _ => return Ok(array),
    };
    Ok(arrow::compute::cast(&array, &target)?)
}
