//! `COPY table FROM 's3://…'`: rows of files in object storage, in one commit.
//!
//! The files are read as those of an external table with the columns of the table that is filled, so that they are listed
//! once, pinned, unpacked and read in parallel as those are, and errors name file, line and column.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, new_null_array};
use arrow::datatypes::DataType;
use catalog::{Column, ExternalTable, FileFormat, HotTable, SqlType};
use datafusion::catalog::default_table_source::provider_as_source;
use datafusion::logical_expr::LogicalPlanBuilder;
use futures::StreamExt;
use pg::input::ColumnBuilder;
use storage::external::ExternalTableProvider;
use storage::hot::TableWriter;

use crate::error::{Error, Result};
use crate::parse::load::Load;
use crate::plan::PlanContext;
use crate::plan::file_values::FileValues;
use crate::plan::relations::NameScope;
use crate::session::{Action, Object, Session, authorize};
use crate::statement::Outcome;
use crate::statement::assignment::{COPY, expected_domains, writable};
use crate::statement::copy_domains::Domains;
use crate::statement::copy_to::copied_columns;
use crate::statement::row_rules::RowRules;
use crate::statement::write::commit_rows;

/// Reads the files and commits their rows.
///
/// # Errors
/// The table or a column is not there, the files cannot be read, or a row does not fit; then no row is added.
pub async fn execute(session: &mut Session, load: &Load) -> Result<Outcome> {
    let snapshot = session.snapshot()?;
    let relation = NameScope::of(session).must_relation(&snapshot, &load.table)?;
    authorize(&session.identity, Action::Insert, Object::Relation(relation))?;
    authorize(&session.identity, Action::UseLocation, Object::Location(&load.location))?;
    let table = writable(relation, COPY)?;
    let places = copied_columns(&table, &load.columns)?;
    let files = files(&table, &places, load)?;

    let context = Arc::new(PlanContext::new(session, snapshot).in_order());
    let domains = Domains::new(&context, &table, &places)?;
    let rules = RowRules::planned(&context, &table)?;
    let stores = session.server.stores.clone();
    let provider = ExternalTableProvider::new(Arc::new(files), Arc::new(BTreeMap::new()), stores, Arc::new(FileValues));
    let projection = Some((0..places.len()).collect());
    let plan = LogicalPlanBuilder::scan("files", provider_as_source(Arc::new(provider)), projection)?.build()?;

    let guard = session.guard();
    let server = &session.server;
    let mut writer = TableWriter::new(table.clone(), server.segments.clone(), server.engine.reserve("copy"))?;
    let plan = guard.run(server.engine.physical_plan(context.clone(), plan)).await??;
    // An object store has no folders that could be missing; a table is not filled from nothing by mistake.
    if context.reports().all().iter().all(|report| report.files == 0) {
        return Err(storage::Error::NotFound { location: load.location.clone() }.into());
    }
    let mut batches = server.engine.execute(plan, context.state())?;
    while let Some(batch) = guard.run(batches.next()).await? {
        let batch = batch?;
        let names = domains.names().clone();
        let _entered = names.enter();
        let columns = completed(&table, &places, &domains, &batch)?;
        writer.append(rules.completed(columns, batch.num_rows()).map_err(|violation| violation.error)?)?;
    }
    drop(batches);
    let written = writer.finish()?;
    let rows = written.rows;
    if !load.is_trial {
        commit_rows(session, &table, written, expected_domains(domains.names().snapshot(), &table)).await?;
    }
    Ok(Outcome::command(format!("COPY {rows}")))
}

/// The files as a table with the columns that are filled.
fn files(table: &HotTable, places: &[usize], load: &Load) -> Result<ExternalTable> {
    let is_parquet = load.format.format == FileFormat::Parquet;
    let column = |place: &usize| {
        let column = &table.columns[*place];
        let sql_type = match &column.sql_type {
            // Their lengths are checked when they have been read.
            SqlType::Varchar(_) | SqlType::Char(_) if is_parquet => SqlType::Text,
            SqlType::User(_) | SqlType::Modified(_) => {
                let what = format!("COPY of files into column \"{}\" of type {}", column.name, column.sql_type);
                return Err(Error::not_supported(what));
            }
            other => other.clone(),
        };
        Ok(Column::new(column.attribute_number, column.name.clone(), sql_type))
    };
    Ok(ExternalTable {
        oid: table.oid,
        name: table.name.clone(),
        columns: places.iter().map(column).collect::<Result<_>>()?,
        partition_columns: Vec::new(),
        format: load.format.format.clone(),
        compression: load.format.compression,
        layout: None,
        location: load.location.clone(),
        properties: Vec::new(),
    })
}

/// The columns of the table, of those that the files have.
fn completed(table: &HotTable, places: &[usize], domains: &Domains, batch: &RecordBatch) -> Result<Vec<ArrayRef>> {
    let rows = batch.num_rows();
    let mut columns: Vec<Option<ArrayRef>> = vec![None; table.columns.len()];
    for (values, place) in batch.columns().iter().zip(places) {
        columns[*place] = Some(of_length(values, &table.columns[*place])?);
    }
    for (place, values) in domains.defaults(rows)? {
        columns[place] = Some(values);
    }
    let columns = table.columns.iter().zip(columns);
    Ok(columns
        .map(|(column, values)| values.unwrap_or_else(|| new_null_array(&column.sql_type.in_flight(), rows)))
        .collect())
}

/// Strings that are checked for their column's length, which files of columns do not have.
fn of_length(values: &ArrayRef, column: &Column) -> Result<ArrayRef> {
    if !matches!(column.sql_type, SqlType::Varchar(Some(_)) | SqlType::Char(_))
        || *values.data_type() != DataType::Utf8View
    {
        return Ok(values.clone());
    }
    let mut builder = ColumnBuilder::new(column, values.len());
    for value in values.as_string_view() {
        match value {
            Some(text) => builder.push_text(text)?,
            None => builder.push_null(),
        }
    }
    Ok(builder.finish())
}
