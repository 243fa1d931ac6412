//! Clauses of PostgreSQL's that sqlparser does not read, as ones that it does.
//!
//! * `TABLE t`: `SELECT * FROM t`
//! * `ORDER BY x USING >`: `ORDER BY x DESC`
//! * `GROUP BY DISTINCT …`: a first element that nobody else writes, [`GROUP_BY_DISTINCT`]
//! * `f(VARIADIC x)`: an argument of the name [`VARIADIC`]
//! * `trim(BOTH FROM x)`, `trim(LEADING x, y)`: `btrim(x)`, `ltrim(x, y)`
//! * `x LIKE ALL (SELECT …)`: `x LIKE ALL ((SELECT …))`
//! * `FETCH FIRST (x) ROWS ONLY`: `LIMIT (x)`
//! * `count(t.*)` and others of a row: `count(t)`
//! * `(x).*`: `(x)."all fields"`, see [`ALL_FIELDS`]
//! * `f() AS (a integer)`: an alias that nobody else writes, [`DEFINED_COLUMNS`]; within `ROWS FROM`, a dollar-quoted string of
//!   that tag as the next element

use sqlparser::ast::DollarQuotedString;
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::{Edits, ROWS_FROM, edited};

/// The name of an argument that VARIADIC stands before.
pub const VARIADIC: &str = "variadic argument";
/// The function that stands for DISTINCT behind GROUP BY.
pub const GROUP_BY_DISTINCT: &str = "group by distinct";
/// The field that stands for all fields of a row.
pub const ALL_FIELDS: &str = "all fields";
/// The alias of a function that has a column definition list and no alias.
pub const DEFINED_COLUMNS: &str = "defined columns";

/// The tokens in clauses that sqlparser reads.
pub fn readable(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let solid: Vec<usize> =
        (0..tokens.len()).filter(|place| !matches!(tokens[*place].token, Token::Whitespace(_))).collect();
    let mut edits = Edits::default();
    let reader = Reader { tokens: &tokens, solid: &solid };
    // How many parentheses are open, and how many were when ROWS FROM began.
    let (mut open, mut rows_from) = (0usize, Vec::new());
    for number in 0..solid.len() {
        match reader.token(number) {
            Some(Token::LParen) => {
                open += 1;
                if number > 0 && reader.is_rows_from(number - 1) {
                    rows_from.push(open);
                }
            }
            Some(Token::RParen) => {
                if rows_from.last() == Some(&open) {
                    rows_from.pop();
                }
                open = open.saturating_sub(1);
            }
            Some(Token::Mul) => reader.all_fields(number, &mut edits),
            Some(Token::Word(_)) => reader.word(number, rows_from.last() == Some(&open), &mut edits),
            _ => {}
        }
    }
    edited(tokens, edits)
}

/// The clause behind a recursive table, behind the columns of a new one, or in place of a condition, that is not supported.
pub fn unsupported(tokens: &[TokenWithSpan]) -> Option<&'static str> {
    let solid: Vec<usize> =
        (0..tokens.len()).filter(|place| !matches!(tokens[*place].token, Token::Whitespace(_))).collect();
    let reader = Reader { tokens, solid: &solid };
    (1..solid.len()).find_map(|number| {
        let is_current = reader.is_word(number - 1, "where")
            && reader.is_word(number, "current")
            && reader.is_word(number + 1, "of");
        if is_current {
            return Some("WHERE CURRENT OF");
        }
        if reader.token(number - 1) != Some(&Token::RParen) {
            return None;
        }
        let searches = reader.is_word(number, "search")
            && reader.is_one_of(number + 1, &["depth", "breadth"])
            && reader.is_word(number + 2, "first")
            && reader.is_word(number + 3, "by");
        let cycles = reader.is_word(number, "cycle")
            && (reader.is_word(number + 2, "set") || reader.token(number + 2) == Some(&Token::Comma));
        let sorts = reader.is_word(number, "interleaved") && reader.is_word(number + 1, "sortkey");
        let clauses = [
            (searches, "SEARCH behind a recursive query"),
            (cycles, "CYCLE behind a recursive query"),
            (sorts, "INTERLEAVED SORTKEY"),
        ];
        clauses.into_iter().find(|(is_written, _)| *is_written).map(|(_, clause)| clause)
    })
}

/// Reads the tokens that are no white space, by their numbers.
pub(super) struct Reader<'a> {
    pub(super) tokens: &'a [TokenWithSpan],
    /// The places of the tokens that are no white space.
    pub(super) solid: &'a [usize],
}

impl Reader<'_> {
    pub(super) fn token(&self, number: usize) -> Option<&Token> {
        self.solid.get(number).map(|place| &self.tokens[*place].token)
    }

    pub(super) fn is_word(&self, number: usize, wanted: &str) -> bool {
        matches!(self.token(number),
            Some(Token::Word(word)) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(wanted))
    }

    pub(super) fn is_one_of(&self, number: usize, words: &[&str]) -> bool {
        words.iter().any(|word| self.is_word(number, word))
    }

    /// The function that ROWS FROM has become.
    fn is_rows_from(&self, number: usize) -> bool {
        matches!(self.token(number), Some(Token::Word(word)) if word.quote_style.is_some() && word.value == ROWS_FROM)
    }

    pub(super) fn keyword(&self, number: usize) -> Keyword {
        match self.token(number) {
            Some(Token::Word(word)) if word.quote_style.is_none() => word.keyword,
            _ => Keyword::NoKeyword,
        }
    }

    fn word(&self, number: usize, in_rows_from: bool, edits: &mut Edits) {
        match self.keyword(number) {
            Keyword::TABLE => self.table(number, edits),
            Keyword::USING => self.using(number, edits),
            Keyword::GROUP => self.group_by(number, edits),
            Keyword::TRIM => self.trim(number, edits),
            Keyword::FETCH => self.fetch(number, edits),
            Keyword::ALL => self.like_all(number, edits),
            Keyword::AS => self.column_definitions(number, in_rows_from, edits),
            _ if self.is_word(number, "variadic") => self.variadic(number, edits),
            _ => {}
        }
    }

    /// `TABLE t` where a query begins.
    fn table(&self, number: usize, edits: &mut Edits) {
        const BEFORE: &[&str] =
            &["union", "all", "except", "intersect", "distinct", "as", "explain", "analyze", "verbose"];
        let begins = match number.checked_sub(1) {
            None => true,
            Some(before) => {
                matches!(self.token(before), Some(Token::SemiColon | Token::LParen | Token::RParen))
                    || self.is_one_of(before, BEFORE)
            }
        };
        if !begins || !matches!(self.token(number + 1), Some(Token::Word(_))) {
            return;
        }
        edits.replaced.insert(self.solid[number], Token::make_keyword("SELECT"));
        edits.before.insert(self.solid[number + 1], vec![Token::Mul, Token::make_keyword("FROM")]);
    }

    /// `USING <`, `USING OPERATOR(pg_catalog.<)`
    fn using(&self, number: usize, edits: &mut Edits) {
        let (operator, words) = if self.is_word(number + 1, "operator") {
            match (self.token(number + 2), self.token(number + 4)) {
                (Some(Token::LParen), Some(Token::Period)) => (number + 5, 6),
                (Some(Token::LParen), _) => (number + 3, 4),
                _ => return,
            }
        } else {
            (number + 1, 1)
        };
        let direction = match self.token(operator) {
            Some(Token::Lt) => "ASC",
            Some(Token::Gt) => "DESC",
            _ => return,
        };
        edits.replaced.insert(self.solid[number], Token::make_keyword(direction));
        self.solid.iter().skip(number + 1).take(words).for_each(|place| edits.drop(*place));
    }

    /// `GROUP BY DISTINCT …`, `GROUP BY ALL …`
    fn group_by(&self, number: usize, edits: &mut Edits) {
        if !self.is_word(number + 1, "by") {
            return;
        }
        let Some(place) = self.solid.get(number + 2) else { return };
        if self.is_word(number + 2, "distinct") {
            let mark = vec![Token::make_word(GROUP_BY_DISTINCT, Some('"')), Token::LParen, Token::RParen];
            edits.before.insert(*place, mark);
            edits.replaced.insert(*place, Token::Comma);
        } else if self.is_word(number + 2, "all") {
            const AFTER: &[&str] =
                &["having", "order", "limit", "offset", "fetch", "union", "except", "intersect", "window", "qualify"];
            let ends = matches!(self.token(number + 3), None | Some(Token::SemiColon | Token::RParen | Token::EOF));
            if !ends && !self.is_one_of(number + 3, AFTER) {
                edits.drop(*place);
            }
        }
    }

    /// `trim(LEADING FROM x)`, `trim(FROM x)`
    fn trim(&self, number: usize, edits: &mut Edits) {
        if self.token(number + 1) != Some(&Token::LParen) {
            return;
        }
        let name = match self.keyword(number + 2) {
            Keyword::LEADING => "ltrim",
            Keyword::TRAILING => "rtrim",
            Keyword::BOTH => "btrim",
            Keyword::FROM => {
                edits.replaced.insert(self.solid[number], Token::make_word("btrim", None));
                return edits.drop(self.solid[number + 2]);
            }
            _ => return,
        };
        let Some(end) = self.closing(number + 1) else { return };
        // `trim(LEADING x, y)` has no FROM: sqlparser forgets the side.
        let has_from = (number + 3..end).any(|inner| self.keyword(inner) == Keyword::FROM);
        if has_from && self.keyword(number + 3) != Keyword::FROM {
            return;
        }
        edits.replaced.insert(self.solid[number], Token::make_word(name, None));
        edits.drop(self.solid[number + 2]);
        if has_from {
            edits.drop(self.solid[number + 3]);
        }
    }

    /// `FETCH FIRST (x) ROWS ONLY`, of which sqlparser reads constants alone.
    fn fetch(&self, number: usize, edits: &mut Edits) {
        if !self.is_one_of(number + 1, &["first", "next"]) || self.token(number + 2) != Some(&Token::LParen) {
            return;
        }
        let Some(end) = self.closing(number + 2) else { return };
        if self.is_one_of(end + 1, &["row", "rows"]) && self.is_word(end + 2, "only") {
            edits.replaced.insert(self.solid[number], Token::make_keyword("LIMIT"));
            [number + 1, end + 1, end + 2].iter().for_each(|word| edits.drop(self.solid[*word]));
        }
    }

    /// `LIKE ALL (SELECT …)`
    fn like_all(&self, number: usize, edits: &mut Edits) {
        let follows = number.checked_sub(1).is_some_and(|before| self.is_one_of(before, &["like", "ilike"]));
        let is_query = self.is_one_of(number + 2, &["select", "values", "with"]);
        if !follows || self.token(number + 1) != Some(&Token::LParen) || !is_query {
            return;
        }
        if let Some(end) = self.closing(number + 1) {
            edits.before.entry(self.solid[number + 2]).or_default().push(Token::LParen);
            edits.before.entry(self.solid[end]).or_default().push(Token::RParen);
        }
    }

    /// The parenthesis that closes one.
    fn closing(&self, opening: usize) -> Option<usize> {
        let mut open = 0usize;
        (opening..self.solid.len()).find(|number| {
            match self.token(*number) {
                Some(Token::LParen) => open += 1,
                Some(Token::RParen) => open = open.saturating_sub(1),
                _ => {}
            }
            open == 0
        })
    }

    /// `f(VARIADIC x)`
    fn variadic(&self, number: usize, edits: &mut Edits) {
        let begins = number
            .checked_sub(1)
            .is_some_and(|before| matches!(self.token(before), Some(Token::LParen | Token::Comma)));
        let operand = !matches!(self.token(number + 1), None | Some(Token::Comma | Token::RParen | Token::Period));
        if begins && operand {
            edits.replaced.insert(self.solid[number], Token::make_word(VARIADIC, Some('"')));
            edits.before.entry(self.solid[number + 1]).or_default().push(Token::RArrow);
        }
    }

    /// `(x).*`
    fn all_fields(&self, number: usize, edits: &mut Edits) {
        let is_row = number > 1
            && self.token(number - 1) == Some(&Token::Period)
            && matches!(self.token(number - 2), Some(Token::RParen | Token::RBracket));
        const OF_ROWS: &[&str] = &["count", "array_agg", "json_agg", "jsonb_agg", "to_json", "to_jsonb", "row_to_json"];
        let is_argument = number > 3
            && self.token(number - 1) == Some(&Token::Period)
            && matches!(self.token(number - 2), Some(Token::Word(_)))
            && self.token(number - 3) == Some(&Token::LParen)
            && self.is_one_of(number - 4, OF_ROWS);
        if is_argument {
            edits.drop(self.solid[number - 1]);
            edits.drop(self.solid[number]);
        } else if is_row {
            edits.replaced.insert(self.solid[number], Token::make_word(ALL_FIELDS, Some('"')));
        }
    }

    /// `f() AS (a integer, b text)`
    fn column_definitions(&self, number: usize, in_rows_from: bool, edits: &mut Edits) {
        const QUERIES: &[&str] = &["select", "values", "with", "table", "insert", "update", "delete"];
        let is_definition = number > 0
            && self.token(number - 1) == Some(&Token::RParen)
            && self.token(number + 1) == Some(&Token::LParen)
            && matches!(self.token(number + 2), Some(Token::Word(_)))
            && matches!(self.token(number + 3), Some(Token::Word(_)))
            && !self.is_one_of(number + 2, QUERIES);
        if !is_definition {
            return;
        }
        let place = self.solid[number];
        if !in_rows_from {
            edits.before.insert(self.solid[number + 1], vec![Token::make_word(DEFINED_COLUMNS, Some('"'))]);
            return;
        }
        let Some(end) = self.closing(number + 1) else { return };
        let inner = self.solid[number + 1] + 1..self.solid[end];
        let value = self.tokens[inner].iter().map(|token| token.token.to_string()).collect();
        edits.replaced.insert(place, Token::Comma);
        self.solid[number + 1..=end].iter().for_each(|place| edits.drop(*place));
        let definitions = DollarQuotedString { value, tag: Some(DEFINED_COLUMNS.to_owned()) };
        edits.replaced.insert(self.solid[number + 1], Token::DollarQuotedString(definitions));
    }
}
