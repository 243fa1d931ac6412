//! AND and OR whose conditions are evaluated in order, each for the rows that those before it have left undecided.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, BooleanBuilder};
use arrow::compute::filter;
use arrow::datatypes::{DataType, Field, FieldRef, Schema};
use datafusion::common::config::ConfigOptions;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::expr::{HigherOrderFunction, Lambda};
use datafusion::logical_expr::{
    BinaryExpr, Case, ColumnarValue, Expr, HigherOrderFunctionArgs, HigherOrderReturnFieldArgs, HigherOrderSignature,
    HigherOrderUDF, HigherOrderUDFImpl, LambdaArgument, LambdaParametersProgress, Operator, ValueOrLambda, Volatility,
};
use datafusion::physical_expr::expressions::lambda;
use datafusion::physical_expr::{HigherOrderFunctionExpr, PhysicalExpr};
use pg::types::BOOL;
use pg::{PgError, Type};

use super::may_fail;

/// Conditions that the engine is given as its own AND or OR. It makes a chain of them, as deep as it is long, and compares
/// each with the others.
const CHAIN_MAX: usize = 500;
/// Equalities with one column from which on they are looked for in an OR, to become a list.
const LISTED_MIN: usize = 16;

/// The conditions connected by AND or OR, evaluated as PostgreSQL does: none that can fail is evaluated for a row that
/// the conditions before it decide. However many there are, the expression is of little depth.
pub fn connected(conditions: Vec<Expr>, operator: Operator) -> Expr {
    let mut conditions = conditions;
    if operator == Operator::Or && conditions.len() >= LISTED_MIN {
        conditions = with_lists(conditions);
    }
    if conditions.len() > CHAIN_MAX {
        let mut parts = Vec::with_capacity(conditions.len().div_ceil(CHAIN_MAX));
        let mut rest = conditions.into_iter();
        loop {
            let part: Vec<_> = rest.by_ref().take(CHAIN_MAX).collect();
            if part.is_empty() {
                break;
            }
            let part = connected(part, operator);
            parts.push(if parts.is_empty() { part } else { later(part) });
        }
        return call(operator, parts);
    }
    let first_fallible = conditions.iter().skip(1).position(may_fail).map(|position| position + 1);
    let Some(first_fallible) = first_fallible else { return balanced(conditions, operator) };

    // Neighbours that cannot fail are one condition.
    let mut rest = conditions;
    let mut fallible = rest.split_off(first_fallible);
    let mut arguments = vec![balanced(rest, operator)];
    let mut run = Vec::new();
    for condition in fallible.drain(..) {
        if may_fail(&condition) {
            arguments.extend((!run.is_empty()).then(|| balanced(std::mem::take(&mut run), operator)).map(later));
            arguments.push(later(condition));
        } else {
            run.push(condition);
        }
    }
    arguments.extend((!run.is_empty()).then(|| balanced(run, operator)).map(later));
    call(operator, arguments)
}

fn call(operator: Operator, arguments: Vec<Expr>) -> Expr {
    let function = Arc::new(HigherOrderUDF::new_from_impl(Connective::new(operator)));
    Expr::HigherOrderFunction(HigherOrderFunction::new(function, arguments))
}

/// `x = 1 OR x = 2 …` as `x IN (1, 2, …)`, which the engine hashes.
fn with_lists(conditions: Vec<Expr>) -> Vec<Expr> {
    let mut kept = Vec::new();
    // By column and by the type of the constants: where the list will stand, and its elements.
    let mut lists: HashMap<(Expr, DataType), (usize, Vec<Expr>)> = HashMap::new();
    for condition in conditions {
        match condition {
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right })
                if matches!((left.as_ref(), right.as_ref()), (Expr::Column(_), Expr::Literal(..))) =>
            {
                let of = match right.as_ref() {
                    Expr::Literal(value, _) => value.data_type(),
                    _ => DataType::Null,
                };
                let place = kept.len();
                let (place, list) = lists.entry((*left, of)).or_insert_with(|| (place, Vec::new()));
                if *place == kept.len() {
                    // Its place, until the list is complete.
                    kept.push(Expr::Literal(ScalarValue::Boolean(Some(false)), None));
                }
                list.push(*right);
            }
            other => kept.push(other),
        }
    }
    for ((column, _), (place, mut list)) in lists {
        kept[place] = match list.len() {
            1 => column.eq(list.remove(0)),
            _ => column.in_list(list, false),
        };
    }
    kept
}

/// As [`connected`] with AND, of conditions that have been planned; all but the first are evaluated for the rows that are
/// left.
///
/// # Errors
/// There is no condition.
pub fn connected_physical(
    conditions: Vec<Arc<dyn PhysicalExpr>>,
    schema: &Schema,
    options: &ConfigOptions,
) -> Result<Arc<dyn PhysicalExpr>> {
    let mut arguments = Vec::with_capacity(conditions.len());
    for condition in conditions {
        match arguments.is_empty() {
            true => arguments.push(condition),
            false => arguments.push(lambda(Vec::<String>::new(), condition)?),
        }
    }
    if arguments.len() == 1 {
        return Ok(arguments.remove(0));
    }
    let function = Arc::new(HigherOrderUDF::new_from_impl(Connective::new(Operator::And)));
    let options = Arc::new(options.clone());
    Ok(Arc::new(HigherOrderFunctionExpr::try_new_with_schema(function, arguments, schema, options)?))
}

/// A CASE that stays one. The engine writes one with boolean results as AND and OR, whose parts it evaluates for all rows;
/// that must not be when a part can fail.
pub fn in_order(case: Case, ty: &Type) -> Case {
    let parts = case.when_then_expr.iter().flat_map(|(when, then)| [when, then]).chain(&case.else_expr);
    let is_fallible = parts.skip(1).any(|part| may_fail(part));
    if ty.oid != BOOL || case.expr.is_some() || !is_fallible {
        return case;
    }
    let yes = Expr::Literal(ScalarValue::Boolean(Some(true)), None);
    Case { expr: Some(Box::new(yes)), ..case }
}

/// The condition with the conditions of its outermost ANDs as the engine's, which takes them apart and moves them.
pub fn conjuncts(condition: Expr) -> Expr {
    let mut found = Vec::new();
    let mut pending = vec![condition];
    while let Some(next) = pending.pop() {
        match next {
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => pending.extend([*right, *left]),
            Expr::HigherOrderFunction(call) if is_and(&call.func) => {
                pending.extend(call.args.into_iter().rev().map(|argument| match argument {
                    Expr::Lambda(later) => *later.body,
                    first => first,
                }));
            }
            other => found.push(other),
        }
    }
    if found.len() > CHAIN_MAX {
        let rest = found.split_off(CHAIN_MAX);
        found.push(connected(rest, Operator::And));
    }
    balanced(found, Operator::And)
}

/// The conditions in a tree of little depth.
pub fn balanced(mut conditions: Vec<Expr>, operator: Operator) -> Expr {
    match conditions.len() {
        0 => Expr::Literal(ScalarValue::Boolean(Some(operator == Operator::And)), None),
        1 => conditions.remove(0),
        count => {
            let right = conditions.split_off(count / 2);
            let left = balanced(conditions, operator);
            let right = balanced(right, operator);
            Expr::BinaryExpr(BinaryExpr::new(Box::new(left), operator, Box::new(right)))
        }
    }
}

fn later(condition: Expr) -> Expr {
    Expr::Lambda(Lambda::new(Vec::new(), condition))
}

fn is_and(function: &HigherOrderUDF) -> bool {
    connective_of(function).is_some_and(|connective| connective.operator == Operator::And)
}

fn connective_of(function: &HigherOrderUDF) -> Option<&Connective> {
    let implementation: &dyn std::any::Any = function.inner().as_ref();
    implementation.downcast_ref()
}

/// What AND or OR connects in an expression, in its order; `None` when it is neither.
pub fn operands(expr: &Expr) -> Option<(Operator, Vec<&Expr>)> {
    match expr {
        Expr::BinaryExpr(BinaryExpr { left, op: op @ (Operator::And | Operator::Or), right }) => {
            Some((*op, vec![left, right]))
        }
        Expr::HigherOrderFunction(call) => {
            let connective = connective_of(&call.func)?;
            let operands = call.args.iter().map(|argument| match argument {
                Expr::Lambda(later) => later.body.as_ref(),
                first => first,
            });
            Some((connective.operator, operands.collect()))
        }
        _ => None,
    }
}

/// AND or OR, if that is what a call is whose conditions are evaluated one after the other.
pub fn physical_connective(call: &HigherOrderFunctionExpr) -> Option<Operator> {
    connective_of(call.fun()).map(|connective| connective.operator)
}

/// AND or OR of a condition and of bodies with further ones.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Connective {
    operator: Operator,
    signature: HigherOrderSignature,
}

impl Connective {
    fn new(operator: Operator) -> Self {
        Connective { operator, signature: HigherOrderSignature::variadic_any(Volatility::Immutable) }
    }

    /// What decides, whatever comes later.
    fn decisive(&self) -> bool {
        self.operator == Operator::Or
    }

    /// The outcome with that of one more condition, which was evaluated for the undecided rows only.
    fn with(&self, outcome: &BooleanArray, undecided: &BooleanArray, later: &BooleanArray) -> BooleanArray {
        let mut combined = BooleanBuilder::with_capacity(outcome.len());
        let mut row_of_later = 0;
        for row in 0..outcome.len() {
            let before = outcome.is_valid(row).then(|| outcome.value(row));
            if !undecided.value(row) {
                combined.append_option(before);
                continue;
            }
            let after = later.is_valid(row_of_later).then(|| later.value(row_of_later));
            row_of_later += 1;
            combined.append_option(match (before, after) {
                (_, Some(after)) if after == self.decisive() => Some(after),
                (Some(_), after) => after,
                (None, _) => None,
            });
        }
        combined.finish()
    }
}

impl HigherOrderUDFImpl for Connective {
    fn name(&self) -> &str {
        match self.operator {
            Operator::And => "and_then",
            _ => "or_else",
        }
    }

    fn signature(&self) -> &HigherOrderSignature {
        &self.signature
    }

    fn lambda_parameters(
        &self,
        _step: usize,
        fields: &[ValueOrLambda<FieldRef, Option<FieldRef>>],
    ) -> Result<LambdaParametersProgress> {
        let lambdas = fields.iter().filter(|field| matches!(field, ValueOrLambda::Lambda(_)));
        Ok(LambdaParametersProgress::Complete(lambdas.map(|_| Vec::new()).collect()))
    }

    fn return_field_from_args(&self, _arguments: HigherOrderReturnFieldArgs<'_>) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(self.name(), DataType::Boolean, true)))
    }

    fn clear_null_values(&self) -> bool {
        false
    }

    fn short_circuits(&self) -> bool {
        true
    }

    fn conditional_arguments<'a>(&self, arguments: &'a [Expr]) -> Option<(Vec<&'a Expr>, Vec<&'a Expr>)> {
        let (first, rest) = arguments.split_at(arguments.len().min(1));
        Some((first.iter().collect(), rest.iter().collect()))
    }

    fn invoke_with_args(&self, arguments: HigherOrderFunctionArgs) -> Result<ColumnarValue> {
        let rows = arguments.number_rows;
        let mut operands = arguments.args.into_iter();
        let Some(ValueOrLambda::Value(first)) = operands.next() else {
            return Err(PgError::internal("a connective lacks its first condition").into());
        };
        let mut outcome = booleans(first, rows)?;
        for operand in operands {
            let undecided: BooleanArray =
                outcome.iter().map(|decided| Some(decided != Some(self.decisive()))).collect();
            let count = undecided.true_count();
            if count == 0 {
                break;
            }
            let later = match operand {
                ValueOrLambda::Value(value) => filter(&booleans(value, rows)?, &undecided)?,
                ValueOrLambda::Lambda(body) => evaluated(&body, &undecided, count)?,
            };
            let later = as_booleans(&later)?;
            outcome = self.with(&outcome, &undecided, &later);
        }
        Ok(ColumnarValue::Array(Arc::new(outcome)))
    }
}

/// The condition for the chosen rows.
fn evaluated(body: &LambdaArgument, chosen: &BooleanArray, count: usize) -> Result<ArrayRef> {
    // The engine asks for an array to know how many rows there are when the body reads no column.
    let counted = || -> Result<ArrayRef> { Ok(Arc::new(BooleanArray::from(vec![true; count]))) };
    let value = body.evaluate(&[&counted], |columns| {
        if count == chosen.len() {
            return Ok(columns.to_vec());
        }
        columns.iter().map(|column| Ok(filter(column, chosen)?)).collect()
    })?;
    value.into_array(count)
}

fn booleans(value: ColumnarValue, rows: usize) -> Result<BooleanArray> {
    as_booleans(&value.into_array(rows)?)
}

fn as_booleans(array: &ArrayRef) -> Result<BooleanArray> {
    let booleans = array.as_any().downcast_ref::<BooleanArray>();
    Ok(booleans.ok_or_else(|| PgError::internal("a condition is neither true nor false"))?.clone())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Combines outcomes, `t`, `f` or `n`; the later ones are for the rows that are undecided.
    fn check(operator: Operator, before: &str, later: &str, expected: &str) {
        let read = |text: &str| -> BooleanArray {
            text.chars().map(|c| if c == 'n' { None } else { Some(c == 't') }).collect()
        };
        let connective = Connective::new(operator);
        let outcome = read(before);
        let undecided: BooleanArray = outcome.iter().map(|it| Some(it != Some(connective.decisive()))).collect();
        assert_eq!(connective.with(&outcome, &undecided, &read(later)), read(expected), "{before} {operator} {later}");
    }

    #[test]
    fn what_is_decided_stays() {
        check(Operator::And, "fff", "", "fff");
        check(Operator::And, "ftf", "t", "ftf");
        check(Operator::And, "tttnnn", "tfntfn", "tfnnfn");
        check(Operator::Or, "ttt", "", "ttt");
        check(Operator::Or, "tft", "f", "tft");
        check(Operator::Or, "fffnnn", "tfntfn", "tfntnn");
    }
}
