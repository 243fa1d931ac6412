//! INSERT, UPDATE, DELETE and MERGE of what queries of queries find: what the table holds afterwards is compared, and taken back.
//!
//! What a row becomes never depends on which of several rows it is joined to, so that there is one answer. The statements of
//! one message are one transaction, which its error ends.

use super::query::Query;
use super::random::Random;
use super::related::{RelatedTable, related_tables};
use super::scope::{Column, Kind, Scope};
use super::sql::Sql;
use super::writer::Writer;

/// How deep queries are nested in a change.
const DEPTH: usize = 1;

/// A change, what it leaves, and that it did not happen.
pub fn change(random: &mut Random) -> Query {
    let tables = related_tables();
    let mut writer = Writer::new(random, &tables);
    let target = writer.random.pick(&tables).clone();
    let (label, sql) = match writer.random.below(4) {
        0 => ("change: INSERT", writer.insert(&target)),
        1 => ("change: UPDATE", writer.update(&target)),
        2 => ("change: DELETE", writer.delete(&target)),
        _ => ("change: MERGE", writer.merge(&target)),
    };
    Query::new(label, sql + format!("; SELECT * FROM {}; ROLLBACK", target.name))
}

fn columns_of(target: &RelatedTable, alias: &str) -> Vec<Column> {
    target.columns.iter().map(|(name, kind)| Column::of(alias, name, *kind)).collect()
}

impl Writer<'_> {
    fn insert(&mut self, target: &RelatedTable) -> Sql {
        let count = 1 + self.random.below(target.columns.len());
        let columns = target.columns.iter().take(count);
        let (names, kinds): (Vec<_>, Vec<_>) = columns.map(|(name, kind)| (name.clone(), *kind)).unzip();
        let query = self.query(&Scope::default(), &kinds, DEPTH + 1);
        Sql::from(format!("INSERT INTO {} ({}) ", target.name, names.join(", "))) + query
    }

    fn update(&mut self, target: &RelatedTable) -> Sql {
        let alias = self.alias();
        let own = columns_of(target, &alias);
        let set = self.assignments(target, &Scope::default().with(&own));
        let mut sql = Sql::from(format!("UPDATE {} {alias} SET ", target.name)) + set;
        let mut visible = own;
        if self.random.percent(60) {
            let from = self.from(&Scope::default(), DEPTH);
            visible.extend(from.columns);
            sql += Sql::from(" FROM ") + from.sql;
        }
        sql + self.filter(&Scope::default().with(&visible), DEPTH + 1, 90)
    }

    fn delete(&mut self, target: &RelatedTable) -> Sql {
        let alias = self.alias();
        let mut visible = columns_of(target, &alias);
        let mut sql = Sql::from(format!("DELETE FROM {} {alias}", target.name));
        if self.random.percent(60) {
            let from = self.from(&Scope::default(), DEPTH);
            visible.extend(from.columns);
            sql += Sql::from(" USING ") + from.sql;
        }
        sql + self.filter(&Scope::default().with(&visible), DEPTH + 1, 90)
    }

    fn merge(&mut self, target: &RelatedTable) -> Sql {
        let alias = self.alias();
        let own = columns_of(target, &alias);
        let source = self.derived(&Scope::default(), None, DEPTH);
        let both: Vec<_> = own.iter().chain(&source.columns).cloned().collect();
        let (both, source_alone) = (Scope::default().with(&both), Scope::default().with(&source.columns));
        let on = match self.random.percent(50) {
            true => self.own_equality(&own, &source.columns).unwrap_or_else(|| Sql::from("FALSE")),
            false => self.predicate(&both, 0),
        };
        let mut sql = Sql::from(format!("MERGE INTO {} {alias} USING ", target.name)) + source.sql + " ON " + on;
        for _ in 0..1 + self.random.below(3) {
            let matched = self.random.percent(60);
            let scope = if matched { &both } else { &source_alone };
            let when = if matched { " WHEN MATCHED" } else { " WHEN NOT MATCHED" };
            let condition = match self.random.percent(50) {
                true => (Sql::from(" AND ") + self.predicate(scope, DEPTH)).optional(),
                false => Sql::default(),
            };
            let action = match (matched, self.random.below(4)) {
                (_, 0) => Sql::from("DO NOTHING"),
                (true, 1) => Sql::from("DELETE"),
                (true, _) => Sql::from("UPDATE SET ") + self.assignments(target, &both),
                (false, _) => self.merge_insert(target, scope),
            };
            sql += (Sql::from(when) + condition + " THEN " + action).optional();
        }
        sql
    }

    fn merge_insert(&mut self, target: &RelatedTable, scope: &Scope) -> Sql {
        let names: Vec<_> = target.columns.iter().map(|(name, _)| name.as_str()).collect();
        let values: Vec<_> = target.columns.iter().map(|(_, kind)| self.value(scope, *kind, DEPTH)).collect();
        Sql::from(format!("INSERT ({}) VALUES (", names.join(", "))) + Sql::list(values, ", ") + ")"
    }

    /// What some of the columns become.
    fn assignments(&mut self, target: &RelatedTable, scope: &Scope) -> Sql {
        let place = self.random.below(target.columns.len());
        let mut set = Sql::default();
        for (number, (name, kind)) in target.columns.iter().skip(place).take(2).enumerate() {
            let value = Sql::from(format!("{name} = ")) + self.value(scope, *kind, DEPTH);
            set += if number == 0 { value } else { (Sql::from(", ") + value).optional() };
        }
        set
    }

    fn own_equality(&mut self, own: &[Column], other: &[Column]) -> Option<Sql> {
        let (left, right) = (Scope::default().with(own), Scope::default().with(other));
        let kind = *self.random.pick(&[Kind::Number, Kind::Text]);
        let left = left.own_column(self.random, kind)?;
        Some(Sql::from(format!("{left} = {}", right.own_column(self.random, kind)?)))
    }
}
