//! The log as relations: `thermocline.query_log`, `thermocline.query_log_scans`,
//! `thermocline.query_log_files`, `thermocline.query_log_plans` and `thermocline.external_errors`. Superusers see all of it, others what is
//! their own.

use std::fmt::Debug;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringViewArray,
    TimestampMicrosecondArray, UInt32Array,
};
use arrow::datatypes::{Schema, SchemaRef};
use catalog::Oid;
use datafusion::common::Result;
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::TableSource;
use pg::Type;
use pg::types::{BOOL, FLOAT8, INT4, INT8, OID, TEXT, TIMESTAMPTZ};
use storage::scan::faults::{FaultKind, Treatment};
use storage::scan::report::{ScanReport, Step};

use super::plans::ShownNode;
use super::{End, EndedQuery, Query, QueryLog, QueryOutcome};
use crate::explain::Actual;
use crate::plan::in_memory::{InMemory, RowSource};

/// A column: its name and type, and its values.
type Shown = (&'static str, Type, ArrayRef);

/// A statement as it is shown, and how it has ended, if it has.
struct Entry {
    query: Arc<Query>,
    ended: Option<Ended>,
}

struct Ended {
    end_us: i64,
    end: End,
}

/// The relation of this name, if it is one of them, for one who asks.
pub fn relation(name: &str, log: &Arc<QueryLog>, role: Oid, is_superuser: bool) -> Option<Arc<dyn TableSource>> {
    let columns: fn(&[Entry]) -> Vec<Shown> = match name {
        "query_log" => queries,
        "query_log_scans" => scans,
        "query_log_files" => files,
        "query_log_plans" => nodes,
        "external_errors" => errors,
        _ => return None,
    };
    let fields = columns(&[]).into_iter().map(|(name, ty, _)| ty.field(name));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let asking = (!is_superuser).then_some(role);
    Some(provider_as_source(Arc::new(InMemory(LogRows { log: log.clone(), asking, columns, schema }))))
}

/// Rows that are made when they are read.
#[derive(Debug)]
struct LogRows {
    log: Arc<QueryLog>,
    /// Whose statements are shown, if not everybody's.
    asking: Option<Oid>,
    columns: fn(&[Entry]) -> Vec<Shown>,
    schema: SchemaRef,
}

impl LogRows {
    fn entries(&self) -> Vec<Entry> {
        let may_look = |query: &&Arc<Query>| self.asking.is_none_or(|role| query.role == role);
        let log = self.log.entries();
        let ended = |ended: &EndedQuery| Entry {
            query: ended.query.clone(),
            ended: Some(Ended { end_us: ended.end_us, end: ended.end.clone() }),
        };
        let running = log.running.values().filter(may_look).map(|query| Entry { query: query.clone(), ended: None });
        log.ended.iter().filter(|it| may_look(&&it.query)).map(ended).chain(running).collect()
    }
}

impl RowSource for LogRows {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn rows(&self) -> Result<Vec<RecordBatch>> {
        let columns = (self.columns)(&self.entries()).into_iter().map(|(_, _, values)| values).collect();
        Ok(vec![RecordBatch::try_new(self.schema.clone(), columns)?])
    }
}

fn queries(entries: &[Entry]) -> Vec<Shown> {
    let all = || entries.iter().map(|entry| entry.query.as_ref());
    let outcomes = || entries.iter().map(|entry| entry.ended.as_ref().map(|ended| &ended.end.outcome));
    let status = outcomes().map(|outcome| match outcome {
        None => "running",
        Some(QueryOutcome::Success) => "success",
        Some(QueryOutcome::Cancelled(_)) => "canceled",
        Some(QueryOutcome::Failed(..)) => "failed",
    });
    let sqlstate = outcomes().map(|outcome| match outcome {
        Some(QueryOutcome::Failed(sqlstate, _)) => Some(*sqlstate),
        _ => None,
    });
    let message = outcomes().map(|outcome| match outcome {
        Some(QueryOutcome::Failed(_, message) | QueryOutcome::Cancelled(message)) => Some(message.as_str()),
        _ => None,
    });
    let end = entries.iter().map(|entry| entry.ended.as_ref().map(|ended| ended.end_us));
    vec![
        numbers("query_id", all().map(|query| Some(query.number))),
        ("user_id", Type::of(OID), Arc::new(all().map(|query| query.role.0).collect::<UInt32Array>())),
        texts("user_name", all().map(|query| Some(query.user.as_str()))),
        texts("database_name", all().map(|query| Some(query.database.as_str()))),
        ("process_id", Type::of(INT4), Arc::new(all().map(|query| query.process_id).collect::<Int32Array>())),
        texts("application_name", all().map(|query| Some(query.application_name.as_str()))),
        numbers("transaction_id", all().map(|query| query.transaction)),
        texts("command", all().map(|query| Some(query.verb))),
        texts("status", status.map(Some)),
        texts("sqlstate", sqlstate),
        texts("error_message", message),
        times("start_time", all().map(|query| Some(query.start_us))),
        times("end_time", end),
        numbers("rows", entries.iter().map(|entry| entry.ended.as_ref().map(|ended| ended.end.rows))),
        texts("query", all().map(|query| Some(query.text.as_str()))),
    ]
}

fn scans(entries: &[Entry]) -> Vec<Shown> {
    let scans: Vec<_> = entries
        .iter()
        .flat_map(|entry| entry.ended.iter().flat_map(|ended| &ended.end.scans).map(|scan| (entry.query.number, scan)))
        .collect();
    let count = |name, of: fn(&ScanReport) -> u64| numbers(name, scans.iter().map(|(_, scan)| Some(of(scan) as i64)));
    let step = |(step, name): (Step, &'static str)| {
        numbers(name, scans.iter().map(|(_, scan)| Some(scan.steps.get(step) as i64)))
    };
    let mut columns = vec![
        numbers("query_id", scans.iter().map(|(number, _)| Some(*number))),
        texts("schema_name", scans.iter().map(|(_, scan)| Some(scan.table.schema.as_str()))),
        texts("table_name", scans.iter().map(|(_, scan)| Some(scan.table.name.as_str()))),
        texts("location", scans.iter().map(|(_, scan)| Some(scan.location.as_str()))),
        texts("format", scans.iter().map(|(_, scan)| Some(scan.format))),
        count("partitions", |scan| scan.partitions_total as u64),
        count("partitions_read", |scan| scan.partitions_read as u64),
        count("files", |scan| scan.files as u64),
        count("bytes", |scan| scan.bytes),
        count("bytes_read", |scan| scan.read.bytes()),
        count("requests", |scan| scan.read.requests()),
        flags("is_load", scans.iter().map(|(_, scan)| scan.loaded.is_some())),
        count("rows_skipped", |scan| scan.faults.skipped().rows),
        count("files_skipped", |scan| scan.faults.skipped().files),
    ];
    // Those that are going to be read are told above.
    columns.extend(Step::ALL.into_iter().filter(|(step, _)| *step != Step::Files).map(step));
    columns
}

/// The plans of those that have taken long enough.
fn nodes(entries: &[Entry]) -> Vec<Shown> {
    let mut all: Vec<(i64, &ShownNode)> = Vec::new();
    for entry in entries {
        let nodes = entry.ended.iter().flat_map(|ended| ended.end.nodes.iter());
        all.extend(nodes.map(|node| (entry.query.number, node)));
    }
    let nodes = || all.iter().map(|(_, node)| *node);
    let actual = |of: fn(&Actual) -> f64| nodes().map(move |node| node.actual.as_ref().map(of));
    let details: Vec<String> = nodes().map(|node| node.details.join("\n")).collect();
    vec![
        numbers("query_id", all.iter().map(|(number, _)| Some(*number))),
        numbers("node_id", nodes().map(|node| Some(node.number))),
        numbers("parent_id", nodes().map(|node| node.parent)),
        texts("node", nodes().map(|node| Some(node.title.as_str()))),
        texts("details", details.iter().map(|details| Some(details.as_str()).filter(|details| !details.is_empty()))),
        measures("startup_cost", nodes().map(|node| Some(node.expected.startup_cost))),
        measures("total_cost", nodes().map(|node| Some(node.expected.total_cost))),
        measures("rows_expected", nodes().map(|node| Some(node.expected.rows.round()))),
        numbers("width", nodes().map(|node| Some(node.expected.width as i64))),
        numbers("rows", nodes().map(|node| node.actual.map(|actual| actual.rows as i64))),
        numbers("loops", nodes().map(|node| node.actual.map(|actual| actual.loops as i64))),
        measures("startup_ms", actual(|actual| actual.startup_ms)),
        measures("total_ms", actual(|actual| actual.total_ms)),
    ]
}

/// The files that COPY has loaded.
fn files(entries: &[Entry]) -> Vec<Shown> {
    let mut files = Vec::new();
    for entry in entries {
        for loaded in entry.ended.iter().flat_map(|ended| &ended.end.scans).filter_map(|scan| scan.loaded.as_ref()) {
            files.extend(loaded.all().into_iter().map(|file| (entry.query.number, file)));
        }
    }
    vec![
        numbers("query_id", files.iter().map(|(number, _)| Some(*number))),
        texts("file_name", files.iter().map(|(_, file)| Some(file.url.as_str()))),
        numbers("bytes", files.iter().map(|(_, file)| Some(file.bytes as i64))),
        numbers("lines", files.iter().map(|(_, file)| file.lines.map(|lines| lines as i64))),
    ]
}

/// What could not be read in files, and what became of it.
fn errors(entries: &[Entry]) -> Vec<Shown> {
    let mut all = Vec::new();
    for entry in entries {
        for scan in entry.ended.iter().flat_map(|ended| &ended.end.scans) {
            all.extend(scan.faults.kept().into_iter().map(|fault| (&entry.query, scan, fault)));
        }
    }
    let faults = || all.iter().map(|(_, _, fault)| fault);
    let replacement = faults().map(|fault| match &fault.treatment {
        Treatment::ChangedTo(value) => Some(value.as_str()),
        _ => None,
    });
    let rows = faults().map(|fault| match fault.treatment {
        Treatment::RowGroupSkipped(rows) => Some(rows as i64),
        Treatment::RowSkipped => Some(1),
        Treatment::Failed
        | Treatment::FileSkipped
        | Treatment::SetToNull
        | Treatment::ChangedTo(_)
        | Treatment::RowSetToNull => None,
    });
    vec![
        numbers("query_id", all.iter().map(|(query, ..)| Some(query.number))),
        texts("schema_name", all.iter().map(|(_, scan, _)| Some(scan.table.schema.as_str()))),
        texts("table_name", all.iter().map(|(_, scan, _)| Some(scan.table.name.as_str()))),
        flags("is_load", all.iter().map(|(_, scan, _)| scan.loaded.is_some())),
        texts("file_name", faults().map(|fault| Some(fault.path.as_str()))),
        numbers("line_number", faults().map(|fault| fault.line.map(|line| line as i64))),
        texts("column_name", faults().map(|fault| fault.column.as_deref())),
        texts("kind", faults().map(|fault| Some(kind(fault.kind)))),
        texts("error_message", faults().map(|fault| Some(fault.reason.as_str()))),
        texts("action", faults().map(|fault| Some(action(&fault.treatment)))),
        numbers("rows_skipped", rows),
        texts("raw_line", faults().map(|fault| Some(fault.raw_line.as_str()))),
        texts("raw_value", faults().map(|fault| fault.raw_value.as_deref())),
        texts("replacement", replacement),
    ]
}

fn kind(kind: FaultKind) -> &'static str {
    match kind {
        FaultKind::MoreFields => "more fields",
        FaultKind::FewerFields => "fewer fields",
        FaultKind::OutOfRange => "out of range",
        FaultKind::TooLong => "too long",
        FaultKind::Invalid => "invalid value",
        FaultKind::Null => "null",
        FaultKind::NotText => "invalid character",
        FaultKind::Line => "invalid line",
        FaultKind::File => "damaged file",
    }
}

fn action(treatment: &Treatment) -> &'static str {
    match treatment {
        Treatment::Failed => "fail",
        Treatment::RowSkipped => "skip_row",
        Treatment::RowGroupSkipped(_) => "skip_row_group",
        Treatment::FileSkipped => "skip_file",
        Treatment::SetToNull => "set_to_null",
        Treatment::ChangedTo(_) => "replace",
        Treatment::RowSetToNull => "drop_row",
    }
}

fn texts<'a>(name: &'static str, values: impl Iterator<Item = Option<&'a str>>) -> Shown {
    (name, Type::of(TEXT), Arc::new(values.collect::<StringViewArray>()))
}

fn numbers(name: &'static str, values: impl Iterator<Item = Option<i64>>) -> Shown {
    (name, Type::of(INT8), Arc::new(values.collect::<Int64Array>()))
}

fn measures(name: &'static str, values: impl Iterator<Item = Option<f64>>) -> Shown {
    (name, Type::of(FLOAT8), Arc::new(values.collect::<Float64Array>()))
}

fn flags(name: &'static str, values: impl Iterator<Item = bool>) -> Shown {
    (name, Type::of(BOOL), Arc::new(values.map(Some).collect::<BooleanArray>()))
}

fn times(name: &'static str, values: impl Iterator<Item = Option<i64>>) -> Shown {
    let values = values.collect::<TimestampMicrosecondArray>();
    (name, Type::of(TIMESTAMPTZ), Arc::new(values.with_timezone("UTC")))
}
