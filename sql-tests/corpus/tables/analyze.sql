-- What ANALYZE says, and what it finds out about tables that are small enough to be looked at as a whole.
CREATE TABLE t (a int, b text, c int);
CREATE VIEW v AS SELECT a FROM t;
CREATE SEQUENCE q;
ANALYZE t;
SELECT count(*) FROM pg_stats WHERE schemaname = current_schema;
INSERT INTO t SELECT g % 7, 'text ' || g, CASE WHEN g % 4 > 0 THEN g % 20 END FROM generate_series(1, 60) g;
ANALYZE nosuch;
ANALYZE t (nosuch);
ANALYZE t (a, a);
ANALYZE (nosuch) t;
ANALYZE (verbose 2) t;
ANALYZE t a;
ANALYZE ();
ANALYZE t ();
ANALYZE only t;
ANALYZE analyze;
ANALYZE v;
ANALYZE q;
VACUUM v;
VACUUM t (a);
VACUUM (nosuch) t;
VACUUM ANALYZE FULL t;
VACUUM (ANALYZE) t (nosuch);
VACUUM ANALYZE t (c), nosuch;
SELECT attname FROM pg_stats WHERE schemaname = current_schema AND tablename = 't' ORDER BY attname;
ANALYZE t (b), v;
SELECT attname, inherited, null_frac, avg_width, n_distinct, most_common_vals::text, most_common_freqs, correlation FROM pg_stats WHERE schemaname = current_schema AND tablename = 't' ORDER BY attname;
ANALYZE t;
SELECT attname, inherited, null_frac, avg_width, n_distinct, most_common_vals::text, most_common_freqs, histogram_bounds::text, correlation FROM pg_stats WHERE schemaname = current_schema AND tablename = 't' ORDER BY attname;
ANALYSE (VERBOSE OFF, SKIP_LOCKED) t (a);
VACUUM (FULL, FREEZE, ANALYZE) t;
VACUUM FULL FREEZE ANALYZE t (a);

-- In a transaction.
BEGIN;
CREATE TABLE late (x int);
INSERT INTO late SELECT generate_series(1, 10);
ANALYZE late;
SELECT n_distinct, histogram_bounds::text FROM pg_stats WHERE schemaname = current_schema AND tablename = 'late';
ROLLBACK;
SELECT count(*) FROM pg_stats WHERE schemaname = current_schema AND tablename = 'late';
CREATE TABLE back (x int);
INSERT INTO back VALUES (1), (2), (2);
BEGIN;
ANALYZE back;
SAVEPOINT s;
SELECT most_common_vals::text FROM pg_stats WHERE schemaname = current_schema AND tablename = 'back';
INSERT INTO back VALUES (3), (3);
ANALYZE back;
SELECT most_common_vals::text FROM pg_stats WHERE schemaname = current_schema AND tablename = 'back';
ROLLBACK TO s;
SELECT most_common_vals::text FROM pg_stats WHERE schemaname = current_schema AND tablename = 'back';
ROLLBACK;
SELECT most_common_vals::text FROM pg_stats WHERE schemaname = current_schema AND tablename = 'back';
DROP TABLE back;
BEGIN READ ONLY;
ANALYZE t;
COMMIT;
BEGIN;
VACUUM ANALYZE t;
ROLLBACK;

-- What is known goes with what it is about.
ALTER TABLE t RENAME COLUMN a TO first;
ALTER TABLE t RENAME TO renamed;
SELECT tablename, attname, n_distinct FROM pg_stats WHERE schemaname = current_schema ORDER BY attname;
ALTER TABLE renamed ALTER COLUMN c TYPE bigint;
ALTER TABLE renamed DROP COLUMN b;
SELECT tablename, attname FROM pg_stats WHERE schemaname = current_schema ORDER BY attname;
ALTER TABLE renamed ADD COLUMN b text;
TRUNCATE renamed;
ANALYZE renamed;
SELECT tablename, attname FROM pg_stats WHERE schemaname = current_schema ORDER BY attname;
DROP TABLE renamed CASCADE;
SELECT count(*) FROM pg_stats WHERE schemaname = current_schema;

-- Every type.
CREATE TYPE mood AS ENUM ('low', 'high', 'middle');
CREATE TYPE pair AS (x int, y text);
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE DOMAIN span AS interval;
CREATE TABLE kinds (
  s smallint, i int, b bigint, r real, f double precision, t text, v varchar(10), n name, d date, ts timestamp, tz timestamptz,
  tm time, ttz timetz, iv interval, u uuid, bo boolean, by bytea, j json, jb jsonb, a int[], e mood, p pair, dm positive, sp span,
  o oid
);
INSERT INTO kinds SELECT
  g % 5, g, g * 1000000000::bigint, g / 2.0, g / 3, 'text ' || g % 6, 'v' || g, 'n' || g % 9, date '2024-01-01' + g, timestamp '2024-01-01' + g * interval '1 hour',
  timestamptz '2024-01-01 00:00:00+00' + g * interval '1 minute', time '12:00' + g % 3 * interval '1 minute', timetz '12:00+00' + g % 4 * interval '1 hour',
  CASE WHEN g % 2 = 0 THEN interval '1 month' ELSE interval '30 days' END, lpad(g::text, 32, '0')::uuid, g % 3 = 0, decode(lpad(g::text, 4, '0'), 'hex'),
  '{}', jsonb_build_object('k', g % 8), ARRAY[g % 4, NULL, g % 3], (ARRAY['low', 'high', 'middle'])[1 + g % 3]::mood, ROW(g % 2, 'y')::pair, 1 + g % 10,
  g % 3 * interval '1 day', g
FROM generate_series(1, 48) g;
ANALYZE kinds;
SELECT attname, null_frac, n_distinct, most_common_vals::text, most_common_freqs FROM pg_stats WHERE schemaname = current_schema AND tablename = 'kinds' ORDER BY attname;
SELECT attname, histogram_bounds::text, correlation FROM pg_stats WHERE schemaname = current_schema AND tablename = 'kinds' ORDER BY attname;
SELECT attname, avg_width FROM pg_stats WHERE schemaname = current_schema AND tablename = 'kinds' AND attname IN ('s', 'i', 'b', 'r', 'f', 't', 'v', 'd', 'ts', 'tz', 'tm', 'ttz', 'iv', 'u', 'bo', 'by', 'o') ORDER BY attname;

-- More values than are kept, values that are too wide, NULLs only, and one row.
CREATE TABLE many (id int, common int, wide text, nothing text, no_number int);
INSERT INTO many SELECT g, g / 7, repeat(g::text, 600), NULL, NULL FROM generate_series(1, 2000) g;
INSERT INTO many SELECT NULL, 3, 'narrow', NULL, NULL FROM generate_series(1, 500) g;
ANALYZE many;
SELECT attname, null_frac, n_distinct, most_common_vals::text, most_common_freqs, histogram_bounds::text FROM pg_stats WHERE schemaname = current_schema AND tablename = 'many' AND attname <> 'wide' ORDER BY attname;
SELECT null_frac, n_distinct, most_common_vals::text, most_common_freqs FROM pg_stats WHERE schemaname = current_schema AND tablename = 'many' AND attname = 'wide';
CREATE TABLE one (x int);
INSERT INTO one VALUES (5);
ANALYZE one;
SELECT * FROM pg_stats WHERE false;
SELECT null_frac, n_distinct, most_common_vals::text, most_common_freqs, histogram_bounds::text, correlation, most_common_elems::text FROM pg_catalog.pg_stats WHERE schemaname = current_schema AND tablename = 'one';
CREATE TEMP TABLE mine (x int);
INSERT INTO mine VALUES (1), (1), (2);
ANALYZE mine;
SELECT n_distinct, most_common_vals::text, histogram_bounds::text FROM pg_stats WHERE tablename = 'mine';
