-- Views that Redshift has beside PostgreSQL's, in pg_catalog, with the columns that its documentation lists, in its
-- order. Text that could be cut there (access rights, defaults, remarks) is as long as it is here. What is not known is
-- NULL.
--
-- How a table is distributed, sorted and encoded is asked of pg_class_info and pg_attribute_info alone. They read it
-- from columns of pg_class and pg_attribute that are, as in Redshift, found by their names only.
--
-- Not here, because nothing is known that they could tell: svv_mv_info and stv_mv_info (no materialized views),
-- svv_relation_privileges, svv_schema_privileges and their kin (no grants).

-- When relations were made is not recorded. A distribution that is left to the system (9) is an even one (11).
CREATE VIEW pg_catalog.pg_class_info AS
SELECT
    oid AS reloid, relname, relnamespace, reltype, reloftype, relowner, relam, relfilenode, reltablespace, relpages,
    reltuples, relallvisible, reltoastrelid, relhasindex, relisshared, relpersistence, relkind, relnatts, relchecks,
    relhasrules, relhastriggers, relhassubclass, relrowsecurity, relforcerowsecurity, relispopulated, relreplident,
    relispartition, relrewrite, relfrozenxid, relminmxid, relacl, reloptions, relpartbound,
    reldiststyle::int2 AS reldiststyle,
    NULL::timestamp AS relcreationtime,
    (CASE reldiststyle WHEN 9 THEN 11 ELSE reldiststyle END)::int4 AS releffectivediststyle
FROM pg_class;

CREATE VIEW pg_catalog.pg_attribute_info AS
SELECT
    attrelid, attname, atttypid, attstattarget, attlen, attnum, attndims, attcacheoff, atttypmod, attbyval, attalign,
    attstorage, attcompression, attnotnull, atthasdef, atthasmissing, attidentity, attgenerated, attisdropped,
    attislocal, attinhcount, attcollation, attacl, attoptions, attfdwoptions,
    attisdistkey::bool AS attisdistkey,
    attsortkeyord::int4 AS attsortkeyord,
    attencodingtype::int2 AS attencodingtype
FROM pg_attribute;

CREATE VIEW pg_catalog.pg_proc_info AS
SELECT
    oid AS prooid, proname, pronamespace, proowner, prolang, prokind = 'a' AS proisagg, procost, prorows, provariadic,
    prosupport, prokind, prosecdef, proleakproof, proisstrict, proretset, provolatile, proparallel, pronargs,
    pronargdefaults, prorettype, proargtypes, proallargtypes, proargmodes, proargnames, proargdefaults, protrftypes,
    prosrc, probin, prosqlbody, proconfig, proacl
FROM pg_proc;

-- Superusers may change the system catalogs in Redshift; nobody may here.
CREATE VIEW pg_catalog.pg_user_info AS
SELECT
    u.usename,
    u.usesysid::int4 AS usesysid,
    u.usecreatedb,
    u.usesuper,
    false AS usecatupd,
    u.passwd,
    u.valuntil,
    u.useconfig,
    CASE r.rolconnlimit WHEN -1 THEN 'UNLIMITED' ELSE r.rolconnlimit::text END AS useconnlimit
FROM pg_catalog.pg_user AS u
    JOIN pg_roles AS r ON r.oid = u.usesysid;

-- The tables that the search path finds.
CREATE VIEW pg_catalog.pg_table_def AS
SELECT
    n.nspname AS schemaname,
    c.relname AS tablename,
    a.attname AS "column",
    format_type(a.atttypid, a.atttypmod) AS type,
    format_encoding(a.attencodingtype::int4)::char(32) AS encoding,
    a.attisdistkey AS distkey,
    a.attsortkeyord AS sortkey,
    a.attnotnull AS "notnull"
FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_attribute_info AS a ON a.attrelid = c.oid
WHERE c.relkind = 'r'
    AND a.attnum > 0
    AND NOT a.attisdropped
    AND pg_table_is_visible(c.oid);

-- External schemas are foreign servers of the same name. They are all of a data catalog (1).
CREATE VIEW pg_catalog.pg_external_schema AS
WITH options AS (
    SELECT s.oid, split_part(o.option, '=', 1) AS name, substr(o.option, strpos(o.option, '=') + 1) AS value
    FROM pg_foreign_server AS s
        CROSS JOIN LATERAL unnest(s.srvoptions) AS o (option)
),
servers AS (
    SELECT
        oid,
        max(value) FILTER (WHERE name = 'database') AS esdbname,
        (jsonb_object_agg(upper(name), value) FILTER (WHERE name <> 'database'))::text AS esoptions
    FROM options
    GROUP BY oid
)
SELECT
    n.oid AS esoid,
    1 AS eskind,
    o.esdbname,
    coalesce(o.esoptions, '{}') AS esoptions
FROM pg_foreign_server AS s
    JOIN pg_namespace AS n ON n.nspname = s.srvname
    LEFT JOIN servers AS o ON o.oid = s.oid;

CREATE VIEW pg_catalog.svv_external_schemas AS
SELECT
    e.esoid,
    e.eskind::int2 AS eskind,
    n.nspname AS schemaname,
    n.nspowner::int4 AS esowner,
    e.esdbname AS databasename,
    e.esoptions
FROM pg_catalog.pg_external_schema AS e
    JOIN pg_namespace AS n ON n.oid = e.esoid
WHERE pg_has_role(n.nspowner, 'USAGE') OR has_schema_privilege(n.oid, 'CREATE, USAGE');

-- Those that external schemas name. Where they are, only the data catalog knew.
CREATE VIEW pg_catalog.svv_external_databases AS
SELECT DISTINCT
    eskind::int4 AS eskind,
    esoptions,
    databasename,
    NULL::text AS location,
    NULL::text AS parameters
FROM pg_catalog.svv_external_schemas
WHERE databasename IS NOT NULL;

-- Options that are not for us to interpret are the table's properties.
CREATE VIEW pg_catalog.svv_external_tables AS
WITH options AS (
    SELECT t.ftrelid, split_part(o.option, '=', 1) AS name, substr(o.option, strpos(o.option, '=') + 1) AS value
    FROM pg_foreign_table AS t
        CROSS JOIN LATERAL unnest(t.ftoptions) AS o (option)
),
files AS (
    SELECT
        ftrelid,
        max(value) FILTER (WHERE name = 'location') AS location,
        max(value) FILTER (WHERE name = 'format') AS format,
        max(value) FILTER (WHERE name = 'serde') AS serialization_lib,
        max(value) FILTER (WHERE name = 'serdeproperties') AS serde_parameters,
        jsonb_object_agg(name, value) FILTER (
            WHERE name NOT IN ('location', 'format', 'serde', 'serdeproperties')) AS parameters
    FROM options
    GROUP BY ftrelid
),
formats (format, input_format, output_format, serialization_lib) AS (
    VALUES
        (
            'parquet',
            'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
            'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat',
            'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe'
        ),
        (
            'avro',
            'org.apache.hadoop.hive.ql.io.avro.AvroContainerInputFormat',
            'org.apache.hadoop.hive.ql.io.avro.AvroContainerOutputFormat',
            'org.apache.hadoop.hive.serde2.avro.AvroSerDe'
        ),
        (
            'textfile',
            'org.apache.hadoop.mapred.TextInputFormat',
            'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat',
            NULL
        )
)
SELECT
    current_database()::text AS redshift_database_name,
    n.nspname::text AS schemaname,
    c.relname::text AS tablename,
    'TABLE'::text AS tabletype,
    o.location,
    f.input_format,
    f.output_format,
    coalesce(o.serialization_lib, f.serialization_lib) AS serialization_lib,
    coalesce(o.serde_parameters, '{}') AS serde_parameters,
    0 AS compressed,
    -- What ANALYZE has counted, unless somebody has said how many rows there are.
    (CASE WHEN c.reltuples >= 0 THEN jsonb_build_object('numRows', c.reltuples::int8::text) ELSE '{}'::jsonb END
        || coalesce(o.parameters, '{}'::jsonb))::text AS parameters
FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    LEFT JOIN files AS o ON o.ftrelid = c.oid
    LEFT JOIN formats AS f ON f.format = o.format
WHERE c.relkind = 'f'
    AND (pg_has_role(c.relowner, 'USAGE')
        OR has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
        OR has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE, REFERENCES'));

-- Types are called as in Hive. A column by which a table is partitioned has the option partition_key: its place among
-- those.
CREATE VIEW pg_catalog.svv_external_columns AS
WITH types AS (
    SELECT
        oid,
        CASE oid
            WHEN 16 THEN 'boolean'
            WHEN 17 THEN 'binary'
            WHEN 20 THEN 'bigint'
            WHEN 21 THEN 'smallint'
            WHEN 23 THEN 'int'
            WHEN 25 THEN 'string'
            WHEN 700 THEN 'float'
            WHEN 701 THEN 'double'
            WHEN 1042 THEN 'char'
            WHEN 1043 THEN 'string'
            WHEN 1082 THEN 'date'
            WHEN 1114 THEN 'timestamp'
            WHEN 1184 THEN 'timestamptz'
            WHEN 1700 THEN 'decimal'
            ELSE format_type(oid, NULL)
        END AS name,
        CASE WHEN typlen = -1 THEN typelem ELSE 0 END AS element
    FROM pg_type
),
keys AS (
    SELECT a.attrelid, a.attnum, split_part(o.option, '=', 2)::int4 AS place
    FROM pg_attribute AS a
        CROSS JOIN LATERAL unnest(a.attfdwoptions) AS o (option)
    WHERE split_part(o.option, '=', 1) = 'partition_key'
)
SELECT
    current_database()::text AS redshift_database_name,
    n.nspname::text AS schemaname,
    c.relname::text AS tablename,
    a.attname::text AS columnname,
    CASE
        WHEN e.name IS NOT NULL THEN 'array<' || e.name || '>'
        WHEN t.oid = 1042 AND a.atttypmod > 4 THEN 'char(' || (a.atttypmod - 4)::text || ')'
        WHEN t.oid = 1043 AND a.atttypmod > 4 THEN 'varchar(' || (a.atttypmod - 4)::text || ')'
        WHEN t.oid = 1700 AND a.atttypmod > 4
            THEN 'decimal(' || (((a.atttypmod - 4) >> 16) & 65535)::text
                || ',' || ((a.atttypmod - 4) & 65535)::text || ')'
        ELSE t.name
    END AS external_type,
    a.attnum::int4 AS columnnum,
    coalesce(k.place, 0) AS part_key,
    CASE WHEN a.attnotnull THEN 'false' ELSE 'true' END AS is_nullable
FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_attribute AS a ON a.attrelid = c.oid
    JOIN types AS t ON t.oid = a.atttypid
    LEFT JOIN types AS e ON e.oid = t.element
    LEFT JOIN keys AS k ON k.attrelid = a.attrelid AND k.attnum = a.attnum
WHERE c.relkind = 'f'
    AND a.attnum > 0
    AND NOT a.attisdropped
    AND (pg_has_role(c.relowner, 'USAGE')
        OR has_column_privilege(c.oid, a.attnum, 'SELECT, INSERT, UPDATE, REFERENCES'));

-- The partitions that are registered; pg_external_partition is a table of ours.
CREATE VIEW pg_catalog.svv_external_partitions AS
SELECT
    t.schemaname, t.tablename,
    p.partvalues AS "values",
    p.partlocation AS location,
    t.input_format, t.output_format, t.serialization_lib, t.serde_parameters, t.compressed,
    '{}'::text AS parameters
FROM pg_catalog.pg_external_partition AS p
    JOIN pg_class AS c ON c.oid = p.partrelid
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_catalog.svv_external_tables AS t ON t.schemaname = n.nspname AND t.tablename = c.relname;

CREATE VIEW pg_catalog.svv_redshift_databases AS
SELECT
    datname::varchar(128) AS database_name,
    datdba::int4 AS database_owner,
    'local'::varchar(32) AS database_type,
    array_to_string(datacl, ',')::varchar AS database_acl,
    NULL::varchar(128) AS database_options,
    'Snapshot Isolation'::varchar(128) AS database_isolation_level
FROM pg_database
WHERE datallowconn;

CREATE VIEW pg_catalog.svv_redshift_schemas AS
SELECT
    current_database()::varchar(128) AS database_name,
    n.nspname::varchar(128) AS schema_name,
    n.nspowner::int4 AS schema_owner,
    'local'::varchar(16) AS schema_type,
    array_to_string(n.nspacl, ',')::varchar AS schema_acl,
    NULL::varchar(128) AS schema_option
FROM pg_namespace AS n
    LEFT JOIN pg_catalog.pg_external_schema AS e ON e.esoid = n.oid
WHERE e.esoid IS NULL
    AND (pg_has_role(n.nspowner, 'USAGE') OR has_schema_privilege(n.oid, 'CREATE, USAGE'));

CREATE VIEW pg_catalog.svv_all_schemas AS
SELECT
    database_name, schema_name, schema_owner, schema_type::varchar(128) AS schema_type, schema_acl,
    NULL::varchar(128) AS source_database, schema_option::varchar AS schema_option
FROM pg_catalog.svv_redshift_schemas
UNION ALL
SELECT
    current_database()::varchar(128), e.schemaname::varchar(128), e.esowner, 'external'::varchar(128),
    array_to_string(n.nspacl, ',')::varchar, e.databasename::varchar(128), e.esoptions::varchar
FROM pg_catalog.svv_external_schemas AS e
    JOIN pg_namespace AS n ON n.oid = e.esoid;

CREATE VIEW pg_catalog.svv_redshift_tables AS
SELECT
    current_database()::varchar(128) AS database_name,
    n.nspname::varchar(128) AS schema_name,
    c.relname::varchar(128) AS table_name,
    (CASE WHEN c.relkind IN ('v', 'm') THEN 'VIEW' ELSE 'TABLE' END)::varchar(128) AS table_type,
    array_to_string(c.relacl, ',')::varchar AS table_acl,
    d.description::varchar AS remarks,
    pg_get_userbyid(c.relowner)::varchar(128) AS table_owner
FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    LEFT JOIN pg_description AS d ON d.objoid = c.oid AND d.classoid = 1259 AND d.objsubid = 0
WHERE c.relkind IN ('r', 'v', 'm', 'p')
    AND (pg_has_role(c.relowner, 'USAGE')
        OR has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
        OR has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE, REFERENCES'));

CREATE VIEW pg_catalog.svv_all_tables AS
SELECT database_name, schema_name, table_name, table_type, table_acl, remarks
FROM pg_catalog.svv_redshift_tables
UNION ALL
SELECT
    e.redshift_database_name::varchar(128), e.schemaname::varchar(128), e.tablename::varchar(128),
    'EXTERNAL TABLE'::varchar(128), array_to_string(c.relacl, ',')::varchar, d.description::varchar
FROM pg_catalog.svv_external_tables AS e
    JOIN pg_namespace AS n ON n.nspname = e.schemaname
    JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = e.tablename
    LEFT JOIN pg_description AS d ON d.objoid = c.oid AND d.classoid = 1259 AND d.objsubid = 0;

CREATE VIEW pg_catalog.svv_tables AS
SELECT
    database_name::text AS table_catalog,
    schema_name::text AS table_schema,
    table_name::text AS table_name,
    CASE table_type WHEN 'TABLE' THEN 'BASE TABLE' ELSE table_type::text END AS table_type,
    remarks::text AS remarks
FROM pg_catalog.svv_all_tables;

-- What drivers know an identity column by is its default.
CREATE VIEW pg_catalog.svv_columns AS
SELECT
    i.table_catalog::text AS table_catalog,
    i.table_schema::text AS table_schema,
    i.table_name::text AS table_name,
    i.column_name::text AS column_name,
    i.ordinal_position::int4 AS ordinal_position,
    CASE
        WHEN i.is_identity = 'YES'
            THEN CASE i.identity_generation WHEN 'ALWAYS' THEN '"identity"' ELSE 'default_identity' END
                || '(' || c.oid::text || ', ' || (i.ordinal_position - 1)::text
                || ', ''' || i.identity_start || ',' || i.identity_increment || '''::text)'
        ELSE i.column_default::text
    END AS column_default,
    i.is_nullable::text AS is_nullable,
    i.data_type::text AS data_type,
    i.character_maximum_length::int4 AS character_maximum_length,
    i.numeric_precision::int4 AS numeric_precision,
    i.numeric_precision_radix::int4 AS numeric_precision_radix,
    i.numeric_scale::int4 AS numeric_scale,
    i.datetime_precision::int4 AS datetime_precision,
    i.interval_type::text AS interval_type,
    i.interval_precision::text AS interval_precision,
    i.character_set_catalog::text AS character_set_catalog,
    i.character_set_schema::text AS character_set_schema,
    i.character_set_name::text AS character_set_name,
    i.collation_catalog::text AS collation_catalog,
    i.collation_schema::text AS collation_schema,
    i.collation_name::text AS collation_name,
    i.domain_name::text AS domain_name,
    d.description AS remarks
FROM information_schema.columns AS i
    JOIN pg_namespace AS n ON n.nspname = i.table_schema
    JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = i.table_name
    LEFT JOIN pg_description AS d ON d.objoid = c.oid AND d.classoid = 1259 AND d.objsubid = i.ordinal_position;

CREATE VIEW pg_catalog.svv_redshift_columns AS
SELECT
    s.table_catalog::varchar(128) AS database_name,
    s.table_schema::varchar(128) AS schema_name,
    s.table_name::varchar(128) AS table_name,
    s.column_name::varchar(128) AS column_name,
    s.ordinal_position,
    format_type(a.atttypid, a.atttypmod)::varchar AS data_type,
    s.column_default::varchar AS column_default,
    s.is_nullable::varchar(3) AS is_nullable,
    format_encoding(a.attencodingtype::int4)::varchar(128) AS encoding,
    a.attisdistkey AS distkey,
    a.attsortkeyord AS sortkey,
    array_to_string(a.attacl, ',')::varchar AS column_acl,
    s.remarks::varchar AS remarks
FROM pg_catalog.svv_columns AS s
    JOIN pg_namespace AS n ON n.nspname = s.table_schema
    JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = s.table_name
    JOIN pg_catalog.pg_attribute_info AS a ON a.attrelid = c.oid AND a.attnum = s.ordinal_position
WHERE c.relkind <> 'f';

CREATE VIEW pg_catalog.svv_all_columns AS
SELECT
    table_catalog::varchar(128) AS database_name,
    table_schema::varchar(128) AS schema_name,
    table_name::varchar(128) AS table_name,
    column_name::varchar(128) AS column_name,
    ordinal_position,
    column_default::varchar AS column_default,
    is_nullable::varchar(3) AS is_nullable,
    data_type::varchar(128) AS data_type,
    character_maximum_length,
    numeric_precision,
    numeric_scale,
    remarks::varchar AS remarks
FROM pg_catalog.svv_columns;

-- Tables that have rows. Sizes are in megabytes; rows are those that were there when the table was analyzed.
CREATE VIEW pg_catalog.svv_table_info AS
WITH facts AS (
    SELECT
        attrelid,
        bool_or(attencodingtype <> 0) AS encoded,
        max(attname::text) FILTER (WHERE attisdistkey) AS distkey,
        max(attname::text) FILTER (WHERE abs(attsortkeyord) = 1) AS sortkey1,
        max(attencodingtype) FILTER (WHERE abs(attsortkeyord) = 1) AS sortkey1_encoding,
        max(abs(attsortkeyord)) AS sortkey_num,
        max(atttypmod - 4) FILTER (WHERE atttypid = 1043 AND atttypmod > 4) AS max_varchar
    FROM pg_catalog.pg_attribute_info
    WHERE attnum > 0 AND NOT attisdropped
    GROUP BY attrelid
),
sizes AS (
    SELECT
        reloid, relname, relnamespace, reldiststyle, reltuples, pg_table_size(reloid) AS bytes,
        (CASE WHEN reltuples >= 0 THEN reltuples::int8 END)::numeric(38) AS rows
    FROM pg_catalog.pg_class_info
    WHERE relkind = 'r'
)
SELECT
    current_database()::text AS database,
    n.nspname::text AS schema,
    t.reloid AS table_id,
    t.relname::text AS "table",
    CASE WHEN c.encoded THEN 'Y' ELSE 'N' END AS encoded,
    CASE t.reldiststyle
        WHEN 0 THEN 'EVEN'
        WHEN 1 THEN 'KEY(' || c.distkey || ')'
        WHEN 8 THEN 'ALL'
        WHEN 9 THEN 'AUTO(EVEN)'
    END AS diststyle,
    c.sortkey1,
    coalesce(c.max_varchar, 0) AS max_varchar,
    format_encoding(c.sortkey1_encoding::int4)::char(32) AS sortkey1_enc,
    coalesce(c.sortkey_num, 0) AS sortkey_num,
    (t.bytes + 1048575) / 1048576 AS size,
    NULL::numeric(10, 4) AS pct_used,
    0::int8 AS empty,
    NULL::numeric(5, 2) AS unsorted,
    (CASE WHEN t.rows IS NULL THEN 100 END)::numeric(5, 2) AS stats_off,
    t.rows AS tbl_rows,
    NULL::numeric(19, 2) AS skew_sortkey1,
    NULL::numeric(19, 2) AS skew_rows,
    t.rows AS estimated_visible_rows,
    NULL::text AS risk_event,
    NULL::numeric(12, 2) AS vacuum_sort_benefit,
    NULL::timestamp AS create_time
FROM sizes AS t
    JOIN pg_namespace AS n ON n.oid = t.relnamespace
    LEFT JOIN facts AS c ON c.attrelid = t.reloid
WHERE t.bytes > 0 AND n.nspname NOT IN ('pg_catalog', 'information_schema');

-- There is one slice. Rows are counted when a table is analyzed.
CREATE VIEW pg_catalog.stv_tbl_perm AS
SELECT
    0 AS slice,
    c.reloid::int4 AS id,
    c.relname::char(72) AS name,
    CASE WHEN c.reltuples >= 0 THEN c.reltuples::int8 WHEN pg_table_size(c.reloid) = 0 THEN 0 END AS rows,
    NULL::int8 AS sorted_rows,
    CASE WHEN c.relpersistence = 't' THEN 1 ELSE 0 END AS temp,
    d.oid::int4 AS db_id,
    NULL::int4 AS insert_pristine,
    NULL::int4 AS delete_pristine,
    NULL::int4 AS backup,
    c.releffectivediststyle AS dist_style,
    ((pg_table_size(c.reloid) + 1048575) / 1048576)::int4 AS block_count
FROM pg_catalog.pg_class_info AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_database AS d ON d.datname = current_database()
WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema');

-- What sessions do, as far as one may know it. Times are in UTC. How long others may be idle is not told.
CREATE VIEW pg_catalog.stv_sessions AS
SELECT
    backend_start AT TIME ZONE 'UTC' AS starttime,
    pid AS process,
    usename::char(50) AS user_name,
    datname::char(50) AS db_name,
    NULL::int4 AS timeout_sec
FROM pg_catalog.pg_stat_activity
WHERE backend_type = 'client backend';

-- The last statement of each session. How long it has run is in microseconds: more of them than an integer holds.
CREATE VIEW pg_catalog.stv_recents AS
SELECT
    usesysid::int4 AS userid,
    (CASE state WHEN 'active' THEN 'Running' ELSE 'Done' END)::char(20) AS status,
    query_start AT TIME ZONE 'UTC' AS starttime,
    (extract(epoch FROM CASE state WHEN 'active' THEN clock_timestamp() ELSE state_change END - query_start)
        * 1000000)::int8 AS duration,
    usename::char(50) AS user_name,
    datname::char(50) AS db_name,
    query::char(600) AS query,
    CASE state WHEN 'active' THEN pid ELSE -1 END AS pid
FROM pg_catalog.pg_stat_activity
WHERE backend_type = 'client backend' AND query_start IS NOT NULL;

CREATE VIEW pg_catalog.stv_inflight AS
SELECT
    user_id::int4 AS userid,
    0 AS slice,
    query_id::int4 AS query,
    ''::char(320) AS label,
    transaction_id AS xid,
    process_id AS pid,
    start_time AT TIME ZONE 'UTC' AS starttime,
    query::char(100) AS text,
    0 AS suspended,
    0 AS insert_pristine,
    0 AS concurrency_scaling_status
FROM thermocline.query_log
WHERE status = 'running';

-- Statements of late, and those that run: thermocline.query_log. Nothing waits in queues, nothing comes from a cache of
-- results, and there is one cluster. Bytes that were sent are not counted. How much of the time was planning is not known.
CREATE VIEW pg_catalog.sys_query_history AS
SELECT
    user_id::int4 AS user_id,
    query_id,
    'default'::char(320) AS query_label,
    transaction_id,
    process_id AS session_id,
    database_name::char(128) AS database_name,
    (CASE
        WHEN command IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE', 'MERGE', 'COPY') THEN command
        WHEN command IN ('CREATE TABLE AS', 'SELECT INTO') THEN 'CTAS'
        WHEN command ~ '^(CREATE|ALTER|DROP|COMMENT|TRUNCATE)' THEN 'DDL'
        ELSE 'UTILITY'
    END)::char(32) AS query_type,
    status::char(10) AS status,
    false AS result_cache_hit,
    start_time AT TIME ZONE 'UTC' AS start_time,
    end_time AT TIME ZONE 'UTC' AS end_time,
    (extract(epoch FROM coalesce(end_time, clock_timestamp()) - start_time) * 1000000)::int8 AS elapsed_time,
    0::int8 AS queue_time,
    (extract(epoch FROM coalesce(end_time, clock_timestamp()) - start_time) * 1000000)::int8 AS execution_time,
    coalesce(error_message, '')::char(512) AS error_message,
    CASE command WHEN 'SELECT' THEN rows ELSE 0 END AS returned_rows,
    NULL::int8 AS returned_bytes,
    query::char(4000) AS query_text,
    version()::char(256) AS redshift_version,
    NULL::char(150) AS usage_limit,
    'primary'::varchar(32) AS compute_type,
    NULL::int8 AS compile_time,
    NULL::int8 AS planning_time,
    NULL::int8 AS lock_wait_time,
    NULL::int4 AS service_class_id,
    NULL::char(64) AS service_class_name,
    NULL::char(20) AS query_priority,
    NULL::char(10) AS short_query_accelerated,
    md5(query)::char(40) AS user_query_hash,
    NULL::char(40) AS generic_query_hash,
    1 AS query_hash_version,
    NULL::int8 AS result_cache_query_id
FROM thermocline.query_log;

-- The whole text, in pieces.
CREATE VIEW pg_catalog.sys_query_text AS
SELECT
    q.user_id::int4 AS user_id,
    q.query_id,
    q.transaction_id,
    q.process_id AS session_id,
    q.start_time AT TIME ZONE 'UTC' AS start_time,
    p.sequence::int4 AS sequence,
    substr(q.query, p.sequence * 4000 + 1, 4000)::char(4000) AS text
FROM thermocline.query_log AS q
    CROSS JOIN LATERAL generate_series(0, greatest(length(q.query) - 1, 0) / 4000) AS p (sequence);

-- One row for each scan of an external table by a statement that has ended. Rows that it has left out are not counted.
CREATE VIEW pg_catalog.sys_external_query_detail AS
SELECT
    q.user_id::int4 AS user_id,
    q.query_id,
    1 AS child_query_sequence,
    q.transaction_id,
    (row_number() OVER (PARTITION BY q.query_id) - 1)::int4 AS segment_id,
    (split_part(s.location, ':', 1))::char(32) AS source_type,
    q.start_time AT TIME ZONE 'UTC' AS start_time,
    q.end_time AT TIME ZONE 'UTC' AS end_time,
    (extract(epoch FROM q.end_time - q.start_time) * 1000000)::int8 AS duration,
    s.partitions AS total_partitions,
    s.partitions_read AS qualified_partitions,
    s.files AS scanned_files,
    NULL::int8 AS returned_rows,
    s.bytes_read AS returned_bytes,
    s.format::char(16) AS file_format,
    s.location::char(256) AS file_location,
    ''::text AS external_query_text,
    NULL::char(4000) AS warning_message,
    (s.schema_name || '.' || s.table_name)::char(136) AS table_name,
    'f'::char(1) AS is_recursive,
    NULL::char(1) AS is_nested,
    NULL::int8 AS s3list_time,
    NULL::int8 AS get_partition_time
FROM thermocline.query_log AS q
    JOIN thermocline.query_log_scans AS s ON s.query_id = q.query_id;

CREATE VIEW pg_catalog.stl_query AS
SELECT
    user_id AS userid,
    query_id::int4 AS query,
    query_label AS label,
    transaction_id AS xid,
    session_id AS pid,
    database_name::char(32) AS database,
    query_text AS querytxt,
    start_time AS starttime,
    end_time AS endtime,
    (status = 'canceled')::int4 AS aborted,
    0 AS insert_pristine,
    0 AS concurrency_scaling_status
FROM pg_catalog.sys_query_history
WHERE end_time IS NOT NULL AND query_type NOT IN ('DDL', 'UTILITY');

CREATE VIEW pg_catalog.stl_querytext AS
SELECT
    q.user_id::int4 AS userid,
    q.transaction_id AS xid,
    q.process_id AS pid,
    q.query_id::int4 AS query,
    p.sequence::int4 AS sequence,
    substr(q.query, p.sequence * 200 + 1, 200)::char(200) AS text
FROM thermocline.query_log AS q
    CROSS JOIN LATERAL generate_series(0, greatest(length(q.query) - 1, 0) / 200) AS p (sequence)
WHERE q.query_id IN (SELECT query FROM pg_catalog.stl_query);

-- The plans of statements that took long enough to be kept (thermocline.plan_min_duration).
CREATE VIEW pg_catalog.sys_query_explain AS
SELECT
    q.user_id::int4 AS user_id,
    q.query_id AS query_id,
    1 AS child_query_sequence,
    p.node_id::int4 AS plan_node_id,
    coalesce(p.parent_id, 0)::int4 AS plan_parent_id,
    (p.node || '  (cost=' || to_char(p.startup_cost, 'FM999999999999990.00') || '..' || to_char(p.total_cost, 'FM999999999999990.00')
        || ' rows=' || to_char(p.rows_expected, 'FM9999999999999999990') || ' width=' || p.width || ')')::char(400) AS plan_node,
    replace(p.details, chr(10), '; ')::char(400) AS plan_info
FROM thermocline.query_log AS q
    JOIN thermocline.query_log_plans AS p ON p.query_id = q.query_id;

CREATE VIEW pg_catalog.stl_explain AS
SELECT
    user_id AS userid,
    query_id::int4 AS query,
    plan_node_id AS nodeid,
    plan_parent_id AS parentid,
    plan_node AS plannode,
    plan_info AS info
FROM pg_catalog.sys_query_explain;

CREATE VIEW pg_catalog.svl_qlog AS
SELECT
    userid,
    query,
    xid,
    pid,
    starttime,
    endtime,
    (extract(epoch FROM endtime - starttime) * 1000000)::int8 AS elapsed,
    aborted,
    label,
    querytxt::char(60) AS substring,
    NULL::int4 AS source_query,
    '0 - Ran on the main cluster'::text AS concurrency_scaling_status_txt,
    0 AS from_sp_call
FROM pg_catalog.stl_query;

-- All statements, in pieces.
CREATE VIEW pg_catalog.svl_statementtext AS
SELECT
    h.user_id AS userid,
    h.transaction_id AS xid,
    h.session_id AS pid,
    rtrim(h.query_label)::varchar(320) AS label,
    h.start_time AS starttime,
    h.end_time AS endtime,
    p.sequence::int4 AS sequence,
    (CASE WHEN h.query_type IN ('DDL', 'UTILITY') THEN rtrim(h.query_type) ELSE 'QUERY' END)::varchar(10) AS type,
    substr(q.query, p.sequence * 200 + 1, 200)::char(200) AS text
FROM thermocline.query_log AS q
    JOIN pg_catalog.sys_query_history AS h ON h.query_id = q.query_id
    CROSS JOIN LATERAL generate_series(0, greatest(length(q.query) - 1, 0) / 200) AS p (sequence)
WHERE h.end_time IS NOT NULL;

CREATE VIEW pg_catalog.stl_ddltext AS
SELECT userid, xid, pid, label::char(320) AS label, starttime, endtime, sequence, text
FROM pg_catalog.svl_statementtext
WHERE type = 'DDL';

CREATE VIEW pg_catalog.stl_utilitytext AS
SELECT userid, xid, pid, label::char(320) AS label, starttime, endtime, sequence, text
FROM pg_catalog.svl_statementtext
WHERE type = 'UTILITY';

-- Scans of external tables by statements that have ended. Files are not split, and a request that is made again counts as
-- another.
CREATE VIEW pg_catalog.svl_s3query_summary AS
SELECT
    q.user_id::int4 AS userid,
    q.query_id::int4 AS query,
    q.transaction_id AS xid,
    q.process_id AS pid,
    (row_number() OVER (PARTITION BY q.query_id) - 1)::int4 AS segment,
    0 AS step,
    q.start_time AT TIME ZONE 'UTC' AS starttime,
    q.end_time AT TIME ZONE 'UTC' AS endtime,
    (extract(epoch FROM q.end_time - q.start_time) * 1000000)::int4 AS elapsed,
    (q.status = 'canceled')::int4 AS aborted,
    (s.schema_name || '.' || s.table_name)::char(136) AS external_table_name,
    s.format::char(16) AS file_format,
    (CASE WHEN s.partitions > 0 THEN 't' ELSE 'f' END)::char(1) AS is_partitioned,
    NULL::char(1) AS is_rrscan,
    NULL::char(1) AS is_nested,
    NULL::int8 AS s3_scanned_rows,
    s.bytes_read AS s3_scanned_bytes,
    NULL::int8 AS s3query_returned_rows,
    NULL::int8 AS s3query_returned_bytes,
    s.files::int4 AS files,
    s.files::int4 AS files_max,
    s.files::int4 AS files_avg,
    s.files AS splits,
    s.files::int4 AS splits_max,
    s.files::int4 AS splits_avg,
    s.bytes AS total_split_size,
    NULL::int8 AS max_split_size,
    s.bytes / nullif(s.files, 0) AS avg_split_size,
    NULL::int4 AS total_retries,
    NULL::int4 AS max_retries,
    NULL::int4 AS max_request_duration,
    NULL::float8 AS avg_request_duration,
    NULL::int4 AS max_request_parallelism,
    NULL::float8 AS avg_request_parallelism,
    NULL::int4 AS total_slowdown_count,
    NULL::int4 AS max_slowdown_count
FROM thermocline.query_log AS q
    JOIN thermocline.query_log_scans AS s ON s.query_id = q.query_id;

-- Rows that COPY could not load, of statements that have ended: thermocline.external_errors. The codes are those of Redshift's
-- load error reference. Where in a value its fault is, is not known, and files are not split.
CREATE VIEW pg_catalog.stl_load_errors AS
SELECT
    q.user_id::int4 AS userid,
    0 AS slice,
    c.oid::int4 AS tbl,
    q.start_time AT TIME ZONE 'UTC' AS starttime,
    q.process_id AS session,
    q.query_id::int4 AS query,
    e.file_name::char(256) AS filename,
    coalesce(e.line_number, 0) AS line_number,
    coalesce(e.column_name, '')::char(127) AS colname,
    coalesce(t.typname::text, '')::char(10) AS type,
    (CASE WHEN t.typname IN ('varchar', 'bpchar') AND a.atttypmod > 4 THEN (a.atttypmod - 4)::text ELSE '' END)::char(10)
        AS col_length,
    0 AS position,
    e.raw_line::char(1024) AS raw_line,
    coalesce(e.raw_value, '')::char(1024) AS raw_field_value,
    CASE e.kind
        WHEN 'more fields' THEN 1202
        WHEN 'fewer fields' THEN 1203
        WHEN 'out of range' THEN 1204
        WHEN 'too long' THEN 1204
        WHEN 'null' THEN 1213
        WHEN 'invalid line' THEN 1216
        WHEN 'invalid character' THEN 1220
        WHEN 'invalid value' THEN CASE
            WHEN t.typname IN ('int2', 'int4', 'int8') THEN 1207
            WHEN t.typname IN ('float4', 'float8') THEN 1208
            WHEN t.typname = 'numeric' THEN 1209
            WHEN t.typname = 'bool' THEN 1210
            WHEN t.typname = 'date' THEN 1205
            WHEN t.typname IN ('timestamp', 'timestamptz') THEN 1206
            ELSE 1200
        END
        ELSE 1200
    END AS err_code,
    e.error_message::char(100) AS err_reason,
    0 AS is_partial,
    0::int8 AS start_offset,
    NULL::int8 AS copy_job_id
FROM thermocline.external_errors AS e
    JOIN thermocline.query_log AS q ON q.query_id = e.query_id
    LEFT JOIN pg_catalog.pg_namespace AS n ON n.nspname = e.schema_name
    LEFT JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = e.table_name
    LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attname = e.column_name
    LEFT JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
WHERE e.is_load AND e.action IN ('fail', 'skip_row', 'skip_file');

-- The value that could not be loaded; those before it in its row are not kept.
CREATE VIEW pg_catalog.stl_loaderror_detail AS
SELECT
    e.userid,
    e.slice,
    e.session,
    e.query,
    e.filename,
    e.line_number,
    (a.attnum - 1)::int4 AS field,
    e.colname::char(1024) AS colname,
    e.raw_field_value AS value,
    (e.err_code = 1213)::int4 AS is_null,
    e.type,
    e.col_length
FROM pg_catalog.stl_load_errors AS e
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = e.tbl::oid AND a.attname = rtrim(e.colname);

CREATE VIEW pg_catalog.sys_load_error_detail AS
SELECT
    e.userid AS user_id,
    e.query::int8 AS query_id,
    q.transaction_id,
    e.session AS session_id,
    q.database_name::char(64) AS database_name,
    e.tbl AS table_id,
    e.starttime AS start_time,
    e.filename AS file_name,
    e.line_number,
    e.colname AS column_name,
    e.type AS column_type,
    e.col_length AS column_length,
    e.position,
    e.err_code AS error_code,
    e.err_reason::char(512) AS error_message
FROM pg_catalog.stl_load_errors AS e
    JOIN thermocline.query_log AS q ON q.query_id = e.query;

-- COPY from files, once it has ended. Which files were left out because they had been loaded before is not in it.
CREATE VIEW pg_catalog.sys_load_history AS
SELECT
    q.user_id::int4 AS user_id,
    q.query_id,
    q.transaction_id,
    q.process_id AS session_id,
    q.database_name,
    CASE q.status WHEN 'success' THEN 'completed' ELSE 'aborted' END AS status,
    s.table_name,
    q.start_time AT TIME ZONE 'UTC' AS start_time,
    q.end_time AT TIME ZONE 'UTC' AS end_time,
    (extract(epoch FROM q.end_time - q.start_time) * 1000000)::int8 AS duration,
    s.location AS data_source,
    CASE s.format WHEN 'text' THEN 'txt' ELSE lower(s.format) END AS file_format,
    CASE q.status WHEN 'success' THEN q.rows ELSE 0 END AS loaded_rows,
    CASE q.status WHEN 'success' THEN s.bytes ELSE 0 END AS loaded_bytes,
    s.files::int4 AS source_file_count,
    s.bytes AS source_file_bytes,
    s.files::int4 AS file_count_scanned,
    s.bytes_read AS file_bytes_scanned,
    (SELECT count(*) FROM thermocline.external_errors AS e
        WHERE e.query_id = q.query_id AND e.action IN ('fail', 'skip_row', 'skip_file')) AS error_count,
    NULL::int8 AS copy_job_id
FROM thermocline.query_log AS q
    JOIN thermocline.query_log_scans AS s ON s.query_id = q.query_id
WHERE s.is_load;

-- Files that COPY has loaded.
CREATE VIEW pg_catalog.stl_load_commits AS
SELECT
    q.user_id::int4 AS userid,
    q.query_id::int4 AS query,
    0 AS slice,
    f.file_name::char(256) AS name,
    f.file_name::char(256) AS filename,
    0 AS byte_offset,
    f.lines::int4 AS lines_scanned,
    (SELECT count(*) FROM thermocline.external_errors AS e
        WHERE e.query_id = q.query_id AND e.file_name = f.file_name AND e.action = 'skip_row')::int4 AS errors,
    q.end_time AT TIME ZONE 'UTC' AS curtime,
    1 AS status,
    (CASE WHEN s.format IN ('CSV', 'text') THEN 'Text' ELSE s.format END)::char(16) AS file_format,
    0 AS is_partial,
    0::int8 AS start_offset,
    NULL::int8 AS copy_job_id
FROM thermocline.query_log AS q
    JOIN thermocline.query_log_scans AS s ON s.query_id = q.query_id
    JOIN thermocline.query_log_files AS f ON f.query_id = q.query_id
WHERE s.is_load AND q.status = 'success';

-- What queries could not read in external tables, and what became of it. A row is known by its line.
CREATE VIEW pg_catalog.svl_spectrum_scan_error AS
SELECT
    q.user_id::int4 AS userid,
    q.query_id::int4 AS query,
    e.file_name::char(128) AS location,
    ('-1:0:' || coalesce(e.line_number::text, ''))::char(128) AS rowid,
    coalesce(e.column_name, '')::char(128) AS colname,
    coalesce(e.raw_value, e.raw_line)::char(128) AS original_value,
    e.replacement::char(128) AS modified_value,
    upper(e.kind)::char(128) AS trigger,
    (CASE
        WHEN e.action = 'replace' AND e.kind = 'too long' THEN 'TRUNCATE'
        ELSE upper(e.action)
    END)::char(128) AS action,
    ''::char(128) AS action_value,
    CASE e.kind WHEN 'too long' THEN 156 WHEN 'out of range' THEN 199 END AS error_code
FROM thermocline.external_errors AS e
    JOIN thermocline.query_log AS q ON q.query_id = e.query_id
WHERE NOT e.is_load;
