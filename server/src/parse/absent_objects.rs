//! DROP of objects of kinds that there are none of here: with IF EXISTS it is no error that they are not there.

use sqlparser::tokenizer::Token;

use super::statement::{AbsentObject, DropAbsent, DropKind, SetConstraints};
use super::{Statement, StatementReader};
use crate::error::Result;

/// A kind: the words of the command, which are its tag, and how messages call an object.
type Kind = (&'static str, &'static str);

/// What is known by a name alone.
const PLAIN: &[Kind] = &[
    ("DROP EVENT TRIGGER", "event trigger"),
    ("DROP EXTENSION", "extension"),
    ("DROP PUBLICATION", "publication"),
    ("DROP STATISTICS", "statistics object"),
    ("DROP SUBSCRIPTION", "subscription"),
];
/// What is known by a name and types of arguments.
const FUNCTIONS: &[Kind] = &[
    ("DROP AGGREGATE", "aggregate"),
    ("DROP FUNCTION", "function"),
    ("DROP PROCEDURE", "procedure"),
    ("DROP ROUTINE", "routine"),
];
/// What belongs to a table.
const OF_TABLES: &[Kind] = &[("DROP POLICY", "policy"), ("DROP RULE", "rule"), ("DROP TRIGGER", "trigger")];
/// Kinds of relations that the catalog has none of, or has by another name.
const RELATIONS: [DropKind; 2] = [DropKind::ForeignTable, DropKind::MaterializedView];

/// Reads the name of an object.
type ReadObject = fn(&mut StatementReader<'_>) -> Result<AbsentObject>;

impl StatementReader<'_> {
    /// DROP of such an object, if it begins here.
    pub(super) fn drop_of_absent(&mut self) -> Result<Option<Statement>> {
        for kind in RELATIONS {
            if self.command(kind.tag()) {
                return self.drop_named(kind).map(Some);
            }
        }
        let readers: [(&[Kind], ReadObject); 3] = [
            (PLAIN, |reader| reader.object_name().map(AbsentObject::Plain)),
            (FUNCTIONS, |reader| reader.function_object()),
            (OF_TABLES, |reader| reader.object_of_table()),
        ];
        for (kinds, read) in readers {
            if let Some((tag, kind)) = kinds.iter().find(|(tag, _)| self.command(tag)) {
                return self.absent_objects(tag, kind, read).map(Some);
            }
        }
        Ok(None)
    }

    fn command(&mut self, words: &str) -> bool {
        self.words(&words.split(' ').collect::<Vec<_>>())
    }

    fn absent_objects(&mut self, tag: &'static str, kind: &'static str, read: ReadObject) -> Result<Statement> {
        let if_exists = self.words(&["IF", "EXISTS"]);
        let mut objects = vec![read(self)?];
        while self.parser.consume_token(&Token::Comma) {
            objects.push(read(self)?);
        }
        if !self.words(&["CASCADE"]) {
            self.words(&["RESTRICT"]);
        }
        Ok(Statement::DropAbsent(DropAbsent { tag, kind, objects, if_exists }))
    }

    fn object_of_table(&mut self) -> Result<AbsentObject> {
        let name = self.identifier()?;
        self.expect_word("ON")?;
        Ok(AbsentObject::OfTable { name, table: self.object_name()? })
    }

    fn function_object(&mut self) -> Result<AbsentObject> {
        let name = self.object_name()?;
        let mut arguments = Vec::new();
        let has_arguments = self.parser.consume_token(&Token::LParen) && !self.parser.consume_token(&Token::RParen);
        if has_arguments && !(self.parser.consume_token(&Token::Mul) && self.parser.consume_token(&Token::RParen)) {
            arguments.push(self.argument()?);
            while self.parser.consume_token(&Token::Comma) {
                arguments.push(self.argument()?);
            }
            self.expect(&Token::RParen)?;
        }
        Ok(AbsentObject::Function { name, arguments })
    }

    /// An argument's type, behind its mode and its name.
    fn argument(&mut self) -> Result<String> {
        ["INOUT", "IN", "OUT"].iter().any(|mode| self.words(&[mode]));
        let is_named = matches!(
            (&self.parser.peek_nth_token_ref(0).token, &self.parser.peek_nth_token_ref(1).token),
            (Token::Word(_), Token::Word(second)) if !["precision", "varying", "with", "without"]
                .contains(&second.value.to_ascii_lowercase().as_str())
        );
        if is_named {
            self.identifier()?;
        }
        let ty = self.parser.parse_data_type().map_err(|error| self.syntax(error))?;
        Ok(ty.to_string().to_ascii_lowercase())
    }

    /// Behind `SET CONSTRAINTS`.
    pub(super) fn set_constraints(&mut self) -> Result<Statement> {
        let mut names = Vec::new();
        if !self.words(&["ALL"]) {
            names.push(self.object_name()?);
            while self.parser.consume_token(&Token::Comma) {
                names.push(self.object_name()?);
            }
        }
        let deferred = self.words(&["DEFERRED"]);
        if !deferred {
            self.expect_word("IMMEDIATE")?;
        }
        Ok(Statement::SetConstraints(SetConstraints { names, deferred }))
    }
}
