//! What the query engine's errors mean in PostgreSQL's terms.
//!
//! The engine tells apart what went wrong mostly by the text of its messages; each text that is looked for here has a
//! test that provokes it, so that a change upstream is noticed.

use std::error::Error as StdError;

use arrow::error::ArrowError;
use catalog::{Column, SqlType};
use datafusion::common::{DataFusionError, SchemaError};

use crate::error::{Error, ErrorReport, report_of, storage_report};
use crate::plan::types::named_type;
use pg::PgError;
use pg::input::ColumnBuilder;
use pg::sqlstate::SqlState;

/// What the client is told about an error of the engine.
pub fn report(error: &DataFusionError) -> ErrorReport {
    if let Some(ours) = find::<Error>(error) {
        return ours.report();
    }
    if let Some(ours) = find::<PgError>(error) {
        return report_of(ours);
    }
    if let Some(storage) = storage::error::find(error) {
        return storage_report(storage);
    }
    if let Some(error) = find::<std::io::Error>(error).filter(|error| catalog::vfs::is_disk_full(error)) {
        return ErrorReport::new(SqlState::DISK_FULL, format!("could not write: {error}"))
            .hint("Check free disk space.");
    }
    match error {
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => report(inner),
        DataFusionError::Shared(inner) => report(inner),
        DataFusionError::Collection(errors) => match errors.first() {
            Some(first) => report(first),
            None => ErrorReport::new(SqlState::INTERNAL_ERROR, "internal error"),
        },
        DataFusionError::ArrowError(error, _) => arrow_report(error),
        DataFusionError::SchemaError(error, _) => schema_report(error),
        DataFusionError::Plan(message) => plan_report(message),
        DataFusionError::NotImplemented(message) => {
            let type_name = message.strip_prefix("Unsupported SQL type ");
            if let Some(Err(error)) = type_name.map(named_type) {
                return error.report();
            }
            ErrorReport::new(SqlState::FEATURE_NOT_SUPPORTED, first_line(message))
        }
        DataFusionError::ResourcesExhausted(message) => {
            ErrorReport::new(SqlState::OUT_OF_MEMORY, "out of memory").detail(first_line(message))
        }
        DataFusionError::Execution(message) => execution_report(message),
        DataFusionError::External(error) => execution_report(&error.to_string()),
        DataFusionError::ParquetError(error) => {
            ErrorReport::new(SqlState::DATA_CORRUPTED, first_line(&error.to_string()))
        }
        DataFusionError::IoError(error) => ErrorReport::new(SqlState::IO_ERROR, error.to_string()),
        DataFusionError::ObjectStore(_) => ErrorReport::new(SqlState::IO_ERROR, "an object store failed"),
        DataFusionError::ExecutionJoin(error) if error.is_panic() => Error::Panicked.report(),
        DataFusionError::Configuration(message) => {
            ErrorReport::new(SqlState::INVALID_PARAMETER_VALUE, first_line(message))
        }
        other => ErrorReport::new(SqlState::INTERNAL_ERROR, first_line(&other.strip_backtrace())),
    }
}

/// The first error of type `T` among an error and its sources.
fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut current = Some(error);
    while let Some(error) = current {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        if let Some(DataFusionError::External(inner)) = error.downcast_ref::<DataFusionError>() {
            let inner: &(dyn StdError + 'static) = inner.as_ref();
            if let Some(found) = inner.downcast_ref::<T>() {
                return Some(found);
            }
        }
        current = error.source();
    }
    None
}

fn arrow_report(error: &ArrowError) -> ErrorReport {
    match error {
        ArrowError::DivideByZero => ErrorReport::new(SqlState::DIVISION_BY_ZERO, "division by zero"),
        ArrowError::ArithmeticOverflow(message) => {
            ErrorReport::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "value out of range").detail(first_line(message))
        }
        ArrowError::CastError(message) | ArrowError::ParseError(message) => cast_report(message),
        ArrowError::InvalidArgumentError(message) if message.contains("precision") => {
            ErrorReport::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "numeric field overflow").detail(first_line(message))
        }
        ArrowError::ExternalError(inner) => match inner.downcast_ref::<DataFusionError>() {
            Some(inner) => report(inner),
            None => ErrorReport::new(SqlState::INTERNAL_ERROR, first_line(&inner.to_string())),
        },
        ArrowError::ComputeError(message) => execution_report(message),
        ArrowError::ParquetError(message) => ErrorReport::new(SqlState::DATA_CORRUPTED, first_line(message)),
        ArrowError::IoError(message, _) => ErrorReport::new(SqlState::IO_ERROR, first_line(message)),
        ArrowError::MemoryError(message) => {
            ErrorReport::new(SqlState::OUT_OF_MEMORY, "out of memory").detail(first_line(message))
        }
        other => ErrorReport::new(SqlState::INTERNAL_ERROR, first_line(&other.to_string())),
    }
}

/// The text with SQL's names of types in place of Arrow's.
fn in_sql_words(text: &str) -> String {
    let is_name = |c: char| c.is_ascii_alphanumeric();
    let mut words = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(begin) = rest.find(is_name) {
        let (before, word) = rest.split_at(begin);
        let end = word.find(|c| !is_name(c)).unwrap_or(word.len());
        words.push_str(before);
        words.push_str(sql_name(&word[..end]));
        rest = &word[end..];
    }
    words + rest
}

/// `Cannot cast string 'a' to value of Int32 type`, in PostgreSQL's words.
fn invalid_text(message: &str) -> Option<ErrorReport> {
    let rest = message.strip_prefix("Cannot cast string '")?;
    let (value, rest) = rest.rsplit_once("' to value of ")?;
    let arrow_name = rest.split_whitespace().next()?;
    let name = sql_name(arrow_name);
    // Our own reader says more exactly what is wrong.
    let sql_type = match name {
        "smallint" => Some(SqlType::SmallInt),
        "integer" => Some(SqlType::Integer),
        "bigint" => Some(SqlType::BigInt),
        "date" => Some(SqlType::Date),
        "time without time zone" => Some(SqlType::Time),
        "timestamp without time zone" => Some(SqlType::Timestamp),
        _ => None,
    };
    let read = sql_type.map(|sql_type| {
        let column = Column::new(1, "", sql_type);
        ColumnBuilder::new(&column, 1).push_text(value)
    });
    if let Some(Err(error)) = read {
        return Some(Error::Input(error).report());
    }
    let message = format!("invalid input syntax for type {name}: \"{value}\"");
    Some(ErrorReport::new(SqlState::INVALID_TEXT_REPRESENTATION, message))
}

/// SQL's name of one of Arrow's types.
fn sql_name(arrow_name: &str) -> &str {
    match arrow_name.split('(').next().unwrap_or_default() {
        "Boolean" => "boolean",
        "Int8" | "Int16" | "UInt8" => "smallint",
        "Int32" | "UInt16" => "integer",
        "Int64" | "UInt32" => "bigint",
        "UInt64" | "Decimal32" | "Decimal64" | "Decimal128" | "Decimal256" => "numeric",
        "Float16" | "Float32" => "real",
        "Float64" => "double precision",
        "Date32" | "Date64" => "date",
        "Time32" | "Time64" => "time without time zone",
        "Timestamp" => "timestamp without time zone",
        "Interval" | "Duration" => "interval",
        "Binary" | "BinaryView" | "LargeBinary" => "bytea",
        "Utf8" | "Utf8View" | "LargeUtf8" => "text",
        other => other,
    }
}

/// `Can't cast value 2147483648 to type Int32`, in PostgreSQL's words.
fn out_of_range(message: &str) -> Option<ErrorReport> {
    let (_, arrow_name) = message.strip_prefix("Can't cast value ")?.split_once(" to type ")?;
    let message = format!("{} out of range", sql_name(arrow_name.trim()));
    Some(ErrorReport::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, message))
}

fn cast_report(message: &str) -> ErrorReport {
    if let Some(report) = out_of_range(message) {
        return report;
    }
    if let Some(report) = invalid_text(message) {
        return report;
    }
    let sqlstate = if message.contains("out of range") || message.contains("Can't cast value") {
        SqlState::NUMERIC_VALUE_OUT_OF_RANGE
    } else {
        SqlState::INVALID_TEXT_REPRESENTATION
    };
    ErrorReport::new(sqlstate, "a value cannot be cast to the type that was asked for").detail(first_line(message))
}

fn schema_report(error: &SchemaError) -> ErrorReport {
    match error {
        SchemaError::FieldNotFound { field, valid_fields } => {
            if let Some(relation) = &field.relation
                && !valid_fields
                    .iter()
                    .any(|valid| valid.relation.as_ref().is_some_and(|it| it.table() == relation.table()))
            {
                let message = format!("missing FROM-clause entry for table \"{}\"", relation.table());
                return ErrorReport::new(SqlState::UNDEFINED_TABLE, message);
            }
            let name = match &field.relation {
                Some(relation) => format!("column {}.{} does not exist", relation.table(), field.name),
                None => format!("column \"{}\" does not exist", field.name),
            };
            ErrorReport::new(SqlState::UNDEFINED_COLUMN, name)
        }
        SchemaError::AmbiguousReference { field } => {
            ErrorReport::new(SqlState::AMBIGUOUS_COLUMN, format!("column reference \"{}\" is ambiguous", field.name))
        }
        SchemaError::DuplicateQualifiedField { qualifier, .. } => ErrorReport::new(
            SqlState::DUPLICATE_ALIAS,
            format!("table name \"{}\" specified more than once", qualifier.table()),
        ),
        SchemaError::DuplicateUnqualifiedField { name } => {
            ErrorReport::new(SqlState::DUPLICATE_COLUMN, format!("column name \"{name}\" appears more than once"))
        }
    }
}

fn plan_report(message: &str) -> ErrorReport {
    // What the engine says of a plan that it has made itself is no fault of the statement.
    if message.starts_with("Plan:") {
        return ErrorReport::new(SqlState::INTERNAL_ERROR, first_line(message));
    }
    if let Some(rest) = message.strip_prefix("Invalid function '") {
        let name = rest.split('\'').next().unwrap_or_default();
        return ErrorReport::new(SqlState::UNDEFINED_FUNCTION, format!("function {name} does not exist"))
            .hint("No function matches the given name. You might need to add explicit type casts.");
    }
    if message.to_ascii_lowercase().starts_with("inconsistent data length across values list") {
        return ErrorReport::new(SqlState::SYNTAX_ERROR, "VALUES lists must all be the same length");
    }
    if let Some((operation, _)) = message.split_once(" queries have different number of columns") {
        let message = format!("each {operation} query must have the same number of columns");
        return ErrorReport::new(SqlState::SYNTAX_ERROR, message);
    }
    if message.contains("Varchar with length") || message.contains("Char with length") {
        return ErrorReport::new(SqlState::FEATURE_NOT_SUPPORTED, "a cast to a type with a length is not supported");
    }
    if let Some(operation) = missing_operator(message) {
        let text = format!("operator does not exist: {}", in_sql_words(operation));
        return ErrorReport::new(SqlState::UNDEFINED_FUNCTION, text)
            .hint("No operator matches the given name and argument types. You might need to add explicit type casts.");
    }
    if let Some(column) = ungrouped_column(message) {
        let text =
            format!("column \"{column}\" must appear in the GROUP BY clause or be used in an aggregate function");
        return ErrorReport::new(SqlState::GROUPING_ERROR, text);
    }
    let sqlstate = if message.contains("No function matches") || message.contains("does not support") {
        SqlState::UNDEFINED_FUNCTION
    } else if message.contains("GROUP BY")
        || message.to_ascii_lowercase().contains("aggregate functions are not allowed")
    {
        SqlState::GROUPING_ERROR
    } else if message.contains("coerce")
        || message.contains("common argument type")
        || message.contains("type_coercion")
    {
        SqlState::DATATYPE_MISMATCH
    } else {
        SqlState::SYNTAX_ERROR
    };
    ErrorReport::new(sqlstate, first_line(message))
}

/// `date + date` of `Cannot coerce arithmetic expression Date32 + Date32 to valid types` and its like for comparisons.
fn missing_operator(message: &str) -> Option<&str> {
    let arithmetic = message.split_once("Cannot coerce arithmetic expression ").map(|(_, rest)| rest);
    let comparison = message
        .split_once("Cannot infer common argument type for ")
        .and_then(|(_, rest)| rest.split_once("operation "));
    let operation = arithmetic.or(comparison.map(|(_, rest)| rest))?.lines().next()?;
    Some(operation.trim_end_matches(" to valid types"))
}

/// The column of `… column "t.a" must appear in the GROUP BY clause …`.
fn ungrouped_column(message: &str) -> Option<&str> {
    let (before, _) = message.split_once("\" must appear in the GROUP BY clause")?;
    before.rsplit_once("column \"").map(|(_, column)| column)
}

fn execution_report(message: &str) -> ErrorReport {
    let lower = message.to_ascii_lowercase();
    if lower.contains("divide by zero") || lower.contains("division by zero") {
        return ErrorReport::new(SqlState::DIVISION_BY_ZERO, "division by zero");
    }
    if lower.contains("regex parse error") {
        let reason = message.lines().find_map(|line| line.strip_prefix("error: ")).unwrap_or("it cannot be parsed");
        let message = format!("invalid regular expression: {reason}");
        return ErrorReport::new(SqlState::INVALID_REGULAR_EXPRESSION, message);
    }
    if lower.contains("scalar subquery") || lower.contains("more than one row") {
        let message = "more than one row returned by a subquery used as an expression";
        return ErrorReport::new(SqlState::CARDINALITY_VIOLATION, message);
    }
    let sqlstate = if lower.contains("overflow") || lower.contains("out of range") {
        SqlState::NUMERIC_VALUE_OUT_OF_RANGE
    } else if lower.contains("regex") || lower.contains("regular expression") {
        SqlState::INVALID_REGULAR_EXPRESSION
    } else {
        SqlState::INVALID_PARAMETER_VALUE
    };
    ErrorReport::new(sqlstate, first_line(message))
}

/// The engine's messages go on with lists of candidates, or with what its structures look like: the first line says what
/// is wrong.
fn first_line(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    let line = line.split_once(['{', '[']).map_or(line, |(before, _)| before);
    let line = in_sql_words(line.trim_end_matches(['.', ' ', '(', ':']));
    let mut characters = line.chars();
    match (characters.next(), characters.next()) {
        // Messages begin in lower case, unless the first word is all capitals.
        (Some(first), Some(second)) if first.is_uppercase() && second.is_lowercase() => {
            format!("{}{}", first.to_lowercase(), &line[first.len_utf8()..])
        }
        _ => line.to_owned(),
    }
}
