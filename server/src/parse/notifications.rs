//! LISTEN, NOTIFY, UNLISTEN.

use sqlparser::tokenizer::Token;

use super::statement::Notify;
use super::{Statement, StatementReader};
use crate::error::Result;

impl StatementReader<'_> {
    /// A statement about notifications, if one begins here.
    pub(super) fn notification_statement(&mut self) -> Result<Option<Statement>> {
        let statement = if self.words(&["LISTEN"]) {
            Statement::Listen { channel: self.identifier()? }
        } else if self.words(&["UNLISTEN"]) {
            let all = self.parser.consume_token(&Token::Mul);
            Statement::Unlisten { channel: if all { None } else { Some(self.identifier()?) } }
        } else if self.words(&["NOTIFY"]) {
            let channel = self.identifier()?;
            let has_payload = self.parser.consume_token(&Token::Comma);
            Statement::Notify(Notify { channel, payload: if has_payload { Some(self.string()?) } else { None } })
        } else {
            return Ok(None);
        };
        Ok(Some(statement))
    }
}
