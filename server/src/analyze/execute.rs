//! The parameters of EXECUTE (PostgreSQL's `EvaluateParams`).

use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use pg::error::PgError;
use pg::function::CastContext;
use pg::sqlstate::SqlState;
use pg::types::{NUMERIC, element_type};
use pg::{Type, user_types};
use sqlparser::ast;

use crate::analyze::Analyzer;
use crate::analyze::coerce::{can_coerce, native};
use crate::analyze::kept::KeptAs;
use crate::analyze::scope::Namespace;
use crate::error::Result;

impl Analyzer<'_> {
    /// A plan of one row with the values of these expressions, each assigned to a parameter of these types.
    ///
    /// # Errors
    /// Whatever is wrong with an expression; 42804 for one that cannot be assigned.
    pub fn execute_parameters(&mut self, exprs: &[ast::Expr], types: &[Type]) -> Result<LogicalPlan> {
        let mut values = Vec::with_capacity(exprs.len());
        for (number, (expr, ty)) in (1..).zip(exprs.iter().zip(types)) {
            values.push(self.execute_parameter(number, expr, ty)?.alias(format!("${number}")));
        }
        Ok(LogicalPlanBuilder::empty(true).project(values)?.build()?)
    }

    fn execute_parameter(&mut self, number: usize, expr: &ast::Expr, ty: &Type) -> Result<Expr> {
        let value = self.kept_expression(expr, Namespace::default(), KeptAs::ExecuteParameter)?;
        if !self.parameters.is_empty() {
            let message = format!("there is no parameter ${}", self.parameters.len());
            return Err(self.at(PgError::new(SqlState::UNDEFINED_PARAMETER, message), expr));
        }
        if !can_coerce(value.ty.oid, ty.oid, CastContext::Assignment) {
            let (from, to) = (value.ty.name(), ty.name());
            let message = format!("parameter ${number} of type {from} cannot be coerced to the expected type {to}");
            let error = PgError::new(SqlState::DATATYPE_MISMATCH, message);
            return Err(self.at(error.with_hint("You will need to rewrite or cast the expression."), expr));
        }
        let value = self.coerce(value, ty, CastContext::Assignment).map_err(|error| self.at(error, expr))?;
        // Numbers have as many digits as they come with, and arrays as many dimensions; the plan is made to fit them.
        let base = user_types::base_number(ty.oid);
        let keeps_shape = base == NUMERIC || element_type(base).is_some();
        Ok(if keeps_shape { value.expr } else { native(value, ty.clone()).expr })
    }
}
