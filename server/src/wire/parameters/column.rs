//! The values of a binary COPY, which are sent as parameters are.

use bytes::BytesMut;
use pg::encoding::utf8;
use pg::error::Result;
use pg::function::value::{canonical_f32, canonical_f64};
use pg::input::ColumnBuilder;
use pg::output::text_writer;
use pg::sqlstate::SqlState;
use pg::{PgError, SessionValues};

use super::{binary, decode};
use crate::wire::rows::Format;

/// Adds the value that the bytes are to a column whose type has this OID.
///
/// # Errors
/// The bytes are no value of the type, or not one that the column can hold.
pub fn append(builder: &mut ColumnBuilder, oid: u32, bytes: &[u8], session: &SessionValues) -> Result<()> {
    match builder {
        ColumnBuilder::Boolean(values) => values.append_value(exact::<1>(bytes)? != [0]),
        ColumnBuilder::SmallInt(values) => values.append_value(i16::from_be_bytes(exact(bytes)?)),
        ColumnBuilder::Integer(values) => values.append_value(i32::from_be_bytes(exact(bytes)?)),
        ColumnBuilder::BigInt(values) => values.append_value(i64::from_be_bytes(exact(bytes)?)),
        ColumnBuilder::Real(values) => values.append_value(canonical_f32(f32::from_be_bytes(exact(bytes)?))),
        ColumnBuilder::Double(values) => values.append_value(canonical_f64(f64::from_be_bytes(exact(bytes)?))),
        ColumnBuilder::Bytea(values) => values.append_value(bytes),
        ColumnBuilder::Date(values) => values.append_value(binary::date(i32::from_be_bytes(exact(bytes)?))?),
        ColumnBuilder::Time(values) => values.append_value(binary::time(i64::from_be_bytes(exact(bytes)?))?),
        ColumnBuilder::Timestamp(values) | ColumnBuilder::TimestampTz(values) => {
            values.append_value(binary::timestamp(i64::from_be_bytes(exact(bytes)?))?);
        }
        ColumnBuilder::String(..) => push(builder, &session.client_encoding.decode(bytes)?)?,
        ColumnBuilder::Numeric(..) => push(builder, &binary::numeric_text(bytes)?)?,
        ColumnBuilder::Values(_) => {
            let value = decode(oid, Format::Binary, Some(bytes), session)?.to_array()?;
            let mut text = BytesMut::new();
            text_writer(&value, oid, -1).map_err(unprintable)?(0, &mut text).map_err(unprintable)?;
            push(builder, utf8(&text)?)?;
        }
    }
    Ok(())
}

fn push(builder: &mut ColumnBuilder, text: &str) -> Result<()> {
    Ok(builder.push_text(text)?)
}

fn unprintable(error: pg::output::OutputError) -> PgError {
    PgError::new(error.sqlstate(), error.to_string())
}

/// As many bytes as the type has.
fn exact<const N: usize>(bytes: &[u8]) -> Result<[u8; N]> {
    bytes.try_into().map_err(|_| match bytes.len() < N {
        true => PgError::new(SqlState::PROTOCOL_VIOLATION, "insufficient data left in message"),
        false => PgError::new(SqlState::INVALID_BINARY_REPRESENTATION, "incorrect binary data format"),
    })
}
