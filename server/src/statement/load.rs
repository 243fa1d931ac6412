//! `COPY table FROM 's3://…'`: rows of files in object storage, in one commit.
//!
//! The files are read as those of an external table with the columns of the table that is filled, so that they are listed
//! once, pinned, unpacked and read in parallel as those are, and errors name file, line and column.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, new_null_array};
use arrow::datatypes::DataType;
use catalog::{
    BadDataRules, CatalogChange, Column, ExternalTable, FileFormat, HotTable, LoadedFile, OnBadData, SqlType,
};
use datafusion::catalog::default_table_source::provider_as_source;
use datafusion::logical_expr::LogicalPlanBuilder;
use futures::StreamExt;
use pg::input::ColumnBuilder;
use storage::external::{
    ExternalTableProvider, JsonPath, LoadFile, SessionTolerance, files_beginning, json_paths, listed_files,
    manifest_entries,
};
use storage::hot::TableWriter;
use storage::object_stores::ObjectStores;

use crate::error::{Error, Result};
use crate::parse::load::Load;
use crate::plan::PlanContext;
use crate::plan::file_values::FileValues;
use crate::plan::relations::NameScope;
use crate::session::{Action, Object, Session, authorize, now_us};
use crate::statement::Outcome;
use crate::statement::assignment::{COPY, expected_domains, writable};
use crate::statement::copy_domains::Domains;
use crate::statement::copy_to::copied_columns;
use crate::statement::row_rules::RowRules;
use crate::statement::write::commit_rows;

/// Reads the files and commits their rows, and which files they were.
///
/// # Errors
/// The table or a column is not there, the files cannot be read, or too many rows do not fit; then no row is added.
pub async fn execute(session: &mut Session, load: &Load) -> Result<Outcome> {
    let snapshot = session.snapshot()?;
    let relation = NameScope::of(session).must_relation(&snapshot, &load.table)?;
    authorize(&session.identity, Action::Insert, Object::Relation(relation))?;
    authorize(&session.identity, Action::UseLocation, Object::Location(&load.location))?;
    let table = writable(relation, COPY)?;
    let places = copied_columns(&table, &load.columns)?;
    let columns = columns(&table, &places, load)?;
    if let Some(running) = &session.running {
        session.last_load.begin(running.number());
    }
    let stores = session.stores_with(&load.keys, &load.location)?;
    let paths = paths(session, &stores, load, places.len()).await?;
    let found = files(session, &stores, load).await?;
    let ledger = snapshot.loads(table.oid);
    let is_new = |file: &LoadFile| load.is_forced || load.is_trial || !ledger.has(&file.url(), &file.version());
    let (files, known): (Vec<LoadFile>, Vec<LoadFile>) = found.into_iter().partition(is_new);
    if !known.is_empty() {
        let files = if known.len() == 1 { "1 file that has" } else { &format!("{} files that have", known.len()) };
        session.notice(format!("skipped {files} been loaded into this table before; FORCE loads again"));
    }

    let context = Arc::new(PlanContext::new(session, snapshot).in_order());
    let domains = Domains::new(&context, &table, &places)?;
    let rules = RowRules::planned(&context, &table)?;
    let loaded = loaded_files(&files);
    let mut provider = provider(stores, columns, files, load);
    if let Some(paths) = paths {
        provider = provider.with_json_paths(paths);
    }
    let projection = Some((0..places.len()).collect());
    let plan = LogicalPlanBuilder::scan("files", provider_as_source(Arc::new(provider)), projection)?.build()?;

    let guard = session.guard();
    let server = &session.server;
    let mut writer = TableWriter::new(table.clone(), server.segments.clone(), server.engine.reserve("copy"))?;
    let plan = guard.run(server.engine.physical_plan(context.clone(), plan)).await??;
    let mut batches = server.engine.execute(plan, context.state())?;
    while let Some(batch) = guard.run(batches.next()).await? {
        let batch = batch.map_err(|error| too_many_errors(error.into(), load, &context))?;
        let names = domains.names().clone();
        let _entered = names.enter();
        let columns = completed(&table, &places, &domains, &batch)?;
        writer.append(rules.completed(columns, batch.num_rows()).map_err(|violation| violation.error)?)?;
    }
    drop(batches);
    let written = writer.finish()?;
    let rows = written.rows;
    if !load.is_trial {
        let mut beside: Vec<_> = expected_domains(domains.names().snapshot(), &table).into_iter().collect();
        if !loaded.is_empty() {
            beside.push(CatalogChange::RecordLoads { table: table.oid, files: loaded, is_forced: load.is_forced });
        }
        match written.changes.is_empty() {
            true => session.commit(beside).await?,
            false => drop(commit_rows(session, &table, written, beside).await?),
        }
        session.last_load.end(rows as i64);
    }
    Ok(Outcome::command(format!("COPY {rows}")))
}

/// The files that the statement names.
async fn files(session: &mut Session, stores: &Arc<ObjectStores>, load: &Load) -> Result<Vec<LoadFile>> {
    let guard = session.guard();
    if load.is_manifest {
        let entries = guard.run(manifest_entries(stores, &load.location)).await??;
        for entry in &entries {
            authorize(&session.identity, Action::UseLocation, Object::Location(&entry.url))?;
        }
        // What need not be there is not missed, be it all of it.
        return guard.run(listed_files(stores.clone(), &load.location, entries)).await?.map_err(Error::from);
    }
    let snapshot = session.snapshot()?;
    let files = guard.run(files_beginning(stores, &load.location, snapshot.file_writes())).await??;
    // An object store has no folders that could be missing; a table is not filled from nothing by mistake. Empty files, and
    // those that say that somebody has written nothing, are something.
    if files.is_empty() && !guard.run(stores.has_files(&load.location)).await?? {
        return Err(storage::Error::NotFound { location: load.location.clone() }.into());
    }
    Ok(files)
}

/// Where the values of so many columns are in JSON, when the statement names a file that tells.
async fn paths(
    session: &mut Session,
    stores: &ObjectStores,
    load: &Load,
    columns: usize,
) -> Result<Option<Vec<JsonPath>>> {
    let Some(location) = &load.json_paths else { return Ok(None) };
    authorize(&session.identity, Action::UseLocation, Object::Location(location))?;
    let paths = session.guard().run(json_paths(stores, location)).await??;
    if paths.len() != columns {
        let reason = format!("it has {} of them, for {columns} columns", paths.len());
        return Err(storage::Error::JsonPathsInvalid { path: location.clone(), reason }.into());
    }
    Ok(Some(paths))
}

fn loaded_files(files: &[LoadFile]) -> Vec<LoadedFile> {
    let loaded_us = now_us();
    files.iter().map(|file| LoadedFile { url: file.url(), version: file.version(), loaded_us }).collect()
}

/// The files as a table of these columns.
fn provider(
    stores: Arc<ObjectStores>,
    columns: ExternalTable,
    files: Vec<LoadFile>,
    load: &Load,
) -> ExternalTableProvider {
    let rules = &columns.bad_data;
    let values = FileValues { rules: rules.clone(), conversions: Some(load.conversions.clone()) };
    let tolerance = SessionTolerance { on_bad_data: None, faults_max: Some(u64::from(load.errors_max)) };
    ExternalTableProvider::new(Arc::new(columns), Arc::default(), stores, Arc::new(values)).of_files(files, tolerance)
}

/// An error of the row that was one too many.
fn too_many_errors(error: Error, load: &Load, context: &PlanContext) -> Error {
    let left_out: u64 = context.reports().all().iter().map(|report| report.faults.left_out()).sum();
    if load.errors_max == 0 || left_out <= u64::from(load.errors_max) {
        return error;
    }
    let context = format!("COPY, which may leave out {} rows; stl_load_errors has them", load.errors_max);
    Error::InContext { source: Box::new(error), context }
}

/// The files as a table with the columns that are filled.
fn columns(table: &HotTable, places: &[usize], load: &Load) -> Result<ExternalTable> {
    let is_parquet = load.format.format == FileFormat::Parquet;
    if is_parquet && load.errors_max > 0 {
        return Err(Error::not_supported("COPY of Parquet with MAXERROR"));
    }
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
        let mut of_files = Column::new(column.attribute_number, column.name.clone(), sql_type);
        // Where a row is known by its line, what is missing is told with it.
        of_files.not_null = column.not_null && !is_parquet;
        Ok(of_files)
    };
    let on_bad_data = if load.errors_max > 0 { OnBadData::SkipRow } else { OnBadData::Fail };
    Ok(ExternalTable {
        oid: table.oid,
        name: table.name.clone(),
        columns: places.iter().map(column).collect::<Result<_>>()?,
        partition_columns: Vec::new(),
        format: load.format.format.clone(),
        compression: load.format.compression,
        encoding: load.format.encoding,
        layout: None,
        bad_data: BadDataRules { on_bad_data, ..load.bad_data.clone() },
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
