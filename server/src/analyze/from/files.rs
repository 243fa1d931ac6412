//! Files in FROM: `read_parquet('s3://bucket/x/*.parquet', hive_partitioning => true)`, and `'s3://bucket/x/*.parquet'` alone.
//!
//! They are tables that nobody has defined: what is in them is found out while the statement is planned, unless the query
//! defines the columns as those of a function that returns records are: `AS t(a integer, b date)`.

use catalog::{Column, ObjectName, Oid};
use pg::error::PgError;
use pg::sqlstate::SqlState;
use sqlparser::ast::{self, FunctionArg, FunctionArgExpr, TableAlias};
use storage::external::{FILE_COLUMNS, FilesRequest, FilesRequestFormat};

use super::Part;
use crate::analyze::{Analyzer, folded};
use crate::error::{Error, Result};
use crate::parse::forms::clauses::DEFINED_COLUMNS;
use crate::plan::files::check_file_columns;
use crate::plan::relations::parts;
use crate::plan::types::column_type;

/// A function that reads files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FilesFunction {
    Parquet,
    Csv,
    Json,
    Avro,
    Arrow,
}

/// The functions, with the endings of names that say that files are for them.
const FUNCTIONS: &[(&str, FilesFunction, &[&str])] = &[
    ("read_parquet", FilesFunction::Parquet, &["parquet", "parq", "pq"]),
    ("read_csv", FilesFunction::Csv, &["csv", "tsv"]),
    ("read_avro", FilesFunction::Avro, &["avro"]),
    ("read_arrow", FilesFunction::Arrow, &["arrow", "arrows", "feather", "ipc"]),
    ("read_json", FilesFunction::Json, &["json", "jsonl", "ndjson"]),
];

/// Where files are, and how they are to be read.
pub(super) struct FilesCall<'e> {
    patterns: Vec<String>,
    pub(super) options: Vec<(String, &'e ast::Expr)>,
}

impl FilesFunction {
    /// The function of this name, if it reads files.
    pub(super) fn named(name: &ast::ObjectName) -> Option<FilesFunction> {
        let parts = parts(name).ok()?;
        let ([name] | [_, name]) = parts.as_slice() else { return None };
        let is_schema = parts.len() == 1 || parts[0] == "pg_catalog";
        FUNCTIONS.iter().find(|(known, ..)| known == name && is_schema).map(|(_, function, _)| *function)
    }

    fn name(self) -> &'static str {
        FUNCTIONS.iter().find(|(_, function, _)| *function == self).map_or("", |(name, ..)| name)
    }
}

/// The location that stands for a table: a string where a name would be.
pub(super) fn location(name: &ast::ObjectName) -> Option<&ast::Ident> {
    match name.0.as_slice() {
        [ast::ObjectNamePart::Identifier(location)] if location.quote_style == Some('\'') => Some(location),
        _ => None,
    }
}

impl Analyzer<'_> {
    /// Files at a location, in the format that the ending of their names tells.
    pub(super) fn files_at(&mut self, location: &ast::Ident, alias: Option<&TableAlias>) -> Result<Part> {
        let ending = ending(&location.value);
        let found = FUNCTIONS.iter().find(|(_, _, endings)| endings.contains(&ending.as_str()));
        let Some((_, function, _)) = found else {
            let message = "cannot tell the format of files by the ending of their names";
            let error = PgError::new(SqlState::FEATURE_NOT_SUPPORTED, message);
            return Err(self.at(error.with_hint("Use a function such as read_parquet()."), location));
        };
        let call = FilesCall { patterns: vec![location.value.clone()], options: Vec::new() };
        self.read_files(*function, call, format!("'{}'", location.value), alias, location)
    }

    /// A call of a function that reads files.
    pub(super) fn files_function(
        &mut self,
        function: FilesFunction,
        name: &ast::ObjectName,
        arguments: &[FunctionArg],
        alias: Option<&TableAlias>,
    ) -> Result<Part> {
        let call = self.files_call(function, name, arguments)?;
        let written: Vec<_> = arguments.iter().map(ToString::to_string).collect();
        self.read_files(function, call, format!("{}({})", function.name(), written.join(", ")), alias, name)
    }

    fn files_call<'e>(
        &mut self,
        function: FilesFunction,
        name: &ast::ObjectName,
        arguments: &'e [FunctionArg],
    ) -> Result<FilesCall<'e>> {
        let mut call = FilesCall { patterns: Vec::new(), options: Vec::new() };
        let mut locations = 0;
        for argument in arguments {
            match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) if call.options.is_empty() => {
                    locations += 1;
                    call.patterns.extend(self.locations(function, expr)?);
                }
                FunctionArg::Named { name, arg: FunctionArgExpr::Expr(value), .. }
                | FunctionArg::ExprNamed {
                    name: ast::Expr::Identifier(name), arg: FunctionArgExpr::Expr(value), ..
                } => {
                    let option = folded(name);
                    self.check_option(function, &option, &call, name)?;
                    call.options.push((option, value));
                }
                _ => return Err(self.at(PgError::not_supported("this form of an argument in FROM"), name)),
            }
        }
        if locations == 1 {
            return Ok(call);
        }
        let message = format!("function {}() takes one location, or one array of locations", function.name());
        Err(self.at(PgError::new(SqlState::UNDEFINED_FUNCTION, message), name))
    }

    fn check_option(
        &self,
        function: FilesFunction,
        option: &str,
        call: &FilesCall<'_>,
        place: &ast::Ident,
    ) -> Result<()> {
        if !function.options().contains(&option) {
            let message = format!("function {}() has no option \"{option}\"", function.name());
            let hint = format!("Its options are {}.", function.options().join(", "));
            return Err(self.at(PgError::new(SqlState::UNDEFINED_FUNCTION, message).with_hint(hint), place));
        }
        if call.options.iter().any(|(known, _)| known == option) {
            let message = format!("argument name \"{option}\" used more than once");
            return Err(self.at(PgError::new(SqlState::SYNTAX_ERROR, message), place));
        }
        Ok(())
    }

    /// A location, or an array of them. They must be there before the statement has run, and so cannot be computed.
    fn locations(&mut self, function: FilesFunction, written: &ast::Expr) -> Result<Vec<String>> {
        let elements = match written {
            ast::Expr::Array(array) => array.elem.as_slice(),
            single => std::slice::from_ref(single),
        };
        let mut locations = Vec::with_capacity(elements.len());
        for element in elements {
            let value = self.expression(element)?;
            let Some(location) = value.text() else {
                let message = format!("a location of {}() that is not a string constant", function.name());
                return Err(self.at(PgError::not_supported(message), element));
            };
            locations.push(location.to_owned());
        }
        match locations.is_empty() {
            true => {
                let message = format!("function {}() needs a location", function.name());
                Err(self.at(PgError::new(SqlState::INVALID_PARAMETER_VALUE, message), written))
            }
            false => Ok(locations),
        }
    }

    fn read_files(
        &mut self,
        function: FilesFunction,
        call: FilesCall<'_>,
        mut written: String,
        alias: Option<&TableAlias>,
        place: &impl crate::analyze::location::Located,
    ) -> Result<Part> {
        let columns = self.defined_columns(alias)?;
        if let (Some(alias), Some(_)) = (alias, &columns) {
            let columns: Vec<_> = alias.columns.iter().map(ToString::to_string).collect();
            written.push_str(&format!(" AS ({})", columns.join(", ")));
        }
        let request = FilesRequest {
            call: written,
            name: function.name().to_owned(),
            format: self.files_format(function, &call, columns.is_some())?,
            patterns: call.patterns.clone(),
            are_locations: false,
            hive_partitioning: self.switch(&call, "hive_partitioning")?,
            columns: columns.clone(),
        };
        let nests = !matches!(request.format, FilesRequestFormat::Delimited(_));
        check_file_columns(columns.as_deref().unwrap_or_default(), nests)?;
        let source = self.context.named_files(request).map_err(|error| match error {
            Error::Sql { error, position: None } => self.at(*error, place),
            other => other,
        })?;
        let alias = match &columns {
            Some(_) => alias.filter(|alias| alias.name.value != DEFINED_COLUMNS),
            None => alias,
        };
        let alias = alias.cloned().map(|alias| match &columns {
            Some(_) => TableAlias { columns: Vec::new(), ..alias },
            None => alias,
        });
        let name = ObjectName::new("pg_catalog", function.name());
        self.scanned(Oid(0), &name, source, FILE_COLUMNS.len(), alias.as_ref())
    }

    /// The columns that the alias defines, if it does.
    fn defined_columns(&self, alias: Option<&TableAlias>) -> Result<Option<Vec<Column>>> {
        let Some(alias) = alias.filter(|alias| alias.columns.iter().any(|column| column.data_type.is_some())) else {
            return Ok(None);
        };
        let mut columns: Vec<Column> = Vec::with_capacity(alias.columns.len());
        for (number, written) in (1..).zip(&alias.columns) {
            let name = folded(&written.name);
            let Some(data_type) = &written.data_type else {
                let message = format!("column \"{name}\" of a column definition list has no type");
                return Err(self.at(PgError::new(SqlState::SYNTAX_ERROR, message), &written.name));
            };
            if columns.iter().any(|known| known.name == name) {
                let message = format!("column name \"{name}\" specified more than once");
                return Err(self.at(PgError::new(SqlState::DUPLICATE_COLUMN, message), &written.name));
            }
            columns.push(Column::new(number, name, column_type(data_type)?));
        }
        Ok(Some(columns))
    }
}

/// How the names of files end, without what says how they are packed.
fn ending(location: &str) -> String {
    let lower = location.to_ascii_lowercase();
    let mut endings = lower.rsplit('.');
    let last = endings.next().unwrap_or_default();
    let packed = ["gz", "gzip", "zst", "zstd", "bz2", "snappy", "sz"].contains(&last);
    if packed { endings.next().unwrap_or_default().to_owned() } else { last.to_owned() }
}
