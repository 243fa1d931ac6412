-- Offsets of window frames.
create table p(id int, boss int, name text, pay numeric(10,2));
insert into p values (1,null,'ann',100.50),(2,1,'bob',80),(3,1,'cyd',80),(4,2,'dan',null),(5,2,'eve',60),(6,99,null,60);
create table o(id int, pid int, amt int);
insert into o values (1,1,10),(2,1,20),(3,2,5),(4,null,7),(5,77,1),(6,3,null),(7,3,20);
SELECT id, sum(id) OVER (ORDER BY id ROWS (1+1) PRECEDING) FROM o ORDER BY id;
SELECT id, sum(id) OVER (ORDER BY id ROWS (SELECT 1) PRECEDING) FROM o ORDER BY id;
SELECT id, sum(id) OVER (ORDER BY id ROWS BETWEEN (SELECT 1) PRECEDING AND (SELECT count(*) FROM p) FOLLOWING) FROM o ORDER BY id;
SELECT id, sum(id) OVER (ORDER BY id ROWS id PRECEDING) FROM o ORDER BY id;
SELECT id, sum(id) OVER (ORDER BY id ROWS 1.4 PRECEDING) FROM o ORDER BY id;
SELECT id, sum(id) OVER (ORDER BY id ROWS '1' PRECEDING) FROM o ORDER BY id;
SELECT id, sum(id) OVER (ORDER BY id ROWS -1 PRECEDING) FROM o ORDER BY id;
SELECT id, sum(id) OVER (ORDER BY id ROWS NULL PRECEDING) FROM o ORDER BY id;
SELECT id, sum(id) OVER (ORDER BY id ROWS BETWEEN 1 FOLLOWING AND -1 FOLLOWING) FROM o ORDER BY id;
SELECT id, sum(id) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND NULL FOLLOWING) FROM o ORDER BY id;
SELECT id, sum(id) OVER (ORDER BY id ROWS count(*) PRECEDING) FROM o ORDER BY id;
SELECT id, sum(id) OVER (ORDER BY amt RANGE BETWEEN (SELECT 5) PRECEDING AND 5 FOLLOWING) FROM o ORDER BY id;
SELECT id, sum(id) OVER (ORDER BY amt GROUPS BETWEEN (SELECT 1) PRECEDING AND 1 FOLLOWING) FROM o ORDER BY id;
SELECT x, array_agg(x) OVER (ORDER BY x RANGE BETWEEN '1 hour'::interval PRECEDING AND '1 hour'::interval FOLLOWING) FROM (VALUES ('01:00'::time), ('02:00'), ('23:30'), (NULL)) AS t(x) ORDER BY x;
SELECT x, array_agg(x) OVER (ORDER BY x RANGE BETWEEN '1 day'::interval PRECEDING AND '1 day'::interval FOLLOWING) FROM (VALUES ('01:00'::time), ('02:00'), ('23:30'), (NULL)) AS t(x) ORDER BY x;
SELECT x, array_agg(x) OVER (ORDER BY x RANGE BETWEEN '6 hours'::interval PRECEDING AND '6 hours'::interval FOLLOWING) FROM (VALUES ('1 day'::interval), ('30 hours'), ('1 month'), (NULL)) AS t(x) ORDER BY x;
SELECT x, array_agg(x) OVER (ORDER BY x RANGE BETWEEN '1 hour'::interval PRECEDING AND '1 hour'::interval FOLLOWING) FROM (VALUES ('01:00+01'::timetz), ('02:00+00'), ('23:30+00'), (NULL)) AS t(x) ORDER BY x;
SELECT x, array_agg(x) OVER (ORDER BY x RANGE BETWEEN 'Infinity' PRECEDING AND 'Infinity' FOLLOWING) FROM (VALUES (1.0::double precision), (1.5), ('Infinity'), ('NaN'), (NULL)) AS t(x) ORDER BY x;
SELECT x, array_agg(x) OVER (ORDER BY x RANGE BETWEEN 1 PRECEDING AND 1 FOLLOWING) FROM (VALUES (1.0::double precision), (1.5), ('Infinity'), ('-Infinity'), ('NaN'), (NULL)) AS t(x) ORDER BY x;
SELECT x, array_agg(x) OVER (ORDER BY x RANGE BETWEEN '1 month' PRECEDING AND '1 month' FOLLOWING) FROM (VALUES ('2020-01-31'::date), ('2020-02-29'), ('2020-03-31'), ('infinity'), (NULL)) AS t(x) ORDER BY x;
SELECT x, array_agg(x) OVER (ORDER BY x RANGE BETWEEN '-1 day' PRECEDING AND '1 month' FOLLOWING) FROM (VALUES ('2020-01-31'::date), ('2020-02-29'), ('2020-03-31'), ('infinity'), (NULL)) AS t(x) ORDER BY x;
SELECT x, array_agg(x) OVER (ORDER BY x RANGE BETWEEN 1 PRECEDING AND 1 FOLLOWING) FROM (VALUES (1::smallint), (2), (4), (NULL)) AS t(x) ORDER BY x;
SELECT x, array_agg(x) OVER (ORDER BY x RANGE BETWEEN 1 PRECEDING AND 1 FOLLOWING) FROM (VALUES (9223372036854775807::bigint), (9223372036854775806), (-9223372036854775808), (NULL)) AS t(x) ORDER BY x;
SELECT x, array_agg(x) OVER (ORDER BY x RANGE BETWEEN 1.5 PRECEDING AND 1 FOLLOWING) FROM (VALUES (1), (2), (4), (NULL)) AS t(x) ORDER BY x;
SELECT x, array_agg(x) OVER (ORDER BY x RANGE BETWEEN 1.5 PRECEDING AND 1 FOLLOWING) FROM (VALUES (1.25), (2), (4), (NULL)) AS t(x) ORDER BY x;
SELECT x, array_agg(x) OVER (ORDER BY x RANGE BETWEEN 1 PRECEDING AND 1 FOLLOWING) FROM (VALUES ('a'), ('b')) AS t(x) ORDER BY x;
SELECT x, array_agg(x) OVER (ORDER BY x RANGE BETWEEN 1 PRECEDING AND 1 FOLLOWING) FROM (VALUES (true)) AS t(x) ORDER BY x;
SELECT x, array_agg(x) OVER (ORDER BY x RANGE x PRECEDING) FROM (VALUES (1), (2), (4), (NULL)) AS t(x) ORDER BY x;
SELECT id, ntile(id) OVER (ORDER BY id) FROM o ORDER BY 1;
SELECT id, nth_value(id,id) OVER (ORDER BY id) FROM o ORDER BY 1;
SELECT id, lag(id,id-1,0) OVER (ORDER BY id) FROM o ORDER BY 1;
SELECT id, lead(id,1,amt) OVER (ORDER BY id) FROM o ORDER BY 1;
SELECT id, ntile((SELECT 2)::int) OVER (ORDER BY id) FROM o ORDER BY 1;

-- Peers of every type.
SELECT count(*) OVER (ORDER BY x), min(n) OVER (ORDER BY x DESC RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) FROM (VALUES ('\x00'::bytea, 1), ('\x01', 2), ('\x00', 3), (NULL, 4)) v(x, n) ORDER BY 1, 2;
SELECT count(*) OVER (ORDER BY x), sum(n) OVER (ORDER BY x) FROM (VALUES (time '12:00', 1), ('13:00', 2), ('12:00', 3), (NULL, 4)) v(x, n) ORDER BY 1, 2;
SELECT count(*) OVER (ORDER BY x), sum(n) OVER (PARTITION BY n > 2 ORDER BY x) FROM (VALUES ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid, 1), (NULL, 2), ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 3)) v(x, n) ORDER BY 1, 2;
SELECT min((SELECT 1)) OVER (ORDER BY y), min((SELECT 2)) OVER (ORDER BY y) FROM (VALUES (1), (2)) v(y);
SELECT min((SELECT 1)), max((SELECT 2)), sum((SELECT 3)) FROM (VALUES (1), (2)) v(y);

-- Keys that are computed: a comparison of what the engine knows no bounds of.
CREATE TABLE keyed (a integer, b integer, s text);
INSERT INTO keyed VALUES (1, 2, 'x'), (2, 3, 'y'), (NULL, 1, ''), (4, NULL, NULL);
SELECT a, lag(a) OVER (PARTITION BY coalesce(s, 'a') <= s ORDER BY b) FROM keyed ORDER BY 1;
SELECT a, lag(a) OVER (PARTITION BY CASE WHEN coalesce(s, s) <= s THEN a ELSE b END ORDER BY b, a), rank() OVER (ORDER BY coalesce(a, 3) > b, a DESC) FROM keyed ORDER BY 1;
SELECT a, sum(a) OVER (ORDER BY abs(a - 2) RANGE BETWEEN 1 PRECEDING AND CURRENT ROW), row_number() OVER (PARTITION BY b % 2 ORDER BY -a, s || 'z'), count(*) OVER w FROM keyed WINDOW w AS (ORDER BY CASE WHEN coalesce(b, a) < 2 THEN 2 ELSE a END IS NULL, a) ORDER BY 1;
SELECT x.a, (SELECT max(n) FROM (SELECT row_number() OVER (PARTITION BY y.b > x.b ORDER BY y.a + x.a, y.b + 1) AS n FROM keyed y) q) FROM keyed x ORDER BY 1;
SELECT b > 1 AS k, rank() OVER (ORDER BY count(*) + 1 DESC, b > 1) FROM keyed GROUP BY b > 1 ORDER BY 1;
SELECT a, grouping(a), rank() OVER (PARTITION BY grouping(a) + 1, CASE WHEN grouping(a) = 0 THEN 1 END ORDER BY sum(b) + 1) FROM keyed GROUP BY ROLLUP (a) ORDER BY 1, 2;
