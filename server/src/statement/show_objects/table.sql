WITH lines AS (
    SELECT
        1 AS part,
        a.attnum::int4 AS number,
        a.attname::text AS name,
        quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod)
            || CASE
                WHEN a.attgenerated = 's'
                    THEN ' GENERATED ALWAYS AS (' || pg_get_expr(d.adbin, d.adrelid) || ') STORED'
                WHEN a.attidentity <> ''
                    THEN ' GENERATED ' || CASE a.attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END
                        || ' AS IDENTITY (START WITH ' || s.seqstart || ' INCREMENT BY ' || s.seqincrement || ')'
                ELSE coalesce(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '')
            END
            || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END AS line
    FROM pg_catalog.pg_attribute AS a
        LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        LEFT JOIN pg_catalog.pg_depend AS o
            ON o.refobjid = a.attrelid AND o.refobjsubid = a.attnum AND o.classid = 1259 AND o.deptype = 'i'
        LEFT JOIN pg_catalog.pg_sequence AS s ON s.seqrelid = o.objid
    WHERE a.attrelid = :relation AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT 2, 0, conname, 'CONSTRAINT ' || quote_ident(conname) || ' ' || pg_get_constraintdef(oid)
    FROM pg_catalog.pg_constraint
    WHERE conrelid = :relation
),
sort_key AS (
    SELECT string_agg(quote_ident(attname), ', ' ORDER BY abs(attsortkeyord)) AS columns
    FROM pg_catalog.pg_attribute
    WHERE attrelid = :relation AND attsortkeyord <> 0
)
SELECT
    'CREATE TABLE ' || quote_ident(n.nspname) || '.' || quote_ident(c.relname) || E' (\n    '
        || (SELECT string_agg(line, E',\n    ' ORDER BY part, number, name) FROM lines)
        || E'\n)'
        || CASE c.reldiststyle WHEN 0 THEN E'\nDISTSTYLE EVEN' WHEN 1 THEN E'\nDISTSTYLE KEY' WHEN 8 THEN E'\nDISTSTYLE ALL' ELSE '' END
        || coalesce(E'\nDISTKEY (' || (
            SELECT quote_ident(attname) FROM pg_catalog.pg_attribute WHERE attrelid = :relation AND attisdistkey
        ) || ')', '')
        || coalesce(E'\nSORTKEY (' || k.columns || ')', '') || ';' AS "Show Table DDL statement"
FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    CROSS JOIN sort_key AS k
WHERE c.oid = :relation
