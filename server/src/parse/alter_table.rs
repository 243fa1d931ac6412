//! `ALTER TABLE` of hot tables, `ALTER VIEW`.

use sqlparser::ast::{Ident, ObjectName};
use sqlparser::tokenizer::Token;

use super::create_table::syntax;
use super::definition::SequenceOption;
use super::statement::{AlterTable, AlterTableAction, AlteredKind, UsingExpression};
use super::{Statement, StatementReader};
use crate::error::{Error, Result};

/// Actions of PostgreSQL's and Redshift's that we understand and do not do, by their first words.
const REFUSED_ACTIONS: &[&str] = &[
    "CLUSTER ON",
    "SET WITHOUT",
    "SET TABLESPACE",
    "SET LOGGED",
    "SET UNLOGGED",
    "SET ACCESS METHOD",
    "SET TABLE PROPERTIES",
    "SET LOCATION",
    "SET FILE FORMAT",
    "SET",
    "RESET",
    "INHERIT",
    "NO INHERIT",
    "OF",
    "NOT OF",
    "REPLICA IDENTITY",
    "ENABLE",
    "DISABLE",
    "FORCE ROW LEVEL SECURITY",
    "NO FORCE ROW LEVEL SECURITY",
    "ATTACH PARTITION",
    "DETACH PARTITION",
    "APPEND FROM",
    "ALTER SORTKEY",
    "ALTER COMPOUND SORTKEY",
    "ALTER INTERLEAVED SORTKEY",
    "ALTER DISTKEY",
    "ALTER DISTSTYLE",
    "ALTER ENCODE",
    "ALTER CONSTRAINT",
];

/// What ALTER COLUMN can do besides, and we do not do.
const REFUSED_COLUMN_ACTIONS: &[&str] =
    &["SET STATISTICS", "SET STORAGE", "SET COMPRESSION", "RESET", "DROP EXPRESSION", "ENCODE"];

impl StatementReader<'_> {
    /// Behind the name of the table, when no action on partitions follows.
    pub(super) fn alter_table_actions(&mut self, name: ObjectName, if_exists: bool) -> Result<Statement> {
        let actions = match self.renaming()? {
            Some(action) => vec![action],
            None => {
                let mut actions = vec![self.alter_table_action()?];
                while self.parser.consume_token(&Token::Comma) {
                    actions.push(self.alter_table_action()?);
                }
                actions
            }
        };
        Ok(Statement::AlterTable(AlterTable { kind: AlteredKind::Table, name, if_exists, actions }))
    }

    /// Behind `ALTER VIEW`.
    pub(super) fn alter_view(&mut self) -> Result<Statement> {
        let if_exists = self.words(&["IF", "EXISTS"]);
        let name = self.object_name()?;
        let action = match self.renaming()? {
            Some(action) => action,
            None if self.words(&["OWNER", "TO"]) => AlterTableAction::OwnerTo(self.identifier()?),
            None => return Err(self.refused("ALTER VIEW", &["ALTER", "SET", "RESET"])),
        };
        Ok(Statement::AlterTable(AlterTable { kind: AlteredKind::View, name, if_exists, actions: vec![action] }))
    }

    /// What stands alone in its statement.
    fn renaming(&mut self) -> Result<Option<AlterTableAction>> {
        if self.words(&["SET", "SCHEMA"]) {
            return Ok(Some(AlterTableAction::SetSchema(self.identifier()?)));
        }
        if self.words(&["RENAME", "CONSTRAINT"]) {
            let (from, to) = self.old_and_new_name()?;
            return Ok(Some(AlterTableAction::RenameConstraint { from, to }));
        }
        if self.words(&["RENAME", "TO"]) {
            return Ok(Some(AlterTableAction::Rename(self.identifier()?)));
        }
        if self.words(&["RENAME", "COLUMN"]) || self.words(&["RENAME"]) {
            let (from, to) = self.old_and_new_name()?;
            return Ok(Some(AlterTableAction::RenameColumn { from, to }));
        }
        Ok(None)
    }

    fn old_and_new_name(&mut self) -> Result<(Ident, Ident)> {
        let from = self.identifier()?;
        self.expect_word("TO")?;
        Ok((from, self.identifier()?))
    }

    fn alter_table_action(&mut self) -> Result<AlterTableAction> {
        if let Some(words) = REFUSED_ACTIONS.iter().find(|words| self.spaced(words)) {
            return Err(Error::not_supported(format!("ALTER TABLE … {words}")));
        }
        if self.words(&["ADD"]) {
            return self.add_action();
        }
        if self.words(&["DROP"]) {
            let constraint = self.words(&["CONSTRAINT"]);
            let _ = !constraint && self.words(&["COLUMN"]);
            let if_exists = self.words(&["IF", "EXISTS"]);
            let name = self.identifier()?;
            let cascade = self.cascade();
            return Ok(match constraint {
                true => AlterTableAction::DropConstraint { name, if_exists, cascade },
                false => AlterTableAction::DropColumn { name, if_exists, cascade },
            });
        }
        if self.words(&["VALIDATE", "CONSTRAINT"]) {
            return Ok(AlterTableAction::ValidateConstraint(self.identifier()?));
        }
        if self.words(&["OWNER", "TO"]) {
            return Ok(AlterTableAction::OwnerTo(self.identifier()?));
        }
        self.expect_word("ALTER")?;
        self.words(&["COLUMN"]);
        let column = self.identifier()?;
        self.alter_column_action(column)
    }

    fn alter_column_action(&mut self, column: Ident) -> Result<AlterTableAction> {
        if self.words(&["SET", "NOT", "NULL"]) {
            return Ok(AlterTableAction::SetNotNull { column, not_null: true });
        }
        if self.words(&["DROP", "NOT", "NULL"]) {
            return Ok(AlterTableAction::SetNotNull { column, not_null: false });
        }
        if self.words(&["SET", "DEFAULT"]) {
            return Ok(AlterTableAction::SetDefault { column, default: Some(self.default_expression()?) });
        }
        if self.words(&["DROP", "DEFAULT"]) {
            return Ok(AlterTableAction::SetDefault { column, default: None });
        }
        if self.words(&["SET", "DATA", "TYPE"]) || self.words(&["TYPE"]) {
            let data_type = self.parser.parse_data_type().map_err(|error| self.syntax(error))?;
            if self.words(&["COLLATE"]) {
                return Err(Error::not_supported("ALTER COLUMN … TYPE … COLLATE"));
            }
            let using = if self.words(&["USING"]) { Some(self.using_expression()?) } else { None };
            return Ok(AlterTableAction::SetType { column, data_type, using });
        }
        if self.words(&["ADD", "GENERATED"]) {
            let always = self.generated_when()?;
            self.expect_word("AS")?;
            self.expect_word("IDENTITY")?;
            let mut options = Vec::new();
            if self.parser.consume_token(&Token::LParen) {
                options = self.sequence_options()?;
                self.expect(&Token::RParen)?;
            }
            return Ok(AlterTableAction::AddIdentity { column, always, options });
        }
        if self.words(&["DROP", "IDENTITY"]) {
            return Ok(AlterTableAction::DropIdentity { column, if_exists: self.words(&["IF", "EXISTS"]) });
        }
        match self.refused("ALTER COLUMN …", REFUSED_COLUMN_ACTIONS) {
            refused @ Error::NotSupported { .. } => Err(refused),
            _ => self.set_identity(column),
        }
    }

    /// `{SET GENERATED … | SET option | RESTART …} …`
    fn set_identity(&mut self, column: Ident) -> Result<AlterTableAction> {
        let (mut always, mut options): (Option<bool>, Vec<SequenceOption>) = (None, Vec::new());
        loop {
            let start = self.parser.peek_token();
            if self.words(&["SET", "GENERATED"]) {
                if always.replace(self.generated_when()?).is_some() {
                    return Err(syntax("conflicting or redundant options"));
                }
                continue;
            }
            let is_set = self.words(&["SET"]);
            let is_restart = matches!(&self.parser.peek_token_ref().token,
                Token::Word(word) if word.value.eq_ignore_ascii_case("restart"));
            let option = if is_set || is_restart { self.sequence_option()? } else { None };
            match option {
                Some(SequenceOption::OwnedBy(_)) => {
                    return Err(syntax("sequence option \"owned_by\" not supported here"));
                }
                Some(SequenceOption::As(_)) => return Err(syntax("sequence option \"as\" not supported here")),
                Some(SequenceOption::Name(..)) => return Err(syntax("invalid sequence option SEQUENCE NAME")),
                Some(option) if options.iter().any(|known| known.keyword() == option.keyword()) => {
                    return Err(syntax("conflicting or redundant options"));
                }
                Some(option) => options.push(option),
                None if is_set && self.parser.peek_token_ref().token == Token::LParen => {
                    return Err(Error::not_supported("ALTER COLUMN … SET"));
                }
                None if is_set => return Err(self.unexpected(self.parser.peek_token_ref())),
                None if always.is_none() && options.is_empty() => return Err(self.unexpected(&start)),
                None => return Ok(AlterTableAction::SetIdentity { column, always, options }),
            }
        }
    }

    /// `ALWAYS` or `BY DEFAULT`
    fn generated_when(&mut self) -> Result<bool> {
        if self.words(&["BY", "DEFAULT"]) {
            return Ok(false);
        }
        self.expect_word("ALWAYS")?;
        Ok(true)
    }

    fn using_expression(&mut self) -> Result<UsingExpression> {
        let expr = self.parser.parse_expr().map_err(|error| self.syntax(error))?;
        Ok(UsingExpression { expr: Box::new(expr) })
    }

    fn add_action(&mut self) -> Result<AlterTableAction> {
        if self.begins_table_constraint() {
            let (constraint, is_valid) = self.added_constraint()?;
            return Ok(AlterTableAction::AddConstraint { constraint, is_valid });
        }
        self.words(&["COLUMN"]);
        let if_not_exists = self.words(&["IF", "NOT", "EXISTS"]);
        Ok(AlterTableAction::AddColumn { if_not_exists, column: self.column_definition()? })
    }

    /// `CASCADE` or `RESTRICT`
    pub(super) fn cascade(&mut self) -> bool {
        let cascade = self.words(&["CASCADE"]);
        let _ = !cascade && self.words(&["RESTRICT"]);
        cascade
    }

    /// Consumes words that are written with spaces between them, if they all come next.
    fn spaced(&mut self, words: &str) -> bool {
        let words: Vec<_> = words.split(' ').collect();
        self.words(&words)
    }

    /// An action that we understand and do not do, or a word that is none.
    fn refused(&mut self, statement: &str, actions: &[&str]) -> Error {
        match actions.iter().find(|action| self.spaced(action)) {
            Some(action) => Error::not_supported(format!("{statement} {action}")),
            None => self.unexpected(self.parser.peek_token_ref()),
        }
    }
}
