//! Which part of a column's values satisfies a comparison with a constant, as ANALYZE has found them: the most common values
//! one by one, the others by their histogram. It is what PostgreSQL does (`src/backend/utils/adt/selfuncs.c`).

use std::cmp::Ordering;
use std::mem::discriminant;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::compute::{cast, ilike, like};
use arrow::datatypes::DataType;
use catalog::ColumnStatistics;
use datafusion::common::ScalarValue;

use super::estimate::number;

/// A histogram of fewer values says little of patterns (PostgreSQL's `histogram_selectivity` wants 100).
const PATTERN_BOUNDS_MIN: usize = 20;
/// The least and the greatest part of the values beyond the common ones that a pattern is taken to match.
const PATTERN_PART: (f64, f64) = (0.0001, 0.9999);

/// How the values of a column are distributed.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    /// What ANALYZE has found out.
    pub known: Arc<ColumnStatistics>,
    /// How many values there are, all in all.
    pub distinct: Option<f64>,
}

/// The least part of the values that a comparison is taken to leave: they may have become others since somebody looked.
const PART_MIN: f64 = 0.0001;

/// A value that can be compared with others of its column.
#[derive(Debug, Clone, PartialEq, PartialOrd)]
pub(super) enum Point {
    Number(f64),
    Text(String),
}

impl Point {
    /// A value; none of a type whose values are not compared here.
    pub fn of(value: &ScalarValue) -> Option<Point> {
        match number(value) {
            Some(number) => Some(Point::Number(number)),
            None => value.try_as_str().flatten().map(|text| Point::Text(text.to_owned())),
        }
    }

    /// How far it is from one point to another, as a part of the way.
    fn between(&self, low: &Point, high: &Point) -> f64 {
        match (self, low, high) {
            (Point::Number(at), Point::Number(low), Point::Number(high)) if high > low => (at - low) / (high - low),
            // Which texts lie between two others nobody knows.
            _ => 0.5,
        }
    }
}

/// One end of a range.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct End {
    pub point: Point,
    pub is_included: bool,
}

/// The least and the greatest of the values that ANALYZE has seen, if they are numbers.
pub(super) fn bounds(known: &ColumnStatistics) -> Option<(f64, f64)> {
    let data_type = known.values.as_ref()?.data_type();
    if !data_type.is_numeric() && !data_type.is_temporal() {
        return None;
    }
    let points = known.most_common().into_iter().chain(known.histogram()).flat_map(|values| points(&values));
    let numbers = points.filter_map(|point| match point {
        Point::Number(number) => Some(number),
        Point::Text(_) => None,
    });
    numbers.fold(None, |bounds: Option<(f64, f64)>, number| {
        Some(bounds.map_or((number, number), |(least, greatest)| (least.min(number), greatest.max(number))))
    })
}

/// The part of the values, but NULL, that is equal to a value.
pub(super) fn equal(shape: &Shape, value: &Point) -> Option<f64> {
    let known = shape.known.as_ref();
    let (not_null, common) = (not_null(known)?, common(known)?);
    if !is_of_kind(known, value) {
        return None;
    }
    if let Some((_, frequency)) = common.iter().find(|(point, _)| point == value) {
        return Some(frequency / not_null);
    }
    let others = (shape.distinct? - common.len() as f64).max(1.0);
    Some((others_part(known) / others).max(PART_MIN / others))
}

/// The part of the values, but NULL, that lies between two ends.
pub(super) fn range(known: &ColumnStatistics, low: Option<&End>, high: Option<&End>) -> Option<f64> {
    if [low, high].into_iter().flatten().any(|end| !is_of_kind(known, &end.point)) {
        return None;
    }
    let is_beyond = |point: &Point, end: &End, beyond: Ordering| match point.partial_cmp(&end.point) {
        Some(Ordering::Equal) => end.is_included,
        ordering => ordering == Some(beyond),
    };
    let is_inside = |point: &Point| {
        low.is_none_or(|low| is_beyond(point, low, Ordering::Greater))
            && high.is_none_or(|high| is_beyond(point, high, Ordering::Less))
    };
    let (not_null, common) = (not_null(known)?, common(known)?);
    let of_common = common.iter().filter(|(point, _)| is_inside(point)).map(|(_, frequency)| frequency / not_null);
    let of_common: f64 = of_common.sum();
    let bounds: Vec<Point> = known.histogram().iter().flat_map(points).collect();
    let of_others = match bounds.len() {
        0 | 1 => 0.0,
        _ => {
            let from = low.map_or(0.0, |low| place(&bounds, &low.point));
            let to = high.map_or(1.0, |high| place(&bounds, &high.point));
            (to - from).max(0.0) * others_part(known)
        }
    };
    Some((of_common + of_others).max(PART_MIN))
}

/// The part of the values, but NULL, that matches a pattern.
pub(super) fn matching(known: &ColumnStatistics, pattern: &str, ignores_case: bool) -> Option<f64> {
    let not_null = not_null(known)?;
    let common = known.most_common();
    let is_common: Vec<bool> =
        common.as_ref().map_or(Some(Vec::new()), |values| matches(values, pattern, ignores_case))?;
    let of_common = is_common.iter().zip(&known.frequencies).filter(|(matches, _)| **matches);
    let of_common = of_common.map(|(_, frequency)| f64::from(*frequency)).sum::<f64>() / not_null;
    let others = others_part(known);
    let bounds = known.histogram().filter(|bounds| bounds.len() >= PATTERN_BOUNDS_MIN);
    let part = match bounds {
        Some(bounds) => {
            let found = matches(&bounds, pattern, ignores_case)?;
            let part = found.iter().filter(|matches| **matches).count() as f64 / found.len() as f64;
            part.clamp(PATTERN_PART.0, PATTERN_PART.1)
        }
        // All values are common, or so few are not that the common ones speak for them.
        None if others < of_common.max(0.5) && !is_common.is_empty() => {
            of_common / (1.0 - others).max(f64::MIN_POSITIVE)
        }
        None => return None,
    };
    Some(of_common + part.min(1.0) * others)
}

fn matches(values: &ArrayRef, pattern: &str, ignores_case: bool) -> Option<Vec<bool>> {
    let texts = cast(values, &DataType::Utf8).ok().filter(|_| values.data_type().is_string())?;
    let pattern = ScalarValue::Utf8(Some(pattern.to_owned())).to_scalar().ok()?;
    let found = if ignores_case { ilike(&texts, &pattern) } else { like(&texts, &pattern) };
    Some(found.ok()?.iter().map(|matches| matches == Some(true)).collect())
}

fn points(values: &ArrayRef) -> Vec<Point> {
    (0..values.len()).filter_map(|row| Point::of(&ScalarValue::try_from_array(values, row).ok()?)).collect()
}

fn not_null(known: &ColumnStatistics) -> Option<f64> {
    Some(1.0 - f64::from(known.null_fraction)).filter(|part| *part > 0.0)
}

/// The part of the values, but NULL, that is none of the most common ones.
fn others_part(known: &ColumnStatistics) -> f64 {
    let common: f64 = known.frequencies.iter().copied().map(f64::from).sum();
    (1.0 - common / not_null(known).unwrap_or(1.0)).clamp(0.0, 1.0)
}

/// The most common values, and which parts of the rows they are. None if nothing is known of values.
fn common(known: &ColumnStatistics) -> Option<Vec<(Point, f64)>> {
    known.values.as_ref()?;
    let values: Vec<Point> = known.most_common().iter().flat_map(points).collect();
    let is_whole = values.len() == known.frequencies.len();
    is_whole.then(|| values.into_iter().zip(known.frequencies.iter().copied().map(f64::from)).collect())
}

/// Whether a value is of the kind that the column's values are of: a text is nowhere among numbers.
fn is_of_kind(known: &ColumnStatistics, value: &Point) -> bool {
    let first = known.values.as_ref().and_then(|values| ScalarValue::try_from_array(values, 0).ok());
    first.and_then(|first| Point::of(&first)).is_some_and(|first| discriminant(&first) == discriminant(value))
}

/// Which part of a histogram lies below a point.
fn place(bounds: &[Point], point: &Point) -> f64 {
    let below = bounds.partition_point(|bound| bound < point);
    if below == 0 {
        return 0.0;
    }
    let Some(high) = bounds.get(below) else { return 1.0 };
    let within = point.between(&bounds[below - 1], high).clamp(0.0, 1.0);
    (below as f64 - 1.0 + within) / (bounds.len() - 1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Array, Int32Array, StringArray};
    use std::sync::Arc;

    /// Half of the rows NULL; 7 a quarter of them; the others from 0 to 100.
    fn numbers() -> ColumnStatistics {
        let values: ArrayRef = Arc::new(Int32Array::from_iter_values([7].into_iter().chain(0..=100)));
        ColumnStatistics { null_fraction: 0.5, frequencies: vec![0.25], values: Some(values), ..Default::default() }
    }

    fn end(number: f64, is_included: bool) -> Option<End> {
        Some(End { point: Point::Number(number), is_included })
    }

    fn shape(known: ColumnStatistics) -> Shape {
        Shape { known: Arc::new(known), distinct: Some(101.0) }
    }

    fn near(part: Option<f64>, expected: f64) {
        assert!(part.is_some_and(|part| (part - expected).abs() < 1e-6), "{part:?} is not {expected}");
    }

    #[test]
    fn common_values_are_known_one_by_one() {
        let known = shape(numbers());
        near(equal(&known, &Point::Number(7.0)), 0.5);
        near(equal(&known, &Point::Number(8.0)), 0.005);
        // It may have come since.
        near(equal(&known, &Point::Number(101.0)), 0.005);
        assert_eq!(equal(&known, &Point::Text("8".to_owned())), None);
        assert_eq!(bounds(&known.known), Some((0.0, 100.0)));
    }

    #[test]
    fn ranges_have_their_part_of_the_histogram_and_their_common_values() {
        let known = numbers();
        near(range(&known, None, end(50.0, false).as_ref()), 0.75);
        near(range(&known, end(50.0, false).as_ref(), None), 0.25);
        near(range(&known, end(7.0, false).as_ref(), end(17.0, true).as_ref()), 0.05);
        near(range(&known, end(7.0, true).as_ref(), end(17.0, true).as_ref()), 0.55);
        near(range(&known, end(200.0, true).as_ref(), None), PART_MIN);
    }

    #[test]
    fn patterns_are_tried_on_the_values() {
        let bounds = (0..100).map(|number| format!("{number:02} {}", if number % 4 == 0 { "Blue" } else { "red" }));
        let values: Vec<String> = ["common".to_owned()].into_iter().chain(bounds).collect();
        let values: ArrayRef = Arc::new(StringArray::from(values));
        let known = ColumnStatistics { frequencies: vec![0.2], values: Some(values), ..Default::default() };
        near(matching(&known, "%Blue", false), 0.2);
        near(matching(&known, "%blue", true), 0.2);
        near(matching(&known, "%mmo%", false), 0.2 + 0.0001 * 0.8);
        assert_eq!(matching(&ColumnStatistics::default(), "%a%", false), None);
        assert_eq!(known.histogram().unwrap().len(), 100);
    }
}
