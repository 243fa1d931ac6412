-- Joins: what is matched, what NULL does, which columns there are and in what order.
CREATE TABLE a (id int, k text, v numeric(6,2));
CREATE TABLE b (id int, k text, w date);
CREATE TABLE c (id bigint, z boolean);
INSERT INTO a VALUES (1, 'x', 1.50), (2, 'y', NULL), (3, NULL, 3.25), (NULL, 'x', 0), (5, 'z', -1.10), (2, 'yy', 2.00);
INSERT INTO b VALUES (1, 'x', '2024-01-01'), (2, 'q', '2024-02-29'), (2, 'y', NULL), (4, NULL, '1999-12-31'), (NULL, 'x', '2000-01-01');
INSERT INTO c VALUES (1, true), (2, false), (3, NULL), (NULL, true);
SELECT * FROM a, b WHERE a.id = b.id ORDER BY 1, 2, 3, 4, 5, 6;
SELECT * FROM a JOIN b ON a.id = b.id ORDER BY 1, 2, 3, 4, 5, 6;
SELECT * FROM a JOIN b USING (id) ORDER BY 1, 2, 3, 4, 5;
SELECT * FROM a JOIN b USING (id, k) ORDER BY 1, 2, 3, 4;
SELECT * FROM a NATURAL JOIN b ORDER BY 1, 2, 3, 4;
SELECT * FROM a NATURAL LEFT JOIN b ORDER BY 1, 2, 3, 4;
SELECT * FROM a LEFT JOIN b USING (id) ORDER BY 1, 2, 3, 4, 5;
SELECT * FROM a RIGHT JOIN b USING (id) ORDER BY 1, 2, 3, 4, 5;
SELECT * FROM a FULL JOIN b USING (id) ORDER BY 1, 2, 3, 4, 5;
SELECT id, a.id, b.id FROM a FULL JOIN b USING (id) ORDER BY 1, 2, 3;
SELECT * FROM a FULL JOIN b ON a.id = b.id AND a.k = b.k ORDER BY 1, 2, 3, 4, 5, 6;
SELECT * FROM a FULL JOIN b ON a.id < b.id ORDER BY 1, 2, 3, 4, 5, 6;
SELECT * FROM a LEFT JOIN b ON a.id = b.id WHERE b.id IS NULL ORDER BY 1, 2, 3;
SELECT * FROM a LEFT JOIN b ON a.id = b.id AND b.w > '2024-01-15' ORDER BY 1, 2, 3, 4, 5, 6;
SELECT * FROM a LEFT JOIN b ON false ORDER BY 1, 2, 3;
SELECT * FROM a LEFT JOIN b ON NULL ORDER BY 1, 2, 3;
SELECT count(*) FROM a CROSS JOIN b;
SELECT count(*) FROM a JOIN b ON true;
SELECT a.id, b.id FROM a JOIN b ON a.id > b.id ORDER BY 1, 2;
SELECT a.id, c.id, z FROM a JOIN c ON a.id = c.id ORDER BY 1, 2, 3;
SELECT id, pg_typeof(id) FROM a JOIN c USING (id) ORDER BY 1;
SELECT id, pg_typeof(id) FROM a FULL JOIN c USING (id) ORDER BY 1;
SELECT * FROM a JOIN b USING (id) JOIN c USING (id) ORDER BY 1, 2, 3, 4, 5, 6;
SELECT * FROM (a JOIN b USING (id)) AS j ORDER BY 1, 2, 3, 4, 5;
SELECT j.id, k FROM (a JOIN c USING (id)) AS j(id, k) ORDER BY 1, 2;
SELECT x.id, y.id FROM a x, a y WHERE x.id = y.id + 1 ORDER BY 1, 2;
SELECT a.* FROM a JOIN b ON a.k = b.k ORDER BY 1, 2, 3;
SELECT b.*, a.id FROM a JOIN b ON a.k = b.k ORDER BY 1, 2, 3, 4;
SELECT id FROM a, b;
SELECT a.id FROM a x;
SELECT * FROM a JOIN a ON true;
SELECT * FROM a JOIN b USING (nosuch);
SELECT * FROM a JOIN b USING (v);
SELECT * FROM a JOIN b ON a.id = b.k;
SELECT * FROM a JOIN b ON a.id;
SELECT * FROM a, LATERAL (SELECT b.w FROM b WHERE b.id = a.id) AS l ORDER BY 1, 2, 3, 4;
SELECT * FROM a LEFT JOIN LATERAL (SELECT max(b.w) AS m FROM b WHERE b.id = a.id) AS l ON true ORDER BY 1, 2, 3, 4;
SELECT a.id, g FROM a, generate_series(1, a.id) AS g ORDER BY 1, 2;
SELECT a.id, g FROM a LEFT JOIN generate_series(1, 2) AS g ON g = a.id ORDER BY 1, 2;
SELECT * FROM a, (SELECT b.w FROM b WHERE b.id = a.id) AS l;
SELECT * FROM (VALUES (1, 'one'), (2, 'two')) AS n(id, word) NATURAL JOIN a ORDER BY 1, 2, 3;
SELECT a.k FROM a JOIN b ON a.k = b.k AND a.id IS NOT DISTINCT FROM b.id ORDER BY 1;
SELECT 1 FROM a WHERE id = 1 AND k = 'x' OR v < 0 ORDER BY 1;
SELECT * FROM nosuch;
SELECT * FROM a AS b JOIN b AS a ON a.id = b.id ORDER BY 1, 2, 3, 4, 5, 6;
SELECT a FROM a ORDER BY a.id, a.k;
SELECT (a).id, (a).k FROM a ORDER BY 1, 2;
SELECT a.nosuch FROM a;
SELECT z.id FROM a;
SELECT count(a), count(a.id), count(b.w) FROM a FULL JOIN b ON a.id = b.id;
SELECT b.id, b.k || a.k FROM a RIGHT JOIN b ON a.id = b.id WHERE a.id + 1 IS NULL ORDER BY 1, 2;
SELECT b.id, b.k || a.k FROM a FULL JOIN b ON a.id = b.id WHERE a.id + 1 IS NULL ORDER BY 1, 2;
SELECT b.k, b.k || a.k, b.id + 1 FROM a FULL JOIN b ON a.id = b.id WHERE coalesce(a.id, 2) = 2 ORDER BY 1, 2, 3;
SELECT c.id, c.id + b.id FROM a RIGHT JOIN b ON a.id = b.id RIGHT JOIN c ON c.id = b.id WHERE abs(a.id) + abs(b.id) IS NULL ORDER BY 1, 2;

-- Conditions of inner joins that read several tables on one side, and joins that take NULL for a value beside others.
WITH a(x, y) AS (VALUES (1, 1), (2, 2), (NULL, 3), (7, 4)), b(x, y) AS (VALUES (1, 2), (2, 5), (NULL, 1)), c(x, y) AS (VALUES (1, 5), (2, 2), (NULL, 9))
SELECT count(*) FROM a JOIN (b JOIN c ON true) ON a.x = b.y + c.y;
WITH a(x, y) AS (VALUES (1, 1), (2, 2), (NULL, 3), (7, 4)), b(x, y) AS (VALUES (1, 2), (2, 5), (NULL, 1)), c(x, y) AS (VALUES (1, 5), (2, 2), (NULL, 9))
SELECT a.x, b.x, c.x FROM a JOIN (b JOIN c ON b.x = c.x) ON a.x = coalesce(b.y, c.y) ORDER BY 1, 2, 3;
WITH a(x, y) AS (VALUES (1, 1), (2, 2), (NULL, 3), (7, 4)), b(x, y) AS (VALUES (1, 2), (2, 5), (NULL, 1)), c(x, y) AS (VALUES (1, 5), (2, 2), (NULL, 9))
SELECT a.x, b.x, c.x FROM (b CROSS JOIN c) JOIN a ON b.x + c.x = a.x AND b.y < c.y ORDER BY 1, 2, 3;
WITH a(x, y) AS (VALUES (1, 1), (2, 2), (NULL, 3), (7, 4)), b(x, y) AS (VALUES (1, 2), (2, 5), (NULL, 1)), c(x, y) AS (VALUES (1, 5), (2, 2), (NULL, 9))
SELECT count(*) FROM a, b, c WHERE a.x = b.y + c.y AND b.x = c.x;
WITH a(x, y) AS (VALUES (1, 1), (2, 2), (NULL, 3), (7, 4)), b(x, y) AS (VALUES (1, 2), (2, 5), (NULL, 1)), c(x, y) AS (VALUES (1, 5), (2, 2), (NULL, 9))
SELECT a.x, b.x, c.x FROM (a JOIN b ON a.x IS NOT DISTINCT FROM b.x) JOIN c ON b.x = c.x ORDER BY 1, 2, 3;
WITH a(x, y) AS (VALUES (1, 1), (2, 2), (NULL, 3), (7, 4)), b(x, y) AS (VALUES (1, 2), (2, 5), (NULL, 1)), c(x, y) AS (VALUES (1, 5), (2, 2), (NULL, 9))
SELECT a.x, b.x, c.x FROM (a JOIN b ON a.x IS NOT DISTINCT FROM b.x) JOIN c ON b.y = c.y ORDER BY 1, 2, 3;
WITH a(x, y) AS (VALUES (1, 1), (2, 2), (NULL, 3), (7, 4)), b(x, y) AS (VALUES (1, 2), (2, 5), (NULL, 1)), c(x, y) AS (VALUES (1, 5), (2, 2), (NULL, 9))
SELECT a.x, b.x, c.x FROM (a JOIN b ON a.x = b.x) JOIN c ON b.x IS NOT DISTINCT FROM c.x ORDER BY 1, 2, 3;
WITH a(x, y) AS (VALUES (1, 1), (2, 2), (NULL, 3), (7, 4)), b(x, y) AS (VALUES (1, 2), (2, 5), (NULL, 3)), c(x, y) AS (VALUES (1, 5), (2, 2), (NULL, 9))
SELECT a.x, b.x FROM a JOIN b ON a.x IS NOT DISTINCT FROM b.x WHERE a.y = b.y ORDER BY 1, 2;
WITH a(x, y) AS (VALUES (1, 1), (2, 2), (NULL, 3), (7, NULL)), b(x, y) AS (VALUES (1, 2), (2, 5), (NULL, NULL), (7, NULL))
SELECT a.x, b.x FROM a JOIN b ON a.x IS NOT DISTINCT FROM b.x WHERE a.y = b.y ORDER BY 1, 2;
WITH a(x, y) AS (VALUES (1, 1), (2, 2), (NULL, 3), (7, NULL)), b(x, y) AS (VALUES (1, 2), (2, 5), (NULL, NULL), (7, NULL))
SELECT a.x, b.x FROM a JOIN b ON a.x IS NOT DISTINCT FROM b.x AND a.y = b.y ORDER BY 1, 2;

-- Joins within joins, without parentheses.
SELECT a.x, b.y, c.z FROM (VALUES (1), (2), (3)) a(x) JOIN (VALUES (1), (2)) b(y) JOIN (VALUES (2), (3)) c(z) ON b.y <= c.z ON a.x = b.y ORDER BY 1, 2, 3;
SELECT a.x, b.y, c.z FROM (VALUES (1), (2), (3)) a(x) LEFT JOIN (VALUES (1), (2)) b(y) JOIN (VALUES (2), (3)) c(z) ON b.y = c.z ON a.x = b.y ORDER BY 1, 2, 3;
SELECT a.x, b.y, c.z FROM (VALUES (1), (2), (3)) a(x) LEFT JOIN (VALUES (1), (2)) b(y) CROSS JOIN (VALUES (2), (3)) c(z) ON a.x = b.y + c.z - 2 ORDER BY 1, 2, 3;
SELECT * FROM (VALUES (1), (2)) a(x) LEFT JOIN (VALUES (1, 5), (3, 6)) b(x, y) NATURAL JOIN (VALUES (1, 7)) c(x, z) USING (x) ORDER BY 1;
SELECT count(*) FROM (VALUES (1), (2)) a(x) JOIN (VALUES (1)) b(y) JOIN (VALUES (1)) c(z) LEFT JOIN (VALUES (1)) d(w) ON c.z = d.w ON b.y = c.z ON a.x >= b.y;
SELECT count(*) FROM (VALUES (1), (2)) a(x) NATURAL JOIN (VALUES (1), (2)) b(x) JOIN (VALUES (1)) c(z) ON c.z = a.x;
SELECT count(*) FROM (VALUES (1)) a(x) JOIN (VALUES (1)) b(y) JOIN (VALUES (1)) c(z) ON true;
SELECT count(*) FROM (VALUES (1)) a(x) JOIN (VALUES (1)) b(y);
SELECT count(*) FROM (VALUES (1)) a(x) LEFT JOIN (VALUES (1)) b(y) WHERE true;
