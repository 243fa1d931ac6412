//! What stands in FROM: tables, joins and joins of joins, subqueries, LATERAL, VALUES, functions, common tables.

use super::scope::{Column, Kind, Scope};
use super::sql::Sql;
use super::writer::Writer;

/// A relation and the columns that it shows.
#[derive(Clone, Debug)]
pub struct Relation {
    /// What is written in FROM.
    pub sql: Sql,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Columns that USING has merged, by their name alone.
    merged: Vec<Column>,
}

impl Relation {
    /// All that can be named of it.
    pub fn visible(&self) -> Vec<Column> {
        self.columns.iter().chain(&self.merged).cloned().collect()
    }

    fn is_single(&self) -> bool {
        let relation = |column: &Column| column.name.split('.').next().map(str::to_owned);
        let mut relations: Vec<_> = self.columns.iter().filter_map(relation).collect();
        relations.dedup();
        relations.len() == 1
    }
}

impl Writer<'_> {
    /// One relation or several that are joined. The scope is that of the queries around.
    pub fn from(&mut self, outer: &Scope, depth: usize) -> Relation {
        let more = *self.random.pick(if depth > 0 { &[0, 0, 1, 1, 2] } else { &[0, 0, 1] });
        let mut from = self.relation(outer, None, depth);
        for _ in 0..more {
            from = self.joined(outer, from, depth);
        }
        from
    }

    fn joined(&mut self, outer: &Scope, left: Relation, depth: usize) -> Relation {
        let kinds = ["JOIN", "JOIN", "LEFT JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN"];
        let kind = *self.random.pick(&kinds);
        // Neither RIGHT nor FULL JOIN has the rows on its left before those on its right.
        let lateral = !["RIGHT JOIN", "FULL JOIN"].contains(&kind) && self.random.percent(30);
        let left_scope = outer.with(&left.visible());
        let right = self.relation(outer, lateral.then_some(&left_scope), depth);
        if kind != "CROSS JOIN"
            && !lateral
            && self.random.percent(20)
            && let Some(joined) = self.joined_using(&left, &right, kind)
        {
            return joined;
        }
        let columns: Vec<_> = left.columns.iter().chain(&right.columns).cloned().collect();
        let on = match kind {
            "CROSS JOIN" => Sql::default(),
            _ => Sql::from(" ON ") + self.join_condition(outer, &left, &right, kind == "FULL JOIN", depth),
        };
        let sql = left.sql.clone() + (Sql::from(format!(" {kind} ")) + right.sql.clone() + on).optional();
        // A name that both sides have means neither.
        let has = |column: &Column| right.columns.iter().any(|it| it.bare() == column.name);
        let merged = left.merged.iter().filter(|column| !has(column)).cloned().collect();
        Relation { sql: sql.or([right.sql]), columns, merged }
    }

    /// By a column that both have, if there is one.
    fn joined_using(&mut self, left: &Relation, right: &Relation, kind: &str) -> Option<Relation> {
        if !left.is_single() || !right.is_single() {
            return None;
        }
        let common: Vec<_> = left
            .columns
            .iter()
            .filter(|column| {
                right.columns.iter().any(|other| other.bare() == column.bare() && other.kind == column.kind)
            })
            .map(|column| Column { name: column.bare().to_owned(), kind: column.kind })
            .collect();
        if common.is_empty() {
            return None;
        }
        let same_name = |column: &&Column| right.columns.iter().any(|other| other.bare() == column.bare());
        let all_fit = left.columns.iter().filter(same_name).count() == common.len();
        let (sql, merged) = if all_fit && self.random.percent(30) {
            (Sql::from(format!(" NATURAL {kind} ")) + right.sql.clone(), common)
        } else {
            let column = self.random.pick(&common).clone();
            (Sql::from(format!(" {kind} ")) + right.sql.clone() + format!(" USING ({})", column.name), vec![column])
        };
        let columns = left.columns.iter().chain(&right.columns).cloned().collect();
        Some(Relation { sql: (left.sql.clone() + sql.optional()).or([right.sql.clone()]), columns, merged })
    }

    fn join_condition(&mut self, outer: &Scope, left: &Relation, right: &Relation, full: bool, depth: usize) -> Sql {
        let both: Vec<_> = left.columns.iter().chain(&right.columns).cloned().collect();
        let scope = outer.with(&both);
        let depth = if self.random.percent(40) { depth.saturating_sub(1) } else { 0 };
        let equal = self.equality(left, right);
        match equal {
            // PostgreSQL makes FULL JOIN by an equality only.
            Some(equal) if full => equal,
            Some(equal) if self.random.percent(60) => match self.random.percent(50) {
                true => equal + (Sql::from(" AND ") + self.predicate(&scope, depth)).optional(),
                false => equal,
            },
            None if full => Sql::from(*self.random.pick(&["TRUE", "FALSE"])),
            _ => self.predicate(&scope, depth),
        }
    }

    fn equality(&mut self, left: &Relation, right: &Relation) -> Option<Sql> {
        let kind = *self.random.pick(&[Kind::Number, Kind::Number, Kind::Text]);
        let of_kind = |relation: &Relation| {
            relation.columns.iter().filter(|it| it.kind == kind).map(|it| it.name.clone()).collect::<Vec<_>>()
        };
        let (left, right) = (of_kind(left), of_kind(right));
        if left.is_empty() || right.is_empty() {
            return None;
        }
        Some(Sql::from(format!("{} = {}", self.random.pick(&left), self.random.pick(&right))))
    }

    /// One relation. With `lateral` it may read what stands to its left.
    fn relation(&mut self, outer: &Scope, lateral: Option<&Scope>, depth: usize) -> Relation {
        let deep = depth > 0 && self.spend();
        match self.random.below(20) {
            0..=4 if deep => self.derived(outer, lateral, depth - 1),
            5..=6 if deep && lateral.is_none() => {
                let nested = self.from(outer, depth - 1);
                match nested.is_single() {
                    true => nested,
                    false => Relation { sql: Sql::from("(") + nested.sql + ")", ..nested },
                }
            }
            7 => self.values(outer, lateral),
            8 if lateral.is_some() => self.series(lateral.unwrap_or(outer)),
            9..=12 if !self.common.is_empty() => self.common_table(),
            _ if lateral.is_some() && deep && self.random.percent(60) => self.derived(outer, lateral, depth - 1),
            _ => self.table(),
        }
    }

    fn table(&mut self) -> Relation {
        let table = self.random.pick(self.tables).clone();
        let alias = self.alias();
        let columns = table.columns.iter().map(|(name, kind)| Column::of(&alias, name, *kind)).collect();
        Relation { sql: Sql::from(format!("{} {alias}", table.name)), columns, merged: vec![] }
    }

    fn common_table(&mut self) -> Relation {
        let (name, columns) = self.random.pick(&self.common).clone();
        let alias = self.alias();
        let columns = columns.iter().map(|(name, kind)| Column::of(&alias, name, *kind)).collect();
        Relation { sql: Sql::from(format!("{name} {alias}")), columns, merged: vec![] }
    }

    /// `(SELECT …) q(n, m)`
    pub(super) fn derived(&mut self, outer: &Scope, lateral: Option<&Scope>, depth: usize) -> Relation {
        let kinds = self.kinds();
        let query = self.query(lateral.unwrap_or(outer), &kinds, depth);
        let keyword = if lateral.is_some() { "LATERAL " } else { "" };
        let (alias, columns, names) = self.named(&kinds);
        let sql = Sql::from(keyword) + "(" + query + format!(") {alias}({names})");
        Relation { sql: sql.or(self.stand_ins(&alias, &names, &kinds)), columns, merged: vec![] }
    }

    /// What is shorter than a subquery and has its columns.
    fn stand_ins(&mut self, alias: &str, names: &str, kinds: &[Kind]) -> Vec<Sql> {
        let table = |place: usize| {
            let column = |kind: &Kind| match kind {
                Kind::Number => format!("r1.{}", ["a", "b"][place]),
                Kind::Text => "r1.s".to_owned(),
                Kind::Boolean => "r1.a > 1".to_owned(),
            };
            let columns: Vec<_> = kinds.iter().map(column).collect();
            Sql::from(format!("(SELECT {} FROM r1) {alias}({names})", columns.join(", ")))
        };
        let values: Vec<_> = kinds.iter().map(|kind| kind.literal(self.random)).collect();
        vec![Sql::from(format!("(VALUES ({})) {alias}({names})", values.join(", "))), table(0), table(1)]
    }

    fn values(&mut self, outer: &Scope, lateral: Option<&Scope>) -> Relation {
        let scope = lateral.unwrap_or(outer);
        let keyword = if lateral.is_some() { "LATERAL " } else { "" };
        let kinds = self.kinds();
        let mut rows = Vec::new();
        for _ in 0..=self.random.below(3) {
            let row: Vec<_> = kinds.iter().map(|kind| self.leaf(scope, *kind)).collect();
            rows.push(Sql::from("(") + Sql::list(row, ", ") + ")");
        }
        let (alias, columns, names) = self.named(&kinds);
        let first = rows.remove(0);
        let rest = rows.into_iter().fold(Sql::default(), |rest, row| rest + (Sql::from(", ") + row).optional());
        let sql = Sql::from(keyword) + "(VALUES " + first + rest + format!(") {alias}({names})");
        Relation { sql, columns, merged: vec![] }
    }

    /// A function of what stands to its left.
    fn series(&mut self, scope: &Scope) -> Relation {
        let (alias, columns, names) = self.named(&[Kind::Number]);
        let [first, second] = [0, 1].map(|_| self.integer(scope));
        let function = match self.random.below(2) {
            0 => format!("generate_series(1, {first})"),
            _ => format!("unnest(ARRAY[{first}, NULL, {second}])"),
        };
        Relation { sql: Sql::from(format!("{function} {alias}({names})")), columns, merged: vec![] }
    }

    /// A column that is known to be an `integer`, or a number: functions are chosen by their arguments' types.
    fn integer(&mut self, scope: &Scope) -> String {
        match scope.column(self.random, Kind::Number) {
            Some(column) => format!("{column}::integer"),
            None => Kind::Number.literal(self.random),
        }
    }

    fn named(&mut self, kinds: &[Kind]) -> (String, Vec<Column>, String) {
        let alias = self.alias();
        let names: Vec<_> = ["a", "b", "s", "n"].iter().take(kinds.len()).map(|name| (*name).to_owned()).collect();
        let columns = names.iter().zip(kinds).map(|(name, kind)| Column::of(&alias, name, *kind)).collect();
        (alias, columns, names.join(", "))
    }
}
