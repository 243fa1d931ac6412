//! Window functions and the windows they look through.

mod frame;
mod keys;
mod range;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::expr::{NullTreatment, Sort, WindowFunction as EngineWindow, WindowFunctionParams};
use datafusion::logical_expr::{Expr, WindowFunctionDefinition, lit};
use pg::error::PgError;
use pg::function::WindowFunction;
use pg::library::aggregate::Framed;
use pg::sqlstate::SqlState;
use sqlparser::ast::{self, NamedWindowExpr, WindowSpec, WindowType};

use crate::analyze::scope::Place;
use crate::analyze::typed::Typed;
use crate::analyze::{Analyzer, folded};
use crate::error::Result;
use crate::parse::forms::exclusion;

use frame::{Beyond, ResolvedFrame, whole_partition};

/// Windows that extend each other.
const CHAIN_MAX: usize = 64;

/// A window, resolved.
struct Window {
    partition_by: Vec<Expr>,
    order_by: Vec<Sort>,
    frame: ResolvedFrame,
}

impl Window {
    /// Whether no row of the partition is ever in the frame.
    fn is_empty(&self) -> bool {
        matches!(self.frame, ResolvedFrame::Engine { empty: true, .. })
    }
}

impl Analyzer<'_> {
    /// A window function.
    pub(super) fn window_call(
        &mut self,
        function: &'static WindowFunction,
        expected: Vec<u32>,
        arguments: Vec<Typed>,
        over: &WindowType,
        nulls: Option<ast::NullTreatment>,
        whole: &ast::Expr,
    ) -> Result<Typed> {
        let (arguments, polymorphic) =
            self.cast_arguments(&expected, arguments).map_err(|error| self.at(error, whole))?;
        let result = self.result_of(function.result, function.shape, &arguments, &polymorphic);
        let result = result.map_err(|error| self.at(error, whole))?;
        let looks_at_row =
            function.name == "nth_value" && arguments.get(1).is_some_and(|place| place.value().is_none());
        let window = self.window(over, looks_at_row, whole)?;
        let types: Vec<_> = arguments.iter().map(|argument| argument.ty.clone()).collect();
        if window.is_empty() && matches!(function.name, "first_value" | "last_value" | "nth_value") {
            let null = crate::analyze::coerce::null_of(&result.arrow)?;
            return Ok(Typed::constant(null, result));
        }
        let definition = (function.build)(&types, &result).map_err(|error| self.at(error, whole))?;
        let arguments: Vec<_> = arguments.into_iter().map(|argument| argument.expr).collect();
        let null_treatment = nulls.map(|nulls| match nulls {
            ast::NullTreatment::IgnoreNulls => NullTreatment::IgnoreNulls,
            ast::NullTreatment::RespectNulls => NullTreatment::RespectNulls,
        });
        let expr = engine_window(definition, arguments, &window, None, null_treatment);
        // The engine's own types are brought to PostgreSQL's.
        Ok(Typed::new(datafusion::logical_expr::cast(expr, result.arrow.clone()), result))
    }

    /// An aggregate over a window: each aggregate in its expression becomes a window function.
    pub(super) fn aggregate_over(&mut self, value: Typed, over: &WindowType, whole: &ast::Expr) -> Result<Typed> {
        let window = self.window(over, false, whole)?;
        // Aggregates in the arguments of these are those of the groups below: sum(sum(x)) OVER ().
        let rewritten = value.expr.transform_down(|node| {
            Ok(match node {
                Expr::AggregateFunction(aggregate) => {
                    let definition = WindowFunctionDefinition::AggregateUDF(aggregate.func);
                    let params = aggregate.params;
                    let nulls = params.null_treatment;
                    let filter = if window.is_empty() { Some(Box::new(lit(false))) } else { params.filter };
                    let call = engine_window(definition, params.args, &window, filter, nulls);
                    Transformed::new(call, true, TreeNodeRecursion::Jump)
                }
                other => Transformed::no(other),
            })
        });
        let expr = rewritten.map_err(PgError::from)?.data;
        Ok(Typed::new(expr, value.ty))
    }

    fn window(&mut self, over: &WindowType, looks_at_row: bool, whole: &ast::Expr) -> Result<Window> {
        let level = self.level()?;
        if level.in_aggregate {
            let message = "aggregate function calls cannot contain window function calls";
            return Err(self.at(PgError::new(SqlState::GROUPING_ERROR, message), whole));
        }
        let refused = if level.in_window {
            Some("window function calls cannot be nested".to_owned())
        } else {
            match level.place {
                Some(Place::SelectList | Place::OrderBy | Place::Qualify) => None,
                Some(Place::Having) => Some("window functions are not allowed in HAVING".to_owned()),
                Some(Place::Plain(place)) => Some(format!("window functions are not allowed in {place}")),
                None => Some("window functions are not allowed here".to_owned()),
            }
        };
        if let Some(message) = refused {
            return Err(self.at(PgError::new(SqlState::WINDOWING_ERROR, message), whole));
        }
        let chain = self.window_chain(over, whole)?;
        self.level()?.in_window = true;
        let window = self.window_of(&chain, looks_at_row, whole);
        self.level()?.in_window = false;
        window
    }

    /// The specification and those it names, the base first.
    fn window_chain(&mut self, over: &WindowType, whole: &ast::Expr) -> Result<Vec<WindowSpec>> {
        let mut chain = Vec::new();
        let mut name = match over {
            WindowType::NamedWindow(name) => Some(name.clone()),
            WindowType::WindowSpec(spec) => {
                chain.push(spec.clone());
                spec.window_name.clone()
            }
        };
        while let Some(wanted) = name {
            let wanted_name = folded(&wanted);
            let definitions = &self.level()?.windows;
            let found = definitions.iter().find(|definition| folded(&definition.0) == wanted_name);
            let Some(found) = found else {
                let message = format!("window \"{wanted_name}\" does not exist");
                return Err(self.at(PgError::new(SqlState::UNDEFINED_OBJECT, message), &wanted));
            };
            name = match &found.1 {
                NamedWindowExpr::NamedWindow(other) => Some(other.clone()),
                NamedWindowExpr::WindowSpec(spec) => {
                    chain.push(spec.clone());
                    spec.window_name.clone()
                }
            };
            if chain.len() > CHAIN_MAX {
                let message = format!("window \"{wanted_name}\" is defined by itself");
                return Err(self.at(PgError::new(SqlState::WINDOWING_ERROR, message), whole));
            }
        }
        chain.reverse();
        Ok(chain)
    }

    fn window_of(&mut self, chain: &[WindowSpec], looks_at_row: bool, whole: &ast::Expr) -> Result<Window> {
        let mut partition_by = Vec::new();
        let mut order = Vec::new();
        let mut frame = None;
        let mut excluded = None;
        for (position, spec) in chain.iter().enumerate() {
            let is_mark = |written: &&ast::OrderByExpr| exclusion(&written.expr).is_some();
            let (marks, order_by): (Vec<_>, Vec<_>) = spec.order_by.iter().partition(is_mark);
            let refused = if position > 0 && !spec.partition_by.is_empty() {
                Some("cannot override PARTITION BY clause of window")
            } else if !order_by.is_empty() && !order.is_empty() {
                Some("cannot override ORDER BY clause of window")
            } else if position + 1 < chain.len() && spec.window_frame.is_some() {
                Some("cannot copy window because it has a frame clause")
            } else {
                None
            };
            if let Some(message) = refused {
                return Err(self.at(PgError::new(SqlState::WINDOWING_ERROR, message), whole));
            }
            for expr in &spec.partition_by {
                let value = self.expression(expr)?;
                partition_by.push(self.group_key(value)?.expr);
            }
            for written in order_by {
                order.push((self.expression(&written.expr)?, written.options));
            }
            frame = spec.window_frame.as_ref();
            excluded = marks.first().and_then(|mark| exclusion(&mark.expr));
        }
        let beyond = Beyond { exclusion: excluded, looks_at_row };
        let frame = self.resolved_frame(frame, beyond, &mut order, whole)?;
        let order_by = order.into_iter().map(|(value, options)| self.sort(value, &options)).collect::<Result<_>>()?;
        Ok(Window { partition_by, order_by, frame })
    }
}

/// The call as the engine knows it.
fn engine_window(
    fun: WindowFunctionDefinition,
    args: Vec<Expr>,
    window: &Window,
    filter: Option<Box<Expr>>,
    null_treatment: Option<NullTreatment>,
) -> Expr {
    let mut params = WindowFunctionParams {
        args,
        partition_by: window.partition_by.clone(),
        order_by: window.order_by.clone(),
        window_frame: whole_partition(),
        filter,
        null_treatment,
        distinct: false,
    };
    let fun = match &window.frame {
        ResolvedFrame::Engine { frame, .. } => {
            params.window_frame = frame.clone();
            fun
        }
        ResolvedFrame::Own { frame, columns } if Framed::has_frame(&fun) => {
            let width = params.args.len();
            let filter = params.filter.take();
            let framed = Framed { function: fun, width, filtered: filter.is_some(), frame: *frame };
            params.args.extend(filter.map(|condition| *condition));
            params.args.extend(columns.iter().cloned());
            framed.definition()
        }
        ResolvedFrame::Own { .. } => fun,
    };
    Expr::WindowFunction(Box::new(EngineWindow { fun, params }))
}
