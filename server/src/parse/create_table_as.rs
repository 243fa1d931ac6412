//! `CREATE TABLE … AS` and `SELECT … INTO`.

use sqlparser::ast::{Query, SelectInto, SetExpr};
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::Token;

use super::create_table::is_hash_name;
use super::definition::{Lifetime, TableAttributes};
use super::statement::{CreateTableAs, RowsOf};
use super::{Statement, StatementReader};
use crate::error::{Error, Result};

impl StatementReader<'_> {
    /// `CREATE TABLE … AS query`, if one begins here.
    pub(super) fn create_table_as(&mut self) -> Result<Option<Statement>> {
        if !self.is_create_table_as() {
            return Ok(None);
        }
        let (name, mut lifetime, if_not_exists) = self.begun_table()?;
        let columns = match self.parser.peek_token_ref().token {
            Token::LParen => self.parenthesised(Self::identifier)?,
            _ => Vec::new(),
        };
        let attributes = self.table_attributes(&mut lifetime)?;
        self.expect_word("AS")?;
        let query = match self.words(&["EXECUTE"]) {
            true => RowsOf::Execute(self.execute()?),
            false => RowsOf::Query(self.parser.parse_query().map_err(|error| self.syntax(error))?),
        };
        let no_data = self.words(&["WITH", "NO", "DATA"]);
        let _ = !no_data && self.words(&["WITH", "DATA"]);
        let create = CreateTableAs { name, lifetime, if_not_exists, columns, attributes, query, with_data: !no_data };
        Ok(Some(Statement::CreateTableAs(create)))
    }

    /// Whether the statement that begins here is a CREATE TABLE with AS outside of parentheses.
    fn is_create_table_as(&self) -> bool {
        let Some(rest) = self.tokens.get(self.parser.index()..) else { return false };
        let mut solid = rest.iter().map(|token| &token.token).filter(|token| !matches!(token, Token::Whitespace(_)));
        let is = |token: Option<&Token>, keywords: &[Keyword]| {
            matches!(token,
            Some(Token::Word(word)) if word.quote_style.is_none() && keywords.contains(&word.keyword))
        };
        if !is(solid.next(), &[Keyword::CREATE]) {
            return false;
        }
        let kind = solid.find(|token| {
            let qualifiers = [Keyword::GLOBAL, Keyword::LOCAL, Keyword::TEMP, Keyword::TEMPORARY, Keyword::UNLOGGED];
            !is(Some(token), &qualifiers)
        });
        if !is(kind, &[Keyword::TABLE]) {
            return false;
        }
        let mut depth = 0_usize;
        for token in solid {
            match token {
                Token::LParen => depth += 1,
                Token::RParen => depth = depth.saturating_sub(1),
                Token::SemiColon => return false,
                token if depth == 0 && is(Some(token), &[Keyword::AS]) => return true,
                _ => {}
            }
        }
        false
    }
}

/// The query of a statement: SELECT INTO is CREATE TABLE AS in other words.
pub(super) fn query(mut query: Box<Query>) -> Result<Statement> {
    let Some(into) = take_into(&mut query.body) else { return Ok(Statement::Query(query)) };
    if into.unlogged {
        return Err(Error::not_supported("SELECT INTO UNLOGGED"));
    }
    Ok(Statement::CreateTableAs(CreateTableAs {
        lifetime: Lifetime { temporary: into.temporary || is_hash_name(&into.name), ..Lifetime::default() },
        name: into.name,
        if_not_exists: false,
        columns: Vec::new(),
        attributes: TableAttributes::default(),
        query: RowsOf::Query(query),
        with_data: true,
    }))
}

/// INTO stands in the first SELECT of a UNION.
fn take_into(body: &mut SetExpr) -> Option<SelectInto> {
    match body {
        SetExpr::Select(select) => select.into.take(),
        SetExpr::SetOperation { left, .. } => take_into(left),
        _ => None,
    }
}
