-- The views of information_schema, as PostgreSQL 15 has them. Each uses only those before it.
--
-- Catalogs and types are named by their numbers, which are PostgreSQL's and never change. 1255 is pg_proc, 1259
-- pg_class, 2604 pg_attrdef, 2606 pg_constraint and 2618 pg_rewrite. 20, 21 and 23 are bigint, smallint and integer, 25
-- is text, 700 and 701 are real and double precision, 1042 and 1043 character and character varying, 1082 is date, 1083
-- and 1266 are time, 1114 and 1184 timestamp, 1186 is interval, 1560 and 1562 are bit and bit varying, 1700 is numeric.
-- The modifier of a type counts from 4 where it is a length, and of numeric it has two numbers of 16 bits.

CREATE VIEW information_schema.information_schema_catalog_name AS
SELECT current_database()::name AS catalog_name;

-- Memberships that the user's own roles have.
CREATE VIEW information_schema.applicable_roles AS
WITH memberships AS (
    SELECT member, roleid, admin_option FROM pg_auth_members
    UNION
    SELECT d.datdba, r.oid, false
    FROM pg_database AS d
        JOIN pg_roles AS r ON r.rolname = 'pg_database_owner'
    WHERE d.datname = current_database()
)
SELECT
    member.rolname::name AS grantee,
    role.rolname::name AS role_name,
    (CASE WHEN m.admin_option THEN 'YES' ELSE 'NO' END)::varchar(3) AS is_grantable
FROM memberships AS m
    JOIN pg_roles AS member ON member.oid = m.member
    JOIN pg_roles AS role ON role.oid = m.roleid
WHERE pg_has_role(member.oid, 'USAGE');

CREATE VIEW information_schema.administrable_role_authorizations AS
SELECT grantee, role_name, is_grantable
FROM information_schema.applicable_roles
WHERE is_grantable = 'YES';

CREATE VIEW information_schema.enabled_roles AS
SELECT rolname::name AS role_name
FROM pg_roles
WHERE pg_has_role(oid, 'USAGE');

CREATE VIEW information_schema.schemata AS
SELECT
    current_database()::name AS catalog_name,
    n.nspname::name AS schema_name,
    r.rolname::name AS schema_owner,
    NULL::name AS default_character_set_catalog,
    NULL::name AS default_character_set_schema,
    NULL::name AS default_character_set_name,
    NULL::varchar AS sql_path
FROM pg_namespace AS n
    JOIN pg_roles AS r ON r.oid = n.nspowner
WHERE pg_has_role(n.nspowner, 'USAGE') OR has_schema_privilege(n.oid, 'CREATE, USAGE');

-- No view and no foreign table can be inserted into.
CREATE VIEW information_schema.tables AS
SELECT
    current_database()::name AS table_catalog,
    n.nspname::name AS table_schema,
    c.relname::name AS table_name,
    (CASE
        WHEN c.relkind = 'v' THEN 'VIEW'
        WHEN c.relkind = 'f' THEN 'FOREIGN'
        WHEN c.relpersistence = 't' THEN 'LOCAL TEMPORARY'
        ELSE 'BASE TABLE'
    END)::varchar AS table_type,
    NULL::name AS self_referencing_column_name,
    NULL::varchar AS reference_generation,
    (CASE WHEN t.oid IS NOT NULL THEN current_database() END)::name AS user_defined_type_catalog,
    tn.nspname::name AS user_defined_type_schema,
    t.typname::name AS user_defined_type_name,
    (CASE WHEN c.relkind IN ('r', 'p') THEN 'YES' ELSE 'NO' END)::varchar(3) AS is_insertable_into,
    (CASE WHEN t.oid IS NOT NULL THEN 'YES' ELSE 'NO' END)::varchar(3) AS is_typed,
    NULL::varchar AS commit_action
FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    LEFT JOIN pg_type AS t ON t.oid = c.reloftype
    LEFT JOIN pg_namespace AS tn ON tn.oid = t.typnamespace
WHERE c.relkind IN ('r', 'v', 'f', 'p')
    AND (pg_has_role(c.relowner, 'USAGE')
        OR has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
        OR has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE, REFERENCES'));

CREATE VIEW information_schema.columns AS
WITH types AS (
    -- Each type, and what a domain is made of.
    SELECT
        t.oid AS type_oid, n.nspname AS type_schema, t.typname AS type_name, t.typtype = 'd' AS is_domain,
        t.typowner, t.typnotnull, t.typtypmod, t.typdefault, t.typcollation,
        b.oid AS base_oid, bn.nspname AS base_schema, b.typname AS base_name, b.typowner AS base_owner,
        CASE
            WHEN b.typelem <> 0 AND b.typlen = -1 THEN 'ARRAY'
            WHEN bn.nspname = 'pg_catalog' THEN format_type(b.oid, NULL)
            ELSE 'USER-DEFINED'
        END AS data_type
    FROM (SELECT *, CASE WHEN typtype = 'd' THEN typbasetype ELSE oid END AS base FROM pg_type) AS t
        JOIN pg_namespace AS n ON n.oid = t.typnamespace
        JOIN pg_type AS b ON b.oid = t.base
        JOIN pg_namespace AS bn ON bn.oid = b.typnamespace
),
identities AS (
    -- The sequence of an identity column belongs to the column.
    SELECT
        d.refobjid, d.refobjsubid, s.seqstart, s.seqincrement, s.seqmax, s.seqmin, s.seqcycle
    FROM pg_depend AS d
        JOIN pg_sequence AS s ON s.seqrelid = d.objid
    WHERE d.classid = 1259 AND d.refclassid = 1259 AND d.deptype = 'i' AND d.refobjsubid > 0
),
found AS (
    SELECT
        n.nspname, c.relname, c.relkind, a.attname, a.attnum, a.attcollation, a.attidentity, a.attgenerated,
        a.attnotnull OR t.typnotnull AS is_required,
        CASE WHEN t.is_domain THEN t.typtypmod ELSE a.atttypmod END AS modifier,
        pg_get_expr(d.adbin, d.adrelid) AS expression,
        t.*,
        i.seqstart, i.seqincrement, i.seqmax, i.seqmin, i.seqcycle
    FROM pg_attribute AS a
        JOIN pg_class AS c ON c.oid = a.attrelid
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
        JOIN types AS t ON t.type_oid = a.atttypid
        LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        LEFT JOIN identities AS i ON i.refobjid = a.attrelid AND i.refobjsubid = a.attnum
    WHERE a.attnum > 0
        AND NOT a.attisdropped
        AND c.relkind IN ('r', 'v', 'f', 'p')
        AND (pg_has_role(c.relowner, 'USAGE')
            OR has_column_privilege(c.oid, a.attnum, 'SELECT, INSERT, UPDATE, REFERENCES'))
)
SELECT
    current_database()::name AS table_catalog,
    f.nspname::name AS table_schema,
    f.relname::name AS table_name,
    f.attname::name AS column_name,
    f.attnum::int4 AS ordinal_position,
    (CASE WHEN f.attgenerated = '' THEN f.expression END)::varchar AS column_default,
    (CASE WHEN f.is_required THEN 'NO' ELSE 'YES' END)::varchar(3) AS is_nullable,
    f.data_type::varchar AS data_type,
    CASE
        WHEN f.base_oid IN (1042, 1043) AND f.modifier <> -1 THEN f.modifier - 4
        WHEN f.base_oid IN (1560, 1562) AND f.modifier <> -1 THEN f.modifier
    END AS character_maximum_length,
    CASE
        WHEN f.base_oid = 25 OR f.base_oid IN (1042, 1043) AND f.modifier = -1 THEN 1073741824
        WHEN f.base_oid IN (1042, 1043) THEN (f.modifier - 4) * 4
    END AS character_octet_length,
    CASE f.base_oid
        WHEN 21 THEN 16
        WHEN 23 THEN 32
        WHEN 20 THEN 64
        WHEN 700 THEN 24
        WHEN 701 THEN 53
        WHEN 1700 THEN CASE WHEN f.modifier <> -1 THEN ((f.modifier - 4) >> 16) & 65535 END
    END AS numeric_precision,
    CASE WHEN f.base_oid IN (20, 21, 23, 700, 701) THEN 2 WHEN f.base_oid = 1700 THEN 10 END AS numeric_precision_radix,
    CASE
        WHEN f.base_oid IN (20, 21, 23) THEN 0
        WHEN f.base_oid = 1700 AND f.modifier <> -1 THEN (f.modifier - 4) & 65535
    END AS numeric_scale,
    CASE
        WHEN f.base_oid = 1082 THEN 0
        WHEN f.base_oid IN (1083, 1114, 1184, 1266) THEN CASE WHEN f.modifier < 0 THEN 6 ELSE f.modifier END
        WHEN f.base_oid = 1186 THEN coalesce(nullif(f.modifier & 65535, 65535), 6)
    END AS datetime_precision,
    (CASE
        WHEN f.base_oid = 1186 AND format_type(f.base_oid, f.modifier) LIKE 'interval %'
            THEN upper(substr(format_type(f.base_oid, f.modifier), 10))
    END)::varchar AS interval_type,
    NULL::int4 AS interval_precision,
    NULL::name AS character_set_catalog,
    NULL::name AS character_set_schema,
    NULL::name AS character_set_name,
    (CASE WHEN k.collname IS NOT NULL THEN current_database() END)::name AS collation_catalog,
    k.nspname::name AS collation_schema,
    k.collname::name AS collation_name,
    (CASE WHEN f.is_domain THEN current_database() END)::name AS domain_catalog,
    (CASE WHEN f.is_domain THEN f.type_schema END)::name AS domain_schema,
    (CASE WHEN f.is_domain THEN f.type_name END)::name AS domain_name,
    current_database()::name AS udt_catalog,
    f.base_schema::name AS udt_schema,
    f.base_name::name AS udt_name,
    NULL::name AS scope_catalog,
    NULL::name AS scope_schema,
    NULL::name AS scope_name,
    NULL::int4 AS maximum_cardinality,
    f.attnum::text::name AS dtd_identifier,
    'NO'::varchar(3) AS is_self_referencing,
    (CASE WHEN f.attidentity IN ('a', 'd') THEN 'YES' ELSE 'NO' END)::varchar(3) AS is_identity,
    (CASE f.attidentity WHEN 'a' THEN 'ALWAYS' WHEN 'd' THEN 'BY DEFAULT' END)::varchar AS identity_generation,
    f.seqstart::varchar AS identity_start,
    f.seqincrement::varchar AS identity_increment,
    f.seqmax::varchar AS identity_maximum,
    f.seqmin::varchar AS identity_minimum,
    (CASE WHEN f.seqcycle THEN 'YES' ELSE 'NO' END)::varchar(3) AS identity_cycle,
    (CASE WHEN f.attgenerated = '' THEN 'NEVER' ELSE 'ALWAYS' END)::varchar AS is_generated,
    (CASE WHEN f.attgenerated <> '' THEN f.expression END)::varchar AS generation_expression,
    (CASE WHEN f.relkind IN ('r', 'p') THEN 'YES' ELSE 'NO' END)::varchar(3) AS is_updatable
FROM found AS f
    LEFT JOIN (
        SELECT c.oid, c.collname, n.nspname
        FROM pg_collation AS c
            JOIN pg_namespace AS n ON n.oid = c.collnamespace
        WHERE c.collname <> 'default' OR n.nspname <> 'pg_catalog'
    ) AS k ON k.oid = f.attcollation;

-- No view can be changed through, but for those with triggers.
CREATE VIEW information_schema.views AS
WITH instead AS (
    SELECT
        tgrelid,
        bool_or(tgtype & 81 = 81) AS updates,
        bool_or(tgtype & 73 = 73) AS deletes,
        bool_or(tgtype & 69 = 69) AS inserts
    FROM pg_trigger
    GROUP BY tgrelid
)
SELECT
    current_database()::name AS table_catalog,
    n.nspname::name AS table_schema,
    c.relname::name AS table_name,
    (CASE WHEN pg_has_role(c.relowner, 'USAGE') THEN pg_get_viewdef(c.oid) END)::varchar AS view_definition,
    (CASE
        WHEN 'check_option=cascaded' = ANY (c.reloptions) THEN 'CASCADED'
        WHEN 'check_option=local' = ANY (c.reloptions) THEN 'LOCAL'
        ELSE 'NONE'
    END)::varchar AS check_option,
    'NO'::varchar(3) AS is_updatable,
    'NO'::varchar(3) AS is_insertable_into,
    (CASE WHEN i.updates THEN 'YES' ELSE 'NO' END)::varchar(3) AS is_trigger_updatable,
    (CASE WHEN i.deletes THEN 'YES' ELSE 'NO' END)::varchar(3) AS is_trigger_deletable,
    (CASE WHEN i.inserts THEN 'YES' ELSE 'NO' END)::varchar(3) AS is_trigger_insertable_into
FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    LEFT JOIN instead AS i ON i.tgrelid = c.oid
WHERE c.relkind = 'v'
    AND (pg_has_role(c.relowner, 'USAGE')
        OR has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
        OR has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE, REFERENCES'));

-- NOT NULL counts as a CHECK, whose name is made of numbers.
CREATE VIEW information_schema.table_constraints AS
WITH relations AS (
    SELECT c.oid, c.relname, c.relnamespace, n.nspname
    FROM pg_class AS c
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p')
        AND (pg_has_role(c.relowner, 'USAGE')
            OR has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
            OR has_any_column_privilege(c.oid, 'INSERT, UPDATE, REFERENCES'))
)
SELECT
    current_database()::name AS constraint_catalog,
    n.nspname::name AS constraint_schema,
    k.conname::name AS constraint_name,
    current_database()::name AS table_catalog,
    r.nspname::name AS table_schema,
    r.relname::name AS table_name,
    (CASE k.contype
        WHEN 'c' THEN 'CHECK'
        WHEN 'f' THEN 'FOREIGN KEY'
        WHEN 'p' THEN 'PRIMARY KEY'
        WHEN 'u' THEN 'UNIQUE'
    END)::varchar AS constraint_type,
    (CASE WHEN k.condeferrable THEN 'YES' ELSE 'NO' END)::varchar(3) AS is_deferrable,
    (CASE WHEN k.condeferred THEN 'YES' ELSE 'NO' END)::varchar(3) AS initially_deferred,
    'YES'::varchar(3) AS enforced,
    (CASE WHEN k.contype = 'u' THEN CASE WHEN i.indnullsnotdistinct THEN 'NO' ELSE 'YES' END END)::varchar(3)
        AS nulls_distinct
FROM pg_constraint AS k
    JOIN pg_namespace AS n ON n.oid = k.connamespace
    JOIN relations AS r ON r.oid = k.conrelid
    LEFT JOIN pg_index AS i ON i.indexrelid = k.conindid
WHERE k.contype IN ('c', 'f', 'p', 'u')
UNION ALL
SELECT
    current_database()::name,
    r.nspname::name,
    (r.relnamespace::text || '_' || r.oid::text || '_' || a.attnum::text || '_not_null')::name,
    current_database()::name,
    r.nspname::name,
    r.relname::name,
    'CHECK'::varchar,
    'NO'::varchar(3),
    'NO'::varchar(3),
    'YES'::varchar(3),
    NULL::varchar(3)
FROM pg_attribute AS a
    JOIN relations AS r ON r.oid = a.attrelid
WHERE a.attnotnull AND a.attnum > 0 AND NOT a.attisdropped;

-- The position in the unique constraint is that of the referenced column in its index.
CREATE VIEW information_schema.key_column_usage AS
WITH members AS (
    SELECT k.oid, k.conname, k.connamespace, k.conrelid, k.conindid, m.attnum, m.referenced, m.n
    FROM pg_constraint AS k,
        LATERAL unnest(k.conkey, k.confkey) WITH ORDINALITY AS m (attnum, referenced, n)
    WHERE k.contype IN ('p', 'u', 'f')
),
positions AS (
    SELECT i.indexrelid, p.attnum, p.n
    FROM pg_index AS i,
        LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS p (attnum, n)
    WHERE i.indisunique
)
SELECT
    current_database()::name AS constraint_catalog,
    n.nspname::name AS constraint_schema,
    m.conname::name AS constraint_name,
    current_database()::name AS table_catalog,
    tn.nspname::name AS table_schema,
    c.relname::name AS table_name,
    a.attname::name AS column_name,
    m.n::int4 AS ordinal_position,
    p.n::int4 AS position_in_unique_constraint
FROM members AS m
    JOIN pg_namespace AS n ON n.oid = m.connamespace
    JOIN pg_class AS c ON c.oid = m.conrelid
    JOIN pg_namespace AS tn ON tn.oid = c.relnamespace
    JOIN pg_attribute AS a ON a.attrelid = m.conrelid AND a.attnum = m.attnum
    LEFT JOIN positions AS p ON p.indexrelid = m.conindid AND p.attnum = m.referenced
WHERE c.relkind IN ('r', 'p')
    AND NOT a.attisdropped
    AND (pg_has_role(c.relowner, 'USAGE')
        OR has_column_privilege(c.oid, a.attnum, 'SELECT, INSERT, UPDATE, REFERENCES'));

-- Of a foreign key the columns that it references, of other constraints their own.
CREATE VIEW information_schema.constraint_column_usage AS
WITH members AS (
    SELECT k.conname, k.connamespace, k.conrelid AS relation, m.attnum
    FROM pg_constraint AS k,
        LATERAL unnest(k.conkey) AS m (attnum)
    WHERE k.contype IN ('c', 'p', 'u')
    UNION ALL
    SELECT k.conname, k.connamespace, k.confrelid, m.attnum
    FROM pg_constraint AS k,
        LATERAL unnest(k.confkey) AS m (attnum)
    WHERE k.contype = 'f'
)
SELECT
    current_database()::name AS table_catalog,
    tn.nspname::name AS table_schema,
    c.relname::name AS table_name,
    a.attname::name AS column_name,
    current_database()::name AS constraint_catalog,
    n.nspname::name AS constraint_schema,
    m.conname::name AS constraint_name
FROM members AS m
    JOIN pg_namespace AS n ON n.oid = m.connamespace
    JOIN pg_class AS c ON c.oid = m.relation
    JOIN pg_namespace AS tn ON tn.oid = c.relnamespace
    JOIN pg_attribute AS a ON a.attrelid = m.relation AND a.attnum = m.attnum
WHERE c.relkind IN ('r', 'p')
    AND NOT a.attisdropped
    AND pg_has_role(c.relowner, 'USAGE');

CREATE VIEW information_schema.constraint_table_usage AS
SELECT
    current_database()::name AS table_catalog,
    tn.nspname::name AS table_schema,
    c.relname::name AS table_name,
    current_database()::name AS constraint_catalog,
    n.nspname::name AS constraint_schema,
    k.conname::name AS constraint_name
FROM (
        SELECT conname, connamespace, CASE WHEN contype = 'f' THEN confrelid ELSE conrelid END AS relation
        FROM pg_constraint
        WHERE contype IN ('f', 'p', 'u')
    ) AS k
    JOIN pg_namespace AS n ON n.oid = k.connamespace
    JOIN pg_class AS c ON c.oid = k.relation
    JOIN pg_namespace AS tn ON tn.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND pg_has_role(c.relowner, 'USAGE');

-- A foreign key may reference an index that no constraint made: then it has no unique constraint.
CREATE VIEW information_schema.referential_constraints AS
WITH uniques AS (
    SELECT k.conindid, k.conname, n.nspname
    FROM pg_constraint AS k
        JOIN pg_namespace AS n ON n.oid = k.connamespace
    WHERE k.contype IN ('p', 'u')
)
SELECT
    current_database()::name AS constraint_catalog,
    n.nspname::name AS constraint_schema,
    k.conname::name AS constraint_name,
    (CASE WHEN u.conname IS NOT NULL THEN current_database() END)::name AS unique_constraint_catalog,
    u.nspname::name AS unique_constraint_schema,
    u.conname::name AS unique_constraint_name,
    (CASE k.confmatchtype WHEN 'f' THEN 'FULL' WHEN 'p' THEN 'PARTIAL' WHEN 's' THEN 'NONE' END)::varchar
        AS match_option,
    (CASE k.confupdtype
        WHEN 'a' THEN 'NO ACTION'
        WHEN 'r' THEN 'RESTRICT'
        WHEN 'c' THEN 'CASCADE'
        WHEN 'n' THEN 'SET NULL'
        WHEN 'd' THEN 'SET DEFAULT'
    END)::varchar AS update_rule,
    (CASE k.confdeltype
        WHEN 'a' THEN 'NO ACTION'
        WHEN 'r' THEN 'RESTRICT'
        WHEN 'c' THEN 'CASCADE'
        WHEN 'n' THEN 'SET NULL'
        WHEN 'd' THEN 'SET DEFAULT'
    END)::varchar AS delete_rule
FROM pg_constraint AS k
    JOIN pg_namespace AS n ON n.oid = k.connamespace
    JOIN pg_class AS c ON c.oid = k.conrelid
    LEFT JOIN uniques AS u ON u.conindid = k.conindid
WHERE k.contype = 'f'
    AND (pg_has_role(c.relowner, 'USAGE')
        OR has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
        OR has_any_column_privilege(c.oid, 'INSERT, UPDATE, REFERENCES'));

-- What follows the word CHECK, of tables and domains, and NOT NULL of columns. Partitions have theirs in common.
CREATE VIEW information_schema.check_constraints AS
SELECT
    current_database()::name AS constraint_catalog,
    n.nspname::name AS constraint_schema,
    k.conname::name AS constraint_name,
    substr(pg_get_constraintdef(k.oid), 7)::varchar AS check_clause
FROM pg_constraint AS k
    LEFT JOIN pg_namespace AS n ON n.oid = k.connamespace
    LEFT JOIN pg_class AS c ON c.oid = k.conrelid
    LEFT JOIN pg_type AS t ON t.oid = k.contypid
WHERE k.contype = 'c' AND pg_has_role(coalesce(c.relowner, t.typowner), 'USAGE')
UNION
SELECT
    current_database()::name,
    n.nspname::name,
    (n.oid::text || '_' || c.oid::text || '_' || a.attnum::text || '_not_null')::name,
    (a.attname || ' IS NOT NULL')::varchar
FROM pg_attribute AS a
    JOIN pg_class AS c ON c.oid = a.attrelid
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE a.attnotnull
    AND a.attnum > 0
    AND NOT a.attisdropped
    AND c.relkind IN ('r', 'p')
    AND pg_has_role(c.relowner, 'USAGE');

-- All but those of identity columns.
CREATE VIEW information_schema.sequences AS
SELECT
    current_database()::name AS sequence_catalog,
    n.nspname::name AS sequence_schema,
    c.relname::name AS sequence_name,
    format_type(s.seqtypid, NULL)::varchar AS data_type,
    CASE s.seqtypid WHEN 21 THEN 16 WHEN 23 THEN 32 WHEN 20 THEN 64 END AS numeric_precision,
    2 AS numeric_precision_radix,
    0 AS numeric_scale,
    s.seqstart::varchar AS start_value,
    s.seqmin::varchar AS minimum_value,
    s.seqmax::varchar AS maximum_value,
    s.seqincrement::varchar AS increment,
    (CASE WHEN s.seqcycle THEN 'YES' ELSE 'NO' END)::varchar(3) AS cycle_option
FROM pg_sequence AS s
    JOIN pg_class AS c ON c.oid = s.seqrelid
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'S'
    AND NOT EXISTS (
        SELECT FROM pg_depend AS d WHERE d.classid = 1259 AND d.objid = c.oid AND d.deptype = 'i'
    )
    AND (pg_has_role(c.relowner, 'USAGE') OR has_sequence_privilege(c.oid, 'SELECT, UPDATE, USAGE'));

CREATE VIEW information_schema.domains AS
WITH types AS (
    -- Each type, and what a domain is made of.
    SELECT
        t.oid AS type_oid, n.nspname AS type_schema, t.typname AS type_name, t.typtype = 'd' AS is_domain,
        t.typowner, t.typnotnull, t.typtypmod, t.typdefault, t.typcollation,
        b.oid AS base_oid, bn.nspname AS base_schema, b.typname AS base_name, b.typowner AS base_owner,
        CASE
            WHEN b.typelem <> 0 AND b.typlen = -1 THEN 'ARRAY'
            WHEN bn.nspname = 'pg_catalog' THEN format_type(b.oid, NULL)
            ELSE 'USER-DEFINED'
        END AS data_type
    FROM (SELECT *, CASE WHEN typtype = 'd' THEN typbasetype ELSE oid END AS base FROM pg_type) AS t
        JOIN pg_namespace AS n ON n.oid = t.typnamespace
        JOIN pg_type AS b ON b.oid = t.base
        JOIN pg_namespace AS bn ON bn.oid = b.typnamespace
)
SELECT
    current_database()::name AS domain_catalog,
    f.type_schema::name AS domain_schema,
    f.type_name::name AS domain_name,
    (CASE WHEN f.base_schema = 'pg_catalog' THEN format_type(f.base_oid, NULL) ELSE 'USER-DEFINED' END)::varchar
        AS data_type,
    CASE
        WHEN f.base_oid IN (1042, 1043) AND f.typtypmod <> -1 THEN f.typtypmod - 4
        WHEN f.base_oid IN (1560, 1562) AND f.typtypmod <> -1 THEN f.typtypmod
    END AS character_maximum_length,
    CASE
        WHEN f.base_oid = 25 OR f.base_oid IN (1042, 1043) AND f.typtypmod = -1 THEN 1073741824
        WHEN f.base_oid IN (1042, 1043) THEN (f.typtypmod - 4) * 4
    END AS character_octet_length,
    NULL::name AS character_set_catalog,
    NULL::name AS character_set_schema,
    NULL::name AS character_set_name,
    (CASE WHEN k.collname IS NOT NULL THEN current_database() END)::name AS collation_catalog,
    k.nspname::name AS collation_schema,
    k.collname::name AS collation_name,
    CASE f.base_oid
        WHEN 21 THEN 16
        WHEN 23 THEN 32
        WHEN 20 THEN 64
        WHEN 700 THEN 24
        WHEN 701 THEN 53
        WHEN 1700 THEN CASE WHEN f.typtypmod <> -1 THEN ((f.typtypmod - 4) >> 16) & 65535 END
    END AS numeric_precision,
    CASE WHEN f.base_oid IN (20, 21, 23, 700, 701) THEN 2 WHEN f.base_oid = 1700 THEN 10 END AS numeric_precision_radix,
    CASE
        WHEN f.base_oid IN (20, 21, 23) THEN 0
        WHEN f.base_oid = 1700 AND f.typtypmod <> -1 THEN (f.typtypmod - 4) & 65535
    END AS numeric_scale,
    CASE
        WHEN f.base_oid = 1082 THEN 0
        WHEN f.base_oid IN (1083, 1114, 1184, 1266) THEN CASE WHEN f.typtypmod < 0 THEN 6 ELSE f.typtypmod END
        WHEN f.base_oid = 1186 THEN coalesce(nullif(f.typtypmod & 65535, 65535), 6)
    END AS datetime_precision,
    (CASE
        WHEN f.base_oid = 1186 AND format_type(f.base_oid, f.typtypmod) LIKE 'interval %'
            THEN upper(substr(format_type(f.base_oid, f.typtypmod), 10))
    END)::varchar AS interval_type,
    NULL::int4 AS interval_precision,
    f.typdefault::varchar AS domain_default,
    current_database()::name AS udt_catalog,
    f.base_schema::name AS udt_schema,
    f.base_name::name AS udt_name,
    NULL::name AS scope_catalog,
    NULL::name AS scope_schema,
    NULL::name AS scope_name,
    NULL::int4 AS maximum_cardinality,
    '1'::name AS dtd_identifier
FROM types AS f
    LEFT JOIN (
        SELECT c.oid, c.collname, n.nspname
        FROM pg_collation AS c
            JOIN pg_namespace AS n ON n.oid = c.collnamespace
        WHERE c.collname <> 'default' OR n.nspname <> 'pg_catalog'
    ) AS k ON k.oid = f.typcollation
WHERE f.is_domain
    AND (pg_has_role(f.typowner, 'USAGE') OR has_type_privilege(f.type_oid, 'USAGE'));

CREATE VIEW information_schema.domain_constraints AS
SELECT
    current_database()::name AS constraint_catalog,
    n.nspname::name AS constraint_schema,
    k.conname::name AS constraint_name,
    current_database()::name AS domain_catalog,
    n.nspname::name AS domain_schema,
    t.typname::name AS domain_name,
    (CASE WHEN k.condeferrable THEN 'YES' ELSE 'NO' END)::varchar(3) AS is_deferrable,
    (CASE WHEN k.condeferred THEN 'YES' ELSE 'NO' END)::varchar(3) AS initially_deferred
FROM pg_constraint AS k
    JOIN pg_type AS t ON t.oid = k.contypid
    JOIN pg_namespace AS n ON n.oid = t.typnamespace
WHERE pg_has_role(t.typowner, 'USAGE') OR has_type_privilege(t.oid, 'USAGE');

CREATE VIEW information_schema.attributes AS
WITH types AS (
    -- Each type, and what a domain is made of.
    SELECT
        t.oid AS type_oid, n.nspname AS type_schema, t.typname AS type_name, t.typtype = 'd' AS is_domain,
        t.typowner, t.typnotnull, t.typtypmod, t.typdefault, t.typcollation,
        b.oid AS base_oid, bn.nspname AS base_schema, b.typname AS base_name, b.typowner AS base_owner,
        CASE
            WHEN b.typelem <> 0 AND b.typlen = -1 THEN 'ARRAY'
            WHEN bn.nspname = 'pg_catalog' THEN format_type(b.oid, NULL)
            ELSE 'USER-DEFINED'
        END AS data_type
    FROM (SELECT *, CASE WHEN typtype = 'd' THEN typbasetype ELSE oid END AS base FROM pg_type) AS t
        JOIN pg_namespace AS n ON n.oid = t.typnamespace
        JOIN pg_type AS b ON b.oid = t.base
        JOIN pg_namespace AS bn ON bn.oid = b.typnamespace
),
found AS (
    SELECT
        n.nspname, c.relname, a.attname, a.attnum, a.attcollation,
        a.attnotnull OR t.typnotnull AS is_required,
        CASE WHEN t.is_domain THEN t.typtypmod ELSE a.atttypmod END AS modifier,
        t.*
    FROM pg_attribute AS a
        JOIN pg_class AS c ON c.oid = a.attrelid
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
        JOIN types AS t ON t.type_oid = a.atttypid
    WHERE a.attnum > 0
        AND NOT a.attisdropped
        AND c.relkind = 'c'
        AND (pg_has_role(c.relowner, 'USAGE') OR has_type_privilege(c.reltype, 'USAGE'))
)
SELECT
    current_database()::name AS udt_catalog,
    f.nspname::name AS udt_schema,
    f.relname::name AS udt_name,
    f.attname::name AS attribute_name,
    f.attnum::int4 AS ordinal_position,
    NULL::varchar AS attribute_default,
    (CASE WHEN f.is_required THEN 'NO' ELSE 'YES' END)::varchar(3) AS is_nullable,
    (CASE WHEN f.is_domain THEN 'USER-DEFINED' ELSE f.data_type END)::varchar AS data_type,
    CASE
        WHEN f.base_oid IN (1042, 1043) AND f.modifier <> -1 THEN f.modifier - 4
        WHEN f.base_oid IN (1560, 1562) AND f.modifier <> -1 THEN f.modifier
    END AS character_maximum_length,
    CASE
        WHEN f.base_oid = 25 OR f.base_oid IN (1042, 1043) AND f.modifier = -1 THEN 1073741824
        WHEN f.base_oid IN (1042, 1043) THEN (f.modifier - 4) * 4
    END AS character_octet_length,
    NULL::name AS character_set_catalog,
    NULL::name AS character_set_schema,
    NULL::name AS character_set_name,
    (CASE WHEN k.collname IS NOT NULL THEN current_database() END)::name AS collation_catalog,
    k.nspname::name AS collation_schema,
    k.collname::name AS collation_name,
    CASE f.base_oid
        WHEN 21 THEN 16
        WHEN 23 THEN 32
        WHEN 20 THEN 64
        WHEN 700 THEN 24
        WHEN 701 THEN 53
        WHEN 1700 THEN CASE WHEN f.modifier <> -1 THEN ((f.modifier - 4) >> 16) & 65535 END
    END AS numeric_precision,
    CASE WHEN f.base_oid IN (20, 21, 23, 700, 701) THEN 2 WHEN f.base_oid = 1700 THEN 10 END AS numeric_precision_radix,
    CASE
        WHEN f.base_oid IN (20, 21, 23) THEN 0
        WHEN f.base_oid = 1700 AND f.modifier <> -1 THEN (f.modifier - 4) & 65535
    END AS numeric_scale,
    CASE
        WHEN f.base_oid = 1082 THEN 0
        WHEN f.base_oid IN (1083, 1114, 1184, 1266) THEN CASE WHEN f.modifier < 0 THEN 6 ELSE f.modifier END
        WHEN f.base_oid = 1186 THEN coalesce(nullif(f.modifier & 65535, 65535), 6)
    END AS datetime_precision,
    (CASE
        WHEN f.base_oid = 1186 AND format_type(f.base_oid, f.modifier) LIKE 'interval %'
            THEN upper(substr(format_type(f.base_oid, f.modifier), 10))
    END)::varchar AS interval_type,
    NULL::int4 AS interval_precision,
    current_database()::name AS attribute_udt_catalog,
    f.type_schema::name AS attribute_udt_schema,
    f.type_name::name AS attribute_udt_name,
    NULL::name AS scope_catalog,
    NULL::name AS scope_schema,
    NULL::name AS scope_name,
    NULL::int4 AS maximum_cardinality,
    f.attnum::text::name AS dtd_identifier,
    'NO'::varchar(3) AS is_derived_reference_attribute
FROM found AS f
    LEFT JOIN (
        SELECT c.oid, c.collname, n.nspname
        FROM pg_collation AS c
            JOIN pg_namespace AS n ON n.oid = c.collnamespace
        WHERE c.collname <> 'default' OR n.nspname <> 'pg_catalog'
    ) AS k ON k.oid = f.attcollation;

-- Lengths, digits and collations of a parameter are not known: they are no part of a function's signature.
CREATE VIEW information_schema.parameters AS
WITH arguments AS (
    SELECT
        p.oid, p.proname, p.pronamespace, p.proowner, p.proargdefaults IS NOT NULL AS has_defaults,
        a.type, coalesce(a.name, '') AS name, coalesce(a.mode, 'i') AS mode, a.n
    FROM pg_proc AS p,
        LATERAL unnest(coalesce(p.proallargtypes, p.proargtypes::oid[]), p.proargnames, p.proargmodes)
            WITH ORDINALITY AS a (type, name, mode, n)
    WHERE pg_has_role(p.proowner, 'USAGE') OR has_function_privilege(p.oid, 'EXECUTE')
)
SELECT
    current_database()::name AS specific_catalog,
    n.nspname::name AS specific_schema,
    (a.proname::text || '_' || a.oid::text)::name AS specific_name,
    a.n::int4 AS ordinal_position,
    (CASE a.mode WHEN 'o' THEN 'OUT' WHEN 't' THEN 'OUT' WHEN 'b' THEN 'INOUT' ELSE 'IN' END)::varchar
        AS parameter_mode,
    'NO'::varchar(3) AS is_result,
    'NO'::varchar(3) AS as_locator,
    nullif(a.name, '')::name AS parameter_name,
    (CASE
        WHEN t.typelem <> 0 AND t.typlen = -1 THEN 'ARRAY'
        WHEN tn.nspname = 'pg_catalog' THEN format_type(t.oid, NULL)
        WHEN t.oid IS NOT NULL THEN 'USER-DEFINED'
    END)::varchar AS data_type,
    NULL::int4 AS character_maximum_length,
    NULL::int4 AS character_octet_length,
    NULL::name AS character_set_catalog,
    NULL::name AS character_set_schema,
    NULL::name AS character_set_name,
    NULL::name AS collation_catalog,
    NULL::name AS collation_schema,
    NULL::name AS collation_name,
    NULL::int4 AS numeric_precision,
    NULL::int4 AS numeric_precision_radix,
    NULL::int4 AS numeric_scale,
    NULL::int4 AS datetime_precision,
    NULL::varchar AS interval_type,
    NULL::int4 AS interval_precision,
    current_database()::name AS udt_catalog,
    tn.nspname::name AS udt_schema,
    t.typname::name AS udt_name,
    NULL::name AS scope_catalog,
    NULL::name AS scope_schema,
    NULL::name AS scope_name,
    NULL::int4 AS maximum_cardinality,
    a.n::text::name AS dtd_identifier,
    (CASE
        WHEN a.has_defaults AND pg_has_role(a.proowner, 'USAGE') THEN pg_get_function_arg_default(a.oid, a.n::int4)
    END)::varchar AS parameter_default
FROM arguments AS a
    JOIN pg_namespace AS n ON n.oid = a.pronamespace
    JOIN pg_type AS t ON t.oid = a.type
    JOIN pg_namespace AS tn ON tn.oid = t.typnamespace;

CREATE VIEW information_schema.routines AS
SELECT
    current_database()::name AS specific_catalog,
    n.nspname::name AS specific_schema,
    (p.proname::text || '_' || p.oid::text)::name AS specific_name,
    current_database()::name AS routine_catalog,
    n.nspname::name AS routine_schema,
    p.proname::name AS routine_name,
    (CASE p.prokind WHEN 'f' THEN 'FUNCTION' WHEN 'p' THEN 'PROCEDURE' END)::varchar AS routine_type,
    NULL::name AS module_catalog,
    NULL::name AS module_schema,
    NULL::name AS module_name,
    NULL::name AS udt_catalog,
    NULL::name AS udt_schema,
    NULL::name AS udt_name,
    (CASE
        WHEN t.typelem <> 0 AND t.typlen = -1 THEN 'ARRAY'
        WHEN tn.nspname = 'pg_catalog' THEN format_type(t.oid, NULL)
        WHEN t.oid IS NOT NULL THEN 'USER-DEFINED'
    END)::varchar AS data_type,
    NULL::int4 AS character_maximum_length,
    NULL::int4 AS character_octet_length,
    NULL::name AS character_set_catalog,
    NULL::name AS character_set_schema,
    NULL::name AS character_set_name,
    NULL::name AS collation_catalog,
    NULL::name AS collation_schema,
    NULL::name AS collation_name,
    NULL::int4 AS numeric_precision,
    NULL::int4 AS numeric_precision_radix,
    NULL::int4 AS numeric_scale,
    NULL::int4 AS datetime_precision,
    NULL::varchar AS interval_type,
    NULL::int4 AS interval_precision,
    (CASE WHEN t.oid IS NOT NULL THEN current_database() END)::name AS type_udt_catalog,
    tn.nspname::name AS type_udt_schema,
    t.typname::name AS type_udt_name,
    NULL::name AS scope_catalog,
    NULL::name AS scope_schema,
    NULL::name AS scope_name,
    NULL::int4 AS maximum_cardinality,
    (CASE WHEN t.oid IS NOT NULL THEN '0' END)::name AS dtd_identifier,
    (CASE WHEN l.lanname = 'sql' THEN 'SQL' ELSE 'EXTERNAL' END)::varchar AS routine_body,
    (CASE WHEN pg_has_role(p.proowner, 'USAGE') THEN p.prosrc END)::varchar AS routine_definition,
    (CASE WHEN l.lanname = 'c' THEN p.prosrc END)::varchar AS external_name,
    upper(l.lanname::text)::varchar AS external_language,
    'GENERAL'::varchar AS parameter_style,
    (CASE WHEN p.provolatile = 'i' THEN 'YES' ELSE 'NO' END)::varchar(3) AS is_deterministic,
    'MODIFIES'::varchar AS sql_data_access,
    (CASE WHEN p.prokind <> 'p' THEN CASE WHEN p.proisstrict THEN 'YES' ELSE 'NO' END END)::varchar(3) AS is_null_call,
    NULL::varchar AS sql_path,
    'YES'::varchar(3) AS schema_level_routine,
    0 AS max_dynamic_result_sets,
    NULL::varchar(3) AS is_user_defined_cast,
    NULL::varchar(3) AS is_implicitly_invocable,
    (CASE WHEN p.prosecdef THEN 'DEFINER' ELSE 'INVOKER' END)::varchar AS security_type,
    NULL::name AS to_sql_specific_catalog,
    NULL::name AS to_sql_specific_schema,
    NULL::name AS to_sql_specific_name,
    'NO'::varchar(3) AS as_locator,
    NULL::timestamptz(2) AS created,
    NULL::timestamptz(2) AS last_altered,
    NULL::varchar(3) AS new_savepoint_level,
    'NO'::varchar(3) AS is_udt_dependent,
    NULL::varchar AS result_cast_from_data_type,
    NULL::varchar(3) AS result_cast_as_locator,
    NULL::int4 AS result_cast_char_max_length,
    NULL::int4 AS result_cast_char_octet_length,
    NULL::name AS result_cast_char_set_catalog,
    NULL::name AS result_cast_char_set_schema,
    NULL::name AS result_cast_char_set_name,
    NULL::name AS result_cast_collation_catalog,
    NULL::name AS result_cast_collation_schema,
    NULL::name AS result_cast_collation_name,
    NULL::int4 AS result_cast_numeric_precision,
    NULL::int4 AS result_cast_numeric_precision_radix,
    NULL::int4 AS result_cast_numeric_scale,
    NULL::int4 AS result_cast_datetime_precision,
    NULL::varchar AS result_cast_interval_type,
    NULL::int4 AS result_cast_interval_precision,
    NULL::name AS result_cast_type_udt_catalog,
    NULL::name AS result_cast_type_udt_schema,
    NULL::name AS result_cast_type_udt_name,
    NULL::name AS result_cast_scope_catalog,
    NULL::name AS result_cast_scope_schema,
    NULL::name AS result_cast_scope_name,
    NULL::int4 AS result_cast_maximum_cardinality,
    NULL::name AS result_cast_dtd_identifier
FROM (SELECT *, CASE WHEN prokind <> 'p' THEN prorettype END AS result FROM pg_proc) AS p
    JOIN pg_namespace AS n ON n.oid = p.pronamespace
    JOIN pg_language AS l ON l.oid = p.prolang
    LEFT JOIN pg_type AS t ON t.oid = p.result
    LEFT JOIN pg_namespace AS tn ON tn.oid = t.typnamespace
WHERE pg_has_role(p.proowner, 'USAGE') OR has_function_privilege(p.oid, 'EXECUTE');

-- The elements of all that is an array: columns, domains, attributes, parameters and results.
CREATE VIEW information_schema.element_types AS
WITH objects AS (
    SELECT
        c.relnamespace AS namespace, c.relname::text AS name, a.attnum::text AS identifier, a.atttypid AS type,
        CASE WHEN c.relkind = 'c' THEN 'USER-DEFINED TYPE' ELSE 'TABLE' END AS kind, a.attcollation AS collation
    FROM pg_attribute AS a
        JOIN pg_class AS c ON c.oid = a.attrelid
    WHERE a.attnum > 0
        AND NOT a.attisdropped
        AND c.relkind IN ('r', 'v', 'f', 'p', 'c')
        AND (pg_has_role(c.relowner, 'USAGE')
            OR CASE
                WHEN c.relkind = 'c' THEN has_type_privilege(c.reltype, 'USAGE')
                ELSE has_column_privilege(c.oid, a.attnum, 'SELECT, INSERT, UPDATE, REFERENCES')
            END)
    UNION ALL
    SELECT typnamespace, typname::text, '1', typbasetype, 'DOMAIN', typcollation
    FROM pg_type
    WHERE typtype = 'd' AND (pg_has_role(typowner, 'USAGE') OR has_type_privilege(oid, 'USAGE'))
    UNION ALL
    SELECT
        p.pronamespace, (p.proname::text || '_' || p.oid::text)::name::text, a.n::text, a.type, 'ROUTINE', 0::oid
    FROM pg_proc AS p,
        LATERAL unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])) WITH ORDINALITY AS a (type, n)
    WHERE pg_has_role(p.proowner, 'USAGE') OR has_function_privilege(p.oid, 'EXECUTE')
    UNION ALL
    SELECT pronamespace, (proname::text || '_' || oid::text)::name::text, '0', prorettype, 'ROUTINE', 0::oid
    FROM pg_proc
    WHERE prokind <> 'p' AND (pg_has_role(proowner, 'USAGE') OR has_function_privilege(oid, 'EXECUTE'))
)
SELECT
    current_database()::name AS object_catalog,
    n.nspname::name AS object_schema,
    o.name::name AS object_name,
    o.kind::varchar AS object_type,
    o.identifier::name AS collection_type_identifier,
    (CASE
        WHEN t.typelem <> 0 AND t.typlen = -1 THEN 'ARRAY'
        WHEN tn.nspname = 'pg_catalog' THEN format_type(t.oid, NULL)
        WHEN t.oid IS NOT NULL THEN 'USER-DEFINED'
    END)::varchar AS data_type,
    NULL::int4 AS character_maximum_length,
    NULL::int4 AS character_octet_length,
    NULL::name AS character_set_catalog,
    NULL::name AS character_set_schema,
    NULL::name AS character_set_name,
    (CASE WHEN k.collname IS NOT NULL THEN current_database() END)::name AS collation_catalog,
    k.nspname::name AS collation_schema,
    k.collname::name AS collation_name,
    NULL::int4 AS numeric_precision,
    NULL::int4 AS numeric_precision_radix,
    NULL::int4 AS numeric_scale,
    NULL::int4 AS datetime_precision,
    NULL::varchar AS interval_type,
    NULL::int4 AS interval_precision,
    NULL::varchar AS domain_default,
    current_database()::name AS udt_catalog,
    tn.nspname::name AS udt_schema,
    t.typname::name AS udt_name,
    NULL::name AS scope_catalog,
    NULL::name AS scope_schema,
    NULL::name AS scope_name,
    NULL::int4 AS maximum_cardinality,
    ('a' || o.identifier)::name AS dtd_identifier
FROM objects AS o
    JOIN pg_namespace AS n ON n.oid = o.namespace
    JOIN pg_type AS whole ON whole.oid = o.type
    JOIN pg_type AS t ON t.oid = whole.typelem
    JOIN pg_namespace AS tn ON tn.oid = t.typnamespace
    LEFT JOIN (
        SELECT c.oid, c.collname, n.nspname
        FROM pg_collation AS c
            JOIN pg_namespace AS n ON n.oid = c.collnamespace
        WHERE c.collname <> 'default' OR n.nspname <> 'pg_catalog'
    ) AS k ON k.oid = o.collation
WHERE whole.typlen = -1;

-- What is granted to whom, and by whom. An owner may grant all that is there to grant.
CREATE VIEW information_schema.table_privileges AS
WITH roles AS (
    SELECT oid, rolname FROM pg_roles
    UNION ALL
    SELECT 0::oid, 'PUBLIC'::name
)
SELECT
    grantor.rolname::name AS grantor,
    grantee.rolname::name AS grantee,
    current_database()::name AS table_catalog,
    n.nspname::name AS table_schema,
    c.relname::name AS table_name,
    a.privilege_type::varchar AS privilege_type,
    (CASE WHEN a.is_grantable OR pg_has_role(grantee.oid, c.relowner, 'USAGE') THEN 'YES' ELSE 'NO' END)::varchar(3)
        AS is_grantable,
    (CASE WHEN a.privilege_type = 'SELECT' THEN 'YES' ELSE 'NO' END)::varchar(3) AS with_hierarchy
FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    CROSS JOIN LATERAL aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) AS a
    JOIN pg_roles AS grantor ON grantor.oid = a.grantor
    JOIN roles AS grantee ON grantee.oid = a.grantee
WHERE c.relkind IN ('r', 'v', 'f', 'p')
    AND a.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER')
    AND (a.grantee = 0 OR pg_has_role(grantee.oid, 'USAGE') OR pg_has_role(grantor.oid, 'USAGE'));

-- A privilege on a table is one on each of its columns.
CREATE VIEW information_schema.column_privileges AS
WITH roles AS (
    SELECT oid, rolname FROM pg_roles
    UNION ALL
    SELECT 0::oid, 'PUBLIC'::name
),
grants AS (
    SELECT c.oid, attribute.attname, a.grantor, a.grantee, a.privilege_type, a.is_grantable
    FROM pg_class AS c
        CROSS JOIN LATERAL aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) AS a
        JOIN pg_attribute AS attribute ON attribute.attrelid = c.oid
    WHERE c.relkind IN ('r', 'v', 'f', 'p')
        AND attribute.attnum > 0
        AND NOT attribute.attisdropped
        AND a.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES')
    UNION
    SELECT attribute.attrelid, attribute.attname, a.grantor, a.grantee, a.privilege_type, a.is_grantable
    FROM pg_attribute AS attribute
        CROSS JOIN LATERAL aclexplode(attribute.attacl) AS a
    WHERE attribute.attnum > 0 AND NOT attribute.attisdropped
)
SELECT
    grantor.rolname::name AS grantor,
    grantee.rolname::name AS grantee,
    current_database()::name AS table_catalog,
    n.nspname::name AS table_schema,
    c.relname::name AS table_name,
    a.attname::name AS column_name,
    a.privilege_type::varchar AS privilege_type,
    (CASE WHEN a.is_grantable OR pg_has_role(grantee.oid, c.relowner, 'USAGE') THEN 'YES' ELSE 'NO' END)::varchar(3)
        AS is_grantable
FROM grants AS a
    JOIN pg_class AS c ON c.oid = a.oid
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_roles AS grantor ON grantor.oid = a.grantor
    JOIN roles AS grantee ON grantee.oid = a.grantee
WHERE c.relkind IN ('r', 'v', 'f', 'p')
    AND a.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES')
    AND (a.grantee = 0 OR pg_has_role(grantee.oid, 'USAGE') OR pg_has_role(grantor.oid, 'USAGE'));

-- On collations everybody has USAGE, on sequences those to whom that alone is granted.
CREATE VIEW information_schema.usage_privileges AS
WITH roles AS (
    SELECT oid, rolname FROM pg_roles
    UNION ALL
    SELECT 0::oid, 'PUBLIC'::name
),
grants AS (
    SELECT
        n.nspname, k.collname::text AS name, 'COLLATION' AS kind, k.collowner AS owner, k.collowner AS grantor,
        0::oid AS grantee, false AS is_grantable
    FROM pg_collation AS k
        JOIN pg_namespace AS n ON n.oid = k.collnamespace
    WHERE k.collencoding IN (-1, 6)
    UNION ALL
    SELECT n.nspname, t.typname::text, 'DOMAIN', t.typowner, a.grantor, a.grantee, a.is_grantable
    FROM pg_type AS t
        JOIN pg_namespace AS n ON n.oid = t.typnamespace
        CROSS JOIN LATERAL aclexplode(coalesce(t.typacl, acldefault('T', t.typowner))) AS a
    WHERE t.typtype = 'd' AND a.privilege_type = 'USAGE'
    UNION ALL
    SELECT ''::name, w.fdwname::text, 'FOREIGN DATA WRAPPER', w.fdwowner, a.grantor, a.grantee, a.is_grantable
    FROM pg_foreign_data_wrapper AS w
        CROSS JOIN LATERAL aclexplode(coalesce(w.fdwacl, acldefault('F', w.fdwowner))) AS a
    WHERE a.privilege_type = 'USAGE'
    UNION ALL
    SELECT ''::name, s.srvname::text, 'FOREIGN SERVER', s.srvowner, a.grantor, a.grantee, a.is_grantable
    FROM pg_foreign_server AS s
        CROSS JOIN LATERAL aclexplode(coalesce(s.srvacl, acldefault('S', s.srvowner))) AS a
    WHERE a.privilege_type = 'USAGE'
    UNION ALL
    SELECT n.nspname, c.relname::text, 'SEQUENCE', c.relowner, a.grantor, a.grantee, a.is_grantable
    FROM pg_class AS c
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
        CROSS JOIN LATERAL aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) AS a
    WHERE c.relkind = 'S' AND a.privilege_type = 'USAGE'
)
SELECT
    grantor.rolname::name AS grantor,
    grantee.rolname::name AS grantee,
    current_database()::name AS object_catalog,
    a.nspname::name AS object_schema,
    a.name::name AS object_name,
    a.kind::varchar AS object_type,
    'USAGE'::varchar AS privilege_type,
    (CASE WHEN a.is_grantable OR pg_has_role(grantee.oid, a.owner, 'USAGE') THEN 'YES' ELSE 'NO' END)::varchar(3)
        AS is_grantable
FROM grants AS a
    JOIN pg_roles AS grantor ON grantor.oid = a.grantor
    JOIN roles AS grantee ON grantee.oid = a.grantee
WHERE (a.grantee = 0 OR pg_has_role(grantee.oid, 'USAGE') OR pg_has_role(grantor.oid, 'USAGE'));

-- Of composite types, and so of tables and views.
CREATE VIEW information_schema.udt_privileges AS
WITH roles AS (
    SELECT oid, rolname FROM pg_roles
    UNION ALL
    SELECT 0::oid, 'PUBLIC'::name
)
SELECT
    grantor.rolname::name AS grantor,
    grantee.rolname::name AS grantee,
    current_database()::name AS udt_catalog,
    n.nspname::name AS udt_schema,
    t.typname::name AS udt_name,
    'TYPE USAGE'::varchar AS privilege_type,
    (CASE WHEN a.is_grantable OR pg_has_role(grantee.oid, t.typowner, 'USAGE') THEN 'YES' ELSE 'NO' END)::varchar(3)
        AS is_grantable
FROM pg_type AS t
    JOIN pg_namespace AS n ON n.oid = t.typnamespace
    CROSS JOIN LATERAL aclexplode(coalesce(t.typacl, acldefault('T', t.typowner))) AS a
    JOIN pg_roles AS grantor ON grantor.oid = a.grantor
    JOIN roles AS grantee ON grantee.oid = a.grantee
WHERE t.typtype = 'c'
    AND a.privilege_type = 'USAGE'
    AND (a.grantee = 0 OR pg_has_role(grantee.oid, 'USAGE') OR pg_has_role(grantor.oid, 'USAGE'));

CREATE VIEW information_schema.routine_privileges AS
WITH roles AS (
    SELECT oid, rolname FROM pg_roles
    UNION ALL
    SELECT 0::oid, 'PUBLIC'::name
)
SELECT
    grantor.rolname::name AS grantor,
    grantee.rolname::name AS grantee,
    current_database()::name AS specific_catalog,
    n.nspname::name AS specific_schema,
    (p.proname::text || '_' || p.oid::text)::name AS specific_name,
    current_database()::name AS routine_catalog,
    n.nspname::name AS routine_schema,
    p.proname::name AS routine_name,
    'EXECUTE'::varchar AS privilege_type,
    (CASE WHEN a.is_grantable OR pg_has_role(grantee.oid, p.proowner, 'USAGE') THEN 'YES' ELSE 'NO' END)::varchar(3)
        AS is_grantable
FROM pg_proc AS p
    JOIN pg_namespace AS n ON n.oid = p.pronamespace
    CROSS JOIN LATERAL aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
    JOIN pg_roles AS grantor ON grantor.oid = a.grantor
    JOIN roles AS grantee ON grantee.oid = a.grantee
WHERE a.privilege_type = 'EXECUTE'
    AND (a.grantee = 0 OR pg_has_role(grantee.oid, 'USAGE') OR pg_has_role(grantor.oid, 'USAGE'));

-- The role_…_grants leave out what only PUBLIC has from somebody else.
CREATE VIEW information_schema.role_table_grants AS
SELECT
    grantor, grantee, table_catalog, table_schema, table_name, privilege_type, is_grantable, with_hierarchy
FROM information_schema.table_privileges
WHERE grantor IN (SELECT role_name FROM information_schema.enabled_roles)
    OR grantee IN (SELECT role_name FROM information_schema.enabled_roles);

CREATE VIEW information_schema.role_column_grants AS
SELECT
    grantor, grantee, table_catalog, table_schema, table_name, column_name, privilege_type, is_grantable
FROM information_schema.column_privileges
WHERE grantor IN (SELECT role_name FROM information_schema.enabled_roles)
    OR grantee IN (SELECT role_name FROM information_schema.enabled_roles);

CREATE VIEW information_schema.role_routine_grants AS
SELECT
    grantor, grantee, specific_catalog, specific_schema, specific_name, routine_catalog, routine_schema, routine_name,
    privilege_type, is_grantable
FROM information_schema.routine_privileges
WHERE grantor IN (SELECT role_name FROM information_schema.enabled_roles)
    OR grantee IN (SELECT role_name FROM information_schema.enabled_roles);

CREATE VIEW information_schema.role_udt_grants AS
SELECT grantor, grantee, udt_catalog, udt_schema, udt_name, privilege_type, is_grantable
FROM information_schema.udt_privileges
WHERE grantor IN (SELECT role_name FROM information_schema.enabled_roles)
    OR grantee IN (SELECT role_name FROM information_schema.enabled_roles);

CREATE VIEW information_schema.role_usage_grants AS
SELECT
    grantor, grantee, object_catalog, object_schema, object_name, object_type, privilege_type, is_grantable
FROM information_schema.usage_privileges
WHERE grantor IN (SELECT role_name FROM information_schema.enabled_roles)
    OR grantee IN (SELECT role_name FROM information_schema.enabled_roles);

-- The only one is UTF-8, whose texts compare by their code points.
CREATE VIEW information_schema.character_sets AS
SELECT
    NULL::name AS character_set_catalog,
    NULL::name AS character_set_schema,
    'UTF8'::name AS character_set_name,
    'UCS'::name AS character_repertoire,
    'UTF8'::name AS form_of_use,
    current_database()::name AS default_collate_catalog,
    'pg_catalog'::name AS default_collate_schema,
    'ucs_basic'::name AS default_collate_name;

-- Those for any encoding, and for UTF-8, which is the encoding 6.
CREATE VIEW information_schema.collations AS
SELECT
    current_database()::name AS collation_catalog,
    n.nspname::name AS collation_schema,
    k.collname::name AS collation_name,
    'NO PAD'::varchar AS pad_attribute
FROM pg_collation AS k
    JOIN pg_namespace AS n ON n.oid = k.collnamespace
WHERE k.collencoding IN (-1, 6);

CREATE VIEW information_schema.collation_character_set_applicability AS
SELECT
    collation_catalog,
    collation_schema,
    collation_name,
    NULL::name AS character_set_catalog,
    NULL::name AS character_set_schema,
    'UTF8'::name AS character_set_name
FROM information_schema.collations;

CREATE VIEW information_schema.column_domain_usage AS
SELECT
    current_database()::name AS domain_catalog,
    tn.nspname::name AS domain_schema,
    t.typname::name AS domain_name,
    current_database()::name AS table_catalog,
    n.nspname::name AS table_schema,
    c.relname::name AS table_name,
    a.attname::name AS column_name
FROM pg_attribute AS a
    JOIN pg_class AS c ON c.oid = a.attrelid
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_type AS t ON t.oid = a.atttypid
    JOIN pg_namespace AS tn ON tn.oid = t.typnamespace
WHERE t.typtype = 'd'
    AND c.relkind IN ('r', 'v', 'f', 'p')
    AND a.attnum > 0
    AND NOT a.attisdropped
    AND pg_has_role(t.typowner, 'USAGE');

-- A domain's columns use the type that the domain is made of.
CREATE VIEW information_schema.column_udt_usage AS
WITH types AS (
    -- Each type, and what a domain is made of.
    SELECT
        t.oid AS type_oid, n.nspname AS type_schema, t.typname AS type_name, t.typtype = 'd' AS is_domain,
        t.typowner, t.typnotnull, t.typtypmod, t.typdefault, t.typcollation,
        b.oid AS base_oid, bn.nspname AS base_schema, b.typname AS base_name, b.typowner AS base_owner,
        CASE
            WHEN b.typelem <> 0 AND b.typlen = -1 THEN 'ARRAY'
            WHEN bn.nspname = 'pg_catalog' THEN format_type(b.oid, NULL)
            ELSE 'USER-DEFINED'
        END AS data_type
    FROM (SELECT *, CASE WHEN typtype = 'd' THEN typbasetype ELSE oid END AS base FROM pg_type) AS t
        JOIN pg_namespace AS n ON n.oid = t.typnamespace
        JOIN pg_type AS b ON b.oid = t.base
        JOIN pg_namespace AS bn ON bn.oid = b.typnamespace
)
SELECT
    current_database()::name AS udt_catalog,
    t.base_schema::name AS udt_schema,
    t.base_name::name AS udt_name,
    current_database()::name AS table_catalog,
    n.nspname::name AS table_schema,
    c.relname::name AS table_name,
    a.attname::name AS column_name
FROM pg_attribute AS a
    JOIN pg_class AS c ON c.oid = a.attrelid
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    JOIN types AS t ON t.type_oid = a.atttypid
WHERE c.relkind IN ('r', 'v', 'f', 'p')
    AND a.attnum > 0
    AND NOT a.attisdropped
    AND pg_has_role(t.base_owner, 'USAGE');

CREATE VIEW information_schema.domain_udt_usage AS
SELECT
    current_database()::name AS udt_catalog,
    bn.nspname::name AS udt_schema,
    b.typname::name AS udt_name,
    current_database()::name AS domain_catalog,
    n.nspname::name AS domain_schema,
    t.typname::name AS domain_name
FROM pg_type AS t
    JOIN pg_namespace AS n ON n.oid = t.typnamespace
    JOIN pg_type AS b ON b.oid = t.typbasetype
    JOIN pg_namespace AS bn ON bn.oid = b.typnamespace
WHERE t.typtype = 'd' AND pg_has_role(b.typowner, 'USAGE');

-- Generated columns, and what they are computed from.
CREATE VIEW information_schema.column_column_usage AS
SELECT DISTINCT
    current_database()::name AS table_catalog,
    n.nspname::name AS table_schema,
    c.relname::name AS table_name,
    source.attname::name AS column_name,
    generated.attname::name AS dependent_column
FROM pg_depend AS d
    JOIN pg_attrdef AS e ON e.oid = d.objid
    JOIN pg_class AS c ON c.oid = e.adrelid
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_attribute AS source ON source.attrelid = d.refobjid AND source.attnum = d.refobjsubid
    JOIN pg_attribute AS generated ON generated.attrelid = e.adrelid AND generated.attnum = e.adnum
WHERE d.classid = 2604
    AND d.refclassid = 1259
    AND d.refobjid = e.adrelid
    AND d.refobjsubid <> e.adnum
    AND generated.attgenerated <> ''
    AND pg_has_role(c.relowner, 'USAGE');

CREATE VIEW information_schema.check_constraint_routine_usage AS
SELECT DISTINCT
    current_database()::name AS constraint_catalog,
    kn.nspname::name AS constraint_schema,
    k.conname::name AS constraint_name,
    current_database()::name AS specific_catalog,
    n.nspname::name AS specific_schema,
    (p.proname::text || '_' || p.oid::text)::name AS specific_name
FROM pg_depend AS d
    JOIN pg_constraint AS k ON k.oid = d.objid
    JOIN pg_namespace AS kn ON kn.oid = k.connamespace
    JOIN pg_proc AS p ON p.oid = d.refobjid
    JOIN pg_namespace AS n ON n.oid = p.pronamespace
WHERE d.classid = 2606 AND d.refclassid = 1255 AND k.contype = 'c' AND pg_has_role(p.proowner, 'USAGE');

-- What the rule that makes a view depends on.
CREATE VIEW information_schema.view_column_usage AS
SELECT DISTINCT
    current_database()::name AS view_catalog,
    vn.nspname::name AS view_schema,
    v.relname::name AS view_name,
    current_database()::name AS table_catalog,
    n.nspname::name AS table_schema,
    c.relname::name AS table_name,
    a.attname::name AS column_name
FROM pg_depend AS d
    JOIN pg_rewrite AS r ON r.oid = d.objid AND r.ev_type = '1'
    JOIN pg_class AS v ON v.oid = r.ev_class
    JOIN pg_namespace AS vn ON vn.oid = v.relnamespace
    JOIN pg_class AS c ON c.oid = d.refobjid
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE d.classid = 2618
    AND d.refclassid = 1259
    AND v.relkind = 'v'
    AND c.oid <> v.oid
    AND c.relkind IN ('r', 'v', 'f', 'p')
    AND pg_has_role(c.relowner, 'USAGE');

CREATE VIEW information_schema.view_table_usage AS
SELECT DISTINCT
    current_database()::name AS view_catalog,
    vn.nspname::name AS view_schema,
    v.relname::name AS view_name,
    current_database()::name AS table_catalog,
    n.nspname::name AS table_schema,
    c.relname::name AS table_name
FROM pg_depend AS d
    JOIN pg_rewrite AS r ON r.oid = d.objid AND r.ev_type = '1'
    JOIN pg_class AS v ON v.oid = r.ev_class
    JOIN pg_namespace AS vn ON vn.oid = v.relnamespace
    JOIN pg_class AS c ON c.oid = d.refobjid
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE d.classid = 2618
    AND d.refclassid = 1259
    AND v.relkind = 'v'
    AND c.oid <> v.oid
    AND c.relkind IN ('r', 'v', 'f', 'p')
    AND pg_has_role(c.relowner, 'USAGE');

CREATE VIEW information_schema.view_routine_usage AS
SELECT DISTINCT
    current_database()::name AS table_catalog,
    vn.nspname::name AS table_schema,
    v.relname::name AS table_name,
    current_database()::name AS specific_catalog,
    n.nspname::name AS specific_schema,
    (p.proname::text || '_' || p.oid::text)::name AS specific_name
FROM pg_depend AS d
    JOIN pg_rewrite AS r ON r.oid = d.objid AND r.ev_type = '1'
    JOIN pg_class AS v ON v.oid = r.ev_class
    JOIN pg_namespace AS vn ON vn.oid = v.relnamespace
    JOIN pg_proc AS p ON p.oid = d.refobjid
    JOIN pg_namespace AS n ON n.oid = p.pronamespace
WHERE d.classid = 2618 AND d.refclassid = 1255 AND v.relkind = 'v' AND pg_has_role(p.proowner, 'USAGE');

-- What functions whose body is SQL depend on.
CREATE VIEW information_schema.routine_column_usage AS
SELECT DISTINCT
    current_database()::name AS specific_catalog,
    n.nspname::name AS specific_schema,
    (p.proname::text || '_' || p.oid::text)::name AS specific_name,
    current_database()::name AS routine_catalog,
    n.nspname::name AS routine_schema,
    p.proname::name AS routine_name,
    current_database()::name AS table_catalog,
    cn.nspname::name AS table_schema,
    c.relname::name AS table_name,
    a.attname::name AS column_name
FROM pg_depend AS d
    JOIN pg_proc AS p ON p.oid = d.objid
    JOIN pg_namespace AS n ON n.oid = p.pronamespace
    JOIN pg_class AS c ON c.oid = d.refobjid
    JOIN pg_namespace AS cn ON cn.oid = c.relnamespace
    JOIN pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE d.classid = 1255
    AND d.refclassid = 1259
    AND c.relkind IN ('r', 'v', 'f', 'p')
    AND pg_has_role(c.relowner, 'USAGE');

CREATE VIEW information_schema.routine_table_usage AS
SELECT DISTINCT
    current_database()::name AS specific_catalog,
    n.nspname::name AS specific_schema,
    (p.proname::text || '_' || p.oid::text)::name AS specific_name,
    current_database()::name AS routine_catalog,
    n.nspname::name AS routine_schema,
    p.proname::name AS routine_name,
    current_database()::name AS table_catalog,
    cn.nspname::name AS table_schema,
    c.relname::name AS table_name
FROM pg_depend AS d
    JOIN pg_proc AS p ON p.oid = d.objid
    JOIN pg_namespace AS n ON n.oid = p.pronamespace
    JOIN pg_class AS c ON c.oid = d.refobjid
    JOIN pg_namespace AS cn ON cn.oid = c.relnamespace
WHERE d.classid = 1255
    AND d.refclassid = 1259
    AND c.relkind IN ('r', 'v', 'f', 'p')
    AND pg_has_role(c.relowner, 'USAGE');

CREATE VIEW information_schema.routine_sequence_usage AS
SELECT DISTINCT
    current_database()::name AS specific_catalog,
    n.nspname::name AS specific_schema,
    (p.proname::text || '_' || p.oid::text)::name AS specific_name,
    current_database()::name AS routine_catalog,
    n.nspname::name AS routine_schema,
    p.proname::name AS routine_name,
    current_database()::name AS sequence_catalog,
    cn.nspname::name AS sequence_schema,
    c.relname::name AS sequence_name
FROM pg_depend AS d
    JOIN pg_proc AS p ON p.oid = d.objid
    JOIN pg_namespace AS n ON n.oid = p.pronamespace
    JOIN pg_class AS c ON c.oid = d.refobjid
    JOIN pg_namespace AS cn ON cn.oid = c.relnamespace
WHERE d.classid = 1255
    AND d.refclassid = 1259
    AND c.relkind = 'S'
    AND pg_has_role(c.relowner, 'USAGE');

-- The names of the routine come last: they are those of the one that is used.
CREATE VIEW information_schema.routine_routine_usage AS
SELECT DISTINCT
    current_database()::name AS specific_catalog,
    un.nspname::name AS specific_schema,
    (u.proname::text || '_' || u.oid::text)::name AS specific_name,
    current_database()::name AS routine_catalog,
    n.nspname::name AS routine_schema,
    (p.proname::text || '_' || p.oid::text)::name AS routine_name
FROM pg_depend AS d
    JOIN pg_proc AS u ON u.oid = d.objid
    JOIN pg_namespace AS un ON un.oid = u.pronamespace
    JOIN pg_proc AS p ON p.oid = d.refobjid
    JOIN pg_namespace AS n ON n.oid = p.pronamespace
WHERE d.classid = 1255 AND d.refclassid = 1255 AND u.prokind IN ('f', 'p') AND p.prokind IN ('f', 'p')
    AND pg_has_role(p.proowner, 'USAGE');

-- The types that are composite and no table's.
CREATE VIEW information_schema.user_defined_types AS
SELECT
    current_database()::name AS user_defined_type_catalog,
    n.nspname::name AS user_defined_type_schema,
    c.relname::name AS user_defined_type_name,
    'STRUCTURED'::varchar AS user_defined_type_category,
    'YES'::varchar(3) AS is_instantiable,
    NULL::varchar(3) AS is_final,
    NULL::varchar AS ordering_form,
    NULL::varchar AS ordering_category,
    NULL::name AS ordering_routine_catalog,
    NULL::name AS ordering_routine_schema,
    NULL::name AS ordering_routine_name,
    NULL::varchar AS reference_type,
    NULL::varchar AS data_type,
    NULL::int4 AS character_maximum_length,
    NULL::int4 AS character_octet_length,
    NULL::name AS character_set_catalog,
    NULL::name AS character_set_schema,
    NULL::name AS character_set_name,
    NULL::name AS collation_catalog,
    NULL::name AS collation_schema,
    NULL::name AS collation_name,
    NULL::int4 AS numeric_precision,
    NULL::int4 AS numeric_precision_radix,
    NULL::int4 AS numeric_scale,
    NULL::int4 AS datetime_precision,
    NULL::varchar AS interval_type,
    NULL::int4 AS interval_precision,
    NULL::name AS source_dtd_identifier,
    NULL::name AS ref_dtd_identifier
FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'c' AND (pg_has_role(c.relowner, 'USAGE') OR has_type_privilege(c.reltype, 'USAGE'));

CREATE VIEW information_schema.data_type_privileges AS
SELECT
    table_catalog AS object_catalog, table_schema AS object_schema, table_name AS object_name,
    'TABLE'::varchar AS object_type, dtd_identifier
FROM information_schema.columns
UNION ALL
SELECT domain_catalog, domain_schema, domain_name, 'DOMAIN'::varchar, dtd_identifier
FROM information_schema.domains
UNION ALL
SELECT udt_catalog, udt_schema, udt_name, 'USER-DEFINED TYPE'::varchar, dtd_identifier
FROM information_schema.attributes
UNION ALL
SELECT specific_catalog, specific_schema, specific_name, 'ROUTINE'::varchar, dtd_identifier
FROM information_schema.parameters
UNION ALL
SELECT specific_catalog, specific_schema, specific_name, 'ROUTINE'::varchar, dtd_identifier
FROM information_schema.routines;

-- A row for each of INSERT, DELETE and UPDATE that fires the trigger. The bits of its type: 1 for each row, 2 before,
-- 4 INSERT, 8 DELETE, 16 UPDATE, 64 instead of.
CREATE VIEW information_schema.triggers AS
WITH found AS (
    SELECT
        n.nspname, c.relname, c.relowner, t.tgname, t.tgoldtable, t.tgnewtable, t.tgtype & 1 AS by_row,
        t.tgtype & 66 AS timing, e.bit, e.event, pg_get_triggerdef(t.oid) AS definition
    FROM pg_trigger AS t
        JOIN pg_class AS c ON c.oid = t.tgrelid
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
        JOIN (VALUES (4, 'INSERT'), (8, 'DELETE'), (16, 'UPDATE')) AS e (bit, event) ON t.tgtype & e.bit <> 0
    WHERE NOT t.tgisinternal
        AND (pg_has_role(c.relowner, 'USAGE')
            OR has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
            OR has_any_column_privilege(c.oid, 'INSERT, UPDATE, REFERENCES'))
)
SELECT
    current_database()::name AS trigger_catalog,
    f.nspname::name AS trigger_schema,
    f.tgname::name AS trigger_name,
    f.event::varchar AS event_manipulation,
    current_database()::name AS event_object_catalog,
    f.nspname::name AS event_object_schema,
    f.relname::name AS event_object_table,
    (rank() OVER (PARTITION BY f.nspname, f.relname, f.bit, f.by_row, f.timing ORDER BY f.tgname))::int4
        AS action_order,
    (CASE
        WHEN pg_has_role(f.relowner, 'USAGE') AND strpos(f.definition, ' WHEN (') > 0
            THEN split_part(split_part(f.definition, ' WHEN (', 2), ') EXECUTE FUNCTION ', 1)
    END)::varchar AS action_condition,
    substr(f.definition, strpos(f.definition, 'EXECUTE FUNCTION '))::varchar AS action_statement,
    (CASE WHEN f.by_row = 1 THEN 'ROW' ELSE 'STATEMENT' END)::varchar AS action_orientation,
    (CASE f.timing WHEN 2 THEN 'BEFORE' WHEN 64 THEN 'INSTEAD OF' ELSE 'AFTER' END)::varchar AS action_timing,
    f.tgoldtable::name AS action_reference_old_table,
    f.tgnewtable::name AS action_reference_new_table,
    NULL::name AS action_reference_old_row,
    NULL::name AS action_reference_new_row,
    NULL::timestamptz(2) AS created
FROM found AS f;

CREATE VIEW information_schema.triggered_update_columns AS
SELECT
    current_database()::name AS trigger_catalog,
    n.nspname::name AS trigger_schema,
    t.tgname::name AS trigger_name,
    current_database()::name AS event_object_catalog,
    n.nspname::name AS event_object_schema,
    c.relname::name AS event_object_table,
    a.attname::name AS event_object_column
FROM pg_trigger AS t
    CROSS JOIN LATERAL unnest(t.tgattr::int2[]) AS u (attnum)
    JOIN pg_class AS c ON c.oid = t.tgrelid
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_attribute AS a ON a.attrelid = t.tgrelid AND a.attnum = u.attnum
WHERE NOT t.tgisinternal
    AND t.tgtype & 16 <> 0
    AND (pg_has_role(c.relowner, 'USAGE')
        OR has_column_privilege(c.oid, a.attnum, 'INSERT, UPDATE, REFERENCES'));

CREATE VIEW information_schema.transforms AS
WITH functions AS (
    SELECT x.trftype, x.trflang, x.trffromsql AS function, 'FROM SQL' AS kind FROM pg_transform AS x
    UNION ALL
    SELECT x.trftype, x.trflang, x.trftosql, 'TO SQL' FROM pg_transform AS x
)
SELECT
    current_database()::name AS udt_catalog,
    tn.nspname::name AS udt_schema,
    t.typname::name AS udt_name,
    current_database()::name AS specific_catalog,
    n.nspname::name AS specific_schema,
    (p.proname::text || '_' || p.oid::text)::name AS specific_name,
    l.lanname::name AS group_name,
    f.kind::varchar AS transform_type
FROM functions AS f
    JOIN pg_type AS t ON t.oid = f.trftype
    JOIN pg_namespace AS tn ON tn.oid = t.typnamespace
    JOIN pg_language AS l ON l.oid = f.trflang
    JOIN pg_proc AS p ON p.oid = f.function
    JOIN pg_namespace AS n ON n.oid = p.pronamespace
WHERE pg_has_role(t.typowner, 'USAGE') OR has_type_privilege(t.oid, 'USAGE');

-- Foreign data, with what the views below leave out: numbers and options.
CREATE VIEW information_schema._pg_foreign_data_wrappers AS
SELECT
    w.oid,
    w.fdwowner,
    w.fdwoptions,
    current_database()::name AS foreign_data_wrapper_catalog,
    w.fdwname::name AS foreign_data_wrapper_name,
    r.rolname::name AS authorization_identifier,
    'c'::varchar AS foreign_data_wrapper_language
FROM pg_foreign_data_wrapper AS w
    JOIN pg_roles AS r ON r.oid = w.fdwowner
WHERE pg_has_role(w.fdwowner, 'USAGE') OR has_foreign_data_wrapper_privilege(w.oid, 'USAGE');

CREATE VIEW information_schema._pg_foreign_servers AS
SELECT
    s.oid,
    s.srvoptions,
    current_database()::name AS foreign_server_catalog,
    s.srvname::name AS foreign_server_name,
    current_database()::name AS foreign_data_wrapper_catalog,
    w.fdwname::name AS foreign_data_wrapper_name,
    s.srvtype::varchar AS foreign_server_type,
    s.srvversion::varchar AS foreign_server_version,
    r.rolname::name AS authorization_identifier
FROM pg_foreign_server AS s
    JOIN pg_foreign_data_wrapper AS w ON w.oid = s.srvfdw
    JOIN pg_roles AS r ON r.oid = s.srvowner
WHERE pg_has_role(s.srvowner, 'USAGE') OR has_server_privilege(s.oid, 'USAGE');

CREATE VIEW information_schema._pg_foreign_tables AS
SELECT
    current_database()::name AS foreign_table_catalog,
    n.nspname::name AS foreign_table_schema,
    c.relname::name AS foreign_table_name,
    t.ftoptions,
    current_database()::name AS foreign_server_catalog,
    s.srvname::name AS foreign_server_name,
    r.rolname::name AS authorization_identifier
FROM pg_foreign_table AS t
    JOIN pg_class AS c ON c.oid = t.ftrelid
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_foreign_server AS s ON s.oid = t.ftserver
    JOIN pg_roles AS r ON r.oid = c.relowner
WHERE c.relkind = 'f'
    AND (pg_has_role(c.relowner, 'USAGE')
        OR has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
        OR has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE, REFERENCES'));

CREATE VIEW information_schema._pg_foreign_table_columns AS
SELECT n.nspname, c.relname, a.attname, a.attfdwoptions
FROM pg_foreign_table AS t
    JOIN pg_class AS c ON c.oid = t.ftrelid
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_attribute AS a ON a.attrelid = c.oid
WHERE c.relkind = 'f'
    AND a.attnum > 0
    AND (pg_has_role(c.relowner, 'USAGE')
        OR has_column_privilege(c.oid, a.attnum, 'SELECT, INSERT, UPDATE, REFERENCES'));

CREATE VIEW information_schema._pg_user_mappings AS
SELECT
    m.oid,
    m.umoptions,
    m.umuser,
    coalesce(r.rolname, 'PUBLIC')::name AS authorization_identifier,
    s.foreign_server_catalog,
    s.foreign_server_name,
    s.authorization_identifier AS srvowner
FROM pg_user_mapping AS m
    JOIN information_schema._pg_foreign_servers AS s ON s.oid = m.umserver
    LEFT JOIN pg_roles AS r ON r.oid = m.umuser;

CREATE VIEW information_schema.foreign_data_wrappers AS
SELECT
    foreign_data_wrapper_catalog,
    foreign_data_wrapper_name,
    authorization_identifier,
    NULL::varchar AS library_name,
    foreign_data_wrapper_language
FROM information_schema._pg_foreign_data_wrappers;

-- An option is `name=value`.
CREATE VIEW information_schema.foreign_data_wrapper_options AS
SELECT
    w.foreign_data_wrapper_catalog,
    w.foreign_data_wrapper_name,
    split_part(o.option, '=', 1)::name AS option_name,
    substr(o.option, strpos(o.option, '=') + 1)::varchar AS option_value
FROM information_schema._pg_foreign_data_wrappers AS w
    CROSS JOIN LATERAL unnest(w.fdwoptions) AS o (option);

CREATE VIEW information_schema.foreign_servers AS
SELECT
    foreign_server_catalog, foreign_server_name, foreign_data_wrapper_catalog, foreign_data_wrapper_name,
    foreign_server_type, foreign_server_version, authorization_identifier
FROM information_schema._pg_foreign_servers;

CREATE VIEW information_schema.foreign_server_options AS
SELECT
    s.foreign_server_catalog,
    s.foreign_server_name,
    split_part(o.option, '=', 1)::name AS option_name,
    substr(o.option, strpos(o.option, '=') + 1)::varchar AS option_value
FROM information_schema._pg_foreign_servers AS s
    CROSS JOIN LATERAL unnest(s.srvoptions) AS o (option);

CREATE VIEW information_schema.foreign_tables AS
SELECT
    foreign_table_catalog, foreign_table_schema, foreign_table_name, foreign_server_catalog, foreign_server_name
FROM information_schema._pg_foreign_tables;

CREATE VIEW information_schema.foreign_table_options AS
SELECT
    t.foreign_table_catalog,
    t.foreign_table_schema,
    t.foreign_table_name,
    split_part(o.option, '=', 1)::name AS option_name,
    substr(o.option, strpos(o.option, '=') + 1)::varchar AS option_value
FROM information_schema._pg_foreign_tables AS t
    CROSS JOIN LATERAL unnest(t.ftoptions) AS o (option);

CREATE VIEW information_schema.column_options AS
SELECT
    current_database()::name AS table_catalog,
    c.nspname::name AS table_schema,
    c.relname::name AS table_name,
    c.attname::name AS column_name,
    split_part(o.option, '=', 1)::name AS option_name,
    substr(o.option, strpos(o.option, '=') + 1)::varchar AS option_value
FROM information_schema._pg_foreign_table_columns AS c
    CROSS JOIN LATERAL unnest(c.attfdwoptions) AS o (option);

CREATE VIEW information_schema.user_mappings AS
SELECT authorization_identifier, foreign_server_catalog, foreign_server_name
FROM information_schema._pg_user_mappings;

-- Values are told to the user that they are for, of the mapping of PUBLIC to those who have the server owner's role,
-- and to superusers.
CREATE VIEW information_schema.user_mapping_options AS
SELECT
    m.authorization_identifier,
    m.foreign_server_catalog,
    m.foreign_server_name,
    split_part(o.option, '=', 1)::name AS option_name,
    (CASE
        WHEN m.umuser <> 0 AND m.authorization_identifier = current_user
            OR m.umuser = 0 AND pg_has_role(m.srvowner, 'USAGE')
            OR me.rolsuper
            THEN substr(o.option, strpos(o.option, '=') + 1)
    END)::varchar AS option_value
FROM information_schema._pg_user_mappings AS m
    CROSS JOIN LATERAL unnest(m.umoptions) AS o (option)
    JOIN pg_roles AS me ON me.rolname = current_user;

-- The standard's features that one may look for, and whether they are here entirely.
CREATE VIEW information_schema.sql_features AS
SELECT
    f.id::varchar AS feature_id,
    f.name::varchar AS feature_name,
    ''::varchar AS sub_feature_id,
    ''::varchar AS sub_feature_name,
    f.supported::varchar(3) AS is_supported,
    NULL::varchar AS is_verified_by,
    f.comment::varchar AS comments
FROM (VALUES
    ('E011', 'Numeric data types', 'YES', NULL),
    ('E021', 'Character string types', 'YES', NULL),
    ('E031', 'Identifiers', 'YES', NULL),
    ('E051', 'Basic query specification', 'YES', NULL),
    ('E061', 'Basic predicates and search conditions', 'YES', NULL),
    ('E071', 'Basic query expressions', 'YES', NULL),
    ('E081', 'Basic Privileges', 'NO', NULL),
    ('E091', 'Set functions', 'YES', NULL),
    ('E101', 'Basic data manipulation', 'YES', NULL),
    ('E111', 'Single row SELECT statement', 'YES', NULL),
    ('E121', 'Basic cursor support', 'NO', 'no changes at a cursor''s position'),
    ('E131', 'Null value support (nulls in lieu of values)', 'YES', NULL),
    ('E141', 'Basic integrity constraints', 'NO', 'foreign keys are not enforced'),
    ('E151', 'Transaction support', 'YES', NULL),
    ('E152', 'Basic SET TRANSACTION statement', 'NO', 'no ISOLATION LEVEL SERIALIZABLE'),
    ('E153', 'Updatable queries with subqueries', 'YES', NULL),
    ('E161', 'SQL comments using leading double minus', 'YES', NULL),
    ('E171', 'SQLSTATE support', 'YES', NULL),
    ('F021', 'Basic information schema', 'YES', NULL),
    ('F031', 'Basic schema manipulation', 'NO', 'no GRANT and REVOKE'),
    ('F032', 'CASCADE drop behavior', 'YES', NULL),
    ('F033', 'ALTER TABLE statement: DROP COLUMN clause', 'YES', NULL),
    ('F041', 'Basic joined table', 'YES', NULL),
    ('F051', 'Basic date and time', 'YES', NULL),
    ('F052', 'Intervals and datetime arithmetic', 'YES', NULL),
    ('F053', 'OVERLAPS predicate', 'YES', NULL),
    ('F081', 'UNION and EXCEPT in views', 'YES', NULL),
    ('F131', 'Grouped operations', 'YES', NULL),
    ('F171', 'Multiple schemas per user', 'YES', NULL),
    ('F191', 'Referential delete actions', 'NO', NULL),
    ('F200', 'TRUNCATE TABLE statement', 'YES', NULL),
    ('F201', 'CAST function', 'YES', NULL),
    ('F202', 'TRUNCATE TABLE: identity column restart option', 'YES', NULL),
    ('F221', 'Explicit defaults', 'YES', NULL),
    ('F222', 'INSERT statement: DEFAULT VALUES clause', 'YES', NULL),
    ('F251', 'Domain support', 'YES', NULL),
    ('F261', 'CASE expression', 'YES', NULL),
    ('F271', 'Compound character literals', 'YES', NULL),
    ('F281', 'LIKE enhancements', 'YES', NULL),
    ('F302', 'INTERSECT table operator', 'YES', NULL),
    ('F304', 'EXCEPT ALL table operator', 'YES', NULL),
    ('F312', 'MERGE statement', 'YES', NULL),
    ('F341', 'Usage tables', 'YES', NULL),
    ('F382', 'Alter column data type', 'YES', NULL),
    ('F383', 'Set column not null clause', 'YES', NULL),
    ('F391', 'Long identifiers', 'YES', NULL),
    ('F401', 'Extended joined table', 'YES', NULL),
    ('F411', 'Time zone specification', 'YES', NULL),
    ('F431', 'Read-only scrollable cursors', 'YES', NULL),
    ('F441', 'Extended set function support', 'YES', NULL),
    ('F471', 'Scalar subquery values', 'YES', NULL),
    ('F481', 'Expanded NULL predicate', 'YES', NULL),
    ('F531', 'Temporary tables', 'YES', NULL),
    ('F555', 'Enhanced seconds precision', 'YES', NULL),
    ('F571', 'Truth value tests', 'YES', NULL),
    ('F591', 'Derived tables', 'YES', NULL),
    ('F641', 'Row and table constructors', 'YES', NULL),
    ('F661', 'Simple tables', 'YES', NULL),
    ('F701', 'Referential update actions', 'NO', NULL),
    ('F711', 'ALTER domain', 'YES', NULL),
    ('F721', 'Deferrable constraints', 'NO', NULL),
    ('F762', 'CURRENT_CATALOG', 'YES', NULL),
    ('F763', 'CURRENT_SCHEMA', 'YES', NULL),
    ('F850', 'Top-level ORDER BY in query expression', 'YES', NULL),
    ('F861', 'Top-level result offset clause in query expression', 'YES', NULL),
    ('F867', 'FETCH FIRST clause: WITH TIES option', 'YES', NULL),
    ('S091', 'Basic array support', 'YES', NULL),
    ('S095', 'Array constructors by query', 'YES', NULL),
    ('S098', 'ARRAY_AGG', 'YES', NULL),
    ('T031', 'BOOLEAN data type', 'YES', NULL),
    ('T071', 'BIGINT data type', 'YES', NULL),
    ('T121', 'WITH (excluding RECURSIVE) in query expression', 'YES', NULL),
    ('T131', 'Recursive query', 'YES', NULL),
    ('T141', 'SIMILAR predicate', 'YES', NULL),
    ('T151', 'DISTINCT predicate', 'YES', NULL),
    ('T171', 'LIKE clause in table definition', 'YES', NULL),
    ('T172', 'AS subquery clause in table definition', 'YES', NULL),
    ('T174', 'Identity columns', 'YES', NULL),
    ('T175', 'Generated columns', 'YES', NULL),
    ('T176', 'Sequence generator support', 'NO', 'supported except for NEXT VALUE FOR'),
    ('T211', 'Basic trigger capability', 'NO', NULL),
    ('T241', 'START TRANSACTION statement', 'YES', NULL),
    ('T261', 'Chained transactions', 'YES', NULL),
    ('T271', 'Savepoints', 'YES', NULL),
    ('T312', 'OVERLAY function', 'YES', NULL),
    ('T321', 'Basic SQL-invoked routines', 'NO', NULL),
    ('T331', 'Basic roles', 'NO', NULL),
    ('T351', 'Bracketed SQL comments (/*...*/ comments)', 'YES', NULL),
    ('T431', 'Extended grouping capabilities', 'YES', NULL),
    ('T432', 'Nested and concatenated GROUPING SETS', 'YES', NULL),
    ('T433', 'Multiargument GROUPING function', 'YES', NULL),
    ('T461', 'Symmetric BETWEEN predicate', 'YES', NULL),
    ('T491', 'LATERAL derived table', 'YES', NULL),
    ('T591', 'UNIQUE constraints of possibly null columns', 'YES', NULL),
    ('T611', 'Elementary OLAP operations', 'YES', NULL),
    ('T612', 'Advanced OLAP operations', 'YES', NULL),
    ('T613', 'Sampling', 'YES', NULL),
    ('T614', 'NTILE function', 'YES', NULL),
    ('T615', 'LEAD and LAG functions', 'YES', NULL),
    ('T617', 'FIRST_VALUE and LAST_VALUE function', 'YES', NULL),
    ('T620', 'WINDOW clause: GROUPS option', 'YES', NULL),
    ('T625', 'LISTAGG', 'YES', NULL),
    ('T831', 'SQL/JSON path language: strict mode', 'YES', NULL),
    ('X010', 'XML type', 'NO', NULL)
) AS f (id, name, supported, comment);

-- Of the parts of the standard none is here entirely.
CREATE VIEW information_schema.sql_parts AS
SELECT
    p.id::varchar AS feature_id,
    p.name::varchar AS feature_name,
    'NO'::varchar(3) AS is_supported,
    NULL::varchar AS is_verified_by,
    NULL::varchar AS comments
FROM (VALUES
    ('1', 'Framework (SQL/Framework)'),
    ('2', 'Foundation (SQL/Foundation)'),
    ('3', 'Call-Level Interface (SQL/CLI)'),
    ('4', 'Persistent Stored Modules (SQL/PSM)'),
    ('9', 'Management of External Data (SQL/MED)'),
    ('10', 'Object Language Bindings (SQL/OLB)'),
    ('11', 'Information and Definition Schema (SQL/Schemata)'),
    ('13', 'Routines and Types Using the Java Programming Language (SQL/JRT)'),
    ('14', 'XML-Related Specifications (SQL/XML)'),
    ('15', 'Multi-Dimensional Arrays (SQL/MDA)')
) AS p (id, name);

CREATE VIEW information_schema.sql_implementation_info AS
SELECT
    i.id::varchar AS implementation_info_id,
    i.name::varchar AS implementation_info_name,
    i.number::int4 AS integer_value,
    i.text::varchar AS character_value,
    i.comment::varchar AS comments
FROM (VALUES
    ('2', 'DATA SOURCE NAME', NULL, '', NULL),
    ('13', 'SERVER NAME', NULL, '', NULL),
    ('17', 'DBMS NAME', NULL, 'PostgreSQL', NULL),
    ('18', 'DBMS VERSION', NULL, current_setting('server_version'), NULL),
    ('23', 'CURSOR COMMIT BEHAVIOR', 1, NULL, 'close cursors and retain prepared statements'),
    ('26', 'DEFAULT TRANSACTION ISOLATION', 2, NULL, 'READ COMMITTED, user-settable'),
    ('28', 'IDENTIFIER CASE', 3, NULL, 'stored in mixed case - case sensitive'),
    ('46', 'TRANSACTION CAPABLE', 2, NULL, 'both DML and DDL'),
    ('85', 'NULL COLLATION', 0, NULL, 'nulls higher than non-nulls'),
    ('94', 'SPECIAL CHARACTERS', NULL, '', 'all non-ASCII characters allowed'),
    ('10003', 'CATALOG NAME', NULL, 'Y', NULL),
    ('10004', 'COLLATING SEQUENCE', NULL, 'ucs_basic', NULL)
) AS i (id, name, number, text, comment);

-- 0 is a limit that is not known.
CREATE VIEW information_schema.sql_sizing AS
SELECT
    s.id::int4 AS sizing_id,
    s.name::varchar AS sizing_name,
    s.value::int4 AS supported_value,
    s.comment::varchar AS comments
FROM (VALUES
    (0, 'MAXIMUM DRIVER CONNECTIONS', NULL, NULL),
    (1, 'MAXIMUM CONCURRENT ACTIVITIES', 0, NULL),
    (30, 'MAXIMUM COLUMN NAME LENGTH', 63, 'in bytes'),
    (31, 'MAXIMUM CURSOR NAME LENGTH', 63, 'in bytes'),
    (32, 'MAXIMUM SCHEMA NAME LENGTH', 63, 'in bytes'),
    (34, 'MAXIMUM CATALOG NAME LENGTH', 63, 'in bytes'),
    (35, 'MAXIMUM TABLE NAME LENGTH', 63, 'in bytes'),
    (97, 'MAXIMUM COLUMNS IN GROUP BY', 0, NULL),
    (99, 'MAXIMUM COLUMNS IN ORDER BY', 0, NULL),
    (100, 'MAXIMUM COLUMNS IN SELECT', 0, NULL),
    (101, 'MAXIMUM COLUMNS IN TABLE', 1600, NULL),
    (106, 'MAXIMUM TABLES IN SELECT', 0, NULL),
    (107, 'MAXIMUM USER NAME LENGTH', 63, 'in bytes'),
    (10005, 'MAXIMUM IDENTIFIER LENGTH', 63, 'in bytes'),
    (20000, 'MAXIMUM STATEMENT OCTETS', 0, NULL),
    (20001, 'MAXIMUM STATEMENT OCTETS DATA', 0, NULL),
    (20002, 'MAXIMUM STATEMENT OCTETS SCHEMA', 0, NULL),
    (25000, 'MAXIMUM CURRENT DEFAULT TRANSFORM GROUP LENGTH', NULL, NULL),
    (25001, 'MAXIMUM CURRENT TRANSFORM GROUP LENGTH', NULL, NULL),
    (25002, 'MAXIMUM CURRENT PATH LENGTH', 0, NULL),
    (25003, 'MAXIMUM CURRENT ROLE LENGTH', NULL, NULL),
    (25004, 'MAXIMUM SESSION USER LENGTH', 63, 'in bytes'),
    (25005, 'MAXIMUM SYSTEM USER LENGTH', 63, 'in bytes')
) AS s (id, name, value, comment);
