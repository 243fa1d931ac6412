//! SET, SHOW, RESET.

use pg::PgError;
use pg::sqlstate::SqlState;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::guard::is_reserved;
use super::position;
use super::statement::{Set, SetValue};
use super::{Statement, StatementReader};
use crate::error::{Error, Result};
use crate::plan::relations::identifier;

/// Redshift's statements that begin with SHOW, of those that are not here.
const SHOWN_OBJECTS: [&str; 7] =
    ["constraints", "datashares", "functions", "grants", "model", "parameters", "procedure"];
/// Words that are reserved, which the names of relations do not tell.
const RESERVED: [&str; 9] = [
    "current_catalog",
    "current_date",
    "current_role",
    "current_time",
    "current_timestamp",
    "current_user",
    "localtime",
    "localtimestamp",
    "session_user",
];
/// Reserved words that are values all the same.
const VALUE_WORDS: [&str; 3] = ["on", "true", "false"];

impl StatementReader<'_> {
    /// A statement about settings, if one begins here.
    pub(super) fn setting_statement(&mut self) -> Result<Option<Statement>> {
        if self.words(&["SET", "CONSTRAINTS"]) {
            return self.set_constraints().map(Some);
        }
        if self.words(&["SET"]) {
            return self.set().map(Some);
        }
        if self.words(&["RESET"]) {
            let all = self.words(&["ALL"]);
            return Ok(Some(if all { Statement::ResetAll } else { Statement::Reset { name: self.setting_name()? } }));
        }
        if self.words(&["SHOW"]) {
            return self.show().map(Some);
        }
        Ok(None)
    }

    fn show(&mut self) -> Result<Statement> {
        if self.words(&["ALL"]) {
            return Ok(Statement::ShowAll);
        }
        if let Some(objects) = self.shown_objects()? {
            return Ok(objects);
        }
        let name = self.setting_name()?;
        let ends = matches!(self.parser.peek_token_ref().token, Token::SemiColon | Token::EOF);
        match !ends && SHOWN_OBJECTS.contains(&name.as_str()) {
            true => Err(Error::not_supported(format!("SHOW {}", name.to_ascii_uppercase()))),
            false => Ok(Statement::Show { name }),
        }
    }

    fn set(&mut self) -> Result<Statement> {
        // SESSION is a scope unless it begins SESSION AUTHORIZATION.
        let is_authorization = self.next_is_word(1, "AUTHORIZATION");
        let local = !is_authorization && !self.words(&["SESSION"]) && self.words(&["LOCAL"]);
        let (name, value) = match self.special_setting()? {
            Some(special) => special,
            None => {
                let name = self.variable_name()?;
                if self.words(&["FROM", "CURRENT"]) {
                    return Ok(Statement::Set(Set { name, value: SetValue::Current, local }));
                }
                if !self.words(&["TO"]) && !self.parser.consume_token(&Token::Eq) {
                    return Err(self.unexpected(self.parser.peek_token_ref()));
                }
                (name, self.values_or_default()?)
            }
        };
        Ok(Statement::Set(Set { name, value, local }))
    }

    /// A setting with a grammar of its own, and its value.
    fn special_setting(&mut self) -> Result<Option<(String, SetValue)>> {
        let is_assignment = self.next_is_word(1, "TO") || self.parser.peek_nth_token_ref(1).token == Token::Eq;
        if is_assignment {
            return Ok(None);
        }
        let (name, value) = if self.words(&["TIME", "ZONE"]) {
            ("TimeZone", self.zone_value()?)
        } else if self.words(&["NAMES"]) {
            let ends = matches!(self.parser.peek_token_ref().token, Token::SemiColon | Token::EOF);
            ("client_encoding", if ends { SetValue::Default } else { self.string_or_default()? })
        } else if self.words(&["SESSION", "AUTHORIZATION"]) {
            let value = if self.words(&["DEFAULT"]) { SetValue::Default } else { self.word_or_string()? };
            ("session_authorization", value)
        } else if self.words(&["ROLE"]) {
            ("role", self.word_or_string()?)
        } else if self.words(&["SCHEMA"]) {
            ("search_path", SetValue::Values(vec![self.constant()?]))
        } else if self.words(&["CATALOG"]) {
            let token = self.parser.peek_token();
            self.constant()?;
            let error = PgError::new(SqlState::FEATURE_NOT_SUPPORTED, "current database cannot be changed");
            return Err(Error::Sql { error: Box::new(error), position: self.character(&token) });
        } else if self.words(&["XML", "OPTION"]) {
            let token = self.parser.peek_token();
            let value = ["DOCUMENT", "CONTENT"].iter().find(|word| self.words(&[word]));
            let value = value.ok_or_else(|| self.unexpected(&token))?;
            ("xmloption", SetValue::Values(vec![value.to_ascii_lowercase()]))
        } else {
            return Ok(None);
        };
        Ok(Some((name.to_owned(), value)))
    }

    fn string_or_default(&mut self) -> Result<SetValue> {
        if self.words(&["DEFAULT"]) {
            return Ok(SetValue::Default);
        }
        Ok(SetValue::Values(vec![self.constant()?]))
    }

    fn word_or_string(&mut self) -> Result<SetValue> {
        let token = self.parser.peek_token();
        match &token.token {
            Token::Word(_) => Ok(SetValue::Values(vec![self.value()?])),
            _ => Ok(SetValue::Values(vec![self.constant()?])),
        }
    }

    /// What stands behind TIME ZONE.
    fn zone_value(&mut self) -> Result<SetValue> {
        if self.words(&["DEFAULT"]) || self.words(&["LOCAL"]) {
            return Ok(SetValue::Default);
        }
        let text_follows = matches!(
            self.parser.peek_nth_token_ref(1).token,
            Token::SingleQuotedString(_) | Token::EscapedStringLiteral(_) | Token::LParen
        );
        if !text_follows || !self.words(&["INTERVAL"]) {
            return Ok(SetValue::Values(vec![self.value()?]));
        }
        if self.parser.consume_token(&Token::LParen) {
            self.whole_number()?;
            self.expect(&Token::RParen)?;
        }
        let text = self.constant()?;
        if self.words(&["HOUR"]) && self.words(&["TO"]) {
            self.expect_word("MINUTE")?;
        }
        Ok(SetValue::Values(vec![format!("INTERVAL '{text}'")]))
    }

    fn values_or_default(&mut self) -> Result<SetValue> {
        if self.words(&["DEFAULT"]) {
            return Ok(SetValue::Default);
        }
        let mut values = vec![self.value()?];
        while self.parser.consume_token(&Token::Comma) {
            values.push(self.value()?);
        }
        Ok(SetValue::Values(values))
    }

    /// A word, a string or a number.
    fn value(&mut self) -> Result<String> {
        let token = self.parser.peek_token();
        match &token.token {
            Token::Word(word) if word.quote_style.is_some() => {}
            Token::Word(word) => {
                let lower = word.value.to_ascii_lowercase();
                let reserved = is_reserved(&lower) || RESERVED.contains(&lower.as_str());
                if reserved && !VALUE_WORDS.contains(&lower.as_str()) {
                    return Err(self.unexpected(&token));
                }
            }
            Token::Minus | Token::Plus | Token::Number(..) => return self.number(),
            _ => return self.constant(),
        }
        Ok(identifier(&self.identifier()?))
    }

    /// Integers in their shortest form, other numbers as they were written.
    fn number(&mut self) -> Result<String> {
        let negative = self.parser.consume_token(&Token::Minus);
        if !negative {
            let _sign = self.parser.consume_token(&Token::Plus);
        }
        let token = self.parser.next_token();
        let Token::Number(digits, _) = &token.token else { return Err(self.unexpected(&token)) };
        let digits = digits.parse::<i32>().map_or_else(|_| digits.clone(), |number| number.to_string());
        Ok(if negative { format!("-{digits}") } else { digits })
    }

    fn constant(&mut self) -> Result<String> {
        let token = self.parser.peek_token();
        match token.token {
            Token::SingleQuotedString(_)
            | Token::EscapedStringLiteral(_)
            | Token::UnicodeStringLiteral(_)
            | Token::DollarQuotedString(_) => self.string(),
            _ => Err(self.unexpected(&token)),
        }
    }

    /// The name of a setting where it is read or reset.
    fn setting_name(&mut self) -> Result<String> {
        if self.words(&["TIME", "ZONE"]) {
            return Ok("timezone".to_owned());
        }
        if self.words(&["TRANSACTION", "ISOLATION", "LEVEL"]) {
            return Ok("transaction_isolation".to_owned());
        }
        if self.words(&["SESSION", "AUTHORIZATION"]) {
            return Ok("session_authorization".to_owned());
        }
        self.variable_name()
    }

    /// A name, perhaps of several parts.
    fn variable_name(&mut self) -> Result<String> {
        let mut name = String::new();
        loop {
            let token = self.parser.peek_token();
            let Token::Word(_) = &token.token else { return Err(self.unexpected(&token)) };
            name.push_str(&identifier(&self.identifier()?));
            if !self.parser.consume_token(&Token::Period) {
                return Ok(name);
            }
            name.push('.');
        }
    }

    fn next_is_word(&self, offset: usize, word: &str) -> bool {
        matches!(&self.parser.peek_nth_token_ref(offset).token,
            Token::Word(found) if found.quote_style.is_none() && found.value.eq_ignore_ascii_case(word))
    }

    fn character(&self, token: &TokenWithSpan) -> Option<usize> {
        position::character(&self.text, token.span.start)
    }
}
