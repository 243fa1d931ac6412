//! The hash of a key: equal keys have equal hashes, whatever their types carry that does not count.

use arrow::array::{ArrayRef, AsArray, Float32Array, Float64Array};
use arrow::datatypes::{DataType, Float32Type, Float64Type};
use arrow::error::ArrowError;
use arrow::row::{RowConverter, SortField};
use catalog::SqlType;
use catalog::user_type::Carried;
use std::sync::Arc;
use twox_hash::XxHash64;

/// The two hashes of 64 bits that make up one of 128. Files hold the first, so it must stay what it is.
const SEEDS: [u64; 2] = [0x7468_6572_6d6f_636c, 0x696e_6520_6b65_7973];

/// The hash of a key. Of as many different keys as a table can have, no two are expected to have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyHash(u128);

impl KeyHash {
    fn of(bytes: &[u8]) -> Self {
        let [first, second] = SEEDS.map(|seed| u128::from(XxHash64::oneshot(seed, bytes)));
        KeyHash(first << 64 | second)
    }

    /// The part of it that files hold. A few different keys may share it.
    pub fn short(self) -> u64 {
        (self.0 >> 64) as u64
    }
}

/// Makes hashes of the values of a key's columns.
#[derive(Debug)]
pub struct KeyHasher {
    converter: RowConverter,
    nulls_not_distinct: bool,
}

impl KeyHasher {
    /// For columns of these types, in flight.
    ///
    /// # Errors
    /// A type that has no order of Arrow's.
    pub fn new(types: impl Iterator<Item = DataType>, nulls_not_distinct: bool) -> Result<Self, ArrowError> {
        let converter = RowConverter::new(types.map(SortField::new).collect())?;
        Ok(KeyHasher { converter, nulls_not_distinct })
    }

    /// Of each row its hash; `None` where a NULL makes it different from every other.
    ///
    /// # Errors
    /// Columns of other types: a bug.
    pub fn hashes(&self, columns: &[ArrayRef]) -> Result<Vec<Option<KeyHash>>, ArrowError> {
        let columns: Vec<ArrayRef> = columns.iter().map(without_signs_of_zero).collect();
        let rows = self.converter.convert_columns(&columns)?;
        let has_null = |row: usize| columns.iter().any(|column| column.is_null(row));
        let hash = |row: usize| {
            let counts = self.nulls_not_distinct || !has_null(row);
            counts.then(|| KeyHash::of(rows.row(row).as_ref()))
        };
        Ok((0..rows.num_rows()).map(hash).collect())
    }
}

/// PostgreSQL has one zero and one NaN, Arrow's order tells several apart.
fn without_signs_of_zero(column: &ArrayRef) -> ArrayRef {
    fn single<F: num_like::Float>(value: F) -> F {
        value.single()
    }
    match column.data_type() {
        DataType::Float32 => {
            let values: Float32Array = column.as_primitive::<Float32Type>().unary(single);
            Arc::new(values)
        }
        DataType::Float64 => {
            let values: Float64Array = column.as_primitive::<Float64Type>().unary(single);
            Arc::new(values)
        }
        _ => column.clone(),
    }
}

mod num_like {
    /// A floating-point number.
    pub(super) trait Float: Copy {
        /// The one that stands for all that are equal to it.
        fn single(self) -> Self;
    }

    impl Float for f32 {
        fn single(self) -> Self {
            if self.is_nan() { f32::NAN } else { self + 0.0 }
        }
    }

    impl Float for f64 {
        fn single(self) -> Self {
            if self.is_nan() { f64::NAN } else { self + 0.0 }
        }
    }
}

/// Whether values of the type are equal when what is stored of them is, so that they can be keys.
pub fn can_be_key(sql_type: &SqlType) -> bool {
    match sql_type {
        SqlType::Boolean
        | SqlType::SmallInt
        | SqlType::Integer
        | SqlType::BigInt
        | SqlType::Real
        | SqlType::Double
        | SqlType::Numeric(_)
        | SqlType::Text
        | SqlType::Varchar(_)
        | SqlType::Char(_)
        | SqlType::Bytea
        | SqlType::Date
        | SqlType::Time
        | SqlType::Timestamp
        | SqlType::TimestampTz
        | SqlType::Uuid
        | SqlType::Oid
        | SqlType::Name
        | SqlType::SingleByte => true,
        SqlType::Modified(modified) => can_be_key(&modified.plain()),
        SqlType::User(user) => match user.carried() {
            Carried::Number => true,
            Carried::As(base) => can_be_key(base),
            Carried::Array(_) | Carried::Record(_) => false,
        },
        // 1 month = 30 days, 12:00+00 ≠ 13:00+01 at the same moment, {"a":1} = {"a":1.0}, and what is made of these.
        SqlType::Interval
        | SqlType::TimeTz
        | SqlType::Json
        | SqlType::Jsonb
        | SqlType::HllSketch
        | SqlType::Array(_)
        | SqlType::List(_)
        | SqlType::Struct(_)
        | SqlType::Map(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Array, Int32Array, StringViewArray};

    fn hashes(columns: Vec<ArrayRef>, nulls_not_distinct: bool) -> Vec<Option<KeyHash>> {
        let types = columns.iter().map(|column| column.data_type().clone());
        KeyHasher::new(types, nulls_not_distinct).unwrap().hashes(&columns).unwrap()
    }

    #[test]
    fn files_of_earlier_versions_stay_good() {
        let number: ArrayRef = Arc::new(Int32Array::from(vec![42]));
        let text: ArrayRef = Arc::new(StringViewArray::from(vec!["a key of more than twelve bytes"]));
        let hash = hashes(vec![number, text], false)[0].unwrap();
        assert_eq!(hash.short(), 8_334_764_261_919_396_723, "raise run::FORMAT when the hash of a key changes");
    }

    #[test]
    fn what_postgresql_takes_for_equal_has_one_hash() {
        let values = [0.0, -0.0, f64::NAN, -f64::NAN, 1.0];
        let hashes = hashes(vec![Arc::new(Float64Array::from_iter_values(values))], false);
        assert_eq!((hashes[0], hashes[2]), (hashes[1], hashes[3]));
        assert_ne!(hashes[0], hashes[4]);
    }

    #[test]
    fn a_null_differs_from_every_other_unless_it_is_said_not_to() {
        let column = || -> ArrayRef { Arc::new(Int32Array::from(vec![None, None, Some(1)])) };
        assert_eq!(hashes(vec![column()], false)[..2], [None, None]);
        let equal = hashes(vec![column()], true);
        assert_eq!(equal[0], equal[1]);
        assert!(equal[0].is_some() && equal[0] != equal[2]);
    }
}
