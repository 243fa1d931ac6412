//! Queries whose form is what is tested: subqueries at every place, joins of joins, grouping of windows.
//!
//! A form is SQL with holes: `{bool xy}` is a condition over the columns of `x` and `y`. The tables `t1`, `t2`, `t3` are called
//! `x`, `y` and `z` in it. What is between `[[` and `]]` can be left away when a query is made smaller.

use super::expression::{Generator, Leaves};
use super::query::Query;
use super::random::Random;
use super::sql::Sql;
use super::tables::Table;
use super::types::by_name;

/// The forms. A LIMIT is only below an ORDER BY of all columns, since it decides which rows are seen.
const FORMS: [&str; 44] = [
    "SELECT DISTINCT ON (x.a) x.a, x.b, {any x} FROM t1 x [[WHERE {bool x}]] ORDER BY x.a, x.b, x.c, x.d, x.e",
    "SELECT x.a, s.n FROM t1 x [[LEFT]] JOIN (SELECT y.a, count(*) AS n FROM t2 y [[WHERE {bool y}]] GROUP BY y.a) s ON s.a = x.a",
    "SELECT x.a, s.f FROM t1 x, LATERAL (SELECT y.f, y.a FROM t2 y WHERE y.a = x.a [[AND {bool xy}]]) s",
    "SELECT x.a, s.v FROM t1 x LEFT JOIN LATERAL (SELECT {any xy} AS v FROM t2 y WHERE y.a <= x.a) s ON [[{bool x} AND]] true",
    "SELECT x.a, s.m FROM t1 x, LATERAL (SELECT max(y.f) AS m, count(*) AS n FROM t2 y WHERE y.b = x.b) s [[WHERE s.n > 0]]",
    "SELECT x.a, g FROM t1 x, generate_series(1, x.a) g [[WHERE {bool x}]]",
    "SELECT x.b, u FROM t1 x, unnest(ARRAY[x.a, 1, NULL]) u [[WHERE u IS NOT NULL]]",
    "SELECT v.p, x.a FROM (VALUES (1, 'a'), (2, NULL), (NULL, 'b')) v(p, q) [[LEFT]] JOIN t1 x ON x.a = v.p [[OR x.b = v.q]]",
    "WITH w AS (SELECT x.a, {any x} AS v FROM t1 x), u AS (SELECT a, count(*) AS n FROM w GROUP BY a) SELECT w.v, u.n FROM w JOIN u ON u.a = w.a",
    "WITH RECURSIVE r AS (SELECT x.a FROM t1 x WHERE x.a IN (1, 2) UNION ALL SELECT r.a + 1 FROM r WHERE r.a < 5) SELECT a, count(*) FROM r GROUP BY a",
    "WITH RECURSIVE r(n) AS (SELECT 0 UNION SELECT (n + {int x}) % 4 FROM r, t1 x WHERE x.a > 0) SELECT n FROM r",
    "SELECT x.a, (SELECT count(*) FROM t2 y WHERE y.a = x.a AND {bool xy}) FROM t1 x",
    "SELECT x.a, (SELECT sum(y.f + x.a) FROM t2 y WHERE y.b >= x.b) FROM t1 x [[WHERE {bool x}]]",
    "SELECT x.a, (SELECT y.f FROM t2 y WHERE y.a = x.a [[AND {bool y}]] ORDER BY y.f DESC, y.b LIMIT 1) FROM t1 x",
    "SELECT x.a FROM t1 x WHERE EXISTS (SELECT 1 FROM t2 y WHERE y.a = x.a AND EXISTS (SELECT 1 FROM t3 z WHERE z.a = y.a AND z.b = x.b))",
    "SELECT x.a FROM t1 x WHERE NOT EXISTS (SELECT 1 FROM t2 y JOIN t3 z ON z.a = y.a WHERE y.b = x.b OR {bool xz})",
    "SELECT x.a, x.b FROM t1 x WHERE x.a [[NOT]] IN (SELECT y.a FROM t2 y WHERE {bool xy})",
    "SELECT x.a, x.b FROM t1 x WHERE (x.a, x.b) [[NOT]] IN (SELECT y.a, y.b FROM t2 y)",
    "SELECT x.a FROM t1 x WHERE x.c > ALL (SELECT z.c FROM t3 z WHERE z.a = x.a [[OR z.c IS NULL]])",
    "SELECT x.a, x.a = ANY (SELECT z.a FROM t3 z WHERE {bool z}) FROM t1 x",
    "SELECT x.a, x.a IN (SELECT y.a FROM t2 y) OR {bool x} FROM t1 x",
    "SELECT CASE WHEN EXISTS (SELECT 1 FROM t2 y WHERE y.a = x.a) THEN {text x} ELSE x.b END FROM t1 x",
    "SELECT {int x}, count(*), sum(x.c) FROM t1 x GROUP BY 1",
    "SELECT x.a % 2 AS k, count(DISTINCT x.b), min({any x}) FROM t1 x GROUP BY k [[HAVING count(*) > 1]]",
    "SELECT x.b, count(*) FILTER (WHERE {bool x}), sum(x.a) FILTER (WHERE x.e) FROM t1 x GROUP BY x.b",
    "SELECT x.b, string_agg(x.b || x.a, ',' ORDER BY x.a DESC, x.d), array_agg(x.a ORDER BY x.a NULLS FIRST) FROM t1 x GROUP BY x.b",
    "SELECT x.a, x.b, GROUPING(x.a, x.b), count(*) FROM t1 x GROUP BY ROLLUP (x.a, x.b) [[HAVING {int x} IS NULL OR true]]",
    "SELECT x.e, x.a, sum(x.c), count(*) FROM t1 x GROUP BY GROUPING SETS ((x.e, x.a), (x.e), ())",
    "SELECT x.a, count(*), sum(count(*)) OVER (ORDER BY x.a), rank() OVER (ORDER BY count(*) DESC) FROM t1 x GROUP BY x.a",
    "SELECT s.* FROM (SELECT x.a, x.b, row_number() OVER (PARTITION BY x.e ORDER BY x.a, x.b, x.c, x.d) AS r FROM t1 x) s WHERE s.r <= 2 [[AND s.a IS NOT NULL]]",
    "SELECT count(*), sum(s.a) FROM (SELECT x.a FROM t1 x UNION ALL SELECT y.a FROM t2 y [[WHERE {bool y}]]) s [[WHERE s.a > 0]]",
    "SELECT s.a, s.k FROM (SELECT x.a, 1 AS k FROM t1 x UNION SELECT y.a, 2 FROM t2 y) s WHERE [[s.k = 2 AND]] s.a >= 0 ORDER BY 1, 2",
    "SELECT x.a, x.a, x.b FROM t1 x UNION ALL SELECT y.a, y.a, y.b FROM t2 y ORDER BY 1, 2, 3 [[LIMIT 5]]",
    "SELECT a FROM t1 INTERSECT (SELECT a FROM t2 EXCEPT SELECT a FROM t3) ORDER BY 1",
    "SELECT a, b, t1.e, f FROM t1 JOIN t2 USING (a, b) [[WHERE t2.g > 0]]",
    "SELECT a, b, t1.c FROM t1 NATURAL JOIN t3 [[WHERE e]]",
    "SELECT a, t1.b, t2.b, t3.b FROM t1 FULL JOIN t2 USING (a) FULL JOIN t3 USING (a)",
    "SELECT x.a, y.a, z.a FROM t1 x LEFT JOIN (t2 y JOIN t3 z ON z.a = y.a [[AND {bool yz}]]) ON y.a = x.a [[WHERE z.a IS NULL]]",
    "SELECT x.a, p.a, {any x} FROM t1 x JOIN t1 p ON p.a > x.a AND p.b = x.b [[LEFT JOIN t3 z ON z.a = p.a]]",
    "SELECT z.a, z.b || y.b, {any z} FROM t2 y RIGHT JOIN t3 z ON y.a = z.a WHERE {int y} IS NULL",
    "SELECT x.a, {any xyz} FROM t1 x LEFT JOIN t2 y ON y.a = x.a AND {bool xy} LEFT JOIN t3 z ON z.a = y.a [[WHERE {bool xyz}]]",
    "SELECT x.a, z.a FROM t1 x FULL JOIN t3 z ON z.a = x.a [[AND z.b = x.b]] WHERE {bool xz}",
    "SELECT x.a, x.b FROM t1 x ORDER BY {int x} NULLS FIRST, x.a, x.b, x.c, x.d, x.e [[LIMIT 4 OFFSET 2]]",
    "SELECT x.b, count(*) FROM t1 x GROUP BY x.b ORDER BY count(*) DESC, x.b NULLS FIRST FETCH FIRST 2 ROWS ONLY",
];

/// A query of one of the forms.
pub fn query(random: &mut Random, expressions: &Generator<'_>, tables: &[Table]) -> Query {
    let mut sql = Sql::default();
    let mut rest = *random.pick(&FORMS);
    // A form with an optional part is tried with it and without.
    while let Some((required, after)) = rest.split_once("[[") {
        let (optional, after) = after.split_once("]]").unwrap_or((after, ""));
        sql += filled(random, expressions, tables, required);
        if random.percent(60) {
            sql += Sql::from(filled(random, expressions, tables, optional)).optional();
        }
        rest = after;
    }
    sql += filled(random, expressions, tables, rest);
    Query::new("query: form", sql)
}

/// The text with expressions in its holes.
fn filled(random: &mut Random, expressions: &Generator<'_>, tables: &[Table], form: &str) -> String {
    let mut sql = String::with_capacity(form.len() * 2);
    let mut rest = form;
    while let Some((before, after)) = rest.split_once('{') {
        let (hole, after) = after.split_once('}').unwrap_or((after, ""));
        let (kind, aliases) = hole.split_once(' ').unwrap_or((hole, ""));
        sql.push_str(before);
        sql.push_str(&expression(random, expressions, kind, &columns(tables, aliases)));
        rest = after;
    }
    sql + rest
}

fn expression(random: &mut Random, expressions: &Generator<'_>, kind: &str, columns: &[(String, u32)]) -> String {
    let type_name = match kind {
        "bool" => "boolean",
        "int" => "integer",
        "any" => random.pick(&["integer", "text", "numeric", "date", "boolean", "bigint", "interval"]),
        other => other,
    };
    let Some(sql_type) = by_name(type_name) else { return "NULL".to_owned() };
    let depth = 1 + random.below(2);
    expressions.of_type(random, Leaves::Columns(columns), sql_type.oid, depth).sql()
}

/// The columns of the tables that these letters stand for.
fn columns(tables: &[Table], aliases: &str) -> Vec<(String, u32)> {
    let place = |alias: char| "xyz".find(alias);
    let table = |alias: char| Some((alias, tables.get(place(alias)?)?));
    let columns = aliases
        .chars()
        .filter_map(table)
        .flat_map(|(alias, table)| table.columns.iter().map(move |(column, oid)| (format!("{alias}.{column}"), *oid)));
    columns.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::entry::Entries;

    #[test]
    fn every_hole_of_every_form_is_filled() {
        let entries = Entries::default();
        let expressions = Generator::new(&entries);
        let mut random = Random::of_batch(1, 1);
        for form in FORMS {
            assert_eq!(form.matches("[[").count(), form.matches("]]").count(), "{form}");
            assert_eq!(form.matches('{').count(), form.matches('}').count(), "{form}");
            let sql = filled(&mut random, &expressions, &[], form);
            assert!(["{bool", "{int", "{any", "{text"].iter().all(|hole| !sql.contains(hole)), "{sql}");
        }
    }
}
