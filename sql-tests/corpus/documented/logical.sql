SELECT a, b, a AND b FROM (VALUES (true), (false), (NULL)) AS x(a), (VALUES (true), (false), (NULL)) AS y(b) ORDER BY 1, 2;
SELECT a, b, a OR b FROM (VALUES (true), (false), (NULL)) AS x(a), (VALUES (true), (false), (NULL)) AS y(b) ORDER BY 1, 2;
SELECT a, NOT a FROM (VALUES (true), (false), (NULL)) AS x(a) ORDER BY 1;
