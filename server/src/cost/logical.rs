//! What is known of the rows of a logical plan.

use datafusion::common::{Column, ScalarValue, TableReference};
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::expr::{Between, InList, Like};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{
    Aggregate, BinaryExpr, Distinct, Expr, FetchType, Filter, Join, LogicalPlan, Operator, TableScan, Union,
};

use storage::scan::knowledge::Knowledge;

use super::condition::{Condition, Operand};
use super::estimate::{ColumnEstimate, Estimate, ROWS_UNKNOWN};
use super::feedback;
use super::keys::{KeyValues, equal_rows};
use super::selectivity::apply;

impl Estimate<Column> {
    /// What is known of a plan.
    pub fn of(plan: &LogicalPlan) -> Self {
        let estimate = match plan {
            LogicalPlan::TableScan(scan) => of_scan(scan, &[]),
            LogicalPlan::Filter(filter) => {
                let condition = condition_of(&filter.predicate);
                match filter.input.as_ref() {
                    LogicalPlan::TableScan(scan) => of_filtered_scan(scan, filter, &condition),
                    input => apply(Estimate::of(input), &condition),
                }
            }
            LogicalPlan::Projection(projection) => {
                let input = Estimate::of(&projection.input);
                let names = projection.schema.columns().into_iter().zip(&projection.expr);
                let columns = names.filter_map(|(name, expr)| Some((name, input.column_of(expr)?.clone()))).collect();
                Estimate { rows: input.rows, columns }
            }
            LogicalPlan::SubqueryAlias(alias) => Estimate::of(&alias.input).renamed(&alias.alias),
            LogicalPlan::Aggregate(aggregate) => of_aggregate(aggregate),
            LogicalPlan::Distinct(Distinct::All(input)) => {
                let input = Estimate::of(input);
                let rows = input.groups(input.columns.values().map(Some), input.columns.len());
                let of_groups = |(name, column): (Column, ColumnEstimate)| (name, column.of_groups(input.rows, rows));
                Estimate { rows, columns: input.columns.into_iter().map(of_groups).collect() }
            }
            LogicalPlan::Limit(limit) => {
                let input = Estimate::of(&limit.input);
                match limit.get_fetch_type() {
                    Ok(FetchType::Literal(Some(fetch))) => input.at_most(fetch as f64),
                    _ => input,
                }
            }
            LogicalPlan::Sort(sort) => {
                let input = Estimate::of(&sort.input);
                sort.fetch.map_or(input.clone(), |fetch| input.at_most(fetch as f64))
            }
            LogicalPlan::Union(union) => of_union(union),
            LogicalPlan::Join(join) => of_join(join),
            LogicalPlan::Values(values) => Estimate::of_rows(values.values.len() as f64),
            LogicalPlan::EmptyRelation(empty) => Estimate::of_rows(f64::from(u8::from(empty.produce_one_row))),
            other => match other.inputs().as_slice() {
                [input] => Estimate::of(input),
                _ => Estimate::of_rows(ROWS_UNKNOWN),
            },
        };
        Estimate { rows: estimate.rows.max(1.0), ..estimate }
    }

    /// What is known of an expression's values.
    pub fn column_of(&self, expr: &Expr) -> Option<&ColumnEstimate> {
        self.columns.get(column(expr)?)
    }

    /// The number of an expression's values, if it is known.
    pub fn distinct_of(&self, expr: &Expr) -> Option<f64> {
        self.distinct(column(expr)?)
    }

    /// What is known of an expression as a key of a join.
    pub fn key_of(&self, expr: &Expr) -> Option<KeyValues> {
        self.key(column(expr)?)
    }

    fn renamed(self, alias: &TableReference) -> Self {
        let renamed = |column: Column| Column::new(Some(alias.clone()), column.name);
        Estimate { columns: self.columns.into_iter().map(|(column, it)| (renamed(column), it)).collect(), ..self }
    }
}

/// The column whose values an expression has, whatever their type.
fn column(expr: &Expr) -> Option<&Column> {
    match expr {
        Expr::Column(column) => Some(column),
        Expr::Alias(alias) => column(&alias.expr),
        Expr::Cast(cast) => column(&cast.expr),
        Expr::TryCast(cast) => column(&cast.expr),
        _ => None,
    }
}

/// The rows of a scan that a condition above it leaves.
fn of_filtered_scan(scan: &TableScan, filter: &Filter, condition: &Condition<Column>) -> Estimate<Column> {
    // What a scan compares with bounds alone stands above it once more.
    let input = of_scan(scan, &split_conjunction(&filter.predicate));
    let provider = source_as_provider(&scan.source).ok();
    let known = provider.as_ref().and_then(|provider| Knowledge::of_table(provider.as_ref()));
    let name = |column: &Column| Some(column.name.clone());
    let counted = || known?.part_left(&feedback::key(std::slice::from_ref(condition), &name)?);
    let (all_rows, left) = (input.rows, apply(input, condition));
    match counted() {
        Some(part) => left.with_rows(all_rows * part),
        None => left,
    }
}

/// The rows of a scan, above which some conditions follow.
fn of_scan(scan: &TableScan, above: &[&Expr]) -> Estimate<Column> {
    let provider = source_as_provider(&scan.source).ok();
    let statistics = provider.as_ref().and_then(|provider| provider.statistics());
    let Some(statistics) = statistics else { return Estimate::of_rows(ROWS_UNKNOWN) };
    let known = provider.as_ref().and_then(|provider| Knowledge::of_table(provider.as_ref()));
    let rows = statistics.num_rows.get_value().map_or(ROWS_UNKNOWN, |rows| *rows as f64);
    let schema = scan.source.schema();
    let known = |column: Column| {
        let place = schema.index_of(&column.name).ok()?;
        let shape = known.and_then(|known| known.column(place).cloned());
        Some((column, ColumnEstimate::of(statistics.column_statistics.get(place)?, rows, shape)))
    };
    let columns = scan.projected_schema.columns().into_iter();
    // Conditions may be of columns that are not answered.
    let of_conditions = scan.filters.iter().flat_map(|filter| filter.column_refs()).cloned();
    let columns = columns.chain(of_conditions).filter_map(known).collect();
    let all = Estimate { rows: rows.max(1.0), columns };
    let filters = scan.filters.iter().filter(|filter| !above.contains(filter));
    let left = filters.fold(all, |rows, filter| apply(rows, &condition_of(filter)));
    scan.fetch.map_or(left.clone(), |fetch| left.at_most(fetch as f64))
}

fn of_aggregate(aggregate: &Aggregate) -> Estimate<Column> {
    let input = Estimate::of(&aggregate.input);
    if aggregate.group_expr.is_empty() {
        return Estimate::of_rows(1.0);
    }
    let keys: Vec<_> = aggregate.group_expr.iter().map(|expr| input.column_of(expr)).collect();
    let rows = input.groups(keys.iter().copied(), keys.len());
    let names = aggregate.schema.columns().into_iter().zip(keys);
    let columns = names.filter_map(|(name, key)| Some((name, key?.clone().of_groups(input.rows, rows)))).collect();
    Estimate { rows, columns }
}

fn of_union(union: &Union) -> Estimate<Column> {
    let inputs: Vec<_> = union.inputs.iter().map(|input| (Estimate::of(input), input.schema().columns())).collect();
    let rows = inputs.iter().map(|(input, _)| input.rows).sum();
    let column = |place: usize| {
        let of_input =
            |(input, columns): &(Estimate<Column>, Vec<Column>)| input.columns.get(columns.get(place)?).cloned();
        let all: Option<Vec<ColumnEstimate>> = inputs.iter().map(of_input).collect();
        all?.into_iter().reduce(|one, other| one.or(&other))
    };
    let names = union.schema.columns().into_iter().enumerate();
    Estimate { rows, columns: names.filter_map(|(place, name)| Some((name, column(place)?))).collect() }
}

/// A join that is in no region.
fn of_join(join: &Join) -> Estimate<Column> {
    let (left, right) = (Estimate::of(&join.left), Estimate::of(&join.right));
    let keys = join.on.iter().map(|(one, other)| (left.key_of(one), right.key_of(other)));
    let found = equal_rows(left.rows, right.rows, keys);
    Estimate::joined(left, right, join.join_type, found)
}

/// A condition, as far as it matters how many rows it leaves.
pub(crate) fn condition_of(expr: &Expr) -> Condition<Column> {
    match expr {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
            Condition::And(vec![condition_of(left), condition_of(right)])
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
            Condition::Or(vec![condition_of(left), condition_of(right)])
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            Condition::Compare { left: operand_of(left), operator: *op, right: operand_of(right) }
        }
        Expr::ScalarFunction(call) => match (comparison(call.name()), call.args.as_slice()) {
            (Some(operator), [left, right]) => {
                Condition::Compare { left: operand_of(left), operator, right: operand_of(right) }
            }
            _ => Condition::Unknown,
        },
        Expr::Not(inner) => Condition::Not(Box::new(condition_of(inner))),
        Expr::IsNull(inner) => Condition::IsNull(operand_of(inner)),
        Expr::IsNotNull(inner) => Condition::Not(Box::new(Condition::IsNull(operand_of(inner)))),
        Expr::InList(InList { expr, list, negated }) => {
            let values = list.iter().map(operand_of).collect();
            negated_if(*negated, Condition::In { operand: operand_of(expr), values })
        }
        Expr::Between(Between { expr, negated, low, high }) => {
            let (operand, low, high) = (operand_of(expr), operand_of(low), operand_of(high));
            negated_if(*negated, Condition::Between { operand, low, high })
        }
        Expr::Like(Like { negated, expr, pattern, case_insensitive, .. }) => {
            let (operand, pattern) = (operand_of(expr), operand_of(pattern));
            negated_if(*negated, Condition::Like { operand, pattern, ignores_case: *case_insensitive })
        }
        Expr::Literal(value, _) => Condition::Constant(*value == ScalarValue::Boolean(Some(true))),
        Expr::Column(column) => Condition::Holds(column.clone()),
        _ => Condition::Unknown,
    }
}

/// The comparison that a function of this name is: of values that the engine does not compare itself.
pub(super) fn comparison(function: &str) -> Option<Operator> {
    Some(match function {
        "=" => Operator::Eq,
        "<>" => Operator::NotEq,
        "<" => Operator::Lt,
        "<=" => Operator::LtEq,
        ">" => Operator::Gt,
        ">=" => Operator::GtEq,
        _ => return None,
    })
}

fn negated_if(negated: bool, condition: Condition<Column>) -> Condition<Column> {
    if negated { Condition::Not(Box::new(condition)) } else { condition }
}

fn operand_of(expr: &Expr) -> Operand<Column> {
    match expr {
        Expr::Literal(value, _) => Operand::Value(value.clone()),
        Expr::Cast(cast) => operand_of(&cast.expr),
        Expr::TryCast(cast) => operand_of(&cast.expr),
        Expr::Alias(alias) => operand_of(&alias.expr),
        Expr::ScalarFunction(call) if call.name() == "cast" => call.args.first().map_or(Operand::Other, operand_of),
        Expr::Column(column) => Operand::Column(column.clone()),
        _ => Operand::Other,
    }
}
