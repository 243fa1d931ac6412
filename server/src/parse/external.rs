//! The warehouse's statements about external schemas, tables and partitions, in Redshift's grammar.

use catalog::ExternalSource;
use sqlparser::ast::{Ident, ObjectName};
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::Token;

use crate::error::{Error, Result};
use crate::parse::StatementReader;
use crate::parse::bad_data::bad_data_rules;
use crate::parse::definition::ColumnDefinition;
use crate::parse::external_format::{FilesFormat, RowFormat, partition_layout};
use crate::parse::statement::{
    AddPartitions, CreateExternalSchema, CreateExternalTable, CreateExternalTableAs, DropPartition, PartitionValues,
    Statement,
};

impl StatementReader<'_> {
    /// Behind `CREATE EXTERNAL SCHEMA`.
    pub(super) fn create_external_schema(&mut self) -> Result<Statement> {
        let if_not_exists = self.words(&["IF", "NOT", "EXISTS"]);
        let name = self.object_name()?;
        let mut source = ExternalSource::default();
        if self.words(&["FROM"]) {
            if !self.words(&["DATA", "CATALOG"]) {
                let kind = self.parser.peek_token().to_string();
                return Err(Error::not_supported(format!("CREATE EXTERNAL SCHEMA FROM {kind}")));
            }
            self.external_source(&mut source)?;
        }
        Ok(Statement::CreateExternalSchema(CreateExternalSchema { name, if_not_exists, source }))
    }

    fn external_source(&mut self, source: &mut ExternalSource) -> Result<()> {
        loop {
            if self.words(&["CREATE", "EXTERNAL", "DATABASE", "IF", "NOT", "EXISTS"]) {
                // Tables are looked up in our own catalog, so there is no database to create.
            } else if self.words(&["DATABASE"]) {
                source.database = Some(self.string()?);
            } else if self.words(&["REGION"]) {
                source.region = Some(self.string()?);
            } else if self.words(&["IAM_ROLE"]) {
                let role = if self.words(&["DEFAULT"]) { "default".to_owned() } else { self.string()? };
                source.iam_role = Some(role);
            } else {
                return Ok(());
            }
        }
    }

    /// Behind `CREATE EXTERNAL TABLE`.
    pub(super) fn create_external_table(&mut self) -> Result<Statement> {
        let if_not_exists = self.words(&["IF", "NOT", "EXISTS"]);
        let name = self.object_name()?;
        if self.parser.peek_token_ref().token != Token::LParen {
            return self.create_external_table_as(name, if_not_exists);
        }
        let columns = self.external_columns()?;
        let partition_columns = if self.words(&["PARTITIONED", "BY"]) { self.external_columns()? } else { Vec::new() };
        let row_format = if self.words(&["ROW", "FORMAT"]) { self.row_format()? } else { RowFormat::default() };
        self.expect_word("STORED")?;
        self.expect_word("AS")?;
        let stored_as = self.stored_as()?;
        self.expect_word("LOCATION")?;
        let location = self.string()?;
        let has_properties = self.words(&["TABLE", "PROPERTIES"]) || self.words(&["TBLPROPERTIES"]);
        let properties = if has_properties { self.properties()? } else { Vec::new() };
        let format = FilesFormat::new(row_format, stored_as, &properties)?;
        let partitioned_by: Vec<_> = partition_columns.iter().map(|column| &column.name).collect();
        let layout = partition_layout(&properties, &location, &partitioned_by)?;
        let bad_data = bad_data_rules(&properties, &format.format)?;
        Ok(Statement::CreateExternalTable(CreateExternalTable {
            name,
            if_not_exists,
            columns,
            partition_columns,
            format,
            layout,
            bad_data,
            location,
            properties,
        }))
    }

    /// Behind the name of a table whose columns are those of a query.
    fn create_external_table_as(&mut self, name: ObjectName, if_not_exists: bool) -> Result<Statement> {
        let is_partitioned = self.words(&["PARTITIONED", "BY"]);
        let partition_columns = if is_partitioned { self.parenthesised(Self::identifier)? } else { Vec::new() };
        let row_format = if self.words(&["ROW", "FORMAT"]) { self.row_format()? } else { RowFormat::default() };
        self.expect_word("STORED")?;
        self.expect_word("AS")?;
        let stored_as = self.stored_as()?;
        self.expect_word("LOCATION")?;
        let location = self.string()?;
        let has_properties = self.words(&["TABLE", "PROPERTIES"]) || self.words(&["TBLPROPERTIES"]);
        let properties = if has_properties { self.properties()? } else { Vec::new() };
        let format = FilesFormat::new(row_format, stored_as, &properties)?;
        let bad_data = bad_data_rules(&properties, &format.format)?;
        let layout = partition_layout(&properties, &location, &partition_columns.iter().collect::<Vec<_>>())?;
        self.expect_word("AS")?;
        let query = self.parser.parse_query().map_err(|error| self.syntax(error))?;
        Ok(Statement::CreateExternalTableAs(CreateExternalTableAs {
            name,
            if_not_exists,
            partition_columns,
            format,
            bad_data,
            layout,
            location,
            properties,
            query,
        }))
    }

    fn external_columns(&mut self) -> Result<Vec<ColumnDefinition>> {
        self.parenthesised(|reader| {
            let name = reader.identifier()?;
            let data_type = reader.column_type()?;
            Ok(ColumnDefinition { name, data_type, constraints: Vec::new(), encoding: None })
        })
    }

    /// Behind `ALTER TABLE`.
    pub(super) fn alter_table(&mut self) -> Result<Statement> {
        let if_exists = self.words(&["IF", "EXISTS"]);
        // There is no inheritance: a table is always meant alone.
        self.words(&["ONLY"]);
        let table = self.object_name()?;
        let _ = self.parser.consume_token(&Token::Mul);
        if if_exists {
            return self.alter_table_actions(table, true);
        }
        if self.words(&["ADD", "PARTITION"]) {
            return self.add_partitions(table, false);
        }
        if self.words(&["ADD", "IF", "NOT", "EXISTS", "PARTITION"]) {
            return self.add_partitions(table, true);
        }
        let if_exists = self.words(&["DROP", "IF", "EXISTS", "PARTITION"]);
        if if_exists || self.words(&["DROP", "PARTITION"]) {
            let values = self.partition_values()?;
            return Ok(Statement::DropPartition(DropPartition { table, if_exists, values }));
        }
        self.alter_table_actions(table, false)
    }

    /// Behind the first `PARTITION`.
    fn add_partitions(&mut self, table: sqlparser::ast::ObjectName, if_not_exists: bool) -> Result<Statement> {
        let mut partitions = Vec::new();
        loop {
            let values = self.partition_values()?;
            self.expect_word("LOCATION")?;
            partitions.push((values, self.string()?));
            if !self.words(&["PARTITION"]) {
                return Ok(Statement::AddPartitions(AddPartitions { table, if_not_exists, partitions }));
            }
        }
    }

    fn partition_values(&mut self) -> Result<PartitionValues> {
        self.parenthesised(|reader| {
            let column = reader.identifier()?;
            reader.expect(&Token::Eq)?;
            Ok((column, reader.partition_value()?))
        })
    }

    /// A constant: a string, a number, a date, true, false or NULL.
    fn partition_value(&mut self) -> Result<Option<String>> {
        for word in ["DATE", "TIMESTAMP"] {
            if self.words(&[word]) {
                return self.string().map(Some);
            }
        }
        let sign = if self.parser.consume_token(&Token::Minus) { "-" } else { "" };
        let token = self.parser.next_token();
        match &token.token {
            Token::Number(digits, _) => Ok(Some(format!("{sign}{digits}"))),
            Token::SingleQuotedString(text) if sign.is_empty() => Ok(Some(text.clone())),
            Token::Word(word) if sign.is_empty() => match word.keyword {
                Keyword::NULL => Ok(None),
                Keyword::TRUE | Keyword::FALSE => Ok(Some(word.value.to_ascii_lowercase())),
                _ => Err(self.unexpected(&token)),
            },
            _ => Err(self.unexpected(&token)),
        }
    }

    /// `(item, …)`
    pub(super) fn parenthesised<T>(&mut self, mut item: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        self.expect(&Token::LParen)?;
        let mut items = vec![item(self)?];
        while self.parser.consume_token(&Token::Comma) {
            items.push(item(self)?);
        }
        self.expect(&Token::RParen)?;
        Ok(items)
    }

    pub(super) fn object_name(&mut self) -> Result<sqlparser::ast::ObjectName> {
        self.parser.parse_object_name(false).map_err(|error| self.syntax(error))
    }

    pub(super) fn identifier(&mut self) -> Result<Ident> {
        self.parser.parse_identifier().map_err(|error| self.syntax(error))
    }
}
