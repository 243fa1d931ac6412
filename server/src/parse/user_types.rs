//! CREATE, ALTER and DROP of types and domains.

use sqlparser::ast::{Ident, ObjectName};
use sqlparser::tokenizer::Token;

use super::create_table::syntax;
use super::statement::{
    AlterDomain, AlterDomainAction, AlterType, AlterTypeAction, Constraint, CreateDomain, CreateType, Drop, DropKind,
    LabelPlace, TypeDefinition,
};
use super::{Statement, StatementReader};
use crate::error::{Error, Result};

/// What cannot be part of a word that names a constraint of a domain, and PostgreSQL's reason.
const NO_DOMAIN_CONSTRAINTS: &[(&str, &str)] = &[
    ("UNIQUE", "unique constraints not possible for domains"),
    ("PRIMARY", "primary key constraints not possible for domains"),
    ("REFERENCES", "foreign key constraints not possible for domains"),
    ("EXCLUDE", "exclusion constraints not possible for domains"),
];

impl StatementReader<'_> {
    /// A statement about a type or domain, if one begins here.
    pub(super) fn type_statement(&mut self) -> Result<Option<Statement>> {
        let statement = if self.words(&["CREATE", "TYPE"]) {
            self.create_type()?
        } else if self.words(&["CREATE", "DOMAIN"]) {
            self.create_domain()?
        } else if self.words(&["ALTER", "TYPE"]) {
            self.alter_type()?
        } else if self.words(&["ALTER", "DOMAIN"]) {
            self.alter_domain()?
        } else if self.words(&["DROP", "TYPE"]) {
            self.drop_named(DropKind::Type)?
        } else if self.words(&["DROP", "DOMAIN"]) {
            self.drop_named(DropKind::Domain)?
        } else {
            return Ok(None);
        };
        Ok(Some(statement))
    }

    fn create_type(&mut self) -> Result<Statement> {
        let name = self.object_name()?;
        let definition = if self.words(&["AS", "ENUM"]) {
            TypeDefinition::Enum(self.possibly_none(Self::string)?)
        } else if self.words(&["AS", "RANGE"]) {
            return Err(Error::not_supported("CREATE TYPE … AS RANGE"));
        } else if self.words(&["AS"]) {
            TypeDefinition::Composite(self.possibly_none(|reader| {
                let name = reader.identifier()?;
                let data_type = reader.parser.parse_data_type().map_err(|error| reader.syntax(error))?;
                if reader.words(&["COLLATE"]) {
                    return Err(Error::not_supported("COLLATE in a composite type"));
                }
                Ok((name, data_type))
            })?)
        } else if self.parser.peek_token_ref().token == Token::LParen {
            return Err(Error::not_supported("CREATE TYPE of a base type"));
        } else {
            return Err(match self.parser.peek_token_ref().token {
                Token::EOF | Token::SemiColon => Error::not_supported("CREATE TYPE of a shell type"),
                _ => self.unexpected(self.parser.peek_token_ref()),
            });
        };
        Ok(Statement::CreateType(CreateType { name, definition }))
    }

    /// `()` or `(item, …)`
    pub(super) fn possibly_none<T>(&mut self, item: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        if self.parser.peek_nth_token_ref(1).token == Token::RParen {
            self.expect(&Token::LParen)?;
            self.expect(&Token::RParen)?;
            return Ok(Vec::new());
        }
        self.parenthesised(item)
    }

    fn create_domain(&mut self) -> Result<Statement> {
        let name = self.object_name()?;
        self.words(&["AS"]);
        let data_type = self.parser.parse_data_type().map_err(|error| self.syntax(error))?;
        let mut domain = CreateDomain { name, data_type, default: None, not_null: None, checks: Vec::new() };
        loop {
            let named = if self.words(&["CONSTRAINT"]) { Some(self.identifier()?) } else { None };
            if self.words(&["DEFAULT"]) {
                if domain.default.replace(self.default_expression()?.text).is_some() {
                    return Err(syntax("multiple default expressions"));
                }
            } else if self.words(&["NOT", "NULL"]) {
                set_not_null(&mut domain, true)?;
            } else if self.words(&["NULL"]) {
                set_not_null(&mut domain, false)?;
            } else if self.words(&["CHECK"]) {
                domain.checks.push(self.check(named)?);
            } else if self.words(&["COLLATE"]) {
                return Err(Error::not_supported("COLLATE in a domain"));
            } else if let Some((_, message)) = NO_DOMAIN_CONSTRAINTS.iter().find(|(word, _)| self.words(&[word])) {
                return Err(syntax(message));
            } else if named.is_some() {
                return Err(self.unexpected(self.parser.peek_token_ref()));
            } else {
                return Ok(Statement::CreateDomain(domain));
            }
        }
    }

    /// Behind CHECK: the condition in its parentheses.
    fn check(&mut self, name: Option<Ident>) -> Result<Constraint> {
        let condition = self.expression_in_parentheses()?.text;
        if self.words(&["NO", "INHERIT"]) {
            return Err(Error::Sql {
                error: Box::new(pg::PgError::new(
                    pg::sqlstate::SqlState::INVALID_OBJECT_DEFINITION,
                    "check constraints for domains cannot be marked NO INHERIT",
                )),
                position: None,
            });
        }
        Ok(Constraint { name, condition })
    }

    fn alter_type(&mut self) -> Result<Statement> {
        let name = self.object_name()?;
        let action = if self.words(&["ADD", "VALUE"]) {
            let if_not_exists = self.words(&["IF", "NOT", "EXISTS"]);
            let label = self.string()?;
            let place = if self.words(&["BEFORE"]) {
                LabelPlace::Before(self.string()?)
            } else if self.words(&["AFTER"]) {
                LabelPlace::After(self.string()?)
            } else {
                LabelPlace::Last
            };
            AlterTypeAction::AddValue { label, if_not_exists, place }
        } else if self.words(&["RENAME", "VALUE"]) {
            let from = self.string()?;
            self.expect_word("TO")?;
            AlterTypeAction::RenameValue { from, to: self.string()? }
        } else if self.words(&["RENAME", "TO"]) {
            AlterTypeAction::Rename(self.identifier()?)
        } else if self.words(&["SET", "SCHEMA"]) {
            AlterTypeAction::SetSchema(self.identifier()?)
        } else if self.words(&["OWNER", "TO"]) {
            AlterTypeAction::OwnerTo(self.identifier()?)
        } else {
            return Err(self.unsupported_action("ALTER TYPE"));
        };
        Ok(Statement::AlterType(AlterType { name, action }))
    }

    fn alter_domain(&mut self) -> Result<Statement> {
        let name = self.object_name()?;
        let action = if self.words(&["SET", "DEFAULT"]) {
            AlterDomainAction::SetDefault(Some(self.default_expression()?.text))
        } else if self.words(&["DROP", "DEFAULT"]) {
            AlterDomainAction::SetDefault(None)
        } else if self.words(&["SET", "NOT", "NULL"]) {
            AlterDomainAction::SetNotNull(true)
        } else if self.words(&["DROP", "NOT", "NULL"]) {
            AlterDomainAction::SetNotNull(false)
        } else if self.words(&["ADD"]) {
            let named = if self.words(&["CONSTRAINT"]) { Some(self.identifier()?) } else { None };
            self.expect_word("CHECK")?;
            let check = self.check(named)?;
            if self.words(&["NOT", "VALID"]) {
                return Err(Error::not_supported("NOT VALID"));
            }
            AlterDomainAction::AddCheck(check)
        } else if self.words(&["DROP", "CONSTRAINT"]) {
            let if_exists = self.words(&["IF", "EXISTS"]);
            let name = self.identifier()?;
            // Nothing depends on a constraint of a domain.
            let _ = self.words(&["CASCADE"]) || self.words(&["RESTRICT"]);
            AlterDomainAction::DropConstraint { name, if_exists }
        } else if self.words(&["RENAME", "CONSTRAINT"]) {
            let from = self.identifier()?;
            self.expect_word("TO")?;
            AlterDomainAction::RenameConstraint { from, to: self.identifier()? }
        } else if self.words(&["RENAME", "TO"]) {
            AlterDomainAction::Rename(self.identifier()?)
        } else if self.words(&["SET", "SCHEMA"]) {
            AlterDomainAction::SetSchema(self.identifier()?)
        } else if self.words(&["OWNER", "TO"]) {
            AlterDomainAction::OwnerTo(self.identifier()?)
        } else if self.words(&["VALIDATE", "CONSTRAINT"]) {
            AlterDomainAction::ValidateConstraint(self.identifier()?)
        } else {
            return Err(self.unsupported_action("ALTER DOMAIN"));
        };
        Ok(Statement::AlterDomain(AlterDomain { name, action }))
    }

    /// An action that we understand and do not do, or a word that is none.
    fn unsupported_action(&mut self, statement: &str) -> Error {
        for action in ["ADD ATTRIBUTE", "DROP ATTRIBUTE", "ALTER ATTRIBUTE", "RENAME ATTRIBUTE", "SET"] {
            let words: Vec<_> = action.split(' ').collect();
            if self.words(&words) {
                return Error::not_supported(format!("{statement} … {action}"));
            }
        }
        self.unexpected(self.parser.peek_token_ref())
    }

    /// Behind `DROP kind`.
    pub(super) fn drop_named(&mut self, kind: DropKind) -> Result<Statement> {
        let if_exists = self.words(&["IF", "EXISTS"]);
        let names = self.object_names()?;
        Ok(Statement::Drop(Drop { kind, names, if_exists, cascade: self.cascade() }))
    }

    /// Names with commas between them.
    pub(super) fn object_names(&mut self) -> Result<Vec<ObjectName>> {
        let mut names = vec![self.object_name()?];
        while self.parser.consume_token(&Token::Comma) {
            names.push(self.object_name()?);
        }
        Ok(names)
    }
}

fn set_not_null(domain: &mut CreateDomain, not_null: bool) -> Result<()> {
    match domain.not_null.replace(not_null) {
        Some(before) if before != not_null => Err(syntax("conflicting NULL/NOT NULL constraints")),
        _ => Ok(()),
    }
}
