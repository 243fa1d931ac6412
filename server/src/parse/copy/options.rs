//! COPY's options, in the form since PostgreSQL 9.0 and in the one before, and what PostgreSQL says of those that do not fit
//! together.

use sqlparser::ast;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::error::{Error, Result};
use crate::parse::StatementReader;
use crate::parse::statement::ForcedQuotes;
use crate::plan::relations::identifier;
use pg::PgError;
use pg::copy_format::{CopyFormat, CopyOptions, Header, check_delimiter, check_different};
use pg::encoding::Encoding;
use pg::sqlstate::SqlState;

/// What a delimiter of the text format cannot be: it would be taken for an escape, or for what stands for NULL.
const NO_TEXT_DELIMITERS: &str = "\\.abcdefghijklmnopqrstuvwxyz0123456789";

/// Which way the data goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// To the client.
    To,
    /// From the client.
    From,
}

/// What was written; the rest has the format's defaults.
#[derive(Default)]
pub(super) struct GivenOptions {
    format: Option<CopyFormat>,
    freeze: Option<bool>,
    delimiter: Option<String>,
    null: Option<String>,
    header: Option<Header>,
    quote: Option<String>,
    escape: Option<String>,
    encoding: Option<Encoding>,
    pub(super) force_quote: Option<ForcedQuotes>,
    pub(super) force_not_null: Option<Vec<ast::Ident>>,
    pub(super) force_null: Option<Vec<ast::Ident>>,
}

/// What stands behind the name of an option.
enum Value {
    Nothing,
    Text(String),
    Star,
    List(Vec<ast::Ident>),
}

/// An option, for messages.
struct Named {
    name: String,
    token: TokenWithSpan,
}

impl StatementReader<'_> {
    pub(super) fn copy_options(&mut self, direction: Direction, binary: Option<TokenWithSpan>) -> Result<GivenOptions> {
        let mut given = GivenOptions::default();
        if let Some(token) = binary {
            self.give(&mut given.format, CopyFormat::Binary, &token)?;
        }
        let delimiters = self.parser.peek_token();
        if self.words(&["USING", "DELIMITERS"]) || self.words(&["DELIMITERS"]) {
            let delimiter = self.string()?;
            self.give(&mut given.delimiter, delimiter, &delimiters)?;
        }
        self.words(&["WITH"]);
        if self.parser.consume_token(&Token::LParen) {
            loop {
                self.copy_option(&mut given, direction)?;
                if !self.parser.consume_token(&Token::Comma) {
                    break;
                }
            }
            self.expect(&Token::RParen)?;
        } else {
            while self.old_copy_option(&mut given)? {}
        }
        Ok(given)
    }

    /// `option value`, the form since PostgreSQL 9.0.
    fn copy_option(&mut self, given: &mut GivenOptions, direction: Direction) -> Result<()> {
        let token = self.parser.peek_token();
        if matches!(token.token, Token::RParen | Token::Comma) {
            return Err(self.unexpected(&token));
        }
        let option = Named { name: identifier(&self.identifier()?), token };
        let value = self.option_value()?;
        let token = &option.token;
        match option.name.as_str() {
            "format" => {
                let format = self.copy_format(text(&option, value)?, token)?;
                self.give(&mut given.format, format, token)
            }
            "freeze" => self.give(&mut given.freeze, boolean(&option, value)?, token),
            "delimiter" => self.give(&mut given.delimiter, text(&option, value)?, token),
            "null" => self.give(&mut given.null, text(&option, value)?, token),
            "header" => self.give(&mut given.header, header(value, direction)?, token),
            "quote" => self.give(&mut given.quote, text(&option, value)?, token),
            "escape" => self.give(&mut given.escape, text(&option, value)?, token),
            "encoding" => {
                let encoding = self.encoding(&text(&option, value)?, token)?;
                self.give(&mut given.encoding, encoding, token)
            }
            "force_quote" => match value {
                Value::Star => self.give(&mut given.force_quote, ForcedQuotes::All, token),
                Value::List(columns) => self.give(&mut given.force_quote, ForcedQuotes::Columns(columns), token),
                _ => Err(self.no_list(&option)),
            },
            "force_not_null" => match value {
                Value::List(columns) => self.give(&mut given.force_not_null, columns, token),
                _ => Err(self.no_list(&option)),
            },
            "force_null" => match value {
                Value::List(columns) => self.give(&mut given.force_null, columns, token),
                _ => Err(self.no_list(&option)),
            },
            other => {
                let message = format!("option \"{other}\" not recognized");
                Err(self.at_token(PgError::new(SqlState::SYNTAX_ERROR, message), token))
            }
        }
    }

    fn no_list(&self, option: &Named) -> Error {
        let message = format!("argument to option \"{}\" must be a list of column names", option.name);
        self.at_token(PgError::invalid_parameter(message), &option.token)
    }

    /// Nothing, a word, a string, a number, `*`, or columns.
    fn option_value(&mut self) -> Result<Value> {
        let token = self.parser.peek_token();
        Ok(match token.token {
            Token::Comma | Token::RParen => Value::Nothing,
            Token::Mul => {
                self.parser.advance_token();
                Value::Star
            }
            Token::LParen => Value::List(self.copy_columns()?),
            Token::Word(_) => Value::Text(identifier(&self.identifier()?)),
            Token::Number(digits, _) => {
                self.parser.advance_token();
                Value::Text(digits)
            }
            Token::Minus | Token::Plus => {
                self.parser.advance_token();
                let number = self.parser.peek_token();
                let Token::Number(digits, _) = number.token else { return Err(self.unexpected(&number)) };
                self.parser.advance_token();
                Value::Text(format!("{}{digits}", token.token).trim_start_matches('+').to_owned())
            }
            _ => Value::Text(self.string()?),
        })
    }

    /// `CSV HEADER DELIMITER AS ','`, the form before PostgreSQL 9.0. Whether there was one.
    fn old_copy_option(&mut self, given: &mut GivenOptions) -> Result<bool> {
        let token = self.parser.peek_token();
        if self.words(&["CSV"]) {
            self.give(&mut given.format, CopyFormat::Csv, &token)?;
        } else if self.words(&["BINARY"]) {
            self.give(&mut given.format, CopyFormat::Binary, &token)?;
        } else if self.words(&["FREEZE"]) {
            self.give(&mut given.freeze, true, &token)?;
        } else if self.words(&["HEADER"]) {
            self.give(&mut given.header, Header::Yes, &token)?;
        } else if self.words(&["DELIMITER"]) {
            let delimiter = self.string_after_as()?;
            self.give(&mut given.delimiter, delimiter, &token)?;
        } else if self.words(&["NULL"]) {
            let null = self.string_after_as()?;
            self.give(&mut given.null, null, &token)?;
        } else if self.words(&["QUOTE"]) {
            let quote = self.string_after_as()?;
            self.give(&mut given.quote, quote, &token)?;
        } else if self.words(&["ESCAPE"]) {
            let escape = self.string_after_as()?;
            self.give(&mut given.escape, escape, &token)?;
        } else if self.words(&["FORCE", "QUOTE"]) {
            let columns = match self.parser.consume_token(&Token::Mul) {
                true => ForcedQuotes::All,
                false => ForcedQuotes::Columns(self.copy_column_list()?),
            };
            self.give(&mut given.force_quote, columns, &token)?;
        } else if self.words(&["FORCE", "NOT", "NULL"]) {
            let columns = self.copy_column_list()?;
            self.give(&mut given.force_not_null, columns, &token)?;
        } else if self.words(&["FORCE", "NULL"]) {
            let columns = self.copy_column_list()?;
            self.give(&mut given.force_null, columns, &token)?;
        } else if self.words(&["ENCODING"]) {
            let encoding = self.string()?;
            let encoding = self.encoding(&encoding, &token)?;
            self.give(&mut given.encoding, encoding, &token)?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// Columns with commas between them.
    pub(in crate::parse) fn copy_column_list(&mut self) -> Result<Vec<ast::Ident>> {
        let mut columns = vec![self.identifier()?];
        while self.parser.consume_token(&Token::Comma) {
            columns.push(self.identifier()?);
        }
        Ok(columns)
    }

    fn string_after_as(&mut self) -> Result<String> {
        self.words(&["AS"]);
        self.string()
    }

    /// Takes the value of an option that was not given before.
    fn give<T>(&self, option: &mut Option<T>, value: T, token: &TokenWithSpan) -> Result<()> {
        match option.replace(value) {
            None => Ok(()),
            Some(_) => {
                let error = PgError::new(SqlState::SYNTAX_ERROR, "conflicting or redundant options");
                Err(self.at_token(error, token))
            }
        }
    }

    fn copy_format(&self, format: String, token: &TokenWithSpan) -> Result<CopyFormat> {
        match format.as_str() {
            "text" => Ok(CopyFormat::Text),
            "csv" => Ok(CopyFormat::Csv),
            "binary" => Ok(CopyFormat::Binary),
            other => {
                let message = format!("COPY format \"{other}\" not recognized");
                Err(self.at_token(PgError::invalid_parameter(message), token))
            }
        }
    }

    fn encoding(&self, name: &str, token: &TokenWithSpan) -> Result<Encoding> {
        let encoding = Encoding::named(name).ok_or_else(|| {
            let message = "argument to option \"encoding\" must be a valid encoding name";
            self.at_token(PgError::invalid_parameter(message), token)
        })?;
        encoding.check_supported()?;
        Ok(encoding)
    }
}

fn text(option: &Named, value: Value) -> Result<String> {
    let columns = |columns: Vec<ast::Ident>| columns.iter().map(identifier).collect::<Vec<_>>().join(".");
    match value {
        Value::Text(text) => Ok(text),
        Value::Star => Ok("*".to_owned()),
        Value::List(list) => Ok(columns(list)),
        Value::Nothing => Err(syntax(format!("{} requires a parameter", option.name))),
    }
}

fn boolean(option: &Named, value: Value) -> Result<bool> {
    truth(value).ok_or_else(|| syntax(format!("{} requires a Boolean value", option.name)))
}

/// Nothing means true.
fn truth(value: Value) -> Option<bool> {
    match value {
        Value::Nothing => Some(true),
        Value::Text(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "on" | "1" => Some(true),
            "false" | "off" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn header(value: Value, direction: Direction) -> Result<Header> {
    if matches!(&value, Value::Text(text) if text.eq_ignore_ascii_case("match")) {
        return match direction {
            Direction::From => Ok(Header::Match),
            Direction::To => Err(unsupported("cannot use \"match\" with HEADER in COPY TO")),
        };
    }
    match truth(value) {
        Some(true) => Ok(Header::Yes),
        Some(false) => Ok(Header::No),
        None => Err(syntax("header requires a Boolean value or \"match\"")),
    }
}

fn syntax(message: impl Into<String>) -> Error {
    PgError::new(SqlState::SYNTAX_ERROR, message).into()
}

fn unsupported(message: impl Into<String>) -> Error {
    PgError::new(SqlState::FEATURE_NOT_SUPPORTED, message).into()
}

fn invalid(message: impl Into<String>) -> Error {
    PgError::invalid_parameter(message).into()
}

impl GivenOptions {
    /// The options as a whole, checked in PostgreSQL's order.
    pub(super) fn complete(&self, direction: Direction) -> Result<CopyOptions> {
        let mut options = CopyOptions::new(self.format.unwrap_or(CopyFormat::Text));
        self.check_binary(options.format)?;
        let csv = options.format == CopyFormat::Csv;
        if let Some(delimiter) = &self.delimiter {
            options.delimiter = single_byte("delimiter", delimiter)?;
            check_delimiter(options.delimiter)?;
        }
        if let Some(null) = &self.null {
            if null.contains(['\n', '\r']) {
                return Err(invalid("COPY null representation cannot use newline or carriage return"));
            }
            options.null.clone_from(null);
        }
        let delimiter = char::from(options.delimiter);
        if !csv && NO_TEXT_DELIMITERS.contains(delimiter) {
            return Err(invalid(format!("COPY delimiter cannot be \"{delimiter}\"")));
        }
        options.encoding = self.encoding;
        options.header = self.header.unwrap_or(Header::No);
        if options.format == CopyFormat::Binary && options.header != Header::No {
            return Err(unsupported("cannot specify HEADER in BINARY mode"));
        }
        self.set_quotes(&mut options)?;
        self.check_forced(csv, direction)?;
        if options.null.contains(delimiter) {
            return Err(unsupported("COPY delimiter must not appear in the NULL specification"));
        }
        if csv && options.null.contains(char::from(options.quote)) {
            return Err(unsupported("CSV quote character must not appear in the NULL specification"));
        }
        Ok(options)
    }

    fn check_binary(&self, format: CopyFormat) -> Result<()> {
        let given = [("DELIMITER", self.delimiter.is_some()), ("NULL", self.null.is_some())];
        match given.iter().find(|(_, given)| *given) {
            Some((option, _)) if format == CopyFormat::Binary => {
                Err(syntax(format!("cannot specify {option} in BINARY mode")))
            }
            _ => Ok(()),
        }
    }

    fn set_quotes(&self, options: &mut CopyOptions) -> Result<()> {
        let csv = options.format == CopyFormat::Csv;
        if let Some(quote) = &self.quote {
            if !csv {
                return Err(unsupported("COPY quote available only in CSV mode"));
            }
            options.quote = single_byte("quote", quote)?;
            options.escape = options.quote;
        }
        check_different(options.delimiter, csv.then_some(options.quote), "quote")?;
        if let Some(escape) = &self.escape {
            if !csv {
                return Err(unsupported("COPY escape available only in CSV mode"));
            }
            options.escape = single_byte("escape", escape)?;
        }
        Ok(())
    }

    fn check_forced(&self, csv: bool, direction: Direction) -> Result<()> {
        for (option, given, wanted, verb) in [
            ("quote", self.force_quote.is_some(), Direction::To, "TO"),
            ("not null", self.force_not_null.is_some(), Direction::From, "FROM"),
            ("null", self.force_null.is_some(), Direction::From, "FROM"),
        ] {
            if given && !csv {
                return Err(unsupported(format!("COPY force {option} available only in CSV mode")));
            }
            if given && direction != wanted {
                return Err(unsupported(format!("COPY force {option} only available using COPY {verb}")));
            }
        }
        Ok(())
    }
}

fn single_byte(option: &str, text: &str) -> Result<u8> {
    match text.as_bytes() {
        [byte] => Ok(*byte),
        _ => Err(unsupported(format!("COPY {option} must be a single one-byte character"))),
    }
}
