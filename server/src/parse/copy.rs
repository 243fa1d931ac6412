//! `COPY`: read here because sqlparser wants the data behind the statement, where psql's files have it.

use sqlparser::tokenizer::Token;

use crate::error::{Error, Result};
use crate::parse::StatementReader;
use crate::parse::statement::{CopyFrom, Statement};
use pg::copy_format::{CopyFormat, CopyOptions, Header};

impl StatementReader<'_> {
    /// Behind `COPY`.
    pub(super) fn copy(&mut self) -> Result<Statement> {
        if self.parser.peek_token_ref().token == Token::LParen {
            return Err(Error::not_supported("COPY (query) TO"));
        }
        let table = self.object_name()?;
        let columns = self.copy_columns()?;
        if self.words(&["TO"]) {
            return Err(Error::not_supported("COPY TO"));
        }
        self.expect_word("FROM")?;
        if self.words(&["PROGRAM"]) {
            return Err(Error::not_supported("COPY FROM PROGRAM"));
        }
        if !self.words(&["STDIN"]) {
            self.string()?;
            return Err(Error::not_supported("COPY FROM a file"));
        }
        let options = self.copy_options()?;
        Ok(Statement::CopyFrom(CopyFrom { table, columns, options }))
    }

    fn copy_columns(&mut self) -> Result<Vec<sqlparser::ast::Ident>> {
        let mut columns = Vec::new();
        if self.parser.consume_token(&Token::LParen) {
            columns.push(self.identifier()?);
            while self.parser.consume_token(&Token::Comma) {
                columns.push(self.identifier()?);
            }
            self.expect(&Token::RParen)?;
        }
        Ok(columns)
    }

    fn copy_options(&mut self) -> Result<CopyOptions> {
        let mut given = GivenOptions::default();
        self.words(&["WITH"]);
        if self.parser.consume_token(&Token::LParen) {
            loop {
                self.copy_option(&mut given)?;
                if !self.parser.consume_token(&Token::Comma) {
                    break;
                }
            }
            self.expect(&Token::RParen)?;
        } else {
            while self.old_copy_option(&mut given)? {}
        }
        given.complete()
    }

    /// `option value`, the form since PostgreSQL 9.0.
    fn copy_option(&mut self, given: &mut GivenOptions) -> Result<()> {
        let option = self.identifier()?;
        match option.value.to_ascii_lowercase().as_str() {
            "format" => given.format = Some(self.copy_format()?),
            "delimiter" => given.delimiter = Some(self.string()?),
            "null" => given.null = Some(self.string()?),
            "header" => given.header = self.copy_boolean()?,
            "quote" => given.quote = Some(self.string()?),
            "escape" => given.escape = Some(self.string()?),
            "encoding" => check_encoding(&self.string()?)?,
            other @ ("freeze" | "force_quote" | "force_not_null" | "force_null") => {
                return Err(Error::not_supported(format!("COPY option {}", other.to_uppercase())));
            }
            other => {
                return Err(Error::Syntax {
                    message: format!("option \"{other}\" not recognized"),
                    detail: None,
                    position: None,
                });
            }
        }
        Ok(())
    }

    /// `CSV HEADER DELIMITER AS ','`, the form before PostgreSQL 9.0. Whether there was one.
    fn old_copy_option(&mut self, given: &mut GivenOptions) -> Result<bool> {
        if self.words(&["CSV"]) {
            given.format = Some(CopyFormat::Csv);
        } else if self.words(&["BINARY"]) {
            return Err(Error::not_supported("COPY in binary format"));
        } else if self.words(&["HEADER"]) {
            given.header = true;
        } else if self.words(&["DELIMITER"]) {
            given.delimiter = Some(self.string_after_as()?);
        } else if self.words(&["NULL"]) {
            given.null = Some(self.string_after_as()?);
        } else if self.words(&["QUOTE"]) {
            given.quote = Some(self.string_after_as()?);
        } else if self.words(&["ESCAPE"]) {
            given.escape = Some(self.string_after_as()?);
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn string_after_as(&mut self) -> Result<String> {
        self.words(&["AS"]);
        self.string()
    }

    fn copy_format(&mut self) -> Result<CopyFormat> {
        let format = match self.parser.peek_token().token {
            Token::SingleQuotedString(_) => self.string()?,
            _ => self.identifier()?.value,
        };
        match format.to_ascii_lowercase().as_str() {
            "text" => Ok(CopyFormat::Text),
            "csv" => Ok(CopyFormat::Csv),
            "binary" => Err(Error::not_supported("COPY in binary format")),
            other => Err(Error::InvalidParameterValue { message: format!("COPY format \"{other}\" not recognized") }),
        }
    }

    /// A Boolean, or nothing, which means true.
    fn copy_boolean(&mut self) -> Result<bool> {
        for (word, value) in [("TRUE", true), ("ON", true), ("FALSE", false), ("OFF", false)] {
            if self.words(&[word]) {
                return Ok(value);
            }
        }
        if self.words(&["MATCH"]) {
            return Err(Error::not_supported("COPY option HEADER MATCH"));
        }
        match self.parser.peek_token().token {
            Token::Number(digits, _) if digits == "0" || digits == "1" => {
                self.parser.advance_token();
                Ok(digits == "1")
            }
            Token::Comma | Token::RParen => Ok(true),
            _ => Err(self.unexpected(&self.parser.peek_token())),
        }
    }
}

/// What was written; the rest has the format's defaults.
#[derive(Default)]
struct GivenOptions {
    format: Option<CopyFormat>,
    delimiter: Option<String>,
    null: Option<String>,
    header: bool,
    quote: Option<String>,
    escape: Option<String>,
}

impl GivenOptions {
    fn complete(self) -> Result<CopyOptions> {
        let mut options = CopyOptions::new(self.format.unwrap_or(CopyFormat::Text));
        let csv = options.format == CopyFormat::Csv;
        if !csv && (self.quote.is_some() || self.escape.is_some()) {
            let option = if self.quote.is_some() { "quote" } else { "escape" };
            return Err(Error::not_supported(format!("COPY {option} outside CSV mode")));
        }
        if let Some(delimiter) = self.delimiter {
            options.delimiter = single_byte("delimiter", &delimiter)?;
        }
        if let Some(null) = self.null {
            options.null = null;
        }
        if self.header {
            options.header = Header::Yes;
        }
        if let Some(quote) = self.quote {
            options.quote = single_byte("quote", &quote)?;
            options.escape = options.quote;
        }
        if let Some(escape) = self.escape {
            options.escape = single_byte("escape", &escape)?;
        }
        if csv && options.delimiter == options.quote {
            let message = "COPY delimiter and quote must be different".to_owned();
            return Err(Error::InvalidParameterValue { message });
        }
        Ok(options)
    }
}

fn single_byte(option: &str, text: &str) -> Result<u8> {
    match text.as_bytes() {
        [byte] if *byte != b'\n' && *byte != b'\r' => Ok(*byte),
        [_] => {
            Err(Error::InvalidParameterValue { message: format!("COPY {option} cannot be newline or carriage return") })
        }
        _ => Err(Error::not_supported(format!("COPY {option} of other than a single one-byte character"))),
    }
}

fn check_encoding(encoding: &str) -> Result<()> {
    match encoding.to_ascii_lowercase().replace(['-', '_'], "").as_str() {
        "utf8" | "unicode" => Ok(()),
        _ => Err(Error::not_supported(format!("encoding \"{encoding}\""))),
    }
}
