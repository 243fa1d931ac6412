//! Values in the protocol's binary format, as PostgreSQL's send functions write them.
//!
//! The described type decides, not the Arrow type: a column described as `integer` is sent as four bytes whatever holds
//! its values. Types without an entry here are refused, so that a client asks again in text; strings that stand for a
//! number or a `uuid` are among them.

use arrow::array::{Array, AsArray, StructArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Int32Type, Time64MicrosecondType};
use bytes::{BufMut, BytesMut};

use super::{EncodeError, NULL_LENGTH, set_length};
use crate::wire::encoding::in_encoding;
use pg::column_readers::*;
use pg::datetime::{
    DATE_INFINITY, DATE_MINUS_INFINITY, EPOCH_2000_DAYS, EPOCH_2000_US, TIMESTAMP_INFINITY, TIMESTAMP_MINUS_INFINITY,
};
use pg::encoding::Encoding;
use pg::input::scalars;
use pg::output::{self, OutputError};
use pg::user_types::base_type;
use pg::{Type, names, numeric, types};

/// Appends the binary value of a row, which must not be NULL.
pub(super) type BinaryWriter<'a> = Box<dyn Fn(usize, &mut BytesMut) -> Result<(), EncodeError> + 'a>;

/// The version that a `jsonb` value starts with; what follows is its text.
const JSONB_VERSION: u8 = 1;

/// The function that writes the values of a column described with this type.
pub(super) fn binary_writer<'a>(
    array: &'a dyn Array,
    oid: u32,
    typmod: i32,
    encoding: Encoding,
) -> Result<BinaryWriter<'a>, EncodeError> {
    let data_type = array.data_type();
    Ok(match (oid, data_type) {
        (_, DataType::Null) => Box::new(|_, _| Ok(())),
        (_, DataType::Dictionary(_, _)) => {
            let (keys, values) = dictionary_parts(array);
            let write = binary_writer(values, oid, typmod, encoding)?;
            Box::new(move |row, out| write(keys[row], out))
        }
        (_, DataType::RunEndEncoded(_, _)) => {
            let (position, values) = run_parts(array);
            let write = binary_writer(values, oid, typmod, encoding)?;
            Box::new(move |row, out| write(position(row), out))
        }
        (types::BOOL, DataType::Boolean) => {
            let values = array.as_boolean();
            plain(move |row, out| out.put_u8(u8::from(values.value(row))))
        }
        (types::INT2 | types::INT4 | types::INT8, it) if it.is_integer() => integer_writer(array, oid),
        (oid, it) if types::is_object_number(oid) && it.is_integer() => integer_writer(array, oid),
        (types::FLOAT4 | types::FLOAT8, it) if it.is_floating() => float_writer(array, oid),
        (types::NUMERIC, it) if it.is_decimal() || it.is_integer() => numeric_writer(array, typmod),
        (types::BYTEA, _) => {
            let bytes = bytes_reader(array);
            plain(move |row, out| out.put_slice(bytes(row)))
        }
        (types::UUID, DataType::FixedSizeBinary(_)) => {
            let bytes = bytes_reader(array);
            plain(move |row, out| out.put_slice(bytes(row)))
        }
        (types::DATE | types::TIME | types::TIMESTAMP | types::TIMESTAMPTZ | types::INTERVAL, _) => {
            datetime_writer(array, oid)
        }
        (types::TIMETZ, DataType::Struct(_)) => timetz_writer(array.as_struct(), oid)?,
        (types::RECORD, DataType::Struct(_)) => record_writer(array.as_struct(), encoding)?,
        (oid, it) if names::is_user_number(oid) && !it.is_list() => user_type_writer(array, oid, encoding)?,
        (_, it) if it.is_list() => array_writer(array, oid, typmod, encoding)?,
        (types::CHAR, it) if it.is_string() => {
            let string = string_reader(array);
            plain(move |row, out| out.put_u8(scalars::char_byte(string(row))))
        }
        (types::JSON, DataType::Map(_, _)) => text_writer(array, oid, typmod, encoding)?,
        (oid, it) if it.is_string() && has_text_format(oid) => {
            let write = text_writer(array, oid, typmod, encoding)?;
            if oid != types::JSONB {
                return Ok(write);
            }
            Box::new(move |row, out| {
                out.put_u8(JSONB_VERSION);
                write(row, out)
            })
        }
        _ => return Err(no_binary_format(oid)),
    })
}

fn no_binary_format(oid: u32) -> EncodeError {
    EncodeError::NoBinaryFormat { type_name: types::type_name(oid) }
}

fn plain<'a>(write: impl Fn(usize, &mut BytesMut) + 'a) -> BinaryWriter<'a> {
    Box::new(move |row, out| {
        write(row, out);
        Ok(())
    })
}

/// Whether the binary format of a type is its text.
pub(super) fn has_text_format(oid: u32) -> bool {
    use types::{BPCHAR, CHAR, HLLSKETCH, JSON, JSONB, NAME, TEXT, UNKNOWN, VARCHAR, VOID};
    let is_string = matches!(oid, CHAR | NAME | TEXT | UNKNOWN | BPCHAR | VARCHAR | VOID);
    is_string || matches!(oid, JSON | JSONB | HLLSKETCH | types::PG_NODE_TREE)
}

fn text_writer<'a>(
    array: &'a dyn Array,
    oid: u32,
    typmod: i32,
    encoding: Encoding,
) -> Result<BinaryWriter<'a>, EncodeError> {
    let write = output::text_writer(array, oid, typmod)?;
    Ok(Box::new(move |row, out| in_encoding(encoding, out, |out| Ok(write(row, out)?))))
}

fn integer_writer(array: &dyn Array, oid: u32) -> BinaryWriter<'_> {
    let integer = integer_reader(array);
    Box::new(move |row, out| {
        let out_of_range = || EncodeError::OutOfRange { type_name: types::type_name(oid) };
        let value = integer(row).ok_or_else(out_of_range)?;
        match oid {
            types::INT2 => out.put_i16(value.try_into().map_err(|_| out_of_range())?),
            types::INT4 => out.put_i32(value.try_into().map_err(|_| out_of_range())?),
            types::INT8 => out.put_i64(value),
            _ => out.put_u32(value.try_into().map_err(|_| out_of_range())?),
        }
        Ok(())
    })
}

fn float_writer(array: &dyn Array, oid: u32) -> BinaryWriter<'_> {
    let float = float_reader(array);
    if oid == types::FLOAT4 {
        return plain(move |row, out| out.put_f32(float(row) as f32));
    }
    plain(move |row, out| out.put_f64(float(row)))
}

fn numeric_writer(array: &dyn Array, typmod: i32) -> BinaryWriter<'_> {
    let trim = output::is_unconstrained(array.data_type(), typmod);
    let decimal = decimal_reader(array);
    plain(move |row, out| {
        decimal(row, &mut |negative, digits, scale| {
            // As in text: a column without a declared scale does not mean the zeros at the end.
            let (digits, scale) = if trim { output::trim_zeros(digits, scale) } else { (digits, scale) };
            numeric::write_binary(negative, digits, scale, out);
        });
    })
}

fn datetime_writer(array: &dyn Array, oid: u32) -> BinaryWriter<'_> {
    match oid {
        types::DATE => {
            let date = date_reader(array);
            Box::new(move |row, out| {
                out.put_i32(date(row).and_then(date_since_2000).ok_or(OutputError::DateOutOfRange)?);
                Ok(())
            })
        }
        types::TIME => {
            let time = time_reader(array);
            plain(move |row, out| out.put_i64(time(row)))
        }
        types::INTERVAL => {
            let interval = interval_reader(array);
            Box::new(move |row, out| {
                let (months, days, time_us) = interval(row).ok_or(OutputError::IntervalOutOfRange)?;
                out.put_i64(time_us);
                out.put_i32(days);
                out.put_i32(months);
                Ok(())
            })
        }
        _ => {
            let timestamp = timestamp_reader(array);
            Box::new(move |row, out| {
                out.put_i64(timestamp(row).and_then(timestamp_since_2000).ok_or(OutputError::TimestampOutOfRange)?);
                Ok(())
            })
        }
    }
}

pub(super) fn date_since_2000(day: i32) -> Option<i32> {
    match day {
        DATE_INFINITY | DATE_MINUS_INFINITY => Some(day),
        _ => day.checked_sub(EPOCH_2000_DAYS),
    }
}

pub(super) fn timestamp_since_2000(timestamp_us: i64) -> Option<i64> {
    match timestamp_us {
        TIMESTAMP_INFINITY | TIMESTAMP_MINUS_INFINITY => Some(timestamp_us),
        _ => timestamp_us.checked_sub(EPOCH_2000_US),
    }
}

/// The zone is sent as seconds west of UTC.
fn timetz_writer(array: &StructArray, oid: u32) -> Result<BinaryWriter<'_>, EncodeError> {
    let times = array.columns().first().and_then(|it| it.as_primitive_opt::<Time64MicrosecondType>());
    let offsets = array.columns().get(1).and_then(|it| it.as_primitive_opt::<Int32Type>());
    let (Some(times), Some(offsets)) = (times, offsets) else { return Err(no_binary_format(oid)) };
    Ok(plain(move |row, out| {
        out.put_i64(times.value(row));
        out.put_i32(offsets.value(row).wrapping_neg());
    }))
}

/// The values inside a container, each after its length.
struct ElementWriter<'a> {
    nulls: Option<NullBuffer>,
    write: BinaryWriter<'a>,
}

impl<'a> ElementWriter<'a> {
    fn new(values: &'a dyn Array, oid: u32, typmod: i32, encoding: Encoding) -> Result<Self, EncodeError> {
        Ok(ElementWriter { nulls: values.logical_nulls(), write: binary_writer(values, oid, typmod, encoding)? })
    }

    fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }

    fn write(&self, row: usize, out: &mut BytesMut) -> Result<(), EncodeError> {
        if self.is_null(row) {
            out.put_i32(NULL_LENGTH);
            return Ok(());
        }
        let start = out.len();
        out.put_i32(0);
        (self.write)(row, out)?;
        set_length(start, out.len() - start - 4, out);
        Ok(())
    }
}

/// Labels of enums are sent as text, records of composite types as other records, values of domains as what they narrow.
fn user_type_writer(array: &dyn Array, oid: u32, encoding: Encoding) -> Result<BinaryWriter<'_>, EncodeError> {
    let base = base_type(&Type { oid, typmod: -1, arrow: array.data_type().clone() });
    match array.data_type() {
        _ if base.oid != oid => binary_writer(array, base.oid, base.typmod, encoding),
        DataType::Struct(_) => record_writer(array.as_struct(), encoding),
        _ => text_writer(array, oid, -1, encoding),
    }
}

/// A record says of each field its type, its length and its value.
fn record_writer(array: &StructArray, encoding: Encoding) -> Result<BinaryWriter<'_>, EncodeError> {
    let mut fields = Vec::with_capacity(array.num_columns());
    for (column, field) in array.columns().iter().zip(array.fields()) {
        let described = types::describe_for_client(field);
        fields.push((described.oid, ElementWriter::new(column, described.oid, described.typmod, encoding)?));
    }
    Ok(Box::new(move |row, out| {
        out.put_i32(fields.len() as i32);
        for (oid, field) in &fields {
            out.put_u32(*oid);
            field.write(row, out)?;
        }
        Ok(())
    }))
}

/// Arrays have a header of their own: dimensions, whether there are NULLs, the element type, then length and lower bound
/// of each dimension.
fn array_writer<'a>(
    array: &'a dyn Array,
    oid: u32,
    typmod: i32,
    encoding: Encoding,
) -> Result<BinaryWriter<'a>, EncodeError> {
    let mut levels = vec![list_parts(array)];
    let (values, element) = loop {
        let Some(ListParts { values, element, .. }) = levels.last() else { return Err(no_binary_format(oid)) };
        let (values, element): (&dyn Array, _) = (*values, *element);
        if !element.data_type().is_list() {
            break (values, element);
        }
        levels.push(list_parts(values));
    };
    let described = types::describe(element);
    let element_oid = types::element_type(oid).unwrap_or(described.oid);
    let typmod = if described.typmod >= 0 { described.typmod } else { typmod };
    let lower_bound = if matches!(oid, types::INT2VECTOR | types::OIDVECTOR) { 0 } else { 1 };
    let elements = ElementWriter::new(values, element_oid, typmod, encoding)?;
    Ok(Box::new(move |row, out| {
        let mut rows = vec![row];
        let mut lengths = Vec::with_capacity(levels.len());
        for level in &levels {
            let members: Vec<usize> = rows.iter().flat_map(|row| (level.range)(*row)).collect();
            lengths.push(members.len() / rows.len().max(1));
            rows = members;
        }
        // An array without elements has no dimensions.
        let dimensions = if rows.is_empty() { &[][..] } else { &lengths };
        out.put_i32(dimensions.len() as i32);
        out.put_i32(i32::from(rows.iter().any(|row| elements.is_null(*row))));
        out.put_u32(element_oid);
        for length in dimensions {
            out.put_i32(*length as i32);
            out.put_i32(lower_bound);
        }
        rows.iter().try_for_each(|row| elements.write(*row, out))
    }))
}
