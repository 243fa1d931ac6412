CREATE SCHEMA alter_names_other;
CREATE TABLE t (a int, b text, c int);
INSERT INTO t VALUES (1, 'one', 10), (2, 'two', 20);
CREATE VIEW v AS SELECT a, b FROM t;
CREATE VIEW all_of AS SELECT * FROM t;
CREATE VIEW qualified AS SELECT t.a, x.c FROM t JOIN t AS x ON x.a = t.a;
CREATE VIEW over AS SELECT a AS number, upper(b) AS loud FROM v WHERE a > 1;

-- Views know the columns and relations that they were made over.
ALTER TABLE t ADD COLUMN d int DEFAULT 1;
SELECT * FROM all_of ORDER BY a;
ALTER TABLE t RENAME COLUMN b TO label;
SELECT * FROM v ORDER BY a;
SELECT * FROM over;
SELECT label FROM v;
SELECT label FROM t ORDER BY a;
SELECT b FROM t;
ALTER TABLE t RENAME TO u;
SELECT * FROM v ORDER BY a;
SELECT * FROM qualified ORDER BY a;
SELECT * FROM t;
CREATE TABLE t (a int, b text, c int);
SELECT * FROM v ORDER BY a;
ALTER TABLE u SET SCHEMA alter_names_other;
SELECT * FROM over;
SELECT * FROM alter_names_other.u ORDER BY a;
SELECT * FROM u;
ALTER TABLE alter_names_other.u ALTER COLUMN d DROP DEFAULT;
INSERT INTO alter_names_other.u (a, label) VALUES (3, 'three');
SELECT * FROM all_of ORDER BY a;
DROP TABLE t;

-- What a view reads stays.
ALTER TABLE alter_names_other.u DROP COLUMN label;
ALTER TABLE alter_names_other.u ALTER COLUMN label TYPE varchar(10);
ALTER TABLE alter_names_other.u DROP COLUMN d;
ALTER TABLE alter_names_other.u DROP COLUMN label CASCADE;
SELECT * FROM v;
SELECT * FROM over;
SELECT * FROM all_of;
SELECT * FROM qualified ORDER BY a;
SELECT * FROM alter_names_other.u ORDER BY a;

-- Errors.
CREATE TABLE e (a int, b int);
CREATE TABLE f (a int);
ALTER TABLE e RENAME COLUMN a TO b;
ALTER TABLE e RENAME COLUMN no_column TO x;
ALTER TABLE e RENAME a TO x;
SELECT x FROM e;
ALTER TABLE e RENAME TO f;
ALTER TABLE e RENAME TO e;
ALTER TABLE e SET SCHEMA no_schema;
ALTER TABLE e SET SCHEMA alter_names_other;
CREATE TABLE e (a int);
ALTER TABLE e SET SCHEMA alter_names_other;
ALTER TABLE IF EXISTS no_table RENAME TO other;
ALTER TABLE no_table RENAME TO other;
ALTER TABLE f RENAME CONSTRAINT no_constraint TO x;
ALTER TABLE f DROP CONSTRAINT no_constraint;
ALTER TABLE f DROP CONSTRAINT IF EXISTS no_constraint;
ALTER TABLE f VALIDATE CONSTRAINT no_constraint;
ALTER TABLE f OWNER TO CURRENT_USER;

-- Views.
CREATE VIEW w AS SELECT a, a + 1 AS b FROM f;
CREATE VIEW over_w AS SELECT b FROM w;
ALTER VIEW w RENAME TO w2;
SELECT * FROM w2;
ALTER VIEW w2 RENAME COLUMN b TO next;
SELECT next FROM w2;
SELECT b FROM over_w;
ALTER TABLE w2 RENAME COLUMN next TO following;
SELECT following FROM w2;
ALTER VIEW w2 RENAME COLUMN a TO following;
ALTER VIEW w2 SET SCHEMA alter_names_other;
SELECT * FROM alter_names_other.w2;
SELECT * FROM over_w;
ALTER VIEW f RENAME TO g;
ALTER TABLE over_w ADD COLUMN x int;
ALTER TABLE over_w DROP COLUMN b;
ALTER VIEW IF EXISTS no_view RENAME TO x;
DROP VIEW over_w;
DROP SCHEMA alter_names_other CASCADE;
SELECT count(*) FROM v;
