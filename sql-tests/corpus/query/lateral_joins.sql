-- What LATERAL reads can be joined by any condition, and by columns of a name; functions need no LATERAL.
CREATE TABLE parts (a integer, b integer);
INSERT INTO parts VALUES (1, 3), (2, NULL), (NULL, 1), (3, 3);
SELECT a, n FROM parts LEFT JOIN LATERAL (SELECT parts.b AS a, count(*) AS n FROM parts q WHERE q.a <= parts.b) s USING (a) ORDER BY 1, 2;
SELECT a, n FROM parts JOIN LATERAL (SELECT parts.b AS a, count(*) AS n FROM parts q WHERE q.a <= parts.b) s USING (a);
SELECT * FROM parts NATURAL LEFT JOIN LATERAL (SELECT parts.b AS a, 7 AS n WHERE parts.a > 1) s ORDER BY 1, 2, 3;
SELECT * FROM parts NATURAL JOIN LATERAL (SELECT parts.b AS c) s ORDER BY 1, 2, 3;
SELECT * FROM parts CROSS JOIN LATERAL (SELECT q.b AS a FROM parts q WHERE q.a = parts.a) s ORDER BY 1, 2, 3;
SELECT * FROM parts LEFT JOIN generate_series(1, parts.b) g ON g > parts.a ORDER BY 1, 2, 3;
SELECT * FROM parts JOIN generate_series(1, parts.b) g ON g > parts.a ORDER BY 1, 2, 3;
SELECT * FROM parts LEFT JOIN generate_series(1, 3) a USING (a) ORDER BY 1, 2;
SELECT * FROM parts LEFT JOIN unnest(ARRAY[parts.b, 2]) AS u(b) USING (b) ORDER BY 1, 2;
SELECT * FROM parts LEFT JOIN unnest(ARRAY[parts.b, 2]) WITH ORDINALITY AS u(v, n) ON n = 2 AND v > a ORDER BY 1, 2, 3;
SELECT a, g, parts IS NULL FROM parts LEFT JOIN generate_series(1, parts.b) g ON false ORDER BY a;
SELECT count(*) FROM parts p LEFT JOIN LATERAL (SELECT p.a + 1 AS n) s ON EXISTS (SELECT FROM parts q WHERE q.a = s.n AND q.b = p.b);
SELECT * FROM parts LEFT JOIN LATERAL (SELECT parts.a AS n) s USING (a);
