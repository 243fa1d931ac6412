//! Types of times and intervals that have a precision or fields.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::SqlType;
use crate::name::Oid;

/// `timestamp(3)`, `time(0) with time zone`, `interval day to second(3)` and the like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ModifiedType {
    oid: u32,
    pub(super) typmod: i32,
}

/// The fields of an interval, as its modifier has them in the upper half (`INTERVAL_MASK`).
const INTERVAL_FIELDS: &[(i32, &str)] = &[
    (1 << 2, " year"),
    (1 << 1, " month"),
    (1 << 3, " day"),
    (1 << 10, " hour"),
    (1 << 11, " minute"),
    (1 << 12, " second"),
    (1 << 2 | 1 << 1, " year to month"),
    (1 << 3 | 1 << 10, " day to hour"),
    (1 << 3 | 1 << 10 | 1 << 11, " day to minute"),
    (1 << 3 | 1 << 10 | 1 << 11 | 1 << 12, " day to second"),
    (1 << 10 | 1 << 11, " hour to minute"),
    (1 << 10 | 1 << 11 | 1 << 12, " hour to second"),
    (1 << 11 | 1 << 12, " minute to second"),
];
/// The precision of an interval's modifier that says nothing about it.
const FULL_PRECISION: i32 = 0xffff;

impl ModifiedType {
    /// The type with a modifier, if it is one of times or intervals.
    pub(super) fn new(plain: &SqlType, typmod: i32) -> Option<Self> {
        let has_precision = matches!(
            plain,
            SqlType::Time | SqlType::TimeTz | SqlType::Timestamp | SqlType::TimestampTz | SqlType::Interval
        );
        (has_precision && typmod >= 0).then(|| ModifiedType { oid: plain.oid().0, typmod })
    }

    /// The type without its modifier.
    pub fn plain(self) -> SqlType {
        // Only `new` makes one, from a type that has this number.
        SqlType::from_oid(Oid(self.oid), -1).unwrap_or(SqlType::Timestamp)
    }
}

impl fmt::Display for ModifiedType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.plain().base_name();
        if self.plain() != SqlType::Interval {
            let (first, rest) = name.split_once(' ').unwrap_or((name, ""));
            return write!(f, "{first}({}) {rest}", self.typmod);
        }
        let (fields, precision) = (self.typmod >> 16, self.typmod & 0xffff);
        let fields = INTERVAL_FIELDS.iter().find(|it| it.0 == fields).map_or("", |it| it.1);
        if precision == FULL_PRECISION { write!(f, "{name}{fields}") } else { write!(f, "{name}{fields}({precision})") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_format_type() {
        for (oid, typmod, name) in [
            (1114, 3, "timestamp(3) without time zone"),
            (1184, 0, "timestamp(0) with time zone"),
            (1266, 2, "time(2) with time zone"),
            (1186, 0x7fff << 16 | 3, "interval(3)"),
            (1186, (1 << 3 | 1 << 10 | 1 << 11 | 1 << 12) << 16 | 2, "interval day to second(2)"),
            (1186, (1 << 2) << 16 | 0xffff, "interval year"),
        ] {
            let modified = SqlType::from_oid(Oid(oid), typmod).unwrap();
            assert_eq!(modified.to_string(), name);
            assert_eq!((modified.oid().0, modified.typmod()), (oid, typmod));
            assert_eq!(SqlType::array_of(modified.clone()).to_string(), format!("{name}[]"));
        }
    }
}
