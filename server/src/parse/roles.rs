//! CREATE, ALTER and DROP of roles, which PostgreSQL also calls users and groups.

use pg::PgError;
use pg::sqlstate::SqlState;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::position;
use super::statement::Set;
use super::{Statement, StatementReader};
use crate::error::{Error, Result};

/// `CREATE ROLE`
#[derive(Debug, Clone)]
pub struct CreateRole {
    /// Its name.
    pub name: RoleName,
    /// What it is told.
    pub options: Vec<RoleOption>,
}

/// `ALTER ROLE`
#[derive(Debug, Clone)]
pub struct AlterRole {
    /// Which.
    pub name: RoleName,
    /// What happens to it.
    pub action: AlterRoleAction,
}

/// `DROP ROLE`
#[derive(Debug, Clone)]
pub struct DropRoles {
    /// Which.
    pub names: Vec<RoleName>,
    /// Whether they may be absent.
    pub if_exists: bool,
}

/// How a statement names a role.
#[derive(Debug, Clone)]
pub struct RoleName {
    /// The name, or which.
    pub kind: RoleNameKind,
    /// Where it stands, in characters from 1.
    pub position: Option<usize>,
}

/// How a statement names a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoleNameKind {
    /// By its name.
    Named(String),
    /// `CURRENT_USER`, `CURRENT_ROLE`, `SESSION_USER`, as written
    Session(String),
}

/// What ALTER ROLE does.
#[derive(Debug, Clone)]
pub enum AlterRoleAction {
    /// What it is told.
    Options(Vec<RoleOption>),
    /// `RENAME TO`
    Rename(RoleName),
    /// `SET setting TO value`
    Set(Set),
    /// `RESET setting`
    Reset(String),
    /// `RESET ALL`
    ResetAll,
}

/// What a role is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoleOption {
    /// `SUPERUSER`, `NOSUPERUSER`
    Superuser(bool),
    /// `INHERIT`, `NOINHERIT`
    Inherit(bool),
    /// `CREATEROLE`, `NOCREATEROLE`
    CreateRole(bool),
    /// `CREATEDB`, `NOCREATEDB`
    CreateDb(bool),
    /// `LOGIN`, `NOLOGIN`
    Login(bool),
    /// `REPLICATION`, `NOREPLICATION`
    Replication(bool),
    /// `BYPASSRLS`, `NOBYPASSRLS`
    BypassRls(bool),
    /// `CONNECTION LIMIT`
    ConnectionLimit(i64),
    /// `PASSWORD`; nothing is NULL
    Password(Option<String>),
    /// `VALID UNTIL`
    ValidUntil(String),
    /// `SYSID`, which says nothing any more
    SysId,
}

/// What an option that is said by a word says, with or without NO.
type Flag = fn(bool) -> RoleOption;

/// Options that are said by a word, or by the word with NO before it.
const FLAGS: [(&str, Flag); 7] = [
    ("SUPERUSER", RoleOption::Superuser),
    ("INHERIT", RoleOption::Inherit),
    ("CREATEROLE", RoleOption::CreateRole),
    ("CREATEDB", RoleOption::CreateDb),
    ("LOGIN", RoleOption::Login),
    ("REPLICATION", RoleOption::Replication),
    ("BYPASSRLS", RoleOption::BypassRls),
];
const KINDS: [&str; 3] = ["ROLE", "USER", "GROUP"];

impl StatementReader<'_> {
    /// A statement about roles, if one begins here.
    pub(super) fn role_statement(&mut self) -> Result<Option<Statement>> {
        if self.words(&["CREATE", "USER", "MAPPING"]) || self.words(&["ALTER", "USER", "MAPPING"]) {
            return Err(Error::not_supported("USER MAPPING"));
        }
        if self.words(&["ALTER", "DATABASE"]) {
            return Err(Error::not_supported("ALTER DATABASE"));
        }
        for kind in KINDS {
            if self.words(&["CREATE", kind]) {
                return self.create_role(kind == "USER").map(Some);
            }
            if self.words(&["ALTER", kind]) {
                return self.alter_role().map(Some);
            }
            if self.words(&["DROP", kind]) {
                let if_exists = self.words(&["IF", "EXISTS"]);
                let mut names = vec![self.role_name()?];
                while self.parser.consume_token(&Token::Comma) {
                    names.push(self.role_name()?);
                }
                return Ok(Some(Statement::DropRoles(DropRoles { names, if_exists })));
            }
        }
        Ok(None)
    }

    fn create_role(&mut self, is_user: bool) -> Result<Statement> {
        let name = self.role_name()?;
        let mut options = self.role_options()?;
        if is_user && !options.iter().any(|option| matches!(option, RoleOption::Login(_))) {
            options.push(RoleOption::Login(true));
        }
        Ok(Statement::CreateRole(CreateRole { name, options }))
    }

    fn alter_role(&mut self) -> Result<Statement> {
        if self.words(&["ALL"]) {
            return Err(Error::not_supported("ALTER ROLE ALL"));
        }
        let name = self.role_name()?;
        if self.words(&["IN", "DATABASE"]) {
            return Err(Error::not_supported("ALTER ROLE … IN DATABASE"));
        }
        let action = if self.words(&["RENAME", "TO"]) {
            AlterRoleAction::Rename(self.role_name()?)
        } else if self.words(&["ADD", "USER"]) || self.words(&["DROP", "USER"]) {
            return Err(Error::not_supported("membership in roles"));
        } else if self.is_word("SET") || self.is_word("RESET") {
            let begin = self.parser.peek_token();
            match self.statement()? {
                Statement::Set(set) if !set.local => AlterRoleAction::Set(set),
                Statement::Reset { name } => AlterRoleAction::Reset(name),
                Statement::ResetAll => AlterRoleAction::ResetAll,
                _ => return Err(self.unexpected(&begin)),
            }
        } else {
            AlterRoleAction::Options(self.role_options()?)
        };
        Ok(Statement::AlterRole(AlterRole { name, action }))
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(&self.parser.peek_token_ref().token,
            Token::Word(found) if found.quote_style.is_none() && found.value.eq_ignore_ascii_case(word))
    }

    fn role_name(&mut self) -> Result<RoleName> {
        let token = self.parser.peek_token();
        let position = self.position_of(&token);
        let special = ["CURRENT_USER", "CURRENT_ROLE", "SESSION_USER"];
        let kind = match special.iter().find(|word| self.words(&[word])) {
            Some(word) => RoleNameKind::Session((*word).to_owned()),
            None => {
                let written = self.identifier()?;
                let name = crate::plan::relations::identifier(&written);
                let is_none = name == "none" && written.quote_style.is_none();
                if name == "public" || is_none {
                    let message = format!("role name \"{name}\" is reserved");
                    return Err(Error::Sql {
                        error: Box::new(PgError::new(SqlState::RESERVED_NAME, message)),
                        position,
                    });
                }
                RoleNameKind::Named(name)
            }
        };
        Ok(RoleName { kind, position })
    }

    fn position_of(&self, token: &TokenWithSpan) -> Option<usize> {
        position::character(&self.text, token.span.start)
    }

    fn role_options(&mut self) -> Result<Vec<RoleOption>> {
        self.words(&["WITH"]);
        let mut options: Vec<RoleOption> = Vec::new();
        loop {
            let token = self.parser.peek_token();
            let Some(option) = self.role_option()? else { return Ok(options) };
            let same = |other: &RoleOption| std::mem::discriminant(other) == std::mem::discriminant(&option);
            if options.iter().any(same) {
                return Err(Error::Syntax {
                    message: "conflicting or redundant options".into(),
                    detail: None,
                    position: self.position_of(&token),
                });
            }
            options.push(option);
        }
    }

    fn role_option(&mut self) -> Result<Option<RoleOption>> {
        for (word, option) in FLAGS {
            if self.words(&[word]) {
                return Ok(Some(option(true)));
            }
            if self.words(&[&format!("NO{word}")]) {
                return Ok(Some(option(false)));
            }
        }
        let token = self.parser.peek_token();
        if self.words(&["CONNECTION", "LIMIT"]) {
            return Ok(Some(RoleOption::ConnectionLimit(self.whole_number()?)));
        }
        if self.words(&["PASSWORD", "NULL"]) {
            return Ok(Some(RoleOption::Password(None)));
        }
        if self.words(&["ENCRYPTED", "PASSWORD"]) || self.words(&["PASSWORD"]) {
            return Ok(Some(RoleOption::Password(Some(self.string()?))));
        }
        if self.words(&["UNENCRYPTED", "PASSWORD"]) {
            let error = PgError::not_supported("UNENCRYPTED PASSWORD");
            let error = PgError { message: "UNENCRYPTED PASSWORD is no longer supported".into(), ..error };
            let error = error.with_hint("Remove UNENCRYPTED to store the password in encrypted form instead.");
            return Err(Error::Sql { error: Box::new(error), position: self.position_of(&token) });
        }
        if self.words(&["VALID", "UNTIL"]) {
            return Ok(Some(RoleOption::ValidUntil(self.string()?)));
        }
        if self.words(&["SYSID"]) {
            self.whole_number()?;
            return Ok(Some(RoleOption::SysId));
        }
        let members = self.words(&["IN", "ROLE"]) || self.words(&["IN", "GROUP"]);
        if members || ["ROLE", "USER", "ADMIN"].iter().any(|word| self.words(&[word])) {
            return Err(Error::not_supported("membership in roles"));
        }
        match &token.token {
            Token::Word(word) => Err(Error::Syntax {
                message: format!("unrecognized role option \"{}\"", word.value.to_ascii_lowercase()),
                detail: None,
                position: self.position_of(&token),
            }),
            _ => Ok(None),
        }
    }
}
