CREATE TABLE source (a int, b varchar(10), c numeric(10,2), d timestamp(3), e char(4), f text[], g bigint NOT NULL);
INSERT INTO source VALUES (1, 'one', 1.10, '2024-01-01 00:00:00.1234', 'x', '{a,b}', 10), (2, NULL, 2.20, NULL, 'yz', '{}', 20), (3, 'three', NULL, '2024-03-03', NULL, NULL, 30);

-- The columns keep types and lengths, and nothing else.
CREATE TABLE copied AS SELECT * FROM source;
SELECT * FROM copied ORDER BY a;
INSERT INTO copied (a, g) VALUES (4, NULL);
INSERT INTO copied (b) VALUES ('more than ten');
INSERT INTO copied (e) VALUES ('five5');
SELECT count(*), sum(a), sum(c) FROM copied;

-- Results of expressions.
CREATE TABLE computed AS SELECT a + 1 AS next, c * 2 AS twice, b || '!' AS loud, NULL AS nothing, 'x' AS letter, now() > '2000-01-01' AS modern, ARRAY[a, 2] AS pair, sum(a) OVER (ORDER BY a) AS running, 1.5 AS number, a::numeric / 7 AS part FROM source;
SELECT next, twice, loud, nothing, letter, modern, pair, running, number, round(part, 6) FROM computed ORDER BY next;
SELECT pg_typeof(next), pg_typeof(twice), pg_typeof(loud), pg_typeof(nothing), pg_typeof(letter), pg_typeof(modern), pg_typeof(pair), pg_typeof(running), pg_typeof(number) FROM computed LIMIT 1;
INSERT INTO computed (nothing, letter) VALUES ('text', 'longer text');

-- Names of columns.
CREATE TABLE named (x, y) AS SELECT a, b, c FROM source;
SELECT x, y, c FROM named ORDER BY x;
CREATE TABLE too_many (x, y, z) AS SELECT a, b FROM source;
CREATE TABLE twice_named (x, x) AS SELECT a, b FROM source;
CREATE TABLE twice_found AS SELECT a, b AS a FROM source;
CREATE TABLE unnamed AS SELECT 1, 2;
CREATE TABLE unnamed_one AS SELECT 1;
SELECT "?column?" FROM unnamed_one;

-- WITH NO DATA, IF NOT EXISTS.
CREATE TABLE empty AS SELECT a, b FROM source WITH NO DATA;
SELECT count(*) FROM empty;
SELECT a, b FROM empty;
CREATE TABLE filled AS SELECT a FROM source WITH DATA;
SELECT count(*) FROM filled;
CREATE TABLE empty AS SELECT 1 AS a;
CREATE TABLE IF NOT EXISTS empty AS SELECT 1 AS a;
CREATE TABLE IF NOT EXISTS empty AS SELECT nothing FROM source;
SELECT count(*) FROM empty;

-- Other queries.
CREATE TABLE of_values AS VALUES (1, 'a'), (2, 'b');
SELECT * FROM of_values ORDER BY 1;
CREATE TABLE of_table AS TABLE of_values;
SELECT count(*) FROM of_table;
CREATE TABLE of_with AS WITH w AS (SELECT a FROM source) SELECT a, a * a AS square FROM w ORDER BY a DESC LIMIT 2;
SELECT * FROM of_with ORDER BY a;
CREATE TABLE of_union AS SELECT a FROM source UNION ALL SELECT g FROM source;
SELECT a, pg_typeof(a) FROM of_union ORDER BY a;
CREATE TABLE of_series AS SELECT i, i % 10 AS m FROM generate_series(1, 1000) AS s(i);
SELECT m, count(*), sum(i) FROM of_series GROUP BY m ORDER BY m;
CREATE TABLE in_parentheses AS (SELECT 1 AS a);
SELECT a FROM in_parentheses;

-- SELECT INTO.
SELECT a, b INTO into_table FROM source WHERE a > 1;
SELECT * FROM into_table ORDER BY a;
SELECT a INTO into_table FROM source;
SELECT 1 AS a INTO TABLE into_union UNION ALL SELECT 2;
SELECT * FROM into_union ORDER BY a;

-- Types that no column can have, and errors of the query.
CREATE TABLE of_record AS SELECT ROW(1, 2) AS r;
CREATE TABLE fails AS SELECT 1 / (a - 2) AS q FROM source;
SELECT count(*) FROM fails;
CREATE TABLE missing_schema.t AS SELECT 1 AS a;
CREATE TABLE wrong AS SELECT no_column FROM source;

-- Types of one's own.
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TABLE typed AS SELECT a::positive AS p, 'sad'::mood AS m, ARRAY['happy'::mood] AS ms FROM source;
SELECT * FROM typed ORDER BY p;
INSERT INTO typed (p) VALUES (-1);
DROP DOMAIN positive;

-- In a transaction.
BEGIN;
CREATE TABLE uncommitted AS SELECT a FROM source;
INSERT INTO uncommitted VALUES (100);
SELECT count(*) FROM uncommitted;
ROLLBACK;
SELECT count(*) FROM uncommitted;
BEGIN;
INSERT INTO source (a, g) VALUES (50, 1);
CREATE TABLE sees_own AS SELECT a FROM source;
COMMIT;
SELECT max(a), count(*) FROM sees_own;
