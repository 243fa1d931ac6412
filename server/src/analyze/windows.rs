//! Window functions and the windows they look through.

mod range;

use datafusion::common::ScalarValue;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::expr::{NullTreatment, Sort, WindowFunction as EngineWindow, WindowFunctionParams};
use datafusion::logical_expr::{Expr, WindowFrame, WindowFrameBound, WindowFrameUnits, WindowFunctionDefinition, lit};
use pg::Type;
use pg::error::PgError;
use pg::function::{CastContext, WindowFunction};
use pg::library::aggregate::{Exclusion, excluding};
use pg::sqlstate::SqlState;
use pg::types::*;
use sqlparser::ast::{self, NamedWindowExpr, WindowSpec, WindowType};

use crate::analyze::location::Located;
use crate::analyze::scope::Place;
use crate::analyze::typed::Typed;
use crate::analyze::{Analyzer, folded};
use crate::error::Result;
use crate::parse::forms::exclusion;

/// Windows that extend each other.
const CHAIN_MAX: usize = 64;

/// Rows that a frame reaches back or forth: the engine adds positions without looking.
const FRAME_OFFSET_MAX: u64 = 1 << 40;

/// A window, resolved.
struct Window {
    partition_by: Vec<Expr>,
    order_by: Vec<Sort>,
    frame: WindowFrame,
    /// Whether the frame ends before it begins, so that nothing is in it.
    empty: bool,
    /// Rows that are taken out of the frame.
    exclusion: Option<Exclusion>,
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
        let fixed = match function.name {
            "nth_value" => arguments.get(1),
            "ntile" => arguments.first(),
            _ => None,
        };
        if fixed.is_some_and(|argument| argument.value().is_none()) {
            let what = format!("an argument of {} that is not a constant", function.name);
            return Err(self.at(PgError::not_supported(what), whole));
        }
        let window = self.window(over, whole)?;
        let types: Vec<_> = arguments.iter().map(|argument| argument.ty.clone()).collect();
        if window.empty && matches!(function.name, "first_value" | "last_value" | "nth_value") {
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
        let window = self.window(over, whole)?;
        let is_filtered =
            |node: &Expr| Ok(matches!(node, Expr::AggregateFunction(aggregate) if aggregate.params.filter.is_some()));
        if window.exclusion.is_some() && value.expr.exists(is_filtered).map_err(PgError::from)? {
            return Err(self.at(PgError::not_supported("FILTER with EXCLUDE in the frame"), whole));
        }
        // Aggregates in the arguments of these are those of the groups below: sum(sum(x)) OVER ().
        let rewritten = value.expr.transform_down(|node| {
            Ok(match node {
                Expr::AggregateFunction(aggregate) => {
                    let definition = WindowFunctionDefinition::AggregateUDF(aggregate.func);
                    let params = aggregate.params;
                    let nulls = params.null_treatment;
                    let filter = if window.empty { Some(Box::new(lit(false))) } else { params.filter };
                    let call = engine_window(definition, params.args, &window, filter, nulls);
                    Transformed::new(call, true, TreeNodeRecursion::Jump)
                }
                other => Transformed::no(other),
            })
        });
        let expr = rewritten.map_err(PgError::from)?.data;
        Ok(Typed::new(expr, value.ty))
    }

    fn window(&mut self, over: &WindowType, whole: &ast::Expr) -> Result<Window> {
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
        let window = self.window_of(&chain, whole);
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

    fn window_of(&mut self, chain: &[WindowSpec], whole: &ast::Expr) -> Result<Window> {
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
        let mut ranged = None;
        // What RANGE adds to and takes from the order must be carried so that the engine can add to it.
        if let (Some(written), [(value, _)]) = (frame, order.as_mut_slice())
            && written.units == ast::WindowFrameUnits::Range
            && has_offset(written)
        {
            ranged = Some(value.ty.clone());
            *value = self.range_key(value.clone()).map_err(|error| self.at(error, whole))?;
        }
        let types: Vec<_> = match ranged {
            Some(ty) => vec![ty],
            None => order.iter().map(|(value, _)| value.ty.clone()).collect(),
        };
        let (frame, empty) = self.frame(frame, &types, whole)?;
        let order_by = order.into_iter().map(|(value, options)| self.sort(value, &options)).collect::<Result<_>>()?;
        Ok(Window { partition_by, order_by, frame, empty, exclusion: excluded })
    }

    fn frame(
        &mut self,
        frame: Option<&ast::WindowFrame>,
        order: &[Type],
        whole: &ast::Expr,
    ) -> Result<(WindowFrame, bool)> {
        let Some(frame) = frame else {
            let end = if order.is_empty() {
                WindowFrameBound::Following(ScalarValue::UInt64(None))
            } else {
                WindowFrameBound::CurrentRow
            };
            let start = WindowFrameBound::Preceding(ScalarValue::UInt64(None));
            let units = if order.is_empty() { WindowFrameUnits::Rows } else { WindowFrameUnits::Range };
            return Ok((WindowFrame::new_bounds(units, start, end), false));
        };
        let units = match frame.units {
            ast::WindowFrameUnits::Rows => WindowFrameUnits::Rows,
            ast::WindowFrameUnits::Range => WindowFrameUnits::Range,
            ast::WindowFrameUnits::Groups => WindowFrameUnits::Groups,
        };
        let windowing = |message: &str| PgError::new(SqlState::WINDOWING_ERROR, message);
        if units == WindowFrameUnits::Groups && order.is_empty() {
            return Err(self.at(windowing("GROUPS mode requires an ORDER BY clause"), whole));
        }
        let current = ast::WindowFrameBound::CurrentRow;
        let end = frame.end_bound.as_ref().unwrap_or(&current);
        use ast::WindowFrameBound::{CurrentRow, Following, Preceding};
        let refused = match (&frame.start_bound, end) {
            (Following(None), _) => Some("frame start cannot be UNBOUNDED FOLLOWING"),
            (_, Preceding(None)) => Some("frame end cannot be UNBOUNDED PRECEDING"),
            (CurrentRow, Preceding(_)) => Some("frame starting from current row cannot have preceding rows"),
            (Following(_), Preceding(_) | CurrentRow) => {
                Some("frame starting from following row cannot have preceding rows")
            }
            _ => None,
        };
        if let Some(message) = refused {
            return Err(self.at(windowing(message), whole));
        }
        let start = self.frame_bound(&frame.start_bound, units, order, "starting", whole)?;
        let end = self.frame_bound(end, units, order, "ending", whole)?;
        if is_empty(&start, &end) {
            // Any frame will do for what sees nothing of it.
            let row = || WindowFrameBound::CurrentRow;
            return Ok((WindowFrame::new_bounds(WindowFrameUnits::Rows, row(), row()), true));
        }
        // The engine wants an order for RANGE; without one all rows are peers.
        let units = if order.is_empty() && units == WindowFrameUnits::Range {
            let start = WindowFrameBound::Preceding(ScalarValue::UInt64(None));
            let end = WindowFrameBound::Following(ScalarValue::UInt64(None));
            return Ok((WindowFrame::new_bounds(WindowFrameUnits::Rows, start, end), false));
        } else {
            units
        };
        Ok((WindowFrame::new_bounds(units, start, end), false))
    }

    /// The offset of a frame's bound. A string by itself is of the type that the order asks for; sqlparser takes it for an
    /// interval.
    fn frame_offset(&mut self, offset: &ast::Expr) -> Result<Typed> {
        if let ast::Expr::Interval(interval) = offset
            && interval.leading_field.is_none()
            && let Some(place) = crate::parse::position::byte_offset(self.text, interval.value.start())
            && let Some(before) = self.text.get(..place)
            && !ends_with_word(before, "interval")
        {
            return self.expression(&interval.value);
        }
        self.expression(offset)
    }

    fn frame_bound(
        &mut self,
        bound: &ast::WindowFrameBound,
        units: WindowFrameUnits,
        order: &[Type],
        which: &str,
        whole: &ast::Expr,
    ) -> Result<WindowFrameBound> {
        let (offset, make): (_, fn(ScalarValue) -> WindowFrameBound) = match bound {
            ast::WindowFrameBound::CurrentRow => return Ok(WindowFrameBound::CurrentRow),
            ast::WindowFrameBound::Preceding(offset) => (offset, WindowFrameBound::Preceding),
            ast::WindowFrameBound::Following(offset) => (offset, WindowFrameBound::Following),
        };
        let Some(offset) = offset else { return Ok(make(ScalarValue::UInt64(None))) };
        let value = self.offset(offset, units)?;
        if units != WindowFrameUnits::Range {
            let value = self.coerce(value, &Type::of(INT8), CastContext::Assignment);
            let value = value.map_err(|error| self.at(error, offset.as_ref()))?;
            return match self.constant_offset(&value, which, offset)? {
                ScalarValue::Int64(Some(count)) if count >= 0 => {
                    Ok(make(ScalarValue::UInt64(Some((count as u64).min(FRAME_OFFSET_MAX)))))
                }
                _ => {
                    let message = format!("frame {which} offset must not be negative");
                    let error = PgError::new(SqlState::INVALID_PRECEDING_OR_FOLLOWING_SIZE, message);
                    Err(self.at(error, offset.as_ref()))
                }
            };
        }
        let [order] = order else {
            let message = "RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column";
            return Err(self.at(PgError::new(SqlState::WINDOWING_ERROR, message), whole));
        };
        let wanted = range::offset_type(order, &value).map_err(|error| self.at(error, offset.as_ref()))?;
        let value = self.coerce(value, &wanted, CastContext::Implicit);
        let value = value.map_err(|error| self.at(error, offset.as_ref()))?;
        let constant = self.constant_offset(&value, which, offset)?;
        range::offset(order, &constant).map(make).map_err(|error| self.at(error, offset.as_ref()))
    }

    /// The offset as it was written, which reads no rows.
    fn offset(&mut self, offset: &ast::Expr, units: WindowFrameUnits) -> Result<Typed> {
        let value = self.frame_offset(offset)?;
        let own = self.levels.len().saturating_sub(1);
        if self.reads_level(&value.expr, own)? {
            let message = format!("argument of {units} must not contain variables");
            return Err(self.at(PgError::new(SqlState::INVALID_COLUMN_REFERENCE, message), offset));
        }
        Ok(value)
    }

    fn constant_offset(&self, value: &Typed, which: &str, place: &ast::Expr) -> Result<ScalarValue> {
        match value.value() {
            Some(constant) if constant.is_null() => {
                let message = format!("frame {which} offset must not be null");
                Err(self.at(PgError::new(SqlState::NULL_VALUE_NOT_ALLOWED, message), place))
            }
            Some(ScalarValue::Float64(Some(offset))) if offset.is_infinite() => {
                Err(self.at(PgError::not_supported("an infinite frame offset"), place))
            }
            Some(constant) => Ok(constant.clone()),
            None => Err(self.at(PgError::not_supported("a frame offset that is not a constant"), place)),
        }
    }
}

fn ends_with_word(text: &str, word: &str) -> bool {
    let text = text.trim_end();
    let end = text.len().checked_sub(word.len()).and_then(|start| text.get(start..));
    end.is_some_and(|end| end.eq_ignore_ascii_case(word))
}

/// Whether a frame has a bound with a number.
fn has_offset(frame: &ast::WindowFrame) -> bool {
    let offset = |bound: &ast::WindowFrameBound| {
        matches!(bound, ast::WindowFrameBound::Preceding(Some(_)) | ast::WindowFrameBound::Following(Some(_)))
    };
    offset(&frame.start_bound) || frame.end_bound.as_ref().is_some_and(offset)
}

/// Whether a frame ends before it begins.
fn is_empty(start: &WindowFrameBound, end: &WindowFrameBound) -> bool {
    use WindowFrameBound::{Following, Preceding};
    match (start, end) {
        (Following(from), Following(to)) => !from.is_null() && !to.is_null() && from > to,
        (Preceding(from), Preceding(to)) => !from.is_null() && !to.is_null() && from < to,
        _ => false,
    }
}

fn engine_window(
    fun: WindowFunctionDefinition,
    args: Vec<Expr>,
    window: &Window,
    filter: Option<Box<Expr>>,
    null_treatment: Option<NullTreatment>,
) -> Expr {
    let fun = match window.exclusion {
        Some(exclusion) => excluding(fun, args.len(), exclusion),
        None => fun,
    };
    let params = WindowFunctionParams {
        args,
        partition_by: window.partition_by.clone(),
        order_by: window.order_by.clone(),
        window_frame: window.frame.clone(),
        filter,
        null_treatment,
        distinct: false,
    };
    Expr::WindowFunction(Box::new(EngineWindow { fun, params }))
}
