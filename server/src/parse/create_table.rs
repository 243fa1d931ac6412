//! CREATE TABLE with columns: its elements, and what PostgreSQL and Redshift let one say behind them.

use std::collections::BTreeSet;

use catalog::OnCommit;
use sqlparser::ast::{Ident, ObjectName};
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::Token;

use super::definition::{
    ColumnDefinition, CreateTable, Lifetime, LikeClause, LikeOption, TableAttributes, TableConstraint,
    TableConstraintKind, TableElement,
};
use super::{Statement, StatementReader};
use crate::error::{Error, Result};

/// The words that begin a constraint among the columns of a table.
const CONSTRAINT_WORDS: &[&str] = &["CONSTRAINT", "CHECK", "PRIMARY", "UNIQUE", "FOREIGN", "EXCLUDE"];
/// What may stand between CREATE and TABLE.
const LIFETIME_WORDS: &[&str] = &["GLOBAL", "LOCAL", "TEMP", "TEMPORARY", "UNLOGGED"];
/// The words behind INCLUDING and EXCLUDING, and what they stand for: all that there is to be taken over.
const LIKE_OPTIONS: &[(&str, &[LikeOption])] = &[
    ("ALL", LikeOption::ALL),
    ("COMMENTS", &[LikeOption::Comments]),
    ("CONSTRAINTS", &[LikeOption::Constraints]),
    ("DEFAULTS", &[LikeOption::Defaults]),
    ("GENERATED", &[LikeOption::Generated]),
    ("IDENTITY", &[LikeOption::Identity]),
    ("INDEXES", &[LikeOption::Indexes]),
    ("COMPRESSION", &[]),
    ("STATISTICS", &[]),
    ("STORAGE", &[]),
];
/// What may be written behind the columns, and cannot be had.
const NOT_THERE: &[&[&str]] = &[
    &["INHERITS"],
    &["PARTITION", "BY"],
    &["USING"],
    &["WITH"],
    &["WITHOUT", "OIDS"],
    &["TABLESPACE"],
    &["INTERLEAVED", "SORTKEY"],
];

impl StatementReader<'_> {
    /// Whether `CREATE [TEMPORARY] TABLE [IF NOT EXISTS] name (` with columns comes next, and no list of names for CREATE TABLE AS.
    pub(super) fn begins_table_definition(&self) -> bool {
        let word = |at: usize, wanted: &str| {
            matches!(&self.parser.peek_nth_token_ref(at).token,
                Token::Word(found) if found.quote_style.is_none() && found.value.eq_ignore_ascii_case(wanted))
        };
        let is_word = |at: usize| matches!(self.parser.peek_nth_token_ref(at).token, Token::Word(_));
        let is_lifetime = |at: usize| LIFETIME_WORDS.iter().any(|known| word(at, known));
        let table = (1..).find(|at| !is_lifetime(*at)).unwrap_or_default();
        if !(word(0, "CREATE") && word(table, "TABLE")) {
            return false;
        }
        let mut at = table + 1;
        if word(at, "IF") && word(at + 1, "NOT") && word(at + 2, "EXISTS") {
            at += 3;
        }
        while is_word(at) && self.parser.peek_nth_token_ref(at + 1).token == Token::Period {
            at += 2;
        }
        let opens = is_word(at) && self.parser.peek_nth_token_ref(at + 1).token == Token::LParen;
        let only_names =
            is_word(at + 2) && matches!(self.parser.peek_nth_token_ref(at + 3).token, Token::Comma | Token::RParen);
        opens && !only_names
    }

    /// `CREATE [[GLOBAL | LOCAL] TEMPORARY] TABLE [IF NOT EXISTS]` and the name of the table, which tells Redshift that it
    /// is a temporary one when it begins with `#`.
    pub(super) fn begun_table(&mut self) -> Result<(ObjectName, Lifetime, bool)> {
        self.expect_word("CREATE")?;
        if self.words(&["UNLOGGED"]) {
            return Err(Error::not_supported("CREATE UNLOGGED TABLE"));
        }
        let global = self.words(&["GLOBAL"]);
        let qualified = global || self.words(&["LOCAL"]);
        let temporary = self.words(&["TEMP"]) || self.words(&["TEMPORARY"]);
        if qualified && !temporary {
            return Err(self.unexpected(self.parser.peek_token_ref()));
        }
        self.expect_word("TABLE")?;
        let if_not_exists = self.words(&["IF", "NOT", "EXISTS"]);
        let name = self.object_name()?;
        let temporary = temporary || is_hash_name(&name);
        Ok((name, Lifetime { temporary, global, on_commit: None }, if_not_exists))
    }

    /// `ON COMMIT …`, if it comes next.
    pub(super) fn on_commit(&mut self, lifetime: &mut Lifetime) -> Result<bool> {
        if !self.words(&["ON", "COMMIT"]) {
            return Ok(false);
        }
        let on_commit = if self.words(&["PRESERVE", "ROWS"]) {
            OnCommit::PreserveRows
        } else if self.words(&["DELETE", "ROWS"]) {
            OnCommit::DeleteRows
        } else if self.words(&["DROP"]) {
            OnCommit::Drop
        } else {
            return Err(self.unexpected(self.parser.peek_token_ref()));
        };
        match lifetime.on_commit.replace(on_commit) {
            None => Ok(true),
            Some(_) => Err(syntax("multiple ON COMMIT clauses are not allowed")),
        }
    }

    /// `CREATE TABLE [IF NOT EXISTS] name (elements) options`
    pub(super) fn create_table(&mut self) -> Result<Statement> {
        let (name, lifetime, if_not_exists) = self.begun_table()?;
        let mut table = CreateTable {
            name,
            lifetime,
            if_not_exists,
            elements: Vec::new(),
            constraints: Vec::new(),
            attributes: TableAttributes::default(),
        };
        self.possibly_none(|reader| reader.table_element(&mut table))?;
        table.attributes = self.table_attributes(&mut table.lifetime)?;
        Ok(Statement::CreateTable(table))
    }

    fn table_element(&mut self, table: &mut CreateTable) -> Result<()> {
        if self.words(&["LIKE"]) {
            table.elements.push(TableElement::Like(self.like_clause()?));
        } else if self.begins_table_constraint() {
            table.constraints.push(self.table_constraint()?);
        } else {
            table.elements.push(TableElement::Column(Box::new(self.column_definition()?)));
        }
        Ok(())
    }

    /// Behind LIKE.
    fn like_clause(&mut self) -> Result<LikeClause> {
        let place = self.parser.peek_token_ref().span.start;
        let mut like = LikeClause { relation: self.object_name()?, including: BTreeSet::new(), place };
        loop {
            let including = self.words(&["INCLUDING"]);
            if !including && !self.words(&["EXCLUDING"]) {
                return Ok(like);
            }
            let Some((_, options)) = LIKE_OPTIONS.iter().find(|(word, _)| self.words(&[word])) else {
                return Err(self.unexpected(self.parser.peek_token_ref()));
            };
            match including {
                true => like.including.extend(options.iter()),
                false => like.including.retain(|option| !options.contains(option)),
            }
        }
    }

    /// Whether a constraint comes next, and no column.
    pub(super) fn begins_table_constraint(&self) -> bool {
        matches!(&self.parser.peek_token_ref().token, Token::Word(word)
            if word.quote_style.is_none() && CONSTRAINT_WORDS.iter().any(|known| known.eq_ignore_ascii_case(&word.value)))
    }

    /// `name type [constraint …]`
    pub(super) fn column_definition(&mut self) -> Result<ColumnDefinition> {
        let name = self.identifier()?;
        let data_type = self.parser.parse_data_type().map_err(|error| self.syntax(error))?;
        let mut column = ColumnDefinition { name, data_type, constraints: Vec::new(), encoding: None };
        self.column_constraints(&mut column)?;
        Ok(column)
    }

    /// `[CONSTRAINT name] constraint`, among the columns
    fn table_constraint(&mut self) -> Result<TableConstraint> {
        match self.added_constraint()? {
            (constraint, true) => Ok(constraint),
            // No row is there that it could pass over.
            (_, false) => Err(Error::not_supported("a constraint with NOT VALID")),
        }
    }

    /// `[CONSTRAINT name] constraint [NOT VALID]`, and whether it is valid.
    pub(super) fn added_constraint(&mut self) -> Result<(TableConstraint, bool)> {
        let place = self.parser.peek_token_ref().span.start;
        let name = if self.words(&["CONSTRAINT"]) { Some(self.identifier()?) } else { None };
        let kind = self.table_constraint_kind()?;
        let not_valid = self.words(&["NOT", "VALID"]);
        self.constraint_attributes()?;
        let not_valid = not_valid || self.words(&["NOT", "VALID"]);
        if not_valid && matches!(kind, TableConstraintKind::Key(..)) {
            let kind =
                if matches!(&kind, TableConstraintKind::Key(key, _) if key.primary) { "PRIMARY KEY" } else { "UNIQUE" };
            return Err(Error::not_supported(format!("{kind} constraints marked NOT VALID")));
        }
        Ok((TableConstraint { name, kind, place }, !not_valid))
    }

    /// What Redshift lets one say about a table, and `ON COMMIT`.
    pub(super) fn table_attributes(&mut self, lifetime: &mut Lifetime) -> Result<TableAttributes> {
        let mut attributes = TableAttributes::default();
        loop {
            if let Some(words) = NOT_THERE.iter().find(|words| self.words(words)) {
                return Err(Error::not_supported(format!("CREATE TABLE … {}", words.join(" "))));
            }
            if self.on_commit(lifetime)? {
                continue;
            }
            if self.words(&["BACKUP"]) {
                let value = self.one_of(&["YES", "NO"])?;
                attributes.options.push(("BACKUP".into(), value));
            } else if self.words(&["DISTSTYLE"]) {
                let value = self.one_of(&["AUTO", "EVEN", "KEY", "ALL"])?;
                attributes.options.push(("DISTSTYLE".into(), value));
            } else if self.words(&["DISTKEY"]) {
                let columns = self.column_names()?;
                let [column] = columns.as_slice() else {
                    return Err(syntax("a table has one distribution key column at most"));
                };
                if attributes.dist_key.replace(column.clone()).is_some() {
                    return Err(syntax("multiple DISTKEYs are not allowed"));
                }
            } else if self.words(&["SORTKEY", "AUTO"]) {
                attributes.options.push(("SORTKEY".into(), "AUTO".into()));
            } else if self.words(&["COMPOUND", "SORTKEY"]) || self.words(&["SORTKEY"]) {
                if !std::mem::replace(&mut attributes.sort_key, self.column_names()?).is_empty() {
                    return Err(syntax("multiple SORTKEYs are not allowed"));
                }
            } else if self.words(&["ENCODE", "AUTO"]) {
                attributes.options.push(("ENCODE".into(), "AUTO".into()));
            } else {
                return Ok(attributes);
            }
        }
    }

    fn one_of(&mut self, words: &[&str]) -> Result<String> {
        match words.iter().find(|word| self.words(&[word])) {
            Some(word) => Ok((*word).to_owned()),
            None => Err(self.unexpected(self.parser.peek_token_ref())),
        }
    }

    /// `(name, …)`
    pub(super) fn column_names(&mut self) -> Result<Vec<Ident>> {
        self.parenthesised(Self::identifier)
    }

    /// Whether a keyword comes next that is written without quotes.
    pub(super) fn is_keyword(&self, keyword: Keyword) -> bool {
        matches!(&self.parser.peek_token_ref().token,
            Token::Word(word) if word.keyword == keyword && word.quote_style.is_none())
    }
}

pub(super) fn syntax(message: &str) -> Error {
    Error::Syntax { message: message.to_owned(), detail: None, position: None }
}

/// Whether a name is one of a temporary table to Redshift.
pub(super) fn is_hash_name(name: &ObjectName) -> bool {
    let last = name.0.last().and_then(|part| part.as_ident());
    last.is_some_and(|word| word.quote_style.is_none() && word.value.starts_with('#'))
}
