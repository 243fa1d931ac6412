//! `TABLESAMPLE`: a part of a table's rows.

use datafusion::common::{Column, ScalarValue};
use datafusion::functions_window::row_number::row_number_udwf;
use datafusion::logical_expr::{Expr, ExprFunctionExt, LogicalPlanBuilder, cast};
use pg::Type;
use pg::error::PgError;
use pg::function::CastContext;
use pg::sqlstate::SqlState;
use pg::types::{FLOAT4, FLOAT8, INT8, TEXT};
use sqlparser::ast::{
    self, TableSample, TableSampleKind, TableSampleMethod, TableSampleModifier, TableSampleSeedModifier,
};

use super::Part;
use crate::analyze::Analyzer;
use crate::analyze::scope::ScopeColumn;
use crate::analyze::typed::Typed;
use crate::error::{Error, Result};
use crate::plan::FoundRelation;
use crate::plan::relations::parts;

impl Analyzer<'_> {
    /// The table with so many of its rows. Each row is chosen by itself, `SYSTEM` too: a table has no pages here.
    pub(super) fn sampled(&mut self, part: Part, name: &ast::ObjectName, sample: &TableSampleKind) -> Result<Part> {
        let (TableSampleKind::BeforeTableAlias(sample) | TableSampleKind::AfterTableAlias(sample)) = sample;
        if !self.is_table(name)? {
            let message = "TABLESAMPLE clause can only be applied to tables and materialized views";
            return Err(self.at(PgError::new(SqlState::FEATURE_NOT_SUPPORTED, message), name));
        }
        let written = self.percentage(sample, name)?;
        let percentage = self.sample_value(written, FLOAT4, "TABLESAMPLE parameter cannot be null")?;
        if !(0.0..=100.0).contains(&percentage) {
            let message = "sample percentage must be between 0 and 100";
            return Err(PgError::new(SqlState::INVALID_TABLESAMPLE_ARGUMENT, message).into());
        }
        let share = percentage / 100.0;
        match &sample.seed {
            _ if share >= 1.0 => Ok(part),
            Some(seed) => {
                let seed = ast::Expr::Value(seed.value.clone());
                let message = "TABLESAMPLE REPEATABLE parameter cannot be null";
                let seed = self.sample_value(&seed, FLOAT8, message)?;
                self.repeatable(part, share, seed, written)
            }
            None => {
                let random = self.named_call("random", Vec::new(), written)?;
                let share = Typed::constant(ScalarValue::Float64(Some(share)), Type::of(FLOAT8));
                let chosen = self.operator("<", vec![random, share])?;
                let plan = LogicalPlanBuilder::from(part.plan).filter(chosen.expr)?.build()?;
                Ok(Part { plan, ..part })
            }
        }
    }

    fn is_table(&mut self, name: &ast::ObjectName) -> Result<bool> {
        let parts = parts(name)?;
        if let [single] = parts.as_slice()
            && self.common_table(single).is_some()
        {
            return Ok(false);
        }
        Ok(matches!(self.context.find_relation(&parts)?, FoundRelation::Table { .. }))
    }

    /// What is written as the percentage.
    fn percentage<'a>(&self, sample: &'a TableSample, name: &ast::ObjectName) -> Result<&'a ast::Expr> {
        let Some(quantity) = sample.quantity.as_ref().filter(|quantity| quantity.unit.is_none()) else {
            return Err(Error::not_supported("this form of TABLESAMPLE"));
        };
        let is_plain = sample.modifier == TableSampleModifier::TableSample
            && sample.bucket.is_none()
            && sample.offset.is_none()
            && sample.seed.as_ref().is_none_or(|seed| seed.modifier == TableSampleSeedModifier::Repeatable);
        match (&sample.name, &quantity.value) {
            (Some(TableSampleMethod::Bernoulli | TableSampleMethod::System), value) if is_plain => Ok(value),
            (None, ast::Expr::Function(function)) if is_plain => {
                let message = format!("tablesample method {} does not exist", function.name);
                Err(self.at(PgError::new(SqlState::UNDEFINED_OBJECT, message), &function.name))
            }
            _ => Err(self.at(PgError::not_supported("this form of TABLESAMPLE"), name)),
        }
    }

    /// A number that must be known when the query is planned.
    fn sample_value(&mut self, written: &ast::Expr, oid: u32, if_null: &str) -> Result<f64> {
        let value = self.expression(written)?;
        let value = self.coerce(value, &Type::of(oid), CastContext::Assignment);
        let value = value.map_err(|error| self.at(error, written))?;
        match value.value() {
            Some(ScalarValue::Float32(Some(value))) => Ok(f64::from(*value)),
            Some(ScalarValue::Float64(Some(value))) => Ok(*value),
            Some(_) if oid == FLOAT4 => Err(PgError::new(SqlState::INVALID_TABLESAMPLE_ARGUMENT, if_null).into()),
            Some(_) => Err(PgError::new(SqlState::INVALID_TABLESAMPLE_REPEAT, if_null).into()),
            None => Err(self.at(PgError::not_supported("a sample size that is not a constant"), written)),
        }
    }

    /// The same rows for the same seed, in whatever order the table is read: a row is chosen by what is in it, and rows that
    /// are equal by their number among each other.
    fn repeatable(&mut self, part: Part, share: f64, seed: f64, place: &ast::Expr) -> Result<Part> {
        let columns: Vec<Expr> = part.plan.schema().columns().into_iter().map(Expr::Column).collect();
        let (names, values) = part.namespace.columns.iter().map(|it| (it.name.clone(), ScopeColumn::typed(it))).unzip();
        let row = self.record(names, values)?;
        let row = self.coerce(row, &Type::of(TEXT), CastContext::Explicit)?;
        let number = self.made_name("number");
        let count = row_number_udwf().call(Vec::new()).partition_by(vec![row.expr.clone()]).build()?;
        let numbered = LogicalPlanBuilder::from(part.plan).window(vec![count.alias(&number)])?;
        let number = cast(Column::new_unqualified(number).into(), Type::of(INT8).arrow);
        let number = Typed::new(number, Type::of(INT8));
        let number = self.coerce(number, &Type::of(TEXT), CastContext::Explicit)?;
        let salted = self.operator("||", vec![Typed::unknown(format!("{seed} ")), number])?;
        let salted = self.operator("||", vec![salted, row])?;
        let hash = self.named_call("md5", vec![salted], place)?;
        // The hash as a fraction, by its first 64 bits.
        let bound = (share * 2_f64.powi(64)) as u64;
        let chosen = self.operator("<", vec![hash, Typed::unknown(format!("{bound:016x}"))])?;
        let plan = numbered.filter(chosen.expr)?.project(columns)?.build()?;
        Ok(Part { plan, ..part })
    }
}
