-- A condition that turns out to read nothing decides about the row that an aggregate has of no rows.
CREATE TABLE few (a integer, b integer, s text);
INSERT INTO few VALUES (1, 2, 'a'), (2, NULL, 'b'), (NULL, 1, NULL);
CREATE TABLE no_rows (a integer, b integer);
SELECT sum(b), count(*) FROM few GROUP BY GROUPING SETS ((a), (a), ()) HAVING NOT (CASE WHEN length('a') = coalesce(4, a) THEN a ELSE 3 END <> 0);
SELECT count(*) FROM few HAVING CASE WHEN length('a') = coalesce(4, max(a)) THEN 1 ELSE 3 END = 1;
SELECT count(*) FROM few GROUP BY ROLLUP (s) HAVING length('a') = coalesce(4, count(*));
SELECT x.a, y.n FROM few x LEFT JOIN LATERAL (SELECT x.b AS b, count(*) AS n FROM no_rows GROUP BY GROUPING SETS ((no_rows.a), ())) y ON x.b = y.b AND 'ab' > NULL::text ORDER BY 1;
SELECT x.a, y.n FROM few x LEFT JOIN LATERAL (SELECT x.b AS b, count(*) AS n FROM no_rows) y ON x.b = y.b AND x.a = 1 ORDER BY 1;
SELECT x.a, (SELECT count(*) FROM no_rows HAVING x.a > 1) FROM few x ORDER BY 1;
SELECT x.a, (SELECT count(*) FROM few y GROUP BY GROUPING SETS ((y.a), ()) HAVING x.a > 1 ORDER BY 1 DESC LIMIT 1) FROM few x ORDER BY 1;
SELECT x.a, EXISTS (SELECT count(*) FROM no_rows HAVING x.a > 1), x.a IN (SELECT 2 FROM no_rows HAVING x.b IS NULL) FROM few x ORDER BY 1;
SELECT count(*) FROM no_rows GROUP BY CUBE (a, b) HAVING (SELECT max(a) FROM few) = 2;
SELECT count(*) FROM no_rows GROUP BY CUBE (a, b) HAVING (SELECT max(a) FROM few) = 3;
SELECT * FROM (SELECT count(*) AS n, max(a) FROM no_rows) q WHERE coalesce(2, n) = length('a');
WITH w AS MATERIALIZED (SELECT min(b) AS b FROM few) SELECT x.a, (SELECT count(*) FROM w CROSS JOIN few y WHERE x.a < 2) FROM few x ORDER BY 1;
WITH w AS (SELECT b FROM few) SELECT x.a, (SELECT count(*) FROM w JOIN w y USING (b) WHERE x.a < 2) FROM few x ORDER BY 1;
