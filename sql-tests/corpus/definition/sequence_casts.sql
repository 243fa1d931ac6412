-- A default that calls a sequence by name is shown with one cast, however it was written.
CREATE SEQUENCE s;
CREATE TABLE t (a int DEFAULT nextval('s'), b int DEFAULT nextval('s'::regclass), c int DEFAULT nextval('s'::regclass) + 1, d int DEFAULT nextval(('s')::regclass));
SELECT attname, regexp_replace(pg_get_expr(adbin, adrelid), '''[^'']*s''', '''s''') FROM pg_attrdef JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum WHERE adrelid = 't'::regclass AND attname IN ('a', 'b') ORDER BY 1;
INSERT INTO t DEFAULT VALUES RETURNING *;
