//! CREATE DOMAIN.

use std::sync::Arc;

use catalog::user_type::{Domain, DomainCheck, WrittenExpression};
use catalog::{CatalogSnapshot, Oid, SqlType, UserType, UserTypeKind};
use pg::PgError;
use pg::names::{self, Definition};
use pg::sqlstate::SqlState;

use crate::analyze::domain::{check_default, definition_constraints};
use crate::error::Result;
use crate::parse::statement::{Constraint, CreateDomain};
use crate::plan::PlanContext;
use crate::plan::relations::{NameScope, identifier};
use crate::plan::types::column_type;
use crate::session::Session;
use crate::statement::Outcome;
use crate::statement::create_type::{make, new_type_name};

/// # Errors
/// The name is taken, the type cannot be had, or the default or a condition is wrong.
pub async fn execute(session: &mut Session, create: &CreateDomain) -> Result<Outcome> {
    let snapshot = session.snapshot()?;
    let name = new_type_name(session, &snapshot, &create.name)?;
    let domain = {
        let context = PlanContext::new(session, snapshot.clone());
        let _entered = context.names().enter();
        let search_path = NameScope::of(session).kept_path(false);
        let domain = domain(create, &name.name, &search_path)?;
        let kind = UserTypeKind::Domain(domain.clone());
        check(&context, &UserType { oid: Oid(0), array_oid: Oid(0), name: name.clone(), kind })?;
        domain
    };
    make(session, name, UserTypeKind::Domain(domain)).await?;
    Ok(Outcome::command("CREATE DOMAIN"))
}

fn domain(create: &CreateDomain, name: &str, search_path: &[String]) -> Result<Domain> {
    let base = column_type(&create.data_type)?;
    let own_default = create.default.clone().map(|text| written(text, search_path));
    let default = own_default.or_else(|| inherited_default(&base));
    let mut domain = Domain { base, not_null: create.not_null == Some(true), default, checks: Vec::new() };
    for check in &create.checks {
        add_check(&mut domain, name, check, search_path)?;
    }
    Ok(domain)
}

/// What was written under this search path.
pub fn written(text: String, search_path: &[String]) -> WrittenExpression {
    WrittenExpression { text, search_path: search_path.to_vec(), refers_to: Vec::new() }
}

/// A domain over a domain has its default, unless it has one of its own.
fn inherited_default(base: &SqlType) -> Option<WrittenExpression> {
    match names::definition(base.oid().0)? {
        Definition::User(ty) => match &ty.kind {
            UserTypeKind::Domain(domain) => domain.default.clone(),
            _ => None,
        },
        _ => None,
    }
}

/// Adds a condition, at its place among the others.
///
/// # Errors
/// 42710 when its name is taken.
pub fn add_check(domain: &mut Domain, name: &str, check: &Constraint, search_path: &[String]) -> Result<()> {
    let taken = |wanted: &str| domain.checks.iter().any(|known| known.name == wanted);
    let check_name = match &check.name {
        Some(written) => {
            let written = identifier(written);
            if taken(&written) {
                let message = format!("constraint \"{written}\" for domain \"{name}\" already exists");
                return Err(PgError::new(SqlState::DUPLICATE_OBJECT, message).into());
            }
            written
        }
        None => {
            let numbered = (1..).map(|number| format!("{name}_check{number}"));
            let mut names = std::iter::once(format!("{name}_check")).chain(numbered);
            names.find(|candidate| !taken(candidate)).unwrap_or_default()
        }
    };
    let condition = written(check.condition.clone(), search_path);
    domain.checks.push(DomainCheck { name: check_name, condition });
    // PostgreSQL asks them in the order of their names.
    domain.checks.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(())
}

/// Whether the default and the conditions of a domain mean something.
///
/// # Errors
/// They do not.
pub fn check(context: &PlanContext, ty: &UserType) -> Result<()> {
    let UserTypeKind::Domain(domain) = &ty.kind else { return Ok(()) };
    if let Some(default) = &domain.default {
        check_default(context, default, &domain.base)?;
    }
    definition_constraints(context, ty).map(|_| ())
}

/// The domain that a statement is about.
///
/// # Errors
/// 42704 when there is none, 42809 when it is a type of another kind.
pub fn must_domain(
    session: &Session,
    snapshot: &CatalogSnapshot,
    name: &sqlparser::ast::ObjectName,
) -> Result<(Arc<UserType>, Domain)> {
    let ty = NameScope::of(session).must_user_type(snapshot, name, "alter")?.clone();
    match &ty.kind {
        UserTypeKind::Domain(domain) => {
            let domain = domain.clone();
            Ok((ty, domain))
        }
        _ => {
            let message = format!("{} is not a domain", ty.name.name);
            Err(PgError::new(SqlState::WRONG_OBJECT_TYPE, message).into())
        }
    }
}
