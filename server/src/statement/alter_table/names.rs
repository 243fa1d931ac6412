//! Other names for relations and columns, and other schemas for relations.
//!
//! A view knows what its text calls things ([`catalog::SeenRelation`]). The conditions of a table are text too, and are
//! changed when a column that they mention is.

use std::ops::ControlFlow;
use std::sync::Arc;

use catalog::name::quote_identifier;
use catalog::user_type::WrittenExpression;
use catalog::{CatalogChange, CatalogSnapshot, ColumnDefault, ConstraintKind, ObjectName, SchemaKind, Sequence, View};
use pg::sqlstate::SqlState;
use sqlparser::ast::{AccessExpr, Expr, Ident, Visit, Visitor};
use sqlparser::tokenizer::Span;

use super::changes::Altering;
use super::refused;
use crate::error::{Error, Result};
use crate::parse::statement::{AlterTable, AlterTableAction};
use crate::parse::{self, position};
use crate::plan::relations::{NameScope, identifier};
use crate::server::SUPERUSER;
use crate::session::Session;
use crate::statement::create_table::{check_type_name, is_taken};

/// `RENAME COLUMN`
pub(super) fn rename_column(altering: &mut Altering, from: &Ident, to: &Ident) -> Result<()> {
    let (from, to) = (identifier(from), identifier(to));
    let relation = altering.new.name.name.clone();
    let Some(place) = altering.new.columns.iter().position(|column| column.name == from) else {
        return Err(refused(SqlState::UNDEFINED_COLUMN, format!("column \"{from}\" does not exist")));
    };
    if altering.column(&to).is_ok() {
        let message = format!("column \"{to}\" of relation \"{relation}\" already exists");
        return Err(refused(SqlState::DUPLICATE_COLUMN, message));
    }
    for constraint in &mut altering.new.constraints {
        if let ConstraintKind::Check(check) = &mut constraint.kind {
            rename_in(&mut check.condition, &from, &to)?;
        }
    }
    for column in &mut altering.new.columns {
        if let Some(ColumnDefault::Generated(expression)) = &mut column.default {
            rename_in(expression, &from, &to)?;
        }
    }
    for (keyword, value) in &mut altering.new.options {
        match keyword.as_str() {
            "DISTKEY" if *value == from => value.clone_from(&to),
            "ENCODE" => {
                if let Some(encoding) = value.strip_prefix(&from).filter(|rest| rest.starts_with(' ')) {
                    *value = format!("{to}{encoding}");
                }
            }
            _ => {}
        }
    }
    altering.new.columns[place].name = to;
    Ok(())
}

fn rename_in(written: &mut WrittenExpression, from: &str, to: &str) -> Result<()> {
    written.text = with_renamed(&written.text, from, to)?;
    Ok(())
}

/// The places of the names of columns in an expression.
struct Mentions<'a> {
    wanted: &'a str,
    places: Vec<Span>,
    /// The names of fields of composite values, which are no columns.
    fields: Vec<Span>,
}

impl Visitor for Mentions<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::Identifier(name) if identifier(name) == self.wanted && !self.fields.contains(&name.span) => {
                self.places.push(name.span);
            }
            Expr::CompoundFieldAccess { access_chain, .. } => {
                self.fields.extend(access_chain.iter().filter_map(|access| match access {
                    AccessExpr::Dot(Expr::Identifier(field)) => Some(field.span),
                    _ => None,
                }));
            }
            // What stands before the name is the table's.
            Expr::CompoundIdentifier(parts) => {
                if let (Some(first), Some(last)) = (parts.first(), parts.last())
                    && identifier(last) == self.wanted
                {
                    self.places.push(Span::new(first.span.start, last.span.end));
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

const PREFIX: &str = "SELECT (";

fn places(text: &str, wanted: &str) -> Result<(String, Vec<Span>)> {
    let statement = format!("{PREFIX}{text})");
    let mut mentions = Mentions { wanted, places: Vec::new(), fields: Vec::new() };
    let _ = parse::query(&statement)?.visit(&mut mentions);
    Ok((statement, mentions.places))
}

/// Whether an expression over the columns of a table mentions one.
pub(super) fn mentions(text: &str, column: &str) -> Result<bool> {
    Ok(!places(text, column)?.1.is_empty())
}

/// An expression over the columns of a table, one of which has got another name.
fn with_renamed(text: &str, from: &str, to: &str) -> Result<String> {
    let (statement, mut places) = places(text, from)?;
    places.sort_by_key(|span| span.start);
    places.dedup();
    let (mut renamed, mut copied) = (String::new(), PREFIX.len());
    for span in places {
        let place = |location| position::byte_offset(&statement, location);
        let range = place(span.start).zip(place(span.end)).filter(|(start, end)| copied <= *start && start < end);
        let Some((start, end)) = range else {
            return Err(Error::not_supported("renaming a column that an expression mentions in this way"));
        };
        renamed.push_str(&statement[copied..start]);
        renamed.push_str(&quote_identifier(to));
        copied = end;
    }
    renamed.push_str(&statement[copied..statement.len() - 1]);
    Ok(renamed)
}

/// `RENAME TO`
pub(super) fn rename(altering: &mut Altering, to: &str) -> Result<()> {
    let name = ObjectName::new(altering.new.name.schema.as_str(), to);
    check_free(&altering.snapshot, &name)?;
    let table = altering.new.name.name.clone();
    let qualified = |text: &mut WrittenExpression| -> Result<()> {
        match mentions_table(&text.text, &table)? {
            true => Err(Error::not_supported("renaming a table whose constraints mention its name")),
            false => Ok(()),
        }
    };
    conditions(altering).try_for_each(qualified)?;
    altering.new.name = name;
    Ok(())
}

fn conditions(altering: &mut Altering) -> impl Iterator<Item = &mut WrittenExpression> {
    let checks = altering.new.constraints.iter_mut().filter_map(|constraint| match &mut constraint.kind {
        ConstraintKind::Check(check) => Some(&mut check.condition),
        _ => None,
    });
    let generated = altering.new.columns.iter_mut().filter_map(|column| match &mut column.default {
        Some(ColumnDefault::Generated(expression)) => Some(expression),
        _ => None,
    });
    checks.chain(generated)
}

/// Whether an expression writes a column with its table's name before it.
fn mentions_table(text: &str, table: &str) -> Result<bool> {
    struct Qualifiers<'a>(&'a str, bool);
    impl Visitor for Qualifiers<'_> {
        type Break = ();
        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            if let Expr::CompoundIdentifier(parts) = expr {
                self.1 |= parts.iter().rev().skip(1).any(|part| identifier(part) == self.0);
            }
            ControlFlow::Continue(())
        }
    }
    let mut found = Qualifiers(table, false);
    let _ = parse::query(&format!("{PREFIX}{text})"))?.visit(&mut found);
    Ok(found.1)
}

/// # Errors
/// 42P07 or 42710 when something has the name.
fn check_free(snapshot: &CatalogSnapshot, name: &ObjectName) -> Result<()> {
    if is_taken(snapshot, name) {
        return Err(catalog::Error::RelationExists(name.clone()).into());
    }
    check_type_name(snapshot, name)
}

/// `SET SCHEMA`
pub(super) fn set_schema(session: &Session, altering: &mut Altering, schema: &str) -> Result<()> {
    let Some(name) = moved(session, &altering.snapshot, &altering.new.name, schema)? else { return Ok(()) };
    let old = altering.new.name.schema.clone();
    let qualified = |text: &mut WrittenExpression| -> Result<()> {
        match mentions_table(&text.text, &old)? {
            true => Err(Error::not_supported("moving a table whose constraints mention its schema")),
            false => Ok(()),
        }
    };
    conditions(altering).try_for_each(qualified)?;
    for sequence in altering.snapshot.owned_sequences(altering.old.oid) {
        let Some(name) = moved(session, &altering.snapshot, &sequence.name, schema)? else { continue };
        let new = Arc::new(Sequence { name, ..sequence.as_ref().clone() });
        altering.after.push(CatalogChange::ReplaceSequence { old: sequence, new });
    }
    altering.new.name = name;
    Ok(())
}

/// The name in another schema; `None` when it is there already.
fn moved(session: &Session, snapshot: &CatalogSnapshot, name: &ObjectName, schema: &str) -> Result<Option<ObjectName>> {
    NameScope::of(session).check_move(name, schema)?;
    let Some(target) = snapshot.schema(schema) else {
        return Err(Error::UndefinedSchema { name: schema.to_owned() });
    };
    let object = crate::session::Object::Schema(schema);
    crate::session::authorize(&session.identity, crate::session::Action::Create, object)?;
    if target.kind != SchemaKind::Local {
        let message = format!("relations cannot be moved into external schema \"{schema}\"");
        return Err(Error::InvalidDefinition { message });
    }
    if name.schema == schema {
        return Ok(None);
    }
    let new = ObjectName::new(schema, name.name.as_str());
    if is_taken(snapshot, &new) {
        let message = format!("relation \"{}\" already exists in schema \"{schema}\"", name.name);
        return Err(refused(SqlState::DUPLICATE_TABLE, message));
    }
    check_type_name(snapshot, &new)?;
    Ok(Some(new))
}

/// `OWNER TO`: the first role owns everything.
///
/// # Errors
/// 42704 when there is no such role, 0A000 for another one.
pub(in crate::statement) fn check_owner(session: &Session, role: &Ident) -> Result<()> {
    let name = identifier(role);
    let is_keyword = role.quote_style.is_none();
    let is_self = is_keyword && ["current_user", "current_role", "session_user"].contains(&name.as_str());
    let name = if is_self { session.identity.user.clone() } else { name };
    if name == SUPERUSER {
        return Ok(());
    }
    match session.server.catalog.snapshot().role(&name) {
        Some(_) => Err(Error::not_supported("OWNER TO another role than the first")),
        None => Err(refused(SqlState::UNDEFINED_OBJECT, format!("role \"{name}\" does not exist"))),
    }
}

/// ALTER VIEW, and what ALTER TABLE does to views.
pub(super) async fn alter_view(session: &mut Session, alter: &AlterTable, view: &Arc<View>) -> Result<()> {
    let snapshot = session.snapshot()?;
    let mut new = view.as_ref().clone();
    for action in &alter.actions {
        match action {
            AlterTableAction::Rename(to) => {
                let name = ObjectName::new(new.name.schema.as_str(), identifier(to));
                check_free(&snapshot, &name)?;
                new.name = name;
            }
            AlterTableAction::SetSchema(schema) => {
                if let Some(name) = moved(session, &snapshot, &new.name, &identifier(schema))? {
                    new.name = name;
                }
            }
            AlterTableAction::RenameColumn { from, to } => rename_view_column(&mut new, from, to)?,
            AlterTableAction::OwnerTo(role) => check_owner(session, role)?,
            action => return Err(not_for_views(action, view)),
        }
    }
    if new != **view {
        session.commit(vec![CatalogChange::ReplaceView { old: view.clone(), new: Arc::new(new) }]).await?;
    }
    Ok(())
}

fn rename_view_column(view: &mut View, from: &Ident, to: &Ident) -> Result<()> {
    let (from, to) = (identifier(from), identifier(to));
    let Some(place) = view.columns.iter().position(|column| *column == from) else {
        return Err(refused(SqlState::UNDEFINED_COLUMN, format!("column \"{from}\" does not exist")));
    };
    if view.columns.contains(&to) {
        let message = format!("column \"{to}\" of relation \"{}\" already exists", view.name.name);
        return Err(refused(SqlState::DUPLICATE_COLUMN, message));
    }
    view.columns[place] = to;
    Ok(())
}

fn not_for_views(action: &AlterTableAction, view: &View) -> Error {
    let shown = match action {
        AlterTableAction::AddColumn { .. } => "ADD COLUMN",
        AlterTableAction::AddConstraint { .. } => "ADD CONSTRAINT",
        AlterTableAction::DropColumn { .. } => "DROP COLUMN",
        AlterTableAction::SetType { .. } => "ALTER COLUMN ... SET DATA TYPE",
        AlterTableAction::SetNotNull { not_null: true, .. } => "ALTER COLUMN ... SET NOT NULL",
        AlterTableAction::SetNotNull { not_null: false, .. } => "ALTER COLUMN ... DROP NOT NULL",
        AlterTableAction::AddIdentity { column, .. } => {
            return not_identity(column, view, "must be declared NOT NULL before identity can be added");
        }
        AlterTableAction::SetIdentity { column, .. } | AlterTableAction::DropIdentity { column, .. } => {
            return not_identity(column, view, "is not an identity column");
        }
        AlterTableAction::DropConstraint { .. } => "DROP CONSTRAINT",
        AlterTableAction::ValidateConstraint(_) => "VALIDATE CONSTRAINT",
        _ => return Error::not_supported("ALTER VIEW … SET DEFAULT"),
    };
    let message = format!("ALTER action {shown} cannot be performed on relation \"{}\"", view.name.name);
    let error = pg::PgError::new(SqlState::WRONG_OBJECT_TYPE, message);
    error.with_detail("This operation is not supported for views.").into()
}

fn not_identity(column: &Ident, view: &View, what: &str) -> Error {
    let message = format!("column \"{}\" of relation \"{}\" {what}", identifier(column), view.name.name);
    refused(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(with_renamed(text, "b", "New Name").unwrap(), expected);
    }

    #[test]
    fn a_column_is_renamed_wherever_it_is_mentioned_and_nothing_else_is() {
        check("b > 0 AND t.B < \"b\"", "\"New Name\" > 0 AND \"New Name\" < \"New Name\"");
        check("a = 'b' -- b\n OR b(1)", "a = 'b' -- b\n OR b(1)");
        check("(b).b = 1 OR \"B\" = b", "(\"New Name\").b = 1 OR \"B\" = \"New Name\"");
        check("coalesce(a, b) BETWEEN 1 AND b::int", "coalesce(a, \"New Name\") BETWEEN 1 AND \"New Name\"::int");
    }
}
