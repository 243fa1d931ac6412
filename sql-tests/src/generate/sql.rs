//! SQL as a tree, whose parts can be replaced by something shorter when a statement is made smaller.

use std::ops::{Add, AddAssign};

/// A text, parts of which can be replaced.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sql(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    /// A part, and what may stand in its place.
    Replaceable(Sql, Vec<Sql>),
}

impl Sql {
    /// The same, in whose place one of these may stand.
    pub fn or<T: Into<Sql>>(self, others: impl IntoIterator<Item = T>) -> Sql {
        Sql(vec![Part::Replaceable(self, others.into_iter().map(Into::into).collect())])
    }

    /// The same, which can be left away.
    pub fn optional(self) -> Sql {
        self.or([""])
    }

    /// All of them, with this between them.
    pub fn list(parts: impl IntoIterator<Item = Sql>, between: &str) -> Sql {
        let mut all = Sql::default();
        for (place, part) in parts.into_iter().enumerate() {
            if place > 0 {
                all += between;
            }
            all += part;
        }
        all
    }

    /// Its text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) {
        for part in &self.0 {
            match part {
                Part::Text(sql) => text.push_str(sql),
                Part::Replaceable(sql, _) => sql.write(text),
            }
        }
    }

    /// The same with one part replaced, the largest parts first. Some of them are no SQL.
    pub fn smaller(&self) -> Vec<Sql> {
        let (mut outer, mut nested) = (Vec::new(), Vec::new());
        for (place, part) in self.0.iter().enumerate() {
            let Part::Replaceable(whole, others) = part else { continue };
            outer.extend(others.iter().map(|other| self.with(place, other.0.clone())));
            let kept = |smaller| self.with(place, vec![Part::Replaceable(smaller, others.clone())]);
            nested.extend(whole.smaller().into_iter().map(kept));
        }
        outer.extend(nested);
        outer
    }

    fn with(&self, place: usize, parts: Vec<Part>) -> Sql {
        let mut changed = self.clone();
        changed.0.splice(place..=place, parts);
        changed
    }
}

impl From<&str> for Sql {
    fn from(text: &str) -> Sql {
        Sql::from(text.to_owned())
    }
}

impl From<String> for Sql {
    fn from(text: String) -> Sql {
        Sql(if text.is_empty() { vec![] } else { vec![Part::Text(text)] })
    }
}

impl<T: Into<Sql>> AddAssign<T> for Sql {
    fn add_assign(&mut self, other: T) {
        self.0.extend(other.into().0);
    }
}

impl<T: Into<Sql>> Add<T> for Sql {
    type Output = Sql;

    fn add(mut self, other: T) -> Sql {
        self += other;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_replaced_one_at_a_time_the_largest_first() {
        let inner = Sql::from("a = ") + Sql::from("b + 1").or(["b"]);
        let sql = Sql::from("SELECT a FROM t") + (Sql::from(" WHERE ") + inner.or(["TRUE"])).optional();
        assert_eq!(sql.text(), "SELECT a FROM t WHERE a = b + 1");
        let smaller: Vec<_> = sql.smaller().iter().map(Sql::text).collect();
        assert_eq!(smaller, ["SELECT a FROM t", "SELECT a FROM t WHERE TRUE", "SELECT a FROM t WHERE a = b"]);
    }
}
