//! What a group has gathered, as bytes: how partial aggregates hand their states on.

use arrow::datatypes::i256;

use crate::datetime::Interval;
use crate::error::{PgError, Result};
use crate::function::TimeTz;

/// A part of a state that can be written as bytes and read back.
pub(super) trait Saved: Sized {
    /// Appends the bytes.
    fn write(&self, out: &mut Vec<u8>);
    /// Takes the bytes off the front.
    fn restored(from: &mut &[u8]) -> Result<Self>;
}

/// The next bytes.
fn take<'a>(from: &mut &'a [u8], length: usize) -> Result<&'a [u8]> {
    let (head, rest) =
        from.split_at_checked(length).ok_or_else(|| PgError::internal("the state of an aggregate is cut off"))?;
    *from = rest;
    Ok(head)
}

macro_rules! numbers {
    ($($number:ty: $size:literal;)*) => {
        $(
            impl Saved for $number {
                fn write(&self, out: &mut Vec<u8>) {
                    out.extend_from_slice(&self.to_le_bytes());
                }

                fn restored(from: &mut &[u8]) -> Result<Self> {
                    let mut bytes = [0; $size];
                    bytes.copy_from_slice(take(from, $size)?);
                    Ok(<$number>::from_le_bytes(bytes))
                }
            }
        )*
    };
}

numbers! {
    i16: 2;
    i32: 4;
    i64: 8;
    u64: 8;
    i128: 16;
    f32: 4;
    f64: 8;
}

impl Saved for i256 {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_le_bytes());
    }

    fn restored(from: &mut &[u8]) -> Result<Self> {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(take(from, 32)?);
        Ok(i256::from_le_bytes(bytes))
    }
}

impl Saved for bool {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn restored(from: &mut &[u8]) -> Result<Self> {
        Ok(take(from, 1)? != [0])
    }
}

impl<T: Saved> Saved for Option<T> {
    fn write(&self, out: &mut Vec<u8>) {
        self.is_some().write(out);
        if let Some(value) = self {
            value.write(out);
        }
    }

    fn restored(from: &mut &[u8]) -> Result<Self> {
        Ok(if bool::restored(from)? { Some(T::restored(from)?) } else { None })
    }
}

impl Saved for Vec<u8> {
    fn write(&self, out: &mut Vec<u8>) {
        (self.len() as u64).write(out);
        out.extend_from_slice(self);
    }

    fn restored(from: &mut &[u8]) -> Result<Self> {
        let length = u64::restored(from)?;
        let length = usize::try_from(length).map_err(|_| PgError::internal("the state of an aggregate is too long"))?;
        Ok(take(from, length)?.to_vec())
    }
}

impl Saved for Interval {
    fn write(&self, out: &mut Vec<u8>) {
        self.months.write(out);
        self.days.write(out);
        self.time_us.write(out);
    }

    fn restored(from: &mut &[u8]) -> Result<Self> {
        Ok(Interval { months: i32::restored(from)?, days: i32::restored(from)?, time_us: i64::restored(from)? })
    }
}

impl Saved for TimeTz {
    fn write(&self, out: &mut Vec<u8>) {
        self.time_us.write(out);
        self.offset_s.write(out);
    }

    fn restored(from: &mut &[u8]) -> Result<Self> {
        Ok(TimeTz { time_us: i64::restored(from)?, offset_s: i32::restored(from)? })
    }
}

/// Saves a state field by field; fields that hold nothing but a type are made anew.
macro_rules! saved {
    ($($field:ident),+) => {
        fn save(&self, out: &mut Vec<u8>) {
            $(crate::library::aggregate::saved::Saved::write(&self.$field, out);)+
        }

        #[allow(clippy::needless_update)]
        fn restore(from: &mut &[u8]) -> crate::error::Result<Self> {
            Ok(Self {
                $($field: crate::library::aggregate::saved::Saved::restored(from)?,)+
                ..Self::default()
            })
        }
    };
}
pub(super) use saved;
