-- PREPARE, EXECUTE, DEALLOCATE.
CREATE TABLE t (a int, b text);
INSERT INTO t VALUES (1, 'x'), (2, 'y'), (3, 'z');

-- Parameters have the types that they are used as; values are assigned to them.
PREPARE p1 AS SELECT a, b FROM t WHERE a >= $1 ORDER BY a;
EXECUTE p1(2);
EXECUTE p1('3');
EXECUTE p1(2.6);
EXECUTE p1(1 + 1);
EXECUTE p1(NULL);
EXECUTE p1('x');
EXECUTE p1(true);
EXECUTE p1;
EXECUTE p1(1, 2);
EXECUTE nowhere;
EXECUTE nowhere(1);
PREPARE p1 AS SELECT 1;

-- Types that are declared.
PREPARE p2(bigint, text) AS SELECT $1 + 1 AS n, $2 || '!' AS t;
EXECUTE p2(1, 'a');
EXECUTE p2(1::int2, 5);
EXECUTE p2(1 + 1, 'x' || 'y');
EXECUTE p2(1, (SELECT 1));
EXECUTE p2(1, sum(1));
EXECUTE p2(1, row_number() OVER ());
EXECUTE p2(1, generate_series(1, 2));
EXECUTE p2($1, 'x');
EXECUTE p2(x, 'x');
EXECUTE p2(DEFAULT, 'y');
PREPARE p3(unknown) AS SELECT $1 + 1;
EXECUTE p3(5);
PREPARE p4(int, int, int) AS SELECT $1;
EXECUTE p4(1, 2, 3);
EXECUTE p4(1);
PREPARE p5(nosuch) AS SELECT 1;
PREPARE p5 AS SELECT $2::text;
PREPARE p5 AS SELECT nosuch;
PREPARE p5 AS SELECT $1;
EXECUTE p5('hello');
PREPARE p6(numeric(4,1)) AS SELECT $1;
EXECUTE p6(1.2345);
PREPARE p7(varchar(2)) AS SELECT $1;
EXECUTE p7('abcdef');
PREPARE p8(int[]) AS SELECT $1[1], cardinality($1);
EXECUTE p8('{1,2}');
EXECUTE p8(ARRAY[1, 2, 3]);
PREPARE p9 AS SELECT a FROM t WHERE a = ANY($1) ORDER BY a;
EXECUTE p9('{1,3}');
PREPARE p10 AS SELECT a FROM t ORDER BY a LIMIT $1 OFFSET $2;
EXECUTE p10(1, 1);
PREPARE p11(timestamptz, date) AS SELECT $1 > $2;
EXECUTE p11('2024-01-02 00:00+00', '2024-01-01');
-- A statement without parameters does not look at what it is given.
PREPARE p12 AS SELECT 12;
EXECUTE p12(1, nosuch);

-- What can be prepared.
PREPARE i1 AS INSERT INTO t VALUES ($1, $2) RETURNING *;
EXECUTE i1(10, 'ten');
PREPARE u1 AS UPDATE t SET b = $1 WHERE a = $2 RETURNING a, b;
EXECUTE u1('changed', 10);
PREPARE d1 AS DELETE FROM t WHERE a = $1;
EXECUTE d1(10);
SELECT * FROM t ORDER BY a;
PREPARE v1 AS VALUES ($1::int), (2);
EXECUTE v1(7);
PREPARE w1 AS WITH q AS (SELECT 1 x) SELECT * FROM q WHERE x = $1;
EXECUTE w1(1);
PREPARE t1 AS TABLE t;
EXECUTE t1;
PREPARE b1 AS (SELECT 1);
EXECUTE b1;
PREPARE m1 AS MERGE INTO t USING (SELECT $1::int AS k) AS s ON t.a = s.k WHEN MATCHED THEN UPDATE SET b = 'merged';
EXECUTE m1(1);
SELECT * FROM t ORDER BY a;
PREPARE no AS CREATE TABLE foo (a int);
PREPARE no AS BEGIN;
PREPARE no AS EXPLAIN SELECT 1;
PREPARE no AS SET x = 1;
PREPARE no(int) AS EXECUTE p12;
PREPARE no AS DECLARE c CURSOR FOR SELECT 1;
PREPARE no AS FETCH c;
PREPARE no SELECT 1;
PREPARE no() AS SELECT 1;
PREPARE prepare AS SELECT 'p';
EXECUTE prepare;
PREPARE "P1" AS SELECT 'upper';
EXECUTE "P1";
PREPARE s1 AS SELECT 1 AS x INTO made;
EXECUTE s1;
SELECT * FROM made;

-- Other statements that execute.
CREATE TABLE c1 AS EXECUTE p1(2);
SELECT * FROM c1 ORDER BY a;
CREATE TABLE c2(q, r) AS EXECUTE p1(2);
SELECT * FROM c2 ORDER BY q;
CREATE TABLE c3 AS EXECUTE i1(1, 'a');
CREATE TABLE c4 AS EXECUTE nowhere(1);
CREATE TABLE c5 AS EXECUTE p1;
CREATE TABLE c1 AS EXECUTE p1(2);
EXPLAIN EXECUTE nowhere;
EXPLAIN EXECUTE p1;

-- What there is.
SELECT name, parameter_types, from_sql FROM pg_prepared_statements ORDER BY name;
SELECT statement, pg_typeof(prepare_time), pg_typeof(parameter_types) FROM pg_catalog.pg_prepared_statements WHERE name = 'p12';
PREPARE shown AS SELECT name FROM pg_prepared_statements WHERE name LIKE 'shown%' ORDER BY name;
EXECUTE shown;
PREPARE shown_too AS SELECT 1;
EXECUTE shown;

-- They are the session's, whatever becomes of transactions.
BEGIN;
PREPARE kept AS SELECT 'kept';
ROLLBACK;
EXECUTE kept;
BEGIN;
EXECUTE nowhere;
EXECUTE kept;
ROLLBACK;
EXECUTE kept;
BEGIN READ ONLY;
EXECUTE kept;
EXECUTE d1(1);
ROLLBACK;

-- Plans follow what they read.
INSERT INTO t VALUES (4, 'new');
EXECUTE p1(4);
ALTER TABLE t ADD COLUMN c int;
EXECUTE p1(4);
EXECUTE t1;
DROP TABLE t;
EXECUTE p1(4);
EXECUTE d1(1);

DEALLOCATE p1;
EXECUTE p1(1);
DEALLOCATE PREPARE p2;
DEALLOCATE nowhere;
DEALLOCATE PREPARE prepare;
DEALLOCATE "P1";
DISCARD PLANS;
EXECUTE kept;
DEALLOCATE ALL;
SELECT count(*) FROM pg_prepared_statements;
DEALLOCATE PREPARE ALL;
PREPARE p1 AS SELECT 1;
DISCARD ALL;
EXECUTE p1;
