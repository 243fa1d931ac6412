//! CREATE INDEX, ALTER INDEX, DROP INDEX, REINDEX.

use catalog::index::{DESCENDING, NULLS_FIRST};
use sqlparser::ast::{Ident, ObjectName};
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::Token;

use super::{Statement, StatementReader};
use crate::error::{Error, Result};

/// `CREATE [UNIQUE] INDEX`
#[derive(Debug, Clone)]
pub struct CreateIndex {
    /// Its name; one is made of those of the table and the columns when it is not given.
    pub name: Option<Ident>,
    /// Whether it may be there already.
    pub if_not_exists: bool,
    /// `CONCURRENTLY`
    pub concurrently: bool,
    /// `UNIQUE`
    pub unique: bool,
    /// `NULLS NOT DISTINCT`
    pub nulls_not_distinct: bool,
    /// The table.
    pub table: ObjectName,
    /// `USING method`
    pub method: Option<Ident>,
    /// Its columns.
    pub columns: Vec<IndexedColumn>,
}

/// A column of an index.
#[derive(Debug, Clone)]
pub struct IndexedColumn {
    /// Its name.
    pub name: Ident,
    /// The operator class by which its values are compared.
    pub operator_class: Option<ObjectName>,
    /// Bits as PostgreSQL's `indoption` has them; none when no order was written.
    pub order: Option<i16>,
}

/// `ALTER INDEX … RENAME TO`
#[derive(Debug, Clone)]
pub struct AlterIndex {
    /// Which.
    pub name: ObjectName,
    /// Whether it may be absent.
    pub if_exists: bool,
    /// What it is called then.
    pub to: Ident,
}

/// `DROP INDEX`
#[derive(Debug, Clone)]
pub struct DropIndex {
    /// Which.
    pub names: Vec<ObjectName>,
    /// Whether they may be absent.
    pub if_exists: bool,
    /// `CONCURRENTLY`
    pub concurrently: bool,
    /// `CASCADE`
    pub cascade: bool,
}

/// `REINDEX`
#[derive(Debug, Clone)]
pub struct Reindex {
    /// Of what.
    pub object: Reindexed,
    /// `CONCURRENTLY`
    pub concurrently: bool,
}

/// What REINDEX is about.
#[derive(Debug, Clone)]
pub enum Reindexed {
    /// `INDEX`
    Index(ObjectName),
    /// `TABLE`
    Table(ObjectName),
    /// `SCHEMA`
    Schema(ObjectName),
    /// `DATABASE`, `SYSTEM`
    Database(Ident),
}

/// What may be written behind the columns of an index, and cannot be had.
const NOT_THERE: &[(&str, &str)] = &[
    ("INCLUDE", "INCLUDE in an index"),
    ("WITH", "WITH in an index"),
    ("TABLESPACE", "TABLESPACE"),
    ("WHERE", "a partial index"),
];

impl StatementReader<'_> {
    /// A statement about indexes, if one begins here.
    pub(super) fn index_statement(&mut self) -> Result<Option<Statement>> {
        let unique = self.words(&["CREATE", "UNIQUE", "INDEX"]);
        let statement = if unique || self.words(&["CREATE", "INDEX"]) {
            self.create_index(unique)?
        } else if self.words(&["ALTER", "INDEX"]) {
            self.alter_index()?
        } else if self.words(&["DROP", "INDEX"]) {
            let concurrently = self.words(&["CONCURRENTLY"]);
            let if_exists = self.words(&["IF", "EXISTS"]);
            let names = self.object_names()?;
            Statement::DropIndex(DropIndex { names, if_exists, concurrently, cascade: self.cascade() })
        } else if self.words(&["REINDEX"]) {
            self.reindex()?
        } else {
            return Ok(None);
        };
        Ok(Some(statement))
    }

    fn create_index(&mut self, unique: bool) -> Result<Statement> {
        let concurrently = self.words(&["CONCURRENTLY"]);
        let if_not_exists = self.words(&["IF", "NOT", "EXISTS"]);
        let unnamed = !if_not_exists && self.words(&["ON"]);
        let mut name = None;
        if !unnamed {
            let next = self.parser.peek_token();
            if matches!(&next.token, Token::Word(word) if word.quote_style.is_none() && word.keyword == Keyword::ON) {
                return Err(self.unexpected(&next));
            }
            name = Some(self.identifier()?);
            self.expect_word("ON")?;
        }
        self.words(&["ONLY"]);
        let table = self.object_name()?;
        let method = if self.words(&["USING"]) { Some(self.identifier()?) } else { None };
        let columns = self.parenthesised(Self::indexed_column)?;
        let not_distinct = self.words(&["NULLS", "NOT", "DISTINCT"]);
        let _ = !not_distinct && self.words(&["NULLS", "DISTINCT"]);
        if let Some((_, feature)) = NOT_THERE.iter().find(|(word, _)| self.words(&[word])) {
            return Err(Error::not_supported(*feature));
        }
        let nulls_not_distinct = unique && not_distinct;
        Ok(Statement::CreateIndex(CreateIndex {
            name,
            if_not_exists,
            concurrently,
            unique,
            nulls_not_distinct,
            table,
            method,
            columns,
        }))
    }

    fn indexed_column(&mut self) -> Result<IndexedColumn> {
        let is_call = self.parser.peek_nth_token_ref(1).token == Token::LParen;
        if is_call || self.parser.peek_token_ref().token == Token::LParen {
            return Err(Error::not_supported("an index over an expression"));
        }
        let name = self.identifier()?;
        if self.words(&["COLLATE"]) {
            return Err(Error::not_supported("COLLATE in an index"));
        }
        let is_name = |token: &Token| {
            let is_order = |word: &str| ["ASC", "DESC", "NULLS"].iter().any(|it| it.eq_ignore_ascii_case(word));
            matches!(token, Token::Word(word) if word.quote_style.is_some() || !is_order(&word.value))
        };
        let operator_class = match is_name(&self.parser.peek_token_ref().token) {
            true => Some(self.object_name()?),
            false => None,
        };
        let descending = self.words(&["DESC"]);
        let ascending = !descending && self.words(&["ASC"]);
        let (first, last) = (self.words(&["NULLS", "FIRST"]), self.words(&["NULLS", "LAST"]));
        let bits =
            (if descending { DESCENDING } else { 0 }) | (if first || descending && !last { NULLS_FIRST } else { 0 });
        let order = (descending || ascending || first || last).then_some(bits);
        Ok(IndexedColumn { name, operator_class, order })
    }

    fn alter_index(&mut self) -> Result<Statement> {
        let if_exists = self.words(&["IF", "EXISTS"]);
        let name = self.object_name()?;
        for action in ["SET", "RESET", "ATTACH PARTITION", "DEPENDS ON", "NO DEPENDS ON", "ALTER"] {
            if self.words(&action.split(' ').collect::<Vec<_>>()) {
                return Err(Error::not_supported(format!("ALTER INDEX … {action}")));
            }
        }
        self.expect_word("RENAME")?;
        self.expect_word("TO")?;
        Ok(Statement::AlterIndex(AlterIndex { name, if_exists, to: self.identifier()? }))
    }

    fn reindex(&mut self) -> Result<Statement> {
        let mut concurrently = false;
        if self.parser.peek_token_ref().token == Token::LParen {
            for option in self.parenthesised(Self::reindex_option)? {
                concurrently |= option;
            }
        }
        let kinds = ["INDEX", "TABLE", "SCHEMA", "DATABASE", "SYSTEM"];
        let Some(kind) = kinds.into_iter().find(|kind| self.words(&[kind])) else {
            return Err(self.unexpected(self.parser.peek_token_ref()));
        };
        concurrently |= self.words(&["CONCURRENTLY"]);
        let object = match kind {
            "INDEX" => Reindexed::Index(self.object_name()?),
            "TABLE" => Reindexed::Table(self.object_name()?),
            "SCHEMA" => Reindexed::Schema(self.object_name()?),
            _ => Reindexed::Database(self.identifier()?),
        };
        Ok(Statement::Reindex(Reindex { object, concurrently }))
    }

    /// Whether an option is CONCURRENTLY. VERBOSE says nothing where nothing is made anew.
    fn reindex_option(&mut self) -> Result<bool> {
        let concurrently = self.words(&["CONCURRENTLY"]);
        if !concurrently {
            if self.words(&["TABLESPACE"]) {
                return Err(Error::not_supported("TABLESPACE"));
            }
            self.expect_word("VERBOSE")?;
        }
        let off = ["FALSE", "OFF"].iter().any(|word| self.words(&[word]));
        let _ = !off && ["TRUE", "ON"].iter().any(|word| self.words(&[word]));
        Ok(concurrently && !off)
    }
}
