//! Rows of a system relation, made value by value.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Float32Builder, Int16Builder, Int32Builder, Int64Builder, ListBuilder, RecordBatch,
    StringViewBuilder, TimestampMicrosecondBuilder, UInt32Builder, new_null_array,
};
use arrow::datatypes::{DataType, Schema, SchemaRef};
use catalog::Oid;
use pg::input::column;
use pg::names::PG_CATALOG;
use pg::recorded::{self, Relation};
use pg::types::{INT2VECTOR, OIDVECTOR};
use pg::{PgError, SessionValues, Type};

use crate::error::{Error, Result};

/// A value of a system relation.
#[derive(Debug, Clone)]
pub enum Value<'a> {
    /// NULL
    Null,
    /// `boolean`
    Bool(bool),
    /// `smallint`
    Int2(i16),
    /// `integer`
    Int4(i32),
    /// `bigint`
    Int8(i64),
    /// `real`
    Float4(f32),
    /// `oid` and its kin
    Number(u32),
    /// `timestamptz`, in microseconds since 1970
    Time(i64),
    /// What is carried as a text
    Text(Cow<'a, str>),
    /// `int2vector`, `smallint[]`
    Int2s(Vec<i16>),
    /// `oidvector`, `oid[]`
    Numbers(Vec<u32>),
    /// `text[]` and its kin
    Texts(Vec<String>),
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Value::Bool(value)
    }
}

impl From<i16> for Value<'_> {
    fn from(value: i16) -> Self {
        Value::Int2(value)
    }
}

impl From<i32> for Value<'_> {
    fn from(value: i32) -> Self {
        Value::Int4(value)
    }
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Value::Int8(value)
    }
}

impl From<f32> for Value<'_> {
    fn from(value: f32) -> Self {
        Value::Float4(value)
    }
}

impl From<u32> for Value<'_> {
    fn from(value: u32) -> Self {
        Value::Number(value)
    }
}

impl From<Oid> for Value<'_> {
    fn from(value: Oid) -> Self {
        Value::Number(value.0)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Value::Text(Cow::Borrowed(value))
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(value: &'a String) -> Self {
        Value::Text(Cow::Borrowed(value))
    }
}

impl From<String> for Value<'_> {
    fn from(value: String) -> Self {
        Value::Text(Cow::Owned(value))
    }
}

impl From<Vec<i16>> for Value<'_> {
    fn from(value: Vec<i16>) -> Self {
        Value::Int2s(value)
    }
}

impl From<Vec<u32>> for Value<'_> {
    fn from(value: Vec<u32>) -> Self {
        Value::Numbers(value)
    }
}

impl From<Vec<String>> for Value<'_> {
    fn from(value: Vec<String>) -> Self {
        Value::Texts(value)
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

/// The rows of a relation of `pg_catalog`, in the making.
#[derive(Debug)]
pub struct Rows {
    relation: &'static Relation,
    schema: SchemaRef,
    /// Of the columns that the rows say something of: which of the relation's it is.
    places: Vec<usize>,
    builders: Vec<Builder>,
    rows: usize,
}

impl Rows {
    /// For rows that have values in these columns. In others they have NULL, or where there is none, zero, false, or an
    /// empty text.
    ///
    /// # Errors
    /// A relation or column of the name does not exist, or has values that cannot be made so: a bug.
    pub fn new(relation: &str, columns: &[&str]) -> Result<Rows> {
        let relation = must_relation(relation)?;
        let schema = schema_of(relation);
        let place =
            |name: &&str| relation.column(name).ok_or_else(|| bug(format!("{} has no column {name}", relation.name)));
        let places = columns.iter().map(place).collect::<Result<Vec<_>>>()?;
        let builders = places.iter().map(|place| Builder::new(schema.field(*place).data_type()));
        let builders = builders.collect::<Result<_>>()?;
        Ok(Rows { relation, schema, places, builders, rows: 0 })
    }

    /// Adds a row: a value for each of the columns.
    ///
    /// # Errors
    /// A value is of another type than its column: a bug.
    pub fn push<const N: usize>(&mut self, values: [Value<'_>; N]) -> Result<()> {
        debug_assert_eq!(N, self.builders.len(), "a value for each column of {}", self.relation.name);
        for (builder, value) in self.builders.iter_mut().zip(values) {
            builder.append(value).map_err(|value| bug(format!("{} with {value}", self.relation.name)))?;
        }
        self.rows += 1;
        Ok(())
    }

    /// The rows.
    ///
    /// # Errors
    /// None but bugs.
    pub fn finish(self) -> Result<RecordBatch> {
        let mut columns: Vec<Option<ArrayRef>> = vec![None; self.schema.fields().len()];
        for (place, builder) in self.places.into_iter().zip(self.builders) {
            columns[place] = Some(builder.finish());
        }
        let columns = columns.into_iter().zip(self.relation.all_columns()).map(|(values, column)| match values {
            Some(values) => Ok(values),
            None => unsaid(column, self.rows),
        });
        batch(&self.schema, columns.collect::<Result<_>>()?)
    }
}

/// The rows that PostgreSQL has from the start, those that `keep` says of the texts of their values.
///
/// # Errors
/// None but bugs.
pub fn recorded_rows(relation: &str, keep: impl Fn(&[Option<&'static str>]) -> bool) -> Result<RecordBatch> {
    let found = must_relation(relation)?;
    let schema = schema_of(found);
    let Some(recorded) = recorded::rows(relation) else { return Ok(RecordBatch::new_empty(schema)) };
    let rows: Vec<_> = recorded.rows.iter().filter(|row| keep(row)).collect();
    let columns = found.all_columns().map(|its| match recorded.column(its.name) {
        Some(place) => {
            let texts: Vec<_> = rows.iter().map(|row| row[place]).collect();
            Ok(column::column(&type_of(its), &texts, &SessionValues::default())?)
        }
        None => unsaid(its, rows.len()),
    });
    batch(&schema, columns.collect::<Result<_>>()?)
}

/// The columns of a relation, as the engine knows them.
pub fn schema_of(relation: &'static Relation) -> SchemaRef {
    let field = |column: &recorded::Column| type_of(column).field(column.name);
    Arc::new(Schema::new(relation.all_columns().map(field).collect::<Vec<_>>()))
}

fn type_of(column: &recorded::Column) -> Type {
    Type::with_typmod(column.type_oid, column.typmod)
}

/// What rows have in a column that they say nothing of.
fn unsaid(column: &recorded::Column, rows: usize) -> Result<ArrayRef> {
    let ty = type_of(column);
    if !column.not_null {
        return Ok(new_null_array(&ty.arrow, rows));
    }
    let text = match ty.arrow {
        DataType::Boolean => "f",
        DataType::List(_) if matches!(column.type_oid, INT2VECTOR | OIDVECTOR) => "",
        DataType::List(_) => "{}",
        DataType::Utf8View => "",
        _ => "0",
    };
    Ok(column::column(&ty, &vec![Some(text); rows], &SessionValues::default())?)
}

fn batch(schema: &SchemaRef, columns: Vec<ArrayRef>) -> Result<RecordBatch> {
    RecordBatch::try_new(schema.clone(), columns).map_err(|error| bug(error.to_string()))
}

fn must_relation(name: &str) -> Result<&'static Relation> {
    recorded::relation(PG_CATALOG, name).ok_or_else(|| bug(format!("there is no {name}")))
}

fn bug(what: String) -> Error {
    PgError::internal(format!("a system relation: {what}")).into()
}

/// The values of a column, in the making.
#[derive(Debug)]
enum Builder {
    Bool(BooleanBuilder),
    Int2(Int16Builder),
    Int4(Int32Builder),
    Int8(Int64Builder),
    Float4(Float32Builder),
    Number(UInt32Builder),
    Time(TimestampMicrosecondBuilder),
    Text(StringViewBuilder),
    Int2s(ListBuilder<Int16Builder>),
    Numbers(ListBuilder<UInt32Builder>),
    Texts(ListBuilder<StringViewBuilder>),
}

impl Builder {
    fn new(data_type: &DataType) -> Result<Self> {
        Ok(match data_type {
            DataType::Boolean => Builder::Bool(BooleanBuilder::new()),
            DataType::Int16 => Builder::Int2(Int16Builder::new()),
            DataType::Int32 => Builder::Int4(Int32Builder::new()),
            DataType::Int64 => Builder::Int8(Int64Builder::new()),
            DataType::Float32 => Builder::Float4(Float32Builder::new()),
            DataType::UInt32 => Builder::Number(UInt32Builder::new()),
            DataType::Timestamp(_, zone) => {
                Builder::Time(TimestampMicrosecondBuilder::new().with_timezone_opt(zone.clone()))
            }
            DataType::Utf8View => Builder::Text(StringViewBuilder::new()),
            DataType::List(item) => match item.data_type() {
                DataType::Int16 => Builder::Int2s(ListBuilder::new(Int16Builder::new())),
                DataType::UInt32 => Builder::Numbers(ListBuilder::new(UInt32Builder::new())),
                DataType::Utf8View => Builder::Texts(ListBuilder::new(StringViewBuilder::new())),
                other => return Err(bug(format!("values of {other}"))),
            },
            other => return Err(bug(format!("values of {other}"))),
        })
    }

    /// Adds a value, or gives it back described when it is of another type.
    fn append(&mut self, value: Value<'_>) -> std::result::Result<(), String> {
        match (self, value) {
            (Builder::Bool(it), Value::Bool(value)) => it.append_value(value),
            (Builder::Int2(it), Value::Int2(value)) => it.append_value(value),
            (Builder::Int4(it), Value::Int4(value)) => it.append_value(value),
            (Builder::Int8(it), Value::Int8(value)) => it.append_value(value),
            (Builder::Float4(it), Value::Float4(value)) => it.append_value(value),
            (Builder::Number(it), Value::Number(value)) => it.append_value(value),
            (Builder::Time(it), Value::Time(value)) => it.append_value(value),
            (Builder::Text(it), Value::Text(value)) => it.append_value(value),
            (Builder::Int2s(it), Value::Int2s(values)) => it.append_value(values.into_iter().map(Some)),
            (Builder::Numbers(it), Value::Numbers(values)) => it.append_value(values.into_iter().map(Some)),
            (Builder::Texts(it), Value::Texts(values)) => it.append_value(values.into_iter().map(Some)),
            (builder, Value::Null) => builder.append_null(),
            (builder, value) => return Err(format!("{value:?} among {builder:?}")),
        }
        Ok(())
    }

    fn append_null(&mut self) {
        match self {
            Builder::Bool(it) => it.append_null(),
            Builder::Int2(it) => it.append_null(),
            Builder::Int4(it) => it.append_null(),
            Builder::Int8(it) => it.append_null(),
            Builder::Float4(it) => it.append_null(),
            Builder::Number(it) => it.append_null(),
            Builder::Time(it) => it.append_null(),
            Builder::Text(it) => it.append_null(),
            Builder::Int2s(it) => it.append_null(),
            Builder::Numbers(it) => it.append_null(),
            Builder::Texts(it) => it.append_null(),
        }
    }

    fn finish(self) -> ArrayRef {
        match self {
            Builder::Bool(mut it) => Arc::new(it.finish()),
            Builder::Int2(mut it) => Arc::new(it.finish()),
            Builder::Int4(mut it) => Arc::new(it.finish()),
            Builder::Int8(mut it) => Arc::new(it.finish()),
            Builder::Float4(mut it) => Arc::new(it.finish()),
            Builder::Number(mut it) => Arc::new(it.finish()),
            Builder::Time(mut it) => Arc::new(it.finish()),
            Builder::Text(mut it) => Arc::new(it.finish()),
            Builder::Int2s(mut it) => Arc::new(it.finish()),
            Builder::Numbers(mut it) => Arc::new(it.finish()),
            Builder::Texts(mut it) => Arc::new(it.finish()),
        }
    }
}
