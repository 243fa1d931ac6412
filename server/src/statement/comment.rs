//! COMMENT ON.

use catalog::comment::{Commented, ObjectClass};
use catalog::{CatalogChange, CatalogSnapshot, Relation};
use pg::PgError;
use pg::sqlstate::SqlState;
use sqlparser::ast::ObjectName;

use crate::error::{Error, Result};
use crate::parse::statement::{Comment, CommentObject, CommentedRelation};
use crate::plan::relations::{NameScope, identifier, parts};
use crate::session::{Action, Object, Session, authorize};
use crate::statement::Outcome;

/// # Errors
/// What the comment is about is not there, or is of another kind.
pub async fn execute(session: &mut Session, comment: &Comment) -> Result<Outcome> {
    let snapshot = session.snapshot()?;
    let commented = commented(session, &snapshot, &comment.object)?;
    let text = comment.text.as_deref().map(Into::into);
    session.commit(vec![CatalogChange::SetComment { commented, text }]).await?;
    Ok(Outcome::command("COMMENT"))
}

fn commented(session: &Session, snapshot: &CatalogSnapshot, object: &CommentObject) -> Result<Commented> {
    let scope = NameScope::of(session);
    Ok(match object {
        CommentObject::Relation(kind, name) => {
            let relation = scope.must_relation(snapshot, name)?;
            authorize(&session.identity, Action::Alter, Object::Relation(relation))?;
            check_kind(*kind, relation)?;
            Commented::object(ObjectClass::Relation, relation.oid())
        }
        CommentObject::Column(path) => column(session, snapshot, path)?,
        CommentObject::Constraint { name, table } => {
            let relation = scope.must_relation(snapshot, table)?;
            authorize(&session.identity, Action::Alter, Object::Relation(relation))?;
            let name = identifier(name);
            let found = match relation {
                Relation::Hot(table) => table.declared_constraint(&name),
                _ => None,
            };
            let missing = || {
                let message = format!("constraint \"{name}\" for table \"{}\" does not exist", relation.name().name);
                PgError::new(SqlState::UNDEFINED_OBJECT, message)
            };
            Commented::object(ObjectClass::Constraint, found.ok_or_else(missing)?.oid)
        }
        CommentObject::Schema(name) => {
            let name = scope.schema_name(name)?;
            authorize(&session.identity, Action::Alter, Object::Schema(&name))?;
            let schema = snapshot.schema(&name).ok_or_else(|| Error::UndefinedSchema { name: name.clone() })?;
            Commented::object(ObjectClass::Schema, schema.oid)
        }
        CommentObject::Type(name) => {
            let ty = scope.must_user_type(snapshot, name, "alter")?;
            Commented::object(ObjectClass::Type, ty.oid)
        }
        CommentObject::Database(name) => {
            let name = identifier(name);
            authorize(&session.identity, Action::Alter, Object::Database)?;
            if name != session.identity.database {
                return Err(Error::UndefinedDatabase { name });
            }
            Commented::object(ObjectClass::Database, catalog::Oid(pg::names::DATABASE_OID))
        }
    })
}

fn check_kind(kind: CommentedRelation, relation: &Relation) -> Result<()> {
    use CommentedRelation as Kind;
    let expected = match (kind, relation) {
        (Kind::Table, Relation::Hot(_) | Relation::External(_))
        | (Kind::View, Relation::View(_))
        | (Kind::Sequence, Relation::Sequence(_)) => return Ok(()),
        (Kind::Table, _) => "a table",
        (Kind::View, _) => "a view",
        (Kind::Sequence, _) => "a sequence",
    };
    Err(Error::WrongObjectType { name: relation.name().name.clone(), expected })
}

/// `table.column`, `schema.table.column`
fn column(session: &Session, snapshot: &CatalogSnapshot, path: &ObjectName) -> Result<Commented> {
    let parts = parts(path)?;
    let Some((column, table)) = parts.split_last().filter(|(_, table)| !table.is_empty()) else {
        return Err(Error::Syntax { message: "column name must be qualified".into(), detail: None, position: None });
    };
    let scope = NameScope::of(session);
    let relation = scope.relation(snapshot, table)?.ok_or_else(|| scope.absent(table))?;
    authorize(&session.identity, Action::Alter, Object::Relation(relation))?;
    let number = match relation {
        Relation::Hot(table) => table.columns.iter().find(|it| it.name == *column).map(|it| it.attribute_number),
        Relation::View(view) => (1..).zip(&view.columns).find(|(_, name)| *name == column).map(|(number, _)| number),
        other => (1..).zip(other.columns()).find(|(_, (name, _))| name == column).map(|(number, _)| number),
    };
    match number {
        Some(number) => Ok(Commented::column(relation.oid(), number)),
        None => Err(Error::UndefinedColumn { column: column.clone(), relation: relation.name().name.clone() }),
    }
}
