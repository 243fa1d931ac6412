//! ALTER DOMAIN. What a domain demands anew, the values that are there already must fulfil.

use std::sync::Arc;

use catalog::snapshot::TypeUser;
use catalog::user_type::Domain;
use catalog::{CatalogSnapshot, HotTable, Oid, Relation, UserType, UserTypeKind};
use futures::StreamExt;
use pg::PgError;
use pg::sqlstate::SqlState;
use sqlparser::ast;

use crate::analyze::domain::definition_constraints;
use crate::error::{Error, Result};
use crate::parse;
use crate::parse::statement::{AlterDomain, AlterDomainAction};
use crate::plan::relations::{NameScope, identifier};
use crate::plan::{PlanContext, plan_query};
use crate::session::Session;
use crate::statement::Outcome;
use crate::statement::alter_table::check_owner;
use crate::statement::alter_type::{moved, renamed, replace};
use crate::statement::create_domain::{add_check, check, must_domain, written};

/// # Errors
/// The domain is not there, a condition is wrong, or values that are there do not fulfil it.
pub async fn execute(session: &mut Session, alter: &AlterDomain) -> Result<Outcome> {
    if let AlterDomainAction::OwnerTo(role) = &alter.action {
        check_owner(session, role)?;
    }
    let snapshot = session.snapshot()?;
    let (old, domain) = must_domain(session, &snapshot, &alter.name)?;
    let mut demands_more = false;
    let new = match &alter.action {
        AlterDomainAction::Rename(name) => renamed(&snapshot, &old, name)?,
        AlterDomainAction::SetSchema(schema) => moved(session, &snapshot, &old, schema)?,
        AlterDomainAction::OwnerTo(_) => old.as_ref().clone(),
        action => match changed(session, &old, domain, action)? {
            Some(domain) => {
                let more = matches!(action, AlterDomainAction::AddCheck(_) | AlterDomainAction::SetNotNull(true));
                demands_more = more;
                UserType { kind: UserTypeKind::Domain(domain), ..old.as_ref().clone() }
            }
            None => return Ok(Outcome::command("ALTER DOMAIN")),
        },
    };
    {
        let context = PlanContext::new(session, snapshot.clone());
        let _entered = context.names().enter();
        check(&context, &new)?;
    }
    let checked = match demands_more && new != *old {
        true => check_values(session, &snapshot, &old, &new).await?,
        false => Vec::new(),
    };
    replace(session, &old, new, checked).await?;
    Ok(Outcome::command("ALTER DOMAIN"))
}

/// The domain after an action; `None` when there is nothing to do.
fn changed(
    session: &mut Session,
    ty: &UserType,
    mut domain: Domain,
    action: &AlterDomainAction,
) -> Result<Option<Domain>> {
    let search_path = NameScope::of(session).kept_path(false);
    let name = &ty.name.name;
    match action {
        AlterDomainAction::SetDefault(default) => {
            domain.default = default.clone().map(|text| written(text, &search_path));
        }
        AlterDomainAction::SetNotNull(not_null) => domain.not_null = *not_null,
        AlterDomainAction::AddCheck(check) => add_check(&mut domain, name, check, &search_path)?,
        AlterDomainAction::DropConstraint { name: dropped, if_exists } => {
            let dropped = identifier(dropped);
            let Some(place) = domain.checks.iter().position(|check| check.name == dropped) else {
                if !if_exists {
                    return Err(no_constraint(&dropped, name));
                }
                session.notice(format!("constraint \"{dropped}\" of domain \"{name}\" does not exist, skipping"));
                return Ok(None);
            };
            domain.checks.remove(place);
        }
        AlterDomainAction::RenameConstraint { from, to } => rename_constraint(&mut domain, name, from, to)?,
        AlterDomainAction::ValidateConstraint(wanted) => {
            let wanted = identifier(wanted);
            // All constraints are valid: there is no NOT VALID.
            return match domain.checks.iter().any(|check| check.name == wanted) {
                true => Ok(None),
                false => Err(no_constraint(&wanted, name)),
            };
        }
        AlterDomainAction::Rename(_) | AlterDomainAction::SetSchema(_) | AlterDomainAction::OwnerTo(_) => {
            return Ok(None);
        }
    }
    Ok(Some(domain))
}

fn rename_constraint(domain: &mut Domain, name: &str, from: &ast::Ident, to: &ast::Ident) -> Result<()> {
    let (from, to) = (identifier(from), identifier(to));
    if domain.checks.iter().any(|check| check.name == to) {
        let message = format!("constraint \"{to}\" for domain \"{name}\" already exists");
        return Err(PgError::new(SqlState::DUPLICATE_OBJECT, message).into());
    }
    let found = domain.checks.iter_mut().find(|check| check.name == from);
    found.ok_or_else(|| no_constraint(&from, name))?.name = to;
    domain.checks.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(())
}

fn no_constraint(constraint: &str, domain: &str) -> Error {
    let message = format!("constraint \"{constraint}\" of domain \"{domain}\" does not exist");
    PgError::new(SqlState::UNDEFINED_OBJECT, message).into()
}

/// A column of a table that a domain's values are in.
struct DomainColumn {
    table: Arc<HotTable>,
    attribute_number: i16,
    name: String,
}

/// Whether all values that are there fulfil what a domain is going to demand: the tables that were looked at, with how many
/// rows they have.
async fn check_values(
    session: &mut Session,
    snapshot: &Arc<CatalogSnapshot>,
    old: &UserType,
    new: &UserType,
) -> Result<Vec<(Oid, u64)>> {
    let mut columns = Vec::new();
    columns_of(&NameScope::of(session), snapshot, old, &mut columns)?;
    columns.sort_by_key(|column| (column.table.oid, column.attribute_number));
    let mut checked = Vec::new();
    for column in columns {
        check_column(session, snapshot, &column, new).await?;
        let seen = (column.table.oid, snapshot.rows(column.table.oid).added());
        if !checked.contains(&seen) {
            checked.push(seen);
        }
    }
    Ok(checked)
}

/// The columns that are of a domain, or of one over it.
fn columns_of(
    scope: &NameScope,
    snapshot: &CatalogSnapshot,
    ty: &UserType,
    columns: &mut Vec<DomainColumn>,
) -> Result<()> {
    let used = |what: String| {
        let shown = scope.shown_type(snapshot, ty);
        let message = format!("cannot alter type \"{shown}\" because {what} uses it");
        Err(PgError::new(SqlState::FEATURE_NOT_SUPPORTED, message).into())
    };
    for user in snapshot.type_users(ty) {
        match user {
            TypeUser::View(_) => {}
            TypeUser::Type(user) if matches!(&user.kind, UserTypeKind::Domain(domain) if domain.base == ty.sql_type()) =>
            {
                columns_of(scope, snapshot, &user, columns)?;
            }
            // Values within others are not looked for, as in PostgreSQL.
            TypeUser::Type(user) => return used(format!("type \"{}\"", scope.shown_type(snapshot, &user))),
            TypeUser::Column { relation: Relation::Hot(table), column } => {
                let definition = table.columns.iter().find(|it| it.name == column);
                let Some(definition) = definition.filter(|it| it.sql_type == ty.sql_type()) else {
                    return used(format!("column \"{}.{column}\"", table.name.name));
                };
                let attribute_number = definition.attribute_number;
                columns.push(DomainColumn { table, attribute_number, name: column });
            }
            TypeUser::Column { relation, column } => {
                return used(format!("column \"{}.{column}\"", relation.name().name));
            }
        }
    }
    Ok(())
}

async fn check_column(
    session: &mut Session,
    snapshot: &Arc<CatalogSnapshot>,
    column: &DomainColumn,
    ty: &UserType,
) -> Result<()> {
    let guard = session.guard();
    let context = Arc::new(PlanContext::new(session, snapshot.clone()));
    let constraints = {
        let _entered = context.names().enter();
        definition_constraints(&context, ty)?
    };
    let Some(constraints) = constraints else { return Ok(()) };
    let name = catalog::name::quote_identifier(&column.name);
    let text = format!("SELECT {name} FROM {}", column.table.name);
    let planned = plan_query(&context, &*parse::query(&text)?, &text, Vec::new())?;
    let plan = planned.bind(&[])?;
    let plan = guard.run(session.server.engine.physical_plan(context.clone(), plan)).await??;
    let mut rows = session.server.engine.execute(plan, context.state())?;
    while let Some(batch) = guard.run(rows.next()).await? {
        let batch = batch?;
        let _entered = context.names().enter();
        let Some(values) = batch.columns().first() else { continue };
        if let Some((_, error)) = constraints.violation(values)? {
            return Err(violated(column, error));
        }
    }
    Ok(())
}

fn violated(column: &DomainColumn, error: PgError) -> Error {
    let place = format!("column \"{}\" of table \"{}\"", column.name, column.table.name.name);
    let message = match error.sqlstate {
        SqlState::NOT_NULL_VIOLATION => format!("{place} contains null values"),
        SqlState::CHECK_VIOLATION => format!("{place} contains values that violate the new constraint"),
        _ => return error.into(),
    };
    PgError::new(error.sqlstate, message).into()
}
