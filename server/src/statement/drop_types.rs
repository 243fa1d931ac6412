//! What goes with a type that is dropped, and what keeps it.

use std::sync::Arc;

use catalog::snapshot::TypeUser;
use catalog::{CatalogSnapshot, HotTable, Oid, Relation, UserType, UserTypeKind};
use sqlparser::ast;

use crate::error::{Error, Result};
use crate::parse::statement::{Drop, DropKind};
use crate::plan::relations::{NameScope, parts};
use crate::session::Session;

/// The type that a DROP names; `None` when it is not there and need not be.
///
/// # Errors
/// 42704 when it must be there, 42809 when it is no domain, 2BP01 for a type that cannot be dropped.
pub fn named_type(
    session: &mut Session,
    snapshot: &CatalogSnapshot,
    drop: &Drop,
    name: &ast::ObjectName,
) -> Result<Option<Arc<UserType>>> {
    let found = NameScope::of(session).must_user_type(snapshot, name, "drop").cloned();
    let ty = match found {
        Err(error @ (Error::UndefinedType { .. } | Error::UndefinedSchema { .. })) if drop.if_exists => {
            session.notice(format!("{error}, skipping"));
            return Ok(None);
        }
        found => found?,
    };
    if drop.kind == DropKind::Domain && !matches!(ty.kind, UserTypeKind::Domain(_)) {
        return Err(Error::WrongObjectType { name: parts(name)?.join("."), expected: "a domain" });
    }
    Ok(Some(ty))
}

/// What is dropped together: types, and relations that are not asked about again.
pub struct Dropped<'a> {
    /// The types.
    pub types: &'a [Oid],
    /// The relations.
    pub relations: &'a [Oid],
    /// Columns of other tables, by attribute number.
    pub columns: &'a [(Oid, i16)],
}

impl Dropped<'_> {
    fn includes(&self, user: &TypeUser) -> bool {
        match user {
            TypeUser::Column { relation, column } => {
                let is_dropped = |number| self.columns.contains(&(relation.oid(), number));
                self.relations.contains(&relation.oid()) || number_of(relation, column).is_some_and(is_dropped)
            }
            TypeUser::View(view) => self.relations.contains(&view.oid),
            TypeUser::Type(ty) => self.types.contains(&ty.oid),
        }
    }
}

/// Whether nothing that stays needs a type.
///
/// # Errors
/// 2BP01
pub fn check_users(scope: &NameScope, snapshot: &CatalogSnapshot, ty: &UserType, dropped: &Dropped<'_>) -> Result<()> {
    let mut lines = Vec::new();
    describe_users(scope, snapshot, ty, dropped, &mut lines);
    if lines.is_empty() {
        return Ok(());
    }
    let shown = scope.shown_type(snapshot, ty);
    Err(Error::still_needed(&format!("type {shown}"), &lines))
}

/// What needs a type, and what needs that, each with what it needs.
fn describe_users(
    scope: &NameScope,
    snapshot: &CatalogSnapshot,
    ty: &UserType,
    dropped: &Dropped<'_>,
    lines: &mut Vec<String>,
) {
    let shown = scope.shown_type(snapshot, ty);
    let mut columns = Vec::new();
    for user in snapshot.type_users(ty).into_iter().filter(|user| !dropped.includes(user)) {
        match user {
            TypeUser::Type(user) => {
                for part in parts_of_type(scope, snapshot, &user, ty) {
                    lines.push(format!("{part} depends on type {shown}"));
                }
                describe_users(scope, snapshot, &user, dropped, lines);
            }
            TypeUser::View(view) => {
                let view = scope.describe(snapshot, &catalog::Relation::View(view));
                lines.push(format!("{view} depends on type {shown}"));
            }
            TypeUser::Column { relation, column } => {
                let is_array =
                    relation.columns().any(|(name, sql_type)| name == column && sql_type.oid() == ty.array_oid);
                let suffix = if is_array { "[]" } else { "" };
                let relation = scope.describe(snapshot, &relation);
                columns.push(format!("column {column} of {relation} depends on type {shown}{suffix}"));
            }
        }
    }
    // PostgreSQL begins with what came last.
    lines.extend(columns.into_iter().rev());
}

/// What of a type names another: itself, or its fields.
fn parts_of_type(scope: &NameScope, snapshot: &CatalogSnapshot, user: &UserType, ty: &UserType) -> Vec<String> {
    let shown = scope.shown_type(snapshot, user);
    match &user.kind {
        UserTypeKind::Composite(attributes) => {
            let fields = attributes.iter().filter(|attribute| ty.is_type_of(&attribute.sql_type));
            fields.map(|field| format!("column {} of composite type {shown}", field.name)).collect()
        }
        _ => vec![format!("type {shown}")],
    }
}

/// What needs a type.
#[derive(Default)]
pub struct Needing {
    /// Domains over it.
    pub types: Vec<Arc<UserType>>,
    /// Views that name it.
    pub views: Vec<Oid>,
    /// Columns of it, by attribute number.
    pub columns: Vec<(Arc<HotTable>, i16)>,
}

/// The attribute number of a hot table's column.
fn number_of(relation: &Relation, column: &str) -> Option<i16> {
    let Relation::Hot(table) = relation else { return None };
    table.columns.iter().find(|it| it.name == column).map(|it| it.attribute_number)
}

/// What has to go before a type can.
///
/// # Errors
/// 0A000 when it would be a column of an external table or a field of a composite type.
pub fn cascade(scope: &NameScope, snapshot: &CatalogSnapshot, ty: &UserType, dropped: &Dropped<'_>) -> Result<Needing> {
    let mut needing = Needing::default();
    for user in snapshot.type_users(ty).into_iter().filter(|user| !dropped.includes(user)) {
        match user {
            TypeUser::View(view) => needing.views.push(view.oid),
            TypeUser::Type(user) if matches!(user.kind, UserTypeKind::Domain(_)) => {
                needing.types.push(user);
            }
            TypeUser::Type(user) => {
                let user = scope.shown_type(snapshot, &user);
                return Err(Error::not_supported(format!("dropping a field of composite type {user} with its type")));
            }
            TypeUser::Column { relation: Relation::Hot(table), column } => {
                let number = number_of(&Relation::Hot(table.clone()), &column);
                needing.columns.extend(number.map(|number| (table, number)));
            }
            TypeUser::Column { relation, column } => {
                let relation = scope.describe(snapshot, &relation);
                return Err(Error::not_supported(format!("dropping column {column} of {relation} with its type")));
            }
        }
    }
    Ok(needing)
}
