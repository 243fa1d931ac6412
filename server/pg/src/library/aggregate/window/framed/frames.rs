//! Which rows are in the frame of a row (PostgreSQL's `update_frameheadpos` and `update_frametailpos`).

use std::fmt;
use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::SortOptions;
use arrow::datatypes::Int64Type;
use arrow::row::Rows;

use crate::error::{PgError, Result};
use crate::library::aggregate::order::{Order, comparable, keys_of};

/// What the offsets of a frame count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FrameUnits {
    /// Rows.
    Rows,
    /// Groups of rows that the order does not tell apart.
    Groups,
    /// Differences of the value that rows are ordered by.
    Range,
}

/// Where a frame begins or ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bound {
    /// With the partition's first row.
    UnboundedPreceding,
    /// So much before the row.
    Preceding,
    /// With the row; with GROUPS and RANGE, with its peers.
    CurrentRow,
    /// So much behind the row.
    Following,
    /// With the partition's last row.
    UnboundedFollowing,
}

/// Which rows are taken out of the frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Exclusion {
    /// The row itself.
    CurrentRow,
    /// The row and its peers.
    Group,
    /// The row's peers, without itself.
    Ties,
}

/// A frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Frame {
    /// What its offsets count.
    pub units: FrameUnits,
    /// Where it begins.
    pub start: Bound,
    /// Where it ends.
    pub end: Bound,
    /// What is taken out of it.
    pub exclusion: Option<Exclusion>,
    /// How the partition is ordered, by its only column, where RANGE has an offset.
    pub order: SortOptions,
}

impl Bound {
    /// Whether it has a number.
    #[must_use]
    pub fn has_offset(self) -> bool {
        matches!(self, Bound::Preceding | Bound::Following)
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} between {:?} and {:?}", self.units, self.start, self.end)?;
        match self.exclusion {
            Some(exclusion) => write!(f, " exclude {exclusion:?}"),
            None => Ok(()),
        }
    }
}

/// The frames of the rows of one partition.
pub(super) struct Frames {
    frame: Frame,
    rows: usize,
    /// For each row, where its peers begin and end.
    peers: Vec<Range<usize>>,
    /// Where the groups of peers begin, and the end of the last one; empty unless they are counted.
    groups: Vec<usize>,
    start: Edge,
    end: Edge,
}

/// One of the two bounds.
enum Edge {
    /// It has no offset.
    Plain,
    /// So many rows or groups away.
    Count(Vec<i64>),
    /// The first place whose key is not before the row's bound, or is behind it.
    Place(Vec<usize>),
}

impl Frames {
    /// The frames of a partition of so many rows: `start` and `end` are the columns of their offsets, or with RANGE of what
    /// they reach to.
    pub(super) fn new(
        frame: &Frame,
        rows: usize,
        start: Option<&ArrayRef>,
        end: Option<&ArrayRef>,
        order: &[ArrayRef],
    ) -> Result<Self> {
        let peers = if order.is_empty() { vec![0..rows; rows] } else { peers(&keys_of(order)?) };
        let mut groups = Vec::new();
        if frame.units == FrameUnits::Groups {
            groups.extend(peers.iter().map(|group| group.start));
            groups.dedup();
            groups.push(rows);
        }
        let edge = |column: Option<&ArrayRef>, is_end: bool| match (column, frame.units) {
            (None, _) => Ok(Edge::Plain),
            (Some(column), FrameUnits::Range) => places(column, order, frame.order, is_end).map(Edge::Place),
            (Some(column), _) => counts(column).map(Edge::Count),
        };
        let (start, end) = (edge(start, false)?, edge(end, true)?);
        Ok(Frames { frame: *frame, rows, peers, groups, start, end })
    }

    /// Whether every frame begins with the partition and loses no row, so that each has the one before in it.
    pub(super) fn only_grow(&self) -> bool {
        self.frame.start == Bound::UnboundedPreceding && self.frame.exclusion.is_none()
    }

    /// The rows in the frame of a row.
    pub(super) fn parts(&self, row: usize) -> Vec<Range<usize>> {
        let range = self.start(row)..self.end(row);
        let peers = &self.peers[row];
        let within = |from: usize, to: usize| from.max(range.start)..to.min(range.end);
        let mut parts = match self.frame.exclusion {
            None => vec![range.clone()],
            Some(Exclusion::CurrentRow) => vec![within(0, row), within(row + 1, usize::MAX)],
            Some(Exclusion::Group) => vec![within(0, peers.start), within(peers.end, usize::MAX)],
            Some(Exclusion::Ties) => {
                vec![within(0, peers.start), within(row, row + 1), within(peers.end, usize::MAX)]
            }
        };
        parts.retain(|part| part.start < part.end);
        parts
    }

    fn start(&self, row: usize) -> usize {
        match (self.frame.start, &self.start) {
            (Bound::UnboundedFollowing, _) => self.rows,
            (Bound::CurrentRow, _) if self.frame.units == FrameUnits::Rows => row,
            (Bound::CurrentRow, _) => self.peers[row].start,
            (_, Edge::Place(places)) => places[row],
            (bound, Edge::Count(counts)) => self.away(row, bound, counts[row], false),
            (_, Edge::Plain) => 0,
        }
    }

    fn end(&self, row: usize) -> usize {
        match (self.frame.end, &self.end) {
            (Bound::UnboundedPreceding, _) => 0,
            (Bound::CurrentRow, _) if self.frame.units == FrameUnits::Rows => row + 1,
            (Bound::CurrentRow, _) => self.peers[row].end,
            (_, Edge::Place(places)) => places[row],
            (bound, Edge::Count(counts)) => self.away(row, bound, counts[row], true),
            (_, Edge::Plain) => self.rows,
        }
    }

    /// The row or group that is so many away: where it begins, or where it ends.
    fn away(&self, row: usize, bound: Bound, count: i64, is_end: bool) -> usize {
        let step = if bound == Bound::Preceding { count.saturating_neg() } else { count };
        let here = match self.frame.units {
            FrameUnits::Groups => self.groups.partition_point(|start| *start <= row) - 1,
            _ => row,
        };
        let place = (here as i64).saturating_add(step).saturating_add(i64::from(is_end));
        let place = usize::try_from(place.max(0)).unwrap_or(usize::MAX);
        match self.frame.units {
            FrameUnits::Groups => self.groups.get(place).copied().unwrap_or(self.rows),
            _ => place.min(self.rows),
        }
    }
}

fn peers(keys: &Rows) -> Vec<Range<usize>> {
    let rows = keys.num_rows();
    let mut peers: Vec<Range<usize>> = Vec::with_capacity(rows);
    let mut start = 0;
    for row in 1..=rows {
        if row == rows || keys.row(row) != keys.row(start) {
            peers.extend(std::iter::repeat_n(start..row, row - start));
            start = row;
        }
    }
    peers
}

fn counts(column: &ArrayRef) -> Result<Vec<i64>> {
    let counts = column.as_primitive_opt::<Int64Type>();
    let counts = counts.filter(|counts| counts.null_count() == 0);
    let counts = counts.ok_or_else(|| PgError::internal("the offset of a frame is a bigint"))?;
    Ok(counts.values().to_vec())
}

/// For each row, where the rows begin that are not before its bound; or that are behind it.
fn places(bounds: &ArrayRef, order: &[ArrayRef], options: SortOptions, is_end: bool) -> Result<Vec<usize>> {
    let [key] = order else { return Err(PgError::internal("RANGE with an offset has one column in its order")) };
    let (key, bounds) = (comparable(key)?, comparable(bounds)?);
    let order = Order::new([(key.data_type().clone(), options)])?;
    let (keys, bounds) = (order.keys(&[key])?, order.keys(&[bounds])?);
    let sorted: Vec<_> = keys.iter().collect();
    let place = |bound| match is_end {
        false => sorted.partition_point(|key| *key < bound),
        true => sorted.partition_point(|key| *key <= bound),
    };
    Ok(bounds.iter().map(place).collect())
}
