//! Reads a `jsonpath`, by the grammar of PostgreSQL's `jsonpath_gram.y`.
//!
//! The grammar knows expressions and predicates, and allows only one of them in most places. Here both are read by the
//! same functions, and what was read is checked where it matters.

use std::sync::Arc;

use regex::RegexBuilder;

use super::lexer::{Lexer, Token};
use super::tree::*;
use crate::error::{PgError, Result};
use crate::library::json::{lexer as json_lexer, number};
use crate::sqlstate::SqlState;

/// How deep a path may be nested: reading, printing and evaluating it takes a dozen calls for each level.
const PATH_DEPTH_MAX: usize = 32;
/// How many operators between numbers a path may have: what is left of one may be another.
const ARITHMETIC_MAX: usize = 100;

/// Reads a path.
pub fn parse(text: &str) -> Result<JsonPath> {
    let mut parser =
        Parser { lexer: Lexer::new(text), token: Token::End, depth: 0, arithmetic: 0, filters: 0, subscripts: 0 };
    parser.advance()?;
    if parser.token == Token::End {
        let message = format!("invalid input syntax for type jsonpath: \"{text}\"");
        return Err(PgError::new(SqlState::INVALID_TEXT_REPRESENTATION, message));
    }
    let strict = parser.is_word("strict");
    if strict || parser.is_word("lax") {
        parser.advance()?;
    }
    let root = parser.any()?;
    match parser.token {
        Token::End => Ok(JsonPath { strict, root }),
        _ => Err(parser.syntax_error()),
    }
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    /// The token that comes next.
    token: Token,
    depth: usize,
    /// Operators between numbers that have been read.
    arithmetic: usize,
    /// Filters around this place, where `@` has a meaning.
    filters: usize,
    /// Subscripts around this place, where `last` has a meaning.
    subscripts: usize,
}

fn is_predicate(node: &Node) -> bool {
    node.steps.is_empty() && matches!(node.start, Start::Predicate(_))
}

fn node(start: Start) -> Node {
    Node { start, steps: Vec::new() }
}

fn predicate(predicate: Predicate) -> Node {
    node(Start::Predicate(predicate))
}

impl Parser<'_> {
    fn advance(&mut self) -> Result<Token> {
        let next = self.lexer.token()?;
        Ok(std::mem::replace(&mut self.token, next))
    }

    fn syntax_error(&self) -> PgError {
        self.lexer.error("syntax error")
    }

    /// Whether a keyword comes next. All but three may be written in capitals.
    fn is_word(&self, keyword: &str) -> bool {
        let exact = matches!(keyword, "null" | "true" | "false");
        matches!(&self.token, Token::Word(word) if word == keyword || !exact && word.eq_ignore_ascii_case(keyword))
    }

    fn is_sign(&self, sign: &str) -> bool {
        matches!(self.token, Token::Sign(found) if found == sign)
    }

    fn take_sign(&mut self, sign: &str) -> Result<bool> {
        let found = self.is_sign(sign);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    fn expect_sign(&mut self, sign: &str) -> Result<()> {
        if self.take_sign(sign)? { Ok(()) } else { Err(self.syntax_error()) }
    }

    fn expect_word(&mut self, word: &str) -> Result<()> {
        if !self.is_word(word) {
            return Err(self.syntax_error());
        }
        self.advance().map(drop)
    }

    fn must_be(&self, node: Node, is_wanted: bool) -> Result<Node> {
        if is_wanted { Ok(node) } else { Err(self.syntax_error()) }
    }

    /// A predicate or an expression.
    fn any(&mut self) -> Result<Node> {
        self.depth += 1;
        if self.depth > PATH_DEPTH_MAX {
            return Err(json_lexer::too_deep());
        }
        let node = self.or();
        self.depth -= 1;
        node
    }

    fn predicate(&mut self) -> Result<Node> {
        let node = self.any()?;
        let wanted = is_predicate(&node);
        self.must_be(node, wanted)
    }

    fn expression(&mut self) -> Result<Node> {
        self.depth += 1;
        if self.depth > PATH_DEPTH_MAX {
            return Err(json_lexer::too_deep());
        }
        let node = self.sum()?;
        self.depth -= 1;
        let wanted = !is_predicate(&node);
        self.must_be(node, wanted)
    }

    fn or(&mut self) -> Result<Node> {
        self.chain("||", Predicate::Or, Self::and)
    }

    fn and(&mut self) -> Result<Node> {
        self.chain("&&", Predicate::And, Self::comparison)
    }

    /// Predicates with the same operator between them.
    fn chain(
        &mut self,
        operator: &str,
        combine: fn(Vec<Node>) -> Predicate,
        read: fn(&mut Self) -> Result<Node>,
    ) -> Result<Node> {
        let first = read(self)?;
        if !is_predicate(&first) || !self.is_sign(operator) {
            return Ok(first);
        }
        let mut operands = vec![first];
        while self.take_sign(operator)? {
            let operand = read(self)?;
            let wanted = is_predicate(&operand);
            operands.push(self.must_be(operand, wanted)?);
        }
        Ok(predicate(combine(operands)))
    }

    fn comparison(&mut self) -> Result<Node> {
        if self.take_sign("!")? {
            let operand = match self.is_word("exists") {
                true => self.exists()?,
                false => {
                    self.expect_sign("(")?;
                    let operand = self.predicate()?;
                    self.expect_sign(")")?;
                    operand
                }
            };
            return Ok(predicate(Predicate::Not(Box::new(operand))));
        }
        if self.is_word("exists") {
            return self.exists();
        }
        let left = self.sum()?;
        if is_predicate(&left) {
            return Ok(left);
        }
        if self.is_word("starts") {
            return self.starts_with(left);
        }
        if self.is_word("like_regex") {
            return self.like_regex(left);
        }
        let Some(operator) = self.comparison_operator() else { return Ok(left) };
        self.advance()?;
        let right = self.expression()?;
        Ok(predicate(Predicate::Compare(operator, Box::new(left), Box::new(right))))
    }

    fn comparison_operator(&self) -> Option<Comparison> {
        let Token::Sign(sign) = self.token else { return None };
        Some(match sign {
            "==" => Comparison::Equal,
            "!=" | "<>" => Comparison::NotEqual,
            "<" => Comparison::Less,
            "<=" => Comparison::LessOrEqual,
            ">" => Comparison::Greater,
            ">=" => Comparison::GreaterOrEqual,
            _ => return None,
        })
    }

    fn exists(&mut self) -> Result<Node> {
        self.advance()?;
        self.expect_sign("(")?;
        let operand = self.expression()?;
        self.expect_sign(")")?;
        Ok(predicate(Predicate::Exists(Box::new(operand))))
    }

    fn starts_with(&mut self, left: Node) -> Result<Node> {
        self.advance()?;
        self.expect_word("with")?;
        let initial = match self.token.clone() {
            Token::String(text) => Start::String(text),
            Token::Variable(name) => Start::Variable(name),
            _ => return Err(self.syntax_error()),
        };
        self.advance()?;
        Ok(predicate(Predicate::StartsWith(Box::new(left), Box::new(node(initial)))))
    }

    fn like_regex(&mut self, left: Node) -> Result<Node> {
        self.advance()?;
        let Token::String(pattern) = self.token.clone() else { return Err(self.syntax_error()) };
        self.advance()?;
        let mut flags = String::new();
        if self.is_word("flag") {
            self.advance()?;
            let Token::String(written) = self.token.clone() else { return Err(self.syntax_error()) };
            self.advance()?;
            flags = written;
        }
        Ok(predicate(Predicate::LikeRegex(Box::new(left), Arc::new(compile(pattern, &flags)?))))
    }

    fn sum(&mut self) -> Result<Node> {
        let mut left = self.product()?;
        loop {
            let operator = match self.token {
                Token::Sign("+") => Arithmetic::Add,
                Token::Sign("-") => Arithmetic::Subtract,
                _ => return Ok(left),
            };
            left = self.arithmetic(operator, left, Self::product)?;
        }
    }

    fn product(&mut self) -> Result<Node> {
        let mut left = self.signed()?;
        loop {
            let operator = match self.token {
                Token::Sign("*") => Arithmetic::Multiply,
                Token::Sign("/") => Arithmetic::Divide,
                Token::Sign("%") => Arithmetic::Modulo,
                _ => return Ok(left),
            };
            left = self.arithmetic(operator, left, Self::signed)?;
        }
    }

    fn arithmetic(&mut self, operator: Arithmetic, left: Node, read: fn(&mut Self) -> Result<Node>) -> Result<Node> {
        if is_predicate(&left) {
            return Err(self.syntax_error());
        }
        self.arithmetic += 1;
        if self.arithmetic > ARITHMETIC_MAX {
            return Err(json_lexer::too_deep());
        }
        self.advance()?;
        let right = read(self)?;
        let wanted = !is_predicate(&right);
        let right = self.must_be(right, wanted)?;
        Ok(node(Start::Arithmetic(operator, Box::new(left), Box::new(right))))
    }

    fn signed(&mut self) -> Result<Node> {
        let sign = match self.token {
            Token::Sign("+") => Sign::Plus,
            Token::Sign("-") => Sign::Minus,
            _ => return self.path(),
        };
        self.advance()?;
        self.depth += 1;
        if self.depth > PATH_DEPTH_MAX {
            return Err(json_lexer::too_deep());
        }
        let operand = self.signed()?;
        self.depth -= 1;
        let wanted = !is_predicate(&operand);
        let operand = self.must_be(operand, wanted)?;
        Ok(match (&operand.start, operand.steps.is_empty(), sign) {
            (Start::Number(_), true, Sign::Plus) => operand,
            (Start::Number(digits), true, Sign::Minus) => {
                let negated = digits.strip_prefix('-').map_or_else(|| format!("-{digits}"), str::to_owned);
                node(Start::Number(number::normalize(&negated)?.into_owned()))
            }
            _ => node(Start::Sign(sign, Box::new(operand))),
        })
    }

    fn path(&mut self) -> Result<Node> {
        let mut path = self.start()?;
        if is_predicate(&path) && self.is_word("is") {
            self.advance()?;
            self.expect_word("unknown")?;
            return Ok(predicate(Predicate::IsUnknown(Box::new(path))));
        }
        loop {
            if self.take_sign("?")? {
                self.filters += 1;
                self.expect_sign("(")?;
                let condition = self.predicate()?;
                self.filters -= 1;
                self.expect_sign(")")?;
                path.steps.push(Step::Filter(Box::new(condition)));
            } else if self.take_sign("[")? {
                path.steps.push(self.subscript()?);
            } else if self.take_sign(".")? {
                path.steps.push(self.member()?);
            } else {
                return Ok(path);
            }
        }
    }

    fn start(&mut self) -> Result<Node> {
        if self.take_sign("(")? {
            let inside = self.any()?;
            self.expect_sign(")")?;
            return Ok(inside);
        }
        let start = match &self.token {
            Token::Sign("$") => Start::Root,
            Token::Sign("@") if self.filters == 0 => {
                return Err(PgError::new(SqlState::SYNTAX_ERROR, "@ is not allowed in root expressions"));
            }
            Token::Sign("@") => Start::Current,
            Token::Variable(name) => Start::Variable(name.clone()),
            Token::String(text) => Start::String(text.clone()),
            Token::Number(written) => {
                let written = if written.starts_with('.') { format!("0{written}") } else { written.clone() };
                Start::Number(number::normalize(written.strip_suffix('.').unwrap_or(&written))?.into_owned())
            }
            Token::Word(_) if self.is_word("null") => Start::Null,
            Token::Word(_) if self.is_word("true") => Start::Bool(true),
            Token::Word(_) if self.is_word("false") => Start::Bool(false),
            Token::Word(_) if self.is_word("last") && self.subscripts == 0 => {
                let message = "LAST is allowed only in array subscripts";
                return Err(PgError::new(SqlState::SYNTAX_ERROR, message));
            }
            Token::Word(_) if self.is_word("last") => Start::Last,
            _ => return Err(self.syntax_error()),
        };
        self.advance()?;
        Ok(node(start))
    }

    fn subscript(&mut self) -> Result<Step> {
        if self.take_sign("*")? {
            self.expect_sign("]")?;
            return Ok(Step::AnyElement);
        }
        self.subscripts += 1;
        let mut ranges = Vec::new();
        loop {
            let from = self.expression()?;
            let to = if self.is_word("to") {
                self.advance()?;
                Some(self.expression()?)
            } else {
                None
            };
            ranges.push((from, to));
            if !self.take_sign(",")? {
                break;
            }
        }
        self.subscripts -= 1;
        self.expect_sign("]")?;
        Ok(Step::Elements(ranges))
    }

    fn member(&mut self) -> Result<Step> {
        if self.take_sign("*")? {
            return Ok(Step::AnyMember);
        }
        if self.take_sign("**")? {
            return self.levels();
        }
        match self.token.clone() {
            Token::String(key) => {
                self.advance()?;
                Ok(Step::Member(key))
            }
            Token::Word(word) => {
                self.advance()?;
                if !self.is_sign("(") {
                    return Ok(Step::Member(word));
                }
                self.method(&word.to_ascii_lowercase())
            }
            _ => Err(self.syntax_error()),
        }
    }

    fn method(&mut self, name: &str) -> Result<Step> {
        const METHODS: [Method; 7] =
            [Method::Type, Method::Size, Method::Abs, Method::Floor, Method::Ceiling, Method::Double, Method::KeyValue];
        if name == "datetime" {
            self.advance()?;
            let template = match self.token.clone() {
                Token::String(template) => {
                    self.advance()?;
                    Some(template)
                }
                _ => None,
            };
            self.expect_sign(")")?;
            return Ok(Step::Datetime(template));
        }
        let method = METHODS.into_iter().find(|method| method.name() == name).ok_or_else(|| self.syntax_error())?;
        self.advance()?;
        self.expect_sign(")")?;
        Ok(Step::Method(method))
    }

    fn levels(&mut self) -> Result<Step> {
        if !self.take_sign("{")? {
            return Ok(Step::Descend { first: 0, last: LAST_LEVEL });
        }
        let first = self.level()?;
        let last = if self.is_word("to") {
            self.advance()?;
            self.level()?
        } else {
            first
        };
        self.expect_sign("}")?;
        Ok(Step::Descend { first, last })
    }

    fn level(&mut self) -> Result<u32> {
        let level = match &self.token {
            Token::Word(_) if self.is_word("last") => LAST_LEVEL,
            Token::Number(written) => written.parse().map_err(|_| self.syntax_error())?,
            _ => return Err(self.syntax_error()),
        };
        self.advance()?;
        Ok(level)
    }
}

/// Makes a regular expression with XQuery's flags.
fn compile(text: String, written: &str) -> Result<Pattern> {
    if let Some(unknown) = written.chars().find(|flag| !"ismxq".contains(*flag)) {
        let error = PgError::new(SqlState::SYNTAX_ERROR, "invalid input syntax for type jsonpath");
        return Err(error.with_detail(format!("Unrecognized flag character \"{unknown}\" in LIKE_REGEX predicate.")));
    }
    let has = |flag: char| written.contains(flag);
    if has('x') && !has('q') {
        let message = "XQuery \"x\" flag (expanded regular expressions) is not implemented";
        return Err(PgError::new(SqlState::FEATURE_NOT_SUPPORTED, message));
    }
    let pattern = if has('q') { regex::escape(&text) } else { text.clone() };
    let regex = RegexBuilder::new(&pattern)
        .case_insensitive(has('i'))
        .dot_matches_new_line(has('s'))
        .multi_line(has('m'))
        .build()
        .map_err(|error| PgError::new(SqlState::INVALID_REGULAR_EXPRESSION, regex_message(&error)))?;
    let flags = "ismxq".chars().filter(|flag| has(*flag)).collect();
    Ok(Pattern { text, flags, regex })
}

fn regex_message(error: &regex::Error) -> String {
    let text = error.to_string();
    let why = if text.contains("group") && (text.contains("unclosed") || text.contains("unopened")) {
        "parentheses () not balanced"
    } else if text.contains("unclosed character class") {
        "brackets [] not balanced"
    } else if text.contains("repetition operator missing") {
        "quantifier operand invalid"
    } else {
        text.lines().last().unwrap_or_default().trim_start_matches("error: ")
    };
    format!("invalid regular expression: {why}")
}
