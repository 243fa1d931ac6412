//! The type an expression has: PostgreSQL's type, its modifier, and the Arrow type that carries the values.

use arrow::datatypes::{DataType, Field, IntervalUnit, TimeUnit};
use catalog::SqlType;
use catalog::types::{METADATA_OID, METADATA_TYPMOD, NUMERIC_PRECISION_MAX, NUMERIC_UNCONSTRAINED_SCALE};
use std::sync::Arc;

use crate::names;
use crate::types::{self, *};

/// Digits of the widest number an expression can have on its way: products of columns need more than columns hold.
pub const NUMERIC_PRECISION_IN_FLIGHT_MAX: u8 = arrow::datatypes::DECIMAL256_MAX_PRECISION;

/// What PostgreSQL adds to a length or precision in a type modifier (`VARHDRSZ`).
const TYPMOD_HEADER: i32 = 4;

/// The type of an expression.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Type {
    /// PostgreSQL's number for it: what decides about operators, functions and casts.
    pub oid: u32,
    /// Its modifier, -1 when there is none.
    pub typmod: i32,
    /// How its values are carried. For most types the number decides; a numeric's scale, a record's fields and what an
    /// array is of are known only here.
    pub arrow: DataType,
}

impl Type {
    /// The type with this number and no modifier, carried as values of it usually are.
    pub fn of(oid: u32) -> Self {
        Type::with_typmod(oid, -1)
    }

    /// The type with this number and modifier, carried as values of it usually are.
    pub fn with_typmod(oid: u32, typmod: i32) -> Self {
        Type { oid, typmod, arrow: arrow_type(oid, typmod) }
    }

    /// The type of a table's column.
    pub fn of_column(sql_type: &SqlType) -> Self {
        Type { oid: sql_type.oid().0, typmod: sql_type.typmod(), arrow: sql_type.in_flight() }
    }

    /// A `numeric` without modifier, whose values have at most so many digits, and so many of them after the point:
    /// 128 bits wide where that is enough, else 256.
    pub fn numeric(precision: u8, scale: i8) -> Self {
        Type { oid: NUMERIC, typmod: -1, arrow: decimal_type(precision, scale) }
    }

    /// An array of this type.
    pub fn array_of(element: &Type) -> Option<Self> {
        let oid = types::array_type(element.oid)?;
        Some(Type { oid, typmod: element.typmod, arrow: list_of(element.arrow.clone()) })
    }

    /// The type of an array's elements; of an array of arrays, those of the innermost.
    pub fn element(&self) -> Option<Self> {
        let oid = types::element_type(self.oid)?;
        let mut arrow = &self.arrow;
        while let DataType::List(field) | DataType::LargeList(field) | DataType::FixedSizeList(field, _) = arrow {
            arrow = field.data_type();
        }
        Some(Type { oid, typmod: self.typmod, arrow: arrow.clone() })
    }

    /// The type of a column as a plan's schema describes it.
    pub fn of_field(field: &Field) -> Self {
        let described = types::describe(field);
        let declared = field.metadata().contains_key(METADATA_OID);
        let typmod = if declared || described.oid != NUMERIC { described.typmod } else { -1 };
        Type { oid: described.oid, typmod, arrow: field.data_type().clone() }
    }

    /// A column of this type, whose metadata says what Arrow's type does not.
    pub fn field(&self, name: &str) -> Field {
        let mut metadata = vec![(METADATA_OID.to_owned(), self.oid.to_string())];
        if self.typmod >= 0 {
            metadata.push((METADATA_TYPMOD.to_owned(), self.typmod.to_string()));
        }
        Field::new(name, self.arrow.clone(), true).with_metadata(metadata.into_iter().collect())
    }

    /// Whether values are `character` whose blanks are carried: there is no length that tells them.
    pub fn carries_blanks(&self) -> bool {
        self.oid == BPCHAR && self.typmod < 0
    }

    /// The type of what a function makes of single values of this one. PostgreSQL's has no modifier; here a `character`
    /// keeps its length, without which its values cannot be printed.
    #[must_use]
    pub fn of_result(&self) -> Self {
        let is_padded = self.oid == BPCHAR || types::element_type(self.oid) == Some(BPCHAR);
        Type { typmod: if is_padded { self.typmod } else { -1 }, ..self.clone() }
    }

    /// Digits in all and after the point of a numeric; of an integer, those it has at most. `None` of other types.
    pub fn digits(&self) -> Option<(u8, i8)> {
        match &self.arrow {
            DataType::Decimal32(p, s)
            | DataType::Decimal64(p, s)
            | DataType::Decimal128(p, s)
            | DataType::Decimal256(p, s) => Some((*p, *s)),
            DataType::Int16 => Some((5, 0)),
            DataType::Int32 | DataType::UInt32 => Some((10, 0)),
            DataType::Int64 => Some((19, 0)),
            _ => None,
        }
    }

    /// The name as `format_type` prints it, without the modifier.
    pub fn name(&self) -> String {
        types::type_name(self.oid)
    }
}

/// A list of this type, as arrays are carried.
pub fn list_of(element: DataType) -> DataType {
    DataType::List(list_item(element))
}

/// The field of such a list's elements.
pub fn list_item(element: DataType) -> Arc<Field> {
    Arc::new(Field::new("item", element, true))
}

/// The decimal that holds so many digits.
pub fn decimal_type(precision: u8, scale: i8) -> DataType {
    if precision <= NUMERIC_PRECISION_MAX {
        DataType::Decimal128(precision.max(1), scale)
    } else {
        DataType::Decimal256(precision.min(NUMERIC_PRECISION_IN_FLIGHT_MAX), scale)
    }
}

/// The decimal of a `numeric(p, s)`. A scale below zero leaves zeros before the point, one above the precision leaves them
/// behind it; the decimal has room for them.
fn declared_decimal(packed: i32) -> DataType {
    let (precision, scale) = (packed >> 16, ((packed & 0x7ff) ^ 1024) - 1024);
    let limit = i32::from(NUMERIC_PRECISION_IN_FLIGHT_MAX);
    let precision = if scale < 0 { precision - scale } else { precision.max(scale) };
    decimal_type(precision.min(limit) as u8, scale.clamp(0, limit) as i8)
}

/// How values of a type are carried.
pub fn arrow_type(oid: u32, typmod: i32) -> DataType {
    match oid {
        BOOL => DataType::Boolean,
        INT2 => DataType::Int16,
        INT4 => DataType::Int32,
        INT8 => DataType::Int64,
        FLOAT4 => DataType::Float32,
        FLOAT8 => DataType::Float64,
        NUMERIC if typmod >= TYPMOD_HEADER => declared_decimal(typmod - TYPMOD_HEADER),
        NUMERIC => DataType::Decimal128(NUMERIC_PRECISION_MAX, NUMERIC_UNCONSTRAINED_SCALE),
        BYTEA => DataType::BinaryView,
        DATE => DataType::Date32,
        TIME => DataType::Time64(TimeUnit::Microsecond),
        TIMETZ => DataType::Struct(
            vec![
                Field::new("time", DataType::Time64(TimeUnit::Microsecond), false),
                Field::new("offset", DataType::Int32, false),
            ]
            .into(),
        ),
        TIMESTAMP => DataType::Timestamp(TimeUnit::Microsecond, None),
        TIMESTAMPTZ => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        INTERVAL => DataType::Interval(IntervalUnit::MonthDayNano),
        UUID => DataType::FixedSizeBinary(16),
        RECORD => DataType::Struct(Vec::<Field>::new().into()),
        // Nothing, which clients see as an empty text.
        VOID => DataType::Utf8View,
        oid if types::is_object_number(oid) => DataType::UInt32,
        oid if names::is_user_number(oid) => {
            names::definition(oid).map_or(DataType::Utf8View, |definition| definition.sql_type().in_flight())
        }
        oid => match types::element_type(oid) {
            Some(element) => list_of(arrow_type(element, typmod)),
            None => DataType::Utf8View,
        },
    }
}
