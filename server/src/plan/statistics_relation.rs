//! `pg_stats`, as PostgreSQL has it. Its arrays of values, which are of the type `anyarray` there, are arrays of texts here.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Float32Array, Float32Builder, Int32Array, ListBuilder, StringViewArray,
    StringViewBuilder, new_null_array,
};
use bytes::BytesMut;
use catalog::{CatalogSnapshot, Column, ColumnStatistics, ObjectName, Relation, SqlType};
use pg::output::text_writer_in;
use pg::types::describe;
use pg::{PgError, SessionValues};
use storage::hot::rows::in_flight;

use crate::error::Result;
use crate::plan::in_memory::Shown;

/// What is known of a column.
struct Known<'a> {
    table: &'a ObjectName,
    column: &'a Column,
    statistics: &'a ColumnStatistics,
}

/// The columns of `pg_stats`, with values as the session prints them.
///
/// # Errors
/// A value cannot be printed.
pub fn pg_stats(snapshot: &CatalogSnapshot, session: &SessionValues) -> Result<Vec<Shown>> {
    let known = known(snapshot);
    let floats = || SqlType::array_of(SqlType::Real);
    let nothing = |ty: SqlType| {
        let values = new_null_array(&ty.in_flight(), known.len());
        (ty, values)
    };
    let (texts_type, no_texts) = nothing(SqlType::array_of(SqlType::Text));
    let (_, no_floats) = nothing(floats());
    let frequencies = known.iter().map(|it| it.statistics.frequencies.as_slice());
    Ok(vec![
        names("schemaname", &known, |it| &it.table.schema),
        names("tablename", &known, |it| &it.table.name),
        names("attname", &known, |it| &it.column.name),
        ("inherited", SqlType::Boolean, Arc::new(BooleanArray::from(vec![false; known.len()]))),
        number("null_frac", &known, |it| Some(it.null_fraction)),
        (
            "avg_width",
            SqlType::Integer,
            Arc::new(Int32Array::from_iter_values(known.iter().map(|it| it.statistics.average_width))),
        ),
        number("n_distinct", &known, |it| Some(it.distinct)),
        texts("most_common_vals", &known, session, ColumnStatistics::most_common)?,
        ("most_common_freqs", floats(), float_lists(frequencies)),
        texts("histogram_bounds", &known, session, ColumnStatistics::histogram)?,
        number("correlation", &known, |it| it.correlation),
        // Of the elements of arrays nothing is collected.
        ("most_common_elems", texts_type, no_texts),
        ("most_common_elem_freqs", floats(), no_floats.clone()),
        ("elem_count_histogram", floats(), no_floats),
    ])
}

/// What is known, by table and column.
fn known(snapshot: &CatalogSnapshot) -> Vec<Known<'_>> {
    let mut known = Vec::new();
    for relation in snapshot.relations() {
        let columns: Vec<&Column> = match relation {
            Relation::Hot(table) => table.columns.iter().collect(),
            Relation::External(table) => table.columns.iter().chain(&table.partition_columns).collect(),
            Relation::View(_) | Relation::Sequence(_) => continue,
        };
        let Some(statistics) = snapshot.statistics(relation.oid()) else { continue };
        for column in columns {
            if let Some(statistics) = statistics.columns.get(&column.attribute_number) {
                known.push(Known { table: relation.name(), column, statistics });
            }
        }
    }
    known
}

fn names<'a>(name: &'static str, known: &'a [Known<'a>], of: impl Fn(&'a Known<'a>) -> &'a str) -> Shown {
    (name, SqlType::Name, Arc::new(StringViewArray::from_iter_values(known.iter().map(of))))
}

fn number(name: &'static str, known: &[Known<'_>], of: fn(&ColumnStatistics) -> Option<f32>) -> Shown {
    (name, SqlType::Real, Arc::new(Float32Array::from_iter(known.iter().map(|it| of(it.statistics)))))
}

/// Lists, NULL in the place of those that are empty.
fn float_lists<'a>(lists: impl Iterator<Item = &'a [f32]>) -> ArrayRef {
    let mut builder = ListBuilder::new(Float32Builder::new());
    for list in lists {
        builder.values().append_slice(list);
        builder.append(!list.is_empty());
    }
    Arc::new(builder.finish())
}

fn texts(
    name: &'static str,
    known: &[Known<'_>],
    session: &SessionValues,
    of: fn(&ColumnStatistics) -> Option<ArrayRef>,
) -> Result<Shown> {
    let mut builder = ListBuilder::new(StringViewBuilder::new());
    for it in known {
        let values = of(it.statistics);
        if let Some(values) = &values {
            for text in printed(it.column, values, session)? {
                builder.values().append_value(text);
            }
        }
        builder.append(values.is_some());
    }
    Ok((name, SqlType::array_of(SqlType::Text), Arc::new(builder.finish())))
}

/// Values of a column at rest, as the session prints them.
fn printed(column: &Column, values: &ArrayRef, session: &SessionValues) -> Result<Vec<String>> {
    let field = column.sql_type.field(&column.name, true);
    let values = in_flight(values, field.data_type()).map_err(datafusion::error::DataFusionError::from)?;
    let described = describe(&field);
    let write = text_writer_in(&values, described.oid, described.typmod, session).map_err(PgError::from)?;
    let text = |row: usize| -> Result<String> {
        let mut text = BytesMut::new();
        write(row, &mut text).map_err(PgError::from)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    };
    (0..values.len()).map(text).collect()
}
