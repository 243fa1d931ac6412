//! Rows that are written as values of a composite type (PostgreSQL's `coerce_record_to_complex`). Other records, whose
//! fields are only known by their values, are not cast to one.

use arrow::datatypes::DataType;
use pg::Type;
use pg::error::{PgError, Result};
use pg::function::CastContext;
use pg::sqlstate::SqlState;
use pg::types::RECORD;
use pg::user_types::is_composite;
use sqlparser::ast;

use crate::analyze::Analyzer;
use crate::analyze::call::bound_call;
use crate::analyze::coerce::native;
use crate::analyze::expression::row_values;
use crate::analyze::typed::Typed;

impl Analyzer<'_> {
    /// `ROW(…)::t`: each value becomes one of its field's type.
    pub(super) fn row_as_composite(
        &mut self,
        values: &[&ast::Expr],
        wanted: &Type,
        context: CastContext,
    ) -> crate::error::Result<Typed> {
        let expected: Vec<_> = match &wanted.arrow {
            DataType::Struct(fields) => fields.iter().map(|field| Type::of_field(field)).collect(),
            _ => Vec::new(),
        };
        let mut fields = Vec::with_capacity(values.len());
        for (place, value) in values.iter().enumerate() {
            let field = expected.get(place).filter(|field| is_composite(field.oid));
            fields.push(match (field, row_values(value)) {
                (Some(field), Some(inner)) => self.row_as_composite(&inner, field, context)?,
                _ => self.expression(value)?,
            });
        }
        Ok(self.fields_as_composite(fields, wanted, context)?)
    }

    /// Each field as one of its type.
    ///
    /// # Errors
    /// 42846 when there are more or fewer fields, or one cannot be cast.
    fn fields_as_composite(&mut self, fields: Vec<Typed>, wanted: &Type, context: CastContext) -> Result<Typed> {
        let DataType::Struct(expected) = &wanted.arrow else {
            return Err(PgError::internal("a composite type is carried as something else"));
        };
        let record = Type { oid: RECORD, ..wanted.clone() };
        if fields.len() < expected.len() {
            return Err(cannot_cast(&record, wanted, "Input has too few columns."));
        }
        if fields.len() > expected.len() {
            return Err(cannot_cast(&record, wanted, "Input has too many columns."));
        }
        let mut values = Vec::with_capacity(fields.len());
        for (number, (value, field)) in (1..).zip(fields.into_iter().zip(expected)) {
            let ty = Type::of_field(field);
            let source = value.ty.clone();
            let value = self.coerce(value, &ty, context).map_err(|error| match error.sqlstate {
                SqlState::CANNOT_COERCE => {
                    let detail = format!("Cannot cast type {} to {} in column {number}.", source.name(), ty.name());
                    cannot_cast(&record, wanted, &detail)
                }
                _ => error,
            })?;
            values.push(native(value, ty));
        }
        let function = pg::library::functions("row").first().copied();
        let function = function.ok_or_else(|| PgError::internal("there is no row constructor"))?;
        bound_call(function, values, wanted.clone(), CastContext::Implicit, &self.session)
    }
}

fn cannot_cast(from: &Type, to: &Type, detail: &str) -> PgError {
    let message = format!("cannot cast type {} to {}", from.name(), to.name());
    PgError::new(SqlState::CANNOT_COERCE, message).with_detail(detail)
}
