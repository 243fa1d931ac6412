//! Whole queries: plain, grouped, over windows, set operations, with common tables.

use super::scope::{Column, Kind, Scope};
use super::sql::Sql;
use super::writer::Writer;

/// How deep the queries of a statement are nested in each other.
const DEPTH: usize = 2;

impl Writer<'_> {
    /// A query of its own, with columns of these kinds.
    pub(super) fn statement(&mut self, kinds: &[Kind]) -> Sql {
        let outer = Scope::default();
        let with = if self.random.percent(25) { self.with(&outer) } else { Sql::default() };
        let query = self.query(&outer, kinds, DEPTH);
        let order = match self.random.percent(30) {
            true => self.order(kinds.len()),
            false => Sql::default(),
        };
        with + query + order
    }

    /// A query inside another one, or the statement's own. Its rows have no order, and it can be followed by ORDER BY.
    pub(super) fn query(&mut self, outer: &Scope, kinds: &[Kind], depth: usize) -> Sql {
        match self.random.below(20) {
            0..=8 => self.plain_query(outer, kinds, depth),
            9..=12 => self.grouped(outer, kinds, depth),
            13 => self.aggregated(outer, kinds, depth),
            14 => self.windowed(outer, kinds, depth),
            15 => self.first_of_each(outer, kinds, depth),
            16 => self.limited(outer, kinds, depth),
            17 if depth > 0 && self.spend() => {
                let known = self.common.len();
                let whole = self.with(outer) + self.plain_query(outer, kinds, depth);
                self.common.truncate(known);
                Sql::from("SELECT * FROM (") + whole + format!(") {}", self.alias())
            }
            _ if depth > 0 && self.spend() => self.set_operation(outer, kinds, depth - 1),
            _ => self.plain_query(outer, kinds, depth),
        }
    }

    fn plain_query(&mut self, outer: &Scope, kinds: &[Kind], depth: usize) -> Sql {
        let from = self.from(outer, depth);
        let scope = outer.with(&from.visible());
        let distinct = Sql::from(*self.random.pick(&["", "", "", "DISTINCT "])).optional();
        let outputs: Vec<_> = kinds.iter().map(|kind| self.value(&scope, *kind, depth)).collect();
        let filter = self.filter(&scope, depth, 60);
        Sql::from("SELECT ") + distinct + Sql::list(outputs, ", ") + " FROM " + from.sql + filter
    }

    /// `WITH …` of a common table or two, the second of which may read the first.
    fn with(&mut self, outer: &Scope) -> Sql {
        let mut tables = Vec::new();
        for _ in 0..=self.random.below(2) {
            let kinds = self.kinds();
            let depth = self.random.below(2);
            let query = self.query(outer, &kinds, depth);
            let name = self.alias().replace('q', "w");
            let columns: Vec<_> =
                ["a", "b", "s"].iter().zip(kinds).map(|(name, kind)| ((*name).to_owned(), kind)).collect();
            let names: Vec<_> = columns.iter().map(|(name, _)| name.as_str()).collect();
            let materialized = Sql::from(*self.random.pick(&["", "", "MATERIALIZED ", "NOT MATERIALIZED "])).optional();
            tables.push(Sql::from(format!("{name}({}) AS ", names.join(", "))) + materialized + "(" + query + ")");
            self.common.push((name, columns));
        }
        (Sql::from("WITH ") + Sql::list(tables, ", ") + " ").optional()
    }

    /// Groups by columns, by none, or by several sets of them.
    fn grouped(&mut self, outer: &Scope, kinds: &[Kind], depth: usize) -> Sql {
        let from = self.from(outer, depth);
        let scope = outer.with(&from.visible());
        let filter = self.filter(&scope, depth, 50);
        let columns = scope.own().to_vec();
        if columns.is_empty() {
            return self.plain_query(outer, kinds, depth);
        }
        let keys: Vec<Column> = (0..=self.random.below(2)).map(|_| self.random.pick(&columns).clone()).collect();
        let of_keys = outer.with(&keys);
        let names: Vec<_> = keys.iter().map(|key| key.name.as_str()).collect();
        let by_all = names.join(", ");
        let grouping = match self.random.below(10) {
            0 => Sql::from(format!("ROLLUP ({by_all})")),
            1 => Sql::from(format!("CUBE ({by_all})")),
            2 => Sql::from(format!("GROUPING SETS (({by_all}), ())")),
            3 => Sql::from(format!("GROUPING SETS (({by_all}), ({}), ())", names[0])),
            _ => Sql::default(),
        };
        let grouping = if grouping == Sql::default() { Sql::from(by_all) } else { grouping.or([by_all]) };
        let outputs: Vec<_> = kinds.iter().map(|kind| self.grouped_value(&scope, &of_keys, *kind, depth)).collect();
        let having = match self.random.percent(35) {
            true => self.having(&scope, &of_keys, depth),
            false => Sql::default(),
        };
        Sql::from("SELECT ")
            + Sql::list(outputs, ", ")
            + " FROM "
            + from.sql
            + filter
            + " GROUP BY "
            + grouping
            + having
    }

    /// One row over all, or none if HAVING says so.
    pub(super) fn aggregated(&mut self, outer: &Scope, kinds: &[Kind], depth: usize) -> Sql {
        let from = self.from(outer, depth);
        let scope = outer.with(&from.visible());
        let filter = self.filter(&scope, depth, 75);
        let of_keys = outer.with(&[]);
        let outputs: Vec<_> = kinds.iter().map(|kind| self.grouped_value(&scope, &of_keys, *kind, depth)).collect();
        let having = match self.random.percent(15) {
            true => self.having(&scope, &of_keys, depth),
            false => Sql::default(),
        };
        // So that it has one row even if nothing in the select list is an aggregate.
        let always = if having == Sql::default() { Sql::from(" HAVING TRUE").optional() } else { having };
        Sql::from("SELECT ") + Sql::list(outputs, ", ") + " FROM " + from.sql + filter + always
    }

    fn having(&mut self, scope: &Scope, of_keys: &Scope, depth: usize) -> Sql {
        let kind = *self.random.pick(&[Kind::Number, Kind::Number, Kind::Text]);
        let compared = match self.random.below(4) {
            0 => self.predicate(of_keys, depth),
            1 => self.aggregate(scope, kind, depth) + " IS NOT NULL",
            _ => {
                let operator = *self.random.pick(&["=", "<>", ">", ">", "<"]);
                self.aggregate(scope, kind, depth) + format!(" {operator} ") + self.value(of_keys, kind, depth)
            }
        };
        (Sql::from(" HAVING ") + compared.or(["TRUE", "FALSE"])).optional()
    }

    /// A value of a group: an aggregate, or what is made of the keys.
    fn grouped_value(&mut self, scope: &Scope, of_keys: &Scope, kind: Kind, depth: usize) -> Sql {
        match self.random.below(10) {
            0..=2 if !of_keys.own().is_empty() => self.value(of_keys, kind, depth),
            3 if kind == Kind::Number && !of_keys.own().is_empty() => {
                let key = self.random.pick(of_keys.own()).name.clone();
                Sql::from(format!("GROUPING({key})"))
            }
            4 => {
                let first = self.aggregate(scope, kind, depth);
                let whole = Sql::from("coalesce(") + first.clone() + ", " + self.value(of_keys, kind, depth) + ")";
                whole.or([first])
            }
            _ => self.aggregate(scope, kind, depth),
        }
    }

    /// An aggregate that belongs to this query: one that reads only what is around it would belong there.
    fn aggregate(&mut self, scope: &Scope, kind: Kind, depth: usize) -> Sql {
        let filter = match self.random.percent(12) {
            true => (Sql::from(" FILTER (WHERE ") + self.predicate(scope, depth.saturating_sub(1)) + ")").optional(),
            false => Sql::default(),
        };
        let of = *self.random.pick(&[Kind::Number, Kind::Text, Kind::Boolean]);
        let counted = scope.own_column(self.random, of);
        let own = scope.own_column(self.random, kind);
        let Some(own) = own else {
            let whole = match (kind, counted) {
                (Kind::Number, Some(column)) => format!("count(DISTINCT {column})"),
                (Kind::Number, None) => "count(*)".to_owned(),
                (Kind::Text, _) => "min('a')".to_owned(),
                (Kind::Boolean, _) => "count(*) > 1".to_owned(),
            };
            return Sql::from(whole);
        };
        let argument = match self.random.below(6) {
            0 if depth > 0 => {
                let other = self.value(scope, kind, depth - 1);
                (Sql::from("coalesce(") + own.clone() + ", " + other + ")").or([own])
            }
            1 if depth > 0 => {
                let condition = self.predicate(scope, depth - 1);
                (Sql::from("CASE WHEN ") + condition + format!(" THEN {own} END")).or([own])
            }
            _ => Sql::from(own),
        };
        let function = match kind {
            Kind::Number => *self.random.pick(&["sum(", "min(", "max(", "count(", "count(DISTINCT ", "sum(DISTINCT "]),
            Kind::Text => *self.random.pick(&["min(", "max(", "string_agg("]),
            Kind::Boolean => *self.random.pick(&["bool_and(", "bool_or("]),
        };
        let whole = match function {
            "string_agg(" => Sql::from(function) + argument.clone() + ", ',' ORDER BY " + argument + ")",
            _ => Sql::from(function) + argument + ")",
        };
        let all = Sql::from("count(*)");
        let whole = if kind == Kind::Number && self.random.percent(20) { all } else { whole };
        whole + filter
    }

    /// Window functions; the order of each is by all columns, so that no two different rows are peers.
    fn windowed(&mut self, outer: &Scope, kinds: &[Kind], depth: usize) -> Sql {
        let from = self.from(outer, depth);
        let scope = outer.with(&from.columns);
        let filter = self.filter(&scope, depth, 40);
        let outputs: Vec<_> = kinds.iter().map(|kind| self.over_window(&scope, *kind, depth)).collect();
        Sql::from("SELECT ") + Sql::list(outputs, ", ") + " FROM " + from.sql + filter
    }

    fn over_window(&mut self, scope: &Scope, kind: Kind, depth: usize) -> Sql {
        let own = scope.own_column(self.random, kind);
        let (Some(own), true) = (own, self.random.percent(70)) else { return self.value(scope, kind, depth) };
        let function = match (kind, self.random.below(6)) {
            (Kind::Number, 0) => "row_number()".to_owned(),
            (Kind::Number, 1) => "rank()".to_owned(),
            (Kind::Number, 2) => "count(*)".to_owned(),
            (Kind::Number, 3) => format!("sum({own})"),
            (Kind::Boolean, 0..=3) => format!("bool_or({own})"),
            (_, 4) => format!("lag({own})"),
            (_, 5) => format!("first_value({own})"),
            _ => format!("max({own})"),
        };
        let names: Vec<_> = scope.own().iter().map(|column| column.name.as_str()).collect();
        let partition = match self.random.percent(50) {
            true => (Sql::from("PARTITION BY ") + self.value(scope, Kind::Number, 0) + " ").optional(),
            false => Sql::default(),
        };
        let first = match self.random.percent(30) {
            true => (self.value(scope, Kind::Number, depth.saturating_sub(1)) + " IS NULL, ").optional(),
            false => Sql::default(),
        };
        let direction = *self.random.pick(&["", "", " DESC", " NULLS FIRST"]);
        let order = Sql::from("ORDER BY ") + first + format!("{}{direction}", names.join(", "));
        Sql::from(format!("{function} OVER (")) + partition + order + ")"
    }

    /// `DISTINCT ON`, of rows in an order that says which is the first.
    fn first_of_each(&mut self, outer: &Scope, kinds: &[Kind], depth: usize) -> Sql {
        let from = self.from(outer, depth);
        let scope = outer.with(&from.visible());
        let filter = self.filter(&scope, depth, 40);
        let Some(first) = kinds.first().and_then(|kind| scope.own_column(self.random, *kind)) else {
            return Sql::from("SELECT ") + self.constants(kinds) + " FROM " + from.sql + filter;
        };
        let others: Vec<_> = kinds.iter().skip(1).map(|kind| self.value(&scope, *kind, 0)).collect();
        let places: Vec<_> = (1..=kinds.len()).map(|place| place.to_string()).collect();
        let mut query = Sql::from(format!("SELECT DISTINCT ON ({first}) {first}"));
        for other in others {
            query += Sql::from(", ") + other;
        }
        let query = query + " FROM " + from.sql + filter + format!(" ORDER BY {}", places.join(", "));
        Sql::from("SELECT * FROM (") + query + format!(") {}", self.alias())
    }

    fn constants(&mut self, kinds: &[Kind]) -> Sql {
        Sql::list(kinds.iter().map(|kind| Sql::from(kind.literal(self.random))), ", ")
    }

    fn limited(&mut self, outer: &Scope, kinds: &[Kind], depth: usize) -> Sql {
        let query = self.plain_query(outer, kinds, depth);
        let order = self.order(kinds.len());
        let limit = Sql::from(format!(" LIMIT {}", self.random.below(4))).optional();
        let offset = match self.random.percent(30) {
            true => Sql::from(" OFFSET 1").optional(),
            false => Sql::default(),
        };
        Sql::from("SELECT * FROM (") + query + order + limit + offset + format!(") {}", self.alias())
    }

    fn set_operation(&mut self, outer: &Scope, kinds: &[Kind], depth: usize) -> Sql {
        let operators = ["UNION", "UNION ALL", "UNION ALL", "INTERSECT", "EXCEPT", "EXCEPT ALL", "INTERSECT ALL"];
        let operator = *self.random.pick(&operators);
        let (left, right) = (self.query(outer, kinds, depth), self.query(outer, kinds, depth));
        let parenthesised = |sql: Sql| Sql::from("(") + sql + ")";
        let whole = parenthesised(left.clone()) + format!(" {operator} ") + parenthesised(right.clone());
        whole.or([left, right])
    }

    /// By all columns.
    fn order(&mut self, columns: usize) -> Sql {
        let directions = ["", " DESC", " NULLS FIRST", " DESC NULLS LAST"];
        let places: Vec<_> = (1..=columns).map(|place| format!("{place}{}", self.random.pick(&directions))).collect();
        Sql::from(format!(" ORDER BY {}", places.join(", ")))
    }
}
