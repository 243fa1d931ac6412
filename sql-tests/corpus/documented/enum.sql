CREATE TYPE rainbow AS ENUM ('red', 'orange', 'yellow', 'green', 'blue', 'purple');
SELECT enum_first(null::rainbow);
SELECT enum_last(null::rainbow);
SELECT enum_range(null::rainbow);
SELECT enum_range('orange'::rainbow, 'green'::rainbow), enum_range(NULL, 'green'::rainbow), enum_range('orange'::rainbow, NULL);
SELECT 'red'::rainbow < 'blue', 'red'::rainbow > 'blue', 'red'::rainbow <= 'blue', 'red'::rainbow >= 'blue', 'red'::rainbow = 'red', 'red'::rainbow <> 'red';
SELECT max(x), min(x), array_agg(x ORDER BY x) FROM unnest('{blue,red,green}'::rainbow[]) AS x;
SELECT x::text AS t, x::text::rainbow AS r FROM unnest(enum_range(NULL::rainbow)) AS u(x) ORDER BY u.x;
SELECT to_json('red'::rainbow), 'red'::rainbow = ANY (ARRAY['red', 'blue']::rainbow[]), 'red'::rainbow IN ('red', 'blue');
