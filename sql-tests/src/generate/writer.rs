//! Writes queries of queries: [`super::relation`] has what is in FROM, [`super::condition`] what is in WHERE,
//! [`super::select`] whole queries; here are values and what all of them share.
//!
//! Nothing in them fails or depends on which rows come first, so that both servers have the same answer.

use super::query::Query;
use super::random::Random;
use super::related::{RelatedTable, related_tables};
use super::scope::{Kind, Scope};
use super::sql::Sql;

/// Relations and subqueries of one statement: more of them say no more, and take long.
const PARTS_MAX: usize = 4;

/// A relation's name, and its columns.
pub type Named = (String, Vec<(String, Kind)>);

/// What is known while a statement is written.
pub struct Writer<'a> {
    pub(super) random: &'a mut Random,
    pub(super) tables: &'a [RelatedTable],
    /// Common tables that can be named.
    pub(super) common: Vec<Named>,
    aliases: usize,
    parts: usize,
}

/// A query of queries.
pub fn query(random: &mut Random) -> Query {
    let tables = related_tables();
    let mut writer = Writer::new(random, &tables);
    let kinds = writer.kinds();
    let text = writer.statement(&kinds);
    Query::new("query: nested", text)
}

impl<'a> Writer<'a> {
    /// One that writes a statement over these tables.
    pub(super) fn new(random: &'a mut Random, tables: &'a [RelatedTable]) -> Writer<'a> {
        Writer { random, tables, common: vec![], aliases: 0, parts: 0 }
    }
}

impl Writer<'_> {
    /// A name that the statement does not have.
    pub(super) fn alias(&mut self) -> String {
        self.aliases += 1;
        format!("q{}", self.aliases)
    }

    /// Whether the statement may have one more part.
    pub(super) fn spend(&mut self) -> bool {
        self.parts += 1;
        self.parts <= PARTS_MAX
    }

    /// The kinds of a query's columns.
    pub(super) fn kinds(&mut self) -> Vec<Kind> {
        (0..1 + self.random.below(3)).map(|_| Kind::any(self.random)).collect()
    }

    /// A column, or now and then a value.
    pub(super) fn leaf(&mut self, scope: &Scope, kind: Kind) -> Sql {
        match self.random.below(20) {
            0..=2 => Sql::from(kind.literal(self.random)),
            3 => Sql::from(kind.null()),
            _ => match scope.column(self.random, kind) {
                Some(column) => Sql::from(column).or([kind.literal(self.random)]),
                None => Sql::from(kind.literal(self.random)),
            },
        }
    }

    /// A value, in which subqueries are nested so deep.
    pub(super) fn value(&mut self, scope: &Scope, kind: Kind, depth: usize) -> Sql {
        if depth > 0 && self.random.percent(20) && self.spend() {
            return self.scalar_subquery(scope, kind, depth - 1);
        }
        if self.random.percent(70) {
            return self.leaf(scope, kind);
        }
        let first = self.leaf(scope, kind);
        let whole = match (kind, self.random.below(4)) {
            (_, 0) => Sql::from("coalesce(") + first.clone() + ", " + self.leaf(scope, kind) + ")",
            (_, 1) => {
                let condition = self.predicate(scope, depth.saturating_sub(1));
                let other = self.value(scope, kind, depth.saturating_sub(1));
                Sql::from("CASE WHEN ") + condition + " THEN " + first.clone() + " ELSE " + other + " END"
            }
            (Kind::Number, 2) => Sql::from("(") + first.clone() + " + " + self.leaf(scope, kind) + ")",
            (Kind::Number, _) => Sql::from("length(") + self.leaf(scope, Kind::Text) + ")",
            (Kind::Text, 2) => Sql::from("(") + first.clone() + " || " + self.leaf(scope, kind) + ")",
            (Kind::Text, _) => Sql::from("upper(") + first.clone() + ")",
            (Kind::Boolean, _) => Sql::from("(") + self.predicate(scope, depth) + ")",
        };
        whole.or([first])
    }

    /// `(SELECT …)` of one row at most.
    pub(super) fn scalar_subquery(&mut self, scope: &Scope, kind: Kind, depth: usize) -> Sql {
        let sql = match self.random.below(10) {
            0..=6 => Sql::from("(") + self.aggregated(scope, &[kind], depth) + ")",
            7 if kind == Kind::Number => Sql::from("cardinality(ARRAY(") + self.query(scope, &[kind], depth) + "))",
            7 if kind == Kind::Boolean => Sql::from("EXISTS (") + self.query(scope, &[kind], depth) + ")",
            _ => Sql::from("(") + self.query(scope, &[kind], depth) + " ORDER BY 1 LIMIT 1)",
        };
        sql.or([kind.literal(self.random)])
    }
}
