SELECT pg_typeof(gen_random_uuid()), gen_random_uuid() <> gen_random_uuid(), length(gen_random_uuid()::text);
SELECT a < b, a > b, a <= b, a >= b, a = b, a <> b FROM (VALUES ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid, 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A12'::uuid)) AS t(a, b);
SELECT '{a0eebc99-9c0b4ef8-bb6d6bb9-bd380a11}'::uuid, 'a0eebc999c0b4ef8bb6d6bb9bd380a11'::uuid::text;
