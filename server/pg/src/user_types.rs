//! Types that users make, in text: labels of enums by the numbers that carry them.

use std::collections::HashMap;
use std::sync::Arc;

use catalog::user_type::EnumLabel;
use catalog::{SqlType, UserType, UserTypeKind};

use crate::error::{PgError, Result};
use crate::expression_type::Type;
use crate::names::{self, Definition};
use crate::sqlstate::SqlState;
use crate::types::{RECORD, type_name};

/// The labels of an enum.
#[derive(Debug, Clone)]
pub struct EnumLabels {
    ty: Arc<UserType>,
}

impl EnumLabels {
    /// Of the enum with this number, if it is one.
    pub fn of(oid: u32) -> Option<Self> {
        match names::definition(oid)? {
            Definition::User(ty) if matches!(ty.kind, UserTypeKind::Enum(_)) => Some(EnumLabels { ty }),
            _ => None,
        }
    }

    /// As [`EnumLabels::of`], where analysis has made sure that it is one.
    ///
    /// # Errors
    /// It is none.
    pub fn must(oid: u32) -> Result<Self> {
        EnumLabels::of(oid).ok_or_else(|| PgError::internal(format!("type {oid} is not an enum")))
    }

    /// The labels, in their order.
    pub fn labels(&self) -> &[EnumLabel] {
        match &self.ty.kind {
            UserTypeKind::Enum(labels) => labels,
            _ => &[],
        }
    }

    /// The numbers by label.
    pub fn numbers(&self) -> HashMap<&str, i64> {
        self.labels().iter().map(|label| (label.label.as_str(), label.number)).collect()
    }

    /// The labels by number.
    pub fn by_number(&self) -> HashMap<i64, String> {
        self.labels().iter().map(|label| (label.number, label.label.clone())).collect()
    }

    /// The error of a text that is no label.
    pub fn invalid(&self, text: &str) -> PgError {
        let name = type_name(self.ty.oid.0);
        let message = format!("invalid input value for enum {name}: \"{text}\"");
        PgError::new(SqlState::INVALID_TEXT_REPRESENTATION, message)
    }
}

/// Whether a type is an enum.
pub fn is_enum(oid: u32) -> bool {
    names::definition(oid).is_some_and(|it| it.is_enum())
}

/// Whether a type is composite: one that was made so, or the rows of a table.
pub fn is_composite(oid: u32) -> bool {
    names::definition(oid).is_some_and(|it| it.is_composite())
}

/// Whether values of a type are records: of a composite type, or of none that has a name.
pub fn is_record(oid: u32) -> bool {
    oid == RECORD || is_composite(oid)
}

/// Whether a type is a domain.
pub fn is_domain(oid: u32) -> bool {
    names::definition(oid).is_some_and(|it| it.domain_base().is_some())
}

/// The type that operators and functions see: what a domain narrows, through all of its domains.
pub fn base_type(ty: &Type) -> Type {
    let mut base = ty.clone();
    while let Some(narrowed) = names::definition(base.oid).and_then(|it| it.domain_base()) {
        base = Type { oid: narrowed.oid().0, typmod: narrowed.typmod(), arrow: base.arrow };
    }
    base
}

/// The number of [`base_type`].
pub fn base_number(oid: u32) -> u32 {
    match names::definition(oid).and_then(|it| it.domain_base()) {
        Some(base) => base_number(base.oid().0),
        None => oid,
    }
}

/// The number by which operators and functions are found: that of [`base_type`], but of a domain over an enum its own, since
/// PostgreSQL does not take that for an enum.
pub fn operand_number(oid: u32) -> u32 {
    let base = base_number(oid);
    if is_enum(base) { oid } else { base }
}

/// The type of a column.
pub fn type_of_column(sql_type: &SqlType) -> Type {
    Type { oid: sql_type.oid().0, typmod: sql_type.typmod(), arrow: sql_type.in_flight() }
}
