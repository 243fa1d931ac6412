SELECT * FROM (
    SELECT
        database_name, database_owner, database_type, database_acl, database_options AS parameters,
        database_isolation_level
    FROM pg_catalog.svv_redshift_databases
) AS databases
