//! Forms of PostgreSQL's that sqlparser does not read, with marks in their place that analysis knows again.
//!
//! * `x ISNULL`: `x IS NULL`
//! * `x LIKE y ESCAPE z` where `z` is no constant: an operator that nobody else writes, [`escaped`]
//! * `SELECT` without columns: a column that nobody else writes, [`is_no_column`]
//! * `f(name := x)`: `f(name => x)`

use sqlparser::ast::{BinaryOperator, Expr, SelectItem};
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan, Whitespace};

use super::clauses::Reader;
use super::{Edits, edited};

/// The operator that stands for ESCAPE.
const ESCAPE: &str = "~escape~";
/// The column that a SELECT without columns has.
const NO_COLUMN: &str = "no column";

/// The tokens with marks.
pub fn readable(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let solid: Vec<usize> =
        (0..tokens.len()).filter(|place| !matches!(tokens[*place].token, Token::Whitespace(_))).collect();
    let reader = Reader { tokens: &tokens, solid: &solid };
    let mut edits = Edits::default();
    for (number, place) in solid.iter().copied().enumerate() {
        match reader.token(number) {
            Some(Token::Assignment) => {
                edits.replaced.insert(place, Token::RArrow);
            }
            Some(Token::Word(_)) if reader.is_word(number, "isnull") => is_null(&reader, number, &mut edits),
            Some(Token::Word(_)) => match reader.keyword(number) {
                Keyword::ESCAPE if is_computed_escape(&reader, number) => {
                    edits.replaced.insert(place, Token::CustomBinaryOperator(ESCAPE.to_owned()));
                }
                Keyword::SELECT if has_no_columns(&reader, number) => no_columns(&tokens, place, &mut edits),
                _ => {}
            },
            _ => {}
        }
    }
    edited(tokens, edits)
}

/// `x ISNULL`
fn is_null(reader: &Reader<'_>, number: usize, edits: &mut Edits) {
    let is_operand = number.checked_sub(1).is_some_and(|before| match reader.token(before) {
        Some(Token::Word(word)) => {
            word.quote_style.is_some()
                || matches!(
                    word.keyword,
                    Keyword::NoKeyword | Keyword::NULL | Keyword::TRUE | Keyword::FALSE | Keyword::END
                )
                || !reader.is_one_of(before, &["select", "as", "where", "and", "or", "not", "on", "by", "from", "join"])
        }
        Some(Token::RParen | Token::RBracket | Token::Number(..) | Token::Placeholder(_)) => true,
        Some(Token::SingleQuotedString(_) | Token::EscapedStringLiteral(_)) => true,
        _ => false,
    });
    if is_operand && reader.token(number + 1) != Some(&Token::LParen) {
        let place = reader.solid[number];
        edits.before.insert(place, vec![Token::make_keyword("IS"), Token::Whitespace(Whitespace::Space)]);
        edits.replaced.insert(place, Token::make_keyword("NULL"));
    }
}

/// Whether ESCAPE belongs to LIKE or SIMILAR TO, and something else than a string follows.
fn is_computed_escape(reader: &Reader<'_>, number: usize) -> bool {
    let is_constant = reader.is_word(number + 1, "null")
        || matches!(
            reader.token(number + 1),
            None | Some(
                Token::SingleQuotedString(_)
                    | Token::EscapedStringLiteral(_)
                    | Token::NationalStringLiteral(_)
                    | Token::DollarQuotedString(_)
                    | Token::EOF
                    | Token::SemiColon
            )
        );
    let goes_on = matches!(reader.token(number + 2), Some(Token::StringConcat | Token::DoubleColon));
    if is_constant && !goes_on {
        return false;
    }
    let mut closed = 0usize;
    for before in (0..number).rev() {
        match reader.token(before) {
            Some(Token::RParen) => closed += 1,
            Some(Token::LParen) if closed == 0 => return false,
            Some(Token::LParen) => closed -= 1,
            Some(Token::Comma | Token::SemiColon) if closed == 0 => return false,
            Some(Token::Word(_)) if closed == 0 && reader.is_one_of(before, &["like", "ilike", "similar"]) => {
                return true;
            }
            _ => {}
        }
    }
    false
}

/// Whether nothing is selected.
fn has_no_columns(reader: &Reader<'_>, number: usize) -> bool {
    const AFTER: &[&str] = &[
        "union",
        "except",
        "intersect",
        "where",
        "group",
        "having",
        "window",
        "order",
        "limit",
        "offset",
        "fetch",
        "for",
    ];
    match reader.token(number + 1) {
        None | Some(Token::EOF | Token::SemiColon | Token::RParen) => true,
        Some(Token::Word(_)) => reader.is_one_of(number + 1, AFTER),
        _ => false,
    }
}

fn no_columns(tokens: &[TokenWithSpan], place: usize, edits: &mut Edits) {
    edits.before.entry(place).or_default().push(tokens[place].token.clone());
    edits.replaced.insert(place, Token::make_word(NO_COLUMN, Some('"')));
}

/// Whether this is what stands for no column.
pub fn is_no_column(item: &SelectItem) -> bool {
    matches!(item, SelectItem::UnnamedExpr(Expr::Identifier(name))
        if name.quote_style.is_some() && name.value == NO_COLUMN)
}

/// The pattern of LIKE and what stands behind ESCAPE, if that is no constant.
pub fn escaped(pattern: &Expr) -> Option<(Expr, Expr)> {
    let Expr::BinaryOp { left, op, right } = pattern else { return None };
    if matches!(op, BinaryOperator::Custom(symbol) if symbol == ESCAPE) {
        return Some((left.as_ref().clone(), right.as_ref().clone()));
    }
    // What follows the operator was read as something that follows both.
    let (pattern, escape) = escaped(left)?;
    Some((pattern, Expr::BinaryOp { left: Box::new(escape), op: op.clone(), right: right.clone() }))
}

#[cfg(test)]
mod tests {
    use crate::parse::parse;

    #[test]
    fn rare_forms_are_read() {
        for text in [
            "SELECT a ISNULL, 'x' ISNULL, f(1) ISNULL, isnull(1) FROM t WHERE a ISNULL",
            "SELECT 'a' LIKE 'b' ESCAPE chr(92)",
            "SELECT 'a' SIMILAR TO 'b' ESCAPE $1",
            "SELECT",
            "SELECT UNION ALL SELECT",
            "SELECT (SELECT), EXISTS (SELECT WHERE true)",
            "SELECT make_interval(years := 1, secs => 2)",
        ] {
            let error = parse(text).err().map(|error| error.report().message);
            assert_eq!(error, None, "{text}");
        }
    }
}
