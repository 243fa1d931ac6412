//! What texts in files mean: the values that they are as input of their columns' types, with the settings that a server
//! begins with, whatever those of the session are.

use std::borrow::Cow;

use arrow::array::ArrayRef;
use catalog::{BadDataRules, Column, SqlType, ValueRule};
use pg::datetime::date_format::DateFormat;
use pg::input::{ColumnBuilder, InputError};
use storage::external::{Added, Unfit, ValueBuilder, ValueBuilders, ValueError};

/// Makes [`ColumnBuilder`]s that do with texts that are no values what the rules say.
#[derive(Debug, Default)]
pub struct FileValues {
    /// The rules.
    pub rules: BadDataRules,
    /// What the texts are made of before.
    pub conversions: Option<Conversions>,
}

/// What a load makes of texts before they are read, as Redshift's COPY does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conversions {
    /// `TRIMBLANKS`: a `varchar` has no white space at its end.
    pub trims_blanks: bool,
    /// `BLANKSASNULL`: a string of white space is NULL.
    pub blank_is_null: bool,
    /// `EMPTYASNULL` of JSON: an empty string is NULL.
    pub empty_is_null: bool,
    /// `ACCEPTANYDATE`: what is no date or timestamp is NULL.
    pub accepts_any_date: bool,
    /// `DATEFORMAT`
    pub date_format: DateFormat,
    /// `TIMEFORMAT`
    pub time_format: DateFormat,
}

struct FileColumn {
    builder: ColumnBuilder,
    sql_type: SqlType,
    rules: BadDataRules,
    conversions: Option<Conversions>,
}

/// What a text means once a load has converted it.
enum Converted<'a> {
    Text(Cow<'a, str>),
    Null,
    /// It is not in the form of dates that the load names.
    OtherForm,
}

impl FileValues {
    /// By the rules of a table.
    pub fn new(rules: &BadDataRules) -> Self {
        FileValues { rules: rules.clone(), conversions: None }
    }
}

impl Conversions {
    fn converted<'a>(&self, text: &'a str, sql_type: &SqlType) -> Converted<'a> {
        let is_blank = !text.is_empty() && text.trim().is_empty();
        let is_null = is_blank && self.blank_is_null || text.is_empty() && self.empty_is_null;
        let format = match sql_type {
            SqlType::Text | SqlType::Varchar(_) | SqlType::Char(_) if is_null => {
                return Converted::Null;
            }
            SqlType::Text | SqlType::Varchar(_) if self.trims_blanks => {
                return Converted::Text(Cow::Borrowed(text.trim_end()));
            }
            SqlType::Text | SqlType::Varchar(_) | SqlType::Char(_) => return Converted::Text(Cow::Borrowed(text)),
            // Blank is no value of any other type.
            _ if is_blank => return Converted::Null,
            SqlType::Date => &self.date_format,
            SqlType::Timestamp | SqlType::TimestampTz => &self.time_format,
            _ => return Converted::Text(Cow::Borrowed(text)),
        };
        match format {
            DateFormat::Auto => Converted::Text(Cow::Borrowed(text)),
            format => format.iso(text).map_or(Converted::OtherForm, |text| Converted::Text(Cow::Owned(text))),
        }
    }

    /// Whether a text that is no value of a type is NULL.
    fn accepts_any(&self, sql_type: &SqlType) -> bool {
        self.accepts_any_date && matches!(sql_type, SqlType::Date | SqlType::Timestamp | SqlType::TimestampTz)
    }
}

impl ValueBuilders for FileValues {
    fn builder(&self, column: &Column, capacity: usize) -> Box<dyn ValueBuilder> {
        let (builder, sql_type) = (ColumnBuilder::new(column, capacity), column.sql_type.clone());
        let (rules, conversions) = (self.rules.clone(), self.conversions.clone());
        Box::new(FileColumn { builder, sql_type, rules, conversions })
    }
}

impl FileColumn {
    fn push(&mut self, text: &str) -> Result<Added, ValueError> {
        let Err(error) = self.builder.push_text(text) else { return Ok(Added::Value) };
        let kind = unfit(&error);
        let Some(added) = self.instead(text, kind) else {
            return Err(ValueError { kind, source: error.into() });
        };
        match &added {
            Added::Instead { value: Some(value), .. } => {
                self.builder.push_text(value).map_err(|error| ValueError { kind, source: error.into() })?;
            }
            _ => self.builder.push_null(),
        }
        Ok(added)
    }

    /// What a rule puts in the place of a text that is no value; `None` when there is no such rule.
    fn instead(&self, text: &str, of: Unfit) -> Option<Added> {
        let value = match (of, &self.rules) {
            (Unfit::OutOfRange, BadDataRules { numeric_overflow: ValueRule::SetToNull, .. })
            | (Unfit::TooLong, BadDataRules { surplus_char: ValueRule::SetToNull, .. }) => None,
            (Unfit::TooLong, BadDataRules { surplus_char: ValueRule::Truncate, .. }) => {
                Some(text.chars().take(length(&self.sql_type)?).collect())
            }
            _ => return None,
        };
        Some(Added::Instead { of, value })
    }
}

impl ValueBuilder for FileColumn {
    fn push_text(&mut self, text: &str) -> Result<Added, ValueError> {
        let Some(conversions) = &self.conversions else { return self.push(text) };
        let accepts_any = conversions.accepts_any(&self.sql_type);
        let added = match conversions.converted(text, &self.sql_type) {
            Converted::Text(text) => self.push(&text),
            Converted::Null => {
                self.builder.push_null();
                Ok(Added::Null)
            }
            Converted::OtherForm => {
                let type_name = self.sql_type.base_name();
                let source = format!("\"{text}\" is no {type_name} in the format that COPY names").into();
                Err(ValueError { kind: Unfit::Invalid, source })
            }
        };
        if added.is_err() && accepts_any {
            self.builder.push_null();
            return Ok(Added::Null);
        }
        added
    }

    fn push_null(&mut self) {
        self.builder.push_null();
    }

    fn len(&self) -> usize {
        self.builder.len()
    }

    fn finish(&mut self) -> ArrayRef {
        self.builder.finish()
    }
}

/// In which way a text is no value.
fn unfit(error: &InputError) -> Unfit {
    match error {
        InputError::IntegerOutOfRange { .. }
        | InputError::FloatOutOfRange { .. }
        | InputError::OutOfRange { .. }
        | InputError::FloatOverflow
        | InputError::NumericFieldOverflow { .. }
        | InputError::NumericTooWide { .. } => Unfit::OutOfRange,
        InputError::ValueTooLong { .. } => Unfit::TooLong,
        _ => Unfit::Invalid,
    }
}

/// Characters that a column holds at most.
fn length(sql_type: &SqlType) -> Option<usize> {
    match sql_type {
        SqlType::Varchar(Some(length)) | SqlType::Char(length) => usize::try_from(*length).ok(),
        _ => None,
    }
}
