-- The functions, aggregates and window functions that PostgreSQL 15 documents, over the types that this server has: what
-- `pg_proc.txt` was recorded with. Support functions of operators, casts, types, indexes and aggregates are left out,
-- and so is what concerns a PostgreSQL server's own insides.
\pset format unaligned
\pset tuples_only on
WITH known AS (
    SELECT oid FROM pg_type
    WHERE typname = ANY ('{bool,int2,int4,int8,numeric,float4,float8,text,varchar,bpchar,name,char,bytea,date,time,timetz,timestamp,timestamptz,interval,uuid,json,jsonb,jsonpath,oid,regtype,void,any,anyelement,anyarray,anynonarray,anycompatible,anycompatiblearray,anycompatiblenonarray,record}')
    UNION
    SELECT typarray FROM pg_type
    WHERE typname = ANY ('{bool,int2,int4,int8,numeric,float4,float8,text,varchar,bpchar,name,char,bytea,date,time,timetz,timestamp,timestamptz,interval,uuid,json,jsonb,jsonpath,oid}')
), support AS (
    SELECT castfunc AS oid FROM pg_cast
    UNION SELECT amproc FROM pg_amproc
    UNION SELECT unnest(ARRAY[typinput, typoutput, typreceive, typsend, typmodin, typmodout, typanalyze, typsubscript])
        FROM pg_type
    UNION SELECT unnest(ARRAY[aggtransfn, aggfinalfn, aggcombinefn, aggserialfn, aggdeserialfn, aggmtransfn,
        aggminvtransfn, aggmfinalfn]) FROM pg_aggregate
    UNION SELECT unnest(ARRAY[oprrest, oprjoin]) FROM pg_operator
    UNION SELECT prosupport FROM pg_proc
    UNION SELECT conproc FROM pg_conversion
    UNION SELECT rngcanonical FROM pg_range
)
SELECT CASE WHEN p.proretset THEN 's' ELSE p.prokind::text END || ' ' || p.proname || '(' || coalesce((
           SELECT string_agg(format_type(CASE WHEN position = p.pronargs AND p.provariadic <> 0 THEN p.provariadic
               ELSE argument END, NULL), ', ' ORDER BY position)
           FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS it(argument, position)
           WHERE position <= width), '')
       || CASE WHEN p.provariadic <> 0 THEN ', ...' ELSE '' END || ') ' || format_type(p.prorettype, NULL)
FROM pg_proc p
-- An argument with a default can be left out.
CROSS JOIN generate_series((p.pronargs - p.pronargdefaults)::int, p.pronargs::int) AS width
LEFT JOIN support ON support.oid = p.oid AND support.oid::oid <> 0
WHERE p.pronamespace = 'pg_catalog'::regnamespace
    AND p.prokind IN ('f', 'a', 'w')
    AND p.oid < 16384
    AND support.oid IS NULL
    AND p.prorettype IN (SELECT oid FROM known)
    AND NOT EXISTS (SELECT FROM unnest(p.proargtypes::oid[]) AS argument WHERE argument NOT IN (SELECT oid FROM known))
    AND coalesce(obj_description(p.oid, 'pg_proc'), 'internal')
        !~ '^(implementation of|I/O|internal|deprecated|aggregate (transition|final|serial|deserial|combine)|less-equal-greater|hash|btree|statistics:|system:|join selectivity|restriction selectivity|read |write |load |SPI|planner support|for use by pg_upgrade|transition|RI |trigger)'
    AND p.proname !~ '^(pg_|_pg|binary_upgrade|lo_|lo(read|write)$|ts_|brin_|gin_|gist|spg|satisfies_hash|inet_|txid_)'
    AND p.proname !~ '^(currtid|xml|cursor_to|database_to|query_to|schema_to|table_to|row_security|has_|suppress_|heap)'
    AND p.proname !~ '^(unique_key|numnode|querytree|array_to_tsvector|shobj_|obj_|col_desc|unknown|mxid|to_ascii)'
    AND p.proname !~ '^(currval|nextval|lastval|setval|set_config|numeric_|d(exp|log1|log10|round|trunc|sqrt|pow|cbrt)$)'
    AND p.proname !~ '(_subdiff|_validator)$|^(int4inc|nameconcatoid|textlen|like|notlike|like_escape|amvalidate|similar_escape|similar_to_escape)$'
UNION
SELECT 'f ' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ') ' || format_type(p.prorettype, NULL)
FROM pg_proc p
WHERE p.pronamespace = 'pg_catalog'::regnamespace
    AND p.proname IN ('pg_backend_pid', 'pg_client_encoding', 'pg_is_in_recovery', 'pg_typeof', 'pg_size_pretty',
        'pg_size_bytes', 'pg_encoding_to_char', 'array_cat', 'starts_with')
ORDER BY 1;
