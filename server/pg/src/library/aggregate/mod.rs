//! Aggregates and window functions.
//!
//! An aggregate is a state for each group ([`state`]), or a function of all rows of a group in order ([`collect`]), or the
//! engine's own where that is PostgreSQL's; [`bound`] shows them to the engine.

use super::Section;

mod bound;
mod collect;
mod order;
mod recompute;
mod saved;
mod state;

mod array;
mod bits;
mod extreme;
mod float;
mod hypothetical;
mod interval;
mod ordered_set;
mod ratio;
mod sketch;
mod sum;
mod text;
mod variance;
mod window;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

pub use bound::BoundAggregate;
pub use window::{
    Bound, BoundWindow, Exclusion, Frame, FrameUnits, Framed, OFFSET_INTERVAL, OFFSET_ROWS, RANGE_BOUND_FLOAT,
    RANGE_BOUND_NUMERIC, TIME_OF_INTERVAL, TIMETZ_OF_INTERVAL,
};

/// What this module has.
pub static SECTION: Section = Section {
    aggregates: &[
        array::ENTRIES,
        bits::BITS,
        bits::BOOLEANS,
        extreme::COUNTS,
        extreme::MAX,
        extreme::MIN,
        float::ENTRIES,
        hypothetical::ENTRIES,
        interval::ENTRIES,
        ordered_set::ENTRIES,
        ordered_set::MEDIANS,
        ratio::ENTRIES,
        sketch::COMBINATIONS,
        sketch::COUNTS,
        sketch::SKETCHES,
        sum::ENTRIES,
        text::ENTRIES,
        variance::ENTRIES,
    ],
    windows: &[window::ENTRIES],
    ..Section::EMPTY
};
