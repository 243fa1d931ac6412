//! ALTER SCHEMA.
//!
//! What is in a schema goes with its name. Expressions of tables and domains are texts, in which the name is changed; views
//! know what their texts call relations ([`catalog::SeenRelation`]), but not what they call types.

use std::sync::Arc;

use catalog::name::TEMPORARY_SCHEMA_PREFIX;
use catalog::name::quote_identifier;
use catalog::snapshot::TypeUser;
use catalog::user_type::{UserTypeKind, WrittenExpression};
use catalog::{CatalogChange, CatalogSnapshot, Relation};
use sqlparser::tokenizer::{Token, Tokenizer};

use crate::error::{Error, Result};
use crate::parse::statement::{AlterSchema, AlterSchemaAction};
use crate::parse::{WarehouseDialect, position};
use crate::plan::relations::{NameScope, identifier};
use crate::session::{Action, Object, Session, authorize};
use crate::statement::Outcome;
use crate::statement::alter_table::check_owner;
use crate::statement::create_schema::check_name;

/// # Errors
/// It is not there, the name is taken, or something names it in a way that cannot be changed.
pub async fn execute(session: &mut Session, alter: &AlterSchema) -> Result<Outcome> {
    let snapshot = session.snapshot()?;
    let from = NameScope::of(session).schema_name(&alter.name)?;
    if snapshot.schema(&from).is_none() {
        return Err(Error::UndefinedSchema { name: from });
    }
    authorize(&session.identity, Action::Alter, Object::Schema(&from))?;
    match &alter.action {
        AlterSchemaAction::OwnerTo(role) => check_owner(session, role)?,
        AlterSchemaAction::Rename(to) => {
            let to = identifier(to);
            if snapshot.schema(&to).is_some() {
                return Err(catalog::Error::SchemaExists(to).into());
            }
            check_name(&to)?;
            if from.starts_with(TEMPORARY_SCHEMA_PREFIX) {
                return Err(Error::not_supported("renaming a temporary schema"));
            }
            check_views(&snapshot, &from)?;
            let changes = changes(&snapshot, &from, &to)?;
            session.commit(changes).await?;
        }
    }
    Ok(Outcome::command("ALTER SCHEMA"))
}

/// The text of a view stays, so it must not name a type of the schema.
fn check_views(snapshot: &CatalogSnapshot, schema: &str) -> Result<()> {
    let users = snapshot.types_in(schema).flat_map(|ty| snapshot.type_users(ty));
    let mut views = users.filter_map(|user| match user {
        TypeUser::View(view) => Some(view),
        TypeUser::Column { .. } | TypeUser::Type(_) => None,
    });
    let all = snapshot.schemas().flat_map(|schema| snapshot.relations_in(&schema.name));
    let naming = all.filter_map(|relation| match relation {
        Relation::View(view) if in_constant(&view.query, schema) => Some(view.clone()),
        _ => None,
    });
    match views.next().or(naming.into_iter().next()) {
        Some(view) => Err(Error::not_supported(format!(
            "renaming a schema while view {} names a type of it, or it in a constant",
            view.name
        ))),
        None => Ok(()),
    }
}

/// The schema gets its name, then the texts that mention it.
fn changes(snapshot: &CatalogSnapshot, from: &str, to: &str) -> Result<Vec<CatalogChange>> {
    let mut changes = vec![CatalogChange::RenameSchema { from: from.to_owned(), to: to.to_owned() }];
    let renamed = snapshot.after(&changes)?;
    for old in renamed.user_types() {
        let mut new = old.as_ref().clone();
        if let UserTypeKind::Domain(domain) = &mut new.kind {
            let checks = domain.checks.iter_mut().map(|check| &mut check.condition);
            checks.chain(&mut domain.default).try_for_each(|written| rename_in(written, from, to, None))?;
        }
        if new != **old {
            let old = Box::new(old.as_ref().clone());
            changes.push(CatalogChange::ReplaceType { old, new: Box::new(new), checked: Vec::new() });
        }
    }
    for old in renamed.hot_tables() {
        let mut new = old.as_ref().clone();
        let table = old.name.name.as_str();
        new.expressions_mut().try_for_each(|written| rename_in(written, from, to, Some(table)))?;
        if new != **old {
            changes.push(CatalogChange::ReplaceHotTable { old: old.clone(), new: Arc::new(new) });
        }
    }
    Ok(changes)
}

/// Changes the name of a schema in an expression over the columns of a table.
fn rename_in(written: &mut WrittenExpression, from: &str, to: &str, table: Option<&str>) -> Result<()> {
    let (text, count) = with_renamed(&written.text, from, to)?;
    if count > 0 && table == Some(from) || in_constant(&written.text, from) {
        return Err(Error::not_supported(format!("renaming a schema that the expression {} names so", written.text)));
    }
    written.text = text;
    Ok(())
}

/// The text with another name of a schema, and how often it is there: as the first of several names with points between.
fn with_renamed(text: &str, from: &str, to: &str) -> Result<(String, usize)> {
    let unreadable = || Error::not_supported("renaming a schema that an expression mentions in this way");
    let tokens = Tokenizer::new(&WarehouseDialect, text).tokenize_with_location().map_err(|_| unreadable())?;
    let tokens: Vec<_> = tokens.iter().filter(|token| !matches!(token.token, Token::Whitespace(_))).collect();
    let (mut renamed, mut copied, mut count) = (String::new(), 0, 0);
    for (place, token) in tokens.iter().enumerate() {
        let is_point = |place: Option<usize>| {
            place.and_then(|place| tokens.get(place)).is_some_and(|token| token.token == Token::Period)
        };
        let Token::Word(word) = &token.token else { continue };
        let name = identifier(&word.clone().into_ident(token.span));
        if name != from || !is_point(Some(place + 1)) || is_point(place.checked_sub(1)) {
            continue;
        }
        let offset = |location| position::byte_offset(text, location).ok_or_else(unreadable);
        let (start, end) = (offset(token.span.start)?, offset(token.span.end)?);
        renamed.push_str(&text[copied..start]);
        renamed.push_str(&quote_identifier(to));
        (copied, count) = (end, count + 1);
    }
    renamed.push_str(&text[copied..]);
    Ok((renamed, count))
}

/// Whether a text has a constant that names something in a schema, such as `'a.t'::regclass`.
fn in_constant(text: &str, schema: &str) -> bool {
    let Ok(tokens) = Tokenizer::new(&WarehouseDialect, text).tokenize() else { return true };
    let (plain, quoted) = (format!("{schema}."), format!("\"{schema}\"."));
    let names = |constant: &str| constant.to_lowercase().contains(&plain.to_lowercase()) || constant.contains(&quoted);
    tokens.iter().any(|token| match token {
        Token::SingleQuotedString(constant) | Token::EscapedStringLiteral(constant) => names(constant),
        Token::DollarQuotedString(constant) => names(&constant.value),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(with_renamed(text, "a", "New Name").unwrap().0, expected);
    }

    #[test]
    fn a_schema_is_renamed_where_it_stands_before_a_name() {
        check("'x'::a.mood", "'x'::\"New Name\".mood");
        check("a.t.b > a AND b.a.c = 1 AND A . t.d", "\"New Name\".t.b > a AND b.a.c = 1 AND \"New Name\" . t.d");
        check("\"a\".f(\"A\".g)", "\"New Name\".f(\"A\".g)");
        assert!(in_constant("nextval('a.s')", "a") && !in_constant("nextval('b.s')", "a"));
    }
}
