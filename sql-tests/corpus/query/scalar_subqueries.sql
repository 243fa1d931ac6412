-- A scalar subquery without a row is NULL, also where its column never is.
CREATE TABLE few (a integer NOT NULL, b integer);
INSERT INTO few VALUES (1, 2), (2, NULL);
SELECT (SELECT 1 WHERE false), (SELECT a FROM few WHERE a > 4), (SELECT count(*) FROM few HAVING count(*) > 2);
SELECT (SELECT count(*) FROM few GROUP BY a HAVING a > 4) IS NULL, coalesce((SELECT a FROM few WHERE a > 4), 7);
SELECT a, (SELECT 'x' FROM few y WHERE false) FROM few ORDER BY a;
SELECT a + (SELECT y.a FROM few y WHERE y.a > 1) AS sum FROM few ORDER BY a;
SELECT count(*), sum((SELECT a FROM few WHERE a > 4)), sum((SELECT a FROM few WHERE a > 1)) FROM few;
SELECT (SELECT a FROM few);
SELECT (1, 2) = (SELECT a, 2 FROM few WHERE a > 4), (2, 2) = (SELECT a, 2 FROM few WHERE a > 1);
SELECT (SELECT a FROM few WHERE a > 4) AS none, count(*) FROM few GROUP BY 1;
SELECT a FROM few WHERE a = (SELECT y.a FROM few y WHERE y.a > 1);
SELECT a FROM few ORDER BY (SELECT y.a FROM few y WHERE y.a > 4), a;
SELECT a FROM few LIMIT (SELECT 1 WHERE false);
VALUES ((SELECT 1 WHERE false));
SELECT (SELECT GROUPING(y.a) FROM few y WHERE y.a > 4 GROUP BY y.a, y.b ORDER BY 1 LIMIT 1), (SELECT coalesce(y.b, y.a) FROM few y WHERE y.a > 4);
-- Its column is called as the subquery's.
SELECT (SELECT * FROM (SELECT 1 AS z) q), ((SELECT q.* FROM (SELECT 1 AS y) q)), (SELECT * FROM (SELECT 1 AS x) q)::text;
SELECT CASE WHEN true THEN 1 ELSE (SELECT * FROM (SELECT 1 AS w) q) END, (SELECT 1 FROM (SELECT 1 AS v) q);
SELECT (SELECT u FROM (SELECT (SELECT * FROM (SELECT 1 AS t) q) AS u) q), 1 + (SELECT * FROM (SELECT 1 AS s) q);
-- What is compared with its value knows that there may be none.
SELECT a FROM few x WHERE (SELECT 'a' FROM few y WHERE y.a = x.b + 5 ORDER BY 1 LIMIT 1) NOT IN (SELECT 'b' FROM few);
SELECT a, (SELECT 'a' FROM few y WHERE y.a = x.b ORDER BY 1 LIMIT 1) IS NULL FROM few x ORDER BY a;
