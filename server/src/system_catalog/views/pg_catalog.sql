-- The views of pg_catalog that are SQL, as PostgreSQL 15 has them. Each uses only those before it.
--
-- What is counted and measured there is not counted here: it is 0, or NULL where it is a time.

-- Roles that may log in, with their passwords.
CREATE VIEW pg_catalog.pg_shadow AS
SELECT
    r.rolname AS usename,
    r.oid AS usesysid,
    r.rolcreatedb AS usecreatedb,
    r.rolsuper AS usesuper,
    r.rolreplication AS userepl,
    r.rolbypassrls AS usebypassrls,
    r.rolpassword AS passwd,
    r.rolvaliduntil AS valuntil,
    s.setconfig AS useconfig
FROM pg_authid AS r
    LEFT JOIN pg_db_role_setting AS s ON s.setrole = r.oid AND s.setdatabase = 0
WHERE r.rolcanlogin;

-- The same without the passwords, for everybody: not over pg_shadow, which superusers alone may read.
CREATE VIEW pg_catalog.pg_user AS
SELECT
    r.rolname AS usename,
    r.oid AS usesysid,
    r.rolcreatedb AS usecreatedb,
    r.rolsuper AS usesuper,
    r.rolreplication AS userepl,
    r.rolbypassrls AS usebypassrls,
    '********'::text AS passwd,
    r.rolvaliduntil AS valuntil,
    r.rolconfig AS useconfig
FROM pg_roles AS r
WHERE r.rolcanlogin;

-- Roles that may not log in, with their members.
CREATE VIEW pg_catalog.pg_group AS
SELECT
    r.rolname AS groname,
    r.oid AS grosysid,
    coalesce(m.members, '{}'::oid[]) AS grolist
FROM pg_roles AS r
    LEFT JOIN (
        SELECT roleid, array_agg(member ORDER BY member) AS members
        FROM pg_auth_members
        GROUP BY roleid
    ) AS m ON m.roleid = r.oid
WHERE NOT r.rolcanlogin;

CREATE VIEW pg_catalog.pg_tables AS
SELECT
    n.nspname AS schemaname,
    c.relname AS tablename,
    pg_get_userbyid(c.relowner) AS tableowner,
    t.spcname AS tablespace,
    c.relhasindex AS hasindexes,
    c.relhasrules AS hasrules,
    c.relhastriggers AS hastriggers,
    c.relrowsecurity AS rowsecurity
FROM pg_class AS c
    LEFT JOIN pg_namespace AS n ON n.oid = c.relnamespace
    LEFT JOIN pg_tablespace AS t ON t.oid = c.reltablespace
WHERE c.relkind IN ('r', 'p');

CREATE VIEW pg_catalog.pg_views AS
SELECT
    n.nspname AS schemaname,
    c.relname AS viewname,
    pg_get_userbyid(c.relowner) AS viewowner,
    pg_get_viewdef(c.oid) AS definition
FROM pg_class AS c
    LEFT JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'v';

CREATE VIEW pg_catalog.pg_matviews AS
SELECT
    n.nspname AS schemaname,
    c.relname AS matviewname,
    pg_get_userbyid(c.relowner) AS matviewowner,
    t.spcname AS tablespace,
    c.relhasindex AS hasindexes,
    c.relispopulated AS ispopulated,
    pg_get_viewdef(c.oid) AS definition
FROM pg_class AS c
    LEFT JOIN pg_namespace AS n ON n.oid = c.relnamespace
    LEFT JOIN pg_tablespace AS t ON t.oid = c.reltablespace
WHERE c.relkind = 'm';

CREATE VIEW pg_catalog.pg_indexes AS
SELECT
    n.nspname AS schemaname,
    c.relname AS tablename,
    i.relname AS indexname,
    t.spcname AS tablespace,
    pg_get_indexdef(i.oid) AS indexdef
FROM pg_index AS x
    JOIN pg_class AS c ON c.oid = x.indrelid
    JOIN pg_class AS i ON i.oid = x.indexrelid
    LEFT JOIN pg_namespace AS n ON n.oid = c.relnamespace
    LEFT JOIN pg_tablespace AS t ON t.oid = i.reltablespace
WHERE c.relkind IN ('r', 'm', 'p') AND i.relkind IN ('i', 'I');

-- The last value is told to those who may read the sequence.
CREATE VIEW pg_catalog.pg_sequences AS
SELECT
    n.nspname AS schemaname,
    c.relname AS sequencename,
    pg_get_userbyid(c.relowner) AS sequenceowner,
    s.seqtypid::regtype AS data_type,
    s.seqstart AS start_value,
    s.seqmin AS min_value,
    s.seqmax AS max_value,
    s.seqincrement AS increment_by,
    s.seqcycle AS cycle,
    s.seqcache AS cache_size,
    CASE WHEN has_sequence_privilege(c.oid, 'SELECT, USAGE') THEN pg_sequence_last_value(c.oid) END AS last_value
FROM pg_class AS c
    JOIN pg_sequence AS s ON s.seqrelid = c.oid
    LEFT JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'S';

-- All but the rules that make a relation a view.
CREATE VIEW pg_catalog.pg_rules AS
SELECT
    n.nspname AS schemaname,
    c.relname AS tablename,
    r.rulename,
    pg_get_ruledef(r.oid) AS definition
FROM pg_rewrite AS r
    JOIN pg_class AS c ON c.oid = r.ev_class
    LEFT JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE r.rulename <> '_RETURN';

-- A policy for everybody has the role 0.
CREATE VIEW pg_catalog.pg_policies AS
WITH roles AS (
    SELECT p.oid, array_agg(r.rolname ORDER BY r.rolname) AS names
    FROM pg_policy AS p
        CROSS JOIN LATERAL unnest(p.polroles) AS u (role)
        JOIN pg_roles AS r ON r.oid = u.role
    GROUP BY p.oid
)
SELECT
    n.nspname AS schemaname,
    c.relname AS tablename,
    p.polname AS policyname,
    CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END AS permissive,
    CASE WHEN 0 = ANY (p.polroles) THEN '{public}'::name[] ELSE coalesce(r.names, '{}'::name[]) END AS roles,
    CASE p.polcmd
        WHEN 'r' THEN 'SELECT'
        WHEN 'a' THEN 'INSERT'
        WHEN 'w' THEN 'UPDATE'
        WHEN 'd' THEN 'DELETE'
        WHEN '*' THEN 'ALL'
    END AS cmd,
    pg_get_expr(p.polqual, p.polrelid) AS qual,
    pg_get_expr(p.polwithcheck, p.polrelid) AS with_check
FROM pg_policy AS p
    JOIN pg_class AS c ON c.oid = p.polrelid
    LEFT JOIN pg_namespace AS n ON n.oid = c.relnamespace
    LEFT JOIN roles AS r ON r.oid = p.oid;

-- Options are told to the user that they are for if he may use the server, of the mapping of PUBLIC to those who
-- have the server owner's role, and to superusers.
CREATE VIEW pg_catalog.pg_user_mappings AS
SELECT
    m.oid AS umid,
    s.oid AS srvid,
    s.srvname,
    m.umuser,
    CASE WHEN m.umuser = 0 THEN 'public'::name ELSE u.rolname END AS usename,
    CASE
        WHEN m.umuser <> 0 AND u.rolname = current_user
                AND (pg_has_role(s.srvowner, 'USAGE') OR has_server_privilege(s.oid, 'USAGE'))
            OR m.umuser = 0 AND pg_has_role(s.srvowner, 'USAGE')
            OR me.rolsuper
            THEN m.umoptions
    END AS umoptions
FROM pg_user_mapping AS m
    JOIN pg_foreign_server AS s ON s.oid = m.umserver
    JOIN pg_roles AS me ON me.rolname = current_user
    LEFT JOIN pg_roles AS u ON u.oid = m.umuser;

-- Rows are those that were there when the table was analyzed. What is read by an index is NULL where there is none.
CREATE VIEW pg_catalog.pg_stat_all_tables AS
SELECT
    c.oid AS relid,
    n.nspname AS schemaname,
    c.relname,
    0::int8 AS seq_scan,
    0::int8 AS seq_tup_read,
    CASE WHEN c.relhasindex THEN 0::int8 END AS idx_scan,
    CASE WHEN c.relhasindex THEN 0::int8 END AS idx_tup_fetch,
    0::int8 AS n_tup_ins,
    0::int8 AS n_tup_upd,
    0::int8 AS n_tup_del,
    0::int8 AS n_tup_hot_upd,
    greatest(c.reltuples, 0)::int8 AS n_live_tup,
    0::int8 AS n_dead_tup,
    0::int8 AS n_mod_since_analyze,
    0::int8 AS n_ins_since_vacuum,
    NULL::timestamptz AS last_vacuum,
    NULL::timestamptz AS last_autovacuum,
    NULL::timestamptz AS last_analyze,
    NULL::timestamptz AS last_autoanalyze,
    0::int8 AS vacuum_count,
    0::int8 AS autovacuum_count,
    0::int8 AS analyze_count,
    0::int8 AS autoanalyze_count
FROM pg_class AS c
    LEFT JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 't', 'm', 'p');

CREATE VIEW pg_catalog.pg_stat_sys_tables AS
SELECT *
FROM pg_catalog.pg_stat_all_tables
WHERE schemaname IN ('pg_catalog', 'information_schema') OR schemaname LIKE 'pg@_toast%' ESCAPE '@';

CREATE VIEW pg_catalog.pg_stat_user_tables AS
SELECT *
FROM pg_catalog.pg_stat_all_tables
WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND schemaname NOT LIKE 'pg@_toast%' ESCAPE '@';

CREATE VIEW pg_catalog.pg_stat_xact_all_tables AS
SELECT
    c.oid AS relid,
    n.nspname AS schemaname,
    c.relname,
    0::int8 AS seq_scan,
    0::int8 AS seq_tup_read,
    CASE WHEN c.relhasindex THEN 0::int8 END AS idx_scan,
    CASE WHEN c.relhasindex THEN 0::int8 END AS idx_tup_fetch,
    0::int8 AS n_tup_ins,
    0::int8 AS n_tup_upd,
    0::int8 AS n_tup_del,
    0::int8 AS n_tup_hot_upd
FROM pg_class AS c
    LEFT JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 't', 'm', 'p');

CREATE VIEW pg_catalog.pg_stat_xact_sys_tables AS
SELECT *
FROM pg_catalog.pg_stat_xact_all_tables
WHERE schemaname IN ('pg_catalog', 'information_schema') OR schemaname LIKE 'pg@_toast%' ESCAPE '@';

CREATE VIEW pg_catalog.pg_stat_xact_user_tables AS
SELECT *
FROM pg_catalog.pg_stat_xact_all_tables
WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND schemaname NOT LIKE 'pg@_toast%' ESCAPE '@';

CREATE VIEW pg_catalog.pg_statio_all_tables AS
SELECT
    c.oid AS relid,
    n.nspname AS schemaname,
    c.relname,
    0::int8 AS heap_blks_read,
    0::int8 AS heap_blks_hit,
    CASE WHEN c.relhasindex THEN 0::int8 END AS idx_blks_read,
    CASE WHEN c.relhasindex THEN 0::int8 END AS idx_blks_hit,
    CASE WHEN c.reltoastrelid <> 0 THEN 0::int8 END AS toast_blks_read,
    CASE WHEN c.reltoastrelid <> 0 THEN 0::int8 END AS toast_blks_hit,
    CASE WHEN c.reltoastrelid <> 0 THEN 0::int8 END AS tidx_blks_read,
    CASE WHEN c.reltoastrelid <> 0 THEN 0::int8 END AS tidx_blks_hit
FROM pg_class AS c
    LEFT JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 't', 'm');

CREATE VIEW pg_catalog.pg_statio_sys_tables AS
SELECT *
FROM pg_catalog.pg_statio_all_tables
WHERE schemaname IN ('pg_catalog', 'information_schema') OR schemaname LIKE 'pg@_toast%' ESCAPE '@';

CREATE VIEW pg_catalog.pg_statio_user_tables AS
SELECT *
FROM pg_catalog.pg_statio_all_tables
WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND schemaname NOT LIKE 'pg@_toast%' ESCAPE '@';

CREATE VIEW pg_catalog.pg_stat_all_indexes AS
SELECT
    c.oid AS relid,
    i.oid AS indexrelid,
    n.nspname AS schemaname,
    c.relname,
    i.relname AS indexrelname,
    0::int8 AS idx_scan,
    0::int8 AS idx_tup_read,
    0::int8 AS idx_tup_fetch
FROM pg_index AS x
    JOIN pg_class AS c ON c.oid = x.indrelid
    JOIN pg_class AS i ON i.oid = x.indexrelid
    LEFT JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 't', 'm');

CREATE VIEW pg_catalog.pg_stat_sys_indexes AS
SELECT *
FROM pg_catalog.pg_stat_all_indexes
WHERE schemaname IN ('pg_catalog', 'information_schema') OR schemaname LIKE 'pg@_toast%' ESCAPE '@';

CREATE VIEW pg_catalog.pg_stat_user_indexes AS
SELECT *
FROM pg_catalog.pg_stat_all_indexes
WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND schemaname NOT LIKE 'pg@_toast%' ESCAPE '@';

CREATE VIEW pg_catalog.pg_statio_all_indexes AS
SELECT
    c.oid AS relid,
    i.oid AS indexrelid,
    n.nspname AS schemaname,
    c.relname,
    i.relname AS indexrelname,
    0::int8 AS idx_blks_read,
    0::int8 AS idx_blks_hit
FROM pg_index AS x
    JOIN pg_class AS c ON c.oid = x.indrelid
    JOIN pg_class AS i ON i.oid = x.indexrelid
    LEFT JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 't', 'm');

CREATE VIEW pg_catalog.pg_statio_sys_indexes AS
SELECT *
FROM pg_catalog.pg_statio_all_indexes
WHERE schemaname IN ('pg_catalog', 'information_schema') OR schemaname LIKE 'pg@_toast%' ESCAPE '@';

CREATE VIEW pg_catalog.pg_statio_user_indexes AS
SELECT *
FROM pg_catalog.pg_statio_all_indexes
WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND schemaname NOT LIKE 'pg@_toast%' ESCAPE '@';

CREATE VIEW pg_catalog.pg_statio_all_sequences AS
SELECT
    c.oid AS relid,
    n.nspname AS schemaname,
    c.relname,
    0::int8 AS blks_read,
    0::int8 AS blks_hit
FROM pg_class AS c
    LEFT JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'S';

CREATE VIEW pg_catalog.pg_statio_sys_sequences AS
SELECT *
FROM pg_catalog.pg_statio_all_sequences
WHERE schemaname IN ('pg_catalog', 'information_schema') OR schemaname LIKE 'pg@_toast%' ESCAPE '@';

CREATE VIEW pg_catalog.pg_statio_user_sequences AS
SELECT *
FROM pg_catalog.pg_statio_all_sequences
WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND schemaname NOT LIKE 'pg@_toast%' ESCAPE '@';

CREATE VIEW pg_catalog.pg_timezone_names AS
SELECT name, abbrev, utc_offset, is_dst
FROM pg_timezone_names();

CREATE VIEW pg_catalog.pg_timezone_abbrevs AS
SELECT abbrev, utc_offset, is_dst
FROM pg_timezone_abbrevs();

CREATE VIEW pg_catalog.pg_available_extensions AS
SELECT
    e.name,
    e.default_version,
    x.extversion AS installed_version,
    e.comment
FROM pg_available_extensions() AS e
    LEFT JOIN pg_extension AS x ON x.extname = e.name;

CREATE VIEW pg_catalog.pg_available_extension_versions AS
SELECT
    e.name,
    e.version,
    x.extname IS NOT NULL AS installed,
    e.superuser,
    e.trusted,
    e.relocatable,
    e.schema,
    e.requires,
    e.comment
FROM pg_available_extension_versions() AS e
    LEFT JOIN pg_extension AS x ON x.extname = e.name AND x.extversion = e.version;
