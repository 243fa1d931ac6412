//! MERGE: PostgreSQL's form, and Redshift's `REMOVE DUPLICATES`.

use pg::PgError;
use pg::sqlstate::SqlState;
use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{self, With};
use sqlparser::keywords::Keyword;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use super::modify::assignments;
use super::statement::{Assignment, Modify, ModifyKind, Overriding, TargetName};
use super::{Statement, StatementReader};
use crate::error::Result;

/// What happens to the rows of a MERGE.
#[derive(Debug, Clone)]
pub enum Merge {
    /// `WHEN …`, in order: of each row, the first that applies.
    Clauses(Vec<MergeClause>),
    /// `REMOVE DUPLICATES`: a row of the source takes the place of all rows that it matches.
    RemoveDuplicates,
}

/// `WHEN [NOT] MATCHED [AND condition] THEN action`
#[derive(Debug, Clone)]
pub struct MergeClause {
    /// Whether it is about rows of the source that match one of the target.
    pub matched: bool,
    /// Which of these.
    pub condition: Option<ast::Expr>,
    /// What happens to them.
    pub action: MergeAction,
}

/// What happens to a row of a MERGE.
#[derive(Debug, Clone)]
pub enum MergeAction {
    /// `DO NOTHING`
    Nothing,
    /// `DELETE`
    Delete,
    /// `UPDATE SET …`
    Update(Vec<Assignment>),
    /// `INSERT …`
    Insert(MergeInsert),
}

/// `INSERT [(columns)] [OVERRIDING …] VALUES (…)`
#[derive(Debug, Clone)]
pub struct MergeInsert {
    /// The columns that are given values; empty for all.
    pub columns: Vec<ast::Ident>,
    /// Whether the values of identity columns are those of the statement.
    pub overriding: Option<Overriding>,
    /// The values; none are `DEFAULT VALUES`.
    pub values: Vec<ast::Expr>,
}

impl Merge {
    /// Whether rows of the source may become rows of the table.
    pub fn adds_rows(&self) -> bool {
        matches!(self, Merge::RemoveDuplicates) || self.actions().any(|action| matches!(action, MergeAction::Insert(_)))
    }

    /// What its UPDATEs assign.
    pub fn assignments(&self) -> impl Iterator<Item = &Assignment> {
        let assignments = self.actions().filter_map(|action| match action {
            MergeAction::Update(assignments) => Some(assignments),
            MergeAction::Nothing | MergeAction::Delete | MergeAction::Insert(_) => None,
        });
        assignments.flatten()
    }

    /// The actions of its clauses.
    pub fn actions(&self) -> impl Iterator<Item = &MergeAction> {
        let clauses: &[MergeClause] = match self {
            Merge::Clauses(clauses) => clauses,
            Merge::RemoveDuplicates => &[],
        };
        clauses.iter().map(|clause| &clause.action)
    }
}

impl StatementReader<'_> {
    /// `[WITH …] MERGE …`, if that comes next.
    pub(super) fn merge(&mut self) -> Result<Option<Statement>> {
        let with = match self.begins_with_before_merge() {
            true => Some(self.with_of_merge()?),
            false => None,
        };
        if !self.words(&["MERGE"]) {
            return Ok(None);
        }
        self.expect_word("INTO")?;
        let target = self.merge_target()?;
        self.expect_word("USING")?;
        let source = self.parser.parse_table_and_joins().map_err(|error| self.syntax(error))?;
        self.expect_word("ON")?;
        let condition = self.expression_of_merge()?;
        let merge = match self.words(&["REMOVE", "DUPLICATES"]) {
            true => Merge::RemoveDuplicates,
            false => Merge::Clauses(self.merge_clauses()?),
        };
        Ok(Some(Statement::Modify(Box::new(Modify {
            with,
            target,
            kind: ModifyKind::Merge(merge),
            from: vec![source],
            selection: Some(condition),
            returning: Vec::new(),
        }))))
    }

    /// Whether a WITH comes next that stands before a MERGE.
    fn begins_with_before_merge(&self) -> bool {
        let rest = self.tokens.get(self.parser.index()..).unwrap_or_default();
        let mut solid = rest.iter().map(|token| &token.token).filter(|token| !matches!(token, Token::Whitespace(_)));
        if !solid.next().is_some_and(|token| is_keyword(token, Keyword::WITH)) {
            return false;
        }
        let mut depth = 0_usize;
        let mut is_behind = false;
        for token in solid {
            match token {
                Token::LParen if is_behind => return false,
                Token::LParen => depth += 1,
                Token::RParen => depth = depth.saturating_sub(1),
                Token::SemiColon => return false,
                Token::Comma => {}
                token if is_behind && !is_keyword(token, Keyword::AS) => return is_keyword(token, Keyword::MERGE),
                _ => {}
            }
            // Behind the columns of a common table, or its query.
            is_behind = depth == 0 && matches!(token, Token::RParen);
        }
        false
    }

    fn with_of_merge(&mut self) -> Result<With> {
        let with_token = AttachedToken(self.parser.peek_token());
        self.expect_word("WITH")?;
        if self.words(&["RECURSIVE"]) {
            let message = "WITH RECURSIVE is not supported for MERGE statement";
            return Err(PgError::new(SqlState::SYNTAX_ERROR, message).into());
        }
        let cte_tables = self.parser.parse_comma_separated(Parser::parse_cte).map_err(|error| self.syntax(error))?;
        Ok(With { with_token, recursive: false, cte_tables })
    }

    /// `[ONLY] name [*] [[AS] alias]`
    fn merge_target(&mut self) -> Result<TargetName> {
        self.words(&["ONLY"]);
        let name = self.object_name()?;
        let _ = self.parser.consume_token(&Token::Mul);
        let explicit = self.words(&["AS"]);
        let next = self.parser.peek_token_ref();
        let has_alias = explicit || matches!(next.token, Token::Word(_)) && !is_keyword(&next.token, Keyword::USING);
        let alias = match has_alias {
            true => Some(ast::TableAlias { explicit, name: self.identifier()?, columns: Vec::new(), at: None }),
            false => None,
        };
        Ok(TargetName { name, alias })
    }

    fn merge_clauses(&mut self) -> Result<Vec<MergeClause>> {
        let mut clauses = Vec::new();
        while self.words(&["WHEN"]) {
            let matched = !self.words(&["NOT"]);
            self.expect_word("MATCHED")?;
            let condition = if self.words(&["AND"]) { Some(self.expression_of_merge()?) } else { None };
            self.expect_word("THEN")?;
            let action = self.merge_action(matched)?;
            clauses.push(MergeClause { matched, condition, action });
        }
        if clauses.is_empty() {
            return Err(self.unexpected(self.parser.peek_token_ref()));
        }
        let is_behind_unconditional = |(place, clause): (usize, &MergeClause)| {
            clauses[..place].iter().any(|before| before.matched == clause.matched && before.condition.is_none())
        };
        if clauses.iter().enumerate().any(is_behind_unconditional) {
            let message = "unreachable WHEN clause specified after unconditional WHEN clause";
            return Err(PgError::new(SqlState::SYNTAX_ERROR, message).into());
        }
        Ok(clauses)
    }

    fn merge_action(&mut self, matched: bool) -> Result<MergeAction> {
        if self.words(&["DO", "NOTHING"]) {
            return Ok(MergeAction::Nothing);
        }
        if matched && self.words(&["DELETE"]) {
            return Ok(MergeAction::Delete);
        }
        if matched && self.words(&["UPDATE"]) {
            self.expect_word("SET")?;
            let assigned = self.parser.parse_comma_separated(Parser::parse_assignment);
            return Ok(MergeAction::Update(assignments(assigned.map_err(|error| self.syntax(error))?)?));
        }
        if !matched && self.words(&["INSERT"]) {
            return Ok(MergeAction::Insert(self.merge_insert()?));
        }
        Err(self.unexpected(self.parser.peek_token_ref()))
    }

    fn merge_insert(&mut self) -> Result<MergeInsert> {
        if self.words(&["DEFAULT", "VALUES"]) {
            return Ok(MergeInsert { columns: Vec::new(), overriding: None, values: Vec::new() });
        }
        let columns = match self.parser.peek_token_ref().token {
            Token::LParen => self.parenthesised(Self::identifier)?,
            _ => Vec::new(),
        };
        let overriding = if self.words(&["OVERRIDING", "SYSTEM", "VALUE"]) {
            Some(Overriding::System)
        } else if self.words(&["OVERRIDING", "USER", "VALUE"]) {
            Some(Overriding::User)
        } else {
            None
        };
        self.expect_word("VALUES")?;
        let values = self.parenthesised(Self::expression_of_merge)?;
        Ok(MergeInsert { columns, overriding, values })
    }

    fn expression_of_merge(&mut self) -> Result<ast::Expr> {
        self.parser.parse_expr().map_err(|error| self.syntax(error))
    }
}

fn is_keyword(token: &Token, keyword: Keyword) -> bool {
    matches!(token, Token::Word(word) if word.quote_style.is_none() && word.keyword == keyword)
}
