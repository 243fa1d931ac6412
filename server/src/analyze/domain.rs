//! Domains: types that narrow others (PostgreSQL's `coerce_to_domain` and `execExprInterp.c`).
//!
//! A domain's values are carried as those of what it narrows, and operators and functions see only that. What a domain
//! adds is checked where a value becomes one of its values: in a cast, in an assignment, and inside arrays and records of
//! it. [`Constraints`] is what there is to check of a type, [`DomainValue`] the call in a plan that does it.

pub mod constraints;
pub mod value;

use std::sync::Arc;

use catalog::user_type::{Carried, WrittenExpression};
use catalog::{SqlType, UserType, UserTypeKind};
use datafusion::common::{Column, DFSchema};
use pg::error::PgError;
use pg::function::CastContext;
use pg::names::{self, Definition};
use pg::types::element_type;
use pg::user_types::{base_type, type_of_column};
use pg::{Type, types};

use crate::analyze::kept::KeptAs;
use crate::analyze::scope::{Namespace, ScopeColumn};
use crate::analyze::typed::Typed;
use crate::analyze::{Analyzer, coerce::native};
use crate::error::{Error, Result};
use crate::plan::PlanContext;
use constraints::{Check, Constraints};
use value::domain_value;

/// What the conditions of a domain call the value.
const VALUE: &str = "value";

/// What columns of this type have to fulfil; `None` when there is nothing.
///
/// # Errors
/// A condition cannot be read any more.
pub fn column_constraints(context: &PlanContext, sql_type: &SqlType) -> Result<Option<Constraints>> {
    let mut analyzer = Analyzer::new(context, "", Vec::new());
    Ok(analyzer.constraints(&type_of_column(sql_type))?)
}

/// Whether a column's type is a domain, or has one within.
pub fn has_domain(sql_type: &SqlType) -> bool {
    match sql_type {
        SqlType::User(user) => match user.carried() {
            Carried::Number => false,
            Carried::As(_) => true,
            Carried::Array(element) => has_domain(element),
            Carried::Record(fields) => fields.iter().any(|(_, field)| has_domain(field)),
        },
        _ => false,
    }
}

/// The default that a domain has.
fn written_default(sql_type: &SqlType) -> Option<WrittenExpression> {
    match names::definition(sql_type.oid().0)? {
        Definition::User(ty) => match &ty.kind {
            UserTypeKind::Domain(domain) => domain.default.clone(),
            _ => None,
        },
        _ => None,
    }
}

/// What a domain that is to be made, or changed, has to fulfil.
///
/// # Errors
/// A condition is wrong.
pub fn definition_constraints(context: &PlanContext, ty: &UserType) -> Result<Option<Constraints>> {
    let mut analyzer = Analyzer::new(context, "", Vec::new());
    Ok(analyzer.domain_constraints(ty)?)
}

/// Whether the default of a domain can become a value of what it narrows.
///
/// # Errors
/// It cannot.
pub fn check_default(context: &PlanContext, default: &WrittenExpression, base: &SqlType) -> Result<()> {
    let mut analyzer = Analyzer::new(context, "", Vec::new());
    let base = base_type(&type_of_column(base));
    let value = analyzer.written_expression(default, Namespace::default(), KeptAs::Default)?;
    analyzer.coerce(value, &base, CastContext::Assignment).map(|_| ()).map_err(Error::from)
}

impl Analyzer<'_> {
    /// The expression as a value of a domain: cast to what it narrows, then checked.
    ///
    /// # Errors
    /// There is no such cast in this context, or a constant is not a value of what the domain narrows.
    pub(super) fn as_domain(&mut self, value: Typed, wanted: &Type, context: CastContext) -> pg::error::Result<Typed> {
        let base = base_type(&Type::of(wanted.oid));
        let value = self.coerce(value, &base, context)?;
        let value = native(value, base);
        self.checked(value, Type::of(wanted.oid))
    }

    /// The value as one of this type, which is carried alike, once its constraints have been checked.
    pub(super) fn checked(&mut self, value: Typed, ty: Type) -> pg::error::Result<Typed> {
        let ty = Type { arrow: value.ty.arrow.clone(), ..ty };
        match self.constraints(&ty)? {
            Some(constraints) => Ok(domain_value(value, ty, constraints)),
            None => Ok(Typed { expr: value.expr, ty }),
        }
    }

    /// What values of a type have to fulfil.
    pub(super) fn constraints(&mut self, ty: &Type) -> pg::error::Result<Option<Constraints>> {
        if !names::is_user_number(ty.oid) {
            return Ok(None);
        }
        if let Some(element) = element_type(ty.oid) {
            let inside = self.constraints(&Type::of(element))?;
            return Ok(inside.map(|inside| Constraints::Elements(Box::new(inside))));
        }
        match names::definition(ty.oid) {
            Some(Definition::User(user)) => match &user.kind {
                UserTypeKind::Enum(_) => Ok(None),
                UserTypeKind::Domain(_) => self.domain_constraints(&user),
                UserTypeKind::Composite(attributes) => {
                    let fields = attributes.iter().map(|it| self.constraints(&type_of_column(&it.sql_type)));
                    let fields = fields.collect::<pg::error::Result<Vec<_>>>()?;
                    Ok(fields.iter().any(Option::is_some).then_some(Constraints::Fields(fields)))
                }
            },
            _ => Ok(None),
        }
    }

    /// What values of a domain have to fulfil: first what those of the domains that it narrows have.
    fn domain_constraints(&mut self, ty: &UserType) -> pg::error::Result<Option<Constraints>> {
        // The domain itself may be one that is about to be made.
        let value_type = match &ty.kind {
            UserTypeKind::Domain(domain) => base_type(&type_of_column(&domain.base)),
            _ => return Err(PgError::internal("a domain is none")),
        };
        let mut chain = vec![Arc::new(ty.clone())];
        let innermost = loop {
            let Some(UserTypeKind::Domain(domain)) = chain.last().map(|ty| &ty.kind) else {
                return Err(PgError::internal("a domain is none"));
            };
            match names::definition(domain.base.oid().0) {
                Some(Definition::User(base)) if matches!(base.kind, UserTypeKind::Domain(_)) => chain.push(base),
                _ => break type_of_column(&domain.base),
            }
        };
        let (mut not_null, mut checks) = (false, Vec::new());
        for ty in chain.iter().rev() {
            let UserTypeKind::Domain(domain) = &ty.kind else { continue };
            not_null |= domain.not_null;
            for check in &domain.checks {
                let condition = self.condition_over(&check.condition, &value_type)?;
                checks.push(Check { name: check.name.clone(), condition });
            }
        }
        let inside = self.constraints(&innermost)?;
        if !not_null && checks.is_empty() && inside.is_none() {
            return Ok(None);
        }
        let name = match names::definition(ty.oid.0) {
            Some(definition) => definition.name(),
            None => ty.name.name.clone(),
        };
        Ok(Some(Constraints::Domain { name, not_null, checks, inside: inside.map(Box::new) }))
    }

    /// A condition over the values of a column.
    fn condition_over(
        &mut self,
        written: &WrittenExpression,
        ty: &Type,
    ) -> pg::error::Result<Arc<dyn datafusion::physical_expr::PhysicalExpr>> {
        let value = ScopeColumn::new(VALUE, Column::new_unqualified(VALUE), ty.clone());
        let value = Namespace { relations: Vec::new(), columns: vec![value] };
        let condition = self.written_expression(written, value, KeptAs::Check);
        let condition = condition.map_err(as_pg_error)?;
        let schema = arrow::datatypes::Schema::new(vec![ty.field(VALUE)]);
        let schema = DFSchema::try_from(schema)?;
        Ok(self.context.state().create_physical_expr(condition.expr, &schema)?)
    }

    /// The default of a column that a statement gives no value, or NULL, as a value of its domain.
    ///
    /// # Errors
    /// The default cannot be read any more.
    pub(super) fn domain_default(&mut self, sql_type: &SqlType) -> Result<Typed> {
        let ty = type_of_column(sql_type);
        let value = match written_default(sql_type) {
            Some(default) => self.written_expression(&default, Namespace::default(), KeptAs::Default)?,
            None => Typed::null(),
        };
        let value = self.coerce(value, &ty, CastContext::Assignment)?;
        Ok(native(value, ty))
    }
}

/// The error without its place, which is in another text.
pub(super) fn as_pg_error(error: Error) -> PgError {
    match error {
        Error::Sql { error, .. } => *error,
        other => other.report().into(),
    }
}

/// Whether a type is one that a value can be checked for.
pub(super) fn has_constraints_within(oid: u32) -> bool {
    names::definition(oid).is_some_and(|definition| has_domain(&definition.sql_type()))
}

/// The type that operators see.
pub(super) fn without_domain(value: Typed) -> Typed {
    if !names::is_user_number(value.ty.oid) || types::element_type(value.ty.oid).is_some() {
        return value;
    }
    let ty = base_type(&value.ty);
    Typed { expr: value.expr, ty }
}
