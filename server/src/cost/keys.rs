//! How many rows of two sides have the same keys.

/// A key's values on one side of a join.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeyValues {
    /// How many there are among the rows that are joined.
    pub now: f64,
    /// How many the table has.
    pub in_table: f64,
    /// Rows of the table.
    pub table_rows: f64,
}

/// Combinations of this part of a table's rows, or more, are taken to be as many as the rows.
const UNIQUE_PART: f64 = 0.8;

/// A sample's distinct values may be so many times too many, of all rows.
const SAMPLE_ERROR: f64 = 4.0;

/// One side of a join.
#[derive(Debug, Clone, Copy)]
struct Side {
    /// Combinations of keys among the rows that are joined, and in the table.
    now: f64,
    in_table: f64,
    /// Whether each row of the table has another one.
    is_unique: bool,
}

/// The rows of a join by keys, of which the values on both sides are known or not. What is not known is taken for a key of the
/// smaller side.
///
/// Each row of one side has as many partners as there are rows on the other one for each combination of keys. The rows
/// that conditions have left of a table whose keys are unique are taken to be those that the other side asks for: the days of a
/// year all have sales, though only some of the calendar's days do. Of a table whose keys are not, they are any.
pub(crate) fn equal_rows(
    left_rows: f64,
    right_rows: f64,
    keys: impl Iterator<Item = (Option<KeyValues>, Option<KeyValues>)>,
) -> f64 {
    let unknown = left_rows.min(right_rows);
    let unknown = KeyValues { now: unknown, in_table: unknown, table_rows: unknown };
    let (mut of_left, mut of_right) = (Vec::new(), Vec::new());
    for (left, right) in keys {
        of_left.push(left.or(right).unwrap_or(unknown));
        of_right.push(right.or(left).unwrap_or(unknown));
    }
    if of_left.is_empty() {
        return left_rows * right_rows;
    }
    let (left, right) = (Side::of(&of_left, left_rows), Side::of(&of_right, right_rows));
    left_rows * right_rows / combinations(left, right).max(1.0)
}

/// How many combinations of keys both sides' rows are spread over.
fn combinations(left: Side, right: Side) -> f64 {
    match (left.is_unique, right.is_unique) {
        (false, false) => left.in_table.max(right.in_table),
        (true, false) => left.now.max(referring(right, left)),
        (false, true) => referring(left, right).max(right.now),
        // Rows that belong together: either the conditions on both go together, or they have nothing to do with each other.
        (true, true) => (left.now.max(right.now) * left.in_table.max(right.in_table)).sqrt(),
    }
}

/// Combinations of keys of a table whose rows refer to those of another one. What was counted in a sample may be a few times too
/// many: those that nobody refers to are likelier to be missing than those that somebody does.
fn referring(side: Side, to: Side) -> f64 {
    let is_likely = side.in_table <= to.in_table * SAMPLE_ERROR;
    if is_likely { side.in_table.min(to.in_table) } else { side.in_table }
}

impl Side {
    fn of(keys: &[KeyValues], rows: f64) -> Side {
        let product = |of: fn(&KeyValues) -> f64| keys.iter().map(of).product::<f64>();
        // There are no more combinations of keys than rows.
        let table_rows = keys.iter().map(|key| key.table_rows).fold(0.0, f64::max).max(1.0);
        let in_table = product(|key| key.in_table).min(table_rows);
        Side { now: product(|key| key.now).min(rows), in_table, is_unique: in_table >= table_rows * UNIQUE_PART }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(now: f64, in_table: f64, table_rows: f64) -> Option<KeyValues> {
        Some(KeyValues { now, in_table, table_rows })
    }

    fn rows(left: f64, right: f64, keys: &[(Option<KeyValues>, Option<KeyValues>)]) -> f64 {
        equal_rows(left, right, keys.iter().copied())
    }

    #[test]
    fn rows_that_are_left_of_a_dimension_are_those_that_facts_ask_for() {
        let (days, sales) = (key(366.0, 73_049.0, 73_049.0), key(1_823.0, 1_823.0, 2_880_404.0));
        assert_eq!(rows(366.0, 2_880_404.0, &[(days, sales)]).round(), (366.0 / 1_823.0 * 2_880_404.0_f64).round());
    }

    #[test]
    fn conditions_on_both_sides_of_a_foreign_key_count() {
        let (items, sales) = (key(1_000.0, 10_000.0, 10_000.0), key(950.0, 10_000.0, 1e6));
        assert_eq!(rows(1_000.0, 1_000.0, &[(items, sales)]), 100.0);
    }

    #[test]
    fn facts_have_a_dimension_unless_it_is_far_too_small() {
        let (campaigns, events) = (key(14_000.0, 14_000.0, 14_000.0), key(37_000.0, 37_000.0, 1e7));
        assert_eq!(rows(14_000.0, 1e7, &[(campaigns, events)]), 1e7);
        assert_eq!(rows(1e7, 14_000.0, &[(events, campaigns)]), 1e7);
        let premium = key(1_000.0, 1_000.0, 1_000.0);
        assert!(rows(1_000.0, 1e7, &[(premium, events)]) < 1e6);
    }

    #[test]
    fn several_keys_are_one_combination() {
        let sales = [key(18_000.0, 18_000.0, 3e6), key(240_000.0, 240_000.0, 3e6)];
        let returns = [key(17_000.0, 17_000.0, 3e5), key(170_000.0, 170_000.0, 3e5)];
        let keys = [(sales[0], returns[0]), (sales[1], returns[1])];
        assert_eq!(rows(3e6, 3e5, &keys), 3e5);
        // Conditions on both.
        let left = rows(3e5, 3e4, &[(key(18_000.0, 18_000.0, 3e6), returns[0]), (sales[1], returns[1])]);
        assert!(left > 3_000.0 && left < 3e4, "{left}");
    }

    #[test]
    fn nothing_known_is_a_key_of_the_smaller_side() {
        assert_eq!(rows(10.0, 1_000.0, &[(None, None)]), 1_000.0);
        assert_eq!(rows(10.0, 1_000.0, &[]), 10_000.0);
    }
}
