//! ALTER TYPE.

use std::sync::Arc;

use catalog::snapshot::TypeUser;
use catalog::user_type::{EnumLabel, number_at};
use catalog::{CatalogChange, CatalogSnapshot, ObjectName, UserType, UserTypeKind};
use pg::PgError;
use pg::sqlstate::SqlState;
use sqlparser::ast;

use crate::error::{Error, Result};
use crate::parse::statement::{AlterType, AlterTypeAction, LabelPlace};
use crate::plan::relations::{NameScope, identifier};
use crate::session::Session;
use crate::statement::Outcome;
use crate::statement::alter_table::check_owner;
use crate::statement::create_type::{check_free, check_label};

/// # Errors
/// The type is not there or of another kind, or a label is not there, or is there already.
pub async fn execute(session: &mut Session, alter: &AlterType) -> Result<Outcome> {
    if let AlterTypeAction::OwnerTo(role) = &alter.action {
        check_owner(session, role)?;
    }
    let snapshot = session.snapshot()?;
    let old = NameScope::of(session).must_user_type(&snapshot, &alter.name, "alter")?.clone();
    let new = match &alter.action {
        AlterTypeAction::AddValue { label, if_not_exists, place } => {
            let labels = labels_of(&old)?;
            check_label(label)?;
            if labels.iter().any(|known| known.label == *label) {
                if !if_not_exists {
                    return Err(label_exists(label));
                }
                session.notice(format!("enum label \"{label}\" already exists, skipping"));
                return Ok(Outcome::command("ALTER TYPE"));
            }
            with_labels(&old, with_label(labels, label, place)?)
        }
        AlterTypeAction::RenameValue { from, to } => {
            check_label(to)?;
            with_labels(&old, with_renamed_label(labels_of(&old)?, from, to)?)
        }
        AlterTypeAction::Rename(name) => renamed(&snapshot, &old, name)?,
        AlterTypeAction::SetSchema(schema) => moved(session, &snapshot, &old, schema)?,
        AlterTypeAction::OwnerTo(_) => old.as_ref().clone(),
    };
    replace(session, &old, new, Vec::new()).await?;
    Ok(Outcome::command("ALTER TYPE"))
}

/// Commits another definition of a type. `checked` are the tables whose rows were looked at, with how many they were.
///
/// # Errors
/// 40001 when the type or the rows have changed in between.
pub async fn replace(
    session: &mut Session,
    old: &Arc<UserType>,
    new: UserType,
    checked: Vec<(catalog::Oid, u64)>,
) -> Result<()> {
    if new == **old {
        return Ok(());
    }
    let old = Box::new(old.as_ref().clone());
    session.commit(vec![CatalogChange::ReplaceType { old, new: Box::new(new), checked }]).await
}

/// The type under another name in its schema.
///
/// # Errors
/// 42710
pub fn renamed(snapshot: &CatalogSnapshot, old: &UserType, name: &ast::Ident) -> Result<UserType> {
    check_views(snapshot, old)?;
    let name = ObjectName::new(old.name.schema.as_str(), identifier(name));
    check_free(snapshot, &name)?;
    Ok(UserType { name, ..old.clone() })
}

/// The type in another schema.
///
/// # Errors
/// 3F000 when there is no such schema, 42710 when the name is taken there.
pub fn moved(session: &Session, snapshot: &CatalogSnapshot, old: &UserType, schema: &ast::Ident) -> Result<UserType> {
    let schema = identifier(schema);
    NameScope::of(session).check_move(&old.name, &schema)?;
    if snapshot.schema(&schema).is_none() {
        return Err(Error::UndefinedSchema { name: schema });
    }
    let name = ObjectName::new(schema, old.name.name.as_str());
    if name == old.name {
        return Ok(old.clone());
    }
    check_views(snapshot, old)?;
    check_free(snapshot, &name)?;
    Ok(UserType { name, ..old.clone() })
}

/// A view keeps its text, in which the type has the name that it had.
///
/// # Errors
/// 0A000 when a view names the type.
fn check_views(snapshot: &CatalogSnapshot, ty: &UserType) -> Result<()> {
    let mut views = snapshot.type_users(ty).into_iter().filter_map(|user| match user {
        TypeUser::View(view) => Some(view),
        _ => None,
    });
    match views.next() {
        Some(view) => Err(Error::not_supported(format!("renaming a type that view {} names", view.name))),
        None => Ok(()),
    }
}

fn labels_of(ty: &UserType) -> Result<&[EnumLabel]> {
    match &ty.kind {
        UserTypeKind::Enum(labels) => Ok(labels),
        _ => {
            let message = format!("{} is not an enum", ty.name.name);
            Err(PgError::new(SqlState::WRONG_OBJECT_TYPE, message).into())
        }
    }
}

fn with_labels(old: &UserType, labels: Vec<EnumLabel>) -> UserType {
    UserType { kind: UserTypeKind::Enum(labels), ..old.clone() }
}

fn with_label(labels: &[EnumLabel], label: &str, place: &LabelPlace) -> Result<Vec<EnumLabel>> {
    let place_of = |neighbour: &str| {
        let found = labels.iter().position(|known| known.label == neighbour);
        found.ok_or_else(|| no_label(neighbour))
    };
    let place = match place {
        LabelPlace::Last => labels.len(),
        LabelPlace::Before(neighbour) => place_of(neighbour)?,
        LabelPlace::After(neighbour) => place_of(neighbour)? + 1,
    };
    let number = number_at(labels, place).ok_or_else(|| {
        let message = format!("no room is left for enum label \"{label}\" between its neighbours");
        PgError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, message)
    })?;
    let mut labels = labels.to_vec();
    labels.insert(place, EnumLabel { number, label: label.to_owned() });
    Ok(labels)
}

fn with_renamed_label(labels: &[EnumLabel], from: &str, to: &str) -> Result<Vec<EnumLabel>> {
    let place = labels.iter().position(|known| known.label == from).ok_or_else(|| no_label(from))?;
    if labels.iter().any(|known| known.label == to) {
        return Err(label_exists(to));
    }
    let mut labels = labels.to_vec();
    to.clone_into(&mut labels[place].label);
    Ok(labels)
}

fn label_exists(label: &str) -> Error {
    PgError::new(SqlState::DUPLICATE_OBJECT, format!("enum label \"{label}\" already exists")).into()
}

fn no_label(label: &str) -> Error {
    PgError::invalid_parameter(format!("\"{label}\" is not an existing enum label")).into()
}
