//! The frames of windows: those that the engine has, and those that [`pg::library::aggregate::Framed`] functions have.

use arrow::compute::SortOptions;
use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, WindowFrame, WindowFrameBound, WindowFrameUnits};
use pg::Type;
use pg::error::PgError;
use pg::function::CastContext;
use pg::library::aggregate::{Bound, Exclusion, Frame, FrameUnits, OFFSET_ROWS};
use pg::sqlstate::SqlState;
use pg::types::*;
use sqlparser::ast;

use super::range;
use crate::analyze::Analyzer;
use crate::analyze::call::bound_call;
use crate::analyze::location::Located;
use crate::analyze::scope::Place;
use crate::analyze::typed::Typed;
use crate::error::Result;

/// Rows that a frame of the engine's reaches back or forth: it adds positions without looking.
const FRAME_OFFSET_MAX: u64 = 1 << 40;

/// A frame, resolved.
#[derive(Debug, Clone)]
pub(super) enum ResolvedFrame {
    /// The engine's own.
    Engine {
        frame: WindowFrame,
        /// Whether it ends before it begins, so that nothing is in it.
        empty: bool,
    },
    /// Ours.
    Own {
        frame: Frame,
        /// What its bounds say, the start's first, and what the partition is ordered by.
        columns: Vec<Expr>,
    },
}

/// What the rows of a partition are ordered by: values, in which direction.
pub(super) type Order = Vec<(Typed, ast::OrderByOptions)>;

/// What the engine's frames cannot do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Beyond {
    /// Rows that are taken out of the frame.
    pub exclusion: Option<Exclusion>,
    /// Whether the function looks at the row whose frame it is.
    pub looks_at_row: bool,
}

impl Beyond {
    fn is_needed(self) -> bool {
        self.exclusion.is_some() || self.looks_at_row
    }
}

/// A bound as it was written, its offset read.
struct ReadBound {
    bound: Bound,
    offset: Option<(Typed, ast::Expr)>,
}

impl Analyzer<'_> {
    /// The frame of a window that is ordered so. What RANGE compares is put in the place of what the order says, so that
    /// the rows are sorted by what is compared.
    pub(super) fn resolved_frame(
        &mut self,
        written: Option<&ast::WindowFrame>,
        beyond: Beyond,
        order: &mut Order,
        whole: &ast::Expr,
    ) -> Result<ResolvedFrame> {
        let Some(written) = written else {
            let no_offset = |bound| ReadBound { bound, offset: None };
            let (start, end) = (no_offset(Bound::UnboundedPreceding), no_offset(Bound::CurrentRow));
            return self.counted_frame(FrameUnits::Range, start, end, beyond, order);
        };
        let units = match written.units {
            ast::WindowFrameUnits::Rows => FrameUnits::Rows,
            ast::WindowFrameUnits::Range => FrameUnits::Range,
            ast::WindowFrameUnits::Groups => FrameUnits::Groups,
        };
        let current = ast::WindowFrameBound::CurrentRow;
        let end = written.end_bound.as_ref().unwrap_or(&current);
        let refused = match (units, refused_bounds(&written.start_bound, end)) {
            (FrameUnits::Groups, _) if order.is_empty() => Some("GROUPS mode requires an ORDER BY clause"),
            (_, refused) => refused,
        };
        if let Some(message) = refused {
            return Err(self.at(PgError::new(SqlState::WINDOWING_ERROR, message), whole));
        }
        let start = self.read_bound(&written.start_bound, units, Bound::UnboundedPreceding)?;
        let end = self.read_bound(end, units, Bound::UnboundedFollowing)?;
        match units {
            FrameUnits::Range if start.offset.is_some() || end.offset.is_some() => {
                self.range_frame(start, end, beyond, order, whole)
            }
            _ => self.counted_frame(units, start, end, beyond, order),
        }
    }

    /// The bound; `unbounded` is what it is without an offset that has one elsewhere.
    fn read_bound(
        &mut self,
        written: &ast::WindowFrameBound,
        units: FrameUnits,
        unbounded: Bound,
    ) -> Result<ReadBound> {
        let (bound, offset) = match written {
            ast::WindowFrameBound::CurrentRow => (Bound::CurrentRow, None),
            ast::WindowFrameBound::Preceding(None) | ast::WindowFrameBound::Following(None) => (unbounded, None),
            ast::WindowFrameBound::Preceding(Some(offset)) => (Bound::Preceding, Some(offset)),
            ast::WindowFrameBound::Following(Some(offset)) => (Bound::Following, Some(offset)),
        };
        let Some(written) = offset else { return Ok(ReadBound { bound, offset: None }) };
        let place = match units {
            FrameUnits::Rows => "window ROWS",
            FrameUnits::Groups => "window GROUPS",
            FrameUnits::Range => "window RANGE",
        };
        let around = self.level()?.place.replace(Place::Plain(place));
        let value = self.frame_offset(written);
        self.level()?.place = around;
        let value = value?;
        let own = self.levels.len().saturating_sub(1);
        if self.reads_level(&value.expr, own)? {
            let units = place.trim_start_matches("window ");
            let message = format!("argument of {units} must not contain variables");
            return Err(self.at(PgError::new(SqlState::INVALID_COLUMN_REFERENCE, message), written.as_ref()));
        }
        Ok(ReadBound { bound, offset: Some((value, written.as_ref().clone())) })
    }

    /// A string by itself is of the type that the order asks for; sqlparser takes it for an interval.
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

    /// A frame whose offsets, if it has any, count rows or groups.
    fn counted_frame(
        &mut self,
        units: FrameUnits,
        start: ReadBound,
        end: ReadBound,
        beyond: Beyond,
        order: &Order,
    ) -> Result<ResolvedFrame> {
        let (start_bound, end_bound) = (start.bound, end.bound);
        let start = self.counted(start, "starting")?;
        let end = self.counted(end, "ending")?;
        let counts = (constant_count(start.as_ref()), constant_count(end.as_ref()));
        if let ((Some(from), Some(to)), false) = (counts, beyond.is_needed()) {
            return Ok(engine_frame(units, start_bound, from, end_bound, to, order));
        }
        let mut columns = Vec::new();
        for (offset, is_end) in [(start, false), (end, true)] {
            if let Some(offset) = offset {
                let arguments = vec![offset, Typed::boolean(is_end)];
                columns.push(bound_call(
                    &OFFSET_ROWS,
                    arguments,
                    Type::of(INT8),
                    CastContext::Implicit,
                    &self.session,
                )?);
            }
        }
        let mut columns: Vec<_> = columns.into_iter().map(|column| column.expr).collect();
        for (value, _) in order {
            columns.push(self.order_key(value.clone())?.expr);
        }
        let Beyond { exclusion, .. } = beyond;
        let frame = Frame { units, start: start_bound, end: end_bound, exclusion, order: SortOptions::default() };
        Ok(ResolvedFrame::Own { frame, columns })
    }

    /// The offset as a number of rows or groups.
    fn counted(&mut self, bound: ReadBound, which: &str) -> Result<Option<Typed>> {
        let Some((value, place)) = bound.offset else { return Ok(None) };
        let value = self.coerce(value, &Type::of(INT8), CastContext::Assignment);
        let value = value.map_err(|error| self.at(error, &place))?;
        self.refuse_null(&value, which, &place)?;
        if matches!(value.value(), Some(ScalarValue::Int64(Some(..0)))) {
            let message = format!("frame {which} offset must not be negative");
            let error = PgError::new(SqlState::INVALID_PRECEDING_OR_FOLLOWING_SIZE, message);
            return Err(self.at(error, &place));
        }
        Ok(Some(value))
    }

    fn refuse_null(&self, value: &Typed, which: &str, place: &ast::Expr) -> Result<()> {
        if value.value().is_some_and(ScalarValue::is_null) {
            let message = format!("frame {which} offset must not be null");
            return Err(self.at(PgError::new(SqlState::NULL_VALUE_NOT_ALLOWED, message), place));
        }
        Ok(())
    }

    /// A frame of RANGE that has an offset.
    fn range_frame(
        &mut self,
        start: ReadBound,
        end: ReadBound,
        beyond: Beyond,
        order: &mut Order,
        whole: &ast::Expr,
    ) -> Result<ResolvedFrame> {
        let [(value, options)] = order.as_mut_slice() else {
            let message = "RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column";
            return Err(self.at(PgError::new(SqlState::WINDOWING_ERROR, message), whole));
        };
        let ty = value.ty.clone();
        let (start_bound, end_bound) = (start.bound, end.bound);
        let start = self.ranged(start, &ty, "starting")?;
        let end = self.ranged(end, &ty, "ending")?;
        if !beyond.is_needed()
            && let (Some(from), Some(to)) = (engine_offset(&ty, start.as_ref()), engine_offset(&ty, end.as_ref()))
        {
            let from = from.map_err(|error| self.at(error, whole))?;
            let to = to.map_err(|error| self.at(error, whole))?;
            *value = self.range_key(value.clone(), &[]).map_err(|error| self.at(error, whole))?;
            return Ok(engine_frame(FrameUnits::Range, start_bound, from, end_bound, to, order));
        }
        let offsets: Vec<&Type> = [&start, &end].into_iter().flatten().map(|offset| &offset.ty).collect();
        let key = self.range_key(value.clone(), &offsets).map_err(|error| self.at(error, whole))?;
        let descending = options.asc == Some(false);
        let mut columns = Vec::new();
        for (offset, bound, is_end) in [(start, start_bound, false), (end, end_bound, true)] {
            let Some(offset) = offset else { continue };
            let reach = range::Reach { subtract: (bound == Bound::Preceding) != descending, is_end, descending };
            let bound = self.range_bound(&ty, &key, offset, reach);
            columns.push(bound.map_err(|error| self.at(error, whole))?.expr);
        }
        columns.push(key.expr.clone());
        *value = key;
        let order = SortOptions { descending, nulls_first: options.nulls_first.unwrap_or(descending) };
        let Beyond { exclusion, .. } = beyond;
        let frame = Frame { units: FrameUnits::Range, start: start_bound, end: end_bound, exclusion, order };
        Ok(ResolvedFrame::Own { frame, columns })
    }

    /// The offset of RANGE, of the type that what the rows are ordered by asks for.
    fn ranged(&mut self, bound: ReadBound, order: &Type, which: &str) -> Result<Option<Typed>> {
        let Some((value, place)) = bound.offset else { return Ok(None) };
        let wanted = range::offset_type(order, &value).map_err(|error| self.at(error, &place))?;
        let value = self.coerce(value, &wanted, CastContext::Implicit).map_err(|error| self.at(error, &place))?;
        self.refuse_null(&value, which, &place)?;
        Ok(Some(value))
    }
}

/// The offset for the engine; nothing if it cannot have it.
fn engine_offset(order: &Type, offset: Option<&Typed>) -> Option<pg::error::Result<ScalarValue>> {
    match offset {
        None => Some(Ok(ScalarValue::UInt64(None))),
        Some(offset) => range::engine_offset(order, offset),
    }
}

/// What is wrong with where a frame begins and ends.
fn refused_bounds(start: &ast::WindowFrameBound, end: &ast::WindowFrameBound) -> Option<&'static str> {
    use ast::WindowFrameBound::{CurrentRow, Following, Preceding};
    match (start, end) {
        (Following(None), _) => Some("frame start cannot be UNBOUNDED FOLLOWING"),
        (_, Preceding(None)) => Some("frame end cannot be UNBOUNDED PRECEDING"),
        (CurrentRow, Preceding(_)) => Some("frame starting from current row cannot have preceding rows"),
        (Following(_), Preceding(_) | CurrentRow) => {
            Some("frame starting from following row cannot have preceding rows")
        }
        _ => None,
    }
}

/// The frame that has all rows in it.
pub(super) fn whole_partition() -> WindowFrame {
    let start = WindowFrameBound::Preceding(ScalarValue::UInt64(None));
    let end = WindowFrameBound::Following(ScalarValue::UInt64(None));
    WindowFrame::new_bounds(WindowFrameUnits::Rows, start, end)
}

/// A number of rows or groups as the engine has it: none where the bound has none. Nothing if it is no constant.
fn constant_count(offset: Option<&Typed>) -> Option<ScalarValue> {
    match offset.map(Typed::value) {
        None => Some(ScalarValue::UInt64(None)),
        Some(Some(ScalarValue::Int64(Some(count)))) => {
            Some(ScalarValue::UInt64(Some(count.unsigned_abs().min(FRAME_OFFSET_MAX))))
        }
        Some(_) => None,
    }
}

fn engine_frame(
    units: FrameUnits,
    start: Bound,
    from: ScalarValue,
    end: Bound,
    to: ScalarValue,
    order: &Order,
) -> ResolvedFrame {
    let bound = |bound: Bound, offset: ScalarValue| match bound {
        Bound::UnboundedPreceding | Bound::Preceding => WindowFrameBound::Preceding(offset),
        Bound::CurrentRow => WindowFrameBound::CurrentRow,
        Bound::UnboundedFollowing | Bound::Following => WindowFrameBound::Following(offset),
    };
    let (start, end) = (bound(start, from), bound(end, to));
    if is_empty(&start, &end) {
        // Any frame will do for what sees nothing of it.
        let row = || WindowFrameBound::CurrentRow;
        return ResolvedFrame::Engine {
            frame: WindowFrame::new_bounds(WindowFrameUnits::Rows, row(), row()),
            empty: true,
        };
    }
    let units = match units {
        FrameUnits::Rows => WindowFrameUnits::Rows,
        FrameUnits::Groups => WindowFrameUnits::Groups,
        // The engine wants an order for RANGE; without one all rows are peers.
        FrameUnits::Range if order.is_empty() => {
            return ResolvedFrame::Engine { frame: whole_partition(), empty: false };
        }
        // Rows that are equal in the order are a group.
        FrameUnits::Range if !order.first().is_some_and(|(key, _)| has_engine_range(&key.ty.arrow)) => {
            WindowFrameUnits::Groups
        }
        FrameUnits::Range => WindowFrameUnits::Range,
    };
    ResolvedFrame::Engine { frame: WindowFrame::new_bounds(units, start, end), empty: false }
}

/// Whether the engine has RANGE over values of this type.
fn has_engine_range(data_type: &DataType) -> bool {
    let is_date = matches!(data_type, DataType::Date32 | DataType::Date64 | DataType::Timestamp(..));
    let is_single = data_type.is_numeric() || data_type.is_string() || *data_type == DataType::Boolean;
    is_single || is_date || matches!(data_type, DataType::Null | DataType::List(_))
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

fn ends_with_word(text: &str, word: &str) -> bool {
    let text = text.trim_end();
    let end = text.len().checked_sub(word.len()).and_then(|start| text.get(start..));
    end.is_some_and(|end| end.eq_ignore_ascii_case(word))
}
