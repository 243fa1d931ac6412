-- Subqueries that find their rows by the outer row's values, over more outer rows than are asked one by one.

CREATE TABLE outside AS SELECT i AS id, i % 700 AS k, CASE WHEN i % 5 = 0 THEN NULL ELSE i % 50 END AS n FROM generate_series(1, 3000) i;
CREATE TABLE inside AS SELECT i AS k, i * 10 AS v, 'v' || i AS t, i % 50 AS n FROM generate_series(0, 600) i;
INSERT INTO inside VALUES (NULL, 1, 'nothing', NULL);

SELECT count(*), count(v), sum(v), min(t), max(t) FROM (SELECT id, (SELECT v FROM inside y WHERE y.k = x.k) AS v, (SELECT t || '!' FROM inside y WHERE y.k = x.k) AS t FROM outside x) s;
SELECT count(*), count(v), sum(v) FROM (SELECT (SELECT v + 1 FROM inside y WHERE y.k = x.k AND y.n = x.n) AS v FROM outside x) s;
SELECT count(*), count(v), sum(v) FROM (SELECT (SELECT v FROM inside y WHERE y.k = x.k AND y.n < 25) AS v FROM outside x) s;
SELECT count(*), count(v), sum(v) FROM (SELECT (SELECT v FROM inside y WHERE y.k = x.n AND y.n = x.n) AS v FROM outside x) s;
SELECT v, count(*) FROM (SELECT EXISTS (SELECT FROM inside y WHERE y.k = x.k AND y.v > 3000) AS v FROM outside x) s GROUP BY v ORDER BY v;
SELECT v, count(*) FROM (SELECT NOT EXISTS (SELECT FROM inside y WHERE y.n = x.n) AS v FROM outside x) s GROUP BY v ORDER BY v;
SELECT count(*) FROM outside x WHERE x.id < 10 OR EXISTS (SELECT FROM inside y WHERE y.k = x.k AND y.n = 3);
SELECT count(*), sum(y.v) FROM outside x CROSS JOIN LATERAL (SELECT v, t FROM inside WHERE inside.n = x.n) y;
SELECT count(*), count(y.v), sum(y.v) FROM outside x LEFT JOIN LATERAL (SELECT v, t FROM inside i WHERE i.n = x.n AND i.k > 500) y ON true;
SELECT count(*), count(w) FROM (SELECT CASE WHEN x.k < 100 THEN (SELECT t FROM inside y WHERE y.k = x.k) END AS w FROM outside x) s;

-- More than one row is an error where it is asked for, and only there.
SELECT sum(v) FROM (SELECT (SELECT v FROM inside y WHERE y.n = x.n) AS v FROM outside x) s;
SELECT sum(v) FROM (SELECT (SELECT v FROM inside y WHERE y.n = x.n) AS v FROM outside x WHERE x.n IS NULL) s;
SELECT sum(v) FROM (SELECT CASE WHEN x.n IS NULL THEN (SELECT v FROM inside y WHERE y.n = x.n) ELSE 1 END AS v FROM outside x) s;
SELECT sum(v) FROM (SELECT CASE WHEN (SELECT count(*) FROM inside y WHERE y.n = x.n) = 1 THEN (SELECT v FROM inside y WHERE y.n = x.n) ELSE 1 END AS v FROM outside x) s;
SELECT sum(v) FROM (SELECT CASE WHEN NOT EXISTS (SELECT FROM inside y WHERE y.n = x.n) THEN (SELECT v FROM inside y WHERE y.n = x.n) ELSE 1 END AS v FROM outside x) s;

-- What can fail is asked for the rows alone that it is asked of.
SELECT sum(v) FROM (SELECT (SELECT 1 / (y.v - 6000) FROM inside y WHERE y.k = x.k) AS v FROM outside x WHERE x.k < 600) s;
SELECT sum(v) FROM (SELECT (SELECT 1 / (y.v - 6000) FROM inside y WHERE y.k = x.k) AS v FROM outside x) s;

-- Nested, and in a recursive table.
SELECT sum(v) FROM (SELECT (SELECT (SELECT z.v FROM inside z WHERE z.k = y.n) FROM inside y WHERE y.k = x.k) AS v FROM outside x) s;
WITH RECURSIVE t (k, v, depth) AS (SELECT 1, 10, 0 UNION ALL SELECT k + 1, (SELECT v FROM inside y WHERE y.k = t.k + 1), depth + 1 FROM t WHERE depth < 5) SELECT * FROM t ORDER BY depth;

-- Whatever columns are called, and where there are none.
CREATE TABLE named AS SELECT i AS a, i AS "key#0", i % 7 AS b FROM generate_series(1, 2000) i;
SELECT count(k) FROM (SELECT (SELECT y."key#0" FROM named y WHERE y."key#0" = x.a) AS k FROM named x) s;
SELECT count(*) FROM named x CROSS JOIN LATERAL (SELECT FROM named y WHERE y.a = x.a + 0) z;
SELECT count(*) FROM named x LEFT JOIN LATERAL (SELECT FROM named y WHERE y.a = x.a + 1000) z ON true WHERE x.a < 20 OR x.a > 1990;
SELECT count(*), sum(z.b) FROM named x LEFT JOIN LATERAL (SELECT y.b FROM named y WHERE y.a = x.a) z ON true;
SELECT count(*), sum(z.b) FROM named x CROSS JOIN LATERAL (SELECT b FROM named y WHERE y.a = x.a) z;
SELECT count(*), sum(z.b) FROM named x LEFT JOIN LATERAL (SELECT y.b FROM named y WHERE y.a = x.a) z ON z.b > 3;
SELECT sum(s) FROM (SELECT (WITH RECURSIVE t (n) AS (SELECT x.b UNION ALL SELECT n - 1 FROM t WHERE n > 1) SELECT sum(n) FROM t) AS s FROM named x WHERE x.a < 50) q;
