//! Subqueries that find their rows by values which these have in common with the outer row: `… WHERE y.a = x.a`. When there
//! are many outer rows, all rows of such a subquery are read once and looked up by these values.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, UInt32Array};
use arrow::compute::{concat_batches, take};
use arrow::row::{OwnedRow, RowConverter, SortField};
use datafusion::catalog::default_table_source::source_as_provider;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, Result};
use datafusion::datasource::cte_worktable::CteWorkTable;
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{BinaryExpr, Expr, LogicalPlan, LogicalPlanBuilder, Operator};
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::StreamExt;

use super::logical::{ApplyKind, outer_columns};
use super::simple::has_outer;
use crate::lazy::may_fail;

/// What reading a row and keeping it costs, about, in nanoseconds.
const ROW_NS: u64 = 200;
/// Bytes of an entry of the map, and of what is needed to make it, beside its key.
const ENTRY_BYTES: usize = 200;

/// All rows of a subquery that reads the outer row by keys: the keys come first, one for each outer column that it reads.
#[derive(Debug)]
pub(super) struct KeyedPlan(LogicalPlan);

impl KeyedPlan {
    /// Of this subquery, if it is one, and if reading all of its rows does nothing else than reading them for each outer row.
    ///
    /// # Errors
    /// None of its own.
    pub fn of(subquery: &LogicalPlan, outer: &[Column], kind: &ApplyKind) -> Result<Option<Self>> {
        if outer.is_empty() || !is_repeatable(subquery)? {
            return Ok(None);
        }
        let Some(rows) = with_keys(subquery, outer)? else { return Ok(None) };
        if !matches!(kind, ApplyKind::Exists { .. }) {
            return Ok(Some(KeyedPlan(rows)));
        }
        let keys: Vec<_> = rows.schema().columns().into_iter().take(outer.len()).map(Expr::Column).collect();
        LogicalPlanBuilder::from(rows).project(keys)?.distinct()?.build().map(|keys| Some(KeyedPlan(keys)))
    }

    /// The plan.
    pub fn plan(&self) -> &LogicalPlan {
        &self.0
    }
}

/// The plan without its conditions on outer columns, and with the columns that these are compared with before its own.
fn with_keys(plan: &LogicalPlan, outer: &[Column]) -> Result<Option<LogicalPlan>> {
    match plan {
        LogicalPlan::Projection(projection) if !projection.expr.iter().any(has_outer) => {
            let Some(input) = with_keys(&projection.input, outer)? else { return Ok(None) };
            let keys: Vec<_> = input.schema().columns().into_iter().take(outer.len()).map(Expr::Column).collect();
            let exprs = keys.into_iter().chain(projection.expr.iter().cloned());
            LogicalPlanBuilder::from(input).project(exprs.collect::<Vec<_>>())?.build().map(Some)
        }
        LogicalPlan::SubqueryAlias(aliased) => {
            let Some(input) = with_keys(&aliased.input, outer)? else { return Ok(None) };
            LogicalPlanBuilder::from(input).alias(aliased.alias.clone())?.build().map(Some)
        }
        LogicalPlan::Filter(filter) if !has_outer(&filter.predicate) => {
            let Some(input) = with_keys(&filter.input, outer)? else { return Ok(None) };
            LogicalPlanBuilder::from(input).filter(filter.predicate.clone())?.build().map(Some)
        }
        LogicalPlan::Filter(filter) => {
            if !outer_columns(&filter.input)?.is_empty() {
                return Ok(None);
            }
            let mut keys: Vec<Option<Column>> = vec![None; outer.len()];
            let mut rows = LogicalPlanBuilder::from(filter.input.as_ref().clone());
            for condition in split_conjunction(&filter.predicate) {
                if !has_outer(condition) {
                    rows = rows.filter(condition.clone())?;
                    continue;
                }
                let Some((column, read)) = equality(condition) else { return Ok(None) };
                let Some(place) = outer.iter().position(|known| known == read) else { return Ok(None) };
                match &keys[place] {
                    None => keys[place] = Some(column.clone()),
                    // Both are the same as the outer column.
                    Some(key) => rows = rows.filter(Expr::Column(key.clone()).eq(Expr::Column(column.clone())))?,
                }
            }
            let Some(keys) = keys.into_iter().collect::<Option<Vec<_>>>() else { return Ok(None) };
            let mut exprs = Vec::with_capacity(keys.len());
            for (number, key) in keys.into_iter().enumerate() {
                rows = rows.filter(Expr::Column(key.clone()).is_not_null())?;
                exprs.push(Expr::Column(key).alias(format!("\0{number}")));
            }
            exprs.extend(filter.input.schema().columns().into_iter().map(Expr::Column));
            rows.project(exprs)?.build().map(Some)
        }
        _ => Ok(None),
    }
}

/// A column that equals an outer one.
fn equality(condition: &Expr) -> Option<(&Column, &Column)> {
    match condition {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) => match (left.as_ref(), right.as_ref()) {
            (Expr::Column(column), Expr::OuterReferenceColumn(_, outer))
            | (Expr::OuterReferenceColumn(_, outer), Expr::Column(column)) => Some((column, outer)),
            _ => None,
        },
        _ => None,
    }
}

/// Whether it neither matters how often a plan runs, nor for which rows.
fn is_repeatable(plan: &LogicalPlan) -> Result<bool> {
    let mut is_so = true;
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            is_so &= !expr.is_volatile() && !may_fail(expr);
            Ok(TreeNodeRecursion::Continue)
        })?;
        is_so &= !matches!(node, LogicalPlan::Extension(_));
        Ok(if is_so { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    })?;
    // The rows of the last round are others each time.
    Ok(is_so && !reads_work_table(plan)?)
}

/// Whether a plan reads the rows of the last round of a recursive table around it.
pub(super) fn reads_work_table(plan: &LogicalPlan) -> Result<bool> {
    let (mut read, mut own) = (Vec::new(), Vec::new());
    plan.apply_with_subqueries(|node| {
        match node {
            LogicalPlan::RecursiveQuery(query) => own.push(query.name.clone()),
            LogicalPlan::TableScan(scan) => {
                let provider = source_as_provider(&scan.source)?;
                read.extend(provider.downcast_ref::<CteWorkTable>().map(|table| table.name().to_owned()));
            }
            _ => {}
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(read.iter().any(|table| !own.contains(table)))
}

/// How long reading all rows may take, in nanoseconds; nothing when it is not known how many they are.
pub(super) fn cost_ns(plan: &Arc<dyn ExecutionPlan>) -> Result<Option<u64>> {
    let mut rows = Some(0_u64);
    plan.apply(|node| {
        if node.children().is_empty() {
            let statistics = StatisticsContext::new().compute(node.as_ref(), &StatisticsArgs::new())?;
            let own = statistics.num_rows.get_value().copied();
            rows = rows.zip(own).map(|(rows, own)| rows.saturating_add(own as u64));
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(rows.map(|rows| rows.saturating_mul(ROW_NS)))
}

/// The rows, by their keys.
#[derive(Debug)]
pub(super) struct KeyedRows {
    converter: RowConverter,
    /// The rows of a key are those at these places of `picks`.
    places: HashMap<OwnedRow, Range<u32>>,
    picks: Vec<u32>,
    /// The columns of the subquery.
    columns: Vec<ArrayRef>,
    _memory: MemoryReservation,
}

impl KeyedRows {
    /// Reads them; nothing when there is no memory for them.
    ///
    /// # Errors
    /// The plan fails.
    pub async fn read(plan: Arc<dyn ExecutionPlan>, keys: usize, context: Arc<TaskContext>) -> Result<Option<Self>> {
        let memory = MemoryConsumer::new("Apply").register(context.memory_pool());
        let schema = plan.schema();
        let mut stream = execute_stream(plan, context)?;
        let mut batches = Vec::new();
        while let Some(batch) = stream.next().await.transpose()? {
            // The batches, and one column of all of them.
            if memory.try_grow(2 * batch.get_array_memory_size() + ENTRY_BYTES * batch.num_rows()).is_err() {
                return Ok(None);
            }
            batches.push(batch);
        }
        let rows = concat_batches(&schema, &batches)?;
        let (key_columns, columns) = rows.columns().split_at(keys);
        let fields = key_columns.iter().map(|column| SortField::new(column.data_type().clone()));
        let converter = RowConverter::new(fields.collect())?;
        let converted = converter.convert_columns(key_columns)?;
        let mut members: HashMap<OwnedRow, Vec<u32>> = HashMap::new();
        for row in 0..rows.num_rows() {
            members.entry(converted.row(row).owned()).or_default().push(row as u32);
        }
        if memory.try_grow(converted.size()).is_err() {
            return Ok(None);
        }
        let mut picks = Vec::with_capacity(rows.num_rows());
        let mut places = HashMap::with_capacity(members.len());
        for (key, members) in members {
            let begin = picks.len() as u32;
            picks.extend(members);
            places.insert(key, begin..picks.len() as u32);
        }
        let columns = columns.to_vec();
        Ok(Some(KeyedRows { converter, places, picks, columns, _memory: memory }))
    }

    /// How many rows each of these keys has, and the columns of all of them, in the order of the keys. With `pad`, there is a
    /// row of NULLs for a key that has none.
    ///
    /// # Errors
    /// The keys have other types.
    pub fn of(
        &self,
        keys: &[ArrayRef],
        is_needed: impl Fn(usize) -> bool,
        pad: bool,
    ) -> Result<(Vec<usize>, Vec<ArrayRef>)> {
        let converted = self.converter.convert_columns(keys)?;
        let mut counts = Vec::with_capacity(converted.num_rows());
        let mut picks: Vec<Option<u32>> = Vec::new();
        for row in 0..converted.num_rows() {
            let is_null = keys.iter().any(|key| key.is_null(row));
            let found = match is_null || !is_needed(row) {
                true => None,
                false => self.places.get(&converted.row(row).owned()),
            };
            let found = found.map_or(&[][..], |range| &self.picks[range.start as usize..range.end as usize]);
            counts.push(found.len());
            picks.extend(found.iter().copied().map(Some));
            picks.extend((pad && found.is_empty()).then_some(None));
        }
        let picks = UInt32Array::from(picks);
        let columns = self.columns.iter().map(|column| take(column, &picks, None));
        Ok((counts, columns.collect::<std::result::Result<_, _>>()?))
    }
}
