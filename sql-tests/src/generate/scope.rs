//! The columns that a query can name, its own and those of the queries around it.

use super::random::Random;

/// What values a column has: types that can be compared with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `integer`, `bigint` or `numeric` without a fraction.
    Number,
    /// `text`
    Text,
    /// `boolean`
    Boolean,
}

impl Kind {
    /// A kind; most often numbers.
    pub fn any(random: &mut Random) -> Kind {
        *random.pick(&[Kind::Number, Kind::Number, Kind::Number, Kind::Text, Kind::Boolean])
    }

    /// A value that is not NULL.
    pub fn literal(self, random: &mut Random) -> String {
        match self {
            Kind::Number => random.below(5).to_string(),
            Kind::Text => format!("'{}'", random.pick(&["", "a", "b", "ab"])),
            Kind::Boolean => random.pick(&["TRUE", "FALSE"]).to_string(),
        }
    }

    /// NULL of this kind.
    pub fn null(self) -> &'static str {
        match self {
            Kind::Number => "NULL::integer",
            Kind::Text => "NULL::text",
            Kind::Boolean => "NULL::boolean",
        }
    }
}

/// A column as it is written, and what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// With its relation's name.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
}

impl Column {
    /// A column of a relation.
    pub fn of(relation: &str, name: &str, kind: Kind) -> Column {
        Column { name: format!("{relation}.{name}"), kind }
    }

    /// Its name without the relation's.
    pub fn bare(&self) -> &str {
        self.name.split_once('.').map_or(&self.name, |(_, name)| name)
    }
}

/// What a query sees: its own columns last.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    levels: Vec<Vec<Column>>,
}

impl Scope {
    /// What a query inside sees, whose own columns these are.
    pub fn with(&self, columns: &[Column]) -> Scope {
        let mut levels = self.levels.clone();
        levels.push(columns.to_vec());
        Scope { levels }
    }

    /// The query's own columns.
    pub fn own(&self) -> &[Column] {
        self.levels.last().map_or(&[], Vec::as_slice)
    }

    /// One of the query's own columns, of a kind.
    pub fn own_column(&self, random: &mut Random, kind: Kind) -> Option<String> {
        let fitting: Vec<_> = self.own().iter().filter(|column| column.kind == kind).collect();
        (!fitting.is_empty()).then(|| random.pick(&fitting).name.clone())
    }

    /// A column of a kind: most often the query's own, or else one of the queries around it.
    pub fn column(&self, random: &mut Random, kind: Kind) -> Option<String> {
        let fitting = |level: &Vec<Column>| {
            level.iter().filter(|column| column.kind == kind).map(|column| column.name.clone()).collect::<Vec<_>>()
        };
        let levels: Vec<_> = self.levels.iter().map(fitting).filter(|level| !level.is_empty()).collect();
        let mut place = levels.len().checked_sub(1)?;
        while place > 0 && random.percent(40) {
            place -= 1;
        }
        levels.get(place).map(|level| random.pick(level).clone())
    }
}
