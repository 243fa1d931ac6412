CREATE TABLE p (id int, boss int, name text);
INSERT INTO p VALUES (1, NULL, 'a%b'), (2, 1, 'axb'), (3, NULL, 'A%B');
SELECT id, boss ISNULL, boss NOTNULL, (boss + 1) ISNULL, 'x' ISNULL FROM p WHERE name NOTNULL ORDER BY id;
SELECT id FROM p WHERE boss ISNULL AND id > 0 ORDER BY id;
SELECT name LIKE 'a#%' || 'b' ESCAPE chr(35), name NOT LIKE 'a#%b' ESCAPE '#' || '', name ILIKE 'a#%b' ESCAPE (SELECT '#') FROM p ORDER BY id;
SELECT name LIKE 'a%' ESCAPE NULL, name LIKE 'a' ESCAPE NULL::text FROM p ORDER BY id;
SELECT name SIMILAR TO 'a#%b' ESCAPE chr(35), name NOT SIMILAR TO 'a#%b' ESCAPE substr('x#', 2) FROM p ORDER BY id;
SELECT 'a' LIKE 'b' ESCAPE chr(35) || chr(36);
PREPARE l(text, text) AS SELECT id FROM p WHERE name LIKE $1 ESCAPE $2 ORDER BY id;
EXECUTE l('a#%b', '#');
SELECT;
SELECT WHERE true;
SELECT WHERE false;
SELECT FROM p;
SELECT UNION ALL SELECT;
SELECT count(*) FROM (SELECT FROM p) AS t;
SELECT EXISTS (SELECT), EXISTS (SELECT WHERE false);
SELECT id FROM p WHERE EXISTS (SELECT WHERE p.id = 2);
SELECT row(p.*), row(p.*, 1), row(1, p.*) FROM p ORDER BY id;
SELECT row(q.*) FROM p;
SELECT 1 < 2 < 3;
SELECT 1 = 1 = true;
SELECT 1 <> 2 >= 3;
SELECT (1 = 1) = true, 1 = 1 AND 2 = 2, NOT 1 = 2;
SELECT CASE WHEN 1 = 2 THEN 1 ELSE 2 END = 2, 1 + 1 = 2;
SELECT make_interval(years := 1, days => 2), make_interval(1, months := 2);
SELECT current_timestamp(0) = now()::timestamptz(0), current_time(3) = now()::timetz(3), localtime(1) = now()::time(1), localtimestamp(2) = now()::timestamp(2);
SELECT E'\u00e9\ud83d\ude00', E'\xc3\xa9', E'\303\251', E'\x41\102';
SELECT E'\u12';
SELECT E'\U0000006';
SELECT E'\uD800';
SELECT E'\uDC00';
SELECT E'\uD800\u0041';
SELECT E'\U00110000';
SELECT E'a\u0000';
SELECT E'\xff';
SELECT E'\xe4b';
SELECT E'a\000';
SELECT 'a' 'b';
SELECT 'a'
'b', E'x'
'\n' -- goes on
'y';
SELECT 'a' /* comment
*/ 'b';
SELECT x.n, a FROM (VALUES (1), (-2)) AS x(n), abs(x.n) AS a ORDER BY 1;
SELECT x.n, a.a FROM (VALUES (1), (-2)) AS x(n) LEFT JOIN LATERAL abs(x.n + 1) AS a ON true ORDER BY 1;
SELECT x.n, a, b FROM (VALUES (1), (-2)) AS x(n), abs(x.n) AS a, generate_series(1, a) AS b ORDER BY 1, 3;
SELECT * FROM (VALUES (1)) AS x(n), upper('a') AS u, lower(u) AS l;

-- Words that are taken in some places only.
SELECT 1 AS table, 2 AS select, 3 AS "From", 4 AS order;
SELECT x AS table FROM (VALUES (1)) v(x);
SELECT x AS where, x + 1 AS group FROM ONLY pg_am, (VALUES (1)) v(x) LIMIT 1;
SELECT count(*) > 0 FROM ONLY pg_class;
SELECT 1 OPERATOR(pg_catalog.=) ANY (ARRAY[1, 2]), 3 OPERATOR(pg_catalog.<>) ALL (ARRAY[1, 2]);
SELECT '{1,2}'::integer ARRAY AS a, CAST('{a}' AS text ARRAY[4]) AS b;
SELECT pg_catalog.substring('abc', 'b'), pg_catalog.substring('abc', 2, 1), pg_catalog.overlay('abcd', 'xy', 2);
SELECT ('abc'::name)[0], ('abc'::name)[2];
SELECT '"pg_catalog"."int8"'::regtype, '"int4"'::regtype, 'pg_catalog.int4[]'::regtype, 'trigger'::regtype, 'anyarray'::regtype;
SELECT '"public"."int8"'::regtype;
SELECT DISTINCT ON (x) x, y FROM (VALUES (2, 'b'), (1, 'a'), (2, 'b')) v(x, y);
