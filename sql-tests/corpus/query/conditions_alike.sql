-- Conditions that say the same of a column, in other words, and lists whose elements are not the same for all rows.

CREATE TABLE outside (a integer, b integer);
INSERT INTO outside VALUES (1, 1), (2, NULL), (NULL, 3), (0, 0), (3, 5);
CREATE TABLE inside (a integer, b integer, f integer);
INSERT INTO inside VALUES (1, 1, 10), (1, 2, 0), (0, 0, 7), (3, 3, NULL), (NULL, 1, 4);

-- The value of the outer query's column, and a constant that is the same.
SELECT x.a, (SELECT y.f FROM inside y WHERE y.a = x.a AND y.a = 1 ORDER BY y.f LIMIT 1) FROM outside x ORDER BY 1;
SELECT x.a, (SELECT y.f FROM inside y WHERE y.a = x.a AND 1 = y.a ORDER BY y.f LIMIT 1) FROM outside x ORDER BY 1;
SELECT x.a, (SELECT count(*) FROM inside y WHERE y.a = x.a AND y.a = x.b) FROM outside x ORDER BY 1;
SELECT x.a, x.b, y.f FROM outside x CROSS JOIN LATERAL (SELECT f FROM inside WHERE a = x.a AND a = x.b ORDER BY f LIMIT 1) y ORDER BY 1;
SELECT x.a, y.* FROM outside x JOIN LATERAL (VALUES (0, 'a'), (x.b, 'b')) y (v, w) ON x.a = y.v AND x.b = y.v ORDER BY 1, 3;
SELECT x.a FROM outside x WHERE EXISTS (SELECT FROM inside y WHERE y.a = x.a AND y.a = 1 AND y.b = x.b) ORDER BY 1;

-- A constant that a join passes on to the other side.
SELECT x.a, y.f FROM outside x LEFT JOIN inside y ON x.a = y.a AND 0 = x.a ORDER BY 1, 2;
SELECT x.a, y.f FROM outside x JOIN inside y ON x.a = y.a AND 0 = x.a WHERE 0 = y.a ORDER BY 1, 2;
SELECT x.a, y.f FROM outside x RIGHT JOIN inside y ON x.a = y.a AND 0 = y.a ORDER BY 1, 2;
SELECT x.a, y.f FROM outside x FULL JOIN inside y ON x.a = y.a AND x.a >= 1 AND 1 <= y.a ORDER BY 1, 2;
SELECT x.a, y.f FROM (SELECT * FROM outside WHERE 1 = a) x JOIN inside y ON y.a = x.a WHERE y.a = 1 ORDER BY 2;

-- Elements of a list that are NULL for some rows.
SELECT a, 1 IN (nullif(a, a), nullif(a, 5)) FROM outside ORDER BY 1;
SELECT a, a IN (nullif(a, b), nullif(b, 7)) FROM outside ORDER BY 1;
SELECT a, 1 NOT IN (CASE WHEN a > 1 THEN 1 END, CASE WHEN a < 3 THEN 2 ELSE 3 END) FROM outside ORDER BY 1;
SELECT a, 1 IN (CASE WHEN a > 0 THEN 1 ELSE 2 END, CASE WHEN a < 3 THEN 2 ELSE 3 END, coalesce(b, 1), 9) FROM outside ORDER BY 1;
SELECT a FROM outside WHERE a NOT IN (nullif(b, a), nullif(5, b)) ORDER BY 1;
SELECT count(*) FROM outside WHERE '12:00'::time NOT IN (CAST('24:00' AS time), CASE WHEN a > 1 THEN '24:00'::time END);
SELECT a, a IN (1, 2, 3, b) FROM outside ORDER BY 1;
SELECT a, a NOT IN (1, NULL, b) FROM outside ORDER BY 1;

-- The default of a CASE counts first where its type is chosen.
SELECT pg_typeof(CASE WHEN a > 0 THEN 'a'::varchar ELSE 'b'::char(3) END) FROM outside LIMIT 1;
SELECT pg_typeof(CASE WHEN a > 0 THEN 'a'::char(3) ELSE 'b'::varchar END) FROM outside LIMIT 1;
SELECT pg_typeof(CASE a WHEN 0 THEN 'a'::name WHEN 1 THEN 'c'::text ELSE 'b'::char(3) END) FROM outside LIMIT 1;
SELECT CASE WHEN a > 0 THEN ' '::char ELSE ''::text END FROM outside ORDER BY a;

-- Conditions over what makes one row of several.
SELECT * FROM (SELECT DISTINCT a FROM inside) s WHERE a > 0 ORDER BY 1;
SELECT * FROM (SELECT a FROM inside UNION SELECT b FROM outside) s WHERE a > 1 ORDER BY 1;
SELECT * FROM (SELECT a, count(*) AS n FROM inside GROUP BY a) s WHERE a = 1 OR n = 2 ORDER BY 1;
SELECT * FROM (SELECT a, count(*) AS n FROM inside GROUP BY a) s WHERE a >= 1 AND n > 0 ORDER BY 1;
SELECT * FROM (SELECT count(*) AS n FROM inside) s WHERE coalesce(1, n) = 2;
SELECT * FROM (SELECT a, count(*) AS n FROM inside GROUP BY ROLLUP (a)) s WHERE a IS NULL ORDER BY n;
SELECT * FROM (SELECT a, sum(sum(f)) OVER (ORDER BY a) AS n FROM inside GROUP BY a) s WHERE a > 0 ORDER BY 1;
SELECT * FROM (SELECT DISTINCT ON (a) a, b FROM inside ORDER BY a, b DESC) s WHERE b = 2;
SELECT * FROM (SELECT a FROM inside EXCEPT SELECT 3) s WHERE a IS NOT NULL ORDER BY 1;
SELECT * FROM (SELECT DISTINCT a FROM inside LIMIT 100) s JOIN outside o USING (a) WHERE s.a = 1;
SELECT * FROM (SELECT DISTINCT 10 / (a - 3) AS q, a FROM inside WHERE a <> 3) s WHERE q < 0 ORDER BY a;
SELECT * FROM (SELECT a, b FROM inside UNION SELECT a, b FROM outside) s WHERE 10 / nullif(a, 0) > 4 ORDER BY 1, 2;
SELECT count(*) FROM (SELECT DISTINCT a FROM inside) s WHERE random() >= 0 AND a = 1;

-- Operands of IN that are the same for all rows, although they name columns.
SELECT a FROM outside WHERE coalesce(4, b) NOT IN (SELECT a FROM inside) ORDER BY 1;
SELECT a FROM outside WHERE coalesce(4, b) NOT IN (SELECT a FROM inside WHERE a IS NOT NULL) ORDER BY 1;
SELECT a FROM outside WHERE CASE WHEN true THEN 1 ELSE b END IN (SELECT a FROM inside) ORDER BY 1;
SELECT a FROM outside WHERE NOT (CASE WHEN true THEN NULL ELSE b END IN (SELECT a FROM inside)) ORDER BY 1;
SELECT a FROM outside WHERE coalesce(4, b) IN (SELECT a FROM inside) IS NULL ORDER BY 1;
SELECT a FROM outside WHERE coalesce(b, 4) NOT IN (SELECT a FROM inside WHERE a IS NOT NULL) ORDER BY 1;

-- A comparison that becomes one of a column with a constant only when the other conditions are known.
WITH a(x, y) AS (VALUES (1, 1), (2, 2), (5, 1), (NULL, 2)), b(x) AS (VALUES (1), (2), (NULL)), c(k) AS (VALUES (1), (2), (3))
SELECT a.x, l.* FROM a JOIN LATERAL (SELECT a.x, c.k, a.y FROM b JOIN c ON b.x = c.k AND a.y = coalesce(b.x, a.x)) l (p, q, r) ON a.x = l.q ORDER BY 1, 2, 3;
WITH a(x, y) AS (VALUES (1, 1), (2, 2), (5, 1), (NULL, 2)), b(x) AS (VALUES (1), (2), (NULL)), c(k) AS (VALUES (1), (2), (3))
SELECT a.x, (SELECT count(*) FROM b JOIN c ON b.x = c.k AND 1 = coalesce(b.x, a.x) WHERE c.k = 1 AND b.x = a.x) FROM a ORDER BY 1;
SELECT count(*) FROM (VALUES (1, 2)) a(x, y) JOIN (VALUES (1, 3)) b(x, y) ON a.x = b.x AND 1 = coalesce(b.x, a.y) WHERE b.x = 1 AND 1 = b.x;
SELECT q1.a, q5.* FROM (VALUES ('', 2), ('ab', 0)) q1(a, b) JOIN LATERAL (SELECT q4.a FROM (SELECT q2.d FROM (VALUES (1), (2)) q2(d) WHERE q2.d = q1.b + 4) q3(a) FULL JOIN (VALUES (0, 1), (2, 2)) q4(k, a) ON q3.a = q4.k WHERE q4.a = q1.b) q5(a) ON q1.b = q5.a;

-- Constants that are computed of an outer query's columns are those that are written.
SELECT q.s, (SELECT count(*) FROM (VALUES (1), (2), (1)) t(a) WHERE length(q.s) <> t.a AND 1 = t.a LIMIT 1), (SELECT count(*) FROM (VALUES (1), (2), (1)) t(a) WHERE length(q.s) = t.a AND 1 = t.a LIMIT 1) FROM (VALUES ('a'), ('bb'), (''), (NULL)) q(s) ORDER BY 1;
SELECT q.s FROM (VALUES ('a'), ('bb'), (''), (NULL)) q(s) WHERE 'a' NOT IN (SELECT q.s FROM (VALUES (1), (2), (1)) t(a) WHERE length(q.s) <> t.a AND length('b') = t.a) ORDER BY 1;
SELECT q.n, ARRAY(SELECT t.a FROM (VALUES (1), (2), (3)) t(a) WHERE coalesce(q.n, 2) <> t.a AND t.a = 2) FROM (VALUES (1), (2), (NULL)) q(n) ORDER BY 1;
SELECT q.n, ARRAY(SELECT t.a FROM (VALUES (1), (2), (3)) t(a) WHERE q.n + 1 <> t.a AND t.a = 2 ORDER BY 1) FROM (VALUES (1), (2), (NULL)) q(n) ORDER BY 1;
SELECT q.s, ARRAY(SELECT t.a FROM (VALUES ('a'), ('b')) t(a) WHERE lower(q.s) <> t.a AND t.a = 'a') FROM (VALUES ('A'), ('B'), (NULL)) q(s) ORDER BY 1;

-- A column that equals what is computed of it.
SELECT a, lag(a) OVER (PARTITION BY a ORDER BY f) FROM inside WHERE a = a + 1;
SELECT a, lag(a) OVER (PARTITION BY a ORDER BY b) FROM inside WHERE a = a * 1 ORDER BY 1, 2;
SELECT a, b, row_number() OVER (PARTITION BY b ORDER BY a) FROM inside WHERE abs(a) = a ORDER BY 1, 2;
WITH w AS MATERIALIZED (SELECT lag(f) OVER (PARTITION BY b ORDER BY a) FROM inside WHERE (b + 2) = b) SELECT count(*) FROM w;
SELECT a, b, lag(a) OVER (PARTITION BY a, b), lag(a) OVER (ORDER BY b, a) FROM inside WHERE a = b - 1 AND b = a + 1 ORDER BY 1, 2;
SELECT coalesce(a, 0) FROM inside WHERE a = coalesce(a, 7) ORDER BY 1;
SELECT a, b FROM outside WHERE b = greatest(a, b) AND b IS NOT NULL ORDER BY a, b;
