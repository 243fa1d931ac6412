//! Expressions: a tree of entries over values and columns.

use super::entry::{Entries, Entry};
use super::random::Random;
use super::types::{SqlType, by_oid};

/// An expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expression {
    /// What its root is called in the report.
    pub label: String,
    pieces: Vec<String>,
    /// What it is applied to.
    pub arguments: Vec<Expression>,
}

impl Expression {
    /// A text that has no arguments.
    pub fn leaf(label: &str, sql: String) -> Expression {
        Expression { label: label.to_owned(), pieces: vec![sql], arguments: vec![] }
    }

    /// Its text.
    pub fn sql(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) {
        let mut arguments = self.arguments.iter();
        for piece in &self.pieces {
            text.push_str(piece);
            if let Some(argument) = arguments.next() {
                argument.write(text);
            }
        }
    }

    /// Whether there is nothing below it.
    pub fn is_leaf(&self) -> bool {
        self.arguments.is_empty()
    }

    /// The same with another argument in one place.
    pub fn with_argument(&self, place: usize, argument: Expression) -> Expression {
        let mut changed = self.clone();
        if let Some(old) = changed.arguments.get_mut(place) {
            *old = argument;
        }
        changed
    }
}

/// Makes expressions.
pub struct Generator<'a> {
    entries: &'a Entries,
    /// The entries by the type of their result.
    by_result: std::collections::HashMap<u32, Vec<&'a Entry>>,
}

/// Where leaves come from.
#[derive(Clone, Copy, Debug)]
pub enum Leaves<'a> {
    /// Values alone.
    Values,
    /// Columns with their types, by OID, and now and then a value.
    Columns(&'a [(String, u32)]),
}

impl<'a> Generator<'a> {
    /// A generator that knows these entries. Those that are known to differ are not used inside others.
    pub fn new(entries: &'a Entries) -> Generator<'a> {
        Generator::with_nested(entries, |entry| !entry.is_known)
    }

    /// A generator for queries, of which no part can be looked at alone: nothing that shows how many digits a number has,
    /// and no casts of texts that are mostly refused.
    pub fn for_queries(entries: &'a Entries) -> Generator<'a> {
        Generator::with_nested(entries, |entry| !entry.is_known && !entry.shows_digits() && !entry.reads_text())
    }

    fn with_nested(entries: &'a Entries, is_nested: impl Fn(&Entry) -> bool) -> Generator<'a> {
        let mut by_result = std::collections::HashMap::<_, Vec<_>>::new();
        for entry in entries.scalar.iter().filter(|entry| is_nested(entry)) {
            by_result.entry(entry.result).or_default().push(entry);
        }
        Generator { entries, by_result }
    }

    /// Any entry, applied to expressions of a depth.
    pub fn any(&self, random: &mut Random, leaves: Leaves<'_>, depth: usize) -> Expression {
        let entry = random.pick(&self.entries.scalar);
        self.apply(random, entry, leaves, depth)
    }

    /// An expression of a type.
    pub fn of_type(&self, random: &mut Random, leaves: Leaves<'_>, oid: u32, depth: usize) -> Expression {
        match self.by_result.get(&oid) {
            Some(entries) if depth > 0 && !random.percent(30) => {
                let entry = random.pick(entries);
                self.apply(random, entry, leaves, depth)
            }
            _ => leaf(random, leaves, oid),
        }
    }

    /// An aggregate of a column, by its entry.
    pub fn aggregate(&self, random: &mut Random, leaves: Leaves<'_>, depth: usize) -> Expression {
        let entry = random.pick(&self.entries.aggregates);
        self.apply(random, entry, leaves, depth)
    }

    fn apply(&self, random: &mut Random, entry: &Entry, leaves: Leaves<'_>, depth: usize) -> Expression {
        let argument = |(place, oid): (usize, &u32)| match entry.words.get(place) {
            Some(Some(words)) if entry.only_words || random.percent(75) => word(random, words, *oid),
            // Now and then another type, for the rules by which one is found that fits.
            _ if random.percent(4) => {
                let other = random.pick(&super::types::TYPES).oid;
                self.of_type(random, leaves, other, depth.saturating_sub(1))
            }
            _ => self.of_type(random, leaves, *oid, depth.saturating_sub(1)),
        };
        let arguments = entry.arguments.iter().enumerate().map(argument).collect();
        Expression { label: entry.label.clone(), pieces: entry.pieces.clone(), arguments }
    }
}

fn word(random: &mut Random, words: &[&str], oid: u32) -> Expression {
    let quoted = random.pick(words).replace('\'', "''");
    let sql = match by_oid(oid) {
        Some(it) if random.percent(60) => format!("'{quoted}'::{}", it.name),
        _ => format!("'{quoted}'"),
    };
    Expression::leaf("a value", sql)
}

fn leaf(random: &mut Random, leaves: Leaves<'_>, oid: u32) -> Expression {
    if let Leaves::Columns(columns) = leaves {
        let fitting: Vec<_> = columns.iter().filter(|(_, column_oid)| *column_oid == oid).collect();
        if !fitting.is_empty() && !random.percent(15) {
            return Expression::leaf("a column", random.pick(&fitting).0.clone());
        }
    }
    let Some(sql_type) = by_oid(oid) else { return Expression::leaf("a value", "NULL".to_owned()) };
    Expression::leaf("a value", literal(random, sql_type))
}

/// A value as people write it: with its type, without, or as the number that it is.
fn literal(random: &mut Random, sql_type: &SqlType) -> String {
    if random.percent(6) {
        return if random.percent(30) { "NULL".to_owned() } else { format!("NULL::{}", sql_type.name) };
    }
    // The values at the beginning are the ones of every day: extremes alone would mostly overflow.
    let everyday = sql_type.values.len().div_ceil(2);
    let value = match random.percent(50) {
        true => sql_type.values.get(random.below(everyday)).copied().unwrap_or_default(),
        false => *random.pick(sql_type.values),
    };
    let quoted = value.replace('\'', "''");
    match sql_type.name {
        "integer" | "numeric" if random.percent(70) => {
            if value.starts_with('-') {
                format!("({value})")
            } else {
                value.to_owned()
            }
        }
        "boolean" if random.percent(50) => if value == "t" { "true" } else { "false" }.to_owned(),
        _ if random.percent(8) => format!("'{quoted}'"),
        name => format!("'{quoted}'::{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_its_pieces_around_its_arguments() {
        let one = Expression::leaf("a value", "1".to_owned());
        let pieces = ["f(", ", ", ")"].map(str::to_owned).to_vec();
        let f = Expression { label: "f".to_owned(), pieces, arguments: vec![one.clone(), one] };
        assert_eq!(f.with_argument(1, f.clone()).sql(), "f(1, f(1, 1))");
    }
}
