//! CREATE, ALTER and DROP of sequences.

use sqlparser::ast::{Ident, ObjectName};
use sqlparser::tokenizer::Token;

use super::create_table::syntax;
use super::definition::{AlterSequence, AlterSequenceAction, CreateSequence, SequenceOption};
use super::{Statement, StatementReader, position};
use crate::error::{Error, Result};
use crate::parse::statement::DropKind;

impl StatementReader<'_> {
    /// A statement about sequences, if one begins here.
    pub(super) fn sequence_statement(&mut self) -> Result<Option<Statement>> {
        if self.words(&["CREATE", "UNLOGGED", "SEQUENCE"]) {
            return Err(Error::not_supported("CREATE UNLOGGED SEQUENCE"));
        }
        let temporary = ["TEMP", "TEMPORARY"].iter().any(|word| self.words(&["CREATE", word, "SEQUENCE"]));
        let statement = if temporary || self.words(&["CREATE", "SEQUENCE"]) {
            let if_not_exists = self.words(&["IF", "NOT", "EXISTS"]);
            let name = self.object_name()?;
            let options = self.options_of_named()?;
            Statement::CreateSequence(CreateSequence { name, temporary, if_not_exists, options })
        } else if self.words(&["ALTER", "SEQUENCE"]) {
            self.alter_sequence()?
        } else if self.words(&["DROP", "SEQUENCE"]) {
            self.drop_named(DropKind::Sequence)?
        } else {
            return Ok(None);
        };
        Ok(Some(statement))
    }

    fn alter_sequence(&mut self) -> Result<Statement> {
        let if_exists = self.words(&["IF", "EXISTS"]);
        let name = self.object_name()?;
        let action = if self.words(&["RENAME", "TO"]) {
            AlterSequenceAction::Rename(self.identifier()?)
        } else if self.words(&["SET", "SCHEMA"]) {
            AlterSequenceAction::SetSchema(self.identifier()?)
        } else if self.words(&["OWNER", "TO"]) {
            AlterSequenceAction::OwnerTo(self.identifier()?)
        } else if self.words(&["SET"]) {
            return Err(Error::not_supported("ALTER SEQUENCE … SET"));
        } else {
            let options = self.options_of_named()?;
            if options.is_empty() {
                return Err(self.unexpected(self.parser.peek_token_ref()));
            }
            AlterSequenceAction::Options(options)
        };
        Ok(Statement::AlterSequence(AlterSequence { name, if_exists, action }))
    }

    /// What a sequence is told, as far as it goes.
    pub(super) fn sequence_options(&mut self) -> Result<Vec<SequenceOption>> {
        let mut options: Vec<SequenceOption> = Vec::new();
        while let Some(option) = self.sequence_option()? {
            if options.iter().any(|other| other.keyword() == option.keyword()) {
                return Err(syntax("conflicting or redundant options"));
            }
            options.push(option);
        }
        Ok(options)
    }

    /// The options of a sequence whose name stands before them.
    fn options_of_named(&mut self) -> Result<Vec<SequenceOption>> {
        let options = self.sequence_options()?;
        match options.iter().find(|option| matches!(option, SequenceOption::Name(..))) {
            Some(SequenceOption::Name(_, place)) => Err(Error::Syntax {
                message: "invalid sequence option SEQUENCE NAME".into(),
                detail: None,
                position: position::character(&self.text, *place),
            }),
            _ => Ok(options),
        }
    }

    pub(super) fn sequence_option(&mut self) -> Result<Option<SequenceOption>> {
        let place = self.parser.peek_token_ref().span.start;
        Ok(Some(if self.words(&["AS"]) {
            SequenceOption::As(self.parser.parse_data_type().map_err(|error| self.syntax(error))?)
        } else if self.words(&["START"]) {
            self.words(&["WITH"]);
            SequenceOption::Start(self.whole_number()?)
        } else if self.words(&["RESTART"]) {
            let with = self.words(&["WITH"]);
            let number = matches!(self.parser.peek_token_ref().token, Token::Number(..) | Token::Minus | Token::Plus);
            SequenceOption::Restart(if with || number { Some(self.whole_number()?) } else { None })
        } else if self.words(&["INCREMENT"]) {
            self.words(&["BY"]);
            SequenceOption::Increment(self.whole_number()?)
        } else if self.words(&["MINVALUE"]) {
            SequenceOption::MinValue(Some(self.whole_number()?))
        } else if self.words(&["MAXVALUE"]) {
            SequenceOption::MaxValue(Some(self.whole_number()?))
        } else if self.words(&["NO", "MINVALUE"]) {
            SequenceOption::MinValue(None)
        } else if self.words(&["NO", "MAXVALUE"]) {
            SequenceOption::MaxValue(None)
        } else if self.words(&["CACHE"]) {
            SequenceOption::Cache(self.whole_number()?)
        } else if self.words(&["CYCLE"]) {
            SequenceOption::Cycle(true)
        } else if self.words(&["NO", "CYCLE"]) {
            SequenceOption::Cycle(false)
        } else if self.words(&["OWNED", "BY"]) {
            let owner = self.object_name()?;
            SequenceOption::OwnedBy(if is_none(&owner) { None } else { Some(owner) })
        } else if self.words(&["SEQUENCE", "NAME"]) {
            SequenceOption::Name(self.object_name()?, place)
        } else {
            return Ok(None);
        }))
    }

    /// A whole number, with or without a sign.
    pub(super) fn whole_number(&mut self) -> Result<i64> {
        let negative = self.parser.consume_token(&Token::Minus);
        if !negative {
            let _sign = self.parser.consume_token(&Token::Plus);
        }
        let token = self.parser.next_token();
        let Token::Number(digits, _) = &token.token else { return Err(self.unexpected(&token)) };
        let sign = if negative { "-" } else { "" };
        let number = format!("{sign}{digits}");
        number.parse().map_err(|_| {
            let message = format!("value \"{number}\" is out of range for type bigint");
            pg::PgError::new(pg::sqlstate::SqlState::NUMERIC_VALUE_OUT_OF_RANGE, message).into()
        })
    }
}

fn is_none(name: &ObjectName) -> bool {
    let word = |word: &Ident| word.quote_style.is_none() && word.value.eq_ignore_ascii_case("none");
    matches!(name.0.as_slice(), [part] if part.as_ident().is_some_and(word))
}
