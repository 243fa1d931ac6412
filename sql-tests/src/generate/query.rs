//! Queries over the tables: joins, groups, windows, subqueries, set operations.
//!
//! A query is made of clauses, some of which can be left away when it is made smaller. Its rows are compared in the order
//! that it asks for, so it asks for one by all of its columns wherever the order decides what is in the answer.

use super::expression::{Generator, Leaves};
use super::forms;
use super::random::Random;
use super::sql::Sql;
use super::tables::{Table, Tables};

/// A query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    text: Sql,
    /// What it shows, for the report.
    pub label: String,
}

impl Query {
    /// A query and what it shows.
    pub fn new(label: &str, text: Sql) -> Query {
        Query { text, label: label.to_owned() }
    }

    fn of_clauses(label: &str, clauses: Vec<Sql>) -> Query {
        Query::new(label, Sql::list(clauses, " "))
    }

    /// Its text.
    pub fn sql(&self) -> String {
        self.text.text()
    }

    /// The queries that are smaller by a part. Some of them are wrong.
    pub fn smaller(&self) -> Vec<Query> {
        self.text.smaller().into_iter().map(|text| Query { text, label: self.label.clone() }).collect()
    }
}

/// Makes queries.
pub struct QueryGenerator<'a> {
    expressions: &'a Generator<'a>,
    tables: &'a Tables,
}

/// The types that output columns and conditions have.
const OUTPUT: [u32; 6] = [23, 25, 1700, 20, 1082, 16];

impl<'a> QueryGenerator<'a> {
    /// A generator of queries over these tables.
    pub fn new(expressions: &'a Generator<'a>, tables: &'a Tables) -> QueryGenerator<'a> {
        QueryGenerator { expressions, tables }
    }

    /// A query.
    pub fn query(&self, random: &mut Random) -> Query {
        match random.below(15) {
            0..=3 => self.plain(random),
            4..=5 => self.grouped(random),
            6 => self.windowed(random),
            7 => self.set_operation(random),
            8 => self.with_subquery(random),
            9..=13 => forms::query(random, self.expressions, &self.tables.queried),
            _ => self.aggregated_edges(random),
        }
    }

    fn plain(&self, random: &mut Random) -> Query {
        let (mut clauses, columns) = self.from(random);
        let outputs: Vec<_> = (0..=random.below(3)).map(|_| self.output(random, &columns)).collect();
        let distinct = if random.percent(25) { "DISTINCT " } else { "" };
        clauses.insert(0, required(format!("SELECT {distinct}{}", outputs.join(", "))));
        if random.percent(60) {
            clauses.push(optional(format!("WHERE {}", self.condition(random, &columns))));
        }
        order_and_limit(random, &mut clauses, outputs.len());
        Query::of_clauses("query: join", clauses)
    }

    fn grouped(&self, random: &mut Random) -> Query {
        let (mut clauses, columns) = self.from(random);
        let keys: Vec<_> = (0..=random.below(2)).map(|_| random.pick(&columns).0.clone()).collect();
        let aggregates: Vec<_> = (0..=random.below(2)).map(|_| self.aggregate(random, &columns)).collect();
        let outputs: Vec<_> = keys.iter().chain(&aggregates).cloned().collect();
        clauses.insert(0, required(format!("SELECT {}", outputs.join(", "))));
        if random.percent(40) {
            clauses.push(optional(format!("WHERE {}", self.condition(random, &columns))));
        }
        let grouping = match random.below(8) {
            0 => format!("GROUP BY ROLLUP ({})", keys.join(", ")),
            1 => format!("GROUP BY CUBE ({})", keys.join(", ")),
            2 => format!("GROUP BY GROUPING SETS (({}), ())", keys.join(", ")),
            _ => format!("GROUP BY {}", keys.join(", ")),
        };
        clauses.push(required(grouping));
        if random.percent(40) {
            let numbers = ["count(*) > 1", "count(*) % 2 = 0", "min(t1.a) IS NOT NULL", "sum(t1.c) > 0"];
            clauses.push(optional(format!("HAVING {}", random.pick(&numbers))));
        }
        order_and_limit(random, &mut clauses, outputs.len());
        Query::of_clauses("query: group", clauses)
    }

    fn windowed(&self, random: &mut Random) -> Query {
        let functions = [
            "row_number()",
            "rank()",
            "dense_rank()",
            "ntile(3)",
            "lag(t1.a)",
            "lead(t1.b, 2, 'none')",
            "first_value(t1.c)",
            "last_value(t1.d)",
            "nth_value(t1.a, 2)",
            "sum(t1.a)",
            "count(*)",
            "avg(t1.c)",
            "min(t1.b)",
            "max(t1.d)",
            "percent_rank()",
            "cume_dist()",
            "sum(t1.c)",
            "bool_or(t1.e)",
            "count(t1.b) FILTER (WHERE t1.e)",
        ];
        let frames = [
            "",
            "",
            "",
            "ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING",
            "ROWS UNBOUNDED PRECEDING",
            "ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING",
            "RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW",
            "GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW",
        ];
        let all = "t1.a, t1.b, t1.c, t1.d, t1.e";
        let partition = ["", "PARTITION BY t1.e", "PARTITION BY t1.b", "PARTITION BY t1.a % 2"];
        // All columns, so that no two different rows are peers.
        let direction = ["", " DESC", " DESC NULLS LAST", " NULLS FIRST"];
        let order = format!("ORDER BY t1.{}{}, {all}", random.pick(&["a", "b", "c", "d"]), random.pick(&direction));
        let over = format!("({} {order} {})", random.pick(&partition), random.pick(&frames));
        let outputs: Vec<_> =
            (0..=random.below(2)).map(|_| format!("{} OVER {over}", random.pick(&functions))).collect();
        let mut clauses = vec![required(format!("SELECT {all}, {} FROM t1", outputs.join(", ")))];
        if random.percent(40) {
            clauses.push(optional(format!("WHERE {}", self.condition(random, &qualified(&self.tables.queried, 0)))));
        }
        order_and_limit(random, &mut clauses, outputs.len() + 5);
        Query::of_clauses("query: window", clauses)
    }

    fn set_operation(&self, random: &mut Random) -> Query {
        let types: Vec<_> = (0..=random.below(2)).map(|_| *random.pick(&OUTPUT)).collect();
        let mut clauses = Vec::new();
        for part in 0..2 + random.below(2) {
            if part > 0 {
                let operator =
                    random.pick(&["UNION", "UNION ALL", "INTERSECT", "EXCEPT", "EXCEPT ALL", "INTERSECT ALL"]);
                clauses.push(required((*operator).to_owned()));
            }
            let place = random.below(self.tables.queried.len());
            let columns = qualified(&self.tables.queried, place);
            let outputs: Vec<_> = types.iter().map(|oid| self.expression(random, &columns, *oid)).collect();
            clauses.push(required(format!("SELECT {} FROM {}", outputs.join(", "), self.name(place))));
            if random.percent(30) {
                clauses.push(optional(format!("WHERE {}", self.condition(random, &columns))));
            }
        }
        order_and_limit(random, &mut clauses, types.len());
        Query::of_clauses("query: set operation", clauses)
    }

    fn with_subquery(&self, random: &mut Random) -> Query {
        let columns = qualified(&self.tables.queried, 0);
        let inner = qualified(&self.tables.queried, 1);
        let condition = self.condition(random, &inner);
        let subqueries = [
            format!("EXISTS (SELECT 1 FROM t2 WHERE t2.a = t1.a AND {condition})"),
            format!("NOT EXISTS (SELECT 1 FROM t2 WHERE t2.b = t1.b AND {condition})"),
            format!("t1.a IN (SELECT t2.a FROM t2 WHERE {condition})"),
            format!("t1.a NOT IN (SELECT t2.a FROM t2 WHERE {condition})"),
            format!("t1.a >= ALL (SELECT t2.f FROM t2 WHERE {condition})"),
            format!("t1.b = ANY (SELECT t2.b FROM t2 WHERE {condition})"),
            format!("(SELECT count(*) FROM t2 WHERE t2.a > t1.a AND {condition}) > 1"),
            format!("(t1.a, t1.b) IN (SELECT t2.a, t2.b FROM t2 WHERE {condition})"),
        ];
        let values = [
            format!("(SELECT max(t2.f) FROM t2 WHERE t2.a = t1.a AND {condition})"),
            "(SELECT count(*) FROM t3 WHERE t3.c <= t1.c)".to_owned(),
            "(SELECT sum(x.f) FROM (SELECT t2.f FROM t2 WHERE t2.a IS NOT DISTINCT FROM t1.a) x)".to_owned(),
            self.output(random, &columns),
        ];
        let mut clauses = Vec::new();
        let output = random.pick(&values).clone();
        if random.percent(25) {
            clauses.push(required(format!("WITH w AS (SELECT a, count(*) AS n FROM t2 WHERE {condition} GROUP BY a)")));
            clauses.push(required(format!("SELECT t1.a, w.n, {output} FROM t1 LEFT JOIN w ON w.a = t1.a")));
        } else {
            clauses.push(required(format!("SELECT t1.a, t1.b, {output} FROM t1")));
        }
        clauses.push(optional(format!("WHERE {}", random.pick(&subqueries))));
        order_and_limit(random, &mut clauses, 3);
        Query::of_clauses("query: subquery", clauses)
    }

    /// Aggregates over the table of edge values, one at a time.
    fn aggregated_edges(&self, random: &mut Random) -> Query {
        let aggregate = self.expressions.aggregate(random, Leaves::Columns(&self.tables.edges.columns), 0);
        let filter = if random.percent(20) { " FILTER (WHERE id < 5)" } else { "" };
        let mut clauses = vec![required(format!("SELECT {}{filter} FROM edges", aggregate.sql()))];
        if random.percent(70) {
            clauses.push(optional(format!("WHERE id % {} = {}", 1 + random.below(5), random.below(3))));
        }
        if random.percent(30) {
            clauses.push(optional("GROUP BY id / 5 ORDER BY id / 5".to_owned()));
        }
        Query::of_clauses(&format!("aggregate: {}", aggregate.label), clauses)
    }

    /// A FROM clause, which has `t1`, and the columns that it makes visible.
    fn from(&self, random: &mut Random) -> (Vec<Sql>, Vec<(String, u32)>) {
        let mut clauses = vec![required("FROM t1".to_owned())];
        let mut columns = qualified(&self.tables.queried, 0);
        for place in 1..self.tables.queried.len() {
            if random.percent(60) {
                continue;
            }
            let name = self.name(place);
            columns.extend(qualified(&self.tables.queried, place));
            let kind = random.pick(&["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN"]);
            let on = match random.below(4) {
                0 => format!("t1.b = {name}.b"),
                1 if *kind != "FULL JOIN" => format!("t1.a = {name}.a AND {}", self.condition(random, &columns)),
                _ => format!("t1.a = {name}.a"),
            };
            let join = if *kind == "CROSS JOIN" { format!("{kind} {name}") } else { format!("{kind} {name} ON {on}") };
            clauses.push(optional(join));
        }
        (clauses, columns)
    }

    fn name(&self, place: usize) -> &'static str {
        self.tables.queried.get(place).map_or("t1", |table| table.name)
    }

    fn output(&self, random: &mut Random, columns: &[(String, u32)]) -> String {
        if random.percent(40) {
            return random.pick(columns).0.clone();
        }
        let oid = *random.pick(&OUTPUT);
        self.expression(random, columns, oid)
    }

    fn expression(&self, random: &mut Random, columns: &[(String, u32)], oid: u32) -> String {
        let depth = random.below(3);
        self.expressions.of_type(random, Leaves::Columns(columns), oid, depth).sql()
    }

    fn condition(&self, random: &mut Random, columns: &[(String, u32)]) -> String {
        self.expressions.of_type(random, Leaves::Columns(columns), 16, 2).sql()
    }

    fn aggregate(&self, random: &mut Random, columns: &[(String, u32)]) -> String {
        if random.percent(20) {
            return "count(*)".to_owned();
        }
        let (column, oid) = random.pick(columns);
        let of_numbers = ["sum", "avg", "min", "max", "count", "stddev", "variance"];
        let of_all = ["min", "max", "count"];
        let name = match oid {
            20 | 21 | 23 | 700 | 701 | 1700 => *random.pick(&of_numbers),
            16 => *random.pick(&["bool_and", "bool_or", "count"]),
            _ => *random.pick(&of_all),
        };
        let distinct = if random.percent(20) { "DISTINCT " } else { "" };
        format!("{name}({distinct}{column})")
    }
}

fn qualified(tables: &[Table], place: usize) -> Vec<(String, u32)> {
    let Some(table) = tables.get(place) else { return vec![] };
    table.columns.iter().map(|(column, oid)| (format!("{}.{column}", table.name), *oid)).collect()
}

fn order_and_limit(random: &mut Random, clauses: &mut Vec<Sql>, outputs: usize) {
    if random.percent(50) {
        let directions = ["", " DESC", " NULLS FIRST", " DESC NULLS LAST"];
        let order: Vec<_> = (1..=outputs).map(|place| format!("{place}{}", random.pick(&directions))).collect();
        clauses.push(required(format!("ORDER BY {}", order.join(", "))));
        if random.percent(50) {
            clauses.push(optional(format!("LIMIT {}", random.below(12))));
        }
        if random.percent(30) {
            clauses.push(optional(format!("OFFSET {}", random.below(4))));
        }
    }
}

fn required(text: String) -> Sql {
    Sql::from(text)
}

fn optional(text: String) -> Sql {
    Sql::from(text).optional()
}
