//! `ROWS FROM (f(), g())`: the rows of several functions side by side.

use pg::error::PgError;
use pg::sqlstate::SqlState;
use sqlparser::ast::{self, FunctionArg, FunctionArgExpr, FunctionArguments, TableAlias};

use super::{Attach, Called, Part, returns_records};
use crate::analyze::Analyzer;
use crate::analyze::call::{shapes, signature};
use crate::analyze::function_call::Entry;
use crate::analyze::typed::Typed;
use crate::error::Result;
use crate::parse::forms::clauses::DEFINED_COLUMNS;
use crate::plan::relations::parts;

impl Analyzer<'_> {
    pub(super) fn rows_from(
        &mut self,
        before: Option<Part>,
        arguments: &[FunctionArg],
        ordinality: bool,
        alias: Option<&TableAlias>,
        attach: Attach,
    ) -> Result<Part> {
        let mut calls = Vec::with_capacity(arguments.len());
        let mut first_name = None;
        let mut arguments = arguments.iter().peekable();
        while let Some(argument) = arguments.next() {
            let FunctionArg::Unnamed(FunctionArgExpr::Expr(ast::Expr::Function(function))) = argument else {
                return Err(PgError::new(SqlState::SYNTAX_ERROR, "ROWS FROM takes calls of functions").into());
            };
            let name = parts(&function.name)?.pop().unwrap_or_default();
            let definitions = arguments.next_if(|argument| defined_columns(argument).is_some());
            match definitions.and_then(defined_columns) {
                Some(definitions) => {
                    let alias = definitions_alias(definitions)?;
                    calls.push(self.called_record(before.as_ref(), &name, function, alias.as_ref())?);
                }
                None if returns_records(&name) => {
                    self.column_definitions(None, &function.name)?;
                }
                None => calls.extend(self.called(before.as_ref(), &name, function)?),
            }
            first_name.get_or_insert(name);
        }
        self.attach(before, calls, ordinality, alias, &first_name.unwrap_or_default(), attach)
    }

    /// A function with a column definition list.
    fn called_record(
        &mut self,
        before: Option<&Part>,
        name: &str,
        function: &ast::Function,
        alias: Option<&TableAlias>,
    ) -> Result<Called> {
        if !returns_records(name) {
            let message = "a column definition list is only allowed for functions returning \"record\"";
            return Err(self.at(PgError::new(SqlState::SYNTAX_ERROR, message), &function.name));
        }
        let columns = self.column_definitions(alias, &function.name)?;
        let values = self.called_with(before, function)?;
        self.record_call(name, values, columns, &function.name)
    }

    fn called_with(&mut self, before: Option<&Part>, function: &ast::Function) -> Result<Vec<Typed>> {
        let exprs = match &function.args {
            FunctionArguments::None => Vec::new(),
            FunctionArguments::List(list) => plain_arguments(&list.args)?,
            FunctionArguments::Subquery(_) => return Err(PgError::not_supported("this form of an argument").into()),
        };
        self.with_namespace(before, |analyzer| {
            exprs.into_iter().map(|expr| analyzer.expression(expr)).collect::<Result<Vec<_>>>()
        })
    }

    fn called(&mut self, before: Option<&Part>, name: &str, function: &ast::Function) -> Result<Vec<Called>> {
        let values = self.called_with(before, function)?;
        if name == "unnest" {
            return self.unnest_calls(values);
        }
        let place = &function.name;
        let found = self.resolve(name, &values, false).map_err(|error| self.at(error, place))?;
        match found.map(|found| (found.entry, found.arguments)) {
            Some((Entry::Set(function), expected)) => {
                let (arguments, _) = self.cast_arguments(&expected, values).map_err(|error| self.at(error, place))?;
                let columns = (function.columns)(&shapes(&arguments)).map_err(|error| self.at(error, place))?;
                Ok(vec![Called { function, arguments, columns }])
            }
            Some((Entry::Function(entry), expected)) => {
                let value = self.call(entry, expected, values).map_err(|error| self.at(error, place))?;
                let whole = ast::Expr::Function(function.clone());
                let array = self.named_call("array_constructor", vec![value], &whole)?;
                let mut calls = self.unnest_calls(vec![array])?;
                calls.iter_mut().flat_map(|call| &mut call.columns).for_each(|column| column.0 = name.to_owned());
                Ok(calls)
            }
            Some(_) => {
                let message = format!("aggregate functions are not allowed in functions in FROM: {name}");
                Err(self.at(PgError::new(SqlState::GROUPING_ERROR, message), place))
            }
            None => {
                let types: Vec<_> = values.iter().map(|value| &value.ty).collect();
                let message = format!("function {} does not exist", signature(name, &types));
                Err(self.at(PgError::new(SqlState::UNDEFINED_FUNCTION, message), place))
            }
        }
    }
}

/// The text of a column definition list, as it stands behind its function.
fn defined_columns(argument: &FunctionArg) -> Option<&str> {
    let FunctionArg::Unnamed(FunctionArgExpr::Expr(ast::Expr::Value(value))) = argument else { return None };
    match &value.value {
        ast::Value::DollarQuotedString(text) if text.tag.as_deref() == Some(DEFINED_COLUMNS) => Some(&text.value),
        _ => None,
    }
}

/// The list as that of an alias.
fn definitions_alias(definitions: &str) -> Result<Option<TableAlias>> {
    let query = crate::parse::query(&format!("SELECT * FROM f() AS x({definitions})"))?;
    let ast::SetExpr::Select(select) = *query.body else { return Ok(None) };
    let relation = select.from.into_iter().next().map(|item| item.relation);
    Ok(match relation {
        Some(ast::TableFactor::Table { alias, .. } | ast::TableFactor::Function { alias, .. }) => alias,
        _ => None,
    })
}

fn plain_arguments(arguments: &[FunctionArg]) -> Result<Vec<&ast::Expr>> {
    let plain = |argument| match argument {
        &FunctionArg::Unnamed(FunctionArgExpr::Expr(ref expr)) => Ok(expr),
        _ => Err(PgError::not_supported("this form of an argument in FROM").into()),
    };
    arguments.iter().map(plain).collect()
}
