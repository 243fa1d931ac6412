//! sqlparser's UPDATE, DELETE and TRUNCATE → ours.

use sqlparser::ast::{
    self, AssignmentTarget, CascadeOption, FromTable, TableFactor, TableWithJoins, TruncateIdentityOption,
    UpdateTableFromKind,
};

use crate::error::{Error, Result};
use crate::parse::statement::{Assignment, Modify, ModifyKind, Statement, TargetName, Truncate};

/// `DELETE FROM table [AS alias] [USING …] [WHERE …] [RETURNING …]`
pub(super) fn delete(delete: ast::Delete) -> Result<Statement> {
    let plain = delete.tables.is_empty()
        && delete.output.is_none()
        && delete.order_by.is_empty()
        && delete.limit.is_none()
        && delete.optimizer_hints.is_empty();
    // Redshift leaves FROM out.
    let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = delete.from;
    let (true, Ok([target])) = (plain, <[TableWithJoins; 1]>::try_from(from)) else {
        return Err(Error::not_supported("DELETE of this form"));
    };
    Ok(Statement::Modify(Box::new(Modify {
        with: None,
        target: target_name(target, "DELETE")?,
        kind: ModifyKind::Delete,
        from: delete.using.unwrap_or_default(),
        selection: delete.selection,
        returning: delete.returning.unwrap_or_default(),
    })))
}

/// `UPDATE table [AS alias] SET … [FROM …] [WHERE …] [RETURNING …]`
pub(super) fn update(update: ast::Update) -> Result<Statement> {
    let plain = update.output.is_none()
        && update.or.is_none()
        && update.order_by.is_empty()
        && update.limit.is_none()
        && update.optimizer_hints.is_empty();
    let from = match update.from {
        None => Vec::new(),
        Some(UpdateTableFromKind::AfterSet(from)) => from,
        Some(UpdateTableFromKind::BeforeSet(_)) => return Err(Error::not_supported("FROM before SET")),
    };
    if !plain {
        return Err(Error::not_supported("UPDATE of this form"));
    }
    let assignments = assignments(update.assignments)?;
    Ok(Statement::Modify(Box::new(Modify {
        with: None,
        target: target_name(update.table, "UPDATE")?,
        kind: ModifyKind::Update(assignments),
        from,
        selection: update.selection,
        returning: update.returning.unwrap_or_default(),
    })))
}

fn target_name(target: TableWithJoins, verb: &str) -> Result<TargetName> {
    match target {
        TableWithJoins {
            relation: TableFactor::Table { name, alias, args: None, with_ordinality: false, sample: None, .. },
            joins,
        } if joins.is_empty() && alias.as_ref().is_none_or(|alias| alias.columns.is_empty()) => {
            Ok(TargetName { name, alias })
        }
        _ => Err(Error::not_supported(format!("{verb} of this form"))),
    }
}

/// What is behind SET.
pub(super) fn assignments(assignments: Vec<ast::Assignment>) -> Result<Vec<Assignment>> {
    let assigned = assignments.into_iter().map(assigned).collect::<Result<Vec<_>>>()?;
    Ok(assigned.into_iter().flatten().collect())
}

/// One column and its value; `(a, b) = (1, 2)` is two of them.
fn assigned(assignment: ast::Assignment) -> Result<Vec<Assignment>> {
    match (assignment.target, assignment.value) {
        (AssignmentTarget::ColumnName(column), value) => Ok(vec![Assignment { column, value }]),
        (AssignmentTarget::Tuple(columns), ast::Expr::Tuple(values)) => {
            if columns.len() != values.len() {
                let message = "number of columns does not match number of values".to_owned();
                return Err(Error::Syntax { message, detail: None, position: None });
            }
            let pairs = columns.into_iter().zip(values);
            Ok(pairs.map(|(column, value)| Assignment { column, value }).collect())
        }
        (AssignmentTarget::Tuple(_), _) => Err(Error::not_supported("assigning a row to several columns")),
    }
}

/// `TRUNCATE [TABLE] table [, …] [RESTART IDENTITY | CONTINUE IDENTITY] [CASCADE | RESTRICT]`
pub(super) fn truncate(truncate: ast::Truncate) -> Result<Statement> {
    let refused = [
        (truncate.partitions.is_some() || truncate.on_cluster.is_some(), "TRUNCATE of this form"),
        (truncate.if_exists, "TRUNCATE IF EXISTS"),
    ];
    match refused.iter().find(|(written, _)| *written) {
        Some((_, feature)) => Err(Error::not_supported(*feature)),
        None => {
            let tables = truncate.table_names.into_iter().map(|target| target.name).collect();
            let restart_identity = matches!(truncate.identity, Some(TruncateIdentityOption::Restart));
            let cascade = matches!(truncate.cascade, Some(CascadeOption::Cascade));
            Ok(Statement::Truncate(Truncate { tables, restart_identity, cascade }))
        }
    }
}
