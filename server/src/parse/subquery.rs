//! Queries in parentheses where a value may stand, which sqlparser knows by their first word alone: of
//! `((SELECT 1) UNION (SELECT 2))` it sees a value in parentheses, and of `(VALUES (1))` a call.

use sqlparser::ast::Expr;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

/// Words that begin a query.
const QUERY: [Keyword; 4] = [Keyword::SELECT, Keyword::VALUES, Keyword::WITH, Keyword::TABLE];

/// Words with which a query goes on behind another one in parentheses.
const AFTER_QUERY: [Keyword; 8] = [
    Keyword::UNION,
    Keyword::INTERSECT,
    Keyword::EXCEPT,
    Keyword::MINUS,
    Keyword::ORDER,
    Keyword::LIMIT,
    Keyword::OFFSET,
    Keyword::FETCH,
];

/// The subquery that begins here, if it is one that sqlparser would not see.
pub fn subquery(parser: &mut Parser<'_>) -> Option<Result<Expr, ParserError>> {
    begins_subquery(parser).then(|| {
        parser.expect_token(&Token::LParen)?;
        let query = parser.parse_query()?;
        parser.expect_token(&Token::RParen)?;
        Ok(Expr::Subquery(query))
    })
}

fn begins_subquery(parser: &Parser<'_>) -> bool {
    if parser.peek_token_ref().token != Token::LParen {
        return false;
    }
    let mut nesting = 1;
    while parser.peek_nth_token_ref(nesting).token == Token::LParen {
        nesting += 1;
    }
    let first = keyword(&parser.peek_nth_token_ref(nesting).token);
    match first {
        Some(Keyword::VALUES | Keyword::TABLE) if nesting == 1 => true,
        Some(first) if nesting > 1 && QUERY.contains(&first) => {
            after_inner_parenthesis(parser).is_some_and(|after| AFTER_QUERY.contains(&after))
        }
        _ => false,
    }
}

/// The word behind the parenthesis that is the first one inside the next one.
fn after_inner_parenthesis(parser: &Parser<'_>) -> Option<Keyword> {
    let (mut depth, mut closed) = (0_usize, false);
    for place in 0.. {
        match parser.peek_nth_token_no_skip(place).token {
            Token::Whitespace(_) => {}
            Token::EOF => return None,
            other if closed => return keyword(&other),
            Token::LParen => depth += 1,
            Token::RParen => {
                depth -= 1;
                closed = depth == 1;
            }
            _ => {}
        }
    }
    None
}

fn keyword(token: &Token) -> Option<Keyword> {
    match token {
        Token::Word(word) if word.quote_style.is_none() => Some(word.keyword),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use sqlparser::ast::{Query, SelectItem, SetExpr};

    use super::*;
    use crate::parse::dialect::WarehouseDialect;

    fn is_subquery(expr: &str) -> bool {
        let sql = format!("SELECT {expr}");
        let query = Parser::new(&WarehouseDialect).try_with_sql(&sql).and_then(|mut parser| parser.parse_query());
        let Query { body, .. } = *query.expect("well formed");
        let SetExpr::Select(select) = *body else { return false };
        matches!(select.projection.as_slice(), [SelectItem::UnnamedExpr(Expr::Subquery(_))])
    }

    #[test]
    fn what_goes_on_behind_a_query_in_parentheses_is_a_query() {
        assert!(is_subquery("((SELECT 1) UNION (SELECT 2))"));
        assert!(is_subquery("(((SELECT 1)) ORDER BY 1 LIMIT 1)"));
        assert!(is_subquery("(VALUES (1))"));
        assert!(is_subquery("((VALUES (1)) EXCEPT SELECT 2)"));
        assert!(!is_subquery("((SELECT 1) + 1)"));
        assert!(!is_subquery("((SELECT 1), (SELECT 2) )"));
        assert!(!is_subquery("((1 + 2) * 3)"));
    }
}
