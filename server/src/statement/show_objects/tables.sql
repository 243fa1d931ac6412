-- When tables were changed is not recorded.
SELECT * FROM (
    SELECT
        t.database_name, t.schema_name, t.table_name, t.table_type, t.table_acl, t.remarks,
        pg_get_userbyid(c.relowner)::varchar(128) AS owner,
        NULL::timestamp AS last_altered_time,
        NULL::timestamp AS last_modified_time,
        i.diststyle::varchar(128) AS dist_style,
        (CASE t.table_type
            WHEN 'TABLE' THEN 'REGULAR TABLE' WHEN 'VIEW' THEN 'REGULAR VIEW' ELSE t.table_type
        END)::varchar(128) AS table_subtype
    FROM pg_catalog.svv_all_tables AS t
        JOIN pg_catalog.pg_namespace AS n ON n.nspname = t.schema_name
        JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = t.table_name
        LEFT JOIN pg_catalog.svv_table_info AS i ON i.table_id = c.oid
    WHERE t.schema_name = :schema
) AS tables
