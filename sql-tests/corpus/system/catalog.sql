-- What the catalog says of what has been made.
CREATE SCHEMA shop;
CREATE TYPE shop.mood AS ENUM ('sad', 'glad');
CREATE DOMAIN shop.amount AS numeric(10,2) NOT NULL DEFAULT 1.5 CHECK (VALUE > 0);
CREATE TYPE shop.address AS (street text, number integer);
CREATE TABLE shop.customer (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name varchar(20) NOT NULL UNIQUE, code character(3), feeling shop.mood, spent shop.amount, home shop.address, tags text[], born date, doubled bigint GENERATED ALWAYS AS (id * 2) STORED);
CREATE TABLE shop.item (customer integer REFERENCES shop.customer (id) ON DELETE CASCADE, line smallint, price numeric(8,3), CONSTRAINT item_key PRIMARY KEY (customer, line), CONSTRAINT priced CHECK (price > 0), UNIQUE NULLS NOT DISTINCT (price, line));
CREATE VIEW shop.cheap AS SELECT customer, price::numeric(6,1) AS about, line + 1 AS next FROM shop.item WHERE price < 10;
CREATE SEQUENCE shop.steps START 5 INCREMENT 3;
COMMENT ON TABLE shop.customer IS 'who buys';
COMMENT ON COLUMN shop.customer.name IS 'in full';
SELECT relname, relkind, relnatts, relchecks, relhasindex, relpersistence, relhasrules FROM pg_class WHERE relnamespace = 'shop'::regnamespace ORDER BY relname;
SELECT attrelid::regclass, attname, format_type(atttypid, atttypmod), attnum, attnotnull, atthasdef, attidentity, attgenerated, attlen, attbyval, attalign, attstorage, attcollation FROM pg_attribute WHERE attrelid IN ('shop.customer'::regclass, 'shop.item'::regclass, 'shop.cheap'::regclass, 'shop.customer_pkey'::regclass) AND attnum > 0 ORDER BY attrelid::regclass::text COLLATE "C", attnum;
SELECT conname, contype, conrelid::regclass, conindid::regclass, confrelid::regclass, confupdtype, confdeltype, confmatchtype, conkey, confkey, convalidated FROM pg_constraint WHERE connamespace = 'shop'::regnamespace ORDER BY conname COLLATE "C";
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'shop'::regnamespace AND contype <> 'c' ORDER BY conname COLLATE "C";
SELECT indexrelid::regclass, indrelid::regclass, indnatts, indisunique, indisprimary, indnullsnotdistinct, indkey, indclass, indoption, indcollation FROM pg_index WHERE indrelid IN ('shop.customer'::regclass, 'shop.item'::regclass) ORDER BY 1::text COLLATE "C", indexrelid::regclass::text COLLATE "C";
SELECT pg_get_indexdef(indexrelid), pg_get_indexdef(indexrelid, 1, false) FROM pg_index WHERE indrelid = 'shop.item'::regclass ORDER BY 1;
SELECT i.relname, a.attname, k.n FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid CROSS JOIN LATERAL unnest(x.indkey) WITH ORDINALITY k(attnum, n) JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.attnum WHERE x.indrelid = 'shop.item'::regclass ORDER BY 1, 3;
SELECT typname, typtype, typcategory, typlen, typbyval, typnotnull, typbasetype::regtype, typtypmod, typinput, typoutput, typreceive, typsend, typalign, typstorage FROM pg_type WHERE typnamespace = 'shop'::regnamespace AND typname IN ('mood', '_mood', 'amount', 'address') ORDER BY typname COLLATE "C";
SELECT enumlabel, enumsortorder FROM pg_enum WHERE enumtypid = 'shop.mood'::regtype ORDER BY enumsortorder;
SELECT seqstart, seqincrement, seqmin, seqmax, seqcache, seqcycle, seqtypid::regtype FROM pg_sequence WHERE seqrelid = 'shop.steps'::regclass;
SELECT objsubid, description FROM pg_description WHERE objoid = 'shop.customer'::regclass ORDER BY objsubid;
SELECT deptype, refobjid::regclass, refobjsubid FROM pg_depend WHERE objid = 'shop.customer_id_seq'::regclass AND refclassid = 'pg_class'::regclass;
SELECT rulename, ev_class::regclass, ev_type, is_instead FROM pg_rewrite WHERE ev_class = 'shop.cheap'::regclass;
SELECT DISTINCT d.refobjid::regclass, d.refobjsubid FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid WHERE r.ev_class = 'shop.cheap'::regclass AND d.refobjid <> r.ev_class AND d.refobjsubid > 0 ORDER BY 2;
-- What is there from the start.
SELECT oid, typname, typtype, typcategory, typarray, typelem, typinput, typdelim FROM pg_type WHERE typname IN ('int4', '_int4', 'text', 'timestamptz', 'numeric', 'jsonb', 'record', 'int2vector') ORDER BY oid;
SELECT 'pg_class'::regclass::oid, 'pg_catalog.pg_type'::regclass, 1259::regclass, 'pg_class'::regclass, 'information_schema.tables'::regclass, to_regclass('nowhere'), 'boolin'::regproc, 'int4pl'::regproc::oid;
SELECT 'length'::regproc;
SELECT 'nowhere'::regproc;
SELECT p.proname, p.pronargs, p.prorettype::regtype, p.proargtypes FROM pg_proc p WHERE p.proname = 'upper' AND p.prorettype = 'text'::regtype;
SELECT oprname, oprleft::regtype, oprright::regtype, oprresult::regtype, oprcode FROM pg_operator WHERE oid = 551;
SELECT amname FROM pg_am WHERE oid = 403;
SELECT pg_get_function_result(oid), pg_get_function_arguments(oid) FROM pg_proc WHERE proname = 'upper' AND prorettype = 'text'::regtype;
SELECT nspname FROM pg_namespace WHERE nspname IN ('pg_catalog', 'information_schema', 'public') ORDER BY 1;
SELECT collname FROM pg_collation WHERE oid IN (100, 950, 951) ORDER BY oid;
SELECT tableoid::regclass, c.tableoid = 'pg_class'::regclass AS same FROM pg_class c WHERE relname = 'pg_type';
SELECT count(*) FROM pg_class c LEFT JOIN pg_description d ON d.objoid = 1 AND d.tableoid = 5 WHERE c.relname = 'pg_type' AND d.tableoid IS NULL;
-- By the SQL standard.
SELECT table_schema, table_name, table_type, is_insertable_into FROM information_schema.tables WHERE table_schema = 'shop' AND table_type = 'BASE TABLE' ORDER BY table_name COLLATE "C";
SELECT column_name, ordinal_position, is_nullable, data_type, character_maximum_length, numeric_precision, numeric_scale, datetime_precision, udt_name, domain_name, is_identity, identity_generation, is_generated FROM information_schema.columns WHERE table_schema = 'shop' AND table_name = 'customer' ORDER BY ordinal_position;
SELECT constraint_name, column_name, ordinal_position, position_in_unique_constraint FROM information_schema.key_column_usage WHERE table_schema = 'shop' ORDER BY 1, 3;
SELECT constraint_name, unique_constraint_name, match_option, update_rule, delete_rule FROM information_schema.referential_constraints WHERE constraint_schema = 'shop';
SELECT constraint_name, constraint_type, table_name, nulls_distinct FROM information_schema.table_constraints WHERE table_schema = 'shop' AND constraint_type <> 'CHECK' ORDER BY 1, 2;
SELECT schema_name FROM information_schema.schemata WHERE schema_name IN ('shop', 'pg_catalog') ORDER BY 1;
SELECT sequence_name, data_type, start_value, increment FROM information_schema.sequences WHERE sequence_schema = 'shop' AND sequence_name = 'steps';
SELECT tablename, hasindexes FROM pg_tables WHERE schemaname = 'shop' ORDER BY 1;
SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'shop' ORDER BY indexname COLLATE "C";
SELECT viewname FROM pg_views WHERE schemaname = 'shop';
-- Functions that say how it was made.
SELECT (information_schema._pg_expandarray(ARRAY[7, 8])).n;
SELECT x, n FROM information_schema._pg_expandarray('5 6'::int2vector);
SELECT '1 2 3'::int2vector, ('1 2 3'::oidvector)[0], array_lower('4 5'::int2vector, 1), '7'::"pg_catalog"."int4", 1.26::pg_catalog.numeric(3,1), 'ab'::pg_catalog."char";
SELECT pg_get_serial_sequence('shop.customer', 'id'), pg_get_viewdef('shop.customer'::regclass), pg_get_expr(NULL, 0);
SELECT pg_relation_size('shop.item', 'wrong');
SELECT pg_table_size(1), pg_tablespace_size(1663) >= 0;
DROP SCHEMA shop CASCADE;

-- Checks of domains are constraints without a table.
CREATE DOMAIN catalog_email AS text CONSTRAINT catalog_at CHECK (VALUE IS NOT NULL) CHECK (length(VALUE) > 3);
SELECT conname, contype, conrelid, contypid::regtype, pg_get_constraintdef(oid) ~ '^CHECK \(' FROM pg_constraint WHERE contypid = 'catalog_email'::regtype ORDER BY 1;
DROP DOMAIN catalog_email;

-- What \d of psql asks of each table.
CREATE TABLE catalog_published (a integer);
CREATE VIEW catalog_unpublished AS SELECT 1 AS a;
SELECT pg_relation_is_publishable('catalog_published'), pg_relation_is_publishable('catalog_unpublished'), pg_relation_is_publishable('pg_class'), pg_relation_is_publishable('information_schema.tables'), pg_relation_is_publishable(0::oid::regclass);
SELECT count(*) FROM pg_publication p JOIN pg_publication_rel pr ON p.oid = pr.prpubid WHERE pr.prrelid = 'catalog_published'::regclass AND pg_relation_is_publishable('catalog_published');
DROP VIEW catalog_unpublished;
DROP TABLE catalog_published;
