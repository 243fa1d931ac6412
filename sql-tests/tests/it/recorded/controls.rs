//! The comparison notices what it must: in the recorded answers themselves, one thing is made wrong at a time.

use super::answer::{Answer, RecordedQuery, Row};
use super::order::Order;

fn all_queries() -> Vec<RecordedQuery> {
    ["tpch", "tpcds"].into_iter().flat_map(RecordedQuery::of_folder).collect()
}

/// What a server answers that is right, and breaks ties as PostgreSQL did.
fn right_answer(query: &RecordedQuery) -> (Answer, Order) {
    let (mut answer, order) = (query.recorded(), query.order());
    answer.rows.truncate(order.limit.unwrap_or(usize::MAX));
    (answer, order)
}

#[test]
fn a_planted_wrong_value_is_noticed() {
    for query in all_queries() {
        let (right, order) = right_answer(&query);
        assert_eq!(query.recorded().difference(&right, &order), None, "{}", query.name);
        for row in [0, right.rows.len() / 2, right.rows.len().saturating_sub(1)] {
            for column in 0..right.rows.get(row).map_or(0, Vec::len) {
                let mut planted = right.clone();
                planted.rows[row][column] = Some(off_by_a_little(right.rows[row][column].as_deref()));
                let difference = query.recorded().difference(&planted, &order);
                assert!(difference.is_some(), "{}, row {row}, column {column}", query.name);
            }
        }
    }
}

/// The number with another first digit; the text with something behind it.
fn off_by_a_little(value: Option<&str>) -> String {
    let Some(value) = value else { return "NULL".to_owned() };
    let first_digit = value.char_indices().find_map(|(at, character)| Some((at, character.to_digit(10)?)));
    match first_digit.filter(|_| value.parse::<f64>().is_ok()) {
        Some((at, digit)) => format!("{}{}{}", &value[..at], digit % 9 + 1, &value[at + 1..]),
        None => format!("{value}?"),
    }
}

#[test]
fn a_missing_row_and_another_column_are_noticed() {
    for query in all_queries() {
        let (right, order) = right_answer(&query);
        let mut renamed = right.clone();
        renamed.names[0].push('?');
        assert!(query.recorded().difference(&renamed, &order).is_some(), "{}", query.name);
        let mut retyped = right.clone();
        retyped.types[0].push('?');
        assert!(query.recorded().difference(&retyped, &order).is_some(), "{}", query.name);
        let mut shorter = right;
        if shorter.rows.pop().is_some() {
            assert!(query.recorded().difference(&shorter, &order).is_some(), "{}", query.name);
        }
    }
}

fn answer(rows: &[[&str; 2]]) -> Answer {
    let row = |row: &[&str; 2]| row.map(|value| Some(value.to_owned())).to_vec();
    Answer {
        names: vec!["a".to_owned(), "b".to_owned()],
        types: vec!["text".to_owned(), "numeric".to_owned()],
        rows: rows.iter().map(row).collect::<Vec<Row>>(),
    }
}

#[test]
fn a_wrong_order_is_noticed_and_a_tie_is_not() {
    let expected = answer(&[["x", "1"], ["y", "2"], ["y", "3"], ["z", "4"]]);
    let by_a = Order { keys: vec![0], limit: None };
    let by_both = Order { keys: vec![0, 1], limit: None };
    let swapped_tie = answer(&[["x", "1.0"], ["y", "3"], ["y", "2"], ["z", "4"]]);
    assert_eq!(expected.difference(&swapped_tie, &by_a), None);
    assert!(expected.difference(&swapped_tie, &by_both).is_some());
    let swapped = answer(&[["y", "2"], ["x", "1"], ["y", "3"], ["z", "4"]]);
    assert!(expected.difference(&swapped, &by_a).is_some());
    assert_eq!(expected.difference(&swapped, &Order::default()), None);
    let twice = answer(&[["x", "1"], ["y", "2"], ["y", "2"], ["z", "4"]]);
    assert!(expected.difference(&twice, &by_a).is_some());
}

#[test]
fn any_row_of_the_last_tie_may_be_within_the_limit() {
    let expected = answer(&[["x", "1"], ["y", "2"], ["y", "3"]]);
    let order = Order { keys: vec![0], limit: Some(2) };
    assert_eq!(expected.difference(&answer(&[["x", "1"], ["y", "3"]]), &order), None);
    assert!(expected.difference(&answer(&[["x", "1"], ["y", "4"]]), &order).is_some());
    assert!(expected.difference(&answer(&[["x", "1"], ["y", "2"], ["y", "3"]]), &order).is_some());
}
