//! Forms of PostgreSQL's that sqlparser does not read, as forms that it does.
//!
//! * `EXCLUDE …` in a window's frame: a last ORDER BY element that nobody else writes, which [`exclusion`] knows again
//! * `ROWS FROM (f(), g())`: a call of a function with a name that no function has, [`ROWS_FROM`]
//! * `interval(2) '1.234 s'`: `'1.234 s'::interval(2)`; sqlparser forgets the precision
//! * `a JOIN b JOIN c ON … ON …`: with parentheses ([`nested_joins`]); words that are taken elsewhere only ([`words`])
//! * `(t.*)`, a row where one value is wanted: `(t)`
//! * `COMPOUND SORTKEY (a, b)`: `SORTKEY (a, b)`, which is the same
//! * `SELECT … INTO LOCAL TEMPORARY …`: without LOCAL, or GLOBAL, which asks for nothing
//! * `#name`, a temporary table of Redshift's: one word
//! * `substring(x SIMILAR y ESCAPE z)`: `substring(x, y, z)`, as PostgreSQL's grammar has it

pub mod clauses;
mod hash_names;
pub mod marks;
mod nested_joins;
mod quantified;
mod unicode;
mod words;

use std::collections::HashMap;

use pg::library::aggregate::Exclusion;
use sqlparser::ast::{Expr, UnaryOperator, Value};
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Span, Token, TokenWithSpan, Whitespace};

/// The function that stands for ROWS FROM.
pub const ROWS_FROM: &str = "rows from";

/// Within one pair of parentheses.
#[derive(Default)]
struct Level {
    /// They are those of `substring(…)`, and SIMILAR or ESCAPE may still come.
    is_substring: bool,
    /// There is an ORDER BY.
    ordered: bool,
    /// The token that begins a frame.
    frame: Option<usize>,
}

/// What is done to the tokens, by their places.
#[derive(Default)]
struct Edits {
    replaced: HashMap<usize, Token>,
    before: HashMap<usize, Vec<Token>>,
}

impl Edits {
    fn drop(&mut self, place: usize) {
        self.replaced.insert(place, Token::Whitespace(Whitespace::Space));
    }
}

/// The tokens in forms that sqlparser reads.
pub fn readable(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let tokens = words::readable(hash_names::joined(unicode::decoded(tokens)));
    let tokens = nested_joins::parenthesised(quantified::parenthesised(tokens));
    let solid: Vec<usize> =
        (0..tokens.len()).filter(|place| !matches!(tokens[*place].token, Token::Whitespace(_))).collect();
    let edits = Reader { tokens: &tokens, solid: &solid, levels: vec![Level::default()] }.edits();
    marks::readable(clauses::readable(edited(tokens, edits)))
}

/// The tokens with the edits done.
fn edited(tokens: Vec<TokenWithSpan>, edits: Edits) -> Vec<TokenWithSpan> {
    if edits.replaced.is_empty() && edits.before.is_empty() {
        return tokens;
    }
    let Edits { mut replaced, mut before } = edits;
    let mut edited = Vec::with_capacity(tokens.len());
    for (place, TokenWithSpan { token, span }) in tokens.into_iter().enumerate() {
        for token in before.remove(&place).unwrap_or_default() {
            edited.push(TokenWithSpan { token, span: Span::empty() });
        }
        let token = replaced.remove(&place).unwrap_or(token);
        edited.push(TokenWithSpan { token, span });
    }
    edited
}

/// The keyword that a token is, unless it is a name in quotes.
fn keyword(token: &Token) -> Option<Keyword> {
    match token {
        Token::Word(word) if word.quote_style.is_none() => Some(word.keyword),
        _ => None,
    }
}

struct Reader<'a> {
    tokens: &'a [TokenWithSpan],
    /// The places of the tokens that are no white space.
    solid: &'a [usize],
    levels: Vec<Level>,
}

impl Reader<'_> {
    fn edits(mut self) -> Edits {
        let mut edits = Edits::default();
        for number in 0..self.solid.len() {
            match self.token(number) {
                Some(Token::LParen) => {
                    let is_substring = number > 0 && self.is_word(number - 1, "substring");
                    self.levels.push(Level { is_substring, ..Level::default() });
                    if self.is_whole_row(number) {
                        edits.drop(self.solid[number + 2]);
                        edits.drop(self.solid[number + 3]);
                    }
                }
                Some(Token::RParen) if self.levels.len() > 1 => {
                    self.levels.pop();
                }
                Some(Token::Word(_)) => self.word(number, &mut edits),
                _ => {}
            }
        }
        edits
    }

    fn word(&mut self, number: usize, edits: &mut Edits) {
        let place = self.solid[number];
        if self.is_word(number, "compound") && self.is_word(number + 1, "sortkey") {
            // Behind a parenthesis: elsewhere these are names.
            if number > 0 && self.token(number - 1) == Some(&Token::RParen) {
                edits.drop(place);
            }
            return;
        }
        let keyword = match self.token(number) {
            Some(Token::Word(word)) => word.keyword,
            _ => return,
        };
        let reads_rows_from = keyword == Keyword::ROWS && self.is_rows_from(number);
        let exclusion = if keyword == Keyword::EXCLUDE { self.written_exclusion(number) } else { None };
        let into_temporary = number > 0
            && self.is_word(number - 1, "into")
            && ["temp", "temporary"].iter().any(|word| self.is_word(number + 1, word));
        let next_is_to = self.is_word(number + 1, "to");
        let precise = keyword == Keyword::INTERVAL && self.is_precise_interval(number);
        if precise {
            self.turn_interval(number, edits);
        }
        let Some(level) = self.levels.last_mut() else { return };
        match keyword {
            Keyword::LOCAL | Keyword::GLOBAL if into_temporary => edits.drop(place),
            Keyword::ORDER => level.ordered = true,
            Keyword::ROWS if reads_rows_from => {
                edits.replaced.insert(place, Token::make_word(ROWS_FROM, Some('"')));
                edits.drop(self.solid[number + 1]);
            }
            Keyword::ROWS | Keyword::RANGE | Keyword::GROUPS => level.frame = Some(place),
            Keyword::SIMILAR if level.is_substring && !next_is_to => {
                edits.replaced.insert(place, Token::Comma);
            }
            Keyword::ESCAPE if level.is_substring => {
                edits.replaced.insert(place, Token::Comma);
                level.is_substring = false;
            }
            Keyword::EXCLUDE => {
                let (Some((mark, words)), Some(frame)) = (exclusion, level.frame) else { return };
                if let Some(mark) = mark {
                    let begin = match level.ordered {
                        true => vec![Token::Comma],
                        false => vec![Token::make_word("ORDER", None), Token::make_word("BY", None)],
                    };
                    let mark = [Token::DoubleExclamationMark, Token::DoubleExclamationMark, number_token(mark)];
                    edits.before.insert(frame, begin.into_iter().chain(mark).collect());
                }
                self.solid[number..number + words].iter().for_each(|place| edits.drop(*place));
            }
            _ => {}
        }
    }

    fn token(&self, number: usize) -> Option<&Token> {
        self.solid.get(number).map(|place| &self.tokens[*place].token)
    }

    fn is_word(&self, number: usize, wanted: &str) -> bool {
        matches!(self.token(number),
            Some(Token::Word(word)) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(wanted))
    }

    /// `INTERVAL (n) '…'`
    fn is_precise_interval(&self, number: usize) -> bool {
        self.token(number + 1) == Some(&Token::LParen)
            && matches!(self.token(number + 2), Some(Token::Number(..)))
            && self.token(number + 3) == Some(&Token::RParen)
            && matches!(self.token(number + 4), Some(Token::SingleQuotedString(_)))
    }

    /// `INTERVAL (n) '…'` as `'…'::INTERVAL (n)`
    fn turn_interval(&self, number: usize, edits: &mut Edits) {
        let token = |offset: usize| self.token(number + offset).cloned().unwrap_or(Token::EOF);
        let turned = [token(4), Token::DoubleColon, token(0), token(1), token(3)];
        for (offset, turned) in turned.into_iter().enumerate() {
            edits.replaced.insert(self.solid[number + offset], turned);
        }
        edits.before.insert(self.solid[number + 4], vec![token(2)]);
    }

    /// `(t.*)`, which are no arguments of a function.
    fn is_whole_row(&self, number: usize) -> bool {
        const BEFORE: &[&str] = &["select", "where", "and", "or", "not", "on", "when", "then", "else", "having", "by"];
        let is_row = matches!(self.token(number + 1), Some(Token::Word(_)))
            && self.token(number + 2) == Some(&Token::Period)
            && self.token(number + 3) == Some(&Token::Mul)
            && self.token(number + 4) == Some(&Token::RParen);
        is_row
            && number.checked_sub(1).is_some_and(|before| match self.token(before) {
                Some(Token::Word(_)) => BEFORE.iter().any(|word| self.is_word(before, word)),
                Some(Token::RParen | Token::RBracket) => false,
                _ => true,
            })
    }

    /// `EXCLUDE … )`: its number, none for NO OTHERS, and how many words it has.
    fn written_exclusion(&self, number: usize) -> Option<(Option<u8>, usize)> {
        let is = |words: &[&str]| {
            let all = words.iter().enumerate().all(|(offset, word)| self.is_word(number + 1 + offset, word));
            all && self.token(number + 1 + words.len()) == Some(&Token::RParen)
        };
        if is(&["current", "row"]) {
            Some((Some(1), 3))
        } else if is(&["group"]) {
            Some((Some(2), 2))
        } else if is(&["ties"]) {
            Some((Some(3), 2))
        } else if is(&["no", "others"]) {
            Some((None, 3))
        } else {
            None
        }
    }

    /// Whether ROWS begins an item of FROM, and is not a column before FROM.
    fn is_rows_from(&self, number: usize) -> bool {
        let begins_item = number.checked_sub(1).is_some_and(|before| {
            self.token(before) == Some(&Token::Comma)
                || ["from", "join", "lateral"].iter().any(|word| self.is_word(before, word))
        });
        let calls = matches!(self.token(number + 3), Some(Token::Word(word)) if !matches!(word.keyword,
            Keyword::SELECT | Keyword::VALUES | Keyword::WITH | Keyword::TABLE));
        let called = matches!(self.token(number + 4), Some(Token::LParen | Token::Period));
        begins_item
            && self.is_word(number + 1, "from")
            && self.token(number + 2) == Some(&Token::LParen)
            && calls
            && called
    }
}

fn number_token(number: u8) -> Token {
    Token::Number(number.to_string(), false)
}

/// What the mark in ORDER BY says about the frame.
pub fn exclusion(expr: &Expr) -> Option<Exclusion> {
    let Expr::UnaryOp { op: UnaryOperator::PGPrefixFactorial, expr } = expr else { return None };
    let Expr::UnaryOp { op: UnaryOperator::PGPrefixFactorial, expr } = expr.as_ref() else { return None };
    match expr.as_ref() {
        Expr::Value(value) => match &value.value {
            Value::Number(number, _) => match number.as_str() {
                "1" => Some(Exclusion::CurrentRow),
                "2" => Some(Exclusion::Group),
                "3" => Some(Exclusion::Ties),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}
