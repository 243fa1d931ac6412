-- Statements that come again with other constants, or after something else has changed: they mean what they would mean
-- if they had come for the first time.

SELECT 1;
SELECT 1;
SELECT 1, 'a', NULL, true;
SELECT 1, 'a', NULL, true;
SELECT 'a' AS b;
SELECT 'a' AS b;
SELECT 1.50;
SELECT 1.50;

CREATE TABLE points (id integer PRIMARY KEY, v integer, t text UNIQUE, at timestamptz UNIQUE, big bigint UNIQUE, small smallint UNIQUE);
INSERT INTO points VALUES (1, 10, 'one', '2020-01-01 00:00+00', 100, 1), (2, 20, 'it''s', '2020-06-01 00:00+00', 200, 2), (3, 30, '3', NULL, 300, 3);
SELECT v FROM points WHERE id = 1;
SELECT v FROM points WHERE id = 2;
SELECT v FROM points WHERE id = 02;
SELECT v FROM points WHERE id = 4;
SELECT v FROM points WHERE id = -1;
SELECT v FROM points WHERE id = '3';
SELECT v FROM points WHERE id = '1';
SELECT v FROM points WHERE id = 'x';
SELECT v FROM points WHERE id = ' 2 ';
SELECT v FROM points WHERE id = 99999999999;
SELECT v FROM points WHERE id = 99999999999999999999999999;
SELECT v FROM points WHERE id = 1.0;
SELECT v FROM points WHERE id = 1.5;
SELECT v FROM points WHERE id = NULL;
SELECT v FROM points WHERE t = 'one';
SELECT v FROM points WHERE t = 'it''s';
SELECT v FROM points WHERE t = 'two';
SELECT v FROM points WHERE t = E'it\'s';
SELECT v FROM points WHERE t = 3;
SELECT v FROM points WHERE t = '3';
SELECT v FROM points WHERE big = 100;
SELECT v FROM points WHERE big = 200;
SELECT v FROM points WHERE big = '300';
SELECT v FROM points WHERE small = 1;
SELECT v FROM points WHERE small = 70000;
SELECT v FROM points WHERE small = '2';
SELECT v FROM points WHERE small = '70000';
SELECT v, 7 FROM points WHERE id = 1;
SELECT v, 8 FROM points WHERE id = 1;
SELECT v FROM points WHERE id = 1 LIMIT 0;
SELECT v FROM points WHERE id = 1 LIMIT 1;

-- What constants mean depends on the settings.
SELECT v FROM points WHERE at = '2020-01-01 00:00';
SELECT v FROM points WHERE at = '2020-06-01 00:00';
SET TimeZone = 'Europe/Berlin';
SELECT v FROM points WHERE at = '2020-01-01 00:00';
SELECT v FROM points WHERE at = '2020-01-01 01:00';
SELECT v FROM points WHERE at = '2020-06-01 02:00';
SELECT at FROM points WHERE id = 1;
RESET TimeZone;
SELECT at FROM points WHERE id = 1;
SELECT v FROM points WHERE at = '01/06/2020 00:00+00';
SELECT v FROM points WHERE at = '06/01/2020 00:00+00';
SET DateStyle = 'DMY';
SELECT v FROM points WHERE at = '06/01/2020 00:00+00';
SELECT v FROM points WHERE at = '01/06/2020 00:00+00';
RESET DateStyle;

-- What names mean changes.
SELECT v FROM points WHERE id = 1;
UPDATE points SET v = 11 WHERE id = 1;
SELECT v FROM points WHERE id = 1;
ALTER TABLE points ALTER COLUMN v TYPE text;
SELECT v FROM points WHERE id = 1;
SELECT v FROM points WHERE id = 2;
CREATE SCHEMA other;
CREATE TABLE other.points (id integer PRIMARY KEY, v text);
INSERT INTO other.points VALUES (1, 'other');
SET search_path = other, public;
SELECT v FROM points WHERE id = 1;
SELECT v FROM points WHERE id = 2;
RESET search_path;
SELECT v FROM points WHERE id = 1;
CREATE TEMP TABLE points (id integer PRIMARY KEY, v text);
SELECT v FROM points WHERE id = 1;
INSERT INTO pg_temp.points VALUES (1, 'temporary');
SELECT v FROM points WHERE id = 1;
DROP TABLE pg_temp.points;
SELECT v FROM points WHERE id = 1;
ALTER TABLE points RENAME COLUMN v TO w;
SELECT v FROM points WHERE id = 1;
SELECT w FROM points WHERE id = 1;
SELECT w FROM points WHERE id = 2;
ALTER TABLE points DROP CONSTRAINT points_pkey;
INSERT INTO points (id, w) VALUES (1, 'again');
SELECT w FROM points WHERE id = 1 ORDER BY w;
SELECT w FROM points WHERE id = 2;

-- Transactions.
BEGIN;
DELETE FROM points WHERE id = 2;
SELECT w FROM points WHERE big = 200;
SELECT w FROM points WHERE big = 300;
SELECT w FROM nothing WHERE big = 300;
SELECT w FROM points WHERE big = 300;
SELECT 1;
ROLLBACK;
SELECT w FROM points WHERE big = 200;
SELECT 1;
DROP TABLE points;
SELECT w FROM points WHERE big = 200;
DROP SCHEMA other CASCADE;
