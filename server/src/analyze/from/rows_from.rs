//! `ROWS FROM (f(), g())`: the rows of several functions side by side.

use pg::error::PgError;
use pg::sqlstate::SqlState;
use sqlparser::ast::{self, FunctionArg, FunctionArgExpr, FunctionArguments, TableAlias};

use super::{Attach, Called, Part};
use crate::analyze::Analyzer;
use crate::analyze::call::{shapes, signature};
use crate::analyze::function_call::Entry;
use crate::error::Result;
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
        for argument in arguments {
            let FunctionArg::Unnamed(FunctionArgExpr::Expr(ast::Expr::Function(function))) = argument else {
                return Err(PgError::new(SqlState::SYNTAX_ERROR, "ROWS FROM takes calls of functions").into());
            };
            let name = parts(&function.name)?.pop().unwrap_or_default();
            calls.extend(self.called(before.as_ref(), &name, function)?);
            first_name.get_or_insert(name);
        }
        self.attach(before, calls, ordinality, alias, &first_name.unwrap_or_default(), attach)
    }

    fn called(&mut self, before: Option<&Part>, name: &str, function: &ast::Function) -> Result<Vec<Called>> {
        let exprs = match &function.args {
            FunctionArguments::None => Vec::new(),
            FunctionArguments::List(list) => plain_arguments(&list.args)?,
            FunctionArguments::Subquery(_) => return Err(PgError::not_supported("this form of an argument").into()),
        };
        let values = self.with_namespace(before, |analyzer| {
            exprs.into_iter().map(|expr| analyzer.expression(expr)).collect::<Result<Vec<_>>>()
        })?;
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

fn plain_arguments(arguments: &[FunctionArg]) -> Result<Vec<&ast::Expr>> {
    let plain = |argument| match argument {
        &FunctionArg::Unnamed(FunctionArgExpr::Expr(ref expr)) => Ok(expr),
        _ => Err(PgError::not_supported("this form of an argument in FROM").into()),
    };
    arguments.iter().map(plain).collect()
}
