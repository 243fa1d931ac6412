//! The smallest part of a statement that still differs, so that differences can be counted by what is wrong.

use std::io;

use super::expression::Expression;
use super::run::{Outcome, Pair, Statement};
use crate::answer::Answer;
use crate::compare::Difference;

/// Makes the statement smaller as long as it differs in the same way.
pub fn minimise(pair: &mut Pair, statement: Statement, difference: Difference) -> io::Result<(Statement, Difference)> {
    let mut found = (statement, difference);
    while let Some(smaller) = step(pair, &found.0, &found.1)? {
        found = smaller;
    }
    Ok(found)
}

/// Whether a part of an expression differs in the last digits of a number only: then what is made of that part differs for
/// no other reason, since it would be made smaller otherwise.
pub fn carries_digits(pair: &mut Pair, statement: &Statement) -> io::Result<bool> {
    let Statement::Expression { expression, rows } = statement else { return Ok(false) };
    for argument in expression.arguments.iter().filter(|argument| !argument.is_leaf()) {
        let part = Statement::Expression { expression: argument.clone(), rows: rows.clone() };
        if matches!(pair.outcome(&part.sql())?, Outcome::Digits) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn step(
    pair: &mut Pair,
    statement: &Statement,
    difference: &Difference,
) -> io::Result<Option<(Statement, Difference)>> {
    let candidates = match statement {
        Statement::Query(query) => query.smaller().into_iter().map(Statement::Query).collect(),
        Statement::Expression { expression, rows } => smaller_expressions(pair, expression, rows)?,
    };
    for candidate in candidates {
        if let Outcome::Differs(smaller) = pair.outcome(&candidate.sql())?
            && smaller.kind() == difference.kind()
        {
            return Ok(Some((candidate, smaller)));
        }
    }
    Ok(None)
}

/// Each argument alone, and the expression with the value of an argument in its place.
fn smaller_expressions(pair: &mut Pair, expression: &Expression, rows: &str) -> io::Result<Vec<Statement>> {
    let statement = |expression: Expression| Statement::Expression { expression, rows: rows.to_owned() };
    let nested: Vec<_> = expression.arguments.iter().enumerate().filter(|(_, argument)| !argument.is_leaf()).collect();
    let mut smaller: Vec<_> = nested.iter().map(|(_, argument)| statement((*argument).clone())).collect();
    for (place, argument) in nested {
        if let Some(value) = value(pair, argument, rows)? {
            smaller.push(statement(expression.with_argument(place, value)));
        }
    }
    Ok(smaller)
}

/// PostgreSQL's value of an expression that has only one, written with its type.
fn value(pair: &mut Pair, expression: &Expression, rows: &str) -> io::Result<Option<Expression>> {
    let sql = expression.sql();
    let answer = pair.postgres(&format!("SELECT CAST({sql} AS text), pg_typeof({sql}){rows}"))?;
    let Answer::Rows { rows, .. } = answer else { return Ok(None) };
    let [row] = rows.as_slice() else { return Ok(None) };
    let [value, Some(type_name)] = row.as_slice() else { return Ok(None) };
    let written = match value {
        Some(value) => format!("'{}'::{type_name}", value.replace('\'', "''")),
        None => format!("NULL::{type_name}"),
    };
    Ok(Some(Expression::leaf("a value", written)))
}
