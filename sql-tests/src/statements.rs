//! Text of SQL, cut into statements.

/// A statement of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The line that it begins in, from 1.
    pub line: usize,
    /// Its text, without the semicolon, and without comments before it.
    pub sql: String,
}

impl Statement {
    /// The text in one line, by which it is known in lists.
    pub fn title(&self) -> String {
        title(&self.sql)
    }
}

/// A statement's text in one line.
pub fn title(sql: &str) -> String {
    sql.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Cuts a text at its semicolons, except those in quotes, comments, parentheses and dollar quotes.
pub fn split(text: &str) -> Vec<Statement> {
    let mut statements = Vec::new();
    let mut start = 0;
    for token in Tokens::of(text) {
        if token.text == ";" && token.depth == 0 {
            statements.extend(statement(text, start, token.start));
            start = token.start + 1;
        }
    }
    statements.extend(statement(text, start, text.len()));
    statements
}

/// Whether the order of the rows is part of the answer: whether there is an ORDER BY outside of parentheses, or they are
/// those of a cursor, whose query should have one.
pub fn is_ordered(sql: &str) -> bool {
    let tokens: Vec<_> = Tokens::of(sql).filter(|token| token.depth == 0).collect();
    if tokens.first().is_some_and(|token| token.text.eq_ignore_ascii_case("fetch")) {
        return true;
    }
    let follows = |pair: &[Token<'_>]| match pair {
        [first, second] => first.text.eq_ignore_ascii_case("order") && second.text.eq_ignore_ascii_case("by"),
        _ => false,
    };
    tokens.windows(2).any(follows)
}

/// The statement between two places, unless there is nothing but comments.
fn statement(text: &str, start: usize, end: usize) -> Option<Statement> {
    let range = text.get(start..end)?;
    let first = Tokens::of(range).next()?.start;
    let sql = range.get(first..)?.trim_end().to_owned();
    let line = text.get(..start + first)?.matches('\n').count() + 1;
    Some(Statement { line, sql })
}

/// A word, a quoted text, or a single other character.
struct Token<'a> {
    text: &'a str,
    start: usize,
    /// How many parentheses are open.
    depth: usize,
}

struct Tokens<'a> {
    text: &'a str,
    place: usize,
    depth: usize,
}

impl<'a> Tokens<'a> {
    fn of(text: &'a str) -> Tokens<'a> {
        Tokens { text, place: 0, depth: 0 }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.place..).unwrap_or_default()
    }

    fn skip_blanks_and_comments(&mut self) {
        loop {
            let rest = self.rest();
            let length = match rest.chars().next() {
                Some(c) if c.is_whitespace() => c.len_utf8(),
                Some('-') if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
                Some('/') if rest.starts_with("/*") => block_comment(rest),
                _ => return,
            };
            self.place += length;
        }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        self.skip_blanks_and_comments();
        let rest = self.rest();
        let first = rest.chars().next()?;
        let length = match first {
            '\'' => quoted(rest, '\'', is_escape_string(self.text, self.place)),
            '"' => quoted(rest, '"', false),
            '$' => dollar_quoted(rest).unwrap_or(1),
            c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        match first {
            '(' => self.depth += 1,
            ')' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        let token = Token { text: rest.get(..length)?, start: self.place, depth: self.depth };
        self.place += length;
        Some(token)
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether the quote at this place is that of `E'…'`.
fn is_escape_string(text: &str, place: usize) -> bool {
    let mut before = text.get(..place).unwrap_or_default().chars().rev();
    matches!(before.next(), Some('e' | 'E')) && !before.next().is_some_and(is_word)
}

/// Length of a quoted text, with its quotes. A doubled quote looks like two texts side by side, which does no harm.
fn quoted(text: &str, quote: char, has_escapes: bool) -> usize {
    let mut escaped = true;
    for (place, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if has_escapes => escaped = true,
            c if c == quote => return place + 1,
            _ => {}
        }
    }
    text.len()
}

fn dollar_quoted(text: &str) -> Option<usize> {
    let tag_end = text.char_indices().skip(1).find(|(_, c)| !is_word(*c)).filter(|(_, c)| *c == '$')?.0;
    let tag = text.get(..=tag_end)?;
    let body = text.get(tag.len()..)?;
    Some(tag.len() + body.find(tag)? + tag.len())
}

fn block_comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut place = 0;
    while let Some(rest) = text.get(place..).filter(|rest| !rest.is_empty()) {
        let step = match rest {
            rest if rest.starts_with("/*") => {
                depth += 1;
                2
            }
            rest if rest.starts_with("*/") => {
                depth -= 1;
                2
            }
            rest => rest.chars().next().map_or(1, char::len_utf8),
        };
        place += step;
        if depth == 0 {
            break;
        }
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let statements: Vec<_> = split(text).into_iter().map(|statement| statement.sql).collect();
        assert_eq!(statements, expected, "{text}");
    }

    #[test]
    fn statements_end_at_semicolons_outside_of_everything() {
        check("SELECT 1; SELECT 2", &["SELECT 1", "SELECT 2"]);
        check("SELECT ';', \";\";", &["SELECT ';', \";\""]);
        check("SELECT 'it''s;'; SELECT 2;", &["SELECT 'it''s;'", "SELECT 2"]);
        check(r"SELECT E'\';'; SELECT '\'; SELECT 3", &[r"SELECT E'\';'", r"SELECT '\'", "SELECT 3"]);
        check("SELECT $a$;$$;$a$; SELECT $$;$$", &["SELECT $a$;$$;$a$", "SELECT $$;$$"]);
        check("-- a; b\nSELECT 1 -- c;\n; /* d; /* e; */ */ SELECT 2;;", &["SELECT 1 -- c;", "SELECT 2"]);
        check("SELECT $1; SELECT a$b$c", &["SELECT $1", "SELECT a$b$c"]);
        check("", &[]);
    }

    #[test]
    fn a_statement_knows_its_line() {
        let lines: Vec<_> =
            split("-- x\nSELECT 1;\n\nSELECT\n2;").into_iter().map(|statement| statement.line).collect();
        assert_eq!(lines, [2, 4]);
    }

    #[test]
    fn only_an_order_by_outside_of_parentheses_orders_the_answer() {
        assert!(is_ordered("SELECT a FROM t ORDER\nBY a"));
        assert!(is_ordered("(SELECT 1) UNION SELECT 2 order by 1"));
        assert!(!is_ordered("SELECT * FROM (SELECT a FROM t ORDER BY a) x"));
        assert!(!is_ordered("SELECT 'x ORDER BY y'"));
        assert!(!is_ordered("SELECT array_agg(a ORDER BY a) FROM t"));
    }
}
