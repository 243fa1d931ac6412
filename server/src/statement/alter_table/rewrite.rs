//! Writing the rows of a table anew.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array, RecordBatch, RecordBatchOptions};
use arrow::compute::{CastOptions, cast_with_options};
use catalog::{CatalogSnapshot, Column, HotTable, RowChanges, Sequence, SqlType};
use datafusion::datasource::provider_as_source;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::LogicalPlan;
use futures::StreamExt;
use pg::session::Sequences;
use storage::hot::{HotTableProvider, TableWriter, rows};

use super::changes::Altering;
use super::verify::contains_nulls;
use crate::analyze::Analyzer;
use crate::analyze::rewrite::ColumnSource;
use crate::error::Result;
use crate::lazy::physical_may_fail;
use crate::plan::PlanContext;
use crate::sequences::SessionSequences;
use crate::session::Session;
use crate::statement::row_rules::{RowRules, has_generated};

/// The rows of a table as its new definition has them.
///
/// # Errors
/// A value cannot be computed, or is NULL where there may be none.
pub(super) async fn rows(
    session: &mut Session,
    altering: &Altering,
    new: &Arc<HotTable>,
    text: &str,
) -> Result<RowChanges> {
    let context = Arc::new(PlanContext::new(session, altering.snapshot.clone()));
    let plan = {
        let (table, segments) = (altering.old.clone(), context.segments().clone());
        let rows = altering.snapshot.rows(table.oid);
        let source = provider_as_source(Arc::new(HotTableProvider::new(table, rows, segments, physical_may_fail)));
        let columns =
            altering.new.columns.iter().filter_map(|column| Some((column.clone(), source_of(altering, column)?)));
        let columns: Vec<_> = columns.collect();
        Analyzer::new(&context, text, Vec::new()).rewritten(&altering.old, source, &columns)?
    };
    let server = &session.server;
    let reservation = server.engine.reserve("alter table");
    // Keys are looked at when all rows are there.
    let writer = TableWriter::new(new.clone(), server.segments.clone(), reservation)?;
    let mut writer = writer.changing_only(&[]);
    let fill = Fill::new(session, &context, altering, new)?;
    for_each_batch(session, context, plan, |batch| {
        let columns = fill.columns(batch.columns().to_vec(), batch.num_rows())?;
        for (column, values) in new.columns.iter().zip(&columns) {
            if column.not_null && values.null_count() > 0 {
                return Err(contains_nulls(new, column));
            }
        }
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let batch = RecordBatch::try_new_with_options(new.arrow_schema(), columns, &options);
        Ok(writer.append(batch.map_err(DataFusionError::from)?)?)
    })
    .await?;
    Ok(writer.finish()?.changes)
}

fn source_of(altering: &Altering, column: &Column) -> Option<ColumnSource> {
    let changed = altering.sources.get(&column.attribute_number).cloned();
    changed.or_else(|| altering.old.column(column.attribute_number).cloned().map(ColumnSource::Kept))
}

/// Makes the values that no query gives: those of sequences that are not there yet, and those that are computed of others.
struct Fill {
    sequences: Arc<SessionSequences>,
    /// The columns that are counted, by position, and their sequences.
    counted: Vec<(usize, Arc<Sequence>)>,
    generated: Option<RowRules>,
    types: Vec<SqlType>,
}

impl Fill {
    fn new(session: &Session, context: &PlanContext, altering: &Altering, new: &HotTable) -> Result<Self> {
        let position = |sequence: &Sequence| {
            let (_, number) = sequence.owner?;
            new.columns.iter().position(|column| column.attribute_number == number)
        };
        let counted = altering.sequences.iter().filter_map(|it| Some((position(it)?, it.clone()))).collect();
        // What the rows have to fulfil is looked at later, and told otherwise.
        let mut unconstrained = HotTable { constraints: Vec::new(), ..new.clone() };
        unconstrained.columns.iter_mut().for_each(|column| column.not_null = false);
        let generated = match has_generated(new) {
            true => Some(RowRules::planned(context, &Arc::new(unconstrained))?),
            false => None,
        };
        let types = new.columns.iter().map(|column| column.sql_type.clone()).collect();
        Ok(Fill { sequences: session.sequences.clone(), counted, generated, types })
    }

    fn columns(&self, mut columns: Vec<ArrayRef>, rows: usize) -> Result<Vec<ArrayRef>> {
        for (place, sequence) in &self.counted {
            let values: ArrayRef = Arc::new(Int64Array::from(self.sequences.next_values(sequence, rows)?));
            let options = CastOptions { safe: false, ..CastOptions::default() };
            let values = cast_with_options(&values, &self.types[*place].in_flight(), &options);
            columns[*place] = values.map_err(DataFusionError::from)?;
        }
        match &self.generated {
            Some(rules) => Ok(rules.completed(columns, rows)?.columns().to_vec()),
            None => Ok(columns),
        }
    }
}

/// The value of a column that is added, at rest; `None` when each row has another one.
///
/// # Errors
/// It cannot be computed.
pub(super) async fn added_value(
    session: &mut Session,
    snapshot: &Arc<CatalogSnapshot>,
    column: &Column,
) -> Result<Option<ArrayRef>> {
    let context = Arc::new(PlanContext::new(session, snapshot.clone()));
    let (plan, is_volatile) = Analyzer::new(&context, "", Vec::new()).added_value(column)?;
    if is_volatile {
        return Ok(None);
    }
    let mut value = None;
    for_each_batch(session, context, plan, |batch| {
        value = value.take().or_else(|| batch.columns().first().filter(|values| !values.is_empty()).cloned());
        Ok(())
    })
    .await?;
    let Some(value) = value else { return Ok(None) };
    Ok(Some(rows::value_at_rest(column, &value).map_err(DataFusionError::from)?))
}

/// Runs a plan and hands over its rows.
///
/// # Errors
/// The query fails, or `take` does.
pub(super) async fn for_each_batch(
    session: &mut Session,
    context: Arc<PlanContext>,
    plan: LogicalPlan,
    mut take: impl FnMut(&RecordBatch) -> Result<()>,
) -> Result<()> {
    let guard = session.guard();
    let plan = guard.run(session.server.engine.physical_plan(context.clone(), plan)).await??;
    let mut rows = session.server.engine.execute(plan, context.state())?;
    while let Some(batch) = guard.run(rows.next()).await? {
        take(&batch?)?;
    }
    Ok(())
}
