//! COMMENT ON.

use super::statement::{Comment, CommentObject, CommentedRelation};
use super::{Statement, StatementReader};
use crate::error::{Error, Result};

impl StatementReader<'_> {
    /// Behind `COMMENT ON`.
    pub(super) fn comment(&mut self) -> Result<Statement> {
        let object = self.commented_object()?;
        self.expect_word("IS")?;
        let text = if self.words(&["NULL"]) { None } else { Some(self.string()?) };
        // An empty comment is none.
        let text = text.filter(|text| !text.is_empty());
        Ok(Statement::Comment(Comment { object, text }))
    }

    fn commented_object(&mut self) -> Result<CommentObject> {
        let relations = [
            ("TABLE", CommentedRelation::Table),
            ("VIEW", CommentedRelation::View),
            ("SEQUENCE", CommentedRelation::Sequence),
        ];
        if let Some((_, kind)) = relations.iter().find(|(word, _)| self.words(&[word])) {
            return Ok(CommentObject::Relation(*kind, self.object_name()?));
        }
        if self.words(&["COLUMN"]) {
            return Ok(CommentObject::Column(self.object_name()?));
        }
        if self.words(&["SCHEMA"]) {
            return Ok(CommentObject::Schema(self.object_name()?));
        }
        if self.words(&["DATABASE"]) {
            return Ok(CommentObject::Database(self.identifier()?));
        }
        if self.words(&["TYPE"]) || self.words(&["DOMAIN"]) {
            return Ok(CommentObject::Type(self.object_name()?));
        }
        if self.words(&["CONSTRAINT"]) {
            let name = self.identifier()?;
            self.expect_word("ON")?;
            if self.words(&["DOMAIN"]) {
                return Err(Error::not_supported("COMMENT ON CONSTRAINT of a domain"));
            }
            return Ok(CommentObject::Constraint { name, table: self.object_name()? });
        }
        let word = self.parser.peek_token_ref().to_string().to_uppercase();
        Err(Error::not_supported(format!("COMMENT ON {word}")))
    }
}
