SELECT * FROM (
    SELECT
        database_name, schema_name, table_name, column_name, ordinal_position, column_default, is_nullable, data_type,
        character_maximum_length, numeric_precision, numeric_scale, remarks
    FROM pg_catalog.svv_all_columns
    WHERE (schema_name, table_name) = (:schema_and_table)
) AS columns
