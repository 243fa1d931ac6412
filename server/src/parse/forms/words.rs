//! Words that sqlparser does not take where PostgreSQL does.
//!
//! * `SELECT a AS table`: any keyword is a name behind AS
//! * `FROM ONLY t`: nothing inherits here, so that ONLY says nothing
//! * `pg_catalog.substring(…)`: the schema in front of a function that has a grammar of its own
//! * `OPERATOR(pg_catalog.=) ANY (…)`: the operator alone
//! * `integer ARRAY`: `integer[]`

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::{Edits, edited, keyword};

/// Types that ARRAY may stand behind.
const TYPES: &[&str] = &[
    "bigint",
    "bool",
    "boolean",
    "bytea",
    "char",
    "character",
    "date",
    "decimal",
    "float",
    "float4",
    "float8",
    "int",
    "int2",
    "int4",
    "int8",
    "integer",
    "interval",
    "json",
    "jsonb",
    "numeric",
    "precision",
    "real",
    "smallint",
    "text",
    "time",
    "timestamp",
    "timestamptz",
    "timetz",
    "uuid",
    "varchar",
    "varying",
];

/// The tokens with these words as sqlparser takes them.
pub fn readable(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let solid: Vec<usize> =
        (0..tokens.len()).filter(|place| !matches!(tokens[*place].token, Token::Whitespace(_))).collect();
    let edits = Words { tokens: &tokens, solid: &solid, edits: Edits::default() }.read();
    edited(tokens, edits)
}

struct Words<'a> {
    tokens: &'a [TokenWithSpan],
    /// The places of the tokens that are no white space.
    solid: &'a [usize],
    edits: Edits,
}

impl Words<'_> {
    fn read(mut self) -> Edits {
        // Whether what is read is the list behind SELECT, in each pair of parentheses that is open.
        let mut lists = vec![false];
        for number in 0..self.solid.len() {
            match self.token(number) {
                Some(Token::LParen) => lists.push(false),
                Some(Token::SemiColon) => lists = vec![false],
                Some(Token::RParen) if lists.len() > 1 => drop(lists.pop()),
                _ => {}
            }
            match (self.word(number), lists.last_mut()) {
                (Some(Keyword::SELECT | Keyword::RETURNING), Some(in_list)) => *in_list = true,
                (Some(Keyword::FROM | Keyword::INTO | Keyword::WHERE | Keyword::UNION), Some(in_list)) => {
                    *in_list = false;
                }
                (Some(Keyword::AS), Some(true)) => self.name(number + 1),
                (Some(Keyword::JOIN | Keyword::UPDATE), _) => self.only(number + 1),
                (Some(Keyword::OPERATOR), _) => self.operator(number),
                (Some(Keyword::ARRAY), _) => self.array(number),
                _ => {}
            }
            if self.word(number) == Some(Keyword::FROM) {
                self.only(number + 1);
            }
            self.substring(number);
        }
        self.edits
    }

    fn token(&self, number: usize) -> Option<&Token> {
        self.solid.get(number).map(|place| &self.tokens[*place].token)
    }

    fn word(&self, number: usize) -> Option<Keyword> {
        self.token(number).and_then(keyword)
    }

    fn is_word(&self, number: usize, wanted: &str) -> bool {
        matches!(self.token(number),
            Some(Token::Word(word)) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(wanted))
    }

    fn drop(&mut self, numbers: impl IntoIterator<Item = usize>) {
        for number in numbers {
            self.edits.drop(self.solid[number]);
        }
    }

    /// A keyword as a name.
    fn name(&mut self, number: usize) {
        if let Some(Token::Word(word)) = self.token(number)
            && word.quote_style.is_none()
            && word.keyword != Keyword::NoKeyword
        {
            let name = Token::make_word(&word.value.to_lowercase(), Some('"'));
            self.edits.replaced.insert(self.solid[number], name);
        }
    }

    fn only(&mut self, number: usize) {
        if self.is_word(number, "only") && matches!(self.token(number + 1), Some(Token::Word(_))) {
            self.drop([number]);
        }
    }

    fn operator(&mut self, number: usize) {
        let is_plain = self.token(number + 1) == Some(&Token::LParen)
            && self.is_word(number + 2, "pg_catalog")
            && self.token(number + 3) == Some(&Token::Period)
            && self.token(number + 5) == Some(&Token::RParen);
        if is_plain && matches!(self.word(number + 6), Some(Keyword::ANY | Keyword::SOME | Keyword::ALL)) {
            self.drop([number, number + 1, number + 2, number + 3, number + 5]);
        }
    }

    fn array(&mut self, number: usize) {
        let is_type = number.checked_sub(1).is_some_and(|before| TYPES.iter().any(|name| self.is_word(before, name)));
        if !is_type {
            return;
        }
        if self.token(number + 1) == Some(&Token::LBracket) {
            self.drop([number]);
        } else {
            let place = self.solid[number];
            self.edits.before.insert(place, vec![Token::LBracket]);
            self.edits.replaced.insert(place, Token::RBracket);
        }
    }

    fn substring(&mut self, number: usize) {
        let is_qualified = self.is_word(number, "pg_catalog")
            && self.token(number + 1) == Some(&Token::Period)
            && ["substring", "overlay"].iter().any(|name| self.is_word(number + 2, name))
            && self.token(number + 3) == Some(&Token::LParen);
        if is_qualified {
            self.drop([number, number + 1]);
        }
    }
}
