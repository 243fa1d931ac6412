//! The language that sqlparser reads for us: PostgreSQL's, and what Redshift adds to queries.

use std::any::TypeId;
use std::collections::HashSet;

use sqlparser::ast::{BinaryOperator, Expr};
use sqlparser::dialect::{Dialect, PostgreSqlDialect, Precedence};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, TokenWithSpan, Whitespace};

use crate::parse::subquery::subquery;

/// An expression of two operands.
type OfTwo = fn(Box<Expr>, Box<Expr>) -> Expr;

/// `IS [NOT] DISTINCT FROM`
const DISTINCTIONS: [(&[Keyword], OfTwo); 2] = [
    (&[Keyword::IS, Keyword::DISTINCT, Keyword::FROM], Expr::IsDistinctFrom),
    (&[Keyword::IS, Keyword::NOT, Keyword::DISTINCT, Keyword::FROM], Expr::IsNotDistinctFrom),
];

/// PostgreSQL's dialect with Redshift's additions switched on.
#[derive(Debug)]
pub struct WarehouseDialect;

const BASE: PostgreSqlDialect = PostgreSqlDialect {};

/// What PostgreSQL's dialect says.
macro_rules! as_postgresql {
    ($($name:ident),*) => {
        $(
            fn $name(&self) -> bool {
                BASE.$name()
            }
        )*
    };
}

/// What Redshift has besides.
macro_rules! switched_on {
    ($($name:ident),*) => {
        $(
            fn $name(&self) -> bool {
                true
            }
        )*
    };
}

impl Dialect for WarehouseDialect {
    /// The parser asks for PostgreSQL by name in many places.
    fn dialect(&self) -> TypeId {
        TypeId::of::<PostgreSqlDialect>()
    }

    fn identifier_quote_style(&self, identifier: &str) -> Option<char> {
        BASE.identifier_quote_style(identifier)
    }

    fn is_delimited_identifier_start(&self, c: char) -> bool {
        BASE.is_delimited_identifier_start(c)
    }

    /// `#name` is a temporary table of Redshift's.
    fn is_identifier_start(&self, c: char) -> bool {
        c != '\u{a0}' && BASE.is_identifier_start(c)
    }

    fn is_identifier_part(&self, c: char) -> bool {
        c != '\u{a0}' && BASE.is_identifier_part(c)
    }

    fn is_reserved_for_identifier(&self, keyword: Keyword) -> bool {
        BASE.is_reserved_for_identifier(keyword)
    }

    fn is_custom_operator_part(&self, c: char) -> bool {
        BASE.is_custom_operator_part(c)
    }

    fn get_next_precedence(&self, parser: &Parser<'_>) -> Option<Result<u8, ParserError>> {
        BASE.get_next_precedence(parser)
    }

    fn parse_prefix(&self, parser: &mut Parser<'_>) -> Option<Result<Expr, ParserError>> {
        subquery(parser)
    }

    /// A chain of AND or OR, however long, as a tree of little depth. Who wants the conditions in their order finds them
    /// from left to right. What stands behind IS DISTINCT FROM ends where the parser would go on.
    fn parse_infix(&self, parser: &mut Parser<'_>, left: &Expr, precedence: u8) -> Option<Result<Expr, ParserError>> {
        for (words, of) in DISTINCTIONS {
            if parser.parse_keywords(words) {
                return Some(parser.parse_subexpr(precedence).map(|right| of(Box::new(left.clone()), Box::new(right))));
            }
        }
        // The parser itself knows it behind a name only, not behind a cast.
        if parser.parse_keyword(Keyword::COLLATE) {
            let collation = parser.parse_object_name(false);
            return Some(collation.map(|collation| Expr::Collate { expr: Box::new(left.clone()), collation }));
        }
        let next = parser.peek_token_ref();
        if is_comparison_token(&next.token) && matches!(left, Expr::BinaryOp { op, .. } if is_comparison(op)) {
            let next = next.clone();
            return Some(parser.expected("parentheses around one of two comparisons", next));
        }
        let (keyword, operator) = match &parser.peek_token_ref().token {
            Token::Word(word) if word.keyword == Keyword::AND => (Keyword::AND, BinaryOperator::And),
            Token::Word(word) if word.keyword == Keyword::OR => (Keyword::OR, BinaryOperator::Or),
            _ => return None,
        };
        let mut conditions = vec![left.clone()];
        while parser.parse_keyword(keyword) {
            match parser.parse_subexpr(precedence) {
                Ok(condition) => conditions.push(condition),
                Err(error) => return Some(Err(error)),
            }
        }
        let count = conditions.len();
        let tree = balanced(&mut conditions.into_iter(), count, &operator);
        tree.map(Ok)
    }

    fn prec_value(&self, precedence: Precedence) -> u8 {
        BASE.prec_value(precedence)
    }

    as_postgresql!(
        supports_filter_during_aggregation,
        supports_group_by_expr,
        allow_extract_custom,
        allow_extract_single_quotes,
        supports_create_index_with_clause,
        supports_explain_with_utility_options,
        supports_listen_notify,
        supports_bitwise_shift_operators,
        supports_comment_on,
        supports_load_extension,
        supports_named_fn_args_with_colon_operator,
        supports_named_fn_args_with_expr_name,
        supports_empty_projections,
        supports_nested_comments,
        supports_string_escape_constant,
        supports_array_typedef_with_brackets,
        supports_geometric_types,
        supports_set_names,
        supports_alter_column_type_using,
        supports_notnull_operator,
        supports_interval_options,
        supports_insert_table_alias,
        supports_create_table_like_parenthesized,
        supports_select_wildcard_with_alias,
        supports_comma_separated_trim
    );

    switched_on!(
        supports_window_clause_named_window_reference,
        supports_window_function_null_treatment_arg,
        supports_string_literal_concatenation_with_newline,
        supports_select_wildcard_exclude,
        supports_select_expr_star,
        supports_connect_by,
        supports_named_fn_args_with_rarrow_operator
    );
}

/// Comparisons of comparisons need parentheses.
fn is_comparison_token(token: &Token) -> bool {
    matches!(token, Token::Eq | Token::Neq | Token::Lt | Token::LtEq | Token::Gt | Token::GtEq)
}

fn is_comparison(op: &BinaryOperator) -> bool {
    use BinaryOperator::{Eq, Gt, GtEq, Lt, LtEq, NotEq};
    matches!(op, Eq | NotEq | Lt | LtEq | Gt | GtEq)
}

/// The next so many conditions, connected.
fn balanced(conditions: &mut impl Iterator<Item = Expr>, count: usize, op: &BinaryOperator) -> Option<Expr> {
    if count <= 1 {
        return conditions.next();
    }
    let left = Box::new(balanced(conditions, count / 2, op)?);
    let right = Box::new(balanced(conditions, count - count / 2, op)?);
    Some(Expr::BinaryOp { left, op: op.clone(), right })
}

/// Redshift's `APPROXIMATE COUNT(DISTINCT x)` as a call of a function that has a name of its own.
pub fn without_approximate(mut tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let is_word = |token: &TokenWithSpan, wanted: &str| matches!(&token.token, Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(wanted));
    let solid: Vec<usize> =
        (0..tokens.len()).filter(|place| !matches!(tokens[*place].token, Token::Whitespace(_))).collect();
    let mut dropped = HashSet::new();
    for window in solid.windows(4) {
        let [approximate, count, paren, distinct] = [window[0], window[1], window[2], window[3]];
        let matches = is_word(&tokens[approximate], "approximate")
            && is_word(&tokens[count], "count")
            && tokens[paren].token == Token::LParen
            && is_word(&tokens[distinct], "distinct");
        if matches {
            tokens[count].token = Token::make_word("approx_count_distinct", None);
            dropped.extend([approximate, distinct]);
        }
    }
    if dropped.is_empty() {
        return tokens;
    }
    tokens.into_iter().enumerate().filter(|(place, _)| !dropped.contains(place)).map(|(_, token)| token).collect()
}

/// `'1 day'::interval PRECEDING`, of which sqlparser reads the constant alone: with parentheses around it.
pub fn with_frame_parentheses(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let is_bound = |token: &Token| matches!(token, Token::Word(word) if matches!(word.keyword, Keyword::PRECEDING | Keyword::FOLLOWING));
    let solid: Vec<usize> =
        (0..tokens.len()).filter(|place| !matches!(tokens[*place].token, Token::Whitespace(_))).collect();
    let (mut opened, mut closed) = (HashSet::new(), HashSet::new());
    for window in solid.windows(4) {
        let [constant, colons, name, bound] = [window[0], window[1], window[2], window[3]];
        let is_cast = matches!(tokens[constant].token, Token::SingleQuotedString(_))
            && tokens[colons].token == Token::DoubleColon
            && matches!(tokens[name].token, Token::Word(_));
        if is_cast && is_bound(&tokens[bound].token) {
            opened.insert(constant);
            closed.insert(name);
        }
    }
    if opened.is_empty() {
        return tokens;
    }
    let mut wrapped = Vec::with_capacity(tokens.len() + 2 * opened.len());
    for (place, token) in tokens.into_iter().enumerate() {
        let span = token.span;
        if opened.contains(&place) {
            wrapped.push(TokenWithSpan { token: Token::LParen, span });
        }
        wrapped.push(token);
        if closed.contains(&place) {
            wrapped.push(TokenWithSpan { token: Token::RParen, span });
        }
    }
    wrapped
}

/// `BETWEEN SYMMETRIC`, which sqlparser does not read, with a prefix operator that nothing else has in the place of the word:
/// analysis finds it at the beginning of the lower bound.
pub fn with_marked_symmetry(mut tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let word = |token: &Token, wanted: &str| matches!(token, Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(wanted));
    let solid: Vec<usize> =
        (0..tokens.len()).filter(|place| !matches!(tokens[*place].token, Token::Whitespace(_))).collect();
    for pair in solid.windows(2) {
        let [between, kind] = [pair[0], pair[1]];
        if !word(&tokens[between].token, "between") {
            continue;
        }
        if word(&tokens[kind].token, "symmetric") {
            tokens[kind].token = Token::DoubleExclamationMark;
        } else if word(&tokens[kind].token, "asymmetric") {
            tokens[kind].token = Token::Whitespace(Whitespace::Space);
        }
    }
    tokens
}
