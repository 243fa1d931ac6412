//! The warehouse's statements about external schemas, tables and partitions, in Redshift's grammar.

use catalog::{ExternalSource, FileFormat};
use sqlparser::ast::{DataType, Ident};
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::Token;

use crate::error::{Error, Result};
use crate::parse::StatementReader;
use crate::parse::bad_data::bad_data_rules;
use crate::parse::definition::ColumnDefinition;
use crate::parse::external_format::{FilesFormat, RowFormat, invalid, partition_layout};
use crate::parse::statement::{
    AddPartitions, CreateExternalSchema, CreateExternalTable, CreateExternalTableAs, DropPartition, PartitionValues,
    SetPartitionLocation, Statement,
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
        let like = if self.words(&["LIKE"]) { Some(self.like_files()?) } else { None };
        let has_columns = like.is_none() && self.parser.peek_token().token == Token::LParen;
        let columns = if has_columns { Some(self.external_columns()?) } else { None };
        let partitioned_by = if self.words(&["PARTITIONED", "BY"]) { self.partition_columns()? } else { Vec::new() };
        let row_format = if self.words(&["ROW", "FORMAT"]) { self.row_format()? } else { RowFormat::default() };
        self.expect_word("STORED")?;
        self.expect_word("AS")?;
        let stored_as = self.stored_as()?;
        self.expect_word("LOCATION")?;
        let location = self.string()?;
        let has_properties = self.words(&["TABLE", "PROPERTIES"]) || self.words(&["TBLPROPERTIES"]);
        let properties = if has_properties { self.properties()? } else { Vec::new() };
        let format = FilesFormat::new(row_format, stored_as, &properties)?;
        let names: Vec<_> = partitioned_by.iter().map(|(name, _)| name).collect();
        let layout = partition_layout(&properties, &location, &names)?;
        let bad_data = bad_data_rules(&properties, &format.format)?;
        if like.is_none() && columns.is_none() && self.words(&["AS"]) {
            let query = self.parser.parse_query().map_err(|error| self.syntax(error))?;
            return Ok(Statement::CreateExternalTableAs(CreateExternalTableAs {
                name,
                if_not_exists,
                partition_columns: without_types(partitioned_by)?,
                format,
                bad_data,
                layout,
                location,
                properties,
                query,
            }));
        }
        let partition_columns = with_types(partitioned_by)?;
        Ok(Statement::CreateExternalTable(CreateExternalTable {
            name,
            if_not_exists,
            columns,
            like,
            partition_columns,
            format,
            layout,
            bad_data,
            location,
            properties,
        }))
    }

    /// Behind `LIKE`: Impala's `PARQUET 'location of a file'`.
    fn like_files(&mut self) -> Result<(FileFormat, String)> {
        let format = self.stored_as()?.of_itself();
        let Some(format) = format else {
            return Err(Error::not_supported(
                "CREATE EXTERNAL TABLE LIKE files that do not say which columns they have",
            ));
        };
        Ok((format, self.string()?))
    }

    /// The columns of PARTITIONED BY. Those of a query have their types from there.
    fn partition_columns(&mut self) -> Result<Vec<(Ident, Option<DataType>)>> {
        self.parenthesised(|reader| {
            let name = reader.identifier()?;
            let has_type = !matches!(reader.parser.peek_token_ref().token, Token::Comma | Token::RParen);
            Ok((name, if has_type { Some(reader.column_type()?) } else { None }))
        })
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
        if self.words(&["PARTITION"]) {
            let values = self.partition_values()?;
            self.expect_word("SET")?;
            self.expect_word("LOCATION")?;
            let location = self.string()?;
            return Ok(Statement::SetPartitionLocation(SetPartitionLocation { table, values, location }));
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

/// Partition columns that the statement defines.
fn with_types(columns: Vec<(Ident, Option<DataType>)>) -> Result<Vec<ColumnDefinition>> {
    let definition = |(name, data_type): (Ident, Option<DataType>)| match data_type {
        Some(data_type) => Ok(ColumnDefinition { name, data_type, constraints: Vec::new(), encoding: None }),
        None => Err(invalid(&format!("partition column \"{}\" needs a type", name.value))),
    };
    columns.into_iter().map(definition).collect()
}

/// Partition columns that are those of a query.
fn without_types(columns: Vec<(Ident, Option<DataType>)>) -> Result<Vec<Ident>> {
    let name = |(name, data_type): (Ident, Option<DataType>)| match data_type {
        None => Ok(name),
        Some(_) => Err(invalid(&format!("partition column \"{}\" has its type from the query", name.value))),
    };
    columns.into_iter().map(name).collect()
}
