//! What the nodes of a plan cost, in PostgreSQL's units: one is what it costs to read a page of 8 kB.
//!
//! The constants are PostgreSQL's (`src/include/optimizer/cost.h`). Values are in columns here and each costs less, all by
//! about the same.

use super::estimate::Estimate;

/// Bytes of a page.
const PAGE_BYTES: f64 = 8192.0;
/// To read a page.
const PAGE: f64 = 1.0;
/// To hand on a row.
const ROW: f64 = 0.01;
/// To evaluate an operator.
const OPERATOR: f64 = 0.0025;
/// To hand a row from one thread to another, which is done in batches.
const HANDED_ROW: f64 = 0.001;
/// The most rows that are shown, as in PostgreSQL (`clamp_row_est`).
const ROWS_MAX: f64 = 1e100;
/// Bytes of a terabyte, as stores count them.
const TERABYTE: f64 = 1e12;
/// To ask an object store for something, beside the bytes.
const REQUEST: f64 = 10.0;

/// What a node costs, with all that is below it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Cost {
    /// Before its first row comes.
    pub startup: f64,
    /// Until its last has come.
    pub total: f64,
}

impl Cost {
    /// Reads so many bytes by so many requests, and compares so many rows with so many conditions.
    pub fn scan(bytes: f64, requests: f64, rows: f64, conditions: usize) -> Self {
        let startup = if requests > 0.0 { REQUEST } else { 0.0 };
        let reads = bytes / PAGE_BYTES * PAGE + requests * REQUEST;
        Cost { startup, total: reads + rows * (ROW + OPERATOR * conditions as f64) }
    }

    /// The same, and so many operators evaluated for each row.
    pub fn evaluated(self, rows: f64, operators: usize) -> Self {
        Cost { total: self.total + rows * OPERATOR * operators as f64, ..self }
    }

    /// The same, its rows handed to another thread.
    pub fn handed_on(self, rows: f64) -> Self {
        Cost { total: self.total + rows * HANDED_ROW, ..self }
    }

    /// Nothing comes before all rows have come and been worked on, by so many operators each.
    pub fn blocked(self, rows_in: f64, operators: f64, rows_out: f64) -> Self {
        let startup = self.total + rows_in * OPERATOR * operators;
        Cost { startup, total: startup + rows_out * ROW }
    }

    /// All rows are sorted; `fetch` of them are kept.
    pub fn sorted(self, rows: f64, fetch: Option<f64>) -> Self {
        let kept = fetch.map_or(rows, |fetch| fetch.min(rows)).max(2.0);
        let startup = self.total + 2.0 * OPERATOR * rows * kept.log2();
        Cost { startup, total: startup + OPERATOR * kept }
    }

    /// The first of its rows.
    pub fn limited(self, rows: f64, left: f64) -> Self {
        let part = (left / rows.max(1.0)).min(1.0);
        Cost { total: self.startup + (self.total - self.startup) * part, ..self }
    }

    /// Rows that are kept in a hash table by so many keys are found by others.
    pub fn hash_join(build: (Self, f64), probe: (Self, f64), keys: usize, rows: f64) -> Self {
        let ((build, build_rows), (probe, probe_rows)) = (build, probe);
        let hashed = build.total + build_rows * (OPERATOR * keys as f64 + ROW);
        let found = probe_rows * OPERATOR * keys as f64 + rows * ROW;
        Cost { startup: hashed + probe.startup, total: hashed + probe.total + found }
    }

    /// Rows that are kept are compared with all others.
    pub fn nested_loop(kept: (Self, f64), others: (Self, f64), operators: usize, rows: f64) -> Self {
        let ((kept, kept_rows), (others, other_rows)) = (kept, others);
        let compared = kept_rows * other_rows * OPERATOR * operators.max(1) as f64;
        let startup = kept.total + others.startup;
        Cost { startup, total: kept.total + others.total + compared + rows * ROW }
    }

    /// Rows of both sides, which come in the same order.
    pub fn merge_join(left: (Self, f64), right: (Self, f64), keys: usize, rows: f64) -> Self {
        let ((left, left_rows), (right, right_rows)) = (left, right);
        let compared = (left_rows + right_rows) * OPERATOR * keys as f64 + rows * ROW;
        Cost { startup: left.startup + right.startup, total: left.total + right.total + compared }
    }

    /// One after the other.
    pub fn appended(all: impl Iterator<Item = Self>) -> Self {
        all.reduce(|one, other| Cost { startup: one.startup, total: one.total + other.total }).unwrap_or_default()
    }
}

/// What reading external tables costs in money.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ScanPrice {
    /// For a terabyte.
    pub per_terabyte: f64,
    /// For a thousand requests.
    pub per_1000_requests: f64,
}

impl ScanPrice {
    /// For so many bytes and requests.
    pub fn of(&self, bytes: u64, requests: f64) -> f64 {
        bytes as f64 / TERABYTE * self.per_terabyte + requests / 1000.0 * self.per_1000_requests
    }
}

impl<C> Estimate<C> {
    /// The rows as they are shown: whole, and at least one.
    pub fn shown_rows(&self) -> f64 {
        let rows = if self.rows.is_nan() { ROWS_MAX } else { self.rows };
        rows.round().clamp(1.0, ROWS_MAX)
    }
}
