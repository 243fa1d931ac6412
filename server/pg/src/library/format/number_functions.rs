//! `to_char` of numbers, and `to_number`.

use arrow::array::ArrayRef;
use arrow::datatypes::DECIMAL256_MAX_PRECISION;

use super::number_template::{self, NumberTemplate};
use super::template::LastTemplate;
use super::{number_text, read_number, write_number};
use crate::error::Result;
use crate::expression_type::Type;
use crate::function::{ArgumentShape, Call, Function, Numeric, function};
use crate::types::*;

/// The functions.
pub static FUNCTIONS: &[Function] = &[
    function("to_char", &[INT4, TEXT], TEXT, int4_to_char).stable(),
    function("to_char", &[INT8, TEXT], TEXT, int8_to_char).stable(),
    function("to_char", &[NUMERIC, TEXT], TEXT, numeric_to_char).stable(),
    function("to_char", &[FLOAT4, TEXT], TEXT, float4_to_char).stable(),
    function("to_char", &[FLOAT8, TEXT], TEXT, float8_to_char).stable(),
    function("to_number", &[TEXT, TEXT], NUMERIC, to_number).shaped(to_number_shape).stable(),
];

/// Defines a `to_char` from the digits that it shows of a value.
macro_rules! to_char {
    ($($name:ident: $type:ty, |$value:ident, $layout:ident| $number:expr;)*) => {
        $(
            fn $name(call: &Call) -> Result<ArrayRef> {
                let mut template = LastTemplate::new();
                call.map2(|$value: $type, format: &str| {
                    let template: &NumberTemplate = template.get(format, number_template::read)?;
                    let $layout = template.layout;
                    write_number::write(template, $number)
                })
            }
        )*
    };
}

to_char! {
    int4_to_char: i32, |value, layout| number_text::of_int4(value, layout);
    int8_to_char: i64, |value, layout| number_text::of_int8(value, layout)?;
    numeric_to_char: Numeric, |value, layout| number_text::of_numeric(value, layout)?;
    float4_to_char: f32, |value, layout| number_text::of_float4(value, layout);
    float8_to_char: f64, |value, layout| number_text::of_float8(value, layout);
}

fn to_number(call: &Call) -> Result<ArrayRef> {
    let mut template = LastTemplate::new();
    call.map2(|text: &str, format: &str| {
        if format.is_empty() {
            return Ok(None);
        }
        read_number::read(template.get(format, number_template::read)?, text).map(Some)
    })
}

/// As many digits as the template has, where it is known; of one that is wrong, the first row will tell. A known text
/// tells how many it has itself.
fn to_number_shape(arguments: &[ArgumentShape<'_>]) -> Result<Type> {
    let constant = |position: usize| -> Option<&str> { arguments.get(position)?.constant?.try_as_str().flatten() };
    let Some(Ok(template)) = constant(1).map(number_template::read) else { return Ok(Type::of(NUMERIC)) };
    let layout = template.layout;
    let widest = i32::from(DECIMAL256_MAX_PRECISION);
    let scale = match constant(0).map(|text| read_number::read(&template, text)) {
        Some(Ok(number)) => i32::from(number.scale),
        _ if layout.shifted => i32::from(read_number::SHIFTED_SCALE),
        _ => layout.fraction.clamp(0, widest),
    };
    let precision = layout.integer.saturating_add(layout.shift).saturating_add(scale).clamp(1, widest);
    Ok(Type::numeric(precision as u8, scale as i8))
}
