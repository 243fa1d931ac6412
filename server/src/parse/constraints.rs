//! What stands behind the type of a column, and the constraints that stand among the columns of a table.

use catalog::constraint::ReferentialAction;
use sqlparser::ast::{Expr, Ident};
use sqlparser::dialect::{Dialect, Precedence};
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Location, Token};

use super::create_table::syntax;
use super::definition::{
    ColumnConstraint, ColumnConstraintKind, ColumnDefinition, Expression, KeyKind, Reference, SequenceOption,
    TableConstraintKind,
};
use super::{StatementReader, WarehouseDialect, position};
use crate::error::{Error, Result};

/// Collations in which texts have the order that they have here.
const COLLATIONS: &[&str] = &["C", "POSIX", "default", "ucs_basic"];

impl StatementReader<'_> {
    /// All that is written behind the type of a column.
    pub(super) fn column_constraints(&mut self, column: &mut ColumnDefinition) -> Result<()> {
        loop {
            let place = self.parser.peek_token_ref().span.start;
            let name = if self.words(&["CONSTRAINT"]) { Some(self.identifier()?) } else { None };
            let Some(kind) = self.column_constraint()? else {
                match name {
                    Some(_) => return Err(self.unexpected(self.parser.peek_token_ref())),
                    None if self.column_attribute(column)? => continue,
                    None => return Ok(()),
                }
            };
            self.constraint_attributes()?;
            column.constraints.push(ColumnConstraint { name, kind, place });
        }
    }

    fn column_constraint(&mut self) -> Result<Option<ColumnConstraintKind>> {
        use ColumnConstraintKind as Kind;
        Ok(Some(if self.words(&["NOT", "NULL"]) {
            Kind::NotNull
        } else if self.words(&["NULL"]) {
            Kind::Null
        } else if self.words(&["DEFAULT"]) {
            Kind::Default(self.default_expression()?)
        } else if self.words(&["CHECK"]) {
            let condition = self.expression_in_parentheses()?;
            self.words(&["NO", "INHERIT"]);
            Kind::Check(condition)
        } else if let Some(key) = self.key_kind()? {
            Kind::Key(key)
        } else if self.words(&["REFERENCES"]) {
            Kind::References(self.reference()?)
        } else if self.words(&["GENERATED"]) {
            self.generated()?
        } else if self.is_keyword(Keyword::IDENTITY) {
            self.words(&["IDENTITY"]);
            Kind::Identity { always: true, options: self.seed_and_step()? }
        } else {
            return Ok(None);
        }))
    }

    /// What Redshift and PostgreSQL let one say that asks for nothing; whether there was something.
    fn column_attribute(&mut self, column: &mut ColumnDefinition) -> Result<bool> {
        let place = self.parser.peek_token_ref().span.start;
        let mut add = |kind| column.constraints.push(ColumnConstraint { name: None, kind, place });
        if self.words(&["COLLATE"]) {
            self.collation()?;
        } else if self.words(&["DISTKEY"]) {
            add(ColumnConstraintKind::DistKey);
        } else if self.words(&["SORTKEY"]) {
            add(ColumnConstraintKind::SortKey);
        } else if self.words(&["ENCODE"]) {
            if column.encoding.replace(self.identifier()?.value.to_lowercase()).is_some() {
                return Err(syntax("multiple ENCODEs are not allowed"));
            }
        } else if ["STORAGE", "COMPRESSION"].iter().any(|word| self.words(&[word])) {
            return Err(Error::not_supported("STORAGE or COMPRESSION of a column"));
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn collation(&mut self) -> Result<()> {
        let name = self.object_name()?;
        let last = name.0.last().and_then(|part| part.as_ident());
        let known = |word: &Ident| {
            COLLATIONS.iter().any(|known| match word.quote_style {
                Some(_) => *known == word.value,
                None => *known == word.value.to_lowercase(),
            })
        };
        match last.is_some_and(known) {
            true => Ok(()),
            false => Err(Error::not_supported(format!("COLLATE {name}"))),
        }
    }

    fn generated(&mut self) -> Result<ColumnConstraintKind> {
        let always = self.words(&["ALWAYS"]);
        if !always && !self.words(&["BY", "DEFAULT"]) {
            return Err(self.unexpected(self.parser.peek_token_ref()));
        }
        self.expect_word("AS")?;
        if self.is_keyword(Keyword::IDENTITY) {
            self.words(&["IDENTITY"]);
            if self.parser.peek_token_ref().token != Token::LParen {
                return Ok(ColumnConstraintKind::Identity { always, options: Vec::new() });
            }
            // Redshift's form has two numbers.
            let options = match self.parser.peek_nth_token_ref(1).token {
                Token::Number(..) | Token::Minus | Token::Plus => self.seed_and_step()?,
                _ => {
                    self.expect(&Token::LParen)?;
                    let options = self.sequence_options()?;
                    self.expect(&Token::RParen)?;
                    options
                }
            };
            return Ok(ColumnConstraintKind::Identity { always, options });
        }
        if !always {
            let position = self.parser.peek_token_ref().span.start;
            return Err(Error::Syntax {
                message: "for a generated column, GENERATED ALWAYS must be specified".into(),
                detail: None,
                position: position::character(&self.text, position),
            });
        }
        let expression = self.expression_in_parentheses()?;
        self.expect_word("STORED")?;
        Ok(ColumnConstraintKind::Generated(expression))
    }

    /// `(seed, step)`
    fn seed_and_step(&mut self) -> Result<Vec<SequenceOption>> {
        self.expect(&Token::LParen)?;
        let seed = self.whole_number()?;
        self.expect(&Token::Comma)?;
        let step = self.whole_number()?;
        self.expect(&Token::RParen)?;
        Ok(vec![SequenceOption::Start(seed), SequenceOption::Increment(step)])
    }

    fn key_kind(&mut self) -> Result<Option<KeyKind>> {
        if self.words(&["PRIMARY", "KEY"]) {
            return Ok(Some(KeyKind { primary: true, nulls_not_distinct: false }));
        }
        if !self.words(&["UNIQUE"]) {
            return Ok(None);
        }
        let nulls_not_distinct = self.words(&["NULLS", "NOT", "DISTINCT"]);
        if !nulls_not_distinct {
            self.words(&["NULLS", "DISTINCT"]);
        }
        Ok(Some(KeyKind { primary: false, nulls_not_distinct }))
    }

    pub(super) fn table_constraint_kind(&mut self) -> Result<TableConstraintKind> {
        if self.words(&["CHECK"]) {
            let condition = self.expression_in_parentheses()?;
            self.words(&["NO", "INHERIT"]);
            return Ok(TableConstraintKind::Check(condition));
        }
        if self.words(&["EXCLUDE"]) {
            return Err(Error::not_supported("EXCLUDE"));
        }
        if let Some(key) = self.key_kind()? {
            if self.words(&["USING", "INDEX"]) {
                return Err(Error::not_supported("a constraint over an index"));
            }
            return Ok(TableConstraintKind::Key(key, self.column_names()?));
        }
        if self.words(&["FOREIGN", "KEY"]) {
            let columns = self.column_names()?;
            self.expect_word("REFERENCES")?;
            return Ok(TableConstraintKind::ForeignKey(columns, self.reference()?));
        }
        Err(self.unexpected(self.parser.peek_token_ref()))
    }

    /// What may follow any constraint.
    pub(super) fn constraint_attributes(&mut self) -> Result<()> {
        loop {
            if self.words(&["NOT", "DEFERRABLE"]) || self.words(&["INITIALLY", "IMMEDIATE"]) {
                continue;
            }
            let refused: [&[&str]; 4] =
                [&["DEFERRABLE"], &["INITIALLY", "DEFERRED"], &["INCLUDE"], &["USING", "INDEX"]];
            return match refused.iter().find(|words| self.words(words)) {
                Some(words) => Err(Error::not_supported(format!("a constraint with {}", words.join(" ")))),
                None => Ok(()),
            };
        }
    }

    /// Behind REFERENCES.
    fn reference(&mut self) -> Result<Reference> {
        let table = self.object_name()?;
        let columns = match self.parser.peek_token_ref().token {
            Token::LParen => self.column_names()?,
            _ => Vec::new(),
        };
        let (on_delete, on_update) = (ReferentialAction::NoAction, ReferentialAction::NoAction);
        let mut reference = Reference { table, columns, match_full: false, on_delete, on_update };
        loop {
            if self.words(&["MATCH", "PARTIAL"]) {
                return Err(Error::not_supported("MATCH PARTIAL"));
            } else if self.words(&["MATCH", "FULL"]) {
                reference.match_full = true;
            } else if self.words(&["MATCH", "SIMPLE"]) {
                reference.match_full = false;
            } else if self.words(&["ON", "DELETE"]) {
                reference.on_delete = self.referential_action()?;
            } else if self.words(&["ON", "UPDATE"]) {
                reference.on_update = self.referential_action()?;
            } else {
                return Ok(reference);
            }
        }
    }

    fn referential_action(&mut self) -> Result<ReferentialAction> {
        let actions: [(&[&str], ReferentialAction); 5] = [
            (&["NO", "ACTION"], ReferentialAction::NoAction),
            (&["RESTRICT"], ReferentialAction::Restrict),
            (&["CASCADE"], ReferentialAction::Cascade),
            (&["SET", "NULL"], ReferentialAction::SetNull),
            (&["SET", "DEFAULT"], ReferentialAction::SetDefault),
        ];
        let Some((_, action)) = actions.iter().find(|(words, _)| self.words(words)) else {
            return Err(self.unexpected(self.parser.peek_token_ref()));
        };
        if self.parser.peek_token_ref().token == Token::LParen {
            return Err(Error::not_supported("a referential action with columns"));
        }
        Ok(*action)
    }

    /// `(expression)`; it is kept without further parentheses, with which it is shown.
    pub(super) fn expression_in_parentheses(&mut self) -> Result<Expression> {
        self.expect(&Token::LParen)?;
        let start = self.parser.peek_token_ref().span.start;
        let mut expr = self.parser.parse_expr().map_err(|error| self.syntax(error))?;
        let mut text = self.text_since(start)?;
        self.expect(&Token::RParen)?;
        while let Expr::Nested(inner) = expr {
            let inside = text.strip_prefix('(').and_then(|text| text.strip_suffix(')'));
            text = inside.unwrap_or(&text).trim().to_owned();
            expr = *inner;
        }
        Ok(Expression { expr: Box::new(expr), text })
    }

    /// A default: an expression in which NOT NULL, COLLATE or CHECK is what follows it (PostgreSQL's `b_expr`).
    pub(super) fn default_expression(&mut self) -> Result<Expression> {
        let start = self.parser.peek_token_ref().span.start;
        let precedence = WarehouseDialect.prec_value(Precedence::Is);
        let expr = self.parser.parse_subexpr(precedence).map_err(|error| self.syntax(error))?;
        Ok(Expression { expr: Box::new(expr), text: self.text_since(start)? })
    }

    /// What was read since this place, as it was written.
    pub(super) fn text_since(&self, start: Location) -> Result<String> {
        let unreadable = || Error::not_supported("an expression of this form");
        let last = self.parser.get_current_token();
        let end = (last.token != Token::EOF).then_some(last.span.end).ok_or_else(unreadable)?;
        let bytes = position::byte_offset(&self.text, start).zip(position::byte_offset(&self.text, end));
        let (start, end) = bytes.ok_or_else(unreadable)?;
        self.text.get(start..end).map(|text| text.trim().to_owned()).ok_or_else(unreadable)
    }
}
