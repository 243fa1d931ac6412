CREATE TABLE t (a int, b text);
CREATE VIEW v AS SELECT a AS x, b FROM t;
CREATE TYPE mood AS ENUM ('sad', 'happy');

COMMENT ON TABLE t IS 'a table';
COMMENT ON COLUMN t.b IS 'a column, it''s called b';
COMMENT ON VIEW v IS 'a view';
COMMENT ON COLUMN v.x IS 'a column of a view';
COMMENT ON TYPE mood IS 'how one feels';
SELECT obj_description('t'::regclass, 'pg_class'), obj_description('v'::regclass, 'pg_class'), obj_description('mood'::regtype::oid, 'pg_type');
SELECT col_description('t'::regclass, 1), col_description('t'::regclass, 2), col_description('v'::regclass, 1), col_description('t'::regclass, 0);
SELECT obj_description('t'::regclass, 'pg_type'), obj_description(0, 'pg_class'), obj_description('t'::regclass, 'no_class');

COMMENT ON TABLE t IS 'another text';
SELECT obj_description('t'::regclass, 'pg_class');
COMMENT ON TABLE t IS NULL;
SELECT obj_description('t'::regclass, 'pg_class');
COMMENT ON VIEW v IS '';
SELECT obj_description('v'::regclass, 'pg_class');

-- A comment goes with what it is about.
ALTER TABLE t RENAME COLUMN b TO c;
SELECT col_description('t'::regclass, 2);
DROP VIEW v;
ALTER TABLE t DROP COLUMN c, ADD COLUMN b text;
SELECT col_description('t'::regclass, 2), col_description('t'::regclass, 3);
COMMENT ON TABLE t IS 'again';
BEGIN;
COMMENT ON TABLE t IS 'taken back';
SELECT obj_description('t'::regclass, 'pg_class');
ROLLBACK;
SELECT obj_description('t'::regclass, 'pg_class');
DROP TABLE t;
CREATE TABLE t (a int);
SELECT obj_description('t'::regclass, 'pg_class');

COMMENT ON TABLE no_table IS 'x';
COMMENT ON COLUMN t.no_column IS 'x';
COMMENT ON COLUMN a IS 'x';
COMMENT ON VIEW t IS 'x';
COMMENT ON TYPE no_type IS 'x';
COMMENT ON SCHEMA no_schema IS 'x';
COMMENT ON CONSTRAINT no_constraint ON t IS 'x';
COMMENT ON TABLE t IS $note$it's so$note$;
SELECT obj_description('t'::regclass);
