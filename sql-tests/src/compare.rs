//! Whether two answers mean the same.
//!
//! They do when columns and values are the same text. Three exceptions are bound to the type of a value: a `numeric` may
//! have another number of digits after the point, since a quotient's is chosen by its values in PostgreSQL and by its
//! types here; floating point may differ in the last digit, which is the C library's; and rows have an order only if the
//! statement gives them one.

use std::cmp::Ordering;
use std::fmt;

use crate::answer::{Answer, Column, type_name};
use crate::expected::written;
use crate::statements::is_ordered;

/// How far apart the results of `sin` or `exp` of two libraries may be.
const FLOAT8_TOLERANCE: f64 = 1e-14;

/// The same for `real`.
const FLOAT4_TOLERANCE: f64 = 1e-6;

/// Digits after the point that a `numeric` must have if it is to stand for one with more of them.
const ROUNDED_SCALE_MIN: usize = 6;

/// Digits in all that are enough too: PostgreSQL leaves away the fraction of a large quotient.
const ROUNDED_DIGITS_MIN: usize = 10;

/// The SQLSTATE of what must not happen.
const INTERNAL_ERROR: &str = "XX000";

/// How two answers differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Only the sentence of the error is another.
    Message(String),
    /// Refused for a mistake of ours.
    Internal(String),
    /// Refused as not supported, but answered by PostgreSQL or refused by it for another reason.
    NotSupported(String),
    /// Refused, but answered by PostgreSQL.
    Refused(String),
    /// Answered, but refused by PostgreSQL.
    Answered(String),
    /// Refused by both, for different reasons.
    Sqlstate(String),
    /// Another number, name or type of a column.
    Columns(String),
    /// Another number of rows, or the right rows in the wrong order.
    Rows(String),
    /// Another value.
    Value(String),
    /// Another command's answer.
    Command(String),
}

impl Difference {
    /// What is different, without how.
    pub fn kind(&self) -> &'static str {
        match self {
            Difference::Message(_) => "message",
            Difference::Internal(_) => "internal error",
            Difference::NotSupported(_) => "not supported",
            Difference::Refused(_) => "refused",
            Difference::Answered(_) => "answered",
            Difference::Sqlstate(_) => "SQLSTATE",
            Difference::Columns(_) => "columns",
            Difference::Rows(_) => "rows",
            Difference::Value(_) => "value",
            Difference::Command(_) => "command",
        }
    }

    /// How it is different.
    pub fn text(&self) -> &str {
        match self {
            Difference::Message(text)
            | Difference::Internal(text)
            | Difference::NotSupported(text)
            | Difference::Refused(text)
            | Difference::Answered(text)
            | Difference::Sqlstate(text)
            | Difference::Columns(text)
            | Difference::Rows(text)
            | Difference::Value(text)
            | Difference::Command(text) => text,
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind(), self.text())
    }
}

/// How `ours` differs from PostgreSQL's answer to the same statement.
pub fn compare(sql: &str, postgres: &Answer, ours: &Answer) -> Option<Difference> {
    match (postgres, ours) {
        (Answer::Error(theirs), Answer::Error(our)) if theirs.sqlstate == our.sqlstate => {
            (theirs.message != our.message).then(|| Difference::Message(format!("{theirs} / {our}")))
        }
        (_, Answer::Error(our)) if our.sqlstate == INTERNAL_ERROR => {
            Some(Difference::Internal(format!("{} / {our}", excerpt(postgres))))
        }
        (_, Answer::Error(our)) if our.is_not_supported() => Some(Difference::NotSupported(our.message.clone())),
        (Answer::Error(theirs), Answer::Error(our)) => Some(Difference::Sqlstate(format!("{theirs} / {our}"))),
        (_, Answer::Error(our)) => Some(Difference::Refused(format!("{} / {our}", excerpt(postgres)))),
        (Answer::Error(theirs), _) => Some(Difference::Answered(format!("{theirs} / {}", excerpt(ours)))),
        (Answer::Rows { columns, rows }, Answer::Rows { columns: our_columns, rows: our_rows }) => {
            // A wrong value is worse than a wrong name, and would not be seen behind it.
            if columns.len() != our_columns.len() {
                return Some(Difference::Columns(format!("{} / {} columns", columns.len(), our_columns.len())));
            }
            let rows_differ = compare_rows(columns, rows, our_rows, is_ordered(sql));
            rows_differ.or_else(|| compare_columns(columns, our_columns))
        }
        (postgres, ours) if postgres == ours => None,
        (postgres, ours) => Some(Difference::Command(format!("{} / {}", excerpt(postgres), excerpt(ours)))),
    }
}

/// The beginning of an answer, in one line.
pub fn excerpt(answer: &Answer) -> String {
    match answer {
        Answer::Error(error) => format!("! {error}"),
        Answer::Command(tag) => format!("= {tag}"),
        Answer::Rows { rows, .. } => match rows.as_slice() {
            [] => "(no rows)".to_owned(),
            [row] => line(row),
            [row, ..] => format!("{} (and {} more rows)", line(row), rows.len() - 1),
        },
    }
}

fn line(row: &[Option<String>]) -> String {
    row.iter().map(|value| written(value.as_deref())).collect::<Vec<_>>().join(" | ")
}

fn compare_columns(postgres: &[Column], ours: &[Column]) -> Option<Difference> {
    let (theirs, our) = postgres.iter().zip(ours).find(|(theirs, our)| !is_same_column(theirs, our))?;
    let described = |column: &Column| format!("{} {}", column.name, type_name(column.type_oid));
    Some(Difference::Columns(format!("{} / {}", described(theirs), described(our))))
}

/// Types that users have made have other OIDs in every database, but the same name here.
fn is_same_column(left: &Column, right: &Column) -> bool {
    left.name == right.name && type_name(left.type_oid) == type_name(right.type_oid)
}

/// OID of `character(n)`.
const CHARACTER: u32 = 1042;

/// How far apart numbers may be that count as the same but for their last digits.
const DIGITS_TOLERANCE: f64 = 1e-9;

/// Whether the answers have the same shape and the same values, but for the last digits of numbers, zeros at the end of a
/// fraction, and blanks at the end of a `character`. A sequence of operations carries on what the first one has rounded,
/// and shows it as text: such a value must not hide the ones that are wrong.
pub fn differ_in_digits_only(sql: &str, postgres: &Answer, ours: &Answer) -> bool {
    let (Answer::Rows { columns, rows }, Answer::Rows { columns: our_columns, rows: our_rows }) = (postgres, ours)
    else {
        return false;
    };
    let same = |column: &Column, left: &Option<String>, right: &Option<String>| match (left, right) {
        (Some(left), Some(right)) => {
            left == right
                || (INEXACT.contains(&column.type_oid) || TEXTS.contains(&column.type_oid))
                    && is_close(left, right, DIGITS_TOLERANCE)
                || column.type_oid == CHARACTER && left.trim_end_matches(' ') == right.trim_end_matches(' ')
                || without_zeros(left) == without_zeros(right)
        }
        _ => left == right,
    };
    let (rows, our_rows) = match is_ordered(sql) {
        true => (rows.clone(), our_rows.clone()),
        false => (sorted(columns, rows), sorted(columns, our_rows)),
    };
    columns == our_columns
        && rows.len() == our_rows.len()
        && rows.iter().zip(&our_rows).all(|(left, right)| {
            columns.iter().zip(left.iter().zip(right)).all(|(column, (left, right))| same(column, left, right))
        })
}

/// The text with each number in it as it is without zeros at the end of its fraction.
fn without_zeros(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(point) = rest.find('.') {
        let (before, after) = rest.split_at(point);
        let end = after.get(1..).and_then(|digits| digits.find(|c: char| !c.is_ascii_digit()));
        let (fraction, following) = after.split_at(end.map_or(after.len(), |end| end + 1));
        plain.push_str(before);
        let is_number = before.ends_with(|c: char| c.is_ascii_digit());
        plain.push_str(if is_number { fraction.trim_end_matches('0').trim_end_matches('.') } else { fraction });
        rest = following;
    }
    plain + rest
}

type Row = Vec<Option<String>>;

fn compare_rows(columns: &[Column], postgres: &[Row], ours: &[Row], ordered: bool) -> Option<Difference> {
    if postgres.len() != ours.len() {
        return Some(Difference::Rows(format!("{} / {} rows", postgres.len(), ours.len())));
    }
    let in_order = first_difference(columns, postgres, ours)?;
    match first_difference(columns, &sorted(columns, postgres), &sorted(columns, ours)) {
        None if ordered => Some(Difference::Rows(format!("another order: {}", in_order.text()))),
        None => None,
        Some(_) if ordered => Some(in_order),
        Some(difference) => Some(difference),
    }
}

fn sorted(columns: &[Column], rows: &[Row]) -> Vec<Row> {
    let mut rows = rows.to_vec();
    rows.sort_by(|left, right| order(columns, left, right));
    rows
}

fn first_difference(columns: &[Column], postgres: &[Row], ours: &[Row]) -> Option<Difference> {
    for (theirs, our) in postgres.iter().zip(ours) {
        for (column, (left, right)) in columns.iter().zip(theirs.iter().zip(our)) {
            if !is_same_value(column.type_oid, left.as_deref(), right.as_deref()) {
                let values = [left, right].map(|value| written(value.as_deref()));
                return Some(Difference::Value(values.join(" / ")));
            }
        }
    }
    None
}

/// Types of texts, which may be those of numbers.
const TEXTS: [u32; 3] = [25, 1042, 1043];
/// Types of numbers that may be written in more than one way.
const INEXACT: [u32; 3] = [700, 701, 1700];

/// A number without the digits in which two that count as the same may differ.
fn sort_key(text: &str) -> f64 {
    let number: f64 = text.parse().unwrap_or(f64::NAN);
    format!("{number:.11e}").parse().unwrap_or(number)
}

/// An order in which rows that count as the same end up at the same place, but for values at the edge of a
/// tolerance.
fn order(columns: &[Column], left: &Row, right: &Row) -> Ordering {
    let values = columns.iter().zip(left.iter().zip(right));
    let mut orders = values.map(|(column, (left, right))| match (left, right) {
        (Some(left), Some(right)) if INEXACT.contains(&column.type_oid) => sort_key(left).total_cmp(&sort_key(right)),
        (Some(left), Some(right)) => left.cmp(right),
        (left, right) => left.is_some().cmp(&right.is_some()),
    });
    orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

/// Whether two values of a type, written as text, count as the same.
pub fn is_same_value(type_oid: u32, left: Option<&str>, right: Option<&str>) -> bool {
    let (Some(left), Some(right)) = (left, right) else { return left == right };
    if left == right {
        return true;
    }
    let same: fn(&str, &str) -> bool = match type_oid {
        700 | 1021 => |left, right| is_close(left, right, FLOAT4_TOLERANCE),
        701 | 1022 => |left, right| is_close(left, right, FLOAT8_TOLERANCE),
        1700 | 1231 => is_same_numeric,
        _ => return false,
    };
    // The elements of arrays are compared one by one; what is between them is text.
    let separators = ['{', '}', ','];
    let (mut elements, mut others) = (left.split(separators), right.split(separators));
    let shape = |text: &str| text.matches(separators).collect::<String>();
    shape(left) == shape(right)
        && elements.all(|left| others.next().is_some_and(|right| left == right || same(left, right)))
}

fn is_close(left: &str, right: &str, tolerance: f64) -> bool {
    match (left.parse::<f64>(), right.parse::<f64>()) {
        (Ok(left), Ok(right)) if left.is_finite() && right.is_finite() => {
            (left - right).abs() <= tolerance * left.abs().max(right.abs())
        }
        _ => false,
    }
}

/// The same number; or the same once the longer fraction is rounded to the length of the shorter one, unless that is so
/// short that different numbers would become the same.
fn is_same_numeric(left: &str, right: &str) -> bool {
    let (Some(left), Some(right)) = (Digits::of(left), Digits::of(right)) else { return false };
    let (shorter, longer) = (left.scale.min(right.scale), left.scale.max(right.scale));
    let is_same = |left: &Digits, right: &Digits| left.digits == right.digits && left.negative == right.negative;
    let exact = is_same(&left.padded(longer), &right.padded(longer));
    let (left, right) = (left.rounded(shorter), right.rounded(shorter));
    let has_digits = shorter >= ROUNDED_SCALE_MIN || left.digits.len() >= ROUNDED_DIGITS_MIN;
    exact || has_digits && is_same(&left, &right)
}

/// A decimal number, digit by digit: there is no bound to their number.
struct Digits {
    negative: bool,
    /// Without leading zeros.
    digits: Vec<u8>,
    scale: usize,
}

impl Digits {
    fn of(text: &str) -> Option<Digits> {
        let (negative, text) = text.strip_prefix('-').map_or((false, text), |text| (true, text));
        let (integer, fraction) = text.split_once('.').unwrap_or((text, ""));
        let characters = integer.bytes().chain(fraction.bytes());
        let digits: Option<Vec<u8>> = characters.map(|c| c.is_ascii_digit().then(|| c - b'0')).collect();
        let digits = digits.filter(|digits| !digits.is_empty())?;
        Some(Digits { negative, digits: without_leading_zeros(digits), scale: fraction.len() })
    }

    /// The same number with as many digits after the point.
    fn padded(&self, scale: usize) -> Digits {
        let mut digits = self.digits.clone();
        if !digits.is_empty() {
            digits.extend(std::iter::repeat_n(0, scale.saturating_sub(self.scale)));
        }
        Digits { negative: self.negative && !digits.is_empty(), digits, scale }
    }

    /// Half is rounded away from zero, as PostgreSQL does.
    fn rounded(&self, scale: usize) -> Digits {
        let dropped = self.scale.saturating_sub(scale);
        let kept = self.digits.len().checked_sub(dropped);
        let up = kept.and_then(|kept| self.digits.get(kept)).is_some_and(|digit| *digit >= 5);
        let mut digits = self.digits.clone();
        digits.truncate(kept.unwrap_or(0));
        if up {
            let carried = digits.iter_mut().rev().find_map(|digit| {
                *digit = (*digit + 1) % 10;
                (*digit != 0).then_some(())
            });
            if carried.is_none() {
                digits.insert(0, 1);
            }
        }
        Digits { negative: self.negative && !digits.is_empty(), digits, scale }
    }
}

fn without_leading_zeros(digits: Vec<u8>) -> Vec<u8> {
    digits.into_iter().skip_while(|digit| *digit == 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::SqlError;

    fn rows(type_oid: u32, values: &[&str]) -> Answer {
        let columns = vec![Column { name: "a".to_owned(), type_oid }];
        Answer::Rows { columns, rows: values.iter().map(|value| vec![Some((*value).to_owned())]).collect() }
    }

    fn error(sqlstate: &str, message: &str) -> Answer {
        Answer::Error(SqlError { sqlstate: sqlstate.to_owned(), message: message.to_owned(), position: None })
    }

    /// `expected` is the kind of the difference, or empty.
    fn check(sql: &str, postgres: &Answer, ours: &Answer, expected: &str) {
        let difference = compare(sql, postgres, ours);
        let kind = difference.as_ref().map_or("", Difference::kind);
        assert_eq!(kind, expected, "{postgres:?} and {ours:?}");
    }

    #[test]
    fn planted_faults_are_noticed() {
        let right = rows(23, &["1", "2", "3"]);
        let ordered = "SELECT a FROM t ORDER BY a";
        check("SELECT a FROM t", &right, &right, "");
        check(ordered, &right, &rows(23, &["1", "2", "4"]), "value");
        check("SELECT a FROM t", &right, &rows(23, &["1", "2", "4"]), "value");
        check("SELECT a FROM t", &right, &rows(23, &["1", "2", "2"]), "value");
        check("SELECT a FROM t", &right, &rows(23, &["1", "2"]), "rows");
        check(ordered, &right, &rows(23, &["2", "1", "3"]), "rows");
        check("SELECT a FROM t", &right, &rows(23, &["2", "1", "3"]), "");
        check("SELECT a FROM t", &right, &rows(20, &["1", "2", "3"]), "columns");
        check("SELECT a FROM t", &right, &error("22012", "division by zero"), "refused");
        check("SELECT a FROM t", &error("22012", "division by zero"), &error("XX000", "x"), "internal error");
        check("SELECT a FROM t", &right, &error("0A000", "no"), "not supported");
        check("SELECT a FROM t", &error("22012", "division by zero"), &right, "answered");
        check("SELECT a FROM t", &error("22012", "division by zero"), &error("22003", "x"), "SQLSTATE");
        check("SELECT a FROM t", &error("22012", "division by zero"), &error("22012", "x"), "message");
        check("SELECT a FROM t", &error("22012", "division by zero"), &error("0A000", "x"), "not supported");
        check("CREATE", &Answer::Command("A".to_owned()), &Answer::Command("B".to_owned()), "command");
    }

    #[test]
    fn zeros_at_the_end_of_a_fraction_can_be_set_aside() {
        for (left, right) in [("[1.50, 2]", "[1.5, 2.00]"), ("1.0", "1"), ("a.0b1.000", "a.0b1"), ("...", "...")] {
            assert_eq!(without_zeros(left), without_zeros(right));
        }
        assert_ne!(without_zeros("10"), without_zeros("1"));
        assert_ne!(without_zeros("1.05"), without_zeros("1.5"));
        assert!(differ_in_digits_only("SELECT", &rows(25, &["1.50"]), &rows(25, &["1.5"])));
        assert!(!differ_in_digits_only("SELECT", &rows(25, &["1.50"]), &rows(25, &["1.51"])));
        assert!(differ_in_digits_only(
            "SELECT",
            &rows(25, &["0.46415888336127786"]),
            &rows(25, &["0.4641588833612779"])
        ));
        assert!(!differ_in_digits_only("SELECT", &rows(23, &["100"]), &rows(23, &["1"])));
    }

    #[test]
    fn null_is_no_text() {
        let columns = vec![Column { name: "a".to_owned(), type_oid: 25 }];
        let null = Answer::Rows { columns, rows: vec![vec![None]] };
        check("SELECT", &null, &rows(25, &[""]), "value");
        check("SELECT", &null, &null, "");
    }

    #[test]
    fn the_type_says_what_counts_as_the_same() {
        let same = |oid, left, right| is_same_value(oid, Some(left), Some(right));
        assert!(same(1700, "0.33333333333333333333", "0.333333"));
        assert!(same(1700, "0.66666666666666666667", "0.666667"));
        assert!(same(1700, "99.99999996", "100.000000"));
        assert!(same(1700, "1.50", "1.5"));
        assert!(same(1700, "100", "100.00"));
        assert!(same(1700, "0.00", "0"));
        assert!(same(1700, "-0.00000004", "0.000000"));
        assert!(same(1700, "1844674407370955162", "1844674407370955161.8000"));
        assert!(!same(1700, "0.5", "1"));
        assert!(!same(1700, "0.333333", "0"));
        assert!(!same(1700, "10", "1"));
        assert!(!same(1700, "0.6666", "0.67777"));
        assert!(!same(1700, "-1.5", "1.5"));
        assert!(!same(1700, "NaN", "0"));
        assert!(!same(25, "1.50", "1.5"));
        assert!(!same(23, "1", "01"));
        assert!(same(701, "0.1", "0.10000000000000002"));
        assert!(!same(701, "0.1", "0.1000000000001"));
        assert!(!same(701, "NaN", "Infinity"));
        assert!(same(1231, "{1.50,NULL}", "{1.5,NULL}"));
        assert!(!same(1231, "{1.50,NULL}", "{1.5,1}"));
        assert!(!same(1231, "{{1},{2}}", "{1,2}"));
    }
}
