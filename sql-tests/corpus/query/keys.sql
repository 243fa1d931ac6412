-- What tells the rows of a subquery apart does not tell those apart that it is joined to.
CREATE TABLE l (a int, b int);
CREATE TABLE r (d int);
INSERT INTO l VALUES (1, 0), (2, 1), (3, 2), (4, 2), (5, NULL);
INSERT INTO r VALUES (1), (2), (2), (NULL);
SELECT count(*) FROM (SELECT n, m FROM (SELECT DISTINCT x.b n, y.d m FROM l x CROSS JOIN (SELECT d FROM r GROUP BY d) y) z GROUP BY 1, 2) q;
SELECT m, n, count(*) FROM (SELECT DISTINCT x.b n, y.d m FROM l x CROSS JOIN (SELECT d FROM r GROUP BY d) y) z GROUP BY m, n ORDER BY 1, 2;
SELECT n, m FROM (SELECT DISTINCT x.b n, y.d m FROM l x CROSS JOIN (SELECT DISTINCT d FROM r) y) z ORDER BY m DESC, n;
SELECT m, m + n FROM (SELECT x.a n, y.d m FROM l x CROSS JOIN (SELECT d FROM r UNION SELECT 7) y GROUP BY 1, 2) z ORDER BY 1, 2 DESC;
WITH y AS (SELECT d, count(*) c FROM r GROUP BY d) SELECT DISTINCT d, a, c FROM l JOIN y ON l.b = y.d ORDER BY 1, 2;
WITH y AS (SELECT d, count(*) c FROM r GROUP BY d) SELECT d, a, count(*) FROM (SELECT DISTINCT d, a, c FROM l LEFT JOIN y ON l.b = y.d) q GROUP BY d, a ORDER BY 1, 2;
SELECT d, count(*) FROM (SELECT d, b FROM l, (SELECT d FROM r GROUP BY d) y WHERE d = 2 GROUP BY d, b) q GROUP BY d LIMIT 3;
SELECT a FROM l WHERE EXISTS (SELECT FROM (SELECT d FROM r GROUP BY d) y WHERE y.d = l.b) ORDER BY 1;
