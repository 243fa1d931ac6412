WITH options AS (
    SELECT split_part(o.option, '=', 1) AS name, substr(o.option, strpos(o.option, '=') + 1) AS value
    FROM pg_catalog.pg_foreign_table AS t
        CROSS JOIN LATERAL unnest(t.ftoptions) AS o (option)
    WHERE t.ftrelid = :relation
),
columns AS (
    SELECT
        a.attnum,
        (SELECT split_part(o, '=', 2)::int4 FROM unnest(a.attfdwoptions) AS o WHERE o LIKE 'partition_key=%') AS key,
        quote_ident(a.attname) AS name,
        format_type(a.atttypid, a.atttypmod) AS type
    FROM pg_catalog.pg_attribute AS a
    WHERE a.attrelid = :relation AND a.attnum > 0 AND NOT a.attisdropped
),
partitions AS (
    SELECT
        (
            SELECT string_agg(k.name || ' = ' || coalesce(quote_literal(v.value), 'NULL'), ', ' ORDER BY k.key)
            FROM jsonb_array_elements_text(p."values"::jsonb) WITH ORDINALITY AS v (value, key)
                JOIN columns AS k ON k.key = v.key
        ) AS value_list,
        p.location
    FROM pg_catalog.svv_external_partitions AS p
        JOIN pg_catalog.pg_namespace AS n ON n.nspname = p.schemaname
        JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = p.tablename
    WHERE c.oid = :relation AND :with_partitions
),
named AS (
    SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name
    FROM pg_catalog.pg_class AS c
        JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.oid = :relation
)
SELECT
    'CREATE EXTERNAL TABLE ' || t.name || E' (\n    '
        || (SELECT string_agg(name || ' ' || type, E',\n    ' ORDER BY attnum) FROM columns WHERE key IS NULL) || E'\n)'
        || coalesce(
            E'\nPARTITIONED BY ('
            || (SELECT string_agg(name || ' ' || type, ', ' ORDER BY key) FROM columns WHERE key IS NOT NULL) || ')', '')
        || coalesce(E'\nROW FORMAT SERDE ' || (SELECT quote_literal(value) FROM options WHERE name = 'serde'), '')
        || coalesce(
            E'\nWITH SERDEPROPERTIES ('
            || (SELECT string_agg(quote_literal(p.key) || '=' || quote_literal(p.value), ', ' ORDER BY p.key)
                FROM options AS o
                    CROSS JOIN LATERAL jsonb_each_text(o.value::jsonb) AS p
                WHERE o.name = 'serdeproperties') || ')', '')
        || E'\nSTORED AS ' || (SELECT upper(value) FROM options WHERE name = 'format')
        || E'\nLOCATION ' || (SELECT quote_literal(value) FROM options WHERE name = 'location')
        || coalesce(
            E'\nTABLE PROPERTIES ('
            || (SELECT string_agg(quote_literal(name) || '=' || quote_literal(value), ', ' ORDER BY name)
                FROM options WHERE name NOT IN ('format', 'location', 'serde', 'serdeproperties')) || ')', '')
        || ';'
        || coalesce(
            (SELECT string_agg(
                E'\nALTER TABLE ' || t.name || ' ADD IF NOT EXISTS PARTITION (' || p.value_list || E')\nLOCATION '
                || quote_literal(p.location) || ';', '' ORDER BY p.value_list)
            FROM partitions AS p), '') AS "Show External Table DDL statement"
FROM named AS t
