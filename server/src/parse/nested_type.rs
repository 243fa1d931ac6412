//! The types of columns in files: `struct<a:int,b:array<text>>`, `array<…>`, `map<…,…>`, and everything else a column can be.

use sqlparser::ast::{ArrayElemTypeDef, DataType, StructBracketKind, StructField};
use sqlparser::tokenizer::Token;

use crate::error::{Error, Result};
use crate::parse::StatementReader;

/// Types in each other: more than files have, and few enough for the stack.
const DEPTH_MAX: usize = 50;

/// Angle brackets that were closed together with others: `>>` is one token.
#[derive(Default)]
struct Closed(usize);

impl StatementReader<'_> {
    /// The type of a column of an external table.
    pub(super) fn column_type(&mut self) -> Result<DataType> {
        let mut closed = Closed::default();
        let data_type = self.nested_type(&mut closed, 0)?;
        if closed.0 > 0 {
            return Err(self.unexpected(&self.parser.peek_token()));
        }
        Ok(data_type)
    }

    fn nested_type(&mut self, closed: &mut Closed, depth: usize) -> Result<DataType> {
        if depth > DEPTH_MAX {
            return Err(Error::TooComplex);
        }
        if self.opens("STRUCT") {
            let mut fields = vec![self.struct_field(closed, depth)?];
            while closed.0 == 0 && self.parser.consume_token(&Token::Comma) {
                fields.push(self.struct_field(closed, depth)?);
            }
            self.close(closed)?;
            return Ok(DataType::Struct(fields, StructBracketKind::AngleBrackets));
        }
        if self.opens("ARRAY") {
            let element = self.nested_type(closed, depth + 1)?;
            self.close(closed)?;
            return Ok(DataType::Array(ArrayElemTypeDef::AngleBracket(Box::new(element))));
        }
        if self.opens("MAP") {
            let key = self.nested_type(closed, depth + 1)?;
            if closed.0 > 0 {
                return Err(self.unexpected(&self.parser.peek_token()));
            }
            self.expect(&Token::Comma)?;
            let value = self.nested_type(closed, depth + 1)?;
            self.close(closed)?;
            return Ok(DataType::Map(Box::new(key), Box::new(value)));
        }
        self.parser.parse_data_type().map_err(|error| self.syntax(error))
    }

    /// `name:type`
    fn struct_field(&mut self, closed: &mut Closed, depth: usize) -> Result<StructField> {
        let name = self.identifier()?;
        self.expect(&Token::Colon)?;
        Ok(StructField { field_name: Some(name), field_type: self.nested_type(closed, depth + 1)?, options: None })
    }

    /// Consumes `word <`.
    fn opens(&mut self, word: &str) -> bool {
        self.parser.peek_nth_token_ref(1).token == Token::Lt
            && self.words(&[word])
            && self.parser.consume_token(&Token::Lt)
    }

    /// Consumes `>`, which may be a part of a token that was consumed before.
    fn close(&mut self, closed: &mut Closed) -> Result<()> {
        if closed.0 > 0 {
            closed.0 -= 1;
            return Ok(());
        }
        let token = self.parser.next_token();
        closed.0 = match &token.token {
            Token::Gt => 0,
            Token::ShiftRight => 1,
            Token::CustomBinaryOperator(signs) if signs.bytes().all(|sign| sign == b'>') => signs.len() - 1,
            _ => return Err(self.unexpected(&token)),
        };
        Ok(())
    }
}
