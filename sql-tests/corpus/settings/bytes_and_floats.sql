-- bytea_output and extra_float_digits, wherever a value becomes text.
SET bytea_output = 'escape';
SELECT '\x00ff5c61277e7f'::bytea;
SELECT '\x00ff5c61277e7f'::bytea::text, concat('\x0061'::bytea), array['\x005c61'::bytea], row('\x005c'::bytea), to_json('\x0061'::bytea);
SELECT format('%s', '\x0061'::bytea), array_to_string(array['\x0061'::bytea], ','), encode('\x0061'::bytea, 'hex');
SET bytea_output = 'hex';
SELECT '\x00ff5c61277e7f'::bytea;
SET extra_float_digits = 0;
SELECT 0.1::float8, (1/3.0)::float8, 1e23::float8, 123456789012345678::float8, 1e-5::float8, 0.1::float4, (1/3.0)::float4, 16777217::float4, 1e15::float8, 1e14::float8, 100::float8, 'nan'::float8, '-inf'::float8;
SELECT (1/3.0)::float8::text, concat((1/3.0)::float8), array[(1/3.0)::float8], row((1/3.0)::float4), to_json((1/3.0)::float8), to_jsonb((1/3.0)::float8), json_build_array((1/3.0)::float4);
SET extra_float_digits = -15;
SELECT (1/3.0)::float8, 123456::float8, (2/3.0)::float4, 99.9::float8, 0.00095::float8, 9.5::float8, 1e6::float4;
SET extra_float_digits = -3;
SELECT (1/3.0)::float8, 123456789::float8, (2/3.0)::float4, 123456::float4, 999999::float4, 0.000123456::float4, 1e-5::float4;
SET extra_float_digits = 3;
SELECT 0.1::float8, (1/3.0)::float8, (1/3.0)::float4;
SET extra_float_digits = 0;
SELECT (1/3.0)::float8::numeric, round((1/3.0)::float8), (1/3.0)::float8 = 0.333333333333333::float8;
