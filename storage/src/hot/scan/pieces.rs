//! What a scan reads, piece by piece: row groups of segments, and batches of inline rows.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::RecordBatch;
use catalog::rows::{RowSet, Segment};
use catalog::{TableRows, UnitId};
use datafusion::common::Result;
use datafusion::error::DataFusionError;

use crate::hot::segments::Segments;
use crate::hot::segments::details::SegmentDetails;

/// Rows that are together.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub unit: UnitId,
    /// The position of the first of them in the unit.
    pub first_row: u32,
    /// How many, with the deleted ones.
    pub rows: usize,
    /// How many of them are deleted.
    pub deleted: u64,
    pub place: Place,
}

/// Where the rows of a piece are.
#[derive(Debug, Clone)]
pub(super) enum Place {
    /// In memory, at rest.
    Inline(RecordBatch),
    /// In a row group of a file.
    RowGroup { segment: Arc<Segment>, details: Arc<SegmentDetails>, group: usize },
}

/// All rows that are not deleted, segments first: they are older.
pub(super) fn pieces(rows: &TableRows, segments: &Segments) -> Result<Vec<Piece>> {
    let mut pieces = Vec::new();
    for (unit, segment) in rows.segments() {
        let details = segments.details(&segment.file).map_err(|error| DataFusionError::External(Box::new(error)))?;
        let groups = details.first_rows().into_iter().zip(details.rows.values()).enumerate();
        pieces.extend(groups.map(|(group, (first_row, rows))| Piece {
            unit,
            first_row,
            rows: *rows as usize,
            deleted: 0,
            place: Place::RowGroup { segment: segment.clone(), details: details.clone(), group },
        }));
    }
    for unit in rows.inline_units() {
        pieces.extend(unit.batches().map(|(first_row, rows)| Piece {
            unit: unit.unit,
            first_row,
            rows: rows.num_rows(),
            deleted: 0,
            place: Place::Inline(rows.clone()),
        }));
    }
    for piece in &mut pieces {
        let deleted = rows.deleted(piece.unit);
        piece.deleted = deleted.map_or(0, |deleted: &RowSet| deleted.count_in(piece.first_row, piece.rows as u32));
    }
    pieces.retain(|piece| piece.deleted < piece.rows as u64);
    Ok(pieces)
}

/// The pieces that nobody has taken yet. All partitions of a scan take theirs from here, so that one that is done early
/// helps the others.
#[derive(Debug)]
pub(super) struct Queue {
    pieces: Arc<[Piece]>,
    next: AtomicUsize,
}

impl Queue {
    pub fn new(pieces: Arc<[Piece]>) -> Self {
        Queue { pieces, next: AtomicUsize::new(0) }
    }

    /// All pieces, those that have been taken too.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The next piece, and its place among all.
    pub fn take(&self) -> Option<(usize, Piece)> {
        let place = self.next.fetch_add(1, Ordering::Relaxed);
        self.pieces.get(place).map(|piece| (place, piece.clone()))
    }
}
