//! What is known of the rows of a physical plan, node by node. Columns are named by their places.

use std::sync::Arc;

use arrow::datatypes::{FieldRef, Schema};
use datafusion::common::tree_node::TreeNode;
use datafusion::common::{JoinSide, JoinType, ScalarValue, Statistics};
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{
    BinaryExpr, CastExpr, Column, DynamicFilterPhysicalExpr, InListExpr, IsNotNullExpr, IsNullExpr, LambdaExpr,
    LikeExpr, Literal, NotExpr, TryCastExpr,
};
use datafusion::physical_expr::{HigherOrderFunctionExpr, PhysicalExpr, ScalarFunctionExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode, PhysicalGroupBy};
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::utils::JoinFilter;
use datafusion::physical_plan::joins::{CrossJoinExec, HashJoinExec, NestedLoopJoinExec, SortMergeJoinExec};
use datafusion::physical_plan::limit::{GlobalLimitExec, LocalLimitExec};
use datafusion::physical_plan::placeholder_row::PlaceholderRowExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion::physical_plan::union::UnionExec;
use storage::scan::fragment::ScanFragment;
use storage::scan::knowledge::Knowledge;

use crate::lazy::physical_connective;
use crate::optimize::ExpandExec;

use super::condition::{Condition, Operand};
use super::estimate::{ColumnEstimate, Estimate, ROWS_UNKNOWN};
use super::feedback;
use super::keys::equal_rows;
use super::logical::comparison;
use super::selectivity::{apply, part};

/// Bytes that a value without a fixed width is taken to have, as PostgreSQL does.
pub(crate) const WIDTH_UNKNOWN: usize = 32;

/// Bytes that a row takes in a hash table, beside its own.
pub(crate) const HASHED_ROW_BYTES: f64 = 16.0;

/// Pairs of sides' keys that have to be equal.
pub(crate) type JoinKeys = [(Arc<dyn PhysicalExpr>, Arc<dyn PhysicalExpr>)];

impl Estimate<usize> {
    /// What is known of the rows of a node, from what is known of those of its inputs.
    pub fn of_node(node: &dyn ExecutionPlan, inputs: &[&Estimate<usize>]) -> Self {
        let estimate = match inputs {
            [] => of_leaf(node),
            [input] => of_rows_of(node, input),
            [left, right] => of_join(node, left, right).unwrap_or_else(|| of_inputs(node, inputs)),
            _ => of_inputs(node, inputs),
        };
        let estimate = match node.fetch() {
            // A scan's limit has been looked at, and so has a LIMIT's.
            Some(fetch) if !inputs.is_empty() => estimate.at_most(fetch as f64),
            _ => estimate,
        };
        Estimate { rows: estimate.rows.max(1.0), ..estimate }
    }

    /// What is known of an expression's values.
    pub fn value_of(&self, expr: &Arc<dyn PhysicalExpr>) -> Option<&ColumnEstimate> {
        match operand_of(expr) {
            Operand::Column(column) => self.columns.get(&column),
            _ => None,
        }
    }

    /// Bytes of a row with these columns.
    pub fn width(&self, schema: &Schema) -> f64 {
        let of_column = |(place, field): (usize, &FieldRef)| match field.data_type().primitive_width() {
            Some(width) => width as f64,
            None => {
                let known = self.columns.get(&place).and_then(|column| column.shape.as_ref());
                known.map_or(WIDTH_UNKNOWN as f64, |shape| f64::from(shape.known.average_width))
            }
        };
        schema.fields().iter().enumerate().map(of_column).sum()
    }

    /// Some of its columns, in this order.
    fn projected(&self, places: impl Iterator<Item = Option<usize>>) -> Self {
        let known = |(place, of): (usize, Option<usize>)| Some((place, self.columns.get(&of?)?.clone()));
        Estimate { rows: self.rows, columns: places.enumerate().filter_map(known).collect() }
    }

    fn of_statistics(statistics: &Statistics, analyzed: Option<&Knowledge>) -> Self {
        let rows = statistics.num_rows.get_value().map_or(ROWS_UNKNOWN, |rows| *rows as f64);
        let shape = |place| analyzed.and_then(|analyzed| analyzed.column(place).cloned());
        let columns = statistics.column_statistics.iter().enumerate();
        let columns = columns.map(|(place, column)| (place, ColumnEstimate::of(column, rows, shape(place))));
        Estimate { rows: rows.max(1.0), columns: columns.collect() }
    }
}

/// Bytes that the hash tables of a plan's joins are expected to take together, about.
pub(crate) fn kept_bytes(plan: &Arc<dyn ExecutionPlan>) -> f64 {
    match plan.exists(|node| Ok(node.is::<HashJoinExec>())) {
        Ok(true) => with_kept_bytes(plan).1,
        _ => 0.0,
    }
}

fn with_kept_bytes(plan: &Arc<dyn ExecutionPlan>) -> (Estimate<usize>, f64) {
    let inputs: Vec<_> = plan.children().into_iter().map(with_kept_bytes).collect();
    let estimates: Vec<_> = inputs.iter().map(|(estimate, _)| estimate).collect();
    let estimate = Estimate::of_node(plan.as_ref(), &estimates);
    let below: f64 = inputs.iter().map(|(_, bytes)| bytes).sum();
    let kept = match (plan.downcast_ref::<HashJoinExec>(), estimates.first()) {
        (Some(join), Some(kept)) => kept.rows * (kept.width(&join.left().schema()) + HASHED_ROW_BYTES),
        _ => 0.0,
    };
    (estimate, below + kept)
}

/// What is known of the rows of a scan that no condition has been compared with.
pub(crate) fn before_conditions(fragment: &ScanFragment) -> Estimate<usize> {
    Estimate::of_statistics(&fragment.statistics, fragment.known.as_ref())
}

/// The column whose values an expression has.
pub(super) fn column_of(expr: &Arc<dyn PhysicalExpr>) -> Option<usize> {
    operand_of(expr).column().copied()
}

/// What is known of the rows that come out of a scan.
pub(crate) fn of_fragment(fragment: &ScanFragment) -> Estimate<usize> {
    let all = before_conditions(fragment);
    let all_rows = all.rows;
    let left = fragment.conditions.iter().fold(all, |rows, condition| apply(rows, &condition_of(condition)));
    let counted = || fragment.known.as_ref()?.part_left(&feedback::key_of(fragment, &[])?);
    let left = match counted() {
        Some(part) => left.with_rows(all_rows * part),
        None => left,
    };
    let left = left.projected(fragment.output.iter().map(column_of));
    match fragment.fetch {
        Some(fetch) => left.at_most(fetch as f64),
        None => left,
    }
}

fn of_leaf(node: &dyn ExecutionPlan) -> Estimate<usize> {
    if let Some(fragment) = ScanFragment::of(node) {
        return of_fragment(&fragment);
    }
    if node.is::<EmptyExec>() || node.is::<PlaceholderRowExec>() {
        return Estimate::of_rows(1.0);
    }
    match node.statistics_from_inputs(&[], &StatisticsArgs::new()) {
        Ok(statistics) => Estimate::of_statistics(&statistics, None),
        Err(_) => Estimate::of_rows(ROWS_UNKNOWN),
    }
}

fn of_rows_of(node: &dyn ExecutionPlan, input: &Estimate<usize>) -> Estimate<usize> {
    if let Some(filter) = node.downcast_ref::<FilterExec>() {
        let left = apply(input.clone(), &condition_of(filter.predicate()));
        return match filter.projection() {
            Some(places) => left.projected(places.iter().map(|place| Some(*place))),
            None => left,
        };
    }
    if let Some(projection) = node.downcast_ref::<ProjectionExec>() {
        let columns = projection.expr().iter().enumerate();
        let columns = columns.filter_map(|(place, of)| Some((place, input.value_of(&of.expr)?.clone()))).collect();
        return Estimate { rows: input.rows, columns };
    }
    if let Some(aggregate) = node.downcast_ref::<AggregateExec>() {
        return of_aggregate(aggregate, input);
    }
    if let Some(expand) = node.downcast_ref::<ExpandExec>() {
        // The keys stay where they are.
        return Estimate { rows: input.rows * expand.sets().groups().len() as f64, columns: input.columns.clone() };
    }
    if let Some(limit) = node.downcast_ref::<GlobalLimitExec>() {
        let left = (input.rows - limit.skip() as f64).max(1.0);
        return input.clone().at_most(limit.fetch().map_or(left, |fetch| left.min(fetch as f64)));
    }
    if let Some(limit) = node.downcast_ref::<LocalLimitExec>() {
        return input.clone().at_most(limit.fetch() as f64);
    }
    // Whatever else it does, its input's columns come first if they do at all.
    let (schema, inputs) = (node.schema(), node.children());
    let keeps = inputs.first().is_some_and(|input| begins_with(&schema, &input.schema()));
    if keeps { input.clone() } else { Estimate::of_rows(input.rows) }
}

fn begins_with(schema: &Schema, other: &Schema) -> bool {
    schema.fields().len() >= other.fields().len()
        && schema.fields().iter().zip(other.fields()).all(|(one, other)| one.name() == other.name())
}

fn of_inputs(node: &dyn ExecutionPlan, inputs: &[&Estimate<usize>]) -> Estimate<usize> {
    if !node.is::<UnionExec>() {
        return inputs.first().map_or_else(|| Estimate::of_rows(ROWS_UNKNOWN), |first| Estimate::clone(first));
    }
    let column = |place: usize| {
        let all: Option<Vec<ColumnEstimate>> = inputs.iter().map(|input| input.columns.get(&place).cloned()).collect();
        all?.into_iter().reduce(|one, other| one.or(&other))
    };
    let places = 0..node.schema().fields().len();
    Estimate {
        rows: inputs.iter().map(|input| input.rows).sum(),
        columns: places.filter_map(|place| Some((place, column(place)?))).collect(),
    }
}

/// How many groups there are; before the groups of several partitions are put together, each may have all of them.
fn of_aggregate(aggregate: &AggregateExec, input: &Estimate<usize>) -> Estimate<usize> {
    let group_by = aggregate.group_expr();
    let partitions = match aggregate.mode() {
        AggregateMode::Partial | AggregateMode::PartialReduce => {
            aggregate.input().properties().partitioning.partition_count() as f64
        }
        _ => 1.0,
    };
    if group_by.is_true_no_grouping() {
        return Estimate::of_rows(partitions);
    }
    let groups = (groups(group_by, input) * partitions).min(input.rows * group_by.groups().len().max(1) as f64);
    let keys = group_by.expr().iter().enumerate();
    let of_key = |key| Some(input.value_of(key)?.clone().of_groups(input.rows, groups));
    let columns = keys.filter_map(|(place, (key, _))| Some((place, of_key(key)?))).collect();
    Estimate { rows: groups, columns }
}

/// Groups of all sets of keys together.
fn groups(group_by: &PhysicalGroupBy, input: &Estimate<usize>) -> f64 {
    let of_set = |set: &Vec<bool>| {
        let keys = group_by.expr().iter().zip(set).filter(|(_, is_null)| !**is_null);
        let keys: Vec<_> = keys.map(|((key, _), _)| input.value_of(key)).collect();
        if keys.is_empty() { 1.0 } else { input.groups(keys.iter().copied(), keys.len()) }
    };
    group_by.groups().iter().map(of_set).sum()
}

/// A column that comes out of a join.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JoinColumn {
    /// Of the left side, by its place there.
    Left(usize),
    /// Of the right side.
    Right(usize),
    /// Whether the row has a partner.
    Mark,
}

/// The columns that come out of a join of sides with so many.
fn join_columns(join_type: JoinType, left: usize, right: usize) -> Vec<JoinColumn> {
    let of_left = (0..left).map(JoinColumn::Left);
    let of_right = (0..right).map(JoinColumn::Right);
    match join_type {
        JoinType::LeftSemi | JoinType::LeftAnti => of_left.collect(),
        JoinType::RightSemi | JoinType::RightAnti => of_right.collect(),
        JoinType::LeftMark => of_left.chain([JoinColumn::Mark]).collect(),
        JoinType::RightMark => of_right.chain([JoinColumn::Mark]).collect(),
        JoinType::Inner | JoinType::Left | JoinType::Right | JoinType::Full => of_left.chain(of_right).collect(),
    }
}

/// What there is to say of a join, whichever way it is done.
pub(crate) struct JoinParts<'a> {
    pub join_type: JoinType,
    pub keys: &'a JoinKeys,
    pub filter: Option<&'a JoinFilter>,
    /// The columns that come out of those that could.
    pub projection: Option<&'a [usize]>,
}

impl<'a> JoinParts<'a> {
    /// Of a node, if it joins two inputs.
    pub fn of(node: &'a dyn ExecutionPlan) -> Option<JoinParts<'a>> {
        if let Some(join) = node.downcast_ref::<HashJoinExec>() {
            let projection = join.projection.as_deref();
            return Some(JoinParts {
                join_type: *join.join_type(),
                keys: join.on(),
                filter: join.filter(),
                projection,
            });
        }
        if let Some(join) = node.downcast_ref::<NestedLoopJoinExec>() {
            let projection = join.projection().as_deref();
            return Some(JoinParts { join_type: *join.join_type(), keys: &[], filter: join.filter(), projection });
        }
        if let Some(join) = node.downcast_ref::<SortMergeJoinExec>() {
            let filter = join.filter().as_ref();
            return Some(JoinParts { join_type: join.join_type(), keys: join.on(), filter, projection: None });
        }
        node.is::<CrossJoinExec>().then_some(JoinParts {
            join_type: JoinType::Inner,
            keys: &[],
            filter: None,
            projection: None,
        })
    }

    /// The columns that come out, of sides with so many.
    pub fn columns(&self, left: usize, right: usize) -> Vec<JoinColumn> {
        let all = join_columns(self.join_type, left, right);
        match self.projection {
            Some(places) => places.iter().filter_map(|place| all.get(*place).copied()).collect(),
            None => all,
        }
    }
}

fn of_join(node: &dyn ExecutionPlan, left: &Estimate<usize>, right: &Estimate<usize>) -> Option<Estimate<usize>> {
    let join = JoinParts::of(node)?;
    let inputs = node.children();
    let (left_count, right_count) = (inputs.first()?.schema().fields().len(), inputs.get(1)?.schema().fields().len());
    let key = |side: &Estimate<usize>, key| side.value_of(key).and_then(|key| key.key_in(side.rows));
    let keys = join.keys.iter().map(|(one, other)| (key(left, one), key(right, other)));
    let mut found = equal_rows(left.rows, right.rows, keys);
    // The columns of the right side come behind those of the left.
    let behind = right.columns.iter().map(|(place, column)| (left_count + place, column.clone())).collect();
    let right = Estimate { rows: right.rows, columns: behind };
    if let Some(filter) = join.filter {
        let mut both = Estimate { rows: left.rows * right.rows, columns: left.columns.clone() };
        both.columns.extend(right.columns.clone());
        found *= part(&both, &of_filter(filter, left_count));
    }
    let joined = Estimate::joined(left.clone(), right, join.join_type, found);
    let places = join.columns(left_count, right_count).into_iter().map(|column| match column {
        JoinColumn::Left(place) => Some(place),
        JoinColumn::Right(place) => Some(left_count + place),
        JoinColumn::Mark => None,
    });
    Some(joined.projected(places))
}

/// A join's condition on the columns of both sides, the right behind the left.
fn of_filter(filter: &JoinFilter, left_count: usize) -> Condition<usize> {
    let place = |column: usize| match filter.column_indices().get(column) {
        Some(of) if of.side == JoinSide::Left => Some(of.index),
        Some(of) => Some(left_count + of.index),
        None => None,
    };
    condition(filter.expression(), &place)
}

/// A condition, as far as it matters how many rows it leaves.
pub(super) fn condition_of(expr: &Arc<dyn PhysicalExpr>) -> Condition<usize> {
    condition(expr, &Some)
}

fn condition(expr: &Arc<dyn PhysicalExpr>, place: &dyn Fn(usize) -> Option<usize>) -> Condition<usize> {
    let operand = |expr: &Arc<dyn PhysicalExpr>| moved(operand_of(expr), place);
    let inner = |expr: &Arc<dyn PhysicalExpr>| condition(expr, place);
    if let Some(binary) = expr.downcast_ref::<BinaryExpr>() {
        return match binary.op() {
            Operator::And => Condition::And(vec![inner(binary.left()), inner(binary.right())]),
            Operator::Or => Condition::Or(vec![inner(binary.left()), inner(binary.right())]),
            operator => {
                Condition::Compare { left: operand(binary.left()), operator: *operator, right: operand(binary.right()) }
            }
        };
    }
    if let Some(call) = expr.downcast_ref::<ScalarFunctionExpr>()
        && let (Some(operator), [left, right]) = (comparison(call.name()), call.args())
    {
        return Condition::Compare { left: operand(left), operator, right: operand(right) };
    }
    if let Some(call) = expr.downcast_ref::<HigherOrderFunctionExpr>()
        && let Some(operator) = physical_connective(call)
    {
        let all = call.args().iter().map(|arg| inner(body(arg))).collect();
        return if operator == Operator::Or { Condition::Or(all) } else { Condition::And(all) };
    }
    if let Some(list) = expr.downcast_ref::<InListExpr>() {
        let values = list.list().iter().map(operand).collect();
        return negated_if(list.negated(), Condition::In { operand: operand(list.expr()), values });
    }
    if let Some(like) = expr.downcast_ref::<LikeExpr>() {
        let (operand, pattern) = (operand(like.expr()), operand(like.pattern()));
        let ignores_case = like.case_insensitive();
        return negated_if(like.negated(), Condition::Like { operand, pattern, ignores_case });
    }
    if let Some(not) = expr.downcast_ref::<NotExpr>() {
        return negated_if(true, inner(not.arg()));
    }
    if let Some(is_null) = expr.downcast_ref::<IsNullExpr>() {
        return Condition::IsNull(operand(is_null.arg()));
    }
    if let Some(is_not_null) = expr.downcast_ref::<IsNotNullExpr>() {
        return negated_if(true, Condition::IsNull(operand(is_not_null.arg())));
    }
    if let Some(literal) = expr.downcast_ref::<Literal>() {
        return Condition::Constant(*literal.value() == ScalarValue::Boolean(Some(true)));
    }
    // What it will say nobody knows before the plan runs.
    if expr.is::<DynamicFilterPhysicalExpr>() {
        return Condition::Constant(true);
    }
    match (operand(expr), expr.children().as_slice()) {
        (Operand::Column(column), _) => Condition::Holds(column),
        // What wraps a condition of the engine's to do something beside.
        (_, [only]) if !expr.is::<ScalarFunctionExpr>() && !expr.is::<CastExpr>() => inner(only),
        _ => Condition::Unknown,
    }
}

fn body(arg: &Arc<dyn PhysicalExpr>) -> &Arc<dyn PhysicalExpr> {
    arg.downcast_ref::<LambdaExpr>().map_or(arg, LambdaExpr::body)
}

fn negated_if(negated: bool, condition: Condition<usize>) -> Condition<usize> {
    if negated { Condition::Not(Box::new(condition)) } else { condition }
}

fn moved(operand: Operand<usize>, place: &dyn Fn(usize) -> Option<usize>) -> Operand<usize> {
    match operand {
        Operand::Column(column) => place(column).map_or(Operand::Other, Operand::Column),
        other => other,
    }
}

fn operand_of(expr: &Arc<dyn PhysicalExpr>) -> Operand<usize> {
    if let Some(column) = expr.downcast_ref::<Column>() {
        return Operand::Column(column.index());
    }
    if let Some(literal) = expr.downcast_ref::<Literal>() {
        return Operand::Value(literal.value().clone());
    }
    if let Some(cast) = expr.downcast_ref::<CastExpr>() {
        return operand_of(cast.expr());
    }
    if let Some(cast) = expr.downcast_ref::<TryCastExpr>() {
        return operand_of(cast.expr());
    }
    match expr.downcast_ref::<ScalarFunctionExpr>() {
        Some(call) if call.name() == "cast" => call.args().first().map_or(Operand::Other, operand_of),
        _ => Operand::Other,
    }
}
