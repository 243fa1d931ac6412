//! Windows in the plan, and the columns by which their rows are put in order.

use datafusion::common::tree_node::TreeNode;
use datafusion::logical_expr::utils::group_window_expr_by_sort_keys;
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan, LogicalPlanBuilder};

use crate::analyze::Analyzer;
use crate::analyze::grouping::with_fixed_name;
use crate::error::Result;

impl Analyzer<'_> {
    /// The rows with columns for window functions, under the names of these expressions. The engine puts those together that
    /// want the same order, but knows them only without an alias, which those that read outer columns have.
    pub(in crate::analyze) fn windowed(&mut self, plan: LogicalPlan, windows: &[Expr]) -> Result<LogicalPlan> {
        let (mut plan, keyed) = self.with_window_keys(plan, windows)?;
        if keyed == windows && windows.iter().all(|window| with_fixed_name(window) == *window) {
            return Ok(LogicalPlanBuilder::window_plan(plan, keyed)?);
        }
        let named = |function: &Expr| match keyed.iter().zip(windows).find(|(keyed, _)| *keyed == function) {
            Some((_, window)) if window != function => function.clone().alias(window.schema_name().to_string()),
            _ => with_fixed_name(function),
        };
        let mut groups = group_window_expr_by_sort_keys(keyed.clone())?;
        groups.sort_by_key(|(keys, _)| std::cmp::Reverse(keys.len()));
        for (_, functions) in groups {
            plan = LogicalPlanBuilder::from(plan).window(functions.iter().map(named))?.build()?;
        }
        Ok(plan)
    }

    /// The rows with a column for each expression by which a window divides or orders them, and the windows that read those.
    ///
    /// An expression is evaluated once for all windows then, and the engine does not find rows in no order that it has itself
    /// put in order by it: it does not recognise `coalesce(a, 1) <= b`.
    fn with_window_keys(&mut self, plan: LogicalPlan, windows: &[Expr]) -> Result<(LogicalPlan, Vec<Expr>)> {
        let mut keys: Vec<(Expr, String)> = Vec::new();
        let mut keyed = windows.to_vec();
        // What GROUPING means is resolved later, right above the groups.
        if plan.schema().has_column_with_unqualified_name(Aggregate::INTERNAL_GROUPING_ID) {
            return Ok((plan, keyed));
        }
        for window in &mut keyed {
            let Expr::WindowFunction(function) = window else { continue };
            let order = function.params.order_by.iter_mut().map(|sort| &mut sort.expr);
            for key in function.params.partition_by.iter_mut().chain(order).filter(|key| is_computed(key)) {
                let name = match keys.iter().find(|(known, _)| known == key) {
                    Some((_, name)) => name.clone(),
                    None => {
                        let name = self.made_name("key");
                        keys.push((key.clone(), name.clone()));
                        name
                    }
                };
                *key = Expr::Column(name.into());
            }
        }
        if keys.is_empty() {
            return Ok((plan, keyed));
        }
        let mut columns: Vec<Expr> = plan.schema().columns().into_iter().map(Expr::Column).collect();
        columns.extend(keys.into_iter().map(|(key, name)| key.alias(name)));
        Ok((LogicalPlanBuilder::from(plan).project(columns)?.build()?, keyed))
    }
}

/// Whether a key can be a column computed of the rows' own.
fn is_computed(key: &Expr) -> bool {
    let is_foreign = |node: &Expr| {
        matches!(node, Expr::OuterReferenceColumn(..) | Expr::ScalarSubquery(_) | Expr::InSubquery(_) | Expr::Exists(_))
    };
    !matches!(key, Expr::Column(_) | Expr::Literal(..)) && !key.exists(|node| Ok(is_foreign(node))).unwrap_or(true)
}
