//! Conditions, with subqueries at every place.

use super::scope::{Kind, Scope};
use super::sql::Sql;
use super::writer::Writer;

/// Operators that compare.
const COMPARISONS: [&str; 7] = ["=", "=", "=", "<>", "<", ">", "<="];

impl Writer<'_> {
    /// A condition, in which subqueries are nested so deep.
    pub(super) fn predicate(&mut self, scope: &Scope, depth: usize) -> Sql {
        let deep = depth > 0 && self.random.percent(60) && self.spend();
        let sql = if deep { self.with_subquery(scope, depth - 1) } else { self.plain(scope, depth) };
        sql.or(["TRUE", "FALSE"])
    }

    /// ` WHERE …` of up to three conditions, or nothing.
    pub(super) fn filter(&mut self, scope: &Scope, depth: usize, percent: usize) -> Sql {
        if !self.random.percent(percent) {
            return Sql::default();
        }
        let mut sql = Sql::from(" WHERE ") + self.predicate(scope, depth);
        for _ in 0..*self.random.pick(&[0, 0, 1, 2]) {
            sql += (Sql::from(" AND ") + self.predicate(scope, depth)).optional();
        }
        sql.optional()
    }

    fn plain(&mut self, scope: &Scope, depth: usize) -> Sql {
        let kind = *self.random.pick(&[Kind::Number, Kind::Number, Kind::Number, Kind::Text]);
        let below = depth.saturating_sub(1);
        match self.random.below(20) {
            0..=8 => {
                let operator = *self.random.pick(&COMPARISONS);
                self.value(scope, kind, below) + format!(" {operator} ") + self.value(scope, kind, below)
            }
            9..=10 => self.value(scope, kind, below) + *self.random.pick(&[" IS NULL", " IS NOT NULL"]),
            11 => {
                let distinct = *self.random.pick(&[" IS DISTINCT FROM ", " IS NOT DISTINCT FROM "]);
                Sql::from("(") + self.value(scope, kind, below) + distinct + self.leaf(scope, kind) + ")"
            }
            12..=14 => {
                let (left, right) = (self.predicate(scope, depth), self.predicate(scope, depth));
                let whole = Sql::from("(") + left.clone() + " OR " + right.clone() + ")";
                whole.or([left, right])
            }
            15 => Sql::from("NOT (") + self.predicate(scope, depth) + ")",
            16 => {
                let list: Vec<_> = (0..2 + self.random.below(2)).map(|_| self.leaf(scope, kind)).collect();
                self.leaf(scope, kind) + *self.random.pick(&[" IN (", " NOT IN ("]) + Sql::list(list, ", ") + ")"
            }
            17 => {
                let (low, high) = (self.leaf(scope, kind), self.leaf(scope, kind));
                Sql::from("(") + self.leaf(scope, kind) + " BETWEEN " + low + " AND " + high + ")"
            }
            18 => {
                let truth = *self.random.pick(&[" IS TRUE", " IS NOT TRUE", " IS UNKNOWN", " IS NOT FALSE"]);
                Sql::from("(") + self.predicate(scope, depth) + ")" + truth
            }
            _ => self.leaf(scope, Kind::Boolean),
        }
    }

    fn with_subquery(&mut self, scope: &Scope, depth: usize) -> Sql {
        let kind = *self.random.pick(&[Kind::Number, Kind::Number, Kind::Number, Kind::Text]);
        let not = *self.random.pick(&["", "NOT "]);
        match self.random.below(20) {
            0..=5 => {
                let kinds = self.kinds();
                Sql::from(format!("{not}EXISTS (")) + self.query(scope, &kinds, depth) + ")"
            }
            6..=10 => {
                let operand = self.value(scope, kind, depth);
                operand + format!(" {not}IN (") + self.query(scope, &[kind], depth) + ")"
            }
            11..=12 => {
                let row = Sql::from("(") + self.leaf(scope, kind) + ", " + self.leaf(scope, Kind::Number) + ")";
                row + format!(" {not}IN (") + self.query(scope, &[kind, Kind::Number], depth) + ")"
            }
            13..=15 => {
                let operator = *self.random.pick(&["=", "<>", "<", "<=", ">", ">="]);
                let quantifier = *self.random.pick(&["ANY", "ALL"]);
                let operand = self.leaf(scope, kind);
                operand + format!(" {operator} {quantifier} (") + self.query(scope, &[kind], depth) + ")"
            }
            16 => {
                let operator = *self.random.pick(&["=", "<>", "<", ">="]);
                let row = Sql::from("(") + self.leaf(scope, kind) + ", " + self.leaf(scope, Kind::Number) + ")";
                row + format!(" {operator} (") + self.aggregated(scope, &[kind, Kind::Number], depth) + ")"
            }
            _ => {
                let operator = *self.random.pick(&COMPARISONS);
                self.leaf(scope, kind) + format!(" {operator} ") + self.scalar_subquery(scope, kind, depth)
            }
        }
    }
}
