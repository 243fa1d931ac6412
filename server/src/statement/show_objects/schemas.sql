SELECT * FROM pg_catalog.svv_all_schemas
